"""The planner: limits, joining against gathering, what is copied and how often."""

import pytest

import zbuf
from tests.outbound._kit import Promise, Wire, taken
from zbuf._form import EXPORTS_BUFFERS
from zbuf.audit._bill import CopyReason, Count
from zbuf.audit._meter import Account, enter, leave
from zbuf.outbound import NOTHING, OutboundQueue, SendBuffers


def plan_of(queue: OutboundQueue, **limits: int) -> SendBuffers:
    plan = queue.next_write(**limits)
    assert isinstance(plan, SendBuffers), plan
    return plan


def sizes(queue: OutboundQueue, **limits: int) -> list[int]:
    return [
        memoryview(view).nbytes if not hasattr(view, "refcnt") else len(view) for view in plan_of(queue, **limits).views
    ]  # type: ignore[arg-type]


def drain(queue: OutboundQueue) -> None:
    queue.fail(ConnectionError())


# Limits.


def test_b152_large_parts_need_as_many_plans_as_iovecs_allow(queue: OutboundQueue) -> None:
    """2,500 large parts need three plans of at most 1,024 views, none empty."""
    roomy = OutboundQueue(zbuf.Pool())
    for _ in range(2500):
        roomy.add(b"x" * 2048)
    roomy.flush()
    counts = []
    while (plan := roomy.next_write()) is not NOTHING:
        assert isinstance(plan, SendBuffers)
        counts.append(len(plan.views))
        roomy.sent(plan.nbytes)
    assert counts == [1024, 1024, 452]


def test_b046_plan_never_has_more_than_1024_views(queue: OutboundQueue) -> None:
    """Whatever is asked for: sendmsg with one more fails with EMSGSIZE."""
    composite = zbuf.composite()
    for _ in range(5000):
        composite.append(b"c" * 2048)
    queue.add(composite)
    queue.flush()
    assert len(plan_of(queue, max_views=5000).views) == 1024
    assert len(plan_of(queue, max_views=7).views) == 7
    drain(queue)


def test_b152_max_bytes_bounds_a_plan_exactly(queue: OutboundQueue) -> None:
    """The last view is cut, at least one byte is named, a border needs no empty view."""
    for _ in range(4):
        queue.add(b"x" * 3000)
    queue.flush()
    for limit, expected in ((1, [1]), (2999, [2999]), (3000, [3000]), (3001, [3000, 1]), (9000, [3000] * 3)):
        assert sizes(queue, max_bytes=limit) == expected
        assert plan_of(queue, max_bytes=limit).nbytes == limit
    queue.sent(9000)
    assert sizes(queue) == [3000]
    drain(queue)


def test_b152_max_bytes_cuts_joined_parts_and_handles_too(queue: OutboundQueue) -> None:
    """A scratch buffer is offered in pieces as well, and so is a handle."""
    wire = Wire(queue)
    for i in range(10):
        queue.add(bytes([i]) * 10)
    queue.add(zbuf.copied(b"h" * 5000))
    queue.flush()
    for limit in (1, 7, 64, 1000, 3000):
        plan = plan_of(queue, max_bytes=limit)
        wire.received += taken(plan, plan.nbytes)
        queue.sent(plan.nbytes)
        queue._check()
    expected = b"".join(bytes([i]) * 10 for i in range(10)) + b"h" * 5000
    assert wire.run() == expected


# Joining and gathering.


def test_b155_parts_below_the_threshold_are_joined_once(pool: zbuf.Pool, queue: OutboundQueue) -> None:
    """COALESCE is billed once though the scratch is planned again and sent in pieces; the sources are let go."""
    account = Account()
    for i in range(3):
        buf = pool.buffer(100)
        buf.write_bytes(bytes([i]) * 100)
        queue.add(buf)
    queue.add(b"b" * 2047)
    queue.flush()
    previous = enter(account)
    try:
        assert sizes(queue) == [2347]
        assert pool.statistics().live_blocks == 1
        for n in (1, 99, 150, 0):
            queue.next_write()
            queue.sent(n)
        assert sizes(queue) == [2097]
        assert sizes(queue, max_bytes=10) == [10]
        queue.next_write()
        queue.sent(2097)
    finally:
        leave(previous)
    assert account.snapshot().user == {CopyReason.COALESCE: Count(1, 2347)}
    assert pool.statistics().live_blocks == 0


def test_b155_parts_at_or_above_the_threshold_go_by_reference(queue: OutboundQueue) -> None:
    """2048 bytes and more are never copied; one small part between them is not worth a copy either."""
    account = Account()
    previous = enter(account)
    try:
        for size in (2048, 10, 5000, 2047, 2048):
            queue.add(b"r" * size)
        queue.flush()
        assert sizes(queue) == [2048, 10, 5000, 2047, 2048]
        drain(queue)
    finally:
        leave(previous)
    assert account.snapshot().user == {}


def test_b155_runs_of_small_parts_between_large_ones_are_joined_each(queue: OutboundQueue, pool: zbuf.Pool) -> None:
    """small small LARGE small small small LARGE: four views, two copies."""
    account = Account()
    previous = enter(account)
    try:
        for size in (10, 20, 4096, 30, 40, 50, 4096):
            queue.add(b"s" * size)
        queue.flush()
        assert sizes(queue) == [30, 4096, 120, 4096]
    finally:
        leave(previous)
    assert account.snapshot().user == {CopyReason.COALESCE: Count(2, 150)}
    drain(queue)


def test_small_parts_of_a_composite_are_joined_with_their_neighbours(queue: OutboundQueue) -> None:
    """A composite of 5,000 one-byte components costs one copy and one view, not 5,000 iovecs."""
    composite = zbuf.composite()
    for i in range(5000):
        composite.append(bytes([i % 256]))
    queue.add(b"head")
    queue.add(composite)
    queue.flush()
    plan = plan_of(queue)
    assert len(plan.views) == 1
    assert taken(plan, plan.nbytes) == b"head" + bytes(i % 256 for i in range(5000))
    drain(queue)


def test_scratch_buffer_is_bounded(queue: OutboundQueue) -> None:
    """Joined parts fill several buffers of at most 64 KiB."""
    roomy = OutboundQueue(zbuf.Pool())
    for _ in range(100):
        roomy.add(b"x" * 2000)
    roomy.flush()
    assert sizes(roomy) == [64_000, 64_000, 64_000, 8_000]
    drain(roomy)


def test_threshold_of_zero_joins_nothing(pool: zbuf.Pool) -> None:
    """coalesce_below=0 makes every part a view."""
    queue = OutboundQueue(pool, coalesce_below=0)
    for _ in range(3):
        queue.add(b"x")
    queue.flush()
    assert sizes(queue) == [1, 1, 1]
    drain(queue)


def test_empty_entries_between_small_parts_do_not_keep_them_apart(queue: OutboundQueue) -> None:
    """The run goes on behind them, and they complete in their turn."""
    log: list[tuple[object, object]] = []
    for i, data in enumerate((b"a", b"", b"b", b"", b"c")):
        queue.add(data, Promise(i, log))
    queue.flush()
    assert sizes(queue) == [3]
    queue.sent(1)
    assert [name for name, _ in log] == [0, 1]
    queue.next_write()
    queue.sent(2)
    assert [name for name, _ in log] == [0, 1, 2, 3, 4]


def test_parts_flushed_later_are_joined_apart_from_a_half_sent_scratch(queue: OutboundQueue) -> None:
    """What was joined stays as it is; new small parts make a scratch of their own."""
    wire = Wire(queue)
    queue.add(b"a" * 10)
    queue.add(b"b" * 10)
    queue.flush()
    wire.step(15)
    queue.add(b"c" * 10)
    queue.add(b"d" * 10)
    queue.flush()
    assert sizes(queue) == [5, 20]
    assert wire.run() == b"a" * 10 + b"b" * 10 + b"c" * 10 + b"d" * 10


def test_half_sent_small_part_is_joined_with_what_follows(queue: OutboundQueue) -> None:
    """A lone small part goes by reference; what is left of it after a short write may be joined."""
    wire = Wire(queue)
    for first in (b"a" * 100, zbuf.copied(b"a" * 100)):
        queue.add(first)
        queue.flush()
        wire.step(60)
        queue.add(b"b" * 50)
        queue.flush()
        assert sizes(queue) == [90]
        wire.run()
    assert bytes(wire.received) == (b"a" * 100 + b"b" * 50) * 2


@pytest.mark.skipif(not EXPORTS_BUFFERS, reason="handles export their bytes in compiled form, or from 3.12 on")
def test_single_buffer_is_planned_as_the_handle_itself(queue: OutboundQueue, pool: zbuf.Pool) -> None:
    """The hot case makes no memoryview: one handle that a socket takes, also for joined parts."""
    buf = pool.buffer(4096)
    buf.write_bytes(b"x" * 4000)
    queue.add(buf)
    queue.flush()
    (view,) = plan_of(queue).views
    assert isinstance(view, zbuf.ByteBuf)
    assert memoryview(view) == b"x" * 4000
    queue.sent(4000)
    queue.add(b"a")
    queue.add(b"b")
    queue.flush()
    (view,) = plan_of(queue).views
    assert isinstance(view, zbuf.ByteBuf)
    queue.sent(2)


def test_views_of_a_plan_do_not_outlive_it(queue: OutboundQueue, pool: zbuf.Pool) -> None:
    """A transport that keeps the plan keeps no block alive: the views end when the queue is told."""
    buf = pool.buffer(4096)
    buf.write_bytes(b"x" * 4000)
    queue.add(buf)
    queue.flush()
    kept = plan_of(queue, max_bytes=100)
    queue.sent(100)
    again = plan_of(queue)
    queue.sent(3900)
    assert pool.statistics().live_blocks == 0
    assert len(kept.views) == len(again.views) == 1


def test_allocator_of_another_kind_serves_the_scratch_buffer() -> None:
    """Any object with `buffer` will do."""

    class Counting:
        def __init__(self) -> None:
            self.asked: list[tuple[int, int]] = []

        def buffer(self, initial_capacity: int = 256, max_capacity: int = 2**31 - 1) -> zbuf.ByteBuf:
            self.asked.append((initial_capacity, max_capacity))
            return zbuf.buffer(initial_capacity, max_capacity)

    allocator = Counting()
    queue = OutboundQueue(allocator)  # type: ignore[arg-type]  # the queue needs no more of it
    queue.add(b"a" * 30)
    queue.add(b"b" * 40)
    queue.flush()
    assert taken(plan_of(queue), 70) == b"a" * 30 + b"b" * 40
    assert allocator.asked == [(70, 70)]
    drain(queue)
