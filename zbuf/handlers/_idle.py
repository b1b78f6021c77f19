"""Who has been silent for how long: user events when nothing was read, written, or either.

Owns    the times of the last read and the last finished write, and one timer for each period asked for.
Never   a reaction: a ping, a close, a log line belong to the handler that gets the event.
Always  an event comes only after a whole period without anything; a timer is set again once per period, not once per
        message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.pipeline import Context, Timer

__all__ = ["IdleKind", "IdleState", "IdleStateHandler"]


class IdleKind(Enum):
    """Which side was silent."""

    READER = "reader"
    WRITER = "writer"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class IdleState:
    """The user event of an idle channel. `is_first`: the first since something last happened on that side."""

    kind: IdleKind
    is_first: bool


class IdleStateHandler(Handler[Any, Any]):
    """Fires `IdleState` events when nothing was read or written for a time.

    `reader`, `writer`, `all`: seconds without a message read, without a write that reached the kernel, without either;
    None: do not watch. The events go to the handlers further in, in `user_event_triggered`, once per period for as
    long as the silence lasts. Raises: ValueError unless a period is above 0, or if none is given.
    Source: Netty IdleStateHandler.
    """

    def __init__(self, *, reader: float | None = None, writer: float | None = None, all: float | None = None) -> None:
        periods = {IdleKind.READER: reader, IdleKind.WRITER: writer, IdleKind.ALL: all}
        self._periods = {kind: period for kind, period in periods.items() if period is not None}
        if not self._periods:
            raise ValueError("give at least one of reader, writer and all")
        for kind, period in self._periods.items():
            if not period > 0:
                raise ValueError(f"{kind.value} is a number of seconds above 0, not {period}")
        self._timers: dict[IdleKind, Timer] = {}
        self._was_told: set[IdleKind] = set()
        self._last_read = 0.0
        self._last_write = 0.0

    # The life of the timers.

    def handler_added(self, ctx: Context) -> None:
        """Begin at once in a channel that is connected already."""
        if ctx.channel.is_active:
            self._begin(ctx)

    def handler_removed(self, ctx: Context) -> None:
        """Stop."""
        self._end()

    def channel_active(self, ctx: Context) -> None:
        """Begin."""
        self._begin(ctx)
        ctx.fire_channel_active()

    def channel_inactive(self, ctx: Context) -> None:
        """Stop."""
        self._end()
        ctx.fire_channel_inactive()

    def _begin(self, ctx: Context) -> None:
        self._end()
        self._last_read = self._last_write = ctx.time()
        for kind, period in self._periods.items():
            self._arm(ctx, kind, period)

    def _end(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _arm(self, ctx: Context, kind: IdleKind, seconds: float) -> None:
        self._timers[kind] = ctx.call_later(seconds, lambda: self._due(ctx, kind))

    # What happens.

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Note the time, hand on."""
        self._last_read = ctx.time()
        self._was_told.discard(IdleKind.READER)
        self._was_told.discard(IdleKind.ALL)
        ctx.fire_channel_read(msg)

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Hand on, and note the time when the write is through."""
        if IdleKind.WRITER in self._periods or IdleKind.ALL in self._periods:
            promise = _Noting(self, ctx, promise)
        ctx.write(msg, promise)

    def _written(self, ctx: Context) -> None:
        self._last_write = ctx.time()
        self._was_told.discard(IdleKind.WRITER)
        self._was_told.discard(IdleKind.ALL)

    def _due(self, ctx: Context, kind: IdleKind) -> None:
        last = {
            IdleKind.READER: self._last_read,
            IdleKind.WRITER: self._last_write,
            IdleKind.ALL: max(self._last_read, self._last_write),
        }[kind]
        period = self._periods[kind]
        left = last + period - ctx.time()
        if left > 0:
            self._arm(ctx, kind, left)
            return
        self._arm(ctx, kind, period)  # first: the event may remove this handler, or close the channel
        is_first = kind not in self._was_told
        self._was_told.add(kind)
        self.channel_idle(ctx, IdleState(kind, is_first))

    def channel_idle(self, ctx: Context, state: IdleState) -> None:
        """Fire the event; override it to react here."""
        ctx.fire_user_event_triggered(state)


class _Noting:
    """A promise that tells the handler, then whoever was to be told."""

    __slots__ = ("_ctx", "_handler", "_next")

    def __init__(self, handler: IdleStateHandler, ctx: Context, promise: WritePromise | None) -> None:
        self._handler = handler
        self._ctx = ctx
        self._next = promise

    def succeed(self) -> None:
        """The write is in the kernel."""
        self._handler._written(self._ctx)
        if self._next is not None:
            self._next.succeed()

    def fail(self, exc: BaseException) -> None:
        """The write failed."""
        if self._next is not None:
            self._next.fail(exc)
