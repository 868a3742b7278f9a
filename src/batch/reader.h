/*
 * batch/reader: rows of typed cells from one batch file (R-BAT-01 to R-BAT-10).
 *
 * Decrypts, decompresses, splits and converts in one pass, in memory bounded by the longest row plus a
 * constant. The header maps the file's columns, in any order, to the table's, and says whether lines end in
 * LF or CRLF. A reader serves many files, one after the other, and keeps its memory in between. One thread at
 * a time.
 */
#ifndef WEIR_BATCH_READER_H
#define WEIR_BATCH_READER_H

#include "batch/unpack.h"

typedef struct weir_reader weir_reader;

/* What a file is for; decides what absent columns mean (R-BAT-09). */
typedef enum weir_batch_kind {
    WEIR_BATCH_REPLACE = 0, /* absent columns are NULL */
    WEIR_BATCH_UPDATE = 1,  /* absent columns are unmodified */
    /*
     * Only keys and system columns are read: other cells are unmodified whatever the file says, and columns
     * that the table lacks are skipped. `_fivetran_start` may be absent although it is a key (R-HIS-04).
     */
    WEIR_BATCH_DELETE = 2,
    WEIR_BATCH_EARLIEST_START = 3 /* absent columns are unmodified (R-HIS-02) */
} weir_batch_kind;

/* One file. Borrowed until the next open or free, but for the key, which is copied. */
typedef struct weir_reader_file {
    const char *name; /* for errors: the path as the request gave it */
    weir_batch_kind kind;
    const weir_table *table;
    const weir_file_params *params;
    const unsigned char *key; /* WEIR_BATCH_KEY_SIZE bytes; NULL when there is none (R-BAT-02) */
    weir_input input;
    size_t
        cell_size_max; /* decoded bytes; 0: WEIR_CELL_SIZE_MAX. A row's text may have twice that and 1 MiB */
} weir_reader_file;

/* Owned by the caller; NULL when out of memory. */
weir_reader *weir__reader_new(void);
void weir__reader_free(weir_reader *reader); /* accepts NULL; wipes the key */
/*
 * Begins a file: reads its header line. May be called again at any time. WEIR_FAILED: encrypted without a
 * key, a zero-byte file, a header with an unknown, doubled or missing key column (all are named), a damaged
 * file.
 */
weir_status weir__reader_open(weir_reader *reader, const weir_reader_file *file,
                              weir_error *err) WEIR_CHECKED;
/*
 * The next row. WEIR_ITEM: row->cells are in the table's column order, one per column; each has the column's
 * name and type and is value, null or unmodified (R-BAT-06, R-BAT-09); valid until the next call, which in
 * debug builds overwrites them (WEIR_POISON). row->op
 * follows from the kind (REPLACE, UPDATE, DELETE, EARLIEST). WEIR_OK: the end, and the file
 * was whole. WEIR_FAILED: a cell that is no value of its column's type (file, row and column are named), a
 * row with more or fewer cells than the header, text that is not UTF-8, a limit of base/limits.h, or a
 * damaged file; again on every further call.
 */
weir_status weir__reader_next(weir_reader *reader, weir_row *row, weir_error *err) WEIR_CHECKED;
/*
 * The names in the file's header, in its order, terminated (a NUL inside a name ends it): *count of them,
 * borrowed until the next open or free.
 */
const char *const *weir__reader_columns(const weir_reader *reader, size_t *count);
/*
 * The file's plaintext instead of rows, header line included: 1 to `size` bytes at `out`, their number in
 * *got: WEIR_ITEM; WEIR_OK: the end, and the file was whole; otherwise a failure, again on every further
 * call. Cells are not looked at. Rows and text of one file are not to be mixed.
 */
weir_status weir__reader_plain(weir_reader *reader, void *out, size_t size, size_t *got,
                               weir_error *err) WEIR_CHECKED;
/* Rows handed out since open. */
uint64_t weir__reader_rows(const weir_reader *reader);
/* Memory held now, bytes: buffers of this object, without those inside the decompressor. */
size_t weir__reader_memory(const weir_reader *reader);

#endif
