"""A WebSocket echo server.

python websocket_server.py PORT [MESSAGE_LIMIT]
"""

import asyncio
import contextlib
import sys
from typing import Any

from websocket_codec import Deflate, WebSocketDecoder, WebSocketEncoder
from websocket_upgrade import UpgradeServer

from zbuf import Channel, serve
from zbuf.pipeline import Context, Handler


class Echo(Handler[Any, Any]):
    def channel_read(self, ctx: Context, msg: Any) -> None:
        ctx.write(msg)


async def main(port: int, message_limit: int) -> None:
    fragment_limit = max(1024, message_limit // 64)

    def frames(deflate: Deflate | None) -> tuple[WebSocketDecoder, WebSocketEncoder]:
        decoder = WebSocketDecoder(
            is_server=True, deflate=deflate, message_limit=message_limit, fragment_limit=fragment_limit
        )
        return decoder, WebSocketEncoder(is_server=True, deflate=deflate)

    def init(channel: Channel[Any, Any]) -> None:
        UpgradeServer.put_into(channel.pipeline, frames, Echo())

    async with await serve(init, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8 << 20))
