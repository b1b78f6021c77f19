cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._composite cimport CompositeByteBuf
from zbuf.outbound._entry cimport EMPTY, FILE, JOINED, PIECE, UNKNOWN, Entry, make_entry, snapshot
from zbuf.outbound._pending cimport OVERHEAD, _limit_reached
from zbuf.outbound._planner cimport MAX_IOVECS, NO_LIMIT, Planner

cdef Py_ssize_t COMPACT_FROM
cdef Entry _SPENT

cdef class OutboundQueue(Planner):
    @cython.locals(taken=ByteBuf, buf=ByteBuf, size=Py_ssize_t)
    cpdef add(self, object msg, object promise=*)
    cpdef add_marker(self, object promise)
    @cython.locals(size=Py_ssize_t)
    cdef int _add_bytes(self, bytes data, object promise) except -1
    cdef int _append(self, Entry entry) except -1
    @cython.locals(entry=Entry, pieces=list, piece=ByteBuf, last=ByteBuf)
    cdef void _add_composite(self, CompositeByteBuf composite, Py_ssize_t size, object promise) except *
    @cython.locals(size=Py_ssize_t, entry=Entry)
    cdef int _add_region(self, object region, object promise) except -1
    cdef int _check_room(self, Py_ssize_t size, object taken) except -1
    cpdef flush(self)
    @cython.locals(limit=Py_ssize_t, views=Py_ssize_t, entry=Entry)
    cpdef object next_write(self, Py_ssize_t max_views=*, object max_bytes=*)
    cpdef sent(self, Py_ssize_t n)
    @cython.locals(entries=list, done=list, start=Py_ssize_t, at=Py_ssize_t, left=Py_ssize_t, moved=Py_ssize_t, entry=Entry)
    cdef int _complete(self, Py_ssize_t n) except -1
    cdef Py_ssize_t _advance(self, Entry entry, Py_ssize_t n) except -1
    @cython.locals(entries=list, done=list, at=Py_ssize_t)
    cdef list _take_out(self, Py_ssize_t start, Py_ssize_t end)
    cdef int _finish(self, Entry entry) except -1
    @cython.locals(at=Py_ssize_t, first=Py_ssize_t, entry=Entry, withdrawn=list)
    cpdef bint cancel(self, object promise) except -1
    @cython.locals(entries=list, at=Py_ssize_t, head=Py_ssize_t, entry=Entry)
    cpdef fail(self, object exc)
    @cython.locals(at=Py_ssize_t, pending=Py_ssize_t, charges=Py_ssize_t, files=Py_ssize_t, entry=Entry)
    cpdef _check(self)
