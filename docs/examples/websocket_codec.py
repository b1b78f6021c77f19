"""WebSocket messages (RFC 6455) with permessage-deflate (RFC 7692), as a decoder and an encoder.

Messages are `str` (text), `ByteBuf` or bytes (binary), `Ping`, `Pong` and `Close`. What a server sends leaves without a
copy, behind a head of 2 to 10 bytes; what a client sends is masked, and masking makes one copy on either side.
"""

import codecs
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

from zbuf import Allocator, ByteBuf, Decoder, Encoder, Limits, NeedData, wrap
from zbuf.errors import CorruptedFrameError, EncodeError, LimitExceededError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1, RESERVED, MASKED = 0x80, 0x40, 0x30, 0x80
TAIL = b"\x00\x00\xff\xff"  # RFC 7692, 7.2.1: what every compressed message would end with is left out


class WebSocketError(CorruptedFrameError):
    """The peer broke the protocol; `code` goes into the Close that answers it."""

    def __init__(self, message: str, code: int = 1002) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Ping:
    """Asks for a Pong with the same data, of up to 125 bytes."""

    data: bytes = b""


@dataclass(frozen=True)
class Pong:
    """Answers a Ping, or says that this side lives."""

    data: bytes = b""


@dataclass(frozen=True)
class Close:
    """Begins or answers the end. 1005 stands for a Close without a code; it is never sent (RFC 6455, 7.4.1)."""

    code: int = 1000
    reason: str = ""


@dataclass(frozen=True)
class Deflate:
    """What the two sides agreed on: windows of 2**bits bytes, and whether each message begins with an empty one."""

    send_bits: int = 15
    receive_bits: int = 15
    resets_sent: bool = False
    resets_received: bool = False


class WebSocketDecoder(Decoder[Any]):
    """Bytes to messages. `is_server`: frames must be masked; at a client they must not be (RFC 6455, 5.1).

    Raises: WebSocketError, whose code says what the Close should say; LimitExceededError for messages above
    `message_limit` bytes, compressed or not, or of more than `fragment_limit` frames. Nothing can follow either.
    """

    def __init__(
        self,
        *,
        is_server: bool,
        deflate: Deflate | None = None,
        message_limit: int = 8 << 20,
        fragment_limit: int = 1024,
    ) -> None:
        super().__init__(Limits(max_frame_bytes=message_limit + 14, max_buffered_bytes=message_limit + (1 << 20)))
        self._is_server = is_server
        self._deflate = deflate
        self._message_limit = message_limit
        self._fragment_limit = fragment_limit
        self._inflate: Any = None
        self.reset()

    def reset(self) -> None:
        """Forget a message that is not complete."""
        self._head: tuple[int, int, bytes] | None = None  # first byte, length, mask of the frame that is arriving
        self._kind = CONTINUATION  # of the message that is arriving
        self._is_compressed = False
        self._size = self._fragments = 0
        self._parts: list[Any] = []
        self._text = codecs.getincrementaldecoder("utf-8")()

    def parse(self, buf: ByteBuf) -> Any | NeedData:
        """Read frames until a message is whole; a control frame between fragments is a message of its own."""
        while True:
            if self._head is None:
                missing = self._read_head(buf)
                if missing:
                    return self.need(missing)
            first, n, mask = self._head  # type: ignore[misc]  # _read_head has set it
            if buf.readable_bytes < n:
                return self.need(n)
            frame: Any = buf.read_slice(n)
            payload = masked(bytes(frame), mask) if self._is_server else frame
            self._head = None
            if first & 8:
                return control(first & 15, bytes(payload))
            self._add(payload, is_last=first >= FIN)
            if first & FIN:
                return self._finish()

    def _read_head(self, buf: ByteBuf) -> int:
        """Read and check the head of a frame; return how many bytes must be there, or 0 if it was whole."""
        if not buf.can_read(2):
            return 2
        at = buf.reader_index
        first, second = buf.get_unsigned_byte(at), buf.get_unsigned_byte(at + 1)
        extended = {126: 2, 127: 8}.get(second & 127, 0)
        size = 2 + extended + (4 if second & MASKED else 0)
        if not buf.can_read(size):
            return size
        n = second & 127
        if extended:
            n = buf.get_unsigned_short(at + 2) if extended == 2 else buf.get_unsigned_long(at + 2)
        mask = buf.get_bytes(at + size - 4, 4) if second & MASKED else b""
        self._check(first, n, bool(mask))
        buf.skip_bytes(size)
        self._head = first, n, mask
        return 0

    def _check(self, first: int, n: int, is_masked: bool) -> None:
        """Raise what is wrong with a head: RFC 6455, 5.2 to 5.5."""
        opcode = first & 15
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise WebSocketError(f"opcode {opcode}")
        if is_masked != self._is_server:
            raise WebSocketError("a client's frame is not masked" if self._is_server else "a server's frame is masked")
        starts = opcode in (TEXT, BINARY)
        if first & RESERVED or (first & RSV1 and not (starts and self._deflate)):
            raise WebSocketError("a reserved bit is set")
        if opcode >= CLOSE:
            if n > 125 or not first & FIN:
                raise WebSocketError("a control frame is too long, or fragmented")
            return
        if starts != (self._kind == CONTINUATION):
            raise WebSocketError("a message inside another one" if starts else "nothing to continue")
        if n > self._message_limit - self._size or self._fragments == self._fragment_limit:
            self._too_large(self._size + n)
        if starts:
            self._kind = opcode
            self._is_compressed = bool(first & RSV1)
        self._fragments += 1

    def _too_large(self, size: int) -> None:
        raise LimitExceededError("a message too large", limit="message", maximum=self._message_limit, value=size)

    def _add(self, payload: Any, *, is_last: bool) -> None:
        """Take the payload of a data frame; text is checked as it comes, so that a wrong byte is found early."""
        if self._is_compressed:
            payload = self._inflated(bytes(payload), is_last)
        self._size += len(payload)
        if self._size > self._message_limit:
            self._too_large(self._size)
        if self._kind == TEXT:
            try:
                self._parts.append(self._text.decode(bytes(payload), is_last))
            except UnicodeDecodeError:
                raise WebSocketError("a text that is no UTF-8", 1007) from None
        elif len(payload):
            self._parts.append(payload)

    def _inflated(self, data: bytes, is_last: bool) -> bytes:
        """Decompress a frame, and never more than the limit allows."""
        assert self._deflate is not None
        if self._inflate is None:
            self._inflate = zlib.decompressobj(-self._deflate.receive_bits)
        room = self._message_limit - self._size + 1  # one byte more shows that there would be more
        try:
            out: bytes = self._inflate.decompress(data + TAIL if is_last else data, room)
        except zlib.error:
            raise WebSocketError("compressed data that is none", 1007) from None
        if is_last and (self._deflate.resets_received or self._inflate.eof):
            self._inflate = None
        return out

    def _finish(self) -> Any:
        """Return the whole message, without joining the payloads of its frames."""
        kind, parts = self._kind, self._parts
        self.reset()
        return "".join(parts) if kind == TEXT else wrap(*parts) if parts else wrap(b"")


def masked(data: bytes, mask: bytes) -> bytes:
    """Return `data` XOR the repeated mask (RFC 6455, 5.3); as numbers: a loop over bytes takes 100 times as long."""
    n = len(data)
    repeated = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(n, "little")


def control(opcode: int, data: bytes) -> Ping | Pong | Close:
    """Return the message of a control frame. Raises: WebSocketError for a Close that must not be (RFC 6455, 7.4)."""
    if opcode != CLOSE:
        return Ping(data) if opcode == PING else Pong(data)
    if not data:
        return Close(1005)
    if len(data) == 1:
        raise WebSocketError("half a close code")
    (code,) = struct.unpack_from(">H", data)
    if not (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) and not 3000 <= code <= 4999:
        raise WebSocketError(f"close code {code}")
    try:
        return Close(code, data[2:].decode())
    except UnicodeDecodeError:
        raise WebSocketError("a reason that is no UTF-8", 1007) from None


class WebSocketEncoder(Encoder[Any]):
    """Messages to frames, one each. At a client they are masked.

    Ownership: the payload of a server's binary message goes out by reference. Raises: EncodeError.
    """

    def __init__(self, *, is_server: bool, deflate: Deflate | None = None) -> None:
        self._is_server = is_server
        self._deflate = deflate
        self._compressor: Any = None

    def encode(self, msg: Any, alloc: Allocator) -> Iterator[ByteBuf]:
        """Yield the head and the payload."""
        opcode, payload = self._content(msg)
        first = FIN | opcode
        if self._deflate is not None and opcode < CLOSE:
            first |= RSV1
            payload = self._compressed(bytes(payload))
        n = len(payload)
        if opcode >= CLOSE and n > 125:
            raise EncodeError(f"a control frame takes 125 bytes, not {n}")
        bit = 0 if self._is_server else MASKED
        if n < 126:
            head = struct.pack(">BB", first, bit | n)
        elif n < 1 << 16:
            head = struct.pack(">BBH", first, bit | 126, n)
        else:
            head = struct.pack(">BBQ", first, bit | 127, n)
        if not self._is_server:
            mask = token_bytes(4)
            head += mask
            payload = masked(bytes(payload), mask)
        yield wrap(head)
        if n:
            yield payload.duplicate() if isinstance(payload, ByteBuf) else wrap(payload)

    def _content(self, msg: Any) -> tuple[int, Any]:
        match msg:
            case str():
                return TEXT, msg.encode()
            case ByteBuf() | bytes():
                return BINARY, msg
            case Ping(data):
                return PING, data
            case Pong(data):
                return PONG, data
            case Close(1005):
                return CLOSE, b""
            case Close(code, reason):
                return CLOSE, struct.pack(">H", code) + reason.encode()
        raise EncodeError(f"WebSocket has no {type(msg).__name__}")

    def _compressed(self, data: bytes) -> bytes:
        assert self._deflate is not None
        if self._compressor is None or self._deflate.resets_sent:
            self._compressor = zlib.compressobj(wbits=-self._deflate.send_bits)
        out: bytes = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return out[: -len(TAIL)]
