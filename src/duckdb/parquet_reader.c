/* duckdb/parquet_reader: a Parquet file in memory as rows of a batch; see parquet.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "batch/unpack.h"
#include "data/convert.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"
#include "duckdb/internal.h"
#include "duckdb/parquet_internal.h"

#define UNPACK_SIZE (256 * WEIR_KIB) /* unpacked at a time */
#define SKIPPED SIZE_MAX             /* a column of the file that is not read */

struct parquet_reader {
    parquet_reader_file file;
    duck *db;
    weir_memory_file *memory;
    duck_rows *rows;
    size_t *targets; /* per column of the file: the table's */
    size_t count;    /* columns of the file */
    weir_cell *cells;
    weir_buf *texts; /* per column of the table: what a converted value points to */
    uint64_t row;
    weir_status failed;
};

static weir_status damaged(const parquet_reader *r, weir_error *err)
{
    weir__error_prefix(err, "read batch file '%s'", r->file.name);
    return WEIR_FAILED;
}

/* Whether the kind of file has this column of the table read at all (R-BAT-09). */
static bool column_counts(const parquet_reader *r, const weir_column *column)
{
    return r->file.kind != WEIR_BATCH_DELETE || column->key || weir__name_is_system(column->name);
}

static weir_status map_columns(parquet_reader *r, weir_error *err)
{
    const weir_column *columns = duck_rows_columns(r->rows, &r->count);

    r->targets = weir__calloc(r->count + 1, sizeof *r->targets);
    if (r->targets == NULL)
        return weir__error_memory(err, "reading Parquet");
    for (size_t i = 0; i < r->count; i++) {
        size_t at = weir__table_find(r->file.table, (weir_bytes){ columns[i].name, strlen(columns[i].name) });

        if (at == SIZE_MAX && r->file.kind != WEIR_BATCH_DELETE)
            return weir__error(err, "it has a column '%s', which table '%s' lacks", columns[i].name,
                               r->file.table->name);
        r->targets[i] = at == SIZE_MAX || !column_counts(r, &r->file.table->columns[at]) ? SKIPPED : at;
    }
    return WEIR_OK;
}

static weir_status check_keys(const parquet_reader *r, weir_error *err)
{
    for (size_t i = 0; i < r->file.table->column_count; i++) {
        const weir_column *column = &r->file.table->columns[i];
        bool there = !column->key || (r->file.kind == WEIR_BATCH_DELETE &&
                                      strcmp(column->name, "_fivetran_start") == 0); /* R-HIS-04 */

        for (size_t k = 0; !there && k < r->count; k++)
            there = r->targets[k] == i;
        if (!there)
            return weir__error(err, "it lacks the key column '%s' of table '%s'", column->name,
                               r->file.table->name);
    }
    return WEIR_OK;
}

static weir_status query(parquet_reader *r, weir_error *err)
{
    weir_buf sql;
    weir_status status;

    weir__buf_init(&sql, WEIR_MIB);
    if (weir__buf_put_text(&sql, "SELECT * FROM read_parquet(") &&
        duck_put_text(&sql, weir__memory_file_path(r->memory)) && weir__buf_put(&sql, ")", 2))
        status = duck_query(r->db, sql.data, NULL, 0, &r->rows, err);
    else
        status = weir__error_memory(err, "reading Parquet");
    weir__buf_clear(&sql);
    return status;
}

static weir_status begin(parquet_reader *r, weir_error *err)
{
    size_t count = r->file.table->column_count;
    weir_status status = parquet_open(r->file.db, &r->db, &r->memory, err);

    if (status)
        return status;
    r->cells = weir__calloc(count + 1, sizeof *r->cells);
    r->texts = weir__calloc(count + 1, sizeof *r->texts);
    if (r->cells == NULL || r->texts == NULL)
        return weir__error_memory(err, "reading Parquet");
    for (size_t i = 0; i < count; i++)
        weir__buf_init(&r->texts[i], WEIR_BATCH_ROW_TEXT_MAX);
    status = weir__memory_file_write(r->memory, r->file.plaintext.data, r->file.plaintext.size, err);
    if (status == WEIR_OK)
        status = query(r, err);
    if (status == WEIR_OK)
        status = map_columns(r, err);
    if (status == WEIR_OK)
        status = check_keys(r, err);
    return status ? damaged(r, err) : WEIR_OK;
}

weir_status parquet_reader_new(const parquet_reader_file *file, parquet_reader **out, weir_error *err)
{
    parquet_reader *r = weir__calloc(1, sizeof *r);
    weir_status status;

    if (r == NULL)
        return weir__error_memory(err, "reading Parquet");
    r->file = *file;
    status = begin(r, err);
    if (status) {
        parquet_reader_free(r);
        return status;
    }
    *out = r;
    return WEIR_OK;
}

/* The file's plaintext, decrypted and decompressed. */
static weir_status unpack(const weir_reader_file *file, weir_buf *out, weir_error *err)
{
    weir_unpacker_file packed = { file->name, file->params->compression, file->params->encryption, file->key,
                                  file->input };
    weir_unpacker *unpacker = weir__unpacker_new();
    weir_status status = unpacker ? weir__unpacker_open(unpacker, &packed, err)
                                  : weir__error_memory(err, "reading a batch file");

    while (status == WEIR_OK) {
        char *at = weir__buf_reserve(out, UNPACK_SIZE);
        size_t got = 0;

        status = at ? weir__unpacker_read(unpacker, at, UNPACK_SIZE, &got, err)
                    : weir__error_memory(err, "reading a batch file");
        out->size += got;
        if (status == WEIR_OK)
            break;
        if (status == WEIR_ITEM)
            status = WEIR_OK;
    }
    weir__unpacker_free(unpacker);
    return status;
}

weir_status parquet_reader_open(const weir_reader_file *file, duck *db, parquet_reader **out, weir_error *err)
{
    parquet_reader_file plain = {
        .name = file->name, .kind = file->kind, .table = file->table, .params = file->params, .db = db
    };
    weir_buf text;
    weir_status status;

    weir__buf_init(&text, WEIR_BATCH_MEMORY_MAX);
    status = unpack(file, &text, err);
    plain.plaintext = weir__buf_bytes(&text);
    if (status == WEIR_OK)
        status = parquet_reader_new(&plain, out, err);
    weir__buf_clear(&text);
    return status;
}

const size_t *parquet_reader_places(const parquet_reader *r, size_t *count)
{
    *count = r->count;
    return r->targets;
}

void parquet_reader_free(parquet_reader *r)
{
    if (r == NULL)
        return;
    duck_rows_free(r->rows);
    parquet_close(r->file.db, r->db, r->memory);
    for (size_t i = 0; r->texts != NULL && i < r->file.table->column_count; i++)
        weir__buf_clear(&r->texts[i]);
    weir__free(r->texts);
    weir__free(r->cells);
    weir__free(r->targets);
    weir__free(r);
}

static bool is_marker(weir_bytes marker, weir_bytes text)
{
    return marker.size > 0 && marker.size == text.size && memcmp(marker.data, text.data, text.size) == 0;
}

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML;
}

/* A run of bytes into a column of any type. */
static weir_status take_bytes(const weir_cell *from, weir_cell *to, weir_buf *text, weir_error *err)
{
    if (to->type == WEIR_BINARY && from->type == WEIR_BINARY) {
        to->as.bytes = from->as.bytes;
        return WEIR_OK;
    }
    if (from->type == WEIR_BINARY && !weir__utf8_valid(from->as.bytes.data, from->as.bytes.size))
        return weir__error(err, "bytes that are no text");
    if (is_text(to->type)) {
        to->as.bytes = from->as.bytes;
        return WEIR_OK;
    }
    if (!weir__buf_put(text, from->as.bytes.data, from->as.bytes.size) || !weir__buf_put(text, "", 1))
        return weir__error_memory(err, "reading Parquet");
    if (!weir__text_parse(to, text->data, text->size - 1))
        return weir__text_parse_error(to, from->as.bytes, err);
    return WEIR_OK;
}

static weir_status take_integer(const weir_cell *from, weir_cell *to, weir_error *err)
{
    int64_t limit = to->type == WEIR_SHORT ? INT16_MAX : to->type == WEIR_INT ? INT32_MAX : INT64_MAX;

    if (from->as.integer > limit || from->as.integer < -limit - 1)
        return weir__error(err, "%lld is no %s", (long long)from->as.integer, weir_type_name(to->type));
    to->as.integer = from->as.integer;
    return WEIR_OK;
}

static weir_status take_value(const weir_cell *from, weir_cell *to, weir_buf *text, weir_error *err)
{
    weir_cell copy = *from;
    weir_status status;

    to->presence = WEIR_VALUE;
    if (from->type == WEIR_STRING || from->type == WEIR_BINARY)
        return take_bytes(from, to, text, err);
    if (weir__type_is_integer(from->type) && weir__type_is_integer(to->type))
        return take_integer(from, to, err);
    if (from->type == WEIR_NAIVE_DATETIME && to->type == WEIR_UTC_DATETIME) { /* Parquet's own instants */
        to->as.time = from->as.time;
        return WEIR_OK;
    }
    if (from->type == to->type) {
        to->as = from->as;
        return WEIR_OK;
    }
    status = weir__convert_cell(&copy, to->type, text, err);
    if (status == WEIR_OK)
        to->as = copy.as;
    return status;
}

static weir_status take_cell(parquet_reader *r, const weir_cell *from, size_t column, weir_error *err)
{
    const weir_column *own = &r->file.table->columns[column];
    weir_cell *to = &r->cells[column];
    bool bytes = from->presence == WEIR_VALUE && weir__type_is_bytes(from->type) &&
                 from->type != WEIR_DECIMAL;
    weir_status status = WEIR_OK;

    if (bytes && is_marker(r->file.params->unmodified_string, from->as.bytes))
        to->presence = WEIR_UNMODIFIED;
    else if (from->presence == WEIR_NULL || (bytes && is_marker(r->file.params->null_string, from->as.bytes)))
        to->presence = WEIR_NULL;
    else {
        r->texts[column].size = 0;
        status = take_value(from, to, &r->texts[column], err);
    }
    if (status)
        weir__error_prefix(err, "read batch file '%s': row %llu, column '%s'", r->file.name,
                           (unsigned long long)r->row, own->name);
    return status;
}

static weir_op op_of(weir_batch_kind kind)
{
    return kind == WEIR_BATCH_REPLACE  ? WEIR_REPLACE
           : kind == WEIR_BATCH_UPDATE ? WEIR_UPDATE
           : kind == WEIR_BATCH_DELETE ? WEIR_DELETE
                                       : WEIR_EARLIEST;
}

weir_status parquet_reader_next(parquet_reader *r, weir_row *row, weir_error *err)
{
    const weir_cell *cells;
    weir_status status;

    if (r->failed)
        return weir__error_as(err, r->failed, "read batch file '%s': it has failed before", r->file.name);
    status = duck_rows_next(r->rows, &cells, err);
    if (status == WEIR_OK)
        return status;
    if (status < 0)
        return r->failed = damaged(r, err);
    r->row++;
    for (size_t i = 0; i < r->file.table->column_count; i++)
        r->cells[i] = (weir_cell){
            .column = r->file.table->columns[i].name,
            .type = r->file.table->columns[i].type,
            .presence = r->file.kind == WEIR_BATCH_REPLACE ? WEIR_NULL : WEIR_UNMODIFIED,
        };
    for (size_t i = 0; i < r->count; i++) {
        if (r->targets[i] == SKIPPED)
            continue;
        status = take_cell(r, &cells[i], r->targets[i], err);
        if (status < 0)
            return r->failed = WEIR_FAILED;
    }
    *row = (weir_row){ op_of(r->file.kind), r->cells, r->file.table->column_count };
    return WEIR_ITEM;
}
