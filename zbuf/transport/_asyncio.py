"""connect() and serve(): how channels come into the world on a running event loop.

Owns    resolving names, trying addresses in turn, binding, the time a connection attempt may take.
Never   a channel's life after its start.
Always  every socket made here is closed here, once, unless a channel or a server took it over: also when the caller
        is cancelled or the time is up.
"""

import asyncio
import errno
import inspect
import os
import socket
import stat
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from zbuf.errors import UsageError
from zbuf.transport._channel import Channel
from zbuf.transport._options import ChannelOptions, prepare_connection, prepare_listener, prepare_sizes
from zbuf.transport._poller import SILENT, WRITE, Callback, poller_for
from zbuf.transport._server import Initializer, Server, make_channel

__all__ = ["connect", "connect_unix", "serve", "serve_unix"]

In = TypeVar("In")
Out = TypeVar("Out")

BACKLOG = 1024  # ours; the kernel caps it at net.core.somaxconn
MAX_CONNECTIONS = 10_000  # ours
IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)
RETRY_SECONDS = 0.01  # a UNIX listener whose backlog is full says "try again" and nothing tells when

_Address = tuple[int, int, int, str, Any]


async def connect(
    host: str,
    port: int,
    *,
    init: Callable[[Channel[In, Out]], object],
    options: ChannelOptions | None = None,
) -> Channel[In, Out]:
    """Connect over TCP and return the channel. `init(channel)` fills its pipeline before any event.

    The addresses of `host` are tried in turn, all together within `connect_timeout` seconds.
    Raises: OSError of the first address (the others in its notes), socket.gaierror, TimeoutError; what `init` raises.
    """
    options = options or ChannelOptions()
    loop = asyncio.get_running_loop()
    _refuse_coroutine(init)
    try:
        async with asyncio.timeout(options.connect_timeout):
            addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            sock = await _connect_one_of(loop, addresses, options)
    except TimeoutError as exc:
        if exc.errno is not None:  # what the system said of one address
            raise
        raise TimeoutError(f"no connection to {host}:{port} within {options.connect_timeout} seconds") from None
    return _open(sock, init, options)


async def connect_unix(
    path: str | os.PathLike[str],
    *,
    init: Callable[[Channel[In, Out]], object],
    options: ChannelOptions | None = None,
) -> Channel[In, Out]:
    """Connect to the UNIX socket at `path` and return the channel. `init(channel)` fills its pipeline.

    Raises: OSError, TimeoutError (the listener's backlog stayed full); what `init` raises.
    """
    options = options or ChannelOptions()
    _refuse_coroutine(init)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(options.connect_timeout):
            while True:
                try:
                    sock.connect(os.fspath(path))
                    break
                except BlockingIOError:
                    await asyncio.sleep(RETRY_SECONDS)
        prepare_connection(sock, options)
    except TimeoutError:
        sock.close()
        raise TimeoutError(f"no connection to {os.fspath(path)} within {options.connect_timeout} seconds") from None
    except BaseException:
        sock.close()
        raise
    return _open(sock, init, options)


def _refuse_coroutine(init: Callable[..., object]) -> None:
    if inspect.iscoroutinefunction(init):
        raise UsageError("init of connect() is a plain function: what it would await, await after connect()")


def _open(sock: socket.socket, init: Callable[[Channel[In, Out]], object], options: ChannelOptions) -> Channel[In, Out]:
    """Make the channel and start it. Ownership: transfers the socket, also when it raises."""
    try:
        poller = poller_for(asyncio.get_running_loop())
        channel: Channel[In, Out] = make_channel(
            sock, poller, options, _peer(sock), keeps_messages=True, is_accepted=False
        )
    except BaseException:
        sock.close()
        raise
    try:
        init(channel)
        channel._start()
    except BaseException as exc:
        channel._close(exc)
        raise
    return channel


def _peer(sock: socket.socket) -> Any:
    try:
        return sock.getpeername()
    except OSError:  # gone already: the first read will say so
        return None


async def _connect_one_of(
    loop: AbstractEventLoop, addresses: Sequence[_Address], options: ChannelOptions
) -> socket.socket:
    first: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as exc:  # a family this system does not speak
            first = _note(first, exc)
            continue
        try:
            sock.setblocking(False)
            prepare_sizes(sock, options)
            await _connect(loop, sock, address)
            prepare_connection(sock, options)
        except OSError as exc:
            sock.close()
            first = _note(first, exc)
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise first or OSError("the name has no address")


async def _connect(loop: AbstractEventLoop, sock: socket.socket, address: Any) -> None:
    """Connect, watched by our own poller: a loop may still hold on to the number of a socket that failed before."""
    number = sock.connect_ex(address)
    if number in IN_PROGRESS:
        poller = poller_for(loop)
        answered = loop.create_future()

        def on_ready(_events: int) -> None:
            poller.change(watched, SILENT)
            if not answered.done():
                answered.set_result(None)

        watched = Callback(on_ready)
        poller.add(watched, sock.fileno(), WRITE)
        try:
            await answered
        finally:
            poller.remove(watched)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, f"cannot connect to {address!r}: {os.strerror(number)}")


def _note(first: OSError | None, exc: OSError) -> OSError:
    if first is None:
        return exc
    first.add_note(str(exc))
    return first


async def serve(
    init: Initializer,
    host: str | Sequence[str] | None,
    port: int,
    *,
    options: ChannelOptions | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> Server:
    """Listen on TCP and return the server; every connection becomes a channel whose pipeline `init(channel)` fills.

    A coroutine function as `init` is run as a task for each channel: it fills the pipeline before its first await,
    then talks (`async for`, `send`), and the channel is closed gracefully when it returns. Messages that reach the
    inner end of the pipeline are kept for it; where `init` is a plain function they are released and counted.
    `host` None means all interfaces; `port` 0 lets the system choose (see `addresses`). Above `max_connections` no
    further ones are accepted until others close.
    Raises: OSError (the address is in use, not ours, not permitted), socket.gaierror, ValueError.
    """
    options = options or ChannelOptions()
    _check_connections(max_connections)
    loop = asyncio.get_running_loop()
    hosts = [host] if host is None or isinstance(host, str) else list(host)
    found: list[_Address] = []
    for name in hosts:
        for info in await loop.getaddrinfo(name or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            if info not in found:
                found.append(info)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in found:
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError:  # a family this system does not speak
                continue
            sockets.append(sock)
            _listen(sock, address, options)
        if not sockets:
            raise OSError(f"no address to listen on for {host!r}")
        return Server(loop, sockets, init, options, max_connections)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise


def _listen(sock: socket.socket, address: Any, options: ChannelOptions) -> None:
    sock.setblocking(False)
    prepare_listener(sock, options)
    if sock.family == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a listener of its own
    try:
        sock.bind(address)
    except OSError as exc:
        raise OSError(exc.errno, f"cannot listen on {address!r}: {exc.strerror}") from None
    sock.listen(options.backlog or BACKLOG)


async def serve_unix(
    init: Initializer,
    path: str | os.PathLike[str],
    *,
    options: ChannelOptions | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> Server:
    """Listen on a UNIX socket at `path`; otherwise as `serve`. The name is removed when the server closes.

    A socket that a dead server left at `path` is replaced; any other file is not.
    Raises: OSError (in use, no permission, a file that is no socket), ValueError.
    """
    options = options or ChannelOptions()
    _check_connections(max_connections)
    loop = asyncio.get_running_loop()
    name = os.fspath(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        prepare_listener(sock, options)
        _remove_dead_socket(name)
        sock.bind(name)
        inode = os.stat(name).st_ino
        sock.listen(options.backlog or BACKLOG)
        return Server(loop, [sock], init, options, max_connections, unlink=(name, inode))
    except BaseException:
        sock.close()
        raise


def _remove_dead_socket(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # nobody listens
        except OSError:
            return  # somebody may: bind will say so


def _check_connections(max_connections: int) -> None:
    if max_connections < 1:
        raise ValueError(f"max_connections is at least 1, not {max_connections}")
