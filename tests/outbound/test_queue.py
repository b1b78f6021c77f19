"""The queue: order, flush, completion, cancelling, failing, what it takes and how."""

import gc
import weakref

import pytest

import zbuf
from tests.outbound._kit import Promise, Wire
from zbuf.audit._bill import CopyReason, Count
from zbuf.audit._meter import Account, enter, leave
from zbuf.errors import ChannelClosedError, ReferenceCountError, UnsupportedMessageError, UsageError
from zbuf.outbound import NOTHING, OutboundQueue, SendBuffers

Log = list[tuple[object, object]]


def views(queue: OutboundQueue, **limits: int) -> list[bytes]:
    plan = queue.next_write(**limits)
    assert isinstance(plan, SendBuffers), plan
    return [bytes(view) for view in plan.views]


# Order and flush.


def test_b151_nothing_is_planned_before_flush(queue: OutboundQueue, wire: Wire) -> None:
    """Unflushed entries wait; entries added after a flush wait for the next one."""
    queue.add(b"one")
    assert (queue.is_empty, queue.has_flushed) == (False, False)
    assert queue.next_write() is NOTHING
    queue.flush()
    queue.add(b"two")
    assert wire.run() == b"one"
    assert queue.next_write() is NOTHING
    queue.flush()
    assert wire.run() == b"onetwo"
    assert (queue.is_empty, queue.has_flushed) == (True, False)


def test_b151_messages_of_every_kind_leave_in_order(queue: OutboundQueue, wire: Wire) -> None:
    """bytes, handles, slices, wraps, composites, bytearrays and views, as they were at the call."""
    block = zbuf.copied(b"0123456789")
    block.skip_bytes(2)
    composite = zbuf.composite()
    for part in (b"aa", b"bbb", b"c" * 3000):
        composite.append(part)
    composite.skip_bytes(1)
    block_slice, retained = block.slice(4, 2), zbuf.copied(b"kept").retain()
    messages = [b"bytes", block_slice, zbuf.wrap(b"wrapped"), composite, bytearray(b"array"), memoryview(b"view")]
    for msg in [*messages, retained, block]:
        queue.add(msg)
    retained.skip_bytes(2)
    queue.flush()
    assert wire.run() == b"bytes" + b"45" + b"wrapped" + b"abbb" + b"c" * 3000 + b"arrayviewkept23456789"
    assert (0, 0, 0, 1) == (block.refcnt, block_slice.refcnt, composite.refcnt, retained.refcnt)
    assert bytes(retained) == b"pt"


def test_b160_added_handle_is_dead_at_once(queue: OutboundQueue) -> None:
    """The queue moves what it takes: a stale use raises instead of corrupting the stream."""
    buf = zbuf.copied(b"data")
    queue.add(buf)
    for use in (lambda: buf.write_bytes(b"x"), lambda: queue.add(buf), lambda: bytes(buf)):
        with pytest.raises(ReferenceCountError):
            use()
    assert queue.pending_entries == 1
    queue.fail(ConnectionError())


def test_b164_bytearray_is_copied_when_it_is_added(queue: OutboundQueue, wire: Wire) -> None:
    """SNAPSHOT: a later change does not go out on the wire; typed views count in bytes; strided ones are refused."""
    account = Account()
    data = bytearray(b"before")
    previous = enter(account)
    try:
        queue.add(data)
        queue.add(memoryview(b"12345678").cast("I"))
        queue.add(b"by reference")
    finally:
        leave(previous)
    data[:] = b"after."
    with pytest.raises(BufferError):
        queue.add(memoryview(b"12345678")[::2])
    queue.flush()
    assert wire.run() == b"before12345678by reference"
    assert account.snapshot().user == {CopyReason.SNAPSHOT: Count(2, 14)}


def test_large_bytes_are_planned_by_reference(queue: OutboundQueue) -> None:
    """The very object that was added stands in the plan."""
    data = bytes(5000)
    queue.add(data)
    queue.flush()
    plan = queue.next_write()
    assert isinstance(plan, SendBuffers)
    assert plan.views[0] is data
    queue.sent(5000)


@pytest.mark.parametrize("msg", ["text", None, 5, object(), [b"a"]])
def test_message_of_another_type_is_unsupported(queue: OutboundQueue, msg: object) -> None:
    """UnsupportedMessageError names the type; the promise is the caller's to fail, the queue goes on."""
    log: Log = []
    with pytest.raises(UnsupportedMessageError) as caught:
        queue.add(msg, Promise(1, log))  # type: ignore[arg-type]
    assert caught.value.message_type is type(msg)
    assert (log, queue.is_empty) == ([], True)


# Completion.


def test_b153_sent_completes_at_before_and_behind_a_border(queue: OutboundQueue) -> None:
    """Whole entries complete in order, the partial one advances, also by 0 and by half an iovec."""
    log: Log = []
    for name, size in (("a", 3000), ("b", 4000), ("c", 5000)):
        queue.add(name.encode() * size, Promise(name, log))
    queue.flush()
    queue.next_write()
    queue.sent(2999)
    assert log == []
    assert views(queue) == [b"a", b"b" * 4000, b"c" * 5000]
    queue.sent(0)
    queue.next_write()
    queue.sent(1)
    assert log == [("a", "sent")]
    assert views(queue) == [b"b" * 4000, b"c" * 5000]
    queue.sent(4001)
    assert log == [("a", "sent"), ("b", "sent")]
    queue.next_write()
    queue.sent(2500)
    assert views(queue) == [b"c" * 2499]
    queue.sent(2499)
    assert [name for name, _ in log] == ["a", "b", "c"]
    assert queue.next_write() is NOTHING
    queue._check()


def test_b153_more_than_offered_raises_and_changes_nothing(queue: OutboundQueue) -> None:
    """ValueError for more than the last plan named, for negative numbers, and without a plan."""
    queue.add(b"x" * 10)
    queue.flush()
    with pytest.raises(ValueError):
        queue.sent(1)
    queue.sent(0)
    queue.next_write(max_bytes=4)
    for wrong in (5, -1):
        with pytest.raises(ValueError):
            queue.sent(wrong)
    queue.sent(4)
    with pytest.raises(ValueError):
        queue.sent(1)
    assert views(queue) == [b"x" * 6]
    queue.sent(6)


def test_b153_repeated_plans_name_the_same_bytes(queue: OutboundQueue) -> None:
    """Also after an answer of 0, and when more was flushed meanwhile: what was named comes first."""
    for size in (100, 100, 3000, 10, 20):
        queue.add(bytes([size % 251]) * size)
    queue.flush()
    first = views(queue)
    assert views(queue) == first
    assert queue.next_write() is queue.next_write()
    queue.sent(0)
    queue.add(b"later")
    queue.flush()
    assert b"".join(views(queue)) == b"".join(first) + b"later"
    assert b"".join(views(queue, max_bytes=150)) == b"".join(first)[:150]
    queue.fail(ConnectionError())


@pytest.mark.parametrize("pattern", ["", ".", "..", ".x", "x.", "x.x", ".x.", "..x..x.."])
def test_b154_empty_entries_complete_in_their_turn(queue: OutboundQueue, wire: Wire, pattern: str) -> None:
    """Alone, first, middle, last: no system call of their own, no loop on 0, order kept."""
    log: Log = []
    for i, kind in enumerate(pattern):
        queue.add(b"x" if kind == "x" else (b"", zbuf.empty(), zbuf.composite(), bytearray())[i % 4], Promise(i, log))
    queue.flush()
    assert wire.run() == b"x" * pattern.count("x")
    assert log == [(i, "sent") for i in range(len(pattern))]
    assert len(wire.calls) == (1 if "x" in pattern else 0)
    assert (queue.is_empty, queue.pending_bytes, queue.pending_entries) == (True, 0, 0)


def test_b154_many_empty_entries_make_the_queue_unwritable(queue: OutboundQueue) -> None:
    """The overhead of each counts; a hundred thousand complete in one go."""
    log: Log = []
    added = 0
    while queue.is_writable:
        queue.add(b"", Promise(added, log))
        added += 1
    assert added == 64 * 1024 // 96 + 1
    queue.flush()
    assert queue.next_write() is NOTHING
    assert [name for name, _ in log] == list(range(added))
    assert queue.is_writable


def test_marker_completes_when_everything_before_it_is_sent(queue: OutboundQueue, wire: Wire) -> None:
    """It costs nothing, ignores the caps, and needs a flush like any message."""
    log: Log = []
    full = OutboundQueue(zbuf.Pool(), write_limit_entries=1)
    full.add(b"x")
    full.add_marker(Promise("m", log))
    full.flush()
    assert (full.pending_entries, full.pending_bytes) == (1, 97)
    Wire(full).run()
    assert log == [("m", "sent")]
    log.clear()
    queue.add(b"a" * 10, Promise("a", log))
    queue.add_marker(Promise("m1", log))
    queue.add(b"b", Promise("b", log))
    queue.flush()
    queue.add_marker(Promise("m2", log))
    wire.step(9)
    assert log == []
    wire.step(1)
    assert log == [("a", "sent"), ("m1", "sent")]
    wire.run()
    assert [name for name, _ in log] == ["a", "m1", "b"]
    queue.flush()
    assert queue.next_write() is NOTHING
    assert log[-1] == ("m2", "sent")


def test_composite_is_one_message(queue: OutboundQueue, wire: Wire) -> None:
    """Its components are sent piece by piece, counted as one entry, and complete together."""
    log: Log = []
    composite = zbuf.composite()
    for i in range(5):
        composite.append(bytes([i]) * 3000)
    queue.add(composite, Promise("c", log))
    assert (queue.pending_entries, queue.pending_bytes) == (1, 15_000 + 96)
    queue.flush()
    assert [len(view) for view in views(queue)] == [3000] * 5
    queue.sent(14_999)
    queue._check()
    assert (log, queue.pending_bytes) == ([], 1 + 96)
    wire.run()
    assert (log, queue.pending_bytes) == ([("c", "sent")], 0)


def test_parts_of_a_message_are_let_go_as_they_are_sent(pool: zbuf.Pool, queue: OutboundQueue) -> None:
    """A block returns to its pool when its last byte is in the kernel, not when the message ends."""
    composite = pool.composite()
    for _ in range(4):
        part = pool.buffer(4096)
        part.write_zero(4096)
        composite.append(part)
    queue.add(composite)
    queue.flush()
    assert pool.statistics().live_blocks == 4
    queue.next_write()
    queue.sent(3 * 4096 + 1)
    assert pool.statistics().live_blocks == 1
    queue.fail(ConnectionError())


def test_slice_given_to_the_queue_outlives_its_parent(pool: zbuf.Pool, queue: OutboundQueue, wire: Wire) -> None:
    """The queue's handle has its own share of the block."""
    parent = pool.buffer(10_000)
    parent.write_bytes(b"p" * 5000)
    queue.add(parent.slice())
    parent.release()
    queue.flush()
    assert wire.run() == b"p" * 5000


# Cancelling.


def test_b158_cancelled_before_flush_disappears(pool: zbuf.Pool, queue: OutboundQueue, wire: Wire) -> None:
    """The message is released, the counts fall, its promise is not told; the others are sent."""
    log: Log = []
    big = pool.composite()
    for _ in range(3):
        part = pool.buffer(3000)
        part.write_zero(3000)
        big.append(part)
    promises = [Promise(i, log) for i in range(4)]
    queue.add(b"first", promises[0])
    queue.flush()
    queue.add(b"second", promises[1])
    queue.add(big, promises[2])
    queue.add(b"fourth", promises[3])
    assert queue.cancel(promises[2])
    queue._check()
    assert pool.statistics().live_blocks == 0
    assert (queue.pending_entries, queue.pending_bytes) == (3, 17 + 3 * 96)
    assert not queue.cancel(promises[2])
    assert not queue.cancel(promises[0])
    queue.flush()
    assert not queue.cancel(promises[3])
    assert wire.run() == b"firstsecondfourth"
    assert log == [(0, "sent"), (1, "sent"), (3, "sent")]


# Failing.


def test_b159_fail_fails_every_promise_once_in_order_and_releases_everything(
    pool: zbuf.Pool, queue: OutboundQueue
) -> None:
    """Flushed, half sent, joined or not flushed at all; pending 0; add() refuses from now on."""
    log: Log = []
    for i in range(10):
        buf = pool.buffer(4000)
        buf.write_zero((10, 3000)[i % 2])
        queue.add(buf, Promise(i, log))
        if i == 7:
            queue.flush()
    queue.next_write()
    queue.sent(5)
    queue.next_write()
    error = ConnectionResetError("gone")
    queue.fail(error)
    assert log == [(i, error) for i in range(10)]
    assert (0, 0, 0) == (queue.pending_bytes, queue.pending_entries, pool.statistics().live_blocks)
    assert (queue.next_write(), queue.is_empty, queue.is_writable) == (NOTHING, True, False)
    assert queue.failure is error
    queue.fail(ConnectionAbortedError("again"))
    assert queue.failure is error
    buf = pool.buffer(10)
    for msg in (b"late", buf, zbuf.empty()):
        with pytest.raises(ChannelClosedError) as caught:
            queue.add(msg, Promise("late", log))
        assert caught.value.__cause__ is error
    with pytest.raises(ChannelClosedError):
        queue.add_marker(Promise("late", log))
    assert (buf.refcnt, len(log)) == (0, 10)
    queue._check()


def test_b052_error_after_a_partly_sent_scratch_gives_each_source_its_own_outcome(queue: OutboundQueue) -> None:
    """Joined parts whose bytes left succeed, the others fail, each once."""
    log: Log = []
    for i in range(5):
        queue.add(bytes([i]) * 10, Promise(i, log))
    queue.flush()
    assert len(views(queue)) == 1
    queue.sent(25)
    error = BrokenPipeError()
    queue.fail(error)
    assert log == [(0, "sent"), (1, "sent"), (2, error), (3, error), (4, error)]


def test_b159_callback_that_fails_and_adds_again_neither_recurses_nor_hangs(queue: OutboundQueue) -> None:
    """Ten thousand promises that each fail the queue and write again: flat stack, each told once, in order."""
    log: Log = []
    refused = []

    def again() -> None:
        queue.fail(ConnectionError("inner"))
        try:
            queue.add(b"more")
        except ChannelClosedError as exc:
            refused.append(exc)
        queue.flush()
        queue.next_write()

    for i in range(10_000):
        queue.add(b"x", Promise(i, log, again))
    error = ConnectionError("outer")
    queue.fail(error)
    assert log == [(i, error) for i in range(10_000)]
    assert len(refused) == 10_000


def test_b166_callback_of_a_sent_write_may_write_and_flush_again(queue: OutboundQueue, wire: Wire) -> None:
    """Each completion queues the next message: the stack stays flat over 10**4 of them."""
    log: Log = []

    def write_next() -> None:
        if len(log) < 10_000:
            queue.add(b"x", Promise(len(log), log, write_next))
            queue.flush()
            wire.step()

    write_next()
    assert len(log) == 10_000
    assert wire.run() == b"x" * 10_000


def test_callback_that_fails_the_queue_during_completion_keeps_the_order(queue: OutboundQueue) -> None:
    """What was sent is told before what failed because of it."""
    log: Log = []
    error = ConnectionError()
    queue.add(b"a" * 3000, Promise("a", log, lambda: queue.fail(error)))
    queue.add(b"b" * 3000, Promise("b", log))
    queue.add(b"c" * 3000, Promise("c", log))
    queue.flush()
    queue.next_write()
    queue.sent(6001)
    assert log == [("a", "sent"), ("b", "sent"), ("c", error)]


def test_promise_that_raises_does_not_keep_the_others_from_being_told(queue: OutboundQueue) -> None:
    """The first exception is raised when all were told."""
    log: Log = []

    def explode() -> None:
        raise ZeroDivisionError(len(log))

    for i in range(4):
        queue.add(b"x", Promise(i, log, explode if i % 2 else None))
    queue.flush()
    queue.next_write()
    with pytest.raises(ZeroDivisionError) as caught:
        queue.sent(4)
    assert ([name for name, _ in log], caught.value.args) == ([0, 1, 2, 3], (2,))
    queue.add(b"y", Promise("y", log))
    queue.flush()
    queue.next_write()
    queue.sent(1)
    assert log[-1] == ("y", "sent")


class Loud(bytearray):
    """Memory whose end runs code of ours."""


def test_memory_whose_end_calls_back_into_the_queue_is_safe(queue: OutboundQueue, wire: Wire) -> None:
    """Finalisers of wrapped memory run when the queue lets go: they may add, flush, and fail, also amid a plan."""
    log: Log = []

    def wrapped(size: int, then: object) -> zbuf.ByteBuf:
        memory = Loud(b"w" * size)
        weakref.finalize(memory, then).atexit = False  # type: ignore[arg-type]
        return zbuf.wrap(memory)

    queue.add(wrapped(10, lambda: (queue.add(b"added"), queue.flush())), Promise("w", log))
    queue.add(b"x" * 10, Promise("x", log))
    queue.flush()
    assert wire.run() == b"w" * 10 + b"x" * 10 + b"added"
    error = ConnectionError()
    queue.add(wrapped(10, lambda: queue.fail(error)), Promise("v", log))
    queue.add(b"y" * 10, Promise("y", log))
    queue.flush()
    gc.collect()
    assert queue.next_write() is NOTHING
    assert log == [("w", "sent"), ("x", "sent"), ("v", error), ("y", error)]
    queue._check()


# Misuse and looks.


def test_answers_without_their_plan_are_refused(queue: OutboundQueue) -> None:
    """opened, inlined and fail_entry belong to a plan about a region."""
    queue.add(b"x")
    queue.flush()
    queue.next_write()
    for answer in (queue.opened, queue.inlined, lambda: queue.fail_entry(OSError())):
        with pytest.raises(UsageError):
            answer()
    queue.sent(1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"low_water": -1},
        {"low_water": 2, "high_water": 1},
        {"file_high_water": -1},
        {"coalesce_below": -1},
        {"small_file_below": -1},
        {"write_limit_bytes": -1},
        {"write_limit_entries": -1},
        {"write_limit_regions": -1},
    ],
)
def test_queue_with_impossible_settings_raises(pool: zbuf.Pool, wrong: dict[str, int]) -> None:
    """Negative numbers and low above high are the caller's mistake."""
    with pytest.raises(ValueError):
        OutboundQueue(pool, **wrong)


def test_limits_of_a_plan_are_at_least_one(queue: OutboundQueue) -> None:
    """0 would plan nothing for ever."""
    queue.add(b"x")
    for limits in ({"max_views": 0}, {"max_bytes": 0}, {"max_bytes": -1}):
        with pytest.raises(ValueError):
            queue.next_write(**limits)
    queue.fail(ConnectionError())


def test_repr_and_statistics_sum_the_queue_up(queue: OutboundQueue) -> None:
    """Counts, never content."""
    queue.add(b"secret")
    assert repr(queue) == "OutboundQueue(1 messages, 102 bytes and 0 of files pending, writable)"
    assert tuple(queue.statistics()) == (102, 0, 1, 0, True)
    queue.flush()
    assert repr(queue.next_write()) == "SendBuffers(1 views, 6 bytes)"
    queue.fail(ConnectionError())
    assert repr(queue).endswith("failed)")
    assert repr(NOTHING) == "NOTHING"


def test_long_queue_is_walked_once(queue: OutboundQueue) -> None:
    """The list of entries is compacted as it is sent, so it does not grow with what has passed through."""
    for _ in range(50):
        for _ in range(100):
            queue.add(b"z" * 3000)
        queue.flush()
        for _ in range(99):
            queue.next_write(max_views=1)
            queue.sent(3000)
            queue._check()
    remaining = queue.pending_entries
    assert remaining == 50
    while queue.next_write() is not NOTHING:
        queue.sent(queue.next_write().nbytes)  # type: ignore[union-attr]
    assert queue.is_empty
