"""Finding bytes in a buffer, also where a match lies across spans.

Owns    find, rfind, bytes_before.
Never   a view per match: it returns indices.
Always  time is linear in the range; a match is found wherever spans are cut. To resume a search after more bytes
        came, start at max(reader_index, writer_index - len(needle) + 1) as it was before they came.
"""

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import as_size, as_source, find, rfind
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._text import Text
from zbuf.errors import BoundsError

if TYPE_CHECKING:
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["Search"]

GATHER = int(CopyReason.GATHER)
BORDER = 256  # bytes looked at together around a border of spans; arbitrary, it bounds the work per border
NO_BYTE = bytes(bytearray(b"not a byte"))  # stands for an integer outside 0..255; known by its identity


class Search(Text):
    """Searches of a buffer."""

    __slots__ = ()

    def find(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the first `needle` inside [start, end), or -1; nothing moves.

        `needle`: a byte 0..255, a bytes-like, or the readable bytes of a buffer; an empty one is found at `start`.
        `start`, `end`: absolute, by default the readable bytes; 0 <= start <= end <= capacity, else BoundsError.
        Raises: ValueError for an int outside 0..255. Source: bytes.find, over spans."""
        wanted = _needle(needle)
        first, last = self._bounds(start, end, wanted)
        return self._find(wanted, first, last)

    def rfind(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the last `needle` inside [start, end), or -1; an empty one is found at `end`.

        Arguments and errors: as find."""
        wanted = _needle(needle)
        first, last = self._bounds(start, end, wanted)
        return self._rfind(wanted, first, last)

    def bytes_before(
        self, needle: "int | ByteBuf | Buffer", index: int | None = None, length: int | None = None
    ) -> int:
        """Return how many bytes come before the first `needle` of the range, or -1; nothing moves.

        Raises: BoundsError, ValueError. Source: Netty bytesBefore."""
        wanted = _needle(needle)
        if wanted is NO_BYTE:
            self._bounds(index, length, wanted)  # raises
        start, n = self._range(index, length)
        found = self._find(wanted, start, start + n)
        return found if found < 0 else found - start

    def _bounds(self, start: int | None, end: int | None, needle: bytes) -> tuple[int, int]:
        """Return the range to search, and raise what is wrong with it or with the needle, in the order of rule I12."""
        first = 0 if start is None else as_size(start)
        last = 0 if end is None else as_size(end)
        self._check_live()
        if needle is NO_BYTE:
            raise ValueError("a byte to look for is 0..255")
        if start is None:
            first = self._reader
        if end is None:
            last = self._writer
        if last < 0 or last > self._capacity:
            raise BoundsError(f"end {last} is outside 0..{self._capacity}", requested=last, available=self._capacity)
        if first < 0 or first > last:
            raise BoundsError(f"start {first} is outside 0..{last}", requested=first, available=last)
        return first, last

    def _find(self, needle: bytes, at: int, end: int) -> int:
        m = len(needle)
        if m == 0:
            return at
        while m <= end - at:
            self._seek(at)
            k = min(end, self._hi) - at
            if m <= k:
                found = find(self._base, at + self._shift, k, needle)
                if found >= 0:
                    return at + found
                if k == end - at:
                    return -1
                at += k - m + 1
                if m == 1:
                    continue
            k = min(end - at, max(BORDER, 2 * m))
            around = self._copy_out(at, k, GATHER)
            found = around.find(needle)
            if found >= 0:
                return at + found
            at += k - m + 1
        return -1

    def _rfind(self, needle: bytes, start: int, end: int) -> int:
        m = len(needle)
        if m == 0:
            return end
        if not self._is_apart() and end > start:
            self._seek(start)
            found = rfind(self._base, start + self._shift, end - start, needle)
            return found if found < 0 else start + found
        while m <= end - start:
            k = min(end - start, max(4096, 4 * m))
            found = self._copy_out(end - k, k, GATHER).rfind(needle)
            if found >= 0:
                return end - k + found
            end -= k - m + 1
        return -1


def _needle(needle: "int | ByteBuf | Buffer") -> bytes:
    """Return what to look for as bytes; NO_BYTE for an int outside 0..255, which is judged after all conversions.

    Raises: TypeError, OverflowError, BufferError, ReferenceCountError."""
    if type(needle) is bytes:
        return needle
    if isinstance(needle, Search):
        buf: Search = needle
        buf._check_live()
        return buf._copy_out(buf._reader, buf._writer - buf._reader, GATHER)
    if hasattr(type(needle), "__index__"):
        try:
            value = as_size(needle)  # type: ignore[arg-type]  # it has __index__
        except TypeError:
            pass  # a NumPy array has __index__ too, but is an integer only without dimensions
        else:
            return bytes((value,)) if 0 <= value <= 255 else NO_BYTE
    return bytes(as_source(needle))  # type: ignore[arg-type]  # what has no __index__ must be a Buffer, or it raises
