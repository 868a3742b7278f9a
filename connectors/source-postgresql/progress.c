/*
 * source-postgresql/progress: the state of a table, one line of text under "tables" in the state, where the
 * engine finds it to have one table read again.
 *
 *   copy columns=HEX parts=HEX xid=N part=N page=N
 *   copy columns=HEX parts=HEX xid=N part=N page=N seen=SNAPSHOT          (change data capture)
 *   done columns=HEX
 *   done columns=HEX at=POSITION          (the rest of the line)
 *
 * A line that does not parse, or whose fingerprint of the columns differs from today's, counts as no
 * progress: the table is read again, which is always right.
 *
 * States of earlier versions have the line under the table's quoted path, beside "/lsn" and "/system".
 */
#include <inttypes.h>
#include <stdio.h>

#include "source.h"

#define LINE "progress"
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

/* With the NUL, so that "ab","c" differs from "a","bc". */
static uint64_t mix_text(uint64_t hash, const char *piece)
{
    return mix(hash, piece, strlen(piece) + 1);
}

uint64_t progress_columns(const source_table *table)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];

        if (!column->selected)
            continue;
        hash = mix_text(hash, column->name);
        hash = mix(hash, &column->type_oid, sizeof column->type_oid);
        hash = mix(hash, &column->weir, sizeof column->weir);
        hash = mix(hash, &column->key, sizeof column->key);
        if (table->capturable)
            hash = mix(hash, &column->number, sizeof column->number);
    }
    return mix_text(hash, table->cursor ? table->cursor->name : "");
}

uint64_t progress_parts(const source_part *parts, size_t count)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < count; i++) {
        hash = mix(hash, &parts[i].oid, sizeof parts[i].oid);
        hash = mix(hash, &parts[i].file, sizeof parts[i].file);
    }
    return hash;
}

const char *progress_line(sync_run *run, const source_table *table)
{
    return weir_table_state_string(run->out, &table->table, LINE, "");
}

void progress_set_line(sync_run *run, const source_table *table, const char *line)
{
    weir_table_state_set_string(run->out, &table->table, LINE, line);
}

void progress_forget(sync_run *run, const source_table *table)
{
    weir_table_state_clear(run->out, &table->table);
}

void progress_adopt(sync_run *run, const source_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const source_table *table = &catalog->tables[i];
        text key = text_new(run->call);
        const char *line;

        text_path(&key, table->schema, table->name);
        line = weir_state_string(run->out, key.data, NULL);
        if (line != NULL && *progress_line(run, table) == '\0')
            progress_set_line(run, table, line);
        weir_state_remove(run->out, key.data);
    }
}

progress progress_load(sync_run *run, const source_table *table)
{
    const char *line = progress_line(run, table);
    progress value = { 0 };
    progress none = { .columns = progress_columns(table) };
    int end = 0;

    if (sscanf(line,
               "copy columns=%" SCNx64 " parts=%" SCNx64 " xid=%" SCNu64 " part=%" SCNd64 " page=%" SCNd64
               "%n",
               &value.columns, &value.parts, &value.transaction, &value.part, &value.page, &end) == 5 &&
        end > 0)
        value.kind = PROGRESS_SNAPSHOT;
    else if (sscanf(line, "done columns=%" SCNx64 "%n", &value.columns, &end) == 1 && end > 0)
        value.kind = PROGRESS_DONE;
    if (value.kind == PROGRESS_NONE || value.columns != none.columns || value.part < 0 || value.page < 0)
        return none;
    if (value.kind == PROGRESS_DONE && strncmp(line + end, " at=", 4) == 0)
        value.position = weir_copy(run->call, line + end + 4, strlen(line + end + 4));
    if (value.kind == PROGRESS_SNAPSHOT && strncmp(line + end, " seen=", 6) == 0)
        value.seen = weir_copy(run->call, line + end + 6, strlen(line + end + 6));
    return value;
}

void progress_save(sync_run *run, const source_table *table, const progress *value)
{
    char line[256];
    const char *state = line;

    if (value->kind == PROGRESS_SNAPSHOT) {
        (void)snprintf(line, sizeof line,
                       "copy columns=%" PRIx64 " parts=%" PRIx64 " xid=%" PRIu64 " part=%" PRId64
                       " page=%" PRId64,
                       value->columns, value->parts, value->transaction, value->part, value->page);
        if (value->seen != NULL)
            state = weir_printf(run->call, "%s seen=%s", line, value->seen);
    } else if (value->position == NULL) {
        (void)snprintf(line, sizeof line, "done columns=%" PRIx64, value->columns);
    } else {
        state = weir_printf(run->call, "done columns=%" PRIx64 " at=%s", value->columns, value->position);
    }
    progress_set_line(run, table, state);
}
