"""A real pipeline with in-memory ends: handlers and codecs are tested with plain calls, no loop and no socket.

Owns    what came out at both ends, the exceptions nobody handled, and whether the channel is open.
Never   sockets, an event loop (only `Context.run` wants one), real time: its clock moves when a test says so.
Always  it behaves as a channel where a handler can see it: writes take their message, what is written leaves with the
        flush, an exception that reaches the tail closes it, channel_inactive comes once. It is stricter where that
        finds mistakes: leaving the `with` block with unread messages or an unraised exception fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zbuf.buffer import ByteBuf, copied, default_allocator, release
from zbuf.errors import ChannelClosedError, UnsupportedMessageError
from zbuf.pipeline import Handler, InputShutdown, Pipeline
from zbuf.region import FileRegion
from zbuf.testing._clock import EmbeddedTimer, ManualClock

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.buffer import Allocator

__all__ = ["EmbeddedChannel"]


class EmbeddedChannel:
    r"""A channel without a socket: what you write in at one end, you read at the other, after all handlers saw it.

    `handlers` are added from the channel inward; then the channel becomes active.

    >>> from zbuf.codec import LengthFieldBasedFrameDecoder
    >>> from zbuf.pipeline import DecoderHandler
    >>> with EmbeddedChannel(DecoderHandler(LengthFieldBasedFrameDecoder(1024, 0, 2, 0, 2))) as channel:
    ...     channel.write_inbound(b"\x00\x02", b"Hi")
    ...     bytes(channel.read_inbound())
    True
    b'Hi'

    Ownership: messages written are taken; messages read belong to the caller. Source: Netty EmbeddedChannel."""

    def __init__(self, *handlers: Handler[Any, Any], allocator: Allocator | None = None) -> None:
        self.allocator: Allocator = default_allocator() if allocator is None else allocator
        self.is_open: bool = True
        self.is_writable: bool = True
        self.read_requests: int = 0
        self._inbound: deque[Any] = deque()
        self._outbound: deque[Any] = deque()
        self._unflushed: list[tuple[Any, WritePromise | None]] = []
        self._exceptions: deque[BaseException] = deque()
        self._depth = 0
        self._inactive_told = False
        self._clock = ManualClock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._close_callbacks: list[Callable[[EmbeddedChannel], object]] = []
        self.pipeline: Pipeline = Pipeline(self)
        for handler in handlers:
            self.pipeline.add_last(handler)
        self._run(self.pipeline.fire_channel_active)

    @property
    def is_active(self) -> bool:
        """Whether the channel is connected, as handlers ask a channel."""
        return self.is_open

    # The two ends, from outside.

    def write_inbound(self, *msgs: Any) -> bool:
        """Let `msgs` arrive, then channel_read_complete. Return whether a message can be read at the inner end.

        Ownership: transfers. Raises: an exception nobody handled; ChannelClosedError when the channel is closed, the
        messages are released."""
        self._check_open(msgs)
        self._run(self._arrive, msgs)
        self.check_exception()
        return bool(self._inbound)

    def write_outbound(self, *msgs: Any) -> bool:
        """Write `msgs` at the inner end and flush. Return whether something can be read at the outer end.

        Ownership: transfers. Raises: what the write raises, an exception nobody handled, ChannelClosedError."""
        self._check_open(msgs)
        for at, msg in enumerate(msgs):
            try:
                self._run(self.pipeline.write, msg)
            except BaseException:
                _release_all(msgs[at + 1 :])
                raise
        self._run(self.pipeline.flush)
        self.check_exception()
        return bool(self._outbound)

    def write_one_inbound(self, msg: Any) -> None:
        """Let `msg` arrive, without channel_read_complete; `flush_inbound` follows when all are there.

        Ownership: transfers. Raises: as write_inbound."""
        self._check_open((msg,))
        self._run(self.pipeline.fire_channel_read, msg)

    def flush_inbound(self) -> bool:
        """End what write_one_inbound began with channel_read_complete. Return whether a message can be read.

        Raises: an exception nobody handled."""
        self._run(self.pipeline.fire_channel_read_complete)
        self.check_exception()
        return bool(self._inbound)

    def write_one_outbound(self, msg: Any, promise: WritePromise | None = None) -> None:
        """Write `msg` at the inner end, without a flush; `flush_outbound` follows.

        Ownership: transfers. Raises: what the write raises."""
        self._check_open((msg,))
        self._run(self.pipeline.write, msg, promise)

    def flush_outbound(self) -> bool:
        """Flush at the inner end. Return whether something can be read at the outer end.

        Raises: an exception nobody handled."""
        self._run(self.pipeline.flush)
        self.check_exception()
        return bool(self._outbound)

    # Time.

    @property
    def has_pending(self) -> bool:
        """Whether a handler's timer is still to come."""
        return self._clock.has_pending

    def run_pending(self) -> int:
        """Make the calls that are due now; return how many. Raises: an exception nobody handled."""
        return self.advance(0.0)

    def advance(self, seconds: float) -> int:
        """Let `seconds` pass: the timers on the way are called, each at its own time; return how many.

        Raises: ValueError if negative; an exception nobody handled."""
        if seconds < 0:
            raise ValueError(f"time goes forward: {seconds}")
        made = self._clock.run_due(self._clock.now + seconds)
        self.check_exception()
        return made

    async def drain(self) -> None:
        """Wait until the channel is writable. Raises: ChannelClosedError."""
        while not self.is_writable or not self.is_open:
            if not self.is_open:
                raise ChannelClosedError
            await asyncio.sleep(0)

    def when_closed(self, call: Callable[[EmbeddedChannel], object]) -> None:
        """Call `call(channel)` once the handlers have heard of the close; at once if that is over."""
        if self._inactive_told:
            call(self)
        else:
            self._close_callbacks.append(call)

    def read_inbound(self) -> Any | None:
        """Return the next message that passed all handlers inward, or None. Ownership: transfers to the caller."""
        return self._inbound.popleft() if self._inbound else None

    def read_outbound(self) -> Any | None:
        """Return the next message that was flushed, or None. Ownership: transfers to the caller."""
        return self._outbound.popleft() if self._outbound else None

    def shutdown_input(self) -> None:
        """Let the peer end its side: the handlers get `InputShutdown`. Raises: an exception nobody handled."""
        self._run(self.pipeline.fire_user_event_triggered, InputShutdown())
        self.check_exception()

    def set_writable(self, writable: bool) -> None:
        """Let the outbound queue cross a mark. Raises: an exception nobody handled."""
        if writable != self.is_writable:
            self.is_writable = writable
            self._run(self.pipeline.fire_channel_writability_changed)
            self.check_exception()

    def read(self) -> None:
        """Ask for a message, as an application does with automatic reads off (`pipeline.auto_read = False`).

        `read_requests` counts how many such requests came through to the channel."""
        self._run(self.pipeline.read)
        self.check_exception()

    def close(self) -> None:
        """Close the channel, through the handlers."""
        self._run(self.pipeline.close)

    def finish(self) -> bool:
        """Close, and remove the handlers. Return whether messages are left at either end.

        Raises: an exception nobody handled."""
        self.close()
        self._tell_inactive()
        self.pipeline.destroy()
        self.check_exception()
        return bool(self._inbound or self._outbound)

    def finish_and_release_all(self) -> bool:
        """As `finish`, and release the messages left. Return whether there were any."""
        try:
            return self.finish()
        finally:
            self.release_inbound()
            self.release_outbound()

    def release_inbound(self) -> bool:
        """Release the messages at the inner end. Return whether there were any."""
        return _drain(self._inbound)

    def release_outbound(self) -> bool:
        """Release the messages at the outer end. Return whether there were any."""
        return _drain(self._outbound)

    def check_exception(self) -> None:
        """Raise the first exception that no handler handled, and forget it."""
        if self._exceptions:
            raise self._exceptions.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if exc is not None:
            self._exceptions.clear()
            try:
                self.finish_and_release_all()
            except Exception as later:  # the block's own exception is the first cause
                exc.add_note(f"closing the EmbeddedChannel raised {later!r}")
            return
        try:
            self.finish()
            left = len(self._inbound), len(self._outbound)
        finally:
            self.release_inbound()
            self.release_outbound()
        assert left == (0, 0), f"messages were left unread: {left[0]} inbound, {left[1]} outbound"

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"EmbeddedChannel({state}, inbound={len(self._inbound)}, outbound={len(self._outbound)})"

    # What the pipeline calls (see `Sink`).

    def sink_write(self, msg: object, promise: WritePromise | None) -> None:
        """Queue a message until the flush."""
        if not self.is_open:
            release(msg)
            raise ChannelClosedError
        if isinstance(msg, (ByteBuf, FileRegion)):
            self._unflushed.append((msg.move(), promise))
        elif type(msg) is bytes:
            self._unflushed.append((msg, promise))
        elif isinstance(msg, (bytes, bytearray, memoryview)):
            self._unflushed.append((copied(msg), promise))
        else:
            release(msg)
            raise UnsupportedMessageError(
                f"the channel takes buffers, bytes and file regions, not {type(msg).__name__}", message_type=type(msg)
            )

    def sink_flush(self) -> None:
        """Let what was written leave."""
        flushed, self._unflushed = self._unflushed, []
        for msg, promise in flushed:
            self._outbound.append(msg)
            if promise is not None:
                promise.succeed()

    def sink_read(self) -> None:
        """Count the request."""
        self.read_requests += 1

    def sink_close(self) -> None:
        """Fail what was not flushed; channel_inactive follows when the present event is through."""
        if not self.is_open:
            return
        self.is_open = False
        unflushed, self._unflushed = self._unflushed, []
        for msg, promise in unflushed:
            release(msg)
            if promise is not None:
                promise.fail(ChannelClosedError())
        self._tell_inactive()

    def sink_unread(self, msg: object) -> None:
        """Keep a message for `read_inbound`."""
        self._inbound.append(msg)

    def sink_failed(self, exc: BaseException) -> None:
        """Keep an exception for `check_exception`, and close."""
        self._exceptions.append(exc)
        self.sink_close()

    def sink_time(self) -> float:
        """Return the clock of this channel, which `advance` moves."""
        return self._clock.now

    def sink_call_later(self, seconds: float, call: Callable[[], object]) -> EmbeddedTimer:
        """Call `call()` when the clock has moved on so far."""
        return self._clock.call_later(seconds, lambda: self._run(call))

    def sink_run(
        self, coroutine: Coroutine[Any, Any, object], failed: Callable[[Exception], object]
    ) -> asyncio.Task[Any]:
        """Run a coroutine on the loop that is running. Raises: RuntimeError if none is."""
        try:
            task = asyncio.get_running_loop().create_task(coroutine)
        except RuntimeError:
            coroutine.close()
            raise

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            exc = None if task.cancelled() else task.exception()
            if isinstance(exc, Exception):
                self._run(failed, exc)

        self._tasks.add(task)
        task.add_done_callback(ended)
        return task

    # Inside.

    def _arrive(self, msgs: tuple[Any, ...]) -> None:
        """One wake-up: the messages, as long as the channel is open, then their end."""
        for at, msg in enumerate(msgs):
            if not self.is_open:
                _release_all(msgs[at:])
                break
            self.pipeline.fire_channel_read(msg)
        self.pipeline.fire_channel_read_complete()

    def _run(self, call: Any, *args: Any) -> None:
        self._depth += 1
        try:
            call(*args)
        finally:
            self._depth -= 1
            self._tell_inactive()

    def _tell_inactive(self) -> None:
        if not self.is_open and not self._inactive_told and self._depth == 0:
            self._inactive_told = True
            self.pipeline.fire_channel_inactive()
            callbacks, self._close_callbacks = self._close_callbacks, []
            for call in callbacks:
                call(self)

    def _check_open(self, msgs: tuple[Any, ...]) -> None:
        if self._exceptions:
            _release_all(msgs)
            self.check_exception()
        if not self.is_open:
            _release_all(msgs)
            raise ChannelClosedError


def _release_all(msgs: tuple[Any, ...]) -> None:
    for msg in msgs:
        release(msg)


def _drain(msgs: deque[Any]) -> bool:
    had = bool(msgs)
    while msgs:
        release(msgs.popleft())
    return had
