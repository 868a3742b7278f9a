/*
 * record/recorder: writes down a sync while it runs: every call of both sides, the files that go with them,
 * and the log.
 *
 *   engine's threads ── frames ─► chunk ── queue, bounded ─► thread: compress, seal, write
 *
 * What it costs a thread of the engine is a copy of the bytes. Configurations are masked before anything is
 * written (record/mask.h); of a batch file the bytes before encryption are kept and the key is not.
 *
 * A recording that fails (a full disk) does not stop the sync: data goes first. It ends there, readable up to
 * its last whole chunk, and recorder_close says why. Every function takes NULL, for a sync that is not
 * recorded, and may be called by any thread.
 */
#ifndef WEIR_RECORD_RECORDER_H
#define WEIR_RECORD_RECORDER_H

#include "base/error.h"
#include "record/format.h"

typedef struct recorder recorder;

typedef struct recorder_options {
    const char *path; /* must not be there yet */
    const char *key;  /* path of the key, see record/key.h; NULL: `path`.key */
    weir_bytes info;  /* a JSON object about the sync */
} recorder_options;

/* Makes the file and starts the thread; *out is owned by the caller. */
weir_status recorder_open(const recorder_options *options, recorder **out, weir_error *err);
/* A value of a connector's configuration, before the first call. */
weir_status recorder_secret(recorder *r, weir_bytes value, weir_error *err);
/*
 * A call begins: its path and the request as it will be sent, with the batch files that it names. Returns its
 * number; 0 when nothing is recorded.
 */
uint32_t recorder_call(recorder *r, const char *path, weir_bytes request);
/* The reply of call `number`. */
void recorder_reply(recorder *r, uint32_t number, weir_bytes reply);
/* A message of the stream that was begun last. */
void recorder_message(recorder *r, weir_bytes message);
/* How call `number` has ended; 0: the stream that was begun last. `err` is read unless status is WEIR_OK. */
void recorder_end(recorder *r, uint32_t number, weir_status status, const weir_error *err);
void recorder_log(recorder *r, const char *who, const char *level, weir_bytes text);
/*
 * The sync has ended like this. Writes the rest, closes, frees. WEIR_FAILED when the recording is not whole;
 * `err` says why.
 */
weir_status recorder_close(recorder *r, weir_status status, const weir_error *sync, weir_error *err);

#endif
