"""The contract of Decoder: three outcomes, who owns what, what an error leaves behind."""

import gc

import pytest

from zbuf import Pool, buffer, composite, copied, wrap
from zbuf.codec import NEED_DATA, Cumulation, Decoder, Encoder, LengthFieldBasedFrameDecoder, Limits, NeedData
from zbuf.errors import (
    CorruptedFrameError,
    DecodeError,
    IncompleteFrameError,
    ReferenceCountError,
    UsageError,
)
from zbuf.testing import check_decoder, shapes


class Frames(Decoder):
    """One byte of length, then so many bytes; counts how often it is asked."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = 0

    def parse(self, buf):
        self.calls += 1
        n = buf.get_unsigned_byte(buf.reader_index)
        if n == 255:
            buf.skip_bytes(1)
            raise CorruptedFrameError("255 is no length")
        if not buf.can_read(1 + n):
            return self.need(1 + n)
        buf.skip_bytes(1)
        return buf.read_slice(n)


class Silent(Frames):
    """As Frames, but it never says how much it needs."""

    def need(self, n):
        return NEED_DATA


@pytest.fixture(params=list(Cumulation), ids=lambda how: how.name)
def how(request):
    """Each way to join pieces."""
    return request.param


def test_next_gives_messages_then_the_very_object_need_data_b131():
    """Two frames come out, an empty one among them, then NEED_DATA itself and nothing like it."""
    decoder = Frames()
    assert decoder.next() is NEED_DATA
    decoder.feed(b"\x00\x02ab\x03x")
    first, second = decoder.next(), decoder.next()
    assert (first, second) == (b"", b"ab") and not first
    assert decoder.next() is NEED_DATA
    assert NEED_DATA is NeedData.NEED_DATA and repr(NEED_DATA) == "NEED_DATA"


def test_next_raises_decode_error_and_goes_on_behind_it_b131():
    """Wrong bytes raise, at their place in the stream, and the frame behind them decodes."""
    decoder = Frames()
    decoder.feed(b"\x01a\xff\x01b")
    assert decoder.next() == b"a"
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    assert decoder.next() == b"b"


def test_check_decoder_whole_and_cut_agree_b130(how):
    """However the input is cut, the same messages come, the error after them, and the frame behind the error."""
    check_decoder(
        lambda: Frames(cumulation=how, copy_below=2),
        b"\x00\x02ab\x05hello\xff\x01c\x03xy",
        [b"", b"ab", b"hello", CorruptedFrameError, b"c", IncompleteFrameError],
    )


def test_needed_counts_what_is_missing_b132():
    """`needed` is 1 at first, the missing bytes where the parser said, and 0 when a message may be there."""
    decoder = Frames()
    assert decoder.needed == 1
    decoder.feed(b"\x05ab")
    assert decoder.needed == 0
    assert decoder.next() is NEED_DATA and decoder.needed == 3
    decoder.feed(b"cde")
    assert decoder.needed == 0 and decoder.next() == b"abcde"
    assert decoder.needed == 1


def test_feeding_less_than_needed_does_not_parse_b132():
    """Until the bytes the parser asked for are there it is not called again."""
    decoder = Frames()
    decoder.feed(b"\x64")
    assert decoder.next() is NEED_DATA and decoder.calls == 1
    for _ in range(99):
        decoder.feed(b"x")
        assert decoder.next() is NEED_DATA
    assert decoder.calls == 1
    decoder.feed(b"x")
    assert decoder.next() == b"x" * 100 and decoder.calls == 2


def test_a_parser_that_does_not_say_is_asked_once_per_piece_b132():
    """Without `need` the parser is asked again as soon as a byte came, but not without one."""
    decoder = Silent()
    decoder.feed(b"\x03a")
    assert [decoder.next(), decoder.next()] == [NEED_DATA, NEED_DATA]
    assert (decoder.calls, decoder.needed) == (1, 1)
    decoder.feed(b"b")
    assert decoder.next() is NEED_DATA and decoder.calls == 2


def test_need_of_what_is_there_still_needs_a_byte_b132():
    """A parser that asks for no more than it has cannot make `needed` fall below 1."""

    class Wrong(Decoder):
        def parse(self, buf):
            return self.need(0)

    decoder = Wrong()
    decoder.feed(b"abc")
    assert decoder.next() is NEED_DATA
    assert decoder.needed == 1


def test_feed_takes_its_buffer_b133():
    """The handle fed is dead afterwards; a retained one lives on with its own indices."""
    decoder = Frames()
    buf, kept = copied(b"\x01a"), copied(b"\x01b").retain()
    decoder.feed(buf)
    decoder.feed(kept)
    with pytest.raises(ReferenceCountError):
        buf.read_byte()
    kept.skip_bytes(2)
    assert list(decoder) == [b"a", b"b"]
    kept.release()


def test_feed_takes_its_buffer_also_when_a_limit_is_exceeded_b133(pool):
    """A piece that is refused is released, and its block is back."""
    decoder = Frames(limits=Limits(max_buffered_bytes=4))
    decoder.feed(b"\x00\x00\x00")
    buf = pool.buffer(8)
    buf.write_bytes(b"\x00\x00")
    with pytest.raises(DecodeError):
        decoder.feed(buf)
    with pytest.raises(ReferenceCountError):
        buf.read_byte()
    assert list(decoder) == [b"", b"", b""]


def test_feed_a_dead_buffer_raises_and_changes_nothing():
    """A released buffer is refused; what was fed before is still there."""
    decoder = Frames()
    decoder.feed(b"\x01")
    dead = copied(b"a")
    dead.release()
    with pytest.raises(ReferenceCountError):
        decoder.feed(dead)
    decoder.feed(b"a")
    assert list(decoder) == [b"a"]


@pytest.mark.parametrize("wrong", ["text", None, 5, [b"a"]])
def test_feed_what_is_no_buffer_raises(wrong):
    """Text, numbers and lists are no bytes."""
    with pytest.raises(TypeError):
        Frames().feed(wrong)


def test_feed_never_writes_to_its_input_b133(how):
    """Read-only, shared and wrapped input is decoded in every shape and keeps its bytes."""
    data = b"\x03abc\x02"
    for name, buf in shapes(data).items():
        witness = buf.slice()
        decoder = Frames(cumulation=how)
        decoder.feed(buf)
        got = [bytes(frame) for frame in decoder]
        decoder.feed(b"xy")
        got += [bytes(frame) for frame in decoder]
        assert got == [b"abc", b"xy"], name
        assert witness == data, name


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_feed_bytes_like_may_be_used_again_by_its_owner(kind):
    """What is not immutable is copied: the owner may write to it, resize it, and feed it again."""
    owner = bytearray(b"\x03ab")
    decoder = Frames()
    decoder.feed(kind(owner))
    owner[:] = b"cZZ"
    owner.extend(b"more")
    decoder.feed(b"c")
    assert list(decoder) == [b"abc"]


def test_feed_nothing_changes_nothing():
    """Empty pieces are taken and forgotten, before, between and after others."""
    decoder = Frames()
    for piece in (b"", buffer(8), b"\x01", b"", composite(), b"a", b""):
        decoder.feed(piece)
    assert list(decoder) == [b"a"] and decoder.buffered == 0


def test_message_without_consuming_raises_usage_error_b134():
    """A parser that gives a message and stands still would do so for ever: it is named and stopped."""

    class Stuck(Decoder):
        def parse(self, buf):
            return "again"

    decoder = Stuck()
    decoder.feed(b"a")
    for _ in range(2):
        with pytest.raises(UsageError, match="Stuck"):
            decoder.next()
    assert decoder.buffered == 1


def test_message_none_raises_usage_error():
    """A parser that forgot its return is told so."""

    class Forgot(Decoder):
        def parse(self, buf):
            buf.skip_bytes(1)

    decoder = Forgot()
    decoder.feed(b"a")
    with pytest.raises(UsageError, match="None"):
        decoder.next()


@pytest.mark.parametrize("call", ["feed", "next", "end", "leftover"])
def test_calls_from_inside_parse_raise_usage_error_b134(call):
    """The decoder cannot be fed or asked by its own parser, and works on after that was tried."""

    class Meddler(Decoder):
        tries = 0

        def parse(self, buf):
            if not self.tries:
                self.tries = 1
                getattr(self, call)(*([b"more"] if call == "feed" else []))
            return buf.read_bytes(1)

    decoder = Meddler()
    decoder.feed(b"ab")
    with pytest.raises(UsageError, match="Meddler"):
        decoder.next()
    assert list(decoder) == [b"a", b"b"]


def test_frames_outlive_everything_b135(pool, how):
    """Frames keep their bytes after more feeds, after the decoder's end, and after all else is released."""
    decoder = Frames(cumulation=how, copy_below=8)
    frames = []
    for n in range(40):
        for piece in (bytes([5, n]), bytes([n] * 4), bytes([12]), bytes([n] * 12)):
            buf = pool.buffer(len(piece) + 3)
            buf.write_bytes(piece)
            decoder.feed(buf)
            frames += decoder
    decoder.feed(b"\x09rest")
    with pytest.raises(IncompleteFrameError):
        decoder.end()
    del decoder, buf
    gc.collect()
    expected = [bytes([n] * size) for n in range(40) for size in (5, 12)]
    assert [bytes(frame) for frame in frames] == expected
    for frame in frames:
        frame.release()


def test_a_cumulation_shared_with_a_live_frame_is_not_appended_to_b135(pool):
    """While a frame looks at the block, the bytes behind the frame are not written to."""
    buf = pool.buffer(64)
    buf.write_bytes(b"\x02ab\x05c")
    spy = buf.duplicate()
    spy.set_bytes(5, b"????")
    decoder = Frames()
    decoder.feed(buf)
    frame = decoder.next()
    decoder.feed(b"defg")
    assert spy.get_bytes(5, 4) == b"????"
    assert (bytes(frame), bytes(decoder.next())) == (b"ab", b"cdefg")
    spy.release()
    frame.release()


def test_end_raises_once_b137(pool):
    """The input ends inside a frame: one IncompleteFrameError with the numbers, the bytes given back, then silence."""
    buf = pool.buffer(16)
    buf.write_bytes(b"\x01a\x05bc")
    decoder = Frames()
    decoder.feed(buf)
    assert [bytes(frame) for frame in decoder] == [b"a"]
    with pytest.raises(IncompleteFrameError) as caught:
        decoder.end()
    assert (caught.value.buffered, caught.value.needed) == (3, 3)
    decoder.end()
    assert decoder.buffered == 0 and decoder.needed == 1
    assert pool.statistics().live_blocks == 0


def test_end_after_the_head_was_consumed_raises_b137():
    """A frame whose head was consumed already is unfinished too, although no byte is left."""

    class HeadFirst(Decoder):
        length = None

        def parse(self, buf):
            if self.length is None:
                self.length = buf.read_unsigned_byte()
            if not buf.can_read(self.length):
                return self.need(self.length)
            n, self.length = self.length, None
            return buf.read_bytes(n)

        def reset(self):
            self.length = None

    decoder = HeadFirst()
    decoder.feed(b"\x03")
    assert decoder.next() is NEED_DATA
    with pytest.raises(IncompleteFrameError) as caught:
        decoder.end()
    assert (caught.value.buffered, caught.value.needed) == (0, 3)
    decoder.feed(b"\x01x")
    assert list(decoder) == [b"x"]


def test_end_without_bytes_is_silent():
    """Nothing is wrong with an input that ends between two frames, or before the first."""
    decoder = Frames()
    decoder.end()
    decoder.feed(b"\x01a")
    assert list(decoder) == [b"a"]
    decoder.end()


def test_leftover_returns_the_unread_bytes_and_empties_b137():
    """What was not consumed is the caller's; the decoder is as new."""
    decoder = Frames()
    decoder.feed(b"\x01a\x05bc")
    assert decoder.next() == b"a"
    assert decoder.next() is NEED_DATA
    rest = decoder.leftover()
    assert rest == b"\x05bc"
    assert (decoder.buffered, decoder.needed) == (0, 1)
    assert len(decoder.leftover()) == 0
    decoder.end()
    decoder.feed(b"\x01d")
    assert list(decoder) == [b"d"]


def test_iteration_stops_at_need_data_and_can_be_repeated():
    """A for loop takes what is there; after the next feed another loop goes on."""
    decoder = Frames()
    decoder.feed(b"\x01a\x01")
    assert list(decoder) == [b"a"]
    decoder.feed(b"b")
    assert [bytes(frame) for frame in iter(decoder)] == [b"b"]


def test_an_exception_of_another_class_leaves_the_decoder_usable():
    """A mistake in a parser passes through, and the decoder can be asked again."""

    class Faulty(Decoder):
        failed = False

        def parse(self, buf):
            if not self.failed:
                self.failed = True
                raise KeyError("a mistake")
            return buf.read_bytes(1)

    decoder = Faulty()
    decoder.feed(b"a")
    with pytest.raises(KeyError):
        decoder.next()
    assert decoder.next() == b"a"


def test_parse_that_consumes_before_need_data_is_not_shown_those_bytes_again():
    """Skipped bytes are gone, also when nothing else is held."""

    class Skips(Decoder):
        def parse(self, buf):
            if buf.get_byte(buf.reader_index) == 0:
                buf.skip_bytes(1)
                return NEED_DATA
            return buf.read_bytes(1)

    decoder = Skips()
    decoder.feed(b"\x00")
    assert decoder.next() is NEED_DATA and decoder.buffered == 0
    decoder.feed(b"a")
    assert list(decoder) == [b"a"]


def test_parse_that_releases_its_buffer_does_not_wedge_the_decoder():
    """A parser that breaks the rule and releases the buffer gets an error, not a crash, and the decoder goes on."""

    class Thief(Decoder):
        stole = False

        def parse(self, buf):
            if not self.stole:
                self.stole = True
                buf.release()
                return NEED_DATA
            return buf.read_bytes(1)

    decoder = Thief()
    decoder.feed(b"ab")
    assert decoder.next() is NEED_DATA
    decoder.feed(b"c")
    assert list(decoder) == [b"c"]


def test_repr_sums_up():
    """The representation shows numbers, never bytes."""
    decoder = Frames()
    decoder.feed(b"\x05secret"[:3])
    decoder.next()
    assert repr(decoder) == "Frames(buffered=3, needed=3)"


def test_base_classes_ask_to_be_derived_from():
    """Decoder and Encoder themselves decode and encode nothing."""
    decoder = Decoder()
    decoder.feed(b"a")
    with pytest.raises(NotImplementedError):
        decoder.next()
    with pytest.raises(NotImplementedError):
        Encoder().encode(b"a", None)


def test_limits_are_readable():
    """A decoder shows the limits it works under."""
    limits = Limits(max_frame_bytes=5)
    assert Frames(limits=limits).limits is limits
    assert LengthFieldBasedFrameDecoder(77).limits.max_frame_bytes == 77


def test_wrapped_callers_memory_is_seen_as_it_is_at_parse():
    """A wrapped bytearray is the caller's promise: it is neither copied nor written to when it comes alone."""
    owner = bytearray(b"\x02ab")
    decoder = Frames()
    decoder.feed(wrap(owner))
    owner[1:] = b"xy"
    assert list(decoder) == [b"xy"]


def test_unused_pool_fixture_sees_leaks():
    """The fixture's own promise: a block that is held shows in the pool's figures."""
    pool = Pool()
    buf = pool.buffer(8)
    assert pool.statistics().live_blocks == 1
    buf.release()
    assert pool.statistics().live_blocks == 0
