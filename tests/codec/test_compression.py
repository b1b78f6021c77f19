"""Compressed streams: the same bytes come out however the input was cut, and the end is where the format says."""

import gzip
import itertools
import random
import zlib

import pytest

from tests.codec._compressed import ALLOC, FORMATS, LOOSE, TEXT, bytewise, each_format, joined, run
from zbuf.audit import CopyReason, process_account
from zbuf.codec import NEED_DATA
from zbuf.codec.compression import GzipDecoder, ZlibDecoder, ZlibEncoder, ZstdDecoder
from zbuf.errors import CorruptedFrameError, DecodeError, IncompleteFrameError
from zbuf.testing import shapes

CONTENTS = {
    "nothing": b"",
    "one byte": b"x",
    "text": TEXT,
    "random": random.Random(1).randbytes(3000),
    "zeros": bytes(300_000),
}


def cuts_of(data, rng):
    """Whole, every single cut of a short input and some of a long one, byte by byte, random ones."""
    yield [data]
    for at in range(1, len(data)) if len(data) < 400 else sorted(rng.sample(range(1, len(data)), 60)):
        yield [data[:at], data[at:]]
    yield bytewise(data)
    for _ in range(40 if len(data) > 2 else 0):
        places = [0, *sorted(rng.sample(range(1, len(data)), rng.randint(1, min(len(data) - 1, 12)))), len(data)]
        yield [data[start:end] for start, end in itertools.pairwise(places)]


@each_format()
@pytest.mark.parametrize("content", list(CONTENTS))
def test_output_is_the_same_for_every_cut_b130(form, content):
    """Somebody else's compressor made it; pieces may differ, their bytes may not."""
    expected = CONTENTS[content]
    data = form.oracle(expected)
    for pieces in cuts_of(data, random.Random(0)):
        assert run(form.decoder(LOOSE), pieces) == (expected, None), [len(piece) for piece in pieces]
    for name, buf in shapes(data).items():
        assert run(form.decoder(LOOSE), [buf]) == (expected, None), name


@each_format()
def test_truncated_at_every_byte_b137(form):
    """What came so far is a beginning of the content; the end says that something is missing, once."""
    data = form.oracle(TEXT)
    for at in range(1, len(data)):
        out, error = run(form.decoder(), [data[:at]])
        assert error is IncompleteFrameError and TEXT.startswith(out), at
    decoder = form.decoder()
    decoder.feed(data[:10])
    list(decoder)
    with pytest.raises(IncompleteFrameError):
        decoder.end()
    decoder.end()
    assert run(decoder, [data]) == (TEXT, None)


@each_format()
def test_end_before_everything_was_taken_is_an_error_b137(form):
    """Bytes that were fed and never looked at are not dropped in silence."""
    decoder = form.decoder()
    decoder.feed(form.oracle(TEXT))
    with pytest.raises(IncompleteFrameError):
        decoder.end()


@each_format()
def test_corrupted_at_every_byte_b131(form):
    """Another class than DecodeError never comes; with a checksum, what comes out whole is what went in."""
    data = form.oracle(TEXT)
    for at in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            bad = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            out, error = run(form.decoder(), [bad])
            again, same = run(form.decoder(), [bad[: at + 1], bad[at + 1 :]])
            assert error is same, (at, flip)
            assert out.startswith(again) or again.startswith(out), (at, flip)
            assert error is None or issubclass(error, DecodeError)
            assert error or out == TEXT or not form.has_checksum, (at, flip)
            assert len(out) <= 1 << 20


@each_format()
def test_random_bytes_b131(form):
    """Bytes without sense, with and without a good head."""
    rng, head = random.Random(2), form.oracle(TEXT)[:12]
    for _ in range(300):
        bad = rng.choice((b"", head[: rng.randint(1, 12)])) + rng.randbytes(rng.randint(1, 80))
        whole, split = run(form.decoder(), [bad]), run(form.decoder(), bytewise(bad))
        assert whole[1] is split[1], bad.hex()


@each_format()
def test_decoder_works_again_after_an_error(form):
    """Up to `end()` everything is dropped, in silence; then a new stream decodes."""
    decoder, data = form.decoder(), form.oracle(TEXT)
    bad = bytes(12) if form.name != "brotli" else b"\x11" * 12
    decoder.feed(bad)
    with pytest.raises(CorruptedFrameError):
        list(decoder)
    decoder.feed(data)
    assert list(decoder) == [] and decoder.buffered == 0
    decoder.end()
    assert run(decoder, [data]) == (TEXT, None)


@each_format(concatenates=True)
def test_members_follow_each_other(form):
    """RFC 1952 2.2, RFC 8878 3, the LZ4 frame format: the output is that of all of them, empty ones included."""
    data = form.oracle(TEXT) + form.oracle(b"") + form.oracle(b"end")
    for pieces in ([data], bytewise(data), [data[:100], data[100:]]):
        assert run(form.decoder(), pieces) == (TEXT + b"end", None)


@each_format(concatenates=True)
@pytest.mark.parametrize("junk", [b"\0", b"\0" * 600, b"junk behind the end"])
def test_what_follows_a_member_is_a_member(form, junk):
    """Padding and junk are refused, behind everything that was good."""
    data = form.oracle(TEXT)
    expected = IncompleteFrameError if len(junk) == 1 else CorruptedFrameError
    assert run(form.decoder(), [data + junk]) == (TEXT, expected)
    assert run(form.decoder(), bytewise(data + junk)) == (TEXT, expected)


@each_format(concatenates=False)
def test_nothing_follows_a_format_of_one_stream(form):
    """RFC 1950 2.2, RFC 1951, RFC 7932: one stream; also a second one is too much."""
    data = form.oracle(TEXT)
    for junk in (b"\0", b"junk", data):
        out, error = run(form.decoder(), [data + junk])
        assert error is CorruptedFrameError
        assert out == (TEXT if form.name != "brotli" else b"")  # brotli's library gives an error and nothing else
        assert run(form.decoder(), [data, junk]) == (TEXT, CorruptedFrameError)


@each_format()
def test_stop_at_end_leaves_what_follows(form):
    """The bytes of the next protocol come out of `leftover()` untouched; without it they are dropped."""
    if form.name == "brotli":
        with pytest.raises(TypeError):
            form.decoder(stop_at_end=True)
        return
    data = form.oracle(TEXT) + b"and now to something else"
    for pieces in ([data], [data[:-25], data[-25:]], bytewise(data)):
        decoder = form.decoder(stop_at_end=True)
        for piece in pieces:
            decoder.feed(piece)
            if joined(decoder):
                assert decoder.next() is NEED_DATA and decoder.needed >= 1
        assert decoder.finished
        assert bytes(decoder.leftover()) == b"and now to something else"
        assert not decoder.finished
    decoder.feed(data)
    assert joined(decoder) == TEXT
    decoder.end()


@pytest.mark.parametrize(("name", "library"), [("zstd", "zstandard"), ("lz4", "lz4.frame")])
def test_skippable_frames_are_passed_over_without_being_kept(name, library):
    """RFC 8878 3.1.2: sixteen magic numbers; a megabyte that is skipped is never held."""
    pytest.importorskip(library)
    form = FORMATS[name]
    for magic in (0x184D2A50, 0x184D2A5F):
        skipped = magic.to_bytes(4, "little") + (1 << 20).to_bytes(4, "little") + bytes(1 << 20)
        empty = magic.to_bytes(4, "little") + bytes(4)
        data = skipped + form.oracle(TEXT) + empty
        assert run(form.decoder(), [data]) == (TEXT, None)
        assert run(form.decoder(), [data[at : at + 1000] for at in range(0, len(data), 1000)]) == (TEXT, None)
        decoder = form.decoder()
        decoder.feed(skipped[:5000])
        assert list(decoder) == [] and decoder.buffered == 0
        with pytest.raises(IncompleteFrameError):
            decoder.end()


def test_zstd_frames_of_every_head():
    """With and without size, checksum, single segment: all the heads that RFC 8878 3.1.1.1 allows."""
    zstd = pytest.importorskip("zstandard")
    for size in (0, 1, 255, 256, 65_791, 65_792, 300_000):
        content = random.Random(size).randbytes(size)
        for options in ({}, {"write_content_size": False}, {"write_checksum": True}):
            made = zstd.ZstdCompressor(level=1, **options)
            streamed = made.compressobj()
            for data in (made.compress(content), streamed.compress(content) + streamed.flush()):
                assert run(ZstdDecoder(), [data]) == (content, None)
                assert run(ZstdDecoder(), [data[:7], data[7:9], data[9:]]) == (content, None)


def test_pieces_of_one_feed_are_joined_and_large_ones_are_not():
    """A hundred flushed lines of one feed are one piece, billed; 64 KiB pieces cost zbuf nothing."""
    encoder = ZlibEncoder()
    data = joined(part for _ in range(100) for part in encoder.encode(b"line\n", ALLOC))
    decoder = ZlibDecoder()
    decoder.feed(data)
    assert [bytes(piece) for piece in decoder] == [b"line\n" * 100]
    data = zlib.compress(random.Random(3).randbytes(1 << 20))
    before = process_account().snapshot()
    decoder = ZlibDecoder()
    decoder.feed(data)
    sizes = [piece.readable_bytes for piece in decoder]
    bill = process_account().snapshot() - before
    assert sum(sizes) == 1 << 20 and min(sizes[:-1]) >= 65536
    gathered = bill.user[CopyReason.GATHER].nbytes
    assert {reason for reason, count in bill.user.items() if count.nbytes} <= {CopyReason.GATHER}
    assert gathered <= 1 << 20


@each_format()
def test_one_byte_at_a_time_costs_linear_work_b144(form, monkeypatch):
    """Twice the input takes at most 2.3 times the calls of the library, and nothing is held meanwhile."""

    def calls(data):
        decoder, count = form.decoder(LOOSE), 0
        opened = decoder.open_engine

        def counting():
            engine = opened()
            pull = engine.pull

            def counted(*given):
                nonlocal count
                count += 1
                return pull(*given)

            engine.pull = counted
            return engine

        monkeypatch.setattr(decoder, "open_engine", counting)
        for byte in bytewise(data):
            decoder.feed(byte)
            list(decoder)
            assert decoder.buffered == 0
        return count

    small, large = (form.oracle(random.Random(4).randbytes(size)) for size in (3000, 6000))
    assert calls(large) <= 2.3 * calls(small)


def test_pieces_outlive_everything_b135(pool):
    """They own their memory: the input's block goes back to its pool while they are held."""
    data = gzip.compress(TEXT)
    buf = pool.buffer(len(data))
    buf.write_bytes(data)
    decoder = GzipDecoder()
    decoder.feed(buf)
    pieces = list(decoder)
    del decoder
    assert pool.statistics().live_blocks == 0
    assert joined(pieces) == TEXT and pieces[0].is_read_only


@each_format()
def test_malformed_input_leaves_no_live_block_b131(form, pool):
    """Nor does an error that waits behind output."""
    data = form.oracle(TEXT) + b"\xff" * 40
    buf = pool.buffer(len(data))
    buf.write_bytes(data)
    decoder = form.decoder()
    decoder.feed(buf)
    with pytest.raises(DecodeError):
        list(decoder)
    assert pool.statistics().live_blocks == 0
