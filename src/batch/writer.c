/* batch/writer: rows are collected as CSV in one buffer, which is given to the packer whenever it is full. */
#include "batch/writer.h"

#include "base/alloc.h"
#include "base/point.h"

#define TEXT_TARGET (64 * WEIR_KIB) /* CSV is handed on from this size; it stays in the second-level cache */

struct weir_writer {
    weir_packer *packer;
    weir_buf text;
    const weir_table *table;
    const weir_file_params *params;
    uint64_t rows;
    bool open;
};

weir_writer *weir__writer_new(void)
{
    weir_writer *writer = weir__calloc(1, sizeof *writer);

    if (writer == NULL)
        return NULL;
    weir__buf_init(&writer->text, TEXT_TARGET + WEIR_BATCH_ROW_TEXT_MAX);
    writer->packer = weir__packer_new();
    if (writer->packer != NULL)
        return writer;
    weir__writer_free(writer);
    return NULL;
}

void weir__writer_free(weir_writer *writer)
{
    if (writer == NULL)
        return;
    weir__packer_free(writer->packer);
    weir__buf_clear(&writer->text);
    weir__free(writer);
}

weir_status weir__writer_begin(weir_writer *writer, const weir_writer_file *file, weir_error *err)
{
    weir_packer_file packed = {
        file->params->compression, file->params->encryption, file->key, file->iv, file->output, file->effort
    };
    weir_status status;

    assert(!writer->open);
    writer->text.size = 0;
    status = weir__csv_put_header(&writer->text, file->table, err);
    WEIR_POINT("writer.header.put");
    if (status == WEIR_OK)
        status = weir__packer_begin(writer->packer, &packed, err);
    if (status != WEIR_OK)
        return status;
    writer->table = file->table;
    writer->params = file->params;
    writer->rows = 0;
    writer->open = true;
    return WEIR_OK;
}

static weir_status hand_on(weir_writer *writer, weir_error *err)
{
    weir_status status = weir__packer_write(writer->packer, writer->text.data, writer->text.size, err);

    writer->text.size = 0;
    return status;
}

weir_status weir__writer_row(weir_writer *writer, const weir_cell *cells, weir_error *err)
{
    weir_status status;

    assert(writer->open);
    status = weir__csv_put_row(&writer->text, writer->params, cells, writer->table->column_count, err);
    if (status != WEIR_OK)
        return status;
    writer->rows++;
    return writer->text.size >= TEXT_TARGET ? hand_on(writer, err) : WEIR_OK;
}

weir_status weir__writer_text(weir_writer *writer, weir_bytes text, uint64_t rows, weir_error *err)
{
    weir_status status = WEIR_OK;

    assert(writer->open);
    writer->rows += rows;
    if (writer->text.size + text.size < TEXT_TARGET) {
        if (!weir__buf_put(&writer->text, text.data, text.size))
            return weir__error_memory(err, "writing a batch file");
        return WEIR_OK;
    }
    status = hand_on(writer, err);
    return status == WEIR_OK ? weir__packer_write(writer->packer, text.data, text.size, err) : status;
}

uint64_t weir__writer_size_bound(const weir_writer *writer, size_t more)
{
    return weir__packer_size_bound(writer->packer, writer->text.size + more);
}

uint64_t weir__writer_rows(const weir_writer *writer)
{
    return writer->rows;
}

weir_status weir__writer_finish(weir_writer *writer, uint64_t *size, weir_error *err)
{
    weir_status status;

    assert(writer->open);
    status = hand_on(writer, err);
    WEIR_POINT("writer.text.handed");
    if (status == WEIR_OK)
        status = weir__packer_finish(writer->packer, size, err);
    if (status == WEIR_OK)
        writer->open = false;
    return status;
}

void weir__writer_abandon(weir_writer *writer)
{
    weir__packer_abandon(writer->packer);
    writer->open = false;
}
