"""Each numbered behaviour of buffers, allocators and interop has a test named after it.

Owns    the look from the list of behaviours to the names of tests.
Never   whether a test keeps what its name says.
Always  the list is not part of the project; where it is not beside the checkout, this says so and skips."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
LIST = TESTS.parents[1] / "shared" / "BEHAVIOURS.md"
LAST = 129  # those behind are decoders, queues, channels


def rows() -> list[int]:
    """The numbers of the list, up to the last one about buffers."""
    if not LIST.is_file():
        pytest.skip(f"the list of behaviours is not here: {LIST}")
    return [int(found[1]) for found in re.finditer(r"^(\d+)\. ", LIST.read_text(), re.M) if int(found[1]) <= LAST]


def test_every_behaviour_of_buffers_has_a_test_named_after_it() -> None:
    """test_b042_... for row 42; one test may be named after several rows."""
    named: defaultdict[int, list[str]] = defaultdict(list)
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"^\s*def (test_\w+)", path.read_text(), re.M):
            for number in re.findall(r"_b(\d{3})(?=_)", name):
                named[int(number)].append(name)
    wanted = rows()
    assert len(wanted) == LAST
    assert [number for number in wanted if not named[number]] == []
