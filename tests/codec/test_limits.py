"""Limits: every field positive, finite by default, exactly the limit passes."""

import sys
from dataclasses import fields

import pytest

from zbuf.codec import NEED_DATA, Decoder, LengthFieldBasedFrameDecoder, Limits, NeedData
from zbuf.errors import LimitExceededError, TooLongFrameError

FIELDS = [field.name for field in fields(Limits)]


class Lines(Decoder[bytes]):
    """Bytes up to a newline: consumes nothing before the newline is there."""

    def parse(self, buf) -> bytes | NeedData:
        at = buf.find(b"\n")
        if at < 0:
            return NEED_DATA
        return buf.read_bytes(at + 1 - buf.reader_index)


def fed(decoder, pieces):
    """The messages that come of `pieces`."""
    got = []
    for piece in pieces:
        decoder.feed(piece)
        got += list(decoder)
    return got


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [0, -1])
def test_limits_not_positive_raises_b141(name, value):
    """0 never means unlimited: it is refused, as negative numbers are, for each field."""
    with pytest.raises(ValueError):
        Limits(**{name: value})


@pytest.mark.parametrize("name", FIELDS)
def test_limits_default_is_finite(name):
    """Without being asked every limit is finite; UNLIMITED spells out that there is none."""
    assert 0 < getattr(Limits(), name) < 1 << 31
    assert getattr(Limits.UNLIMITED, name) == sys.maxsize


def test_limits_is_frozen_and_takes_keywords_only():
    """A limit cannot change under the codecs that share it, nor be given by position."""
    with pytest.raises(AttributeError):
        Limits().max_depth = 1
    with pytest.raises(TypeError):
        Limits(5)


def test_limits_not_an_integer_raises():
    """A float is no number of bytes."""
    with pytest.raises(TypeError):
        Limits(max_frame_bytes=1.5)


@pytest.mark.parametrize(("size", "passes"), [(9, True), (10, True), (11, False)])
@pytest.mark.parametrize("piecewise", [False, True])
def test_max_frame_bytes_is_the_last_that_passes_b141(size, passes, piecewise):
    """A frame of exactly the limit passes and one byte more fails, also when it comes byte by byte."""
    decoder = Lines(Limits(max_frame_bytes=10))
    data = b"x" * (size - 1) + b"\n"
    pieces = [data[at : at + 1] for at in range(len(data))] if piecewise else [data]
    if passes:
        assert fed(decoder, pieces) == [data]
        return
    with pytest.raises(TooLongFrameError) as caught:
        fed(decoder, pieces)
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_frame_bytes", 10, 11)
    assert decoder.buffered == 0


@pytest.mark.parametrize(("size", "passes"), [(7, True), (8, True), (9, False)])
def test_max_buffered_bytes_is_the_last_that_passes_b141(size, passes):
    """So many bytes may wait for the rest of their message, one more is refused and given up."""
    decoder = Lines(Limits(max_buffered_bytes=8))
    for _ in range(min(size, 8)):
        decoder.feed(b"x")
        assert decoder.next() is NEED_DATA
    assert decoder.buffered == min(size, 8)
    if not passes:
        decoder.feed(b"x")
        with pytest.raises(LimitExceededError) as caught:
            decoder.next()
        assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_buffered_bytes", 8, 9)
        assert decoder.buffered == 0
        decoder.feed(b"ok\n")
        assert list(decoder) == [b"ok\n"]


def test_max_buffered_bytes_refuses_feeding_without_taking():
    """Who feeds and never takes is stopped; the piece is dropped, what came before still comes out."""
    decoder = Lines(Limits(max_buffered_bytes=8))
    decoder.feed(b"a\nb\n")
    decoder.feed(b"c\nd\n")
    with pytest.raises(LimitExceededError) as caught:
        decoder.feed(b"e")
    assert (caught.value.maximum, caught.value.value) == (8, 9)
    assert list(decoder) == [b"a\n", b"b\n", b"c\n", b"d\n"]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_max_messages_per_feed_raises_once_and_loses_nothing_b141(count):
    """The sixth message of one piece is refused once, when five are allowed, and delivered afterwards."""
    decoder = Lines(Limits(max_messages_per_feed=5))
    decoder.feed(b"\n" * count)
    got = [decoder.next() for _ in range(min(count, 5))]
    if count > 5:
        with pytest.raises(LimitExceededError) as caught:
            decoder.next()
        assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_messages_per_feed", 5, 6)
    got += list(decoder)
    assert got == [b"\n"] * count
    decoder.feed(b"\n" * 5)
    assert list(decoder) == [b"\n"] * 5


def test_max_messages_per_feed_keeps_the_stashed_message_over_a_feed():
    """The message that tripped the limit comes first when more bytes are fed before it is taken."""
    decoder = Lines(Limits(max_messages_per_feed=2))
    decoder.feed(b"1\n2\n3\n")
    assert [decoder.next(), decoder.next()] == [b"1\n", b"2\n"]
    with pytest.raises(LimitExceededError):
        decoder.next()
    decoder.feed(b"4\n")
    assert [decoder.next(), decoder.next()] == [b"3\n", b"4\n"]


def test_length_field_limit_counts_messages():
    """A flood of empty frames trips the count, however few bytes it takes."""
    decoder = LengthFieldBasedFrameDecoder(16, 0, 1, 0, 1)
    decoder.feed(bytes(Limits().max_messages_per_feed + 1))
    with pytest.raises(LimitExceededError) as caught:
        for frame in decoder:
            frame.release()
    assert caught.value.limit == "max_messages_per_feed"
    for frame in decoder:
        frame.release()
