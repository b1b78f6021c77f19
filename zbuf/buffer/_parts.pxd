cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._indices cimport dead
from zbuf.buffer._spans cimport NO_SPAN, Span, Spans, make_span
from zbuf.memory._memory cimport Memory, wrap_memory

@cython.locals(n=Py_ssize_t, one=ByteBuf, span=Span, memory=Memory)
cdef Span take_span(object part)
@cython.locals(many=Spans, n=Py_ssize_t, span=Span, spans=list)
cdef list take_spans(object part)
cpdef give_up(object part)
