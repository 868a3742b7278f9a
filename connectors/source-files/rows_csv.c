/*
 * source-files: rows of a CSV file, through libcsv.
 *
 * The first row names the columns. An empty cell without quotes is NULL, with quotes the empty text; so is
 * the text that the options name as NULL. Spaces belong to the cell. A short row ends in NULLs; a longer one
 * than the header is a task, because it means that a delimiter or a quote is missing and every later cell may
 * stand in the wrong column.
 */
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

#define READ_SIZE ((size_t)1 << 18)

typedef struct csv_reading {
    weir_call *call;
    const file_entry *file;
    const row_sink *sink;
    const char *null_text;
    weir_bytes *names; /* the header */
    size_t name_count;
    field *fields;
    size_t *offsets; /* of each cell in `text`: libcsv reuses its own buffer */
    char *text;
    size_t text_size;
    size_t text_capacity;
    size_t count;
    int64_t line;
    weir_status status;
} csv_reading;

static int is_never(unsigned char byte)
{
    (void)byte;
    return 0;
}

static bool keep_text(csv_reading *r, const char *text, size_t size)
{
    if (r->text_capacity - r->text_size < size) {
        size_t capacity = (r->text_capacity + size) * 2;
        char *grown = realloc(r->text, capacity);

        if (grown == NULL) {
            r->status = weir_fail(r->call, "out of memory reading '%s'", r->file->path);
            return false;
        }
        r->text = grown;
        r->text_capacity = capacity;
    }
    memcpy(r->text + r->text_size, text, size);
    r->text_size += size;
    return true;
}

static void on_cell(void *data, size_t size, void *context)
{
    csv_reading *r = context;
    size_t index = r->count;

    if (r->status != WEIR_OK)
        return;
    if (r->names != NULL && index >= r->name_count) {
        r->status = weir_task(
            r->call, "'%s', row %lld has more cells than the header (%zu). Check its quotes and delimiters.",
            r->file->path, (long long)r->line + 1, r->name_count);
        return;
    }
    if (index >= COLUMNS_MAX) {
        r->status = weir_task(r->call, "'%s' has more than %d columns.", r->file->path, COLUMNS_MAX);
        return;
    }
    r->offsets[index] = r->text_size;
    r->fields[index].kind = data ? FIELD_RAW : FIELD_NULL;
    r->fields[index].text.size = data ? size : 0;
    if (data == NULL || keep_text(r, data, size))
        r->count++;
}

/* The header: names trimmed of nothing, a missing one numbered, a repeated one numbered too. */
static void take_header(csv_reading *r)
{
    r->names = weir_alloc(r->call, (r->count ? r->count : 1) * sizeof *r->names);
    r->name_count = r->count;
    for (size_t i = 0; i < r->count; i++) {
        const char *text = r->text ? r->text + r->offsets[i] : "";
        size_t size = r->fields[i].text.size;
        const char *name;
        const char *why;
        int copy = 1;

        if (i == 0 && size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
            text += 3;
            size -= 3;
        }
        why = size ? text_name_fault(text, size) : NULL;
        if (why != NULL) {
            r->status = weir_task(r->call,
                                  "'%s': the name of column %zu, in its first row, %s. Mend the header.",
                                  r->file->path, i + 1, why);
            return;
        }
        name = size ? weir_copy(r->call, text, size) : weir_printf(r->call, "column_%zu", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->names[j].data, name) == 0) {
                name = weir_printf(r->call, "%.*s_%d", (int)size, text, ++copy);
                j = (size_t)-1; /* the numbered name may be taken too: look from the start */
            }
        r->names[i] = (weir_bytes){ name, strlen(name) };
    }
}

static void on_row(int terminator, void *context)
{
    csv_reading *r = context;

    (void)terminator;
    if (r->status != WEIR_OK)
        return;
    if (r->names == NULL) {
        take_header(r);
    } else if (r->count > 0) {
        size_t null_size = strlen(r->null_text);

        for (size_t i = 0; i < r->name_count; i++) {
            field *f = &r->fields[i];

            f->name = r->names[i];
            if (i >= r->count)
                f->kind = FIELD_NULL;
            f->text.data = r->text ? r->text + r->offsets[i] : "";
            if (null_size > 0 && f->kind == FIELD_RAW && f->text.size == null_size &&
                memcmp(f->text.data, r->null_text, null_size) == 0)
                f->kind = FIELD_NULL;
        }
        r->status = r->sink->row(r->sink->context, r->fields, r->name_count, ++r->line);
    }
    r->count = 0;
    r->text_size = 0;
}

static weir_status parse(csv_reading *r, FILE *file, struct csv_parser *parser)
{
    char *chunk = weir_alloc(r->call, READ_SIZE);
    bool first = true;
    size_t got;

    while (r->status == WEIR_OK && (got = fread(chunk, 1, READ_SIZE, file)) > 0) {
        if (!weir_running(r->call))
            return WEIR_CANCELLED;
        if (first && text_is_utf16(chunk, got))
            return weir_task(r->call, "'%s' looks like UTF-16; save it as UTF-8.", r->file->path);
        first = false;
        if (csv_parse(parser, chunk, got, on_cell, on_row, r) != got && r->status == WEIR_OK)
            return weir_task(r->call, "'%s' is no valid CSV after row %lld: %s.", r->file->path,
                             (long long)r->line, csv_strerror(csv_error(parser)));
    }
    if (ferror(file))
        return weir_fail(r->call, "cannot read '%s': %s", r->file->path, strerror(errno));
    if (r->status == WEIR_OK && csv_fini(parser, on_cell, on_row, r) != 0)
        return weir_task(r->call, "'%s' ends inside quotes: a closing quote is missing after row %lld.",
                         r->file->path, (long long)r->line);
    return r->status;
}

weir_status rows_read_csv(weir_call *call, const file_entry *file, const row_sink *sink)
{
    const options *opt = weir_options(call);
    csv_reading r = { .call = call, .file = file, .sink = sink, .null_text = opt->null_text };
    struct csv_parser parser;
    FILE *input = fopen(folder_path(call, file->path), "rbe");
    weir_status status;

    if (input == NULL)
        return weir_fail(call, "cannot open '%s': %s", file->path, strerror(errno));
    r.fields = calloc(COLUMNS_MAX, sizeof *r.fields);
    r.offsets = calloc(COLUMNS_MAX, sizeof *r.offsets);
    if (r.fields == NULL || r.offsets == NULL ||
        csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0) {
        status = weir_fail(call, "out of memory reading '%s'", file->path);
    } else {
        csv_set_delim(&parser, (unsigned char)file->delimiter);
        csv_set_space_func(&parser, is_never);
        status = parse(&r, input, &parser);
        csv_free(&parser);
    }
    free(r.fields);
    free(r.offsets);
    free(r.text);
    fclose(input);
    return status;
}
