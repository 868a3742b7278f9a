/* tester/destination_calls: see destination_calls.h. */
#include "tester/destination_calls.h"

#include <string.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "sdk/migrate.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

struct destination_calls {
    tester *t;
    tester_caller *caller;
    v2_string_entry *config;
    size_t config_count;
    weir_arena *arena; /* of the request being made */
};

destination_calls *destination_calls_new(tester *t, const tester_setup *setup)
{
    const engine_config *config = tester_setup_config(setup);
    destination_calls *calls = weir__calloc(1, sizeof *calls);

    if (calls == NULL)
        return NULL;
    calls->t = t;
    calls->caller = tester_caller_new(t, tester_setup_client(setup), tester_setup_connector(setup),
                                      tester_setup_name(setup));
    calls->config = weir__calloc(config->count + 1, sizeof *calls->config);
    calls->arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    if (calls->caller == NULL || calls->config == NULL || calls->arena == NULL) {
        destination_calls_free(calls);
        return NULL;
    }
    calls->config_count = config->count;
    for (size_t i = 0; i < config->count; i++) {
        calls->config[i].key = weir__text(config->settings[i].name);
        calls->config[i].value = weir__text(config->settings[i].value);
    }
    return calls;
}

void destination_calls_free(destination_calls *calls)
{
    if (calls == NULL)
        return;
    tester_caller_free(calls->caller);
    weir__free(calls->config);
    weir__arena_free(calls->arena);
    weir__free(calls);
}

/* --- answers --- */

static void tell_warning(destination_calls *calls, const v2_warning *warning)
{
    weir_bytes text = warning != NULL ? warning->message : (weir_bytes){ 0 };

    tester_warn(calls->t, "Partner Sdk Warning. Message: %.*s", text.size > 4000 ? 4000 : (int)text.size,
                text.data);
}

static weir_status as_task(destination_calls *calls, const tester_method *method, const v2_task *task,
                           weir_error *err)
{
    weir_bytes text = task != NULL ? task->message : (weir_bytes){ 0 };

    weir__error_as(err, WEIR_TASK, "Partner Sdk Task. Message: %.*s",
                   text.size > 1500 ? 1500 : (int)text.size, text.data);
    return tester_call_wrong(calls->caller, method, err);
}

/*
 * The official example destinations answer an AlterTable that their store refuses, and the Truncate of a
 * missing table, with success = false. The official profile goes on, so that they run; what the official
 * tester does then is documented nowhere. A batch or a table that is lost is never let pass.
 */
static bool may_be_refused(const tester_method *method)
{
    return method->request == &weir__v2_alter_table_request || method->request == &weir__v2_truncate_request;
}

/* The replies of all calls that change something have the same members under the same numbers. */
static weir_status judge(destination_calls *calls, const tester_method *method,
                         const v2_write_batch_response *reply, weir_error *err)
{
    bool official = tester_options_of(calls->t)->profile == TESTER_OFFICIAL;

    switch (reply->which_response) {
    case V2_WRITE_BATCH_RESPONSE_SUCCESS:
        if (reply->response.success)
            return WEIR_OK;
        weir__error(err, "the answer was success = false without a reason");
        if (official && may_be_refused(method)) {
            (void)weir__error_prefix(err, "%s of '%s'", method->name, method->subject);
            return WEIR_ITEM;
        }
        break;
    case V2_WRITE_BATCH_RESPONSE_WARNING:
        tell_warning(calls, reply->response.warning);
        return WEIR_OK;
    case V2_WRITE_BATCH_RESPONSE_TASK:
        return as_task(calls, method, reply->response.task, err);
    default:
        if (official) { /* the official tester lets it pass */
            tester_warn(calls->t, "%s of '%s' was answered with neither success, warning nor task",
                        method->name, method->subject);
            return WEIR_OK;
        }
        weir__error(err, "the answer was neither success, warning nor task");
    }
    return tester_call_wrong(calls->caller, method, err);
}

/* A call whose answer is success, warning or task. */
static weir_status change(destination_calls *calls, const tester_method *method, const void *request,
                          weir_error *err)
{
    v2_write_batch_response reply = { 0 };
    weir_status status = tester_call(calls->caller, method, request, &reply, err);

    if (status == WEIR_UNSUPPORTED)
        return tester_blame(calls->t, TESTER_CONNECTOR, status);
    return status == WEIR_OK ? judge(calls, method, &reply, err) : status;
}

/* --- tables --- */

static const v2_data_type_params *write_params(const weir_column *column, weir_arena *arena, bool *failed)
{
    v2_data_type_params *out = weir__arena_alloc(arena, sizeof *out);
    v2_decimal_params *decimal = weir__arena_alloc(arena, sizeof *decimal);

    *failed = *failed || out == NULL || decimal == NULL;
    if (*failed)
        return NULL;
    if (column->type == WEIR_DECIMAL && column->params.precision > 0) {
        *decimal = (v2_decimal_params){ .precision = column->params.precision,
                                        .scale = column->params.scale };
        out->which_params = V2_DATA_TYPE_PARAMS_DECIMAL;
        out->params.decimal = decimal;
        return out;
    }
    if (column->type != WEIR_STRING || column->params.string_byte_length == 0)
        return NULL;
    out->which_params = V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH;
    out->params.string_byte_length = (int32_t)column->params.string_byte_length;
    return out;
}

static const v2_table *write_table(const weir_table *table, weir_arena *arena)
{
    v2_table *out = weir__arena_alloc(arena, sizeof *out);
    v2_column *columns = weir__arena_array(arena, table->column_count, sizeof *columns);
    bool failed = out == NULL || columns == NULL;

    for (size_t i = 0; i < table->column_count && !failed; i++) {
        columns[i].name = weir__text(table->columns[i].name);
        columns[i].type = (int32_t)table->columns[i].type;
        columns[i].primary_key = table->columns[i].key;
        columns[i].params = write_params(&table->columns[i], arena, &failed);
    }
    if (failed)
        return NULL;
    *out = (v2_table){ .name = weir__text(table->name),
                       .columns = columns,
                       .columns_count = table->column_count };
    return out;
}

static weir_status read_column(const v2_column *from, weir_arena *arena, weir_column *out, weir_error *err)
{
    const v2_data_type_params *params = from->params;

    if (from->type <= 0 || from->type >= WEIR_TYPE_COUNT)
        return weir__error(err, "column '%.*s' is described with type %d, which is none",
                           (int)from->name.size, from->name.data, (int)from->type);
    *out = (weir_column){ .name = weir__arena_copy(arena, from->name.data, from->name.size),
                          .type = (weir_type)from->type,
                          .key = from->primary_key };
    if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_DECIMAL &&
        params->params.decimal != NULL) {
        out->params.precision = params->params.decimal->precision;
        out->params.scale = params->params.decimal->scale;
    } else if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH &&
               params->params.string_byte_length > 0) {
        out->params.string_byte_length = (uint32_t)params->params.string_byte_length;
    }
    return out->name != NULL ? WEIR_OK : weir__error_memory(err, "reading a description");
}

static weir_status read_table(const v2_table *from, const char *schema, weir_arena *arena, weir_table **out,
                              weir_error *err)
{
    weir_table *table = weir__arena_alloc(arena, sizeof *table);
    weir_column *columns = weir__arena_array(arena, from->columns_count, sizeof *columns);
    weir_status status = WEIR_OK;

    if (table == NULL || columns == NULL)
        return weir__error_memory(err, "reading a description");
    for (size_t i = 0; i < from->columns_count && status == WEIR_OK; i++) {
        status = read_column(&from->columns[i], arena, &columns[i], err);
        for (size_t j = 0; j < i && status == WEIR_OK; j++)
            if (strcmp(columns[i].name, columns[j].name) == 0)
                status = weir__error(err, "column '%s' is described twice", columns[i].name);
    }
    *table = (weir_table){ .schema = schema,
                           .name = weir__arena_copy(arena, from->name.data, from->name.size),
                           .columns = columns,
                           .column_count = from->columns_count };
    if (status == WEIR_OK && table->name == NULL)
        status = weir__error_memory(err, "reading a description");
    if (status == WEIR_OK)
        *out = table;
    return status;
}

/* --- calls --- */

weir_status destination_capabilities(destination_calls *calls, bool *parquet, weir_error *err)
{
    tester_method method = { "Capabilities",
                             V2_DESTINATION_CONNECTOR_CAPABILITIES_PATH,
                             &weir__v2_capabilities_request,
                             &weir__v2_capabilities_response,
                             MINUTE,
                             NULL };
    v2_capabilities_request request = { 0 };
    v2_capabilities_response reply = { 0 };
    weir_status status = tester_call(calls->caller, &method, &request, &reply, err);

    *parquet = false;
    if (status == WEIR_UNSUPPORTED) {
        tester_warn(calls->t, "Capabilities is not implemented; CSV files are assumed");
        return WEIR_OK;
    }
    if (status == WEIR_OK && reply.batch_file_format != V2_BATCH_FILE_FORMAT_CSV &&
        reply.batch_file_format != V2_BATCH_FILE_FORMAT_PARQUET) {
        weir__error(err, "batch file format %d is neither CSV nor PARQUET", (int)reply.batch_file_format);
        return tester_call_wrong(calls->caller, &method, err);
    }
    *parquet = reply.batch_file_format == V2_BATCH_FILE_FORMAT_PARQUET;
    return status;
}

static weir_status judge_description(destination_calls *calls, const tester_method *method,
                                     const char *schema, weir_arena *arena,
                                     const v2_describe_table_response *reply, weir_table **out,
                                     weir_error *err)
{
    weir_status status = WEIR_OK;

    switch (reply->which_response) {
    case V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND:
        *out = NULL;
        return WEIR_OK;
    case V2_DESCRIBE_TABLE_RESPONSE_TABLE:
        if (reply->response.table != NULL)
            status = read_table(reply->response.table, schema, arena, out, err);
        else
            status = weir__error(err, "the answer was empty");
        break;
    case V2_DESCRIBE_TABLE_RESPONSE_WARNING:
        /*
         * It carries no table, so there is nothing to go on with; a table that is not there is `not_found`.
         */
        status = weir__error(
            err, "Partner Sdk Warning. Message: %.*s (a missing table is not_found, not a warning)",
            (int)reply->response.warning->message.size, reply->response.warning->message.data);
        break;
    case V2_DESCRIBE_TABLE_RESPONSE_TASK:
        return as_task(calls, method, reply->response.task, err);
    default:
        status = weir__error(err, "the answer was neither a table, not_found, warning nor task");
    }
    return status == WEIR_OK ? status : tester_call_wrong(calls->caller, method, err);
}

weir_status destination_describe(destination_calls *calls, const char *schema, const char *table,
                                 weir_arena *arena, weir_table **out, weir_error *err)
{
    tester_method method = { "DescribeTable",
                             V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH,
                             &weir__v2_describe_table_request,
                             &weir__v2_describe_table_response,
                             10 * MINUTE,
                             table };
    v2_describe_table_request request = { .configuration = calls->config,
                                          .configuration_count = calls->config_count,
                                          .schema_name = weir__text(schema),
                                          .table_name = weir__text(table) };
    v2_describe_table_response reply = { 0 };
    weir_status status = tester_call(calls->caller, &method, &request, &reply, err);

    if (status == WEIR_UNSUPPORTED)
        return tester_blame(calls->t, TESTER_CONNECTOR, status);
    if (status != WEIR_OK)
        return status;
    return judge_description(calls, &method, schema, arena, &reply, out, err);
}

weir_status destination_create(destination_calls *calls, const weir_table *table, weir_error *err)
{
    tester_method method = { "CreateTable",
                             V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH,
                             &weir__v2_create_table_request,
                             &weir__v2_create_table_response,
                             10 * MINUTE,
                             table->name };
    v2_create_table_request request = { .configuration = calls->config,
                                        .configuration_count = calls->config_count,
                                        .schema_name = weir__text(table->schema) };

    weir__arena_reset(calls->arena);
    request.table = write_table(table, calls->arena);
    if (request.table == NULL)
        return weir__error_memory(err, "creating a table");
    return change(calls, &method, &request, err);
}

weir_status destination_alter(destination_calls *calls, const weir_table *table, bool drop_columns,
                              weir_error *err)
{
    tester_method method = { "AlterTable",
                             V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH,
                             &weir__v2_alter_table_request,
                             &weir__v2_alter_table_response,
                             360 * MINUTE,
                             table->name };
    v2_alter_table_request request = { .configuration = calls->config,
                                       .configuration_count = calls->config_count,
                                       .schema_name = weir__text(table->schema),
                                       .drop_columns = drop_columns };

    weir__arena_reset(calls->arena);
    request.table = write_table(table, calls->arena);
    if (request.table == NULL)
        return weir__error_memory(err, "altering a table");
    return change(calls, &method, &request, err);
}

weir_status destination_truncate(destination_calls *calls, const weir_truncation *what, weir_error *err)
{
    tester_method method = { "Truncate",
                             V2_DESTINATION_CONNECTOR_TRUNCATE_PATH,
                             &weir__v2_truncate_request,
                             &weir__v2_truncate_response,
                             10 * MINUTE,
                             what->table };
    v2_soft_truncate soft = { .deleted_column = weir__text(what->deleted_column) };
    v2_truncate_request request = { .configuration = calls->config,
                                    .configuration_count = calls->config_count,
                                    .schema_name = weir__text(what->schema),
                                    .table_name = weir__text(what->table),
                                    .synced_column = weir__text(what->synced_column),
                                    .utc_delete_before = &what->before,
                                    .soft = what->deleted_column != NULL ? &soft : NULL };

    return change(calls, &method, &request, err);
}

/* Paths of the files of one kind. */
static size_t list_files(const emit_files *files, plan_kind kind, weir_bytes *out)
{
    size_t count = 0;

    for (const emit_file *file = files->first; file != NULL; file = file->next)
        if (file->kind == kind)
            out[count++] = weir__text(file->path);
    return count;
}

/* The two requests have the same members; one is made of the other. */
static weir_status fill_write(destination_calls *calls, const weir_table *table, const emit_files *files,
                              v2_write_history_batch_request *out, weir_error *err)
{
    weir_bytes *lists[PLAN_KIND_COUNT];
    v2_bytes_entry *keys = weir__arena_array(calls->arena, files->count + 1, sizeof *keys);
    size_t count = 0;
    bool failed = keys == NULL;

    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        lists[kind] = weir__arena_array(calls->arena, files->count + 1, sizeof(weir_bytes));
        failed = failed || lists[kind] == NULL;
    }
    out->table = write_table(table, calls->arena);
    if (failed || out->table == NULL)
        return weir__error_memory(err, "writing a batch");
    for (const emit_file *file = files->first; file != NULL; file = file->next, count++) {
        keys[count].key = weir__text(file->path);
        keys[count].value = (weir_bytes){ (const char *)file->key, sizeof file->key };
    }
    out->keys = keys;
    /* R-BAT-02: with encryption NONE no keys are sent. */
    out->keys_count = tester_options_of(calls->t)->plain_text ? 0 : count;
    out->earliest_start_files = lists[PLAN_EARLIEST];
    out->earliest_start_files_count = list_files(files, PLAN_EARLIEST, lists[PLAN_EARLIEST]);
    out->replace_files = lists[PLAN_REPLACE];
    out->replace_files_count = list_files(files, PLAN_REPLACE, lists[PLAN_REPLACE]);
    out->update_files = lists[PLAN_UPDATE];
    out->update_files_count = list_files(files, PLAN_UPDATE, lists[PLAN_UPDATE]);
    out->delete_files = lists[PLAN_DELETE];
    out->delete_files_count = list_files(files, PLAN_DELETE, lists[PLAN_DELETE]);
    return WEIR_OK;
}

static v2_write_batch_request without_history(const v2_write_history_batch_request *from)
{
    return (v2_write_batch_request){
        .configuration = from->configuration,
        .configuration_count = from->configuration_count,
        .schema_name = from->schema_name,
        .table = from->table,
        .keys = from->keys,
        .keys_count = from->keys_count,
        .replace_files = from->replace_files,
        .replace_files_count = from->replace_files_count,
        .update_files = from->update_files,
        .update_files_count = from->update_files_count,
        .delete_files = from->delete_files,
        .delete_files_count = from->delete_files_count,
        .file_params = from->file_params,
    };
}

weir_status destination_write(destination_calls *calls, const weir_table *table, bool history,
                              const emit_files *files, weir_error *err)
{
    bool plain = tester_options_of(calls->t)->plain_text;
    tester_method method = { history ? "WriteHistoryBatch" : "WriteBatch",
                             history ? V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH
                                     : V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH,
                             history ? &weir__v2_write_history_batch_request : &weir__v2_write_batch_request,
                             &weir__v2_write_batch_response,
                             120 * MINUTE,
                             table->name };
    v2_file_params params = { .compression = plain ? V2_COMPRESSION_OFF : V2_COMPRESSION_ZSTD,
                              .encryption = plain ? V2_ENCRYPTION_NONE : V2_ENCRYPTION_AES,
                              .null_string = weir__text(files->markers.null_string),
                              .unmodified_string = weir__text(files->markers.unmodified_string) };
    v2_write_history_batch_request request = { .configuration = calls->config,
                                               .configuration_count = calls->config_count,
                                               .schema_name = weir__text(table->schema),
                                               .file_params = &params };
    v2_write_batch_request plain_request;
    weir_status status;

    weir__arena_reset(calls->arena);
    status = fill_write(calls, table, files, &request, err);
    if (status != WEIR_OK)
        return status;
    plain_request = without_history(&request);
    return change(calls, &method, history ? (const void *)&request : (const void *)&plain_request, err);
}

/* --- Migrate --- */

weir_status destination_migrate(destination_calls *calls, const weir_migration *what, weir_error *err)
{
    tester_method method = { "Migrate",
                             V2_DESTINATION_CONNECTOR_MIGRATE_PATH,
                             &weir__v2_migrate_request,
                             &weir__v2_migrate_response,
                             360 * MINUTE,
                             what->table };
    weir_migration_message details;
    v2_migrate_request request = { .configuration = calls->config,
                                   .configuration_count = calls->config_count,
                                   .details = weir__migration_to_wire(what, &details) };
    v2_migrate_response reply = { 0 };
    weir_status status;

    status = tester_call(calls->caller, &method, &request, &reply, err);
    if (status != WEIR_OK)
        return status;
    switch (reply.which_response) {
    case V2_MIGRATE_RESPONSE_SUCCESS:
        if (reply.response.success)
            return WEIR_OK;
        weir__error(err, "the answer was success = false without a reason");
        break;
    case V2_MIGRATE_RESPONSE_UNSUPPORTED:
        return weir__error_as(err, WEIR_UNSUPPORTED, "Migrate of '%s' is unsupported", what->table);
    case V2_MIGRATE_RESPONSE_WARNING:
        tell_warning(calls, reply.response.warning);
        return WEIR_OK;
    case V2_MIGRATE_RESPONSE_TASK:
        return as_task(calls, &method, reply.response.task, err);
    default:
        weir__error(err, "the answer was neither success, unsupported, warning nor task");
    }
    return tester_call_wrong(calls->caller, &method, err);
}
