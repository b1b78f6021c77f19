"""A client of the framed echo server: three frames there and back, then the bill of the connection."""

import asyncio
import sys

import zbuf
from zbuf import ByteBuf
from zbuf.audit import report
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler
from zbuf.transport import Channel, connect


def init(channel: Channel[ByteBuf, ByteBuf]) -> None:
    frames = LengthFieldBasedFrameDecoder(16 << 20, length_field_length=4, initial_bytes_to_strip=4)
    channel.pipeline.add_last("frames", CodecHandler(frames, LengthFieldPrepender(4)))


async def main(port: int) -> None:
    async with await connect("127.0.0.1", port, init=init) as channel:
        for word in (b"one", b"two", b"three"):
            await channel.send(zbuf.wrap(word))
        await channel.shutdown_output()
        async for frame in channel:
            print("back:", bytes(frame).decode())
    print(report(channel.bill))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
