# C types for _read_loop.py.

cimport cython

from zbuf.audit._meter cimport RECV, Account
from zbuf.buffer._bytebuf cimport ByteBuf, adopt
from zbuf.memory._adaptive cimport AdaptiveSize
from zbuf.memory._memory cimport Memory
from zbuf.memory._pool cimport BlockPool
from zbuf.pipeline._pipeline cimport Pipeline
from zbuf.transport._calls cimport ZB_AGAIN, Calls

cpdef enum:
    DRAINED = 0
    EMPTY = 1
    MORE = 2
    HELD = 3
    ENDED = 4
    FAILED = 5


cdef class ReadLoop:
    cdef Calls _calls
    cdef readonly object allocator
    cdef BlockPool _pool
    cdef Account _account
    cdef Pipeline _pipeline
    cdef readonly AdaptiveSize receive_size
    cdef readonly Py_ssize_t budget
    cdef public bint is_held
    cdef public bint one_at_a_time
    cdef public bint has_received
    cdef public int error

    @cython.locals(budget=Py_ssize_t, size=Py_ssize_t, n=Py_ssize_t, memory=Memory)
    cpdef int run(self) except -1
