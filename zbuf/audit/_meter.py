"""The meter: one counter per reason and account.

Owns    the counters of a channel (`Account`), those of the process (`PROCESS`), and which account is current.
Never   who reports, or what a channel is. It adds integers, nothing else.
Always  what is charged to an account is charged to the process too; an account is only ever added to.

A primitive that copies in user space calls `charge(reason, nbytes)`. Whose copy it was follows from when it happened:
a channel makes its own account current (`enter`) while it handles an event and puts the earlier one back (`leave`).
Copies made outside any event (a task of the application, say) go to the process alone. A system call is reported by
the transport to the account of its channel directly (`moved`).
"""

from collections.abc import Mapping

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf.audit._bill import Bill, CopyReason, Count, Move, Verdict

__all__ = ["Account", "charge", "enter", "is_metering", "leave", "process_account", "set_metering"]

REASONS = len(CopyReason)


class Tally:
    """The counter of one system call, in one account and in that of the process."""

    def __init__(self, whole: "Tally | None") -> None:
        self._whole = whole
        self.calls = 0
        self._bytes = 0
        self._views = 0

    def add(self, nbytes: int, views: int) -> None:
        """Add one call that moved `nbytes` bytes in `views` pieces."""
        if not _enabled:
            return
        self.calls += 1
        self._bytes += nbytes
        self._views += views
        if self._whole is not None:
            self._whole.add(nbytes, views)

    def figures(self) -> Move:
        """Return the counts as they stand."""
        return Move(self.calls, self._bytes, self._views)


class Account:
    """The counters of one channel, or of the process.

    Ownership: an account holds numbers and nothing of who reports them.
    """

    def __init__(self) -> None:
        if cython.compiled:
            self._clear()
        else:
            self._calls = [0] * REASONS
            self._bytes = [0] * REASONS
        self._moves: dict[str, Tally] = {}
        self._wire_in = 0
        self._wire_out = 0
        self._verdicts: dict[str, Verdict] = {}

    def _clear(self) -> None:
        for reason in range(REASONS):
            self._calls[reason] = 0
            self._bytes[reason] = 0

    def copied(self, reason: int, nbytes: int) -> None:
        """Add one user-space copy of `nbytes` bytes for `reason`; the process is not told (see `charge`)."""
        self._calls[reason] += 1
        self._bytes[reason] += nbytes

    def moved(self, call: str, nbytes: int, views: int = 1) -> None:
        """Add one system call `call` that moved `nbytes` bytes in `views` pieces, here and to the process."""
        self.tally(call).add(nbytes, views)

    def tally(self, call: str) -> "Tally":
        """Return the counter of one system call, for whoever makes it often."""
        tally = self._moves.get(call)
        if tally is None:
            tally = self._moves[call] = Tally(None if self is PROCESS else PROCESS.tally(call))
        return tally

    def received(self, nbytes: int) -> None:
        """Add `nbytes` bytes that came in from the wire, here and to the process."""
        if _enabled:
            self._wire_in += nbytes
            PROCESS._wire_in += nbytes

    def sent(self, nbytes: int) -> None:
        """Add `nbytes` bytes that the kernel took for the wire, here and to the process."""
        if _enabled:
            self._wire_out += nbytes
            PROCESS._wire_out += nbytes

    def kernel_says(self, call: str, verdict: Verdict) -> None:
        """Note what the kernel reported about its own copies under `call`, here and for the process."""
        if _enabled:
            self._verdicts[call] = verdict
            PROCESS._verdicts[call] = verdict

    def snapshot(self) -> Bill:
        """Return the figures as they stand, frozen."""
        user = {
            reason: Count(self._calls[int(reason)], self._bytes[int(reason)])
            for reason in CopyReason
            if self._calls[int(reason)]
        }
        kernel = {call: tally.figures() for call, tally in self._moves.items() if tally.calls}
        verdicts: Mapping[str, Verdict] = {call: self._verdicts.get(call, Verdict.UNKNOWN) for call in kernel}
        return Bill(user=user, kernel=kernel, kernel_copied=verdicts, wire_in=self._wire_in, wire_out=self._wire_out)

    def __repr__(self) -> str:
        return f"Account({self.snapshot().summary()})"


PROCESS = Account()

_enabled = True
_current: Account | None = None


def process_account() -> Account:
    """Return the account of the whole process: everything that was charged to anybody."""
    return PROCESS


def charge(reason: int, nbytes: int) -> None:
    """Bill one user-space copy of `nbytes` bytes to the current account, if there is one, and to the process."""
    if _enabled:
        PROCESS.copied(reason, nbytes)
        if _current is not None:
            _current.copied(reason, nbytes)


def enter(account: Account | None) -> Account | None:
    """Make `account` the current one and return the one before it, for `leave`."""
    global _current
    previous = _current
    _current = account
    return previous


def leave(previous: Account | None) -> None:
    """Make `previous`, what `enter` returned, the current account again."""
    global _current
    _current = previous


def set_metering(on: bool) -> None:
    """Switch the meter of the whole process on or off; it is on by default."""
    global _enabled
    _enabled = on


def is_metering() -> bool:
    """Return whether the meter is on."""
    return _enabled
