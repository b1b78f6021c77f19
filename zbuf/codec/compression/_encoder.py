"""The stream side of compression: messages in, parts of one compressed stream out.

Owns    what of a message is given to a library at once, when it must let go of what it holds, the end of a stream.
Never   an algorithm.
Always  regions are read, compressed and billed: none of their bytes leaves as it was. A message without bytes leaves
        nothing. Under `Flush.MESSAGE` a peer can decompress everything that was written so far.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Protocol

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf, wrap
from zbuf.codec._base import Encoder
from zbuf.region import FileRegion

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["Compressor", "Flush"]

STEP = 65536  # what a library is given at once: one receive block


class Flush(Enum):
    """When a compressing encoder lets go of what the library holds back."""

    MESSAGE = "message"
    """behind each message, which the peer can then read: for conversations. Costs some bytes per message."""
    STREAM = "stream"
    """when the library likes to, and at `finish()`: for files, and whatever is read as a whole."""


class Squeezer(Protocol):
    """A library's compressor of one stream."""

    def compress(self, data: memoryview) -> bytes:
        """Take `data` and return what comes out."""

    def flush(self) -> bytes:
        """Return everything that was held back; the stream goes on."""

    def finish(self) -> bytes:
        """Return the rest and the end of the stream."""


class Compressor(Encoder["ByteBuf | FileRegion | Buffer"]):
    """Turns messages of bytes into parts of one compressed stream; the base of the encoders here.

    `level`: how hard to try, in the library's own numbers. `flush`: see `Flush`; with `Flush.STREAM` the end of the
    stream must be asked for with `finish()`, and with `Flush.MESSAGE` it may be left out where the connection ends.
    Ownership: parts are read-only buffers that own what the library made. Regions are read, up to 64 KiB at a time
    (FILE_READ). Cost: no copy of zbuf's beside that.
    Raises: ValueError for a level that the library does not have, at construction."""

    accepts: ClassVar[type | tuple[type, ...]] = (ByteBuf, FileRegion, bytes, bytearray, memoryview)
    levels: ClassVar[range]
    default_level: ClassVar[int]

    def __init__(self, level: int | None = None, *, flush: Flush = Flush.MESSAGE) -> None:
        self.level: int = self.default_level if level is None else operator.index(level)
        if self.level not in self.levels:
            raise ValueError(f"level must be {self.levels[0]}..{self.levels[-1]}, not {self.level}")
        self.flush: Flush = Flush(flush)
        self._squeezer: Squeezer | None = None

    def open_squeezer(self) -> Squeezer:
        """Return a library's compressor for a new stream. Subclasses write this."""
        raise NotImplementedError

    def encode(self, msg: ByteBuf | FileRegion | Buffer, alloc: Allocator) -> Iterator[ByteBuf]:
        """Yield what the compressed stream goes on with."""
        any_bytes = False
        for view in _views_of(msg, alloc):
            any_bytes = True
            yield from _parts(self._open().compress(view))
        if any_bytes and self.flush is Flush.MESSAGE:
            yield from _parts(self._open().flush())

    def finish(self) -> list[ByteBuf]:
        """Return the end of the stream; the next message begins a new one.

        A stream that nothing was written to is ended as well: its parts are an empty stream."""
        squeezer, self._squeezer = self._open(), None
        return _parts(squeezer.finish())

    def _open(self) -> Squeezer:
        if self._squeezer is None:
            self._squeezer = self.open_squeezer()
        return self._squeezer


def _views_of(msg: ByteBuf | FileRegion | Buffer, alloc: Allocator) -> Iterator[memoryview]:
    """Yield the bytes of a message in steps, none empty."""
    if isinstance(msg, FileRegion):
        yield from _views_of_region(msg, alloc)
        return
    whole: Iterable[memoryview] = (
        msg.readable_views(sys.maxsize) if isinstance(msg, ByteBuf) else [memoryview(msg).cast("B")]
    )
    for view in whole:
        for at in range(0, len(view), STEP):
            yield view[at : at + STEP]


def _views_of_region(region: FileRegion, alloc: Allocator) -> Iterator[memoryview]:
    with region.slice(region.transferred, region.remaining) as rest:  # the region itself stays where it is
        while rest.remaining:
            piece = alloc.buffer(min(STEP, rest.remaining))
            rest.read_into(piece, min(STEP, rest.remaining))
            yield piece.readable_views()[0]
            piece.release()


def _parts(data: bytes) -> list[ByteBuf]:
    return [wrap(data)] if data else []
