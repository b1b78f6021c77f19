"""Lines.

Owns    what ends a line: LF, and a CR just before it is part of the end.
Never   the text in a line, or its encoding.
Always  a line is searched once, however it is cut: the search goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import Decoder, NeedData
from zbuf.codec._delimited import DelimitedCore
from zbuf.errors import CorruptedFrameError

__all__ = ["LineBasedFrameDecoder"]

LF = b"\n"
CR = 13


class LineCore(DelimitedCore):
    """The compiled half of `LineBasedFrameDecoder`."""

    def __init__(
        self, max_frame_length: int, strip: bool = True, fail_fast: bool = True, *, bare_lf: bool = True
    ) -> None:
        super().__init__(max_frame_length, strip, fail_fast, 2, 1 if bare_lf else 2)
        self._searched = 0  # bytes from the reader index on in which there is no LF

    def _search(self, buf: ByteBuf) -> int:
        at = buf._find(LF, buf._reader + self._searched, buf._writer)
        if at < 0:
            self._searched = buf._writer - buf._reader
            return -1
        n = at - buf._reader
        if n > 0 and buf.get_byte(at - 1) == CR:
            self._delimiter = 2
            return n - 1
        self._delimiter = 1
        return n

    def _consumed(self, n: int) -> None:
        self._searched = max(self._searched - n, 0)

    def _refuse_short(self, buf: ByteBuf, n: int) -> Any:
        raise CorruptedFrameError(f"a line of {n} bytes ends with LF, without CR", position=n)


class LineBasedFrameDecoder(LineCore, Decoder[ByteBuf]):
    r"""Cut a stream into lines. A line ends with LF or CR LF; a CR that stands alone is part of the line.

    Shape: a frame is the line, of up to max_frame_length bytes; with `strip=False` its end is part of the frame, too.
    `bare_lf=False` refuses lines that end with LF alone, as protocols do in which two readers must agree where a
    line ends. Lines may be empty.
    Ownership: feed() transfers; frames share the block they came in.
    Raises: ValueError at construction. Decoding: TooLongFrameError, as soon as a line cannot end in time any more, its
    rest is then skipped (`fail_fast=False`: at the end of the line); CorruptedFrameError for a bare LF, behind which
    decoding goes on. Cost: each byte is looked at once. Source: Netty LineBasedFrameDecoder; `bare_lf` is ours.

    >>> lines = LineBasedFrameDecoder(80)
    >>> lines.feed(b"one\r\ntwo\n\nthr")
    >>> [bytes(line) for line in lines], lines.buffered
    ([b'one', b'two', b''], 3)
    """

    if TYPE_CHECKING:

        def parse(self, buf: ByteBuf) -> ByteBuf | NeedData: ...
