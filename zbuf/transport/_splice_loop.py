"""The read loop of a transfer: out of the socket, into a file or another socket, without entering the process.

Owns    the order of one step (fill the pipe, tap it, drain it), the copying way where the kernel refuses splice.
Never   what the bytes mean, or a byte that the ordinary loop has received already.
Always  nothing is taken from the socket beyond the count, and nothing while the pipe still holds something; bytes leave
        in the order in which they came.
"""

import errno
import os
from collections.abc import Callable
from typing import Any

from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import Account, charge
from zbuf.region._libc import tee
from zbuf.transport._calls import WOULD_BLOCK, Calls
from zbuf.transport._pipe import Pipe
from zbuf.transport._read_loop import DRAINED, EMPTY, FAILED, HELD, MORE, ReadLoop

__all__ = ["FileTarget", "SocketTarget", "SpliceLoop"]

BLOCK = 64 * 1024  # of the copying way; beyond it a receive costs more cache than it saves calls
REFUSALS = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF)


class FileTarget:
    """A file, written from `offset` on, or where its position is; what is put in is gone at once."""

    def __init__(self, fd: int, offset: int | None) -> None:
        self._fd = fd
        self._at = offset

    def put(self, pipe: Pipe) -> None:
        """Take all that the pipe holds. Raises: OSError."""
        while pipe.held:
            try:
                n = pipe.drain(self._fd, self._at)
            except OSError as exc:
                if exc.errno not in REFUSALS:
                    raise
                data = pipe.read()  # opened with O_APPEND, for example
                charge(CopyReason.FALLBACK_READ, len(data))
                self.put_bytes(data)
                continue
            self._moved(n)

    def put_bytes(self, data: "bytes | memoryview") -> None:
        """Take bytes that had to be received. Raises: OSError."""
        left = memoryview(data)
        while left:
            n = os.write(self._fd, left) if self._at is None else os.pwrite(self._fd, left, self._at)
            self._moved(n)
            left = left[n:]

    def _moved(self, n: int) -> None:
        if self._at is not None:
            self._at += n

    is_blocked = False  # a file takes everything, or raises


class SocketTarget:
    """Another channel's socket; what it does not take yet waits, in the pipe or beside it."""

    def __init__(self, calls: Calls, account: Account, blocked: Callable[[], None]) -> None:
        self._calls = calls
        self._account = account
        self._blocked = blocked
        self._pipe: Pipe | None = None
        self.rest = memoryview(b"")

    @property
    def is_blocked(self) -> bool:
        """Whether something waits for room."""
        return bool(self.rest) or bool(self._pipe is not None and self._pipe.held)

    def put(self, pipe: Pipe) -> None:
        """Send what the pipe holds. Raises: OSError."""
        self._pipe = pipe
        self.push()

    def put_bytes(self, data: "bytes | memoryview") -> None:
        """Send bytes that had to be received. Raises: OSError."""
        kept = bytes(data)
        if kept is not data:
            charge(CopyReason.SNAPSHOT, len(kept))
        self.rest = memoryview(kept)
        self.push()

    def push(self) -> None:
        """Send what waits. Raises: OSError."""
        while self.rest:
            n = self._calls.send(self.rest, 0)
            if n == WOULD_BLOCK:
                break
            if n < 0:
                raise OSError(-n, os.strerror(-n))
            self._sent("send", n)
            self.rest = self.rest[n:]
        if not self.rest and self._pipe is not None and self._pipe.held:
            n = self._pipe.drain(self._calls.sock.fileno())
            if n:
                self._sent("splice", n)
        if self.is_blocked:
            self._blocked()

    def _sent(self, call: str, n: int) -> None:
        self._account.moved(call, n)
        self._account.sent(n)


class SpliceLoop(ReadLoop):
    """Stands in for the ordinary read loop until `count` bytes have passed, or the input ends.

    `tap`: a descriptor of a file that gets a copy of every byte, made by `tee`. `ended(exc)` is called once: with None
    at the count or at the end of the input, with the exception of the target or of the tap when that failed.
    """

    def __init__(
        self,
        channel: Any,
        target: "FileTarget | SocketTarget",
        count: int | None,
        tap: int | None,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        super().__init__(channel._calls, channel.allocator, channel._account, channel.pipeline, channel.options)
        self._sock: Calls = channel._calls
        self._bill: Account = channel._account
        self._lease = channel.allocator.lease
        self._target = target
        self._left = count
        self.moved = 0
        self.is_tap_at_fault = False
        self._tap = tap
        self._ended = ended
        self._at_once: int = channel.options.file_bytes_per_wakeup
        self._copies = False
        self._block = memoryview(b"")
        self._pipe = Pipe()
        self._tap_pipe: Pipe | None = None
        if tap is not None:
            try:
                self._tap_pipe = Pipe()
            except BaseException:
                self._pipe.close()
                raise

    def run(self) -> int:
        """Move bytes until the socket is empty, the target full, the count reached or the budget spent."""
        budget = self._at_once
        while budget > 0:
            if self.is_held or self._target.is_blocked:
                return HELD
            n = 0 if self._left == 0 else self._receive(budget if self._left is None else min(budget, self._left))
            if n == 0:  # an end of the input stays where it is: the ordinary loop finds it again
                self._ended(None)
                return DRAINED
            if n < 0:
                if n == WOULD_BLOCK:
                    return EMPTY
                self.error = -n
                return FAILED
            budget -= n
            try:
                self._hand_on()
            except OSError as exc:
                self._ended(exc)
                return DRAINED
            if self._left == 0 and not self._target.is_blocked:
                self._ended(None)
                return DRAINED
        return HELD if self._target.is_blocked else MORE

    def _receive(self, want: int) -> int:
        """Take bytes out of the socket: how many, 0 at its end, or minus the errno."""
        if self._copies:
            return self._receive_by_copying(want)
        try:
            n = self._pipe.fill(self._sock.sock.fileno(), want)
        except OSError as exc:
            if exc.errno in REFUSALS and self.moved == 0:
                self._copies = True  # a socket of another kind, or a kernel that forbids splice
                return self._receive_by_copying(want)
            return -(exc.errno or errno.EIO)
        except AttributeError:  # no os.splice here
            self._copies = True
            return self._receive_by_copying(want)
        if n is None:
            return WOULD_BLOCK
        if n:
            self._note("splice", n)
        return n

    def _receive_by_copying(self, want: int) -> int:
        size = min(want, BLOCK)
        memory = self._lease(size)
        n = self._sock.recv(memory, size)
        if n > 0:
            charge(CopyReason.FALLBACK_READ, n)
            self._note("recv", n)
            self._block = memory.export(0, n, True)
        return n

    def _note(self, call: str, n: int) -> None:
        self.moved += n
        if self._left is not None:
            self._left -= n
        self._bill.moved(call, n)
        self._bill.received(n)

    def _hand_on(self) -> None:
        """Give what was received to the tap and to the target. Raises: OSError."""
        if self._copies:
            block, self._block = self._block, memoryview(b"")
            with block:
                if self._tap is not None:
                    self._to_tap(FileTarget(self._tap, None).put_bytes, block)
                self._target.put_bytes(block)
            return
        if self._tap is not None:
            self._to_tap(self._tee, FileTarget(self._tap, None))
        self._target.put(self._pipe)

    def _to_tap(self, put: Callable[[Any], None], what: Any) -> None:
        try:
            put(what)
        except OSError:
            self.is_tap_at_fault = True
            raise

    def _tee(self, target: FileTarget) -> None:
        beside = self._tap_pipe
        assert beside is not None
        n = tee(self._pipe.reading, beside.writing, self._pipe.held)
        beside.held += n
        if n != self._pipe.held:  # the second pipe is smaller: the rest of this piece cannot be duplicated any more
            raise OSError(errno.ENOBUFS, "the pipe of the tap is too small")
        target.put(beside)

    def close(self) -> int:
        """Close the pipes, and return how many bytes of the payload are lost with them. Again: no-op."""
        if self._tap_pipe is not None:
            self._tap_pipe.close()
        return self._pipe.close() + (len(self._target.rest) if isinstance(self._target, SocketTarget) else 0)
