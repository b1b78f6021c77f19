"""One frame through a pipeline: receive block, decoder, handler, encoder, and out at a sink that does nothing.

Owns    the path from `fire_channel_read` to `sink_write`, the same work by hand, and the stages of the path alone.
Never   a socket, an event loop, a system call: what is measured is what zbuf adds between them.
Always  both sides hand every frame to a Python handler, which writes it back, and both count what reached the end."""

from __future__ import annotations

import gc
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from benchmarks import _pin
from benchmarks._measure import interleave, ratio, spread
from benchmarks._report import Finding, Report, Settings
from zbuf.buffer import ByteBuf, Pool
from zbuf.buffer._bytebuf import adopt
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler, DecoderHandler, EncoderHandler, Handler, Pipeline, Task, Timer

NAME = "pipeline"
SUMMARY = "length-field echo through a pipeline with no socket, against the same framing by hand with bytes and struct"

BODY = 64
RECEIVE = 2048
LONGEST = 65536
BATCHES = (1, 2, 4, 16)  # frames per read; 28 fill the block
METHOD = (
    f"CPU nanoseconds per frame of {BODY} bytes. zbuf: lease and adopt a block that holds n frames, fire_channel_read, "
    "decode, a Python handler writes each frame back, header and body reach a Python sink that releases them, "
    "fire_channel_read_complete and flush. By hand: a bytes object of the same n frames is sliced with struct, each "
    "body goes to a Python handler, which packs header and body into one bytes for a Python sink. Nothing subtracted."
)
STAGES = "CPU nanoseconds per call, one frame at a time; the loop around the call is included."


class Sink:
    """The end of the pipeline: gives everything back, and counts."""

    prefers_bytes = True  # as a channel does

    def __init__(self, pool: Pool) -> None:
        self.allocator = pool
        self.parts = 0

    def sink_write(self, msg: Any, promise: object) -> None:
        self.parts += 1
        if type(msg) is not bytes:
            msg.release()

    def sink_flush(self) -> None:
        pass

    def sink_read(self) -> None:
        pass

    def sink_close(self) -> None:
        pass

    def sink_unread(self, msg: object) -> None:
        raise AssertionError("a message reached the tail")

    def sink_failed(self, exc: BaseException) -> None:
        raise exc

    def sink_time(self) -> float:
        raise AssertionError("nobody here asks for the time")

    def sink_call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        raise AssertionError("nobody here sets a timer")

    def sink_run(self, coroutine: Coroutine[Any, Any, object], failed: Callable[[Exception], object]) -> Task:
        raise AssertionError("nobody here runs a coroutine")


class Echo(Handler[ByteBuf, ByteBuf]):
    """What a user writes."""

    def channel_read(self, ctx: Any, msg: ByteBuf) -> None:
        ctx.write(msg)

    def channel_read_complete(self, ctx: Any) -> None:
        ctx.flush()


class ByHand:
    """The same protocol on bytes: what one writes without a library."""

    head = struct.Struct(">I")

    def __init__(self) -> None:
        self.rest = b""
        self.parts = 0

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        at, end = 0, len(data)
        while end - at >= 4:
            (n,) = self.head.unpack_from(data, at)
            if n > LONGEST:
                raise ValueError(n)
            if end - at - 4 < n:
                break
            self.frame(data[at + 4 : at + 4 + n])
            at += 4 + n
        self.rest = data[at:]

    def frame(self, body: bytes) -> None:
        self.write(self.head.pack(len(body)) + body)

    def write(self, data: bytes) -> None:
        self.parts += 1


def frames(count: int) -> bytes:
    """The bytes of `count` frames."""
    return (BODY.to_bytes(4, "big") + bytes(BODY)) * count


def prefilled(data: bytes) -> Pool:
    """A pool whose next receive block holds `data` already, as if a recv had filled it."""
    pool = Pool()
    memory = pool.lease(RECEIVE)
    memory.export(0, len(data), False)[:] = data
    return pool


def through_pipeline(count: int, *, one_handler: bool) -> Callable[[int], float]:
    """Return a function that sends `n` reads of `count` frames through a pipeline and returns seconds."""
    data = frames(count)
    pool = prefilled(data)
    sink = Sink(pool)
    pipeline = Pipeline(sink)
    decoder, encoder = LengthFieldBasedFrameDecoder(LONGEST, 0, 4, 0, 4), LengthFieldPrepender(4)
    if one_handler:
        pipeline.add_last(CodecHandler(decoder, encoder))
    else:
        pipeline.add_last(DecoderHandler(decoder))
        pipeline.add_last(EncoderHandler(encoder))
    pipeline.add_last(Echo())
    size, lease = len(data), pool.lease

    def run(n: int) -> float:
        sink.parts = 0
        started = time.process_time()
        for _ in range(n):
            pipeline.fire_channel_read(adopt(lease(RECEIVE), size, pool))
            pipeline.fire_channel_read_complete()
        taken = time.process_time() - started
        if sink.parts != 2 * n * count:
            raise AssertionError(f"{sink.parts} parts came out, not {2 * n * count}")
        return taken

    return run


def by_hand(count: int) -> Callable[[int], float]:
    """Return a function that does the same with bytes."""
    received = memoryview(bytearray(frames(count)))
    protocol = ByHand()

    def run(n: int) -> float:
        protocol.parts = 0
        started = time.process_time()
        for _ in range(n):
            protocol.data_received(bytes(received))
        taken = time.process_time() - started
        if protocol.parts != n * count:
            raise AssertionError(f"{protocol.parts} frames came out, not {n * count}")
        return taken

    return run


def stages() -> dict[str, Callable[[int], float]]:
    """The parts of the path, each alone."""
    pool = Pool()
    data = frames(1)
    decoder, encoder = LengthFieldBasedFrameDecoder(LONGEST, 0, 4, 0, 4), LengthFieldPrepender(4)
    body = pool.buffer(BODY)
    body.write_zero(BODY)

    class Drop(Sink):
        def sink_write(self, msg: Any, promise: object) -> None:
            pass

    bare, framed = Pipeline(Drop(pool)), Pipeline(Drop(pool))
    framed.add_last(EncoderHandler(encoder))
    names = {"body": body, "data": data, "pool": pool, "decoder": decoder, "encoder": encoder, "bare": bare}
    statements = {
        "decoder.feed(bytes), next()": "decoder.feed(data); decoder.next()",
        "prepender.encode(msg, pool)": "encoder.encode(body, pool)",
        "pipeline.write to the sink, no handler": "bare.write(body)",
        "pipeline.write through the prepender": "framed.write(body)",
        "body.move()": "move(body)",
    }
    holder: dict[str, Any] = {**names, "framed": framed, "move": lambda buf: buf.retain().move()}
    return {label: _timed(text, holder) for label, text in statements.items()}


def _timed(text: str, names: dict[str, Any]) -> Callable[[int], float]:
    source = f"def run(n):\n  started = clock()\n  for _ in range(n):\n    {text}\n  return clock() - started\n"
    namespace: dict[str, Any] = {**names, "clock": time.process_time}
    exec(compile(source, f"<{text}>", "exec"), namespace)  # the statements are this file's own constants
    run: Callable[[int], float] = namespace["run"]
    return run


def _sampled(run: Callable[[int], float], seconds: float) -> Callable[[], float]:
    """Return a function that takes one sample: nanoseconds per turn, over about `seconds`."""
    n = 16
    while (taken := run(n)) < seconds / 4:
        n *= 2
    turns = max(1, round(n * seconds / taken))

    def sample() -> float:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return run(turns) / turns * 1e9
        finally:
            if collecting:
                gc.enable()

    return sample


def run(settings: Settings) -> Iterator[Report]:
    """Measure the path for each number of frames per read, then its stages."""
    rounds, seconds = settings.rounds_or(9, 3), settings.seconds_or(0.1, 0.02)
    report = Report(
        "one frame through a pipeline",
        METHOD,
        ["frames per read", "two handlers ns", "codec handler ns", "by hand ns", "two handlers / by hand"],
    )
    with _pin.pinned(_pin.HERE):
        for count in BATCHES:
            cases = {
                "two": _sampled(through_pipeline(count, one_handler=False), seconds),
                "one": _sampled(through_pipeline(count, one_handler=True), seconds),
                "hand": _sampled(by_hand(count), seconds),
            }
            samples = {name: [each / count for each in series] for name, series in interleave(cases, rounds).items()}
            figure = ratio(samples["two"], samples["hand"])
            report.add(str(count), *(spread(samples[name]).text(0) for name in cases), figure.text())
            report.findings.append(Finding(f"pipeline echo, {count} frames per read / by hand", figure))
        yield report
        parts = Report("stages of the path", STAGES, ["stage", "ns"])
        for label, series in interleave(
            {label: _sampled(turn, seconds) for label, turn in stages().items()}, rounds
        ).items():
            parts.add(label, spread(series).text(0))
        yield parts
