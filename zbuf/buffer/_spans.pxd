cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.memory._memory cimport EMPTY, Memory

cdef Py_ssize_t SLACK

@cython.final
@cython.no_gc
cdef class Span:
    cdef readonly Memory memory
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t length
    cdef readonly Py_ssize_t end
    cdef readonly bint read_only

@cython.locals(span=Span)
cdef Span make_span(Memory memory, Py_ssize_t start, Py_ssize_t length, bint read_only)

cdef Span NO_SPAN

@cython.no_gc
cdef class Spans(ByteBuf):
    cdef list _spans
    cdef Py_ssize_t _first
    cdef Py_ssize_t _origin
    cdef Py_ssize_t _shown
    cdef bint _has_read_only
    cdef Memory _scratch

    cdef int _setup(self, list spans, Py_ssize_t max_capacity) except -1
    @cython.locals(last=list)
    cdef int _replace(self, list spans, Py_ssize_t max_capacity) except -1
    @cython.locals(at=Py_ssize_t, span=Span)
    cdef Py_ssize_t _number(self, Py_ssize_t k, Py_ssize_t end) except? -1
    cdef int _hide(self) except -1
    cdef Py_ssize_t _count(self) except -1
    @cython.locals(place=Py_ssize_t, low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t, span=Span)
    cdef Py_ssize_t _span_at(self, Py_ssize_t index) except -1
    @cython.locals(span=Span)
    cdef Py_ssize_t _start_of(self, Py_ssize_t k) except -1
    @cython.locals(spans=list, k=Py_ssize_t, at=Py_ssize_t, some=Py_ssize_t, span=Span)
    cdef list _spans_of(self, Py_ssize_t start, Py_ssize_t n)

    cdef int _push_one(self, Span span) except -1
    @cython.locals(place=Py_ssize_t)
    cdef int _push(self, list spans) except -1
    @cython.locals(count=Py_ssize_t, room=Py_ssize_t, start=Py_ssize_t, k=Py_ssize_t, span=Span)
    cdef int _push_front(self, list spans) except -1
    cdef int _insert(self, Py_ssize_t k, list spans) except -1
    @cython.locals(place=Py_ssize_t, n=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t, in_front=bint, span=Span)
    cdef int _insert_between(self, Py_ssize_t k, list spans) except -1
    @cython.locals(k=Py_ssize_t, span=Span)
    cdef int _shift_ends(self, Py_ssize_t low, Py_ssize_t high, Py_ssize_t n) except -1

    @cython.locals(place=Py_ssize_t, n=Py_ssize_t, at=Py_ssize_t, removed=Span, span=Span)
    cdef Span _remove(self, Py_ssize_t k)
    @cython.locals(count=Py_ssize_t, k=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, gone=list, span=Span)
    cdef list _drop_spans_before(self, Py_ssize_t index)
    cdef int _cut_slack(self) except -1
    @cython.locals(before=Py_ssize_t, gone=list, span=Span)
    cdef list _trim_front(self, Py_ssize_t index)
    @cython.locals(k=Py_ssize_t, first=Py_ssize_t, gone=list, span=Span)
    cdef list _trim_back(self, Py_ssize_t n)
