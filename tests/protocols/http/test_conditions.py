"""Preconditions: whether the client has this state of the file already, and whether a part may be sent."""

import pytest

from zbuf.protocols.http._conditions import Validators, evaluate, select_range
from zbuf.protocols.http._dates import format_date
from zbuf.protocols.http._ranges import UNSATISFIABLE, WHOLE, ByteRange

NS = 1_000_000_000
MODIFIED = 1_600_000_000
NOW = 1_700_000_000
STATE = Validators.of(100, MODIFIED * NS + 5, 42, NOW * NS)
YOUNG = Validators.of(100, NOW * NS - 1, 42, NOW * NS)
ETAG = STATE.etag.encode()
DATE = STATE.last_modified.encode()


def test_validators_of_a_settled_file_are_strong_and_follow_its_state() -> None:
    """Size, time and inode each change the ETag."""
    assert STATE.is_strong and STATE.etag.startswith('"') and STATE.last_modified == format_date(MODIFIED)
    others = [
        Validators.of(101, MODIFIED * NS + 5, 42, NOW * NS),
        Validators.of(100, MODIFIED * NS + 6, 42, NOW * NS),
        Validators.of(100, MODIFIED * NS + 5, 43, NOW * NS),
    ]
    assert len({STATE.etag, *(other.etag for other in others)}) == 4


def test_validators_of_a_file_just_written_are_weak() -> None:
    """A file that may change again under the same time stamp has no strong validator (RFC 9110 section 8.8.1)."""
    assert not YOUNG.is_strong
    assert YOUNG.etag.startswith('W/"')


def test_validators_of_a_file_from_the_future_are_not_later_than_now() -> None:
    """Last-Modified is never later than Date (RFC 9110 section 8.8.2.1)."""
    future = Validators.of(1, (NOW + 1000) * NS, 1, NOW * NS)
    assert future.last_modified == format_date(NOW)
    assert not future.is_strong


def test_validators_before_the_epoch_are_legal() -> None:
    """A negative time stamp gives a printable ETag and the first date there is."""
    old = Validators.of(1, -5 * NS, 1, NOW * NS)
    assert old.modified == 0 and old.etag.isascii() and old.etag.count('"') == 2 and "--" not in old.etag


OTHER = b'"other"'
LATER = format_date(MODIFIED + 1).encode()
EARLIER = format_date(MODIFIED - 1).encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({b"if-none-match": ETAG}, 304),
        ({b"if-none-match": b"W/" + ETAG}, 304),
        ({b"if-none-match": b"*"}, 304),
        ({b"if-none-match": OTHER}, 200),
        ({b"if-none-match": OTHER + b" , " + ETAG}, 304),
        ({b"if-none-match": b'"a,b",' + ETAG}, 304),
        ({b"if-none-match": b", ," + ETAG + b", "}, 304),
        ({b"if-none-match": ETAG[1:-1]}, 200),
        ({b"if-none-match": ETAG + b" " + ETAG}, 200),
        ({b"if-none-match": ETAG + b'"'}, 200),
        ({b"if-none-match": b""}, 200),
        ({b"if-modified-since": DATE}, 304),
        ({b"if-modified-since": LATER}, 304),
        ({b"if-modified-since": EARLIER}, 200),
        ({b"if-modified-since": b"yesterday"}, 200),
        ({b"if-none-match": OTHER, b"if-modified-since": DATE}, 200),
        ({b"if-none-match": ETAG, b"if-modified-since": EARLIER}, 304),
        ({b"if-match": ETAG}, 200),
        ({b"if-match": b"*"}, 200),
        ({b"if-match": OTHER}, 412),
        ({b"if-match": b"W/" + ETAG}, 412),
        ({b"if-unmodified-since": DATE}, 200),
        ({b"if-unmodified-since": EARLIER}, 412),
        ({b"if-unmodified-since": b"yesterday"}, 200),
        ({b"if-match": ETAG, b"if-unmodified-since": EARLIER}, 200),
        ({b"if-match": OTHER, b"if-none-match": ETAG}, 412),
    ],
)
def test_evaluate_conditions_count_in_the_order_of_the_standard(headers: dict[bytes, bytes], status: int) -> None:
    """If-Match before If-Unmodified-Since, If-None-Match before If-Modified-Since (RFC 9110 section 13.2.2)."""
    assert evaluate(headers, STATE, NOW) == status


def test_evaluate_weak_validator_never_satisfies_if_match() -> None:
    """If-Match compares strongly; If-None-Match does not."""
    etag = YOUNG.etag.encode()
    assert evaluate({b"if-match": etag}, YOUNG, NOW) == 412
    assert evaluate({b"if-match": etag.removeprefix(b"W/")}, YOUNG, NOW) == 412
    assert evaluate({b"if-none-match": etag}, YOUNG, NOW) == 304


PART = ByteRange(10, 19)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (None, PART),
        (ETAG, PART),
        (DATE, PART),
        (b"W/" + ETAG, WHOLE),
        (OTHER, WHOLE),
        (LATER, WHOLE),
        (EARLIER, WHOLE),
        (b"", WHOLE),
        (b"*", WHOLE),
        (b"garbage", WHOLE),
        (ETAG + b", " + ETAG, WHOLE),
    ],
)
def test_select_range_if_range_needs_the_exact_strong_validator(condition: bytes | None, found: object) -> None:
    """A weak, wrong or malformed validator gives the whole file (row 88)."""
    headers = {b"range": b"bytes=10-19"} | ({} if condition is None else {b"if-range": condition})
    assert select_range(headers, STATE, 100) == found


def test_select_range_young_file_is_sent_whole_whatever_the_validator() -> None:
    """As long as the file may still change unseen, If-Range fails."""
    for condition in (YOUNG.etag, YOUNG.etag.removeprefix("W/"), YOUNG.last_modified):
        headers = {b"range": b"bytes=10-19", b"if-range": condition.encode()}
        assert select_range(headers, YOUNG, 100) is WHOLE


def test_select_range_without_the_field_is_the_whole_file() -> None:
    """No Range, no part; If-Range alone means nothing."""
    assert select_range({b"if-range": ETAG}, STATE, 100) is WHOLE
    assert select_range({b"range": b"bytes=100-"}, STATE, 100) is UNSATISFIABLE
