/*
 * destination-parquet/manifest: the file that says what a table is, manifest.json in the table's folder.
 *
 *     {
 *       "format": "weir-parquet-1",
 *       "version": 7,
 *       "columns": [
 *         {"name": "id", "type": "LONG", "key": true},
 *         {"name": "price", "type": "DECIMAL", "precision": 10, "scale": 2},
 *         {"name": "code", "type": "STRING", "string_byte_length": 64},
 *         {"name": "at", "type": "UTC_DATETIME"},
 *         {"name": "at (ns)", "nanoseconds_of": "at"}
 *       ],
 *       "parts": [{"file": "part-….parquet", "rows": 1000, "bytes": 52117}],
 *       "previous": ["part-….parquet"]
 *     }
 *
 * The columns are those of every part, in the parts' order. `previous` are files that the version before had
 * and this one has not; they stay for readers that have opened that version, and go with the next one.
 * Members that are not known are passed over.
 */
#ifndef PARQUET_MANIFEST_H
#define PARQUET_MANIFEST_H

#include <weir/weir.h>

#define MANIFEST_FILE "manifest.json"
#define MANIFEST_DRAFT "manifest.json.draft" /* before it has its name */
#define MANIFEST_SIZE_MAX ((size_t)64 * 1024 * 1024)

typedef struct manifest_column {
    weir_column column;
    const char *nanos_of; /* a companion of that column; `column` then has no more than its name */
} manifest_column;

typedef struct manifest_part {
    const char *file;
    uint64_t rows;
    uint64_t size; /* bytes */
} manifest_part;

/* All of it lives as long as the call. */
typedef struct manifest {
    uint64_t version;
    const manifest_column *columns;
    size_t column_count;
    const manifest_part *parts;
    size_t part_count;
    const char *const *previous;
    size_t previous_count;
} manifest;

/* Terminated. */
const char *manifest_text(weir_call *call, const manifest *m);
/*
 * Takes `text`, which ends with NUL after `size` bytes and is changed and kept, apart. NULL: *out; else what
 * is wrong with it.
 */
const char *manifest_parse(weir_call *call, char *text, size_t size, manifest *out);

#endif
