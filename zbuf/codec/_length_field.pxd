# C types for _length_field.py.

cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.codec._base cimport DecoderCore
from zbuf.memory._memory cimport (
    Memory,
    allocate,
    set_offset,
    store_8,
    store_16,
    store_16_le,
    store_24,
    store_24_le,
    store_32,
    store_32_le,
    store_64,
    store_64_le,
    to_bytes,
)

cdef object _NEED_DATA

cdef class LengthFieldCore(DecoderCore):
    cdef readonly Py_ssize_t max_frame_length
    cdef Py_ssize_t _offset
    cdef int _width
    cdef long long _adjustment
    cdef Py_ssize_t _strip
    cdef bint _little
    cdef bint _fail_fast
    cdef bint _overridden
    cdef Py_ssize_t _head
    cdef long long _base
    cdef long long _least
    cdef long long _most
    cdef Py_ssize_t _skip
    cdef object _late

    cdef object _parse(self, ByteBuf buf)
    @cython.locals(readable=Py_ssize_t, size=Py_ssize_t, value="long long")
    cdef object _frame(self, ByteBuf buf)
    @cython.locals(width=int, value="long long")
    cdef long long _length_at(self, ByteBuf buf, Py_ssize_t index) except -2
    @cython.locals(n=Py_ssize_t)
    cdef bint _skip_some(self, ByteBuf buf) except -1
    cdef object _out_of_range(self, ByteBuf buf, long long value)
    @cython.locals(n=Py_ssize_t)
    cdef int _discard(self, ByteBuf buf, object size) except -1


cdef class PrependerCore:
    cdef int _width
    cdef long long _adjustment
    cdef long long _most
    cdef bint _little

    cdef Memory _scratch

    @cython.locals(value="long long", head=ByteBuf)
    cdef ByteBuf header(self, Py_ssize_t n, object alloc)
    @cython.locals(value="long long")
    cdef bytes header_bytes(self, Py_ssize_t n)
    @cython.locals(width=int)
    cdef void _put(self, unsigned char *base, Py_ssize_t at, long long value) noexcept
