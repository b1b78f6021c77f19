"""Asks the file server once, and says what came."""

import asyncio
import hashlib
import sys

from echo_client import init

import zbuf
from zbuf.transport import connect


async def main(port: int) -> None:
    async with await connect("127.0.0.1", port, init=init) as channel:
        await channel.send(zbuf.wrap(b"the file, please"))
        digest = hashlib.sha256()
        with await channel.receive() as frame:
            for view in frame.readable_views():
                digest.update(view)
            print(len(frame), "bytes, sha256", digest.hexdigest())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
