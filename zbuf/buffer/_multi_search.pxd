cimport cython

from zbuf.buffer._bytebuf cimport ByteBuf
from zbuf.buffer._indices cimport torn
from zbuf.buffer._scan cimport table_of
from zbuf.buffer._search cimport Search
from zbuf.memory._match cimport find, find_in
from zbuf.memory._memory cimport Memory, as_source, load_i32_le, load_u8, wrap_memory

cdef class MultiSearch:
    cdef tuple _needles
    cdef Py_ssize_t _longest
    cdef bytes _openings
    cdef bytes _opens
    cdef Memory _classes
    cdef Memory _table

    @cython.locals(at=Py_ssize_t, last=Py_ssize_t)
    cpdef object find(self, ByteBuf buf, object start=*, object end=*)
    @cython.locals(state=int, one=bint, k=Py_ssize_t, stop=Py_ssize_t)
    cdef object _find(self, ByteBuf buf, Py_ssize_t at, Py_ssize_t end)
