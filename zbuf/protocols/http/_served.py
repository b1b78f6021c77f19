"""What was served, and what it cost.

Owns    the record of one answered request, and the report that joins such records with the bill of their channel.
Never   how anything was sent, or how a report is shown.
Always  every byte and call of a connection is on exactly one report.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from zbuf.audit import Bill, CopyReason

__all__ = ["Served", "ServedReport"]

_OF_FILES = frozenset((CopyReason.FILE_READ, CopyReason.FALLBACK_READ, CopyReason.TLS))


@dataclass(frozen=True, slots=True)
class Served:
    """One request and its answer. `method` and `target` are "" when the head was no HTTP.

    `head_bytes` and `body_bytes` are what the answer has; `is_file` tells that the body was a region of a file;
    `error` is why it was not sent to its end, or None.
    """

    method: str
    target: str
    status: int
    head_bytes: int
    body_bytes: int
    is_file: bool
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class ServedReport:
    """The requests that were answered on one connection since its last report, and the bill of that time.

    One request, as a rule; several when they were pipelined, because their bytes may share a system call.
    The figures are self-reported by zbuf's own primitives; system calls are those that move bytes.
    """

    peer: object
    requests: tuple[Served, ...]
    bill: Bill

    @property
    def body_copies(self) -> Mapping[CopyReason, int]:
        """Bytes of file bodies that were copied in user space, by reason; empty when the kernel moved them all."""
        copies = {reason: count.nbytes for reason, count in self.bill.user.items() if reason in _OF_FILES}
        joined = self._joined_bodies()
        if joined:
            copies[CopyReason.COALESCE] = joined
        return copies

    @property
    def head_copies(self) -> Mapping[CopyReason, int]:
        """Bytes copied for heads, and for pages that were made in memory, by reason."""
        copies = {reason: count.nbytes for reason, count in self.bill.user.items() if reason not in _OF_FILES}
        joined = self._joined_bodies()
        if joined:
            copies[CopyReason.COALESCE] -= joined
        return {reason: nbytes for reason, nbytes in copies.items() if nbytes}

    def _joined_bodies(self) -> int:
        """Return how many bytes of file bodies were joined: what heads and pages cannot account for."""
        count = self.bill.user.get(CopyReason.COALESCE)
        if count is None:
            return 0
        made = sum(served.head_bytes + (0 if served.is_file else served.body_bytes) for served in self.requests)
        return max(count.nbytes - made, 0)
