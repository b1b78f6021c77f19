"""ByteBufReader: a file object over the bytes of a buffer, held against BytesIO.

Owns    BEHAVIOURS 129 for reading.
Never   who uses it: test_formats has json, zipfile and the others.
Always  BytesIO is the oracle; the reader index of the buffer moves with the stream."""

from __future__ import annotations

import array
import gc
import io
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts._kit import Make, each_shape, fails, fresh_pool
from zbuf import ByteBuf, ByteBufReader, composite, copied, wrap
from zbuf.audit import CopyReason, audit
from zbuf.errors import BoundsError, ReferenceCountError
from zbuf.testing._shapes import SHAPE_NAMES
from zbuf.testing._shapes import shape as build

TEXT = b"first\nsecond line\n\nfour\nno end"


def step(stream: Any, name: str, n: int) -> Any:
    """Make one call on either stream and return what came, or the class of what was raised."""
    try:
        if name.startswith("readinto"):
            target = bytearray(b"." * max(n, 0))
            return getattr(stream, name)(target), bytes(target)
        if name == "seek":
            return stream.seek(max(n, 0))
        if name in ("seek from here", "seek from the end"):
            return stream.seek(n, 1 if name == "seek from here" else 2)
        if name in ("tell", "readlines", "next"):
            return next(stream, b"end") if name == "next" else getattr(stream, name)()
        return getattr(stream, name)(n)
    except Exception as exc:  # compared
        return type(exc)


NAMES = (
    "read", "read1", "readinto", "readinto1", "readline", "readlines", "next", "tell", "seek", "seek from here",
    "seek from the end",
)  # fmt: skip


@pytest.mark.parametrize("name", SHAPE_NAMES, ids=lambda name: name.replace(" ", "-"))
@given(
    data=st.binary(max_size=40).map(lambda data: data.replace(b"\x01", b"\n").replace(b"\x00", b"\n")),
    steps=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-3, 45))),
)
def test_b129_every_call_agrees_with_bytesio(name: str, data: bytes, steps: list[tuple[str, int]]) -> None:
    """Any sequence of reads, lines and seeks gives what BytesIO gives; the reader index follows."""
    buf = build(name, data + b"not ours")
    first = buf.reader_index
    ours, oracle = ByteBufReader(buf, len(data)), io.BytesIO(data)
    for call, n in steps:
        assert step(ours, call, n) == step(oracle, call, n), (call, n)
        assert ours.tell() == oracle.tell()
        assert buf.reader_index == first + min(oracle.tell(), len(data))
    buf._check()
    buf.release()


@each_shape
def test_b129_it_never_passes_its_length(shape: Make) -> None:
    """Neither by reading nor by lines, though more is readable, also when more is written later."""
    buf = shape(TEXT)
    first = buf.reader_index
    stream = ByteBufReader(buf, 8)
    assert (stream.readline(), stream.peek(100), stream.readline(), stream.readline()) == (
        b"first\n",
        b"se",
        b"se",
        b"",
    )
    assert (stream.read(), stream.read1(), stream.readinto(bytearray(4)), stream.peek()) == (b"", b"", 0, b"")
    assert (buf.reader_index, buf.readable_bytes) == (first + 8, len(TEXT) - 8)
    fixed = ByteBufReader(buf)
    if buf.try_ensure_writable(4):
        buf.write_bytes(b"more")
    assert fixed.read() == TEXT[8:]


@each_shape
def test_b129_a_length_beyond_the_readable_bytes_is_refused(shape: Make) -> None:
    """BoundsError with both numbers; the other faults by the rules of all methods; nothing is held afterwards."""
    buf = shape(TEXT)
    with fails(BoundsError, buf) as caught:
        ByteBufReader(buf, len(TEXT) + 1, release_on_close=True)
    assert (caught.value.requested, caught.value.available) == (len(TEXT) + 1, len(TEXT))
    for bad, expected in ((-1, ValueError), (2**70, OverflowError), (1.0, TypeError)):
        with fails(expected, buf):
            ByteBufReader(buf, bad)  # type: ignore[arg-type]  # the point
    for no_buffer in (b"bytes", None, io.BytesIO()):
        with pytest.raises(TypeError):
            ByteBufReader(no_buffer)  # type: ignore[arg-type]  # the point
    assert ByteBufReader(buf, len(TEXT)).read() == TEXT
    assert ByteBufReader(buf, 0).read() == b""
    gc.collect()
    assert buf.refcnt == 1


@each_shape
def test_b129_peek_looks_and_moves_nothing(shape: Make) -> None:
    """Up to the size that is asked for; without one as much as a buffered file would hold."""
    buf = shape(TEXT)
    stream = ByteBufReader(buf)
    first = buf.reader_index
    assert (stream.peek(3), stream.peek(), stream.peek(-1), stream.peek(10**6)) == (b"fir", TEXT, TEXT, TEXT)
    assert (stream.tell(), buf.reader_index) == (0, first)
    large = ByteBufReader(wrap(bytes(100_000)))
    assert len(large.peek()) == io.DEFAULT_BUFFER_SIZE


@each_shape
def test_b129_direct_reads_and_the_stream_share_the_reader_index(shape: Make) -> None:
    """A number read between two lines is gone for the stream, which goes on behind it."""
    buf = shape(b"head\n\x01\x02\x03\x04tail\n")
    stream = ByteBufReader(buf, 10)
    assert stream.readline() == b"head\n"
    assert buf.read_int() == 0x01020304
    assert stream.readline() == b"tail\n"
    assert (stream.read(), buf.readable_bytes) == (b"", 0)


@pytest.mark.parametrize("make", [copied, lambda data: composite_of(data)], ids=["plain", "composite"])
def test_b129_discarded_bytes_do_not_disturb_it(make: Any) -> None:
    """Reading goes on where it was; seeking works as far back as bytes are there, and no further."""
    buf: ByteBuf = make(TEXT)
    stream = ByteBufReader(buf)
    assert stream.read(10) == TEXT[:10]
    buf.discard_read_bytes()
    assert buf.reader_index == 0
    assert (stream.tell(), stream.read(6)) == (10, TEXT[10:16])
    assert (stream.seek(10), stream.read(6)) == (10, TEXT[10:16])
    for target in (0, 9):
        with pytest.raises(io.UnsupportedOperation):
            stream.seek(target)
        assert (stream.tell(), buf.reader_index) == (16, 6)
    assert (stream.seek(0, 2), stream.seek(16), stream.read()) == (len(TEXT), 16, TEXT[16:])
    stream.seek(12)
    buf.clear()
    assert (stream.read(), stream.readline(), stream.peek(), stream.tell()) == (b"", b"", b"", 12)
    with pytest.raises(io.UnsupportedOperation):
        stream.seek(13)
    assert (stream.tell(), buf.reader_index) == (12, 0)


def composite_of(data: bytes) -> ByteBuf:
    """A composite of components of three bytes."""
    whole = composite()
    for at in range(0, len(data), 3):
        whole.append(copied(data[at : at + 3]))
    return whole


@each_shape
def test_b129_close_is_silent_twice_and_final(shape: Make) -> None:
    """Afterwards every call is a ValueError, as for any file; the buffer lives on where it was left."""
    buf = shape(TEXT)
    with ByteBufReader(buf) as stream:
        assert (stream.readable(), stream.seekable(), stream.writable(), stream.closed) == (True, True, False, False)
        stream.read(5)
    stream.close()
    assert (stream.closed, buf.refcnt, buf.readable_bytes) == (True, 1, len(TEXT) - 5)
    calls: list[Any] = [
        stream.read, stream.read1, stream.readline, stream.readlines, stream.peek, stream.tell, stream.readable,
        stream.seekable, lambda: stream.seek(0), lambda: stream.readinto(bytearray(1)), lambda: next(stream),
        stream.__enter__, stream.flush, lambda: stream.readinto1(bytearray(1)),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match="closed"):
            call()
    assert repr(stream) == "ByteBufReader(closed)"


def test_b129_what_it_cannot_do_is_told_as_files_tell_it() -> None:
    """io.UnsupportedOperation for writing, truncating, detaching, and the descriptor it has not."""
    stream = ByteBufReader(copied(TEXT))
    for call in (lambda: stream.write(b""), lambda: stream.truncate(0), stream.detach, stream.fileno):
        with pytest.raises(io.UnsupportedOperation):
            call()
    assert not stream.isatty()
    with pytest.raises(TypeError):
        stream.readinto(b"read-only")
    for whence in (3, -1, None):
        with pytest.raises(ValueError):
            stream.seek(0, whence)  # type: ignore[arg-type]  # the point
    with pytest.raises(ValueError):
        stream.seek(-1)
    with pytest.raises(TypeError):
        stream.seek(1.0)  # type: ignore[arg-type]  # the point
    with pytest.raises(TypeError):
        stream.read("1")  # type: ignore[arg-type]  # the point
    assert stream.tell() == 0
    assert repr(stream).startswith("ByteBufReader(ByteBuf(ridx: 0, widx: 30")
    assert repr(stream).endswith("position: 0, length: 30)")


@each_shape
def test_b129_release_on_close_gives_up_one_count(shape: Make) -> None:
    """Once; a retained buffer lives on; one that was released before is left alone; a dropped stream closes itself."""
    buf = shape(TEXT)
    buf.retain()
    with ByteBufReader(buf, release_on_close=True) as stream:
        pass
    stream.close()
    assert buf.refcnt == 1
    stream = ByteBufReader(buf, release_on_close=True)
    buf.release()
    stream.close()
    assert buf.refcnt == 0
    dropped = shape(TEXT)
    ByteBufReader(dropped, release_on_close=True)
    gc.collect()
    assert dropped.refcnt == 0


@each_shape
def test_b129_a_released_buffer_is_told(shape: Make) -> None:
    """The stream is open, its buffer is dead: ReferenceCountError from whatever touches bytes, and close is silent."""
    buf = shape(TEXT)
    stream = ByteBufReader(buf)
    buf.release()
    calls: list[Any] = [
        stream.read, lambda: stream.read(0), stream.read1, stream.readline, stream.readlines, stream.peek,
        lambda: stream.seek(0), lambda: stream.readinto(bytearray(1)), lambda: next(stream),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ReferenceCountError):
            call()
    assert stream.tell() == 0
    stream.close()
    with pytest.raises(ReferenceCountError):
        ByteBufReader(buf)


def test_b129_a_closed_stream_holds_no_block() -> None:
    """It keeps the buffer while it is open and lets go when it is closed."""
    pool = fresh_pool()
    buf = pool.buffer(64)
    buf.write_bytes(TEXT)
    stream = ByteBufReader(buf)
    del buf
    assert (stream.read(5), pool.statistics().live_blocks) == (TEXT[:5], 1)
    stream.close()
    assert pool.statistics().live_blocks == 0


def test_b129_every_byte_is_copied_once_and_billed() -> None:
    """read, readinto and readline copy what they return and nothing else; a seek copies nothing."""
    buf = composite_of(TEXT * 10)
    stream = ByteBufReader(buf)
    with audit() as opened:
        lines = list(stream)
        stream.seek(0)
        stream.readinto(bytearray(100))
    assert b"".join(lines) == TEXT * 10
    assert opened.bill.user == {CopyReason.TRANSFER: opened.bill.user[CopyReason.TRANSFER]}
    assert opened.bill.user_bytes == len(TEXT) * 10 + 100


@each_shape
def test_b129_readinto_takes_whatever_can_be_written(shape: Make) -> None:
    """A typed array counts in bytes; a view of a part of something is filled there."""
    numbers = array.array("I", [0, 0])
    assert ByteBufReader(shape(TEXT)).readinto(numbers) == 8
    assert numbers.tobytes() == TEXT[:8]
    target = bytearray(b"." * 9)
    assert ByteBufReader(shape(TEXT)).readinto(memoryview(target)[2:5]) == 3
    assert target == b"..fir...."
    assert ByteBufReader(shape(TEXT)).readinto(bytearray()) == 0


def test_b129_lines_of_a_large_composite_are_found_in_linear_time() -> None:
    """Twenty thousand lines over two thousand components, and each line as BytesIO has it."""
    rng = random.Random(129)
    data = b"".join(rng.randbytes(rng.randrange(20)).replace(b"\n", b"") + b"\n" for _ in range(20_000))
    whole = composite()
    for at in range(0, len(data), 100):
        whole.append(data[at : at + 100])
    assert list(ByteBufReader(whole)) == list(io.BytesIO(data))
