# cython: nonecheck=False
# (the objects whose fields are read here are self, and blocks that only this room hands in)
"""A bounded pool of blocks in size classes.

Owns    the cached blocks of each class, their bytes, and the bound on them.
Never   a wait, a lock, or a block that somebody still holds.
Always  reserved == live + cached, exactly; cached never exceeds max_cached_bytes.

Size classes are the powers of two and the middles between them, from 64 bytes to 1 MiB (Netty's adaptive pool stops
at 1 MiB too): at most a third of a block is unused. Larger blocks are fresh each time and freed with their last holder,
except in a pool of huge pages, where they are pooled as well.
"""

import sys

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import (
        allocate,
        as_size,
        class_of,
        enter,
        is_free,
        is_watched,
        retire,
        set_home,
        settle,
        shelve,
        unshelve,
        wipe,
    )
from zbuf._environ import FENCE as IS_FENCED
from zbuf.memory._memory import SHELVES, Memory, Shelf
from zbuf.memory._pages import HUGE_PAGE, HUGETLB, TRANSPARENT, bar, fenced, huge
from zbuf.memory._stats import PoolStats
from zbuf.memory._unpooled import Blocks

__all__ = ["BlockPool"]

SMALLEST = 64
LARGEST = 1 << 20  # Netty's
LARGEST_HUGE = 64 << 20  # arbitrary; what does not fit max_cached_bytes is not kept anyway
MAX_SIZE = sys.maxsize
BIG_PAGE = HUGE_PAGE  # as a C integer
FENCE = IS_FENCED  # as a C truth value


class BlockPool(Blocks):
    """Gives out blocks of a size class and keeps those that come back for the next lease.

    `max_cached_bytes`: the bound on what waits; a block that would exceed it is freed. `alignment`: of the first byte,
    a power of two (4096 and more for direct I/O); above 16 the size of a block is a multiple of it. `zero_on_release`:
    wipe a block before the next holder sees it. `huge_pages`: put blocks above 1 MiB on huge pages and keep them too.
    Raises: ValueError on a negative bound, or an alignment that is no power of two up to 1 MiB.
    """

    def __init__(
        self,
        *,
        max_cached_bytes: int = 32 << 20,
        alignment: int = 16,
        zero_on_release: bool = False,
        huge_pages: bool = False,
    ) -> None:
        super().__init__()
        max_cached_bytes = as_size(max_cached_bytes)
        alignment = as_size(alignment)
        if max_cached_bytes < 0:
            raise ValueError(f"max_cached_bytes must not be negative: {max_cached_bytes}")
        if alignment < 1 or alignment & (alignment - 1) or alignment > LARGEST:
            raise ValueError(f"alignment must be a power of two up to {LARGEST}, not {alignment}")
        self._alignment = alignment
        self._odd_class = class_of(alignment) + 1 if alignment > 32 else -1
        self._max_cached = max_cached_bytes
        self._zero = bool(zero_on_release)
        self._huge = bool(huge_pages)
        self._cached = 0
        self._dropped = 0
        self._hugetlb = 0
        self._thp = 0
        self._shelf = Shelf()

    def lease(self, nbytes: int) -> Memory:
        """Return a block of at least `nbytes` bytes; it comes back by itself when its last holder is gone.

        Its content is unspecified unless the pool zeroes on release. Raises: ValueError if negative, MemoryError."""
        nbytes = as_size(nbytes)
        if nbytes < 0 or nbytes > LARGEST:
            return self._lease_large(nbytes)
        k = class_of(nbytes)
        if k <= self._odd_class:
            k = self._aligned_class(k)
        memory = unshelve(self._shelf, k, self)
        if memory is None:
            return self._lease_fresh(class_size(k), k, nbytes)
        self._cached -= memory.size
        self._hits += 1
        self._live_blocks += 1
        self._live_bytes += memory.size
        if is_watched():
            enter(memory, self, nbytes)
        return memory

    def _aligned_class(self, k: int) -> int:
        """Return the smallest class from `k` on whose size is a multiple of the alignment, which is 64 or more."""
        return self._odd_class - 1 if k < self._odd_class else self._odd_class + 1

    def _lease_large(self, nbytes: int) -> Memory:
        if nbytes < 0:
            raise ValueError(f"a block has no negative size: {nbytes}")
        if self._huge and nbytes <= LARGEST_HUGE:
            return self._lease_huge(nbytes)
        if self._alignment > 16 and nbytes % self._alignment:
            nbytes += min(self._alignment - nbytes % self._alignment, MAX_SIZE - nbytes)
        return self._lease_fresh(nbytes, -1, nbytes)

    def _lease_huge(self, nbytes: int) -> Memory:
        k = class_of(max(nbytes, BIG_PAGE))
        size = class_size(k)
        if size % BIG_PAGE:  # 3 MiB is the only one
            k += 1
            size = class_size(k)
        memory = unshelve(self._shelf, k, self)
        if memory is None:
            memory = fenced(size, self._alignment) if FENCE else huge(size)
            self._count_pages(memory, size)
            return self._hand_out(memory, size, k, nbytes)
        self._cached -= size
        self._hits += 1
        self._live_blocks += 1
        self._live_bytes += size
        if is_watched():
            enter(memory, self, nbytes)
        return memory

    def _lease_fresh(self, size: int, k: int, asked: int) -> Memory:
        try:
            memory = fenced(size, self._alignment) if FENCE else allocate(size, self._alignment)
        except MemoryError:
            if not self.trim():
                raise
            memory = allocate(size, self._alignment)
        return self._hand_out(memory, size, k, asked)

    def _hand_out(self, memory: Memory, size: int, k: int, asked: int) -> Memory:
        """Enter a fresh block of class `k`, -1 for one that is not kept."""
        memory._shelf = k
        set_home(memory, self)
        self._misses += 1
        self._live_blocks += 1
        self._live_bytes += size
        if is_watched():
            enter(memory, self, asked)
        return memory

    def _receive(self, memory: Memory) -> bool:
        size = memory.size
        self._live_blocks -= 1
        self._live_bytes -= size
        if memory._record is not None:
            settle(memory)
        if memory._shelf >= 0 and size <= self._max_cached - self._cached and not FENCE and is_free(memory):
            if self._zero:
                wipe(memory)
            if size <= self._max_cached - self._cached:  # asked again: what was called may have let another thread in
                self._cached += size
                shelve(self._shelf, memory)
                return True
        self._dropped += 1
        if memory.pages:
            self._count_pages(memory, -size)
        if FENCE:
            retire(memory, bar)
        return False

    def _count_pages(self, memory: Memory, size: int) -> None:
        """Note that `size` bytes more, or fewer when negative, lie on pages like those of `memory`."""
        if memory.pages == HUGETLB:
            self._hugetlb += size
        elif memory.pages == TRANSPARENT:
            self._thp += size

    def statistics(self) -> PoolStats:
        """Return the figures as they stand."""
        return PoolStats(
            live_blocks=self._live_blocks,
            live_bytes=self._live_bytes,
            cached_bytes=self._cached,
            reserved_bytes=self._live_bytes + self._cached,
            hits=self._hits,
            misses=self._misses,
            dropped=self._dropped,
            hugetlb_bytes=self._hugetlb,
            thp_bytes=self._thp,
        )

    def trim(self) -> int:
        """Free every cached block and return their bytes."""
        freed = 0
        for k in range(SHELVES):
            while True:
                memory = unshelve(self._shelf, k, None)
                if memory is None:
                    break
                self._cached -= memory.size
                freed += memory.size
                if memory.pages:
                    self._count_pages(memory, -memory.size)
        return freed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.statistics()})"


def class_size(k: int) -> int:
    """Return the block size of class `k`."""
    size = SMALLEST << (k >> 1)
    return size + (size >> 1) if k & 1 else size
