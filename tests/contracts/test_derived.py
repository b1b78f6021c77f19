"""Derived buffers: slice, duplicate, read-only view, copy.

Owns    BEHAVIOURS 52 to 58, 65 and 66.
Never   when a block goes back to its pool: memory/test_lifetime has that.
Always  every derived handle has a count of its own and outlives its source."""

from __future__ import annotations

import random

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    content,
    each_fixed,
    each_growing,
    each_shape,
    each_writable,
    fails,
    for_each,
    unchanged,
)
from zbuf import ByteBuf, buffer, composite, copied, wrap
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError

DATA = bytes(range(1, 21))
DERIVE = {
    "slice": lambda b: b.slice(),
    "read_slice": lambda b: b.read_slice(20),
    "duplicate": lambda b: b.duplicate(),
    "as_read_only": lambda b: b.as_read_only(),
    "copy": lambda b: b.copy(),
    "split": lambda b: b.split(),
    "split_off": lambda b: b.split_off(b.reader_index),
    "move": lambda b: b.move(),
    "item range": lambda b: b[:],
}
each_derived = for_each("derive", DERIVE)


@each_shape
def test_b052_a_slice_is_a_fixed_window_with_indices_of_its_own(shape: Make) -> None:
    """r = 0, w = cap = max = n, counted from its own start; out of range takes no share."""
    buf = shape(DATA)
    r = buf.reader_index
    with unchanged(buf):
        part = buf.slice(r + 2, 10)
        assert (part.reader_index, part.writer_index, part.capacity, part.max_capacity) == (0, 10, 10, 10)
        assert part == DATA[2:12]
        inner = part.slice(3, 4)
        assert (inner, inner.capacity, inner.get_byte(0)) == (DATA[5:9], 4, 6)
        assert buf.slice() == DATA
        assert type(part).__name__ in ("SlicedByteBuf", "CompositeByteBuf")
        assert isinstance(part, ByteBuf)
        part.release()
        inner.release()
    for pair in ((0, buf.capacity + 1), (buf.capacity, 1), (-1, 2), (1, 2**63 - 1)):
        with fails(BoundsError, buf):
            buf.slice(*pair)


@each_shape
def test_b052_read_slice_takes_from_the_reader_index(shape: Make) -> None:
    """It moves the reader index; beyond the writer index it raises and moves nothing."""
    buf = shape(DATA)
    r = buf.reader_index
    part = buf.read_slice(5)
    assert (part, part.capacity, buf.reader_index) == (DATA[:5], 5, r + 5)
    assert (buf.read_slice(0).capacity, buf.reader_index) == (0, r + 5)
    with fails(BoundsError, buf) as caught:
        buf.read_slice(16)
    assert (caught.value.requested, caught.value.available) == (16, 15)


@each_writable
def test_b053_writes_show_through_every_handle_and_indices_do_not(shape: Make) -> None:
    """Content is common to source, slice and duplicate; indices are not."""
    buf = shape(DATA)
    r = buf.reader_index
    part, twin = buf.slice(r + 4, 8), buf.duplicate()
    part.set_int(2, 0x0A0B0C0D)
    buf.set_byte(r + 4, 99)
    twin.set_byte(r + 11, 98)
    expected = DATA[:4] + bytes([99, 6, 10, 11, 12, 13, 11, 98]) + DATA[12:]
    assert (bytes(buf), bytes(twin), bytes(part)) == (expected, expected, expected[4:12])
    part.skip_bytes(3)
    twin.set_index(0, 1)
    assert (buf.reader_index, buf.writer_index) == (r, r + 20)
    buf.skip_bytes(1)
    assert (part.reader_index, twin.writer_index) == (3, 1)


@each_shape
def test_b054_a_slice_does_not_grow(shape: Make) -> None:
    """ensure_writable and set_capacity beyond its end are refused; shrinking narrows only this view."""
    buf = shape(DATA)
    part = buf.slice()
    if buf.is_read_only:
        with fails(ReadOnlyError, part, buf):
            part.ensure_writable(1)
        return
    with fails(CapacityError, part, buf):
        part.ensure_writable(1)
    with fails(ValueError, part, buf):
        part.set_capacity(21)
    with unchanged(buf):
        part.set_capacity(19)
        assert (part.capacity, bytes(part)) == (19, DATA[:19])


@each_shape
def test_b055_a_duplicate_starts_equal(shape: Make) -> None:
    """Same window, indices, maximum and read-only state."""
    buf = shape(DATA)
    buf.skip_bytes(1)
    with unchanged(buf):
        twin = buf.duplicate()
        for name in ("reader_index", "writer_index", "capacity", "max_capacity", "is_read_only", "is_contiguous"):
            assert getattr(twin, name) == getattr(buf, name), name
        assert content(twin) == content(buf)
        twin.release()


@each_growing
def test_b055_a_growing_duplicate_detaches(growing: MakeGrowing) -> None:
    """The source keeps its capacity and bytes."""
    buf = growing(DATA, 1000)
    twin = buf.duplicate()
    with unchanged(buf):
        twin.write_bytes(b"more")
        assert bytes(twin) == DATA + b"more"
        twin.release()
    assert bytes(buf) == DATA


@each_shape
@each_derived
def test_b056_a_derived_handle_has_a_count_of_its_own(shape: Make, derive: object) -> None:
    """One, whatever the source's count is; retaining either changes no other."""
    buf = shape(DATA)
    buf.retain(2)
    other = derive(buf)
    assert other.refcnt == 1
    other.retain()
    assert (other.refcnt, buf.refcnt) == (2, 2 if derive is DERIVE["move"] else 3)


@each_shape
@each_derived
def test_b057_either_of_source_and_derived_may_go_first(shape: Make, derive: object) -> None:
    """A derived handle reads the same bytes after its source was released, and the other way round."""
    buf = shape(DATA)
    other = derive(buf)
    if buf.refcnt:
        buf.release()
    assert bytes(other) == DATA
    assert other.read_byte() == 1
    assert other.release()

    buf = shape(DATA)
    if derive is not DERIVE["move"]:
        derive(buf).release()
        rest = bytes(buf)
        assert rest == (b"" if derive in (DERIVE["split"], DERIVE["split_off"], DERIVE["read_slice"]) else DATA)
        buf.set_index(0, buf.capacity)
        buf._check()


@each_shape
def test_b058_a_random_chain_reads_like_the_same_chain_on_a_memoryview(shape: Make) -> None:
    """A hundred slices, duplicates, splits and read-only views, each on the result of the last."""
    rng = random.Random(58)
    data = rng.randbytes(400)
    buf, model = shape(data), memoryview(data)
    for _ in range(100):
        n = len(model)
        step = rng.choice(("slice", "duplicate", "split", "split_off", "read_only", "read_slice", "item", "move"))
        keep = n - rng.randint(0, min(4, n))
        if step == "slice":
            at = rng.randint(0, n - keep)
            buf, model = buf.slice(buf.reader_index + at, keep), model[at : at + keep]
        elif step == "duplicate":
            buf = buf.duplicate()
        elif step == "split":
            buf, model = buf.split(keep), model[:keep]
        elif step == "split_off":
            at = n - keep
            buf, model = buf.split_off(buf.reader_index + at), model[at:]
        elif step == "read_only":
            buf = buf.as_read_only()
        elif step == "read_slice":
            buf, model = buf.read_slice(keep), model[:keep]
        elif step == "item":
            buf, model = buf[1 if n else 0 :], model[1 if n else 0 :]
        else:
            buf = buf.move()
        buf._check()
        assert bytes(buf) == model, step


@each_fixed
def test_b054_a_fixed_buffer_that_was_narrowed_stays_fixed(shape: Make) -> None:
    """Its maximum is its length at any time: writing on must never leave the memory it looks at in silence."""
    buf = shape(DATA)
    buf.set_capacity(buf.capacity - 5)
    for handle in (buf, buf.duplicate(), buf.slice(), buf.split(4), buf.split_off(3)):
        assert handle.max_capacity == handle.capacity
        handle.writer_index = handle.capacity
        with fails(CapacityError, handle):
            handle.write_byte(1)
        with fails(ValueError, handle):
            handle.set_capacity(handle.capacity + 1)
    assert buf.copy().max_capacity == 2**31 - 1


MUTATE = {
    "set_byte": lambda b: b.set_byte(0, 1),
    "write_byte": lambda b: b.write_byte(1),
    "write_bytes": lambda b: b.write_bytes(b"a"),
    "set_zero": lambda b: b.set_zero(0, 0),
    "write_varint": lambda b: b.write_varint(1),
    "write_string": lambda b: b.write_string("a"),
    "set_struct": lambda b: b.set_struct(0, "B", 1),
    "discard_read_bytes": lambda b: b.discard_read_bytes(),
    "discard_some_read_bytes": lambda b: b.discard_some_read_bytes(),
    "set_capacity": lambda b: b.set_capacity(1),
    "ensure_writable": lambda b: b.ensure_writable(0),
    "writable_views": lambda b: b.writable_views(),
    "item": lambda b: b.__setitem__(0, 1),
    "read into it": lambda b: copied(b"abc").read_bytes_into(b, 0, 1),
}


@each_shape
@for_each("mutate", MUTATE)
def test_b065_a_read_only_view_refuses_every_mutator(shape: Make, mutate: object) -> None:
    """ReadOnlyError, and neither the view nor its source changes."""
    source = shape(DATA)
    view = source.as_read_only()
    for buf in (view, view.slice(), view.duplicate(), view.split_off(12), view.split(4)):
        with fails(ReadOnlyError, buf, source):
            mutate(buf)


@each_writable
def test_b065_a_read_only_view_reads_moves_and_follows_its_source(shape: Make) -> None:
    """Index moves are free, exports are read-only, copies writable, later writes of the source show."""
    source = shape(DATA)
    view = source.as_read_only()
    assert view is not view.as_read_only()
    source.set_byte(source.reader_index, 55)
    assert view.read_byte() == 55
    view.reader_index -= 1
    view.writer_index -= 1
    assert all(piece.readonly for piece in view.readable_views())
    assert all(part.is_read_only for part in (view.slice(), view.duplicate(), view.read_slice(1)))
    independent = view.copy()
    independent.set_byte(0, 1)
    assert (view.get_byte(view.reader_index), independent.is_read_only) == (2, False)
    assert not source.is_read_only
    view.clear()
    assert bytes(source) == bytes([55]) + DATA[1:]


@each_shape
def test_b066_a_copy_is_independent_contiguous_and_sized_to_the_range(shape: Make) -> None:
    """r = 0, w = cap = n; writable also from read-only and composite sources."""
    buf = shape(DATA)
    r = buf.reader_index
    with unchanged(buf):
        twin = buf.copy(r + 1, 8)
        assert (twin.reader_index, twin.writer_index, twin.capacity) == (0, 8, 8)
        assert (twin.is_read_only, twin.is_contiguous, twin.is_shared) == (False, True, False)
        twin.set_bytes(0, bytes(8))
        twin.write_bytes(b"grows")
        assert twin == bytes(8) + b"grows"
    if not buf.is_read_only:
        twin = buf.copy()
        buf.set_zero(r, 20)
        assert twin == DATA


def test_b066_the_maximum_of_a_copy_follows_the_source_or_is_the_default() -> None:
    """Sources that cannot grow give the default."""
    assert buffer(8, 99).copy().max_capacity == 99
    assert buffer(8, 99).slice(0, 4).copy().max_capacity == 2**31 - 1
    assert wrap(b"abc").copy().max_capacity == 2**31 - 1
    small = composite(50)
    small.append(b"abc")
    assert small.copy().max_capacity == 50
