"""Frames out of pieces: a length field or a line end, from 64 bytes to 1 MiB.

Owns    the streams of frames, and the run of zbuf's decoders over them.
Never   a socket, an event loop, a pipeline: what is measured is the cutting of frames.
Always  all sides get the same bytes objects and hand the same bodies to the same function; what arrived is compared."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import _pin
from benchmarks._measure import better_of, interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings
from benchmarks.against._frames import (
    InBytearray,
    InBytes,
    LinesInBytearray,
    LinesInBytes,
    LineStreams,
    Parser,
    Streams,
)
from zbuf.audit import process_account
from zbuf.codec import Decoder, LengthFieldBasedFrameDecoder, LineBasedFrameDecoder

NAME = "framing"
SUMMARY = "frames by length field and by line, without a socket, against asyncio streams and parsers written by hand"

PIECE = 65536  # what one read brings
LONGEST = 2 << 20
BODIES = (64, 1024, 16 << 10, 64 << 10, 1 << 20)
IN_QUICK_RUN = (64, 64 << 10)
BYTES_PER_RUN = 8 << 20
METHOD = (
    "Messages per CPU second, in thousands. The stream comes as bytes objects of 64 KiB that exist before the clock "
    "starts; every body goes to a function that adds up lengths. zbuf's bodies are slices of the pieces, chained where "
    "a frame spans several; the others hand out bytes. bytearray and bytes: parsers written by hand; streams: "
    "StreamReader with readexactly or readuntil, resumed by hand, without its loop. Copies are payload bytes copied in "
    "user space per payload byte, in the columns' order: zbuf's by its meter, the others' by what their code does."
)
COLUMNS = [
    "framing",
    "body",
    "zbuf k/s",
    "bytearray k/s",
    "bytes k/s",
    "streams k/s",
    "zbuf / best by hand",
    "zbuf / streams",
    "copies",
]


class Total:
    """The function that bodies go to: adds up how many there were and how long."""

    def __init__(self) -> None:
        self.count = self.size = 0

    def take(self, body: Any) -> None:
        """Count one body."""
        self.count += 1
        self.size += len(body)


class Zbuf:
    """zbuf's decoder with the face of its rivals."""

    def __init__(self, decoder: Decoder[Any], take: Callable[[Any], object]) -> None:
        self._decoder = decoder
        self._take = take

    def feed(self, data: bytes) -> None:
        """Feed a piece and hand every frame on."""
        self._decoder.feed(data)
        for frame in self._decoder:
            self._take(frame)


Makers = dict[str, Callable[[Callable[[Any], object]], Any]]

BY_LENGTH: Makers = {
    "zbuf": lambda take: Zbuf(LengthFieldBasedFrameDecoder(LONGEST, 0, 4, 0, 4), take),
    "bytearray": InBytearray,
    "bytes": InBytes,
    "streams": Streams,
}
BY_LINE: Makers = {
    "zbuf": lambda take: Zbuf(LineBasedFrameDecoder(LONGEST), take),
    "bytearray": LinesInBytearray,
    "bytes": LinesInBytes,
    "streams": LineStreams,
}


def pieces_of(frame: bytes, count: int) -> list[bytes]:
    """The bytes of `count` frames, as reads bring them."""
    data = frame * count
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def runner(
    make: Callable[[Callable[[Any], object]], Any], pieces: list[bytes], count: int, body: int
) -> Callable[[], float]:
    """Return a function that runs one parser over all pieces and returns thousands of messages per CPU second."""

    def run() -> float:
        total = Total()
        parser = make(total.take)
        collecting = gc.isenabled()
        gc.disable()
        try:
            started = time.thread_time()
            for piece in pieces:
                parser.feed(piece)
            taken = time.thread_time() - started
        finally:
            if collecting:
                gc.enable()
            if isinstance(parser, Streams):
                parser.close()
        if (total.count, total.size) != (count, count * body):
            raise AssertionError(f"{total.count} bodies of {total.size} bytes came, not {count} of {count * body}")
        return count / taken / 1000

    return run


def copies_of(makers: Makers, pieces: list[bytes], count: int, frame: int, body: int) -> str:
    """How often each side copies a payload byte, in the order of the columns."""
    before = process_account().snapshot()
    runner(makers["zbuf"], pieces, count, body)()
    user = (process_account().snapshot() - before).user
    found = [sum(one.nbytes for one in user.values()) / (count * body)]
    for name in ("bytearray", "bytes", "streams"):
        parser: Parser = makers[name](len)
        found.append(parser.copies(pieces, frame, body))
        if isinstance(parser, Streams):
            parser.close()
    return " ".join(f"{each:.2f}" for each in found)


def run(settings: Settings) -> Iterator[Report]:
    """Measure both framings at each size."""
    rounds = settings.rounds_or(9, 3)
    size_of_run = BYTES_PER_RUN if not settings.quick else 1 << 20
    report = Report("framing", METHOD, COLUMNS)
    with _pin.pinned(_pin.HERE):
        for label, makers, head, tail in (
            ("length field", BY_LENGTH, 4, b""),
            ("line", BY_LINE, 0, b"\n"),
        ):
            for body in IN_QUICK_RUN if settings.quick else BODIES:
                frame = body.to_bytes(4, "big")[4 - head :] + b"x" * body + tail
                count = max(4, min(20_000, size_of_run // len(frame)))
                pieces = pieces_of(frame, count)
                cases = {name: runner(make, pieces, count, body) for name, make in makers.items()}
                samples = interleave(cases, rounds)
                slowness = {name: [1 / each for each in series] for name, series in samples.items()}
                by_hand = ratio(better_of(slowness["bytearray"], slowness["bytes"]), slowness["zbuf"])
                by_streams = ratio(slowness["streams"], slowness["zbuf"])
                report.add(
                    label,
                    f"{body >> 10} KiB" if body >= 1024 else f"{body} B",
                    *(f"{spread(samples[name]).median:.1f}" for name in makers),
                    by_hand.text(),
                    by_streams.text(),
                    copies_of(makers, pieces, count, len(frame), body),
                )
                report.findings.append(Finding(f"{label} {body}, zbuf / best by hand", by_hand))
                report.findings.append(Finding(f"{label} {body}, zbuf / streams", by_streams))
    yield report
