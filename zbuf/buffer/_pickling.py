"""Buffers in pickles: what is written, and what is made of it again.

Owns    `rebuild` and `rebuild_copy`, by whose names pickles find their way back: they are part of the format.
Never   the classes: `_wrapped.py`, which stands above them, says how a buffer is made of parts.
Always  a pickle speaks of readable bytes and of whether they can be written, not of indices, capacity or class. A
        pickle of one form loads in the other.
"""

from collections.abc import Callable
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

from zbuf.audit._bill import CopyReason
from zbuf.audit._meter import charge

if TYPE_CHECKING:
    from zbuf._types import Buffer
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["OUT_OF_BAND", "rebuild", "rebuild_copy", "reduce_bytes", "reduce_views", "wraps_by"]

OUT_OF_BAND = 5  # the first protocol that can leave bytes where they are (PEP 574)

_wrap: "Callable[..., ByteBuf]"


def wraps_by(wrap: "Callable[..., ByteBuf]") -> None:
    """Take note of how a buffer is made of parts."""
    global _wrap
    _wrap = wrap


def reduce_views(views: list[memoryview]) -> tuple[Any, ...]:
    """Return the reduction that copies nothing: one PickleBuffer for each piece."""
    return rebuild, tuple(PickleBuffer(view) for view in views)


def reduce_bytes(data: bytes, read_only: bool) -> tuple[Any, ...]:
    """Return the reduction for protocols that have bytes only."""
    return rebuild_copy, (data, read_only)


def rebuild(*parts: "Buffer") -> "ByteBuf":
    """Return a buffer around the parts that a pickle of protocol 5 had: theirs is the memory, nothing is copied."""
    if len(parts) == 1:
        return _wrap(parts[0])
    return _wrap(*parts, read_only=all(memoryview(part).readonly for part in parts))


def rebuild_copy(data: bytes, read_only: bool) -> "ByteBuf":
    """Return a buffer with the bytes of a pickle of protocol 0 to 4; one that could be written can be written again."""
    if read_only:
        return _wrap(data)
    charge(CopyReason.COPY, len(data))
    return _wrap(bytearray(data))
