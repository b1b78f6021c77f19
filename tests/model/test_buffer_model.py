"""Random operations on live buffers of every shape against a plain model.

Owns    the rules that read, write, grow, discard, join, count and export.
Never   fault classes: a rule only does what is legal, or asserts the one error that must come.
Always  a rule does the same to a buffer and to its model; the invariants of `Handles` compare them after each step.

Profiles: `--hypothesis-profile=pr` (200 runs of 50 steps) and `nightly`, where this machine makes 24,000 runs of 100:
some end early, and two million steps are left.
"""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule

from tests.contracts._kit import fails
from tests.model._buffer_model import Block, Handles, Piece, fraction, small, some_bytes
from tests.model._values import Values
from zbuf.errors import ReadOnlyError, ReferenceCountError


class BufferMachine(Values):
    """Every rule does the same to a buffer and to its model."""

    # Bytes and indices.

    @precondition(lambda self: self.live)
    @rule(which=small, data=some_bytes)
    def write(self, which: int, data: bytes) -> None:
        self.put(self.pick(which), data, lambda b: b.write_bytes(data))

    @precondition(lambda self: self.live)
    @rule(which=small, value=st.integers(-(2**31), 2**32 - 1))
    def write_int(self, which: int, value: int) -> None:
        self.write(which, (value % 2**32).to_bytes(4, "big"))

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def read(self, which: int, n: float) -> None:
        one = self.pick(which)
        length = int(n * len(one.model.readable()))
        assert one.buf.read_bytes(length) == one.model.readable()[:length]
        one.model.reader += length

    @precondition(lambda self: self.live)
    @rule(which=small, at=fraction, data=some_bytes)
    def set(self, which: int, at: float, data: bytes) -> None:
        one = self.pick(which)
        index = int(at * one.model.capacity)
        data = data[: one.model.capacity - index]
        if not one.model.can_write(index, len(data)):
            return
        one.buf.set_bytes(index, data)
        one.model.store(index, data)

    @precondition(lambda self: self.live)
    @rule(which=small, at=fraction, value=st.integers(0, 2**64 - 1), width=st.sampled_from((1, 2, 3, 4, 8)))
    def set_and_get_number(self, which: int, at: float, value: int, width: int) -> None:
        one = self.pick(which)
        if one.model.capacity < width:
            return
        index = int(at * (one.model.capacity - width))
        word = {1: "byte", 2: "short", 3: "medium", 4: "int", 8: "long"}[width]
        raw = one.model.window()[index : index + width]
        assert getattr(one.buf, f"get_unsigned_{word}")(index) == int.from_bytes(raw, "big")
        if one.model.can_write(index, width):
            value %= 1 << 8 * width
            getattr(one.buf, f"set_{word}")(index, value)
            one.model.store(index, value.to_bytes(width, "big"))

    @precondition(lambda self: self.live)
    @rule(which=small, other=small, n=fraction)
    def transfer(self, which: int, other: int, n: float) -> None:
        one, two = self.pick(which), self.pick(other)
        length = int(n * min(len(two.model.readable()), one.model.capacity))
        if not one.model.can_write(0, length):
            return
        data = two.model.readable()[:length]
        one.buf.set_bytes(0, two.buf, two.buf.reader_index, length)
        one.model.store(0, data)

    @precondition(lambda self: self.live)
    @rule(which=small, r=fraction, w=fraction)
    def set_index(self, which: int, r: float, w: float) -> None:
        one = self.pick(which)
        low, high = sorted((int(r * one.model.capacity), int(w * one.model.capacity)))
        one.buf.set_index(low, high)
        one.model.reader, one.model.writer = low, high

    @precondition(lambda self: self.live)
    @rule(which=small, needle=st.binary(min_size=1, max_size=2), take=st.booleans(), at=fraction)
    def find(self, which: int, needle: bytes, take: bool, at: float) -> None:
        one = self.pick(which)
        data = one.model.readable()
        if take and data:
            start = int(at * (len(data) - 1))
            needle = data[start : start + 3]
        found, last = data.find(needle), data.rfind(needle)
        assert one.buf.find(needle) == (found if found < 0 else found + one.model.reader)
        assert one.buf.rfind(needle) == (last if last < 0 else last + one.model.reader)
        assert one.buf.bytes_before(needle) == found

    # Capacity and discarding.

    @precondition(lambda self: self.live)
    @rule(which=small, n=st.integers(0, 40))
    def set_capacity(self, which: int, n: int) -> None:
        one = self.pick(which)
        model, buf = one.model, one.buf
        was = model.capacity
        if model.read_only or n > buf.max_capacity or (n > was and (model.fixed or model.shrunk)):
            return
        buf.set_capacity(n)
        assert buf.capacity == n
        if n > was:
            self.grown(one, was)
        else:
            model.pieces = model.cut(0, n)
            model.writer = min(model.writer, n)
            model.reader = min(model.reader, model.writer)
            if model.fixed and n < was:
                assert model.composite or buf.max_capacity == n
                model.shrunk = model.shrunk or model.composite

    @precondition(lambda self: self.live)
    @rule(which=small, n=small)
    def ensure_writable(self, which: int, n: int) -> None:
        one = self.pick(which)
        if one.model.read_only or (one.model.fixed or one.model.shrunk):
            return
        was = one.buf.capacity
        room = was - one.model.writer
        if n > room and not one.model.can_write(one.model.writer, room):
            with fails(ReadOnlyError, one.buf):  # it would grow behind bytes that cannot be written
                one.buf.ensure_writable(n)
            return
        one.buf.ensure_writable(n)
        assert one.buf.writable_bytes >= n
        self.grown(one, was)

    @precondition(lambda self: self.live)
    @rule(which=small, some=st.booleans())
    def discard(self, which: int, some: bool) -> None:
        one = self.pick(which)
        model, buf = one.model, one.buf
        if model.read_only:
            return
        if some and not model.composite and model.reader < model.writer and 2 * model.reader < model.capacity:
            buf.discard_some_read_bytes()
            return
        readable, cap = model.readable(), model.capacity
        if some and model.composite:
            buf.discard_some_read_bytes()
            gone = cap - buf.capacity
            assert gone <= model.writer
            model.pieces = model.cut(gone, cap - gone)
            model.reader -= gone
            model.writer -= gone
            return
        buf.discard_some_read_bytes() if some else buf.discard_read_bytes()
        if model.composite:
            model.pieces = model.cut(model.reader, cap - model.reader)
        elif model.reader and readable:
            if self.is_alone(one):
                model.store(0, readable)
            else:
                model.fresh(readable + bytes(cap - len(readable)))
            buf.set_zero(len(readable), cap - len(readable))
            model.store(len(readable), bytes(cap - len(readable)))
        model.reader, model.writer = 0, len(readable)

    @precondition(lambda self: self.live)
    @rule(which=small)
    def compact(self, which: int) -> None:
        one = self.pick(which)
        data = one.model.readable()
        one.buf.compact()
        one.model.fresh(data)
        one.model.reader, one.model.writer = 0, len(data)
        if one.model.composite:
            one.model.fixed = one.buf.max_capacity == one.buf.capacity
        assert one.buf.capacity == len(data)

    @precondition(lambda self: self.live)
    @rule(which=small)
    def clear(self, which: int) -> None:
        one = self.pick(which)
        one.buf.clear()
        one.model.reader = one.model.writer = 0
        if one.model.composite:
            one.model.pieces = []
            one.model.shrunk = one.model.shrunk or one.model.fixed

    # Composites.

    @precondition(lambda self: self.composites())
    @rule(which=small, other=small, front=st.booleans(), keep=st.booleans())
    def join(self, which: int, other: int, front: bool, keep: bool) -> None:
        whole = self.composites()[which % len(self.composites())]
        part = self.pick(other)
        if part is whole or whole.model.shrunk:
            return
        if keep:
            part.buf.retain()
            part.model.count += 1
        pieces = part.model.cut(part.model.reader, len(part.model.readable()))
        model = whole.model
        (whole.buf.prepend if front else whole.buf.append)(part.buf)
        part.model.count -= 1
        if part.model.count == 0:
            assert part.buf.refcnt == 0
            self.live = [one for one in self.live if one is not part]
        length = sum(piece.length for piece in pieces)
        if front:
            model.pieces = [*pieces, *model.cut(model.reader, model.capacity - model.reader)]
            model.writer += length - model.reader
            model.reader = 0
        elif length:
            model.pieces = [*model.cut(0, model.writer), *pieces]
            model.writer += length

    @precondition(lambda self: self.composites())
    @rule(which=small, k=small, count=small)
    def consolidate(self, which: int, k: int, count: int) -> None:
        whole = self.composites()[which % len(self.composites())]
        there = whole.buf.num_components
        k = min(k, there)
        count = min(count, there - k)
        if count > 1:
            spans = [part.capacity for part in whole.buf.components()]
            at, n = sum(spans[:k]), sum(spans[k : k + count])
            model = whole.model
            joined = Piece(Block(bytearray(model.window()[at : at + n])), 0, n)
            model.pieces = [*model.cut(0, at), joined, *model.cut(at + n, model.capacity - at - n)]
        whole.buf.consolidate(k, count)

    # Counts and exports.

    @precondition(lambda self: self.live)
    @rule(which=small)
    def retain(self, which: int) -> None:
        one = self.pick(which)
        one.buf.retain()
        one.model.count += 1

    @precondition(lambda self: len(self.live) > 1)
    @rule(which=small)
    def release(self, which: int) -> None:
        one = self.pick(which)
        one.model.count -= 1
        assert one.buf.release() == (one.model.count == 0)
        if one.model.count == 0:
            self.live = [two for two in self.live if two is not one]
            try:
                one.buf.read_byte()
            except ReferenceCountError:
                return
            raise AssertionError("a released buffer was read")

    @precondition(lambda self: self.live and len(self.views) < 4)
    @rule(which=small, at=fraction, upto=fraction)
    def export(self, which: int, at: float, upto: float) -> None:
        one = self.pick(which)
        low, high = sorted((int(at * one.model.capacity), int(upto * one.model.capacity)))
        pieces = one.model.cut(low, high - low)
        if len(pieces) == 1:
            view = one.buf.view(low, high - low)
            assert view.readonly == (one.model.read_only or pieces[0].read_only)
            self.views[max(self.views, default=0) + 1] = (view, pieces[0])

    @precondition(lambda self: self.views)
    @rule(which=small, value=st.integers(0, 255))
    def write_through_a_view(self, which: int, value: int) -> None:
        view, piece = list(self.views.values())[which % len(self.views)]
        if not view.readonly:
            view[0] = value
            piece.block.bytes[piece.start] = value

    @precondition(lambda self: self.views)
    @rule(which=small, explicitly=st.booleans())
    def drop_view(self, which: int, explicitly: bool) -> None:
        view, _ = self.views.pop(list(self.views)[which % len(self.views)])
        if explicitly:
            view.release()


IS_NIGHTLY = settings.default is not None and settings.default.max_examples >= 5000
RUNS = 24_000 if IS_NIGHTLY else settings.default.max_examples if settings.default else 50

TestBufferModel = BufferMachine.TestCase
TestBufferModel.settings = settings(settings.default, max_examples=RUNS, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.skipif(not IS_NIGHTLY, reason="the steps are promised of the nightly profile")
def test_the_nightly_profile_makes_two_million_steps() -> None:
    """Counted as they were made."""
    assert Handles.steps >= 2_000_000
