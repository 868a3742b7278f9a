/*
 * engine/ingest_internal: what ingest.c (messages, groups), ingest_row.c (records into rows), ingest_select.c
 * (what is wanted), ingest_key.c (changed keys) and ingest_history.c (when versions begin) share.
 */
#ifndef WEIR_ENGINE_INGEST_INTERNAL_H
#define WEIR_ENGINE_INGEST_INTERNAL_H

#include "base/buf.h"
#include "data/key.h"
#include "engine/ingest.h"
#include "engine/lint_cursor.h"
#include "wire/record.h"

#define ROUTE_UNKNOWN 0
#define ROUTE_SKIPPED UINT32_MAX
#define ROUTE_PENDING (UINT32_MAX - 1)    /* no such column yet: only NULLs have come */
#define ROUTE_HASHED UINT32_C(0x80000000) /* with a column index + 1: the value goes as a hash */

/* From the reader's numbers to ours, per table number of the reader. */
typedef struct route {
    engine_table *table;
    bool unwanted;     /* the table is not synced; `table` is NULL */
    uint32_t *columns; /* by slot: column index + 1, or one of the above */
    size_t slot_count;
} route;

/* What ingest keeps per table, by the catalog's number. */
typedef struct ingest_table {
    engine_request *request; /* open, or NULL */
    engine_request *next;    /* made while a window is being split */
    uint64_t version;        /* of the table, for which the rest was made */
    uint64_t print;          /* of its name */
    uint64_t rows_after;     /* number + 1 of the checkpoint that its last row came after; 0: none came */
    weir_cell *cells;        /* one per column, names set */
    weir_cell *raw;          /* the same as the source sent them; tables without key only */
    uint32_t *order;         /* columns by name; tables without key only */
    size_t capacity;
    lint_watched *watched; /* of the linter; NULL: nothing of the table is watched, ... */
    bool unwatched;        /* ... and nothing will be */
} ingest_table;

/* The interval of history tables that is open (ingest_history.c). */
typedef struct ingest_history {
    int64_t last_ms; /* no time handed out in earlier parts and intervals is later */
    int64_t base_ms; /* of the part, once it has begun */
    bool begun;
    bool again; /* the interval was begun before, by a run that has not committed it */
    uint32_t part;
    uint64_t total;       /* records of the interval */
    uint64_t total_saved; /* at the savepoint */
    uint64_t part_begun;  /* `total` when the part began */
} ingest_history;

struct ingest {
    ingest_options options;
    const ingest_port *port;
    weir_record_reader *reader;
    weir_row_hasher *hasher;
    weir_arena *arena; /* of one message */
    fold *rows;
    route *routes; /* by the reader's table number */
    size_t route_count;
    ingest_table *tables; /* by the catalog's number */
    size_t table_count;
    uint32_t *open; /* numbers of tables with an open request */
    size_t open_count;
    weir_buf text;      /* of the row being made */
    weir_buf key;       /* canonical bytes of its key */
    weir_buf converted; /* bytes of converted cells */
    weir_buf state;     /* of the checkpoint that waits */
    weir_buf interval;  /* of histories, as it is stored when it stays open */
    bool waiting;       /* a checkpoint, with its savepoint */
    bool passed;        /* or without: rows after it have been written into its group */
    bool committed;     /* a group of this stream has been */
    int64_t group_begun_ns;
    uint64_t group_bytes;
    size_t group_requests;
    int64_t synced_ms; /* of the message being read */
    checkpoint_lint lint;
    lint_cursor *cursors;
    bool watches; /* lint_cursor_watches, as it was at the last checkpoint */
    ingest_history history;
    uint64_t seed; /* of the hashes of keys: of the open interval, if there is one */
    const engine_history *stored;
    ingest_totals totals;
};

/* Makes one record into rows (ingest_row.c). */
weir_status ingest_record(ingest *in, const weir_record *record, weir_error *err);

/* --- ingest_history.c --- */
/* False: no memory. */
bool ingest_history_init(ingest *in);
/* Tells a new request its mode, and when its versions begin. */
void ingest_history_request(ingest *in, engine_request *request);
/* The interval ends with a commit: what comes now, and the last `left` records, belong to the next one. */
void ingest_history_next(ingest *in, uint64_t left);
/* A record of a history table has been folded in. */
void ingest_history_count(ingest *in, engine_request *request);
/*
 * True when less had come at the last checkpoint than may have been written under the bases that were stored:
 * the interval stays open when that is committed.
 */
bool ingest_history_behind(const ingest *in);
/* What a commit of the last checkpoint stores of the open interval; borrowed until the next call. */
weir_status ingest_history_keep(ingest *in, weir_bytes *out, weir_error *err);
/* Call before a record of a history table is folded in: begins another part when one is full. */
weir_status ingest_history_record(ingest *in, weir_error *err);

/* Begins another part of the open interval, with nothing left in the window: numbers begin anew. */
weir_status ingest_history_part(ingest *in, weir_error *err);
/* Says what a truncate cannot do (R-HIS-02 knows rows by their keys only); once per table. */
weir_status ingest_history_truncate(ingest *in, engine_table *table, weir_error *err);

/* Writes the window away and seals all requests; there is no savepoint. */
weir_status ingest_seal_all(ingest *in, weir_error *err);
/* The table's entry; NULL when out of memory. */
ingest_table *ingest_table_of(ingest *in, const engine_table *table);
/* Describes the table at the destination if that has not been done. */
weir_status ingest_open(ingest *in, engine_table *table, weir_error *err);
/* Writes the window away; a waiting checkpoint is committed before. */
weir_status ingest_flush(ingest *in, weir_error *err);
/* The window is full: what comes before a waiting checkpoint goes, or all, the checkpoint passed over. */
weir_status ingest_make_room(ingest *in, weir_error *err);
/*
 * Commits the checkpoint that was passed over, with what has come after it, which may then come again. To be
 * called before what must not: versions of a history, rows under another key.
 */
weir_status ingest_catch_up(ingest *in, weir_error *err);
/* Flushes if the table has rows in the window, and seals its request, if there is one. */
weir_status ingest_seal(ingest *in, const engine_table *table, weir_error *err);
/* Hands out everything to be loaded, whatever checkpoint it belongs to (R-ENG-08). */
weir_status ingest_load_early(ingest *in, weir_error *err);
/* Commits the waiting checkpoint, if there is one, apart from what came after it. */
weir_status ingest_settle(ingest *in, weir_error *err);
/* To be called before a table changes: `retype` says that text of rows in the window may no longer fit. */
weir_status ingest_before_change(ingest *in, const engine_table *table, bool retype, weir_error *err);

/* Has the destination bring the table to its shape, before what comes next. */
weir_status ingest_send_shape(ingest *in, engine_table *table, weir_error *err);

/* --- ingest_key.c --- */
/* To be called before anything happens to an open table: asks for its new key, if it has one (R-ENG-24). */
weir_status ingest_key_settle(ingest *in, engine_table *table, weir_error *err);
/* To be called before an open table takes over another key: what came before is complete, and committed. */
weir_status ingest_key_change(ingest *in, engine_table *table, weir_error *err);

/* --- what is wanted (ingest_select.c) --- */

/* Notes the table in the plan; *wanted says whether it is synced. */
weir_status ingest_select_table(ingest *in, weir_bytes schema, weir_bytes table, bool *wanted,
                                weir_error *err);
/*
 * A column of a wanted table: *name is the destination's name for it, NULL when it is not synced (R-SRC-05);
 * `key`: it is declared as one of the key. Warns once of a key column that the plan turns off, and of a
 * column that is left out for its reserved name (R-DST-09).
 */
weir_status ingest_select_column(ingest *in, engine_table *table, weir_bytes column, bool key,
                                 const char **name, weir_error *err);
/* At the end: warns of columns that the plan hashes and the table, of which something has come, has not. */
weir_status ingest_select_settle(ingest *in, engine_table *table, weir_error *err);

#endif
