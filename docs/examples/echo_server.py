"""A framed echo server: every frame goes back to where it came from."""

import asyncio
import contextlib
import sys

from zbuf import ByteBuf
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler, Context, Handler
from zbuf.transport import Channel, serve


class Echo(Handler[ByteBuf, ByteBuf]):
    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        ctx.write(msg)


def init(channel: Channel[ByteBuf, ByteBuf]) -> None:
    frames = LengthFieldBasedFrameDecoder(16 << 20, length_field_length=4, initial_bytes_to_strip=4)
    channel.pipeline.add_last("frames", CodecHandler(frames, LengthFieldPrepender(4)))
    channel.pipeline.add_last("echo", Echo())


async def main(port: int) -> None:
    async with await serve(init, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
