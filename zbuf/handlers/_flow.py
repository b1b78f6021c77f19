"""One message for each read(), also where a handler makes several of one.

Owns    the messages that nobody has asked for yet.
Never   a bound of its own: while messages wait here the channel is not asked for more, so what one receive brought is
        all there is.
Always  with automatic reads on it lets everything through; messages keep their order; those left at the end are
        released.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from zbuf.buffer import release
from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf.pipeline import Context

__all__ = ["FlowControlHandler"]


class FlowControlHandler(Handler[Any, Any]):
    """Holds messages back while automatic reads are off and hands on one for each `read()`.

    zbuf's own decoders do so by themselves; put this behind handlers that turn one message into many.
    Ownership: it owns what it holds, and releases it when it leaves the pipeline of a closed channel; removed from an
    open one it hands everything on. Source: Netty FlowControlHandler.
    """

    def __init__(self) -> None:
        self._held: deque[Any] = deque()
        self._asked = 0
        self._is_passing = False

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Keep the message, then hand on as many as were asked for."""
        self._held.append(msg)
        self._pass(ctx)

    def channel_read_complete(self, ctx: Context) -> None:
        """Told at once only when nothing is held: else it follows the last message."""
        if not self._held:
            ctx.fire_channel_read_complete()

    def read(self, ctx: Context) -> None:
        """Answer from what is held; only an empty handler asks the channel."""
        self._asked += 1
        if not self._held:
            ctx.read()
        elif self._pass(ctx):
            ctx.fire_channel_read_complete()

    def handler_removed(self, ctx: Context) -> None:
        """Nothing stays behind."""
        while self._held:
            msg = self._held.popleft()
            if ctx.channel.is_open:
                ctx.fire_channel_read(msg)
            else:
                release(msg)

    def _pass(self, ctx: Context) -> bool:
        """Hand on what was asked for; return whether anything was. Re-entered, the outer call goes on."""
        if self._is_passing:
            return False
        self._is_passing = True
        passed = False
        try:
            while self._held and (self._asked or ctx.pipeline.auto_read) and not ctx.is_removed:
                self._asked = max(0, self._asked - 1)
                passed = True
                ctx.fire_channel_read(self._held.popleft())
        finally:
            self._is_passing = False
        return passed
