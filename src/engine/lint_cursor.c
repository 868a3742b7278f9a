/*
 * engine/lint_cursor: see lint_cursor.h.
 *
 * A look: the state's leaves are read; what has come since the last look is counted for the leaves of then;
 * then each column finds the leaf that is its largest value, or the nearest one beyond it.
 */
#include "engine/lint_cursor.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "data/text.h"
#include "data/type.h"

#define PATH_SIZE 160
#define NAME_SHOWN ((size_t)80)
#define LEAF_TEXT_MAX ((size_t)40)
#define TOLD_MAX 16
#define DAY INT64_C(86400)

typedef struct leaf {
    uint64_t path; /* a hash, as is `parent`: of the object that it is in */
    uint64_t parent;
    lint_value value;
    bool time;
    bool moved; /* it was there at the last look, with another value, and is no clock */
    bool owned; /* it is the largest value of a column */
} leaf;

typedef struct leaves {
    leaf items[WEIR_LINT_LEAVES];
    size_t count;
} leaves;

struct lint_cursor {
    lint_watched *tables[WEIR_LINT_TABLES];
    size_t table_count;
    size_t watches; /* of all tables */
    bool integers;  /* leaves of that kind have come */
    bool times;
    uint64_t credit; /* bytes that may be read */
    leaves states[2];
    leaves *now;
    leaves *was;
    uint64_t told[TOLD_MAX]; /* paths */
    size_t told_count;
};

lint_cursor *lint_cursor_new(void)
{
    lint_cursor *lint = weir__calloc(1, sizeof *lint);

    if (lint == NULL)
        return NULL;
    lint->now = &lint->states[0];
    lint->was = &lint->states[1];
    lint->credit = WEIR_LINT_STATE_READ;
    return lint;
}

void lint_cursor_free(lint_cursor *lint)
{
    if (lint == NULL)
        return;
    for (size_t i = 0; i < lint->table_count; i++)
        weir__free(lint->tables[i]);
    weir__free(lint);
}

/* --- the state's leaves --- */

static bool read_time(const char *text, size_t size, lint_value *out)
{
    static const weir_type types[] = { WEIR_UTC_DATETIME, WEIR_NAIVE_DATETIME, WEIR_NAIVE_DATE };
    char copy[LEAF_TEXT_MAX + 1];
    weir_time time;

    memcpy(copy, text, size);
    if (size > 10 && copy[10] == ' ')
        copy[10] = 'T';
    if (size > 6 && memcmp(copy + size - 6, "+00:00", 6) == 0) {
        size -= 5;
        copy[size - 1] = 'Z';
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (weir_time_parse(types[i], copy, size, &time)) {
            *out = (lint_value){ time.seconds, time.nanos };
            return true;
        }
    return false;
}

/* Times near to now are not told from a clock; a day is for zones. Integers are seconds, ms, µs or ns. */
static bool is_clock(const leaf *item, int64_t wall_ms)
{
    int64_t now = wall_ms / 1000;
    int64_t value = item->value.major;

    for (int i = 0; i < (item->time ? 1 : 4); i++, value /= 1000)
        if (value >= now - DAY && value <= now + DAY)
            return true;
    return false;
}

/* What can be compared with a column. */
static bool read_leaf(const json_t *json, leaf *out)
{
    weir_cell cell = { .type = WEIR_LONG };
    char copy[LEAF_TEXT_MAX + 1];
    size_t size;

    if (json_is_integer(json)) {
        out->value = (lint_value){ json_integer_value(json), 0 };
        return true;
    }
    size = json_is_string(json) ? json_string_length(json) : 0;
    if (size == 0 || size > LEAF_TEXT_MAX)
        return false;
    memcpy(copy, json_string_value(json), size);
    if (weir__text_parse(&cell, copy, size)) {
        out->value = (lint_value){ cell.as.integer, 0 };
        return true;
    }
    out->time = true;
    return read_time(json_string_value(json), size, &out->value);
}

static uint64_t path_of(uint64_t parent, const char *key, size_t size)
{
    return weir__hash128(key, size, parent).low;
}

/* False: there are too many, or it is too deep. */
static bool read_leaves(const json_t *json, uint64_t parent, uint64_t path, int depth, leaves *out)
{
    leaf found = { .path = path, .parent = parent };
    const char *key;
    json_t *value;
    size_t at;

    if (depth > WEIR_LINT_DEPTH)
        return false;
    if (json_is_object(json)) {
        json_object_foreach((json_t *)json, key, value)
        {
            if (!read_leaves(value, path, path_of(path, key, strlen(key)), depth + 1, out))
                return false;
        }
    } else if (json_is_array(json)) {
        json_array_foreach(json, at, value)
        {
            if (!read_leaves(value, path, path_of(path, (const char *)&at, sizeof at), depth + 1, out))
                return false;
        }
    } else if (read_leaf(json, &found)) {
        if (out->count == WEIR_LINT_LEAVES)
            return false;
        out->items[out->count++] = found;
    }
    return true;
}

/* Writes the names on the way to the leaf, with dots between them; false: it is not in there. */
static bool spell(const json_t *json, uint64_t path, uint64_t wanted, size_t used, char out[PATH_SIZE])
{
    const char *key;
    json_t *value;
    size_t at;

    if (path == wanted)
        return true;
    json_object_foreach((json_t *)json, key, value)
    {
        int more = snprintf(out + used, PATH_SIZE - used, "%s%s", used > 0 ? "." : "", key);

        if (used + (size_t)more < PATH_SIZE &&
            spell(value, path_of(path, key, strlen(key)), wanted, used + (size_t)more, out))
            return true;
    }
    json_array_foreach(json, at, value)
    {
        int more = snprintf(out + used, PATH_SIZE - used, "%s%zu", used > 0 ? "." : "", at);

        if (used + (size_t)more < PATH_SIZE &&
            spell(value, path_of(path, (const char *)&at, sizeof at), wanted, used + (size_t)more, out))
            return true;
    }
    return false;
}

static const leaf *find_leaf(const leaves *list, uint64_t path, size_t hint)
{
    if (hint < list->count && list->items[hint].path == path)
        return &list->items[hint];
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].path == path)
            return &list->items[i];
    return NULL;
}

/* --- tables --- */

bool lint_cursor_watches(const lint_cursor *lint)
{
    return lint->integers || lint->times;
}

static bool is_comparable(const lint_cursor *lint, const engine_column *column)
{
    if (column->hashed)
        return false;
    if (weir__type_is_integer(column->type))
        return lint->integers;
    return lint->times && weir__type_is_time(column->type) && column->type != WEIR_NAIVE_TIME;
}

lint_watched *lint_cursor_table(lint_cursor *lint, const engine_table *table)
{
    lint_watched *watched;

    if (lint->table_count == WEIR_LINT_TABLES)
        return NULL;
    watched = weir__calloc(1, sizeof *watched);
    if (watched == NULL)
        return NULL; /* a warning less */
    watched->table = table;
    for (int pass = 0; pass < 2; pass++) /* the key's columns first */
        for (size_t i = 0; i < table->column_count && watched->count < WEIR_LINT_COLUMNS; i++)
            if (table->columns[i].key == (pass == 0) && is_comparable(lint, &table->columns[i]))
                watched->watches[watched->count++] = (lint_watch){ .column = (uint32_t)i,
                                                                   .type = table->columns[i].type,
                                                                   .max = { INT64_MIN, 0 },
                                                                   .before = { INT64_MIN, 0 } };
    lint->tables[lint->table_count++] = watched;
    lint->watches += watched->count;
    return watched;
}

void lint_cursor_retype(lint_watch *watch, const weir_cell *cell)
{
    bool integers = weir__type_is_integer(watch->type) && weir__type_is_integer(cell->type);
    bool times = weir__type_is_time(watch->type) && weir__type_is_time(cell->type);

    if (integers || times)
        watch->type = cell->type; /* the row itself is not compared; at most the largest value is too small */
}

static bool has_moved(const lint_watch *watch)
{
    return !lint_value_equal(watch->max, watch->before);
}

/* --- a look --- */

/* The leaf has met the column. Two that do so by turns cancel each other out. */
static void tie(lint_watch *watch, uint64_t path)
{
    watch->looks = 0;
    if (watch->ties > 0 && watch->leaf != path) {
        watch->ties--;
        return;
    }
    if (watch->leaf != path)
        watch->lates = 0;
    watch->leaf = path;
    watch->ties++;
}

static bool is_kind(const lint_watch *watch, const leaf *item)
{
    return weir__type_is_time(watch->type) == item->time;
}

/* Marks the leaves that are some column's largest value. */
static void find_owners(lint_cursor *lint)
{
    for (size_t t = 0; t < lint->table_count; t++)
        for (size_t i = 0; i < lint->tables[t]->count; i++) {
            const lint_watch *watch = &lint->tables[t]->watches[i];

            for (size_t k = 0; k < lint->now->count; k++)
                if (is_kind(watch, &lint->now->items[k]) &&
                    lint_value_equal(watch->max, lint->now->items[k].value))
                    lint->now->items[k].owned = true;
        }
}

/* An interval: what lies between has not been read. A leaf that is a column's largest value begins none. */
static bool has_smaller_beside(const leaves *list, const leaf *item)
{
    for (size_t i = 0; i < list->count; i++) {
        const leaf *other = &list->items[i];

        if (other->parent == item->parent && other->time == item->time && other->moved && !other->owned &&
            lint_value_less(other->value, item->value))
            return true;
    }
    return false;
}

/* At every checkpoint, looked at or not. */
static void catch_up(lint_cursor *lint)
{
    for (size_t t = 0; t < lint->table_count; t++)
        for (size_t i = 0; i < lint->tables[t]->count; i++) {
            lint_watch *watch = &lint->tables[t]->watches[i];

            if (watch->ahead && lint_value_equal(watch->max, watch->bound))
                watch->caught = true;
        }
}

/* What the rows since the last look say of the leaf that was beyond the column then. */
static void close_interval(lint_watch *watch)
{
    if (watch->caught)
        tie(watch, watch->beyond);
    if (watch->late && watch->leaf == watch->beyond)
        watch->lates++;
    watch->ahead = watch->late = watch->caught = false;
}

/* Finds the leaf that is the column's largest value, or the nearest one beyond it. */
static void meet_leaves(lint_watch *watch, const leaves *list)
{
    const leaf *nearest = NULL;
    bool moved = has_moved(watch);

    watch->looks += moved;
    watch->before = watch->max;
    if (watch->max.major == INT64_MIN)
        return;
    for (size_t i = 0; i < list->count; i++) {
        const leaf *item = &list->items[i];

        if (!is_kind(watch, item))
            continue;
        if (lint_value_equal(watch->max, item->value)) {
            if (moved && item->moved)
                tie(watch, item->path);
        } else if (item->moved && !item->owned && lint_value_less(watch->max, item->value) &&
                   (nearest == NULL || lint_value_less(item->value, nearest->value)))
            nearest = item;
    }
    if (nearest == NULL || has_smaller_beside(list, nearest))
        return;
    watch->ahead = true;
    watch->bound = nearest->value;
    watch->beyond = nearest->path;
}

/* --- warnings --- */

/* True when the path has the name of a table that is watched, and not this one's. */
static bool names_another(const lint_cursor *lint, const lint_watched *watched, const char *path)
{
    if (strstr(path, watched->table->source) != NULL)
        return false;
    for (size_t i = 0; i < lint->table_count; i++)
        if (strstr(path, lint->tables[i]->table->source) != NULL)
            return true;
    return false;
}

static int shown(const char *text)
{
    return (int)weir__utf8_cut(text, strlen(text), NAME_SHOWN);
}

/* True: `out` is a warning. Once per path. */
static bool tell(lint_cursor *lint, const lint_watched *watched, const lint_watch *watch, const json_t *root,
                 char out[LINT_TEXT_SIZE])
{
    char path[PATH_SIZE] = "";
    char table[ENGINE_PATH_SIZE];
    const engine_column *column = &watched->table->columns[watch->column];

    for (size_t i = 0; i < lint->told_count; i++)
        if (lint->told[i] == watch->leaf)
            return false;
    if (lint->told_count == TOLD_MAX || !spell(root, 0, watch->leaf, 0, path) ||
        names_another(lint, watched, path))
        return false;
    lint->told[lint->told_count++] = watch->leaf;
    snprintf(out, LINT_TEXT_SIZE,
             "table '%s', column '%.*s': the cursor '%.*s' of the state is ahead of the rows: %u times, rows "
             "came after a checkpoint whose cursor was past them already. If the sync fails between the two, "
             "they are lost. Send the rows that a cursor covers before its checkpoint",
             engine_table_path(watched->table, table), shown(column->source), column->source, shown(path),
             path, watch->lates);
    return true;
}

static void give_up(lint_cursor *lint, lint_watched *watched, size_t at)
{
    watched->watches[at] = watched->watches[--watched->count];
    lint->watches--;
}

/* Takes the leaves in; true: `out` is a warning. At most one a look: the others come at the next. */
static bool look(lint_cursor *lint, const json_t *root, char out[LINT_TEXT_SIZE])
{
    bool told = false;

    find_owners(lint);
    for (size_t t = 0; t < lint->table_count; t++) {
        lint_watched *watched = lint->tables[t];

        for (size_t i = watched->count; i-- > 0;) {
            lint_watch *watch = &watched->watches[i];

            close_interval(watch);
            meet_leaves(watch, lint->now);
            if (watch->lates >= WEIR_LINT_LATE && watch->ties >= WEIR_LINT_TIES && !told) {
                told = tell(lint, watched, watch, root, out);
                give_up(lint, watched, i);
            } else if (watch->looks >= WEIR_LINT_LOOKS) {
                give_up(lint, watched, i);
            }
        }
    }
    return told;
}

/* The leaves of the last look become the old ones. */
static bool take_state(lint_cursor *lint, const json_t *root, int64_t wall_ms)
{
    leaves *fresh = lint->was;

    lint->was = lint->now;
    lint->now = fresh;
    fresh->count = 0;
    if (!read_leaves(root, 0, 0, 0, fresh)) {
        fresh->count = 0;
        return false;
    }
    for (size_t i = 0; i < fresh->count; i++) {
        leaf *item = &fresh->items[i];
        const leaf *before = find_leaf(lint->was, item->path, i);

        item->moved = before != NULL && !is_clock(item, wall_ms) && before->time == item->time &&
                      !lint_value_equal(before->value, item->value);
        lint->integers = lint->integers || !item->time;
        lint->times = lint->times || item->time;
    }
    return fresh->count > 0;
}

bool lint_cursor_checkpoint(lint_cursor *lint, const lint_seen *seen, char out[LINT_TEXT_SIZE])
{
    size_t size = seen->state.size;
    bool told = false;
    json_t *root;

    catch_up(lint);
    lint->credit += seen->rows;
    if (lint->credit > WEIR_LINT_STATE_READ)
        lint->credit = WEIR_LINT_STATE_READ;
    if (size == 0 || size > lint->credit || (lint->table_count > 0 && lint->watches == 0))
        return false;
    lint->credit -= size;
    root = json_loadb(seen->state.data, size, JSON_DECODE_ANY, NULL);
    if (root != NULL && take_state(lint, root, seen->wall_ms))
        told = look(lint, root, out);
    json_decref(root);
    return told;
}
