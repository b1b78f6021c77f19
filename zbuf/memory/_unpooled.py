# cython: nonecheck=False
# (the objects whose fields are read here are self, and blocks that only this room hands in)
"""The plain source of blocks: every block is fresh and is freed with its last holder.

Owns    the count of what it gave out and of what is still held.
Never   a cache.
Always  live is what somebody holds; cached is 0; reserved is live.

No lock: a block may come back on any thread and in the midst of a collection, where a lock could already be held.
Under the GIL nothing can interrupt an addition to a counter (CPython switches threads only at calls, at backward
jumps and on entry to a function), and there is no call between reading and writing one.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import allocate, as_size, enter, is_watched, retire, set_home, settle
from zbuf._environ import FENCE as IS_FENCED
from zbuf.memory._memory import Home, Memory
from zbuf.memory._pages import bar, fenced
from zbuf.memory._stats import PoolStats

__all__ = ["Blocks"]

FENCE = IS_FENCED  # as a C truth value


class Blocks(Home):
    """Gives out fresh, zeroed blocks of exactly the size that was asked for."""

    def __init__(self) -> None:
        self._alignment = 16
        self._live_blocks = 0
        self._live_bytes = 0
        self._hits = 0
        self._misses = 0

    def lease(self, nbytes: int) -> Memory:
        """Return a block of at least `nbytes` bytes; it comes back by itself when its last holder is gone.

        Raises: ValueError if negative, MemoryError."""
        nbytes = as_size(nbytes)
        memory = fenced(nbytes, self._alignment) if FENCE else allocate(nbytes, self._alignment)
        set_home(memory, self)
        self._misses += 1
        self._live_blocks += 1
        self._live_bytes += nbytes
        if is_watched():
            enter(memory, self, nbytes)
        return memory

    def _receive(self, memory: Memory) -> bool:
        self._live_blocks -= 1
        self._live_bytes -= memory.size
        if memory._record is not None:
            settle(memory)
        if FENCE:
            retire(memory, bar)
        return False

    def statistics(self) -> PoolStats:
        """Return the figures as they stand."""
        return PoolStats(
            live_blocks=self._live_blocks,
            live_bytes=self._live_bytes,
            cached_bytes=0,
            reserved_bytes=self._live_bytes,
            hits=self._hits,
            misses=self._misses,
        )

    def trim(self) -> int:
        """Free what is cached and return its bytes: always 0 here."""
        return 0
