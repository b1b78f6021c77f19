"""Searches that go on: all matches, pieces between delimiters, sets of bytes, a call for each byte.

Owns    index_of, find_all, count, split_indices, startswith, endswith, for_each_byte, find_any, find_not, and the
        names of common bytes.
Never   a view or a handle per match: a view costs more than the token it shows. They return indices.
Always  time is linear in the range; matches are found wherever spans are cut. What a callback does to the buffer is
        noticed before the next byte is read.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import torn
    from zbuf.buffer._search import NO_BYTE, _needle, fault_of
    from zbuf.memory._match import byte_of, find_in, is_same
    from zbuf.memory._memory import as_size, get_offset, load_u8
from zbuf._types import Buffer
from zbuf.buffer._search import Search

if TYPE_CHECKING:
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["CR", "CRLF", "LF", "LINEAR_WHITESPACE", "NUL", "SPACE", "Scan"]

CR = b"\r"
LF = b"\n"
CRLF = b"\r\n"
NUL = b"\x00"
SPACE = b" "
LINEAR_WHITESPACE = b" \t"

MAX_PIECES = 10_000  # a bound on what a hostile peer can make split_indices allocate; arbitrary


class Scan(Search):
    """Searches of a buffer for more than one place or more than one needle."""

    __slots__ = ()

    def index_of(self, from_index: int, to_index: int, value: int) -> int:
        """Return the absolute index of a byte, searching from `from_index` towards `to_index`, or -1; nothing moves.

        `from_index` <= `to_index`: forward over [from_index, to_index); else backward from `from_index` - 1 down to
        `to_index`. Raises: ValueError for a value outside 0..255, BoundsError for an index outside 0..capacity.
        Source: Netty indexOf, which takes a `from_index` outside for the nearest one inside."""
        first = as_size(from_index)
        last = as_size(to_index)
        byte = as_size(value)
        fault = None if 0 <= byte <= 255 else fault_of(NO_BYTE)
        if first <= last:
            self._bounds(first, last, fault)
            return self._find(bytes((byte,)), first, last)
        self._bounds(last, first, fault)
        return self._rfind(bytes((byte,)), last, first)

    def find_all(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> list[int]:
        """Return the absolute indices of all `needle` inside [start, end), left to right, none overlapping another.

        Arguments: as find. Cost: linear, and one int per match. Raises: BoundsError; ValueError for an empty needle
        or an int outside 0..255. Source: ours; what bytes.count counts."""
        wanted = _needle(needle)
        at, last = self._bounds(start, end, _fault_of_needle(wanted, "needle"))
        m = len(wanted)
        found = []
        at = self._find(wanted, at, last)
        while at >= 0:
            found.append(at)
            at = self._find(wanted, at + m, last)
        return found

    def count(self, needle: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return how many `needle` there are inside [start, end), none overlapping another; as len(find_all(...)).

        Arguments and errors: as find_all. Source: bytes.count."""
        wanted = _needle(needle)
        at, last = self._bounds(start, end, _fault_of_needle(wanted, "needle"))
        m = len(wanted)
        n = 0
        at = self._find(wanted, at, last)
        while at >= 0:
            n += 1
            at = self._find(wanted, at + m, last)
        return n

    def split_indices(
        self,
        delimiter: "int | ByteBuf | Buffer",
        start: int | None = None,
        end: int | None = None,
        max_pieces: int = MAX_PIECES,
    ) -> list[tuple[int, int]]:
        """Return the absolute (start, end) of each piece of [start, end) between delimiters; nothing moves.

        k delimiters give k + 1 pieces, also empty ones, as bytes.split. At `max_pieces` the last one keeps the rest,
        delimiters included: go on from its start. `start`, `end`: by default the readable bytes. Cost: linear, and one
        tuple per piece. Raises: BoundsError; ValueError for an empty delimiter, an int outside 0..255, or
        `max_pieces` below 1. Source: ours; indices, because a view costs more than a small token."""
        wanted = _needle(delimiter)
        left = as_size(max_pieces)
        fault = _fault_of_needle(wanted, "delimiter")
        if fault is None and left < 1:
            fault = "max_pieces must be at least 1"
        at, last = self._bounds(start, end, fault)
        m = len(wanted)
        pieces = []
        while left > 1:
            found = self._find(wanted, at, last)
            if found < 0:
                break
            pieces.append((at, found))
            at = found + m
            left -= 1
        pieces.append((at, last))
        return pieces

    def startswith(self, prefix: "int | ByteBuf | Buffer") -> bool:
        """Return whether the readable bytes begin with `prefix`, which is what find takes; an empty one fits always.

        Raises: ValueError for an int outside 0..255. Source: bytes.startswith."""
        wanted = _needle(prefix)
        self._bounds(None, None, fault_of(wanted))
        return self._writer - self._reader >= len(wanted) and self._is_at(self._reader, wanted)

    def endswith(self, suffix: "int | ByteBuf | Buffer") -> bool:
        """Return whether the readable bytes end with `suffix`, which is what find takes; an empty one fits always.

        Raises: ValueError for an int outside 0..255. Source: bytes.endswith."""
        wanted = _needle(suffix)
        self._bounds(None, None, fault_of(wanted))
        return self._writer - self._reader >= len(wanted) and self._is_at(self._writer - len(wanted), wanted)

    def _is_at(self, at: int, wanted: bytes) -> bool:
        done = 0
        while done < len(wanted):
            self._seek(at)
            k = min(len(wanted) - done, self._hi - at)
            if k < 1:
                raise torn()
            if not is_same(self._base, at + self._shift, k, wanted, done):
                return False
            at += k
            done += k
        return True

    # A call for each byte.

    def for_each_byte(self, fn: Callable[[int], bool], index: int | None = None, length: int | None = None) -> int:
        """Call `fn` with each byte of the range in order, until it returns something false; nothing moves.

        Return the absolute index of the byte at which it stopped, or -1 if it went through. `index`, `length`: by
        default the readable bytes. Cost: a call per byte, for ports; find, find_any and find_not are far faster.
        Raises: what `fn` raises; TypeError if it cannot be called; BoundsError; and, when `fn` changes the buffer
        under the walk, ReferenceCountError if it released it, BoundsError if the next byte is no longer there.
        Source: Netty forEachByte."""
        if not callable(fn):
            raise _not_callable(fn)
        at, n = self._range(index, length)
        end = at + n
        while at < end:
            offset = get_offset(self, at, 1)
            if offset < 0:
                offset = self._at_cold(at, 1)
            if not fn(load_u8(self._base, offset)):
                return at
            at += 1
        return -1

    def for_each_byte_desc(self, fn: Callable[[int], bool], index: int | None = None, length: int | None = None) -> int:
        """Call `fn` with each byte of the range from the last to the first, until it returns something false.

        Arguments, result, cost and errors: as for_each_byte. Source: Netty forEachByteDesc."""
        if not callable(fn):
            raise _not_callable(fn)
        start, n = self._range(index, length)
        at = start + n
        while at > start:
            at -= 1
            offset = get_offset(self, at, 1)
            if offset < 0:
                offset = self._at_cold(at, 1)
            if not fn(load_u8(self._base, offset)):
                return at
        return -1

    # Sets of bytes.

    def find_any(self, values: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the first byte inside [start, end) that is one of `values`, or -1.

        `values`: a bytes-like whose bytes are the set, or one byte; the empty set is never met. Nothing moves.
        Cost: linear. Raises: BoundsError, ValueError for an int outside 0..255.
        Source: ours, for Netty's ByteProcessor constants: find_any(CRLF), find_any(LINEAR_WHITESPACE)."""
        wanted = _needle(values)
        at, last = self._bounds(start, end, fault_of(wanted))
        if len(wanted) == 1:
            return self._find(wanted, at, last)
        return self._find_in(table_of(wanted, True), at, last)

    def find_not(self, values: "int | ByteBuf | Buffer", start: int | None = None, end: int | None = None) -> int:
        """Return the absolute index of the first byte inside [start, end) that is none of `values`, or -1.

        Arguments, cost and errors: as find_any; with the empty set every byte is met."""
        wanted = _needle(values)
        at, last = self._bounds(start, end, fault_of(wanted))
        return self._find_in(table_of(wanted, False), at, last)

    def _find_in(self, table: bytes, at: int, end: int) -> int:
        while at < end:
            self._seek(at)
            k = min(end, self._hi) - at
            if k < 1:
                raise torn()
            found = find_in(self._base, at + self._shift, k, table)
            if found >= 0:
                return at + found
            at += k
        return -1


def table_of(values: bytes, inside: bool) -> bytes:
    """Return 256 marks, 1 for each byte that is one of `values` (`inside`), or for each that is none of them."""
    table = bytearray(256) if inside else bytearray(b"\x01" * 256)
    for k in range(len(values)):
        table[byte_of(values, k)] = inside
    return bytes(table)


def _fault_of_needle(needle: bytes, name: str) -> str | None:
    """Return what is wrong with the value of something to be found again and again."""
    return fault_of(needle) if needle else f"the {name} is empty"


def _not_callable(fn: object) -> TypeError:
    return TypeError(f"fn must be callable, not {type(fn).__name__}")
