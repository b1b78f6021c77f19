"""`python -m benchmarks.against.serve PROGRAM LOOP CPU`: one echo server in a process of its own.

Owns    the life of a measured server: its loop, its CPU, its answers about what it has spent.
Never   the load.
Always  a `usage` line on stdin is answered with one JSON line between two turns of the loop; the end of stdin
        ends it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable

from benchmarks import _pin, _sockets
from benchmarks.against import _framed


async def _zbuf_framed() -> int:
    from benchmarks.against import _zbuf_echo  # here, so that a rival's process never loads zbuf

    return await _zbuf_echo.serve_framed()


async def _zbuf_plain() -> int:
    from benchmarks.against import _zbuf_echo  # as above

    return await _zbuf_echo.serve_plain()


async def _zbuf_plain_readers() -> int:
    os.environ["ZBUF_POLLER"] = "loop"  # one callback per descriptor where an epoll set could be had
    return await _zbuf_plain()


def _asyncio_server(make: Callable[..., Awaitable[asyncio.Server]]) -> Callable[[], Awaitable[int]]:
    async def start() -> int:
        sock = _sockets.listener()
        sock.setblocking(False)
        server = await make(sock)
        _KEPT.append(server)
        return int(sock.getsockname()[1])

    return start


_KEPT: list[object] = []  # a server whose last reference goes stops listening
PROGRAMS: dict[str, Callable[[], Awaitable[int]]] = {
    "streams": _asyncio_server(_framed.serve_streams),
    "protocol": _asyncio_server(_framed.serve_protocol),
    "batched": _asyncio_server(_framed.serve_batched),
    "plain": _asyncio_server(_framed.serve_plain),
    "zbuf": _zbuf_framed,
    "zbuf-plain": _zbuf_plain,
    "zbuf-plain-readers": _zbuf_plain_readers,
}


def _usage() -> str:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"cpu": spent.ru_utime + spent.ru_stime, "user": spent.ru_utime, "system": spent.ru_stime}
    return json.dumps(figures | {"resident_kib": spent.ru_maxrss})


async def _main(program: str) -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def answer() -> None:
        asked = os.read(0, 4096)
        if not asked:
            loop.remove_reader(0)
            ended.set_result(None)
        for _ in range(asked.count(b"\n")):
            print(_usage(), flush=True)

    port = await PROGRAMS[program]()
    os.set_blocking(0, False)
    loop.add_reader(0, answer)
    print(json.dumps({"port": port}), flush=True)
    await ended


def main(arguments: list[str]) -> int:
    """Run one program until stdin ends."""
    program, loop_name, cpu = arguments
    _pin.pin(int(cpu) if int(cpu) >= 0 else None)
    if loop_name == "uvloop":
        import uvloop  # only in a process that was asked for it

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    else:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_main(program))
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # connections of a load generator that was killed are not waited for
