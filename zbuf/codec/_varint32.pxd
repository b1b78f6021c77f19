# C types for _varint32.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._base cimport DecoderCore
from zbuf.codec._length_field cimport PrependerCore
from zbuf.memory._memory cimport set_offset, store_8, to_bytes

cdef int MOST_BYTES
cdef int LAST_BITS
cdef Py_ssize_t MOST
cdef object _NEED_DATA

cdef class Varint32Core(DecoderCore):
    cdef readonly Py_ssize_t max_frame_length
    cdef Py_ssize_t _skip
    cdef bint _overridden

    cdef object _parse(self, ByteBuf buf)
    @cython.locals(readable=Py_ssize_t, value=Py_ssize_t, size=Py_ssize_t, byte=Py_ssize_t)
    cdef object _frame(self, ByteBuf buf)
    @cython.locals(n=Py_ssize_t)
    cdef bint _skip_some(self, ByteBuf buf) except -1
    cdef object _too_long(self, ByteBuf buf, Py_ssize_t size, Py_ssize_t value)


cdef class VarintPrependerCore(PrependerCore):
    @cython.locals(head=ByteBuf)
    cdef ByteBuf header(self, Py_ssize_t n, object alloc)
    @cython.locals(size=Py_ssize_t)
    cdef bytes header_bytes(self, Py_ssize_t n)
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _write(self, unsigned char *base, Py_ssize_t at, Py_ssize_t value) noexcept

cdef int check_size(Py_ssize_t n) except -1
