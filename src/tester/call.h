/*
 * tester/call: one unary call to the connector under test, encoded, timed and decoded.
 *
 * Errors name the connector and the call, and say how a started program died; the blame is the connector's.
 * One thread at a time per caller.
 */
#ifndef WEIR_TESTER_CALL_H
#define WEIR_TESTER_CALL_H

#include "tester/setup.h"
#include "wire/codec.h"

typedef struct tester_caller tester_caller;

/* One method, and what the call is about. */
typedef struct tester_method {
    const char *name;                  /* "CreateTable"; static */
    const char *path;                  /* V2_…_PATH; static */
    const weir_codec_message *request; /* static */
    const weir_codec_message *reply;   /* static */
    int64_t timeout_ms;                /* when the options give none (R-ENG-14) */
    const char *subject;               /* a table's name, for errors; NULL: none */
} tester_method;

/* `connector` may be NULL. All is borrowed. NULL when out of memory. */
tester_caller *tester_caller_new(tester *t, weir_rpc_client *client, connector *conn, const char *name);
void tester_caller_free(tester_caller *caller); /* accepts NULL */
/*
 * Sends `request`, decodes the answer into `reply`, which borrows from the caller until the next call.
 * Requests carry secrets: their bytes are wiped. WEIR_UNSUPPORTED for UNIMPLEMENTED, without blame: it may be
 * allowed.
 */
weir_status tester_call(tester_caller *caller, const tester_method *method, const void *request, void *reply,
                        weir_error *err) WEIR_CHECKED;
/* Puts connector, call and subject before the text of an error about an answer, and blames the connector. */
weir_status tester_call_wrong(tester_caller *caller, const tester_method *method, weir_error *err);

#endif
