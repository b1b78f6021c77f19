"""What lies behind both ends of a pipeline.

Owns    the protocol that a channel implements, and so does an embedded one in tests.
Never   an implementation: the pipeline calls upwards only through this.
Always  structural: any object of the right shape will do.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from zbuf._types import WritePromise
from zbuf.buffer import Allocator
from zbuf.pipeline._timer import Task, Timer

__all__ = ["Sink"]


class Sink(Protocol):
    """What the two ends of a pipeline call: a channel, or an embedded one in tests.

    The head calls `sink_write`, `sink_flush`, `sink_read` and `sink_close`, the tail `sink_unread` and `sink_failed`.

    A context asks for time and tasks: `sink_time`, `sink_call_later`, `sink_run`.

    A sink may have an attribute `prefers_bytes`: true where a small header is better handed over as bytes.
    """

    @property
    def allocator(self) -> Allocator:
        """Where handlers of this pipeline get their buffers."""

    def sink_write(self, msg: object, promise: WritePromise | None) -> None:
        """Queue a message. Ownership: transfers, also when it raises."""

    def sink_flush(self) -> None:
        """Make everything queued so far sendable, and send what the peer takes."""

    def sink_read(self) -> None:
        """Ask for one more message (only where reads are not automatic)."""

    def sink_close(self) -> None:
        """Close now; what is still queued fails."""

    def sink_unread(self, msg: object) -> None:
        """Take a message that no handler consumed. Ownership: transfers."""

    def sink_failed(self, exc: BaseException) -> None:
        """Take an exception that no handler handled."""

    def sink_time(self) -> float:
        """Return the time of the sink's clock, in seconds."""

    def sink_call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call `call()` in `seconds`, as if the channel had an event then."""

    def sink_run(self, coroutine: Coroutine[Any, Any, object], failed: Callable[[Exception], object]) -> Task:
        """Run a coroutine beside the events; `failed` hears of the exception that ends it."""
