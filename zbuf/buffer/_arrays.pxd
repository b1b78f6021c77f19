cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._indices cimport index_outside, torn
from zbuf.buffer._scan cimport Scan
from zbuf.memory._memory cimport EMPTY, Memory, as_size, as_source, copy, lend

cdef int COPY
cdef int TRANSFER
cdef int GATHER
cdef object _frombuffer
cdef object _ndarray
cdef set _PLAIN
cdef dict _NAMED

cdef class Arrays(Scan):
    @cython.locals(items=Py_ssize_t, size=Py_ssize_t, n=Py_ssize_t)
    cpdef object read_array(self, object dtype, Py_ssize_t count=*)
    @cython.locals(items=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t)
    cpdef object as_array(self, object dtype=*, Py_ssize_t count=*, object index=*)
    @cython.locals(n=Py_ssize_t)
    cpdef Py_ssize_t write_array(self, object values, object dtype=*) except -1
    @cython.locals(n=Py_ssize_t)
    cdef Py_ssize_t _write_alike(self, object array, object wanted) except -1
    cdef int _make_room(self, Py_ssize_t n) except -1
    @cython.locals(at=Py_ssize_t)
    cdef int _place(self, object array, object kind, Py_ssize_t n) except -1
    cdef object _array(self, object kind, Py_ssize_t start, Py_ssize_t n, bint gather)
    @cython.locals(memory=Memory)
    cdef object _copied(self, object kind, Py_ssize_t start, Py_ssize_t n, int reason, bint read_only)
    @cython.locals(k=Py_ssize_t)
    cdef int _spill(self, Py_ssize_t index, Py_ssize_t n, unsigned char *base, Py_ssize_t to) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t, apart=bint)
    cdef object _bytes_array(self, object copy)

cdef object _kind_of(object dtype)
cdef object _other_kind_of(object dtype)
cdef bint _remember(object kind) except -1
cdef Py_ssize_t _whole_items(Py_ssize_t count, Py_ssize_t size, Py_ssize_t available) except -1
cdef object _too_many(object count, object size, object available)
