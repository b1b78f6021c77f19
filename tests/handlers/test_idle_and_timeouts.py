"""Idle states and timeouts, on a clock that the test moves.

Owns    IdleStateHandler, ReadTimeoutHandler, WriteTimeoutHandler.
Never   real seconds.
Always  an EmbeddedChannel; times are chosen so that one event lies between two checks."""

from __future__ import annotations

from typing import Any

import pytest

from zbuf.errors import ReadTimeoutError, WriteTimeoutError
from zbuf.handlers import IdleKind, IdleState, IdleStateHandler, ReadTimeoutHandler, WriteTimeoutHandler
from zbuf.pipeline import Context, Handler
from zbuf.testing import EmbeddedChannel


class Events(Handler[Any, Any]):
    """Keeps user events and exceptions."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """Keep it."""
        self.seen.append(event)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """Keep it."""
        self.seen.append(exc)


class Held(Handler[Any, Any]):
    """Keeps promises of writes until the test completes them."""

    def __init__(self) -> None:
        self.promises: list[Any] = []

    def write(self, ctx: Context, msg: Any, promise: Any) -> None:
        """Keep the promise."""
        self.promises.append(promise)


def test_idle_reader_silence_is_told_once_per_period() -> None:
    """The first event of a silence says so, the next ones do not, and a message starts anew."""
    events = Events()
    channel = EmbeddedChannel(IdleStateHandler(reader=10), events)
    channel.advance(9)
    assert events.seen == []
    channel.advance(1)
    assert events.seen == [IdleState(IdleKind.READER, True)]
    channel.advance(10)
    assert events.seen[1:] == [IdleState(IdleKind.READER, False)]
    channel.advance(5)
    channel.write_inbound("message")
    channel.advance(9)
    assert len(events.seen) == 2
    channel.advance(1)
    assert events.seen[2:] == [IdleState(IdleKind.READER, True)]
    assert channel.read_inbound() == "message"
    channel.finish()
    assert not channel.has_pending


def test_idle_writer_counts_what_reached_the_kernel_and_all_counts_both() -> None:
    """A write that is not through yet does not end a silence."""
    held, events = Held(), Events()
    channel = EmbeddedChannel(held, IdleStateHandler(writer=10, all=10), events)
    channel.advance(6)
    channel.write_outbound(b"x")
    channel.advance(4)
    assert events.seen == [IdleState(IdleKind.WRITER, True), IdleState(IdleKind.ALL, True)]
    held.promises[0].succeed()
    channel.advance(9)
    assert len(events.seen) == 2
    channel.advance(1)
    assert events.seen[2:] == [IdleState(IdleKind.WRITER, True), IdleState(IdleKind.ALL, True)]
    channel.write_inbound("message")
    channel.advance(10)
    assert events.seen[4:] == [IdleState(IdleKind.WRITER, False), IdleState(IdleKind.ALL, True)]
    channel.finish_and_release_all()


def test_idle_passes_promises_on() -> None:
    """The writer's own promise is told of success and of failure."""
    outcomes: list[object] = []

    class Promise:
        def succeed(self) -> None:
            outcomes.append("done")

        def fail(self, exc: BaseException) -> None:
            outcomes.append(exc)

    held = Held()
    channel = EmbeddedChannel(held, IdleStateHandler(writer=1), WriteTimeoutHandler(5))
    channel.pipeline.write(b"a", Promise())
    channel.pipeline.write(b"b", Promise())
    held.promises[0].succeed()
    failure = ValueError()
    held.promises[1].fail(failure)
    assert outcomes == ["done", failure]
    channel.finish()


def test_idle_handler_removed_or_added_late_is_right() -> None:
    """A handler added to a live channel begins at once; a removed one is silent."""
    events = Events()
    channel = EmbeddedChannel(events)
    idle = IdleStateHandler(reader=3)
    channel.pipeline.add_first("idle", idle)
    channel.advance(3)
    assert len(events.seen) == 1
    channel.pipeline.remove("idle")
    channel.advance(30)
    assert len(events.seen) == 1 and not channel.has_pending


@pytest.mark.parametrize("periods", [{}, {"reader": 0}, {"writer": -1}, {"all": float("nan")}])
def test_idle_bad_periods_are_refused(periods: dict[str, float]) -> None:
    """No period at all, or one that is not above 0: ValueError."""
    with pytest.raises(ValueError):
        IdleStateHandler(**periods)


def test_read_timeout_raises_inward_and_closes_once() -> None:
    """ReadTimeoutError reaches the handlers further in, then the channel is closed."""
    events = Events()
    channel = EmbeddedChannel(ReadTimeoutHandler(2), events)
    channel.advance(1.5)
    channel.write_inbound("in time")
    channel.advance(1.5)
    assert channel.is_open
    channel.advance(1)
    (error,) = events.seen
    assert isinstance(error, ReadTimeoutError) and isinstance(error, TimeoutError) and error.seconds == 2
    assert not channel.is_open
    channel.advance(10)
    assert len(events.seen) == 1
    channel.release_inbound()


def test_write_timeout_looks_at_the_oldest_write() -> None:
    """Writes that get away in time are forgotten; one that does not closes the channel."""
    held, events = Held(), Events()
    channel = EmbeddedChannel(held, WriteTimeoutHandler(5), events)
    channel.write_outbound(b"1")
    channel.advance(3)
    channel.write_outbound(b"2")
    held.promises[0].succeed()
    channel.advance(4)
    assert channel.is_open and events.seen == []
    channel.advance(1)
    (error,) = events.seen
    assert isinstance(error, WriteTimeoutError) and error.seconds == 5
    assert not channel.is_open and not channel.has_pending


def test_write_timeout_is_quiet_when_all_is_written() -> None:
    """After the last write is through, the timer ends by itself."""
    channel = EmbeddedChannel(WriteTimeoutHandler(5))
    channel.write_outbound(b"1")
    channel.advance(60)
    assert channel.is_open and not channel.has_pending
    channel.release_outbound()
    with pytest.raises(ValueError):
        WriteTimeoutHandler(0)
