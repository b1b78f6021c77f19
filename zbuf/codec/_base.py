"""Decoders and encoders: bytes to messages and back, with no pipeline and no I/O.

Owns    the contract of a decoder (a message, NEED_DATA, or an exception), what it holds between pieces, its limits.
Never   where bytes come from, who gets the messages, a wire format.
Always  what is held has unread bytes, else nothing is held. Whatever raises leaves the decoder at a defined place,
        from which it goes on. A message is never lost to an error that comes after it.

`DecoderCore` is the compiled half; `Decoder` is the class to derive from, generic in its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.codec._cumulation import MERGE, in_one_piece, join, reclaimed

from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer import empty, release, wrap
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._composite import CompositeByteBuf
from zbuf.codec._cumulation import COPY_BELOW, Cumulation
from zbuf.codec._limits import Limits
from zbuf.errors import IncompleteFrameError, LimitExceededError, ReferenceCountError, TooLongFrameError, UsageError

if TYPE_CHECKING:
    from zbuf.buffer import Allocator
    from zbuf.region import FileRegion

__all__ = ["NEED_DATA", "Decoder", "Encoder", "NeedData"]

T = TypeVar("T")
M = TypeVar("M", contravariant=True)
DEFAULT_LIMITS = Limits()
SNAPSHOT = int(CopyReason.SNAPSHOT)


class NeedData(Enum):
    """The type of NEED_DATA, for annotations."""

    NEED_DATA = "NEED_DATA"

    def __repr__(self) -> str:
        return "NEED_DATA"


NEED_DATA: Final = NeedData.NEED_DATA  # test with `is`: an empty frame is falsy too
_NEED_DATA: Any = NEED_DATA  # the same object for compiled code, which finds it without a look-up


class DecoderCore:
    """The compiled half of `Decoder`: takes pieces, gives messages, holds the rest."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        cumulation: Cumulation = Cumulation.ADAPTIVE,
        copy_below: int = COPY_BELOW,
    ) -> None:
        self.limits: Limits = DEFAULT_LIMITS if limits is None else limits
        self._held: ByteBuf | None = None
        self._stash: Any = None
        self._want = 1
        self._count = 0
        self._max_messages = self.limits.max_messages_per_feed
        self._max_frame = self.limits.max_frame_bytes  # a decoder that judges the length itself sets this to maxsize
        self._max_buffered = self.limits.max_buffered_bytes
        self._copy_below = copy_below
        self._how = int(Cumulation(cumulation))
        self._mine = False
        self._parsing = False

    # The public face.

    def feed(self, data: ByteBuf | Buffer) -> None:
        """Add `data` to the unread bytes. Messages come out of `next()` or a `for` loop over the decoder.

        Ownership: transfers, also when it raises. Bytes are kept by reference; other bytes-likes are copied, because
        their owner may use them again. A buffer that comes when nothing is held is kept as it is.
        Cost: see `Cumulation`; no bytes for large pieces.
        Raises: UsageError from inside `parse`; LimitExceededError when more than max_buffered_bytes were fed and not
        taken out, the piece is then dropped and everything before it stays."""
        if isinstance(data, ByteBuf):
            self.accept(data.move())
        else:
            self.accept(wrap(data if type(data) is bytes else _snapshot(data)))

    def next(self) -> Any:
        """Return the next message, or the object NEED_DATA when more bytes are needed for one.

        Ownership: a frame in the message shares the block its bytes arrived in, and outlives the decoder.
        Raises: DecodeError or a subclass for bytes that are wrong; call again to go on behind them. UsageError for a
        `parse` that returned a message without consuming a byte."""
        return self.take()

    def __iter__(self) -> Iterator[Any]:
        """Yield messages until more bytes are needed."""
        return _Messages(self)

    def need(self, n: int) -> NeedData:
        """Return NEED_DATA from `parse`, and say that `n` readable bytes are needed before it is worth a call."""
        self._want = n
        return NEED_DATA

    @property
    def needed(self) -> int:
        """How many bytes are missing for the next step; at least 1 after NEED_DATA, 0 when `next()` may succeed."""
        held = self._held
        return max(0, self._want - (0 if held is None else held.readable_bytes))

    @property
    def buffered(self) -> int:
        """How many bytes were fed and not consumed."""
        held = self._held
        return 0 if held is None else held.readable_bytes

    def leftover(self) -> ByteBuf:
        """Return the unread bytes and leave the decoder empty, as new. Ownership: transfers to the caller."""
        if self._parsing:
            raise _from_parse(self, "leftover()")
        held, self._held = self._held, None
        self._drop()
        return empty() if held is None else held

    def end(self) -> None:
        """Say that no more bytes will come. Take all messages out before.

        Raises: IncompleteFrameError, once, when the input ended inside a frame; what was left of it is released, and
        the decoder is empty."""
        if self._parsing:
            raise _from_parse(self, "end()")
        buffered, needed = self.buffered, max(1, self.needed)
        inside = self._held is not None or self._want > 1
        self._drop()
        if inside:
            raise IncompleteFrameError(
                f"the input ended inside a frame: {buffered} bytes are there, {needed} more are needed",
                buffered=buffered,
                needed=needed,
            )

    def reset(self) -> None:
        """Forget what `parse` remembers of an unfinished message. A subclass that remembers something extends this.

        It is called when the bytes held are given up: by `leftover()`, by `end()`, and when a limit is exceeded."""

    def parse(self, buf: ByteBuf) -> Any:
        """Read one message from `buf`. See `Decoder.parse`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(buffered={self.buffered}, needed={self.needed})"

    # What pipelines call; `next` and `feed` are these.

    def accept(self, data: ByteBuf) -> None:
        """Take the handle `data` itself: nobody else may use it afterwards."""
        n = data._writer - data._reader
        if n == 0 or self._held is not None or self._parsing:
            self._accept_cold(data)
        else:
            self._held = in_one_piece(data) if self._how == MERGE else data
            self._mine = False
            if self._stash is None:
                self._count = 0

    def _accept_cold(self, data: ByteBuf) -> None:
        if data._refcnt == 0:
            raise ReferenceCountError("the buffer was released", refcnt=0)
        if self._parsing:
            data.release()
            raise _from_parse(self, "feed()")
        if self._stash is None:
            self._count = 0
        n = data._writer - data._reader
        held = self._held
        waiting = 0 if held is None else held._writer - held._reader
        if n == 0:
            data.release()
        elif waiting >= self._want and n > self._max_buffered - waiting:
            data.release()
            raise _too_much("max_buffered_bytes", self._max_buffered, waiting + n)
        else:
            assert held is not None
            self._held = join(held, data, self._how, self._copy_below, self._mine)
            self._mine = True

    def take(self) -> Any:
        """Return the next message or NEED_DATA; see `next`."""
        held = self._held
        if held is None:
            return self._stash_or_need() if self._stash is not None else _NEED_DATA
        if self._count >= self._max_messages:
            return self._take_past_count()
        before = held._writer - held._reader
        if before < self._want:
            return _NEED_DATA
        if self._parsing:
            raise _from_parse(self, "next()")
        self._parsing = True
        self._want = 0
        try:
            message = self._parse(held)
        except BaseException:
            self._parsing = False
            self._want = 1
            self._settle(held)
            raise
        self._parsing = False
        if message is _NEED_DATA:
            return self._starved(held)
        self._want = 1
        consumed = before - (held._writer - held._reader)
        self._settle(held)
        if consumed <= 0 or consumed > self._max_frame or message is None:
            self._judge(message, consumed)
        self._count += 1
        return message

    def _parse(self, buf: ByteBuf) -> Any:
        return self.parse(buf)

    # The cold half.

    def _settle(self, held: ByteBuf) -> None:
        """Let go of what was consumed."""
        if held._reader == held._writer:
            self._held = None
            if held._refcnt:
                held.release()
        elif self._mine and type(held) is CompositeByteBuf:
            self._held = reclaimed(held)

    def _starved(self, held: ByteBuf) -> Any:
        """Note how much must be there before `parse` is called again, and refuse a frame that is too long."""
        left = held._writer - held._reader
        if self._want <= left:  # `parse` did not say, or asked for what it has
            self._want = left + 1
        if left > self._max_frame:
            self._drop()
            raise _too_long(self._max_frame, left)
        if left > self._max_buffered:
            self._drop()
            raise _too_much("max_buffered_bytes", self._max_buffered, left)
        self._settle(held)
        return _NEED_DATA

    def _judge(self, message: Any, consumed: int) -> None:
        """Raise for a message that must not be handed out; it is released."""
        fault = self._fault_of(message, consumed)
        if fault is not None:
            release_counted(message)
            raise fault

    def _fault_of(self, message: Any, consumed: int) -> Exception | None:
        name = type(self).__name__
        if message is None and not self._may_be_none():
            return UsageError(f"{name}.parse() returned None; return a message or NEED_DATA")
        if consumed <= 0:
            return UsageError(f"{name}.parse() returned a message without consuming a byte")
        return _too_long(self._max_frame, consumed) if consumed > self._max_frame else None

    def _may_be_none(self) -> bool:
        """Say whether None is a message (JSON has a null), not a `return` that was forgotten."""
        return False

    def _take_past_count(self) -> Any:
        """One message beyond max_messages_per_feed: raise once, keep the message for the next call."""
        if self._stash is not None:
            return self._stash_or_need()
        count, self._count = self._count, 0
        message = self.take()
        if message is _NEED_DATA:
            self._count = count
            return message
        self._stash = message
        self._count = count
        raise _too_much("max_messages_per_feed", self._max_messages, count + 1)

    def _stash_or_need(self) -> Any:
        message, self._stash = self._stash, None
        self._count = 1
        return message

    def _drop(self) -> None:
        """Give up what is held and what `parse` remembers of it."""
        held, self._held = self._held, None
        stash, self._stash = self._stash, None
        self._want = 1
        self._count = 0
        if held is not None and held._refcnt:
            held.release()
        release_counted(stash)
        self.reset()


class _Messages:
    """The iterator of a decoder."""

    def __init__(self, decoder: DecoderCore) -> None:
        self._next = decoder.next

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        message = self._next()
        if message is _NEED_DATA:
            raise StopIteration
        return message


class Decoder(DecoderCore, Generic[T]):
    """Turns pieces of a byte stream into messages of type T. Derive from it and write `parse`.

    Three outcomes: a message, NEED_DATA, or an exception; feed bytes, then take messages until NEED_DATA:

    >>> class Pairs(Decoder[bytes]):
    ...     def parse(self, buf: ByteBuf) -> bytes | NeedData:
    ...         if not buf.can_read(2):
    ...             return self.need(2)
    ...         return buf.read_bytes(2)
    >>> pairs = Pairs()
    >>> pairs.feed(b"abc")
    >>> list(pairs), pairs.buffered, pairs.needed
    ([b'ab'], 1, 1)

    Ownership: `feed` transfers; frames share the block they came in (`copy()` keeps 10 bytes without 64 KiB).
    Limits: see `Limits`; those of the base are max_frame_bytes, max_buffered_bytes and max_messages_per_feed.
    Source: Netty ByteToMessageDecoder, without its pipeline; h11 for the three outcomes."""

    if TYPE_CHECKING:

        def next(self) -> T | NeedData: ...

        def __iter__(self) -> Iterator[T]: ...

    def parse(self, buf: ByteBuf) -> T | NeedData:
        """Read one message from the readable bytes of `buf`, which start where the last message ended.

        Return the message and leave the reader index behind it (`buf.read_slice(n)` is a frame without a copy); or
        return NEED_DATA, better `self.need(n)` where it is known that n bytes must be readable. Bytes may be consumed
        before NEED_DATA; they are not shown again. For wrong bytes raise a DecodeError: put your own state in order
        and consume what is wrong first.
        Ownership: borrows `buf`, which belongs to the decoder: do not release, keep or write to it."""
        raise NotImplementedError


class Encoder(Generic[M]):
    """Turns messages of type M into parts to send. Derive from it and write `encode`.

    `accepts`: the classes of message it is for; a pipeline passes others on untouched."""

    accepts: ClassVar[type | tuple[type, ...]] = object

    def encode(self, msg: M, alloc: Allocator) -> Iterable[ByteBuf | FileRegion | Buffer]:
        """Return the parts of `msg` in order, none of them joined; no part at all is legal.

        Ownership: `msg` belongs to the caller, who releases it afterwards, also when this raises, unless it is itself
        among the parts. Parts belong to the caller once they are yielded. `alloc` is where new buffers come from.
        Raises: EncodeError for a message that cannot be encoded."""
        raise NotImplementedError


def _snapshot(data: Buffer) -> bytes:
    """Return a copy of bytes that their owner may change."""
    taken = memoryview(data).tobytes()
    charge(SNAPSHOT, len(taken))
    return taken


def release_counted(obj: Any) -> None:
    """Release a buffer or region that is still alive; leave anything else alone."""
    if getattr(obj, "refcnt", 0):
        release(obj)


def _from_parse(decoder: DecoderCore, call: str) -> UsageError:
    return UsageError(f"{type(decoder).__name__}.parse() called {call} of its own decoder")


def _too_long(maximum: int, value: int) -> TooLongFrameError:
    return TooLongFrameError(
        f"a frame of at least {value} bytes exceeds max_frame_bytes {maximum}",
        limit="max_frame_bytes",
        maximum=maximum,
        value=value,
    )


def _too_much(limit: str, maximum: int, value: int) -> LimitExceededError:
    return LimitExceededError(f"{value} exceeds {limit} {maximum}", limit=limit, maximum=maximum, value=value)
