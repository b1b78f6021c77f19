"""Searches that go on: all matches, pieces, sets of bytes, a call for each byte, over every shape.

Owns    BEHAVIOURS 43, 48 and 50; startswith, endswith, find_any, find_not and the names of bytes.
Never   find and rfind themselves: test_search has them.
Always  the oracle is `bytes` on the same data; results are absolute indices, and nothing moves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import WRITABLE_NAMES, Make, each_shape, fails, unchanged
from zbuf import ByteBuf, composite, copied
from zbuf.buffer import CR, CRLF, LF, LINEAR_WHITESPACE, NUL, SPACE
from zbuf.errors import BoundsError, ReferenceCountError
from zbuf.testing._shapes import SHAPE_NAMES
from zbuf.testing._shapes import shape as build

each_name = pytest.mark.parametrize("name", SHAPE_NAMES, ids=lambda name: name.replace(" ", "-"))


def random_data(rng: random.Random) -> tuple[bytes, bytes]:
    """A haystack and a needle over few letters, so that matches are many and overlap."""
    letters = rng.choice((b"a", b"ab", b"abc"))
    return bytes(rng.choices(letters, k=rng.randint(0, 40))), bytes(rng.choices(letters, k=rng.randint(1, 4)))


@each_shape
def test_b043_index_of_searches_in_the_order_of_its_indices(shape: Make) -> None:
    """Upwards when from_index is the smaller one, downwards when it is the larger one, nowhere when they are equal."""
    buf = shape(b"xaxbx")
    r = buf.reader_index
    x = ord("x")
    with unchanged(buf):
        assert (buf.index_of(r + 1, r + 4, x), buf.index_of(r + 4, r + 1, x)) == (r + 2, r + 2)
        assert (buf.index_of(r, r + 5, x), buf.index_of(r + 5, r, x)) == (r, r + 4)
        assert (buf.index_of(r + 3, r + 4, x), buf.index_of(r + 4, r + 3, x)) == (-1, -1)
        assert (buf.index_of(r + 2, r + 2, x), buf.index_of(r + 5, r + 5, x)) == (-1, -1)
        assert (buf.index_of(r, r + 2, ord("b")), buf.index_of(r + 2, r, ord("b"))) == (-1, -1)
        assert buf.index_of(0, buf.capacity, ord("b")) == r + 3


@each_shape
def test_b043_index_of_refuses_what_is_outside(shape: Make) -> None:
    """Either index outside 0..capacity is BoundsError, in both orders; a value that is no byte is ValueError."""
    buf = shape(b"xaxbx")
    for first, last in ((-1, 3), (3, -1), (0, buf.capacity + 1), (buf.capacity + 1, 0), (-1, -1)):
        with fails(BoundsError, buf):
            buf.index_of(first, last, 97)
    for value in (-1, 256):
        with fails(ValueError, buf):
            buf.index_of(0, 1, value)
        with fails(ValueError, buf):
            buf.index_of(-1, 1, value)
    for value in (b"a", None, "a", 1.0):
        with fails(TypeError, buf):
            buf.index_of(0, 1, value)  # type: ignore[arg-type]  # that is the point


@each_name
def test_b048_find_all_and_count_agree_with_bytes(name: str) -> None:
    """Non-overlapping matches from the left, within any range."""
    rng = random.Random(name)
    for _ in range(80):
        hay, needle = random_data(rng)
        buf = build(name, hay)
        r = buf.reader_index
        start = rng.randint(0, len(hay))
        end = rng.randint(start, len(hay))
        pattern = re.compile(re.escape(needle))
        with unchanged(buf):
            assert buf.find_all(needle) == [found.start() + r for found in pattern.finditer(hay)]
            assert buf.count(needle) == hay.count(needle)
            assert buf.find_all(needle, r + start, r + end) == [
                f.start() + r for f in pattern.finditer(hay, start, end)
            ]
            assert buf.count(needle, r + start, r + end) == hay.count(needle, start, end)
            assert buf.find_all(needle[0]) == [r + at for at, byte in enumerate(hay) if byte == needle[0]]


@each_name
def test_b048_split_indices_agree_with_bytes_split(name: str) -> None:
    """k delimiters give k + 1 pairs, an empty last piece included; max_pieces keeps the rest in the last pair."""
    rng = random.Random(name)
    for _ in range(80):
        hay, needle = random_data(rng)
        buf = build(name, hay)
        r = buf.reader_index
        with unchanged(buf):
            pairs = buf.split_indices(needle)
            assert [hay[start - r : end - r] for start, end in pairs] == hay.split(needle)
            assert len(pairs) == hay.count(needle) + 1
            for most in (1, 2, 3, 100):
                some = buf.split_indices(needle, max_pieces=most)
                assert [hay[start - r : end - r] for start, end in some] == hay.split(needle, most - 1)
            assert [buf.get_bytes(start, end - start) for start, end in pairs] == hay.split(needle)


@each_shape
def test_b048_split_indices_follow_the_range(shape: Make) -> None:
    """Only what lies inside [start, end) is cut, and the rest can be cut from where the last pair starts."""
    buf = shape(b"a,b,c,d")
    r = buf.reader_index
    assert buf.split_indices(b",", r + 2, r + 5) == [(r + 2, r + 3), (r + 4, r + 5)]
    assert buf.split_indices(ord(","), r + 7) == [(r + 7, r + 7)]
    assert buf.split_indices(b",", r, r) == [(r, r)]
    first = buf.split_indices(copied(b","), max_pieces=2)
    assert first == [(r, r + 1), (r + 2, r + 7)]
    assert buf.split_indices(b",", first[-1][0]) == [(r + 2, r + 3), (r + 4, r + 5), (r + 6, r + 7)]


def test_split_indices_have_a_bound_of_their_own() -> None:
    """A peer that sends nothing but delimiters gets ten thousand pieces, not millions."""
    buf = copied(b"," * 50_000)
    pieces = buf.split_indices(b",")
    assert (len(pieces), pieces[-1]) == (10_000, (9_999, 50_000))


@each_shape
def test_bad_needles_and_ranges_are_refused_alike(shape: Make) -> None:
    """Empty: ValueError where matches are counted. Not a byte: ValueError. Outside: BoundsError. A str: TypeError."""
    buf = shape(b"abcdef")
    counting: tuple[Callable[..., Any], ...] = (buf.find_all, buf.count, buf.split_indices)
    sets: tuple[Callable[..., Any], ...] = (buf.find_any, buf.find_not)
    ends: tuple[Callable[..., Any], ...] = (buf.startswith, buf.endswith)
    for method in counting:
        for empty in (b"", bytearray(), copied(b"")):
            with fails(ValueError, buf):
                method(empty)
    for method in (*counting, *sets, *ends):
        for value in (-1, 256):
            with fails(ValueError, buf):
                method(value)
        for wrong in ("a", None, 1.5, [97]):
            with fails(TypeError, buf):
                method(wrong)
    for method in (*counting, *sets):
        for start, end in ((3, 2), (-1, 3), (0, buf.capacity + 1), (buf.capacity + 1, None), (None, -1)):
            with fails(BoundsError, buf):
                method(b"a", start, end)
    for most in (0, -1):
        with fails(ValueError, buf):
            buf.split_indices(b"a", max_pieces=most)
    with fails(ValueError, buf):  # the value comes before the place
        buf.split_indices(b"", -1)


@each_shape
def test_startswith_and_endswith_agree_with_bytes(shape: Make) -> None:
    """Every beginning and every end, the empty one too; one byte more than there is does not fit."""
    data = b"abcabd"
    buf = shape(data)
    with unchanged(buf):
        for cut in range(len(data) + 1):
            assert buf.startswith(data[:cut]) is buf.endswith(data[cut:]) is True
            assert buf.startswith(copied(data[:cut])) is True
        for piece in (b"abd", b"ab", b"d", b"abcabda", b"xabcabd", b"abcabe", b"bbcabd"):
            assert buf.startswith(piece) == data.startswith(piece)
            assert buf.endswith(piece) == data.endswith(piece)
        assert (buf.startswith(97), buf.endswith(97), buf.endswith(100)) == (True, False, True)
    buf.skip_bytes(3)
    buf.writer_index -= 1
    assert (buf.startswith(b"ab"), buf.startswith(b"abd"), buf.endswith(b"ab")) == (True, False, True)


@each_name
def test_find_any_and_find_not_agree_with_a_walk(name: str) -> None:
    """Sets of no, one, some and all bytes, within any range."""
    rng = random.Random(name)
    sets = (b"", b"a", b"ab", b"xyz", b"aab", bytes(range(256)), bytes(set(range(256)) - {97}))
    for _ in range(30):
        hay = bytes(rng.choices(b"abcd\x00\xff", k=rng.randint(0, 30)))
        buf = build(name, hay)
        r = buf.reader_index
        start = rng.randint(0, len(hay))
        end = rng.randint(start, len(hay))
        for values in sets:
            inside = [r + at for at in range(start, end) if hay[at] in values]
            outside = [r + at for at in range(start, end) if hay[at] not in values]
            assert buf.find_any(values, r + start, r + end) == min(inside, default=-1)
            assert buf.find_not(values, r + start, r + end) == min(outside, default=-1)
        assert buf.find_any(97) == buf.find(97)


@each_shape
def test_every_byte_can_be_in_a_set(shape: Make) -> None:
    """Each of the 256 values, where it stands and where it does not."""
    data = bytes(range(256))
    buf = shape(data)
    r = buf.reader_index
    for value in range(256):
        assert buf.find_any(bytes((value, value ^ 1))) == r + min(value, value ^ 1)
        assert buf.find_not(data[:value]) == r + value


def test_the_names_of_bytes() -> None:
    """What they are, and how they are used: as a needle, or as a set."""
    assert (CR, LF, CRLF, NUL, SPACE, LINEAR_WHITESPACE) == (b"\r", b"\n", b"\r\n", b"\x00", b" ", b" \t")
    buf = copied(b"key: \tvalue\r\n")
    colon = buf.find(b":")
    assert buf.find_not(LINEAR_WHITESPACE, colon + 1) == 6
    assert buf.find(CRLF) == buf.find_any(CRLF) == 11


@each_shape
def test_b050_for_each_byte_visits_each_byte_once_in_order(shape: Make) -> None:
    """From the front, and `_desc` from the end; -1 when it went through; nothing moves."""
    data = bytes(range(100, 120))
    buf = shape(data)
    r = buf.reader_index
    seen: list[int] = []

    def note(byte: int) -> bool:
        seen.append(byte)
        return True

    with unchanged(buf):
        assert (buf.for_each_byte(note), bytes(seen)) == (-1, data)
        seen.clear()
        assert (buf.for_each_byte_desc(note), bytes(seen)) == (-1, data[::-1])
        seen.clear()
        assert (buf.for_each_byte(note, r + 3, 5), bytes(seen)) == (-1, data[3:8])
        seen.clear()
        assert (buf.for_each_byte_desc(note, r + 3, 5), bytes(seen)) == (-1, data[7:2:-1])
        seen.clear()
        assert (buf.for_each_byte(note, length=0), buf.for_each_byte_desc(note, r + 20), seen) == (-1, -1, [])


@each_shape
def test_b050_for_each_byte_returns_where_it_stopped(shape: Make) -> None:
    """The absolute index of the byte for which the callback said no, at every place."""
    buf = shape(b"abcdefgh")
    r = buf.reader_index
    for at, byte in enumerate(b"abcdefgh"):
        assert buf.for_each_byte(byte.__ne__) == r + at
        assert buf.for_each_byte_desc(byte.__ne__) == r + at
        assert buf.for_each_byte(byte.__ne__, r, at) == -1
    assert buf.for_each_byte(lambda byte: byte < ord("c")) == r + 2
    assert buf.for_each_byte_desc(lambda byte: byte > ord("c")) == r + 2
    assert buf.for_each_byte(lambda byte: None) == r  # type: ignore[arg-type,return-value]  # None is no "go on" either


@each_shape
def test_b050_an_exception_of_the_callback_passes_and_moves_nothing(shape: Make) -> None:
    """Whatever it raises comes out; a thing that cannot be called is a TypeError, also over an empty range."""
    buf = shape(b"abcd")

    def stop(byte: int) -> bool:
        if byte == ord("c"):
            raise KeyError("enough")
        return True

    for method in (buf.for_each_byte, buf.for_each_byte_desc):
        with fails(KeyError, buf):
            method(stop)
        for wrong in (None, 5, b"abc"):
            with fails(TypeError, buf):
                method(wrong, length=0)  # type: ignore[arg-type]  # that is the point
        for index, length in ((-1, 1), (0, buf.capacity + 1), (buf.writer_index + 1, None), (None, 5)):
            with fails(BoundsError, buf):
                method(stop, index, length)
        with fails(ValueError, buf):
            method(stop, 0, -1)


ACTS: dict[str, Callable[[ByteBuf], Any]] = {
    "release": lambda b: b.release(),
    "clear": lambda b: b.clear(),
    "shrink": lambda b: b.set_capacity(3),
    "grow": lambda b: b.set_capacity(b.capacity + 5000) if b.max_capacity > b.capacity + 5000 else None,
    "discard": lambda b: (b.skip_bytes(2), b.discard_read_bytes()),
    "move": lambda b: b.move(),
    "search": lambda b: (b.find(b"zz"), b.rfind(b"a"), b.get_short(3)),
}


@pytest.mark.parametrize("name", WRITABLE_NAMES, ids=lambda name: name.replace(" ", "-"))
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["for_each_byte", "for_each_byte_desc"])
def test_b050_a_callback_that_turns_against_the_buffer_breaks_nothing(name: str, act: str, method: str) -> None:
    """Released: ReferenceCountError. Too short for the next byte: BoundsError. Else it goes on over what is there."""
    buf = build(name, bytes(range(65, 85)))
    calls = 0

    def visit(byte: int) -> bool:
        nonlocal calls
        calls += 1
        assert 0 <= byte <= 255
        if calls == 5:
            ACTS[act](buf)
        return True

    try:
        assert getattr(buf, method)(visit) == -1
    except ReferenceCountError:
        assert buf.refcnt == 0 and act in ("release", "move")
    except BoundsError:
        assert act in ("clear", "shrink", "discard")
    else:
        assert (act in ("release", "move")) is False and calls == 20
    buf._check()


def test_a_walk_goes_on_in_the_block_that_the_buffer_has_now() -> None:
    """Growth in the midst gives the buffer a new block; the bytes that follow come from there."""
    buf = copied(b"abcdef")
    old = buf.slice()
    seen = []

    def visit(byte: int) -> bool:
        seen.append(byte)
        if len(seen) == 2:
            buf.set_capacity(4000)
            buf.set_bytes(2, b"CDEF")
        return True

    assert buf.for_each_byte(visit) == -1
    assert (bytes(seen), bytes(old)) == (b"abCDEF", b"abcdef")


def test_matches_lie_across_components_everywhere() -> None:
    """Delimiters, prefixes and suffixes cut at every place."""
    data = b"ab\r\ncd\r\n\r\nef"
    for first in range(len(data)):
        for second in range(first, len(data)):
            buf = composite()
            for piece in (data[:first], data[first:second], data[second:]):
                buf.append(copied(piece))
            assert buf.split_indices(CRLF) == [(0, 2), (4, 6), (8, 8), (10, 12)]
            assert (buf.find_all(CRLF), buf.count(CRLF)) == ([2, 6, 8], 3)
            assert buf.startswith(data) and buf.endswith(data)
            assert not buf.startswith(data[:-1] + b"F") and not buf.endswith(b"A" + data[1:])
