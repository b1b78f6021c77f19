"""What the benchmarks print."""

import pytest

from benchmarks._measure import Spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks._table import render_findings, render_report, render_table


def test_table_columns_are_aligned() -> None:
    """The first column is flush left, the others flush right, and no cell is cut."""
    expected = "name      ns\n------  ----\na        1.0\nlonger  10.0"
    assert expected == render_table(["name", "ns"], [["a", "1.0"], ["longer", "10.0"]])


def test_report_shows_the_target_beside_the_figure() -> None:
    """A finding with a target appears with both numbers and a verdict, one without is not repeated."""
    report = Report("title", "how", ["a"])
    report.findings = [Finding("x", Spread(0.4, 0.3, 0.5), Target("at most", 0.45)), Finding("y", Spread(1, 1, 1))]
    text = render_report(report)
    assert "0.400 (0.300-0.500)  <= 0.45      met" in text
    assert "y" not in text.splitlines()[-1]


@pytest.mark.parametrize(("sense", "met", "missed"), [("at most", 0.45, 0.4501), ("at least", 0.45, 0.4499)])
def test_target_is_judged_unrounded(sense: str, met: float, missed: float) -> None:
    """The bound itself is met; a miss that print would round away is a miss."""
    target = Target(sense, 0.45)
    assert (True, False) == (target.is_met_by(met), target.is_met_by(missed))


def test_verdict_of_a_missed_target_is_printed_as_such() -> None:
    """A miss is named, and judged by the median, not by the best round."""
    assert "missed" in render_findings([Finding("x", Spread(0.5, 0.1, 0.9), Target("at most", 0.45))])


def test_row_of_the_wrong_width_raises() -> None:
    """A table cannot lose a column in silence."""
    with pytest.raises(ValueError):
        Report("t", "m", ["a", "b"]).add("only one")


def test_settings_choose_between_asked_full_and_quick() -> None:
    """What was asked for wins; else a quick run takes the quick number."""
    assert (9, 5, 2) == tuple(
        settings.rounds_or(9, 5) for settings in (Settings(), Settings(quick=True), Settings(quick=True, rounds=2))
    )
