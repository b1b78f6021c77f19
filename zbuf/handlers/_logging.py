"""Every event of a channel as a line in the log, with the bytes if wanted.

Owns    the words for the events, and the bound on what is dumped.
Never   a message: it looks and hands on; indices stay.
Always  nothing is formatted unless the logger wants it. The dump shows payload: leave it off where that is secret.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from zbuf.buffer import ByteBuf, pretty_hex_dump
from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.pipeline import Context

__all__ = ["LoggingHandler"]


class LoggingHandler(Handler[Any, Any]):
    """Logs what passes: `[<Channel 3 open, peer ...>] READ: 12 bytes`, and below it the hex dump.

    `logger`: a logger or the name of one. `level`: of every line. `dump_bytes`: of each buffer so many bytes are shown
    at most, 0 for none. One instance may stand in many pipelines. Ownership: none; messages pass untouched.
    Source: Netty LoggingHandler.
    """

    sharable = True

    def __init__(
        self, logger: logging.Logger | str = "zbuf.channel", level: int = logging.DEBUG, *, dump_bytes: int = 1024
    ) -> None:
        if dump_bytes < 0:
            raise ValueError(f"dump_bytes must not be negative: {dump_bytes}")
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._level = level
        self._dump_bytes = dump_bytes

    def _log(self, ctx: Context, event: str, *, exc: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(self._level):
            self._logger.log(self._level, "[%r] %s", ctx.channel, event, exc_info=exc)

    def _log_message(self, ctx: Context, event: str, msg: Any) -> None:
        if self._logger.isEnabledFor(self._level):
            self._logger.log(self._level, "[%r] %s: %s", ctx.channel, event, self._shown(msg))

    def _shown(self, msg: Any) -> str:
        if isinstance(msg, ByteBuf):
            size = msg.readable_bytes
        elif isinstance(msg, bytes | bytearray | memoryview):
            size = memoryview(msg).nbytes
        else:
            return repr(msg)
        if not size or not self._dump_bytes:
            return f"{size} bytes"
        shown = min(size, self._dump_bytes)
        if isinstance(msg, ByteBuf):
            dump = pretty_hex_dump(msg, length=shown)
        else:
            dump = pretty_hex_dump(memoryview(msg).cast("B")[:shown])
        rest = f"\n{size - shown} bytes more" if shown < size else ""
        return f"{size} bytes\n{dump}{rest}"

    def handler_added(self, ctx: Context) -> None:
        """Log that the logging begins."""
        self._log(ctx, f"ADDED as {ctx.name!r}")

    def handler_removed(self, ctx: Context) -> None:
        """Log that the logging ends."""
        self._log(ctx, "REMOVED")

    def channel_active(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "ACTIVE")
        ctx.fire_channel_active()

    def channel_inactive(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "INACTIVE")
        ctx.fire_channel_inactive()

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Log and hand on."""
        self._log_message(ctx, "READ", msg)
        ctx.fire_channel_read(msg)

    def channel_read_complete(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "READ COMPLETE")
        ctx.fire_channel_read_complete()

    def channel_writability_changed(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "WRITABLE" if ctx.channel.is_writable else "NOT WRITABLE")
        ctx.fire_channel_writability_changed()

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """Log and hand on."""
        self._log(ctx, f"USER EVENT: {event!r}")
        ctx.fire_user_event_triggered(event)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """Log with the traceback, and hand on."""
        self._log(ctx, f"EXCEPTION: {type(exc).__name__}: {exc}", exc=exc)
        ctx.fire_exception_caught(exc)

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Log and hand on."""
        self._log_message(ctx, "WRITE", msg)
        ctx.write(msg, promise)

    def flush(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "FLUSH")
        ctx.flush()

    def read(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "READ REQUEST")
        ctx.read()

    def close(self, ctx: Context) -> None:
        """Log and hand on."""
        self._log(ctx, "CLOSE")
        ctx.close()
