"""Lines through a compressed channel: each can be read as soon as it was sent, and a bomb is refused."""

import asyncio

from zbuf import ByteBuf, wrap
from zbuf.codec import LineBasedFrameDecoder, LineEncoder
from zbuf.codec.compression import GzipDecoder, GzipEncoder, compress, decompress
from zbuf.errors import DecompressionLimitError
from zbuf.pipeline import CodecHandler, Context, Handler
from zbuf.transport import Channel, connect, serve


class Counter(Handler[ByteBuf, ByteBuf]):
    """Prints each line and answers with its number."""

    def __init__(self) -> None:
        self.lines = 0

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        self.lines += 1
        print("server:", msg.to_string())
        ctx.write(wrap(f"line {self.lines}".encode()))


def init(channel: Channel[ByteBuf, ByteBuf]) -> None:
    channel.pipeline.add_last("gzip", CodecHandler(GzipDecoder(), GzipEncoder()))
    channel.pipeline.add_last("lines", CodecHandler(LineBasedFrameDecoder(1000), LineEncoder()))


def init_server(channel: Channel[ByteBuf, ByteBuf]) -> None:
    init(channel)
    channel.pipeline.add_last("counter", Counter())


async def talk(port: int) -> None:
    async with await connect("127.0.0.1", port, init=init) as channel:
        answers = aiter(channel)
        for text in ("tea, hot", "tea, hot", "tea, hot and sweet"):
            before = channel.bill.wire_out
            await channel.send(wrap(text.encode()))
            answer = await anext(answers)
            print(f"client: {len(text) + 1} bytes were {channel.bill.wire_out - before}:", answer.to_string())


def whole_messages() -> None:
    report = b"all quiet\n" * 1000
    small = compress(report, "gzip", level=9)
    assert bytes(decompress(small, "gzip")) == report
    print(f"whole: {len(report)} bytes were {small.readable_bytes}")
    bomb = compress(bytes(64 << 20), "gzip")
    try:
        decompress(bomb, "gzip")
    except DecompressionLimitError as exc:
        print(f"bomb: {bomb.readable_bytes} bytes would have been more than {exc.limit} {exc.maximum} allows")


async def main() -> None:
    async with await serve(init_server, "127.0.0.1", 0) as server:
        await talk(server.addresses[0][1])
    whole_messages()


if __name__ == "__main__":
    asyncio.run(main())
