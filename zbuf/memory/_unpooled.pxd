from zbuf.memory._memory cimport Block, Home, Memory, as_size, lease

cdef class Blocks(Home):
    cdef Py_ssize_t _alignment
    cdef Py_ssize_t _live_blocks
    cdef Py_ssize_t _live_bytes
    cdef Py_ssize_t _hits
    cdef Py_ssize_t _misses

    cpdef Memory lease(self, Py_ssize_t nbytes)
    cdef Memory _hand_out(self, Block block)
    cdef void _give_back(self, Block block) except *
