"""Mapped files: what is seen, who keeps the mapping, and a file that shrinks.

Owns    MappedFile and map_file.
Never   a load from pages that are gone: that would end the test run.
Always  contents are compared with what the file system says."""

from __future__ import annotations

import mmap
import os
import socket
from pathlib import Path

import pytest

from zbuf.errors import ReadOnlyError
from zbuf.region import MappedFile, map_file

PAGE = mmap.ALLOCATIONGRANULARITY
CONTENT = bytes(range(256)) * (3 * PAGE // 256) + b"tail"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three pages and four bytes."""
    found = tmp_path / "mapped"
    found.write_bytes(CONTENT)
    return found


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, None), (1, None), (PAGE, PAGE), (PAGE - 1, 2), (len(CONTENT), None), (3 * PAGE, 4), (5, 0)],
)
def test_map_any_offset_and_length_shows_these_bytes(path: Path, offset: int, length: int | None) -> None:
    """Offsets need no alignment; a part of no bytes is an empty buffer."""
    buf = map_file(path, offset, length)
    end = None if length is None else offset + length
    assert bytes(buf) == CONTENT[offset:end]
    assert buf.release()


def test_map_read_only_refuses_writes_and_sees_those_of_others(path: Path) -> None:
    """The mapping is the file."""
    buf = map_file(path)
    with pytest.raises(ReadOnlyError):
        buf.set_byte(0, 1)
    with path.open("r+b") as file:
        file.write(b"changed")
    assert buf.get_bytes(0, 7) == b"changed"
    buf.release()


def test_map_writable_writes_into_the_file(path: Path) -> None:
    """Changes are in the file, after a flush on the disk."""
    with MappedFile(path, 10, 20, mode="w") as mapped:
        buf = mapped.buffer()
        buf.set_bytes(0, b"written here")
        mapped.flush()
        assert path.read_bytes()[10:22] == b"written here"
        buf.release()
    buf = map_file(path, writable=True)
    buf.set_byte(0, 0x7F)
    buf.release()
    assert path.read_bytes()[0] == 0x7F


def test_map_copy_on_write_leaves_the_file_alone(path: Path) -> None:
    """Private pages: nobody else sees the change; advice to forget them is not passed on."""
    with MappedFile(path, mode="c") as mapped:
        buf = mapped.buffer()
        buf.set_bytes(0, b"mine")
        mapped.advise("not needed")
        assert buf.get_bytes(0, 4) == b"mine" and path.read_bytes() == CONTENT
        buf.release()


def mappings(path: Path) -> int:
    """How often this process has the file mapped."""
    return Path("/proc/self/maps").read_text().count(str(path))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="/proc is not there")
def test_map_is_unmapped_by_its_last_holder_at_once(path: Path) -> None:
    """Handle, slice, export: whoever goes last."""
    buf = map_file(path)
    part, view = buf.slice(3, 5), buf.view(0, 2)
    assert mappings(path) == 1
    buf.release()
    part.release()
    assert mappings(path) == 1 and bytes(view) == CONTENT[:2]
    view.release()
    assert mappings(path) == 0
    mapped = MappedFile(path)
    buf = mapped.buffer()
    mapped.close()
    mapped.close()
    assert mapped.is_closed and bytes(buf) == CONTENT
    buf.release()
    assert mappings(path) == 0
    with pytest.raises(ValueError):
        mapped.buffer()


def test_map_sent_after_the_file_shrank_is_an_error_not_a_signal(path: Path) -> None:
    """The kernel answers EFAULT for pages that are gone: no load of ours touches them."""
    left, right = socket.socketpair()
    with left, right:
        buf = map_file(path)
        os.truncate(path, 0)
        with pytest.raises(OSError, match="Bad address"):
            left.send(buf.view())
        buf.release()


def test_map_warm_up_says_whether_the_pages_are_there(path: Path) -> None:
    """True for a whole file, False for one that shrank; the process lives."""
    with MappedFile(path) as mapped:
        warm = mapped.warm_up()
        os.truncate(path, 0)
        assert not mapped.warm_up()
    assert warm or os.uname().release < "5.14"


def test_map_region_names_the_same_bytes(path: Path) -> None:
    """For sendfile: offset and length of the part, a descriptor of its own."""
    with MappedFile(path, 7, 9) as mapped:
        region = mapped.region()
    assert (region.offset, region.count) == (7, 9)
    assert os.pread(region.fileno(), 9, 7) == CONTENT[7:16]
    region.release()


@pytest.mark.parametrize(
    "arguments", [{"offset": -1}, {"length": -1}, {"mode": "x"}, {"offset": len(CONTENT) + 1}, {"length": 1 << 40}]
)
def test_map_bad_arguments_are_refused(path: Path, arguments: dict[str, int]) -> None:
    """ValueError, and no descriptor is left open (the suite counts them)."""
    with pytest.raises(ValueError):
        MappedFile(path, **arguments)  # type: ignore[arg-type]  # the wrong ones, on purpose


def test_map_advice_and_errors(path: Path) -> None:
    """Every word is taken; another one is a ValueError; a missing file an OSError."""
    with MappedFile(path) as mapped:
        for how in ("normal", "random", "sequential", "will need", "not needed", "huge pages"):
            mapped.advise(how)
        with pytest.raises(ValueError):
            mapped.advise("quickly")
        assert len(mapped) == len(CONTENT) and "mode: 'r'" in repr(mapped)
    assert "closed" in repr(mapped)
    with pytest.raises(FileNotFoundError):
        map_file(path.with_name("missing"))
