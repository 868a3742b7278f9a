/* record/tape: a recording's file, opened with its key. One thread at a time. */
#ifndef WEIR_RECORD_TAPE_H
#define WEIR_RECORD_TAPE_H

#include "record/format.h"

typedef struct record_tape record_tape;

/* `key` may be NULL: PATH.key. Paths are borrowed until close. *out is owned by the caller. */
weir_status record_tape_open(const char *path, const char *key, record_tape **out, weir_error *err);
/* As record_reader_next and record_reader_cut. */
weir_status record_tape_next(record_tape *tape, record_frame *frame, weir_error *err);
bool record_tape_cut(const record_tape *tape);
void record_tape_close(record_tape *tape); /* accepts NULL */

#endif
