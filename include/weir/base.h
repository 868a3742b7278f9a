/*
 * weir/base.h: what every other public header stands on.
 *
 * The status a function returns, a borrowed run of bytes, and the compiler attributes that make misuse
 * visible. Nothing here allocates or blocks, and everything here may be used from any thread.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Symbols of the shared library; everything else is hidden. */
#define WEIR_API __attribute__((visibility("default")))
/* The result says whether the work was done: ignoring it is a compile error under -Werror. */
#define WEIR_CHECKED __attribute__((warn_unused_result))
/* The compiler checks the arguments against the format string at parameter `text`. */
#define WEIR_PRINTF(text, first) __attribute__((format(printf, text, first)))

/*
 * What to do next. The text that says why lives in the call (partners) or in a weir_error (inside Weir).
 * Positive: there is more. Zero: done. Negative: stop; outputs are untouched.
 */
typedef enum weir_status {
    WEIR_ITEM = 1,        /* there is another item; call again */
    WEIR_OK = 0,          /* done */
    WEIR_FAILED = -1,     /* failed; a later attempt may succeed */
    WEIR_TASK = -2,       /* failed until a person acts; the text tells that person what to do */
    WEIR_CANCELLED = -3,  /* the caller gave up or its deadline passed; wind down */
    WEIR_NOT_FOUND = -4,  /* what was asked for does not exist */
    WEIR_UNSUPPORTED = -5 /* not offered here */
} weir_status;

/*
 * A run of bytes that somebody else owns; how long it stays valid is written where it is handed out.
 * Not terminated by NUL, and may contain NUL. An empty run has size 0 and any `data`, NULL included.
 */
typedef struct weir_bytes {
    const char *data;
    size_t size; /* bytes */
} weir_bytes;

#ifdef __cplusplus
}
#endif

#endif
