"""The fuzz targets of HTTP without a fuzzer: stored inputs, and as many random ones as a test may cost."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import fuzz_http_head, fuzz_http_ranges, fuzz_http_target
from zbuf.protocols.http import StaticFiles

HERE = Path(__file__).resolve().parent
WORDS = {
    "http_head": [
        b"GET ",
        b"/",
        b" HTTP/1.1\r\n",
        b"Host: h\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b":",
        b" ",
        b"\t",
        b"\xff",
    ]
    + [b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"5", b"Connection: close\r\n", b"a" * 40],
    "http_target": [b"/", b"..", b".", b"%2e", b"%2f", b"%5c", b"%00", b"%", b"\\", b"a", b"dir", b"out", b"up", b"b"]
    + [b"fifo", b"?", b"http://h", b"secret", b"%c3%a9", b"//"],
    "http_ranges": [b"bytes=", b"-", b"0", b"9", b",", b" ", b"9" * 20, b'"', b"W/", b"*", b"\xff", b"\0"]
    + [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT"],
}


@pytest.fixture
def targets(tmp_path: Path) -> dict[str, Callable[[bytes], None]]:
    """Each target as a function of one input."""

    def ask(data: bytes) -> None:
        with StaticFiles(tmp_path / "root") as files:
            fuzz_http_target.one_input(data, files)

    fuzz_http_target.tree(tmp_path)
    return {"http_head": fuzz_http_head.one_input, "http_ranges": fuzz_http_ranges.one_input, "http_target": ask}


@pytest.mark.parametrize("name", WORDS)
def test_stored_inputs_hold(name: str, targets: dict[str, Callable[[bytes], None]]) -> None:
    """Whatever once broke a target, and what shows each path through it."""
    stored = sorted((HERE / "corpus" / name).glob("*"))
    assert stored
    for path in [*stored, *sorted((HERE / "regressions").glob(f"{name}*"))]:
        targets[name](path.read_bytes())


@pytest.mark.parametrize("name", WORDS)
def test_random_inputs_hold(name: str, targets: dict[str, Callable[[bytes], None]]) -> None:
    """A thousand sequences of the words that matter to the grammar."""
    rng = random.Random(20)
    for _ in range(1000):
        targets[name](b"".join(rng.choices(WORDS[name], k=rng.randint(0, 12))))
