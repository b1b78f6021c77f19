"""One large frame to the framed echo server, with a bill of the sending alone."""

import asyncio
import sys

from echo_client import init

import zbuf
from zbuf.audit import audit, report
from zbuf.transport import connect


async def main(port: int) -> None:
    async with await connect("127.0.0.1", port, init=init) as channel:
        payload = zbuf.wrap(b"z" * 1_000_000)
        with audit(channel) as sending:
            await channel.send(payload)
            await channel.flushed()
        print(report(sending.bill))
        with await channel.receive() as frame:
            print("back:", len(frame), "bytes")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
