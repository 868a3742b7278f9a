/*
 * record/replay: the engine's side of a recording, played against a destination.
 *
 * Every call that the engine made is made again in the order in which they ended: its batch files are written
 * anew, encrypted with new keys, the configuration is the one given, and the reply is compared with the
 * recorded one. So the rows of the destination are those of the recorded sync. One thread.
 */
#ifndef WEIR_RECORD_REPLAY_H
#define WEIR_RECORD_REPLAY_H

#include <stdatomic.h>
#include <wire/v2.h>

#include "record/method.h"
#include "rpc/client.h"

/* A call that has been played. Borrowed for the time of `told`. */
typedef struct replay_call {
    uint32_t number; /* in the recording */
    const record_method *method;
    const char *table; /* "schema.table", or "" */
    int64_t recorded_us;
    int64_t played_us;
    const char *difference; /* NULL: it was answered as recorded */
} replay_call;

typedef struct replay_options {
    const char *path;
    const char *key;         /* NULL: `path`.key */
    weir_rpc_client *client; /* to the destination */
    const v2_string_entry *config;
    size_t config_count;
    const char *folder; /* private and absolute, for batch files */
    bool realtime;      /* wait as long between calls as the recorded sync did */
    uint64_t until;     /* calls at most; 0: all */
    const atomic_bool *stopped;
    void (*told)(void *context, const replay_call *call);
    void *context;
} replay_options;

typedef struct replay_report {
    uint64_t calls;
    uint64_t different;
    uint64_t unfinished; /* calls that the recording does not see end; not played */
    bool cut;            /* the recording is */
} replay_report;

/*
 * WEIR_OK: all was played, see the report. WEIR_FAILED: the recording cannot be read, the disk is full, the
 * destination is gone. WEIR_CANCELLED: stopped.
 */
weir_status replay_destination(const replay_options *options, replay_report *report, weir_error *err);

#endif
