"""Child processes that are asked and answer in lines.

Owns    starting, asking and ending the servers, senders and receivers of a run.
Never   what they do.
Always  every child is gone when its block ends, also after an error; its complaints reach the reader."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]

# glibc's allocator, alike for every child. asyncio receives into a fresh 256 KiB object and shrinks it: where the heap
# has no such hole, that is mmap, mremap and munmap for every read, at three times the CPU; where it has one, it is
# nothing. Chance decides, so the rivals always get the hole.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(1 << 20),
}


class Child:
    """A Python module running in a process of its own, which answers each line with one JSON line."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in end(): it lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=_ROOT,
            env=os.environ | ALLOCATOR,
        )  # fmt: skip

    def tell(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return its next answer. Raises: RuntimeError with its last words when it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"{self._process.args!r} ended: {self._errors.read().strip()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, line: str) -> dict[str, Any]:
        """Send one line and return the answer."""
        self.tell(line)
        return self.hear()

    def end(self) -> None:
        """Close its stdin and wait for it; kill it when it does not go."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()


@contextlib.contextmanager
def child(module: str, *arguments: object) -> Iterator[Child]:
    """Start a module for the length of the block."""
    one = Child(module, *arguments)
    try:
        yield one
    finally:
        one.end()
