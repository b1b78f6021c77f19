# C types for _inbox.py.

cdef class InboxCore:
    cdef object _messages
    cdef object _takers
    cdef object _on_room
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t limit
    cdef readonly bint is_ended
    cdef public bint is_used
    cdef readonly object failure

    cpdef put(self, object msg)
    cpdef take(self)
    cpdef end(self, object failure)
    cpdef _wake_one(self)


cdef class NextMessage:
    cdef InboxCore _inbox
    cdef object _wait
