"""copy_budget: what a stretch of code may copy.

Owns    the limits, the words of the failure, the misuses.
Never   what each operation costs: see tests/counts.
Always  a budget that cannot fail is refused."""

from __future__ import annotations

import pytest

from zbuf import ByteBuf, composite, copied, wrap
from zbuf.audit import CopyReason, set_metering
from zbuf.errors import UsageError
from zbuf.testing import copy_budget

DATA = bytes(range(200))


def two_parts() -> ByteBuf:
    """A composite of two components."""
    return wrap(copied(DATA[:50]), copied(DATA[50:]))


def test_what_shares_costs_nothing() -> None:
    """Slices, splits and composites stay within a budget of 0."""
    buf = copied(DATA)
    with copy_budget(0) as opened:
        head = buf.read_slice(10)
        body = buf.split(20)
        whole = composite()
        whole.extend([head, body])
        whole.read_int()
        whole.slice(2, 8)
    assert opened.bill.user_bytes == 0


def test_a_copy_beyond_the_budget_fails_and_shows_the_bill() -> None:
    """The sum, the limit, and each reason with its bytes and how often."""
    buf = two_parts()
    with pytest.raises(AssertionError) as caught, copy_budget(100):
        bytes(buf)
        buf.copy(0, 10)
    text = str(caught.value)
    assert "210 bytes in all, allowed 100" in text
    assert "tobytes: 200 bytes in 1 copies" in text
    assert "copy: 10 bytes in 1 copies" in text


def test_the_limit_itself_is_within_the_budget() -> None:
    """At most means at most."""
    buf = copied(DATA)
    with copy_budget(200):
        bytes(buf)
    with pytest.raises(AssertionError), copy_budget(199):
        bytes(buf)


@pytest.mark.parametrize("reason", [reason.name.lower() for reason in CopyReason])
def test_a_limit_may_stand_for_one_reason(reason: str) -> None:
    """Each reason of the audit can have its own limit; others are then unlimited."""
    buf = copied(DATA)
    if reason == "tobytes":
        with pytest.raises(AssertionError, match="200 bytes for tobytes, allowed 3"), copy_budget(tobytes=3):
            bytes(buf)
    else:
        with copy_budget(**{reason: 0}):
            bytes(buf)


def test_limits_for_all_and_for_one_hold_together() -> None:
    """Both are named when both are exceeded."""
    buf = copied(DATA)
    with pytest.raises(AssertionError) as caught, copy_budget(10, tobytes=20):
        bytes(buf)
    assert "200 bytes in all, allowed 10" in str(caught.value)
    assert "200 bytes for tobytes, allowed 20" in str(caught.value)


def test_a_block_that_fails_by_itself_is_not_judged() -> None:
    """Its own exception says more."""
    buf = copied(DATA)
    with pytest.raises(LookupError), copy_budget(0):
        bytes(buf)
        raise LookupError


def test_budgets_nest() -> None:
    """The inner one counts its own block, the outer one all of it."""
    buf = copied(DATA)
    with copy_budget(400) as outer:
        bytes(buf)
        with copy_budget(200) as inner:
            bytes(buf)
    assert (inner.bill.user_bytes, outer.bill.user_bytes) == (200, 400)


@pytest.mark.parametrize("limits", [{}, {"nbytes": -1}, {"grow": -5}], ids=repr)
def test_a_budget_without_a_usable_limit_is_refused(limits: dict[str, int]) -> None:
    """None at all, or a negative one."""
    nbytes = limits.pop("nbytes", None)
    with pytest.raises(ValueError), copy_budget(nbytes, **limits):
        raise LookupError


def test_an_unknown_reason_is_a_type_error_that_names_the_known_ones() -> None:
    """A limit that nothing counts against would never fail."""
    with pytest.raises(TypeError, match="grow, discard"), copy_budget(growth=0):
        raise LookupError


def test_with_the_meter_off_a_budget_is_an_error() -> None:
    """It would prove nothing."""
    set_metering(False)
    try:
        with pytest.raises(UsageError), copy_budget(0):
            raise LookupError
    finally:
        set_metering(True)
