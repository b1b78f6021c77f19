"""What a group hands back: tables, and findings that may stand beside a target.

Owns    the records that travel from a group to the printer and into the JSON file.
Never   a clock, a socket, a terminal.
Always  a target is a number with the sense in which it is meant; missing it changes no exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks._measure import Spread


@dataclass(frozen=True)
class Settings:
    """What the command line asked for; a group reads what concerns it."""

    quick: bool = False
    rounds: int | None = None
    seconds: float | None = None
    file_bytes: int | None = None

    def rounds_or(self, full: int, quick: int) -> int:
        """Return the rounds asked for, else the group's own number for a full or a quick run."""
        if self.rounds is not None:
            return self.rounds
        return quick if self.quick else full

    def seconds_or(self, full: float, quick: float) -> float:
        """Return the seconds per measurement asked for, else the group's own."""
        if self.seconds is not None:
            return self.seconds
        return quick if self.quick else full


@dataclass(frozen=True)
class Target:
    """A bound that a ratio should keep: at most for costs, at least for yields."""

    sense: Literal["at most", "at least"]
    bound: float

    def is_met_by(self, value: float) -> bool:
        """Say whether `value` keeps the bound, as it is, not as it is rounded for print."""
        return value <= self.bound if self.sense == "at most" else value >= self.bound

    def text(self) -> str:
        """Return `<= 0.45` or `>= 1.80`."""
        return f"{'<=' if self.sense == 'at most' else '>='} {self.bound:.2f}"


@dataclass(frozen=True)
class Finding:
    """One ratio with a name, and the target it is held against, if there is one."""

    name: str
    ratio: Spread
    target: Target | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the median keeps the target; None where there is none."""
        return None if self.target is None else self.target.is_met_by(self.ratio.median)


@dataclass
class Report:
    """One table of a group: the head line says what was compared, the method line says how."""

    title: str
    method: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def add(self, *cells: str) -> None:
        """Add one row; it must have as many cells as there are columns."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(list(cells))
