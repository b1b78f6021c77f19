cimport cython

from zbuf.buffer._indices cimport torn
from zbuf.buffer._search cimport NO_BYTE, Search, _needle, fault_of
from zbuf.memory._match cimport byte_of, find_in, is_same
from zbuf.memory._memory cimport as_size, get_offset, load_u8

cdef class Scan(Search):
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t, byte=Py_ssize_t, fault=str)
    cpdef Py_ssize_t index_of(self, Py_ssize_t from_index, Py_ssize_t to_index, Py_ssize_t value) except -2
    @cython.locals(at=Py_ssize_t, last=Py_ssize_t, m=Py_ssize_t, wanted=bytes, found=list)
    cpdef list find_all(self, object needle, object start=*, object end=*)
    @cython.locals(at=Py_ssize_t, last=Py_ssize_t, m=Py_ssize_t, wanted=bytes, n=Py_ssize_t)
    cpdef Py_ssize_t count(self, object needle, object start=*, object end=*) except -1
    @cython.locals(
        at=Py_ssize_t, last=Py_ssize_t, m=Py_ssize_t, left=Py_ssize_t, found=Py_ssize_t, wanted=bytes, pieces=list
    )
    cpdef list split_indices(self, object delimiter, object start=*, object end=*, Py_ssize_t max_pieces=*)
    @cython.locals(wanted=bytes)
    cpdef bint startswith(self, object prefix) except -1
    @cython.locals(wanted=bytes)
    cpdef bint endswith(self, object suffix) except -1
    @cython.locals(done=Py_ssize_t, k=Py_ssize_t)
    cdef bint _is_at(self, Py_ssize_t at, bytes wanted) except -1
    @cython.locals(at=Py_ssize_t, n=Py_ssize_t, end=Py_ssize_t, offset=Py_ssize_t)
    cpdef Py_ssize_t for_each_byte(self, object fn, object index=*, object length=*) except -2
    @cython.locals(at=Py_ssize_t, n=Py_ssize_t, start=Py_ssize_t, offset=Py_ssize_t)
    cpdef Py_ssize_t for_each_byte_desc(self, object fn, object index=*, object length=*) except -2
    @cython.locals(at=Py_ssize_t, last=Py_ssize_t, wanted=bytes)
    cpdef Py_ssize_t find_any(self, object values, object start=*, object end=*) except -2
    @cython.locals(at=Py_ssize_t, last=Py_ssize_t, wanted=bytes)
    cpdef Py_ssize_t find_not(self, object values, object start=*, object end=*) except -2
    @cython.locals(k=Py_ssize_t, found=Py_ssize_t)
    cdef Py_ssize_t _find_in(self, bytes table, Py_ssize_t at, Py_ssize_t end) except -2

@cython.locals(k=Py_ssize_t, table=bytearray)
cdef bytes table_of(bytes values, bint inside)
cdef str _fault_of_needle(bytes needle, str name)
cdef object _not_callable(object fn)
