# C types for _poller.py: one epoll_wait for all channels of a loop, and no Python object for an event.

cimport cython

cdef extern from *:
    """
    #include <errno.h>
    #include <stdint.h>
    #ifdef __linux__
    #include <sys/epoll.h>
    typedef struct epoll_event zb_event;
    static inline int zb_epoll_wait(int set, zb_event *events, int room) {
        int n = epoll_wait(set, events, room, 0);
        return n < 0 ? -errno : n;
    }
    static inline int zb_event_fd(zb_event *events, int at) { return events[at].data.fd; }
    static inline int zb_event_mask(zb_event *events, int at) { return (int)events[at].events; }
    #define ZB_HAS_EPOLL 1
    #else
    typedef struct { int unused; } zb_event;
    static inline int zb_epoll_wait(int set, zb_event *events, int room) {
        (void)set; (void)events; (void)room; return -ENOSYS;
    }
    static inline int zb_event_fd(zb_event *events, int at) { (void)events; (void)at; return -1; }
    static inline int zb_event_mask(zb_event *events, int at) { (void)events; (void)at; return 0; }
    #define ZB_HAS_EPOLL 0
    #endif
    """
    ctypedef struct zb_event:
        pass
    int ZB_HAS_EPOLL
    int zb_epoll_wait(int set, zb_event *events, int room) noexcept
    int zb_event_fd(zb_event *events, int at) noexcept
    int zb_event_mask(zb_event *events, int at) noexcept


cpdef enum:
    READ = 0x001
    WRITE = 0x004
    ERROR = 0x008
    HANGUP = 0x010
    SILENT = 0x800


cdef class Watched:
    cdef object __weakref__
    cdef public int fd
    cdef public int interest
    cdef bint is_due
    cdef unsigned long long _born

    cdef int ready(self, int events) except -1
    cdef int turn(self) except -1


cdef extern from "pythread.h":
    unsigned long thread_ident "PyThread_get_thread_ident" ()


cdef class Poller:
    cdef object __weakref__
    cdef readonly object loop
    cdef readonly unsigned long long thread
    cdef readonly bint is_closed
    cdef public bint is_forked
    cdef public Py_ssize_t members
    cdef readonly bint is_dispatching
    cdef list _due
    cdef bint _turn_is_scheduled

    cpdef add(self, Watched watched, int fd, int interest)
    cpdef change(self, Watched watched, int interest)
    cpdef bint remove(self, Watched watched) except -1
    cpdef int later(self, Watched watched) except -1
    cpdef bint is_foreign(self) except -1
    cpdef int check(self) except -1
    cdef int _wake(self, Watched watched, int events) except -1
    @cython.locals(due=list, done=Py_ssize_t, watched=Watched)
    cdef int _take_turns(self) except -1
    cpdef int _hand_out(self, Watched watched, int events) except -1
    cdef int _end_of_dispatch(self) except -1


cdef class EpollPoller(Poller):
    cdef object _set
    cdef int _set_fd
    cdef dict _table
    cdef unsigned long long _dispatch_number
    cdef zb_event _events[256]

    cpdef add(self, Watched watched, int fd, int interest)
    cpdef change(self, Watched watched, int interest)
    cpdef bint remove(self, Watched watched) except -1
    @cython.locals(count=int, at=int)
    cdef int _hand_out_all(self) except -1
    @cython.locals(watched=Watched)
    cdef int _deliver(self, int fd, int mask) except -1


cdef class LoopPoller(Poller):
    cpdef add(self, Watched watched, int fd, int interest)
    cpdef change(self, Watched watched, int interest)
    cpdef bint remove(self, Watched watched) except -1


cdef class Callback(Watched):
    cdef object _on_ready

    cdef int ready(self, int events) except -1
