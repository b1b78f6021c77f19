"""Downloads over a real socket, by a real client, on every kind of loop."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live._serving import MIB, ask, big_file, get, needs_curl, serving, sha256, split
from zbuf.audit import CopyReason
from zbuf.transport import ChannelOptions

Run = Callable[..., Any]


@needs_curl
def test_curl_download_has_the_right_checksum_and_copies_nothing_of_the_body(run: Run, tmp_path: Path) -> None:
    """64 MiB by sendfile: the bill has no copy of the body, and names every byte on the wire."""
    site_dir = tmp_path / "site"
    site_dir.mkdir()
    checksum = big_file(site_dir / "big.bin")

    async def main() -> None:
        async with serving(site_dir) as site:
            done = await site.curl("-o", str(tmp_path / "got"), "{url}/big.bin")
            assert (done.returncode, done.stderr) == (0, b"")
            assert sha256(tmp_path / "got") == checksum
            await site.is_quiet()
            (report,) = site.reports
        (served,) = report.requests
        assert served.error is None
        assert report.body_copies == {}
        assert report.bill.wire_out == served.head_bytes + 64 * MIB
        assert report.bill.kernel["sendfile"].nbytes == 64 * MIB
        assert CopyReason.FILE_READ not in report.bill.user
        assert report.bill.user_bytes < 2000

    run(main())


@needs_curl
def test_curl_resumes_where_it_stopped(run: Run, tmp_path: Path) -> None:
    """`curl -C -` asks for the rest, gets 206, and the file is whole."""
    site_dir = tmp_path / "site"
    site_dir.mkdir()
    checksum = big_file(site_dir / "big.bin", 8 * MIB)
    got = tmp_path / "got"

    async def main() -> None:
        async with serving(site_dir) as site:
            got.write_bytes((site_dir / "big.bin").read_bytes()[: 3 * MIB + 17])
            done = await site.curl("-C", "-", "-o", str(got), "{url}/big.bin")
            assert done.returncode == 0, done.stderr
            assert sha256(got) == checksum
            done = await site.curl("-C", "-", "-o", str(got), "{url}/big.bin")
            assert sha256(got) == checksum
        assert [served.status for served in site.served] == [206, 416]
        assert site.served[0].body_bytes == 5 * MIB - 17

    run(main())


@needs_curl
def test_curl_conditional_request_is_answered_304(run: Run, tmp_path: Path) -> None:
    """`--etag-compare` and `-z` find that nothing has changed."""
    site_dir = tmp_path / "site"
    site_dir.mkdir()
    (site_dir / "a.txt").write_bytes(b"a" * 100)
    os.utime(site_dir / "a.txt", (1_600_000_000, 1_600_000_000))
    etag, out = tmp_path / "etag", tmp_path / "out"

    async def main() -> None:
        async with serving(site_dir) as site:
            await site.curl("--etag-save", str(etag), "-o", str(out), "{url}/a.txt")
            await site.curl("--etag-compare", str(etag), "-o", str(tmp_path / "none"), "{url}/a.txt")
            await site.curl("-z", str(out), "-o", str(tmp_path / "none"), "{url}/a.txt")
        assert [served.status for served in site.served] == [200, 304, 304]

    run(main())


@needs_curl
def test_curl_several_urls_share_a_connection(run: Run, tmp_path: Path) -> None:
    """Keep-alive: files, a listing, HEAD and an error, one after the other."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "a.txt").write_bytes(b"abc")
    (tmp_path / "b.bin").write_bytes(os.urandom(100_000))

    async def main() -> None:
        async with serving(tmp_path) as site:
            done = await site.curl("-L", "{url}/dir", "{url}/dir/a.txt", "{url}/b.bin", "{url}/none", "{url}/")
            assert done.returncode == 0, done.stderr
            head = await site.curl("-I", "{url}/b.bin", "{url}/dir/a.txt")
            assert head.stdout.count(b"HTTP/1.1 200 OK\r\n") == 2
            assert b"Content-Length: 100000\r\n" in head.stdout
            assert site.server.server.accepted == 2
        assert [served.status for served in site.served] == [301, 200, 200, 200, 404, 200, 200, 200]

    run(main())


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 8192, 32 * 1024, 32 * 1024 + 1, 65_536, 300_000])
def test_file_of_any_size_arrives_whole_with_its_bill(run: Run, tmp_path: Path, size: int) -> None:
    """Joined, read into the head's buffer, or sent by the kernel: the same bytes, and each copy on the bill."""
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)

    async def main() -> None:
        async with serving(tmp_path) as site:
            for fields in ((), ("Connection: close",)):
                answer = await ask(site.port, get("/file", *fields))
                status, found, body = split(answer)
                assert (status, found["Content-Length"], body) == (200, str(size), data)
            await site.is_quiet()
        for report in site.reports:
            (served,) = report.requests
            assert report.bill.wire_out == served.head_bytes + size
            read = report.body_copies.get(CopyReason.FILE_READ, 0)
            moved = report.bill.kernel["sendfile"].nbytes if "sendfile" in report.bill.kernel else 0
            assert read + moved == size
            assert not (read and moved)
            if size > 32 * 1024:
                assert moved == size

    run(main())


def test_pipelined_requests_are_answered_in_order_across_small_and_large_files(run: Run, tmp_path: Path) -> None:
    """500 requests in one piece: listings, ranges, errors and files leave in their order."""
    (tmp_path / "small").write_bytes(b"s" * 100)
    (tmp_path / "large").write_bytes(os.urandom(200_000))
    kinds = [("/small", ()), ("/large", ("Range: bytes=5-70004",)), ("/none", ()), ("/large", ()), ("/", ())]
    wanted = [kinds[n % len(kinds)] for n in range(500)]

    async def main() -> None:
        async with serving(tmp_path) as site:
            rest = await ask(site.port, b"".join(get(target, *fields) for target, fields in wanted))
            await site.is_quiet()
        large = (tmp_path / "large").read_bytes()
        for target, fields in wanted:
            status, found, rest = split(rest)
            length = int(found["Content-Length"])
            body, rest = rest[:length], rest[length:]
            if target == "/small":
                assert (status, body) == (200, b"s" * 100)
            elif target == "/large":
                assert (status, body) == ((206, large[5:70005]) if fields else (200, large))
            else:
                assert status == (404 if target == "/none" else 200)
        assert rest == b""
        assert [served.target for served in site.served] == [target for target, _ in wanted]

    run(main())


def test_many_connections_at_once_are_all_served(run: Run, tmp_path: Path) -> None:
    """100 clients, each with ten requests, some of them slow to read."""
    data = os.urandom(150_000)
    (tmp_path / "file").write_bytes(data)

    async def client(port: int, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(10):
            writer.write(get("/file"))
            if number % 7 == 0:
                await asyncio.sleep(0.01)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        async with serving(tmp_path) as site:
            await asyncio.gather(*(client(site.port, number) for number in range(100)))
            await site.is_quiet()
        assert len(site.served) == 1000

    run(main())


def test_bytes_leave_as_they_should_through_the_smallest_windows(run: Run, tmp_path: Path) -> None:
    """A tiny send buffer makes every write a short one."""
    data = os.urandom(500_000)
    (tmp_path / "file").write_bytes(data)

    async def main() -> None:
        async with serving(tmp_path, options=ChannelOptions(sndbuf=4096)) as site:
            for _ in range(2):
                assert split(await ask(site.port, get("/file") + get("/")))[2].startswith(data)
            await site.is_quiet()

    run(main())
