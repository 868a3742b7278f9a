/*
 * harness/files: rows as batch files (R-BAT): header in any order, several files a kind, CSV → zstd → AES.
 *
 * The rows that a file has decide its columns: delete and earliest files, and update files that leave columns
 * out, have the keys and what some row has a value for.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "batch/csv.h"
#include "batch/name.h"
#include "batch/pack.h"
#include "harness/destination_side.h"
#include "sdk/tables.h"
#include "sys/entropy.h"
#include "sys/file.h"

static weir_status fill(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    return weir__entropy_fill(data, size, err);
}

static const weir_entropy entropy = { .fill = fill };

/* One file on its way. */
typedef struct maker {
    weir_harness *h;
    const weir_table *table;
    weir_batch_kind kind;
    const weir_row *rows;
    size_t row_count;
    const weir_file_params *params;
    size_t *order; /* of the file's columns: indexes of the table's */
    size_t column_count;
} maker;

static const char *folder_of(weir_harness *h, weir_error *err)
{
    weir_destination_side *side = h->destination;

    if (side->folder == NULL) {
        const char *path = weir_test_path(side->files.folder != NULL ? side->files.folder : "files");

        if (weir__folder_create(path, err) != WEIR_OK)
            return NULL;
        side->folder = weir__test_memory(weir__copy_text(path, strlen(path)));
    }
    return side->folder;
}

/* Whether the file has this column. */
static bool has_column(const maker *m, size_t column)
{
    bool some = m->kind == WEIR_BATCH_DELETE || m->kind == WEIR_BATCH_EARLIEST_START ||
                (m->kind == WEIR_BATCH_UPDATE && m->h->destination->files.leave_out);

    if (!some || (m->table->columns[column].key && strcmp(m->table->columns[column].name, "_fivetran_start")))
        return true;
    for (size_t i = 0; i < m->row_count; i++)
        if (m->rows[i].cells[column].presence != WEIR_UNMODIFIED)
            return true;
    return false;
}

static void choose_columns(maker *m)
{
    weir_destination_side *side = m->h->destination;

    m->order = WEIR_HARNESS_ARRAY(m->h->arena, m->table->column_count, size_t);
    m->column_count = 0;
    for (size_t i = 0; i < m->table->column_count; i++)
        if (has_column(m, i))
            m->order[m->column_count++] = i;
    for (size_t i = m->column_count; side->files.seed != 0 && i > 1; i--) {
        size_t other = (size_t)weir__destination_random(side, i);
        size_t kept = m->order[i - 1];

        m->order[i - 1] = m->order[other];
        m->order[other] = kept;
    }
}

/* One cell, quoted when all are to be. */
static weir_status put_cell(const maker *m, weir_buf *out, const weir_cell *cell, weir_error *err)
{
    size_t start = out->size;

    if (weir__csv_put_cell(out, m->params, cell, err) != WEIR_OK)
        return WEIR_FAILED;
    if (m->column_count == 1 && out->size == start) /* an empty line is no row */
        return weir__buf_put_text(out, "\"\"") ? WEIR_OK : WEIR_FAILED;
    if (!m->h->destination->files.quote_all || (out->size > start && out->data[start] == '"'))
        return WEIR_OK;
    if (!weir__buf_put_text(out, "\"\""))
        weir__test_no_memory();
    memmove(out->data + start + 1, out->data + start, out->size - 2 - start); /* bare cells hold no quotes */
    out->data[start] = '"';
    out->data[out->size - 1] = '"';
    return WEIR_OK;
}

static weir_status put_row(const maker *m, weir_buf *out, const weir_row *row, weir_error *err)
{
    for (size_t i = 0; i < m->column_count; i++) {
        weir_cell cell = row->cells[m->order[i]];

        cell.column = m->table->columns[m->order[i]].name;
        if (cell.presence == WEIR_UNMODIFIED && m->kind != WEIR_BATCH_UPDATE)
            cell.presence = WEIR_NULL; /* the official tester's shape (R-HIS-05) */
        if (i > 0 && !weir__buf_put_text(out, ","))
            weir__test_no_memory();
        if (put_cell(m, out, &cell, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    if (!weir__buf_put_text(out, "\n"))
        weir__test_no_memory();
    return WEIR_OK;
}

static weir_status put_text(maker *m, weir_buf *out, weir_error *err)
{
    weir_column *columns = WEIR_HARNESS_ARRAY(m->h->arena, m->column_count, weir_column);
    weir_table header = { .name = m->table->name, .columns = columns, .column_count = m->column_count };
    weir_status status;

    for (size_t i = 0; i < m->column_count; i++)
        columns[i] = m->table->columns[m->order[i]];
    status = weir__csv_put_header(out, &header, err);
    for (size_t i = 0; i < m->row_count && status == WEIR_OK; i++)
        status = put_row(m, out, &m->rows[i], err);
    if (m->h->destination->files.no_final_lf && out->size > 0)
        out->size--;
    return status;
}

static weir_status pack(const maker *m, const weir_buf *text, const char *path,
                        const weir_batch_secret *secret, weir_error *err)
{
    weir_packer *packer = weir__test_memory(weir__packer_new());
    weir_packer_file file = { .compression = m->params->compression,
                              .encryption = m->params->encryption,
                              .key = secret->key,
                              .iv = secret->iv };
    weir_file *out = NULL;
    weir_status status = weir__file_create(path, &out, err);

    if (status == WEIR_OK) {
        file.output = weir__file_output(out);
        status = weir__packer_begin(packer, &file, err);
    }
    if (status == WEIR_OK)
        status = weir__packer_write(packer, text->data, text->size, err);
    if (status == WEIR_OK)
        status = weir__packer_finish(packer, NULL, err);
    weir__packer_free(packer);
    weir__file_close(out);
    return status;
}

/* Takes bytes away from the end of a file that is there. */
static weir_status cut_file(const char *path, size_t bytes, weir_error *err)
{
    weir_file *out = NULL;
    weir_status status;
    weir_buf all;

    weir__buf_init(&all, WEIR_GIB);
    status = weir__file_load(path, &all, err);
    if (status == WEIR_OK)
        status = weir__file_remove(path, err);
    if (status == WEIR_OK)
        status = weir__file_create(path, &out, err);
    if (status == WEIR_OK && all.size > bytes)
        status = weir__file_write(out, all.data, all.size - bytes, err);
    weir__file_close(out);
    weir__buf_clear(&all);
    return status;
}

/* Writes one file and enters it into the lists. */
static weir_status make_file(maker *m, weir_written_files *out, weir_error *err)
{
    const char *folder = folder_of(m->h, err);
    unsigned char *key = WEIR_HARNESS_ARRAY(m->h->arena, WEIR_BATCH_KEY_SIZE, unsigned char);
    char name[WEIR_BATCH_NAME_SIZE];
    weir_batch_label label = { .kind = m->kind,
                               .compression = m->params->compression,
                               .encryption = m->params->encryption };
    weir_batch_secret secret;
    weir_status status;
    weir_buf text;
    char *path;

    if (folder == NULL || weir__batch_secret_make(&entropy, &secret, err) != WEIR_OK ||
        weir__batch_name_make(&entropy, label, name, err) != WEIR_OK)
        return WEIR_FAILED;
    path = weir__test_memory(weir__arena_printf(m->h->arena, "%s/%s", folder, name));
    weir__buf_init(&text, WEIR_GIB);
    choose_columns(m);
    status = put_text(m, &text, err);
    if (status == WEIR_OK)
        status = pack(m, &text, path, &secret, err);
    if (status == WEIR_OK && m->h->destination->files.cut > 0)
        status = cut_file(path, m->h->destination->files.cut, err);
    weir__buf_clear(&text);
    if (status != WEIR_OK)
        return status;
    out->paths[m->kind][out->counts[m->kind]++] = weir__text(path);
    if (m->params->encryption == WEIR_ENCRYPTION_AES) {
        memcpy(key, secret.key, WEIR_BATCH_KEY_SIZE);
        key[0] ^= m->h->destination->files.wrong_key;
        out->keys[out->key_count++] = (v2_bytes_entry){ weir__text(path),
                                                        { (const char *)key, WEIR_BATCH_KEY_SIZE } };
    }
    return WEIR_OK;
}

static weir_status make_files(maker *m, const weir_row *rows, size_t count, weir_written_files *out,
                              weir_error *err)
{
    size_t most = m->h->destination->files.rows_max;
    size_t done = 0;

    if (count == 0 && !m->h->destination->files.all_kinds)
        return WEIR_OK;
    if (most == 0)
        most = count > 0 ? count : 1;
    out->paths[m->kind] = WEIR_HARNESS_ARRAY(m->h->arena, count / most + 1, weir_bytes);
    do {
        m->rows = rows + done;
        m->row_count = count - done < most ? count - done : most;
        if (make_file(m, out, err) != WEIR_OK)
            return WEIR_FAILED;
        done += m->row_count;
    } while (done < count);
    return WEIR_OK;
}

static weir_file_params *choose_params(weir_harness *h, weir_error *err)
{
    const weir_harness_files *files = &h->destination->files;
    weir_file_params *params = WEIR_HARNESS_NEW(h->arena, weir_file_params);
    weir_batch_markers *markers = WEIR_HARNESS_NEW(h->arena, weir_batch_markers);

    if (weir__batch_markers_make(&entropy, markers, err) != WEIR_OK)
        return NULL;
    params->compression = files->uncompressed ? WEIR_COMPRESSION_OFF
                          : files->gzip       ? WEIR_COMPRESSION_GZIP
                                              : WEIR_COMPRESSION_ZSTD;
    params->encryption = files->plain ? WEIR_ENCRYPTION_NONE : WEIR_ENCRYPTION_AES;
    params->null_string = weir__text(files->null_string ? files->null_string : markers->null_string);
    params->unmodified_string = weir__text(files->unmodified_string ? files->unmodified_string
                                                                    : markers->unmodified_string);
    return params;
}

weir_status weir__files_write(weir_harness *h, const weir_table *table, const weir_put_rows *rows,
                              weir_written_files *out, weir_error *err)
{
    static const struct {
        weir_op op;
        weir_batch_kind kind;
    } kinds[] = { { WEIR_EARLIEST, WEIR_BATCH_EARLIEST_START },
                  { WEIR_REPLACE, WEIR_BATCH_REPLACE },
                  { WEIR_UPDATE, WEIR_BATCH_UPDATE },
                  { WEIR_DELETE, WEIR_BATCH_DELETE } };
    maker m = { .h = h, .table = table, .params = choose_params(h, err) };
    size_t count = 0;

    *out = (weir_written_files){ 0 };
    if (m.params == NULL)
        return WEIR_FAILED;
    for (const weir_put_row *row = rows->first; row != NULL; row = row->next)
        count++;
    out->keys = WEIR_HARNESS_ARRAY(h->arena, count + 4, v2_bytes_entry);
    out->params = WEIR_HARNESS_NEW(h->arena, v2_file_params);
    *out->params = (v2_file_params){ .compression = (int32_t)m.params->compression,
                                     .encryption = (int32_t)m.params->encryption,
                                     .null_string = m.params->null_string,
                                     .unmodified_string = m.params->unmodified_string };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        weir_row *list = WEIR_HARNESS_ARRAY(h->arena, count, weir_row);
        size_t found = 0;

        for (const weir_put_row *row = rows->first; row != NULL; row = row->next)
            if (row->op == kinds[k].op)
                list[found++] = (weir_row){ row->op, row->cells, row->count };
        m.kind = kinds[k].kind;
        if (make_files(&m, list, found, out, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return WEIR_OK;
}

static const v2_table *wire_table(weir_harness *h, const weir_table *table)
{
    v2_table *out = WEIR_HARNESS_NEW(h->arena, v2_table);

    if (!weir__table_to_wire(table, h->arena, out))
        weir__test_no_memory();
    return out;
}

void weir__files_plain(weir_harness *h, const weir_table *table, const weir_written_files *files,
                       v2_write_batch_request *request)
{
    request->schema_name = weir__text(table->schema);
    request->table = wire_table(h, table);
    request->keys = files->keys;
    request->keys_count = files->key_count;
    request->replace_files = files->paths[WEIR_BATCH_REPLACE];
    request->replace_files_count = files->counts[WEIR_BATCH_REPLACE];
    request->update_files = files->paths[WEIR_BATCH_UPDATE];
    request->update_files_count = files->counts[WEIR_BATCH_UPDATE];
    request->delete_files = files->paths[WEIR_BATCH_DELETE];
    request->delete_files_count = files->counts[WEIR_BATCH_DELETE];
    request->file_params = files->params;
}

void weir__files_history(weir_harness *h, const weir_table *table, const weir_written_files *files,
                         v2_write_history_batch_request *request)
{
    request->schema_name = weir__text(table->schema);
    request->table = wire_table(h, table);
    request->keys = files->keys;
    request->keys_count = files->key_count;
    request->earliest_start_files = files->paths[WEIR_BATCH_EARLIEST_START];
    request->earliest_start_files_count = files->counts[WEIR_BATCH_EARLIEST_START];
    request->replace_files = files->paths[WEIR_BATCH_REPLACE];
    request->replace_files_count = files->counts[WEIR_BATCH_REPLACE];
    request->update_files = files->paths[WEIR_BATCH_UPDATE];
    request->update_files_count = files->counts[WEIR_BATCH_UPDATE];
    request->delete_files = files->paths[WEIR_BATCH_DELETE];
    request->delete_files_count = files->counts[WEIR_BATCH_DELETE];
    request->file_params = files->params;
}
