"""What a decoder holds between reads: small pieces are copied together, large ones are chained.

Owns    the choice between copying and chaining, and the copy (billed as CUMULATE).
Never   what the bytes mean, or when a message is complete.
Always  both arguments of `join` are taken; nothing is written into a block that somebody else holds, and no block that
        a live frame looks at is moved.

Why copy at all: a component costs about as much as copying 1 KiB, and a frame that lies in one piece is read faster.
"""

from __future__ import annotations

from enum import IntEnum

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.memory._memory import copy

from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._composite import CompositeByteBuf

__all__ = ["COPY_BELOW", "Cumulation"]


class Cumulation(IntEnum):
    """How a decoder joins what it still holds with what arrives.

    ADAPTIVE copies small pieces together and chains large ones; MERGE always copies, so a parser sees one piece;
    COMPOSITE never copies. Source: Netty's MERGE_CUMULATOR and COMPOSITE_CUMULATOR; ADAPTIVE is its successor.
    """

    ADAPTIVE = 0
    MERGE = 1
    COMPOSITE = 2


COPY_BELOW = 1024  # Netty's adaptive cumulator; a component costs about what copying 1 KiB does
ADAPTIVE = int(Cumulation.ADAPTIVE)
MERGE = int(Cumulation.MERGE)
CUMULATE = int(CopyReason.CUMULATE)
LEAST_TAIL = 256  # arbitrary: the smallest block for copied pieces
LARGEST_TAIL = 65536  # one receive block: tails grow with what is held, but no further
MOST_COMPONENTS = 1024  # IOV_MAX; only one-byte pieces under COMPOSITE get there


def join(held: ByteBuf, data: ByteBuf, how: int, copy_below: int, mine: bool) -> ByteBuf:
    """Return one buffer whose readable bytes are those of `held`, then those of `data`; neither is empty.

    `mine`: `held` was made here, so a composite may be appended to.
    Ownership: transfers both. Cost: the bytes of `data` when they are copied; those of `held` too when it has no room
    and is small, which doubling its size makes rare.
    """
    n = data._writer - data._reader
    if how == MERGE or (how == ADAPTIVE and n < copy_below):
        if mine and type(held) is CompositeByteBuf:
            return _copied_into_tail(held, data)
        if held._is_sole() and n <= held.max_fast_writable_bytes:
            _append(held, data)
            data.release()
            return held
        if how == MERGE or held._writer - held._reader < copy_below:
            return _copied_together(held, data)
        return _copied_into_tail(_chain_of(held), data)
    chain = held if mine and type(held) is CompositeByteBuf else _chain_of(held)
    chain.append(data)
    if chain.num_components > MOST_COMPONENTS:
        chain.discard_read_components()
        chain.consolidate()
    return chain


def reclaimed(chain: CompositeByteBuf) -> ByteBuf:
    """Let go of the components that were read; a chain of one component becomes that component.

    Ownership: transfers. Cost: no bytes.
    """
    chain.discard_read_components()
    if chain.num_components != 1 or chain._capacity != chain._writer:
        return chain
    last = chain.component(0)
    last.skip_bytes(chain._reader)
    chain.release()
    return last


def in_one_piece(data: ByteBuf) -> ByteBuf:
    """Return `data`, or a copy of its readable bytes where they lie in several pieces. Ownership: transfers."""
    if data.is_contiguous:
        return data
    n = data._writer - data._reader
    whole: ByteBuf = data.allocator.buffer(n)
    _append(whole, data)
    data.release()
    return whole


def _chain_of(held: ByteBuf) -> CompositeByteBuf:
    chain: CompositeByteBuf = held.allocator.composite()
    chain.append(held)
    return chain


def _copied_together(held: ByteBuf, data: ByteBuf) -> ByteBuf:
    """Copy both into a fresh block with as much room again, so that bytes are copied about twice, however they come."""
    total = held._writer - held._reader + data._writer - data._reader
    whole: ByteBuf = data.allocator.buffer(max(2 * total, LEAST_TAIL))
    _append(whole, held)
    held.release()
    _append(whole, data)
    data.release()
    return whole


def _copied_into_tail(chain: CompositeByteBuf, data: ByteBuf) -> CompositeByteBuf:
    """Copy `data` behind the last component, into room that this file made: nobody else writes there."""
    n = data._writer - data._reader
    if n > chain._capacity - chain._writer:
        tail = min(max(chain._writer - chain._reader, LEAST_TAIL), LARGEST_TAIL)
        chain.ensure_writable(max(n, tail))
    _append(chain, data)
    data.release()
    return chain


def _append(target: ByteBuf, source: ByteBuf) -> None:
    """Copy the readable bytes of `source` behind those of `target`, which has the room; `source` keeps its indices."""
    n = source._writer - source._reader
    target._ensure(n)
    at = source._reader
    to = target._writer
    left = n
    while left:
        source._seek(at)
        target._seek_writable(to)
        step = min(left, source._hi - at, target._hi - to)
        copy(target._base, to + target._shift, source._base, at + source._shift, step)
        at += step
        to += step
        left -= step
    target._writer = to
    charge(CUMULATE, n)
