"""One open file, or one to be opened, shared by a region and its slices.

Owns    the descriptor: whether it is ours to close, when it is opened, whether it still names the same file.
Never   a range of bytes, a socket.
Always  a descriptor of ours is closed exactly once, when the last region that holds this object lets go of it
        (CPython's reference count is the share count); a borrowed one is never closed. No method raises for what the
        system says: `open()` returns the error, so no traceback keeps a share alive.
"""

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable
from typing import Protocol

__all__ = ["Descriptor", "HasFileno"]

# A path is opened so that it cannot hang (a FIFO without writer), leak into a child, or become our terminal.
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
UNREADABLE = getattr(os, "O_PATH", 0)


class HasFileno(Protocol):
    """A file object, or anything else that stands for a descriptor."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def close(self) -> object:
        """Close it."""


class Descriptor:
    """The file behind a region and its slices.

    Ownership: a path is opened here and closed here; a descriptor or file object is borrowed unless `close` is true.
    """

    __slots__ = ("_checked", "_fd", "_file", "_identity", "_lock", "_owned", "_path", "size")

    def __init__(
        self, file: "int | str | bytes | os.PathLike[str] | os.PathLike[bytes] | HasFileno", close: bool | None
    ):
        self._owned = False  # first: the finaliser also runs when what follows raises
        self._fd = -1
        self._file: HasFileno | None = None
        self._path: str | bytes | None = None
        self._checked = False
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()  # slices may be used by several threads, the file is opened once
        self.size = 0
        if isinstance(file, int):
            if file < 0:
                raise ValueError(f"a descriptor is not negative: {int(file)}")
            self._fd = int(file)
            self._owned = bool(close)
        elif isinstance(file, str | bytes | os.PathLike):
            self._path = _checked_path(os.fspath(file), close)
            self._owned = True
        elif hasattr(file, "fileno"):
            self._file = file
            self._owned = bool(close)
        else:
            raise TypeError(f"a file is a path, a descriptor or a file object, not {type(file).__name__}")
        if not self._owned:
            self._remember()

    @classmethod
    def adopt(cls, fd: int, size: int) -> "Descriptor":
        """Return one over a descriptor that is known to be readable and of a regular file of `size` bytes.

        Ownership: transfers the descriptor. Cost: no system call."""
        self = cls(fd, True)
        self._checked = True
        self.size = size
        return self

    def _remember(self) -> None:
        """Note which file a borrowed descriptor names: its number may come to name another one."""
        try:
            found = os.fstat(self._current())
        except (OSError, ValueError):
            return  # said by open(), at first need
        self._identity = (found.st_dev, found.st_ino)

    def _current(self) -> int:
        return self._fd if self._file is None else self._file.fileno()

    @property
    def is_open(self) -> bool:
        """Whether the file was opened and looked at."""
        return self._checked

    def fileno(self) -> int:
        """Return the descriptor as it was at the last `open()`; -1 before."""
        return self._fd

    def open(self) -> OSError | None:
        """Open the file where that is still to be done and look at it: a regular file, readable, the same as before.

        Returns: None when `fileno()` may be used, else what is wrong. Cost: nothing for an open file of ours; one
        fstat for a borrowed one."""
        if self._checked and self._owned:
            return None
        with self._lock:
            try:
                return None if self._checked and self._owned else self._look()
            except OSError as exc:
                return exc.with_traceback(None)
            except ValueError:  # what a closed file object says
                return OSError(errno.EBADF, "the file object is closed")

    def _look(self) -> OSError | None:
        """Open and look, or look again at a descriptor whose owner may have closed it."""
        if self._path is not None:
            self._fd = os.open(self._path, OPEN_FLAGS)
        else:
            self._fd = self._current()
        found = os.fstat(self._fd)
        error = self._refusal(self._fd, found)
        if error is None:
            self.size = self.size if self._checked else found.st_size
            self._identity = (found.st_dev, found.st_ino)
            self._checked = True
        elif self._path is not None:
            os.close(self._fd)
            self._fd = -1
        return error

    def _refusal(self, fd: int, found: os.stat_result) -> OSError | None:
        """Return why the file cannot be sent, or None."""
        if self._identity not in (None, (found.st_dev, found.st_ino)):
            return OSError(errno.EBADF, "the descriptor was closed by its owner and names another file now")
        if self._checked:
            return None
        if stat.S_ISDIR(found.st_mode):
            return self._error(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            return self._error(errno.EINVAL, "not a regular file")
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        if flags & os.O_ACCMODE == os.O_WRONLY or flags & UNREADABLE:
            return self._error(errno.EBADF, "the descriptor is not open for reading")
        return None

    def _error(self, number: int, text: str) -> OSError:
        return OSError(number, text) if self._path is None else OSError(number, text, self._path)

    def __repr__(self) -> str:
        if self._path is not None:
            return repr(self._path)
        return repr(self._fd) if self._file is None else repr(getattr(self._file, "name", self._fd))

    def __del__(self, _close: Callable[[int], None] = os.close) -> None:
        if not self._owned:
            return
        self._owned = False
        try:
            if self._file is not None:
                self._file.close()
            elif self._fd >= 0:
                _close(self._fd)
        except Exception:  # noqa: S110  # a finaliser has nobody to tell, and the descriptor is gone in any case
            pass


def _checked_path(path: str | bytes, close: bool | None) -> str | bytes:
    if close is False:
        raise ValueError("a file that is opened by its path is closed by the region: close=False cannot be")
    if (b"\0" if isinstance(path, bytes) else "\0") in path:  # type: ignore[operator]  # of the type of `path`
        raise ValueError("a path has no NUL")
    return path
