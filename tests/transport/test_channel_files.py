"""Regions on a channel, over a scripted socket: sendfile, its refusals, and files that are not what was promised.

Owns    the promises of the write loop about regions.
Never   a real socket; the files are real.
Always  the bytes on the wire are compared whole."""

import asyncio
import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.transport.kit import Promise, on_loop, turns
from zbuf.audit import CopyReason
from zbuf.buffer import Pool
from zbuf.errors import ChannelClosedError, FileTruncatedError
from zbuf.region import FileRegion
from zbuf.testing import ScriptedSocket
from zbuf.transport import ChannelOptions, _send_file

BLOCK = ScriptedSocket.BLOCK
DATA = bytes(range(256)) * 400  # 102,400 bytes
NARROW = ChannelOptions(small_file_below=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 100 KiB."""
    file = tmp_path / "data"
    file.write_bytes(DATA)
    return file


@pytest.fixture(autouse=True)
def _forgets_devices() -> Any:
    """No test learns from another one what a device refuses."""
    _send_file._devices_without_sendfile.clear()
    yield
    _send_file._devices_without_sendfile.clear()


def names(sock: ScriptedSocket) -> list[str]:
    """The names of the calls in order."""
    return [call.name for call in sock.calls]


@pytest.mark.parametrize(("offset", "count"), [(0, None), (0, 102_400), (1000, 50_000), (102_000, 400), (5, 1), (7, 0)])
def test_b178_exactly_the_bytes_of_the_region_between_its_neighbours(
    path: Path, offset: int, count: int | None
) -> None:
    """Whole file, offset, count, none: exactly those bytes, in order, between what was written before and after."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[10, BLOCK, None])
        channel = sock.channel(options=NARROW)
        channel.write(b"<")
        channel.write(FileRegion(path, offset, count))
        channel.write(b">")
        await sock.settle()
        await channel.flushed()
        end = len(DATA) if count is None else offset + count
        assert b"<" + DATA[offset:end] + b">" == bytes(sock.sent)
        assert (0 if end > offset else 2) == channel.bill.user_bytes, "without a region between them the two are joined"
        assert channel.bill.wire_out == len(sock.sent)
        channel.close()

    on_loop(main)


def test_a_short_sendfile_waits_for_room_instead_of_asking_again(path: Path) -> None:
    """The kernel took less than was offered, so the socket is full: no second call in the same wake-up."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[10_000, 20_000, None])
        channel = sock.channel(options=NARROW)
        channel.write(FileRegion(path))
        channel.flush()
        assert ["sendfile"] == names(sock), "the rest waits for the poller"
        await sock.settle()
        assert ["sendfile"] * 3 == names(sock)
        assert DATA == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_the_head_before_a_region_carries_msg_more_and_nothing_else_does(path: Path) -> None:
    """send(MSG_MORE), sendfile, send without it: one segment where the kernel allows, and no tail is held back."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=NARROW)
        channel.write(b"head")
        channel.write(FileRegion(path))
        channel.write(b"tail")
        await sock.settle()
        assert ["send", "sendfile", "send"] == names(sock)
        assert [True, False] == [bool(c.flags & socket.MSG_MORE) for c in sock.calls if c.name == "send"]
        channel.close()

    on_loop(main)


def test_b178_a_small_file_leaves_in_the_send_of_its_head(tmp_path: Path) -> None:
    """Below the threshold the file is read behind the head (billed) and one call sends both."""

    async def main() -> None:
        file = tmp_path / "small"
        file.write_bytes(b"body" * 100)
        sock = ScriptedSocket()
        channel = sock.channel()
        channel.write(b"head")
        channel.write(FileRegion(file))
        await sock.settle()
        assert ["send"] == names(sock)
        assert b"head" + b"body" * 100 == bytes(sock.sent)
        bill = channel.bill
        assert 400 == bill.user[CopyReason.FILE_READ].nbytes
        assert 1 == bill.kernel["pread"].calls
        channel.close()

    on_loop(main)


def test_b179_a_truncated_file_sends_what_exists_then_closes(path: Path) -> None:
    """The file shrank: its bytes are sent, the write fails with FileTruncatedError, it closes, nothing spins."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[1000, BLOCK])
        channel = sock.channel(options=NARROW)
        promise, behind = Promise(), Promise()
        channel.write(b"head")
        channel.pipeline.write(FileRegion(path), promise)
        channel.pipeline.write(b"never", behind)
        await turns()
        os.truncate(path, 5000)
        await sock.settle()
        await channel.wait_closed()
        assert b"head" + DATA[:5000] == bytes(sock.sent)
        (failure,) = promise.failures
        assert isinstance(failure, FileTruncatedError)
        assert (0, len(DATA), 5000) == (failure.offset, failure.count, failure.transferred)
        assert 1 == behind.outcomes == len(behind.failures)
        assert len(sock.calls) < 10

    on_loop(main)


def test_b179_a_small_truncated_file_sends_what_exists_too(tmp_path: Path) -> None:
    """Also a file that would have been read into the head's buffer."""

    async def main() -> None:
        file = tmp_path / "small"
        file.write_bytes(b"0123456789")
        sock = ScriptedSocket()
        channel = sock.channel()
        promise = Promise()
        region = FileRegion(file, 0, 10)
        region.fileno()
        channel.write(b"head:")
        channel.pipeline.write(region, promise)
        os.truncate(file, 4)
        await sock.settle()
        await channel.wait_closed()
        assert b"head:0123" == bytes(sock.sent)
        assert [FileTruncatedError] == [type(exc) for exc in promise.failures]

    on_loop(main)


def test_b179_a_file_that_grows_sends_the_promised_count(path: Path) -> None:
    """What was appended after the region was opened does not travel."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[1000, BLOCK])
        channel = sock.channel(options=NARROW)
        channel.write(FileRegion(path))
        await turns()
        with path.open("ab") as file:
            file.write(b"more" * 1000)
        await sock.settle()
        assert bytes(sock.sent) == DATA
        channel.close()

    on_loop(main)


@pytest.mark.parametrize("kind", ["missing", "directory", "unreadable"])
def test_b180_a_file_that_cannot_be_opened_fails_its_write_only(tmp_path: Path, kind: str) -> None:
    """The OSError comes at first need, before any byte of it; what is before and after is sent."""

    async def main() -> None:
        source: Any = tmp_path / "missing"
        fd = None
        if kind == "directory":
            source = tmp_path
        elif kind == "unreadable":
            source = fd = os.open(tmp_path / "w", os.O_WRONLY | os.O_CREAT)
        sock = ScriptedSocket()
        channel = sock.channel(options=NARROW)
        promise = Promise()
        channel.write(b"before ")
        channel.pipeline.write(FileRegion(source, 0, 10), promise)
        channel.write(b"after")
        await sock.settle()
        assert b"before after" == bytes(sock.sent)
        assert isinstance(promise.failures[0], OSError)
        assert channel.is_active
        assert not any(call.flags & socket.MSG_MORE for call in sock.calls)
        channel.close()
        if fd is not None:
            os.close(fd)

    on_loop(main)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOVERFLOW])
def test_b184_sendfile_refused_at_first_is_replaced_by_reading(path: Path, number: int) -> None:
    """Read and send instead, the audit says FALLBACK_READ, and the device is remembered for the next region."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[OSError(number, "refused")], send=[None, 1000, BLOCK, None])
        channel = sock.channel(options=NARROW)
        channel.write(b"<")
        channel.write(FileRegion(path, 3, 100_000))
        channel.write(b">")
        await sock.settle()
        assert b"<" + DATA[3:100_003] + b">" == bytes(sock.sent)
        bill = channel.bill
        assert 100_000 == bill.user[CopyReason.FALLBACK_READ].nbytes
        assert 2 == bill.kernel["pread"].calls, "a block that went in part is not read again"
        channel.write(FileRegion(path, 0, 50_000))
        await sock.settle()
        assert 1 == names(sock).count("sendfile")
        assert bytes(sock.sent).endswith(DATA[:50_000])
        channel.close()

    on_loop(main)


def test_b184_sendfile_refused_later_fails_the_transfer(path: Path) -> None:
    """After the first byte there is no second way: the channel closes with that error."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[1000, OSError(errno.EINVAL, "refused")])
        channel = sock.channel(options=NARROW)
        promise = Promise()
        channel.pipeline.write(FileRegion(path), promise)
        await sock.settle()
        await channel.wait_closed()
        assert bytes(sock.sent) == DATA[:1000]
        (failure,) = promise.failures
        assert isinstance(failure, ChannelClosedError)
        assert isinstance(failure.__cause__, OSError)
        assert errno.EINVAL == failure.__cause__.errno
        assert "1000 of 102400 bytes" in failure.__cause__.__notes__[0]

    on_loop(main)


def test_a_block_of_the_second_way_goes_back_with_the_close(path: Path) -> None:
    """The channel closes while a block that was read is sent in part: the pool has it back at once."""

    async def main() -> None:
        pool = Pool()
        sock = ScriptedSocket(sendfile=[OSError(errno.EINVAL, "refused")], send=[1000, BLOCK])
        channel = sock.channel(options=ChannelOptions(small_file_below=0, allocator=pool))
        channel.write(FileRegion(path))
        await turns()
        assert 1 == pool.statistics().live_blocks
        channel.close()
        assert 0 == pool.statistics().live_blocks
        await channel.wait_closed()

    on_loop(main)


def test_eio_at_first_is_read_instead_and_not_remembered(path: Path) -> None:
    """An input error may be the file's own: the other way is tried once, the device keeps its reputation."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[OSError(errno.EIO, "bad block")])
        channel = sock.channel(options=NARROW)
        channel.write(FileRegion(path))
        await sock.settle()
        assert bytes(sock.sent) == DATA
        assert not _send_file._devices_without_sendfile
        channel.close()

    on_loop(main)


def test_b183_one_wake_up_moves_no_more_than_its_budget(path: Path) -> None:
    """The budget of file bytes ends the wake-up; the rest follows when the poller says so."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(small_file_below=0, file_bytes_per_wakeup=10_000))
        channel.write(FileRegion(path))
        await turns(2)
        assert 10_000 == len(sock.sent)
        sock.writable()
        assert 20_000 == len(sock.sent)
        await sock.settle()
        assert bytes(sock.sent) == DATA
        channel.close()

    on_loop(main)


def test_b181_the_descriptor_closes_when_the_region_is_sent_or_given_up(path: Path) -> None:
    """Sent whole, or dropped by a close in the middle: the file is closed once (the leak fixture counts)."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[None, 100, BLOCK])
        channel = sock.channel(options=NARROW)
        channel.write(FileRegion(path))
        channel.write(FileRegion(path))
        channel.write(FileRegion(path))
        await turns()
        assert len(DATA) + 100 == len(sock.sent)
        channel.close()
        await channel.wait_closed()

    on_loop(main)


def test_a_borrowed_descriptor_closed_in_the_middle_fails_and_sends_no_strangers_bytes(
    path: Path, tmp_path: Path
) -> None:
    """The owner closed the file and its number names another one: the transfer fails, nothing of the other is sent."""

    async def main() -> None:
        other = tmp_path / "other"
        other.write_bytes(b"S" * len(DATA))
        fd = os.open(path, os.O_RDONLY)
        sock = ScriptedSocket(sendfile=[1000, BLOCK])
        channel = sock.channel(options=NARROW)
        promise = Promise()
        channel.pipeline.write(FileRegion(fd), promise)
        await turns()
        stranger = os.open(other, os.O_RDONLY)
        os.dup2(stranger, fd)
        await sock.settle()
        await channel.wait_closed()
        assert bytes(sock.sent) == DATA[:1000]
        assert 1 == promise.outcomes == len(promise.failures)
        assert isinstance(promise.failures[0].__cause__, OSError)
        assert errno.EBADF == promise.failures[0].__cause__.errno
        os.close(stranger)
        os.close(fd)

    on_loop(main)


def test_region_bytes_do_not_make_a_channel_unwritable_unless_asked(path: Path) -> None:
    """Regions count 96 each; with file_high_water their bytes hold the producer back, too."""

    async def main() -> None:
        sock = ScriptedSocket(sendfile=[BLOCK])
        channel = sock.channel(options=NARROW)
        await channel.write(FileRegion(path))
        assert channel.is_writable
        channel.close()
        sock = ScriptedSocket(sendfile=[BLOCK, BLOCK])
        channel = sock.channel(options=ChannelOptions(small_file_below=0, file_high_water=50_000))
        waiting = channel.write(FileRegion(path, 0, 60_000))
        assert not channel.is_writable
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_wait(waiting), 0.01)
        await sock.settle()
        await waiting
        channel.close()

    on_loop(main)


async def _wait(awaitable: Any) -> None:
    await awaitable
