"""The meter: accounts, the current one, and the bill that comes of them.

Owns    the promises of Account, charge, enter, leave and set_metering.
Never   who reports: see the rooms' own tests and tests/counts.
Always  the process is looked at as a difference: other tests count there, too."""

from collections.abc import Iterator

import pytest

from zbuf.audit import Bill, CopyReason, Count, Move, Verdict, process_account, set_metering
from zbuf.audit._meter import FREQUENT, RECV, SEND, SENDMSG, Account, charge, charge_call, charge_wire, enter, leave


@pytest.fixture(autouse=True)
def _metering() -> Iterator[None]:
    """Every test begins and ends with the meter on."""
    set_metering(True)
    yield
    set_metering(True)


def test_a_charge_goes_to_the_current_account_and_to_the_process() -> None:
    """Outside of any account the process alone is billed; inside both are."""
    account = Account()
    before = process_account().snapshot()
    charge(CopyReason.GROW, 10)
    previous = enter(account)
    charge(CopyReason.GROW, 100)
    charge(CopyReason.TLS, 7)
    leave(previous)
    charge(CopyReason.GROW, 1000)
    assert {CopyReason.GROW: Count(1, 100), CopyReason.TLS: Count(1, 7)} == account.snapshot().user
    spent = process_account().snapshot() - before
    assert {CopyReason.GROW: Count(3, 1110), CopyReason.TLS: Count(1, 7)} == spent.user


def test_a_call_outside_any_channel_goes_to_the_current_account_and_to_the_process() -> None:
    """Frequent calls and rare ones, each once in either; bytes of the wire are the process's alone."""
    account = Account()
    before = process_account().snapshot()
    charge_call("send", 10)
    charge_call("preadv", 10, 3)
    previous = enter(account)
    charge_call("send", 5, 2)
    charge_call("preadv", 7)
    charge_wire(3, 4)
    leave(previous)
    assert account.snapshot().kernel == {"send": Move(1, 5, 2), "preadv": Move(1, 7, 1)}
    assert (account.snapshot().wire_in, account.snapshot().wire_out) == (0, 0)
    spent = process_account().snapshot() - before
    assert spent.kernel == {"send": Move(2, 15, 3), "preadv": Move(2, 17, 4)}
    assert (spent.wire_in, spent.wire_out) == (3, 4)


def test_accounts_nest() -> None:
    """leave() puts back what enter() returned."""
    outer, inner = Account(), Account()
    first = enter(outer)
    second = enter(inner)
    charge(CopyReason.COPY, 1)
    leave(second)
    charge(CopyReason.COPY, 2)
    leave(first)
    assert (1, 2) == (inner.snapshot().user_bytes, outer.snapshot().user_bytes)


@pytest.mark.parametrize("reason", list(CopyReason))
def test_every_reason_has_a_counter_of_its_own(reason: CopyReason) -> None:
    """A copy for one reason shows under that reason only."""
    account = Account()
    account.copied(reason, 5)
    assert {reason: Count(1, 5)} == account.snapshot().user


@pytest.mark.parametrize("call", [*FREQUENT, "splice", "vmsplice"])
def test_every_system_call_is_counted_by_name(call: str) -> None:
    """Frequent or rare: calls, bytes and views, here and for the process."""
    account = Account()
    before = process_account().snapshot()
    account.moved(call, 10)
    account.moved(call, 20, 3)
    assert {call: Move(2, 30, 4)} == account.snapshot().kernel
    assert {call: Move(2, 30, 4)} == (process_account().snapshot() - before).kernel


def test_numbers_of_frequent_calls_are_their_places() -> None:
    """Whoever counts by number and whoever counts by name count the same."""
    account = Account()
    account.called(RECV, 1, 1)
    account.called(SEND, 2, 1)
    account.called(SENDMSG, 3, 2)
    account.moved("send", 5)
    expected = {"recv": Move(1, 1, 1), "send": Move(2, 7, 2), "sendmsg": Move(1, 3, 2)}
    assert expected == account.snapshot().kernel


def test_the_wire_is_counted_both_ways() -> None:
    """received and sent add up here and for the process."""
    account = Account()
    before = process_account().snapshot()
    account.received(3)
    account.sent(4)
    account.sent(5)
    spent = process_account().snapshot() - before
    assert (3, 9) == (account.snapshot().wire_in, account.snapshot().wire_out) == (spent.wire_in, spent.wire_out)


def test_b188_what_the_kernel_did_not_say_is_unknown() -> None:
    """Each call has a verdict, UNKNOWN until the kernel gave one; the process hears it, too."""
    account = Account()
    account.moved("sendmsg", 1)
    account.moved("splice", 1)
    assert {"sendmsg": Verdict.UNKNOWN, "splice": Verdict.UNKNOWN} == account.snapshot().kernel_copied
    account.kernel_says("splice", Verdict.SHARED)
    assert {"sendmsg": Verdict.UNKNOWN, "splice": Verdict.SHARED} == account.snapshot().kernel_copied
    assert Verdict.SHARED is process_account().snapshot().kernel_copied["splice"]


def test_b189_with_the_meter_off_nothing_is_recorded() -> None:
    """No copy, no call, no byte, no verdict."""
    account = Account()
    before = process_account().snapshot()
    set_metering(False)
    previous = enter(account)
    charge(CopyReason.COPY, 1)
    account.called(RECV, 1, 1)
    account.moved("splice", 1)
    account.received(1)
    account.sent(1)
    account.kernel_says("recv", Verdict.COPIED)
    charge_call("send", 1)
    leave(previous)
    charge_call("send", 1)
    charge_call("preadv", 1)
    charge_wire(1, 1)
    set_metering(True)
    assert Bill() == account.snapshot()
    assert Bill(kernel_copied={}) == process_account().snapshot() - before
