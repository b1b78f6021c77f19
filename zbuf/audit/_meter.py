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

__all__ = [
    "Account",
    "charge",
    "charge_call",
    "charge_wire",
    "enter",
    "is_metering",
    "leave",
    "process_account",
    "set_metering",
]

REASONS = len(CopyReason)
FREQUENT = ("recv", "send", "sendmsg", "sendfile", "pread")  # system calls that have a number, in its order

if not cython.compiled:  # compiled: an enumeration of the .pxd
    RECV = 0
    SEND = 1
    SENDMSG = 2
    SENDFILE = 3
    PREAD = 4


class Account:
    """The counters of one channel, or of the process.

    What is counted for every message lies side by side: two cache lines of an account are touched by an echo.
    Ownership: an account holds numbers and nothing of who reports them.
    """

    def __init__(self) -> None:
        if cython.compiled:
            self._clear()
        else:
            self._frequent = [0] * (3 * len(FREQUENT))  # calls, bytes, views of each
            self._user = [0] * (2 * REASONS)  # calls, bytes of each
        self._wire_in = 0
        self._wire_out = 0
        self._moves: dict[str, list[int]] | None = None
        self._verdicts: dict[str, Verdict] | None = None

    def _clear(self) -> None:
        for at in range(3 * len(FREQUENT)):
            self._frequent[at] = 0
        for at in range(2 * REASONS):
            self._user[at] = 0

    def copied(self, reason: int, nbytes: int) -> None:
        """Add one user-space copy of `nbytes` bytes for `reason`; the process is not told (see `charge`)."""
        self._user[2 * reason] += 1
        self._user[2 * reason + 1] += nbytes

    def called(self, call: int, nbytes: int, views: int) -> None:
        """Add one system call by its number (RECV, SEND ...) that moved `nbytes` bytes, here and to the process."""
        if _enabled:
            self._add(3 * call, nbytes, views)
            PROCESS._add(3 * call, nbytes, views)

    def _add(self, at: int, nbytes: int, views: int) -> None:
        self._frequent[at] += 1
        self._frequent[at + 1] += nbytes
        self._frequent[at + 2] += views

    def moved(self, call: str, nbytes: int, views: int = 1) -> None:
        """Add one system call `call` that moved `nbytes` bytes in `views` pieces, here and to the process."""
        if call in FREQUENT:
            self.called(FREQUENT.index(call), nbytes, views)
        elif _enabled:
            self._add_rare(call, nbytes, views)
            PROCESS._add_rare(call, nbytes, views)

    def _add_rare(self, call: str, nbytes: int, views: int) -> None:
        if self._moves is None:
            self._moves = {}
        move = self._moves.setdefault(call, [0, 0, 0])
        move[0] += 1
        move[1] += nbytes
        move[2] += views

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
            self._note(call, verdict)
            PROCESS._note(call, verdict)

    def _note(self, call: str, verdict: Verdict) -> None:
        if self._verdicts is None:
            self._verdicts = {}
        self._verdicts[call] = verdict

    def snapshot(self) -> Bill:
        """Return the figures as they stand, frozen."""
        user = {
            reason: Count(self._user[2 * reason], self._user[2 * reason + 1])
            for reason in CopyReason
            if self._user[2 * reason]
        }
        kernel = {
            call: Move(self._frequent[3 * at], self._frequent[3 * at + 1], self._frequent[3 * at + 2])
            for at, call in enumerate(FREQUENT)
            if self._frequent[3 * at]
        }
        kernel.update({call: Move(*move) for call, move in (self._moves or {}).items()})
        told = self._verdicts or {}
        verdicts: Mapping[str, Verdict] = {call: told.get(call, Verdict.UNKNOWN) for call in kernel}
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


def charge_call(call: str, nbytes: int, views: int = 1) -> None:
    """Bill one system call outside any channel to the current account, if there is one, and to the process."""
    if _current is not None:
        _current.moved(call, nbytes, views)
    elif _enabled and call in FREQUENT:
        PROCESS._add(3 * FREQUENT.index(call), nbytes, views)
    elif _enabled:
        PROCESS._add_rare(call, nbytes, views)


def charge_wire(received: int, sent: int) -> None:
    """Bill bytes from and to a peer outside any channel to the process alone."""
    if _enabled:
        PROCESS._wire_in += received
        PROCESS._wire_out += sent


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
