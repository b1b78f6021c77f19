"""The server's handler: order, keep-alive, refusals, backpressure, timers; in-memory ends, a clock of its own."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any

import pytest

import zbuf
from zbuf._types import WritePromise
from zbuf.audit import Bill
from zbuf.buffer import ByteBuf, Pool, copied
from zbuf.protocols.http import HttpRequest, HttpResponse, HttpServerHandler, HttpTimers, ServedReport, error_response
from zbuf.region import FileRegion
from zbuf.testing._embedded import EmbeddedChannel

GET = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"


class Clock:
    """A loop's clock and timers that only move when told."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, Callable[[], object], list[bool]]] = []
        self._order = itertools.count()
        self.started = 0

    def time(self) -> float:
        """Seconds."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> "Timer":
        """Keep a timer."""
        self.started += 1
        cancelled = [False]
        heapq.heappush(self._timers, (self.now + delay, next(self._order), callback, cancelled))
        return Timer(cancelled)

    def advance(self, seconds: float) -> None:
        """Let time pass, and call what is due on the way."""
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            self.now, _, callback, cancelled = heapq.heappop(self._timers)
            if not cancelled[0]:
                callback()
        self.now = end

    @property
    def pending(self) -> int:
        """Timers that would still fire."""
        return sum(not cancelled[0] for *_, cancelled in self._timers)


class Timer:
    """What call_later returns."""

    def __init__(self, cancelled: list[bool]) -> None:
        self._cancelled = cancelled

    def cancel(self) -> None:
        """Never call."""
        self._cancelled[0] = True


class Wire(EmbeddedChannel):
    """An embedded channel with what the handler asks of a real one; `stuck` holds back what was flushed."""

    def __init__(self, handler: HttpServerHandler, clock: Clock) -> None:
        self.auto_read = True
        self.loop = clock
        self.remote_address = ("192.0.2.1", 1234)
        self.is_shut = False
        self.stuck = False
        self.flushes = 0
        self._is_sending = False
        self._kept: list[tuple[Any, WritePromise | None]] = []
        self.sent = b""
        super().__init__(handler)

    @property
    def bill(self) -> Bill:
        """Wire bytes only."""
        partly = sum(msg.transferred for msg, _ in self._kept if isinstance(msg, FileRegion))
        return Bill(wire_out=len(self.sent) + partly)

    def shutdown_output(self) -> None:
        """Note it."""
        self.is_shut = True

    def sink_flush(self) -> None:
        """Send what was written, unless the peer does not take it."""
        self.flushes += 1
        flushed, self._unflushed = self._unflushed, []
        self._kept += flushed
        if not self.stuck and not self._is_sending:
            self.unstick(len(self._kept))

    def sink_close(self) -> None:
        """What is kept fails, too."""
        if self.is_open:
            kept, self._kept = self._kept, []
            self._unflushed = kept + self._unflushed
        super().sink_close()

    def unstick(self, messages: int) -> None:
        """Let the peer take so many messages."""
        sending, self._is_sending = self._is_sending, True
        for _ in range(messages):
            msg, promise = self._kept.pop(0)
            if isinstance(msg, FileRegion):
                with msg, zbuf.buffer(msg.remaining or 1) as buf:
                    msg.read_into(buf)
                    self.sent += bytes(buf)
            else:
                self.sent += bytes(msg)
                zbuf.release(msg)
            if promise is not None:
                promise.succeed()
        self._is_sending = sending
        if not sending and not self.stuck and self._kept:
            self.unstick(len(self._kept))


def numbered(request: HttpRequest) -> HttpResponse:
    """An application that answers with the target."""
    return HttpResponse(200, body=request.target.encode())


def wire(application: Callable[[HttpRequest], HttpResponse] = numbered, *, stuck: bool = False, **options: Any) -> Wire:
    """A channel with one handler."""
    clock = Clock()
    channel = Wire(HttpServerHandler(application, loop=clock, **options), clock)
    channel.stuck = stuck
    return channel


def answers(sent: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer in what was sent."""
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(lines.get(b"Content-Length", b"0"))
        found.append((int(head.split()[1]), rest[:length]))
        sent = rest[length:]
    return found


def statuses(sent: bytes) -> list[int]:
    """Only the status of each answer."""
    return [status for status, _ in answers(sent)]


def test_handler_answers_pipelined_requests_in_order_with_one_flush() -> None:
    """RFC 9112 section 9.3.2."""
    with wire() as channel:
        channel.write_inbound(b"".join(GET % n for n in range(5)))
        assert answers(channel.sent) == [(200, b"/%d" % n) for n in range(5)]
        assert channel.flushes == 1
        assert channel.is_open


def test_handler_answers_requests_cut_anywhere() -> None:
    """Byte by byte is no different."""
    data = GET % 1 + b"GET /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz" + GET % 3
    with wire() as channel:
        for at in range(len(data)):
            channel.write_inbound(data[at : at + 1])
        assert answers(channel.sent) == [(200, b"/1"), (200, b"/2"), (200, b"/3")]


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"GET / HTTP/1.3\r\nHost: h\r\n\r\n", True),
    ],
)
def test_handler_closes_when_the_peer_does_not_stay(head: bytes, stays: bool) -> None:
    """The answer says so, and nothing after it is answered."""
    with wire() as channel:
        channel.write_inbound(head + GET % 2)
        assert len(answers(channel.sent)) == (2 if stays else 1)
        assert channel.is_open is stays
        assert (b"Connection: close" in channel.sent) is not stays


def test_handler_head_gets_the_length_and_no_body() -> None:
    """And the connection stays in step."""
    with wire() as channel:
        channel.write_inbound(b"HEAD /12345 HTTP/1.1\r\nHost: h\r\n\r\n" + GET % 2)
        first, rest = channel.sent.split(b"\r\n\r\n", 1)
        assert b"Content-Length: 6" in first
        assert answers(rest) == [(200, b"/2")]


REFUSED = {
    "garbage": (b"\x16\x03\x01garbage\r\n\r\n", 400),
    "length and coding": (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "bad host": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "bad host in 1.0": (b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400),
    "body too large": (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", 413),
    "line too long": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    "endless line": (b"GET /" + b"a" * 9000, 414),
    "fields too long": (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"b" * 9000 + b"\r\n\r\n", 431),
    "too many fields": (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431),
    "chunked": (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    "version 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "version 0.9": (b"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505),
}


@pytest.mark.parametrize("case", REFUSED)
def test_handler_refuses_once_then_drops_input_and_closes(case: str) -> None:
    """One last answer with `Connection: close`; what follows is read and dropped for a while, never answered."""
    data, status = REFUSED[case]
    with wire() as channel:
        channel.write_inbound(GET % 1 + data + GET % 2)
        assert statuses(channel.sent) == [200, status]
        assert b"Connection: close" in channel.sent
        assert channel.is_shut and channel.is_open
        channel.write_inbound(GET % 3)
        assert len(answers(channel.sent)) == 2
        channel.loop.advance(2.1)  # type: ignore[attr-defined]  # the clock above
        assert not channel.is_open


def test_handler_refused_peer_that_floods_is_cut_off() -> None:
    """Lingering has a bound in bytes."""
    with wire() as channel:
        channel.write_inbound(b"\0\r\n\r\n")
        for _ in range(17):
            if channel.is_open:
                channel.write_inbound(bytes(65536))
        assert not channel.is_open


@pytest.mark.parametrize("length", [1, 65536])
def test_handler_skips_small_bodies(length: int) -> None:
    """A body nobody asked for is passed over, up to the limit."""
    with wire() as channel:
        channel.write_inbound(
            b"GET /1 HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length + GET % 2
        )
        assert answers(channel.sent) == [(200, b"/1"), (200, b"/2")]


def test_handler_expectation_with_a_body_is_answered_finally_and_closes() -> None:
    """The peer may or may not send the body after a final answer: nobody could tell (RFC 9110 section 10.1.1)."""
    with wire() as channel:
        channel.write_inbound(
            b"GET /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n" + GET % 2
        )
        assert statuses(channel.sent) == [200]
        assert b"Connection: close" in channel.sent


def test_handler_application_that_raises_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    """500, one report in the log, and the connection goes on."""

    def fails(request: HttpRequest) -> HttpResponse:
        if request.target == "/1":
            raise RuntimeError("a bug")
        return numbered(request)

    with wire(fails) as channel:
        channel.write_inbound(GET % 1 + GET % 2)
        assert statuses(channel.sent) == [500, 200]
    assert [record.name for record in caplog.records] == ["zbuf.http"]


@pytest.mark.parametrize(
    "response",
    [(200, (("X-Evil", "a\r\nSet-Cookie: b"),)), (200, (("Bad name", "a"),)), (799, ()), (100, ())],
)
def test_row112_application_that_returns_what_cannot_be_sent_is_answered_for(
    response: tuple[int, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """500 instead, nothing of it on the wire, its body released, and the connection goes on."""
    bodies: list[ByteBuf] = []

    def application(request: HttpRequest) -> HttpResponse:
        if request.target == "/2":
            return numbered(request)
        bodies.append(copied(b"secret body"))
        return HttpResponse(*response, body=bodies[-1])

    with wire(application) as channel:
        channel.write_inbound(GET % 1 + GET % 2)
        assert statuses(channel.sent) == [500, 200]
        assert b"Cookie" not in channel.sent and b"secret" not in channel.sent
    assert [buf.refcnt for buf in bodies] == [0]
    assert len(caplog.records) == 1


def test_handler_body_of_a_buffer_is_taken_and_of_a_head_released() -> None:
    """Ownership of bodies, sent and unsent."""
    made: list[ByteBuf] = []

    def application(request: HttpRequest) -> HttpResponse:
        made.append(copied(b"body"))
        return HttpResponse(200 if request.target == "/1" else 204, body=made[-1])

    with wire(application) as channel:
        channel.write_inbound(GET % 1 + b"HEAD /1 HTTP/1.1\r\nHost: h\r\n\r\n" + GET % 2)
        assert [buf.refcnt for buf in made] == [0, 0, 0]
        assert channel.sent.count(b"body") == 1


def test_row113_ten_thousand_pipelined_requests_with_a_stuck_peer_pause_reading() -> None:
    """At most 32 answers are under way; the rest waits unread, and all are answered in the end, in order."""
    with wire(stuck=True) as channel:
        data = b"".join(GET % n for n in range(10_000))
        at = 0
        while channel.auto_read and at < len(data):
            channel.write_inbound(data[at : at + 65536])
            at += 65536
        assert at == 65536
        assert len(channel._kept) == 64  # head and body of 32 answers
        channel.stuck = False
        channel.unstick(64)
        assert channel.auto_read
        while at < len(data):
            channel.write_inbound(data[at : at + 65536])
            at += 65536
        assert answers(channel.sent) == [(200, b"/%d" % n) for n in range(10_000)]
        assert channel.flushes < 10_000 / 10


def test_handler_waits_while_the_channel_is_not_writable() -> None:
    """Requests beyond the high mark wait for the low one."""
    with wire() as channel:
        channel.set_writable(False)
        channel.write_inbound(GET % 1)
        assert channel.sent == b"" and not channel.auto_read
        channel.set_writable(True)
        assert answers(channel.sent) == [(200, b"/1")]
        assert channel.auto_read


def test_handler_peer_that_ends_its_input_gets_what_it_asked_for() -> None:
    """Half-closure: everything complete is answered, then the connection closes."""
    with wire(stuck=True) as channel:
        channel.write_inbound(b"".join(GET % n for n in range(40)) + b"GET /half")
        channel.shutdown_input()
        assert channel.is_open
        channel.stuck = False
        channel.unstick(len(channel._kept))
        assert answers(channel.sent) == [(200, b"/%d" % n) for n in range(40)]
        assert not channel.is_open


def test_handler_peer_that_goes_away_leaves_nothing() -> None:
    """Answers under way fail, timers stop, bodies are released."""
    reports: list[ServedReport] = []
    body = copied(b"never sent")
    channel = wire(lambda request: HttpResponse(200, body=body), stuck=True, on_served=reports.append)
    channel.write_inbound(GET % 1 + b"GET /half")
    channel.close()
    assert body.refcnt == 0
    assert channel.loop.pending == 0  # type: ignore[attr-defined]  # the clock above
    assert [type(served.error).__name__ for report in reports for served in report.requests] == ["ChannelClosedError"]


def test_handler_closed_inside_a_head_gives_its_block_back() -> None:
    """The unfinished head is not kept until the handler dies."""
    pool = Pool()
    half = pool.buffer(64)
    half.write_bytes(b"GET /half")
    handler = HttpServerHandler(numbered, loop=Clock())
    with Wire(handler, Clock()) as channel:
        channel.write_inbound(half)
        assert pool.statistics().live_blocks == 1
    assert pool.statistics().live_blocks == 0
    assert handler is not None


def test_handler_finish_lets_answers_under_way_go_and_takes_no_more() -> None:
    """The graceful end of a connection."""
    handler = HttpServerHandler(numbered, loop=Clock())
    channel = Wire(handler, Clock())
    channel.stuck = True
    channel.write_inbound(GET % 1)
    handler.finish()
    channel.write_inbound(GET % 2)
    assert channel.is_open
    channel.unstick(2)
    assert answers(channel.sent) == [(200, b"/1")]
    assert not channel.is_open
    idle = HttpServerHandler(numbered, loop=Clock())
    other = Wire(idle, Clock())
    idle.finish()
    assert not other.is_open


# Timers.


def clock_of(channel: Wire) -> Clock:
    """The clock of a channel."""
    assert isinstance(channel.loop, Clock)
    return channel.loop


def test_timer_client_that_sends_nothing_is_closed_without_a_word() -> None:
    """30 s from connecting to the first head."""
    with wire() as channel:
        clock_of(channel).advance(29.9)
        assert channel.is_open
        clock_of(channel).advance(0.2)
        assert not channel.is_open
        assert channel.sent == b""


def test_row121_head_that_trickles_is_timed_out_in_all() -> None:
    """One byte every nine seconds does not move the timer: 408 after 30 s in all."""
    with wire() as channel:
        channel.write_inbound(GET % 1)
        clock_of(channel).advance(50)
        for byte in b"GET ":
            channel.write_inbound(bytes([byte]))
            clock_of(channel).advance(9)
        assert statuses(channel.sent) == [200, 408]
        clock_of(channel).advance(3)
        assert not channel.is_open


def test_timer_first_head_that_trickles_is_timed_out_from_connecting() -> None:
    """The first head has no extra time."""
    with wire() as channel:
        clock_of(channel).advance(20)
        channel.write_inbound(b"GET ")
        clock_of(channel).advance(10.1)
        assert statuses(channel.sent) == [408]


def test_timer_idle_connection_is_closed_after_75_seconds() -> None:
    """Counted from the last answer."""
    with wire() as channel:
        for _ in range(3):
            channel.write_inbound(GET % 1)
            clock_of(channel).advance(74)
        channel.write_inbound(GET % 1)
        clock_of(channel).advance(74.9)
        assert channel.is_open
        clock_of(channel).advance(0.2)
        assert not channel.is_open
        assert statuses(channel.sent) == [200] * 4


def test_timer_body_that_stalls_is_closed() -> None:
    """A body that is skipped has the time of a head."""
    with wire() as channel:
        channel.write_inbound(b"GET /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n12")
        clock_of(channel).advance(31)
        assert not channel.is_open


def test_timer_peer_that_takes_nothing_is_closed() -> None:
    """60 s without progress."""
    with wire(stuck=True) as channel:
        channel.write_inbound(GET % 1)
        clock_of(channel).advance(59)
        assert channel.is_open
        clock_of(channel).advance(62)
        assert not channel.is_open


def test_timer_peer_that_takes_nothing_but_keeps_sending_is_closed() -> None:
    """What it sends is no progress of what it is sent."""
    with wire(stuck=True) as channel:
        channel.write_inbound(GET % 1)
        for _ in range(13):
            clock_of(channel).advance(10)
            if channel.is_open:
                channel.write_inbound(b"G")
        assert not channel.is_open


def test_timer_slow_peer_that_makes_progress_is_left_alone(tmp_path: Any) -> None:
    """A download may take as long as it takes."""
    path = tmp_path / "file"
    path.write_bytes(bytes(1000))
    region = FileRegion(path)
    with wire(lambda request: HttpResponse(200, body=region), stuck=True) as channel:
        channel.write_inbound(GET % 1)
        channel.unstick(1)
        for _ in range(8):
            clock_of(channel).advance(45)
            channel._kept[0][0].advance(100)
        assert channel.is_open
        channel.unstick(1)


def test_timers_cost_no_timer_per_request() -> None:
    """Moving the alarm starts no new timer of the loop."""
    with wire() as channel:
        for _ in range(1000):
            channel.write_inbound(GET % 1)
            clock_of(channel).advance(0.001)
        assert clock_of(channel).started <= 3


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e308])
@pytest.mark.parametrize("name", ["head", "idle", "stalled", "linger"])
def test_row135_timers_that_make_no_sense_are_refused(name: str, value: float) -> None:
    """Zero, negative, not a number, endless."""
    with pytest.raises(ValueError):
        HttpTimers(**{name: value})


# Reports.


def test_report_each_request_has_its_own_with_the_bytes_on_the_wire() -> None:
    """Sequential requests: one report each, and every byte on exactly one."""
    reports: list[ServedReport] = []
    with wire(on_served=reports.append) as channel:
        for n in range(3):
            channel.write_inbound(GET % n)
        assert [[served.target for served in report.requests] for report in reports] == [["/0"], ["/1"], ["/2"]]
        assert [report.bill.wire_out for report in reports] == [
            served.head_bytes + served.body_bytes for report in reports for served in report.requests
        ]
        assert {report.peer for report in reports} == {("192.0.2.1", 1234)}


def test_report_pipelined_requests_share_one() -> None:
    """What shares system calls shares a bill, and the sum is right."""
    reports: list[ServedReport] = []
    with wire(on_served=reports.append) as channel:
        channel.write_inbound(b"".join(GET % n for n in range(100)))
        assert sum(len(report.requests) for report in reports) == 100
        assert sum(report.bill.wire_out for report in reports) == len(channel.sent)
        assert len(reports) < 20


def test_report_of_what_was_no_http_has_no_target() -> None:
    """A refusal is reported, too; nothing of the peer's bytes is in it."""
    reports: list[ServedReport] = []
    with wire(on_served=reports.append) as channel:
        channel.write_inbound(b"\x1b[31mred\r\n\r\n")
    (served,) = reports[0].requests
    assert (served.method, served.target, served.status) == ("", "", 400)


def test_handler_arguments_are_checked() -> None:
    """No pipelining at all, or negative bodies, make no sense."""
    with pytest.raises(ValueError):
        HttpServerHandler(lambda request: error_response(404), max_pipelined=0)
    with pytest.raises(ValueError):
        HttpServerHandler(lambda request: error_response(404), max_skipped_body=-1)
