"""Any bytes give messages, NEED_DATA or a DecodeError, the same however they are cut; every decoder of the codec room.

python tests/fuzz/fuzz_codecs.py -max_total_time=60 tests/fuzz/corpus/codecs     (needs atheris)

The first byte of an input says which decoder it is for.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from zbuf.buffer import ByteBuf
from zbuf.codec import (
    NEED_DATA,
    Decoder,
    DelimiterBasedFrameDecoder,
    FixedLengthFrameDecoder,
    GeneratorDecoder,
    JsonLinesDecoder,
    JsonObjectDecoder,
    LengthFieldBasedFrameDecoder,
    Limits,
    LineBasedFrameDecoder,
    Need,
    NeedUntil,
    NetstringFrameDecoder,
    ProtobufVarint32FrameDecoder,
    Skip,
    Steps,
)
from zbuf.errors import CorruptedFrameError, DecodeError

LONGEST = 12  # small, so that random inputs reach the limit


class Records(GeneratorDecoder[tuple[bytes, bytes]]):
    """A name up to a delimiter, some bytes to skip, a body."""

    def decode(self) -> Steps[tuple[bytes, bytes]]:
        """Read one record."""
        name = yield NeedUntil(b"::", most=4)
        head = yield Need(2)
        skipped, size = head.read_unsigned_byte(), head.read_unsigned_byte()
        if skipped == 255:
            raise CorruptedFrameError("255 bytes are too many")
        yield Skip(skipped)
        body = yield Need(size)
        return bytes(name), bytes(body)


JSON_WORDS = [b"[", b"]", b"{", b"}", b'"', b"\\", b",", b" ", b"1", b"true", b'"a"', b"{}", b"[1]", b"x" * 11]

# What to make, and the words that matter to its grammar.
DECODERS: dict[str, tuple[Callable[[], Decoder[Any]], list[bytes]]] = {
    "line": (lambda: LineBasedFrameDecoder(LONGEST), [b"\n", b"\r", b"\r\n", b"ab", b"x" * 11]),
    "line, kept": (lambda: LineBasedFrameDecoder(LONGEST, strip=False), [b"\n", b"\r", b"\r\n", b"ab", b"x" * 11]),
    "line, slow": (lambda: LineBasedFrameDecoder(LONGEST, fail_fast=False), [b"\n", b"\r", b"a", b"x" * 12]),
    "line, CR LF only": (lambda: LineBasedFrameDecoder(LONGEST, bare_lf=False), [b"\n", b"\r", b"\r\n", b"x" * 12]),
    "delimiter": (lambda: DelimiterBasedFrameDecoder(LONGEST, b"\0"), [b"\0", b"ab", b"x" * 12]),
    "delimiters": (
        lambda: DelimiterBasedFrameDecoder(LONGEST, b"--", b"-=-", b"aab", strip=False),
        [b"-", b"=", b"--", b"a", b"b", b"aab", b"x" * 11],
    ),
    "delimiters inside others": (
        lambda: DelimiterBasedFrameDecoder(LONGEST, b"\n", b"\n\n", b"a\nb\nc", b"ab", fail_fast=False),
        [b"\n", b"a", b"b", b"c", b"x", b"x" * 11],
    ),
    "fixed": (lambda: FixedLengthFrameDecoder(3), [b"a", b"bcd"]),
    "varint32": (
        lambda: ProtobufVarint32FrameDecoder(LONGEST),
        [b"\x00", b"\x01a", b"\x05hello", b"\x80", b"\xff\xff\xff\xff", b"\x0d", b"x" * 12, b"\x80\x00"],
    ),
    "netstring": (
        lambda: NetstringFrameDecoder(LONGEST),
        [b"0:,", b"5:hello,", b"1", b"0", b":", b",", b"a", b"13:", b"x" * 13, b"9" * 17],
    ),
    "length field": (
        lambda: LengthFieldBasedFrameDecoder(LONGEST, 1, 2, -3, 3),
        [b"\x00", b"\x01", b"\x05", b"\x80", b"\xff", b"x" * 11],
    ),
    "length field, slow": (
        lambda: LengthFieldBasedFrameDecoder(LONGEST, 0, 1, 0, 0, fail_fast=False),
        [b"\x00", b"\x01a", b"\x0c", b"\xff", b"x" * 20],
    ),
    "json": (lambda: JsonObjectDecoder(LONGEST, max_depth=3), JSON_WORDS),
    "json elements": (lambda: JsonObjectDecoder(LONGEST, stream_array_elements=True, max_depth=3), JSON_WORDS),
    "json lines": (lambda: JsonLinesDecoder(LONGEST, max_depth=3), [*JSON_WORDS, b"\n", b"\r\n"]),
    "generator": (
        lambda: Records(Limits(max_frame_bytes=LONGEST)),
        [b"ab::", b":", b"::", b"\x00\x00", b"\x03\x02", b"\x0b", b"\xff", b"x" * 9],
    ),
}
NAMES = list(DECODERS)


def outcome(make: Callable[[], Decoder[Any]], pieces: Iterable[bytes]) -> list[object]:
    """What comes out of these pieces: messages, classes of errors, and how the end was."""
    decoder = make()
    found: list[object] = []
    for piece in pieces:
        decoder.feed(piece)
        errors = 0
        while True:
            try:
                message = decoder.next()
            except DecodeError as exc:
                found.append(type(exc))
                errors += 1
                assert errors <= len(piece) + 64, "the decoder does not get past an error"
                continue
            if message is NEED_DATA:
                break
            found.append(bytes(message) if isinstance(message, ByteBuf) else message)
        assert decoder.needed >= 1
        assert decoder.buffered <= 64, "more is held than the longest frame"
    try:
        decoder.end()
        found.append("ended between two messages")
    except DecodeError as exc:
        found.append(type(exc))
    assert decoder.buffered == 0
    return found


def check(make: Callable[[], Decoder[Any]], data: bytes) -> None:
    """Look at one input: whole, in two parts at each of a few places, and byte by byte."""
    whole = outcome(make, [data])
    for at in {len(data) // 3, len(data) // 2, len(data) - 1} - {0, -1}:
        assert outcome(make, [data[:at], data[at:]]) == whole, at
    assert outcome(make, [data[at : at + 1] for at in range(len(data))]) == whole


def one_input(data: bytes) -> None:
    """Look at one input of the fuzzer."""
    if data:
        make, _ = DECODERS[NAMES[data[0] % len(NAMES)]]
        check(make, data[1:])


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
