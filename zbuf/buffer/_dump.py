"""How a buffer is shown: repr and hex dumps.

Owns    the texts.
Never   a change to the buffer.
Always  repr never shows content and never raises; a dump shows exactly the bytes asked for.
"""

import operator
from typing import TYPE_CHECKING

from zbuf._types import Buffer
from zbuf.errors import BoundsError

if TYPE_CHECKING:
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["decode_hex_dump", "hex_dump", "pretty_hex_dump", "repr_of"]

_HEAD = (
    "         +-------------------------------------------------+\n"
    "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n"
    "+--------+-------------------------------------------------+----------------+"
)
_FOOT = "+--------+-------------------------------------------------+----------------+"


def repr_of(buf: "ByteBuf", refcnt: int, default_max: int, components: int = -1) -> str:
    """Return the repr of a buffer: its class, indices and capacity, and what is out of the ordinary."""
    name = type(buf).__name__
    if refcnt == 0:
        return f"{name}(freed)"
    ceiling = "" if buf.max_capacity == default_max else f"/{buf.max_capacity}"
    text = f"{name}(ridx: {buf.reader_index}, widx: {buf.writer_index}, cap: {buf.capacity}{ceiling}"
    if refcnt != 1:
        text += f", refcnt: {refcnt}"
    if buf.is_read_only:
        text += ", read-only"
    if components >= 0:
        text += f", components={components}"
    return text + ")"


def _bytes_of(buf: "ByteBuf | Buffer", index: int | None, length: int | None) -> bytes:
    part = getattr(buf, "slice", None)
    if part is not None:
        return bytes(part(index, length))
    view = memoryview(buf)
    if not view.c_contiguous:
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    start = 0 if index is None else operator.index(index)
    n = view.nbytes - start if length is None else operator.index(length)
    if length is not None and n < 0:
        raise ValueError(f"length must not be negative: {n}")
    if start < 0 or start > view.nbytes:
        raise BoundsError(f"index {start} is outside 0..{view.nbytes}", requested=start, available=view.nbytes)
    there = view.nbytes - start
    if n > there:
        raise BoundsError(f"{n} bytes asked for, {there} there", requested=n, available=there)
    return view.tobytes()[start : start + n]


def hex_dump(buf: "ByteBuf | Buffer", index: int | None = None, length: int | None = None) -> str:
    """Return the bytes of the range, by default all readable ones, as lowercase hex without separators.

    Raises: BoundsError, ValueError if negative. Source: Netty ByteBufUtil.hexDump."""
    return _bytes_of(buf, index, length).hex()


def decode_hex_dump(text: str) -> bytes:
    """Return the bytes of a hex dump, digits of either case. Raises: ValueError on an odd length or another character.

    Source: Netty ByteBufUtil.decodeHexDump."""
    if not isinstance(text, str):
        raise TypeError(f"a hex dump is a str, not {type(text).__name__}")
    if len(text) % 2:
        raise ValueError(f"a hex dump has an even length, not {len(text)}")
    if not text.isascii() or any(c.isspace() for c in text):
        raise ValueError("a hex dump holds nothing but hex digits")
    return bytes.fromhex(text)


def pretty_hex_dump(buf: "ByteBuf | Buffer", index: int | None = None, length: int | None = None) -> str:
    """Return the bytes of the range as a table, 16 to a row, with their ASCII characters; "" for no bytes.

    Labels count from the start of the dump. Raises: BoundsError, ValueError if negative. Source: Netty
    ByteBufUtil.prettyHexDump."""
    data = _bytes_of(buf, index, length)
    if not data:
        return ""
    rows = [_HEAD]
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        digits = "".join(f" {byte:02x}" for byte in row)
        text = "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in row)
        rows.append(f"|{at:08x}|{digits:<48} |{text:<16}|")
    return "\n".join([*rows, _FOOT])
