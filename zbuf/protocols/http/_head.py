"""Request heads: from bytes to `HttpRequest` (RFC 9112 sections 2 to 5).

Owns    the search for the end of a head, its limits, its grammar, and the skipping of request bodies.
Never   a file, an answer, a socket; which methods or targets somebody serves.
Always  any bytes give requests, NEED_DATA or a DecodeError; a head that is refused was consumed; memory held for an
        unfinished head is bounded by the limits plus one receive, and looked at once.

The grammar is checked twice: by one regular expression, which knows no leniency, and by llhttp (through httptools),
which also splits the fields. What either refuses is refused.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

try:
    import httptools
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "zbuf.protocols.http needs httptools: python -m pip install 'zbuf[http]'", name="httptools"
    ) from missing

from zbuf.buffer import ByteBuf
from zbuf.codec import NEED_DATA, Decoder, Limits, NeedData
from zbuf.errors import CorruptedFrameError, IncompleteFrameError, LimitExceededError
from zbuf.protocols.http._body import UNKNOWN_LENGTH, request_body_length

__all__ = ["HTTP_LIMITS", "HttpRequest", "HttpRequestDecoder", "is_valid_host"]

HTTP_LIMITS = Limits(max_line_bytes=8192)  # nginx and Apache take request lines of about 8 KiB
"""The limits a decoder has by default: request line 8192 bytes, header fields 8192 bytes and 100 fields."""

_TOKEN = rb"[!#-'*+\-.0-9A-Z^_`a-z|~]++"  # RFC 9110 section 5.6.2
_HEAD = re.compile(
    rb"(" + _TOKEN + rb") ([!\"$-~]++) HTTP/([0-9])\.([0-9])\r\n"  # a target has no fragment, no blank, no 8-bit byte
    rb"(?:" + _TOKEN + rb":[\t -~\x80-\xff]*+\r\n)*+\r\n"  # no blank before the colon, no continuation line, no control
)
_NEVER_IN_A_HEAD = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n)")
_END = b"\r\n\r\n"
_UNFINISHED_END = len(_END) - 1

# Methods that llhttp is shown as they are; for others it sees GET, since it refuses what it does not know.
_SHOWN_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"))
_HTTP_1_0 = (1, 0)
_HTTP_1_1 = (1, 1)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*+|\[[0-9A-Fa-f:.]++\])(?::[0-9]{0,5})?")  # RFC 3986 section 3.2.2
_VERSIONS = {(b"1", b"1"): _HTTP_1_1, (b"1", b"0"): _HTTP_1_0}
_NOT_PLAIN = frozenset((b"connection", b"content-length", b"transfer-encoding", b"upgrade"))
_METHOD_NAMES = {method: method.decode() for method in _SHOWN_METHODS}


class HttpRequest:
    """The head of one request.

    `method` and `target` are as the peer wrote them: printable ASCII without blanks, nothing decoded. `headers` maps
    lower-case names to values without surrounding blanks; a field sent several times is joined by ", "
    (RFC 9110 section 5.2). `body_bytes` is the length of the body that follows, -1 when only a chunked coding says so.
    `keep_alive` is whether the peer wants another answer on this connection.
    """

    __slots__ = ("body_bytes", "head_bytes", "headers", "keep_alive", "method", "target", "version")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Mapping[bytes, bytes] = MappingProxyType({}),
        *,
        version: tuple[int, int] = _HTTP_1_1,
        keep_alive: bool = True,
        body_bytes: int = 0,
        head_bytes: int = 0,
    ) -> None:
        self.method: str = method
        self.target: str = target
        self.version: tuple[int, int] = version
        self.headers: Mapping[bytes, bytes] = headers
        self.keep_alive: bool = keep_alive
        self.body_bytes: int = body_bytes
        self.head_bytes: int = head_bytes

    def header(self, name: str) -> str | None:
        """Return the value of a field by its name in any case, or None."""
        value = self.headers.get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HttpRequest):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # its fields are a dictionary

    def __repr__(self) -> str:
        major, minor = self.version
        return f"HttpRequest({self.method} {self.target!r} HTTP/{major}.{minor}, {len(self.headers)} fields)"


def is_valid_host(value: bytes) -> bool:
    """Tell whether `value` is one host and at most one port; two fields joined by ", " are not (RFC 9112 3.2)."""
    return _HOST.fullmatch(value) is not None


class _Fields:
    """Where llhttp puts the fields it finds. Apart from the decoder, so that no cycle keeps its memory."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field; called by httptools."""
        name = name.lower()
        value = value.strip(b" \t")
        found = self.found
        if name in found:
            value = found[name] + b", " + value
        found[name] = value

    def take(self) -> dict[bytes, bytes]:
        """Hand the fields over and begin anew."""
        found, self.found = self.found, {}
        return found


class HttpRequestDecoder(Decoder[HttpRequest]):
    """Cut a stream into request heads; bodies are skipped, never kept.

    Ownership: feed() transfers; requests hold copies of their head and no share of the input.
    Cost: the bytes of the head, once (TRANSFER).
    Raises: CorruptedFrameError for what is not HTTP or could be read in two ways; LimitExceededError with `limit`
    "max_line_bytes", "max_header_bytes" or "max_header_count". After a refusal, and after a request whose body has
    no known end, framing is lost: later input is dropped unread.
    Source: RFC 9112; llhttp in its strict mode; one empty line before a request line is passed over (section 2.2).
    """

    def __init__(self, limits: Limits = HTTP_LIMITS) -> None:
        super().__init__(limits)
        self._max_line = limits.max_line_bytes
        self._max_fields = limits.max_header_bytes
        self._max_count = limits.max_header_count
        self._seen = 0  # bytes of the unfinished head that were looked at already
        self._skip = 0  # bytes of the last request's body still to come
        self._line = 0  # length of the unfinished head's request line, once its end was seen
        self._lost = False
        self._fields = _Fields()
        self._parser = httptools.HttpRequestParser(self._fields)

    @property
    def body_pending(self) -> int:
        """Bytes of the last request's body that did not arrive yet."""
        return self._skip

    def parse(self, buf: ByteBuf) -> HttpRequest | NeedData:
        """Return the next request of `buf`, or NEED_DATA."""
        if self._lost:
            buf.skip_bytes(buf.readable_bytes)
            return NEED_DATA
        if self._skip:
            step = min(self._skip, buf.readable_bytes)
            buf.skip_bytes(step)
            self._skip -= step
        start = buf.reader_index
        end = buf.find(_END, start + self._seen)
        if end < 0:
            return self._wait(buf)
        self._seen = self._line = 0
        head = buf.read_bytes(end + len(_END) - start)
        self._lost = True  # until the head turns out to be good
        request = self._request(head)
        self._lost = request.body_bytes == UNKNOWN_LENGTH
        self._skip = 0 if self._lost else request.body_bytes
        return request

    def end(self) -> None:
        """Say that no more bytes will come. Raises: IncompleteFrameError, once, inside a head or a skipped body."""
        skip = self._skip
        super().end()
        self.reset()
        if skip:
            raise IncompleteFrameError(f"the input ended {skip} bytes before a body's end", buffered=0, needed=skip)

    def reset(self) -> None:
        """Forget the unfinished request, and that framing was lost."""
        self._seen = self._line = self._skip = 0
        self._lost = False

    def _wait(self, buf: ByteBuf) -> NeedData:
        """Hold what came of an unfinished head, unless it is too long or wrong already."""
        readable = buf.readable_bytes
        if readable > self._seen:
            try:
                self._look_at(buf, self._seen, readable)
            except (CorruptedFrameError, LimitExceededError):
                self._lost = True
                buf.skip_bytes(readable)
                raise
        self._seen = max(readable - _UNFINISHED_END, 0)
        return NEED_DATA

    def _look_at(self, buf: ByteBuf, fresh: int, readable: int) -> None:
        """Refuse an unfinished head for the first thing that is wrong with it, wherever the input was cut."""
        back = 1 if fresh else 0  # the expression looks back at one byte; the last three come again anyway
        part = buf.get_bytes(buf.reader_index + fresh - back, readable - fresh + back)
        wrong = _NEVER_IN_A_HEAD.search(part, back)
        clean = readable if wrong is None else fresh - back + wrong.start()
        self._check_lengths(buf, clean)
        if wrong is not None and not (wrong.end() == len(part) and part[-1:] == b"\r"):  # a final CR: its LF may come
            raise _control(clean)

    def _check_lengths(self, buf: ByteBuf, clean: int) -> None:
        if clean <= self._max_line + 2:
            return
        start = buf.reader_index
        if buf.get_bytes(start, 2) == b"\r\n":
            start, clean = start + 2, clean - 2
        if not self._line:
            most = self._max_line + 2
            line = buf.find(b"\r\n", start, start + min(most, clean))
            if line < 0:
                if clean > most:
                    raise _too_long("max_line_bytes", self._max_line)
                return
            self._line = line - start
        if clean - self._line - 2 > self._max_fields + _UNFINISHED_END:
            raise _too_long("max_header_bytes", self._max_fields)

    def _request(self, head: bytes) -> HttpRequest:
        if head.startswith(b"\r\n"):
            head = head[2:]
        line_bytes = head.find(b"\r\n")
        match = _HEAD.fullmatch(head)
        if (
            match is None
            or line_bytes > self._max_line
            or len(head) - line_bytes - 4 > self._max_fields
            or head.count(b"\r\n") - 2 > self._max_count
        ):
            raise self._first_offence(head)
        method, target, major, minor = match.groups()
        version = _VERSIONS.get((major, minor)) or (int(major), int(minor))
        shown = head
        if method not in _SHOWN_METHODS or version not in (_HTTP_1_1, _HTTP_1_0):
            keep = b"1.0" if version == _HTTP_1_0 else b"1.1"
            shown = b"GET / HTTP/" + keep + head[line_bytes:]  # a CONNECT has another form of target
        self._feed_parser(shown)
        fields = self._fields.take()
        return HttpRequest(
            _METHOD_NAMES.get(method) or method.decode("ascii"),
            target.decode("ascii"),
            fields,
            version=version,
            keep_alive=_persists(fields.get(b"connection"), version),
            body_bytes=request_body_length(fields, version),
            head_bytes=len(head),
        )

    def _first_offence(self, head: bytes) -> CorruptedFrameError | LimitExceededError:
        """Return what is wrong with a complete head: the same as if it had come byte by byte."""
        wrong = _NEVER_IN_A_HEAD.search(head)
        clean = len(head) if wrong is None else wrong.start()
        line_bytes = head.find(b"\r\n", 0, self._max_line + 2)
        if line_bytes < 0 and clean > self._max_line + 2:
            return _too_long("max_line_bytes", self._max_line, head.find(b"\r\n"))
        if line_bytes >= 0 and clean - line_bytes - 2 > self._max_fields + _UNFINISHED_END:
            return _too_long("max_header_bytes", self._max_fields, len(head) - line_bytes - 4)
        if wrong is not None:
            return _control(clean)
        if len(head) - line_bytes - 4 > self._max_fields:
            return _too_long("max_header_bytes", self._max_fields, len(head) - line_bytes - 4)
        count = head.count(b"\r\n") - 2
        if count > self._max_count:
            return _too_long("max_header_count", self._max_count, count)
        return CorruptedFrameError(f"a head of {len(head)} bytes that is not HTTP")

    def _feed_parser(self, head: bytes) -> None:
        """Let llhttp split the fields, and look at the head with its own eyes."""
        is_plain = False
        try:
            self._parser.feed_data(head)
            # whatever else it saw leaves llhttp inside a body, or waiting for the end of the connection
            is_plain = _NOT_PLAIN.isdisjoint(self._fields.found) and head.startswith(b"1.1\r\n", head.find(b"\r\n") - 3)
        except httptools.HttpParserUpgrade:
            pass  # an offer that nobody here takes up: RFC 9110 section 7.8
        except httptools.HttpParserError:
            self._fields.take()
            raise CorruptedFrameError(f"a head of {len(head)} bytes that llhttp refuses") from None
        finally:
            if not is_plain:
                self._parser = httptools.HttpRequestParser(self._fields)


def _persists(connection: bytes | None, version: tuple[int, int]) -> bool:
    """Tell whether the peer wants to keep the connection (RFC 9112 section 9.3)."""
    if connection is None:
        return version >= _HTTP_1_1
    options = [option.strip(b" \t") for option in connection.lower().split(b",")]
    return b"close" not in options and (version >= _HTTP_1_1 or b"keep-alive" in options)


# Failures.


def _control(position: int) -> CorruptedFrameError:
    return CorruptedFrameError("a control byte, or half a line end, in a head", position=position)


def _too_long(limit: str, maximum: int, value: int | None = None) -> LimitExceededError:
    message = f"request head: more than {maximum} for {limit}"
    return LimitExceededError(message, limit=limit, maximum=maximum, value=value)
