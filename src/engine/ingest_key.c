/*
 * engine/ingest_key: a table's key changes (R-ENG-24).
 *
 * From a declaration on, rows are told apart by its key, and the rows that are there must be, too. So before
 * anything else happens to the table it gets its new shape, in a request of its own:
 *
 *     declaration ─► (sealed, committed) ─► first row, truncate or end of the stream ─► AlterTable ─► rows
 *
 * Rows that have no values in a column of the new key can stay only when all rows come again and those are
 * marked deleted. A row is never written under another key than the one that it was sent under: a key may
 * change in the stream only when the last checkpoint covers all rows before it, for they would come again
 * after a crash.
 */
#include "base/limits.h"
#include "engine/ingest_internal.h"

/* Shown in full only for keys of names that people can read. */
static weir_status warn(ingest *in, engine_table *table, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    const char *key = engine_table_key(in->options.tables, table);
    const char *text = NULL;

    if (key != NULL)
        text = weir__arena_printf(catalog_arena(in->options.tables),
                                  "table '%s': its key is %s now and was %s; the destination is asked to "
                                  "change it",
                                  engine_table_path(table, path), key, table->key_before);
    if (text == NULL)
        return weir__error_memory(err, "changing a key");
    in->port->warn(in->port->context, weir__text(text));
    return WEIR_OK;
}

static weir_status refuse(ingest *in, const engine_table *table, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    const char *key = engine_table_key(in->options.tables, table);

    if (key == NULL)
        return weir__error_memory(err, "changing a key");
    return weir__error_as(err, WEIR_TASK,
                          "table '%s': its key is %s now and was %s, and the rows at the destination have no "
                          "values in all of its columns. " CATALOG_KEY_ADVICE,
                          engine_table_path(table, path), key, table->key_before);
}

weir_status ingest_key_settle(ingest *in, engine_table *table, weir_error *err)
{
    weir_status status;

    if (!table->rekeyed || table->key_untyped > 0)
        return WEIR_OK;
    /* Versions are never marked deleted: without their key they would stay active for good. */
    if (table->unkeyed && (table->history || !table->restarts))
        return refuse(in, table, err);
    status = warn(in, table, err);
    table->rekeyed = false;
    table->unkeyed = false;
    return status == WEIR_OK ? ingest_send_shape(in, table, err) : status;
}

weir_status ingest_key_change(ingest *in, engine_table *table, weir_error *err)
{
    const ingest_table *entry = ingest_table_of(in, table);
    char path[ENGINE_PATH_SIZE];
    weir_status status;

    if (entry == NULL)
        return weir__error_memory(err, "meeting a table");
    if (entry->rows_after == in->totals.checkpoints + 1)
        return weir__error(err,
                           "table '%s': the source changed its key after rows that no checkpoint covers; "
                           "a checkpoint must come before the change",
                           engine_table_path(table, path));
    status = ingest_catch_up(in, err);
    if (status == WEIR_OK)
        status = ingest_settle(in, err);
    if (status == WEIR_OK)
        status = ingest_seal(in, table, err);
    if (status == WEIR_OK && table->history)
        status = ingest_history_part(in, err);
    return status;
}
