"""Bombs: whatever a peer sends, output, memory and work stay within bounds. One set of bombs for all formats.

Which lesson stands where: CVE-2020-11612, 2021-37136, 2021-37137 (output without a bound, skippable frames buffered),
CVE-2025-58057 (all output collected in a list), CVE-2026-42587 (a bound that only one of the formats had)."""

import gc
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.codec._compressed import ALLOC, FORMATS, LOOSE, TEXT, bytewise, each_format, joined, run
from zbuf import wrap
from zbuf.codec import NEED_DATA, Limits
from zbuf.codec.compression import (
    Coding,
    Flush,
    GzipDecoder,
    MessageDecompressor,
    OutputLimiter,
    ZlibDecoder,
    ZstdDecoder,
    compress,
    decompress,
)
from zbuf.errors import CorruptedFrameError, DecodeError, DecompressionLimitError
from zbuf.pipeline import DecoderHandler
from zbuf.testing import EmbeddedChannel

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
BLOCK = bytes(MIB)
BYTES_ONLY = Limits(max_ratio=10**9, max_decompressed_bytes=MIB)


def until_refused(decoder, pieces):
    """What came out before the DecompressionLimitError, and the error; nothing is kept of the output."""
    total, largest = 0, 0
    try:
        for data in pieces:
            decoder.feed(data)
            for part in decoder:
                total += part.readable_bytes
                largest = max(largest, part.readable_bytes)
    except DecompressionLimitError as exc:
        return total, largest, exc
    raise AssertionError(f"not refused, {total} bytes came out")


@each_format()
def test_bomb_is_refused_at_the_cap_99(form):
    """64 MiB of zeros: exactly the cap comes out, in pieces, then the error; whole and byte by byte alike."""
    data = form.oracle(bytes(64 * MIB))
    for pieces in ([data], bytewise(data[:3000]), [data[:100], data[100:]]):
        if form.name == "lz4" and len(pieces) > 2:
            pieces = bytewise(data[:20_000])  # a block of 4 MiB has 16 KiB
        total, largest, exc = until_refused(form.decoder(BYTES_ONLY), pieces)
        assert total == MIB and largest <= 65536 + form.most_at_once
        assert (exc.limit, exc.maximum) == ("max_decompressed_bytes", MIB)
        assert MIB < exc.value <= MIB + form.most_at_once


@each_format()
def test_bomb_takes_no_memory_99(form):
    """64 MiB in all, 1 MiB allowed: tracemalloc never sees more than a few blocks of output at once."""
    data = form.oracle(bytes(64 * MIB))
    decoder = form.decoder(BYTES_ONLY)
    decoder.feed(data)
    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionLimitError):
            for _ in decoder:
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # lz4 and zstd take their windows and blocks through malloc, which tracemalloc does not see: see the next test
    assert peak < 2 * MIB, peak


@each_format()
def test_bomb_raises_the_resident_memory_by_little_99(form):
    """What libraries allocate for themselves counts here: windows and blocks, not the content."""
    program = f"from tests.codec import test_compression_limits as t; print(t.grown_by_bomb({form.name!r}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=True)
    assert int(done.stdout) < 32 * MIB


def grown_by_bomb(name):
    """In a process of its own: by how many bytes the most that was resident grew."""
    form = FORMATS[name]
    encoder = form.encoder(flush=Flush.STREAM)
    bomb = joined([*(part for _ in range(64) for part in encoder.encode(BLOCK, ALLOC)), *encoder.finish()])
    run(form.decoder(), [form.oracle(TEXT)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    until_refused(form.decoder(Limits(max_ratio=10**9)), [bomb])
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


@each_format()
def test_exactly_the_cap_passes_b141(form):
    """One byte more fails."""
    limits = Limits(max_decompressed_bytes=len(TEXT), max_ratio=10**6)
    assert run(form.decoder(limits), [form.oracle(TEXT)]) == (TEXT, None)
    for pieces in ([form.oracle(TEXT + b"!")], bytewise(form.oracle(TEXT + b"!"))):
        assert run(form.decoder(limits), pieces) == (TEXT, DecompressionLimitError)


@each_format()
def test_default_limits_refuse_the_ratio_99(form):
    """16 MiB and 200: zeros are refused soon after the first mebibyte, long before 16."""
    data = form.oracle(bytes(15 * MIB))
    total, _, exc = until_refused(form.decoder(), [data])
    assert (exc.limit, exc.maximum) == ("max_ratio", 200) and exc.value > 200
    assert MIB - form.most_at_once <= total <= (4 * MIB + 200 if form.name == "lz4" else 2 * MIB)


@each_format()
def test_ratio_is_not_looked_at_below_the_grace(form):
    """A mebibyte of zeros is no attack."""
    assert run(form.decoder(), [form.oracle(bytes(MIB))]) == (bytes(MIB), None)
    assert run(form.decoder(), bytewise(form.oracle(bytes(300_000)))) == (bytes(300_000), None)


@each_format()
def test_work_after_a_bomb_is_none(form):
    """What follows is dropped without being looked at; `end()` begins anew, the counts too."""
    decoder = form.decoder(BYTES_ONLY)
    data = form.oracle(bytes(2 * MIB))
    until_refused(decoder, [data])
    made = decoder.limiter.produced
    for _ in range(3):
        decoder.feed(data)
        assert decoder.next() is NEED_DATA and decoder.buffered == 0
    assert decoder.limiter.produced == made == MIB
    decoder.end()
    assert run(decoder, [form.oracle(bytes(MIB))]) == (bytes(MIB), None)


@each_format(concatenates=True)
@pytest.mark.parametrize("content", [b"", b"x"])
def test_many_members_are_refused_99(form, content):
    """Sixteen pass, the seventeenth does not; a million of them cost no more than seventeen."""
    member = form.oracle(content)
    assert run(form.decoder(), [member * 16]) == (content * 16, None)
    for pieces in ([member * 17], bytewise(member * 17), [member * 100_000]):
        assert run(form.decoder(), pieces) == (content * 16, DecompressionLimitError)
    assert run(form.decoder(max_members=17), [member * 17]) == (content * 17, None)


@pytest.mark.parametrize(("name", "library"), [("zstd", "zstandard"), ("lz4", "lz4.frame")])
def test_many_skippable_frames_are_refused_99(name, library):
    """A million of them, eight bytes each; a mixture counts together."""
    pytest.importorskip(library)
    form = FORMATS[name]
    empty = bytes.fromhex("502a4d1800000000")
    assert run(form.decoder(), [empty * 1_000_000]) == (b"", DecompressionLimitError)
    assert run(form.decoder(), [(empty + form.oracle(b"x")) * 9]) == (b"x" * 8, DecompressionLimitError)


@each_format(concatenates=True)
def test_members_share_the_cap_99(form):
    """The bound is that of the stream: members do not begin to count anew."""
    limits = Limits(max_decompressed_bytes=1000, max_ratio=10**6)
    assert run(form.decoder(limits), [form.oracle(b"x" * 300) * 4]) == (b"x" * 1000, DecompressionLimitError)


@each_format()
def test_many_empty_blocks_make_nothing_and_end(form):
    """Hundreds of thousands of blocks that hold nothing: no output, no error, and the work is that of their bytes."""
    stored, last = b"\0\0\0\xff\xff", b"\x01\0\0\xff\xff"
    lz4_block = (1).to_bytes(4, "little") + b"\0"
    head, block, tail = {
        "zlib": (b"\x78\x9c", stored, last + b"\0\0\0\x01"),
        "gzip": (bytes.fromhex("1f8b08000000000000ff"), stored, last + bytes(8)),
        "deflate": (b"", stored, last),
        "zstd": (zstd_head(20), bytes(3), b"\x01\0\0"),
        "lz4": (form.oracle(b"")[:7], lz4_block, form.oracle(b"")[7:]),
        "brotli": (b"\x0c", b"\x06", b"\x03"),  # meta-blocks of metadata, none of it
    }[form.name]
    assert run(form.decoder(), [head + block * 100_000 + tail]) == (b"", None)
    assert run(form.decoder(), bytewise(head + block * 300 + tail)) == (b"", None)


# Layers.


@pytest.mark.parametrize("inner", ["zlib", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("outer", ["zlib", "gzip", "zstd", "lz4", "brotli"])
def test_nested_bomb_is_refused_99(inner: Coding, outer: Coding):
    """Zeros within zeros: each layer alone might pass, both together do not, and memory stays small."""
    for name in (inner, outer):
        pytest.importorskip(FORMATS[name].library)
    data = bytes(compress(compress(bytes(64 * MIB), inner), outer))
    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionLimitError) as caught:
            decompress(data, inner, outer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.limit == "max_ratio" and peak < 8 * MIB


def test_ratio_counts_against_the_outermost_input_99():
    """Two layers of 150 each would pass on their own; together they are 22,500."""
    content = bytes(4 * MIB)
    data = bytes(compress(compress(content, "zlib"), "zlib"))
    limits = Limits(max_ratio=1100)
    assert bytes(decompress(compress(content, "zlib"), "zlib", limits=limits)) == content
    with pytest.raises(DecompressionLimitError) as caught:
        decompress(data, "zlib", "zlib", limits=limits)
    assert caught.value.limit == "max_ratio"


def test_more_layers_than_allowed_are_refused_99():
    """Named by the peer, as in HTTP's Content-Encoding: the third is too much, unless it was allowed."""
    data = b"x"
    for _ in range(3):
        data = bytes(compress(data, "gzip"))
    with pytest.raises(DecompressionLimitError) as caught:
        decompress(data, "gzip", "gzip", "gzip")
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_layers", 2, 3)
    assert bytes(decompress(data, "gzip", "gzip", "gzip", max_layers=3)) == b"x"


def test_decoders_of_a_pipeline_share_a_limiter():
    """Two handlers, one bound: the output of both counts."""
    limiter = OutputLimiter(Limits(max_decompressed_bytes=1000))
    channel = EmbeddedChannel(
        DecoderHandler(ZlibDecoder(limiter=limiter)), DecoderHandler(GzipDecoder(limiter=limiter))
    )
    channel.write_inbound(wrap(bytes(compress(compress(b"x" * 500, "gzip"), "zlib"))))
    assert bytes(channel.read_inbound()) == b"x" * 500
    assert limiter.produced == 500 + len(bytes(compress(b"x" * 500, "gzip"))) and limiter.members == 2
    with pytest.raises(DecompressionLimitError):
        GzipDecoder(limiter=limiter)


# Windows and dictionaries.


def zstd_head(window_log, flags=0x00, rest=b""):
    """A frame head whose window is 2**window_log."""
    return bytes.fromhex("28b52ffd") + bytes([flags, (window_log - 10) << 3]) + rest


def test_zstd_window_above_the_limit_is_refused_at_the_head():
    """A head of six bytes that wants 2 GiB; exactly the limit passes."""
    pytest.importorskip("zstandard")
    empty_block = b"\x01\0\0"
    assert run(ZstdDecoder(), [zstd_head(23) + empty_block]) == (b"", None)
    for log in (24, 31, 41):
        decoder = ZstdDecoder()
        decoder.feed(zstd_head(log))
        with pytest.raises(DecompressionLimitError) as caught:
            decoder.next()
        assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_window_bytes", 8 << 20, 1 << log)
    assert run(ZstdDecoder(max_window_bytes=1 << 24), [zstd_head(24) + empty_block]) == (b"", None)
    assert run(ZstdDecoder(max_window_bytes=1024), [zstd_head(11) + empty_block])[1] is DecompressionLimitError


def test_zstd_size_of_a_single_segment_is_its_window():
    """A declared content of 2**60 bytes is refused, and nothing is allocated for it."""
    pytest.importorskip("zstandard")
    head = bytes.fromhex("28b52ffde0") + (1 << 60).to_bytes(8, "little")
    assert run(ZstdDecoder(), [head]) == (b"", DecompressionLimitError)
    assert run(ZstdDecoder(), bytewise(head)) == (b"", DecompressionLimitError)


@pytest.mark.parametrize("value", [0, 1023, (1 << 31) + 1])
def test_zstd_window_limit_is_checked_at_construction(value):
    """Nothing the library cannot do."""
    with pytest.raises(ValueError):
        ZstdDecoder(max_window_bytes=value)


def test_zstd_reserved_bits_and_blocks_are_refused():
    """RFC 8878 3.1.1.1.1.4 and 3.1.1.2.2; a block above the window or 128 KiB, as well."""
    pytest.importorskip("zstandard")
    for bad in (
        zstd_head(20, 0x08),
        zstd_head(20) + b"\x07\0\0",
        zstd_head(20) + ((131_073 << 3) | 2).to_bytes(3, "little"),
        zstd_head(10) + ((1025 << 3) | 3).to_bytes(3, "little"),
    ):
        assert run(ZstdDecoder(), [bad + bytes(9)]) == (b"", CorruptedFrameError), bad.hex()


def test_zstd_block_of_one_byte_makes_128_kib_at_most_99():
    """RLE blocks: four bytes make 128 KiB each; a thousand of them are refused at the cap, byte by byte too."""
    pytest.importorskip("zstandard")
    data = zstd_head(20) + (((131_072 << 3) | 2).to_bytes(3, "little") + b"x") * 1000
    for pieces in ([data], bytewise(data)):
        total, largest, exc = until_refused(ZstdDecoder(BYTES_ONLY), pieces)
        assert total == MIB and largest <= 131_072 and exc.limit == "max_decompressed_bytes"


@each_format()
def test_dictionaries_are_refused(form):
    """A stream that needs one is an error at its head, not a guess."""
    data = {
        "zlib": bytes.fromhex("78bb00000001") + bytes(20),
        "zstd": zstd_head(20, 0x01, b"\x07") + bytes(9),
        "lz4": (0x184D2204).to_bytes(4, "little") + b"\x61\x40\x01\0\0\0" + bytes(9),
    }.get(form.name)
    if data is not None:
        assert run(form.decoder(), [data]) == (b"", CorruptedFrameError)
        assert run(form.decoder(), bytewise(data)) == (b"", CorruptedFrameError)


def test_zstd_dictionary_of_number_0_is_none():
    """RFC 8878 3.1.1.1.3: 0 says that there is no dictionary."""
    pytest.importorskip("zstandard")
    assert run(ZstdDecoder(), [zstd_head(20, 0x01, b"\0") + b"\x01\0\0"]) == (b"", None)


def test_brotli_large_window_is_refused():
    """The extension beyond RFC 7932 would let a peer ask for a window of 1 GiB."""
    pytest.importorskip("brotli")
    assert run(FORMATS["brotli"].decoder(), [b"\x11\x1e" + bytes(30)])[1] is CorruptedFrameError


@pytest.mark.parametrize("head", [b"\x61", b"\x20", b"\xa0"])
def test_lz4_versions_and_legacy_frames_are_refused(head):
    """Version 01 only; the legacy magic number starts a frame that has no end."""
    pytest.importorskip("lz4.frame")
    magic = (0x184D2204).to_bytes(4, "little")
    for bad in (magic + head, (0x184C2102).to_bytes(4, "little") + bytes(8)):
        assert run(FORMATS["lz4"].decoder(), [bad + bytes(12)]) == (b"", CorruptedFrameError)


# The limiter itself.


@pytest.mark.parametrize("name", ["max_members", "max_layers", "grace_bytes"])
def test_limiter_refuses_bounds_that_are_none(name):
    """0 never means unlimited."""
    for value in (0, -1):
        with pytest.raises(ValueError):
            OutputLimiter(**{name: value})
    with pytest.raises(TypeError):
        OutputLimiter(**{name: "many"})


def test_limiter_counts_and_resets():
    """Room is one piece, or one byte more than may still come; a reset keeps the layers."""
    limiter = OutputLimiter(Limits(max_decompressed_bytes=100_000))
    assert limiter.room() == 65536 and limiter.enter() == 0
    assert limiter.take(0, 500, 99_990) == (99_990, None)
    assert limiter.room() == 11
    assert limiter.take(1, 500, 10) == (10, None) and limiter.consumed == 500
    fits, fault = limiter.take(0, 0, 1)
    assert fits == 0 and fault.value == 100_001 and limiter.produced == 100_000
    limiter.reset()
    assert (limiter.produced, limiter.consumed, limiter.members, limiter.enter()) == (0, 0, 0, 1)


@each_format()
def test_unlimited_is_spelled_out(form):
    """Limits.UNLIMITED lets 40 MiB of zeros through."""
    decoder = form.decoder(Limits.UNLIMITED)
    decoder.feed(form.oracle(bytes(40 * MIB)))
    assert sum(part.readable_bytes for part in decoder) == 40 * MIB
    decoder.end()


@each_format()
def test_message_errors_show_no_payload(form):
    """Lengths and reasons, never what the peer sent."""
    secret = b"attack at dawn, attack at dawn, attack at noon"
    data = form.oracle(secret)
    for bad in (b"attack at dawn" * 3, data[:-1] + bytes([data[-1] ^ 0x55]) + b"attack at dawn"):
        decoder = form.decoder()
        decoder.feed(bad)
        with pytest.raises(DecodeError) as caught:
            list(decoder)
            decoder.end()
        assert "attack" not in str(caught.value) + str(caught.value.__cause__)


def test_message_decompressor_bounds_each_frame():
    """A bomb is refused, the next frame decodes."""
    decoder = MessageDecompressor("zlib", limits=Limits(max_decompressed_bytes=1000))
    with pytest.raises(DecompressionLimitError):
        decoder.decode(compress(bytes(1001), "zlib"))
    assert [bytes(part) for part in decoder.decode(compress(bytes(1000), "zlib"))] == [bytes(1000)]
    assert bytes(decompress(compress(bytes(1000), "zlib"), "zlib", limits=LOOSE)) == bytes(1000)
