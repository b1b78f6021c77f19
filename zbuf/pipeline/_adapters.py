"""Codecs standing in a pipeline: thin, because decoders and encoders do the work.

Owns    when a decoder is fed and asked, in which order its messages, errors and end are reported; that the parts of a
        message are written as one.
Never   a wire format, sockets.
Always  messages come out in the order of their bytes, those before an error first; what comes while a message is being
        delivered waits its turn; a decoder's end is run once; a message that cannot be encoded is released whole.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import NEED_DATA, DecoderCore, Encoder, release_counted
from zbuf.codec._length_field import PrependerCore
from zbuf.errors import CorruptedFrameError, DecodeError, ReferenceCountError
from zbuf.pipeline._context import Context, Inner
from zbuf.pipeline._handler import Handler, InputShutdown

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.codec._base import Decoder

__all__ = ["CodecHandler", "DecoderHandler", "EncoderHandler"]

T = TypeVar("T")
M = TypeVar("M")
_NEED_DATA: Any = NEED_DATA
READ, INACTIVE, EVENT = 0, 1, 2  # what may have to wait in `_later`
BYTES_LIKE = (bytes, bytearray, memoryview)


class DecoderInner(Inner):
    """The compiled half of `DecoderHandler`.

    Three states besides the decoder's own: `_busy` while messages are being delivered (what comes meanwhile waits in
    `_later`), `_wanted` when a `read()` is not answered yet, `_broken` when the framing is lost and input is dropped.
    """

    def __init__(self, decoder: Any, *, close_on_error: bool = True) -> None:
        self.decoder = decoder
        self.close_on_error = close_on_error
        kind = type(decoder)
        if not isinstance(decoder, DecoderCore):
            raise TypeError(f"a Decoder is needed, not {kind.__name__}")
        plain = kind.next is DecoderCore.next and kind.feed is DecoderCore.feed
        self._core: DecoderCore | None = decoder if plain else None  # called directly, unless a subclass overrides
        self._later: deque[tuple[int, Any]] | None = None  # made when something has to wait
        self._start()

    def _start(self) -> None:
        self._busy = self._wanted = self._produced = False
        self._broken = self._ended = self._closing = False

    # What the pipeline calls.

    def handler_added(self, ctx: Context) -> None:
        """Begin anew, also when this handler stood somewhere before."""
        self._later = None
        self._start()

    def handler_removed(self, ctx: Context) -> None:
        """Hand the unread bytes on; while a message is being delivered, after it."""
        if not self._busy:
            self._hand_on(ctx)

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Feed the decoder and deliver what comes out; what is not bytes passes on, in its turn."""
        self.inner_read(ctx, msg)

    def channel_read_complete(self, ctx: Context) -> None:
        """Ask for more when reads are not automatic and nothing came out for the last `read()`."""
        self.inner_read_complete(ctx)

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """The end of the input comes behind the last message; other events pass at once."""
        if isinstance(event, InputShutdown):
            self._queue(EVENT, event)
            self._work(ctx)
        else:
            ctx.fire_user_event_triggered(event)

    def channel_inactive(self, ctx: Context) -> None:
        """Deliver what is left, wanted or not, and run the decoder's end."""
        self._closing = True
        self._queue(INACTIVE, None)
        self._work(ctx)

    def read(self, ctx: Context) -> None:
        """Answer with a message that is waiting, or ask the channel for more."""
        self._wanted = True
        if self._busy:
            return  # the loop that delivers will see it
        if self._later or self.decoder.buffered:
            self._work(ctx)
            if self._produced:
                self._produced = False
                ctx.fire_channel_read_complete()
        if self._wanted:
            ctx.read()

    # The same, called without a Python call.

    def inner_read(self, ctx: Context, msg: Any) -> None:
        """Feed the decoder and deliver what comes out."""
        if self._busy or self._later or self._broken:
            self._queue(READ, msg)
            self._work(ctx)
        else:
            self._busy = True
            try:
                self._feed(ctx, msg)
                if self._deliver(ctx) and self._later:
                    self._next_thing(ctx)
            finally:
                self._busy = False

    def inner_read_complete(self, ctx: Context) -> None:
        """Pass it on, and ask for more where that is our part."""
        self._produced = False
        if self._wanted and not ctx._ends.auto_read and not self._busy:
            ctx.read()
        ctx.fire_channel_read_complete()

    # The loop.

    def _queue(self, kind: int, what: Any) -> None:
        if self._later is None:
            self._later = deque()
        self._later.append((kind, what))

    def _work(self, ctx: Context) -> None:
        """Deliver what may be delivered, then what waits in `_later`, in order."""
        if self._busy:
            return
        self._busy = True
        try:
            if self._deliver(ctx):
                self._next_thing(ctx)
        finally:
            self._busy = False

    def _next_thing(self, ctx: Context) -> None:
        """Take what waited, one after the other, as long as its messages may be delivered."""
        more = True
        while more and self._later:
            kind, what = self._later.popleft()
            if kind == READ:
                self._feed(ctx, what)
                more = self._deliver(ctx)
            else:
                self._end(ctx)
                if kind == INACTIVE:
                    ctx.fire_channel_inactive()
                else:
                    ctx.fire_user_event_triggered(what)
                more = not ctx.is_removed
        if ctx.is_removed:
            self._hand_on(ctx)

    def _feed(self, ctx: Context, msg: Any) -> None:
        if self._broken:
            release_counted(msg)
        elif isinstance(msg, ByteBuf):
            buf: ByteBuf = msg
            if self._core is not None and buf._refcnt == 1:
                self._core.accept(buf)  # the object itself was handed over: no need for a new handle
            else:
                self.decoder.feed(msg)
        elif isinstance(msg, BYTES_LIKE):
            self.decoder.feed(msg)
        else:
            ctx.fire_channel_read(msg)

    def _deliver(self, ctx: Context) -> bool:
        """Deliver messages until the decoder needs data (True), or no more are wanted here (False)."""
        if ctx.is_removed:
            self._hand_on(ctx)
            return False
        stuck = -1
        while self._wanted or ctx._ends.auto_read or self._closing:
            try:
                message = self._core.take() if self._core is not None else self.decoder.next()
            except DecodeError as exc:
                stuck = self._report(ctx, exc, stuck)
                if stuck == -1:
                    return not ctx.is_removed
                continue
            if message is _NEED_DATA:
                return True
            self._wanted = False
            self._produced = True
            ctx.fire_channel_read(message)
            if ctx.is_removed:
                self._hand_on(ctx)
                return False
        return not self.decoder.buffered

    def _report(self, ctx: Context, exc: DecodeError, stuck: int) -> int:
        """Report wrong bytes. Return -1 to stop, else how many bytes are left (two errors at one place stop, too)."""
        ctx.fire_exception_caught(exc)
        if ctx.is_removed:
            self._hand_on(ctx)
            return -1
        if self.close_on_error and isinstance(exc, CorruptedFrameError):
            self._broken = True
            self.decoder.leftover().release()
            ctx.close()
            return -1
        left: int = self.decoder.buffered
        return -1 if left == stuck else left

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

    def _hand_on(self, ctx: Context) -> None:
        """Once removed: its unread bytes, then all that waited, go to the next one as they are."""
        rest = self.decoder.leftover()
        handed = rest.is_readable
        if handed:
            ctx.fire_channel_read(rest)
        else:
            rest.release()
        while self._later:
            kind, what = self._later.popleft()
            if kind == READ:
                handed = True
                ctx.fire_channel_read(what)
            elif kind == INACTIVE:
                ctx.fire_channel_inactive()
            else:
                ctx.fire_user_event_triggered(what)
        if handed and not self._busy:
            ctx.fire_channel_read_complete()


class DecoderHandler(DecoderInner, Handler[Any, Any]):
    """A decoder in a pipeline: bytes come in, its messages go on.

    Messages that are no bytes pass through. A DecodeError goes to `exception_caught` behind the messages before it; a
    CorruptedFrameError then closes the channel unless `close_on_error` is False, otherwise decoding goes on. Removed,
    it hands the unread bytes on. At the end of the input the decoder's `end()` is run, once. With automatic reads off
    each `read()` gives one message.
    Ownership: one decoder per handler, one handler per channel. Source: Netty ByteToMessageDecoder."""

    if TYPE_CHECKING:

        def __init__(self, decoder: Decoder[Any], *, close_on_error: bool = True) -> None: ...


class EncodeStep:
    """What both encoding handlers do with a message."""

    def __init__(self, encoder: Encoder[Any]) -> None:
        self.encoder = encoder
        self._accepts = type(encoder).accepts
        plain = getattr(type(encoder), "encode", None) is PrependerCore.encode and ByteBuf in _as_tuple(self._accepts)
        self._prepender: Any = encoder if plain else None  # called directly, unless a subclass overrides

    def write(self, ctx: Context, msg: Any, promise: Any) -> None:
        """Write the parts of `msg`, whose handle is still the writer's own."""
        if self._prepender is not None and isinstance(msg, ByteBuf):
            self._write_framed(ctx, msg, promise)
        else:
            self._write_slow(ctx, msg, promise)

    def _write_framed(self, ctx: Context, buf: ByteBuf, promise: Any) -> None:
        """As `_write_slow` for a header and the very message, without a detour through Python."""
        if buf._refcnt == 0:
            raise ReferenceCountError("the buffer was released", refcnt=0)
        try:
            if ctx._ends.prefers_bytes and ctx.is_outermost():
                ctx.pass_write(self._prepender.header_bytes(buf._writer - buf._reader), None)
            else:
                ctx.pass_write(self._prepender.header(buf._writer - buf._reader, ctx._ends.allocator), None)
        except BaseException:
            buf.release()
            raise
        try:
            ctx.pass_write(buf, promise)
        except BaseException:
            ctx.close()  # the peer would take what follows for the rest of this message
            raise

    def _write_slow(self, ctx: Context, msg: Any, promise: Any) -> None:
        if isinstance(msg, ByteBuf):
            msg = msg.move()
        if not isinstance(msg, self._accepts):
            ctx.pass_write(msg, promise)
            return
        parts: list[Any] = []
        try:
            for part in self.encoder.encode(msg, ctx._ends.allocator):
                parts.append(part)  # one by one: what came before an error must be released
        except BaseException:
            for part in parts:
                if part is not msg:
                    release_counted(part)
            release_counted(msg)
            raise
        is_part = False
        for part in parts:
            is_part = is_part or part is msg
        if not is_part:
            release_counted(msg)
        self._send(ctx, parts, promise)

    def _send(self, ctx: Context, parts: list[Any], promise: Any) -> None:
        """Write all parts as one: the promise goes with the last; none at all completes it here."""
        if not parts:
            if promise is not None:
                promise.succeed()
            return
        last = len(parts) - 1
        at = 0
        try:
            while at < last:
                ctx.pass_write(parts[at], None)
                at += 1
            ctx.pass_write(parts[last], promise)
        except BaseException:
            for part in parts[at + 1 :]:
                release_counted(part)
            if at:
                ctx.close()  # the peer would take what follows for the rest of this message
            raise


class EncoderInner(Inner):
    """The compiled half of `EncoderHandler`."""

    def __init__(self, encoder: Any) -> None:
        self._step = EncodeStep(encoder)

    @property
    def encoder(self) -> Any:
        """The encoder."""
        return self._step.encoder

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Write the parts that the encoder makes of `msg`; what it does not accept passes on."""
        self._step.write(ctx, msg, promise)

    def inner_write(self, ctx: Context, msg: Any, promise: Any) -> None:
        """Write the parts that the encoder makes of `msg`."""
        self._step.write(ctx, msg, promise)


class EncoderHandler(EncoderInner, Handler[Any, Any]):
    """An encoder in a pipeline: messages come from further in, their parts go out in order, as one write.

    The promise goes with the last part; a message of no parts completes it. The message is released when the encoder
    is done with it, also when that raises. A write that fails after its first part closes the channel, because the
    peer could no longer tell where the message ends.
    Source: Netty MessageToByteEncoder and MessageToMessageEncoder."""

    if TYPE_CHECKING:

        def __init__(self, encoder: Encoder[Any]) -> None: ...


class CodecInner(DecoderInner):
    """The compiled half of `CodecHandler`."""

    def __init__(self, decoder: Any, encoder: Any, *, close_on_error: bool = True) -> None:
        super().__init__(decoder, close_on_error=close_on_error)
        self._step = EncodeStep(encoder)

    @property
    def encoder(self) -> Any:
        """The encoder."""
        return self._step.encoder

    def write(self, ctx: Context, msg: Any, promise: WritePromise | None) -> None:
        """Write the parts that the encoder makes of `msg`; what it does not accept passes on."""
        self._step.write(ctx, msg, promise)

    def inner_write(self, ctx: Context, msg: Any, promise: Any) -> None:
        """Write the parts that the encoder makes of `msg`."""
        self._step.write(ctx, msg, promise)


class CodecHandler(CodecInner, Handler[Any, Any]):
    """A decoder and an encoder at one place of a pipeline: DecoderHandler inward, EncoderHandler outward."""

    if TYPE_CHECKING:

        def __init__(self, decoder: Decoder[Any], encoder: Encoder[Any], *, close_on_error: bool = True) -> None: ...


def _as_tuple(kinds: type | tuple[type, ...]) -> tuple[type, ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)
