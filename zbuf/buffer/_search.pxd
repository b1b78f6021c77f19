cimport cython

from zbuf.buffer._text cimport Text
from zbuf.memory._memory cimport as_size, as_source, find, rfind

cdef int GATHER
cdef Py_ssize_t BORDER
cdef bytes NO_BYTE

cdef class Search(Text):
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t)
    cpdef Py_ssize_t find(self, object needle, object start=*, object end=*) except -2
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t)
    cpdef Py_ssize_t rfind(self, object needle, object start=*, object end=*) except -2
    @cython.locals(n=Py_ssize_t, start=Py_ssize_t, found=Py_ssize_t)
    cpdef Py_ssize_t bytes_before(self, object needle, object index=*, object length=*) except -2
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t)
    cdef tuple _bounds(self, object start, object end, bytes needle)
    @cython.locals(m=Py_ssize_t, k=Py_ssize_t, found=Py_ssize_t, around=bytes)
    cdef Py_ssize_t _find(self, bytes needle, Py_ssize_t at, Py_ssize_t end) except -2
    @cython.locals(m=Py_ssize_t, k=Py_ssize_t, found=Py_ssize_t)
    cdef Py_ssize_t _rfind(self, bytes needle, Py_ssize_t start, Py_ssize_t end) except -2

@cython.locals(buf=Search, value=Py_ssize_t)
cdef bytes _needle(object needle)
