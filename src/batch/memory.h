/* batch/memory: the compression libraries' allocators, so that their memory is counted, too. */
#ifndef WEIR_BATCH_MEMORY_H
#define WEIR_BATCH_MEMORY_H

#include "base/alloc.h"

static inline void *weir__zstd_alloc(void *context, size_t size)
{
    (void)context;
    return weir__malloc(size);
}

static inline void weir__zstd_free(void *context, void *block)
{
    (void)context;
    weir__free(block);
}

static inline void *weir__zlib_alloc(void *context, unsigned count, unsigned size)
{
    (void)context;
    return weir__calloc(count, size);
}

static inline void weir__zlib_free(void *context, void *block)
{
    (void)context;
    weir__free(block);
}

#endif
