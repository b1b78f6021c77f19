"""Derived handles against slices of a memoryview, and pooled blocks against fresh bytearrays.

Owns    the pairs and what each stands for.
Never   how a statement is timed.
Always  both sides drop what they made at the next turn, so that making and dropping are both paid."""

from __future__ import annotations

from collections.abc import Iterator

import zbuf
from benchmarks import _pin
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.micro._loops import PER_PASS, Statement, compare

NAME = "slices"
SUMMARY = "slice, read_slice, duplicate against slicing a memoryview; a pooled block against bytearray(256)"

TARGET = Target("at most", 1.0)
BLOCK_TARGET = Target("at most", 1.5)
PIECE = 16
METHOD = (
    "Nanoseconds per operation, the result kept in a local name and dropped at the next turn; the same loop on both "
    "sides, nothing subtracted. The memoryview side keeps its offset in a local name."
)


def pairs() -> Iterator[tuple[str, Target | None, Statement, Statement]]:
    """Yield name, target, the statement with zbuf and the one without."""
    size = PER_PASS * PIECE
    buf = zbuf.buffer(size)
    buf.write_bytes(bytes(size))
    view = memoryview(bytearray(size))
    ours, theirs = {"buf": buf, "piece": None}, {"view": view, "piece": None}
    fixed = f"at = {2 * PIECE}; n = {PIECE}; end = at + n"
    yield (
        "slice(at, n) / view[at:end]",
        TARGET,
        Statement("piece = buf.slice(at, n)", ours, setup=fixed),
        Statement("piece = view[at:end]", theirs, setup=fixed),
    )
    yield (
        "slice() / view[at:end]",
        TARGET,
        Statement("piece = buf.slice()", ours),
        Statement("piece = view[at:end]", theirs, setup=f"at = 0; end = {size}"),
    )
    yield (
        "read_slice(n) / view[at:at + n], at += n",
        TARGET,
        Statement("piece = buf.read_slice(n)", ours, setup=f"n = {PIECE}", reset="buf.reader_index = 0"),
        Statement("piece = view[at:at + n]; at += n", theirs, setup=f"n = {PIECE}", reset="at = 0"),
    )
    yield (
        "duplicate() / view[:]",
        TARGET,
        Statement("piece = buf.duplicate()", ours),
        Statement("piece = view[:]", theirs),
    )
    for kind, make, sizes in (
        ("pool", zbuf.Pool().buffer, (256, 4096, 65536)),
        ("unpooled", zbuf.Unpooled().buffer, (256, 65536)),
    ):
        for n in sizes:
            yield (
                f"{kind}.buffer({n}), release() / bytearray({n})",
                BLOCK_TARGET if (kind, n) == ("pool", 256) else None,
                Statement(f"piece = lease({n}); piece.release()", {"lease": make, "piece": None}),
                Statement(f"piece = bytearray({n})", {"piece": None}),
            )
    yield (
        "pool.lease(256), dropped / bytearray(256)",
        None,
        Statement("piece = lease(256)", {"lease": zbuf.Pool().lease, "piece": None}),
        Statement("piece = bytearray(256)", {"piece": None}),
    )


def run(settings: Settings) -> Iterator[Report]:
    """Measure every pair."""
    report = Report("derived handles and blocks", METHOD, ["zbuf / rival", "zbuf ns", "rival ns", "ratio"])
    with _pin.pinned(_pin.HERE):
        for name, target, ours, theirs in pairs():
            result = compare(
                {"zbuf": ours, "rival": theirs},
                rounds=settings.rounds_or(9, 5),
                seconds=settings.seconds_or(0.02, 0.005),
            )
            figure = result.ratios["rival"]
            report.add(name, *(result.times[side].text(1) for side in ("zbuf", "rival")), figure.text())
            report.findings.append(Finding(name, figure, target))
    yield report
