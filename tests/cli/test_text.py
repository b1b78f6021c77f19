"""Text for a terminal: nothing of a peer reaches it raw, and a bill says what it means."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.audit import Bill, CopyReason, Count, Move
from zbuf.cli._serve import OneLine
from zbuf.cli._served import peer_name, report_lines, summary_lines
from zbuf.cli._text import printable
from zbuf.errors import ChannelClosedError, FileTruncatedError
from zbuf.protocols.http import Served, ServedReport


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/plain", "/plain"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil", "\\u202eevil"),
        ("\U0001f600", "\\U0001f600"),
        ("back\\slash", "back\\\\slash"),
        ("\x7f", "\\x7f"),
    ],
)
def test_printable_escapes_what_is_not_printable_ascii(text: str, shown: str) -> None:
    """Escape sequences, line ends, direction marks: all become text."""
    assert printable(text) == shown


def test_printable_long_text_is_cut_and_says_so() -> None:
    """A target of 8 KiB does not flood the terminal."""
    assert printable("a" * 8000, 10) == "a" * 10 + "... (8000 characters)"


@given(st.text())
def test_printable_any_text_is_printable_ascii(text: str) -> None:
    """No text gets through that a terminal would act upon."""
    assert all(" " <= character <= "~" for character in printable(text))


def served(**changes: object) -> Served:
    """A record with defaults."""
    values: dict[str, object] = {
        "method": "GET",
        "target": "/big",
        "status": 200,
        "head_bytes": 250,
        "body_bytes": 1000,
        "is_file": True,
        "error": None,
    }
    return Served(**(values | changes))  # type: ignore[arg-type]  # a table of fields


CALLS = "system calls that moved bytes: recv 1 (80 bytes), send 1 (250 bytes), sendfile 3 (1,000 bytes)"
SENDFILE = Bill(
    user={CopyReason.TRANSFER: Count(1, 80)},
    kernel={"recv": Move(1, 80, 1), "send": Move(1, 250, 1), "sendfile": Move(3, 1000, 3)},
    wire_in=80,
    wire_out=1250,
)


def test_report_lines_of_a_file_moved_by_the_kernel() -> None:
    """The body's zero stands apart from the head's copies; each line says who vouches for it."""
    assert report_lines(ServedReport(("127.0.0.1", 5), (served(),), SENDFILE)) == [
        "127.0.0.1:5 GET /big 200  1,250 bytes on the wire",
        "    copied in user space: 0 bytes for the body; 80 bytes (transfer 80) for the head  [self-reported]",
        f"    {CALLS}  [self-reported]",
    ]


def test_report_lines_of_a_small_file_name_the_read() -> None:
    """A file that was read into the head's buffer was copied, and the bill says so."""
    bill = Bill(user={CopyReason.COALESCE: Count(1, 250), CopyReason.FILE_READ: Count(1, 1000)}, wire_out=1250)
    lines = report_lines(ServedReport(None, (served(),), bill))
    assert lines[0].startswith("local GET")
    assert "1,000 bytes (file_read 1,000) for the body; 250 bytes (coalesce 250) for the head" in lines[1]
    assert "none" in lines[2]


def test_report_bodies_that_were_joined_are_not_hidden_among_the_heads() -> None:
    """What heads and pages cannot account for was a body."""
    bill = Bill(user={CopyReason.COALESCE: Count(1, 1250)})
    report = ServedReport(None, (served(),), bill)
    assert report.body_copies == {CopyReason.COALESCE: 1000}
    assert report.head_copies == {CopyReason.COALESCE: 250}
    page = ServedReport(None, (served(is_file=False),), bill)
    assert page.body_copies == {}
    assert page.head_copies == {CopyReason.COALESCE: 1250}


def test_report_lines_of_pipelined_requests_share_one_bill() -> None:
    """It says so instead of guessing whose call it was."""
    lines = report_lines(ServedReport(("::1", 5, 0, 0), (served(), served(target="/b", is_file=False)), SENDFILE))
    assert lines[:3] == [
        "[::1]:5 GET /big 200  1,250 bytes on the wire",
        "[::1]:5 GET /b 200  1,250 bytes on the wire",
        "    one bill for these 2 pipelined requests:",
    ]
    assert "for the head and the page" in lines[3]


def test_report_lines_of_what_was_not_finished_say_why_and_how_far() -> None:
    """A peer that went away, a file that shrank."""
    gone = ChannelClosedError()
    gone.__cause__ = ConnectionResetError(104, "Connection reset by peer")
    bill = Bill(wire_out=700)
    line = report_lines(ServedReport(None, (served(error=gone),), bill))[0]
    assert "not finished: 700 of 1,250 bytes on the wire (ConnectionResetError" in line
    short = FileTruncatedError("short \x1b", offset=0, count=10, transferred=5)
    line = report_lines(ServedReport(None, (served(error=short), served()), bill))[0]
    assert "not finished: 1,250 bytes" in line and "\\x1b" in line


def test_report_lines_of_a_hostile_target_are_plain_text() -> None:
    """The handler lets none through; the output escapes it all the same."""
    lines = report_lines(ServedReport(None, (served(target="/\x1b]0;x\x07"), served(method="", target="")), Bill()))
    assert "\x1b" not in "".join(lines) and "\\x1b" in lines[0]
    assert "(no HTTP request)" in lines[1]


def test_summary_lines_add_up() -> None:
    """Requests, connections, time, bytes, copies by reason, calls by kind."""
    assert summary_lines(SENDFILE, 1, 2, 1.25) == [
        "served 1 request on 2 connections in 1.2 s",
        "    bytes on the wire: 1,250 out, 80 in  [self-reported]",
        "    copied in user space: 0 bytes reading files; 80 bytes (transfer 80) for everything else  [self-reported]",
        f"    {CALLS}  [self-reported]",
    ]


@pytest.mark.parametrize(
    ("address", "name"), [(("127.0.0.1", 80), "127.0.0.1:80"), (("::1", 80, 0, 0), "[::1]:80"), ("", "local")]
)
def test_peer_name_is_host_and_port(address: object, name: str) -> None:
    """IPv6 in brackets; UNIX sockets have no name worth printing."""
    assert peer_name(address) == name


def test_log_records_are_one_printable_line() -> None:
    """A failure in the log has no traceback and no control characters."""
    try:
        raise OSError("bad \x1b[31m\nname")
    except OSError:
        record = logging.LogRecord("zbuf", logging.ERROR, "", 0, "closed: %s", ("\x07",), sys.exc_info())
    assert OneLine().format(record) == "zbuf: closed: \\x07: OSError: bad \\x1b[31m\\x0aname"
