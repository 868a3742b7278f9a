/*
 * harness/runner: the running test: where it stands, what has failed, what it leaves behind.
 *
 *   main ── fork ──▶ child: run ▶ clean up ▶ look for leaks ── failures as frames ──▶ main: report
 *
 * State of the process; one thread.
 */
#ifndef WEIR_HARNESS_RUNNER_H
#define WEIR_HARNESS_RUNNER_H

#define WEIR__HARNESS_ITSELF
#include <weir/testing.h>

#include "base/buf.h"
#include "base/error.h"

/* A line of the test's source; `file` is static. */
typedef struct weir_place {
    const char *file;
    int line;
} weir_place;

/* The line of the harness call that is running; "" and 0 before the first. */
weir_place weir__here(void);
/* Records a failure there. */
void weir__fail_here(const char *format, ...) WEIR_PRINTF(1, 2);
void weir__fail_at(weir_place place, const char *format, ...) WEIR_PRINTF(2, 3);

/* Goldens are to be written: --bless, or WEIR_BLESS=1. */
bool weir__blessing(void);
void weir__bless_all(void);
/* Where goldens are looked for, instead of beside the test's source: --folder. NULL: there. Static. */
const char *weir__golden_folder(void);
void weir__golden_set_folder(const char *folder);

/* All failures of a test: each is file, NUL, line as text, NUL, text, NUL. */
typedef struct weir_test_report {
    weir_buf failures;
    unsigned count;
    int64_t duration_ns;
} weir_test_report;

typedef struct weir_test_options {
    bool no_fork;
    int64_t timeout_ms;
} weir_test_options;

/* Runs one test and gathers what it has to say; the report is cleared with weir__buf_clear. */
void weir__test_run(const weir_test *test, const weir_test_options *options, weir_test_report *report);
/* The registered tests, by file and line. */
weir_test *weir__tests(void);

/* What has been told of the running test so far; for tests of the harness. */
typedef struct weir_test_mark {
    size_t size;
    unsigned count;
} weir_test_mark;
weir_test_mark weir__test_mark(void);
/* Takes back what was told since: it is no failure, but a text of at most `size` bytes. */
void weir__test_take_back(const weir_test_mark *mark, char *out, size_t size);

/* Ends the process: a test cannot go on without memory. */
_Noreturn void weir__test_no_memory(void);
/* `memory` itself, unless it is NULL. */
void *weir__test_memory(void *memory);

#endif
