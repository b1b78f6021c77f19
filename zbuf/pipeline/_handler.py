"""What a handler may do: Netty's events with Netty's names, each passing on by default.

Owns    `Handler`, the bits of the events, and which events a class overrides (computed once per class).
Never   contexts' links, sockets, what a message is.
Always  an event that a class does not override is not delivered to it: the chain skips the handler.

One ownership rule for all handlers: the callee owns the message. Forward it, write it, keep it or drop it; dropping is
safe, because the memory goes back when nobody holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.pipeline._context import Context

__all__ = ["Handler", "InputShutdown"]

In = TypeVar("In")
Out = TypeVar("Out")

CHANNEL_ACTIVE = 1 << 0
CHANNEL_INACTIVE = 1 << 1
CHANNEL_READ = 1 << 2
CHANNEL_READ_COMPLETE = 1 << 3
CHANNEL_WRITABILITY_CHANGED = 1 << 4
USER_EVENT_TRIGGERED = 1 << 5
EXCEPTION_CAUGHT = 1 << 6
WRITE = 1 << 7
FLUSH = 1 << 8
READ = 1 << 9
CLOSE = 1 << 10

INBOUND = (1 << 7) - 1
OUTBOUND = (1 << 11) - 1 - INBOUND

EVENTS = {
    "channel_active": CHANNEL_ACTIVE,
    "channel_inactive": CHANNEL_INACTIVE,
    "channel_read": CHANNEL_READ,
    "channel_read_complete": CHANNEL_READ_COMPLETE,
    "channel_writability_changed": CHANNEL_WRITABILITY_CHANGED,
    "user_event_triggered": USER_EVENT_TRIGGERED,
    "exception_caught": EXCEPTION_CAUGHT,
    "write": WRITE,
    "flush": FLUSH,
    "read": READ,
    "close": CLOSE,
}


@dataclass(frozen=True, slots=True)
class InputShutdown:
    """The user event that says: the peer will send no more, but still reads (half-closure)."""


class Handler(Generic[In, Out]):
    """A stage of a pipeline; derive from it and override what you want to see.

    `In` is the type of the messages that `channel_read` gets, `Out` of those that `write` gets. Inbound events travel
    from the channel inward, `write`, `flush`, `read` and `close` outward; each default passes the event on.

    `sharable`: whether one instance may stand in several pipelines, or in one more than once.

    An exception that leaves a callback goes to `exception_caught` of the next handler inward; one that leaves `write`
    goes to whoever wrote, or to the promise. What nobody catches is logged once and closes the channel.

    >>> from zbuf import ByteBuf
    >>> class Echo(Handler[ByteBuf, ByteBuf]):
    ...     def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
    ...         ctx.write(msg)
    """

    sharable: ClassVar[bool] = False
    _events: ClassVar[int] = 0
    _stands_in: int = 0  # how many pipelines hold this instance; kept by Pipeline

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._events = events_of(cls)

    # Life in a pipeline.

    def handler_added(self, ctx: Context) -> None:
        """The handler stands in a pipeline now. If this raises, the handler is removed again."""

    def handler_removed(self, ctx: Context) -> None:
        """The handler no longer stands in the pipeline; `ctx` still reaches the neighbours it had."""

    # Inbound.

    def channel_active(self, ctx: Context) -> None:
        """The channel is connected."""
        ctx.fire_channel_active()

    def channel_inactive(self, ctx: Context) -> None:
        """The channel is closed; nothing more will come."""
        ctx.fire_channel_inactive()

    def channel_read(self, ctx: Context, msg: In) -> None:
        """A message came. Ownership: transfers to this handler, which passes the object itself on."""
        ctx.fire_channel_read(msg)

    def channel_read_complete(self, ctx: Context) -> None:
        """All messages of one wake-up came: a good moment to flush what gathers."""
        ctx.fire_channel_read_complete()

    def channel_writability_changed(self, ctx: Context) -> None:
        """The outbound queue went above its high mark, or below its low mark again."""
        ctx.fire_channel_writability_changed()

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """Something else happened, `InputShutdown` for example."""
        ctx.fire_user_event_triggered(event)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """A handler nearer to the channel raised `exc`."""
        ctx.fire_exception_caught(exc)

    # Outbound.

    def write(self, ctx: Context, msg: Out, promise: WritePromise | None) -> None:
        """Somebody further in writes. Ownership: transfers; the handle is this handler's own, the writer's is dead.

        Pass `promise` on with the last part of what becomes of `msg`, so that it is completed exactly once."""
        ctx.write(msg, promise)

    def flush(self, ctx: Context) -> None:
        """What was written is to be sent."""
        ctx.flush()

    def read(self, ctx: Context) -> None:
        """Somebody further in wants one more message (only where reads are not automatic)."""
        ctx.read()

    def close(self, ctx: Context) -> None:
        """The channel is to be closed."""
        ctx.close()


def events_of(cls: type) -> int:
    """Return the bits of the events that `cls` overrides."""
    mask = 0
    for name, bit in EVENTS.items():
        if getattr(cls, name) is not getattr(Handler, name):
            mask |= bit
    return mask
