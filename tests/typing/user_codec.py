"""A codec, as a user of zbuf would write and type it. Never run: `nox -s types` checks it with mypy --strict.

An expected error carries a `type: ignore` with its code: mypy reports one that is not needed.
"""

from collections.abc import Iterable
from typing import assert_type

import zbuf
from zbuf import ByteBuf
from zbuf.buffer import Allocator
from zbuf.codec import NEED_DATA, Decoder, Encoder, LengthFieldBasedFrameDecoder, LengthFieldPrepender, NeedData


class Point:
    """A message of two coordinates."""

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y


class PointDecoder(Decoder[Point]):
    """Eight bytes make a point."""

    def parse(self, buf: ByteBuf) -> Point | NeedData:
        """Cut one point."""
        if buf.readable_bytes < 8:
            return NEED_DATA
        return Point(buf.read_int(), buf.read_int())


class PointEncoder(Encoder[Point]):
    """A point makes eight bytes."""

    def encode(self, msg: Point, alloc: Allocator) -> Iterable[ByteBuf]:
        """Write both coordinates."""
        out = alloc.buffer(8)
        out.write_int(msg.x)
        out.write_int(msg.y)
        return [out]


class WrongDecoder(Decoder[Point]):
    """A decoder whose parse() gives something else than it promises."""

    def parse(self, buf: ByteBuf) -> bytes | NeedData:  # type: ignore[override]
        """Return what no reader of this decoder expects."""
        return bytes(buf)


def without_a_pipeline(data: bytes) -> list[Point]:
    """Feed bytes, take typed messages."""
    decoder = PointDecoder()
    decoder.feed(data)
    message = decoder.next()
    assert_type(message, Point | NeedData)
    if message is not NEED_DATA:
        assert_type(message, Point)
    for point in decoder:
        assert_type(point, Point)
    frames = LengthFieldBasedFrameDecoder(1 << 20, 0, 4, initial_bytes_to_strip=4)
    assert_type(list(frames), list[ByteBuf])
    return list(decoder)


def with_buffers(buf: ByteBuf) -> None:
    """The types of what a buffer gives."""
    assert_type(buf.read_int(), int)
    assert_type(buf.read_double(), float)
    assert_type(buf.read_boolean(), bool)
    assert_type(buf.read_slice(4), ByteBuf)
    assert_type(bytes(buf), bytes)
    assert_type(zbuf.wrap(b"head", bytearray(b"tail")), ByteBuf)
    view = memoryview(buf)
    view.release()
    buf.write_int("5")  # type: ignore[arg-type]
    buf.write_bytes(5)  # type: ignore[arg-type]
    LengthFieldPrepender("4")  # type: ignore[arg-type]
