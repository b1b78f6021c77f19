"""The key-value server of the documentation against the clients of Redis, and its codec against cuts and enemies.

Owns    resp_codec.py and resp_server.py.
Never   a client of our own where there is a real one.
Always  the server runs as a process of its own, with warnings as errors, and must end in silence."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs._running import EXAMPLES, running
from zbuf import ByteBuf, _form, buffer, default_allocator
from zbuf.errors import CorruptedFrameError, DecodeError, EncodeError, LimitExceededError, TooLongFrameError
from zbuf.testing import check_decoder

LISTENING = r"listening on port (\d+)"
# The whole benchmark where it takes seconds; the interpreted form runs a tenth of it.
REQUESTS = 200_000 if _form.form() == "compiled" or "ZBUF_NIGHTLY" in os.environ else 20_000
needs_tools = pytest.mark.skipif(
    not (shutil.which("redis-cli") and shutil.which("redis-benchmark")), reason="redis-tools is not installed"
)


@pytest.fixture(scope="module")
def resp() -> Iterator[Any]:
    """The codec, imported as the server imports it."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield importlib.import_module("resp_codec")
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A running server."""
    with running(str(EXAMPLES / "resp_server.py"), "0", listens=LISTENING) as server:
        yield server.port


def cli(port: int, *arguments: str, text: str | None = None) -> str:
    """What redis-cli prints."""
    done = subprocess.run(
        ["redis-cli", "-p", str(port), *arguments], input=text, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


# The codec.

REPLIES: dict[bytes, Any] = {
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n": [b"SET", b"k", b"hello"],
    b"SET k  v\r\n": [b"SET", b"k", b"v"],
    b":-42\r\n": -42,
    b"+OK\r\n": "OK",
    b"#t\r\n": True,
    b"#f\r\n": False,
    b",1.5\r\n": 1.5,
    b",-inf\r\n": float("-inf"),
    b"(12345678901234567890\r\n": 12345678901234567890,
    b"=7\r\ntxt:abc\r\n": "abc",
    b"$0\r\n\r\n": b"",
    b"*0\r\n": [],
    b"%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n": {"a": 1, "b": [1, 2]},
    b"~2\r\n:1\r\n$1\r\nx\r\n": {1, b"x"},
    b">2\r\n+message\r\n*0\r\n": ["message", []],
    b"|1\r\n+ttl\r\n:1\r\n:9\r\n": 9,
    b"*2\r\n|1\r\n+x\r\n*1\r\n:0\r\n:1\r\n:2\r\n": [1, 2],
}


def test_resp_values_are_the_same_however_they_are_cut(resp: Any) -> None:
    """Every type of RESP2 and RESP3, whole, byte by byte and cut anywhere; empty lines say nothing."""
    data = b"\r\n".join(REPLIES)
    check_decoder(lambda: resp.RespDecoder(), data, list(REPLIES.values()))


def test_resp_nulls_errors_and_pushes_have_their_own_types(resp: Any) -> None:
    """The three nulls are NIL; both kinds of error are Error; a push is a list that knows what it is."""
    decoder = resp.RespDecoder()
    decoder.feed(b"$-1\r\n*-1\r\n_\r\n-ERR no\r\n!6\r\nERR no\r\n>1\r\n:1\r\n*1\r\n$-1\r\n")
    first, second, third, error, long_error, push, nested = decoder
    assert first is second is third is resp.NIL and nested == [resp.NIL] and not resp.NIL
    assert error == long_error == resp.Error("ERR no")
    assert type(push) is resp.Push


def test_resp_large_bulk_strings_are_neither_copied_in_nor_out(resp: Any) -> None:
    """4 KiB and more are a slice of what arrived, and leave as a part of their own."""
    payload = os.urandom(resp.BY_REFERENCE)
    source = buffer(8192)
    source.write_bytes(b"*1\r\n$%d\r\n" % len(payload) + payload + b"\r\n")
    kept = source.duplicate()
    decoder = resp.RespDecoder()
    decoder.feed(source)
    (value,) = decoder.next()
    assert isinstance(value, ByteBuf) and bytes(value) == payload
    kept.set_byte(kept.find(payload), payload[0] ^ 0xFF)
    assert value.get_unsigned_byte(0) == payload[0] ^ 0xFF, "the value is a copy"
    parts = list(resp.RespEncoder(3).encode([value], default_allocator()))
    assert [len(part) for part in parts] == [4 + 7, len(payload), 2]
    value.set_byte(0, 7)
    assert parts[1].get_byte(0) == 7, "the part is a copy"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"$-2\r\n", CorruptedFrameError),
        (b"*-2\r\n", CorruptedFrameError),
        (b"$1_0\r\n", CorruptedFrameError),
        (b"$ 1\r\n", CorruptedFrameError),
        (b"$\r\n", CorruptedFrameError),
        (b"$" + "²".encode() + b"\r\n", CorruptedFrameError),
        (b"$3\r\nabcde", CorruptedFrameError),
        (b"*1\r\nabc\r\n", CorruptedFrameError),
        (b"#x\r\n", CorruptedFrameError),
        (b",x\r\n", CorruptedFrameError),
        (b"%1\r\n*0\r\n:1\r\n", CorruptedFrameError),
        (b":" + b"9" * 21 + b"\r\n", CorruptedFrameError),
        (b"$536870912\r\n", LimitExceededError),
        (b"*2147483647\r\n", LimitExceededError),
        (b"*60000\r\n" + b":1\r\n" * 100 + b"*6000\r\n", LimitExceededError),
        (b"*1\r\n" * 33, LimitExceededError),
        (b"*1\r\n" * 100_000, LimitExceededError),
        (b"x" * (64 * 1024 + 1), TooLongFrameError),
    ],
)
def test_resp_hostile_input_raises_the_documented_class(resp: Any, data: bytes, error: type[DecodeError]) -> None:
    """Lengths, depths, counts and types that are wrong end in their error, whole or byte by byte."""
    whole = resp.RespDecoder()
    whole.feed(data[: 512 * 1024])
    with pytest.raises(error):
        list(whole)
    dribbled = resp.RespDecoder()
    with pytest.raises(error):
        for at in range(len(data)):
            dribbled.feed(data[at : at + 1])
            list(dribbled)


def test_resp_declared_sizes_allocate_nothing(resp: Any) -> None:
    """16 MiB declared, nine bytes sent: nine bytes held."""
    decoder = resp.RespDecoder()
    decoder.feed(b"*1\r\n$16777216\r\nxx")
    assert list(decoder) == [] and decoder.buffered == 2 and decoder.needed == 16777216


@pytest.mark.parametrize("version", [2, 3])
def test_resp_what_is_encoded_decodes_to_the_same(resp: Any, version: int) -> None:
    """RESP3 brings everything back; RESP2 has no maps, sets, booleans and floats, and brings what it has instead."""
    value = [1, b"two", "three", resp.NIL, None, {b"k": [True, 1.5]}, {b"x"}, resp.Error("ERR e"), resp.Push([b"p"])]
    decoder = resp.RespDecoder()
    for part in resp.RespEncoder(version).encode(value, default_allocator()):
        decoder.feed(part)
    got = decoder.next()
    if version == 3:
        assert got == [1, b"two", "three", resp.NIL, resp.NIL, *value[5:]]
    else:
        assert got == [1, b"two", "three", resp.NIL, resp.NIL, [b"k", [1, b"1.5"]], [b"x"], value[7], [b"p"]]


@pytest.mark.parametrize("text", ["a\r\n+b", "a\rb", "a\nb"])
def test_resp_a_line_break_cannot_be_smuggled_into_a_line(resp: Any, text: str) -> None:
    """Simple strings and errors with a line break are refused."""
    for value in (text, resp.Error(text), [text]):
        with pytest.raises(EncodeError):
            list(resp.RespEncoder().encode(value, default_allocator()))
    with pytest.raises(EncodeError):
        list(resp.RespEncoder().encode(object(), default_allocator()))


# The server.


@needs_tools
def test_redis_cli_speaks_both_versions(port: int) -> None:
    """SET, GET and HELLO by redis-cli, in RESP2 and RESP3; a wrong command is answered, not fatal."""
    assert cli(port, "SET", "cli", "value") == "OK\n"
    assert cli(port, "GET", "cli") == "value\n"
    assert "proto 3" in cli(port, "-3", "HELLO", "3").replace("\n", " ").replace("proto  3", "proto 3")
    assert "unknown command" in cli(port, "NOPE")
    assert cli(port, "INCRBY", "cli", "1").startswith("ERR value is not an integer")
    assert cli(port, text="MULTI\nSET a 1\nINCR a\nEXEC\n").split("\n")[3:5] == ["OK", "2"]


@needs_tools
def test_redis_benchmark_completes_without_an_error(port: int) -> None:
    """`redis-benchmark -t set,get -P 16`: every request is answered."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", "set,get", "-P", "16", "-n", str(REQUESTS), "--csv"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [row.split(",") for row in done.stdout.splitlines() if row.startswith(('"SET"', '"GET"'))]
    assert [row[0] for row in rows] == ['"SET"', '"GET"']
    assert all(float(row[1].strip('"')) > 0 for row in rows)
    assert "rror" not in done.stdout + done.stderr


@pytest.mark.parametrize("options", [{}, {"protocol": 2}, {"protocol": 3}], ids=["defaults", "RESP2", "RESP3"])
def test_redis_py_set_get_pipeline_transaction_and_pubsub(port: int, options: dict[str, int]) -> None:
    """redis-py with its defaults and in both versions: strings, pipelines, WATCH, publish and subscribe."""
    redis = pytest.importorskip("redis", reason="redis-py is not installed")
    with redis.Redis(port=port, **options) as client:
        client.flushdb()
        assert client.set("key", "value") and client.get("key") == b"value"
        large = os.urandom(1 << 20)
        assert client.set("large", large) and client.get("large") == large
        assert client.set("key", "other", nx=True) is None and client.get("nothing") is None
        with client.pipeline() as pipe:
            pipe.incr("n").incrby("n", 5).get("n").mget("key", "nothing")
            assert pipe.execute() == [1, 6, b"6", [b"value", None]]
        with client.pipeline(transaction=False) as pipe:
            for at in range(100):
                pipe.set(f"many:{at}", at)
            assert pipe.execute() == [True] * 100
        client.transaction(lambda pipe: (pipe.multi(), pipe.incr("n")), "n")
        assert client.get("n") == b"7"
        assert client.expire("n", 100) and 0 < client.ttl("n") <= 100
        assert sorted(client.keys("many:1?")) == [b"many:1%d" % at for at in range(10)]
        assert client.delete("key", "nothing") == 1 and client.exists("large") == 1
        with client.pubsub() as listener:
            listener.subscribe("topic")
            assert listener.get_message(timeout=5)["type"] == "subscribe"
            assert client.publish("topic", "news") == 1
            assert listener.get_message(timeout=5)["data"] == b"news"
            listener.unsubscribe("topic")
            assert listener.get_message(timeout=5)["type"] == "unsubscribe"
        assert client.publish("topic", "nobody") == 0
        with pytest.raises(redis.WatchError), client.pipeline() as pipe:
            pipe.watch("n")
            client.set("n", "changed")
            pipe.multi()
            pipe.set("n", "lost")
            pipe.execute()
        assert client.get("n") == b"changed"


@pytest.mark.parametrize("data", [b"*1\r\n$536870912\r\n", b"*1\r\n$3\r\nabcdefg", b"y" * 70_000])
def test_the_server_answers_broken_framing_and_closes(port: int, data: bytes) -> None:
    """One error reply, then the end; the server goes on."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(data)
        reply = b""
        try:
            while piece := sock.recv(4096):
                reply += piece
        except ConnectionResetError:
            pass  # what it did not read any more makes the close a reset
    assert reply.startswith(b"-ERR Protocol error: ") or not reply
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"PING\r\n")
        assert sock.recv(100) == b"+PONG\r\n"
