"""One message of the parts it came in: a first one, more of them, a last one.

Owns    the parts gathered so far, how many they are and how long.
Never   what a part looks like: a subclass says which one is the first, the last, and what it carries.
Always  content is gathered by reference, small pieces are copied together; bytes and parts are bounded; what exceeds a
        bound is dropped up to its last part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from zbuf.buffer import ByteBuf, empty
from zbuf.codec._base import release_counted
from zbuf.codec._cumulation import COPY_BELOW, Cumulation, join
from zbuf.codec._limits import checked_length
from zbuf.codec._messages import MessageToMessageDecoder
from zbuf.errors import CorruptedFrameError, IncompleteFrameError, LimitExceededError, TooLongFrameError

__all__ = ["MessageAggregator"]

In = TypeVar("In")
Out = TypeVar("Out")
MOST_PARTS = 1024  # arbitrary: a flood of empty parts stays below any bound on bytes
ADAPTIVE = int(Cumulation.ADAPTIVE)


class MessageAggregator(MessageToMessageDecoder[In, Out]):
    """Gathers the parts of a message and makes one of them. Derive, write `is_first`, `is_last`, `content_of`, `whole`.

    `max_content_length` bounds the bytes of all parts together, `max_parts` their number.
    Ownership: content is shared with the parts, pieces below 1 KiB are copied together (CUMULATE).
    Raises: ValueError at construction. Decoding: TooLongFrameError and LimitExceededError for a message that exceeds a
    bound, whose further parts are then dropped; CorruptedFrameError for a part that has no first one, or a first one
    inside another message, which is dropped. Source: Netty MessageAggregator."""

    def __init__(self, max_content_length: int, *, max_parts: int = MOST_PARTS) -> None:
        self.max_content_length: int = checked_length("max_content_length", max_content_length)
        self.max_parts: int = checked_length("max_parts", max_parts)
        self._first: In | None = None
        self._is_open = False
        self._content: ByteBuf | None = None
        self._mine = False
        self._length = 0
        self._parts = 0
        self._dropping = False

    def is_first(self, msg: In) -> bool:
        """Say whether `msg` is the first part of a message."""
        raise NotImplementedError

    def is_last(self, msg: In) -> bool:
        """Say whether `msg` is the last part; a part may be both."""
        raise NotImplementedError

    def content_of(self, msg: In) -> ByteBuf | None:
        """Return what `msg` carries, which stays its own; None for nothing."""
        raise NotImplementedError

    def whole(self, first: In, content: ByteBuf) -> Out:
        """Return the message that began with `first`. Ownership: transfers `content`; `first` was released if it was
        counted, but what it says of itself is still there."""
        raise NotImplementedError

    def decode(self, msg: In) -> Iterable[Out]:
        """Take one part; return the message when it is complete."""
        last = self.is_last(msg)
        if self.is_first(msg):
            was_open = self._is_open
            self.reset()
            self._first = msg
            self._is_open = True
            if was_open:
                self._dropping, self._is_open = not last, False
                raise CorruptedFrameError("a message began inside another one")
        elif self._dropping:
            self._dropping = not last
            return ()
        elif not self._is_open:
            raise CorruptedFrameError("a part of a message has no first part")
        try:
            self._add(self.content_of(msg))
        except BaseException:
            self.reset()
            self._dropping = not last
            raise
        if not last:
            return ()
        first, content = self._first, self._content
        self._content = None
        self.reset()
        return (self.whole(first, empty() if content is None else content),)  # type: ignore[arg-type]  # it is open

    def _add(self, part: ByteBuf | None) -> None:
        self._parts += 1
        if self._parts > self.max_parts:
            raise LimitExceededError(
                f"a message has more than {self.max_parts} parts",
                limit="max_parts",
                maximum=self.max_parts,
                value=self._parts,
            )
        n = 0 if part is None else part.readable_bytes
        if n > self.max_content_length - self._length:
            raise TooLongFrameError(
                f"a message of at least {self._length + n} bytes exceeds max_content_length {self.max_content_length}",
                limit="max_content_length",
                maximum=self.max_content_length,
                value=self._length + n,
            )
        if part is None or n == 0:
            return
        self._length += n
        share = part.slice()
        if self._content is None:
            self._content = share
        else:
            self._content = join(self._content, share, ADAPTIVE, COPY_BELOW, self._mine)
            self._mine = True

    def end(self) -> None:
        """Say that no more parts will come.

        Raises: IncompleteFrameError, once, when the last part of a message is missing; the others are released."""
        was_open, length = self._is_open, self._length
        self.reset()
        if was_open:
            raise IncompleteFrameError(
                f"the input ended inside a message of {length} bytes so far", buffered=length, needed=1
            )

    def reset(self) -> None:
        """Give up the parts gathered so far."""
        content, self._content = self._content, None
        self._first = None
        self._is_open = self._mine = self._dropping = False
        self._length = self._parts = 0
        release_counted(content)
