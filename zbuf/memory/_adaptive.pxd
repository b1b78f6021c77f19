cimport cython

from zbuf.memory._memory cimport as_size

cdef class AdaptiveSize:
    cdef readonly list sizes
    cdef Py_ssize_t _at
    cdef Py_ssize_t _most
    cdef Py_ssize_t _small
    cdef bint _was_small
    cdef readonly Py_ssize_t size

    cdef int _move(self, Py_ssize_t at) except -1
    cpdef record(self, Py_ssize_t received)
