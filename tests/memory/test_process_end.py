"""The end of a process, and its fork, with live buffers, exports and threads.

Owns    FAULTS 38 and 39, as far as buffers go.
Never   channels.
Always  each case runs in a process of its own; its exit status and its stderr are the verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = """
import gc, os, sys, threading, time
from zbuf import buffer, composite, copied, wrap
from zbuf.buffer import Pool
pool = Pool()
def leased(data):
    buf = pool.buffer(len(data))
    buf.write_bytes(data)
    return buf
"""
CASES = {
    "live buffers and views": "kept = [leased(b'x' * 100) for _ in range(50)]; views = [buf.view() for buf in kept]",
    "a cycle through a buffer": "class Node: pass\nnode = Node(); node.me = node; node.buf = leased(b'abc').slice()",
    "a composite in sys.modules": "whole = composite(); whole.append(leased(b'a')); sys.modules['kept'] = whole",
    "a finaliser that leases": (
        "class Late:\n    def __init__(self): self.buf = leased(b'abc')\n"
        "    def __del__(self): self.buf.duplicate().release()\nlate = Late()"
    ),
    "a daemon thread that leases": (
        "def work():\n    while True: leased(b'y' * 64).slice()\n"
        "threading.Thread(target=work, daemon=True).start(); time.sleep(0.01)"
    ),
    "a wrapped object that outlives us": "store = bytearray(8); buf = wrap(store); view = buf.slice(2, 3).view()",
    "os._exit": "kept = leased(b'abc').view(); os._exit(0)",
}
FORK = """
kept = leased(b'parent'); view = kept.view(); warm = [leased(b'z' * 64) for _ in range(9)]; del warm
child = os.fork()
if child == 0:
    mine = [leased(b'child!') for _ in range(20)]
    kept.set_bytes(0, b'CHILD!')
    ok = bytes(mine[-1]) == b'child!' and bytes(view) == b'CHILD!'
    del mine
    os._exit(0 if ok and pool.statistics().live_blocks == 1 else 7)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert status == 0, status
assert bytes(kept) == bytes(view) == b'parent'
assert bytes(leased(b'after')) == b'after'
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code after START in a fresh interpreter of this form; warnings are errors there too."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", START + code],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_f38_the_interpreter_ends_cleanly(case: str) -> None:
    """Exit status 0 and not a word: no finaliser logs, imports or crashes at shutdown."""
    ended = run(CASES[case])
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_f39_a_forked_child_leases_and_leaves_the_parent_alone() -> None:
    """Both sides go on with what they had; what the child writes stays in the child."""
    ended = run(FORK)
    assert (ended.returncode, ended.stderr) == (0, "")
