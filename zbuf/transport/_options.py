"""What a channel may be told: one frozen record, checked when it is made.

Owns    every knob of a channel, its default, and how those that the kernel knows reach a socket.
Never   a channel, a loop, an open connection.
Always  limits are finite and positive; 0 never means unlimited; an option the system lacks is ignored, not an error.
"""

import math
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["ChannelOptions"]

KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelOptions:
    """The options of a channel.

    `allocator`: where received bytes go and handlers get their buffers; None is a Pool that all channels share.
    `receive_min`, `receive_initial`, `receive_max`: sizes in bytes of one receive; the size goes up four steps after a
    full read and down one after two small ones.
    `reads_per_wakeup`, `writes_per_wakeup`, `file_bytes_per_wakeup`: what one channel may do before others get their
    turn.
    `low_water`, `high_water`: pending bytes; above the high mark a channel is not writable and awaited writes wait,
    until it is below the low mark. `file_high_water` does the same for bytes of regions; None leaves them out.
    `write_limit_bytes`, `write_limit_entries`, `write_limit_regions`: the hard cap; a write beyond it raises.
    `auto_read`: receive whenever something is there; off: one message for each `read()`.
    `read_only_when_writable`: stop receiving while the channel's own output is above its high mark, so that a peer
    who does not read replies is not asked for more requests; None: on for channels that a server accepted and whose
    handlers reply by themselves, off where a coroutine or the connecting side reads and writes independently.
    `allow_half_closure`: the peer's end of input leaves our output open.
    `auto_flush`: what was written goes out once per loop turn without being asked.
    `coalesce_below`: parts smaller than this are joined by copying; `small_file_below`: regions up to this size are
    read into the buffer before them.
    `region_failure_closes`: a file that cannot be opened or read closes the channel, also when no byte of it was sent;
    for protocols whose head has promised those bytes. Off: that write fails, and the channel goes on.
    `connect_timeout`, `close_timeout`: seconds to connect in all, and to drain the output at a graceful close.
    `inbox_limit`: messages kept for `async for` before reading pauses.
    The others are socket options; None leaves the kernel's default. `linger` is in seconds, 0 resets at close.

    Raises: ValueError for a number outside its range, TypeError for something that is no number.
    """

    allocator: "Allocator | None" = None
    receive_min: int = 64
    receive_initial: int = 2 * KIB
    receive_max: int = 64 * KIB
    reads_per_wakeup: int = 16
    writes_per_wakeup: int = 16
    file_bytes_per_wakeup: int = 2 * MIB
    low_water: int = 32 * KIB
    high_water: int = 64 * KIB
    file_high_water: int | None = None
    write_limit_bytes: int = 16 * MIB
    write_limit_entries: int = 65_536
    write_limit_regions: int = 1024
    auto_read: bool = True
    read_only_when_writable: bool | None = None
    allow_half_closure: bool = False
    auto_flush: bool = True
    coalesce_below: int = 2048
    small_file_below: int = 32 * KIB
    region_failure_closes: bool = False
    connect_timeout: float = 30.0
    close_timeout: float = 30.0
    inbox_limit: int = 64
    tcp_nodelay: bool = True
    keepalive: bool | None = None
    sndbuf: int | None = None
    rcvbuf: int | None = None
    reuse_address: bool | None = None
    reuse_port: bool | None = None
    linger: int | None = None
    backlog: int | None = None

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            _check(name, getattr(self, name), 1)
        for name in _AT_LEAST_ZERO:
            _check(name, getattr(self, name), 0)
        for name in _OPTIONAL:
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), 0 if name == "linger" else 1)
        for name in ("connect_timeout", "close_timeout"):
            _check_seconds(name, getattr(self, name))
        if not self.receive_min <= self.receive_initial <= self.receive_max:
            raise ValueError(
                "not receive_min <= receive_initial <= receive_max: "
                f"{self.receive_min}, {self.receive_initial}, {self.receive_max}"
            )
        if self.linger is not None and self.linger > MAX_LINGER:
            raise ValueError(f"linger is at most {MAX_LINGER} seconds, not {self.linger}")
        if self.low_water > self.high_water:
            raise ValueError(f"low_water {self.low_water} is above high_water {self.high_water}")


_AT_LEAST_ONE = (
    "receive_min",
    "receive_initial",
    "receive_max",
    "reads_per_wakeup",
    "writes_per_wakeup",
    "file_bytes_per_wakeup",
    "write_limit_bytes",
    "write_limit_entries",
    "write_limit_regions",
    "inbox_limit",
)
_AT_LEAST_ZERO = ("low_water", "high_water", "coalesce_below", "small_file_below")
_OPTIONAL = ("file_high_water", "sndbuf", "rcvbuf", "linger", "backlog")


def _check(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} is at least {least}, not {value}")


def _check_seconds(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of seconds, not {type(value).__name__}")
    if not math.isfinite(value) or not 0 < value <= MAX_SECONDS:
        raise ValueError(f"{name} is above 0 and at most {MAX_SECONDS} seconds, not {value}")


MAX_LINGER = 65_535  # what every system's struct linger holds
MAX_SECONDS = 86_400.0 * 365  # ours: longer timers overflow the clocks of some loops


def prepare_connection(sock: socket.socket, options: ChannelOptions) -> None:
    """Set the options of one connection on its socket. Raises: OSError where the kernel refuses a value."""
    if options.tcp_nodelay and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if options.keepalive is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(options.keepalive))
    if options.linger is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _linger(options.linger))
    prepare_sizes(sock, options)


def prepare_sizes(sock: socket.socket, options: ChannelOptions) -> None:
    """Set the kernel's buffer sizes: before connect and listen, because the window scale is agreed there."""
    if options.sndbuf is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, options.sndbuf)
    if options.rcvbuf is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf)


def prepare_listener(sock: socket.socket, options: ChannelOptions) -> None:
    """Set the options of a listener before it is bound. Raises: OSError where the kernel refuses a value."""
    local = sock.family not in (socket.AF_INET, socket.AF_INET6)
    reuse = options.reuse_address
    if reuse is None:
        reuse = not local and sys.platform != "win32"  # there the option means something else
    if reuse:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if options.reuse_port and hasattr(socket, "SO_REUSEPORT"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    prepare_sizes(sock, options)


def _linger(seconds: int) -> bytes:
    # struct linger { int l_onoff; int l_linger; }
    return (1).to_bytes(4, sys.byteorder) + seconds.to_bytes(4, sys.byteorder)
