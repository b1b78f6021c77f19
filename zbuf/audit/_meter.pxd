# C types for _meter.py: the counters are plain C integers, so a charge is two additions.

cimport cython

cpdef enum:
    RECV = 0
    SEND = 1
    SENDMSG = 2
    SENDFILE = 3
    PREAD = 4

cdef enum:
    OFF = 0
    ON = 1
    RECORDING = 2


cdef class Account:
    cdef public long long _wire_in
    cdef public long long _wire_out
    cdef long long _frequent[15]
    cdef long long _user[32]
    cdef dict _moves
    cdef dict _verdicts
    cdef str _label
    cdef Account _total
    cdef tuple _listeners
    cdef object __weakref__

    cdef void _clear(self) noexcept
    cpdef void copied(self, int reason, Py_ssize_t nbytes) noexcept
    cpdef void called(self, int call, Py_ssize_t nbytes, Py_ssize_t views) noexcept
    cdef int _called_and_told(self, int call, Py_ssize_t nbytes, Py_ssize_t views) except -1
    @cython.locals(at=int)
    cdef int _absorb(self, Account gone) except -1
    cdef void _add(self, int at, Py_ssize_t nbytes, Py_ssize_t views) noexcept
    cpdef moved(self, str call, Py_ssize_t nbytes, Py_ssize_t views=*)
    cdef int _add_rare(self, str call, Py_ssize_t nbytes, Py_ssize_t views) except -1
    cdef int _note(self, str call, object verdict) except -1
    cpdef void received(self, Py_ssize_t nbytes) noexcept
    cpdef void sent(self, Py_ssize_t nbytes) noexcept

cdef Account PROCESS
cdef int _mode
cdef Py_ssize_t _recorders
cdef Account _current

cpdef void charge(int reason, Py_ssize_t nbytes) noexcept
cpdef Account enter(Account account)
cpdef int leave(Account previous) except -1
cdef int _charge_and_tell(int reason, Py_ssize_t nbytes) except -1
cdef int _tell(Account account, object what, Py_ssize_t nbytes, Py_ssize_t views) except -1
cpdef int listen(Account account, object listener) except -1
cpdef int unlisten(Account account, object listener) except -1
