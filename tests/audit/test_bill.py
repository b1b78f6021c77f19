"""The bill: arithmetic, evidence line by line, JSON.

Owns    the promises of Bill that need no counter.
Never   who fills a bill: see test_meter.py.
Always  what nobody vouches for is unknown."""

import json

import pytest

from zbuf.audit import Bill, CopyReason, Count, Evidence, Move, Verdict, report, to_dict

BILL = Bill(
    user={CopyReason.GROW: Count(2, 300), CopyReason.TLS: Count(1, 7)},
    kernel={"send": Move(3, 1000, 4), "sendfile": Move(1, 5000, 1)},
    kernel_copied={"send": Verdict.UNKNOWN, "sendfile": Verdict.SHARED},
    wire_in=12,
    wire_out=6000,
)


def test_b188_each_line_says_who_vouches_for_it() -> None:
    """zbuf for its own figures, the kernel for its word, nobody for what nobody asked."""
    assert {line: BILL.evidence_of(line) for line in BILL.lines()} == {
        "wire_in": Evidence.SELF_REPORTED,
        "wire_out": Evidence.SELF_REPORTED,
        "user.grow": Evidence.SELF_REPORTED,
        "user.tls": Evidence.SELF_REPORTED,
        "kernel.send": Evidence.SELF_REPORTED,
        "kernel_copied.send": None,
        "kernel.sendfile": Evidence.SELF_REPORTED,
        "kernel_copied.sendfile": Evidence.KERNEL_REPORTED,
    }


def test_b188_a_probe_fills_in_what_the_kernel_did_not_say() -> None:
    """Its verdicts are labelled probed; they overrule no word of the kernel and add no call."""
    probed = BILL.with_verdicts({"send": Verdict.COPIED, "sendfile": Verdict.COPIED, "splice": Verdict.SHARED})
    assert {"send": Verdict.COPIED, "sendfile": Verdict.SHARED} == probed.kernel_copied
    assert Evidence.PROBED is probed.evidence_of("kernel_copied.send")
    assert Evidence.KERNEL_REPORTED is probed.evidence_of("kernel_copied.sendfile")
    assert Evidence.SELF_REPORTED is probed.evidence_of("kernel.send")
    assert "splice" not in probed.kernel_copied


def test_b188_a_probe_that_does_not_know_leaves_it_unknown() -> None:
    """UNKNOWN is no verdict, whoever gives it."""
    probed = BILL.with_verdicts({"send": Verdict.UNKNOWN})
    assert (Verdict.UNKNOWN, None) == (probed.verdict("send"), probed.evidence_of("kernel_copied.send"))
    assert "copied by the kernel: unknown  [nobody asked]" in report(probed)


def test_b188_a_witness_vouches_for_the_lines_it_names() -> None:
    """For one reason, or for all copies of a kind."""
    one = BILL.with_evidence({"user.grow": Evidence.WITNESSED})
    assert Evidence.WITNESSED is one.evidence_of("user.grow")
    assert Evidence.SELF_REPORTED is one.evidence_of("user.tls") is one.evidence_of("user")
    every = BILL.with_evidence({"user": Evidence.WITNESSED, "kernel.send": Evidence.WITNESSED})
    assert Evidence.WITNESSED is every.evidence_of("user.tls") is every.evidence_of("user")
    assert "user copies                307 bytes  [witnessed]" in report(every)
    assert "1,000 bytes in 3 calls, 4 pieces  [witnessed]" in report(every)
    assert "5,000 bytes in 1 calls, 1 pieces  [self-reported]" in report(every)


@pytest.mark.parametrize("line", ["", "users", "wire_in.grow", "grow", "kernel copied"])
def test_evidence_of_a_line_that_no_bill_has_is_a_key_error(line: str) -> None:
    """A misspelt line is an error, not a label."""
    with pytest.raises(KeyError):
        BILL.evidence_of(line)
    with pytest.raises(KeyError):
        BILL.with_evidence({line: Evidence.WITNESSED})


def test_the_sum_of_two_bills_has_both() -> None:
    """Counts add up; a verdict stays where both agree, or where one alone made the call."""
    other = Bill(
        user={CopyReason.TLS: Count(1, 1), CopyReason.COPY: Count(1, 2)},
        kernel={"send": Move(1, 1, 1), "splice": Move(1, 9, 1)},
        kernel_copied={"send": Verdict.COPIED, "splice": Verdict.SHARED},
        wire_in=1,
        wire_out=2,
    )
    assert BILL + other == Bill(
        user={CopyReason.GROW: Count(2, 300), CopyReason.TLS: Count(2, 8), CopyReason.COPY: Count(1, 2)},
        kernel={"send": Move(4, 1001, 5), "sendfile": Move(1, 5000, 1), "splice": Move(1, 9, 1)},
        kernel_copied={"send": Verdict.UNKNOWN, "sendfile": Verdict.SHARED, "splice": Verdict.SHARED},
        wire_in=13,
        wire_out=6002,
    )


def test_b188_the_sum_of_two_bills_keeps_the_weaker_label() -> None:
    """Who vouches for one half does not vouch for the whole."""
    probed = BILL.with_verdicts({"send": Verdict.COPIED})
    told = Bill(kernel={"send": Move(1, 1, 1)}, kernel_copied={"send": Verdict.COPIED})
    assert Evidence.PROBED is (probed + told).evidence_of("kernel_copied.send")
    witnessed = BILL.with_evidence({"user": Evidence.WITNESSED})
    assert Evidence.SELF_REPORTED is (BILL + witnessed).evidence_of("user.grow")
    assert Evidence.WITNESSED is (witnessed + witnessed).evidence_of("user.grow")


def test_a_sum_minus_one_half_is_the_other() -> None:
    """Addition and difference agree."""
    other = Bill(user={CopyReason.GROW: Count(1, 1)}, kernel={"recv": Move(1, 1, 1)}, wire_in=5)
    back = (BILL + other) - other
    assert (BILL.user, BILL.kernel, BILL.wire_in, BILL.wire_out) == (
        back.user,
        back.kernel,
        back.wire_in,
        back.wire_out,
    )


@pytest.mark.parametrize(
    "bill",
    [
        Bill(),
        BILL,
        BILL.with_verdicts({"send": Verdict.COPIED}),
        BILL.with_evidence({"user": Evidence.WITNESSED}),
        Bill({CopyReason.COPY: Count(1 << 70, 1 << 80)}, {'a"\n': Move(1, 2, 3)}, wire_out=1 << 64),
    ],
)
def test_a_bill_goes_through_json_unchanged(bill: Bill) -> None:
    """Also above 64 bits, and with odd names."""
    again = Bill.from_json(bill.to_json())
    assert bill == again
    assert bill == Bill.from_json(bill.to_json(indent=2).encode())
    assert to_dict(bill) == json.loads(bill.to_json()) == to_dict(again)


def test_json_shows_who_vouches_for_each_line() -> None:
    """Every figure has its label; null where nobody vouches."""
    plain = json.loads(BILL.to_json())
    assert plain["user"] == {"GROW": {"calls": 2, "bytes": 300}, "TLS": {"calls": 1, "bytes": 7}}
    assert plain["labels"]["user.grow"] == "self-reported"
    assert plain["labels"]["kernel_copied.send"] is None
    assert plain["kernel_copied"] == {"send": "unknown", "sendfile": "shared"}


def _changed(**changes: object) -> str:
    return json.dumps({**BILL.to_dict(), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "not json",
        "[" * 100_000,
        _changed(version=2),
        _changed(user={"NO_REASON": {"calls": 1, "bytes": 1}}),
        _changed(user={"GROW": {"calls": 1}}),
        _changed(user={"GROW": {"calls": "1", "bytes": 1}}),
        _changed(user=[]),
        _changed(kernel={"send": 1}),
        _changed(kernel_copied={"send": "perhaps"}),
        _changed(wire_in=1.5),
        _changed(wire_in=True),
        _changed(wire_out=None),
        _changed(evidence="hearsay"),
        _changed(vouched={"nothing": "probed"}),
        _changed(vouched={"user": "me"}),
    ],
)
def test_what_is_no_bill_is_a_value_error(text: str) -> None:
    """Whatever is wrong, one exception says so."""
    with pytest.raises(ValueError, match=r".+"):
        Bill.from_json(text)
