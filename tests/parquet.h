/*
 * A batch file on its way into the Parquet reader, for destinations of tests that ask for Parquet.
 */
#ifndef WEIR_TESTS_PARQUET_H
#define WEIR_TESTS_PARQUET_H

#include "base/buf.h"
#include "batch/reader.h"
#include "batch/unpack.h"
#include "duckdb/parquet.h"

/* The file's plaintext, decrypted and decompressed. */
static inline weir_status test_unpack(const weir_reader_file *file, weir_buf *out, weir_error *err)
{
    weir_unpacker_file packed = { file->name, file->params->compression, file->params->encryption, file->key,
                                  file->input };
    weir_unpacker *unpacker = weir__unpacker_new();
    weir_status status = unpacker ? weir__unpacker_open(unpacker, &packed, err)
                                  : weir__error_memory(err, "reading a batch file");

    while (status == WEIR_OK) {
        char *at = weir__buf_reserve(out, 256 * WEIR_KIB);
        size_t got = 0;

        status = at ? weir__unpacker_read(unpacker, at, 256 * WEIR_KIB, &got, err)
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

/* Begins a file as weir__reader_open does; `db` as in parquet_reader_file. *out is owned by the caller. */
static inline weir_status test_parquet_open(const weir_reader_file *file, duck *db, parquet_reader **out,
                                            weir_error *err)
{
    parquet_reader_file plain = {
        .name = file->name, .kind = file->kind, .table = file->table, .params = file->params, .db = db
    };
    weir_status status;
    weir_buf text;

    weir__buf_init(&text, WEIR_GIB);
    status = test_unpack(file, &text, err);
    plain.plaintext = weir__buf_bytes(&text);
    if (status == WEIR_OK)
        status = parquet_reader_new(&plain, out, err);
    weir__buf_clear(&text);
    return status;
}

#endif
