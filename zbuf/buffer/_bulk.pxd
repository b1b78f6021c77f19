cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._indices cimport cannot_read, negative, torn
from zbuf.buffer._setters cimport Setters
from zbuf.memory._memory cimport (
    as_size,
    as_source,
    as_target,
    copy,
    fill,
    get,
    put,
    source_size,
    to_bytes,
)

cdef int TRANSFER
cdef int GATHER
cdef object STRUCT
cdef dict _LAYOUTS

cdef class Bulk(Setters):
    cpdef bytes get_bytes(self, Py_ssize_t index, Py_ssize_t length)
    cpdef bytes read_bytes(self, Py_ssize_t length)
    cpdef set_zero(self, Py_ssize_t index, Py_ssize_t length)
    cpdef write_zero(self, Py_ssize_t length)

    @cython.locals(start=Py_ssize_t, n=Py_ssize_t, size=Py_ssize_t)
    cdef Py_ssize_t _into_view(self, Py_ssize_t index, object dst, object dst_index, object length, bint read) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cdef Py_ssize_t _into_buffer(self, Py_ssize_t index, Bulk dst, object dst_index, object length, bint read) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t, size=Py_ssize_t)
    cdef Py_ssize_t _from_source(self, Py_ssize_t index, object src, object src_index, object length, bint write) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t, available=Py_ssize_t)
    cdef Py_ssize_t _from_buffer(self, Py_ssize_t index, Bulk src, object src_index, object length, bint write) except -1
    @cython.locals(k=Py_ssize_t)
    cdef bytes _copy_out(self, Py_ssize_t index, Py_ssize_t n, int reason)
    @cython.locals(k=Py_ssize_t)
    cdef int _copy_to_view(self, Py_ssize_t index, object dst, Py_ssize_t start, Py_ssize_t n) except -1
    @cython.locals(k=Py_ssize_t)
    cdef int _copy_from_source(self, Py_ssize_t index, object src, Py_ssize_t start, Py_ssize_t n) except -1
    @cython.locals(k=Py_ssize_t)
    cdef void _copy_to_buffer(self, Py_ssize_t index, Bulk dst, Py_ssize_t start, Py_ssize_t n) except *
    cdef bint _is_apart(self) except -1
    @cython.locals(k=Py_ssize_t)
    cdef int _fill(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef int _check_readable(self, Py_ssize_t n) except -1
    @cython.locals(size=Py_ssize_t)
    cpdef object get_struct(self, Py_ssize_t index, object fmt)
    @cython.locals(size=Py_ssize_t)
    cpdef object read_struct(self, object fmt)
    cdef object _unpack(self, object layout, Py_ssize_t index, Py_ssize_t size)
    @cython.locals(rest=cython.ulonglong, size=Py_ssize_t, at=Py_ssize_t)
    cpdef object write_varint(self, object value)
    @cython.locals(seen=Py_ssize_t, byte=cython.ulonglong)
    cdef object _scan_varint(self, Py_ssize_t index)

cdef int _check_part(Py_ssize_t start, Py_ssize_t n, Py_ssize_t size, str name) except -1
cdef object _layout(object fmt)
cdef object _struct_of(object fmt)
