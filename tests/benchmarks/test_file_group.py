"""The file group: every sender sends the whole file, the receivers count it."""

import socket
from pathlib import Path

import pytest

from benchmarks import _sockets
from benchmarks.flow import bench_file
from benchmarks.flow._processes import child

SIZE = 12_000_001  # more than the kernel takes at once, and no multiple of 64 KiB


@pytest.fixture(scope="module")
def payload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the group makes it."""
    return bench_file.make_file(tmp_path_factory.mktemp("file") / "payload", SIZE)


def test_make_file_has_exactly_the_size(payload: Path) -> None:
    """The last block is cut, not padded."""
    assert SIZE == payload.stat().st_size


@pytest.mark.parametrize("method", sorted(bench_file.SENDERS.values()))
def test_sender_sends_the_bytes_of_the_file_and_accounts_once(method: str, payload: Path) -> None:
    """What arrives is the file, to the byte; one answer line follows, with CPU time in it."""
    with (
        child("benchmarks.against.send_file", method, payload, -1) as sender,
        _sockets.dial(int(sender.hear()["port"])) as sock,
    ):
        sock.settimeout(10)
        sock.sendall(b"g")
        data = bytearray()
        while len(data) < SIZE:
            data += sock.recv(1 << 20)
        assert payload.read_bytes() == data
        sock.sendall(b"d")
        assert sender.hear()["cpu"] > 0
        assert b"" == sock.recv(1)


@pytest.mark.parametrize("mode", ["discarding", "copying"])
def test_receiver_takes_the_whole_file_in_either_mode(mode: str, payload: Path) -> None:
    """Both receivers finish a transfer and say how long it took."""
    with (
        child("benchmarks.against.send_file", "sendfile", payload, -1) as sender,
        child("benchmarks.flow._receiver", -1) as receiver,
    ):
        port = int(sender.hear()["port"])
        for _ in range(2):
            assert receiver.ask(f"{port} {mode} {SIZE}")["seconds"] > 0
            assert sender.hear()["cpu"] > 0


def test_receiver_that_gets_too_little_says_so(payload: Path) -> None:
    """A sender that stops early is an error, not a fast transfer."""
    with _sockets.listener() as listening, child("benchmarks.flow._receiver", -1) as receiver:
        receiver.tell(f"{listening.getsockname()[1]} copying 100")
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"x" * 99)
            connection.shutdown(socket.SHUT_WR)
            with pytest.raises(RuntimeError, match="1 bytes early"):
                receiver.hear()
