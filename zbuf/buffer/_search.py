"""Finding bytes in a buffer, also where a match lies across spans.

Owns    find, rfind, bytes_before, and the search over the borders of spans that all other searches stand on.
Never   a view per match: it returns indices. Never a copy of what is searched.
Always  time is linear in the range, whatever it holds and however it is cut; a match is found wherever spans are cut.
        To resume a search after more bytes came, start at max(reader_index, writer_index - len(needle) + 1) as it was
        before they came.

Within a span the search of `memory/_match` does the work. A match may also begin in the last bytes of a span: from
there the search goes on byte by byte over the border (Knuth, Morris and Pratt, 1977), which needs no byte twice and
no two spans side by side, until whatever is still open began in the present span.
"""

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import torn
    from zbuf.memory._match import byte_of, find, rfind
    from zbuf.memory._memory import as_size, as_source, load_u8
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._text import Text
from zbuf.errors import BoundsError

if TYPE_CHECKING:
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["Search"]

GATHER = int(CopyReason.GATHER)
NO_BYTE = bytes(bytearray(b"not a byte"))  # stands for an integer outside 0..255; known by its identity


class Search(Text):
    """Searches of a buffer."""

    __slots__ = ()

    def find(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the first `needle` inside [start, end), or -1; nothing moves.

        `needle`: a byte 0..255, a bytes-like, or the readable bytes of a buffer; an empty one is found at `start`.
        `start`, `end`: absolute, by default the readable bytes; 0 <= start <= end <= capacity, else BoundsError.
        To resume after more bytes came, start at max(reader_index, writer_index - len(needle) + 1) of before.
        Cost: linear in the range, no byte copied. Raises: ValueError for an int outside 0..255.
        Source: bytes.find, over spans."""
        wanted = _needle(needle)
        if start is None and end is None and self._refcnt and wanted is not NO_BYTE:
            return self._find(wanted, self._reader, self._writer)
        first, last = self._bounds(start, end, fault_of(wanted))
        return self._find(wanted, first, last)

    def rfind(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the last `needle` inside [start, end), or -1; an empty one is found at `end`.

        Arguments, cost and errors: as find."""
        wanted = _needle(needle)
        if start is None and end is None and self._refcnt and wanted is not NO_BYTE:
            return self._rfind(wanted, self._reader, self._writer)
        first, last = self._bounds(start, end, fault_of(wanted))
        return self._rfind(wanted, first, last)

    def bytes_before(
        self, needle: "int | ByteBuf | Buffer", index: int | None = None, length: int | None = None
    ) -> int:
        """Return how many bytes come before the first `needle` of the range, or -1; nothing moves.

        Raises: BoundsError, ValueError. Source: Netty bytesBefore."""
        wanted = _needle(needle)
        if wanted is NO_BYTE:
            self._bounds(index, length, fault_of(wanted))  # raises
        start, n = self._range(index, length)
        found = self._find(wanted, start, start + n)
        return found if found < 0 else found - start

    def _bounds(self, start: int | None, end: int | None, fault: str | None) -> tuple[int, int]:
        """Return the range to search, and raise what is wrong in the order of rule I12.

        `fault` is what is wrong with another argument's value, if anything is."""
        first = 0 if start is None else as_size(start)
        last = 0 if end is None else as_size(end)
        self._check_live()
        if fault is not None:
            raise ValueError(fault)
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
        links = None
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
            if links is None:
                links = _links(needle)
            at = self._find_across(needle, links, at, end)
            if at < 0:
                return ~at
        return -1

    def _find_across(self, needle: bytes, links: list[int], at: int, end: int) -> int:
        """Search byte by byte from `at`, less than a needle before the end of its span.

        Return ~index of a match, or the index from where to go on within one span, which is `end` when none has the
        room."""
        m = len(needle)
        matched = 0  # so many bytes before `at` are those that the needle begins with
        while at < end:
            self._seek(at)
            stop = min(end, self._hi)
            if stop <= at:
                raise torn()
            came = at
            roomy = stop - at >= 2 * m
            while at < stop:
                byte = load_u8(self._base, at + self._shift)
                while matched and byte_of(needle, matched) != byte:
                    matched = links[matched - 1]
                if byte_of(needle, matched) == byte:
                    matched += 1
                at += 1
                if matched == m:
                    return ~(at - m)
                if roomy and at - matched >= came:
                    return at - matched
        return end

    def _rfind(self, needle: bytes, start: int, end: int) -> int:
        m = len(needle)
        if m == 0:
            return end
        links = None
        turned = needle
        while m <= end - start:
            self._seek(end - 1)
            k = end - max(start, self._lo)
            if m <= k:
                found = rfind(self._base, end - k + self._shift, k, needle)
                if found >= 0:
                    return end - k + found
                if k == end - start:
                    return -1
                end -= k - m + 1
                if m == 1:
                    continue
            if links is None:
                turned = needle[::-1]
                links = _links(turned)
            end = self._rfind_across(turned, links, start, end)
            if end < 0:
                return ~end
        return -1

    def _rfind_across(self, turned: bytes, links: list[int], start: int, at: int) -> int:
        """Search byte by byte down from `at`, less than a needle behind the beginning of its span.

        Return ~index of a match, or the end of the range that is left, which is `start` when no span has the room."""
        m = len(turned)
        matched = 0  # so many bytes from `at` on are those that the needle ends with
        while at > start:
            self._seek(at - 1)
            stop = max(start, self._lo)
            if stop >= at:
                raise torn()
            came = at
            roomy = at - stop >= 2 * m
            while at > stop:
                at -= 1
                byte = load_u8(self._base, at + self._shift)
                while matched and byte_of(turned, matched) != byte:
                    matched = links[matched - 1]
                if byte_of(turned, matched) == byte:
                    matched += 1
                if matched == m:
                    return ~at
                if roomy and at + matched <= came:
                    return at + matched
        return start


def fault_of(needle: bytes) -> str | None:
    """Return what is wrong with the value of a needle, if anything is."""
    return "a byte to look for is 0..255" if needle is NO_BYTE else None


def _links(needle: bytes) -> list[int]:
    """Return, for each place of `needle`, how much of its beginning the bytes up to there end with, all apart."""
    links = [0]
    matched = 0
    for k in range(1, len(needle)):
        byte = byte_of(needle, k)
        while matched and byte_of(needle, matched) != byte:
            matched = links[matched - 1]
        if byte_of(needle, matched) == byte:
            matched += 1
        links.append(matched)
    return links


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
