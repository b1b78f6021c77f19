"""A clock that moves only when a test says so.

Owns    the calls that are still to come, in order of their time.
Never   real time, a thread, a loop.
Always  calls of the same time happen in the order in which they were asked for; a call that asks for another one that
        is due already is followed by it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

__all__ = ["EmbeddedTimer", "ManualClock"]


class EmbeddedTimer:
    """A call of a ManualClock."""

    __slots__ = ("_call", "when")

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self.when: float = when
        self._call: Callable[[], object] | None = call

    @property
    def is_pending(self) -> bool:
        """Whether the call is still to come."""
        return self._call is not None

    def cancel(self) -> None:
        """Do not call."""
        self._call = None

    def fire(self) -> None:
        """Call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


class ManualClock:
    """Seconds since the start of a test, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, EmbeddedTimer]] = []
        self._numbers = itertools.count()

    def call_later(self, seconds: float, call: Callable[[], object]) -> EmbeddedTimer:
        """Call `call()` when the clock has moved on by `seconds`."""
        timer = EmbeddedTimer(self.now + max(0.0, seconds), call)
        heapq.heappush(self._heap, (timer.when, next(self._numbers), timer))
        return timer

    @property
    def has_pending(self) -> bool:
        """Whether a call is still to come."""
        return any(timer.is_pending for _, _, timer in self._heap)

    def run_due(self, until: float) -> int:
        """Move on to `until`, and make each call on the way at its own time; return how many."""
        made = 0
        while self._heap and self._heap[0][0] <= until:
            when, _, timer = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            if timer.is_pending:
                made += 1
                timer.fire()
        self.now = max(self.now, until)
        return made
