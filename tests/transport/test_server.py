"""serve() and connect(), over real sockets: accepting, failing to accept, and how the two meet.

Owns    the promises of Server, serve, serve_unix, connect and connect_unix.
Never   what channels do with bytes: see the other files.
Always  both kinds of loop."""

import asyncio
import errno
import logging
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.transport.kit import Echo, Recorder, turns
from zbuf.errors import ChannelClosedError, UsageError
from zbuf.transport import Channel, ChannelOptions, connect, connect_unix, serve, serve_unix
from zbuf.transport import _server as server_module

Run = Callable[..., Any]


def echo(channel: Channel[Any, Any]) -> None:
    """Fill a pipeline with an echo."""
    channel.pipeline.add_last(Echo())


def nothing(channel: Channel[Any, Any]) -> None:
    """Leave the pipeline empty: messages are kept for `async for`."""


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for something that happens soon."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def ask(channel: Channel[Any, Any], question: bytes) -> bytes:
    """Send and receive until as many bytes have come back."""
    await channel.send(question)
    answer = b""
    while len(answer) < len(question):
        msg = await channel.receive()
        answer += bytes(msg)
        msg.release()
    return answer


@pytest.mark.usefixtures("any_poller")
def test_a_served_echo_answers_and_everything_closes(run: Run) -> None:
    """TCP, a chosen port, a question and its answer; afterwards server and channel are closed."""

    async def main() -> None:
        async with await serve(echo, "127.0.0.1", 0) as server:
            host, port = server.addresses[0]
            assert ("127.0.0.1", True) == (host, port > 0)
            async with await connect(host, port, init=nothing) as channel:
                assert b"hello" == await ask(channel, b"hello")
                assert (host, port) == channel.remote_address
                assert channel.local_address == next(iter(server.channels)).remote_address
            assert not channel.is_open
        assert not server.is_serving and () == server.sockets and 1 == server.accepted
        with pytest.raises(ConnectionRefusedError):
            await connect(host, port, init=nothing)

    run(main())


@pytest.mark.usefixtures("any_poller")
def test_a_served_unix_echo_answers_and_its_name_goes(run: Run, tmp_path: Path) -> None:
    """UNIX sockets; a dead socket's name is replaced, a live one is in use, the name goes with the server."""
    path = tmp_path / "s"

    async def main() -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        async with await serve_unix(echo, path):
            async with await connect_unix(path, init=nothing) as channel:
                assert b"local" == await ask(channel, b"local")
            with pytest.raises(OSError, match="in use") as caught:
                await serve_unix(echo, path)
            assert errno.EADDRINUSE == caught.value.errno
        assert not path.exists()
        path.write_text("a file")
        with pytest.raises(OSError):
            await serve_unix(echo, path)
        assert "a file" == path.read_text()

    run(main())


def test_a_unix_listener_that_takes_its_time_is_waited_for(run: Run, tmp_path: Path) -> None:
    """A full backlog is no connection that fails later: connect_unix tries again until its time is up."""

    async def main() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s"))
            listener.listen(0)
            waiting = []
            options = ChannelOptions(connect_timeout=0.1)
            with pytest.raises(TimeoutError):
                for _ in range(10):
                    waiting.append(await connect_unix(tmp_path / "s", init=nothing, options=options))
            assert waiting
            for channel in waiting:
                channel.close()
                await channel.wait_closed()

    run(main())


def test_a_port_in_use_names_the_address(run: Run) -> None:
    """The error says where nobody can listen, and leaves no descriptor."""

    async def main() -> None:
        async with await serve(echo, "127.0.0.1", 0) as server:
            port = server.addresses[0][1]
            with pytest.raises(OSError, match=str(port)) as caught:
                await serve(echo, "127.0.0.1", port)
            assert errno.EADDRINUSE == caught.value.errno

    run(main())


def test_an_initializer_that_fails_costs_its_connection_only(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, that peer sees the end, the next one is served."""

    async def main() -> None:
        def init(channel: Channel[Any, Any]) -> None:
            if server.accepted == 1:
                raise ValueError("bad initializer")
            echo(channel)

        async with await serve(init, "127.0.0.1", 0) as server:
            port = server.addresses[0][1]
            async with await connect("127.0.0.1", port, init=nothing) as channel:
                assert [] == [msg async for msg in channel]
            async with await connect("127.0.0.1", port, init=nothing) as channel:
                assert b"next" == await ask(channel, b"next")

    with caplog.at_level(logging.ERROR, "zbuf"):
        run(main())
    assert 1 == len(caplog.records)
    caplog.clear()


def test_a_coroutine_talks_and_its_return_closes(run: Run) -> None:
    """Its first step fills the pipeline before any event; it reads and writes; returning drains and closes."""

    async def main() -> None:
        seen: list[Recorder] = []

        async def talk(channel: Channel[Any, Any]) -> None:
            seen.append(Recorder())
            channel.pipeline.add_last("recorder", seen[-1])
            channel.pipeline.remove("recorder")
            msg = await channel.receive()
            await channel.send(bytes(msg).upper())
            msg.release()

        async with (
            await serve(talk, "127.0.0.1", 0) as server,
            await connect(*server.addresses[0], init=nothing) as channel,
        ):
            assert b"QUESTION" == await ask(channel, b"question")
            assert [] == [msg async for msg in channel]
        assert ["removed"] == seen[0].events

    run(main())


def test_a_coroutine_that_fails_is_logged_once_and_its_channel_closed(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for its own failure; none where it only met a closed channel."""

    async def main() -> None:
        async def talk(channel: Channel[Any, Any]) -> None:
            if server.accepted == 1:
                raise ValueError("bad coroutine")
            while True:
                (await channel.receive()).release()

        async with await serve(talk, "127.0.0.1", 0) as server:
            for _ in range(2):
                async with await connect(*server.addresses[0], init=nothing) as channel:
                    channel.write(b"x")
            await until(lambda: not server.channels)

    with caplog.at_level(logging.WARNING, "zbuf"):
        run(main())
    assert ["bad coroutine" in record.message for record in caplog.records] == [True]
    caplog.clear()


def test_abort_closes_channels_and_cancelled_serve_forever_does_too(run: Run) -> None:
    """Nothing is left of a server that was cancelled while it served."""

    async def main() -> None:
        server = await serve(echo, "127.0.0.1", 0)
        forever = asyncio.create_task(server.serve_forever())
        channel = await connect(*server.addresses[0], init=nothing)
        await ask(channel, b"x")
        forever.cancel()
        await asyncio.wait([forever])
        assert forever.cancelled()
        assert not server.channels
        assert [] == [msg async for msg in channel]
        await channel.wait_closed()

    run(main())


def test_above_the_cap_connections_wait_until_others_close(run: Run) -> None:
    """With max_connections reached the listener rests; it accepts again when a channel has gone."""

    async def main() -> None:
        async with await serve(echo, "127.0.0.1", 0, max_connections=2) as server:
            address = server.addresses[0]
            channels = [await connect(*address, init=nothing) for _ in range(3)]
            await until(lambda: server.accepted == 2)
            await asyncio.sleep(0.02)
            assert 2 == server.accepted == len(server.channels)
            await channels[0].close_gracefully()
            assert b"third" == await ask(channels[2], b"third")
            for channel in channels[1:]:
                await channel.close_gracefully()

    run(main())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
def test_out_of_descriptors_pauses_accepting_and_says_so(
    run: Run, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No spin: one failed accept, one line, a pause, then the waiting connection is served."""
    monkeypatch.setattr(server_module, "PAUSE_SECONDS", 0.05)
    tries: list[int] = []

    class Listener(socket.socket):
        def accept(self) -> Any:
            tries.append(1)
            if len(tries) == 1:
                raise OSError(number, os.strerror(number))
            return super().accept()

    async def main() -> None:
        sock = Listener()
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        server = server_module.Server(asyncio.get_running_loop(), [sock], echo, ChannelOptions(), 100)
        async with server:
            channel = await connect(*server.addresses[0], init=nothing)
            await asyncio.sleep(0.02)
            assert 1 == len(tries)
            assert [0] == [watched.interest for watched, _ in server._listeners], "nothing calls back meanwhile"
            assert b"patience" == await ask(channel, b"patience")
            await channel.close_gracefully()

    with caplog.at_level(logging.WARNING, "zbuf"):
        run(main())
    assert 1 == len(caplog.records)
    assert "paused" in caplog.records[0].message


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EPROTO])
def test_a_peer_that_went_before_the_accept_is_no_news(run: Run, number: int, caplog: pytest.LogCaptureFixture) -> None:
    """The listener lives and takes the next one in the same wake-up."""
    tries: list[int] = []

    class Listener(socket.socket):
        def accept(self) -> Any:
            tries.append(1)
            if len(tries) == 1:
                raise OSError(number, os.strerror(number))
            return super().accept()

    async def main() -> None:
        sock = Listener()
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        async with (
            server_module.Server(asyncio.get_running_loop(), [sock], echo, ChannelOptions(), 100) as server,
            await connect(*server.addresses[0], init=nothing) as channel,
        ):
            assert b"served" == await ask(channel, b"served")

    with caplog.at_level(logging.INFO, "zbuf"):
        run(main())
    assert [] == caplog.records


def test_a_peer_that_resets_before_the_first_read_leaves_nothing(run: Run) -> None:
    """SO_LINGER 0 right after connect: the server's channel closes with the reset, the server goes on."""

    async def main() -> None:
        seen = Recorder()
        async with await serve(lambda channel: channel.pipeline.add_last(seen), "127.0.0.1", 0) as server:
            with socket.create_connection(server.addresses[0]) as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await until(lambda: "removed" in seen.events)
            assert [ConnectionResetError] == [type(exc) for exc in seen.failures]
            assert not server.channels

    run(main())


# connect()


def test_a_refused_connection_raises_and_notes_the_other_addresses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the first address, the others in its notes; every socket closed (the leak fixture counts)."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        loop = asyncio.get_running_loop()
        info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))

        async def getaddrinfo(*args: object, **kwargs: object) -> list[Any]:
            return [info, info]

        monkeypatch.setattr(type(loop), "getaddrinfo", getaddrinfo, raising=False)
        with pytest.raises(ConnectionRefusedError) as caught:
            await connect("many.example", port, init=nothing)
        assert 1 == len(caught.value.__notes__)

    run(main())


def test_the_first_address_that_answers_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of one address is forgotten when the next one answers."""

    async def main() -> None:
        async with await serve(echo, "127.0.0.1", 0) as server:
            with socket.create_server(("127.0.0.1", 0)) as closed:
                dead = closed.getsockname()
            family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")

            async def getaddrinfo(*args: object, **kwargs: object) -> list[Any]:
                return [(*family, dead), (*family, server_address)]

            server_address = server.addresses[0]
            monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", getaddrinfo, raising=False)
            async with await connect("many.example", 1, init=nothing) as channel:
                assert b"second" == await ask(channel, b"second")
            monkeypatch.undo()

    run(main())


def stuck_address() -> tuple[socket.socket, list[socket.socket], tuple[str, int]]:
    """A listener whose backlog is full: the next connection attempt stays without an answer."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers, listener.getsockname()


def test_a_connection_without_an_answer_times_out(run: Run) -> None:
    """TimeoutError after connect_timeout, the socket closed."""

    async def main() -> None:
        listener, fillers, address = stuck_address()
        with pytest.raises(TimeoutError, match=r"within 0\.05 seconds"):
            await connect(*address, init=nothing, options=ChannelOptions(connect_timeout=0.05))
        for sock in (listener, *fillers):
            sock.close()

    run(main())


def test_a_cancelled_connection_closes_its_socket(run: Run) -> None:
    """Cancelled while it waits: the descriptor is closed once, also on uvloop."""

    async def main() -> None:
        listener, fillers, address = stuck_address()
        task = asyncio.create_task(connect(*address, init=nothing))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        for sock in (listener, *fillers):
            sock.close()
        await turns()

    run(main())


def test_an_initializer_of_connect_that_fails_closes_the_socket(run: Run) -> None:
    """Its exception comes out of connect(); nothing is left open."""

    async def main() -> None:
        def init(channel: Channel[Any, Any]) -> None:
            raise ValueError("bad initializer")

        async with await serve(echo, "127.0.0.1", 0) as server:
            with pytest.raises(ValueError, match="bad initializer"):
                await connect(*server.addresses[0], init=init)
            await until(lambda: server.accepted and not server.channels)

    run(main())


def test_a_coroutine_as_initializer_of_connect_is_refused(run: Run) -> None:
    """What would be awaited there is awaited after connect()."""

    async def main() -> None:
        async def init(channel: Channel[Any, Any]) -> None:
            raise AssertionError("never called")

        with pytest.raises(UsageError):
            await connect("127.0.0.1", 1, init=init)

    run(main())


def test_a_channel_of_handlers_keeps_no_messages(run: Run) -> None:
    """receive() on a server's channel whose init is a plain function is a mistake, and says so."""

    async def main() -> None:
        async with (
            await serve(nothing, "127.0.0.1", 0) as server,
            await connect(*server.addresses[0], init=nothing) as client,
        ):
            await until(lambda: server.channels)
            (channel,) = server.channels
            with pytest.raises(UsageError):
                await channel.receive()
            client.write(b"unread")
            await until(lambda: channel.unread_messages == 1)

    run(main())


def test_receive_raises_at_the_end_of_input(run: Run) -> None:
    """There is no next message: ChannelClosedError, without a cause when the end was clean."""

    async def main() -> None:
        async def talk(channel: Channel[Any, Any]) -> None:
            return None

        async with (
            await serve(talk, "127.0.0.1", 0) as server,
            await connect(*server.addresses[0], init=nothing) as channel,
        ):
            with pytest.raises(ChannelClosedError) as caught:
                await channel.receive()
            assert caught.value.__cause__ is None

    run(main())
