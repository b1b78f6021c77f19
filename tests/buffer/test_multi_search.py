"""MultiSearch: several needles at once, the match that ends first, the longest of those.

Owns    BEHAVIOURS 51.
Never   the search for one needle: tests/contracts/test_search.py.
Always  the oracle looks at every end and every needle; results are absolute indices."""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts._kit import Make, each_shape, fails, unchanged
from zbuf import MultiSearch, composite, copied, wrap
from zbuf.buffer._multi_search import MAX_TABLE
from zbuf.errors import BoundsError, ReferenceCountError
from zbuf.testing._shapes import SHAPE_NAMES
from zbuf.testing._shapes import shape as build


def first_to_end(hay: bytes, needles: list[bytes]) -> tuple[int, int] | None:
    """The match of the definition: the smallest end, then the longest, then the first of equal needles."""
    for end in range(len(hay) + 1):
        here = [(-len(needle), k) for k, needle in enumerate(needles) if hay[:end].endswith(needle)]
        if here:
            size, k = min(here)
            return end + size, k
    return None


@each_shape
def test_b051_the_match_that_ends_first_is_reported_the_longest_of_those(shape: Make) -> None:
    """The example of the rule, its needles in every order, and what comes behind the first match."""
    buf = shape(b"cab--ab")
    r = buf.reader_index
    with unchanged(buf):
        assert MultiSearch([b"ab", b"b", b"cab"]).find(buf) == (r, 2)
        assert MultiSearch([b"cab", b"ab", b"b"]).find(buf) == (r, 0)
        assert MultiSearch([b"ab", b"b", b"cab"]).find(buf, r + 1) == (r + 1, 0)
        assert MultiSearch([b"ab", b"b", b"cab"]).find(buf, r + 2) == (r + 2, 1)
        assert MultiSearch([b"ab", b"b", b"cab"]).find(buf, r + 3) == (r + 5, 0)
        assert MultiSearch([b"ab", b"b", b"cab"]).find(buf, r + 3, r + 6) is None
        assert MultiSearch([b"cab--ab-", b"x"]).find(buf) is None
        assert MultiSearch([b"cab--ab", b"--"]).find(buf) == (r + 3, 1)


@pytest.mark.parametrize("name", SHAPE_NAMES, ids=lambda name: name.replace(" ", "-"))
def test_b051_random_needles_agree_with_the_definition(name: str) -> None:
    """Needles that begin, end and lie within one another, equal ones too, over few letters."""
    rng = random.Random(name)
    for _ in range(150):
        letters = rng.choice((b"ab", b"abc", b"abcdefgh"))
        needles = [bytes(rng.choices(letters, k=rng.randint(1, 7))) for _ in range(rng.randint(1, 6))]
        hay = bytes(rng.choices(letters + b"-", k=rng.randint(0, 40)))
        buf = build(name, hay)
        r = buf.reader_index
        start = rng.randint(0, len(hay))
        end = rng.randint(start, len(hay))
        expected = first_to_end(hay[start:end], needles)
        found = MultiSearch(needles).find(buf, r + start, r + end)
        assert found == (expected and (expected[0] + r + start, expected[1])), (needles, hay[start:end])


def test_b051_all_bytes_may_occur_in_needles() -> None:
    """256 classes leave none for "another byte"; 255 leave one."""
    every = bytes(range(256))
    for needles in ([every], [every[:255]], [bytes((value,)) * 2 for value in every]):
        search = MultiSearch(needles)
        for k, needle in enumerate(needles):
            assert search.find(copied(b"\xff\x00" + needle)) == (2, k) or needle[:1] in b"\xff\x00"
    assert MultiSearch([every[:255]]).find(copied(every[:254] + b"\xff" + every)) == (255, 0)


def test_b051_resuming_behind_the_last_miss_finds_every_match() -> None:
    """From max(r, w - longest + 1) after each byte, nothing is lost and nothing is found twice."""
    search = MultiSearch([b"\r\n--b--", b"\r\n--b\r\n", b"\n\n"])
    stream = b"part\r\n--b\r\none\n\ntwo\r\n--b--"
    buf, found = composite(), []
    for at in range(len(stream)):
        start = max(buf.reader_index, buf.writer_index - search.longest + 1)
        buf.append(stream[at : at + 1])
        hit = search.find(buf, start)
        if hit is not None:
            found.append(hit)
            buf.reader_index = hit[0] + len(search.needles[hit[1]])
    assert found == [(4, 1), (14, 2), (19, 0)]


def test_needles_may_be_buffers_and_views_and_are_copied() -> None:
    """Whatever has bytes, taken as it is when the search is made; equal needles: the first counts."""
    changing = bytearray(b"one")
    part = copied(b"xtwo")
    part.skip_bytes(1)
    search = MultiSearch((changing, memoryview(b"--three")[2:], part, b"one"))
    changing[:] = b"---"
    part.release()
    assert search.needles == (b"one", b"three", b"two", b"one")
    assert search.longest == 5
    assert search.find(wrap(b"a two one")) == (2, 2)
    assert search.find(wrap(b"a one")) == (2, 0)


def test_bad_needles_are_refused() -> None:
    """None at all, an empty one, text, integers, and one needle where a sequence is due."""
    for empty in ([], (), [b"a", b""], [bytearray()], [copied(b"")]):
        with pytest.raises(ValueError, match="needle"):
            MultiSearch(empty)
    for wrong in (b"ab", bytearray(b"ab"), "ab", copied(b"ab"), ["ab"], [97], [None], None, 5):
        with pytest.raises(TypeError):
            MultiSearch(wrong)  # type: ignore[arg-type]  # that is the point
    released = copied(b"gone")
    released.release()
    with pytest.raises(ReferenceCountError):
        MultiSearch([released])


@each_shape
def test_bad_ranges_are_refused(shape: Make) -> None:
    """As by find: BoundsError outside 0..capacity, TypeError for what is no buffer."""
    search = MultiSearch([b"a"])
    buf = shape(b"bcd")
    for start, end in ((3, 2), (-1, 3), (0, buf.capacity + 1), (buf.capacity + 1, None)):
        with fails(BoundsError, buf):
            search.find(buf, start, end)
    for wrong in (b"bytes", None, [buf]):
        with fails(TypeError, buf):
            search.find(wrong)  # type: ignore[arg-type]  # that is the point


def test_the_table_is_bounded_by_the_needles() -> None:
    """Four bytes for each class of bytes and each beginning of a needle; above the bound it is refused."""
    search = MultiSearch([b"abcd", b"abxy"])  # classes: a b c d x y and all others; beginnings: "" a ab abc abx
    assert search.memory_size == 4 * 7 * 5
    worst = MultiSearch([bytes(random.Random(1).choices(range(256), k=4000))])
    assert worst.memory_size <= 1024 * 4000
    nested = MultiSearch([b"ab", b"abcdefgh" * 1000])  # what begins with another needle is never reported
    assert nested.memory_size == 4 * 9 * 2
    too_much = bytes(random.Random(2).choices(range(256), k=MAX_TABLE // 1024 + 1))
    with pytest.raises(ValueError, match="table"):
        MultiSearch([too_much])


def test_one_search_serves_many_threads() -> None:
    """Nothing in it changes between or during calls."""
    search = MultiSearch([b"needle", b"need", b"\r\n"])
    parts = [composite() for _ in range(8)]
    for k, part in enumerate(parts):
        part.append(b"x" * (1000 * k))
        part.append(b"ne")
        part.append(b"edle")
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(search.find, parts)) == [(1000 * k, 1) for k in range(8)]


def test_it_can_be_pickled_and_says_what_it_is() -> None:
    """A copy finds the same; the repr tells how many needles, how large the table; fields cannot be set."""
    search = MultiSearch([b"ab", b"cd"])
    for twin in (pickle.loads(pickle.dumps(search)), copy.deepcopy(search)):
        assert (twin.needles, twin.find(wrap(b"-cd"))) == (search.needles, (1, 1))
    assert repr(search) == "MultiSearch(2 needles, table of 60 bytes)"
    with pytest.raises(AttributeError):
        search.needles = ()  # type: ignore[misc]  # that is the point
