"""An outside witness counts the copies in user space, and must agree with zbuf's own bill.

Owns    the interposed memcpy counter, its build, and the comparison.
Never   a count of zbuf's own as the only evidence.
Always  the witness itself is checked first, against a copy that is certainly one."""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from zbuf import _form

ROOT = Path(__file__).resolve().parent.parent.parent
SIZE = 1 << 20
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="the witness is for x86-64"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: the witness cannot be built"),
    pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="ASan interposes memcpy itself"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interposed counter, built."""
    target = tmp_path_factory.mktemp("witness") / "witness.so"
    source = Path(__file__).parent / "_interpose.c"
    command = ["gcc", "-O2", "-fno-builtin", "-shared", "-fPIC", "-o", str(target), str(source)]
    subprocess.run(command, check=True)
    return target


@contextmanager
def watched(library: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of `_child` under the witness."""
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.witness._child", program],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def said(process: subprocess.Popen[str]) -> Any:
    """The next line of the program, which is JSON."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@functools.cache
def result_of(library: Path, program: str) -> Any:
    """What a program that needs no peer says."""
    with watched(library, program) as process:
        return said(process)


def test_the_witness_sees_a_copy_and_no_copy(library: Path) -> None:
    """bytearray(data) is one copy of it; a send of a view and a recv_into are none."""
    found = result_of(library, "rival")
    assert SIZE <= found["bytearray"]["witness"] < SIZE + 65536
    assert found["send"]["witness"] == 0


@pytest.mark.parametrize("name", ["slice", "duplicate", "split", "move", "readable_views", "memoryview"])
def test_b185_what_shares_memory_copies_nothing(library: Path, name: str) -> None:
    """The witness saw nothing, and the bill says nothing."""
    assert result_of(library, "primitives")[name] == {"witness": 0, "billed": 0}


@pytest.mark.parametrize(
    ("name", "copied"),
    [
        ("copy", SIZE),
        ("copy of a composite", SIZE),
        ("bytes", SIZE),
        ("bytes of a composite", SIZE),
        ("set_bytes", SIZE),
        ("get_bytes_into", SIZE),
        ("grow", SIZE),
        ("discard", SIZE // 2),
        ("compact", SIZE),
        ("consolidate", SIZE),
    ],
)
def test_b187_what_copies_is_billed_as_the_witness_saw_it(library: Path, name: str, copied: int) -> None:
    """To the byte in the compiled form; the interpreted one may not copy less than it bills."""
    found = result_of(library, "primitives")[name]
    assert found["billed"] == copied
    if _form.form() == "compiled":
        assert found["witness"] == copied
    else:
        assert found["witness"] >= copied


def frame(payload: bytes) -> bytes:
    """A length and the payload."""
    return struct.pack(">I", len(payload)) + payload


def test_b187_frames_of_64_kib_reach_the_handler_and_leave_again_without_a_copy(library: Path) -> None:
    """200 frames of 64 KiB through decoder, handler and prepender: the witness saw no copy of 4 KiB or more."""
    payload = bytes(range(256)) * 256
    rounds = 200

    def exchange(sock: socket.socket, count: int) -> None:
        sock.settimeout(30)
        got = bytearray(len(payload) + 4)
        for _ in range(count):
            sock.sendall(frame(payload))
            view = memoryview(got)
            while view:
                view = view[sock.recv_into(view) :]
            assert got == frame(payload)

    with watched(library, "frames") as process:
        port = said(process)
        assert process.stdin is not None
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            exchange(sock, 20)
            print("begin", file=process.stdin, flush=True)
            assert said(process) == {}
            exchange(sock, rounds)
            print("end", file=process.stdin, flush=True)
            found = said(process)
    assert found["received"] == rounds * len(payload)
    assert found["witness"] == 0
    # What is smaller than the witness's floor: pieces of less than 1 KiB are joined, by design.
    assert found["billed"] < rounds * 2048


def test_b187_a_region_is_sent_without_a_copy_in_user_space(library: Path) -> None:
    """64 MiB of a file by sendfile: nothing passes through the process."""
    with watched(library, "region") as process:
        port = said(process)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            received = 0
            while piece := sock.recv(1 << 20):
                received += len(piece)
        found = said(process)
    assert received == 4 + (64 << 20)
    assert found == {"witness": 0, "billed": 0}
