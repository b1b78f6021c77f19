"""The stream side of decompression: pieces of compressed bytes in, pieces of decompressed bytes out.

Owns    the steps (how much is given to a library and asked of it at once), members one behind the other, the end.
Never   an algorithm; a bound, which `OutputLimiter` has.
Always  what was decompressed before an error comes out before it. A byte stays unread while the library may have more
        output for it, so that nothing is pending when nothing is held. Behind an error everything is dropped up to the
        end of the stream: what follows damaged data means nothing.
"""

from __future__ import annotations

import sys

from zbuf.audit import CopyReason, charge
from zbuf.buffer import ByteBuf, release, wrap
from zbuf.codec._base import NEED_DATA, Decoder, NeedData
from zbuf.codec._limits import Limits
from zbuf.codec.compression._engines import Engine
from zbuf.codec.compression._limiter import MOST_MEMBERS, PIECE, OutputLimiter
from zbuf.errors import CorruptedFrameError, DecodeError, IncompleteFrameError

__all__ = ["Decompressor"]

STEP = 16384  # what a library is given at once: zlib copies what it did not get to, on every step


class Decompressor(Decoder[ByteBuf]):
    """Turns a compressed stream into pieces of what it holds; the base of the decoders here.

    Shape: messages are buffers of 1 byte to about 192 KiB, in order; where they are cut depends on how the input was,
    their bytes do not. `limits`: max_decompressed_bytes and max_ratio count for the whole stream, `max_members` for the
    members or frames in it. `limiter` stands in place of these and may be shared, see `OutputLimiter`.
    `stop_at_end`: take one member only, `finished` says that it is complete, and `leftover()` returns what follows it.
    Ownership: feed() transfers; pieces are read-only and own the memory that the library made for them.
    Raises: CorruptedFrameError for damaged data, a dictionary, bytes that may not follow the end;
    DecompressionLimitError when a bound is exceeded: at most one block more than it was made. Everything up to `end()`
    or `leftover()` is then dropped; a new stream may follow. `end()` raises IncompleteFrameError inside a member.
    Cost: none of zbuf's for pieces from 64 KiB; smaller ones of one feed are joined (GATHER)."""

    can_concatenate = True  # whether the format lets members follow each other
    can_stop = True  # whether the library tells where the end was

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_members: int = MOST_MEMBERS,
        limiter: OutputLimiter | None = None,
        stop_at_end: bool = False,
    ) -> None:
        if stop_at_end and not self.can_stop:
            raise ValueError(f"the library of {type(self).__name__} does not say where a stream ends")
        super().__init__(limits if limiter is None else limiter.limits)
        self._max_frame = sys.maxsize  # bytes of compressed input behind one piece mean nothing
        self._owns_limiter = limiter is None
        self.limiter: OutputLimiter = OutputLimiter(limits, max_members=max_members) if limiter is None else limiter
        self.stop_at_end: bool = bool(stop_at_end)
        self._layer = self.limiter.enter()
        self._forget()

    def _forget(self) -> None:
        self._engine: Engine | None = None
        self._fault: DecodeError | None = None
        self._failed = False  # an error was raised: drop what comes
        self._finished = False
        self._more = False  # the library may have output without further input
        self._given = 0  # 1: the next unread byte was given to the library already
        if self._owns_limiter:
            self.limiter.reset()

    def reset(self) -> None:
        """Forget the stream; a limiter that was given keeps its counts."""
        self._forget()

    @property
    def finished(self) -> bool:
        """Whether the last member is complete and no other has begun: the stream may end here."""
        return self._finished

    def open_engine(self) -> Engine:
        """Return what decompresses the next member. Subclasses write this."""
        raise NotImplementedError

    def parse(self, buf: ByteBuf) -> ByteBuf | NeedData:
        """Decompress a piece, or everything there is."""
        parts: list[bytes] = []
        size = 0
        while size < PIECE and self._fault is None and not self._failed and (self._more or buf.is_readable):
            if self._finished and self.stop_at_end:
                break
            try:
                part = self._step(buf)
            except DecodeError as exc:
                self._fault = _without_frames(exc)
                break
            if part:
                parts.append(part)
                size += len(part)
        if parts:
            return _piece_of(parts, size)
        if self._failed or self._fault is not None:
            self._fail(buf)
        return NEED_DATA

    def _step(self, buf: ByteBuf) -> bytes:
        """Let the library take one step, and move past what it took."""
        engine = self._engine
        if engine is None:
            if self._finished and not self.can_concatenate:
                raise CorruptedFrameError(f"{buf.readable_bytes} bytes follow the end of the compressed stream")
            self.limiter.begin_member()
            engine = self._engine = self.open_engine()
            self._finished = False
        data = self._next_view(buf)
        out, taken, more = engine.pull(data, self.limiter.room())
        fits, fault = self.limiter.take(self._layer, taken, len(out))
        idle = not (out or taken or self._more)
        self._more = more or fault is not None
        if engine.eof:
            self._engine, self._finished, self._more = None, True, fault is not None
        elif idle:
            raise CorruptedFrameError("the compressed data is damaged: the library takes no more of it")
        self._move(buf, taken)
        self._fault = fault
        return out if fault is None else out[:fits]

    def _next_view(self, buf: ByteBuf) -> memoryview:
        """Return bytes that were not given to the library yet: none only while it may have output without them."""
        views = buf.readable_views(1 + self._given, STEP + self._given)
        first = views[0][self._given :]
        return first if first or len(views) == 1 else views[1]

    def _move(self, buf: ByteBuf, taken: int) -> None:
        """Consume what was taken; while there may be more output, one byte of it stays."""
        done = taken + self._given
        self._given = 1 if self._more and done else 0
        buf.skip_bytes(done - self._given)

    def _fail(self, buf: ByteBuf) -> None:
        """Drop what is there, and raise the error unless it was raised before."""
        fault, self._fault = self._fault, None
        self._failed = True
        self._engine, self._more, self._given = None, False, 0
        buf.skip_bytes(buf.readable_bytes)
        if fault is not None:
            raise fault

    def _fault_of(self, message: object, consumed: int) -> Exception | None:
        return None  # a byte may have output for many pieces

    def end(self) -> None:
        """Say that no more bytes will come. Take all pieces out before.

        With `stop_at_end`, take `leftover()` before: what follows the member is released.
        Raises: IncompleteFrameError, once, inside a member; the decoder is as new then. Nothing when no byte came."""
        fault, buffered = self._fault, self.buffered
        between = self._engine is None and (not buffered or (self._finished and self.stop_at_end))
        outside = self._failed or between
        release(self.leftover())
        if fault is not None:
            raise fault
        if not outside:
            raise IncompleteFrameError("the input ended inside a compressed stream", buffered=buffered, needed=1)


def _without_frames(exc: DecodeError) -> DecodeError:
    """Let go of the frames behind an error that waits for its turn: they hold views of the input."""
    if exc.__cause__ is not None:
        exc.__cause__.with_traceback(None)
    return exc.with_traceback(None)


def _piece_of(parts: list[bytes], size: int) -> ByteBuf:
    if len(parts) == 1:
        return wrap(parts[0])
    charge(CopyReason.GATHER, size)
    return wrap(b"".join(parts))
