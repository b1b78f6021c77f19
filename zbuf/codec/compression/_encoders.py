"""The encoders of compressed streams, one for each format.

Owns    how each library is told to begin, to let go, and to end; the levels, and what they are where none is given.
Never   what is compressed.
Always  a frame carries a checksum where its format has one, and asks its reader for a window of 8 MiB at most
        (16 MiB for Brotli).
"""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

from zbuf.codec.compression._encoder import Compressor, Flush, Squeezer
from zbuf.codec.compression._engines import GZIP, RAW, ZLIB
from zbuf.codec.compression._libraries import load

__all__ = ["BrotliEncoder", "DeflateEncoder", "GzipEncoder", "Lz4FrameEncoder", "ZlibEncoder", "ZstdEncoder"]

LARGEST_WINDOW_LOG = 23  # 8 MiB: RFC 8878, 3.1.1.1.2, what every decoder should take


class DeflateSqueezer:
    """zlib's compressor in one of its wrappings."""

    def __init__(self, level: int, window_bits: int) -> None:
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, window_bits)

    def compress(self, data: memoryview) -> bytes:
        """Take `data`."""
        return self._deflate.compress(data)

    def flush(self) -> bytes:
        """End the block, at a byte."""
        return self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """End the stream."""
        return self._deflate.flush(zlib.Z_FINISH)


class ZlibEncoder(Compressor):
    """Compress messages into a zlib stream (RFC 1950). `level`: 0..9, default 6. See `Compressor`.

    >>> from zbuf import default_allocator
    >>> encoder = ZlibEncoder(flush=Flush.STREAM)
    >>> parts = [*encoder.encode(b"hello", default_allocator()), *encoder.finish()]
    >>> b"".join(bytes(part) for part in parts).hex()
    '789ccb48cdc9c90700062c0215'
    """

    levels: ClassVar[range] = range(10)
    default_level: ClassVar[int] = 6

    def open_squeezer(self) -> Squeezer:
        """Return a compressor with zlib's wrapping."""
        return DeflateSqueezer(self.level, ZLIB)


class GzipEncoder(ZlibEncoder):
    """Compress messages into gzip members (RFC 1952), without a name or time. `level`: 0..9, default 6.

    See `Compressor`."""

    def open_squeezer(self) -> Squeezer:
        """Return a compressor for one member."""
        return DeflateSqueezer(self.level, GZIP)


class DeflateEncoder(ZlibEncoder):
    """Compress messages into a bare deflate stream (RFC 1951). `level`: 0..9, default 6. See `Compressor`."""

    def open_squeezer(self) -> Squeezer:
        """Return a compressor without a wrapping."""
        return DeflateSqueezer(self.level, RAW)


class ZstdSqueezer:
    """A compressor of one Zstandard frame."""

    def __init__(self, level: int) -> None:
        zstd = load("zstandard")
        make = zstd.ZstdCompressionParameters.from_level
        chosen: dict[str, Any] = {"write_checksum": 1}
        if make(level).window_log > LARGEST_WINDOW_LOG:
            chosen["window_log"] = LARGEST_WINDOW_LOG
        self._stream: Any = zstd.ZstdCompressor(compression_params=make(level, **chosen)).compressobj()
        self._block, self._frame = zstd.COMPRESSOBJ_FLUSH_BLOCK, zstd.COMPRESSOBJ_FLUSH_FINISH

    def compress(self, data: memoryview) -> bytes:
        """Take `data`."""
        out: bytes = self._stream.compress(data)
        return out

    def flush(self) -> bytes:
        """End the block."""
        out: bytes = self._stream.flush(self._block)
        return out

    def finish(self) -> bytes:
        """End the frame."""
        out: bytes = self._stream.flush(self._frame)
        return out


class ZstdEncoder(Compressor):
    """Compress messages into Zstandard frames (RFC 8878); needs `zbuf[zstd]`. `level`: -100..22, default 3.

    The window is 8 MiB at most, also at the levels that would take more. See `Compressor`."""

    levels: ClassVar[range] = range(-100, 23)
    default_level: ClassVar[int] = 3  # the library's own

    def __init__(self, level: int | None = None, *, flush: Flush = Flush.MESSAGE) -> None:
        load("zstandard")
        super().__init__(level, flush=flush)

    def open_squeezer(self) -> Squeezer:
        """Return a compressor for one frame."""
        return ZstdSqueezer(self.level)


class Lz4Squeezer:
    """A compressor of one LZ4 frame."""

    def __init__(self, level: int, flushing: bool) -> None:
        self._frame: Any = load("lz4.frame").LZ4FrameCompressor(
            compression_level=level, content_checksum=True, auto_flush=flushing
        )
        self._head: bytes = self._frame.begin()

    def _with_head(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + data if head else data

    def compress(self, data: memoryview) -> bytes:
        """Take `data`."""
        return self._with_head(self._frame.compress(data))

    def flush(self) -> bytes:
        """Nothing is left to do: a frame that flushes holds nothing back."""
        return b""

    def finish(self) -> bytes:
        """End the frame."""
        return self._with_head(self._frame.flush())


class Lz4FrameEncoder(Compressor):
    """Compress messages into LZ4 frames; needs `zbuf[lz4]`. `level`: 0..16, default 0, the fastest.

    Blocks have 64 KiB and refer to each other. See `Compressor`."""

    levels: ClassVar[range] = range(17)
    default_level: ClassVar[int] = 0  # the library's own

    def __init__(self, level: int | None = None, *, flush: Flush = Flush.MESSAGE) -> None:
        load("lz4.frame")
        super().__init__(level, flush=flush)

    def open_squeezer(self) -> Squeezer:
        """Return a compressor for one frame."""
        return Lz4Squeezer(self.level, self.flush is Flush.MESSAGE)


class BrotliSqueezer:
    """A compressor of one Brotli stream."""

    def __init__(self, level: int) -> None:
        self._stream: Any = load("brotli").Compressor(quality=level)

    def compress(self, data: memoryview) -> bytes:
        """Take `data`."""
        out: bytes = self._stream.process(data)
        return out

    def flush(self) -> bytes:
        """End the meta-block, at a byte."""
        out: bytes = self._stream.flush()
        return out

    def finish(self) -> bytes:
        """End the stream."""
        out: bytes = self._stream.finish()
        return out


class BrotliEncoder(Compressor):
    """Compress messages into a Brotli stream (RFC 7932); needs `zbuf[brotli]`. `level`: 0..11, default 4.

    11 is the library's own default, and made for files that are compressed once. See `Compressor`."""

    levels: ClassVar[range] = range(12)
    default_level: ClassVar[int] = 4  # arbitrary: about what level 6 of zlib costs

    def __init__(self, level: int | None = None, *, flush: Flush = Flush.MESSAGE) -> None:
        load("brotli")
        super().__init__(level, flush=flush)

    def open_squeezer(self) -> Squeezer:
        """Return a compressor for one stream."""
        return BrotliSqueezer(self.level)
