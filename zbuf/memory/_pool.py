"""A bounded pool of blocks in size classes.

Owns    the cached blocks of each class, their bytes, and the bound on them.
Never   a wait, a lock, or a block that somebody still holds.
Always  reserved == live + cached, exactly; cached never exceeds max_cached_bytes.

Size classes are the powers of two and the middles between them, from 64 bytes to 1 MiB (Netty's adaptive pool stops
at 1 MiB too): at most a third of a block is unused. Larger blocks are fresh each time and freed with their last holder.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import as_size
from zbuf.memory._memory import Block, Memory
from zbuf.memory._stats import PoolStats
from zbuf.memory._unpooled import Blocks

__all__ = ["BlockPool"]

SMALLEST = 64
LARGEST = 1 << 20
CLASSES = 29  # 64, 96, 128, 192, ... 1 MiB


class BlockPool(Blocks):
    """Gives out blocks of a size class and keeps those that come back for the next lease.

    `max_cached_bytes`: the bound on what waits; a block that would exceed it is freed. `alignment`: of the first byte,
    a power of two (4096 and more for direct I/O). `zero_on_release`: wipe a block before the next holder sees it.
    Raises: ValueError on a negative bound, or an alignment that is no power of two.
    """

    def __init__(self, *, max_cached_bytes: int = 32 << 20, alignment: int = 16, zero_on_release: bool = False) -> None:
        super().__init__()
        max_cached_bytes = as_size(max_cached_bytes)
        alignment = as_size(alignment)
        if max_cached_bytes < 0:
            raise ValueError(f"max_cached_bytes must not be negative: {max_cached_bytes}")
        if alignment < 1 or alignment & (alignment - 1) or alignment > LARGEST:
            raise ValueError(f"alignment must be a power of two up to {LARGEST}, not {alignment}")
        self._alignment = alignment
        self._max_cached = max_cached_bytes
        self._zero = bool(zero_on_release)
        self._cached = 0
        self._stacks: list[list[Block]] = [[] for _ in range(CLASSES)]

    def lease(self, nbytes: int) -> Memory:
        """Return a block of at least `nbytes` bytes; it comes back by itself when its last holder is gone.

        Its content is unspecified unless the pool zeroes on release. Raises: ValueError if negative, MemoryError."""
        nbytes = as_size(nbytes)
        if nbytes > LARGEST:
            self._misses += 1
            return self._hand_out(Block(nbytes, self._alignment))
        if nbytes < 0:
            raise ValueError(f"a block has no negative size: {nbytes}")
        k = class_of(nbytes)
        stack = self._stacks[k]
        if stack:  # nothing can come between this look and the pop: see the note on locks in _unpooled.py
            block = stack.pop()
            self._cached -= block.size
            self._hits += 1
        else:
            block = Block(class_size(k), self._alignment)
            self._misses += 1
        return self._hand_out(block)

    def _give_back(self, block: Block) -> None:
        size = block.size
        self._live_blocks -= 1
        self._live_bytes -= size
        if size > LARGEST or size > self._max_cached - self._cached:
            return
        if block.is_exported():  # only where a view cannot hold its owner: such a block must never be leased again
            return
        if self._zero:
            block.wipe()
        if size <= self._max_cached - self._cached:  # asked again: the calls above may have let another thread in
            self._cached += size
            self._stacks[class_of(size)].append(block)

    def statistics(self) -> PoolStats:
        """Return the figures as they stand."""
        return PoolStats(
            live_blocks=self._live_blocks,
            live_bytes=self._live_bytes,
            cached_bytes=self._cached,
            reserved_bytes=self._live_bytes + self._cached,
            hits=self._hits,
            misses=self._misses,
        )

    def trim(self) -> int:
        """Free every cached block and return their bytes."""
        freed = 0
        for stack in self._stacks:
            while stack:
                block = stack.pop()
                self._cached -= block.size
                freed += block.size
        return freed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.statistics()})"


def class_of(nbytes: int) -> int:
    """Return the number of the smallest class that holds `nbytes`, which is at most LARGEST."""
    k = 0
    size = SMALLEST
    while size < nbytes:
        if nbytes <= size + (size >> 1):
            return k + 1
        size <<= 1
        k += 2
    return k


def class_size(k: int) -> int:
    """Return the block size of class `k`."""
    size = SMALLEST << (k >> 1)
    return size + (size >> 1) if k & 1 else size
