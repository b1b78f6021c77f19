"""`python -m benchmarks`: run groups, print their tables, keep their figures.

Owns    the command line and the order of what is printed.
Never   a measurement.
Always  the exit code says whether the benchmarks ran, never how fast; a group that fails does not stop the next."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from benchmarks import _machine
from benchmarks._groups import Group, find_groups
from benchmarks._report import Finding, Report, Settings
from benchmarks._table import render_findings, render_report, render_table


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 when every chosen group ran, 1 when one failed, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    groups = find_groups()
    if options.list:
        print(render_table(["group", "what it compares"], [[name, group.SUMMARY] for name, group in groups.items()]))
        return 0
    unknown = [name for name in options.names if name not in groups]
    if unknown:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(groups)}", file=sys.stderr)
        return 2
    chosen = [groups[name] for name in options.names or groups]
    settings = Settings(options.quick, options.rounds, options.seconds, options.file_bytes)
    facts = _machine.describe()
    print(_machine.head_line(facts) + "\n", flush=True)
    reports, failed = _run(chosen, settings)
    if options.check:
        _print_check([finding for _, report in reports for finding in report.findings], facts["form"])
    if options.json is not None:
        options.json.write_text(json.dumps(_record(facts, settings, reports), indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _run(chosen: list[Group], settings: Settings) -> tuple[list[tuple[str, Report]], list[str]]:
    reports: list[tuple[str, Report]] = []
    failed = []
    for group in chosen:
        print(f"== {group.NAME}: {group.SUMMARY}\n", flush=True)
        try:
            for report in group.run(settings):
                reports.append((group.NAME, report))
                print(render_report(report), flush=True)
        except Exception:  # one group's failure is printed whole; the others still run
            failed.append(group.NAME)
            traceback.print_exc()
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return reports, failed


def _print_check(findings: list[Finding], form: str) -> None:
    with_target = [finding for finding in findings if finding.target is not None]
    if not with_target:
        print("no target among the groups that ran")
        return
    met = sum(finding.is_met is True for finding in with_target)
    print(f"== targets: {met} of {len(with_target)} met (zbuf {form}; the targets are for the compiled form)\n")
    print(render_findings(with_target))


def _record(facts: dict[str, str], settings: Settings, reports: list[tuple[str, Report]]) -> dict[str, Any]:
    tables = [{"group": name, **dataclasses.asdict(report)} for name, report in reports]
    return {"facts": facts, "settings": dataclasses.asdict(settings), "reports": tables}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios, measured side by side.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="groups to run; all when none is named")
    parser.add_argument("--list", action="store_true", help="name the groups and stop")
    parser.add_argument("--quick", action="store_true", help="few short rounds: shows that it runs, not how fast")
    parser.add_argument("--check", action="store_true", help="end with all targets and which of them were met")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    parser.add_argument("--rounds", type=_at_least_one, metavar="N", help="rounds per comparison")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of one measurement, where it is timed")
    parser.add_argument("--file-bytes", type=_at_least_one, metavar="N", help="size of the file that `file` sends")
    return parser


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
