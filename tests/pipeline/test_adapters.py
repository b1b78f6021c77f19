"""Codecs in a pipeline: order, errors, the end of the input, automatic reads off, parts written as one."""

import pytest

from tests.pipeline.kit import Catcher, Promise, Recorder
from zbuf import ByteBuf, Pool, copied, wrap
from zbuf.codec import Decoder, Encoder, LengthFieldBasedFrameDecoder, LengthFieldPrepender, Limits
from zbuf.errors import (
    ChannelClosedError,
    CorruptedFrameError,
    EncodeError,
    IncompleteFrameError,
    LimitExceededError,
    ReferenceCountError,
    TooLongFrameError,
    UnsupportedMessageError,
    WriteLimitError,
)
from zbuf.pipeline import CodecHandler, DecoderHandler, EncoderHandler, Handler
from zbuf.testing import EmbeddedChannel


def frames(*contents):
    """The bytes of frames with one byte of length."""
    return b"".join(bytes([len(content)]) + content for content in contents)


def decoder(longest=64):
    """A decoder of such frames."""
    return LengthFieldBasedFrameDecoder(longest, 0, 1, 0, 1)


class Slow(Decoder):
    """The same frames by a parser in Python; 0xff is no length."""

    def parse(self, buf):
        n = buf.get_unsigned_byte(buf.reader_index)
        if n == 255:
            buf.skip_bytes(1)
            raise CorruptedFrameError("255 is no length")
        if not buf.can_read(1 + n):
            return self.need(1 + n)
        buf.skip_bytes(1)
        return buf.read_bytes(n)


class Overridden(DecoderHandler):
    """A subclass in Python: the pipeline must call it, not what lies below."""

    reads = 0

    def channel_read(self, ctx, msg):
        self.reads += 1
        super().channel_read(ctx, msg)


@pytest.fixture(params=["compiled parser", "parser in Python", "handler overridden", "codec handler"])
def handler(request):
    """A handler for one-byte length frames, in each of the ways it may be called."""
    return {
        "compiled parser": lambda: DecoderHandler(decoder()),
        "parser in Python": lambda: DecoderHandler(Slow()),
        "handler overridden": lambda: Overridden(Slow()),
        "codec handler": lambda: CodecHandler(decoder(), LengthFieldPrepender(1)),
    }[request.param]()


# Reading.


def test_messages_come_out_in_order(handler):
    """Whole frames, cut frames and empty ones, in whatever pieces they come."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    data = frames(b"a", b"", b"bcd", b"e" * 40)
    channel.write_inbound(data[:3])
    for at in range(3, len(data)):
        channel.write_inbound(data[at : at + 1])
    assert catcher.messages == [b"a", b"", b"bcd", b"e" * 40]


def test_overridden_handler_is_called():
    """Compiled or not, a subclass sees every read."""
    handler = Overridden(decoder())
    channel = EmbeddedChannel(handler, Catcher())
    channel.write_inbound(b"\x01", b"a")
    assert handler.reads == 2


def test_decoder_handler_needs_a_decoder():
    """Anything else is refused when the handler is made."""
    with pytest.raises(TypeError):
        DecoderHandler(LengthFieldPrepender(2))


def test_what_is_no_bytes_passes_through(handler):
    """Other messages pass the decoder untouched, between the messages of the bytes around them."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.write_inbound(copied(b"\x01a\x02"), {"other": 1}, copied(b"bc"))
    assert catcher.messages == [b"a", {"other": 1}, b"bc"]


def test_fed_buffers_are_taken(handler):
    """A buffer handed to the decoder is the decoder's; a retained one keeps a count for its holder."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    kept = copied(frames(b"ab")).retain()
    channel.write_inbound(kept)
    assert kept.refcnt == 1 and kept == frames(b"ab")
    dead = copied(b"x")
    dead.release()
    channel.write_inbound(dead)
    assert catcher.exceptions == [ReferenceCountError] and catcher.messages == [b"ab"]


def test_reentrant_read_is_handled_afterwards_in_order_b170(handler):
    """Bytes that arrive while a message is being delivered wait until the messages before them are through."""
    seen = []

    class Again(Handler):
        def channel_read(self, ctx, msg):
            content = bytes(msg)
            seen.append(content)
            if content == b"1":
                ctx.pipeline.fire_channel_read(copied(frames(b"3", b"4")))
                ctx.pipeline.fire_channel_read("object")
                seen.append("1 done")

    class Objects(Handler):
        def channel_read(self, ctx, msg):
            seen.append(msg) if isinstance(msg, str) else ctx.fire_channel_read(msg)

    channel = EmbeddedChannel(handler, Objects(), Again())
    channel.write_inbound(frames(b"1", b"2"))
    assert seen == [b"1", "1 done", b"2", b"3", b"4", "object"]


def test_removed_in_its_own_message_hands_on_the_rest_b170(handler):
    """The earlier messages first, then the unread bytes as they are, then what was waiting."""
    catcher = Catcher()

    class Upgrades(Handler):
        def channel_read(self, ctx, msg):
            switch = isinstance(msg, (bytes, ByteBuf)) and bytes(msg) == b"switch"
            if switch:
                ctx.pipeline.fire_channel_read(copied(b"queued"))
                ctx.pipeline.remove(handler)
            ctx.fire_channel_read(msg)

    channel = EmbeddedChannel(handler, Upgrades(), catcher)
    channel.write_inbound(frames(b"a", b"switch") + b"\x7fraw bytes")
    channel.write_inbound(b"later")
    assert catcher.messages == [b"a", b"switch", b"\x7fraw bytes", b"queued", b"later"]


def test_removed_between_reads_hands_on_the_rest_once_b170(handler):
    """Half a frame goes on as bytes when the decoder is taken out, followed by channel_read_complete."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.write_inbound(frames(b"a") + b"\x05half")
    del catcher.events[:]
    channel.pipeline.remove(handler)
    assert catcher.messages == [b"a", b"\x05half"] and catcher.events == ["complete"]
    channel.finish()
    assert catcher.messages == [b"a", b"\x05half"]


def test_replaced_by_another_decoder_hands_it_the_rest():
    """Half a frame is finished by the decoder that takes the place."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(decoder()), catcher)
    channel.write_inbound(frames(b"a") + b"\x05he")
    channel.pipeline.replace("DecoderHandler#0", "new", DecoderHandler(Slow()))
    channel.write_inbound(b"llo")
    assert catcher.messages == [b"a", b"hello"]


def test_handler_can_be_added_again_after_removal():
    """State of the first life does not leak into the second, its end included."""
    handler, catcher = DecoderHandler(Slow()), Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.write_inbound(b"\xff" + frames(b"lost"))
    assert not channel.is_open and catcher.exceptions == [CorruptedFrameError]
    channel.pipeline.remove(handler)
    again = EmbeddedChannel(handler, Catcher())
    again.write_inbound(frames(b"a"))
    assert again.pipeline.get("Catcher#0").messages == [b"a"]


# Errors.


def negative():
    """A decoder whose field counts itself and one byte more: less than 2 is corrupt."""
    return LengthFieldBasedFrameDecoder(64, 0, 1, -2, 1)


@pytest.mark.parametrize(
    ("make", "good", "bad"),
    [
        (lambda: DecoderHandler(negative()), b"\x03a", b"\x01"),
        (lambda: CodecHandler(negative(), LengthFieldPrepender(1)), b"\x03a", b"\x01"),
        (lambda: Overridden(Slow()), b"\x01a", b"\xff"),
    ],
    ids=["compiled parser", "codec handler", "parser in Python"],
)
def test_messages_before_an_error_come_first_then_it_closes_b171(make, good, bad):
    """The corrupted frame is reported behind the messages before it; then the channel closes; the rest is dropped."""
    order, catcher = [], Catcher()
    channel = EmbeddedChannel(make(), Recorder("after", order), catcher)
    del order[:]
    channel.write_inbound(good + good + bad + good)
    events = [line.split()[1] for line in order]
    assert events == ["channel_read", "channel_read", "exception_caught", "channel_read_complete", "channel_inactive"]
    assert catcher.exceptions == [CorruptedFrameError] and catcher.messages == [b"a", b"a"]
    assert not channel.is_open
    with pytest.raises(ChannelClosedError):
        channel.write_inbound(good)


def test_input_behind_a_corrupted_frame_is_dropped():
    """While the close is under way the rest of the input is released, not decoded."""
    pool, catcher = Pool(), Catcher()

    class KeepsOpen(Handler):
        def close(self, ctx):
            catcher.events.append("close asked")

    channel = EmbeddedChannel(KeepsOpen(), DecoderHandler(Slow()), catcher)
    for _ in range(2):
        piece = pool.buffer(8)
        piece.write_bytes(b"\xff" + frames(b"a"))
        channel.write_inbound(piece)
    assert catcher.messages == [] and catcher.exceptions == [CorruptedFrameError]
    assert catcher.events == ["close asked", "complete", "complete"]
    assert pool.statistics().live_blocks == 0


def test_close_on_error_false_goes_on_at_the_next_frame_b171():
    """The error is reported, the frame behind it decodes, the channel stays open."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(Slow(), close_on_error=False), catcher)
    channel.write_inbound(frames(b"a") + b"\xff" + frames(b"b") + b"\xff", frames(b"c"))
    assert catcher.messages == [b"a", b"b", b"c"] and catcher.exceptions == [CorruptedFrameError] * 2
    assert channel.is_open


def test_too_long_frame_is_reported_and_skipped_b171():
    """A frame that is too long leaves the framing intact: reported, skipped, and the channel stays open."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(decoder(longest=4)), catcher)
    channel.write_inbound(frames(b"ab", b"too long", b"cd"))
    assert catcher.messages == [b"ab", b"cd"] and catcher.exceptions == [TooLongFrameError] and channel.is_open


def test_unhandled_decode_error_closes_the_channel():
    """Nobody handles it: it is raised by the test's next call, and the channel is closed."""
    channel = EmbeddedChannel(DecoderHandler(decoder(longest=4)))
    with pytest.raises(TooLongFrameError):
        channel.write_inbound(frames(b"too long"))
    assert not channel.is_open


def test_a_decoder_that_never_gets_past_an_error_does_not_loop():
    """A parser that raises at the same place for ever is reported a bounded number of times per read."""

    class Wedged(Decoder):
        def parse(self, buf):
            raise CorruptedFrameError("here")

    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(Wedged(), close_on_error=False), catcher)
    channel.write_inbound(b"abc")
    assert 1 <= len(catcher.exceptions) <= 2
    channel.write_inbound(b"d")
    assert len(catcher.exceptions) <= 4


def test_a_mistake_of_the_parser_is_reported_and_decoding_can_go_on():
    """An exception that is no DecodeError is the parser's own fault: the next handler hears of it."""

    class Faulty(Slow):
        failed = False

        def parse(self, buf):
            if not self.failed:
                self.failed = True
                raise KeyError("a mistake")
            return super().parse(buf)

    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(Faulty()), catcher)
    channel.write_inbound(frames(b"a"))
    channel.write_inbound(frames(b"b"))
    assert catcher.exceptions == [KeyError] and catcher.messages == [b"a", b"b"]


def test_too_many_messages_are_reported_and_none_is_lost():
    """The flood is reported for each piece; with nobody caring, the messages still come."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(Slow(Limits(max_messages_per_feed=3))), catcher)
    channel.write_inbound(frames(*[b"x"] * 7))
    assert catcher.messages == [b"x"] * 7
    assert set(catcher.exceptions) == {LimitExceededError}


# The end of the input.


@pytest.mark.parametrize("end", ["shutdown", "close", "both"])
def test_end_of_input_runs_the_decoders_end_once_b169(handler, end):
    """A cut frame raises IncompleteFrameError, once, before the event that says the input has ended."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.write_inbound(frames(b"a") + b"\x05cut")
    del catcher.events[:]
    if end != "close":
        channel.shutdown_input()
        assert catcher.exceptions == [IncompleteFrameError] and catcher.events == ["InputShutdown"]
        assert (catcher.last.buffered, catcher.last.needed) == (4, 2)
    if end != "shutdown":
        channel.close()
        assert catcher.events[-1] == "inactive"
    assert catcher.exceptions == [IncompleteFrameError] and catcher.messages == [b"a"]


def test_the_decoders_end_is_called_once_b169():
    """Half-closure, then the close: `end()` runs at the first of them only."""

    class Counts(Slow):
        ends = 0

        def end(self):
            self.ends += 1
            super().end()

    counts = Counts()
    channel = EmbeddedChannel(DecoderHandler(counts), Catcher())
    channel.shutdown_input()
    channel.shutdown_input()
    channel.finish()
    assert counts.ends == 1


def test_end_of_input_between_frames_is_silent_b169(handler):
    """Nothing was cut, nothing is reported."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.write_inbound(frames(b"a"))
    channel.shutdown_input()
    channel.finish()
    assert catcher.exceptions == [] and catcher.events == ["complete", "InputShutdown", "inactive"]


def test_closing_while_a_message_is_delivered_keeps_the_order_b169():
    """The messages of the same read come first, then the end: nothing comes behind channel_inactive."""
    catcher = Catcher()

    class Closes(Handler):
        def channel_read(self, ctx, msg):
            ctx.fire_channel_read(msg)
            ctx.pipeline.fire_channel_inactive()

    channel = EmbeddedChannel(DecoderHandler(decoder()), Closes(), catcher)
    channel.pipeline.fire_channel_read(copied(frames(b"a", b"b") + b"\x09cut"))
    assert catcher.messages == [b"a", b"b"]
    assert catcher.exceptions == [IncompleteFrameError] and catcher.events[:2] == ["complete", "inactive"]


def test_other_user_events_pass_at_once(handler):
    """Only the end of the input waits for its turn."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.pipeline.fire_user_event_triggered(5)
    assert catcher.events == ["int"]


# Automatic reads off.


def test_auto_read_off_gives_one_message_per_read_b168(handler):
    """However many messages one receive brought, each read() gives one; none comes before the first."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.pipeline.auto_read = False
    channel.write_inbound(frames(b"a", b"b", b"c"))
    assert catcher.messages == []
    for n in range(1, 4):
        channel.read()
        assert catcher.messages == [b"a", b"b", b"c"][:n]
        assert channel.read_requests == 0
    assert catcher.events == ["complete"] * 4
    channel.read()
    assert channel.read_requests == 1
    channel.write_inbound(frames(b"d", b"e"))
    assert catcher.messages[3:] == [b"d"]


def test_auto_read_off_asks_again_when_nothing_came_out_b168(handler):
    """A read that brought half a message is followed by another request, by itself, until a message is out."""
    catcher = Catcher()
    channel = EmbeddedChannel(handler, catcher)
    channel.pipeline.auto_read = False
    channel.read()
    for n, piece in enumerate((b"\x03", b"a", b"b")):
        assert channel.read_requests == n + 1
        channel.write_inbound(piece)
    assert catcher.messages == [] and channel.read_requests == 4
    channel.write_inbound(b"c")
    assert catcher.messages == [b"abc"] and channel.read_requests == 4


def test_auto_read_off_read_inside_channel_read_goes_on_without_recursion_b168():
    """A handler that reads again in each channel_read gets all messages one after the other."""
    depth, deepest, seen = 0, 0, []

    class Pulls(Handler):
        def channel_read(self, ctx, msg):
            nonlocal depth, deepest
            depth += 1
            deepest = max(deepest, depth)
            seen.append(bytes(msg))
            ctx.read()
            depth -= 1

    channel = EmbeddedChannel(DecoderHandler(decoder()), Pulls())
    channel.pipeline.auto_read = False
    channel.write_inbound(frames(*[b"x"] * 200))
    channel.read()
    assert len(seen) == 200 and deepest == 1


def test_auto_read_off_through_two_decoders_b168():
    """Two decoders in a row: the outer one is asked until the inner one has a message."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(decoder()), DecoderHandler(Slow()), catcher)
    channel.pipeline.auto_read = False
    inner = frames(b"hello", b"you")
    channel.write_inbound(b"".join(frames(bytes([byte])) for byte in inner))
    channel.read()
    assert catcher.messages == [b"hello"]
    channel.read()
    assert catcher.messages == [b"hello", b"you"] and channel.read_requests == 0


def test_auto_read_off_the_end_waits_for_the_messages_b168():
    """The end of the input comes behind the messages that were not read yet; closing delivers them all."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(decoder()), catcher)
    channel.pipeline.auto_read = False
    channel.write_inbound(frames(b"a", b"b"))
    channel.shutdown_input()
    assert catcher.events == ["complete"]
    channel.read()
    assert (catcher.messages, "InputShutdown" in catcher.events) == ([b"a"], False)
    channel.read()
    assert catcher.messages == [b"a", b"b"] and catcher.events[-1] == "InputShutdown"
    other = EmbeddedChannel(DecoderHandler(decoder()), rest := Catcher())
    other.pipeline.auto_read = False
    other.write_inbound(frames(b"a", b"b"))
    other.close()
    assert rest.messages == [b"a", b"b"] and rest.events[-2:] == ["complete", "inactive"]


def test_auto_read_on_again_gives_the_rest_at_the_next_read():
    """What was held back comes out when automatic reads are switched on and read() is called."""
    catcher = Catcher()
    channel = EmbeddedChannel(DecoderHandler(decoder()), catcher)
    channel.pipeline.auto_read = False
    channel.write_inbound(frames(b"a", b"b", b"c"))
    channel.pipeline.auto_read = True
    channel.read()
    assert catcher.messages == [b"a", b"b", b"c"]


# Writing.


class Words(Encoder):
    """Splits text at blanks: one part a word; refuses digits, half-way."""

    accepts = str

    def __init__(self, alloc_log=None):
        self.parts = []

    def encode(self, msg, alloc):
        for word in msg.split():
            if word.isdigit():
                raise EncodeError("digits")
            part = alloc.buffer(len(word))
            part.write_string(word)
            self.parts.append(part)
            yield part


class Refuses(Handler):
    """Lets `n` writes through, then raises."""

    def __init__(self, n, exc=EncodeError):
        self.n = n
        self.exc = exc

    def write(self, ctx, msg, promise):
        self.n -= 1
        if self.n < 0:
            raise self.exc("enough") if self.exc is EncodeError else self.exc
        ctx.write(msg, promise)


def sent(channel):
    """Everything that left, as bytes."""
    found = []
    while (msg := channel.read_outbound()) is not None:
        found.append(bytes(msg))
    return found


@pytest.fixture(params=["encoder handler", "codec handler", "subclass of the prepender"])
def framing(request):
    """A handler that prepends one byte of length, in each of the ways it may be called."""

    class Own(LengthFieldPrepender):
        def encode(self, msg, alloc):
            return super().encode(msg, alloc)

    return {
        "encoder handler": lambda: EncoderHandler(LengthFieldPrepender(1)),
        "codec handler": lambda: CodecHandler(decoder(), LengthFieldPrepender(1)),
        "subclass of the prepender": lambda: EncoderHandler(Own(1)),
    }[request.param]()


def test_header_and_message_are_written_as_one_with_one_promise_b149(framing):
    """Two parts leave, the message uncopied; the promise is completed once."""
    channel, promise = EmbeddedChannel(framing), Promise()
    msg = copied(b"hello")
    witness = msg.slice()
    channel.pipeline.write(msg, promise)
    assert msg.refcnt == 0 and promise.outcomes == []
    channel.pipeline.flush()
    assert promise.outcomes == ["done"]
    header, body = channel.read_outbound(), channel.read_outbound()
    witness.set_byte(0, ord("j"))
    assert (bytes(header), bytes(body)) == (b"\x05", b"jello")


def test_a_retained_message_lives_on(framing):
    """One count is consumed; the rest is its holder's."""
    channel = EmbeddedChannel(framing)
    msg = copied(b"hi").retain()
    channel.pipeline.write(msg)
    assert msg.refcnt == 1
    msg.skip_bytes(1)
    channel.pipeline.flush()
    assert sent(channel) == [b"\x02", b"hi"]


@pytest.mark.parametrize("size", [255, 256])
def test_a_message_too_long_for_the_field_is_released_b147(framing, size):
    """EncodeError at the call, nothing sent, the message given back, the channel open."""
    pool = Pool()
    channel = EmbeddedChannel(framing, allocator=pool)
    msg = pool.buffer(size)
    msg.write_zero(size)
    if size == 255:
        channel.write_outbound(msg)
        assert [len(part) for part in sent(channel)] == [1, 255]
    else:
        with pytest.raises(EncodeError):
            channel.write_outbound(msg)
        assert channel.read_outbound() is None and channel.is_open
    assert msg.refcnt == 0
    assert pool.statistics().live_blocks == 0


def test_a_dead_message_is_refused_before_its_header_is_sent(framing):
    """Writing a released buffer raises and leaves the stream as it was."""
    channel = EmbeddedChannel(framing)
    dead = copied(b"x")
    dead.release()
    with pytest.raises(ReferenceCountError):
        channel.write_outbound(dead)
    channel.pipeline.flush()
    assert channel.read_outbound() is None


def test_bytes_are_framed_too(framing):
    """bytes and bytearrays get a header as buffers do; other types are refused by the head."""
    channel = EmbeddedChannel(framing)
    channel.write_outbound(b"ab", bytearray(b"c"))
    assert sent(channel) == [b"\x02", b"ab", b"\x01", b"c"]
    with pytest.raises(UnsupportedMessageError):
        channel.write_outbound("text")


def test_several_parts_are_one_write_b149():
    """The parts leave in order; the promise is completed once, with the last of them."""
    channel, promise = EmbeddedChannel(EncoderHandler(Words())), Promise()
    channel.pipeline.write("one two three", promise)
    channel.pipeline.flush()
    assert sent(channel) == [b"one", b"two", b"three"] and promise.outcomes == ["done"]


def test_no_parts_complete_the_write_b149():
    """An encoder that yields nothing still completes the promise; nothing is sent."""
    channel, promise = EmbeddedChannel(EncoderHandler(Words())), Promise()
    channel.pipeline.write("", promise)
    channel.pipeline.write("")
    assert promise.outcomes == ["done"]
    assert not channel.write_outbound()


def test_what_an_encoder_does_not_accept_passes_on():
    """A message of another type goes further out untouched."""
    channel = EmbeddedChannel(EncoderHandler(Words()))
    channel.write_outbound(b"raw", wrap(b"buffer"))
    assert sent(channel) == [b"raw", b"buffer"]


def test_parts_before_a_failing_one_are_released_b148():
    """The encoder raises at its third part: the two before are given back, nothing is sent, the promise fails."""
    pool, encoder, promise = Pool(), Words(), Promise()
    channel = EmbeddedChannel(EncoderHandler(encoder), allocator=pool)
    with pytest.raises(EncodeError):
        channel.pipeline.write("one two 3 four")
    channel.pipeline.write("five 6", promise)
    assert [part.refcnt for part in encoder.parts] == [0, 0, 0]
    assert promise.outcomes == [EncodeError] and not channel.write_outbound() and channel.is_open
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("raises", [False, True])
def test_the_message_is_released_after_encode_b148(raises):
    """An encoder that takes a buffer apart need not release it, whether it succeeds or raises."""
    pool = Pool()

    class Halves(Encoder):
        accepts = ByteBuf

        def encode(self, msg, alloc):
            self.seen = msg
            half = len(msg) // 2
            yield msg.read_slice(half)
            if raises:
                raise EncodeError("no")
            yield msg.read_slice(len(msg))

    halves = Halves()
    channel = EmbeddedChannel(EncoderHandler(halves), allocator=pool)
    msg = pool.buffer(8)
    msg.write_bytes(b"abcdef")
    if raises:
        with pytest.raises(EncodeError):
            channel.write_outbound(msg)
    else:
        channel.write_outbound(msg)
        assert sent(channel) == [b"abc", b"def"]
    assert msg.refcnt == 0 and halves.seen.refcnt == 0 and pool.statistics().live_blocks == 0


def test_an_encoder_never_sees_the_writers_handle():
    """The writer's handle is dead before the encoder's code runs, so it cannot be changed behind the writer's back."""
    seen = []

    class Looks(Encoder):
        def encode(self, msg, alloc):
            seen.append((msg is buf, buf.refcnt))
            return [msg]

    buf = copied(b"x")
    channel = EmbeddedChannel(EncoderHandler(Looks()))
    channel.write_outbound(buf)
    assert seen == [(False, 0)] and sent(channel) == [b"x"]


@pytest.mark.parametrize("make", [lambda: EncoderHandler(LengthFieldPrepender(1)), lambda: EncoderHandler(Words())])
@pytest.mark.parametrize("passed", [0, 1])
def test_a_write_that_fails_half_way_closes_the_channel(make, passed):
    """Once a part is queued the rest must follow: if it cannot, the peer could not find the next message."""
    pool = Pool()
    channel = EmbeddedChannel(Refuses(passed), make(), allocator=pool)
    msg = "one two three"
    if isinstance(channel.pipeline.get("EncoderHandler#0").encoder, LengthFieldPrepender):
        msg = pool.buffer(4)
        msg.write_bytes(b"ab")
    with pytest.raises(EncodeError):
        channel.pipeline.write(msg)
    assert channel.is_open == (passed == 0)
    channel.release_outbound()
    del channel, msg
    assert pool.statistics().live_blocks == 0


def test_a_write_limit_at_the_first_part_leaves_the_channel_open():
    """A refusal before anything was queued costs the message and nothing else."""
    limit = WriteLimitError("full", limit="bytes", maximum=1, value=2)
    channel = EmbeddedChannel(Refuses(0, limit), EncoderHandler(LengthFieldPrepender(1)))
    msg = copied(b"x")
    with pytest.raises(WriteLimitError):
        channel.pipeline.write(msg)
    assert msg.refcnt == 0 and channel.is_open


def test_codec_handler_echoes():
    """Both directions through one handler: what was framed comes back framed."""

    class Echo(Handler):
        def channel_read(self, ctx, msg):
            ctx.write(msg)

        def channel_read_complete(self, ctx):
            ctx.flush()

    channel = EmbeddedChannel(CodecHandler(decoder(), LengthFieldPrepender(1)), Echo())
    channel.write_inbound(frames(b"a", b"", b"xyz"))
    assert b"".join(sent(channel)) == frames(b"a", b"", b"xyz")
    assert channel.pipeline.get("CodecHandler#0").decoder.buffered == 0


class PrefersBytes(EmbeddedChannel):
    """A channel that would rather have small headers as bytes, as one with a socket does."""

    prefers_bytes = True


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("order", ["big", "little"])
def test_a_header_only_the_sink_sees_travels_as_bytes(width, order):
    """Where the sink prefers it the header is bytes, with the same content; the body is the very message."""
    pool = Pool()
    channel = PrefersBytes(EncoderHandler(LengthFieldPrepender(width, 3, little_endian=order == "little")))
    for size in (0, 5, 200):
        msg = pool.buffer(size)
        msg.write_zero(size)
        channel.write_outbound(msg)
        assert pool.statistics().live_blocks == 1
        header, body = channel.read_outbound(), channel.read_outbound()
        assert type(header) is bytes and header == (size + 3).to_bytes(width, order)
        assert len(body) == size and msg.refcnt == 0
        body.release()


def test_a_header_another_handler_sees_is_a_buffer():
    """A handler further out gets buffers, whatever the sink prefers; one without a write of its own does not count."""
    seen = []

    class Peeks(Handler):
        def write(self, ctx, msg, promise):
            seen.append(type(msg))
            ctx.write(msg, promise)

    class Idle(Handler):
        pass

    for between, kind in ((Peeks(), None), (Idle(), bytes)):
        channel = PrefersBytes(between, EncoderHandler(LengthFieldPrepender(1)))
        channel.write_outbound(copied(b"ab"))
        header = channel.read_outbound()
        assert header == b"\x02" and (type(header) is bytes) == (kind is bytes)
        channel.release_outbound()
    assert seen and bytes not in seen


def test_a_header_as_bytes_refuses_what_the_field_cannot_say():
    """The same EncodeError, the message released, nothing sent."""
    channel = PrefersBytes(EncoderHandler(LengthFieldPrepender(1, -3)))
    for size in (2, 259):
        msg = copied(bytes(size))
        with pytest.raises(EncodeError):
            channel.write_outbound(msg)
        assert msg.refcnt == 0 and channel.read_outbound() is None
