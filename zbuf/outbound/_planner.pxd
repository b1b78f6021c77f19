cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf, fresh
from zbuf.memory._memory cimport copy, put
from zbuf.memory._unpooled cimport Blocks
from zbuf.outbound._entry cimport EMPTY, FILE, JOINED, PIECE, Entry
from zbuf.outbound._pending cimport Pending
from zbuf.outbound._plan cimport InlineFile, OpenFile, SendBuffers, SendFile, send_buffers

cdef Py_ssize_t MAX_IOVECS
cdef Py_ssize_t MAX_SENDFILE
cdef Py_ssize_t MAX_SCRATCH
cdef Py_ssize_t NO_LIMIT
cdef int COALESCE
cdef bint DIRECT_EXPORT

cdef class Planner(Pending):
    cdef object _allocator
    cdef Blocks _blocks
    cdef Py_ssize_t _coalesce_below
    cdef Py_ssize_t _small_file_below
    cdef list _entries
    cdef Py_ssize_t _head
    cdef Py_ssize_t _flushed
    cdef Py_ssize_t _offered
    cdef object _plan
    cdef Py_ssize_t _limit_views
    cdef Py_ssize_t _limit_bytes
    cdef list _exports
    cdef Entry _named
    cdef ByteBuf _spare
    cdef Entry _run_end
    cdef list _dropped

    cdef int _begin(self, object allocator, Py_ssize_t coalesce_below, Py_ssize_t small_file_below) except -1
    cdef object _make_plan(self, Py_ssize_t max_views, Py_ssize_t max_bytes)
    @cython.locals(views=list, nbytes=Py_ssize_t, more=bint, at=Py_ssize_t, length=Py_ssize_t, entry=Entry, last=Entry)
    cdef object _gather(self, Py_ssize_t max_views, Py_ssize_t max_bytes)
    @cython.locals(total=Py_ssize_t, found=Py_ssize_t, at=Py_ssize_t, entry=Entry)
    cdef object _join_run(self, Py_ssize_t first, Py_ssize_t max_bytes)
    @cython.locals(total=Py_ssize_t, to=Py_ssize_t, at=Py_ssize_t, entry=Entry, last=Entry, scratch=ByteBuf, source=ByteBuf)
    cdef int _join(self, Py_ssize_t first, Py_ssize_t end, Py_ssize_t room) except -1
    cdef ByteBuf _scratch(self, Py_ssize_t size)
    @cython.locals(buf=ByteBuf)
    cdef object _view_of(self, Entry entry, Py_ssize_t length)
    @cython.locals(entry=Entry, count=Py_ssize_t)
    cdef object _name_file(self, Py_ssize_t at, Py_ssize_t first, Py_ssize_t max_bytes, bint is_next)
    @cython.locals(before=Py_ssize_t, last=Entry, scratch=ByteBuf)
    cdef ByteBuf _room_for(self, Py_ssize_t size, Py_ssize_t first, Py_ssize_t at)
    cdef int _take_in(self, Entry entry, ByteBuf buf) except -1
    @cython.locals(spare=ByteBuf, exports=list)
    cdef void _forget_plan(self) except *

    @cython.locals(entry=Entry)
    cpdef opened(self)
    @cython.locals(entry=Entry, buf=ByteBuf, before=Py_ssize_t)
    cpdef inlined(self)
    @cython.locals(entry=Entry)
    cpdef fail_entry(self, object exc)
