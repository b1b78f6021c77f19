"""The programs of the documentation, each in a process of its own, and what may differ between two runs of one."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
SECONDS = 30.0


def environment() -> dict[str, str]:
    """Ours, with the checkout importable; a warning is an error."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}


def shown(name: str) -> str:
    """What the pages say that a program prints."""
    return (EXAMPLES / "output" / f"{name}.txt").read_text()


def output_of(*arguments: str) -> str:
    """Run Python with these arguments to its end, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@dataclass
class Server:
    """A program that listens; `printed` is what it has said so far, read as it comes."""

    process: "subprocess.Popen[str]"
    port: int = 0
    printed: str = ""

    def read_until(self, pattern: str) -> str:
        """Read lines until one matches, and return what was printed since the last call. The timeout is pytest's."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if re.search(pattern, line):
                self.printed += "".join(lines)
                return "".join(lines)
        raise AssertionError(f"ended without a line like {pattern!r}: {lines}")


@contextmanager
def running(*arguments: str, listens: str) -> Iterator[Server]:
    """Start Python with these arguments, wait for the line that says where it listens, and end it with Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Server(process)
    try:
        first = server.read_until(listens)
        port = re.search(listens, first)
        assert port is not None
        server.port = int(port[1])
        yield server
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=SECONDS)
        server.printed += rest
        assert (process.returncode, complaints) == (0, "")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def without_run_of_the_clock(text: str) -> str:
    """Return the text of a bill without what depends on timing: the calls, and how many pieces each of them took.

    What stays of the system calls is how many bytes went by which kind; send and sendmsg are one kind, because the last
    piece of a long list may travel alone.
    """
    moved: dict[str, int] = {}
    lines = []
    for line in text.splitlines():
        call = re.match(r"  (\w+) +([\d,]+) bytes in [\d,]+ calls, [\d,]+ pieces ", line)
        if call:
            kind = "send" if call[1] == "sendmsg" else call[1]
            moved[kind] = moved.get(kind, 0) + int(call[2].replace(",", ""))
        elif not line.startswith(("system calls", "    copied by the kernel")):
            lines.append(re.sub(r"listening on port \d+", "listening on port #", line))
    return "\n".join([*lines, *(f"{kind} {nbytes}" for kind, nbytes in sorted(moved.items()))])


def shape_of(text: str) -> str:
    """Return the words of what `zbuf serve` prints: every number but 0 is a #, and so are names of this machine."""
    text = re.sub(r"zbuf \S+ \((?:compiled|interpreted), CPython \S+\) serves \S+", "zbuf serves DIR", text)
    return re.sub(r"(?<![\w.])(?!0 )\d[\d,.]*(?::\d+)?\b", "#", text)
