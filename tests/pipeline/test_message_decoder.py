"""A message-to-message decoder in a pipeline: order, ownership, errors, the end, and reads that are not automatic."""

import pytest

from zbuf import Pool, wrap
from zbuf.codec import (
    LengthFieldBasedFrameDecoder,
    LineBasedFrameDecoder,
    LineEncoder,
    MessageToMessageDecoder,
    StringDecoder,
    StringEncoder,
)
from zbuf.errors import CorruptedFrameError, DecodeError, IncompleteFrameError
from zbuf.pipeline import DecoderHandler, EncoderHandler, Handler, InputShutdown, MessageDecoderHandler
from zbuf.testing import EmbeddedChannel


class Words(MessageToMessageDecoder):
    """Splits text; "bad" is an error, "corrupt" a worse one; an open bracket at the end is unfinished."""

    accepts = str

    def __init__(self):
        self.open = 0
        self.resets = 0

    def decode(self, msg):
        for word in msg.split():
            if word == "bad":
                raise DecodeError("bad")
            if word == "corrupt":
                raise CorruptedFrameError("corrupt")
            self.open += word == "("
            yield word

    def end(self):
        if self.open:
            raise IncompleteFrameError("open", buffered=0, needed=1)

    def reset(self):
        self.resets += 1
        self.open = 0


class Notes(Handler):
    """Writes down what comes, and hands on what is no error."""

    def __init__(self):
        self.seen = []

    def channel_read(self, ctx, msg):
        self.seen.append(msg)

    def channel_read_complete(self, ctx):
        self.seen.append("complete")

    def exception_caught(self, ctx, exc):
        self.seen.append(type(exc))

    def user_event_triggered(self, ctx, event):
        self.seen.append(type(event))

    def channel_inactive(self, ctx):
        self.seen.append("inactive")


def channel_of(decoder, *, auto_read=True, **options):
    """A channel with the decoder and a note-taker behind it."""
    notes = Notes()
    channel = EmbeddedChannel(MessageDecoderHandler(decoder, **options), notes)
    channel.pipeline.auto_read = auto_read
    return channel, notes


def test_text_lines_through_a_pipeline():
    """Lines become str on the way in, str becomes lines on the way out."""
    with EmbeddedChannel(
        DecoderHandler(LineBasedFrameDecoder(80)), MessageDecoderHandler(StringDecoder()), EncoderHandler(LineEncoder())
    ) as channel:
        channel.write_inbound("eins\r\nzw\u00f6lf\n".encode())
        assert [channel.read_inbound(), channel.read_inbound()] == ["eins", "zw\u00f6lf"]
        channel.write_outbound("drei")
        assert channel.read_outbound() == b"drei\n"


def test_each_message_may_become_none_or_many():
    """Results come in order; what the decoder does not accept passes in its turn."""
    channel, notes = channel_of(Words())
    channel.write_inbound("a b", b"bytes", "", "c")
    assert notes.seen == ["a", "b", b"bytes", "c", "complete"]


def test_message_is_released_when_it_is_no_result():
    """A frame that became text is given back at once; one that passes on is not."""
    pool = Pool()
    channel = EmbeddedChannel(MessageDecoderHandler(StringDecoder()))
    buf = pool.buffer(8)
    buf.write_bytes(b"text")
    channel.write_inbound(buf)
    assert channel.read_inbound() == "text" and pool.statistics().live_blocks == 0

    class Same(MessageToMessageDecoder):
        def decode(self, msg):
            return [msg]

    channel = EmbeddedChannel(MessageDecoderHandler(Same()))
    buf = wrap(b"text")
    channel.write_inbound(buf)
    assert channel.read_inbound() is buf and buf.refcnt == 1


def test_errors_come_in_the_place_of_their_message():
    """Results before the error first, then the error; decoding goes on."""
    channel, notes = channel_of(Words())
    channel.write_inbound("a bad b", "c")
    assert notes.seen == ["a", DecodeError, "c", "complete"] and channel.is_open


def test_message_is_released_when_decoding_fails():
    """The frame of a text that is none goes back."""
    pool = Pool()
    channel, notes = channel_of(StringDecoder(), close_on_error=False)
    buf = pool.buffer(8)
    buf.write_bytes(b"\xff")
    channel.write_inbound(buf)
    assert notes.seen == [CorruptedFrameError, "complete"] and channel.is_open
    assert pool.statistics().live_blocks == 0


def test_corrupted_frame_closes_and_drops_what_follows():
    """Nothing behind it is decoded, and the decoder forgets what it had."""
    words = Words()
    channel, notes = channel_of(words)
    channel.pipeline.fire_channel_read("( corrupt")
    channel.pipeline.fire_channel_read("more")
    assert notes.seen[:2] == ["(", CorruptedFrameError] and "more" not in notes.seen
    assert not channel.is_open and words.resets >= 1 and notes.seen[-1] == "inactive"


def test_other_exceptions_of_a_decoder_go_to_exception_caught():
    """A mistake in a decoder is an exception as in any handler, and the message is released."""

    class Faulty(MessageToMessageDecoder):
        def decode(self, msg):
            raise KeyError("a mistake")

    channel, notes = channel_of(Faulty())
    buf = wrap(b"x")
    channel.write_inbound(buf)
    assert notes.seen == [KeyError, "complete"] and buf.refcnt == 0


def test_end_is_run_once_behind_the_last_message_b137():
    """Half-closed, then closed: one IncompleteFrameError, before either is told."""
    channel, notes = channel_of(Words())
    channel.write_inbound("(")
    channel.shutdown_input()
    channel.close()
    assert notes.seen == ["(", "complete", IncompleteFrameError, InputShutdown, "inactive"]


def test_each_read_gives_one_message():
    """Without automatic reads one result comes per read(); an error needs none; the end waits for what is before it."""
    channel, notes = channel_of(Words(), auto_read=False)
    channel.pipeline.fire_channel_read("a b bad")
    channel.pipeline.fire_channel_read_complete()
    assert notes.seen == ["complete"]
    channel.shutdown_input()
    requests = channel.read_requests
    channel.read()
    assert notes.seen == ["complete", "a", "complete"] and channel.read_requests == requests
    channel.read()
    assert notes.seen[3:] == ["b", DecodeError, "complete", InputShutdown]


def test_read_that_meets_nothing_asks_the_channel_again():
    """A message that became nothing does not answer the read()."""
    channel, _ = channel_of(Words(), auto_read=False)
    channel.read()
    before = channel.read_requests
    channel.pipeline.fire_channel_read("")
    channel.pipeline.fire_channel_read_complete()
    assert channel.read_requests == before + 1


def test_close_delivers_what_waits_unasked():
    """Nothing is lost when the channel closes."""
    channel, notes = channel_of(Words(), auto_read=False)
    channel.pipeline.fire_channel_read("a b c")
    channel.close()
    assert notes.seen == ["a", "b", "c", "complete", "inactive"]


def test_removed_handler_hands_on_what_waits():
    """What was decoded goes on, what was not comes as it is."""
    handler, notes = MessageDecoderHandler(Words()), Notes()
    channel = EmbeddedChannel(handler, notes)
    channel.pipeline.auto_read = False
    channel.pipeline.fire_channel_read("a b")
    channel.pipeline.remove(handler)
    channel.pipeline.fire_channel_read("c d")
    assert notes.seen == ["a", "b", "c d"]


def test_handler_removed_while_it_delivers():
    """The rest follows behind the message that removed it."""

    class Remover(Notes):
        def channel_read(self, ctx, msg):
            super().channel_read(ctx, msg)
            if msg == "a":
                ctx.pipeline.remove(handler)

    handler, notes = MessageDecoderHandler(Words()), Remover()
    channel = EmbeddedChannel(handler, notes)
    channel.pipeline.fire_channel_read("a b")
    assert notes.seen == ["a", "b"]


def test_input_that_comes_while_it_delivers_waits_its_turn():
    """A message fired from inside a message comes behind what was there."""

    class Again(Notes):
        def channel_read(self, ctx, msg):
            super().channel_read(ctx, msg)
            if msg == "a":
                channel.pipeline.fire_channel_read("late")

    notes = Again()
    channel = EmbeddedChannel(MessageDecoderHandler(Words()), notes)
    channel.pipeline.fire_channel_read("a b")
    assert notes.seen == ["a", "b", "late"]


def test_only_message_decoders_are_accepted():
    """A decoder of bytes belongs into a DecoderHandler."""
    with pytest.raises(TypeError, match="LengthField"):
        MessageDecoderHandler(LengthFieldBasedFrameDecoder(10))


def test_string_encoder_in_a_pipeline():
    """str leaves as bytes."""
    with EmbeddedChannel(EncoderHandler(StringEncoder())) as channel:
        channel.write_outbound("\u00e9")
        assert channel.read_outbound() == b"\xc3\xa9"
