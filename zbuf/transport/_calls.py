"""System calls on one socket, with numbers for results: the bytes moved, or minus the errno.

Owns    the socket object, which is the only owner of its descriptor, and how a call is made in either form.
Never   what is sent or received, a loop, a retry for anything but EINTR.
Always  a socket that would block, a peer that is gone and a call that failed are numbers; an exception from here
        means that an argument was wrong. No call raises SIGPIPE.

The compiled form makes the calls itself where the socket is a real one. Everywhere else the methods of the socket
object are called, so that anything of a socket's shape will do (`zbuf.testing.ScriptedSocket`).
"""

import errno
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf import _form
from zbuf.errors import InternalError

if TYPE_CHECKING:
    from zbuf._types import Buffer
    from zbuf.memory._memory import Memory


def compiled_only(*_arguments: object) -> int:
    """Stand in for a C function that the interpreted form never calls."""
    raise InternalError("only the compiled form makes system calls itself")


__all__ = ["MSG_MORE", "WOULD_BLOCK", "Calls"]

_MSG_NOSIGNAL: int = getattr(socket, "MSG_NOSIGNAL", 0)
_SIGPIPE: int = getattr(signal, "SIGPIPE", 0)

if not cython.compiled:
    # The compiled form has these as C functions, from the .pxd; here the branches that call them are never taken.
    ZB_AGAIN = -errno.EAGAIN
    ZB_MORE: int = getattr(socket, "MSG_MORE", 0)
    ZB_HAS_SENDFILE = 0
    zb_recv = zb_send = zb_sendmsg = zb_sendfile = compiled_only

WOULD_BLOCK: int = ZB_AGAIN
MSG_MORE: int = ZB_MORE
_RAW = cython.compiled
_RAW_SENDFILE = bool(ZB_HAS_SENDFILE)


class Calls:
    """The system calls of one non-blocking socket.

    Ownership: transfers; the socket is closed through this object.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self._fd = sock.fileno() if _RAW and type(sock) is socket.socket else -1

    def recv(self, memory: "Memory", size: int) -> int:
        """Receive at most `size` bytes to the start of `memory`; 0 is the end of input. `size` is at least 1."""
        if cython.compiled and self._fd >= 0:
            return zb_recv(self._fd, memory.base, size)
        target = memory if _form.EXPORTS_BUFFERS else memory.base
        while True:
            try:
                return int(self.sock.recv_into(target, size))
            except InterruptedError:
                continue
            except OSError as exc:
                return _number(exc)

    def send(self, data: "Buffer", flags: int) -> int:
        """Send from one contiguous buffer."""
        if cython.compiled and self._fd >= 0:
            return zb_send(self._fd, data, flags)
        while True:
            try:
                return int(self.sock.send(data, flags | _MSG_NOSIGNAL))
            except InterruptedError:
                continue
            except OSError as exc:
                return _number(exc)

    def sendmsg(self, views: "list[Buffer]", flags: int) -> int:
        """Send from several buffers, at most 1024."""
        if cython.compiled and self._fd >= 0:
            return zb_sendmsg(self._fd, views, flags)
        while True:
            try:
                return int(self.sock.sendmsg(views, (), flags | _MSG_NOSIGNAL))
            except InterruptedError:
                continue
            except OSError as exc:
                return _number(exc)

    def sendfile(self, source: int, offset: int, count: int) -> int:
        """Send `count` bytes of the descriptor `source` from `offset` without reading them; 0 is the file's end."""
        if cython.compiled and self._fd >= 0 and _RAW_SENDFILE:
            return zb_sendfile(self._fd, source, offset, count)
        while True:
            try:
                return _sendfile(self.sock, source, offset, count)
            except InterruptedError:
                continue
            except OSError as exc:
                return _number(exc)

    @property
    def is_open(self) -> bool:
        """Whether the descriptor is still this object's to close."""
        return int(self.sock.fileno()) >= 0

    def push(self) -> None:
        """Send what was held back by MSG_MORE: setting TCP_NODELAY, even again, pushes."""
        try:
            nodelay = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not nodelay:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        except OSError:
            return  # not TCP, where nothing is held back; or gone, which the next call finds out

    def close(self) -> None:
        """Close the descriptor; again is a no-op."""
        self._fd = -1
        self.sock.close()

    def detach(self) -> None:
        """Let go of the descriptor without closing it: its number belongs to somebody else by now."""
        self._fd = -1
        self.sock.detach()


def _number(exc: OSError) -> int:
    number = exc.errno or errno.EIO
    return WOULD_BLOCK if number == errno.EWOULDBLOCK else -number


def _sendfile(sock: Any, source: int, offset: int, count: int) -> int:
    scripted = getattr(sock, "sendfile_from", None)
    if scripted is not None:
        return int(scripted(source, offset, count))
    if not hasattr(os, "sendfile"):
        raise OSError(errno.ENOSYS, "this system has no sendfile")
    if _SIGPIPE and signal.getsignal(_SIGPIPE) is signal.SIG_DFL:
        return _sendfile_without_signal(sock.fileno(), source, offset, count)
    return os.sendfile(sock.fileno(), source, offset, count)


def _sendfile_without_signal(target: int, source: int, offset: int, count: int) -> int:
    """Sendfile has no MSG_NOSIGNAL: where SIGPIPE would kill the process, hold it back for the length of the call."""
    was_pending = _SIGPIPE in signal.sigpending()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGPIPE})
    try:
        return os.sendfile(target, source, offset, count)
    except BrokenPipeError:
        if not was_pending and hasattr(signal, "sigtimedwait"):
            signal.sigtimedwait({_SIGPIPE}, 0)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
