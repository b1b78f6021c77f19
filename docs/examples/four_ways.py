"""The same bytes sent in four ways, and the bill of each: join, gather, sendfile, read and send."""

import asyncio
import socket
import tempfile
import threading

import zbuf
from zbuf import ByteBuf
from zbuf.audit import Bill, audit
from zbuf.region import FileRegion
from zbuf.transport import Channel, connect

PART = 64 * 1024
PARTS = 16
Sender = Channel[bytes, ByteBuf | FileRegion]


def join_and_send(channel: Sender, path: str) -> None:
    parts = [bytes(PART) for _ in range(PARTS)]
    joined = channel.allocator.buffer(PART * PARTS)
    for part in parts:
        joined.write_bytes(part)
    channel.write(joined)


def gather(channel: Sender, path: str) -> None:
    parts = [bytes(PART) for _ in range(PARTS)]
    channel.write(zbuf.wrap(*parts))


def sendfile(channel: Sender, path: str) -> None:
    channel.write(FileRegion(path))


def read_and_send(channel: Sender, path: str) -> None:
    with FileRegion(path) as region:
        for _ in range(PARTS):
            buf = channel.allocator.buffer(PART)
            region.read_into(buf, PART)
            channel.write(buf)


WAYS = {"join + send": join_and_send, "gather": gather, "sendfile": sendfile, "read + send": read_and_send}


def drop_everything(listener: socket.socket) -> None:
    """Be the peer: plain sockets on a thread of their own, so that nothing of it is on our bill."""
    for _ in WAYS:
        peer, _ = listener.accept()
        with peer:
            while peer.recv(1 << 20):
                pass


def line(way: str, bill: Bill) -> str:
    reasons = ", ".join(reason.name.lower() for reason in bill.user) or "-"
    calls = ", ".join(f"{call} {move.nbytes:,}" for call, move in bill.kernel.items())
    return f"{way:<13}{bill.user_bytes:>14,}  {reasons:<11}{calls}"


async def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.NamedTemporaryFile() as file:
        file.write(bytes(PART * PARTS))
        file.flush()
        peer = threading.Thread(target=drop_everything, args=(listener,))
        peer.start()
        print("way           copied by us  why        bytes by system call")
        for way, send in WAYS.items():
            channel: Sender
            async with await connect("127.0.0.1", listener.getsockname()[1], init=lambda channel: None) as channel:
                with audit() as opened:
                    send(channel, file.name)
                    await channel.flushed()
            print(line(way, opened.bill))
        peer.join()


if __name__ == "__main__":
    asyncio.run(main())
