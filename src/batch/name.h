/* batch/name: names, keys and marker strings of batch files (R-BAT-02, R-BAT-06). Pure. */
#ifndef WEIR_BATCH_NAME_H
#define WEIR_BATCH_NAME_H

#include "base/limits.h"
#include "batch/port.h"
#include "batch/reader.h"

#define WEIR_BATCH_NAME_SIZE 80   /* bytes that hold any name, the terminating NUL included */
#define WEIR_BATCH_MARKER_SIZE 40 /* bytes that hold any marker, the terminating NUL included */

/* What a file needs besides its rows. */
typedef struct weir_batch_secret {
    unsigned char key[WEIR_BATCH_KEY_SIZE];
    unsigned char iv[WEIR_BATCH_IV_SIZE];
} weir_batch_secret;

/* The two strings of a request; fit for weir_file_params. */
typedef struct weir_batch_markers {
    char null_string[WEIR_BATCH_MARKER_SIZE];       /* "null-" and 160 random bits */
    char unmodified_string[WEIR_BATCH_MARKER_SIZE]; /* "unmod-" and 160 random bits */
} weir_batch_markers;

/* A random key and IV for one file. */
weir_status weir__batch_secret_make(const weir_entropy *entropy, weir_batch_secret *out,
                                    weir_error *err) WEIR_CHECKED;
/* Random strings for one request, so that data cannot collide with them (R-BAT-06). */
weir_status weir__batch_markers_make(const weir_entropy *entropy, weir_batch_markers *out,
                                     weir_error *err) WEIR_CHECKED;
/* What a file's name tells of it. */
typedef struct weir_batch_label {
    weir_batch_kind kind;
    weir_batch_format format;
    weir_compression compression;
    weir_encryption encryption;
} weir_batch_label;

/*
 * A random file name without folder: 120 random bits in hex, "_", upsert, update, delete or earliest, ".csv"
 * or ".parquet", then ".zstd" or ".gz", then ".aes". It says nothing about the table.
 */
weir_status weir__batch_name_make(const weir_entropy *entropy, weir_batch_label label,
                                  char out[WEIR_BATCH_NAME_SIZE], weir_error *err) WEIR_CHECKED;
/* What a name or path says that the file holds: Parquet, or else CSV. */
weir_batch_format weir__batch_name_format(weir_bytes path);

/* An entry of a request's `keys`; borrowed. */
typedef struct weir_batch_key {
    weir_bytes path;
    weir_bytes key;
} weir_batch_key;

/*
 * The key of the file whose path is `path`, byte by byte the string of the file list (R-BAT-02): *key is
 * borrowed from `keys`, NULL with encryption NONE whether or not keys were sent. WEIR_FAILED, naming the
 * file: none there, or not 32 bytes.
 */
typedef struct weir_batch_keys {
    const weir_batch_key *keys;
    size_t count;
    weir_encryption encryption;
} weir_batch_keys;

weir_status weir__batch_key_find(const weir_batch_keys *keys, weir_bytes path, const unsigned char **key,
                                 weir_error *err) WEIR_CHECKED;

/* "replace", "update", "delete", "earliest"; static. */
const char *weir__batch_kind_name(weir_batch_kind kind);

#endif
