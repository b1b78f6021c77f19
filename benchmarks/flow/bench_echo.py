"""Length-field echo: messages per second of server CPU.

Owns    the servers that are compared, the loads they get, the ratios.
Never   how a server frames or a load is made.
Always  all servers of a table live at the same time and are measured in turn, each alone with its load."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import _pin
from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.flow._load import Shape, measure
from benchmarks.flow._processes import Child, child

NAME = "echo"
SUMMARY = "length-field echo of 64 B: zbuf pipeline against asyncio streams, Protocols and uvloop"

OURS = "zbuf, stock loop"
SERVERS: dict[str, tuple[str, str]] = {  # name -> program of benchmarks.against.serve, loop
    OURS: ("zbuf", "asyncio"),
    "zbuf, uvloop": ("zbuf", "uvloop"),
    "asyncio streams": ("streams", "asyncio"),
    "asyncio Protocol": ("protocol", "asyncio"),
    "asyncio Protocol, joined write": ("batched", "asyncio"),
    "uvloop Protocol": ("protocol", "uvloop"),
    "uvloop Protocol, joined write": ("batched", "uvloop"),
}
TARGETS: dict[tuple[int, str], Target] = {  # depth, rival -> bound on messages per CPU second
    (1, "asyncio streams"): Target("at least", 1.8),
    (1, "asyncio Protocol"): Target("at least", 1.15),
    (1, "uvloop Protocol"): Target("at least", 0.95),
    (16, "asyncio Protocol"): Target("at least", 3.0),
}
SHAPES = [(connections, depth) for connections in (64, 256) for depth in (1, 16)]
METHOD = (
    "Bodies of 64 B behind a 4-byte length. Each server is a process of its own on one CPU, the load generator on the "
    "other; messages over the server's CPU seconds (getrusage, user and system), taken with connections open and warm; "
    "the kernel tells user from system time by its timer, roughly; messages per second of wall time beside it. Ratios "
    "are of the same round. One write per frame, unless `joined`."
)


@dataclass(frozen=True)
class Figures:
    """One measured load on one server: messages per CPU second, its microseconds of user time per message, messages per
    second, share of its CPU that it used, the same of the generator."""

    per_cpu: float
    user_us: float
    per_second: float
    busy: float
    load_busy: float


def run(settings: Settings) -> Iterator[Report]:
    """Yield a table for each number of connections and depth."""
    for connections, depth in SHAPES:
        title = f"echo of 64 B, {connections} connections, {depth} in flight"
        targets = {rival: target for (at, rival), target in TARGETS.items() if at == depth}
        yield compare_servers(title, METHOD, available(SERVERS), Shape(connections, depth), settings, OURS, targets)


def available(servers: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return the servers whose loop is installed."""
    has_uvloop = importlib.util.find_spec("uvloop") is not None
    return {name: how for name, how in servers.items() if how[1] != "uvloop" or has_uvloop}


def compare_servers(
    title: str,
    method: str,
    servers: dict[str, tuple[str, str]],
    shape: Shape,
    settings: Settings,
    ours: str,
    targets: dict[str, Target],
) -> Report:
    """Start all servers, load each once per round, and return the table with the ratios of `ours` to every other."""
    with contextlib.ExitStack() as stack:
        cpu = -1 if _pin.HERE is None else _pin.HERE
        running = {
            name: stack.enter_context(child("benchmarks.against.serve", program, loop, cpu))
            for name, (program, loop) in servers.items()
        }
        ports = {name: int(one.hear()["port"]) for name, one in running.items()}
        seconds = settings.seconds_or(2.0, 0.4)

        def measured(name: str) -> Figures:
            return _load_one(running[name], ports[name], shape, seconds)

        cases = {name: (lambda name=name: measured(name)) for name in servers}
        samples = interleave(cases, settings.rounds_or(7, 3))
    report = Report(
        title, method, ["server", "k msg/CPU-s", "user us/msg", "k msg/s", "server busy", "load busy", f"{ours} / this"]
    )
    for name, series in samples.items():
        versus = ratio([one.per_cpu for one in samples[ours]], [one.per_cpu for one in series])
        report.add(
            name,
            spread(one.per_cpu / 1000 for one in series).text(1),
            spread(one.user_us for one in series).text(1),
            spread(one.per_second / 1000 for one in series).text(1),
            f"{spread(one.busy for one in series).median:.0%}",
            f"{spread(one.load_busy for one in series).median:.0%}",
            "" if name == ours else versus.text(),
        )
        if name != ours:
            report.findings.append(Finding(f"{title}: {ours} / {name}, msg/CPU-s", versus, targets.get(name)))
    report.figures = {name: [vars(one) for one in series] for name, series in samples.items()}
    return report


def _load_one(server: Child, port: int, shape: Shape, seconds: float) -> Figures:
    run, before, after = measure(port, shape, seconds, min(0.2, seconds / 4), lambda: server.ask("usage"))
    cpu, user = (after[which] - before[which] for which in ("cpu", "user"))
    return Figures(
        run.messages / cpu,
        user / run.messages * 1e6,
        run.messages / run.seconds,
        cpu / run.seconds,
        run.cpu / run.seconds,
    )
