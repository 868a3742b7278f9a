/*
 * base/limits: every limit of the project, in one place, with its unit and where it comes from.
 *
 * A limit that bounds untrusted input names the rule or the reason. How limits relate is asserted at the end.
 */
#ifndef WEIR_BASE_LIMITS_H
#define WEIR_BASE_LIMITS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_KIB ((size_t)1024)
#define WEIR_MIB ((size_t)1024 * 1024)
#define WEIR_GIB ((size_t)1024 * 1024 * 1024)

/* --- messages (R-RPC) --- */
#define WEIR_MESSAGE_SIZE_MAX (128 * WEIR_MIB)     /* one gRPC message, both ways (R-RPC-02) */
#define WEIR_ERROR_MESSAGE_SIZE_MAX ((size_t)8000) /* grpc-message sent, percent-encoded bytes (R-RPC-04) */
#define WEIR_MESSAGE_DEPTH_MAX 64 /* nesting of protobuf messages, groups and maps together */

/* --- sources (R-SRC) --- */
#define WEIR_RECORDS_COUNT_MAX 100                 /* records in one Records message (R-SRC-03) */
#define WEIR_RECORDS_SIZE_TARGET ((size_t)100000)  /* bytes at which a Records message is closed (R-SRC-03) */
#define WEIR_STATE_SIZE_MAX ((size_t)10000000)     /* state_json, bytes (R-SRC-01) */
#define WEIR_ROW_SIZE_MAX (64 * WEIR_MIB)          /* one row, all cells together, bytes */
#define WEIR_CELL_SIZE_MAX (64 * WEIR_MIB)         /* one cell, decoded bytes */
#define WEIR_COLUMN_COUNT_MAX ((size_t)10000)      /* columns of a table */
#define WEIR_TABLE_COUNT_MAX ((size_t)20000)       /* tables of a connection */
#define WEIR_NAME_SIZE_MAX ((size_t)1024)          /* a schema, table or column name, bytes */
#define WEIR_RECORD_NAMES_SIZE_MAX (64 * WEIR_MIB) /* memory for names of tables and columns of one stream */
#define WEIR_NOTICE_SIZE_MAX (64 * WEIR_KIB)       /* text of a warning that is shown, bytes */

/* --- types (R-BAT-08) --- */
#define WEIR_DECIMAL_DIGITS_MAX 38
#define WEIR_TIME_SECONDS_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00 */
#define WEIR_TIME_SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */

/* --- batch files (R-BAT) --- */
#define WEIR_BATCH_FILE_SIZE_MAX ((size_t)100000000) /* one file as written, bytes (R-BAT-03) */
#define WEIR_BATCH_PLAIN_SIZE_MAX (4 * WEIR_GIB)     /* one file, decompressed, bytes (R-BAT-10) */
#define WEIR_BATCH_RATIO_MAX ((size_t)2000) /* decompressed : compressed, after the first 64 MiB (R-BAT-10) */
#define WEIR_BATCH_RATIO_FREE (64 * WEIR_MIB)
#define WEIR_BATCH_WINDOW_LOG_MAX 27                               /* zstd window, log2 bytes */
#define WEIR_BATCH_FILES_MAX ((size_t)10000)                       /* files named in one request */
#define WEIR_BATCH_ROW_TEXT_MAX (2 * WEIR_ROW_SIZE_MAX + WEIR_MIB) /* a row as CSV: bytes may double */
#define WEIR_BATCH_CELL_SIZE_LOW WEIR_MIB      /* bounds of a destination's cell_size_max */
#define WEIR_BATCH_CELL_SIZE_HIGH WEIR_GIB     /* a row of twice that has offsets of 32 bits */
#define WEIR_BATCH_MEMORY_MAX (512 * WEIR_MIB) /* a file's text in weir_batch_memory_file, by default */
#define WEIR_BATCH_EMPTY_FRAMES_MAX 64   /* compressed frames without content, skippable ones included */
#define WEIR_BATCH_KEY_SIZE ((size_t)32) /* AES-256 (R-BAT-02) */
#define WEIR_BATCH_IV_SIZE ((size_t)16)

/* --- configuration --- */
#define WEIR_CONFIG_SIZE_MAX (16 * WEIR_MIB) /* a configuration file, bytes */
#define WEIR_CONFIG_COUNT_MAX ((size_t)1000) /* entries of a configuration */
#define WEIR_PLAN_SIZE_MAX (64 * WEIR_MIB)   /* a schema configuration file, bytes */
#define WEIR_FORM_FIELD_MAX ((size_t)1000)   /* fields of a form */
#define WEIR_FORM_DEPTH_MAX 8                /* groups within groups */
#define WEIR_UPLOAD_SIZE_DEFAULT WEIR_MIB    /* an uploaded file, bytes */
#define WEIR_UPLOAD_SIZE_MAX (8 * WEIR_MIB)  /* more does not fit into a configuration with its base64 */
#define WEIR_SECRET_PARTS_MAX ((size_t)1024) /* lines of one secret that are masked by themselves */

/* --- connectors (sdk) --- */
#define WEIR_CALL_MEMORY_MAX (1 * WEIR_GIB)    /* a decoded request and its handler's weir_alloc, bytes */
#define WEIR_LOG_TEXT_SIZE_MAX (16 * WEIR_KIB) /* text of one log line, bytes; more is cut */
#define WEIR_ROWS_AGE_MAX_MS 1000              /* rows waiting longer for their batch to fill are sent */
#define WEIR_SESSION_IDLE_MS 60000             /* a pooled session without use for so long is closed */
#define WEIR_CHECKPOINT_AGE_MAX_MS 3600000     /* without a checkpoint for so long: a warning (R-SRC-04) */

/* --- destinations of SQL stores --- */
#define WEIR_SEEN_PARTS_MAX \
    ((size_t)512) /* of 64 KiB: 3.1 million keys of a stage; past it the store is asked */

/* --- engine (R-ENG-08) --- */
#define WEIR_CATALOG_SIZE_MAX (256 * WEIR_MIB) /* names and declarations of one sync */
#define WEIR_WINDOW_SIZE (6 * WEIR_MIB)        /* text of rows that wait to be folded; two windows at most */
#define WEIR_WINDOW_ROWS ((size_t)32768)       /* rows of a window, a power of two */
#define WEIR_ROW_LARGE (1 * WEIR_MIB)          /* a row past this is written before the next one is taken */
#define WEIR_REQUEST_KEYS_MAX ((size_t)750000) /* keys in the files of all open requests together */
#define WEIR_INBOX_SIZE (1 * WEIR_MIB)         /* messages received and not yet looked at */
#define WEIR_GROUP_SIZE_MIN (64 * WEIR_MIB)    /* bytes after which a checkpoint is committed at once */
#define WEIR_GROUP_TIME_MS 1000                /* else checkpoints this close share one commit (R-ENG-01) */
#define WEIR_GROUP_SIZE_LONG (1 * WEIR_GIB)    /* past it no checkpoint is passed over, ... */
#define WEIR_GROUP_LONG_MS 60000               /* ... nor in a group that old (R-ENG-01) */
#define WEIR_GROUP_REQUESTS_MAX ((size_t)4096) /* requests of a group; past it loading starts early */
#define WEIR_HISTORY_PART_RECORDS \
    ((uint64_t)500000)                          /* records of history tables that share a base (R-ENG-10) */
#define WEIR_INTERVAL_SIZE_MAX (512 * WEIR_MIB) /* keys of an interval that stays open, 20 bytes each */
#define WEIR_HISTORY_PARTS_MAX 4096             /* bases without a commit; the last part has no end */
#define WEIR_LINT_LATE_MINUTES 70               /* rows without a checkpoint: a warning (R-SRC-04) */
#define WEIR_LINT_STATE_SIZE ((size_t)WEIR_MIB) /* a state that grows and is larger: a warning */
#define WEIR_LINT_CHECKPOINTS 100               /* in a row that grow, or do not move */
#define WEIR_LINT_EMPTY 1000                    /* in a row without rows and with one state */
#define WEIR_LINT_TIES 5                        /* times a leaf of the state meets a column: it follows it */
#define WEIR_LINT_LATE 3                        /* times rows came that their cursor had passed: a warning */
#define WEIR_LINT_LOOKS 32                      /* times a column moved and no leaf met it: it is given up */
#define WEIR_LINT_STATE_READ (16 * WEIR_KIB)    /* a larger state is not read for its cursors */
#define WEIR_LINT_LEAVES 256                    /* nor is one with more of them, ... */
#define WEIR_LINT_DEPTH 8                       /* ... and no deeper */
#define WEIR_LINT_TABLES 32                     /* tables whose columns are compared with cursors, ... */
#define WEIR_LINT_COLUMNS 8                     /* ... and columns of one */
#define WEIR_NICE_UPSTREAM 10             /* niceness of what feeds a destination beside the destination's */
#define WEIR_GROUPS_WAITING_MAX 4         /* groups that wait to be loaded without a state */
#define WEIR_LEDGER_SYNCS 100             /* syncs whose commits the ledger keeps */
#define WEIR_READBACK_PARTS ((size_t)256) /* of what is noted of rows that are to be read back; ... */
#define WEIR_READBACK_PART_MAX (256 * WEIR_MIB)  /* ... one at a time is in memory, bytes */
#define WEIR_READBACK_BLOCK (16 * WEIR_KIB)      /* of a part that is being written, bytes */
#define WEIR_READBACK_FILE_MAX (16 * WEIR_GIB)   /* of all parts, on the disk; past it they are given up */
#define WEIR_READBACK_FREE_MIN WEIR_GIB          /* bytes of the disk that they leave to others, ... */
#define WEIR_READBACK_LOOK (16 * WEIR_MIB)       /* ... looked at each time they have grown by so many */
#define WEIR_READBACK_FILTER_MAX (64 * WEIR_MIB) /* tells other rows of a table from those, bytes */
#define WEIR_SPOOL_SIZE_MAX (4 * WEIR_GIB)       /* files not yet loaded; past it loading starts early */
#define WEIR_PACE_HIGH_PART 8                    /* of that bound: files are compressed harder past it, ... */
#define WEIR_PACE_LOW_PART 16                    /* ... and not any more from this part on */

/* --- model (the oracle) --- */
#define WEIR_MODEL_ROWS_MAX ((size_t)100000000) /* rows of a table in the model */
#define WEIR_DIFFERENCES_MAX ((size_t)100)      /* differences listed when rows are compared, unless told */
#define WEIR_DIFFERENCE_TEXT_MAX ((size_t)200)  /* bytes of a value shown in a difference; more is cut */
/* --- testers --- */
#define WEIR_UNCOMMITTED_SIZE_MAX (128 * WEIR_MIB) /* text of rows in an open transaction of the warehouse */
#define WEIR_FINDINGS_MAX ((size_t)1000)           /* findings of a run that are kept, kinds counted once */

/* --- testers --- */
#define WEIR_DUMP_TIME_MS 600000 /* silence of a command that prints a table's rows, before it is given up */

/* --- DuckDB in the program (duckdb) --- */
#define WEIR_DUCKDB_MEMORY_MB 2048    /* what DuckDB may use unless told otherwise; nothing is spilled */
#define WEIR_DUCKDB_STAGE_ROWS 100000 /* rows gathered before they are merged into a table */
#define WEIR_DUCKDB_STAGE_SIZE (64 * WEIR_MIB) /* bytes of their texts */
#define WEIR_DUCKDB_COPY_MAX (2 * WEIR_GIB)    /* a file that another program has open, and its log, bytes */
#define WEIR_PARQUET_FILE_SIZE (32 * WEIR_MIB) /* rows of a Parquet batch file, held until it ends, bytes */

/* --- testers --- */
#define WEIR_TESTER_INPUT_SIZE_MAX WEIR_GIB           /* one input file, bytes */
#define WEIR_TESTER_INPUT_NODES_MAX (4 * WEIR_GIB)    /* memory for what is read of it, bytes */
#define WEIR_TESTER_ROWS_SIZE_MAX (8 * WEIR_GIB)      /* memory for the rows of one request, bytes */
#define WEIR_TESTER_ROWS_SIZE_TARGET (256 * WEIR_MIB) /* production: past it the request is sent */

/* --- recordings (record) --- */
#define WEIR_RECORD_CHUNK_SIZE_MAX WEIR_MIB /* frames of one sealed chunk, bytes */
#define WEIR_RECORD_PAYLOAD_SIZE_MAX (WEIR_MESSAGE_SIZE_MAX + WEIR_KIB) /* a message with its method's path */
#define WEIR_RECORD_QUEUE_SIZE (4 * WEIR_MIB)   /* chunks that wait to be sealed; past it the sync waits */
#define WEIR_RECORD_CALLS_MAX ((size_t)1000000) /* calls of one recording */
#define WEIR_RECORD_SECRET_SIZE_MIN ((size_t)4) /* shorter values are not looked for in texts */

/* --- new projects (cli) --- */
#define WEIR_PROJECT_NAME_MAX 40        /* characters of a connector's name */
#define WEIR_TEMPLATE_SIZE_MAX WEIR_MIB /* bytes of a file that weir new writes, and of its paths together */

static_assert(WEIR_RECORDS_SIZE_TARGET < WEIR_MIB, "stock clients refuse messages over 4 MiB");
static_assert(WEIR_ROW_SIZE_MAX <= WEIR_MESSAGE_SIZE_MAX / 2, "a row fits into a message with its names");
static_assert(WEIR_CELL_SIZE_MAX <= WEIR_ROW_SIZE_MAX, "a cell fits into a row");
static_assert(WEIR_UPLOAD_SIZE_MAX / 3 * 4 < WEIR_CONFIG_SIZE_MAX, "a configuration holds an upload");
static_assert(WEIR_STATE_SIZE_MAX < WEIR_MESSAGE_SIZE_MAX, "a state fits into a message");

#endif
