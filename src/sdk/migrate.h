/*
 * sdk/migrate: the operations of Migrate, from the wire's nested messages to the flat public struct and back.
 */
#ifndef WEIR_SDK_MIGRATE_H
#define WEIR_SDK_MIGRATE_H

#include <weir/destination.h>

#include "base/arena.h"
#include "base/error.h"
#include "wire/v2.h"

/*
 * Checks and flattens one migration; everything in *out is in `arena`. WEIR_UNSUPPORTED: from or to live mode
 * (R-MIG-05), or an operation that this version does not know. WEIR_FAILED: a name is missing or bad, a
 * timestamp is none.
 */
weir_status weir__migration_from_wire(const v2_migration_details *details, weir_arena *arena,
                                      weir_migration *out, weir_error *err) WEIR_CHECKED;
/* `from` and `to` are tables, so that `table` says nothing more. */
bool weir__migration_names_tables(weir_migration_kind kind);

/* A MigrationDetails and all that it points to, but for the texts; not to be moved. */
typedef struct weir_migration_message {
    v2_migration_details details;
    union {
        v2_drop_operation drop;
        v2_copy_operation copy;
        v2_rename_operation rename;
        v2_add_operation add;
        v2_update_column_value_operation update;
        v2_table_sync_mode_migration_operation mode;
    } operation;
    union {
        v2_drop_column_in_history_mode drop_column;
        v2_copy_table copy_table;
        v2_copy_column copy_column;
        v2_copy_table_to_history_mode copy_history;
        v2_rename_table rename_table;
        v2_rename_column rename_column;
        v2_add_column_in_history_mode add_history;
        v2_add_column_with_default_value add_default;
    } entity;
    char time[36];
} weir_migration_message;

/*
 * The other way: fills *out and returns its `details`. Texts are borrowed from `what`, which nobody checks:
 * a NULL text goes out empty, an unknown kind as no operation.
 */
const v2_migration_details *weir__migration_to_wire(const weir_migration *what, weir_migration_message *out);

#endif
