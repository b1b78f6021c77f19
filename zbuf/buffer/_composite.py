"""CompositeByteBuf: an ordered list of components seen as one buffer.

Owns    what is appended, prepended, taken out and joined, and what that does to the indices.
Never   a copy behind the caller's back: nothing is consolidated unless asked. Where the bytes are is `_spans.py`'s.
Always  appended bytes are readable at once; a part is taken over also when the call fails.
"""

import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._indices import cannot_write, dead, index_outside, negative, read_only
    from zbuf.memory._memory import as_size, wrap_memory
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf, SlicedByteBuf
from zbuf.buffer._dump import repr_of
from zbuf.buffer._spans import Span, Spans
from zbuf.memory._memory import Memory

if TYPE_CHECKING:
    from zbuf.buffer._allocator import Allocator

__all__ = ["CompositeByteBuf"]

CONSOLIDATE = int(CopyReason.CONSOLIDATE)
COMPACT = int(CopyReason.COMPACT)


class CompositeByteBuf(Spans):
    """Several buffers seen as one, without copying them.

    Made by `composite()`, `wrap()` of several parts, or an allocator. Ownership: append, prepend and extend transfer:
    they take the readable bytes the part has at that moment, and give up one count of its handle, also when they
    raise. Indices, numbers and searches work across the borders of components.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self._setup([], sys.maxsize)

    # Components.

    def append(self, part: "ByteBuf | Buffer") -> None:
        """Add the readable bytes of `part` at the end; they are readable at once.

        Unwritten space behind the writer index is cut off first. A composite is taken apart into its spans; an empty
        part adds none. Ownership: transfers, also when it raises. Cost: one span per component, no bytes.
        Raises: CapacityError past max_capacity, ReadOnlyError, ReferenceCountError, TypeError; ValueError for the
        composite itself, which is not taken; the composite is unchanged. Source: ours; Netty leaves them unreadable."""
        spans = self._take_part(part, False)
        if spans:
            if self._capacity > self._writer:
                self._narrow(self._writer)
            self._push(spans)
            self._writer = self._capacity

    def extend(self, parts: "Iterable[ByteBuf | Buffer]") -> None:
        """Append every part in turn.

        Ownership: transfers all: when one fails, it and all later ones are released, and earlier ones stay.
        Raises: as append."""
        listed = list(parts)
        if not listed:
            self._check_writable()
        for i in range(len(listed)):
            try:
                self.append(listed[i])
            except BaseException:
                for rest in listed[i + 1 :]:
                    give_up(rest)
                raise

    def prepend(self, part: "ByteBuf | Buffer") -> None:
        """Put the readable bytes of `part` before the readable bytes; what was consumed is dropped, reader index 0.

        Ownership: transfers, also when it raises. Cost: one span per component, no bytes. Raises: as append."""
        spans = self._take_part(part, True)
        if self._reader:
            self._trim_front(self._reader)
            self._writer -= self._reader
            self._reader = 0
        if spans:
            before = self._capacity
            self._push_front(spans)
            self._writer += self._capacity - before

    def _take_part(self, part: "ByteBuf | Buffer", in_front: bool) -> list[Span]:
        """Take a part over and return its spans once they are sure to fit (`in_front`: what was read makes room)."""
        if part is self:
            raise ValueError("a composite cannot be part of itself")
        spans = take_spans(part)
        if self._refcnt == 0:
            raise dead()
        if self._read_only:
            raise read_only()
        room = self._max - self._writer + (self._reader if in_front else 0)
        n = 0
        for span in spans:
            n += span.length
        if n > room:
            raise cannot_write(n, room, self._max)
        return spans

    @property
    def num_components(self) -> int:
        """How many spans there are."""
        self._check_live()
        return len(self._spans) - self._first

    def component(self, k: int) -> "ByteBuf":
        """Return a handle over exactly the span of component `k`: reader index 0, writer index its length.

        Ownership: shares. Raises: BoundsError."""
        k = as_size(k)
        self._check_live()
        if k < 0 or k >= len(self._spans) - self._first:
            raise index_outside("component", k, len(self._spans) - self._first - 1)
        return self._handle_on(self._spans[self._first + k])

    def components(self) -> "list[ByteBuf]":
        """Return a handle for each component, as they stand now. Ownership: shares."""
        self._check_live()
        return [self._handle_on(span) for span in self._spans[self._first :]]

    def _handle_on(self, span: Span) -> "ByteBuf":
        part = SlicedByteBuf.__new__(SlicedByteBuf)
        part._allocator = self._allocator
        part._read_only = self._read_only or span.read_only
        part._look_at(span.memory, span.start, span.length)
        part._writer = part._capacity = part._max = span.length
        return part

    def consolidate(self, k: int = 0, count: int | None = None) -> None:
        """Join components k .. k + count - 1, by default all from `k`, into one fresh component.

        Bytes and indices stay; a run of 0 or 1 is left alone. Cost: its bytes, once (CONSOLIDATE).
        Raises: ReadOnlyError, BoundsError, ValueError if negative. Source: Netty consolidate."""
        k = as_size(k)
        run = 0 if count is None else as_size(count)
        self._check_writable()
        there = len(self._spans) - self._first
        if k < 0 or k > there:
            raise index_outside("component", k, there)
        if count is None:
            run = there - k
        if run < 0:
            raise negative("count", run)
        if run > there - k:
            raise index_outside("component", k + run, there)
        if run <= 1:
            return
        first = self._first + k
        start: int = self._ends[first] - self._spans[first].length - self._origin
        n: int = self._ends[first + run - 1] - self._origin - start
        memory: Memory = self._allocator.lease(n)
        charge(CONSOLIDATE, n)
        self._spill(start, n, memory.base, 0)
        self._hide()
        self._spans[first : first + run] = [Span(memory, 0, n, False)]
        self._ends[first : first + run] = [start + n + self._origin]
        self._has_read_only = False
        for span in self._spans[self._first :]:
            self._has_read_only = self._has_read_only or span.read_only

    # Discarding.

    def discard_read_components(self) -> None:
        """Let go of the components that lie wholly before the reader index; the indices follow. Copies nothing.

        Raises: ReadOnlyError. Source: Netty discardReadComponents."""
        self._check_writable()
        dropped = self._drop_spans_before(self._reader)
        self._reader -= dropped
        self._writer -= dropped

    def discard_read_bytes(self) -> None:
        """Let go of everything before the reader index, which becomes 0: whole components, and the front of one.

        Copies nothing. Raises: ReadOnlyError."""
        self._check_writable()
        n = self._reader
        if n:
            self._trim_front(n)
            self._reader = 0
            self._writer -= n

    def discard_some_read_bytes(self) -> None:
        """Let go of the components that lie wholly before the reader index. Copies nothing. Raises: ReadOnlyError."""
        self.discard_read_components()

    def clear(self) -> None:
        """Let go of all components: capacity 0, both indices 0. Allowed on read-only handles."""
        self._check_live()
        self._setup([], self._max)

    def _compact(self, n: int) -> None:
        fixed = self._max == self._capacity
        ceiling = n if fixed else self._max
        spans: list[Span] = []
        if n:
            memory: Memory = self._allocator.lease(n)
            charge(COMPACT, n)
            self._spill(self._reader, n, memory.base, 0)
            spans.append(Span(memory, 0, n, False))
        self._setup(spans, ceiling)

    # Derived handles hold their own spans.

    def _part(self, start: int, n: int) -> ByteBuf:
        spans = self._spans_of(start, n)
        if len(spans) == 1:
            return self._handle_on(spans[0])
        return self._composite_of(spans, self._read_only, n)

    def _composite_of(self, spans: list[Span], read_only: bool, ceiling: int) -> "CompositeByteBuf":
        part = CompositeByteBuf.__new__(CompositeByteBuf)
        part._allocator = self._allocator
        part._read_only = read_only
        part._setup(spans, ceiling)
        return part

    def _twin(self, model: ByteBuf, read_only: bool) -> ByteBuf:
        twin = self._composite_of(self._spans_of(0, self._capacity), read_only, self._max)
        twin._reader = self._reader
        twin._writer = self._writer
        return twin

    def _cut(self, start: int, n: int) -> ByteBuf:
        ceiling = n if self._max == self._capacity else self._max
        part = self._composite_of(self._spans_of(start, n), self._read_only, ceiling)
        part._reader = part._writer = 0
        return part

    def _drop_front(self, n: int) -> None:
        if self._max == self._capacity:
            self._max -= n
        self._trim_front(n)
        self._writer -= n
        self._reader = 0

    def move(self) -> ByteBuf:
        """Return a new handle with the same bytes and indices, and give up one count of this one.

        Ownership: transfers: with count 1 this handle is dead afterwards. Cost: one handle, and with a count above 1
        one span per component; no bytes."""
        if self._refcnt == 0:
            raise dead()
        if self._refcnt > 1:
            self._refcnt -= 1
            return self._twin(self, self._read_only)
        moved = CompositeByteBuf.__new__(CompositeByteBuf)
        moved._allocator = self._allocator
        moved._read_only = self._read_only
        moved._scratch = None
        moved._spans = self._spans
        moved._ends = self._ends
        moved._has_read_only = self._has_read_only
        moved._first = self._first
        moved._origin = self._origin
        moved._shown = self._shown
        moved._reader = self._reader
        moved._writer = self._writer
        moved._capacity = self._capacity
        moved._max = self._max
        moved._hide()
        self._die()
        return moved

    def __repr__(self) -> str:
        return repr_of(self, self._refcnt, sys.maxsize, len(self._spans) - self._first)


def take_spans(part: "ByteBuf | Buffer") -> list[Span]:
    """Take `part` over, one count of it, and return spans over its readable bytes, none empty.

    Raises: ReferenceCountError, TypeError (neither a buffer nor bytes-like), BufferError (not C-contiguous)."""
    if isinstance(part, CompositeByteBuf):
        many: CompositeByteBuf = part
        if many._refcnt == 0:
            raise dead()
        spans = many._spans_of(many._reader, many._writer - many._reader)
        many.release()
        return spans
    if isinstance(part, ByteBuf):
        one: ByteBuf = part
        if one._refcnt == 0:
            raise dead()
        n = one._writer - one._reader
        spans = [Span(one._memory, one._shift + one._reader, n, one._read_only)] if n else []
        one.release()
        return spans
    if isinstance(part, str) or part is None:
        raise TypeError(f"a part is a ByteBuf or bytes-like, not {type(part).__name__}")
    memory = wrap_memory(part)
    return [Span(memory, 0, memory.size, memory.read_only)] if memory.size else []


def give_up(part: object) -> None:
    """Release a part that was to be taken, if it is a live buffer."""
    if isinstance(part, ByteBuf) and part.refcnt:
        part.release()


def new_composite(allocator: "Allocator", max_capacity: int) -> CompositeByteBuf:
    """Return an empty composite. For allocators. Raises: ValueError if negative."""
    ceiling = operator.index(max_capacity)
    if ceiling < 0:
        raise negative("max_capacity", as_size(ceiling))
    made = CompositeByteBuf.__new__(CompositeByteBuf)
    made._allocator = allocator
    made._setup([], as_size(ceiling))
    return made


def composite_of(spans: list[Span], allocator: "Allocator", read_only: bool) -> CompositeByteBuf:
    """Return a composite of `spans`; a read-only one refuses further parts."""
    made = CompositeByteBuf.__new__(CompositeByteBuf)
    made._allocator = allocator
    made._read_only = read_only
    made._setup(spans, sys.maxsize)
    return made
