/*
 * harness/harness: one connector under test: its configuration, one request at a time, and how it ended.
 *
 *   request struct ─encode▶ bytes ─▶ rpc/local ─▶ sdk ─▶ handler        in this thread,
 *   reply struct ◀─decode─ bytes ◀─ take(message) ◀─ sdk ◀─┘            or in a child that is killed
 *
 * Belongs to the thread of its test. Out of memory ends the process: a test has no use for less.
 */
#ifndef WEIR_HARNESS_HARNESS_H
#define WEIR_HARNESS_HARNESS_H

#include "harness/runner.h"

#include "base/arena.h"
#include "base/limits.h"
#include "rpc/local.h"
#include "sdk/request.h"

#define WEIR_HARNESS_METHODS_MAX 16
#define WEIR_HARNESS_TEXT_MAX ((size_t)64 * 1024 * 1024)

typedef struct weir_source_side weir_source_side;           /* source_side.h */
typedef struct weir_destination_side weir_destination_side; /* destination_side.h */

/* Where the next request is to be broken off; zeroes: nowhere. */
typedef struct weir_trigger {
    uint64_t rows;        /* at this row */
    uint64_t checkpoints; /* or at this checkpoint */
    bool crash;           /* the process dies (when `for_real`); otherwise the client goes away */
} weir_trigger;

/* How the last request ended. */
typedef struct weir_outcome {
    weir_status status;
    weir_buf text; /* of the task, the failure or the warnings; terminated */
    bool expected; /* the test has looked at it, or asked for it */
    weir_place place;
    const char *what; /* "update"; static */
} weir_outcome;

struct weir_harness {
    bool broken; /* the definition is wrong: every request fails */
    bool is_source;
    bool for_real;
    void (*before_crash)(void *context);
    void *before_crash_context;
    union {
        weir_source source;
        weir_destination destination;
    } definition;
    weir_connector connector;
    weir_rpc_method methods[WEIR_HARNESS_METHODS_MAX];
    size_t method_count;
    v2_string_entry *configuration; /* names and values owned */
    size_t configuration_count;
    int64_t deadline_ms; /* 0: none */
    weir_trigger trigger;
    weir_outcome last;
    weir_arena *arena; /* the last request and reply */
    weir_buf message;  /* the last request, encoded */
    int log_fd;
    uint64_t log_read;
    weir_buf log;
    weir_buf warnings; /* of the last request */
    weir_buf shown;    /* text handed out to the test */
    weir_source_side *source;
    weir_destination_side *destination;
    bool gone; /* freed by the test before its end */
};

/* A request to be served. */
typedef struct weir_harness_request {
    const char *path; /* of the method */
    const char *what; /* for texts; static */
    const weir_codec_message *type;
    const void *message; /* its configuration is put in by the harness: see WEIR_HARNESS_CONFIGURE */
    const weir_codec_message *reply_type; /* NULL: messages go to `take` */
    void *reply;                          /* decoded into h->arena; untouched unless the call ended well */
    /* Each message of a stream; false: the client goes away. */
    bool (*take)(weir_harness *h, weir_bytes message);
} weir_harness_request;

#define WEIR_HARNESS_CONFIGURE(h, request) \
    ((request)->configuration = (h)->configuration, (request)->configuration_count = (h)->configuration_count)

/* What became of it. */
typedef struct weir_served {
    weir_status status; /* by the gRPC status */
    bool broken_off;    /* the trigger was reached */
    uint64_t rows;      /* that passed through the SDK; unknown (0) when it ran in a child */
} weir_served;

/*
 * Begins a request: complains about one that nobody looked at, forgets the last reply. False when the
 * definition is wrong; the outcome says so.
 */
bool weir__harness_begin(weir_harness *h, const char *what);
/* The same for a request that is sent again: what is in the arena stays. */
void weir__harness_again(weir_harness *h, const char *what);
/* Serves it; encodes h->message first unless `type` is NULL, when the last one is sent again. */
weir_served weir__harness_serve(weir_harness *h, const weir_harness_request *request);
/* A WriteBatch among several that run at the same time. */
typedef struct weir_parallel {
    weir_buf message; /* the request */
    weir_buf reply;   /* empty unless the call ended well */
    weir_rpc_local_end end;
} weir_parallel;

/* Serves all of them, each in a thread of its own, which have ended when it returns. */
void weir__harness_serve_parallel(weir_harness *h, const char *path, weir_parallel *calls, size_t count);
/* By the code of gRPC: what the caller is to do. */
weir_status weir__harness_status_of(weir_rpc_code code);
/* Sets the outcome of the request begun; returns the status. `text` may be NULL. */
weir_status weir__harness_end(weir_harness *h, weir_status status, const char *text);
/* Nobody needs to look at it. */
void weir__harness_expected(weir_harness *h);
/* Appends a warning of the request. */
void weir__harness_warn(weir_harness *h, weir_bytes text);

/* Empties h->shown. */
weir_buf *weir__harness_show(weir_harness *h);
/* Its text, terminated. */
const char *weir__harness_shown(weir_harness *h);

/* source_side.c and destination_side.c */
void weir__source_side_new(weir_harness *h);
void weir__source_side_free(weir_harness *h);
void weir__destination_side_new(weir_harness *h);
void weir__destination_side_free(weir_harness *h);

/* Memory that must be there. */
#define WEIR_HARNESS_NEW(arena, type) ((type *)weir__test_memory(weir__arena_alloc(arena, sizeof(type))))
#define WEIR_HARNESS_ARRAY(arena, count, type) \
    ((type *)weir__test_memory(weir__arena_array(arena, (count) ? (count) : 1, sizeof(type))))

#endif
