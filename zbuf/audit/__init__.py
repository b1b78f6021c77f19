"""Audit: what was moved and copied, why, and who says so.

Every primitive that moves bytes reports to the meter; a channel has an account, so has the process. A `Bill` is a
frozen snapshot of an account. `with audit(channel) as opened:` bills a stretch of time; `report(bill)` prints it.
"""

from zbuf.audit._bill import Bill, CopyReason, Count, Evidence, Move, Verdict
from zbuf.audit._meter import (
    Account,
    charge,
    charge_call,
    charge_wire,
    enter,
    is_metering,
    leave,
    process_account,
    set_metering,
)
from zbuf.audit._report import Billed, OpenBill, audit, report, to_dict

__all__ = [
    "Account",
    "Bill",
    "Billed",
    "CopyReason",
    "Count",
    "Evidence",
    "Move",
    "OpenBill",
    "Verdict",
    "audit",
    "charge",
    "charge_call",
    "charge_wire",
    "enter",
    "is_metering",
    "leave",
    "process_account",
    "report",
    "set_metering",
    "to_dict",
]
