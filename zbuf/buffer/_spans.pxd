cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._growth cimport calculate_new_capacity
from zbuf.buffer._indices cimport read_only
from zbuf.memory._memory cimport EMPTY, Memory, allocate, copy, references

cdef Py_ssize_t SCRATCH
cdef Py_ssize_t SLACK

@cython.final
@cython.freelist(64)
cdef class Span:
    cdef readonly Memory memory
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t length
    cdef readonly bint read_only

cdef Span NO_SPAN
cdef Py_ssize_t SPAN_SOLE

cdef class Spans(ByteBuf):
    cdef list _spans
    cdef list _ends
    cdef Py_ssize_t _first
    cdef Py_ssize_t _origin
    cdef Py_ssize_t _shown
    cdef bint _has_read_only
    cdef Memory _scratch

    @cython.locals(end=Py_ssize_t, span=Span)
    cdef int _setup(self, list spans, Py_ssize_t max_capacity) except -1
    cdef int _hide(self) except -1
    @cython.locals(span=Span, end=Py_ssize_t)
    cdef int _show(self, Py_ssize_t k) except -1
    @cython.locals(place=Py_ssize_t, low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t, end=Py_ssize_t)
    cdef Py_ssize_t _span_at(self, Py_ssize_t index) except -1
    @cython.locals(scratch=Memory)
    cdef Py_ssize_t _locate(self, Py_ssize_t index, Py_ssize_t n) except -1
    @cython.locals(scratch=Memory, at=Py_ssize_t, k=Py_ssize_t)
    cdef int _settle(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Memory _scratch_block(self)
    cdef int _look_at_scratch(self, Memory scratch) except -1
    @cython.locals(k=Py_ssize_t, span=Span, end=Py_ssize_t)
    cdef void _check_span_writable(self, Py_ssize_t index, Py_ssize_t n) except *
    @cython.locals(n=Py_ssize_t)
    cdef Py_ssize_t _expose(self) except -1
    @cython.locals(k=Py_ssize_t)
    cdef list _spans_of(self, Py_ssize_t start, Py_ssize_t n)
    @cython.locals(end=Py_ssize_t, span=Span)
    cdef int _push(self, list spans) except -1
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, span=Span)
    cdef int _push_front(self, list spans) except -1
    @cython.locals(count=Py_ssize_t, k=Py_ssize_t, dropped=Py_ssize_t, end=Py_ssize_t)
    cdef Py_ssize_t _drop_spans_before(self, Py_ssize_t index) except -1
    @cython.locals(span=Span)
    cdef int _trim_front(self, Py_ssize_t index) except -1
    cdef bint _is_fixed(self) except -1
    cdef int _add_room(self, Py_ssize_t n) except -1
    @cython.locals(span=Span, end=Py_ssize_t)
    cdef int _narrow(self, Py_ssize_t n) except -1

cdef Py_ssize_t _span_holders(Span span) except -1
