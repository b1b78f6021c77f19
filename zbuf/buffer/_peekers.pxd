# Written by .ci/number_grid.py.

cimport cython

from zbuf.buffer._getters cimport Getters
from zbuf.memory._memory cimport (
    load_bool,
    load_f32,
    load_f32_le,
    load_f64,
    load_f64_le,
    load_i8,
    load_i16,
    load_i16_le,
    load_i24,
    load_i24_le,
    load_i32,
    load_i32_le,
    load_i64,
    load_i64_le,
    load_u8,
    load_u16,
    load_u16_le,
    load_u24,
    load_u24_le,
    load_u32,
    load_u32_le,
    load_u64,
    load_u64_le,
    peek_offset,
)

cdef class Peekers(Getters):
    @cython.locals(at=Py_ssize_t)
    cpdef bint peek_boolean(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_byte(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_unsigned_byte(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_short(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_short_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_unsigned_short(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_unsigned_short_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_medium(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_medium_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_unsigned_medium(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int peek_unsigned_medium_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_int(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_int_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_unsigned_int(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_unsigned_int_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_long(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long peek_long_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long peek_unsigned_long(self) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long peek_unsigned_long_le(self) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef double peek_float(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double peek_float_le(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double peek_double(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double peek_double_le(self) except? -1.0
