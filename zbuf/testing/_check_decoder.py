"""Does a decoder give the same messages however its input is cut?

Owns    the cuts, the shapes, and the report of the first one that differs.
Never   a wire format: what is right is what the caller says.
Always  every run uses a decoder of its own; frames are looked at once more after everything else is gone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from zbuf.buffer import ByteBuf, release
from zbuf.codec import NEED_DATA, Decoder
from zbuf.errors import DecodeError, IncompleteFrameError
from zbuf.testing._shapes import shapes

__all__ = ["check_decoder"]

RANDOM_CUTS = 100


def check_decoder(
    make: Callable[[], Decoder[Any]],
    data: bytes,
    expected: Sequence[object],
    *,
    seed: int = 0,
) -> None:
    """Check that decoders from `make` turn `data` into `expected`, whole and however it is cut.

    `expected` lists the messages (a buffer equals its bytes). An exception class in it stands for a DecodeError of
    that class at that place; if it is the last item, the run ends there. IncompleteFrameError as the last item means
    that the input ends inside a frame: it is what `end()` raises.

    The cuts: whole, every single cut, byte by byte, 100 random ones (from `seed`), and the whole in every shape of
    `zbuf.testing.shapes`. Checked besides: the same number of bytes is left, `needed` is at least 1 after NEED_DATA,
    frames still hold their bytes when the decoder and all input are gone.
    Raises: AssertionError that names the failing cut. Source: swift-nio ByteToMessageDecoderVerifier."""
    want = [_plain(item) for item in expected]
    unread: int | None = None
    for cut, pieces in _cuts(data, random.Random(seed)):
        got, left = _decode(make, pieces, want, cut)
        if got != want:
            raise AssertionError(_difference(cut, want, got))
        if unread is None:
            unread = left
        if left != unread:
            raise AssertionError(f"{cut}: {left} bytes are left, {unread} when fed whole")


def _cuts(data: bytes, rng: random.Random) -> Iterator[tuple[str, Iterable[Any]]]:
    yield "fed whole", [data]
    for at in range(1, len(data)):
        yield f"cut at {at} of {len(data)}", [data[:at], data[at:]]
    yield "byte by byte", _split(data, range(1, len(data)))
    for n in range(RANDOM_CUTS if len(data) > 2 else 0):
        places = sorted(rng.sample(range(1, len(data)), rng.randint(1, min(len(data) - 1, 12))))
        yield f"random cut {n} at {places}", _split(data, places)
    for name, buf in shapes(data).items():
        yield f"fed whole as {name}", [buf]
    half = len(data) // 2
    for (name, first), second in zip(shapes(data[:half]).items(), shapes(data[half:]).values(), strict=True):
        yield f"cut at {half} of {len(data)}, both parts as {name}", [first, second]


def _split(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = [*places, len(data)]
    starts = [0, *ends[:-1]]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def _decode(
    make: Callable[[], Decoder[Any]], pieces: Iterable[Any], want: list[object], cut: str
) -> tuple[list[object], int]:
    """Run one decoder over `pieces` and return what came out, and how many bytes were left unread."""
    decoder = make()
    stop_after = len(want) if want and _is_error(want[-1]) else None
    got: list[object] = []
    frames: list[tuple[ByteBuf, bytes]] = []
    waiting = list(pieces)
    while waiting:
        decoder.feed(waiting.pop(0))
        if not _take_all(decoder, got, frames, stop_after, cut):
            _release_all(waiting)
            waiting.clear()
    left = decoder.buffered
    if want and want[-1] is IncompleteFrameError and len(got) == len(want) - 1:
        try:
            decoder.end()
        except IncompleteFrameError:
            got.append(IncompleteFrameError)
    else:
        release(decoder.leftover())
    del decoder
    for frame, content in frames:
        assert bytes(frame) == content, f"{cut}: a frame changed after it was handed out"
        frame.release()
    return got, 0 if stop_after is not None else left


def _take_all(
    decoder: Decoder[Any],
    got: list[object],
    frames: list[tuple[ByteBuf, bytes]],
    stop_after: int | None,
    cut: str,
) -> bool:
    """Take messages until the decoder needs data (True) or the run is over (False)."""
    errors_at = -1
    while stop_after is None or len(got) < stop_after:
        try:
            message = decoder.next()
        except DecodeError as exc:
            got.append(type(exc))
            if decoder.buffered == errors_at:
                return False  # two errors at one place: it does not go on
            errors_at = decoder.buffered
            continue
        if message is NEED_DATA:
            assert decoder.needed >= 1, f"{cut}: NEED_DATA, but needed is {decoder.needed}"
            return True
        if isinstance(message, ByteBuf):
            frames.append((message, bytes(message)))
        got.append(_plain(message))
    return False


def _plain(item: object) -> object:
    return bytes(item) if isinstance(item, (ByteBuf, bytearray, memoryview)) else item


def _is_error(item: object) -> bool:
    return isinstance(item, type) and issubclass(item, Exception)


def _release_all(pieces: list[Any]) -> None:
    for piece in pieces:
        release(piece)


def _difference(cut: str, want: list[object], got: list[object]) -> str:
    at = 0
    while at < min(len(want), len(got)) and want[at] == got[at]:
        at += 1
    expected = repr(want[at]) if at < len(want) else "no more"
    actual = repr(got[at]) if at < len(got) else "no more"
    return f"{cut}: item {at} is {actual}, not {expected} ({len(got)} items came, {len(want)} were expected)"
