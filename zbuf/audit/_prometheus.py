"""A bill for Prometheus: the text format, version 0.0.4.

Owns    the names of the metrics, their explanations, the escaping.
Never   a socket: whoever is scraped serves the text.
Always  counters only, each family in one block with its HELP and TYPE; every sample says who vouches for it.
"""

import re
from collections.abc import Iterator, Mapping

from zbuf.audit._bill import Bill, Evidence
from zbuf.audit._meter import process_account
from zbuf.audit._report import Billed, frozen

__all__ = ["PROMETHEUS_CONTENT_TYPE", "prometheus"]

PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_FAMILIES = {
    "wire_received_bytes_total": "Bytes that came in from peers.",
    "wire_sent_bytes_total": "Bytes that the kernel took for peers.",
    "user_copies_total": "Copies in user space, by reason.",
    "user_copied_bytes_total": "Bytes copied in user space, by reason.",
    "system_calls_total": "System calls that moved bytes.",
    "system_call_bytes_total": "Bytes moved by system calls.",
    "system_call_pieces_total": "Pieces of memory that system calls took or filled.",
    "kernel_moved_bytes_total": "Bytes moved by system calls, by what is known of the kernel's own copies under them.",
}

_Sample = tuple[dict[str, str], int]  # labels, value


def prometheus(bill: Bill | Billed | Mapping[str, Bill] | None = None, prefix: str = "zbuf") -> str:
    """Return a bill as the text that a Prometheus server scrapes; by default that of the whole process.

    `bill`: a bill, a channel, or bills by label (`bills_by_label()`), whose samples get the label `label`. `prefix`
    stands before each name. All metrics are counters, so give the bill of an account, not that of a stretch of time;
    serve it as PROMETHEUS_CONTENT_TYPE. What is known of the kernel's copies may change during a run: then the bytes of
    that call move to another series of `kernel_moved_bytes_total`.
    Raises: ValueError for a prefix that no metric's name can begin with.
    """
    if not _NAME.fullmatch(prefix):
        raise ValueError(f"no name of a metric begins with {prefix!r}")
    if bill is None:
        bill = process_account().snapshot()
    bills = (
        [({"label": label}, one) for label, one in bill.items()] if isinstance(bill, Mapping) else [({}, frozen(bill))]
    )
    samples: dict[str, list[_Sample]] = {family: [] for family in _FAMILIES}
    for labels, one in bills:
        for family, own, value in _samples(one):
            samples[family].append(({**labels, **own}, value))
    lines = []
    for family, explanation in _FAMILIES.items():
        lines += [f"# HELP {prefix}_{family} {explanation}", f"# TYPE {prefix}_{family} counter"]
        lines += [f"{prefix}_{family}{_braces(labels)} {value}" for labels, value in samples[family]]
    return "\n".join(lines) + "\n"


def _samples(bill: Bill) -> Iterator[tuple[str, dict[str, str], int]]:
    yield "wire_received_bytes_total", _evidence(bill, "wire_in"), bill.wire_in
    yield "wire_sent_bytes_total", _evidence(bill, "wire_out"), bill.wire_out
    for reason, count in bill.user.items():
        name = reason.name.lower()
        labels = {"reason": name, **_evidence(bill, f"user.{name}")}
        yield "user_copies_total", labels, count.calls
        yield "user_copied_bytes_total", labels, count.nbytes
    for call, move in bill.kernel.items():
        labels = {"call": call, **_evidence(bill, f"kernel.{call}")}
        yield "system_calls_total", labels, move.calls
        yield "system_call_bytes_total", labels, move.nbytes
        yield "system_call_pieces_total", labels, move.views
        copied = {"copied": bill.verdict(call).value, **_evidence(bill, f"kernel_copied.{call}")}
        yield "kernel_moved_bytes_total", {"call": call, **copied}, move.nbytes


def _evidence(bill: Bill, line: str) -> dict[str, str]:
    found: Evidence | None = bill.evidence_of(line)
    return {"evidence": "unknown" if found is None else found.value}


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    encodable = value.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate has no UTF-8
    return encodable.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
