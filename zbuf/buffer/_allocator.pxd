from zbuf.buffer._bytebuf cimport PLAIN, ByteBuf
from zbuf.memory._memory cimport as_size, hatch
from zbuf.memory._pool cimport BlockPool
from zbuf.memory._unpooled cimport Blocks

cdef class Unpooled(Blocks):
    cdef object __weakref__
    cpdef ByteBuf buffer(self, Py_ssize_t initial_capacity=*, Py_ssize_t max_capacity=*)

cdef class Pool(BlockPool):
    cdef object __weakref__
    cpdef ByteBuf buffer(self, Py_ssize_t initial_capacity=*, Py_ssize_t max_capacity=*)
