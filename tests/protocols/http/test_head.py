"""Request heads: what is HTTP comes out, everything else is refused, however the input is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.codec import NEED_DATA, Limits
from zbuf.errors import CorruptedFrameError, DecodeError, IncompleteFrameError, LimitExceededError
from zbuf.protocols.http._head import HTTP_LIMITS, HttpRequest, HttpRequestDecoder
from zbuf.testing._check_decoder import check_decoder

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n"
SMALL = Limits(max_line_bytes=40, max_header_bytes=60, max_header_count=5)


def one(data: bytes, limits: Limits = HTTP_LIMITS) -> HttpRequest:
    """The one request in `data`."""
    decoder = HttpRequestDecoder(limits)
    decoder.feed(data)
    request = decoder.next()
    assert isinstance(request, HttpRequest)
    decoder.leftover().release()
    return request


def small() -> HttpRequestDecoder:
    """A decoder whose limits are easy to reach."""
    return HttpRequestDecoder(SMALL)


def test_decoder_gives_the_head_as_it_was_written() -> None:
    """Method, target, version, and the fields with lower-case names and no blanks around values."""
    request = one(b"GET /a%20b?c HTTP/1.1\r\nHost: h:1\r\nX-Y:\t v w \t\r\nACCEPT: a\r\naccept: b\r\n\r\n")
    assert (request.method, request.target, request.version) == ("GET", "/a%20b?c", (1, 1))
    assert request.headers == {b"host": b"h:1", b"x-y": b"v w", b"accept": b"a, b"}
    assert (request.header("X-y"), request.header("nope")) == ("v w", None)
    assert request.keep_alive and request.body_bytes == 0


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"CONNECT host:1 HTTP/1.1\r\nHost: h\r\n\r\n", True),
    ],
)
def test_decoder_knows_whether_the_connection_stays(head: bytes, keep_alive: bool) -> None:
    """Persistence by version and Connection field (RFC 9112 section 9.3); an upgrade is only an offer."""
    assert one(head).keep_alive is keep_alive


@pytest.mark.parametrize(
    "after", [b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n", b"Content-Length: 3\r\n"]
)
def test_decoder_goes_on_after_any_good_head(after: bytes) -> None:
    """No head leaves the parser in a state that the next one notices."""
    decoder = HttpRequestDecoder()
    decoder.feed(GET + after + b"\r\n" + (b"abc" if b"Length" in after else b"") + GET + b"\r\n")
    assert [request.target for request in decoder] == ["/a", "/a"]


@pytest.mark.parametrize(
    ("line", "method", "version"),
    [
        (b"BREW / HTTP/1.1", "BREW", (1, 1)),
        (b"get / HTTP/1.1", "get", (1, 1)),
        (b"GET / HTTP/1.9", "GET", (1, 9)),
        (b"GET / HTTP/2.0", "GET", (2, 0)),
        (b"PRI * HTTP/2.0", "PRI", (2, 0)),
        (b"GET / HTTP/0.9", "GET", (0, 9)),
        (b"OPTIONS * HTTP/1.1", "OPTIONS", (1, 1)),
    ],
)
def test_decoder_unknown_methods_and_versions_are_for_the_server_to_judge(
    line: bytes, method: str, version: tuple[int, int]
) -> None:
    """They are well formed, so they come out as they are."""
    request = one(line + b"\r\nHost: h\r\n\r\n")
    assert (request.method, request.version, request.headers) == (method, version, {b"host": b"h"})


BROKEN = {
    "bare LF": b"GET / HTTP/1.1\nHost: h\n\n\r\n\r\n",
    "bare LF in fields": GET + b"X: a\nY: b\r\n\r\n",
    "bare CR in fields": GET + b"X: a\rY: b\r\n\r\n",
    "CR CR LF": GET + b"X: a\r\r\n\r\n",
    "continuation line": GET + b"X: a\r\n b\r\n\r\n",
    "continuation by tab": GET + b"X: a\r\n\tb\r\n\r\n",
    "blank first field": b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
    "space before the colon": GET + b"X : a\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    "empty name": GET + b": a\r\n\r\n",
    "8-bit name": GET + b"X\xff: a\r\n\r\n",
    "NUL in a value": GET + b"X: a\0b\r\n\r\n",
    "NUL in a name": GET + b"X\0: a\r\n\r\n",
    "control in a value": GET + b"X: \x01\r\n\r\n",
    "DEL in a value": GET + b"X: \x7f\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
    "8-bit target": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n",
    "fragment": b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
    "NUL before the line": b"\0" + GET + b"\r\n",
    "space before the line": b" " + GET + b"\r\n",
    "two empty lines before the line": b"\r\n\r\n" + GET + b"\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
    "tab for a space": b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "trailing space": b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\n\r\n",
    "lower-case version": b"GET / http/1.1\r\nHost: h\r\n\r\n",
    "two-digit version": b"GET / HTTP/1.10\r\nHost: h\r\n\r\n",
    "another protocol": b"GET / ICY/1.0\r\n\r\n",
    "method with a slash": b"G/T / HTTP/1.1\r\nHost: h\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "length and coding": GET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding and length": GET + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "two lengths": GET + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "list of lengths": GET + b"Content-Length: 3, 3\r\n\r\n",
    "signed length": GET + b"Content-Length: +5\r\n\r\n",
    "negative length": GET + b"Content-Length: -5\r\n\r\n",
    "length with underscore": GET + b"Content-Length: 5_0\r\n\r\n",
    "hexadecimal length": GET + b"Content-Length: 0x5\r\n\r\n",
    "Arabic length": GET + "Content-Length: \u0665\r\n\r\n".encode(),
    "30 digits": GET + b"Content-Length: " + b"1" * 30 + b"\r\n\r\n",
    "19 digits": GET + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n",
    "empty length": GET + b"Content-Length:\r\n\r\n",
    "coding in 1.0": b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunked, x": GET + b"Transfer-Encoding: chunked, x\r\n\r\n",
    "x, chunked": GET + b"Transfer-Encoding: x, chunked\r\n\r\n",
    "chunked twice": GET + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
    "chunked in two fields": GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "xchunked": GET + b"Transfer-Encoding: xchunked\r\n\r\n",
    "identity": GET + b"Transfer-Encoding: identity\r\n\r\n",
    "empty coding": GET + b"Transfer-Encoding:\r\n\r\n",
    "coding by vertical tab": GET + b"Transfer-Encoding:\x0bchunked\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_decoder_what_is_not_http_or_ambiguous_is_corrupted(case: str) -> None:
    """Rows 107 to 111: refused, and nothing after it is taken for a request."""
    decoder = HttpRequestDecoder()
    decoder.feed(BROKEN[case] + GET + b"\r\n")
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    assert decoder.next() is NEED_DATA
    decoder.feed(GET + b"\r\n")
    assert decoder.next() is NEED_DATA
    assert decoder.buffered == 0


@pytest.mark.parametrize(
    "start", [b"\x16\x03\x01", b"GET /\n", b"GET / HTTP/1.1\r\nA: \rb", b"GET / HTTP/1.1\r\nA: b\n"]
)
@pytest.mark.parametrize("piece", [1, 100])
def test_decoder_refuses_what_can_never_be_a_head_without_waiting_for_its_end(start: bytes, piece: int) -> None:
    """A peer that speaks something else need not time out."""
    decoder = HttpRequestDecoder()
    with pytest.raises(CorruptedFrameError):
        for at in range(0, len(start), piece):
            decoder.feed(start[at : at + piece])
            decoder.next()


def test_decoder_one_empty_line_before_a_request_is_passed_over() -> None:
    """RFC 9112 section 2.2; before every request, and only one."""
    decoder = HttpRequestDecoder()
    decoder.feed(b"\r\n" + GET + b"\r\n\r\n" + GET + b"\r\n")
    assert len(list(decoder)) == 2


def test_decoder_chunked_request_comes_out_and_is_the_last() -> None:
    """Its body has no end that we look for: what follows is dropped."""
    decoder = HttpRequestDecoder()
    decoder.feed(GET + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n")
    requests = list(decoder)
    assert [request.body_bytes for request in requests] == [-1]
    assert decoder.buffered == 0


def test_decoder_bodies_are_skipped_wherever_they_are_cut() -> None:
    """A body that looks like a request is not one."""
    decoder = HttpRequestDecoder()
    body = GET + b"\r\n"
    data = GET + b"Content-Length: %d\r\n\r\n" % len(body) + body + GET + b"\r\n"
    found = []
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
        found += [request.body_bytes for request in decoder]
    assert found == [len(body), 0]


def test_decoder_skips_a_body_larger_than_any_buffer_without_keeping_it() -> None:
    """A declared length allocates nothing, and skipped bytes are not held."""
    decoder = HttpRequestDecoder()
    decoder.feed(GET + b"Content-Length: 999999999999999999\r\n\r\n")
    assert isinstance(decoder.next(), HttpRequest)
    for _ in range(64):
        decoder.feed(bytes(100_000))
        assert decoder.next() is NEED_DATA
        assert decoder.buffered == 0
    assert decoder.body_pending == 999999999999999999 - 6_400_000


@pytest.mark.parametrize(
    ("data", "missing"),
    [(GET, None), (GET + b"Content-Length: 5\r\n\r\nab", 3), (GET + b"Content-Length: 5\r\n\r\n", 5)],
)
def test_decoder_input_that_ends_inside_a_request_is_incomplete(data: bytes, missing: int | None) -> None:
    """end() says so once, inside a head and inside a body."""
    decoder = HttpRequestDecoder()
    decoder.feed(data)
    list(decoder)
    with pytest.raises(IncompleteFrameError) as caught:
        decoder.end()
    assert missing is None or caught.value.needed == missing
    decoder.end()


def padded(line: int = 20, fields: int = 30, count: int = 2) -> bytes:
    """A head whose line, field bytes and number of fields are exactly these."""
    head = b"GET /" + b"a" * (line - 14) + b" HTTP/1.1\r\n"
    names = b"".join(b"%c:\r\n" % (97 + n) for n in range(count - 1))
    return head + names + b"z:" + b"v" * (fields - len(names) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (padded(line=40), None),
        (padded(line=41), "max_line_bytes"),
        (padded(fields=60), None),
        (padded(fields=61), "max_header_bytes"),
        (padded(fields=60, count=5), None),
        (padded(fields=60, count=6), "max_header_count"),
        (b"\r\n" + padded(line=40, fields=60), None),
    ],
)
def test_b141_limits_exactly_the_limit_passes(data: bytes, limit: str | None) -> None:
    """One byte, or one field, more than the limit is refused, with the limit's name and value."""
    if limit is None:
        assert one(data, SMALL).headers
        return
    with pytest.raises(LimitExceededError) as caught:
        one(data, SMALL)
    assert (caught.value.limit, caught.value.maximum) == (limit, getattr(SMALL, limit))


CUT_CASES = {
    "two requests": (GET + b"\r\n" + GET + b"\r\n", [one(GET + b"\r\n")] * 2),
    "a body between": (
        GET + b"Content-Length: 4\r\n\r\nGET " + GET + b"\r\n",
        [one(GET + b"Content-Length: 4\r\n\r\n"), one(GET + b"\r\n")],
    ),
    "empty line first": (b"\r\n" + GET + b"\r\n", [one(GET + b"\r\n")]),
    "good, then broken": (GET + b"\r\n" + b"GET /\n\r\n\r\n" + GET, [one(GET + b"\r\n"), CorruptedFrameError]),
    "bare CR": (GET + b"X: a\rb\r\n\r\n", [CorruptedFrameError]),
    "space before colon": (GET + b"X : a\r\n\r\n", [CorruptedFrameError]),
    "line too long": (b"GET /" + b"a" * 60 + b" HTTP/1.1\r\n\r\n", [LimitExceededError]),
    "line too long, control behind the limit": (b"GET /" + b"a" * 60 + b"\0\r\n\r\n", [LimitExceededError]),
    "line too long, control before the limit": (b"GET /a\0" + b"a" * 60 + b"\r\n\r\n", [CorruptedFrameError]),
    "line too long after an empty line": (b"\r\nGET /" + b"a" * 60 + b" HTTP/1.1\r\n\r\n", [LimitExceededError]),
    "fields too long": (padded(fields=100), [LimitExceededError]),
    "fields too long, control behind": (padded(fields=100)[:-6] + b"\0\r\n\r\n", [LimitExceededError]),
    "fields too long, control before": (b"GET / HTTP/1.1\r\nA: \0" + b"b" * 90 + b"\r\n\r\n", [CorruptedFrameError]),
    "fields a little too long": (padded(fields=61), [LimitExceededError]),
    "cut inside a head": (GET + b"\r\n" + GET, [one(GET + b"\r\n"), IncompleteFrameError]),
}


@pytest.mark.parametrize("case", CUT_CASES)
def test_b130_decoder_gives_the_same_however_the_input_is_cut(case: str) -> None:
    """Whole, byte by byte, every cut, every shape of buffer: the same requests, the same class of error."""
    data, expected = CUT_CASES[case]
    check_decoder(small, data, expected)


@pytest.mark.parametrize(
    "flood", [b"GET /" + b"a" * 1_000_000, GET + b"A: " + b"b" * 1_000_000, GET + b"A: b\r\n" * 200_000]
)
@pytest.mark.parametrize("piece", [1, 1000, 65_536])
def test_decoder_endless_head_is_refused_at_the_limit(flood: bytes, piece: int) -> None:
    """Row 107: held memory stays bounded by the limits and one receive."""
    decoder = HttpRequestDecoder()
    with pytest.raises(LimitExceededError):
        for at in range(0, len(flood), piece):
            decoder.feed(flood[at : at + piece])
            decoder.next()
            assert decoder.buffered <= 2 * 8192 + piece
    assert decoder.next() is NEED_DATA
    assert decoder.buffered == 0


def test_b144_endless_head_costs_linear_work() -> None:
    """Each byte of an unfinished head is looked at a bounded number of times."""
    looked = {}
    for length in (1000, 2000, 4000):
        decoder = HttpRequestDecoder()
        total = 0
        for at in range(length):
            before = decoder._seen
            decoder.feed(b"a")
            assert decoder.next() is NEED_DATA
            total += at + 1 - before
        looked[length] = total
        decoder.leftover().release()
    assert looked[2000] <= 2.3 * looked[1000]
    assert looked[4000] <= 2.3 * looked[2000]


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_b131_any_bytes_give_requests_or_a_decode_error(pieces: list[bytes]) -> None:
    """No other exception, whatever a peer sends."""
    decoder = small()
    for piece in pieces:
        decoder.feed(piece)
        try:
            for request in decoder:
                assert isinstance(request, HttpRequest)
        except DecodeError:
            assert decoder.next() is NEED_DATA
    decoder.leftover().release()


hostile = st.lists(
    st.sampled_from(
        [b"GET ", b"/", b" HTTP/1.1", b"\r\n", b"\r", b"\n", b"Host: h", b"\r\n\r\n", b"X:", b" ", b"\0", b"\xff"]
        + [b"Content-Length: ", b"Transfer-Encoding: chunked", b"5", b"a" * 30]
    ),
    max_size=14,
).map(b"".join)


@given(hostile)
def test_b130_hostile_input_gives_the_same_whole_and_byte_by_byte(data: bytes) -> None:
    """The cut never decides what a request is."""

    def run(pieces: list[bytes]) -> list[object]:
        decoder = small()
        found: list[object] = []
        for piece in pieces:
            decoder.feed(piece)
            try:
                found += [request.target for request in decoder]
            except DecodeError as exc:
                found.append(type(exc))
        decoder.leftover().release()
        return found

    assert run([data]) == run([data[at : at + 1] for at in range(len(data))])
