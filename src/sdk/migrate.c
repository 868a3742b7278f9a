/*
 * sdk/migrate: Migrate, from the wire to the handler and back (R-MIG). Whatever cannot be done here is
 * "unsupported": the engine then falls back to CreateTable and AlterTable.
 */
#include "sdk/migrate.h"

#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/decimal.h"
#include "data/text.h"
#include "sdk/destination_internal.h"
#include "sdk/tables.h"

/* What the conversion works with. */
typedef struct reading {
    weir_arena *arena;
    weir_migration *out;
    weir_error *err;
} reading;

static weir_status take_name(reading *r, weir_bytes name, const char *what, const char **out)
{
    return weir__name_from_wire(name, what, r->arena, out, r->err);
}

static weir_status take_optional(reading *r, weir_bytes name, const char *what, const char **out)
{
    return name.size > 0 ? take_name(r, name, what, out) : WEIR_OK;
}

static weir_status take_pair(reading *r, weir_migration_kind kind, const char *what, weir_bytes from,
                             weir_bytes to)
{
    weir_migration_names *names = &r->out->as.names;

    r->out->kind = kind;
    return take_name(r, from, what, &names->from) == WEIR_OK && take_name(r, to, what, &names->to) == WEIR_OK
               ? WEIR_OK
               : WEIR_FAILED;
}

/* R-MIG-03: the text NULL is NULL. A value may be larger than a name, and empty. */
static weir_status take_value(reading *r, weir_bytes value)
{
    weir_bytes *out = &r->out->as.column.value;

    if (value.size == 4 && memcmp(value.data, "NULL", 4) == 0)
        return WEIR_OK;
    out->data = weir__arena_copy(r->arena, value.data, value.size);
    out->size = value.size;
    return out->data != NULL ? WEIR_OK : weir__error_memory(r->err, "reading the request");
}

static weir_status take_column(reading *r, weir_migration_kind kind, weir_bytes name, int32_t type)
{
    weir_migration_column *column = &r->out->as.column;

    r->out->kind = kind;
    if (take_name(r, name, "column", &column->name) != WEIR_OK)
        return WEIR_FAILED;
    if (type < 0 || type >= WEIR_TYPE_COUNT)
        return weir__error(r->err, "column '%s' has the unknown type %d", column->name, (int)type);
    column->type = (weir_type)type;
    return WEIR_OK;
}

static weir_status take_timestamp(reading *r, weir_bytes text)
{
    if (weir_time_parse(WEIR_UTC_DATETIME, text.data, text.size, &r->out->as.column.time))
        return WEIR_OK;
    return weir__error(r->err, "the operation timestamp '%.*s' is no time like 2005-05-28T20:57:00Z",
                       (int)(text.size < 64 ? text.size : 64), text.size > 0 ? text.data : "");
}

static weir_status unknown(reading *r, const char *what)
{
    return weir__error_as(r->err, WEIR_UNSUPPORTED, "%s is nothing that can be migrated here", what);
}

static weir_status take_drop(reading *r, const v2_drop_operation *in)
{
    if (in->which_entity == V2_DROP_OPERATION_DROP_TABLE) {
        r->out->kind = WEIR_MIGRATE_DROP_TABLE;
        return in->entity.drop_table ? WEIR_OK
                                     : weir__error(r->err, "the request says not to drop the table");
    }
    if (in->which_entity != V2_DROP_OPERATION_DROP_COLUMN_IN_HISTORY_MODE)
        return unknown(r, "this drop");
    if (take_column(r, WEIR_MIGRATE_DROP_COLUMN_HISTORY, in->entity.drop_column_in_history_mode->column,
                    WEIR_UNSPECIFIED) != WEIR_OK)
        return WEIR_FAILED;
    return take_timestamp(r, in->entity.drop_column_in_history_mode->operation_timestamp);
}

static weir_status take_copy(reading *r, const v2_copy_operation *in)
{
    const v2_copy_table_to_history_mode *history = in->entity.copy_table_to_history_mode;

    if (in->which_entity == V2_COPY_OPERATION_COPY_TABLE)
        return take_pair(r, WEIR_MIGRATE_COPY_TABLE, "table", in->entity.copy_table->from_table,
                         in->entity.copy_table->to_table);
    if (in->which_entity == V2_COPY_OPERATION_COPY_COLUMN)
        return take_pair(r, WEIR_MIGRATE_COPY_COLUMN, "column", in->entity.copy_column->from_column,
                         in->entity.copy_column->to_column);
    if (in->which_entity != V2_COPY_OPERATION_COPY_TABLE_TO_HISTORY_MODE)
        return unknown(r, "this copy");
    if (take_pair(r, WEIR_MIGRATE_COPY_TABLE_TO_HISTORY, "table", history->from_table, history->to_table) !=
        WEIR_OK)
        return WEIR_FAILED;
    return take_optional(r, history->soft_deleted_column, "deleted column", &r->out->as.names.deleted_column);
}

static weir_status take_rename(reading *r, const v2_rename_operation *in)
{
    if (in->which_entity == V2_RENAME_OPERATION_RENAME_TABLE)
        return take_pair(r, WEIR_MIGRATE_RENAME_TABLE, "table", in->entity.rename_table->from_table,
                         in->entity.rename_table->to_table);
    if (in->which_entity == V2_RENAME_OPERATION_RENAME_COLUMN)
        return take_pair(r, WEIR_MIGRATE_RENAME_COLUMN, "column", in->entity.rename_column->from_column,
                         in->entity.rename_column->to_column);
    return unknown(r, "this rename");
}

static weir_status take_add(reading *r, const v2_add_operation *in)
{
    const v2_add_column_in_history_mode *history = in->entity.add_column_in_history_mode;
    const v2_add_column_with_default_value *plain = in->entity.add_column_with_default_value;
    bool in_history = in->which_entity == V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE;
    weir_status status;

    if (!in_history && in->which_entity != V2_ADD_OPERATION_ADD_COLUMN_WITH_DEFAULT_VALUE)
        return unknown(r, "this new column");
    status = in_history
                 ? take_column(r, WEIR_MIGRATE_ADD_COLUMN_HISTORY, history->column, history->column_type)
                 : take_column(r, WEIR_MIGRATE_ADD_COLUMN_DEFAULT, plain->column, plain->column_type);
    if (status == WEIR_OK)
        status = take_value(r, in_history ? history->default_value : plain->default_value);
    if (status == WEIR_OK && in_history)
        status = take_timestamp(r, history->operation_timestamp);
    return status;
}

/* R-MIG-05: the number 0 is a conversion to live mode, too, so a request that sets no type is unsupported. */
static weir_status take_mode(reading *r, const v2_table_sync_mode_migration_operation *in)
{
    if (in->type == V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_HISTORY)
        r->out->kind = WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY;
    else if (in->type == V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_SOFT_DELETE)
        r->out->kind = WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE;
    else
        return unknown(r, "a table from or to live mode");
    r->out->as.mode.keep_deleted_rows = in->has_keep_deleted_rows && in->keep_deleted_rows;
    return take_optional(r, in->soft_deleted_column, "deleted column", &r->out->as.mode.deleted_column);
}

static weir_status take_operation(reading *r, const v2_migration_details *details)
{
    const v2_update_column_value_operation *update = details->operation.update_column_value;

    switch (details->which_operation) {
    case V2_MIGRATION_DETAILS_DROP:
        return take_drop(r, details->operation.drop);
    case V2_MIGRATION_DETAILS_COPY:
        return take_copy(r, details->operation.copy);
    case V2_MIGRATION_DETAILS_RENAME:
        return take_rename(r, details->operation.rename);
    case V2_MIGRATION_DETAILS_ADD:
        return take_add(r, details->operation.add);
    case V2_MIGRATION_DETAILS_UPDATE_COLUMN_VALUE:
        if (take_column(r, WEIR_MIGRATE_UPDATE_COLUMN, update->column, WEIR_UNSPECIFIED) != WEIR_OK)
            return WEIR_FAILED;
        return take_value(r, update->value);
    case V2_MIGRATION_DETAILS_TABLE_SYNC_MODE_MIGRATION:
        return take_mode(r, details->operation.table_sync_mode_migration);
    case V2_MIGRATION_DETAILS_OPERATION_NOT_SET:
        break;
    }
    return unknown(r, "this operation");
}

bool weir__migration_names_tables(weir_migration_kind kind)
{
    return kind == WEIR_MIGRATE_COPY_TABLE || kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY ||
           kind == WEIR_MIGRATE_RENAME_TABLE;
}

weir_status weir__migration_from_wire(const v2_migration_details *details, weir_arena *arena,
                                      weir_migration *out, weir_error *err)
{
    weir_migration made = { .schema = "", .table = "" };
    reading r = { arena, &made, err };
    weir_status status;

    if (details == NULL)
        return weir__error(err, "the request has no migration details");
    status = take_operation(&r, details);
    if (status == WEIR_OK)
        status = take_optional(&r, details->schema, "schema", &made.schema);
    if (status == WEIR_OK && (details->table.size > 0 || !weir__migration_names_tables(made.kind)))
        status = take_name(&r, details->table, "table", &made.table);
    if (status != WEIR_OK)
        return status;
    *out = made;
    return WEIR_OK;
}

/* --- serving --- */

static weir_status handle_migrate(weir_call *call, void *context)
{
    weir_request *request = context;
    const v2_migrate_request *message = request->message;
    weir_migration *what = weir_alloc(call, sizeof *what);
    weir_error err;
    weir_status status = weir__migration_from_wire(message->details, call->arena, what, &err);

    if (status == WEIR_UNSUPPORTED)
        return status;
    if (status != WEIR_OK)
        return weir__call_fail_error(call, &err);
    status = weir__definition(request)->migrate(call, what);
    if (status != WEIR_NOT_FOUND)
        return status;
    if (what->kind == WEIR_MIGRATE_DROP_TABLE)
        return WEIR_OK; /* R-MIG-01 */
    return weir_fail(call, "cannot migrate table '%s%s%s': it does not exist", what->schema,
                     what->schema[0] != '\0' ? "." : "",
                     weir__migration_names_tables(what->kind) ? what->as.names.from : what->table);
}

/* The reply differs from the plain one in one more member, and so in numbers. */
_Static_assert(sizeof(v2_migrate_response) == sizeof(v2_create_table_response) &&
                   offsetof(v2_migrate_response, response) == offsetof(v2_create_table_response, response) &&
                   (int)V2_MIGRATE_RESPONSE_SUCCESS == (int)V2_CREATE_TABLE_RESPONSE_SUCCESS,
               "the reply has the shape of the plain one");

static bool answer_migrate(weir_request *request, weir_status status)
{
    v2_migrate_response *reply = request->reply;

    if (status == WEIR_UNSUPPORTED) {
        weir__request_log_warnings(request);
        reply->which_response = V2_MIGRATE_RESPONSE_UNSUPPORTED;
        reply->response.unsupported = true;
        return true;
    }
    if (!weir__answer_plain(request, status))
        return false;
    if ((int)reply->which_response == (int)V2_CREATE_TABLE_RESPONSE_TASK)
        reply->which_response = V2_MIGRATE_RESPONSE_TASK;
    else if ((int)reply->which_response == (int)V2_CREATE_TABLE_RESPONSE_WARNING)
        reply->which_response = V2_MIGRATE_RESPONSE_WARNING;
    return true;
}

weir_rpc_code weir__serve_migrate(weir_rpc_call *rpc, void *context)
{
    static const v2_migrate_response unsupported = { .which_response = V2_MIGRATE_RESPONSE_UNSUPPORTED,
                                                     .response.unsupported = true };
    static const weir_request_type type = {
        .message = &weir__v2_migrate_request,
        .reply = &weir__v2_migrate_response,
        WEIR_REQUEST_CONFIGURATION(v2_migrate_request),
        .what = "migrate",
        .allowed = WEIR_MAY_RETURN(WEIR_NOT_FOUND) | WEIR_MAY_RETURN(WEIR_UNSUPPORTED),
        .handle = handle_migrate,
        .answer = answer_migrate,
    };
    const weir_connector *connector = context;
    const weir_destination *destination = connector->definition;

    /* The engine falls back to CreateTable and AlterTable (R-MIG-06). */
    if (destination->migrate == NULL)
        return weir__send_constant(rpc, &weir__v2_migrate_response, &unsupported);
    return weir__request_serve(&type, rpc, connector);
}

weir_status weir_cell_from_text(weir_call *call, const weir_column *column, weir_bytes text, weir_cell *out)
{
    weir_cell cell = { .column = column->name, .type = column->type, .presence = WEIR_NULL };
    bool has_empty = column->type == WEIR_STRING || column->type == WEIR_BINARY;
    weir_error err;
    char *copy;

    if (cell.type == WEIR_UNSPECIFIED)
        cell.type = WEIR_STRING;
    if (text.data != NULL && (text.size > 0 || has_empty)) {
        copy = weir_alloc(call, text.size + 4); /* BINARY is decoded in place */
        if (text.size > 0)
            memcpy(copy, text.data, text.size);
        if (!weir__text_parse(&cell, copy, text.size)) {
            weir__text_parse_error(&cell, text, &err);
            return weir__call_fail_error(call, &err);
        }
        if (cell.type == WEIR_DECIMAL) {
            char *plain = weir_alloc(call, WEIR_DECIMAL_TEXT_MAX);

            cell.as.bytes.size = weir__decimal_plain(text.data, text.size, plain);
            cell.as.bytes.data = plain;
        }
    }
    *out = cell;
    return WEIR_OK;
}
