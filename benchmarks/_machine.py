"""The head line: on what, with what and how it was measured.

Owns    questions to the platform.
Never   a measurement.
Always  it names the form of zbuf that runs, as zbuf itself says it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import _pin, _sockets
from zbuf import _form


def describe() -> dict[str, str]:
    """Return the facts of the head line by name."""
    facts = {
        "machine": f"{_processor()}, {os.cpu_count()} CPUs",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "form": _form.form(),
        "congestion control": _sockets.describe(),
        "pinning": _pin.describe(),
        "load": " ".join(f"{one:.2f}" for one in os.getloadavg()),
    }
    for name in ("uvloop", "Cython"):
        facts[name] = _version(name)
    return facts


def head_line(facts: dict[str, str]) -> str:
    """Return the facts as two lines of text."""
    first = f"{facts['machine']}; {facts['kernel']}; {facts['python']}; zbuf {facts['form']}; uvloop {facts['uvloop']}"
    second = f"congestion control {facts['congestion control']}; {facts['pinning']}; load average {facts['load']}"
    return f"{first}\n{second}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
