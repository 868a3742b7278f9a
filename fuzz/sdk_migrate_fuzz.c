/*
 * A Migrate request of any bytes. Attacks: a migration given to a handler with a name missing, a kind outside
 * the enum or a time that is none; live mode that reaches a handler (R-MIG-05).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sdk/call.h"
#include "sdk/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_column(weir_call *call, const weir_migration_column *column)
{
    const weir_column target = { .name = column->name, .type = column->type };
    weir_cell cell;

    must(column->name[0] != '\0' && column->type >= 0 && column->type < WEIR_TYPE_COUNT);
    must(column->value.data == NULL || column->value.data[column->value.size] == '\0');
    must(column->time.nanos >= 0 && column->time.nanos <= 999999999);
    must(column->time.seconds >= WEIR_TIME_SECONDS_MIN && column->time.seconds <= WEIR_TIME_SECONDS_MAX);
    if (weir_cell_from_text(call, &target, column->value, &cell) == WEIR_OK)
        must(cell.presence == WEIR_NULL || cell.presence == WEIR_VALUE);
    else
        must(call->text_size > 0);
}

static weir_status look(weir_call *call, void *context)
{
    const weir_migration *what = context;

    must(what->kind >= WEIR_MIGRATE_DROP_TABLE && what->kind <= WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE);
    must(what->schema != NULL && what->table != NULL);
    switch (what->kind) {
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
    case WEIR_MIGRATE_RENAME_TABLE:
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_RENAME_COLUMN:
        must(what->as.names.from[0] != '\0' && what->as.names.to[0] != '\0');
        break;
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
    case WEIR_MIGRATE_UPDATE_COLUMN:
        check_column(call, &what->as.column);
        break;
    default:
        must(what->table[0] != '\0');
    }
    return WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    v2_migrate_request request = { 0 };
    weir_bytes bytes = { (const char *)data, size };
    weir_migration what;
    weir_error err = { 0 };
    weir_call call;

    must(weir__call_init(&call, NULL));
    if (weir__codec_decode(&weir__v2_migrate_request, bytes, call.arena, &request, NULL) == WEIR_OK) {
        weir_status status = weir__migration_from_wire(request.details, call.arena, &what, &err);

        must(status == WEIR_OK || err.text[0] != '\0');
        if (status == WEIR_OK)
            weir__call_run(&call, "fuzz", 0, look, &what);
    }
    weir__call_clear(&call);
    return 0;
}
