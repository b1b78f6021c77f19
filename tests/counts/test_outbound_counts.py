"""Budgets of the queue: blocks, copies, plans and system calls per message. Counts do not flicker.

Owns    the numbers that a change must not raise unseen.
Never   a clock.
Always  each budget is an equality: doing better changes the number here, in the same commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import zbuf
from tests.outbound._kit import Wire, file_region
from zbuf.audit._bill import Bill, CopyReason, Count
from zbuf.audit._meter import Account, enter, leave
from zbuf.outbound import OutboundQueue


class Bench:
    """A queue on a pool of its own, a wire behind it, and the bill of what happened since."""

    def __init__(self) -> None:
        self.pool = zbuf.Pool()
        self.queue = OutboundQueue(self.pool)
        self.wire = Wire(self.queue)
        self.account = Account()

    def message(self, size: int) -> zbuf.ByteBuf:
        buf = self.pool.buffer(size)
        buf.write_zero(size)
        return buf

    def leases(self) -> int:
        stats = self.pool.statistics()
        return stats.hits + stats.misses

    def send(self, messages: list[object]) -> tuple[int, list[str], Bill]:
        """Return (blocks leased, system calls, bill) of adding, flushing and sending these messages."""
        before = self.leases()
        self.wire.calls.clear()
        previous = enter(self.account)
        try:
            for msg in messages:
                self.queue.add(msg)  # type: ignore[arg-type]
            self.queue.flush()
            self.wire.run()
        finally:
            leave(previous)
        return self.leases() - before, list(self.wire.calls), self.account.snapshot()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    assert bench.pool.statistics().live_blocks == 0


def test_one_buffer_costs_one_call_no_block_and_no_copy(bench: Bench) -> None:
    """The simplest message, whatever its size, goes by reference in one send."""
    for size in (1, 64, 2047, 2048, 100_000):
        leases, calls, bill = bench.send([bench.message(size)])
        assert (leases, calls, dict(bill.user)) == (0, ["send"], {})


@pytest.mark.parametrize("count", [2, 16, 32])
def test_small_buffers_cost_one_call_one_block_and_one_copy(bench: Bench, count: int) -> None:
    """The hot case: 2..32 small buffers, one flush, one scratch, one send."""
    leases, calls, bill = bench.send([bench.message(64) for _ in range(count)])
    assert (leases, calls) == (1, ["send"])
    assert bill.user == {CopyReason.COALESCE: Count(1, 64 * count)}


def test_header_and_large_body_cost_one_call_and_no_copy(bench: Bench) -> None:
    """Two iovecs cost what a join of both would."""
    leases, calls, bill = bench.send([bench.message(16), bench.message(65_536)])
    assert (leases, calls, dict(bill.user)) == (0, ["sendmsg"], {})


def test_many_large_buffers_cost_one_call_for_each_1024_of_them(bench: Bench) -> None:
    """2,500 buffers, no copy."""
    body = bytes(4096)
    leases, calls, bill = bench.send([body] * 2500)
    assert (leases, calls, dict(bill.user)) == (0, ["sendmsg"] * 3, {})


def test_composite_of_large_parts_costs_no_copy(bench: Bench) -> None:
    """It is gathered, not consolidated."""
    composite = bench.pool.composite()
    for size in (3000, 4000, 5000):
        composite.append(bench.message(size))
    leases, calls, bill = bench.send([composite])
    assert (leases, calls, dict(bill.user)) == (0, ["sendmsg"], {})


def test_small_file_behind_a_head_costs_one_send_and_one_block(bench: Bench, tmp_path: Path) -> None:
    """The head is copied, the file is read behind it; nothing else moves."""
    leases, calls, bill = bench.send([bench.message(200), file_region(tmp_path, bytes(4096))])
    assert (leases, calls) == (1, ["open", "read", "send"])
    assert bill.user == {CopyReason.COALESCE: Count(1, 200), CopyReason.FILE_READ: Count(1, 4096)}


def test_large_file_behind_a_head_costs_two_calls_and_no_copy(bench: Bench, tmp_path: Path) -> None:
    """send with MSG_MORE, then sendfile."""
    leases, calls, bill = bench.send([bench.message(200), file_region(tmp_path, bytes(100_000))])
    assert (leases, calls, dict(bill.user)) == (0, ["open", "send+more", "sendfile"], {})


def test_short_writes_cost_no_further_copy(bench: Bench) -> None:
    """Sent byte by byte, the scratch is made once."""
    messages = [bench.message(10) for _ in range(10)]
    step = bench.wire.step
    bench.wire.step = lambda accept=None: step(1)  # type: ignore[method-assign]
    leases, calls, bill = bench.send(list(messages))
    assert (leases, calls) == (1, ["send"] * 100)
    assert bill.user == {CopyReason.COALESCE: Count(1, 100)}
