/*
 * source-files: rows of a CSV file.
 *
 * The first row names the columns. An empty cell without quotes is NULL, with quotes the empty text; so is
 * the text that the options name as NULL. Spaces belong to the cell. A short row ends in NULLs; a longer one
 * than the header is a task, because it means that a delimiter or a quote is missing and every later cell may
 * stand in the wrong column. csv_text.c cuts the rows; here they get their text and their names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

#define READ_SIZE ((size_t)1 << 19)
#define ROW_SIZE_MAX ((size_t)256 << 20) /* what a row takes in the file */

typedef struct csv_reading {
    weir_call *call;
    const file_entry *file;
    const row_sink *sink;
    FILE *input;
    weir_bytes null_text;
    weir_bytes *names; /* the header; NULL before it */
    size_t name_count;
    csv_text text;
    size_t capacity; /* of its buffer, without the padding */
    int64_t line;
} csv_reading;

/* --- rows --- */

/* The header: names trimmed of nothing, a missing one numbered, a repeated one numbered too. */
static weir_status take_header(csv_reading *r)
{
    if (r->text.count > COLUMNS_MAX)
        return weir_task(r->call, "'%s' has more than %d columns.", r->file->path, COLUMNS_MAX);
    r->names = weir_alloc(r->call, r->text.count * sizeof *r->names);
    r->name_count = r->text.count;
    for (size_t i = 0; i < r->text.count; i++) {
        weir_bytes text = r->text.fields[i].text;
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
        r->text.fields[i].name = r->names[i];
    return WEIR_OK;
}

static weir_status take_row(csv_reading *r)
{
    row_fields row = { .items = r->text.fields, .count = r->name_count, .same_names = r->line > 0 };

    if (r->names == NULL)
        return take_header(r);
    if (r->text.count > r->name_count)
        return weir_task(
            r->call, "'%s', row %lld has more cells than the header (%zu). Check its quotes and delimiters.",
            r->file->path, (long long)r->line + 1, r->name_count);
    for (size_t i = r->text.count; i < r->name_count; i++)
        r->text.fields[i].kind = FIELD_NULL;
    for (size_t i = 0; r->null_text.size > 0 && i < r->text.count; i++)
        if (r->text.fields[i].text.size == r->null_text.size &&
            memcmp(r->text.fields[i].text.data, r->null_text.data, r->null_text.size) == 0)
            r->text.fields[i].kind = FIELD_NULL;
    row.line = ++r->line;
    return r->sink->row(r->sink->context, &row);
}

/* --- the file --- */

/* Reads on, behind what is in the buffer; a row that fills it makes it larger. */
static weir_status read_on(csv_reading *r)
{
    size_t got;

    if (!weir_running(r->call))
        return WEIR_CANCELLED;
    memmove(r->text.buffer, r->text.buffer + r->text.start, r->text.size - r->text.start);
    r->text.size -= r->text.start;
    r->text.start = 0;
    if (r->text.size == r->capacity) {
        char *grown = r->text.size < ROW_SIZE_MAX ? realloc(r->text.buffer, r->capacity * 2 + CSV_PADDING)
                                                  : NULL;

        if (r->text.size >= ROW_SIZE_MAX)
            return weir_task(
                r->call, "'%s': the row after row %lld is longer than 256 MiB. Is a closing quote missing?",
                r->file->path, (long long)r->line);
        if (grown == NULL)
            return weir_fail(r->call, "out of memory reading '%s'", r->file->path);
        r->text.buffer = grown;
        r->capacity *= 2;
    }
    got = fread(r->text.buffer + r->text.size, 1, r->capacity - r->text.size, r->input);
    if (got == 0 && ferror(r->input))
        return weir_fail(r->call, "cannot read '%s': %s", r->file->path, strerror(errno));
    r->text.size += got;
    r->text.ended = got == 0;
    memset(r->text.buffer + r->text.size, 0, CSV_PADDING);
    return WEIR_OK;
}

/* What stands before the header. */
static weir_status begin(csv_reading *r)
{
    weir_status status = read_on(r);

    if (status != WEIR_OK)
        return status;
    if (text_is_utf16(r->text.buffer, r->text.size))
        return weir_task(r->call, "'%s' looks like UTF-16; save it as UTF-8.", r->file->path);
    if (r->text.size >= 3 && memcmp(r->text.buffer, "\xEF\xBB\xBF", 3) == 0)
        r->text.start = 3;
    return WEIR_OK;
}

static weir_status read_rows(csv_reading *r)
{
    weir_status status = begin(r);

    while (status == WEIR_OK) {
        switch (csv_text_row(&r->text)) {
        case CSV_ROW:
            status = take_row(r);
            break;
        case CSV_MORE:
            status = read_on(r);
            break;
        case CSV_END:
            return WEIR_OK;
        case CSV_OPEN:
            return weir_task(r->call, "'%s' ends inside quotes: a closing quote is missing after row %lld.",
                             r->file->path, (long long)r->line);
        case CSV_QUOTE:
            return weir_task(r->call,
                             "'%s' is no valid CSV after row %lld: a quote stands inside a cell without "
                             "quotes, or text behind a closing quote.",
                             r->file->path, (long long)r->line);
        }
    }
    return status;
}

weir_status rows_read_csv(weir_call *call, const file_entry *file, const row_sink *sink)
{
    const options *opt = weir_options(call);
    csv_reading r = { .call = call, .file = file, .sink = sink, .capacity = READ_SIZE };
    weir_status status;

    r.text.delimiter = file->delimiter;
    r.null_text = (weir_bytes){ opt->null_text, strlen(opt->null_text) };
    r.input = fopen(folder_path(call, file->path), "rbe");
    if (r.input == NULL)
        return weir_fail(call, "cannot open '%s': %s", file->path, strerror(errno));
    setvbuf(r.input, NULL, _IONBF, 0);
    r.text.fields = calloc(COLUMNS_MAX + 1, sizeof *r.text.fields);
    r.text.escaped = calloc(COLUMNS_MAX + 1, sizeof *r.text.escaped);
    r.text.buffer = malloc(r.capacity + CSV_PADDING);
    if (r.text.fields == NULL || r.text.escaped == NULL || r.text.buffer == NULL)
        status = weir_fail(call, "out of memory reading '%s'", file->path);
    else
        status = read_rows(&r);
    free(r.text.fields);
    free(r.text.escaped);
    free(r.text.buffer);
    fclose(r.input);
    return status;
}
