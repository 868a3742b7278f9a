/*
 * @NAME@: a destination over a store of documents.
 *
 * A table is a collection, a row a document, a cell a field with the value's text. The store knows nothing of
 * columns, so what a table looks like is kept beside it, in a note. Every request may come twice, and
 * requests for different tables run at the same time, each with a session of its own.
 */
#include "destination.h"

#include <stdio.h>
#include <stdlib.h>

#include "store.h"

#define NUMBER_SIZE 48 /* bytes that hold the text of a number or a time */

struct options {
    const char *path;
};

static weir_status open_session(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    *session = store_open(opt->path);
    return *session ? WEIR_OK : weir_fail(call, "Out of memory opening '%s'.", opt->path);
}

static void close_session(void *session)
{
    store_close(session);
}

static weir_status failed(weir_call *call, const char *doing)
{
    return weir_fail(call, "%s: %s", doing, store_error(weir_session(call)));
}

/* Ends what store_begin began. */
static weir_status end(weir_call *call, weir_status status, const char *doing)
{
    if (!store_end(weir_session(call), status == WEIR_OK) && status == WEIR_OK)
        return failed(call, doing);
    return status;
}

static weir_status test_write(weir_call *call)
{
    const struct options *opt = weir_options(call);
    store *s = weir_session(call);

    if (!store_begin(s))
        return weir_task(call, "Cannot write to '%s': %s. Check the path and its permissions.", opt->path,
                         store_error(s));
    return end(call, WEIR_OK, "Write to the store");
}

/* --- tables --- */

static const char *collection_of(weir_call *call, const char *schema, const char *table)
{
    return schema && schema[0] ? weir_printf(call, "%s.%s", schema, table) : table;
}

/* A line per column: type, key, precision, scale, bytes, length of the name, name. */
static bool remember(weir_call *call, const char *collection, const weir_table *table)
{
    const char *note = "";

    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *c = &table->columns[i];

        note = weir_printf(call, "%s%d %d %u %u %u %zu %s\n", note, (int)c->type, (int)c->key,
                           c->params.precision, c->params.scale, c->params.string_byte_length,
                           strlen(c->name), c->name);
    }
    return store_set_note(weir_session(call), collection, note);
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const char *note = store_note(weir_session(call), collection_of(call, schema, table));
    weir_column *columns;
    size_t count = 0;

    if (note == NULL)
        return WEIR_NOT_FOUND;
    columns = weir_alloc(call, (strlen(note) / 12 + 1) * sizeof *columns); /* a line has 12 bytes at least */
    while (*note != '\0') {
        weir_column *c = &columns[count++];
        int type = 0, key = 0, taken = 0;
        size_t size = 0;

        if (sscanf(note, "%d %d %u %u %u %zu%n", &type, &key, &c->params.precision, &c->params.scale,
                   &c->params.string_byte_length, &size, &taken) != 6)
            return weir_fail(call, "Describe table '%s': its note is damaged.", table);
        c->type = (weir_type)type;
        c->key = key != 0;
        c->name = weir_copy(call, note + taken + 1, size);
        note += (size_t)taken + 1 + size + 1;
    }
    *out = (weir_table){ .schema = schema, .name = table, .columns = columns, .column_count = count };
    return WEIR_OK;
}

static weir_status create(weir_call *call, const weir_table *table)
{
    const char *collection = collection_of(call, table->schema, table->name);
    const char *doing = weir_printf(call, "Create table '%s'", table->name);
    weir_status status = WEIR_OK;

    if (!store_begin(weir_session(call)))
        return failed(call, doing);
    if (store_note(weir_session(call), collection) != NULL)
        status = weir_fail(call, "%s: it exists.", doing);
    else if (!remember(call, collection, table))
        status = failed(call, doing);
    return end(call, status, doing);
}

static weir_status change_key(weir_call *call, const weir_table *table, const char *doing)
{
    size_t count;
    const weir_column *const *keys = weir_table_keys(call, table, &count);
    const char **names = weir_alloc(call, count * sizeof *names);
    bool same;

    for (size_t i = 0; i < count; i++)
        names[i] = keys[i]->name;
    if (!store_set_key(weir_session(call), collection_of(call, table->schema, table->name), names, count,
                       &same))
        return failed(call, doing);
    if (same)
        return weir_task(
            call,
            "%s: rows have the same values in the columns of the new key. Choose a key that tells "
            "all rows apart, or re-sync the table.",
            doing);
    return WEIR_OK;
}

/* New columns and other types change nothing in the documents: only the note says what a field is. */
static weir_status apply_changes(weir_call *call, const weir_table *table, const weir_changes *changes,
                                 const char *doing)
{
    const char *collection = collection_of(call, table->schema, table->name);
    weir_table shape = *table;
    weir_column *columns = weir_alloc(call, (table->column_count + changes->count) * sizeof *columns);
    weir_status status = WEIR_OK;

    memcpy(columns, table->columns, table->column_count * sizeof *columns);
    shape.columns = columns;
    for (size_t i = 0; i < changes->count && status == WEIR_OK; i++) {
        const weir_change *change = &changes->items[i];

        if (change->kind == WEIR_KEEP_COLUMN) {
            columns[shape.column_count] = *change->old;
            columns[shape.column_count++].key = false;
        } else if (change->kind == WEIR_DROP_COLUMN) {
            if (!store_drop_field(weir_session(call), collection, change->old->name))
                status = failed(call, doing);
        } else if (change->kind == WEIR_CHANGE_KEY) {
            status = change_key(call, table, doing);
        }
    }
    if (status == WEIR_OK && !remember(call, collection, &shape))
        status = failed(call, doing);
    return status;
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    const char *doing = weir_printf(call, "Alter table '%s'", table->name);

    if (!store_begin(weir_session(call)))
        return failed(call, doing);
    return end(call, apply_changes(call, table, changes, doing), doing);
}

/* --- values --- */

/* With all nine digits of a second, so that the order of the texts is that of the times. */
static size_t time_text(weir_type type, weir_time time, char out[NUMBER_SIZE])
{
    size_t size = weir_time_format(type, (weir_time){ time.seconds, 0 }, out);
    bool utc = type == WEIR_UTC_DATETIME;

    if (type == WEIR_NAIVE_DATE || size == 0)
        return size;
    return size - utc +
           (size_t)snprintf(out + size - utc, 16, ".%09d%s", time.nanos % 1000000000, utc ? "Z" : "");
}

/* What counts of a text: DECIMAL keys are compared by value, so that 1.50 is 1.5 (R-DST-07). */
static size_t text_size(const weir_cell *cell)
{
    const char *text = cell->as.bytes.data;
    size_t size = cell->as.bytes.size;

    if (cell->type != WEIR_DECIMAL || memchr(text, '.', size) == NULL || memchr(text, 'e', size) != NULL ||
        memchr(text, 'E', size) != NULL)
        return size;
    while (text[size - 1] == '0')
        size--;
    return text[size - 1] == '.' ? size - 1 : size;
}

/* The text of a cell's value, in `room` where the cell has no text of its own. */
static store_field field_of(const weir_column *column, const weir_cell *cell, char room[NUMBER_SIZE])
{
    store_field field = { .name = column->name, .data = room, .key = column->key };

    if (cell->presence != WEIR_VALUE) {
        field.data = NULL;
        return field;
    }
    switch (cell->type) {
    case WEIR_BOOLEAN:
        field.size = (size_t)snprintf(room, NUMBER_SIZE, "%s", cell->as.boolean ? "true" : "false");
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        field.size = (size_t)snprintf(room, NUMBER_SIZE, "%lld", (long long)cell->as.integer);
        break;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        field.size = (size_t)snprintf(room, NUMBER_SIZE, "%.*g", cell->type == WEIR_FLOAT ? 9 : 17,
                                      cell->as.real);
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        field.size = time_text(cell->type, cell->as.time, room);
        break;
    default:
        field.data = cell->as.bytes.size > 0 ? cell->as.bytes.data : "";
        field.size = text_size(cell);
    }
    return field;
}

/* --- rows --- */

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *collection = collection_of(call, what->schema, what->table);
    const char *doing = weir_printf(call, "Truncate table '%s'", what->table);
    char before[NUMBER_SIZE] = "";
    weir_status status = WEIR_OK;

    if (store_note(weir_session(call), collection) == NULL)
        return WEIR_NOT_FOUND;
    time_text(WEIR_UTC_DATETIME, what->before, before);
    if (!store_begin(weir_session(call)))
        return failed(call, doing);
    if (!store_delete_before(weir_session(call), collection, what->synced_column, before,
                             what->deleted_column))
        status = failed(call, doing);
    return end(call, status, doing);
}

static bool apply(store *s, const char *collection, const weir_table *table, const weir_row *row,
                  store_field *fields, char (*rooms)[NUMBER_SIZE])
{
    size_t count = 0;

    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].presence != WEIR_UNMODIFIED) {
            fields[count] = field_of(&table->columns[i], &row->cells[i], rooms[count]);
            count++;
        }
    if (row->op == WEIR_DELETE)
        return store_delete(s, collection, fields, count);
    return row->op == WEIR_UPDATE ? store_merge(s, collection, fields, count)
                                  : store_put(s, collection, fields, count);
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    const char *collection = collection_of(call, table->schema, table->name);
    const char *doing = weir_printf(call, "Write to table '%s'", table->name);
    store_field *fields = weir_alloc(call, table->column_count * sizeof *fields);
    char(*rooms)[NUMBER_SIZE] = weir_alloc(call, table->column_count * sizeof *rooms);
    weir_row row;
    weir_status status;

    if (!store_begin(weir_session(call)))
        return failed(call, doing);
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM)
        if (!apply(weir_session(call), collection, table, &row, fields, rooms)) {
            status = failed(call, doing);
            break;
        }
    return end(call, status, doing);
}

const weir_destination destination = {
    .name = "@NAME@",
    .form = WEIR_FORM(struct options, WEIR_TEXT(struct options, path, .label = "Store file", .required = true,
                                                .description = "It is made when it is not there.")),
    .tests = WEIR_TESTS({ "write", "Writing to the store", test_write }),
    .open = open_session,
    .close = close_session,
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
};
