"""Compressing encoders: others read what they write, messages are flushed as asked, regions never leave as they are."""

import gzip
import tempfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codec._compressed import ALLOC, FORMATS, LOOSE, TEXT, bytewise, each_format, joined, run
from zbuf import wrap
from zbuf.audit import CopyReason, process_account
from zbuf.codec.compression import Flush, ZlibEncoder
from zbuf.errors import FileTruncatedError
from zbuf.pipeline import CodecHandler, DecoderHandler, EncoderHandler
from zbuf.region import FileRegion
from zbuf.testing import EmbeddedChannel, shapes


@each_format()
def test_output_of_the_encoder_is_read_by_others_and_by_us_b150(form):
    """Every level, both ways to flush."""
    for level in {form.encoder.levels[0], form.encoder.default_level, 6, form.encoder.levels[-1]}:
        for flush in Flush:
            encoder = form.encoder(level, flush=flush)
            parts = [part for text in (TEXT, b"", TEXT[::-1]) for part in encoder.encode(text, ALLOC)]
            data = joined([*parts, *encoder.finish()])
            assert run(form.decoder(LOOSE), bytewise(data)) == (TEXT + TEXT[::-1], None), (level, flush)


def test_output_of_encoders_is_read_by_the_libraries():
    """The other side need not be zbuf."""
    for name, read in {
        "zlib": zlib.decompress,
        "gzip": gzip.decompress,
        "deflate": lambda data: zlib.decompress(data, -15),
    }.items():
        encoder = FORMATS[name].encoder()
        assert read(joined([*encoder.encode(TEXT, ALLOC), *encoder.finish()])) == TEXT, name


@pytest.mark.parametrize(
    ("library", "name", "read"),
    [
        ("zstandard", "zstd", lambda lib, data: lib.ZstdDecompressor().decompressobj().decompress(data)),
        ("lz4.frame", "lz4", lambda lib, data: lib.decompress(data)),
        ("brotli", "brotli", lambda lib, data: lib.decompress(data)),
    ],
)
def test_output_of_encoders_is_read_by_the_optional_libraries(library, name, read):
    """The other side need not be zbuf."""
    found = pytest.importorskip(library)
    encoder = FORMATS[name].encoder()
    assert read(found, joined([*encoder.encode(TEXT, ALLOC), *encoder.finish()])) == TEXT


@each_format()
@settings(max_examples=25)
@given(messages=st.lists(st.binary(max_size=300), max_size=6), step=st.integers(1, 40))
def test_each_message_can_be_read_when_it_was_flushed_b150(form, messages, step):
    """Without the end of the stream, and however the parts are cut."""
    encoder, decoder = form.encoder(), form.decoder()
    for message in messages:
        data = joined(encoder.encode(message, ALLOC))
        got = []
        for at in range(0, len(data), step):
            decoder.feed(data[at : at + step])
            got.append(joined(decoder))
        assert b"".join(got) == message
    assert not decoder.finished or not any(messages)


@each_format()
def test_stream_flush_holds_back_until_the_end(form):
    """A few bytes stay inside; `finish()` brings them, and a new stream begins."""
    encoder = form.encoder(flush=Flush.STREAM)
    for text in (b"one", b"two"):
        early = joined(encoder.encode(text, ALLOC))
        decoder = form.decoder()
        decoder.feed(early)
        assert joined(decoder) == b"" and not decoder.finished
        decoder.feed(joined(encoder.finish()))
        assert joined(decoder) == text and decoder.finished
        decoder.end()


@each_format()
def test_finish_without_a_message_is_an_empty_stream(form):
    """It decompresses to nothing, completely."""
    assert run(form.decoder(), [joined(form.encoder().finish())]) == (b"", None)


# In a pipeline, and with regions.


@each_format()
def test_in_a_pipeline(form):
    """The pair at one place: what one end writes, the other reads, message by message."""
    ours = EmbeddedChannel(CodecHandler(form.decoder(), form.encoder()))
    theirs = EmbeddedChannel(DecoderHandler(form.decoder()))
    for text in (b"hello", b"", TEXT):
        ours.write_outbound(wrap(text))
        got = b""
        while (part := ours.read_outbound()) is not None:
            theirs.write_inbound(part)
        while (piece := theirs.read_inbound()) is not None:
            got += bytes(piece)
        assert got == text


@each_format()
def test_region_on_a_compressing_channel_never_leaves_as_it_is(form):
    """It is read, compressed and billed (FILE_READ); the region itself stays where it was."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(TEXT * 50)
        file.flush()
        region = FileRegion(file.name, 10, 150_000)
        before = process_account().snapshot()
        encoder = form.encoder(flush=Flush.STREAM)
        data = joined([*encoder.encode(region, ALLOC), *encoder.finish()])
        bill = process_account().snapshot() - before
        assert region.transferred == 0 and bill.user[CopyReason.FILE_READ].nbytes == 150_000
        assert run(form.decoder(), [data]) == ((TEXT * 50)[10:150_010], None)
        channel = EmbeddedChannel(EncoderHandler(form.encoder()))
        channel.write_outbound(region)
        parts = []
        while (part := channel.read_outbound()) is not None:
            assert not isinstance(part, FileRegion)
            parts.append(part)
        decoder = form.decoder()
        decoder.feed(joined(parts))
        assert joined(decoder) == (TEXT * 50)[10:150_010]
        assert region.refcnt == 0


def test_region_of_a_file_that_shrank_raises():
    """The file's own error, and no plain byte."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(100_000))
        file.flush()
        region = FileRegion(file.name)
        assert region.count == 100_000
        file.truncate(70_000)
        with pytest.raises(FileTruncatedError):
            list(ZlibEncoder().encode(region, ALLOC))


@each_format()
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, wrap])
def test_encoder_takes_every_kind_of_bytes(form, kind):
    """And every shape of buffer, which is left as it was."""
    encoder = form.encoder(flush=Flush.STREAM)
    assert run(form.decoder(), [joined([*encoder.encode(kind(TEXT), ALLOC), *encoder.finish()])]) == (TEXT, None)
    for name, buf in shapes(TEXT).items():
        data = joined([*encoder.encode(buf, ALLOC), *encoder.finish()])
        assert run(form.decoder(), [data]) == (TEXT, None) and buf == TEXT, name


@each_format()
def test_level_out_of_range_raises_at_construction(form):
    """The library's own range, and integers only."""
    for level in (form.encoder.levels[0] - 1, form.encoder.levels[-1] + 1):
        with pytest.raises(ValueError):
            form.encoder(level)
    with pytest.raises(TypeError):
        form.encoder("best")
    with pytest.raises(ValueError):
        form.encoder(flush="now")
