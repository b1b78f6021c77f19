"""Channels that take too long are closed: nothing read for a time, or a write that does not get away.

Owns    the two deadlines.
Never   what a message is; whether a silent peer should be asked first (IdleStateHandler is for that).
Always  the error travels as `exception_caught` to the handlers further in, then the channel is closed; both happen
        once.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from zbuf.errors import ReadTimeoutError, WriteTimeoutError
from zbuf.handlers._idle import IdleState, IdleStateHandler
from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.pipeline import Context, Timer

__all__ = ["ReadTimeoutHandler", "WriteTimeoutHandler"]


class ReadTimeoutHandler(IdleStateHandler):
    """Raises ReadTimeoutError inward and closes the channel when no message came for `seconds`.

    Stand it behind the decoder to demand whole messages, in front of it to be content with bytes.
    Raises: ValueError unless `seconds` is above 0. Source: Netty ReadTimeoutHandler.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(reader=seconds)
        self._seconds = seconds
        self._is_over = False

    def channel_idle(self, ctx: Context, state: IdleState) -> None:
        """End the channel."""
        if not self._is_over:
            self._is_over = True
            self._end()
            ctx.fire_exception_caught(ReadTimeoutError(self._seconds))
            ctx.close()


class WriteTimeoutHandler(Handler[Any, Any]):
    """Raises WriteTimeoutError inward and closes the channel when a write is not in the kernel after `seconds`.

    The time of a write begins when it passes this handler. Raises: ValueError unless `seconds` is above 0.
    Source: Netty WriteTimeoutHandler, with one timer for all writes in flight.
    """

    def __init__(self, seconds: float) -> None:
        if not seconds > 0:
            raise ValueError(f"a timeout is a number of seconds above 0, not {seconds}")
        self._seconds = seconds
        self._pending: deque[_Timed] = deque()
        self._timer: Timer | None = None
        self._is_over = False

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Hand on with a promise that remembers its deadline."""
        timed = _Timed(promise, ctx.time() + self._seconds)
        self._pending.append(timed)
        if self._timer is None:
            self._timer = ctx.call_later(self._seconds, lambda: self._due(ctx))
        ctx.write(msg, timed)

    def handler_removed(self, ctx: Context) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pending.clear()

    def _due(self, ctx: Context) -> None:
        self._timer = None
        while self._pending and self._pending[0].is_done:
            self._pending.popleft()
        if not self._pending or self._is_over:
            return
        left = self._pending[0].deadline - ctx.time()
        if left > 0:
            self._timer = ctx.call_later(left, lambda: self._due(ctx))
            return
        self._is_over = True
        self._pending.clear()
        ctx.fire_exception_caught(WriteTimeoutError(self._seconds))
        ctx.close()


class _Timed:
    """A promise that knows its deadline, and whether it still matters."""

    __slots__ = ("_next", "deadline", "is_done")

    def __init__(self, promise: WritePromise | None, deadline: float) -> None:
        self._next = promise
        self.deadline = deadline
        self.is_done = False

    def succeed(self) -> None:
        """The write is in the kernel."""
        self.is_done = True
        if self._next is not None:
            self._next.succeed()

    def fail(self, exc: BaseException) -> None:
        """The write failed."""
        self.is_done = True
        if self._next is not None:
            self._next.fail(exc)
