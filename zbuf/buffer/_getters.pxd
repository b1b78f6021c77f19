# Written by .ci/number_grid.py.

cimport cython

from zbuf.buffer._indices cimport Indices
from zbuf.memory._memory cimport (
    as_size,
    get_offset,
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
    read_offset,
)

cdef class Getters(Indices):
    @cython.locals(at=Py_ssize_t)
    cpdef bint get_boolean(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_byte(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_unsigned_byte(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_short(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_short_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_unsigned_short(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_unsigned_short_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_medium(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_medium_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_unsigned_medium(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int get_unsigned_medium_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_int(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_int_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_unsigned_int(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_unsigned_int_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_long(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long get_long_le(self, Py_ssize_t index) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long get_unsigned_long(self, Py_ssize_t index) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long get_unsigned_long_le(self, Py_ssize_t index) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef double get_float(self, Py_ssize_t index) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double get_float_le(self, Py_ssize_t index) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double get_double(self, Py_ssize_t index) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double get_double_le(self, Py_ssize_t index) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef bint read_boolean(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_byte(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_unsigned_byte(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_short(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_short_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_unsigned_short(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_unsigned_short_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_medium(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_medium_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_unsigned_medium(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef int read_unsigned_medium_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_int(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_int_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_unsigned_int(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_unsigned_int_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_long(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef long long read_long_le(self) except? -1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long read_unsigned_long(self) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef unsigned long long read_unsigned_long_le(self) except? 1
    @cython.locals(at=Py_ssize_t)
    cpdef double read_float(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double read_float_le(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double read_double(self) except? -1.0
    @cython.locals(at=Py_ssize_t)
    cpdef double read_double_le(self) except? -1.0
