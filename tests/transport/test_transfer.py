"""Transfers that never enter the process: into files, between channels, with a tap; and everything that ends them.

Owns    receive_into and splice_to, over real sockets, on both loops, with splice and where it is refused.
Never   a claim about time.
Always  contents are compared whole; the suite counts descriptors, so a pipe that stays open fails the test."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests import loops
from zbuf import ByteBuf, Channel, ChannelOptions, connect, serve
from zbuf.audit import CopyReason
from zbuf.errors import ChannelClosedError, UsageError

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="splice is a call of Linux"),
    pytest.mark.parametrize("kind", loops.KINDS),
]
SIZE = 3_000_001
DATA = os.urandom(SIZE)
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(kind: str, main: Callable[[], Awaitable[None]]) -> None:
    """Run on a loop of this kind."""
    if not loops.is_there(kind):
        pytest.skip("uvloop is not installed")
    loops.run(main(), kind, timeout=30.0)  # type: ignore[arg-type]  # a coroutine function


async def connected(peer: Peer, **options: Any) -> tuple[Channel[Any, Any], asyncio.Server]:
    """A channel, and the server that runs `peer` at the other end."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel: Channel[Any, Any] = await connect(
        "127.0.0.1", port, init=lambda _: None, options=ChannelOptions(**options)
    )
    return channel, server


def says(*pieces: bytes) -> Peer:
    """A peer that sends these pieces when it has got a byte, and closes."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return peer


def refuse_splice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel, or a seccomp filter, that does not do it."""

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "splice", refuse)


@pytest.mark.parametrize("splices", [True, False])
def test_receive_into_a_file_by_count_then_messages_again(
    kind: str, splices: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly the count is in the file; what follows comes as messages; the bill says how it went."""
    if not splices:
        refuse_splice(monkeypatch)

    async def main() -> None:
        channel, server = await connected(says(DATA, b"and this"))
        with (tmp_path / "file").open("w+b") as file:
            transfer = asyncio.ensure_future(channel.receive_into(file, SIZE, offset=7))
            await asyncio.sleep(0)
            before = channel.bill
            await channel.send(b"!")
            assert await transfer == SIZE
            bill = channel.bill - before
            rest = b""
            while len(rest) < 8:
                rest += bytes(await channel.receive())
            assert rest == b"and this"
            assert (tmp_path / "file").read_bytes() == bytes(7) + DATA
            assert file.tell() == 0
        if splices:
            assert bill.kernel["splice"].nbytes == SIZE and not bill.user
        else:
            assert bill.user[CopyReason.FALLBACK_READ].nbytes == SIZE
        assert bill.wire_in >= SIZE
        channel.close()
        server.close()

    run(kind, main)


@pytest.mark.parametrize("splices", [True, False])
@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_receive_into_until_the_end_of_input(
    kind: str, splices: bool, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a count all that comes; at the file's position, or at the end of a file that appends."""
    if not splices:
        refuse_splice(monkeypatch)

    async def main() -> None:
        path = tmp_path / "log"
        path.write_bytes(b"before")
        channel, server = await connected(says(DATA))
        with path.open(mode, buffering=0) as file:
            await channel.send(b"!")
            assert await channel.receive_into(file) == SIZE
        assert path.read_bytes() == (b"before" if mode == "ab" else b"") + DATA
        with pytest.raises(ChannelClosedError):
            await channel.receive()
        channel.close()
        server.close()

    run(kind, main)


def test_receive_into_less_than_asked_for_and_with_reads_on_request(kind: str, tmp_path: Path) -> None:
    """A count beyond the end gives what came; automatic reads stay off where they were off."""

    async def main() -> None:
        channel, server = await connected(says(b"x" * 100, b"y"), auto_read=False)
        await channel.send(b"!")
        with (tmp_path / "file").open("wb") as file:
            assert await channel.receive_into(file, 0) == 0
            assert await channel.receive_into(file, 40) == 40
            assert not channel.auto_read
            await asyncio.sleep(0.05)
            assert await channel.receive_into(file, 1000, offset=40) == 61
        assert (tmp_path / "file").read_bytes() == b"x" * 100 + b"y"
        channel.close()
        server.close()

    run(kind, main)


def test_receive_into_cancelled_keeps_what_came_and_the_channel(kind: str, tmp_path: Path) -> None:
    """After a cancel the channel goes on with messages, at the next byte."""

    async def main() -> None:
        async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"first")
            await reader.readexactly(1)
            writer.write(b"second")
            await reader.read()

        channel, server = await connected(peer)
        with (tmp_path / "file").open("wb") as file:
            transfer = asyncio.ensure_future(channel.receive_into(file, 1000))
            while not (tmp_path / "file").stat().st_size:
                await asyncio.sleep(0.005)
            with pytest.raises(UsageError):
                await channel.receive_into(file, 1)
            transfer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await transfer
        await channel.send(b"!")
        assert bytes(await channel.receive()) == b"second"
        assert (tmp_path / "file").read_bytes() == b"first"
        channel.close()
        server.close()

    run(kind, main)


@pytest.mark.parametrize("splices", [True, False])
@pytest.mark.parametrize("how", ["full device", "quota", "closed"])
def test_receive_into_a_file_that_takes_no_more_fails_the_channel(
    kind: str, splices: bool, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC, EFBIG or EBADF comes out of the call; bytes are lost, so the channel is closed; nothing else is left."""
    if not splices:
        refuse_splice(monkeypatch)

    async def main() -> None:
        channel, server = await connected(says(DATA))
        await channel.send(b"!")
        path = Path("/dev/full") if how == "full device" else tmp_path / "file"
        file = path.open("wb", buffering=0)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            if how == "quota":
                resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
            with pytest.raises(OSError) as caught:
                await channel.receive_into(999_999 if how == "closed" else file, SIZE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            file.close()
        expected = {"full device": errno.ENOSPC, "quota": errno.EFBIG, "closed": errno.EBADF}[how]
        assert caught.value.errno == expected
        await channel.wait_closed()
        assert isinstance(channel.failure, OSError)
        server.close()

    run(kind, main)


def test_receive_into_a_peer_that_resets_raises_and_keeps_the_file(kind: str, tmp_path: Path) -> None:
    """ChannelClosedError with the reset as its cause; what came before is in the file."""

    async def main() -> None:
        async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"some")
            await reader.readexactly(1)
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            writer.transport.abort()

        channel, server = await connected(peer)
        with (tmp_path / "file").open("wb") as file:
            transfer = asyncio.ensure_future(channel.receive_into(file, 1000))
            while not (tmp_path / "file").stat().st_size:
                await asyncio.sleep(0.005)
            await channel.send(b"!")
            with pytest.raises(ChannelClosedError) as caught:
                await transfer
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        assert (tmp_path / "file").read_bytes() == b"some"
        server.close()

    run(kind, main)


def test_transfer_begins_with_buffers_that_were_received_before(kind: str, tmp_path: Path) -> None:
    """What waits in the inbox comes first, split at the count; a message that is no buffer cannot be turned back."""

    async def main() -> None:
        (source, near), (other, far), socks = await pair()
        near.send(b"0123456789")
        while not source._inbox.count:
            await asyncio.sleep(0.005)
        with (tmp_path / "file").open("w+b") as file:
            assert await source.receive_into(file, 4) == 4
            near.send(b"abc")
            assert await source.receive_into(file, 7, offset=4) == 7
            assert (tmp_path / "file").read_bytes() == b"0123456789a"
        near.send(b"defgh")
        assert await source.splice_to(other, 5) == 5
        assert await exactly(far, 5) == b"bcdef"
        while not source._inbox.count:
            await asyncio.sleep(0.005)
        assert bytes(await source.receive()) == b"gh"
        source.pipeline.fire_channel_read("text")
        with pytest.raises(UsageError):
            await source.receive_into(1, 5)
        assert await source.receive() == "text"
        for closing in (source, other, *socks):
            closing.close()

    run(kind, main)


def test_transfer_of_an_input_that_has_ended_before_gives_what_waits(kind: str, tmp_path: Path) -> None:
    """All bytes and the end were there already: they are moved, and nothing is waited for."""

    async def main() -> None:
        (source, near), (other, far), socks = await pair(allow_half_closure=True)
        near.send(b"all there is")
        near.shutdown(socket.SHUT_WR)
        while not source._held & 16:
            await asyncio.sleep(0.005)
        with (tmp_path / "file").open("w+b") as file:
            assert await source.receive_into(file, 3) == 3
        assert await source.splice_to(other) == 9
        assert await source.splice_to(other) == 0
        assert await exactly(far, 9) == b" there is"
        for closing in (source, other, *socks):
            closing.close()

    run(kind, main)


def test_receive_into_bad_arguments(kind: str, tmp_path: Path) -> None:
    """Negative numbers, a closed channel."""

    async def main() -> None:
        channel, server = await connected(says())
        for arguments in ({"count": -1}, {"offset": -1}):
            with pytest.raises(ValueError):
                await channel.receive_into(1, **arguments)
        with pytest.raises(ValueError):
            await channel.splice_to(channel, -1)
        with pytest.raises(UsageError):
            await channel.splice_to(channel)
        channel.close()
        await channel.wait_closed()
        with pytest.raises(ChannelClosedError):
            await channel.receive_into(1, 1)
        server.close()

    run(kind, main)


# Relays.


async def proxied(upstream: Peer, taps: tuple[Any, Any] = (None, None), **options: Any) -> tuple[int, list[Any]]:
    """A proxy in front of `upstream` by two relays; its port, and what has to be closed at the end."""
    up = await asyncio.start_server(upstream, "127.0.0.1", 0)
    up_port = up.sockets[0].getsockname()[1]

    async def forward(source: Channel[Any, Any], target: Channel[Any, Any], tap: Any) -> None:
        await source.splice_to(target, tap=tap)
        await target.shutdown_output()

    async def talk(client: Channel[Any, Any]) -> None:
        channel: Channel[Any, Any] = await connect(
            "127.0.0.1", up_port, init=lambda _: None, options=ChannelOptions(allow_half_closure=True, **options)
        )
        ways = [forward(client, channel, taps[0]), forward(channel, client, taps[1])]
        await asyncio.gather(*ways, return_exceptions=True)
        channel.close()

    server = await serve(talk, "127.0.0.1", 0, options=ChannelOptions(allow_half_closure=True, **options))
    return server.addresses[0][1], [server, up]


async def shut(closing: list[Any]) -> None:
    """Close the servers."""
    for server in closing:
        server.close()
    await closing[0].wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until it ends."""
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.mark.parametrize("splices", [True, False])
def test_relay_both_ways_with_a_slow_reader_loses_no_byte(
    kind: str, splices: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three million bytes to an echo and back through small socket buffers: the exact stream, then the end."""
    if not splices:
        refuse_splice(monkeypatch)

    async def main() -> None:
        port, closing = await proxied(echo, sndbuf=8192, rcvbuf=8192)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)

        async def send() -> None:
            for at in range(0, SIZE, 50_000):
                writer.write(DATA[at : at + 50_000])
                await writer.drain()
            writer.write_eof()

        async def receive() -> bytes:
            got = bytearray()
            while piece := await reader.read(30_000):
                got += piece
                if len(got) < 200_000:
                    await asyncio.sleep(0.002)
            return bytes(got)

        _, got = await asyncio.gather(send(), receive())
        assert got == DATA
        writer.close()
        await shut(closing)

    run(kind, main)


@pytest.mark.parametrize("splices", [True, False])
def test_relay_with_a_tap_gives_the_file_every_byte(
    kind: str, splices: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One direction is tapped: the peer gets the bytes, and so does the file."""
    if not splices:
        refuse_splice(monkeypatch)

    async def main() -> None:
        with (tmp_path / "tap").open("wb", buffering=0) as tap:
            port, closing = await proxied(echo, (tap, None))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            sending = asyncio.ensure_future(_send(writer, DATA))
            assert await reader.read(-1) == DATA
            await sending
            writer.close()
            await shut(closing)
        assert (tmp_path / "tap").read_bytes() == DATA

    run(kind, main)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    writer.write_eof()


async def pair(**options: Any) -> tuple[Any, Any, list[Any]]:
    """Two channels, each with a plain socket at its other end."""
    ends = []
    for _ in range(2):
        listener = socket.create_server(("127.0.0.1", 0))
        channel: Channel[Any, Any] = await connect(
            "127.0.0.1", listener.getsockname()[1], init=lambda _: None, options=ChannelOptions(**options)
        )
        far, _ = listener.accept()
        listener.close()
        far.setblocking(False)
        ends.append((channel, far))
    return ends[0], ends[1], [end[1] for end in ends]


async def exactly(sock: socket.socket, n: int) -> bytes:
    """So many bytes from a plain socket."""
    got = b""
    while len(got) < n:
        try:
            piece = sock.recv(n - len(got))
        except BlockingIOError:
            await asyncio.sleep(0.005)
            continue
        assert piece
        got += piece
    return got


def test_relay_by_length_goes_on_with_messages(kind: str) -> None:
    """What was queued for the other channel leaves first; after the length both channels are as before."""

    async def main() -> None:
        (source, near), (other, far), socks = await pair()
        near.send(b"0123456789rest")
        other.write(b"queued ")
        assert await source.splice_to(other, 10) == 10
        assert await exactly(far, 17) == b"queued 0123456789"
        assert bytes(await source.receive()) == b"rest"
        other.write(b"after")
        assert await exactly(far, 5) == b"after"
        assert other.bill.kernel["splice"].nbytes == 10 and source.bill.wire_in == 14 and other.bill.wire_out == 22
        for closing in (source, other, *socks):
            closing.close()

    run(kind, main)


def fill(sock: socket.socket, data: bytes) -> int:
    """Send as much as the kernel takes."""
    done = 0
    try:
        while done < len(data):
            done += sock.send(data[done:])
    except BlockingIOError:
        pass
    return done


@pytest.mark.parametrize("who", ["source", "other"])
def test_relay_ends_with_either_channel(kind: str, who: str) -> None:
    """The other end of either side resets while bytes wait: ChannelClosedError, both channels closed, no pipe left."""

    async def main() -> None:
        (source, near), (other, far), socks = await pair(sndbuf=8192, rcvbuf=8192)
        relay = asyncio.ensure_future(source.splice_to(other))
        for _ in range(50):
            fill(near, DATA)
            await asyncio.sleep(0.002)
        victim = near if who == "source" else far
        victim.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        victim.close()
        with pytest.raises(ChannelClosedError):
            await relay
        await source.wait_closed()
        if who == "other":
            await other.wait_closed()
        for closing in (other, *socks):
            closing.close()

    run(kind, main)


def test_relay_cancelled_with_bytes_in_the_pipe_closes_both(kind: str) -> None:
    """A piece that was taken and cannot be delivered breaks both streams; without one they go on."""

    async def main() -> None:
        (source, near), (other, far), socks = await pair(sndbuf=8192, rcvbuf=8192)
        relay = asyncio.ensure_future(source.splice_to(other))
        near.send(b"through")
        assert await exactly(far, 7) == b"through"
        relay.cancel()
        with pytest.raises(asyncio.CancelledError):
            await relay
        assert source.is_active and other.is_active
        relay = asyncio.ensure_future(source.splice_to(other))
        for _ in range(50):
            fill(near, DATA)
            await asyncio.sleep(0.002)
        relay.cancel()
        with pytest.raises(asyncio.CancelledError):
            await relay
        await asyncio.sleep(0.01)
        assert not source.is_open and not other.is_open
        for sock in socks:
            sock.close()

    run(kind, main)


def test_relay_two_to_one_is_refused(kind: str) -> None:
    """One relay to a channel at a time."""

    async def main() -> None:
        (source, _), (other, _), socks = await pair()
        (third, _), (fourth, _), more = await pair()
        relay = asyncio.ensure_future(source.splice_to(other))
        await asyncio.sleep(0.01)
        with pytest.raises(UsageError):
            await third.splice_to(other)
        with pytest.raises(UsageError):
            await source.splice_to(third)
        relay.cancel()
        await asyncio.sleep(0.01)
        for closing in (source, other, third, fourth, *socks, *more):
            closing.close()

    run(kind, main)


def test_relay_tap_that_is_full_fails_the_source(kind: str) -> None:
    """The tap's error comes out; the other channel is not blamed."""

    async def main() -> None:
        (source, near), (other, _), socks = await pair()
        near.send(b"x" * 1000)
        with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
            await source.splice_to(other, tap=full)
        await source.wait_closed()
        assert other.is_active
        for closing in (other, *socks):
            closing.close()

    run(kind, main)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_receive_into_a_large_download_does_not_grow_the_process(kind: str, tmp_path: Path) -> None:
    """256 MiB (3 GiB where ZBUF_NIGHTLY is set): less than 8 MiB more in memory."""
    size = (3 << 30) if os.environ.get("ZBUF_NIGHTLY") else (256 << 20)

    async def main() -> None:
        with (tmp_path / "source").open("w+b") as source, (tmp_path / "target").open("w+b") as target:
            source.truncate(size)
            os.pwrite(source.fileno(), b"end", size - 3)

            async def talk(channel: Channel[Any, Any]) -> None:
                from zbuf import FileRegion

                await channel.send(FileRegion(source.fileno(), 0, size))
                await channel.flushed()

            server = await serve(talk, "127.0.0.1", 0)
            channel: Channel[ByteBuf, Any] = await connect(
                "127.0.0.1", server.addresses[0][1], init=lambda _: None, options=ChannelOptions(auto_read=False)
            )
            before = resident()
            assert await channel.receive_into(target, size) == size
            grown = resident() - before
            assert grown < 8 << 20, f"{grown} bytes more"
            assert os.pread(target.fileno(), 3, size - 3) == b"end" and os.fstat(target.fileno()).st_size == size
            channel.close()
            server.close()
            await server.wait_closed()

    run(kind, main)
