"""A buffer and a file descriptor: one read or one write over the pieces, at the cursor or at an offset.

Owns    write_fd, read_fd.
Never   a loop, the descriptor's life, a path. Bytes of a file that need not enter the process are a region's business.
Always  None means that the descriptor would block. With an offset the file's cursor is neither used nor moved.
        Python repeats a call that a signal interrupted. What the kernel moved stands in the audit under the call.
"""

import operator
import os
from typing import Any, Protocol

from zbuf.audit import charge_call
from zbuf.buffer import ByteBuf
from zbuf.io._pieces import incoming, let_go, outgoing, received, sent

__all__ = ["read_fd", "write_fd"]


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


def write_fd(
    buf: ByteBuf, fd: "int | _HasFileno", length: int | None = None, *, offset: int | None = None
) -> int | None:
    """Write up to `length` readable bytes, by default all, to a descriptor in one call; return how many went.

    `fd`: a number, or an object with `fileno()`. At most 1024 pieces go at once. None if it would block. The reader
    index moves by what went; nothing to write is no call. Ownership: borrows. Cost: no copy of ours.
    Raises: BoundsError, ValueError if negative, ReferenceCountError; OSError. Source: Netty readBytes(FileChannel,
    position, length)."""
    number, at = _numbers(fd, offset)
    views = outgoing(buf, length)
    try:
        _check_offset(at)
        if not views:
            return 0
        call = _call_for("write", views, at)
        n = sent(buf, views, _perform(call, number, views, at))
    except BlockingIOError:
        return None
    finally:
        let_go(views)
    charge_call(call, n, len(views))
    return n


def read_fd(buf: ByteBuf, fd: "int | _HasFileno", length: int, *, offset: int | None = None) -> int | None:
    """Read up to `length` bytes from a descriptor in one call, behind the writer index; return how many came.

    0 is the end, None that it would block. `fd` as in write_fd. The buffer grows first, by `length` if need be; the
    writer index moves by what came. Ownership: borrows. Cost: no copy of ours.
    Raises: ValueError if `length` is not positive or `offset` negative, ReadOnlyError, CapacityError,
    ReferenceCountError; OSError. Source: Netty writeBytes(FileChannel, position, length)."""
    number, at = _numbers(fd, offset)
    views = incoming(buf, length)
    try:
        _check_offset(at)
        call = _call_for("read", views, at)
        n = received(buf, views, _perform(call, number, views, at))
    except BlockingIOError:
        return None
    finally:
        let_go(views)
    charge_call(call, n, len(views))
    return n


def _numbers(fd: "int | _HasFileno", offset: int | None) -> tuple[int, int | None]:
    """Return descriptor and offset as integers. Raises: TypeError."""
    number = operator.index(fd.fileno() if hasattr(fd, "fileno") else fd)
    return number, None if offset is None else operator.index(offset)


def _check_offset(offset: int | None) -> None:
    if offset is not None and offset < 0:
        raise ValueError(f"offset must not be negative: {offset}")


def _call_for(verb: str, views: list[memoryview], offset: int | None) -> str:
    """Return the name of the call: of the vectored one for many pieces, and for every read."""
    call = verb if offset is None else f"p{verb}"
    return f"{call}v" if len(views) > 1 or verb == "read" else call  # os.read would make a bytes object of it


def _perform(call: str, fd: int, views: list[memoryview], offset: int | None) -> object:
    act: Any = getattr(os, call)
    what = views if call.endswith("v") else views[0]
    return act(fd, what) if offset is None else act(fd, what, offset)
