/* record/print: a serialized message as text, for people who compare two of them. Pure. */
#ifndef WEIR_RECORD_PRINT_H
#define WEIR_RECORD_PRINT_H

#include "base/buf.h"
#include "wire/codec.h"

/*
 * Appends the message as `name: "text" type: 4 table { … }`, numbers as they are on the wire. What is
 * malformed ends the text with "?". False: out of memory or past the buffer's maximum.
 */
bool record_print(const weir_codec_message *type, weir_bytes message, weir_buf *out) WEIR_CHECKED;
/*
 * Appends where two texts part: "…before X… and not …before Y…", a few words each. Nothing when they are
 * equal.
 */
bool record_print_difference(weir_bytes wanted, weir_bytes got, weir_buf *out) WEIR_CHECKED;

#endif
