/* A counter in front of CPython's allocators.
 *
 * Owns    the count of calls that ask for memory: malloc, calloc and realloc of all three domains (raw, mem, object).
 * Never   the memory itself: every call goes on to the allocator that was there before.
 * Always  between start() and stop() each request is counted once; what is freed is not counted. Objects that CPython
 *         takes from a free list (most floats, short tuples) ask nobody, and so they are not counted.
 *
 * The record and the two functions are those of CPython's "Memory Management" API, stable since 3.5; declared here, so
 * that no header is needed. Built and loaded by _counting.py. */

#include <stddef.h>

typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *ptr, size_t size);
    void (*free)(void *ctx, void *ptr);
} Allocator;

extern void PyMem_GetAllocator(int domain, Allocator *allocator);
extern void PyMem_SetAllocator(int domain, Allocator *allocator);

enum { DOMAINS = 3 };

static Allocator before[DOMAINS];
long long allocations;

static void *count_malloc(void *ctx, size_t size)
{
    Allocator *inner = ctx;
    allocations++;
    return inner->malloc(inner->ctx, size);
}

static void *count_calloc(void *ctx, size_t count, size_t size)
{
    Allocator *inner = ctx;
    allocations++;
    return inner->calloc(inner->ctx, count, size);
}

static void *count_realloc(void *ctx, void *ptr, size_t size)
{
    Allocator *inner = ctx;
    allocations++;
    return inner->realloc(inner->ctx, ptr, size);
}

static void pass_free(void *ctx, void *ptr)
{
    Allocator *inner = ctx;
    inner->free(inner->ctx, ptr);
}

void start(void)
{
    allocations = 0;
    for (int domain = 0; domain < DOMAINS; domain++) {
        PyMem_GetAllocator(domain, &before[domain]);
        Allocator counting = {&before[domain], count_malloc, count_calloc, count_realloc, pass_free};
        PyMem_SetAllocator(domain, &counting);
    }
}

void stop(void)
{
    for (int domain = 0; domain < DOMAINS; domain++)
        PyMem_SetAllocator(domain, &before[domain]);
}
