"""The server's side of an HTTP connection, as a handler: bytes in, answers out (RFC 9112 sections 6, 9).

Owns    the order of answers, keep-alive and pipelining, what ends a connection and when, the timers.
Never   a socket or a file: the application makes the answers, the channel sends them.
Always  answers leave in the order of their requests; at most `max_pipelined` are under way, and input waits meanwhile;
        where framing is lost there is one last answer and the connection closes.

Re-entrancy: the promise of an answer may be kept inside our own write (the channel sends at once). `_pump` therefore
guards itself, and `_finished` only counts and asks for the pump.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from zbuf.audit import Bill, is_metering
from zbuf.buffer import release
from zbuf.codec import NEED_DATA, Limits
from zbuf.errors import DecodeError, EncodeError, LimitExceededError
from zbuf.pipeline import Context, Handler, InputShutdown
from zbuf.protocols.http._alarm import Alarm, HttpTimers, TimerLoop
from zbuf.protocols.http._body import UNKNOWN_LENGTH, allows_body
from zbuf.protocols.http._head import HTTP_LIMITS, HttpRequest, HttpRequestDecoder, is_valid_host
from zbuf.protocols.http._response import HttpResponse, error_response
from zbuf.protocols.http._served import Served, ServedReport
from zbuf.region import FileRegion

__all__ = ["Application", "HttpServerHandler"]

Application: TypeAlias = Callable[[HttpRequest], HttpResponse]

_log = logging.getLogger("zbuf.http")

MAX_PIPELINED: Final = 32  # ours; aiohttp bounds its own
MAX_SKIPPED_BODY: Final = 64 * 1024  # arbitrary: a body nobody wants, on a GET
MAX_LINGER_BYTES: Final = 1024 * 1024  # arbitrary: what is read and dropped after a refusal, so that it arrives

# What the alarm waits for.
_HEAD: Final = 0  # the rest of a head, or the first one
_IDLE: Final = 1  # another request
_SENDING: Final = 2  # progress of the answers under way
_LINGER: Final = 3  # a refused peer to stop
_ANSWERED: Final = 4  # nothing yet: something was answered since the alarm was set


class _Answer:
    """One answer under way: the promise of its last part, and what the report will say of it."""

    __slots__ = ("body_bytes", "handler", "head_bytes", "is_file", "method", "status", "target")

    def __init__(
        self,
        handler: "HttpServerHandler",
        request: HttpRequest | None,
        status: int,
        head: int,
        body: int,
        is_file: bool,
    ) -> None:
        self.handler = handler
        self.method = "" if request is None else request.method
        self.target = "" if request is None else request.target
        self.status = status
        self.head_bytes = head
        self.body_bytes = body
        self.is_file = is_file

    def succeed(self) -> None:
        """Every byte is in the kernel."""
        self.handler._finished(self, None)

    def fail(self, exc: BaseException) -> None:
        """It will not be sent to its end."""
        self.handler._finished(self, exc)


class HttpServerHandler(Handler[Any, Any]):
    """Answers HTTP/1.x requests with what `application` returns for them.

    It stands last in a pipeline that hands it buffers. Refused by itself, and the connection closed: what is no HTTP
    or could be read in two ways (400), heads beyond the limits (414, 431), Transfer-Encoding (501), other major
    versions (505), bodies above `max_skipped_body` (413). An application that raises is answered for with 500.
    `on_served` gets a report for every answered request, or group of pipelined ones.
    Channel options that suit it (`serve_directory` sets them): `region_failure_closes` when bodies are files,
    `allow_half_closure`. It turns the channel's `auto_read` off and on.
    Ownership: takes the buffers it is given; takes the bodies of the responses.
    Source: RFC 9112; one HttpServerHandler serves one connection.
    """

    def __init__(
        self,
        application: Application,
        *,
        limits: Limits = HTTP_LIMITS,
        timers: HttpTimers | None = None,
        max_pipelined: int = MAX_PIPELINED,
        max_skipped_body: int = MAX_SKIPPED_BODY,
        on_served: Callable[[ServedReport], None] | None = None,
        loop: TimerLoop | None = None,
    ) -> None:
        if max_pipelined < 1 or max_skipped_body < 0:
            raise ValueError("max_pipelined is at least 1, max_skipped_body at least 0")
        self._application = application
        self._decoder = HttpRequestDecoder(limits)
        self._timers = timers or HttpTimers()
        self._max_pipelined = max_pipelined
        self._max_skipped_body = max_skipped_body
        self._on_served = on_served
        self._loop = loop
        self._alarm: Alarm | None = None
        self._context: Context | None = None
        self._phase = _HEAD
        self._under_way = 0
        self._has_answered = False
        self._is_last = False  # no further request is answered
        self._has_ended = False  # the peer sends nothing more
        self._is_reading = False  # channel_read_complete follows
        self._has_written = False
        self._is_paused = False  # input waits until there is room for answers
        self._is_refused = False  # framing is lost: what still comes is dropped
        self._is_pumping = False
        self._dropped = 0
        self._sent = -1
        self._done: list[Served] = []
        self._billed: Bill | None = None

    # Events.

    def channel_active(self, ctx: Context) -> None:
        """Start the timer of the first request."""
        self._start(ctx)
        ctx.fire_channel_active()

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Answer the requests in `msg`, as far as they may be answered now. Ownership: takes `msg`."""
        if self._context is None:
            self._start(ctx)
        if self._is_last or self._is_refused:
            self._drop(ctx, msg)
            return
        self._decoder.feed(msg)
        self._is_reading = True
        self._pump(ctx)

    def channel_read_complete(self, ctx: Context) -> None:
        """Let the answers leave."""
        self._is_reading = False
        if self._has_written:
            self._has_written = False
            ctx.flush()
        ctx.fire_channel_read_complete()

    def channel_writability_changed(self, ctx: Context) -> None:
        """Go on with requests that waited for room."""
        self._pump(ctx)
        ctx.fire_channel_writability_changed()

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        """At the end of the peer's input: finish what is under way, then close."""
        if isinstance(event, InputShutdown):
            self._has_ended = True
            self._pump(ctx)
        ctx.fire_user_event_triggered(event)

    def channel_inactive(self, ctx: Context) -> None:
        """Let go of everything."""
        self._is_last = True
        if self._alarm is not None:
            self._alarm.clear()
        self._decoder.leftover().release()
        self._report()
        self._context = None
        ctx.fire_channel_inactive()

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        """Close: the connection failed, or a file ended early. The report says so."""
        self._is_last = True
        ctx.close()

    # Requests.

    def finish(self) -> None:
        """Take no further request; close when the answers under way are sent, at once when there are none."""
        self._is_last = True
        if self._context is not None and not self._under_way:
            self._context.close()

    def _start(self, ctx: Context) -> None:
        self._context = ctx
        loop = self._loop if self._loop is not None else getattr(ctx.channel, "loop", None)
        if loop is not None:
            self._alarm = Alarm(loop, self._on_alarm)
            self._alarm.set(self._timers.head)
        if self._on_served is not None:
            self._billed = ctx.channel.bill

    def _pump(self, ctx: Context) -> None:
        """Answer what has arrived, as long as there is room for answers; input is received only while there is."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            has_room = self._answer_all(ctx)
            while self._has_written and not self._is_reading:
                self._has_written = False
                ctx.flush()  # answers may be finished by this, so there may be room again
                if not has_room:
                    has_room = self._answer_all(ctx)
        finally:
            self._is_pumping = False
        if has_room == self._is_paused:
            self._is_paused = not has_room
            ctx.channel.auto_read = has_room
        self._settle(ctx)

    def _answer_all(self, ctx: Context) -> bool:
        """Answer until the requests or the room for answers are used up; tell whether there is room."""
        decoder = self._decoder
        while not self._is_last:
            if self._under_way >= self._max_pipelined or not ctx.channel.is_writable:
                return False
            try:
                request = decoder.next()
            except DecodeError as exc:
                self._refuse(ctx, _status_of(exc))
                break
            if request is NEED_DATA:
                break
            self._answer(ctx, request)
        return True

    def _answer(self, ctx: Context, request: HttpRequest) -> None:
        refusal = self._refusal(request)
        if refusal:
            self._refuse(ctx, refusal, request)
            return
        try:
            response = self._application(request)
        except Exception as exc:
            _log.error("an HTTP application raised, answered with 500", exc_info=exc)
            response = error_response(500)
        self._send(ctx, request, response)

    def _refusal(self, request: HttpRequest) -> int:
        """Return the status with which this request is refused whatever it asks for, or 0."""
        version = request.version
        if version[0] != 1:
            return 505
        host = request.headers.get(b"host")
        if host is None:
            if version != (1, 0):
                return 400
        elif not is_valid_host(host):
            return 400
        body_bytes = request.body_bytes
        if body_bytes:
            if body_bytes == UNKNOWN_LENGTH:
                return 501
            if body_bytes > self._max_skipped_body:
                return 413
        return 0

    def _refuse(self, ctx: Context, status: int, request: HttpRequest | None = None) -> None:
        """Give one last answer: where the next request begins is unknown, or not worth finding out."""
        self._is_refused = True
        self._decoder.leftover().release()
        self._send(ctx, request, error_response(status, close=True))

    def _send(self, ctx: Context, request: HttpRequest | None, response: HttpResponse) -> None:
        expects = request is not None and request.body_bytes > 0 and b"expect" in request.headers
        # whoever waits for "100 Continue" may or may not send the body after a final answer: RFC 9110 section 10.1.1
        keep_alive = request is not None and request.keep_alive and not response.close and not expects
        version = (1, 1) if request is None else request.version
        now = int(time.time())
        try:
            head = response.encode_head(now=now, keep_alive=keep_alive, version=version)
        except EncodeError as exc:
            _log.error("an HTTP application returned what cannot be sent, answered with 500", exc_info=exc)
            response.release()
            response = error_response(500)
            head = response.encode_head(now=now, keep_alive=keep_alive, version=version)
        if not keep_alive:
            self._is_last = True
        status = response.status
        body_bytes = response.body_bytes
        if body_bytes and ((request is not None and request.method == "HEAD") or not allows_body(status)):
            body_bytes = 0
        body = response.take_body() if body_bytes else None
        if body is None:
            response.release()
        answer = _Answer(self, request, status, len(head), body_bytes, isinstance(body, FileRegion))
        self._under_way += 1
        self._has_answered = self._has_written = True
        self._phase = _ANSWERED
        if body is None:
            ctx.write(head, answer)
        else:
            ctx.write(head)
            ctx.write(body, answer)

    def _finished(self, answer: _Answer, error: BaseException | None) -> None:
        """Count an answer that is sent, or will never be."""
        self._under_way -= 1
        if self._on_served is not None:
            served = (answer.method, answer.target, answer.status, answer.head_bytes, answer.body_bytes, answer.is_file)
            self._done.append(Served(*served, error))
            if not self._under_way or len(self._done) >= MAX_PIPELINED:
                self._report()
        if error is not None and self._context is not None:
            self._is_last = True  # the head may have promised bytes that will not come
            self._context.close()
            return
        # waiting for half of the room keeps answers together: one flush for sixteen instead of one for each
        context = self._context
        if context is None or self._is_pumping:
            return
        if self._is_paused:
            if self._under_way <= self._max_pipelined // 2:
                self._pump(context)
        elif not self._under_way:
            self._settle(context)

    # Ends.

    def _settle(self, ctx: Context) -> None:
        """Decide what is waited for now, and for how long."""
        alarm = self._alarm
        if self._phase == _LINGER:
            return
        if self._under_way:
            if self._phase != _SENDING:
                self._phase = _SENDING
                if alarm is not None:
                    alarm.set(self._timers.stalled)
        elif self._is_last or self._has_ended:
            self._end(ctx)
        elif self._decoder.buffered or self._decoder.body_pending:
            if self._phase != _HEAD:  # in all: what trickles in does not move it
                self._phase = _HEAD
                if alarm is not None:
                    alarm.set(self._timers.head)
        elif self._has_answered:
            self._phase = _IDLE
            if alarm is not None:
                alarm.set(self._timers.idle)

    def _end(self, ctx: Context) -> None:
        """Close after the last answer; where the peer may still be sending, once it stopped (RFC 9112 section 9.6).

        Closing with input unread resets the connection, and the reset may overtake the answer."""
        if self._has_ended or self._alarm is None or not (self._is_refused or self._decoder.body_pending):
            ctx.close()
            return
        self._is_refused = True
        self._phase = _LINGER
        self._alarm.set(self._timers.linger)
        ctx.channel.shutdown_output()

    def _drop(self, ctx: Context, msg: Any) -> None:
        self._dropped += len(msg)
        release(msg)
        if self._dropped > MAX_LINGER_BYTES:
            ctx.close()

    def _on_alarm(self) -> None:
        ctx = self._context
        if ctx is None:
            return
        if self._phase == _HEAD and self._decoder.buffered:
            self._refuse(ctx, 408)
            self._pump(ctx)
        elif self._phase == _SENDING and self._has_progress(ctx) and self._alarm is not None:
            self._alarm.set(self._timers.stalled)
        else:
            ctx.close()

    def _has_progress(self, ctx: Context) -> bool:
        """Tell whether the peer took anything since this was last asked; with the meter off nobody knows."""
        before, self._sent = self._sent, ctx.channel.bill.wire_out
        return before != self._sent or not is_metering()

    def _report(self) -> None:
        if self._on_served is None or self._context is None or not self._done:
            return
        channel = self._context.channel
        bill = channel.bill
        requests, self._done = tuple(self._done), []
        before, self._billed = self._billed, bill
        self._on_served(ServedReport(channel.remote_address, requests, bill - before if before is not None else bill))


def _status_of(exc: DecodeError) -> int:
    if isinstance(exc, LimitExceededError):
        return 414 if exc.limit == "max_line_bytes" else 431
    return 400
