"""Watermarks, edges, the hard caps and the counts behind them."""

from pathlib import Path

import pytest

import zbuf
from tests.outbound._kit import Promise, Wire, file_region
from zbuf.errors import WriteLimitError
from zbuf.outbound import OutboundQueue


class Edges:
    """Remembers what `is_writable` was at each event."""

    def __init__(self, pool: zbuf.Pool, **settings: int) -> None:
        self.seen: list[bool] = []
        self.queue = OutboundQueue(pool, on_writability=self.note, **settings)  # type: ignore[arg-type]
        self.wire = Wire(self.queue)

    def note(self) -> None:
        self.seen.append(self.queue.is_writable)


def test_b156_pending_is_readable_bytes_and_96_for_each_entry(queue: OutboundQueue) -> None:
    """Half-sent entries count what is left of them; the overhead goes with the message."""
    queue.add(b"x" * 1000)
    queue.add(b"")
    queue.add(zbuf.copied(b"y" * 500))
    assert (queue.pending_bytes, queue.pending_entries) == (1500 + 3 * 96, 3)
    queue.flush()
    queue.next_write()
    queue.sent(400)
    assert (queue.pending_bytes, queue.pending_entries) == (1100 + 3 * 96, 3)
    queue.next_write()
    queue.sent(600)
    assert (queue.pending_bytes, queue.pending_entries) == (500 + 96, 1)
    queue.next_write()
    queue.sent(500)
    assert (queue.pending_bytes, queue.pending_entries) == (0, 0)


def test_b156_edges_lie_strictly_above_high_and_strictly_below_low(pool: zbuf.Pool) -> None:
    """At high still writable, one more not; at low still not, one less again; one event per edge."""
    edges = Edges(pool, low_water=500, high_water=1000, coalesce_below=0)
    queue = edges.queue
    queue.add(b"x" * (1000 - 96))
    assert (queue.is_writable, edges.seen) == (True, [])
    queue.add_marker(Promise(0, []))
    assert (queue.is_writable, edges.seen) == (True, [])
    queue.add(b"")
    assert (queue.is_writable, edges.seen) == (False, [False])
    queue.add(b"more")
    assert edges.seen == [False]
    queue.flush()
    to_low = queue.pending_bytes - 500
    edges.wire.step(to_low)
    assert (queue.pending_bytes, queue.is_writable, edges.seen) == (500, False, [False])
    edges.wire.step(1)
    assert (queue.pending_bytes, queue.is_writable, edges.seen) == (499, True, [False, True])
    edges.wire.run()
    assert edges.seen == [False, True]


@pytest.mark.parametrize("size", [1, 500, 903, 904, 905, 2000])
def test_b156_bytes_before_unwritable_predicts_the_edge(pool: zbuf.Pool, size: int) -> None:
    """A message of n bytes adds n + 96: it crosses exactly when that reaches the prediction."""
    queue = OutboundQueue(pool, low_water=500, high_water=1000)
    predicted = queue.bytes_before_unwritable
    queue.add(b"x" * size)
    assert queue.is_writable == (size + 96 < predicted)
    queue.fail(ConnectionError())


def test_b156_bytes_before_writable_predicts_the_edge(pool: zbuf.Pool) -> None:
    """As many bytes must go as it says, not one less; 0 when writable; the other prediction is 0 when not."""
    queue = OutboundQueue(pool, low_water=500, high_water=1000)
    wire = Wire(queue)
    assert queue.bytes_before_writable == 0
    queue.add(b"x" * 2000)
    queue.flush()
    assert queue.bytes_before_unwritable == 0
    assert queue.bytes_before_writable == 2096 - 499
    wire.step(2096 - 500)
    assert (queue.bytes_before_writable, queue.is_writable) == (1, False)
    wire.step(1)
    assert (queue.bytes_before_writable, queue.is_writable) == (0, True)
    wire.run()


def test_low_mark_of_zero_means_empty(pool: zbuf.Pool) -> None:
    """Nothing is below 0: a queue with such a mark is writable again when all is sent."""
    edges = Edges(pool, low_water=0, high_water=0)
    edges.queue.add(b"xx")
    edges.queue.flush()
    assert edges.queue.bytes_before_writable == 98
    edges.wire.step(1)
    assert edges.seen == [False]
    edges.wire.step(1)
    assert edges.seen == [False, True]


def test_b156_user_slots_must_all_agree(pool: zbuf.Pool) -> None:
    """They AND with the marks; an event only when the whole changes."""
    edges = Edges(pool, low_water=0, high_water=100)
    queue = edges.queue
    queue.set_user_writable(1, False)
    queue.set_user_writable(31, False)
    queue.set_user_writable(31, False)
    assert (queue.is_writable, edges.seen) == (False, [False])
    queue.set_user_writable(1, True)
    assert edges.seen == [False]
    queue.add(b"x" * 200)
    assert edges.seen == [False]
    queue.set_user_writable(31, True)
    assert (queue.is_writable, edges.seen) == (False, [False])
    queue.flush()
    edges.wire.run()
    assert (queue.is_writable, edges.seen) == (True, [False, True])
    for wrong in (0, 32, -1):
        with pytest.raises(ValueError):
            queue.set_user_writable(wrong, False)


def test_b157_region_adds_96_and_its_count_to_the_file_counter(pool: zbuf.Pool, tmp_path: Path) -> None:
    """The file counter falls with each sent; regions alone never make the queue unwritable by default."""
    queue = OutboundQueue(pool)
    wire = Wire(queue)
    region = file_region(tmp_path, b"f" * 100_000)
    region.fileno()
    assert region.count == 100_000
    queue.add(region)
    assert (queue.pending_bytes, queue.pending_file_bytes, queue.pending_entries) == (96, 100_000, 1)
    assert queue.is_writable
    queue.flush()
    wire.step(30_000)
    assert (queue.pending_bytes, queue.pending_file_bytes) == (96, 70_000)
    wire.run()
    assert (queue.pending_bytes, queue.pending_file_bytes, queue.pending_entries) == (0, 0, 0)


def test_b157_region_of_unknown_size_counts_when_it_is_opened(pool: zbuf.Pool, tmp_path: Path) -> None:
    """add() touches no file: "to the end" is found out when the transport opens it."""
    edges = Edges(pool, low_water=500, high_water=1000, file_high_water=50_000)
    queue = edges.queue
    region = file_region(tmp_path, b"f" * 100_000)
    queue.add(region)
    assert (queue.pending_file_bytes, edges.seen) == (0, [])
    queue.flush()
    edges.wire.prepare()
    assert (queue.pending_file_bytes, queue.is_writable, edges.seen) == (100_000, False, [False])
    edges.wire.run()
    assert edges.seen == [False, True]


def test_b057_file_mark_holds_the_producer_back_too(pool: zbuf.Pool, tmp_path: Path) -> None:
    """Above it not writable, at half of it again, whatever the ordinary counter says."""
    edges = Edges(pool, low_water=500, high_water=1000, file_high_water=60_000)
    whole = file_region(tmp_path, b"f" * 100_000)
    queue = edges.queue
    queue.add(whole.slice(0, 60_000))
    assert queue.is_writable
    queue.add(whole.slice(0, 1))
    assert edges.seen == [False]
    queue.flush()
    edges.wire.step(30_000)
    assert (queue.pending_file_bytes, queue.is_writable) == (30_001, False)
    edges.wire.step(1)
    assert edges.seen == [False, True]
    edges.wire.run()
    whole.release()


def test_b166_writing_inside_the_writability_event_stays_flat(pool: zbuf.Pool) -> None:
    """10**4 edges, each event writes and flushes again: bounded stack, each edge once."""
    seen: list[bool] = []
    queue = OutboundQueue(pool, low_water=100, high_water=200)

    def on_edge() -> None:
        seen.append(queue.is_writable)
        if len(seen) < 10_000:
            if queue.is_writable:
                queue.add(b"x" * 300)
            else:
                queue.flush()
                plan = queue.next_write()
                queue.sent(plan.nbytes)  # type: ignore[union-attr]

    queue.on_writability = on_edge
    queue.add(b"x" * 300)
    assert seen == [False, True] * 5000
    queue.fail(ConnectionError())


def test_b159_fail_tells_no_writability_event(pool: zbuf.Pool) -> None:
    """A queue that failed above its high mark just ends."""
    edges = Edges(pool, low_water=0, high_water=10)
    edges.queue.add(b"x" * 100)
    edges.queue.fail(ConnectionError())
    edges.queue.set_user_writable(1, False)
    assert edges.seen == [False]


def test_b158_cancelling_may_cross_the_edge(pool: zbuf.Pool) -> None:
    """What was withdrawn no longer holds the producer back."""
    edges = Edges(pool, low_water=50, high_water=1000)
    promise = Promise(0, [])
    edges.queue.add(b"x" * 1000, promise)
    assert edges.queue.cancel(promise)
    assert edges.seen == [False, True]


# Hard caps.


def test_b163_bytes_above_the_cap_are_refused_at_the_call(pool: zbuf.Pool) -> None:
    """WriteLimitError with the numbers, the message released, what is queued goes on."""
    queue = OutboundQueue(pool, low_water=100, high_water=500, write_limit_bytes=2000)
    wire = Wire(queue)
    log: list[tuple[object, object]] = []
    queue.add(b"a" * 1000, Promise("a", log))
    queue.add(b"b" * (1000 - 2 * 96), Promise("b", log))
    buf = pool.buffer(10)
    buf.write_byte(1)
    for msg, size in ((buf, 1), (b"c", 1), (bytearray(b"d"), 1), (b"", 0)):
        with pytest.raises(WriteLimitError) as caught:
            queue.add(msg, Promise("c", log))
        assert ("write_limit_bytes", 2000, 2096 + size) == (
            caught.value.limit,
            caught.value.maximum,
            caught.value.value,
        )
    assert (buf.refcnt, queue.pending_bytes, queue.pending_entries) == (0, 2000, 2)
    queue.flush()
    wire.run()
    assert log == [("a", "sent"), ("b", "sent")]
    queue.add(b"again")
    queue.fail(ConnectionError())


def test_b163_producer_that_waits_may_send_a_message_of_any_size(pool: zbuf.Pool) -> None:
    """The cap is for those who ignore backpressure: a message that finds the queue below its high mark is taken."""
    queue = OutboundQueue(pool, low_water=100, high_water=500, write_limit_bytes=2000)
    queue.add(b"head")
    queue.add(b"x" * 50_000)
    with pytest.raises(WriteLimitError):
        queue.add(b"y")
    queue.fail(ConnectionError())


def test_b163_cap_below_the_high_mark_still_holds(pool: zbuf.Pool) -> None:
    """A high mark that is out of reach does not switch the cap off."""
    queue = OutboundQueue(pool, low_water=0, high_water=2**62, write_limit_bytes=10_000)
    with pytest.raises(WriteLimitError):
        for _ in range(100):
            queue.add(b"x" * 1000)
    assert queue.pending_bytes <= 10_000
    queue.fail(ConnectionError())


def test_b163_entries_and_regions_have_caps_too(pool: zbuf.Pool, tmp_path: Path) -> None:
    """Counts as well as bytes; a refused region is released."""
    queue = OutboundQueue(pool, write_limit_entries=3, write_limit_regions=2)
    whole = file_region(tmp_path, b"f" * 10)
    for _ in range(2):
        queue.add(whole.slice(0, 5))
    refused = whole.slice(0, 5)
    with pytest.raises(WriteLimitError) as caught:
        queue.add(refused)
    assert ("write_limit_regions", 2, 3) == (caught.value.limit, caught.value.maximum, caught.value.value)
    assert refused.refcnt == 0
    queue.add(b"")
    for msg in (b"", whole):
        with pytest.raises(WriteLimitError) as caught:
            queue.add(msg)
        assert ("write_limit_entries", 3, 4) == (caught.value.limit, caught.value.maximum, caught.value.value)
    assert whole.refcnt == 0
    queue.flush()
    assert Wire(queue).run() == b"f" * 10
    queue.add(b"room again")
    queue.fail(ConnectionError())
