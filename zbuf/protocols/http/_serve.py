"""One directory, one listener: the whole server in one call.

Owns    the channel options that suit static files, and the root that lives as long as the server.
Never   what a request means, or how bytes travel.
Always  the root is closed once, after the last channel.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zbuf.codec import Limits
from zbuf.protocols.http._alarm import HttpTimers
from zbuf.protocols.http._files import StaticFiles
from zbuf.protocols.http._handlers import HttpServerHandler
from zbuf.protocols.http._head import HTTP_LIMITS
from zbuf.protocols.http._served import ServedReport
from zbuf.transport import Channel, ChannelOptions, Server, serve

if TYPE_CHECKING:
    import os

__all__ = ["DirectoryServer", "serve_directory"]

FILE_HIGH_WATER = 1024 * 1024  # arbitrary: with more than this under way, pipelined requests wait for their files


class DirectoryServer:
    """A listener and the directory it serves; made by `serve_directory`.

    Ownership: owns the server and the root of the files. Use it in an `async with` block, or call one of
    `close_gracefully` and `abort` (then `wait_closed`).
    """

    def __init__(self, server: Server, files: StaticFiles) -> None:
        self.server = server
        self._files = files

    @property
    def addresses(self) -> tuple[Any, ...]:
        """Where the server listens, as sockets give it; port 0 is shown as the port that was chosen."""
        return self.server.addresses

    @property
    def port(self) -> int:
        """The port of the first address. Raises: IndexError once closed."""
        return int(self.addresses[0][1])

    async def close_gracefully(self) -> None:
        """Stop listening, send the answers under way (for at most the `close_timeout` of the options), then close."""
        await self.server.close_gracefully()
        self._files.close()

    def abort(self) -> None:
        """Stop listening and close all connections now; `wait_closed` waits until they have heard of it."""
        self.server.abort()

    async def wait_closed(self) -> None:
        """Wait until the server and all its connections are closed."""
        await self.server.wait_closed()
        self._files.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if exc is None:
            await self.close_gracefully()
        else:
            self.abort()
            await self.wait_closed()

    def __repr__(self) -> str:
        return f"<DirectoryServer {self.server!r}>"


async def serve_directory(
    root: "str | os.PathLike[str]",
    host: str | Sequence[str] | None = "127.0.0.1",
    port: int = 8080,
    *,
    options: ChannelOptions | None = None,
    limits: Limits = HTTP_LIMITS,
    timers: HttpTimers | None = None,
    listings: bool = True,
    on_served: Callable[[ServedReport], None] | None = None,
) -> DirectoryServer:
    """Serve the files below `root` over HTTP/1.1 on the running loop; nothing outside of it can be reached.

    `port` 0 takes a free one (see `addresses`). `on_served` gets a report, with the bill, for every answered request.
    Whatever `options` say, half-closed connections are answered to the end, and a file that cannot be read closes.
    Raises: OSError when `root` cannot be read, or the address is in use or not ours; socket.gaierror.
    """
    options = options or ChannelOptions(file_high_water=FILE_HIGH_WATER)
    # a head has promised the bytes of its file: what follows must not be taken for them
    options = replace(options, allow_half_closure=True, region_failure_closes=True)
    timers = timers or HttpTimers()
    files = StaticFiles(root, listings=listings)

    def init(channel: Channel[Any, Any]) -> None:
        channel.pipeline.add_last(HttpServerHandler(files, limits=limits, timers=timers, on_served=on_served))

    try:
        server = await serve(init, host, port, options=options)
    except BaseException:
        files.close()
        raise
    return DirectoryServer(server, files)
