"""The guess how large the next block should be.

Owns    the table of sizes and the steps in it.
Never   a channel, which uses it for what it receives: see tests/transport/test_channel_read.py.
Always  sizes stay between the least and the most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.memory import AdaptiveSize
from zbuf.memory._adaptive import size_table


def test_table_goes_up_by_16_and_then_doubles() -> None:
    """Netty's table, cut to the range asked for, with both ends in it."""
    table = size_table(64, 65536)
    assert [64, 80, 96] == table[:3]
    assert [496, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] == table[-9:]
    assert [4] == size_table(4, 4)
    assert [100, 112] == size_table(100, 112)
    assert [3000, 4096, 5000] == size_table(3000, 5000)


def test_a_full_read_goes_up_four_steps() -> None:
    """A block that was filled may have been too small."""
    size = AdaptiveSize(64, 2048, 65536)
    size.record(2048)
    assert 32768 == size.size
    size.record(32768)
    assert 65536 == size.size
    size.record(65536)
    assert 65536 == size.size


def test_two_small_reads_go_down_one_step_and_one_does_not() -> None:
    """One small read is chance; two in a row are a habit; a larger one between them starts anew."""
    size = AdaptiveSize(64, 2048, 65536)
    size.record(100)
    assert 2048 == size.size
    size.record(1500)
    size.record(100)
    assert 2048 == size.size
    size.record(1024)
    assert 1024 == size.size, "what fits the next smaller one exactly is small, too"


def test_it_settles_just_above_what_comes() -> None:
    """Messages of 68 bytes are received into blocks of 80, and stay there."""
    size = AdaptiveSize(64, 2048, 65536)
    for _ in range(200):
        size.record(68)
    assert 80 == size.size


@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 5000), st.lists(st.integers(1, 70000)))
def test_the_size_stays_in_its_range(least: int, more: int, still_more: int, reads: list[int]) -> None:
    """Whatever comes, the size is one of the table, between least and most."""
    size = AdaptiveSize(least, least + more, least + more + still_more)
    assert least + more <= size.size
    for read in reads:
        size.record(min(read, size.size))
        assert least <= size.size <= least + more + still_more
        assert size.size in size.sizes


def test_the_guess_says_what_it_is() -> None:
    """The defaults are those of a channel; the range is shown."""
    guess = AdaptiveSize()
    assert (guess.size, guess.sizes[0], guess.sizes[-1]) == (2048, 64, 65536)
    assert repr(guess) == "AdaptiveSize(2048 of 64..65536)"
    assert guess.record(10) is None


@pytest.mark.parametrize("sizes", [(0, 1, 2), (-1, 1, 2), (2, 1, 3), (1, 3, 2), (1, 0, 2)])
def test_a_range_that_is_none_is_refused(sizes: tuple[int, int, int]) -> None:
    """1 <= least <= initial <= most."""
    with pytest.raises(ValueError):
        AdaptiveSize(*sizes)


def test_sizes_are_integers() -> None:
    """Anything with __index__ is one, a float is none."""
    with pytest.raises(TypeError):
        AdaptiveSize(1.0, 2, 3)  # type: ignore[arg-type]  # the point of the test
    guess = AdaptiveSize(1, 2, 3)
    with pytest.raises(TypeError):
        guess.record(1.5)  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(OverflowError):
        guess.record(2**64)
