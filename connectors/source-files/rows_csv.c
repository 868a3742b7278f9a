/*
 * source-files: rows of a CSV file.
 *
 * The first row names the columns. An empty cell without quotes is NULL, with quotes the empty text; so is
 * the text that the options name as NULL. Spaces belong to the cell. A short row ends in NULLs; a longer one
 * than the header is a task, because it means that a delimiter or a quote is missing and every later cell may
 * stand in the wrong column. csv_text.c cuts the rows; here they get their text and their names.
 */
#include <errno.h>

#include "files.h"

typedef struct csv_reading {
    weir_call *call;
    const file_entry *file;
    const row_sink *sink;
    weir_bytes null_text;
    weir_bytes *names; /* the header; NULL before it */
    size_t name_count;
    csv_file input;
    int64_t line;
    int64_t leap_at; /* the place in the file from which on the sink is asked where to go on */
} csv_reading;

/* --- rows --- */

/* The header: names trimmed of nothing, a missing one numbered, a repeated one numbered too. */
static weir_status take_header(csv_reading *r)
{
    const csv_text *t = &r->input.text;

    if (t->count > COLUMNS_MAX)
        return weir_task(r->call, "'%s' has more than %d columns.", r->file->path, COLUMNS_MAX);
    r->names = weir_alloc(r->call, t->count * sizeof *r->names);
    r->name_count = t->count;
    for (size_t i = 0; i < t->count; i++) {
        weir_bytes text = t->fields[i].text;
        const char *why = text.size ? text_name_fault(text.data, text.size) : NULL;
        const char *name;
        int copy = 1;

        if (why != NULL)
            return weir_task(r->call, "'%s': the name of column %zu, in its first row, %s. Mend the header.",
                             r->file->path, i + 1, why);
        name = text.size ? weir_copy(r->call, text.data, text.size)
                         : weir_printf(r->call, "column_%zu", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->names[j].data, name) == 0) {
                name = weir_printf(r->call, "%.*s_%d", (int)text.size, text.data, ++copy);
                j = (size_t)-1; /* the numbered name may be taken too: look from the start */
            }
        r->names[i] = (weir_bytes){ name, strlen(name) };
    }
    for (size_t i = 0; i < r->name_count; i++)
        t->fields[i].name = r->names[i];
    return WEIR_OK;
}

static weir_status take_row(csv_reading *r)
{
    row_fields row = { .items = r->input.text.fields, .count = r->name_count, .same_names = r->line > 0 };
    size_t broken;

    if (r->names == NULL)
        return take_header(r);
    if (r->input.text.count > r->name_count)
        return weir_task(
            r->call, "'%s', row %lld has more cells than the header (%zu). Check its quotes and delimiters.",
            r->file->path, (long long)r->line + 1, r->name_count);
    broken = csv_file_broken(&r->input);
    if (broken < r->input.text.count)
        return weir_task(
            r->call,
            "'%s', row %lld: the cell in column '%s' is not UTF-8. Save the file as UTF-8; it may be in "
            "another encoding, like Windows-1252 or ISO 8859-1.",
            r->file->path, (long long)r->line + 1, r->names[broken].data);
    csv_file_fill(&r->input, r->name_count, r->null_text);
    row.line = ++r->line;
    return r->sink->row(r->sink->context, &row);
}

/* --- the file --- */

static weir_status cannot(csv_reading *r, const char *what)
{
    return weir_fail(r->call, "cannot %s '%s': %s", what, r->file->path, strerror(errno));
}

/* Reads on, behind what is in the buffer; a row that fills it makes it larger. */
static weir_status read_on(csv_reading *r)
{
    if (!weir_running(r->call))
        return WEIR_CANCELLED;
    switch (csv_file_more(&r->input)) {
    case CSV_FINE:
        return WEIR_OK;
    case CSV_TOO_LONG:
        return weir_task(r->call,
                         "'%s': the row after row %lld is longer than 256 MiB. Is a closing quote missing?",
                         r->file->path, (long long)r->line);
    case CSV_MEMORY:
        return weir_fail(r->call, "out of memory reading '%s'", r->file->path);
    case CSV_READ:
        break;
    }
    return cannot(r, "read");
}

/* What stands before the header. */
static weir_status begin(csv_reading *r)
{
    csv_text *t = &r->input.text;
    weir_status status = read_on(r);

    if (status != WEIR_OK)
        return status;
    if (text_is_utf16(t->buffer, t->size))
        return weir_task(r->call, "'%s' looks like UTF-16; save it as UTF-8.", r->file->path);
    if (t->size >= 3 && memcmp(t->buffer, "\xEF\xBB\xBF", 3) == 0)
        t->start = 3;
    return WEIR_OK;
}

/* Asks the sink whether the rows from here on are wanted. */
static weir_status leap(csv_reading *r)
{
    row_leap where = { .at = csv_file_at(&r->input), .next = INT64_MAX };

    where.to = where.at;
    r->sink->leap(r->sink->context, &where);
    r->leap_at = where.next;
    if (where.to == where.at)
        return WEIR_OK;
    r->line += where.rows;
    return csv_file_seek(&r->input, where.to) ? read_on(r) : cannot(r, "read");
}

static weir_status next_row(csv_reading *r, bool *ended)
{
    if (r->names != NULL && csv_file_at(&r->input) >= r->leap_at && csv_file_skip_ends(&r->input) &&
        csv_file_at(&r->input) >= r->leap_at)
        return leap(r);
    switch (csv_text_row(&r->input.text)) {
    case CSV_ROW:
        return take_row(r);
    case CSV_MORE:
        return read_on(r);
    case CSV_OPEN:
        return weir_task(r->call, "'%s' ends inside quotes: a closing quote is missing after row %lld.",
                         r->file->path, (long long)r->line);
    case CSV_QUOTE:
        return weir_task(r->call,
                         "'%s' is no valid CSV after row %lld: a quote stands inside a cell without "
                         "quotes, or text behind a closing quote.",
                         r->file->path, (long long)r->line);
    case CSV_END:
        break;
    }
    *ended = true;
    return WEIR_OK;
}

weir_status rows_read_csv(weir_call *call, const file_entry *file, const row_sink *sink)
{
    const options *opt = weir_options(call);
    csv_reading r = { .call = call, .file = file, .sink = sink };
    weir_status status;
    bool ended = false;

    r.leap_at = sink->leap != NULL ? 0 : INT64_MAX;
    r.null_text = (weir_bytes){ opt->null_text, strlen(opt->null_text) };
    if (!csv_file_open(&r.input, folder_path(call, file->path), file->delimiter))
        return cannot(&r, "open");
    status = begin(&r);
    while (status == WEIR_OK && !ended)
        status = next_row(&r, &ended);
    csv_file_close(&r.input);
    return status;
}
