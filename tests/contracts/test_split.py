"""Handles that take over or divide a window: move, split, split_off, compact.

Owns    BEHAVIOURS 62 to 64 and 67.
Never   when a block goes back to its pool: memory/test_lifetime has that.
Always  the parts are disjoint: neither sees the other's writes, whoever grows."""

from __future__ import annotations

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    content,
    each_fixed,
    each_growing,
    each_read_only,
    each_shape,
    fails,
)
from zbuf import buffer, composite, copied
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError

DATA = bytes(range(1, 21))


@each_shape
def test_b062_move_takes_the_handle(shape: Make) -> None:
    """Same bytes, indices and limits on the new handle; the old one is dead, or one count poorer."""
    buf = shape(DATA)
    buf.skip_bytes(2)
    was = (buf.reader_index, buf.writer_index, buf.capacity, buf.max_capacity, buf.is_read_only, content(buf))
    moved = buf.move()
    assert buf.refcnt == 0
    with pytest.raises(ReferenceCountError):
        len(buf)
    now = (moved.reader_index, moved.writer_index, moved.capacity, moved.max_capacity, moved.is_read_only)
    assert (*now, content(moved)) == was
    moved.retain()
    again = moved.move()
    assert (moved.refcnt, again.refcnt) == (1, 1)
    assert bytes(moved) == bytes(again) == DATA[2:]
    assert type(again) is type(buf)


@each_shape
def test_b063_split_takes_the_front(shape: Make) -> None:
    """The result holds the first n readable bytes; self starts at 0 with the rest, smaller by what went."""
    buf = shape(DATA)
    r, cap = buf.reader_index, buf.capacity
    with fails(BoundsError, buf) as caught:
        buf.split(21)
    assert (caught.value.requested, caught.value.available) == (21, 20)
    front = buf.split(6)
    assert (front.reader_index, front.writer_index, front.capacity, bytes(front)) == (0, 6, 6, DATA[:6])
    assert (buf.reader_index, buf.writer_index, buf.capacity) == (0, 14, cap - r - 6)
    assert bytes(buf) == DATA[6:]
    assert front.is_read_only == buf.is_read_only
    rest = buf.split()
    assert (bytes(rest), buf.readable_bytes, buf.capacity) == (DATA[6:], 0, cap - r - 20)
    for part in (front, rest, buf):
        part._check()


@each_growing
def test_b063_halves_never_see_each_others_writes(growing: MakeGrowing) -> None:
    """Writes on either side, up to its capacity and beyond, stay on that side."""
    buf = growing(DATA, 1000)
    buf.ensure_writable(30)
    front = buf.split(8)
    front.set_bytes(0, b"frontend")
    front.write_bytes(b"-grown" * 20)
    assert bytes(buf) == DATA[8:]
    buf.set_byte(0, 77)
    buf.write_bytes(b"x" * 200)
    assert bytes(front) == b"frontend" + b"-grown" * 20
    assert bytes(buf) == bytes([77]) + DATA[9:] + b"x" * 200
    front._check()
    buf._check()


@each_growing
def test_b063_halves_of_a_buffer_at_its_maximum_may_grow_again(growing: MakeGrowing) -> None:
    """A full buffer is not a fixed one: what the other half took is room below the maximum."""
    buf = growing(DATA, 20)
    front = buf.split(8)
    if hasattr(buf, "num_components"):
        return  # a composite at its maximum cannot be told from a slice of one
    buf.write_bytes(b"x" * 8)
    front.write_bytes(b"y" * 12)
    assert (bytes(buf), bytes(front)) == (DATA[8:] + b"x" * 8, DATA[:8] + b"y" * 12)


@each_fixed
def test_b063_halves_of_a_fixed_buffer_stay_fixed(shape: Make) -> None:
    """Neither half of a slice or a wrap can grow."""
    buf = shape(DATA)
    front = buf.split(5)
    back = buf.split_off(4)
    for part in (front, buf, back):
        part.writer_index = part.capacity
        with fails(CapacityError, part):
            part.write_byte(1)


@each_read_only
def test_b063_halves_of_a_read_only_buffer_stay_read_only(shape: Make) -> None:
    """All three parts refuse writes."""
    buf = shape(DATA)
    for part in (buf.split(5), buf.split_off(4), buf):
        assert part.is_read_only
        with fails(ReadOnlyError, part):
            part.set_byte(0, 1)


@each_shape
def test_b064_split_off_at_every_place_adds_up(shape: Make) -> None:
    """Bytes, indices and capacities of the two parts are those of the original."""
    for index in range(len(DATA) + 4):
        buf = shape(DATA)
        buf.writer_index -= 2
        if index > buf.capacity:
            continue
        r, w, cap, whole = buf.reader_index, buf.writer_index, buf.capacity, content(buf)
        tail = buf.split_off(index)
        assert (buf.capacity, tail.capacity) == (index, cap - index)
        assert content(buf) + content(tail) == whole
        assert (buf.reader_index, buf.writer_index) == (min(r, index), min(w, index))
        assert (tail.reader_index, tail.writer_index) == (max(r - index, 0), max(w - index, 0))
        buf._check()
        tail._check()
    for index in (-1, shape(DATA).capacity + 1):
        buf = shape(DATA)
        with fails(BoundsError, buf):
            buf.split_off(index)


@each_shape
def test_b067_compact_keeps_the_readable_bytes_in_a_block_of_their_size(shape: Make) -> None:
    """r = 0, w = cap = length, also on slices, composites and read-only handles."""
    buf = shape(DATA)
    buf.skip_bytes(15)
    was_read_only = buf.is_read_only
    buf.compact()
    assert (buf.reader_index, buf.writer_index, buf.capacity, bytes(buf)) == (0, 5, 5, DATA[15:])
    assert (buf.is_read_only, buf.is_contiguous) == (was_read_only, True)
    assert 5 <= buf.memory_size <= 64
    buf._check()


def test_b067_compact_unpins_a_large_block() -> None:
    """A ten-byte frame no longer keeps the 64 KiB it came in."""
    big = buffer(65536)
    big.write_bytes(b"x" * 65536)
    frame = big.slice(100, 10)
    big.release()
    assert frame.memory_size >= 65536
    frame.compact()
    assert (frame.memory_size < 100, bytes(frame)) == (True, b"x" * 10)


def test_b063_parts_of_a_slice_over_components_stay_fixed() -> None:
    """A slice of a composite is a window like any other: its halves cannot grow either."""
    whole = composite()
    for piece in (b"abc", b"def", b"ghi"):
        whole.append(copied(piece))
    part = whole.slice(1, 7)
    for handle in (part.split(2), part.split_off(3), part):
        handle.writer_index = handle.capacity
        assert handle.max_capacity == handle.capacity
        with fails(CapacityError, handle):
            handle.write_byte(1)
