"""Files below a root: from a request to a response with a region for a body.

Owns    the descriptor of the root, and the answer to every GET and HEAD.
Never   a socket or a pipeline; it never reads a file that it serves.
Always  nothing outside the root is opened; size, time and identity come from the very descriptor that is sent; every
        descriptor is closed or belongs to the region of the response.
"""

import errno
import os
import stat
import time
from collections.abc import Callable
from types import TracebackType

from zbuf.protocols.http._conditions import CONDITIONAL, Validators, evaluate, select_range
from zbuf.protocols.http._head import HttpRequest
from zbuf.protocols.http._listing import listing_page, read_directory
from zbuf.protocols.http._media import content_type
from zbuf.protocols.http._ranges import UNSATISFIABLE, ByteRange
from zbuf.protocols.http._response import Field, HttpResponse, error_response
from zbuf.protocols.http._targets import Place, TargetError, resolve
from zbuf.region import FileRegion
from zbuf.region._open import open_with_status

__all__ = ["StaticFiles"]

_ALLOW: tuple[Field, ...] = (("Allow", "GET, HEAD"),)
_KNOWN_METHODS = frozenset(("POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))  # RFC 9110 9.1, RFC 5789
_NO_SNIFF: Field = ("X-Content-Type-Options", "nosniff")
_RANGES: Field = ("Accept-Ranges", "bytes")
_PAGE_FIELDS: tuple[Field, ...] = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    _NO_SNIFF,
)
_INDEX = "index.html"

# Why opening failed -> the answer. Whatever is not here is 404: what lies outside the root, is no file, or is not there
# all look the same from outside.
_STATUS_OF_ERRNO = {
    errno.EACCES: 403,
    errno.EPERM: 403,
    errno.EMFILE: 503,
    errno.ENFILE: 503,
    errno.ENOMEM: 503,
    errno.EIO: 500,
}


class StaticFiles:
    """An application for HttpServerHandler: the files below one directory.

    GET and HEAD, single ranges, conditional requests, index.html or a listing for directories.
    `root` is opened at once and kept open: renaming or replacing the directory later changes nothing.
    Ownership: holds one descriptor until close(), or the end of its `with` block; each response owns its own.
    Raises: OSError when `root` is missing, no directory, or unreadable.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, listings: bool = True, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._listings = listings
        self._clock = clock
        try:
            with os.scandir(self._root) as entries:
                next(entries, None)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the descriptor of the root; a second call does nothing. Responses under way go on."""
        root, self._root = self._root, -1  # the number may soon name something else
        if root >= 0:
            os.close(root)

    def __enter__(self) -> "StaticFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to `request`. Ownership: the caller sends it, or calls its `release()`."""
        if request.method not in ("GET", "HEAD"):
            return error_response(405, fields=_ALLOW) if request.method in _KNOWN_METHODS else error_response(501)
        try:
            place = resolve(request.target)
        except TargetError as refused:
            return error_response(refused.status)
        return self._answer(request, place)

    def _answer(self, request: HttpRequest, place: Place) -> HttpResponse:
        try:
            fd, status = open_with_status(self._root, place.relative)
        except OSError as exc:
            return error_response(_STATUS_OF_ERRNO.get(exc.errno or 0, 404))
        try:
            if stat.S_ISDIR(status.st_mode):
                return self._directory(request, place, fd)
            if place.is_directory:
                return error_response(404)
            response, part = self._file(request, status, place.relative)
            if part is not None:
                response.body = FileRegion.adopt(fd, status.st_size, part.first, part.nbytes)
                fd = -1  # the region's from here on
            return response
        except OSError as exc:
            return error_response(_STATUS_OF_ERRNO.get(exc.errno or 0, 404))
        finally:
            if fd >= 0:
                os.close(fd)

    def _file(self, request: HttpRequest, status: os.stat_result, name: str) -> tuple[HttpResponse, ByteRange | None]:
        """Return the answer for an opened regular file, and which bytes of it are the body (None: no byte)."""
        now_ns = self._clock()
        size = status.st_size
        headers = request.headers
        validators = Validators.of(size, status.st_mtime_ns, status.st_ino, now_ns)
        own = (("ETag", validators.etag), ("Last-Modified", validators.last_modified))
        if not CONDITIONAL.isdisjoint(headers):
            outcome = evaluate(headers, validators, now_ns // 1_000_000_000)
            if outcome == 304:
                return HttpResponse(304, own), None
            if outcome == 412:
                return error_response(412), None
        fields = (*own, ("Content-Type", content_type(name)), _RANGES, _NO_SNIFF)
        if b"range" in headers and request.method == "GET":  # ranges are for GET alone: RFC 9110 section 14.2
            part = select_range(headers, validators, size)
            if part is UNSATISFIABLE:
                return error_response(416, fields=(("Content-Range", f"bytes */{size}"),)), None
            if isinstance(part, ByteRange):
                return HttpResponse(206, (*fields, ("Content-Range", part.content_range(size)))), part
        return HttpResponse(200, fields), ByteRange(0, size - 1) if size else None

    def _directory(self, request: HttpRequest, place: Place, fd: int) -> HttpResponse:
        if not place.is_directory and place.relative:
            if not place.path:
                return error_response(404)  # an index.html that is a directory
            # the raw path: printable ASCII, one leading slash, so it stays on this host
            return error_response(301, fields=(("Location", f"{place.path}/{place.query}"),))
        index = f"{place.relative}/{_INDEX}" if place.relative else _INDEX
        try:
            os.stat(_INDEX, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            if not self._listings:
                return error_response(403)
            entries, more = read_directory(fd)
            return HttpResponse(200, _PAGE_FIELDS, listing_page(place.relative, entries, more=more))
        return self._answer(request, Place(index, False, "", ""))
