"""Timed loops over one statement.

Owns    the loop that every side of every comparison runs in.
Never   which statements are compared.
Always  both sides run the same loop: a reset, then 64 turns of 16 copies of the statement, nothing subtracted. The
        clock counts the thread's CPU time, so that a neighbour who takes the processor away is not measured."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks._measure import Spread, interleave, ratio, spread

COPIES = 16  # statements per turn of the inner loop: its overhead, about 20 ns, is shared by so many
TURNS = 64  # inner turns per reset
PER_PASS = COPIES * TURNS  # operations between two resets; buffers hold this many items

_SOURCE = """
def loop(passes, turns, clock, {names}):
    {setup}
    started = clock()
    for _ in passes:
        {reset}
        for _ in turns:
            {body}
    return clock() - started
"""


@dataclass(frozen=True)
class Statement:
    """One side of a comparison: a statement, what it needs by name, what precedes the clock and what each pass."""

    text: str
    names: Mapping[str, Any]
    setup: str = "pass"
    reset: str = "pass"


@dataclass(frozen=True)
class Comparison:
    """Nanoseconds per operation of several statements, and the ratio of the first to each."""

    times: Mapping[str, Spread]
    ratios: Mapping[str, Spread]


def compare(sides: Mapping[str, Statement], *, rounds: int, seconds: float) -> Comparison:
    """Time each side once per round, interleaved; `seconds` is the aim for one sample of one side."""
    cases = {name: timed(side, seconds) for name, side in sides.items()}
    samples = interleave(cases, rounds)
    first = next(iter(sides))
    return Comparison(
        {name: spread(series) for name, series in samples.items()},
        {name: ratio(samples[first], series) for name, series in samples.items() if name != first},
    )


def timed(side: Statement, seconds: float) -> Callable[[], float]:
    """Return what takes one sample of about `seconds` and returns nanoseconds per operation; calibrates first."""
    loop = _compile(side)
    values = list(side.names.values())
    passes = 1
    while True:  # calibrate: enough passes for one sample
        taken = _run(loop, passes, values)
        if taken >= seconds / 4:
            break
        passes *= 2
    passes = max(1, round(passes * seconds / taken))
    return lambda: _run(loop, passes, values) / (passes * PER_PASS) * 1e9


def _run(loop: Callable[..., float], passes: int, values: Sequence[Any]) -> float:
    collecting = gc.isenabled()
    gc.disable()
    try:
        turns = [None] * TURNS  # a list iterates at the same cost every pass; itertools.repeat would be spent by one
        return loop(itertools.repeat(None, passes), turns, time.thread_time, *values)
    finally:
        if collecting:
            gc.enable()


def _compile(side: Statement) -> Callable[..., float]:
    body = "\n            ".join([side.text] * COPIES)
    source = _SOURCE.format(names=", ".join(side.names), setup=side.setup, reset=side.reset, body=body)
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<{side.text}>", "exec"), namespace)  # the statements are this suite's own constants
    loop: Callable[..., float] = namespace["loop"]
    return loop
