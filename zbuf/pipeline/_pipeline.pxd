# C types for _pipeline.py.

cimport cython

from zbuf.pipeline._context cimport Context, Ends

cdef class Pipeline:
    cdef object __weakref__
    cdef Ends _ends
    cdef Context _head
    cdef Context _tail
    cdef dict _contexts
    cdef dict _counts

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

    @cython.locals(base_ctx=Context)
    cpdef add_before(self, base, name, handler=*)
    @cython.locals(ctx=Context)
    cpdef remove(self, which)
    @cython.locals(old=Context, new=Context)
    cpdef replace(self, which, name, handler=*)
    @cython.locals(ctx=Context)
    cpdef Context context(self, which)
    @cython.locals(ctx=Context)
    cpdef list names(self)
    cpdef destroy(self)
    @cython.locals(ctx=Context)
    cdef _add(self, name, handler, Context before)
    cdef Context _made(self, name, handler, leaving)
    cdef _generated(self, kind)
    cdef _unlink(self, Context ctx)
    cdef _tell_added(self, Context ctx)
    cdef _tell_removed(self, Context ctx)
