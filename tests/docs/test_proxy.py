"""The PROXY protocol of the documentation: both versions, cut anywhere, forged, and from the programs that speak it.

Owns    proxy_protocol.py.
Never   trust in a header that a rule of the protocol forbids.
Always  addresses that arrive are compared with what the client's own socket says."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs._running import EXAMPLES
from zbuf import ByteBuf, Channel, serve
from zbuf.errors import CorruptedFrameError, DecodeError, EncodeError, LimitExceededError
from zbuf.pipeline import Context, Handler
from zbuf.testing import EmbeddedChannel, check_decoder

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Any]:
    """The module, imported as a program beside it would."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield importlib.import_module("proxy_protocol")
    finally:
        sys.path.remove(str(EXAMPLES))


def headers(proxy: Any) -> list[Any]:
    """One of each kind."""
    transport, header, tlv = proxy.Transport, proxy.ProxyHeader, proxy.Tlv
    four, six = (("192.0.2.1", 56324), ("198.51.100.2", 443)), (("2001:db8::1", 1), ("::1", 65535))
    inner = tlv(0x21, b"TLSv1.3")
    ssl = tlv(proxy.SSL, b"\x01" + bytes(4) + b"\x21\x00\x07TLSv1.3", (inner,))
    return [
        header(transport.TCP4, *four, version=1),
        header(transport.TCP6, *six, version=1),
        header(transport.UNSPEC, version=1),
        header(transport.TCP4, *four),
        header(transport.UDP6, *six),
        header(transport.UNIX, b"/run/a", b"/run/b"),
        header(transport.UNSPEC, is_local=True),
        header(transport.TCP4, *four, tlvs=(tlv(proxy.AUTHORITY, b"example.org"), ssl, tlv(proxy.NOOP, b""))),
    ]


def test_proxy_headers_survive_the_wire_however_they_are_cut(proxy: Any) -> None:
    """Each kind, encoded, cut and decoded, is what it was."""
    for header in headers(proxy):
        check_decoder(proxy.ProxyDecoder, proxy.encode(header), [header])


def test_proxy_known_bytes(proxy: Any) -> None:
    """The line and the block of the specification, byte by byte."""
    four = headers(proxy)[0]
    assert proxy.encode(four) == b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
    block = SIGNATURE + b"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"
    assert proxy.encode(headers(proxy)[3]) == block
    longest = b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n"
    assert len(longest) == 104
    decoder = proxy.ProxyDecoder()
    decoder.feed(longest)
    assert decoder.next().source == (":".join(["ffff"] * 8), 65535)


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        b"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 \xff 1 2\r\n",
        b"PROXY \r\n",
        b"GET / HTTP/1.1\r\n",
        b"PROXZ",
        b"\r\n\r\n\x01",
    ],
)
def test_proxy_version_1_refuses_every_other_spelling(proxy: Any, line: bytes) -> None:
    """Whole and byte by byte."""
    for step in (len(line), 1):
        decoder = proxy.ProxyDecoder()
        with pytest.raises(CorruptedFrameError):
            for at in range(0, len(line), step):
                decoder.feed(line[at : at + step])
                list(decoder)


def test_proxy_a_line_without_end_fails_at_107_bytes(proxy: Any) -> None:
    """Not one byte later, and in linear time."""
    decoder = proxy.ProxyDecoder()
    decoder.feed(b"PROXY " + b"x" * 100)
    assert list(decoder) == []
    decoder.feed(b"x")
    with pytest.raises(LimitExceededError):
        list(decoder)


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        (b"\x11\x11\x00\x0c" + bytes(12), CorruptedFrameError),
        (b"\x22\x11\x00\x0c" + bytes(12), CorruptedFrameError),
        (b"\x21\x13\x00\x0c" + bytes(12), CorruptedFrameError),
        (b"\x21\x11\x00\x0b" + bytes(11), CorruptedFrameError),
        (b"\x21\x11\xff\xff", LimitExceededError),
        (b"\x21\x11\x00\x0e" + bytes(12) + b"\x02\x00", CorruptedFrameError),
        (b"\x21\x11\x00\x0f" + bytes(12) + b"\x02\x00\x01", CorruptedFrameError),
        (b"\x21\x11\x00\x13" + bytes(12) + b"\x03\x00\x04\x00\x00\x00\x00", CorruptedFrameError),
        (b"\x21\x11\x00\x10" + bytes(12) + b"\x03\x00\x01\x00", CorruptedFrameError),
        (b"\x21\x11\x00\x17" + bytes(12) + b"\x20\x00\x08" + bytes(5) + b"\x20\x00\x00", CorruptedFrameError),
        (b"\x21\x11\x00\x0f" + bytes(12) + b"\x20\x00\x00", CorruptedFrameError),
        (b"\x21\x11\x00\xcf" + bytes(12) + b"\x04\x00\x00" * 65, LimitExceededError),
    ],
)
def test_proxy_version_2_refuses_what_does_not_add_up(proxy: Any, rest: bytes, error: type[DecodeError]) -> None:
    """Versions, families, lengths, fields, nesting, counts and checksums that are wrong."""
    for step in (1000, 1):
        decoder = proxy.ProxyDecoder()
        with pytest.raises(error):
            for at in range(0, len(SIGNATURE + rest), step):
                decoder.feed((SIGNATURE + rest)[at : at + step])
                list(decoder)


def test_proxy_a_right_checksum_passes(proxy: Any) -> None:
    """CRC-32C of the header with zeros in its place; the check value of the algorithm first."""
    assert proxy.crc32c(b"123456789") == 0xE3069283
    empty = proxy.encode(
        proxy.ProxyHeader(proxy.Transport.TCP4, ("1.2.3.4", 1), ("5.6.7.8", 2), tlvs=(proxy.Tlv(3, bytes(4)),))
    )
    data = empty[:-4] + proxy.crc32c(empty).to_bytes(4, "big")
    decoder = proxy.ProxyDecoder()
    decoder.feed(data)
    assert decoder.next().source == ("1.2.3.4", 1)


def test_proxy_encoder_refuses_what_cannot_be_said(proxy: Any) -> None:
    """Wrong addresses, ports, paths, and transports that version 1 does not know."""
    transport, header = proxy.Transport, proxy.ProxyHeader
    for bad in (
        header(transport.TCP4, ("::1", 1), ("::1", 2)),
        header(transport.TCP4, ("1.2.3.4", 70000), ("1.2.3.4", 2)),
        header(transport.TCP4),
        header(transport.UNIX, b"x" * 109, b""),
        header(transport.UDP4, ("1.2.3.4", 1), ("1.2.3.4", 2), version=1),
        header(transport.TCP4, ("1.2.3.4\r\nX", 1), ("1.2.3.4", 2), version=1),
    ):
        with pytest.raises(EncodeError):
            proxy.encode(bad)


def test_proxy_handler_leaves_and_what_follows_the_header_is_not_lost(proxy: Any) -> None:
    """Header and first bytes in one packet: the handlers are gone, the bytes go on, the attribute stays."""
    channel: Any = EmbeddedChannel()
    channel.attributes = {}
    proxy.ProxyHandler.put_into(channel.pipeline)
    channel.write_inbound(proxy.encode(headers(proxy)[0])[:20])
    channel.write_inbound(proxy.encode(headers(proxy)[0])[20:] + b"PROXY is a word here")
    assert bytes(channel.read_inbound()) == b"PROXY is a word here"
    assert channel.attributes[proxy.PROXY] == headers(proxy)[0] and channel.pipeline.names() == []


# From real programs.


class Tells(Handler[ByteBuf, Any]):
    """Answers any request with the address in the PROXY header."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        """Answer, and close."""
        header = ctx.channel.attributes.get(self._key)
        text = f"{header.version} {header.source[0]} {header.source[1]}" if header and header.source else "nobody"
        ctx.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
        ctx.run(ctx.channel.close_gracefully())


def answer_to(proxy: Any, ask: Any) -> str:
    """Serve on a free port, and return what `ask(port)` returns, called in a thread."""

    def init(channel: Channel[Any, Any]) -> None:
        channel.pipeline.add_last("tells", Tells(proxy.PROXY))
        proxy.ProxyHandler.put_into(channel.pipeline)

    async def main() -> str:
        async with await serve(init, "127.0.0.1", 0) as server:
            return str(await asyncio.to_thread(ask, server.addresses[0][1]))

    return asyncio.run(main())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_proxy_header_of_curl(proxy: Any) -> None:
    """`curl --haproxy-protocol` says its own address, in version 1."""

    def ask(port: int) -> str:
        command = ["curl", "-s", "--haproxy-protocol", "-w", " %{local_port}", f"http://127.0.0.1:{port}/"]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    version, host, port, own = answer_to(proxy, ask).split()
    assert (version, host, port) == ("1", "127.0.0.1", own)


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
@pytest.mark.parametrize(("option", "version"), [("send-proxy", "1"), ("send-proxy-v2", "2")])
def test_proxy_header_of_haproxy(proxy: Any, tmp_path: Path, option: str, version: str) -> None:
    """A client behind a real haproxy is known by its own address."""

    def ask(port: int) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            front = probe.getsockname()[1]
        config = tmp_path / "haproxy.cfg"
        config.write_text(
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
            f"listen front\n bind 127.0.0.1:{front}\n server back 127.0.0.1:{port} {option}\n"
        )
        with subprocess.Popen(["haproxy", "-db", "-q", "-f", str(config)], stderr=subprocess.PIPE) as process:
            try:
                return _own_address_and_answer(front)
            finally:
                process.terminate()

    own, told = answer_to(proxy, ask).split("|")
    assert told == f"{version} 127.0.0.1 {own}"


def _own_address_and_answer(port: int) -> str:
    """Connect as soon as something listens."""
    deadline = time.monotonic() + 20
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    with sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = b""
        while piece := sock.recv(4096):
            answer += piece
        body = answer.rpartition(b"\r\n\r\n")[2].decode()
        return f"{sock.getsockname()[1]}|{body}"
