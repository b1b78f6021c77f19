"""The read loop: how much to receive at once, and when to stop for now.

Owns    what is done with the adaptive receive size, and the budget of one wake-up.
Never   interest in readiness, closing, what a message means; it reports an outcome and the channel acts.
Always  a receive has room for at least one byte; a short read ends the wake-up without asking the kernel again;
        whoever handles a message may hold the loop, and nothing is received after that.
"""

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
from zbuf.memory._adaptive import AdaptiveSize
from zbuf.memory._pool import BlockPool
from zbuf.pipeline._pipeline import Pipeline
from zbuf.transport._calls import Calls

if TYPE_CHECKING:
    from zbuf.transport._options import ChannelOptions

__all__ = ["DRAINED", "EMPTY", "ENDED", "FAILED", "HELD", "MORE", "ReadLoop"]

if not cython.compiled:  # compiled: an enumeration of the .pxd
    DRAINED = 0  # a short read: whatever there was has been received
    EMPTY = 1  # nothing was there
    MORE = 2  # the budget is used up, there may be more
    HELD = 3  # somebody who handled a message wants no further ones for now
    ENDED = 4  # the peer's end of input
    FAILED = 5  # a system call failed: `error` is its errno


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
        self.receive_size = AdaptiveSize(options.receive_min, options.receive_initial, options.receive_max)
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
