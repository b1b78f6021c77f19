"""ByteBufWriter: a file object that writes into a buffer.

Owns    the count of what went through; what a file object says when it is closed.
Never   growth rules, seeking: what was written is the buffer's, and only the end is written to.
Always  a write takes all of its bytes or none.
"""

import io
from typing import TYPE_CHECKING, Any

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf

__all__ = ["ByteBufWriter"]


class ByteBufWriter(io.BufferedIOBase):
    """A writable binary file that appends to `buf` at its writer index; the buffer grows as it does for any write.

    It does not seek: archives are written as to a pipe. Between two writes `buf` may be written and read directly; the
    position counts what went through the stream. Ownership: borrows until closed; with `release_on_close` it gives up
    one count of `buf` when it is closed. Cost: what is written is copied once (TRANSFER), growth apart.
    Raises: TypeError (str, None), BufferError, CapacityError, ReadOnlyError, ReferenceCountError, nothing is written;
    ValueError if the stream is closed. Source: Netty ByteBufOutputStream."""

    if TYPE_CHECKING:
        name: Any  # TextIOWrapper's type asks for it; like BytesIO, a stream over a buffer has none when it runs

    _buf: ByteBuf | None = None
    _release = False

    def __init__(self, buf: ByteBuf, *, release_on_close: bool = False) -> None:
        super().__init__()
        if not isinstance(buf, ByteBuf):
            raise TypeError(f"a ByteBuf is needed, not {type(buf).__name__}")
        buf.ensure_writable(0)  # a dead or read-only buffer is told at once
        self._buf = buf
        self._written = 0
        self._release = bool(release_on_close)

    def _open(self) -> ByteBuf:
        """Return the buffer. Raises: ValueError if the stream is closed."""
        if self._buf is None:
            raise ValueError("I/O operation on closed file.")
        return self._buf

    def write(self, data: "Buffer | ByteBuf", /) -> int:
        """Write all bytes of `data` and return how many. A ByteBuf is taken by its readable bytes, and stays as it is.

        Cost: one copy. Raises: as the class says; nothing is written."""
        buf = self._open()
        if isinstance(data, ByteBuf):
            n = buf.write_bytes(data, data.reader_index)
        else:
            n = buf.write_bytes(data)
        self._written += n
        return n

    def tell(self) -> int:
        """Return how many bytes went through the stream."""
        self._open()
        return self._written

    def writable(self) -> bool:
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
            return "ByteBufWriter(closed)"
        return f"ByteBufWriter({self._buf!r}, position: {self._written})"
