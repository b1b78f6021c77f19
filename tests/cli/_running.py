"""A command in a process of its own, for tests of what a user sees."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 20.0

# Root without the right to read everything: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, then exec.
# For anybody else this changes nothing.
_DROP = (
    "import ctypes, os, sys\n"
    "for capability in (1, 2): ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
OBEYING_MODES = [sys.executable, "-c", _DROP]


def command(*arguments: str, options: Sequence[str] = ()) -> list[str]:
    """`python -m zbuf` with this interpreter."""
    return [sys.executable, *options, "-m", "zbuf", *arguments]


def environment() -> dict[str, str]:
    """Ours, with the checkout importable, and nothing that would colour output."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", "PYTHONWARNINGS": "error"}


def finished(*arguments: str, wrapper: Sequence[str] = (), **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    values: dict[str, object] = {"capture_output": True, "text": True, "timeout": SECONDS, "env": environment()}
    line = [*wrapper, *command(*arguments)]
    return subprocess.run(line, check=False, **(values | options))  # type: ignore[call-overload, no-any-return]  # a table


@dataclass
class Running:
    """`serve` in a process of its own."""

    process: "subprocess.Popen[bytes]"
    port: int = 0
    lines: list[str] = field(default_factory=list)
    _rest: bytes = b""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def _read(self, seconds: float) -> bool:
        """Read what is there into lines; return whether more may come."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode() for line in lines]
        return bool(data)

    def wait_for(self, pattern: str, times: int = 1) -> str:
        """Read the output until so many lines match; return the last of them."""
        until = time.monotonic() + SECONDS
        more = True
        while True:
            found = [line for line in self.lines if re.search(pattern, line)]
            if len(found) >= times:
                return found[times - 1]
            if not more or time.monotonic() > until:
                raise AssertionError(f"not {times} lines match {pattern!r}: {self.lines}")
            more = self._read(0.1)

    def stop(self, number: int = signal.SIGINT) -> tuple[int, list[str], str]:
        """Send a signal; return the exit code, all lines, and what went to stderr."""
        self.send(number)
        return self.ended()

    def send(self, number: int) -> None:
        """Send a signal, as a terminal does: to the whole group, so that a wrapper does not keep it to itself."""
        os.killpg(self.process.pid, number)

    def ended(self) -> tuple[int, list[str], str]:
        """Wait for the end; return the exit code, all lines, and what went to stderr."""
        until = time.monotonic() + SECONDS
        while self._read(0.1) and time.monotonic() < until:
            pass
        assert self.process.stderr is not None
        code = self.process.wait(SECONDS)
        return code, self.lines, self.process.stderr.read().decode()

    def descriptors(self) -> int:
        """How many descriptors the process has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def serving(
    directory: Path, *arguments: str, options: Sequence[str] = (), wrapper: Sequence[str] = ()
) -> Iterator[Running]:
    """Run `serve` on a free port until the block ends."""
    line = [*wrapper, *command("serve", str(directory), "--port", "0", *arguments, options=options)]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment(), start_new_session=True
    )
    running = Running(process)
    try:
        found = re.search(r":(\d+)/", running.wait_for(r"http://.*:\d+/"))
        assert found is not None
        running.port = int(found[1])
        running.wait_for("Ctrl-C")
        yield running
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
