"""A header of eight fields, read and built in every way that people use.

Owns    the record, and how each way reads and builds it.
Never   how a statement is timed.
Always  every way ends with the same eight values, or the same 26 bytes; a test compares them before any is timed."""

from __future__ import annotations

import importlib.util
import io
import struct
from collections.abc import Iterator
from typing import Any

import zbuf
from benchmarks._report import Report, Settings
from benchmarks.micro._loops import PER_PASS, Statement
from benchmarks.micro._rows import Row, measure

NAME = "records"
SUMMARY = "a header of 8 fields, field by field and at once, against struct, BytesIO, int.from_bytes, construct"

# magic, version, flags, channel, length, timestamp, checksum, priority: 26 bytes, big-endian
FIELDS = {"magic": 2, "version": 1, "flags": 1, "channel": 4, "length": 4, "timestamp": 8, "checksum": 4, "priority": 2}
CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
LAYOUT = struct.Struct(">" + "".join(CODES[size] for size in FIELDS.values()))
VALUES = (0xCAFE, 1, 3, 77, 4096, 1_700_000_000_000, 0xDEADBEEF, 9)
VERBS = {1: "byte", 2: "short", 4: "int", 8: "long"}
METHOD = (
    "Nanoseconds per record of eight fields and 26 bytes; every side ends with the same eight local names or the same "
    "bytes. `field by field` is what a program does that decides after each field what comes next; `at once` needs a "
    "fixed layout. construct is measured as written and with its own compile()."
)


def rows() -> Iterator[Row]:
    """Yield reading and building, field by field and at once, each against everything that fits."""
    data = LAYOUT.pack(*VALUES) * PER_PASS
    read, built = dict(_ways_to_read(data)), dict(_ways_to_build())
    for title, ways in (("read", read), ("build", built)):
        rivals = {name: way for name, way in ways.items() if not name.startswith("zbuf")}
        yield Row(f"{title}, field by field", ways["zbuf, field by field"], rivals)
        at_once = {name: way for name, way in rivals.items() if "field" not in name and "int." not in name}
        yield Row(f"{title}, at once", ways["zbuf, at once"], at_once)


def run(settings: Settings) -> Iterator[Report]:
    """Measure both directions."""
    missing = "" if importlib.util.find_spec("construct") else " construct is not installed here."
    yield measure("a record of eight fields", METHOD + missing, rows(), settings)


def _ways_to_read(data: bytes) -> Iterator[tuple[str, Statement]]:
    buf = zbuf.copied(data)
    reads = [f"{name} = buf.read_unsigned_{VERBS[size]}()" for name, size in FIELDS.items()]
    back = "buf.reader_index = 0"
    names = ", ".join(FIELDS)
    yield "zbuf, field by field", Statement("; ".join(reads), {"buf": buf}, reset=back)
    yield (
        "zbuf, at once",
        Statement(f"{names} = buf.read_struct(layout)", {"buf": buf, "layout": LAYOUT}, reset=back),
    )
    layouts = {f"unpack_{size}": struct.Struct(">" + code).unpack_from for size, code in CODES.items()}
    steps = [f"({name},) = unpack_{size}(data, at); at += {size}" for name, size in FIELDS.items()]
    yield "struct, field by field", Statement("; ".join(steps), {"data": data, **layouts}, reset="at = 0")
    at_once = {"data": data, "unpack_from": LAYOUT.unpack_from}
    yield (
        "struct, at once",
        Statement(f"{names} = unpack_from(data, at); at += {LAYOUT.size}", at_once, reset="at = 0"),
    )
    steps = [f"{name} = from_bytes(data[at:at + {size}], 'big'); at += {size}" for name, size in FIELDS.items()]
    whole = {"data": data, "from_bytes": int.from_bytes}
    yield "int.from_bytes, field by field", Statement("; ".join(steps), whole, reset="at = 0")
    stream = io.BytesIO(data)
    unpackers = {f"unpack_{size}": struct.Struct(">" + code).unpack for size, code in CODES.items()}
    steps = [f"({name},) = unpack_{size}(read({size}))" for name, size in FIELDS.items()]
    stepping = {"stream": stream, "read": stream.read, **unpackers}
    yield "BytesIO + struct, field by field", Statement("; ".join(steps), stepping, reset="stream.seek(0)")
    text = f"{names} = unpack(read({LAYOUT.size}))"
    yield (
        "BytesIO + struct, at once",
        Statement(text, {"stream": stream, "read": stream.read, "unpack": LAYOUT.unpack}, reset="stream.seek(0)"),
    )
    for name, format_ in _constructs():
        take = "; ".join(f"{field} = record.{field}" for field in FIELDS)
        text = f"record = parse(stream); {take}"
        yield name, Statement(text, {"stream": stream, "parse": format_.parse_stream}, reset="stream.seek(0)")


def _ways_to_build() -> Iterator[tuple[str, Statement]]:
    values = dict(zip(FIELDS, VALUES, strict=True))
    names = ", ".join(FIELDS)
    buf = zbuf.buffer(LAYOUT.size * PER_PASS)
    writes = "; ".join(f"buf.write_{VERBS[size]}({name})" for name, size in FIELDS.items())
    yield "zbuf, field by field", Statement(writes, {"buf": buf, **values}, reset="buf.clear()")
    yield (
        "zbuf, at once",
        Statement(f"buf.write_struct(layout, {names})", {"buf": buf, "layout": LAYOUT, **values}, reset="buf.clear()"),
    )
    data = bytearray(LAYOUT.size * PER_PASS)
    packers = {f"pack_{size}": struct.Struct(">" + code).pack_into for size, code in CODES.items()}
    steps = "; ".join(f"pack_{size}(data, at, {name}); at += {size}" for name, size in FIELDS.items())
    yield "struct, field by field", Statement(steps, {"data": data, **packers, **values}, reset="at = 0")
    text = f"pack_into(data, at, {names}); at += {LAYOUT.size}"
    yield "struct, at once", Statement(text, {"data": data, "pack_into": LAYOUT.pack_into, **values}, reset="at = 0")
    steps = "; ".join(f"out += {name}.to_bytes({size}, 'big')" for name, size in FIELDS.items())
    yield "int.to_bytes, bytearray +=", Statement(steps, {"out": bytearray(), **values}, reset="out.clear()")
    stream = io.BytesIO()
    names_of_stream = {"stream": stream, "write": stream.write, **values}
    packing = {f"pack_{size}": struct.Struct(">" + code).pack for size, code in CODES.items()}
    steps = "; ".join(f"write(pack_{size}({name}))" for name, size in FIELDS.items())
    yield (
        "BytesIO + struct, field by field",
        Statement(steps, {**names_of_stream, **packing}, reset="stream.seek(0)"),
    )
    for name, format_ in _constructs():
        text = f"build(dict({', '.join(f'{field}={field}' for field in FIELDS)}), stream)"
        yield name, Statement(text, {"stream": stream, "build": format_.build_stream, **values}, reset="stream.seek(0)")


def _constructs() -> Iterator[tuple[str, Any]]:
    """Yield the record as construct describes it, plain and compiled; nothing where it is not installed."""
    if importlib.util.find_spec("construct") is None:
        return
    import construct

    kinds = {1: construct.Int8ub, 2: construct.Int16ub, 4: construct.Int32ub, 8: construct.Int64ub}
    record = construct.Struct(*(name / kinds[size] for name, size in FIELDS.items()))
    yield "construct", record
    yield "construct, compiled", record.compile()
