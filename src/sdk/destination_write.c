/*
 * sdk/destination_write: WriteBatch and WriteHistoryBatch. They differ in the lists of files and in the
 * handler; what is read, and that all of it was read, is the same.
 */
#include "base/limits.h"
#include "data/table.h"
#include "sdk/destination_internal.h"
#include "sdk/load.h"

typedef weir_status (*weir_write_handler)(weir_call *call, const weir_table *table, weir_batch *in);

static void clear_load(void *batch)
{
    weir__load_clear(batch);
}

static weir_status write_files(weir_request *request, const weir_table *table, weir_load_request *files,
                               weir_write_handler handler)
{
    weir_call *call = &request->call;
    weir_batch *batch = weir_alloc(call, sizeof *batch);
    weir_status status;

    /* Cleared with the call, so that a handler left half-way (weir_alloc) leaves no file open. */
    if (!weir__arena_at_reset(call->arena, clear_load, batch))
        return weir_fail(call, "out of memory preparing to read the batch files");
    files->cell_size_max = weir__definition(request)->cell_size_max;
    files->memory_max = weir__definition(request)->batch_memory_max;
    status = weir__load_init(batch, call, table, files);
    if (status != WEIR_OK)
        return status;
    status = handler(call, table, batch);
    if (batch->failure != WEIR_OK)
        return batch->failure;
    /* R-ENG-15: rows that nobody read are not written, whatever the handler says. */
    if (status == WEIR_OK && !batch->ended && batch->file_count > 0)
        return weir_fail(call,
                         "a mistake in the connector: writing table '%s' it said WEIR_OK before "
                         "%s did; read on until the end of the batch",
                         table->name,
                         batch->mode == WEIR_LOAD_FILES ? "weir_batch_next_file" : "weir_batch_next");
    return status;
}

/* --- WriteBatch --- */

static weir_status handle_write(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_write_batch_request *message = request->message;
    weir_load_request files = weir__load_of_batch(message);
    weir_table *table = weir__take_table(call, message->schema_name, message->table);

    if (table == NULL)
        return call->failure;
    return write_files(request, table, &files, weir__definition(request)->write);
}

weir_rpc_code weir__serve_write(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_write_batch_request,
        .reply = &weir__v2_write_batch_response,
        WEIR_REQUEST_CONFIGURATION(v2_write_batch_request),
        .what = "write",
        .handle = handle_write,
        .answer = weir__answer_plain,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- WriteHistoryBatch --- */

/* R-HIS-01: without its three columns a table has no history to write to. */
static weir_status check_history(weir_call *call, const weir_table *table)
{
    static const char *const columns[] = { "_fivetran_start", "_fivetran_end", "_fivetran_active" };

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (weir_table_column(table, columns[i]) == NULL)
            return weir_fail(call,
                             "cannot write history to table '%s': the request has no column '%s' for it",
                             table->name, columns[i]);
    return WEIR_OK;
}

static weir_status handle_history(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_write_history_batch_request *message = request->message;
    weir_load_request files = weir__load_of_history(message);
    weir_table *table = weir__take_table(call, message->schema_name, message->table);

    if (table == NULL)
        return call->failure;
    if (check_history(call, table) != WEIR_OK)
        return WEIR_FAILED;
    return write_files(request, table, &files, weir__definition(request)->write_history);
}

weir_rpc_code weir__serve_history(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_write_history_batch_request,
        .reply = &weir__v2_write_batch_response,
        WEIR_REQUEST_CONFIGURATION(v2_write_history_batch_request),
        .what = "write_history",
        .handle = handle_history,
        .answer = weir__answer_plain,
    };
    const weir_connector *connector = context;
    const weir_destination *destination = connector->definition;

    if (destination->write_history == NULL)
        return weir__rpc_fail(
            rpc, WEIR_RPC_UNIMPLEMENTED,
            "the destination '%s' does not support history mode; choose soft delete for this table",
            destination->name);
    return weir__request_serve(&type, rpc, connector);
}
