"""Whole messages, compressed and decompressed: each one a stream of its own, behind a framing that cuts them.

Owns    the names of the formats, and chains of them.
Never   a stream that goes on from message to message: that is what the decoders and encoders are for.
Always  one limiter for all formats of a message; nothing that was decompressed is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf, CompositeByteBuf, composite, default_allocator, wrap
from zbuf.codec._base import Encoder
from zbuf.codec._limits import Limits
from zbuf.codec._messages import MessageToMessageDecoder
from zbuf.codec.compression._decoder import Decompressor
from zbuf.codec.compression._decoders import (
    BrotliDecoder,
    DeflateDecoder,
    GzipDecoder,
    Lz4FrameDecoder,
    ZlibDecoder,
    ZstdDecoder,
)
from zbuf.codec.compression._encoder import Compressor, Flush
from zbuf.codec.compression._encoders import (
    BrotliEncoder,
    DeflateEncoder,
    GzipEncoder,
    Lz4FrameEncoder,
    ZlibEncoder,
    ZstdEncoder,
)
from zbuf.codec.compression._limiter import MOST_LAYERS, MOST_MEMBERS, OutputLimiter
from zbuf.errors import IncompleteFrameError
from zbuf.region import FileRegion

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["Coding", "MessageCompressor", "MessageDecompressor", "compress", "decompress"]

Coding = Literal["zlib", "gzip", "deflate", "zstd", "lz4", "brotli"]

DECODERS: dict[str, type[Decompressor]] = {
    "zlib": ZlibDecoder,
    "gzip": GzipDecoder,
    "deflate": DeflateDecoder,
    "zstd": ZstdDecoder,
    "lz4": Lz4FrameDecoder,
    "brotli": BrotliDecoder,
}
ENCODERS: dict[str, type[Compressor]] = {
    "zlib": ZlibEncoder,
    "gzip": GzipEncoder,
    "deflate": DeflateEncoder,
    "zstd": ZstdEncoder,
    "lz4": Lz4FrameEncoder,
    "brotli": BrotliEncoder,
}


def compress(data: ByteBuf | FileRegion | Buffer, coding: Coding, level: int | None = None) -> ByteBuf:
    """Return `data` compressed, as one stream.

    `coding`: "zlib" (which HTTP calls deflate), "gzip", "deflate" (bare), "zstd", "lz4", "brotli"; `level`: see the
    encoder of that name. Ownership: borrows `data`; the result is a buffer of its own, a composite where it is long.
    Raises: ValueError (coding, level), ImportError that names the extra to install.

    >>> bytes(decompress(compress(b"hello", "gzip"), "gzip"))
    b'hello'
    """
    encoder = ENCODERS[_checked(coding)](level, flush=Flush.STREAM)
    return wrap(*encoder.encode(data, default_allocator()), *encoder.finish())


def decompress(
    data: ByteBuf | Buffer,
    *codings: Coding,
    limits: Limits | None = None,
    max_members: int = MOST_MEMBERS,
    max_layers: int = MOST_LAYERS,
) -> ByteBuf:
    """Return what `data` holds, which must be complete.

    `codings` are listed in the order in which they were applied, as HTTP's Content-Encoding lists them.
    `limits` (max_decompressed_bytes, max_ratio), `max_members` and `max_layers` bound all of them together.
    Ownership: borrows `data`; the result is a composite of the pieces that the libraries made, without a copy.
    Raises: DecompressionLimitError, also for more codings than `max_layers`; CorruptedFrameError;
    IncompleteFrameError, also for no bytes at all. ValueError (coding), ImportError that names the extra to install."""
    chain = [DECODERS[_checked(coding)] for coding in reversed(codings)]
    if not chain:
        raise ValueError("a coding must be named")
    limiter = OutputLimiter(limits, max_members=max_members, max_layers=max_layers)
    decoders = [make(limiter=limiter) for make in chain]
    out = composite()
    try:
        _push(decoders, 0, data.slice() if isinstance(data, ByteBuf) else wrap(data), out)
        for decoder in decoders:
            if not decoder.finished:
                raise _cut(decoder)
    except BaseException:
        out.release()
        raise
    return out


def _push(decoders: list[Decompressor], at: int, data: ByteBuf, out: CompositeByteBuf) -> None:
    """Give `data` to a decoder and what comes out to the next one, piece by piece; the last one's go to `out`."""
    if at == len(decoders):
        out.append(data)
        return
    decoder = decoders[at]
    decoder.feed(data)
    for piece in decoder:
        _push(decoders, at + 1, piece, out)


def _cut(decoder: Decompressor) -> IncompleteFrameError:
    return IncompleteFrameError("a compressed message is cut short", buffered=decoder.buffered, needed=1)


class MessageDecompressor(MessageToMessageDecoder[ByteBuf, ByteBuf]):
    """Turn frames that are compressed, each by itself, into what they hold; behind a framing.

    See `decompress` for the arguments; the bounds are those of each frame.
    Raises: at construction as `decompress`, decoding its DecodeErrors. The next frame decodes.
    Source: ours; Netty's decompressing decoders are for streams only.

    >>> from zbuf.codec import LengthFieldBasedFrameDecoder
    >>> [bytes(frame) for frame in MessageDecompressor("zlib").decode(compress(b"hello", "zlib"))]
    [b'hello']
    """

    accepts: ClassVar[type | tuple[type, ...]] = ByteBuf

    def __init__(
        self,
        *codings: Coding,
        limits: Limits | None = None,
        max_members: int = MOST_MEMBERS,
        max_layers: int = MOST_LAYERS,
    ) -> None:
        OutputLimiter(limits, max_members=max_members, max_layers=max_layers)  # checks its arguments
        if not 0 < len(codings) <= max_layers:
            raise ValueError(f"{len(codings)} codings are named, 1..{max_layers} are allowed")
        for coding in codings:
            DECODERS[_checked(coding)]()  # is its library there?
        self.codings = codings
        self.limits = limits
        self.max_members = max_members
        self.max_layers = max_layers

    def decode(self, msg: ByteBuf) -> tuple[ByteBuf, ...]:
        """Return what the frame holds."""
        layers, members = self.max_layers, self.max_members
        return (decompress(msg, *self.codings, limits=self.limits, max_members=members, max_layers=layers),)


class MessageCompressor(Encoder["ByteBuf | FileRegion | Buffer"]):
    """Compress each message by itself; nearer to the channel stands what frames them.

    See `compress` for the arguments. Raises: ValueError, ImportError at construction."""

    accepts: ClassVar[type | tuple[type, ...]] = (ByteBuf, FileRegion, bytes, bytearray, memoryview)

    def __init__(self, coding: Coding, level: int | None = None) -> None:
        self.level: int = ENCODERS[_checked(coding)](level).level
        self.coding = coding

    def encode(self, msg: ByteBuf | FileRegion | Buffer, alloc: Allocator) -> tuple[ByteBuf, ...]:
        """Return the compressed message."""
        return (compress(msg, self.coding, self.level),)


def _checked(coding: str) -> str:
    if coding not in get_args(Coding):
        raise ValueError(f"{coding!r} is none of {', '.join(get_args(Coding))}")
    return coding
