"""How large the next block should be: a guess from what came before.

Owns    the table of sizes and the steps between them.
Never   a block, a socket, a clock.
Always  least <= size <= most; growth is fast (what is too small costs system calls), shrinking slow.
"""

import functools

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import as_size

__all__ = ["AdaptiveSize"]

FINE_UP_TO = 512  # Netty: sizes go up by 16 to here, then they double
STEPS_UP = 4  # Netty
STEPS_DOWN = 1


@functools.lru_cache(maxsize=16)
def size_table(least: int, most: int) -> list[int]:
    """Return the sizes from `least` to `most`, both included; one list for all guesses of a kind."""
    sizes = [size for size in range(16, FINE_UP_TO + 1, 16) if least < size < most]
    size = FINE_UP_TO * 2
    while size < most:
        if size > least:
            sizes.append(size)
        size *= 2
    return [least, *sizes, most] if least < most else [least]


class AdaptiveSize:
    """How many bytes the next read should have room for: a guess from the last ones.

    Ask `size`, read, say with `record()` how much came. Up four steps after a read that filled its block, down one
    after two in a row that would have fitted a smaller one; the steps are 16 bytes up to 512, then doublings.
    Channels use it for what they receive. Raises: ValueError unless 1 <= least <= initial <= most.
    Source: Netty AdaptiveRecvByteBufAllocator.

    >>> guess = AdaptiveSize(64, 1024, 65536)
    >>> guess.record(1024)
    >>> guess.size
    16384
    """

    def __init__(self, least: int = 64, initial: int = 2048, most: int = 65536) -> None:
        least, initial, most = as_size(least), as_size(initial), as_size(most)
        if not 1 <= least <= initial <= most:
            raise ValueError(f"1 <= least <= initial <= most must hold: {least}, {initial}, {most}")
        self.sizes: list[int] = size_table(least, most)
        self._most = len(self.sizes) - 1
        at = 0
        while self.sizes[at] < initial:
            at += 1
        self._was_small = False
        self._move(at)

    def _move(self, at: int) -> None:
        self._at = at
        self.size: int = self.sizes[at]
        self._small = self.sizes[at - STEPS_DOWN] if at >= STEPS_DOWN else -1
        self._was_small = False

    def record(self, received: int) -> None:
        """Learn that a read with room for `size` bytes brought `received`."""
        received = as_size(received)
        if received >= self.size:
            if self._at < self._most:
                self._move(min(self._at + STEPS_UP, self._most))
        elif received > self._small:
            self._was_small = False
        elif self._was_small:
            self._move(self._at - STEPS_DOWN)
        else:
            self._was_small = True

    def __repr__(self) -> str:
        return f"AdaptiveSize({self.size} of {self.sizes[0]}..{self.sizes[-1]})"
