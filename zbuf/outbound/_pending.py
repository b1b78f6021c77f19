"""What is pending, when a producer should wait, and who is told what.

Owns    the counts, the watermarks and the edge between them, the hard caps, the notices that are still to be delivered.
Never   an entry, a message, a plan: it adds and compares integers, and calls promises.
Always  a change of `is_writable` is told once; notices are delivered one after the other, in order, on a flat stack.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import as_size
from collections.abc import Callable
from typing import NamedTuple

from zbuf._types import WritePromise
from zbuf.errors import ChannelClosedError, WriteLimitError

__all__ = ["Pending", "QueueStats"]

OVERHEAD = 96  # what a message adds to the pending bytes besides its own; precedent Netty ChannelOutboundBuffer


class QueueStats(NamedTuple):
    """The counts of a queue at one moment."""

    pending_bytes: int
    pending_file_bytes: int
    pending_entries: int
    pending_regions: int
    is_writable: bool


class Pending:
    """The counts of a queue, its marks and its caps."""

    __slots__ = (
        "_blocked",
        "_bytes_limit",
        "_delivering",
        "_entry_limit",
        "_failure",
        "_file_high",
        "_high",
        "_is_high",
        "_low",
        "_messages",
        "_notices",
        "_patience",
        "_pending",
        "_pending_file",
        "_region_limit",
        "_regions",
        "on_writability",
    )

    on_writability: Callable[[], object] | None

    def _set_marks(self, low: int, high: int, file_high: int | None) -> None:
        if not 0 <= low <= high:
            raise ValueError(f"watermarks are 0 <= low <= high, not {low} and {high}")
        if file_high is not None and file_high < 0:
            raise ValueError(f"file_high_water must not be negative: {file_high}")
        self._low = as_size(low)
        self._high = as_size(high)
        self._file_high = file_high
        self._pending = 0
        self._pending_file = 0  # a Python integer also when compiled: regions may add up to more than 2**63
        self._messages = 0
        self._regions = 0
        self._is_high = False
        self._blocked = 0  # a bit for each user slot that says no
        self._failure: BaseException | None = None
        self._notices: list[tuple[WritePromise | None, BaseException | None]] = []
        self._delivering = False

    def _set_caps(self, nbytes: int, entries: int, regions: int) -> None:
        if min(nbytes, entries, regions) < 0:
            raise ValueError("a limit must not be negative")
        self._bytes_limit = as_size(nbytes)
        self._entry_limit = as_size(entries)
        self._region_limit = as_size(regions)
        self._patience = min(self._high, self._bytes_limit // 2)

    # Counts.

    @property
    def pending_bytes(self) -> int:
        """The bytes of buffers that are not sent yet, and 96 for each message, regions included."""
        return self._pending

    @property
    def pending_file_bytes(self) -> int:
        """The bytes of regions that are not sent yet, as far as their size is known."""
        return self._pending_file

    @property
    def pending_entries(self) -> int:
        """The number of messages that are not sent yet."""
        return self._messages

    @property
    def failure(self) -> BaseException | None:
        """What the queue failed with, None while it works."""
        return self._failure

    def statistics(self) -> QueueStats:
        """Return the counts as they stand."""
        return QueueStats(self._pending, self._pending_file, self._messages, self._regions, self.is_writable)

    # Writability.

    @property
    def is_writable(self) -> bool:
        """Whether a producer may go on: below the marks (with their hysteresis), no user slot says no, not failed."""
        return not self._is_high and not self._blocked and self._failure is None

    @property
    def bytes_before_unwritable(self) -> int:
        """How much pending_bytes may grow up to the edge, the byte that crosses it included; 0 when not writable.

        A message of n bytes adds n + 96. Regions and user slots are not looked at."""
        return self._high - self._pending + 1 if self.is_writable else 0

    @property
    def bytes_before_writable(self) -> int:
        """How much pending_bytes must fall until the queue is below its low mark, or empty; 0 when it is writable."""
        if not self._is_high:
            return 0
        return max(0, min(self._pending, self._pending - self._low + 1))

    def set_user_writable(self, slot: int, ok: bool) -> None:
        """Say for the user's own reason number `slot` (1..31) whether producers may go on; all must agree.

        Raises: ValueError for another slot. Source: Netty setUserDefinedWritability."""
        if not 1 <= slot <= 31:
            raise ValueError(f"slot must be 1..31, not {slot}")
        before = self._blocked
        self._blocked = before & ~(1 << slot) if ok else before | 1 << slot
        if (before == 0) != (self._blocked == 0) and not self._is_high and self._failure is None:
            self._notices.append((None, None))
            self._deliver()

    def _files_are_high(self) -> bool:
        return self._file_high is not None and self._pending_file > self._file_high

    def _rise(self) -> None:
        """Cross the edge upwards and say so."""
        self._is_high = True
        if not self._blocked:
            self._notices.append((None, None))
            self._deliver()

    def _fall(self) -> None:
        """Cross the edge downwards if the counts are low enough; the caller delivers."""
        if self._pending >= self._low and self._pending:
            return
        if self._file_high is not None and self._pending_file > self._file_high // 2:
            return
        self._is_high = False
        if not self._blocked:
            self._notices.append((None, None))

    # Caps.

    def _has_room(self, size: int) -> bool:
        """Return whether one more message of `size` bytes is taken without a second look."""
        return (
            self._failure is None
            and size <= self._bytes_limit - OVERHEAD - self._pending
            and self._messages < self._entry_limit
        )

    def _refusal(self, size: int) -> Exception | None:
        """Return why a message of `size` bytes is not taken; None if its producer has waited, however large it is."""
        if self._failure is not None:
            error = ChannelClosedError("nothing can be queued any more")
            error.__cause__ = self._failure
            return error
        if self._messages >= self._entry_limit:
            return _limit_reached("write_limit_entries", self._entry_limit, self._messages + 1)
        if self._pending > self._patience:
            return _limit_reached("write_limit_bytes", self._bytes_limit, self._pending + size + OVERHEAD)
        return None

    # Notices.

    def _deliver(self) -> None:
        """Tell promises and the listener what happened. An exception of one of them is raised after all were told."""
        if self._delivering:
            return
        self._delivering = True
        told = 0
        first: Exception | None = None
        try:
            while told < len(self._notices):
                promise, error = self._notices[told]
                told += 1
                try:
                    if promise is None:
                        if self.on_writability is not None:
                            self.on_writability()
                    elif error is None:
                        promise.succeed()
                    else:
                        promise.fail(error)
                except Exception as exc:
                    if first is None:
                        first = exc
        finally:
            self._delivering = False
            del self._notices[:told]
        if first is not None:
            raise first


def _limit_reached(limit: str, maximum: int, value: int) -> WriteLimitError:
    return WriteLimitError(
        f"{limit} is {maximum}, this message makes it {value}", limit=limit, maximum=maximum, value=value
    )
