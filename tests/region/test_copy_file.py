"""File to file: every way, forced, gives the same file; failures leave none.

Owns    copy_file.
Never   a way that only works on this file system: each is forced by refusing those before it.
Always  contents are compared whole, and positions of descriptors."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from zbuf.audit import CopyReason, process_account
from zbuf.region import copy_file

CONTENT = os.urandom(3_000_000)
WAYS = ("copy_file_range", "sendfile", "splice", "read")


def refuse_before(monkeypatch: pytest.MonkeyPatch, way: str, number: int = errno.EXDEV) -> None:
    """Let the kernel refuse every way before this one."""

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(number, os.strerror(number))

    for name in WAYS[: WAYS.index(way)]:
        monkeypatch.setattr(os, name, refuse)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    return path


@pytest.mark.parametrize("way", WAYS)
def test_copy_by_each_way_gives_the_same_file(monkeypatch: pytest.MonkeyPatch, source: Path, way: str) -> None:
    """Whole, and a part from an odd offset; the bill names the way, and only reading copies in user space."""
    refuse_before(monkeypatch, way)
    target = source.with_name("target")
    before = process_account().snapshot()
    assert copy_file(source, target) == len(CONTENT)
    bill = process_account().snapshot() - before
    assert target.read_bytes() == CONTENT and target.stat().st_mode & 0o777 == 0o640
    if way == "read":
        assert bill.user[CopyReason.FALLBACK_READ].nbytes == len(CONTENT)
    else:
        assert bill.kernel[way].nbytes == len(CONTENT) and not bill.user
    assert copy_file(source, target, 1_000_001, source_offset=777) == 1_000_001
    assert target.read_bytes() == CONTENT[777 : 777 + 1_000_001]


@pytest.mark.parametrize("way", WAYS)
def test_copy_between_descriptors_keeps_their_positions(
    monkeypatch: pytest.MonkeyPatch, source: Path, way: str
) -> None:
    """Bytes land at target_offset, the rest of the target stays, both positions are where they were."""
    refuse_before(monkeypatch, way)
    target = source.with_name("target")
    target.write_bytes(b"." * 20)
    with source.open("rb") as reading, target.open("r+b", buffering=0) as writing:
        reading.seek(5)
        writing.seek(7)
        assert copy_file(reading, writing, 4, source_offset=100, target_offset=10) == 4
        assert copy_file(reading.fileno(), writing.fileno(), 2, target_offset=0) == 2
        assert (os.lseek(reading.fileno(), 0, os.SEEK_CUR), writing.tell()) == (os.lseek(reading.fileno(), 0, 1), 7)
    assert target.read_bytes() == CONTENT[:2] + b"." * 8 + CONTENT[100:104] + b"." * 6


@pytest.mark.parametrize("way", WAYS)
def test_copy_stops_where_the_source_ends(monkeypatch: pytest.MonkeyPatch, source: Path, way: str) -> None:
    """Fewer bytes than asked for are returned; from beyond the end none."""
    refuse_before(monkeypatch, way)
    target = source.with_name("target")
    assert copy_file(source, target, 10**9) == len(CONTENT)
    assert copy_file(source, target, source_offset=len(CONTENT)) == 0
    assert target.read_bytes() == b""


def test_copy_to_a_descriptor_that_appends(source: Path) -> None:
    """O_APPEND is refused by every kernel way (EBADF, EINVAL): read and written, at the end."""
    target = source.with_name("log")
    target.write_bytes(b"first ")
    with target.open("ab") as writing:
        assert copy_file(source, writing, 10) == 10
    assert target.read_bytes() == b"first " + CONTENT[:10]


def test_copy_of_a_file_that_only_reading_makes(tmp_path: Path) -> None:
    """/proc files have no size; copy_file_range answers 0 for them on some kernels."""
    if not Path("/proc/self/mounts").exists():
        pytest.skip("/proc is not there")
    target = tmp_path / "mounts"
    assert copy_file("/proc/self/mounts", target) > 0
    assert target.read_bytes() == Path("/proc/self/mounts").read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_copy_that_fails_leaves_no_file(monkeypatch: pytest.MonkeyPatch, source: Path, way: str) -> None:
    """No space in the midst: the error comes, the old target stays, nothing else is left in the directory."""
    refuse_before(monkeypatch, way)
    target = source.with_name("target")
    target.write_bytes(b"old")
    name = "pwrite" if way == "read" else way
    real = getattr(os, name)
    calls = 0

    def fails(*arguments: Any, **options: Any) -> int:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(real(*arguments, **options))

    monkeypatch.setattr("zbuf.region._copy_file.ONE_CALL", 100_000)
    monkeypatch.setattr(os, name, fails)
    with pytest.raises(OSError, match="No space"):
        copy_file(source, target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in source.parent.iterdir()) == ["source", "target"]


def test_copy_to_a_full_device_is_an_error(source: Path) -> None:
    """/dev/full answers ENOSPC to what is written."""
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not there")
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match=r"No space|Illegal seek"):
        copy_file(source, full, 100)


def test_copy_bad_arguments(source: Path, tmp_path: Path) -> None:
    """Negative numbers, an offset for a path, a directory, a missing source."""
    target = tmp_path / "target"
    for arguments in ({"length": -1}, {"source_offset": -1}, {"target_offset": -1}, {"target_offset": 1}):
        with pytest.raises(ValueError):
            copy_file(source, target, **arguments)
    with pytest.raises(IsADirectoryError):
        copy_file(source, tmp_path)
    with pytest.raises(FileNotFoundError):
        copy_file(tmp_path / "missing", target)
    assert not target.exists()
