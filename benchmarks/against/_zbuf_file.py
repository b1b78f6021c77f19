"""Sending a file with zbuf: what a user writes, nothing tuned.

Owns    the measured side of the file group.
Never   a private name of zbuf.
Always  the file travels as a FileRegion through the channel's pipeline and queue."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import _sockets
from zbuf.buffer import ByteBuf
from zbuf.pipeline import Context, Handler
from zbuf.region import FileRegion
from zbuf.transport import Channel
from zbuf.transport import serve as open_server


class SendFile(Handler[ByteBuf, FileRegion]):
    """Answers "g" with the file, and "d" with what it has cost since."""

    def __init__(self, path: str, clock: Callable[[], float], answer: Callable[[dict[str, float]], None]) -> None:
        self._path = path
        self._clock = clock
        self._answer = answer
        self._before = 0.0

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        """Start a transfer, or account for one."""
        word = bytes(msg)
        msg.release()
        if word == b"g":
            self._before = self._clock()
            ctx.write(FileRegion(self._path))
        else:
            self._answer({"cpu": self._clock() - self._before})
            ctx.close()


async def serve(path: str, clock: Callable[[], float], answer: Callable[[dict[str, float]], None]) -> None:
    """Serve the file on a free port, which is answered first."""

    def init(channel: Channel[ByteBuf, FileRegion]) -> None:
        channel.pipeline.add_last("file", SendFile(path, clock, answer))

    server = await open_server(init, "127.0.0.1", 0)
    for sock in server.sockets:
        _sockets.prepare(sock)
    answer({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()
