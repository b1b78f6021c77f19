"""Rounds, medians and spreads: how two things are compared.

Owns    the order in which cases run and the arithmetic on what they return.
Never   what is measured, nor how it is printed.
Always  a ratio is taken between figures of the same round; the order of the cases turns from round to round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """The median of some rounds with the smallest and the largest of them."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """Return `median (low-high)` with that many decimals."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def spread(values: Iterable[float]) -> Spread:
    """Return median, minimum and maximum of at least one value."""
    figures = list(values)
    if not figures:
        raise ValueError("a spread needs at least one value")
    return Spread(statistics.median(figures), min(figures), max(figures))


def ratio(of: Sequence[float], against: Sequence[float]) -> Spread:
    """Return the spread of `of / against`, round by round; both must come from the same rounds."""
    if len(of) != len(against):
        raise ValueError(f"{len(of)} rounds cannot be compared with {len(against)}")
    return spread(one / other for one, other in zip(of, against, strict=True))


def better_of(*series: Sequence[float]) -> list[float]:
    """Return for each round the smallest figure of several cases: the rival that chose well at this point."""
    return [min(figures) for figures in zip(*series, strict=True)]


def interleave(cases: Mapping[str, Callable[[], T]], rounds: int, *, warm_up: int = 1) -> dict[str, list[T]]:
    """Run every case once per round, after `warm_up` rounds whose results are dropped.

    The first case of a round changes from round to round, so that none always follows the same neighbour.
    Returns: what each case returned, in the order of the rounds. Raises: ValueError if there is no round."""
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    names = list(cases)
    results: dict[str, list[T]] = {name: [] for name in names}
    for turn in range(-warm_up, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            result = cases[name]()
            if turn >= 0:
                results[name].append(result)
    return results
