"""Frames with a checksum. Runs as it is; compiled with the .pxd beside it, the checksum runs at the speed of C.

2 bytes   length of the payload
n bytes   the payload
2 bytes   Fletcher-16 of the payload (RFC 1145 has its 32-bit brother)
"""

from collections.abc import Iterator

from zbuf import Allocator, ByteBuf, Decoder, Encoder, NeedData
from zbuf.errors import CorruptedFrameError, EncodeError


def fletcher16(buf: ByteBuf, index: int, length: int) -> int:
    """Return the checksum of `length` bytes from absolute `index`."""
    low = high = 0
    for at in range(index, index + length):
        low = (low + buf.get_unsigned_byte(at)) % 255
        high = (high + low) % 255
    return high << 8 | low


class CheckedDecoder(Decoder[ByteBuf]):
    """Bytes to payloads, which stay where they arrived."""

    def parse(self, buf: ByteBuf) -> ByteBuf | NeedData:
        if not buf.can_read(2):
            return self.need(2)
        n = buf.peek_unsigned_short()
        if not buf.can_read(n + 4):
            return self.need(n + 4)
        at = buf.reader_index + 2
        expected = buf.get_unsigned_short(at + n)
        buf.skip_bytes(2)
        payload = buf.read_slice(n)
        buf.skip_bytes(2)
        if fletcher16(payload, 0, n) != expected:
            raise CorruptedFrameError("the checksum of a frame is wrong")
        return payload


class CheckedEncoder(Encoder[ByteBuf]):
    """Payloads to bytes: the payload leaves between its length and its checksum, uncopied."""

    accepts = ByteBuf

    def encode(self, msg: ByteBuf, alloc: Allocator) -> Iterator[ByteBuf]:
        n = msg.readable_bytes
        if n > 0xFFFF:
            raise EncodeError(f"a payload has at most 65,535 bytes, not {n}")
        head, tail = alloc.buffer(2), alloc.buffer(2)
        head.write_short(n)
        tail.write_short(fletcher16(msg, msg.reader_index, n))
        yield head
        yield msg.duplicate()
        yield tail
