"""Finding bytes in one piece of memory: the interpreted twin of `_match.pyx`.

Owns    find, rfind and find_in over raw bytes, and the comparison of a needle with them.
Never   an index of a buffer, a border between pieces: whoever calls has checked the range, and joins the pieces.
Always  linear in the range, whatever it holds and whatever is looked for, in both directions, with a bounded copy at
        a time. Both twins offer the same names with the same behaviour.

A memoryview has no find of its own. `bytes.find` has, and is linear from Python 3.10 on; `bytes.rfind` is not, so what
is looked for from the end is turned round and looked for from the front.
"""

import re
from functools import lru_cache

__all__: list[str] = []

PIECE = 65536  # bytes copied at a time to be searched; arbitrary, it bounds the memory a search takes
FIRST_PIECE = 1024  # so many for the first, because most searches end early; arbitrary


def find(base: memoryview, at: int, n: int, needle: bytes) -> int:
    """Return the offset from `at` of the first `needle`, of at least one byte, in the `n` bytes there, or -1."""
    m = len(needle)
    done = 0
    size = FIRST_PIECE
    while m <= n - done:
        size = max(size, 4 * m)  # what two pieces have in common is then a small part of both
        found = bytes(base[at + done : at + min(n, done + size)]).find(needle)
        if found >= 0:
            return done + found
        done += size - m + 1
        size = PIECE
    return -1


def rfind(base: memoryview, at: int, n: int, needle: bytes) -> int:
    """Return the offset from `at` of the last `needle`, of at least one byte, in the `n` bytes there, or -1."""
    m = len(needle)
    turned = needle[::-1]
    size = FIRST_PIECE
    while m <= n:
        size = max(size, 4 * m)
        found = bytes(base[at + max(0, n - size) : at + n])[::-1].find(turned)
        if found >= 0:
            return n - found - m
        n -= size - m + 1
        size = PIECE
    return -1


def find_in(base: memoryview, at: int, n: int, table: bytes) -> int:
    """Return the offset from `at` of the first of the `n` bytes there whose entry of the 256 is not 0, or -1."""
    found = _pattern(table).search(base[at : at + n])
    return found.start() if found else -1


@lru_cache(maxsize=64)
def _pattern(table: bytes) -> re.Pattern[bytes]:
    """Return the expression for one byte of the set that `table` describes."""
    members = b"".join(re.escape(bytes((value,))) for value in range(256) if table[value])
    return re.compile(b"[" + members + b"]" if members else b"(?!)", re.DOTALL)


def is_same(base: memoryview, at: int, n: int, needle: bytes, start: int) -> bool:
    """Return whether the `n` bytes at `at` are those of `needle` from `start`."""
    return base[at : at + n] == needle[start : start + n]


def byte_of(needle: bytes, place: int) -> int:
    """Return the byte at `place` of a needle."""
    return needle[place]
