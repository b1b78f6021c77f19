cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._indices cimport dead, negative
from zbuf.buffer._arrays cimport Arrays
from zbuf.memory._memory cimport Memory, as_size, copy

cdef int GROW
cdef int DISCARD
cdef int COMPACT

@cython.locals(size=Py_ssize_t)
cpdef Py_ssize_t calculate_new_capacity(Py_ssize_t minimum, Py_ssize_t maximum) except -1

cdef class Growth(Arrays):
    cpdef set_capacity(self, Py_ssize_t n)
    cdef bint _is_fixed(self) except -1
    cdef int _narrow(self, Py_ssize_t n) except -1
    cdef int _enlarge(self, Py_ssize_t n) except -1
    cpdef ensure_writable(self, Py_ssize_t n)
    cdef int _grow(self, Py_ssize_t target) except -1
    @cython.locals(memory=Memory)
    cdef int _move_to_new_block(self, Py_ssize_t start, Py_ssize_t n, Py_ssize_t capacity, int reason) except -1
    @cython.locals(is_shared=bint, last=Memory, reader=Py_ssize_t, writer=Py_ssize_t)
    cdef int _announce(self, object record) except -1
    @cython.locals(n=Py_ssize_t)
    cpdef discard_read_bytes(self)
    cpdef discard_some_read_bytes(self)
    @cython.locals(n=Py_ssize_t)
    cpdef compact(self)
    cdef int _compact(self, Py_ssize_t n) except -1
    cpdef clear(self)
