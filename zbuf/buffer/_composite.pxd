cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf, SlicedByteBuf
from zbuf.buffer._indices cimport cannot_write, dead, index_outside, negative, read_only
from zbuf.buffer._spans cimport Span, Spans
from zbuf.memory._memory cimport Memory, as_size, wrap_memory

cdef int CONSOLIDATE
cdef int COMPACT

cdef class CompositeByteBuf(Spans):
    @cython.locals(spans=list)
    cpdef append(self, object part)
    @cython.locals(spans=list, before=Py_ssize_t)
    cpdef prepend(self, object part)
    @cython.locals(spans=list, n=Py_ssize_t, room=Py_ssize_t, span=Span)
    cdef list _take_part(self, object part, bint in_front)
    cpdef ByteBuf component(self, Py_ssize_t k)
    @cython.locals(part=ByteBuf)
    cdef ByteBuf _handle_on(self, Span span)
    @cython.locals(run=Py_ssize_t, there=Py_ssize_t, first=Py_ssize_t, start=Py_ssize_t, n=Py_ssize_t, memory=Memory)
    cpdef consolidate(self, Py_ssize_t k=*, object count=*)
    @cython.locals(memory=Memory)
    cdef int _compact(self, Py_ssize_t n) except -1
    @cython.locals(dropped=Py_ssize_t)
    cpdef discard_read_components(self)
    @cython.locals(part=CompositeByteBuf)
    cdef CompositeByteBuf _composite_of(self, list spans, bint read_only, Py_ssize_t ceiling)
    @cython.locals(moved=CompositeByteBuf)
    cpdef ByteBuf move(self)

@cython.locals(n=Py_ssize_t, one=ByteBuf, many=CompositeByteBuf, spans=list, memory=Memory)
cdef list take_spans(object part)
cpdef give_up(object part)
@cython.locals(made=CompositeByteBuf)
cpdef CompositeByteBuf new_composite(object allocator, object max_capacity)
@cython.locals(made=CompositeByteBuf)
cdef CompositeByteBuf composite_of(list spans, object allocator, bint read_only)
