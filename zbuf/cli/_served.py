"""The bill of a request, as lines of text.

Owns    the words, the layout, and the label that says who vouches for a figure.
Never   where the text goes, or a figure that is not in the report.
Always  copies for the body stand apart from copies for the head; a figure nobody has is not shown as 0.
"""

from collections.abc import Mapping

from zbuf.audit import Bill, CopyReason, Move
from zbuf.cli._text import printable
from zbuf.protocols.http import Served, ServedReport

__all__ = ["bill_lines", "peer_name", "report_lines", "summary_lines"]

_INDENT = "    "


def report_lines(report: ServedReport) -> list[str]:
    """Return the lines for one report: one per request, then the bill."""
    peer = peer_name(report.peer)
    single = len(report.requests) == 1
    lines = [f"{peer} {_request(served, report.bill.wire_out if single else None)}" for served in report.requests]
    if not single:
        lines.append(f"{_INDENT}one bill for these {len(report.requests)} pipelined requests:")
    return lines + bill_lines(report)


def bill_lines(report: ServedReport) -> list[str]:
    """Return the copies and the calls of a report."""
    label = f"[{report.bill.evidence.value}]"
    made = any(not served.is_file and served.body_bytes for served in report.requests)
    head = "the head and the page" if made else "the head"
    body = f"{_copies(report.body_copies)} for the body"
    return [
        f"{_INDENT}copied in user space: {body}; {_copies(report.head_copies)} for {head}  {label}",
        f"{_INDENT}system calls that moved bytes: {_calls(report.bill.kernel)}  {label}",
    ]


def summary_lines(bill: Bill, requests: int, connections: int, seconds: float) -> list[str]:
    """Return the summary of a whole run from the bill of the process."""
    label = f"[{bill.evidence.value}]"
    of_files = (CopyReason.FILE_READ, CopyReason.FALLBACK_READ, CopyReason.TLS)
    bodies = {reason: count.nbytes for reason, count in bill.user.items() if reason in of_files}
    others = {reason: count.nbytes for reason, count in bill.user.items() if reason not in of_files}
    copies = f"{_copies(bodies)} reading files; {_copies(others)} for everything else"
    return [
        f"served {_plural(requests, 'request')} on {_plural(connections, 'connection')} in {seconds:.1f} s",
        f"{_INDENT}bytes on the wire: {bill.wire_out:,} out, {bill.wire_in:,} in  {label}",
        f"{_INDENT}copied in user space: {copies}  {label}",
        f"{_INDENT}system calls that moved bytes: {_calls(bill.kernel)}  {label}",
    ]


def peer_name(address: object) -> str:
    """Return a socket's address as host:port; UNIX sockets have none worth printing."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = printable(str(address[0])), address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return "local"


def _request(served: Served, wire_out: int | None) -> str:
    whole = served.head_bytes + served.body_bytes
    asked = f"{printable(served.method)} {printable(served.target)}" if served.method else "(no HTTP request)"
    if served.error is None:
        return f"{asked} {served.status}  {whole:,} bytes on the wire"
    sent = "" if wire_out is None else f"{wire_out:,} of "
    return f"{asked} {served.status}  not finished: {sent}{whole:,} bytes on the wire ({_why(served.error)})"


def _why(error: BaseException) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {printable(str(cause))}"


def _copies(copies: Mapping[CopyReason, int]) -> str:
    total = _plural(sum(copies.values()), "byte")
    reasons = ", ".join(f"{reason.name.lower()} {nbytes:,}" for reason, nbytes in copies.items() if nbytes)
    return f"{total} ({reasons})" if reasons else total


def _calls(moves: Mapping[str, Move]) -> str:
    if not moves:
        return "none"
    return ", ".join(f"{call} {move.calls:,} ({move.nbytes:,} bytes)" for call, move in moves.items())


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
