"""What the kernel was asked, seen from outside: strace on `python -m zbuf serve`."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli._running import SECONDS, serving
from tests.live._serving import MIB, big_file, needs_curl

CALLS = "sendfile,sendto,sendmsg,read,readv,pread64,preadv,preadv2,openat2,openat"


def traces() -> bool:
    """Whether strace is there and may trace."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    return subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


pytestmark = [needs_curl, pytest.mark.skipif(not traces(), reason="strace is not there or may not trace")]


def traced(tmp_path: Path, target: str) -> tuple[list[str], list[str], bytes]:
    """Download `target` from a traced server; return the calls after its file was opened, its output, the body."""
    log = tmp_path / "strace"
    wrapper = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
    with serving(tmp_path / "site", wrapper=wrapper) as running:
        got = subprocess.run(
            ["curl", "-sS", f"{running.url}/{target}"], capture_output=True, check=True, timeout=SECONDS
        ).stdout
        running.wait_for("system calls")
        code, lines, errors = running.stop()
    assert (code, errors) == (0, "")
    calls = log.read_text().splitlines()
    start = max(at for at, call in enumerate(calls) if f'"{target}"' in call and "open" in call)
    return calls[start:], lines, got


def test_large_file_leaves_by_sendfile_and_is_never_read(tmp_path: Path) -> None:
    """64 MiB: sendfile moved every byte of the body, one send the head, and nothing read or wrote the payload."""
    (tmp_path / "site").mkdir()
    checksum = big_file(tmp_path / "site" / "big.bin")
    calls, lines, got = traced(tmp_path, "big.bin")
    assert hashlib.sha256(got).hexdigest() == checksum
    moved = [int(found[1]) for call in calls if (found := re.search(r"sendfile(?:64)?\(.*= (\d+)$", call))]
    assert sum(moved) == 64 * MIB
    assert not [call for call in calls if re.search(r"\b(pread64|preadv2?|readv|sendmsg)\(", call)]
    reads = [int(found[1]) for call in calls if (found := re.search(r"\bread\(.*= (\d+)$", call))]
    assert sum(reads) < 100, "something read the payload"  # the signal at the end wakes the loop through a socket pair
    sends = [call for call in calls if "sendto(" in call and '"HTTP/1.1 200' in call]
    assert len(sends) == 1 and "MSG_MORE" in sends[0]
    assert any("copied in user space: 0 bytes for the body" in line for line in lines)
    printed = next(found for line in lines if (found := re.search(r"sendfile ([\d,]+) \(([\d,]+) bytes\)", line)))
    assert int(printed[1].replace(",", "")) == len(moved)
    assert int(printed[2].replace(",", "")) == sum(moved)


def test_small_file_leaves_with_its_head_in_one_send(tmp_path: Path) -> None:
    """4 KiB: one read into the head's buffer, one send of both; and the bill says that this was a copy."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "small.bin").write_bytes(b"x" * 4096)
    calls, lines, got = traced(tmp_path, "small.bin")
    assert got == b"x" * 4096
    assert [call for call in calls if "sendfile" in call] == []
    sends = [int(found[1]) for call in calls if (found := re.search(r"sendto\(.*HTTP/1.1 200.*= (\d+)$", call))]
    assert len(sends) == 1 and sends[0] > 4096
    assert any("4,096 bytes (file_read 4,096) for the body" in line for line in lines)
