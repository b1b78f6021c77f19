"""Time for handlers: a call some seconds from now, as an event of the handler that asked for it.

Owns    what a timer is, and the rule that a handler that left hears of nothing.
Never   a clock: the sink has one (the loop's in a channel, its own in an embedded one).
Always  what the call raises goes to `exception_caught` of the next handler inward, as from any callback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zbuf.pipeline._context import Context

__all__ = ["Task", "Timer"]


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Do not call. After the call, or again: no-op."""


class Task(Protocol):
    """A coroutine that runs by itself."""

    def cancel(self, msg: object = None) -> bool:
        """Ask it to stop; return whether it was still running."""


class HandlerCall:
    """What the sink calls when a handler's time has come."""

    __slots__ = ("_call", "_ctx")

    def __init__(self, ctx: Context, call: Callable[[], object]) -> None:
        self._ctx = ctx
        self._call = call

    def __call__(self) -> None:
        if self._ctx.is_removed:
            return
        try:
            self._call()
        except Exception as exc:
            self._ctx.fire_exception_caught(exc)
