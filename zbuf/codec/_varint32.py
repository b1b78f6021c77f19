"""Frames behind their length as a protobuf varint: the decoder, and the prepender.

Owns    the length: 1 to 5 bytes of 7 bits each, the low ones first, 32 bits in all.
Never   what is in the message; protobuf itself.
Always  a padded length is accepted, a sixth byte or a 33rd bit is not; the shortest form is written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import set_offset, store_8, to_bytes

from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, DecoderCore, Encoder, NeedData
from zbuf.codec._length_field import PrependerCore
from zbuf.codec._limits import checked_length, frame_too_long, limits_for
from zbuf.errors import CorruptedFrameError, EncodeError
from zbuf.region import FileRegion

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["ProtobufVarint32FrameDecoder", "ProtobufVarint32LengthFieldPrepender"]

MOST_BYTES = 5
LAST_BITS = 0x0F  # of the fifth byte: bits 28 to 31
MOST = 2**32 - 1
_NEED_DATA: Any = NEED_DATA


class Varint32Core(DecoderCore):
    """The compiled half of `ProtobufVarint32FrameDecoder`."""

    def __init__(self, max_frame_length: int) -> None:
        longest = checked_length("max_frame_length", max_frame_length)
        super().__init__(limits_for(longest, MOST_BYTES))
        self.max_frame_length = longest
        self._max_frame = sys.maxsize  # checked at the head
        self._skip = 0  # how many bytes are to come of a frame that was refused
        self._overridden = type(self).parse is not Varint32Core.parse

    def parse(self, buf: ByteBuf) -> Any:
        """Cut one frame off the front of `buf`."""
        return self._frame(buf)

    def reset(self) -> None:
        """Forget a frame that was being skipped."""
        self._skip = 0

    def _parse(self, buf: ByteBuf) -> Any:
        return self.parse(buf) if self._overridden else self._frame(buf)

    def _frame(self, buf: ByteBuf) -> Any:
        if self._skip and self._skip_some(buf):
            return _NEED_DATA
        readable = buf._writer - buf._reader
        value = 0
        size = 0
        byte = 0x80
        while byte >= 0x80:
            if size == readable:
                return _NEED_DATA
            byte = buf.get_unsigned_byte(buf._reader + size)
            if size == MOST_BYTES - 1 and byte > LAST_BITS:
                buf._reader += MOST_BYTES
                raise CorruptedFrameError("the length of a frame is no varint of 32 bits")
            value |= (byte & 0x7F) << (7 * size)
            size += 1
        if value > self.max_frame_length:
            return self._too_long(buf, size, value)
        if value > readable - size:
            self._want = size + value
            return _NEED_DATA
        buf._reader += size
        return buf.read_slice(value)

    def _skip_some(self, buf: ByteBuf) -> bool:
        """Skip what is there of a frame that was refused; return whether nothing is left to parse."""
        n = min(self._skip, buf._writer - buf._reader)
        buf._reader += n
        self._skip -= n
        return buf._reader == buf._writer

    def _too_long(self, buf: ByteBuf, size: int, value: int) -> Any:
        buf._reader += size
        self._skip = value
        self._skip_some(buf)
        raise frame_too_long(self.max_frame_length, value)


class ProtobufVarint32FrameDecoder(Varint32Core, Decoder[ByteBuf]):
    r"""Cut a stream into frames, each behind its length as a protobuf varint of up to 32 bits.

    Shape: a frame has up to max_frame_length bytes, the length in front of it not counted and not part of it. A length
    may be padded with bytes of 80 hex up to five bytes.
    Ownership: feed() transfers; frames share the block they came in.
    Raises: ValueError at construction. Decoding: TooLongFrameError at the head of a longer frame, which is then
    skipped; CorruptedFrameError for a length of more than 5 bytes or 32 bits. Usable afterwards.
    Source: Netty ProtobufVarint32FrameDecoder; protobuf's delimited messages (writeDelimitedTo).

    >>> frames = ProtobufVarint32FrameDecoder(1024)
    >>> frames.feed(b"\x02Hi\x00\x85")
    >>> [bytes(frame) for frame in frames], frames.buffered
    ([b'Hi', b''], 1)
    """

    if TYPE_CHECKING:

        def parse(self, buf: ByteBuf) -> ByteBuf | NeedData: ...


class VarintPrependerCore(PrependerCore):
    """The compiled half of `ProtobufVarint32LengthFieldPrepender`."""

    def __init__(self) -> None:
        super().__init__(8)

    def header(self, n: int, alloc: Allocator) -> ByteBuf:
        """Return a buffer holding the length of a message of `n` bytes. Raises: EncodeError."""
        check_size(n)
        head: ByteBuf = alloc.buffer(MOST_BYTES)
        head._writer = self._write(head._base, set_offset(head, 0, MOST_BYTES), n)
        return head

    def header_bytes(self, n: int) -> bytes:
        """Return the same as bytes. Raises: EncodeError."""
        check_size(n)
        size = self._write(self._scratch.base, 0, n)
        made: bytes = to_bytes(self._scratch.base, 0, size)
        return made

    def _write(self, base: memoryview, at: int, value: int) -> int:
        size = 1
        while value > 0x7F:
            store_8(base, at, value & 0x7F | 0x80)
            at += 1
            size += 1
            value >>= 7
        store_8(base, at, value)
        return size


class ProtobufVarint32LengthFieldPrepender(VarintPrependerCore, Encoder["ByteBuf | FileRegion | Buffer"]):
    r"""Put the length of a message in front of it, as a protobuf varint of up to 32 bits in its shortest form.

    Ownership: the message itself follows the header, nothing of it is copied; regions keep their bytes in the kernel.
    Raises: EncodeError for a message of 4 GiB or more. Source: Netty ProtobufVarint32LengthFieldPrepender.

    >>> from zbuf import default_allocator, wrap
    >>> head, body = ProtobufVarint32LengthFieldPrepender().encode(wrap(bytes(300)), default_allocator())
    >>> bytes(head)
    b'\xac\x02'
    """

    accepts: ClassVar[type | tuple[type, ...]] = (ByteBuf, FileRegion, bytes, bytearray, memoryview)

    if TYPE_CHECKING:

        def encode(
            self, msg: ByteBuf | FileRegion | Buffer, alloc: Allocator
        ) -> Iterable[ByteBuf | FileRegion | Buffer]: ...


def check_size(n: int) -> None:
    """Raise EncodeError for a message whose length is no varint of 32 bits."""
    if n > MOST:
        raise EncodeError(f"a message of {n} bytes is too long for a length of 32 bits: 0..{MOST}")
