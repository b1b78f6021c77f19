"""HTTP dates: seconds since the epoch to text and back (RFC 9110 section 5.6.7).

Owns    the one format that is written and the three that are read.
Never   the clock, the locale, or whom a date belongs to.
Always  a text that is not exactly one of the three formats is None: nothing is guessed.
"""

import calendar
import re
import time
from functools import lru_cache

__all__ = ["format_date", "parse_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER = {name: number for number, name in enumerate(_MONTHS, 1)}

LAST_SECOND = 253402300799  # 9999-12-31 23:59:59: the format has four digits for the year

_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMATS = (
    # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(
        rf"(?:{'|'.join(_DAYS)}), (?P<day>[0-9]{{2}}) (?P<month>[A-Z][a-z]{{2}}) (?P<year>[0-9]{{4}}) {_TIME} GMT"
    ),
    # RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(
        r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday), "
        rf"(?P<day>[0-9]{{2}})-(?P<month>[A-Z][a-z]{{2}})-(?P<short>[0-9]{{2}}) {_TIME} GMT"
    ),
    # asctime: Sun Nov  6 08:49:37 1994
    re.compile(rf"(?:{'|'.join(_DAYS)}) (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)


@lru_cache(maxsize=1024)  # a pure function; the bound keeps hostile time stamps from filling memory
def format_date(seconds: int) -> str:
    """Return `seconds` since the epoch as an IMF-fixdate; moments outside the years 1970 to 9999 are moved inside."""
    at = time.gmtime(min(max(seconds, 0), LAST_SECOND))
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04d} "
        f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} GMT"
    )


def parse_date(text: str, now: int) -> int | None:
    """Return the seconds since the epoch that `text` names, or None when it is no HTTP date.

    `now` decides the century of a two-digit year: one that looks more than 50 years ahead lies in the past.
    Source: RFC 9110 section 5.6.7.
    """
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            break
    else:
        return None
    fields = match.groupdict()
    month = _MONTH_NUMBER.get(fields["month"])
    day, hour, minute, second = (int(fields[name]) for name in ("day", "hour", "minute", "second"))
    if month is None or hour > 23 or minute > 59 or second > 60:
        return None
    year = _century(int(fields["short"]), now) if "short" in fields else int(fields["year"])
    if year < 1 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))


def _century(short: int, now: int) -> int:
    this_year = time.gmtime(min(max(now, 0), LAST_SECOND)).tm_year
    year = this_year - this_year % 100 + short
    return year - 100 if year > this_year + 50 else year
