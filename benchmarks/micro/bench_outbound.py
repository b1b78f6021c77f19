"""The outbound queue against a plain join: what deciding costs, without a system call.

Owns    the pairs and what each stands for.
Never   a socket: the calls themselves are measured in the gather group.
Always  the queue's side adds, flushes, plans and reports everything as sent; the rival's only joins, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import zbuf
from benchmarks import _pin
from benchmarks._report import Finding, Report, Settings
from benchmarks.micro._loops import Statement, compare
from zbuf.outbound import OutboundQueue

NAME = "outbound"
SUMMARY = "add, flush, next_write, sent of small and large parts against b''.join of the same parts"

METHOD = (
    "Nanoseconds per message: the parts are added, flushed, planned and reported as sent in full; no system call. "
    "Handles are slices of one block, made in the loop; a row of their making alone is what to subtract. The rival "
    "joins the same parts as bytes, which is all that a program does which sends with one call per message."
)
CYCLE = "flush(); plan = next_write(); sent(plan.nbytes)"


def queue_names(**more: Any) -> dict[str, Any]:
    """Return the bound methods that the statements call."""
    queue = OutboundQueue(zbuf.Pool())
    block = zbuf.buffer(1 << 20)
    block.write_zero(1 << 20)
    names = {"add": queue.add, "flush": queue.flush, "next_write": queue.next_write, "sent": queue.sent}
    return {**names, "slice": block.slice, "plan": None, **more}


def pairs() -> Iterator[tuple[str, Statement, Statement]]:
    """Yield name, the statement with the queue and the one without."""
    small, large = bytes(64), bytes(65536)
    yield (
        "bytes: 1 x 64 B / nothing",
        Statement(f"add(a); {CYCLE}", queue_names(a=small)),
        Statement("plan = a", {"a": small}),
    )
    yield (
        "bytes: 2 x 64 B / join",
        Statement(f"add(a); add(a); {CYCLE}", queue_names(a=small)),
        Statement("plan = join((a, a))", {"a": small, "join": b"".join}),
    )
    yield (
        "handles: making 2 slices / nothing",
        Statement("slice(0, 64); slice(64, 64)", queue_names()),
        Statement("plan = a", {"a": small}),
    )
    yield (
        "handles: 1 x 64 B / nothing",
        Statement(f"add(slice(0, 64)); {CYCLE}", queue_names()),
        Statement("plan = a", {"a": small}),
    )
    yield (
        "handles: 2 x 64 B / join",
        Statement(f"add(slice(0, 64)); add(slice(64, 64)); {CYCLE}", queue_names()),
        Statement("plan = join((a, a))", {"a": small, "join": b"".join}),
    )
    yield (
        "handles: 16 x 64 B / join",
        Statement("; ".join(["add(slice(0, 64))"] * 16) + f"; {CYCLE}", queue_names()),
        Statement("plan = join((a,) * 16)", {"a": small, "join": b"".join}),
    )
    yield (
        "handles: 64 B + 64 KiB / join",
        Statement(f"add(slice(0, 64)); add(slice(64, 65536)); {CYCLE}", queue_names()),
        Statement("plan = join((a, b))", {"a": small, "b": large, "join": b"".join}),
    )


def run(settings: Settings) -> Iterator[Report]:
    """Measure every pair."""
    report = Report("the outbound queue, no system call", METHOD, ["queue / rival", "queue ns", "rival ns", "ratio"])
    with _pin.pinned(_pin.HERE):
        for name, ours, theirs in pairs():
            result = compare(
                {"zbuf": ours, "rival": theirs},
                rounds=settings.rounds_or(7, 3),
                seconds=settings.seconds_or(0.02, 0.005),
            )
            figure = result.ratios["rival"]
            report.add(name, *(result.times[side].text(1) for side in ("zbuf", "rival")), figure.text())
            report.findings.append(Finding(name, figure))
    yield report
