"""Whether two ranges hold the same bytes, wherever these lie.

Owns    equal_range().
Never   a copy of the bytes, a move of an index.
Always  a walk over the spans of both sides at once: time is linear in the range, also for a composite with itself.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import dead, index_outside, negative, torn
    from zbuf.memory._memory import as_size, compare
from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._wrapped import wrap

__all__ = ["equal_range"]


def equal_range(a: "ByteBuf | Buffer", a_index: int, b: "ByteBuf | Buffer", b_index: int, length: int) -> bool:
    """Return whether `length` bytes of `a` from absolute `a_index` are those of `b` from absolute `b_index`.

    A range that reaches past the writer index of its side (past the end of a bytes-like) is not equal to anything.
    Ownership: borrows; no index moves. Cost: no copy; it stops at the first difference.
    Raises: BoundsError for a negative index, ValueError for a negative length, ReferenceCountError, TypeError.
    Source: Netty ByteBufUtil.equals(a, aStartIndex, b, bStartIndex, length)."""
    mine = a if isinstance(a, ByteBuf) else wrap(a)
    theirs = b if isinstance(b, ByteBuf) else wrap(b)
    return _equal(mine, as_size(a_index), theirs, as_size(b_index), as_size(length))


def _equal(a: ByteBuf, at: int, b: ByteBuf, there: int, n: int) -> bool:
    if a._refcnt == 0 or b._refcnt == 0:
        raise dead()
    if n < 0:
        raise negative("length", n)
    if at < 0:
        raise index_outside("a_index", at, a._writer)
    if there < 0:
        raise index_outside("b_index", there, b._writer)
    if at > a._writer or there > b._writer or n > a._writer - at or n > b._writer - there:
        return False
    while n:
        a._seek(at)
        memory = a._memory  # held: if both are one buffer, its window is about to move
        base = a._base
        start = at + a._shift
        k = min(n, a._hi - at)
        b._seek(there)
        k = min(k, b._hi - there)
        if k < 1:
            raise torn()
        if compare(base, start, b._base, there + b._shift, k):
            return False
        del memory
        at += k
        there += k
        n -= k
    return True
