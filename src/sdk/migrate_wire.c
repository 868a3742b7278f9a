/* sdk/migrate_wire: a migration as MigrationDetails: what those send who ask destinations to migrate. */
#include "sdk/migrate.h"

#include "base/map.h"

/* R-MIG-03: NULL is written as the text NULL. */
static weir_bytes value_of(const weir_migration_column *column)
{
    return column->value.data != NULL ? column->value : weir__text("NULL");
}

static void put_drop(const weir_migration *what, weir_bytes time, weir_migration_message *out)
{
    v2_drop_operation *drop = &out->operation.drop;

    out->details.which_operation = V2_MIGRATION_DETAILS_DROP;
    out->details.operation.drop = drop;
    if (what->kind == WEIR_MIGRATE_DROP_TABLE) {
        drop->which_entity = V2_DROP_OPERATION_DROP_TABLE;
        drop->entity.drop_table = true;
    } else {
        out->entity.drop_column = (v2_drop_column_in_history_mode){
            .column = weir__text(what->as.column.name), .operation_timestamp = time
        };
        drop->which_entity = V2_DROP_OPERATION_DROP_COLUMN_IN_HISTORY_MODE;
        drop->entity.drop_column_in_history_mode = &out->entity.drop_column;
    }
}

static void put_copy(const weir_migration *what, weir_migration_message *out)
{
    weir_bytes from = weir__text(what->as.names.from);
    weir_bytes to = weir__text(what->as.names.to);
    v2_copy_operation *copy = &out->operation.copy;

    out->details.which_operation = V2_MIGRATION_DETAILS_COPY;
    out->details.operation.copy = copy;
    if (what->kind == WEIR_MIGRATE_COPY_TABLE) {
        out->entity.copy_table = (v2_copy_table){ .from_table = from, .to_table = to };
        copy->which_entity = V2_COPY_OPERATION_COPY_TABLE;
        copy->entity.copy_table = &out->entity.copy_table;
    } else if (what->kind == WEIR_MIGRATE_COPY_COLUMN) {
        out->entity.copy_column = (v2_copy_column){ .from_column = from, .to_column = to };
        copy->which_entity = V2_COPY_OPERATION_COPY_COLUMN;
        copy->entity.copy_column = &out->entity.copy_column;
    } else {
        out->entity.copy_history = (v2_copy_table_to_history_mode){
            .from_table = from,
            .to_table = to,
            .soft_deleted_column = weir__text(what->as.names.deleted_column),
        };
        copy->which_entity = V2_COPY_OPERATION_COPY_TABLE_TO_HISTORY_MODE;
        copy->entity.copy_table_to_history_mode = &out->entity.copy_history;
    }
}

static void put_rename(const weir_migration *what, weir_migration_message *out)
{
    weir_bytes from = weir__text(what->as.names.from);
    weir_bytes to = weir__text(what->as.names.to);
    v2_rename_operation *change = &out->operation.rename;

    out->details.which_operation = V2_MIGRATION_DETAILS_RENAME;
    out->details.operation.rename = change;
    if (what->kind == WEIR_MIGRATE_RENAME_TABLE) {
        out->entity.rename_table = (v2_rename_table){ .from_table = from, .to_table = to };
        change->which_entity = V2_RENAME_OPERATION_RENAME_TABLE;
        change->entity.rename_table = &out->entity.rename_table;
    } else {
        out->entity.rename_column = (v2_rename_column){ .from_column = from, .to_column = to };
        change->which_entity = V2_RENAME_OPERATION_RENAME_COLUMN;
        change->entity.rename_column = &out->entity.rename_column;
    }
}

static void put_add(const weir_migration *what, weir_bytes time, weir_migration_message *out)
{
    const weir_migration_column *column = &what->as.column;
    v2_add_operation *add = &out->operation.add;

    out->details.which_operation = V2_MIGRATION_DETAILS_ADD;
    out->details.operation.add = add;
    if (what->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY) {
        out->entity.add_history = (v2_add_column_in_history_mode){ .column = weir__text(column->name),
                                                                   .column_type = (int32_t)column->type,
                                                                   .default_value = value_of(column),
                                                                   .operation_timestamp = time };
        add->which_entity = V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE;
        add->entity.add_column_in_history_mode = &out->entity.add_history;
    } else {
        out->entity.add_default = (v2_add_column_with_default_value){ .column = weir__text(column->name),
                                                                      .column_type = (int32_t)column->type,
                                                                      .default_value = value_of(column) };
        add->which_entity = V2_ADD_OPERATION_ADD_COLUMN_WITH_DEFAULT_VALUE;
        add->entity.add_column_with_default_value = &out->entity.add_default;
    }
}

static void put_update(const weir_migration *what, weir_migration_message *out)
{
    out->operation.update = (v2_update_column_value_operation){ .column = weir__text(what->as.column.name),
                                                                .value = value_of(&what->as.column) };
    out->details.which_operation = V2_MIGRATION_DETAILS_UPDATE_COLUMN_VALUE;
    out->details.operation.update_column_value = &out->operation.update;
}

/* R-MIG-05: the type is always set. */
static void put_mode(const weir_migration *what, weir_migration_message *out)
{
    const weir_migration_mode *mode = &what->as.mode;

    out->operation.mode = (v2_table_sync_mode_migration_operation){
        .type = what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY
                    ? V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_HISTORY
                    : V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_SOFT_DELETE,
        .has_soft_deleted_column = mode->deleted_column != NULL,
        .soft_deleted_column = weir__text(mode->deleted_column),
        .has_keep_deleted_rows = mode->keep_deleted_rows,
        .keep_deleted_rows = mode->keep_deleted_rows,
    };
    out->details.which_operation = V2_MIGRATION_DETAILS_TABLE_SYNC_MODE_MIGRATION;
    out->details.operation.table_sync_mode_migration = &out->operation.mode;
}

static weir_bytes time_of(const weir_migration *what, weir_migration_message *out)
{
    return (weir_bytes){ out->time, weir_time_format(WEIR_UTC_DATETIME, what->as.column.time, out->time) };
}

const v2_migration_details *weir__migration_to_wire(const weir_migration *what, weir_migration_message *out)
{
    *out = (weir_migration_message){ .details = { .schema = weir__text(what->schema),
                                                  .table = weir__text(what->table) } };
    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
        put_drop(what, (weir_bytes){ 0 }, out);
        break;
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
        put_drop(what, time_of(what, out), out);
        break;
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
        put_copy(what, out);
        break;
    case WEIR_MIGRATE_RENAME_TABLE:
    case WEIR_MIGRATE_RENAME_COLUMN:
        put_rename(what, out);
        break;
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
        put_add(what, time_of(what, out), out);
        break;
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
        put_add(what, (weir_bytes){ 0 }, out);
        break;
    case WEIR_MIGRATE_UPDATE_COLUMN:
        put_update(what, out);
        break;
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        put_mode(what, out);
        break;
    }
    return &out->details;
}
