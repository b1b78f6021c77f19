cimport cython

from zbuf.audit._meter cimport charge
from zbuf.buffer._indices cimport dead, index_outside, negative, torn
from zbuf.buffer._trace cimport Trace
from zbuf.memory._memory cimport EMPTY, Memory, as_size, as_source, as_value, compare, hatch, source_size, sprout

cdef int COPY
cdef int TOBYTES
cdef int GATHER
cdef Py_ssize_t MAX_CAPACITY

cdef class ByteBuf(Trace):
    cdef ByteBuf _model(self)

    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cpdef ByteBuf slice(self, object index=*, object length=*)
    @cython.locals(part=ByteBuf)
    cpdef ByteBuf read_slice(self, Py_ssize_t length)
    @cython.locals(part=ByteBuf)
    cdef ByteBuf _part(self, Py_ssize_t start, Py_ssize_t n)
    cpdef ByteBuf duplicate(self)
    cpdef ByteBuf as_read_only(self)
    @cython.locals(twin=ByteBuf)
    cdef ByteBuf _twin(self, ByteBuf model, bint read_only)
    @cython.locals(twin=ByteBuf)
    cpdef ByteBuf move(self)
    @cython.locals(n=Py_ssize_t, front=ByteBuf)
    cpdef ByteBuf split(self, object length=*)
    @cython.locals(back=ByteBuf)
    cpdef ByteBuf split_off(self, Py_ssize_t index)
    @cython.locals(part=ByteBuf, fixed=bint)
    cdef ByteBuf _cut(self, Py_ssize_t start, Py_ssize_t n)
    cdef int _drop_front(self, Py_ssize_t n) except -1
    cdef int _drop_back(self, Py_ssize_t n) except -1
    @cython.locals(start=Py_ssize_t, n=Py_ssize_t, twin=ByteBuf)
    cpdef ByteBuf copy(self, object index=*, object length=*)

    @cython.locals(start=Py_ssize_t, n=Py_ssize_t)
    cpdef object view(self, object index=*, object length=*)
    cdef object _view(self, Py_ssize_t start, Py_ssize_t n)
    @cython.locals(k=Py_ssize_t, views=list)
    cdef list _views(self, Py_ssize_t at, Py_ssize_t end, Py_ssize_t count, Py_ssize_t limit)
    cdef Py_ssize_t _expose(self) except -1
    cdef bint _exports_read_only(self) except -1

    @cython.locals(n=Py_ssize_t)
    cdef Py_ssize_t _key_index(self, Py_ssize_t relative) except -1
    cdef tuple _key_range(self, object key)
    @cython.locals(buf=ByteBuf)
    cdef int _compare(self, object other) except -2
    @cython.locals(
        mine=Py_ssize_t, theirs=Py_ssize_t, n=Py_ssize_t, at=Py_ssize_t, there=Py_ssize_t, k=Py_ssize_t, order=cython.int
    )
    cdef int _compare_buffer(self, ByteBuf other) except -2
    cdef bint _is_immutable(self) except -1


cdef class SlicedByteBuf(ByteBuf):
    cdef ByteBuf _model(self)
    cdef bint _is_fixed(self) except -1


cdef ByteBuf PLAIN
cdef ByteBuf SLICE


@cython.locals(buf=ByteBuf, maximum=Py_ssize_t)
cpdef ByteBuf adopt(Memory memory, Py_ssize_t length, object allocator)
@cython.locals(buf=ByteBuf)
cpdef ByteBuf fresh(Memory memory, Py_ssize_t capacity, Py_ssize_t max_capacity, object allocator)
