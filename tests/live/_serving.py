"""A directory served in this process, and clients that are processes, for tests on every kind of loop."""

import asyncio
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import open_descriptors
from zbuf.protocols.http import DirectoryServer, Served, ServedReport, serve_directory
from zbuf.transport import channel_pool

MIB = 1024 * 1024
SECONDS = 20.0

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@dataclass
class Site:
    """A running server, its directory, and what it has reported."""

    directory: Path
    server: DirectoryServer
    reports: list[ServedReport] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def served(self) -> list[Served]:
        """All answered requests, in order."""
        return [served for report in self.reports for served in report.requests]

    def open_files(self) -> list[str]:
        """Files of the directory that this process has open."""
        found = []
        for fd in open_descriptors():
            try:
                target = os.readlink(f"/proc/self/fd/{fd}")
            except OSError:
                continue
            if target.startswith(f"{self.directory}/"):
                found.append(target)
        return found

    async def curl(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run curl with `{url}` replaced by where the server listens."""
        line = ["curl", "-sS", "--max-time", str(SECONDS), *arguments]
        line = [word.replace("{url}", f"http://127.0.0.1:{self.port}") for word in line]

        def call() -> "subprocess.CompletedProcess[bytes]":
            return subprocess.run(line, capture_output=True, check=False, timeout=SECONDS + 5)

        return await asyncio.get_running_loop().run_in_executor(None, call)

    async def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    async def is_quiet(self) -> None:
        """Wait until no connection, no file and no block is left."""
        await self.until(lambda: not self.server.server.channels)
        assert self.open_files() == []
        assert channel_pool().statistics().live_blocks == 0


@asynccontextmanager
async def serving(directory: Path, **options: Any) -> AsyncIterator[Site]:
    """Serve a directory on a free port."""
    site: Site
    server = await serve_directory(directory, port=0, on_served=lambda report: site.reports.append(report), **options)
    site = Site(directory, server)
    async with server:
        yield site


async def ask(port: int, data: bytes, *, shut: bool = True) -> bytes:
    """Send bytes, and return what comes until the peer ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if shut:
            writer.write_eof()
        async with asyncio.timeout(SECONDS):
            return await reader.read()
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass  # how it ended is the test's own business


def get(target: str, *fields: str) -> bytes:
    """A request."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: h", *fields, "", ""]).encode()


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and rest of the first answer."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), rest


def big_file(path: Path, size: int = 64 * MIB) -> str:
    """Write a file that has a different byte everywhere it matters; return its checksum."""
    block = os.urandom(MIB)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(size // MIB):
            piece = number.to_bytes(8, "big") + block[8:]
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
