"""The bill: what an account's figures look like once they are taken out of it.

Owns    the reasons for a copy, the labels of evidence, and the frozen record of figures.
Never   the counters themselves, or who moved the bytes.
Always  a bill is immutable; the difference of two bills is the bill of what happened in between; every line says who
        vouches for it, and what nobody vouches for is unknown, not 0.
"""

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Bill", "CopyReason", "Count", "Evidence", "Move", "Verdict"]


class CopyReason(enum.IntEnum):
    """Why bytes were copied in user space. Values of 8 bytes or less (the typed accessors) do not count."""

    GROW = 0
    """a buffer moved to a larger block"""
    DISCARD = 1
    """discard_read_bytes moved the rest to the front"""
    COPY = 2
    """copy() or copied()"""
    COMPACT = 3
    """compact() unpinned a block"""
    CONSOLIDATE = 4
    """consolidate() joined components"""
    TRANSFER = 5
    """get, set, read or write of bytes"""
    TOBYTES = 6
    """bytes(buf)"""
    GATHER = 7
    """one piece was needed and there were several"""
    SNAPSHOT = 8
    """write() of an object that its owner could still change"""
    COALESCE = 9
    """small parts joined for one system call"""
    CUMULATE = 10
    """a decoder joined small reads"""
    TEXT = 11
    """text was encoded or decoded"""
    FILE_READ = 12
    """a region was read into memory because somebody needed its bytes"""
    FALLBACK_READ = 13
    """a region was read and sent because the kernel could not move it by itself"""
    TLS = 14
    """encryption"""


class Evidence(enum.Enum):
    """Who vouches for a figure."""

    SELF_REPORTED = "self-reported"
    WITNESSED = "witnessed"
    KERNEL_REPORTED = "kernel-reported"
    PROBED = "probed"


class Verdict(enum.Enum):
    """What is known of the kernel's own copies under a system call."""

    UNKNOWN = "unknown"
    SHARED = "shared"
    COPIED = "copied"


@dataclass(frozen=True, slots=True)
class Count:
    """Copies for one reason: how often, and how many bytes in all."""

    calls: int = 0
    nbytes: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Moves by one system call: how often, how many bytes, in how many pieces."""

    calls: int = 0
    nbytes: int = 0
    views: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What was moved and copied: a frozen snapshot.

    `user`: copies in user space by reason; `kernel`: bytes moved by each system call; `kernel_copied`: what is known
    of the kernel's own copies under it; `wire_in`, `wire_out`: bytes from and to the peer.

    `evidence`: who vouches for the figures; zbuf's own primitives, as a rule. `vouched`: the lines that somebody else
    vouches for, by their name: "user.grow", "kernel.sendfile", "kernel_copied.sendfile", "wire_in" or "wire_out";
    "user", "kernel" and "kernel_copied" stand for all of theirs. `evidence_of` answers for any line.
    """

    user: Mapping[CopyReason, Count] = field(default_factory=dict)
    kernel: Mapping[str, Move] = field(default_factory=dict)
    kernel_copied: Mapping[str, Verdict] = field(default_factory=dict)
    wire_in: int = 0
    wire_out: int = 0
    evidence: Evidence = Evidence.SELF_REPORTED
    vouched: Mapping[str, Evidence] = field(default_factory=dict)

    @property
    def user_bytes(self) -> int:
        """Bytes copied in user space, all reasons together."""
        return sum(count.nbytes for count in self.user.values())

    @property
    def calls(self) -> int:
        """System calls that moved bytes."""
        return sum(move.calls for move in self.kernel.values())

    def verdict(self, call: str) -> Verdict:
        """Return what is known of the kernel's own copies under a call."""
        return self.kernel_copied.get(call, Verdict.UNKNOWN)

    def lines(self) -> Iterator[str]:
        """Iterate over the names of the lines, in the order of a report."""
        yield "wire_in"
        yield "wire_out"
        for reason in self.user:
            yield f"user.{reason.name.lower()}"
        for call in self.kernel:
            yield f"kernel.{call}"
            yield f"kernel_copied.{call}"

    def evidence_of(self, line: str) -> Evidence | None:
        """Return who vouches for a line, None where nobody does: the kernel's copies under a call nobody asked about.

        `line`: one of `lines()`, or "user", "kernel" for their sums. Raises: KeyError for another name.
        """
        kind, _, name = line.partition(".")
        if kind not in _KINDS or (name and not _KINDS[kind]):
            raise KeyError(line)
        if kind == "kernel_copied":
            if self.verdict(name) is Verdict.UNKNOWN:
                return None
            return self.vouched.get(line) or self.vouched.get(kind, Evidence.KERNEL_REPORTED)
        return self.vouched.get(line) or self.vouched.get(kind, self.evidence)

    def with_evidence(self, vouched: Mapping[str, Evidence]) -> "Bill":
        """Return this bill with somebody else vouching for some of its lines: a witness that counted, too.

        `vouched`: by the names that `evidence_of` knows. Raises: KeyError for another name.
        """
        for line in vouched:
            self.evidence_of(line)
        return replace(self, vouched={**self.vouched, **vouched})

    def with_verdicts(self, verdicts: Mapping[str, Verdict]) -> "Bill":
        """Return this bill with what a probe found out, `zbuf.probe.verdicts()`, where the kernel itself did not say.

        A verdict of a probe is an observation on this machine, so these lines are labelled *probed*; for calls that
        are not on the bill nothing is added.
        """
        found = {
            call: verdicts[call]
            for call in self.kernel
            if self.verdict(call) is Verdict.UNKNOWN and verdicts.get(call, Verdict.UNKNOWN) is not Verdict.UNKNOWN
        }
        vouched = {**self.vouched, **{f"kernel_copied.{call}": Evidence.PROBED for call in found}}
        return replace(self, kernel_copied={**self.kernel_copied, **found}, vouched=vouched)

    def __add__(self, other: "Bill") -> "Bill":
        """Return both bills in one: of two channels, say. What they do not agree on is unknown, who vouches as well."""
        user = dict(self.user)
        for reason, count in other.user.items():
            have = user.get(reason, Count())
            user[reason] = Count(have.calls + count.calls, have.nbytes + count.nbytes)
        kernel = dict(self.kernel)
        for call, move in other.kernel.items():
            had = kernel.get(call, Move())
            kernel[call] = Move(had.calls + move.calls, had.nbytes + move.nbytes, had.views + move.views)
        agreed = {
            call: _agreed([bill.verdict(call) for bill in (self, other) if call in bill.kernel]) for call in kernel
        }
        sum_ = Bill(user, kernel, agreed, self.wire_in + other.wire_in, self.wire_out + other.wire_out)
        return replace(sum_, vouched=_vouched_by_both(sum_, self, other))

    def __sub__(self, earlier: "Bill") -> "Bill":
        """Return what came on top of `earlier`, a bill of the same account."""
        user = {}
        for reason, count in self.user.items():
            before = earlier.user.get(reason, Count())
            if count != before:
                user[reason] = Count(count.calls - before.calls, count.nbytes - before.nbytes)
        kernel = {}
        for call, move in self.kernel.items():
            was = earlier.kernel.get(call, Move())
            if move != was:
                kernel[call] = Move(move.calls - was.calls, move.nbytes - was.nbytes, move.views - was.views)
        return Bill(
            user=user,
            kernel=kernel,
            kernel_copied={call: self.verdict(call) for call in kernel},
            wire_in=self.wire_in - earlier.wire_in,
            wire_out=self.wire_out - earlier.wire_out,
            evidence=self.evidence,
            vouched=self.vouched,
        )

    def summary(self) -> str:
        """Return the bill in one line."""
        reasons = ", ".join(f"{r.name.lower()} {c.nbytes}" for r, c in self.user.items()) or "nothing"
        calls = ", ".join(f"{call} {move.calls}" for call, move in self.kernel.items()) or "none"
        return f"in {self.wire_in}, out {self.wire_out}; copied: {reasons}; calls: {calls}"

    def to_dict(self) -> dict[str, Any]:
        """Return the bill as plain data that `json.dumps` takes; "labels": who vouches for each line."""
        return {
            "version": VERSION,
            "evidence": self.evidence.value,
            "wire_in": self.wire_in,
            "wire_out": self.wire_out,
            "user": {r.name: {"calls": c.calls, "bytes": c.nbytes} for r, c in self.user.items()},
            "kernel": {k: {"calls": m.calls, "bytes": m.nbytes, "pieces": m.views} for k, m in self.kernel.items()},
            "kernel_copied": {call: verdict.value for call, verdict in self.kernel_copied.items()},
            "vouched": {line: label.value for line, label in self.vouched.items()},
            "labels": {line: label and label.value for line in self.lines() for label in (self.evidence_of(line),)},
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the bill as JSON; `from_json` makes an equal bill of it."""
        return json.dumps(self.to_dict(), indent=indent)

    @staticmethod
    def from_json(text: str | bytes) -> "Bill":
        """Return the bill that `to_json` wrote. Raises: ValueError for anything else, also for another version."""
        try:
            plain = json.loads(text)
            if plain["version"] != VERSION:
                raise ValueError(f"a bill of version {plain['version']!r}; this zbuf reads {VERSION}")
            bill = Bill(
                {CopyReason[r]: Count(_whole(c["calls"]), _whole(c["bytes"])) for r, c in plain["user"].items()},
                {
                    call: Move(_whole(m["calls"]), _whole(m["bytes"]), _whole(m["pieces"]))
                    for call, m in plain["kernel"].items()
                },
                {call: Verdict(verdict) for call, verdict in plain["kernel_copied"].items()},
                _whole(plain["wire_in"]),
                _whole(plain["wire_out"]),
                Evidence(plain["evidence"]),
            )
            return bill.with_evidence({line: Evidence(label) for line, label in plain["vouched"].items()})
        except (KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ValueError(f"no bill: {exc!r}") from None


VERSION = 1  # of the JSON; another one is not read
_KINDS = {
    "wire_in": False,
    "wire_out": False,
    "user": True,
    "kernel": True,
    "kernel_copied": True,
}  # has lines below it
_WEAKEST_FIRST = (Evidence.SELF_REPORTED, Evidence.PROBED, Evidence.KERNEL_REPORTED, Evidence.WITNESSED)


def _agreed(verdicts: list[Verdict]) -> Verdict:
    return verdicts[0] if len(set(verdicts)) == 1 else Verdict.UNKNOWN


def _vouched_by_both(total: Bill, one: Bill, other: Bill) -> dict[str, Evidence]:
    """The weaker label of two, for each line of a sum whose label is not what it would be anyway."""
    vouched = {}
    for line in total.lines():
        labels = [label for bill in (one, other) if line in bill.lines() and (label := bill.evidence_of(line))]
        if labels:
            weakest = min(labels, key=_WEAKEST_FIRST.index)
            own = total.evidence_of(line)
            if own is not None and weakest is not own:  # None: the verdict of the sum is unknown
                vouched[line] = weakest
    return vouched


def _whole(number: object) -> int:
    if type(number) is not int:
        raise TypeError(f"{number!r} is no count")
    return number
