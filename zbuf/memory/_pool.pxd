cimport cython

from zbuf.memory._memory cimport Block, Memory, as_size
from zbuf.memory._unpooled cimport Blocks

cdef Py_ssize_t SMALLEST
cdef Py_ssize_t LARGEST

cdef class BlockPool(Blocks):
    cdef Py_ssize_t _max_cached
    cdef bint _zero
    cdef Py_ssize_t _cached
    cdef list _stacks

    @cython.locals(k=Py_ssize_t, stack=list, block=Block)
    cpdef Memory lease(self, Py_ssize_t nbytes)
    @cython.locals(size=Py_ssize_t)
    cdef void _give_back(self, Block block) except *

@cython.locals(k=Py_ssize_t, size=Py_ssize_t)
cdef Py_ssize_t class_of(Py_ssize_t nbytes) noexcept
@cython.locals(size=Py_ssize_t)
cdef Py_ssize_t class_size(Py_ssize_t k) noexcept
