"""Sockets that may be measured: loopback without a pacing congestion control.

Owns    the choice of congestion control, per socket.
Never   who sends over them.
Always  bbr is never left on a measured socket where another may be chosen: it paces loopback in software."""

from __future__ import annotations

import socket
from pathlib import Path

CONGESTION = b"reno"  # bbr reaches 1.5-2 GB/s on loopback at ten times the CPU; reno needs no privilege
_CURRENT = Path("/proc/sys/net/ipv4/tcp_congestion_control")
_ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")


def describe() -> str:
    """Return what the sockets of a run get, for the head line."""
    try:
        if CONGESTION.decode() in _ALLOWED.read_text(encoding="ascii").split():
            return f"{CONGESTION.decode()} (per socket; system default {_CURRENT.read_text(encoding='ascii').strip()})"
        return f"{_CURRENT.read_text(encoding='ascii').strip()} (system default)"
    except OSError:
        return "system default"


def prepare(sock: socket.socket) -> None:
    """Set congestion control on a TCP socket; on a listener, what it accepts inherits it."""
    option = getattr(socket, "TCP_CONGESTION", None)
    if option is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, option, CONGESTION)
    except OSError:  # not allowed here: describe() says which one runs
        return


def listener(backlog: int = 1024) -> socket.socket:
    """Return a prepared socket that listens on a free port of 127.0.0.1.

    The protocol is named: asyncio turns Nagle's delay off only on sockets whose `proto` says TCP, and one left on joins
    the small writes of a rival behind its back."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    prepare(sock)
    sock.bind(("127.0.0.1", 0))
    sock.listen(backlog)
    return sock


def dial(port: int) -> socket.socket:
    """Return a prepared blocking connection to 127.0.0.1, without Nagle's delay."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    prepare(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect(("127.0.0.1", port))
    return sock
