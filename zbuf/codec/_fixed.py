"""Frames of one fixed length.

Owns    nothing but the length.
Never   padding: a frame that is shorter is not complete.
Always  the frame comes with its last byte, not later.
"""

from __future__ import annotations

from zbuf.buffer import ByteBuf
from zbuf.codec._base import Decoder, NeedData
from zbuf.codec._limits import checked_length, limits_for

__all__ = ["FixedLengthFrameDecoder"]


class FixedLengthFrameDecoder(Decoder[ByteBuf]):
    """Cut a stream into frames of `frame_length` bytes each.

    Ownership: feed() transfers; frames share the block they came in. Raises: ValueError unless the length is positive.
    Source: Netty FixedLengthFrameDecoder.

    >>> frames = FixedLengthFrameDecoder(3)
    >>> frames.feed(b"abcdefg")
    >>> [bytes(frame) for frame in frames], frames.needed
    ([b'abc', b'def'], 2)
    """

    def __init__(self, frame_length: int) -> None:
        self.frame_length: int = checked_length("frame_length", frame_length)
        super().__init__(limits_for(self.frame_length))

    def parse(self, buf: ByteBuf) -> ByteBuf | NeedData:
        """Cut one frame off the front of `buf`."""
        n = self.frame_length
        return buf.read_slice(n) if buf.can_read(n) else self.need(n)
