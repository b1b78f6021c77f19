"""The channel: what an application holds of a connection.

Owns    the public face, its types, and the check that a call comes from the right thread and process.
Never   a system call, the order of events (`_core.py`), the way a channel ends (`_life.py`).
Always  `write` takes its message at the call; what it returns waits only while the channel is above its high mark.
"""

import itertools
import logging
import warnings
from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from zbuf.audit._bill import Bill
from zbuf.audit._meter import Account, enter, leave
from zbuf.buffer import release
from zbuf.errors import ChannelClosedError, UsageError
from zbuf.transport._attributes import Attributes
from zbuf.transport._calls import Calls
from zbuf.transport._core import CLOSED, CLOSING, NEW, OPEN
from zbuf.transport._inbox import NextMessage
from zbuf.transport._poller import Poller
from zbuf.transport._transfer import ChannelTransfers
from zbuf.transport._waiters import Later, Marker

if TYPE_CHECKING:
    from zbuf.transport._options import ChannelOptions

__all__ = ["Channel"]

logger = logging.getLogger("zbuf.transport")

In = TypeVar("In")
Out = TypeVar("Out")

_ids = itertools.count(1)
_STATES = {NEW: "new", OPEN: "open", CLOSING: "closing", CLOSED: "closed"}


class Channel(ChannelTransfers, Generic[In, Out]):
    """One connection: its socket, its pipeline, its outbound queue. `In` is what it yields, `Out` what it takes.

    Channels are made by `connect` and `serve`. A channel belongs to one event loop and its thread for life.
    Ownership: the channel owns the socket and closes it once; `write` and `send` take their message.

    >>> async def talk(channel: Channel[ByteBuf, ByteBuf]) -> None:
    ...     async for frame in channel:
    ...         await channel.send(frame)
    """

    __slots__ = ("_attributes", "_local", "_next", "_remote", "id")

    def __init__(
        self,
        calls: Calls,
        poller: Poller,
        options: "ChannelOptions",
        allocator: Any,
        *,
        keeps_messages: bool,
        is_accepted: bool,
        remote_address: Any = None,
    ) -> None:
        super().__init__(calls, poller, options, allocator, keeps_messages=keeps_messages, is_accepted=is_accepted)
        self.id: int = next(_ids)
        self._attributes: Attributes | None = None
        self._next: Any = None
        self._local: Any = None
        self._transfer = None
        self._relay = None
        self._remote = remote_address or None

    # Writing.

    def write(self, msg: Out) -> Awaitable[None]:
        """Write `msg` through the pipeline, from its inner end; it leaves at the end of this turn of the loop.

        Returns: an awaitable that waits while the channel is above its high mark, and else not at all; it need not be
        awaited. A failed write (channel closed, message nobody can encode) raises when awaited.
        Ownership: transfers at the call, also on failure: a buffer's handle is dead afterwards, unless it was
        retained. bytes go by reference, other bytes-likes are copied (SNAPSHOT).
        Raises: WriteLimitError above the hard cap, the message is released and the channel goes on; UsageError from
        another thread or a forked child.
        """
        return self._write(msg)

    def write_and_flush(self, msg: Out) -> Awaitable[None]:
        """Write `msg` and make everything written so far sendable; it leaves at the end of this turn of the loop.

        Returns, Ownership, Raises: as `write`.
        """
        waiting = self._write(msg)
        if not self._auto_flush and self._state == OPEN:
            self._flush_soon()
        return waiting

    def send(self, msg: Out) -> Awaitable[None]:
        """Write and flush `msg`; awaiting waits while the channel is above its high mark.

        Returns, Ownership: as `write`. Awaiting raises ChannelClosedError, EncodeError, UnsupportedMessageError.
        Raises: WriteLimitError, UsageError.
        """
        return self.write_and_flush(msg)

    def write_future(self, msg: Out) -> "Future[None]":
        """Write `msg`, and return a future that is done when all of it is in the kernel.

        Cancelled before the message is flushed, the message is withdrawn and released; later it has no effect. The
        future fails with ChannelClosedError when the channel ends first, or with what the write itself raises.
        Ownership: transfers. Raises: WriteLimitError, UsageError, as `write`.
        """
        self._check()
        marker = Marker(self.loop)
        future = marker.future
        if self._state > OPEN or self._output_is_shut:
            release(msg)
            marker.fail(self._closed_error())
            return future
        queue = self._queue
        future.add_done_callback(lambda done: done.cancelled() and queue.cancel(marker))
        previous = enter(self._account)
        try:
            self.pipeline.write(msg, marker)
        except BaseException:
            future.cancel()
            raise
        finally:
            leave(previous)
        return future

    def flush(self) -> None:
        """Send what was written so far, now; what the peer does not take yet follows by itself. Raises: UsageError."""
        self._check()
        self.pipeline.flush()

    async def drain(self) -> None:
        """Wait until the channel is writable: at once when it is, else until it is below its low mark.

        Raises: ChannelClosedError when the channel is closed, or fails meanwhile.
        """
        await self._until_writable()

    async def flushed(self) -> None:
        """Flush, and wait until everything written before this call is in the kernel.

        Raises: ChannelClosedError when the channel failed before that.
        """
        if self._state == OPEN:
            self.flush()
        await self._until_flushed()

    def shutdown_output(self) -> Awaitable[None]:
        """Send what is queued, then tell the peer that nothing follows; input goes on. Again is a no-op.

        Returns: an awaitable that waits until that is done; it need not be awaited. Later writes raise
        OutputShutdownError when awaited. Raises: UsageError from another thread or a forked child.
        """
        self._check()
        if self._state == OPEN and not self._output_is_shut:
            self._begin_output_shutdown()
        return Later(self._until_output_is_shut)

    # Reading.

    def read(self) -> None:
        """Ask for one more message, with auto_read off. Raises: UsageError from another thread or a forked child."""
        self._check()
        self.pipeline.read()

    @property
    def auto_read(self) -> bool:
        """Whether messages come without being asked for; may be changed at any time."""
        return self._auto_read

    @auto_read.setter
    def auto_read(self, on: bool) -> None:
        self._check()
        self._set_auto_read(on)

    async def receive(self) -> In:
        """Return the next message that came out of the pipeline.

        Ownership: transfers to the caller. Cancelling loses no message.
        Raises: ChannelClosedError at the end of input, with the failure as its cause if there was one; UsageError on
        a channel that hands its messages to handlers only.
        """
        inbox = self._inbox
        if inbox is None:
            raise UsageError("this channel keeps no messages: a server keeps them only for a coroutine")
        if inbox.count or await inbox.wait():
            return inbox.take()  # type: ignore[no-any-return]  # the inbox of a Channel[In, Out] holds In
        self._inbox_is_consumed()
        raise _end_of_input(inbox.failure)

    def __aiter__(self) -> AsyncIterator[In]:
        return self

    def __anext__(self) -> Awaitable[In]:
        """Return the next message; the iteration ends with the input, and raises when the channel failed."""
        if self._next is None:
            if self._inbox is None:
                return self.receive()  # which says why not
            self._next = NextMessage(self._inbox, self._wait_for_next)
        return self._next  # type: ignore[no-any-return]  # it yields what the inbox of a Channel[In, Out] holds

    async def _wait_for_next(self) -> In:
        inbox = self._inbox
        if await inbox.wait():
            return inbox.take()  # type: ignore[no-any-return]  # the inbox of a Channel[In, Out] holds In
        self._inbox_is_consumed()
        if inbox.failure is None:
            raise StopAsyncIteration
        raise _end_of_input(inbox.failure)

    # The end.

    def close(self) -> None:
        """Close now. What is queued and cannot leave at once fails with ChannelClosedError. Again is a no-op.

        Raises: UsageError from another thread or a forked child.
        """
        self._check()
        if self._state != CLOSED:
            self.pipeline.close()

    async def close_gracefully(self) -> None:
        """Take no further writes, send what is queued (for at most `close_timeout` seconds), close, and wait for that.

        Cancelling stops the waiting, not the closing.
        """
        self._check()
        self._begin_closing()
        await self._until_closed()

    def when_closed(self, call: "Callable[[Channel[In, Out]], object]") -> None:
        """Call `call(channel)` once the channel is closed and its handlers have heard of it; at once if that is over.

        What it raises is logged."""
        self._close_callbacks.append(call)
        if self._was_finished:
            self._tell_closed()

    async def wait_closed(self) -> None:
        """Wait until the channel is closed and its handlers have heard of it."""
        await self._until_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is not None:
            self._close(None)
        await self.close_gracefully()

    # State.

    @property
    def is_active(self) -> bool:
        """Whether the channel is connected and takes writes."""
        return self._state == OPEN

    @property
    def is_open(self) -> bool:
        """Whether the socket is not closed yet."""
        return self._state != CLOSED

    @property
    def is_writable(self) -> bool:
        """Whether the channel takes writes and is below its high mark (after it was above: below its low mark)."""
        return self._state == OPEN and not self._output_is_shut and self._queue.is_writable

    @property
    def local_address(self) -> Any:
        """The address of this end, as sockets give it; None where there is none, or nobody asked before the close."""
        if self._local is None and self._state != CLOSED:
            self._local = _name(self._calls.sock.getsockname)
        return self._local

    @property
    def remote_address(self) -> Any:
        """The address of the other end, as sockets give it; None where there is none."""
        return self._remote

    @property
    def pending_bytes(self) -> int:
        """What the outbound queue holds: bytes, and 96 for each message; regions count by these 96 alone."""
        return int(self._queue.pending_bytes)

    @property
    def bill(self) -> Bill:
        """What this channel moved and copied so far, frozen."""
        return self._account.snapshot()

    @property
    def account(self) -> Account:
        """The counters behind `bill`: give it a label, or a `zbuf.audit.Recorder`."""
        return self._account

    @property
    def attributes(self) -> Attributes:
        """A place for the application's own values, under typed keys (`AttributeKey`) or any other."""
        if self._attributes is None:
            self._attributes = Attributes()
        return self._attributes

    def get_socket_option(self, level: int, name: int) -> int:
        """Return an integer option of the socket. Raises: OSError."""
        return int(self._calls.sock.getsockopt(level, name))

    def set_socket_option(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option of the socket. Raises: OSError."""
        self._calls.sock.setsockopt(level, name, value)

    def __repr__(self) -> str:
        return f"<Channel {self.id} {_STATES[self._state]}, peer {self._remote!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a channel cannot be pickled")

    def __del__(self) -> None:
        calls = getattr(self, "_calls", None)  # None: the constructor raised
        if calls is not None and self._state != CLOSED and calls.is_open:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            calls.close()


def _end_of_input(failure: BaseException | None) -> ChannelClosedError:
    error = ChannelClosedError("the input has ended")
    error.__cause__ = failure
    return error


def _name(ask: Any) -> Any:
    try:
        return ask() or None
    except OSError:
        return None
