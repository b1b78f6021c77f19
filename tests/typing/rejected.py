"""What a type checker must reject, and must reject only where it says so. Never run: see test_typing.

Owns    the mistakes that types can catch, each on a line of its own with the mark `expect:`.
Never   correct code that is complained about: a report on a line without the mark fails the test.
Always  after `expect:` stand mypy's codes and pyright's rules; both must report exactly that line."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import zbuf
from zbuf import ByteBuf, CompositeByteBuf, FileRegion
from zbuf.buffer import Allocator, Pool
from zbuf.codec import NEED_DATA, Decoder, Encoder, LengthFieldBasedFrameDecoder, LengthFieldPrepender, NeedData
from zbuf.pipeline import CodecHandler, Context, DecoderHandler, EncoderHandler, Handler, Pipeline
from zbuf.transport import Channel


def numbers(buf: ByteBuf) -> None:
    """Integers where integers belong."""
    buf.write_int("5")  # expect: arg-type reportArgumentType
    buf.write_int(b"\0\0\0\5")  # expect: arg-type reportArgumentType
    buf.write_int(1.5)  # expect: arg-type reportArgumentType
    buf.write_int(None)  # expect: arg-type reportArgumentType
    buf.set_long(0, "5")  # expect: arg-type reportArgumentType
    buf.set_long("0", 5)  # expect: arg-type reportArgumentType
    buf.set_byte(0)  # expect: call-arg reportCallIssue
    buf.get_int()  # expect: call-arg reportCallIssue
    buf.read_int(4)  # expect: call-arg reportCallIssue
    buf.write_double("1.5")  # expect: arg-type reportArgumentType
    buf.write_varint(2.0)  # expect: arg-type reportArgumentType
    buf.skip_bytes("1")  # expect: arg-type reportArgumentType
    buf.read_bytes(None)  # expect: arg-type reportArgumentType
    buf.ensure_writable(b"four")  # expect: arg-type reportArgumentType
    text: str = buf.read_int()  # expect: assignment reportAssignmentType
    size: int = buf.read_double()  # expect: assignment reportAssignmentType
    print(text, size)


def names(buf: ByteBuf) -> None:
    """A misspelt name, a property that is called, a method that is not."""
    buf.readInt()  # expect: attr-defined reportAttributeAccessIssue,reportUnknownMemberType
    buf.writer_indx = 4  # expect: attr-defined reportAttributeAccessIssue
    buf.readable_bytes()  # expect: operator reportCallIssue
    buf.capacity = 4  # expect: misc reportAttributeAccessIssue
    buf.refcnt = 0  # expect: misc reportAttributeAccessIssue
    buf.reader_index = "0"  # expect: assignment reportAttributeAccessIssue
    buf.append(b"tail")  # expect: attr-defined reportAttributeAccessIssue,reportUnknownMemberType


def sources(buf: ByteBuf, whole: CompositeByteBuf) -> None:
    """Bytes-likes and buffers where bytes belong; text and numbers are none."""
    buf.write_bytes("text")  # expect: arg-type reportArgumentType
    buf.write_bytes(5)  # expect: arg-type reportArgumentType
    buf.write_bytes([1, 2, 3])  # expect: arg-type reportArgumentType
    buf.write_bytes(None)  # expect: arg-type reportArgumentType
    buf.set_bytes(0, "text")  # expect: arg-type reportArgumentType
    buf.read_bytes_into("text")  # expect: arg-type reportArgumentType
    buf.write_string(b"bytes")  # expect: arg-type reportArgumentType
    buf.write_string(buf)  # expect: arg-type reportArgumentType
    buf.write_string("text", b"utf-8")  # expect: arg-type reportArgumentType
    buf.find("needle")  # expect: arg-type reportArgumentType
    buf.read_struct(4)  # expect: arg-type reportArgumentType
    whole.append("text")  # expect: arg-type reportArgumentType
    whole.append(None)  # expect: arg-type reportArgumentType
    whole.extend([b"ok", "text"])  # expect: list-item reportArgumentType
    whole.extend(5)  # expect: arg-type reportArgumentType
    zbuf.wrap("text")  # expect: arg-type reportArgumentType
    zbuf.wrap(b"ok", None)  # expect: arg-type reportArgumentType
    zbuf.copied(5)  # expect: arg-type reportArgumentType
    zbuf.buffer("256")  # expect: arg-type reportArgumentType
    zbuf.hex_dump("text")  # expect: arg-type reportArgumentType
    zbuf.decode_hex_dump(b"00")  # expect: arg-type reportArgumentType
    zbuf.wrap(io.BytesIO(b"text"))  # expect: arg-type reportArgumentType
    zbuf.wrap(Path("file"))  # expect: arg-type reportArgumentType


def results(buf: ByteBuf) -> int:
    """Nothing comes of a call that returns nothing, and a None is not a number."""
    first: int = buf.clear()  # expect: assignment,func-returns-value reportAssignmentType
    number: tuple[int, int] = buf.get_varint(0)  # expect: assignment reportAssignmentType
    data: bytes = buf.slice()  # expect: assignment reportAssignmentType
    view: memoryview = buf.readable_views()  # expect: assignment reportAssignmentType
    released: ByteBuf = buf.release()  # expect: assignment reportAssignmentType
    len(buf.write_zero(5))  # expect: arg-type,func-returns-value reportArgumentType
    print(first, number, data, view, released)
    return buf.read_bytes(4)  # expect: return-value reportReturnType


def allocators(pool: Pool) -> Allocator:
    """An allocator is what has an allocator's methods."""
    zbuf.set_default_allocator(zbuf.buffer)  # expect: arg-type reportArgumentType
    zbuf.set_default_allocator(Pool)  # expect: arg-type reportArgumentType
    Pool(1024)  # expect: call-arg reportCallIssue
    Pool(max_cached_bytes="1k")  # expect: arg-type reportArgumentType
    pool.buffer(b"256")  # expect: arg-type reportArgumentType
    return io.BytesIO()  # expect: return-value reportReturnType


class Point:
    """A message."""


class ForgetfulDecoder(Decoder[Point]):
    """Its parse returns nothing when data is missing."""

    def parse(self, buf: ByteBuf) -> Point | None:  # expect: override reportIncompatibleMethodOverride
        """Return None where NEED_DATA belongs."""
        return None


class TextDecoder(Decoder[Point]):
    """Its parse takes something else than a buffer."""

    def parse(self, buf: bytes) -> Point | NeedData:  # expect: override reportIncompatibleMethodOverride
        """Take bytes."""
        return NEED_DATA


class WrongEncoder(Encoder[Point]):
    """It encodes another type than it says."""

    def encode(self, msg: str, alloc: Allocator) -> list[ByteBuf]:  # expect: override reportIncompatibleMethodOverride
        """Encode text."""
        return [zbuf.wrap(msg.encode())]


class RightDecoder(Decoder[Point]):
    """A decoder of points."""

    def parse(self, buf: ByteBuf) -> Point | NeedData:
        """Need more."""
        return NEED_DATA


class RightEncoder(Encoder[Point]):
    """An encoder of points."""

    def encode(self, msg: Point, alloc: Allocator) -> Iterable[ByteBuf]:
        """Encode nothing."""
        return []


class WrongMessage(Handler[ByteBuf, ByteBuf]):
    """It says buffers and takes text."""

    def channel_read(self, ctx: Context, msg: str) -> None:  # expect: override reportIncompatibleMethodOverride
        """Take text."""


class WrongContext(Handler[ByteBuf, ByteBuf]):
    """It expects something else than a context."""

    def channel_read_complete(self, ctx: Pipeline) -> None:  # expect: override reportIncompatibleMethodOverride
        """Take a pipeline."""


def codecs(pipeline: Pipeline) -> None:
    """Codecs take bytes and give their messages."""
    decoder = RightDecoder()
    decoder.feed("text")  # expect: arg-type reportArgumentType
    frame: ByteBuf = decoder.next()  # expect: assignment reportAssignmentType
    points: list[ByteBuf] = list(decoder)  # expect: arg-type reportAssignmentType
    RightEncoder().encode("text", zbuf.default_allocator())  # expect: arg-type reportArgumentType
    LengthFieldBasedFrameDecoder("1 MiB", 0, 4)  # expect: arg-type reportArgumentType
    LengthFieldPrepender("4")  # expect: arg-type reportArgumentType
    CodecHandler(RightEncoder(), RightDecoder())  # expect: arg-type reportArgumentType
    DecoderHandler(RightEncoder())  # expect: arg-type reportArgumentType
    EncoderHandler(RightDecoder())  # expect: arg-type reportArgumentType
    pipeline.add_last("decoder", RightDecoder())  # expect: arg-type reportArgumentType
    pipeline.add_last(RightDecoder(), "decoder")  # expect: arg-type reportArgumentType
    print(frame, points)


async def channels(texts: Channel[str, str], frames: Channel[ByteBuf, ByteBuf]) -> None:
    """What a channel yields and takes."""
    await texts.send(b"bytes")  # expect: arg-type reportArgumentType
    await frames.send("text")  # expect: arg-type reportArgumentType
    frame: ByteBuf = await texts.receive()  # expect: assignment reportAssignmentType
    frames = texts  # expect: assignment reportAssignmentType
    FileRegion(1.5)  # expect: arg-type reportArgumentType
    FileRegion("file", "0")  # expect: arg-type reportArgumentType
    print(frame, frames)


def messages(whole: CompositeByteBuf, buf: ByteBuf) -> None:
    """What components and holders take."""
    whole.insert_component(b"head", 0)  # expect: arg-type reportArgumentType
    whole.insert_component(0, "text")  # expect: arg-type reportArgumentType
    whole.pop_component("0")  # expect: arg-type reportArgumentType
    whole.decompose(0.5, 1)  # expect: arg-type reportArgumentType
    buf.insert_component(0, b"head")  # expect: attr-defined reportAttributeAccessIssue,reportUnknownMemberType
    zbuf.equal_range("text", 0, buf, 0, 1)  # expect: arg-type reportArgumentType
    zbuf.BufferHolder(b"bytes")  # expect: arg-type reportArgumentType
    zbuf.BufferHolder(buf).replace(b"bytes")  # expect: arg-type reportArgumentType
