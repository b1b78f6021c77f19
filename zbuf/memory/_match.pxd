# What C code may ask of _match.pyx.

from cpython.bytes cimport PyBytes_AS_STRING

cdef Py_ssize_t find(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle) noexcept
cdef Py_ssize_t rfind(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle) noexcept
cdef Py_ssize_t find_in(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes table) noexcept
cdef bint is_same(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle, Py_ssize_t start) noexcept

cdef inline int byte_of(bytes needle, Py_ssize_t place) noexcept:
    return (<const unsigned char *> PyBytes_AS_STRING(needle))[place]
