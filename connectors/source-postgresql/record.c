/*
 * source-postgresql/record: the state of a table whose changes are followed, as one line of text, as in
 * progress.c:
 *
 *   follow oid=N last=N columns=NUMBER:HASH,… seen=SNAPSHOT
 *
 * `columns` are the ones that were read, by attnum, which is never given twice in a table: so a renamed or
 * changed column is told from one that was dropped and added. `last` is the greatest attnum there was: a
 * column above it is new, one below it was not chosen. `seen` is "-" once the stream has passed the snapshot.
 * A line that does not parse counts as no progress: the table is read again, which is always right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"

#define FNV_OFFSET UINT32_C(0x811c9dc5)
#define FNV_PRIME UINT32_C(0x01000193)

static uint32_t mix(uint32_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static uint32_t column_hash(const source_column *column)
{
    uint32_t hash = mix(FNV_OFFSET, column->name, strlen(column->name) + 1);

    hash = mix(hash, &column->declared, sizeof column->declared);
    hash = mix(hash, &column->weir, sizeof column->weir);
    hash = mix(hash, &column->params.precision, sizeof column->params.precision);
    hash = mix(hash, &column->params.scale, sizeof column->params.scale);
    return mix(hash, &column->key, sizeof column->key);
}

static source_column *by_number(const source_table *table, long number)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].number == number)
            return &table->columns[i];
    }
    return NULL;
}

/*
 * The columns of the line against today's. A column that is gone makes no difference; one that changed, was
 * chosen since, or came with values, does. `known` has a flag per column, false at first.
 */
static record_kind compare(const source_table *table, const char *list, int last, bool *known)
{
    record_kind kind = RECORD_SAME;

    while (*list != '\0' && *list != ' ') {
        char *end;
        long number = strtol(list, &end, 10);
        source_column *column = by_number(table, number);
        uint32_t hash;

        if (*end != ':')
            return RECORD_NONE;
        hash = (uint32_t)strtoul(end + 1, &end, 16);
        if (column != NULL && column_hash(column) != hash)
            return RECORD_NONE;
        if (column == NULL || !column->selected)
            kind = RECORD_GREW;
        else
            known[column - table->columns] = true;
        list = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != ' ')
            return RECORD_NONE;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];

        if (known[i] || !column->selected)
            continue;
        if (column->number <= last || column->filled || column->key)
            return RECORD_NONE;
        kind = RECORD_GREW;
    }
    return kind;
}

record_kind record_load(sync_run *run, const source_table *table, const char **seen)
{
    const char *line = progress_line(run, table);
    const char *mark = strstr(line, " seen=");
    record_kind kind;
    uint32_t oid;
    int last, end = 0;
    bool *known;

    if (mark == NULL || sscanf(line, "follow oid=%" SCNu32 " last=%d columns=%n", &oid, &last, &end) != 2 ||
        end == 0 || oid != table->oid)
        return RECORD_NONE;
    known = weir_alloc(run->call, table->column_count + 1);
    kind = compare(table, line + end, last, known);
    mark += strlen(" seen=");
    *seen = strcmp(mark, "-") == 0 ? NULL : weir_copy(run->call, mark, strlen(mark));
    return kind;
}

void record_save(sync_run *run, const source_table *table, const char *seen)
{
    text line = text_new(run->call);
    const char *comma = "";
    int last = 0;

    for (size_t i = 0; i < table->column_count; i++)
        last = table->columns[i].number > last ? table->columns[i].number : last;
    text_printf(&line, "follow oid=%" PRIu32 " last=%d columns=", table->oid, last);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].selected)
            continue;
        text_printf(&line, "%s%d:%" PRIx32, comma, table->columns[i].number, column_hash(&table->columns[i]));
        comma = ",";
    }
    text_printf(&line, " seen=%s", seen ? seen : "-");
    progress_set_line(run, table, line.data);
}

/* --- snapshots --- */

bool record_seen(weir_call *call, const char *seen, capture_seen *out)
{
    capture_seen value = { 0 };
    const char *at = seen;
    size_t commas = 1;
    char *end;

    value.least = strtoull(at, &end, 10);
    if (end == at || *end != ':')
        return false;
    at = end + 1;
    value.end = strtoull(at, &end, 10);
    if (end == at || *end != ':' || value.least == 0 || value.end < value.least)
        return false;
    at = end + 1;
    for (const char *next = at; *next != '\0'; next++)
        commas += *next == ',';
    value.running = weir_alloc(call, commas * sizeof *value.running);
    while (*at != '\0') {
        value.running[value.running_count++] = strtoull(at, &end, 10);
        if (end == at || (*end != ',' && *end != '\0'))
            return false;
        at = *end == ',' ? end + 1 : end;
    }
    *out = value;
    return true;
}

bool record_sees(const capture_seen *seen, uint32_t xid)
{
    /* The 64-bit id nearest to the snapshot's: ids that are in use at one time lie within 2^31. */
    uint64_t full = seen->end + (uint64_t)(int64_t)(int32_t)(xid - (uint32_t)seen->end);

    if (full < seen->least)
        return true;
    if (full >= seen->end)
        return false;
    for (size_t i = 0; i < seen->running_count; i++) {
        if (seen->running[i] == full)
            return false;
    }
    return true;
}
