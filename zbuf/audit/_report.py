"""The report: a bill as text and as plain data.

Owns    the words and the layout.
Never   who reported a figure; it reads numbers.
Always  every line carries its evidence label, and what nobody vouched for is shown as unknown, not as 0.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from zbuf.audit._bill import Bill, Evidence, Verdict
from zbuf.audit._meter import process_account

__all__ = ["Billed", "OpenBill", "audit", "report", "to_dict"]


class Billed(Protocol):
    """Whatever has a bill: a channel."""

    @property
    def bill(self) -> Bill:
        """The figures up to now."""


class OpenBill:
    """The bill of a stretch of time; `bill` is what happened since it was opened, up to now or to its end."""

    def __init__(self, source: Billed | None) -> None:
        self._source = source
        self._start = self._now()
        self._end: Bill | None = None

    def _now(self) -> Bill:
        return process_account().snapshot() if self._source is None else self._source.bill

    @property
    def bill(self) -> Bill:
        """What was moved and copied since the start."""
        return (self._end or self._now()) - self._start

    def close(self) -> None:
        """Stop here: later traffic is not on this bill."""
        self._end = self._end or self._now()

    def __str__(self) -> str:
        return report(self.bill)


@contextmanager
def audit(channel: Billed | None = None) -> Iterator[OpenBill]:
    """Bill what `channel` moves and copies inside the `with` block; without a channel, the whole process.

    Yields: an `OpenBill`; its `bill` is frozen when the block ends.
    """
    opened = OpenBill(channel)
    try:
        yield opened
    finally:
        opened.close()


def report(bill: Bill) -> str:
    """Return `bill` as lines of text, each with the label of who vouches for it."""
    label = f"[{bill.evidence.value}]"
    lines = [
        f"wire in         {bill.wire_in:>14,} bytes  {label}",
        f"wire out        {bill.wire_out:>14,} bytes  {label}",
        f"user copies     {bill.user_bytes:>14,} bytes  {label}",
    ]
    for reason, count in bill.user.items():
        lines.append(f"  {reason.name.lower():<14}{count.nbytes:>14,} bytes in {count.calls:,} copies  {label}")
    lines.append(f"system calls    {bill.calls:>14,}        {label}")
    for call, move in bill.kernel.items():
        lines.append(f"  {call:<14}{move.nbytes:>14,} bytes in {move.calls:,} calls, {move.views:,} pieces  {label}")
        verdict = bill.kernel_copied.get(call, Verdict.UNKNOWN)
        source = "nobody asked" if verdict is Verdict.UNKNOWN else Evidence.KERNEL_REPORTED.value
        lines.append(f"    copied by the kernel: {verdict.value}  [{source}]")
    return "\n".join(lines)


def to_dict(bill: Bill) -> dict[str, object]:
    """Return `bill` as plain data that `json.dumps` takes."""
    return {
        "evidence": bill.evidence.value,
        "wire_in": bill.wire_in,
        "wire_out": bill.wire_out,
        "user": {r.name: {"calls": c.calls, "bytes": c.nbytes} for r, c in bill.user.items()},
        "kernel": {call: {"calls": m.calls, "bytes": m.nbytes, "pieces": m.views} for call, m in bill.kernel.items()},
        "kernel_copied": {call: verdict.value for call, verdict in bill.kernel_copied.items()},
    }
