# C types for _meter.py: the counters are plain C integers, so a charge is two additions.

cpdef enum:
    RECV = 0
    SEND = 1
    SENDMSG = 2
    SENDFILE = 3
    PREAD = 4


cdef class Account:
    cdef public long long _wire_in
    cdef public long long _wire_out
    cdef long long _frequent[15]
    cdef long long _user[32]
    cdef dict _moves
    cdef dict _verdicts

    cdef void _clear(self) noexcept
    cpdef void copied(self, int reason, Py_ssize_t nbytes) noexcept
    cpdef void called(self, int call, Py_ssize_t nbytes, Py_ssize_t views) noexcept
    cdef void _add(self, int at, Py_ssize_t nbytes, Py_ssize_t views) noexcept
    cpdef moved(self, str call, Py_ssize_t nbytes, Py_ssize_t views=*)
    cdef int _add_rare(self, str call, Py_ssize_t nbytes, Py_ssize_t views) except -1
    cdef int _note(self, str call, object verdict) except -1
    cpdef void received(self, Py_ssize_t nbytes) noexcept
    cpdef void sent(self, Py_ssize_t nbytes) noexcept

cdef Account PROCESS
cdef bint _enabled
cdef Account _current

cpdef void charge(int reason, Py_ssize_t nbytes) noexcept
cpdef Account enter(Account account)
cpdef int leave(Account previous) except -1
