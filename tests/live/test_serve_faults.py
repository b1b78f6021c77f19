"""Bad neighbours and a changing file system: the answer is right or the connection closes, and nothing is left."""

import asyncio
import errno
import os
import resource
import select
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import open_descriptors
from tests.live._serving import MIB, SECONDS, Site, ask, get, needs_curl, serving, split
from zbuf.errors import FileTruncatedError
from zbuf.protocols.http import HttpRequest, HttpResponse, HttpServerHandler, HttpTimers
from zbuf.region import FileRegion
from zbuf.transport import ChannelOptions, serve

Run = Callable[..., Any]


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A directory with one file that does not fit into any socket buffer."""
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(64 * MIB)
    (tmp_path / "small").write_bytes(b"small")
    return tmp_path


async def is_alive(site: Site) -> None:
    """The server goes on."""
    status, _, body = split(await ask(site.port, get("/small")))
    assert (status, body) == (200, b"small")


async def half_way(site: Site, target: str = "/big.bin") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that has got the beginning of the file, and reads no further."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
    writer.write(get(target))
    assert await reader.readexactly(10) == b"HTTP/1.1 2"
    await site.until(site.open_files)
    return reader, writer


@needs_curl
def test_curl_killed_half_way_releases_the_file_and_the_server_goes_on(run: Run, big: Path) -> None:
    """SIGKILL in the middle of a download: the region is released, blocks and descriptors are back."""

    async def main() -> None:
        async with serving(big) as site:
            await is_alive(site)  # whatever a loop opens once is open now
            await site.is_quiet()
            before = len(open_descriptors())
            url = f"http://127.0.0.1:{site.port}/big.bin"
            with subprocess.Popen(["curl", "-sS", "--limit-rate", "1M", "-o", "/dev/null", url]) as curl:
                await site.until(site.open_files)
                await asyncio.sleep(0.1)
                curl.kill()
            await site.until(lambda: not site.open_files())
            await site.is_quiet()
            await is_alive(site)
            await site.is_quiet()
            assert len(open_descriptors()) <= before
        broken = site.served[1]
        assert (broken.target, broken.status) == ("/big.bin", 200)
        assert broken.error is not None
        assert 0 < site.reports[1].bill.wire_out < 64 * MIB

    run(main())


@pytest.mark.parametrize("how", ["reset", "close"])
def test_client_that_goes_away_half_way_releases_the_file(run: Run, big: Path, how: str) -> None:
    """With a reset, and with an ordinary close."""

    async def main() -> None:
        async with serving(big) as site:
            _, writer = await half_way(site)
            if how == "reset":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort() if how == "reset" else writer.close()
            await site.is_quiet()
            await is_alive(site)

    run(main())


def test_client_that_stops_reading_is_closed_after_a_while(run: Run, big: Path) -> None:
    """A peer that takes nothing holds a descriptor; not for ever."""

    async def main() -> None:
        async with serving(big, timers=HttpTimers(stalled=0.3)) as site:
            _, writer = await half_way(site)
            await site.is_quiet()
            writer.close()
            await is_alive(site)

    run(main())


@pytest.mark.parametrize("left", [0, 1000, 8 * MIB])
def test_row72_file_truncated_while_sent_closes_the_connection(run: Run, big: Path, left: int) -> None:
    """What exists is sent, nothing is padded, and the report says why."""

    async def main() -> None:
        async with serving(big) as site:
            reader, writer = await half_way(site)
            os.truncate(big / "big.bin", left)
            got = 10
            async with asyncio.timeout(SECONDS):
                try:
                    while piece := await reader.read(MIB):
                        got += len(piece)
                except ConnectionResetError:
                    pass
            writer.close()
            assert got < 64 * MIB
            await site.is_quiet()
            await is_alive(site)
            await site.is_quiet()
        error = site.served[0].error
        assert isinstance(error.__cause__ if error is not None else None, FileTruncatedError) or isinstance(
            error, FileTruncatedError
        )

    run(main())


@pytest.mark.parametrize("how", ["deleted", "replaced", "grown"])
def test_row73_file_deleted_replaced_or_grown_while_sent_arrives_as_promised(
    run: Run, tmp_path: Path, how: str
) -> None:
    """The opened file is what is sent: exactly its promised bytes."""
    data = os.urandom(16 * MIB)
    (tmp_path / "big.bin").write_bytes(data)
    (tmp_path / "small").write_bytes(b"small")

    async def main() -> None:
        async with serving(tmp_path) as site:
            reader, writer = await half_way(site)
            if how == "deleted":
                (tmp_path / "big.bin").unlink()
            elif how == "replaced":
                (tmp_path / "new").write_bytes(bytes(1000))
                os.replace(tmp_path / "new", tmp_path / "big.bin")
            else:
                with (tmp_path / "big.bin").open("ab") as file:
                    file.write(bytes(MIB))
            writer.write_eof()
            async with asyncio.timeout(SECONDS):
                rest = await reader.read(-1)
            writer.close()
            assert rest.partition(b"\r\n\r\n")[2] == data
            await site.is_quiet()
            await is_alive(site)

    run(main())


GARBAGE = {
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "random": (bytes(range(256)) * 4, 400),
    "NULs": (bytes(10_000), 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: h\n\n", 400),
    "smuggling": (
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "endless line": (b"GET /" + b"a" * (2 * MIB), 414),
    "endless fields": (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 400_000, 431),
    "huge body": (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n" + bytes(2 * MIB), 413),
    "upload": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 1000, 501),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100), 505),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_is_answered_once_and_the_connection_closes(run: Run, big: Path, case: str) -> None:
    """A status, then the end; the answer arrives although the peer was still sending."""
    data, status = GARBAGE[case]

    async def main() -> None:
        async with serving(big, timers=HttpTimers(linger=0.5)) as site:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            answer = b""
            async with asyncio.timeout(SECONDS):
                try:
                    writer.write(data)
                    answer = await reader.readuntil(b"\r\n\r\n")
                    await reader.read()
                except ConnectionResetError:
                    pass  # a flood beyond what is dropped politely
            writer.close()
            assert answer.startswith(b"HTTP/1.1 %d " % status)
            assert b"Connection: close" in answer
            await site.is_quiet()
            await is_alive(site)

    run(main())


def test_client_that_sends_nothing_or_trickles_is_closed_in_time(run: Run, big: Path) -> None:
    """The head's timer runs from connecting, and what trickles does not move it."""

    def trickle(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
            for byte in get("/small") * 100:
                if select.select([sock], [], [], 0.05)[0]:
                    break
                sock.sendall(bytes([byte]))
            found = b""
            while piece := sock.recv(1000):
                found += piece
            return found

    async def main() -> None:
        async with serving(big, timers=HttpTimers(head=0.4, linger=0.2)) as site:
            slowly = asyncio.get_running_loop().run_in_executor(None, trickle, site.port)
            silent, slow = await asyncio.gather(ask(site.port, b"", shut=False), slowly)
            assert silent == b""
            assert split(slow)[0] == 408
            await site.is_quiet()
            await is_alive(site)

    run(main())


def test_client_that_connects_and_closes_leaves_nothing(run: Run, big: Path) -> None:
    """Port scanners are no news."""

    async def main() -> None:
        async with serving(big) as site:
            for _ in range(50):
                assert await ask(site.port, b"") == b""
            await site.is_quiet()
            assert site.reports == []

    run(main())


def test_idle_connection_is_closed_in_time(run: Run, big: Path) -> None:
    """Keep-alive has an end."""

    async def main() -> None:
        async with serving(big, timers=HttpTimers(idle=0.2)) as site:
            async with asyncio.timeout(SECONDS):
                answer = await ask(site.port, get("/small"), shut=False)
            assert split(answer)[2] == b"small"
            await site.is_quiet()

    run(main())


def test_row113_client_that_pipelines_without_reading_is_paused(run: Run, big: Path) -> None:
    """Reading stops: no more files are opened than answers may be under way, and memory is bounded."""

    async def main() -> None:
        async with serving(big) as site:
            _, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
            request = get("/big.bin")
            writer.write(request * 500_000)
            await site.until(site.open_files)
            await asyncio.sleep(0.3)
            assert 1 <= len(site.open_files()) <= 32
            (channel,) = site.server.server.channels
            assert not channel.auto_read
            assert writer.transport.get_write_buffer_size() > 0
            writer.transport.abort()
            await site.is_quiet()
            await is_alive(site)

    run(main())


def test_row79_server_out_of_descriptors_answers_503_and_recovers(run: Run, big: Path) -> None:
    """EMFILE when a file is opened is an answer, not an end."""

    async def main() -> None:
        async with serving(big) as site:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(get("/small"))
            await reader.readuntil(b"small")
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_descriptors()) + 1, hard))
            kept = []
            try:
                try:
                    while True:
                        kept.append(os.dup(0))
                except OSError:
                    pass
                writer.write(get("/small"))
                head = await reader.readuntil(b"\r\n\r\n")
            finally:
                for fd in kept:
                    os.close(fd)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert head.startswith(b"HTTP/1.1 503 ")
            writer.close()
            await is_alive(site)
            await site.is_quiet()

    run(main())


def test_body_that_cannot_be_opened_closes_the_connection(run: Run, tmp_path: Path) -> None:
    """The head has promised bytes that will not come: with the right option nothing else can be taken for them."""

    def application(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, body=FileRegion(tmp_path / "missing", 0, 100_000))

    async def main() -> None:
        def init(channel: Any) -> None:
            channel.pipeline.add_last(HttpServerHandler(application))

        for closes in (True, False):
            options = ChannelOptions(region_failure_closes=closes)
            async with await serve(init, "127.0.0.1", 0, options=options) as server:
                answer = await ask(server.addresses[0][1], get("/") * 3, shut=False)
                assert not server.channels
                assert len(answer) < 100_000
                assert not closes or answer == b""

    run(main())


def test_row77_small_file_that_cannot_be_read_ends_the_connection_before_its_head(
    run: Run, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EIO from a disk: pipelined answers behind it are not taken for its bytes."""
    fails = [True]
    read_into = FileRegion.read_into

    def read(region: FileRegion, *args: Any) -> int:
        if fails and fails.pop():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read_into(region, *args)

    monkeypatch.setattr(FileRegion, "read_into", read)

    async def main() -> None:
        async with serving(big) as site:
            assert await ask(site.port, get("/small") * 3, shut=False) == b""
            await site.is_quiet()
            await is_alive(site)
        assert [served.error is None for served in site.served] == [False, False, False, True]
        cause = site.served[0].error
        assert cause is not None and isinstance(cause.__cause__, OSError) and cause.__cause__.errno == errno.EIO

    run(main())


def test_server_that_is_closed_lets_answers_under_way_go_out(run: Run, tmp_path: Path) -> None:
    """Graceful: a client that reads gets everything; one that does not is cut after the close timeout."""
    data = os.urandom(16 * MIB)
    (tmp_path / "big.bin").write_bytes(data)

    async def main() -> None:
        async with serving(tmp_path, options=ChannelOptions(close_timeout=0.5)) as site:
            reader, writer = await half_way(site)
            _, stuck = await half_way(site)
            closing = asyncio.create_task(site.server.close_gracefully())
            rest = await reader.read(-1)
            assert rest.partition(b"\r\n\r\n")[2] == data
            await closing
            assert site.open_files() == []
            writer.close()
            stuck.close()
        assert sorted(served.error is None for served in site.served) == [False, True]

    run(main())


def test_many_hostile_clients_leave_nothing(run: Run, big: Path) -> None:
    """A crowd of everything above, at once."""

    async def victim(site: Site, number: int) -> None:
        kind = number % 4
        if kind == 0:
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(get("/big.bin"))
            await asyncio.sleep(0.001 * (number % 17))
            writer.transport.abort()
        elif kind == 1:
            await ask(site.port, list(GARBAGE.values())[number % len(GARBAGE)][0][:5000])
        elif kind == 2:
            assert split(await ask(site.port, get("/small")))[2] == b"small"
        else:
            await ask(site.port, get("/small")[: number % 30])

    async def main() -> None:
        async with serving(big, timers=HttpTimers(linger=0.3)) as site:
            results = await asyncio.gather(*(victim(site, number) for number in range(200)), return_exceptions=True)
            assert [result for result in results if not isinstance(result, ConnectionError | None)] == []
            await site.is_quiet()
            await is_alive(site)

    run(main())
