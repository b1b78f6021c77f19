"""The read loop: how much to receive at once, and when to stop for now.

Owns    the adaptive receive size and the budget of one wake-up.
Never   interest in readiness, closing, what a message means; it reports an outcome and the channel acts.
Always  a receive has room for at least one byte; a short read ends the wake-up without asking the kernel again;
        whoever handles a message may hold the loop, and nothing is received after that.
"""

import functools
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf.audit._meter import Account

if not cython.compiled:
    from zbuf.audit._meter import RECV
    from zbuf.buffer._bytebuf import adopt
    from zbuf.transport._calls import ZB_AGAIN
from zbuf.memory._pool import BlockPool
from zbuf.pipeline._pipeline import Pipeline
from zbuf.transport._calls import Calls

if TYPE_CHECKING:
    from zbuf.transport._options import ChannelOptions

__all__ = ["DRAINED", "EMPTY", "ENDED", "FAILED", "HELD", "MORE", "ReadLoop", "ReceiveSize"]

if not cython.compiled:  # compiled: an enumeration of the .pxd
    DRAINED = 0  # a short read: whatever there was has been received
    EMPTY = 1  # nothing was there
    MORE = 2  # the budget is used up, there may be more
    HELD = 3  # somebody who handled a message wants no further ones for now
    ENDED = 4  # the peer's end of input
    FAILED = 5  # a system call failed: `error` is its errno

FINE_UP_TO = 512  # Netty: sizes go up by 16 to here, then they double
STEPS_UP = 4  # Netty
STEPS_DOWN = 1


@functools.lru_cache(maxsize=16)
def size_table(least: int, most: int) -> list[int]:
    """Return the sizes of a receive from `least` to `most`, both included; one list for all channels of a kind."""
    sizes = [size for size in range(16, FINE_UP_TO + 1, 16) if least < size < most]
    size = FINE_UP_TO * 2
    while size < most:
        if size > least:
            sizes.append(size)
        size *= 2
    return [least, *sizes, most] if least < most else [least]


class ReceiveSize:
    """How many bytes the next receive asks for: a guess from the last ones.

    Up four steps after a read that filled its block, down one after two in a row that would have fitted a smaller one.
    """

    def __init__(self, least: int, initial: int, most: int) -> None:
        self.sizes = size_table(least, most)
        self._most = len(self.sizes) - 1
        at = 0
        while self.sizes[at] < initial:
            at += 1
        self._was_small = False
        self._move(at)

    def _move(self, at: int) -> None:
        self._at = at
        self.size = self.sizes[at]
        self._small = self.sizes[at - STEPS_DOWN] if at >= STEPS_DOWN else -1
        self._was_small = False

    def record(self, received: int) -> None:
        """Learn that a receive of `size` bytes brought `received`."""
        if received >= self.size:
            if self._at < self._most:
                self._move(min(self._at + STEPS_UP, self._most))
        elif received > self._small:
            self._was_small = False
        elif self._was_small:
            self._move(self._at - STEPS_DOWN)
        else:
            self._was_small = True


class ReadLoop:
    """Receives into fresh blocks and fires what came into the pipeline, within the budget of one wake-up."""

    def __init__(
        self, calls: Calls, allocator: Any, account: Account, pipeline: Pipeline, options: "ChannelOptions"
    ) -> None:
        self._calls = calls
        self.allocator = allocator
        self._pool = allocator if isinstance(allocator, BlockPool) else None
        self._account = account
        self._pipeline = pipeline
        self.receive_size = ReceiveSize(options.receive_min, options.receive_initial, options.receive_max)
        self.budget = options.reads_per_wakeup
        self.is_held = False
        self.one_at_a_time = not options.auto_read
        self.has_received = False
        self.error = 0

    def run(self) -> int:
        """Receive until nothing is left, the budget is spent or the loop is held; return the outcome.

        `has_received` then says whether anything came. Raises: what the pipeline raises (BaseException only) and
        MemoryError; the loop stays usable.
        """
        self.has_received = False
        budget = 1 if self.one_at_a_time else self.budget
        while budget:
            if self.is_held:
                return HELD
            size = self.receive_size.size
            memory = self.allocator.lease(size) if self._pool is None else self._pool.lease(size)
            n = self._calls.recv(memory, size)
            if n <= 0:
                if n == 0:
                    return ENDED
                if n == ZB_AGAIN:
                    return EMPTY
                self.error = -n
                return FAILED
            self.has_received = True
            self.receive_size.record(n)
            self._account.called(RECV, n, 1)
            self._account.received(n)
            self._pipeline.fire_channel_read(adopt(memory, n, self.allocator))
            if n < size:
                return HELD if self.is_held else DRAINED  # type: ignore[redundant-expr]  # the pipeline may set it
            budget -= 1
        return HELD if self.is_held else MORE
