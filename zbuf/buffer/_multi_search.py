"""MultiSearch: several needles looked for at once, in one walk over the bytes.

Owns    the automaton of Aho and Corasick (1975) for a set of needles, and the walk of it over a buffer.
Never   a state between two calls: a MultiSearch does not change once it is made.
Always  each byte of the range is looked at once, whatever the needles are and however the buffer is cut.

The automaton is one table: a row per state, a column per class of bytes. A state is a beginning of a needle that no
needle ends within: where one ends, the search is over, so nothing behind it is kept. All bytes that are in no needle
are one class. An entry is where the row of the next state begins, or ~k when needle k ends there.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import torn
    from zbuf.buffer._scan import table_of
    from zbuf.memory._match import find, find_in
    from zbuf.memory._memory import as_source, load_i32_le, load_u8, wrap_memory
from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._search import Search
from zbuf.memory._memory import Memory

if TYPE_CHECKING:
    _Trie = dict[int, "_Trie"]

__all__ = ["MultiSearch"]

MAX_TABLE = 1 << 26  # bytes of table that a set of needles may need: 64 MiB; arbitrary


class MultiSearch:
    """Several needles, made ready to be looked for at once. It does not change, and threads may share it.

    Shape: `needles` is a list of bytes-likes or buffers, none empty; of equal ones the first counts.
    Ownership: copies the needles. Cost: making it is linear in them; the table has 4 bytes for each class of bytes
    (each value that occurs in a needle, and all others together) for each beginning of a needle, so at most 1 KiB per
    byte of all needles, seldom more than 100 bytes; `memory_size` tells.
    Raises: ValueError for no needle, an empty one, or a table above 64 MiB; TypeError. Source: Aho and Corasick;
    Netty AhoCorasickSearchProcessorFactory, which returns where a match ends.

    >>> import zbuf
    >>> zbuf.MultiSearch([b"--end", b"--end--"]).find(zbuf.wrap(b"data--end--"))
    (4, 0)
    """

    __slots__ = ("_classes", "_longest", "_needles", "_openings", "_opens", "_table")

    _needles: tuple[bytes, ...]
    _longest: int
    _openings: bytes
    _opens: bytes
    _classes: Memory
    _table: Memory

    def __init__(self, needles: "Sequence[ByteBuf | Buffer]") -> None:
        known = _listed(needles)
        classes, width = _classes_of(known)
        trie, numbers = _trie_of(known, width)
        table = _table_of(trie, numbers, classes, width)
        if sys.byteorder == "big":
            table.byteswap()
        self._openings = bytes(trie)
        self._opens = table_of(self._openings, True)
        self._classes = wrap_memory(classes)
        self._table = wrap_memory(table.tobytes())
        self._longest = max(len(needle) for needle in known)
        self._needles = known

    @property
    def needles(self) -> tuple[bytes, ...]:
        """What is looked for, in the order given."""
        return self._needles

    @property
    def longest(self) -> int:
        """The size of the longest needle in bytes: what resuming a search has to go back by, less one."""
        return self._longest

    @property
    def memory_size(self) -> int:
        """The bytes of the table."""
        return self._table.size

    def find(self, buf: ByteBuf, start: int | None = None, end: int | None = None) -> tuple[int, int] | None:
        """Return (absolute index, needle number) of the match inside [start, end) that ends first, or None.

        Of several that end there it is the longest. Nothing moves. `start`, `end`: as ByteBuf.find. To resume after
        more bytes came, start at max(reader_index, writer_index - longest + 1) of before. Ownership: borrows.
        Cost: linear in the range, whatever the needles; no byte copied. Raises: BoundsError, ReferenceCountError."""
        if not isinstance(buf, ByteBuf):
            raise TypeError(f"buf must be a ByteBuf, not {type(buf).__name__}")
        at, last = buf._bounds(start, end, None)
        return self._find(buf, at, last)

    def _find(self, buf: ByteBuf, at: int, end: int) -> tuple[int, int] | None:
        state = 0  # where its row begins
        one = len(self._openings) == 1
        while at < end:
            buf._seek(at)
            stop = min(end, buf._hi)
            if stop <= at:
                raise torn()
            while at < stop:
                if state == 0:  # nothing is open: go to the next byte that opens something
                    if one:
                        k = find(buf._base, at + buf._shift, stop - at, self._openings)
                    else:
                        k = find_in(buf._base, at + buf._shift, stop - at, self._opens)
                    if k < 0:
                        at = stop
                        break
                    at += k
                k = state + load_u8(self._classes.base, load_u8(buf._base, at + buf._shift))
                state = load_i32_le(self._table.base, 4 * k)
                at += 1
                if state < 0:
                    return at - len(self._needles[~state]), ~state
        return None

    def __reduce__(self) -> "tuple[type[MultiSearch], tuple[tuple[bytes, ...]]]":
        return MultiSearch, (self._needles,)

    def __repr__(self) -> str:
        return f"MultiSearch({len(self._needles)} needles, table of {self._table.size:,} bytes)"


def _listed(needles: "Sequence[ByteBuf | Buffer]") -> tuple[bytes, ...]:
    if isinstance(needles, bytes | bytearray | memoryview | str | ByteBuf):
        raise TypeError(f"needles must be a sequence of them, not {type(needles).__name__}")
    known = []
    for needle in needles:
        if isinstance(needle, Search):
            known.append(bytes(needle.get_bytes(needle.reader_index, needle.readable_bytes)))
        else:
            known.append(bytes(as_source(needle)))
    if not known:
        raise ValueError("there is no needle")
    if not all(known):
        raise ValueError("a needle is empty")
    return tuple(known)


def _classes_of(needles: tuple[bytes, ...]) -> tuple[bytes, int]:
    """Return the class of each of the 256 bytes, and how many classes there are; 0 is "in no needle", if any is."""
    used = sorted(set(b"".join(needles)))
    classes = bytearray(256)
    first = 0 if len(used) == 256 else 1
    for number, value in enumerate(used, first):
        classes[value] = number
    return bytes(classes), len(used) + first


def _trie_of(needles: tuple[bytes, ...], width: int) -> "tuple[_Trie, dict[int, int]]":
    """Return the beginnings of all needles as nested dicts, and which needle ends at a dict, by its identity.

    A needle that begins with another one is not in it: the other always ends first.
    Raises: ValueError when so many beginnings need more than MAX_TABLE."""
    trie: _Trie = {}
    numbers: dict[int, int] = {}
    left = MAX_TABLE // (4 * width)
    for number in sorted(range(len(needles)), key=lambda k: len(needles[k])):
        node = trie
        for value in needles[number]:
            if id(node) in numbers:
                break
            if value not in node:
                left -= 1
                if left <= 0:
                    raise ValueError(f"the needles need a table of more than {MAX_TABLE} bytes")
                node[value] = {}
            node = node[value]
        else:
            numbers.setdefault(id(node), number)
    return trie, numbers


def _table_of(trie: "_Trie", numbers: dict[int, int], classes: bytes, width: int) -> "array[int]":
    """Return the rows of all states, level by level."""
    table = array("i", bytes(4 * width))
    rows = [(trie, 0, 0)]  # what a state may become, its row, the row of the longest shorter state it ends with
    for node, row, shorter in rows:  # grows on the way
        table[row : row + width] = table[shorter : shorter + width]  # complete, being of a level above
        for value, child in node.items():
            column = row + classes[value]
            behind = table[column] if row else 0
            if id(child) in numbers:
                entry = ~numbers[id(child)]
            elif behind < 0:
                entry = behind
            else:
                entry = len(table)
                table.extend(array("i", bytes(4 * width)))
                rows.append((child, entry, behind))
            table[column] = entry
    return table
