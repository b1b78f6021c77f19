"""How the bytes of a region leave: sendfile, or where the kernel refuses that, read and send.

Owns    the choice between the two, the block of the second way, and the memory of which devices refuse.
Never   the queue, the budget of a wake-up, what happens to the channel afterwards.
Always  the way is chosen before the first byte of a region is sent and kept until its last; 0 bytes from a file that
        promised more is an error, never a retry; a block that is sent in part is kept, not read again.
"""

import errno
import mmap
import os
from typing import Any

from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import Account, charge
from zbuf.errors import FileTruncatedError, InternalError
from zbuf.region import FileRegion
from zbuf.transport._calls import WOULD_BLOCK, Calls

__all__ = ["FileSender"]

BLOCK = 64 * 1024  # FACTS: beyond it a read costs more cache than it saves calls
REMEMBERED = (errno.EINVAL, errno.ENOSYS, errno.EOVERFLOW, errno.EOPNOTSUPP)  # said once, a file system says it always
REFUSALS = (*REMEMBERED, errno.EIO, errno.EPERM)
MAX_DEVICES = 64  # arbitrary; more kinds of mounts than any machine has

_devices_without_sendfile: set[int] = set()


class FileSender:
    """Sends regions for one channel."""

    __slots__ = ("_account", "_allocator", "_at", "_block", "_calls", "_reading")

    def __init__(self, calls: Calls, allocator: Any, account: Account) -> None:
        self._calls = calls
        self._allocator = allocator
        self._account = account
        self._reading: FileRegion | None = None
        self._block: Any = None
        self._at = 0

    def send(self, region: FileRegion, offset: int, count: int) -> int:
        """Send at most `count` bytes (at least 1) from byte `offset` of the region's file.

        Returns: the bytes sent, or minus the errno of the socket. Ownership: borrows the region.
        Raises: OSError for what is wrong with the file: it cannot be opened or read, FileTruncatedError if it ended.
        """
        source = region.fileno()
        if (self._reading is not None or _devices_without_sendfile) and self._is_reading(region, source):
            return self._read_and_send(region, source, offset, count)
        n = self._calls.sendfile(source, offset, count)
        if n > 0:
            self._account.moved("sendfile", n)
            return n
        if n == 0:
            raise region.truncated()
        if n != WOULD_BLOCK and -n in REFUSALS and region.transferred == 0:
            self._refused(region, source, -n)
            return self._read_and_send(region, source, offset, count)
        return n

    def forget(self) -> None:
        """Let go of a block that was not sent whole: the channel is closed, or the region given up."""
        self._reading = None
        if self._block is not None:
            self._block.release()
            self._block = None

    def _is_reading(self, region: FileRegion, source: int) -> bool:
        if self._reading is region:
            return True
        self.forget()
        if region.transferred == 0 and os.fstat(source).st_dev in _devices_without_sendfile:
            self._reading = region
        return self._reading is region

    def _refused(self, region: FileRegion, source: int, number: int) -> None:
        self.forget()
        self._reading = region
        if number in REMEMBERED and len(_devices_without_sendfile) < MAX_DEVICES:
            _devices_without_sendfile.add(os.fstat(source).st_dev)

    def _read_and_send(self, region: FileRegion, source: int, offset: int, count: int) -> int:
        if self._block is None or self._at != offset:
            self._fill(region, source, offset, count)
        block = self._block
        view = block.view()
        part = view[:count]
        try:
            n = self._calls.send(part, 0)
        finally:
            part.release()
            view.release()
        if n > 0:
            self._account.moved("send", n)
            block.skip_bytes(n)
            self._at += n
            if not block.is_readable:
                block.release()
                self._block = None
        return n

    def _fill(self, region: FileRegion, source: int, offset: int, count: int) -> None:
        if self._block is not None:
            self._block.release()
            self._block = None
        size = min(count, BLOCK)
        block = self._allocator.buffer(size)
        view = block.writable_views(size)[0]
        part = view[:size]
        try:
            n = os.preadv(source, [part], offset)
        except BaseException:
            block.release()
            raise
        finally:
            part.release()
            view.release()
        if n == 0:
            block.release()
            raise region.truncated()
        charge(CopyReason.FALLBACK_READ, n)
        self._account.moved("pread", n)
        block.writer_index = n
        self._block = block
        self._at = offset


def broken(number: int, views: Any = ()) -> Exception:
    """Return the exception for a failed system call on our own socket.

    A descriptor that is not ours, or an address that is not mapped, is a mistake of zbuf (InternalError); unless the
    address belongs to memory from outside, a file mapping whose file shrank.
    """
    error = OSError(number, os.strerror(number))
    if number not in (errno.EBADF, errno.ENOTSOCK, errno.EFAULT):
        return error
    if number == errno.EFAULT and any(_is_external(view) for view in views):
        return _mapping_shrank(views, error)
    return _internal(number, error)


def _is_external(view: Any) -> bool:
    """Whether the bytes of `view` lie in memory that somebody else brought. What exports them differs by form."""
    if isinstance(view, bytes):
        return False
    exporter = view
    if isinstance(view, memoryview) or not hasattr(view, "_memory"):
        exporter = memoryview(view).obj
    share = getattr(exporter, "memory", None)  # of an export before PEP 688
    owners = (exporter, getattr(exporter, "_memory", None), getattr(share, "memory", None))
    return any(getattr(owner, "external", False) for owner in owners) or isinstance(exporter, mmap.mmap)


def _mapping_shrank(views: Any, error: OSError) -> Exception:
    nbytes = sum(memoryview(view).nbytes for view in views)
    truncated = FileTruncatedError(
        f"a mapped file shrank: {nbytes} bytes of its mapping cannot be read", offset=0, count=nbytes, transferred=0
    )
    truncated.__cause__ = error
    return truncated


def _internal(number: int, error: OSError) -> Exception:
    mistake = InternalError(f"a system call on the channel's own descriptor failed: {os.strerror(number)}")
    mistake.__cause__ = error
    return mistake
