"""Searches against those of bytes and of re.

Owns    the rows: one needle, all needles, pieces, sets of bytes, several needles, over one block and over components.
Never   how a statement is timed.
Always  both sides look for the same in the same bytes and give the same answer, but for what bytes.split makes: it
        copies every piece, where zbuf names its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import zbuf
from benchmarks._report import Report, Settings, Target
from benchmarks.micro._loops import Statement
from benchmarks.micro._rows import Row, measure

NAME = "search"
SUMMARY = "find, find_all, split_indices, sets and several needles against bytes.find, bytes.split, re"
METHOD = (
    "Nanoseconds per search, the same loop on every side, nothing subtracted. The haystack is a buffer here and bytes "
    "there. Patterns of re are compiled beforehand. `composite` is the same 64 KiB in 64 components, which bytes has "
    "no equal of: the rival searches one bytes object, and with `join` it makes it first. bytes.split copies the "
    "pieces, split_indices returns two integers for each: it pays where pieces are long or few of them are wanted."
)
CRLF_TARGET = Target("at most", 1.2)
SIZE = 65536
LINE = b"GET /index.html HTTP/1.1"
WORD = b"the quick brown fox jumps over the lazy dog. "


def rows() -> Iterator[Row]:
    """Yield every search."""
    yield from _one_needle()
    yield from _worst_needles()
    yield from _all_of_them()
    yield from _sets_and_several()
    yield from _components()


def run(settings: Settings) -> Iterator[Report]:
    """Measure every row; a quick run leaves out the slow rivals."""
    yield measure("searches", METHOD, rows(), settings)


def _pair(call: str, hay: bytes, rivals: dict[str, str], **names: object) -> tuple[Statement, dict[str, Statement]]:
    """Return the statement with zbuf and those without, over the same bytes."""
    ours = Statement(f"found = {call}", {"buf": zbuf.copied(hay), "found": None, **names})
    return ours, {
        name: Statement(f"found = {text}", {"data": hay, "found": None, **names}) for name, text in rivals.items()
    }


def _one_needle() -> Iterator[Row]:
    plain = b"a" * SIZE
    text = WORD * (SIZE // len(WORD))
    find, rfind = {"bytes.find": "data.find(needle)"}, {"bytes.rfind": "data.rfind(needle)"}
    with_target = {"bytes.find": CRLF_TARGET}
    for name, hay, needle, rivals, targets in (
        ("find(CRLF) in 64 KiB, absent", plain, b"\r\n", find, with_target),
        ("find(CRLF) in 64 KiB, at the end", plain[:-2] + b"\r\n", b"\r\n", find, with_target),
        ("find(CRLF) in 64 KiB of LF", (b"a" * 30 + b"\n") * (SIZE // 31), b"\r\n", find, with_target),
        ("find(CRLF) after 80 bytes", b"a" * 80 + b"\r\n", b"\r\n", find, {}),
        ("find(one byte) in 64 KiB, absent", plain, b"\n", find, {}),
        ("find(12 bytes) in 64 KiB of text", text, b"--boundary--", find, {}),
        ("find(2,000 bytes) in 64 KiB of text", text, b"b" * 2000, find, {}),
        ("rfind(CRLF) in 64 KiB, absent", plain, b"\r\n", rfind, {}),
        ("rfind(one byte) in 64 KiB, absent", plain, b"\n", rfind, {}),
    ):
        method = name.partition("(")[0]
        ours, theirs = _pair(f"buf.{method}(needle)", hay, rivals, needle=needle)
        yield Row(name, ours, theirs, targets)


def _worst_needles() -> Iterator[Row]:
    hay = b"a" * SIZE
    for size in (11, 201, 2001):
        needle = b"a" * (size // 2) + b"b" + b"a" * (size // 2)
        ours, theirs = _pair("buf.find(needle)", hay, {"bytes.find": "data.find(needle)"}, needle=needle)
        yield Row(f"find({size:,} bytes) in its worst 64 KiB", ours, theirs)
        ours, theirs = _pair("buf.rfind(needle)", hay, {"bytes.rfind": "data.rfind(needle)"}, needle=needle)
        yield Row(f"rfind({size:,} bytes) in its worst 64 KiB", ours, theirs, in_quick_run=False)


def _all_of_them() -> Iterator[Row]:
    lines = (LINE + b"\r\n") * 20
    fields = b",".join(bytes(str(n * 7919 % 100_003), "ascii") for n in range(200))
    blocks = (b"x" * 4000 + b"\r\n") * 20
    for name, hay, needle in (
        ("20 lines of 24 bytes", lines, b"\r\n"),
        ("200 fields of 5 bytes", fields, b","),
        ("20 blocks of 4,000 bytes", blocks, b"\r\n"),
    ):
        ours, theirs = _pair("buf.split_indices(needle)", hay, {"bytes.split": "data.split(needle)"}, needle=needle)
        yield Row(f"split_indices, {name}", ours, theirs)
        finditer = re.compile(re.escape(needle)).finditer
        ours, theirs = _pair(
            "buf.find_all(needle)",
            hay,
            {"re.finditer": "[match.start() for match in finditer(data)]"},
            needle=needle,
            finditer=finditer,
        )
        yield Row(f"find_all, {name}", ours, theirs)
        ours, theirs = _pair("buf.count(needle)", hay, {"bytes.count": "data.count(needle)"}, needle=needle)
        yield Row(f"count, {name}", ours, theirs)
    ours, theirs = _pair("buf.startswith(needle)", lines, {"bytes.startswith": "data.startswith(needle)"}, needle=LINE)
    yield Row("startswith(24 bytes)", ours, theirs)


def _sets_and_several() -> Iterator[Row]:
    plain = b"a" * SIZE
    text = WORD * (SIZE // len(WORD))
    ours, theirs = _pair(
        "buf.find_any(values)", plain, {"re": "search(data)"}, values=b"\r\n", search=re.compile(rb"[\r\n]").search
    )
    yield Row("find_any(CRLF) in 64 KiB, absent", ours, theirs, in_quick_run=False)
    ours, theirs = _pair(
        "buf.find_not(values)", plain, {"re": "search(data)"}, values=b"a", search=re.compile(rb"[^a]").search
    )
    yield Row("find_not(one byte) in 64 KiB, absent", ours, theirs, in_quick_run=False)
    for name, needles, hay in (
        ("two boundaries", [b"\r\n--boundary\r\n", b"\r\n--boundary--"], text),
        ("four words", [b"cat", b"horse", b"mouse", b"elephant"], text),
    ):
        search = zbuf.MultiSearch(needles)
        ours, theirs = _pair(
            "many(buf)",
            hay,
            {"re, alternatives": "search(data)", "bytes.find of each": "[data.find(needle) for needle in needles]"},
            many=search.find,
            search=re.compile(b"|".join(map(re.escape, needles))).search,
            needles=needles,
        )
        yield Row(f"MultiSearch.find, {name} in 64 KiB, absent", ours, theirs, in_quick_run=False)
    ours, theirs = _pair("buf.is_text()", text, {"bytes.decode": "data.decode()"})
    yield Row("is_text() of 64 KiB, ASCII", ours, theirs)


def _components() -> Iterator[Row]:
    parts = [b"a" * 1024] * 64
    whole = b"".join(parts)
    for name, needle in (("CRLF", b"\r\n"), ("12 bytes", b"--boundary--")):
        buf = zbuf.composite()
        buf.extend(parts)
        names = {"parts": parts, "data": whole, "needle": needle, "found": None, "join": b"".join}
        yield Row(
            f"find({name}) in 64 KiB, composite, absent",
            Statement("found = buf.find(needle)", {"buf": buf, "needle": needle, "found": None}),
            {
                "bytes.find": Statement("found = data.find(needle)", names),
                "join, bytes.find": Statement("found = join(parts).find(needle)", names),
            },
        )
