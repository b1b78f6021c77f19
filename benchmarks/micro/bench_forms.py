"""The compiled form against the interpreted one: the same statements, the same source, two processes.

Owns    the two processes and their turns.
Never   a statement: they are those of the other groups of this folder.
Always  both forms are measured in one run, in turn, on the same CPU, each alone while the other waits for a line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings
from benchmarks.flow._processes import Child, child

NAME = "forms"
SUMMARY = "every single call of the other micro groups: compiled against interpreted"
IN_QUICK_RUN = 12  # a quick run takes every twelfth row
METHOD = (
    "Nanoseconds per operation of zbuf's side of the other groups' rows. Two processes, one started with ZBUF_PURE=1, "
    "take one sample each in turn, on the same CPU; the ratio is taken within each round. There is no target: the "
    "interpreted form is there to be correct."
)
NOT_BUILT = " The compiled form is not built here, so one column is missing: python zbuf/_build.py"


def run(settings: Settings) -> Iterator[Report]:
    """Measure all rows, or every twelfth."""
    with _process(pure=False) as compiled, _process(pure=True) as interpreted:
        first, second = compiled.hear(), interpreted.hear()
        names = [name for name in second["operations"] if name in first["operations"]]
        names = names[::IN_QUICK_RUN] if settings.quick else names
        if first["form"] == "compiled":
            yield _compared(names, compiled, interpreted, settings)
        else:
            yield _alone(names, interpreted, settings)


def _compared(names: list[str], compiled: Child, interpreted: Child, settings: Settings) -> Report:
    columns = ["operation", "compiled ns", "interpreted ns", "interpreted / compiled"]
    report = Report("compiled against interpreted", METHOD, columns)
    for name in names:
        cases = {"compiled": _sample(compiled, name, settings), "interpreted": _sample(interpreted, name, settings)}
        samples = interleave(cases, settings.rounds_or(5, 3))
        figure = ratio(samples["interpreted"], samples["compiled"])
        report.add(name, *(spread(samples[side]).text(1) for side in cases), figure.text(1))
        report.findings.append(Finding(f"{name}, interpreted / compiled, time", figure))
    return report


def _alone(names: list[str], interpreted: Child, settings: Settings) -> Report:
    report = Report("the interpreted form alone", METHOD + NOT_BUILT, ["operation", "interpreted ns"])
    for name in names:
        samples = interleave({name: _sample(interpreted, name, settings)}, settings.rounds_or(5, 3))
        report.add(name, spread(samples[name]).text(1))
    return report


def _sample(process: Child, name: str, settings: Settings) -> Callable[[], float]:
    seconds = settings.seconds_or(0.005, 0.002)
    return lambda: float(process.ask(f"{seconds} {name}")["ns"])


@contextlib.contextmanager
def _process(*, pure: bool) -> Iterator[Child]:
    """Start a process in one form. The form is decided by the environment, which is put back at once."""
    before = {name: os.environ.pop(name, None) for name in ("ZBUF_PURE", "ZBUF_REQUIRE_COMPILED")}
    if pure:
        os.environ["ZBUF_PURE"] = "1"
    with contextlib.ExitStack() as stack:
        try:
            process = stack.enter_context(child("benchmarks.micro._one_form"))
        finally:
            os.environ.pop("ZBUF_PURE", None)
            os.environ.update({name: value for name, value in before.items() if value is not None})
        yield process
