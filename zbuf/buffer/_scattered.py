# cython: nonecheck=False, wraparound=False
# (the objects whose fields are read here are self, its own spans, and blocks that only this room hands in)
"""A buffer whose bytes lie in several places: the window that stands over one span at a time.

Owns    moving the window, values and ranges that lie across borders, exports, growth at the end.
Never   which spans there are (`_spans.py`), nor a component as its user knows it (`_components.py`).
Always  whoever asks for a byte finds the window over it. A value across borders is put together in a scratch block,
        where the window then stands for that one value. A walk over n spans costs n steps, wherever it starts.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zbuf import _cython as cython  # whose decorators every checker knows
else:
    try:
        import cython
    except ImportError:
        from zbuf import _cython as cython  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._growth import calculate_new_capacity
    from zbuf.buffer._indices import read_only
    from zbuf.buffer._spans import make_span
    from zbuf.memory._memory import allocate, base_of, blank, copy, references
from zbuf.buffer._spans import Span, Spans
from zbuf.memory._memory import Memory

__all__ = ["Scattered"]

SCRATCH = 16  # bytes; the widest number has 8


@cython.no_gc
@cython.cclass
class Scattered(Spans):
    """A buffer over a list of spans, with every access to its bytes."""

    __slots__ = ()

    # The window.

    def _show(self, k: int) -> None:
        """Put the window over the span at place `k` of the list."""
        span = self._spans[k]
        self._hi = span.end - self._origin
        self._lo = self._hi - span.length
        self._shift = span.start - self._lo
        self._memory = span.memory
        self._base = span.memory.base
        self._whi = 0 if self._read_only or span.read_only else self._hi
        self._shown = k

    def _seek(self, index: int) -> None:
        if index < self._lo or index >= self._hi:
            self._show(self._span_at(index))

    def _seek_writable(self, index: int) -> None:
        if index < self._lo or index >= self._hi:
            self._show(self._span_at(index))

    def _locate(self, index: int, n: int) -> int:
        k = self._span_at(index)
        span = self._spans[k]
        here = span.end - self._origin - index
        if n <= here:
            self._show(k)
            return index + self._shift
        scratch = self._scratch_block()
        copy(scratch.base, 0, span.memory.base, span.start + span.length - here, here)
        self._spill(index + here, n - here, scratch.base, here)
        self._look_at_scratch(scratch)
        return 0

    def _locate_writable(self, index: int, n: int) -> int:
        self._check_span_writable(index, n)
        k = self._span_at(index)
        span = self._spans[k]
        if n <= span.end - self._origin - index:
            self._show(k)
            return index + self._shift
        self._look_at_scratch(self._scratch_block())
        return 0

    def _scratch_block(self) -> Memory:
        if self._scratch is None:
            self._scratch = allocate(SCRATCH)
        return self._scratch

    def _look_at_scratch(self, scratch: Memory) -> None:
        if self._memory is not scratch:
            self._memory = scratch
            self._base = scratch.base
            self._shift = 0
            self._lo = 1  # no index is inside: the scratch is good for this one value
            self._hi = self._whi = 0

    # Walks over the spans of a checked range. They leave the window alone, and the hint where they ended.

    def _settle(self, index: int, n: int) -> None:
        scratch = self._scratch_block()
        k = self._span_at(index) if n else 0
        at = 0
        while n:
            span = self._spans[k]
            skip = index + self._origin - span.end + span.length
            some = min(n, span.length - skip)
            copy(span.memory.base, span.start + skip, scratch.base, at, some)
            self._shown = k
            at += some
            index += some
            n -= some
            k += 1

    def _spill(self, index: int, n: int, base: memoryview, to: int) -> None:
        k = self._span_at(index) if n else 0
        while n:
            span = self._spans[k]
            skip = index + self._origin - span.end + span.length
            some = min(n, span.length - skip)
            copy(base, to, span.memory.base, span.start + skip, some)
            self._shown = k
            to += some
            index += some
            n -= some
            k += 1

    def _copy_out(self, index: int, n: int, reason: int) -> bytes:
        if n == 0:
            return b""
        charge(reason, n)
        data = blank(n)
        self._spill(index, n, base_of(data), 0)
        return bytes(data)  # compiled this is the same object: it was nobody else's yet

    def _views(self, at: int, end: int, count: int, limit: int) -> list[memoryview]:
        views: list[memoryview] = []
        if at == end:
            return views
        k = self._span_at(at)
        first = self._spans[k]
        skip = at + self._origin - first.end + first.length
        found = 0
        while at < end and found < count:
            span = self._spans[k]
            some = min(end - at, span.length - skip)
            if limit >= 0:
                if limit == 0 and views:
                    break
                if some > limit:
                    some = max(limit, 1)
                    end = at  # nothing may follow what was cut
                limit = max(limit - some, 0)
            views.append(span.memory.export(span.start + skip, some, self._read_only or span.read_only))
            at += some
            found += 1
            k += 1
            skip = 0
        return views

    def _check_span_writable(self, index: int, n: int) -> None:
        if not self._has_read_only or n == 0:
            return
        k = self._span_at(index)
        end = index + n + self._origin
        while True:
            span = self._spans[k]
            if span.read_only:
                raise read_only()
            if end <= span.end:
                return
            k += 1

    # What an export asks.

    def _is_apart(self) -> bool:
        return True

    def _in_one_piece(self, index: int, n: int) -> bool:
        if n == 0:
            return True
        self._seek(index)
        return n <= self._hi - index

    def _expose(self) -> int:
        n = self._writer - self._reader
        if n == 0:
            self._hide()
            return 0
        self._seek(self._reader)
        if n > self._hi - self._reader:
            raise BufferError("the readable bytes lie in several components")
        return self._reader + self._shift

    def _exports_read_only(self) -> bool:
        return self._read_only or (self._whi == 0 and self._hi > self._lo)

    # State that differs from one piece.

    @property
    def is_shared(self) -> bool:
        """Whether another handle, export or transfer holds a block of this buffer; always for wrapped memory."""
        self._check_live()
        return self._has_shared()

    def _has_shared(self) -> bool:
        self._hide()
        for k in range(self._first, len(self._spans)):
            span = self._spans[k]
            if span.memory.external or _span_holders(span) != SPAN_SOLE:
                return True
        return False

    @property
    def memory_size(self) -> int:
        """The bytes of all blocks that this handle keeps alive, each counted once."""
        self._check_live()
        return self._size_of_blocks()

    def _blocks(self) -> list[Memory]:
        found = []
        for k in range(self._first, len(self._spans)):
            span = self._spans[k]
            found.append(span.memory)
        return found

    def _size_of_blocks(self) -> int:
        seen = set()
        size = 0
        for k in range(self._first, len(self._spans)):
            span = self._spans[k]
            if id(span.memory) not in seen:
                seen.add(id(span.memory))
                size += span.memory.size
        return size

    @property
    def max_fast_writable_bytes(self) -> int:
        """Bytes that can be written without a new block: capacity - writer_index; 0 if read-only."""
        self._check_live()
        return 0 if self._read_only else self._capacity - self._writer

    def _is_sole(self) -> bool:
        return False  # what a contiguous buffer does in place, a composite does with spans

    def _is_fixed(self) -> bool:
        return self._max == self._capacity

    def _is_immutable(self) -> bool:
        for k in range(self._first, len(self._spans)):
            span = self._spans[k]
            if not span.memory.is_immutable():
                return False
        return True

    def _die(self) -> None:
        last = self._spans
        self._hide()
        self._spans = []
        self._first = self._origin = self._shown = 0
        self._scratch = None
        self._refcnt = 0
        self._reader = self._writer = self._capacity = self._max = 0
        del last  # at its end an on_release may run, which must find a dead handle

    # Capacity.

    def _grow(self, target: int) -> None:
        missing = target - self._capacity
        self._add_room(calculate_new_capacity(missing, self._max - self._capacity))

    def _enlarge(self, n: int) -> None:
        self._add_room(n - self._capacity)

    def _add_room(self, n: int) -> None:
        self._push_one(make_span(self._lease(n), 0, n, False))

    def _narrow(self, n: int) -> None:
        gone = self._trim_back(n)
        del gone  # only now: see there


def _span_holders(span: Span) -> int:
    return references(span.memory)


SPAN_SOLE = _span_holders(make_span(allocate(0), 0, 0, False))
