/*
 * base/arena: a chain of blocks, newest first.
 *
 *   arena → block → block → NULL
 *            [header | bytes used | bytes free]
 *
 * Blocks double from 4 KiB to 1 MiB; an oversized request gets a block of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_LAST ((size_t)1 << 20)
#define ALIGNMENT _Alignof(max_align_t)

typedef struct block {
    struct block *next;
    size_t capacity;
    size_t used;
    _Alignas(max_align_t) char bytes[];
} block;

typedef struct cleanup {
    struct cleanup *next;
    void (*hook)(void *subject);
    void *subject;
} cleanup;

struct weir_arena {
    block *newest;
    cleanup *cleanups;
    size_t used;
    size_t size_max;
    size_t next_capacity;
};

weir_arena *weir__arena_new(size_t size_max)
{
    weir_arena *arena = weir__calloc(1, sizeof *arena);

    if (arena == NULL)
        return NULL;
    arena->size_max = size_max;
    arena->next_capacity = BLOCK_FIRST;
    return arena;
}

static void run_cleanups(weir_arena *arena)
{
    while (arena->cleanups != NULL) {
        cleanup *first = arena->cleanups;

        arena->cleanups = first->next;
        first->hook(first->subject);
    }
}

void weir__arena_reset(weir_arena *arena)
{
    block *kept = NULL;

    run_cleanups(arena);
    while (arena->newest != NULL) {
        block *gone = arena->newest;

        arena->newest = gone->next;
        if (kept == NULL && gone->capacity <= BLOCK_LAST)
            kept = gone;
        else
            weir__free(gone);
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->newest = kept;
    arena->used = 0;
}

void weir__arena_free(weir_arena *arena)
{
    if (arena == NULL)
        return;
    weir__arena_reset(arena);
    weir__free(arena->newest);
    weir__free(arena);
}

static bool add_block(weir_arena *arena, size_t size)
{
    size_t capacity = arena->next_capacity > size ? arena->next_capacity : size;
    size_t bytes;
    block *added;

    if (__builtin_add_overflow(capacity, sizeof *added, &bytes))
        return false;
    added = weir__malloc(bytes);
    if (added == NULL)
        return false;
    if (arena->next_capacity < BLOCK_LAST)
        arena->next_capacity *= 2;
    added->capacity = capacity;
    added->used = 0;
    added->next = arena->newest;
    arena->newest = added;
    return true;
}

static char *take(weir_arena *arena, size_t size, size_t alignment)
{
    block *b = arena->newest;
    size_t start = b ? (b->used + alignment - 1) & ~(alignment - 1) : 0;

    if (size > arena->size_max || arena->used > arena->size_max - size)
        return NULL;
    if (b == NULL || start > b->capacity || b->capacity - start < size) {
        if (!add_block(arena, size))
            return NULL;
        b = arena->newest;
        start = 0;
    }
    b->used = start + size;
    arena->used += size;
    return b->bytes + start;
}

void *weir__arena_alloc(weir_arena *arena, size_t size)
{
    char *at = take(arena, size, ALIGNMENT);

    return at ? memset(at, 0, size) : NULL;
}

void *weir__arena_array(weir_arena *arena, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return weir__arena_alloc(arena, bytes);
}

char *weir__arena_raw(weir_arena *arena, size_t size)
{
    return take(arena, size, 1);
}

char *weir__arena_copy(weir_arena *arena, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? take(arena, size + 1, 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *weir__arena_printf(weir_arena *arena, const char *format, ...)
{
    va_list args;
    int length;
    char *text;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = length >= 0 ? take(arena, (size_t)length + 1, 1) : NULL;
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

bool weir__arena_at_reset(weir_arena *arena, void (*hook)(void *subject), void *subject)
{
    cleanup *added = weir__arena_alloc(arena, sizeof *added);

    if (added == NULL)
        return false;
    *added = (cleanup){ .next = arena->cleanups, .hook = hook, .subject = subject };
    arena->cleanups = added;
    return true;
}

size_t weir__arena_used(const weir_arena *arena)
{
    return arena->used;
}
