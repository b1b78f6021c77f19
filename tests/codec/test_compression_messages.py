"""Whole messages, compressed one by one; and what happens where a library is missing."""

import subprocess
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec._compressed import ALLOC, FORMATS, TEXT, each_format, joined, run
from zbuf import CompositeByteBuf, copied, wrap
from zbuf.audit import process_account
from zbuf.codec import LengthFieldBasedFrameDecoder, LengthFieldPrepender, Limits
from zbuf.codec.compression import MessageCompressor, MessageDecompressor, compress, decompress
from zbuf.errors import CorruptedFrameError, IncompleteFrameError
from zbuf.pipeline import DecoderHandler, EncoderHandler, MessageDecoderHandler
from zbuf.region import FileRegion
from zbuf.testing import EmbeddedChannel, shapes


@each_format()
@given(content=st.binary(max_size=500))
def test_decompress_after_compress_is_the_identity_b150(form, content):
    """Any bytes, from any kind of object; what was given stays as it was."""
    for data in (content, bytearray(content), copied(content)):
        made = compress(data, form.name)
        before = bytes(made)
        assert bytes(decompress(made, form.name)) == content
        assert made == before and bytes(data) == content
        assert run(form.decoder(), [made]) == (content, None)


@each_format()
def test_decompress_reads_every_shape(form):
    """Also where the bytes lie one by one."""
    for name, buf in shapes(form.oracle(TEXT)).items():
        assert bytes(decompress(buf, form.name)) == TEXT, name
        assert buf.refcnt == 1


def test_decompress_copies_nothing():
    """The result is a composite of the pieces that the library made."""
    content = bytes(range(256)) * 4096
    data = compress(content, "zlib")
    before = process_account().snapshot()
    out = decompress(data, "zlib", limits=Limits(max_ratio=1100))
    bill = process_account().snapshot() - before
    assert isinstance(out, CompositeByteBuf) and out.num_components == 16
    assert not [count for count in bill.user.values() if count.nbytes]
    assert out == content


def test_layers_are_undone_from_the_last_to_the_first():
    """The order is that in which they were applied."""
    data = compress(compress(TEXT, "zlib"), "gzip")
    assert bytes(decompress(data, "zlib", "gzip")) == TEXT
    with pytest.raises(CorruptedFrameError):
        decompress(data, "gzip", "zlib")


@each_format()
def test_decompress_wants_all_of_it_b137(form):
    """Cut anywhere, also before the first byte: IncompleteFrameError. More than all of it: CorruptedFrameError."""
    data = form.oracle(TEXT)
    for at in range(len(data)):
        with pytest.raises(IncompleteFrameError):
            decompress(data[:at], form.name)
    with pytest.raises(CorruptedFrameError):
        decompress(data + b"\xffjunk", form.name)
    inner = bytes(compress(data[:-3], "gzip"))
    with pytest.raises(IncompleteFrameError):
        decompress(inner, form.name, "gzip")


@pytest.mark.parametrize("call", [lambda *names: decompress(b"", *names), MessageDecompressor])
def test_codings_are_checked(call):
    """No coding, or none of the six; HTTP's "deflate" is called zlib here."""
    for names in ((), ("br",), ("gzip", "x-gzip"), (b"gzip",)):
        with pytest.raises(ValueError):
            call(*names)


def test_codings_of_messages_are_checked_at_construction():
    """Before the first message comes."""
    with pytest.raises(ValueError):
        MessageDecompressor("zlib", "zlib", "zlib")
    with pytest.raises(ValueError):
        MessageDecompressor("zlib", max_members=0)
    for arguments in (("br",), ("zlib", 10)):
        with pytest.raises(ValueError):
            MessageCompressor(*arguments)
    with pytest.raises(ValueError):
        compress(b"", "zlib", 10)


@each_format()
def test_frames_in_a_pipeline(form):
    """Compressed, framed, sent, cut, decompressed: each message by itself."""
    ours = EmbeddedChannel(EncoderHandler(LengthFieldPrepender(4)), EncoderHandler(MessageCompressor(form.name)))
    theirs = EmbeddedChannel(
        DecoderHandler(LengthFieldBasedFrameDecoder(100_000, initial_bytes_to_strip=4)),
        MessageDecoderHandler(MessageDecompressor(form.name)),
    )
    messages = [b"", b"one", TEXT, bytes(100_000)]
    for message in messages:
        ours.write_outbound(wrap(message))
    wire = []
    while (part := ours.read_outbound()) is not None:
        wire.append(part)
    data = joined(wire)
    for at in range(0, len(data), 7):
        theirs.write_inbound(wrap(data[at : at + 7]))
    assert [bytes(theirs.read_inbound()) for _ in messages] == messages


def test_compressed_region(tmp_path):
    """A file goes in, and stays where it was."""
    (tmp_path / "file").write_bytes(TEXT)
    region = FileRegion(tmp_path / "file", 5, 100)
    assert bytes(decompress(compress(region, "gzip"), "gzip")) == TEXT[5:105] and region.transferred == 0
    (part,) = MessageCompressor("gzip", 9).encode(region, ALLOC)
    assert bytes(decompress(part, "gzip")) == TEXT[5:105]
    region.release()


# Libraries that are not there.

MISSING = [("zstd", "zstandard"), ("lz4", "lz4.frame"), ("brotli", "brotli")]


@pytest.mark.parametrize(("name", "library"), MISSING)
def test_missing_library_names_the_extra(name, library, monkeypatch):
    """At construction, wherever the format is first used; and the cause is kept."""
    monkeypatch.setitem(sys.modules, library, None)
    form = FORMATS[name]
    for use in (
        form.decoder,
        form.encoder,
        lambda: MessageDecompressor(name),
        lambda: MessageCompressor(name),
        lambda: compress(b"", name),
        lambda: decompress(b"", name),
    ):
        with pytest.raises(ImportError, match=rf"pip install 'zbuf\[{name}\]'") as caught:
            use()
        assert caught.value.__cause__ is not None


def test_old_brotli_is_refused(monkeypatch):
    """Before 1.2 its output had no bound."""
    old = types.ModuleType("brotli")
    old.Decompressor = type("Decompressor", (), {"process": None})
    monkeypatch.setitem(sys.modules, "brotli", old)
    with pytest.raises(ImportError, match=r"pip install -U 'zbuf\[brotli\]'"):
        FORMATS["brotli"].decoder()


def test_importing_the_room_imports_no_library():
    """They come when they are first used; zbuf itself does not even import zlib's part of it."""
    program = (
        "import sys, zbuf, zbuf.codec; assert 'zbuf.codec.compression' not in sys.modules;"
        "import zbuf.codec.compression as room; room.GzipDecoder();"
        "assert not {'zstandard', 'lz4', 'brotli'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
