"""Text: strings in and out, strict as in Python.

Owns    BEHAVIOURS 37 to 42.
Never   bytes.
Always  lengths are in bytes; a refused call writes nothing and moves nothing."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable
from typing import Any

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
from zbuf import ByteBuf, composite, copied, utf8_size
from zbuf.errors import BoundsError, CapacityError, ReferenceCountError

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


def test_b041_utf8_size_is_the_size_of_the_encoding() -> None:
    """Characters of every plane and size, also where a long text is measured in pieces."""
    for text in ("", "plain", "Grüße", "€", "😀", "\x00\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff", TEXT * 9000):
        assert utf8_size(text) == len(text.encode())
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000, 7))))
    assert utf8_size(every) == len(every.encode())


def test_b041_utf8_size_refuses_what_has_none() -> None:
    """A lone surrogate raises as str.encode does, with its place in the whole text; bytes are not text."""
    for text in ("\ud800", "é" * 70_000 + "\udfff"):
        with pytest.raises(UnicodeEncodeError) as caught:
            utf8_size(text)
        assert (caught.value.start, caught.value.object) == (len(text) - 1, text)
    for wrong in (b"bytes", None, 5):
        with pytest.raises(TypeError):
            utf8_size(wrong)  # type: ignore[arg-type]  # that is the point


MALFORMED = (
    "c080", "c1bf", "eda080", "edbfbf", "f4908080", "f5808080", "ff", "80", "bf", "e08080", "e09fbf", "f0808080",
    "f08fbfbf", "c2", "e282", "f09f98", "c220", "e28220", "f09f9820",
)  # fmt: skip
WELL_FORMED = ("c280", "dfbf", "ed9fbf", "ee8080", "f48fbfbf", "f0908080", "e0a080", "7f", "00", "efbbbf", "efbfbf")


@each_shape
def test_b042_is_text_tells_utf8_from_its_malformed_neighbours(shape: Make) -> None:
    """Overlong forms, surrogates, what lies above U+10FFFF and cut tails are no text; their valid neighbours are."""
    for case in MALFORMED:
        for around in ("{}", "a{}", "{}a", "é{}", "aaaaaaaaaaaaaaaa{}"):
            before, _, after = around.partition("{}")
            data = before.encode() + bytes.fromhex(case) + after.encode()
            buf = shape(data)
            with unchanged(buf):
                assert buf.is_text() is False, data
    for case in WELL_FORMED:
        for before, after in (("", ""), ("a", "b"), ("é", "😀")):
            buf = shape(before.encode() + bytes.fromhex(case) + after.encode())
            with unchanged(buf):
                assert buf.is_text() is True, case


@each_shape
def test_b042_is_text_follows_the_optional_pair(shape: Make) -> None:
    """The readable bytes, or a range that may cut a character; a range outside the buffer raises."""
    buf = shape("aé€".encode())
    r = buf.reader_index
    with unchanged(buf):
        assert (buf.is_text(), buf.is_text(r + 1), buf.is_text(r + 2), buf.is_text(length=2)) == (
            True,
            True,
            False,
            False,
        )
        assert (buf.is_text(r + 1, 2), buf.is_text(r + 3, 2), buf.is_text(r + 6), buf.is_text(r, 0)) == (
            True, False, True, True,
        )  # fmt: skip
    for pair in ((-1, 1), (0, buf.capacity + 1), (buf.writer_index + 1,), (None, 7), (buf.capacity, 1)):
        with fails(BoundsError, buf):
            buf.is_text(*pair)
    with fails(ValueError, buf):
        buf.is_text(0, -1)
    for encoding in ("no-such-codec", "hex", "base64", "rot13"):
        with fails(LookupError, buf):
            buf.is_text(encoding=encoding)
    with fails(TypeError, buf):
        buf.is_text(encoding=None)  # type: ignore[arg-type]  # that is the point


def pieces(data: bytes, rng: random.Random) -> ByteBuf:
    """The bytes as components of 1 to 3 bytes and some long ones."""
    buf, at = composite(), 0
    while at < len(data):
        size = rng.choice((1, 2, 3, 200))
        buf.append(copied(data[at : at + size]))
        at += size
    return buf


ENCODINGS_TO_ASK = (
    "utf-8", "UTF8", "utf-8-sig", "ascii", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32",
    "utf-32-be", "utf-7", "shift_jis", "euc_jp", "gb18030", "big5", "iso2022_jp", "euc_kr",
)  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS_TO_ASK)
def test_b042_is_text_agrees_with_decode_in_every_encoding(encoding: str) -> None:
    """Text, cut text and noise, over components that cut characters everywhere."""
    rng = random.Random(encoding)
    for turn in range(200):
        data = "a日本語ü€😀 b".encode(encoding, "ignore") * rng.randint(1, 40)
        if turn % 3:
            data = data[: rng.randint(0, len(data))]
        if turn % 3 == 2:
            data += bytes(rng.choices(range(256), k=rng.randint(0, 6)))
        try:
            data.decode(encoding)
            expected = True
        except UnicodeError:
            expected = False
        assert pieces(data, rng).is_text(encoding=encoding) is expected, data


def test_b042_characters_over_the_borders_of_large_pieces_are_whole() -> None:
    """Text that is decoded a piece at a time, with characters where the pieces end."""
    for shift in range(4):
        text = "a" * shift + "😀" * 70_000
        buf = composite()
        for piece in (text.encode()[:100_001], text.encode()[100_001:]):
            buf.append(copied(piece))
        assert buf.is_text() and buf.is_text(encoding="utf-8-sig")
        assert not buf.is_text(length=buf.readable_bytes - 1)
        assert not buf.is_text(shift + 1)
        wide = copied(text.encode("utf-16-le"))
        assert wide.is_text(encoding="utf-16-le") and not wide.is_text(
            length=wide.readable_bytes - 2, encoding="utf-16-le"
        )


class Foreign:
    """A codec of the user's own: found by name, without an incremental decoder, or with one that acts."""

    def __init__(self, name: str, act: Callable[[], Any], incremental: bool) -> None:
        def decode(data: Any, errors: str = "strict") -> tuple[str, int]:
            act()
            if bytes(data).startswith(b"bad"):
                raise UnicodeDecodeError(name, bytes(data), 0, 1, "no")
            return bytes(data).decode("latin-1"), len(data)

        class Decoder(codecs.IncrementalDecoder):
            def decode(self, data: Any, final: bool = False) -> str:
                return decode(data)[0]

        info = codecs.CodecInfo(
            lambda text, errors="strict": (text.encode("latin-1"), len(text)),
            decode,
            incrementaldecoder=Decoder if incremental else None,
            name=name,
        )
        self.search = lambda asked: info if asked == name else None

    def __enter__(self) -> None:
        codecs.register(self.search)

    def __exit__(self, *_: object) -> None:
        codecs.unregister(self.search)


def test_b042_a_codec_without_an_incremental_decoder_is_asked_once() -> None:
    """All bytes at once, because it can do no other."""
    asked: list[int] = []
    with Foreign("zbuf_whole", lambda: asked.append(1), incremental=False):
        assert pieces(b"good" * 50_000, random.Random(1)).is_text(encoding="zbuf_whole")
        assert len(asked) == 1
        assert not copied(b"bad").is_text(encoding="zbuf_whole")


def test_b042_a_decoder_that_turns_against_the_buffer_breaks_nothing() -> None:
    """Released in the midst: ReferenceCountError. Cut short: BoundsError."""
    for act, error in ((lambda b: b.release(), ReferenceCountError), (lambda b: b.set_capacity(70_000), BoundsError)):
        buf = copied(b"x" * 200_000)
        with Foreign("zbuf_turning", lambda: act(buf), incremental=True), pytest.raises(error):  # noqa: B023  # at once
            buf.is_text(encoding="zbuf_turning")
        buf._check()
