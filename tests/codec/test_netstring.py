"""Netstrings: exactly one way to write each, and nothing else is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf import default_allocator, wrap
from zbuf.codec import NEED_DATA, NetstringEncoder, NetstringFrameDecoder
from zbuf.errors import CorruptedFrameError, IncompleteFrameError, TooLongFrameError
from zbuf.pipeline import EncoderHandler
from zbuf.testing import EmbeddedChannel, check_decoder


def test_netstrings_for_every_cut_b130():
    """Strings, empty ones, and strings that look like netstrings."""
    check_decoder(
        lambda: NetstringFrameDecoder(20),
        b"5:hello,0:,5:3:a,b,12:hello world!,",
        [b"hello", b"", b"3:a,b", b"hello world!"],
    )


@pytest.mark.parametrize(
    "bad",
    [
        b"x",
        b":",
        b"-",
        b"1a",
        b"05",
        b"00",
        b" ",
        b"3:abcd",
        b"0:x",
        b"1" * 19,
    ],
)
def test_what_is_no_netstring_is_refused_and_the_next_decodes_b131(bad):
    """What is wrong is consumed up to the byte that makes it wrong."""
    check_decoder(lambda: NetstringFrameDecoder(20), b"1:a," + bad + b"1:b,", [b"a", CorruptedFrameError, b"b"])


@pytest.mark.parametrize("size", [9, 10, 11, 40])
def test_exactly_max_frame_length_passes_b141(size):
    """One byte more is skipped with its comma."""
    expected = [b"x" * size] if size <= 10 else [TooLongFrameError]
    check_decoder(lambda: NetstringFrameDecoder(10), b"%d:%s,2:ok," % (size, b"x" * size), [*expected, b"ok"])


def test_needed_is_the_rest_of_the_string_b132():
    """Behind the head `needed` counts the string and its comma."""
    decoder = NetstringFrameDecoder(1000)
    decoder.feed(b"100:a")
    assert decoder.next() is NEED_DATA and decoder.needed == 100


def test_huge_length_raises_at_the_head_b141():
    """18 digits of length cost the bytes that came; the string is skipped as it comes."""
    decoder = NetstringFrameDecoder(1000)
    decoder.feed(b"9" * 18 + b":")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert caught.value.value == 10**18 - 1 and decoder.buffered == 0
    decoder.feed(bytes(1000))
    assert decoder.next() is NEED_DATA and decoder.buffered == 0


def test_end_inside_a_netstring_b137():
    """A head, a string, a missing comma: all are unfinished."""
    for data in (b"1", b"1:", b"1:a"):
        check_decoder(lambda: NetstringFrameDecoder(10), data, [IncompleteFrameError])


def test_encoder_gives_the_very_message_b148():
    """The string itself stands between length and comma."""
    msg = wrap(b"hello")
    head, body, tail = NetstringEncoder().encode(msg, default_allocator())
    assert (head, tail) == (b"5:", b",") and body is msg


def test_encoder_in_a_pipeline_b149():
    """Three parts, one write."""
    channel = EmbeddedChannel(EncoderHandler(NetstringEncoder()))
    channel.write_outbound(wrap(b"hello"))
    assert b"5:hello," == b"".join(bytes(channel.read_outbound()) for _ in range(3))


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 20))
def test_decoder_after_encoder_is_the_identity_b150(messages, step):
    """What was encoded comes back, cut every `step` bytes."""
    encoder, alloc = NetstringEncoder(), default_allocator()
    data = b"".join(bytes(part) for message in messages for part in encoder.encode(wrap(message), alloc))
    decoder = NetstringFrameDecoder(30)
    got = []
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
        got += [bytes(frame) for frame in decoder]
    decoder.end()
    assert got == messages
