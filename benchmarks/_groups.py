"""Which groups there are.

Owns    finding the modules that measure something: micro/, codec/ and flow/bench_*.py with NAME, SUMMARY and run().
Never   what they measure.
Always  a group is found by its file; no list has to be kept."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from benchmarks._report import Report, Settings

_HERE = Path(__file__).parent


class Group(Protocol):
    """What a module must have to be a group; SUMMARY is one line for `--list`."""

    NAME: str
    SUMMARY: str

    def run(self, settings: Settings) -> Iterator[Report]:
        """Measure, and yield each table as soon as it is complete."""
        ...


def find_groups() -> dict[str, Group]:
    """Return the groups by name: single calls, then codecs, then flows, each in the order of the file names."""
    groups: dict[str, Group] = {}
    for folder in ("micro", "codec", "flow"):
        for path in sorted((_HERE / folder).glob("bench_*.py")):
            module = importlib.import_module(f"benchmarks.{folder}.{path.stem}")
            if hasattr(module, "NAME") and hasattr(module, "run"):
                group = cast(Group, module)
                groups[group.NAME] = group
    return groups
