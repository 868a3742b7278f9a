/* base/queue: a linked list under one mutex, with a condition for each direction. */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/alloc.h"

typedef struct node {
    struct node *next;
    void *item;
    size_t weight;
} node;

struct weir_queue {
    pthread_mutex_t lock;
    pthread_cond_t room;
    pthread_cond_t items;
    node *first;
    node *last;
    size_t weight;
    size_t weight_max;
    size_t weight_peak;
    bool finished;
    bool closed;
};

weir_queue *weir__queue_new(size_t weight_max)
{
    weir_queue *queue = weir__calloc(1, sizeof *queue);
    pthread_condattr_t monotonic;

    if (queue == NULL)
        return NULL;
    queue->weight_max = weight_max;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->room, &monotonic);
    pthread_cond_init(&queue->items, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return queue;
}

void weir__queue_free(weir_queue *queue, void (*dispose)(void *item))
{
    if (queue == NULL)
        return;
    while (queue->first != NULL) {
        node *gone = queue->first;

        queue->first = gone->next;
        if (dispose != NULL)
            dispose(gone->item);
        weir__free(gone);
    }
    pthread_cond_destroy(&queue->items);
    pthread_cond_destroy(&queue->room);
    pthread_mutex_destroy(&queue->lock);
    weir__free(queue);
}

/* False when the deadline has passed. */
static bool wait_on(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ns)
{
    struct timespec until = { .tv_sec = (time_t)(deadline_ns / 1000000000),
                              .tv_nsec = deadline_ns % 1000000000 };

    if (deadline_ns == WEIR_FOREVER)
        return pthread_cond_wait(condition, lock) == 0;
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}

static bool has_room(const weir_queue *queue, size_t weight)
{
    return queue->first == NULL ||
           (weight <= queue->weight_max && queue->weight <= queue->weight_max - weight);
}

weir_status weir__queue_push(weir_queue *queue, void *item, size_t weight, int64_t deadline_ns)
{
    node *added = weir__malloc(sizeof *added);
    weir_status status = WEIR_FAILED;

    if (added == NULL)
        return WEIR_FAILED;
    *added = (node){ .item = item, .weight = weight };
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && !has_room(queue, weight))
        if (!wait_on(&queue->room, &queue->lock, deadline_ns))
            goto out;
    if (queue->closed || queue->finished) {
        status = WEIR_CANCELLED;
        goto out;
    }
    if (queue->last != NULL)
        queue->last->next = added;
    else
        queue->first = added;
    queue->last = added;
    added = NULL;
    queue->weight += weight;
    if (queue->weight > queue->weight_peak)
        queue->weight_peak = queue->weight;
    status = WEIR_OK;
    pthread_cond_signal(&queue->items);
out:
    pthread_mutex_unlock(&queue->lock);
    weir__free(added);
    return status;
}

weir_status weir__queue_pop(weir_queue *queue, void **item, int64_t deadline_ns)
{
    weir_status status = WEIR_FAILED;
    node *taken = NULL;

    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->first == NULL && !queue->finished)
        if (!wait_on(&queue->items, &queue->lock, deadline_ns))
            goto out;
    if (queue->closed) {
        status = WEIR_CANCELLED;
    } else if (queue->first == NULL) {
        status = WEIR_OK;
    } else {
        taken = queue->first;
        queue->first = taken->next;
        if (queue->first == NULL)
            queue->last = NULL;
        queue->weight -= taken->weight;
        *item = taken->item;
        status = WEIR_ITEM;
        pthread_cond_broadcast(&queue->room);
    }
out:
    pthread_mutex_unlock(&queue->lock);
    weir__free(taken);
    return status;
}

void weir__queue_finish(weir_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->finished = true;
    pthread_cond_broadcast(&queue->items);
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->lock);
}

void weir__queue_close(weir_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->items);
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->lock);
}

size_t weir__queue_weight_peak(weir_queue *queue)
{
    size_t weight;

    pthread_mutex_lock(&queue->lock);
    weight = queue->weight_peak;
    pthread_mutex_unlock(&queue->lock);
    return weight;
}
