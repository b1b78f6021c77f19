"""CompositeByteBuf: an ordered list of spans seen as one buffer.

Owns    the spans, their sorted end offsets, the window that stands over one of them.
Never   a copy behind the caller's back: nothing is consolidated unless asked.
Always  the capacity is the sum of the spans; appended bytes are readable at once; every span holds its block, so
        nothing that happens to the buffer it came from can disturb it.

End offsets count from where the composite began, not from index 0: dropping the front moves one number (`_origin`)
instead of all of them. Look-ups try the span under the window and the next one, then bisect.
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
    from zbuf.buffer._growth import calculate_new_capacity
    from zbuf.buffer._indices import cannot_write, dead, index_outside, negative, read_only
    from zbuf.memory._memory import EMPTY, allocate, as_size, copy, references, wrap_memory
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf, SlicedByteBuf
from zbuf.buffer._dump import repr_of
from zbuf.memory._memory import Memory

if TYPE_CHECKING:
    from zbuf.buffer._allocator import Allocator

__all__ = ["CompositeByteBuf"]

CONSOLIDATE = int(CopyReason.CONSOLIDATE)
COMPACT = int(CopyReason.COMPACT)
SCRATCH = 16  # bytes; the widest number has 8
SLACK = 64  # dropped spans that may wait at the front of the list before it is cut; arbitrary


class Span:
    """Bytes [start, start + length) of one block: a component's share."""

    __slots__ = ("length", "memory", "read_only", "start")

    def __init__(self, memory: Memory, start: int, length: int, read_only: bool) -> None:
        self.memory = memory
        self.start = start
        self.length = length
        self.read_only = read_only


class CompositeByteBuf(ByteBuf):
    """Several buffers seen as one, without copying them.

    Made by `composite()`, `wrap()` of several parts, or an allocator. Ownership: append, prepend and extend transfer:
    they take the readable bytes the part has at that moment, and give up one count of its handle, also when they
    raise. Indices, numbers and searches work across the borders of components.
    """

    __slots__ = ("_ends", "_first", "_has_read_only", "_origin", "_scratch", "_shown", "_spans")

    _spans: list[Span]
    _ends: list[int]
    _scratch: Memory | None

    def __init__(self) -> None:
        self._setup([], sys.maxsize)

    def _setup(self, spans: list[Span], max_capacity: int) -> None:
        """Become a composite of `spans`, all of it readable."""
        self._spans = spans
        self._ends = []
        self._scratch = None
        end = 0
        self._has_read_only = False
        for span in spans:
            end += span.length
            self._ends.append(end)
            self._has_read_only = self._has_read_only or span.read_only
        self._first = 0
        self._origin = 0
        self._shown = 0
        self._reader = 0
        self._writer = self._capacity = end
        self._max = max_capacity
        self._hide()

    # Spans and the window.

    def _hide(self) -> None:
        """Look at nothing: the next access looks its span up."""
        self._memory = EMPTY
        self._base = EMPTY.base
        self._shift = self._hi = self._whi = 0
        self._lo = 0

    def _show(self, k: int) -> None:
        """Put the window over span `k` of the list."""
        span: Span = self._spans[k]
        end: int = self._ends[k]
        self._hi = end - self._origin
        self._lo = self._hi - span.length
        self._shift = span.start - self._lo
        self._memory = span.memory
        self._base = span.memory.base
        self._whi = 0 if self._read_only or span.read_only else self._hi
        self._shown = k

    def _span_at(self, index: int) -> int:
        """Return the place in the list of the span that holds the byte at `index`, which is below the capacity."""
        place = index + self._origin
        low = self._shown
        high = len(self._ends)
        end: int
        if self._first <= low < high:
            end = self._ends[low]
            if place < end:
                high = low
                low = self._first
                if high == low or self._ends[high - 1] <= place:
                    return high
            elif low + 1 < high:
                low += 1
                end = self._ends[low]
                if place < end:
                    return low
        else:
            low = self._first
        while low < high:
            middle = (low + high) >> 1
            end = self._ends[middle]
            if end <= place:
                low = middle + 1
            else:
                high = middle
        return low

    def _seek(self, index: int) -> None:
        if index < self._lo or index >= self._hi:
            self._show(self._span_at(index))

    def _seek_writable(self, index: int) -> None:
        if index < self._lo or index >= self._hi:
            self._show(self._span_at(index))

    def _locate(self, index: int, n: int) -> int:
        self._seek(index)
        if n <= self._hi - index:
            return index + self._shift
        scratch = self._scratch_block()
        self._spill(index, n, scratch.base, 0)
        self._look_at_scratch(scratch)
        return 0

    def _locate_writable(self, index: int, n: int) -> int:
        self._check_span_writable(index, n)
        self._seek(index)
        if n <= self._hi - index:
            return index + self._shift
        self._look_at_scratch(self._scratch_block())
        return 0

    def _settle(self, index: int, n: int) -> None:
        scratch = self._scratch_block()
        at = 0
        while n:
            self._seek(index)
            k = min(n, self._hi - index)
            copy(self._base, index + self._shift, scratch.base, at, k)
            index += k
            at += k
            n -= k

    def _scratch_block(self) -> Memory:
        if self._scratch is None:
            self._scratch = allocate(SCRATCH)
        return self._scratch

    def _look_at_scratch(self, scratch: Memory) -> None:
        self._memory = scratch
        self._base = scratch.base
        self._shift = 0
        self._lo = 1  # no index is inside: the scratch is good for this one value
        self._hi = self._whi = 0

    def _check_span_writable(self, index: int, n: int) -> None:
        if not self._has_read_only or n == 0:
            return
        k = self._span_at(index)
        while True:
            span: Span = self._spans[k]
            if span.read_only:
                raise read_only()
            end: int = self._ends[k]
            if index + n <= end - self._origin:
                return
            k += 1

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

    def _spans_of(self, start: int, n: int) -> list[Span]:
        """Return fresh spans over the checked range, none empty."""
        spans: list[Span] = []
        while n:
            self._seek(start)
            k = min(n, self._hi - start)
            spans.append(Span(self._memory, start + self._shift, k, self._whi == 0))
            start += k
            n -= k
        return spans

    def _push(self, spans: list[Span]) -> None:
        """Add spans at the end; the writer index stays."""
        end = self._origin + self._capacity
        for span in spans:
            end += span.length
            self._spans.append(span)
            self._ends.append(end)
            self._has_read_only = self._has_read_only or span.read_only
        self._capacity = end - self._origin

    def _push_front(self, spans: list[Span]) -> None:
        """Add spans before the first; both indices stay."""
        self._hide()
        start = self._origin
        for span in reversed(spans):
            end = start
            start -= span.length
            if self._first:
                self._first -= 1
                self._spans[self._first] = span
                self._ends[self._first] = end
            else:
                self._spans.insert(0, span)
                self._ends.insert(0, end)
            self._has_read_only = self._has_read_only or span.read_only
        self._capacity += self._origin - start
        self._origin = start

    def _drop_spans_before(self, index: int) -> int:
        """Let go of the spans that end at or before `index` and return how many bytes they had."""
        count = len(self._ends)
        k = self._first
        dropped = 0
        while k < count:
            end: int = self._ends[k]
            if end - self._origin > index:
                break
            dropped = end - self._origin
            self._spans[k] = NO_SPAN
            k += 1
        self._first = k
        if k > SLACK and k + k > count:
            del self._spans[:k]
            del self._ends[:k]
            self._first = 0
        if dropped:
            self._hide()
            self._origin += dropped
            self._capacity -= dropped
        return dropped

    def _trim_front(self, index: int) -> None:
        """Let go of everything before `index`: whole spans, and the front of the one it lies in. Indices stay."""
        index -= self._drop_spans_before(index)
        if index:
            span: Span = self._spans[self._first]
            self._spans[self._first] = Span(span.memory, span.start + index, span.length - index, span.read_only)
            self._hide()
            self._origin += index
            self._capacity -= index

    # State that differs from one piece.

    @property
    def is_shared(self) -> bool:
        """Whether another handle, export or transfer holds a block of this buffer; always for wrapped memory."""
        self._check_live()
        self._hide()
        return any(span.memory.external or _span_holders(span) != SPAN_SOLE for span in self._spans[self._first :])

    @property
    def memory_size(self) -> int:
        """The bytes of all blocks that this handle keeps alive, each counted once."""
        self._check_live()
        return sum({id(span.memory): span.memory.size for span in self._spans[self._first :]}.values())

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
        return all(span.memory.is_immutable() for span in self._spans[self._first :])

    def _die(self) -> None:
        self._spans = []
        self._ends = []
        self._first = self._shown = 0
        self._origin = 0
        self._scratch = None
        self._refcnt = 0
        self._hide()
        self._reader = self._writer = self._capacity = self._max = 0

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

    # Capacity, discarding.

    def _grow(self, target: int) -> None:
        missing = target - self._capacity
        self._add_room(calculate_new_capacity(missing, self._max - self._capacity))

    def _enlarge(self, n: int) -> None:
        self._add_room(n - self._capacity)

    def _add_room(self, n: int) -> None:
        memory: Memory = self._allocator.lease(n)
        self._push([Span(memory, 0, n, False)])

    def _narrow(self, n: int) -> None:
        self._hide()
        while len(self._spans) > self._first:
            span: Span = self._spans[-1]
            end: int = self._ends[-1] - self._origin
            if end <= n:
                break
            self._spans.pop()
            self._ends.pop()
            if end - span.length < n:
                self._spans.append(Span(span.memory, span.start, n - (end - span.length), span.read_only))
                self._ends.append(n + self._origin)
        self._capacity = n
        self._writer = min(self._writer, n)
        self._reader = min(self._reader, n)

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

    def _check(self) -> None:
        """Assert what always holds; tests call this after every act."""
        super()._check()
        assert len(self._spans) == len(self._ends), (len(self._spans), len(self._ends))
        end = self._origin
        for k in range(self._first, len(self._spans)):
            span = self._spans[k]
            end += span.length
            assert span.length > 0, (k, span.length)
            assert end == self._ends[k], (k, end, self._ends[k])
            assert 0 <= span.start and span.length <= span.memory.size - span.start, (k, span.start, span.length)
            assert self._has_read_only or not span.read_only, k
        assert end - self._origin == self._capacity, (end, self._origin, self._capacity)

    def __repr__(self) -> str:
        return repr_of(self, self._refcnt, sys.maxsize, len(self._spans) - self._first)


def _span_holders(span: Span) -> int:
    return references(span.memory)


NO_SPAN = Span(EMPTY, 0, 0, True)  # stands where a dropped span was, until the list is cut
SPAN_SOLE = _span_holders(Span(allocate(0), 0, 0, False))


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
