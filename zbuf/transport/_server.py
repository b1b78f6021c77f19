"""The accepting side: listeners, the channels that came of them, and what happens when accepting fails.

Owns    the listening sockets, the set of live channels and its cap, the pause after running out of descriptors.
Never   what a channel does once it is started.
Always  one bad connection costs itself only; accepts per wake-up are bounded; a listener that cannot accept sleeps
        instead of spinning, and says so once.
"""

import asyncio
import errno
import inspect
import logging
import os
import socket
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from zbuf.buffer import Pool
from zbuf.errors import ChannelClosedError
from zbuf.transport._calls import Calls
from zbuf.transport._channel import Channel
from zbuf.transport._options import ChannelOptions, prepare_connection
from zbuf.transport._poller import READ, Callback, Poller, poller_for
from zbuf.transport._waiters import Waiters

__all__ = ["Initializer", "Server"]

logger = logging.getLogger("zbuf.transport")

Initializer = Callable[[Channel[Any, Any]], Awaitable[None] | None]

ACCEPTS_PER_WAKEUP = 64  # ours
PAUSE_SECONDS = 1.0  # ours; the usual cause goes away when connections close
# The peer went away between its connect and our accept: Linux hands such network errors to accept (accept(2)).
PEER_IS_GONE = {
    errno.ECONNABORTED,
    errno.EPROTO,
    errno.ENOPROTOOPT,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EOPNOTSUPP,
    errno.ETIMEDOUT,
    errno.EPERM,
    getattr(errno, "ENONET", errno.ENETDOWN),
}
OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_pool: Pool | None = None


def channel_pool() -> Pool:
    """Return the Pool that channels share unless their options name another allocator."""
    global _pool
    if _pool is None:
        _pool = Pool()
    return _pool


class Server:
    """Listeners, and the channels they accept; made by `serve` and `serve_unix`.

    Ownership: owns the listening sockets; channels close themselves, and at the latest with `abort`.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        sockets: Sequence[socket.socket],
        init: Initializer,
        options: ChannelOptions,
        max_connections: int,
        *,
        unlink: tuple[str, int] | None = None,
    ) -> None:
        self._loop = loop
        self._poller: Poller = poller_for(loop)
        self._sockets = tuple(sockets)
        self._init = init
        self._runs_tasks = _is_coroutine_function(init)
        self._options = options
        self._max_connections = max_connections
        self._channels: set[Channel[Any, Any]] = set()
        self._tasks: set[Task[None]] = set()
        self._waiters = Waiters(loop)
        self._timer: TimerHandle | None = None
        self._unlink = unlink
        self._is_paused = False
        self._is_closed = False
        self.accepted: int = 0
        self._listeners: list[tuple[Callback, socket.socket]] = []
        try:
            for sock in sockets:
                self._listen(sock)
        except BaseException:
            self.close()
            raise

    def _listen(self, sock: socket.socket) -> None:
        watched = Callback(lambda _events: self._accept(sock))
        self._poller.add(watched, sock.fileno(), READ)
        self._listeners.append((watched, sock))

    # Accepting.

    def _accept(self, sock: socket.socket) -> None:
        for _ in range(ACCEPTS_PER_WAKEUP):
            if self._is_closed or self._is_paused:
                return
            try:
                connection, address = sock.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno in PEER_IS_GONE:
                    continue
                self._cannot_accept(exc)
                return
            self._welcome(connection, address)
            if len(self._channels) >= self._max_connections:
                self._pause()

    def _welcome(self, connection: socket.socket, address: Any) -> None:
        """Make a channel of a connection. Whatever goes wrong with it is its own end and nobody else's."""
        try:
            connection.setblocking(False)
            prepare_connection(connection, self._options)
            channel: Channel[Any, Any] = make_channel(
                connection, self._poller, self._options, address, keeps_messages=self._runs_tasks, is_accepted=True
            )
        except Exception as exc:
            connection.close()
            if not isinstance(exc, OSError):  # the peer has gone already: no news
                logger.error("a connection from %r could not be set up", address, exc_info=exc)
            return
        self.accepted += 1
        self._channels.add(channel)
        channel._on_closed = self._forget
        try:
            if self._runs_tasks:
                self._run_task(channel)
            else:
                self._init(channel)
                channel._start()
        except Exception as exc:
            logger.error("%r: closed, its initializer failed", channel, exc_info=exc)
            channel._close(exc)

    def _run_task(self, channel: Channel[Any, Any]) -> None:
        task = self._loop.create_task(self._talk(channel), name=f"zbuf channel {channel.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # The loop runs callbacks in order: the first step of the task, which fills the pipeline, comes before this.
        self._loop.call_soon(self._start, channel)

    @staticmethod
    def _start(channel: Channel[Any, Any]) -> None:
        try:
            channel._start()
        except Exception as exc:
            channel._broken(exc)

    async def _talk(self, channel: Channel[Any, Any]) -> None:
        """Run the coroutine of one channel, and close the channel when it returns."""
        try:
            talk = self._init(channel)
            assert talk is not None
            await talk
        except ChannelClosedError as exc:
            logger.debug("%r: %s", channel, exc)  # what ended the channel has been reported
            channel._close(None)
        except Exception as exc:
            channel._unhandled(exc)
        except BaseException:
            channel._close(None)
            raise
        else:
            self._start(channel)  # it may have returned without ever waiting
            await channel.close_gracefully()

    def _forget(self, channel: Channel[Any, Any]) -> None:
        self._channels.discard(channel)
        if self._is_paused and self._timer is None and len(self._channels) < self._max_connections:
            self._resume()
        if self._is_closed and not self._channels:
            self._waiters.wake()

    # Pausing.

    def _cannot_accept(self, exc: OSError) -> None:
        self._pause()
        if exc.errno in OUT_OF_RESOURCES:
            logger.warning("accepting paused for %g s: %s", PAUSE_SECONDS, exc)
        else:
            logger.error("accepting failed, next try in %g s: %s", PAUSE_SECONDS, exc)
        self._timer = self._loop.call_later(PAUSE_SECONDS, self._pause_is_over)

    def _pause_is_over(self) -> None:
        self._timer = None
        if len(self._channels) < self._max_connections:
            self._resume()

    def _pause(self) -> None:
        self._is_paused = True
        for watched, _ in self._listeners:
            self._poller.change(watched, 0)

    def _resume(self) -> None:
        self._is_paused = False
        for watched, _ in self._listeners:
            self._poller.change(watched, READ)

    # The public face.

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening sockets; empty once closed."""
        return () if self._is_closed else self._sockets

    @property
    def addresses(self) -> tuple[Any, ...]:
        """Where the server listens, as sockets give it; port 0 is shown as the port that was chosen."""
        return tuple(sock.getsockname() for sock in self.sockets)

    @property
    def channels(self) -> frozenset[Channel[Any, Any]]:
        """The live channels."""
        return frozenset(self._channels)

    @property
    def is_serving(self) -> bool:
        """Whether new connections are taken (also while accepting is paused)."""
        return not self._is_closed

    def close(self) -> None:
        """Stop listening. Channels go on; see `wait_closed` and `abort`. Again is a no-op."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for watched, _ in self._listeners:
            self._poller.remove(watched)
        for sock in self._sockets:
            sock.close()
        self._listeners.clear()
        if self._unlink is not None:
            _unlink_own(*self._unlink)
        self._waiters.wake()

    def abort(self) -> None:
        """Stop listening and close all channels now."""
        self.close()
        for channel in list(self._channels):
            channel._close(None)

    async def close_gracefully(self) -> None:
        """Stop listening, let every channel send what is queued (for at most its close_timeout), and wait for them."""
        self.close()
        for channel in list(self._channels):
            channel._begin_closing()
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every channel of it, too."""
        while not self._is_closed or self._channels or self._tasks:
            if self._tasks and self._is_closed and not self._channels:
                await asyncio.wait(list(self._tasks))
            else:
                await self._waiters.wait()

    async def serve_forever(self) -> None:
        """Serve until cancelled, then close the listeners and all channels."""
        try:
            while not self._is_closed:
                await self._waiters.wait()
        finally:
            self.abort()
        await self.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is None:
            await self.close_gracefully()
        else:
            self.abort()
            await self.wait_closed()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "paused" if self._is_paused else "serving"
        return f"<Server {state}, {len(self._channels)} channels, {self.accepted} accepted>"


def make_channel(
    sock: socket.socket,
    poller: Poller,
    options: ChannelOptions,
    remote_address: Any,
    *,
    keeps_messages: bool,
    is_accepted: bool,
) -> Channel[Any, Any]:
    """Return a channel over a connected, non-blocking socket, not started yet. Ownership: transfers the socket."""
    allocator = options.allocator if options.allocator is not None else channel_pool()
    return Channel(
        Calls(sock),
        poller,
        options,
        allocator,
        keeps_messages=keeps_messages,
        is_accepted=is_accepted,
        remote_address=remote_address,
    )


def _is_coroutine_function(init: Initializer) -> bool:
    return inspect.iscoroutinefunction(init) or inspect.iscoroutinefunction(getattr(init, "__call__", None))  # noqa: B004  # not whether it can be called, but what its __call__ is


def _unlink_own(path: str, inode: int) -> None:
    """Remove the name of a UNIX socket, unless somebody else has put another one there."""
    try:
        if os.stat(path).st_ino == inode:
            os.unlink(path)
    except OSError:
        return
