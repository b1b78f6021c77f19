"""The fuzz target of buffers without a fuzzer: stored lists of operations, and as many random ones as a test may cost.

Owns    the replay of corpus and regressions.
Never   a model: the target has it.
Always  every operation and every shape comes up, or a test says so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz import fuzz_buffer_ops
from tests.fuzz.fuzz_buffer_ops import OPERATIONS, SHAPES

HERE = Path(__file__).resolve().parent
STORED = sorted((HERE / "corpus" / "buffer_ops").glob("*"))


def test_stored_operations_hold() -> None:
    """Whatever once broke a buffer, and what shows each path through the target."""
    assert len(STORED) >= len(SHAPES)
    for path in [*STORED, *sorted((HERE / "regressions").glob("buffer_ops*"))]:
        fuzz_buffer_ops.one_input(path.read_bytes())


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[name.replace(" ", "-") for name in SHAPES])
def test_random_operations_hold(number: int) -> None:
    """Two hundred random lists for each shape."""
    rng = random.Random(number)
    for _ in range(200):
        fuzz_buffer_ops.one_input(bytes((number, rng.randrange(48))) + rng.randbytes(rng.randrange(160)))


def test_the_stored_operations_use_every_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus that leaves an operation out shows the fuzzer less than it could."""
    used = set()
    for operation in OPERATIONS:

        def noting(machine: object, operation: object = operation) -> None:
            used.add(operation)
            operation(machine)  # type: ignore[operator]  # a method of the machine

        wrapped = [noting if other is operation else other for other in fuzz_buffer_ops.OPERATIONS]
        monkeypatch.setattr(fuzz_buffer_ops, "OPERATIONS", tuple(wrapped))
    for path in STORED:
        fuzz_buffer_ops.one_input(path.read_bytes())
    assert used == set(OPERATIONS)
