"""Any bytes give output, an end or a DecodeError, within the bounds; every format of compression.

python tests/fuzz/fuzz_compression.py -max_total_time=60 tests/fuzz/corpus/compression     (needs atheris)

The first byte of an input says which format it is for, and whether a good head is put before the rest.
"""

import sys
from collections.abc import Iterable
from typing import Any

from zbuf.codec import Limits
from zbuf.codec.compression import (
    BrotliDecoder,
    Decompressor,
    DeflateDecoder,
    GzipDecoder,
    Lz4FrameDecoder,
    ZlibDecoder,
    ZstdDecoder,
    compress,
)
from zbuf.errors import CorruptedFrameError, DecodeError, DecompressionLimitError

LIMITS = Limits(max_decompressed_bytes=20_000)  # small, so that random inputs reach it
DECODERS: dict[str, Any] = {
    "zlib": ZlibDecoder,
    "gzip": GzipDecoder,
    "deflate": DeflateDecoder,
    "zstd": ZstdDecoder,
    "lz4": Lz4FrameDecoder,
    "brotli": BrotliDecoder,
}
NAMES = list(DECODERS)
WITH_HEAD = 0x80
HEAD = 12  # bytes of a good stream that are put in front
CONTENT = b"some content, some more content " * 8


def outcome(decoder: Decompressor, pieces: Iterable[bytes]) -> tuple[bytes, type[Exception] | None]:
    """What comes out of these pieces, and the class of the error if there was one; there is never a second."""
    out: list[bytes] = []
    found: list[type[Exception]] = []
    for piece in pieces:
        decoder.feed(piece)
        while True:
            try:
                out.extend(bytes(part) for part in decoder)
                break
            except DecodeError as exc:
                found.append(type(exc))
        assert decoder.buffered == 0, "bytes are held"
    try:
        decoder.end()
    except DecodeError as exc:
        found.append(type(exc))
    assert len(found) <= 1, found
    assert sum(map(len, out)) <= LIMITS.max_decompressed_bytes
    return b"".join(out), found[0] if found else None


def check(name: str, data: bytes) -> None:
    """Look at one input: whole, in two parts, byte by byte; then the same decoder must read what is good."""
    decoder = DECODERS[name](LIMITS)
    out, error = outcome(decoder, [data])
    for pieces in ([data[: len(data) // 2], data[len(data) // 2 :]], [data[at : at + 1] for at in range(len(data))]):
        again, other = outcome(DECODERS[name](LIMITS), pieces)
        # brotli makes up to 32 KiB at once, and gives none of it when there is an error behind the cap
        both = {error, other} == {CorruptedFrameError, DecompressionLimitError}
        assert other is error or (name == "brotli" and both), (name, error, other)
        assert out.startswith(again) or again.startswith(out), name
        assert out == again or error not in (None, DecompressionLimitError), name
    assert outcome(decoder, [bytes(compress(CONTENT, name))]) == (CONTENT, None)  # type: ignore[arg-type]  # a Coding


def one_input(data: bytes) -> None:
    """Look at one input of the fuzzer."""
    if data:
        name = NAMES[(data[0] & ~WITH_HEAD) % len(NAMES)]
        head = bytes(compress(CONTENT, name))[:HEAD] if data[0] & WITH_HEAD else b""  # type: ignore[arg-type]  # same
        check(name, head + data[1:])


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
