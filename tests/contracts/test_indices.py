"""Indices and bounds: the four numbers of every buffer, and who may move them.

Owns    BEHAVIOURS 1 to 9, 13, 15 to 17.
Never   values: the accessor grid has its own file.
Always  a refused move leaves every number and every byte as it was."""

from __future__ import annotations

import sys

import pytest

from tests.contracts._kit import (
    FIXED_NAMES,
    Make,
    MakeGrowing,
    MakeRoom,
    Stem,
    each_fixed,
    each_getter,
    each_growing,
    each_read_only,
    each_room,
    each_setter,
    each_shape,
    each_writable,
    fails,
    fresh_pool,
    room,
    unchanged,
)
from zbuf import ByteBuf, buffer, composite
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError

DATA = bytes(range(1, 21))
MAX = sys.maxsize


@pytest.mark.parametrize("size", [0, 1, 2, 256, 5000])
def test_b001_a_new_buffer_is_empty_writable_and_counted_once(size: int) -> None:
    """buffer(n) starts with both indices at 0 and room for exactly n bytes."""
    buf = buffer(size)
    assert (buf.reader_index, buf.writer_index, buf.capacity, buf.max_capacity) == (0, 0, size, 2**31 - 1)
    assert (buf.readable_bytes, buf.writable_bytes, buf.max_writable_bytes) == (0, size, 2**31 - 1)
    assert (buf.is_readable, buf.is_writable, buf.refcnt) == (False, size > 0, 1)
    assert (buf.is_read_only, buf.is_contiguous, buf.is_shared) == (False, True, False)


def test_b001_the_default_sizes_are_256_and_two_gibibytes() -> None:
    """buffer() without arguments has room for 256 bytes."""
    assert (buffer().capacity, buffer().max_capacity) == (256, 2**31 - 1)


@each_shape
def test_b002_reader_index_from_0_to_writer_is_accepted(shape: Make) -> None:
    """Every value between 0 and the writer index may be set, the present one included."""
    buf = shape(DATA)
    for value in [*range(buf.writer_index + 1), buf.writer_index]:
        buf.reader_index = value
        assert (buf.reader_index, buf.readable_bytes) == (value, buf.writer_index - value)
        buf._check()


@each_shape
def test_b002_reader_index_outside_is_refused(shape: Make) -> None:
    """-1 and the first value above the writer index raise BoundsError."""
    buf = shape(DATA)
    for value in (-1, buf.writer_index + 1, MAX, -MAX - 1):
        with fails(BoundsError, buf) as caught:
            buf.reader_index = value
        assert caught.value.requested == value
        assert caught.value.available == buf.writer_index


@each_shape
def test_b002_writer_index_from_reader_to_capacity_is_accepted(shape: Make) -> None:
    """Every value between the reader index and the capacity may be set."""
    buf = shape(DATA)
    buf.reader_index += 2
    for value in [*range(buf.reader_index, buf.capacity + 1), buf.capacity]:
        buf.writer_index = value
        assert (buf.writer_index, buf.readable_bytes) == (value, value - buf.reader_index)
        buf._check()


@each_shape
def test_b002_writer_index_outside_is_refused(shape: Make) -> None:
    """A writer index below the reader index, or above the capacity, raises BoundsError."""
    buf = shape(DATA)
    buf.reader_index += 2
    for value in (-1, buf.reader_index - 1, buf.capacity + 1, MAX):
        with fails(BoundsError, buf) as caught:
            buf.writer_index = value
        assert caught.value.requested == value


@each_shape
def test_b003_set_index_judges_only_the_pair(shape: Make) -> None:
    """A legal pair is taken whatever the present indices are; both orders of the move would fail one by one."""
    buf = shape(DATA)
    buf.set_index(4, 6)
    buf.set_index(0, 2)
    assert (buf.reader_index, buf.writer_index) == (0, 2)
    buf.set_index(8, buf.capacity)
    assert (buf.reader_index, buf.writer_index) == (8, buf.capacity)
    buf.set_index(0, 0)
    assert (buf.readable_bytes, buf.writable_bytes == 0) == (0, buf.is_read_only)


@each_shape
def test_b003_set_index_with_an_illegal_pair_is_refused(shape: Make) -> None:
    """Neither index moves when the pair is not 0 <= r <= w <= cap."""
    buf = shape(DATA)
    buf.set_index(4, 6)
    for pair in ((-1, 2), (3, 2), (0, buf.capacity + 1), (buf.capacity + 1, buf.capacity + 1), (MAX, MAX), (0, -1)):
        with fails(BoundsError, buf):
            buf.set_index(*pair)


@each_shape
@each_getter
def test_b004_get_at_the_border_of_the_capacity(shape: Make, stem: Stem) -> None:
    """get_X works up to capacity - size, also behind the writer index, and nowhere else."""
    buf = shape(DATA)
    last = buf.capacity - stem.size
    buf.set_index(1, 2)
    with unchanged(buf):
        stem.get(buf, 0)
        stem.get(buf, last)
    for index in (-1, last + 1, buf.capacity, MAX, -MAX - 1, MAX - stem.size + 1):
        with fails(BoundsError, buf) as caught:
            stem.get(buf, index)
        assert caught.value.index == index


@each_writable
@each_setter
def test_b004_set_at_the_border_of_the_capacity(shape: Make, stem: Stem) -> None:
    """set_X works up to capacity - size, never grows and moves no index."""
    buf = shape(DATA)
    last = buf.capacity - stem.size
    buf.set_index(1, 2)
    for index in (-1, last + 1, buf.capacity, MAX, -MAX - 1, MAX - stem.size + 1):
        with fails(BoundsError, buf) as caught:
            stem.set(buf, index, 0)
        assert caught.value.index == index
    stem.set(buf, last, 1)
    assert (buf.reader_index, buf.writer_index) == (1, 2)
    assert buf.get_bytes(last, stem.size) == stem.encode(1)


@each_shape
@each_getter
def test_b005_read_with_one_byte_too_few_is_refused(shape: Make, stem: Stem) -> None:
    """A read or peek of k bytes with k - 1 left raises BoundsError with both numbers; with k left peek just looks."""
    buf = shape(DATA)
    buf.reader_index = buf.writer_index - stem.size + 1
    for call in (stem.read, stem.peek):
        with fails(BoundsError, buf) as caught:
            call(buf)
        assert (caught.value.requested, caught.value.available) == (stem.size, stem.size - 1)
        assert caught.value.index is None
    buf.reader_index -= 1
    with unchanged(buf):
        peeked = stem.peek(buf)
    read = stem.read(buf)
    assert peeked == read or (peeked != peeked and read != read)  # a NaN is not equal to itself
    assert buf.reader_index == buf.writer_index


@each_growing
@each_setter
def test_b006_write_with_one_byte_too_few_below_the_maximum_is_refused(growing: MakeGrowing, stem: Stem) -> None:
    """A write of k bytes with max - w == k - 1 raises CapacityError with all three numbers; nothing grows."""
    buf = growing(DATA, len(DATA) + stem.size - 1)
    with fails(CapacityError, buf) as caught:
        stem.write(buf, 1)
    assert (caught.value.requested, caught.value.available) == (stem.size, stem.size - 1)
    assert caught.value.max_capacity == buf.max_capacity == len(DATA) + stem.size - 1


@each_fixed
@each_setter
def test_b006_write_past_the_end_of_a_fixed_shape_is_refused(shape: Make, stem: Stem) -> None:
    """Slices and wraps cannot grow: their maximum is their length."""
    buf = shape(DATA)
    buf.writer_index = buf.capacity - stem.size + 1
    with fails(CapacityError, buf) as caught:
        stem.write(buf, 1)
    assert (caught.value.requested, caught.value.available) == (stem.size, stem.size - 1)
    assert caught.value.max_capacity == buf.capacity
    buf.writer_index -= 1
    stem.write(buf, 1)
    assert buf.writer_index == buf.capacity


@each_shape
def test_b007_skip_bytes_goes_exactly_to_the_end(shape: Make) -> None:
    """All readable bytes may be skipped, not one more, and never backwards."""
    buf = shape(DATA)
    with fails(BoundsError, buf) as caught:
        buf.skip_bytes(len(DATA) + 1)
    assert (caught.value.requested, caught.value.available) == (len(DATA) + 1, len(DATA))
    with fails(ValueError, buf):
        buf.skip_bytes(-1)
    buf.skip_bytes(0)
    buf.skip_bytes(3)
    assert buf.readable_bytes == len(DATA) - 3
    buf.skip_bytes(len(DATA) - 3)
    assert (buf.readable_bytes, buf.is_readable) == (0, False)


@each_room
def test_b013_ensure_writable_with_enough_room_does_nothing(room: MakeRoom) -> None:
    """With enough room nothing moves, and a negative number is a bad argument."""
    buf = room(20)
    with unchanged(buf):
        buf.ensure_writable(0)
        buf.ensure_writable(buf.writable_bytes)
    with fails(ValueError, buf):
        buf.ensure_writable(-1)


@each_growing
def test_b013_ensure_writable_beyond_the_maximum_is_refused(growing: MakeGrowing) -> None:
    """sys.maxsize more bytes are refused without an attempt to allocate them."""
    buf = growing(DATA, 1000)
    for n in (1000 - len(DATA) + 1, MAX):
        with fails(CapacityError, buf) as caught:
            buf.ensure_writable(n)
        assert (caught.value.requested, caught.value.available) == (n, 1000 - len(DATA))
    buf.ensure_writable(1000 - len(DATA))
    assert buf.writable_bytes == 1000 - len(DATA)
    assert bytes(buf) == DATA


@each_read_only
def test_b013_ensure_writable_on_a_read_only_buffer_is_refused(shape: Make) -> None:
    """Read-only is told even when no byte is asked for."""
    buf = shape(DATA)
    for n in (0, 1):
        with fails(ReadOnlyError, buf):
            buf.ensure_writable(n)
    assert (buf.writable_bytes, buf.max_writable_bytes, buf.is_writable) == (0, 0, False)


@each_room
def test_b014_try_ensure_writable_with_enough_room_is_true(room: MakeRoom) -> None:
    """True, and nothing moves, up to the last byte; a negative number is a bad argument."""
    buf = room(20)
    with unchanged(buf):
        for n in (0, 1, 20, buf.writable_bytes):
            assert buf.try_ensure_writable(n) is True
            assert buf.try_ensure_writable(n, force=True) is True
    with fails(ValueError, buf):
        buf.try_ensure_writable(-1)
    with fails(TypeError, buf):
        buf.try_ensure_writable(1, True)  # type: ignore[misc]  # the point


@each_growing
def test_b014_try_ensure_writable_grows_below_the_maximum(growing: MakeGrowing) -> None:
    """Room below max: True and a larger capacity; the bytes stay."""
    for n in (1, 500, 1000 - len(DATA)):
        for force in (False, True):
            buf = growing(DATA, 1000)
            capacity = buf.capacity
            assert buf.try_ensure_writable(n, force=force) is True
            assert buf.capacity > capacity
            assert buf.writable_bytes >= n
            assert bytes(buf) == DATA
            buf._check()


@each_growing
def test_b014_try_ensure_writable_beyond_the_maximum_is_false(growing: MakeGrowing) -> None:
    """Beyond max: False and the capacity stays; with force it becomes max, and a second time nothing happens."""
    for n in (1000 - len(DATA) + 1, MAX):
        buf = growing(DATA, 1000)
        with unchanged(buf):
            assert buf.try_ensure_writable(n) is False
        assert buf.try_ensure_writable(n, force=True) is False
        assert buf.capacity == buf.max_capacity == 1000
        assert bytes(buf) == DATA
        with unchanged(buf):
            assert buf.try_ensure_writable(n, force=True) is False


@each_read_only
def test_b014_try_ensure_writable_on_a_read_only_buffer_is_false(shape: Make) -> None:
    """Not even no byte can be written; it raises only for a negative number."""
    buf = shape(DATA)
    with unchanged(buf):
        for n in (0, 1, MAX):
            assert buf.try_ensure_writable(n) is False
            assert buf.try_ensure_writable(n, force=True) is False
    with fails(ValueError, buf):
        buf.try_ensure_writable(-1)


@each_fixed
def test_b014_try_ensure_writable_at_the_end_of_a_fixed_buffer_is_false(shape: Make) -> None:
    """A slice and wrapped memory cannot grow, force or not."""
    buf = shape(DATA)
    with unchanged(buf):
        assert buf.try_ensure_writable(0) is True
        assert buf.try_ensure_writable(buf.writable_bytes + 1) is False
        assert buf.try_ensure_writable(buf.writable_bytes + 1, force=True) is False


def test_b014_try_ensure_writable_without_memory_is_false() -> None:
    """What the allocator cannot give is not there; the buffer stays as it was."""
    for buf in (buffer(16, MAX), composite()):
        with unchanged(buf):
            assert buf.try_ensure_writable(2**62) is False
            assert buf.try_ensure_writable(MAX, force=True) is False


@each_writable
def test_b015_set_capacity_smaller_clamps_and_copies_nothing(shape: Make) -> None:
    """Shrinking narrows the window: the writer index is clamped first, then the reader index."""
    buf = shape(DATA)
    whole = buf.get_bytes(0, buf.capacity)
    buf.reader_index += 4
    reader = buf.reader_index
    for n in (buf.writer_index, buf.writer_index - 3, reader + 1, reader, reader - 1, 1, 0):
        buf.set_capacity(n)
        assert (buf.capacity, buf.writer_index, buf.reader_index) == (n, n, min(reader, n))
        assert buf.get_bytes(0, n) == whole[:n]
        buf._check()


@each_writable
def test_b015_set_capacity_outside_0_to_max_is_refused(shape: Make) -> None:
    """-1 and max + 1 are bad arguments."""
    buf = shape(DATA)
    for n in (-1, buf.max_capacity + 1 if buf.max_capacity < MAX else -2):
        with fails(ValueError, buf):
            buf.set_capacity(n)


@each_growing
def test_b015_set_capacity_larger_keeps_the_old_bytes(growing: MakeGrowing) -> None:
    """Growing gives exactly the size asked for and keeps all bytes, those behind the writer index included."""
    buf = growing(DATA, 1000)
    buf.set_index(2, 5)
    for n in (len(DATA), len(DATA) + 1, 500, 1000):
        buf.set_capacity(n)
        assert (buf.reader_index, buf.writer_index, buf.capacity) == (2, 5, n)
        assert buf.get_bytes(0, len(DATA)) == DATA
        buf._check()
    with fails(ValueError, buf):
        buf.set_capacity(1001)


@each_shape
def test_b016_can_read_is_exact_at_the_border(shape: Make) -> None:
    """can_read(n) is true up to the readable bytes; a negative number is a bad argument."""
    buf = shape(DATA)
    assert [buf.can_read(n) for n in (0, 1, len(DATA), len(DATA) + 1, MAX)] == [True, True, True, False, False]
    with fails(ValueError, buf):
        buf.can_read(-1)


@each_room
def test_b016_can_write_is_exact_and_never_grows(room: MakeRoom) -> None:
    """can_write(n) is true up to the room there is now."""
    buf = room(20)
    with unchanged(buf):
        n = buf.writable_bytes
        assert [buf.can_write(k) for k in (0, 1, n, n + 1, MAX)] == [True, True, True, False, False]
    with fails(ValueError, buf):
        buf.can_write(-1)


@each_read_only
def test_b016_can_write_on_a_read_only_buffer_is_false(shape: Make) -> None:
    """A read-only buffer takes nothing, not even when its capacity has room."""
    buf = shape(DATA)
    buf.clear()
    assert not buf.can_write(1)


@each_growing
def test_b017_fast_writable_lies_between_and_falls_by_what_is_written(growing: MakeGrowing) -> None:
    """max_fast_writable_bytes is what can be written without a new block."""
    buf = growing(DATA, 1000)
    buf.ensure_writable(100)
    before = buf.max_fast_writable_bytes
    assert buf.writable_bytes <= before <= buf.max_writable_bytes
    buf.write_bytes(b"12345")
    assert buf.max_fast_writable_bytes == before - 5


def test_b017_fast_writable_of_a_shared_block_is_the_writable_bytes() -> None:
    """Widening a window on a shared block would show through the other handle, so it is not offered."""
    buf = fresh_pool().buffer(1000)
    buf.set_capacity(100)
    assert buf.max_fast_writable_bytes >= buf.writable_bytes
    other = buf.slice(0, 10)
    assert buf.max_fast_writable_bytes == buf.writable_bytes == 100
    other.release()
    assert buf.max_fast_writable_bytes >= 100


@each_shape
def test_b087_clear_sets_both_indices_to_0_and_keeps_the_bytes(shape: Make) -> None:
    """clear() is allowed on every shape; a composite lets its components go."""
    buf = shape(DATA)
    whole = buf.get_bytes(0, buf.capacity)
    buf.clear()
    assert (buf.reader_index, buf.writer_index) == (0, 0)
    if hasattr(buf, "num_components"):
        assert (buf.capacity, buf.num_components) == (0, 0)
    else:
        assert buf.get_bytes(0, buf.capacity) == whole
    buf._check()


@each_shape
def test_indices_of_a_released_buffer_are_refused(shape: Make) -> None:
    """Moving an index of a released buffer says that it is released, not that it is out of bounds."""
    buf = shape(DATA)
    buf.release()
    with pytest.raises(ReferenceCountError):
        buf.reader_index = 0
    with pytest.raises(ReferenceCountError):
        buf.writer_index = 0
    with pytest.raises(ReferenceCountError):
        buf.set_index(0, 0)


def test_fixed_shapes_have_their_length_as_maximum() -> None:
    """A slice and a wrap are windows of fixed size (P1)."""
    for name in FIXED_NAMES:
        buf: ByteBuf = room(name, 9)
        assert buf.max_capacity == buf.capacity
