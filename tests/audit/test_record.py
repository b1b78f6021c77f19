"""Records of single events.

Owns    the promises of Recorder and Record.
Never   what a channel records: see tests/transport.
Always  no recorder is left open."""

import threading
from collections.abc import Iterator

import pytest

from zbuf.audit import Account, Bill, CopyReason, Record, Recorder, RecorderStats, charge, charge_call, set_metering
from zbuf.audit import _meter as meter


@pytest.fixture(autouse=True)
def _metering() -> Iterator[None]:
    """Every test begins and ends with the meter on."""
    set_metering(True)
    yield
    set_metering(True)


class Ticks:
    """A clock that goes one second further each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def copied(account: Account | None, nbytes: int, reason: CopyReason = CopyReason.COPY) -> None:
    """Charge one copy while `account` is current."""
    previous = meter.enter(account)
    charge(reason, nbytes)
    meter.leave(previous)


def sizes(recorder: Recorder) -> list[int]:
    """The sizes of what was recorded."""
    return [record.nbytes for record in recorder.records()]


def test_each_copy_and_each_call_of_an_account_is_recorded_in_order() -> None:
    """Frequent calls by number and by name, rare ones, copies; with sequence, time, bytes, pieces, label."""
    account = Account()
    with Recorder(account, clock=Ticks()) as recorder:
        account.called(meter.SENDMSG, 100, 3)
        copied(account, 7, CopyReason.COALESCE)
        account.label = "peer"
        account.moved("recv", 5)
        account.moved("splice", 9, 2)
        previous = meter.enter(account)
        charge_call("preadv", 4, 2)
        meter.leave(previous)
    assert recorder.records() == (
        Record(1, 1.0, "sendmsg", 100, 3, ""),
        Record(2, 2.0, CopyReason.COALESCE, 7, 1, ""),
        Record(3, 3.0, "recv", 5, 1, "peer"),
        Record(4, 4.0, "splice", 9, 2, "peer"),
        Record(5, 5.0, "preadv", 4, 2, "peer"),
    )
    assert [False, True, False, False, False] == [record.is_copy for record in recorder.records()]
    account.label = ""


def test_a_recorder_of_the_process_hears_everybody_once() -> None:
    """Any account, and what belongs to none."""
    account = Account()
    with Recorder() as recorder:
        copied(account, 1)
        copied(None, 2)
        account.moved("send", 3)
        account.moved("splice", 4)
        charge_call("send", 5)
        charge_call("preadv", 6)
    assert [1, 2, 3, 4, 5, 6] == sizes(recorder)


def test_a_recorder_of_an_account_hears_nobody_else() -> None:
    """Neither other accounts nor the process."""
    mine, other = Account(), Account()
    with Recorder(mine) as recorder:
        copied(other, 1)
        copied(None, 2)
        other.moved("send", 3)
        charge_call("send", 4)
        copied(mine, 5)
    assert [5] == sizes(recorder)


def test_recording_changes_no_figure() -> None:
    """The bill of the same charges is the same with and without a recorder."""
    bills: list[Bill] = []
    for recorders in ([], [Recorder], [Recorder, Recorder]):
        account = Account()
        before = meter.process_account().snapshot()
        opened = [make(account) for make in recorders]
        copied(account, 1)
        account.called(meter.RECV, 2, 1)
        account.moved("splice", 3)
        charge_call("send", 4)
        account.received(5)
        account.sent(6)
        for recorder in opened:
            recorder.close()
        bills += [account.snapshot(), meter.process_account().snapshot() - before]
    assert bills[:2] == bills[2:4] == bills[4:]


def test_the_last_records_are_kept_and_the_others_counted() -> None:
    """Memory is bounded by the capacity; the order is kept around the end of the ring."""
    account = Account()
    recorder = Recorder(account, capacity=3)
    assert RecorderStats(0, 0, 0, 0) == recorder.statistics()
    for n in range(1, 8):
        copied(account, n)
        assert list(range(max(1, n - 2), n + 1)) == sizes(recorder)
    assert RecorderStats(seen=7, kept=3, overwritten=4, missed=0) == recorder.statistics()
    recorder.close()


def test_every_nth_event_is_recorded() -> None:
    """The first, then each n-th; the sequence shows the gaps."""
    account = Account()
    with Recorder(account, every=3) as recorder:
        for n in range(8):
            copied(account, n)
    assert [(1, 0), (4, 3), (7, 6)] == [(record.sequence, record.nbytes) for record in recorder.records()]
    assert RecorderStats(seen=8, kept=3, overwritten=0, missed=0) == recorder.statistics()


def test_a_sample_by_bytes_takes_an_event_for_each_so_many() -> None:
    """The event that completes them; a large one counts once, and what is over counts on."""
    account = Account()
    with Recorder(account, every_bytes=100) as recorder:
        for n in (40, 40, 40, 79, 1, 1000, 99, 1):
            copied(account, n)
    assert [(3, 40), (5, 1), (6, 1000), (8, 1)] == [(one.sequence, one.nbytes) for one in recorder.records()]


def test_closed_recorders_hear_nothing_and_cost_nothing() -> None:
    """The last one to close puts the meter back to its fast way; closing twice is once."""
    account = Account()
    first, second = Recorder(account), Recorder(account)
    copied(account, 1)
    first.close()
    first.close()
    copied(account, 2)
    second.close()
    copied(account, 3)
    assert ([1], [1, 2]) == (sizes(first), sizes(second))
    assert "<Recorder closed: 2 of 2 events>" == repr(second)
    third = Recorder(account)
    copied(account, 4)
    assert ([4], "<Recorder open: 1 of 1 events>") == (sizes(third), repr(third))
    third.close()


def test_b189_with_the_meter_off_nothing_is_recorded_by_recorders_either() -> None:
    """Switched off and on in the middle, in either order with the recorder."""
    account = Account()
    with Recorder(account) as recorder:
        copied(account, 1)
        set_metering(False)
        copied(account, 2)
        account.moved("send", 2)
        account.moved("splice", 2)
        charge_call("preadv", 2)
        set_metering(True)
        copied(account, 3)
        set_metering(False)
        with Recorder(account) as inner:
            copied(account, 4)
            set_metering(True)
            copied(account, 5)
        copied(account, 6)
    assert ([1, 3, 5, 6], [5]) == (sizes(recorder), sizes(inner))
    copied(account, 7)
    assert 1 + 3 + 5 + 6 + 7 == account.snapshot().user_bytes


def test_a_record_that_cannot_be_had_is_missed_and_the_traffic_goes_on() -> None:
    """No memory for a record: it is counted, nothing is raised, the bill is whole."""

    def no_memory() -> float:
        raise MemoryError

    account = Account()
    with Recorder(account, clock=no_memory) as recorder:
        copied(account, 5)
        account.called(meter.SEND, 6, 1)
    assert RecorderStats(seen=2, kept=0, overwritten=0, missed=2) == recorder.statistics()
    assert (5, 1) == (account.snapshot().user_bytes, account.snapshot().calls)


def test_threads_miss_no_event() -> None:
    """Each event of four threads is seen; each sequence number is given once."""

    def charge_many() -> None:
        for _ in range(1000):
            charge(CopyReason.TEXT, 1)

    with Recorder(capacity=8000) as recorder:
        threads = [threading.Thread(target=charge_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    mine = [record for record in recorder.records() if record.what is CopyReason.TEXT]
    assert len(mine) >= 4000
    assert len({record.sequence for record in mine}) == len(mine)


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"every": 0}, {"every_bytes": 0}, {"every": 2, "every_bytes": 5}])
def test_a_recorder_with_a_senseless_number_is_a_value_error(wrong: "dict[str, int]") -> None:
    """Nothing is opened then, and the account counts on."""
    account = Account()
    with pytest.raises(ValueError, match=r"at least 1|by events or by bytes"):
        Recorder(account, **wrong)  # type: ignore[arg-type]  # a table of arguments
    copied(account, 1)
    assert 1 == account.snapshot().user_bytes


def test_a_record_reads_as_a_line() -> None:
    """Copies by their reason, calls by their name."""
    assert "       3  1.500000  copied 4,096 bytes: grow" == str(Record(3, 1.5, CopyReason.GROW, 4096, 1, ""))
    assert "       4  2.000000  sendmsg 10 bytes in 2 pieces  (peer)" == str(Record(4, 2.0, "sendmsg", 10, 2, "peer"))
