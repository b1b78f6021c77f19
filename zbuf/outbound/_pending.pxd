cimport cython

from zbuf.memory._memory cimport as_size

cdef Py_ssize_t OVERHEAD

cdef class Pending:
    cdef Py_ssize_t _low
    cdef Py_ssize_t _high
    cdef object _file_high
    cdef Py_ssize_t _pending
    cdef object _pending_file
    cdef Py_ssize_t _messages
    cdef Py_ssize_t _regions
    cdef bint _is_high
    cdef unsigned int _blocked
    cdef object _failure
    cdef list _notices
    cdef bint _delivering
    cdef Py_ssize_t _bytes_limit
    cdef Py_ssize_t _entry_limit
    cdef Py_ssize_t _region_limit
    cdef Py_ssize_t _patience
    cdef public object on_writability

    cdef int _set_marks(self, object low, object high, object file_high) except -1
    cdef int _set_caps(self, object nbytes, object entries, object regions) except -1
    cdef bint _files_are_high(self) except -1
    cdef int _rise(self) except -1
    cdef void _fall(self) except *
    cdef bint _has_room(self, Py_ssize_t size) except -1
    cdef object _refusal(self, Py_ssize_t size)
    @cython.locals(told=Py_ssize_t)
    cdef void _deliver(self) except *

cdef object _limit_reached(str limit, Py_ssize_t maximum, Py_ssize_t value)
