cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf

cdef class SendBuffers:
    cdef readonly list views
    cdef readonly Py_ssize_t nbytes
    cdef readonly bint more

cdef class SendFile:
    cdef readonly object region
    cdef readonly Py_ssize_t offset
    cdef readonly Py_ssize_t count

cdef class OpenFile:
    cdef readonly object region

cdef class InlineFile:
    cdef readonly object region
    cdef readonly ByteBuf buf

cdef class Nothing:
    pass

@cython.locals(plan=SendBuffers)
cdef SendBuffers send_buffers(list views, Py_ssize_t nbytes, bint more)
