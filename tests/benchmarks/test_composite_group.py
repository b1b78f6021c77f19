"""The composite group: both sides of a pair see the same bytes, and both sizes do the same work.

Owns    the statements of bench_composite, run once as their loop would.
Never   a time.
Always  what is compared is what the row's name says."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks._report import Settings
from benchmarks.micro import bench_composite
from benchmarks.micro._loops import Statement
from zbuf import composite


def ran(statement: Statement, times: int = 1) -> dict[str, Any]:
    """Run a statement after its setup and reset, and return the names it left."""
    names = dict(statement.names)
    for text in (statement.setup, statement.reset, *[statement.text] * times):
        exec(text, names)
    return names


def joined(piece: Any) -> bytes:
    return b"".join(piece) if isinstance(piece, list) else bytes(piece)


def test_pairs_that_make_something_make_the_same() -> None:
    """Views, joins and lists on one side hold the bytes that the other side holds."""
    compared = 0
    for name, _, ours, theirs in bench_composite.adding():
        mine, other = ran(ours), ran(theirs)
        if mine.get("piece") is not None:
            assert joined(mine["piece"]) == joined(other["piece"]), name
            compared += 1
        else:
            assert bytes(mine["add"].__self__) == joined(other["add"].__self__), name
            compared += 1
    assert compared == 7


def test_numbers_are_read_where_the_name_says() -> None:
    """One side straddles the border of two components, the other does not; the MiB is one."""
    pairs = {name: (ours, theirs) for name, _, ours, theirs in bench_composite.reading()}
    buf = pairs["get_int across a border / inside"][0].names["buf"]
    assert [part.capacity for part in buf.components()] == [1024, 1024]
    assert buf.to_component_index(1022) != buf.to_component_index(1025)
    for kind in ("aligned", "odd"):
        ours, theirs = pairs[f"read_int, 1 MiB in 1,000 components, {kind} / flat"]
        cut, flat = ours.names["buf"], theirs.names["buf"]
        assert (cut.num_components, cut.capacity, flat.capacity) == (1000, 1 << 20, 1 << 20)
        straddling = [k for k in range(1000) if cut.to_byte_index(k) % 4]
        assert len(straddling) == (0 if kind == "aligned" else 750)
        for statement in (ours, theirs):
            left = ran(statement, 3)["buf"]
            assert left.reader_index == 12
            left.reader_index = 0


@pytest.mark.parametrize("name", bench_composite.COUNTED)
def test_work_on_components_is_done_to_the_end(name: str) -> None:
    """All components are added, or all that there were are read or gone."""
    work, empty, _ = bench_composite.COUNTED[name]
    buf = composite()
    if not empty:
        bench_composite._append(buf, 50)
    work(buf, 50)
    if name == "append(slice)" or name.startswith("slice()"):
        assert (buf.num_components, buf.readable_bytes) == (50, 50 * 1024)
    else:
        assert buf.readable_bytes == 0


def test_the_group_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tables, each ratio with its target."""
    monkeypatch.setattr(bench_composite, "FEW", 100)
    monkeypatch.setattr(bench_composite, "MANY", 1_000)
    reports = list(bench_composite.run(Settings(quick=True, rounds=1, seconds=0.0001)))
    assert len(reports) == 3
    bounds = [finding.target.bound for report in reports for finding in report.findings if finding.target]
    assert sorted(bounds) == [1.5] * 5 + [2.0] * 2 + [4.0] * 2
