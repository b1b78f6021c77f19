"""Responses: what a server wants to say, and the bytes of its head (RFC 9112 section 4, RFC 9110 section 6).

Owns    the status table, the one validated way from header fields to bytes, small pages for errors.
Never   a request's path, a file, a socket.
Always  nothing but printable ASCII gets into a head: a CR, LF or NUL in any value is an EncodeError and no byte.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import TypeAlias

from zbuf.buffer import ByteBuf
from zbuf.errors import EncodeError
from zbuf.protocols.http._body import allows_body
from zbuf.protocols.http._dates import format_date
from zbuf.region import FileRegion

__all__ = ["HttpResponse", "encode_head", "error_response"]

Field: TypeAlias = tuple[str, str]
Body: TypeAlias = bytes | ByteBuf | FileRegion | None

_NAME = re.compile(r"[!#-'*+\-.0-9A-Z^_`a-z|~]+")  # a token: RFC 9110 section 5.6.2
_STATUS_LINES = {int(s): f"HTTP/1.1 {int(s)} {s.phrase}\r\n" for s in HTTPStatus}


class HttpResponse:
    """A status, header fields, and a body: bytes, a buffer, a file region, or None.

    Content-Length, Date, Server and Connection are added when it is sent. `close` asks to end the connection after it.
    Ownership: the response takes its body; whoever drops a response that is never sent calls `release()`.
    """

    __slots__ = ("body", "close", "fields", "status")

    def __init__(self, status: int, fields: Sequence[Field] = (), body: Body = None, *, close: bool = False) -> None:
        self.status: int = status
        self.fields: Sequence[Field] = fields
        self.body = body
        self.close: bool = close

    @property
    def body_bytes(self) -> int:
        """How many bytes the body has."""
        body = self.body
        if body is None:
            return 0
        if isinstance(body, FileRegion):
            return body.remaining
        return len(body)

    def encode_head(self, *, now: int, keep_alive: bool, version: tuple[int, int]) -> bytes:
        """Return the bytes of this response's head, for a request of `version`. Raises: EncodeError, see `encode_head`;
        for an interim status, too, since this is the answer."""
        if self.status < 200:
            raise EncodeError(f"{self.status} is no final status")
        return encode_head(
            self.status, self.fields, body_bytes=self.body_bytes, now=now, keep_alive=keep_alive, version=version
        )

    def take_body(self) -> Body:
        """Hand the body over; the response has none afterwards. Ownership: transfers to the caller."""
        body, self.body = self.body, None
        return body

    def release(self) -> None:
        """Give the body back unsent."""
        body = self.take_body()
        if isinstance(body, (ByteBuf, FileRegion)):
            body.release()

    def __repr__(self) -> str:
        return f"HttpResponse({self.status}, {len(self.fields)} fields, {self.body_bytes} bytes)"


def encode_head(
    status: int, fields: Iterable[Field], *, body_bytes: int, now: int, keep_alive: bool, version: tuple[int, int]
) -> bytes:
    """Return the bytes of a response head, up to and including the empty line.

    Cost: one small bytes object. Raises: EncodeError for a status without a name, a field name that is no token, and a
    value with anything but printable ASCII in it. Source: RFC 9112 section 4; RFC 9110 sections 5.5, 6.6.1 and 8.6.
    """
    line = _STATUS_LINES.get(status)
    if line is None:
        raise EncodeError(f"{status} is no status that has a name")
    length = f"Content-Length: {body_bytes}\r\n" if allows_body(status) else ""
    if not keep_alive:
        connection = "Connection: close\r\n"
    elif version >= (1, 1):
        connection = ""
    else:
        connection = "Connection: keep-alive\r\n"
    lines = _encoded(fields) if type(fields) is tuple else _lines(fields)
    return f"{line}{_constant_fields(now)}{lines}{length}{connection}\r\n".encode("ascii")


def _lines(fields: Iterable[Field]) -> str:
    """Return the fields as lines: the one place where a name or a value becomes part of a head."""
    lines = []
    for name, value in fields:
        if _NAME.fullmatch(name) is None:
            raise EncodeError(f"a field name of {len(name)} characters is no token")
        if not value.isprintable() or not value.isascii():
            raise EncodeError(f"a value of {len(value)} characters is not printable ASCII")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)


_encoded = lru_cache(maxsize=1024)(_lines)  # the same fields again: a file that is asked for often


@lru_cache(maxsize=8)  # by the second
def _constant_fields(now: int) -> str:
    return f"Server: zbuf\r\nDate: {format_date(now)}\r\n"


def error_response(status: int, *, fields: Sequence[Field] = (), close: bool = False) -> HttpResponse:
    """Return a small page that says nothing but the status. It repeats nothing of the request."""
    text = f"{status} {HTTPStatus(status).phrase}\n".encode("ascii")
    kind = (("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
    return HttpResponse(status, (*kind, *fields), text, close=close)
