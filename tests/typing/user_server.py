"""Servers, clients and handlers, as a user of zbuf would write and type them. Never run: see user_codec.py."""

from typing import assert_type

import zbuf
from zbuf import ByteBuf
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler, Context, Handler
from zbuf.region import FileRegion
from zbuf.transport import Channel, ChannelOptions, Server, connect, serve


class Upper(Handler[ByteBuf, ByteBuf]):
    """A handler that says what it takes."""

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        """Answer in capitals."""
        ctx.write(zbuf.wrap(bytes(msg).upper()))
        msg.release()

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """Give up."""
        ctx.close()


class Careless(Handler[ByteBuf, ByteBuf]):
    """A handler that forgot what it said it takes."""

    def channel_read(self, ctx: Context, msg: str) -> None:  # type: ignore[override]
        """Take something else."""


def framed(channel: Channel[ByteBuf, ByteBuf]) -> None:
    """Put a codec and a handler into a pipeline."""
    frames = LengthFieldBasedFrameDecoder(1 << 20, 0, 4, initial_bytes_to_strip=4)
    channel.pipeline.add_last("frames", CodecHandler(frames, LengthFieldPrepender(4)))
    channel.pipeline.add_last("upper", Upper())


async def talk(channel: Channel[ByteBuf, ByteBuf]) -> None:
    """A conversation as a coroutine."""
    async for frame in channel:
        assert_type(frame, ByteBuf)
        await channel.send(frame)


async def run_a_server() -> None:
    """Serve, by handlers and by a coroutine."""
    server = await serve(framed, "127.0.0.1", 0, options=ChannelOptions(tcp_nodelay=True))
    assert_type(server, Server)
    other = await serve(talk, "127.0.0.1", 0)
    assert_type(other, Server)
    await serve("talk", "127.0.0.1", 0)  # type: ignore[arg-type]


async def run_a_client() -> None:
    """Connect, send, receive; what leaves is typed, too."""
    async with await connect("127.0.0.1", 9999, init=framed) as channel:
        assert_type(channel, Channel[ByteBuf, ByteBuf])
        await channel.send(zbuf.wrap(b"hello"))
        assert_type(await channel.receive(), ByteBuf)
        await channel.send("hello")  # type: ignore[arg-type]


async def send_a_file(channel: Channel[ByteBuf, FileRegion]) -> None:
    """A channel that takes regions."""
    await channel.send(FileRegion("/etc/hosts", 0, 10))
