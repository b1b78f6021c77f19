# C types for _adapters.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._base cimport DecoderCore
from zbuf.codec._length_field cimport PrependerCore
from zbuf.pipeline._context cimport Context, Ends, Inner

cdef object _NEED_DATA
cdef int READ
cdef int INACTIVE
cdef int EVENT

cdef class DecoderInner(Inner):
    cdef readonly object decoder
    cdef readonly bint close_on_error
    cdef DecoderCore _core
    cdef object _later
    cdef bint _busy
    cdef bint _wanted
    cdef bint _produced
    cdef bint _broken
    cdef bint _ended
    cdef bint _closing

    cdef void _work(self, Context ctx) except *
    @cython.locals(buf=ByteBuf)
    cdef void _feed(self, Context ctx, object msg) except *
    @cython.locals(stuck=Py_ssize_t)
    cdef bint _deliver(self, Context ctx) except -1
    @cython.locals(left=Py_ssize_t)
    cdef Py_ssize_t _report(self, Context ctx, object exc, Py_ssize_t stuck) except -2
    cdef void _next_thing(self, Context ctx) except *
    cdef void _end(self, Context ctx) except *
    cdef void _hand_on(self, Context ctx) except *
    cdef void _queue(self, int kind, object what) except *


cdef class EncodeStep:
    cdef readonly object encoder
    cdef object _accepts
    cdef PrependerCore _prepender

    cdef int write(self, Context ctx, object msg, object promise) except -1
    cdef int _write_framed(self, Context ctx, ByteBuf buf, object promise) except -1
    cdef void _write_slow(self, Context ctx, object msg, object promise) except *
    cdef void _send(self, Context ctx, list parts, object promise) except *


cdef class EncoderInner(Inner):
    cdef EncodeStep _step


cdef class CodecInner(DecoderInner):
    cdef EncodeStep _step
