/*
 * sdk/log: what a connector tells the platform, one JSON object a line (R-RPC-09).
 *
 *     {"level":"INFO","message":"…","message-origin":"sdk_connector"}
 *
 * Valid JSON in valid UTF-8 whatever the text is; secrets are masked (sdk/mask.h). Allocates nothing, so that
 * it still works when memory has run out. One lock keeps lines whole. Any thread.
 */
#ifndef WEIR_SDK_LOG_H
#define WEIR_SDK_LOG_H

#include <stdarg.h>

#include <weir/base.h>

typedef enum weir_log_level {
    WEIR_LOG_INFO,
    WEIR_LOG_WARNING,
    WEIR_LOG_SEVERE
} weir_log_level;

/* Where lines go from now on (1 before), and who speaks: "sdk_connector" or "sdk_destination"; static. */
void weir__log_open(int fd, const char *origin);
/* Writes one line; text past WEIR_LOG_TEXT_SIZE_MAX is cut. */
void weir__log(weir_log_level level, const char *format, ...) WEIR_PRINTF(2, 3);
void weir__log_va(weir_log_level level, const char *format, va_list args);

/* Room for the line of a text of `size` bytes, the LF included. */
#define WEIR_LOG_LINE_SIZE(size) ((size)*6 + 128)
/* Writes the line for `text` to `out`, which has that room; returns its length. Pure. */
size_t weir__log_line(weir_log_level level, const char *origin, weir_bytes text, char *out);

#endif
