cimport cython

from zbuf.buffer._indices cimport index_outside
from zbuf.buffer._transfer cimport Transfer
from zbuf.memory._memory cimport as_size

cdef int TEXT

cdef class Text(Transfer):
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cdef tuple _range(self, object index, object length)
