/* harness/parallel: several WriteBatch requests at the same time, as an engine sends them (R-RPC-06). */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/queue.h"
#include "harness/destination_side.h"
#include "sdk/log.h"

typedef struct worker {
    const weir_rpc_method *method;
    weir_parallel *call;
    pthread_t thread;
} worker;

static weir_status keep_reply(void *context, weir_rpc_call *call, weir_bytes message)
{
    worker *w = context;

    (void)call;
    return weir__buf_put(&w->call->reply, message.data, message.size) ? WEIR_OK : WEIR_FAILED;
}

static void *run(void *context)
{
    worker *w = context;
    weir_rpc_local local = { .take = keep_reply, .context = w, .deadline_ns = WEIR_FOREVER };

    if (weir__rpc_local_serve(w->method, weir__buf_bytes(&w->call->message), &local, &w->call->end, NULL) !=
        WEIR_OK)
        weir__test_no_memory();
    return NULL;
}

void weir__harness_serve_parallel(weir_harness *h, const char *path, weir_parallel *calls, size_t count)
{
    worker *workers = weir__test_memory(weir__calloc(count ? count : 1, sizeof *workers));

    weir__log_open(h->log_fd, "sdk_destination");
    for (size_t i = 0; i < count; i++) {
        workers[i].call = &calls[i];
        for (size_t k = 0; k < h->method_count; k++)
            if (strcmp(h->methods[k].path, path) == 0)
                workers[i].method = &h->methods[k];
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
            weir__test_no_memory();
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    weir__log_open(1, "sdk_destination");
    weir__free(workers);
}

static void prepare(weir_harness *h, const weir_table *table, weir_deed *deed, weir_parallel *call)
{
    v2_write_batch_request message = { 0 };
    weir_written_files files;
    weir_error err;

    weir__buf_init(&call->message, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&call->reply, WEIR_MESSAGE_SIZE_MAX);
    deed->kind = WEIR_DEED_WRITE;
    deed->table = weir__destination_copy_table(h, table);
    weir__destination_take_rows(h->destination, table, &deed->rows);
    WEIR_HARNESS_CONFIGURE(h, &message);
    if (weir__files_write(h, deed->table, &deed->rows, &files, &err) == WEIR_OK)
        weir__files_plain(h, deed->table, &files, &message);
    else
        weir__fail_here("the batch files cannot be written: %s", err.text);
    if (weir__codec_encode(&weir__v2_write_batch_request, &message, &call->message, &err) != WEIR_OK)
        weir__test_no_memory();
}

/* The outcome of one call becomes the harness's outcome. */
static weir_status conclude(weir_harness *h, const weir_deed *deed, const weir_parallel *call)
{
    weir_destination_side *side = h->destination;
    weir_served served = { .status = weir__harness_status_of(call->end.code) };
    weir_error err = { 0 };

    memset(&side->reply, 0, sizeof side->reply);
    if (served.status == WEIR_OK)
        served.status = weir__codec_decode(&weir__v2_write_batch_response, weir__buf_bytes(&call->reply),
                                           h->arena, &side->reply, &err);
    weir__harness_end(h, served.status, call->end.code == WEIR_RPC_OK ? err.text : call->end.text);
    side->deed = *deed;
    served.status = weir__destination_conclude(h, served);
    side->deed = (weir_deed){ 0 };
    return served.status;
}

weir_status weir_harness_write_parallel(weir_harness *h, const weir_table *const *tables, size_t count)
{
    weir_destination_side *side = weir__destination_begin(h, "weir_harness_write_parallel", "write");
    weir_status first = WEIR_OK;
    weir_parallel *calls;
    weir_deed *deeds;

    if (side == NULL)
        return WEIR_FAILED;
    calls = weir__test_memory(weir__calloc(count ? count : 1, sizeof *calls));
    deeds = weir__test_memory(weir__calloc(count ? count : 1, sizeof *deeds));
    side->clock++;
    for (size_t i = 0; i < count; i++)
        prepare(h, tables[i], &deeds[i], &calls[i]);
    weir__harness_serve_parallel(h, V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, calls, count);
    for (size_t i = 0; i < count && first == WEIR_OK; i++)
        first = conclude(h, &deeds[i], &calls[i]);
    for (size_t i = 0; i < count; i++) {
        weir__destination_free_rows(&deeds[i].rows);
        weir__buf_clear(&calls[i].message);
        weir__buf_clear(&calls[i].reply);
    }
    weir__free(calls);
    weir__free(deeds);
    side->last = (weir_harness_request){ 0 };
    return first;
}
