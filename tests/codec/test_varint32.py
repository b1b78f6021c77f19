"""Frames behind a varint: the length cut anywhere, malformed, too long; and the prepender."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf import Pool, default_allocator, varint_size, wrap
from zbuf.codec import (
    NEED_DATA,
    LengthFieldBasedFrameDecoder,
    ProtobufVarint32FrameDecoder,
    ProtobufVarint32LengthFieldPrepender,
)
from zbuf.errors import CorruptedFrameError, EncodeError, IncompleteFrameError, TooLongFrameError
from zbuf.pipeline import EncoderHandler
from zbuf.region import FileRegion
from zbuf.testing import EmbeddedChannel, check_decoder


def varint(value):
    """The shortest form."""
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_frames_of_every_size_of_length_b146():
    """Lengths of one, two and three bytes, and empty frames, for every cut."""
    check_decoder(
        lambda: ProtobufVarint32FrameDecoder(200), b"\x00\x02Hi\x81\x01" + bytes(129), [b"", b"Hi", bytes(129)]
    )
    decoder = ProtobufVarint32FrameDecoder(1 << 20)
    decoder.feed(varint(70_000) + bytes(70_000) + b"\x01x")
    assert [70_000, 1] == [len(frame) for frame in decoder]


def test_four_of_five_length_bytes_need_data_b146():
    """A length that is not complete is no error."""
    decoder = ProtobufVarint32FrameDecoder(2**32)
    for byte in b"\x80\x80\x80\x80":
        decoder.feed(bytes([byte]))
        assert decoder.next() is NEED_DATA and decoder.needed == 1
    decoder.feed(b"\x08")
    assert decoder.next() is NEED_DATA and decoder.needed == 1 << 31


def test_padded_length_is_accepted_b146():
    """Five bytes at most, padded with zeros."""
    check_decoder(
        lambda: ProtobufVarint32FrameDecoder(9), b"\x82\x80\x80\x80\x00Hi\x80\x00\x81\x00x", [b"Hi", b"", b"x"]
    )


@pytest.mark.parametrize("length", [b"\x80\x80\x80\x80\x80", b"\xff\xff\xff\xff\x10", b"\xff\xff\xff\xff\xff"])
def test_length_of_six_bytes_or_33_bits_is_corrupt_b146(length):
    """The five bytes are consumed, and the frame behind them decodes."""
    check_decoder(
        lambda: ProtobufVarint32FrameDecoder(9), b"\x01a" + length + b"\x01b", [b"a", CorruptedFrameError, b"b"]
    )


@pytest.mark.parametrize("size", [4, 5, 6, 300])
def test_too_long_obeys_the_limit_and_recovers_b146_b141(size):
    """Exactly the limit passes, one byte more is skipped, and the next frame decodes."""
    expected = [bytes(size)] if size <= 5 else [TooLongFrameError]
    check_decoder(lambda: ProtobufVarint32FrameDecoder(5), varint(size) + bytes(size) + b"\x02ok", [*expected, b"ok"])


def test_declared_gigabytes_allocate_nothing_b141():
    """4 GiB announced cost the bytes that came, and the error comes with the head."""
    pool = Pool()
    decoder = ProtobufVarint32FrameDecoder(1 << 20)
    buf = pool.buffer(16)
    buf.write_bytes(b"\xff\xff\xff\xff\x0fx")
    decoder.feed(buf)
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert caught.value.value == 2**32 - 1
    assert decoder.buffered == 0 and pool.statistics().live_blocks == 0
    decoder.end()
    decoder.feed(b"\x01x")
    assert list(decoder) == [b"x"]


def test_end_inside_length_and_body_b137():
    """Both are unfinished frames."""
    for data in (b"\x80", b"\x03ab"):
        check_decoder(lambda: ProtobufVarint32FrameDecoder(9), data, [IncompleteFrameError])


@pytest.mark.parametrize("length", [0, -1, 2**63])
def test_bad_length_raises_value_error(length):
    """A limit is positive."""
    with pytest.raises(ValueError):
        ProtobufVarint32FrameDecoder(length)


# The prepender.


def test_prepender_gives_header_and_the_very_message_b147():
    """The message is not copied, and the header is the shortest varint."""
    for size in (0, 1, 127, 128, 16383, 16384, 2_097_152):
        msg = wrap(bytes(size))
        head, body = ProtobufVarint32LengthFieldPrepender().encode(msg, default_allocator())
        assert body is msg
        assert bytes(head) == varint(size) and len(head) == varint_size(size)


def test_prepender_of_regions_and_bytes(tmp_path):
    """A region counts with its bytes, which stay where they are."""
    path = tmp_path / "file"
    path.write_bytes(bytes(300))
    region = FileRegion(path, 0, 300)
    head, body = ProtobufVarint32LengthFieldPrepender().encode(region, default_allocator())
    assert bytes(head) == b"\xac\x02" and body is region
    region.release()
    assert bytes(ProtobufVarint32LengthFieldPrepender().encode(memoryview(b"abc"), default_allocator())[0]) == b"\x03"


def test_prepender_refuses_what_32_bits_cannot_say(tmp_path):
    """4 GiB less one is the longest message."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**32)
    with FileRegion(path, 0, 2**32 - 1) as longest:
        head, _ = ProtobufVarint32LengthFieldPrepender().encode(longest, default_allocator())
        assert bytes(head) == b"\xff\xff\xff\xff\x0f"
    with FileRegion(path, 0, 2**32) as longer, pytest.raises(EncodeError):
        ProtobufVarint32LengthFieldPrepender().encode(longer, default_allocator())


def test_prepender_in_a_pipeline_b149():
    """The adapter writes header and message as one write."""
    channel = EmbeddedChannel(EncoderHandler(ProtobufVarint32LengthFieldPrepender()))
    channel.write_outbound(wrap(bytes(300)), b"ab")
    written = [channel.read_outbound() for _ in range(4)]
    assert [b"\xac\x02", bytes(300), b"\x02", b"ab"] == [bytes(part) for part in written]


@given(st.lists(st.binary(max_size=400), max_size=8), st.integers(1, 50))
def test_decoder_after_prepender_is_the_identity_b150(messages, step):
    """What was framed comes back, cut every `step` bytes."""
    prepender, alloc = ProtobufVarint32LengthFieldPrepender(), default_allocator()
    data = b"".join(bytes(part) for part in itertools.chain(*(prepender.encode(wrap(m), alloc) for m in messages)))
    decoder = ProtobufVarint32FrameDecoder(400)
    got = []
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
        got += [bytes(frame) for frame in decoder]
    decoder.end()
    assert got == messages


def test_one_byte_lengths_are_as_a_length_field_of_one_byte():
    """Up to 127 bytes both formats are the same."""
    data = b"".join(bytes([n]) + bytes(n) for n in range(128))
    varints, field = ProtobufVarint32FrameDecoder(127), LengthFieldBasedFrameDecoder(128, 0, 1, 0, 1)
    varints.feed(data)
    field.feed(data)
    assert [bytes(one) for one in varints] == [bytes(one) for one in field]
