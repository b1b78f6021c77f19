"""Byte ranges: what a Range field comes to for a file of a given size."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.protocols.http._ranges import UNSATISFIABLE, WHOLE, ByteRange, parse_range


@pytest.mark.parametrize(
    ("value", "size", "first", "last"),
    [
        ("bytes=0-0", 10, 0, 0),
        ("bytes=0-9", 10, 0, 9),
        ("bytes=2-4", 10, 2, 4),
        ("bytes=9-", 10, 9, 9),
        ("bytes=0-", 10, 0, 9),
        ("bytes=5-99999", 10, 5, 9),
        ("bytes=-3", 10, 7, 9),
        ("bytes=-10", 10, 0, 9),
        ("bytes=-9999", 10, 0, 9),
        ("BYTES=1-2", 10, 1, 2),
        ("bytes= \t1-2 ", 10, 1, 2),
        ("bytes=1-2,", 10, 1, 2),
        ("bytes=,,1-2", 10, 1, 2),
        ("bytes=0000000000000000000000000000001-2", 10, 1, 2),
        ("bytes=0-" + "9" * 8000, 10, 0, 9),
        ("bytes=-" + "9" * 8000, 10, 0, 9),
    ],
)
def test_parse_range_one_range_gives_its_bytes(value: str, size: int, first: int, last: int) -> None:
    """Bounded, open and suffix ranges; an end beyond the file is the file's end."""
    assert parse_range(value, size) == ByteRange(first, last)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("bytes=10-", 10),
        ("bytes=10-20", 10),
        ("bytes=-0", 10),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-0", 0),
        ("bytes=" + "9" * 8000 + "-", 10),
    ],
)
def test_parse_range_outside_the_file_is_unsatisfiable(value: str, size: int) -> None:
    """No byte asked for is there: 416."""
    assert parse_range(value, size) is UNSATISFIABLE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=" + "9" * 30 + "-5",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=0x1-2",
        "bytes=1--2",
        "bytes=--2",
        "bytes=1 - 2",
        "bytes=1.5-2",
        "bytes=\u0661-\u0662",
        "bytes 1-2",
        "lines=1-2",
        "bytes=0-1,3-4",
        "bytes=0-1, 0-1",
        "bytes=" + ",".join(["0-"] * 1000),
    ],
)
def test_parse_range_malformed_reversed_or_several_is_the_whole_file(value: str) -> None:
    """A field that cannot be followed is ignored: 200 (RFC 9110 section 14.2)."""
    assert parse_range(value, 10) is WHOLE


def test_parse_range_suffix_of_an_empty_file_is_the_whole_file() -> None:
    """No Content-Range can describe a part of nothing."""
    assert parse_range("bytes=-5", 0) is WHOLE


def test_content_range_names_both_ends_and_the_size() -> None:
    """The Content-Range value of RFC 9110 section 14.4."""
    assert ByteRange(2, 4).content_range(10) == "bytes 2-4/10"


@given(st.one_of(st.text(max_size=40), st.from_regex(r"bytes=[-0-9, ]{0,20}", fullmatch=True)), st.integers(0, 2**62))
def test_parse_range_never_leaves_the_file(value: str, size: int) -> None:
    """Whatever a peer writes, a range lies inside the file and is not empty."""
    found = parse_range(value, size)
    if isinstance(found, ByteRange):
        assert 0 <= found.first <= found.last < size
        assert 0 < found.nbytes <= size
    else:
        assert found in (WHOLE, UNSATISFIABLE)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_parse_range_bounded_agrees_with_a_slice(first: int, last: int, size: int) -> None:
    """A bounded range names the bytes that Python's slice names."""
    data = bytes(i % 256 for i in range(size))
    found = parse_range(f"bytes={first}-{last}", size)
    wanted = data[first : last + 1]
    if last < first:
        assert found is WHOLE
    elif not wanted:
        assert found is UNSATISFIABLE
    else:
        assert isinstance(found, ByteRange)
        assert wanted == data[found.first : found.last + 1]
        assert re.fullmatch(r"bytes \d+-\d+/\d+", found.content_range(size))
