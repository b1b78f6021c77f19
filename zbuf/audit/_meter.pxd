# C types for _meter.py: the counters are plain C integers, so a charge is two additions.

cdef class Tally:
    cdef Tally _whole
    cdef readonly long long calls
    cdef long long _bytes
    cdef long long _views

    cpdef void add(self, Py_ssize_t nbytes, Py_ssize_t views) noexcept


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
    cpdef Tally tally(self, str call)
    cpdef void received(self, Py_ssize_t nbytes) noexcept
    cpdef void sent(self, Py_ssize_t nbytes) noexcept

cdef Account PROCESS
cdef bint _enabled
cdef Account _current

cpdef void charge(int reason, Py_ssize_t nbytes) noexcept
cpdef Account enter(Account account)
cpdef int leave(Account previous) except -1
