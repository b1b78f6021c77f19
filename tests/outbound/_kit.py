"""What the tests of the queue share: a kernel made of integers, and promises that remember.

Owns    performing plans without a socket, in any portion; the log of what was asked for.
Never   an expectation.
Always  a plan is answered as `zbuf.outbound._plan` says; the queue's invariant is checked after each answer.
"""

import os
from collections.abc import Callable
from pathlib import Path

from zbuf.errors import FileTruncatedError
from zbuf.outbound import InlineFile, Nothing, OpenFile, OutboundQueue, SendBuffers, SendFile
from zbuf.region import FileRegion


class Promise:
    """A WritePromise that writes its outcome into a shared log."""

    def __init__(
        self, name: object, log: list[tuple[object, object]], then: Callable[[], object] | None = None
    ) -> None:
        self.name = name
        self._log = log
        self._then = then

    def succeed(self) -> None:
        self._log.append((self.name, "sent"))
        if self._then is not None:
            self._then()

    def fail(self, exc: BaseException) -> None:
        self._log.append((self.name, exc))
        if self._then is not None:
            self._then()


def taken(plan: SendBuffers, n: int) -> bytes:
    """Return the first `n` bytes of what the plan offers, as the kernel would take them."""
    out = b"".join(map(memoryview, plan.views))  # as the kernel does: what bytes(buf) copies would be billed
    assert len(out) == plan.nbytes
    return out[:n]


class Wire:
    """A socket that takes what it is told to take, and keeps it."""

    def __init__(self, queue: OutboundQueue) -> None:
        self.queue = queue
        self.received = bytearray()
        self.calls: list[str] = []

    def prepare(self) -> SendBuffers | SendFile | Nothing:
        """Open and read regions until the next call is one that sends."""
        while True:
            plan = self.queue.next_write()
            if isinstance(plan, OpenFile):
                self.calls.append("open")
                try:
                    plan.region.fileno()
                except OSError as exc:
                    self.queue.fail_entry(exc)
                else:
                    self.queue.opened()
            elif isinstance(plan, InlineFile):
                self.calls.append("read")
                try:
                    plan.region.read_into(plan.buf)
                except FileTruncatedError:
                    pass
                self.queue.inlined()
            else:
                return plan
            self.queue._check()

    def step(self, accept: int | None = None) -> int:
        """Perform the next call; the kernel takes at most `accept` bytes of it. Return how many, -1 for NOTHING."""
        plan = self.prepare()
        if isinstance(plan, Nothing):
            return -1
        if isinstance(plan, SendFile):
            n = plan.count if accept is None else min(plan.count, accept)
            data = os.pread(plan.region.fileno(), n, plan.offset)
            n = len(data)
            self.calls.append("sendfile")
        else:
            n = plan.nbytes if accept is None else min(plan.nbytes, accept)
            data = taken(plan, n)
            self.calls.append(("send" if len(plan.views) == 1 else "sendmsg") + ("+more" if plan.more else ""))
        self.received += data
        self.queue.sent(n)
        self.queue._check()
        return n

    def run(self, accept: int | None = None) -> bytes:
        """Send everything that is flushed and return all that was received so far."""
        while self.step(accept) >= 0:
            pass
        return bytes(self.received)


def file_region(tmp_path: Path, data: bytes, name: str = "region") -> FileRegion:
    """Return a region of a fresh file that holds `data`."""
    path = tmp_path / name
    path.write_bytes(data)
    return FileRegion(path)
