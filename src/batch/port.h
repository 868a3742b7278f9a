/*
 * batch/port: what the batch layer needs from the world, as structs of functions that a higher layer fills
 * in; and the parameters of a request's files. sys/file.h has ready-made ports for files.
 */
#ifndef WEIR_BATCH_PORT_H
#define WEIR_BATCH_PORT_H

#include <weir/types.h>

#include "base/error.h"

/* Where finished bytes go. `write` takes all of `size` bytes or fails; the data is borrowed for the call. */
typedef struct weir_output {
    weir_status (*write)(void *context, const void *data, size_t size, weir_error *err);
    void *context;
} weir_output;

/*
 * Where bytes come from. `read` puts 1 to `size` bytes at `data` and their number into *got: WEIR_ITEM;
 * WEIR_OK at the end of the file; or a failure. It is not called again after an answer other than WEIR_ITEM.
 */
typedef struct weir_input {
    weir_status (*read)(void *context, void *data, size_t size, size_t *got, weir_error *err);
    void *context;
} weir_input;

/* Where random bytes come from: fills all of `size` bytes, fit for keys, or fails. */
typedef struct weir_entropy {
    weir_status (*fill)(void *context, void *data, size_t size, weir_error *err);
    void *context;
} weir_entropy;

/* The numbers are those of the wire. */
typedef enum weir_compression {
    WEIR_COMPRESSION_OFF = 0,
    WEIR_COMPRESSION_ZSTD = 1,
    WEIR_COMPRESSION_GZIP = 2
} weir_compression;

typedef enum weir_encryption {
    WEIR_ENCRYPTION_NONE = 0,
    WEIR_ENCRYPTION_AES = 1 /* AES-256-CBC, PKCS#7, the IV in front (R-BAT-01) */
} weir_encryption;

/* What is inside (R-BAT-11). The numbers are those of the wire. */
typedef enum weir_batch_format {
    WEIR_BATCH_CSV = 0,
    WEIR_BATCH_PARQUET = 1
} weir_batch_format;

/* How hard a file is compressed. */
typedef enum weir_effort {
    WEIR_EFFORT_LOW, /* for files that are read soon: four times as fast, for repeated words only */
    WEIR_EFFORT_HIGH /* for files that pile up */
} weir_effort;

/* FileParams of a request. The strings are borrowed for as long as the params are used (R-BAT-06). */
typedef struct weir_file_params {
    weir_compression compression;
    weir_encryption encryption;
    weir_bytes null_string;
    weir_bytes unmodified_string; /* empty: no cell is unmodified */
} weir_file_params;

#endif
