"""Limits for a bill: a check that fails with the bill in its message.

Owns    `assert_copies`, its limits, and the words in which one was exceeded.
Never   a count: the bill has them.
Always  what is unknown meets no limit: nobody can say that the kernel copied nothing where nobody asked it.
"""

from collections.abc import Mapping

from zbuf.audit._bill import Bill, CopyReason, Count, Verdict
from zbuf.audit._report import Billed, frozen, report

__all__ = ["assert_copies"]


def assert_copies(
    bill: Bill | Billed,
    *,
    user: int | Mapping[CopyReason, int] | None = None,
    kernel: int | Mapping[str, int] | None = None,
) -> None:
    """Fail unless a bill, or that of a channel, keeps within limits: bytes copied at most.

    `user`: the limit for all copies in user space together, or one for each reason that is named. `kernel`: the limit
    for the bytes of system calls under which the kernel copies, all together, or one for each call that is named. A
    verdict that is unknown fails: `bill.with_verdicts(zbuf.probe.verdicts())` adds what a probe finds out.

    Raises: AssertionError with the lines that exceed a limit and the whole bill; ValueError for a negative limit, or
    none at all. A bill from a time when the meter was off has no copies; `zbuf.testing.copy_budget` refuses to measure
    then.

    >>> with_one_copy = Bill(user={CopyReason.GROW: Count(1, 500)})
    >>> assert_copies(with_one_copy, user=512)
    >>> assert_copies(with_one_copy, user={CopyReason.COALESCE: 0})
    """
    if user is None and kernel is None:
        raise ValueError("a limit is needed: user=, kernel= or both")
    for limits in (user, kernel):
        for limit in limits.values() if isinstance(limits, Mapping) else () if limits is None else (limits,):
            if limit < 0:
                raise ValueError(f"a limit must not be negative: {limit}")
    figures = frozen(bill)
    faults = [*_user_faults(figures, user), *_kernel_faults(figures, kernel)]
    if faults:
        lines = ["more was copied than allowed:", *faults, "the bill:", *report(figures).splitlines()]
        raise AssertionError("\n  ".join(lines))


def _user_faults(bill: Bill, limits: int | Mapping[CopyReason, int] | None) -> list[str]:
    if limits is None:
        return []
    if not isinstance(limits, Mapping):
        over = bill.user_bytes > limits
        return [f"  {bill.user_bytes:,} bytes in user space, allowed {limits:,}"] if over else []
    faults = []
    for reason, limit in limits.items():
        count = bill.user.get(reason, Count())
        if count.nbytes > limit:
            faults.append(f"  {count.nbytes:,} bytes for {reason.name.lower()}, allowed {limit:,}")
    return faults


def _kernel_faults(bill: Bill, limits: int | Mapping[str, int] | None) -> list[str]:
    if limits is None:
        return []
    looked_at = [call for call in bill.kernel if not isinstance(limits, Mapping) or call in limits]
    faults = [
        f"  unknown what the kernel copied of the {bill.kernel[call].nbytes:,} bytes of {call}: nobody asked"
        for call in looked_at
        if bill.verdict(call) is Verdict.UNKNOWN
    ]
    copied = {call: bill.kernel[call].nbytes for call in looked_at if bill.verdict(call) is Verdict.COPIED}
    if isinstance(limits, Mapping):
        over = {call: nbytes for call, nbytes in copied.items() if nbytes > limits[call]}
        faults += [
            f"  {nbytes:,} bytes copied by the kernel under {call}, allowed {limits[call]:,}"
            for call, nbytes in over.items()
        ]
    elif sum(copied.values()) > limits:
        by_call = ", ".join(f"{call} {nbytes:,}" for call, nbytes in copied.items())
        faults.append(f"  {sum(copied.values()):,} bytes copied by the kernel ({by_call}), allowed {limits:,}")
    return faults
