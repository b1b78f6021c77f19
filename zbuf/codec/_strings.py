"""Text and bytes as messages: frames become str or bytes, str and lines become bytes.

Owns    the character encoding, checked once at construction, and what may stand in a line.
Never   framing of what comes in: a frame is a whole text.
Always  strict unless told otherwise: bytes that are no text are the peer's error, text that cannot be encoded, or that
        would end its line early, is the writer's; then nothing is written.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import charge
from zbuf.buffer import ByteBuf, wrap
from zbuf.codec._base import Encoder
from zbuf.codec._messages import MessageToMessageDecoder
from zbuf.errors import CorruptedFrameError, EncodeError

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["ByteArrayDecoder", "ByteArrayEncoder", "LineEncoder", "StringDecoder", "StringEncoder"]

SEPARATORS = (b"\n", b"\r\n")
BYTES_LIKE = (ByteBuf, bytes, bytearray, memoryview)


class StringDecoder(MessageToMessageDecoder[ByteBuf, str]):
    """Turn frames into str. Each frame is a text of its own: put a framing decoder in front.

    Raises: LookupError for an encoding that is not known or is none of text, ValueError for an unknown `errors`.
    Decoding: CorruptedFrameError with the position of the first byte that is no text, unless `errors` says otherwise.
    Cost: one str. Source: Netty StringDecoder.

    >>> from zbuf import wrap
    >>> StringDecoder().decode(wrap("día".encode()))
    ('día',)
    """

    accepts: ClassVar[type | tuple[type, ...]] = ByteBuf

    def __init__(self, encoding: str = "utf-8", errors: str = "strict") -> None:
        self.encoding: str = checked_encoding(encoding, errors)
        self.errors = errors

    def decode(self, msg: ByteBuf) -> tuple[str, ...]:
        """Return the text of a frame."""
        try:
            return (msg.to_string(self.encoding, self.errors),)
        except UnicodeDecodeError as exc:
            raise CorruptedFrameError(f"a frame is no {self.encoding} text", position=exc.start) from None
        except UnicodeError:  # utf-16 and others say no more than that
            raise CorruptedFrameError(f"a frame is no {self.encoding} text") from None


class StringEncoder(Encoder[str]):
    r"""Turn str into bytes. It writes no length and no end: put a framing encoder between it and the channel.

    Raises: as StringDecoder at construction; EncodeError for text that the encoding has no bytes for.
    Source: Netty StringEncoder.

    >>> from zbuf import default_allocator
    >>> StringEncoder("latin-1").encode("día", default_allocator())
    (b'd\xeda',)
    """

    accepts: ClassVar[type | tuple[type, ...]] = str

    def __init__(self, encoding: str = "utf-8", errors: str = "strict") -> None:
        self.encoding: str = checked_encoding(encoding, errors)
        self.errors = errors

    def encode(self, msg: str, alloc: Allocator) -> tuple[bytes, ...]:
        """Return the bytes of `msg`."""
        return (encoded(msg, self.encoding, self.errors),)


class LineEncoder(Encoder["str | ByteBuf | Buffer"]):
    r"""Put the end of a line behind each message: text, which is encoded, or bytes, which go out by reference.

    `separator`: LF or CR LF. Raises: ValueError for another one; as StringEncoder; EncodeError for a message with a CR
    or LF in it, which a reader would take for the end of a line. Source: Netty LineEncoder, which lets those pass.

    >>> from zbuf import default_allocator
    >>> LineEncoder(b"\r\n").encode("QUIT", default_allocator())
    (b'QUIT\r\n',)
    """

    accepts: ClassVar[type | tuple[type, ...]] = (str, *BYTES_LIKE)

    def __init__(self, separator: bytes = b"\n", encoding: str = "utf-8") -> None:
        if separator not in SEPARATORS:
            raise ValueError(f"separator must be LF or CR LF, not {separator!r}")
        self.separator = separator
        self.encoding: str = checked_encoding(encoding, "strict")

    def encode(self, msg: str | ByteBuf | Buffer, alloc: Allocator) -> Iterable[ByteBuf | Buffer]:
        """Return the line: one bytes for text, else `msg` itself and the separator."""
        if isinstance(msg, str):
            line = encoded(msg, self.encoding, "strict")
            if b"\n" in line or b"\r" in line:
                raise _not_one_line()
            return (line + self.separator,)
        if isinstance(msg, ByteBuf):
            if msg.find(b"\n") >= 0 or msg.find(b"\r") >= 0:
                raise _not_one_line()
            return msg, self.separator
        line = bytes(msg)
        if line is not msg:
            charge(CopyReason.SNAPSHOT, len(line))
        if b"\n" in line or b"\r" in line:
            raise _not_one_line()
        return line, self.separator


class ByteArrayDecoder(MessageToMessageDecoder[ByteBuf, bytes]):
    """Turn frames into bytes objects, for handlers that want those. Cost: each frame is copied, which is billed.

    Source: Netty ByteArrayDecoder."""

    accepts: ClassVar[type | tuple[type, ...]] = ByteBuf

    def decode(self, msg: ByteBuf) -> tuple[bytes, ...]:
        """Return the bytes of a frame."""
        return (msg.get_bytes(msg.reader_index, msg.readable_bytes),)


class ByteArrayEncoder(Encoder["Buffer"]):
    """Turn bytes-likes into buffers over the same memory, for handlers nearer to the channel that want those.

    bytes go by reference; what its owner may change is copied, because it is sent later.
    Source: Netty ByteArrayEncoder."""

    accepts: ClassVar[type | tuple[type, ...]] = (bytes, bytearray, memoryview)

    def encode(self, msg: Buffer, alloc: Allocator) -> tuple[ByteBuf, ...]:
        """Return a buffer with the bytes of `msg`."""
        if type(msg) is bytes:
            return (wrap(msg),)
        copy = alloc.buffer(memoryview(msg).nbytes)
        copy.write_bytes(msg)
        return (copy,)


def checked_encoding(encoding: str, errors: str) -> str:
    """Return the canonical name of a text encoding. Raises: LookupError, ValueError (errors)."""
    info = codecs.lookup(encoding)
    "".encode(encoding)  # LookupError for "hex" and others that are no encodings of text
    try:
        codecs.lookup_error(errors)
    except LookupError:
        raise ValueError(f"unknown errors: {errors!r}") from None
    return info.name


def encoded(text: str, encoding: str, errors: str) -> bytes:
    """Return the bytes of `text`. Raises: EncodeError."""
    try:
        return text.encode(encoding, errors)
    except UnicodeError as exc:
        raise EncodeError(f"the text cannot be encoded as {encoding}") from exc


def _not_one_line() -> EncodeError:
    return EncodeError("the message has a CR or LF in it: it would be more than one line")
