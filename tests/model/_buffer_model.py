"""The plain model of buffers, and the half of the state machine that makes and derives handles.

Owns    what a block, a window and a handle are in the model; the rules that make handles; the invariants.
Never   a rule that reads, writes or grows: test_buffer_model has those.
Always  after each step every handle keeps its invariant and shows the model's bytes; so does every view.

The model of a block is a bytearray; a handle is a list of pieces (block, start, length) with two integers, so that
sharing, detaching and disjoint windows come out by themselves.
"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass, replace

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from zbuf import ByteBuf, copied, wrap
from zbuf.buffer import Pool

MOST = 3
small = st.integers(0, 12)
some_bytes = st.binary(max_size=12)
fraction = st.floats(0, 1)


@dataclass(eq=False)
class Block:
    """A block of the model; `outside` when the caller brought the memory."""

    bytes: bytearray
    outside: bool = False


@dataclass
class Piece:
    """Bytes [start, start + length) of a block, which may refuse writes."""

    block: Block
    start: int
    length: int
    read_only: bool = False


@dataclass
class Model:
    """What a handle must be: its window, its indices, what it may do."""

    pieces: list[Piece]
    reader: int
    writer: int
    fixed: bool = False
    read_only: bool = False
    composite: bool = False
    count: int = 1
    shrunk: bool = False  # a composite below its own maximum: whether it grows is left open

    @property
    def capacity(self) -> int:
        return sum(piece.length for piece in self.pieces)

    def window(self) -> bytes:
        return b"".join(bytes(p.block.bytes[p.start : p.start + p.length]) for p in self.pieces)

    def readable(self) -> bytes:
        return self.window()[self.reader : self.writer]

    def cut(self, start: int, length: int) -> list[Piece]:
        """Pieces over a range of the window."""
        found, at = [], 0
        for piece in self.pieces:
            low, high = max(start, at), min(start + length, at + piece.length)
            if low < high:
                found.append(Piece(piece.block, piece.start + low - at, high - low, piece.read_only or self.read_only))
            at += piece.length
        return found

    def store(self, index: int, data: bytes) -> None:
        """Write into the blocks of a range."""
        for piece in self.cut(index, len(data)):
            piece.block.bytes[piece.start : piece.start + piece.length] = data[: piece.length]
            data = data[piece.length :]

    def can_write(self, index: int, length: int) -> bool:
        return not self.read_only and not any(piece.read_only for piece in self.cut(index, length))

    def twin(self, read_only: bool) -> Model:
        """A second handle on the same window."""
        return replace(self, pieces=list(self.pieces), read_only=read_only, count=1)

    def fresh(self, data: bytes) -> None:
        """Detach: the window is a block of its own from now on."""
        self.pieces = [Piece(Block(bytearray(data)), 0, len(data))] if data else []


@dataclass
class Live:
    """A buffer under test beside its model."""

    buf: ByteBuf
    model: Model


class Handles(RuleBasedStateMachine):
    """The handles that live, how new ones are made and derived, and what always holds."""

    steps = 0  # of all runs together: the head of each run is one, then one for each rule

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(max_cached_bytes=4096)
        self.live: list[Live] = []
        self.views: dict[int, tuple[memoryview, Piece]] = {}
        self.sources: list[bytearray] = []

    def pick(self, which: int) -> Live:
        return self.live[which % len(self.live)]

    def add(self, buf: ByteBuf, model: Model) -> None:
        """Keep a new handle; the oldest of more than three goes, released or just dropped."""
        self.live.append(Live(buf, model))
        if len(self.live) > MOST:
            old = self.live.pop(0)
            if len(self.views) % 2:
                old.buf.release(old.model.count)

    def grown(self, one: Live, was: int) -> None:
        """After growth: the model follows the capacity, detached; unspecified bytes are made zeros in both."""
        model, buf = one.model, one.buf
        more = buf.capacity - was
        if more <= 0:
            return
        assert not model.fixed
        if model.composite:
            model.pieces = [*model.pieces, Piece(Block(bytearray(more)), 0, more)]
        else:
            model.fresh(model.window() + bytes(more))
        buf.set_zero(was, more)

    def is_alone(self, one: Live) -> bool:
        """Whether nobody else of the model holds a block of this handle."""
        blocks = {id(piece.block) for piece in one.model.pieces}
        others = [p for two in self.live if two is not one for p in two.model.pieces]
        exported = [piece for _, piece in self.views.values()]
        held = any(id(piece.block) in blocks for piece in [*others, *exported])
        return not held and not any(piece.block.outside for piece in one.model.pieces)

    def is_surely_alone(self, one: Live) -> bool:
        """As is_alone, but for what is a matter of taste: empty windows, two spans of one block in one composite."""
        blocks = {id(piece.block) for piece in one.model.pieces}
        return len(blocks) == len(one.model.pieces) and all(two.model.capacity for two in self.live)

    # New handles.

    @initialize(data=st.binary(min_size=1, max_size=20))
    def start_plain(self, data: bytes) -> None:
        self.new_plain(data, 3)

    @rule(data=some_bytes, spare=small)
    def new_plain(self, data: bytes, spare: int) -> None:
        buf = self.pool.buffer(len(data) + spare)
        buf.set_zero(0, buf.capacity)
        buf.write_bytes(data)
        self.add(buf, Model([Piece(Block(bytearray(data + bytes(spare))), 0, len(data) + spare)], 0, len(data)))

    @rule(data=st.binary(min_size=1, max_size=12), constant=st.booleans())
    def new_wrapped(self, data: bytes, constant: bool) -> None:
        source: bytes | bytearray = data if constant else bytearray(data)
        block = Block(bytearray(data), outside=True)
        pieces = [Piece(block, 0, len(data), constant)]
        self.add(wrap(source), Model(pieces, 0, len(data), fixed=True, read_only=constant))

    @rule(parts=st.lists(some_bytes, max_size=4), constant=st.booleans())
    def new_composite(self, parts: list[bytes], constant: bool) -> None:
        buf, pieces = self.pool.composite(), []
        for part in parts:
            buf.append(part if constant else copied(part))
            if part:
                pieces.append(Piece(Block(bytearray(part), outside=constant), 0, len(part), constant))
        self.add(buf, Model(pieces, 0, sum(map(len, parts)), composite=True))

    # Derived handles.

    @precondition(lambda self: self.live)
    @rule(which=small, at=fraction, upto=fraction)
    def slice(self, which: int, at: float, upto: float) -> None:
        one = self.pick(which)
        low, high = sorted((int(at * one.model.capacity), int(upto * one.model.capacity)))
        pieces = one.model.cut(low, high - low)
        part = one.buf.slice(low, high - low)
        several = type(part).__name__ == "CompositeByteBuf"
        assert several == (one.model.composite and len(pieces) != 1)
        # A slice over one read-only span refuses all writes; one over several refuses them where they touch it.
        read_only = one.model.read_only or (not several and any(piece.read_only for piece in pieces))
        self.add(part, Model(pieces, 0, high - low, fixed=True, read_only=read_only, composite=several))

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def read_slice(self, which: int, n: float) -> None:
        one = self.pick(which)
        length = int(n * len(one.model.readable()))
        part = one.buf.read_slice(length)
        assert bytes(part) == one.model.readable()[:length]
        one.model.reader += length

    @precondition(lambda self: self.live)
    @rule(which=small, read_only=st.booleans())
    def duplicate(self, which: int, read_only: bool) -> None:
        one = self.pick(which)
        twin = one.buf.as_read_only() if read_only else one.buf.duplicate()
        model = one.model
        self.add(twin, model.twin(read_only or model.read_only))

    @precondition(lambda self: self.live)
    @rule(which=small)
    def copy(self, which: int) -> None:
        one = self.pick(which)
        data = one.model.readable()
        twin = one.buf.copy()
        assert not twin.is_shared
        model = Model([], 0, len(data), shrunk=one.model.shrunk)  # its maximum may be that of a narrowed source
        model.fresh(data)
        self.add(twin, model)

    @precondition(lambda self: self.live)
    @rule(which=small)
    def move(self, which: int) -> None:
        one = self.pick(which)
        moved = one.buf.move()
        if one.model.count > 1:
            one.model.count -= 1
            self.add(moved, one.model.twin(one.model.read_only))
        else:
            assert one.buf.refcnt == 0
            one.buf = moved

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def split(self, which: int, n: float) -> None:
        one = self.pick(which)
        model = one.model
        length = int(n * len(model.readable()))
        cap = model.capacity
        gone = model.reader + length
        front = Model(
            model.cut(model.reader, length), 0, length, model.fixed, model.read_only, model.composite, 1, model.shrunk
        )
        model.pieces = model.cut(gone, cap - gone)
        model.reader, model.writer = 0, model.writer - gone
        part = one.buf.split(length)
        self.adjust_limits(one.buf, model)
        self.adjust_limits(part, front)
        self.add(part, front)

    @precondition(lambda self: self.live)
    @rule(which=small, at=fraction)
    def split_off(self, which: int, at: float) -> None:
        one = self.pick(which)
        model = one.model
        cap = model.capacity
        index = int(at * cap)
        back = Model(
            model.cut(index, cap - index), max(model.reader - index, 0), max(model.writer - index, 0),
            model.fixed, model.read_only, model.composite, 1, model.shrunk,
        )  # fmt: skip
        model.pieces = model.cut(0, index)
        model.reader, model.writer = min(model.reader, index), min(model.writer, index)
        part = one.buf.split_off(index)
        self.adjust_limits(one.buf, model)
        self.adjust_limits(part, back)
        self.add(part, back)

    def adjust_limits(self, buf: ByteBuf, model: Model) -> None:
        """Whether a half may grow is read off the buffer: how far is its own business, not to overlap is ours."""
        if model.fixed:
            assert buf.max_capacity == buf.capacity or model.shrunk
        model.fixed = buf.max_capacity == buf.capacity

    # What always holds.

    @invariant()
    def handles_show_what_the_model_says(self) -> None:
        for one in self.live:
            buf, model = one.buf, one.model
            buf._check()
            assert (buf.reader_index, buf.writer_index, buf.capacity) == (model.reader, model.writer, model.capacity)
            assert (buf.refcnt, buf.is_read_only) == (model.count, model.read_only)
            assert bytes(buf) == model.readable()
            assert bytes(buf.get_bytes(0, buf.capacity)) == model.window()
            assert b"".join(buf.readable_views()) == model.readable()
            if model.capacity and not self.is_alone(one):
                assert buf.is_shared
            elif model.capacity and self.is_surely_alone(one):
                assert not buf.is_shared

    @invariant()
    def views_show_what_the_model_says(self) -> None:
        for view, piece in self.views.values():
            assert bytes(view) == bytes(piece.block.bytes[piece.start : piece.start + piece.length])

    @invariant()
    def the_pool_adds_up(self) -> None:
        stats = self.pool.statistics()
        assert stats.reserved_bytes == stats.live_bytes + stats.cached_bytes
        assert stats.cached_bytes <= 4096

    @invariant()
    def a_step_was_made(self) -> None:
        Handles.steps += 1

    def teardown(self) -> None:
        self.live.clear()
        self.views.clear()
        if sys.exc_info()[0] is not None:
            return  # a failed run has buffers in its traceback
        if self.pool.statistics().live_blocks:
            gc.collect()
        assert self.pool.statistics().live_blocks == 0
