"""Components by number and by offset: put in between, taken out, found, decomposed.

Owns    BEHAVIOURS 96, 97, 101, 103 (popped), 108, 109 (insert and pop).
Never   what append and prepend take: test_composite has that.
Always  content is checked against flat bytes, structure against the list of spans."""

from __future__ import annotations

import operator

import pytest

from tests.buffer._kinds import Maker, each_kind
from tests.buffer.test_composite import of, parts
from tests.buffer.test_growth import copies
from tests.contracts._kit import content, fails, fresh_pool, unchanged
from zbuf import ByteBuf, composite, copied, wrap
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError

PIECES = (b"abc", b"de", b"f", b"ghij")
WHOLE = b"".join(PIECES)
STARTS = (0, 3, 5, 6, 10)


@pytest.mark.parametrize("k", range(5))
@pytest.mark.parametrize("r", range(11))
def test_b096_inserted_bytes_stand_where_their_component_does(k: int, r: int) -> None:
    """Byte order is component order; before r the next readable byte stays the same, else x is readable in place."""
    buf = of(*PIECES)
    buf.reader_index = r
    part = copied(b"XY")
    with copies():
        buf.insert_component(k, part)
    buf._check()
    expected = [*PIECES[:k], b"XY", *PIECES[k:]]
    assert (parts(buf), content(buf)) == (expected, b"".join(expected))
    assert part.refcnt == 0
    assert buf.writer_index == buf.capacity == 12
    if STARTS[k] < r:
        assert (buf.reader_index, bytes(buf)) == (r + 2, WHOLE[r:])
    else:
        assert (buf.reader_index, bytes(buf)) == (r, WHOLE[r : STARTS[k]] + b"XY" + WHOLE[STARTS[k] :])


def test_b096_a_component_inserted_at_the_writer_index_or_behind_it_is_appended() -> None:
    """Unwritten space stays behind it at w, and is cut off where it would be a hole."""
    for k, capacity in ((1, 13), (2, 5)):
        buf = of(b"abc")
        buf.set_capacity(11)
        assert (buf.num_components, buf.writer_index) == (2, 3)
        buf.insert_component(k, b"XY")
        assert (bytes(buf), buf.writer_index, buf.capacity) == (b"abcXY", 5, capacity)
        buf.write_bytes(b"more")
        assert bytes(buf) == b"abcXYmore"
        buf._check()
    buf = of(b"abcd", b"ef")
    buf.writer_index = 2
    buf.insert_component(1, b"XY")
    assert (bytes(buf), buf.capacity) == (b"abXY", 4)


def test_b096_a_bad_place_or_part_leaves_the_composite_as_it_was() -> None:
    """k outside 0..n: BoundsError, and x is released, as it is whatever else is wrong; itself is not taken."""
    buf = of(*PIECES)
    for k, error in (
        (-1, BoundsError),
        (5, BoundsError),
        (2**62, BoundsError),
        (1.0, TypeError),
        (2**70, OverflowError),
    ):
        part = copied(b"XY")
        with fails(error, buf) as caught:
            buf.insert_component(k, part)
        assert part.refcnt == 0
        if error is BoundsError:
            assert (caught.value.requested, caught.value.available) == (k, 4)
    dead = copied(b"XY")
    dead.release()
    for bad, error in ((None, TypeError), ("text", TypeError), (dead, ReferenceCountError), (buf, ValueError)):
        with fails(error, buf):
            buf.insert_component(1, bad)
    for k in (None, "1", 9):
        with pytest.raises((TypeError, ValueError)):
            buf.insert_component(k, buf)
        assert buf.refcnt == 1
    with unchanged(buf):
        for nothing in (b"", composite(), copied(b"")):
            buf.insert_component(2, nothing)
    small = composite(5)
    small.extend([b"abc", b"d"])
    part = copied(b"XY")
    with fails(CapacityError, small) as caught:
        small.insert_component(0, part)
    assert (caught.value.requested, caught.value.available, caught.value.max_capacity) == (2, 1, 5)
    assert part.refcnt == 0
    small.insert_component(1, b"X")
    assert bytes(small) == b"abcXd"


def test_b096_a_nested_composite_is_flattened_where_it_is_put() -> None:
    """Its readable spans become components k, k + 1 ..., in their order; at every place, often."""
    for k in range(5):
        buf, model = of(*PIECES), list(PIECES)
        for turn in range(20):
            inner = of(b"%d" % turn, b"-", b"!!")
            inner.skip_bytes(len(b"%d" % turn))
            buf.insert_component(min(k, 3), inner)
            model[min(k, 3) : min(k, 3)] = [b"-", b"!!"]
            assert (parts(buf), inner.refcnt) == (model, 0)
            buf._check()
        assert bytes(buf) == b"".join(model)


@each_kind
def test_b096_parts_of_all_kinds_may_be_inserted_and_popped(kind: Maker) -> None:
    """What comes out has the bytes that went in."""
    buf, part = of(b"ab", b"cd"), kind(b"0123456789abcdef")
    buf.insert_component(1, part)
    assert bytes(buf) == b"ab0123456789abcdefcd"
    out = [buf.pop_component(1) for _ in range(buf.num_components - 2)]
    assert (b"".join(map(bytes, out)), bytes(buf)) == (b"0123456789abcdef", b"abcd")
    buf._check()
    if isinstance(part, ByteBuf) and part.refcnt:
        part.release()


def test_unwritten_space_gives_way_to_what_is_put_before_it() -> None:
    """prepend and insert never push the capacity above the maximum: the room that nobody wrote to shrinks."""
    for put in (lambda buf, part: buf.prepend(part), lambda buf, part: buf.insert_component(0, part)):
        buf = composite(10)
        buf.append(b"ab")
        buf.set_capacity(10)
        put(buf, b"12345")
        assert (bytes(buf), buf.capacity, buf.max_capacity) == (b"12345ab", 10, 10)
        put(buf, copied(b"678"))
        assert (bytes(buf), buf.capacity) == (b"67812345ab", 10)
        buf._check()
        with fails(CapacityError, buf):
            put(buf, b"x")


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("r", range(11))
def test_b097_a_popped_component_leaves_the_rest_in_place(k: int, r: int) -> None:
    """Its bytes come as an own buffer; r and w follow the remaining bytes, later offsets shift."""
    for w in range(r, 11):
        buf = of(*PIECES)
        buf.set_index(r, w)
        with copies():
            out = buf.pop_component(k)
        buf._check()
        out._check()
        assert (bytes(out), out.reader_index, out.refcnt) == (PIECES[k], 0, 1)
        rest = [*PIECES[:k], *PIECES[k + 1 :]]
        assert (parts(buf), content(buf)) == (rest, b"".join(rest))
        low, high = STARTS[k], STARTS[k + 1]
        assert buf.reader_index == r - len(range(low, min(r, high)))
        assert buf.writer_index == w - len(range(low, min(w, high)))
        assert bytes(buf) == bytes(WHOLE[at] for at in range(r, w) if not low <= at < high)
        out.set_byte(0, 33)
        assert content(buf) == b"".join(rest)


def test_b097_popping_what_is_not_there_is_a_bounds_error() -> None:
    """k == num_components and beyond, negative numbers, and anything of an empty composite."""
    buf = of(*PIECES)
    for k in (4, -1, 2**62):
        with fails(BoundsError, buf) as caught:
            buf.pop_component(k)
        assert (caught.value.requested, caught.value.available) == (k, 3)
    with fails(TypeError, buf):
        buf.pop_component("0")
    with fails(BoundsError):
        composite().pop_component(0)


def test_b097_the_popped_share_is_the_composites_own() -> None:
    """The block goes with the handle: neither a leak nor a loss, and the composite lets it go at once."""
    pool = fresh_pool()
    buf = composite()
    for piece in PIECES:
        part = pool.buffer(4)
        part.write_bytes(piece)
        buf.append(part)
    del part
    out = buf.pop_component(2)
    assert pool.statistics().live_blocks == 4
    assert not out.is_shared
    out.release()
    assert pool.statistics().live_blocks == 3
    buf.pop_component(0)
    buf.pop_component(1)
    assert (pool.statistics().live_blocks, bytes(buf)) == (1, b"de")
    buf.pop_component(0).release()
    assert pool.statistics().live_blocks == 0
    buf.append(b"again")
    assert bytes(buf) == b"again"


def test_b101_offsets_and_components_find_each_other() -> None:
    """to_component_index, to_byte_index, component_at_offset at each border, first and last byte, and in between."""
    for drop in (0, 2, 3, 7):
        for read in (False, True):
            buf = of(*PIECES)
            buf.skip_bytes(drop)
            if read:
                buf.discard_read_bytes()
            data, owner = content(buf), []
            for k, piece in enumerate(parts(buf)):
                assert buf.to_byte_index(k) == len(owner)
                owner += [k] * len(piece)
            for offset in (*range(len(data)), *reversed(range(len(data)))):
                k = buf.to_component_index(offset)
                assert k == owner[offset]
                shown = buf.component_at_offset(offset)
                assert shown == buf.component(k)
                assert shown.get_unsigned_byte(offset - buf.to_byte_index(k)) == data[offset]
            for outside in (-1, len(data), 2**62):
                for find in (buf.to_component_index, buf.component_at_offset):
                    with fails(BoundsError, buf) as caught:
                        find(outside)
                    assert (caught.value.requested, caught.value.available) == (outside, len(data) - 1)
            for outside in (-1, buf.num_components, 2**62):
                with fails(BoundsError, buf):
                    buf.to_byte_index(outside)
    for call in (composite().to_component_index, composite().to_byte_index, composite().component_at_offset):
        with pytest.raises(BoundsError):
            call(0)


def test_b101_looking_moves_nothing() -> None:
    """The indices and what is read next are as before, wherever one looked."""
    buf = of(*PIECES)
    for at in range(10):
        assert buf.read_unsigned_byte() == WHOLE[at]
        with unchanged(buf):
            buf.component_at_offset(9 - at)
            buf.to_component_index(at)
            buf.decompose(0, 9 - at)


def test_b108_decomposed_handles_add_up_to_the_range() -> None:
    """Over 0, 1 and more components, every (offset, length); each handle can be released alone."""
    buf = of(*PIECES)
    for offset in range(11):
        for length in range(11 - offset):
            with unchanged(buf), copies():
                pieces = buf.decompose(offset, length)
            shown = [bytes(piece) for piece in pieces]
            assert b"".join(shown) == WHOLE[offset : offset + length]
            assert all(shown)
            borders = [at for at in STARTS[1:-1] if offset < at < offset + length]
            assert len(pieces) == (len(borders) + 1 if length else 0)
            for number in range(len(pieces)):
                assert pieces[number].refcnt == 1
                pieces[number].release()
                assert [bytes(piece) for piece in pieces[number + 1 :]] == shown[number + 1 :]
    assert buf.decompose(10, 0) == []
    with fails(BoundsError, buf):
        buf.decompose(11, 0)
    for pair in ((-1, 1), (0, 11), (10, 1), (2**62, 2**62)):
        with fails(BoundsError, buf):
            buf.decompose(*pair)
    with fails(ValueError, buf):
        buf.decompose(0, -1)


def test_b108_decomposed_handles_write_through_and_outlive_the_composite() -> None:
    """They are windows, not copies, and fixed ones."""
    buf = of(*PIECES)
    first, second, third = buf.decompose(2, 4)
    second.set_bytes(0, b"DE")
    assert bytes(buf) == b"abcDEfghij"
    with fails(CapacityError, second):
        second.write_byte(1)
    buf.release()
    assert [bytes(first), bytes(second), bytes(third)] == [b"c", b"DE", b"f"]


def test_b109_a_read_only_composite_keeps_its_components() -> None:
    """insert and pop raise ReadOnlyError, insert releases its part; looking is free and gives read-only handles."""
    buf = wrap(copied(b"abc"), b"de", copied(b"f"), read_only=True)
    part = copied(b"XY")
    with fails(ReadOnlyError, buf):
        buf.insert_component(1, part)
    assert part.refcnt == 0
    for call in (buf.discard_read_components, buf.consolidate, lambda: buf.pop_component(0), buf.discard_read_bytes):
        with fails(ReadOnlyError, buf):
            call()
    assert (buf.to_component_index(3), buf.to_byte_index(2)) == (1, 5)
    for shown in (
        buf.component_at_offset(0),
        *buf.components(),
        *buf.decompose(1, 4),
        buf.slice(1, 3),
        buf.slice(0, 2),
    ):
        assert shown.is_read_only
        with fails(ReadOnlyError, shown):
            shown.set_byte(0, 1)


def test_indices_may_come_as_anything_with_an_index_method() -> None:
    """True and numpy integers count as numbers, floats do not (rule I10)."""
    buf = of(*PIECES)
    one = operator.index(True)
    assert buf.to_byte_index(True) == buf.to_byte_index(one) == 3
    buf.insert_component(True, b"X")
    assert bytes(buf.pop_component(True)) == b"X"
    for call in (buf.component_at_offset, buf.to_component_index, buf.to_byte_index, buf.pop_component, buf.component):
        for bad in (1.0, "1", None):
            with fails(TypeError, buf):
                call(bad)
        with fails(OverflowError, buf):
            call(2**70)


def test_what_an_end_of_memory_runs_finds_the_composite_whole() -> None:
    """A wrapped object whose last reference goes with its component may use the composite in that moment."""
    seen: list[bytes] = []

    class Source(bytearray):
        def __del__(self) -> None:
            buf._check()
            seen.append(bytes(buf))
            buf.append(b"!")

    acts = (
        ("discard_read_components", lambda: buf.discard_read_components(), b"rest"),
        ("discard_read_bytes", lambda: buf.discard_read_bytes(), b"rest"),
        ("prepend", lambda: buf.prepend(b"<"), b"<rest"),
        ("consolidate", lambda: buf.consolidate(), b"rest"),
        ("clear", lambda: buf.clear(), b""),
        ("pop", lambda: buf.pop_component(0).release(), b"rest"),
        ("split", lambda: buf.split(0), b"rest"),
        ("compact", lambda: buf.compact(), b"rest"),
    )
    for name, act, expected in acts:
        buf = of()
        buf.append(Source(b"gone"))
        buf.append(copied(b"rest"))
        buf.skip_bytes(4)
        seen.clear()
        act()
        assert (seen, bytes(buf)) == ([expected], expected + b"!"), name
        buf._check()
    buf = of(b"abc")
    buf.append(Source(b"gone"))
    buf.set_capacity(3)
    assert (seen[-1], bytes(buf)) == (b"abc", b"abc!")
    buf = of(b"abc")
    buf.append(Source(b"gone"))
    buf.writer_index = 3
    buf.append(b"tail")
    assert (seen[-1], bytes(buf)) == (b"abctail", b"abctail!")
    buf.append(Source(b"gone"))
    buf.split_off(8).release()
    assert (seen[-1], bytes(buf)) == (b"abctail!", b"abctail!!")
