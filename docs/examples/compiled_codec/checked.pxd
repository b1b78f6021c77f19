# C types for checked.py; without this file it is a plain Python module.

cimport cython
from zbuf.buffer cimport ByteBuf as Buf  # another name: `ByteBuf` is what the .py imports

@cython.locals(low=cython.uint, high=cython.uint, at=Py_ssize_t)
cpdef int fletcher16(Buf buf, Py_ssize_t index, Py_ssize_t length) except -1
