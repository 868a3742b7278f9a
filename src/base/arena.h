/*
 * base/arena: memory with one lifetime, released all at once.
 *
 * One arena per process, connection, sync, call or row. Allocation is a pointer bump; nothing is freed
 * singly. Clean-up hooks run at reset, last registered first, for what is no memory: descriptors, foreign
 * handles. One thread at a time.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <weir/base.h>

typedef struct weir_arena weir_arena;

/* An empty arena that may hold `size_max` bytes in all; owned by the caller. NULL when out of memory. */
weir_arena *weir__arena_new(size_t size_max);
void weir__arena_free(weir_arena *arena); /* runs the hooks; accepts NULL */
/* Runs the hooks and forgets everything allocated; keeps one block so that the next round needs no malloc. */
void weir__arena_reset(weir_arena *arena);
/* Zeroed memory, aligned for any type, borrowed until reset. NULL when out of memory or past the maximum. */
void *weir__arena_alloc(weir_arena *arena, size_t size);
/* The same for count * size bytes, with the product checked. */
void *weir__arena_array(weir_arena *arena, size_t count, size_t size);
/* The same without zeroing and alignment: for text. */
char *weir__arena_raw(weir_arena *arena, size_t size);
/* A terminated copy, borrowed until reset. */
char *weir__arena_copy(weir_arena *arena, const char *text, size_t size);
char *weir__arena_printf(weir_arena *arena, const char *format, ...) WEIR_PRINTF(2, 3);
/* Calls hook(subject) at reset or free. False when out of memory; then the hook has not been kept. */
bool weir__arena_at_reset(weir_arena *arena, void (*hook)(void *subject), void *subject) WEIR_CHECKED;
/* Bytes handed out since the last reset. */
size_t weir__arena_used(const weir_arena *arena);

#endif
