"""Bad peers and bad moments, over real sockets: killed, stopped, reset, forked.

Owns    what a channel does when the other process, or its own, misbehaves.
Never   integrity of streams: see test_transport_streams.py.
Always  peers that die are child processes; every descriptor is back afterwards (the leak fixture counts)."""

import asyncio
import gc
import os
import signal
import socket
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import loops
from zbuf.errors import ChannelClosedError, UsageError
from zbuf.region import FileRegion
from zbuf.transport import Channel, ChannelOptions, connect, serve, serve_unix

Run = Callable[..., Any]

PEER = """
import socket, sys, time
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(len(peer.recv(100_000)), flush=True)
time.sleep(60)
"""


def unread(channel: Channel[Any, Any]) -> None:
    """No handler: messages are kept for `async for`, or released."""


def start_peer(port: int) -> "subprocess.Popen[str]":
    """A peer process that receives once and then does nothing."""
    return subprocess.Popen([sys.executable, "-I", "-c", PEER, str(port)], stdout=subprocess.PIPE, text=True)


def end_peer(peer: "subprocess.Popen[str]") -> None:
    """End it, whatever it is doing."""
    peer.kill()
    peer.wait()
    assert peer.stdout is not None
    peer.stdout.close()


@pytest.mark.parametrize("kind", ["buffers", "region"])
def test_b167_a_killed_peer_fails_what_is_queued(run: Run, kind: str, tmp_path: Path) -> None:
    """SIGKILL in the middle: ChannelClosedError caused by the system's error, regions closed, the server goes on."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 << 20)

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []
        options = ChannelOptions(write_limit_bytes=100 << 20)
        async with await serve(channels.append, "127.0.0.1", 0, options=options) as server:
            peer = start_peer(server.addresses[0][1])
            try:
                while not channels:
                    await asyncio.sleep(0.005)
                (channel,) = channels
                channel.write(bytes(64 << 20) if kind == "buffers" else FileRegion(path))
                flushed = asyncio.create_task(channel.flushed())
                assert peer.stdout is not None
                await asyncio.to_thread(peer.stdout.readline)
                assert not flushed.done()
                peer.send_signal(signal.SIGKILL)
                with pytest.raises(ChannelClosedError) as caught:
                    await flushed
                assert isinstance(caught.value.__cause__, ConnectionResetError | BrokenPipeError)
                await channel.wait_closed()
            finally:
                await asyncio.to_thread(end_peer, peer)
            assert server.is_serving and not server.channels

    run(main())


def test_a_stopped_peer_suspends_writers_and_a_graceful_close_gives_up(run: Run) -> None:
    """SIGSTOP: the channel becomes unwritable, writers wait, close_gracefully ends at its timer."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []
        options = ChannelOptions(close_timeout=0.1)
        async with await serve(channels.append, "127.0.0.1", 0, options=options) as server:
            peer = start_peer(server.addresses[0][1])
            try:
                while not channels:
                    await asyncio.sleep(0.005)
                (channel,) = channels
                channel.write(b"x")
                assert peer.stdout is not None
                await asyncio.to_thread(peer.stdout.readline)
                peer.send_signal(signal.SIGSTOP)

                async def produce() -> None:
                    while True:
                        await channel.write(bytes(100_000))

                producing = asyncio.create_task(produce())
                while channel.is_writable:
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.02)
                assert not producing.done()
                assert channel.pending_bytes < 1 << 20
                await channel.close_gracefully()
                with pytest.raises(ChannelClosedError) as caught:
                    await producing
                assert isinstance(caught.value.__cause__, TimeoutError)
            finally:
                await asyncio.to_thread(end_peer, peer)

    run(main())


def test_a_reset_on_a_half_closed_socket_closes_without_a_busy_loop(run: Run) -> None:
    """The peer ends its side, then resets: noticed although nothing is read or written."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []
        options = ChannelOptions(allow_half_closure=True)
        async with await serve(channels.append, "127.0.0.1", 0, options=options) as server:
            peer = socket.create_connection(server.addresses[0])
            peer.shutdown(socket.SHUT_WR)
            while not channels:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
            (channel,) = channels
            assert channel.is_active
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            await channel.wait_closed()

    run(main())


def test_a_held_channel_whose_peer_went_does_not_spin(run: Run, tmp_path: Path) -> None:
    """Reading held, the UNIX peer gone: no CPU is burnt, and what it sent is read afterwards."""

    async def main() -> None:
        channels: list[Channel[Any, Any]] = []

        async def talk(channel: Channel[Any, Any]) -> None:
            channels.append(channel)
            await asyncio.sleep(0.1)
            channel.auto_read = True
            words.extend([bytes(msg) async for msg in channel])

        words: list[bytes] = []
        options = ChannelOptions(auto_read=False)
        async with await serve_unix(talk, tmp_path / "s", options=options) as server:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(tmp_path / "s"))
                peer.send(b"last words")
            await asyncio.sleep(0.03)
            spent = -sum(os.times()[:2])
            await asyncio.sleep(0.04)
            spent += sum(os.times()[:2])
            assert spent < 0.03
            while server.channels:
                await asyncio.sleep(0.005)
        assert b"last words" == b"".join(words)

    run(main())


def test_descriptors_a_peer_passes_are_not_received(run: Run, tmp_path: Path) -> None:
    """SCM_RIGHTS over a UNIX socket: the bytes come, no descriptor appears in this process."""

    async def main() -> None:
        async def talk(channel: Channel[Any, Any]) -> None:
            msg = await channel.receive()
            words.append(bytes(msg))
            msg.release()
            counts.append(len(os.listdir("/proc/self/fd")))

        words: list[bytes] = []
        counts: list[int] = []
        async with await serve_unix(talk, tmp_path / "s"):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(tmp_path / "s"))
                before = len(os.listdir("/proc/self/fd"))
                socket.send_fds(peer, [b"with descriptors"], [0, 1, 2])
                while not counts:
                    await asyncio.sleep(0.005)
        assert [b"with descriptors"] == words
        assert counts[0] <= before + 1, "the accepted socket, and nothing else"

    run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_cannot_use_the_channel_and_the_parent_goes_on(run: Run) -> None:
    """In the child every call is a UsageError; the parent's channel still receives after the child has exited."""

    async def main() -> None:
        async with (
            await serve(unread, "127.0.0.1", 0) as server,
            await connect(*server.addresses[0], init=unread) as channel,
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # a child of a process with threads
                child = os.fork()
            if child == 0:
                status = 0
                for call in (channel.close, channel.flush, lambda: channel.write(b"x"), channel.read):
                    try:
                        call()
                    except UsageError:
                        continue
                    except BaseException:  # the status says it
                        pass
                    status += 1
                os._exit(status)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert 0 == os.waitstatus_to_exitcode(status)
            (served,) = server.channels
            served.write(b"still here")
            msg = await channel.receive()
            assert b"still here" == bytes(msg)
            msg.release()

    run(main())


def test_a_gone_peer_under_sigpipe_default_does_not_kill(tmp_path: Path) -> None:
    """A channel sends buffers and a file to a peer that is gone, SIGPIPE at its default: exit status 0."""
    path = tmp_path / "f"
    path.write_bytes(bytes(1 << 20))
    program = f"""
import asyncio, signal, socket
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from zbuf.region import FileRegion
from zbuf.transport import serve
async def main():
    channels = []
    async with await serve(channels.append, "127.0.0.1", 0) as server:
        for what in (b"bytes", FileRegion({str(path)!r})):
            peer = socket.create_connection(server.addresses[0])
            while not server.channels:
                await asyncio.sleep(0.001)
            (channel,) = server.channels
            channel.auto_read = False
            peer.close()
            channel.write(b"first: answered with a reset")
            channel.flush()
            channel.write(what)
            channel.flush()
            channel.write(b"x")
            await channel.close_gracefully()
    print("alive")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (0, "alive") == (done.returncode, done.stdout.strip()), done.stderr


def test_a_loop_closed_with_live_channels_leaves_nothing() -> None:
    """asyncio.run ends while channels are open: they say so when collected, and their descriptors are closed."""

    async def main() -> None:
        server = await serve(unread, "127.0.0.1", 0)
        kept.append(await connect(*server.addresses[0], init=unread))
        server.close()

    kept: list[Any] = []
    loops.run(main(), "stock")
    kept.clear()
    with pytest.warns(ResourceWarning, match="unclosed"):
        gc.collect()
