"""Stock codecs and a generator, as a user of zbuf would type them."""

from typing import Any, assert_type

from zbuf import ByteBuf, buffer, default_allocator, wrap
from zbuf.codec import (
    NEED_DATA,
    DelimiterBasedFrameDecoder,
    FixedLengthFrameDecoder,
    GeneratorDecoder,
    JsonLinesDecoder,
    JsonObjectDecoder,
    LengthField,
    Limits,
    LineBasedFrameDecoder,
    LineEncoder,
    MessageAggregator,
    MessageToMessageDecoder,
    Need,
    NeedData,
    NeedUntil,
    NetstringFrameDecoder,
    ProtobufVarint32FrameDecoder,
    Skip,
    Steps,
    StringDecoder,
    StringEncoder,
    length_field,
)
from zbuf.pipeline import MessageDecoderHandler


class Pairs(GeneratorDecoder[tuple[str, int]]):
    """A name and a number."""

    def _name(self) -> Steps[str]:
        name = yield NeedUntil(b"=", most=20)
        assert_type(name, ByteBuf)
        return name.to_string()

    def decode(self) -> Steps[tuple[str, int]]:
        """Read one pair."""
        name = yield from self._name()
        assert_type(name, str)
        yield Skip(1)
        number = yield Need(4)
        return name, number.read_int()


def generators() -> None:
    """What comes out has the type of what decode returns."""
    pairs = Pairs(Limits(max_frame_bytes=100))
    assert_type(pairs.next(), tuple[str, int] | NeedData)
    for name, number in pairs:
        assert_type(name, str)
        assert_type(number, int)


def frames() -> None:
    """Frames are buffers; JSON lines are anything."""
    assert_type(LineBasedFrameDecoder(80, bare_lf=False).next(), ByteBuf | NeedData)
    assert_type(list(DelimiterBasedFrameDecoder(80, b"\0", bytearray(b";"), strip=False)), list[ByteBuf])
    assert_type(list(FixedLengthFrameDecoder(8)), list[ByteBuf])
    assert_type(list(ProtobufVarint32FrameDecoder(80)), list[ByteBuf])
    assert_type(list(NetstringFrameDecoder(80)), list[ByteBuf])
    assert_type(list(JsonObjectDecoder(stream_array_elements=True)), list[ByteBuf])
    assert_type(list(JsonLinesDecoder()), list[Any])
    line = LineBasedFrameDecoder(80).next()
    if line is not NEED_DATA:
        assert_type(line, ByteBuf)


def messages() -> MessageDecoderHandler:
    """Messages to messages."""
    decoder = StringDecoder("latin-1")
    assert_type(decoder.decode(wrap(b"x")), tuple[str, ...])
    assert_type(StringEncoder().encode("x", default_allocator()), tuple[bytes, ...])
    LineEncoder(b"\r\n").encode(wrap(b"x"), default_allocator())
    as_base: MessageToMessageDecoder[ByteBuf, str] = decoder
    return MessageDecoderHandler(as_base)


class Whole(MessageAggregator[tuple[int, ByteBuf], bytes]):
    """Parts with a number: 0 the first, 9 the last."""

    def is_first(self, msg: tuple[int, ByteBuf]) -> bool:
        """Say whether it begins a message."""
        return msg[0] == 0

    def is_last(self, msg: tuple[int, ByteBuf]) -> bool:
        """Say whether it ends one."""
        return msg[0] == 9

    def content_of(self, msg: tuple[int, ByteBuf]) -> ByteBuf | None:
        """Return what it carries."""
        return msg[1]

    def whole(self, first: tuple[int, ByteBuf], content: ByteBuf) -> bytes:
        """Return the message."""
        return bytes(content)


def lengths() -> int:
    """A reservation is a `with` block, or is filled in by hand."""
    buf = buffer()
    with length_field(buf, 4, includes_length_field=True) as length:
        assert_type(length, LengthField)
        length.include(b"x")
        length.include(3)
    return length_field(buf, 2).fill_in()
