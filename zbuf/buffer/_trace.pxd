cimport cython

from zbuf.buffer._growth cimport Growth
from zbuf.memory._memory cimport EMPTY, Memory, is_watched

cdef class Trace(Growth):
    @cython.locals(memory=Memory)
    cpdef touch(self, object hint=*)
    @cython.locals(whom=Trace, side=int)
    cpdef bint shares_memory_with(self, object other) except -1
    @cython.locals(whom=Trace)
    cpdef bint shares_memory_with(self, object other) except -1
    @cython.locals(n=Py_ssize_t)
    cpdef Py_ssize_t address(self) except? -1
    cdef bint _in_one_piece(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef list _blocks(self)


@cython.locals(memory=Memory, at=Py_ssize_t)
cdef list _ranges(list blocks, int side)
