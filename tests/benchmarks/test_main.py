"""The command: every group can be run quickly, prints its tables and writes its figures."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import _groups
from benchmarks.__main__ import main
from benchmarks._measure import Spread
from benchmarks._report import Finding, Report, Settings, Target
from benchmarks.micro._loops import PER_PASS, Statement, compare

GROUPS = {
    "accessors",
    "bulk",
    "composite",
    "forms",
    "records",
    "search",
    "slices",
    "values",
    "framing",
    "gather",
    "file",
    "echo",
    "loop",
    "meter",
}


class _Fake:
    NAME = "fake"
    SUMMARY = "nothing"

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.seen: Settings | None = None

    def run(self, settings: Settings):
        self.seen = settings
        report = Report("a table", "no method", ["name", "ratio"])
        report.add("row", "1.00")
        report.findings.append(Finding("the ratio", Spread(1.0, 0.9, 1.1), Target("at most", 0.5)))
        yield report
        if self.problem is not None:
            raise self.problem


def test_groups_are_found_by_their_files() -> None:
    """The groups of the README are there, single calls before flows."""
    found = list(_groups.find_groups())
    assert set(found) >= GROUPS
    assert found.index("slices") < found.index("echo")


def test_list_names_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    """--list prints and measures nothing."""
    assert 0 == main(["--list"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in GROUPS)


def test_unknown_group_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error is not an empty run."""
    assert 2 == main(["echoo"])
    assert "echoo" in capsys.readouterr().err


def test_missed_target_is_printed_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """--check says 0 of 1, the exit code says that it ran, the JSON file has figure and target."""
    fake = _Fake()
    monkeypatch.setattr("benchmarks.__main__.find_groups", lambda: {"fake": fake})
    assert 0 == main(["--quick", "--check", "--rounds", "2", "--json", str(tmp_path / "out.json")])
    printed = capsys.readouterr().out
    assert "targets: 0 of 1 met" in printed
    assert "1.000 (0.900-1.100)  <= 0.50   missed" in printed
    record = json.loads((tmp_path / "out.json").read_text())
    assert {"sense": "at most", "bound": 0.5} == record["reports"][0]["findings"][0]["target"]
    assert Settings(quick=True, rounds=2) == fake.seen
    assert f"CPython {sys.version.split()[0]}" in printed


def test_failing_group_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next group runs, and the exit code tells."""
    fakes = {"bad": _Fake(RuntimeError("broken")), "good": _Fake()}
    monkeypatch.setattr("benchmarks.__main__.find_groups", lambda: fakes)
    assert 1 == main([])
    assert "broken" in capsys.readouterr().err
    assert fakes["good"].seen is not None


def test_loop_runs_the_statement_as_often_as_it_divides_by() -> None:
    """A pass is PER_PASS statements and one reset: what is counted is what was run."""
    seen: list[int] = []
    resets: list[int] = []
    side = Statement("seen.append(0)", {"seen": seen, "resets": resets}, reset="resets.append(0)")
    compare({"a": side, "b": Statement("pass", {})}, rounds=1, seconds=0.0001)
    assert len(resets) * PER_PASS == len(seen) > 0


def test_slower_statement_has_the_larger_time() -> None:
    """The ratio is the first side's time over the other's."""
    sides = {"slow": Statement("sum(data)", {"data": list(range(300))}), "fast": Statement("pass", {})}
    assert compare(sides, rounds=3, seconds=0.0005).ratios["fast"].median > 5


@pytest.mark.parametrize("name", sorted(GROUPS - {"echo", "meter"}))
def test_group_runs_in_small(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny run of the group yields a table with a figure in every row, and its targets."""
    monkeypatch.setattr("benchmarks.flow.bench_gather.IN_QUICK_RUN", ("16 B + 64 KiB", "64 x 64 B"))
    settings = Settings(quick=True, rounds=1, seconds=0.01, file_bytes=1 << 20)
    reports = list(_groups.find_groups()[name].run(settings))
    assert reports
    for report in reports:
        assert report.rows
        assert all(finding.ratio.median > 0 for finding in report.findings)


def test_meter_group_runs_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meter group compares its three states, and finds the meter counting in two of them."""
    from benchmarks.flow import bench_meter

    monkeypatch.setattr(bench_meter, "SHAPES", [(2, 1)])
    (report,) = bench_meter.run(Settings(quick=True, rounds=1, seconds=0.05))
    assert 3 == len(report.rows)
    assert [True, False] == [finding.target is not None for finding in report.findings]
    assert all(finding.ratio.median > 0 for finding in report.findings)


def test_echo_group_runs_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The echo group, cut to few connections and short loads, yields a table per shape with its targets."""
    from benchmarks.flow import bench_echo

    monkeypatch.setattr(bench_echo, "SHAPES", [(2, 1), (2, 16)])
    reports = list(bench_echo.run(Settings(quick=True, rounds=1, seconds=0.05)))
    assert [len(bench_echo.available(bench_echo.SERVERS))] * 2 == [len(report.rows) for report in reports]
    assert [3, 1] == [sum(finding.target is not None for finding in report.findings) for report in reports]
