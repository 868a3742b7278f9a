/*
 * source-postgresql/capture: change data capture. The server's log, decoded by pgoutput, is read on from
 * where the state stands to where the log stood when the tables were read.
 *
 * How a snapshot and the stream fit together without a gap or an overlap: the slot is made, or found, before
 * any table is read. Every snapshot of a table notes pg_current_snapshot(): which transactions it sees. The
 * stream begins before all snapshots and names the transaction of every change, so that a change is left out
 * for a table exactly when its snapshot has seen it. Tables can thus be read one by one, at any time, and an
 * interrupted one goes on in a newer snapshot: what that one sees too much of comes again from the stream,
 * in order, and ends in the same rows.
 *
 * The state holds, beside a line per table (record.c, progress.c), `/lsn` and `/system`: the position up to
 * which changes were sent, and the server's identifier. The slot is told no position but the one that came
 * with the request: the engine has stored it.
 */
#ifndef SOURCE_POSTGRESQL_CAPTURE_H
#define SOURCE_POSTGRESQL_CAPTURE_H

#include "pgoutput.h"
#include "source.h"
#include "values.h"

/* Which transactions a snapshot sees, from "xmin:xmax:xip,xip". */
typedef struct capture_seen {
    uint64_t least; /* all below are seen; 0: the snapshot no longer matters */
    uint64_t end;   /* none from here on is */
    uint64_t *running;
    size_t running_count;
} capture_seen;

typedef enum capture_stage {
    CAPTURE_COPY,   /* to be read as a whole */
    CAPTURE_FOLLOW, /* its changes are sent */
    CAPTURE_AGAIN   /* starts over: in this sync if it has sent no rows yet, else with the next */
} capture_stage;

typedef struct capture_table {
    source_table *table;
    capture_stage stage;
    const char *seen_text; /* NULL: none that matters */
    capture_seen seen;
    bool sent; /* rows, in this sync */
} capture_table;

typedef struct capture {
    sync_run *run;
    PGconn *replication;
    capture_table *tables; /* sorted by oid */
    size_t count;
    uint64_t confirmed; /* the engine has stored it */
    uint64_t position;  /* changes committed before it were sent */
    uint64_t stop;      /* the sync ends here */
    bool anew;          /* no position to go on from: every table is read */
} capture;

/* A change of one table; see apply.c. */
typedef struct applier applier;

/* --- capture.c --- */
weir_status capture_sync(sync_run *run, source_catalog *catalog);
/* The table of that oid; NULL: it is not followed. */
capture_table *capture_find(const capture *cap, uint32_t oid);
/* Forgets the table's progress, because of `why`: "it was truncated". */
void capture_again(capture *cap, capture_table *table, const char *why);
/* Puts the position into the state; pending until a checkpoint. */
void capture_save_position(capture *cap);

/* --- record.c --- */
typedef enum record_kind {
    RECORD_NONE, /* the table is to be read as a whole */
    RECORD_SAME, /* its changes can be followed */
    RECORD_GREW  /* so, and the columns are others than the state says */
} record_kind;
/* *seen is memory of the call; NULL when no snapshot matters. */
record_kind record_load(sync_run *run, const source_table *table, const char **seen);
void record_save(sync_run *run, const source_table *table, const char *seen);
/* False: `text` is no such snapshot. Memory of the call. */
bool record_seen(weir_call *call, const char *text, capture_seen *out);
/* True when the snapshot sees the transaction with the low half `xid`. */
bool record_sees(const capture_seen *seen, uint32_t xid);

/* --- slot.c --- */
/* What pg_replication_slots says. */
typedef struct slot_facts {
    bool exists;
    bool fits;  /* logical, pgoutput, of this database */
    bool lost;  /* the server removed what it needs */
    bool taken; /* somebody reads it now */
    uint64_t confirmed;
} slot_facts;
weir_status slot_look(weir_call *call, PGconn *link, const struct options *options, slot_facts *out);
/* The task for a slot of that name that serves something else. */
weir_status slot_unfit(weir_call *call, const struct options *options) WEIR_CHECKED;
/* Finds or makes the slot; sets confirmed, position and anew. */
weir_status slot_prepare(capture *cap);

/* --- stream.c --- */
/* Reads from position to stop. */
weir_status stream_read(capture *cap);

/* --- apply.c --- */
/* NULL: out of memory. Owned; freed by applier_free, which accepts NULL. */
applier *applier_new(capture *cap);
void applier_free(applier *apply);
void applier_begin(applier *apply, uint32_t xid);
/* RELATION, INSERT, UPDATE, DELETE and TRUNCATE; adds to *rows. */
weir_status applier_take(applier *apply, const pgoutput_message *message, int64_t *rows);

/* --- checks.c: setup tests, all fine without capture --- */
weir_status check_log(weir_call *call);
weir_status check_publication(weir_call *call);
weir_status check_slot(weir_call *call);

#endif
