"""Frames that end with a delimiter: what lines and other delimited frames have in common.

Owns    the bound on a frame whose end has not come yet, and the skipping of one that exceeds it.
Never   how a delimiter is found: `_search` of a subclass does that, and remembers how far it has looked.
Always  what a frame or an error comes of depends on the bytes alone, not on how they were cut; a frame that is too long
        is dropped as it comes, except for the few bytes in which a delimiter may begin.
"""

from __future__ import annotations

import sys
from typing import Any

from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import NEED_DATA, DecoderCore
from zbuf.codec._limits import checked_length, frame_too_long, limits_for

_NEED_DATA: Any = NEED_DATA


class DelimitedCore(DecoderCore):
    """Cuts frames at delimiters; `longest` is the size of the longest one, `shortest` of the shortest accepted."""

    def __init__(self, max_frame_length: int, strip: bool, fail_fast: bool, longest: int, shortest: int = 0) -> None:
        length = checked_length("max_frame_length", max_frame_length)
        super().__init__(limits_for(length, longest))
        self.max_frame_length = length
        self._max_frame = sys.maxsize  # checked here; what is skipped in front of a frame is no part of it
        self._strip = bool(strip)
        self._fail_fast = bool(fail_fast)
        self._keep = longest - 1  # bytes at the end of what was searched in which a delimiter may begin
        self._shortest = shortest
        self._delimiter = 0  # the size of the delimiter that `_search` found
        self._skipped = -1  # how much is gone of a frame that is too long; -1: none is being skipped
        self._overridden = type(self).parse is not DelimitedCore.parse

    def parse(self, buf: ByteBuf) -> Any:
        """Cut one frame off the front of `buf`."""
        return self._frame(buf)

    def reset(self) -> None:
        """Forget how far the search came, and a frame that was being skipped."""
        self._skipped = -1
        self._consumed(sys.maxsize)

    def end(self) -> None:
        """Say that no more bytes will come.

        Raises: IncompleteFrameError as every decoder; TooLongFrameError for a frame that was still being skipped and
        not yet reported (fail_fast=False)."""
        if self._skipped < 0:
            super().end()
            return
        length = self._skipped + self.buffered
        self.leftover().release()
        if not self._fail_fast:
            raise frame_too_long(self.max_frame_length, length)

    # What a subclass says.

    def _search(self, buf: ByteBuf) -> int:
        """Return how many bytes come before the first delimiter, with its size in `_delimiter`; -1: not there yet."""
        raise NotImplementedError

    def _consumed(self, n: int) -> None:
        """Take note that `n` bytes were consumed: how far the search came is counted from the reader index."""
        raise NotImplementedError

    def _refuse_short(self, buf: ByteBuf, n: int) -> Any:
        """Raise for a delimiter that is shorter than the shortest accepted; it was consumed."""
        raise NotImplementedError

    # What all share.

    def _parse(self, buf: ByteBuf) -> Any:
        return self.parse(buf) if self._overridden else self._frame(buf)

    def _frame(self, buf: ByteBuf) -> Any:
        n = self._search(buf)
        if n < 0:
            return self._unfinished(buf)
        size = n + self._delimiter
        self._consumed(size)
        if self._skipped >= 0:
            return self._skipped_all(buf, n)
        if n > self.max_frame_length:
            buf._reader += size
            raise frame_too_long(self.max_frame_length, n)
        if self._delimiter < self._shortest:
            buf._reader += size
            return self._refuse_short(buf, n)
        if not self._strip:
            return buf.read_slice(size)
        frame = buf.read_slice(n)
        buf._reader += self._delimiter
        return frame

    def _unfinished(self, buf: ByteBuf) -> Any:
        """No delimiter yet: wait, or skip what cannot become a frame any more."""
        gone = buf._writer - buf._reader - self._keep
        if self._skipped < 0:
            if gone <= self.max_frame_length:
                return _NEED_DATA
            self._skipped = 0
            self._drop_some(buf, gone)
            if self._fail_fast:
                raise frame_too_long(self.max_frame_length, gone)
        elif gone > 0:
            self._drop_some(buf, gone)
        return _NEED_DATA

    def _drop_some(self, buf: ByteBuf, n: int) -> None:
        buf._reader += n
        self._skipped = min(self._skipped, sys.maxsize - n) + n
        self._consumed(n)

    def _skipped_all(self, buf: ByteBuf, n: int) -> Any:
        """The frame that was being skipped ends here, `n` bytes and a delimiter further on."""
        length = min(self._skipped, sys.maxsize - n) + n
        self._skipped = -1
        buf._reader += n + self._delimiter
        if not self._fail_fast:
            raise frame_too_long(self.max_frame_length, length)
        if buf._reader == buf._writer:
            return _NEED_DATA
        return self._frame(buf)
