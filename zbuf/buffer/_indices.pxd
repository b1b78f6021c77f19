cimport cython

from zbuf.memory._memory cimport EMPTY, Memory, Window, as_size, let_go, references

cdef class Indices(Window):
    cpdef set_index(self, Py_ssize_t reader, Py_ssize_t writer)
    cpdef bint can_read(self, Py_ssize_t n) except -1
    cpdef bint can_write(self, Py_ssize_t n) except -1
    cpdef skip_bytes(self, Py_ssize_t length)
    cpdef bint release(self, Py_ssize_t n=*) except -1

    cdef int _die(self) except -1
    cdef int _look_at(self, Memory memory, Py_ssize_t shift, Py_ssize_t n) except -1
    @cython.locals(offset=Py_ssize_t)
    cdef Py_ssize_t _take_cold(self, Py_ssize_t n) except -1
    cdef Py_ssize_t _peek_cold(self, Py_ssize_t n) except -1
    cdef Py_ssize_t _at_cold(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Py_ssize_t _spot_cold(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Py_ssize_t _room_cold(self, Py_ssize_t n) except -1
    cdef int _ensure(self, Py_ssize_t n) except -1
    cdef int _check_live(self) except -1
    cdef int _check_writable(self) except -1
    cdef int _check_range(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Py_ssize_t _locate(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef Py_ssize_t _locate_writable(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef int _settle(self, Py_ssize_t index, Py_ssize_t n) except -1
    cdef int _seek(self, Py_ssize_t index) except -1
    cdef int _seek_writable(self, Py_ssize_t index) except -1
    cdef void _check_span_writable(self, Py_ssize_t index, Py_ssize_t n) except *
    cdef int _grow(self, Py_ssize_t target) except -1
    @cython.locals(memory=Memory, last=Memory, reader=Py_ssize_t, writer=Py_ssize_t, capacity=Py_ssize_t)
    cdef Memory _lease(self, Py_ssize_t n)
    cdef Py_ssize_t _holders(self) except -1
    cdef bint _is_sole(self) except -1

cdef Py_ssize_t SOLE
cdef Py_ssize_t _count_of_sole_holder() except -1
cdef object dead()
cdef object read_only()
cdef object negative(str name, Py_ssize_t value)
cdef object torn()
cdef object bad_block(Py_ssize_t n)
cdef object index_outside(str name, Py_ssize_t value, Py_ssize_t largest)
cdef object cannot_read(Py_ssize_t n, Py_ssize_t available)
cdef object cannot_write(Py_ssize_t n, Py_ssize_t available, Py_ssize_t max_capacity)
cdef object does_not_fit(object value, object low, object high)
