"""The bill: what an account's figures look like once they are taken out of it.

Owns    the reasons for a copy, the labels of evidence, and the frozen record of figures.
Never   the counters themselves, or who moved the bytes.
Always  a bill is immutable; the difference of two bills is the bill of what happened in between.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    of the kernel's own copies under it; `wire_in`, `wire_out`: bytes from and to the peer. All figures of this class
    are self-reported by zbuf's own primitives, unless `evidence` says otherwise.
    """

    user: Mapping[CopyReason, Count] = field(default_factory=dict)
    kernel: Mapping[str, Move] = field(default_factory=dict)
    kernel_copied: Mapping[str, Verdict] = field(default_factory=dict)
    wire_in: int = 0
    wire_out: int = 0
    evidence: Evidence = Evidence.SELF_REPORTED

    @property
    def user_bytes(self) -> int:
        """Bytes copied in user space, all reasons together."""
        return sum(count.nbytes for count in self.user.values())

    @property
    def calls(self) -> int:
        """System calls that moved bytes."""
        return sum(move.calls for move in self.kernel.values())

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
            kernel_copied={call: self.kernel_copied.get(call, Verdict.UNKNOWN) for call in kernel},
            wire_in=self.wire_in - earlier.wire_in,
            wire_out=self.wire_out - earlier.wire_out,
            evidence=self.evidence,
        )

    def summary(self) -> str:
        """Return the bill in one line."""
        reasons = ", ".join(f"{r.name.lower()} {c.nbytes}" for r, c in self.user.items()) or "nothing"
        calls = ", ".join(f"{call} {move.calls}" for call, move in self.kernel.items()) or "none"
        return f"in {self.wire_in}, out {self.wire_out}; copied: {reasons}; calls: {calls}"
