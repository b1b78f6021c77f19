# C types for _read_loop.py.

from zbuf.audit._meter cimport Account
from zbuf.memory._memory cimport Memory
from zbuf.transport._calls cimport Calls

cpdef enum:
    DRAINED = 0
    EMPTY = 1
    MORE = 2
    HELD = 3
    ENDED = 4
    FAILED = 5


cdef class ReceiveSize:
    cdef readonly list sizes
    cdef Py_ssize_t _at
    cdef Py_ssize_t _least
    cdef Py_ssize_t _most
    cdef Py_ssize_t _next
    cdef Py_ssize_t _small
    cdef bint _was_small
    cdef readonly Py_ssize_t size

    cdef int _move(self, Py_ssize_t at) except -1
    cpdef int record(self, Py_ssize_t received) except -1


cdef class ReadLoop:
    cdef Calls _calls
    cdef readonly object allocator
    cdef Account _account
    cdef object _pipeline
    cdef readonly ReceiveSize receive_size
    cdef readonly Py_ssize_t budget
    cdef public bint is_held
    cdef public bint one_at_a_time
    cdef readonly bint has_received
    cdef readonly int error

    cpdef int run(self) except -1
