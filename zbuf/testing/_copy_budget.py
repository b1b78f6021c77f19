"""A budget of copies: what a stretch of code may copy in user space.

Owns    the limits and the words in which a budget was exceeded.
Never   a count of its own: the process bill of the audit counts.
Always  a budget that proves nothing (metering is off) is an error, not a success.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from zbuf.audit import Bill, CopyReason, Count, OpenBill, audit, is_metering
from zbuf.errors import UsageError

__all__ = ["copy_budget"]


@contextmanager
def copy_budget(nbytes: int | None = None, /, **by_reason: int) -> Iterator[OpenBill]:
    """Fail when the `with` block copies more bytes in user space than `nbytes`, or more for a reason than it may.

    `nbytes`: the limit for all reasons together, None for no limit; `grow=`, `transfer=`, `consolidate=` and so on:
    the limit for one `CopyReason`. Counted is the whole process, all threads; values of 8 bytes or less (the typed
    accessors) never count. Yields: the open bill. Raises: AssertionError with the bill when a limit was exceeded and
    the block did not raise itself; ValueError on a negative limit or none at all; TypeError on an unknown reason;
    UsageError where the meter is off.

    >>> import zbuf
    >>> buf = zbuf.copied(b"head and body")
    >>> with copy_budget(0):
    ...     head, body = buf.read_slice(4), buf.slice(9, 4)
    """
    limits = _limits(nbytes, by_reason)
    if not is_metering():
        raise UsageError("metering is off: a budget would prove nothing")
    with audit() as opened:
        yield opened
    faults = _faults(opened.bill, nbytes, limits)
    if faults:
        raise AssertionError("\n".join(["more was copied than the budget allows:", *faults, *_lines(opened.bill)]))


def _limits(nbytes: int | None, by_reason: dict[str, int]) -> dict[CopyReason, int]:
    limits = {}
    for name, limit in by_reason.items():
        if name.upper() not in CopyReason.__members__:
            known = ", ".join(reason.name.lower() for reason in CopyReason)
            raise TypeError(f"{name} is no reason for a copy; there are {known}")
        limits[CopyReason[name.upper()]] = limit
    if nbytes is None and not limits:
        raise ValueError("a budget needs a limit")
    for limit in [*limits.values(), 0 if nbytes is None else nbytes]:
        if limit < 0:
            raise ValueError(f"a limit must not be negative: {limit}")
    return limits


def _faults(bill: Bill, nbytes: int | None, limits: dict[CopyReason, int]) -> list[str]:
    faults = []
    if nbytes is not None and bill.user_bytes > nbytes:
        faults.append(f"  {bill.user_bytes} bytes in all, allowed {nbytes}")
    for reason, limit in limits.items():
        count = bill.user.get(reason, Count())
        if count.nbytes > limit:
            faults.append(f"  {count.nbytes} bytes for {reason.name.lower()}, allowed {limit}")
    return faults


def _lines(bill: Bill) -> list[str]:
    counts = sorted(bill.user.items(), key=lambda entry: -entry[1].nbytes)
    return ["the bill:"] + [f"  {r.name.lower()}: {c.nbytes} bytes in {c.calls} copies" for r, c in counts if c.calls]
