"""A file out of a socket: CPU seconds of the sender per GB, and GB/s.

Owns    the file, the senders that are compared, the two receivers, the ratios.
Never   how a sender sends.
Always  the file is in the page cache before anything is timed, and every sender has sent it once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _pin
from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.flow._processes import Child, child
from benchmarks.flow._receiver import MODES

NAME = "file"
SUMMARY = "FileRegion through a channel against a bare os.sendfile loop and read + send of 64 KiB"

OURS = "zbuf FileRegion"
SENDERS = {
    OURS: "zbuf",
    "bare os.sendfile loop": "sendfile",
    "read + send, 64 KiB": "read+send",
    "asyncio loop.sendfile": "asyncio",
}
CPU_TARGETS = {"bare os.sendfile loop": Target("at most", 1.10), "read + send, 64 KiB": Target("at most", 1 / 3)}
RATE_TARGETS = {"discarding": Target("at least", 3.0), "copying": Target("at least", 1.8)}  # against read + send
GB = 1e9
METHOD = (
    "One transfer of the whole file per round and sender, each sender and the receiver in processes of their own on "
    "different CPUs. CPU is getrusage of the sender, user and system, from the request to the receiver's word that the "
    "last byte is there. The receiver {how}."
)
HOW = {
    "discarding": "throws the bytes away in the kernel (MSG_TRUNC): the sender is the limit",
    "copying": "receives them into a block of 16 MiB: the receiver is the limit, and takes over part of TCP's work",
}


@dataclass(frozen=True)
class Figures:
    """One transfer: the sender's CPU seconds per GB, GB/s, the receiver's CPU seconds per GB."""

    cpu: float
    rate: float
    receiver_cpu: float


def run(settings: Settings) -> Iterator[Report]:
    """Yield a table for each receiver."""
    size = settings.file_bytes or (128 << 20 if settings.quick else 1 << 30)
    with tempfile.TemporaryDirectory(prefix="zbuf-bench-") as folder:
        path = make_file(Path(folder) / "payload", size)
        for mode in MODES:
            yield _compare(path, size, mode, settings)


def make_file(path: Path, size: int) -> Path:
    """Write `size` bytes that are not all alike, wait for the disk, and read them once: cached, clean, no holes."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for at in range(0, size, len(block)):
            file.write(block[: min(len(block), size - at)])
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb", buffering=0) as source:
        while source.read(len(block)):
            pass
    return path


def _compare(path: Path, size: int, mode: str, settings: Settings) -> Report:
    here, there = (-1 if cpu is None else cpu for cpu in (_pin.HERE, _pin.THERE))
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(child("benchmarks.flow._receiver", there))
        senders = {
            name: stack.enter_context(child("benchmarks.against.send_file", method, path, here))
            for name, method in SENDERS.items()
        }
        ports = {name: int(one.hear()["port"]) for name, one in senders.items()}
        cases = {
            name: (lambda name=name: _transfer(senders[name], ports[name], receiver, mode, size)) for name in senders
        }
        samples = interleave(cases, settings.rounds_or(9, 5))
    title = f"{size / (1 << 20):.0f} MiB from the page cache, {mode} receiver"
    columns = ["sender", "CPU-s/GB", "GB/s", "receiver CPU-s/GB", "CPU: zbuf / this", "GB/s: zbuf / this"]
    report = Report(title, METHOD.format(how=HOW[mode]), columns)
    for name, series in samples.items():
        cpu = ratio([one.cpu for one in samples[OURS]], [one.cpu for one in series])
        rate = ratio([one.rate for one in samples[OURS]], [one.rate for one in series])
        report.add(
            name,
            spread(one.cpu for one in series).text(3),
            spread(one.rate for one in series).text(2),
            spread(one.receiver_cpu for one in series).text(3),
            *(("", "") if name == OURS else (cpu.text(), rate.text())),
        )
        if name != OURS:
            target = RATE_TARGETS[mode] if name == "read + send, 64 KiB" else None
            report.findings.append(Finding(f"file, {mode}: {OURS} / {name}, CPU per GB", cpu, CPU_TARGETS.get(name)))
            report.findings.append(Finding(f"file, {mode}: {OURS} / {name}, GB/s", rate, target))
    bare, copying = (samples[name] for name in ("bare os.sendfile loop", "read + send, 64 KiB"))
    floor = ratio([one.cpu for one in bare], [one.cpu for one in copying])
    report.findings.append(Finding(f"file, {mode}: bare os.sendfile loop / read + send, 64 KiB, CPU per GB", floor))
    report.method += f" The bare loop itself needs {floor.text()} of read + send's CPU here."
    report.figures = {name: [vars(one) for one in series] for name, series in samples.items()}
    return report


def _transfer(sender: Child, port: int, receiver: Child, mode: str, size: int) -> Figures:
    received = receiver.ask(f"{port} {mode} {size}")
    sent = sender.hear()
    return Figures(sent["cpu"] / size * GB, size / received["seconds"] / GB, received["cpu"] / size * GB)
