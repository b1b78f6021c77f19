"""The half of the buffer machine that writes and reads values: text, numbers, arrays, streams, and parts of composites.

Owns    every way to put bytes at the writer index, to take them from the reader index, to set and get them in place;
        rules that put components in and take them out.
Never   what a block, a window and a handle are: `_buffer_model` has that.
Always  a rule computes with Python's own tools what bytes a call must store, and what it must return.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from tests.model._buffer_model import Block, Handles, Live, Model, Piece, fraction, small, some_bytes
from zbuf import ByteBuf, CompositeByteBuf, copied

try:
    import numpy
except ImportError:  # the rules about arrays then do nothing
    numpy = None

text = st.text(st.characters(codec="utf-8"), max_size=6)
encodings = st.sampled_from(("utf-8", "utf-16-le", "latin-1"))
unsigned_64 = st.integers(0, 2**64 - 1)
STORED = {"byte": "b", "short": "h", "int": "i", "long": "q", "float": "f", "double": "d"}


def varint(value: int) -> bytes:
    """The shortest base-128 form, low group first."""
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


class Values(Handles):
    """Every rule does the same to a buffer and to its model."""

    # What all writers, setters and readers share.

    def put(self, one: Live, data: bytes, write: Callable[[ByteBuf], Any]) -> None:
        """Let `write` write `data` at the writer index, if this handle may; the model follows."""
        model, buf = one.model, one.buf
        if model.read_only or ((model.fixed or model.shrunk) and model.writer + len(data) > model.capacity):
            return
        if not model.can_write(model.writer, min(len(data), model.capacity - model.writer)):
            return
        was = buf.capacity
        write(buf)
        assert buf.writer_index == model.writer + len(data)
        assert buf.get_bytes(model.writer, len(data)) == data
        if buf.capacity > was:
            # Make the unspecified tail known in both, and put the written bytes back over the zeros.
            buf.writer_index = model.writer
            self.grown(one, was)
            buf.write_bytes(data)
        model.store(model.writer, data)
        model.writer += len(data)

    def place(self, one: Live, at: float, data: bytes, store: Callable[[ByteBuf, int], Any]) -> None:
        """Let `store` set `data` somewhere in the window, if it fits and this handle may; the model follows."""
        room = one.model.capacity - len(data)
        if room < 0 or not one.model.can_write(int(at * room), len(data)):
            return
        index = int(at * room)
        store(one.buf, index)
        one.model.store(index, data)

    def take(self, one: Live, n: float) -> bytes:
        """The bytes that a reader of some length must give; the model's reader index moves over them."""
        data = one.model.readable()
        data = data[: int(n * len(data))]
        one.model.reader += len(data)
        return data

    # Text.

    @precondition(lambda self: self.live)
    @rule(which=small, what=text, encoding=encodings, at=fraction, in_place=st.booleans())
    def write_or_set_string(self, which: int, what: str, encoding: str, at: float, in_place: bool) -> None:
        data = what.encode(encoding, "replace")
        if in_place:
            self.place(self.pick(which), at, data, lambda b, i: b.set_string(i, what, encoding, "replace"))
        else:
            self.put(self.pick(which), data, lambda b: b.write_string(what, encoding, "replace"))

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def read_string(self, which: int, n: float) -> None:
        one = self.pick(which)
        data = self.take(one, n)
        assert one.buf.read_string(len(data), "latin-1") == data.decode("latin-1")
        assert one.buf.to_string("latin-1") == one.model.readable().decode("latin-1")

    # Numbers, structs, arrays.

    @precondition(lambda self: self.live)
    @rule(which=small, value=unsigned_64, zigzag=st.booleans())
    def write_varint(self, which: int, value: int, zigzag: bool) -> None:
        data = varint(value)
        signed = (value >> 1) ^ -(value & 1)
        if zigzag:
            self.put(self.pick(which), data, lambda b: b.write_varint_zigzag(signed))
        else:
            self.put(self.pick(which), data, lambda b: b.write_varint(value))

    @precondition(lambda self: self.live)
    @rule(which=small)
    def read_varint(self, which: int) -> None:
        one = self.pick(which)
        data = one.model.readable()[:10]
        ends = [k for k, byte in enumerate(data) if byte < 0x80]
        if not ends:
            return
        value = sum((byte & 0x7F) << 7 * k for k, byte in enumerate(data[: ends[0] + 1]))
        if value >= 2**64:
            return
        assert one.buf.get_varint(one.model.reader) == (value, ends[0] + 1)
        assert one.buf.read_varint() == value
        one.model.reader += ends[0] + 1

    @precondition(lambda self: self.live)
    @rule(which=small, word=st.sampled_from(tuple(STORED)), raw=st.binary(min_size=8, max_size=8), little=st.booleans())
    def write_number(self, which: int, word: str, raw: bytes, little: bool) -> None:
        layout = ("<" if little else ">") + STORED[word]
        (value,) = struct.unpack(layout, raw[: struct.calcsize(layout)])
        if value != value:  # which bits a NaN keeps is the accessors' own test
            return
        name = f"write_{word}_le" if little and word != "byte" else f"write_{word}"
        if word == "byte":
            layout = "b"
        self.put(self.pick(which), struct.pack(layout, value), lambda b: getattr(b, name)(value))

    @precondition(lambda self: self.live)
    @rule(which=small, word=st.sampled_from(("byte", "short", "int", "long")), little=st.booleans(), peek=st.booleans())
    def read_number(self, which: int, word: str, little: bool, peek: bool) -> None:
        one = self.pick(which)
        layout = ("<" if little else ">") + STORED[word]
        size = struct.calcsize(layout)
        data = one.model.readable()[:size]
        if len(data) < size:
            return
        tail = "_le" if little and word != "byte" else ""
        (value,) = struct.unpack(layout, data)
        assert getattr(one.buf, f"{'peek' if peek else 'read'}_{word}{tail}")() == value
        one.model.reader += 0 if peek else size

    @precondition(lambda self: self.live)
    @rule(which=small, head=st.integers(0, 2**16 - 1), tail=st.integers(-(2**31), 2**31 - 1), at=fraction)
    def structs(self, which: int, head: int, tail: int, at: float) -> None:
        one = self.pick(which)
        data = struct.pack(">Hi", head, tail)
        self.place(one, at, data, lambda b, i: b.set_struct(i, ">Hi", head, tail))
        self.put(one, data, lambda b: b.write_struct(">Hi", head, tail))
        if len(one.model.readable()) >= 6:
            assert one.buf.get_struct(one.model.reader, "<HI") == struct.unpack("<HI", one.model.readable()[:6])
            assert one.buf.read_struct(">Hi") == struct.unpack(">Hi", one.model.readable()[:6])
            one.model.reader += 6

    @precondition(lambda self: self.live and numpy is not None)
    @rule(which=small, values=st.lists(st.integers(0, 2**16 - 1), max_size=5), count=st.integers(0, 4))
    def arrays(self, which: int, values: list[int], count: int) -> None:
        one = self.pick(which)
        array = numpy.array(values, dtype=">u2")
        self.put(one, array.tobytes(), lambda b: b.write_array(array))
        there = one.model.readable()
        count = min(count, len(there) // 2)
        expected = [int.from_bytes(there[k : k + 2], "little") for k in range(0, 2 * count, 2)]
        assert one.buf.read_array("<u2", count).tolist() == expected
        one.model.reader += 2 * count

    # Zeros, streams, other buffers.

    @precondition(lambda self: self.live)
    @rule(which=small, n=small, at=fraction, in_place=st.booleans())
    def zeros(self, which: int, n: int, at: float, in_place: bool) -> None:
        if in_place:
            self.place(self.pick(which), at, bytes(n), lambda b, i: b.set_zero(i, n))
        else:
            self.put(self.pick(which), bytes(n), lambda b: b.write_zero(n))

    @precondition(lambda self: self.live)
    @rule(which=small, data=st.binary(min_size=1, max_size=12), at=fraction, in_place=st.booleans())
    def from_a_stream(self, which: int, data: bytes, at: float, in_place: bool) -> None:
        stream = io.BytesIO(data + b"beyond")
        if in_place:
            self.place(self.pick(which), at, data, lambda b, i: b.set_from(i, stream, len(data)))
        else:
            self.put(self.pick(which), data, lambda b: b.write_from(stream, len(data)))

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def to_a_stream(self, which: int, n: float) -> None:
        one = self.pick(which)
        data = self.take(one, n)
        stream = io.BytesIO()
        assert one.buf.read_to(stream, len(data)) == len(data)
        assert stream.getvalue() == data

    @precondition(lambda self: self.live)
    @rule(which=small, other=small, n=fraction)
    def write_a_buffer(self, which: int, other: int, n: float) -> None:
        """Writing a buffer reads it; writing one into itself appends a copy."""
        one, two = self.pick(which), self.pick(other)
        length = int(n * len(two.model.readable()))
        data = two.model.readable()[:length]
        was = one.model.writer
        self.put(one, data, lambda b: b.write_bytes(two.buf.duplicate(), length=length))
        if one.model.writer > was or not data:
            two.buf.skip_bytes(length)
            two.model.reader += length

    @precondition(lambda self: self.live)
    @rule(which=small, n=fraction)
    def read_into_memory(self, which: int, n: float) -> None:
        one = self.pick(which)
        data = self.take(one, n)
        target = bytearray(len(data) + 2)
        assert one.buf.read_bytes_into(target, 1, len(data)) == len(data)
        assert target == b"\0" + data + b"\0"

    @precondition(lambda self: self.live)
    @rule(which=small, data=some_bytes)
    def receive(self, which: int, data: bytes) -> None:
        """Bytes that an outside call put into the writable views."""

        def by_views(buf: ByteBuf) -> None:
            left = data
            for view in buf.writable_views(len(data)):
                view[: len(left)] = left[: len(view)]
                left = left[len(view) :]
                view.release()
            buf.writer_index += len(data)

        one = self.pick(which)
        if any(piece.read_only for piece in one.model.cut(one.model.writer, one.model.capacity - one.model.writer)):
            return
        self.put(one, data, by_views)

    # Capacity that is asked for.

    @precondition(lambda self: self.live)
    @rule(which=small, n=st.integers(0, 40))
    def try_ensure_writable(self, which: int, n: int) -> None:
        one = self.pick(which)
        model, was = one.model, one.buf.capacity
        room = was - model.writer
        if model.shrunk or (n > room and not model.read_only and not model.can_write(model.writer, room)):
            return
        got = one.buf.try_ensure_writable(n)
        assert got == (not model.read_only and (n <= was - model.writer or not model.fixed))
        if not got:
            assert one.buf.capacity == was
        self.grown(one, was)

    # Components.

    def composites(self) -> list[Live]:
        return [one for one in self.live if one.model.composite and not one.model.read_only and not one.model.fixed]

    def some_composite(self, which: int) -> tuple[Live, CompositeByteBuf, list[int]]:
        """A composite that takes parts, and where each of its components starts, and where the last ends."""
        whole = self.composites()[which % len(self.composites())]
        assert isinstance(whole.buf, CompositeByteBuf)
        return whole, whole.buf, [0, *accumulate(part.capacity for part in whole.buf.components())]

    @precondition(lambda self: self.composites())
    @rule(which=small, k=small, data=some_bytes)
    def insert_component(self, which: int, k: int, data: bytes) -> None:
        whole, buf, starts = self.some_composite(which)
        model = whole.model
        if model.shrunk:
            return
        k = min(k, len(starts) - 1)
        buf.insert_component(k, copied(data))
        if not data:
            return
        start, n = starts[k], len(data)
        if start > model.writer:  # behind it lies what was not written: that is cut off
            model.pieces, start = model.cut(0, model.writer), model.writer
        before, behind = model.cut(0, start), model.cut(start, model.capacity - start)
        model.pieces = [*before, Piece(Block(bytearray(data)), 0, n), *behind]
        model.reader += n if start < model.reader else 0
        model.writer += n

    @precondition(lambda self: self.composites())
    @rule(which=small, k=small)
    def pop_component(self, which: int, k: int) -> None:
        whole, buf, starts = self.some_composite(which)
        if len(starts) == 1:
            return
        k %= len(starts) - 1
        start, n = starts[k], starts[k + 1] - starts[k]
        model = whole.model
        part = buf.pop_component(k)
        pieces = model.cut(start, n)
        model.pieces = [*model.cut(0, start), *model.cut(start + n, model.capacity - start - n)]
        model.reader -= min(max(model.reader - start, 0), n)
        model.writer -= min(max(model.writer - start, 0), n)
        read_only = any(piece.read_only for piece in pieces)
        self.add(part, Model(pieces, 0, n, fixed=True, read_only=read_only))

    @precondition(lambda self: self.composites())
    @rule(which=small, parts=st.lists(some_bytes, max_size=3))
    def extend(self, which: int, parts: list[bytes]) -> None:
        whole, buf, _ = self.some_composite(which)
        model = whole.model
        if model.shrunk:
            return
        buf.extend([copied(part) for part in parts])
        added = [Piece(Block(bytearray(part)), 0, len(part)) for part in parts if part]
        if added:
            model.pieces = [*model.cut(0, model.writer), *added]
            model.writer += sum(piece.length for piece in added)

    @precondition(lambda self: self.composites())
    @rule(which=small)
    def discard_read_components(self, which: int) -> None:
        whole, buf, starts = self.some_composite(which)
        model = whole.model
        gone = model.writer if model.reader == model.writer else max(s for s in starts if s <= model.reader)
        buf.discard_read_components()
        model.pieces = model.cut(gone, model.capacity - gone)
        model.reader -= gone
        model.writer -= gone

    @precondition(lambda self: self.composites())
    @rule(which=small, at=fraction, upto=fraction)
    def decompose(self, which: int, at: float, upto: float) -> None:
        whole, buf, starts = self.some_composite(which)
        low, high = sorted((int(at * whole.model.capacity), int(upto * whole.model.capacity)))
        parts = buf.decompose(low, high - low)
        assert b"".join(map(bytes, parts)) == whole.model.window()[low:high]
        touched = [start for start, end in pairwise(starts) if low < high and start < high and end > low]
        assert len(parts) == len(touched)
        for k in range(len(starts) - 1):
            assert buf.to_byte_index(k) == starts[k]
            assert buf.to_component_index(starts[k]) == buf.to_component_index(starts[k + 1] - 1) == k
