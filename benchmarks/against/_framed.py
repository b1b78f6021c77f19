"""Length-field echo without zbuf: the framing that a careful programmer writes by hand.

Owns    the rivals of the echo group: asyncio streams and Protocols, on the stock loop or on uvloop.
Never   zbuf.
Always  each does the same work: a 4-byte big-endian length, a bound on it, the body given to a handler, the
        reply framed."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

HEAD = struct.Struct(">I")
HEAD_SIZE = HEAD.size
MAX_FRAME = 1 << 20


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readexactly(HEAD_SIZE)
            (size,) = HEAD.unpack(head)
            if size > MAX_FRAME:
                break
            body = await reader.readexactly(size)
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def serve_streams(sock: socket.socket) -> asyncio.Server:
    """Echo with asyncio streams: readexactly, write, drain."""
    return await asyncio.start_server(_talk, sock=sock)


class FramedProtocol(asyncio.Protocol):
    """Cuts frames in data_received and answers each with a write of its own."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand every whole frame to the handler and keep the rest; without a rest nothing is joined."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= HEAD_SIZE:
            (size,) = HEAD.unpack_from(data, at)
            if size > MAX_FRAME:
                self.transport.abort()
                return
            stop = at + HEAD_SIZE + size
            if stop > end:
                break
            self.frame_received(data[at + HEAD_SIZE : stop])
            at = stop
        self._rest = data[at:]
        self.batch_done()

    def frame_received(self, body: bytes) -> None:
        """Echo one frame at once."""
        self.transport.write(HEAD.pack(len(body)) + body)

    def batch_done(self) -> None:
        """Called after the last whole frame of a read."""


class BatchedProtocol(FramedProtocol):
    """The same framing, one joined write for all frames of a read."""

    def __init__(self) -> None:
        super().__init__()
        self._replies: list[bytes] = []

    def frame_received(self, body: bytes) -> None:
        """Keep head and body for the end of the batch."""
        self._replies += (HEAD.pack(len(body)), body)

    def batch_done(self) -> None:
        """Write all replies as one."""
        if self._replies:
            self.transport.write(b"".join(self._replies))
            self._replies.clear()


async def serve_protocol(sock: socket.socket) -> asyncio.Server:
    """Echo with a Protocol, one write per frame."""
    return await asyncio.get_running_loop().create_server(FramedProtocol, sock=sock)


async def serve_batched(sock: socket.socket) -> asyncio.Server:
    """Echo with a Protocol, one joined write per read."""
    return await asyncio.get_running_loop().create_server(BatchedProtocol, sock=sock)


class PlainProtocol(asyncio.Protocol):
    """Sends back whatever arrives: no frames, for the loop's own cost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Write it back."""
        self.transport.write(data)


async def serve_plain(sock: socket.socket) -> asyncio.Server:
    """Echo bytes with a Protocol."""
    return await asyncio.get_running_loop().create_server(PlainProtocol, sock=sock)
