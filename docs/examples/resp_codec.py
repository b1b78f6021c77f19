"""RESP2 and RESP3, the protocol of Redis, as a decoder and an encoder (https://redis.io/docs/latest/develop/reference/protocol-spec/).

A decoder remembers where it is inside nested arrays, so no byte is parsed twice; bulk strings of 4 KiB and more stay
where they arrived, as buffers, and leave the same way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from zbuf import NEED_DATA, Allocator, ByteBuf, Decoder, Encoder, Limits, NeedData, wrap
from zbuf.errors import CorruptedFrameError, EncodeError, LimitExceededError, TooLongFrameError

INLINE_LIMIT = 64 * 1024  # of a line that is no bulk string; Redis: PROTO_INLINE_MAX_SIZE
BULK_LIMIT = 16 << 20  # Redis allows 512 MiB, which one client could make a server hold at no cost of its own
ELEMENTS_LIMIT = 65_536  # of one message, nested ones included
BY_REFERENCE = 4096  # from here on a bulk string is not copied
LIMITS = Limits(max_frame_bytes=BULK_LIMIT + 64, max_buffered_bytes=BULK_LIMIT + (1 << 20), max_depth=32)


class Nil:
    """The null of RESP: `_`, `$-1`, `*-1`."""

    def __repr__(self) -> str:
        return "NIL"

    def __bool__(self) -> bool:
        return False


NIL: Final = Nil()


@dataclass(frozen=True)
class Error:
    """An error reply: `-ERR what is wrong`."""

    text: str


class Push(list[Any]):
    """What the server says without being asked: `>` in RESP3, an array in RESP2."""


@dataclass(slots=True)
class Open:
    """An aggregate whose elements are still arriving."""

    kind: int
    missing: int
    items: list[Any] = field(default_factory=list)

    def value(self) -> Any:
        """Return what the finished aggregate means."""
        if self.kind in b"%|":
            pairs = iter(self.items)
            return {hashable(key): value for key, value in zip(pairs, pairs, strict=True)}
        if self.kind == ord("~"):
            return {hashable(item) for item in self.items}
        return Push(self.items) if self.kind == ord(">") else self.items


def hashable(value: Any) -> Any:
    """Return a key or a member of a set in a form that can be one."""
    if isinstance(value, ByteBuf):
        return bytes(value)
    if isinstance(value, list | set | dict):
        raise CorruptedFrameError(f"a {type(value).__name__} as key of a map or member of a set")
    return value


class RespDecoder(Decoder[Any]):
    """Bytes to values: requests of clients (inline ones too) and replies of servers, RESP2 and RESP3.

    Yields int, float, bool, str (simple strings), bytes or ByteBuf (bulk strings), list, dict, set, NIL, Error, Push.
    Raises: CorruptedFrameError, LimitExceededError and TooLongFrameError; the connection cannot go on after them.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        super().__init__(limits)
        self.reset()

    def reset(self) -> None:
        """Forget a message that is not complete."""
        self._open: list[Open] = []
        self._elements = 0
        self._bulk = -1  # the length of the bulk string that is arriving
        self._bulk_kind = 0
        self._searched = 0  # bytes of an unfinished line in which there is no CR LF

    def parse(self, buf: ByteBuf) -> Any | NeedData:
        """Read on from where the last call stopped, until a whole value is there."""
        try:
            return self._values(buf)
        except Exception:
            self.reset()
            raise

    def _values(self, buf: ByteBuf) -> Any | NeedData:
        while True:
            if self._bulk >= 0:
                value = self._read_bulk(buf)
            else:
                value = self._read_line(buf)
            if value is NEED_DATA:
                return value
            if value is None:  # the head of a bulk string or of an aggregate
                continue
            while self._open:  # hand it to the innermost open aggregate; that may complete it, and so on outward
                inner = self._open[-1]
                inner.items.append(value)
                inner.missing -= 1
                if inner.missing:
                    break
                self._open.pop()
                if inner.kind == ord("|"):  # attributes stand before a value and say something about it: not used here
                    value = None
                    break
                value = inner.value()
            else:
                self._elements = 0
                return value

    def _read_line(self, buf: ByteBuf) -> Any:
        """Read a line and what it says; None after a head that more bytes follow."""
        start = buf.reader_index
        end = buf.find(b"\r\n", start + self._searched)
        if end < 0 or end - start > INLINE_LIMIT:
            if buf.readable_bytes > INLINE_LIMIT:
                raise TooLongFrameError(
                    f"a line of more than {INLINE_LIMIT} bytes", limit="inline", maximum=INLINE_LIMIT
                )
            self._searched = max(0, buf.readable_bytes - 1)
            return NEED_DATA
        self._searched = 0
        kind = buf.read_unsigned_byte() if end > start else 0
        if kind in b"$*%~>|!=" and kind:
            head = buf.read_bytes(end - start - 1)
            buf.skip_bytes(2)
            return self._begin(kind, head)
        if kind in b"+-:#,_(" and kind:
            rest = buf.read_string(end - start - 1, "utf-8", "surrogateescape")
            buf.skip_bytes(2)
            return scalar(kind, rest)
        words = (bytes((kind,)) if kind else b"") + buf.read_bytes(end - buf.reader_index)
        buf.skip_bytes(2)
        if self._open:
            raise CorruptedFrameError(f"unknown type byte {kind}")
        return words.split() or None  # an inline request; an empty line says nothing

    def _begin(self, kind: int, head: bytes) -> Any:
        """Begin a bulk string or an aggregate of the length that `head` says."""
        if head == b"-1" and kind in b"$*":
            return NIL
        n = number(head)
        if n < 0:
            raise CorruptedFrameError(f"length {n}")
        if kind in b"$!=":
            if n > BULK_LIMIT:
                raise LimitExceededError(f"a bulk string of {n} bytes", limit="bulk", maximum=BULK_LIMIT, value=n)
            self._bulk, self._bulk_kind = n, kind
            return None
        missing = 2 * n if kind in b"%|" else n
        self._elements += missing + 1
        if self._elements > ELEMENTS_LIMIT:
            raise LimitExceededError("too many elements", limit="elements", maximum=ELEMENTS_LIMIT, value=missing)
        if len(self._open) >= self.limits.max_depth:
            raise LimitExceededError("nested too deep", limit="max_depth", maximum=self.limits.max_depth)
        if missing:
            self._open.append(Open(kind, missing))
            return None
        return None if kind == ord("|") else Open(kind, 0).value()

    def _read_bulk(self, buf: ByteBuf) -> Any:
        """Read a bulk string, once it is whole."""
        n = self._bulk
        if buf.readable_bytes < n + 2:
            return self.need(n + 2)
        if buf.get_unsigned_short(buf.reader_index + n) != 0x0D0A:
            raise CorruptedFrameError("no CR LF behind a bulk string")
        value: Any = buf.read_slice(n) if n >= BY_REFERENCE else buf.read_bytes(n)
        buf.skip_bytes(2)
        self._bulk = -1
        if self._bulk_kind == ord("$"):
            return value
        text = bytes(value).decode("utf-8", "replace")
        return Error(text) if self._bulk_kind == ord("!") else text[4:]  # verbatim: three letters, a colon, the text


def number(text: bytes | str) -> int:
    """Return a decimal number; stricter than int(): no blanks, no underscores, at most 20 digits."""
    digits = text[1:] if text[:1] in (b"-", b"+", "-", "+") else text
    if not digits.isdigit() or len(digits) > 20 or not digits.isascii():
        raise CorruptedFrameError("not a number")
    return int(text)


def scalar(kind: int, text: str) -> Any:
    """Return the value of a line that stands for itself."""
    match chr(kind):
        case "+":
            return text
        case "-":
            return Error(text)
        case ":" | "(":
            return number(text)
        case "_" if not text:
            return NIL
        case "#" if text in ("t", "f"):
            return text == "t"
        case ",":
            try:
                return float(text)
            except ValueError:
                pass
    raise CorruptedFrameError(f"a value of type {chr(kind)!r} that is none")


class RespEncoder(Encoder[Any]):
    """Values to bytes, in the version that the client asked for. Takes what RespDecoder yields, and None for NIL.

    Ownership: a buffer goes out by reference. Raises: EncodeError for a value that RESP does not know, or a line break
    in a line: it would let one reply pass for two.
    """

    def __init__(self, version: int = 2) -> None:
        self.version = version

    def encode(self, msg: Any, alloc: Allocator) -> Iterator[ByteBuf]:
        """Yield what comes between the large bulk strings in one piece, and these as they are."""
        pending = bytearray()
        for part in self._parts(msg):
            if isinstance(part, bytes):
                pending += part
            else:
                yield wrap(bytes(pending))
                pending.clear()
                yield part
        if pending:
            yield wrap(bytes(pending))

    def _parts(self, value: Any) -> Iterator[bytes | ByteBuf]:
        match value:
            case None | Nil():
                yield b"_\r\n" if self.version == 3 else b"$-1\r\n"
            case bool():
                yield (b"#t\r\n" if value else b"#f\r\n") if self.version == 3 else b":%d\r\n" % value
            case int():
                yield b":%d\r\n" % value
            case float():
                text = f"{value:.17g}".encode()
                yield b",%b\r\n" % text if self.version == 3 else b"$%d\r\n%b\r\n" % (len(text), text)
            case str() | Error():
                yield line(value)
            case bytes():
                yield b"$%d\r\n%b\r\n" % (len(value), value)
            case ByteBuf():
                yield b"$%d\r\n" % len(value)
                yield value.duplicate()
                yield b"\r\n"
            case dict():
                flat = [each for pair in value.items() for each in pair]
                yield from self._aggregate(b"%" if self.version == 3 else b"*", len(value), flat)
            case set():
                yield from self._aggregate(b"~" if self.version == 3 else b"*", len(value), value)
            case list() | tuple():
                mark = b">" if isinstance(value, Push) and self.version == 3 else b"*"
                yield from self._aggregate(mark, len(value), value)
            case _:
                raise EncodeError(f"RESP has no {type(value).__name__}")

    def _aggregate(self, mark: bytes, count: int, items: Iterable[Any]) -> Iterator[bytes | ByteBuf]:
        if mark == b"*" and isinstance(items, list) and self.version == 2:
            count = len(items)  # a map of RESP3 is an array of keys and values in RESP2
        yield b"%b%d\r\n" % (mark, count)
        for item in items:
            yield from self._parts(item)


def line(value: str | Error) -> bytes:
    """Return a simple string or an error as a line. Raises: EncodeError for a line break in it."""
    mark, text = ("-", value.text) if isinstance(value, Error) else ("+", value)
    if "\r" in text or "\n" in text:
        raise EncodeError("a line break in a simple string or an error")
    return f"{mark}{text}\r\n".encode("utf-8", "surrogateescape")
