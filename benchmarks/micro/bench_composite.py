"""Composites: reading across borders, adding parts, and what a component costs among many.

Owns    the pairs and what each stands for; the time per component at two sizes.
Never   a system call: sending is measured in the gather group.
Always  a composite is compared with what reads the same bytes without borders, or with what a program without zbuf
        does with the same parts. Time per component is taken over the same number of components at either size."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

import zbuf
from benchmarks import _pin
from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.micro._loops import PER_PASS, Statement, compare
from zbuf import _form

NAME = "composite"
SUMMARY = "reading across components, adding 3 to 1024 parts, the time per component at 1,000 and 100,000"

MIB = 1 << 20
FEW, MANY = 1_000, 100_000
METHOD = (
    "Nanoseconds per operation; the same loop on both sides, nothing subtracted. Parts exist before the clock starts; "
    "what is made of them is dropped at the next turn, and that is paid too."
)
METHOD_OF_COUNTS = (
    "Nanoseconds per component. 100 composites of 1,000 components against one of 100,000: the same number of "
    "components, of bytes and of objects alive at either size, so that only the length of the list differs. "
    "Components are slices of 1 KiB of one block."
)


def joined(sizes: list[int]) -> zbuf.CompositeByteBuf:
    """Return a composite of zeros with a component of each size."""
    whole = zbuf.composite()
    whole.extend(zbuf.copied(bytes(size)) for size in sizes)
    return whole


def reading() -> Iterator[tuple[str, Target | None, Statement, Statement]]:
    """Yield pairs that read the same numbers with and without a border."""
    two = joined([1024, 1024])
    names = {"buf": two, "get": two.get_int, "read": two.read_int, "set": two.set_int}
    yield (
        "get_int across a border / inside",
        Target("at most", 4.0),
        Statement("get(1022)", names),
        Statement("get(100)", names),
    )
    yield (
        "set_int across a border / inside",
        None,
        Statement("set(1022, 7)", names),
        Statement("set(100, 7)", names),
    )
    yield (
        "read_int across a border / inside",
        Target("at most", 4.0),
        Statement("buf.reader_index = 1022; read()", names),
        Statement("buf.reader_index = 100; read()", names),
    )
    flat = zbuf.copied(bytes(MIB))
    for name, sizes in (
        ("aligned", [1048] * 999 + [MIB - 999 * 1048]),
        ("odd", [1049] * 999 + [MIB - 999 * 1049]),
    ):
        cut = joined(sizes)
        ours, theirs = {"buf": cut, "read": cut.read_int}, {"buf": flat, "read": flat.read_int}
        # Each pass reads on; a MiB is 256 passes, so the reset takes them round.
        again = f"buf.reader_index = 0 if buf.readable_bytes < {4 * PER_PASS} else buf.reader_index"
        yield (
            f"read_int, 1 MiB in 1,000 components, {name} / flat",
            Target("at most", 2.0),
            Statement("read()", ours, reset=again),
            Statement("read()", theirs, reset=again),
        )


def is_slow(settings: Settings) -> bool:
    """Return whether this is a quick run of the interpreted form: a pass over 100,000 components would take minutes."""
    return settings.quick and _form.form() != "compiled"


def adding(counts: tuple[int, ...] = (64, 1024)) -> Iterator[tuple[str, Target | None, Statement, Statement]]:
    """Yield pairs that gather parts, and what is done with plain objects instead."""
    block = zbuf.buffer(1 << 16)
    block.write_zero(1 << 16)
    view, head = memoryview(bytes(1 << 16)), bytes(12)
    names: dict[str, Any] = {"composite": zbuf.composite, "slice": block.slice, "head": head, "piece": None}
    yield (
        "append(slice) / list.append(view[a:b])",
        None,
        Statement("add(slice(64, 64))", names, setup="add = None", reset="add = composite().append"),
        Statement("add(view[64:128])", {"view": view}, setup="add = None", reset="add = [].append"),
    )
    yield (
        "append(bytes) / list.append(memoryview(bytes))",
        None,
        Statement("add(head)", names, setup="add = None", reset="add = composite().append"),
        Statement("add(memoryview(head))", {"head": head}, setup="add = None", reset="add = [].append"),
    )
    yield (
        "composite(), 3 appends, readable_views() / list of 3 views",
        None,
        Statement(
            "c = composite(); c.append(head); c.append(slice(0, 64)); c.append(slice(64, 64)); piece = views(c)",
            {**names, "c": None, "views": zbuf.CompositeByteBuf.readable_views},
        ),
        Statement("piece = [memoryview(head), view[0:64], view[64:128]]", {"view": view, "head": head, "piece": None}),
    )
    for count in counts:
        parts = [bytes(64)] * count
        some = {"composite": zbuf.composite, "parts": parts, "c": None, "piece": None}
        rival = {"parts": parts, "piece": None, "join": b"".join}
        views = f"piece = c.readable_views({count})"
        yield (
            f"extend({count} x 64 B), readable_views() / a view of each",
            None,
            Statement(f"c = composite(); c.extend(parts); {views}", some),
            Statement("piece = [memoryview(part) for part in parts]", rival),
        )
        yield (
            f"extend({count} x 64 B), bytes() / join",
            None,
            Statement("c = composite(); c.extend(parts); piece = bytes(c)", some),
            Statement("piece = join(parts)", rival),
        )


BLOCK = zbuf.copied(bytes(MIB))  # what all components of the second table are slices of
Work = Callable[[zbuf.CompositeByteBuf, int], None]


def _append(buf: zbuf.CompositeByteBuf, n: int) -> None:
    add, piece = buf.append, BLOCK.slice
    for k in range(n):
        add(piece(k % 1024 * 1024, 1024))


def _append_and_read(buf: zbuf.CompositeByteBuf, n: int) -> None:
    _append(buf, n)
    _read_bytes(buf, n)


def _read_bytes(buf: zbuf.CompositeByteBuf, n: int) -> None:
    read = buf.read_bytes
    for _ in range(n):
        read(1024)


def _read_longs(buf: zbuf.CompositeByteBuf, n: int) -> None:
    read = buf.read_long
    for _ in range(n * 128):
        read()


def _read_slices(buf: zbuf.CompositeByteBuf, n: int) -> None:
    read = buf.read_slice
    for _ in range(n):
        read(1024)


def _discard(buf: zbuf.CompositeByteBuf, n: int) -> None:
    skip, discard = buf.skip_bytes, buf.discard_read_components
    for _ in range(n):
        skip(1024)
        discard()


def _pop(buf: zbuf.CompositeByteBuf, n: int) -> None:
    pop = buf.pop_component
    for _ in range(n):
        pop(0)


def _slice(buf: zbuf.CompositeByteBuf, n: int) -> None:
    buf.slice()


# name -> (what is done, whether it starts with an empty composite, the target)
COUNTED: dict[str, tuple[Work, bool, Target | None]] = {
    "append(slice), then read_bytes(1024)": (_append_and_read, True, Target("at most", 1.5)),
    "append(slice)": (_append, True, Target("at most", 1.5)),
    "read_bytes(1024)": (_read_bytes, False, Target("at most", 1.5)),
    "128 times read_long()": (_read_longs, False, Target("at most", 1.5)),
    "read_slice(1024)": (_read_slices, False, Target("at most", 1.5)),
    "skip_bytes(1024), discard_read_components()": (_discard, False, None),
    "pop_component(0)": (_pop, False, None),
    "slice() of all": (_slice, False, None),
}


def per_component(work: Work, empty: bool, size: int, total: int) -> float:
    """Return nanoseconds per component of `work` on composites of `size` components, `total` in all."""
    made = []
    for _ in range(total // size):
        buf = zbuf.composite()
        if not empty:
            _append(buf, size)
        made.append(buf)
    gc.collect()
    gc.disable()
    try:
        started = time.thread_time_ns()
        for buf in made:
            work(buf, size)
        return (time.thread_time_ns() - started) / total
    finally:
        gc.enable()


def run(settings: Settings) -> Iterator[Report]:
    """Measure every pair, then the two sizes."""
    columns = ["composite / rival", "composite ns", "rival ns", "ratio"]
    with _pin.pinned(_pin.HERE):
        for title, pairs in (
            ("reading across components", reading()),
            ("adding parts", adding((64,) if is_slow(settings) else (64, 1024))),
        ):
            report = Report(title, METHOD, columns)
            for name, target, ours, theirs in pairs:
                result = compare(
                    {"zbuf": ours, "rival": theirs},
                    rounds=settings.rounds_or(9, 5),
                    seconds=settings.seconds_or(0.02, 0.005),
                )
                figure = result.ratios["rival"]
                report.add(name, *(result.times[side].text(1) for side in ("zbuf", "rival")), figure.text())
                report.findings.append(Finding(name, figure, target))
            yield report
        yield _two_sizes(settings)


def _two_sizes(settings: Settings) -> Report:
    part = 50 if is_slow(settings) else 1
    few, many = FEW // part, MANY // part
    columns = ["per component", f"of {few:,} ns", f"of {many:,} ns", "ratio"]
    report = Report("a component among many", METHOD_OF_COUNTS, columns)
    for name, (work, empty, target) in COUNTED.items():
        cases = {
            size: (lambda size=size, work=work, empty=empty: per_component(work, empty, size, many))
            for size in (many, few)
        }
        samples = interleave({str(size): case for size, case in cases.items()}, settings.rounds_or(5, 3))
        figure = ratio(samples[str(many)], samples[str(few)])
        report.add(name, *(spread(samples[str(size)]).text(1) for size in (few, many)), figure.text())
        report.findings.append(Finding(f"{name}: among {many:,} / among {few:,}", figure, target))
    return report
