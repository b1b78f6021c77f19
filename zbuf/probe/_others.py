"""The facilities that send no payload to a socket: tried by using them once.

Owns    one trial for each, and the questions to a network interface.
Never   root: what needs it is found missing.
Always  a trial that raises is a finding, and leaves no descriptor, file or mapping behind.
"""

from __future__ import annotations

import array
import fcntl
import mmap
import os
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress

from zbuf.probe._findings import Finding, Interface
from zbuf.probe._mutation import _why
from zbuf.region._libc import tee

__all__ = ["OTHERS", "interfaces", "other"]

PAGE = 4096
SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM, ETHTOOL_GSG, ETHTOOL_GTSO = 0x16, 0x18, 0x1E  # linux/ethtool.h
MAP_HUGETLB = 0x40000


def _open(stack: ExitStack, directory: str, flags: int = 0) -> int:
    name = os.path.join(directory, f".zbuf-probe-{os.getpid()}-{os.urandom(4).hex()}")
    file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | flags, 0o600)
    os.unlink(name)
    stack.callback(os.close, file)
    return file


def try_copy_file_range(stack: ExitStack, directory: str) -> str:
    """File to file in the kernel."""
    source, target = _open(stack, directory), _open(stack, directory)
    os.write(source, bytes(PAGE))
    if os.copy_file_range(source, target, PAGE, 0, 0) != PAGE:
        raise OSError("a short copy")
    return ""


def try_tee(stack: ExitStack, directory: str) -> str:
    """Pipe to pipe, without taking it out of the first."""
    first, second = os.pipe(), os.pipe()
    for end in (*first, *second):
        stack.callback(os.close, end)
    os.write(first[1], b"x")
    if tee(first[0], second[1], 1) != 1:
        raise OSError("nothing was duplicated")
    return ""


def try_pipe_size(stack: ExitStack, directory: str) -> str:
    """A pipe of 1 MiB, without which splice does not reach sendfile."""
    ends = os.pipe()
    for end in ends:
        stack.callback(os.close, end)
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    return f"{fcntl.fcntl(ends[1], fcntl.F_GETPIPE_SZ)} bytes"


def try_direct(stack: ExitStack, directory: str) -> str:
    """Reading past the page cache, into aligned memory."""
    file = _open(stack, directory, os.O_DIRECT)
    page = mmap.mmap(-1, PAGE)
    os.pwrite(file, page, 0)
    if os.preadv(file, [page], 0) != PAGE:
        raise OSError("a short read")
    return ""


def try_nowait(stack: ExitStack, directory: str) -> str:
    """Reading only what is in the page cache."""
    file = _open(stack, directory)
    os.write(file, bytes(PAGE))
    os.preadv(file, [bytearray(PAGE)], 0, os.RWF_NOWAIT)
    return ""


def try_transparent_huge(stack: ExitStack, directory: str) -> str:
    """Huge pages on request (madvise)."""
    block = stack.enter_context(mmap.mmap(-1, 4 << 20))
    block.madvise(mmap.MADV_HUGEPAGE)
    with suppress(OSError), open("/sys/kernel/mm/transparent_hugepage/enabled") as setting:
        chosen = setting.read()
        return chosen[chosen.find("[") + 1 : chosen.find("]")]
    return ""


def try_reserved_huge(stack: ExitStack, directory: str) -> str:
    """Huge pages that somebody reserved."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    stack.enter_context(mmap.mmap(-1, 2 << 20, flags=flags))
    return ""


def try_memfd(stack: ExitStack, directory: str) -> str:
    """A file in memory, which sendfile takes like any other."""
    stack.callback(os.close, os.memfd_create("zbuf-probe", os.MFD_CLOEXEC))
    return ""


def try_packet_ring(stack: ExitStack, directory: str) -> str:
    """Raw packets, for a TPACKET_V3 ring."""
    stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0))
    return ""


def try_xdp(stack: ExitStack, directory: str) -> str:
    """A socket of the AF_XDP family."""
    stack.enter_context(socket.socket(44, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0))
    return ""


OTHERS: dict[str, Callable[[ExitStack, str], str]] = {
    "copy_file_range": try_copy_file_range,
    "tee": try_tee,
    "F_SETPIPE_SZ": try_pipe_size,
    "O_DIRECT": try_direct,
    "RWF_NOWAIT": try_nowait,
    "huge pages, transparent": try_transparent_huge,
    "huge pages, reserved": try_reserved_huge,
    "memfd_create": try_memfd,
    "AF_PACKET": try_packet_ring,
    "AF_XDP": try_xdp,
}


def other(name: str, directory: str) -> Finding:
    """Try one of OTHERS. Never raises an OSError: it is the finding."""
    try:
        with ExitStack() as stack:
            return Finding(name, "other", True, note=OTHERS[name](stack, directory))
    except (OSError, AttributeError, ValueError) as exc:  # AttributeError: this Python or system has no such name
        return Finding(name, "other", False, note=_why(exc))


def interfaces() -> tuple[Interface, ...]:
    """Return what each network interface says of itself; nothing on a system that cannot be asked."""
    try:
        names = [name for _, name in socket.if_nameindex()]
    except OSError:
        return ()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return tuple(
            Interface(
                name,
                _ask(sock, name, ETHTOOL_GSG),
                _ask(sock, name, ETHTOOL_GTXCSUM),
                _ask(sock, name, ETHTOOL_GTSO),
            )
            for name in names
        )


def _ask(sock: socket.socket, name: str, command: int) -> bool | None:
    """Return the answer to one question of ethtool: struct ifreq with a pointer to struct ethtool_value."""
    value = array.array("I", (command, 0))
    request = struct.pack("16sP", name.encode()[:15], value.buffer_info()[0]).ljust(40, b"\x00")
    try:
        fcntl.ioctl(sock.fileno(), SIOCETHTOOL, request)
    except OSError:
        return None
    return bool(value[1])
