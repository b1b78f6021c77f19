"""Decoders written as generators: what is wanted is yielded, the bytes come back, the message is returned.

Owns    the running generator, what it asked for, how much of a message was consumed.
Never   a wire format; a second look at bytes that were handed to the generator.
Always  a generator reads one message. Whatever leaves it, an error or the message, ends it, and the next message gets
        a fresh one; it is closed when the input ends or is taken away in the middle.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Generator
from types import GeneratorType
from typing import Any, TypeAlias, TypeVar

from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, DecoderCore
from zbuf.codec._cumulation import COPY_BELOW, Cumulation
from zbuf.codec._limits import Limits
from zbuf.errors import IncompleteFrameError, TooLongFrameError, UsageError

__all__ = ["GeneratorDecoder", "Need", "NeedUntil", "Skip", "Steps"]

T = TypeVar("T")
_NEED_DATA: Any = NEED_DATA
MOST_IDLE = 1000  # steps in a row that consume nothing; arbitrary, more is a loop without an end


class Need:
    """`data = yield Need(n)`: the next `n` bytes, as a buffer that shares the block they came in.

    Raises: ValueError if negative. At the `yield`: TooLongFrameError when the message would exceed max_frame_bytes."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        wanted: Any = operator.index(n)
        if not 0 <= wanted <= sys.maxsize:
            raise ValueError(f"n must be 0..{sys.maxsize}, not {wanted}")
        self.n: int = wanted

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n})"


class Skip(Need):
    """`yield Skip(n)`: drop the next `n` bytes as they come; they are not held, and count towards no limit.

    What comes back is an empty buffer. Raises: ValueError if negative."""

    __slots__ = ()


class NeedUntil:
    r"""`line = yield NeedUntil(b"\r\n")`: the bytes before the next delimiter, which is consumed.

    `most`: how many bytes may come before it; by default what max_frame_bytes leaves. `strip=False` leaves the
    delimiter at the end of what comes back. Each byte is searched once, however the input is cut.
    Raises: ValueError for an empty delimiter or a negative `most`. At the `yield`: TooLongFrameError."""

    __slots__ = ("delimiter", "most", "strip")

    def __init__(self, delimiter: Buffer, most: int | None = None, *, strip: bool = True) -> None:
        wanted = delimiter if type(delimiter) is bytes else memoryview(delimiter).tobytes()
        limit: Any = sys.maxsize if most is None else operator.index(most)
        if not wanted:
            raise ValueError("a delimiter must not be empty")
        if limit < 0:
            raise ValueError(f"most must not be negative: {limit}")
        self.delimiter: bytes = wanted
        self.most: int = min(limit, sys.maxsize)
        self.strip: bool = bool(strip)

    def __repr__(self) -> str:
        return f"NeedUntil({self.delimiter!r})"


Steps: TypeAlias = Generator[Need | NeedUntil, ByteBuf, T]


class GeneratorCore(DecoderCore):
    """The compiled half of `GeneratorDecoder`."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        cumulation: Cumulation = Cumulation.ADAPTIVE,
        copy_below: int = COPY_BELOW,
    ) -> None:
        super().__init__(limits, cumulation=cumulation, copy_below=copy_below)
        self._longest = self._max_frame
        self._max_frame = sys.maxsize  # judged here: a message may be consumed in many steps
        self._steps: Any = None
        self._request: Any = None
        self._rest: Any = None  # what was refused and is being dropped, before the next message
        self._searched = 0  # bytes from the reader index on in which the delimiter wanted does not begin
        self._dropped = 0  # how much is done of a Skip
        self._spent = 0  # bytes of the message handed to the generator: what max_frame_bytes bounds
        self._begun = False

    def parse(self, buf: ByteBuf) -> Any:
        """Run the generator as far as the bytes reach."""
        return self._run(buf)

    def _run(self, buf: ByteBuf) -> Any:
        if self._rest is not None:
            if not self._drop_rest(buf):
                return _NEED_DATA
            self._rest = None
            if buf._reader == buf._writer:
                return _NEED_DATA
        if self._steps is None:
            self._start()
        idle = 0
        while True:
            before = buf._reader
            exc = None
            try:
                answer = self._answer(buf)
            except TooLongFrameError as too_long:
                answer, exc = None, too_long
            if answer is _NEED_DATA:
                return _NEED_DATA
            idle = 0 if buf._reader != before else idle + 1
            if idle > MOST_IDLE:
                self._forget(True)
                raise UsageError(f"{type(self).__name__}.decode() goes on without consuming a byte")
            try:
                self._request = self._steps.send(answer) if exc is None else self._steps.throw(exc)
                self._searched = self._dropped = 0
            except StopIteration as stop:
                self._forget(False)
                return stop.value
            except BaseException as left:
                refused = self._request if left is exc else None
                self._forget(False)
                self._rest = refused
                raise

    def reset(self) -> None:
        """Close the generator of an unfinished message. A subclass that remembers something of one extends this."""
        self._rest = None
        self._forget(True)

    def end(self) -> None:
        """Say that no more bytes will come; a generator in the middle of a message is closed.

        Raises: IncompleteFrameError, once, when the input ended inside a message."""
        if self._rest is not None:
            self.leftover().release()  # what was being dropped was reported already
        begun, needed = self._begun, max(1, self.needed)
        super().end()
        if begun:
            raise IncompleteFrameError(
                f"the input ended inside a message: {needed} more bytes are needed", buffered=0, needed=needed
            )

    def decode(self) -> Any:
        """Read one message. See `GeneratorDecoder.decode`."""
        raise NotImplementedError

    def _start(self) -> None:
        steps: Any = self.decode()
        if type(steps) is not GeneratorType and not isinstance(steps, Generator):
            raise UsageError(f"{type(self).__name__}.decode() is no generator: it has no yield")
        self._steps = steps
        try:
            self._request = next(steps)
        except StopIteration:
            self._forget(False)
            raise UsageError(f"{type(self).__name__}.decode() returned without a yield") from None
        except BaseException:
            self._forget(False)
            raise

    def _forget(self, close: bool) -> None:
        steps, self._steps = self._steps, None
        self._request = None
        self._searched = self._dropped = self._spent = 0
        self._begun = False
        if close and steps is not None:
            steps.close()

    # What can be asked for.

    def _answer(self, buf: ByteBuf) -> Any:
        """Return what the generator asked for, or NEED_DATA. Raises: TooLongFrameError."""
        request = self._request
        if isinstance(request, Need):
            need: Need = request
            if type(request) is not Skip:
                return self._take_bytes(buf, need.n)
            return buf.read_slice(0) if self._skip(buf, need.n) else _NEED_DATA
        if isinstance(request, NeedUntil):
            return self._until(buf, request)
        kind = type(request)
        self._forget(True)
        raise UsageError(f"{type(self).__name__}.decode() yielded a {kind.__name__}, not Need, NeedUntil or Skip")

    def _take_bytes(self, buf: ByteBuf, n: int) -> Any:
        if n > self._longest - self._spent:
            raise _too_long("max_frame_bytes", self._longest, self._spent + n)
        if n > buf._writer - buf._reader:
            return self.need(n)
        self._hand_out(n)
        return buf.read_slice(n)

    def _until(self, buf: ByteBuf, request: NeedUntil) -> Any:
        most = request.most
        n = self._find(buf, request.delimiter)
        size = len(request.delimiter)
        least = n if n >= 0 else buf._writer - buf._reader - size + 1
        if least > self._longest - self._spent:
            raise _too_long("max_frame_bytes", self._longest, self._spent + least)
        if least > most:
            raise _too_long("most", most, least)
        if n < 0:
            return _NEED_DATA
        self._hand_out(n)
        self._searched = 0
        if not request.strip:
            return buf.read_slice(n + size)
        found = buf.read_slice(n)
        buf._reader += size
        return found

    def _hand_out(self, n: int) -> None:
        self._spent += n
        self._begun = True

    def _find(self, buf: ByteBuf, delimiter: bytes) -> int:
        """Return how many bytes come before the delimiter, or -1; the search goes on where it stopped."""
        at = buf._find(delimiter, buf._reader + self._searched, buf._writer)
        if at >= 0:
            return at - buf._reader
        self._searched = max(self._searched, buf._writer - buf._reader - len(delimiter) + 1)
        return -1

    def _skip(self, buf: ByteBuf, total: int) -> bool:
        """Drop bytes until `total` are dropped; return whether they are."""
        n = min(total - self._dropped, buf._writer - buf._reader)
        buf._reader += n
        self._dropped += n
        self._begun = True
        if self._dropped < total:
            return False
        self._dropped = 0
        return True

    def _drop_rest(self, buf: ByteBuf) -> bool:
        """Drop what was refused; return whether that is done."""
        if isinstance(self._rest, Need):
            need: Need = self._rest
            done = self._skip(buf, need.n)
            self._begun = False  # it belongs to no message
            return done
        until: NeedUntil = self._rest
        n = self._find(buf, until.delimiter)
        size = len(until.delimiter)
        if n >= 0:
            buf._reader += n + size
            self._searched = 0
            return True
        n = buf._writer - buf._reader - size + 1
        if n > 0:
            buf._reader += n
            self._searched -= n
        return False


class GeneratorDecoder(GeneratorCore, Decoder[T]):
    r"""Turns a byte stream into messages of type T, read by a generator. Derive from it and write `decode`.

    `decode` reads one message: it yields what it wants, gets the bytes, and returns the message. Where bytes are
    missing it waits at its `yield`; nothing is parsed twice.

    >>> class Pairs(GeneratorDecoder[tuple[str, bytes]]):
    ...     def decode(self) -> Steps[tuple[str, bytes]]:
    ...         key = yield NeedUntil(b"=", most=20)
    ...         size = yield Need(2)
    ...         value = yield Need(size.read_unsigned_short())
    ...         return key.to_string(), bytes(value)
    >>> pairs = Pairs()
    >>> pairs.feed(b"color=\x00\x03redsi")
    >>> list(pairs), pairs.buffered
    ([('color', b'red')], 2)

    Parts of a message can be generators of their own: `name = yield from self.name()`.
    Ownership: what comes back belongs to the generator, and shares the block it came in.
    Limits: max_frame_bytes bounds what is handed out for one message. What exceeds it raises TooLongFrameError at the
    `yield`; unless the generator handles it, the bytes asked for are dropped as they come, without being held, and the
    next message begins behind them. Any other exception ends the generator, and the next message begins where it stood.
    Source: ours; it stands where Netty has ReplayingDecoder."""

    def decode(self) -> Steps[T]:
        """Read one message: yield `Need`, `NeedUntil` or `Skip`, get a buffer for each, return the message.

        For wrong bytes raise a DecodeError. To pass over bytes that are no message, loop."""
        raise NotImplementedError


def _too_long(limit: str, maximum: int, value: int) -> TooLongFrameError:
    return TooLongFrameError(
        f"a message of at least {value} bytes exceeds {limit} {maximum}",
        limit=limit,
        maximum=maximum,
        value=value,
    )
