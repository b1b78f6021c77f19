# C types for _base.py.

cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._composite cimport CompositeByteBuf
from zbuf.codec._cumulation cimport MERGE, in_one_piece, join, reclaimed

cdef object _NEED_DATA

cdef class DecoderCore:
    cdef ByteBuf _held
    cdef object _stash
    cdef readonly object limits
    cdef Py_ssize_t _want
    cdef Py_ssize_t _count
    cdef Py_ssize_t _max_messages
    cdef public Py_ssize_t _max_frame
    cdef Py_ssize_t _max_buffered
    cdef Py_ssize_t _copy_below
    cdef int _how
    cdef bint _mine
    cdef bint _parsing

    @cython.locals(n=Py_ssize_t)
    cdef int accept(self, ByteBuf data) except -1
    @cython.locals(n=Py_ssize_t, waiting=Py_ssize_t, held=ByteBuf)
    cdef int _accept_cold(self, ByteBuf data) except -1
    @cython.locals(before=Py_ssize_t, consumed=Py_ssize_t, held=ByteBuf)
    cdef object take(self)
    @cython.locals(left=Py_ssize_t)
    cdef object _starved(self, ByteBuf held)
    cdef int _judge(self, object message, Py_ssize_t consumed) except -1
    cdef object _take_past_count(self)
    cdef object _stash_or_need(self)
    cdef int _settle(self, ByteBuf held) except -1
    @cython.locals(held=ByteBuf)
    cdef int _drop(self) except -1
    cdef object _parse(self, ByteBuf buf)


cdef class _Messages:
    cdef object _next
