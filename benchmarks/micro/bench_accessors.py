"""Typed accessors against `struct` with an offset kept by hand.

Owns    the grid: read, get, peek, write, set of every stem and byte order, and the statement one writes without zbuf.
Never   how a statement is timed.
Always  both sides keep the value they read in a local name, and both start each pass at the front of their memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import zbuf
from benchmarks import _pin
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.micro._loops import PER_PASS, Statement, compare

NAME = "accessors"
SUMMARY = "read_/get_/peek_/write_/set_ of every width and order against struct with a hand-kept offset"

TARGET = Target("at most", 0.45)
IN_QUICK_RUN = (
    "read_int", "write_int", "get_int", "peek_int", "set_int",
    "read_byte", "read_short_le", "read_medium", "write_long", "get_double",
)  # fmt: skip

# stem -> bytes, struct code (none for 3 bytes), a value, whether it can be stored under this name
STEMS: dict[str, tuple[int, str, int | float | bool, bool]] = {
    "boolean": (1, "?", True, True),
    "byte": (1, "b", -5, True),
    "unsigned_byte": (1, "B", 200, False),
    "short": (2, "h", -12345, True),
    "unsigned_short": (2, "H", 54321, False),
    "medium": (3, "", -1234567, True),
    "unsigned_medium": (3, "", 12345678, False),
    "int": (4, "i", -123456789, True),
    "unsigned_int": (4, "I", 3123456789, False),
    "long": (8, "q", -1234567890123456789, True),
    "unsigned_long": (8, "Q", 12345678901234567890, False),
    "float": (4, "f", 1.5, True),
    "double": (8, "d", 1.5, True),
}
METHOD = (
    "Nanoseconds per operation. Both sides run the same loop (16 copies of the statement per turn, 64 turns per reset "
    "of the position, no overhead subtracted) and move or keep their own position: zbuf its indices, struct a local "
    "`at` (`(value,) = unpack(data, at); at += 4`; get, peek and set leave theirs where it is). 3-byte numbers have no "
    "struct code: int.from_bytes and to_bytes on a slice. struct reads bytes and writes a bytearray."
)


def pairs() -> Iterator[tuple[str, Statement, Statement]]:
    """Yield the method's name, the statement with zbuf and the one by hand."""
    for stem, (size, _, _, is_stored) in STEMS.items():
        for order in ("", "_le") if size > 1 else ("",):
            for verb in ("read", "get", "peek", "write", "set") if is_stored else ("read", "get", "peek"):
                name = f"{verb}_{stem}{order}"
                yield name, _with_zbuf(verb, stem, order), _by_hand(verb, stem, order)


def run(settings: Settings) -> Iterator[Report]:
    """Measure the whole grid, or in a quick run the rows with a target and one of each width."""
    report = Report("accessors against struct", METHOD, ["method", "zbuf ns", "by hand ns", "zbuf / by hand"])
    with _pin.pinned(_pin.HERE):
        for name, ours, theirs in pairs():
            if settings.quick and name not in IN_QUICK_RUN:
                continue
            result = compare(
                {"zbuf": ours, "by hand": theirs},
                rounds=settings.rounds_or(9, 5),
                seconds=settings.seconds_or(0.01, 0.004),
            )
            figure = result.ratios["by hand"]
            report.add(name, *(result.times[side].text(1) for side in ("zbuf", "by hand")), figure.text())
            report.findings.append(Finding(f"{name} / struct, time", figure, TARGET))
    yield report


def _packed(stem: str, order: str) -> bytes:
    _, code, value, _ = STEMS[stem]
    if not code:
        return int(value).to_bytes(3, "little" if order else "big", signed=value < 0)
    return struct.pack(("<" if order else ">") + code, value)


def _with_zbuf(verb: str, stem: str, order: str) -> Statement:
    size, _, value, _ = STEMS[stem]
    buf = zbuf.buffer(PER_PASS * size)
    buf.write_bytes(_packed(stem, order) * PER_PASS)
    names = {"buf": buf, "value": value}
    call = f"{verb}_{stem}{order}"
    if verb == "read":
        return Statement(f"value = buf.{call}()", names, reset="buf.reader_index = 0")
    if verb == "get":
        return Statement(f"value = buf.{call}(at)", names, setup=f"at = {3 * size}")
    if verb == "peek":
        return Statement(f"value = buf.{call}()", names, setup=f"buf.reader_index = {3 * size}")
    if verb == "write":
        return Statement(f"buf.{call}(value)", names, reset="buf.clear()")
    return Statement(f"buf.{call}(at, value)", names, setup=f"at = {3 * size}")


def _by_hand(verb: str, stem: str, order: str) -> Statement:
    size, code, value, _ = STEMS[stem]
    data: bytes | bytearray = _packed(stem, order) * PER_PASS
    if verb in ("write", "set"):
        data = bytearray(data)
    names: dict[str, object] = {"data": data, "value": value}
    if code:
        layout = struct.Struct(("<" if order else ">") + code)
        names |= {"unpack": layout.unpack_from, "pack": layout.pack_into}
        load, store = "(value,) = unpack(data, at)", "pack(data, at, value)"
    else:
        names["from_bytes"] = int.from_bytes
        how = f"{'little' if order else 'big'!r}, signed={int(value) < 0}"
        load = f"value = from_bytes(data[at:at + 3], {how})"
        store = f"data[at:at + 3] = value.to_bytes(3, {how})"
    text = load if verb in ("read", "get", "peek") else store
    if verb in ("get", "peek", "set"):
        return Statement(text, names, setup=f"at = {3 * size}")
    return Statement(f"{text}; at += {size}", names, reset="at = 0")
