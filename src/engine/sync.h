/*
 * engine/sync: a whole sync: lock the state, start the connectors, attempt, try again where that may help,
 * report.
 *
 * The entry of the engine. It prints nothing: what people should see goes through `event`, and what programs
 * count is in `progress` while it runs and in the report at the end.
 */
#ifndef WEIR_ENGINE_SYNC_H
#define WEIR_ENGINE_SYNC_H

#include "engine/pipeline.h"

/* What a sync says that was stopped after its last commit. */
#define SYNC_READING_STOPPED \
    "all is written and committed, but reading rows back was stopped: they have not been compared"

typedef enum sync_event_kind {
    SYNC_LOG,     /* a line that a connector has printed; `level` is its own, maybe "" */
    SYNC_WARNING, /* a warning of the protocol: shown, and the sync goes on */
    SYNC_RETRY    /* an attempt has failed and there will be another one */
} sync_event_kind;

typedef struct sync_event {
    sync_event_kind kind;
    const char *who; /* "source", or "source 'PATH'" */
    const char *level;
    weir_bytes text; /* borrowed for the call */
} sync_event;

typedef struct sync_options {
    const char *source; /* a program, HOST:PORT, or unix:PATH */
    const char *destination;
    const engine_config *source_config;
    const engine_config *destination_config;
    const char *schema; /* the destination's; source schemas are appended with '_' */
    plan *plan; /* the schema configuration, in which is noted what is new; NULL: everything is synced */
    const char *plan_file; /* where it is from: what is new is added there after a success */
    const char *salt_file; /* of hashed columns, made when new; NULL: the state keeps one of its own */
    const char *folder;    /* the state's */
    connector_transport transport;
    engine_timeouts timeouts;
    bool resync;                    /* all tables are read again, or one: engine/resync.h */
    const char *resync_table;       /* NULL: none */
    int attempts;                   /* at most, at least 1 (R-ENG-09) */
    int64_t retry_delay_ms;         /* before the second attempt; doubles */
    int parallel;                   /* tables loaded at once */
    const char *record;             /* file to record the sync in, see record/recorder.h; NULL: none */
    const char *record_key;         /* its key's path; NULL: `record`.key */
    const readback_store *readback; /* rows are read back from it and compared; NULL: they are not */
    engine_control *control;
    engine_progress *progress;
    void (*event)(void *context, const sync_event *event); /* any thread, several at once */
    void *context;
} sync_options;

typedef struct sync_table {
    char *schema;         /* the source's, "" without */
    char *name;           /* at the destination */
    char *target;         /* the destination's schema */
    engine_counts counts; /* records received and committed */
    uint64_t rows;        /* written to the destination, after folding */
    uint64_t truncates;
} sync_table;

typedef struct sync_report {
    sync_table *tables;
    size_t table_count;
    int attempts;
    int64_t sync; /* its number in the ledger; 0: it did not begin */
} sync_report;

/*
 * Looks for what is wrong before anything is started: programs that cannot be run, ports that cannot be, a
 * state folder that is something else. Changes nothing.
 */
weir_status sync_check(const sync_options *options, weir_error *err) WEIR_CHECKED;
/*
 * Runs a sync in the calling thread. The status is as pipeline_run's; WEIR_TASK when all is committed and
 * what was read back differs; WEIR_FAILED when all is well but the recording, which then ends early: data
 * goes first. *report is filled in any case and released with sync_report_clear. `err` is not NULL.
 */
weir_status sync_run(const sync_options *options, sync_report *report, weir_error *err);
void sync_report_clear(sync_report *report);

#endif
