cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf, fresh
from zbuf.memory._memory cimport Memory, as_size
from zbuf.memory._pool cimport BlockPool
from zbuf.memory._unpooled cimport Blocks

cdef class Unpooled(Blocks):
    cdef object __weakref__
    @cython.locals(capacity=Py_ssize_t, ceiling=Py_ssize_t)
    cpdef ByteBuf buffer(self, object initial_capacity=*, object max_capacity=*)

cdef class Pool(BlockPool):
    cdef object __weakref__
    @cython.locals(capacity=Py_ssize_t, ceiling=Py_ssize_t)
    cpdef ByteBuf buffer(self, object initial_capacity=*, object max_capacity=*)
