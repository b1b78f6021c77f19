"""Plain text tables.

Owns    column widths and alignment.
Never   a figure: cells arrive as text.
Always  the first column is flush left, all others flush right; no cell is cut."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from benchmarks._report import Finding, Report

PAGE_WIDTH = 118  # arbitrary: fits the house's 120 columns


def render_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return head, rule and rows as text, without a final newline."""
    widths = [max(len(row[at]) for row in [list(columns), *rows]) for at in range(len(columns))]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([_line(columns, widths), rule, *(_line(row, widths) for row in rows)])


def render_report(report: Report) -> str:
    """Return one report: title, method, table, findings that have a target."""
    parts = [report.title, textwrap.fill(report.method, PAGE_WIDTH, initial_indent="  ", subsequent_indent="  ")]
    parts.append(textwrap.indent(render_table(report.columns, report.rows), "  "))
    with_target = [finding for finding in report.findings if finding.target is not None]
    if with_target:
        parts.append(textwrap.indent(render_findings(with_target), "  "))
    return "\n\n".join(parts) + "\n"


def render_findings(findings: Sequence[Finding]) -> str:
    """Return a table of findings beside their targets; the verdict is about the median."""
    rows = []
    for finding in findings:
        target = finding.target.text() if finding.target is not None else "-"
        rows.append([finding.name, finding.ratio.text(3), target, _verdict(finding)])
    return render_table(["ratio", "median (min-max)", "target", "verdict"], rows)


def _verdict(finding: Finding) -> str:
    return {True: "met", False: "missed", None: ""}[finding.is_met]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]).rstrip()
