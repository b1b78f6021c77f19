"""Echo with zbuf: what a user writes, nothing tuned.

Owns    the measured side of the echo and loop groups.
Never   a private name of zbuf.
Always  the frames variant goes through decoder, Python handler and prepender, as the rivals go through their
        framing."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import _sockets
from benchmarks.against._framed import MAX_FRAME
from zbuf.buffer import ByteBuf
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import Context, DecoderHandler, EncoderHandler, Handler
from zbuf.transport import Channel, serve

_KEPT: list[object] = []


class Echo(Handler[ByteBuf, ByteBuf]):
    """Writes back what it reads."""

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        """Move the message into the outbound queue."""
        ctx.write(msg)


def _framed(channel: Channel[ByteBuf, ByteBuf]) -> None:
    channel.pipeline.add_last("frames", DecoderHandler(LengthFieldBasedFrameDecoder(MAX_FRAME, 0, 4, 0, 4)))
    channel.pipeline.add_last("prepender", EncoderHandler(LengthFieldPrepender(4)))
    channel.pipeline.add_last("echo", Echo())


def _plain(channel: Channel[ByteBuf, ByteBuf]) -> None:
    channel.pipeline.add_last("echo", Echo())


async def _serve(init: Callable[[Channel[ByteBuf, ByteBuf]], None]) -> int:
    server = await serve(init, "127.0.0.1", 0)
    _KEPT.append(server)
    for sock in server.sockets:
        _sockets.prepare(sock)
    return int(server.sockets[0].getsockname()[1])


async def serve_framed() -> int:
    """Start the length-field echo on a free port; return the port."""
    return await _serve(_framed)


async def serve_plain() -> int:
    """Start the byte echo on a free port; return the port."""
    return await _serve(_plain)
