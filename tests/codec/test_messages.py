"""Messages into messages: text, bytes, Base64, and parts gathered into one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf import ByteBuf, CompositeByteBuf, Pool, copied, default_allocator, wrap
from zbuf.audit import process_account
from zbuf.codec import (
    Base64Decoder,
    Base64Encoder,
    ByteArrayDecoder,
    ByteArrayEncoder,
    LineBasedFrameDecoder,
    LineEncoder,
    MessageAggregator,
    MessageToMessageDecoder,
    MessageToMessageEncoder,
    StringDecoder,
    StringEncoder,
)
from zbuf.errors import (
    CorruptedFrameError,
    EncodeError,
    IncompleteFrameError,
    LimitExceededError,
    TooLongFrameError,
)
from zbuf.testing import shapes

ALLOC = default_allocator()


def joined(parts):
    """The bytes of all parts."""
    return b"".join(bytes(part) for part in parts)


# Text.


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le", "ascii"])
def test_string_decoder_reads_every_shape(encoding):
    """A frame is a whole text, wherever its characters are cut; the frame is left as it was."""
    text = "no stra\u00dfe" if encoding != "ascii" else "no street"
    for name, frame in shapes(text.encode(encoding)).items():
        assert list(StringDecoder(encoding).decode(frame)) == [text], name
        assert frame == text.encode(encoding), name


@pytest.mark.parametrize("bad", [b"\xff", b"ab\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80"])
def test_string_decoder_refuses_invalid_utf8(bad):
    """Overlong, surrogate, cut: CorruptedFrameError with the place where Python's codec finds it."""
    for name, frame in shapes(bad).items():
        with pytest.raises(CorruptedFrameError) as caught:
            StringDecoder().decode(frame)
        with pytest.raises(UnicodeDecodeError) as expected:
            bad.decode()
        assert caught.value.position == expected.value.start, name


def test_string_decoder_with_other_errors():
    """What to do with wrong bytes is the caller's choice."""
    assert StringDecoder("ascii", "replace").decode(wrap(b"a\xff")) == ("a\ufffd",)


@pytest.mark.parametrize("make", [StringDecoder, StringEncoder, lambda *given: LineEncoder(b"\n", *given)])
@pytest.mark.parametrize("encoding", ["no such", "hex", "base64", "rot13"])
def test_unknown_or_no_text_encoding_raises_at_construction(make, encoding):
    """Encodings that do not turn text into bytes are not known here."""
    with pytest.raises(LookupError):
        make(encoding)


@pytest.mark.parametrize("make", [StringDecoder, StringEncoder])
def test_unknown_errors_raise_at_construction(make):
    """A typing error is found before the first bad byte comes."""
    with pytest.raises(ValueError):
        make("utf-8", "no such")


def test_string_encoder_refuses_what_the_encoding_has_no_bytes_for():
    """Nothing is written; the cause is kept."""
    with pytest.raises(EncodeError) as caught:
        StringEncoder("ascii").encode("\u00e9", ALLOC)
    assert isinstance(caught.value.__cause__, UnicodeEncodeError)


@given(st.text(max_size=20))
def test_string_decoder_after_encoder_is_the_identity_b150(text):
    """Any text that has bytes comes back."""
    try:
        parts = StringEncoder().encode(text, ALLOC)
    except EncodeError:
        assert any("\ud800" <= character <= "\udfff" for character in text)
        return
    assert StringDecoder().decode(wrap(joined(parts))) == (text,)


# Lines.


@pytest.mark.parametrize("separator", [b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", [lambda text: text, str.encode, lambda text: wrap(text.encode())])
def test_line_encoder_and_line_decoder_are_the_identity_b150(separator, kind):
    """Text, bytes and buffers come out of the line decoder as they went in."""
    encoder, decoder = LineEncoder(separator), LineBasedFrameDecoder(100)
    for text in ("", "one", "t w o", "\u00e9"):
        decoder.feed(joined(encoder.encode(kind(text), ALLOC)))
        assert bytes(decoder.next()).decode() == text


def test_line_encoder_passes_buffers_by_reference():
    """The message itself goes out, then the separator."""
    msg = wrap(b"one")
    line, end = LineEncoder(b"\r\n").encode(msg, ALLOC)
    assert line is msg and end == b"\r\n"


@pytest.mark.parametrize("text", ["a\nb", "\r", "a\r\nb", "end\n", "end\r"])
@pytest.mark.parametrize(
    "kind", [lambda text: text, str.encode, lambda text: copied(text.encode()), lambda text: bytearray(text.encode())]
)
def test_line_encoder_refuses_more_than_one_line(text, kind):
    """A CR or LF in a message would let it say more than its writer meant."""
    with pytest.raises(EncodeError):
        LineEncoder().encode(kind(text), ALLOC)


@pytest.mark.parametrize("separator", [b"", b"\r", b"\n\n", b";"])
def test_line_encoder_refuses_other_separators(separator):
    """Only what the line decoder finds."""
    with pytest.raises(ValueError):
        LineEncoder(separator)


# Bytes.


def test_byte_array_codec():
    """Frames become bytes; bytes become buffers over them, what may change is copied."""
    for name, frame in shapes(b"payload").items():
        assert list(ByteArrayDecoder().decode(frame)) == [b"payload"], name
    encoder, owner = ByteArrayEncoder(), bytearray(b"abc")
    (copy,) = encoder.encode(owner, ALLOC)
    owner[:] = b"xyz"
    assert copy == b"abc"
    before = process_account().snapshot()
    (shared,) = encoder.encode(b"abc", ALLOC)
    assert not [one for one in (process_account().snapshot() - before).user.values() if one.nbytes]
    assert shared == b"abc"


# Base64.


@given(st.binary(max_size=40), st.booleans())
def test_base64_is_the_identity_and_what_python_writes_b150(data, url_safe):
    """Any bytes, both alphabets; the text is that of the standard library."""
    text = joined(Base64Encoder(url_safe=url_safe).encode(wrap(data), ALLOC))
    assert text == (base64.urlsafe_b64encode if url_safe else base64.standard_b64encode)(data)
    assert joined(Base64Decoder(url_safe=url_safe).decode(wrap(text))) == data


@pytest.mark.parametrize(
    "bad",
    [
        b"A",
        b"AA",
        b"AAA",
        b"A===",
        b"AA=",
        b"AA==\n",
        b" AAAA",
        b"AA==AAAA",
        b"====",
        b"AB==",
        b"AAB=",
        b"A\xffAA",
        b"AA-_",
        b"AA=A",
    ],
)
def test_base64_decoder_refuses_what_the_encoder_does_not_write(bad):
    """Missing and surplus padding, white space, foreign letters, bits in the padding."""
    with pytest.raises(CorruptedFrameError):
        Base64Decoder().decode(wrap(bad))


def test_base64_alphabets_do_not_mix():
    """Each accepts its own two letters only."""
    data = b"\xfb\xff\xbf"
    assert joined(Base64Decoder().decode(wrap(b"+/+/"))) == data
    assert joined(Base64Decoder(url_safe=True).decode(wrap(b"-_-_"))) == data
    for decoder, text in ((Base64Decoder(), b"-_-_"), (Base64Decoder(url_safe=True), b"+/+/")):
        with pytest.raises(CorruptedFrameError):
            decoder.decode(wrap(text))


def test_bases_ask_to_be_derived_from():
    """They decode and encode nothing; an end without an unfinished message is silent."""
    with pytest.raises(NotImplementedError):
        MessageToMessageDecoder().decode("x")
    with pytest.raises(NotImplementedError):
        MessageToMessageEncoder().encode("x", ALLOC)
    MessageToMessageDecoder().end()


# Parts gathered into one.


class Part:
    """A part: what it carries, whether it is the first, the last."""

    def __init__(self, data, first=False, last=False):
        self.data = None if data is None else copied(data)
        self.first, self.last = first, last


class Gather(MessageAggregator[Part, bytes]):
    """Gathers parts into the bytes of all."""

    kinds: list[type]

    def is_first(self, msg):
        return msg.first

    def is_last(self, msg):
        return msg.last

    def content_of(self, msg):
        return msg.data

    def whole(self, first, content):
        assert first.first
        self.kinds = [type(content)]
        return bytes(content)


def test_aggregator_gathers_first_more_and_last():
    """Nothing until the last part; a part may be both; parts without content count for nothing."""
    gather = Gather(100)
    assert [*gather.decode(Part(b"one", first=True)), *gather.decode(Part(None)), *gather.decode(Part(b""))] == []
    assert list(gather.decode(Part(b"two", last=True))) == [b"onetwo"]
    assert list(gather.decode(Part(b"whole", True, True))) == [b"whole"]
    assert list(gather.decode(Part(None, True, True))) == [b""]


def test_aggregator_shares_large_parts_and_copies_small_ones():
    """4 KiB parts cost no copy; a thousand bytes one by one cost few components."""
    gather = Gather(1 << 20, max_parts=5000)
    parts = [Part(bytes(4096), first=n == 0, last=n == 7) for n in range(8)]
    before = process_account().snapshot()
    for part in parts[:-1]:
        assert list(gather.decode(part)) == []
    held = gather._content
    assert isinstance(held, CompositeByteBuf) and held.num_components == 7
    assert not [one for one in (process_account().snapshot() - before).user.values() if one.nbytes]
    assert list(gather.decode(parts[-1])) == [bytes(8 * 4096)]
    gather.decode(Part(b"", first=True))
    for _ in range(1000):
        gather.decode(Part(b"x"))
    assert isinstance(gather._content, ByteBuf) and getattr(gather._content, "num_components", 1) < 10
    assert list(gather.decode(Part(b"", last=True))) == [b"x" * 1000]


@pytest.mark.parametrize("size", [9, 10, 11])
def test_aggregator_exactly_max_content_length_passes_b141(size):
    """One byte more raises; the other parts of that message are dropped, and the next message comes."""
    gather = Gather(10)
    gather.decode(Part(b"12345", first=True))
    if size <= 10:
        assert list(gather.decode(Part(b"x" * (size - 5), last=True)))
    else:
        with pytest.raises(TooLongFrameError) as caught:
            gather.decode(Part(b"x" * (size - 5)))
        assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_content_length", 10, 11)
        assert [*gather.decode(Part(b"more")), *gather.decode(Part(b"last", last=True))] == []
    assert list(gather.decode(Part(b"ok", True, True))) == [b"ok"]


def test_aggregator_bounds_the_number_of_parts():
    """A flood of empty parts is no message."""
    gather = Gather(10, max_parts=3)
    for n in range(3):
        gather.decode(Part(b"", first=n == 0))
    with pytest.raises(LimitExceededError) as caught:
        gather.decode(Part(b"", last=True))
    assert (caught.value.limit, caught.value.maximum) == ("max_parts", 3)
    assert list(gather.decode(Part(b"ok", True, True))) == [b"ok"]


def test_aggregator_refuses_parts_out_of_order():
    """A part without a first one; a first one inside another message, which is dropped as well."""
    gather = Gather(10)
    with pytest.raises(CorruptedFrameError):
        gather.decode(Part(b"x"))
    gather.decode(Part(b"a", first=True))
    with pytest.raises(CorruptedFrameError):
        gather.decode(Part(b"b", first=True))
    assert list(gather.decode(Part(b"c", last=True))) == []
    assert list(gather.decode(Part(b"ok", True, True))) == [b"ok"]


def test_aggregator_end_inside_a_message_raises_once_b137():
    """What was gathered is given back."""
    pool = Pool()
    gather, part = Gather(10), Part(None, first=True)
    part.data = pool.buffer(4)
    part.data.write_bytes(b"abcd")
    gather.decode(part)
    part.data.release()
    assert pool.statistics().live_blocks == 1
    with pytest.raises(IncompleteFrameError) as caught:
        gather.end()
    assert caught.value.buffered == 4 and pool.statistics().live_blocks == 0
    gather.end()


@pytest.mark.parametrize("wrong", [lambda: Gather(0), lambda: Gather(10, max_parts=0)])
def test_aggregator_bad_limits_raise_value_error(wrong):
    """Limits are positive."""
    with pytest.raises(ValueError):
        wrong()
