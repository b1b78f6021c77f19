"""Generic code over codecs and handlers, as the author of a framework would write it. Never run: see test_typing.

Owns    type variables through decoders, handlers and counted objects.
Never   an error: what must be rejected stands in rejected.py.
Always  a message keeps its type from the decoder to whoever handles it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar, assert_type

import zbuf
from zbuf import ByteBuf, SlicedByteBuf, WrappedByteBuf
from zbuf.buffer import Allocator, Pool, Unpooled
from zbuf.codec import NEED_DATA, Decoder, Encoder, LengthFieldBasedFrameDecoder, NeedData
from zbuf.pipeline import CodecHandler, Context, DecoderHandler, EncoderHandler, Handler, Pipeline

T = TypeVar("T")
Request = TypeVar("Request")
Reply = TypeVar("Reply")
B = TypeVar("B", bound=ByteBuf)


class Counted(Protocol):
    """Whatever has a count."""

    def release(self, n: int = 1) -> bool:
        """Lower the count."""
        ...


class MapDecoder(Decoder[T], Generic[T]):
    """Frames turned into messages by a function."""

    def __init__(self, make: Callable[[ByteBuf], T]) -> None:
        super().__init__()
        self._make = make

    def parse(self, buf: ByteBuf) -> T | NeedData:
        """Cut a frame and turn it into a message."""
        if not buf.can_read(4):
            return NEED_DATA
        size = buf.get_int(buf.reader_index)
        if not buf.can_read(4 + size):
            return NEED_DATA
        buf.skip_bytes(4)
        with buf.read_slice(size) as frame:
            return self._make(frame)


class MapEncoder(Encoder[T], Generic[T]):
    """Messages turned into bytes by a function."""

    def __init__(self, dump: Callable[[T], bytes]) -> None:
        self._dump = dump

    def encode(self, msg: T, alloc: Allocator) -> Iterable[ByteBuf]:
        """Write length and bytes."""
        body = self._dump(msg)
        head = alloc.buffer(4)
        head.write_int(len(body))
        return [head, zbuf.wrap(body)]


class Answering(Handler[Request, Reply], Generic[Request, Reply]):
    """A handler that answers each request with what a function makes of it."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer

    def channel_read(self, ctx: Context, msg: Request) -> None:
        """Answer."""
        ctx.write(self._answer(msg))

    def channel_read_complete(self, ctx: Context) -> None:
        """Flush."""
        ctx.flush()


def messages(decoder: Decoder[T], pieces: Iterable[bytes | ByteBuf]) -> Iterator[T]:
    """Feed pieces, yield messages of the decoder's type."""
    for piece in pieces:
        decoder.feed(piece)
        yield from decoder


def total(decoder: MapDecoder[int]) -> int:
    """The type comes through."""
    assert_type(list(messages(decoder, [b"\x00"])), list[int])
    assert_type(list(messages(MapDecoder(bytes), [b"\x00"])), list[bytes])
    frames = LengthFieldBasedFrameDecoder(1 << 16, 0, 4)
    for frame in messages(frames, [zbuf.wrap(b"ab")]):
        assert_type(frame, ByteBuf)
        frame.release()
    return sum(messages(decoder, [b"\x00"]))


def build(pipeline: Pipeline) -> None:
    """Every kind of handler fits into a pipeline."""
    pipeline.add_last("codec", CodecHandler(MapDecoder(bytes), MapEncoder[bytes](bytes)))
    pipeline.add_last("in", DecoderHandler(MapDecoder(bytes)))
    pipeline.add_last("out", EncoderHandler(MapEncoder[str](str.encode)))
    pipeline.add_last("upper", Answering(bytes.upper))


def kept(buf: B) -> B:
    """A counted object comes back as what it is."""
    assert_type(buf.retain(), B)
    assert_type(zbuf.retain(buf), B)
    return buf.retain(2)


def drop_all(things: Iterable[Counted]) -> int:
    """Buffers are counted things."""
    return sum(thing.release() for thing in things)


def shapes(buf: ByteBuf, sliced: SlicedByteBuf, wrapped: WrappedByteBuf) -> None:
    """Every shape is a ByteBuf."""
    family: list[ByteBuf] = [buf, sliced, wrapped, zbuf.composite(), zbuf.empty()]
    assert_type(kept(sliced), SlicedByteBuf)
    assert_type(kept(zbuf.composite()), zbuf.CompositeByteBuf)
    drop_all(family)
    allocators: list[Allocator] = [Pool(max_cached_bytes=1 << 20), Unpooled(), zbuf.default_allocator()]
    for allocator in allocators:
        assert_type(allocator.buffer(64).allocator.statistics().live_bytes, int)
        assert_type(allocator.trim(), int)
