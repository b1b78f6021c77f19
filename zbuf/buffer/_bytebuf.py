"""ByteBuf: the handle users hold, and the slice, its window of fixed size.

Owns    the derived handles, the exports, Python's protocols.
Never   bytes of another handle's window, files, sockets.
Always  every derived handle has its own share of the block and its own count; either may go first. An export keeps
        the block, not the handle.

`ByteBuf` is one type in topic files, a chain of bases: Indices, Getters, Setters, Bulk, Text, Search, Growth, Trace.
"""

import itertools
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._indices import dead, index_outside, negative, torn
    from zbuf.memory._memory import EMPTY, as_size, as_source, as_value, compare, hatch, source_size, sprout
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._dump import repr_of
from zbuf.buffer._pickling import OUT_OF_BAND, reduce_bytes, reduce_views
from zbuf.buffer._trace import Trace
from zbuf.errors import BoundsError
from zbuf.memory._memory import Memory

if TYPE_CHECKING:
    from zbuf.buffer._allocator import Allocator

__all__ = ["ByteBuf", "SlicedByteBuf", "adopt"]

builtin_slice = slice  # inside the class the name means the method

COPY = int(CopyReason.COPY)
TOBYTES = int(CopyReason.TOBYTES)
GATHER = int(CopyReason.GATHER)
MAX_CAPACITY = 2**31 - 1
MAX_VIEWS = 1024  # Linux UIO_MAXIOV: what one sendmsg takes


class ByteBuf(Trace):
    """Bytes with a reader index and a writer index: 0 <= reader_index <= writer_index <= capacity <= max_capacity.

    Made by `buffer()`, `wrap()`, `copied()` or an allocator. A handle on one block of memory; slices and duplicates
    are further handles on it. Ownership: a block lives as long as anything holds it, a handle, a memoryview, an array
    or a transfer in flight; `release()` is the early, explicit end of one handle. Calls documented as *transfers* take
    the handle over, also when they fail. A handle belongs to one thread at a time.
    """

    __slots__ = ()

    # About the handle.

    @property
    def allocator(self) -> "Allocator":
        """Where copies and new blocks come from."""
        self._check_live()
        allocator: Allocator = self._allocator
        return allocator

    @property
    def is_contiguous(self) -> bool:
        """Whether the readable bytes lie in one piece, so that memoryview(buf) works."""
        self._check_live()
        return self._in_one_piece(self._reader, self._writer - self._reader)

    def _model(self) -> "ByteBuf":
        """Return the model by which a handle of this class is made."""
        return PLAIN

    # Derived handles. Each has its own share.

    def slice(self, index: int | None = None, length: int | None = None) -> "ByteBuf":
        """Return a window of `length` bytes from absolute `index`; by default the readable bytes.

        Ownership: shares; indices (0, length) of its own, cannot grow. Writes show through both handles; either may
        go first. Cost: one handle, no bytes. Raises: BoundsError, ValueError if negative. Source: Netty
        retainedSlice."""
        if index is None and length is None:
            self._check_live()
            return self._part(self._reader, self._writer - self._reader)
        if index is None or length is None:
            start, n = self._range(index, length)
        else:
            start = as_size(index)
            n = as_size(length)
            self._check_range(start, n)
        return self._part(start, n)

    def read_slice(self, length: int) -> "ByteBuf":
        """Return a window of the next `length` readable bytes and move the reader index past them.

        Ownership: shares, as slice. Raises: BoundsError, ValueError if negative; the index stays. Source: Netty."""
        length = as_size(length)
        if length < 0 or length > self._writer - self._reader or self._refcnt == 0:
            self._check_readable(length)
        part = self._part(self._reader, length)
        self._reader += length
        return part

    def _part(self, start: int, n: int) -> "ByteBuf":
        """Return a slice of the checked range."""
        part: ByteBuf = sprout(SLICE, self)
        part._shift += start
        part._reader = 0
        part._hi = part._writer = part._capacity = part._max = n
        if part._whi:
            part._whi = n
        return part

    def duplicate(self) -> "ByteBuf":
        """Return a second handle on the same window, with the same indices to start from.

        Ownership: shares. Growing one of them detaches it. Cost: one handle, no bytes. Source: Netty, whose
        duplicate resizes its parent."""
        if self._refcnt == 0:
            raise dead()
        return self._twin(self._model(), self._read_only)

    def as_read_only(self) -> "ByteBuf":
        """Return a read-only duplicate: what changes bytes or capacity raises ReadOnlyError; indices move freely.

        Ownership: shares; later writes of the source show, until somebody detaches. Source: Netty asReadOnly."""
        self._check_live()
        return self._twin(self._model(), True)

    def _twin(self, model: "ByteBuf", read_only: bool) -> "ByteBuf":
        """Return a handle of the class of `model` with the window and the indices of this one."""
        twin: ByteBuf = sprout(model, self)
        if read_only:
            twin._read_only = True
            twin._whi = 0
        return twin

    def move(self) -> "ByteBuf":
        """Return a new handle with the same bytes and indices, and give up one count of this one.

        Ownership: transfers: with count 1 this handle is dead afterwards, so that a stale use raises. Cost: one
        handle, no bytes."""
        if self._refcnt == 0:
            raise dead()
        twin = self._twin(self._model(), self._read_only)
        self.release()
        return twin

    def split(self, length: int | None = None) -> "ByteBuf":
        """Take the first `length` readable bytes, by default all, out of this buffer and return them.

        The result has reader index 0 and capacity `length`; this buffer keeps what follows, its reader index 0, its
        writer index and capacity smaller by what went before. Ownership: shares the block, but the windows are
        disjoint: neither sees the other's writes, and both may grow, by detaching, unless the buffer was fixed.
        Raises: BoundsError, ValueError if negative. Source: Netty 5 Buffer.split."""
        n = 0 if length is None else as_size(length)
        self._check_live()
        if length is None:
            n = self._writer - self._reader
        self._check_readable(n)
        front = self._cut(self._reader, n)
        front._writer = n
        self._drop_front(self._reader + n)
        return front

    def split_off(self, index: int) -> "ByteBuf":
        """Take [index, capacity) out of this buffer and return it; this buffer keeps [0, index).

        The indices of both are clamped into their part. Ownership: as split. Raises: BoundsError. Source: Netty 5."""
        index = as_size(index)
        self._check_live()
        if index < 0 or index > self._capacity:
            raise index_outside("index", index, self._capacity)
        back = self._cut(index, self._capacity - index)
        back._reader = max(self._reader - index, 0)
        back._writer = max(self._writer - index, 0)
        self._drop_back(index)
        return back

    def _cut(self, start: int, n: int) -> "ByteBuf":
        """Return a handle over the checked range that can grow if this one can."""
        fixed = self._is_fixed()
        part = self._part(start, n) if fixed else ByteBuf.__new__(ByteBuf)
        part._allocator = self._allocator
        part._read_only = self._read_only
        part._look_at(self._memory, self._shift + start, n)
        part._reader = part._writer = 0
        part._capacity = n
        part._max = n if fixed else self._max
        return part

    def _drop_front(self, n: int) -> None:
        if self._is_fixed():
            self._max -= n
        self._capacity -= n
        self._writer -= n
        self._reader = 0
        self._look_at(self._memory, self._shift + n, self._capacity)

    def _drop_back(self, n: int) -> None:
        self._narrow(n)

    def copy(self, index: int | None = None, length: int | None = None) -> "ByteBuf":
        """Return a copy of the given range, by default the readable bytes: contiguous, writable, on its own block.

        Its max_capacity is that of this buffer, or the default where this one cannot grow. Ownership: copies.
        Cost: the bytes (COPY). Raises: BoundsError, ValueError if negative, MemoryError."""
        start, n = self._range(index, length)
        twin = fresh(self._lease(n), n, self._max if self._max > self._capacity else MAX_CAPACITY, self._allocator)
        if n:
            charge(COPY, n)
            self._spill(start, n, twin._base, 0)
        twin._writer = n
        return twin

    # Exports. Each holds the memory.

    def view(self, index: int | None = None, length: int | None = None) -> memoryview:
        """Return a memoryview of the given range, by default the readable bytes; writable iff the bytes are.

        Ownership: shares: the view outlives this handle. Raises: BoundsError; BufferError if it spans components."""
        start, n = self._range(index, length)
        return self._view(start, n)

    def _view(self, start: int, n: int) -> memoryview:
        if n == 0:
            empty: memoryview = EMPTY.export(0, 0, self._read_only)
            return empty
        self._seek(start)
        if n > self._hi - start:
            raise BufferError("the bytes lie in several components")
        view: memoryview = self._memory.export(start + self._shift, n, self._exports_read_only())
        return view

    def readable_views(self, max_count: int = MAX_VIEWS, max_bytes: int | None = None) -> list[memoryview]:
        """Return byte views of the readable bytes in order, none empty, for sendmsg: one for a contiguous buffer.

        At most `max_count` views and `max_bytes` bytes, but at least one view when something is readable.
        Ownership: shares: each view is an export. Raises: ValueError on a limit below 1 (count) or negative (bytes)."""
        count = as_size(max_count)
        limit = -1 if max_bytes is None else as_size(max_bytes)
        self._check_live()
        if count < 1:
            raise ValueError(f"max_count must be at least 1, not {count}")
        if max_bytes is not None and limit < 0:
            raise negative("max_bytes", limit)
        return self._views(self._reader, self._writer, count, limit)

    def writable_views(self, minimum: int = 0) -> list[memoryview]:
        """Return byte views of the writable bytes in order, at least `minimum` of them, for recvmsg_into.

        Commit what was placed with `writer_index += n`. Ownership: shares: release the views before the next growth,
        or it copies. Raises: ReadOnlyError, CapacityError, ValueError if negative."""
        n = as_size(minimum)
        self._check_writable()
        if n < 0:
            raise negative("minimum", n)
        self._ensure(n)
        return self._views(self._writer, self._capacity, self._capacity - self._writer + 1, -1)

    def _views(self, at: int, end: int, count: int, limit: int) -> list[memoryview]:
        views: list[memoryview] = []
        while at < end and len(views) < count:
            self._seek(at)
            k = min(end, self._hi) - at
            if k < 1:
                raise torn()
            if limit >= 0 and k > limit:
                if limit == 0 and views:
                    break
                k = max(limit, 1)
            views.append(self._memory.export(at + self._shift, k, self._exports_read_only()))
            at += k
            if limit >= 0:
                limit = max(limit - k, 0)
        return views

    def _expose(self) -> int:
        return self._reader + self._shift

    def _exports_read_only(self) -> bool:
        return self._read_only or self._memory.read_only

    # Python's protocols.

    def __len__(self) -> int:
        self._check_live()
        return self._writer - self._reader

    def __bool__(self) -> bool:
        self._check_live()
        return self._writer > self._reader

    def __getitem__(self, key: "int | builtin_slice") -> Any:
        if isinstance(key, builtin_slice):
            start, n = self._key_range(key)
            return self._part(start, n)
        index = self._key_index(as_size(key))
        return self.get_unsigned_byte(index)

    def __setitem__(self, key: "int | builtin_slice", value: Any) -> None:
        if not isinstance(key, builtin_slice):
            relative = as_size(key)
            number = as_value(value)
            self._check_writable()
            if number < -128 or number > 255:
                raise OverflowError("the value is outside -128..255")
            self.set_byte(self._key_index(relative), number)
            return
        data = bytes(value) if isinstance(value, ByteBuf) else as_source(value)
        start, n = self._key_range(key)
        self._check_writable()
        if source_size(data) != n:
            raise ValueError(f"{source_size(data)} bytes cannot replace {n}: a buffer is never resized by assignment")
        self._from_source(start, data, None, None, False)

    def __delitem__(self, key: object) -> NoReturn:
        raise TypeError("bytes cannot be deleted from a buffer; read or discard them")

    def _key_index(self, relative: int) -> int:
        """Return the absolute index of a key: relative to the reader index, negative from the writer index."""
        self._check_live()
        n = self._writer - self._reader
        if relative < -n or relative >= n:
            raise BoundsError(f"index {relative} is outside {-n}..{n - 1}", requested=relative, available=n - 1)
        return (self._writer if relative < 0 else self._reader) + relative

    def _key_range(self, key: "builtin_slice") -> tuple[int, int]:
        # The three numbers are converted before the state is looked at: their __index__ may release this buffer.
        first = None if key.start is None else operator.index(key.start)
        last = None if key.stop is None else operator.index(key.stop)
        step = None if key.step is None else operator.index(key.step)
        self._check_live()
        if step is not None and step != 1:
            raise ValueError(f"a slice of a buffer has step 1, not {step}")
        start, stop, _ = builtin_slice(first, last).indices(self._writer - self._reader)
        return self._reader + start, max(stop - start, 0)

    def __iter__(self) -> Iterator[int]:
        self._check_live()
        return itertools.chain.from_iterable(self._views(self._reader, self._writer, self._writer + 1, -1))

    def __reversed__(self) -> Iterator[int]:
        self._check_live()
        views = self._views(self._reader, self._writer, self._writer + 1, -1)
        return itertools.chain.from_iterable(map(reversed, reversed(views)))

    def __contains__(self, needle: "int | Buffer") -> bool:
        return self.find(needle) >= 0

    def __bytes__(self) -> bytes:
        self._check_live()
        return self._copy_out(self._reader, self._writer - self._reader, TOBYTES)

    def _compare(self, other: object) -> int:
        """Return -1, 0, 1 as the readable bytes are below, equal to, above those of `other`; 2 if it has none."""
        self._check_live()
        if isinstance(other, ByteBuf):
            buf: ByteBuf = other
            buf._check_live()
            return self._compare_buffer(buf)
        try:
            view = memoryview(other)  # type: ignore[arg-type]  # whatever has no buffer raises, and that is the answer
        except TypeError:
            return 2
        self._check_live()  # again: the export may have run anything
        mine = self._copy_out(self._reader, self._writer - self._reader, GATHER)
        theirs = view.tobytes()
        return 0 if mine == theirs else -1 if mine < theirs else 1

    def _compare_buffer(self, other: "ByteBuf") -> int:
        mine = self._writer - self._reader
        theirs = other._writer - other._reader
        n = 0 if other is self else min(mine, theirs)
        at = self._reader
        there = other._reader
        while n:
            self._seek(at)
            other._seek(there)
            k = min(n, min(self._hi - at, other._hi - there))
            if k < 1:
                raise torn()
            order = compare(self._base, at + self._shift, other._base, there + other._shift, k)
            if order:
                return order
            at += k
            there += k
            n -= k
        return 0 if mine == theirs else -1 if mine < theirs else 1

    def __eq__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order == 0

    def __ne__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order != 0

    def __lt__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order < 0

    def __le__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order <= 0

    def __gt__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order > 0

    def __ge__(self, other: object) -> bool:
        order = self._compare(other)
        return NotImplemented if order == 2 else order >= 0

    def __hash__(self) -> int:
        self._check_live()
        if not self._is_immutable():
            raise TypeError("a buffer is hashable only when all its memory is immutable")
        return hash(self._copy_out(self._reader, self._writer - self._reader, GATHER))

    def _is_immutable(self) -> bool:
        return self._max == 0 or self._memory.is_immutable()

    def __enter__(self) -> Self:
        self._check_live()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._refcnt:
            self.release()

    def __copy__(self) -> "ByteBuf":
        return self.duplicate()

    def __deepcopy__(self, memo: object) -> "ByteBuf":
        return self.copy()

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Return what a pickle needs: with protocol 5 the pieces themselves, before it a copy (TOBYTES)."""
        version = operator.index(protocol)
        self._check_live()
        if version >= OUT_OF_BAND:
            return reduce_views(self._views(self._reader, self._writer, self._writer + 1, -1))
        return reduce_bytes(self._copy_out(self._reader, self._writer - self._reader, TOBYTES), self._read_only)

    def __repr__(self) -> str:
        return repr_of(self, self._refcnt, MAX_CAPACITY)


class SlicedByteBuf(ByteBuf):
    """A window of fixed size on somebody's memory, with indices and a share of its own; it cannot grow."""

    __slots__ = ()

    def _model(self) -> ByteBuf:
        return SLICE

    def _is_fixed(self) -> bool:
        return True


# What sprout() makes handles after; they hold nothing.
PLAIN = ByteBuf()
SLICE = SlicedByteBuf()


def adopt(memory: Memory, length: int, allocator: "Allocator") -> ByteBuf:
    """Return a handle over a block fresh from `allocator`, whose first `length` bytes are readable.

    Ownership: transfers: nobody else may hold the block. This is how a transport hands on what it received."""
    maximum = MAX_CAPACITY if memory.size <= MAX_CAPACITY else memory.size
    buf: ByteBuf = hatch(PLAIN, memory, memory.size, maximum, allocator, False)
    buf._writer = length
    return buf


def fresh(memory: Memory, capacity: int, max_capacity: int, allocator: "Allocator") -> ByteBuf:
    """Return an empty handle over the first `capacity` bytes of a block fresh from `allocator`. For allocators."""
    buf: ByteBuf = hatch(PLAIN, memory, capacity, max_capacity, allocator, False)
    return buf
