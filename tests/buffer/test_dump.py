"""Hex dumps and repr, against stored texts.

Owns    BEHAVIOURS 75 to 77.
Never   content in a repr.
Always  the texts here were written by hand from the documented format, not printed by the code."""

from __future__ import annotations

import pytest

from tests.contracts._kit import Make, each_shape, fails, for_each, unchanged
from zbuf import buffer, composite, copied, decode_hex_dump, empty, hex_dump, pretty_hex_dump, wrap
from zbuf.errors import BoundsError

HEAD = """\
         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
+--------+-------------------------------------------------+----------------+
"""
FOOT = "+--------+-------------------------------------------------+----------------+"
ROWS = {
    b"": None,
    b"A": "|00000000| 41                                              |A               |",
    b"0123456789abcde": "|00000000| 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65    |0123456789abcde |",
    b"0123456789abcdef": "|00000000| 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef|",
    bytes(range(0x70, 0x81)): (
        "|00000000| 70 71 72 73 74 75 76 77 78 79 7a 7b 7c 7d 7e 7f |pqrstuvwxyz{|}~.|\n"
        "|00000010| 80                                              |.               |"
    ),
    b" \x1f\x00\xff" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\nxy": (
        "|00000000| 20 1f 00 ff 47 45 54 20 2f 20 48 54 54 50 2f 31 | ...GET / HTTP/1|\n"
        "|00000010| 2e 31 0d 0a 48 6f 73 74 3a 20 61 0d 0a 0d 0a 78 |.1..Host: a....x|\n"
        "|00000020| 79                                              |y               |"
    ),
}


def test_b075_hex_dump_of_every_byte_and_back() -> None:
    """512 lowercase digits, no separator; decoding takes both cases."""
    whole = bytes(range(256))
    dumped = hex_dump(whole)
    assert (len(dumped), dumped, dumped.lower()) == (512, whole.hex(), dumped)
    assert decode_hex_dump(dumped) == decode_hex_dump(dumped.upper()) == whole
    assert type(decode_hex_dump("")) is bytes
    assert (hex_dump(b""), decode_hex_dump("")) == ("", b"")
    assert hex_dump(bytearray(b"\x0f"), 0, 1) == "0f"


@pytest.mark.parametrize("bad", ["0", "abc", "0g", "0 1 ", " 00", "00\n", "\uff10\uff10", "0x00", "-1", "\u0660\u0660"])
def test_b075_anything_but_digit_pairs_is_refused(bad: str) -> None:
    """Odd length, blanks, other letters and full-width digits are ValueError."""
    with pytest.raises(ValueError):
        decode_hex_dump(bad)


@each_shape
def test_b075_hex_dump_follows_the_optional_pair(shape: Make) -> None:
    """Defaults to the readable bytes, moves nothing, checks its range."""
    buf = shape(b"\x00\x01\xab\xff")
    r = buf.reader_index
    with unchanged(buf):
        assert hex_dump(buf) == "0001abff"
        assert (hex_dump(buf, r + 2), hex_dump(buf, length=1), hex_dump(buf, r + 1, 2)) == ("abff", "00", "01ab")
    with fails(BoundsError, buf):
        hex_dump(buf, buf.capacity, 1)


@each_shape
@for_each("data", {f"{len(data)} bytes": data for data in ROWS})
def test_b076_pretty_hex_dump_matches_the_stored_text(shape: Make, data: bytes) -> None:
    """0, 1, 15, 16, 17 and 33 bytes; DEL and 80..FF show as dots."""
    expected = "" if ROWS[data] is None else f"{HEAD}{ROWS[data]}\n{FOOT}"
    assert pretty_hex_dump(shape(data)) == expected
    assert pretty_hex_dump(data) == expected


@each_shape
def test_b076_the_label_counts_from_the_start_of_the_dump(shape: Make) -> None:
    """Also when the dump starts at index 5."""
    buf = shape(b"....." + b"0123456789abcdef")
    assert pretty_hex_dump(buf, buf.reader_index + 5) == f"{HEAD}{ROWS[b'0123456789abcdef']}\n{FOOT}"
    with fails(BoundsError, buf):
        pretty_hex_dump(buf, buf.capacity, 1)


def test_b076_the_label_goes_on_after_64_kib() -> None:
    """After 0000fff0 comes 00010000, also when the dump starts at index 5."""
    rows = pretty_hex_dump(copied(bytes(65536 + 32 + 5)), 5).splitlines()
    assert [row[:10] for row in rows[3 + 4094 : 3 + 4098]] == ["|0000ffe0|", "|0000fff0|", "|00010000|", "|00010010|"]


def test_b077_repr_shows_indices_and_what_is_unusual() -> None:
    """The maximum only when it is not the default, the count only when it is not 1."""
    buf = buffer()
    buf.write_int(1)
    assert repr(buf) == str(buf) == "ByteBuf(ridx: 0, widx: 4, cap: 256)"
    small = buffer(8, 16)
    small.write_int(1)
    assert repr(small) == "ByteBuf(ridx: 0, widx: 4, cap: 8/16)"
    small.retain()
    assert repr(small) == "ByteBuf(ridx: 0, widx: 4, cap: 8/16, refcnt: 2)"
    assert repr(small.slice()) == "SlicedByteBuf(ridx: 0, widx: 4, cap: 4/4)"
    assert repr(small.slice().as_read_only()) == "SlicedByteBuf(ridx: 0, widx: 4, cap: 4/4, read-only)"
    assert repr(wrap(bytearray(3))) == "WrappedByteBuf(ridx: 0, widx: 3, cap: 3/3)"
    assert repr(wrap(b"abc")) == "WrappedByteBuf(ridx: 0, widx: 3, cap: 3/3, read-only)"
    assert repr(buf.as_read_only()) == "ByteBuf(ridx: 0, widx: 4, cap: 256, read-only)"
    assert repr(empty()) == "ByteBuf(ridx: 0, widx: 0, cap: 0/0)"


def test_b077_repr_of_a_composite_counts_its_components() -> None:
    """Always, also when there are none."""
    whole = composite()
    assert repr(whole) == "CompositeByteBuf(ridx: 0, widx: 0, cap: 0, components=0)"
    whole.append(b"SECRET")
    whole.append(b"SECRET")
    whole.skip_bytes(2)
    assert repr(whole) == "CompositeByteBuf(ridx: 2, widx: 12, cap: 12, components=2)"
    whole.retain(2)
    assert repr(whole) == "CompositeByteBuf(ridx: 2, widx: 12, cap: 12, refcnt: 3, components=2)"
    limited = composite(99)
    assert repr(limited) == "CompositeByteBuf(ridx: 0, widx: 0, cap: 0/99, components=0)"


@each_shape
def test_b077_repr_never_shows_content_and_says_freed(shape: Make) -> None:
    """Lengths and indices only: what a peer sent does not end in a log."""
    buf = shape(b"SECRET!")
    assert "SECRET" not in repr(buf)
    assert repr(buf).startswith(f"{type(buf).__name__}(ridx: {buf.reader_index}, widx: {buf.writer_index}, cap: ")
    buf.release()
    assert repr(buf) == f"{type(buf).__name__}(freed)"
