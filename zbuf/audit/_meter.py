"""The meter: one counter per reason and account.

Owns    the counters of a channel (`Account`), those of the process (`PROCESS`), the totals of each label, and which
        account is current.
Never   who reports, or what a channel is. It adds integers; what recorders make of an event is theirs.
Always  what is charged to an account is charged to the process too; an account is only ever added to. As long as no
        recorder is open the price of one is a comparison that is made anyway.

A primitive that copies in user space calls `charge(reason, nbytes)`. Whose copy it was follows from when it happened:
a channel makes its own account current (`enter`) while it handles an event and puts the earlier one back (`leave`).
Copies made outside any event (a task of the application, say) go to the process alone. A system call is reported by
the transport to the account of its channel directly (`moved`).

Whether the meter is on and whether anybody records is one number, `_mode`: with no recorder open each charge asks it
once, as it would without recorders.
"""

from collections.abc import Mapping
from typing import Protocol
from weakref import WeakSet

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf.audit._bill import Bill, CopyReason, Count, Move, Verdict

__all__ = [
    "Account",
    "Listener",
    "bills_by_label",
    "charge",
    "charge_call",
    "charge_wire",
    "enter",
    "is_metering",
    "leave",
    "listen",
    "process_account",
    "set_metering",
    "unlisten",
]

REASONS = len(CopyReason)
FREQUENT = ("recv", "send", "sendmsg", "sendfile", "pread")  # system calls that have a number, in its order

if not cython.compiled:  # compiled: an enumeration of the .pxd
    RECV = 0
    SEND = 1
    SENDMSG = 2
    SENDFILE = 3
    PREAD = 4
    OFF = 0
    ON = 1
    RECORDING = 2  # on, and a recorder is open somewhere

MAX_LABELS = 1000  # arbitrary; a label's totals stay for the life of the process
OTHER = "(other)"  # stands for the labels beyond


class Listener(Protocol):
    """A recorder, as the meter knows it."""

    def note(self, what: CopyReason | str, nbytes: int, views: int, label: str, /) -> None:
        """Take one copy (its reason) or one system call (its name)."""


class Account:
    """The counters of one channel, or of the process.

    What is counted for every message lies side by side: two cache lines of an account are touched by an echo. A counter
    has 63 bits, which last 290 years at 1 GB/s.
    Ownership: an account holds numbers, its label and its recorders, and nothing of who reports.
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
        self._label = ""
        self._total: Account | None = None  # where the figures go when this account is gone
        self._listeners: tuple[Listener, ...] | None = None

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
        if _mode == ON:
            self._add(3 * call, nbytes, views)
            PROCESS._add(3 * call, nbytes, views)
        elif _mode == RECORDING:
            self._called_and_told(call, nbytes, views)

    def _called_and_told(self, call: int, nbytes: int, views: int) -> None:
        self._add(3 * call, nbytes, views)
        PROCESS._add(3 * call, nbytes, views)
        _tell(self, FREQUENT[call], nbytes, views)

    def _add(self, at: int, nbytes: int, views: int) -> None:
        self._frequent[at] += 1
        self._frequent[at + 1] += nbytes
        self._frequent[at + 2] += views

    def moved(self, call: str, nbytes: int, views: int = 1) -> None:
        """Add one system call `call` that moved `nbytes` bytes in `views` pieces, here and to the process."""
        if call in FREQUENT:
            self.called(FREQUENT.index(call), nbytes, views)
        elif _mode:
            self._add_rare(call, nbytes, views)
            PROCESS._add_rare(call, nbytes, views)
            if _mode == RECORDING:
                _tell(self, call, nbytes, views)

    def _add_rare(self, call: str, nbytes: int, views: int) -> None:
        if self._moves is None:
            self._moves = {}
        move = self._moves.setdefault(call, [0, 0, 0])
        move[0] += 1
        move[1] += nbytes
        move[2] += views

    def received(self, nbytes: int) -> None:
        """Add `nbytes` bytes that came in from the wire, here and to the process."""
        if _mode:
            self._wire_in += nbytes
            PROCESS._wire_in += nbytes

    def sent(self, nbytes: int) -> None:
        """Add `nbytes` bytes that the kernel took for the wire, here and to the process."""
        if _mode:
            self._wire_out += nbytes
            PROCESS._wire_out += nbytes

    def kernel_says(self, call: str, verdict: Verdict) -> None:
        """Note what the kernel reported about its own copies under `call`, here and for the process."""
        if _mode:
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

    @property
    def label(self) -> str:
        """Under which name `bills_by_label` adds this account up with its like; "" for none.

        What the account counted before it got the label moves along. The totals of a label stay when its accounts are
        gone, so labels are for roles ("upstream"), not for addresses; those beyond the first 1000 become "(other)".
        """
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        if self is PROCESS:
            raise ValueError("the account of the process has no label")
        if label and label not in _totals and len(_totals) >= MAX_LABELS:
            label = OTHER
        self._label, self._total = "", None
        if label:
            total = _totals.setdefault(label, Account())
            _members.setdefault(label, WeakSet()).add(self)
            self._label, self._total = label, total

    def __del__(self) -> None:
        total = self._total
        if total is not None:
            self._label, self._total = "", None  # nobody adds it up twice
            total._absorb(self)

    def _absorb(self, gone: "Account") -> None:
        """Add the figures of an account that is no more; integers only, a finaliser may run anywhere."""
        self._wire_in += gone._wire_in
        self._wire_out += gone._wire_out
        for at in range(3 * len(FREQUENT)):
            self._frequent[at] += gone._frequent[at]
        for at in range(2 * REASONS):
            self._user[at] += gone._user[at]
        for call, (calls, nbytes, views) in (gone._moves or {}).items():
            if self._moves is None:
                self._moves = {}
            move = self._moves.setdefault(call, [0, 0, 0])
            move[0] += calls
            move[1] += nbytes
            move[2] += views
        for call, verdict in (gone._verdicts or {}).items():
            self._note(call, verdict)

    def __repr__(self) -> str:
        name = f"{self._label!r}, " if self._label else ""
        return f"Account({name}{self.snapshot().summary()})"


PROCESS = Account()

_mode = ON
_current: Account | None = None
_recorders = 0  # open ones
_totals: dict[str, Account] = {}  # by label: what accounts counted that are gone
_members: dict[str, "WeakSet[Account]"] = {}  # by label: those that live


def process_account() -> Account:
    """Return the account of the whole process: everything that was charged to anybody."""
    return PROCESS


def charge(reason: int, nbytes: int) -> None:
    """Bill one user-space copy of `nbytes` bytes to the current account, if there is one, and to the process."""
    if _mode == ON:
        PROCESS.copied(reason, nbytes)
        if _current is not None:
            _current.copied(reason, nbytes)
    elif _mode == RECORDING:
        _charge_and_tell(reason, nbytes)


def _charge_and_tell(reason: int, nbytes: int) -> None:
    PROCESS.copied(reason, nbytes)
    if _current is not None:
        _current.copied(reason, nbytes)
    _tell(PROCESS if _current is None else _current, CopyReason(reason), nbytes, 1)


def _tell(account: Account, what: CopyReason | str, nbytes: int, views: int) -> None:
    """Tell the recorders of `account` and those of the process; each once."""
    for listener in account._listeners or ():
        listener.note(what, nbytes, views, account._label)
    if account is not PROCESS:
        for listener in PROCESS._listeners or ():
            listener.note(what, nbytes, views, account._label)


def charge_call(call: str, nbytes: int, views: int = 1) -> None:
    """Bill one system call outside any channel to the current account, if there is one, and to the process."""
    if _current is not None:
        _current.moved(call, nbytes, views)
    elif _mode:
        if call in FREQUENT:
            PROCESS._add(3 * FREQUENT.index(call), nbytes, views)
        else:
            PROCESS._add_rare(call, nbytes, views)
        if _mode == RECORDING:
            _tell(PROCESS, call, nbytes, views)


def charge_wire(received: int, sent: int) -> None:
    """Bill bytes from and to a peer outside any channel to the process alone."""
    if _mode:
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
    _set_mode(on, 0)


def is_metering() -> bool:
    """Return whether the meter is on."""
    return bool(_mode != OFF)


def listen(account: Account, listener: Listener) -> None:
    """Tell `listener` what is charged to `account` from now on; `Recorder` does so."""
    account._listeners = (*(account._listeners or ()), listener)
    _set_mode(is_metering(), 1)


def unlisten(account: Account, listener: Listener) -> None:
    """Undo `listen`."""
    others = [one for one in account._listeners or () if one is not listener]
    account._listeners = tuple(others) if others else None
    _set_mode(is_metering(), -1)


def _set_mode(on: bool, more: int) -> None:
    global _mode, _recorders
    _recorders += more
    _mode = (RECORDING if _recorders else ON) if on else OFF


def bills_by_label() -> dict[str, Bill]:
    """Return the process's bill cut up by the labels of accounts; "" is what has no label.

    Accounts that are gone count, too. The bills add up to that of the process, as long as nothing is charged meanwhile.
    """
    bills = {}
    rest = PROCESS.snapshot()
    for label, total in list(_totals.items()):
        living = [account for account in list(_members.get(label, ())) if account.label == label]
        bill = total.snapshot()  # after `living`: who is on that list cannot go meanwhile
        for account in living:
            bill += account.snapshot()
        bills[label] = bill
        rest -= bill
    return {"": rest, **bills}
