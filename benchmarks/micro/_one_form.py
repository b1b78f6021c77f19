"""A process that times zbuf's side of the single calls, in the one form it runs.

Owns    the list of operations, taken from the other groups of this folder, and the talk with who asks.
Never   a rival, a table.
Always  `compiled` and `interpreted` time the same statements in the same loop, each in a process of its own.

It says which form runs and which operations there are, then answers each line, `seconds name`, with
{"ns": nanoseconds per operation}."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import _pin
from benchmarks.micro._loops import Statement, timed
from benchmarks.micro._rows import Row
from zbuf import _form


def operations() -> dict[str, Statement]:
    """Return zbuf's statement of every row of every group here, by `group: row`."""
    found: dict[str, Statement] = {}
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        module: Any = importlib.import_module(f"benchmarks.micro.{path.stem}")
        for make in (getattr(module, name, None) for name in ("rows", "pairs")):
            for row in make() if make is not None else ():
                for name, statement in _ours(row):
                    found.setdefault(f"{module.NAME}: {name.partition(' / ')[0]}", statement)
    return found


def _ours(row: Row | tuple[object, ...]) -> Iterator[tuple[str, Statement]]:
    """Yield name and statement of a row: the first statement of a pair is zbuf's."""
    if isinstance(row, Row):
        yield row.name, row.ours
        return
    statement = next((part for part in row if isinstance(part, Statement)), None)
    if statement is not None and isinstance(row[0], str):
        yield row[0], statement


def main() -> None:
    """Answer until stdin ends."""
    _pin.pin(_pin.HERE)
    known = operations()
    samples: dict[str, Callable[[], float]] = {}
    _say({"form": _form.form(), "operations": list(known)})
    for line in sys.stdin:
        seconds, _, name = line.rstrip("\n").partition(" ")
        if name not in samples:
            samples.clear()  # one at a time: a row is finished before the next one begins
            samples[name] = timed(known[name], float(seconds))
        _say({"ns": samples[name]()})


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
