/* rpc/slab: a free list of big slabs under a lock; small ones come from the heap each time. */
#include "rpc/slab.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"

#define SPARE_MAX 16  /* big slabs kept for reuse: 4 MiB */
#define BORROW_MAX 64 /* big slabs in use, above which messages no longer hold on to them: 16 MiB */

struct weir_rpc_pool {
    pthread_mutex_t lock;
    weir_rpc_slab *spare; /* guarded by lock */
    size_t spare_count;
    _Atomic size_t refs; /* the maker and every slab */
    _Atomic size_t big_count;
    _Atomic size_t inbound_size;
    size_t inbound_size_max;
};

weir_rpc_pool *weir__rpc_pool_new(size_t inbound_size_max)
{
    weir_rpc_pool *pool = weir__calloc(1, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    atomic_init(&pool->refs, 1);
    pool->inbound_size_max = inbound_size_max;
    return pool;
}

static void release(weir_rpc_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (pool->spare != NULL) {
        weir_rpc_slab *gone = pool->spare;

        pool->spare = gone->next;
        weir__free(gone);
    }
    pthread_mutex_destroy(&pool->lock);
    weir__free(pool);
}

void weir__rpc_pool_free(weir_rpc_pool *pool)
{
    if (pool != NULL)
        release(pool);
}

weir_rpc_pool *weir__rpc_pool_hold(weir_rpc_pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

static weir_rpc_slab *take_spare(weir_rpc_pool *pool)
{
    weir_rpc_slab *slab;

    pthread_mutex_lock(&pool->lock);
    slab = pool->spare;
    if (slab != NULL) {
        pool->spare = slab->next;
        pool->spare_count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return slab;
}

weir_rpc_slab *weir__rpc_slab_new(weir_rpc_pool *pool, size_t capacity)
{
    bool big = capacity >= WEIR_RPC_SLAB_SIZE;
    weir_rpc_slab *slab = big ? take_spare(pool) : NULL;

    if (big)
        capacity = WEIR_RPC_SLAB_SIZE;
    if (slab == NULL)
        slab = weir__malloc(sizeof *slab + capacity);
    if (slab == NULL)
        return NULL;
    slab->next = NULL;
    slab->pool = pool;
    slab->framed = 0;
    slab->size = 0;
    slab->capacity = capacity;
    atomic_init(&slab->refs, 1);
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    if (big)
        atomic_fetch_add_explicit(&pool->big_count, 1, memory_order_relaxed);
    return slab;
}

weir_rpc_slab *weir__rpc_slab_ref(weir_rpc_slab *slab)
{
    atomic_fetch_add_explicit(&slab->refs, 1, memory_order_relaxed);
    return slab;
}

void weir__rpc_slab_unref(weir_rpc_slab *slab)
{
    weir_rpc_pool *pool;

    if (slab == NULL || atomic_fetch_sub_explicit(&slab->refs, 1, memory_order_acq_rel) != 1)
        return;
    pool = slab->pool;
    if (slab->capacity == WEIR_RPC_SLAB_SIZE) {
        atomic_fetch_sub_explicit(&pool->big_count, 1, memory_order_relaxed);
        pthread_mutex_lock(&pool->lock);
        if (pool->spare_count < SPARE_MAX) {
            slab->next = pool->spare;
            pool->spare = slab;
            pool->spare_count++;
            slab = NULL;
        }
        pthread_mutex_unlock(&pool->lock);
    }
    weir__free(slab);
    release(pool);
}

bool weir__rpc_slab_is_alone(const weir_rpc_slab *slab)
{
    return atomic_load_explicit(&slab->refs, memory_order_acquire) == 1;
}

bool weir__rpc_pool_may_borrow(const weir_rpc_pool *pool)
{
    return atomic_load_explicit(&pool->big_count, memory_order_relaxed) <= BORROW_MAX;
}

bool weir__rpc_pool_charge(weir_rpc_pool *pool, size_t size)
{
    size_t before = atomic_fetch_add_explicit(&pool->inbound_size, size, memory_order_relaxed);

    if (before <= pool->inbound_size_max && size <= pool->inbound_size_max - before)
        return true;
    atomic_fetch_sub_explicit(&pool->inbound_size, size, memory_order_relaxed);
    return false;
}

void weir__rpc_pool_discharge(weir_rpc_pool *pool, size_t size)
{
    atomic_fetch_sub_explicit(&pool->inbound_size, size, memory_order_relaxed);
}
