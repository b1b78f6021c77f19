"""One member of a stream, decompressed step by step: deflate in its three wrappings, and Brotli.

Owns    how each library is asked for a bounded amount of output, and which of its errors are the peer's.
Never   what is allowed; what stands behind the member.
Always  one step makes at most about as much as was asked for; what the peer can cause is a CorruptedFrameError.
"""

from __future__ import annotations

import zlib
from typing import Any, Protocol

from zbuf._types import Buffer
from zbuf.codec.compression._libraries import load
from zbuf.errors import CorruptedFrameError

RAW, ZLIB, GZIP = -15, 15, 31  # zlib's "windowBits": 32 KiB in every case; the sign and 16 choose the wrapping


class Engine(Protocol):
    """Decompresses one member. `eof`: its end was seen, do not call again."""

    eof: bool

    def pull(self, data: Buffer, most: int) -> tuple[bytes, int, bool]:
        """Take some of `data` and make about `most` bytes at most. `data` is empty only if there may be more without.

        Return what was made, how many bytes were taken, and whether there may be more without any further input.
        Raises: CorruptedFrameError, the engine is then of no use."""


class DeflateEngine:
    """Deflate (RFC 1951), bare or as zlib (RFC 1950) or gzip (RFC 1952) has it; their checksums are checked."""

    def __init__(self, window_bits: int) -> None:
        self._inflate = zlib.decompressobj(window_bits)
        self.eof = False

    def pull(self, data: Buffer, most: int) -> tuple[bytes, int, bool]:
        """Inflate. At most `most` bytes, exactly."""
        try:
            out = self._inflate.decompress(data, most)
        except zlib.error as exc:
            raise damaged(str(exc)) from exc
        self.eof = self._inflate.eof
        left = len(self._inflate.unconsumed_tail) + len(self._inflate.unused_data)
        return out, len(memoryview(data)) - left, len(out) >= most and not self.eof


class BrotliEngine:
    """Brotli (RFC 7932). Its output comes in the library's own blocks, up to 96 KiB when 64 were asked for."""

    def __init__(self) -> None:
        brotli = load("brotli")
        self._error: type[Exception] = brotli.error
        self._stream: Any = brotli.Decompressor()
        self._draining = False
        self.eof = False

    def pull(self, data: Buffer, most: int) -> tuple[bytes, int, bool]:
        """Decompress. All of `data` is taken, and kept by the library; nothing is until that has been drained."""
        given = b"" if self._draining else data
        try:
            out: bytes = self._stream.process(given, output_buffer_limit=most)
        except self._error as exc:
            raise damaged("brotli gives no reason") from exc
        self.eof = self._stream.is_finished()
        # the library says that it accepts more while output is still inside: only an empty answer tells
        self._draining = bool(out) and not self.eof
        return out, len(memoryview(given)), self._draining


def damaged(why: str) -> CorruptedFrameError:
    """Return the error for compressed data that a library refused."""
    return CorruptedFrameError(f"the compressed data is damaged: {why}")
