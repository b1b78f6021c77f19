"""The fuzz target of the codecs without a fuzzer: stored inputs, and as many random ones as a test may cost."""

import random
from pathlib import Path

import pytest

from tests.fuzz import fuzz_codecs

HERE = Path(__file__).resolve().parent


def test_stored_inputs_hold() -> None:
    """Whatever once broke a decoder, and what shows each path through it."""
    stored = sorted((HERE / "corpus" / "codecs").glob("*"))
    assert stored
    for path in [*stored, *sorted((HERE / "regressions").glob("codecs*"))]:
        fuzz_codecs.one_input(path.read_bytes())


@pytest.mark.parametrize("name", fuzz_codecs.NAMES)
def test_random_inputs_hold_b130_b131(name: str) -> None:
    """Hundreds of sequences of the words that matter to the grammar: the same outcome for every cut."""
    make, words = fuzz_codecs.DECODERS[name]
    rng = random.Random(name)
    for _ in range(800):
        fuzz_codecs.check(make, b"".join(rng.choices(words, k=rng.randint(0, 12))))


@pytest.mark.parametrize("name", fuzz_codecs.NAMES)
def test_random_bytes_hold_b131(name: str) -> None:
    """Bytes with no sense at all."""
    make, _ = fuzz_codecs.DECODERS[name]
    rng = random.Random(name)
    for _ in range(200):
        fuzz_codecs.check(make, rng.randbytes(rng.randint(0, 40)))
