"""Bytes in and out of a buffer against BytesIO, slices of bytes, and memoryviews.

Owns    the rows: reading, writing and looking at runs of bytes, of three sizes.
Never   how a statement is timed.
Always  every side keeps its own position; what copies stands beside what copies, and what does not beside what does
        not. Pieces of 64 KiB start again at the front each time, on every side."""

from __future__ import annotations

import io
from collections.abc import Iterator

import zbuf
from benchmarks._report import Report, Settings
from benchmarks.micro._loops import PER_PASS, Statement
from benchmarks.micro._rows import Row, measure, room, walking

NAME = "bulk"
SUMMARY = "runs of bytes in and out: read_bytes, write_bytes, views against BytesIO, bytes slicing, memoryview"
SIZES = (16, 1024, 65536)
METHOD = (
    "Nanoseconds per operation, the same loop on every side, nothing subtracted. Reading copies out of 1024 pieces in "
    "a row; writing goes into room that is there. BytesIO keeps its own position, the others a local `at`. `bytes "
    "slicing` reads an immutable object and writes by `bytearray +=`."
)


def rows() -> Iterator[Row]:
    """Yield every operation in every size it comes in."""
    for size in SIZES:
        yield from _reading(size)
        yield from _writing(size)
    yield from _looking()


def run(settings: Settings) -> Iterator[Report]:
    """Measure every row; a quick run leaves out the middle size."""
    yield measure("runs of bytes", METHOD, rows(), settings)


def _reading(size: int) -> Iterator[Row]:
    data = bytes(range(256)) * (room(size) // 256 + 1)
    stream, view = io.BytesIO(data), memoryview(data)
    buf = zbuf.copied(data)
    ours = {"buf": buf, "piece": None, "n": size, "into": bytearray(size)}
    hand = {"data": data, "view": view, "stream": stream, "piece": None, "n": size, "into": bytearray(size)}
    quick = size != 1024
    back, rewind, at_0 = "buf.reader_index = 0", "stream.seek(0)", "at = 0"
    yield Row(
        f"read_bytes({size})",
        walking("piece = buf.read_bytes(n)", ours, size, back),
        {
            "bytes slicing": walking("piece = data[at:at + n]; at += n", hand, size, at_0),
            "bytes(memoryview slice)": walking("piece = bytes(view[at:at + n]); at += n", hand, size, at_0),
            "BytesIO.read": walking("piece = stream.read(n)", hand, size, rewind),
        },
        in_quick_run=quick,
    )
    yield Row(
        f"get_bytes(at, {size})",
        Statement("piece = buf.get_bytes(at, n)", ours, setup="at = 3"),
        {"bytes slicing": Statement("piece = data[at:at + n]", hand, setup="at = 3")},
        in_quick_run=quick,
    )
    yield Row(
        f"read_bytes_into(bytearray({size}))",
        walking("buf.read_bytes_into(into)", ours, size, back),
        {
            "memoryview slice assignment": walking("into[:] = view[at:at + n]; at += n", hand, size, at_0),
            "BytesIO.readinto": walking("stream.readinto(into)", hand, size, rewind),
        },
        in_quick_run=quick,
    )
    yield Row(
        f"read_slice({size})",
        walking("piece = buf.read_slice(n)", ours, size, back),
        {"bytes slicing (copies)": walking("piece = data[at:at + n]; at += n", hand, size, at_0)},
        in_quick_run=quick,
    )


def _writing(size: int) -> Iterator[Row]:
    whole = room(size)
    piece = bytes(range(256)) * (size // 256 + 1)
    piece = piece[:size]
    buf = zbuf.buffer(whole)
    buf.write_zero(whole)
    ours = {"buf": buf, "piece": piece, "n": size}
    hand = {"out": bytearray(), "view": memoryview(bytearray(whole)), "stream": io.BytesIO(), "piece": piece, "n": size}
    quick = size != 1024
    yield Row(
        f"write_bytes({size})",
        walking("buf.write_bytes(piece)", ours, size, "buf.clear()"),
        {
            "bytearray +=": walking("out += piece", hand, size, "out.clear()"),
            "memoryview slice assignment": walking("view[at:at + n] = piece; at += n", hand, size, "at = 0"),
            "BytesIO.write": walking("stream.write(piece)", hand, size, "stream.seek(0)"),
        },
        in_quick_run=quick,
    )
    yield Row(
        f"set_bytes(at, {size})",
        Statement("buf.set_bytes(at, piece)", ours, setup="at = 0"),
        {"memoryview slice assignment": Statement("view[at:at + n] = piece", hand, setup="at = 0")},
        in_quick_run=quick,
    )
    yield Row(
        f"write_zero({size})",
        walking("buf.write_zero(n)", ours, size, "buf.clear()"),
        {"bytearray += bytes(n)": walking("out += bytes(n)", hand, size, "out.clear()")},
        in_quick_run=quick,
    )


def _looking() -> Iterator[Row]:
    data = bytes(range(256)) * 256
    buf, view = zbuf.copied(data), memoryview(data)
    ours = {"buf": buf, "piece": None, "n": 16, "data": data}
    hand = {"view": view, "piece": None, "n": 16, "data": data}
    yield Row(
        "view() of 64 KiB",
        Statement("piece = buf.view()", ours),
        {"memoryview(data)": Statement("piece = memoryview(data)", hand)},
    )
    yield Row(
        "readable_views() of one piece",
        Statement("piece = buf.readable_views()", ours),
        {"[memoryview(data)]": Statement("piece = [memoryview(data)]", hand)},
    )
    yield Row(
        "bytes(buf) of 64 KiB",
        Statement("piece = bytes(buf)", ours),
        {"bytes(memoryview)": Statement("piece = bytes(view)", hand)},
    )
    yield Row(
        "buf == bytes, 64 KiB",
        Statement("piece = buf == data", ours),
        {"memoryview == bytes": Statement("piece = view == data", hand)},
    )
    yield Row(
        "skip_bytes(16)",
        Statement("buf.skip_bytes(n)", ours, reset="buf.reader_index = 0"),
        {"at += n": Statement("at += n", hand, reset="at = 0")},
    )
    small = zbuf.copied(data[: 16 * PER_PASS])
    yield Row(
        "buf[i]",
        Statement("piece = buf[at]", {"buf": small, "piece": None}, setup="at = 77"),
        {"bytes[i]": Statement("piece = data[at]", hand, setup="at = 77")},
    )
