/*
 * rpc/workers: the threads that run handlers. One is added whenever a call would have to wait, up to the
 * maximum (R-RPC-06); then calls wait in a bounded queue; then they are refused.
 */
#include "base/alloc.h"
#include "rpc/server_internal.h"
#include "sys/net.h"

weir_status weir__rpc_workers_init(weir_rpc_workers *workers, const weir_rpc_limits *limits, weir_error *err)
{
    workers->thread_max = limits->call_running_max;
    workers->busy_max = limits->call_running_max + limits->call_waiting_max;
    workers->queue = weir__queue_new(workers->busy_max);
    workers->threads = weir__calloc(workers->thread_max, sizeof *workers->threads);
    if (workers->queue == NULL || workers->threads == NULL)
        return weir__error_memory(err, "starting the server");
    return WEIR_OK;
}

static void drop_call(void *item)
{
    weir__rpc_call_unref(item);
}

void weir__rpc_workers_clear(weir_rpc_workers *workers)
{
    if (workers->queue != NULL)
        weir__queue_finish(workers->queue);
    for (size_t i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    weir__queue_free(workers->queue, drop_call);
    weir__free(workers->threads);
    workers->queue = NULL;
    workers->threads = NULL;
    workers->thread_count = 0;
}

static weir_rpc_code run(weir_rpc_workers *workers, weir_rpc_call *call)
{
    size_t now = atomic_fetch_add(&workers->running, 1) + 1;
    size_t peak = atomic_load(&workers->running_peak);
    weir_rpc_code code;

    while (now > peak && !atomic_compare_exchange_weak(&workers->running_peak, &peak, now))
        ;
    code = call->entry->handler(call, call->entry->context);
    atomic_fetch_sub(&workers->running, 1);
    return code;
}

static void *worker_main(void *context)
{
    weir_rpc_workers *workers = context;
    void *item;

    while (weir__queue_pop(workers->queue, &item, WEIR_FOREVER) == WEIR_ITEM) {
        weir_rpc_call *call = item;
        weir_rpc_code code = WEIR_RPC_CANCELLED;

        if (weir__rpc_call_running(call)) /* it may have been cancelled while it waited */
            code = run(workers, call);
        weir__rpc_call_finish(call, code);
        weir__rpc_call_unref(call);
        atomic_fetch_sub(&workers->busy, 1);
        if (atomic_load(workers->draining))
            weir__wake_signal(workers->wake_fd);
    }
    return NULL;
}

bool weir__rpc_workers_take(weir_rpc_workers *workers, weir_rpc_call *call)
{
    size_t busy = atomic_load(&workers->busy) + 1;

    if (busy > workers->busy_max)
        return false;
    if (busy > workers->thread_count && workers->thread_count < workers->thread_max &&
        pthread_create(&workers->threads[workers->thread_count], NULL, worker_main, workers) == 0)
        workers->thread_count++;
    if (workers->thread_count == 0)
        return false;
    weir__rpc_call_ref(call);
    atomic_fetch_add(&workers->busy, 1);
    if (weir__queue_push(workers->queue, call, 1, 0) == WEIR_OK)
        return true;
    atomic_fetch_sub(&workers->busy, 1);
    weir__rpc_call_unref(call);
    return false;
}
