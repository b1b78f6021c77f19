/* Counts every memcpy and memmove of at least FLOOR bytes that goes through the procedure linkage table, whoever calls:
   CPython, zbuf's compiled half, libc, libssl. Loaded with LD_PRELOAD. It knows nothing of zbuf's own meter, and that
   is the point. What a compiler has inlined it cannot see, nor a loop that moves bytes by itself.

   The copies are made with rep movsb, so that nothing here calls what it counts. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOR 4096

static atomic_ullong calls, bytes;

unsigned long long witness_bytes(void) { return atomic_load(&bytes); }
unsigned long long witness_calls(void) { return atomic_load(&calls); }

static void note(size_t n) {
    if (n >= FLOOR) {
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&bytes, n, memory_order_relaxed);
    }
}

static void *forward(void *to, const void *from, size_t n) {
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return result;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    note(n);
    return forward(to, from, n);
}

void *memmove(void *to, const void *from, size_t n) {
    note(n);
    if ((uintptr_t)to - (uintptr_t)from >= n) return forward(to, from, n);
    unsigned char *last_to = (unsigned char *)to + n - 1;
    const unsigned char *last_from = (const unsigned char *)from + n - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(last_to), "+S"(last_from), "+c"(n) : : "memory");
    return to;
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room) { (void)room; return memcpy(to, from, n); }
void *__memmove_chk(void *to, const void *from, size_t n, size_t room) { (void)room; return memmove(to, from, n); }
