"""ByteBufReader: a file object that reads from a buffer.

Owns    the stream's position and its end; what a file object says when it is closed.
Never   a copy of its own beside what it hands out; a byte past its length.
Always  stream and buffer share one reader index: what is read moves it. The position counts what went through the
        stream, so bytes that were discarded before the reader index do not disturb it.
"""

import io
import operator
import os
from typing import TYPE_CHECKING, Any

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf
from zbuf.errors import BoundsError

__all__ = ["ByteBufReader"]

LINE_END = 10  # "\n"


class ByteBufReader(io.BufferedIOBase):
    """A readable, seekable binary file over the next `length` readable bytes of `buf`, by default all that are there.

    Reading moves the reader index of `buf` and never passes `length`, also when more is written behind; then `b""`.
    Seeking moves it back, as long as the bytes before it were not discarded. Between two reads `buf` may be read
    directly: the stream goes on behind. Ownership: borrows until closed; with `release_on_close` it gives up one count
    of `buf` when it is closed. Cost: what is read is copied once (TRANSFER).
    Raises: BoundsError if fewer bytes are readable, ValueError if `length` is negative or the stream closed,
    ReferenceCountError if the buffer was released. Source: Netty ByteBufInputStream."""

    if TYPE_CHECKING:
        name: Any  # TextIOWrapper's type asks for it; like BytesIO, a stream over a buffer has none when it runs

    _buf: ByteBuf | None = None
    _release = False

    def __init__(self, buf: ByteBuf, length: int | None = None, *, release_on_close: bool = False) -> None:
        super().__init__()
        if not isinstance(buf, ByteBuf):
            raise TypeError(f"a ByteBuf is needed, not {type(buf).__name__}")
        n = buf.readable_bytes if length is None else operator.index(length)
        if not buf.can_read(n):
            there = buf.readable_bytes
            raise BoundsError(f"{n} bytes asked for, {there} readable", requested=n, available=there)
        self._buf = buf
        self._length = n
        self._at = 0  # where the reader index stands, counted from the start of the stream
        self._beyond = 0  # how far a seek went past the end
        self._release = bool(release_on_close)

    def _open(self) -> ByteBuf:
        """Return the buffer. Raises: ValueError if the stream is closed, ReferenceCountError."""
        if self._buf is None:
            raise ValueError("I/O operation on closed file.")
        return self._buf

    def _there(self, buf: ByteBuf, size: int | None) -> int:
        """Return how many bytes a read of `size` gets; negative and None mean all."""
        wanted = -1 if size is None else operator.index(size)
        n = min(self._length - self._at, buf.readable_bytes)
        return n if wanted < 0 else min(n, wanted)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, by default all; `b""` at the end. Cost: one copy."""
        buf = self._open()
        data = buf.read_bytes(self._there(buf, size))
        self._at += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Read as `read`: everything is there at once."""
        return self.read(size)

    def readinto(self, target: Buffer, /) -> int:
        """Read into `target` as much as it takes, and return how many bytes; 0 at the end. Raises: TypeError."""
        view = memoryview(target)
        if view.readonly:
            raise TypeError("readinto() needs a read-write bytes-like object")
        buf = self._open()
        n = buf.read_bytes_into(view, 0, self._there(buf, view.nbytes))
        self._at += n
        return n

    def readinto1(self, target: Buffer, /) -> int:
        """Read as `readinto`: everything is there at once."""
        return self.readinto(target)

    def peek(self, size: int = 0, /) -> bytes:
        """Return up to `size` bytes without moving; without a size up to io.DEFAULT_BUFFER_SIZE. Cost: one copy."""
        buf = self._open()
        wanted = operator.index(size)
        n = self._there(buf, wanted if wanted > 0 else io.DEFAULT_BUFFER_SIZE)
        return buf.get_bytes(buf.reader_index, n)

    def readline(self, size: int | None = -1, /) -> bytes:
        r"""Read up to and including the next `\n`, at most `size` bytes; the rest where there is none. Cost: one copy.

        Iteration and `readlines` rest on it."""
        buf = self._open()
        n = self._there(buf, size)
        found = buf.find(LINE_END, buf.reader_index, buf.reader_index + n)
        return self.read(n if found < 0 else found + 1 - buf.reader_index)

    def tell(self) -> int:
        """Return the position: 0 when the stream was made, `length` at its end."""
        self._open()
        return self._at + self._beyond

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to `offset` from the start, the position or the end, and return the position.

        As in BytesIO a position past the end is legal and reads nothing, and one before the start from elsewhere is
        the start. Raises: ValueError for a negative position or a bad `whence`; io.UnsupportedOperation where the
        bytes there are gone, because the buffer discarded them or its index was moved; the position stays."""
        buf = self._open()
        target = operator.index(offset)
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at + self._beyond, os.SEEK_END: self._length}.get(whence)
        if base is None:
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        if target < 0 and whence == os.SEEK_SET:
            raise ValueError(f"negative seek value {target}")
        target = max(base + target, 0)
        at = min(target, self._length)
        index = buf.reader_index + at - self._at
        if index < 0 or index > buf.writer_index:
            raise io.UnsupportedOperation(f"the bytes at position {at} are no longer in the buffer")
        buf.reader_index = index
        self._at = at
        self._beyond = target - at
        return target

    def readable(self) -> bool:
        """Return True. Raises: ValueError if closed."""
        self._open()
        return True

    def seekable(self) -> bool:
        """Return True. Raises: ValueError if closed."""
        self._open()
        return True

    def close(self) -> None:
        """Close the stream and let go of the buffer; with `release_on_close` give up one count of it. Again: no-op."""
        buf, self._buf = self._buf, None
        try:
            super().close()
        finally:
            if buf is not None and self._release and buf.refcnt:
                buf.release()

    def __repr__(self) -> str:
        if self._buf is None:
            return "ByteBufReader(closed)"
        return f"ByteBufReader({self._buf!r}, position: {self._at + self._beyond}, length: {self._length})"
