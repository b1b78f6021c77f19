"""The load generators: both count what an honest server echoes, and both notice one that is not."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from benchmarks import _sockets
from benchmarks.flow import _load
from benchmarks.flow._load import Shape, measure
from benchmarks.flow._processes import child

PLAIN = [sys.executable, "-m", "benchmarks.flow._load_plain"]


@pytest.fixture(params=["c", "python"])
def generator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each generator in turn."""
    if request.param == "c":
        if _load.build() is None:
            pytest.skip("no C compiler")
    else:
        monkeypatch.setattr(_load, "command", lambda: PLAIN)
    kind: str = request.param
    return kind


@contextlib.contextmanager
def _server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """One connection at a time, each read answered by `answer`; b"" closes."""
    with _sockets.listener() as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(ConnectionError):
                        while reply := answer(connection.recv(65536)):
                            connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("head", [0, 4])
@pytest.mark.parametrize("depth", [1, 16])
def test_load_counts_whole_messages(generator: str, depth: int, head: int) -> None:
    """The server sees exactly the bytes of the counted messages between the two samples."""
    seen = [0]

    def echo(data: bytes) -> bytes:
        seen[0] += len(data)
        return data

    with _server(echo) as port:
        run, before, after = measure(port, Shape(1, depth, 64, head), 0.1, 0.05, lambda: seen[0])
    assert run.messages > depth
    assert run.messages * (64 + head) == after - before
    assert run.seconds >= 0.1


def test_load_of_large_bodies_arrives_whole(generator: str) -> None:
    """Bodies larger than the generator's block come back checked and counted, short writes included."""
    with child("benchmarks.against.serve", "plain", "asyncio", -1) as server:
        port = int(server.hear()["port"])
        run, _, _ = measure(port, Shape(2, 3, 600_000), 0.2, 0.05, lambda: None)
    assert run.messages >= 6


def test_load_notices_wrong_bytes(generator: str) -> None:
    """An echo that changes a byte is no echo."""
    with _server(lambda data: data.replace(b"q", b"Q")) as port, pytest.raises(RuntimeError, match="wrong bytes"):
        measure(port, Shape(1, 1), 0.1, 0.05, lambda: None)


def test_load_notices_a_closed_connection(generator: str) -> None:
    """A server that goes away ends the run instead of lowering a figure."""
    with _server(lambda data: b"") as port, pytest.raises(RuntimeError, match=r"closed a connection|reset"):
        measure(port, Shape(1, 1), 0.1, 0.05, lambda: None)


def test_load_notices_more_bytes_than_asked_for(generator: str) -> None:
    """An echo that answers twice would double its figure."""
    with _server(lambda data: data + data) as port, pytest.raises(RuntimeError, match="more came back"):
        measure(port, Shape(1, 1), 0.1, 0.05, lambda: None)
