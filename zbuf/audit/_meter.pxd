# C types for _meter.py: the counters are plain C integers, so a charge is two additions.

cdef class Account:
    cdef long long _calls[32]
    cdef long long _bytes[32]
    cdef dict _moves
    cdef public long long _wire_in
    cdef public long long _wire_out
    cdef dict _verdicts

    cdef void _clear(self) noexcept
    cpdef void copied(self, int reason, Py_ssize_t nbytes) noexcept
    cpdef moved(self, str call, Py_ssize_t nbytes, Py_ssize_t views=*)
    cdef int _add_move(self, str call, Py_ssize_t nbytes, Py_ssize_t views) except -1
    cpdef void received(self, Py_ssize_t nbytes) noexcept
    cpdef void sent(self, Py_ssize_t nbytes) noexcept

cdef Account PROCESS
cdef bint _enabled
cdef Account _current

cpdef void charge(int reason, Py_ssize_t nbytes) noexcept
cpdef Account enter(Account account)
cpdef int leave(Account previous) except -1
