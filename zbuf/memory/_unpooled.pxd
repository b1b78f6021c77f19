from zbuf.memory._memory cimport Home, Memory, allocate, as_size, enter, is_watched, retire, set_home, settle

cdef bint FENCE

cdef class Blocks(Home):
    cdef Py_ssize_t _alignment
    cdef Py_ssize_t _live_blocks
    cdef Py_ssize_t _live_bytes
    cdef Py_ssize_t _hits
    cdef Py_ssize_t _misses

    cpdef Memory lease(self, Py_ssize_t nbytes)
    cdef bint _receive(self, Memory memory) noexcept
    cpdef Py_ssize_t trim(self) except -1
