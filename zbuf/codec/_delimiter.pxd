# C types for _delimiter.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._delimited cimport DelimitedCore

cdef class DelimiterCore(DelimitedCore):
    cdef list _delimiters
    cdef list _searched
    cdef list _found
    cdef bint _overlap

    @cython.locals(readable=Py_ssize_t, first=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t)
    cdef Py_ssize_t _search(self, ByteBuf buf) except -2
    @cython.locals(delimiter=bytes, start=Py_ssize_t, at=Py_ssize_t)
    cdef Py_ssize_t _look_for(self, ByteBuf buf, Py_ssize_t i, Py_ssize_t readable) except -2
    @cython.locals(delimiter=bytes, there=bytes, at=Py_ssize_t)
    cdef bint _may_change(self, ByteBuf buf, Py_ssize_t first, Py_ssize_t readable) except -1
    @cython.locals(searched=Py_ssize_t, found=Py_ssize_t, i=Py_ssize_t)
    cdef int _consumed(self, Py_ssize_t n) except -1
