/* tester/emit: see emit.h. */
#include "tester/emit.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/utf8.h"
#include "batch/writer.h"
#include "data/text.h"
#include "duckdb/parquet.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define OFFICIAL_NULL "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP"
#define OFFICIAL_UNMODIFIED "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"
#define CELL_FIXED ((size_t)96) /* a cell's text but its bytes, at most */

struct emitter {
    const tester_options *options;
    bool parquet;
    weir_writer *writer;
    weir_packer *packer; /* of Parquet files */
    duck *db;            /* where they are made; opened with the first one */
    weir_buf cells;      /* of one row, in the file's order */
    uint64_t state;      /* of the random numbers */
    unsigned request;
};

/* One kind of a request on its way into files. */
typedef struct writing {
    emitter *e;
    const weir_table *table;
    const char *input;
    const plan_rows *rows;
    plan_kind kind;
    weir_file_params params;
    weir_table header; /* columns in the file's order */
    size_t *order;     /* column number per place in the file */
    unsigned part;
    emit_files *out;
    weir_error *err;
} writing;

emitter *emitter_new(const tester_options *options, bool parquet)
{
    emitter *e = weir__calloc(1, sizeof *e);

    if (e == NULL)
        return NULL;
    e->options = options;
    e->parquet = parquet;
    e->state = options->seed;
    weir__buf_init(&e->cells, WEIR_COLUMN_COUNT_MAX * sizeof(weir_cell));
    e->writer = weir__writer_new();
    e->packer = weir__packer_new();
    if (e->writer == NULL || e->packer == NULL) {
        emitter_free(e);
        return NULL;
    }
    return e;
}

void emitter_free(emitter *e)
{
    if (e == NULL)
        return;
    weir__writer_free(e->writer);
    weir__packer_free(e->packer);
    duck_close(e->db);
    weir__buf_clear(&e->cells);
    weir__free(e);
}

/* splitmix64 */
uint64_t emit_random(emitter *e)
{
    uint64_t z = e->state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static weir_status fill_seeded(void *context, void *data, size_t size, weir_error *err)
{
    emitter *e = context;
    unsigned char *out = data;

    (void)err;
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)emit_random(e);
    return WEIR_OK;
}

static weir_status fill_secret(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    return weir__entropy_fill(data, size, err);
}

static weir_status make_markers(emitter *e, weir_batch_markers *out, weir_error *err)
{
    weir_entropy entropy = { .fill = fill_seeded, .context = e };

    if (e->options->profile != TESTER_OFFICIAL)
        return weir__batch_markers_make(&entropy, out, err); /* R-BAT-06: random per request */
    memcpy(out->null_string, OFFICIAL_NULL, sizeof OFFICIAL_NULL);
    memcpy(out->unmodified_string, OFFICIAL_UNMODIFIED, sizeof OFFICIAL_UNMODIFIED);
    return WEIR_OK;
}

/* --- names --- */

/* A name as part of a file's name: no separators, no control characters, at most 100 bytes. */
static void safe_name(const char *name, char out[101])
{
    size_t size = weir__utf8_cut(name, strlen(name), 100);

    memcpy(out, name, size);
    out[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == '/' || out[i] == 0x7F)
            out[i] = '_';
}

static char *make_path(const writing *w)
{
    static const char *const kinds[] = { "earliest", "upsert", "update", "delete" };
    const tester_options *options = w->e->options;
    char table[101];
    char input[101];
    char number[40] = "";
    char part[40] = "";
    size_t size = strlen(options->folder) + 400;
    char *path = weir__malloc(size);

    safe_name(w->table->name, table);
    safe_name(w->input, input);
    if (options->profile != TESTER_OFFICIAL)
        snprintf(number, sizeof number, "_%u", w->e->request);
    if (w->part > 1)
        snprintf(part, sizeof part, "_%u", w->part);
    if (path != NULL)
        snprintf(path, size, "%s/%s_%s%s_%s%s%s%s", options->folder, table, input, number, kinds[w->kind],
                 part, w->e->parquet ? ".parquet" : ".csv", options->plain_text ? "" : ".zstd.aes");
    return path;
}

/* --- files --- */

static weir_status add_file(writing *w, emit_file **out)
{
    emit_file *file = weir__calloc(1, sizeof *file);
    weir_entropy entropy = { .fill = fill_secret };
    weir_batch_secret secret;
    weir_status status = WEIR_OK;

    if (file != NULL)
        file->path = make_path(w);
    if (file == NULL || file->path == NULL)
        status = weir__error_memory(w->err, "naming a batch file");
    if (status == WEIR_OK)
        status = weir__batch_secret_make(&entropy, &secret, w->err);
    if (status != WEIR_OK) {
        if (file != NULL)
            weir__free(file->path);
        weir__free(file);
        return status;
    }
    file->kind = w->kind;
    memcpy(file->key, secret.key, sizeof file->key); /* R-BAT-02: a key of its own */
    explicit_bzero(&secret, sizeof secret);
    if (w->out->last == NULL)
        w->out->first = file;
    else
        w->out->last->next = file;
    w->out->last = file;
    w->out->count++;
    *out = file;
    return WEIR_OK;
}

/* With --keep-files: the key beside its file, for whoever wants to look into it. */
static weir_status keep_key(const writing *w, const emit_file *file)
{
    size_t size = strlen(file->path) + 5;
    char *path = weir__malloc(size);
    weir_status status;

    if (!w->e->options->keep_files || w->e->options->plain_text) {
        weir__free(path);
        return WEIR_OK;
    }
    if (path == NULL)
        return weir__error_memory(w->err, "keeping a key");
    snprintf(path, size, "%s.key", file->path);
    status = weir__file_replace(path, file->key, sizeof file->key, w->err);
    weir__free(path);
    return status;
}

static size_t row_bound(const weir_cell *cells, size_t count)
{
    size_t size = 2;

    for (size_t i = 0; i < count; i++)
        size += cells[i].presence == WEIR_VALUE ? 2 * weir__text_bound(&cells[i]) + 3 : CELL_FIXED;
    return size;
}

/* The cells of a row in the file's order; borrowed until the next call. */
static const weir_cell *order_cells(const writing *w, const plan_row *row)
{
    weir_cell *cells = (weir_cell *)(void *)w->e->cells.data;

    for (size_t i = 0; i < w->header.column_count; i++)
        cells[i] = row->sent[w->order[i]];
    return cells;
}

static weir_status write_rows(writing *w, size_t *at)
{
    weir_status status = WEIR_OK;

    for (size_t first = *at; *at < w->rows->count && status == WEIR_OK; (*at)++) {
        const weir_cell *cells = order_cells(w, &w->rows->rows[*at]);

        if (*at > first && weir__writer_size_bound(w->e->writer, row_bound(cells, w->header.column_count)) >
                               WEIR_BATCH_FILE_SIZE_MAX)
            break;
        status = weir__writer_row(w->e->writer, cells, w->err);
    }
    return status;
}

/* A file of the request, open for writing. */
typedef struct opened {
    emit_file *file;
    weir_file *handle;
    weir_batch_secret secret; /* the IV; the key is the file's */
} opened;

static weir_status open_next(writing *w, opened *out)
{
    weir_status status = add_file(w, &out->file);

    if (status == WEIR_OK)
        status = weir__file_remove(out->file->path, w->err); /* of an earlier run */
    if (status == WEIR_OK)
        status = weir__file_create(out->file->path, &out->handle, w->err);
    if (status == WEIR_OK)
        status = weir__entropy_fill(out->secret.iv, sizeof out->secret.iv, w->err);
    return status;
}

/* One CSV file from row *at on, as many rows as it takes. */
static weir_status write_csv(writing *w, size_t *at)
{
    opened o = { .file = NULL };
    weir_status status = open_next(w, &o);

    if (status == WEIR_OK) {
        weir_writer_file begin = { .table = &w->header,
                                   .params = &w->params,
                                   .key = o.file->key,
                                   .iv = o.secret.iv,
                                   .output = weir__file_output(o.handle) };
        size_t first = *at;

        status = weir__writer_begin(w->e->writer, &begin, w->err);
        if (status == WEIR_OK)
            status = write_rows(w, at);
        if (status == WEIR_OK)
            status = weir__writer_finish(w->e->writer, &o.file->size, w->err);
        else
            weir__writer_abandon(w->e->writer);
        o.file->rows = *at - first;
    }
    weir__file_close(o.handle);
    return status == WEIR_OK ? keep_key(w, o.file) : status;
}

/* --- Parquet (R-BAT-11): made in memory, then packed like any other file --- */

/* Parquet is typed, so what is only meant stands in for texts that are sent as they are. */
static const weir_cell *type_cells(const writing *w, const plan_row *row)
{
    weir_cell *cells = (weir_cell *)(void *)w->e->cells.data;

    for (size_t i = 0; i < w->header.column_count; i++) {
        cells[i] = row->sent[w->order[i]];
        if (cells[i].presence == WEIR_VALUE && cells[i].type != w->header.columns[i].type)
            cells[i] = row->meant[w->order[i]];
        if (cells[i].presence == WEIR_UNMODIFIED && w->kind != PLAN_UPDATE)
            cells[i].presence = WEIR_NULL;
        cells[i].type = w->header.columns[i].type;
    }
    return cells;
}

static weir_status pack(writing *w, opened *o, weir_bytes plaintext)
{
    weir_packer_file begin = { .compression = w->params.compression,
                               .encryption = w->params.encryption,
                               .key = o->file->key,
                               .iv = o->secret.iv,
                               .output = weir__file_output(o->handle) };
    weir_status status = weir__packer_begin(w->e->packer, &begin, w->err);

    if (status == WEIR_OK)
        status = weir__packer_write(w->e->packer, plaintext.data, plaintext.size, w->err);
    if (status == WEIR_OK)
        status = weir__packer_finish(w->e->packer, &o->file->size, w->err);
    else
        weir__packer_abandon(w->e->packer);
    return status;
}

/* Rows from *at on, as many as surely fit into a file. */
static weir_status fill_parquet(writing *w, parquet_writer *writer, size_t *at)
{
    size_t first = *at;
    size_t size = 0;
    weir_status status = WEIR_OK;

    for (; *at < w->rows->count && status == WEIR_OK; (*at)++) {
        const weir_cell *cells = type_cells(w, &w->rows->rows[*at]);

        size += row_bound(cells, w->header.column_count);
        if (*at > first && size > WEIR_BATCH_FILE_SIZE_MAX)
            break;
        status = parquet_writer_row(writer, cells, w->header.column_count, w->err);
    }
    return status;
}

static weir_status write_parquet(writing *w, size_t *at)
{
    static const weir_batch_kind kinds[] = { WEIR_BATCH_EARLIEST_START, WEIR_BATCH_REPLACE, WEIR_BATCH_UPDATE,
                                             WEIR_BATCH_DELETE };
    parquet_writer_file begin = { .table = &w->header,
                                  .kind = kinds[w->kind],
                                  .unmodified_string = w->params.unmodified_string };
    parquet_writer *writer = NULL;
    opened o = { .file = NULL };
    weir_bytes plaintext = { 0 };
    size_t first = *at;
    weir_status status = w->e->db ? WEIR_OK : parquet_database(&w->e->db, w->err);

    begin.db = w->e->db;
    if (status == WEIR_OK)
        status = parquet_writer_new(&begin, &writer, w->err);
    if (status == WEIR_OK)
        status = fill_parquet(w, writer, at);
    if (status == WEIR_OK)
        status = parquet_writer_finish(writer, &plaintext, w->err);
    if (status == WEIR_OK)
        status = open_next(w, &o);
    if (status == WEIR_OK)
        status = pack(w, &o, plaintext);
    weir__file_close(o.handle);
    parquet_writer_free(writer);
    if (status != WEIR_OK)
        return status;
    o.file->rows = *at - first;
    return keep_key(w, o.file);
}

/* --- kinds --- */

/* The file's columns in a random order. */
static weir_status order_columns(writing *w, weir_column *columns)
{
    size_t count = 0;

    for (size_t i = 0; i < w->table->column_count; i++)
        if (w->rows->columns[i])
            w->order[count++] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = emit_random(w->e) % i;
        size_t swapped = w->order[i - 1];

        w->order[i - 1] = w->order[j];
        w->order[j] = swapped;
    }
    for (size_t i = 0; i < count; i++)
        columns[i] = w->table->columns[w->order[i]];
    w->header = (weir_table){
        .schema = w->table->schema, .name = w->table->name, .columns = columns, .column_count = count
    };
    w->e->cells.size = 0;
    if (weir__buf_reserve(&w->e->cells, (count + 1) * sizeof(weir_cell)) == NULL)
        return weir__error_memory(w->err, "writing a batch file");
    return WEIR_OK;
}

static weir_status write_kind(writing *w)
{
    weir_column *columns = weir__calloc(w->table->column_count + 1, sizeof *columns);
    size_t at = 0;
    weir_status status = WEIR_OK;

    w->order = weir__calloc(w->table->column_count + 1, sizeof *w->order);
    if (columns == NULL || w->order == NULL)
        status = weir__error_memory(w->err, "writing a batch file");
    for (w->part = 1; status == WEIR_OK && at < w->rows->count; w->part++) {
        status = order_columns(w, columns);
        if (status == WEIR_OK)
            status = w->e->parquet ? write_parquet(w, &at) : write_csv(w, &at);
    }
    weir__free(columns);
    weir__free(w->order);
    return status;
}

weir_status emit_request(emitter *e, const weir_table *table, const char *input, const plan_request *request,
                         emit_files *out, weir_error *err)
{
    emit_files files = { 0 };
    bool plain = e->options->plain_text;
    weir_status status = make_markers(e, &files.markers, err);

    e->request++;
    for (int kind = 0; kind < PLAN_KIND_COUNT && status == WEIR_OK; kind++) {
        writing w = { .e = e,
                      .table = table,
                      .input = input,
                      .rows = &request->kinds[kind],
                      .kind = (plan_kind)kind,
                      .out = &files,
                      .err = err };

        w.params = (weir_file_params){ .compression = plain ? WEIR_COMPRESSION_OFF : WEIR_COMPRESSION_ZSTD,
                                       .encryption = plain ? WEIR_ENCRYPTION_NONE : WEIR_ENCRYPTION_AES,
                                       .null_string = weir__text(files.markers.null_string),
                                       .unmodified_string = weir__text(files.markers.unmodified_string) };
        status = write_kind(&w);
    }
    if (status != WEIR_OK) {
        emit_clear(&files, false);
        return status;
    }
    *out = files;
    return WEIR_OK;
}

void emit_clear(emit_files *files, bool keep)
{
    for (emit_file *file = files->first, *next; file != NULL; file = next) {
        weir_status status = keep ? WEIR_OK : weir__file_remove(file->path, NULL);

        (void)status; /* one that will not go is overwritten by the next run */
        next = file->next;
        explicit_bzero(file->key, sizeof file->key);
        weir__free(file->path);
        weir__free(file);
    }
    *files = (emit_files){ 0 };
}
