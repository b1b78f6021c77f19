"""Life: how a channel begins and how it ends.

Owns    the state NEW -> OPEN -> (CLOSING ->) CLOSED, the first failure, half-closure, the close timer.
Never   the order of a wake-up (`_core.py`), backpressure (`_flow.py`), an address, an accept.
Always  the descriptor leaves the poller before it is closed, and is closed once; what is queued fails with the first
        cause; channel_inactive is fired once, after the channel is closed and outside any other event of it.
"""

import errno
import functools
import logging
import os
import socket
from asyncio import Task, TimerHandle
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from zbuf.audit._meter import Account, enter, leave
from zbuf.errors import DecodeError, InternalError, UsageError
from zbuf.outbound import OutboundQueue
from zbuf.pipeline import InputShutdown, Pipeline
from zbuf.transport._calls import Calls
from zbuf.transport._core import (
    CLOSED,
    CLOSING,
    HOLD_CLOSING,
    HOLD_ENDED,
    NEW,
    OPEN,
)
from zbuf.transport._flow import ChannelFlow
from zbuf.transport._poller import HANGUP, READ, SILENT, Poller
from zbuf.transport._read_loop import ReadLoop
from zbuf.transport._send_file import FileSender, broken
from zbuf.transport._waiters import Waiters
from zbuf.transport._write_loop import BROKEN, WriteLoop

if TYPE_CHECKING:
    from zbuf.transport._options import ChannelOptions

logger = logging.getLogger("zbuf.transport")

_tasks: set[Task[Any]] = set()  # of handlers: a loop keeps only weak references to its tasks
LEFTOVER_READS = 16  # receives that throw away what a peer still sent before a graceful close


class ChannelLife(ChannelFlow):
    """What a channel goes through between its first and its last event."""

    __slots__ = (
        "_close_callbacks",
        "_closed_waiters",
        "_files",
        "_lost",
        "_on_closed",
        "_timer",
        "_was_active",
    )

    def __init__(
        self,
        calls: Calls,
        poller: Poller,
        options: "ChannelOptions",
        allocator: Any,
        *,
        keeps_messages: bool,
        is_accepted: bool,
    ) -> None:
        super().__init__(allocator, poller.loop, options, keeps_messages=keeps_messages, is_accepted=is_accepted)
        account = Account()
        queue = OutboundQueue(
            allocator,
            low_water=options.low_water,
            high_water=options.high_water,
            file_high_water=options.file_high_water,
            coalesce_below=options.coalesce_below,
            small_file_below=options.small_file_below,
            write_limit_bytes=options.write_limit_bytes,
            write_limit_entries=options.write_limit_entries,
            write_limit_regions=options.write_limit_regions,
            on_writability=self._note_writability,
        )
        self._files = FileSender(calls, allocator, account)
        pipeline = Pipeline(self)
        pipeline.auto_read = options.auto_read
        reader = ReadLoop(calls, allocator, account, pipeline, options)
        writer = WriteLoop(calls, queue, account, self._files, options)
        self._assemble(calls, poller, pipeline, queue, account, reader, writer)
        self._closed_waiters = Waiters(self.loop)
        self._timer: TimerHandle | None = None
        self._on_closed: Callable[[Any], None] | None = None
        self._close_callbacks: list[Callable[[Any], object]] = []
        self._lost: BaseException | None = None
        self._was_active = False

    # The beginning.

    def _start(self) -> None:
        """Open for events: the pipeline is filled. Raises: OSError (the poller has no room)."""
        if self._state != NEW:
            return
        self._poller.add(self, self._calls.sock.fileno(), 0 if self._held else READ)
        self._state = OPEN
        self._was_active = True
        self._as_event(self._activate)

    def _activate(self) -> None:
        self.pipeline.fire_channel_active()
        if not self._queue.is_empty and self._auto_flush:  # written while the pipeline was filled
            self._flush_is_due = True

    # The end of input.

    def _input_ended(self) -> None:
        """The peer has sent its last byte: tell the handlers, then the inbox, then close unless half may stay open."""
        self._hold(HOLD_ENDED)
        self.pipeline.fire_user_event_triggered(InputShutdown())
        if self._state == CLOSED:
            return
        inbox = self._inbox
        if inbox is not None:
            inbox.end(None)
        if self._output_is_shut:
            self._close(None)
        elif not self.options.allow_half_closure and (inbox is None or not (inbox.is_used or inbox.count)):
            self._begin_closing()

    def _inbox_is_consumed(self) -> None:
        """The application has seen the end of input, behind all messages."""
        if self._held & HOLD_ENDED and not self.options.allow_half_closure and self._state == OPEN:
            self._begin_closing()

    def _input_failed(self, number: int) -> None:
        self._fail(broken(number))

    def _output_broken(self, failure: BaseException | None) -> None:
        self._fail(failure or InternalError("the write loop failed without a reason"))

    def _hung_up(self, events: int) -> None:
        """An error or a hang-up was reported while nothing is received, or where nothing was there."""
        try:
            number = self._calls.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as exc:
            number = exc.errno or errno.EIO
        if number:
            self._fail(broken(number))
        elif not events & HANGUP:
            return
        elif self._held & HOLD_ENDED:  # neither direction is left
            if self._output_is_shut or (self._state == CLOSING and self._queue.is_empty):
                self._close(None)
            else:
                self._fail(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))
        elif self._held:
            # What the peer sent before it went is still to be read, later: until then nothing more can be learnt.
            self._poller.change(self, SILENT)

    # Half-closure.

    def _shut_output(self) -> None:
        self._shutdown_is_wanted = False
        try:
            self._calls.sock.shutdown(socket.SHUT_WR)
        except OSError as exc:
            self._fail(exc)
            return
        self._shutdown_waiters.wake()
        if self._held & HOLD_ENDED:
            self._close(None)

    def _begin_output_shutdown(self) -> None:
        """Take no further writes, and tell the peer so when the queue is empty."""
        self._queue.flush()
        self._output_is_shut = self._shutdown_is_wanted = self._attention = True
        if self._in_event:
            self._flush_is_due = True
        else:
            self._as_event(self._push_unless_blocked)

    # The end.

    def _check(self) -> None:
        """Raise UsageError where the channel must not be used; the first call after its loop is closed closes it."""
        try:
            self._poller.check()
        except UsageError:
            if not self._poller.is_foreign():
                self._close(None)
            raise

    def _begin_closing(self) -> None:
        """Take nothing more, send what is queued, then close; the timer of the options bounds it."""
        if self._state == NEW:
            self._close(None)
        if self._state != OPEN:
            return
        self._state = CLOSING
        self._hold(HOLD_CLOSING)
        self._queue.flush()
        self._attention = True
        self._timer = self.loop.call_later(self.options.close_timeout, self._close_timed_out)
        if self._in_event:
            self._flush_is_due = True
        else:
            self._as_event(self._push_unless_blocked)

    def _close_timed_out(self) -> None:
        self._timer = None
        self._fail(TimeoutError(f"the peer did not take the rest within {self.options.close_timeout} seconds"))

    def _close_drained(self) -> None:
        """Everything is in the kernel. Bytes the peer sent and nobody read would turn the close into a reset."""
        if not self._held & HOLD_ENDED:
            for _ in range(LEFTOVER_READS):
                memory = self.allocator.lease(self.options.receive_max)
                if self._calls.recv(memory, self.options.receive_max) <= 0:
                    break
        self._close(None)

    def _fail(self, exc: BaseException) -> None:
        """The connection itself failed: the first cause is kept, handlers hear of it, then it is closed."""
        if self._state == CLOSED:
            return
        self._lost = exc
        if self.failure is None:
            self.failure = exc
        if isinstance(exc, InternalError):
            logger.error("%r: %s", self, exc, exc_info=exc)
        if isinstance(exc, Exception):
            self.pipeline.fire_exception_caught(exc)
        self._close(exc)

    def _unhandled(self, exc: BaseException) -> None:
        """An exception that no handler handled: one line, and the channel is closed."""
        if exc is self._lost or self._state == CLOSED:
            logger.debug("%r: after the connection failed or was closed: %s: %s", self, type(exc).__name__, exc)
            return
        if isinstance(exc, DecodeError):
            logger.warning("%r: closed, the peer sent what cannot be decoded: %s: %s", self, type(exc).__name__, exc)
        else:
            logger.error("%r: closed, a handler failed: %s: %s", self, type(exc).__name__, exc, exc_info=exc)
        # The channel keeps the exception as its failure; the frames in its traceback would keep the messages in them.
        self._close(exc.with_traceback(None))

    def _broken(self, exc: Exception) -> None:
        """An exception escaped from an event: our own mistake, and the end of this channel only."""
        logger.error("%r: closed, an event failed: %s: %s", self, type(exc).__name__, exc, exc_info=exc)
        self._close(exc.with_traceback(None))

    def _close(self, cause: BaseException | None) -> None:
        """Close the socket, fail what is queued, and see to it that the pipeline is told once events are over."""
        if self._state == CLOSED:
            return
        if self._lost is None and self._state == OPEN and self._flush_is_due and not self._writer.is_running:
            self._flush_before_closing()
            if self._state == CLOSED:  # whoever learned of a finished write closed it
                return
        if self.failure is None:
            self.failure = cause
        self._state = CLOSED
        self._reader.is_held = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._finish_is_due = True
        self._finish_later()
        if self._poller.remove(self):
            self._calls.close()
        else:
            logger.error("%r: descriptor %d was closed by somebody else and is in other hands", self, self.fd)
            self._calls.detach()
        self._files.forget()
        self._queue.fail(self._closed_error())
        self._drain_waiters.wake()
        self._shutdown_waiters.wake()

    def _flush_before_closing(self) -> None:
        """What was flushed goes out if the peer takes it at once: `send()` then `close()` loses nothing small."""
        if self._auto_flush:
            self._queue.flush()
        if self._writer.run() == BROKEN and self.failure is None:
            self.failure = self._writer.failure

    def _finish_later(self) -> None:
        if self._in_event:
            return
        try:
            self._poller.later(self)
        except RuntimeError:  # the loop is closed: nobody else will
            self._finish()

    def _finish(self) -> None:
        """Tell the pipeline, then everybody who waits. The last thing that happens to a channel."""
        if self._was_finished:
            return
        self._finish_is_due = False
        previous = enter(self._account)
        try:
            if self._was_active:
                self.pipeline.fire_channel_inactive()
            self.pipeline.destroy()
        finally:
            leave(previous)
            self._was_finished = True
            if self._inbox is not None:
                self._inbox.end(self.failure)
                if self.failure is None and not self._held & HOLD_ENDED:
                    self._inbox.discard()  # closed by us: nobody asked for the rest
            self._closed_waiters.wake()
            if self._on_closed is not None:
                self._on_closed(self)
            self._tell_closed()

    def _tell_closed(self) -> None:
        callbacks, self._close_callbacks = self._close_callbacks, []
        for call in callbacks:
            try:
                call(self)
            except Exception as exc:
                logger.error("%r: a callback of its close failed", self, exc_info=exc)

    # Time and tasks for handlers.

    def sink_time(self) -> float:
        """Return the loop's clock."""
        return self.loop.time()

    def sink_call_later(self, seconds: float, call: Callable[[], object]) -> TimerHandle:
        """Call `call()` in `seconds`, as an event: what it writes leaves at its end."""
        return self.loop.call_later(seconds, self._as_event, call)

    def sink_run(self, coroutine: Coroutine[Any, Any, object], failed: Callable[[Exception], object]) -> Task[Any]:
        """Run a coroutine on the loop; the channel keeps the task, and `failed` hears of its exception."""
        task = self.loop.create_task(coroutine)
        _tasks.add(task)
        task.add_done_callback(functools.partial(self._task_ended, failed))
        return task

    def _task_ended(self, failed: Callable[[Exception], object], task: Task[Any]) -> None:
        _tasks.discard(task)
        exc = None if task.cancelled() else task.exception()
        if isinstance(exc, Exception):
            failure = exc
            self._as_event(lambda: failed(failure))

    async def _until_closed(self) -> None:
        while not self._was_finished:
            await self._closed_waiters.wait()
