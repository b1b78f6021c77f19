"""The two calls that CPython has no name for, and the constants of another.

Owns    vmsplice, tee, and how an errno of libc becomes an OSError.
Never   a use of them.
Always  where libc lacks a call, calling it raises OSError(ENOSYS): to the caller it is a kernel that does not know it.
"""

from __future__ import annotations

import ctypes
import errno
import os

__all__ = ["MSG_ZEROCOPY", "SO_ZEROCOPY", "tee", "vmsplice"]

SO_ZEROCOPY = 60  # asm-generic/socket.h; CPython has no name for it up to 3.13
MSG_ZEROCOPY = 0x4000000  # linux/socket.h

_libc = ctypes.CDLL(None, use_errno=True)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def vmsplice(pipe: int, address: int, nbytes: int, flags: int = 0) -> int:
    """Give memory to a pipe and return how many bytes it took; the memory must stay until they are read. OSError."""
    piece = _Iovec(address, nbytes)
    return _call("vmsplice", ctypes.c_int(pipe), ctypes.byref(piece), ctypes.c_size_t(1), ctypes.c_uint(flags))


def tee(source: int, target: int, nbytes: int, flags: int = 0) -> int:
    """Duplicate what is in one pipe into another and return how many bytes. OSError."""
    return _call("tee", ctypes.c_int(source), ctypes.c_int(target), ctypes.c_size_t(nbytes), ctypes.c_uint(flags))


def _call(name: str, *arguments: object) -> int:
    function = getattr(_libc, name, None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    function.restype = ctypes.c_ssize_t
    result = int(function(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
