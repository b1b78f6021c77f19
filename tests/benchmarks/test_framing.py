"""The framing group: every side hands out the same bodies, however the stream is cut, and refuses what is too long."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.against._frames import LONGEST, Streams
from benchmarks.codec.bench_framing import BY_LENGTH, BY_LINE, Makers, copies_of, pieces_of

BODIES = [b"one", b"", b"x" * 5000, b"last"]
WIRE = {
    "length": b"".join(len(body).to_bytes(4, "big") + body for body in BODIES),
    "line": b"".join(body + b"\n" for body in BODIES),
}
SIDES = [(kind, name) for kind, makers in (("length", BY_LENGTH), ("line", BY_LINE)) for name in makers]


def made(kind: str, name: str, take: Callable[[Any], object]) -> Any:
    """A parser by the name of its column."""
    makers: Makers = BY_LENGTH if kind == "length" else BY_LINE
    return makers[name](take)


@pytest.mark.parametrize(("kind", "name"), SIDES)
@pytest.mark.parametrize("step", [1, 3, 1000, 10_000])
def test_every_side_hands_out_the_same_bodies(kind: str, name: str, step: int) -> None:
    """Whole, and cut every so many bytes."""
    got: list[bytes] = []
    parser = made(kind, name, lambda body: got.append(bytes(body)))
    data = WIRE[kind]
    for at in range(0, len(data), step):
        parser.feed(data[at : at + step])
    if isinstance(parser, Streams):
        parser.close()
    assert got == BODIES


@pytest.mark.parametrize(("kind", "name"), SIDES)
def test_every_side_bounds_a_frame(kind: str, name: str) -> None:
    """A frame beyond the limit is refused by all: none may hold what a peer likes."""
    parser = made(kind, name, len)
    data = b"\xff\xff\xff\xff" if kind == "length" else b"x" * (LONGEST + 2)
    try:
        with pytest.raises((ValueError, asyncio.LimitOverrunError)):
            parser.feed(data)
    finally:
        if isinstance(parser, Streams):
            parser.close()


def test_copies_are_counted_per_payload_byte() -> None:
    """Frames that end with each piece: zbuf copies none, a bytearray twice, slices once."""
    frame = (65536 - 4).to_bytes(4, "big") + bytes(65532)
    said = copies_of(BY_LENGTH, pieces_of(frame, 4), 4, 65536, 65532)
    assert said == "0.00 2.00 1.00 2.00"
