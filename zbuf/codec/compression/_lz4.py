"""One LZ4 frame, decompressed step by step.

Owns    which frames are accepted: version 01, no dictionary.
Never   blocks and checksums, which are the library's. Legacy frames, which have no end.
Always  one step makes at most what was asked for. The library takes two blocks of memory per frame, 4 MiB each at most.
"""

from __future__ import annotations

from typing import Any

from zbuf.codec.compression._engines import damaged
from zbuf.codec.compression._frames import MAGIC_SIZE, FrameEngine
from zbuf.codec.compression._libraries import load
from zbuf.errors import CorruptedFrameError

DICTIONARY, VERSION, VERSION_01 = 0x01, 0xC0, 0x40


class Lz4Engine(FrameEngine):
    """The LZ4 frame format, version 1.6.x; source: doc/lz4_Frame_format.md of lz4."""

    magic = 0x184D2204
    name = "LZ4"

    def __init__(self) -> None:
        super().__init__()
        self._library: Any = load("lz4.frame")
        self._context: Any = None

    def _head_size(self, head: bytearray) -> int:
        return MAGIC_SIZE + 1  # the flags; the library reads the others

    def _begin(self, head: bytes) -> None:
        flags = head[MAGIC_SIZE]
        if flags & VERSION != VERSION_01:
            raise CorruptedFrameError("an LZ4 frame of another version than 01")
        if flags & DICTIONARY:
            raise CorruptedFrameError("an LZ4 frame needs a dictionary, there is none")
        self._context = self._library.create_decompression_context()
        self._step(head, 1)

    def _body(self, view: memoryview, most: int) -> tuple[bytes, int, bool]:
        out, taken, self.eof = self._step(view, most)
        return out, taken, len(out) >= most and not self.eof

    def _step(self, data: bytes | memoryview, most: int) -> tuple[bytes, int, bool]:
        try:
            step: tuple[bytes, int, bool] = self._library.decompress_chunk(self._context, data, max_length=most)
        except RuntimeError as exc:  # the library's class for whatever is wrong
            if "allocation" in str(exc):
                raise MemoryError(str(exc)) from exc
            raise damaged(str(exc)) from exc
        return step
