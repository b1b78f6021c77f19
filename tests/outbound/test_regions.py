"""Regions in the queue: opening, reading small ones, MSG_MORE, failing alone, counting."""

import os
from pathlib import Path

import pytest

import zbuf
from tests.outbound._kit import Promise, Wire, file_region, taken
from tests.region.conftest import is_open
from zbuf.audit._bill import CopyReason, Count
from zbuf.audit._meter import Account, enter, leave
from zbuf.errors import ReferenceCountError, UsageError
from zbuf.outbound import NOTHING, InlineFile, OpenFile, OutboundQueue, SendBuffers, SendFile
from zbuf.region import FileRegion

LARGE = 40 * 1024  # above small_file_below


def data(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


def test_b178_region_leaves_between_the_buffers_around_it(queue: OutboundQueue, wire: Wire, tmp_path: Path) -> None:
    """In order, by sendfile, from its own offset; the buffers before it carry MSG_MORE, those behind it do not."""
    region = file_region(tmp_path, data(LARGE))
    log: list[tuple[object, object]] = []
    queue.add(b"head", Promise("head", log))
    queue.add(FileRegion(tmp_path / "region", 100, LARGE - 200), Promise("body", log))
    queue.add(b"tail", Promise("tail", log))
    region.release()
    queue.flush()
    assert wire.run(accept=30_000) == b"head" + data(LARGE)[100:-100] + b"tail"
    assert wire.calls == ["open", "send+more", "sendfile", "sendfile", "send"]
    assert log == [("head", "sent"), ("body", "sent"), ("tail", "sent")]


def test_added_region_is_moved(queue: OutboundQueue, tmp_path: Path) -> None:
    """As buffers: the handle is dead at the call, a retained one lives on with its own progress."""
    region = file_region(tmp_path, data(LARGE)).retain()
    queue.add(region)
    queue.flush()
    Wire(queue).run()
    assert (region.refcnt, region.transferred) == (1, 0)
    queue.add(region)
    for use in (region.fileno, region.release, lambda: queue.add(region)):
        with pytest.raises(ReferenceCountError):
            use()
    queue.fail(ConnectionError())


def test_b065_region_behind_the_flush_mark_announces_nothing(queue: OutboundQueue, tmp_path: Path) -> None:
    """MSG_MORE is for a region that follows in what is flushed: a tail sent with it would be 208 ms late."""
    region = file_region(tmp_path, data(LARGE))
    region.fileno()
    queue.add(b"head" * 1000)
    queue.flush()
    queue.add(region)
    plan = queue.next_write()
    assert isinstance(plan, SendBuffers) and not plan.more
    queue.sent(0)
    queue.flush()
    plan = queue.next_write()
    assert isinstance(plan, SendBuffers) and plan.more
    cut = queue.next_write(max_bytes=10)
    assert isinstance(cut, SendBuffers) and not cut.more
    one = queue.next_write(max_views=1)
    assert isinstance(one, SendBuffers) and one.more
    queue.fail(ConnectionError())


def test_b065_last_buffers_never_carry_more(queue: OutboundQueue, tmp_path: Path) -> None:
    """Not at the end of the queue, not before an empty region, not when the views are cut before the region."""
    region = file_region(tmp_path, data(LARGE))
    region.fileno()
    for part in (b"a" * 3000, b"b" * 3000):
        queue.add(part)
    queue.add(region.slice(0, 0))
    queue.flush()
    plan = queue.next_write()
    assert isinstance(plan, SendBuffers) and not plan.more
    queue.add(region)
    queue.flush()
    queue.sent(0)
    one = queue.next_write(max_views=1)
    assert isinstance(one, SendBuffers) and not one.more
    both = queue.next_write()
    assert isinstance(both, SendBuffers) and both.more
    queue.fail(ConnectionError())


def test_region_is_opened_before_the_buffers_in_front_of_it_are_sent(
    queue: OutboundQueue, wire: Wire, tmp_path: Path
) -> None:
    """A missing file is found out before anything announced it: the head leaves alone, without MSG_MORE."""
    log: list[tuple[object, object]] = []
    queue.add(b"head", Promise("head", log))
    queue.add(FileRegion(tmp_path / "missing", 0, LARGE), Promise("body", log))
    queue.add(b"tail", Promise("tail", log))
    queue.flush()
    assert isinstance(queue.next_write(), OpenFile)
    assert queue.pending_file_bytes == LARGE
    assert wire.run() == b"headtail"
    assert wire.calls == ["open", "send"]
    assert [name for name, _ in log] == ["head", "body", "tail"]
    assert isinstance(log[1][1], FileNotFoundError)
    assert (queue.pending_bytes, queue.pending_file_bytes, queue.pending_entries) == (0, 0, 0)


def test_b079_region_that_cannot_be_opened_fails_alone(queue: OutboundQueue, tmp_path: Path) -> None:
    """It is released at once, its promise fails in its turn, the others are sent; also the only one, also the last."""
    log: list[tuple[object, object]] = []
    wire = Wire(queue)
    error = OSError(24, "too many open files")
    queue.add(FileRegion(tmp_path / "missing"), Promise("only", log))
    queue.flush()
    assert isinstance(queue.next_write(), OpenFile)
    queue.fail_entry(error)
    assert log == []
    assert queue.next_write() is NOTHING
    assert log == [("only", error)]
    queue.add(b"x" * 3000, Promise("x", log))
    queue.add(FileRegion(tmp_path / "missing", 0, 5), Promise("last", log))
    queue.flush()
    queue.next_write()
    queue.fail_entry(error)
    wire.step(2999)
    assert len(log) == 1
    wire.run()
    assert log[1:] == [("x", "sent"), ("last", error)]


def test_region_that_failed_alone_keeps_its_own_error_when_all_fail(queue: OutboundQueue, tmp_path: Path) -> None:
    """Each promise hears the first cause of its own failure."""
    log: list[tuple[object, object]] = []
    own, other = OSError(24, "too many open files"), ConnectionError()
    queue.add(b"head", Promise("head", log))
    queue.add(FileRegion(tmp_path / "missing", 0, 5), Promise("body", log))
    queue.flush()
    assert isinstance(queue.next_write(), OpenFile)
    queue.fail_entry(own)
    queue.fail(other)
    assert log == [("head", other), ("body", own)]


def test_region_of_which_a_part_was_sent_cannot_fail_alone(queue: OutboundQueue, tmp_path: Path) -> None:
    """The stream is broken then: UsageError, and fail() is what remains."""
    queue.add(file_region(tmp_path, data(LARGE)))
    queue.flush()
    wire = Wire(queue)
    plan = wire.prepare()
    assert isinstance(plan, SendFile)
    assert (0, LARGE) == (plan.offset, plan.count)
    wire.step(10)
    plan = wire.prepare()
    assert isinstance(plan, SendFile)
    assert (10, LARGE - 10) == (plan.offset, plan.count)
    with pytest.raises(UsageError):
        queue.fail_entry(OSError())
    number = plan.region.fileno()
    queue.fail(OSError())
    assert not is_open(number)


def test_sendfile_that_is_refused_before_the_first_byte_fails_alone(queue: OutboundQueue, tmp_path: Path) -> None:
    """Nothing of the region was sent, so the queue goes on without it."""
    log: list[tuple[object, object]] = []
    wire = Wire(queue)
    queue.add(file_region(tmp_path, data(LARGE)), Promise("body", log))
    queue.add(b"tail", Promise("tail", log))
    queue.flush()
    plan = wire.prepare()
    assert isinstance(plan, SendFile)
    number = plan.region.fileno()
    error = OSError(5, "io")
    queue.fail_entry(error)
    assert not is_open(number)
    assert wire.run() == b"tail"
    assert log == [("body", error), ("tail", "sent")]


def test_b179_file_that_ends_early_is_told_by_the_region(queue: OutboundQueue, tmp_path: Path) -> None:
    """What exists is sent; sendfile's 0 with bytes outstanding becomes FileTruncatedError with the numbers."""
    region = file_region(tmp_path, data(LARGE))
    log: list[tuple[object, object]] = []
    queue.add(FileRegion(tmp_path / "region", 0, LARGE + 500), Promise("body", log))
    region.release()
    queue.flush()
    wire = Wire(queue)
    assert wire.step() == LARGE
    assert wire.step() == 0
    plan = queue.next_write()
    assert isinstance(plan, SendFile)
    error = plan.region.truncated()
    assert (0, LARGE + 500, LARGE) == (error.offset, error.count, error.transferred)
    queue.fail(error)
    assert log == [("body", error)]


def test_b183_region_is_planned_within_the_limits_of_one_call(queue: OutboundQueue, tmp_path: Path) -> None:
    """max_bytes, and 0x7ffff000 bytes whatever is asked for; a sparse file of 3 GiB needs two plans."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    queue.add(FileRegion(path))
    queue.flush()
    Wire(queue).prepare()
    assert queue.pending_file_bytes == 3 << 30
    counts = []
    plan = queue.next_write(max_bytes=2 << 20)
    assert isinstance(plan, SendFile) and plan.count == 2 << 20
    while (plan := queue.next_write()) is not NOTHING:
        assert isinstance(plan, SendFile)
        counts.append((plan.offset, plan.count))
        queue.sent(plan.count)
    assert counts == [(0, 0x7FFFF000), (0x7FFFF000, (3 << 30) - 0x7FFFF000)]


def test_regions_that_add_up_to_more_than_64_bits_are_counted(queue: OutboundQueue, tmp_path: Path) -> None:
    """A count is a promise about a file nobody opened yet: it may be anything."""
    for _ in range(3):
        queue.add(FileRegion(tmp_path / "missing", 0, 2**63 - 1))
    assert queue.pending_file_bytes == 3 * (2**63 - 1)
    queue._check()
    queue.flush()
    Wire(queue).run()
    assert (queue.pending_file_bytes, queue.is_empty) == (0, True)


# Small regions.


def test_b178_small_file_leaves_in_the_same_send_as_the_head(
    pool: zbuf.Pool, queue: OutboundQueue, tmp_path: Path
) -> None:
    """Read behind the head, which is joined into the same buffer: one call, one handle."""
    account = Account()
    wire = Wire(queue)
    body = data(4000)
    log: list[tuple[object, object]] = []
    previous = enter(account)
    try:
        queue.add(b"HTTP/1.1 200 OK\r\n", Promise("line", log))
        queue.add(b"", Promise("empty", log))
        queue.add(b"\r\n", Promise("blank", log))
        queue.add(file_region(tmp_path, body), Promise("body", log))
        queue.flush()
        assert wire.run() == b"HTTP/1.1 200 OK\r\n\r\n" + body
    finally:
        leave(previous)
    assert wire.calls == ["open", "read", "send"]
    assert log == [("line", "sent"), ("empty", "sent"), ("blank", "sent"), ("body", "sent")]
    assert account.snapshot().user == {CopyReason.COALESCE: Count(1, 19), CopyReason.FILE_READ: Count(1, 4000)}
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("before", [[], [b"L" * 5000], [b"s"], [b"L" * 5000, b"s"], [b"s", b"t", b"L" * 5000]])
@pytest.mark.parametrize("after", [[], [b"tail"], [b"T" * 5000]])
@pytest.mark.parametrize("accept", [None, 1, 700])
def test_small_files_in_a_row_keep_their_place(
    queue: OutboundQueue, tmp_path: Path, before: list[bytes], after: list[bytes], accept: int | None
) -> None:
    """Alone, behind small and large parts, several of them, sent whole and byte by byte."""
    wire = Wire(queue)
    log: list[tuple[object, object]] = []
    expected = b""
    parts: list[object] = [*before, data(300), data(10), b"mid", data(900), *after]
    for i, part in enumerate(parts):
        assert isinstance(part, bytes)
        expected += part
        is_file = len(before) <= i < len(parts) - len(after) and part != b"mid"
        queue.add(file_region(tmp_path, part, f"f{i}") if is_file else part, Promise(i, log))
    queue.flush()
    assert wire.run(accept) == expected
    assert [name for name, _ in log] == list(range(len(parts)))
    assert wire.calls.count("read") == 3
    assert "sendfile" not in wire.calls
    assert (queue.pending_bytes, queue.pending_file_bytes) == (0, 0)


def test_small_file_found_short_is_sent_the_ordinary_way(queue: OutboundQueue, tmp_path: Path) -> None:
    """The read brought too little: the region is offered to sendfile, which sends what exists and then reports 0."""
    wire = Wire(queue)
    file_region(tmp_path, data(100)).release()
    for head in ([], [b"head"]):
        wire.received.clear()
        wire.calls.clear()
        fresh = OutboundQueue(zbuf.Pool())
        wire.queue = fresh
        for part in head:
            fresh.add(part)
        fresh.add(FileRegion(tmp_path / "region", 0, 500))
        fresh.flush()
        while wire.step():
            pass
        assert bytes(wire.received) == b"".join(head) + data(100)
        assert wire.calls == ["open", "read", *(["send+more"] if head else []), "sendfile", "sendfile"]
        fresh.fail(OSError())


def test_small_file_that_cannot_be_read_fails_alone(pool: zbuf.Pool, queue: OutboundQueue, tmp_path: Path) -> None:
    """The buffer it was to be read into goes back; the head is still sent, and does not announce anything."""
    log: list[tuple[object, object]] = []
    error = OSError(5, "io")
    for head in ([], [b"head"]):
        wire = Wire(queue)
        for part in head:
            queue.add(part)
        region = file_region(tmp_path, data(100))
        region.fileno()
        queue.add(region.slice(0, 100), Promise("body", log))
        region.release()
        queue.flush()
        assert isinstance(queue.next_write(), InlineFile)
        queue.fail_entry(error)
        assert wire.run() == b"".join(head)
        assert wire.calls == (["send"] if head else [])
        assert pool.statistics().live_blocks == 0
    assert log == [("body", error)] * 2


def test_plan_to_read_a_small_file_that_is_not_answered_leaves_nothing_behind(
    pool: zbuf.Pool, queue: OutboundQueue, tmp_path: Path
) -> None:
    """Planned again with other limits, then failed: each buffer made for it goes back."""
    region = file_region(tmp_path, data(100))
    region.fileno()
    queue.add(b"x" * 5000)
    queue.add(region)
    queue.flush()
    plans = [queue.next_write(), queue.next_write(max_bytes=6000), queue.next_write()]
    assert all(isinstance(plan, InlineFile) for plan in plans)
    assert pool.statistics().live_blocks == 1
    queue.fail(ConnectionError())


def test_head_joined_for_a_small_file_is_joined_once(queue: OutboundQueue, tmp_path: Path) -> None:
    """Planned again before the answer, the file is read into the same scratch, behind the same head."""
    account = Account()
    region = file_region(tmp_path, data(100))
    region.fileno()
    queue.add(b"head")
    queue.add(region)
    queue.flush()
    previous = enter(account)
    try:
        first = queue.next_write()
        queue.sent(0)
        again = queue.next_write()
    finally:
        leave(previous)
    assert isinstance(first, InlineFile) and isinstance(again, InlineFile)
    assert again.buf is first.buf
    again.region.read_into(again.buf)
    queue.inlined()
    plan = queue.next_write()
    assert isinstance(plan, SendBuffers)
    assert taken(plan, plan.nbytes) == b"head" + data(100)
    assert account.snapshot().user == {CopyReason.COALESCE: Count(1, 4)}
    queue.sent(plan.nbytes)


@pytest.mark.parametrize(("size", "call"), [(32 * 1024 - 1, "send"), (32 * 1024, "sendfile")])
def test_size_decides_how_a_region_travels(
    queue: OutboundQueue, wire: Wire, tmp_path: Path, size: int, call: str
) -> None:
    """Below small_file_below it is read, at it and above it is sent."""
    queue.add(file_region(tmp_path, data(size)))
    queue.flush()
    assert wire.run() == data(size)
    assert wire.calls[-1] == call


def test_small_file_below_zero_reads_nothing(pool: zbuf.Pool, tmp_path: Path) -> None:
    """small_file_below=0: every region is sent."""
    queue = OutboundQueue(pool, small_file_below=0)
    wire = Wire(queue)
    queue.add(file_region(tmp_path, b"x"))
    queue.flush()
    assert wire.run() == b"x"
    assert wire.calls == ["open", "sendfile"]


def test_empty_regions_complete_without_a_call(queue: OutboundQueue, wire: Wire, tmp_path: Path) -> None:
    """Known to be empty, found to be empty when opened, already transferred: no byte, no sendfile."""
    log: list[tuple[object, object]] = []
    region = file_region(tmp_path, b"")
    number = region.fileno()
    spent = file_region(tmp_path, b"abc", "spent")
    with zbuf.buffer() as buf:
        spent.read_into(buf)
    queue.add(region, Promise(0, log))
    queue.add(FileRegion(tmp_path / "region"), Promise(1, log))
    queue.add(spent, Promise(2, log))
    queue.add(FileRegion(tmp_path / "spent", 1, 0), Promise(3, log))
    assert not is_open(number)
    queue.flush()
    assert wire.run() == b""
    assert wire.calls == ["open"]
    assert log == [(i, "sent") for i in range(4)]
    assert queue.is_empty


def test_partly_transferred_region_sends_the_rest(queue: OutboundQueue, wire: Wire, tmp_path: Path) -> None:
    """What is taken is what remains at the call."""
    region = file_region(tmp_path, data(LARGE))
    with zbuf.buffer() as buf:
        region.read_into(buf, 100)
    queue.add(region)
    assert queue.pending_file_bytes == LARGE - 100
    queue.flush()
    assert wire.run() == data(LARGE)[100:]


def test_b078_region_whose_descriptor_was_closed_by_its_owner_fails_alone(queue: OutboundQueue, tmp_path: Path) -> None:
    """The number names another file now: never a byte of that, and the rest of the queue is sent."""
    (tmp_path / "mine").write_bytes(data(LARGE))
    (tmp_path / "other").write_bytes(b"secret" * LARGE)
    number = os.open(tmp_path / "mine", os.O_RDONLY)
    other = os.open(tmp_path / "other", os.O_RDONLY)
    log: list[tuple[object, object]] = []
    wire = Wire(queue)
    queue.add(FileRegion(number, 0, LARGE), Promise("body", log))
    queue.add(b"tail", Promise("tail", log))
    os.dup2(other, number)
    queue.flush()
    assert wire.run() == b"tail"
    assert isinstance(log[0][1], OSError) and log[1] == ("tail", "sent")
    os.close(number)
    os.close(other)


def test_descriptor_closes_when_the_last_byte_of_its_region_is_sent(queue: OutboundQueue, tmp_path: Path) -> None:
    """Not later: a server that answers from many files must not collect descriptors."""
    region = file_region(tmp_path, data(LARGE))
    number = region.fileno()
    queue.add(region)
    queue.add(b"tail" * 1000)
    queue.flush()
    wire = Wire(queue)
    wire.step(LARGE - 1)
    assert is_open(number)
    wire.step()
    assert not is_open(number)
    wire.run()
