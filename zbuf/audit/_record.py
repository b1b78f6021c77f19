"""Records of single events: each copy and each system call of an account, or a sample of them.

Owns    the ring of records, the sampling, the clock.
Never   a counter of the bill: the account counts whether anybody records or not.
Always  memory is bounded by the capacity; while no recorder is open nothing here runs; a record that cannot be had for
        want of memory is counted as missed, and the traffic does not notice.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import Account, listen, process_account, unlisten

__all__ = ["Accounted", "Record", "Recorder", "RecorderStats"]


class Accounted(Protocol):
    """Whatever has an account: a channel."""

    @property
    def account(self) -> Account:
        """Where its copies and calls are counted."""


@dataclass(frozen=True, slots=True)
class Record:
    """One copy in user space, or one system call that moved bytes.

    `sequence`: the how-manieth event since the recorder was opened, from 1; gaps are events that the sample left out.
    `seconds`: of the monotonic clock. `what`: the reason of a copy, or the name of a call. `views`: pieces of the call,
    1 for a copy. `label`: of the account it was charged to.
    """

    sequence: int
    seconds: float
    what: CopyReason | str
    nbytes: int
    views: int
    label: str

    @property
    def is_copy(self) -> bool:
        """Whether this was a copy in user space; else it was a system call."""
        return isinstance(self.what, CopyReason)

    def __str__(self) -> str:
        head = f"{self.sequence:>8}  {self.seconds:.6f}"
        label = f"  ({self.label})" if self.label else ""
        if isinstance(self.what, CopyReason):
            return f"{head}  copied {self.nbytes:,} bytes: {self.what.name.lower()}{label}"
        return f"{head}  {self.what} {self.nbytes:,} bytes in {self.views:,} pieces{label}"


@dataclass(frozen=True, slots=True)
class RecorderStats:
    """What became of the events: `seen` by the recorder, `kept` still in the ring, `overwritten` there by later ones,
    `missed` for want of memory. The rest was left out by the sample."""

    seen: int
    kept: int
    overwritten: int
    missed: int


class Recorder:
    """Record the copies and system calls of a channel or an account, or of the whole process; from now until `close`.

    `capacity`: how many of the last records are kept. A sample is taken with `every=n`, each n-th event, or with
    `every_bytes=n`: the event in which the next n bytes are complete, so that an event counts by its size.

    Any number of recorders may be open, also on one account. While one is open, all charges of the process take the
    slower way; that of accounts without a recorder costs a function call more.
    Ownership: borrows; the recorder keeps the account, not the channel. Best in a `with` block.
    Raises: ValueError if a number is below 1 or both kinds of sample are asked for.

    >>> import zbuf
    >>> with Recorder() as recorder:
    ...     whole = bytes(zbuf.wrap(b"head", b"body"))
    >>> [(record.what.name, record.nbytes) for record in recorder.records()]
    [('TOBYTES', 8)]
    """

    def __init__(
        self,
        source: Accounted | Account | None = None,
        *,
        capacity: int = 1024,
        every: int = 1,
        every_bytes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_open = False
        for name, number in {"capacity": capacity, "every": every, "every_bytes": every_bytes}.items():
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1: {number}")
        if every != 1 and every_bytes is not None:
            raise ValueError("a sample is taken by events or by bytes, not by both")
        self._account = _account_of(source)
        self._ring: list[Record | None] = [None] * capacity
        self._every = every
        self._every_bytes = every_bytes
        self._clock = clock
        self._lock = threading.RLock()  # threads share the process; a finaliser may charge while this thread notes
        self._seen = self._taken = self._missed = self._bytes = 0
        listen(self._account, self)
        self._is_open = True

    def note(self, what: CopyReason | str, nbytes: int, views: int, label: str, /) -> None:
        """Take one event; the meter calls this."""
        with self._lock:
            self._seen += 1
            if self._every_bytes is not None:
                self._bytes += nbytes
                if self._bytes < self._every_bytes:
                    return
                self._bytes %= self._every_bytes
            elif (self._seen - 1) % self._every:
                return
            try:
                record = Record(self._seen, self._clock(), what, nbytes, views, label)
            except MemoryError:
                self._missed += 1
            else:
                self._ring[self._taken % len(self._ring)] = record
                self._taken += 1

    def records(self) -> tuple[Record, ...]:
        """Return the records that are kept, the oldest first."""
        with self._lock:
            at = self._taken % len(self._ring)
            return tuple(record for record in self._ring[at:] + self._ring[:at] if record is not None)

    def statistics(self) -> RecorderStats:
        """Return how many events were seen, and what became of them."""
        with self._lock:
            kept = min(self._taken, len(self._ring))
            return RecorderStats(self._seen, kept, self._taken - kept, self._missed)

    def close(self) -> None:
        """Record no more; the records stay. Calling it again does nothing."""
        if self._is_open:
            self._is_open = False
            unlisten(self._account, self)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = self.statistics()
        state = "open" if self._is_open else "closed"
        return f"<Recorder {state}: {counts.kept} of {counts.seen} events>"


def _account_of(source: Accounted | Account | None) -> Account:
    if source is None:
        return process_account()
    return source if isinstance(source, Account) else source.account
