r"""HTTP/1.1 for static files: heads parsed, bodies as regions, every request with its bill.

Start with `serve_directory`, or put an `HttpServerHandler` with an application of your own into a pipeline:

    def hello(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, (("Content-Type", "text/plain"),), b"hello\n")

    server = await zbuf.serve(lambda channel: channel.pipeline.add_last(None, HttpServerHandler(hello)), host, port)

The protocol without any I/O: `HttpRequestDecoder`, `encode_head`, `parse_range`. Needs the extra `zbuf[http]`.
"""

from zbuf.protocols.http._alarm import HttpTimers, TimerLoop
from zbuf.protocols.http._files import StaticFiles
from zbuf.protocols.http._handlers import Application, HttpServerHandler
from zbuf.protocols.http._head import HTTP_LIMITS, HttpRequest, HttpRequestDecoder
from zbuf.protocols.http._ranges import UNSATISFIABLE, WHOLE, ByteRange, RangeAnswer, parse_range
from zbuf.protocols.http._response import HttpResponse, encode_head, error_response
from zbuf.protocols.http._serve import DirectoryServer, serve_directory
from zbuf.protocols.http._served import Served, ServedReport

__all__ = [
    "HTTP_LIMITS",
    "UNSATISFIABLE",
    "WHOLE",
    "Application",
    "ByteRange",
    "DirectoryServer",
    "HttpRequest",
    "HttpRequestDecoder",
    "HttpResponse",
    "HttpServerHandler",
    "HttpTimers",
    "RangeAnswer",
    "Served",
    "ServedReport",
    "StaticFiles",
    "TimerLoop",
    "encode_head",
    "error_response",
    "parse_range",
    "serve_directory",
]
