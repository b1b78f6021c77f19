"""Bytes to and from streams: read_to, get_to, write_from, set_from.

Owns    BEHAVIOURS 30, and that these calls copy nothing themselves.
Never   streams that attack the buffer: tests/hostile has them.
Always  an index moves by exactly what the stream took or gave."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
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
    each_writable,
    fails,
    unchanged,
)
from zbuf import buffer, composite, copied
from zbuf.audit import audit
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError

DATA = bytes(range(65, 85))


class Sink:
    """A stream that takes what its answers say, `len(view)` where one is "all"; it keeps what it took."""

    def __init__(self, *answers: Any, last: Any = "all") -> None:
        self.answers = list(answers)
        self.last = last
        self.taken = b""
        self.views: list[memoryview] = []

    def write(self, view: memoryview) -> Any:
        assert type(view) is memoryview
        assert (view.readonly, view.format, view.ndim, view.nbytes > 0) == (True, "B", 1, True)
        self.views.append(view)
        answer = self.answers.pop(0) if self.answers else self.last
        if answer == "all":
            answer = len(view)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, int) and 0 <= answer <= len(view):
            self.taken += bytes(view[:answer])
        return answer


class Source:
    """A stream that fills what its answers say, the whole view where one is "all", and then from `data`."""

    def __init__(self, data: bytes, *answers: Any, last: Any = "all") -> None:
        self.data = data
        self.answers = list(answers)
        self.last = last
        self.views: list[memoryview] = []

    def readinto(self, view: memoryview) -> Any:
        assert type(view) is memoryview
        assert (view.readonly, view.format, view.ndim, view.nbytes > 0) == (False, "B", 1, True)
        self.views.append(view)
        answer = self.answers.pop(0) if self.answers else self.last
        if isinstance(answer, BaseException):
            raise answer
        if answer == "all":
            answer = len(view)
        if not isinstance(answer, int) or not 0 <= answer <= len(view):
            return answer
        part, self.data = self.data[:answer], self.data[answer:]
        view[: len(part)] = part
        return len(part)


# Out.


@each_shape
def test_b030_read_to_gives_all_and_moves_the_reader_index(shape: Make) -> None:
    """Without a length all readable bytes go, in order; the count is returned and nothing else moves."""
    buf = shape(DATA)
    first, writer = buf.reader_index, buf.writer_index
    out = Sink()
    assert buf.read_to(out) == len(DATA)
    assert out.taken == DATA
    assert (buf.reader_index, buf.writer_index) == (first + len(DATA), writer)
    assert buf.read_to(out) == 0
    buf._check()


@each_shape
def test_b030_read_to_takes_a_length(shape: Make) -> None:
    """Exactly `length` bytes go; 0 calls nobody; one more than is readable is refused."""
    buf = shape(DATA)
    out = Sink()
    with unchanged(buf):
        assert buf.read_to(out, 0) == 0
    assert not out.views
    assert [buf.read_to(out, n) for n in (1, 7, 3)] == [1, 7, 3]
    assert out.taken == DATA[:11]
    with fails(BoundsError, buf) as caught:
        buf.read_to(out, 10)
    assert (caught.value.requested, caught.value.available) == (10, 9)
    assert out.taken == DATA[:11]


@each_shape
def test_b030_get_to_moves_nothing(shape: Make) -> None:
    """Any range within the capacity goes; the indices stay."""
    buf = shape(DATA)
    whole = buf.get_bytes(0, buf.capacity)
    with unchanged(buf):
        for index in (0, 1, buf.capacity - 5, buf.capacity):
            for length in (0, 1, 5):
                if length > buf.capacity - index:
                    continue
                out = Sink()
                assert buf.get_to(index, out, length) == length
                assert out.taken == whole[index : index + length]
    for index, length in ((-1, 1), (buf.capacity + 1, 0), (buf.capacity, 1), (1, buf.capacity)):
        with fails(BoundsError, buf):
            buf.get_to(index, Sink(), length)


@each_shape
def test_b030_short_writes_go_on(shape: Make) -> None:
    """A stream that takes one byte at a time gets every byte."""
    buf = shape(DATA)
    out = Sink(last=1)
    with unchanged(buf):
        assert buf.get_to(buf.reader_index, out, len(DATA)) == len(DATA)
    assert (out.taken, len(out.views)) == (DATA, len(DATA))
    out = Sink(last=1)
    assert buf.read_to(out) == len(DATA)
    assert (out.taken, len(out.views), buf.is_readable) == (DATA, len(DATA), False)


@each_shape
@pytest.mark.parametrize("end", [None, 0])
def test_b030_none_or_nothing_taken_stops(shape: Make, end: int | None) -> None:
    """What was taken before it counts; the next call goes on from there."""
    for times in (0, 1, 3):
        buf = shape(DATA)
        first = buf.reader_index
        out = Sink(*[1] * times, end)
        assert buf.get_to(first, Sink(*[1] * times, end), len(DATA)) == times
        assert buf.read_to(out) == times
        assert (out.taken, buf.reader_index) == (DATA[:times], first + times)
        assert buf.read_to(out) == len(DATA) - times
        assert out.taken == DATA


@each_shape
def test_b030_a_stream_that_raises_keeps_what_it_took(shape: Make) -> None:
    """The reader index stands behind the finished pieces; the exception passes."""
    buf = shape(DATA)
    first = buf.reader_index
    out = Sink(1, 1, KeyError("full"))
    with pytest.raises(KeyError, match="full"):
        buf.read_to(out)
    assert (out.taken, buf.reader_index) == (DATA[:2], first + 2)
    buf._check()
    with fails(KeyError, buf):
        buf.get_to(first, Sink(1, KeyError("full")), 4)


@each_shape
def test_b030_an_answer_that_cannot_be_is_refused(shape: Make) -> None:
    """More bytes than were given, fewer than none, or no number at all: the index stays at what is sure."""
    for answer, expected in (
        (10**6, ValueError),
        (-1, ValueError),
        (2**70, ValueError),
        ("1", TypeError),
        (1.0, TypeError),
    ):
        buf = shape(DATA)
        first = buf.reader_index
        with pytest.raises(expected):
            buf.read_to(Sink(1, answer))
        assert buf.reader_index == first + 1
        with fails(expected, buf):
            buf.get_to(first, Sink(answer), 3)
    assert shape(DATA).read_to(Sink(True, None)) == 1


@each_shape
def test_b030_a_view_is_only_lent(shape: Make) -> None:
    """After the call the stream's view is released, so that what it kept can neither pin nor change the buffer."""
    buf = shape(DATA)
    out = Sink()
    buf.read_to(out)
    for view in out.views:
        with pytest.raises(ValueError, match="released"):
            bytes(view)


def test_b030_one_view_for_each_piece() -> None:
    """A contiguous buffer goes in one call, a composite in one per component, none of them empty."""
    out = Sink()
    copied(DATA).read_to(out)
    assert len(out.views) == 1
    whole = composite()
    whole.extend([b"ab", b"", b"c", b"defg"])
    out = Sink()
    assert whole.read_to(out, 6) == 6
    assert (out.taken, len(out.views)) == (b"abcdef", 3)


# In.


@each_room
def test_b030_write_from_moves_the_writer_index_by_the_count(room: MakeRoom) -> None:
    """All of it, then a short count that ends the call, then 0 at the end."""
    buf = room(20)
    first = buf.writer_index
    src = io.BytesIO(DATA)
    assert buf.write_from(src, 8) == 8
    assert (bytes(buf), buf.writer_index) == (DATA[:8], first + 8)
    assert buf.write_from(src, 5) == 5
    assert src.tell() == 13
    assert [buf.write_from(src, 7), src.read()] == [7, b""]
    buf._check()
    assert bytes(buf) == DATA
    buf.writer_index -= 3
    with unchanged(buf):
        assert buf.write_from(src, 3) == 0


@each_writable
def test_b030_set_from_moves_nothing(shape: Make) -> None:
    """The bytes land at the index, the others stay."""
    buf = shape(DATA)
    model = bytearray(buf.get_bytes(0, buf.capacity))
    indices = (buf.reader_index, buf.writer_index, buf.capacity)
    for index in (0, 3, buf.capacity - 4):
        assert buf.set_from(index, Source(b"wxyz"), 4) == 4
        model[index : index + 4] = b"wxyz"
        assert buf.get_bytes(0, buf.capacity) == model
    assert buf.set_from(1, io.BytesIO(b""), 4) == 0
    assert (buf.reader_index, buf.writer_index, buf.capacity) == indices
    for index, length in ((-1, 1), (buf.capacity + 1, 1), (buf.capacity, 1), (1, buf.capacity)):
        with fails(BoundsError, buf):
            buf.set_from(index, Source(b"x" * 100), length)


@each_room
def test_b030_a_short_read_ends_the_call(room: MakeRoom) -> None:
    """The stream is not asked again, though there is room in this piece and in later ones."""
    buf = room(20)
    src = Source(DATA, 1, 0, 1)
    first_piece = buf.writable_views(20)[0].nbytes
    assert buf.write_from(src, min(first_piece, 2)) == 1
    assert len(src.views) == 1
    buf = room(20)
    assert buf.set_from(buf.writer_index, Source(DATA, 0), 20) == 0
    pieces = len(buf.writable_views(20))
    src = Source(DATA[:4])
    assert buf.write_from(src, 20) == 4
    assert (bytes(buf), len(src.views) <= pieces) == (DATA[:4], True)


@each_room
def test_b030_would_block_is_none_and_keeps_what_came(room: MakeRoom) -> None:
    """None at once gives None; None after some pieces gives their count."""
    buf = room(20)
    with unchanged(buf):
        assert buf.write_from(Source(DATA, None), 5) is None
        assert buf.set_from(buf.writer_index, Source(DATA, None), 5) is None
    pieces = [view.nbytes for view in buf.writable_views(20)]
    if len(pieces) > 1:
        assert buf.write_from(Source(DATA, "all", None), 20) == pieces[0]
        assert bytes(buf) == DATA[: pieces[0]]


@each_room
def test_b030_length_0_is_refused_because_0_means_the_end(room: MakeRoom) -> None:
    """ValueError for 0 and for negative lengths, before the stream is asked."""
    buf = room(20)
    src = Source(DATA)
    for n in (0, -1, -(2**63)):
        with fails(ValueError, buf):
            buf.write_from(src, n)
        with fails(ValueError, buf):
            buf.set_from(0, src, n)
    assert not src.views


@each_room
def test_b030_a_source_that_raises_leaves_the_finished_pieces(room: MakeRoom) -> None:
    """Nothing when the first call raises; else the writer index stands behind the pieces before."""
    buf = room(20)
    first = buf.writer_index
    with fails(KeyError, buf):
        buf.write_from(Source(DATA, KeyError("broken")), 5)
    pieces = [view.nbytes for view in buf.writable_views(20)]
    if len(pieces) > 1:
        with pytest.raises(KeyError, match="broken"):
            buf.write_from(Source(DATA, "all", KeyError("broken")), 20)
        assert bytes(buf) == DATA[: pieces[0]]
        assert buf.writer_index == first + pieces[0]
    buf._check()


@each_room
def test_b030_a_count_that_cannot_be_is_refused(room: MakeRoom) -> None:
    """More than there was room for, fewer than none, or no number: the writer index stays."""
    for answer, expected in (
        (10**6, ValueError),
        (-1, ValueError),
        (2**70, ValueError),
        ("1", TypeError),
        (1.0, TypeError),
    ):
        buf = room(20)
        with fails(expected, buf):
            buf.write_from(Source(DATA, answer), 1)
        with fails(expected, buf):
            buf.set_from(0, Source(DATA, answer), 1)


@each_growing
def test_b030_write_from_makes_room_first(growing: MakeGrowing) -> None:
    """It grows as a write does; beyond max_capacity the stream is not asked."""
    buf = growing(b"head", 1000)
    assert buf.write_from(Source(b"x" * 900), 900) == 900
    assert bytes(buf) == b"head" + b"x" * 900
    src = Source(b"y" * 100)
    with fails(CapacityError, buf) as caught:
        buf.write_from(src, 97)
    assert (caught.value.requested, caught.value.available, caught.value.max_capacity) == (97, 96, 1000)
    assert not src.views
    assert buf.write_from(src, 96) == 96
    buf._check()


@each_read_only
def test_b030_a_read_only_buffer_takes_nothing(shape: Make) -> None:
    """ReadOnlyError before the stream is asked, also where only one component of several is read-only."""
    buf = shape(DATA)
    src = Source(DATA)
    with fails(ReadOnlyError, buf):
        buf.write_from(src, 1)
    with fails(ReadOnlyError, buf):
        buf.set_from(0, src, 1)
    mixed = composite()
    mixed.extend([bytearray(b"abc"), b"def"])
    with fails(ReadOnlyError, mixed):
        mixed.set_from(0, src, 4)
    mixed.writer_index = 1
    with fails(ReadOnlyError, mixed):
        mixed.write_from(src, 4)
    assert not src.views
    assert mixed.set_from(0, src, 3) == 3


@each_writable
def test_b030_what_is_no_stream_is_told_by_type(shape: Make) -> None:
    """TypeError for an object without the method, or with something else under its name."""

    class Odd:
        write = readinto = 5

    buf = shape(DATA)
    calls: list[Callable[[Any], Any]] = [
        lambda s: buf.read_to(s),
        lambda s: buf.get_to(0, s, 1),
        lambda s: buf.write_from(s, 1),
        lambda s: buf.set_from(0, s, 1),
    ]
    for call in calls:
        for bad in (None, b"bytes", 5, Odd()):
            with fails(TypeError, buf):
                call(bad)
    with fails(TypeError, buf):
        buf.read_to(io.StringIO())  # the text stream says so itself


# Real streams, and the bill.


@each_shape
def test_b030_files_pipes_and_archives_are_streams(shape: Make, tmp_path: Path) -> None:
    """A raw file, a buffered one, a gzip file and a pipe take the bytes and give them back."""
    path = tmp_path / "bytes"
    openers: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: path.open("wb", buffering=0), lambda: path.open("rb", buffering=0)),
        (lambda: path.open("wb"), lambda: path.open("rb")),
        (lambda: gzip.GzipFile(path, "wb"), lambda: gzip.GzipFile(path, "rb")),
    ]
    for open_out, open_in in openers:
        with open_out() as out:
            assert shape(DATA).read_to(out) == len(DATA)
        got = buffer()
        with open_in() as src:
            assert got.write_from(src, 100) == len(DATA)
        assert bytes(got) == DATA


def test_b030_a_pipe_that_would_block_answers_none() -> None:
    """A non-blocking pipe: None while it is empty, a short count, None when it is full."""
    r, w = os.pipe()
    for fd in (r, w):
        os.set_blocking(fd, False)
    with open(r, "rb", buffering=0) as src, open(w, "wb", buffering=0) as out:
        got = buffer()
        assert got.write_from(src, 10) is None
        assert copied(b"abc").read_to(out) == 3
        assert (got.write_from(src, 10), bytes(got)) == (3, b"abc")
        much = copied(bytes(1 << 20))
        taken = much.read_to(out)
        assert 0 < taken < 1 << 20
        assert (much.reader_index, much.read_to(out)) == (taken, 0)
    ended = buffer()
    with fails(ValueError, ended):
        ended.write_from(src, 1)  # "I/O operation on closed file"


@each_shape
def test_b030_no_copy_is_ours(shape: Make) -> None:
    """What a stream does with the bytes is its own affair: the bill shows no copy in user space."""
    buf = shape(DATA)
    target = buffer(100)
    with audit() as opened:
        buf.get_to(buf.reader_index, Sink(last=1), len(DATA))
        buf.read_to(Sink())
        target.write_from(Source(DATA), len(DATA))
        target.set_from(3, Source(DATA), 5)
    assert not opened.bill.user
