# C types for _write_loop.py.

cimport cython

from zbuf.audit._meter cimport SEND, SENDMSG, Account
from zbuf.outbound._plan cimport InlineFile, Nothing, OpenFile, SendBuffers, SendFile
from zbuf.outbound._queue cimport OutboundQueue
from zbuf.transport._calls cimport ZB_AGAIN, ZB_MORE, Calls

cpdef enum:
    DONE = 0
    BLOCKED = 1
    UNFINISHED = 2
    BROKEN = 3
    BUSY = 4


cdef class WriteLoop:
    cdef Calls _calls
    cdef OutboundQueue _queue
    cdef Account _account
    cdef readonly object _files
    cdef readonly Py_ssize_t budget
    cdef readonly Py_ssize_t file_budget
    cdef public bint is_running
    cdef public object failure
    cdef bint _is_corked
    cdef Py_ssize_t _file_budget_left
    cdef bint _region_failure_closes

    cpdef int run(self) except -1
    @cython.locals(budget=Py_ssize_t, offered=Py_ssize_t, n=Py_ssize_t, buffers=SendBuffers)
    cdef int _run(self) except -1
    @cython.locals(flags=int, views=list, n=Py_ssize_t)
    cdef Py_ssize_t _send(self, SendBuffers plan) except? -1
    cdef int _fail(self, Py_ssize_t number, object views) except -1
    @cython.locals(count=Py_ssize_t, n=Py_ssize_t)
    cdef int _send_file(self, SendFile plan) except -1
