"""What the meter costs: a length-field echo of 1 KiB with it on, off, and with a recorder.

Owns    the states of the meter that are compared, the load, the ratios.
Never   how the server frames or a load is made.
Always  one server in one process, switched between the measurements: code, memory and connections' addresses are the
        same in every state; a state in which the meter counts what it should not is an error."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import _pin
from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.flow._load import Shape, measure
from benchmarks.flow._processes import Child, child

NAME = "meter"
SUMMARY = "length-field echo of 1 KiB with the audit's meter on, off and recording"

STATES = {"off": "meter off", "on": "meter on", "recording": "meter on, every 100th event recorded"}
TARGETS = {"on": Target("at least", 0.97)}  # of the messages per CPU second with the meter off
SHAPES = [(64, 1), (64, 16)]
SIZE = 1024
METHOD = (
    "Bodies of 1 KiB behind a 4-byte length. One server on one CPU, the load generator on the other; the meter is "
    "switched between the measurements, and each round has every state once. Messages over the server's CPU seconds "
    "(getrusage, user and system), taken with connections open and warm. Ratios are of the same round."
)


def run(settings: Settings) -> Iterator[Report]:
    """Yield a table for each depth."""
    for connections, depth in SHAPES:
        yield _compare(Shape(connections, depth, SIZE), settings)


def _compare(shape: Shape, settings: Settings) -> Report:
    title = f"echo of 1 KiB, {shape.connections} connections, {shape.depth} in flight"
    cpu = -1 if _pin.HERE is None else _pin.HERE
    with child("benchmarks.flow._metered_server", cpu) as server:
        port = int(server.hear()["port"])
        seconds = settings.seconds_or(1.0, 0.3)
        cases = {state: (lambda state=state: _load_one(server, port, shape, seconds, state)) for state in STATES}
        samples = interleave(cases, settings.rounds_or(15, 5))
    report = Report(title, METHOD, ["state", "k msg/CPU-s", "user us/msg", "this / off"])
    off = [per_cpu for per_cpu, _ in samples["off"]]
    for state, series in samples.items():
        versus = ratio([per_cpu for per_cpu, _ in series], off)
        report.add(
            STATES[state],
            spread(per_cpu / 1000 for per_cpu, _ in series).text(1),
            spread(user_us for _, user_us in series).text(2),
            "" if state == "off" else versus.text(3),
        )
        if state != "off":
            report.findings.append(Finding(f"{title}: {STATES[state]} / off, msg/CPU-s", versus, TARGETS.get(state)))
    report.figures = {state: [{"per_cpu": one, "user_us": other} for one, other in samples[state]] for state in STATES}
    return report


def _load_one(server: Child, port: int, shape: Shape, seconds: float, state: str) -> tuple[float, float]:
    """Return messages per CPU second and microseconds of user time per message in one state of the meter."""
    server.ask(state)
    run, before, after = measure(port, shape, seconds, min(0.2, seconds / 4), lambda: server.ask("usage"))
    calls = after["calls"] - before["calls"]
    if (calls == 0) != (state == "off"):
        raise RuntimeError(f"the meter is {state} and counted {calls} calls for {run.messages} messages")
    cpu, user = (after[which] - before[which] for which in ("cpu", "user"))
    return run.messages / cpu, user / run.messages * 1e6
