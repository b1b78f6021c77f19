cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport SLICE, ByteBuf
from zbuf.buffer._indices cimport index_outside, negative
from zbuf.buffer._scattered cimport Scattered
from zbuf.buffer._spans cimport Span, make_span
from zbuf.memory._memory cimport Memory, as_size, sprout

cdef int CONSOLIDATE

@cython.no_gc
cdef class Components(Scattered):
    cpdef ByteBuf component(self, Py_ssize_t k)
    cpdef ByteBuf component_at_offset(self, Py_ssize_t offset)
    cpdef Py_ssize_t to_component_index(self, Py_ssize_t offset) except -1
    cpdef Py_ssize_t to_byte_index(self, Py_ssize_t k) except -1
    @cython.locals(parts=list, k=Py_ssize_t, skip=Py_ssize_t, some=Py_ssize_t, span=Span)
    cpdef list decompose(self, Py_ssize_t offset, Py_ssize_t length)
    @cython.locals(
        run=Py_ssize_t, there=Py_ssize_t, place=Py_ssize_t, start=Py_ssize_t, n=Py_ssize_t, memory=Memory, joined=Span,
        at=Py_ssize_t, span=Span, gone=list
    )
    cpdef consolidate(self, Py_ssize_t k=*, object count=*)
    cdef int _check_component(self, Py_ssize_t k) except -1
    cdef int _check_offset(self, Py_ssize_t offset) except -1
    cdef ByteBuf _handle_on(self, Span span)
    @cython.locals(part=ByteBuf)
    cdef ByteBuf _handle(self, Memory memory, Py_ssize_t start, Py_ssize_t n, bint read_only)
