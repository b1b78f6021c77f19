"""A server that sends each post back, its topic in capital letters and its payload as it came."""

import asyncio
import contextlib
import sys

from posts import Post, PostDecoder, PostEncoder

from zbuf.pipeline import CodecHandler, Context, Handler
from zbuf.transport import Channel, serve


class Shout(Handler[Post, Post]):
    def channel_read(self, ctx: Context, msg: Post) -> None:
        ctx.write(Post(msg.topic.upper(), msg.payload))


def init(channel: Channel[Post, Post]) -> None:
    channel.pipeline.add_last("posts", CodecHandler(PostDecoder(), PostEncoder()))
    channel.pipeline.add_last("shout", Shout())


async def main(port: int) -> None:
    async with await serve(init, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
