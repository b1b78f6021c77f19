"""Any bytes are a list of operations on a buffer, and after each it is what a bytearray and two integers say.

python tests/fuzz/fuzz_buffer_ops.py -max_total_time=60 tests/fuzz/corpus/buffer_ops     (needs atheris)

The first byte chooses the shape, the second how many bytes it begins with; then each byte is an operation, and those
after it are its arguments. Whatever an operation is given, it does what the model does or raises the class of error
that the model expects, and then nothing has changed.
"""

import sys
from collections.abc import Callable

import zbuf
from zbuf import ByteBuf, CompositeByteBuf
from zbuf.errors import BoundsError, DecodeError, ReadOnlyError
from zbuf.testing._shapes import BUILDERS, shape

SHAPES = tuple(BUILDERS)
FIXED = ("slice", "wrapped bytearray", "wrapped bytes")
MOST_STEPS = 60
CEILING = 400  # no buffer of a run grows beyond this
FAR = (-1, -(2**63), 2**31, 2**63 - 1)


class Source:
    """The fuzzer's bytes, taken from the front; zeros when there are none left."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def is_empty(self) -> bool:
        return self.at >= len(self.data)

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def some(self) -> bytes:
        """Up to 15 bytes."""
        n = self.byte() & 15
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self) -> int:
        """Mostly a small number, now and then one that no buffer has room for."""
        byte = self.byte()
        return FAR[byte & 3] if byte >= 252 else byte


class Machine:
    """A buffer beside its model: the bytes of its window, and two integers."""

    def __init__(self, source: Source) -> None:
        self.source = source
        name = SHAPES[source.byte() % len(SHAPES)]
        data = bytes((k * 7 + 1) & 255 for k in range(source.byte() % 48))
        self.buf: ByteBuf = shape(name, data)
        self.is_fixed = name in FIXED or self.buf.max_capacity == self.buf.capacity
        self.is_frozen = self.buf.is_read_only  # an empty wrap is not: it has nothing to protect
        self.reader, self.writer = self.buf.reader_index, self.buf.writer_index
        if not self.is_frozen and self.buf.writable_bytes:
            self.buf.set_zero(self.writer, self.buf.writable_bytes)
        self.window = bytearray(self.buf.get_bytes(0, self.buf.capacity))

    @property
    def readable(self) -> bytes:
        return bytes(self.window[self.reader : self.writer])

    @property
    def is_composite(self) -> bool:
        return isinstance(self.buf, CompositeByteBuf)

    def check(self) -> None:
        """The buffer is what the model says."""
        buf = self.buf
        buf._check()
        assert (buf.reader_index, buf.writer_index, buf.capacity) == (self.reader, self.writer, len(self.window))
        assert bytes(buf) == self.readable
        assert buf.get_bytes(0, buf.capacity) == self.window
        assert b"".join(buf.readable_views()) == self.readable

    def fits(self, n: int) -> bool:
        """Whether n bytes may be written."""
        return n <= len(self.window) - self.writer or (not self.is_fixed and self.writer + n <= CEILING)

    def grown(self) -> None:
        """After growth: the new bytes are made known."""
        more = self.buf.capacity - len(self.window)
        if more > 0:
            self.window += bytes(more)

    # Operations. Each consumes its arguments from the source.

    def write(self) -> None:
        data = self.source.some()
        if self.is_frozen:
            return refused(ReadOnlyError, lambda: self.buf.write_bytes(data))
        if not self.fits(len(data)):
            return None
        self.buf.write_bytes(data)
        self.put(data)
        return None

    def put(self, data: bytes) -> None:
        was = len(self.window)
        self.grown()
        self.window[self.writer : self.writer + len(data)] = data
        self.writer += len(data)
        if len(self.window) > max(was, self.writer):
            at = max(was, self.writer)
            self.buf.set_zero(at, len(self.window) - at)

    def write_int(self) -> None:
        value = int.from_bytes(self.source.some()[:4], "big")
        if self.is_frozen or not self.fits(4):
            return
        self.buf.write_int(value)
        self.put(value.to_bytes(4, "big"))

    def write_varint(self) -> None:
        value = int.from_bytes(self.source.some()[:8], "big")
        if self.is_frozen or not self.fits(zbuf.varint_size(value)):
            return
        size = self.buf.write_varint(value)
        self.put(self.buf.get_bytes(self.writer, size))

    def read_varint(self) -> None:
        try:
            value = self.buf.read_varint()
        except (BoundsError, DecodeError):
            return
        size = self.buf.reader_index - self.reader
        raw = self.window[self.reader : self.reader + size]
        assert value == sum((byte & 127) << 7 * k for k, byte in enumerate(raw))
        assert raw[-1] < 128 and all(byte >= 128 for byte in raw[:-1])
        self.reader += size

    def read(self) -> None:
        n = self.source.number()
        if n > len(self.readable) or n < 0:
            return refused(ValueError if n < 0 else BoundsError, lambda: self.buf.read_bytes(n))
        assert self.buf.read_bytes(n) == self.readable[:n]
        self.reader += n
        return None

    def get_long(self) -> None:
        index = self.source.number()
        if index < 0 or index > len(self.window) - 8:
            return refused(BoundsError, lambda: self.buf.get_long(index))
        assert self.buf.get_unsigned_long_le(index) == int.from_bytes(self.window[index : index + 8], "little")
        return None

    def set_bytes(self) -> None:
        index, data = self.source.number(), self.source.some()
        if self.is_frozen:
            return refused(ReadOnlyError, lambda: self.buf.set_bytes(index, data))
        if index < 0 or index > len(self.window) - len(data):
            return refused(BoundsError, lambda: self.buf.set_bytes(index, data))
        self.buf.set_bytes(index, data)
        self.window[index : index + len(data)] = data
        return None

    def copy_within(self) -> None:
        """A range written over another one of the same buffer, as memmove does it."""
        at, to, n = self.source.byte(), self.source.byte(), self.source.byte() & 31
        if self.is_frozen or max(at, to) + n > len(self.window):
            return
        self.buf.set_bytes(to, self.buf.duplicate(), at, n)
        self.window[to : to + n] = self.window[at : at + n]

    def set_index(self) -> None:
        reader, writer = self.source.number(), self.source.number()
        if 0 <= reader <= writer <= len(self.window):
            self.buf.set_index(reader, writer)
            self.reader, self.writer = reader, writer
            return None
        return refused(BoundsError, lambda: self.buf.set_index(reader, writer))

    def find(self) -> None:
        needle = self.source.some()[:4]
        found, last = self.readable.find(needle), self.readable.rfind(needle)
        assert self.buf.find(needle) == (found if found < 0 else self.reader + found)
        assert self.buf.rfind(needle) == (last if last < 0 else self.reader + last)
        if needle:
            assert self.buf.count(needle) == self.readable.count(needle)

    def look_at_a_slice(self) -> None:
        index, n = self.source.number(), self.source.number()
        if n < 0 or index < 0 or index > len(self.window) or n > len(self.window) - index:
            return refused(ValueError if n < 0 else BoundsError, lambda: self.buf.slice(index, n))
        part = self.buf.slice(index, n)
        assert bytes(part) == self.window[index : index + n]
        assert part == part.copy()
        part.release()
        return None

    def set_capacity(self) -> None:
        n = self.source.byte()
        if self.is_frozen or (n > len(self.window) and self.is_fixed):
            return
        was = len(self.window)
        self.buf.set_capacity(n)
        if n > was:
            self.buf.set_zero(was, n - was)
            self.grown()
            return
        del self.window[n:]
        self.writer = min(self.writer, n)
        self.reader = min(self.reader, n)

    def discard(self) -> None:
        if self.is_frozen:
            return refused(ReadOnlyError, self.buf.discard_read_bytes)
        self.buf.discard_read_bytes()
        if self.is_composite:
            del self.window[: self.reader]
        elif self.reader:
            n = self.writer - self.reader
            self.window[:n] = self.readable
            if len(self.window) > n:
                self.buf.set_zero(n, len(self.window) - n)
            self.window[n:] = bytes(len(self.window) - n)
        self.reader, self.writer = 0, self.writer - self.reader
        return None

    def compact(self) -> None:
        self.buf.compact()
        self.window = bytearray(self.readable)
        self.reader, self.writer = 0, len(self.window)

    def clear(self) -> None:
        self.buf.clear()
        self.reader = self.writer = 0
        if self.is_composite:
            self.window.clear()

    def split(self) -> None:
        n = min(self.source.byte(), len(self.readable))
        front = self.buf.split(n)
        assert bytes(front) == self.readable[:n]
        front.release()
        gone = self.reader + n
        del self.window[:gone]
        self.reader, self.writer = 0, self.writer - gone
        self.is_fixed = self.buf.max_capacity == self.buf.capacity

    def split_off(self) -> None:
        index = min(self.source.byte(), len(self.window))
        back = self.buf.split_off(index)
        assert back.get_bytes(0, back.capacity) == self.window[index:]
        back.release()
        del self.window[index:]
        self.reader, self.writer = min(self.reader, index), min(self.writer, index)
        self.is_fixed = self.buf.max_capacity == self.buf.capacity

    def move(self) -> None:
        old, self.buf = self.buf, self.buf.move()
        assert old.refcnt == 0

    def join(self) -> None:
        """Append, prepend or insert a part."""
        where, data = self.source.byte(), self.source.some()
        buf = self.buf
        if not isinstance(buf, CompositeByteBuf) or self.is_fixed or len(self.window) > CEILING:
            return
        if where % 3 == 0:
            buf.append(zbuf.copied(data))  # plain bytes would be a span that refuses writes
            if data:
                self.window[self.writer :] = data
                self.writer += len(data)
        elif where % 3 == 1:
            buf.prepend(zbuf.copied(data))
            self.window[: self.reader] = data
            self.writer += len(data) - self.reader
            self.reader = 0
        else:
            self.insert(buf, where, data)

    def insert(self, buf: CompositeByteBuf, where: int, data: bytes) -> None:
        k = where % (buf.num_components + 1)
        start = sum(part.capacity for part in buf.components()[:k])
        buf.insert_component(k, zbuf.wrap(bytearray(data)))
        if not data:
            return
        if start > self.writer:
            del self.window[self.writer :]
            start = self.writer
        self.window[start:start] = data
        self.reader += len(data) if start < self.reader else 0
        self.writer += len(data)

    def rearrange(self) -> None:
        """Consolidate some components, or take one out."""
        what, k = self.source.byte(), self.source.byte()
        buf = self.buf
        if not isinstance(buf, CompositeByteBuf) or self.is_frozen or not buf.num_components:
            return
        k %= buf.num_components
        if what & 1:
            buf.consolidate(k)
            return
        start = sum(part.capacity for part in buf.components()[:k])
        part = buf.pop_component(k)
        n = part.capacity
        assert bytes(part) == self.window[start : start + n]
        del self.window[start : start + n]
        self.reader -= min(max(self.reader - start, 0), n)
        self.writer -= min(max(self.writer - start, 0), n)
        self.is_fixed = self.buf.max_capacity == self.buf.capacity

    def run(self) -> None:
        """Do what the source says."""
        self.check()
        for _ in range(MOST_STEPS):
            if self.source.is_empty:
                break
            OPERATIONS[self.source.byte() % len(OPERATIONS)](self)
            self.check()
        self.buf.release()


OPERATIONS = (
    Machine.write, Machine.write_int, Machine.write_varint, Machine.read_varint, Machine.read, Machine.get_long,
    Machine.set_bytes, Machine.copy_within, Machine.set_index, Machine.find, Machine.look_at_a_slice,
    Machine.set_capacity, Machine.discard, Machine.compact, Machine.clear, Machine.split, Machine.split_off,
    Machine.move, Machine.join, Machine.rearrange,
)  # fmt: skip


def refused(error: type[Exception], call: Callable[[], object]) -> None:
    """Assert that a call raises exactly this."""
    try:
        call()
    except error as exc:
        if type(exc) is not error:
            raise AssertionError(f"{exc!r} instead of {error.__name__}") from None
        return
    raise AssertionError(f"no {error.__name__}")


def one_input(data: bytes) -> None:
    """Run one list of operations."""
    Machine(Source(data)).run()


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
