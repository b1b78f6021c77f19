"""Answers every frame with a file, framed like everything else, and prints the bill of each connection."""

import asyncio
import contextlib
import sys

from zbuf import ByteBuf
from zbuf.audit import report
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler
from zbuf.region import FileRegion
from zbuf.transport import Channel, serve


async def talk(channel: Channel[ByteBuf, FileRegion]) -> None:
    frames = LengthFieldBasedFrameDecoder(16 << 20, length_field_length=4, initial_bytes_to_strip=4)
    channel.pipeline.add_last("frames", CodecHandler(frames, LengthFieldPrepender(4)))
    async for request in channel:
        request.release()
        await channel.send(FileRegion(sys.argv[2]))
    print(report(channel.bill), flush=True)


async def main(port: int) -> None:
    async with await serve(talk, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
