/*
 * record/format: the file that a sync is recorded in (docs/internals/recording.md).
 *
 *   head (56 bytes, in clear) │ chunk │ chunk │ … │ last chunk
 *   chunk: size, 4 bytes │ sealed (XChaCha20-Poly1305, libsodium's secretstream): packing │ frame │ frame │ …
 *   frame: type, flags, call, time, size (20 bytes) │ payload
 *
 * Rows are in it, so every chunk is sealed with a key that lies in a file of its own. Chunks are at most
 * 1 MiB and hold whole frames; a payload that is larger comes as several frames, one behind the other. A file
 * without its last chunk was cut: what can be read is read, and the reader says so. Numbers are little
 * endian. One thread at a time per object.
 */
#ifndef WEIR_RECORD_FORMAT_H
#define WEIR_RECORD_FORMAT_H

#include "base/buf.h"
#include "batch/port.h"

#define RECORD_VERSION 1
#define RECORD_KEY_SIZE ((size_t)32)
#define RECORD_HEAD_SIZE ((size_t)56)
#define RECORD_FRAME_SIZE ((size_t)20) /* of a frame's own head */

/* What a frame tells; readers pass over types that they do not know. */
typedef enum record_type {
    RECORD_INFO = 1,    /* first: a JSON object about the sync; call 0 */
    RECORD_CALL = 2,    /* "/package.Service/Method", NUL, the request */
    RECORD_FILE = 3,    /* a batch file of the call's request begins: its name */
    RECORD_DATA = 4,    /* of the call's last file: bytes as they are before encryption */
    RECORD_MESSAGE = 5, /* the call's reply, or the next message of its stream */
    RECORD_END = 6,     /* the call is over: see record_end */
    RECORD_LOG = 7,     /* "source" or "destination", NUL, level, NUL, text; call 0 */
    RECORD_CLOSE = 8    /* the sync is over: see record_end; call 0 */
} record_type;

typedef struct record_frame {
    uint8_t type;     /* record_type, or one that is not known */
    uint32_t call;    /* number of the call, from 1 in the order of beginning */
    uint64_t time_us; /* since the recording began */
    weir_bytes payload;
} record_frame;

/* Payload of RECORD_END and RECORD_CLOSE. */
typedef struct record_end {
    weir_status status;
    bool transient;
    weir_bytes text; /* of the error; empty after WEIR_OK */
} record_end;

bool record_end_put(weir_buf *out, const record_end *end) WEIR_CHECKED;
weir_status record_end_read(weir_bytes payload, record_end *out, weir_error *err) WEIR_CHECKED;
/* A text and the NUL behind it from the front of *rest; false when there is none. */
bool record_text_read(weir_bytes *rest, weir_bytes *out);

/* --- frames to chunks --- */

/*
 * Gathers frames; `full` is called with the chunk when it is to be sealed, and leaves an empty buffer behind.
 */
typedef struct record_framer {
    weir_buf chunk;
    weir_status (*full)(void *context, weir_buf *chunk, weir_error *err);
    void *context;
} record_framer;

void record_framer_init(record_framer *framer,
                        weir_status (*full)(void *context, weir_buf *chunk, weir_error *err), void *context);
void record_framer_clear(record_framer *framer); /* wipes */
/* The payload is copied. */
weir_status record_framer_put(record_framer *framer, const record_frame *frame, weir_error *err);
/* Hands over what has gathered, if anything has. */
weir_status record_framer_flush(record_framer *framer, weir_error *err);

/* --- writing --- */

typedef struct record_writer record_writer;

/* Writes the head. `key` is copied, the output borrowed until free. *out is owned by the caller. */
weir_status record_writer_open(weir_output output, const unsigned char key[RECORD_KEY_SIZE],
                               record_writer **out, weir_error *err);
/*
 * Seals one chunk of whole frames and writes it; compressed if `pack` and if that helps. One that begins with
 * bytes of a batch file is not, for those are compressed already.
 */
weir_status record_writer_chunk(record_writer *writer, weir_bytes frames, bool pack, weir_error *err);
/* The last chunk, which says that the file is whole. */
weir_status record_writer_finish(record_writer *writer, weir_error *err);
void record_writer_free(record_writer *writer); /* wipes the key; accepts NULL */

/* --- reading --- */

typedef struct record_reader record_reader;

/*
 * Reads the head. WEIR_FAILED: no recording, one of a later version, or the key is another file's. `name` is
 * for errors; both are borrowed until free.
 */
weir_status record_reader_open(weir_input input, const char *name, const unsigned char key[RECORD_KEY_SIZE],
                               record_reader **out, weir_error *err);
/*
 * WEIR_ITEM: *frame is borrowed until the next call; payloads that came in parts are whole again. WEIR_OK:
 * the end, see record_reader_cut. WEIR_FAILED: the file has been damaged.
 */
weir_status record_reader_next(record_reader *reader, record_frame *frame, weir_error *err);
/* After WEIR_OK: the file ends before its last chunk; everything up to there has been read. */
bool record_reader_cut(const record_reader *reader);
void record_reader_free(record_reader *reader); /* wipes the key; accepts NULL */

#endif
