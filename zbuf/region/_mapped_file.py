"""Files as memory: a mapping with an end that somebody decides.

Owns    the mapping, its page alignment, and what may be asked of it: flush, advice, warm-up.
Never   a load from the mapping: a file that shrinks under it would kill the process (SIGBUS). The bytes are handed to
        the kernel, which answers EFAULT then; whoever reads them in Python takes that risk himself.
Always  the pages stay while a handle or an export of them lives; the last one to go unmaps them, at once.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from types import TracebackType
from typing import Self

from zbuf.buffer import ByteBuf, empty, wrap
from zbuf.region._file_region import FileRegion

__all__ = ["MappedFile", "map_file"]

ACCESS = {"r": mmap.ACCESS_READ, "w": mmap.ACCESS_WRITE, "c": mmap.ACCESS_COPY}
OPEN = {"r": os.O_RDONLY, "w": os.O_RDWR, "c": os.O_RDONLY}
ADVICE = {
    "normal": "MADV_NORMAL",
    "random": "MADV_RANDOM",
    "sequential": "MADV_SEQUENTIAL",
    "will need": "MADV_WILLNEED",
    "not needed": "MADV_DONTNEED",
    "huge pages": "MADV_HUGEPAGE",
}
MADV_POPULATE_READ = 22  # linux/mman.h, since 5.14: reads the pages in, and answers EFAULT where a load would be SIGBUS
PAGE = mmap.ALLOCATIONGRANULARITY


class MappedFile:
    """A part of a file as memory, shared with everybody who has the file open.

    `offset`, `length`: in bytes, any numbers; the mapping begins at the page below. Without `length` up to the end the
    file has now. `mode`: "r" to read; "w" to write into the file; "c" to write into copies of the pages that nobody
    else sees. Ownership: owns its descriptor and its mapping; `buffer()` shares the mapping.
    Raises: ValueError for a bad number or mode, or a part beyond the file's end; OSError.

    >>> with MappedFile("/etc/hostname") as mapped:
    ...     buf = mapped.buffer()
    >>> buf.release()
    True
    """

    def __init__(
        self, path: str | os.PathLike[str], offset: int = 0, length: int | None = None, *, mode: str = "r"
    ) -> None:
        self._map: mmap.mmap | None = None
        self._fd = -1
        if mode not in ACCESS:
            raise ValueError(f"mode is r, w or c, not {mode!r}")
        if offset < 0 or (length is not None and length < 0):
            raise ValueError(f"offset and length must not be negative: {offset}, {length}")
        self.path: str = os.fspath(path)
        self.mode = mode
        self._fd = os.open(path, OPEN[mode] | os.O_CLOEXEC)
        try:
            size = os.fstat(self._fd).st_size
            if offset > size or (length is not None and length > size - offset):
                raise ValueError(f"{length} bytes from {offset} of a file of {size}")
            self.offset = offset
            self.length: int = size - offset if length is None else length
            self._before = offset % PAGE  # bytes of the mapping in front of the part
            if self.length:
                self._map = mmap.mmap(
                    self._fd, self._before + self.length, access=ACCESS[mode], offset=offset - self._before
                )
        except BaseException:
            os.close(self._fd)
            self._fd = -1
            raise

    def buffer(self) -> ByteBuf:
        """Return the part as a wrapped buffer, read-only in mode "r". Ownership: shares the mapping. ValueError after
        close()."""
        self._check()
        if self._map is None:
            return empty()
        with memoryview(self._map) as whole:
            return wrap(whole[self._before :], read_only=self.mode == "r")

    def region(self) -> FileRegion:
        """Return the part as a region, to be sent without touching the mapping. Ownership: a descriptor of its own."""
        self._check()
        return FileRegion(os.dup(self._fd), self.offset, self.length, close=True)

    def flush(self) -> None:
        """Write changed pages to the disk, and wait for that. Raises: OSError; ValueError after close()."""
        self._check()
        if self._map is not None:
            self._map.flush()

    def advise(self, how: str) -> None:
        """Tell the kernel how the pages will be used: "normal", "random", "sequential", "will need", "not needed" or
        "huge pages". A kernel that does not know it is not an error. Raises: ValueError for another word."""
        self._check()
        if how not in ADVICE:
            raise ValueError(f"advice is one of {', '.join(ADVICE)}, not {how!r}")
        number = getattr(mmap, ADVICE[how], None)
        if number is not None and self._map is not None and not (how == "not needed" and self.mode == "c"):
            with suppress(OSError):  # advice is not an order; and in mode "c" it would throw changes away
                self._map.madvise(number)

    def warm_up(self) -> bool:
        """Read the pages in now, and return whether they all are: False where the file shrank, or cannot be read.

        It blocks for as long as the disk takes: call it in a thread."""
        self._check()
        if self._map is None:
            return True
        try:
            self._map.madvise(MADV_POPULATE_READ)
        except OSError:
            with suppress(OSError, AttributeError):  # an older kernel begins to read, at least
                os.posix_fadvise(self._fd, self.offset, self.length, os.POSIX_FADV_WILLNEED)
            return False
        return True

    def close(self) -> None:
        """Give the mapping up. Handles and exports of it stay valid; with the last one the pages are unmapped.

        Again: no-op."""
        fd, self._fd = self._fd, -1
        self._map = None
        if fd >= 0:
            os.close(fd)

    @property
    def is_closed(self) -> bool:
        """Whether close() was called."""
        return self._fd < 0

    def _check(self) -> None:
        if self._fd < 0:
            raise ValueError("the mapped file is closed")

    def __len__(self) -> int:
        return self.length

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", closed" if self.is_closed else ""
        return f"MappedFile({self.path!r}, offset: {self.offset}, length: {self.length}, mode: {self.mode!r}{state})"


def map_file(
    path: str | os.PathLike[str], offset: int = 0, length: int | None = None, *, writable: bool = False
) -> ByteBuf:
    """Return a part of a file as a buffer, without reading it; changes of a writable one go into the file.

    The mapping ends with the last handle or export. Use `MappedFile` to flush, advise, or write to private copies.
    Never let a file shrink while it is mapped: a process that reads what is gone is killed (SIGBUS); zbuf's own
    sending is not, it fails with FileTruncatedError.
    Raises: ValueError for a part beyond the file's end; OSError. Source: Netty has none; Java's MappedByteBuffer."""
    with MappedFile(path, offset, length, mode="w" if writable else "r") as mapped:
        return mapped.buffer()
