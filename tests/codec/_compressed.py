"""The six formats for the tests of compression: what makes each, and one set of bombs for all of them.

Owns    the pairs of decoder and encoder, independent compressors as oracles, the ways to run a decoder.
Never   an expectation.
Always  a format whose library is missing is left out by a skip that names it."""

import gzip
import importlib
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from zbuf import default_allocator
from zbuf.codec import Limits
from zbuf.codec import compression as room
from zbuf.errors import DecodeError

ALLOC = default_allocator()
LOOSE = Limits(max_ratio=10**6, max_decompressed_bytes=1 << 30)
TEXT = b"".join(b"line %d of a text that compresses, but not by very much: %d\n" % (n, n * n * 7919) for n in range(60))


def _bare(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class Format:
    """One format: zbuf's two halves, and somebody else's compressor."""

    name: str
    decoder: Callable[..., room.Decompressor]
    encoder: Callable[..., room.Compressor]
    oracle: Callable[[bytes], bytes]
    library: str = "zlib"
    concatenates: bool = False
    has_checksum: bool = True
    most_at_once: int = 65536  # what one step of the library may make


def _from(library: str, call: str, **options: Any) -> Callable[[bytes], bytes]:
    def oracle(data: bytes) -> bytes:
        made: bytes = getattr(importlib.import_module(library), call)(data, **options)
        return made

    return oracle


def _zstd(data: bytes) -> bytes:
    made: bytes = importlib.import_module("zstandard").ZstdCompressor(write_checksum=True).compress(data)
    return made


FORMATS = {
    one.name: one
    for one in (
        Format("zlib", room.ZlibDecoder, room.ZlibEncoder, lambda data: zlib.compress(data, 9)),
        Format("gzip", room.GzipDecoder, room.GzipEncoder, gzip.compress, concatenates=True),
        Format("deflate", room.DeflateDecoder, room.DeflateEncoder, _bare, has_checksum=False),
        Format(
            "zstd",
            room.ZstdDecoder,
            room.ZstdEncoder,
            _zstd,
            "zstandard",
            concatenates=True,
            most_at_once=131072,
        ),
        Format(
            "lz4",
            room.Lz4FrameDecoder,
            room.Lz4FrameEncoder,
            _from("lz4.frame", "compress", content_checksum=True, block_size=7),
            "lz4.frame",
            concatenates=True,
        ),
        Format(
            "brotli",
            room.BrotliDecoder,
            room.BrotliEncoder,
            _from("brotli", "compress", quality=5),
            "brotli",
            has_checksum=False,
            most_at_once=98304,
        ),
    )
}


def each_format(*, concatenates: bool | None = None) -> Any:
    """Run a test for every format, or for those that do (not) concatenate."""
    names = [one.name for one in FORMATS.values() if concatenates in (None, one.concatenates)]
    return pytest.mark.parametrize("form", names, indirect=True)


def run(decoder: room.Decompressor, pieces: Iterable[Any]) -> tuple[bytes, type[Exception] | None]:
    """Feed, take everything, end: what came out, and the class of the first error."""
    out: list[bytes] = []
    error: type[Exception] | None = None
    for piece in pieces:
        decoder.feed(piece)
        while True:
            try:
                out.extend(bytes(part) for part in decoder)
                break
            except DecodeError as exc:
                assert error is None, "a second error"
                error = type(exc)
    try:
        decoder.end()
    except DecodeError as exc:
        assert error is None, "a second error"
        error = type(exc)
    return b"".join(out), error


def bytewise(data: bytes) -> list[bytes]:
    """One byte at a time."""
    return [data[at : at + 1] for at in range(len(data))]


def joined(parts: Iterable[Any]) -> bytes:
    """The bytes of all parts."""
    return b"".join(bytes(part) for part in parts)
