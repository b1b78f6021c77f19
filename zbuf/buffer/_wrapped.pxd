cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._composite cimport CompositeByteBuf, composite_of
from zbuf.buffer._parts cimport give_up, take_spans
from zbuf.memory._memory cimport Memory, as_source, source_size, sprout, wrap_memory

cdef class WrappedByteBuf(ByteBuf):
    cdef ByteBuf _model(self)
    cdef bint _is_fixed(self) except -1

cdef WrappedByteBuf WRAPPED

@cython.locals(memory=Memory, buf=WrappedByteBuf)
cdef ByteBuf _wrap_one(object source, bint read_only, object on_release)
