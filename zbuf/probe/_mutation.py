"""The mutation probe: send, change the source, look at what arrives.

Owns    the pair of sockets, the techniques that send, and the verdict.
Never   more than 32 KiB in flight: all of it must fit into the kernel's buffers before anybody reads.
Always  new bytes arriving mean that the kernel kept the pages, old ones that it copied, both that it did something
        else, which is called copied with a note. Memory that a pipe was given outlives its last reader.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress

from zbuf.audit import Verdict
from zbuf.probe._findings import Finding
from zbuf.region._libc import MSG_ZEROCOPY, SO_ZEROCOPY, vmsplice

__all__ = ["MUTATIONS", "Trial", "mutation"]

SIZE = 32 * 1024
OLD, NEW = b"\x0f" * SIZE, b"\xf0" * SIZE


class Trial:
    """What a technique gets: a socket to send to, an open file and a mapping, both holding the old bytes."""

    def __init__(self, out: socket.socket, file: int, memory: mmap.mmap) -> None:
        self.out = out
        self.file = file
        self.memory = memory
        self.note = ""

    @property
    def address(self) -> int:
        """Where the memory begins."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self.memory))


def by_sendfile(trial: Trial) -> None:
    """File to socket."""
    _all(lambda at: os.sendfile(trial.out.fileno(), trial.file, at, SIZE - at))


def by_splice(trial: Trial) -> None:
    """File to pipe to socket."""
    source, target = os.pipe()
    try:
        at = 0
        while at < SIZE:
            n = os.splice(trial.file, target, SIZE - at, offset_src=at)
            at += n
            while n:
                n -= os.splice(source, trial.out.fileno(), n)
    finally:
        os.close(source)
        os.close(target)


def by_vmsplice(trial: Trial) -> None:
    """Memory to pipe to socket."""
    source, target = os.pipe()
    try:
        at = 0
        while at < SIZE:
            n = vmsplice(target, trial.address + at, SIZE - at)
            at += n
            while n:
                n -= os.splice(source, trial.out.fileno(), n)
    finally:
        os.close(source)
        os.close(target)


def by_sendmsg(trial: Trial) -> None:
    """Pieces of memory to socket."""
    with memoryview(trial.memory) as whole, whole[: SIZE // 2] as first, whole[SIZE // 2 :] as second:
        if trial.out.sendmsg([first, second]) != SIZE:
            raise BlockingIOError("a short send")


def by_zerocopy(trial: Trial) -> None:
    """Memory to socket, the kernel asked to take it where it lies; what it says about that is the note."""
    trial.out.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    with memoryview(trial.memory) as whole:
        if trial.out.send(whole, MSG_ZEROCOPY) != SIZE:
            raise BlockingIOError("a short send")


def by_mapping(trial: Trial) -> None:
    """A mapping of the file to socket."""
    with mmap.mmap(trial.file, SIZE, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as whole:
        if trial.out.send(whole) != SIZE:
            raise BlockingIOError("a short send")


MUTATIONS: dict[str, tuple[str, Callable[[Trial], None]]] = {
    "sendfile": ("narrow", by_sendfile),
    "splice": ("narrow", by_splice),
    "vmsplice": ("narrow", by_vmsplice),
    "MSG_ZEROCOPY": ("narrow", by_zerocopy),
    "sendmsg": ("broad", by_sendmsg),
    "mmap+send": ("broad", by_mapping),
}


def mutation(name: str, directory: str) -> Finding:
    """Try one technique over a loopback connection, with a file in `directory`. Never raises an OSError: it is the
    finding."""
    kind, send = MUTATIONS[name]
    with ExitStack() as stack:
        try:
            out, peer = connection(stack)
            file = _file(stack, directory)
            memory = mmap.mmap(-1, SIZE)  # not closed: pages that a pipe was given must not be used again meanwhile
            memory[:] = OLD
            trial = Trial(out, file, memory)
            send(trial)
            os.pwrite(file, NEW, 0)
            memory[:] = NEW
            got = _received(peer)
        except (OSError, AttributeError, ValueError) as exc:  # AttributeError: this Python has no os.splice
            return Finding(name, kind, False, note=_why(exc))
        if name == "MSG_ZEROCOPY":
            trial.note = _kernel_says(out)
    if len(got) != SIZE:
        return Finding(name, kind, False, note=f"{len(got)} of {SIZE} bytes arrived")
    news = got.count(NEW[:1])
    if news == SIZE:
        return Finding(name, kind, True, Verdict.SHARED, trial.note)
    mixed = f"{news} of {SIZE} bytes were new" if news else ""
    return Finding(name, kind, True, Verdict.COPIED, "; ".join(filter(None, (trial.note, mixed))))


def connection(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection over loopback; they block for two seconds at most."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    out = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=2))
    peer = stack.enter_context(listener.accept()[0])
    peer.settimeout(2)
    out.settimeout(None)  # splice and sendfile go past Python's own time-out
    return out, peer


def _file(stack: ExitStack, directory: str) -> int:
    name = os.path.join(directory, f".zbuf-probe-{os.getpid()}-{os.urandom(4).hex()}")
    file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.unlink(name)
    stack.callback(os.close, file)
    if os.write(file, OLD) != SIZE:
        raise OSError("a short write")
    return file


def _all(step: Callable[[int], int]) -> None:
    at = 0
    while at < SIZE:
        n = step(at)
        if n == 0:
            raise OSError("nothing was taken")
        at += n


def _received(peer: socket.socket) -> bytes:
    got = bytearray()
    with suppress(TimeoutError):
        while len(got) < SIZE:
            piece = peer.recv(SIZE - len(got))
            if not piece:
                break
            got += piece
    return bytes(got)


def _kernel_says(out: socket.socket) -> str:
    """Return what the error queue says of a MSG_ZEROCOPY send (linux/errqueue.h: sock_extended_err)."""
    out.settimeout(0.5)
    try:
        _, ancillary, _, _ = out.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return "the kernel did not report"
    for _level, _type, data in ancillary:
        if len(data) >= 16 and data[4] == 5:  # SO_EE_ORIGIN_ZEROCOPY
            return "the kernel reports a copy" if struct.unpack_from("=IBBB", data)[3] else "the kernel reports none"
    return "the kernel did not report"


def _why(exc: Exception) -> str:
    if isinstance(exc, OSError) and exc.errno:
        return os.strerror(exc.errno)
    return str(exc) or type(exc).__name__
