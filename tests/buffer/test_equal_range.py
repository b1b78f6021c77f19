"""equal_range: the same bytes in two ranges, wherever they lie.

Owns    equal_range().
Never   the operators: the contract tests have those.
Always  the oracle is the slice of flat bytes; nothing moves, nothing is copied."""

from __future__ import annotations

import random

import pytest

from tests.buffer.test_composite import of
from tests.buffer.test_growth import copies
from tests.contracts._kit import Make, each_shape, fails, unchanged
from zbuf import buffer, copied, equal_range, wrap
from zbuf.errors import BoundsError, ReferenceCountError
from zbuf.testing import shapes

DATA = b"abcabcabdabcab"


@each_shape
def test_equal_range_agrees_with_slices_of_bytes_over_all_pairs_of_shapes(shape: Make) -> None:
    """Every shape against every other, many ranges; a copy is never made, no index moves."""
    rng = random.Random(11)
    one = shape(DATA)
    for name, two in shapes(DATA[3:] + b"abc").items():
        mine, theirs = one.get_bytes(0, one.writer_index), two.get_bytes(0, two.writer_index)
        with unchanged(one, two):
            for _ in range(60):
                at, there, n = rng.randrange(len(mine)), rng.randrange(len(theirs)), rng.choice((0, 1, 2, 3, 8))
                expected = n <= len(mine) - at and n <= len(theirs) - there
                expected = expected and mine[at : at + n] == theirs[there : there + n]
                with copies():
                    assert equal_range(one, at, two, there, n) == expected, name
                    assert equal_range(two, there, one, at, n) == expected, name
                    assert equal_range(one, at, theirs, there, n) == expected
                    assert equal_range(bytearray(mine), at, two, there, n) == expected


@each_shape
def test_equal_range_of_a_buffer_with_itself_looks_at_both_places(shape: Make) -> None:
    """One window cannot stand in two places; the answer is that of flat bytes all the same."""
    buf = shape(DATA)
    whole = buf.get_bytes(0, buf.writer_index)
    for at in range(len(whole)):
        for there in range(len(whole)):
            n = min(4, len(whole) - at, len(whole) - there)
            assert equal_range(buf, at, buf, there, n) == (whole[at : at + n] == whole[there : there + n])


def test_equal_range_past_a_writer_index_is_false() -> None:
    """Unwritten bytes equal nothing; a length of 0 is equal up to w, and false behind it."""
    buf = buffer(20)
    buf.write_bytes(b"abcd")
    for at, there, n, expected in (
        (0, 0, 4, True), (0, 0, 5, False), (4, 4, 0, True), (4, 0, 0, True), (5, 0, 0, False), (0, 5, 0, False),
        (3, 0, 2, False), (2**62, 0, 2**62, False), (0, 0, 2**63 - 1, False), (2**63 - 1, 0, 1, False),
    ):  # fmt: skip
        assert equal_range(buf, at, b"abcd", there, n) is expected
        assert equal_range(b"abcd", there, buf, at, n) is expected


def test_equal_range_reads_before_the_reader_index() -> None:
    """The indices are absolute; what was consumed is still there."""
    buf = of(b"ab", b"cd", b"ef")
    buf.skip_bytes(5)
    assert equal_range(buf, 1, wrap(b"xbcde"), 1, 4)


@each_shape
def test_equal_range_refuses_what_every_method_refuses(shape: Make) -> None:
    """Negative index BoundsError, negative length ValueError, released ReferenceCountError, no bytes TypeError."""
    buf, other = shape(DATA), copied(DATA)
    for arguments, error in (
        ((buf, -1, other, 0, 1), BoundsError),
        ((buf, 0, other, -1, 1), BoundsError),
        ((buf, 0, other, 0, -1), ValueError),
        ((buf, -1, other, -1, -1), ValueError),
        ((buf, 0.0, other, 0, 1), TypeError),
        ((buf, 0, other, "0", 1), TypeError),
        ((buf, 0, other, 0, None), TypeError),
        ((buf, 0, "text", 0, 1), TypeError),
        ((None, 0, buf, 0, 1), TypeError),
        ((buf, 2**70, other, 0, 1), OverflowError),
        ((buf, 0, memoryview(b"abcd")[::2], 0, 1), BufferError),
    ):
        with fails(error, buf, other):
            equal_range(*arguments)
    other.release()
    for arguments in ((buf, 0, other, 0, 0), (other, 0, buf, 0, 0), (other, -1, other, 0, -1)):
        with pytest.raises(ReferenceCountError):
            equal_range(*arguments)


def test_equal_range_survives_an_index_that_releases_a_side() -> None:
    """The state is looked at after all arguments were converted."""
    buf, other = of(b"ab", b"cd"), of(b"a", b"bcd")

    class Hostile:
        def __init__(self, target: object) -> None:
            self.target = target

        def __index__(self) -> int:
            self.target.release()
            return 0

    with pytest.raises(ReferenceCountError):
        equal_range(buf, Hostile(buf), other, 0, 4)
    with pytest.raises(ReferenceCountError):
        equal_range(copied(b"abcd"), 0, other, 0, Hostile(other))
