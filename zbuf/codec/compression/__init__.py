"""Compression: zlib, gzip, raw deflate, Zstandard, LZ4 frames and Brotli, as streams and as whole messages.

Owns    the re-exports of its files.
Never   an algorithm: the standard library has deflate; `zbuf[zstd]`, `zbuf[lz4]` and `zbuf[brotli]` bring the others,
        which are imported when first used.
Always  every byte that is decompressed passes one `OutputLimiter`: bytes, ratio, members and layers are bounded.
"""

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
from zbuf.codec.compression._limiter import OutputLimiter
from zbuf.codec.compression._whole import Coding, MessageCompressor, MessageDecompressor, compress, decompress

__all__ = [
    "BrotliDecoder",
    "BrotliEncoder",
    "Coding",
    "Compressor",
    "Decompressor",
    "DeflateDecoder",
    "DeflateEncoder",
    "Flush",
    "GzipDecoder",
    "GzipEncoder",
    "Lz4FrameDecoder",
    "Lz4FrameEncoder",
    "MessageCompressor",
    "MessageDecompressor",
    "OutputLimiter",
    "ZlibDecoder",
    "ZlibEncoder",
    "ZstdDecoder",
    "ZstdEncoder",
    "compress",
    "decompress",
]
