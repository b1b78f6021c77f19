"""ChannelOptions: what is accepted, and that it reaches the socket.

Owns    the checks of ranges and types.
Never   a channel.
Always  0 never means unlimited."""

import dataclasses
import math
import socket
from typing import Any

import pytest

from zbuf.transport import ChannelOptions
from zbuf.transport._options import prepare_connection, prepare_listener


def test_defaults_are_those_of_the_surface() -> None:
    """Every default is finite and as documented."""
    found = ChannelOptions()
    assert (64, 2048, 65536) == (found.receive_min, found.receive_initial, found.receive_max)
    assert (16, 16, 2 << 20) == (found.reads_per_wakeup, found.writes_per_wakeup, found.file_bytes_per_wakeup)
    assert (32 << 10, 64 << 10, None) == (found.low_water, found.high_water, found.file_high_water)
    limits = (found.write_limit_bytes, found.write_limit_entries, found.write_limit_regions)
    assert (16 << 20, 65_536, 1024) == limits
    assert (True, False, 30.0, True) == (
        found.auto_read,
        found.allow_half_closure,
        found.connect_timeout,
        found.auto_flush,
    )
    assert (2048, 32 << 10, True) == (found.coalesce_below, found.small_file_below, found.tcp_nodelay)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(name, 0) for name in ("receive_min", "reads_per_wakeup", "writes_per_wakeup", "file_bytes_per_wakeup")],
        *[(name, 0) for name in ("write_limit_bytes", "write_limit_entries", "write_limit_regions", "inbox_limit")],
        *[(name, -1) for name in ("low_water", "high_water", "coalesce_below", "small_file_below", "file_high_water")],
        *[(name, 0) for name in ("sndbuf", "rcvbuf", "backlog", "file_high_water")],
        *[("connect_timeout", value) for value in (0, -1.0, math.nan, math.inf, 1e308)],
        *[("close_timeout", value) for value in (0, -1.0, math.nan, math.inf, 1e308)],
        ("linger", -1),
        ("linger", 65_536),
        ("receive_initial", 32),
        ("receive_max", 100),
        ("low_water", 100_000),
    ],
)
def test_a_value_outside_its_range_is_a_value_error(field: str, value: Any) -> None:
    """Zero, negative, not finite, or in the wrong order: refused when the record is made."""
    with pytest.raises(ValueError, match=r"\d|nan|inf"):
        ChannelOptions(**{field: value})


@pytest.mark.parametrize(("field", "value"), [("high_water", "64"), ("receive_max", 1.5), ("connect_timeout", None)])
def test_a_value_of_the_wrong_type_is_a_type_error(field: str, value: Any) -> None:
    """Numbers are numbers."""
    with pytest.raises(TypeError, match=field):
        ChannelOptions(**{field: value})


def test_options_are_frozen_and_keyword_only() -> None:
    """A record that several channels share does not change."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        ChannelOptions().auto_read = False  # type: ignore[misc]  # the test
    with pytest.raises(TypeError):
        ChannelOptions(None)  # type: ignore[call-arg]  # the test


def test_options_reach_the_socket() -> None:
    """What the kernel knows is set on a connection and on a listener."""
    options = ChannelOptions(keepalive=True, sndbuf=20_000, rcvbuf=30_000, linger=0, reuse_port=True)
    with socket.socket() as sock:
        prepare_connection(sock, options)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 20_000
        assert b"\x01\0\0\0\0\0\0\0" == sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    with socket.socket() as sock:
        prepare_listener(sock, options)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 30_000
