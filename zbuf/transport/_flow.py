"""Flow: who holds the reading, who waits for the writing, and what happens at the edge of writability.

Owns    the reasons why nothing is received, the inbox, the waiters, the writability event and its bound.
Never   how a channel begins or ends (`_life.py`), the order of a wake-up (`_core.py`).
Always  reading goes on exactly while no reason holds it; each edge of writability is told once, on a flat stack; who
        waits looks again after every wake-up, so a wake-up too many does no harm.
"""

import logging
from asyncio import AbstractEventLoop
from typing import TYPE_CHECKING, Any

from zbuf.buffer import release
from zbuf.errors import ChannelClosedError, OutputShutdownError, UsageError
from zbuf.transport._core import (
    CLOSED,
    CLOSING,
    HOLD_INBOX,
    HOLD_OUTPUT,
    HOLD_REQUEST,
    OPEN,
    ChannelCore,
)
from zbuf.transport._inbox import Inbox
from zbuf.transport._poller import WRITE
from zbuf.transport._waiters import Marker, Waiters

if TYPE_CHECKING:
    from zbuf.transport._options import ChannelOptions

logger = logging.getLogger("zbuf.transport")

EDGES_PER_TURN = 16  # as reads and writes: a handler that refills the queue at each edge shares the loop with others


class ChannelFlow(ChannelCore):
    """Backpressure, both ways."""

    __slots__ = (
        "_drain_waiters",
        "_is_settling",
        "_shutdown_is_wanted",
        "_shutdown_waiters",
        "_was_finished",
        "failure",
        "loop",
        "options",
    )

    def __init__(
        self,
        allocator: Any,
        loop: AbstractEventLoop,
        options: "ChannelOptions",
        *,
        keeps_messages: bool,
        is_accepted: bool,
    ) -> None:
        super().__init__(allocator)
        self.loop: AbstractEventLoop = loop
        self.options: ChannelOptions = options
        self.failure: BaseException | None = None
        self._auto_read = options.auto_read
        self._auto_flush = options.auto_flush
        self._held = 0 if options.auto_read else HOLD_REQUEST
        waits = options.read_only_when_writable
        self._holds_input_for_output = is_accepted and not keeps_messages if waits is None else waits
        if keeps_messages:
            self._inbox = Inbox(loop, options.inbox_limit, self._inbox_has_room)
        self._drain_waiters = Waiters(loop)
        self._shutdown_waiters = Waiters(loop)
        self._is_settling = False
        self._shutdown_is_wanted = False
        self._was_finished = False

    # Reading: who holds it.

    def _hold(self, reason: int) -> None:
        self._held |= reason
        self._reader.is_held = bool(self._held & ~HOLD_REQUEST)
        if not self._in_event and self._state in (OPEN, CLOSING):
            self._watch()

    def _let_read(self, reason: int) -> None:
        self._held &= ~reason
        self._reader.is_held = bool(self._held & ~HOLD_REQUEST)
        if not self._in_event and self._state in (OPEN, CLOSING):
            self._watch()

    def _set_auto_read(self, on: bool) -> None:
        self._auto_read = on
        self._reader.one_at_a_time = not on
        self.pipeline.auto_read = on
        if on:
            self.pipeline.read()  # what decoders held back comes out
            self._let_read(HOLD_REQUEST)
        else:
            self._hold(HOLD_REQUEST)

    def _drop(self, msg: object) -> None:
        self.unread_messages += 1
        logger.debug("%r: nobody took a message of type %s", self, type(msg).__name__)
        release(msg)

    def _inbox_is_full(self) -> None:
        self._hold(HOLD_INBOX)

    def _inbox_has_room(self) -> None:
        if self._held & HOLD_INBOX:
            self._let_read(HOLD_INBOX)

    # Sending: who waits for it.

    def _note_writability(self) -> None:
        """Called by the queue at each edge; acted upon when the queue is at rest."""
        self._writability_changed = self._attention = True

    def _settle_output(self) -> None:
        """Tell those who want to know how far sending has come. Not from within itself: the loop below goes on."""
        if self._is_settling:
            return
        self._is_settling = True
        try:
            self._settle()
        finally:
            self._is_settling = False

    def _settle(self) -> None:
        edges = 0
        while self._writability_changed and self._state != CLOSED:
            if edges == EDGES_PER_TURN:
                self._schedule()  # `_attention` stays: the rest in the next turn
                return
            edges += 1
            self._writability_changed = False
            self._on_writability_edge()
        self._attention = False
        if self._state == CLOSED:
            return
        queue = self._queue
        if self._drain_waiters and queue.is_writable:
            self._drain_waiters.wake()
        if queue.is_empty:
            if self._shutdown_is_wanted:
                self._shut_output()
            if self._state == CLOSING:
                self._close_drained()
        elif self._state == CLOSING or self._shutdown_is_wanted:
            self._attention = True

    def _on_writability_edge(self) -> None:
        writable = self._queue.is_writable
        if self._in_event and not writable and self._auto_flush and self._state == OPEN and not self.interest & WRITE:
            self._flush_now()  # the peer may well take it: no reason to let memory grow until the event ends
            self._writability_changed = False  # up and down again is told once: the writer has seen the first edge
            writable = self._queue.is_writable
        if self._holds_input_for_output:
            if writable:
                self._let_read(HOLD_OUTPUT)
            else:
                self._hold(HOLD_OUTPUT)
        self.pipeline.fire_channel_writability_changed()

    def _schedule(self) -> None:
        """Ask for a turn. Raises: UsageError when the loop is closed; the channel is closed then, too."""
        try:
            self._poller.later(self)
        except RuntimeError as exc:
            self._close(exc)
            raise UsageError("the event loop of the channel is closed") from exc

    def _closed_error(self) -> ChannelClosedError:
        if self._output_is_shut and self._state == OPEN:
            return OutputShutdownError()
        error = ChannelClosedError()
        error.__cause__ = self.failure
        return error

    # Waiting.

    async def _until_writable(self) -> None:
        while not self._queue.is_writable or self._state == CLOSED:
            if self._state == CLOSED:
                raise self._closed_error()
            self._attention = True
            await self._drain_waiters.wait()

    async def _until_flushed(self) -> None:
        if self._state == CLOSED:
            raise self._closed_error()
        if self._queue.is_empty:
            return
        marker = Marker(self.loop)
        self._queue.add_marker(marker)
        self._queue.flush()
        if not self._in_event:
            self._as_event(self._push_unless_blocked)
        await marker.future

    async def _until_output_is_shut(self) -> None:
        while self._shutdown_is_wanted:
            if self._state == CLOSED:
                raise self._closed_error()
            await self._shutdown_waiters.wait()

    # What `_life.py` does about it.

    def _shut_output(self) -> None:
        """Everything is sent: tell the peer that nothing follows."""
        raise NotImplementedError

    def _close_drained(self) -> None:
        """Everything is sent: close."""
        raise NotImplementedError
