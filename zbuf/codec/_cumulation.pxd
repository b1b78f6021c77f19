# C types for _cumulation.py.

cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._composite cimport CompositeByteBuf
from zbuf.memory._memory cimport copy

cdef int ADAPTIVE
cdef int MERGE
cdef int CUMULATE
cdef Py_ssize_t LEAST_TAIL
cdef Py_ssize_t LARGEST_TAIL
cdef Py_ssize_t MOST_COMPONENTS

@cython.locals(n=Py_ssize_t, chain=CompositeByteBuf)
cpdef ByteBuf join(ByteBuf held, ByteBuf data, int how, Py_ssize_t copy_below, bint mine)
@cython.locals(last=ByteBuf)
cdef ByteBuf reclaimed(CompositeByteBuf chain)
@cython.locals(n=Py_ssize_t, whole=ByteBuf)
cdef ByteBuf in_one_piece(ByteBuf data)
cdef CompositeByteBuf _chain_of(ByteBuf held)
@cython.locals(total=Py_ssize_t, whole=ByteBuf)
cdef ByteBuf _copied_together(ByteBuf held, ByteBuf data)
@cython.locals(n=Py_ssize_t, tail=Py_ssize_t)
cdef CompositeByteBuf _copied_into_tail(CompositeByteBuf chain, ByteBuf data)
@cython.locals(n=Py_ssize_t, at=Py_ssize_t, to=Py_ssize_t, left=Py_ssize_t, step=Py_ssize_t)
cdef int _append(ByteBuf target, ByteBuf source) except -1
