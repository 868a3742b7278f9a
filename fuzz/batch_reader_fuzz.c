/*
 * Attacks the batch reader with bytes of a file: plain CSV, or behind compression and encryption, as they are
 * or packed by us first. Invariants: it ends, within its limits; how the input is cut into parts does not
 * matter; rows that were read can be written, and what was written reads back the same.
 *
 * Byte 0: bits 0-1 kind, 2-3 compression (3: off), 4 encryption, 5 pack first. Byte 1: size of the input's
 * parts, 0 for all.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "batch/reader.h"
#include "batch/writer.h"
#include "data/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

static const weir_table table = {
    .name = "t",
    WEIR_COLUMNS({ .name = "a", .type = WEIR_LONG, .key = true }, { .name = "b", .type = WEIR_STRING },
                 { .name = "c", .type = WEIR_DECIMAL }, { .name = "d", .type = WEIR_DOUBLE },
                 { .name = "e", .type = WEIR_UTC_DATETIME }, { .name = "f", .type = WEIR_BINARY },
                 { .name = "g", .type = WEIR_BOOLEAN }, { .name = "h", .type = WEIR_NAIVE_DATE }),
};
#define COLUMNS 8
static const unsigned char key[WEIR_BATCH_KEY_SIZE] = "0123456789abcdef0123456789abcdef";
static const unsigned char iv[WEIR_BATCH_IV_SIZE] = "fedcba9876543210";

typedef struct source {
    const char *data;
    size_t size;
    size_t step;
} source;

/* What a file had in it. */
typedef struct outcome {
    weir_status status;
    uint64_t hash;
    uint64_t rows;
} outcome;

static weir_status take(void *context, void *out, size_t size, size_t *got, weir_error *err)
{
    source *from = context;
    size_t part = from->size < size ? from->size : size;

    (void)err;
    if (part == 0)
        return WEIR_OK;
    if (part > from->step)
        part = from->step;
    memcpy(out, from->data, part);
    from->data += part;
    from->size -= part;
    *got = part;
    return WEIR_ITEM;
}

static weir_status keep(void *context, const void *data, size_t size, weir_error *err)
{
    (void)err;
    return weir__buf_put(context, data, size) ? WEIR_OK : WEIR_FAILED;
}

static uint64_t hash_row(const weir_row *row, uint64_t hash)
{
    weir_buf text;

    weir__buf_init(&text, 256 * WEIR_MIB);
    for (size_t i = 0; i < row->count; i++) {
        const weir_cell *cell = &row->cells[i];

        CHECK(cell->type == table.columns[i].type && cell->column == table.columns[i].name);
        text.size = 0;
        if (cell->presence == WEIR_VALUE)
            CHECK(weir__text_put(&text, cell, NULL) == WEIR_OK);
        hash = weir__hash64(text.data, text.size, hash * 31 + (uint64_t)cell->presence);
    }
    weir__buf_clear(&text);
    return hash;
}

static outcome read_file(weir_reader_file *file, weir_bytes bytes, size_t step, weir_writer *writer)
{
    source from = { bytes.data, bytes.size, step };
    static weir_reader *reader; /* one for all inputs: what an earlier file left behind must not matter */
    outcome found = { WEIR_FAILED, 0, 0 };
    weir_error err = { 0 };
    weir_row row;

    if (reader == NULL)
        reader = weir__reader_new();
    CHECK(reader != NULL);
    file->input = (weir_input){ take, &from };
    found.status = weir__reader_open(reader, file, &err);
    while (found.status == WEIR_OK && (found.status = weir__reader_next(reader, &row, &err)) == WEIR_ITEM) {
        found.hash = hash_row(&row, found.hash);
        found.rows++;
        if (writer != NULL)
            CHECK(weir__writer_row(writer, row.cells, NULL) == WEIR_OK);
        found.status = WEIR_OK;
    }
    CHECK(found.status == WEIR_OK || (found.status == WEIR_FAILED && err.text[0] != '\0'));
    CHECK(found.status != WEIR_OK || weir__reader_rows(reader) == found.rows);
    CHECK(weir__reader_memory(reader) <= WEIR_BATCH_ROW_TEXT_MAX + WEIR_MIB);
    return found;
}

static void pack(weir_bytes text, const weir_file_params *params, weir_buf *out)
{
    static weir_packer *packer;
    weir_packer_file file = { params->compression, params->encryption, key, iv, { keep, out } };

    if (packer == NULL)
        packer = weir__packer_new();
    CHECK(packer != NULL && weir__packer_begin(packer, &file, NULL) == WEIR_OK);
    CHECK(weir__packer_write(packer, text.data, text.size, NULL) == WEIR_OK);
    CHECK(weir__packer_finish(packer, NULL, NULL) == WEIR_OK);
}

/* Reads the file while writing what was read into another, and reads that. */
static void check_round_trip(weir_reader_file *file, weir_bytes bytes, const outcome *expected)
{
    weir_file_params params = *file->params;
    static weir_writer *writer;
    weir_buf again;
    weir_writer_file written = { &table, &params, key, iv, { keep, &again } };
    weir_reader_file reread = *file;
    outcome found;

    weir__buf_init(&again, 256 * WEIR_MIB);
    params.compression = WEIR_COMPRESSION_OFF;
    params.encryption = WEIR_ENCRYPTION_NONE;
    reread.params = &params;
    if (writer == NULL)
        writer = weir__writer_new();
    CHECK(writer != NULL && weir__writer_begin(writer, &written, NULL) == WEIR_OK);
    found = read_file(file, bytes, SIZE_MAX, writer);
    CHECK(found.status == WEIR_OK);
    CHECK(weir__writer_finish(writer, NULL, NULL) == WEIR_OK);
    found = read_file(&reread, weir__buf_bytes(&again), SIZE_MAX, NULL);
    CHECK(found.status == WEIR_OK && found.rows == expected->rows && found.hash == expected->hash);
    weir__buf_clear(&again);
}

/* The file as text instead of rows: what went in comes out, byte by byte, and is whole when the rows were. */
static void check_plain(weir_reader_file *file, weir_bytes bytes, weir_bytes plain, const outcome *rows)
{
    static weir_reader *reader;
    source from = { bytes.data, bytes.size, 777 };
    size_t at = 0;
    size_t count;
    weir_status status;

    if (reader == NULL)
        reader = weir__reader_new();
    CHECK(reader != NULL);
    file->input = (weir_input){ take, &from };
    status = weir__reader_open(reader, file, NULL);
    CHECK(status == WEIR_OK || rows->status != WEIR_OK);
    if (status != WEIR_OK)
        return;
    CHECK(weir__reader_columns(reader, &count)[0] != NULL && count > 0);
    do {
        char part[1001];
        size_t got = 0;

        status = weir__reader_plain(reader, part, sizeof part, &got, NULL);
        if (status == WEIR_ITEM && plain.data != NULL)
            CHECK(got > 0 && got <= plain.size - at && memcmp(part, plain.data + at, got) == 0);
        at += got;
    } while (status == WEIR_ITEM);
    CHECK(status == WEIR_OK || rows->status != WEIR_OK);
    CHECK(status != WEIR_OK || plain.data == NULL || at == plain.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_file_params params = { .null_string = { "null-x", 6 }, .unmodified_string = { "unmod-x", 7 } };
    weir_reader_file file = { "fuzz", WEIR_BATCH_REPLACE, &table, &params, key, { take, NULL } };
    weir_bytes bytes;
    weir_bytes plain = { NULL, 0 }; /* known when it was packed here, or not packed at all */
    weir_buf packed;
    outcome whole;
    outcome parts;

    if (size < 2)
        return 0;
    bytes = (weir_bytes){ (const char *)data + 2, size - 2 };
    file.kind = (weir_batch_kind)(data[0] & 3);
    params.compression = (data[0] >> 2 & 3) == 3 ? WEIR_COMPRESSION_OFF
                                                 : (weir_compression)(data[0] >> 2 & 3);
    params.encryption = (weir_encryption)(data[0] >> 4 & 1);
    weir__buf_init(&packed, 256 * WEIR_MIB);
    if (data[0] >> 5 & 1 ||
        (params.compression == WEIR_COMPRESSION_OFF && params.encryption == WEIR_ENCRYPTION_NONE))
        plain = bytes;
    if (data[0] >> 5 & 1) {
        pack(bytes, &params, &packed);
        bytes = weir__buf_bytes(&packed);
    }
    whole = read_file(&file, bytes, SIZE_MAX, NULL);
    parts = read_file(&file, bytes, data[1] ? data[1] : SIZE_MAX, NULL);
    CHECK(whole.status == parts.status);
    check_plain(&file, bytes, plain, &whole);
    if (whole.status == WEIR_OK) {
        CHECK(whole.hash == parts.hash && whole.rows == parts.rows);
        /*
         * Absent columns become NULL or unmodified cells, which are written, so the same kind reads them
         * back.
         */
        if (file.kind != WEIR_BATCH_DELETE)
            check_round_trip(&file, bytes, &whole);
    }
    weir__buf_clear(&packed);
    return 0;
}
