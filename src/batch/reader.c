/*
 * batch/reader: one buffer of plaintext, an index of where its cells end, and a row of cells that is filled
 * again and again and points into the buffer.
 *
 *   buffer:  [used rows | row: cell,cell,…LF | more rows | part of a row | free]
 *                        ^ start                                           ^ size
 *
 * The buffer grows only when a row does not fit; before more is read, what is left moves to its front.
 * R-BAT-05: the header order is arbitrary, so it is mapped to the table once per file, not per row.
 */
#include "batch/reader.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/point.h"
#include "base/utf8.h"
#include "batch/csv.h"
#include "data/decimal.h"
#include "data/table.h"
#include "data/text.h"

#define BUFFER_FIRST (256 * WEIR_KIB)
#define HEADER_MEMORY_MAX (64 * WEIR_MIB) /* for the names in a header */
#define SKIPPED UINT32_MAX                /* a column of the file that is not read */

struct weir_reader {
    weir_unpacker *unpacker;
    weir_csv_index *index;
    char *buffer;
    size_t capacity; /* without the slack behind it */
    size_t start;    /* where the next row begins */
    size_t size;     /* bytes of text */
    bool input_ended;
    bool crlf; /* lines end in CRLF; the header line decides, because a CR before LF may also be data */
    bool failed;
    weir_reader_file file;
    uint64_t rows;
    uint32_t *targets;  /* for each column of the file, the table's column or SKIPPED */
    const char **names; /* and what the header calls it, in `header` */
    size_t target_count;
    weir_arena *header;
    size_t plain_at;      /* the text up to here has been handed out as it is */
    weir_cell *cells;     /* one per column of the table; twice as many with WEIR_POISON */
    weir_cell *row_cells; /* those of the row in hand */
    size_t row_start;     /* its text; SIZE_MAX before the first row */
    char *plain; /* WEIR_DECIMAL_TEXT_MAX bytes per column of the table; NULL without DECIMAL columns */
};

weir_reader *weir__reader_new(void)
{
    weir_reader *reader = weir__calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->failed = true; /* nothing is open */
    reader->unpacker = weir__unpacker_new();
    reader->header = weir__arena_new(HEADER_MEMORY_MAX);
    reader->index = weir__malloc(sizeof *reader->index);
    reader->buffer = weir__malloc(BUFFER_FIRST + WEIR_CSV_SLACK);
    reader->capacity = BUFFER_FIRST;
    if (reader->unpacker != NULL && reader->header != NULL && reader->index != NULL && reader->buffer != NULL)
        return reader;
    weir__reader_free(reader);
    return NULL;
}

static void forget_table(weir_reader *reader)
{
    weir__free(reader->targets);
    weir__free(reader->names);
    weir__free(reader->cells);
    weir__free(reader->plain);
    if (reader->header != NULL)
        weir__arena_reset(reader->header);
    reader->targets = NULL;
    reader->names = NULL;
    reader->cells = NULL;
    reader->plain = NULL;
    reader->target_count = 0;
}

void weir__reader_free(weir_reader *reader)
{
    if (reader == NULL)
        return;
    forget_table(reader);
    weir__arena_free(reader->header);
    weir__unpacker_free(reader->unpacker);
    weir__free(reader->index);
    weir__free(reader->buffer);
    weir__free(reader);
}

uint64_t weir__reader_rows(const weir_reader *reader)
{
    return reader->rows;
}

size_t weir__reader_memory(const weir_reader *reader)
{
    return reader->capacity + sizeof *reader->index + weir__arena_used(reader->header) +
           reader->target_count * (sizeof *reader->targets + sizeof *reader->names);
}

static size_t cell_size_max(const weir_reader *reader)
{
    return reader->file.cell_size_max > 0 ? reader->file.cell_size_max : WEIR_CELL_SIZE_MAX;
}

/* The largest row as text. */
static size_t row_text_max(const weir_reader *reader)
{
    return 2 * cell_size_max(reader) + WEIR_MIB;
}

/* Room for at least one more byte of text. */
static weir_status make_room(weir_reader *reader, weir_error *err)
{
    size_t capacity = reader->capacity * 2;
    char *buffer;

    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->size - reader->start);
        weir__csv_index_drop(reader->index, reader->start);
        reader->size -= reader->start;
        reader->start = 0;
    }
    if (reader->size < reader->capacity)
        return WEIR_OK;
    if (reader->size >= row_text_max(reader))
        return weir__error(err, "read batch file '%s': row %llu is larger than %zu bytes", reader->file.name,
                           (unsigned long long)reader->rows + 1, row_text_max(reader));
    if (capacity > row_text_max(reader))
        capacity = row_text_max(reader);
    buffer = weir__realloc(reader->buffer, capacity + WEIR_CSV_SLACK);
    if (buffer == NULL)
        return weir__error_memory(err, "reading a long row");
    reader->buffer = buffer;
    reader->capacity = capacity;
    return WEIR_OK;
}

/* Puts more ends into the index, reading more text if it must. WEIR_OK: there is no more. */
static weir_status index_more(weir_reader *reader, weir_error *err)
{
    weir_csv_index *index = reader->index;
    size_t before = index->count - index->first;
    weir_status status;
    size_t got = 0;

    for (;;) {
        weir__csv_index_scan(index, reader->buffer, reader->size, reader->input_ended);
        if (index->broken)
            return weir__unpacker_damaged(reader->file.name, err);
        if (index->count - index->first > before)
            return WEIR_ITEM;
        if (reader->input_ended)
            return WEIR_OK;
        status = make_room(reader, err);
        if (status != WEIR_OK)
            return status;
        status = weir__unpacker_read(reader->unpacker, reader->buffer + reader->size,
                                     reader->capacity - reader->size, &got, err);
        if (status < 0)
            return status;
        if (status == WEIR_OK)
            reader->input_ended = true;
        else
            reader->size += got;
    }
}

/* The cell that ends at `end`, without quotes; `row_end`: it is its row's last. False: it is malformed. */
static bool cut_cell(weir_reader *reader, size_t end, bool row_end, char **data, size_t *size)
{
    *data = reader->buffer + reader->start;
    *size = end - reader->start;
    if (row_end && reader->crlf && *size > 0 && (*data)[*size - 1] == '\r')
        --*size;
    return weir__csv_unquote(data, size, reader->start < reader->index->escape_end);
}

/* Whether the kind of file has this column of the table read at all (R-BAT-09). */
static bool column_counts(const weir_reader *reader, const weir_column *column)
{
    return reader->file.kind != WEIR_BATCH_DELETE || column->key || weir__name_is_system(column->name);
}

/* The column of the file called `name` goes to `*target`. `seen` maps names to the table's columns. */
static weir_status map_column(weir_reader *reader, const weir_map *names, weir_bytes name, uint32_t *target,
                              weir_error *err)
{
    const weir_column *columns = reader->file.table->columns;
    const weir_column *column = weir__map_get(names, name);
    size_t at = column ? (size_t)(column - columns) : 0;
    int shown = (int)weir__utf8_cut(name.data, name.size, 200);

    if (!weir__utf8_valid(name.data, name.size))
        return weir__unpacker_damaged(reader->file.name, err);
    if (column == NULL && reader->file.kind != WEIR_BATCH_DELETE)
        return weir__error(err, "read batch file '%s': column '%.*s' is not in table '%s'", reader->file.name,
                           shown, name.data, reader->file.table->name);
    *target = SKIPPED;
    if (column == NULL || !column_counts(reader, column))
        return WEIR_OK;
    for (size_t i = 0; i < reader->target_count; i++)
        if (reader->targets[i] == at)
            return weir__error(err, "read batch file '%s': column '%s' is there twice", reader->file.name,
                               column->name);
    *target = (uint32_t)at;
    return WEIR_OK;
}

static weir_status too_many_columns(const weir_reader *reader, weir_error *err)
{
    return weir__error(err, "read batch file '%s': its header has more than %zu columns", reader->file.name,
                       WEIR_COLUMN_COUNT_MAX);
}

/* Room for one more column of the file. */
static weir_status grow_columns(weir_reader *reader, size_t *room, weir_error *err)
{
    size_t more = *room > 0 ? *room * 2 : 64;
    uint32_t *targets;
    const char **names;

    if (reader->target_count == WEIR_COLUMN_COUNT_MAX)
        return too_many_columns(reader, err);
    if (reader->target_count < *room)
        return WEIR_OK;
    targets = weir__realloc_array(reader->targets, more, sizeof *targets);
    if (targets == NULL)
        return weir__error_memory(err, "reading a header");
    reader->targets = targets;
    names = weir__realloc_array(reader->names, more, sizeof *names);
    if (names == NULL)
        return weir__error_memory(err, "reading a header");
    reader->names = names;
    *room = more;
    return WEIR_OK;
}

/* The name from `start` to `end` of the buffer, copied: the text stays as it is for weir__reader_plain. */
static weir_status take_name(weir_reader *reader, size_t start, size_t end, weir_bytes *name, weir_error *err)
{
    size_t size = end - start;
    char *copy = weir__arena_copy(reader->header, reader->buffer + start, size);

    if (copy == NULL)
        return weir__error_memory(err, "reading a header");
    if (!weir__csv_unquote(&copy, &size, start < reader->index->escape_end))
        return weir__unpacker_damaged(reader->file.name, err);
    copy[size] = '\0';
    reader->names[reader->target_count] = copy;
    *name = (weir_bytes){ copy, size };
    return WEIR_OK;
}

/* Reads the header line up to its end; all of it stays in the buffer. */
static weir_status map_header(weir_reader *reader, const weir_map *names, weir_error *err)
{
    weir_csv_index *index = reader->index;
    size_t start = 0;
    size_t room = 0;
    bool row_end = false;

    while (!row_end) {
        weir_status status = index->first < index->count ? WEIR_ITEM : index_more(reader, err);
        weir_bytes name = { NULL, 0 };
        size_t end;

        if (status < 0)
            return status;
        if (status == WEIR_OK)
            return weir__error(
                err, "read batch file '%s': it is empty; even a file without rows has a header line",
                reader->file.name);
        end = index->ends[index->first++];
        row_end = reader->buffer[end] == '\n';
        reader->crlf = row_end && end > start && reader->buffer[end - 1] == '\r';
        status = grow_columns(reader, &room, err);
        if (status == WEIR_OK)
            status = take_name(reader, start, end - reader->crlf, &name, err);
        if (status == WEIR_OK)
            status = map_column(reader, names, name, &reader->targets[reader->target_count], err);
        if (status != WEIR_OK)
            return status;
        start = end + 1 < reader->size ? end + 1 : reader->size;
        reader->target_count++;
    }
    reader->start = start;
    return WEIR_OK;
}

/* Names the key columns that the file lacks. */
static weir_status check_keys(weir_reader *reader, weir_error *err)
{
    const weir_table *table = reader->file.table;
    weir_buf missing;
    weir_status status = WEIR_OK;

    weir__buf_init(&missing, WEIR_MIB);
    for (size_t i = 0; i < table->column_count; i++) {
        bool optional = reader->file.kind == WEIR_BATCH_DELETE &&
                        strcmp(table->columns[i].name, "_fivetran_start") == 0;
        bool found = !table->columns[i].key || optional; /* R-HIS-04 */

        for (size_t j = 0; j < reader->target_count && !found; j++)
            found = reader->targets[j] == i;
        if (!found &&
            !weir__buf_printf(&missing, "%s'%s'", missing.size > 0 ? ", " : "", table->columns[i].name))
            status = weir__error_memory(err, "reading a header");
    }
    if (status == WEIR_OK && missing.size > 0)
        status = weir__error(err, "read batch file '%s': the key of table '%s' is not in it: %.*s",
                             reader->file.name, table->name, (int)missing.size, missing.data);
    weir__buf_clear(&missing);
    return status;
}

/*
 * In debug builds a row is overwritten when the next one is asked for, so that whoever has kept it sees at
 * once that it was borrowed: its text becomes POISON, its cells lie in the other half of `cells`.
 */
#ifdef WEIR_POISON
#define CELL_ROWS 2
#define POISON 0xDB

static void poison_prepare(weir_reader *reader)
{
    size_t count = reader->file.table->column_count;

    memcpy(reader->cells + count, reader->cells, count * sizeof *reader->cells);
}

static void poison_row(weir_reader *reader)
{
    size_t count = reader->file.table->column_count;
    weir_cell *next = reader->row_cells == reader->cells ? reader->cells + count : reader->cells;

    if (reader->row_start == SIZE_MAX)
        return;
    memset(reader->buffer + reader->row_start, POISON, reader->start - reader->row_start);
    for (size_t i = 0; i < count; i++) {
        next[i] = reader->row_cells[i]; /* what the row says of absent columns is needed again */
        memset(&reader->row_cells[i].as, POISON, sizeof reader->row_cells[i].as);
    }
    reader->row_cells = next;
    reader->row_start = SIZE_MAX;
}
#else
#define CELL_ROWS 1

static void poison_prepare(weir_reader *reader)
{
    (void)reader;
}

static void poison_row(weir_reader *reader)
{
    (void)reader;
}
#endif

/* The row that is handed out, with what absent columns mean (R-BAT-09). */
static weir_status make_cells(weir_reader *reader, weir_error *err)
{
    const weir_table *table = reader->file.table;
    weir_presence absent = reader->file.kind == WEIR_BATCH_REPLACE ? WEIR_NULL : WEIR_UNMODIFIED;
    bool decimals = false;

    reader->cells = weir__calloc(table->column_count * CELL_ROWS, sizeof *reader->cells);
    if (reader->cells == NULL)
        return weir__error_memory(err, "opening a batch file");
    for (size_t i = 0; i < table->column_count; i++) {
        reader->cells[i].column = table->columns[i].name;
        reader->cells[i].type = table->columns[i].type;
        reader->cells[i].presence = absent;
        decimals |= table->columns[i].type == WEIR_DECIMAL;
    }
    reader->row_cells = reader->cells;
    reader->row_start = SIZE_MAX;
    poison_prepare(reader);
    if (decimals) {
        reader->plain = weir__realloc_array(NULL, table->column_count, WEIR_DECIMAL_TEXT_MAX);
        if (reader->plain == NULL)
            return weir__error_memory(err, "opening a batch file");
    }
    return WEIR_OK;
}

static weir_status check_params(const weir_reader_file *file, weir_error *err)
{
    const weir_file_params *params = file->params;

    if (params->unmodified_string.size > 0 &&
        weir__bytes_equal(params->null_string, params->unmodified_string))
        return weir__error(
            err, "read batch file '%s': the request's null_string and unmodified_string are the same",
            file->name);
    return WEIR_OK;
}

static weir_status open_header(weir_reader *reader, weir_error *err)
{
    const weir_table *table = reader->file.table;
    weir_status status = WEIR_OK;
    weir_map names;

    weir__map_init(&names, 0);
    for (size_t i = 0; i < table->column_count && status == WEIR_OK; i++)
        if (!weir__map_put(&names, weir__text(table->columns[i].name), (void *)&table->columns[i]))
            status = weir__error_memory(err, "opening a batch file");
    if (status == WEIR_OK)
        status = make_cells(reader, err);
    if (status == WEIR_OK)
        status = map_header(reader, &names, err);
    if (status == WEIR_OK)
        status = check_keys(reader, err);
    weir__map_clear(&names);
    return status;
}

weir_status weir__reader_open(weir_reader *reader, const weir_reader_file *file, weir_error *err)
{
    weir_unpacker_file unpacked = { file->name, file->params->compression, file->params->encryption,
                                    file->key, file->input };
    weir_status status = check_params(file, err);

    reader->failed = true;
    reader->file = *file;
    reader->file.key = NULL;
    forget_table(reader);
    if (status == WEIR_OK)
        status = weir__unpacker_open(reader->unpacker, &unpacked, err);
    if (status != WEIR_OK)
        return status;
    weir__csv_index_init(reader->index);
    reader->start = 0;
    reader->size = 0;
    reader->rows = 0;
    reader->plain_at = 0;
    reader->input_ended = false;
    reader->crlf = false;
    status = open_header(reader, err);
    WEIR_POINT("reader.header.mapped");
    reader->failed = status != WEIR_OK;
    return status;
}

static weir_status bad_row(const weir_reader *reader, const char *what, weir_error *err)
{
    return weir__error(err, "read batch file '%s': row %llu has %s than the header's %zu", reader->file.name,
                       (unsigned long long)reader->rows + 1, what, reader->target_count);
}

static weir_status bad_cell(const weir_reader *reader, const weir_cell *cell, weir_bytes text,
                            weir_error *err)
{
    weir_error inner;

    weir__text_parse_error(cell, text, &inner);
    return weir__error(err, "read batch file '%s': row %llu, %s", reader->file.name,
                       (unsigned long long)reader->rows + 1, inner.text);
}

static weir_status bad_text(const weir_reader *reader, const weir_cell *cell, const char *what,
                            weir_error *err)
{
    return weir__error(err, "read batch file '%s': row %llu, column '%s': the cell %s", reader->file.name,
                       (unsigned long long)reader->rows + 1, cell->column, what);
}

/* Text types: taken as they are. `wide`: there may be bytes above 0x7F. */
static weir_status take_text(weir_reader *reader, weir_cell *cell, weir_bytes text, bool wide,
                             weir_error *err)
{
    if (wide && !weir__utf8_valid(text.data, text.size))
        return bad_text(reader, cell, "is not UTF-8", err);
    cell->presence = WEIR_VALUE;
    cell->as.bytes = text;
    return WEIR_OK;
}

/* A DECIMAL with an exponent or odd zeros gets its plain form, in memory of its own (R-BAT-08). */
static void make_plain(weir_reader *reader, weir_cell *cell)
{
    char *plain = reader->plain + (size_t)(cell - reader->row_cells) * WEIR_DECIMAL_TEXT_MAX;
    weir_bytes given = cell->as.bytes;

    if (!weir__decimal_is_plain(given.data, given.size))
        cell->as.bytes = (weir_bytes){ plain, weir__decimal_plain(given.data, given.size, plain) };
}

static weir_status too_large(const weir_reader *reader, const weir_cell *cell, weir_error *err)
{
    char text[80];

    snprintf(text, sizeof text, "is larger than %zu bytes, the most that is taken here",
             cell_size_max(reader));
    return bad_text(reader, cell, text, err);
}

static weir_status take_value(weir_reader *reader, weir_cell *cell, char *data, size_t size, weir_error *err)
{
    bool wide = reader->start < reader->index->wide_end;
    size_t size_max = cell_size_max(reader);

    if (size > size_max && (cell->type != WEIR_BINARY || size / 4 * 3 > size_max + 3))
        return too_large(reader, cell, err);
    if (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML)
        return take_text(reader, cell, (weir_bytes){ data, size }, wide, err);
    if (!weir__text_parse(cell, data, size))
        return bad_cell(reader, cell, (weir_bytes){ data, size }, err);
    if (cell->type == WEIR_DECIMAL)
        make_plain(reader, cell);
    return WEIR_OK;
}

static bool is_marker(weir_bytes marker, const char *data, size_t size)
{
    return size == marker.size && (size == 0 || memcmp(data, marker.data, size) == 0);
}

/* R-BAT-06: a marker is one whatever the quoting, in every column. */
static weir_status take_cell(weir_reader *reader, weir_cell *cell, char *data, size_t size, weir_error *err)
{
    const weir_file_params *params = reader->file.params;

    if (is_marker(params->null_string, data, size)) {
        cell->presence = WEIR_NULL;
        return WEIR_OK;
    }
    if (params->unmodified_string.size > 0 && is_marker(params->unmodified_string, data, size)) {
        cell->presence = WEIR_UNMODIFIED;
        return WEIR_OK;
    }
    return take_value(reader, cell, data, size, err);
}

/* The row at `start`; its ends are in the index, or the text ends before. */
static weir_status take_row(weir_reader *reader, weir_error *err)
{
    weir_csv_index *index = reader->index;

    reader->row_start = reader->start;
    for (size_t i = 0; i < reader->target_count; i++) {
        uint32_t target = reader->targets[i];
        size_t end = index->ends[index->first];
        bool row_end = reader->buffer[end] == '\n';
        weir_status status = WEIR_OK;
        char *data;
        size_t size;

        if (row_end != (i + 1 == reader->target_count))
            return bad_row(reader, row_end ? "fewer cells" : "more cells", err);
        index->first++;
        if (!cut_cell(reader, end, row_end, &data, &size))
            return weir__unpacker_damaged(reader->file.name, err);
        if (target != SKIPPED)
            status = take_cell(reader, &reader->row_cells[target], data, size, err);
        if (status != WEIR_OK)
            return status;
        reader->start = end + 1;
    }
    if (reader->start > reader->size)
        reader->start = reader->size; /* the final LF was missing */
    return WEIR_OK;
}

static weir_op op_of(weir_batch_kind kind)
{
    return kind == WEIR_BATCH_REPLACE  ? WEIR_REPLACE
           : kind == WEIR_BATCH_UPDATE ? WEIR_UPDATE
           : kind == WEIR_BATCH_DELETE ? WEIR_DELETE
                                       : WEIR_EARLIEST;
}

weir_status weir__reader_next(weir_reader *reader, weir_row *row, weir_error *err)
{
    weir_status status = WEIR_ITEM;

    if (reader->failed)
        return weir__error(err, "read batch file '%s': it has failed before",
                           reader->file.name ? reader->file.name : "");
    poison_row(reader);
    while (status == WEIR_ITEM && reader->index->count - reader->index->first < reader->target_count)
        status = index_more(reader, err);
    if (status == WEIR_OK) {
        if (reader->index->count == reader->index->first)
            return WEIR_OK;
        /* Fewer ends than a row has: take_row says so, unless short rows follow long ones. */
        status = WEIR_ITEM;
    }
    if (status == WEIR_ITEM)
        status = take_row(reader, err);
    if (status != WEIR_OK) {
        reader->failed = true;
        return status;
    }
    reader->rows++;
    *row = (weir_row){ op_of(reader->file.kind), reader->row_cells, reader->file.table->column_count };
    return WEIR_ITEM;
}

const char *const *weir__reader_columns(const weir_reader *reader, size_t *count)
{
    *count = reader->target_count;
    return reader->names;
}

weir_status weir__reader_plain(weir_reader *reader, void *out, size_t size, size_t *got, weir_error *err)
{
    size_t ready = reader->size - reader->plain_at;
    weir_status status = WEIR_OK;

    if (reader->failed)
        return weir__error(err, "read batch file '%s': it has failed before",
                           reader->file.name ? reader->file.name : "");
    if (ready > 0) { /* what was read for the header */
        *got = ready < size ? ready : size;
        memcpy(out, reader->buffer + reader->plain_at, *got);
        reader->plain_at += *got;
        return WEIR_ITEM;
    }
    if (!reader->input_ended)
        status = weir__unpacker_read(reader->unpacker, out, size, got, err);
    reader->input_ended = status != WEIR_ITEM;
    reader->failed = status < 0;
    return status;
}
