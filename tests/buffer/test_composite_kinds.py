"""Components of every kind: each shape of buffer, and every kind of object that has bytes.

Owns    BEHAVIOURS 88, 89, 91, 95, 98, 99, 103 over all kinds of parts.
Never   what one composite of plain parts does: test_composite and its neighbours look closer at that.
Always  content is checked against flat bytes; what was taken is dead, what was only looked at is as it was."""

from __future__ import annotations

import pytest

from tests.buffer._kinds import KINDS, Maker, each_buffer, each_kind
from tests.buffer.test_composite import of, parts
from tests.buffer.test_growth import copies
from tests.contracts._kit import GETTERS, SETTERS, content, fails, for_each
from zbuf import ByteBuf, composite, copied
from zbuf.errors import ReadOnlyError

DATA = b"0123456789abcdef"
ADDERS = {
    "append": (lambda buf, part: buf.append(part), b"<>" + DATA),
    "extend": (lambda buf, part: buf.extend([part]), b"<>" + DATA),
    "prepend": (lambda buf, part: buf.prepend(part), DATA + b"<>"),
    "insert": (lambda buf, part: buf.insert_component(1, part), b"<" + DATA + b">"),
}


@for_each("adder", ADDERS)
@each_kind
def test_b088_a_part_of_any_kind_is_readable_at_once(kind: Maker, adder: tuple[object, bytes]) -> None:
    """However it comes in, its bytes are where they belong, nothing is copied, and w == cap."""
    add, expected = adder
    buf = of(b"<", b">")
    part = kind(DATA)
    with copies():
        add(buf, part)
    assert (bytes(buf), buf.writer_index, buf.capacity) == (expected, len(expected), len(expected))
    buf._check()
    if isinstance(part, ByteBuf) and part.refcnt:
        part.release()


@each_buffer
def test_b089_a_part_of_any_shape_loses_one_count(kind: Maker) -> None:
    """With count 1 it is dead; with 2 it lives, and where its indices go is of no interest any more."""
    buf, part = composite(), kind(DATA)
    was = part.refcnt
    buf.append(part)
    assert part.refcnt == was - 1
    part = kind(DATA).retain()
    part.skip_bytes(4)
    buf.append(part)
    part.reader_index = part.writer_index
    assert bytes(buf) == DATA + DATA[4:]
    part.set_index(0, 0)
    assert bytes(buf) == DATA + DATA[4:]
    part.release(part.refcnt)
    assert bytes(buf) == DATA + DATA[4:]


@each_buffer
def test_b091_only_the_readable_bytes_of_a_part_come_in(kind: Maker) -> None:
    """What was consumed, and what is behind the writer index, stays out; composites come in as their spans."""
    part = kind(DATA)
    part.skip_bytes(3)
    part.writer_index -= 2
    spans = len(part.components()) if hasattr(part, "components") else 1
    buf = of(b"x")
    buf.append(part)
    assert bytes(buf) == b"x" + DATA[3:-2]
    assert b"".join(parts(buf)) == b"x" + DATA[3:-2]
    assert buf.num_components <= 1 + spans
    buf._check()
    if part.refcnt:
        part.release()


@each_kind
def test_b098_a_component_of_any_kind_shows_exactly_its_bytes(kind: Maker) -> None:
    """All handles together are the part; each has r = 0 and w = cap, and refuses writes iff its memory does."""
    part, buf = kind(DATA), of(b"x")
    refuses = bool(getattr(part, "is_read_only", False))
    buf.append(part)
    shown = buf.components()[1:]
    assert b"".join(bytes(one) for one in shown) == DATA
    for k, one in enumerate(shown, 1):
        assert (one.reader_index, one.writer_index, one.max_capacity) == (0, one.capacity, one.capacity)
        assert one == buf.component(k) == buf.component_at_offset(buf.to_byte_index(k))
        if refuses:
            assert one.is_read_only
        if one.is_read_only:
            with fails(ReadOnlyError, one):
                one.set_byte(0, 0)
        else:
            one.set_byte(0, 33)
            assert buf.get_byte(buf.to_byte_index(k)) == 33
    if isinstance(part, ByteBuf) and part.refcnt:
        part.release()


@for_each("stem", {stem.name: stem for stem in GETTERS})
def test_b099_values_across_components_of_all_kinds_read_as_on_flat_memory(stem: object) -> None:
    """Every width at every offset of one composite that has a part of each kind."""
    whole = _one_of_each()
    flat = copied(bytes(whole))
    for at in range(whole.capacity - stem.size + 1):
        got, expected = stem.get(whole, at), stem.get(flat, at)
        assert got == expected or got != got  # a NaN


@for_each("stem", {stem.name: stem for stem in SETTERS})
def test_b099_writes_across_components_of_all_kinds_go_in_whole_or_not_at_all(stem: object) -> None:
    """Where no span is read-only the bytes are those of flat memory; else ReadOnlyError, and no byte changes."""
    whole = _one_of_each()
    flat = copied(bytes(whole))
    refusing = [one.is_read_only for one in whole.components() for _ in range(one.capacity)]
    assert 100 < sum(refusing) < len(refusing) - 100  # both are there
    for at in range(whole.capacity - stem.size + 1):
        if any(refusing[at : at + stem.size]):
            with pytest.raises(ReadOnlyError):
                stem.set(whole, at, 1)
        else:
            stem.set(whole, at, 1)
            stem.set(flat, at, 1)
    assert content(whole) == bytes(flat)


def _one_of_each() -> ByteBuf:
    """A composite with a part of each kind, cut so that borders lie at odd places."""
    whole = composite()
    for make in KINDS.values():
        part = make(DATA)
        if isinstance(part, ByteBuf):
            part.skip_bytes(1)
        whole.append(part)
        if isinstance(part, ByteBuf) and part.refcnt:
            part.release()
    return whole


@pytest.mark.parametrize("end", ["discard_read_bytes", "discard_read_components", "clear", "release", "pop"])
def test_b103_slices_of_components_of_all_kinds_survive_their_composite(end: str) -> None:
    """slice, duplicate, read_slice, decompose and component handles read on after the source is gone."""
    whole = _one_of_each()
    data = bytes(whole)
    handles = [whole.duplicate(), whole.slice(), whole.as_read_only(), whole.read_slice(len(data))]
    pieces = [*whole.decompose(0, len(data))]
    if end == "pop":
        while whole.num_components:
            pieces[0] = pieces[0].duplicate()
            whole.pop_component(whole.num_components // 2)
        assert (whole.capacity, whole.reader_index, whole.writer_index) == (0, 0, 0)
    else:
        getattr(whole, end)()
    for handle in handles:
        assert bytes(handle) == data
        handle._check()
    assert b"".join(map(bytes, pieces)) == data


def test_a_composite_may_hold_the_same_block_many_times() -> None:
    """Slices of one block, each a component: a write through one shows in all that look there."""
    block = copied(DATA)
    buf = composite()
    for at in (0, 4, 2):
        buf.append(block.slice(at, 6))
    assert bytes(buf) == DATA[0:6] + DATA[4:10] + DATA[2:8]
    buf.set_bytes(4, b"!?")
    assert bytes(buf) == b"0123!?" + b"!?6789" + b"23!?67"
    assert buf.memory_size == block.memory_size
    model, moved = bytearray(bytes(block)), bytes(buf)[2:]
    buf.set_bytes(0, buf, 2, 16)  # all is read before anything is written, then the components are filled in turn
    for start, data in ((0, moved[:6]), (4, moved[6:12]), (2, moved[12:])):
        model[start : start + len(data)] = data
    assert bytes(block) == model
    assert buf.is_shared
