"""The fuzz target of the decompressors without a fuzzer: stored inputs, and as many random ones as a test may cost."""

import random
from pathlib import Path

import pytest

from tests.fuzz import fuzz_compression
from zbuf.codec.compression import compress

HERE = Path(__file__).resolve().parent
LIBRARIES = {"zstd": "zstandard", "lz4": "lz4.frame", "brotli": "brotli"}


def test_stored_inputs_hold() -> None:
    """Whatever once broke a decoder, and what shows each path through it."""
    for library in LIBRARIES.values():
        pytest.importorskip(library)
    stored = sorted((HERE / "corpus" / "compression").glob("*"))
    assert stored
    for path in [*stored, *sorted((HERE / "regressions").glob("compression*"))]:
        fuzz_compression.one_input(path.read_bytes())


@pytest.mark.parametrize("name", fuzz_compression.NAMES)
def test_mutated_streams_hold_b130_b131(name: str) -> None:
    """Good streams with bytes changed, removed, doubled, and other streams in their middle."""
    pytest.importorskip(LIBRARIES.get(name, "zlib"))
    rng = random.Random(name)
    good = [
        bytes(compress(content, name))  # type: ignore[arg-type]  # a Coding
        for content in (b"", b"x", fuzz_compression.CONTENT, rng.randbytes(60), bytes(19_000), bytes(30_000))
    ]
    for _ in range(300):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randint(0, 3)):
            at = rng.randrange(len(data) + 1)
            change = rng.randrange(4)
            if change == 0 and at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            elif change == 1:
                del data[at : at + rng.randint(1, 4)]
            elif change == 2:
                data[at:at] = data[at : at + rng.randint(1, 8)]
            else:
                data[at:at] = rng.choice(good)
        fuzz_compression.check(name, bytes(data))


@pytest.mark.parametrize("index", range(len(fuzz_compression.NAMES)))
def test_random_bytes_hold_b131(index: int) -> None:
    """Bytes with no sense at all, with and without a good head."""
    pytest.importorskip(LIBRARIES.get(fuzz_compression.NAMES[index], "zlib"))
    rng = random.Random(index)
    for n in range(200):
        first = index | (fuzz_compression.WITH_HEAD if n % 2 else 0)
        fuzz_compression.one_input(bytes([first]) + rng.randbytes(rng.randint(0, 60)))
