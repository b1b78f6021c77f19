"""write_fd and read_fd: one call on a descriptor, at the cursor or at an offset.

Owns    BEHAVIOURS 31.
Never   file objects: those are streams.
Always  an index moves by what the kernel moved, and the audit knows the call."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
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
    fails,
    unchanged,
)
from zbuf import buffer, composite, copied
from zbuf.audit import audit
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError
from zbuf.io import read_fd, write_fd

DATA = bytes(range(65, 85))


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """A descriptor of an empty file."""
    found = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield found
    os.close(found)


def cursor(fd: int) -> int:
    """Where the file's cursor stands."""
    return os.lseek(fd, 0, os.SEEK_CUR)


def whole(fd: int) -> bytes:
    """All bytes of the file; the cursor stays."""
    return os.pread(fd, 1 << 20, 0)


@each_shape
def test_b031_write_fd_at_the_cursor_moves_it(shape: Make, fd: int) -> None:
    """All readable bytes go in one call; reader index and cursor follow."""
    buf = shape(DATA)
    first = buf.reader_index
    assert write_fd(buf, fd, 7) == 7
    assert (cursor(fd), buf.reader_index) == (7, first + 7)
    assert write_fd(buf, fd) == 13
    assert (whole(fd), cursor(fd), buf.readable_bytes) == (DATA, 20, 0)
    assert write_fd(buf, fd) == 0
    buf._check()


@each_shape
def test_b031_write_fd_with_an_offset_leaves_the_cursor(shape: Make, fd: int) -> None:
    """The bytes land at the offset, the cursor stays where it was."""
    os.write(fd, b"." * 30)
    os.lseek(fd, 5, os.SEEK_SET)
    buf = shape(DATA)
    assert write_fd(buf, fd, 4, offset=0) == 4
    assert write_fd(buf, fd, offset=10) == 16
    assert whole(fd) == DATA[:4] + b"." * 6 + DATA[4:] + b"." * 4
    assert cursor(fd) == 5


@each_room
def test_b031_read_fd_at_the_cursor_moves_it(room: MakeRoom, fd: int) -> None:
    """What came is readable at once; 0 says that the file is at its end."""
    os.pwrite(fd, DATA, 0)
    buf = room(20)
    assert read_fd(buf, fd, 7) == 7
    assert (bytes(buf), cursor(fd)) == (DATA[:7], 7)
    assert read_fd(buf, fd, 13) == 13
    assert (bytes(buf), cursor(fd)) == (DATA, 20)
    buf.writer_index -= 5
    with unchanged(buf):
        assert read_fd(buf, fd, 5) == 0
    buf._check()


@each_room
def test_b031_read_fd_with_an_offset_leaves_the_cursor(room: MakeRoom, fd: int) -> None:
    """From anywhere in the file, short at its end; the cursor stays."""
    os.pwrite(fd, DATA, 0)
    os.lseek(fd, 3, os.SEEK_SET)
    buf = room(20)
    assert read_fd(buf, fd, 6, offset=10) == 6
    assert read_fd(buf, fd, 9, offset=15) == 5
    assert (bytes(buf), cursor(fd)) == (DATA[10:16] + DATA[15:], 3)
    with unchanged(buf):
        assert read_fd(buf, fd, 9, offset=20) == 0
        assert read_fd(buf, fd, 9, offset=1 << 40) == 0


@each_room
def test_b031_read_fd_takes_no_byte_more_than_asked_for(room: MakeRoom, fd: int) -> None:
    """Room behind the length, in the same piece or the next, is not touched."""
    os.pwrite(fd, b"x" * 100, 0)
    for n in (1, 2, 9, 19):
        buf = room(20)
        behind = buf.get_bytes(buf.writer_index + n, buf.capacity - buf.writer_index - n)
        assert read_fd(buf, fd, n, offset=0) == n
        assert buf.get_bytes(buf.writer_index, buf.capacity - buf.writer_index) == behind


@each_growing
def test_b031_read_fd_makes_room_first(growing: MakeGrowing, fd: int) -> None:
    """It grows as a write does; beyond max_capacity nothing is read."""
    os.write(fd, b"y" * 100)
    os.lseek(fd, 0, os.SEEK_SET)
    buf = growing(b"head", 64)
    with fails(CapacityError, buf) as caught:
        read_fd(buf, fd, 61)
    assert (caught.value.requested, caught.value.available, cursor(fd)) == (61, 60, 0)
    assert read_fd(buf, fd, 60) == 60
    assert bytes(buf) == b"head" + b"y" * 60


def test_b031_at_most_1024_pieces_go_in_one_call(fd: int) -> None:
    """What is behind them goes with the next call; the audit knows calls and pieces."""
    buf = composite()
    for _ in range(1500):
        buf.append(b"ab")
    with audit() as opened:
        assert write_fd(buf, fd) == 2048
        assert write_fd(buf, fd) == 952
        assert write_fd(buf, fd) == 0
    move = opened.bill.kernel["writev"]
    assert (move.calls, move.nbytes, move.views) == (2, 3000, 1500)
    assert whole(fd) == b"ab" * 1500
    into = composite()
    for _ in range(1500):
        into.append(bytearray(2))
    into.writer_index = 0
    assert read_fd(into, fd, 3000, offset=0) == 2048
    assert bytes(into) == b"ab" * 1024


def test_b031_the_bill_has_moves_and_no_copies(fd: int) -> None:
    """Each of the calls stands under its own name, for the process, and no byte is copied by us."""
    pieces = composite()
    pieces.extend([b"ab", b"cd"])
    got = buffer()
    with audit() as opened:
        write_fd(copied(b"0123"), fd)
        write_fd(pieces.duplicate(), fd)
        write_fd(copied(b"0123"), fd, offset=0)
        write_fd(pieces.duplicate(), fd, offset=4)
        read_fd(got, fd, 4, offset=0)
        read_fd(got, fd, 4)
    bill = opened.bill
    assert {call: (m.calls, m.nbytes, m.views) for call, m in bill.kernel.items()} == {
        "write": (1, 4, 1), "writev": (1, 4, 2), "pwrite": (1, 4, 1), "pwritev": (1, 4, 2), "preadv": (1, 4, 1),
        "readv": (1, 0, 1),
    }  # fmt: skip
    assert [reason.name for reason in bill.user] == ["TRANSFER"]  # that is copied(), twice
    assert (bill.user_bytes, bill.wire_in, bill.wire_out) == (8, 0, 0)


def test_b031_a_pipe_that_would_block_is_none() -> None:
    """Empty: None; full: None; closed at the other end: 0 for the reader, an error for the writer."""
    r, w = os.pipe()
    try:
        for end in (r, w):
            os.set_blocking(end, False)
        got = buffer()
        with unchanged(got):
            assert read_fd(got, r, 10) is None
        much = copied(bytes(1 << 20))
        taken = write_fd(much, w)
        assert taken is not None
        assert 0 < taken < 1 << 20
        with unchanged(much):
            assert write_fd(much, w) is None
        assert much.reader_index == taken
        os.close(w)
        w = -1
        while read_fd(got, r, 1 << 16):
            pass
        assert (got.readable_bytes, read_fd(got, r, 10)) == (taken, 0)
    finally:
        for end in (r, w):
            if end >= 0:
                os.close(end)


def test_b031_a_signal_does_not_end_the_call() -> None:
    """Python repeats an interrupted call: a read that waits survives a signal whose handler returns."""
    r, w = os.pipe()
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        late = threading.Timer(0.1, os.write, (w, b"late"))
        late.start()
        got = buffer()
        assert read_fd(got, r, 10) == 4
        late.join()
        assert (bytes(got), len(seen)) == (b"late", 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.close(r)
        os.close(w)


def test_b031_what_has_a_fileno_is_taken(tmp_path: Path) -> None:
    """A file object, a number that is one by __index__; nothing else."""
    with (tmp_path / "f").open("w+b", buffering=0) as file:
        assert write_fd(copied(b"abc"), file) == 3
        assert read_fd(buffer(), file, 3, offset=0) == 3
    buf = copied(b"abc")
    for bad, expected in (
        (None, TypeError),
        ("1", TypeError),
        (1.0, TypeError),
        (io.BytesIO(), io.UnsupportedOperation),
    ):
        with fails(expected, buf):
            write_fd(buf, bad)  # type: ignore[arg-type]  # the point
        with fails(expected, buf):
            read_fd(buf, bad, 1)  # type: ignore[arg-type]  # the point


@each_shape
def test_b031_bad_arguments_change_nothing(shape: Make, fd: int) -> None:
    """Lengths and offsets by the rules of all methods; a bad descriptor is the system's to tell."""
    buf = shape(DATA)
    cases: list[tuple[type[BaseException], dict[str, Any]]] = [
        (TypeError, {"length": 1.0}),
        (TypeError, {"length": 1, "offset": "0"}),
        (OverflowError, {"length": 2**70}),
        (ValueError, {"length": -1}),
        (ValueError, {"length": 1, "offset": -1}),
        (BoundsError, {"length": 21}),
    ]
    for expected, arguments in cases:
        with fails(expected, buf):
            write_fd(buf, fd, **arguments)
    with fails(OSError, buf):
        write_fd(buf, 10**6)
    assert (whole(fd), cursor(fd)) == (b"", 0)
    assert not buf.is_shared or shape(DATA).is_shared
    buf.release()
    with pytest.raises(ReferenceCountError):
        write_fd(buf, fd, -1, offset=-1)
    with pytest.raises(ReferenceCountError):
        read_fd(buf, fd, 0)


def test_b031_a_caught_exception_keeps_no_block() -> None:
    """Its frames hold what they hold, but no view of the buffer: the next growth copies nothing for their sake."""
    buf = buffer(64)
    buf.write_bytes(DATA)
    with pytest.raises(OSError) as reading:
        read_fd(buf, 10**6, 5)
    with pytest.raises(OSError) as writing:
        write_fd(buf, 10**6)
    assert not buf.is_shared
    assert reading.type is writing.type is OSError


@each_room
def test_b031_read_fd_refuses_length_0(room: MakeRoom, fd: int) -> None:
    """0 can only mean the end; negative lengths and offsets are bad values, too."""
    os.write(fd, DATA)
    buf = room(20)
    for arguments in ({"length": 0}, {"length": -1}, {"length": 1, "offset": -1}):
        with fails(ValueError, buf):
            read_fd(buf, fd, **arguments)
    with fails(OSError, buf):
        read_fd(buf, 10**6, 1)
    assert not buf.is_shared or room(20).is_shared


@each_read_only
def test_b031_read_fd_into_a_read_only_buffer_is_refused(shape: Make, fd: int) -> None:
    """ReadOnlyError, also for a length that is wrong besides."""
    buf = shape(DATA)
    for n in (0, 1, -1):
        with fails(ReadOnlyError, buf):
            read_fd(buf, fd, n)
