"""Safe opening: below a root, and nothing outside it.

Owns    the resolution of a path that a peer chose, and the refusal of whatever is not a file or a directory.
Never   what the path means (percent signs, an index page): it takes the path as it is to be looked up.
Always  what is returned lies below the root, however the tree is changed meanwhile; and whatever is refused looks the
        same from outside: FileNotFoundError, so that an answer tells nothing about what lies elsewhere.

On Linux the kernel resolves (`openat2` with RESOLVE_BENEATH): a symbolic link is followed as long as it stays below the
root. Where it cannot, the path is walked one component at a time without following any link: links are refused then.
"""

import ctypes
import errno
import os
import stat
import sys

__all__ = ["open_beneath"]

FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

SYS_OPENAT2 = 437  # the same on every architecture that has Linux 5.6
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_BENEATH = 0x08
TRIES = 16  # arbitrary: openat2 says EAGAIN when a rename meets the `..` of a link

# Not there, or not to be seen: one answer for all of them.
HIDDEN = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.ENAMETOOLONG, errno.ENXIO, errno.ENODEV, errno.EAGAIN)
    + ((errno.EILSEQ,) if hasattr(errno, "EILSEQ") else ())
)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root_fd: int, relative: str, *, directories: bool = True) -> int:
    """Open `relative` below the directory `root_fd` for reading and return the descriptor.

    A regular file, or, unless `directories` is False, a directory. `relative` has no `..` and does not start with a
    slash; empty or "." is the root itself. It never blocks, and the descriptor is not inherited by children.
    Ownership: the caller closes the descriptor.
    Raises: FileNotFoundError for whatever is not there, leads out, or is of another kind; PermissionError; any other
    OSError of the system (too many open files ...).
    """
    return open_with_status(root_fd, relative, directories=directories)[0]


def open_with_status(root_fd: int, relative: str, *, directories: bool = True) -> tuple[int, os.stat_result]:
    """As `open_beneath`, and return what fstat says of the descriptor, too: it had to be asked anyway."""
    parts = _parts(relative)
    try:
        fd = _resolve(root_fd, parts, relative.endswith("/"))
    except OSError as exc:
        if exc.errno in HIDDEN:
            raise _not_found() from None
        raise
    try:
        status = os.fstat(fd)
        if stat.S_ISREG(status.st_mode) or (directories and stat.S_ISDIR(status.st_mode)):
            return fd, status
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    raise _not_found()


def _parts(relative: str) -> list[bytes]:
    """Return the components, encoded; refuse what could mean another place."""
    if relative.startswith("/") or "\0" in relative:
        raise _not_found()
    try:
        names = os.fsencode(relative).split(b"/")
    except UnicodeEncodeError:
        raise _not_found() from None
    if b".." in names:
        raise _not_found()
    return [name for name in names if name not in (b"", b".")]


def _resolve(root_fd: int, parts: list[bytes], wants_directory: bool) -> int:
    if len(parts) == 1 and not wants_directory:
        # One name in the root itself cannot lead out unless it is a link; the ordinary call costs a third less.
        try:
            return os.open(parts[0], FLAGS | os.O_NOFOLLOW, dir_fd=root_fd)
        except OSError as exc:
            if exc.errno != errno.ELOOP:
                raise
    if _openat2_works(root_fd):
        path = b"/".join(parts) or b"."
        return _openat2(root_fd, path + b"/" if wants_directory else path)
    return _walk(root_fd, parts, wants_directory)


# The kernel's way.

_syscall = None
_works: bool | None = None


def _openat2_works(root_fd: int) -> bool:
    """Return whether this kernel, and what filters its calls, has openat2; asked once."""
    global _syscall, _works
    if _works is None:
        _works = False
        if sys.platform == "linux":
            _syscall = ctypes.CDLL(None, use_errno=True).syscall
            _syscall.restype = ctypes.c_long
            try:
                os.close(_openat2(root_fd, b"."))
                _works = True
            except OSError as exc:
                if exc.errno not in (errno.ENOSYS, errno.EPERM):
                    _works = None  # this root is the trouble, not the call
                    raise
    return _works


def _openat2(root_fd: int, path: bytes) -> int:
    assert _syscall is not None
    how = _OpenHow(FLAGS, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
    size = ctypes.c_size_t(ctypes.sizeof(how))
    number = errno.EAGAIN
    for _ in range(TRIES):
        fd: int = _syscall(
            ctypes.c_long(SYS_OPENAT2), ctypes.c_long(root_fd), ctypes.c_char_p(path), ctypes.byref(how), size
        )
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number))


# The walk.


def _walk(root_fd: int, parts: list[bytes], wants_directory: bool) -> int:
    """Open one component after the other, each below the last, following no link."""
    flags = FLAGS | os.O_NOFOLLOW | (os.O_DIRECTORY if wants_directory else 0)
    at = root_fd
    try:
        for name in parts[:-1]:
            following = os.open(name, STEP, dir_fd=at)
            if at != root_fd:
                os.close(at)
            at = following
        return os.open(parts[-1] if parts else b".", flags, dir_fd=at)
    finally:
        if at != root_fd:
            os.close(at)


def _not_found() -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
