/*
 * weir/testing.h: test a connector inside the test's own process: no port, no server, no container.
 *
 *     #include <weir/testing.h>
 *
 *     WEIR_TEST(resumes_where_it_stopped)
 *     {
 *         weir_harness *h = weir_harness_source(&source);
 *
 *         weir_harness_option(h, "api_key", "k");
 *         weir_harness_cancel_after_rows(h, 2);
 *         weir_harness_update(h);                        // stops early
 *         weir_harness_update(h);                        // goes on from the last checkpoint
 *         weir_harness_expect_rows(h, "greetings", "testdata/greetings.golden");
 *     }
 *
 *     WEIR_TEST(resumes_from_anywhere)                    // the proof that resumption works: one call
 *     {
 *         weir_harness *h = weir_harness_source(&source);
 *
 *         weir_harness_option(h, "api_key", "k");
 *         weir_harness_expect_same_after_any_crash(h);
 *     }
 *
 *     WEIR_TEST_MAIN()
 *
 * What runs is the real thing: configuration and request are encoded, the SDK decodes them and calls the
 * handlers, and what they send is encoded, decoded again and applied to tables by the numbered rules, in the
 * thread of the test. Only HTTP/2, the sockets and the session pool are left out: every request opens and
 * closes a session of its own. A destination gets real batch files, compressed and encrypted, in a private
 * folder that is removed afterwards.
 *
 * Failures. An expectation that does not hold records a failure with file, line and a sentence; the test goes
 * on (WEIR_REQUIRE ends it). A request that goes wrong fails the test too, unless the test looks at it:
 * weir_harness_expect_task, …_expect_failure and …_status count as looking, the status that the request
 * returned does not. Functions that return bool say whether all was well; the result may be ignored. Other
 * test frameworks can use the harness without WEIR_TEST: see weir_test_failures.
 *
 * Crashes. weir_harness_crash_… takes away everything that was not checkpointed. With
 * weir_harness_crash_for_real, and always for a destination, the request runs in a child process that is
 * killed on the spot. The child is a plain fork of the test: it has the test's memory as it stands, changes
 * to that memory die with it, and it has only the test's own thread. So a store under test must live outside
 * of the process (a file, a server), and there must be no other threads: the harness has none, and says so if
 * the test has.
 *
 * Everything belongs to the test's thread. Texts, tables and rows that are handed out are borrowed until the
 * next function of the same harness that changes what they show. Harnesses are freed when their test ends.
 * C11 and C++17 (the initialisers of a connector are C11).
 */
#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

#include <weir/destination.h>
#include <weir/source.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- tests --- */

/* A test. Filled in by WEIR_TEST. */
typedef struct weir_test {
    const char *name;
    const char *file;
    int line;
    void (*run)(void);
    struct weir_test *next;
} weir_test;

/* Defines a test and registers it. The body is that of a function without arguments and result. */
#define WEIR_TEST(test_name)                                                                    \
    static void weir__test_##test_name(void);                                                   \
    __attribute__((constructor)) static void weir__register_##test_name(void)                   \
    {                                                                                           \
        static weir_test entry = { #test_name, __FILE__, __LINE__, weir__test_##test_name, 0 }; \
        weir__test_register(&entry);                                                            \
    }                                                                                           \
    static void weir__test_##test_name(void)

/* The test program's main. */
#define WEIR_TEST_MAIN()                   \
    int main(int argc, char **argv)        \
    {                                      \
        return weir_test_main(argc, argv); \
    }

/*
 * Runs the registered tests in the order of their lines, each in a child process of its own, so that one that
 * crashes or hangs does not end the others. Arguments: names, or parts of names, of the tests to run; --list;
 * --bless (write goldens anew, as WEIR_BLESS=1 does); --folder FOLDER (goldens are there, instead of beside
 * the test's source file); --tap or --json (one JSON object a line) instead of text for people; --no-fork
 * (all in this process, for a debugger); --timeout SECONDS (of a test; 300); --help. After each test, memory
 * of Weir that is still held and descriptors that are still open are failures (under AddressSanitizer all
 * leaked memory is). Returns 0 when all passed, 1 when one failed, 2 for wrong arguments.
 */
WEIR_API int weir_test_main(int argc, char **argv);
/* Registers a test; `test` is static. For WEIR_TEST. */
WEIR_API void weir__test_register(weir_test *test);
/* Records a failure of the running test, and goes on. */
WEIR_API void weir_test_fail(const char *file, int line, const char *format, ...) WEIR_PRINTF(3, 4);
/*
 * Failures since the running test began; outside of a test, since the process began (each is then printed to
 * standard error as it happens). For other test frameworks: compare before and after, and call
 * weir_harness_free.
 */
WEIR_API unsigned weir_test_failures(void);
/*
 * The path of `name` in a folder of the running test, which is private, empty at first and removed
 * afterwards. Borrowed until the test ends.
 */
WEIR_API const char *weir_test_path(const char *name);
/* Calls function(context) when the running test ends, last registered first. */
WEIR_API void weir_test_at_end(void (*function)(void *context), void *context);

/* --- assertions --- */

/* Records a failure unless the condition holds. */
#define WEIR_EXPECT(...) weir__expect(__FILE__, __LINE__, (__VA_ARGS__) ? 1 : 0, #__VA_ARGS__)
/* The same, and leaves the function, which returns void. */
#define WEIR_REQUIRE(...)              \
    do {                               \
        if (!WEIR_EXPECT(__VA_ARGS__)) \
            return;                    \
    } while (0)
/*
 * Two integers, two numbers, two bools or two texts (NULL equals NULL only) that are to be the same. The type
 * of the first decides; both values are shown.
 */
#ifndef __cplusplus
#define WEIR_EXPECT_EQUAL(actual, expected) \
    _Generic((actual),                                      \
        char *: weir__expect_texts,                         \
        const char *: weir__expect_texts,                   \
        float: weir__expect_reals,                          \
        double: weir__expect_reals,                         \
        unsigned: weir__expect_sizes,                       \
        unsigned long: weir__expect_sizes,                  \
        unsigned long long: weir__expect_sizes,             \
        default: weir__expect_integers)(__FILE__, __LINE__, #actual, actual, expected)
#endif

WEIR_API bool weir__expect(const char *file, int line, bool holds, const char *condition);
WEIR_API bool weir__expect_integers(const char *file, int line, const char *what, int64_t actual,
                                    int64_t expected);
WEIR_API bool weir__expect_sizes(const char *file, int line, const char *what, uint64_t actual,
                                 uint64_t expected);
WEIR_API bool weir__expect_reals(const char *file, int line, const char *what, double actual,
                                 double expected);
WEIR_API bool weir__expect_texts(const char *file, int line, const char *what, const char *actual,
                                 const char *expected);

/* --- a harness --- */

typedef struct weir_harness weir_harness;

/*
 * A connector ready to be asked. The definition is borrowed, and checked as at the start of its program: a
 * mistake in it fails the test. Never NULL (out of memory ends the process); a harness with a wrong
 * definition fails every request.
 */
#define weir_harness_source(...) weir__harness_source(__VA_ARGS__, sizeof(weir_source), __FILE__, __LINE__)
#define weir_harness_destination(...) \
    weir__harness_destination(__VA_ARGS__, sizeof(weir_destination), __FILE__, __LINE__)
WEIR_API weir_harness *weir__harness_source(const weir_source *source, size_t size, const char *file,
                                            int line);
WEIR_API weir_harness *weir__harness_destination(const weir_destination *destination, size_t size,
                                                 const char *file, int line);
/* Needed only outside of WEIR_TEST, or to end one early. A request nobody looked at fails here. */
WEIR_API void weir_harness_free(weir_harness *h);

/*
 * The configuration: text under a field's name, as the setup form saves it ("true", "5432"); NULL removes it.
 * A name that the form has not fails the test.
 */
WEIR_API void weir_harness_option(weir_harness *h, const char *name, const char *value);
/* The bytes of a file for an upload field. */
WEIR_API void weir_harness_upload(weir_harness *h, const char *name, const void *data, size_t size);
/* All of it as a JSON object of texts, unchecked: to see what an older or a foreign configuration does. */
WEIR_API void weir_harness_configuration(weir_harness *h, const char *json);
/* Requests from now on have so many milliseconds; 0: as many as they like. */
WEIR_API void weir_harness_deadline(weir_harness *h, int64_t ms);

/* What the last request ended with; the test has looked at it. */
WEIR_API weir_status weir_harness_status(weir_harness *h);
/* Its text: of the task, the failure or the warnings; "" when there is none. */
WEIR_API const char *weir_harness_text(const weir_harness *h);
/* The last request: went well; ended with a task, or failed, and its text contains `part`. */
WEIR_API bool weir_harness_expect_ok(weir_harness *h);
WEIR_API bool weir_harness_expect_task(weir_harness *h, const char *part);
WEIR_API bool weir_harness_expect_failure(weir_harness *h, const char *part);
/* A warning of the last request, or a log line since the harness was made, contains `part`. */
WEIR_API bool weir_harness_expect_warning(weir_harness *h, const char *part);
WEIR_API bool weir_harness_expect_log(weir_harness *h, const char *part);
/* All log lines so far, one JSON object each. */
WEIR_API const char *weir_harness_log(weir_harness *h);

/* Asks for the form; the reply as readable text, one field a line, fit for a golden. */
WEIR_API const char *weir_harness_form(weir_harness *h);
/* Runs one setup test by its name, or all in their order until one fails (NULL). */
WEIR_API weir_status weir_harness_test(weir_harness *h, const char *name);

/* --- goldens --- */

/*
 * `text` equals the file `golden`, whose path is relative to the folder of the test's source file. The
 * difference is shown, line by line. `name` says what it is. With --bless or WEIR_BLESS=1 the file is
 * written instead. For generated SQL, or anything.
 */
WEIR_API bool weir_harness_expect_text(weir_harness *h, const char *name, const char *text,
                                       const char *golden);
/*
 * The rows of a table ("table", or "schema.table" where the name alone is not unique), by key, against a
 * golden: a line that names the columns, then a row a line. Source: what would have landed, without rows
 * after the last checkpoint of a run that did not end well, and without system columns. Destination: what the
 * reader reads back.
 */
WEIR_API bool weir_harness_expect_rows(weir_harness *h, const char *table, const char *golden);
/* The same text, to look at in the test. */
WEIR_API const char *weir_harness_rows(weir_harness *h, const char *table);
/* How many rows there are. */
WEIR_API bool weir_harness_expect_row_count(weir_harness *h, const char *table, size_t count);
/* One cell of the row whose only key column has the text `key`: its text as in a golden. */
WEIR_API bool weir_harness_expect_cell(weir_harness *h, const char *table, const char *key,
                                       const char *column, const char *text);

/* --- sources --- */

/* Asks for the schema. Tables stay known: see weir_harness_table. */
WEIR_API weir_status weir_harness_schema(weir_harness *h);
/* A table of the last schema reply; NULL when it is not there. */
WEIR_API const weir_table *weir_harness_table(weir_harness *h, const char *name);
/* Asks for the schema and compares it with a golden: a table a line, then its columns. */
WEIR_API bool weir_harness_expect_schema(weir_harness *h, const char *golden);

/*
 * What is chosen (R-SRC-05). Without any of these: all. `column` NULL: the table; `schema` NULL where there
 * are none. What was not named follows weir_harness_select_new, at first true.
 */
WEIR_API void weir_harness_select(weir_harness *h, const char *schema, const char *table, const char *column,
                                  bool chosen);
WEIR_API void weir_harness_select_new(weir_harness *h, bool schemas, bool tables, bool columns);

/* The state that the next update gets, as JSON; NULL: none, a fresh start. */
WEIR_API void weir_harness_set_state(weir_harness *h, const char *json);
/* The state of the last checkpoint; NULL before the first. */
WEIR_API const char *weir_harness_state(const weir_harness *h);
/* It equals `json` as a JSON value: order and spaces do not matter. */
WEIR_API bool weir_harness_expect_state(weir_harness *h, const char *json);

/* What an update sent. */
typedef struct weir_harness_seen {
    size_t upserts;
    size_t updates;
    size_t deletes;
    size_t truncates;
    size_t checkpoints;
    size_t schema_changes;
    size_t warnings;
    size_t dropped; /* rows after the last checkpoint of a run that did not end well */
} weir_harness_seen;

/*
 * One sync, from the last checkpoint on. WEIR_OK: it ended well. WEIR_CANCELLED: it was cancelled or crashed
 * as the test had asked. WEIR_TASK, WEIR_FAILED: as it says.
 */
WEIR_API weir_status weir_harness_update(weir_harness *h);
/* Syncs until one brings nothing new, at most `runs_max` times; more is a failure. */
WEIR_API weir_status weir_harness_update_until_done(weir_harness *h, unsigned runs_max);
/* What the last one sent. */
WEIR_API weir_harness_seen weir_harness_seen_last(const weir_harness *h);
/*
 * The next update is cancelled, as by a user, right after the n-th row or checkpoint: weir_running turns
 * false, and nothing more is received. An update that ends before that fails the test.
 */
WEIR_API void weir_harness_cancel_after_rows(weir_harness *h, uint64_t n);
WEIR_API void weir_harness_cancel_at_checkpoint(weir_harness *h, uint64_t n);
/*
 * The next request crashes right after the n-th row or checkpoint of a source, or when a destination is about
 * to be given the n-th row of a write (the n-th file, when it takes whole files). See the top of this file.
 */
WEIR_API void weir_harness_crash_after_rows(weir_harness *h, uint64_t n);
WEIR_API void weir_harness_crash_at_checkpoint(weir_harness *h, uint64_t n);
WEIR_API void weir_harness_crash_for_real(weir_harness *h, bool for_real);
/*
 * Called before a crash is played in a child process: for a connector that keeps threads or files between
 * requests, which now must end or close them. The next request finds things as after a start.
 */
WEIR_API void weir_harness_before_crash(weir_harness *h, void (*function)(void *context), void *context);
/*
 * Called before every update, resumed ones too: `fresh` says that the sync starts where the test's own
 * started. For a source whose other end is a fake in the test's memory, which must then tell the same story
 * again.
 */
WEIR_API void weir_harness_on_start(weir_harness *h, void (*function)(void *context, bool fresh),
                                    void *context);
/*
 * The proof of resumption (R-ENG-03): syncs once undisturbed, then once for every row and every checkpoint,
 * crashing there and resuming until done, and compares all tables. Past `positions_max` of
 * weir_harness_positions_max a sample of positions is taken, the first, the last and those around checkpoints
 * among them. Starts from the state that the harness has, and fails when there is no row to be synced from
 * there; afterwards state and tables are those of the
 * undisturbed run. A column whose value is different in every sync is left out with weir_harness_ignore.
 */
WEIR_API bool weir_harness_expect_same_after_any_crash(weir_harness *h);
WEIR_API void weir_harness_positions_max(weir_harness *h, size_t positions_max); /* 200 at first */
/* The column is not compared, and not shown in goldens. `table` as in weir_harness_expect_rows. */
WEIR_API void weir_harness_ignore(weir_harness *h, const char *table, const char *column);

/* --- destinations --- */

/* What the batch files are like. Zero: a header in the table's order, one file a kind, zstd and AES. */
typedef struct weir_harness_files {
    uint64_t seed;                 /* other than 0: columns in a random order, which it decides */
    size_t rows_max;               /* rows of a file; 0: as many as there are */
    const char *null_string;       /* NULL: random in every request (R-BAT-06) */
    const char *unmodified_string; /* NULL: likewise */
    bool plain;                    /* not encrypted */
    bool gzip;
    bool uncompressed;
    bool quote_all;     /* every cell is quoted, the null string too */
    bool no_final_lf;   /* the last line has no end */
    bool leave_out;     /* update files lack the columns that no row of them changes */
    const char *folder; /* a name for the files' folder, odd characters welcome; NULL: "files" */
    bool all_kinds;     /* a kind without rows gets a file with the header alone */
    size_t cut;         /* bytes that are missing at the end of a file */
    bool wrong_key;     /* the key in the request is not the file's */
} weir_harness_files;

/* From now on. NULL: zeroes. Copied; strings are borrowed. */
WEIR_API void weir_harness_set_files(weir_harness *h, const weir_harness_files *files);

/*
 * Requests. Each that succeeds is also applied to the model, the harness's own idea of what the tables are;
 * each may be a failure, a task and so on, as weir_harness_status says.
 */
WEIR_API weir_status weir_harness_create(weir_harness *h, const weir_table *table);
WEIR_API weir_status weir_harness_alter(weir_harness *h, const weir_table *table, bool drop_columns);
WEIR_API weir_status weir_harness_truncate(weir_harness *h, const weir_truncation *what);
WEIR_API weir_status weir_harness_migrate(weir_harness *h, const weir_migration *what);
/* WEIR_NOT_FOUND is an answer like WEIR_OK. *out is borrowed until the next request; may be NULL. */
WEIR_API weir_status weir_harness_describe(weir_harness *h, const char *schema, const char *table,
                                           const weir_table **out);
/*
 * A row for the next write or write_history: cells by name, in any order, as with WEIR_CELLS. Columns without
 * a cell are NULL in replace rows and unmodified in update rows; `_fivetran_synced` and `_fivetran_deleted`
 * (false) are put in by themselves. Copied.
 */
WEIR_API void weir_harness_put(weir_harness *h, const weir_table *table, weir_op op, const weir_cell *cells,
                               size_t count);
/* Sends the rows that were put for this table; none is a request without files. */
WEIR_API weir_status weir_harness_write(weir_harness *h, const weir_table *table);
WEIR_API weir_status weir_harness_write_history(weir_harness *h, const weir_table *table);
/* What was put for these tables, each in a request of its own, all at the same time (R-RPC-06). */
WEIR_API weir_status weir_harness_write_parallel(weir_harness *h, const weir_table *const *tables,
                                                 size_t count);
/* The last request once more, byte for byte, its files as they were (R-DST-06). */
WEIR_API weir_status weir_harness_resend(weir_harness *h);

/* Where a reader puts what it finds in the store. */
typedef struct weir_rows weir_rows;
/*
 * One row: a cell for every column of the table it was asked for, in that order; names are not read. The type
 * is what the store has (a number kept as text is a STRING): values are compared by value, as the type they
 * should have.
 */
WEIR_API void weir_rows_add(weir_rows *out, const weir_cell *cells, size_t count);
/* For the reader's own failures: `return weir_rows_fail(out, "…")`. */
WEIR_API weir_status weir_rows_fail(weir_rows *out, const char *format, ...) WEIR_PRINTF(2, 3) WEIR_CHECKED;
/* Reads all rows of `table` out of the store. */
typedef weir_status (*weir_rows_reader)(void *context, const weir_table *table, weir_rows *out);
WEIR_API void weir_harness_read_with(weir_harness *h, weir_rows_reader reader, void *context);
/*
 * Every table that the harness has created, row by row, against the model; what differs is shown. The schemas
 * as describe tells them are compared, too: columns, keys and types (R-DST-01). Needs a reader.
 */
WEIR_API bool weir_harness_expect_model(weir_harness *h);

/* --- conformance --- */

/* A rule that a connector does not keep, and why. */
typedef struct weir_quirk {
    const char *rule; /* "F5" */
    const char *reason;
} weir_quirk;

/* What a store cannot do. Zeroes: it can do everything. */
typedef struct weir_quirks {
    const weir_quirk *skipped; /* ends with a NULL rule; may be NULL */
    bool coarse_times;         /* it keeps `time_digits` digits of a second */
    unsigned time_digits;
    bool single_precision; /* DOUBLE is kept in 32 bits */
    bool empty_is_null;    /* an empty text becomes NULL */
    bool no_schemas;       /* one name space for all tables */
} weir_quirks;

/* Applies to weir_harness_expect_model, too. Borrowed. */
WEIR_API void weir_harness_set_quirks(weir_harness *h, const weir_quirks *quirks);
/*
 * The rules that can be probed in-process, one line of report each on standard output: passed, failed and
 * how, or skipped and why. Failures are failures of the test, and so is a quirk about a rule that is not
 * probed. A quick look; certification proper runs over the wire. A destination is left with the tables of the
 * probes in the schema `weir_conformance`; without a reader rows are not looked at, and the report says so.
 * `quirks` may be NULL. Sources: R1 R2 R4 to R8 R10 R13; destinations, of the conformance list: F1 to F21
 * (F12 everywhere: no zstd frame of the harness has its size), V1 to V11, B1 to B10, T1 to T9, S1 to S3 S5 to
 * S15 S17 to S20, and with the handlers H1 to H18 (H13 everywhere), M1 to M7 M9 M10.
 */
WEIR_API bool weir_conform_source(weir_harness *h, const weir_quirks *quirks);
WEIR_API bool weir_conform_destination(weir_harness *h, const weir_quirks *quirks);

/* --- where in the test we are: each call notes its own line, for the failures --- */

WEIR_API void weir__at(const char *file, int line);
#define WEIR__AT(call) (weir__at(__FILE__, __LINE__), call)
#ifndef WEIR__HARNESS_ITSELF
/* clang-format off */
#define weir_harness_free(...) WEIR__AT(weir_harness_free(__VA_ARGS__))
#define weir_harness_option(...) WEIR__AT(weir_harness_option(__VA_ARGS__))
#define weir_harness_upload(...) WEIR__AT(weir_harness_upload(__VA_ARGS__))
#define weir_harness_configuration(...) WEIR__AT(weir_harness_configuration(__VA_ARGS__))
#define weir_harness_deadline(...) WEIR__AT(weir_harness_deadline(__VA_ARGS__))
#define weir_harness_status(...) WEIR__AT(weir_harness_status(__VA_ARGS__))
#define weir_harness_expect_ok(...) WEIR__AT(weir_harness_expect_ok(__VA_ARGS__))
#define weir_harness_expect_task(...) WEIR__AT(weir_harness_expect_task(__VA_ARGS__))
#define weir_harness_expect_failure(...) WEIR__AT(weir_harness_expect_failure(__VA_ARGS__))
#define weir_harness_expect_warning(...) WEIR__AT(weir_harness_expect_warning(__VA_ARGS__))
#define weir_harness_expect_log(...) WEIR__AT(weir_harness_expect_log(__VA_ARGS__))
#define weir_harness_form(...) WEIR__AT(weir_harness_form(__VA_ARGS__))
#define weir_harness_test(...) WEIR__AT(weir_harness_test(__VA_ARGS__))
#define weir_harness_expect_text(...) WEIR__AT(weir_harness_expect_text(__VA_ARGS__))
#define weir_harness_expect_rows(...) WEIR__AT(weir_harness_expect_rows(__VA_ARGS__))
#define weir_harness_rows(...) WEIR__AT(weir_harness_rows(__VA_ARGS__))
#define weir_harness_expect_row_count(...) WEIR__AT(weir_harness_expect_row_count(__VA_ARGS__))
#define weir_harness_expect_cell(...) WEIR__AT(weir_harness_expect_cell(__VA_ARGS__))
#define weir_harness_schema(...) WEIR__AT(weir_harness_schema(__VA_ARGS__))
#define weir_harness_table(...) WEIR__AT(weir_harness_table(__VA_ARGS__))
#define weir_harness_expect_schema(...) WEIR__AT(weir_harness_expect_schema(__VA_ARGS__))
#define weir_harness_select(...) WEIR__AT(weir_harness_select(__VA_ARGS__))
#define weir_harness_select_new(...) WEIR__AT(weir_harness_select_new(__VA_ARGS__))
#define weir_harness_set_state(...) WEIR__AT(weir_harness_set_state(__VA_ARGS__))
#define weir_harness_expect_state(...) WEIR__AT(weir_harness_expect_state(__VA_ARGS__))
#define weir_harness_update(...) WEIR__AT(weir_harness_update(__VA_ARGS__))
#define weir_harness_update_until_done(...) WEIR__AT(weir_harness_update_until_done(__VA_ARGS__))
#define weir_harness_cancel_after_rows(...) WEIR__AT(weir_harness_cancel_after_rows(__VA_ARGS__))
#define weir_harness_cancel_at_checkpoint(...) WEIR__AT(weir_harness_cancel_at_checkpoint(__VA_ARGS__))
#define weir_harness_crash_after_rows(...) WEIR__AT(weir_harness_crash_after_rows(__VA_ARGS__))
#define weir_harness_crash_at_checkpoint(...) WEIR__AT(weir_harness_crash_at_checkpoint(__VA_ARGS__))
#define weir_harness_crash_for_real(...) WEIR__AT(weir_harness_crash_for_real(__VA_ARGS__))
#define weir_harness_before_crash(...) WEIR__AT(weir_harness_before_crash(__VA_ARGS__))
#define weir_harness_on_start(...) WEIR__AT(weir_harness_on_start(__VA_ARGS__))
#define weir_harness_expect_same_after_any_crash(...) \
    WEIR__AT(weir_harness_expect_same_after_any_crash(__VA_ARGS__))
#define weir_harness_positions_max(...) WEIR__AT(weir_harness_positions_max(__VA_ARGS__))
#define weir_harness_ignore(...) WEIR__AT(weir_harness_ignore(__VA_ARGS__))
#define weir_harness_set_files(...) WEIR__AT(weir_harness_set_files(__VA_ARGS__))
#define weir_harness_create(...) WEIR__AT(weir_harness_create(__VA_ARGS__))
#define weir_harness_alter(...) WEIR__AT(weir_harness_alter(__VA_ARGS__))
#define weir_harness_truncate(...) WEIR__AT(weir_harness_truncate(__VA_ARGS__))
#define weir_harness_migrate(...) WEIR__AT(weir_harness_migrate(__VA_ARGS__))
#define weir_harness_describe(...) WEIR__AT(weir_harness_describe(__VA_ARGS__))
#define weir_harness_put(...) WEIR__AT(weir_harness_put(__VA_ARGS__))
#define weir_harness_write(...) WEIR__AT(weir_harness_write(__VA_ARGS__))
#define weir_harness_write_history(...) WEIR__AT(weir_harness_write_history(__VA_ARGS__))
#define weir_harness_write_parallel(...) WEIR__AT(weir_harness_write_parallel(__VA_ARGS__))
#define weir_harness_resend(...) WEIR__AT(weir_harness_resend(__VA_ARGS__))
#define weir_harness_read_with(...) WEIR__AT(weir_harness_read_with(__VA_ARGS__))
#define weir_harness_expect_model(...) WEIR__AT(weir_harness_expect_model(__VA_ARGS__))
#define weir_harness_set_quirks(...) WEIR__AT(weir_harness_set_quirks(__VA_ARGS__))
#define weir_conform_source(...) WEIR__AT(weir_conform_source(__VA_ARGS__))
#define weir_conform_destination(...) WEIR__AT(weir_conform_destination(__VA_ARGS__))
/* clang-format on */
#endif

#ifdef __cplusplus
}

#include <type_traits>

/* WEIR_EXPECT_EQUAL in C++, where there is no _Generic. */
template <typename A, typename B>
inline bool weir__expect_equal(const char *file, int line, const char *what, A actual, B expected)
{
    if constexpr (std::is_convertible_v<A, const char *>)
        return weir__expect_texts(file, line, what, actual, expected);
    else if constexpr (std::is_floating_point_v<A>)
        return weir__expect_reals(file, line, what, static_cast<double>(actual),
                                  static_cast<double>(expected));
    else
        return weir__expect_integers(file, line, what, static_cast<int64_t>(actual),
                                     static_cast<int64_t>(expected));
}
#define WEIR_EXPECT_EQUAL(actual, expected) weir__expect_equal(__FILE__, __LINE__, #actual, actual, expected)
#endif

#endif
