"""The accessor grid against struct and int.from_bytes: 23 getters, readers and peekers, 14 setters and writers.

Owns    BEHAVIOURS 20 to 24.
Never   bounds: test_indices has them.
Always  the oracle is Python's own; the shape under test is never its own witness."""

from __future__ import annotations

import math
import random
import struct

from tests.contracts._kit import (
    GETTERS,
    Make,
    MakeGrowing,
    MakeRoom,
    Stem,
    each_getter,
    each_growing,
    each_integer_setter,
    each_room,
    each_setter,
    each_shape,
    each_writable,
    fails,
    unchanged,
)
from zbuf import buffer

PATTERNS = bytes(range(0x78, 0x88)) + b"\x00\x00\x80\x00\xff\xff\xff\xff\x7f\x01\x00\x80" + bytes(range(9))
BY_NAME = {stem.name: stem for stem in GETTERS}


def same(one: object, other: object) -> bool:
    """Equal, and of the same type, and a NaN equal to a NaN."""
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return type(one) is type(other) and (both_nan or one == other)


def values_for(stem: Stem, rng: random.Random) -> list[object]:
    """Edges and random values that a writer of this stem takes."""
    if stem.kind == "bool":
        return [True, False, 1, 0, "x", ""]
    if stem.kind == "float":
        raw = [rng.uniform(-1e30, 1e30) for _ in range(4)]
        return [0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, math.nan, *raw, 7]
    low, high = stem.edges
    edges = [low, low + 1, -1, 0, 1, high // 2, high // 2 + 1, high - 1, high]
    return [*edges, *(rng.randint(low, high) for _ in range(4))]


@each_shape
@each_getter
def test_b020_get_agrees_with_the_oracle_at_every_index(shape: Make, stem: Stem) -> None:
    """get_X(i) decodes the bytes at i, whatever lies around them, and moves nothing."""
    buf = shape(PATTERNS)
    whole = buf.get_bytes(0, buf.capacity)
    with unchanged(buf):
        for index in range(buf.capacity - stem.size + 1):
            assert same(stem.get(buf, index), stem.decode(whole[index : index + stem.size])), index


@each_shape
@each_getter
def test_b020_read_agrees_with_the_oracle_to_the_end(shape: Make, stem: Stem) -> None:
    """peek_X() and read_X() decode the bytes at the reader index; only read_X() moves it, by the size."""
    buf = shape(PATTERNS)
    for at in range(0, len(PATTERNS) - stem.size + 1, stem.size):
        before = buf.reader_index
        with unchanged(buf):
            assert same(stem.peek(buf), stem.decode(PATTERNS[at : at + stem.size]))
        assert same(stem.read(buf), stem.decode(PATTERNS[at : at + stem.size]))
        assert buf.reader_index == before + stem.size
    buf._check()


@each_shape
@each_getter
def test_b020_peek_agrees_with_the_oracle_at_every_alignment(shape: Make, stem: Stem) -> None:
    """peek_X() decodes what lies at the reader index wherever that is, twice the same, and moves nothing."""
    buf = shape(PATTERNS)
    first = buf.reader_index
    for at in range(len(PATTERNS) - stem.size + 1):
        buf.reader_index = first + at
        with unchanged(buf):
            for _ in range(2):
                assert same(stem.peek(buf), stem.decode(PATTERNS[at : at + stem.size])), at


@each_writable
@each_setter
def test_b020_set_stores_the_bytes_of_the_oracle_and_no_other(shape: Make, stem: Stem) -> None:
    """set_X(i, v) changes exactly size bytes; read back in two orders they are what was stored."""
    rng = random.Random(stem.name)
    buf = shape(bytes(rng.randbytes(19)))
    model = bytearray(buf.get_bytes(0, buf.capacity))
    indices = (buf.reader_index, buf.writer_index)
    places = list(range(buf.capacity - stem.size + 1))
    for order in (places, places[::-1], rng.sample(places, len(places))):
        for index in order:
            value = rng.choice(values_for(stem, rng))
            stem.set(buf, index, value)
            model[index : index + stem.size] = stem.encode(value)
        assert buf.get_bytes(0, buf.capacity) == model
        for index in order:
            assert same(stem.get(buf, index), stem.decode(bytes(model[index : index + stem.size])))
    assert (buf.reader_index, buf.writer_index) == indices


@each_room
@each_setter
def test_b020_written_one_after_the_other_until_full_and_read_back(room: MakeRoom, stem: Stem) -> None:
    """A buffer filled to its capacity with one stem gives all values back and is then neither readable nor writable."""
    rng = random.Random(stem.name)
    buf = room(stem.size * 9)
    buf.set_capacity(buf.writer_index + stem.size * 9)
    values = rng.sample(values_for(stem, rng) * 3, 9)
    for value in values:
        before = buf.writer_index
        stem.write(buf, value)
        assert buf.writer_index == before + stem.size
    assert not buf.is_writable
    for value in values:
        assert same(stem.read(buf), stem.decode(stem.encode(value)))
    assert buf.reader_index == buf.writer_index == buf.capacity
    buf._check()


@each_shape
def test_b021_a_little_endian_getter_equals_the_big_one_on_reversed_bytes(shape: Make) -> None:
    """Every stem with a twin, at every alignment."""
    buf, mirror = shape(PATTERNS), shape(PATTERNS[::-1])
    first = buf.reader_index
    for name, stem in BY_NAME.items():
        if name + "_le" not in BY_NAME:
            continue
        for at in range(len(PATTERNS) - stem.size + 1):
            big = stem.get(buf, first + at)
            twin = BY_NAME[name + "_le"]
            mirror.reader_index = mirrored = first + len(PATTERNS) - stem.size - at
            assert same(big, twin.get(mirror, mirrored)), (name, at)
            assert same(big, twin.peek(mirror)), (name, at)


@each_growing
def test_b021_the_byte_order_is_as_documented_also_when_the_write_grows(growing: MakeGrowing) -> None:
    """write_int stores the high byte first, write_int_le the low one, into a buffer that had no room."""
    big, little = growing(b"", 1000), growing(b"", 1000)
    big.write_int(0x12345678)
    little.write_int_le(0x12345678)
    assert (bytes(big), bytes(little)) == (b"\x12\x34\x56\x78", b"\x78\x56\x34\x12")


@each_shape
def test_b022_sign_is_taken_from_the_top_bit(shape: Make) -> None:
    """Medium has its sign in bit 23; the unsigned getters give 0..2**k - 1."""
    buf = shape(b"\x80\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")
    r = buf.reader_index
    assert (buf.get_medium(r), buf.get_unsigned_medium(r)) == (-(2**23), 2**23)
    assert (buf.get_medium(r + 3), buf.get_unsigned_medium(r + 3)) == (-1, 2**24 - 1)
    assert (buf.get_byte(r), buf.get_unsigned_byte(r)) == (-128, 128)
    assert (buf.get_short(r + 3), buf.get_unsigned_short(r + 3)) == (-1, 2**16 - 1)
    assert (buf.get_int(r + 3), buf.get_unsigned_int(r + 3)) == (-1, 2**32 - 1)
    assert (buf.get_long(r + 3), buf.get_unsigned_long(r + 3)) == (-1, 2**64 - 1)
    assert (buf.peek_medium(), buf.peek_unsigned_medium()) == (-(2**23), 2**23)
    assert (buf.peek_byte(), buf.peek_unsigned_byte()) == (-128, 128)
    buf.skip_bytes(3)
    assert (buf.peek_medium(), buf.peek_unsigned_medium()) == (-1, 2**24 - 1)
    assert (buf.peek_short(), buf.peek_unsigned_short()) == (-1, 2**16 - 1)
    assert (buf.peek_int(), buf.peek_unsigned_int()) == (-1, 2**32 - 1)
    assert (buf.peek_long(), buf.peek_unsigned_long()) == (-1, 2**64 - 1)


@each_room
def test_b022_a_written_unsigned_long_reads_with_both_signs(room: MakeRoom) -> None:
    """write_long(2**64 - 1) reads as -1 and as 2**64 - 1."""
    buf = room(16)
    buf.write_long(2**64 - 1)
    buf.write_long_le(2**64 - 2)
    r = buf.reader_index
    assert (buf.get_long(r), buf.get_unsigned_long(r)) == (-1, 2**64 - 1)
    assert (buf.get_long_le(r + 8), buf.get_unsigned_long_le(r + 8)) == (-2, 2**64 - 2)


@each_room
@each_integer_setter
def test_b023_writers_take_both_ranges_and_not_one_more(room: MakeRoom, stem: Stem) -> None:
    """Signed and unsigned edges are stored; one beyond either end is OverflowError and stores nothing."""
    low, high = stem.edges
    buf = room(40)
    for value in (low, high):
        stem.write(buf, value)
        stem.set(buf, buf.writer_index - stem.size, value)
        assert buf.get_bytes(buf.writer_index - stem.size, stem.size) == stem.encode(value)
    for value in (low - 1, high + 1, -(2**63) - 1, 2**64, -(2**200)):
        with fails(OverflowError, buf):
            stem.write(buf, value)
        with fails(OverflowError, buf):
            stem.set(buf, buf.reader_index, value)


@each_integer_setter
def test_b023_a_refused_value_does_not_make_an_empty_buffer_grow(stem: Stem) -> None:
    """The value is judged before any room is made for it."""
    buf = buffer(0)
    with fails(OverflowError, buf):
        stem.write(buf, stem.edges[1] + 1)
    with fails(TypeError, buf):
        stem.write(buf, 1.0)
    assert buf.capacity == 0


@each_room
def test_b024_booleans_are_stored_as_exactly_1_or_0(room: MakeRoom) -> None:
    """Any truth value is taken; any byte but 0 is true."""
    buf = room(20)
    for value in (True, False, 7, 0, "no", "", [0], None, 0.0):
        buf.write_boolean(value)
    assert bytes(buf) == bytes((1, 0, 1, 0, 1, 0, 1, 0, 0))
    r = buf.reader_index
    for byte in (1, 2, 127, 128, 255):
        buf.set_byte(r, byte)
        assert buf.get_boolean(r) is True
    buf.set_byte(r, 0)
    assert buf.get_boolean(r) is False


@each_room
def test_b024_doubles_keep_every_bit(room: MakeRoom) -> None:
    """Infinity, minus zero and the bits of a NaN survive in both byte orders."""
    buf = room(16)
    for bits in ("7ff0000000000000", "8000000000000000", "7ff8000000000abc", "fff8123400000000", "0000000000000001"):
        value = struct.unpack(">d", bytes.fromhex(bits))[0]
        r = buf.reader_index
        buf.set_double(r, value)
        buf.set_double_le(r + 8, value)
        assert buf.get_bytes(r, 8).hex() == bits
        assert buf.get_bytes(r + 8, 8)[::-1].hex() == bits
        assert struct.pack(">d", buf.get_double(r)).hex() == bits


@each_room
def test_b024_floats_round_in_silence_and_refuse_what_does_not_fit(room: MakeRoom) -> None:
    """Infinity and a quiet NaN survive, 0.1 is rounded, a finite value beyond the range of a single is refused."""
    buf = room(8)
    r = buf.reader_index
    for bits in ("7f800000", "ff800000", "7fc12345", "80000000", "00000001"):
        value = struct.unpack(">f", bytes.fromhex(bits))[0]
        buf.set_float(r, value)
        buf.set_float_le(r + 4, value)
        assert (buf.get_bytes(r, 4).hex(), buf.get_bytes(r + 4, 4)[::-1].hex()) == (bits, bits)
    buf.set_float(r, 0.1)
    assert buf.get_float(r) == struct.unpack(">f", struct.pack(">f", 0.1))[0] != 0.1
    for value in (1e39, -1e39, 3.4028235677973366e38):  # the last one rounds up, past the largest single
        with fails(OverflowError, buf):
            buf.set_float(r, value)
        with fails(OverflowError, buf):
            buf.write_float_le(value)
    buf.set_float(r, 3.4028234663852886e38)  # the largest single
    assert buf.get_bytes(r, 4).hex() == "7f7fffff"


@each_room
def test_b024_floats_take_integers_and_refuse_text(room: MakeRoom) -> None:
    """An integer is a number; a string that looks like one is not."""
    buf = room(8)
    buf.write_double(3)
    assert buf.read_double() == 3.0
    for bad in ("1.0", None, b"1", 1j):
        with fails(TypeError, buf):
            buf.write_double(bad)
        with fails(TypeError, buf):
            buf.set_float(0, bad)
    with fails(OverflowError, buf):
        buf.write_double(10**400)
