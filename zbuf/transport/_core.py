"""The hot half of a channel: what happens when its socket is ready, and what its pipeline's head asks for.

Owns    the order of one wake-up (send, receive, flush once), what is watched for, when a flush is due.
Never   how a channel begins and ends, who waits for it (`_life.py`), or what a message is.
Always  everything written while an event of the channel is handled leaves in one flush soon after it; interest in
        writing exists only while the socket is full; reading goes on exactly while nobody holds it.

`ChannelCore` is the base of `Channel`, in C where that is possible: no method here makes an object per message.
"""

from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf.audit._meter import Account, enter, leave
from zbuf.buffer import release
from zbuf.errors import ChannelClosedError, OutputShutdownError, UsageError, WriteLimitError
from zbuf.outbound._queue import OutboundQueue
from zbuf.pipeline._pipeline import Pipeline
from zbuf.transport._calls import Calls
from zbuf.transport._poller import Poller, Watched

if not cython.compiled:
    from zbuf.transport._poller import ERROR, HANGUP, READ, SILENT, WRITE
    from zbuf.transport._read_loop import DRAINED, EMPTY, ENDED, FAILED
    from zbuf.transport._write_loop import BROKEN, BUSY, DONE
from zbuf.transport._read_loop import ReadLoop
from zbuf.transport._waiters import DONE_ALREADY, FailedWrite, Later
from zbuf.transport._write_loop import WriteLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zbuf._types import WritePromise

__all__ = ["CLOSED", "CLOSING", "NEW", "OPEN", "ChannelCore"]

if not cython.compiled:  # compiled: enumerations of the .pxd
    NEW = 0  # not yet watched; the pipeline is being filled
    OPEN = 1
    CLOSING = 2  # nothing more is taken, what is queued still goes out
    CLOSED = 3

    # Why nothing is received, any combination of:
    HOLD_REQUEST = 1  # auto_read is off and nobody has called read()
    HOLD_INBOX = 2  # the application has not taken what is there
    HOLD_OUTPUT = 4  # the peer does not take what it asked for
    HOLD_CLOSING = 8
    HOLD_ENDED = 16  # the peer has sent its last byte
    HOLD_RELAY = 32  # the channel it is relayed to is full


class ChannelCore(Watched):
    """Socket, pipeline and queue of one connection, and how an event travels between them."""

    prefers_bytes = True  # the pipeline's encoders: a header costs less as bytes than as a pooled buffer

    def __init__(self, allocator: Any) -> None:
        super().__init__()
        self.allocator = allocator
        self._state = NEW
        self._held = 0
        self._auto_read = True
        self._auto_flush = True
        self._holds_input_for_output = False
        self._output_is_shut = False
        self._attention = False
        self._writability_changed = False
        self._finish_is_due = False
        self._in_event = False
        self._flush_is_due = False
        self.unread_messages = 0
        self._inbox: Any = None

    def _assemble(
        self,
        calls: Calls,
        poller: Poller,
        pipeline: Pipeline,
        queue: OutboundQueue,
        account: Account,
        reader: ReadLoop,
        writer: WriteLoop,
    ) -> None:
        """Put the parts together; they know each other, so the channel cannot be made in one step."""
        self._calls = calls
        self._poller = poller
        self.pipeline = pipeline
        self._queue = queue
        self._account = account
        self._reader = reader
        self._writer = writer

    # One wake-up. No method on this path returns early: as C functions they return 0, and -1 for an exception.

    def ready(self, events: int) -> None:
        """Handle what the poller saw: send what was stuck, receive, and ask for the flush of what came of it."""
        if self._state != CLOSED:
            previous = enter(self._account)
            outer = self._in_event
            self._in_event = True
            try:
                if events & WRITE:
                    self._push()
                if events & ~WRITE and self._state != CLOSED:
                    self._receive(events)
            finally:
                self._in_event = outer
                leave(previous)
            if self._flush_is_due:
                self._poller.later(self)  # with the flushes of others: see FLUSHES_TOGETHER
            self._end_event()

    def turn(self) -> None:
        """Do what was put off to the end of the present events: flush, settle, or finish closing."""
        if self._flush_is_due or self._attention:
            previous = enter(self._account)
            outer = self._in_event
            self._in_event = True
            try:
                if self._flush_is_due:
                    self._flush_out()
                if self._attention:
                    self._settle_output()
            finally:
                self._in_event = outer
                leave(previous)
        self._end_event()

    def _as_event(self, fire: "Callable[[], object]") -> None:
        """Call `fire` as if the socket had been ready: what it writes leaves in one flush at the end."""
        previous = enter(self._account)
        outer = self._in_event
        self._in_event = True
        try:
            fire()
            if self._flush_is_due:
                self._flush_out()
        finally:
            self._in_event = outer
            leave(previous)
        if not outer:
            self._end_event()

    def _end_event(self) -> None:
        if self._finish_is_due:
            self._finish()
        elif self._state != CLOSED and (self._held == 0) != (self.interest & READ != 0):
            self._update_interest()

    def _receive(self, events: int) -> None:
        if self._held:  # reading is not wanted, so this is an error or a hang-up: they come whatever the interest is
            self._hung_up(events)
        else:
            if not self._auto_read:
                self._held = HOLD_REQUEST  # whoever calls read() while the message is handled takes it off again
                self._reader.one_at_a_time = True
            outcome = self._reader.run()
            if self._reader.has_received:
                self.pipeline.fire_channel_read_complete()
            if outcome != DRAINED and self._state != CLOSED:
                self._after_reading(outcome, events)

    def _after_reading(self, outcome: int, events: int) -> None:
        """Act on how a round of receives ended."""
        if outcome == ENDED:
            self._input_ended()
        elif outcome == FAILED:
            self._input_failed(self._reader.error)
        elif outcome == EMPTY:
            if not self._auto_read and not self._reader.has_received:
                self._held &= ~HOLD_REQUEST  # nothing came of it: the request stands
            if events & (ERROR | HANGUP):
                self._hung_up(events)

    def _update_interest(self) -> None:
        """Tell the poller what this channel waits for, if that has changed."""
        wanted = self.interest & WRITE
        if not self._held:
            wanted |= READ
        elif self.interest == SILENT:
            wanted = SILENT  # nothing more can be learnt until reading goes on
        if wanted != self.interest and self._state != NEW:
            self._poller.change(self, wanted)

    # Sending.

    def _ask_for_flush(self) -> None:
        """Flush at the end of the event being handled, or else once at the end of this turn of the loop."""
        if not self._in_event:
            self._schedule()
        self._flush_is_due = True

    def _flush_out(self) -> None:
        self._flush_is_due = False
        if self._auto_flush:
            self._queue.flush()
        self._push_if_free()

    def _push_if_free(self) -> None:
        """Send what is flushed, unless the poller is going to say when there is room."""
        if not self.interest & WRITE:
            self._push()
        elif self._attention:
            self._settle_output()

    def _push(self) -> None:
        """Send what is flushed, and see to it that the rest follows."""
        if self._state == OPEN or self._state == CLOSING:  # a tuple would be made each time
            outcome = self._writer.run()
            if outcome != DONE or self._attention or self.interest & WRITE:
                self._after_sending(outcome)

    def _after_sending(self, outcome: int) -> None:
        """Act on how a round of sends ended; it may have closed the channel, through whoever learned of his write."""
        if self._state != CLOSED:
            if outcome == BROKEN:
                self._output_broken(self._writer.failure)
            elif outcome == DONE:
                if self.interest & WRITE:
                    self._poller.change(self, self.interest & ~WRITE)
            elif outcome != BUSY and not self.interest & WRITE:
                self._poller.change(self, (self.interest & READ) | WRITE)
            if self._attention and self._state != CLOSED:
                self._settle_output()

    # The same for the half in Python. Not cpdef: such a method looks for an override of itself at every call, because
    # `Channel` is a Python class, and those four look-ups cost a tenth of a small message.

    def _watch(self) -> None:
        """Tell the poller what this channel waits for, if that has changed."""
        self._update_interest()

    def _flush_now(self) -> None:
        """Make what is queued sendable and send it."""
        self._flush_out()

    def _push_unless_blocked(self) -> None:
        """Send what is flushed, unless the poller is going to say when there is room."""
        self._push_if_free()

    # What the ends of the pipeline call (`Sink`).

    def sink_write(self, msg: object, promise: "WritePromise | None") -> None:
        """Queue a message. Ownership: transfers, also when it raises.

        Raises: UnsupportedMessageError, WriteLimitError; the channel goes on.
        """
        if self._state > OPEN or self._output_is_shut:
            self._refuse(msg, promise)
            return
        self._queue.add(msg, promise)  # type: ignore[arg-type]  # add() says what it cannot take
        if self._auto_flush and not self._flush_is_due:
            self._ask_for_flush()
        if self._attention:
            self._settle_output()

    def _write(self, msg: object) -> "Awaitable[None]":
        """Write through the pipeline on the channel's own account, also from outside its events.

        Raises: WriteLimitError, UsageError; everything else fails the awaitable that is returned."""
        if self._state > OPEN or self._output_is_shut or self._poller.is_foreign():
            return self._cannot_write(msg)
        previous = enter(self._account)
        try:
            self.pipeline.write(msg)
        except (WriteLimitError, UsageError):
            raise
        except Exception as exc:
            return FailedWrite(exc)
        finally:
            leave(previous)
        return DONE_ALREADY if self._queue.is_writable else Later(self._until_writable)

    def _cannot_write(self, msg: object) -> "Awaitable[None]":
        release(msg)
        self._poller.check()
        return FailedWrite(self._closed_error())

    def _flush_soon(self) -> None:
        """Make what is queued sendable; it leaves at the end of the event, or of this turn of the loop."""
        self._queue.flush()
        if not self._flush_is_due:
            self._ask_for_flush()

    def sink_flush(self) -> None:
        """Make what is queued sendable; send it now, or at the end of the event being handled."""
        if self._state > OPEN:
            return
        self._queue.flush()
        if self._in_event or self._state == NEW:
            self._flush_is_due = True
            return
        previous = enter(self._account)
        try:
            self._flush_is_due = False
            self._push_if_free()
        finally:
            leave(previous)

    def sink_read(self) -> None:
        """Ask for one more message, where reads are not automatic."""
        if self._held & HOLD_REQUEST:
            self._held &= ~HOLD_REQUEST
            if not self._in_event and self._state == OPEN:
                self._update_interest()

    def sink_close(self) -> None:
        """Close now; what is still queued fails."""
        self._close(None)

    def sink_unread(self, msg: object) -> None:
        """Take a message that no handler consumed: keep it for `async for`, or release and count it."""
        inbox = self._inbox
        if inbox is None or inbox.is_ended:
            self._drop(msg)
        else:
            inbox.put(msg)
            if inbox.count >= inbox.limit:
                self._inbox_is_full()

    def sink_failed(self, exc: BaseException) -> None:
        """Take an exception that no handler handled."""
        self._unhandled(exc)

    def _refuse(self, msg: object, promise: "WritePromise | None") -> None:
        release(msg)
        if promise is not None:
            promise.fail(self._closed_error())

    def _closed_error(self) -> ChannelClosedError:
        return OutputShutdownError() if self._state == OPEN else ChannelClosedError()

    # What `_flow.py` and `_life.py` do about it.

    async def _until_writable(self) -> None:
        """Wait until the queue is below its low mark."""
        raise NotImplementedError

    def _schedule(self) -> None:
        """Ask for a turn."""
        raise NotImplementedError

    def _hung_up(self, events: int) -> None:
        """An error or a hang-up, while nothing is received or nothing was there."""
        raise NotImplementedError

    def _input_ended(self) -> None:
        """The peer has sent its last byte."""
        raise NotImplementedError

    def _input_failed(self, number: int) -> None:
        """A receive failed with this errno."""
        raise NotImplementedError

    def _output_broken(self, failure: BaseException | None) -> None:
        """Sending cannot go on."""
        raise NotImplementedError

    def _settle_output(self) -> None:
        """Somebody wants to know how far sending has come."""
        raise NotImplementedError

    def _close(self, cause: BaseException | None) -> None:
        """Close the socket and fail what is queued."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Tell the pipeline that the channel is closed, outside any other event of it."""
        raise NotImplementedError

    def _drop(self, msg: object) -> None:
        """Nobody will take this message."""
        raise NotImplementedError

    def _inbox_is_full(self) -> None:
        """The application does not take its messages as fast as they come."""
        raise NotImplementedError

    def _unhandled(self, exc: BaseException) -> None:
        """Log and close."""
        raise NotImplementedError
