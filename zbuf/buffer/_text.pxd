cimport cython

from zbuf.buffer._indices cimport index_outside, torn
from zbuf.buffer._transfer cimport Transfer
from zbuf.memory._memory cimport as_size, as_source

cdef int TEXT
cdef Py_ssize_t PIECE
cdef Py_ssize_t SMALL

cdef class Text(Transfer):
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cpdef bint is_text(self, object index=*, object length=*, object encoding=*) except -1
    @cython.locals(k=Py_ssize_t, used=Py_ssize_t)
    cdef bint _is_utf8(self, Py_ssize_t at, Py_ssize_t end) except -1
    @cython.locals(k=Py_ssize_t)
    cdef bint _is_encoded(self, object info, Py_ssize_t at, Py_ssize_t n) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cdef tuple _range(self, object index, object length)

@cython.locals(size=Py_ssize_t, at=Py_ssize_t)
cpdef Py_ssize_t utf8_size(object text) except -1
