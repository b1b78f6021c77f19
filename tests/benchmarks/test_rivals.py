"""The rivals do the same work: every server echoes every frame, in order, whatever way the bytes are cut."""

import importlib.util
import socket
from collections.abc import Iterator

import pytest

from benchmarks import _sockets
from benchmarks.against import serve
from benchmarks.flow import bench_echo, bench_loop
from benchmarks.flow._processes import Child, child

FRAMED = sorted(set(bench_echo.SERVERS.values()))
PLAIN = sorted(set(bench_loop.SERVERS.values()))


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Child]:
    """A server process; its first answer, the port, is not taken yet."""
    program, loop = request.param
    if loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
        pytest.skip("uvloop is not installed")
    with child("benchmarks.against.serve", program, loop, -1) as one:
        yield one


def _receive(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := sock.recv(65536)):
        data += more
    return data


@pytest.mark.parametrize("server", FRAMED, indirect=True)
def test_framed_server_echoes_frames_however_cut(server: Child) -> None:
    """Many frames in one piece, an empty one among them, and one byte at a time: the same bytes come back."""
    frames = b"".join(len(body).to_bytes(4, "big") + body for body in (b"a" * 64, b"", b"bc" * 3000, b"d"))
    with _sockets.dial(int(server.hear()["port"])) as sock:
        sock.settimeout(10)
        sock.sendall(frames)
        assert frames == _receive(sock, len(frames))
        for at in range(150):
            sock.sendall(frames[at : at + 1])
        sock.sendall(frames[150:])
        assert frames == _receive(sock, len(frames))


@pytest.mark.parametrize("server", FRAMED, indirect=True)
def test_framed_server_refuses_a_frame_above_the_bound(server: Child) -> None:
    """A length above the bound closes the connection: all pay for the check."""
    with _sockets.dial(int(server.hear()["port"])) as sock:
        sock.settimeout(10)
        sock.sendall(b"\xff\xff\xff\xff" + bytes(100))
        with pytest.raises(ConnectionError):
            if not sock.recv(1):
                raise ConnectionResetError


@pytest.mark.parametrize("server", PLAIN, indirect=True)
def test_plain_server_echoes_bytes(server: Child) -> None:
    """What goes in comes out."""
    with _sockets.dial(int(server.hear()["port"])) as sock:
        sock.settimeout(10)
        sock.sendall(b"abc" * 1000)
        assert b"abc" * 1000 == _receive(sock, 3000)


def test_server_answers_usage_with_growing_cpu_time() -> None:
    """Each question gets one answer, and work shows in it."""
    with child("benchmarks.against.serve", "protocol", "asyncio", -1) as server:
        port = int(server.hear()["port"])
        before = server.ask("usage")
        with _sockets.dial(port) as sock:
            for _ in range(300):
                sock.sendall(b"\0\0\0\1a")
                _receive(sock, 5)
        after = server.ask("usage")
    assert after["cpu"] > before["cpu"] > 0
    assert after["cpu"] == pytest.approx(after["user"] + after["system"])


def test_accepted_sockets_of_the_rivals_have_no_delay() -> None:
    """asyncio sets TCP_NODELAY only on sockets whose `proto` says TCP: the listener must say it."""
    with _sockets.listener() as listening, _sockets.dial(listening.getsockname()[1]):
        accepted, _ = listening.accept()
        with accepted:
            assert socket.IPPROTO_TCP == accepted.proto
            assert _sockets.describe().split()[0].encode() == accepted.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16
            ).rstrip(b"\0")


def test_program_table_has_every_server_of_the_groups() -> None:
    """No group names a program that the server does not know."""
    named = {program for program, _ in [*bench_echo.SERVERS.values(), *bench_loop.SERVERS.values()]}
    assert named <= set(serve.PROGRAMS)
