cimport cython

from zbuf.buffer._bulk cimport Bulk
from zbuf.memory._memory cimport EMPTY, Memory, as_size

cdef class Transfer(Bulk):
    @cython.locals(n=Py_ssize_t, done=Py_ssize_t, k=Py_ssize_t)
    cpdef Py_ssize_t read_to(self, object out, object length=*) except -1
    @cython.locals(done=Py_ssize_t, at=Py_ssize_t, size=Py_ssize_t, k=Py_ssize_t)
    cdef object _fill_pieces(self, object readinto, Py_ssize_t index, Py_ssize_t n, bint write)
    cdef Py_ssize_t _piece_at(self, Py_ssize_t at, Py_ssize_t n) except -1
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _offer(self, object write, Py_ssize_t at, Py_ssize_t n) except -2
    @cython.locals(memory=Memory, offset=Py_ssize_t, k=Py_ssize_t)
    cdef Py_ssize_t _fill_piece(self, object readinto, Py_ssize_t at, Py_ssize_t size, bint write) except -2
    cdef bint _is_still(self, Memory memory, Py_ssize_t offset, Py_ssize_t at, Py_ssize_t k, bint write) except -1

cdef object _act_of(object stream, str name)
cdef Py_ssize_t _answer(object answer, Py_ssize_t size) except -2
cdef int _let_go(object view) except -1
cdef object _not_positive(Py_ssize_t n)
