"""Every way to send a file that a Python program has, each in as few lines as it takes.

Owns    the ways, what kind each is, and how many system calls it made.
Never   a measurement.
Always  a way sends the whole file over a connected socket; what is missing here raises OSError before its first byte.
"""

import asyncio
import mmap
import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from zbuf.audit import Verdict
from zbuf.cli._receiver import use_loopback_congestion_control
from zbuf.region._libc import MSG_ZEROCOPY, SO_ZEROCOPY, vmsplice

__all__ = ["TECHNIQUES", "Outcome", "Technique"]

READ = 64 * 1024
CALL = 1 << 20  # what one call is asked to move; beyond 1 MiB nothing is gained
PIPE = 1 << 20


@dataclass(slots=True)
class Outcome:
    """What a way says of itself. None: nobody counted."""

    calls: int | None = None
    user_copies: float | None = None  # per byte, in user space
    kernel: str = ""  # what the kernel said about its own copies


@dataclass(frozen=True, slots=True)
class Technique:
    """One way. `probe`: the name of the probe's finding that says whether the kernel copies; `reads`: copies per byte
    that it makes before that, by reading the file into memory."""

    name: str
    kind: str
    send: Callable[[int, str], Outcome]
    probe: str
    reads: int = 0


def connected(port: int) -> socket.socket:
    """Return a connection to the receiver."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    use_loopback_congestion_control(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.connect(("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock


def finish(sock: socket.socket, size: int) -> None:
    """Say that this was all, and wait until the receiver has it. Raises: ConnectionError if it has not."""
    sock.setblocking(True)
    sock.shutdown(socket.SHUT_WR)
    answer = b""
    while len(answer) < 8:
        piece = sock.recv(8 - len(answer))
        if not piece:
            raise ConnectionError("the receiver went away")
        answer += piece
    check(int.from_bytes(answer, "big"), size)


def check(received: int, size: int) -> None:
    """Raise ConnectionError unless all arrived."""
    if received != size:
        raise ConnectionError(f"{received} of {size} bytes arrived")


def blocking(send: Callable[[socket.socket, int, int], Outcome]) -> Callable[[int, str], Outcome]:
    """Make a way out of a function that gets a blocking socket, a descriptor and a size."""

    def run(port: int, path: str) -> Outcome:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(file).st_size
            with connected(port) as sock:
                outcome = send(sock, file, size)
                finish(sock, size)
                return outcome
        finally:
            os.close(file)

    return run


def read_and_send(sock: socket.socket, file: int, size: int) -> Outcome:
    """What every tutorial begins with."""
    block = bytearray(READ)
    calls = 0
    with memoryview(block) as whole:
        while n := os.readv(file, [block]):
            calls += 1
            with whole[:n] as part:
                left = n
                while left:
                    left -= sock.send(part[n - left :])
                    calls += 1
    return Outcome(calls, 0.0)


def map_and_send(sock: socket.socket, file: int, size: int) -> Outcome:
    """One copy less: the kernel sends from the page cache, by way of our address space."""
    calls = at = 0
    with mmap.mmap(file, size, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as whole:
        while at < size:
            with whole[at : at + CALL] as part:
                at += sock.send(part)
            calls += 1
    return Outcome(calls, 0.0)


def by_sendfile(sock: socket.socket, file: int, size: int) -> Outcome:
    """The loop that everything else is measured against: without blocking, it wakes to more room."""
    sock.setblocking(False)
    room = select.poll()
    room.register(sock, select.POLLOUT)
    calls = at = 0
    while at < size:
        calls += 1
        try:
            n = os.sendfile(sock.fileno(), file, at, size - at)
        except BlockingIOError:
            room.poll()
            calls += 1
            continue
        if n == 0:
            raise OSError("the file became shorter")
        at += n
    return Outcome(calls, 0.0)


def by_splice(sock: socket.socket, file: int, size: int) -> Outcome:
    """File to pipe, pipe to socket."""
    reading, writing = _pipe()
    calls = at = 0
    try:
        while at < size:
            held = os.splice(file, writing, min(PIPE, size - at), offset_src=at)
            calls += 1
            if held == 0:
                raise OSError("the file became shorter")
            at += held
            while held:
                held -= os.splice(reading, sock.fileno(), held)
                calls += 1
    finally:
        os.close(reading)
        os.close(writing)
    return Outcome(calls, 0.0)


def by_vmsplice(sock: socket.socket, file: int, size: int) -> Outcome:
    """Our own view of the page cache, given to a pipe."""
    import ctypes

    reading, writing = _pipe()
    calls = at = 0
    mapped = mmap.mmap(file, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    try:
        anchor = ctypes.c_char.from_buffer(mapped)
        base = ctypes.addressof(anchor)
        while at < size:
            held = vmsplice(writing, base + at, min(PIPE, size - at))
            calls += 1
            at += held
            while held:
                held -= os.splice(reading, sock.fileno(), held)
                calls += 1
        del anchor
    finally:
        os.close(reading)
        os.close(writing)
        mapped.close()
    return Outcome(calls, 0.0)


def by_zerocopy(sock: socket.socket, file: int, size: int) -> Outcome:
    """A mapping, sent with MSG_ZEROCOPY; the error queue says when, and whether, it was so."""
    sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    sent = done = copied = at = calls = 0
    ready = select.poll()
    ready.register(sock, 0)  # errors come unasked

    def reap(timeout: int) -> None:
        nonlocal done, copied, calls
        calls += 1
        if not ready.poll(timeout):
            return
        with suppress(BlockingIOError):
            while True:
                calls += 1
                _, ancillary, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
                for _level, _type, data in ancillary:
                    _errno, origin, _kind, code, _pad, first, last = struct.unpack_from("=IBBBBII", data)
                    if origin == 5:  # SO_EE_ORIGIN_ZEROCOPY; the range is inclusive, and wraps
                        n = ((last - first) & 0xFFFFFFFF) + 1
                        done += n
                        copied += n * code

    with mmap.mmap(file, size, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as whole:
        while at < size:
            with whole[at : at + CALL] as part:
                try:
                    at += sock.send(part, MSG_ZEROCOPY)
                    sent += 1
                except OSError as exc:
                    if exc.errno != 105:  # ENOBUFS: too much memory is pinned; wait for the oldest
                        raise
                    reap(1000)
            calls += 1
            if sent - done > 16:
                reap(0)
        while done < sent:
            reap(1000)
    return Outcome(calls, 0.0, f"{100 * copied // sent} % copied" if sent else "")


def by_asyncio_write(port: int, path: str) -> Outcome:
    """`writer.write` and `drain`, 64 KiB at a time."""

    async def send() -> None:
        reader, writer = await asyncio.open_connection(sock=connected(port))
        size = 0
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(READ):
                size += len(piece)
                writer.write(piece)
                await writer.drain()
        writer.write_eof()
        check(int.from_bytes(await reader.readexactly(8), "big"), size)
        writer.close()
        await writer.wait_closed()

    asyncio.run(send())
    return Outcome()


def by_asyncio_sendfile(port: int, path: str) -> Outcome:
    """`loop.sendfile`, which the standard loop has and uvloop has not."""

    async def send() -> None:
        reader, writer = await asyncio.open_connection(sock=connected(port))
        with open(path, "rb", buffering=0) as file:
            size = await asyncio.get_running_loop().sendfile(writer.transport, file, fallback=False)
        writer.write_eof()
        check(int.from_bytes(await reader.readexactly(8), "big"), size)
        writer.close()
        await writer.wait_closed()

    asyncio.run(send())
    return Outcome(user_copies=0.0)


def by_zbuf(port: int, path: str) -> Outcome:
    """A FileRegion through a channel; copies and calls are the channel's own bill."""
    from zbuf import Channel, ChannelOptions, FileRegion, connect  # here: the others need no channel

    def init(channel: Channel[bytes, FileRegion]) -> None:
        with suppress(OSError, AttributeError):
            channel.set_socket_option(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")

    async def send() -> Outcome:
        channel: Channel[bytes, FileRegion] = await connect(
            "127.0.0.1", port, init=init, options=ChannelOptions(allow_half_closure=True)
        )
        async with channel:
            region = FileRegion(path)
            size = region.count
            await channel.send(region)
            await channel.flushed()
            bill = channel.bill
            await channel.shutdown_output()
            answer = b""
            while len(answer) < 8:
                answer += bytes(await channel.receive())
            check(int.from_bytes(answer, "big"), size)
        return Outcome(bill.calls, bill.user_bytes / size)

    return asyncio.run(send())


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    with suppress(OSError):
        import fcntl

        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
    return reading, writing


TECHNIQUES = (
    Technique("read + send", "traditional", blocking(read_and_send), "sendmsg", reads=1),
    Technique("mmap + send", "broad", blocking(map_and_send), "mmap+send"),
    Technique("asyncio write", "traditional", by_asyncio_write, "sendmsg", reads=1),
    Technique("sendfile", "narrow", blocking(by_sendfile), "sendfile"),
    Technique("splice", "narrow", blocking(by_splice), "splice"),
    Technique("vmsplice", "narrow", blocking(by_vmsplice), "vmsplice"),
    Technique("MSG_ZEROCOPY", "narrow", blocking(by_zerocopy), "MSG_ZEROCOPY"),
    Technique("asyncio sendfile", "narrow", by_asyncio_sendfile, "sendfile"),
    Technique("zbuf", "narrow", by_zbuf, "sendfile"),
)


def kernel_copies(technique: Technique, verdict: Verdict) -> int | None:
    """Return how many times the kernel copies a byte on the sender's side; None where the probe could not say."""
    if verdict is Verdict.UNKNOWN:
        return None
    return technique.reads + (1 if verdict is Verdict.COPIED else 0)
