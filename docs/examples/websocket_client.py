"""Says something to a WebSocket server, prints what comes back, and takes its leave.

python websocket_client.py PORT [TEXT ...]
"""

import asyncio
import sys
from typing import Any

from websocket_codec import Close, Deflate, WebSocketDecoder, WebSocketEncoder
from websocket_upgrade import UpgradeClient

from zbuf import Channel, connect
from zbuf.pipeline import Context, Handler


class Replies(Handler[Any, Any]):
    """Says its texts one after the other, each when the one before came back."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = iter(texts)

    def handler_added(self, ctx: Context) -> None:
        self._say(ctx)

    def channel_read(self, ctx: Context, msg: Any) -> None:
        print(msg)
        self._say(ctx)

    def _say(self, ctx: Context) -> None:
        ctx.write(next(self._texts, None) or Close(1000, "bye"))


async def main(port: int, texts: list[str]) -> None:
    def frames(deflate: Deflate | None) -> tuple[WebSocketDecoder, WebSocketEncoder]:
        return WebSocketDecoder(is_server=False, deflate=deflate), WebSocketEncoder(is_server=False, deflate=deflate)

    def init(channel: Channel[Any, Any]) -> None:
        UpgradeClient.put_into(channel.pipeline, f"127.0.0.1:{port}", "/", frames, Replies(texts))

    channel = await connect("127.0.0.1", port, init=init)
    await channel.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:] or ["hello", "zbuf"]))
