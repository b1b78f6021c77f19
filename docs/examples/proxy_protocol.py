"""The PROXY protocol, versions 1 and 2: who really connected, said by the proxy in front
(https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).

The header stands before the first byte of the connection. Believe it only where nobody but your proxy can connect:
whoever speaks it names any address he likes. That is why a handler must be put in, and is nowhere the default.
"""

import ipaddress
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from zbuf import AttributeKey, ByteBuf, Decoder, DecoderHandler, Limits, NeedData
from zbuf.errors import CorruptedFrameError, EncodeError, LimitExceededError
from zbuf.pipeline import Context, Handler, Pipeline

V1_LIMIT = 107  # section 2.1: the longest line, its end included
V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2_LIMIT = 4096  # ours, of addresses and TLVs; the length field allows 65,535
TLV_LIMIT = 64  # ours, nested ones included
DEPTH_LIMIT = 2  # a PP2_TYPE_SSL holds others, and these hold none

ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL, NETNS = 1, 2, 3, 4, 5, 0x20, 0x30


class Transport(Enum):
    """What the client connected with; the value is the byte of version 2."""

    UNSPEC = 0x00
    TCP4 = 0x11
    UDP4 = 0x12
    TCP6 = 0x21
    UDP6 = 0x22
    UNIX = 0x31
    UNIX_DATAGRAM = 0x32


ADDRESSES = {  # size of the address block: section 2.2
    Transport.TCP4: 12,
    Transport.UDP4: 12,
    Transport.TCP6: 36,
    Transport.UDP6: 36,
    Transport.UNIX: 216,
    Transport.UNIX_DATAGRAM: 216,
}
Address = tuple[str, int] | bytes | None  # host and port, the path of a UNIX socket, or unknown


@dataclass(frozen=True)
class Tlv:
    """A field behind the addresses. `inner`: the fields in it, of an SSL one."""

    kind: int
    value: bytes
    inner: tuple["Tlv", ...] = ()


@dataclass(frozen=True)
class ProxyHeader:
    """What the proxy says. `is_local`: the proxy speaks for itself, a health check for example."""

    transport: Transport
    source: Address = None
    destination: Address = None
    version: int = 2
    is_local: bool = False
    tlvs: tuple[Tlv, ...] = ()


PROXY: AttributeKey[ProxyHeader] = AttributeKey("proxy")


class ProxyDecoder(Decoder[ProxyHeader]):
    """Reads one header, of either version. Raises: CorruptedFrameError, LimitExceededError: close the connection."""

    def __init__(self) -> None:
        super().__init__(Limits(max_frame_bytes=16 + V2_LIMIT))

    def parse(self, buf: ByteBuf) -> ProxyHeader | NeedData:
        """Read it when it is whole; say no as soon as it cannot be one."""
        seen = buf.get_bytes(buf.reader_index, min(buf.readable_bytes, len(V2_SIGNATURE)))
        if seen == V2_SIGNATURE:
            return self._version_2(buf)
        if V2_SIGNATURE.startswith(seen):
            return self.need(len(seen) + 1)
        start = b"PROXY "
        if seen[: len(start)] != start[: len(seen)]:
            raise CorruptedFrameError("no PROXY header")
        end = buf.find(b"\r\n", end=min(buf.writer_index, buf.reader_index + V1_LIMIT))
        if end >= 0:
            line = buf.read_bytes(end + 2 - buf.reader_index)
            return version_1(line[:-2])
        if buf.readable_bytes >= V1_LIMIT:
            raise LimitExceededError("a PROXY line too long", limit="v1", maximum=V1_LIMIT)
        return self.need(buf.readable_bytes + 1)

    def _version_2(self, buf: ByteBuf) -> ProxyHeader | NeedData:
        if not buf.can_read(16):
            return self.need(16)
        at = buf.reader_index + len(V2_SIGNATURE)
        what, family, n = struct.unpack(">BBH", buf.get_bytes(at, 4))
        if what >> 4 != 2 or what & 15 > 1:
            raise CorruptedFrameError(f"version and command 0x{what:02x}")
        if n > V2_LIMIT:
            raise LimitExceededError("a PROXY header too long", limit="v2", maximum=V2_LIMIT, value=n)
        if not buf.can_read(16 + n):
            return self.need(16 + n)
        return version_2(buf.read_bytes(16 + n), family, is_local=what & 15 == 0)


def version_1(line: bytes) -> ProxyHeader:
    """Return what a line of version 1 says (section 2.1). Stricter than int(): no other spelling of a port passes."""
    words = line.split(b" ")
    if words[1:2] == [b"UNKNOWN"]:
        return ProxyHeader(Transport.UNSPEC, version=1)
    transports = {b"TCP4": (Transport.TCP4, ipaddress.IPv4Address), b"TCP6": (Transport.TCP6, ipaddress.IPv6Address)}
    if len(words) != 6 or words[1] not in transports:
        raise CorruptedFrameError("not PROXY TCP4|TCP6|UNKNOWN, two addresses and two ports")
    transport, kind = transports[words[1]]
    try:
        hosts = [str(kind(word.decode("ascii"))) for word in words[2:4]]
    except ValueError:
        raise CorruptedFrameError("an address that is none") from None
    if not all(re.fullmatch(rb"0|[1-9][0-9]{0,4}", word) and int(word) < 65536 for word in words[4:]):
        raise CorruptedFrameError("a port that is none")
    source, destination = zip(hosts, map(int, words[4:]), strict=True)
    return ProxyHeader(transport, source, destination, version=1)


def version_2(data: bytes, family: int, *, is_local: bool) -> ProxyHeader:
    """Return what a header of version 2 says (section 2.2)."""
    try:
        transport = Transport(family)
    except ValueError:
        raise CorruptedFrameError(f"family and transport 0x{family:02x}") from None
    size = ADDRESSES.get(transport, 0)
    if len(data) - 16 < size:
        raise CorruptedFrameError(f"{len(data) - 16} bytes for addresses of {size}")
    source, destination = addresses(transport, data[16 : 16 + size])
    if transport is Transport.UNSPEC:
        return ProxyHeader(transport, is_local=is_local)  # what follows may be anything (section 2.2)
    tlvs = tuple(fields(data, 16 + size, len(data)))
    check_sum(data, 16 + size)
    if is_local:
        source = destination = None  # they must be ignored, says section 2.2
    return ProxyHeader(transport, source, destination, 2, is_local, tlvs)


def addresses(transport: Transport, block: bytes) -> tuple[Address, Address]:
    """Return source and destination from the address block."""
    if not block:
        return None, None
    if len(block) == 216:
        return block[:108].rstrip(b"\x00"), block[108:].rstrip(b"\x00")
    width = 4 if len(block) == 12 else 16
    hosts = [str(ipaddress.ip_address(block[at : at + width])) for at in (0, width)]
    ports = struct.unpack_from(">HH", block, 2 * width)
    return (hosts[0], ports[0]), (hosts[1], ports[1])


def fields(data: bytes, at: int, end: int, depth: int = 1) -> Iterator[Tlv]:
    """Yield the TLVs of data[at:end]. Raises: for one that does not fit, too many, too deep."""
    count = 0
    while at < end:
        count += 1
        if count > TLV_LIMIT:
            raise LimitExceededError("too many fields", limit="tlvs", maximum=TLV_LIMIT)
        if end - at < 3:
            raise CorruptedFrameError("half a field")
        kind, n = struct.unpack_from(">BH", data, at)
        at += 3
        if n > end - at:
            raise CorruptedFrameError(f"a field of {n} bytes where {end - at} are left")
        inner: tuple[Tlv, ...] = ()
        if kind == SSL:
            if depth == DEPTH_LIMIT or n < 5:
                raise CorruptedFrameError("an SSL field in an SSL field, or half of one")
            inner = tuple(fields(data, at + 5, at + n, depth + 1))
        yield Tlv(kind, data[at : at + n], inner)
        at += n


def check_sum(data: bytes, at: int) -> None:
    """Raise if there is a checksum among the fields from `at` on, and it is wrong (section 2.2.3)."""
    while at < len(data):
        kind, n = struct.unpack_from(">BH", data, at)
        at += 3
        if kind == CRC32C and (n != 4 or crc32c(data[:at] + bytes(4) + data[at + 4 :]) != number(data[at : at + 4])):
            raise CorruptedFrameError("the checksum is wrong")
        at += n


def number(data: bytes) -> int:
    """Return the number in bytes of network order."""
    return int.from_bytes(data, "big")


def crc32c(data: bytes) -> int:
    """Return the Castagnoli CRC (RFC 9260, appendix A); by bits, which is quick enough for a header."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def encode(header: ProxyHeader) -> bytes:
    """Return the bytes of a header. Raises: EncodeError for what its version cannot say."""
    try:
        return line_of(header) if header.version == 1 else block_of(header)
    except (ValueError, TypeError, struct.error) as exc:
        raise EncodeError(f"{header.transport.name} with these addresses: {exc}") from None


def line_of(header: ProxyHeader) -> bytes:
    """Return the line of version 1."""
    if header.transport is Transport.UNSPEC:
        return b"PROXY UNKNOWN\r\n"
    if header.transport not in (Transport.TCP4, Transport.TCP6):
        raise EncodeError(f"version 1 does not know {header.transport.name}")
    packed = block_of(ProxyHeader(header.transport, header.source, header.destination))  # checks and normalises
    (source, sport), (target, tport) = addresses(header.transport, packed[16:])  # type: ignore[misc]  # TCP: host and port
    return f"PROXY {header.transport.name} {source} {target} {sport} {tport}\r\n".encode()


def block_of(header: ProxyHeader) -> bytes:
    """Return the block of version 2."""
    body = b""
    if header.transport in (Transport.UNIX, Transport.UNIX_DATAGRAM):
        for path in (header.source, header.destination):
            if not isinstance(path, bytes) or len(path) > 108:
                raise ValueError("a path is bytes, at most 108")
            body += path.ljust(108, b"\x00")
    elif header.transport is not Transport.UNSPEC:
        (source, sport), (target, tport) = header.source, header.destination  # type: ignore[misc]  # else TypeError
        kind = ipaddress.IPv4Address if ADDRESSES[header.transport] == 12 else ipaddress.IPv6Address
        body = kind(source).packed + kind(target).packed + struct.pack(">HH", sport, tport)
    body += b"".join(struct.pack(">BH", tlv.kind, len(tlv.value)) + tlv.value for tlv in header.tlvs)
    command = 0x20 if header.is_local else 0x21
    return V2_SIGNATURE + struct.pack(">BBH", command, header.transport.value, len(body)) + body


class ProxyHandler(Handler[ProxyHeader, object]):
    """Keeps the header as `channel.attributes[PROXY]` and leaves; what follows the header goes to the next handler."""

    @staticmethod
    def put_into(pipeline: Pipeline) -> None:
        """Put it in front of everything else."""
        pipeline.add_first("proxy", ProxyHandler())
        pipeline.add_first("proxy header", DecoderHandler(ProxyDecoder()))

    def channel_read(self, ctx: Context, msg: ProxyHeader) -> None:
        ctx.channel.attributes[PROXY] = msg
        ctx.fire_user_event_triggered(msg)
        ctx.pipeline.remove("proxy")
        ctx.pipeline.remove("proxy header")
