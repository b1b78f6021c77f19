"""Varints, text and structs against the same written by hand.

Owns    the rows, and the functions one writes for varints without zbuf.
Never   how a statement is timed.
Always  the hand-written side checks what it must to be safe with a peer's bytes: a varint's length, an end of input."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import zbuf
from benchmarks._report import Report, Settings
from benchmarks.micro._loops import PER_PASS, Statement
from benchmarks.micro._rows import Row, measure

NAME = "values"
SUMMARY = "varints, strings and structs against hand-written loops, str.encode and struct"
METHOD = (
    "Nanoseconds per operation, the same loop on every side, nothing subtracted. The varint functions by hand are "
    "those of the pure-Python protobuf library in shape: a loop over the bytes, bounded to ten. struct keeps its "
    "offset in a local `at`; strings by hand are slices of bytes, decoded, and `bytearray +=` of what was encoded."
)
NUMBERS = {"1 byte": 7, "2 bytes": 300, "5 bytes": 2**34, "10 bytes": 2**64 - 1}
TEXTS = {"12 ASCII": "content-type", "200 ASCII": "a" * 200, "12 of 2 bytes": "äöüßéèêàçñøå"}
LAYOUT = struct.Struct(">HBBIIQIH")
VALUES = (0xCAFE, 1, 3, 77, 4096, 1_700_000_000_000, 0xDEADBEEF, 9)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise ValueError("more than 64 bits")
            return value, at
        shift += 7
        if shift >= 70:
            raise ValueError("more than ten bytes")


def write_varint(out: bytearray, value: int) -> None:
    """Append the number in its shortest form."""
    if not 0 <= value < 1 << 64:
        raise OverflowError(value)
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def rows() -> Iterator[Row]:
    """Yield every operation."""
    for label, value in NUMBERS.items():
        yield from _varint(label, value)
    for label, text in TEXTS.items():
        yield from _text(label, text)
    yield from _struct()


def run(settings: Settings) -> Iterator[Report]:
    """Measure every row."""
    yield measure("varints, text, structs", METHOD, rows(), settings)


def _varint(label: str, value: int) -> Iterator[Row]:
    out = bytearray()
    write_varint(out, value)
    data = bytes(out) * PER_PASS
    buf = zbuf.copied(data)
    hand = {"data": data, "out": bytearray(), "read_varint": read_varint, "write_varint": write_varint, "value": value}
    yield Row(
        f"read_varint() of {label}",
        Statement("value = buf.read_varint()", {"buf": buf, "value": 0}, reset="buf.reader_index = 0"),
        {"loop by hand": Statement("value, at = read_varint(data, at)", hand, reset="at = 0")},
    )
    yield Row(
        f"write_varint() of {label}",
        Statement("buf.write_varint(value)", {"buf": buf, "value": value}, reset="buf.clear()"),
        {"loop by hand": Statement("write_varint(out, value)", hand, reset="out.clear()")},
    )


def _text(label: str, text: str) -> Iterator[Row]:
    size = len(text.encode())
    data = text.encode() * PER_PASS
    buf = zbuf.copied(data)
    ours = {"buf": buf, "text": text, "n": size}
    hand = {"data": data, "out": bytearray(), "stream": io.BytesIO(data), "text": text, "n": size}
    yield Row(
        f"read_string() of {label}",
        Statement("text = buf.read_string(n)", ours, reset="buf.reader_index = 0"),
        {
            "bytes slice, decoded": Statement("text = data[at:at + n].decode(); at += n", hand, reset="at = 0"),
            "BytesIO.read, decoded": Statement("text = stream.read(n).decode()", hand, reset="stream.seek(0)"),
        },
    )
    yield Row(
        f"write_string() of {label}",
        Statement("buf.write_string(text)", ours, reset="buf.clear()"),
        {"bytearray += encoded": Statement("out += text.encode()", hand, reset="out.clear()")},
    )


def _struct() -> Iterator[Row]:
    data = LAYOUT.pack(*VALUES) * PER_PASS
    buf = zbuf.copied(data)
    ours = {"buf": buf, "layout": LAYOUT, "values": VALUES}
    hand = {
        "data": bytearray(data), "stream": io.BytesIO(data), "values": VALUES, "n": LAYOUT.size,
        "unpack_from": LAYOUT.unpack_from, "unpack": LAYOUT.unpack, "pack_into": LAYOUT.pack_into,
    }  # fmt: skip
    yield Row(
        "read_struct() of 8 fields",
        Statement("values = buf.read_struct(layout)", ours, reset="buf.reader_index = 0"),
        {
            "unpack_from, at += n": Statement("values = unpack_from(data, at); at += n", hand, reset="at = 0"),
            "BytesIO.read, unpack": Statement("values = unpack(stream.read(n))", hand, reset="stream.seek(0)"),
        },
    )
    yield Row(
        "get_struct() of 8 fields",
        Statement("values = buf.get_struct(at, layout)", ours, setup="at = 26"),
        {"unpack_from": Statement("values = unpack_from(data, at)", hand, setup="at = 26")},
    )
    yield Row(
        "write_struct() of 8 fields",
        Statement("buf.write_struct(layout, *values)", ours, reset="buf.clear()"),
        {"pack_into, at += n": Statement("pack_into(data, at, *values); at += n", hand, reset="at = 0")},
    )
