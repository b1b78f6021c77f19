cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._growth cimport calculate_new_capacity
from zbuf.buffer._indices cimport read_only
from zbuf.buffer._spans cimport Span, Spans, make_span
from zbuf.memory._memory cimport EMPTY, Memory, allocate, base_of, blank, copy, references

cdef Py_ssize_t SCRATCH
cdef Py_ssize_t SPAN_SOLE

@cython.no_gc
cdef class Scattered(Spans):
    @cython.locals(span=Span)
    cdef int _show(self, Py_ssize_t k) except -1
    @cython.locals(scratch=Memory, k=Py_ssize_t, here=Py_ssize_t, span=Span)
    cdef Py_ssize_t _locate(self, Py_ssize_t index, Py_ssize_t n) except -1
    @cython.locals(k=Py_ssize_t, span=Span)
    cdef Py_ssize_t _locate_writable(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Memory _scratch_block(self)
    cdef int _look_at_scratch(self, Memory scratch) except -1

    @cython.locals(scratch=Memory, k=Py_ssize_t, at=Py_ssize_t, skip=Py_ssize_t, some=Py_ssize_t, span=Span)
    cdef int _settle(self, Py_ssize_t index, Py_ssize_t n) except -1
    @cython.locals(k=Py_ssize_t, skip=Py_ssize_t, some=Py_ssize_t, span=Span)
    cdef int _spill(self, Py_ssize_t index, Py_ssize_t n, unsigned char *base, Py_ssize_t to) except -1
    @cython.locals(data=bytes)
    cdef bytes _copy_out(self, Py_ssize_t index, Py_ssize_t n, int reason)
    @cython.locals(
        views=list, k=Py_ssize_t, skip=Py_ssize_t, found=Py_ssize_t, some=Py_ssize_t, span=Span, first=Span
    )
    cdef list _views(self, Py_ssize_t at, Py_ssize_t end, Py_ssize_t count, Py_ssize_t limit)
    @cython.locals(k=Py_ssize_t, end=Py_ssize_t, span=Span)
    cdef void _check_span_writable(self, Py_ssize_t index, Py_ssize_t n) except *

    @cython.locals(n=Py_ssize_t)
    cdef Py_ssize_t _expose(self) except -1
    @cython.locals(k=Py_ssize_t, span=Span)
    cdef bint _has_shared(self) except -1
    @cython.locals(found=list, k=Py_ssize_t, span=Span)
    cdef list _blocks(self)
    @cython.locals(k=Py_ssize_t, size=Py_ssize_t, span=Span, seen=set)
    cdef Py_ssize_t _size_of_blocks(self) except -1
    cdef bint _is_fixed(self) except -1
    @cython.locals(k=Py_ssize_t, span=Span)
    cdef bint _is_immutable(self) except -1
    @cython.locals(last=list)
    cdef int _die(self) except -1
    @cython.locals(missing=Py_ssize_t)
    cdef int _grow(self, Py_ssize_t target) except -1
    cdef int _add_room(self, Py_ssize_t n) except -1
    @cython.locals(gone=list)
    cdef int _narrow(self, Py_ssize_t n) except -1

cdef Py_ssize_t _span_holders(Span span) except -1
