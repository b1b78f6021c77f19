"""The WebSocket server and client of the documentation: the Autobahn cases, a rival's client and server, hostile bytes.

Owns    websocket_codec.py, websocket_upgrade.py, and the two programs on them.
Never   a case of the Autobahn suite written again: kosoku runs the suite itself.
Always  the server runs as a process of its own, with warnings as errors, and must end in silence."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs._running import EXAMPLES, output_of, running
from zbuf import ByteBuf, buffer, default_allocator
from zbuf.errors import DecodeError, EncodeError, LimitExceededError
from zbuf.testing import check_decoder

LISTENING = r"listening on port (\d+)"
SERVER = str(EXAMPLES / "websocket_server.py")
CLIENT = str(EXAMPLES / "websocket_client.py")
KOSOKU = shutil.which("kosoku", path=str(Path(sys.executable).parent)) or shutil.which("kosoku")
needs_kosoku = pytest.mark.skipif(KOSOKU is None, reason="kosoku is not installed")
MASK = b"\x01\x02\x03\x04"


@pytest.fixture(scope="module")
def ws() -> Iterator[Any]:
    """The codec, imported as the server imports it."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield importlib.import_module("websocket_codec")
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A running server that takes the 16 MiB of the Autobahn cases."""
    with running(SERVER, "0", str(32 << 20), listens=LISTENING) as server:
        yield server.port


def frame(first: int, payload: bytes, *, mask: bytes = MASK) -> bytes:
    """A frame of a client, or with an empty mask of a server."""
    n = len(payload)
    bit = 0x80 if mask else 0
    if n < 126:
        head = struct.pack(">BB", first, bit | n)
    elif n < 65536:
        head = struct.pack(">BBH", first, bit | 126, n)
    else:
        head = struct.pack(">BBQ", first, bit | 127, n)
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return head + mask + body


def plain(message: Any) -> Any:
    """A message in a form that can be compared."""
    return bytes(message) if isinstance(message, ByteBuf) else message


# The codec.


def test_websocket_messages_are_the_same_however_they_are_cut(ws: Any) -> None:
    """Text, binary, fragments with a ping between them, pong, close; lengths of 7, 16 and 64 bits."""
    data = (
        frame(0x81, "grüße".encode())
        + frame(0x02, b"one")
        + frame(0x89, b"still there?")
        + frame(0x00, b"two")
        + frame(0x80, b"three")
        + frame(0x82, bytes(300))
        + frame(0x8A, b"")
        + frame(0x88, struct.pack(">H", 1000) + b"bye")
    )
    expected = ["grüße", ws.Ping(b"still there?"), b"onetwothree", bytes(300), ws.Pong(), ws.Close(1000, "bye")]
    check_decoder(lambda: ws.WebSocketDecoder(is_server=True), data, expected)
    large = ws.WebSocketDecoder(is_server=True)
    large.feed(frame(0x82, bytes(range(256)) * 512))
    assert bytes(large.next()) == bytes(range(256)) * 512


def test_websocket_a_client_takes_binary_without_a_copy(ws: Any) -> None:
    """What a server sends is not masked: the payload is a slice of what arrived."""
    source = buffer(256)
    source.write_bytes(frame(0x82, b"payload of a server", mask=b""))
    kept = source.duplicate()
    decoder = ws.WebSocketDecoder(is_server=False)
    decoder.feed(source)
    message = decoder.next()
    kept.set_byte(2, ord("P"))
    assert bytes(message) == b"Payload of a server"


def test_websocket_a_server_sends_binary_without_a_copy(ws: Any) -> None:
    """Head and payload are two parts; the payload is the very memory of the message."""
    payload = buffer(70_000)
    payload.write_bytes(bytes(70_000))
    head, body = ws.WebSocketEncoder(is_server=True).encode(payload, default_allocator())
    payload.set_byte(0, 7)
    assert bytes(head) == b"\x82\x7f" + struct.pack(">Q", 70_000) and body.get_byte(0) == 7


@pytest.mark.parametrize("is_server", [True, False])
@pytest.mark.parametrize("deflate", [None, {}, {"resets_sent": True, "resets_received": True}, {"send_bits": 9}])
def test_websocket_decoder_after_encoder_is_the_identity(ws: Any, is_server: bool, deflate: Any) -> None:
    """Every kind of message, both directions, with and without compression."""
    agreed = None if deflate is None else ws.Deflate(**deflate)
    decoder = ws.WebSocketDecoder(is_server=is_server, deflate=agreed)
    encoder = ws.WebSocketEncoder(is_server=not is_server, deflate=agreed)
    messages = ["", "text", "ü" * 500, b"", b"binary" * 1000, ws.Ping(b"?"), ws.Pong(), ws.Close(3000, "x"), "ü" * 500]
    for message in messages:
        for part in encoder.encode(message, default_allocator()):
            decoder.feed(part)
        assert plain(decoder.next()) == message
    for part in encoder.encode(ws.Close(1005), default_allocator()):
        decoder.feed(part)
    assert decoder.next() == ws.Close(1005)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(0x81, b"x", mask=b""), 1002),
        (frame(0xC1, b"x"), 1002),
        (frame(0xA1, b"x"), 1002),
        (frame(0x83, b"x"), 1002),
        (frame(0x8B, b"x"), 1002),
        (frame(0x09, b"x"), 1002),
        (frame(0x89, bytes(126)), 1002),
        (frame(0x80, b"x"), 1002),
        (frame(0x01, b"x") + frame(0x81, b"y"), 1002),
        (frame(0x88, b"x"), 1002),
        (frame(0x88, struct.pack(">H", 1005)), 1002),
        (frame(0x88, struct.pack(">H", 999)), 1002),
        (frame(0x88, struct.pack(">H", 5000)), 1002),
        (frame(0x88, struct.pack(">H", 1000) + b"\xc3"), 1007),
        (frame(0x81, b"\xc3"), 1007),
        (frame(0x01, b"\xff"), 1007),
        (frame(0x01, b"\xf0\x9f") + frame(0x80, b"\x98"), 1007),
    ],
)
def test_websocket_broken_frames_name_their_close_code(ws: Any, data: bytes, code: int) -> None:
    """Whole and byte by byte, the same code."""
    for step in (len(data), 1):
        decoder = ws.WebSocketDecoder(is_server=True)
        with pytest.raises(ws.WebSocketError) as caught:
            for at in range(0, len(data), step):
                decoder.feed(data[at : at + step])
                list(decoder)
        assert caught.value.code == code


def test_websocket_limits_come_before_the_memory(ws: Any) -> None:
    """A declared length, a sum of fragments, a number of fragments, and what inflates beyond the limit."""
    limits: dict[str, Any] = {"is_server": True, "message_limit": 1000, "fragment_limit": 4}
    bomb = zlib.compressobj(wbits=-15)
    packed = (bomb.compress(bytes(1 << 20)) + bomb.flush(zlib.Z_SYNC_FLUSH))[:-4]
    cases: list[tuple[bytes, Any]] = [
        (struct.pack(">BBQ", 0x82, 0xFF, 1 << 63) + MASK, None),
        (struct.pack(">BBH", 0x82, 0xFE, 1001) + MASK, None),
        (frame(0x02, bytes(600)) + frame(0x80, bytes(600)), None),
        (frame(0x02, b"") + frame(0x00, b"") * 4, None),
        (frame(0xC2, packed[:900]), ws.Deflate()),
    ]
    for data, deflate in cases:
        decoder = ws.WebSocketDecoder(deflate=deflate, **limits)
        decoder.feed(data)
        with pytest.raises(LimitExceededError):
            list(decoder)
    exactly = ws.WebSocketDecoder(**limits)
    exactly.feed(frame(0x82, bytes(1000)))
    assert len(exactly.next()) == 1000


def test_websocket_encoder_refuses_what_is_no_message(ws: Any) -> None:
    """A control frame too long, a reason too long, a type that WebSocket does not have."""
    encoder = ws.WebSocketEncoder(is_server=True)
    for message in (ws.Ping(bytes(126)), ws.Close(1000, "x" * 124), 5):
        with pytest.raises(EncodeError):
            list(encoder.encode(message, default_allocator()))


def test_websocket_random_bytes_raise_nothing_but_decode_errors(ws: Any) -> None:
    """Every two first bytes, followed by noise."""
    noise = bytes(range(7, 207))
    for first in range(256):
        for second in (0, 1, 125, 126, 127, 128, 129, 253, 254, 255):
            decoder = ws.WebSocketDecoder(is_server=bool(second & 128), deflate=ws.Deflate())
            decoder.feed(bytes((first, second)) + noise)
            try:
                list(decoder)
            except DecodeError:
                pass


# The programs.


def cases(port: int, tmp_path: Path, *choice: str) -> dict[str, tuple[str, str]]:
    """Run Autobahn cases against the server: case -> (behaviour, behaviour of the close)."""
    assert KOSOKU is not None
    command = [KOSOKU, *choice, "-o", str(tmp_path), f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    found = {}
    for path in tmp_path.glob("*_case_*.json"):
        report = json.loads(path.read_text())
        found[path.stem.partition("_case_")[2].replace("_", ".")] = report["behavior"], report["behaviorClose"]
    assert found, done.stdout + done.stderr
    return found


@needs_kosoku
@pytest.mark.timeout(300)
def test_autobahn_cases_none_fails(port: int, tmp_path: Path) -> None:
    """All but 12 and 13, which take minutes: framing, fragments, UTF-8, close, and 9: messages of up to 16 MiB."""
    found = cases(port, tmp_path, "-x", "12.*", "-x", "13.*")
    assert len(found) > 290
    bad = {case: how for case, how in found.items() if not {*how} <= {"OK", "NON-STRICT", "INFORMATIONAL"}}
    assert bad == {}


@needs_kosoku
@pytest.mark.timeout(120)
def test_autobahn_cases_of_compression_none_fails(port: int, tmp_path: Path) -> None:
    """One case of each group of 12 and 13: every kind of message, and every set of parameters."""
    chosen = [f"12.{at}.1" for at in range(1, 6)] + [f"13.{at}.1" for at in range(1, 8)]
    found = cases(port, tmp_path, *[word for case in chosen for word in ("-i", case)])
    assert len(found) == len(chosen)
    assert {how for pair in found.values() for how in pair} <= {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}


def test_client_and_server_of_the_page_talk(port: int) -> None:
    """The client says two words, gets them back, and both close."""
    assert output_of(CLIENT, str(port), "one", "zwei") == "one\nzwei\n"


def test_a_known_client_and_server_agree_with_ours(port: int) -> None:
    """`websockets` against our server, with and without compression, and our client against its server."""
    websockets = pytest.importorskip("websockets", reason="websockets is not installed")
    from websockets.asyncio import client, server

    async def main() -> str:
        for compression in ("deflate", None):
            url = f"ws://127.0.0.1:{port}/"
            async with client.connect(url, compression=compression, max_size=None) as remote:
                for message in ("text", "ü" * 100_000, b"binary", bytes(1 << 20)):
                    await remote.send(message)
                    assert await remote.recv() == message
                await (await remote.ping(b"x"))
                await remote.send(iter(["in ", "three ", "parts"]))
                assert await remote.recv() == "in three parts"

        async def echo(connection: Any) -> None:
            async for message in connection:
                await connection.send(message)

        async with server.serve(echo, "127.0.0.1", 0) as theirs:
            number = next(iter(theirs.sockets)).getsockname()[1]
            return await asyncio.to_thread(output_of, CLIENT, str(number), "to", "them")

    assert websockets is not None
    assert asyncio.run(main()) == "to\nthem\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"400"),
        (b"garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 12\r\n\r\n", b"426"),
        (b"x" * 9000, b"400"),
    ],
)
def test_what_is_no_handshake_is_refused(port: int, head: bytes, status: bytes) -> None:
    """An HTTP answer that says so, then the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(head)
        assert sock.recv(4096).startswith(b"HTTP/1.1 " + status)


def test_frames_in_the_packet_of_the_handshake_are_not_lost(port: int) -> None:
    """The first message may come with the request."""
    request = (
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request + frame(0x81, b"early") + frame(0x88, b""))
        reply = b""
        while piece := sock.recv(4096):
            reply += piece
    head, _, rest = reply.partition(b"\r\n\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # the example of RFC 6455, 1.3
    assert rest == frame(0x81, b"early", mask=b"") + frame(0x88, b"", mask=b"")
