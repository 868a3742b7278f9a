/*
 * record/rewrite: a serialized message copied with some of its texts, bytes and inner messages replaced.
 *
 * The message's table says what is what, so nothing has to be decoded and encoded again, and what is not
 * asked for stays as it was, byte by byte. Pure; any thread.
 */
#ifndef WEIR_RECORD_REWRITE_H
#define WEIR_RECORD_REWRITE_H

#include "base/buf.h"
#include "base/error.h"
#include "wire/codec.h"

/* A field with a length: a text, bytes, a message, or an entry of a map. */
typedef struct record_place {
    const weir_codec_message *message; /* that the field belongs to */
    const weir_codec_field *field;
    const weir_codec_field *outer; /* that holds `message`; NULL in the outermost */
    weir_bytes value;
} record_place;

typedef enum record_answer {
    RECORD_KEEP,    /* as it is; a message is gone into */
    RECORD_REPLACE, /* what was appended to `out` stands instead */
    RECORD_DROP,    /* leave the field out */
    RECORD_FAILED   /* stop; `err` says why */
} record_answer;

typedef struct record_rewriter {
    record_answer (*ask)(void *context, const record_place *place, weir_buf *out, weir_error *err);
    void *context;
    bool strict; /* fields that the table does not know are left out */
} record_rewriter;

/* Appends the copy to `out`; fails when the message is malformed or memory runs out. */
weir_status record_rewrite(const record_rewriter *rewriter, const weir_codec_message *type, weir_bytes in,
                           weir_buf *out, weir_error *err);
/* Appends a field with a length. */
bool record_put_field(weir_buf *out, uint32_t number, weir_bytes value) WEIR_CHECKED;
/* The field called `name`; NULL when there is none. */
const weir_codec_field *record_field(const weir_codec_message *type, const char *name);

#endif
