/*
 * base/alloc: malloc with counters and a test hook; the counters are relaxed atomics and cost a few cycles.
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static bool (*hook_allow)(void *context);
static void *hook_context;
static _Atomic int64_t live_count;
static _Atomic int64_t total_count;

static bool allowed(void)
{
    return hook_allow == NULL || hook_allow(hook_context);
}

static void *counted(void *block)
{
    if (block != NULL) {
        atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&total_count, 1, memory_order_relaxed);
    }
    return block;
}

void *weir__malloc(size_t size)
{
    return allowed() ? counted(malloc(size ? size : 1)) : NULL;
}

void *weir__calloc(size_t count, size_t size)
{
    return allowed() ? counted(calloc(count ? count : 1, size ? size : 1)) : NULL;
}

void *weir__realloc(void *block, size_t size)
{
    void *moved;

    if (block == NULL)
        return weir__malloc(size);
    if (!allowed())
        return NULL;
    moved = realloc(block, size ? size : 1);
    if (moved != NULL)
        atomic_fetch_add_explicit(&total_count, 1, memory_order_relaxed);
    return moved;
}

void *weir__realloc_array(void *block, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return weir__realloc(block, bytes);
}

void weir__free(void *block)
{
    if (block == NULL)
        return;
    atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
    free(block);
}

char *weir__copy_text(const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? weir__malloc(size + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

void weir__alloc_hook(bool (*hook)(void *context), void *context)
{
    hook_allow = hook;
    hook_context = context;
}

int64_t weir__alloc_live(void)
{
    return atomic_load_explicit(&live_count, memory_order_relaxed);
}

int64_t weir__alloc_total(void)
{
    return atomic_load_explicit(&total_count, memory_order_relaxed);
}
