"""The length-field decoder and prepender: the arithmetic of a length field, both ways, and hostile input."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zbuf import Pool, copied, default_allocator, wrap
from zbuf.codec import NEED_DATA, LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.errors import (
    CorruptedFrameError,
    DecodeError,
    EncodeError,
    IncompleteFrameError,
    ReferenceCountError,
    TooLongFrameError,
)
from zbuf.region import FileRegion
from zbuf.testing import check_decoder

HELLO = b"HELLO, WORLD"

# The examples of Netty's documentation: arguments after max_frame_length, input, frame.
DOCUMENTED = {
    "2 bytes at 0, keep the head": ((0, 2), b"\x00\x0c" + HELLO, b"\x00\x0c" + HELLO),
    "2 bytes at 0, strip the head": ((0, 2, 0, 2), b"\x00\x0c" + HELLO, HELLO),
    "the length is that of the whole": ((0, 2, -2, 0), b"\x00\x0e" + HELLO, b"\x00\x0e" + HELLO),
    "3 bytes at the end of a 5-byte head": ((2, 3), b"\xca\xfe\x00\x00\x0c" + HELLO, b"\xca\xfe\x00\x00\x0c" + HELLO),
    "3 bytes at the start of one": ((0, 3, 2, 0), b"\x00\x00\x0c\xca\xfe" + HELLO, b"\x00\x00\x0c\xca\xfe" + HELLO),
    "in the middle, strip the first part": ((1, 2, 1, 3), b"\xca\x00\x0c\xfe" + HELLO, b"\xfe" + HELLO),
    "in the middle, of the whole": ((1, 2, -3, 3), b"\xca\x00\x10\xfe" + HELLO, b"\xfe" + HELLO),
}


@pytest.mark.parametrize(("arguments", "data", "frame"), DOCUMENTED.values(), ids=list(DOCUMENTED))
def test_documented_combinations_give_the_documented_frame_b138(arguments, data, frame):
    """Each example of Netty's documentation, three frames in a row, however they are cut."""
    check_decoder(lambda: LengthFieldBasedFrameDecoder(64, *arguments), data * 3, [frame] * 3)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("little", [False, True], ids=["big", "little"])
@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize("strip", [0, 1, 8])
def test_every_width_order_offset_and_strip_b138(width, little, offset, strip):
    """Frames of 0, 1 and 200 bytes for each width of the field, both byte orders, in front and further in."""
    data, frames = b"", []
    for size in (200, 0, 1):
        if offset + width + size < strip:
            continue
        whole = b"\xee" * offset + size.to_bytes(width, "little" if little else "big") + bytes(range(size))
        data += whole
        frames.append(whole[strip:])
    decoder = LengthFieldBasedFrameDecoder(1000, offset, width, 0, strip, little_endian=little)
    for at in range(0, len(data), 7):
        decoder.feed(data[at : at + 7])
    assert [bytes(frame) for frame in decoder] == frames


@pytest.mark.parametrize("adjustment", [-3, 0, 5])
def test_adjustment_is_added_to_the_length_b138(adjustment):
    """The field says the length without the adjustment."""
    body = b"0123456789"
    data = (len(body) - adjustment).to_bytes(2, "big") + body
    check_decoder(lambda: LengthFieldBasedFrameDecoder(64, 0, 2, adjustment, 2), data * 2, [body, body])


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((16, 0, 0), {}),
        ((16, 0, 5), {}),
        ((16, 0, 7), {}),
        ((16, 0, 9), {}),
        ((16, -1), {}),
        ((16, 0, 4, 0, -1), {}),
        ((3, 0, 4), {}),
        ((8, 5, 4), {}),
        ((0,), {}),
        ((-1,), {}),
        ((16, 0, 4, 2**62 + 1), {}),
        ((2**63, 0, 4), {}),
    ],
)
def test_bad_arguments_raise_value_error_at_construction_b138(arguments, options):
    """Wrong widths, negative numbers, and a limit that the head alone exceeds are refused at once."""
    with pytest.raises(ValueError):
        LengthFieldBasedFrameDecoder(*arguments, **options)


@pytest.mark.parametrize("arguments", [(1.5,), (16, "0"), (16, 0, None), (16, 0, 4, 1.0)])
def test_arguments_that_are_no_integers_raise_type_error(arguments):
    """Floats, text and None are no lengths."""
    with pytest.raises(TypeError):
        LengthFieldBasedFrameDecoder(*arguments)


# Too long.


@pytest.mark.parametrize("size", [15, 16, 17])
def test_exactly_max_frame_length_passes_b141(size):
    """A frame of exactly max_frame_length, head included, passes; one byte more does not."""
    data = (size - 2).to_bytes(2, "big") + bytes(size - 2)
    expected = [data] if size <= 16 else [TooLongFrameError]
    check_decoder(lambda: LengthFieldBasedFrameDecoder(16, 0, 2), data + b"\x00\x01x", expected + [b"\x00\x01x"])


def test_too_long_fails_fast_at_the_head_b139():
    """The error comes with the head; exactly the declared rest is skipped; the next frame decodes."""
    decoder = LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2)
    decoder.feed(b"\x00\x20")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_frame_length", 16, 34)
    for _ in range(31):
        decoder.feed(b"\x00")
        assert decoder.next() is NEED_DATA
    decoder.feed(b"\x00\x00\x02ok")
    assert list(decoder) == [b"ok"]


def test_too_long_slow_raises_when_all_is_skipped_b139():
    """Without fail_fast the one error comes behind the last byte of the frame."""
    decoder = LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2, fail_fast=False)
    decoder.feed(b"\x00\x20" + bytes(31))
    assert decoder.next() is NEED_DATA
    decoder.feed(b"\x00\x00\x02ok")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert caught.value.value == 34
    assert list(decoder) == [b"ok"]
    decoder.end()  # the error was reported: once


@pytest.mark.parametrize("fail_fast", [True, False])
def test_too_long_recovers_however_it_is_cut_b139(fail_fast):
    """The same messages and errors in the same order for every cut, in both modes."""
    check_decoder(
        lambda: LengthFieldBasedFrameDecoder(8, 0, 1, 0, 1, fail_fast=fail_fast),
        b"\x01a" + b"\x09" + b"z" * 9 + b"\x02bc" + b"\x08" + b"y" * 8 + b"\x00",
        [b"a", TooLongFrameError, b"bc", TooLongFrameError, b""],
    )


def test_too_long_slow_is_not_lost_at_the_end():
    """The input ends while a frame is being skipped: the error it was due is raised by end(), once."""
    decoder = LengthFieldBasedFrameDecoder(16, 0, 2, fail_fast=False)
    decoder.feed(b"\x00\x20abc")
    assert decoder.next() is NEED_DATA
    with pytest.raises(TooLongFrameError):
        decoder.end()
    decoder.end()
    decoder.feed(b"\x00\x01x")
    assert list(decoder) == [b"\x00\x01x"]


def test_leftover_ends_the_skipping():
    """A decoder whose bytes were taken out starts anew: what is fed next is a head, not the rest of a bad frame."""
    decoder = LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2)
    decoder.feed(b"\x00\x20abc")
    with pytest.raises(TooLongFrameError):
        decoder.next()
    decoder.leftover().release()
    decoder.feed(b"\x00\x01x")
    assert list(decoder) == [b"x"]


@pytest.mark.parametrize("width", [4, 8])
def test_declared_gigabytes_allocate_nothing_b141(width):
    """A head that announces 2 GiB costs no more memory than the bytes that came."""
    pool = Pool()
    decoder = LengthFieldBasedFrameDecoder(2**40, 0, width)
    buf = pool.buffer(16)
    buf.write_bytes((2**31).to_bytes(width, "big") + b"x")
    decoder.feed(buf)
    assert decoder.next() is NEED_DATA
    assert decoder.needed == 2**31 - 1
    assert pool.statistics().live_bytes <= 64
    decoder.leftover().release()


# Corrupted.


@pytest.mark.parametrize(
    ("make", "bad", "good", "frame"),
    [
        (lambda: LengthFieldBasedFrameDecoder(64, 0, 2, -4, 0), b"\x00\x01", b"\x00\x05abc"[:5], b"\x00\x05abc"[:3]),
        (lambda: LengthFieldBasedFrameDecoder(64, 0, 8, 0, 8), b"\x80" + bytes(7), bytes(7) + b"\x01x", b"x"),
        (
            lambda: LengthFieldBasedFrameDecoder(64, 0, 8, 0, 0, little_endian=True),
            bytes(7) + b"\xff",
            b"\x01" + bytes(7) + b"x",
            b"\x01" + bytes(7) + b"x",
        ),
        (lambda: LengthFieldBasedFrameDecoder(64, 0, 1, 0, 4), b"\x02ab", b"\x03cde", b""),
        (lambda: LengthFieldBasedFrameDecoder(64, 0, 1, 0, 4), b"\x00", b"\x04cdef", b"f"),
    ],
    ids=["negative", "top bit", "top bit, little", "strip beyond the frame", "strip beyond an empty frame"],
)
def test_corrupted_head_is_consumed_and_the_next_frame_decodes_b140(make, bad, good, frame):
    """What the field says cannot be: CorruptedFrameError, and the good frame behind it decodes, for every cut."""
    if frame == b"\x00\x05a":
        good = b"\x00\x05a"
    check_decoder(make, bad + good, [CorruptedFrameError, frame])


def test_negative_after_adjustment_with_header_consumed_b140():
    """Only the head of the bad frame is consumed."""
    decoder = LengthFieldBasedFrameDecoder(64, 1, 2, -5, 0)
    decoder.feed(b"?\x00\x04rest")
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    assert decoder.leftover() == b"rest"


def test_extreme_lengths_do_not_overflow():
    """The largest value of each width with adjustments at both ends is too long or corrupt, never a wrong frame."""
    for width, adjustment in itertools.product((1, 2, 3, 4, 8), (-(2**62), -1, 0, 1, 2**62)):
        decoder = LengthFieldBasedFrameDecoder(2**63 - 1 if width == 8 else 2**40, 0, width, adjustment)
        decoder.feed(b"\x7f" + b"\xff" * (width - 1))
        value = 2 ** (8 * width - 1) - 1
        fits = 0 <= value + adjustment and value + adjustment + width <= decoder.max_frame_length
        if fits:
            assert decoder.next() is NEED_DATA
            assert decoder.needed == value + adjustment
        else:
            with pytest.raises((TooLongFrameError, CorruptedFrameError)):
                decoder.next()


def test_incomplete_frame_is_reported_at_the_end():
    """The input ends inside a head, or inside a body."""
    check_decoder(lambda: LengthFieldBasedFrameDecoder(64), b"\x00\x00\x00", [IncompleteFrameError])
    check_decoder(lambda: LengthFieldBasedFrameDecoder(64), b"\x00\x00\x00\x02a", [IncompleteFrameError])


@given(
    data=st.binary(max_size=60),
    longest=st.integers(8, 40),
    width=st.sampled_from([1, 2, 3, 4, 8]),
    adjustment=st.integers(-6, 6),
    strip=st.integers(0, 6),
    little=st.booleans(),
    fail_fast=st.booleans(),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_any_bytes_give_messages_or_decode_errors_whatever_the_cut_b131(
    data, longest, width, adjustment, strip, little, fail_fast, cuts
):
    """Arbitrary bytes: only frames, NEED_DATA and DecodeErrors; whole and cut agree; nothing stays leased."""
    pool = Pool()

    def outcome(pieces):
        decoder = LengthFieldBasedFrameDecoder(
            longest, 0, width, adjustment, strip, little_endian=little, fail_fast=fail_fast
        )
        got = []
        for piece in pieces:
            buf = pool.buffer(len(piece) + 1)
            buf.write_bytes(piece)
            decoder.feed(buf)
            while True:
                try:
                    message = decoder.next()
                except DecodeError as exc:
                    got.append(type(exc))
                    continue
                if message is NEED_DATA:
                    break
                got.append(bytes(message))
                message.release()
        left = decoder.buffered
        decoder.leftover().release()
        return got, left

    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert outcome([data]) == outcome(pieces)
    assert pool.statistics().live_blocks == 0


def test_subclass_may_override_parse():
    """A parser in Python over the compiled one is called, in both forms."""

    class Upper(LengthFieldBasedFrameDecoder):
        def parse(self, buf):
            frame = super().parse(buf)
            return frame if frame is NEED_DATA else bytes(frame).upper()

    check_decoder(lambda: Upper(64, 0, 1, 0, 1), b"\x02ab\x01c", [b"AB", b"C"])


# The prepender.


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("includes", [False, True])
def test_prepender_yields_header_then_the_very_message_b147(width, order, includes):
    """The header says the length in the width and order asked for; the message is the same object, nothing copied."""
    prepender = LengthFieldPrepender(width, includes_length_field=includes, little_endian=order == "little")
    msg = copied(b"x" * 200)
    header, same = prepender.encode(msg, default_allocator())
    assert bytes(header) == (200 + (width if includes else 0)).to_bytes(width, order)
    assert same is msg and msg.refcnt == 1
    header.release()
    msg.release()


@pytest.mark.parametrize(
    ("width", "adjustment", "includes", "size", "fits"),
    [
        (1, 0, False, 255, True),
        (1, 0, False, 256, False),
        (1, 0, True, 254, True),
        (1, 0, True, 255, False),
        (2, -10, False, 10, True),
        (2, -11, False, 10, False),
        (2, 65535, False, 0, True),
        (2, 65535, False, 1, False),
        (3, 0, False, 1 << 20, True),
        (8, 2**62, False, 9, True),
    ],
)
def test_prepender_refuses_what_the_field_cannot_say_b147(width, adjustment, includes, size, fits):
    """A length below 0 or above the width after adjustment raises EncodeError; the last that fits passes."""
    prepender = LengthFieldPrepender(width, adjustment, includes_length_field=includes)
    msg = wrap(bytes(size))
    if fits:
        header, _ = prepender.encode(msg, default_allocator())
        assert int.from_bytes(bytes(header), "big") == size + adjustment + (width if includes else 0)
    else:
        with pytest.raises(EncodeError):
            prepender.encode(msg, default_allocator())
    assert msg.refcnt == 1


@pytest.mark.parametrize("width", [0, 5, 9, -1])
def test_prepender_wrong_width_raises_at_construction_b138(width):
    """Only 1, 2, 3, 4 and 8 bytes."""
    with pytest.raises(ValueError):
        LengthFieldPrepender(width)


def test_prepender_takes_regions_and_bytes(tmp_path):
    """A region is counted without being read; bytes and arrays by their bytes."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    prepender = LengthFieldPrepender(1)
    for msg, size in ((FileRegion(path, 2, 5), 5), (b"abc", 3), (memoryview(bytearray(8)).cast("I"), 8)):
        header, same = prepender.encode(msg, default_allocator())
        assert bytes(header) == bytes([size]) and same is msg
        header.release()


def test_prepender_dead_message_raises():
    """A released message is refused before a header is made."""
    msg = copied(b"a")
    msg.release()
    with pytest.raises(ReferenceCountError):
        LengthFieldPrepender(4).encode(msg, default_allocator())


@given(
    messages=st.lists(st.binary(max_size=40), max_size=6),
    width=st.sampled_from([1, 2, 3, 4, 8]),
    adjustment=st.integers(-20, 20),
    includes=st.booleans(),
    little=st.booleans(),
)
@example(messages=[b"", b"x" * 40], width=8, adjustment=-20, includes=True, little=True)
def test_decoder_after_encoder_is_the_identity_b150(messages, width, adjustment, includes, little):
    """Random messages and every parameter set: what was encoded decodes to itself, unless it cannot be encoded."""
    alloc = default_allocator()
    prepender = LengthFieldPrepender(width, adjustment, includes_length_field=includes, little_endian=little)
    shift = adjustment + (width if includes else 0)  # the field says size + shift, so the decoder takes it off
    decoder = LengthFieldBasedFrameDecoder(100, 0, width, -shift, width, little_endian=little)
    sent = []
    for message in messages:
        try:
            parts = prepender.encode(wrap(message), alloc)
        except EncodeError:
            assert not 0 <= len(message) + shift <= min(256**width - 1, 2**63 - 1)
            continue
        for part in parts:
            decoder.feed(part)
        sent.append(message)
    assert [bytes(frame) for frame in decoder] == sent
    assert decoder.buffered == 0
