"""Messages that are made while they are sent: iterators and asynchronous iterators of chunks.

Owns    the sources that wait and the one being drawn from.
Never   a chunk ahead: the next one is made only while the channel is writable, so a slow peer costs one high mark.
Always  messages keep their order, whatever they are; a write succeeds after its last chunk; each source is closed
        exactly once, on success, on failure, and when the channel closes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from zbuf.buffer import release
from zbuf.errors import ChannelClosedError
from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.pipeline import Context

__all__ = ["ChunkedWriteHandler"]


class ChunkedWriteHandler(Handler[Any, Any]):
    """Writes an iterator (a generator, for example) or an asynchronous one chunk by chunk, as the peer takes them.

    Whatever an iterator yields is written outward: buffers, bytes, regions, or messages for an encoder that stands
    nearer to the channel. Other messages pass, in their turn. A source that raises fails its write; the chunks before
    are sent already, so the stream is cut in the midst: the channel is closed, unless `close_on_error` is False.
    Ownership: takes the source, and closes it (`close()` or `aclose()`) where it has such a method.
    Source: Netty ChunkedWriteHandler, whose sources were closed too often or not at all (netty/netty#3413).
    """

    def __init__(self, *, close_on_error: bool = True) -> None:
        self._close_on_error = close_on_error
        self._waiting: deque[tuple[Any, WritePromise | None]] = deque()
        self._is_pumping = False
        self._task: Any = None
        self._is_flushed = False

    @property
    def pending(self) -> int:
        """How many messages wait here, the one being drawn from included."""
        return len(self._waiting)

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Take the message; it goes on when everything before it has."""
        if not self._waiting and not _is_source(msg):
            ctx.write(msg, promise)
            return
        self._waiting.append((msg, promise))
        self._pump(ctx)

    def flush(self, ctx: Context) -> None:
        """Also of the chunks that are not made yet."""
        self._is_flushed = bool(self._waiting)
        ctx.flush()

    def channel_writability_changed(self, ctx: Context) -> None:
        """There is room again, or none."""
        self._pump(ctx)
        ctx.fire_channel_writability_changed()

    def channel_inactive(self, ctx: Context) -> None:
        """Nothing can be sent any more."""
        self._give_up(ctx, ChannelClosedError())
        ctx.fire_channel_inactive()

    def handler_removed(self, ctx: Context) -> None:
        """What still waits cannot be sent."""
        self._give_up(ctx, ChannelClosedError("the handler that was writing chunks was removed"))

    def _pump(self, ctx: Context) -> None:
        """Write chunks while there is room. Re-entered (a write may change writability), the outer call goes on."""
        if self._is_pumping or self._task is not None:
            return
        self._is_pumping = True
        try:
            while self._waiting and ctx.channel.is_writable and self._step(ctx):
                pass
        finally:
            self._is_pumping = False
        if self._is_flushed:
            self._is_flushed = bool(self._waiting)
            ctx.flush()

    def _step(self, ctx: Context) -> bool:
        """Write the next chunk, or the next message that is none; return False where a task goes on instead."""
        msg, promise = self._waiting[0]
        if isinstance(msg, AsyncIterator):
            self._task = ctx.run(self._draw(ctx, msg))
            return False
        if not isinstance(msg, Iterator):
            self._waiting.popleft()
            ctx.write(msg, promise)
        else:
            try:
                chunk = next(msg)
            except StopIteration:
                self._finish(ctx)
            except Exception as exc:
                self._fail(ctx, exc)
            else:
                self._write_chunk(ctx, chunk)
        return True

    def _write_chunk(self, ctx: Context, chunk: Any) -> None:
        try:
            ctx.write(chunk, None)
        except Exception as exc:  # an encoder refused it, or the channel did
            if self._waiting:
                self._fail(ctx, exc)

    async def _draw(self, ctx: Context, source: AsyncIterator[Any]) -> None:
        """Draw from an asynchronous source until it ends; then the others go on."""
        failure: Exception | None = None
        try:
            async for chunk in source:
                if not self._waiting or self._waiting[0][0] is not source:
                    release(chunk)  # given up meanwhile
                    return
                ctx.write(chunk, None)
                if self._is_flushed:
                    ctx.flush()
                await ctx.channel.drain()
        except Exception as exc:
            failure = exc
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        self._task = None
        if not self._waiting or self._waiting[0][0] is not source:
            return
        if failure is None:
            self._finish(ctx)
        else:
            self._fail(ctx, failure)
        self._pump(ctx)

    def _finish(self, ctx: Context) -> None:
        """The source is used up. The empty message takes the promise through the queue, behind the last chunk."""
        source, promise = self._waiting.popleft()
        _close(source)
        if promise is not None:
            ctx.write(b"", promise)

    def _fail(self, ctx: Context, exc: Exception) -> None:
        source, promise = self._waiting.popleft()
        _close(source)
        if promise is not None:
            promise.fail(exc)
        if promise is None or self._close_on_error:
            ctx.fire_exception_caught(exc)
        if self._close_on_error:
            ctx.close()

    def _give_up(self, ctx: Context, exc: ChannelClosedError) -> None:
        task, self._task = self._task, None
        waiting, self._waiting = self._waiting, deque()
        if task is not None:
            task.cancel()  # it closes its source itself
        for at, (msg, promise) in enumerate(waiting):
            if isinstance(msg, Iterator):
                _close(msg)
            elif isinstance(msg, AsyncIterator):
                close = getattr(msg, "aclose", None)
                if close is not None and not (at == 0 and task is not None):
                    ctx.run(close())
            else:
                release(msg)
            if promise is not None:
                promise.fail(exc)


def _is_source(msg: Any) -> bool:
    return isinstance(msg, Iterator | AsyncIterator)


def _close(source: Any) -> None:
    """Close a plain source; an asynchronous one is closed by the task that draws from it."""
    close = getattr(source, "close", None)
    if close is not None and isinstance(source, Iterator):
        close()
