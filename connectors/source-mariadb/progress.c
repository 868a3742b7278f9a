/*
 * source-mariadb/progress: what the state keeps for a table.
 *
 *   columns  fingerprint of what is read and how: another one makes the table start over
 *   phase    rows, done or follow
 *   row, cursor, at, floor   positions
 *
 * A position is one value, or several of a key with commas between: n and a number · d and a date or time ·
 * t and the UTF-8 of a text, b and bytes, both in hexadecimal digits. The state comes from outside: a value
 * goes into a statement only when every character is one of its kind.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "source.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define SECONDS_PER_DAY 86400

static const char *const phases[] = { "", "rows", "done", "follow" };
static const char marks[] = {
    [POSITION_NUMBER] = 'n', [POSITION_TIME] = 'd', [POSITION_TEXT] = 't', [POSITION_BYTES] = 'b'
};
static const char *const allowed[] = { [POSITION_NUMBER] = "0123456789+-.e",
                                       [POSITION_TIME] = "0123456789-: .",
                                       [POSITION_TEXT] = "0123456789abcdef",
                                       [POSITION_BYTES] = "0123456789abcdef" };

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static const char *fingerprint(weir_call *call, const source_table *table)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];

        if (!column->selected)
            continue;
        hash = mix(hash, column->name, strlen(column->name) + 1);
        hash = mix(hash, column->declared, strlen(column->declared) + 1);
        hash = mix(hash, &column->weir, sizeof column->weir);
        hash = mix(hash, &column->params, sizeof column->params);
        hash = mix(hash, &column->key_place, sizeof column->key_place);
    }
    if (table->cursor != NULL)
        hash = mix(hash, table->cursor->name, strlen(table->cursor->name));
    return weir_printf(call, "%016" PRIx64, hash);
}

/* A text of the state, kept for the sync: the state's own goes when the key is set. */
static const char *kept_text(sync_run *run, const weir_table *shape, const char *key)
{
    const char *value = weir_table_state_string(run->out, shape, key, NULL);

    return value ? weir_copy(run->call, value, strlen(value)) : NULL;
}

progress progress_load(sync_run *run, const source_table *table)
{
    const weir_table *shape = &table->shape;
    progress value = { 0 };
    const char *phase = weir_table_state_string(run->out, shape, "phase", "");

    if (strcmp(weir_table_state_string(run->out, shape, "columns", ""), fingerprint(run->call, table)) != 0)
        return value;
    for (size_t i = 1; i < sizeof phases / sizeof *phases; i++) {
        if (strcmp(phase, phases[i]) == 0)
            value.phase = (progress_phase)i;
    }
    if (value.phase == PHASE_NONE)
        return value;
    value.row = kept_text(run, shape, "row");
    value.cursor = kept_text(run, shape, "cursor");
    value.at = kept_text(run, shape, "at");
    value.floor = kept_text(run, shape, "floor");
    return value;
}

void progress_save(sync_run *run, const source_table *table, const progress *value)
{
    const weir_table *shape = &table->shape;

    weir_table_state_set_string(run->out, shape, "columns", fingerprint(run->call, table));
    weir_table_state_set_string(run->out, shape, "phase", phases[value->phase]);
    weir_table_state_set_string(run->out, shape, "row", value->row);
    weir_table_state_set_string(run->out, shape, "cursor", value->cursor);
    weir_table_state_set_string(run->out, shape, "at", value->at);
    weir_table_state_set_string(run->out, shape, "floor", value->floor);
}

/* --- positions --- */

void position_put(text *out, const source_column *column, const char *data, size_t size)
{
    text_printf(out, "%s%c", out->size > 0 ? "," : "", marks[column->position]);
    if (column->position == POSITION_NUMBER || column->position == POSITION_TIME) {
        text_printf(out, "%.*s", (int)size, data);
        return;
    }
    for (size_t i = 0; i < size; i++)
        text_printf(out, "%02x", (unsigned char)data[i]);
}

/* The characters of one value, without its mark; NULL when it is no value of the column. */
static const char *value_at(weir_call *call, const source_column *column, const char *position, size_t index)
{
    const char *at = position;
    const char *value;
    size_t size;

    for (; index > 0; index--) {
        at += strcspn(at, ",");
        if (*at++ != ',')
            return NULL;
    }
    if (column->position == POSITION_NONE || *at != marks[column->position])
        return NULL;
    size = strcspn(at + 1, ",");
    value = weir_copy(call, at + 1, size);
    if (strspn(value, allowed[column->position]) != size || (size == 0 && column->position <= POSITION_TIME))
        return NULL;
    return value;
}

bool position_literal(text *sql, const source_column *column, const char *position, size_t index)
{
    const char *value = value_at(sql->call, column, position, index);

    if (value == NULL)
        return false;
    switch (column->position) {
    case POSITION_NUMBER:
        text_put(sql, value);
        return true;
    case POSITION_TIME:
        text_value(sql, value);
        return true;
    case POSITION_TEXT:
        text_printf(sql, "_utf8mb4 X'%s'", value);
        return true;
    default:
        text_printf(sql, "X'%s'", value);
        return true;
    }
}

/* An integer, not a difference of two: so an index serves. Not below the least of the type. */
static void put_integer_before(text *sql, const char *value, int64_t values)
{
    if (value[0] == '-') {
        int64_t number = strtoll(value, NULL, 10);

        text_printf(sql, "%" PRId64, number < INT64_MIN + values ? INT64_MIN : number - values);
    } else {
        uint64_t number = strtoull(value, NULL, 10);

        if (number >= (uint64_t)values)
            text_printf(sql, "%" PRIu64, number - (uint64_t)values);
        else
            text_printf(sql, "%" PRId64, (int64_t)number - values);
    }
}

bool position_overlap(text *sql, const struct options *options, const source_column *column,
                      const char *position)
{
    const char *value = value_at(sql->call, column, position, 0);
    int64_t seconds = options->overlap_seconds;
    int64_t values = options->overlap_values;

    if (value == NULL)
        return false;
    if (column->position == POSITION_NUMBER && strcmp(column->declared, "decimal") != 0 &&
        strcmp(column->declared, "double") != 0) {
        put_integer_before(sql, value, values);
        return true;
    }
    if (column->position == POSITION_NUMBER) {
        text_printf(sql, "%s - %" PRId64, value, values);
        return true;
    }
    if (column->position != POSITION_TIME)
        return position_literal(sql, column, position, 0);
    if (column->weir == WEIR_NAIVE_DATE)
        text_printf(sql, "COALESCE(CAST('%s' AS DATE) - INTERVAL %" PRId64 " DAY, '%s')", value,
                    (seconds + SECONDS_PER_DAY - 1) / SECONDS_PER_DAY, value);
    else
        text_printf(sql, "COALESCE(CAST('%s' AS DATETIME(6)) - INTERVAL %" PRId64 " SECOND, '%s')", value,
                    seconds, value);
    return true;
}
