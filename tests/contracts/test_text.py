"""Text: strings in and out, strict as in Python.

Owns    BEHAVIOURS 37 to 41 (utf8_size apart).
Never   bytes.
Always  lengths are in bytes; a refused call writes nothing and moves nothing."""

from __future__ import annotations

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_growing,
    each_room,
    each_shape,
    each_writable,
    fails,
    unchanged,
)
from zbuf import composite, copied
from zbuf.errors import BoundsError, CapacityError

TEXT = "Grüße, Jürgen ❤ 😀"
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "latin-1", "ascii", "utf-32-be")


@each_growing
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_b037_write_string_grows_by_the_exact_size_and_round_trips(growing: MakeGrowing, encoding: str) -> None:
    """The returned size is the encoded one; read_string takes it in bytes."""
    text = {"latin-1": "Grüße", "ascii": "plain"}.get(encoding, TEXT)
    raw = text.encode(encoding)
    buf = growing(b"", 4000)
    assert buf.write_string(text, encoding) == len(raw) == buf.readable_bytes
    assert bytes(buf) == raw
    assert buf.to_string(encoding) == text
    assert buf.read_string(len(raw), encoding) == text
    assert not buf.is_readable
    assert buf.write_string("") == 0


@each_writable
def test_b037_an_unknown_encoding_is_refused(shape: Make) -> None:
    """LookupError, as from str.encode; nothing changes."""
    buf = shape(b"some text")
    for call in (
        lambda: buf.write_string("a", "no-such-codec"),
        lambda: buf.set_string(0, "a", "no-such-codec"),
        lambda: buf.read_string(1, "no-such-codec"),
        lambda: buf.get_string(0, 1, "no-such-codec"),
        lambda: buf.to_string("no-such-codec"),
    ):
        with fails(LookupError, buf):
            call()


@each_growing
def test_b037_write_string_beyond_the_maximum_is_refused(growing: MakeGrowing) -> None:
    """One byte too long writes nothing; exactly fitting is fine."""
    buf = growing(b"ab", 6)
    with fails(CapacityError, buf) as caught:
        buf.write_string("grüß")
    assert (caught.value.requested, caught.value.available) == (6, 4)
    assert buf.write_string("gr\u00fc") == 4


@each_writable
def test_b038_set_string_needs_only_the_real_size(shape: Make) -> None:
    """It fits exactly, fails one byte short, never grows and moves nothing."""
    buf = shape(b"123456789")
    indices = (buf.reader_index, buf.writer_index, buf.capacity)
    at = buf.capacity - 6
    assert buf.set_string(at, "ü€a") == 6
    assert buf.get_string(at, 6) == "ü€a"
    with fails(BoundsError, buf):
        buf.set_string(at + 1, "ü€a")
    assert (buf.reader_index, buf.writer_index, buf.capacity) == indices


@each_room
def test_b039_what_cannot_be_encoded_is_refused_or_replaced(room: MakeRoom) -> None:
    """UnicodeEncodeError writes nothing; with errors="replace" it becomes a question mark."""
    buf = room(12)
    for text, encoding in (("a\ud800", "utf-8"), ("aü", "ascii"), ("€", "latin-1")):
        with fails(UnicodeEncodeError, buf):
            buf.write_string(text, encoding)
        with fails(UnicodeEncodeError, buf):
            buf.set_string(0, text, encoding)
    assert buf.write_string("aü€", "ascii", "replace") == 3
    assert buf.write_string("\ud800", errors="replace") == 1
    assert bytes(buf) == b"a???"


@each_shape
def test_b040_malformed_bytes_are_refused_or_replaced(shape: Make) -> None:
    """UnicodeDecodeError leaves the reader index; with "replace" text comes out and the index moves."""
    buf = shape(b"ab\xff\xc3(c")
    r = buf.reader_index
    for call in (
        lambda: buf.read_string(6),
        lambda: buf.get_string(r, 6),
        buf.to_string,
        lambda: buf.read_string(3, "ascii"),
    ):
        with fails(UnicodeDecodeError, buf):
            call()
    assert buf.to_string(errors="ignore") == "ab(c"
    assert buf.read_string(6, errors="replace") == "ab\ufffd\ufffd(c"
    assert not buf.is_readable


@each_shape
def test_read_string_out_of_bounds_is_refused(shape: Make) -> None:
    """The bounds are those of read_bytes and get_bytes."""
    buf = shape(b"text")
    with fails(BoundsError, buf) as caught:
        buf.read_string(5)
    assert (caught.value.requested, caught.value.available) == (5, 4)
    with fails(BoundsError, buf):
        buf.get_string(buf.capacity, 1)
    with fails(TypeError, buf):
        buf.read_string(4, 5)
    with unchanged(buf):
        assert buf.get_string(buf.reader_index + 1, 2) == "ex"
        assert buf.to_string(index=buf.reader_index + 1) == "ext"
        assert buf.to_string(length=2) == "te"
        assert buf.to_string("ascii", "strict", buf.reader_index + 1, 2) == "ex"


@each_room
def test_text_of_the_wrong_type_is_refused(room: MakeRoom) -> None:
    """bytes are not text."""
    buf = room(8)
    for bad in (b"bytes", None, 5, bytearray(b"x")):
        with fails(TypeError, buf):
            buf.write_string(bad)
        with fails(TypeError, buf):
            buf.set_string(0, bad)


@pytest.mark.parametrize("character", ["ü", "€", "😀"])
def test_b041_a_character_cut_anywhere_decodes_whole(character: str) -> None:
    """Characters of two to four bytes, split over components at every place."""
    raw = f"a{character}b".encode()
    for first in range(len(raw) + 1):
        for second in range(first, len(raw) + 1):
            buf = composite()
            for piece in (raw[:first], raw[first:second], raw[second:]):
                buf.append(copied(piece))
            assert buf.to_string() == f"a{character}b"
            assert buf.get_string(1, len(raw) - 2) == character
            assert buf.read_string(len(raw)) == f"a{character}b"


@each_shape
def test_b041_text_reads_alike_in_every_shape(shape: Make) -> None:
    """to_string, get_string and read_string of the readable bytes."""
    raw = TEXT.encode()
    buf = shape(raw)
    assert buf.to_string() == buf.get_string(buf.reader_index, len(raw)) == TEXT
    assert buf.read_string(len(raw)) == TEXT
