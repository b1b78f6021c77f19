"""The arithmetic of the benchmarks: rounds, medians, ratios."""

import pytest

from benchmarks._measure import Spread, better_of, interleave, ratio, spread


def test_spread_of_rounds_is_median_low_high() -> None:
    """The median is not the mean, and the ends are kept."""
    assert Spread(3.0, 1.0, 100.0) == spread([3.0, 100.0, 1.0])


def test_spread_of_nothing_raises() -> None:
    """No round, no figure."""
    with pytest.raises(ValueError):
        spread([])


def test_ratio_compares_within_a_round() -> None:
    """A machine that slows down for one round does not move the ratio: medians of each side would give 2.0 to 20.0."""
    assert Spread(2.0, 2.0, 2.0) == ratio([2.0, 20.0, 40.0], [1.0, 10.0, 20.0])


def test_ratio_of_unequal_rounds_raises() -> None:
    """Figures of different rounds are not compared."""
    with pytest.raises(ValueError):
        ratio([1.0], [1.0, 2.0])


def test_better_of_takes_the_smaller_of_each_round() -> None:
    """The rival may choose differently in every round."""
    assert [1.0, 2.0] == better_of([1.0, 5.0], [3.0, 2.0])


def test_interleave_turns_the_order_and_drops_the_warm_up() -> None:
    """Each case runs once a round, a different one comes first each time, and the warm-up is not in the result."""
    order: list[str] = []
    results = interleave({name: (lambda name=name: order.append(name) or len(order)) for name in "abc"}, 3)
    assert ["cab", "abc", "bca", "cab"] == ["".join(order[at : at + 3]) for at in range(0, 12, 3)]
    assert {"a": [4, 9, 11], "b": [5, 7, 12], "c": [6, 8, 10]} == results


def test_interleave_without_a_round_raises() -> None:
    """Zero rounds would be a table of nothing."""
    with pytest.raises(ValueError):
        interleave({"a": lambda: 1.0}, 0)
