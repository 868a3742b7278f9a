/*
 * rpc/slab: blocks of bytes shared by reference, and the pool that keeps the big ones for reuse.
 *
 * What a socket delivers is read into slabs, and received messages point into them; what is sent is gathered
 * in slabs, and the socket writes out of them: so a message is copied at most once on each side, and no page
 * is given back to the system and faulted in again for each of them. Any thread.
 */
#ifndef WEIR_RPC_SLAB_H
#define WEIR_RPC_SLAB_H

#include <weir/base.h>

#define WEIR_RPC_SLAB_SIZE ((size_t)256 * 1024)

typedef struct weir_rpc_pool weir_rpc_pool;

typedef struct weir_rpc_slab {
    struct weir_rpc_slab *next; /* for its holder's lists */
    weir_rpc_pool *pool;
    _Atomic uint32_t refs;
    uint32_t framed; /* bytes given out for sending; the sender's own */
    size_t size;     /* bytes filled */
    size_t capacity;
    char data[];
} weir_rpc_slab;

/* The pool lives until the last of its slabs is gone. `inbound_size_max` bounds weir__rpc_pool_charge. */
weir_rpc_pool *weir__rpc_pool_new(size_t inbound_size_max);
void weir__rpc_pool_free(weir_rpc_pool *pool); /* gives up the maker's hold; accepts NULL */
/* One more hold, ended by weir__rpc_pool_free. */
weir_rpc_pool *weir__rpc_pool_hold(weir_rpc_pool *pool);
/*
 * An empty slab with one reference: WEIR_RPC_SLAB_SIZE bytes from the pool, or `capacity` bytes if that is
 * smaller.
 */
weir_rpc_slab *weir__rpc_slab_new(weir_rpc_pool *pool, size_t capacity);
weir_rpc_slab *weir__rpc_slab_ref(weir_rpc_slab *slab);
void weir__rpc_slab_unref(weir_rpc_slab *slab); /* accepts NULL */
/* True when the caller holds the only reference. */
bool weir__rpc_slab_is_alone(const weir_rpc_slab *slab);
/*
 * False when so many big slabs are in use that messages must be copied out of them instead of holding on to
 * them.
 */
bool weir__rpc_pool_may_borrow(const weir_rpc_pool *pool);
/* Counts received bytes that wait to be taken; false, and nothing counted, past the maximum. */
bool weir__rpc_pool_charge(weir_rpc_pool *pool, size_t size) WEIR_CHECKED;
void weir__rpc_pool_discharge(weir_rpc_pool *pool, size_t size);

#endif
