/*
 * sdk/pool: a list of waiting sessions, the latest first, and a thread that closes what has waited too long.
 * The latest is taken first, so that a pool grown by a busy hour shrinks afterwards.
 */
#include "sdk/pool.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sdk/mask.h"
#include "sys/clock.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

/* A session that waits. */
typedef struct waiting {
    struct waiting *next;
    void *session;
    int64_t until_ns; /* closed then */
    weir_settings settings;
    weir_mask mask;
    weir_arena *arena; /* of the settings */
} waiting;

struct weir_pool {
    weir_pool_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    waiting *first; /* guarded by the lock, as is what follows */
    size_t count;
    bool shut;
};

/* --- what a waiting session remembers --- */

static void waiting_free(waiting *one)
{
    if (one == NULL)
        return;
    weir__mask_remove(&one->mask);
    for (size_t i = 0; i < one->settings.count; i++)
        explicit_bzero((char *)one->settings.items[i].value, one->settings.items[i].size);
    weir__arena_free(one->arena);
    weir__free(one);
}

static bool copy_settings(waiting *one, const weir_settings *settings)
{
    weir_setting *items = weir__arena_array(one->arena, settings->count, sizeof *items);

    if (items == NULL)
        return false;
    one->settings.items = items;
    for (size_t i = 0; i < settings->count; i++) {
        const weir_setting *from = &settings->items[i];

        items[i].name = weir__arena_copy(one->arena, from->name, strlen(from->name));
        items[i].value = weir__arena_copy(one->arena, from->value, from->size);
        items[i].size = from->size;
        if (items[i].name == NULL || items[i].value == NULL)
            return false;
        one->settings.count = i + 1;
    }
    return true;
}

static waiting *waiting_new(const weir_pool *pool, const weir_settings *settings, void *session)
{
    waiting *one = weir__calloc(1, sizeof *one);
    weir_bytes *secrets;
    size_t count;

    if (one == NULL)
        return NULL;
    one->session = session;
    one->arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    if (one->arena == NULL || !copy_settings(one, settings) ||
        weir__options_secrets(pool->options.form, &one->settings, one->arena, &secrets, &count) != WEIR_OK) {
        waiting_free(one);
        return NULL;
    }
    weir__mask_add(&one->mask, secrets, count);
    return one;
}

static bool settings_equal(const weir_settings *a, const weir_settings *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const weir_setting *other = &b->items[i]; /* the order is the usual one */

        if (strcmp(other->name, a->items[i].name) != 0)
            other = weir__settings_find(b, a->items[i].name);
        if (other == NULL || other->size != a->items[i].size ||
            memcmp(other->value, a->items[i].value, other->size) != 0)
            return false;
    }
    return true;
}

/* --- the list; the lock is held --- */

static waiting *unlink_one(weir_pool *pool, waiting **at)
{
    waiting *one = *at;

    *at = one->next;
    one->next = NULL;
    pool->count--;
    return one;
}

/* Those past their time; the list is sorted by it, the latest first. */
static waiting *unlink_expired(weir_pool *pool, int64_t now)
{
    waiting **at = &pool->first;
    waiting *expired;

    while (*at != NULL && (*at)->until_ns > now)
        at = &(*at)->next;
    expired = *at;
    *at = NULL;
    for (const waiting *one = expired; one != NULL; one = one->next)
        pool->count--;
    return expired;
}

static const waiting *oldest(const weir_pool *pool)
{
    const waiting *one = pool->first;

    while (one != NULL && one->next != NULL)
        one = one->next;
    return one;
}

/* --- without the lock --- */

static void close_list(const weir_pool *pool, waiting *list)
{
    while (list != NULL) {
        waiting *one = list;

        list = one->next;
        pool->options.close(one->session);
        waiting_free(one);
    }
}

static void *run(void *context)
{
    weir_pool *pool = context;

    pthread_mutex_lock(&pool->lock);
    while (!pool->shut) {
        const waiting *next = oldest(pool);
        waiting *expired = NULL;

        if (next == NULL) {
            pthread_cond_wait(&pool->changed, &pool->lock);
        } else if (next->until_ns > weir__clock_ns()) {
            struct timespec until = { .tv_sec = (time_t)(next->until_ns / NS_PER_SECOND),
                                      .tv_nsec = (long)(next->until_ns % NS_PER_SECOND) };

            pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
        } else {
            expired = unlink_expired(pool, weir__clock_ns());
            pthread_mutex_unlock(&pool->lock);
            close_list(pool, expired);
            pthread_mutex_lock(&pool->lock);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

weir_pool *weir__pool_new(const weir_pool_options *options)
{
    weir_pool *pool = weir__calloc(1, sizeof *pool);
    pthread_condattr_t monotonic;

    if (pool == NULL)
        return NULL;
    pool->options = *options;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&pool->thread, NULL, run, pool) == 0)
        return pool;
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    weir__free(pool);
    return NULL;
}

void *weir__pool_take(weir_pool *pool, const weir_settings *settings)
{
    waiting *found = NULL;
    void *session = NULL;

    pthread_mutex_lock(&pool->lock);
    for (waiting **at = &pool->first; *at != NULL; at = &(*at)->next)
        if (settings_equal(&(*at)->settings, settings)) {
            found = unlink_one(pool, at);
            break;
        }
    pthread_mutex_unlock(&pool->lock);
    if (found != NULL)
        session = found->session;
    waiting_free(found);
    return session;
}

bool weir__pool_give(weir_pool *pool, const weir_settings *settings, void *session)
{
    waiting *one = waiting_new(pool, settings, session);
    waiting *evicted = NULL;
    bool kept = false;

    if (one == NULL)
        return false;
    pthread_mutex_lock(&pool->lock);
    if (!pool->shut) {
        one->until_ns = weir__clock_ns() + pool->options.idle_ms * NS_PER_MS;
        one->next = pool->first;
        pool->first = one;
        kept = true;
        if (++pool->count > pool->options.idle_max) {
            waiting **at = &pool->first;

            while ((*at)->next != NULL)
                at = &(*at)->next;
            evicted = unlink_one(pool, at);
        }
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!kept)
        waiting_free(one);
    close_list(pool, evicted);
    return kept;
}

void weir__pool_shut(weir_pool *pool)
{
    waiting *all;

    pthread_mutex_lock(&pool->lock);
    pool->shut = true;
    all = pool->first;
    pool->first = NULL;
    pool->count = 0;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    close_list(pool, all);
}

void weir__pool_free(weir_pool *pool)
{
    if (pool == NULL)
        return;
    weir__pool_shut(pool);
    pthread_join(pool->thread, NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    weir__free(pool);
}

size_t weir__pool_idle(weir_pool *pool)
{
    size_t count;

    pthread_mutex_lock(&pool->lock);
    count = pool->count;
    pthread_mutex_unlock(&pool->lock);
    return count;
}
