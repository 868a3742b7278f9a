/*
 * weir/source.h: write a source.
 *
 * A source is one const struct of handlers and a main of one line. Only `update` must be there. See
 * weir/form.h for the options and weir/call.h for what every handler can do.
 */
#ifndef WEIR_SOURCE_H
#define WEIR_SOURCE_H

#include <weir/call.h>
#include <weir/form.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_sync weir_sync;     /* where update() puts rows and state */
typedef struct weir_schema weir_schema; /* where schema() puts tables */

typedef struct weir_source {
    const char *name; /* "postgresql"; appears in logs and in --help */
    weir_form form;
    const weir_setup_test *tests; /* may be NULL */
    /* The tables, when known beforehand (WEIR_TABLES); NULL-terminated. Then `schema` may be NULL. */
    const weir_table *const *tables;
    /*
     * Opens the partner's connection for a configuration; *session is handed to every handler by weir_session
     * and closed by close(). Called once per request, before the handler, unless `sessions_idle_max` says
     * otherwise. NULL: sessions are NULL.
     */
    weir_status (*open)(weir_call *call, void **session);
    void (*close)(void *session);
    /* Adds the tables to `out`. NULL: `tables`; both NULL: tables appear with their rows (R-SRC-10). */
    weir_status (*schema)(weir_call *call, weir_schema *out);
    /*
     * Sends rows and checkpoints until the source is read up to where it stood at the start (R-SRC-11).
     * Required. Returning WEIR_OK ends the sync well; rows after the last checkpoint are flushed, but no
     * state is sent for them.
     */
    weir_status (*update)(weir_call *call, weir_sync *out);
    bool selection_not_supported; /* the form offers no choice of tables and columns */
    /*
     * The session pool. How many sessions may wait, unused, for another request of the same configuration; 0:
     * every request has a session of its own, opened and closed with it. With a pool open() is called only
     * when no session waits, and what it keeps in the session must not be borrowed from its call. A session
     * serves one request at a time, and never another configuration than its own. It is closed after a minute
     * without use, when the process stops, or when its handler failed; close() may then run in a thread of
     * Weir's. Setup tests always open a new one: they are there to find out whether that works.
     */
    unsigned sessions_idle_max;
    /*
     * Makes a session that served another request ready for this one: WEIR_OK, or it is closed and the
     * request gets another. Also called right after a handler that failed, to undo what it left behind; then
     * WEIR_OK keeps the session. Texts given here go nowhere. NULL: every waiting session is fit, one whose
     * handler failed is not.
     */
    weir_status (*check)(weir_call *call, void *session);
} weir_source;

/* Inside a weir_source initialiser: WEIR_TABLES(&orders, &items) */
#define WEIR_TABLES(...)                  \
    .tables = (const weir_table *const[]) \
    {                                     \
        __VA_ARGS__, NULL                 \
    }

/* Adds a table to the schema reply; it is copied. All tables of a source have a schema, or none has. */
WEIR_API weir_status weir_schema_add(weir_schema *out, const weir_table *table);

/*
 * Rows. A row is one call; the table is matched by schema and name, its columns say which cells are keys. The
 * row is copied before the call returns. Rows travel in batches of at most 100 records or 100,000 bytes
 * (R-SRC-03); the call blocks while the engine is slower than the source. Malformed UTF-8 is replaced by
 * U+FFFD (R-SRC-07).
 *
 * Errors are sticky: after the first failure every call returns it again at once, and update() ends with it
 * whatever it returns, so the result may be looked at only where it ends a loop early.
 *
 * weir_upsert: the whole row; a column without a cell becomes NULL (R-SRC-02). weir_update: key and changed
 * columns; the table must have a key. weir_delete: key columns; other cells are left out; without a key the
 * whole row. A cell with a value for every key column is required in all three.
 *
 * Cells may come in any order, and for columns that are not declared (R-SRC-08). Numbers travel in the type
 * that their column declares where they fit it. Tables and columns that the customer did not choose are
 * dropped here, key columns never (R-SRC-05). Refused, naming table and column: a value that its column's
 * type cannot hold, such as a STRING for a LONG (R-ENG-20 tells which can), a key cell missing or NULL, a
 * column twice, an unmodified cell, a DECIMAL that is no number, a time outside the years 0001 to 9999,
 * NAIVE_TIME (R-SRC-07).
 *
 * A table is copied when it is first used. It may live anywhere, but as long as its pointers are the same it
 * must say the same; announce a change with weir_schema_change, or hand in another array of columns.
 */
WEIR_API weir_status weir_upsert(weir_sync *out, const weir_table *table, const weir_cell *cells,
                                 size_t count);
WEIR_API weir_status weir_update(weir_sync *out, const weir_table *table, const weir_cell *cells,
                                 size_t count);
WEIR_API weir_status weir_delete(weir_sync *out, const weir_table *table, const weir_cell *cells,
                                 size_t count);
/*
 * Marks every row that was sent before this sync as deleted. Comes before any row of the table, and only
 * where the state shows no progress for it (R-SRC-09): refused after a row of the table in this sync, and
 * while the table has a state (weir_table_state_…). A source that keeps its progress elsewhere in the state
 * must look there itself, or a sync that resumes would take away rows that it does not send again.
 */
WEIR_API weir_status weir_truncate(weir_sync *out, const weir_table *table);
/* Announces a new or changed table in the middle of a sync (R-SRC-10). */
WEIR_API weir_status weir_schema_change(weir_sync *out, const weir_table *table);

/* True when the customer chose the table, or the column (R-SRC-05). What was not chosen need not be read. */
WEIR_API bool weir_selected(const weir_sync *out, const weir_table *table, const char *column);

/*
 * State: a JSON object of the source's own, empty at the first sync (R-SRC-01). Strings are borrowed until
 * the same key is set again, or the whole object. A value of another type counts as absent, but that an
 * integer is a double, too. set() is pending until the next checkpoint; setting an integer that was one costs
 * no allocation, so it may follow every row. A NULL string removes the key; a double must be finite.
 */
WEIR_API int64_t weir_state_long(const weir_sync *out, const char *key, int64_t fallback);
WEIR_API const char *weir_state_string(const weir_sync *out, const char *key, const char *fallback);
WEIR_API bool weir_state_boolean(const weir_sync *out, const char *key, bool fallback);
WEIR_API double weir_state_double(const weir_sync *out, const char *key, double fallback);
WEIR_API void weir_state_set_long(weir_sync *out, const char *key, int64_t value);
WEIR_API void weir_state_set_string(weir_sync *out, const char *key, const char *value);
WEIR_API void weir_state_set_boolean(weir_sync *out, const char *key, bool value);
WEIR_API void weir_state_set_double(weir_sync *out, const char *key, double value);
WEIR_API void weir_state_remove(weir_sync *out, const char *key);
/* Any value as JSON text, which lives as long as the call; NULL when there is none. Not for every row. */
WEIR_API const char *weir_state_value(weir_sync *out, const char *key);
WEIR_API void weir_state_set_value(weir_sync *out, const char *key, const char *json);
/*
 * The whole object: as it was received, "{}" when fresh; and replaced, which fails when the text is no JSON
 * object or has 10 MB.
 */
WEIR_API const char *weir_state_json(const weir_sync *out);
WEIR_API weir_status weir_state_set_json(weir_sync *out, const char *json);
/* True when this sync began without any state: everything is sent for the first time, or over again. */
WEIR_API bool weir_fresh(const weir_sync *out);

/*
 * Progress of one table, in an object of its own in the state, under "tables". What is kept here is what
 * weir_truncate goes by; clear() forgets it, to start the table over. Otherwise as above.
 * `weir sync --resync-table` takes the object out, so the source must then read the table from its start. It
 * does so only where the state has the member "tables_of": "weir", which setting a value here adds.
 */
WEIR_API int64_t weir_table_state_long(weir_sync *out, const weir_table *table, const char *key,
                                       int64_t fallback);
WEIR_API const char *weir_table_state_string(weir_sync *out, const weir_table *table, const char *key,
                                             const char *fallback);
WEIR_API void weir_table_state_set_long(weir_sync *out, const weir_table *table, const char *key,
                                        int64_t value);
WEIR_API void weir_table_state_set_string(weir_sync *out, const weir_table *table, const char *key,
                                          const char *value);
WEIR_API void weir_table_state_clear(weir_sync *out, const weir_table *table);

/*
 * Where a sync of a busy source ends (R-SRC-11): rows that come in while it runs belong to the next one, or
 * it would never end. Read the source's position once, before the first row, and tell it here: the largest
 * id, a log position, a time in microseconds. The first call counts; every call returns the position that
 * does. True for a position that lies behind that one; before weir_stop_at for none.
 *
 *     weir_stop_at(out, newest_id(db));
 *     while (next_row(db, &row) && !weir_reached(out, row.id))
 *         weir_upsert(out, …);
 */
WEIR_API int64_t weir_stop_at(weir_sync *out, int64_t position);
WEIR_API bool weir_reached(const weir_sync *out, int64_t position);

/* Flushes every row sent so far, then sends the state that follows them (R-SRC-04). */
WEIR_API weir_status weir_checkpoint(weir_sync *out) WEIR_CHECKED;

/*
 * The program: parses `--port N` (50051), `--host ADDRESS`, `--socket PATH`, `--help` and `--version`, serves
 * until SIGTERM or SIGINT, drains (R-RPC-06), and returns the exit code: 0 after a clean stop, 1 when it
 * could not serve (the address is taken, the definition is wrong: a SEVERE line says why), 2 for wrong
 * arguments. With --socket and without --port there is no TCP. Logs one line "listening on …" when it is
 * ready; a crash leaves a SEVERE line. `source` must outlive the call. Once per process, from the main
 * thread.
 */
#define weir_source_main(argc, argv, source) weir__source_main(argc, argv, source, sizeof(weir_source))
WEIR_API int weir__source_main(int argc, char **argv, const weir_source *source, size_t size);

#ifdef __cplusplus
}
#endif

#endif
