cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._components cimport Components
from zbuf.buffer._indices cimport cannot_write, dead, index_outside, negative, read_only
from zbuf.buffer._parts cimport give_up, take_span, take_spans
from zbuf.buffer._spans cimport Span, Spans, make_span
from zbuf.memory._memory cimport Memory, as_size, sprout_hollow

cdef int COMPACT
cdef int HOLLOW

@cython.no_gc
cdef class CompositeByteBuf(Components):
    @cython.locals(spans=list, span=Span)
    cpdef append(self, object part)
    @cython.locals(
        listed=list, taken=list, count=Py_ssize_t, i=Py_ssize_t, n=Py_ssize_t, sure=Py_ssize_t, span=Span
    )
    cpdef extend(self, object parts)
    @cython.locals(n=Py_ssize_t, span=Span)
    cdef int _add_what_fits(self, list taken) except -1
    @cython.locals(spans=list, gone=list)
    cpdef prepend(self, object part)
    @cython.locals(spans=list, gone=list, at=Py_ssize_t, there=Py_ssize_t, start=Py_ssize_t, n=Py_ssize_t)
    cpdef insert_component(self, object k, object part)
    @cython.locals(n=Py_ssize_t, span=Span)
    cdef Py_ssize_t _insert_fitting(self, Py_ssize_t k, list spans, list gone) except -1
    @cython.locals(spans=list, n=Py_ssize_t, span=Span)
    cdef list _take_part(self, object part, bint in_front)
    @cython.locals(room=Py_ssize_t)
    cdef int _check_room(self, Py_ssize_t n, bint in_front) except -1
    @cython.locals(gone=list)
    cdef int _add(self, list spans) except -1

    @cython.locals(start=Py_ssize_t, part=ByteBuf, removed=Span)
    cpdef ByteBuf pop_component(self, Py_ssize_t k)
    @cython.locals(before=Py_ssize_t, dropped=Py_ssize_t, gone=list)
    cpdef discard_read_components(self)
    @cython.locals(gone=list)
    cpdef discard_read_bytes(self)
    @cython.locals(n=Py_ssize_t, ceiling=Py_ssize_t, spans=list, memory=Memory)
    cpdef compact(self)

    @cython.locals(twin=CompositeByteBuf)
    cdef ByteBuf _twin(self, ByteBuf model, bint read_only)
    @cython.locals(part=CompositeByteBuf)
    cdef ByteBuf _cut(self, Py_ssize_t start, Py_ssize_t n)
    @cython.locals(gone=list, fixed=bint)
    cdef int _drop_front(self, Py_ssize_t n) except -1
    @cython.locals(gone=list, fixed=bint)
    cdef int _drop_back(self, Py_ssize_t n) except -1
    @cython.locals(moved=CompositeByteBuf)
    cpdef ByteBuf move(self)

cdef CompositeByteBuf MODEL

@cython.locals(made=CompositeByteBuf)
cdef CompositeByteBuf composite_of(list spans, object allocator, bint read_only, Py_ssize_t max_capacity=*)
@cython.locals(ceiling=Py_ssize_t)
cpdef CompositeByteBuf new_composite(object allocator, object max_capacity)
cdef object itself()
