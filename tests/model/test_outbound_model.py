"""The queue against a flat list of bytes: random messages, regions, flushes, short writes, cancels and failures.

Owns    the model: what every message is, in order, and what must have happened to its promise.
Never   how the queue plans: only that the bytes, the outcomes and the counts are those of the model.
Always  after each act the queue's invariant holds; at the end every block and descriptor is back.
"""

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import zbuf
from tests.leaks import open_descriptors
from tests.outbound._kit import taken
from zbuf.errors import ChannelClosedError
from zbuf.outbound import InlineFile, Nothing, OpenFile, OutboundQueue, SendBuffers, SendFile
from zbuf.region import FileRegion

COALESCE, SMALL_FILE, LOW, HIGH = 64, 256, 400, 1200  # small marks, so that small examples cross them
SIZES = st.one_of(
    st.integers(0, 8),
    st.integers(COALESCE - 2, COALESCE + 2),
    st.integers(SMALL_FILE - 2, SMALL_FILE + 2),
    st.just(1000),
)
FILE_SIZE = 2000
KINDS = st.sampled_from(["bytes", "bytearray", "handle", "slice", "wrap", "composite", "pooled composite"])


class Message:
    """One message of the model, and the promise that the queue is given for it."""

    def __init__(self, machine: "QueueMachine", data: bytes, *, region: bool = False, missing: bool = False) -> None:
        self.machine = machine
        self.data = data
        self.region = region
        self.missing = missing  # its file is not there: it fails alone, in its turn
        self.left = len(data)
        self.known = True  # of a region: whether its count is
        self.is_open = False
        self.outcomes: list[object] = []

    def succeed(self) -> None:
        self.outcomes.append("sent")
        self.machine.told.append(self)

    def fail(self, exc: BaseException) -> None:
        self.outcomes.append(exc)
        self.machine.told.append(self)


class QueueMachine(RuleBasedStateMachine):
    """The queue on one side, a list of messages on the other, a kernel that takes what it likes between them."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = open_descriptors()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "file"
        self.file = bytes(i % 251 for i in range(FILE_SIZE))
        self.path.write_bytes(self.file)
        self.pool = zbuf.Pool()
        self.messages: list[Message] = []  # those not told yet, in order
        self.unflushed = 0
        self.told: list[Message] = []
        self.expected_told: list[Message] = []
        self.sent = bytearray()
        self.expected = bytearray()
        self.failure: Exception | None = None
        self.edges: list[bool] = []
        self.counter = 0

    @initialize(file_high=st.sampled_from([None, 3000]))
    def start(self, file_high: int | None) -> None:
        """A fresh queue with small thresholds."""
        self.queue = OutboundQueue(
            self.pool,
            low_water=LOW,
            high_water=HIGH,
            file_high_water=file_high,
            coalesce_below=COALESCE,
            small_file_below=SMALL_FILE,
            on_writability=lambda: self.edges.append(self.queue.is_writable),
        )

    # Acts.

    def fresh(self, size: int) -> bytes:
        self.counter += 1
        return bytes((self.counter + i) % 256 for i in range(size))

    def make(self, kind: str, data: bytes) -> object:
        if kind == "bytes":
            return data
        if kind == "bytearray":
            return bytearray(data)
        if kind == "wrap":
            return zbuf.wrap(data)
        if kind.endswith("composite"):
            composite = self.pool.composite()
            composite.append(b"??")
            for at in range(0, len(data), 60):
                piece = data[at : at + 60]
                composite.append(self.pooled(piece) if kind.startswith("pooled") else piece)
            composite.skip_bytes(2)
            return composite
        buf = self.pooled(b"??" + data + b"!!")
        if kind == "slice":
            part = buf.slice(2, len(data))
            buf.release()
            return part
        buf.skip_bytes(2)
        buf.writer_index -= 2
        return buf

    def pooled(self, data: bytes) -> zbuf.ByteBuf:
        buf = self.pool.buffer(max(len(data), 1))
        buf.write_bytes(data)
        return buf

    def put(self, msg: object, message: Message) -> None:
        if self.failure is not None:
            with pytest.raises(ChannelClosedError):
                self.queue.add(msg, message)  # type: ignore[arg-type]
        else:
            self.queue.add(msg, message)  # type: ignore[arg-type]
            self.messages.append(message)
            self.unflushed += 1
        assert getattr(msg, "refcnt", 0) == 0

    @rule(kind=KINDS, size=SIZES)
    def add(self, kind: str, size: int) -> None:
        """A buffer of some shape."""
        data = self.fresh(size)
        self.put(self.make(kind, data), Message(self, data))

    @rule(
        offset=st.integers(0, FILE_SIZE),
        size=st.one_of(st.none(), SIZES),
        opened=st.booleans(),
        before=st.integers(0, 5),
    )
    def add_region(self, offset: int, size: int | None, opened: bool, before: int) -> None:
        """A region, opened already or not, to the end or not, perhaps partly read."""
        if size is not None:
            size = min(size, FILE_SIZE - offset)
        region = FileRegion(self.path, offset, size)
        if opened:
            region.fileno()
        if before:
            with self.pool.buffer(8) as buf:
                region.read_into(buf, min(before, region.remaining))
        data = self.file[offset : offset + region.count if region.known_count is not None else None]
        data = data[region.transferred :]
        message = Message(self, data, region=True)
        message.known = region.known_count is not None
        message.is_open = region.is_open
        self.put(region, message)

    @rule(count=st.one_of(st.none(), st.integers(1, 400)))
    def add_missing_region(self, count: int | None) -> None:
        """A region whose file cannot be opened."""
        message = Message(self, b"?" * (count or 0), region=True, missing=True)  # it counts until it is found out
        message.known = count is not None
        self.put(FileRegion(self.path.parent / "missing", 0, count), message)

    @rule()
    def flush(self) -> None:
        """Everything so far becomes sendable."""
        self.queue.flush()
        self.unflushed = 0

    @precondition(lambda self: self.unflushed > 0)
    @rule(data=st.data())
    def cancel_unflushed(self, data: st.DataObject) -> None:
        """A message that is not flushed disappears."""
        at = data.draw(st.integers(len(self.messages) - self.unflushed, len(self.messages) - 1))
        message = self.messages.pop(at)
        self.unflushed -= 1
        assert self.queue.cancel(message)
        assert not self.queue.cancel(message)

    @precondition(lambda self: len(self.messages) > self.unflushed)
    @rule()
    def cancel_flushed(self) -> None:
        """A message that is flushed stays."""
        assert not self.queue.cancel(self.messages[0])

    @rule(
        share=st.sampled_from([0, 1, 2, "border", "behind", "some", "all", "all", "all"]),
        max_views=st.sampled_from([1, 2, 3, 1024, 1024]),
        max_bytes=st.sampled_from([None, None, 1, 50, 500]),
        repeat=st.booleans(),
    )
    def perform(self, share: int | str, max_views: int, max_bytes: int | None, repeat: bool) -> None:
        """The kernel takes a part of what the next plan names; regions are opened and read on the way."""
        plan = self.queue.next_write(max_views, max_bytes)
        if repeat:
            assert self.queue.next_write(max_views, max_bytes) is plan or isinstance(plan, Nothing)
        self.complete(0)
        if isinstance(plan, OpenFile):
            self.open(plan)
        elif isinstance(plan, InlineFile):
            plan.region.read_into(plan.buf)
            self.queue.inlined()
        elif isinstance(plan, SendBuffers | SendFile):
            self.send(plan, share, max_views, max_bytes)
        else:
            assert not self.flushed(), "flushed messages wait, and nothing is planned"

    def open(self, plan: OpenFile) -> None:
        """The region is the first flushed one that needs it."""
        message = next(m for m in self.flushed() if m.region and not m.is_open and (m.left or not m.known))
        try:
            plan.region.fileno()
        except OSError as exc:
            assert message.missing
            message.left = 0
            self.queue.fail_entry(exc)
        else:
            assert not message.missing
            assert plan.region.remaining == message.left
            self.queue.opened()
        message.known = message.is_open = True

    def flushed(self) -> list[Message]:
        return self.messages[: len(self.messages) - self.unflushed]

    def send(self, plan: SendBuffers | SendFile, share: int | str, max_views: int, max_bytes: int | None) -> None:
        """Take a share of what is offered, and hold all of it against the model."""
        offered = plan.nbytes if isinstance(plan, SendBuffers) else plan.count
        assert 0 < offered <= (max_bytes or offered)
        border = next(m.left for m in self.messages if m.left)
        n = {"border": border, "behind": border + 1, "some": offered * 2 // 3, "all": offered}.get(str(share), share)
        n = min(int(n), offered)
        waiting = b"".join(m.data[len(m.data) - m.left :] for m in self.flushed() if not m.missing)
        if isinstance(plan, SendBuffers):
            everything = taken(plan, offered)
            assert 1 <= len(plan.views) <= max_views
            assert all(len(bytes(view)) for view in plan.views)
            assert not plan.more or len(waiting) > offered, "more is announced, and nothing follows"
        else:
            everything = os.pread(plan.region.fileno(), offered, plan.offset)
        assert waiting.startswith(everything)
        self.sent += everything[:n]
        with pytest.raises(ValueError):
            self.queue.sent(offered + 1)
        self.queue.sent(n)
        self.complete(n)

    def complete(self, n: int) -> None:
        """Do what the kernel's taking `n` more bytes means: whole messages are done, in order, the empty ones too."""
        while len(self.messages) > self.unflushed:
            message = self.messages[0]
            k = min(n, message.left)
            start = len(message.data) - message.left
            self.expected += message.data[start : start + k]
            message.left -= k
            n -= k
            if message.left or not message.known:
                break
            self.expected_told.append(self.messages.pop(0))
        assert n == 0

    @precondition(lambda self: self.counter > 10)
    @rule()
    def fail(self) -> None:
        """Everything is given up."""
        error = ConnectionError("model")
        first = self.failure is None
        self.queue.fail(error)
        if first:
            self.failure = error
        self.expected_told += self.messages
        self.messages.clear()
        self.unflushed = 0

    # What always holds.

    @invariant()
    def agrees(self) -> None:
        """Bytes, outcomes, order and counts are those of the model."""
        if not hasattr(self, "queue"):
            return
        self.queue._check()
        assert self.sent == self.expected
        buffers = sum(m.left for m in self.messages if not m.region)
        assert self.queue.pending_entries == len(self.messages)
        assert self.queue.pending_bytes == buffers + 96 * len(self.messages)
        files = sum(m.left for m in self.messages if m.region and m.known)
        assert self.queue.pending_file_bytes == files
        assert [m.outcomes for m in self.told if len(m.outcomes) != 1] == []
        assert self.edges == [i % 2 == 1 for i in range(len(self.edges))]

    def teardown(self) -> None:
        """Nothing is left behind, and every promise was told once, in order."""
        if hasattr(self, "queue"):
            self.fail()
            assert self.told == self.expected_told
            for message in self.told:
                outcome = message.outcomes[0]
                assert isinstance(outcome, FileNotFoundError | ConnectionError) or (
                    outcome == "sent" and not message.missing
                )
            assert self.pool.statistics().live_blocks == 0
        self.directory.cleanup()
        assert open_descriptors() == self.descriptors


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(max_examples=6, deadline=None)
@given(count=st.integers(0, 5000), seed=st.randoms(use_true_random=False))
def test_b046_up_to_five_thousand_parts_arrive_as_they_were_added(count: int, seed: object) -> None:
    """0..5000 parts around the thresholds against random short writes: the stream, the outcomes, the iovec limit."""
    draw = seed.choice  # type: ignore[attr-defined]
    pool = zbuf.Pool()
    queue = OutboundQueue(pool, write_limit_bytes=1 << 30, coalesce_below=64)
    told: list[int] = []

    class Told:
        def __init__(self, name: int) -> None:
            self.name = name

        def succeed(self) -> None:
            told.append(self.name)

        def fail(self, exc: BaseException) -> None:
            raise AssertionError(exc)

    expected = bytearray()
    for i in range(count):
        data = bytes([i % 256]) * draw([0, 1, 7, 63, 64, 65, 200])
        expected += data
        queue.add(data if i % 3 else zbuf.copied(data), Told(i))
    queue.flush()
    received = bytearray()
    while isinstance(plan := queue.next_write(), SendBuffers):
        assert 1 <= len(plan.views) <= 1024
        n = draw([plan.nbytes, plan.nbytes, plan.nbytes // 2, 1, min(plan.nbytes, 64), 0])
        received += taken(plan, plan.nbytes)[:n]
        queue.sent(n)
    assert received == expected
    assert told == list(range(count))
    assert pool.statistics().live_blocks == 0
    assert (queue.pending_bytes, queue.pending_entries) == (0, 0)
