"""Protocols and aliases that cross rooms.

Owns    the types by which a lower room may be called back from a higher one without knowing it.
Never   an implementation; it imports nothing of zbuf when the program runs.
Always  what stands here is structural: any object of the right shape will do.
"""

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
    else:
        from typing_extensions import Buffer

    from zbuf.buffer import Allocator
elif sys.version_info >= (3, 12):
    from collections.abc import Buffer
else:
    Buffer = Any

__all__ = ["Buffer", "Sink", "WritePromise"]


class WritePromise(Protocol):
    """Somebody who wants to know how a write ended. Exactly one of the two is called, once."""

    def succeed(self) -> None:
        """Every byte of the write is in the kernel."""

    def fail(self, exc: BaseException) -> None:
        """The write failed, or was given up, because of `exc`."""


class Sink(Protocol):
    """What the two ends of a pipeline call: a channel, or an embedded one in tests.

    The head calls `sink_write`, `sink_flush`, `sink_read` and `sink_close`, the tail `sink_unread` and `sink_failed`.
    """

    @property
    def allocator(self) -> "Allocator":
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
