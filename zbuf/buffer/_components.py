# cython: nonecheck=False, wraparound=False
# (the objects whose fields are read here are self, its own spans, and handles that were made here)
"""The components of a composite as its user sees them: each one a span, shown by a handle.

Owns    looking at components: how many, which one, where it starts, which one holds a byte; joining a run of them.
Never   a component put in or taken out: `_composite.py` has that.
Always  a handle handed out shows exactly its span and has its own share: nothing that happens to the composite later
        can disturb it.
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
    from zbuf.buffer._bytebuf import SLICE
    from zbuf.buffer._indices import index_outside, negative
    from zbuf.buffer._spans import make_span
    from zbuf.memory._memory import as_size, sprout
from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._scattered import Scattered
from zbuf.buffer._spans import Span
from zbuf.errors import UsageError
from zbuf.memory._memory import Memory

__all__ = ["Components"]

CONSOLIDATE = int(CopyReason.CONSOLIDATE)


@cython.no_gc
@cython.cclass
class Components(Scattered):
    """What can be asked about components, by number or by offset."""

    __slots__ = ()

    @property
    def num_components(self) -> int:
        """How many components there are."""
        self._check_live()
        return self._count()

    def component(self, k: int) -> ByteBuf:
        """Return a handle over exactly the span of component `k`: reader index 0, writer index its length.

        Ownership: shares. Raises: BoundsError. Source: Netty component, which may show a wrong range."""
        k = as_size(k)
        self._check_component(k)
        return self._handle_on(self._spans[self._first + k])

    def components(self) -> list[ByteBuf]:
        """Return a handle for each component, as they stand now. Ownership: shares."""
        self._check_live()
        handles: list[ByteBuf] = []  # no comprehension: see copied()
        for k in range(self._first, len(self._spans)):
            handles.append(self._handle_on(self._spans[k]))
        return handles

    def component_at_offset(self, offset: int) -> ByteBuf:
        """Return a handle over the component that holds the byte at absolute `offset`, all of it, as component().

        Ownership: shares. Cost: O(log n). Raises: BoundsError unless 0 <= offset < capacity."""
        offset = as_size(offset)
        self._check_offset(offset)
        return self._handle_on(self._spans[self._span_at(offset)])

    def to_component_index(self, offset: int) -> int:
        """Return the number of the component that holds the byte at absolute `offset`.

        Cost: O(log n). Raises: BoundsError unless 0 <= offset < capacity. Source: Netty toComponentIndex."""
        offset = as_size(offset)
        self._check_offset(offset)
        return self._span_at(offset) - self._first

    def to_byte_index(self, k: int) -> int:
        """Return the absolute index of the first byte of component `k`.

        Raises: BoundsError unless 0 <= k < num_components. Source: Netty toByteIndex."""
        k = as_size(k)
        self._check_component(k)
        return self._start_of(k)

    def decompose(self, offset: int, length: int) -> list[ByteBuf]:
        """Return a handle for each component's part of [offset, offset + length): together exactly that range.

        A length of 0 gives []. Ownership: shares; each handle can be released alone. Cost: one handle per component.
        Raises: BoundsError if it leaves the capacity, ValueError if negative. Source: Netty decompose."""
        offset = as_size(offset)
        length = as_size(length)
        self._check_range(offset, length)
        parts: list[ByteBuf] = []
        k = self._span_at(offset) if length else 0
        while length:
            span = self._spans[k]
            skip = offset + self._origin - span.end + span.length
            some = min(length, span.length - skip)
            parts.append(self._handle(span.memory, span.start + skip, some, self._read_only or span.read_only))
            offset += some
            length -= some
            k += 1
        return parts

    def consolidate(self, k: int = 0, count: int | None = None) -> None:
        """Join components k .. k + count - 1, by default all from `k`, into one fresh component.

        Bytes and indices stay; a run of 0 or 1 is left alone. Cost: its bytes, once (CONSOLIDATE).
        Raises: ReadOnlyError, BoundsError, ValueError if negative. Source: Netty consolidate."""
        k = as_size(k)
        run = 0 if count is None else as_size(count)
        self._check_writable()
        there = self._count()
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
        start = self._start_of(k)
        n = self._start_of(k + run) - start
        memory = self._lease(n)
        if self._count() != there:
            raise UsageError("the allocator changed the buffer that it allocated for")
        charge(CONSOLIDATE, n)
        self._spill(start, n, memory.base, 0)
        self._hide()
        place = self._first + k
        joined = make_span(memory, 0, n, False)
        joined.end = start + n + self._origin
        gone = self._spans[place : place + run]
        self._spans[place : place + run] = [joined]
        self._has_read_only = False
        for at in range(self._first, len(self._spans)):  # makes no object: it must not fail half way
            span = self._spans[at]
            if span.read_only:
                self._has_read_only = True
        del gone  # at the end of its memory foreign code may run, which must find the composite whole

    def _check_component(self, k: int) -> None:
        self._check_live()
        if k < 0 or k >= self._count():
            raise index_outside("component", k, self._count() - 1)

    def _check_offset(self, offset: int) -> None:
        self._check_live()
        if offset < 0 or offset >= self._capacity:
            raise index_outside("offset", offset, self._capacity - 1)

    def _handle_on(self, span: Span) -> ByteBuf:
        return self._handle(span.memory, span.start, span.length, self._read_only or span.read_only)

    def _handle(self, memory: Memory, start: int, n: int, read_only: bool) -> ByteBuf:
        """Return a slice of `n` bytes at `start` of `memory`, all of them readable."""
        part: ByteBuf = sprout(SLICE, SLICE)
        part._allocator = self._allocator
        part._read_only = read_only
        part._look_at(memory, start, n)
        part._writer = part._capacity = part._max = n
        return part
