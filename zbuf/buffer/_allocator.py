"""The allocators users see: sources of blocks that also make the handles on them.

Owns    what an allocator is, the two that there are, and the default one.
Never   how blocks are kept (the memory room does that).
Always  capacity is exactly what was asked for, whatever the size of the block behind it.
"""

import sys
from typing import Protocol

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._bytebuf import PLAIN
    from zbuf.memory._memory import as_size, hatch
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._composite import CompositeByteBuf, new_composite
from zbuf.buffer._indices import MAX_CAPACITY
from zbuf.memory._memory import Memory
from zbuf.memory._pool import BlockPool
from zbuf.memory._stats import PoolStats
from zbuf.memory._unpooled import Blocks

__all__ = ["Allocator", "Pool", "Unpooled", "default_allocator", "set_default_allocator"]


class Allocator(Protocol):
    """Where buffers come from."""

    def buffer(self, initial_capacity: int = 256, max_capacity: int = MAX_CAPACITY) -> ByteBuf:
        """Return an empty, growable buffer. Raises: ValueError (negative, or initial above max), MemoryError."""

    def composite(self, max_capacity: int = sys.maxsize) -> CompositeByteBuf:
        """Return an empty composite whose own new components come from here."""

    def lease(self, nbytes: int) -> Memory:
        """Return a block of at least `nbytes` bytes; it comes back by itself when its last holder is gone."""

    def statistics(self) -> PoolStats:
        """Return the figures as they stand."""

    def trim(self) -> int:
        """Free what is cached and return its bytes."""


class Unpooled(Blocks):
    """The plain allocator: fresh, zeroed memory, freed with its last holder. The default for user code."""

    def buffer(self, initial_capacity: int = 256, max_capacity: int = MAX_CAPACITY) -> ByteBuf:
        """Return an empty buffer of `initial_capacity` bytes that grows up to `max_capacity`.

        Raises: ValueError if negative or initial above max, MemoryError. Source: Netty Unpooled.buffer."""
        initial_capacity = as_size(initial_capacity)
        max_capacity = as_size(max_capacity)
        if initial_capacity < 0 or initial_capacity > max_capacity:
            raise _bad_capacity(initial_capacity, max_capacity)
        made: ByteBuf = hatch(PLAIN, self.lease(initial_capacity), initial_capacity, max_capacity, self, True)
        return made

    def composite(self, max_capacity: int = sys.maxsize) -> CompositeByteBuf:
        """Return an empty composite whose own new components come from here. Raises: ValueError if negative."""
        return new_composite(self, max_capacity)


class Pool(BlockPool):
    """The bounded pool: blocks that come back serve the next lease. Used by channels.

    `max_cached_bytes`: the bound on what waits; a block that would exceed it is freed. `alignment`: of the first byte,
    a power of two (4096 and more for direct I/O). `zero_on_release`: wipe a block before the next holder sees it.
    It never blocks and gives fresh memory when nothing waits. Raises: ValueError on arguments outside their range.
    Source: Netty PooledByteBufAllocator, without arenas and thread caches.
    """

    def buffer(self, initial_capacity: int = 256, max_capacity: int = MAX_CAPACITY) -> ByteBuf:
        """Return an empty buffer of `initial_capacity` bytes that grows up to `max_capacity`.

        Its bytes are unspecified: what an earlier holder left, unless the pool zeroes on release.
        Raises: ValueError if negative or initial above max, MemoryError."""
        initial_capacity = as_size(initial_capacity)
        max_capacity = as_size(max_capacity)
        if initial_capacity < 0 or initial_capacity > max_capacity:
            raise _bad_capacity(initial_capacity, max_capacity)
        made: ByteBuf = hatch(PLAIN, self.lease(initial_capacity), initial_capacity, max_capacity, self, True)
        return made

    def composite(self, max_capacity: int = sys.maxsize) -> CompositeByteBuf:
        """Return an empty composite whose own new components come from here. Raises: ValueError if negative."""
        return new_composite(self, max_capacity)


def _bad_capacity(capacity: int, ceiling: int) -> ValueError:
    return ValueError(f"0 <= initial_capacity <= max_capacity must hold: {capacity}, {ceiling}")


_default: Allocator = Unpooled()


def default_allocator() -> Allocator:
    """Return the allocator of `buffer()`, `copied()` and of wrapped buffers; an `Unpooled` unless another was set."""
    return _default


def set_default_allocator(allocator: Allocator) -> None:
    """Make `allocator` the default one for buffers made from now on. Raises: TypeError if it cannot make buffers."""
    if not all(callable(getattr(allocator, name, None)) for name in ("buffer", "composite", "lease", "statistics")):
        raise TypeError(f"an allocator is wanted, not {type(allocator).__name__}")
    global _default
    _default = allocator
