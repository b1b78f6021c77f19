"""Preconditions: whether a request wants the file at all, or part of it (RFC 9110 sections 8.8, 13 and 14).

Owns    validators (ETag, Last-Modified), their comparison, and the order in which conditions count.
Never   an open file or an answer: it gets numbers and fields, and says what they come to.
Always  a part is sent only when the validator is strong and equal; in doubt the whole file goes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from zbuf.protocols.http._dates import format_date, parse_date
from zbuf.protocols.http._ranges import WHOLE, ByteRange, RangeAnswer, parse_range

__all__ = ["CONDITIONAL", "Validators", "evaluate", "select_range"]

CONDITIONAL = frozenset((b"if-match", b"if-unmodified-since", b"if-none-match", b"if-modified-since"))

_ETAG = re.compile(rb'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_ETAG_LIST = re.compile(rb'[ \t,]*+(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"[ \t]*+(?:,[ \t,]*+|\Z))*+')

_SETTLED_NS = 2_000_000_000  # FAT keeps two seconds; a younger file may change again under the same time stamp


class Validators(NamedTuple):
    """How a client may recognise this state of a file.

    `etag` is made of size, modification time and inode. It is weak (W/) while the file is so young that it could
    change again without a visible trace: RFC 9110 section 8.8.1.
    """

    etag: str
    last_modified: str
    modified: int
    is_strong: bool

    @classmethod
    def of(cls, size: int, mtime_ns: int, inode: int, now_ns: int) -> "Validators":
        """Return the validators of a file as fstat describes it, seen at `now_ns`."""
        if now_ns - mtime_ns >= _SETTLED_NS:
            return _settled(size, mtime_ns, inode)
        # never later than now: RFC 9110 section 8.8.2.1
        modified = max(min(mtime_ns, now_ns) // 1_000_000_000, 0)
        return cls(f"W/{_etag(size, mtime_ns, inode)}", format_date(modified), modified, False)


def _etag(size: int, mtime_ns: int, inode: int) -> str:
    return f'"{size:x}-{mtime_ns & 0xFFFF_FFFF_FFFF_FFFF:x}-{inode:x}"'


@lru_cache(maxsize=1024)  # a pure function of what fstat said: another state of the file is another call
def _settled(size: int, mtime_ns: int, inode: int) -> Validators:
    modified = max(mtime_ns // 1_000_000_000, 0)
    return Validators(_etag(size, mtime_ns, inode), format_date(modified), modified, True)


def evaluate(headers: Mapping[bytes, bytes], validators: Validators, now: int) -> int:
    """Return 200 to go on, 304 when the client has this state already, 412 when it insists on another.

    Source: RFC 9110 section 13.2.2, steps 1 to 4; for GET and HEAD.
    """
    match = headers.get(b"if-match")
    if match is not None:
        if not _names(match, validators, weak=False):
            return 412
    else:
        since = _date(headers, b"if-unmodified-since", now)
        if since is not None and validators.modified > since:
            return 412
    none_match = headers.get(b"if-none-match")
    if none_match is not None:
        return 304 if _names(none_match, validators, weak=True) else 200
    since = _date(headers, b"if-modified-since", now)
    return 304 if since is not None and validators.modified <= since else 200


def select_range(headers: Mapping[bytes, bytes], validators: Validators, size: int) -> ByteRange | RangeAnswer:
    """Return what the Range and If-Range fields of a GET come to for a file of `size` bytes.

    Source: RFC 9110 sections 13.1.5 and 14.2: If-Range needs a strong ETag or the exact date, else the whole file goes.
    """
    value = headers.get(b"range")
    if value is None:
        return WHOLE
    condition = headers.get(b"if-range")
    if condition is not None:
        if not validators.is_strong:
            return WHOLE
        wanted = condition.decode("latin-1")
        if wanted not in (validators.etag, validators.last_modified):
            return WHOLE
    return parse_range(value.decode("latin-1"), size)


def _date(headers: Mapping[bytes, bytes], name: bytes, now: int) -> int | None:
    value = headers.get(name)
    return None if value is None else parse_date(value.decode("latin-1"), now)


def _names(value: bytes, validators: Validators, *, weak: bool) -> bool:
    """Tell whether an ETag list names this state; a malformed list names nothing (RFC 9110 section 8.8.3)."""
    if value == b"*":
        return True
    if _ETAG_LIST.fullmatch(value) is None or not (weak or validators.is_strong):
        return False
    ours = validators.etag.removeprefix("W/").encode("ascii")
    return any(tag == ours and (weak or not prefix) for prefix, tag in _ETAG.findall(value))
