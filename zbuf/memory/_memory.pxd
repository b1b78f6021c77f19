# What C code may ask of _memory.pyx. The loads and stores are inline, so a hot accessor has no call in it.

cimport cython
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcmp, memcpy, memmove, memset

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline uint16_t zb_be16(const unsigned char *p) { return (uint16_t)((p[0] << 8) | p[1]); }
    static inline uint16_t zb_le16(const unsigned char *p) { return (uint16_t)((p[1] << 8) | p[0]); }
    static inline uint32_t zb_be24(const unsigned char *p) {
        return ((uint32_t)p[0] << 16) | ((uint32_t)p[1] << 8) | p[2]; }
    static inline uint32_t zb_le24(const unsigned char *p) {
        return ((uint32_t)p[2] << 16) | ((uint32_t)p[1] << 8) | p[0]; }
    static inline uint32_t zb_be32(const unsigned char *p) {
        return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3]; }
    static inline uint32_t zb_le32(const unsigned char *p) {
        return ((uint32_t)p[3] << 24) | ((uint32_t)p[2] << 16) | ((uint32_t)p[1] << 8) | p[0]; }
    static inline uint64_t zb_be64(const unsigned char *p) {
        return ((uint64_t)zb_be32(p) << 32) | zb_be32(p + 4); }
    static inline uint64_t zb_le64(const unsigned char *p) {
        return ((uint64_t)zb_le32(p + 4) << 32) | zb_le32(p); }
    static inline float zb_f32(uint32_t bits) { float v; memcpy(&v, &bits, 4); return v; }
    static inline double zb_f64(uint64_t bits) { double v; memcpy(&v, &bits, 8); return v; }
    static inline uint32_t zb_bits32(float v) { uint32_t bits; memcpy(&bits, &v, 4); return bits; }
    static inline uint64_t zb_bits64(double v) { uint64_t bits; memcpy(&bits, &v, 8); return bits; }
    static inline void zb_put_be16(unsigned char *p, uint16_t v) { p[0] = (unsigned char)(v >> 8); p[1] = (unsigned char)v; }
    static inline void zb_put_le16(unsigned char *p, uint16_t v) { p[1] = (unsigned char)(v >> 8); p[0] = (unsigned char)v; }
    static inline void zb_put_be24(unsigned char *p, uint32_t v) {
        p[0] = (unsigned char)(v >> 16); p[1] = (unsigned char)(v >> 8); p[2] = (unsigned char)v; }
    static inline void zb_put_le24(unsigned char *p, uint32_t v) {
        p[2] = (unsigned char)(v >> 16); p[1] = (unsigned char)(v >> 8); p[0] = (unsigned char)v; }
    static inline void zb_put_be32(unsigned char *p, uint32_t v) {
        p[0] = (unsigned char)(v >> 24); p[1] = (unsigned char)(v >> 16); p[2] = (unsigned char)(v >> 8); p[3] = (unsigned char)v; }
    static inline void zb_put_le32(unsigned char *p, uint32_t v) {
        p[3] = (unsigned char)(v >> 24); p[2] = (unsigned char)(v >> 16); p[1] = (unsigned char)(v >> 8); p[0] = (unsigned char)v; }
    static inline void zb_put_be64(unsigned char *p, uint64_t v) { zb_put_be32(p, (uint32_t)(v >> 32)); zb_put_be32(p + 4, (uint32_t)v); }
    static inline void zb_put_le64(unsigned char *p, uint64_t v) { zb_put_le32(p + 4, (uint32_t)(v >> 32)); zb_put_le32(p, (uint32_t)v); }
    #define ZB_SIGN24(v) ((int32_t)((v) & 0x800000u) ? (int32_t)(v) - 0x1000000 : (int32_t)(v))
    """
    unsigned short zb_be16(const unsigned char *p) noexcept nogil
    unsigned short zb_le16(const unsigned char *p) noexcept nogil
    unsigned int zb_be24(const unsigned char *p) noexcept nogil
    unsigned int zb_le24(const unsigned char *p) noexcept nogil
    unsigned int zb_be32(const unsigned char *p) noexcept nogil
    unsigned int zb_le32(const unsigned char *p) noexcept nogil
    unsigned long long zb_be64(const unsigned char *p) noexcept nogil
    unsigned long long zb_le64(const unsigned char *p) noexcept nogil
    float zb_f32(unsigned int bits) noexcept nogil
    double zb_f64(unsigned long long bits) noexcept nogil
    unsigned int zb_bits32(float v) noexcept nogil
    unsigned long long zb_bits64(double v) noexcept nogil
    void zb_put_be16(unsigned char *p, unsigned short v) noexcept nogil
    void zb_put_le16(unsigned char *p, unsigned short v) noexcept nogil
    void zb_put_be24(unsigned char *p, unsigned int v) noexcept nogil
    void zb_put_le24(unsigned char *p, unsigned int v) noexcept nogil
    void zb_put_be32(unsigned char *p, unsigned int v) noexcept nogil
    void zb_put_le32(unsigned char *p, unsigned int v) noexcept nogil
    void zb_put_be64(unsigned char *p, unsigned long long v) noexcept nogil
    void zb_put_le64(unsigned char *p, unsigned long long v) noexcept nogil
    int ZB_SIGN24(unsigned int v) noexcept nogil


cdef extern from *:
    """
    /* A sanitizer build sees a raw pointer kept past its reference: what waits on a shelf is poisoned. */
    #if defined(__SANITIZE_ADDRESS__)
    void __asan_poison_memory_region(void const volatile *p, size_t n);
    void __asan_unpoison_memory_region(void const volatile *p, size_t n);
    #define zb_poison(p, n) __asan_poison_memory_region(p, n)
    #define zb_unpoison(p, n) __asan_unpoison_memory_region(p, n)
    #else
    #define zb_poison(p, n) ((void)0)
    #define zb_unpoison(p, n) ((void)0)
    #endif
    /* 64, 96, 128, 192, ...: the powers of two and the middles between them. */
    static inline Py_ssize_t zb_class_of(Py_ssize_t n) {
        if (n <= 64) return 0;
    #if defined(__GNUC__)
        int power = 63 - __builtin_clzll((unsigned long long)(n - 1));  /* 2**power < n <= 2**(power + 1) */
    #else
        int power = 6;
        while (((Py_ssize_t)2 << power) < n) power++;
    #endif
        return 2 * (power - 6) + (n - ((Py_ssize_t)1 << power) > ((Py_ssize_t)1 << (power - 1)) ? 2 : 1);
    }
    """
    void zb_poison(void *p, Py_ssize_t n) noexcept
    void zb_unpoison(void *p, Py_ssize_t n) noexcept
    Py_ssize_t zb_class_of(Py_ssize_t n) noexcept
    void _Py_NewReference(PyObject *o) noexcept


cdef enum:
    MOST_CLASSES = 48  # 64 bytes to 256 MiB in 45 classes


cdef class Home:
    cdef bint _receive(self, Memory memory) noexcept


@cython.final
@cython.no_gc
cdef class Memory:
    cdef object __weakref__
    cdef unsigned char *base
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t exports
    cdef readonly bint read_only
    cdef public bint external
    cdef readonly int pages
    cdef int _shelf
    cdef PyObject *_home  # owned, and NULL on a shelf
    cdef PyObject *_next
    cdef void *_origin
    cdef object _record
    cdef object _source
    cdef object _view
    cdef object _on_release

    cpdef export(self, Py_ssize_t at, Py_ssize_t n, bint read_only)
    cpdef bint is_immutable(self) except -1
    cpdef Py_ssize_t address(self)


@cython.final
@cython.no_gc
cdef class Shelf:
    cdef PyObject *tops[MOST_CLASSES]


@cython.final
@cython.no_gc
cdef class Part:
    cdef Memory memory
    cdef Py_ssize_t at
    cdef Py_ssize_t n
    cdef bint read_only


@cython.final
@cython.no_gc
cdef class Loan:
    cdef Memory memory
    cdef unsigned char *base
    cdef Py_ssize_t size
    cdef bint read_only


@cython.no_gc
cdef class Window:
    cdef object __weakref__
    cdef object _allocator
    cdef Memory _memory
    cdef unsigned char *_base
    cdef Py_ssize_t _shift
    cdef Py_ssize_t _lo
    cdef Py_ssize_t _hi
    cdef Py_ssize_t _whi
    cdef Py_ssize_t _reader
    cdef Py_ssize_t _writer
    cdef Py_ssize_t _capacity
    cdef Py_ssize_t _max
    cdef long long _refcnt
    cdef bint _read_only

    cdef Py_ssize_t _expose(self) except -1
    cdef bint _exports_read_only(self) except -1


cdef Memory EMPTY
cdef object KEEPER
cdef bint WATCHED
cdef Loan lend(Memory memory, Py_ssize_t at, Py_ssize_t n, bint read_only)
cdef Window sprout(Window model, Window source)
cdef Window hatch(
    Window model, Memory memory, Py_ssize_t capacity, Py_ssize_t maximum, object allocator, bint is_first
)
cdef int enter(Memory memory, Home home, Py_ssize_t asked) except -1
cdef void settle(Memory memory) noexcept
cdef void retire(Memory memory, object bar) noexcept
cdef Window sprout_hollow(Window model, int hollow)

cpdef Memory allocate(Py_ssize_t size, Py_ssize_t alignment=*)
cpdef Memory allocate_in(object source, Py_ssize_t at, Py_ssize_t size, int pages)
cpdef watch(object keeper)
cpdef Memory wrap_memory(object source, object on_release=*)
cdef Py_ssize_t references(Memory memory) noexcept
cpdef object as_source(object value)
cpdef object as_target(object value)
cpdef Py_ssize_t source_size(object source) except -1
cdef const unsigned char *source_bytes(object source) noexcept
cdef long long as_any_value(object value) except? -1
cdef unsigned long long as_any_long(object value) except? 1
cdef double as_double(object value) except? -1.0
cdef bint fits_single(double value) noexcept
cdef bytes to_bytes(const unsigned char *base, Py_ssize_t at, Py_ssize_t n)
cdef bytes blank(Py_ssize_t n)
cdef unsigned char *base_of(bytes data) noexcept


cdef inline Py_ssize_t class_of(Py_ssize_t nbytes) noexcept:
    return zb_class_of(nbytes)

cdef inline bint is_watched() noexcept:
    return WATCHED

cdef inline void set_home(Memory memory, Home home) noexcept:
    Py_INCREF(home)
    memory._home = <PyObject *> home

cdef inline Memory unshelve(Shelf shelf, Py_ssize_t k, Home home):
    cdef PyObject *o = shelf.tops[k]
    cdef Memory memory
    if o is NULL:
        return None
    shelf.tops[k] = (<Memory> o)._next
    _Py_NewReference(o)
    memory = <Memory> o
    Py_DECREF(memory)  # the line above added to the reference that it was born with
    zb_unpoison(memory.base, memory.size)
    if home is not None:
        set_home(memory, home)
    return memory

cdef inline bint shelve(Shelf shelf, Memory memory) noexcept:
    zb_poison(memory.base, memory.size)
    memory._next = shelf.tops[memory._shelf]
    shelf.tops[memory._shelf] = <PyObject *> memory
    return True

cdef inline bint is_free(Memory memory) noexcept:
    return True  # whatever looks at the bytes holds the Memory

cdef inline void wipe(Memory memory) noexcept:
    memset(memory.base, 0, memory.size)

cdef inline void let_go(Window window) noexcept:
    cdef Memory last = window._memory
    window._refcnt = 0
    window._memory = EMPTY
    window._base = EMPTY.base
    window._shift = window._lo = window._hi = window._whi = 0
    window._reader = window._writer = window._capacity = window._max = 0

cdef inline Py_ssize_t read_offset(Window window, Py_ssize_t n) noexcept:
    cdef Py_ssize_t at = window._reader
    if n <= window._writer - at and at >= window._lo and n <= window._hi - at:
        window._reader = at + n
        return at + window._shift
    return -1

cdef inline Py_ssize_t peek_offset(Window window, Py_ssize_t n) noexcept:
    cdef Py_ssize_t at = window._reader
    return at + window._shift if n <= window._writer - at and at >= window._lo and n <= window._hi - at else -1

cdef inline Py_ssize_t get_offset(Window window, Py_ssize_t index, Py_ssize_t n) noexcept:
    return index + window._shift if index >= window._lo and n <= window._hi - index else -1

cdef inline Py_ssize_t set_offset(Window window, Py_ssize_t index, Py_ssize_t n) noexcept:
    return index + window._shift if index >= window._lo and n <= window._whi - index else -1

cdef inline Py_ssize_t write_offset(Window window, Py_ssize_t n) noexcept:
    cdef Py_ssize_t at = window._writer
    return at + window._shift if at >= window._lo and n <= window._whi - at else -1

cdef inline long long as_value(object value) except? -1:
    cdef int overflow = 0
    cdef long long n
    if PyLong_CheckExact(value):  # by far the commonest, and nothing foreign runs
        n = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow == 0:
            return n
    return as_any_value(value)

cdef inline unsigned long long as_long(object value) except? 1:
    cdef int overflow = 0
    cdef long long n
    if PyLong_CheckExact(value):
        n = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow == 0:
            return <unsigned long long> n
    return as_any_long(value)

cdef inline Py_ssize_t as_size(Py_ssize_t value) noexcept:
    return value

cdef inline bint load_bool(const unsigned char *base, Py_ssize_t at) noexcept:
    return base[at] != 0

cdef inline int load_u8(const unsigned char *base, Py_ssize_t at) noexcept:
    return base[at]

cdef inline int load_i8(const unsigned char *base, Py_ssize_t at) noexcept:
    return <signed char> base[at]

cdef inline int load_i16(const unsigned char *base, Py_ssize_t at) noexcept:
    return <short> zb_be16(base + at)

cdef inline int load_i16_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return <short> zb_le16(base + at)

cdef inline int load_u16(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_be16(base + at)

cdef inline int load_u16_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_le16(base + at)

cdef inline int load_u24(const unsigned char *base, Py_ssize_t at) noexcept:
    return <int> zb_be24(base + at)

cdef inline int load_u24_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return <int> zb_le24(base + at)

cdef inline int load_i24(const unsigned char *base, Py_ssize_t at) noexcept:
    cdef unsigned int v = zb_be24(base + at)
    return ZB_SIGN24(v)

cdef inline int load_i24_le(const unsigned char *base, Py_ssize_t at) noexcept:
    cdef unsigned int v = zb_le24(base + at)
    return ZB_SIGN24(v)

cdef inline int load_i32(const unsigned char *base, Py_ssize_t at) noexcept:
    return <int> zb_be32(base + at)

cdef inline int load_i32_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return <int> zb_le32(base + at)

cdef inline long long load_u32(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_be32(base + at)

cdef inline long long load_u32_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_le32(base + at)

cdef inline long long load_i64(const unsigned char *base, Py_ssize_t at) noexcept:
    return <long long> zb_be64(base + at)

cdef inline long long load_i64_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return <long long> zb_le64(base + at)

cdef inline unsigned long long load_u64(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_be64(base + at)

cdef inline unsigned long long load_u64_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_le64(base + at)

cdef inline double load_f32(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_f32(zb_be32(base + at))

cdef inline double load_f32_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_f32(zb_le32(base + at))

cdef inline double load_f64(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_f64(zb_be64(base + at))

cdef inline double load_f64_le(const unsigned char *base, Py_ssize_t at) noexcept:
    return zb_f64(zb_le64(base + at))

cdef inline void store_8(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    base[at] = <unsigned char> (value & 0xFF)

cdef inline void store_16(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_be16(base + at, <unsigned short> (value & 0xFFFF))

cdef inline void store_16_le(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_le16(base + at, <unsigned short> (value & 0xFFFF))

cdef inline void store_24(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_be24(base + at, <unsigned int> (value & 0xFFFFFF))

cdef inline void store_24_le(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_le24(base + at, <unsigned int> (value & 0xFFFFFF))

cdef inline void store_32(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_be32(base + at, <unsigned int> (value & 0xFFFFFFFFLL))

cdef inline void store_32_le(unsigned char *base, Py_ssize_t at, long long value) noexcept:
    zb_put_le32(base + at, <unsigned int> (value & 0xFFFFFFFFLL))

cdef inline void store_64(unsigned char *base, Py_ssize_t at, unsigned long long value) noexcept:
    zb_put_be64(base + at, value)

cdef inline void store_64_le(unsigned char *base, Py_ssize_t at, unsigned long long value) noexcept:
    zb_put_le64(base + at, value)

cdef inline void store_f32(unsigned char *base, Py_ssize_t at, double value) noexcept:
    zb_put_be32(base + at, zb_bits32(<float> value))

cdef inline void store_f32_le(unsigned char *base, Py_ssize_t at, double value) noexcept:
    zb_put_le32(base + at, zb_bits32(<float> value))

cdef inline void store_f64(unsigned char *base, Py_ssize_t at, double value) noexcept:
    zb_put_be64(base + at, zb_bits64(value))

cdef inline void store_f64_le(unsigned char *base, Py_ssize_t at, double value) noexcept:
    zb_put_le64(base + at, zb_bits64(value))

cdef inline void copy(unsigned char *target, Py_ssize_t to, const unsigned char *base, Py_ssize_t at, Py_ssize_t n) noexcept:
    if n > 0:
        memmove(target + to, base + at, n)

cdef inline void put(unsigned char *base, Py_ssize_t at, object source, Py_ssize_t start, Py_ssize_t n) noexcept:
    if n > 0:
        memmove(base + at, source_bytes(source) + start, n)

cdef inline void get(const unsigned char *base, Py_ssize_t at, object target, Py_ssize_t start, Py_ssize_t n) noexcept:
    if n > 0:
        memmove(<unsigned char *> source_bytes(target) + start, base + at, n)

cdef inline void fill(unsigned char *base, Py_ssize_t at, Py_ssize_t n, int value) noexcept:
    if n > 0:
        memset(base + at, value, n)

cdef inline int compare(const unsigned char *base, Py_ssize_t at, const unsigned char *other, Py_ssize_t other_at, Py_ssize_t n) noexcept:
    cdef int order = memcmp(base + at, other + other_at, n) if n > 0 else 0
    return -1 if order < 0 else 1 if order > 0 else 0
