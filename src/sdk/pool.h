/*
 * sdk/pool: sessions of the partner's that wait for another request of the same configuration.
 *
 *   take ──► a session that waits, or NULL: the caller opens one
 *   give ──► kept until it is taken, evicted, idle for too long, or the pool is shut; else the caller's
 *
 * Configurations are compared whole, entry by entry in any order. The copy that a waiting session has of its
 * own is wiped when it is released, and its secrets stay masked until then. One lock; close() is never called
 * under it, but may be called in the pool's own thread. Any thread.
 */
#ifndef WEIR_SDK_POOL_H
#define WEIR_SDK_POOL_H

#include "base/error.h"
#include "sdk/options.h"

typedef struct weir_pool weir_pool;

typedef struct weir_pool_options {
    const weir_form *form; /* says which entries are secrets; borrowed */
    void (*close)(void *session);
    size_t idle_max; /* sessions that wait at once; past it the one that waited longest is closed */
    int64_t idle_ms; /* after which one that waits is closed */
} weir_pool_options;

/* Owned by the caller; NULL when out of memory or of threads. */
weir_pool *weir__pool_new(const weir_pool_options *options);
/* A session that waits for these settings, now the caller's; NULL when there is none. */
void *weir__pool_take(weir_pool *pool, const weir_settings *settings);
/* Leaves a session to the pool. False: it stays the caller's, for the pool is shut or memory has run out. */
bool weir__pool_give(weir_pool *pool, const weir_settings *settings, void *session) WEIR_CHECKED;
/* Closes what waits, and keeps nothing from now on. */
void weir__pool_shut(weir_pool *pool);
/* Shuts and frees; sessions that were taken are the callers' to close. Accepts NULL. */
void weir__pool_free(weir_pool *pool);
/* How many sessions wait now. */
size_t weir__pool_idle(weir_pool *pool);

#endif
