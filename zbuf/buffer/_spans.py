# cython: nonecheck=False, wraparound=False
# (the objects whose fields are read here are self and its own spans)
"""The spans of a composite: what is where.

Owns    the list of spans, their sorted end offsets, and every change of that list at its ends and in its midst.
Never   a byte, and what the window stands over: `_scattered.py` has that. Who appends and what that takes over is
        `_composite.py`'s business.
Always  the capacity is the sum of the spans; none is empty; every span holds its block, so nothing that happens to
        the buffer it came from can disturb it. What leaves the list is let go after all numbers are right again: the
        end of somebody's memory may run foreign code, which must find the composite whole.

End offsets count from where the composite began, not from index 0: dropping the front moves one number (`_origin`)
instead of all of them. For the same reason dropped spans stay in the list for a while as `NO_SPAN`, and a list that is
prepended to gets room in front. What is put in or taken out moves the offsets of the shorter side only.
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
    from zbuf.memory._memory import EMPTY
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.memory._memory import Memory

__all__ = ["Span", "Spans"]

SLACK = 64  # dropped spans that may wait at the front of the list before it is cut; arbitrary


@cython.freelist(256)  # here and not in the .pxd, where it would be ignored
@cython.no_gc
@cython.final
@cython.cclass
class Span:
    """Bytes [start, start + length) of one block: a component's share. `end` is where it ends in its composite."""

    __slots__ = ("end", "length", "memory", "read_only", "start")

    memory: Memory
    start: int
    length: int
    end: int
    read_only: bool


def make_span(memory: Memory, start: int, length: int, read_only: bool) -> Span:
    """Return a span that lies in no list yet."""
    span = Span.__new__(Span)
    span.memory = memory
    span.start = start
    span.length = length
    span.end = 0
    span.read_only = read_only
    return span


@cython.no_gc
@cython.cclass
class Spans(ByteBuf):
    """A buffer over a list of spans."""

    __slots__ = ("_first", "_has_read_only", "_origin", "_scratch", "_shown", "_spans")

    _spans: list[Span]  # live ones from `_first` on
    _first: int
    _origin: int  # what the end offsets count above the index
    _shown: int  # where in the list the window was last: a hint for look-ups, it may be wrong
    _has_read_only: bool  # whether a span may be read-only
    _scratch: Memory | None  # where a value that lies across spans is put together

    def _setup(self, spans: list[Span], max_capacity: int) -> None:
        """Become a composite of `spans`, which lie in no other list; all of it is readable."""
        self._hide()
        self._scratch = None
        self._spans = spans
        self._first = self._origin = self._shown = 0
        self._has_read_only = False
        self._reader = 0
        self._writer = self._capacity = self._number(0, 0)
        self._max = max_capacity

    def _replace(self, spans: list[Span], max_capacity: int) -> None:
        """Let go of what there is and become a composite of `spans`."""
        last = self._spans
        self._setup(spans, max_capacity)
        del last

    def _number(self, k: int, end: int) -> int:
        """Set the end offsets from place `k` of the list on, the first of which starts at `end`; return the last.

        Makes no object, so it cannot fail half way."""
        for at in range(k, len(self._spans)):
            span = self._spans[at]
            end += span.length
            span.end = end
            if span.read_only:
                self._has_read_only = True
        return end

    def _hide(self) -> None:
        """Look at nothing: the next access looks its span up."""
        self._memory = EMPTY
        self._base = EMPTY.base
        self._shift = self._hi = self._whi = 0
        self._lo = 0

    def _count(self) -> int:
        return len(self._spans) - self._first

    def _span_at(self, index: int) -> int:
        """Return the place in the list of the span that holds the byte at `index`, which is below the capacity.

        Tries the span that was shown last and its neighbours, then bisects."""
        place = index + self._origin
        low = self._shown
        high = len(self._spans)
        if self._first <= low < high:
            span = self._spans[low]
            if place < span.end:
                if span.end - place <= span.length:
                    return low
                high = low
                low = self._first
                if high > low:  # searches from the end walk this way
                    span = self._spans[high - 1]
                    if span.end - place <= span.length:
                        return high - 1
            elif low + 1 < high:
                low += 1
                span = self._spans[low]
                if place < span.end:
                    return low
        else:
            low = self._first
        while low < high:
            middle = (low + high) >> 1
            span = self._spans[middle]
            if span.end <= place:
                low = middle + 1
            else:
                high = middle
        return low

    def _start_of(self, k: int) -> int:
        """Return the index at which component `k` starts; for the number of components, where the last one ends."""
        if k == 0:
            return 0
        span = self._spans[self._first + k - 1]
        return span.end - self._origin

    def _spans_of(self, start: int, n: int) -> list[Span]:
        """Return fresh spans over the checked range, none empty."""
        spans: list[Span] = []
        if n == 0:
            return spans
        k = self._span_at(start)
        while n:
            span = self._spans[k]
            at = start + self._origin - span.end + span.length
            some = min(n, span.length - at)
            spans.append(make_span(span.memory, span.start + at, some, self._read_only or span.read_only))
            start += some
            n -= some
            k += 1
        return spans

    # Putting in. Both indices stay; the caller moves them.

    def _push_one(self, span: Span) -> None:
        """Add a span at the end."""
        self._spans.append(span)  # before any number: it is what may fail, for want of memory
        self._capacity += span.length
        span.end = self._origin + self._capacity
        if span.read_only:
            self._has_read_only = True

    def _push(self, spans: list[Span]) -> None:
        """Add spans at the end."""
        place = len(self._spans)
        self._spans += spans
        self._capacity = self._number(place, self._origin + self._capacity) - self._origin

    def _push_front(self, spans: list[Span]) -> None:
        """Add spans before the first."""
        self._hide()
        count = len(spans)
        if self._first < count:
            # Half as much room again as there is in use: so prepending one by one costs one move each on average.
            room = count + (self._count() >> 1)
            self._spans[: self._first] = [NO_SPAN] * room
            self._first = room
        start = self._origin
        for k in range(count - 1, -1, -1):
            span = spans[k]
            span.end = start
            start -= span.length
            self._first -= 1
            self._spans[self._first] = span
            if span.read_only:
                self._has_read_only = True
        self._capacity += self._origin - start
        self._origin = start

    def _insert(self, k: int, spans: list[Span]) -> None:
        """Add spans before component `k`."""
        if k == 0:
            self._push_front(spans)
        elif k == self._count():
            self._push(spans)
        else:
            self._insert_between(k, spans)

    def _insert_between(self, k: int, spans: list[Span]) -> None:
        self._hide()
        place = self._first + k
        in_front = k + k < self._count()
        self._spans[place:place] = spans  # before any number: it is what may fail, for want of memory
        span = self._spans[place - 1]
        start = end = span.end
        for span in spans:
            end += span.length
            span.end = end
            if span.read_only:
                self._has_read_only = True
        n = end - start
        if in_front:
            self._origin -= n
            self._shift_ends(self._first, place + len(spans), -n)
        else:
            self._shift_ends(place + len(spans), len(self._spans), n)
        self._capacity += n

    def _shift_ends(self, low: int, high: int, n: int) -> None:
        for k in range(low, high):
            span = self._spans[k]
            span.end += n

    # Taking out. What is returned must be held until the caller has set all numbers right.

    def _remove(self, k: int) -> Span:
        """Take component `k` out and return its span; both indices stay."""
        self._hide()
        place = self._first + k
        removed = self._spans[place]
        n = removed.length
        if k + k < self._count():
            for at in range(place, self._first, -1):
                span = self._spans[at - 1]
                span.end += n
                self._spans[at] = span
            self._spans[self._first] = NO_SPAN
            self._first += 1
            self._origin += n
            self._capacity -= n
            self._cut_slack()
        else:
            del self._spans[place]
            self._shift_ends(place, len(self._spans), -n)
            self._capacity -= n
        return removed

    def _drop_spans_before(self, index: int) -> list[Span]:
        """Take out the spans that end at or before `index` and return them; both indices stay."""
        count = len(self._spans)
        k = self._first
        end = self._origin
        while k < count:
            span = self._spans[k]
            if span.end - self._origin > index:
                break
            end = span.end
            k += 1
        gone = self._spans[self._first : k]
        if gone:
            self._hide()
            for at in range(self._first, k):
                self._spans[at] = NO_SPAN
            self._first = k
            self._capacity -= end - self._origin
            self._origin = end
            self._cut_slack()
        return gone

    def _cut_slack(self) -> None:
        """Cut dropped spans off the list once they are many, and most of it: that moves each span once on average."""
        if self._first > SLACK and self._first > len(self._spans) >> 1:
            try:
                del self._spans[: self._first]
                self._first = 0
            except MemoryError:
                pass  # it is tidying up: next time

    def _trim_front(self, index: int) -> list[Span]:
        """Take out everything before `index`: whole spans, and the front of the one it lies in; both indices stay."""
        before = self._capacity
        gone = self._drop_spans_before(index)
        index -= before - self._capacity
        if index:
            span = self._spans[self._first]
            self._hide()
            span.start += index
            span.length -= index
            self._origin += index
            self._capacity -= index
        return gone

    def _trim_back(self, n: int) -> list[Span]:
        """Take out everything behind `n`: whole spans, and the back of the one it lies in. Indices are pulled in."""
        self._hide()
        k = len(self._spans)
        first = self._first
        while k > first:
            span = self._spans[k - 1]
            if span.end - span.length - self._origin < n:
                break
            k -= 1
        gone = self._spans[k:]
        del self._spans[k:]  # before any number: it is what may fail, for want of memory
        if k > first:
            span = self._spans[k - 1]
            if span.end - self._origin > n:
                span.length -= span.end - self._origin - n
                span.end = n + self._origin
        self._capacity = n
        self._writer = min(self._writer, n)
        self._reader = min(self._reader, n)
        return gone

    def _check(self) -> None:
        """Assert what always holds; tests call this after every act."""
        super()._check()
        assert 0 <= self._first <= len(self._spans), (self._first, len(self._spans))
        end = self._origin
        for k in range(len(self._spans)):
            span = self._spans[k]
            if k < self._first:
                assert span is NO_SPAN, k
                continue
            end += span.length
            assert span.length > 0, (k, span.length)
            assert end == span.end, (k, end, span.end)
            assert 0 <= span.start and span.length <= span.memory.size - span.start, (k, span.start, span.length)
            assert self._has_read_only or not span.read_only, k
        assert end - self._origin == self._capacity, (end, self._origin, self._capacity)


NO_SPAN = make_span(EMPTY, 0, 0, True)  # stands where a dropped span was, until the list is cut
