"""One Zstandard frame, decompressed block by block.

Owns    the heads of frames and blocks (RFC 8878, 3.1.1): what memory a frame wants, where a block ends.
Never   what is in a block: that is the library's.
Always  a window above the limit is refused at the head. One step gives the library the end of one block at most, so it
        makes 128 KiB at most: the library's own streaming has no bound, 200 bytes made 5.9 MB of it in one call.
"""

from __future__ import annotations

from typing import Any

from zbuf.codec.compression._engines import damaged
from zbuf.codec.compression._frames import MAGIC_SIZE, FrameEngine
from zbuf.codec.compression._libraries import load
from zbuf.errors import CorruptedFrameError, DecompressionLimitError

SMALLEST_WINDOW, MOST_WINDOW = 1 << 10, 1 << 31  # what the library can be told
LARGEST_WINDOW = 8 << 20  # RFC 8878, 3.1.1.1.2: decoders should support it, encoders should not exceed it
LARGEST_BLOCK = 128 << 10  # RFC 8878, 3.1.1.2.3
BLOCK_HEAD, CHECKSUM = 3, 4
RAW_BLOCK, RLE_BLOCK, RESERVED_BLOCK = 0, 1, 3
DICTIONARY_SIZES = (0, 1, 2, 4)
CONTENT_SIZES = (0, 2, 4, 8)


class ZstdEngine(FrameEngine):
    """Zstandard frames, RFC 8878."""

    magic = 0xFD2FB528
    name = "Zstandard"

    def __init__(self, largest_window: int) -> None:
        super().__init__()
        self._library: Any = load("zstandard")
        self._error: type[Exception] = self._library.ZstdError
        self._largest_window = largest_window
        self._largest_block = LARGEST_BLOCK
        self._stream: Any = None
        self._block = bytearray()  # the head of a block, as far as it is there
        self._left = 0  # what is to come of a block, or of the checksum
        self._last = self._checksum = False

    def _head_size(self, head: bytearray) -> int:
        if len(head) == MAGIC_SIZE:
            return MAGIC_SIZE + 1
        flags = head[MAGIC_SIZE]
        return MAGIC_SIZE + 1 + (not flags & 0x20) + DICTIONARY_SIZES[flags & 3] + _content_size_size(flags)

    def _begin(self, head: bytes) -> None:
        flags, at = head[MAGIC_SIZE], MAGIC_SIZE + 1
        if flags & 0x08:
            raise CorruptedFrameError("a Zstandard frame uses a flag that is reserved")
        size = _content_size_size(flags)
        content = int.from_bytes(head[len(head) - size :], "little") + (256 if size == 2 else 0)
        window = content
        if not flags & 0x20:
            base = 1 << (10 + (head[at] >> 3))
            window = base + (base >> 3) * (head[at] & 7)
            at += 1
        if any(head[at : len(head) - size]):
            raise CorruptedFrameError("a Zstandard frame needs a dictionary, there is none")
        if window > self._largest_window:
            raise DecompressionLimitError(
                f"a Zstandard frame wants a window of {window} bytes, above max_window_bytes {self._largest_window}",
                limit="max_window_bytes",
                maximum=self._largest_window,
                value=window,
            )
        self._largest_block = min(window, LARGEST_BLOCK)
        self._checksum = bool(flags & 0x04)
        self._stream = self._library.ZstdDecompressor(
            max_window_size=max(SMALLEST_WINDOW, self._largest_window)
        ).decompressobj()
        self._feed(head)

    def _body(self, view: memoryview, most: int) -> tuple[bytes, int, bool]:
        at, out = 0, b""
        while at < len(view) and not self.eof and not out:
            if self._left:
                step = min(self._left, len(view) - at)
                self._left -= step
                out = self._feed(view[at : at + step])
            else:
                step = min(BLOCK_HEAD - len(self._block), len(view) - at)
                self._block += view[at : at + step]
                if len(self._block) == BLOCK_HEAD:
                    out = self._open_block()
            at += step
            if not self._left and not self._block and self._last:
                self._close_blocks()
        return out, at, False

    def _open_block(self) -> bytes:
        """Judge the head of a block and give it to the library."""
        head = int.from_bytes(self._block, "little")
        self._last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
        if kind == RESERVED_BLOCK or size > self._largest_block:
            raise CorruptedFrameError(f"a Zstandard frame has a block of type {kind} with {size} bytes")
        self._left = 1 if kind == RLE_BLOCK else size
        whole = bytes(self._block)
        self._block.clear()
        return self._feed(whole)

    def _close_blocks(self) -> None:
        """The last block is complete: the checksum follows, or nothing."""
        if self._checksum:
            self._checksum, self._left = False, CHECKSUM
        else:
            self.eof = True
            if not self._stream.eof:
                raise damaged("its last block is not the end")

    def _feed(self, data: bytes | memoryview) -> bytes:
        try:
            out: bytes = self._stream.decompress(data)
        except self._error as exc:
            raise damaged(str(exc)) from exc
        return out


def _content_size_size(flags: int) -> int:
    """Return how many bytes of the head tell the size of the content: RFC 8878, 3.1.1.1.1."""
    return CONTENT_SIZES[flags >> 6] or (1 if flags & 0x20 else 0)
