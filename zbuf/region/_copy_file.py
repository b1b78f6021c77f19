"""File to file without a detour through the process: what Java's transferTo does between two files.

Owns    the order of the ways (copy_file_range, sendfile, splice, read and write), and when the next one is tried.
Never   a half-written file under a name that was asked for: a path gets its file when all of it is there.
Always  a way that refuses before or between its calls hands on exactly where it stopped; positions of descriptors stay.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from zbuf.audit import CopyReason
from zbuf.audit._meter import charge, charge_call
from zbuf.region._descriptor import HasFileno

__all__ = ["copy_file"]

File = int | str | os.PathLike[str] | HasFileno
ONE_CALL = 1 << 30  # Linux moves at most 0x7ffff000 bytes per call
BLOCK = 256 * 1024  # of the last way; ours
PIPE = 1 << 20  # /proc/sys/fs/pipe-max-size: splice needs it to keep up with sendfile
REFUSALS = {  # the way cannot do it with these two files; anything else is an error of theirs
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EOVERFLOW,
    errno.EBADF,  # a target opened with O_APPEND
    errno.EXFULL,
}
Way = Callable[[int, int, int, int, int], int]  # source, target, where in each, how many: how many were moved


def copy_file(
    source: File, target: File, length: int | None = None, *, source_offset: int = 0, target_offset: int = 0
) -> int:
    """Copy `length` bytes, by default all that follow, from one file to another, and return how many were copied.

    `source`, `target`: a path, a descriptor or a file object. A path as target gets a new file, complete or not at
    all, with the mode of the source; a descriptor is written to at `target_offset`, or at its end where it was opened
    with O_APPEND. Offsets are in bytes; positions of descriptors stay as they are.
    Returns: fewer bytes than `length` where the source ends first. Ownership: borrows both.
    Cost: by `copy_file_range`, which may share the blocks on disk; else `sendfile`, `splice`; only where the kernel
    refuses all three one copy in user space, billed as FALLBACK_READ.
    Raises: ValueError for a negative number, or `target_offset` with a path; OSError."""
    for name, value in (("length", length or 0), ("source_offset", source_offset), ("target_offset", target_offset)):
        if value < 0:
            raise ValueError(f"{name} must not be negative: {value}")
    with ExitStack() as stack:
        if isinstance(source, str | os.PathLike):
            reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, reading)
        else:
            reading = source if isinstance(source, int) else source.fileno()
        if isinstance(target, str | os.PathLike):
            if target_offset:
                raise ValueError("a path gets a new file: target_offset is for descriptors")
            return _to_path(reading, os.fspath(target), length, source_offset)
        writing = target if isinstance(target, int) else target.fileno()
        return _copy(reading, writing, length, source_offset, target_offset)


def _to_path(source: int, target: str, length: int | None, at: int) -> int:
    """Copy to a file beside the target, and give it the name when all is there."""
    place, name = os.path.split(os.path.abspath(target))
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    writing, part = tempfile.mkstemp(prefix=f".{name}.", dir=place)
    try:
        try:
            copied = _copy(source, writing, length, at, 0)
            os.fchmod(writing, stat.S_IMODE(os.fstat(source).st_mode) or 0o600)
        finally:
            os.close(writing)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return copied


def _copy(source: int, target: int, length: int | None, start: int, to: int) -> int:
    ways: list[tuple[str, Way]] = [("copy_file_range", _by_range), ("sendfile", _by_sendfile), ("splice", _by_splice)]
    done = 0
    while length is None or done < length:
        want = ONE_CALL if length is None else min(ONE_CALL, length - done)
        if ways:
            name, way = ways[0]
            try:
                n = way(source, target, start + done, to + done, want)
            except (OSError, AttributeError) as exc:  # AttributeError: this system has no such call
                if isinstance(exc, OSError) and exc.errno not in REFUSALS:
                    raise
                ways.pop(0)
                continue
            if n == 0 and done == 0:  # some file systems say so of files that only reading makes
                ways.clear()
                continue
            if n:
                charge_call(name, n)
        else:
            n = _by_reading(source, target, start + done, to + done, min(want, BLOCK))
        if n == 0:
            break
        done += n
    return done


def _by_range(source: int, target: int, at: int, to: int, n: int) -> int:
    return os.copy_file_range(source, target, n, at, to)


def _by_sendfile(source: int, target: int, at: int, to: int, n: int) -> int:
    """Sendfile writes where the target's position is: move it there, and back."""
    before = os.lseek(target, 0, os.SEEK_CUR)
    os.lseek(target, to, os.SEEK_SET)
    try:
        return os.sendfile(target, source, at, n)
    finally:
        os.lseek(target, before, os.SEEK_SET)


def _by_splice(source: int, target: int, at: int, to: int, n: int) -> int:
    reading, writing = os.pipe()
    try:
        with suppress(OSError, ImportError):
            import fcntl

            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
        got = os.splice(source, writing, min(n, PIPE), offset_src=at)
        done = 0
        while done < got:
            done += os.splice(reading, target, got - done, offset_dst=to + done)
        return done
    finally:
        os.close(reading)
        os.close(writing)


def _by_reading(source: int, target: int, at: int, to: int, n: int) -> int:
    block = os.pread(source, n, at)
    charge(CopyReason.FALLBACK_READ, len(block))
    left = memoryview(block)
    while left:
        written = os.pwrite(target, left, to + len(block) - len(left))
        left = left[written:]
    return len(block)
