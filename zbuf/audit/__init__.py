"""Audit: what was moved and copied, why, and who says so.

Every primitive that moves bytes reports to the meter; a channel has an account, so has the process. A `Bill` is a
frozen snapshot of an account. `with audit(channel) as bill:` bills a stretch of time; `report(bill)` prints it,
`prometheus()` exports it, `assert_copies(bill, user=0)` holds it to a limit. A `Recorder` keeps single events.
"""

from zbuf.audit._assert import assert_copies
from zbuf.audit._bill import Bill, CopyReason, Count, Evidence, Move, Verdict
from zbuf.audit._meter import (
    Account,
    bills_by_label,
    charge,
    charge_call,
    charge_wire,
    enter,
    is_metering,
    leave,
    process_account,
    set_metering,
)
from zbuf.audit._prometheus import PROMETHEUS_CONTENT_TYPE, prometheus
from zbuf.audit._record import Accounted, Record, Recorder, RecorderStats
from zbuf.audit._report import Billed, OpenBill, audit, report, to_dict

__all__ = [
    "PROMETHEUS_CONTENT_TYPE",
    "Account",
    "Accounted",
    "Bill",
    "Billed",
    "CopyReason",
    "Count",
    "Evidence",
    "Move",
    "OpenBill",
    "Record",
    "Recorder",
    "RecorderStats",
    "Verdict",
    "assert_copies",
    "audit",
    "bills_by_label",
    "charge",
    "charge_call",
    "charge_wire",
    "enter",
    "is_metering",
    "leave",
    "process_account",
    "prometheus",
    "report",
    "set_metering",
    "to_dict",
]
