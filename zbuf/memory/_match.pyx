# cython: boundscheck=False, wraparound=False
"""Finding bytes in one piece of memory: the compiled twin of `_match.py`.

Owns    find, rfind and find_in over raw bytes, and the comparison of a needle with them.
Never   an index of a buffer, a border between pieces: whoever calls has checked the range, and joins the pieces.
Always  linear in the range, whatever it holds and whatever is looked for, in both directions, and without memory of
        its own. Both twins offer the same names with the same behaviour.

Sixteen places at a time are compared with the first and the last byte of the needle; where both fit, the rest is. When
such places are so many that comparing them would cost more than the range is long, Two-Way (Crochemore and Perrin,
1991) goes on from there. libc has no such search: glibc's memmem looks at needles of up to 256 bytes in a time that
grows with their length, and there is no memrmem.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcmp

__all__: list[str] = []

cdef extern from *:
    """
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    #define ZB_WIDTH 16
    #define ZB_PATIENCE 1024 /* bytes compared in vain before it is asked whether that pays; arbitrary */

    /* Two-Way over p[0 .. m) and h[0 .. n) read with a step of 1, or of -1 from the last byte of each.
       Returns how many steps lie before the first match, or -1. The table lets it skip as far as the byte that stands
       under the needle's last one allows. */
    static Py_ssize_t zb_two_way(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m,
                                 Py_ssize_t step) {
    #define ZB_P(i) p[(i) * step]
    #define ZB_H(i) h[(i) * step]
        Py_ssize_t last_at[256], i, j, k, period = 1, suffix = 0, turn, at = 0, memory = 0, kept;
        for (i = 0; i < 256; i++) last_at[i] = -1;
        for (i = 0; i < m; i++) last_at[ZB_P(i)] = i;
        /* The critical place: the later start of the two maximal suffixes, under < and under >. */
        for (turn = 0; turn < 2; turn++) {
            Py_ssize_t p0 = 1;
            i = -1, j = 0, k = 1;
            while (j + k < m) {
                unsigned char a = ZB_P(i + k), b = ZB_P(j + k);
                if (a == b) {
                    if (k == p0) { j += p0; k = 1; } else k++;
                } else if (turn ? a < b : a > b) {
                    j += k; k = 1; p0 = j - i;
                } else {
                    i = j++; k = p0 = 1;
                }
            }
            if (turn == 0 || i + 1 > suffix) { suffix = i + 1; period = p0; }
        }
        for (i = 0; i < suffix && i + period < m && ZB_P(i) == ZB_P(i + period); i++);
        if (i < suffix) {
            kept = 0;
            period = (suffix - 1 > m - suffix ? suffix - 1 : m - suffix) + 1;
        } else kept = m - period;
        while (at <= n - m) {
            k = m - 1 - last_at[ZB_H(at + m - 1)];
            if (k > 0) {
                at += k < memory ? memory : k;
                memory = 0;
                continue;
            }
            for (k = suffix > memory ? suffix : memory; k < m && ZB_P(k) == ZB_H(at + k); k++);
            if (k < m) { at += k - suffix + 1; memory = 0; continue; }
            for (k = suffix; k > memory && ZB_P(k - 1) == ZB_H(at + k - 1); k--);
            if (k <= memory) return at;
            at += period;
            memory = kept;
        }
        return -1;
    #undef ZB_P
    #undef ZB_H
    }

    /* One bit for each of the 16 places from h where the first and the last byte of a needle fit. */
    static inline unsigned zb_places(const unsigned char *h, Py_ssize_t m, unsigned char first, unsigned char last) {
    #if defined(__SSE2__)
        __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)h), _mm_set1_epi8((char)first));
        __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(h + m - 1)), _mm_set1_epi8((char)last));
        return (unsigned)_mm_movemask_epi8(_mm_and_si128(a, b));
    #else
        unsigned mask = 0;
        for (int k = 0; k < ZB_WIDTH; k++) mask |= (unsigned)((h[k] == first) & (h[k + m - 1] == last)) << k;
        return mask;
    #endif
    }

    /* Whether there is such a place among the 64 from h; a loop over many places asks this first. */
    static inline int zb_any_place(const unsigned char *h, Py_ssize_t m, unsigned char first, unsigned char last) {
    #if defined(__SSE2__)
        __m128i a = _mm_set1_epi8((char)first), b = _mm_set1_epi8((char)last), any = _mm_setzero_si128();
        for (int k = 0; k < 4 * ZB_WIDTH; k += ZB_WIDTH)
            any = _mm_or_si128(any, _mm_and_si128(
                _mm_cmpeq_epi8(a, _mm_loadu_si128((const __m128i *)(h + k))),
                _mm_cmpeq_epi8(b, _mm_loadu_si128((const __m128i *)(h + k + m - 1)))));
        return _mm_movemask_epi8(any);
    #else
        return 1;
    #endif
    }

    /* How many bytes are equal from the front; all of them, or at most 7 short of the first difference. */
    static inline Py_ssize_t zb_equal(const unsigned char *a, const unsigned char *b, Py_ssize_t n) {
        Py_ssize_t k = 0;
        for (; k + 8 <= n; k += 8) if (memcmp(a + k, b + k, 8) != 0) return k;
        return memcmp(a + k, b + k, n - k) == 0 ? n : k;
    }

    static inline Py_ssize_t zb_search(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m,
                                       const int back) {
        const unsigned char first = p[0], last = p[m - 1];
        Py_ssize_t count = n - m + 1, done = 0, spent = 0, r;
        unsigned mask = 0;
        while (done < count) {
            while (!mask && done >= 4 * ZB_WIDTH && count - done >= 4 * ZB_WIDTH) { /* a near match is found without */
                if (zb_any_place(back ? h + count - done - 4 * ZB_WIDTH : h + done, m, first, last)) break;
                done += 4 * ZB_WIDTH;
            }
            if (done == count) break;
            Py_ssize_t width = count - done < ZB_WIDTH ? count - done : ZB_WIDTH;
            const unsigned char *from = back ? h + count - done - width : h + done;
            unsigned left = 0;
            if (width == ZB_WIDTH) left = zb_places(from, m, first, last);
            else for (int k = 0; k < width; k++) left |= (unsigned)((from[k] == first) & (from[k + m - 1] == last)) << k;
            mask = left;
            while (left) {
                int bit = back ? 31 - __builtin_clz(left) : __builtin_ctz(left);
                Py_ssize_t equal = zb_equal(from + bit, p, m);
                if (equal == m) return from + bit - h;
                left ^= 1u << bit;
                spent += equal + 8;
                if (spent - ZB_PATIENCE > 4 * done) {
                    r = back ? zb_two_way(h + n - done - 1, n - done, p + m - 1, m, -1)
                             : zb_two_way(h + done, n - done, p, m, 1);
                    return r < 0 ? -1 : back ? count - 1 - done - r : done + r;
                }
            }
            done += width;
        }
        return -1;
    }
    static Py_ssize_t zb_find(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m) {
        return zb_search(h, n, p, m, 0);
    }
    static Py_ssize_t zb_rfind(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m) {
        return zb_search(h, n, p, m, 1);
    }
    """
    Py_ssize_t zb_find(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m) noexcept nogil
    Py_ssize_t zb_rfind(const unsigned char *h, Py_ssize_t n, const unsigned char *p, Py_ssize_t m) noexcept nogil

cdef extern from "string.h" nogil:
    void *memchr(const void *s, int c, size_t n)
    void *memrchr(const void *s, int c, size_t n)


cdef Py_ssize_t find(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle) noexcept:
    """Return the offset from `at` of the first `needle`, of at least one byte, in the `n` bytes there, or -1."""
    cdef const unsigned char *wanted = <const unsigned char *> PyBytes_AS_STRING(needle)
    cdef const unsigned char *start = base + at
    cdef const unsigned char *found
    if PyBytes_GET_SIZE(needle) != 1:
        return zb_find(start, n, wanted, PyBytes_GET_SIZE(needle))
    if n == 0:
        return -1
    found = <const unsigned char *> memchr(start, wanted[0], n)
    return -1 if found is NULL else found - start


cdef Py_ssize_t rfind(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle) noexcept:
    """Return the offset from `at` of the last `needle`, of at least one byte, in the `n` bytes there, or -1."""
    cdef const unsigned char *wanted = <const unsigned char *> PyBytes_AS_STRING(needle)
    cdef const unsigned char *start = base + at
    cdef const unsigned char *found
    if PyBytes_GET_SIZE(needle) != 1:
        return zb_rfind(start, n, wanted, PyBytes_GET_SIZE(needle))
    if n == 0:
        return -1
    found = <const unsigned char *> memrchr(start, wanted[0], n)
    return -1 if found is NULL else found - start


cdef Py_ssize_t find_in(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes table) noexcept:
    """Return the offset from `at` of the first of the `n` bytes there whose entry of the 256 is not 0, or -1."""
    cdef const unsigned char *wanted = <const unsigned char *> PyBytes_AS_STRING(table)
    cdef const unsigned char *start = base + at
    cdef Py_ssize_t k
    for k in range(n):
        if wanted[start[k]]:
            return k
    return -1


cdef bint is_same(const unsigned char *base, Py_ssize_t at, Py_ssize_t n, bytes needle, Py_ssize_t start) noexcept:
    """Return whether the `n` bytes at `at` are those of `needle` from `start`."""
    return n == 0 or memcmp(base + at, <const unsigned char *> PyBytes_AS_STRING(needle) + start, n) == 0
