# C types for _calls.py, and the system calls themselves: a number comes back, never an exception.

from zbuf.memory._memory cimport Memory

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <errno.h>
    #include <signal.h>
    #include <stdlib.h>
    #include <time.h>
    #include <sys/types.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    #ifdef __linux__
    #include <sys/sendfile.h>
    #endif
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif

    /* A call that moves less than this is over before another thread could have used the interpreter. */
    #define ZB_KEEP_GIL 16384
    #define ZB_FEW 16
    #define ZB_AGAIN (-EAGAIN)
    #ifdef MSG_MORE
    #define ZB_MORE MSG_MORE
    #else
    #define ZB_MORE 0
    #endif

    static inline Py_ssize_t zb_recv(int fd, unsigned char *base, Py_ssize_t size) {
        Py_ssize_t n;
        PyThreadState *state = size > ZB_KEEP_GIL ? PyEval_SaveThread() : NULL;
        do { n = recv(fd, base, (size_t)size, 0); } while (n < 0 && errno == EINTR);
        if (n < 0) n = -errno;
        if (state) PyEval_RestoreThread(state);
        return n;
    }

    static inline Py_ssize_t zb_send_raw(int fd, const void *base, Py_ssize_t size, int flags) {
        Py_ssize_t n;
        PyThreadState *state = size > ZB_KEEP_GIL ? PyEval_SaveThread() : NULL;
        do { n = send(fd, base, (size_t)size, flags | MSG_NOSIGNAL); } while (n < 0 && errno == EINTR);
        if (n < 0) n = -errno;
        if (state) PyEval_RestoreThread(state);
        return n;
    }

    /* -1 with an exception set: `data` has no buffer. */
    static inline Py_ssize_t zb_send(int fd, PyObject *data, int flags) {
        Py_buffer view;
        Py_ssize_t n;
        if (PyBytes_CheckExact(data))
            return zb_send_raw(fd, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), flags);
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return -1;
        n = zb_send_raw(fd, view.buf, view.len, flags);
        PyBuffer_Release(&view);
        return n;
    }

    static inline Py_ssize_t zb_gather(int fd, struct iovec *iov, Py_ssize_t count, Py_ssize_t size, int flags) {
        struct msghdr message = {0};
        Py_ssize_t n;
        PyThreadState *state = size > ZB_KEEP_GIL ? PyEval_SaveThread() : NULL;
        message.msg_iov = iov;
        message.msg_iovlen = count;
        do { n = sendmsg(fd, &message, flags | MSG_NOSIGNAL); } while (n < 0 && errno == EINTR);
        if (n < 0) n = -errno;
        if (state) PyEval_RestoreThread(state);
        return n;
    }

    static inline Py_ssize_t zb_sendmsg(int fd, PyObject *views, int flags) {
        Py_buffer few_buffers[ZB_FEW], *buffers = few_buffers;
        struct iovec few_parts[ZB_FEW], *parts = few_parts;
        Py_ssize_t count = PyList_GET_SIZE(views), size = 0, taken = 0, n = -1;
        if (count > ZB_FEW) {
            buffers = malloc(count * sizeof(Py_buffer));
            parts = malloc(count * sizeof(struct iovec));
            if (!buffers || !parts) { PyErr_NoMemory(); goto done; }
        }
        for (; taken < count; taken++) {
            if (PyObject_GetBuffer(PyList_GET_ITEM(views, taken), &buffers[taken], PyBUF_SIMPLE) < 0) goto done;
            parts[taken].iov_base = buffers[taken].buf;
            parts[taken].iov_len = (size_t)buffers[taken].len;
            size += buffers[taken].len;
        }
        n = zb_gather(fd, parts, count, size, flags);
    done:
        while (taken-- > 0) PyBuffer_Release(&buffers[taken]);
        if (buffers != few_buffers) free(buffers);
        if (parts != few_parts) free(parts);
        return n;
    }

    #ifdef __linux__
    #define ZB_HAS_SENDFILE 1
    /* sendfile has no MSG_NOSIGNAL: where SIGPIPE would kill, it is held back for the length of the call. */
    static inline Py_ssize_t zb_sendfile(int fd, int source, long long offset, Py_ssize_t count) {
        struct sigaction action;
        sigset_t pipe_set, before, pending;
        off_t at = (off_t)offset;
        Py_ssize_t n;
        int guarded = 0, was_pending = 0;
        Py_BEGIN_ALLOW_THREADS
        if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
            sigemptyset(&pipe_set);
            sigaddset(&pipe_set, SIGPIPE);
            sigpending(&pending);
            was_pending = sigismember(&pending, SIGPIPE);
            guarded = pthread_sigmask(SIG_BLOCK, &pipe_set, &before) == 0;
        }
        do { n = sendfile(fd, source, &at, (size_t)count); } while (n < 0 && errno == EINTR);
        if (n < 0) n = -errno;
        if (guarded) {
            if (n == -EPIPE && !was_pending) {
                struct timespec zero = {0, 0};
                while (sigtimedwait(&pipe_set, NULL, &zero) < 0 && errno == EINTR) {}
            }
            pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        Py_END_ALLOW_THREADS
        return n;
    }
    #else
    #define ZB_HAS_SENDFILE 0
    static inline Py_ssize_t zb_sendfile(int fd, int source, long long offset, Py_ssize_t count) {
        (void)fd; (void)source; (void)offset; (void)count;
        return -ENOSYS;
    }
    #endif
    """
    int ZB_AGAIN
    int ZB_MORE
    int ZB_HAS_SENDFILE
    Py_ssize_t zb_recv(int fd, unsigned char *base, Py_ssize_t size) noexcept
    Py_ssize_t zb_send(int fd, object data, int flags) except? -1
    Py_ssize_t zb_sendmsg(int fd, list views, int flags) except? -1
    Py_ssize_t zb_sendfile(int fd, int source, long long offset, Py_ssize_t count) noexcept


cdef class Calls:
    cdef readonly object sock
    cdef int _fd

    cpdef Py_ssize_t recv(self, Memory memory, Py_ssize_t size) except? -1
    cpdef Py_ssize_t send(self, object data, int flags) except? -1
    cpdef Py_ssize_t sendmsg(self, list views, int flags) except? -1
    cpdef Py_ssize_t sendfile(self, int source, long long offset, Py_ssize_t count) except? -1
    cpdef push(self)
    cpdef close(self)
    cpdef detach(self)
