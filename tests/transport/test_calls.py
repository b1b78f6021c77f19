"""System calls as numbers, on real sockets, made directly and through the socket's methods.

Owns    the promises of Calls.
Never   a loop or a channel.
Always  both ways of making a call are tested; in the interpreted form they are the same."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zbuf.buffer import Pool, buffer
from zbuf.transport._calls import MSG_MORE, WOULD_BLOCK, Calls


class OtherSocket(socket.socket):
    """Not exactly a socket, so its methods are called."""


Pair = tuple[Calls, socket.socket]


@pytest.fixture(params=["unix", "tcp"])
def family(request: pytest.FixtureRequest) -> str:
    """Both families of stream sockets."""
    return str(request.param)


@pytest.fixture(params=[socket.socket, OtherSocket])
def pair(request: pytest.FixtureRequest, family: str) -> Iterator[Pair]:
    """Our calls on one end, a blocking socket at the other."""
    if family == "unix":
        ours, peer = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            peer, _ = listener.accept()
    sock = request.param(fileno=ours.detach())
    sock.setblocking(False)
    calls = Calls(sock)
    with peer:
        yield calls, peer
        calls.close()


def test_recv_gives_the_count_the_end_and_would_block(pair: Pair) -> None:
    """Bytes land at the start of the block; nothing there is WOULD_BLOCK, the end of input 0."""
    calls, peer = pair
    memory = Pool().lease(100)
    assert WOULD_BLOCK == calls.recv(memory, 100)
    peer.sendall(b"hello world")
    assert 5 == calls.recv(memory, 5)
    assert 6 == calls.recv(memory, 100)
    peer.shutdown(socket.SHUT_WR)
    assert 0 == calls.recv(memory, 100)


def test_send_and_sendmsg_take_buffers_of_every_kind(pair: Pair) -> None:
    """bytes, views and buffers, one or several, more than fit on the stack."""
    calls, peer = pair
    buf = buffer(16)
    buf.write_bytes(b"buffer")
    assert 5 == calls.send(b"bytes", 0)
    assert 6 == calls.send(buf.view(), MSG_MORE)
    parts = [b"%04d" % k for k in range(100)]
    assert 400 == calls.sendmsg([memoryview(part) for part in parts], 0)
    assert 8 == calls.sendmsg([b"ab", memoryview(b"cdef"), b"gh"], 0)
    expected = b"bytesbuffer" + b"".join(parts) + b"abcdefgh"
    assert expected == peer.recv(10_000, socket.MSG_WAITALL if len(expected) == 10_000 else 0) + rest(peer, expected)


def rest(peer: socket.socket, expected: bytes) -> bytes:
    """What of `expected` may still be in the kernel: segments arrive in pieces."""
    peer.setblocking(False)
    try:
        return peer.recv(len(expected))
    except BlockingIOError:
        return b""


def test_a_full_socket_is_would_block_after_a_short_count(pair: Pair) -> None:
    """A peer that does not read: first a short count, then WOULD_BLOCK, for both calls."""
    calls, _ = pair
    calls.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    block = bytes(1 << 20)
    sent: list[int] = []
    while not sent or sent[-1] > 0:
        sent.append(calls.send(block, 0))
        assert len(sent) < 1000
    assert WOULD_BLOCK == sent[-1]
    assert WOULD_BLOCK == calls.sendmsg([block, block], 0)


def test_a_gone_peer_is_a_number_and_no_signal(pair: Pair) -> None:
    """After the peer is gone sends end in EPIPE or ECONNRESET, nothing is raised."""
    calls, peer = pair
    peer.close()
    found = {calls.send(b"x", 0) for _ in range(3)} | {calls.sendmsg([b"x", b"y"], 0)}
    assert {n for n in found if n < 0} & {-errno.EPIPE, -errno.ECONNRESET}


def test_sendfile_moves_the_range_and_says_zero_at_the_end(pair: Pair, tmp_path: Path) -> None:
    """Offset and count are respected; 0 past the end; a directory is refused with a number."""
    calls, peer = pair
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    fd = os.open(path, os.O_RDONLY)
    try:
        assert 4 == calls.sendfile(fd, 3, 4)
        assert b"3456" == peer.recv(100)
        assert 0 == calls.sendfile(fd, 10, 4)
        assert 3 == calls.sendfile(fd, 7, 100)
    finally:
        os.close(fd)
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        assert calls.sendfile(directory, 0, 1) in (-errno.EINVAL, -errno.EISDIR)
    finally:
        os.close(directory)


def test_an_argument_without_a_buffer_is_an_exception(pair: Pair) -> None:
    """What is no buffer is the caller's mistake, not a number."""
    calls, _ = pair
    with pytest.raises(TypeError):
        calls.send(42, 0)  # type: ignore[arg-type]  # the test
    with pytest.raises(TypeError):
        calls.sendmsg([b"x", 42], 0)  # type: ignore[list-item]  # the test


def test_close_is_idempotent_and_detach_leaves_the_descriptor_open() -> None:
    """The descriptor is closed once, or given away."""
    ours, peer = socket.socketpair()
    calls = Calls(ours)
    calls.close()
    calls.close()
    assert not calls.is_open
    fd = peer.fileno()
    other = Calls(peer)
    other.detach()
    other.close()
    os.close(fd)


@pytest.mark.skipif(not hasattr(os, "sendfile"), reason="no sendfile here")
def test_no_call_raises_sigpipe_where_it_would_kill(tmp_path: Path) -> None:
    """With SIGPIPE at its default, a gone peer is an error number for send, sendmsg and sendfile: exit status 0."""
    path = tmp_path / "f"
    path.write_bytes(bytes(1 << 20))
    program = f"""
import os, signal, socket, errno
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from zbuf.transport._calls import Calls
class Other(socket.socket): pass
fd = os.open({str(path)!r}, os.O_RDONLY)
for kind in (socket.socket, Other):
    for call in ("send", "sendmsg", "sendfile"):
        a, b = socket.socketpair()
        sock = kind(fileno=a.detach())
        sock.setblocking(False)
        b.close()
        calls = Calls(sock)
        n = {{"send": lambda: calls.send(b"x", 0), "sendmsg": lambda: calls.sendmsg([b"x", b"y"], 0),
              "sendfile": lambda: calls.sendfile(fd, 0, 100)}}[call]()
        assert n == -errno.EPIPE, (call, n)
assert signal.SIGPIPE not in signal.sigpending()
assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (0, "alive") == (done.returncode, done.stdout.strip()), done.stderr
