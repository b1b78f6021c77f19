"""An open bill, and the limits a bill is held to.

Owns    the promises of audit, OpenBill and assert_copies.
Never   real channels: see tests/transport and tests/docs.
Always  a failure shows the whole bill."""

import pytest

from zbuf.audit import (
    Account,
    Bill,
    CopyReason,
    Count,
    Move,
    Verdict,
    assert_copies,
    audit,
    charge,
    report,
    set_metering,
)
from zbuf.audit._meter import enter, leave


class Billing:
    """Has a bill and an account, as a channel has."""

    def __init__(self) -> None:
        self.account = Account()

    @property
    def bill(self) -> Bill:
        """What was charged up to now."""
        return self.account.snapshot()

    def copy(self, nbytes: int) -> None:
        """Charge a copy to the account."""
        previous = enter(self.account)
        charge(CopyReason.COPY, nbytes)
        leave(previous)


def test_audit_reads_like_a_bill_while_it_is_open_and_stands_still_after() -> None:
    """`with audit(channel) as bill`: the figures of the block, live in it, frozen behind it."""
    channel = Billing()
    channel.copy(1)
    with audit(channel) as bill:
        channel.copy(10)
        assert 10 == bill.user_bytes
        channel.account.moved("send", 5, 2)
        channel.account.sent(5)
        channel.account.received(3)
        channel.account.kernel_says("send", Verdict.COPIED)
    channel.copy(100)
    channel.account.moved("recv", 3)
    assert {CopyReason.COPY: Count(1, 10)} == bill.user
    assert {"send": Move(1, 5, 2)} == bill.kernel
    assert {"send": Verdict.COPIED} == bill.kernel_copied
    assert (3, 5, 1) == (bill.wire_in, bill.wire_out, bill.calls)
    assert str(bill) == report(bill) == report(bill.bill)


def test_two_audits_at_once_do_not_disturb_each_other() -> None:
    """Nested and overlapping stretches each have their own start and end."""
    channel = Billing()
    with audit(channel) as outer:
        channel.copy(1)
        with audit(channel) as inner:
            channel.copy(2)
        channel.copy(4)
    assert (7, 2) == (outer.user_bytes, inner.user_bytes)


def test_audit_closes_when_the_block_raises() -> None:
    """What comes after the block is not on the bill."""
    channel = Billing()
    with pytest.raises(KeyError), audit(channel) as bill:
        channel.copy(1)
        raise KeyError
    channel.copy(2)
    assert 1 == bill.user_bytes


def test_b189_a_meter_switched_on_in_the_middle_counts_from_there() -> None:
    """The sums are those of the time it was on."""
    channel = Billing()
    set_metering(False)
    try:
        with audit(channel) as bill:
            channel.copy(1)
            set_metering(True)
            channel.copy(2)
            set_metering(False)
            channel.copy(4)
        assert {CopyReason.COPY: Count(1, 2)} == bill.user
    finally:
        set_metering(True)


BILL = Bill(
    user={CopyReason.GROW: Count(2, 300), CopyReason.COALESCE: Count(1, 7)},
    kernel={"recv": Move(1, 20, 1), "send": Move(3, 1000, 4), "sendfile": Move(1, 5000, 1)},
    kernel_copied={"send": Verdict.COPIED, "sendfile": Verdict.SHARED},
)


@pytest.mark.parametrize(
    ("user", "kernel"),
    [
        (307, None),
        ({CopyReason.GROW: 300}, None),
        ({CopyReason.GROW: 300, CopyReason.TLS: 0}, None),
        (None, {"send": 1000, "sendfile": 0}),
        (None, {"splice": 0}),
        (1000, {"sendfile": 0}),
    ],
)
def test_assert_copies_within_the_limits_is_silent(
    user: "int | dict[CopyReason, int] | None", kernel: "dict[str, int] | None"
) -> None:
    """At most; only what is named is looked at."""
    assert_copies(BILL, user=user, kernel=kernel)


@pytest.mark.parametrize(
    ("user", "kernel", "said"),
    [
        (306, None, "307 bytes in user space, allowed 306"),
        ({CopyReason.GROW: 299}, None, "300 bytes for grow, allowed 299"),
        (None, {"send": 999}, "1,000 bytes copied by the kernel under send, allowed 999"),
        (None, {"recv": 1 << 60}, "unknown what the kernel copied of the 20 bytes of recv: nobody asked"),
        (None, 1 << 60, "unknown what the kernel copied of the 20 bytes of recv: nobody asked"),
        (None, 5, "1,000 bytes copied by the kernel (send 1,000), allowed 5"),
    ],
)
def test_assert_copies_beyond_a_limit_says_which_and_shows_the_bill(
    user: "int | dict[CopyReason, int] | None", kernel: "int | dict[str, int] | None", said: str
) -> None:
    """One line for each limit that was exceeded, then every line of the bill; what is unknown meets no limit."""
    with pytest.raises(AssertionError) as caught:
        assert_copies(BILL, user=user, kernel=kernel)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert "more was copied than allowed:" == lines[0]
    assert said in lines[1:]
    assert {line.strip() for line in report(BILL).splitlines()} <= set(lines)


def test_assert_copies_takes_the_kernels_total_once_a_probe_has_spoken() -> None:
    """with_verdicts turns unknown into a figure that a limit can be held against."""
    probed = BILL.with_verdicts({"recv": Verdict.COPIED})
    assert_copies(probed, kernel=1020)
    with pytest.raises(
        AssertionError, match=r"1,020 bytes copied by the kernel \(recv 20, send 1,000\), allowed 1,019"
    ):
        assert_copies(probed, kernel=1019)


def test_assert_copies_takes_a_channel_and_an_open_bill() -> None:
    """Whatever has a bill."""
    channel = Billing()
    with audit(channel) as bill:
        channel.copy(3)
    for source in (channel, bill):
        assert_copies(source, user=3)
        with pytest.raises(AssertionError, match="3 bytes in user space"):
            assert_copies(source, user=2)


@pytest.mark.parametrize(
    "limits", [{}, {"user": -1}, {"kernel": -1}, {"user": {CopyReason.GROW: -1}}, {"kernel": {"x": -1}}]
)
def test_assert_copies_without_a_sensible_limit_is_a_value_error(limits: "dict[str, int]") -> None:
    """No limit proves nothing; a negative one is a mistake."""
    with pytest.raises(ValueError, match="limit"):
        assert_copies(BILL, **limits)
