cimport cython

from zbuf.buffer._indices cimport torn
from zbuf.buffer._text cimport Text
from zbuf.memory._match cimport byte_of, find, rfind
from zbuf.memory._memory cimport as_size, as_source, load_u8

cdef int GATHER
cdef bytes NO_BYTE

cdef class Search(Text):
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t, wanted=bytes)
    cpdef Py_ssize_t find(self, object needle, object start=*, object end=*) except -2
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t, wanted=bytes)
    cpdef Py_ssize_t rfind(self, object needle, object start=*, object end=*) except -2
    @cython.locals(n=Py_ssize_t, start=Py_ssize_t, found=Py_ssize_t, wanted=bytes)
    cpdef Py_ssize_t bytes_before(self, object needle, object index=*, object length=*) except -2
    @cython.locals(first=Py_ssize_t, last=Py_ssize_t)
    cdef tuple _bounds(self, object start, object end, str fault)
    @cython.locals(m=Py_ssize_t, k=Py_ssize_t, found=Py_ssize_t, links=list)
    cdef Py_ssize_t _find(self, bytes needle, Py_ssize_t at, Py_ssize_t end) except -2
    @cython.locals(
        m=Py_ssize_t, matched=Py_ssize_t, came=Py_ssize_t, stop=Py_ssize_t, roomy=bint, byte=int
    )
    cdef Py_ssize_t _find_across(self, bytes needle, list links, Py_ssize_t at, Py_ssize_t end) except? -1
    @cython.locals(m=Py_ssize_t, k=Py_ssize_t, found=Py_ssize_t, links=list, turned=bytes)
    cdef Py_ssize_t _rfind(self, bytes needle, Py_ssize_t start, Py_ssize_t end) except -2
    @cython.locals(
        m=Py_ssize_t, matched=Py_ssize_t, came=Py_ssize_t, stop=Py_ssize_t, roomy=bint, byte=int
    )
    cdef Py_ssize_t _rfind_across(self, bytes turned, list links, Py_ssize_t start, Py_ssize_t at) except? -1

@cython.locals(buf=Search, value=Py_ssize_t)
cdef bytes _needle(object needle)
cdef str fault_of(bytes needle)
@cython.locals(links=list, matched=Py_ssize_t, k=Py_ssize_t, byte=int)
cdef list _links(bytes needle)
