"""Composites: what append, prepend and extend take, and how the spans behave.

Owns    BEHAVIOURS 88 to 95 and 98; FAULTS 30.
Never   what every shape does: the contract tests run over composites too.
Always  content is checked against flat bytes, structure against the list of spans."""

from __future__ import annotations

import pytest

from tests.buffer.test_growth import copies
from tests.contracts._kit import fails, fresh_pool
from zbuf import ByteBuf, buffer, composite, copied, wrap
from zbuf.errors import BoundsError, CapacityError, ReferenceCountError
from zbuf.testing import shapes


def of(*pieces: bytes) -> ByteBuf:
    """A composite with one writable component a piece."""
    buf = composite()
    for piece in pieces:
        buf.append(copied(piece))
    return buf


def parts(buf: ByteBuf) -> list[bytes]:
    """The bytes of each component."""
    return [bytes(part) for part in buf.components()]


def test_b088_appended_parts_are_readable_at_once() -> None:
    """Buffers of every shape, bytes, bytearrays and views; w == cap after each."""
    buf, model = composite(), b""
    for name, part in shapes(b"part").items():
        buf.append(part)
        model += b"part"
        assert (bytes(buf), buf.writer_index, buf.capacity) == (model, len(model), len(model)), name
        buf._check()
    for part in (b"bytes", bytearray(b"array"), memoryview(b"view")[1:], copied(b"slice").slice(1, 3)):
        model += bytes(part)
        buf.append(part)
        assert bytes(buf) == model
    buf.skip_bytes(3)
    buf.append(b"!")
    assert bytes(buf) == model[3:] + b"!"


def test_b089_append_takes_one_count_of_its_argument() -> None:
    """With count 1 it is dead; a retained one lives on, and moving its indices changes nothing here."""
    buf, part = composite(), copied(b"0123456789")
    part.set_index(2, 7)
    part.retain()
    buf.append(part)
    assert (part.refcnt, bytes(buf)) == (1, b"23456")
    part.set_index(0, 10)
    assert (bytes(buf), buf.capacity) == (b"23456", 5)
    part.set_byte(2, ord("x"))
    assert bytes(buf) == b"x3456"
    buf.append(part)
    assert part.refcnt == 0
    assert bytes(buf) == b"x345601x3456789"


def test_b090_append_cuts_off_the_unwritten_space_first() -> None:
    """No hole between what was written and what is appended."""
    buf = composite()
    buf.ensure_writable(10)
    buf.write_int(0x01020304)
    assert buf.capacity >= 10
    buf.append(b"tail")
    assert (bytes(buf), buf.capacity, buf.writer_index) == (b"\1\2\3\4tail", 8, 8)
    buf.write_byte(9)
    buf.append(b"end")
    assert (bytes(buf), buf.capacity) == (b"\1\2\3\4tail\x09end", 12)
    buf._check()


def test_b091_an_appended_composite_is_flattened() -> None:
    """Its non-empty readable spans become components; it is released; nothing is copied."""
    inner = of(b"ab", b"cd", b"ef", b"gh")
    inner.skip_bytes(3)
    inner.writer_index = 6
    buf = of(b"x")
    with copies():
        buf.append(inner)
    assert (parts(buf), inner.refcnt, bytes(buf)) == ([b"x", b"d", b"ef"], 0, b"xdef")
    before = buf.num_components
    for nothing in (composite(), buffer(10), copied(b""), of(b"ab").slice(1, 0)):
        buf.append(nothing)
        assert (buf.num_components, nothing.refcnt) == (before, 0)
    buf.append(b"")
    assert buf.num_components == before


def test_b092_a_bad_argument_leaves_the_composite_as_it_was() -> None:
    """Released: ReferenceCountError; None, str, int: TypeError; itself: ValueError, and nothing is taken."""
    buf, dead = of(b"ab", b"cd"), copied(b"dead")
    dead.release()
    for call in (buf.append, buf.prepend):
        with fails(ReferenceCountError, buf):
            call(dead)
        for bad in (None, "text", 5, [b"x"]):
            with fails(TypeError, buf):
                call(bad)
        with fails(ValueError, buf):
            call(buf)
        with fails(BufferError, buf):
            call(memoryview(b"abcd")[::2])
    assert (parts(buf), buf.refcnt) == ([b"ab", b"cd"], 1)


def test_b092_parts_beyond_the_maximum_are_released() -> None:
    """CapacityError, the part is dead, the composite unchanged; exactly fitting is fine."""
    buf = composite(6)
    buf.append(b"abc")
    for call in (buf.append, buf.prepend):
        part = copied(b"defg")
        with fails(CapacityError, buf) as caught:
            call(part)
        assert part.refcnt == 0
        assert caught.value.max_capacity == 6
    buf.append(copied(b"def"))
    assert bytes(buf) == b"abcdef"
    with fails(CapacityError, buf):
        buf.write_byte(1)
    buf.skip_bytes(2)
    buf.prepend(b"XY")  # what was consumed makes room
    assert bytes(buf) == b"XYcdef"


def test_b093_extend_takes_all_and_keeps_what_was_in_before_the_fault() -> None:
    """[a, dead, b]: a is in, b is released; None inside raises TypeError under the same rule."""
    for bad, error in ((None, TypeError), ("text", TypeError), ("dead", ReferenceCountError)):
        buf, one, two = of(b"x"), copied(b"ab"), copied(b"cd")
        if bad == "dead":
            bad = copied(b"dead")
            bad.release()
        with pytest.raises(error):
            buf.extend([one, bad, two])
        assert (bytes(buf), one.refcnt, two.refcnt) == (b"xab", 0, 0)
        buf._check()
    buf = of(b"x")
    buf.extend(copied(piece) for piece in (b"ab", b"", b"cd"))
    assert parts(buf) == [b"x", b"ab", b"cd"]
    with fails(TypeError, buf):
        buf.extend(None)


def test_b093_extend_beyond_the_maximum_releases_the_rest() -> None:
    """The failing and all later parts are released, earlier ones stay."""
    buf = composite(5)
    three = [copied(b"abc"), copied(b"def"), copied(b"g")]
    with pytest.raises(CapacityError):
        buf.extend(three)
    assert (bytes(buf), [part.refcnt for part in three]) == (b"abc", [0, 0, 0])


def test_b093_extend_that_lists_its_own_composite_is_refused() -> None:
    """A composite cannot be its own part, however it is handed over."""
    buf = of(b"ab")
    with pytest.raises(ValueError):
        buf.extend([b"cd", buf])
    assert bytes(buf) == b"abcd"
    assert buf.refcnt >= 1
    buf._check()


def test_b093_extend_leaves_its_composite_alive_when_a_part_before_it_fails() -> None:
    """All later parts are released, itself excepted; the error is that of the first bad part."""
    buf, last = of(b"ab"), copied(b"cd")
    with pytest.raises(TypeError):
        buf.extend([b"x", None, buf, last])
    assert (buf.refcnt, bytes(buf), last.refcnt) == (1, b"abx", 0)


def test_b093_extend_takes_composites_apart_among_other_parts() -> None:
    """Every kind in one call; the room is checked part by part, so what fits before the first that does not stays."""
    one, two = of(b"1", b"2"), of(b"345", b"67")
    buf = composite(12)
    with pytest.raises(CapacityError) as caught:
        buf.extend([b"ab", one, bytearray(b"c"), copied(b"d"), two, b"efgh", b"i"])
    assert (parts(buf), one.refcnt, two.refcnt) == ([b"ab", b"1", b"2", b"c", b"d", b"345", b"67"], 0, 0)
    assert (caught.value.requested, caught.value.max_capacity) == (15, 12)
    buf._check()


def test_b093_extend_survives_parts_that_use_the_composite_while_they_are_taken() -> None:
    """The end of an empty part's memory may run foreign code: it appends, fills, or releases."""

    class Source(bytearray):
        act = None

        def __del__(self) -> None:
            if self.act is not None:
                self.act()

    def part(act: object) -> ByteBuf:
        source = Source(b"x")
        source.act = act
        buf = wrap(source)
        buf.skip_bytes(1)
        return buf

    buf = of(b"<")
    buf.extend([b"ab", part(lambda: buf.append(b"!")), b"cd"])
    assert bytes(buf) == b"<!abcd"
    small = composite(4)
    with pytest.raises(CapacityError):
        small.extend([b"ab", part(lambda: small.append(b"123")), b"cd"])
    assert bytes(small) == b"123"
    small._check()
    gone = composite()
    with pytest.raises(ReferenceCountError):
        gone.extend([b"ab", part(lambda: gone.release()), b"cd"])
    assert gone.refcnt == 0


def test_b089_a_retained_composite_keeps_spans_of_its_own() -> None:
    """What happens to the one it was appended to does not reach it, nor the other way round."""
    inner = of(b"ab", b"cd", b"ef").retain()
    buf = of(b"x")
    buf.append(inner)
    buf.skip_bytes(2)
    buf.discard_read_bytes()
    inner.skip_bytes(3)
    inner.discard_read_bytes()
    assert (bytes(buf), bytes(inner)) == (b"bcdef", b"def")
    buf._check()
    inner._check()
    inner.release()


def test_b094_ten_thousand_parts_stay_ten_thousand_components() -> None:
    """No number of appends triggers a consolidation; nothing is copied."""
    buf = composite()
    block = copied(bytes(range(250)) * 40)
    with copies():
        for at in range(10_000):
            buf.append(block.slice(at, 1))
    assert (buf.num_components, buf.readable_bytes) == (10_000, 10_000)
    assert [buf.get_unsigned_byte(at) for at in (0, 1, 249, 250, 4999, 9999)] == [0, 1, 249, 0, 249, 249]
    assert buf.get_bytes(0, 10_000) == bytes(block)
    buf._check()


def test_b095_prepend_replaces_what_was_consumed() -> None:
    """Readable bytes are header + rest, r = 0; consumed components are released."""
    pool = fresh_pool()
    buf = composite()
    for piece in (b"ab", b"cd", b"ef"):
        part = pool.buffer(2)
        part.write_bytes(piece)
        buf.append(part)
    buf.skip_bytes(3)
    buf.prepend(copied(b"HEAD"))
    assert (bytes(buf), buf.reader_index, buf.writer_index, buf.num_components) == (b"HEADdef", 0, 7, 3)
    assert pool.statistics().live_blocks == 2
    buf.prepend(b"")
    assert (bytes(buf), buf.num_components) == (b"HEADdef", 3)
    inner = of(b"1", b"2")
    buf.prepend(inner)
    assert (parts(buf), inner.refcnt) == ([b"1", b"2", b"HEAD", b"d", b"ef"], 0)
    buf._check()


def test_b098_a_component_shows_exactly_its_span() -> None:
    """r = 0, w = cap, whatever the indices of the buffer once appended; its own share."""
    part = copied(b"0123456789")
    part.set_index(3, 6)
    buf = of(b"ab")
    buf.append(part)
    first, second = buf.components()
    assert (bytes(first), bytes(second)) == (b"ab", b"345")
    for shown in (second, buf.component(1)):
        assert (shown.reader_index, shown.writer_index, shown.capacity) == (0, 3, 3)
    buf.component(1).set_byte(0, ord("x"))
    assert bytes(buf) == b"abx45"
    for k in (-1, 2, 2**62):
        with fails(BoundsError, buf):
            buf.component(k)
    buf.release()
    assert (bytes(first), bytes(second)) == (b"ab", b"x45")
