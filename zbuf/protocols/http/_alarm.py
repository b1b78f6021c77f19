"""One alarm of a connection: cheap to move, since it moves with every request.

Owns    a due time and at most one timer of the loop; how long is too long.
Never   what is due, or for whom.
Always  it goes off once for each time it was set, never before its time; a cleared alarm keeps nobody alive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Alarm", "HttpTimers", "TimerLoop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpTimers:
    """Seconds. `head`: from the first byte of a request to its end, or from connecting to the first request, in all,
    whatever trickles in; `idle`: between two requests; `stalled`: without any progress of an answer under way;
    `linger`: how long what a refused peer still sends is read and dropped.
    """

    head: float = 30.0
    idle: float = 75.0
    stalled: float = 60.0
    linger: float = 2.0

    def __post_init__(self) -> None:
        for name in ("head", "idle", "stalled", "linger"):
            value = getattr(self, name)
            if not 0 < value <= 86400:
                raise ValueError(f"{name} is more than 0 and at most 86400 seconds, not {value}")


class Timer(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Do not call."""


class TimerLoop(Protocol):
    """The two things an alarm needs of an event loop: a monotonic clock, and being called later."""

    def time(self) -> float:
        """Return seconds on a clock that never jumps."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call `callback` after `delay` seconds."""


class Alarm:
    """Calls `on_due` when the time it was last set to has come.

    Moving the alarm to a later time costs no timer: the old one finds out that it is early and waits for the rest.
    """

    __slots__ = ("_due", "_loop", "_on_due", "_timer", "_timer_at")

    def __init__(self, loop: TimerLoop, on_due: Callable[[], None]) -> None:
        self._loop = loop
        self._on_due: Callable[[], None] | None = on_due
        self._due: float | None = None
        self._timer: Timer | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """Go off `seconds` from now, instead of whenever it was."""
        due = self._due = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._start(due, seconds)

    def clear(self) -> None:
        """Never go off again, and let go of everything."""
        self._due = self._on_due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, due: float, seconds: float) -> None:
        self._timer_at = due
        self._timer = self._loop.call_later(seconds, self._fire)

    def _fire(self) -> None:
        self._timer = None
        due, on_due = self._due, self._on_due
        if due is None or on_due is None:
            return
        early = due - self._loop.time()
        if early > 0:
            self._start(due, early)
            return
        self._due = None
        on_due()
