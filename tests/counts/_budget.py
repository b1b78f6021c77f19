"""The budget file: reading it, writing it, and what differs from it.

Owns    budget.toml: its rows, its form, and the merge of what one form on one Python measured.
Never   the measuring.
Always  bytes copied and blocks leased have one figure for all forms and Pythons; requests to Python's allocator have
        one for each form, and for each Python where those differ. Writing what was read changes nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.counts._counting import Cost

FILE = Path(__file__).with_name("budget.toml")
FORMS = ("compiled", "interpreted")
HEAD = """\
# What each public operation on buffers costs, in counts. tests/counts/test_budget.py holds the code to them.
#
# Written by `python -m tests.counts`, which fills in the form and the Python it runs on (`nox -s budget`: all of them).
# A change that costs more needs a reason in its commit; one that costs less needs this file written again.
#
# copied       bytes copied in user space, by reason, as the meter bills them; absent: none
# blocks       blocks leased from an allocator; absent: none
# compiled, interpreted
#              requests to CPython's memory allocator (malloc, calloc, realloc of all domains) in that form; objects
#              from CPython's free lists ask nobody. By Python where they differ. Not counted where NumPy works.
#
# What the operations are, and on which buffers, is in _operations.py. `flat` is one pooled block, `composite` two
# components, and what is read and written lies across their border.
"""


@dataclass
class Row:
    """The budget of one operation; `requests` is form -> Python -> count."""

    copied: dict[str, int] = field(default_factory=dict)
    blocks: int = 0
    requests: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class Budget:
    """All tables, and the release of each Python that the requests were counted on."""

    releases: dict[str, str] = field(default_factory=dict)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)


def read(text: str) -> Budget:
    """Return the budget of a file's text."""
    found: dict[str, Any] = tomllib.loads(text)
    releases = found.pop("counted on", {})
    tables = {table: {name: _row(entry, releases) for name, entry in rows.items()} for table, rows in found.items()}
    return Budget(releases, tables)


def _row(entry: Mapping[str, Any], releases: Mapping[str, str]) -> Row:
    requests: dict[str, dict[str, int]] = {}
    for form in FORMS:
        counts = entry.get(form)
        if counts is not None:
            requests[form] = dict(counts) if isinstance(counts, dict) else dict.fromkeys(releases, counts)
    return Row(dict(entry.get("copied", {})), entry.get("blocks", 0), requests)


def write(budget: Budget) -> str:
    """Return the text of the file."""
    lines = [HEAD]
    lines += ['["counted on"]', *(f'"{python}" = "{one}"' for python, one in sorted(budget.releases.items()))]
    for table, rows in budget.tables.items():
        lines += ["", f"[{table}]", *(f'"{name}" = {_entry(row, budget.releases)}' for name, row in rows.items())]
    return "\n".join(lines) + "\n"


def _entry(row: Row, releases: Mapping[str, str]) -> str:
    parts = []
    if row.copied:
        parts.append(f"copied = {_inline(row.copied)}")
    if row.blocks:
        parts.append(f"blocks = {row.blocks}")
    for form in FORMS:
        counts = row.requests.get(form)
        if counts:
            same = len(set(counts.values())) == 1 and set(counts) == set(releases)
            parts.append(f"{form} = {next(iter(counts.values())) if same else _inline(counts, quoted=True)}")
    return "{ " + ", ".join(parts) + " }" if parts else "{}"


def _inline(counts: Mapping[str, int], *, quoted: bool = False) -> str:
    mark = '"' if quoted else ""
    return "{ " + ", ".join(f"{mark}{name}{mark} = {count}" for name, count in sorted(counts.items())) + " }"


def merge(old: Budget, costs: Mapping[str, Mapping[str, Cost]], form: str, release: str) -> Budget:
    """Return the budget with what one form measured on one Python; rows that are no operation any more are gone."""
    python = ".".join(release.split(".")[:2])
    tables: dict[str, dict[str, Row]] = {}
    for table, rows in costs.items():
        tables[table] = {}
        for name, cost in rows.items():
            before = old.tables.get(table, {}).get(name, Row())
            requests = {one: dict(counts) for one, counts in before.requests.items()}
            if cost.allocations is not None:
                requests.setdefault(form, {})[python] = cost.allocations
            tables[table][name] = Row(cost.copied, cost.blocks, requests)
    return Budget({**old.releases, python: release}, tables)


def differences(
    budget: Budget, costs: Mapping[str, Mapping[str, Cost]], form: str, release: str
) -> tuple[list[str], list[str]]:
    """Return what costs more than its budget (or something else), and what costs less, a line each.

    On another release than the one counted on, requests may be fewer: CPython itself changes."""
    python = ".".join(release.split(".")[:2])
    worse, better = [], []
    for table, rows in costs.items():
        for name, cost in rows.items():
            row = budget.tables.get(table, {}).get(name)
            where = f"{table}: {name}"
            if row is None:
                worse.append(f"{where} has no budget")
                continue
            for what, found, allowed in (("copies", cost.copied, row.copied), ("leases", cost.blocks, row.blocks)):
                if found != allowed:
                    (better if _is_less(found, allowed) else worse).append(f"{where} {what} {found}, not {allowed}")
            count = row.requests.get(form, {}).get(python)
            if cost.allocations is None or count is None or cost.allocations == count:
                continue
            line = f"{where} requests memory {cost.allocations} times, not {count}"
            if cost.allocations > count:
                worse.append(line)
            elif release == budget.releases.get(python):
                better.append(line)
    return worse, better


def _is_less(found: int | dict[str, int], allowed: int | dict[str, int]) -> bool:
    if isinstance(found, dict) and isinstance(allowed, dict):
        return all(nbytes <= allowed.get(reason, 0) for reason, nbytes in found.items())
    return bool(found < allowed)  # type: ignore[operator]  # two integers
