"""What one operation costs, in counts: memory requested from Python, blocks leased, bytes copied.

Owns    the measuring, and building the C counter that sees every request for memory.
Never   which operations there are, nor what they may cost.
Always  the same operation runs on many buffers made beforehand, and each call is counted by itself. Bytes and blocks
        must be the same for every call. Requests are those of the cheapest call: a list inside that grows now and then,
        by a factor, is not charged to the call that met it. Results die at once, as a caller's who keeps none."""

from __future__ import annotations

import ctypes
import gc
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zbuf
from zbuf.audit import charge, process_account
from zbuf.audit._bill import CopyReason

SOURCE = Path(__file__).with_name("_allocations.c")
REPEATS = 16  # arbitrary: enough to notice a cost that only some of the calls have
WARM = 300  # more than 256: counters of the meter and of the pools are then objects of their own, as in any real run

Act = Callable[[Any, Any], object]


@dataclass(frozen=True)
class Cost:
    """Of one call: bytes copied by reason, blocks leased, requests for Python's memory (None: no compiler)."""

    copied: dict[str, int]
    blocks: int
    allocations: int | None


class Allocations:
    """The C counter."""

    def __init__(self, library: Path) -> None:
        functions = ctypes.PyDLL(str(library))  # keeps the GIL: nobody allocates between start and the first call
        self._start = functions.start
        self._stop = functions.stop
        self._count = ctypes.c_longlong.in_dll(functions, "allocations")

    def of(self, act: Act, arguments: Sequence[tuple[Any, Any]]) -> int:
        """Return how many requests the cheapest call of `act` makes, called once with each pair."""
        start, stop = self._start, self._stop
        seen = []
        for first, second in arguments:
            start()
            try:
                act(first, second)
            finally:
                stop()  # also after an error: counters in front of counters would call each other for ever
            seen.append(self._count.value)
        return min(seen)


def build(folder: Path) -> Path | None:
    """Compile the counter into `folder`; None without a C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "allocations.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True, capture_output=True)
    return library


class Meter:
    """Measures operations, after everything that only the first calls pay for has been paid."""

    def __init__(self, pool: zbuf.Pool, library: Path | None) -> None:
        self._pools = (pool, zbuf.default_allocator())
        self._counter = None if library is None else Allocations(library)
        self.pool = pool
        for reason in CopyReason:
            for _ in range(WARM):
                charge(reason, WARM)
        for allocator in self._pools:
            for _ in range(WARM):
                allocator.buffer(256)

    def cost(self, make: Callable[[], tuple[Any, Any]], act: Act) -> Cost:
        """Return what one call of `act` costs on what `make` returns. Raises: AssertionError when calls differ."""
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            for _ in range(3):  # the interpreter specialises, lazy imports happen, caches fill
                self._run(make, act)
            return self._run(make, act)
        finally:
            if was_collecting:
                gc.enable()

    def _run(self, make: Callable[[], tuple[Any, Any]], act: Act) -> Cost:
        arguments = [make() for _ in range(REPEATS)]
        before, leases = process_account().snapshot(), self._leases()
        requests = None
        if self._counter is None:
            for first, second in arguments:
                act(first, second)
        else:
            requests = self._counter.of(act, arguments)
        blocks, after = self._leases() - leases, process_account().snapshot()
        copied = {reason.name.lower(): _each(count.nbytes) for reason, count in (after - before).user.items()}
        if self._counter is not None and requests is not None:
            requests -= self._counter.of(_nothing, arguments)
        return Cost({reason: nbytes for reason, nbytes in sorted(copied.items()) if nbytes}, _each(blocks), requests)

    def _leases(self) -> int:
        return sum(stats.hits + stats.misses for stats in (allocator.statistics() for allocator in self._pools))


def _nothing(first: object, second: object) -> None:
    """What the loop itself costs."""


def _each(total: int) -> int:
    share, rest = divmod(total, REPEATS)
    assert rest == 0, f"{total} for {REPEATS} calls: they do not all cost the same"
    return share
