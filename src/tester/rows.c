/* tester/rows: the text that says where rows are, and the row that every kind of store fills. */
#include "tester/rows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/file.h"
#include "tester/rows_internal.h"

struct rows_reader {
    const rows_kind *kind;
    void *store;
    char *path; /* of a file or folder; NULL: it is elsewhere */
    bool begun;
    rows_row row;
};

static const rows_kind *const kinds[] = { &rows_sqlite,     &rows_duckdb,  &rows_parquet,
                                          &rows_postgresql, &rows_mariadb, &rows_command };

/* The kind that the text names, and what stands behind its colon; NULL for none. */
static const rows_kind *find_kind(const char *spec, const char **place)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size = strlen(kinds[i]->name);

        if (strncmp(spec, kinds[i]->name, size) != 0)
            continue;
        *place = spec[size] == ':' ? spec + size + 1 : "";
        if (kinds[i]->place == NULL ? spec[size] == '\0' : spec[size] == ':' && (*place)[0] != '\0')
            return kinds[i];
    }
    return NULL;
}

static bool is_path(const rows_kind *kind)
{
    return kind == &rows_sqlite || kind == &rows_duckdb || kind == &rows_parquet;
}

weir_status rows_reader_open(const char *spec, rows_reader **out, weir_error *err)
{
    const char *place = NULL;
    const rows_kind *kind = find_kind(spec, &place);
    rows_reader *reader;
    weir_status status;

    if (kind == NULL)
        return weir__error(err,
                           "'%s' does not say where rows are read from: sqlite:PATH, duckdb:PATH, "
                           "parquet:FOLDER, postgresql, mariadb or command:CMD",
                           spec);
    reader = weir__calloc(1, sizeof *reader);
    if (reader == NULL)
        return weir__error_memory(err, "opening a store to read from");
    reader->kind = kind;
    weir__buf_init(&reader->row.text, WEIR_BATCH_ROW_TEXT_MAX);
    reader->row.arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (is_path(kind))
        reader->path = weir__copy_text(place, strlen(place));
    status = reader->row.arena != NULL && (reader->path != NULL || !is_path(kind))
                 ? kind->open(place, &reader->store, err)
                 : weir__error_memory(err, "opening a store to read from");
    if (status) {
        rows_reader_close(reader);
        return status;
    }
    *out = reader;
    return WEIR_OK;
}

void rows_reader_close(rows_reader *reader)
{
    if (reader == NULL)
        return;
    rows_reader_end(reader);
    if (reader->store != NULL)
        reader->kind->close(reader->store);
    weir__buf_clear(&reader->row.text);
    weir__arena_free(reader->row.arena);
    weir__free(reader->path);
    weir__free(reader);
}

/* The folder that the path is in, which is cut for that. */
static const char *cut_parent(char *path)
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size > 0 && path[size - 1] != '/')
        size--;
    if (size == 0)
        return ".";
    path[size] = '\0';
    return path;
}

weir_status rows_reader_check(const rows_reader *reader, weir_error *err)
{
    const char *what = reader->kind == &rows_parquet ? "folder" : "file";
    weir_status status;
    char *copy;

    if (reader->path == NULL || weir__folder_check(reader->path, NULL) != WEIR_NOT_FOUND)
        return WEIR_OK;
    copy = weir__copy_text(reader->path, strlen(reader->path));
    if (copy == NULL)
        return weir__error_memory(err, "looking for a store to read from");
    if (weir__folder_check(cut_parent(copy), NULL) == WEIR_OK)
        status = weir__error_as(err, WEIR_NOT_FOUND, "there is no such %s: '%s'", what, reader->path);
    else
        status = weir__error(err, "there is no such %s: '%s', and no folder for it", what, reader->path);
    weir__free(copy);
    return status;
}

void rows_reader_show(rows_reader *reader, rows_show *show)
{
    if (reader->kind->show != NULL)
        reader->kind->show(reader->store, show);
}

uint8_t rows_reader_time_digits(const rows_reader *reader)
{
    return reader->kind->time_digits;
}

static void clear_row(rows_reader *reader)
{
    if (reader->row.arena != NULL)
        weir__arena_reset(reader->row.arena);
    reader->row = (rows_row){ .arena = reader->row.arena, .text = reader->row.text };
}

weir_status rows_reader_begin(rows_reader *reader, const weir_table *expected, const char *const **columns,
                              size_t *count, weir_error *err)
{
    weir_status status;

    if (reader->begun && reader->kind->pause != NULL)
        reader->kind->pause(reader->store);
    else
        rows_reader_end(reader);
    clear_row(reader);
    reader->begun = true;
    status = reader->kind->begin(reader->store, expected, &reader->row, err);
    if (status == WEIR_OK)
        status = rows_row_ready(&reader->row, err);
    if (status) {
        rows_reader_end(reader);
        weir__error_prefix(err, "read table '%s%s%s' back", expected->schema ? expected->schema : "",
                           expected->schema && expected->schema[0] ? "." : "", expected->name);
        return status;
    }
    *columns = reader->row.columns;
    *count = reader->row.count;
    return WEIR_OK;
}

weir_status rows_reader_next(rows_reader *reader, const weir_seen_cell **cells, weir_error *err)
{
    rows_row *row = &reader->row;
    weir_status status;

    rows_row_clear(row);
    status = reader->kind->next(reader->store, row, err);
    if (status != WEIR_ITEM)
        return status;
    for (size_t i = 0; i < row->count; i++) /* the text may have moved while it grew */
        if (!row->cells[i].null)
            row->cells[i].text.data = row->text.data + row->offsets[i];
    *cells = row->cells;
    return WEIR_ITEM;
}

void rows_reader_end(rows_reader *reader)
{
    if (reader->begun)
        reader->kind->end(reader->store);
    reader->begun = false;
    clear_row(reader);
}

/* --- the row --- */

weir_status rows_row_column(rows_row *row, const char *name, size_t size, weir_error *err)
{
    if (row->count == WEIR_COLUMN_COUNT_MAX)
        return weir__error(err, "more than %zu columns", WEIR_COLUMN_COUNT_MAX);
    if (row->count == row->room) {
        size_t room = row->room * 2 + 16;
        const char **more = weir__arena_array(row->arena, room, sizeof *more);

        if (more == NULL)
            return weir__error_memory(err, "reading a table");
        if (row->count > 0)
            memcpy(more, row->columns, row->count * sizeof *more);
        row->columns = more;
        row->room = room;
    }
    row->columns[row->count] = weir__arena_copy(row->arena, name, size);
    if (row->columns[row->count] == NULL)
        return weir__error_memory(err, "reading a table");
    row->count++;
    return WEIR_OK;
}

size_t rows_row_find(const rows_row *row, const char *name, size_t size)
{
    for (size_t i = 0; i < row->count; i++)
        if (strlen(row->columns[i]) == size && memcmp(row->columns[i], name, size) == 0)
            return i;
    return SIZE_MAX;
}

weir_status rows_row_ready(rows_row *row, weir_error *err)
{
    row->cells = weir__arena_array(row->arena, row->count + 1, sizeof *row->cells);
    row->offsets = weir__arena_array(row->arena, row->count + 1, sizeof *row->offsets);
    return row->cells && row->offsets ? WEIR_OK : weir__error_memory(err, "reading a table");
}

void rows_row_clear(rows_row *row)
{
    row->text.size = 0;
    for (size_t i = 0; i < row->count; i++)
        row->cells[i] = (weir_seen_cell){ .null = true };
}

weir_status rows_row_put(rows_row *row, size_t column, weir_seen_kind kind, const char *text, size_t size,
                         weir_error *err)
{
    size_t offset = row->text.size;

    /* One byte more, so that an empty text has a place, too. */
    if (!weir__buf_put(&row->text, text, size) || !weir__buf_put(&row->text, "", 1))
        return weir__error(err, "column %zu: a row of more than %zu bytes, or out of memory", column + 1,
                           row->text.size_max);
    row->offsets[column] = offset;
    row->cells[column] = (weir_seen_cell){ .kind = kind, .text = { NULL, size } };
    return WEIR_OK;
}
