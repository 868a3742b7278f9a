/*
 * base/queue: a bounded queue between threads, weighed in bytes.
 *
 * The only place besides the store where threads share a lock. Any number of threads may push and pop. Every
 * wait has a deadline in nanoseconds of CLOCK_MONOTONIC (WEIR_FOREVER for none) and ends at once when the
 * queue is closed.
 */
#ifndef WEIR_BASE_QUEUE_H
#define WEIR_BASE_QUEUE_H

#include <weir/base.h>

#define WEIR_FOREVER INT64_MAX

typedef struct weir_queue weir_queue;

/* A queue that holds at most `weight_max` in all; an item heavier than that waits until it is empty. */
weir_queue *weir__queue_new(size_t weight_max);
/* Frees the queue; items inside go to `dispose` (may be NULL). No other thread may be in a call. */
void weir__queue_free(weir_queue *queue, void (*dispose)(void *item));
/*
 * Adds `item`, waiting for room. WEIR_OK: the queue owns it. WEIR_CANCELLED: closed. WEIR_FAILED: the
 * deadline passed or memory ran out. In both failures the caller keeps the item.
 */
weir_status weir__queue_push(weir_queue *queue, void *item, size_t weight, int64_t deadline_ns) WEIR_CHECKED;
/*
 * Takes the oldest item, waiting for one. WEIR_ITEM: *item is the caller's. WEIR_OK: finished and empty.
 * WEIR_CANCELLED: closed. WEIR_FAILED: the deadline passed.
 */
weir_status weir__queue_pop(weir_queue *queue, void **item, int64_t deadline_ns) WEIR_CHECKED;
/* No more pushes will come: pops drain what is there, then say WEIR_OK. */
void weir__queue_finish(weir_queue *queue);
/* Gives up: every wait, present and future, ends with WEIR_CANCELLED; items stay until weir__queue_free. */
void weir__queue_close(weir_queue *queue);
/* The most that was ever inside at once. */
size_t weir__queue_weight_peak(weir_queue *queue);

#endif
