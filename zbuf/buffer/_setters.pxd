# Written by .ci/number_grid.py.

cimport cython

from zbuf.buffer._indices cimport does_not_fit
from zbuf.buffer._peekers cimport Peekers
from zbuf.memory._memory cimport (
    as_double,
    as_long,
    as_size,
    as_value,
    fits_single,
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
    store_f32,
    store_f32_le,
    store_f64,
    store_f64_le,
    write_offset,
)

cdef long long MAX_UNSIGNED_INT

cdef class Setters(Peekers):
    cdef object _bad_value(self, long long low, long long high)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_boolean(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_byte(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_short(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_short_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_medium(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_medium_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_int(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef set_int_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.ulonglong)
    cpdef set_long(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.ulonglong)
    cpdef set_long_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef set_float(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef set_float_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef set_double(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef set_double_le(self, Py_ssize_t index, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_boolean(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_byte(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_short(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_short_le(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_medium(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_medium_le(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_int(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.longlong)
    cpdef write_int_le(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.ulonglong)
    cpdef write_long(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.ulonglong)
    cpdef write_long_le(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef write_float(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef write_float_le(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef write_double(self, object value)
    @cython.locals(at=Py_ssize_t, v=cython.double)
    cpdef write_double_le(self, object value)
