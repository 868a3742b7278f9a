/* What the batch tests share: ports over memory, a small table, and files made in memory. */
#ifndef WEIR_TESTS_BATCH_SUPPORT_H
#define WEIR_TESTS_BATCH_SUPPORT_H

#include "support.h"

#include "base/buf.h"
#include "batch/reader.h"
#include "batch/writer.h"
#include "data/text.h"

#define TEST_NULL "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP"
#define TEST_UNMODIFIED "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"

static const unsigned char test_key[WEIR_BATCH_KEY_SIZE] = "0123456789abcdef0123456789abcdef";
static const unsigned char test_iv[WEIR_BATCH_IV_SIZE] = "fedcba9876543210";

/* An input over bytes in memory that hands out at most `step` of them at a time. */
typedef struct test_source {
    const char *data;
    size_t size;
    size_t at;
    size_t step;
} test_source;

static inline weir_status test_source_read(void *context, void *data, size_t size, size_t *got,
                                           weir_error *err)
{
    test_source *source = context;
    size_t part = source->size - source->at;

    (void)err;
    if (part == 0)
        return WEIR_OK;
    if (part > size)
        part = size;
    if (part > source->step)
        part = source->step;
    memcpy(data, source->data + source->at, part);
    source->at += part;
    *got = part;
    return WEIR_ITEM;
}

static inline weir_status test_sink_write(void *context, const void *data, size_t size, weir_error *err)
{
    if (weir__buf_put(context, data, size))
        return WEIR_OK;
    return weir__error_memory(err, "writing to memory");
}

static inline weir_file_params test_params(weir_compression compression, weir_encryption encryption)
{
    return (weir_file_params){ compression,
                               encryption,
                               { TEST_NULL, sizeof TEST_NULL - 1 },
                               { TEST_UNMODIFIED, sizeof TEST_UNMODIFIED - 1 } };
}

/* Packs `text` into `out`, which is empty. */
static inline weir_status test_pack(weir_bytes text, const weir_file_params *params, weir_buf *out,
                                    weir_error *err)
{
    weir_packer *packer = weir__packer_new();
    weir_packer_file file = {
        params->compression, params->encryption, test_key, test_iv, { test_sink_write, out }
    };
    weir_status status = packer ? weir__packer_begin(packer, &file, err) : WEIR_FAILED;

    if (status == WEIR_OK)
        status = weir__packer_write(packer, text.data, text.size, err);
    if (status == WEIR_OK)
        status = weir__packer_finish(packer, NULL, err);
    weir__packer_free(packer);
    return status;
}

/* What to read, and how. */
typedef struct test_reading {
    weir_batch_kind kind;
    const weir_table *table;
    weir_file_params params;
    const unsigned char *key;
    size_t step; /* bytes the input hands out at a time */
} test_reading;

/*
 * Reads a whole file and writes its rows to `out`: cells as text, separated by '|', NULL as "null" in angle
 * brackets, unmodified as "same" in them, each row ended by ';'. Returns what the reader returned last.
 */
static inline weir_status test_read(const test_reading *how, weir_bytes data, weir_buf *out, weir_error *err)
{
    test_source source = { data.data, data.size, 0, how->step };
    weir_reader_file file = { "file.csv",   how->kind, how->table,
                              &how->params, how->key,  { test_source_read, &source } };
    weir_reader *reader = weir__reader_new();
    weir_status status = reader ? weir__reader_open(reader, &file, err) : WEIR_FAILED;
    weir_row row;

    while (status >= 0 && (status = weir__reader_next(reader, &row, err)) == WEIR_ITEM) {
        for (size_t i = 0; i < row.count && status == WEIR_ITEM; i++) {
            if (i > 0 && !weir__buf_put(out, "|", 1))
                status = WEIR_FAILED;
            if (row.cells[i].presence == WEIR_VALUE) {
                if (weir__text_put(out, &row.cells[i], err) != WEIR_OK)
                    status = WEIR_FAILED;
            } else if (!weir__buf_put_text(out, row.cells[i].presence == WEIR_NULL ? "<null>" : "<same>")) {
                status = WEIR_FAILED;
            }
        }
        if (status != WEIR_ITEM || !weir__buf_put(out, ";", 1)) {
            status = WEIR_FAILED;
            break;
        }
    }
    weir__reader_free(reader);
    return status;
}

#endif
