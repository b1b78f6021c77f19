"""A message-to-message decoder standing in a pipeline.

Owns    which messages it is asked about, the order of what comes out, what waits when reads are not automatic.
Never   bytes of a stream: `DecoderHandler` stands where those come in.
Always  each message that comes is released when the decoder is done with it, unless it is among the results; errors
        come in the place of their message; the decoder's end is run once.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from zbuf.codec import MessageToMessageDecoder
from zbuf.codec._base import release_counted
from zbuf.errors import CorruptedFrameError, DecodeError
from zbuf.pipeline._context import Context
from zbuf.pipeline._handler import Handler, InputShutdown

__all__ = ["MessageDecoderHandler"]


class MessageDecoderHandler(Handler[Any, Any]):
    """A `MessageToMessageDecoder` in a pipeline: its results go on in the place of the messages it accepts.

    Other messages pass through. A DecodeError goes to `exception_caught`; a CorruptedFrameError then closes the channel
    unless `close_on_error` is False. With automatic reads off each `read()` gives one message.
    Ownership: one decoder per handler, one handler per channel. Source: Netty MessageToMessageDecoder."""

    def __init__(self, decoder: MessageToMessageDecoder[Any, Any], *, close_on_error: bool = True) -> None:
        if not isinstance(decoder, MessageToMessageDecoder):
            raise TypeError(f"a MessageToMessageDecoder is needed, not {type(decoder).__name__}")
        self.decoder = decoder
        self.close_on_error = close_on_error
        self._start()

    def _start(self) -> None:
        self._waiting: deque[Any] = deque()
        self._busy = self._wanted = self._broken = self._ended = self._closing = self._produced = False

    def handler_added(self, ctx: Context) -> None:
        """Begin anew, also when this handler stood somewhere before."""
        self._start()

    def handler_removed(self, ctx: Context) -> None:
        """Hand on what waits, while a message is being delivered after it; give up what is not complete."""
        if not self._busy:
            self._give_all(ctx)

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Decode `msg` and hand the results on; what the decoder does not accept passes, in its turn."""
        if self._broken:
            release_counted(msg)
            return
        if isinstance(msg, self.decoder.accepts):
            self._decode(ctx, msg)
        else:
            self._waiting.append(msg)
        self._deliver(ctx)

    def channel_read_complete(self, ctx: Context) -> None:
        """Ask for more when reads are not automatic and nothing came out for the last `read()`."""
        self._produced = False
        ask = self._wanted and not ctx.pipeline.auto_read and not self._busy
        if ask:
            ctx.read()
        ctx.fire_channel_read_complete()

    def read(self, ctx: Context) -> None:
        """Answer with a message that waits, or ask the channel for more."""
        self._wanted = True
        if self._busy:
            return  # the loop that delivers will see it
        self._deliver(ctx)
        if self._produced:
            self._produced = False
            ctx.fire_channel_read_complete()
        if self._wanted:
            ctx.read()

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """The end of the input comes behind the last message; other events pass at once."""
        if isinstance(event, InputShutdown):
            self._waiting.append(_End(event))
            self._deliver(ctx)
        else:
            ctx.fire_user_event_triggered(event)

    def channel_inactive(self, ctx: Context) -> None:
        """Deliver what waits, wanted or not, and run the decoder's end."""
        self._closing = True
        self._waiting.append(_End(None))
        self._deliver(ctx)

    def _decode(self, ctx: Context, msg: Any) -> None:
        kept = False
        try:
            for result in self.decoder.decode(msg):
                kept = kept or result is msg
                self._waiting.append(result)
        except DecodeError as exc:
            self._waiting.append(_Failure(exc))
        finally:
            if not kept:
                release_counted(msg)

    def _deliver(self, ctx: Context) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting and self._may_deliver(ctx):
                self._hand_on(ctx, self._waiting.popleft())
            if ctx.is_removed:
                self._give_all(ctx)
        finally:
            self._busy = False

    def _may_deliver(self, ctx: Context) -> bool:
        if ctx.is_removed:
            return False
        is_message = not isinstance(self._waiting[0], _Failure | _End)
        return self._wanted or not is_message or self._closing or ctx.pipeline.auto_read

    def _hand_on(self, ctx: Context, item: Any) -> None:
        if isinstance(item, _Failure):
            ctx.fire_exception_caught(item.exc)
            if self.close_on_error and isinstance(item.exc, CorruptedFrameError) and not ctx.is_removed:
                self._break(ctx)
        elif isinstance(item, _End):
            self._end(ctx)
            if item.event is None:
                ctx.fire_channel_inactive()
            else:
                ctx.fire_user_event_triggered(item.event)
        else:
            self._wanted = False
            self._produced = True
            ctx.fire_channel_read(item)

    def _give_all(self, ctx: Context) -> None:
        """Removed: what was decoded goes on, what is not complete is given up."""
        while self._waiting:
            self._hand_on(ctx, self._waiting.popleft())
        self.decoder.reset()

    def _break(self, ctx: Context) -> None:
        """What comes from now on cannot be trusted."""
        self._broken = True
        kept = [item for item in self._waiting if isinstance(item, _End)]
        for item in self._waiting:
            release_counted(item)
        self._waiting = deque(kept)
        self.decoder.reset()
        ctx.close()

    def _end(self, ctx: Context) -> None:
        """Run the decoder's end, once, and close the round of reads if it had messages."""
        if self._ended:
            return
        self._ended = True
        try:
            self.decoder.end()
        except DecodeError as exc:
            ctx.fire_exception_caught(exc)
        if self._produced:
            self._produced = False
            ctx.fire_channel_read_complete()


class _Failure:
    """A DecodeError in its place among the messages."""

    __slots__ = ("exc",)

    def __init__(self, exc: DecodeError) -> None:
        self.exc = exc


class _End:
    """The end of the input in its place behind the messages: half-closed by `event`, or wholly (None)."""

    __slots__ = ("event",)

    def __init__(self, event: object) -> None:
        self.event = event
