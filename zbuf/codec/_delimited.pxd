# C types for _delimited.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._base cimport DecoderCore

cdef object _NEED_DATA

cdef class DelimitedCore(DecoderCore):
    cdef readonly Py_ssize_t max_frame_length
    cdef bint _strip
    cdef bint _fail_fast
    cdef bint _overridden
    cdef Py_ssize_t _keep
    cdef Py_ssize_t _shortest
    cdef Py_ssize_t _delimiter
    cdef Py_ssize_t _skipped

    cdef object _parse(self, ByteBuf buf)
    cdef Py_ssize_t _search(self, ByteBuf buf) except -2
    cdef int _consumed(self, Py_ssize_t n) except -1
    cdef object _refuse_short(self, ByteBuf buf, Py_ssize_t n)
    @cython.locals(n=Py_ssize_t, size=Py_ssize_t, frame=ByteBuf)
    cdef object _frame(self, ByteBuf buf)
    @cython.locals(gone=Py_ssize_t)
    cdef object _unfinished(self, ByteBuf buf)
    cdef int _drop_some(self, ByteBuf buf, Py_ssize_t n) except -1
    @cython.locals(length=Py_ssize_t)
    cdef object _skipped_all(self, ByteBuf buf, Py_ssize_t n)
