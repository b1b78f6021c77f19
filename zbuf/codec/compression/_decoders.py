"""The decoders of compressed streams, one for each format.

Owns    what each format says about its end and what may follow it.
Never   how anything is decompressed or bounded.
Always  a decoder and the encoder of the same name understand each other.
"""

from __future__ import annotations

from zbuf.codec._limits import Limits
from zbuf.codec.compression._decoder import Decompressor
from zbuf.codec.compression._engines import GZIP, RAW, ZLIB, BrotliEngine, DeflateEngine, Engine
from zbuf.codec.compression._libraries import load
from zbuf.codec.compression._limiter import MOST_MEMBERS, OutputLimiter
from zbuf.codec.compression._lz4 import Lz4Engine
from zbuf.codec.compression._zstd import LARGEST_WINDOW, MOST_WINDOW, SMALLEST_WINDOW, ZstdEngine

__all__ = ["BrotliDecoder", "DeflateDecoder", "GzipDecoder", "Lz4FrameDecoder", "ZlibDecoder", "ZstdDecoder"]


class ZlibDecoder(Decompressor):
    """Decompress a zlib stream (RFC 1950); HTTP calls it "deflate".

    There is one stream; what follows its checksum is not part of it (section 2.2) and refused, unless `stop_at_end`.
    Dictionaries are refused. See `Decompressor`.

    >>> decoder = ZlibDecoder()
    >>> decoder.feed(bytes.fromhex("789ccb48cdc9c907" "00062c0215"))
    >>> [bytes(piece) for piece in decoder], decoder.finished
    ([b'hello'], True)
    """

    can_concatenate = False

    def open_engine(self) -> Engine:
        """Return an engine for zlib's wrapping."""
        return DeflateEngine(ZLIB)


class GzipDecoder(Decompressor):
    """Decompress gzip members one behind the other (RFC 1952, section 2.2); CRC and length are checked.

    What follows a member must be another one: zeros and other padding, which gzip(1) passes over, are refused.
    See `Decompressor`."""

    def open_engine(self) -> Engine:
        """Return an engine for a gzip member."""
        return DeflateEngine(GZIP)


class DeflateDecoder(Decompressor):
    """Decompress a bare deflate stream (RFC 1951), which has no checksum: damage may go unnoticed.

    What follows the last block is refused, unless `stop_at_end`. See `Decompressor`."""

    can_concatenate = False

    def open_engine(self) -> Engine:
        """Return an engine for deflate without a wrapping."""
        return DeflateEngine(RAW)


class ZstdDecoder(Decompressor):
    """Decompress Zstandard frames one behind the other (RFC 8878, section 3); needs `zbuf[zstd]`.

    Skippable frames are passed over without being kept, and count as members. A frame whose window exceeds
    `max_window_bytes` (8 MiB, which RFC 8878 recommends) raises DecompressionLimitError at its head, one that needs a
    dictionary CorruptedFrameError. Old formats (before 0.8) are refused. See `Decompressor`."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_members: int = MOST_MEMBERS,
        max_window_bytes: int = LARGEST_WINDOW,
        limiter: OutputLimiter | None = None,
        stop_at_end: bool = False,
    ) -> None:
        if not SMALLEST_WINDOW <= max_window_bytes <= MOST_WINDOW:
            raise ValueError(f"max_window_bytes must be {SMALLEST_WINDOW}..{MOST_WINDOW}, not {max_window_bytes}")
        load("zstandard")
        self.max_window_bytes = max_window_bytes
        super().__init__(limits, max_members=max_members, limiter=limiter, stop_at_end=stop_at_end)

    def open_engine(self) -> Engine:
        """Return an engine for one frame."""
        return ZstdEngine(self.max_window_bytes)


class Lz4FrameDecoder(Decompressor):
    """Decompress LZ4 frames one behind the other (LZ4 frame format 1.6); needs `zbuf[lz4]`.

    Skippable frames are passed over without being kept, and count as members. Dictionaries and legacy frames are
    refused. See `Decompressor`."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_members: int = MOST_MEMBERS,
        limiter: OutputLimiter | None = None,
        stop_at_end: bool = False,
    ) -> None:
        load("lz4.frame")
        super().__init__(limits, max_members=max_members, limiter=limiter, stop_at_end=stop_at_end)

    def open_engine(self) -> Engine:
        """Return an engine for one frame."""
        return Lz4Engine()


class BrotliDecoder(Decompressor):
    """Decompress a Brotli stream (RFC 7932); needs `zbuf[brotli]`.

    The window is 16 MiB at most; "large window" streams are refused. What follows the last meta-block is refused; the
    library does not say where it begins, so there is no `stop_at_end`, and the last 16 KiB of compressed bytes before
    it may be lost with it. See `Decompressor`."""

    can_concatenate = False
    can_stop = False

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_members: int = MOST_MEMBERS,
        limiter: OutputLimiter | None = None,
    ) -> None:
        load("brotli")
        super().__init__(limits, max_members=max_members, limiter=limiter)

    def open_engine(self) -> Engine:
        """Return an engine for the stream."""
        return BrotliEngine()
