/*
 * source-sqlite/progress: what the state keeps for a table.
 *
 *   columns  fingerprint of what is read and how: another one makes the table start over
 *   phase    rows, done or follow
 *   kinds    what was found in the columns, a hexadecimal number each
 *   version  of the schema
 *   row, cursor, floor   positions
 *
 * A position is one value, or several of a key with commas between: a letter for SQLite's storage class, then
 * i decimal digits · r a hexadecimal float · t, b hexadecimal bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "source.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define SECONDS_PER_DAY 86400

static const char *const phases[] = { "", "rows", "done", "follow" };

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static const char *fingerprint(weir_call *call, const source_table *table)
{
    uint64_t hash = mix(FNV_OFFSET, &table->way, sizeof table->way);

    hash = mix(hash, &table->stable, sizeof table->stable);
    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];

        if (!column->selected)
            continue;
        hash = mix(hash, column->name, strlen(column->name) + 1);
        hash = mix(hash, &column->want, sizeof column->want);
        hash = mix(hash, &column->key_place, sizeof column->key_place);
    }
    if (table->cursor != NULL)
        hash = mix(hash, table->cursor->name, strlen(table->cursor->name));
    return weir_printf(call, "%016" PRIx64, hash);
}

/* A list of numbers, one for each column that is read. */
static const char *kinds_text(weir_call *call, const source_table *table)
{
    text list = text_new(call);

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].selected)
            text_printf(&list, "%s%x", list.size > 0 ? "," : "", table->columns[i].kinds);
    }
    return list.data;
}

static void take_kinds(source_table *table, const char *list)
{
    for (size_t i = 0; i < table->column_count && *list != '\0'; i++) {
        char *end;

        if (!table->columns[i].selected)
            continue;
        table->columns[i].kinds |= (unsigned)strtoul(list, &end, 16);
        list = *end == ',' ? end + 1 : end;
    }
}

/* A text of the state, kept for the sync: the state's own goes when the key is set. */
static const char *kept_text(sync_run *run, const weir_table *shape, const char *key)
{
    const char *value = weir_table_state_string(run->out, shape, key, NULL);

    return value ? weir_copy(run->call, value, strlen(value)) : NULL;
}

progress progress_load(sync_run *run, source_table *table)
{
    const weir_table *shape = &table->shape;
    progress value = { 0 };
    const char *columns = weir_table_state_string(run->out, shape, "columns", "");
    const char *phase = weir_table_state_string(run->out, shape, "phase", "");

    if (strcmp(columns, fingerprint(run->call, table)) != 0)
        return value;
    for (size_t i = 1; i < sizeof phases / sizeof *phases; i++) {
        if (strcmp(phase, phases[i]) == 0)
            value.phase = (progress_phase)i;
    }
    if (value.phase == PHASE_NONE)
        return value;
    value.version = weir_table_state_long(run->out, shape, "version", 0);
    value.row = kept_text(run, shape, "row");
    value.cursor = kept_text(run, shape, "cursor");
    value.floor = kept_text(run, shape, "floor");
    take_kinds(table, weir_table_state_string(run->out, shape, "kinds", ""));
    return value;
}

void progress_save(sync_run *run, const source_table *table, const progress *value)
{
    const weir_table *shape = &table->shape;

    weir_table_state_set_string(run->out, shape, "columns", fingerprint(run->call, table));
    weir_table_state_set_string(run->out, shape, "phase", phases[value->phase]);
    weir_table_state_set_string(run->out, shape, "kinds", kinds_text(run->call, table));
    weir_table_state_set_long(run->out, shape, "version", value->version);
    weir_table_state_set_string(run->out, shape, "row", value->row);
    weir_table_state_set_string(run->out, shape, "cursor", value->cursor);
    weir_table_state_set_string(run->out, shape, "floor", value->floor);
}

/* --- positions --- */

static void put_hex(text *out, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text_printf(out, "%02x", data[i]);
}

const char *progress_position(weir_call *call, sqlite3_stmt *row, int first, int count)
{
    text out = text_new(call);

    for (int i = first; i < first + count; i++) {
        text_put(&out, i > first ? "," : "");
        switch (sqlite3_column_type(row, i)) {
        case SQLITE_INTEGER:
            text_printf(&out, "i%lld", (long long)sqlite3_column_int64(row, i));
            break;
        case SQLITE_FLOAT:
            text_printf(&out, "r%a", sqlite3_column_double(row, i));
            break;
        case SQLITE_TEXT:
            text_put(&out, "t");
            put_hex(&out, sqlite3_column_text(row, i), (size_t)sqlite3_column_bytes(row, i));
            break;
        case SQLITE_BLOB:
            text_put(&out, "b");
            put_hex(&out, sqlite3_column_blob(row, i), (size_t)sqlite3_column_bytes(row, i));
            break;
        default:
            text_put(&out, "n");
        }
    }
    return out.data;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes hexadecimal bytes up to the end of the value; the memory is SQLite's. NULL when they are none. */
static char *decode(const char *at, size_t size)
{
    char *data = sqlite3_malloc64(size / 2 + 1);

    for (size_t i = 0; data != NULL && i < size / 2; i++) {
        int high = digit_of(at[2 * i]), low = digit_of(at[2 * i + 1]);

        if (high < 0 || low < 0) {
            sqlite3_free(data);
            return NULL;
        }
        data[i] = (char)(high * 16 + low);
    }
    return data;
}

bool progress_bind(sqlite3_stmt *statement, int first, const char *position, int count)
{
    const char *at = position;

    for (int i = first; i < first + count; i++) {
        size_t size = strcspn(at, ",");
        char *data;
        int result = SQLITE_ERROR;

        if (*at == 'i') {
            result = sqlite3_bind_int64(statement, i, strtoll(at + 1, NULL, 10));
        } else if (*at == 'r') {
            result = sqlite3_bind_double(statement, i, strtod(at + 1, NULL));
        } else if (*at == 't' || *at == 'b') {
            data = decode(at + 1, size - 1);
            if (data != NULL && *at == 't')
                result = sqlite3_bind_text(statement, i, data, (int)((size - 1) / 2), sqlite3_free);
            else if (data != NULL)
                result = sqlite3_bind_blob(statement, i, data, (int)((size - 1) / 2), sqlite3_free);
        }
        if (result != SQLITE_OK)
            return false;
        at += size + (at[size] == ',');
    }
    return *at == '\0';
}

/* A date as text, moved down; NULL when it is none that can be moved. */
static const char *text_before(weir_call *call, const char *position, int64_t seconds)
{
    size_t size = strlen(position + 1);
    char *data = decode(position + 1, size);
    size_t length = size / 2;
    weir_time time;
    char shown[36];
    text out = { 0 };

    if (data == NULL)
        return NULL;
    if (weir_time_parse(WEIR_NAIVE_DATE, data, length, &time)) {
        time.seconds -= (seconds + SECONDS_PER_DAY - 1) / SECONDS_PER_DAY * SECONDS_PER_DAY;
        length = weir_time_format(WEIR_NAIVE_DATE, time, shown);
    } else if (weir_time_parse(WEIR_NAIVE_DATETIME, data, length, &time) ||
               weir_time_parse(WEIR_NAIVE_DATETIME, data, length > 19 ? 19 : length, &time)) {
        time.seconds -= seconds;
        time.nanos = 0;
        length = weir_time_format(WEIR_NAIVE_DATETIME, time, shown);
        if (length > 10)
            shown[10] = data[10]; /* T or a space, as the column has it: texts compare byte by byte */
    } else {
        length = 0;
    }
    sqlite3_free(data);
    if (length == 0)
        return NULL;
    out = text_new(call);
    text_put(&out, "t");
    put_hex(&out, (const unsigned char *)shown, length);
    return out.data;
}

const char *progress_overlap(weir_call *call, const struct options *options, const char *position)
{
    int64_t values = options->overlap_values;
    const char *moved = NULL;

    if (position == NULL)
        return NULL;
    if (*position == 'i') {
        int64_t value = strtoll(position + 1, NULL, 10);

        moved = weir_printf(call, "i%" PRId64, value < INT64_MIN + values ? INT64_MIN : value - values);
    } else if (*position == 'r') {
        moved = weir_printf(call, "r%a", strtod(position + 1, NULL) - (double)values);
    } else if (*position == 't') {
        moved = text_before(call, position, options->overlap_seconds);
    }
    return moved ? moved : position;
}
