/*
 * record/mask: keeps the values of configurations out of a recording.
 *
 * In a request the values of `configuration` are replaced whatever they are, for a sync does not know which
 * of them are secret. In texts that a connector writes (log lines, warnings, tasks, errors) every value of
 * WEIR_RECORD_SECRET_SIZE_MIN bytes and more is looked for, and every line of a longer one. Rows, names and
 * states are data and stay as they are. Filled by one thread, then read by any.
 */
#ifndef WEIR_RECORD_MASK_H
#define WEIR_RECORD_MASK_H

#include "base/buf.h"
#include "base/error.h"
#include "record/method.h"

/* What stands in place of a value. */
#define RECORD_MASK_TEXT "***"

typedef struct record_mask {
    weir_bytes *secrets; /* longest first; owned */
    size_t count;
    size_t capacity;
} record_mask;

/* Adds a value of a configuration; copied. "true" and "false" are no secrets. */
weir_status record_mask_add(record_mask *mask, weir_bytes value, weir_error *err);
void record_mask_clear(record_mask *mask); /* wipes */
/* Appends `text` with every secret in it replaced. */
weir_status record_mask_text(const record_mask *mask, weir_bytes text, weir_buf *out, weir_error *err);
/*
 * Appends a reply, or a message of a stream, with the texts of warnings, tasks and failed tests masked.
 */
weir_status record_mask_reply(const record_mask *mask, const record_method *method, weir_bytes reply,
                              weir_buf *out, weir_error *err);
/* Whether a message of the Update stream has a text for people in it; others need no masking. */
bool record_mask_concerns(weir_bytes update_response);

#endif
