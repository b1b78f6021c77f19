"""Search against bytes.find: every offset, every component border.

Owns    BEHAVIOURS 44 to 47 and 49.
Never   the searches that go on (test_scan), several needles (tests/buffer/test_multi_search), what a search costs
        (tests/counts/test_search_counts).
Always  results of find are absolute indices, results of bytes_before distances from the reader index."""

from __future__ import annotations

import random

import pytest

from tests.contracts._kit import Make, each_shape, fails, unchanged
from zbuf import ByteBuf, composite, copied
from zbuf.errors import BoundsError
from zbuf.testing._shapes import SHAPE_NAMES
from zbuf.testing._shapes import shape as build


@each_shape
def test_b044_every_byte_is_found_at_every_offset(shape: Make) -> None:
    """A byte value is found at each of sixteen offsets; find is absolute, bytes_before relative."""
    for value in (0, 1, 127, 128, 255):
        for offset in range(16):
            data = bytearray([value ^ 0x55]) * 20
            data[offset] = value
            buf = shape(bytes(data))
            r = buf.reader_index
            for needle in (value, bytes([value]), bytearray([value]), copied(bytes([value]))):
                assert buf.find(needle) == buf.rfind(needle) == r + offset
                assert buf.bytes_before(needle) == offset
            buf.skip_bytes(offset)
            assert (buf.find(value), buf.bytes_before(value)) == (r + offset, 0)
            buf.skip_bytes(1)
            assert (buf.find(value), buf.rfind(value), buf.bytes_before(value)) == (-1, -1, -1)


@each_shape
def test_b044_every_value_is_found(shape: Make) -> None:
    """All 256 byte values in one buffer."""
    buf = shape(bytes(range(256)))
    r = buf.reader_index
    assert [buf.find(value) - r for value in range(256)] == list(range(256))
    assert [buf.bytes_before(value) for value in range(256)] == list(range(256))


@each_shape
def test_bytes_before_follows_the_optional_pair(shape: Make) -> None:
    """The distance counts from index, and the range ends at index + length, or at the writer index."""
    buf = shape(b"abcabcabc")
    r = buf.reader_index
    with unchanged(buf):
        assert buf.bytes_before(ord("c"), r + 3) == 2
        assert buf.bytes_before(b"bc", r + 2, 4) == 2
        assert buf.bytes_before(b"bc", r + 2, 3) == -1
        assert buf.bytes_before(b"c", length=2) == -1
        assert buf.bytes_before(b"", r + 4) == 0
        assert buf.bytes_before(b"a", r, 0) == -1
    for pair in ((buf.writer_index + 1,), (None, 10), (buf.capacity, 1), (-1, 1)):
        with fails(BoundsError, buf):
            buf.bytes_before(b"a", *pair)


@pytest.mark.parametrize("name", SHAPE_NAMES, ids=lambda name: name.replace(" ", "-"))
def test_b045_find_agrees_with_bytes_find_on_two_letters(name: str) -> None:
    """Random needles over two letters, consumed heads on both sides, every start and end."""
    rng = random.Random(name)
    for _ in range(60):
        hay = bytes(rng.choices(b"ab", k=rng.randint(0, 24)))
        needle = bytes(rng.choices(b"ab", k=rng.randint(1, 5)))
        buf, pattern = build(name, hay), copied(b"xyz" + needle)
        pattern.skip_bytes(3)
        skip = rng.randint(0, min(3, len(hay)))
        r = buf.reader_index
        buf.skip_bytes(skip)

        def absolute(found: int) -> int:
            return found if found < 0 else found + r  # noqa: B023  # called within this turn only

        assert buf.find(pattern) == buf.find(needle) == absolute(hay.find(needle, skip))
        assert buf.rfind(pattern) == buf.rfind(needle) == absolute(hay.rfind(needle, skip))
        start = rng.randint(0, len(hay))
        end = rng.randint(start, len(hay))
        assert buf.find(needle, r + start, r + end) == absolute(hay.find(needle, start, end))
        assert buf.rfind(needle, r + start, r + end) == absolute(hay.rfind(needle, start, end))
        assert buf.find(needle[0], r + start, r + end) == absolute(hay.find(needle[0], start, end))
        assert buf.rfind(needle[0], r + start, r + end) == absolute(hay.rfind(needle[0], start, end))
        assert pattern.reader_index == 3


def pieces(rng: random.Random, data: bytes) -> ByteBuf:
    """The bytes as one block or as components of a kind drawn at random: single bytes, small, large, mixed."""
    sizes = rng.choice(((len(data) + 1,), (1,), (1, 2, 3), (20, 35, 60), (1, 1, 2, 100), (300, 1)))
    buf, at = composite(), 0
    while at < len(data):
        size = rng.choice(sizes)
        buf.append(copied(data[at : at + size]))
        at += size
    return buf


@pytest.mark.parametrize("seed", range(8))
def test_b045_long_and_periodic_needles_agree_with_bytes(seed: int) -> None:
    """Haystacks that make a naive search compare everything, needles of 1 to 600 bytes, cut in every way."""
    rng = random.Random(seed)
    for _ in range(60):
        letters = rng.choice((b"a", b"ab", b"aaaaaab", bytes(range(256))))
        unit = bytes(rng.choices(letters, k=rng.choice((1, 2, 7, 100))))
        hay = (unit * rng.randint(1, 60))[: rng.randint(0, 1500)] + bytes(rng.choices(letters, k=rng.randint(0, 400)))
        size = rng.choice((1, 2, 3, 8, 17, 100, 600))
        start = rng.randint(0, len(hay))
        needle = hay[start : start + size] or b"a"
        if rng.random() < 0.4:  # nearly in it: one byte differs, at an end or in the middle
            place = rng.choice((0, len(needle) // 2, len(needle) - 1))
            needle = needle[:place] + bytes((needle[place] ^ 1,)) + needle[place + 1 :]
        buf = pieces(rng, hay)
        end = rng.randint(start, len(hay))
        assert (buf.find(needle), buf.rfind(needle)) == (hay.find(needle), hay.rfind(needle))
        assert buf.find(needle, start, end) == hay.find(needle, start, end)
        assert buf.rfind(needle, start, end) == hay.rfind(needle, start, end)


@pytest.mark.parametrize("size", [2, 3, 15, 16, 17, 31, 64, 65, 255, 256, 257, 1000])
def test_b044_a_needle_is_found_at_every_place_of_a_block(size: int) -> None:
    """Sizes around the widths that the search compares at once, at each offset, with nothing read beside the range."""
    needle = b"<" + bytes(size - 2) + b">"
    noise = b"<" * 70 + bytes(70) + b">" * 70
    for offset in range(0, 140, 3):
        hay = noise[offset:] + needle + noise[:offset]
        buf = copied(needle + hay + needle)  # a match just outside the range on both sides
        first, last = size, size + len(hay)
        assert buf.find(needle, first, last) == hay.find(needle) + size
        assert buf.rfind(needle, first, last) == hay.rfind(needle) + size
        assert buf.find(needle, first + 1 + hay.find(needle), last) == -1
        assert buf.rfind(needle, first, size + hay.find(needle) + size - 1) == -1


@pytest.mark.parametrize("size", [1, 2, 7, 300, 20_000])
def test_b046_a_needle_in_a_large_block_is_found_from_both_ends(size: int) -> None:
    """One block that is searched in pieces where it has to be copied for that: no place falls between two of them."""
    needle = bytes(range(1, 256)) * 80
    needle = needle[: size - 1] + b"!"
    buf = copied(bytes(200_000))
    for border in (1024, 4 * size, 65_536 + 1024, 65_536 + 4 * size):
        for at in {max(0, border - size), max(0, border - size // 2), border - 1, border, border + 1}:
            for place in (at, 200_000 - at - size):
                buf.set_bytes(place, needle)
                assert (buf.find(needle), buf.rfind(needle)) == (place, place)
                buf.set_zero(place, size)


def cut(data: bytes, *borders: int) -> ByteBuf:
    """A composite with component borders at these offsets."""
    buf = composite()
    for start, end in zip((0, *borders), (*borders, len(data)), strict=True):
        buf.append(copied(data[start:end]))
    return buf


def test_b046_a_needle_across_components_is_found_at_every_offset() -> None:
    """Needles that span two to all components, wherever the borders are."""
    needle = b"needle"
    for offset in range(8):
        hay = b"n" * offset + needle + b"nee"
        for first in range(len(hay)):
            for second in range(first, len(hay), 2):
                buf = cut(hay, first, second)
                assert buf.find(needle) == buf.rfind(needle) == offset
    for step in (1, 2, 3):
        buf = cut(b"xx" + needle + needle, *range(step, 14, step))
        assert (buf.find(needle), buf.rfind(needle)) == (2, 8)


def test_b046_near_misses_at_borders_are_not_lost() -> None:
    """`aab` in `aaab` and its like: a failed start must not swallow the true one."""
    for hay, needle in ((b"aaab", b"aab"), (b"ababac", b"abac"), (b"aaaaaaab", b"aaab"), (b"\r\r\n", b"\r\n")):
        for first in range(len(hay)):
            for second in range(first, len(hay)):
                buf = cut(hay, first, second)
                assert buf.find(needle) == hay.find(needle)
                assert buf.rfind(needle) == hay.rfind(needle)


@each_shape
def test_b047_needles_at_the_edge_of_the_range(shape: Make) -> None:
    """Empty: start, rfind end. Longer than the range: -1. As long: start. Crossing the end: not reported."""
    buf = shape(b"abcdef")
    r, w = buf.reader_index, buf.writer_index
    assert (buf.find(b""), buf.rfind(b"")) == (r, w)
    assert (buf.find(b"", r + 2), buf.find(b"", r + 2, r + 4), buf.rfind(b"", r + 2, r + 4)) == (r + 2, r + 2, r + 4)
    assert (buf.find(b"", w, w), buf.rfind(b"", r, r)) == (w, r)
    assert (buf.find(b"abcdefg"), buf.rfind(b"abcdefg"), buf.find(b"abcdef"), buf.rfind(b"abcdef")) == (-1, -1, r, r)
    assert (buf.find(b"cd", r, r + 3), buf.rfind(b"cd", r + 3)) == (-1, -1)
    assert (buf.find(b"cd", r, r + 4), buf.rfind(b"cd", r + 2)) == (r + 2, r + 2)


@each_shape
def test_b047_a_bad_range_or_needle_is_refused(shape: Make) -> None:
    """start > end, end > cap and negative ones are BoundsError; 256 and -1 are no bytes; a str is no needle."""
    buf = shape(b"abcdef")
    r = buf.reader_index
    for start, end in ((r + 3, r + 2), (0, buf.capacity + 1), (-1, 3), (0, -1), (buf.capacity + 1, None)):
        for method in (buf.find, buf.rfind):
            with fails(BoundsError, buf):
                method(b"a", start, end)
            with fails(BoundsError, buf):
                method(97, start, end)
    for needle in (256, -1):
        for method in (buf.find, buf.rfind, buf.bytes_before):
            with fails(ValueError, buf):
                method(needle)
    for bad in ("a", None, 1.0, [97]):
        for method in (buf.find, buf.rfind, buf.bytes_before):
            with fails(TypeError, buf):
                method(bad)


@each_shape
def test_find_reaches_behind_the_writer_index_only_when_asked(shape: Make) -> None:
    """The default range is what is readable; an explicit one may go up to the capacity."""
    buf = shape(b"abcabc")
    r = buf.reader_index
    buf.set_index(r + 1, r + 3)
    assert (buf.find(b"a"), buf.find(b"a", 0, buf.capacity) == r, buf.find(b"a", r + 1, r + 6)) == (-1, True, r + 3)
    assert buf.rfind(b"c", r, r + 6) == r + 5


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_b046_a_needle_over_many_components_is_found_from_both_ends(step: int) -> None:
    """Needles that span up to all components, behind and before their own near misses."""
    for needle in (b"abcabd", b"aaaaab", b"baaaaa", b"ab" * 12 + b"b", b"x" * 40):
        for before in range(12):
            hay = needle[:-1] * 2 + b"-" * before + needle + needle[1:] * 2 + needle + needle[:-1]
            buf = cut(hay, *range(step, len(hay), step))
            assert buf.find(needle) == hay.find(needle)
            assert buf.rfind(needle) == hay.rfind(needle)
            end = hay.rfind(needle) + len(needle) - 1
            assert buf.rfind(needle, 0, end) == hay.rfind(needle, 0, end)


def test_b049_resuming_behind_the_last_miss_finds_every_match() -> None:
    """find from max(r, w - len(needle) + 1) after each append loses no delimiter."""
    needle = b"\r\n\r\n"
    stream = b"GET /\r\n\r\nabc\r\n\r\r\n\r\n\r\n\r\n"
    buf, found = composite(), []
    for at in range(len(stream)):
        start = max(buf.reader_index, buf.writer_index - len(needle) + 1)
        buf.append(stream[at : at + 1])
        hit = buf.find(needle, start)
        if hit >= 0:
            found.append(hit)
    assert found == [at for at in range(len(stream)) if stream.startswith(needle, at)]
