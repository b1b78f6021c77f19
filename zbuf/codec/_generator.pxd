# C types for _generator.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._base cimport DecoderCore

cdef object _NEED_DATA
cdef int MOST_IDLE

cdef class Need:
    cdef readonly Py_ssize_t n


cdef class Skip(Need):
    pass


cdef class NeedUntil:
    cdef readonly bytes delimiter
    cdef readonly Py_ssize_t most
    cdef readonly bint strip


cdef class GeneratorCore(DecoderCore):
    cdef Py_ssize_t _longest
    cdef object _steps
    cdef object _request
    cdef object _rest
    cdef Py_ssize_t _searched
    cdef Py_ssize_t _dropped
    cdef Py_ssize_t _spent
    cdef bint _begun

    @cython.locals(idle=int, before=Py_ssize_t)
    cdef object _run(self, ByteBuf buf)
    cdef int _start(self) except -1
    cdef int _forget(self, bint close) except -1
    @cython.locals(need=Need)
    cdef object _answer(self, ByteBuf buf)
    cdef object _take_bytes(self, ByteBuf buf, Py_ssize_t n)
    @cython.locals(most=Py_ssize_t, n=Py_ssize_t, size=Py_ssize_t, least=Py_ssize_t)
    cdef object _until(self, ByteBuf buf, NeedUntil request)
    cdef int _hand_out(self, Py_ssize_t n) except -1
    @cython.locals(at=Py_ssize_t)
    cdef Py_ssize_t _find(self, ByteBuf buf, bytes delimiter) except -2
    @cython.locals(n=Py_ssize_t)
    cdef bint _skip(self, ByteBuf buf, Py_ssize_t total) except -1
    @cython.locals(n=Py_ssize_t, size=Py_ssize_t, done=bint, need=Need, until=NeedUntil)
    cdef bint _drop_rest(self, ByteBuf buf) except -1
