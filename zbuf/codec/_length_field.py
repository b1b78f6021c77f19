"""Frames whose length stands in a field of the head: the decoder, and the prepender that writes such heads.

Owns    the arithmetic between a length field and the bytes of a frame, in both directions.
Never   pipelines, I/O, what a frame means.
Always  frames are slices of what arrived; nothing is allocated because of a declared length; state is reset before
        anything is raised, so the frame behind a bad one decodes.

A frame is `value + length_adjustment + length_field_offset + length_field_length` bytes long, where `value` is what
the field says.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import (
        allocate,
        set_offset,
        store_8,
        store_16,
        store_16_le,
        store_24,
        store_24_le,
        store_32,
        store_32_le,
        store_64,
        store_64_le,
        to_bytes,
    )

from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, DecoderCore, Encoder, NeedData
from zbuf.codec._limits import frame_too_long, limits_for
from zbuf.errors import CorruptedFrameError, EncodeError
from zbuf.memory._memory import Memory
from zbuf.region import FileRegion

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["LengthFieldBasedFrameDecoder", "LengthFieldPrepender"]

WIDTHS = (1, 2, 3, 4, 8)
FURTHEST = 2**62  # an adjustment beyond this could overflow 64 bits; no format comes near
_NEED_DATA: Any = NEED_DATA


class LengthFieldCore(DecoderCore):
    """The compiled half of `LengthFieldBasedFrameDecoder`."""

    def __init__(
        self,
        max_frame_length: int,
        length_field_offset: int = 0,
        length_field_length: int = 4,
        length_adjustment: int = 0,
        initial_bytes_to_strip: int = 0,
        *,
        little_endian: bool = False,
        fail_fast: bool = True,
    ) -> None:
        longest = operator.index(max_frame_length)
        offset = operator.index(length_field_offset)
        width = _checked_width(length_field_length)
        adjustment = _checked_adjustment(length_adjustment)
        strip = operator.index(initial_bytes_to_strip)
        if offset < 0:
            raise ValueError(f"length_field_offset must not be negative: {offset}")
        if strip < 0:
            raise ValueError(f"initial_bytes_to_strip must not be negative: {strip}")
        if not offset + width <= longest <= sys.maxsize:
            raise ValueError(f"max_frame_length must be {offset + width} (the head) .. {sys.maxsize}, not {longest}")
        super().__init__(limits_for(longest))
        self.max_frame_length = longest
        self._max_frame = sys.maxsize  # checked at the head; what is skipped in front of a frame is no part of it
        self._offset = offset
        self._width = width
        self._adjustment = adjustment
        self._strip = strip
        self._little = bool(little_endian)
        self._fail_fast = bool(fail_fast)
        self._overridden = type(self).parse is not LengthFieldCore.parse
        # What the field may say: the size of a frame is value + base, and values outside least..most are refused.
        self._head = offset + width
        self._base = adjustment + offset + width
        self._least = max(0, -adjustment, strip - adjustment - offset - width)
        self._most = max(-1, min(longest - adjustment - offset - width, 2**63 - 1))
        self._skip = 0
        self._late: int | None = None

    def parse(self, buf: ByteBuf) -> Any:
        """Cut one frame off the front of `buf`."""
        return self._frame(buf)

    def reset(self) -> None:
        """Forget a frame that was being skipped."""
        self._skip = 0
        self._late = None

    def end(self) -> None:
        """Say that no more bytes will come.

        Raises: IncompleteFrameError as every decoder; TooLongFrameError for a frame that was still being skipped and
        not yet reported (fail_fast=False)."""
        late = self._late
        if late is not None:
            self.leftover().release()
            raise frame_too_long(self.max_frame_length, late)
        super().end()

    def _parse(self, buf: ByteBuf) -> Any:
        return self.parse(buf) if self._overridden else self._frame(buf)

    def _frame(self, buf: ByteBuf) -> Any:
        if self._skip and self._skip_some(buf):
            return _NEED_DATA
        readable = buf._writer - buf._reader
        if readable < self._head:
            self._want = self._head
            return _NEED_DATA
        value = self._length_at(buf, buf._reader + self._offset)
        if value < self._least or value > self._most:
            return self._out_of_range(buf, value)
        size = value + self._base
        if readable < size:
            self._want = size
            return _NEED_DATA
        if self._strip:
            buf._reader += self._strip
            size -= self._strip
        return buf.read_slice(size)

    def _length_at(self, buf: ByteBuf, index: int) -> int:
        """Return the value of the length field at `index`; -1 for eight bytes with the top bit set."""
        width = self._width
        value: int
        if width == 4:
            value = buf.get_unsigned_int_le(index) if self._little else buf.get_unsigned_int(index)
        elif width == 2:
            value = buf.get_unsigned_short_le(index) if self._little else buf.get_unsigned_short(index)
        elif width == 1:
            value = buf.get_unsigned_byte(index)
        elif width == 3:
            value = buf.get_unsigned_medium_le(index) if self._little else buf.get_unsigned_medium(index)
        else:
            value = max(buf.get_long_le(index) if self._little else buf.get_long(index), -1)
        return value

    def _skip_some(self, buf: ByteBuf) -> bool:
        """Skip what is there of a frame that was refused; return whether more of it is to come."""
        n = min(self._skip, buf._writer - buf._reader)
        buf._reader += n
        self._skip -= n
        if self._skip:
            return True
        late, self._late = self._late, None
        if late is not None:
            raise frame_too_long(self.max_frame_length, late)
        return buf._reader == buf._writer

    def _out_of_range(self, buf: ByteBuf, value: int) -> Any:
        """Raise for a length field that says what cannot be; a frame that is too long is skipped."""
        said: Any = value
        size = said + self._adjustment + self._head  # a Python integer: the sum may exceed 64 bits
        if value < 0:
            buf._reader += self._head
            raise CorruptedFrameError("the 8-byte length field has its top bit set")
        if size < self._head:
            buf._reader += self._head
            raise CorruptedFrameError(f"the length {said}, adjusted by {self._adjustment}, is negative")
        if size <= self.max_frame_length:
            self._discard(buf, size)
            raise CorruptedFrameError(f"a frame of {size} bytes is shorter than the {self._strip} bytes to strip")
        self._discard(buf, size)
        if self._skip and not self._fail_fast:
            self._late = size
            return _NEED_DATA
        raise frame_too_long(self.max_frame_length, size)

    def _discard(self, buf: ByteBuf, size: int) -> None:
        """Consume the frame of `size` bytes at the front: what is there now, the rest as it comes."""
        n = min(size, buf._writer - buf._reader)
        buf._reader += n
        self._skip = min(size - n, sys.maxsize)


class LengthFieldBasedFrameDecoder(LengthFieldCore, Decoder[ByteBuf]):
    r"""Cut a stream into frames whose length is stored in a field of the head.

    Shape: a frame is field value + length_adjustment + length_field_offset + length_field_length bytes long, minus
    the first initial_bytes_to_strip; length_field_length is 1, 2, 3, 4 or 8, and lengths are unsigned. All of it, head
    included and before stripping, may be max_frame_length bytes.
    Ownership: feed() transfers; frames share the block they came in (copy() to keep 10 bytes out of 64 KiB).
    Raises: ValueError at construction. Decoding: TooLongFrameError at the head of a longer frame, whose rest is then
    skipped (fail_fast=False: when all of it is skipped); CorruptedFrameError for a length that is negative after
    adjustment, has the top bit of 8 bytes set, or is shorter than what is to be stripped. Usable afterwards.
    Source: Netty LengthFieldBasedFrameDecoder.

    >>> frames = LengthFieldBasedFrameDecoder(1024, length_field_length=2, initial_bytes_to_strip=2)
    >>> frames.feed(b"\x00\x02Hi\x00\x00\x00")
    >>> [bytes(frame) for frame in frames], frames.needed
    ([b'Hi', b''], 1)
    """

    if TYPE_CHECKING:

        def parse(self, buf: ByteBuf) -> ByteBuf | NeedData: ...


class PrependerCore:
    """The compiled half of `LengthFieldPrepender`."""

    def __init__(
        self,
        length_field_length: int,
        length_adjustment: int = 0,
        *,
        includes_length_field: bool = False,
        little_endian: bool = False,
    ) -> None:
        self._width = _checked_width(length_field_length)
        self._adjustment = _checked_adjustment(length_adjustment) + (self._width if includes_length_field else 0)
        self._most = min(256**self._width - 1, 2**63 - 1)
        self._little = bool(little_endian)
        self._scratch: Memory = allocate(8)

    def encode(self, msg: Any, alloc: Allocator) -> Any:
        """Return the header and `msg` itself."""
        return self.header(size_of(msg), alloc), msg

    def header(self, n: int, alloc: Allocator) -> ByteBuf:
        """Return a buffer holding the length field for a message of `n` bytes. Raises: EncodeError."""
        value = n + self._adjustment
        if value < 0 or value > self._most:
            raise _cannot_say(value, self._width, self._most)
        head: ByteBuf = alloc.buffer(self._width)
        self._put(head._base, set_offset(head, 0, self._width), value)
        head._writer = self._width
        return head

    def header_bytes(self, n: int) -> bytes:
        """Return the same as bytes, which are cheaper to make and to send than a buffer. Raises: EncodeError."""
        value = n + self._adjustment
        if value < 0 or value > self._most:
            raise _cannot_say(value, self._width, self._most)
        self._put(self._scratch.base, 0, value)
        made: bytes = to_bytes(self._scratch.base, 0, self._width)
        return made

    def _put(self, base: memoryview, at: int, value: int) -> None:
        width = self._width
        if width == 4 and not self._little:
            store_32(base, at, value)
        elif width == 2 and not self._little:
            store_16(base, at, value)
        elif width == 4:
            store_32_le(base, at, value)
        elif width == 2:
            store_16_le(base, at, value)
        elif width == 1:
            store_8(base, at, value)
        elif width == 3 and not self._little:
            store_24(base, at, value)
        elif width == 3:
            store_24_le(base, at, value)
        elif self._little:
            store_64_le(base, at, value)
        else:
            store_64(base, at, value)


class LengthFieldPrepender(PrependerCore, Encoder["ByteBuf | FileRegion | Buffer"]):
    r"""Put the length of a message in front of it, as a field of 1, 2, 3, 4 or 8 bytes.

    The field says the size of the message + length_adjustment, + its own width when includes_length_field is set.
    Ownership: the message itself follows the header, nothing of it is copied; regions keep their bytes in the kernel.
    Raises: ValueError at construction; EncodeError for a length that is negative or does not fit the field.
    Source: Netty LengthFieldPrepender.

    >>> from zbuf import default_allocator, wrap
    >>> [bytes(part) for part in LengthFieldPrepender(2).encode(wrap(b"Hi"), default_allocator())]
    [b'\x00\x02', b'Hi']
    """

    accepts: ClassVar[type | tuple[type, ...]] = (ByteBuf, FileRegion, bytes, bytearray, memoryview)

    if TYPE_CHECKING:

        def encode(
            self, msg: ByteBuf | FileRegion | Buffer, alloc: Allocator
        ) -> Iterable[ByteBuf | FileRegion | Buffer]: ...


def size_of(msg: ByteBuf | FileRegion | Buffer) -> int:
    """Return how many bytes `msg` will be on the wire."""
    if isinstance(msg, ByteBuf):
        return msg.readable_bytes
    if isinstance(msg, FileRegion):
        return msg.remaining
    return memoryview(msg).nbytes


def _checked_width(width: int) -> int:
    n = operator.index(width)
    if n not in WIDTHS:
        raise ValueError(f"length_field_length must be 1, 2, 3, 4 or 8, not {n}")
    return n


def _checked_adjustment(adjustment: int) -> int:
    n = operator.index(adjustment)
    if not -FURTHEST <= n <= FURTHEST:
        raise ValueError(f"length_adjustment must be within 2**62 of 0, not {n}")
    return n


def _cannot_say(value: int, width: int, most: int) -> EncodeError:
    return EncodeError(f"the length {value} does not fit a field of {width} bytes: 0..{most}")
