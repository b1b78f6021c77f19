"""The bills of two roles of connection, as a page for Prometheus; and each system call of one of them."""

import asyncio
import contextlib

import zbuf
from zbuf.audit import PROMETHEUS_CONTENT_TYPE, Recorder, assert_copies, bills_by_label, prometheus
from zbuf.transport import Channel, connect, serve

WANTED = ("wire_sent_bytes_total", "user_copied_bytes_total")


async def scrape(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    page = prometheus(bills_by_label()).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {PROMETHEUS_CONTENT_TYPE}\r\nContent-Length: {len(page)}\r\n\r\n"
    writer.write(head.encode() + page)
    await writer.drain()
    writer.close()


def inside(channel: Channel[zbuf.ByteBuf, zbuf.ByteBuf]) -> None:
    channel.account.label = "inside"


def outside(channel: Channel[zbuf.ByteBuf, zbuf.ByteBuf]) -> None:
    channel.account.label = "outside"


async def main() -> None:
    async with (
        await serve(inside, "127.0.0.1", 0) as server,
        await connect(*server.addresses[0][:2], init=outside) as channel,
    ):
        with Recorder(channel) as recorder:
            await channel.send(zbuf.wrap(b"z" * 5000))
            await channel.flushed()
            await channel.send(zbuf.wrap(b"head", b"body"))
            await channel.flushed()
        assert_copies(channel, user=8)
        for record in recorder.records():
            print(record.sequence, record.what if isinstance(record.what, str) else record.what.name, record.nbytes)
        async with await asyncio.start_server(scrape, "127.0.0.1", 0) as metrics:
            reader, writer = await asyncio.open_connection(*metrics.sockets[0].getsockname())
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            page = (await reader.read()).decode().partition("\r\n\r\n")[2]
            writer.close()
    for line in page.splitlines():
        if line.startswith("# TYPE zbuf_wire_sent") or ('"outside"' in line and any(name in line for name in WANTED)):
            print(line)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
