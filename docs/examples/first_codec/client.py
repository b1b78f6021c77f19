"""A client of the server: three posts there and back."""

import asyncio
import sys

from posts import Post, PostDecoder, PostEncoder

from zbuf import wrap
from zbuf.pipeline import CodecHandler
from zbuf.transport import Channel, connect


def init(channel: Channel[Post, Post]) -> None:
    channel.pipeline.add_last("posts", CodecHandler(PostDecoder(), PostEncoder()))


async def main(port: int) -> None:
    async with await connect("127.0.0.1", port, init=init) as channel:
        for topic, payload in (("weather", b"rain"), ("sports", b"2:1"), ("large", bytes(500_000))):
            await channel.send(Post(topic, wrap(payload)))
        await channel.shutdown_output()
        async for post in channel:
            print(post.topic, len(post.payload))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
