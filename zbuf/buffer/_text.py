"""Text in and out of a buffer, with a declared encoding, strict unless asked otherwise.

Owns    encoding on the way in, decoding on the way out, and the question whether bytes are text; lengths are bytes.
Never   a default other than UTF-8 strict, or a replacement nobody asked for.
Always  a call that raises has written nothing and moved nothing. Characters that lie across spans decode whole.
"""

import codecs
import sys
from typing import Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import index_outside, torn
    from zbuf.memory._memory import as_size, as_source
from zbuf.audit._bill import CopyReason
from zbuf.buffer._transfer import Transfer

__all__ = ["Text", "utf8_size"]

TEXT = int(CopyReason.TEXT)
PIECE = 65536  # bytes decoded, or characters encoded, at a time; arbitrary, it bounds the memory that asking takes
SMALL = 64  # bytes of a span, fewer are decoded together with what follows; arbitrary, but above the longest character


class Text(Transfer):
    """Strings in and out of a buffer."""

    __slots__ = ()

    def get_string(self, index: int, length: int, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return `length` bytes at absolute `index` decoded; nothing moves.

        Raises: BoundsError, UnicodeDecodeError, LookupError (unknown encoding)."""
        index = as_size(index)
        length = as_size(length)
        self._check_range(index, length)
        return self._copy_out(index, length, TEXT).decode(encoding, errors)

    def read_string(self, length: int, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Read `length` bytes decoded and move the reader index.

        Raises: BoundsError, UnicodeDecodeError, LookupError (unknown encoding); the index stays."""
        length = as_size(length)
        self._check_readable(length)
        text = self._copy_out(self._reader, length, TEXT).decode(encoding, errors)
        self._check_readable(length)  # again: a codec or an error handler may be the user's own, and have run anything
        self._reader += length
        return text

    def to_string(
        self, encoding: str = "utf-8", errors: str = "strict", index: int | None = None, length: int | None = None
    ) -> str:
        """Return the readable bytes, or those of the given range, decoded; nothing moves.

        Raises: BoundsError, UnicodeDecodeError, LookupError (unknown encoding)."""
        start, n = self._range(index, length)
        return self._copy_out(start, n, TEXT).decode(encoding, errors)

    def write_string(self, text: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Write `text` encoded, move the writer index, and return how many bytes; grows by exactly what is needed.

        Raises: TypeError (not a str), UnicodeEncodeError, LookupError, ReadOnlyError, CapacityError; nothing is
        written. Source: Netty writeCharSequence, strict where Netty replaces."""
        _check_text(text)
        self._check_writable()
        # A subclass of str may encode itself, to anything: what it gives is looked at like any source.
        return self._from_source(0, as_source(text.encode(encoding, errors)), None, None, True)

    def set_string(self, index: int, text: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Store `text` encoded at absolute `index` and return how many bytes; nothing moves, nothing grows.

        Raises: TypeError (not a str), UnicodeEncodeError, LookupError, ReadOnlyError, BoundsError; nothing is
        written. Source: Netty setCharSequence, which wants room for the longest encoding."""
        index = as_size(index)
        _check_text(text)
        self._check_writable()
        return self._from_source(index, as_source(text.encode(encoding, errors)), None, None, False)

    def is_text(self, index: int | None = None, length: int | None = None, encoding: str = "utf-8") -> bool:
        """Return whether the readable bytes, or those of the given range, are text; strict, as bytes.decode.

        Characters may lie across components; one that is cut off at the end of the range is none. Nothing moves.
        Cost: linear; UTF-8 is looked at where it lies, in any other encoding the bytes are copied a piece at a time
        (TEXT). Raises: BoundsError, LookupError (unknown encoding, or none of text). Source: Netty isText."""
        info = None if encoding == "utf-8" else codecs.lookup(encoding)  # foreign code may answer
        start, n = self._range(index, length)
        if info is None or info.name in ("utf-8", "utf-8-sig"):  # the mark in front is UTF-8 as well
            return self._is_utf8(start, start + n)
        return self._is_encoded(info, start, n)

    def _is_utf8(self, at: int, end: int) -> bool:
        decode = codecs.utf_8_decode
        piece: memoryview | bytes
        try:
            while at < end:
                self._seek(at)
                k = min(min(end, self._hi) - at, PIECE)
                if k < 1:
                    raise torn()
                if k < SMALL and k < end - at:
                    k = min(SMALL, end - at)
                    piece = self._copy_out(at, k, TEXT)  # over a border; it holds at least one whole character
                else:
                    piece = self._memory.export(at + self._shift, k, True)
                _, used = decode(piece, "strict", k == end - at)
                at += used
        except UnicodeDecodeError:
            return False
        return True

    def _is_encoded(self, info: codecs.CodecInfo, at: int, n: int) -> bool:
        if not getattr(info, "_is_text_encoding", True):  # as bytes.decode asks: base64 and its like are none
            raise LookupError(f"{info.name!r} is not an encoding of text")
        make: Any = info.incrementaldecoder  # None, against its type, where a foreign codec has none
        if info.name in ("utf-16", "utf-32"):  # alone among all, their incremental decoders insist on a byte order mark
            mark = self._copy_out(at, min(2 if info.name == "utf-16" else 4, n), TEXT)
            if mark not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
                make = codecs.getincrementaldecoder(info.name + ("-le" if sys.byteorder == "little" else "-be"))
        try:
            decode = None if make is None else make("strict").decode
            while True:
                self._check_range(at, n)  # a decoder may be foreign code
                k = n if decode is None else min(n, PIECE)
                piece = self._copy_out(at, k, TEXT)
                if decode is None:
                    info.decode(piece, "strict")
                else:
                    decode(piece, k == n)
                if k == n:
                    return True
                at += k
                n -= k
        except UnicodeError:
            return False

    def _range(self, index: int | None, length: int | None) -> tuple[int, int]:
        """Return (start, length) of an optional range (rule I9): absent means the readable bytes."""
        start = 0 if index is None else as_size(index)
        n = 0 if length is None else as_size(length)
        self._check_live()
        if index is None:
            start = self._reader
            if length is None:
                return start, self._writer - start
            self._check_readable(n)
            return start, n
        if length is not None:
            self._check_range(start, n)
            return start, n
        if start < 0 or start > self._writer:
            raise index_outside("index", start, self._writer)
        return start, self._writer - start


def utf8_size(text: str) -> int:
    """Return how many bytes `text` has in UTF-8, without writing it anywhere.

    Raises: TypeError (not a str), UnicodeEncodeError (a lone surrogate). Cost: none for ASCII; else a transient
    encoding of 64 Ki characters at a time. Source: Netty utf8Bytes."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {type(text).__name__}")
    if text.isascii():
        return len(text)
    size = 0
    try:
        for at in range(0, len(text), PIECE):
            size += len(text[at : at + PIECE].encode())
    except UnicodeEncodeError:
        text.encode()  # raises the same for the whole text, with its own numbers
        raise
    return size


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {type(text).__name__}")
