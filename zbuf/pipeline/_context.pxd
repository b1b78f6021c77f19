# C types for _context.py. Every hop is a loop over `_mask` and one virtual call.

from zbuf.buffer._bytebuf cimport ByteBuf

cdef int CHANNEL_ACTIVE
cdef int CHANNEL_INACTIVE
cdef int CHANNEL_READ
cdef int CHANNEL_READ_COMPLETE
cdef int CHANNEL_WRITABILITY_CHANGED
cdef int USER_EVENT_TRIGGERED
cdef int EXCEPTION_CAUGHT
cdef int WRITE
cdef int FLUSH
cdef int READ
cdef int CLOSE

cdef class Ends:
    cdef readonly object sink
    cdef readonly object allocator
    cdef public bint auto_read
    cdef readonly bint prefers_bytes


cdef class Context:
    cdef readonly str name
    cdef readonly object handler
    cdef readonly object pipeline
    cdef readonly bint is_removed
    cdef Ends _ends
    cdef Context _next
    cdef Context _prev
    cdef int _mask

    cpdef fire_channel_active(self)
    cpdef fire_channel_inactive(self)
    cpdef fire_channel_read(self, msg)
    cpdef fire_channel_read_complete(self)
    cpdef fire_channel_writability_changed(self)
    cpdef fire_user_event_triggered(self, event)
    cpdef fire_exception_caught(self, exc)
    cpdef write(self, msg, promise=*)
    cpdef flush(self)
    cpdef read(self)
    cpdef close(self)

    cdef Context _inward(self, int event)
    cdef Context _outward(self, int event)
    cdef bint is_outermost(self) except -1
    cdef int pass_write(self, object msg, object promise) except -1
    cdef int _failed(self, object exc) except -1
    cdef int _on_active(self) except -1
    cdef int _on_inactive(self) except -1
    cdef int _on_read(self, object msg) except -1
    cdef int _on_read_complete(self) except -1
    cdef int _on_writability(self) except -1
    cdef int _on_event(self, object event) except -1
    cdef int _on_exception(self, object exc) except -1
    cdef int _do_write(self, object msg, object promise) except -1
    cdef int _do_flush(self) except -1
    cdef int _do_read(self) except -1
    cdef int _do_close(self) except -1


cdef class HeadContext(Context):
    pass


cdef class TailContext(Context):
    pass


cdef class Inner:
    cdef int inner_read(self, Context ctx, object msg) except -1
    cdef int inner_read_complete(self, Context ctx) except -1
    cdef int inner_write(self, Context ctx, object msg, object promise) except -1


cdef class InnerContext(Context):
    cdef Inner _inner
