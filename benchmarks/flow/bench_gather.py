"""Many parts, one message: zbuf's queue against joining and against gathering.

Owns    the shapes of messages and the three ways to send them over one blocking connection.
Never   which way zbuf takes: that is the queue's plan.
Always  all ways send the same parts over the same connection, which is empty when a sample starts."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import zbuf
from benchmarks import _pin, _sockets
from benchmarks._measure import better_of, interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.flow._processes import child
from zbuf.outbound import NOTHING, OutboundQueue, SendBuffers

NAME = "gather"
SUMMARY = "k parts of 16 B..1 MiB through the outbound queue against join + send and sendmsg"

TARGET = Target("at most", 1.05)
KIB, MIB = 1024, 1024 * 1024
SHAPES: dict[str, list[int]] = {
    "16 B + 64 B": [16, 64],
    "16 B + 4 KiB": [16, 4 * KIB],
    "16 B + 8 KiB": [16, 8 * KIB],
    "16 B + 64 KiB": [16, 64 * KIB],
    "16 B + 256 KiB": [16, 256 * KIB],
    "16 B + 1 MiB": [16, MIB],
    "4 x 1 KiB": [KIB] * 4,
    "4 x 4 KiB": [4 * KIB] * 4,
    "16 x 64 B": [64] * 16,
    "16 x 1 KiB": [KIB] * 16,
    "16 x 2 KiB": [2 * KIB] * 16,
    "64 x 64 B": [64] * 64,
    "64 x 2 KiB": [2 * KIB] * 64,
    "64 x 8 KiB": [8 * KIB] * 64,
    "1024 parts, 16 B and 64 B in turn": [16, 64] * 512,
    "64 parts, 16 B and 1 MiB in turn": [16, MIB] * 32,
}
IN_QUICK_RUN = (
    "16 B + 64 B",
    "16 B + 64 KiB",
    "16 x 1 KiB",
    "64 x 64 B",
    "64 x 8 KiB",
    "1024 parts, 16 B and 64 B in turn",
)
METHOD = (
    "Microseconds of the sender's CPU per message (thread time; wall time ratio beside it), parts are `bytes` that "
    "exist already, the connection is blocking TCP on loopback, the peer on the other CPU throws everything away. "
    "zbuf: add each part, flush, next_write, send or sendmsg, sent. The rival is the better of both in each round."
)


@dataclass(frozen=True)
class Sample:
    """Microseconds per message: CPU of the sending thread, and wall time."""

    cpu: float
    wall: float


def join_and_send(sock: socket.socket) -> Callable[[list[bytes]], None]:
    """Return the way that copies all parts into one and sends that."""

    def send(parts: list[bytes]) -> None:
        sock.sendall(b"".join(parts))

    return send


def gather(sock: socket.socket) -> Callable[[list[bytes]], None]:
    """Return the way that hands all parts to one sendmsg; a blocking socket takes them all."""

    def send(parts: list[bytes]) -> None:
        sock.sendmsg(parts)

    return send


def through_queue(sock: socket.socket) -> Callable[[list[bytes]], None]:
    """Return the way through zbuf's outbound queue."""
    queue = OutboundQueue(zbuf.Pool(), write_limit_bytes=64 * MIB)  # the largest shape is 32 MiB, above the default

    def send(parts: list[bytes]) -> None:
        add = queue.add
        for part in parts:
            add(part)
        queue.flush()
        while (call := queue.next_write()) is not NOTHING:
            assert isinstance(call, SendBuffers)
            views = call.views
            queue.sent(sock.send(views[0]) if len(views) == 1 else sock.sendmsg(views))

    return send


WAYS = {"zbuf": through_queue, "join": join_and_send, "sendmsg": gather}


def run(settings: Settings) -> Iterator[Report]:
    """Yield the one table."""
    columns = ["parts", "zbuf us", "join us", "sendmsg us", "zbuf / better, CPU", "zbuf / better, wall"]
    report = Report("one message of several parts", METHOD, columns)
    there = -1 if _pin.THERE is None else _pin.THERE
    with (
        child("benchmarks.flow._receiver", there) as peer,
        _pin.pinned(_pin.HERE),
        _sockets.dial(int(peer.ask("listen")["port"])) as sock,
    ):
        for name, sizes in SHAPES.items():
            if not settings.quick or name in IN_QUICK_RUN:
                _compare(report, name, [bytes(size) for size in sizes], sock, settings)
    yield report


def _compare(report: Report, name: str, parts: list[bytes], sock: socket.socket, settings: Settings) -> None:
    seconds = settings.seconds_or(0.03, 0.01)
    cases = {way: _timed(make(sock), parts, sock, seconds) for way, make in WAYS.items()}
    samples = interleave(cases, settings.rounds_or(9, 5))
    cpu = {way: [one.cpu for one in series] for way, series in samples.items()}
    wall = {way: [one.wall for one in series] for way, series in samples.items()}
    versus = ratio(cpu["zbuf"], better_of(cpu["join"], cpu["sendmsg"]))
    versus_wall = ratio(wall["zbuf"], better_of(wall["join"], wall["sendmsg"]))
    report.add(name, *(spread(cpu[way]).text(1) for way in WAYS), versus.text(), versus_wall.text())
    report.findings.append(Finding(f"gather, {name}: zbuf / better of join and sendmsg, CPU", versus, TARGET))
    report.figures[name] = {way: [vars(one) for one in series] for way, series in samples.items()}


def _timed(
    send: Callable[[list[bytes]], None], parts: list[bytes], sock: socket.socket, seconds: float
) -> Callable[[], Sample]:
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds / 4 or count < 2:
        send(parts)
        count += 1
    per_sample = max(2, round(count * seconds / (time.perf_counter() - started)))

    def sample() -> Sample:
        _wait_until_drained(sock)
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        for _ in range(per_sample):
            send(parts)
        cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
        return Sample(cpu / per_sample / 1000, wall / per_sample / 1000)

    return sample


def _wait_until_drained(sock: socket.socket) -> None:
    limit = time.monotonic() + 10
    while struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]:
        if time.monotonic() > limit:
            raise TimeoutError("the peer does not take what was sent")
        time.sleep(0.0002)
