"""HTTP dates: one format written, three read, nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.protocols.http._dates import LAST_SECOND, format_date, parse_date

MOMENT = 784111777  # RFC 9110's example
NOW = 1_700_000_000


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_parse_date_each_of_the_three_formats_is_read(text: str) -> None:
    """The three formats of RFC 9110 section 5.6.7 name the same second."""
    assert parse_date(text, NOW) == MOMENT


def test_format_date_writes_the_fixed_format() -> None:
    """What is written is an IMF-fixdate."""
    assert format_date(MOMENT) == "Sun, 06 Nov 1994 08:49:37 GMT"


@given(st.integers(0, LAST_SECOND))
def test_parse_date_reads_back_what_is_written(seconds: int) -> None:
    """Reading is the inverse of writing, for every second of four-digit years."""
    assert parse_date(format_date(seconds), NOW) == seconds


@pytest.mark.parametrize("seconds", [-1, -(2**62), 2**62])
def test_format_date_outside_the_calendar_is_moved_inside(seconds: int) -> None:
    """A file with an absurd time stamp gets a date all the same."""
    assert parse_date(format_date(seconds), NOW) in (0, LAST_SECOND)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Xun, 06 Nov 1994 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "784111777",
    ],
)
def test_parse_date_anything_else_is_none(text: str) -> None:
    """What is not exactly an HTTP date is no date."""
    assert parse_date(text, NOW) is None


@given(st.text(max_size=60))
def test_parse_date_any_text_never_raises(text: str) -> None:
    """A peer's text gives a number or None."""
    found = parse_date(text, NOW)
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize(("short", "year"), [("70", 2070), ("73", 2073), ("74", 1974), ("99", 1999), ("23", 2023)])
def test_parse_date_two_digit_year_lies_at_most_50_years_ahead(short: str, year: int) -> None:
    """In 2023, 73 is the future and 74 the past (RFC 9110 section 5.6.7)."""
    assert format_date(parse_date(f"Sunday, 06-Nov-{short} 08:49:37 GMT", NOW) or 0)[12:16] == str(year)
