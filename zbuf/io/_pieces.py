"""The pieces of a buffer for one system call, and what the call's answer does to the indices.

Owns    which views go in, how many, and that they are let go afterwards.
Never   a system call.
Always  an index moves by what the call moved, after it; a call that raises moves none.
"""

import contextlib
import operator

from zbuf.buffer import ByteBuf
from zbuf.errors import BoundsError

__all__ = ["MAX_PIECES", "incoming", "let_go", "outgoing", "received", "sent"]

MAX_PIECES = 1024  # Linux UIO_MAXIOV: one more and the call fails with EMSGSIZE or EINVAL


def outgoing(buf: ByteBuf, length: int | None) -> list[memoryview]:
    """Return views of the next `length` readable bytes, by default all, at most 1024 of them; none for no bytes.

    Raises: ValueError if negative, BoundsError if fewer are readable, ReferenceCountError."""
    n = buf.readable_bytes if length is None else operator.index(length)
    if not buf.can_read(n):
        there = buf.readable_bytes
        raise BoundsError(f"{n} bytes asked for, {there} readable", requested=n, available=there)
    return buf.readable_views(MAX_PIECES, n) if n else []


def incoming(buf: ByteBuf, length: int) -> list[memoryview]:
    """Return views of exactly the next `length` writable bytes, at most 1024 of them; the buffer grows first.

    Raises: ReadOnlyError, ValueError below 1, CapacityError, ReferenceCountError."""
    n = operator.index(length)
    if n == 0:
        buf.ensure_writable(0)  # the state of the buffer is judged before the value
        raise ValueError("length must be at least 1: an answer of 0 means the end")
    views: list[memoryview] = []
    for view in buf.writable_views(n):
        if n and len(views) < MAX_PIECES:
            views.append(view[:n])
            n -= views[-1].nbytes
    return views


def let_go(views: list[memoryview]) -> None:
    """Release the views, so that the buffer can grow without a copy."""
    for view in views:
        with contextlib.suppress(BufferError):  # whoever was lent it holds a view of his own on it
            view.release()


def sent(buf: ByteBuf, views: list[memoryview], answer: object) -> int:
    """Move the reader index by what a call took of `views`, and return that."""
    n = _count(views, answer)
    buf.skip_bytes(n)
    return n


def received(buf: ByteBuf, views: list[memoryview], answer: object) -> int:
    """Move the writer index by what a call put into `views`, and return that."""
    n = _count(views, answer)
    buf.writer_index += n
    return n


def _count(views: list[memoryview], answer: object) -> int:
    n = operator.index(answer)  # type: ignore[arg-type]  # whatever is no integer raises
    most = sum(view.nbytes for view in views)
    if n < 0 or n > most:
        raise ValueError(f"the call says {n} of {most} bytes")
    return n
