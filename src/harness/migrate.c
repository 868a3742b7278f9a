/* harness/migrate: a weir_migration as MigrationDetails, and as what the model understands. */
#include <string.h>

#include "base/map.h"
#include "harness/destination_side.h"

#define NEW(type, ...) ((type *)keep(h, &(type){ __VA_ARGS__ }, sizeof(type)))

static void *keep(weir_harness *h, const void *value, size_t size)
{
    void *out = weir__test_memory(weir__arena_alloc(h->arena, size));

    memcpy(out, value, size);
    return out;
}

static const char *text_in(weir_harness *h, const char *text)
{
    return text == NULL ? NULL : weir__test_memory(weir__arena_copy(h->arena, text, strlen(text)));
}

/* R-MIG-03: NULL is written as the text NULL. */
static weir_bytes value_of(const weir_migration *what)
{
    const weir_bytes *value = &what->as.column.value;

    return value->data != NULL ? *value : weir__text("NULL");
}

static const char *timestamp(weir_harness *h, const weir_migration *what)
{
    char text[36];
    size_t size = weir_time_format(WEIR_UTC_DATETIME, what->as.column.time, text);

    return weir__test_memory(weir__arena_copy(h->arena, text, size));
}

static void put_copy(weir_harness *h, const weir_migration *what, v2_migration_details *out)
{
    weir_bytes from = weir__text(what->as.names.from);
    weir_bytes to = weir__text(what->as.names.to);
    v2_copy_operation *copy = WEIR_HARNESS_NEW(h->arena, v2_copy_operation);

    if (what->kind == WEIR_MIGRATE_COPY_TABLE) {
        copy->which_entity = V2_COPY_OPERATION_COPY_TABLE;
        copy->entity.copy_table = NEW(v2_copy_table, from, to);
    } else if (what->kind == WEIR_MIGRATE_COPY_COLUMN) {
        copy->which_entity = V2_COPY_OPERATION_COPY_COLUMN;
        copy->entity.copy_column = NEW(v2_copy_column, from, to);
    } else {
        copy->which_entity = V2_COPY_OPERATION_COPY_TABLE_TO_HISTORY_MODE;
        copy->entity.copy_table_to_history_mode = NEW(v2_copy_table_to_history_mode, from, to,
                                                      weir__text(what->as.names.deleted_column));
    }
    out->which_operation = V2_MIGRATION_DETAILS_COPY;
    out->operation.copy = copy;
}

static void put_rename(weir_harness *h, const weir_migration *what, v2_migration_details *out)
{
    weir_bytes from = weir__text(what->as.names.from);
    weir_bytes to = weir__text(what->as.names.to);
    v2_rename_operation *change = WEIR_HARNESS_NEW(h->arena, v2_rename_operation);

    if (what->kind == WEIR_MIGRATE_RENAME_TABLE) {
        change->which_entity = V2_RENAME_OPERATION_RENAME_TABLE;
        change->entity.rename_table = NEW(v2_rename_table, from, to);
    } else {
        change->which_entity = V2_RENAME_OPERATION_RENAME_COLUMN;
        change->entity.rename_column = NEW(v2_rename_column, from, to);
    }
    out->which_operation = V2_MIGRATION_DETAILS_RENAME;
    out->operation.rename = change;
}

static void put_drop(weir_harness *h, const weir_migration *what, v2_migration_details *out)
{
    v2_drop_operation *drop = WEIR_HARNESS_NEW(h->arena, v2_drop_operation);

    if (what->kind == WEIR_MIGRATE_DROP_TABLE) {
        drop->which_entity = V2_DROP_OPERATION_DROP_TABLE;
        drop->entity.drop_table = true;
    } else {
        drop->which_entity = V2_DROP_OPERATION_DROP_COLUMN_IN_HISTORY_MODE;
        drop->entity.drop_column_in_history_mode = NEW(
            v2_drop_column_in_history_mode, weir__text(what->as.column.name), weir__text(timestamp(h, what)));
    }
    out->which_operation = V2_MIGRATION_DETAILS_DROP;
    out->operation.drop = drop;
}

static void put_add(weir_harness *h, const weir_migration *what, v2_migration_details *out)
{
    weir_bytes column = weir__text(what->as.column.name);
    v2_add_operation *add = WEIR_HARNESS_NEW(h->arena, v2_add_operation);

    if (what->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY) {
        add->which_entity = V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE;
        add->entity.add_column_in_history_mode = NEW(v2_add_column_in_history_mode, column,
                                                     (int32_t)what->as.column.type, value_of(what),
                                                     weir__text(timestamp(h, what)));
    } else {
        add->which_entity = V2_ADD_OPERATION_ADD_COLUMN_WITH_DEFAULT_VALUE;
        add->entity.add_column_with_default_value = NEW(v2_add_column_with_default_value, column,
                                                        (int32_t)what->as.column.type, value_of(what));
    }
    out->which_operation = V2_MIGRATION_DETAILS_ADD;
    out->operation.add = add;
}

static void put_mode(weir_harness *h, const weir_migration *what, v2_migration_details *out)
{
    bool to_history = what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY;

    out->which_operation = V2_MIGRATION_DETAILS_TABLE_SYNC_MODE_MIGRATION;
    out->operation.table_sync_mode_migration = NEW(
        v2_table_sync_mode_migration_operation,
        to_history ? V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_HISTORY
                   : V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_SOFT_DELETE,
        what->as.mode.deleted_column != NULL, weir__text(what->as.mode.deleted_column),
        what->as.mode.keep_deleted_rows, what->as.mode.keep_deleted_rows);
}

const v2_migration_details *weir__migration_to_wire(weir_harness *h, const weir_migration *what)
{
    v2_migration_details *out = WEIR_HARNESS_NEW(h->arena, v2_migration_details);

    out->schema = weir__text(what->schema);
    out->table = weir__text(what->table);
    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
        put_drop(h, what, out);
        break;
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
        put_copy(h, what, out);
        break;
    case WEIR_MIGRATE_RENAME_TABLE:
    case WEIR_MIGRATE_RENAME_COLUMN:
        put_rename(h, what, out);
        break;
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
        put_add(h, what, out);
        break;
    case WEIR_MIGRATE_UPDATE_COLUMN:
        out->which_operation = V2_MIGRATION_DETAILS_UPDATE_COLUMN_VALUE;
        out->operation.update_column_value = NEW(v2_update_column_value_operation,
                                                 weir__text(what->as.column.name), value_of(what));
        break;
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        put_mode(h, what, out);
        break;
    }
    return out;
}

/* --- for the model --- */

static weir_model_operation operation_of(weir_migration_kind kind)
{
    static const weir_model_operation operations[] = {
        [WEIR_MIGRATE_DROP_TABLE] = WEIR_MODEL_DROP_TABLE,
        [WEIR_MIGRATE_DROP_COLUMN_HISTORY] = WEIR_MODEL_DROP_COLUMN_IN_HISTORY,
        [WEIR_MIGRATE_COPY_TABLE] = WEIR_MODEL_COPY_TABLE,
        [WEIR_MIGRATE_COPY_COLUMN] = WEIR_MODEL_COPY_COLUMN,
        [WEIR_MIGRATE_COPY_TABLE_TO_HISTORY] = WEIR_MODEL_COPY_TABLE_TO_HISTORY,
        [WEIR_MIGRATE_RENAME_TABLE] = WEIR_MODEL_RENAME_TABLE,
        [WEIR_MIGRATE_RENAME_COLUMN] = WEIR_MODEL_RENAME_COLUMN,
        [WEIR_MIGRATE_ADD_COLUMN_HISTORY] = WEIR_MODEL_ADD_COLUMN_IN_HISTORY,
        [WEIR_MIGRATE_ADD_COLUMN_DEFAULT] = WEIR_MODEL_ADD_COLUMN_WITH_DEFAULT,
        [WEIR_MIGRATE_UPDATE_COLUMN] = WEIR_MODEL_UPDATE_COLUMN_VALUE,
        [WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY] = WEIR_MODEL_CHANGE_SYNC_MODE,
        [WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE] = WEIR_MODEL_CHANGE_SYNC_MODE,
    };

    return operations[kind];
}

weir_model_migration weir__migration_to_model(weir_harness *h, const weir_migration *what)
{
    weir_model_migration out = { .schema = text_in(h, what->schema ? what->schema : ""),
                                 .table = text_in(h, what->table ? what->table : ""),
                                 .kind = operation_of(what->kind) };
    weir_bytes value;

    switch (what->kind) {
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
    case WEIR_MIGRATE_RENAME_TABLE:
    case WEIR_MIGRATE_RENAME_COLUMN:
        out.from = text_in(h, what->as.names.from);
        out.to = text_in(h, what->as.names.to);
        out.soft_deleted_column = text_in(h, what->as.names.deleted_column);
        break;
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        out.mode = what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY ? WEIR_MODEL_SOFT_DELETE_TO_HISTORY
                                                                     : WEIR_MODEL_HISTORY_TO_SOFT_DELETE;
        out.soft_deleted_column = text_in(h, what->as.mode.deleted_column);
        out.keep_deleted_rows = what->as.mode.keep_deleted_rows;
        break;
    case WEIR_MIGRATE_DROP_TABLE:
        break;
    default:
        value = value_of(what);
        out.column = text_in(h, what->as.column.name);
        out.type = what->as.column.type;
        out.value = weir__test_memory(weir__arena_copy(h->arena, value.data, value.size));
        out.operation_timestamp = timestamp(h, what);
    }
    return out;
}
