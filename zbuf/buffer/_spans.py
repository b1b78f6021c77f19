"""The spans of a composite: what is where, and the window that stands over one of them.

Owns    the list of spans, their sorted end offsets, growth and trimming at both ends.
Never   a component as its user knows it: who appends and what that takes over is `_composite.py`'s business.
Always  the capacity is the sum of the spans; none is empty; every span holds its block, so nothing that happens to
        the buffer it came from can disturb it.

End offsets count from where the composite began, not from index 0: dropping the front moves one number (`_origin`)
instead of all of them. Look-ups try the span under the window and the next one, then bisect.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._growth import calculate_new_capacity
    from zbuf.buffer._indices import read_only
    from zbuf.memory._memory import EMPTY, allocate, copy, references
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.memory._memory import Memory

__all__ = ["Span", "Spans"]

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


class Spans(ByteBuf):
    """A buffer over a list of spans."""

    __slots__ = ("_ends", "_first", "_has_read_only", "_origin", "_scratch", "_shown", "_spans")

    _spans: list[Span]
    _ends: list[int]
    _scratch: Memory | None

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


def _span_holders(span: Span) -> int:
    return references(span.memory)


NO_SPAN = Span(EMPTY, 0, 0, True)  # stands where a dropped span was, until the list is cut
SPAN_SOLE = _span_holders(Span(allocate(0), 0, 0, False))
