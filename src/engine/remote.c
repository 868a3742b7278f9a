/* engine/remote: requests encoded, replies decoded and judged; see remote.h. */
#include "engine/remote.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "data/table.h"

#define SCRATCH_SIZE_MAX (256 * WEIR_MIB)

struct remote {
    remote_options options;
    weir_arena *arena; /* of one call */
    weir_buf request;
    weir_rpc_message *reply; /* of the last call */
    v2_string_entry *config;
};

engine_timeouts engine_timeouts_default(void)
{
    return (engine_timeouts){
        .connect_ms = 30 * 1000,
        .capabilities_ms = 60 * 1000,
        .schema_ms = 30 * 60 * 1000,
        .describe_ms = 10 * 60 * 1000,
        .alter_ms = 6 * 3600 * 1000,
        .write_ms = 2 * 3600 * 1000,
        .idle_ms = 3600 * 1000,
    };
}

static weir_bytes text(const char *from)
{
    return weir__text(from);
}

remote *remote_new(const remote_options *options)
{
    remote *r = weir__calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->options = *options;
    r->arena = weir__arena_new(SCRATCH_SIZE_MAX);
    r->config = weir__calloc(options->config->count + 1, sizeof *r->config);
    weir__buf_init(&r->request, WEIR_MESSAGE_SIZE_MAX);
    if (r->arena == NULL || r->config == NULL) {
        remote_free(r);
        return NULL;
    }
    for (size_t i = 0; i < options->config->count; i++) {
        r->config[i].key = text(options->config->settings[i].name);
        r->config[i].value = text(options->config->settings[i].value);
    }
    return r;
}

/* Requests carry the configuration, so their bytes are wiped. */
static void wipe(weir_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    buf->size = 0;
}

void remote_free(remote *r)
{
    if (r == NULL)
        return;
    wipe(&r->request);
    weir__buf_clear(&r->request);
    weir__rpc_message_free(r->reply);
    weir__arena_free(r->arena);
    weir__free(r->config);
    weir__free(r);
}

/* One kind of call. */
typedef struct method {
    const char *name;
    const char *path;
    const weir_codec_message *request;
    const weir_codec_message *reply;
    int64_t timeout_ms;
} method;

/* Puts who and what before an error's text; a task is for people, who need not know the call. */
static weir_status say_where(const remote *r, const method *m, const char *table, weir_error *err)
{
    if (err == NULL)
        return WEIR_FAILED;
    if (err->status == WEIR_TASK)
        return weir__error_prefix(err, "%s", r->options.name);
    if (err->status == WEIR_UNSUPPORTED && strcmp(m->name, "DescribeTable") == 0)
        return weir__error(
            err, "%s is no destination: it does not know DescribeTable. A source belongs to --source",
            r->options.name);
    if (table == NULL)
        return weir__error_prefix(err, "%s: %s", r->options.name, m->name);
    return weir__error_prefix(err, "%s: %s of table '%s'", r->options.name, m->name, table);
}

/* Sends `request` and decodes the answer into `reply`, which is borrowed until the next call. */
static weir_status call(remote *r, const method *m, const void *request, void *reply, weir_error *err)
{
    weir_rpc_call_options options = {
        .method = m->path, .kind = WEIR_RPC_UNARY, .plain = true, .timeout_ms = m->timeout_ms
    };
    uint32_t number = 0;
    weir_status status;

    weir__rpc_message_free(r->reply);
    r->reply = NULL;
    weir__arena_reset(r->arena);
    status = weir__codec_encode(m->request, request, &r->request, err);
    if (status == WEIR_OK) {
        number = recorder_call(r->options.recorder, m->path, weir__buf_bytes(&r->request));
        status = weir__rpc_unary(r->options.client, &options, weir__buf_bytes(&r->request), &r->reply, err);
        if (status == WEIR_OK)
            recorder_reply(r->options.recorder, number, weir__rpc_message_bytes(r->reply));
        recorder_end(r->options.recorder, number, status, err);
    }
    wipe(&r->request);
    if (status == WEIR_OK)
        status = weir__codec_decode(m->reply, weir__rpc_message_bytes(r->reply), r->arena, reply, err);
    return status;
}

static weir_status as_task(const v2_task *task, weir_error *err)
{
    weir_bytes message = task ? task->message : (weir_bytes){ 0 };

    return weir__error_as(err, WEIR_TASK, "%.*s", (int)message.size, message.data);
}

static void show_warning(const remote *r, const v2_warning *warning)
{
    if (warning != NULL && r->options.warn != NULL)
        r->options.warn(r->options.context, warning->message);
}

/* The replies of all calls that change something have the same members under the same numbers. */
static weir_status judge(const remote *r, const v2_write_batch_response *reply, weir_error *err)
{
    switch (reply->which_response) {
    case V2_WRITE_BATCH_RESPONSE_SUCCESS:
        if (reply->response.success)
            return WEIR_OK;
        return weir__error(err, "the answer was success = false without a reason");
    case V2_WRITE_BATCH_RESPONSE_WARNING:
        show_warning(r, reply->response.warning);
        return WEIR_OK;
    case V2_WRITE_BATCH_RESPONSE_TASK:
        return as_task(reply->response.task, err);
    default:
        return weir__error(err, "the answer was neither success, warning nor task");
    }
}

/* --- tables --- */

void engine_params_read(const v2_data_type_params *from, weir_params *out)
{
    *out = (weir_params){ 0 };
    if (from == NULL)
        return;
    if (from->which_params == V2_DATA_TYPE_PARAMS_DECIMAL && from->params.decimal != NULL) {
        out->precision = from->params.decimal->precision;
        out->scale = from->params.decimal->scale;
    } else if (from->which_params == V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH &&
               from->params.string_byte_length > 0) {
        out->string_byte_length = (uint32_t)from->params.string_byte_length;
    }
}

static const v2_data_type_params *write_params(const weir_column *column, weir_arena *arena, bool *failed)
{
    const weir_params *params = &column->params;
    v2_data_type_params *out = weir__arena_alloc(arena, sizeof *out);
    v2_decimal_params *decimal = weir__arena_alloc(arena, sizeof *decimal);

    *failed = *failed || out == NULL || decimal == NULL;
    if (*failed || (params->precision == 0 && params->string_byte_length == 0))
        return NULL;
    if (column->type == WEIR_DECIMAL) {
        *decimal = (v2_decimal_params){ .precision = params->precision, .scale = params->scale };
        out->which_params = V2_DATA_TYPE_PARAMS_DECIMAL;
        out->params.decimal = decimal;
    } else {
        out->which_params = V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH;
        out->params.string_byte_length = params->string_byte_length > INT32_MAX
                                             ? INT32_MAX
                                             : (int32_t)params->string_byte_length;
    }
    return out;
}

static v2_table *write_table(const weir_table *table, weir_arena *arena)
{
    v2_table *out = weir__arena_alloc(arena, sizeof *out);
    v2_column *columns = weir__arena_array(arena, table->column_count, sizeof *columns);
    bool failed = out == NULL || columns == NULL;

    for (size_t i = 0; i < table->column_count && !failed; i++) {
        columns[i].name = text(table->columns[i].name);
        columns[i].type = (int32_t)table->columns[i].type;
        columns[i].primary_key = table->columns[i].key;
        columns[i].params = write_params(&table->columns[i], arena, &failed);
    }
    if (failed)
        return NULL;
    *out = (v2_table){ .name = text(table->name), .columns = columns, .columns_count = table->column_count };
    return out;
}

static weir_status read_table(const v2_table *from, weir_arena *arena, weir_table **out, weir_error *err)
{
    weir_table *table = weir__arena_alloc(arena, sizeof *table);
    weir_column *columns = weir__arena_array(arena, from->columns_count, sizeof *columns);
    weir_status status;

    if (table == NULL || columns == NULL)
        return weir__error_memory(err, "reading a description");
    for (size_t i = 0; i < from->columns_count; i++) {
        columns[i].name = weir__arena_copy(arena, from->columns[i].name.data, from->columns[i].name.size);
        columns[i].type = (weir_type)from->columns[i].type;
        columns[i].key = from->columns[i].primary_key;
        engine_params_read(from->columns[i].params, &columns[i].params);
        if (columns[i].name == NULL)
            return weir__error_memory(err, "reading a description");
    }
    *table = (weir_table){ .name = weir__arena_copy(arena, from->name.data, from->name.size),
                           .columns = columns,
                           .column_count = from->columns_count };
    if (table->name == NULL)
        return weir__error_memory(err, "reading a description");
    status = weir__table_check(table, err);
    if (status == WEIR_OK)
        *out = table;
    return status;
}

/* --- source --- */

weir_status remote_schema(remote *r, const v2_schema_response **out, weir_error *err)
{
    method m = { "Schema", V2_SOURCE_CONNECTOR_SCHEMA_PATH, &weir__v2_schema_request,
                 &weir__v2_schema_response, r->options.timeouts->schema_ms };
    v2_schema_request request = { .configuration = r->config,
                                  .configuration_count = r->options.config->count };
    static const v2_schema_response empty;
    v2_schema_response *reply;
    weir_status status;
    v2_schema_response decoded = empty;

    status = call(r, &m, &request, &decoded, err);
    if (status == WEIR_OK && decoded.which_response == 0)
        status = weir__error(err, "the answer was empty or of an unknown kind");
    if (status != WEIR_OK)
        return say_where(r, &m, NULL, err);
    reply = weir__arena_alloc(r->arena, sizeof *reply);
    if (reply == NULL)
        return weir__error_memory(err, "reading a schema");
    *reply = decoded;
    *out = reply;
    return WEIR_OK;
}

weir_status remote_update(remote *r, weir_bytes state, const v2_selection *selection, weir_rpc_call **out,
                          weir_error *err)
{
    method m = { .name = "Update" };
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_UPDATE_PATH,
                                      .kind = WEIR_RPC_SERVER_STREAM,
                                      .plain = true,
                                      .idle_timeout_ms = r->options.timeouts->idle_ms };
    v2_update_request request = { .configuration = r->config,
                                  .configuration_count = r->options.config->count,
                                  .selection = selection,
                                  .has_state_json = state.size > 0,
                                  .state_json = state };
    weir_rpc_call *stream = NULL;
    weir_status status = weir__codec_encode(&weir__v2_update_request, &request, &r->request, err);

    if (status == WEIR_OK)
        status = weir__rpc_call_open(r->options.client, &options, &stream, err);
    WEIR_POINT("stream.open.before");
    if (status == WEIR_OK)
        recorder_call(r->options.recorder, options.method, weir__buf_bytes(&r->request));
    if (status == WEIR_OK)
        status = weir__rpc_send(stream, weir__buf_bytes(&r->request), 0, err);
    wipe(&r->request);
    if (status != WEIR_OK) {
        weir__rpc_call_close(stream);
        return say_where(r, &m, NULL, err);
    }
    weir__rpc_half_close(stream);
    WEIR_POINT("stream.open.sent");
    *out = stream;
    return WEIR_OK;
}

/* --- destination --- */

weir_status remote_capabilities(remote *r, weir_batch_format *format, weir_error *err)
{
    method m = { "Capabilities", V2_DESTINATION_CONNECTOR_CAPABILITIES_PATH, &weir__v2_capabilities_request,
                 &weir__v2_capabilities_response, r->options.timeouts->capabilities_ms };
    v2_capabilities_request request = { 0 };
    v2_capabilities_response reply = { 0 };
    weir_status status = call(r, &m, &request, &reply, err);

    if (status == WEIR_UNSUPPORTED) {
        *format = WEIR_BATCH_CSV;
        return WEIR_OK;
    }
    if (status == WEIR_OK && reply.batch_file_format != V2_BATCH_FILE_FORMAT_CSV &&
        reply.batch_file_format != V2_BATCH_FILE_FORMAT_PARQUET)
        status = weir__error(err, "batch file format %d is neither CSV nor PARQUET",
                             (int)reply.batch_file_format);
    if (status != WEIR_OK)
        return say_where(r, &m, NULL, err);
    *format = (weir_batch_format)reply.batch_file_format;
    return WEIR_OK;
}

weir_status remote_describe(remote *r, const engine_table *table, weir_arena *arena, weir_table **out,
                            weir_error *err)
{
    method m = { "DescribeTable", V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH,
                 &weir__v2_describe_table_request, &weir__v2_describe_table_response,
                 r->options.timeouts->describe_ms };
    v2_describe_table_request request = { .configuration = r->config,
                                          .configuration_count = r->options.config->count,
                                          .schema_name = text(table->target),
                                          .table_name = text(table->name) };
    v2_describe_table_response reply = { 0 };
    weir_status status = call(r, &m, &request, &reply, err);

    if (status != WEIR_OK)
        return say_where(r, &m, table->name, err);
    switch (reply.which_response) {
    case V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND:
        *out = NULL;
        break;
    case V2_DESCRIBE_TABLE_RESPONSE_TABLE:
        if (reply.response.table != NULL)
            status = read_table(reply.response.table, arena, out, err);
        else
            status = weir__error(err, "the answer was empty");
        break;
    case V2_DESCRIBE_TABLE_RESPONSE_WARNING:
        /* A warning carries no table, so there is nothing to go on with. */
        status = weir__error(err, "the answer was a warning without the table: %.*s",
                             (int)reply.response.warning->message.size, reply.response.warning->message.data);
        break;
    case V2_DESCRIBE_TABLE_RESPONSE_TASK:
        status = as_task(reply.response.task, err);
        break;
    default:
        status = weir__error(err, "the answer was empty or of an unknown kind");
    }
    return status == WEIR_OK ? status : say_where(r, &m, table->name, err);
}

/* `slot` is the table of the request, which takes `table` to the destination. */
static weir_status send_table(remote *r, const method *m, const void *request, const v2_table **slot,
                              const weir_table *table, weir_error *err)
{
    v2_write_batch_response reply = { 0 };
    weir_status status = WEIR_OK;
    weir_arena *arena = weir__arena_new(SCRATCH_SIZE_MAX);

    *slot = arena ? write_table(table, arena) : NULL;
    if (*slot == NULL)
        status = weir__error_memory(err, "describing a table");
    if (status == WEIR_OK)
        status = call(r, m, request, &reply, err);
    if (status == WEIR_OK)
        status = judge(r, &reply, err);
    weir__arena_free(arena);
    return status == WEIR_OK ? status : say_where(r, m, table->name, err);
}

weir_status remote_create(remote *r, const weir_table *table, weir_error *err)
{
    const method m = { "CreateTable", V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH,
                       &weir__v2_create_table_request, &weir__v2_create_table_response,
                       r->options.timeouts->describe_ms };
    v2_create_table_request request = { .configuration = r->config,
                                        .configuration_count = r->options.config->count,
                                        .schema_name = text(table->schema) };

    return send_table(r, &m, &request, &request.table, table, err);
}

weir_status remote_alter(remote *r, const weir_table *table, weir_error *err)
{
    const method m = { "AlterTable", V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, &weir__v2_alter_table_request,
                       &weir__v2_alter_table_response, r->options.timeouts->alter_ms };
    v2_alter_table_request request = { .configuration = r->config,
                                       .configuration_count = r->options.config->count,
                                       .schema_name = text(table->schema) };

    return send_table(r, &m, &request, &request.table, table, err);
}

/* Floors towards the past, so that nanos are never negative (R-SRC-07). */
static weir_time time_of(int64_t ms)
{
    int64_t rest = ms % 1000;

    if (rest < 0)
        rest += 1000;
    return (weir_time){ .seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000 };
}

weir_status remote_truncate(remote *r, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    method m = { "Truncate", V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, &weir__v2_truncate_request,
                 &weir__v2_truncate_response, r->options.timeouts->describe_ms };
    weir_time before = time_of(cutoff_ms);
    v2_soft_truncate soft = { .deleted_column = text(CATALOG_DELETED) };
    v2_truncate_request request = { .configuration = r->config,
                                    .configuration_count = r->options.config->count,
                                    .schema_name = text(table->target),
                                    .table_name = text(table->name),
                                    .synced_column = text(CATALOG_SYNCED),
                                    .utc_delete_before = &before,
                                    .soft = &soft };
    v2_write_batch_response reply = { 0 };
    weir_status status = call(r, &m, &request, &reply, err);

    if (status == WEIR_OK)
        status = judge(r, &reply, err);
    return status == WEIR_OK ? status : say_where(r, &m, table->name, err);
}

/* The replies of Migrate: those of the other calls, and "unsupported". */
static weir_status judge_migration(const remote *r, const v2_migrate_response *reply, weir_error *err)
{
    switch (reply->which_response) {
    case V2_MIGRATE_RESPONSE_SUCCESS:
        if (reply->response.success)
            return WEIR_OK;
        return weir__error(err, "the answer was success = false without a reason");
    case V2_MIGRATE_RESPONSE_UNSUPPORTED:
        return weir__error_as(err, WEIR_UNSUPPORTED, "it cannot do this migration");
    case V2_MIGRATE_RESPONSE_WARNING:
        show_warning(r, reply->response.warning);
        return WEIR_OK;
    case V2_MIGRATE_RESPONSE_TASK:
        return as_task(reply->response.task, err);
    default:
        return weir__error(err, "the answer was neither success, unsupported, warning nor task");
    }
}

weir_status remote_switch_mode(remote *r, const engine_table *table, const char *deleted_column,
                               weir_error *err)
{
    method m = { "Migrate", V2_DESTINATION_CONNECTOR_MIGRATE_PATH, &weir__v2_migrate_request,
                 &weir__v2_migrate_response, r->options.timeouts->alter_ms };
    v2_table_sync_mode_migration_operation operation = {
        .type = table->history ? V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_HISTORY
                               : V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_SOFT_DELETE,
        .has_soft_deleted_column = deleted_column != NULL,
        .has_keep_deleted_rows = !table->history,
        .keep_deleted_rows = !table->history
    };
    v2_migration_details details = { .schema = text(table->target),
                                     .table = text(table->name),
                                     .which_operation = V2_MIGRATION_DETAILS_TABLE_SYNC_MODE_MIGRATION,
                                     .operation.table_sync_mode_migration = &operation };
    v2_migrate_request request = { .configuration = r->config,
                                   .configuration_count = r->options.config->count,
                                   .details = &details };
    v2_migrate_response reply = { 0 };
    weir_status status;

    if (deleted_column != NULL)
        operation.soft_deleted_column = text(deleted_column);
    status = call(r, &m, &request, &reply, err);
    if (status == WEIR_OK)
        status = judge_migration(r, &reply, err);
    return status == WEIR_OK || status == WEIR_UNSUPPORTED ? status : say_where(r, &m, table->name, err);
}

/* Paths of the files of one kind. */
static size_t list_files(const engine_request *request, weir_batch_kind kind, weir_bytes *out)
{
    size_t count = 0;

    for (size_t i = 0; i < request->file_count; i++)
        if (request->files[i].kind == kind)
            out[count++] = text(request->files[i].path);
    return count;
}

/* Names and keys of a request's files, as both kinds of requests hold them. */
typedef struct file_lists {
    v2_bytes_entry *keys;
    weir_bytes *paths[4]; /* by weir_batch_kind */
    size_t counts[4];
} file_lists;

static bool make_lists(const engine_request *request, weir_arena *arena, file_lists *out)
{
    out->keys = weir__arena_array(arena, request->file_count, sizeof *out->keys);
    if (out->keys == NULL)
        return false;
    for (size_t i = 0; i < request->file_count; i++) {
        const engine_file *file = &request->files[i];

        out->keys[i].key = text(file->path);
        out->keys[i].value = (weir_bytes){ (const char *)file->key, sizeof file->key };
    }
    for (int kind = 0; kind < 4; kind++) {
        out->paths[kind] = weir__arena_array(arena, request->file_count, sizeof *out->paths[kind]);
        if (out->paths[kind] == NULL)
            return false;
        out->counts[kind] = list_files(request, (weir_batch_kind)kind, out->paths[kind]);
    }
    return true;
}

static weir_status write_batch(remote *r, const engine_request *request, const v2_file_params *params,
                               weir_arena *arena, weir_error *err)
{
    method m = { "WriteBatch", V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, &weir__v2_write_batch_request,
                 &weir__v2_write_batch_response, r->options.timeouts->write_ms };
    file_lists files;
    v2_write_batch_request message = { .configuration = r->config,
                                       .configuration_count = r->options.config->count,
                                       .schema_name = text(request->table->target),
                                       .table = write_table(request->shape, arena),
                                       .file_params = params };
    v2_write_batch_response reply = { 0 };
    weir_status status;

    if (message.table == NULL || !make_lists(request, arena, &files))
        return weir__error_memory(err, "preparing a request");
    message.keys = files.keys;
    message.keys_count = request->file_count;
    message.replace_files = files.paths[WEIR_BATCH_REPLACE];
    message.replace_files_count = files.counts[WEIR_BATCH_REPLACE];
    message.update_files = files.paths[WEIR_BATCH_UPDATE];
    message.update_files_count = files.counts[WEIR_BATCH_UPDATE];
    status = call(r, &m, &message, &reply, err);
    if (status == WEIR_OK)
        status = judge(r, &reply, err);
    return status == WEIR_OK ? status : say_where(r, &m, request->table->name, err);
}

/* R-HIS-02 to R-HIS-04. */
static weir_status write_history(remote *r, const engine_request *request, const v2_file_params *params,
                                 weir_arena *arena, weir_error *err)
{
    method m = { "WriteHistoryBatch", V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH,
                 &weir__v2_write_history_batch_request, &weir__v2_write_batch_response,
                 r->options.timeouts->write_ms };
    file_lists files;
    v2_write_history_batch_request message = { .configuration = r->config,
                                               .configuration_count = r->options.config->count,
                                               .schema_name = text(request->table->target),
                                               .table = write_table(request->shape, arena),
                                               .file_params = params };
    v2_write_batch_response reply = { 0 };
    weir_status status;

    if (message.table == NULL || !make_lists(request, arena, &files))
        return weir__error_memory(err, "preparing a request");
    message.keys = files.keys;
    message.keys_count = request->file_count;
    message.earliest_start_files = files.paths[WEIR_BATCH_EARLIEST_START];
    message.earliest_start_files_count = files.counts[WEIR_BATCH_EARLIEST_START];
    message.replace_files = files.paths[WEIR_BATCH_REPLACE];
    message.replace_files_count = files.counts[WEIR_BATCH_REPLACE];
    message.update_files = files.paths[WEIR_BATCH_UPDATE];
    message.update_files_count = files.counts[WEIR_BATCH_UPDATE];
    message.delete_files = files.paths[WEIR_BATCH_DELETE];
    message.delete_files_count = files.counts[WEIR_BATCH_DELETE];
    status = call(r, &m, &message, &reply, err);
    if (status == WEIR_UNSUPPORTED)
        status = weir__error_as(
            err, WEIR_TASK,
            "it has no history mode (WriteHistoryBatch is not known to it); table '%s' can "
            "only be synced in soft delete mode",
            request->table->name);
    if (status == WEIR_OK)
        status = judge(r, &reply, err);
    return status == WEIR_OK ? status : say_where(r, &m, request->table->name, err);
}

weir_status remote_write(remote *r, const engine_request *request, weir_error *err)
{
    v2_file_params params = { .compression = V2_COMPRESSION_ZSTD,
                              .encryption = V2_ENCRYPTION_AES,
                              .null_string = text(request->markers.null_string),
                              .unmodified_string = text(request->markers.unmodified_string) };
    weir_arena *arena = weir__arena_new(SCRATCH_SIZE_MAX);
    weir_status status;

    if (arena == NULL)
        return weir__error_memory(err, "preparing a request");
    status = request->history ? write_history(r, request, &params, arena, err)
                              : write_batch(r, request, &params, arena, err);
    weir__arena_free(arena);
    return status;
}
