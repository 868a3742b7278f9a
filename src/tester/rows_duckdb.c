/*
 * tester/rows_duckdb: rows from a DuckDB file; see rows.h.
 *
 * DuckDB locks a file for the one process that writes it, for as long as that process has it open;
 * destinations have it open while they run. Then the file and its log are copied into memory, to files that
 * have no name and are gone with this process, however it ends. DuckDB finds a log by its name beside the
 * file's: with one, a folder holds two links to those files, and is removed as soon as DuckDB has them open.
 * Between two requests nothing is written, so the copy is what a crash would leave: whole, with the log to be
 * replayed. Size and time of both files are compared before and after.
 *
 * destination-duckdb keeps nanoseconds beside a column, in `name (ns)`: the two are put together here. So
 * does destination-parquet; its tables are read out of the parts that their manifests list.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/text.h"
#include "duckdb/duck.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/memory_file.h"
#include "tester/rows_internal.h"

#define MEMORY_FOLDER "/dev/shm"
#define COPY_SIZE WEIR_MIB
#define COPIES_MAX 5 /* attempts, when the file changes meanwhile */

typedef struct duckdb_store {
    char *path;
    duck *db; /* in memory, from the first begin on; the file is attached to it */
    bool attached;
    duck_rows *rows;
    size_t *nanos;  /* per column of the row: the query's column with its nanoseconds, SIZE_MAX without */
    size_t *places; /* per column of the row: its place in the query */
    weir_buf scratch;
} duckdb_store;

static void duckdb_pause(void *context)
{
    duckdb_store *s = context;

    duck_rows_free(s->rows);
    s->rows = NULL;
}

static void duckdb_end(void *context)
{
    duckdb_store *s = context;

    duckdb_pause(s);
    if (s->db != NULL)
        duck_detach(s->db);
    s->attached = false;
}

static void duckdb_close_store(void *context)
{
    duckdb_store *s = context;

    duck_close(s->db);
    weir__buf_clear(&s->scratch);
    weir__free(s->path);
    weir__free(s);
}

static weir_status duckdb_open_store(const char *place, void **store, weir_error *err)
{
    duckdb_store *s;
    weir_status status = duck_load("reading rows back from a DuckDB file", err);

    if (status)
        return WEIR_FAILED;
    s = weir__calloc(1, sizeof *s);
    if (s != NULL)
        s->path = weir__copy_text(place, strlen(place));
    if (s == NULL || s->path == NULL) {
        weir__free(s);
        return weir__error_memory(err, "opening a DuckDB file");
    }
    weir__buf_init(&s->scratch, WEIR_BATCH_ROW_TEXT_MAX);
    *store = s;
    return WEIR_OK;
}

/* --- a copy in memory --- */

/* What tells one moment of the file and its log from another. */
typedef struct stamp {
    uint64_t sizes[2];
    int64_t times[2];
} stamp;

static weir_status take_stamp(const char *path, stamp *out, weir_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    weir_arena *arena = weir__arena_new(64 * WEIR_MIB);
    weir_folder_entry *entries = NULL;
    size_t count = 0;
    const char *folder = ".";
    weir_status status;

    memset(out, 0, sizeof *out);
    if (arena != NULL && slash != NULL)
        folder = weir__arena_copy(arena, path, slash > path ? (size_t)(slash - path) : 1);
    if (arena == NULL || folder == NULL)
        status = weir__error_memory(err, "copying a DuckDB file");
    else
        status = weir__folder_list(folder, arena, &entries, &count, err);
    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        bool log = strncmp(entries[i].name, name, strlen(name)) == 0 &&
                   strcmp(entries[i].name + strlen(name), ".wal") == 0;

        if (log || strcmp(entries[i].name, name) == 0) {
            out->sizes[log] = entries[i].size;
            out->times[log] = entries[i].modified_ns;
        }
    }
    weir__arena_free(arena);
    return status;
}

/* A file and its log in memory. */
typedef struct copies {
    weir_memory_file *file;
    weir_memory_file *log; /* NULL: there is none */
    uint64_t left;         /* bytes that may still be copied */
} copies;

static void drop_copies(copies *c)
{
    weir__memory_file_close(c->file);
    weir__memory_file_close(c->log);
    *c = (copies){ .left = WEIR_DUCKDB_COPY_MAX };
}

static weir_status too_large(weir_error *err)
{
    return weir__error(err, "it is too large for that, more than %zu MiB with its log; close that program",
                       WEIR_DUCKDB_COPY_MAX / WEIR_MIB);
}

static weir_status copy_bytes(weir_file *in, weir_memory_file *out, uint64_t *left, weir_error *err)
{
    char *chunk = weir__malloc(COPY_SIZE);
    size_t got = 0;
    weir_status status = chunk ? WEIR_ITEM : weir__error_memory(err, "copying a file");

    while (status == WEIR_ITEM && (status = weir__file_read(in, chunk, COPY_SIZE, &got, err)) == WEIR_ITEM) {
        if (got > *left)
            status = too_large(err);
        else if (weir__memory_file_write(out, chunk, got, err) != WEIR_OK)
            status = WEIR_FAILED;
        *left -= got;
    }
    weir__free(chunk);
    return status;
}

/* One file; one that is not there is not copied, which is WEIR_NOT_FOUND. */
static weir_status copy_file(const char *from, uint64_t *left, weir_memory_file **out, weir_error *err)
{
    weir_file *in = NULL;
    uint64_t size = 0;
    weir_status status = weir__file_open_named(from, &in, err);

    if (status == WEIR_OK)
        status = weir__file_size(in, &size, err);
    if (status == WEIR_OK && size > *left)
        status = too_large(err);
    if (status == WEIR_OK)
        status = weir__memory_file_create("weir-copy", out, err);
    if (status == WEIR_OK)
        status = copy_bytes(in, *out, left, err);
    if (status == WEIR_OK)
        status = weir__memory_file_seal(*out, err);
    weir__file_close(in);
    return status;
}

static weir_status copy_both(const char *path, copies *out, weir_error *err)
{
    char log[4096];
    weir_status status = copy_file(path, &out->left, &out->file, err);

    if (status)
        return status;
    if (snprintf(log, sizeof log, "%s.wal", path) >= (int)sizeof log)
        return weir__error(err, "'%s': the path is too long", path);
    status = copy_file(log, &out->left, &out->log, err);
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

/* Copies that nobody has written to while they were made. */
static weir_status copy_still(const char *path, copies *out, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (int attempt = 0; status == WEIR_OK && attempt < COPIES_MAX; attempt++) {
        stamp before, after;

        drop_copies(out);
        status = take_stamp(path, &before, err);
        if (status == WEIR_OK)
            status = copy_both(path, out, err);
        if (status == WEIR_OK)
            status = take_stamp(path, &after, err);
        if (status == WEIR_OK && memcmp(&before, &after, sizeof before) == 0)
            return WEIR_OK;
    }
    return status
               ? status
               : weir__error(err, "'%s' is being written to all the time; stop the destination first", path);
}

/* Open files outlive their names. */
static weir_status attach_linked(duckdb_store *s, const copies *c, weir_error *err)
{
    char folder[64];
    char copy[80];
    char log[80];
    uint64_t number = 0;
    weir_status status = weir__entropy_fill(&number, sizeof number, err);

    if (status)
        return status;
    snprintf(folder, sizeof folder, MEMORY_FOLDER "/weir-%016llx", (unsigned long long)number);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    snprintf(log, sizeof log, "%s/copy.wal", folder);
    status = weir__folder_create(folder, err);
    if (status == WEIR_OK)
        status = weir__file_link(weir__memory_file_path(c->file), copy, err);
    if (status == WEIR_OK)
        status = weir__file_link(weir__memory_file_path(c->log), log, err);
    if (status == WEIR_OK)
        status = duck_attach(s->db, copy, err);
    if (weir__folder_remove(folder, status ? NULL : err) != WEIR_OK && status == WEIR_OK)
        status = WEIR_FAILED;
    return status;
}

static weir_status open_copy(duckdb_store *s, weir_error *err)
{
    copies c = { 0 };
    weir_status status = copy_still(s->path, &c, err);

    if (status)
        weir__error_prefix(err, "copy '%s' into memory, for another program has it open", s->path);
    else if (c.log != NULL)
        status = attach_linked(s, &c, err);
    else
        status = duck_attach(s->db, weir__memory_file_path(c.file), err);
    drop_copies(&c);
    return status;
}

/* The database in memory. */
static weir_status start(duckdb_store *s, weir_error *err)
{
    const duck_options options = { .one_thread = true };

    return s->db == NULL ? duck_open(&options, &s->db, err) : WEIR_OK;
}

static weir_status open_file(duckdb_store *s, weir_error *err)
{
    weir_status status = start(s, err);

    if (status == WEIR_OK)
        status = duck_attach(s->db, s->path, err);
    return status == WEIR_TASK ? open_copy(s, err) : status;
}

/* --- rows --- */

/* Whether duck_query hands the type out; others go by way of text. */
static bool is_known(weir_bytes type)
{
    static const char *const known[] = {
        "BOOLEAN",   "TINYINT",     "SMALLINT",     "INTEGER",      "BIGINT",
        "UTINYINT",  "USMALLINT",   "UINTEGER",     "UBIGINT",      "HUGEINT",
        "FLOAT",     "DOUBLE",      "DATE",         "TIME",         "TIME_NS",
        "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE",
        "BLOB",      "VARCHAR",     "JSON"
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == type.size && memcmp(known[i], type.data, type.size) == 0)
            return true;
    return type.size > 8 && memcmp(type.data, "DECIMAL(", 8) == 0;
}

static bool put_column(weir_buf *sql, weir_bytes name, bool known)
{
    bool fits = weir__buf_put_text(sql, known ? "\"" : "CAST(\"");

    for (size_t i = 0; fits && i < name.size; i++)
        fits = (name.data[i] != '"' || weir__buf_put(sql, "\"", 1)) && weir__buf_put(sql, &name.data[i], 1);
    return fits && weir__buf_put_text(sql, known ? "\"" : "\" AS VARCHAR)");
}

/* "SELECT a, CAST(b AS VARCHAR) FROM …", from what the database says of the table. */
static weir_status word_query(duckdb_store *s, const weir_table *expected, weir_buf *sql, weir_error *err)
{
    const char *schema = expected->schema && expected->schema[0] ? expected->schema : "main";
    const weir_cell *cells;
    duck_rows *rows = NULL;
    weir_buf question;
    bool fits;
    bool first = true;
    weir_status status = WEIR_OK;

    weir__buf_init(&question, WEIR_MIB);
    fits = weir__buf_put_text(&question, "DESCRIBE ") &&
           duck_put_path(s->db, &question, schema, expected->name) && weir__buf_put(&question, "", 1) &&
           weir__buf_put_text(sql, "SELECT ");
    /* The statement says it quickly what columns there are, but not why there is no table. */
    if (fits && duck_query(s->db, question.data, NULL, 0, &rows, err) != WEIR_OK) {
        status = duck_table_find(s->db, expected->schema, expected->name, err);
        status = status == WEIR_OK ? WEIR_FAILED : status;
    }
    weir__buf_clear(&question);
    while (fits && status == WEIR_OK && (status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM) {
        bool known = is_known(cells[1].as.bytes);

        fits = (first || weir__buf_put_text(sql, ", ")) && put_column(sql, cells[0].as.bytes, known);
        if (fits && !known) /* the name that CAST has taken away */
            fits = weir__buf_put_text(sql, " AS ") && put_column(sql, cells[0].as.bytes, true);
        first = false;
        status = WEIR_OK;
    }
    duck_rows_free(rows);
    fits = fits && weir__buf_put_text(sql, " FROM ") && duck_put_path(s->db, sql, schema, expected->name) &&
           weir__buf_put(sql, "", 1);
    return status || fits ? status : weir__error_memory(err, "reading a table");
}

static const char companion_end[] = " (ns)";

/* The column whose nanoseconds these are; SIZE_MAX when the column is one of its own. */
static size_t find_base(const weir_column *columns, size_t count, const char *name)
{
    size_t size = strlen(name);
    size_t end = sizeof companion_end - 1;

    if (size <= end || strcmp(name + size - end, companion_end) != 0)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (strlen(columns[i].name) == size - end && memcmp(columns[i].name, name, size - end) == 0 &&
            (columns[i].type == WEIR_NAIVE_DATETIME || columns[i].type == WEIR_UTC_DATETIME ||
             columns[i].type == WEIR_NAIVE_TIME))
            return i;
    return SIZE_MAX;
}

static weir_status lay_out(duckdb_store *s, rows_row *row, weir_error *err)
{
    size_t count = 0;
    const weir_column *columns = duck_rows_columns(s->rows, &count);
    weir_status status = WEIR_OK;

    s->nanos = weir__arena_array(row->arena, count + 1, sizeof *s->nanos);
    s->places = weir__arena_array(row->arena, count + 1, sizeof *s->places);
    if (s->nanos == NULL || s->places == NULL)
        return weir__error_memory(err, "reading a table");
    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        if (find_base(columns, count, columns[i].name) != SIZE_MAX)
            continue;
        s->places[row->count] = i;
        s->nanos[row->count] = SIZE_MAX;
        for (size_t k = 0; k < count; k++)
            if (find_base(columns, count, columns[k].name) == i)
                s->nanos[row->count] = k;
        status = rows_row_column(row, columns[i].name, strlen(columns[i].name), err);
    }
    return status;
}

/* The database is open. */
static weir_status begin_rows(duckdb_store *s, const weir_table *expected, rows_row *row, weir_error *err)
{
    weir_buf sql;
    weir_status status;

    weir__buf_init(&sql, 64 * WEIR_MIB);
    status = word_query(s, expected, &sql, err);
    if (status == WEIR_OK)
        status = duck_query(s->db, sql.data, NULL, 0, &s->rows, err);
    if (status == WEIR_OK)
        status = lay_out(s, row, err);
    weir__buf_clear(&sql);
    return status;
}

static weir_status duckdb_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    duckdb_store *s = context;
    weir_status status = s->attached ? WEIR_OK : open_file(s, err);

    s->attached = status == WEIR_OK;
    return status == WEIR_OK ? begin_rows(context, expected, row, err) : status;
}

static weir_seen_kind kind_of(weir_type type)
{
    switch (type) {
    case WEIR_BOOLEAN:
        return WEIR_SEEN_BOOLEAN;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return WEIR_SEEN_INTEGER;
    case WEIR_DECIMAL:
        return WEIR_SEEN_DECIMAL;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return WEIR_SEEN_REAL;
    case WEIR_NAIVE_DATE:
        return WEIR_SEEN_DATE;
    case WEIR_NAIVE_TIME:
        return WEIR_SEEN_TIME;
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return WEIR_SEEN_TIMESTAMP;
    case WEIR_BINARY:
        return WEIR_SEEN_BYTES;
    default:
        return WEIR_SEEN_TEXT;
    }
}

static weir_status duckdb_next(void *context, rows_row *row, weir_error *err)
{
    duckdb_store *s = context;
    const weir_cell *cells;
    weir_status status = duck_rows_next(s->rows, &cells, err);

    if (status != WEIR_ITEM)
        return status;
    for (size_t i = 0; i < row->count; i++) {
        weir_cell cell = cells[s->places[i]];
        weir_bytes text;

        if (cell.presence == WEIR_NULL)
            continue;
        if (s->nanos[i] != SIZE_MAX && cells[s->nanos[i]].presence == WEIR_VALUE)
            cell.as.time.nanos += (int32_t)cells[s->nanos[i]].as.integer;
        s->scratch.size = 0;
        if (cell.type == WEIR_BINARY) {
            text = cell.as.bytes;
        } else if (weir__text_put(&s->scratch, &cell, err) == WEIR_OK) {
            text = weir__buf_bytes(&s->scratch);
        } else {
            return WEIR_FAILED;
        }
        status = rows_row_put(row, i, kind_of(cell.type), text.data, text.size, err);
        if (status)
            return status;
    }
    return WEIR_ITEM;
}

const rows_kind rows_duckdb = {
    .name = "duckdb",
    .time_digits = 6,
    .place = "PATH",
    .open = duckdb_open_store,
    .begin = duckdb_begin,
    .next = duckdb_next,
    .end = duckdb_end,
    .pause = duckdb_pause,
    .close = duckdb_close_store,
};

/* --- destination-parquet's folders --- */

#define NAME_SIZE_MAX 200 /* of a folder, longer ones are cut */

/* The name of a schema's or a table's folder: all but a-z, 0-9, _ and - is %XX, and nothing is %. */
static bool put_folder(weir_buf *path, const char *name)
{
    size_t start = path->size;
    size_t cut = start;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    bool fits = name[0] != '\0' || weir__buf_put_text(path, "%");

    for (const unsigned char *at = (const unsigned char *)name; fits && *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == '-';

        cut = path->size - start <= NAME_SIZE_MAX - 20 ? path->size : cut;
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
        fits = plain ? weir__buf_put(path, at, 1) : weir__buf_printf(path, "%%%02X", *at);
    }
    if (!fits || path->size - start <= NAME_SIZE_MAX)
        return fits;
    path->size = cut;
    return weir__buf_printf(path, "~%016llx", (unsigned long long)hash);
}

/* Adds the one column of a query's rows to `sql`, as 'before' || text || 'after' between commas. */
static weir_status put_list(duckdb_store *s, const char *query, const char *file, const char *before,
                            const char *after, weir_buf *sql, weir_error *err)
{
    const weir_cell value = weir_string("file", file);
    const weir_cell *cells;
    duck_rows *rows = NULL;
    bool fits = true;
    bool first = true;
    weir_status status = duck_query(s->db, query, &value, 1, &rows, err);

    while (status == WEIR_OK && (status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM) {
        weir_bytes text = cells[0].as.bytes;

        fits = fits && (first || weir__buf_put_text(sql, ", ")) && weir__buf_put_text(sql, before) &&
               weir__buf_put(sql, text.data, text.size) && weir__buf_put_text(sql, after);
        first = false;
        status = WEIR_OK;
    }
    duck_rows_free(rows);
    return status || fits ? status : weir__error_memory(err, "reading a manifest");
}

/* A view of the parts that the manifest lists, under the table's name; without parts an empty table. */
static weir_status word_view(duckdb_store *s, const weir_table *expected, const char *folder, weir_buf *sql,
                             weir_error *err)
{
    const char *schema = expected->schema && expected->schema[0] ? expected->schema : "main";
    weir_buf manifest, before;
    bool fits;
    size_t start;
    weir_status status;

    weir__buf_init(&manifest, WEIR_MIB);
    weir__buf_init(&before, WEIR_MIB);
    fits = weir__buf_printf(&manifest, "%s/manifest.json", folder) && weir__buf_put(&manifest, "", 1) &&
           weir__buf_put_text(&before, "'") && weir__buf_put_text(&before, folder) &&
           weir__buf_put(&before, "/", 2) && weir__buf_put_text(sql, "CREATE SCHEMA IF NOT EXISTS ") &&
           duck_put_name(sql, schema) && weir__buf_put_text(sql, "; CREATE VIEW ") &&
           duck_put_path(s->db, sql, schema, expected->name) &&
           weir__buf_put_text(sql, " AS SELECT * FROM read_parquet([");
    start = sql->size;
    status = fits ? put_list(s,
                             "SELECT unnest(parts).file FROM read_json($1, columns = {parts: 'STRUCT(file "
                             "VARCHAR)[]'}, maximum_object_size = 67108864)",
                             manifest.data, before.data, "'", sql, err)
                  : weir__error_memory(err, "reading a manifest");
    if (status == WEIR_OK && sql->size == start) {
        sql->size = 0;
        fits = weir__buf_put_text(sql, "CREATE SCHEMA IF NOT EXISTS ") && duck_put_name(sql, schema) &&
               weir__buf_put_text(sql, "; CREATE TABLE ") &&
               duck_put_path(s->db, sql, schema, expected->name) && weir__buf_put_text(sql, " (");
        status = put_list(s,
                          "SELECT '\"' || replace(unnest(columns).name, '\"', '\"\"') || '\"' FROM "
                          "read_json($1, columns = {columns: 'STRUCT(name VARCHAR)[]'})",
                          manifest.data, "", " VARCHAR", sql, err);
        fits = fits && weir__buf_put(sql, ")", 2);
    } else {
        fits = weir__buf_put(sql, "], hive_partitioning = false)", sizeof "], hive_partitioning = false)");
    }
    weir__buf_clear(&manifest);
    weir__buf_clear(&before);
    return status || fits ? status : weir__error_memory(err, "reading a manifest");
}

static weir_status open_folder(duckdb_store *s, const weir_table *expected, weir_error *err)
{
    weir_file *manifest = NULL;
    weir_buf folder, sql;
    size_t size;
    weir_status status = WEIR_OK;

    weir__buf_init(&folder, WEIR_MIB);
    weir__buf_init(&sql, 64 * WEIR_MIB);
    if (!weir__buf_printf(&folder, "%s/", s->path) ||
        !put_folder(&folder, expected->schema ? expected->schema : "") || !weir__buf_put_text(&folder, "/") ||
        !put_folder(&folder, expected->name))
        status = weir__error_memory(err, "reading a manifest");
    size = folder.size;
    if (status == WEIR_OK && !weir__buf_put(&folder, "/manifest.json", sizeof "/manifest.json"))
        status = weir__error_memory(err, "reading a manifest");
    if (status == WEIR_OK)
        status = weir__file_open_named(folder.data, &manifest, err);
    weir__file_close(manifest);
    if (status == WEIR_OK) {
        folder.data[size] = '\0';
        status = start(s, err);
    }
    if (status == WEIR_OK)
        status = duck_attach(s->db, NULL, err);
    if (status == WEIR_OK)
        status = word_view(s, expected, folder.data, &sql, err);
    if (status == WEIR_OK)
        status = duck_run(s->db, sql.data, err);
    weir__buf_clear(&folder);
    weir__buf_clear(&sql);
    return status;
}

static weir_status parquet_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    weir_status status = open_folder(context, expected, err);

    return status == WEIR_OK ? begin_rows(context, expected, row, err) : status;
}

const rows_kind rows_parquet = {
    .name = "parquet",
    .time_digits = 6,
    .place = "FOLDER",
    .open = duckdb_open_store,
    .begin = parquet_begin,
    .next = duckdb_next,
    .end = duckdb_end,
    .close = duckdb_close_store,
};
