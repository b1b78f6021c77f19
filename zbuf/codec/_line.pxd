# C types for _line.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._delimited cimport DelimitedCore

cdef bytes LF
cdef int CR

cdef class LineCore(DelimitedCore):
    cdef Py_ssize_t _searched

    @cython.locals(at=Py_ssize_t, n=Py_ssize_t)
    cdef Py_ssize_t _search(self, ByteBuf buf) except -2
    cdef int _consumed(self, Py_ssize_t n) except -1
    cdef object _refuse_short(self, ByteBuf buf, Py_ssize_t n)
