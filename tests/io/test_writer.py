"""ByteBufWriter: a file object that appends to a buffer.

Owns    BEHAVIOURS 129 for writing.
Never   who uses it: test_formats has json, zipfile and the others.
Always  what was written is readable in the buffer at once."""

from __future__ import annotations

import array
import gc
import io
from typing import Any

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_growing,
    each_read_only,
    each_room,
    each_shape,
    fails,
    fresh_pool,
)
from zbuf import ByteBuf, ByteBufWriter, buffer, composite, copied
from zbuf.audit import CopyReason, audit
from zbuf.errors import CapacityError, ReadOnlyError, ReferenceCountError


@each_room
def test_b129_a_write_appends_all_of_its_bytes(room: MakeRoom) -> None:
    """bytes, bytearray, views, arrays: by nbytes; the count is returned and tell() adds it up."""
    buf = room(20)
    stream = ByteBufWriter(buf)
    assert stream.tell() == 0
    assert [stream.write(part) for part in (b"ab", b"", bytearray(b"c"), memoryview(b"defg")[1:3])] == [2, 0, 1, 2]
    assert stream.write(array.array("H", [0x4141, 0x4242])) == 4
    stream.writelines([b"x", b"yz"])
    stream.flush()
    assert (bytes(buf), stream.tell()) == (b"abcefAABBxyz", 12)
    buf._check()


@each_growing
def test_b129_it_grows_as_any_write_does(growing: MakeGrowing) -> None:
    """Beyond max_capacity nothing of the write is stored, and the position stays."""
    buf = growing(b"head", 100)
    stream = ByteBufWriter(buf)
    assert stream.write(b"x" * 90) == 90
    with fails(CapacityError, buf):
        stream.write(b"y" * 7)
    assert (stream.tell(), stream.write(b"y" * 6)) == (90, 6)
    assert bytes(buf) == b"head" + b"x" * 90 + b"y" * 6


@each_shape
def test_b129_a_buffer_is_written_by_its_readable_bytes_and_stays(shape: Make) -> None:
    """Unlike write_bytes(buf) the stream does not consume what it is given: it is a file."""
    source = shape(b"payload")
    first = source.reader_index
    target = buffer()
    stream = ByteBufWriter(target)
    assert stream.write(source) == 7
    assert (bytes(target), source.reader_index, bytes(source)) == (b"payload", first, b"payload")
    assert ByteBufWriter(target).write(target) == 7
    assert bytes(target) == b"payload" * 2


def test_b129_the_buffer_may_be_written_directly_in_between() -> None:
    """tell() counts what went through the stream, not what the buffer has."""
    buf = buffer()
    stream = ByteBufWriter(buf)
    stream.write(b"ab")
    buf.write_short(0x4344)
    stream.write(b"e")
    assert buf.read_bytes(3) == b"abC"
    buf.discard_read_bytes()
    stream.write(b"f")
    assert (bytes(buf), stream.tell()) == (b"Def", 4)


def test_b129_what_is_no_bytes_is_refused() -> None:
    """Text is a TypeError, strides a BufferError; nothing is written."""
    buf = copied(b"kept")
    stream = ByteBufWriter(buf)
    for bad, expected in (
        ("text", TypeError),
        (None, TypeError),
        (5, TypeError),
        (memoryview(b"abc")[::2], BufferError),
    ):
        with fails(expected, buf):
            stream.write(bad)  # type: ignore[arg-type]  # the point
    assert stream.tell() == 0


@each_read_only
def test_b129_a_read_only_buffer_is_told_at_once(shape: Make) -> None:
    """Making the stream raises, not its first write."""
    buf = shape(b"kept")
    with fails(ReadOnlyError, buf):
        ByteBufWriter(buf, release_on_close=True)
    for no_buffer in (bytearray(), None, io.BytesIO()):
        with pytest.raises(TypeError):
            ByteBufWriter(no_buffer)  # type: ignore[arg-type]  # the point
    gc.collect()
    assert buf.refcnt == 1


@each_room
def test_b129_close_is_silent_twice_and_final(room: MakeRoom) -> None:
    """Afterwards every call is a ValueError; the bytes stay in the buffer."""
    buf = room(20)
    with ByteBufWriter(buf) as stream:
        stream.write(b"ab")
        flags = (stream.writable(), stream.readable(), stream.seekable(), stream.closed, stream.isatty())
        assert flags == (True, False, False, False, False)
    stream.close()
    assert (stream.closed, buf.refcnt, bytes(buf)) == (True, 1, b"ab")
    calls: list[Any] = [
        lambda: stream.write(b""), stream.tell, stream.writable, stream.flush, stream.__enter__,
        lambda: stream.writelines([b"x"]),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match="closed"):
            call()
    assert repr(stream) == "ByteBufWriter(closed)"


def test_b129_what_it_cannot_do_is_told_as_files_tell_it() -> None:
    """io.UnsupportedOperation for reading, seeking, truncating, detaching, and the descriptor it has not."""
    stream = ByteBufWriter(buffer())
    for call in (
        stream.read,
        stream.read1,
        lambda: stream.seek(0),
        lambda: stream.truncate(0),
        stream.detach,
        stream.fileno,
    ):
        with pytest.raises(io.UnsupportedOperation):
            call()
    with pytest.raises(io.UnsupportedOperation):
        stream.readinto(bytearray(1))
    assert repr(stream) == "ByteBufWriter(ByteBuf(ridx: 0, widx: 0, cap: 256), position: 0)"


@each_room
def test_b129_release_on_close_gives_up_one_count(room: MakeRoom) -> None:
    """Once; a retained buffer lives on; one released before is left alone; a dropped stream closes itself."""
    buf = room(20)
    buf.retain()
    with ByteBufWriter(buf, release_on_close=True) as stream:
        stream.write(b"ab")
    stream.close()
    assert (buf.refcnt, bytes(buf)) == (1, b"ab")
    stream = ByteBufWriter(buf, release_on_close=True)
    buf.release()
    with pytest.raises(ReferenceCountError):
        stream.write(b"x")
    assert stream.tell() == 0
    stream.close()
    dropped = room(20)
    ByteBufWriter(dropped, release_on_close=True)
    gc.collect()
    assert dropped.refcnt == 0
    with pytest.raises(ReferenceCountError):
        ByteBufWriter(dropped)


def test_b129_a_closed_stream_holds_no_block() -> None:
    """It keeps the buffer while it is open and lets go when it is closed."""
    pool = fresh_pool()
    stream = ByteBufWriter(pool.buffer(64))
    assert (stream.write(b"ab"), pool.statistics().live_blocks) == (2, 1)
    stream.close()
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("make", [lambda: buffer(1000), composite], ids=["plain", "composite"])
def test_b129_every_byte_is_copied_once_and_billed(make: Any) -> None:
    """A write with room copies its bytes into the buffer, once."""
    buf: ByteBuf = make()
    buf.ensure_writable(1000)
    with audit() as opened:
        ByteBufWriter(buf).write(bytes(1000))
    assert {reason: count.nbytes for reason, count in opened.bill.user.items()} == {CopyReason.TRANSFER: 1000}
