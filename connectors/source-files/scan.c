/*
 * source-files: what columns a table has, learned from all rows of its new and changed files before any of
 * them is sent. The rows of a large CSV file are shared with other threads (scan_part.c): where a part begins
 * that another thread has scanned whole, what it knows is taken in, and its rows are leaped over.
 */
#include "files.h"

typedef struct table_scan {
    weir_call *call;
    table *t;
    const file_entry *file;
    size_t fields;            /* of a row of the file; 0 before the first */
    bool asked;               /* whether it is to be shared */
    scan_parts *parts;        /* NULL: it is not */
    const file_entry *no_key; /* the first file with a row that has no value in a key column; NULL without */
    const char *no_key_column;
    int64_t no_key_line;
} table_scan;

static weir_status scan_row(void *context, const row_fields *row)
{
    table_scan *scan = context;
    const size_t *places = table_place(scan->call, scan->t, row);
    const char *column;

    scan->fields = row->count;
    for (size_t i = 0; i < row->count; i++)
        traits_add(&scan->t->columns[places[i]].known, &row->items[i]);
    if (scan->t->count > COLUMNS_MAX)
        return weir_task(scan->call, "The table '%s' has more than %d columns, at '%s', row %lld.",
                         scan->t->name, COLUMNS_MAX, scan->file->path, (long long)row->line);
    column = scan->no_key ? NULL : table_key_without_value(scan->t, row);
    if (column != NULL) {
        scan->no_key = scan->file;
        scan->no_key_column = column;
        scan->no_key_line = row->line;
    }
    return WEIR_OK;
}

static bool is_chosen_key(const table *t, const char *column)
{
    for (const char *const *key = t->keys; key != NULL && *key != NULL; key++)
        if (strcmp(*key, column) == 0)
            return true;
    return false;
}

static scan_parts *share(const table_scan *scan)
{
    const options *opt = weir_options(scan->call);
    const table *t = scan->t;
    bool *key = weir_alloc(scan->call, (scan->fields + 1) * sizeof *key);

    for (size_t i = 0; i < scan->fields; i++)
        key[i] = is_chosen_key(t, t->columns[t->places[i]].name);
    return scan_parts_new(&(scan_how){ .path = folder_path(scan->call, scan->file->path),
                                       .size = scan->file->size,
                                       .delimiter = scan->file->delimiter,
                                       .null_text = opt->null_text,
                                       .fields = scan->fields,
                                       .key = key });
}

/* The first row is scanned before others are shared: it says which columns the fields are. */
static void leap(void *context, row_leap *where)
{
    table_scan *scan = context;
    table *t = scan->t;
    scan_found found;

    if (scan->fields == 0) {
        where->next = where->at + 1;
        return;
    }
    if (!scan->asked)
        scan->parts = share(scan);
    else if (scan_parts_take(scan->call, scan->parts, &found) && found.begin == where->at) {
        for (size_t i = 0; i < scan->fields; i++)
            traits_join(&t->columns[t->places[i]].known, &found.known[i]);
        where->to = found.end;
        where->rows = found.rows;
    }
    scan->asked = true;
    where->next = scan->parts != NULL ? scan_parts_next(scan->parts) : INT64_MAX;
}

static weir_status scan_file(table_scan *scan, const file_entry *file)
{
    const row_sink sink = { .row = scan_row, .leap = leap, .context = scan };
    weir_status status;

    scan->file = file;
    scan->fields = 0;
    scan->asked = false;
    status = rows_read(scan->call, file, &sink);
    scan_parts_free(scan->parts);
    scan->parts = NULL;
    return status;
}

weir_status scan_table(weir_call *call, const json_t *state, table *t, const file_entry *files, size_t count,
                       bool *changed)
{
    table_scan scan = { .call = call, .t = t };
    weir_status status = state_check_keys(call, state, t);
    const char *missing;

    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (!state_has_all(state, &files[i])) {
            *changed = true;
            status = scan_file(&scan, &files[i]);
        }
    if (status != WEIR_OK || t->count == COLUMN_FIRST)
        return status;
    missing = table_key_missing(t);
    if (missing != NULL)
        return weir_task(
            call,
            "'Key columns' names '%s' for the table '%s', which has no such column. Names compare exactly.",
            missing, t->name);
    if (scan.no_key != NULL)
        return table_lacks_key(call, t, scan.no_key->path, scan.no_key_column, scan.no_key_line);
    return WEIR_OK;
}
