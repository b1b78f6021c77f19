"""Text in and out of a buffer, with a declared encoding, strict unless asked otherwise.

Owns    encoding on the way in, decoding on the way out; lengths are always bytes.
Never   a default other than UTF-8 strict, or a replacement nobody asked for.
Always  a call that raises has written nothing and moved nothing. Characters that lie across spans decode whole.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import index_outside
    from zbuf.memory._memory import as_size
from zbuf.audit._bill import CopyReason
from zbuf.buffer._transfer import Transfer

__all__ = ["Text"]

TEXT = int(CopyReason.TEXT)


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
        data = _encode(text, encoding, errors)
        return self._from_source(0, data, None, None, True)

    def set_string(self, index: int, text: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Store `text` encoded at absolute `index` and return how many bytes; nothing moves, nothing grows.

        Raises: TypeError (not a str), UnicodeEncodeError, LookupError, ReadOnlyError, BoundsError; nothing is
        written. Source: Netty setCharSequence, which wants room for the longest encoding."""
        index = as_size(index)
        data = _encode(text, encoding, errors)
        return self._from_source(index, data, None, None, False)

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


def _encode(text: str, encoding: str, errors: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {type(text).__name__}")
    return text.encode(encoding, errors)
