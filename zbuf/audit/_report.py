"""The report: a bill as text and as plain data.

Owns    the words and the layout.
Never   who reported a figure; it reads numbers.
Always  every line carries its evidence label, and what nobody vouched for is shown as unknown, not as 0.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from zbuf.audit._bill import Bill, CopyReason, Count, Move, Verdict
from zbuf.audit._meter import process_account

__all__ = ["Billed", "OpenBill", "audit", "frozen", "report", "to_dict"]


class Billed(Protocol):
    """Whatever has a bill: a channel."""

    @property
    def bill(self) -> Bill:
        """The figures up to now."""


class OpenBill:
    """The bill of a stretch of time: what happened since it was opened, up to now or to its end.

    It reads like a `Bill`; `bill` is the frozen one, for whoever passes it on.
    """

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

    @property
    def user(self) -> Mapping[CopyReason, Count]:
        """Copies in user space, by reason."""
        return self.bill.user

    @property
    def kernel(self) -> Mapping[str, Move]:
        """Bytes moved by each system call."""
        return self.bill.kernel

    @property
    def kernel_copied(self) -> Mapping[str, Verdict]:
        """What is known of the kernel's own copies under each system call."""
        return self.bill.kernel_copied

    @property
    def wire_in(self) -> int:
        """Bytes from the peer."""
        return self.bill.wire_in

    @property
    def wire_out(self) -> int:
        """Bytes to the peer."""
        return self.bill.wire_out

    @property
    def user_bytes(self) -> int:
        """Bytes copied in user space, all reasons together."""
        return self.bill.user_bytes

    @property
    def calls(self) -> int:
        """System calls that moved bytes."""
        return self.bill.calls

    def close(self) -> None:
        """Stop here: later traffic is not on this bill."""
        self._end = self._end or self._now()

    def __str__(self) -> str:
        return report(self.bill)


@contextmanager
def audit(channel: Billed | None = None) -> Iterator[OpenBill]:
    """Bill what `channel` moves and copies inside the `with` block; without a channel, the whole process.

    Yields: an `OpenBill`, which reads like a `Bill` at any time and stands still when the block ends.

    >>> import zbuf
    >>> with audit() as bill:
    ...     whole = bytes(zbuf.wrap(b"head", b"body"))
    >>> bill.user_bytes
    8
    """
    opened = OpenBill(channel)
    try:
        yield opened
    finally:
        opened.close()


def report(bill: Bill | Billed) -> str:
    """Return a bill, or that of a channel, as lines of text, each with the label of who vouches for it."""
    bill = frozen(bill)
    lines = [
        f"wire in         {bill.wire_in:>14,} bytes  {_label(bill, 'wire_in')}",
        f"wire out        {bill.wire_out:>14,} bytes  {_label(bill, 'wire_out')}",
        f"user copies     {bill.user_bytes:>14,} bytes  {_label(bill, 'user')}",
    ]
    for reason, count in bill.user.items():
        name = reason.name.lower()
        label = _label(bill, f"user.{name}")
        lines.append(f"  {name:<14}{count.nbytes:>14,} bytes in {count.calls:,} copies  {label}")
    lines.append(f"system calls    {bill.calls:>14,}        {_label(bill, 'kernel')}")
    for call, move in bill.kernel.items():
        label = _label(bill, f"kernel.{call}")
        lines.append(f"  {call:<14}{move.nbytes:>14,} bytes in {move.calls:,} calls, {move.views:,} pieces  {label}")
        label = _label(bill, f"kernel_copied.{call}")
        lines.append(f"    copied by the kernel: {bill.verdict(call).value}  {label}")
    return "\n".join(lines)


def _label(bill: Bill, line: str) -> str:
    evidence = bill.evidence_of(line)
    return "[nobody asked]" if evidence is None else f"[{evidence.value}]"


def frozen(bill: Bill | Billed) -> Bill:
    """Return the bill itself, or the one that an open bill or a channel has right now."""
    return bill if isinstance(bill, Bill) else bill.bill


def to_dict(bill: Bill | Billed) -> dict[str, object]:
    """Return a bill, or that of a channel, as plain data that `json.dumps` takes."""
    return frozen(bill).to_dict()
