/*
 * tester/tester: one run of a tester: its options, what it says, what it has found, and how it ends.
 *
 * Everything for people goes to standard error, one line each, with a level in front; the phrases that
 * scripts look for are those of the official testers. Standard output is for the report alone (`--json`). A
 * tester is used by one thread, except that any thread may say something.
 */
#ifndef WEIR_TESTER_TESTER_H
#define WEIR_TESTER_TESTER_H

#include <weir/base.h>

#include "base/error.h"

/* How a run ends; the exit code of `weir test`. */
typedef enum tester_verdict {
    TESTER_PASS = 0,
    TESTER_CONNECTOR = 1, /* the connector failed, or its tables are not what they should be */
    TESTER_USAGE = 2,     /* options, configuration or input files are wrong */
    TESTER_BROKEN = 3     /* the tester could not do its work: disk, memory */
} tester_verdict;

typedef enum tester_profile {
    TESTER_PRODUCTION, /* what a platform sends: the default */
    TESTER_OFFICIAL    /* what the official tester sends, its oddities included */
} tester_profile;

/* Borrowed for the run. */
typedef struct tester_options {
    bool source; /* --tester-type source, else destination */
    tester_profile profile;
    const char *host;      /* GRPC_HOSTNAME */
    int port;              /* 0: 50051 for a source, 50052 for a destination (R-RPC-01) */
    const char *connector; /* --connector: a program to start, or an address; NULL: host and port */
    const char *folder;    /* data folder, absolute: configuration, input and batch files, warehouse */
    int64_t connect_ms;    /* how long to wait for the connector to listen */
    int64_t call_ms;       /* of every unary call, and how long a source may be silent; 0: R-ENG-14 */
    bool json;             /* --json: a report on standard output */
    bool has_seed;
    uint64_t seed;   /* of everything random but keys; 0 and `has_seed` false: drawn */
    bool keep_files; /* batch files and keys stay in the data folder */
    bool plain_text; /* batch files neither compressed nor encrypted */
    bool fresh;      /* source: forget state and warehouse first; destination: drop the tables of the input */
    const char *dump; /* --dump: a command that prints a table's rows; NULL: none */
    const char *read; /* --read: sqlite:PATH, duckdb:PATH, parquet:FOLDER, postgresql; NULL: none */
    /* destination */
    const char *schema;     /* --schema-name */
    const char *input_file; /* --input-file; NULL: all of the data folder */
    bool no_delay;          /* --disable-operation-delay */
    bool has_batch_type;    /* --batch-file-type was given; else Capabilities decide */
    bool parquet;           /* --batch-file-type PARQUET */
    /* source */
    const char *destination_schema; /* --destination-schema */
    const char *check;              /* --check: names of further passes, with commas; NULL: none */
} tester_options;

typedef struct tester tester;

/* Owned; NULL when out of memory. `options` is copied, its strings are borrowed. */
tester *tester_new(const tester_options *options);
void tester_free(tester *t); /* accepts NULL */
const tester_options *tester_options_of(const tester *t);

/* --- what is said; cut at 8 KiB, line breaks become spaces --- */

/* An INFO line. */
void tester_say(tester *t, const char *format, ...) WEIR_PRINTF(2, 3);
/* A WARNING line, also in the report. The run goes on and may pass. */
void tester_warn(tester *t, const char *format, ...) WEIR_PRINTF(2, 3);
/*
 * A SEVERE line, also in the report: what was found is wrong. The run goes on and ends in TESTER_CONNECTOR.
 */
void tester_fault(tester *t, const char *format, ...) WEIR_PRINTF(2, 3);
/* Text of several lines as it is, without a level: a row diff, a log line of the connector. */
void tester_show(tester *t, weir_bytes text);
/* How many faults there have been. */
size_t tester_faults(const tester *t);
size_t tester_warnings(const tester *t);

/* --- how it ends --- */

/*
 * Says whose failure the error is that is about to be returned; the first call counts. Without one an error
 * is the tester's own (TESTER_BROKEN). Returns `status`.
 */
weir_status tester_blame(tester *t, tester_verdict verdict, weir_status status);
/*
 * Prints an error that is about to be returned, so that what is said next stands behind it; finish does not
 * repeat it.
 */
void tester_show_error(tester *t, const weir_error *err);
/* Takes the blame back: the error was expected, or can be lived with. */
void tester_absolve(tester *t);
/*
 * Ends the run: prints the error, if `status` is one, and the verdict, with `--json` the report, and returns
 * the exit code.
 */
int tester_finish(tester *t, weir_status status, const weir_error *err);

/* --- the report (one JSON object); when memory runs out for a part of it, none is printed --- */

/* Sets or adds to a number under `name`, a dotted path: "rows.compared". */
void tester_count(tester *t, const char *name, uint64_t more);
void tester_note(tester *t, const char *name, const char *value);
/* Appends a text to the list under `name`. */
void tester_list(tester *t, const char *name, const char *value);
/* The same with a value that is JSON already. */
void tester_list_json(tester *t, const char *name, weir_bytes json);

/* --- the testers --- */

/* Whole runs, from connecting to the last comparison; `t` is finished by the caller. */
weir_status destination_tester_run(tester *t, weir_error *err);
weir_status source_tester_run(tester *t, weir_error *err);

#endif
