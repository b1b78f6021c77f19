"""A composite against flat bytes, for a hundred thousand random steps.

Owns    BEHAVIOURS 110.
Never   sharing between handles: the state machine of test_buffer_model has that. Here every part is fresh.
Always  after each step indices, bytes and the list of components are the model's. The seed stands in the test's name,
        so a failure runs again.

Two seeds of 4,000 steps; with `--hypothesis-profile=nightly` (what the nightly session gives) two of 50,000.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from zbuf import ByteBuf, CompositeByteBuf, copied, wrap
from zbuf.buffer import Pool
from zbuf.errors import BoundsError, ReadOnlyError

STEPS, NIGHTLY_STEPS = 4_000, 50_000
MOST = 600  # bytes; beyond, steps that add are left out


@dataclass
class Flat:
    """The model: all bytes in one piece, two integers; for each component its length and whether it refuses writes."""

    data: bytearray = field(default_factory=bytearray)
    r: int = 0
    w: int = 0
    cuts: list[tuple[int, bool]] = field(default_factory=list)

    def start_of(self, k: int) -> int:
        return sum(length for length, _ in self.cuts[:k])

    def drop_front(self, n: int) -> None:
        """Everything before `n` goes; the indices follow."""
        self.data = self.data[n:]
        self.r, self.w = self.r - n, self.w - n
        while n:
            length, refuses = self.cuts.pop(0)
            if length > n:
                self.cuts.insert(0, (length - n, refuses))
            n -= min(n, length)

    def drop_back(self, n: int) -> None:
        """Everything from `n` on goes; the indices are pulled in."""
        over = len(self.data) - n
        self.data = self.data[:n]
        self.r, self.w = min(self.r, n), min(self.w, n)
        while over:
            length, refuses = self.cuts.pop()
            if length > over:
                self.cuts.append((length - over, refuses))
            over -= min(over, length)

    def whole_before_r(self) -> int:
        """The bytes of the components that lie wholly before the reader index."""
        n = 0
        for length, _ in self.cuts:
            if n + length > self.r:
                break
            n += length
        return n

    def refuses(self, index: int, n: int) -> bool:
        at = 0
        for length, refuses in self.cuts:
            if refuses and index < at + length and at < index + n:
                return True
            at += length
        return False


class Walk:
    """One random history."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pool = Pool(max_cached_bytes=1 << 16)
        self.buf: CompositeByteBuf = self.pool.composite()
        self.model = Flat()

    # Parts.

    def part(self) -> tuple[Any, list[tuple[bytes, bool]]]:
        """A part of some kind, and the components that it is to become."""
        rng = self.rng
        data = rng.randbytes(rng.choice((0, 1, 1, 2, 3, 5, 8, 13, 21)))
        kind = rng.randrange(7)
        if kind == 0:
            return data, [(data, True)]
        if kind == 1:
            return bytearray(data), [(data, False)]
        if kind == 2:
            return copied(b"<" + data + b">").slice(1, len(data)), [(data, False)]
        if kind == 3:
            return copied(data).as_read_only(), [(data, True)]
        if kind == 4:
            buf = self.pool.buffer(len(data) + 9)
            buf.write_bytes(b"head" + data)
            buf.skip_bytes(4)
            return buf, [(data, False)]
        if kind == 5:
            inner, pieces = self.pool.composite(), []
            for _ in range(rng.randrange(4)):
                part, more = self.part()
                inner.append(part)
                pieces += more
            return inner.retain() if rng.randrange(2) else inner, pieces
        return wrap(data, data[::-1], read_only=True), [(data, True), (data[::-1], True)]

    @staticmethod
    def cuts_of(pieces: list[tuple[bytes, bool]]) -> list[tuple[int, bool]]:
        return [(len(data), refuses) for data, refuses in pieces if data]

    @staticmethod
    def let_go(part: Any) -> None:
        """Give up what a retained part has left."""
        if isinstance(part, ByteBuf) and part.refcnt:
            part.release()

    # Steps.

    def append(self) -> None:
        part, pieces = self.part()
        self.buf.append(part)
        self.appended(pieces)
        self.let_go(part)

    def extend(self) -> None:
        given = [self.part() for _ in range(self.rng.randrange(5))]
        self.buf.extend(part for part, _ in given)
        for part, pieces in given:
            self.appended(pieces)
            self.let_go(part)

    def appended(self, pieces: list[tuple[bytes, bool]]) -> None:
        model, data = self.model, b"".join(piece for piece, _ in pieces)
        if data:
            model.drop_back(model.w)
            model.data += data
            model.cuts += self.cuts_of(pieces)
            model.w += len(data)

    def prepend(self) -> None:
        part, pieces = self.part()
        self.buf.prepend(part)
        model, data = self.model, b"".join(piece for piece, _ in pieces)
        model.drop_front(model.r)
        model.data[:0] = data
        model.cuts[:0] = self.cuts_of(pieces)
        model.w += len(data)
        self.let_go(part)

    def insert(self) -> None:
        model = self.model
        k = self.rng.randint(0, len(model.cuts))
        start = model.start_of(k)
        part, pieces = self.part()
        self.buf.insert_component(k, part)
        if start > model.w:
            self.appended(pieces)
        else:
            data = b"".join(piece for piece, _ in pieces)
            model.data[start:start] = data
            model.cuts[k:k] = self.cuts_of(pieces)
            model.r += len(data) if start < model.r else 0
            model.w += len(data)
        self.let_go(part)

    def pop(self) -> None:
        model = self.model
        if not model.cuts:
            with pytest.raises(BoundsError):
                self.buf.pop_component(0)
            return
        k = self.rng.choice((0, len(model.cuts) - 1, self.rng.randrange(len(model.cuts))))
        low = model.start_of(k)
        length, refuses = model.cuts.pop(k)
        out = self.buf.pop_component(k)
        assert (bytes(out), out.is_read_only) == (bytes(model.data[low : low + length]), refuses)
        del model.data[low : low + length]
        model.r -= min(max(model.r - low, 0), length)
        model.w -= min(max(model.w - low, 0), length)

    def discard(self) -> None:
        model = self.model
        act = self.rng.choice(("discard_read_components", "discard_read_bytes", "discard_some_read_bytes"))
        getattr(self.buf, act)()
        model.drop_front(model.r if act == "discard_read_bytes" or model.r == model.w else model.whole_before_r())

    def consolidate(self) -> None:
        model = self.model
        k = self.rng.randint(0, len(model.cuts))
        count = self.rng.randint(0, len(model.cuts) - k)
        self.buf.consolidate(k, count)
        if count > 1:
            model.cuts[k : k + count] = [(sum(length for length, _ in model.cuts[k : k + count]), False)]

    def read(self) -> None:
        model = self.model
        n = min(self.rng.choice((1, 2, 3, 4, 8, 20, MOST)), model.w - model.r)
        expected = bytes(model.data[model.r : model.r + n])
        way = self.rng.randrange(5)
        if way == 0 and n in (1, 2, 4, 8):
            word = {1: "byte", 2: "short", 4: "int", 8: "long"}[n]
            assert getattr(self.buf, f"read_unsigned_{word}")() == int.from_bytes(expected, "big")
        elif way == 1:
            assert bytes(self.buf.read_slice(n)) == expected
        elif way == 2:
            self.buf.skip_bytes(n)
        elif way == 3:
            target = bytearray(n)
            self.buf.read_bytes_into(target)
            assert target == expected
        else:
            assert self.buf.read_bytes(n) == expected
        model.r += n

    def write(self) -> None:
        model = self.model
        data = self.rng.randbytes(self.rng.choice((1, 2, 8, 30)))
        there = min(len(data), len(model.data) - model.w)
        if model.refuses(model.w, there):
            with pytest.raises(ReadOnlyError):
                self.buf.write_bytes(data)
            self.took_room(len(model.data))
            return
        was = len(model.data)
        self.buf.write_bytes(data)
        self.took_room(was, model.w + len(data))
        model.data[model.w : model.w + len(data)] = data
        model.w += len(data)

    def took_room(self, was: int, written: int = 0) -> None:
        """Follow the capacity, and make bytes that nobody wrote zeros in both."""
        more = self.buf.capacity - was
        if more:
            self.model.cuts.append((more, False))
            self.model.data += bytes(more)
            self.buf.set_zero(max(was, written), self.buf.capacity - max(was, written))

    def set(self) -> None:
        model = self.model
        index = self.rng.randint(0, len(model.data))
        data = self.rng.randbytes(self.rng.choice((1, 2, 4, 8, 20)))[: len(model.data) - index]
        if model.refuses(index, len(data)):
            with pytest.raises(ReadOnlyError):
                self.buf.set_bytes(index, data)
            return
        if len(data) == 4 and self.rng.randrange(2):
            self.buf.set_int(index, int.from_bytes(data, "big"))
        else:
            self.buf.set_bytes(index, data)
        model.data[index : index + len(data)] = data

    def set_index(self) -> None:
        model = self.model
        model.r, model.w = sorted(self.rng.randint(0, len(model.data)) for _ in range(2))
        self.buf.set_index(model.r, model.w)

    def set_capacity(self) -> None:
        n, was = self.rng.randint(0, MOST), len(self.model.data)
        self.buf.set_capacity(n)
        if n < was:
            self.model.drop_back(n)
        else:
            self.took_room(was)

    def look(self) -> None:
        """What moves nothing: slices, views, searches, components by offset."""
        model, rng = self.model, self.rng
        low, high = sorted(rng.randint(0, len(model.data)) for _ in range(2))
        expected = bytes(model.data[low:high])
        part = self.buf.slice(low, high - low)
        part._check()
        assert (bytes(part), part.max_capacity) == (expected, high - low)
        assert b"".join(map(bytes, self.buf.decompose(low, high - low))) == expected
        assert self.buf.copy(low, high - low) == expected
        assert b"".join(self.buf.readable_views()) == bytes(model.data[model.r : model.w])
        needle = bytes(model.data[low : low + 3])
        if needle:
            assert self.buf.find(needle, 0, len(model.data)) == bytes(model.data).find(needle)
        if low < len(model.data):
            k = self.buf.to_component_index(low)
            assert model.start_of(k) <= low < model.start_of(k + 1)
            assert self.buf.to_byte_index(k) == model.start_of(k)
            assert self.buf.component_at_offset(low).capacity == model.cuts[k][0]

    def change_hands(self) -> None:
        """The walk goes on with another handle on the same bytes."""
        model = self.model
        way = self.rng.randrange(4)
        if way == 0:
            self.buf = self.buf.move()
        elif way == 1:
            self.buf = self.buf.duplicate()
        elif way == 2:
            n = self.rng.randint(0, model.w - model.r)
            front, gone = self.buf.split(n), bytes(model.data[model.r : model.r + n])
            assert bytes(front) == gone
            model.drop_front(model.r + n)
            model.r = 0
        else:
            at = self.rng.randint(0, len(model.data))
            back = self.buf.split_off(at)
            assert back.get_bytes(0, back.capacity) == model.data[at:]
            model.drop_back(at)

    def clear(self) -> None:
        if self.rng.randrange(4):
            return
        self.buf.clear()
        self.model = Flat()

    def step(self) -> str:
        adding = (self.append, self.append, self.extend, self.prepend, self.insert, self.insert, self.write)
        others = (
            self.pop, self.pop, self.discard, self.discard, self.consolidate, self.read, self.read, self.read, self.set,
            self.set, self.set_index, self.set_capacity, self.look, self.look, self.change_hands, self.clear,
        )  # fmt: skip
        act = self.rng.choice((*adding, *others) if len(self.model.data) < MOST else others)
        act()
        return act.__name__

    def agree(self, number: int, name: str) -> None:
        buf, model = self.buf, self.model
        buf._check()
        seen = (buf.reader_index, buf.writer_index, buf.capacity, buf.num_components)
        assert seen == (model.r, model.w, len(model.data), len(model.cuts)), (number, name)
        assert buf.get_bytes(0, buf.capacity) == model.data, (number, name)
        assert bytes(buf) == model.data[model.r : model.w], (number, name)
        shown = [(part.capacity, part.is_read_only) for part in buf.components()]
        assert shown == model.cuts, (number, name)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [110, 20])
def test_b110_random_steps_agree_with_flat_bytes(seed: int, request: pytest.FixtureRequest) -> None:
    """Append, prepend, insert, pop, discard, consolidate, read, write, slice, split, clear, in any order."""
    nightly = request.config.getoption("--hypothesis-profile", None) == "nightly"
    walk = Walk(seed)
    for number in range(NIGHTLY_STEPS if nightly else STEPS):
        walk.agree(number, walk.step())
    pool = walk.pool
    del walk
    assert pool.statistics().live_blocks == 0
