"""The process's bill, cut up by the labels of accounts.

Owns    the promises of Account.label and bills_by_label.
Never   a channel: its account is one of these.
Always  labels are process-wide and stay, so every test takes its own."""

import gc
import uuid

import pytest

from zbuf.audit import Account, Bill, CopyReason, Count, Move, Verdict, bills_by_label, charge, process_account
from zbuf.audit import _meter as meter


@pytest.fixture
def label() -> str:
    """A label that no other test has."""
    return f"test-{uuid.uuid4()}"


def charged(account: Account, nbytes: int) -> None:
    """One copy, one frequent call, one rare one, and bytes both ways."""
    previous = meter.enter(account)
    charge(CopyReason.COPY, nbytes)
    meter.leave(previous)
    account.moved("send", nbytes, 2)
    account.moved("splice", nbytes)
    account.received(nbytes)
    account.sent(nbytes + 1)


def expected(calls: int, nbytes: int, verdict: Verdict = Verdict.UNKNOWN) -> Bill:
    """The bill of `calls` calls of charged() with so many bytes in all."""
    return Bill(
        {CopyReason.COPY: Count(calls, nbytes)},
        {"send": Move(calls, nbytes, 2 * calls), "splice": Move(calls, nbytes, calls)},
        {"send": Verdict.UNKNOWN, "splice": verdict},
        nbytes,
        nbytes + calls,
    )


def test_accounts_of_one_label_are_added_up(label: str) -> None:
    """Two accounts, also with what they counted before they got the label."""
    one, other = Account(), Account()
    charged(one, 10)
    one.label = other.label = label
    charged(other, 100)
    charged(one, 1000)
    assert expected(3, 1110) == bills_by_label()[label]
    assert label == one.label


def test_what_an_account_counted_stays_when_it_is_gone(label: str) -> None:
    """A closed connection does not take its figures along; nothing is added twice."""
    one, other = Account(), Account()
    one.label = other.label = label
    charged(one, 10)
    charged(other, 100)
    one.kernel_says("splice", Verdict.SHARED)
    other.kernel_says("splice", Verdict.SHARED)
    del one
    gc.collect()
    assert expected(2, 110, Verdict.SHARED) == bills_by_label()[label]
    del other
    gc.collect()
    assert expected(2, 110, Verdict.SHARED) == bills_by_label()[label]
    another = Account()
    another.label = label
    charged(another, 1)
    another.kernel_says("splice", Verdict.SHARED)
    assert expected(3, 111, Verdict.SHARED) == bills_by_label()[label]


def test_a_cycle_of_garbage_takes_no_figure_along(label: str) -> None:
    """The collector clears weak references first; the figures arrive all the same."""
    account = Account()
    account.label = label
    charged(account, 10)
    cycle: list[object] = [account]
    cycle.append(cycle)
    del account, cycle
    gc.collect()
    assert expected(1, 10) == bills_by_label()[label]


def test_an_account_moves_with_its_figures_to_another_label(label: str) -> None:
    """It counts under one label only, and under none when the label is taken away."""
    account = Account()
    account.label = label
    charged(account, 10)
    account.label = label + "-b"
    assert (Bill(), expected(1, 10)) == (bills_by_label()[label], bills_by_label()[label + "-b"])
    account.label = account.label  # again the same: still once
    assert expected(1, 10) == bills_by_label()[label + "-b"]
    account.label = ""
    assert Bill() == bills_by_label()[label + "-b"]
    assert "" == account.label
    del account
    gc.collect()
    assert Bill() == bills_by_label()[label] == bills_by_label()[label + "-b"]


def test_the_bills_add_up_to_that_of_the_process(label: str) -> None:
    """What has no label, a channel's or nobody's, stands under ""."""
    named, unnamed = Account(), Account()
    named.label = label
    before = bills_by_label()[""]
    charged(named, 10)
    charged(unnamed, 100)
    charge(CopyReason.TEXT, 3)
    bills = bills_by_label()
    rest = bills[""] - before
    assert (rest.user[CopyReason.COPY], rest.user[CopyReason.TEXT]) == (Count(1, 100), Count(1, 3))
    assert (rest.wire_in, rest.wire_out) == (100, 101)
    total = sum(bills.values(), Bill())
    process = process_account().snapshot()
    assert (process.user, process.kernel) == (total.user, total.kernel)
    assert (process.wire_in, process.wire_out) == (total.wire_in, total.wire_out)


def test_the_process_has_no_label(label: str) -> None:
    """It is what the labels are parts of."""
    with pytest.raises(ValueError, match="process"):
        process_account().label = label
    assert "" == process_account().label


def test_labels_beyond_the_limit_share_one(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who labels by address does not fill the memory."""
    known, one, other = Account(), Account(), Account()
    known.label = label
    monkeypatch.setattr(meter, "MAX_LABELS", len(bills_by_label()) - 1)
    before = bills_by_label().get(meter.OTHER, Bill())
    one.label, other.label = label + "-b", label + "-c"
    charged(one, 10)
    charged(other, 100)
    assert meter.OTHER == one.label == other.label
    assert label + "-b" not in bills_by_label()
    assert {CopyReason.COPY: Count(2, 110)} == (bills_by_label()[meter.OTHER] - before).user
    another = Account()
    another.label = label  # that one is known already
    assert label == another.label


def test_a_label_shows_in_the_representation(label: str) -> None:
    """An account says its name first."""
    account = Account()
    assert "Account(in 0, out 0; copied: nothing; calls: none)" == repr(account)
    account.label = label
    assert f"Account('{label}', in 0, out 0; copied: nothing; calls: none)" == repr(account)
