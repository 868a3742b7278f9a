/*
 * base/error: the text that goes with a failing status.
 *
 * The struct is the caller's and holds its text itself, so that "out of memory" can be reported too. A
 * fallible function takes `weir_error *err` last; err may be NULL when the caller does not want the text. On
 * failure the function sets the error once and leaves its outputs untouched. A message says what was
 * attempted, on what, why, and where it helps what to do; values stand in single quotes; no trailing newline.
 */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#include <stdarg.h>

#include <weir/base.h>

#define WEIR_ERROR_TEXT_SIZE 2048 /* bytes, the terminating NUL included */

typedef struct weir_error {
    weir_status status;
    bool transient; /* the same attempt may succeed later: the peer is gone, a deadline passed (R-ENG-09) */
    char text[WEIR_ERROR_TEXT_SIZE];
} weir_error;

/* Sets the error (not transient), returns WEIR_FAILED. Overlong text is cut on a character boundary. */
weir_status weir__error(weir_error *err, const char *format, ...) WEIR_PRINTF(2, 3);
/* The same with another negative status. */
weir_status weir__error_as(weir_error *err, weir_status status, const char *format, ...) WEIR_PRINTF(3, 4);
weir_status weir__error_va(weir_error *err, weir_status status, const char *format, va_list args);
/* Puts "prefix: " before the text that is there; returns the error's status. */
weir_status weir__error_prefix(weir_error *err, const char *format, ...) WEIR_PRINTF(2, 3);
/* "out of memory" while doing `what`. */
weir_status weir__error_memory(weir_error *err, const char *what);

/* What static analysis cannot see from other files: these give the status they were told to. */
#ifdef __clang_analyzer__
#define weir__error(...) ((weir__error)(__VA_ARGS__), WEIR_FAILED)
#define weir__error_as(err, status, ...) ((weir__error_as)(err, status, __VA_ARGS__), (status))
#define weir__error_memory(...) ((weir__error_memory)(__VA_ARGS__), WEIR_FAILED)
#endif

#endif
