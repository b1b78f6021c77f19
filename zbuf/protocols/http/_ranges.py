"""One byte range out of a Range field (RFC 9110 section 14).

Owns    the grammar of byte ranges and what a range means for a file of a given size.
Never   a file, a response, or the validators that decide whether a range counts at all.
Always  a range that is returned lies inside the file and is not empty: 0 <= first <= last < size.
"""

import enum
import re
from typing import Final, NamedTuple

__all__ = ["UNSATISFIABLE", "WHOLE", "ByteRange", "RangeAnswer", "parse_range"]


class RangeAnswer(enum.Enum):
    """What a Range field comes to when it is not one range."""

    WHOLE = "the field is ignored, the whole file is sent (200)"
    UNSATISFIABLE = "no byte of the file is asked for (416)"


WHOLE: Final = RangeAnswer.WHOLE
UNSATISFIABLE: Final = RangeAnswer.UNSATISFIABLE


class ByteRange(NamedTuple):
    """The bytes `first` to `last` of a file, both included."""

    first: int
    last: int

    @property
    def nbytes(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """Return the Content-Range value for a file of `size` bytes (RFC 9110 section 14.4)."""
        return f"bytes {self.first}-{self.last}/{size}"


_UNIT = re.compile(r"bytes=", re.IGNORECASE)  # range units are case-insensitive: RFC 9110 section 14.1
_SPEC = re.compile(r"([0-9]*)-([0-9]*)")  # [0-9], not \d: an Arabic digit is no digit here
_FAR = 2**63  # beyond any file; so that 8000 digits never become an integer
_MOST_DIGITS = 19


def parse_range(value: str, size: int) -> ByteRange | RangeAnswer:
    """Return the one range that `value` asks of a file of `size` bytes, or WHOLE, or UNSATISFIABLE.

    Ignored (WHOLE): another unit, anything malformed, a reversed range, and several ranges: an answer may always be
    the whole file. A suffix range of an empty file is WHOLE too, since no Content-Range can describe it.
    Source: RFC 9110 sections 14.1.1, 14.1.2 and 14.2.
    """
    unit = _UNIT.match(value)
    if unit is None:
        return WHOLE
    specs = [spec for spec in (part.strip(" \t") for part in value[unit.end() :].split(",")) if spec]
    if len(specs) != 1:
        return WHOLE
    match = _SPEC.fullmatch(specs[0])
    if match is None:
        return WHOLE
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    start = _number(first)
    stop = _number(last) if last else _FAR
    if stop < start:
        return WHOLE
    if start >= size:
        return UNSATISFIABLE
    return ByteRange(start, min(stop, size - 1))


def _suffix(digits: str, size: int) -> ByteRange | RangeAnswer:
    if not digits:
        return WHOLE
    length = _number(digits)
    if length == 0:
        return UNSATISFIABLE
    if size == 0:
        return WHOLE
    return ByteRange(max(size - length, 0), size - 1)


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else _FAR
