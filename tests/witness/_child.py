"""What runs under the witness: small programs that say, as JSON, what it saw and what zbuf's meter says.

Owns    the programs, each a function; `python -m tests.witness._child NAME` runs one.
Never   a claim: the test compares.
Always  the first round of everything is not counted: imports, caches and the first blocks copy what they like."""

from __future__ import annotations

import asyncio
import ctypes
import json
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from zbuf import ByteBuf, Channel, ChannelOptions, FileRegion, buffer, composite, serve
from zbuf.audit import process_account
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.pipeline import CodecHandler, Context, Handler

WITNESS = ctypes.CDLL(None)
WITNESS.witness_bytes.restype = ctypes.c_ulonglong
SIZE = 1 << 20


def seen() -> int:
    """The bytes that the witness has seen so far."""
    return int(WITNESS.witness_bytes())


def billed() -> int:
    """The bytes that zbuf's meter has for the process so far, of copies in user space."""
    return sum(count.nbytes for count in process_account().snapshot().user.values())


def filled(size: int = SIZE) -> ByteBuf:
    """A buffer of so many bytes."""
    buf = buffer(size)
    buf.write_zero(size)
    return buf


def measured(act: Callable[[], Any]) -> dict[str, int]:
    """Run `act` twice, and return what the second run copied."""
    act()
    witness, meter_says = seen(), billed()
    kept = act()
    result = {"witness": seen() - witness, "billed": billed() - meter_says}
    del kept
    return result


def primitives() -> dict[str, dict[str, int]]:
    """The primitives that copy, and those that must not."""
    source, target, raw = filled(), filled(), bytearray(SIZE)
    parts = composite()
    for _ in range(4):
        parts.append(filled(SIZE // 4))

    def grow() -> ByteBuf:
        buf = filled()
        buf.set_capacity(SIZE)
        buf.write_zero(1)  # the block is full: the bytes move to a larger one
        return buf

    def discard() -> ByteBuf:
        buf = filled()
        buf.skip_bytes(SIZE // 2)
        buf.discard_read_bytes()
        return buf

    def consolidate() -> Any:
        joined = composite()
        for _ in range(4):
            joined.append(source.slice(0, SIZE // 4))
        joined.consolidate()
        return joined

    def gather() -> Any:
        joined = composite()
        for _ in range(64):
            joined.append(source.slice(0, SIZE // 64))
        return joined.readable_views()

    return {
        "slice": measured(lambda: source.slice(1, SIZE - 1)),
        "duplicate": measured(source.duplicate),
        "split": measured(lambda: source.duplicate().split(SIZE // 2)),
        "move": measured(lambda: source.duplicate().move()),
        "readable_views": measured(gather),
        "memoryview": measured(source.view),
        "copy": measured(source.copy),
        "copy of a composite": measured(parts.copy),
        "bytes": measured(lambda: source.get_bytes(0, SIZE)),
        "bytes of a composite": measured(lambda: bytes(parts)),
        "set_bytes": measured(lambda: target.set_bytes(0, raw)),
        "get_bytes_into": measured(lambda: source.get_bytes_into(0, raw)),
        "grow": measured(grow),
        "discard": measured(discard),
        "compact": measured(lambda: source.slice().compact()),
        "consolidate": measured(consolidate),
    }


class Echo(Handler[ByteBuf, ByteBuf]):
    """Writes back what it reads, and counts it."""

    received = 0

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        """Send it back."""
        Echo.received += msg.readable_bytes
        ctx.write(msg)


def frames() -> dict[str, Any]:
    """Serve frames: 32 KiB and more stay where they arrived. The peer is the parent; a line on stdin ends a round."""

    def init(channel: Channel[ByteBuf, ByteBuf]) -> None:
        codec = CodecHandler(LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4), LengthFieldPrepender(4))
        channel.pipeline.add_last("frames", codec)
        channel.pipeline.add_last("echo", Echo())

    async def main() -> dict[str, Any]:
        options = ChannelOptions(receive_initial=65536, receive_max=65536)
        async with await serve(init, "127.0.0.1", 0, options=options) as server:
            print(json.dumps(server.addresses[0][1]), flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            witness, bill, received = seen(), billed(), Echo.received
            print("{}", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            return {"witness": seen() - witness, "billed": billed() - bill, "received": Echo.received - received}

    return asyncio.run(main())


def region() -> dict[str, Any]:
    """Send a file by FileRegion through a channel to the parent."""

    async def main() -> dict[str, Any]:
        done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(64 << 20)

            async def talk(channel: Channel[Any, Any]) -> None:
                await channel.send(b"warm")
                await channel.flushed()
                witness, bill = seen(), billed()
                await channel.send(FileRegion(file.name))
                await channel.flushed()
                done.set_result({"witness": seen() - witness, "billed": billed() - bill})

            async with await serve(talk, "127.0.0.1", 0) as server:
                print(json.dumps(server.addresses[0][1]), flush=True)
                return await done

    return asyncio.run(main())


def rival() -> dict[str, Any]:
    """A copy that is certainly one, and a send that makes none: the check of the witness itself."""
    data = bytes(SIZE)
    left, right = socket.socketpair()
    with left, right:
        sent = measured(lambda: left.send(memoryview(data)[: 1 << 16]) and right.recv_into(bytearray(1 << 16)))
    return {"bytearray": measured(lambda: bytearray(data)), "send": sent}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()), flush=True)
