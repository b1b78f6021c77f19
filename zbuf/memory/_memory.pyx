# cython: boundscheck=False, wraparound=False
"""Blocks of memory, raw loads and stores, and the buffer slot: the compiled twin of `_memory.py`.

Owns    `Memory` (one block of bytes and what to do when nobody needs it any more), `Window` (the numbers by which a
        handle looks at a block, and the buffer export), and every access to raw bytes.
Never   an index of a buffer, a bounds check, a growth rule: whoever calls a load or a store has checked the bounds.
Always  a block lives as long as anything holds its `Memory`: a handle, an export, a transfer. CPython's reference
        count is the reference count of memory. Both twins offer the same names with the same behaviour.

In this form `base` is a C pointer; in the interpreted form it is a memoryview of the block.
"""

cimport cython
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_IsContiguous
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Fetch, PyErr_Restore, PyErr_SetNone, PyErr_SetObject, PyErr_WriteUnraisable
from cpython.float cimport PyFloat_AsDouble
from cpython.long cimport PyLong_AsUnsignedLongLong
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc
from cpython.memoryview cimport PyMemoryView_FromObject, PyMemoryView_GET_BUFFER
from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.math cimport isfinite, isinf
from libc.stdint cimport uintptr_t
from libc.string cimport memset

from zbuf.errors import ReferenceCountError

__all__ = ["SHELVES", "Home", "Memory", "Shelf", "Window"]

SHELVES = MOST_CLASSES
cdef Py_ssize_t SMALL = 1000  # what the thread cache of glibc serves without calloc's detour

cdef extern from *:
    """
    /* One free list for all handles of Window's size. Under a sanitizer, or without the GIL, there is none. */
    #if defined(__SANITIZE_ADDRESS__) || defined(Py_GIL_DISABLED)
    #define ZB_HANDLES 0
    #else
    #define ZB_HANDLES 256
    #endif
    static void *zb_free_handles[ZB_HANDLES + 1];
    static int zb_free_count = 0;

    static void *zb_take_handle(size_t size) {
        if (zb_free_count > 0) return zb_free_handles[--zb_free_count];
        void *o = PyObject_Malloc(size);
        if (o == NULL) PyErr_NoMemory();
        return o;
    }
    static PyObject *zb_alloc_handle(PyTypeObject *type, Py_ssize_t n) {
        PyObject *o = (PyObject *)zb_take_handle(type->tp_basicsize);
        (void)n;
        if (o == NULL) return NULL;
        memset(o, 0, type->tp_basicsize);
        return PyObject_Init(o, type);
    }
    static void zb_free_handle(void *o) {
        if (zb_free_count < ZB_HANDLES) zb_free_handles[zb_free_count++] = o;
        else PyObject_Free(o);
    }
    #define ZB_SEALED 8
    static PyTypeObject *zb_sealed[ZB_SEALED];
    static int zb_sealed_count = 0;
    static int zb_is_watched = 0;
    static destructor zb_end_of_handle;  /* Cython's own */
    static void (*zb_mourn)(PyObject *);
    static void zb_mourned_end(PyObject *o) {
        zb_mourn(o);
        zb_end_of_handle(o);
    }
    /* While somebody keeps a ledger, handles pass by him at their end; else nothing is asked of them. */
    static void zb_watch(int on) {
        zb_is_watched = on;
        for (int i = 0; i < zb_sealed_count; i++)
            zb_sealed[i]->tp_dealloc = on ? zb_mourned_end : zb_end_of_handle;
    }
    static void zb_seal(PyTypeObject *type, PyTypeObject *window) {
        type->tp_flags &= ~Py_TPFLAGS_BASETYPE;
        if (type->tp_basicsize == window->tp_basicsize && !PyType_IS_GC(type)
            && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            type->tp_alloc = zb_alloc_handle;
            type->tp_free = zb_free_handle;
            type->tp_dealloc = zb_end_of_handle = window->tp_dealloc;
            if (zb_sealed_count < ZB_SEALED) zb_sealed[zb_sealed_count++] = type;
            zb_watch(zb_is_watched);
        }
        PyType_Modified(type);
    }
    /* The end of a Memory: it is buried, to rise again with its block, or it goes the way of all objects. */
    static destructor zb_end_of_memory;  /* Cython's own */
    static int (*zb_bury)(PyObject *);
    static void zb_buried_or_freed(PyObject *o) {
        PyObject **weak = (PyObject **)((char *)o + Py_TYPE(o)->tp_weaklistoffset);
        if (*weak != NULL) PyObject_ClearWeakRefs(o);
        if (!zb_bury(o)) zb_end_of_memory(o);
    }
    static void zb_recycle(PyTypeObject *memory, int (*bury)(PyObject *), void (*mourn)(PyObject *)) {
        zb_end_of_memory = memory->tp_dealloc;
        zb_bury = bury;
        zb_mourn = mourn;
        memory->tp_dealloc = zb_buried_or_freed;
    }
    /* A descriptor of type's own for a method that it inherits or has: `found` is Cython's function object, or a
       descriptor that was made here for a base. `doc` must live as long as the process. */
    static int zb_own_method(PyTypeObject *type, PyObject *name, PyObject *found, const char *doc) {
        PyMethodDef *def;
        PyObject *own;
        int done;
        if (Py_TYPE(found) == &PyMethodDescr_Type) {
            def = ((PyMethodDescrObject *)found)->d_method;
        } else {
            def = (PyMethodDef *)PyMem_RawMalloc(sizeof(PyMethodDef));
            if (def == NULL) { PyErr_NoMemory(); return -1; }
            *def = *((PyCFunctionObject *)found)->m_ml;
            def->ml_doc = doc;
        }
        own = PyDescr_NewMethod(type, def);
        if (own == NULL) return -1;
        done = PyDict_SetItem(type->tp_dict, name, own);
        Py_DECREF(own);
        PyType_Modified(type);
        return done;
    }
    /* The fields of source, the class and the table of methods of model: the table is the first field of both. */
    static PyObject *zb_clone(PyObject *model, PyObject *source) {
        PyTypeObject *type = Py_TYPE(model);
        char *o = (char *)zb_take_handle(type->tp_basicsize);
        if (o == NULL) return NULL;
        memcpy(o + sizeof(PyObject), (char *)source + sizeof(PyObject), type->tp_basicsize - sizeof(PyObject));
        *(void **)(o + sizeof(PyObject)) = *(void **)((char *)model + sizeof(PyObject));
        *(PyObject **)(o + type->tp_weaklistoffset) = NULL;
        return PyObject_Init((PyObject *)o, type);
    }
    /* The same for a class with fields of its own, which the free list of handles is too small for. */
    static PyObject *zb_clone_larger(PyObject *model) {
        PyTypeObject *type = Py_TYPE(model);
        char *o = (char *)PyObject_Malloc(type->tp_basicsize);
        if (o == NULL) return PyErr_NoMemory();
        memcpy(o + sizeof(PyObject), (char *)model + sizeof(PyObject), type->tp_basicsize - sizeof(PyObject));
        *(PyObject **)(o + type->tp_weaklistoffset) = NULL;
        return PyObject_Init((PyObject *)o, type);
    }
    """
    ctypedef struct PyTypeObject:
        pass
    void Py_SET_REFCNT(PyObject *o, Py_ssize_t n)
    void zb_seal(PyTypeObject *cls, PyTypeObject *window)
    void zb_watch(bint on)
    void zb_recycle(PyTypeObject *memory, bint (*bury)(PyObject *) noexcept, void (*mourn)(PyObject *) noexcept)
    PyObject *zb_clone(PyObject *model, PyObject *source) except NULL
    int zb_own_method(PyTypeObject *cls, object name, object found, const char *doc) except -1
    PyObject *zb_clone_larger(PyObject *model) except NULL

cdef extern from *:
    """
    static void zb_export_by(PyTypeObject *type, getbufferproc how) {
        static PyBufferProcs procs;
        procs.bf_getbuffer = how;
        type->tp_as_buffer = &procs;
    }
    """
    int fill_info "PyBuffer_FillInfo"(
        Py_buffer *view, object exporter, void *base, Py_ssize_t size, bint read_only, int flags
    ) noexcept
    void zb_export_by(PyTypeObject *cls, int (*how)(PyObject *, Py_buffer *, int) noexcept)


cdef class Home:
    """Where a block goes when the last holder of its `Memory` is gone: an allocator."""

    cdef bint _receive(self, Memory memory) noexcept:
        """Take back `memory`, which nobody holds; return whether it was kept for another life.

        Called on whichever thread dropped it, also in the midst of a collection; nothing in here may run foreign code.
        """
        return False


# Blocks and handles are not tracked by the cycle collector: tracking is a third of the price of a slice, and they refer
# to nothing that could refer back, except an object that is wrapped, or an on_release, that holds its own wrapper.
@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Memory:
    """One block of bytes: a view of it, its size, whether it is read-only, and what happens at its end.

    Ownership: whoever holds a `Memory` holds the block. When the last holder goes, the block returns to the pool it
    was leased from, or the object it was wrapped around is let go.
    """

    cpdef export(self, Py_ssize_t at, Py_ssize_t n, bint read_only):
        """Return a view of bytes [at, at + n) that keeps this block alive until the last view of it is gone."""
        cdef Part part
        if at == 0 and n == self.size and (self.read_only or not read_only):
            return PyMemoryView_FromObject(self)
        part = Part.__new__(Part)
        part.memory = self
        part.at = at
        part.n = n
        part.read_only = self.read_only or read_only
        return PyMemoryView_FromObject(part)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.base, self.size, self.read_only, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.exports -= 1

    cpdef bint is_immutable(self) except -1:
        """Return whether nobody can change the bytes: memory of a hashable read-only object."""
        if not self.read_only:
            return False
        try:
            hash(self._source)
        except TypeError:
            return False
        return True

    cpdef Py_ssize_t address(self):
        """Return the address of the first byte."""
        return <Py_ssize_t> self.base

    def __dealloc__(self):
        if self._origin is not NULL:
            PyMem_RawFree(self._origin)
        if self._home is not NULL:
            Py_DECREF(<Home> self._home)
        if self._on_release is not None:
            # Its owner is going to close or free what was wrapped: by then nothing of ours may hold it any more.
            self._view = None
            self._source = None
            try:
                self._on_release()
            except BaseException as exc:
                _report(exc, self._on_release)


cdef int _report(object exc, object culprit) except -1:
    """Give an exception that nobody can catch to sys.unraisablehook."""
    PyErr_SetObject(type(exc), exc)
    PyErr_WriteUnraisable(culprit)
    return 0


@cython.final
@cython.no_gc
@cython.freelist(16)
cdef class Part:
    """Bytes [at, at + n) of a block, for the time of one export: half the price of slicing a view of the whole."""

    def __getbuffer__(self, Py_buffer *view, int flags):
        # The exporter is the memory: this object is gone when the view is made.
        PyBuffer_FillInfo(view, self.memory, self.memory.base + self.at, self.n, self.read_only, flags)
        self.memory.exports += 1


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Loan:
    """Bytes of a block that are lent to an array: the array holds it in place of a view, which costs twice as much."""

    def __dealloc__(self):
        if self.memory is not None:
            self.memory.exports -= 1


cdef Loan lend(Memory memory, Py_ssize_t at, Py_ssize_t n, bint read_only):
    """Return what numpy.frombuffer takes for the `n` bytes at `at`. The block stays until the last array is gone."""
    cdef Loan loan = Loan.__new__(Loan)
    loan.memory = memory
    loan.base = memory.base + at
    loan.size = n
    loan.read_only = read_only or memory.read_only
    memory.exports += 1
    return loan


cdef int _export_loan(PyObject *loan, Py_buffer *view, int flags) noexcept:
    # numpy asks every exporter for writing first. A refusal by Cython's own slot costs an entry in a traceback, and one
    # by PyBuffer_FillInfo a text that nobody reads.
    if (<Loan> loan).read_only and flags & PyBUF_WRITABLE:
        PyErr_SetNone(BufferError)
        return -1
    return fill_info(view, <object> loan, (<Loan> loan).base, (<Loan> loan).size, (<Loan> loan).read_only, flags)


zb_export_by(<PyTypeObject *> Loan, _export_loan)


cpdef Memory allocate(Py_ssize_t size, Py_ssize_t alignment=16):
    """Return a fresh block of `size` zero bytes that is freed with its last holder.

    Raises: ValueError if negative, MemoryError."""
    cdef Memory memory = Memory.__new__(Memory)
    cdef Py_ssize_t spare = alignment if alignment > 16 else 0
    if size < 0:
        raise ValueError(f"a block has no negative size: {size}")
    if size > 0x7FFFFFFFFFFFFFFF - spare - 1:
        raise MemoryError(f"cannot allocate {size} bytes")
    # Fresh memory never shows what somebody else left in it. calloc has large blocks zero for free, but is slow below.
    if size + spare < SMALL:
        memory._origin = PyMem_RawMalloc(size + spare + 1)
    else:
        memory._origin = PyMem_RawCalloc(1, size + spare + 1)
    if memory._origin is NULL:
        raise MemoryError(f"cannot allocate {size} bytes")
    if size + spare < SMALL:
        memset(memory._origin, 0, size + spare + 1)
    memory.base = <unsigned char *> memory._origin
    if spare:
        memory.base += (-(<uintptr_t> memory._origin)) % <uintptr_t> alignment
    memory.size = size
    memory._shelf = -1
    return memory


cpdef Memory allocate_in(object source, Py_ssize_t at, Py_ssize_t size, int pages):
    """Return a block of the `size` bytes at `at` of a map that nobody else knows; the map goes with its last holder."""
    cdef Memory memory = wrap_memory(source)
    memory.external = False
    memory.base += at
    memory.size = size
    memory.pages = pages
    memory._shelf = -1
    return memory


# The way of a block between two lives. Compiled, its Memory goes with it and is linked to the next on the shelf.


cdef bint bury(PyObject *o) noexcept:
    """Give a `Memory` that nobody holds back to its home; return whether it was kept, and must not be freed."""
    cdef PyObject *home = (<Memory> o)._home
    cdef bint is_kept
    if home is NULL:
        return False
    Py_SET_REFCNT(o, 1)  # so that passing it around cannot end it again
    is_kept = (<Home> home)._receive(<Memory> o)
    Py_SET_REFCNT(o, 0)
    if is_kept:
        (<Memory> o)._home = NULL
        Py_DECREF(<Home> home)  # last: it may be the end of the pool, and with it of what was just kept
    return is_kept


cdef class Shelf:
    """The blocks of a pool that wait for their next life, by class."""

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(MOST_CLASSES):
            while self.tops[k] is not NULL:
                unshelve(self, k, None)


cpdef Memory wrap_memory(object source, object on_release=None):
    """Return a `Memory` over the bytes of `source`, which cannot be resized or closed while it lives.

    `on_release` is called without arguments at its end, on whichever thread that is, once `source` was let go.
    Raises: TypeError if it has no buffer, BufferError if it is not C-contiguous; then `on_release` is not called.
    """
    cdef Memory memory
    if PyBytes_CheckExact(source):  # the commonest part of all needs no view to stay as it is
        memory = Memory.__new__(Memory)
        memory.external = memory.read_only = True
        memory._source = source
        memory.base = <unsigned char *> PyBytes_AS_STRING(source)
        memory.size = PyBytes_GET_SIZE(source)
        memory._on_release = on_release
        return memory
    view = PyMemoryView_FromObject(source)
    cdef Py_buffer *raw = PyMemoryView_GET_BUFFER(view)
    if not PyBuffer_IsContiguous(raw, b"C"):
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    memory = Memory.__new__(Memory)
    memory.external = True
    memory.read_only = raw.readonly
    memory._source = source
    if raw.len:
        memory._view = view
        memory.base = <unsigned char *> raw.buf
        memory.size = raw.len
    else:
        memory.base = <unsigned char *> PyBytes_AS_STRING(b"")
    memory._on_release = on_release
    return memory


EMPTY = allocate(0)
EMPTY.external = True  # shared by everybody who has nothing


@cython.no_gc
cdef class Window:
    """What a handle knows of a block: the base of every buffer, and the buffer slot.

    `_base[_shift + index]` is the byte at `index`, for indices in [`_lo`, `_hi`): for a contiguous buffer that is
    all of it, for a composite the span that was looked at last. Writes need the index below `_whi`, which is `_hi`,
    or 0 where the bytes are read-only. `_hi < _lo` means: `_base` is a scratch copy of a value that lies across spans.
    """

    def __cinit__(self):
        self._memory = EMPTY
        self._base = EMPTY.base
        self._refcnt = 1

    def __getbuffer__(self, Py_buffer *view, int flags):
        if self._refcnt == 0:
            raise ReferenceCountError("the buffer was released", refcnt=0)
        cdef Py_ssize_t at = self._expose()
        # The exporter is the memory itself: the handle may be released or die, the block stays until the last view.
        PyBuffer_FillInfo(
            view, self._memory, self._base + at, self._writer - self._reader, self._exports_read_only(), flags
        )
        self._memory.exports += 1

    def __releasebuffer__(self, Py_buffer *view):
        # Never called: the exporter is the memory. But numpy.frombuffer keeps a view only of what has this slot, and
        # of all others the object alone, which here may let go of the memory long before the array goes.
        pass

    cdef Py_ssize_t _expose(self) except -1:
        raise BufferError("nothing to export")

    cdef bint _exports_read_only(self) except -1:
        return self._read_only


cdef Py_ssize_t references(Memory memory) noexcept:
    """Return how many references hold `memory`, plus a constant that depends on the form and on Python."""
    return (<PyObject *> memory).ob_refcnt


cdef object KEEPER = None
cdef bint WATCHED = False


cpdef watch(object keeper):
    """Tell `keeper` of blocks, handles and their ends from now on; None: nobody."""
    global KEEPER, WATCHED
    KEEPER = keeper
    WATCHED = keeper is not None
    zb_watch(WATCHED)


cdef int enter(Memory memory, Home home, Py_ssize_t asked) except -1:
    """Note in the ledger that `home` leased `memory` because of a request for `asked` bytes."""
    memory._record = KEEPER.lease(memory, home, asked)
    return 0


cdef void settle(Memory memory) noexcept:
    """Note in the ledger that nobody holds `memory` any more."""
    cdef PyObject *kind
    cdef PyObject *value
    cdef PyObject *trace
    PyErr_Fetch(&kind, &value, &trace)
    record, memory._record = memory._record, None
    try:
        record.settle()
    except BaseException as exc:
        _report(exc, record)
    PyErr_Restore(kind, value, trace)


cdef void retire(Memory memory, object bar) noexcept:
    """Call `bar` with the map of a fenced block whose last holder is gone."""
    cdef PyObject *kind
    cdef PyObject *value
    cdef PyObject *trace
    PyErr_Fetch(&kind, &value, &trace)
    try:
        bar(memory._source)
    except BaseException as exc:
        _report(exc, bar)
    PyErr_Restore(kind, value, trace)


cdef void mourn(PyObject *o) noexcept:
    """Note in the ledger that a handle ends which was not released."""
    cdef PyObject *kind
    cdef PyObject *value
    cdef PyObject *trace
    cdef Window window
    if (<Window> o)._refcnt == 0 or (<Window> o)._memory._record is None:
        return
    PyErr_Fetch(&kind, &value, &trace)
    Py_SET_REFCNT(o, 1)
    record = (<Window> o)._memory._record
    try:
        record.dropped(<object> <size_t> o)
    except BaseException as exc:
        _report(exc, record)
    Py_SET_REFCNT(o, 0)
    PyErr_Restore(kind, value, trace)


zb_recycle(<PyTypeObject *> Memory, bury, mourn)


def seal(cls):
    """Forbid subclasses of `cls` from here on: the compiled form cannot honour what they would override.

    A class that adds no field to `Window` also gets one free list with the others of its size, and goes straight to
    Window's clean-up instead of through that of each base in turn, which has nothing to do. And it gets descriptors of
    its own for all its methods: CPython calls a method without detours only where a plain descriptor's class is exactly
    that of the object. That is worth 3 ns a call, a fifth of what get_int takes.
    """
    seen = set()
    zb_seal(<PyTypeObject *> cls, <PyTypeObject *> Window)
    for base in cls.__mro__:
        for name, found in list(vars(base).items()):
            if base is not object and name not in seen and type(found) in (CYTHON_METHOD, PLAIN_METHOD):
                zb_own_method(<PyTypeObject *> cls, name, found, signed_doc(name, found))
            seen.add(name)


cdef const char *signed_doc(str name, object method) except NULL:
    """Return the docstring of a method behind its signature, where and as `inspect` looks for it."""
    cdef bytes text
    if type(method) is PLAIN_METHOD:
        return b""  # it has one
    code = method.__code__
    names = list(code.co_varnames)
    first_default = code.co_argcount - len(method.__defaults__ or ())
    parts = ["$self"]
    for k in range(1, code.co_argcount):
        shown = "=" + repr(method.__defaults__[k - first_default]) if k >= first_default else ""
        parts.append(names[k] + shown)
    keywords = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if code.co_flags & 4:  # inspect.CO_VARARGS
        parts.append("*" + names[code.co_argcount + code.co_kwonlyargcount])
    elif keywords:
        parts.append("*")
    for keyword in keywords:
        defaults = method.__kwdefaults__ or {}
        parts.append(keyword + ("=" + repr(defaults[keyword]) if keyword in defaults else ""))
    text = f"{name}({', '.join(parts)})\n--\n\n{method.__doc__ or ''}".encode()
    SIGNED_DOCS.append(text)
    return PyBytes_AS_STRING(text)


CYTHON_METHOD = type(vars(Memory)["is_immutable"])
PLAIN_METHOD = type(str.upper)
SIGNED_DOCS = []  # they live as long as the methods, which is for ever


cdef Window sprout(Window model, Window source):
    """Return a handle of the class of `model` that looks where `source` looks, with a share and a count of its own.

    Both are contiguous. Making a handle is the commonest act of all, and Cython's way walks up ten constructors.
    """
    cdef Window made = <Window> zb_clone(<PyObject *> model, <PyObject *> source)
    Py_DECREF(made)  # the cast added a reference to the one that it was born with
    Py_INCREF(made._allocator)
    Py_INCREF(made._memory)
    made._refcnt = 1
    if WATCHED and made._memory._record is not None:
        made._memory._record.handle(made, False)
    return made


cdef Window hatch(Window model, Memory memory, Py_ssize_t capacity, Py_ssize_t maximum, object allocator, bint is_first):
    """Return an empty handle of the class of `model` over the first `capacity` bytes of a block fresh from its home.

    `is_first`: it goes to somebody who asked for a buffer, and of whom the ledger expects that he releases it."""
    cdef Window made = <Window> zb_clone(<PyObject *> model, <PyObject *> model)
    Py_DECREF(made)
    Py_INCREF(made._allocator)  # what the model holds, which is let go in the next two lines
    Py_INCREF(made._memory)
    made._allocator = allocator
    made._memory = memory
    made._base = memory.base
    made._hi = made._whi = made._capacity = capacity
    made._max = maximum
    if WATCHED and memory._record is not None:
        memory._record.handle(made, is_first)
    return made


cdef Window sprout_hollow(Window model, int hollow):
    """Return a handle like `model`, which looks at nothing, for a class that adds fields to Window.

    `hollow`: how many of the fields it adds are objects; they are None in the model, and the caller fills them.
    """
    cdef Window made = <Window> zb_clone_larger(<PyObject *> model)
    Py_DECREF(made)
    Py_INCREF(made._allocator)
    Py_INCREF(made._memory)
    while hollow:
        Py_INCREF(None)
        hollow -= 1
    made._refcnt = 1
    return made


# Arguments. Conversion may run foreign code, so it comes before every check.


cdef long long as_any_value(object value) except? -1:
    """Return `value` as an integer that fits 64 bits, signed or unsigned.

    An unsigned value that does not fit the signed type comes back as its largest number: it is out of every range
    that the caller will hold it against. Raises: TypeError, OverflowError.
    """
    cdef int overflow = 0
    number = PyNumber_Index(value)
    cdef long long n = PyLong_AsLongLongAndOverflow(number, &overflow)
    if overflow == 0:
        return n
    if overflow < 0 or number > 0xFFFFFFFFFFFFFFFF:
        raise OverflowError("the number does not fit 64 bits")
    return 0x7FFFFFFFFFFFFFFF


cdef unsigned long long as_any_long(object value) except? 1:
    """Return the 64 bits of an integer of -2**63 .. 2**64 - 1. Raises: TypeError, OverflowError."""
    cdef int overflow = 0
    number = PyNumber_Index(value)
    cdef long long n = PyLong_AsLongLongAndOverflow(number, &overflow)
    if overflow == 0:
        return <unsigned long long> n
    if overflow < 0 or number > 0xFFFFFFFFFFFFFFFF:
        raise OverflowError("the number does not fit 64 bits")
    return PyLong_AsUnsignedLongLong(number)


cdef double as_double(object value) except? -1.0:
    """Return `value` as a double. Raises: TypeError, OverflowError (an integer too large)."""
    return PyFloat_AsDouble(value)


cdef bint fits_single(double value) noexcept:
    """Return whether `value` can be stored as a single: not finite, or within its range after rounding."""
    return not isfinite(value) or not isinf(<float> value)


cpdef object as_source(object value):
    """Return something `put` can read: bytes as they are, anything else as a C-contiguous view of its bytes.

    Raises: TypeError if it has no buffer, BufferError if it is not C-contiguous.
    """
    if PyBytes_CheckExact(value):
        return value
    view = PyMemoryView_FromObject(value)
    if not PyBuffer_IsContiguous(PyMemoryView_GET_BUFFER(view), b"C"):
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    return view


cpdef object as_target(object value):
    """Return a writable, C-contiguous view of the bytes of `value`. Raises: TypeError, BufferError."""
    view = PyMemoryView_FromObject(value)
    if PyMemoryView_GET_BUFFER(view).readonly:
        raise BufferError("the object is read-only")
    if not PyBuffer_IsContiguous(PyMemoryView_GET_BUFFER(view), b"C"):
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    return view


cpdef Py_ssize_t source_size(object source) except -1:
    """Return the number of bytes of what `as_source` or `as_target` returned."""
    if PyBytes_CheckExact(source):
        return PyBytes_GET_SIZE(source)
    return PyMemoryView_GET_BUFFER(source).len


cdef const unsigned char *source_bytes(object source) noexcept:
    """Return where the bytes of what `as_source` or `as_target` returned lie."""
    if PyBytes_CheckExact(source):
        return <const unsigned char *> PyBytes_AS_STRING(source)
    return <const unsigned char *> PyMemoryView_GET_BUFFER(source).buf


# Ranges. Every caller has checked them.


cdef bytes to_bytes(const unsigned char *base, Py_ssize_t at, Py_ssize_t n):
    """Return a copy of `n` bytes."""
    return PyBytes_FromStringAndSize(<const char *> base + at, n)


cdef bytes blank(Py_ssize_t n):
    """Return `n` bytes whose content is still to be written, through `base_of`, before anybody else sees them."""
    return PyBytes_FromStringAndSize(NULL, n)


cdef unsigned char *base_of(bytes data) noexcept:
    """Return where the bytes of what `blank` returned lie."""
    return <unsigned char *> PyBytes_AS_STRING(data)
