/* duckdb/parquet: rows are staged in a table in memory and copied to a file in memory; see parquet.h. */
#include "duckdb/parquet.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/decimal.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"
#include "duckdb/internal.h"
#include "duckdb/parquet_internal.h"

weir_status parquet_database(duck **out, weir_error *err)
{
    const duck_options options = { .path = NULL };
    duck *db = NULL;
    weir_status status = duck_load("Parquet batch files", err);

    if (status == WEIR_OK)
        status = duck_open(&options, &db, err);
    /* One thread makes a file in less time than several, which have little to do. */
    if (status == WEIR_OK)
        status = duck_run(db,
                          "SET threads = 1; SET allowed_directories = ['/proc/self/fd/']; SET "
                          "enable_external_access = false; "
                          "SET lock_configuration = true",
                          err);
    if (status) {
        duck_close(db);
        return status;
    }
    *out = db;
    return WEIR_OK;
}

weir_status parquet_open(duck *given, duck **db, weir_memory_file **file, weir_error *err)
{
    weir_status status = WEIR_OK;

    *db = given;
    if (given == NULL)
        status = parquet_database(db, err);
    return status ? status : weir__memory_file_create("weir-parquet", file, err);
}

void parquet_close(duck *given, duck *db, weir_memory_file *file)
{
    if (given == NULL)
        duck_close(db);
    weir__memory_file_close(file);
}

/* What a column is staged as. */
typedef struct stage_column {
    bool text;     /* staged in its text form */
    bool measured; /* a DECIMAL without bounds */
    uint32_t whole;
    uint32_t fraction;
    uint64_t unmodified; /* cells so far */
} stage_column;

struct parquet_writer {
    weir_arena *arena;
    const weir_table *table; /* in the arena */
    weir_batch_kind kind;
    weir_bytes unmodified_string;
    stage_column *columns;
    weir_cell *cells; /* a row of the stage */
    weir_buf *texts;  /* of its cells */
    duck *db;
    duck *given; /* `db`, when it is somebody else's */
    bool staged; /* `db` has the table of the rows */
    weir_memory_file *file;
    duck_appender *appender;
};

/* The type of a column in the file, when it is not a string for the sake of unmodified or too wide cells. */
static void file_type(const weir_column *column, const stage_column *staged, char out[40])
{
    weir_column as = *column;

    if (column->type == WEIR_SHORT)
        as.type = WEIR_INT;
    else if (weir__type_is_time(column->type))
        as.type = WEIR_STRING;
    else if (staged->measured) {
        as.params.scale = staged->fraction;
        as.params.precision = staged->whole + staged->fraction > 0 ? staged->whole + staged->fraction : 1;
    }
    duck_type(&as, out);
}

/* DuckDB folds ASCII letters only. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Finds columns whose names differ in case only. `lowered` has room for their names. */
static weir_status check_names(const weir_table *table, char *lowered, weir_map *seen, weir_error *err)
{
    for (size_t i = 0; i < table->column_count; i++) {
        weir_bytes name = { lowered, strlen(table->columns[i].name) };
        const char *other;

        for (size_t k = 0; k < name.size; k++)
            lowered[k] = lower(table->columns[i].name[k]);
        other = weir__map_get(seen, name);
        if (other != NULL)
            return weir__error_as(err, WEIR_UNSUPPORTED,
                                  "write table '%s' as Parquet: DuckDB cannot tell the columns '%s' and '%s' "
                                  "apart: leave one of them out, or have the destination take CSV",
                                  table->name, other, table->columns[i].name);
        if (!weir__map_put(seen, name, (void *)(uintptr_t)table->columns[i].name))
            return weir__error_memory(err, "writing Parquet");
        lowered += name.size;
    }
    return WEIR_OK;
}

weir_status parquet_check(const weir_table *table, weir_error *err)
{
    size_t size = 1;
    weir_status status;
    weir_map seen;
    char *lowered;

    for (size_t i = 0; i < table->column_count; i++) {
        size += strlen(table->columns[i].name);
        if (table->columns[i].type == WEIR_NAIVE_DATETIME)
            return weir__error_as(
                err, WEIR_UNSUPPORTED,
                "write table '%s' as Parquet: column '%s' is a NAIVE_DATETIME, which Parquet batch "
                "files cannot hold (R-BAT-11): leave the column out, or have the destination take CSV",
                table->name, table->columns[i].name);
    }
    lowered = weir__malloc(size);
    if (lowered == NULL)
        return weir__error_memory(err, "writing Parquet");
    weir__map_init(&seen, 0);
    status = check_names(table, lowered, &seen, err);
    weir__map_clear(&seen);
    weir__free(lowered);
    return status;
}

static weir_status make_stage(parquet_writer *w, weir_error *err)
{
    size_t count = w->table->column_count;
    weir_column *columns = weir__arena_array(w->arena, count, sizeof *columns);
    weir_table stage = { .name = "rows", .columns = columns, .column_count = count };
    weir_status status;

    if (columns == NULL)
        return weir__error_memory(err, "writing Parquet");
    for (size_t i = 0; i < count; i++) {
        const weir_column *from = &w->table->columns[i];

        w->columns[i].measured = from->type == WEIR_DECIMAL && from->params.precision == 0;
        w->columns[i].text = w->kind == WEIR_BATCH_UPDATE || w->columns[i].measured ||
                             weir__type_is_time(from->type);
        columns[i].name = weir__arena_printf(w->arena, "c%zu", i);
        columns[i].type = w->columns[i].text ? WEIR_STRING : from->type;
        columns[i].params = from->params;
        weir__buf_init(&w->texts[i], WEIR_BATCH_ROW_TEXT_MAX);
        if (columns[i].name == NULL)
            return weir__error_memory(err, "writing Parquet");
    }
    status = duck_table_create(w->db, &stage, err);
    w->staged = status == WEIR_OK;
    return status ? status : duck_appender_new(w->db, &stage, &w->appender, err);
}

static weir_status begin(parquet_writer *w, const parquet_writer_file *file, weir_error *err)
{
    size_t count = file->table->column_count;
    weir_status status = weir__table_check(file->table, err);

    if (status == WEIR_OK)
        status = parquet_check(file->table, err);
    if (status)
        return status;
    w->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (w->arena == NULL || (w->table = weir__table_copy(file->table, w->arena)) == NULL)
        return weir__error_memory(err, "writing Parquet");
    w->columns = weir__arena_array(w->arena, count, sizeof *w->columns);
    w->cells = weir__arena_array(w->arena, count, sizeof *w->cells);
    w->texts = weir__arena_array(w->arena, count, sizeof *w->texts);
    if (w->columns == NULL || w->cells == NULL || w->texts == NULL)
        return weir__error_memory(err, "writing Parquet");
    w->given = file->db;
    status = parquet_open(w->given, &w->db, &w->file, err);
    return status ? status : make_stage(w, err);
}

weir_status parquet_writer_new(const parquet_writer_file *file, parquet_writer **out, weir_error *err)
{
    parquet_writer *w = weir__calloc(1, sizeof *w);
    weir_status status;

    if (w == NULL)
        return weir__error_memory(err, "writing Parquet");
    w->kind = file->kind;
    w->unmodified_string = file->unmodified_string;
    status = begin(w, file, err);
    if (status) {
        parquet_writer_free(w);
        return status;
    }
    *out = w;
    return WEIR_OK;
}

static void drop_stage(duck *db)
{
    weir_status status = duck_run(db, "DROP TABLE rows", NULL);

    (void)status; /* the next file will say what is wrong */
}

void parquet_writer_free(parquet_writer *w)
{
    if (w == NULL)
        return;
    duck_appender_free(w->appender);
    if (w->given != NULL && w->staged)
        drop_stage(w->db);
    parquet_close(w->given, w->db, w->file);
    for (size_t i = 0; w->texts != NULL && i < w->table->column_count; i++)
        weir__buf_clear(&w->texts[i]);
    weir__arena_free(w->arena);
    weir__free(w);
}

/*
 * Digits that the column needs for what it has met and this value; false past the column's own bounds: the
 * last cast must not round.
 */
static bool measure(const parquet_writer *w, size_t i, weir_bytes text, uint32_t *whole, uint32_t *fraction)
{
    const stage_column *column = &w->columns[i];
    weir_params bounds = w->table->columns[i].params;
    char normal[WEIR_DECIMAL_TEXT_MAX];
    size_t size = weir__decimal_normal(text.data, text.size, normal);

    if (size == 0 || !weir__decimal_digits(normal, size, whole, fraction))
        return false;
    if (!column->measured)
        return *fraction <= bounds.scale && *whole <= bounds.precision - bounds.scale;
    *whole = *whole > column->whole ? *whole : column->whole;
    *fraction = *fraction > column->fraction ? *fraction : column->fraction;
    return true;
}

/* Values that no decimal type holds together. */
static bool is_too_wide(const stage_column *column)
{
    return column->whole + column->fraction > WEIR_DECIMAL_DIGITS_MAX;
}

static weir_status refuse(const parquet_writer *w, size_t column, const char *why, weir_error *err)
{
    return weir__error(err, "write table '%s' as Parquet: column '%s': %s", w->table->name,
                       w->table->columns[column].name, why);
}

/* The cell as it is staged. */
static weir_status stage_cell(parquet_writer *w, size_t i, const weir_cell *cell, weir_error *err)
{
    const stage_column *staged = &w->columns[i];

    w->cells[i] = *cell;
    if (cell->presence == WEIR_UNMODIFIED) {
        if (w->kind != WEIR_BATCH_UPDATE || w->unmodified_string.size == 0)
            return refuse(w, i, "a cell without a value in a file that has no unmodified cells", err);
        w->cells[i] = weir_string_n("", w->unmodified_string.data, w->unmodified_string.size);
    }
    if (cell->presence != WEIR_VALUE)
        return WEIR_OK;
    if (cell->type != w->table->columns[i].type)
        return refuse(w, i, "a value of another type", err);
    if (!staged->text)
        return WEIR_OK;
    w->texts[i].size = 0;
    if (weir__text_put(&w->texts[i], cell, err) != WEIR_OK)
        return WEIR_FAILED;
    w->cells[i] = weir_string_n("", w->texts[i].data ? w->texts[i].data : "", w->texts[i].size);
    return WEIR_OK;
}

/* A DECIMAL that is staged as text, so that nobody else counts its digits. */
static bool is_number(const parquet_writer *w, size_t i, const weir_cell *cell)
{
    return w->columns[i].text && cell->presence == WEIR_VALUE && cell->type == WEIR_DECIMAL;
}

weir_status parquet_writer_row(parquet_writer *w, const weir_cell *cells, size_t count, weir_error *err)
{
    uint32_t whole, fraction;
    weir_status status = WEIR_OK;

    if (count != w->table->column_count)
        return weir__error(err, "write table '%s' as Parquet: %zu cells for %zu columns", w->table->name,
                           count, w->table->column_count);
    for (size_t i = 0; i < count; i++) {
        status = stage_cell(w, i, &cells[i], err);
        if (status == WEIR_OK && is_number(w, i, &cells[i]) &&
            !measure(w, i, cells[i].as.bytes, &whole, &fraction))
            status = refuse(w, i, "more digits than the column has", err);
        if (status)
            return status;
    }
    status = duck_appender_row(w->appender, w->cells, count, err);
    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        w->columns[i].unmodified += cells[i].presence == WEIR_UNMODIFIED;
        if (is_number(w, i, &cells[i]) && measure(w, i, cells[i].as.bytes, &whole, &fraction)) {
            w->columns[i].whole = whole;
            w->columns[i].fraction = fraction;
        }
    }
    return status;
}

/* `CAST(c3 AS BIGINT) AS "name"`. Texts that become values are ours, so no cast can fail or round. */
static bool put_column(const parquet_writer *w, weir_buf *sql, size_t i)
{
    const weir_column *column = &w->table->columns[i];
    char type[40];
    bool fits;

    file_type(column, &w->columns[i], type);
    if (w->columns[i].unmodified > 0 || is_too_wide(&w->columns[i]))
        fits = weir__buf_printf(sql, "c%zu AS ", i);
    else if (w->columns[i].text && column->type == WEIR_BINARY)
        fits = weir__buf_printf(sql, "from_base64(c%zu) AS ", i);
    else
        fits = weir__buf_printf(sql, "CAST(c%zu AS %s) AS ", i, type);
    return fits && duck_put_name(sql, column->name);
}

weir_status parquet_writer_finish(parquet_writer *w, weir_bytes *out, weir_error *err)
{
    weir_buf sql;
    bool fits;
    weir_status status = duck_appender_flush(w->appender, err);

    if (status)
        return status;
    weir__buf_init(&sql, DUCK_SQL_SIZE_MAX);
    fits = weir__buf_put_text(&sql, "COPY (SELECT ");
    for (size_t i = 0; fits && i < w->table->column_count; i++)
        fits = (i == 0 || weir__buf_put_text(&sql, ", ")) && put_column(w, &sql, i);
    fits = fits && weir__buf_put_text(&sql, " FROM rows) TO ") &&
           duck_put_text(&sql, weir__memory_file_path(w->file)) &&
           weir__buf_put_text(&sql, " (FORMAT parquet, COMPRESSION uncompressed, USE_TMP_FILE false)") &&
           weir__buf_put(&sql, "", 1);
    status = fits ? duck_run(w->db, sql.data, err) : weir__error_memory(err, "writing Parquet");
    weir__buf_clear(&sql);
    if (status)
        return weir__error_prefix(err, "write table '%s' as Parquet", w->table->name);
    return weir__memory_file_bytes(w->file, out, err);
}
