"""The compiled and the interpreted form do the same: results, exceptions with their numbers, bytes afterwards.

Owns    the differential test; FAULTS 4 for the buffer room.
Never   which of two answers is right.
Always  both forms run in processes of their own, from the same script and seed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("_script.py")
ROOT = SCRIPT.parents[2]
STEPS = 3000


def run(seed: int, pure: bool, steps: int = STEPS) -> subprocess.CompletedProcess[str]:
    """Run the script in one form; a form that is not there ends with an ImportError."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZBUF_")}
    environment |= {"ZBUF_PURE": "1"} if pure else {"ZBUF_REQUIRE_COMPILED": "1"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return subprocess.run(  # our own script
        [sys.executable, str(SCRIPT), str(seed), str(steps)],
        env=environment, cwd=ROOT, capture_output=True, text=True, errors="backslashreplace", timeout=120, check=False,
    )  # fmt: skip


@functools.cache
def why_not_compiled() -> str:
    """The reason why no compiled form can be run, or nothing."""
    probe = run(0, pure=False, steps=0)
    return "" if probe.stderr == "compiled" else probe.stderr.strip().splitlines()[-1]


def test_the_script_is_the_same_for_the_same_seed() -> None:
    """Two runs of the interpreted form print the same: a difference between forms is none of the script's."""
    one, other = run(7, pure=True, steps=600), run(7, pure=True, steps=600)
    assert (one.stderr, one.returncode) == ("interpreted", 0), one.stderr
    assert one.stdout == other.stdout
    assert len(one.stdout.splitlines()) == 600


@pytest.mark.parametrize("seed", range(4))
def test_f4_both_forms_print_the_same_transcript(seed: int) -> None:
    """Thousands of calls, good and bad, with the same outcome, call by call."""
    if why_not_compiled():
        pytest.skip(f"no compiled form to compare with: {why_not_compiled()}")
    interpreted, compiled = run(seed, pure=True), run(seed, pure=False)
    assert (interpreted.stderr, compiled.stderr) == ("interpreted", "compiled")
    for mine, theirs in zip(interpreted.stdout.splitlines(), compiled.stdout.splitlines(), strict=True):
        assert mine == theirs
