"""Frames that end with one of several delimiters.

Owns    which delimiter counts: the one that begins first, and the longest of those that begin at one place.
Never   a delimiter that is empty, or what stands between two of them.
Always  for each delimiter the decoder knows how far it has looked and what it found there, so each byte is searched
        once per delimiter, however the input is cut and however many frames it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import Decoder, NeedData
from zbuf.codec._delimited import DelimitedCore

__all__ = ["DelimiterBasedFrameDecoder"]


class DelimiterCore(DelimitedCore):
    """The compiled half of `DelimiterBasedFrameDecoder`."""

    def __init__(
        self, max_frame_length: int, *delimiters: ByteBuf | Buffer, strip: bool = True, fail_fast: bool = True
    ) -> None:
        known = sorted({_as_bytes(each) for each in delimiters}, key=len, reverse=True)
        if not known:
            raise ValueError("at least one delimiter is needed")
        if not known[-1]:
            raise ValueError("a delimiter must not be empty")
        super().__init__(max_frame_length, strip, fail_fast, len(known[0]))
        self._delimiters = known  # the longest first: it wins against others at its place
        self._searched = [0] * len(known)  # bytes from the reader index on in which none begins
        self._found = [-1] * len(known)  # where the first one begins, from the reader index on; -1: not known
        self._overlap = any(short in long[:-1] for long in known for short in known if len(short) < len(long))

    def _search(self, buf: ByteBuf) -> int:
        readable = buf._writer - buf._reader
        first = -1
        for i in range(len(self._delimiters)):
            at: int = self._found[i]
            if at < 0:
                at = self._look_for(buf, i, readable)
            if at >= 0 and (first < 0 or at < first):
                first = at
                self._delimiter = len(self._delimiters[i])
        if first >= 0 and self._overlap and self._may_change(buf, first, readable):
            return -1
        return first

    def _look_for(self, buf: ByteBuf, i: int, readable: int) -> int:
        """Search where delimiter `i` was not searched yet; return its place, from the reader index on, or -1."""
        delimiter: bytes = self._delimiters[i]
        start: int = self._searched[i]
        at = buf._find(delimiter, buf._reader + start, buf._writer)
        if at < 0:
            self._searched[i] = max(start, readable - len(delimiter) + 1)
            return -1
        at -= buf._reader
        self._found[i] = at
        return at

    def _may_change(self, buf: ByteBuf, first: int, readable: int) -> bool:
        """Say whether bytes still to come may complete a delimiter that begins earlier, or here and is longer."""
        for delimiter in self._delimiters:
            for at in range(max(readable - len(delimiter) + 1, 0), first + 1):
                there = buf.get_bytes(buf._reader + at, readable - at)
                if delimiter.startswith(there) and (at < first or len(delimiter) > self._delimiter):
                    return True
        return False

    def _consumed(self, n: int) -> None:
        for i in range(len(self._delimiters)):
            searched: int = self._searched[i]
            found: int = self._found[i]
            self._searched[i] = max(searched - n, 0)
            self._found[i] = max(found - n, -1)


class DelimiterBasedFrameDecoder(DelimiterCore, Decoder[ByteBuf]):
    r"""Cut a stream into frames that end with one of `delimiters`.

    Shape: a frame has up to max_frame_length bytes; with `strip=False` its delimiter is part of it, too. The delimiter
    that begins first ends the frame, the longest of those that begin at one place. Where a delimiter stands inside a
    longer one that may still come, the decoder waits for the bytes that decide, so that cuts change nothing.
    Ownership: feed() transfers; frames share the block they came in.
    Raises: ValueError at construction: no delimiter, an empty one, a length below 1. Decoding: TooLongFrameError, as
    soon as no delimiter can come in time, the rest is then skipped (`fail_fast=False`: at the delimiter).
    Cost: each byte is searched once per delimiter. Source: Netty DelimiterBasedFrameDecoder, which takes the shortest
    frame.

    >>> frames = DelimiterBasedFrameDecoder(80, b"\0", b";")
    >>> frames.feed(b"one;two\0;thr")
    >>> [bytes(frame) for frame in frames], frames.buffered
    ([b'one', b'two', b''], 3)
    """

    if TYPE_CHECKING:

        def parse(self, buf: ByteBuf) -> ByteBuf | NeedData: ...


def _as_bytes(delimiter: Any) -> bytes:
    return bytes(delimiter) if isinstance(delimiter, ByteBuf) else memoryview(delimiter).tobytes()
