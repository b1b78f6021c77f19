"""Chunked writes: sources are drawn from as the peer takes, in order, and closed once.

Owns    ChunkedWriteHandler.
Never   sockets, but for the one test over a real pair.
Always  the number of chunks made is compared, not only what came out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.loops import KINDS, is_there, new_loop
from zbuf import copied
from zbuf.errors import ChannelClosedError
from zbuf.handlers import ChunkedWriteHandler
from zbuf.testing import EmbeddedChannel
from zbuf.transport import Channel, ChannelOptions, connect, serve


class Source:
    """An iterator that counts what it made and how often it was closed."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.made = 0
        self.closed = 0
        self._count = count
        self._fail_at = fail_at

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.made == self._fail_at:
            raise ValueError("the source failed")
        if self.made == self._count:
            raise StopIteration
        self.made += 1
        return b"%d" % self.made

    def close(self) -> None:
        self.closed += 1


class Promise:
    """Counts its outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[object] = []

    def succeed(self) -> None:
        self.outcomes.append("done")

    def fail(self, exc: BaseException) -> None:
        self.outcomes.append(exc)


def written(channel: EmbeddedChannel) -> bytes:
    """Everything that came out."""
    out = b""
    while (msg := channel.read_outbound()) is not None:
        out += bytes(msg)
    return out


def test_b175_chunks_come_only_while_writable() -> None:
    """A channel above its mark gets no chunk; each time it can take more, the source goes on."""
    source, promise = Source(6), Promise()
    channel = EmbeddedChannel(ChunkedWriteHandler())
    channel.is_writable = False
    channel.write_one_outbound(source, promise)
    channel.write_one_outbound(b"behind")
    assert source.made == 0 and promise.outcomes == []
    channel.set_writable(True)
    channel.flush_outbound()
    assert written(channel) == b"123456behind"
    assert source.made == 6 and source.closed == 1 and promise.outcomes == ["done"]


def test_b175_backpressure_stops_in_the_midst() -> None:
    """A source that makes the channel unwritable waits for room; flushed once, its later chunks are flushed too."""
    handler = ChunkedWriteHandler()
    channel = EmbeddedChannel(handler)

    def chunks() -> Iterator[bytes]:
        for at in range(4):
            channel.is_writable = at % 2 == 1  # after every other chunk the queue is full
            yield b"%d" % at

    channel.write_outbound(chunks())
    assert handler.pending == 1
    assert written(channel) == b"0"
    channel.set_writable(True)
    assert written(channel) == b"12"
    channel.set_writable(True)
    assert written(channel) == b"3"
    assert handler.pending == 0


def test_b175_failing_source_fails_its_write_closes_and_is_closed_once() -> None:
    """The promise gets the source's exception; the channel is closed, because the stream is cut."""
    source, promise = Source(5, fail_at=2), Promise()
    channel = EmbeddedChannel(ChunkedWriteHandler())
    channel.write_one_outbound(source, promise)
    assert source.closed == 1 and isinstance(promise.outcomes[0], ValueError) and len(promise.outcomes) == 1
    assert not channel.is_open
    with pytest.raises(ValueError):
        channel.check_exception()


def test_b175_failing_source_may_leave_the_channel_open() -> None:
    """With close_on_error=False the next message goes out; without a promise the exception is raised inward."""
    channel = EmbeddedChannel(ChunkedWriteHandler(close_on_error=False))
    promise = Promise()
    channel.write_one_outbound(Source(5, fail_at=1), promise)
    channel.write_outbound(b"next")
    assert written(channel) == b"1next" and len(promise.outcomes) == 1


def test_b175_close_fails_and_closes_everything_once() -> None:
    """A close releases waiting messages, closes every source once, fails every promise once."""
    first, second = Source(9), Source(9)
    promises = [Promise(), Promise(), Promise()]
    channel = EmbeddedChannel(ChunkedWriteHandler())
    channel.is_writable = False
    buf = copied(b"waits").retain()
    channel.write_one_outbound(first, promises[0])
    channel.write_one_outbound(buf, promises[1])
    channel.write_one_outbound(second, promises[2])
    channel.close()
    assert (first.closed, second.closed) == (1, 1)
    assert [type(p.outcomes[0]) for p in promises] == [ChannelClosedError] * 3
    assert [len(p.outcomes) for p in promises] == [1, 1, 1]
    assert buf.release()


def test_b175_removed_handler_gives_up() -> None:
    """The handler's removal ends what waits in it."""
    source, promise = Source(9), Promise()
    channel = EmbeddedChannel(ChunkedWriteHandler())
    channel.is_writable = False
    channel.write_one_outbound(source, promise)
    channel.pipeline.remove("ChunkedWriteHandler#0")
    assert source.closed == 1 and isinstance(promise.outcomes[0], ChannelClosedError)
    channel.finish()


@pytest.mark.parametrize("kind", KINDS)
def test_b175_asynchronous_source_over_a_real_connection(kind: str) -> None:
    """An asynchronous generator of 8 MiB to a slow reader: all arrives in order, memory stays near the high mark."""
    if not is_there(kind):
        pytest.skip("uvloop is not installed")
    ends: list[str] = []
    most = 0
    servers: list[Channel[Any, Any]] = []

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal most
        try:
            for at in range(256):
                most = max(most, servers[0].pending_bytes)
                yield bytes([at]) * 32768
                await asyncio.sleep(0)
        finally:
            ends.append("closed")

    def init(channel: Channel[Any, Any]) -> None:
        servers.append(channel)
        channel.pipeline.add_last("chunks", ChunkedWriteHandler())

    async def main() -> None:
        server = await serve(init, "127.0.0.1", 0, options=ChannelOptions(sndbuf=65536))
        address = server.sockets[0].getsockname()
        client: Channel[Any, Any]
        async with await connect(address[0], address[1], init=lambda channel: None) as client:
            while not servers:
                await asyncio.sleep(0.01)
            servers[0].write(chunks())
            servers[0].write(b"end")
            got = bytearray()
            while not got.endswith(b"end"):
                got += bytes(await client.receive())
        expected = b"".join(bytes([at]) * 32768 for at in range(256)) + b"end"
        assert bytes(got) == expected
        server.close()
        await server.wait_closed()

    loop = new_loop(kind)
    try:
        loop.run_until_complete(asyncio.wait_for(main(), 30))
    finally:
        loop.close()
    assert ends == ["closed"]
    assert most <= 65536 + 2 * (32768 + 96)


def test_b175_asynchronous_source_is_closed_when_the_channel_closes() -> None:
    """A source that waits for something is closed when the channel is, once, and its write fails."""
    ends: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"1"
            await asyncio.sleep(60)
        finally:
            ends.append("closed")

    async def main() -> None:
        promise = Promise()
        channel = EmbeddedChannel(ChunkedWriteHandler())
        channel.write_one_outbound(chunks(), promise)
        for _ in range(5):
            await asyncio.sleep(0)
        channel.flush_outbound()
        assert written(channel) == b"1"
        channel.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert ends == ["closed"]
        assert isinstance(promise.outcomes[0], ChannelClosedError) and len(promise.outcomes) == 1

    asyncio.run(main())
