"""Streams over real sockets: every byte arrives, in order, however the kernel cuts them.

Owns    integrity and backpressure between real ends, on every loop, poller and family.
Never   a scripted answer: see tests/transport.
Always  peers are plain blocking sockets in threads, or zbuf's own clients."""

import asyncio
import contextlib
import hashlib
import os
import random
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zbuf.buffer import ByteBuf
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.errors import ChannelClosedError, WriteLimitError
from zbuf.pipeline import Context, DecoderHandler, EncoderHandler, Handler
from zbuf.region import FileRegion
from zbuf.transport import Channel, ChannelOptions, Server, connect, connect_unix, serve, serve_unix

Run = Callable[..., Any]


class Echo(Handler[ByteBuf, ByteBuf]):
    """Writes back what it reads."""

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        ctx.write(msg)


def frames(channel: Channel[Any, Any]) -> None:
    """Length-field frames both ways."""
    channel.pipeline.add_last("decoder", DecoderHandler(LengthFieldBasedFrameDecoder(1 << 24, 0, 4, 0, 4)))
    channel.pipeline.add_last("prepender", EncoderHandler(LengthFieldPrepender(4)))


def framed_echo(channel: Channel[Any, Any]) -> None:
    """An echo of frames."""
    frames(channel)
    channel.pipeline.add_last("echo", Echo())


def unread(channel: Channel[Any, Any]) -> None:
    """No handler: messages are kept for `async for`, or released."""


def plain_echo(channel: Channel[Any, Any]) -> None:
    """An echo of bytes."""
    channel.pipeline.add_last("echo", Echo())


@pytest.fixture(params=["epoll", "loop"])
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each kind of poller in turn."""
    if request.param == "loop":
        monkeypatch.setenv("ZBUF_POLLER", "loop")
    return str(request.param)


@pytest.fixture(params=["tcp", "unix"])
def family(request: pytest.FixtureRequest) -> str:
    """Both families."""
    return str(request.param)


async def listen(init: Any, family: str, path: Path, **options: Any) -> tuple[Server, Any]:
    """Serve on either family; return the server and its address."""
    chosen = ChannelOptions(**options)
    if family == "unix":
        return await serve_unix(init, path / "s", options=chosen), str(path / "s")
    server = await serve(init, "127.0.0.1", 0, options=chosen)
    return server, server.addresses[0]


async def dial(address: Any, init: Any, **options: Any) -> Channel[Any, Any]:
    """Connect on either family."""
    chosen = ChannelOptions(**options)
    if isinstance(address, str):
        return await connect_unix(address, init=init, options=chosen)
    return await connect(*address, init=init, options=chosen)


def blocking(address: Any) -> socket.socket:
    """A plain blocking connection."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address)
        return sock
    return socket.create_connection(address)


@pytest.mark.usefixtures("poller")
def test_b165_framed_messages_of_all_sizes_come_back_in_order(run: Run, family: str, tmp_path: Path) -> None:
    """Sizes from 0 to 300,000 bytes, written without waiting for replies: they are the questions, in order."""
    random.seed(7)
    sizes = [0, 1, 63, 64, 65, 2047, 2048, 65_535, 65_536, 300_000, *[random.randrange(5000) for _ in range(300)]]
    questions = [random.randbytes(size) for size in sizes]

    async def main() -> None:
        server, address = await listen(framed_echo, family, tmp_path)
        async with server, await dial(address, frames) as channel:

            async def ask() -> None:
                for question in questions:
                    await channel.send(question)

            asking = asyncio.create_task(ask())
            for question in questions:
                answer = await channel.receive()
                assert question == bytes(answer)
                answer.release()
            await asking

    run(main())


@pytest.mark.usefixtures("poller")
def test_a_blocking_peer_gets_back_every_byte_it_sent(run: Run, family: str, tmp_path: Path) -> None:
    """16 MiB through a byte echo, sender and receiver in threads, small kernel buffers: equal digests, then the end."""
    data = random.Random(1).randbytes(1 << 20)

    async def main() -> None:
        server, address = await listen(plain_echo, family, tmp_path, sndbuf=20_000, rcvbuf=20_000)
        async with server:
            with blocking(address) as peer:

                def send() -> None:
                    for _ in range(16):
                        peer.sendall(data)
                    peer.shutdown(socket.SHUT_WR)

                def receive() -> str:
                    digest = hashlib.sha256()
                    while block := peer.recv(1 << 16):
                        digest.update(block)
                    return digest.hexdigest()

                _, digest = await asyncio.gather(asyncio.to_thread(send), asyncio.to_thread(receive))
        assert hashlib.sha256(data * 16).hexdigest() == digest

    run(main())


def test_b178_buffers_and_files_arrive_in_order(run: Run, family: str, tmp_path: Path) -> None:
    """Heads, small files, large files and tails in one queue arrive as one stream."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(os.urandom(3000))
    large.write_bytes(os.urandom(5_000_000))

    async def main() -> None:
        async def talk(channel: Channel[Any, Any]) -> None:
            for k in range(3):
                channel.write(b"head %d" % k)
                channel.write(FileRegion(small))
                await channel.write(FileRegion(large, k))
                channel.write(b"tail")

        server, address = await listen(talk, family, tmp_path)
        async with server:
            with blocking(address) as peer:
                received = await asyncio.to_thread(_read_all, peer)
        whole = b"".join(b"head %d" % k + small.read_bytes() + large.read_bytes()[k:] + b"tail" for k in range(3))
        assert hashlib.sha256(whole).hexdigest() == hashlib.sha256(received).hexdigest()

    run(main())


def _read_all(peer: socket.socket) -> bytes:
    blocks = []
    while block := peer.recv(1 << 20):
        blocks.append(block)
    return b"".join(blocks)


def test_b183_more_than_two_gigabytes_of_a_file_arrive_whole(tmp_path: Path) -> None:
    """A sparse file longer than one sendfile may move: every byte counted, the last ones right, nothing copied."""
    from tests import loops

    size = (1 << 31) + 12_345
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size - 9)
        file.write(b"very last")

    async def main() -> None:
        bills: list[Any] = []

        async def talk(channel: Channel[Any, Any]) -> None:
            channel.write(FileRegion(path))
            await channel.flushed()
            bills.append(channel.bill)

        async with await serve(talk, "127.0.0.1", 0) as server:
            with contextlib.suppress(OSError, AttributeError):  # bbr paces loopback in software: five times the time
                server.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
            with socket.create_connection(server.addresses[0]) as peer:
                count, last = await asyncio.to_thread(_count, peer, size)
        assert (size, b"very last") == (count, last)
        assert 0 == bills[0].user_bytes
        assert size == bills[0].wire_out == bills[0].kernel["sendfile"].nbytes
        assert bills[0].kernel["sendfile"].calls >= size // (2 << 20), "no wake-up moved more than its budget"

    loops.run(main(), "stock", timeout=120)


def _count(peer: socket.socket, size: int) -> tuple[int, bytes]:
    """Receive to the end; all but the last bytes are thrown away in the kernel."""
    count = 0
    nowhere = bytearray(1 << 20)
    while count < size - 9:
        n = peer.recv_into(nowhere, min(1 << 20, size - 9 - count), getattr(socket, "MSG_TRUNC", 0))
        if not n:
            break
        count += n
    last = b""
    while block := peer.recv(100):
        last += block
    return count + len(last), last


def test_other_channels_are_served_while_a_large_file_is_sent(run: Run, tmp_path: Path) -> None:
    """While one peer downloads 400 MB, another one's small questions are each answered soon."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(400 << 20)

    async def main() -> None:
        def init(channel: Channel[Any, Any]) -> None:
            if server.accepted == 1:
                channel.write(FileRegion(path))
            else:
                plain_echo(channel)

        async with await serve(init, "127.0.0.1", 0) as server:
            with socket.create_connection(server.addresses[0]) as greedy:
                download = asyncio.create_task(asyncio.to_thread(_count, greedy, 400 << 20))
                async with await connect(*server.addresses[0], init=unread) as channel:
                    delays = []
                    for _ in range(20):
                        before = time.monotonic()
                        await channel.send(b"q")
                        (await channel.receive()).release()
                        delays.append(time.monotonic() - before)
                    assert sorted(delays)[10] < 0.25, delays
                server.abort()
                await asyncio.wait([download])

    run(main())


def test_a_tail_is_never_held_back(run: Run, tmp_path: Path) -> None:
    """What follows a region, or stands where a region could not be opened, arrives at once and not 200 ms later."""
    path = tmp_path / "file"
    path.write_bytes(bytes(100_000))

    async def main() -> None:
        async def talk(channel: Channel[Any, Any]) -> None:
            (await channel.receive()).release()
            channel.write(b"head")
            channel.write(FileRegion(path))
            channel.write(b"tail")
            (await channel.receive()).release()
            channel.write(b"head")
            channel.write(FileRegion(tmp_path / "missing", 0, 100_000))
            await channel.receive()

        async with await serve(talk, "127.0.0.1", 0) as server:
            with socket.create_connection(server.addresses[0]) as peer:
                for expected in (100_008, 4):
                    before = time.monotonic()
                    peer.send(b"q")
                    got = await asyncio.to_thread(_exactly, peer, expected)
                    assert expected == got
                    assert time.monotonic() - before < 0.15

    run(main())


def _exactly(peer: socket.socket, count: int) -> int:
    got = 0
    while got < count and (block := peer.recv(count - got)):
        got += len(block)
    return got


def test_b163_a_peer_that_does_not_read_bounds_the_producer(run: Run) -> None:
    """Without waiting the producer meets WriteLimitError; with waiting it is suspended, and goes on when they read."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []
        options = ChannelOptions(write_limit_bytes=1 << 20)
        async with await serve(channels.append, "127.0.0.1", 0, options=options) as server:
            with socket.create_connection(server.addresses[0]) as peer:
                while not channels:
                    await asyncio.sleep(0.001)
                (channel,) = channels
                block = bytes(100_000)
                with pytest.raises(WriteLimitError):
                    while True:
                        channel.write(block)
                        channel.flush()
                assert not channel.is_writable and channel.is_active
                assert channel.pending_bytes < 2 << 20
                waiting = asyncio.create_task(channel.drain())
                await asyncio.sleep(0.02)
                assert not waiting.done()
                reading = asyncio.create_task(asyncio.to_thread(_read_all, peer))
                await waiting
                assert channel.is_writable
                await channel.close_gracefully()
                assert await reading

    run(main())


def test_a_peer_that_asks_but_does_not_read_is_not_asked_for_more(run: Run) -> None:
    """A handler's channel stops receiving while its own output is above the mark: memory stays bounded."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []

        def init(channel: Channel[Any, Any]) -> None:
            channels.append(channel)
            plain_echo(channel)

        async with await serve(init, "127.0.0.1", 0, options=ChannelOptions(sndbuf=20_000)) as server:
            with socket.create_connection(server.addresses[0]) as peer:
                peer.setblocking(False)
                sent = 0
                data = bytes(100_000)
                deadline = time.monotonic() + 10
                stuck = 0
                while stuck < 20 and time.monotonic() < deadline:
                    try:
                        sent += peer.send(data)
                        stuck = 0
                    except BlockingIOError:
                        stuck += 1
                        await asyncio.sleep(0.005)
                assert 20 == stuck, "the peer is held back, too"
                (channel,) = channels
                assert channel.pending_bytes < 2 << 20
                peer.setblocking(True)
                got = await asyncio.to_thread(_exactly, peer, sent)
                assert sent == got

    run(main())


def test_many_connections_on_one_loop_with_large_messages(run: Run) -> None:
    """256 connections, 64 KiB each way, closed and opened again: on uvloop too, where reused descriptors were lost."""
    question = random.Random(3).randbytes(64 << 10)

    async def main() -> None:
        async with await serve(framed_echo, "127.0.0.1", 0) as server:

            async def client() -> None:
                for _ in range(2):
                    async with await connect(*server.addresses[0], init=frames) as channel:
                        for _ in range(2):
                            await channel.send(question)
                            answer = await channel.receive()
                            assert question == bytes(answer)
                            answer.release()

            await asyncio.gather(*[client() for _ in range(256)])
            assert 512 == server.accepted

    run(main(), timeout=60.0)


def test_b162_a_waiting_writer_learns_of_the_reset(run: Run) -> None:
    """The peer resets while a writer waits above the mark: ChannelClosedError, caused by the system's error."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []
        async with await serve(channels.append, "127.0.0.1", 0) as server:
            with socket.create_connection(server.addresses[0]) as peer:
                while not channels:
                    await asyncio.sleep(0.001)
                with pytest.raises(ChannelClosedError) as caught:
                    for k in range(10_000):
                        await channels[0].write(bytes(100_000))
                        if k == 20:
                            asyncio.get_running_loop().call_later(0.05, _reset, peer)
                assert isinstance(caught.value.__cause__, ConnectionResetError | BrokenPipeError)

    run(main())


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
