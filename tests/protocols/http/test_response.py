"""Response heads: exact bytes, and nothing gets in that could end a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.buffer import copied
from zbuf.errors import EncodeError, ReferenceCountError
from zbuf.protocols.http._response import HttpResponse, encode_head, error_response

NOW = 784111777


def head(status: int = 200, fields: list[tuple[str, str]] | None = None, **options: object) -> bytes:
    """A head with defaults."""
    values = {"body_bytes": 5, "now": NOW, "keep_alive": True, "version": (1, 1)} | options
    return encode_head(status, fields or [], **values)  # type: ignore[arg-type]  # a table of options


def test_encode_head_is_exactly_these_bytes() -> None:
    """Status line, Server, Date, the fields in order, Content-Length, the empty line."""
    assert head(200, [("ETag", '"1"'), ("Accept-Ranges", "bytes")]) == (
        b"HTTP/1.1 200 OK\r\nServer: zbuf\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b'ETag: "1"\r\nAccept-Ranges: bytes\r\nContent-Length: 5\r\n\r\n'
    )


@pytest.mark.parametrize(
    ("keep_alive", "version", "line"),
    [
        (True, (1, 1), None),
        (False, (1, 1), b"Connection: close"),
        (True, (1, 0), b"Connection: keep-alive"),
        (False, (1, 0), b"Connection: close"),
    ],
)
def test_encode_head_says_whether_the_connection_stays(
    keep_alive: bool, version: tuple[int, int], line: bytes | None
) -> None:
    """Only what is not the version's own rule is said, and a 1.0 peer is always told."""
    lines = [x for x in head(keep_alive=keep_alive, version=version).split(b"\r\n") if x.startswith(b"Connection")]
    assert lines == ([] if line is None else [line])


@pytest.mark.parametrize("status", [100, 204, 304])
def test_encode_head_without_a_body_has_no_length(status: int) -> None:
    """RFC 9110 section 8.6: no Content-Length where there can be no content (row 114)."""
    assert b"Content-Length" not in head(status)


INJECTIONS = ["a\r\nEvil: b", "a\nb", "a\rb", "a\0b", "a\x7fb", "\x0b", "\u2028", "\u0160", "\xe9"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_encode_head_hostile_value_is_refused(text: str) -> None:
    """Row 112: nothing is written."""
    with pytest.raises(EncodeError):
        head(fields=[("Good", "fine"), ("Location", text)])


@pytest.mark.parametrize("name", [*INJECTIONS, "", "a b", "a:", "a\t"])
def test_encode_head_hostile_name_is_refused(name: str) -> None:
    """A name is a token."""
    with pytest.raises(EncodeError):
        head(fields=[(name, "fine")])


def test_encode_head_status_without_a_name_is_refused() -> None:
    """No reason phrase is invented."""
    with pytest.raises(EncodeError):
        head(799)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5))
def test_encode_head_has_one_line_per_field_or_raises(fields: list[tuple[str, str]]) -> None:
    """Whatever is put in, no field becomes two."""
    try:
        encoded = head(fields=fields)
    except EncodeError:
        return
    assert encoded.count(b"\r\n") == encoded.count(b"\n") == encoded.count(b"\r") == len(fields) + 5
    assert encoded.isascii()


def test_error_response_says_nothing_but_the_status() -> None:
    """A small text page that repeats nothing of the request."""
    response = error_response(404, fields=(("Allow", "GET"),), close=True)
    assert (response.status, response.body, response.close) == (404, b"404 Not Found\n", True)
    assert ("Allow", "GET") in response.fields


def test_response_owns_its_body_until_it_is_taken() -> None:
    """release() gives it back; take_body() hands it over, once."""
    buf = copied(b"body")
    response = HttpResponse(200, body=buf)
    assert response.body_bytes == 4
    response.release()
    response.release()
    with pytest.raises(ReferenceCountError):
        buf.read_byte()
    kept = copied(b"body")
    other = HttpResponse(200, body=kept)
    assert other.take_body() is kept
    other.release()
    assert bytes(kept) == b"body"
    kept.release()
