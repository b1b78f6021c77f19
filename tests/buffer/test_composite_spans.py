"""The spans of a composite: values across borders, discarding, consolidating, slices with spans of their own.

Owns    BEHAVIOURS 99, 100, 102 to 106; FAULTS 31 and 32.
Never   what append and prepend take: test_composite has that.
Always  content is checked against flat bytes, structure against the list of spans."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.buffer.test_composite import of, parts
from tests.buffer.test_growth import copies
from tests.contracts._kit import GETTERS, SETTERS, content, fails, fresh_pool, unchanged
from zbuf import composite, copied, wrap
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError


@pytest.mark.parametrize("stem", GETTERS, ids=lambda stem: stem.name)
def test_b099_values_across_borders_read_as_on_contiguous_memory(stem: object) -> None:
    """Each width straddling two, three and eight components, at every offset."""
    data = random.Random(99).randbytes(24)
    for cuts in ((12,), (3, 5), tuple(range(1, 24)), (8, 9, 16), tuple(range(2, 24, 3))):
        borders = (0, *cuts, 24)
        buf = of(*(data[a:b] for a, b in itertools.pairwise(borders)))
        flat = copied(data)
        for at in range(24 - stem.size + 1):
            got, expected = stem.get(buf, at), stem.get(flat, at)
            assert got == expected or got != got  # a NaN
        if stem in SETTERS:
            for at in range(24 - stem.size + 1):
                stem.set(buf, at, 1)
                stem.set(flat, at, 1)
                assert content(buf) == bytes(flat)


@pytest.mark.parametrize("stem", SETTERS, ids=lambda stem: stem.name)
def test_b099_a_write_over_a_read_only_span_changes_nothing(stem: object) -> None:
    """ReadOnlyError before any byte of any span."""
    buf = composite()
    buf.append(copied(b"abcd"))
    buf.append(b"ef")
    buf.append(copied(b"ghijklmn"))
    for at in range(buf.capacity - stem.size + 1):
        if at + stem.size <= 4 or at >= 6:
            stem.set(buf, at, 0)
        else:
            with fails(ReadOnlyError, buf):
                stem.set(buf, at, 0)
    for call in (
        lambda: buf.set_bytes(2, b"xxxxxx"),
        lambda: buf.set_zero(0, 14),
        lambda: buf.set_string(3, "abc"),
        lambda: buf.set_struct(0, ">8x"),
        lambda: copied(bytes(20)).read_bytes_into(buf, 1, 8),
    ):
        with fails(ReadOnlyError, buf):
            call()


def test_b100_every_range_of_a_composite_agrees_with_a_flat_model() -> None:
    """get_bytes_into, get_bytes, set_bytes and slices over every (start, end) of 12 bytes in 5 components."""
    data = bytes(range(100, 112))
    model = bytearray(data)
    buf = of(data[:1], data[1:4], data[4:6], data[6:11], data[11:])
    for start in range(13):
        for end in range(start, 13):
            target = bytearray(end - start)
            buf.get_bytes_into(start, target)
            assert target == buf.get_bytes(start, end - start) == buf.slice(start, end - start) == model[start:end]
            fresh = bytes((start * 13 + end + k) % 256 for k in range(end - start))
            buf.set_bytes(start, fresh)
            model[start:end] = fresh
            assert content(buf) == model
            buf.set_bytes(start, of(fresh[:1], fresh[1:]))
            assert content(buf) == model


def test_b102_discard_read_components_frees_whole_components_only() -> None:
    """None while inside the first, exactly the fully read ones later, all at r == w."""
    pool = fresh_pool()
    model = b"abcdefghijkl"
    for skip in range(13):
        buf = composite()
        for piece in (model[:3], model[3:6], model[6:9], model[9:]):
            part = pool.buffer(3)
            part.write_bytes(piece)
            buf.append(part)
        del part
        buf.skip_bytes(skip)
        with copies():
            buf.discard_read_components()
        gone = skip // 3
        assert (buf.num_components, pool.statistics().live_blocks) == (4 - gone, 4 - gone)
        assert (buf.reader_index, buf.writer_index) == (skip - 3 * gone, 12 - 3 * gone)
        assert content(buf) == model[3 * gone :]
        buf._check()


def test_b102_discard_read_bytes_also_trims_the_first_component() -> None:
    """r = 0, the capacity falls by what was read, nothing is copied."""
    model = b"abcdefghijkl"
    for skip in range(13):
        for discard in ("discard_read_bytes", "discard_some_read_bytes"):
            buf = of(model[:3], model[3:6], model[6:9], model[9:])
            buf.skip_bytes(skip)
            with copies():
                getattr(buf, discard)()
            buf._check()
            assert bytes(buf) == model[skip:]
            if discard == "discard_read_bytes":
                assert (buf.reader_index, buf.capacity, content(buf)) == (0, 12 - skip, model[skip:])
            for at in range(buf.capacity):
                assert buf.get_byte(at) == (model[12 - buf.capacity :])[at]


@pytest.mark.parametrize("discard", ["discard_read_components", "discard_some_read_bytes", "discard_read_bytes"])
def test_b102_discard_at_the_end_frees_all_up_to_w_and_keeps_the_room_behind(discard: str) -> None:
    """r == w, also inside a half-written component: both are 0, what was read is gone, the rest may be written."""
    for written in (1, 3, 63, 64):
        buf = of(b"abc")
        buf.ensure_writable(64)
        room = buf.writable_bytes
        buf.write_zero(written)
        buf.skip_bytes(3 + written)
        with copies():
            getattr(buf, discard)()
        buf._check()
        assert (buf.reader_index, buf.writer_index, buf.capacity) == (0, 0, room - written)
        assert buf.num_components == (1 if room > written else 0)
        buf.write_bytes(b"again")
        assert bytes(buf) == b"again"
        getattr(buf, discard)()
        assert bytes(buf) == b"again"


@pytest.mark.parametrize("end", ["discard_read_bytes", "discard_read_components", "clear", "release", "consolidate"])
def test_b103_slices_survive_what_happens_to_their_composite(end: str) -> None:
    """slice, duplicate, read_slice and components hold their own spans."""
    buf = of(b"abc", b"def", b"ghi")
    whole, part, inside = buf.duplicate(), buf.slice(2, 5), buf.slice(3, 3)
    front = buf.read_slice(4)
    third = buf.component(2)
    if end == "clear":
        buf.clear()
    else:
        getattr(buf, end)()
    assert (bytes(whole), bytes(part), bytes(inside)) == (b"abcdefghi", b"cdefg", b"def")
    assert (bytes(front), bytes(third)) == (b"abcd", b"ghi")
    assert type(inside).__name__ == "SlicedByteBuf"
    for handle in (whole, part, inside, front, third):
        handle._check()


def test_b104_clear_and_release_let_every_component_go_once() -> None:
    """cap 0 and no component; a component handle taken earlier stays valid."""
    pool = fresh_pool()
    for end in ("clear", "release"):
        buf = composite()
        for piece in (b"ab", b"cd", b"ef"):
            part = pool.buffer(2)
            part.write_bytes(piece)
            buf.append(part)
        del part
        kept = buf.component(1)
        assert pool.statistics().live_blocks == 3
        getattr(buf, end)()
        assert (pool.statistics().live_blocks, bytes(kept)) == (1, b"cd")
        if end == "clear":
            assert (buf.capacity, buf.num_components, buf.reader_index) == (0, 0, 0)
            buf.append(b"again")
            assert bytes(buf) == b"again"
        kept.release()
        assert pool.statistics().live_blocks == 0


def test_b105_consolidate_joins_a_run_and_copies_it_once() -> None:
    """Bytes and indices stay; one component for the run; count 0 or 1 changes nothing."""
    for k, count, expected, copied_bytes in (
        (0, None, [b"abcdefghij"], 10),
        (1, 2, [b"abc", b"defg", b"hij"], 4),
        (2, None, [b"abc", b"de", b"fghij"], 5),
        (0, 1, [b"abc", b"de", b"fg", b"hij"], 0),
        (1, 0, [b"abc", b"de", b"fg", b"hij"], 0),
    ):
        buf = of(b"abc", b"de", b"fg", b"hij")
        buf.set_index(2, 9)
        with copies(**({"CONSOLIDATE": copied_bytes} if copied_bytes else {})):
            buf.consolidate(k, count)
        assert (parts(buf), buf.reader_index, buf.writer_index) == (expected, 2, 9)
        assert bytes(buf) == b"cdefghi"
        buf._check()


def test_b105_consolidate_refuses_a_bad_run() -> None:
    """Component numbers outside are BoundsError, a negative count ValueError."""
    buf = of(b"abc", b"de")
    for arguments in ((-1, 1), (3, 1), (0, 3), (1, 2)):
        with fails(BoundsError, buf):
            buf.consolidate(*arguments)
    with fails(ValueError, buf):
        buf.consolidate(0, -1)
    composite().consolidate()


def test_b106_set_capacity_trims_the_tail_and_grows_by_one_component() -> None:
    """Smaller: tail components go or are cut, indices are clamped. Larger: one more, earlier memory in place."""
    data = b"abcdefghi"
    for n in range(10):
        buf = of(data[:3], data[3:6], data[6:])
        buf.reader_index = 4
        with copies():
            buf.set_capacity(n)
        assert (buf.capacity, buf.num_components, content(buf)) == (n, (n + 2) // 3, data[:n])
        assert (buf.reader_index, buf.writer_index) == (min(4, n), n)
        buf._check()
    buf = of(data[:3], data[3:])
    first = buf.component(0)
    with copies():
        buf.set_capacity(50)
    assert (buf.capacity, buf.num_components, buf.writer_index) == (50, 3, 9)
    buf.writer_index = 9
    with copies(TRANSFER=100):
        buf.write_bytes(b"x" * 100)
    assert (bytes(buf), buf.num_components) == (data + b"x" * 100, 4)
    first.set_byte(0, ord("A"))
    assert buf.get_byte(0) == ord("A")


def test_f30_the_same_part_twice_is_dead_the_second_time() -> None:
    """A handle can be given away once; two slices of it may both go in."""
    buf, part = composite(), copied(b"ab")
    buf.append(part)
    with fails(ReferenceCountError, buf):
        buf.append(part)
    block = copied(b"xyz")
    buf.extend([block.slice(0, 2), block.slice(1, 2)])
    assert bytes(buf) == b"abxyyz"
    block.set_byte(1, ord("!"))
    assert bytes(buf) == b"abx!!z"


def test_slices_of_one_component_are_plain_slices_and_others_composites() -> None:
    """A slice inside one component costs no span list."""
    buf = of(b"abc", b"def")
    for pair in ((0, 3), (1, 2), (3, 3), (4, 2)):
        assert type(buf.slice(*pair)).__name__ == "SlicedByteBuf"
    across = buf.slice(2, 2)
    assert (type(across).__name__, bytes(across), across.max_capacity) == ("CompositeByteBuf", b"cd", 2)
    with fails(CapacityError, across):
        across.write_byte(1)


def test_is_shared_of_a_composite_asks_all_of_its_blocks() -> None:
    """One shared block makes it shared; wrapped memory always does."""
    one, two = copied(b"ab"), copied(b"cd")
    buf = composite()
    buf.extend([one, two])
    assert not buf.is_shared
    held = buf.component(1)
    assert buf.is_shared
    held.release()
    assert not buf.is_shared
    buf.append(wrap(b"ef"))
    assert buf.is_shared


def test_unwritten_space_of_a_composite_is_kept_by_reads_and_skips() -> None:
    """ensure_writable adds one component and leaves every index alone."""
    buf = of(b"abc")
    with unchanged(buf):
        buf.ensure_writable(0)
    with copies():
        buf.ensure_writable(100)
    assert (buf.reader_index, buf.writer_index, buf.num_components) == (0, 3, 2)
    assert buf.writable_bytes >= 100
    assert buf.get_bytes(0, 3) == b"abc"
