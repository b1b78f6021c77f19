cimport cython

from zbuf.memory._memory cimport (
    Memory,
    Shelf,
    allocate,
    as_size,
    class_of,
    enter,
    is_free,
    is_watched,
    shelve,
    retire,
    set_home,
    settle,
    unshelve,
    wipe,
)
from zbuf.memory._unpooled cimport Blocks

cdef Py_ssize_t LARGEST
cdef Py_ssize_t LARGEST_HUGE
cdef Py_ssize_t BIG_PAGE
cdef Py_ssize_t MAX_SIZE
cdef bint FENCE

cdef class BlockPool(Blocks):
    cdef Py_ssize_t _max_cached
    cdef Py_ssize_t _cached
    cdef Py_ssize_t _dropped
    cdef Py_ssize_t _odd_class
    cdef Py_ssize_t _hugetlb
    cdef Py_ssize_t _thp
    cdef bint _zero
    cdef bint _huge
    cdef Shelf _shelf

    @cython.locals(k=Py_ssize_t, memory=Memory)
    cpdef Memory lease(self, Py_ssize_t nbytes)
    cdef Py_ssize_t _aligned_class(self, Py_ssize_t k) noexcept
    cdef Memory _lease_large(self, Py_ssize_t nbytes)
    @cython.locals(k=Py_ssize_t, size=Py_ssize_t, memory=Memory)
    cdef Memory _lease_huge(self, Py_ssize_t nbytes)
    @cython.locals(memory=Memory)
    cdef Memory _lease_fresh(self, Py_ssize_t size, Py_ssize_t k, Py_ssize_t asked)
    cdef Memory _hand_out(self, Memory memory, Py_ssize_t size, Py_ssize_t k, Py_ssize_t asked)
    @cython.locals(size=Py_ssize_t)
    cdef bint _receive(self, Memory memory) noexcept
    cdef void _count_pages(self, Memory memory, Py_ssize_t size) noexcept
    @cython.locals(freed=Py_ssize_t, k=Py_ssize_t, memory=Memory)
    cpdef Py_ssize_t trim(self) except -1

cdef Py_ssize_t class_size(Py_ssize_t k) noexcept
