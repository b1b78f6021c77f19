"""Request targets: from what the peer wrote to a path below a root, or a refusal (RFC 9112 section 3.2, RFC 3986).

Owns    the decoding of targets and the list of what is never looked up.
Never   the file system: whether something exists, or is a link, is found out by whoever opens it.
Always  a path that comes out has only named segments: no "", ".", "..", no slash, backslash or NUL inside a segment.
        Escapes are decoded once, so %252e stays the text "%2e".
"""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

__all__ = ["Place", "TargetError", "resolve"]

MAX_PATH_BYTES = 4096  # Linux PATH_MAX

# Nothing to decode, nothing to refuse: what nearly every request looks like. A segment does not begin with a dot here.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*+)*+/?")
_ABSOLUTE = re.compile(r"https?://[^/?]+", re.IGNORECASE)
_ESCAPE_ERROR = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NEVER_IN_A_SEGMENT = re.compile(r"[/\\\x00]")


class TargetError(ValueError):
    """A target that names nothing here; `status` is the answer to it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Place(NamedTuple):
    """Where a target points.

    `relative` is the decoded path below the root, "" for the root itself; `is_directory` is whether the target ended
    in a slash; `path` and `query` are the raw halves of the target, for redirects.
    """

    relative: str
    is_directory: bool
    path: str
    query: str


def resolve(target: str) -> Place:
    """Return the place that `target` names, in origin or in absolute form.

    Raises: TargetError with 400 for what is malformed (a broken escape, NUL, not UTF-8, too long, another form), with
    404 for what could only be meant to leave the root or to confuse: empty and dot segments, encoded slashes,
    backslashes. Source: RFC 9112 section 3.2; RFC 3986 section 2.1.
    """
    path, mark, query = target.partition("?")
    query = mark + query
    if not path.startswith("/"):
        path = _after_authority(path)
    if len(path) > MAX_PATH_BYTES:
        raise TargetError("longer than any path", 400)
    if _PLAIN.fullmatch(path) is not None:
        is_directory = path.endswith("/")
        return Place(path[1:-1] if is_directory else path[1:], is_directory, path, query)
    return _decoded(path, query)


def _after_authority(path: str) -> str:
    match = _ABSOLUTE.match(path)
    if match is None:
        raise TargetError("neither a path nor an http URL", 400)
    return path[match.end() :] or "/"


def _decoded(path: str, query: str) -> Place:
    if _ESCAPE_ERROR.search(path) is not None:
        raise TargetError("a broken percent escape", 400)
    segments = path.split("/")[1:]
    is_directory = segments[-1] == ""
    if is_directory:
        segments.pop()
    try:
        names = [unquote_to_bytes(segment).decode("utf-8") for segment in segments]
    except UnicodeDecodeError:
        raise TargetError("not UTF-8", 400) from None
    for name in names:
        if "\0" in name:
            raise TargetError("NUL in a name", 400)
        if name in ("", ".", "..") or _NEVER_IN_A_SEGMENT.search(name) is not None:
            raise TargetError("an empty segment, a dot segment, or a slash inside a name", 404)
    return Place("/".join(names), is_directory, path, query)
