/*
 * sdk/destination: from the RPCs of a destination to its handlers. The replies of CreateTable, AlterTable,
 * Truncate and WriteBatch have one shape: success, warning or task (R-RPC-07).
 */
#include "sdk/destination.h"

#include <string.h>

#include "base/limits.h"
#include "sdk/changes.h"
#include "sdk/destination_internal.h"
#include "sdk/tables.h"

weir_status weir__destination_check(const weir_destination *destination, weir_error *err)
{
    const struct {
        const char *name;
        bool there;
    } required[] = {
        { "describe", destination->describe != NULL }, { "create", destination->create != NULL },
        { "alter", destination->alter != NULL },       { "truncate", destination->truncate != NULL },
        { "write", destination->write != NULL },
    };
    weir_connector connector;

    if (destination->name == NULL || destination->name[0] == '\0')
        return weir__error(err, "the destination has no .name");
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].there)
            return weir__error(err, "the destination '%s' has no .%s: every destination needs one",
                               destination->name, required[i].name);
    weir__destination_connector(destination, &connector);
    if (weir__connector_check(&connector, "destination", destination->name, err) != WEIR_OK)
        return WEIR_FAILED;
    for (const weir_setup_test *test = destination->tests; test != NULL && test->name != NULL; test++)
        if (test->run == NULL)
            return weir__error(err, "the setup test '%s' has no function", test->name);
    if (destination->cell_size_max > 0 && (destination->cell_size_max < WEIR_BATCH_CELL_SIZE_LOW ||
                                           destination->cell_size_max > WEIR_BATCH_CELL_SIZE_HIGH))
        return weir__error(err,
                           "the destination '%s' has a .cell_size_max of %zu bytes; %zu to %zu are allowed",
                           destination->name, destination->cell_size_max, WEIR_BATCH_CELL_SIZE_LOW,
                           WEIR_BATCH_CELL_SIZE_HIGH);
    return weir__form_check(&destination->form, err);
}

void weir__destination_connector(const weir_destination *destination, weir_connector *out)
{
    *out = (weir_connector){
        .form = &destination->form,
        .tests = destination->tests,
        .open = destination->open,
        .close = destination->close,
        .check = destination->check,
        .sessions_idle_max = destination->sessions_idle_max,
        .selection = true,
        .definition = destination,
    };
}

/* --- what the replies have in common --- */

/* The members that all four replies name alike; checked below. */
typedef struct plain_reply {
    uint32_t which_response;
    union {
        bool success;
        const v2_warning *warning;
        const v2_task *task;
    } response;
} plain_reply;

#define SAME_SHAPE(type)                                                            \
    _Static_assert(sizeof(type) == sizeof(plain_reply) &&                           \
                       offsetof(type, response) == offsetof(plain_reply, response), \
                   "the reply is a success, a warning or a task")
SAME_SHAPE(v2_create_table_response);
SAME_SHAPE(v2_alter_table_response);
SAME_SHAPE(v2_truncate_response);
SAME_SHAPE(v2_write_batch_response);
_Static_assert((int)V2_ALTER_TABLE_RESPONSE_SUCCESS == (int)V2_CREATE_TABLE_RESPONSE_SUCCESS &&
                   (int)V2_TRUNCATE_RESPONSE_SUCCESS == (int)V2_CREATE_TABLE_RESPONSE_SUCCESS &&
                   (int)V2_WRITE_BATCH_RESPONSE_SUCCESS == (int)V2_CREATE_TABLE_RESPONSE_SUCCESS &&
                   (int)V2_ALTER_TABLE_RESPONSE_WARNING == (int)V2_CREATE_TABLE_RESPONSE_WARNING &&
                   (int)V2_TRUNCATE_RESPONSE_WARNING == (int)V2_CREATE_TABLE_RESPONSE_WARNING &&
                   (int)V2_WRITE_BATCH_RESPONSE_WARNING == (int)V2_CREATE_TABLE_RESPONSE_WARNING &&
                   (int)V2_ALTER_TABLE_RESPONSE_TASK == (int)V2_CREATE_TABLE_RESPONSE_TASK &&
                   (int)V2_TRUNCATE_RESPONSE_TASK == (int)V2_CREATE_TABLE_RESPONSE_TASK &&
                   (int)V2_WRITE_BATCH_RESPONSE_TASK == (int)V2_CREATE_TABLE_RESPONSE_TASK,
               "and has the same numbers for them");

bool weir__answer_plain(weir_request *request, weir_status status)
{
    plain_reply reply = { 0 };
    weir_bytes warnings = weir__request_warnings(request);

    if (status == WEIR_TASK) {
        v2_task *task = weir__arena_alloc(request->call.arena, sizeof *task);

        if (task == NULL)
            return false;
        task->message = weir__request_text(request);
        reply.which_response = V2_CREATE_TABLE_RESPONSE_TASK;
        reply.response.task = task;
    } else if (status != WEIR_OK) {
        return false;
    } else if (warnings.size > 0) {
        v2_warning *warning = weir__arena_alloc(request->call.arena, sizeof *warning);

        if (warning == NULL) {
            weir__call_fail(&request->call, WEIR_FAILED, "out of memory answering a request");
            return false;
        }
        warning->message = warnings;
        reply.which_response = V2_CREATE_TABLE_RESPONSE_WARNING;
        reply.response.warning = warning;
    } else {
        reply.which_response = V2_CREATE_TABLE_RESPONSE_SUCCESS;
        reply.response.success = true;
    }
    memcpy(request->reply, &reply, sizeof reply);
    return true;
}

weir_table *weir__take_table(weir_call *call, weir_bytes schema, const v2_table *in)
{
    weir_table *table = weir_alloc(call, sizeof *table);
    weir_error err;

    if (weir__table_from_wire(schema, in, call->arena, table, &err) == WEIR_OK)
        return table;
    weir__call_fail_error(call, &err);
    return NULL;
}

weir_status weir__take_names(weir_call *call, weir_bytes schema, weir_bytes table, const char *out[2])
{
    weir_error err;

    out[0] = "";
    if (schema.size > 0 && weir__name_from_wire(schema, "schema", call->arena, &out[0], &err) != WEIR_OK)
        return weir__call_fail_error(call, &err);
    if (weir__name_from_wire(table, "table", call->arena, &out[1], &err) != WEIR_OK)
        return weir__call_fail_error(call, &err);
    return WEIR_OK;
}

/* --- DescribeTable --- */

static weir_status handle_describe(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_describe_table_request *message = request->message;
    weir_table *table = weir_alloc(call, sizeof *table);
    const char *names[2];
    weir_status status = weir__take_names(call, message->schema_name, message->table_name, names);

    if (status != WEIR_OK)
        return status;
    table->schema = names[0];
    table->name = names[1];
    request->result = table;
    status = weir__definition(request)->describe(call, names[0], names[1], table);
    if (table->name == NULL) /* the handler assigned the whole struct */
        table->name = names[1];
    return status;
}

/* R-DST-01: a missing table is not_found, never an error. Warnings have no place here: they are logged. */
static bool answer_describe(weir_request *request, weir_status status)
{
    v2_describe_table_response *reply = request->reply;
    weir_arena *arena = request->call.arena;
    v2_table *table = weir__arena_alloc(arena, sizeof *table);
    v2_task *task = weir__arena_alloc(arena, sizeof *task);

    if (table == NULL || task == NULL) {
        weir__call_fail(&request->call, WEIR_FAILED, "out of memory describing a table");
        return false;
    }
    weir__request_log_warnings(request);
    if (status == WEIR_NOT_FOUND) {
        reply->which_response = V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND;
        reply->response.not_found = true;
    } else if (status == WEIR_TASK) {
        task->message = weir__request_text(request);
        reply->which_response = V2_DESCRIBE_TABLE_RESPONSE_TASK;
        reply->response.task = task;
    } else if (status != WEIR_OK) {
        return false;
    } else {
        if (!weir__table_to_wire(request->result, arena, table)) {
            weir__call_fail(&request->call, WEIR_FAILED, "out of memory describing a table");
            return false;
        }
        reply->which_response = V2_DESCRIBE_TABLE_RESPONSE_TABLE;
        reply->response.table = table;
    }
    return true;
}

static weir_rpc_code serve_describe(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_describe_table_request,
        .reply = &weir__v2_describe_table_response,
        WEIR_REQUEST_CONFIGURATION(v2_describe_table_request),
        .what = "describe",
        .allowed = WEIR_MAY_RETURN(WEIR_NOT_FOUND),
        .handle = handle_describe,
        .answer = answer_describe,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- CreateTable --- */

static weir_status handle_create(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_create_table_request *message = request->message;
    weir_table *table = weir__take_table(call, message->schema_name, message->table);

    return table != NULL ? weir__definition(request)->create(call, table) : call->failure;
}

static weir_rpc_code serve_create(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_create_table_request,
        .reply = &weir__v2_create_table_response,
        WEIR_REQUEST_CONFIGURATION(v2_create_table_request),
        .what = "create",
        .handle = handle_create,
        .answer = weir__answer_plain,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- AlterTable --- */

static weir_status handle_alter(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_alter_table_request *message = request->message;
    weir_table *stored = weir_alloc(call, sizeof *stored);
    weir_changes *changes = weir_alloc(call, sizeof *changes);
    weir_table *wanted = weir__take_table(call, message->schema_name, message->table);
    weir_status status;

    if (wanted == NULL)
        return call->failure;
    stored->schema = wanted->schema;
    stored->name = wanted->name;
    status = weir__definition(request)->describe(call, wanted->schema ? wanted->schema : "", wanted->name,
                                                 stored);
    if (status == WEIR_NOT_FOUND)
        return weir_fail(call, "cannot alter table '%s%s%s': it does not exist",
                         wanted->schema ? wanted->schema : "", wanted->schema ? "." : "", wanted->name);
    if (status != WEIR_OK)
        return status;
    if (!weir__changes_find(stored, wanted, message->drop_columns, call->arena, changes))
        return weir_fail(call, "out of memory comparing the table with what is wanted");
    if (changes->count == 0)
        return WEIR_OK; /* R-DST-03: a changed order is a no-op */
    return weir__definition(request)->alter(call, wanted, changes);
}

static weir_rpc_code serve_alter(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_alter_table_request,
        .reply = &weir__v2_alter_table_response,
        WEIR_REQUEST_CONFIGURATION(v2_alter_table_request),
        .what = "alter",
        .handle = handle_alter,
        .answer = weir__answer_plain,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- Truncate --- */

static weir_status handle_truncate(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_truncate_request *message = request->message;
    weir_truncation *what = weir_alloc(call, sizeof *what);
    const char *names[2];
    weir_error err;
    weir_status status = weir__take_names(call, message->schema_name, message->table_name, names);

    if (status != WEIR_OK)
        return status;
    what->schema = names[0];
    what->table = names[1];
    if (weir__name_from_wire(message->synced_column, "synced column", call->arena, &what->synced_column,
                             &err) != WEIR_OK)
        return weir__call_fail_error(call, &err);
    if (message->soft != NULL && weir__name_from_wire(message->soft->deleted_column, "deleted column",
                                                      call->arena, &what->deleted_column, &err) != WEIR_OK)
        return weir__call_fail_error(call, &err);
    if (message->utc_delete_before == NULL) /* zero is a real time, absence is not (R-DST-04) */
        return weir_fail(call, "the request does not say up to when to truncate '%s'", what->table);
    what->before = *message->utc_delete_before;
    if (what->before.nanos < 0 || what->before.nanos > 999999999 ||
        what->before.seconds < WEIR_TIME_SECONDS_MIN || what->before.seconds > WEIR_TIME_SECONDS_MAX)
        return weir_fail(call, "the request says to truncate '%s' up to a time that is none", what->table);
    status = weir__definition(request)->truncate(call, what);
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

static weir_rpc_code serve_truncate(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_truncate_request,
        .reply = &weir__v2_truncate_response,
        WEIR_REQUEST_CONFIGURATION(v2_truncate_request),
        .what = "truncate",
        .handle = handle_truncate,
        .answer = weir__answer_plain,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- what needs no handler --- */

weir_rpc_code weir__send_constant(weir_rpc_call *rpc, const weir_codec_message *type, const void *reply)
{
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, WEIR_KIB);
    if (weir__codec_encode(type, reply, &out, &err) != WEIR_OK ||
        weir__rpc_send(rpc, weir__buf_bytes(&out), 0, &err) != WEIR_OK)
        code = weir__rpc_fail(rpc, WEIR_RPC_INTERNAL, "%s", err.text);
    weir__buf_clear(&out);
    return code;
}

static weir_rpc_code serve_capabilities(weir_rpc_call *rpc, void *context)
{
    const v2_capabilities_response reply = { .batch_file_format = V2_BATCH_FILE_FORMAT_CSV };

    (void)context;
    return weir__send_constant(rpc, &weir__v2_capabilities_response, &reply);
}

void weir__destination_methods(const weir_connector *connector, weir_rpc_method out[WEIR_DESTINATION_METHODS])
{
    const struct {
        const char *path;
        weir_rpc_handler handler;
    } methods[WEIR_DESTINATION_METHODS] = {
        { V2_DESTINATION_CONNECTOR_CONFIGURATION_FORM_PATH, weir__serve_form },
        { V2_DESTINATION_CONNECTOR_CAPABILITIES_PATH, serve_capabilities },
        { V2_DESTINATION_CONNECTOR_TEST_PATH, weir__serve_test },
        { V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH, serve_describe },
        { V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH, serve_create },
        { V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, serve_alter },
        { V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, serve_truncate },
        { V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, weir__serve_write },
        { V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH, weir__serve_history },
        { V2_DESTINATION_CONNECTOR_MIGRATE_PATH, weir__serve_migrate },
    };

    for (size_t i = 0; i < WEIR_DESTINATION_METHODS; i++)
        out[i] = (weir_rpc_method){ .path = methods[i].path,
                                    .kind = WEIR_RPC_UNARY,
                                    .handler = methods[i].handler,
                                    .context = (void *)connector };
}
