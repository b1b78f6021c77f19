"""What a buffer tells about its memory: to the ledger, to another buffer, to foreign code.

Owns    touch, shares_memory_with, address.
Never   a byte; a record of the ledger (the memory room keeps them).
Always  a composite speaks for all its components.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import EMPTY, is_watched
from typing import Self

from zbuf.buffer._growth import Growth
from zbuf.memory._memory import Memory

__all__ = ["Trace"]


class Trace(Growth):
    """The memory of a buffer, seen from outside."""

    __slots__ = ()

    def touch(self, hint: object = None) -> Self:
        """Note the caller's line, and `hint`, as the last touch of all blocks of this buffer in the leak ledger.

        Does nothing while the ledger is off. Returns the buffer. Source: Netty ReferenceCounted.touch."""
        if self._refcnt == 0:
            self._check_live()
        if is_watched():
            for memory in self._blocks():
                if memory._record is not None:
                    memory._record.touch(hint)
        return self

    def shares_memory_with(self, other: "Trace") -> bool:
        """Return whether a write through one buffer could show in the other: they have bytes of a block in common.

        Blocks count whole, also the parts that neither buffer shows. Two wraps of one object share its memory.
        Cost: one look at each component. Raises: TypeError, ReferenceCountError if either was released."""
        if not isinstance(other, Trace):
            raise TypeError(f"a buffer is wanted, not {type(other).__name__}")
        whom: Trace = other
        self._check_live()
        whom._check_live()
        reach = [0, 0]  # where the blocks of each end that were seen so far
        for start, end, side in sorted(_ranges(self._blocks(), 0) + _ranges(whom._blocks(), 1)):
            if start < reach[1 - side]:
                return True
            reach[side] = max(reach[side], end)
        return False

    def address(self) -> int:
        """Return the address of the byte at the reader index, for foreign code (ctypes, cffi, system calls).

        The caller keeps this handle, unreleased and ungrown, for as long as the address is used.
        Raises: BufferError if the readable bytes lie in several components. Source: Netty memoryAddress."""
        self._check_live()
        n = self._writer - self._reader
        if not self._in_one_piece(self._reader, n):
            raise BufferError("the bytes lie in several components: there is no one address")
        if n:
            self._seek(self._reader)
        elif self._reader < self._lo or self._reader > self._hi:  # a composite that shows no byte
            return EMPTY.address()
        return self._memory.address() + self._shift + self._reader

    def _in_one_piece(self, index: int, n: int) -> bool:
        """Return whether the checked range lies in one component."""
        return True

    def _blocks(self) -> list[Memory]:
        """Return all blocks of this buffer; one may come several times."""
        return [self._memory]


def _ranges(blocks: list[Memory], side: int) -> list[tuple[int, int, int]]:
    """Return (start, end, side) for each block that has bytes."""
    found = []
    for memory in blocks:
        if memory.size:
            at = memory.address()
            found.append((at, at + memory.size, side))
    return found
