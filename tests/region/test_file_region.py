"""FileRegion: ranges, opening, ownership of the descriptor, reading."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import zbuf
from tests.region.conftest import DATA, is_open
from zbuf.audit._bill import CopyReason, Count
from zbuf.audit._meter import Account, enter, leave
from zbuf.errors import BoundsError, CapacityError, FileTruncatedError, ReferenceCountError
from zbuf.region import FileRegion


def read(region: FileRegion, length: int | None = None) -> bytes:
    with zbuf.buffer() as buf:
        region.read_into(buf, length)
        return bytes(buf)


# Construction.


def test_region_of_a_path_covers_the_whole_file_by_default(path: Path) -> None:
    """count None means: to the end of the file as it is found when opened."""
    with FileRegion(path) as region:
        assert (0, 4096, 0, 4096) == (region.offset, region.count, region.transferred, region.remaining)
        assert read(region) == DATA


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        (0, 0, b""),
        (0, 4096, DATA),
        (10, 20, DATA[10:30]),
        (4000, None, DATA[4000:]),
        (4096, None, b""),
        (9999, None, b""),
    ],
)
def test_b178_region_of_a_range_has_exactly_those_bytes(
    path: Path, offset: int, count: int | None, expected: bytes
) -> None:
    """Offset, count, count None and count 0 name exactly those bytes; an offset past the end names none."""
    with FileRegion(path, offset, count) as region:
        assert (region.count, read(region)) == (len(expected), expected)


@pytest.mark.parametrize(("offset", "count"), [(-1, None), (-1, 5), (0, -1), (2**63 - 1, 1), (1, 2**63 - 1)])
def test_b180_region_with_negative_or_endless_numbers_raises_at_construction(
    path: Path, offset: int, count: int | None
) -> None:
    """Negative numbers and an end beyond off_t are the caller's mistake, said at once."""
    with pytest.raises(ValueError):
        FileRegion(path, offset, count)


def test_region_numbers_are_integers_of_64_bits(path: Path) -> None:
    """Whatever has __index__ is taken; floats and strings are TypeError, more than 64 bits OverflowError."""
    assert FileRegion(path, True, True).count == 1
    for wrong in (1.0, "1"):
        with pytest.raises(TypeError):
            FileRegion(path, wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            FileRegion(path, 0, wrong)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        FileRegion(path, 2**70)


def test_region_of_a_huge_count_is_taken_and_found_short_when_read(path: Path) -> None:
    """A count of 2**63 - 1 allocates nothing by claim and ends as a truncated file."""
    region = FileRegion(path, 0, 2**63 - 1)
    assert region.remaining == 2**63 - 1
    with zbuf.buffer() as buf, pytest.raises(CapacityError):
        region.read_into(buf)
    assert read(region, 4096) == DATA
    with zbuf.buffer() as buf, pytest.raises(FileTruncatedError):
        region.read_into(buf, 1)
    region.release()


@pytest.mark.parametrize("wrong", [None, 1.5, object()])
def test_region_of_something_that_is_no_file_raises(wrong: object) -> None:
    """A file is a path, a descriptor or an object with fileno()."""
    with pytest.raises(TypeError):
        FileRegion(wrong)  # type: ignore[arg-type]


def test_region_of_a_negative_descriptor_or_a_path_with_nul_raises() -> None:
    """Both are the caller's mistake; the system is not asked."""
    for wrong in (-1, "a\0b", b"a\0b"):
        with pytest.raises(ValueError):
            FileRegion(wrong)
    with pytest.raises(ValueError):
        FileRegion("a path", close=False)


# Opening.


def test_b181_path_is_opened_at_first_need_and_closed_with_the_last_share(path: Path) -> None:
    """Nothing is opened by construction; the region and its slices share one descriptor, the last one closes it."""
    region = FileRegion(str(path), 0, 100)
    assert not region.is_open
    number = region.fileno()
    assert region.is_open
    part = region.slice(10, 20)
    assert part.fileno() == number
    region.release()
    assert is_open(number)
    assert read(part) == DATA[10:30]
    part.release()
    assert not is_open(number)


def test_region_of_a_path_is_opened_close_on_exec_and_non_blocking(path: Path) -> None:
    """A child does not inherit the descriptor."""
    with FileRegion(path) as region:
        assert not os.get_inheritable(region.fileno())
        assert not os.get_blocking(region.fileno())


def test_b181_borrowed_descriptor_stays_open(fd: int, path: Path) -> None:
    """Descriptors and file objects are the caller's unless close=True says otherwise."""
    region = FileRegion(fd)
    assert read(region) == DATA
    region.release()
    assert is_open(fd)
    with path.open("rb") as file:
        with FileRegion(file, 1, 2) as region:
            assert read(region) == DATA[1:3]
        assert not file.closed


def test_descriptor_given_with_close_is_closed_once_with_the_last_share(path: Path) -> None:
    """close=True hands the descriptor over; the same for a file object."""
    number = os.open(path, os.O_RDONLY)
    region = FileRegion(number, close=True)
    part = region.slice(0, 1)
    region.release()
    assert is_open(number)
    part.release()
    assert not is_open(number)
    file = path.open("rb")
    FileRegion(file, close=True).release()
    assert file.closed


def test_region_that_is_dropped_closes_its_descriptor_without_a_warning(path: Path) -> None:
    """A region nobody released is not a leak: its descriptor goes with the last reference."""
    region = FileRegion(path)
    number = region.fileno()
    del region
    gc.collect()
    assert not is_open(number)


def test_region_shared_by_many_opens_one_descriptor(path: Path) -> None:
    """A thousand slices, one descriptor, whose position is untouched."""
    whole = FileRegion(path)
    parts = [whole.slice(i, 4) for i in range(1000)]
    assert {part.fileno() for part in parts} == {whole.fileno()}
    assert read(parts[500]) == DATA[500:504]
    assert os.lseek(whole.fileno(), 0, os.SEEK_CUR) == 0
    for part in parts:
        part.release()
    whole.release()


def test_slices_in_several_threads_open_the_file_once(path: Path) -> None:
    """Opening is guarded: threads that meet at the first need get the same descriptor."""
    for _ in range(20):
        whole = FileRegion(path, 0, 4096)
        parts = [whole.slice(0, 16) for _ in range(4)]
        barrier = threading.Barrier(4)
        numbers: list[int] = []

        def use(part: FileRegion, barrier: threading.Barrier = barrier, numbers: list[int] = numbers) -> None:
            barrier.wait()
            numbers.append(part.fileno())

        threads = [threading.Thread(target=use, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(numbers)) == 1
        for part in [*parts, whole]:
            part.release()


def test_b180_missing_path_raises_at_first_need(tmp_path: Path) -> None:
    """Construction asks the system nothing; the error names the path and the region stays usable."""
    region = FileRegion(tmp_path / "missing")
    for _ in range(2):
        with pytest.raises(FileNotFoundError) as caught:
            region.fileno()
        assert caught.value.filename == str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        _ = region.count
    (tmp_path / "missing").write_bytes(b"now")
    assert region.count == 3
    region.release()


def test_b180_directory_raises_at_first_need(tmp_path: Path) -> None:
    """A directory is opened, looked at and closed again."""
    region = FileRegion(tmp_path)
    with pytest.raises(IsADirectoryError):
        region.fileno()
    number = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(IsADirectoryError):
        FileRegion(number, close=True).fileno()
    gc.collect()
    assert not is_open(number)
    region.release()


def test_b180_write_only_descriptor_raises_at_first_need(path: Path) -> None:
    """sendfile would say EBADF after the head was sent; the region says it before."""
    number = os.open(path, os.O_WRONLY)
    region = FileRegion(number, 0, 10)
    with pytest.raises(OSError, match="not open for reading"):
        region.fileno()
    region.release()
    os.close(number)


def test_fifo_is_refused_and_opening_it_does_not_hang(tmp_path: Path) -> None:
    """Opening a FIFO without a writer would wait for ever; in a child, so that a hang is seen as a timeout."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = (
        "import sys; from zbuf.region import FileRegion\n"
        "try: FileRegion(sys.argv[1]).fileno()\n"
        "except OSError as exc: print(exc.strerror)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(fifo)], capture_output=True, text=True, timeout=20, check=True
    )
    assert "not a regular file\n" == found.stdout


def test_pipe_and_device_are_refused_before_a_byte_moves() -> None:
    """Only regular files can be sent."""
    r, w = os.pipe()
    for file in (r, "/dev/zero"):
        region = FileRegion(file, 0, 10)
        with pytest.raises(OSError, match="not a regular file"):
            region.fileno()
        region.release()
    os.close(r)
    os.close(w)


def test_borrowed_descriptor_that_names_another_file_now_is_refused(path: Path, tmp_path: Path) -> None:
    """Its owner closed it and the number came back: never another file's bytes."""
    other = tmp_path / "secret"
    other.write_bytes(b"secret" * 1000)
    number = os.open(path, os.O_RDONLY)
    early, late = FileRegion(number, 0, 10), FileRegion(number, 0, 10)
    assert read(early, 1) == DATA[:1]
    replacement = os.open(other, os.O_RDONLY)
    os.dup2(replacement, number)
    for region in (early, late):
        with pytest.raises(OSError, match="names another file now"):
            read(region)
        region.release()
    os.close(number)
    os.close(replacement)


def test_borrowed_descriptor_that_its_owner_closed_is_refused(path: Path) -> None:
    """A descriptor, and a file object, that are closed while a region names them."""
    number = os.open(path, os.O_RDONLY)
    file = path.open("rb")
    regions = FileRegion(number), FileRegion(file)
    os.close(number)
    file.close()
    for region in regions:
        with pytest.raises(OSError, match=r"Bad file descriptor|closed"):
            region.fileno()
        region.release()


def test_b179_region_counts_the_file_it_opened_not_the_one_of_that_name_now(path: Path, tmp_path: Path) -> None:
    """A file replaced by rename, or grown, after it was opened: the promised bytes of the opened file."""
    region = FileRegion(path)
    assert region.count == 4096
    (tmp_path / "new").write_bytes(b"new")
    os.replace(tmp_path / "new", path)
    assert read(region) == DATA
    region.release()


def test_adopted_descriptor_is_checked_by_its_giver(path: Path) -> None:
    """adopt() asks the system nothing, owns the descriptor, and refuses ranges outside the size it was told."""
    number = os.open(path, os.O_RDONLY)
    region = FileRegion.adopt(number, 4096, 10, 20)
    assert region.is_open
    assert (10, 20, number) == (region.offset, region.count, region.fileno())
    assert read(region) == DATA[10:30]
    region.release()
    assert not is_open(number)
    for offset, count in [(-1, 1), (0, 4097), (4097, None), (0, -1)]:
        with pytest.raises(ValueError):
            FileRegion.adopt(0, 4096, offset, count)


# Life.


def test_region_counts_like_a_buffer(path: Path) -> None:
    """retain and release keep the handle's own count; below zero and on the dead: ReferenceCountError."""
    region = FileRegion(path)
    assert region.retain(2) is region
    assert region.refcnt == 3
    assert not region.release(2)
    with pytest.raises(ReferenceCountError) as caught:
        region.release(2)
    assert (1, -2) == (caught.value.refcnt, caught.value.change)
    for wrong in (0, -1):
        with pytest.raises(ValueError):
            region.retain(wrong)
        with pytest.raises(ValueError):
            region.release(wrong)
    with pytest.raises(ReferenceCountError):
        region.retain(2**31 - 1)
    assert region.release()
    region._check()
    for use in (region.retain, region.release, region.move, region.fileno, region.truncated):
        with pytest.raises(ReferenceCountError):
            use()
    for name in ("offset", "count", "known_count", "transferred", "remaining", "is_open"):
        with pytest.raises(ReferenceCountError):
            getattr(region, name)
    with pytest.raises(ReferenceCountError):
        region.slice(0, 0)
    with pytest.raises(ReferenceCountError), region:
        pass
    assert (region.refcnt, repr(region)) == (0, "FileRegion(freed)")


def test_with_gives_up_one_count_if_it_is_still_there(path: Path) -> None:
    """As buffers: nothing happens to a region that was released or moved inside the block."""
    with FileRegion(path) as region:
        pass
    assert region.refcnt == 0
    with FileRegion(path) as region:
        moved = region.move()
    assert (region.refcnt, moved.refcnt) == (0, 1)
    moved.release()


def test_move_takes_one_count_and_keeps_what_was_transferred(path: Path) -> None:
    """The moved handle is dead unless it was retained; the new one goes on where it stood."""
    region = FileRegion(path, 0, 100)
    region.advance(30)
    region.retain()
    moved = region.move()
    assert (1, 30, 70) == (region.refcnt, moved.transferred, moved.remaining)
    moved.advance(70)
    assert region.transferred == 30
    again = region.move()
    assert region.refcnt == 0
    moved.release()
    again.release()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_region_cannot_be_pickled_or_copied(path: Path, protocol: int) -> None:
    """It stands for an open file."""
    region = FileRegion(path)
    with pytest.raises(TypeError):
        pickle.dumps(region, protocol)
    with pytest.raises(TypeError):
        copy.copy(region)
    region.release()


def test_repr_sums_the_region_up(path: Path, fd: int) -> None:
    """What it names, from where, how many, how far; never content."""
    region = FileRegion(path, 5)
    assert repr(region) == f"FileRegion({str(path)!r}, offset: 5, count: to end)"
    region.retain()
    read(region, 3)
    assert repr(region) == f"FileRegion({str(path)!r}, offset: 5, count: 4091, transferred: 3, refcnt: 2)"
    region.release(2)
    assert repr(FileRegion(fd, 0, 1)) == f"FileRegion({fd}, offset: 0, count: 1)"
    with path.open("rb") as file:
        assert repr(FileRegion(file, 0, 1)) == f"FileRegion({str(path)!r}, offset: 0, count: 1)"


# Slices and reading.


def test_b182_slice_is_relative_to_the_region(path: Path) -> None:
    """slice(o, n) counts from the region's first byte, whatever was transferred; slices of slices too."""
    region = FileRegion(path, 100, 200)
    region.advance(50)
    part = region.slice(10, 20)
    assert (110, 20, 0) == (part.offset, part.count, part.transferred)
    assert read(part.slice(5, 5)) == DATA[115:120]
    assert read(region.slice(200, 0)) == b""
    part.release()
    region.release()


@pytest.mark.parametrize(("offset", "count"), [(-1, 1), (201, 0), (0, 201), (200, 1), (1, 2**63 - 1)])
def test_b182_slice_outside_the_region_raises(path: Path, offset: int, count: int) -> None:
    """BoundsError with the numbers, nothing changes."""
    with FileRegion(path, 100, 200) as region:
        with pytest.raises(BoundsError):
            region.slice(offset, count)
        with pytest.raises(ValueError):
            region.slice(0, -1)


def test_b182_read_into_copies_the_range_and_leaves_the_file_cursor(path: Path) -> None:
    """Bytes go behind the writer index, `transferred` moves, the cursor of a shared descriptor does not, FILE_READ."""
    account = Account()
    with path.open("rb", buffering=0) as file, FileRegion(file, 1000, 100) as region, zbuf.buffer(8) as buf:
        file.seek(7)
        buf.write_bytes(b"head")
        previous = enter(account)
        try:
            assert region.read_into(buf, 60) == 60
            assert region.read_into(buf) == 40
            assert region.read_into(buf) == 0
        finally:
            leave(previous)
        assert bytes(buf) == b"head" + DATA[1000:1100]
        assert (7, 100, 0) == (file.tell(), region.transferred, region.remaining)
    assert account.snapshot().user[CopyReason.FILE_READ] == Count(2, 100)


def test_b182_read_into_a_short_file_raises_and_moves_nothing(path: Path) -> None:
    """FileTruncatedError says how much of the region there is; indices, `transferred` and count stay."""
    with FileRegion(path, 4000, 200) as region, zbuf.buffer(0) as buf:
        region.read_into(buf, 50)
        with pytest.raises(FileTruncatedError) as caught:
            region.read_into(buf)
        error = caught.value
        assert (4000, 200, 96) == (error.offset, error.count, error.transferred)
        assert isinstance(error, OSError)
        assert (50, 50) == (region.transferred, buf.readable_bytes)
        region._check()


def test_read_into_with_wrong_arguments_changes_nothing(path: Path) -> None:
    """Beyond the region BoundsError, negative ValueError, no room CapacityError, a dead buffer ReferenceCountError."""
    with FileRegion(path, 0, 100) as region, zbuf.buffer(4, 4) as buf:
        with pytest.raises(BoundsError) as caught:
            region.read_into(buf, 101)
        assert (101, 100) == (caught.value.requested, caught.value.available)
        with pytest.raises(ValueError):
            region.read_into(buf, -1)
        with pytest.raises(CapacityError):
            region.read_into(buf, 5)
        with pytest.raises(TypeError):
            region.read_into(buf, "5")  # type: ignore[arg-type]
        assert (0, 0) == (region.transferred, buf.readable_bytes)
        dead = zbuf.buffer()
        dead.release()
        for length in (0, 1):
            with pytest.raises(ReferenceCountError):
                region.read_into(dead, length)


def test_read_into_fills_the_components_of_a_composite(path: Path) -> None:
    """Several writable pieces, more than one preadv takes, are filled in order."""
    composite = zbuf.composite()
    for _ in range(1500):
        part = zbuf.buffer(2, 2)
        part.write_zero(2)
        composite.append(part)
    composite.writer_index = 0
    with FileRegion(path, 0, 3000) as region:
        assert region.read_into(composite) == 3000
    assert bytes(composite) == DATA[:3000]
    composite.release()


def test_buffer_can_grow_in_place_after_read_into(path: Path) -> None:
    """The views that were read into are let go: a live export would make the next growth copy."""
    with FileRegion(path) as region, zbuf.buffer(10, 100) as buf:
        region.read_into(buf, 10)
        assert not buf.is_shared


def test_advance_beyond_the_end_raises(path: Path) -> None:
    """More than remains is our own mistake and moves nothing."""
    with FileRegion(path, 0, 10) as region:
        region.advance(4)
        for wrong in (7, -1):
            with pytest.raises(ValueError):
                region.advance(wrong)
        assert region.remaining == 6
        error = region.truncated()
        assert (0, 10, 4) == (error.offset, error.count, error.transferred)
