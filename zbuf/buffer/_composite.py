"""CompositeByteBuf: an ordered list of components seen as one buffer.

Owns    what is appended, prepended, put in between and taken out, and what that does to the indices; derived handles.
Never   a copy behind the caller's back: nothing is consolidated unless asked. Where the bytes are is `_spans.py`'s.
Always  appended bytes are readable at once; a part is taken over also when the call fails.

A composite is one type in topic files, a chain of bases: Spans, Scattered, Components.
"""

import sys
from collections.abc import Iterable
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
    from zbuf.buffer._indices import cannot_write, dead, index_outside, negative, read_only
    from zbuf.buffer._parts import give_up, take_span, take_spans
    from zbuf.buffer._spans import make_span
    from zbuf.memory._memory import as_size, sprout_hollow
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._components import Components
from zbuf.buffer._dump import repr_of
from zbuf.buffer._spans import Span, Spans

if TYPE_CHECKING:
    from zbuf.buffer._allocator import Allocator

__all__ = ["CompositeByteBuf"]

COMPACT = int(CopyReason.COMPACT)


@cython.no_gc
@cython.cclass
class CompositeByteBuf(Components):
    """Several buffers seen as one, without copying them.

    Made by `composite()`, `wrap()` of several parts, or an allocator. Ownership: append, prepend, extend and
    insert_component transfer: they take the readable bytes the part has at that moment, and give up one count of its
    handle, also when they raise. Indices, numbers and searches work across the borders of components.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self._setup([], sys.maxsize)

    # Putting in.

    def append(self, part: "ByteBuf | Buffer") -> None:
        """Add the readable bytes of `part` at the end; they are readable at once.

        Unwritten space behind the writer index is cut off first. A composite is taken apart into its spans; an empty
        part adds none. Ownership: transfers, also when it raises. Cost: one span per component, no bytes.
        Raises: CapacityError past max_capacity, ReadOnlyError, ReferenceCountError, TypeError; ValueError for the
        composite itself, which is not taken; the composite is unchanged. Source: ours; Netty leaves them unreadable."""
        if isinstance(part, Spans):
            spans = self._take_part(part, False)
            if spans:
                self._add(spans)
            return
        span = take_span(part)
        self._check_room(span.length, False)
        if span.length == 0:
            return
        if self._capacity == self._writer:
            self._push_one(span)
            self._writer = self._capacity
        else:
            self._add([span])

    def extend(self, parts: "Iterable[ByteBuf | Buffer]") -> None:
        """Append every part in turn.

        Ownership: transfers all: when one fails, it and all later ones are released, and earlier ones stay.
        Raises: as append."""
        listed = list(parts)
        count = len(listed)
        if count == 0:
            self._check_writable()
            return
        taken: list[Span] = []
        n = i = sure = 0
        try:
            while i < count:
                part = listed[i]
                i += 1
                if part is self:
                    raise itself()
                if isinstance(part, Spans):
                    taken += take_spans(part)
                    for span in taken[sure:]:
                        n += span.length
                else:
                    span = take_span(part)
                    if span.length:
                        taken.append(span)
                        n += span.length
                self._check_room(n, False)
                sure = len(taken)
            if sure:
                sure = 0
                self._add(taken)
        except BaseException:
            for rest in listed[i:]:
                if rest is not self:
                    give_up(rest)
            self._add_what_fits(taken[:sure])
            raise

    def _add_what_fits(self, taken: list[Span]) -> None:
        """Add the spans of the parts before the one that failed.

        They did fit; but taking a part may run foreign code, which may have filled or released this composite; then
        they are gone."""
        n = 0
        for span in taken:
            n += span.length
        if n and n <= self._max - self._writer:
            self._add(taken)

    def prepend(self, part: "ByteBuf | Buffer") -> None:
        """Put the readable bytes of `part` before the readable bytes; what was consumed is dropped, reader index 0.

        Ownership: transfers, also when it raises. Cost: one span per component, no bytes. Raises: as append."""
        spans = self._take_part(part, True)
        gone = self._trim_front(self._reader)
        self._writer -= self._reader
        self._reader = 0
        if spans:
            self._writer += self._insert_fitting(0, spans, gone)
        del gone

    def insert_component(self, k: int, part: "ByteBuf | Buffer") -> None:
        """Put the readable bytes of `part` before component `k`; for `num_components` it is an append.

        Where that is before the reader index both indices move with the bytes they stand at; else the bytes become
        readable where they are, and the writer index follows. Behind the writer index, unwritten space is cut off
        first, as by append. Ownership: transfers, also when it raises. Cost: one span per component, and the offsets
        of the components on the shorter side. Raises: BoundsError unless 0 <= k <= num_components; else as append.
        Source: Netty addComponent, which leaves the reader index on other bytes."""
        try:
            at = as_size(k)
        except BaseException:
            if part is not self:
                give_up(part)
            raise
        spans = self._take_part(part, False)
        there = self._count()
        if at < 0 or at > there:
            raise index_outside("component", at, there)
        if not spans:
            return
        start = self._start_of(at)
        if start > self._writer:
            self._add(spans)
            return
        gone: list[Span] = []
        n = self._insert_fitting(at, spans, gone)
        if start < self._reader:
            self._reader += n
        self._writer += n
        del gone

    def _take_part(self, part: "ByteBuf | Buffer", in_front: bool) -> list[Span]:
        """Take a part over and return its spans once they are sure to fit (`in_front`: what was read makes room)."""
        if part is self:
            raise itself()
        spans = take_spans(part)
        n = 0
        for span in spans:
            n += span.length
        self._check_room(n, in_front)
        return spans

    def _check_room(self, n: int, in_front: bool) -> None:
        """Check that this composite may take `n` more bytes."""
        if self._refcnt == 0:
            raise dead()
        if self._read_only:
            raise read_only()
        room = self._max - self._writer
        if in_front:
            room += self._reader
        if n > room:
            raise cannot_write(n, room, self._max)

    def _add(self, spans: list[Span]) -> None:
        """Make checked spans readable behind the writer index, instead of what was not written yet."""
        gone = self._trim_back(self._writer)
        self._push(spans)
        self._writer = self._capacity
        del gone

    def _insert_fitting(self, k: int, spans: list[Span], gone: list[Span]) -> int:
        """Put checked spans before component `k`, not behind the writer index, and return how many bytes they have.

        Unwritten space that would then be above the maximum is cut off; what leaves is added to `gone`."""
        n = 0
        for span in spans:
            n += span.length
        if n > self._max - self._capacity:
            gone += self._trim_back(self._max - n)
        self._insert(k, spans)
        return n

    # Taking out.

    def pop_component(self, k: int) -> ByteBuf:
        """Take component `k` out and return a handle over its bytes: reader index 0, writer index its length.

        What was before the reader index pulls it down, what was before the writer index that one; so the remaining
        bytes are read and written on as before. Ownership: the handle has the share the composite had.
        Cost: no bytes; the offsets of the components on the shorter side, so either end is O(1).
        Raises: BoundsError unless 0 <= k < num_components, ReadOnlyError. Source: Netty removeComponent."""
        k = as_size(k)
        self._check_writable()
        self._check_component(k)
        start = self._start_of(k)
        part = self._handle_on(self._spans[self._first + k])
        removed = self._remove(k)
        self._reader -= min(max(self._reader - start, 0), removed.length)
        self._writer -= min(max(self._writer - start, 0), removed.length)
        return part

    def discard_read_components(self) -> None:
        """Let go of the components that lie wholly before the reader index; the indices follow. Copies nothing.

        When all was read, everything up to the writer index goes, and both indices are 0; space behind it stays
        writable. Raises: ReadOnlyError. Source: Netty discardReadComponents."""
        self._check_writable()
        before = self._capacity
        if self._reader == self._writer:
            gone = self._trim_front(self._reader)
        else:
            gone = self._drop_spans_before(self._reader)
        dropped = before - self._capacity
        self._reader -= dropped
        self._writer -= dropped
        del gone

    def discard_read_bytes(self) -> None:
        """Let go of everything before the reader index, which becomes 0: whole components, and the front of one.

        Copies nothing. Raises: ReadOnlyError."""
        self._check_writable()
        gone = self._trim_front(self._reader)
        self._writer -= self._reader
        self._reader = 0
        del gone

    def discard_some_read_bytes(self) -> None:
        """Do what discard_read_components does. Copies nothing. Raises: ReadOnlyError."""
        self.discard_read_components()

    def clear(self) -> None:
        """Let go of all components: capacity 0, both indices 0. Allowed on read-only handles."""
        self._check_live()
        self._replace([], self._max)

    def compact(self) -> None:
        """Copy the readable bytes into one fresh component and let go of all others; works on read-only handles.

        Afterwards reader index 0, writer index and capacity the length; what could not grow still cannot.
        Cost: readable_bytes copied (COMPACT)."""
        self._check_live()
        n = self._writer - self._reader
        ceiling = n if self._max == self._capacity else self._max
        spans: list[Span] = []
        if n:
            memory = self._lease(n)
            charge(COMPACT, n)
            self._spill(self._reader, n, memory.base, 0)
            spans.append(make_span(memory, 0, n, False))
        self._replace(spans, ceiling)

    # Derived handles hold their own spans.

    def _part(self, start: int, n: int) -> ByteBuf:
        if n:
            self._seek(start)
            if n <= self._hi - start:
                return self._handle(self._memory, start + self._shift, n, self._whi == 0)
        return composite_of(self._spans_of(start, n), self._allocator, self._read_only, n)

    def _twin(self, model: ByteBuf, read_only: bool) -> ByteBuf:
        twin = composite_of(self._spans_of(0, self._capacity), self._allocator, read_only, self._max)
        twin._reader = self._reader
        twin._writer = self._writer
        return twin

    def _cut(self, start: int, n: int) -> ByteBuf:
        ceiling = n if self._max == self._capacity else self._max
        part = composite_of(self._spans_of(start, n), self._allocator, self._read_only, ceiling)
        part._reader = part._writer = 0
        return part

    def _drop_front(self, n: int) -> None:
        fixed = self._max == self._capacity
        gone = self._trim_front(n)
        if fixed:
            self._max -= n
        self._writer -= n
        self._reader = 0
        del gone

    def _drop_back(self, n: int) -> None:
        fixed = self._max == self._capacity
        gone = self._trim_back(n)
        if fixed:
            self._max = n
        del gone

    def move(self) -> ByteBuf:
        """Return a new handle with the same bytes and indices, and give up one count of this one.

        Ownership: transfers: with count 1 this handle is dead afterwards. Cost: one handle, and with a count above 1
        one span per component; no bytes."""
        if self._refcnt == 0:
            raise dead()
        if self._refcnt > 1:
            self._refcnt -= 1
            return self._twin(self, self._read_only)
        moved: CompositeByteBuf = sprout_hollow(MODEL, HOLLOW)
        moved._allocator = self._allocator
        moved._read_only = self._read_only
        moved._scratch = None
        moved._spans = self._spans
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
        return repr_of(self, self._refcnt, sys.maxsize, self._count())


MODEL = CompositeByteBuf.__new__(CompositeByteBuf)  # what composites are cloned from; its object fields are None
HOLLOW = 2  # so many object fields a composite has more than a window: the list of spans, the scratch block


def composite_of(
    spans: list[Span], allocator: "Allocator", read_only: bool, max_capacity: int = sys.maxsize
) -> CompositeByteBuf:
    """Return a composite of `spans`, which lie in no other list; a read-only one refuses further parts."""
    made: CompositeByteBuf = sprout_hollow(MODEL, HOLLOW)
    made._allocator = allocator
    made._read_only = read_only
    made._setup(spans, max_capacity)
    return made


def new_composite(allocator: "Allocator", max_capacity: int) -> CompositeByteBuf:
    """Return an empty composite. For allocators. Raises: ValueError if negative."""
    ceiling = as_size(max_capacity)
    if ceiling < 0:
        raise negative("max_capacity", ceiling)
    return composite_of([], allocator, False, ceiling)


def itself() -> ValueError:
    """Return the error for a composite that is to become its own part."""
    return ValueError("a composite cannot be part of itself")
