"""Rows: one statement with zbuf beside several without.

Owns    measuring a row, all its sides in the same rounds, and its lines in the table: one for each rival.
Never   which statements are compared.
Always  a rival that is missing here is left out by its row; a row without rivals is not measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks import _pin
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.micro._loops import PER_PASS, Statement, compare

COLUMNS = ["operation", "rival", "zbuf ns", "rival ns", "zbuf / rival"]
WALKABLE = 4 << 20  # arbitrary: what a pass may walk through; larger pieces begin again at the front each time


@dataclass(frozen=True)
class Row:
    """An operation: the statement with zbuf, those of its rivals by name, and the targets among them."""

    name: str
    ours: Statement
    rivals: Mapping[str, Statement]
    targets: Mapping[str, Target] = field(default_factory=dict)
    in_quick_run: bool = True


def walking(text: str, names: Mapping[str, object], size: int, reset: str, setup: str = "pass") -> Statement:
    """Return a statement that moves on by `size` bytes; `reset` takes it back, after a pass or, if large, each time."""
    if size * PER_PASS > WALKABLE:
        return Statement(f"{reset}; {text}", names, setup)
    return Statement(text, names, setup, reset)


def room(size: int) -> int:
    """Return how many bytes a walking statement of this size needs."""
    return size if size * PER_PASS > WALKABLE else size * PER_PASS


def measure(title: str, method: str, rows: Iterable[Row], settings: Settings) -> Report:
    """Measure every row, or in a quick run those marked for it."""
    report = Report(title, method, list(COLUMNS))
    with _pin.pinned(_pin.HERE):
        for row in rows:
            if not row.rivals or (settings.quick and not row.in_quick_run):
                continue
            result = compare(
                {"zbuf": row.ours, **row.rivals},
                rounds=settings.rounds_or(9, 5),
                seconds=settings.seconds_or(0.01, 0.004),
            )
            for rival, figure in result.ratios.items():
                times = (result.times[side].text(1) for side in ("zbuf", rival))
                report.add(row.name, rival, *times, figure.text())
                report.findings.append(Finding(f"{row.name} / {rival}, time", figure, row.targets.get(rival)))
    return report
