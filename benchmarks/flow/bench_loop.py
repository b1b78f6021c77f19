"""How a loop learns of ready sockets: one epoll set per loop against one reader per socket.

Owns    the comparison of zbuf's two pollers under a plain byte echo, beside the loops' own Protocols.
Never   frames: the echo group has them.
Always  measured as the echo group measures."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks._report import Report, Settings
from benchmarks.flow._load import Shape
from benchmarks.flow.bench_echo import available, compare_servers

NAME = "loop"
SUMMARY = "64-byte echo, 256 connections: one epoll set per loop against one add_reader per socket"

OURS = "zbuf, one epoll set"
SERVERS: dict[str, tuple[str, str]] = {
    OURS: ("zbuf-plain", "asyncio"),
    "zbuf, add_reader per socket": ("zbuf-plain-readers", "asyncio"),
    "zbuf, one epoll set, uvloop": ("zbuf-plain", "uvloop"),
    "asyncio Protocol": ("plain", "asyncio"),
    "uvloop Protocol": ("plain", "uvloop"),
}
METHOD = (
    "64 bytes out, 64 bytes back, no frames, one in flight on each of 256 connections. One epoll set is watched by the "
    "loop as a single descriptor; the other way registers every socket with the loop. Otherwise as the echo group."
)


def run(settings: Settings) -> Iterator[Report]:
    """Yield the one table."""
    shape = Shape(256, 1, 64, head=0)
    yield compare_servers(
        "byte echo of 64 B, 256 connections, 1 in flight", METHOD, available(SERVERS), shape, settings, OURS, {}
    )
