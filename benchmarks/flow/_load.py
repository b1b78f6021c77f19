"""Starting the load generator.

Owns    building `_load.c` once per source text, the Python stand-in where there is no compiler, the talk with either.
Never   a server.
Always  the binary is named after its source, so a stale one cannot run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks import _pin

T = TypeVar("T")
_SOURCE = Path(__file__).with_name("_load.c")
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Shape:
    """What every connection does: how many there are, messages in flight on each, bytes of a body and of its head."""

    connections: int
    depth: int
    size: int = 64
    head: int = 4


@dataclass(frozen=True)
class Run:
    """What one measured phase brought: messages echoed, seconds it took, CPU seconds of the generator."""

    messages: int
    seconds: float
    cpu: float


def command() -> list[str]:
    """Return the command of the generator: the C program where it can be built, else the Python one."""
    binary = build()
    return [sys.executable, "-m", "benchmarks.flow._load_plain"] if binary is None else [str(binary)]


def build() -> Path | None:
    """Compile the generator into the cache folder if it is not there; None without a compiler or on a failure."""
    compiler = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        folder = base / "zbuf-benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        binary = folder / f"load-{hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]}"
        if not binary.exists():
            with tempfile.TemporaryDirectory(dir=folder) as place:  # renamed into place: two runs cannot meet half-way
                fresh = Path(place) / "load"
                subprocess.run([compiler, "-O2", "-o", str(fresh), str(_SOURCE)], check=True, capture_output=True)
                fresh.rename(binary)
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"the C load generator was not built ({problem}); the Python one is used", file=sys.stderr)
        return None
    return binary


def measure(port: int, shape: Shape, seconds: float, warm: float, sample: Callable[[], T]) -> tuple[Run, T, T]:
    """Run the generator against `port`; return its account and what `sample()` said right before and right after.

    The connections are open and warm before the first sample, and still open at the second, so the server's cost of
    accepting and closing lies outside. Raises: RuntimeError with the generator's own words when it failed."""
    cpu = -1 if _pin.THERE is None else _pin.THERE
    numbers = [port, shape.connections, shape.depth, shape.size, shape.head, seconds, warm, cpu]
    process = subprocess.Popen(
        [*command(), *map(str, numbers)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT,
    )  # fmt: skip
    with process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        try:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(process.stderr.read().strip() or "the load generator ended early")
            before = sample()
            process.stdin.write("go\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                raise RuntimeError(process.stderr.read().strip() or "the load generator ended early")
            after = sample()
            process.stdin.close()
        except BaseException:
            process.kill()
            raise
    account = json.loads(answer)
    return Run(account["messages"], account["seconds"], account["cpu"]), before, after
