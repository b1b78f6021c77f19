"""Bulk transfer: bytes in and out, between buffers and foreign memory, with every overlap.

Owns    BEHAVIOURS 25 to 29.
Never   text and struct, which have files of their own.
Always  both ends are checked: what moved, what was copied, and what a refused call left alone."""

from __future__ import annotations

import array
import random

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_growing,
    each_read_only,
    each_room,
    each_shape,
    each_writable,
    fails,
    unchanged,
)
from zbuf import ByteBuf, buffer, copied, wrap
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError
from zbuf.testing._shapes import shape as build

DATA = bytes(range(1, 21))


def exactly(data: bytes) -> ByteBuf:
    """A full buffer: its capacity is its length."""
    buf = buffer(len(data))
    buf.write_bytes(data)
    return buf


@each_shape
def test_read_bytes_copies_out_and_moves(shape: Make) -> None:
    """read_bytes gives bytes, exactly n of them."""
    buf = shape(DATA)
    first = buf.read_bytes(3)
    assert (type(first), first, buf.read_bytes(0), buf.read_bytes(17)) == (bytes, DATA[:3], b"", DATA[3:])
    with fails(BoundsError, buf) as caught:
        buf.read_bytes(1)
    assert (caught.value.requested, caught.value.available) == (1, 0)


@each_shape
def test_get_bytes_is_bounded_by_the_capacity(shape: Make) -> None:
    """get_bytes may read behind the writer index and moves nothing."""
    buf = shape(DATA)
    r = buf.reader_index
    buf.writer_index = r + 2
    with unchanged(buf):
        assert buf.get_bytes(r, 20) == DATA
        assert buf.get_bytes(r + 18, 2) == DATA[18:]
        assert buf.get_bytes(buf.capacity, 0) == b""
    for index, length in ((0, buf.capacity + 1), (buf.capacity, 1), (-1, 1), (1, 2**63 - 1)):
        with fails(BoundsError, buf):
            buf.get_bytes(index, length)


@each_room
@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 7, 8, 9, 20])
def test_b025_zeros_cover_exactly_their_range(room: MakeRoom, length: int) -> None:
    """set_zero clears n bytes and no neighbour; write_zero does it at the writer index and moves it."""
    buf = room(20)
    r = buf.reader_index
    buf.write_bytes(b"\xff" * 20)
    for at in (0, 3, 20 - length):
        if at + length > 20:
            continue
        buf.set_bytes(r, b"\xff" * 20)
        buf.set_zero(r + at, length)
        assert bytes(buf) == b"\xff" * at + bytes(length) + b"\xff" * (20 - at - length)
    buf.set_bytes(r, b"\xff" * 20)
    buf.writer_index = r
    buf.write_zero(length)
    assert buf.writer_index == r + length
    assert buf.get_bytes(r, 20) == bytes(length) + b"\xff" * (20 - length)


@each_growing
def test_b025_write_zero_grows(growing: MakeGrowing) -> None:
    """Zeros are written like any bytes: with growth, up to the maximum."""
    buf = growing(b"ab", 100)
    buf.write_zero(98)
    assert bytes(buf) == b"ab" + bytes(98)
    with fails(CapacityError, buf):
        buf.write_zero(1)


@each_shape
def test_b026_read_into_a_buffer_moves_both(shape: Make) -> None:
    """Without dst_index the reader index here and the writer index there advance, by the room of the destination."""
    buf, dst = shape(DATA), buffer(6, 6)
    assert buf.read_bytes_into(dst) == 6
    assert (bytes(dst), bytes(buf)) == (DATA[:6], DATA[6:])
    assert buf.read_bytes_into(dst) == 0
    other = buffer(8)
    assert buf.read_bytes_into(other, length=3) == 3
    assert (bytes(other), other.capacity, bytes(buf)) == (DATA[6:9], 8, DATA[9:])


@each_shape
def test_b026_read_into_a_place_moves_only_the_reader(shape: Make) -> None:
    """With dst_index the destination's indices stay; length defaults to its end."""
    buf, dst = shape(DATA), exactly(bytes(9))
    dst.skip_bytes(1)
    assert buf.read_bytes_into(dst, 5) == 4
    assert buf.read_bytes_into(dst, 1, 2) == 2
    assert dst.get_bytes(0, 9) == b"\0" + DATA[4:6] + b"\0\0" + DATA[:4]
    assert (dst.reader_index, dst.writer_index, bytes(buf)) == (1, 9, DATA[6:])


@each_shape
def test_b026_read_into_foreign_memory_counts_its_bytes(shape: Make) -> None:
    """bytearray, memoryview and typed array are destinations by their nbytes."""
    buf = shape(DATA)
    target, typed = bytearray(5), array.array("H", [0, 0, 0])
    assert buf.read_bytes_into(target) == 5
    assert buf.read_bytes_into(memoryview(target)[3:]) == 2
    assert buf.read_bytes_into(typed, 2) == 4
    assert (bytes(target), typed.tobytes()) == (DATA[:3] + DATA[5:7], b"\0\0" + DATA[7:11])
    assert bytes(buf) == DATA[11:]


@each_shape
def test_b026_the_get_form_moves_only_the_destination(shape: Make) -> None:
    """get_bytes_into reads anywhere in the capacity and leaves this buffer's indices."""
    buf, dst, target = shape(DATA), buffer(4, 4), bytearray(3)
    r = buf.reader_index
    with unchanged(buf):
        assert buf.get_bytes_into(r + 10, dst) == 4
        assert buf.get_bytes_into(r + 1, target) == 3
        assert buf.get_bytes_into(r + 19, target, 2, 1) == 1
        assert buf.get_bytes_into(r, dst, 0, 1) == 1
    assert (bytes(dst), bytes(target)) == (DATA[:1] + DATA[11:14], DATA[1:3] + DATA[19:])


@each_room
@pytest.mark.parametrize("source", ["plain", "wrapped bytes", "slice after head", "composite of uneven parts"])
def test_b026_write_from_a_buffer_moves_both(room: MakeRoom, source: str) -> None:
    """Without src_index the source's reader index advances with the writer index here; with it only the latter."""
    buf, src = room(30), build(source, DATA)
    r = src.reader_index
    assert buf.write_bytes(src, length=4) == 4
    assert src.reader_index == r + 4
    assert buf.write_bytes(src, r + 18) == 2
    assert buf.write_bytes(src, r + 1, 3) == 3
    assert src.reader_index == r + 4
    assert buf.write_bytes(src) == 16
    assert (src.readable_bytes, bytes(buf)) == (0, DATA[:4] + DATA[18:] + DATA[1:4] + DATA[4:])


@each_writable
def test_b026_the_set_form_moves_only_the_source(shape: Make) -> None:
    """set_bytes leaves this buffer's indices; a whole source without src_index is used up."""
    buf, src = shape(DATA), copied(b"abcdef")
    r, indices = buf.reader_index, (buf.reader_index, buf.writer_index)
    assert buf.set_bytes(r + 2, src, length=2) == 2
    assert buf.set_bytes(r + 4, src, 0, 3) == 3
    assert src.reader_index == 2
    assert buf.set_bytes(r + 7, src) == 4
    assert src.readable_bytes == 0
    assert buf.set_bytes(r + 19, b"z") == 1
    assert (buf.reader_index, buf.writer_index) == indices
    assert bytes(buf) == DATA[:2] + b"ab" + b"abc" + b"cdef" + DATA[11:19] + b"z"


@each_shape
def test_b027_a_destination_too_small_is_refused_on_both_sides(shape: Make) -> None:
    """dst never grows; a bad index, dst_index or length is BoundsError; neither side changes."""
    buf, dst = shape(DATA), exactly(b"12345")
    for arguments in ((dst, 0, 6), (dst, 6), (dst, 5, 1), (dst, -1, 1), (dst, None, 1), (dst, 3, 3)):
        with fails(BoundsError, buf, dst):
            buf.read_bytes_into(*arguments)
        with fails(BoundsError, buf, dst):
            buf.get_bytes_into(buf.reader_index, *arguments)
    with fails(BoundsError, buf, dst):
        buf.get_bytes_into(buf.capacity - 1, dst, 0, 2)
    target = bytearray(30)
    for arguments in ((target,), (target, 0, 21), (target, 31), (target, 30, 1), (target, -1, 1)):
        with fails(BoundsError, buf):
            buf.read_bytes_into(*arguments)
    assert target == bytes(30)


@each_shape
def test_b027_a_read_only_destination_is_refused(shape: Make) -> None:
    """A read-only buffer raises ReadOnlyError, read-only foreign memory BufferError."""
    buf, dst = shape(DATA), copied(b"12345").as_read_only()
    for arguments in ((dst, 0, 1), (dst, 0, 0), (dst, 0)):
        with fails(ReadOnlyError, buf, dst):
            buf.read_bytes_into(*arguments)
        with fails(ReadOnlyError, buf, dst):
            buf.get_bytes_into(0, *arguments)
    for foreign in (b"12345", memoryview(b"12345")):
        with fails(BufferError, buf):
            buf.read_bytes_into(foreign)
        with fails(BufferError, buf):
            buf.get_bytes_into(0, foreign)


@each_room
def test_b027_a_source_with_a_bad_range_is_refused(room: MakeRoom) -> None:
    """A range outside the source is BoundsError on both sides; a set never grows."""
    buf, src = room(20), exactly(b"abcd")
    src.skip_bytes(1)
    for arguments in ((src, None, 4), (src, 5), (src, 0, 5), (src, -1, 1), (b"abcd", 5), (b"abcd", 2, 3)):
        with fails(BoundsError, buf, src):
            buf.write_bytes(*arguments)
        with fails(BoundsError, buf, src):
            buf.set_bytes(0, *arguments)
    for index in (buf.capacity - 2, buf.capacity, -1):
        with fails(BoundsError, buf, src):
            buf.set_bytes(index, src)


@each_writable
def test_b028_copies_within_one_block_behave_like_memmove(shape: Make) -> None:
    """Every overlap of source and destination, through the handle, its slice and a foreign view."""
    rng = random.Random(28)
    buf = shape(DATA)
    model = bytearray(buf.get_bytes(0, buf.capacity))
    for turn in range(120):
        n = rng.randint(0, buf.capacity)
        at, to = rng.randint(0, buf.capacity - n), rng.randint(0, buf.capacity - n)
        route = turn % 4
        if route == 0:
            buf.set_bytes(to, buf.slice(at, n))
        elif route == 1:
            buf.get_bytes_into(at, buf.duplicate(), to, n)
        elif route == 2 and n and not hasattr(buf, "num_components"):
            buf.set_bytes(to, buf.view(at, n))
        elif at + n <= buf.writer_index:
            buf.set_bytes(to, buf, at, n)
        else:
            buf.set_bytes(to, bytes(model[at : at + n]))
        model[to : to + n] = model[at : at + n]
        assert buf.get_bytes(0, buf.capacity) == model, (route, at, to, n)


@each_growing
def test_b028_writing_a_buffer_into_itself_appends_a_copy(growing: MakeGrowing) -> None:
    """write_bytes(self) appends the readable bytes; the reader index moves to the old writer index."""
    buf = growing(b"xabcd", 1000)
    buf.skip_bytes(1)
    assert buf.write_bytes(buf) == 4
    assert (buf.get_bytes(0, 9), buf.reader_index, buf.writer_index) == (b"xabcdabcd", 5, 9)
    assert buf.write_bytes(buf, 0, 5) == 5
    assert (buf.get_bytes(5, 9), buf.reader_index) == (b"abcdxabcd", 5)


@each_growing
def test_b028_writing_an_own_slice_is_right_when_the_write_grows(growing: MakeGrowing) -> None:
    """The slice keeps the old block while the buffer moves to a new one."""
    buf = growing(b"abcd", 1000)
    own = buf.slice()
    for _ in range(3):
        buf.write_bytes(own, 0)
    assert bytes(buf) == b"abcd" * 4
    assert bytes(own) == b"abcd"


@each_room
def test_b029_sources_count_by_bytes_not_by_items(room: MakeRoom) -> None:
    """A typed view counts nbytes; bytes, bytearray, memoryview, array and buffers are all sources."""
    buf = room(60)
    doubles = array.array("d", [1.0, -2.0])
    assert buf.write_bytes(memoryview(doubles)) == 16
    assert buf.write_bytes(doubles, 8, 8) == 8
    assert buf.write_bytes(bytearray(b"ba")) == 2
    assert buf.write_bytes(memoryview(b"xyz")[1:]) == 2
    assert buf.write_bytes(memoryview(b"").cast("I")) == 0
    assert buf.write_bytes(wrap(b"w")) == 1
    assert bytes(buf) == doubles.tobytes() + doubles.tobytes()[8:] + b"bayzw"


@each_room
def test_b029_strided_memory_and_text_are_refused(room: MakeRoom) -> None:
    """A view that is not C-contiguous is BufferError, a str TypeError, None TypeError."""
    buf = room(20)
    for call in (buf.write_bytes, lambda src: buf.set_bytes(0, src)):
        with fails(BufferError, buf):
            call(memoryview(b"abcdef")[::2])
        for bad in ("text", None, 5, [1, 2], object()):
            with fails(TypeError, buf):
                call(bad)
    for bad in ("text", None, 5, object()):
        with fails(TypeError, buf):
            buf.get_bytes_into(0, bad)


@each_read_only
def test_read_only_buffers_refuse_every_write(shape: Make) -> None:
    """Each mutator raises ReadOnlyError and leaves source and target alone."""
    buf, src = shape(DATA), copied(b"ab")
    calls = (
        lambda: buf.write_bytes(src),
        lambda: buf.set_bytes(0, src),
        lambda: buf.write_bytes(b""),
        lambda: buf.set_zero(0, 1),
        lambda: buf.write_zero(0),
        lambda: buf.write_int(1),
        lambda: buf.set_long_le(0, 1),
        lambda: buf.__setitem__(0, 1),
        lambda: buf.__setitem__(slice(0, 2), b"ab"),
    )
    for call in calls:
        with fails(ReadOnlyError, buf, src):
            call()
