"""Decoders written as generators: nothing is parsed twice, limits hold, and what ends a message ends its generator."""

import gc

import pytest

from zbuf import Pool, copied
from zbuf.codec import NEED_DATA, Cumulation, GeneratorDecoder, Limits, Need, NeedUntil, Skip
from zbuf.errors import (
    CorruptedFrameError,
    DecodeError,
    IncompleteFrameError,
    LimitExceededError,
    ReferenceCountError,
    TooLongFrameError,
    UsageError,
)
from zbuf.testing import check_decoder, shapes


class Records(GeneratorDecoder):
    """A name up to a colon, padding that is dropped, and a body; counts the steps."""

    def __init__(self, limits=None, **options):
        super().__init__(limits, **options)
        self.steps = 0
        self.closed = 0

    def decode(self):
        try:
            name = yield NeedUntil(b"::", most=8)
            self.steps += 1
            head = yield Need(2)
            self.steps += 1
            size, padding = head.read_unsigned_byte(), head.read_unsigned_byte()
            if size == 255:
                raise CorruptedFrameError("255 is no length")
            yield Skip(padding)
            self.steps += 1
            body = yield Need(size)
            self.steps += 1
            return bytes(name), bytes(body)
        except GeneratorExit:
            self.closed += 1
            raise


def record(name, body, padding=0):
    """The bytes of a record."""
    return name + b"::" + bytes([len(body), padding]) + b"." * padding + body


def test_whole_and_cut_agree_b130():
    """Records of every kind, an error among them, for every cut."""
    check_decoder(
        Records,
        record(b"a", b"one") + record(b"", b"", 5) + b"x::\xff\x00" + record(b":a", b"two", 1) + b"b::\x03",
        [(b"a", b"one"), (b"", b""), CorruptedFrameError, (b":a", b"two"), IncompleteFrameError],
    )


@pytest.mark.parametrize("how", list(Cumulation), ids=lambda how: how.name)
def test_every_cumulation_and_shape_b133(how):
    """However the bytes are held, the records are the same."""
    data = record(b"name", b"body", 3)
    for name, buf in shapes(data + record(b"n", b"b")).items():
        decoder = Records(cumulation=how, copy_below=2)
        decoder.feed(buf)
        assert list(decoder) == [(b"name", b"body"), (b"n", b"b")], name
    decoder = Records(cumulation=how, copy_below=2)
    for byte in data * 3:
        decoder.feed(bytes([byte]))
    assert list(decoder) == [(b"name", b"body")] * 3


def test_nothing_is_parsed_twice_b132():
    """Byte by byte the generator takes exactly its four steps per record."""
    decoder = Records()
    data = record(b"name", b"x" * 200, 100)
    for byte in data * 2:
        decoder.feed(bytes([byte]))
        decoder.next()
    assert decoder.steps == 8


def test_needed_is_what_the_generator_asked_for_b132():
    """`needed` counts what is missing for the step, at least 1."""
    decoder = Records()
    assert decoder.needed == 1
    decoder.feed(b"nam")
    assert decoder.next() is NEED_DATA and decoder.needed == 1
    decoder.feed(b"e::\x64\x00")
    assert decoder.next() is NEED_DATA and decoder.needed == 100
    decoder.feed(b"x")
    assert decoder.next() is NEED_DATA and decoder.needed == 99


def test_bytes_of_finished_steps_are_let_go():
    """What was handed to the generator is not held by the decoder."""
    decoder = Records()
    decoder.feed(b"name::\x64\x00abc")
    assert decoder.next() is NEED_DATA and decoder.buffered == 3


def test_slices_share_the_block_and_outlive_the_decoder_b135():
    """What comes back from a yield is a window on what arrived."""

    class Bodies(GeneratorDecoder):
        def decode(self):
            return (yield Need(3))

    pool = Pool()
    buf = pool.buffer(16)
    buf.write_bytes(b"abcdef")
    decoder = Bodies()
    decoder.feed(buf)
    one, two = decoder
    del decoder, buf
    assert pool.statistics().live_blocks == 1
    assert (one, two) == (b"abc", b"def")
    one.release()
    two.release()
    assert pool.statistics().live_blocks == 0


def test_state_of_self_lives_from_message_to_message():
    """A generator reads one message; what belongs to the stream is kept on the decoder."""

    class Counted(GeneratorDecoder):
        count = 0

        def decode(self):
            data = yield Need(1)
            self.count += 1
            return self.count, bytes(data)

    check_decoder(Counted, b"abc", [(1, b"a"), (2, b"b"), (3, b"c")])


def test_parts_may_be_generators_of_their_own():
    """`yield from` reads a part; loops pass over what is no message."""

    class Nested(GeneratorDecoder):
        def number(self):
            value = 0
            while True:
                byte = (yield Need(1)).read_unsigned_byte()
                value = value << 7 | byte & 0x7F
                if byte < 0x80:
                    return value

        def decode(self):
            while True:
                size = yield from self.number()
                if size:
                    return bytes((yield Need(size)))

    check_decoder(Nested, b"\x00\x00\x02ab\x00\x81\x00" + b"x" * 128, [b"ab", b"x" * 128])


def test_strip_false_keeps_the_delimiter():
    """The delimiter stands at the end of what comes back; it does not count towards `most`."""

    class Lines(GeneratorDecoder):
        def decode(self):
            return (yield NeedUntil(b"\n", 3, strip=False))

    check_decoder(Lines, b"abc\n\nabcd\nx\n", [b"abc\n", b"\n", TooLongFrameError, b"x\n"])


# Limits.


@pytest.mark.parametrize("size", [9, 10, 11])
def test_message_of_exactly_max_frame_bytes_passes_b141(size):
    """All that is handed out for one message counts: name, head and body; delimiter and skipped bytes do not."""
    limits = Limits(max_frame_bytes=14)
    expected = [(b"ab", b"x" * size)] if size <= 10 else [TooLongFrameError]
    check_decoder(
        lambda: Records(limits), record(b"ab", b"x" * size, 50) + record(b"c", b"d"), [*expected, (b"c", b"d")]
    )


def test_need_beyond_the_limit_raises_at_once_and_is_dropped_b139():
    """2 GiB wanted: the error comes with the head, the bytes are dropped as they come, nothing is held."""

    class Big(GeneratorDecoder):
        def decode(self):
            size = (yield Need(4)).read_unsigned_int()
            return len((yield Need(size)))

    decoder = Big()
    decoder.feed((2**31).to_bytes(4, "big") + b"x")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_frame_bytes", 2**20, 2**31 + 4)
    for _ in range(10):
        decoder.feed(bytes(100_000))
        assert decoder.next() is NEED_DATA and decoder.buffered == 0
    decoder.end()
    decoder.feed(b"\x00\x00\x00\x01x")
    assert list(decoder) == [1]


def test_until_beyond_most_raises_and_is_dropped_b139():
    """Without the delimiter in time: one error, dropped up to the delimiter, wherever that is cut."""
    check_decoder(
        Records,
        record(b"12345678", b"") + record(b"123456789", b"")[:11] + record(b"a", b"b"),
        [(b"12345678", b""), TooLongFrameError, (b"a", b"b")],
    )
    decoder = Records()
    decoder.feed(b"123456789:")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("most", 8, 9)
    for _ in range(50):
        decoder.feed(b"123:45:")
        assert decoder.next() is NEED_DATA and decoder.buffered <= 1
    decoder.feed(b":a::\x00\x00")
    assert list(decoder) == [(b"a", b"")]


def test_generator_may_handle_its_limit():
    """The error is raised at the yield: a generator can answer with another message and go on."""

    class Lenient(GeneratorDecoder):
        def decode(self):
            size = (yield Need(1)).read_unsigned_byte()
            try:
                return bytes((yield Need(size)))
            except TooLongFrameError:
                yield Skip(size)
                return size

    check_decoder(lambda: Lenient(Limits(max_frame_bytes=4)), b"\x01a\x09" + b"x" * 9 + b"\x03abc", [b"a", 9, b"abc"])


def test_generator_that_handles_an_until_may_ask_again():
    """After a refused search another one starts from the same place."""

    class Retry(GeneratorDecoder):
        def decode(self):
            try:
                return bytes((yield NeedUntil(b"..", 2)))
            except TooLongFrameError:
                return bytes((yield NeedUntil(b".", 5)))

    check_decoder(Retry, b"ab..a.cdxy..", [b"ab", b"a", b"cdxy", IncompleteFrameError])


def test_skip_is_not_bounded_and_holds_nothing():
    """Far more than max_frame_bytes can be skipped."""

    class Skips(GeneratorDecoder):
        def decode(self):
            assert len((yield Skip(100_000))) == 0
            return bytes((yield Need(1)))

    decoder = Skips(Limits(max_frame_bytes=10))
    for _ in range(100):
        decoder.feed(bytes(1000))
        assert decoder.next() is NEED_DATA and decoder.buffered == 0
    decoder.feed(b"a")
    assert list(decoder) == [b"a"]


def test_limits_of_the_base_hold():
    """Counts are bounded as for every decoder."""

    class Ones(GeneratorDecoder):
        def decode(self):
            return bytes((yield Need(1)))

    decoder = Ones(Limits(max_messages_per_feed=3))
    decoder.feed(b"abcd")
    with pytest.raises(LimitExceededError):
        list(decoder)
    assert list(decoder) == [b"d"]
    assert decoder.limits.max_messages_per_feed == 3


# Errors and ends.


def test_error_leaves_the_decoder_behind_the_finished_steps():
    """The next message begins where the generator stood; any class of error ends a message."""

    class Faulty(GeneratorDecoder):
        def decode(self):
            kind = bytes((yield Need(1)))
            if kind == b"!":
                raise CorruptedFrameError("bad")
            if kind == b"?":
                raise KeyError("a mistake")
            return kind + bytes((yield Need(1)))

    decoder = Faulty()
    decoder.feed(b"!?ab")
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    with pytest.raises(KeyError):
        decoder.next()
    assert list(decoder) == [b"ab"]


def test_end_inside_a_message_closes_the_generator_b137():
    """IncompleteFrameError once, also when all bytes that came were handed out; the generator is closed."""
    for data, needed in ((b"nam", 1), (b"name::", 2), (b"name::\x05\x00", 5), (b"name::\x05\x09..", 1)):
        decoder = Records()
        decoder.feed(data)
        assert decoder.next() is NEED_DATA
        with pytest.raises(IncompleteFrameError) as caught:
            decoder.end()
        assert caught.value.needed == needed
        assert decoder.closed == 1
        decoder.end()
        decoder.feed(record(b"a", b"b"))
        assert list(decoder) == [(b"a", b"b")]


def test_end_between_two_messages_is_silent():
    """Nothing began: nothing is missing."""
    decoder = Records()
    decoder.end()
    decoder.feed(record(b"a", b"b"))
    assert list(decoder) == [(b"a", b"b")]
    decoder.end()
    assert decoder.closed == 0


def test_leftover_closes_the_generator_b137():
    """The unread bytes go to the caller; the next message starts anew."""
    decoder = Records()
    decoder.feed(b"name::\x05\x00ab")
    assert decoder.next() is NEED_DATA
    assert decoder.leftover() == b"ab"
    assert decoder.closed == 1
    decoder.feed(record(b"a", b"b"))
    assert list(decoder) == [(b"a", b"b")]


def test_dropping_the_decoder_gives_everything_back():
    """A decoder that is thrown away in the middle of a message holds no block."""

    class Holds(GeneratorDecoder):
        def decode(self):
            first = yield Need(4)
            second = yield Need(100)
            return first, second

    pool = Pool()
    decoder = Holds()
    buf = pool.buffer(16)
    buf.write_bytes(b"abcdef")
    decoder.feed(buf)
    assert decoder.next() is NEED_DATA
    assert pool.statistics().live_blocks == 1
    del decoder, buf
    gc.collect()
    assert pool.statistics().live_blocks == 0


# Misuse.


def _decoder(body):
    """A decoder whose decode is `body`."""
    return type("Misused", (GeneratorDecoder,), {"decode": body})()


def _yields_a_number(self):
    yield 4


def _yields_nothing(self):
    return b"message"


def _returns_at_once(self):
    if self.needed < 0:
        yield Need(1)
    return b"message"


def _never_consumes(self):
    while True:
        yield Need(0)


def _message_of_nothing(self):
    yield Need(0)
    return b"message"


def _forgets_to_return(self):
    yield Need(1)


@pytest.mark.parametrize(
    "body",
    [
        _yields_a_number,
        _yields_nothing,
        _returns_at_once,
        _never_consumes,
        _message_of_nothing,
        _forgets_to_return,
    ],
)
def test_misuse_raises_usage_error_naming_the_decoder_b134(body):
    """What is no request, no generator, no message, or never consumes: a UsageError, twice the same."""
    decoder = _decoder(body)
    for _ in range(2):
        decoder.feed(b"ab")
        with pytest.raises(UsageError, match="Misused"):
            decoder.next()


@pytest.mark.parametrize("call", ["feed", "next", "end", "leftover"])
def test_calls_from_inside_the_generator_raise_usage_error_b134(call):
    """The decoder cannot be fed or asked by its own generator."""

    def meddles(self):
        yield Need(1)
        getattr(self, call)(*([b"more"] if call == "feed" else []))

    decoder = _decoder(meddles)
    decoder.feed(b"ab")
    with pytest.raises(UsageError):
        decoder.next()
    assert decoder.buffered == 1


@pytest.mark.parametrize(
    "wrong", [lambda: Need(-1), lambda: Skip(-1), lambda: NeedUntil(b""), lambda: NeedUntil(b"a", -1)]
)
def test_requests_refuse_bad_arguments(wrong):
    """Negative numbers and empty delimiters are refused where they are written."""
    with pytest.raises(ValueError):
        wrong()


@pytest.mark.parametrize(
    "wrong", [lambda: Need(1.5), lambda: Need("1"), lambda: NeedUntil("\n"), lambda: NeedUntil(10)]
)
def test_requests_refuse_bad_types(wrong):
    """Floats and text are no numbers, text and numbers are no delimiters."""
    with pytest.raises(TypeError):
        wrong()


def test_requests_show_what_they_ask_for():
    """Their representation is what one writes."""
    assert [repr(Need(3)), repr(Skip(2)), repr(NeedUntil(b"\n"))] == ["Need(3)", "Skip(2)", "NeedUntil(b'\\n')"]


def test_base_asks_to_be_derived_from():
    """GeneratorDecoder itself decodes nothing."""
    decoder = GeneratorDecoder()
    decoder.feed(b"a")
    with pytest.raises(NotImplementedError):
        decoder.next()


def test_feed_takes_its_buffer_b133():
    """As every decoder's feed."""
    decoder, buf = Records(), copied(b"name")
    decoder.feed(buf)
    with pytest.raises(ReferenceCountError):
        buf.read_byte()


def test_hostile_bytes_raise_decode_errors_only_b131():
    """Every two-byte head, with little behind it."""
    for head in range(0, 65536, 7):
        decoder = Records(Limits(max_frame_bytes=40))
        decoder.feed(b"n::" + head.to_bytes(2, "big") + b"abc")
        try:
            decoder.next()
        except DecodeError:
            pass
