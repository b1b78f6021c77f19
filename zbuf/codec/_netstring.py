r"""Netstrings: `12:hello world!,`.

Owns    the digits, the colon and the comma, in both directions.
Never   what the string holds.
Always  one way to write each string: no leading zero, no sign, no space; anything else is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, Encoder, NeedData
from zbuf.codec._length_field import size_of
from zbuf.codec._limits import checked_length, frame_too_long, limits_for
from zbuf.errors import CorruptedFrameError
from zbuf.region import FileRegion

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["NetstringEncoder", "NetstringFrameDecoder"]

COMMA, ZERO = b",0"
MOST_DIGITS = 18  # the longest length that is certain to fit 64 bits


class NetstringFrameDecoder(Decoder[ByteBuf]):
    r"""Cut a stream of netstrings into the strings.

    Shape: a frame has up to max_frame_length bytes: the string, without its length and the comma.
    Ownership: feed() transfers; frames share the block they came in.
    Raises: ValueError at construction. Decoding: TooLongFrameError at the head of a longer string, which is then
    skipped with its comma; CorruptedFrameError for a length that is no number or has a leading zero, and where the
    comma is missing; what is wrong is consumed. Usable afterwards.
    Source: https://cr.yp.to/proto/netstrings.txt.

    >>> strings = NetstringFrameDecoder(80)
    >>> strings.feed(b"5:hello,0:,3:ab")
    >>> [bytes(string) for string in strings], strings.needed
    ([b'hello', b''], 2)
    """

    def __init__(self, max_frame_length: int) -> None:
        self.max_frame_length: int = checked_length("max_frame_length", max_frame_length)
        super().__init__(limits_for(self.max_frame_length, MOST_DIGITS + 2))
        self._max_frame = sys.maxsize  # checked at the head
        self._skip = 0  # how many bytes are to come of a string that was refused

    def reset(self) -> None:
        """Forget a string that was being skipped."""
        self._skip = 0

    def parse(self, buf: ByteBuf) -> ByteBuf | NeedData:
        """Read one netstring."""
        if self._skip:
            self._skip_some(buf)
            if not buf.is_readable:
                return NEED_DATA
        start, readable = buf.reader_index, buf.readable_bytes
        head = buf.get_bytes(start, min(readable, MOST_DIGITS + 1))
        digits = head.find(b":")
        text = head if digits < 0 else head[:digits]
        if not text.isdigit() or (text[0] == ZERO and len(text) > 1) or len(text) > MOST_DIGITS:
            self._refuse(buf, text)
        if digits < 0:
            return NEED_DATA
        length = int(text)
        before, size = digits + 1, digits + 1 + length + 1
        if length > self.max_frame_length:
            buf.skip_bytes(before)
            self._skip = length + 1
            self._skip_some(buf)
            raise frame_too_long(self.max_frame_length, length)
        if readable < size:
            return self.need(size)
        if buf.get_unsigned_byte(start + size - 1) != COMMA:
            buf.skip_bytes(size)
            raise CorruptedFrameError("a netstring does not end with a comma", position=size - 1)
        buf.skip_bytes(before)
        frame = buf.read_slice(length)
        buf.skip_bytes(1)
        return frame

    def _refuse(self, buf: ByteBuf, text: bytes) -> None:
        """Consume and refuse what is no number, up to the byte that shows it."""
        at = 0
        while at < min(len(text), MOST_DIGITS) and 0x30 <= text[at] <= 0x39 and not (at == 1 and text[0] == ZERO):
            at += 1
        buf.skip_bytes(at + 1)
        raise CorruptedFrameError("the length of a netstring is no number as it must be", position=at)

    def _skip_some(self, buf: ByteBuf) -> None:
        n = min(self._skip, buf.readable_bytes)
        buf.skip_bytes(n)
        self._skip -= n


class NetstringEncoder(Encoder["ByteBuf | FileRegion | Buffer"]):
    """Write messages as netstrings.

    Ownership: the message itself stands between length and comma, nothing of it is copied.

    >>> from zbuf import default_allocator, wrap
    >>> b"".join(bytes(part) for part in NetstringEncoder().encode(wrap(b"hello"), default_allocator()))
    b'5:hello,'
    """

    accepts: ClassVar[type | tuple[type, ...]] = (ByteBuf, FileRegion, bytes, bytearray, memoryview)

    def encode(self, msg: ByteBuf | FileRegion | Buffer, alloc: Allocator) -> Iterable[ByteBuf | FileRegion | Buffer]:
        """Return the length, `msg` itself, and the comma."""
        return b"%d:" % size_of(msg), msg, b","
