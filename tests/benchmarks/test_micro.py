"""The single calls: both sides of a row do the same work, and both forms answer in one run."""

import struct
from typing import Any

import pytest

from benchmarks._report import Settings, Target
from benchmarks.micro import (
    _one_form,
    bench_accessors,
    bench_arrays,
    bench_bulk,
    bench_forms,
    bench_records,
    bench_search,
    bench_slices,
)
from benchmarks.micro import bench_values as values
from benchmarks.micro._loops import PER_PASS, Statement
from benchmarks.micro._rows import WALKABLE, Row, measure, room, walking
from zbuf import _form, copied, wrap
from zbuf.errors import BoundsError


def ran(statement: Statement, times: int = 1) -> dict[str, Any]:
    """Run a statement as its loop would, after setup and reset, and return the names it left."""
    names = dict(statement.names)
    for text in (statement.setup, statement.reset, *[statement.text] * times):
        exec(text, names)
    return names


RECORDS = list(bench_records.rows())
WAYS = [
    pytest.param(row.name, way, id=f"{row.name}-{name}".replace(" ", "_"))
    for row in RECORDS
    for name, way in {"zbuf": row.ours, **row.rivals}.items()
]


@pytest.mark.parametrize(("title", "way"), WAYS)
def test_every_way_to_handle_a_record_yields_the_same(title: str, way: Statement) -> None:
    """The second record as well: each way moved its own position by one record."""
    names = ran(way, 2)
    if title.startswith("read"):
        assert bench_records.VALUES == tuple(names[field] for field in bench_records.FIELDS)
        return
    expected = bench_records.LAYOUT.pack(*bench_records.VALUES) * 2
    out = next(names[name] for name in ("buf", "data", "out", "stream") if name in names)
    made = out.getvalue() if hasattr(out, "getvalue") else bytes(out)
    assert expected == made[: len(expected)]


def test_record_rows_name_every_rival() -> None:
    """struct, BytesIO with struct, int.from_bytes and, where it is installed, construct stand in the table."""
    rivals = " ".join(RECORDS[0].rivals)
    assert all(name in rivals for name in ("struct", "BytesIO", "int.from_bytes"))
    pytest.importorskip("construct")
    assert "construct, compiled" in rivals


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**34, 2**63, 2**64 - 1])
def test_varints_by_hand_are_those_of_the_buffer(value: int) -> None:
    """The rival reads and writes what zbuf does."""
    out = bytearray()
    values.write_varint(out, value)
    buf = copied(out)
    assert (value, len(out)) == values.read_varint(bytes(out), 0)
    assert value == buf.read_varint()
    assert not buf.is_readable


@pytest.mark.parametrize("data", [b"\xff" * 11, b"\xff" * 9 + b"\x02"])
def test_varints_by_hand_refuse_what_the_buffer_refuses(data: bytes) -> None:
    """Too many bytes, or too many bits: the rival pays for the same checks."""
    with pytest.raises(ValueError):
        values.read_varint(data, 0)
    with pytest.raises(ValueError):
        wrap(data).read_varint()


def test_varints_by_hand_refuse_values_that_do_not_fit() -> None:
    """As zbuf does."""
    for value in (-1, 2**64):
        with pytest.raises(OverflowError):
            values.write_varint(bytearray(), value)


def test_rows_of_values_read_back_what_they_say() -> None:
    """Strings and structs of both sides are equal."""
    for row in values.rows():
        ours = ran(row.ours)
        for name, rival in row.rivals.items():
            theirs = ran(rival)
            for key in ("text", "value", "values"):
                if key in ours and key in theirs:
                    assert ours[key] == theirs[key], (row.name, name)


def test_rows_of_bulk_read_and_write_the_same_bytes() -> None:
    """What a side reads, or what it wrote, is what the other side reads or wrote."""
    for row in bench_bulk.rows():
        ours = ran(row.ours)
        for name, rival in row.rivals.items():
            theirs = ran(rival)
            if row.name.startswith(("read_bytes", "get_bytes", "read_slice", "bytes", "buf")):
                key = "into" if "into" in row.name else "piece"
                expected, actual = (bytes(side[key]) if key in side else None for side in (ours, theirs))
                if row.name != "buf == bytes, 64 KiB" and row.name != "buf[i]":
                    assert expected == actual, (row.name, name)
                else:
                    assert ours["piece"] == theirs["piece"], (row.name, name)
            elif row.name.startswith(("write_bytes", "set_bytes", "write_zero")):
                written = next(theirs[key] for key in _touched(rival.text))
                written = written.getvalue() if hasattr(written, "getvalue") else bytes(written)
                n = ours["n"]
                assert ours["buf"].get_bytes(0, n) == written[:n], (row.name, name)


def test_rows_of_searches_find_the_same() -> None:
    """Indices and counts are equal; pieces are where bytes.split cuts; where nothing is found, no side finds it."""
    for row in bench_search.rows():
        ours = ran(row.ours)
        for name, rival in row.rivals.items():
            theirs = ran(rival)
            found, expected = ours["found"], theirs["found"]
            if name == "bytes.split":
                found = [ours["buf"].get_bytes(start, end - start) for start, end in found]
            elif name.startswith("re, ") or name == "re":
                found, expected = found in (None, -1), expected is None
            elif name == "bytes.find of each":
                found, expected = found is None, set(expected) == {-1}
            elif name == "bytes.decode":
                expected = isinstance(expected, str)
            assert expected == found, (row.name, name)


def test_target_of_searches_is_the_promised_one() -> None:
    """CRLF in 64 KiB, absent and at the end: at most 1.2 of bytes.find."""
    targets = {row.name: row.targets.get("bytes.find") for row in bench_search.rows()}
    for place in ("absent", "at the end"):
        assert Target("at most", 1.2) == targets[f"find(CRLF) in 64 KiB, {place}"]


def _touched(text: str) -> list[str]:
    return [name for name in ("out", "stream", "view") if name in text]


def test_rows_of_arrays_make_the_same_arrays() -> None:
    """Both sides read the same numbers, or write the same bytes; 1 KiB is held to 1.5 of frombuffer."""
    pytest.importorskip("numpy")
    rows = list(bench_arrays.rows())
    for row in rows:
        ours = ran(row.ours)
        for name, rival in row.rivals.items():
            theirs = ran(rival)
            if row.name.startswith("write"):
                assert bytes(theirs["out"]) == bytes(ours["buf"]), (row.name, name)
            elif row.name.startswith("pickled"):
                assert bytes(theirs["again"]) == bytes(ours["again"]), (row.name, name)
            else:
                assert (theirs["array"] == ours["array"]).all(), (row.name, name)
    held = {row.name: row.targets for row in rows if row.targets}
    assert held == {"read_array(dtype, n) of 1 KiB": {"frombuffer(bytes, dtype)": Target("at most", 1.5)}}


def test_grid_of_accessors_is_whole() -> None:
    """23 getters, readers and peeks, 14 setters and writers, each once, and struct agrees with each."""
    names = [name for name, _, _ in bench_accessors.pairs()]
    assert [23, 23, 23, 14, 14] == [
        sum(name.startswith(f"{verb}_") for name in names) for verb in ("read", "get", "peek", "write", "set")
    ]
    assert len(names) == len(set(names))
    for name, ours, theirs in bench_accessors.pairs():
        if name.startswith(("read", "get", "peek")):
            assert ran(ours)["value"] == ran(theirs)["value"], name


def test_targets_of_the_single_calls_are_the_promised_ones() -> None:
    """0.45 of struct for accessors, a memoryview slice for handles, 1.5 of bytearray(256) for a pooled block."""
    assert Target("at most", 0.45) == bench_accessors.TARGET
    targets = {name.partition("(")[0]: target for name, target, _, _ in bench_slices.pairs()}
    for name in ("slice", "read_slice", "duplicate"):
        assert Target("at most", 1.0) == targets[name]


def test_walking_statement_starts_over_after_a_pass_or_at_once() -> None:
    """Small pieces are walked through; what would need more than WALKABLE is read at the front each time."""
    small = walking("at += 16", {}, 16, "at = 0")
    large = walking("at += 65536", {}, 65536, "at = 0")
    assert (small.reset, small.text) == ("at = 0", "at += 16")
    assert (large.reset, large.text) == ("pass", "at = 0; at += 65536")
    assert (room(16), room(65536)) == (16 * PER_PASS, 65536)
    assert 65536 * PER_PASS > WALKABLE >= 1024 * PER_PASS


def test_a_row_without_rivals_is_not_measured() -> None:
    """Where a package is missing its row is left out, not compared with nothing."""
    nothing = Statement("pass", {})
    rows = [Row("alone", nothing, {}), Row("slow", nothing, {"a": nothing}, in_quick_run=False)]
    report = measure(
        "t", "m", [*rows, Row("both", nothing, {"a": nothing})], Settings(quick=True, rounds=1, seconds=1e-4)
    )
    assert ["both"] == [row[0] for row in report.rows]


def test_operations_of_a_form_come_from_every_micro_group() -> None:
    """The comparison of the forms forgets no group, and names each statement once."""
    found = _one_form.operations()
    assert {"accessors", "bulk", "records", "slices", "values"} <= {name.partition(":")[0] for name in found}
    assert "accessors: read_int" in found and "slices: slice(at, n)" in found
    assert "accessors: peek_unsigned_long_le" in found


def test_two_processes_run_the_two_forms() -> None:
    """One is told to be interpreted and is; the other runs what this process runs, whatever the environment says."""
    with bench_forms._process(pure=True) as interpreted, bench_forms._process(pure=False) as other:
        said = interpreted.hear()
        assert said["form"] == "interpreted"
        assert interpreted.ask("0.0001 accessors: read_int")["ns"] > 0
        first = other.hear()
    assert said["operations"] == first["operations"]
    if _form.form() == "compiled":
        assert first["form"] == "compiled"


def test_layouts_of_the_records_are_the_format_string() -> None:
    """26 bytes, eight fields, network order."""
    assert (26, 8) == (bench_records.LAYOUT.size, len(bench_records.FIELDS))
    assert struct.calcsize(">HBBIIQIH") == bench_records.LAYOUT.size
    with pytest.raises(BoundsError):
        copied(bytes(25)).read_struct(bench_records.LAYOUT)
