"""The ways into and out of a WebSocket: the HTTP upgrade (RFC 6455, 4) with permessage-deflate (RFC 7692, 7.1), on both
sides, and the handler that answers Ping and Close.

The head of a request or a response is parsed by httptools; everything behind it goes to the frames, also what came in
the same packet.
"""

import base64
import hashlib
import os
import re
from collections.abc import Callable
from typing import Any

import httptools
from websocket_codec import Close, Deflate, Ping, Pong, WebSocketDecoder, WebSocketEncoder, WebSocketError

from zbuf import NEED_DATA, ByteBuf, CodecHandler, Decoder, DecoderHandler, NeedData
from zbuf.errors import CorruptedFrameError, DecodeError, EncodeError, LimitExceededError, TooLongFrameError
from zbuf.pipeline import Context, Handler, Pipeline

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
HEAD_LIMIT = 8192
Frames = Callable[[Deflate | None], tuple[WebSocketDecoder, WebSocketEncoder]]


class HeadDecoder(Decoder[bytes]):
    """Cuts one HTTP head off the front of a stream; leaves the rest alone."""

    def parse(self, buf: ByteBuf) -> bytes | NeedData:
        end = buf.find(b"\r\n\r\n")
        if end < 0 and buf.readable_bytes < HEAD_LIMIT:
            return NEED_DATA
        if end < 0 or end - buf.reader_index > HEAD_LIMIT:
            raise TooLongFrameError("the head of a handshake", limit="max_header_bytes", maximum=HEAD_LIMIT)
        return buf.read_bytes(end + 4 - buf.reader_index)


class Head:
    """What httptools found in a head."""

    def __init__(self, data: bytes, make_parser: Any) -> None:
        self.headers: dict[bytes, bytes] = {}
        self._parser = make_parser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # what we are here for
        except httptools.HttpParserError as exc:
            raise CorruptedFrameError(f"no HTTP: {exc}") from None

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        before = self.headers.get(name)
        self.headers[name] = value if before is None else before + b"," + value

    def words(self, name: bytes) -> list[bytes]:
        """Return the words of a list-valued header, in lower case."""
        return [word.strip().lower() for word in self.headers.get(name, b"").split(b",")]

    @property
    def method(self) -> bytes:
        return bytes(self._parser.get_method())

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())


def accept_value(key: bytes) -> bytes:
    """Return what proves that a server has understood (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def agree(offers: bytes) -> tuple[Deflate | None, bytes]:
    """Return the first offer of permessage-deflate that can be met, and the answer to it (RFC 7692, 7.1)."""
    for offer in offers.split(b","):
        name, *parameters = (part.strip() for part in offer.split(b";"))
        if name != b"permessage-deflate":
            continue
        given = dict(parameter.partition(b"=")[::2] for parameter in parameters)
        if len(given) != len(parameters):
            continue
        answer = [b"permessage-deflate"]
        send_bits, receive_bits, resets_sent, resets_received = 15, 15, False, False
        for key, value in given.items():
            value = value.strip(b'"')
            if key == b"server_no_context_takeover" and not value:
                resets_sent = True
                answer.append(key)
            elif key == b"client_no_context_takeover" and not value:
                resets_received = True
                answer.append(key)
            elif key == b"server_max_window_bits" and re.fullmatch(rb"9|1[0-5]", value):  # zlib cannot make 8
                send_bits = int(value)
                answer.append(key + b"=" + value)
            elif key != b"client_max_window_bits" or not re.fullmatch(rb"|[89]|1[0-5]", value):
                break
        else:
            return Deflate(send_bits, receive_bits, resets_sent, resets_received), b"; ".join(answer)
    return None, b""


class WebSocketHandler(Handler[Any, Any]):
    """Answers Ping and Close, turns a peer's mistakes into the Close that names them, and hands the messages on."""

    def __init__(self) -> None:
        self._has_sent_close = False

    def channel_read(self, ctx: Context, msg: Any) -> None:
        if isinstance(msg, Ping):
            if not self._has_sent_close:
                ctx.write(Pong(msg.data))
        elif isinstance(msg, Pong):
            ctx.fire_user_event_triggered(msg)  # a sign of life, no message
        elif isinstance(msg, Close):
            self._end(ctx, msg)
        elif not self._has_sent_close:
            ctx.fire_channel_read(msg)

    def write(self, ctx: Context, msg: Any, promise: Any) -> None:
        if self._has_sent_close:
            raise EncodeError("nothing follows a Close")
        self._has_sent_close = isinstance(msg, Close)
        ctx.write(msg, promise)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        if isinstance(exc, WebSocketError):
            self._end(ctx, Close(exc.code, str(exc)[:100]))
        elif isinstance(exc, LimitExceededError):
            self._end(ctx, Close(1009, "too large"))
        else:
            ctx.fire_exception_caught(exc)

    def _end(self, ctx: Context, farewell: Close) -> None:
        """Say the last word, if it was not said, and close when it is out."""
        if not self._has_sent_close:
            self._has_sent_close = True
            ctx.write(farewell)
        ctx.run(ctx.channel.close_gracefully())


def become_websocket(pipeline: Pipeline, frames: tuple[WebSocketDecoder, WebSocketEncoder], app: Any) -> None:
    """Put the frames where the handshake was; bytes that are there already reach them."""
    pipeline.add_after("handshake", "frames", CodecHandler(*frames, close_on_error=False))
    pipeline.add_after("frames", "websocket", WebSocketHandler())
    pipeline.add_after("websocket", "application", app)
    pipeline.remove("upgrade")
    pipeline.remove("handshake")


class UpgradeServer(Handler[bytes, Any]):
    """Answers the handshake of a client, then gives its place to the frames and to `app`."""

    def __init__(self, frames: Frames, app: Any) -> None:
        self._frames = frames
        self._app = app

    @staticmethod
    def put_into(pipeline: Pipeline, frames: Frames, app: Any) -> None:
        pipeline.add_last("handshake", DecoderHandler(HeadDecoder(), close_on_error=False))
        pipeline.add_last("upgrade", UpgradeServer(frames, app))

    def channel_read(self, ctx: Context, msg: bytes) -> None:
        try:
            head = Head(msg, httptools.HttpRequestParser)
        except CorruptedFrameError:
            self._refuse(ctx, b"400 Bad Request")
            return
        key = head.headers.get(b"sec-websocket-key", b"")
        if head.headers.get(b"sec-websocket-version") not in (None, b"13"):
            self._refuse(ctx, b"426 Upgrade Required\r\nSec-WebSocket-Version: 13")
        elif (
            head.method != b"GET"
            or b"websocket" not in head.words(b"upgrade")
            or b"upgrade" not in head.words(b"connection")
            or not re.fullmatch(rb"[A-Za-z0-9+/]{22}==", key)
            or b"host" not in head.headers
        ):
            self._refuse(ctx, b"400 Bad Request")
        else:
            deflate, agreed = agree(head.headers.get(b"sec-websocket-extensions", b""))
            extra = b"Sec-WebSocket-Extensions: %b\r\n" % agreed if agreed else b""
            ctx.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (accept_value(key), extra)
            )
            become_websocket(ctx.pipeline, self._frames(deflate), self._app)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        if isinstance(exc, DecodeError):  # of the decoder in front of this handler
            self._refuse(ctx, b"400 Bad Request")
        else:
            ctx.fire_exception_caught(exc)

    def _refuse(self, ctx: Context, status: bytes) -> None:
        ctx.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        ctx.run(ctx.channel.close_gracefully())


class UpgradeClient(Handler[bytes, Any]):
    """Asks for the handshake when the channel is active, and gives its place to the frames when it is granted."""

    def __init__(self, host: str, path: str, frames: Frames, app: Any) -> None:
        self._host = host.encode("idna")
        self._path = path.encode("ascii")
        self._frames = frames
        self._app = app
        self._key = base64.b64encode(os.urandom(16))

    @staticmethod
    def put_into(pipeline: Pipeline, host: str, path: str, frames: Frames, app: Any) -> None:
        pipeline.add_last("handshake", DecoderHandler(HeadDecoder()))
        pipeline.add_last("upgrade", UpgradeClient(host, path, frames, app))

    def channel_active(self, ctx: Context) -> None:
        ctx.write(
            b"GET %b HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %b\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
            % (self._path, self._host, self._key)
        )

    def channel_read(self, ctx: Context, msg: bytes) -> None:
        head = Head(msg, httptools.HttpResponseParser)
        if head.status != 101 or head.headers.get(b"sec-websocket-accept") != accept_value(self._key):
            raise CorruptedFrameError(f"the server refuses the upgrade: status {head.status}")
        granted = head.headers.get(b"sec-websocket-extensions", b"")
        deflate, _ = agree(granted)
        if granted and deflate is None:
            raise CorruptedFrameError("the server grants an extension that was not asked for")
        if deflate is not None:  # the same words from the other side
            deflate = Deflate(deflate.receive_bits, 15, deflate.resets_received, deflate.resets_sent)
        become_websocket(ctx.pipeline, self._frames(deflate), self._app)
