"""`compare FILE`: the reader's own file over loopback, by every technique, in one table.

Owns    the rounds, what is measured of each, and how it is shown.
Never   a technique; a figure of somebody else's machine.
Always  every technique has its turn in every round, and medians are shown; what nobody counted is blank, not 0.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from zbuf.cli._plot import plot
from zbuf.cli._receiver import MODES
from zbuf.cli._table import show
from zbuf.cli._techniques import TECHNIQUES, Outcome, Technique, kernel_copies
from zbuf.cli._text import CommandError, printable, version_line
from zbuf.probe import Findings, probe

__all__ = ["compare"]

NAMES = tuple(technique.name for technique in TECHNIQUES)
WHO = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


@dataclass(slots=True)
class Row:
    """The measurements of one technique, a list entry for each round."""

    technique: Technique
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    switches: list[int] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one row of the table says. Rates in bytes of 10**9; None: nobody counted."""

    name: str
    kind: str
    user_copies: float | None
    kernel_copies: int | None
    switches: int
    calls: int | None
    cpu_per_gb: float
    gb_per_second: float
    note: str


def compare(path: str, *, receiver: str, rounds: int, only: Sequence[str], plot_to: str | None, as_json: bool) -> int:
    """Run the comparison, print it, and return the exit code. Raises: CommandError."""
    if sys.platform != "linux":
        raise CommandError("the techniques that it compares are those of Linux")
    size = _checked(path)
    unknown = [name for name in only if name not in NAMES]
    if unknown:
        raise CommandError(f"no technique {unknown[0]!r}; there are: {', '.join(NAMES)}")
    if plot_to is not None and not os.path.isdir(os.path.dirname(os.path.abspath(plot_to))):
        raise CommandError(f"{plot_to}: its directory does not exist")
    rows = [Row(technique) for technique in TECHNIQUES if not only or technique.name in only]
    found = probe()
    with _receiving(receiver) as port:
        _run(rows, path, rounds, port)
    results = [_result(row, size, found) for row in rows if row.seconds]
    if as_json:
        records = [_record(each) for each in results]
        print(json.dumps({"size": size, "receiver": receiver, "rounds": rounds, "results": records}, indent=2))
    else:
        _print(results, rows, path, size, receiver, rounds)
    if plot_to is not None:
        _save(plot_to, plot([(each.name, each.kind, each.cpu_per_gb, each.gb_per_second) for each in results]))
    return 0 if results else 2


def _checked(path: str) -> int:
    """Return the file's size, and have it in the page cache. Raises: CommandError."""
    try:
        with open(path, "rb", buffering=0) as file:
            if not os.path.isfile(path):
                raise CommandError(f"{printable(path)}: not a regular file")
            size = os.fstat(file.fileno()).st_size
            block = bytearray(1 << 20)
            while file.readinto(block):
                pass
    except OSError as exc:
        raise CommandError(f"{printable(path)}: {exc.strerror}") from None
    if size == 0:
        raise CommandError(f"{printable(path)}: the file is empty")
    return size


@contextmanager
def _receiving(mode: str) -> Iterator[int]:
    """Start the receiver, and give its port; on a processor of its own, where there are two."""
    assert mode in MODES
    here = sorted(os.sched_getaffinity(0))
    cpus = (here[0], here[1]) if len(here) > 1 else (-1, -1)
    child = subprocess.Popen(
        [sys.executable, "-m", "zbuf.cli._receiver", mode, str(cpus[1])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        with suppress(OSError):
            if cpus[0] >= 0:
                os.sched_setaffinity(0, {cpus[0]})
        assert child.stdout is not None
        port = child.stdout.readline()
        if not port:
            raise CommandError("the receiver could not be started")
        yield int(port)
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, set(here))
        child.kill()
        child.communicate()


def _run(rows: list[Row], path: str, rounds: int, port: int) -> None:
    with _progress(rounds * len(rows)) as advance:
        for at in range(rounds):
            for row in rows if at % 2 == 0 else reversed(rows):
                advance(row.technique.name)
                if not row.failure:
                    _measure(row, path, port)


def _measure(row: Row, path: str, port: int) -> None:
    try:
        before, started = resource.getrusage(WHO), time.perf_counter()
        row.outcome = row.technique.send(port, path)
        seconds, after = time.perf_counter() - started, resource.getrusage(WHO)
    except (OSError, AttributeError, RuntimeError) as exc:  # AttributeError: this Python has no such call
        row.failure = str(exc) or type(exc).__name__
        return
    row.seconds.append(seconds)
    row.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    row.switches.append(after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on stderr where rich is installed and somebody looks; else nothing."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        yield lambda name: None
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<17}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    hidden = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=total)
        steps = iter(range(total))

        def advance(name: str) -> None:
            bar.update(task, description=name, completed=next(steps))

        yield advance


def _result(row: Row, size: int, found: Findings) -> Result:
    technique, outcome = row.technique, row.outcome
    finding = found[technique.probe]
    gigabytes = size / 1e9
    return Result(
        name=technique.name,
        kind=technique.kind,
        user_copies=outcome.user_copies,
        kernel_copies=kernel_copies(technique, finding.verdict),
        switches=round(statistics.median(row.switches)),
        calls=outcome.calls,
        cpu_per_gb=statistics.median(row.cpu) / gigabytes,
        gb_per_second=gigabytes / statistics.median(row.seconds),
        note=outcome.kernel,
    )


def _record(result: Result) -> dict[str, object]:
    return {name: getattr(result, name) for name in Result.__slots__}


def _print(results: list[Result], rows: list[Row], path: str, size: int, receiver: str, rounds: int) -> None:
    how = "copies them into memory" if receiver == "copy" else "throws them away in the kernel"
    print(f"{version_line()}, Linux {os.uname().release}")
    print(f"{printable(path)}: {size:,} bytes over loopback; the receiver {how}; medians of {rounds} rounds\n")
    head = (
        "technique", "kind", "user copies", "kernel", "switches", "calls", "CPU s/GB", "GB/s", "note",
    )  # fmt: skip
    show("The sender's side", head, [_cells(result) for result in results])
    for row in rows:
        if row.failure:
            print(f"{row.technique.name}: could not be measured: {row.failure}")
    base = next((each for each in results if each.name == "read + send"), None)
    for result in results:
        if base is not None and result.name in ("sendfile", "zbuf"):
            cpu, rate = base.cpu_per_gb / result.cpu_per_gb, result.gb_per_second / base.gb_per_second
            print(f"{result.name}: {cpu:.1f} times less CPU than read + send, {rate:.1f} times its throughput")
    print(
        "\nOften quoted: 60 % CPU at 800 MB/s by the traditional path, 20 % at 1600 MB/s with zero copies; 4 copies\n"
        "and 4 switches against 2 and 2, the two by DMA included, which no processor makes and this table does not\n"
        "show. Copies are per byte, on the sender's side: in user space by zbuf's own bill, none by construction in\n"
        "the loops, asyncio's nobody counts; in the kernel as probed. Calls: as the loops and zbuf count them."
    )


def _cells(result: Result) -> Sequence[str]:
    return (
        result.name,
        result.kind,
        "" if result.user_copies is None else f"{result.user_copies:.0f}",
        "" if result.kernel_copies is None else str(result.kernel_copies),
        f"{result.switches:,}",
        "" if result.calls is None else f"{result.calls:,}",
        f"{result.cpu_per_gb:.3f}",
        f"{result.gb_per_second:.2f}",
        result.note,
    )


def _save(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise CommandError(f"{printable(path)}: {exc.strerror}") from None
    print(f"drawn: {printable(path)}", file=sys.stderr)
