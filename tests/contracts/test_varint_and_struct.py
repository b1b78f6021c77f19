"""Varints and struct formats.

Owns    BEHAVIOURS 34 to 36.
Never   the typed grid.
Always  the oracle for a varint is a loop of five lines, for a struct the struct module."""

from __future__ import annotations

import struct

import pytest

from tests.contracts._kit import Make, MakeGrowing, MakeRoom, each_growing, each_room, each_shape, fails, unchanged
from zbuf import varint_size
from zbuf.errors import BoundsError, CapacityError, DecodeError

STORED = {
    0: "00",
    1: "01",
    127: "7f",
    128: "8001",
    300: "ac02",
    16383: "ff7f",
    16384: "808001",
    2**32 - 1: "ffffffff0f",
    2**63: "80808080808080808001",
    2**64 - 1: "ffffffffffffffffff01",
}
ZIGZAG = {0: 0, -1: 1, 1: 2, -2: 3, 2: 4, 2**63 - 1: 2**64 - 2, -(2**63): 2**64 - 1, 12345: 24690}


def varint(value: int) -> bytes:
    """The oracle: seven bits at a time, the low ones first."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@each_room
def test_b034_varints_are_stored_in_the_shortest_form(room: MakeRoom) -> None:
    """The writer returns the size, varint_size predicts it, the reader gives the value back."""
    for value, stored in STORED.items():
        buf = room(12)
        w = buf.writer_index
        assert buf.write_varint(value) == varint_size(value) == len(stored) // 2
        assert bytes(buf).hex() == stored == varint(value).hex()
        assert buf.get_varint(w) == (value, len(stored) // 2)
        assert buf.reader_index == w
        assert buf.read_varint() == value
        assert buf.reader_index == buf.writer_index == w + len(stored) // 2


def test_b034_varint_size_at_every_border() -> None:
    """Each seven bits cost one byte, ten at most."""
    for bits in range(1, 65):
        assert varint_size(2**bits - 1) == len(varint(2**bits - 1)) == (bits + 6) // 7
    assert varint_size(2**64 - 1) == 10
    for value in (-1, 2**64, 2**70):
        with pytest.raises(OverflowError):
            varint_size(value)
    with pytest.raises(TypeError):
        varint_size(1.0)


@each_room
def test_b034_varints_outside_64_bits_are_refused(room: MakeRoom) -> None:
    """-1 and 2**64 are OverflowError for the unsigned form; the signed one ends at 63 bits."""
    buf = room(12)
    for value in (-1, 2**64, -(2**70)):
        with fails(OverflowError, buf):
            buf.write_varint(value)
    for value in (2**63, -(2**63) - 1):
        with fails(OverflowError, buf):
            buf.write_varint_zigzag(value)
    for bad in (1.0, "1", None):
        with fails(TypeError, buf):
            buf.write_varint(bad)
        with fails(TypeError, buf):
            buf.write_varint_zigzag(bad)


@each_room
def test_b034_zigzag_folds_the_sign_into_the_low_bit(room: MakeRoom) -> None:
    """0, -1, 1, -2 are stored as 0, 1, 2, 3, and both ends of 64 bits survive."""
    for value, stored in ZIGZAG.items():
        buf = room(12)
        assert buf.write_varint_zigzag(value) == varint_size(stored)
        assert bytes(buf) == varint(stored)
        assert buf.read_varint_zigzag() == value


@each_growing
def test_b034_a_varint_that_does_not_fit_below_the_maximum_is_refused(growing: MakeGrowing) -> None:
    """All of it or nothing: no byte is stored when the last one has no room."""
    buf = growing(b"ab", 4)
    with fails(CapacityError, buf):
        buf.write_varint(2**14)
    assert buf.write_varint(2**14 - 1) == 2
    with fails(CapacityError, buf):
        buf.write_varint_zigzag(0)


@each_shape
def test_b035_a_cut_varint_asks_for_one_more_byte(shape: Make) -> None:
    """BoundsError(requested = seen + 1, available = seen); get_varint answers None; nothing moves."""
    whole = varint(2**64 - 1)
    for seen in range(10):
        buf = shape(b"" if seen == 0 else whole[:seen])
        r = buf.reader_index
        with fails(BoundsError, buf) as caught:
            buf.read_varint()
        assert (caught.value.requested, caught.value.available) == (seen + 1, seen)
        with fails(BoundsError, buf):
            buf.read_varint_zigzag()
        assert buf.get_varint(r) is None


@each_shape
def test_b035_the_number_ends_at_the_writer_index(shape: Make) -> None:
    """Bytes behind the writer index do not complete a number; an index behind it is out of bounds."""
    buf = shape(b"\x80\x80\x01\x05")
    w = buf.writer_index
    assert buf.get_varint(w - 1) == (5, 1)
    assert buf.get_varint(w) is None
    for index in (w + 1, -1):
        with fails(BoundsError, buf):
            buf.get_varint(index)
    buf.writer_index = w - 2
    assert buf.get_varint(w - 4) is None
    with fails(BoundsError, buf):
        buf.read_varint()


@each_shape
@pytest.mark.parametrize("raw", ["ff" * 10 + "01", "80" * 10 + "00", "ff" * 9 + "02", "80" * 9 + "7f"])
def test_b035_a_varint_of_more_than_64_bits_is_a_peers_fault(shape: Make, raw: str) -> None:
    """Eleven bytes, or a value above 2**64 - 1, raise DecodeError with the reader index unmoved."""
    buf = shape(bytes.fromhex(raw) + b"tail")
    for call in (buf.read_varint, buf.read_varint_zigzag, lambda: buf.get_varint(buf.reader_index)):
        with fails(DecodeError, buf):
            call()


@each_shape
def test_b035_padded_varints_are_accepted(shape: Make) -> None:
    """80 00 is a long way to write 0; ten bytes with an empty last group are the longest."""
    buf = shape(bytes.fromhex("8000" + "ff80808000" + "80" * 9 + "01" + "81" + "80" * 8 + "00"))
    assert [buf.read_varint() for _ in range(4)] == [0, 127, 2**63, 1]
    assert not buf.is_readable


@each_shape
def test_b036_read_struct_equals_typed_reads(shape: Make) -> None:
    """Format strings and Struct objects; native formats take native order and padding."""
    data = bytes(range(1, 25))
    buf, typed = shape(data), shape(data)
    assert buf.read_struct(">HI") == (typed.read_unsigned_short(), typed.read_unsigned_int())
    assert buf.read_struct(struct.Struct("<q")) == (typed.read_long_le(),)
    r = buf.reader_index
    native = struct.unpack_from("BI", data, 14)
    with unchanged(buf):
        assert buf.get_struct(r, "BI") == native
        assert buf.get_struct(r, "") == ()
    assert buf.read_struct("BI") == native
    assert buf.readable_bytes == 2
    with fails(BoundsError, buf) as caught:
        buf.read_struct(">HB")
    assert (caught.value.requested, caught.value.available) == (3, 2)
    with fails(BoundsError, buf):
        buf.get_struct(buf.capacity - 1, ">H")


@each_room
def test_b036_write_struct_packs_into_place(room: MakeRoom) -> None:
    """All values or none; set_struct moves nothing."""
    buf = room(24)
    buf.write_struct(">HI", 1, 0x01020304)
    buf.write_struct(struct.Struct("<3sx"), b"abc")
    assert bytes(buf) == struct.pack(">HI", 1, 0x01020304) + b"abc\0"
    w = buf.writer_index
    buf.set_struct(buf.reader_index + 1, "<H", 0xBEEF)
    assert (bytes(buf)[:3], buf.writer_index) == (b"\0\xef\xbe", w)
    for call in (
        lambda: buf.write_struct(">H", 70000),
        lambda: buf.write_struct(">HH", 1),
        lambda: buf.write_struct(">H", "1"),
        lambda: buf.write_struct("not a format", 1),
        lambda: buf.set_struct(0, ">B", 256),
        lambda: buf.set_struct(0, ">I", 1, 2),
    ):
        with fails(struct.error, buf):
            call()
    with fails(BoundsError, buf):
        buf.set_struct(buf.capacity - 1, ">H", 1)


@each_growing
def test_b036_write_struct_grows_up_to_the_maximum(growing: MakeGrowing) -> None:
    """A struct that does not fit below the maximum writes nothing."""
    buf = growing(b"", 12)
    buf.write_struct(">Q", 5)
    with fails(CapacityError, buf):
        buf.write_struct(">Q", 6)
    assert bytes(buf) == bytes(7) + b"\x05"


@each_room
def test_b036_a_struct_across_components_is_as_contiguous(room: MakeRoom) -> None:
    """Text, pads and numbers that straddle borders."""
    layout = struct.Struct(">b3sHxxd5p")
    values = (-3, b"xyz", 500, 2.5, b"abcd")
    buf = room(layout.size)
    buf.write_struct(layout, *values)
    assert bytes(buf) == layout.pack(*values)
    assert buf.get_struct(buf.reader_index, layout) == values
    assert buf.read_struct(layout) == values
