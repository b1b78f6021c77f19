"""The leak ledger: where each block was leased, and who holds it.

Owns    one record for each block that was leased while the ledger was on; the reports.
Never   a reference to a block or a handle (weak ones only), a lock, a word when it is off.
Always  a record goes with its block. What is reported is reported once.

Mostly it answers "who pins this?", seldom "who forgot?": a handle that is dropped lets go of its block all the same.
Blocks may end on any thread and in the midst of a collection, so there is no lock: every change of a dictionary here
is one operation, which nothing interrupts under the GIL.
"""

import contextlib
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from zbuf._environ import LEDGER
from zbuf.errors import DetachedWarning, UnreleasedWarning
from zbuf.memory._holders import holders_of
from zbuf.memory._memory import Home, Memory, watch
from zbuf.memory._pool import BlockPool

__all__ = ["Lease", "Ledger", "Place", "Snapshot", "ledger"]


class Place(NamedTuple):
    """A line of a program."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


_INSIDE = __name__.partition(".")[0] + "."  # frames of zbuf itself are nobody's birthplace
_NOWHERE = Place("?", 0, "?")


def _here() -> Place:
    """Return the innermost line outside zbuf; where there is none, the innermost."""
    frame = inner = sys._getframe(1)
    while True:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(_INSIDE) and name + "." != _INSIDE:
            break
        if frame.f_back is None:
            frame = inner
            break
        frame = frame.f_back
    code = frame.f_code
    return Place(code.co_filename, frame.f_lineno, code.co_qualname)


@dataclass(frozen=True)
class Lease:
    """A block that somebody holds, at the moment of the question.

    `size`: its bytes; `asked`: those asked for; `pooled`: whether it comes from a `Pool`. `born`: the line that leased
    it; `touched`: the line of the last `touch`, None without one, and `hint` what it said; `age`: seconds since.
    `handles`: buffers on it, with the line that made each; `exports`: memoryviews and arrays on it; `others`: further
    holders, which are components of composites and transfers in flight.
    """

    size: int
    asked: int
    pooled: bool
    born: Place
    touched: Place | None
    hint: object
    age: float
    handles: tuple[tuple[str, Place], ...]
    exports: int
    others: int
    _record: "_Record" = field(repr=False, compare=False)

    @property
    def holders(self) -> int:
        """How many holders there are, of all kinds."""
        return len(self.handles) + self.exports + self.others

    def held_by(self) -> list[str]:
        """Say in words who refers to the handles and views on this block now, as far as the interpreter can tell.

        Cost: a search through all objects that the garbage collector knows."""
        memory = self._record.memory()
        if memory is None:
            return []
        return holders_of(memory, self._record.live_handles())

    def describe(self) -> str:
        """Return the lease in a few lines for people."""
        kind = "pooled" if self.pooled else "unpooled"
        lines = [f"{self.size} bytes, {kind} ({self.asked} asked for, {self.age:.1f} s ago), leased at {self.born}"]
        if self.touched is not None:
            lines.append(f"  last touched at {self.touched}" + (f": {self.hint}" if self.hint is not None else ""))
        lines += [f"  held by a {name} made at {place}" for name, place in self.handles]
        if self.exports:
            lines.append(f"  held by {self.exports} memoryview(s) or array(s)")
        if self.others:
            lines.append(f"  held by {self.others} component(s) of composites or transfer(s) in flight")
        return "\n".join(lines)


class _Record:
    """What is known of one block; the `Memory` holds it, and it holds nothing."""

    __slots__ = ("asked", "born", "first", "handles", "hint", "memory", "number", "pooled", "since", "size", "touched")

    def __init__(self, memory: Memory, home: Home, asked: int, number: int) -> None:
        self.memory: weakref.ref[Memory] = weakref.ref(memory)
        self.size: int = memory.size
        self.asked: int = asked
        self.pooled: bool = isinstance(home, BlockPool)
        self.born: Place = _here()
        self.since: float = time.monotonic()
        self.touched: Place | None = None
        self.hint: object = None
        self.handles: dict[int, tuple[weakref.ref[Any], Place]] = {}  # by id
        self.first: int = 0  # the id of the handle somebody asked an allocator for
        self.number: int = number

    # The room of memory and the buffers call these.

    def handle(self, made: Any, is_first: bool) -> None:
        """Note a handle on the block."""
        key = id(made)
        self.handles[key] = (weakref.ref(made, self._forgets(key)), self.born if is_first else _here())
        if is_first:
            self.first = key
        elif self.first == key:
            self.first = 0  # that one is gone, and its place in memory was taken

    def _forgets(self, key: int) -> Callable[[object], None]:
        def forget(_: object) -> None:
            self.handles.pop(key, None)

        return forget

    def touch(self, hint: object) -> None:
        """Note the caller's line and what he says."""
        self.touched, self.hint = _here(), hint

    def leaving(self, is_shared: bool) -> None:
        """Report that a handle is about to move to another block while others hold this one."""
        if is_shared:
            ledger._report_detached(self)

    def moved(self, handle: Any, target: "_Record") -> None:
        """Note that a handle moved to the block of `target`, which takes over where it was born."""
        key = id(handle)
        place = self.handles.pop(key, (None, target.born))[1]
        target.handles[key] = (weakref.ref(handle, target._forgets(key)), place)
        if self.first == key:
            self.first, target.first = 0, key
            target.touched, target.hint = target.born, "moved here when it grew"
            target.born = self.born

    def dropped(self, key: int) -> None:
        """Note that the handle of this id ends without having been released."""
        if key == self.first:
            self.first = 0
            ledger._report_unreleased(self)

    def settle(self) -> None:
        """Note that nobody holds the block any more."""
        ledger._records.pop(self.number, None)
        self.handles.clear()

    # For the ledger.

    def live_handles(self) -> list[tuple[Any, Place]]:
        """Return the handles on the block that were not released, and the line that made each."""
        found = [(reference(), place) for reference, place in list(self.handles.values())]
        return [(handle, place) for handle, place in found if handle is not None and handle.refcnt]

    def lease(self) -> Lease | None:
        """Return the state now; None when the block is gone."""
        handles = tuple((type(handle).__name__, place) for handle, place in self.live_handles())
        memory = self.memory()
        if memory is None:
            return None
        exports = memory.exports
        others = sys.getrefcount(memory) - _OURS - exports - len(handles)
        age = time.monotonic() - self.since
        return Lease(
            self.size, self.asked, self.pooled, self.born, self.touched, self.hint, age, handles, exports,
            max(others, 0), self,
        )  # fmt: skip


_OURS = 2  # the local name, and the argument of getrefcount


class Snapshot:
    """A moment: `new()` says what was leased since and is still held."""

    def __init__(self, last: int) -> None:
        self._last = last

    def new(self) -> list[Lease]:
        """Return the leases made after this moment that live, the oldest first."""
        return [lease for lease in ledger.live() if lease._record.number > self._last]


class Ledger:
    """Who holds which block. There is one, `zbuf.memory.ledger`; it is off unless asked for (`ZBUF_LEDGER=1`).

    While it is on, a buffer that an allocator made and that is dropped without `release()` is reported once, as an
    `UnreleasedWarning` at the line that leased it; and a write that moves a buffer away from memory that others hold
    is reported as a `DetachedWarning` with both lines. What was leased before it was switched on is unknown to it.
    """

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}
        self._count = 0
        self._is_on = False
        self._said: dict[Any, Any] = {}  # what `warnings` keeps to say a thing once

    @property
    def is_on(self) -> bool:
        """Whether blocks are recorded now."""
        return self._is_on

    def enable(self) -> None:
        """Record the blocks leased from now on. Does nothing when it is on.

        Its warnings are ResourceWarnings, which Python does not show unless a filter says so (`-X dev`, `-W default`).
        Only ZBUF_LEDGER=1, where nobody asked for any filter, has them shown."""
        if not self._is_on:
            self._is_on = True
            watch(self)

    def disable(self) -> None:
        """Stop recording and forget everything."""
        self._is_on = False
        watch(None)
        self._records.clear()
        self._said.clear()

    @contextlib.contextmanager
    def keeping(self) -> Iterator["Ledger"]:
        """Keep the ledger within a `with` block; afterwards it is as it was before."""
        was_on = self._is_on
        self.enable()
        try:
            yield self
        finally:
            if not was_on:
                self.disable()

    def live(self) -> list[Lease]:
        """Return the blocks that somebody holds now, the oldest first; nothing when the ledger is off."""
        found = [record.lease() for record in list(self._records.values())]
        return [lease for lease in found if lease is not None]

    def snapshot(self) -> Snapshot:
        """Return this moment, to ask later what was leased since."""
        return Snapshot(self._count)

    def report(self) -> str:
        """Return all live leases in words, the largest first."""
        leases = sorted(self.live(), key=lambda lease: -lease.size)
        if not leases:
            return "no blocks are held" if self._is_on else "the ledger is off"
        total = sum(lease.size for lease in leases)
        return "\n".join([f"{len(leases)} blocks are held, {total} bytes", *(lease.describe() for lease in leases)])

    # The room of memory calls this, and records call the rest.

    def lease(self, memory: Memory, home: Home, asked: int) -> _Record:
        """Open a record."""
        self._count = number = self._count + 1
        record = self._records[number] = _Record(memory, home, asked, number)
        return record

    def _report_unreleased(self, record: _Record) -> None:
        if not self._is_on or sys.is_finalizing():
            return
        touched = "" if record.touched is None else f"; last touched at {record.touched}"
        if record.touched is not None and record.hint is not None:
            touched += f": {record.hint}"
        self._warn(
            f"a buffer of {record.asked} bytes was dropped without release(); leased at {record.born}{touched}",
            UnreleasedWarning,
            record.born,
        )

    def _report_detached(self, record: _Record) -> None:
        if not self._is_on:
            return
        place = _here()
        self._warn(
            f"a buffer leaves a block that others hold and see no more of its writes; leased at {record.born}, "
            f"detached at {place}",
            DetachedWarning,
            place,
        )

    def _warn(self, text: str, category: type[Warning], place: Place) -> None:
        warnings.warn_explicit(text, category, place.file, place.line, registry=self._said)


ledger: Ledger = Ledger()
if LEDGER:
    ledger.enable()
    if not sys.warnoptions:
        warnings.simplefilter("default", UnreleasedWarning)
        warnings.simplefilter("default", DetachedWarning)
