cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._indices cimport dead, index_outside, negative, torn
from zbuf.memory._memory cimport Memory, as_size, compare

@cython.locals(memory=Memory, base=cython.p_uchar, start=Py_ssize_t, k=Py_ssize_t)
cdef bint _equal(ByteBuf a, Py_ssize_t at, ByteBuf b, Py_ssize_t there, Py_ssize_t n) except -1
