# C types for _core.py: the path of every message, with no Python object between its steps.

cimport cython

from zbuf.audit._meter cimport Account, enter, leave
from zbuf.outbound._queue cimport OutboundQueue
from zbuf.pipeline._pipeline cimport Pipeline
from zbuf.transport._calls cimport Calls
from zbuf.transport._inbox cimport InboxCore
from zbuf.transport._poller cimport ERROR, HANGUP, READ, SILENT, WRITE, Poller, Watched
from zbuf.transport._read_loop cimport DRAINED, EMPTY, ENDED, FAILED, ReadLoop
from zbuf.transport._write_loop cimport BROKEN, BUSY, DONE, WriteLoop

cpdef enum:
    NEW = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3

cpdef enum:
    HOLD_REQUEST = 1
    HOLD_INBOX = 2
    HOLD_OUTPUT = 4
    HOLD_CLOSING = 8
    HOLD_ENDED = 16
    HOLD_RELAY = 32


cdef class ChannelCore(Watched):
    cdef readonly object _calls
    cdef readonly Poller _poller
    cdef readonly OutboundQueue _queue
    cdef readonly Pipeline pipeline
    cdef readonly object allocator
    cdef readonly Account _account
    cdef public ReadLoop _reader
    cdef public WriteLoop _writer
    cdef public int _state
    cdef public int _held
    cdef public bint _auto_read
    cdef public bint _auto_flush
    cdef public bint _holds_input_for_output
    cdef public bint _output_is_shut
    cdef public bint _attention
    cdef public bint _writability_changed
    cdef public bint _finish_is_due
    cdef readonly bint _in_event
    cdef public bint _flush_is_due
    cdef public long long unread_messages
    cdef public InboxCore _inbox

    @cython.locals(previous=Account, outer=bint)
    cdef int ready(self, int events) except -1
    @cython.locals(previous=Account, outer=bint)
    cdef int turn(self) except -1
    @cython.locals(outcome=int)
    cdef int _receive(self, int events) except -1
    cdef int _after_reading(self, int outcome, int events) except -1
    cdef int _end_event(self) except -1
    @cython.locals(wanted=int)
    cdef int _update_interest(self) except -1
    cdef int _ask_for_flush(self) except -1
    cdef int _flush_out(self) except -1
    cdef int _push_if_free(self) except -1
    @cython.locals(outcome=int)
    cdef int _push(self) except -1
    cdef int _after_sending(self, int outcome) except -1
