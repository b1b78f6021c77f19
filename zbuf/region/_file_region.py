"""Bytes of a file that are named, not read.

Owns    a range of a file, how much of it has travelled, and this handle's count.
Never   bytes, a socket, or how a region is sent: the transport decides that, and reports back with `advance`.
Always  0 <= transferred <= count once the count is known; the descriptor lives as long as any region that shares it.

The law of ownership: a region is a counted handle, as a buffer is. Whoever takes one consumes one count; slices own
their share of the descriptor; the last one to let go closes it, if it is the region's to close.
"""

import operator
import os
from types import TracebackType
from typing import Self, SupportsIndex

from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import charge
from zbuf.buffer import ByteBuf
from zbuf.errors import BoundsError, FileTruncatedError, ReferenceCountError
from zbuf.region._descriptor import Descriptor, HasFileno

__all__ = ["FileRegion"]

MAX_OFFSET = 2**63 - 1  # off_t
MAX_REFCNT = 2**31 - 1  # as buffers
MAX_IOVECS = 1024  # Linux UIO_MAXIOV
FILE_READ = int(CopyReason.FILE_READ)


class FileRegion:
    """`count` bytes of a file from byte `offset`: named, not read. It has a count, no bytes; it is not a buffer.

    Units: bytes. `file` is a path (opened on first use, closed with the region), a file object or a descriptor;
    `count` None means to the end of the file as it is found when opened. Only regular files.
    Ownership: file objects and descriptors are borrowed unless `close` is true; slices share the descriptor.
    Cost: none until sent; read_into(buf) copies and is billed. No snapshot: later changes to the file travel.
    Raises: ValueError on negative numbers, a NUL in the path, an end beyond 2**63 - 1; OSError only at first need.
    Source: Netty DefaultFileRegion, which always closes.
    """

    __slots__ = ("__weakref__", "_count", "_descriptor", "_offset", "_refcnt", "_transferred")

    def __init__(
        self,
        file: "int | str | bytes | os.PathLike[str] | os.PathLike[bytes] | HasFileno",
        offset: SupportsIndex = 0,
        count: SupportsIndex | None = None,
        *,
        close: bool | None = None,
    ) -> None:
        first = _as_size(offset)
        length = None if count is None else _as_size(count)
        if first < 0:
            raise ValueError(f"offset must not be negative: {first}")
        if length is not None:
            if length < 0:
                raise ValueError(f"count must not be negative: {length}")
            if length > MAX_OFFSET - first:
                raise ValueError(f"a region of {length} bytes from {first} ends beyond 2**63 - 1")
        self._start(Descriptor(file, close), first, length)

    def _start(self, descriptor: Descriptor, offset: int, count: int | None, transferred: int = 0) -> None:
        self._descriptor: Descriptor | None = descriptor
        self._offset = offset
        self._count = count
        self._transferred = transferred
        self._refcnt = 1

    @classmethod
    def adopt(cls, fd: int, size: int, offset: int = 0, count: int | None = None) -> Self:
        """Return a region of a descriptor that the caller has opened and looked at: regular, readable, of `size` bytes.

        Ownership: transfers the descriptor. Cost: no system call, also later: nothing is looked at again.
        Raises: ValueError if the range is not within `size`."""
        end = offset + (size - offset if count is None else count)
        if not 0 <= offset <= end <= size:
            raise ValueError(f"bytes {offset}..{end} are not within a file of {size} bytes")
        self = cls.__new__(cls)
        self._start(Descriptor.adopt(fd, size), offset, end - offset)
        return self

    # State.

    def _live(self) -> Descriptor:
        if self._descriptor is None:
            raise _dead()
        return self._descriptor

    @property
    def offset(self) -> int:
        """The first byte of the region, counted from the start of the file."""
        self._live()
        return self._offset

    @property
    def known_count(self) -> int | None:
        """The count as far as it is known without touching the file: None for "to the end" of an unopened one."""
        self._live()
        return self._count

    @property
    def count(self) -> int:
        """The number of bytes of the region. Opens the file if it reaches "to the end". Raises: OSError then."""
        self._live()
        if self._count is None:
            self.fileno()
        assert self._count is not None
        return self._count

    @property
    def transferred(self) -> int:
        """The number of bytes of this region that were sent or read through this handle."""
        self._live()
        return self._transferred

    @property
    def remaining(self) -> int:
        """The bytes that have not travelled yet: count - transferred."""
        return self.count - self._transferred

    @property
    def is_open(self) -> bool:
        """Whether the file was opened and looked at, so that the next use of it has nothing to find out."""
        return self._live().is_open

    def fileno(self) -> int:
        """Return the descriptor; opens the file at first need, and looks that it is a regular, readable one.

        Ownership: borrows; the descriptor is good until this region and its slices are released.
        Cost: nothing for an open file of ours; one fstat for a borrowed descriptor, which its owner may have closed.
        Raises: OSError (missing, a directory, not a regular file, not readable, closed by its owner)."""
        error = self._live().open()  # no local name for the descriptor: a traceback would keep its share alive
        if error is not None:
            raise error
        if self._count is None:
            self._count = max(0, self._live().size - self._offset)
        return self._live().fileno()

    # Life.

    @property
    def refcnt(self) -> int:
        """The count of this handle: 1 at birth, 0 when dead."""
        return self._refcnt

    def retain(self, n: SupportsIndex = 1) -> Self:
        """Raise the handle's count by `n` and return the handle.

        Raises: ValueError if n < 1; ReferenceCountError on a dead handle or above 2**31 - 1; the count stays."""
        change = _as_size(n)
        if self._refcnt == 0:
            raise ReferenceCountError("a released region cannot be retained", refcnt=0, change=change)
        if change < 1:
            raise ValueError(f"n must be at least 1, not {change}")
        if change > MAX_REFCNT - self._refcnt:
            raise ReferenceCountError(f"the count would exceed {MAX_REFCNT}", refcnt=self._refcnt, change=change)
        self._refcnt += change
        return self

    def release(self, n: SupportsIndex = 1) -> bool:
        """Lower the handle's count by `n`; at 0 the handle lets go of the file and is dead. Return whether it is.

        The descriptor closes with its last share, if it is the region's to close.
        Raises: ValueError if n < 1; ReferenceCountError on a dead handle or if n exceeds the count; nothing changes."""
        change = _as_size(n)
        if self._refcnt == 0:
            raise ReferenceCountError("the region was released before", refcnt=0, change=-change)
        if change < 1:
            raise ValueError(f"n must be at least 1, not {change}")
        if change > self._refcnt:
            raise ReferenceCountError(f"the count is {self._refcnt}, not {change}", refcnt=self._refcnt, change=-change)
        self._refcnt -= change
        if self._refcnt:
            return False
        self._descriptor = None
        return True

    def move(self) -> "FileRegion":
        """Return a new handle on the same bytes, as far transferred as this one.

        Ownership: takes one count of this handle; with count 1 it is dead afterwards."""
        taken = FileRegion.__new__(FileRegion)
        taken._start(self._live(), self._offset, self._count, self._transferred)
        self.release()
        return taken

    def slice(self, offset: SupportsIndex, count: SupportsIndex) -> "FileRegion":
        """Return a region of `count` bytes from byte `offset` of this one, of which nothing is transferred yet.

        Ownership: shares the descriptor; either may go first.
        Raises: BoundsError if it leaves this region, ValueError if `count` is negative; OSError if the count of this
        region is still to be found out."""
        first, length = _as_size(offset), _as_size(count)
        descriptor = self._live()
        if length < 0:
            raise ValueError(f"count must not be negative: {length}")
        if first < 0 or first > self.count:
            raise BoundsError(
                f"offset {first} is outside a region of {self.count} bytes", requested=first, available=self.count
            )
        if length > self.count - first:
            raise BoundsError(
                f"{length} bytes asked for at {first}, {self.count - first} there",
                requested=length,
                available=self.count - first,
                index=first,
            )
        part = FileRegion.__new__(FileRegion)
        part._start(descriptor, self._offset + first, length)
        return part

    def __enter__(self) -> Self:
        self._live()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._refcnt:
            self.release()

    # Moving bytes.

    def advance(self, n: int) -> None:
        """Note that the next `n` bytes were sent. Raises: ValueError if that is more than remain, or negative."""
        if not 0 <= n <= self.remaining:
            raise ValueError(f"{n} bytes reported, {self.remaining} remain")
        self._transferred += n

    def read_into(self, buf: ByteBuf, length: SupportsIndex | None = None) -> int:
        """Read the next `length` bytes (default: all that remain) to the end of `buf` and return their number.

        `transferred` and the writer index of `buf` move; the position of the file does not.
        Ownership: borrows `buf`. Cost: one copy, billed as FILE_READ, one preadv per 1024 pieces of `buf`.
        Raises: BoundsError beyond the region, ValueError if negative, CapacityError if `buf` cannot hold them,
        FileTruncatedError if the file ends early (its `transferred` counts what the file still has), OSError;
        nothing moves then."""
        wanted = None if length is None else _as_size(length)
        fd = self.fileno()
        left = self.remaining
        wanted = left if wanted is None else wanted
        if wanted < 0:
            raise ValueError(f"length must not be negative: {wanted}")
        if wanted > left:
            raise BoundsError(f"{wanted} bytes asked for, {left} remain", requested=wanted, available=left)
        if wanted == 0:
            buf.ensure_writable(0)
            return 0
        at = self._offset + self._transferred
        got = _read(fd, buf.writable_views(wanted), wanted, at)
        if got < wanted:
            raise self.truncated(self._transferred + got)
        buf.writer_index += got
        self._transferred += got
        return got

    def truncated(self, transferred: int | None = None) -> FileTruncatedError:
        """Return the error that says: the file ended before the region did.

        `transferred`: how many bytes of the region there were; default: how many have travelled."""
        there = self._transferred if transferred is None else transferred
        return FileTruncatedError(
            f"the file ends {self.count - there} bytes before the region: {there} of {self.count} bytes from "
            f"{self._offset} were there",
            offset=self._offset,
            count=self.count,
            transferred=there,
        )

    # Python's protocols.

    def __repr__(self) -> str:
        if self._descriptor is None:
            return "FileRegion(freed)"
        count = "to end" if self._count is None else self._count
        shown = f"FileRegion({self._descriptor!r}, offset: {self._offset}, count: {count}"
        if self._transferred:
            shown += f", transferred: {self._transferred}"
        if self._refcnt != 1:
            shown += f", refcnt: {self._refcnt}"
        return shown + ")"

    def __reduce_ex__(self, protocol: SupportsIndex) -> str:
        raise TypeError("a region cannot be pickled or copied: it stands for an open file; use slice()")

    def _check(self) -> None:
        """Assert what always holds."""
        assert (self._refcnt == 0) == (self._descriptor is None), (self._refcnt, self._descriptor)
        if self._count is not None:
            assert 0 <= self._transferred <= self._count, (self._transferred, self._count)


def _read(fd: int, views: list[memoryview], wanted: int, at: int) -> int:
    """Read up to `wanted` bytes from `at` into `views` and return how many came; fewer only at the end of the file.

    The views are released: an export would make the buffer copy at its next growth."""
    got = 0
    try:
        while got < wanted:
            n = os.preadv(fd, _next_views(views, got, wanted), at + got)
            if n == 0:
                break
            got += n
    finally:
        if got:
            charge(FILE_READ, got)
        for view in views:
            view.release()
    return got


def _next_views(views: list[memoryview], start: int, end: int) -> list[memoryview]:
    """Return the bytes [start, end) of the pieces, at most 1024 of them."""
    first = views[0]
    if start == 0 and len(views) == 1 and first.nbytes == end:
        return views
    found: list[memoryview] = []
    at = 0
    for view in views:
        low, high = max(start - at, 0), min(end - at, view.nbytes)
        if low < high:
            found.append(view[low:high])
            if len(found) == MAX_IOVECS:
                break
        at += view.nbytes
        if at >= end:
            break
    return found


def _as_size(value: SupportsIndex) -> int:
    n = operator.index(value)
    if not -(2**63) <= n < 2**63:
        raise OverflowError("the number does not fit 64 bits")
    return n


def _dead() -> ReferenceCountError:
    return ReferenceCountError("the region was released", refcnt=0)
