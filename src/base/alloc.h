/*
 * base/alloc: the one door to the heap, so that tests can count allocations and fail any of them.
 *
 * Memory from these functions is released by weir__free. They never abort: NULL means out of memory. Any
 * thread.
 */
#ifndef WEIR_BASE_ALLOC_H
#define WEIR_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *weir__malloc(size_t size);
/* `count * size` zeroed bytes; NULL when the product overflows. */
void *weir__calloc(size_t count, size_t size);
/* As realloc: on failure the old block stays valid. */
void *weir__realloc(void *block, size_t size);
/* As realloc for `count * size` bytes, with the product checked. */
void *weir__realloc_array(void *block, size_t count, size_t size);
void weir__free(void *block); /* accepts NULL */
/* A terminated copy of `size` bytes, owned by the caller. */
char *weir__copy_text(const char *text, size_t size);

/*
 * Test hook. `hook(context)` is asked before every allocation and returns false to make it fail; NULL removes
 * it. Set it while no other thread allocates.
 */
void weir__alloc_hook(bool (*hook)(void *context), void *context);
/* Allocations that are live now, and allocations made since the process began. */
int64_t weir__alloc_live(void);
int64_t weir__alloc_total(void);

#endif
