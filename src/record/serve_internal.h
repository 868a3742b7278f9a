/* record/serve_internal: what serve.c and its two sides share. */
#ifndef WEIR_RECORD_SERVE_INTERNAL_H
#define WEIR_RECORD_SERVE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "record/batch.h"
#include "record/format.h"
#include "record/request.h"
#include "record/serve.h"
#include "rpc/server.h"

#define SERVE_HASH_SIZE ((size_t)16)

/* A batch file of a recorded call, read. */
typedef struct serve_file {
    struct serve_file *next;
    weir_bytes name;
    record_rows rows;
} serve_file;

/* A recorded call. */
typedef struct serve_call {
    uint32_t number;
    const record_method *method;
    weir_bytes request;
    weir_bytes reply;
    bool replied;
    bool ended;
    record_end end;
    bool used;
    uint64_t begun_us;
    uint64_t ended_us;
    char subject[600];
    serve_file *files; /* the destination's */
    /* the Update stream's: hashes of the states, SERVE_HASH_SIZE bytes each */
    unsigned char state[16];
    bool fresh; /* its request had no state */
    weir_buf checkpoints;
} serve_call;

struct serve {
    serve_options options;
    weir_arena *arena;
    pthread_mutex_t lock; /* of `used`, the report */
    bool locks;
    batch_rows_reader *rows;  /* of batch files, one at a time */
    pthread_mutex_t row_lock; /* of `rows` */
    bool row_locks;
    serve_call *calls; /* the side's own, in order */
    size_t count;
    size_t capacity;
    serve_report report;
    weir_rpc_method *methods;
    weir_rpc_server *server;
    atomic_bool closing;
};

/* Wipes nothing: states are told apart, not kept. */
void serve_hash(weir_bytes state, unsigned char out[SERVE_HASH_SIZE]);
/* Whether a state means a fresh start (R-SRC-01). */
bool serve_is_fresh(weir_bytes state);
/* Fails the call as the recorded one failed. */
weir_rpc_code serve_fail(weir_rpc_call *call, const record_end *end);
/* Waits, in real time, until `us` have passed since `begun_ns`. */
void serve_wait(serve *s, weir_rpc_call *call, int64_t begun_ns, uint64_t us);
/* Sends the reply of a unary call, or fails as recorded. */
weir_rpc_code serve_answer(serve *s, weir_rpc_call *call, const serve_call *recorded);

weir_rpc_code serve_source_call(weir_rpc_call *call, void *context);
weir_rpc_code serve_destination_call(weir_rpc_call *call, void *context);
/* A chance for the sides to keep what they need of a frame; `call` is that of the frame. */
weir_status serve_source_frame(serve *s, serve_call *call, const record_frame *frame, weir_error *err);
/* The call has ended and its files are in memory, one behind the other in the list. */
weir_status serve_destination_file(serve *s, serve_call *call, weir_bytes name, weir_bytes data,
                                   weir_error *err);

#endif
