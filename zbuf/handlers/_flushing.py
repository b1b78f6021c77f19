"""Fewer flushes: those asked for while messages are being read become one at the end.

Owns    the count of flushes that wait.
Never   a write; what is written passes untouched.
Always  no flush is lost: it goes out with channel_read_complete, after `flush_after` of them, with the next event of
        the loop, before a close, or when the handler leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf.pipeline import Context, Timer

__all__ = ["FlushConsolidationHandler"]


class FlushConsolidationHandler(Handler[Any, Any]):
    """Makes one flush of many. For channels with `auto_flush` off: the others flush once per turn by themselves.

    `flush_after`: so many flushes go out without waiting for more. `consolidate_when_idle`: also join flushes asked
    for outside of reading, until the loop's next turn. Raises: ValueError if `flush_after` is below 1.
    Source: Netty FlushConsolidationHandler, 256 as there.
    """

    def __init__(self, flush_after: int = 256, *, consolidate_when_idle: bool = False) -> None:
        if flush_after < 1:
            raise ValueError(f"flush_after is at least 1, not {flush_after}")
        self._flush_after = flush_after
        self._when_idle = consolidate_when_idle
        self._waiting = 0
        self._is_reading = False
        self._timer: Timer | None = None

    def flush(self, ctx: Context) -> None:
        """Wait with this one if more may follow."""
        if not self._is_reading and not self._when_idle:
            ctx.flush()
            return
        self._waiting += 1
        if self._waiting >= self._flush_after:
            self._flush(ctx)
        elif not self._is_reading and self._timer is None:
            self._timer = ctx.call_later(0, lambda: self._flush(ctx))

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """From here to channel_read_complete flushes are joined."""
        self._is_reading = True
        ctx.fire_channel_read(msg)

    def channel_read_complete(self, ctx: Context) -> None:
        """Flush what waits, after the handlers further in have had their say."""
        ctx.fire_channel_read_complete()
        self._is_reading = False
        self._flush(ctx)

    def channel_writability_changed(self, ctx: Context) -> None:
        """A full queue is flushed without waiting."""
        if not ctx.channel.is_writable:
            self._flush(ctx)
        ctx.fire_channel_writability_changed()

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """What was written before the exception goes out first."""
        self._is_reading = False
        self._flush(ctx)
        ctx.fire_exception_caught(exc)

    def close(self, ctx: Context) -> None:
        """What was written before the close goes out first."""
        self._is_reading = False
        self._flush(ctx)
        ctx.close()

    def handler_removed(self, ctx: Context) -> None:
        """Nothing stays behind."""
        self._flush(ctx)

    def _flush(self, ctx: Context) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._waiting = 0
            ctx.flush()
