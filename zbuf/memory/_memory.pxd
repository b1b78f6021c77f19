# What C code may ask of _memory.pyx. The loads and stores are inline, so a hot accessor has no call in it.

cimport cython
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
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


cdef class Block:
    cdef void *_origin
    cdef unsigned char *bytes
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t alignment

    cpdef wipe(self)
    cpdef bint is_exported(self)


cdef class Home:
    cdef void _give_back(self, Block block) except *


@cython.final
@cython.no_gc
cdef class Memory:
    cdef object __weakref__
    cdef unsigned char *base
    cdef readonly Py_ssize_t size
    cdef readonly bint read_only
    cdef public bint external
    cdef Block _block
    cdef Home _home
    cdef object _source
    cdef object _view
    cdef object _on_release

    cpdef export(self, Py_ssize_t at, Py_ssize_t n, bint read_only)
    cpdef bint is_immutable(self) except -1
    cpdef Py_ssize_t address(self)


@cython.final
@cython.no_gc
cdef class Part:
    cdef Memory memory
    cdef Py_ssize_t at
    cdef Py_ssize_t n
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
cdef Window sprout(Window model, Window source)
cdef Window sprout_hollow(Window model, int hollow)

cpdef Memory allocate(Py_ssize_t size, Py_ssize_t alignment=*)
cpdef Memory lease(Block block, Home home)
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
