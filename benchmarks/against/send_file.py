"""`python -m benchmarks.against.send_file METHOD PATH CPU`: sends one file to whoever asks, in a process of its own.

Owns    the ways without zbuf: a bare sendfile loop, read and send, asyncio's own sendfile; and starting zbuf's.
Never   the receiving side.
Always  one answer line per transfer: the CPU seconds between the request and the receiver's word that all is there."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import select
import socket
import sys
import threading
from collections.abc import Callable

from benchmarks import _pin, _sockets

READ_SIZE = 64 * 1024


def cpu_seconds() -> float:
    """Return what this process has spent so far, user and system."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def answer(figures: dict[str, float]) -> None:
    """Print one answer line."""
    print(json.dumps(figures), flush=True)


def bare_sendfile(sock: socket.socket, path: str) -> None:
    """Send the file with non-blocking os.sendfile calls, waiting for room only when the kernel has none."""
    sock.setblocking(False)
    room = select.poll()
    room.register(sock, select.POLLOUT)
    out = sock.fileno()
    with open(path, "rb", buffering=0) as file:
        source, at, end = file.fileno(), 0, os.fstat(file.fileno()).st_size
        while at < end:
            try:
                n = os.sendfile(out, source, at, end - at)
            except BlockingIOError:
                room.poll()
                continue
            if n == 0:
                raise EOFError("the file became shorter")
            at += n
    sock.setblocking(True)


def read_and_send(sock: socket.socket, path: str) -> None:
    """Send the file by reading 64 KiB at a time into one block."""
    block = memoryview(bytearray(READ_SIZE))
    with open(path, "rb", buffering=0) as file:
        while n := file.readinto(block):
            sock.sendall(block[:n])


def serve_blocking(send: Callable[[socket.socket, str], None], path: str) -> None:
    """Serve one connection after the other with `send`."""
    with _sockets.listener() as listening:
        answer({"port": listening.getsockname()[1]})
        while True:
            sock, _ = listening.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if sock.recv(1) != b"g":
                    continue
                before = cpu_seconds()
                send(sock, path)
                sock.recv(1)
                answer({"cpu": cpu_seconds() - before})


async def serve_asyncio(path: str) -> None:
    """Serve with a stream per connection and loop.sendfile."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1) == b"g":
            before = cpu_seconds()
            with open(path, "rb", buffering=0) as file:
                await asyncio.get_running_loop().sendfile(writer.transport, file, fallback=False)
            await reader.read(1)
            answer({"cpu": cpu_seconds() - before})
        writer.close()

    sock = _sockets.listener()
    sock.setblocking(False)
    server = await asyncio.start_server(talk, sock=sock)
    answer({"port": sock.getsockname()[1]})
    await server.serve_forever()


async def serve_zbuf(path: str) -> None:
    """Serve with a FileRegion per request."""
    from benchmarks.against import _zbuf_file  # here, so that a rival's process never loads zbuf

    await _zbuf_file.serve(path, cpu_seconds, answer)


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Serve one method until stdin ends."""
    method, path, cpu = arguments
    _pin.pin(int(cpu) if int(cpu) >= 0 else None)
    threading.Thread(target=_end_with_stdin, daemon=True).start()  # sleeps in read(): costs the measured span nothing
    if method == "sendfile":
        serve_blocking(bare_sendfile, path)
    elif method == "read+send":
        serve_blocking(read_and_send, path)
    elif method == "asyncio":
        asyncio.run(serve_asyncio(path))
    elif method == "zbuf":
        asyncio.run(serve_zbuf(path))
    else:
        raise SystemExit(f"no such method: {method}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
