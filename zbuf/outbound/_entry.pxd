cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf

cdef int PIECE
cdef int JOINED
cdef int FILE
cdef int EMPTY
cdef Py_ssize_t UNKNOWN
cdef int SNAPSHOT

cdef class Entry:
    cdef ByteBuf buf
    cdef object other
    cdef object promise
    cdef object error
    cdef int kind
    cdef Py_ssize_t size
    cdef Py_ssize_t left
    cdef Py_ssize_t end
    cdef Py_ssize_t charge
    cdef bint is_part
    cdef bint is_last
    cdef bint is_file
    cdef bint is_open
    cdef bint is_unknown
    cdef bint direct

    @cython.locals(buf=ByteBuf)
    cdef int let_go(self) except -1

@cython.locals(entry=Entry)
cdef Entry make_entry(int kind, ByteBuf buf, object other, Py_ssize_t size, object promise)
cdef bytes snapshot(object msg)
