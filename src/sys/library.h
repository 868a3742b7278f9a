/*
 * sys/library: shared libraries that a program opens when it first needs them, and can do without until then.
 *
 * Only a program that is linked against the system's C library dynamically may do so: a static one that opens
 * a library gets a second C library and crashes. Any thread; one at a time per library.
 */
#ifndef WEIR_SYS_LIBRARY_H
#define WEIR_SYS_LIBRARY_H

#include "base/error.h"

typedef struct weir_library weir_library;

/* A function of a library; cast it to what it is. */
typedef void (*weir_symbol)(void);

/*
 * Opens the library `name` ("libduckdb.so"), owned by the caller. With `chosen`, a person's choice, only
 * there: it is the file itself or a folder that holds it. Else beside the running executable, then in the
 * folders ../lib/weir and ../lib from there, then where the system looks for libraries. WEIR_NOT_FOUND: it is
 * in none of these places, which are named; WEIR_FAILED: it is there and cannot be loaded, with the loader's
 * reason.
 */
weir_status weir__library_open(const char *name, const char *chosen, weir_library **out,
                               weir_error *err) WEIR_CHECKED;
/* The function of that name; WEIR_NOT_FOUND, naming both, when the library has none. */
weir_status weir__library_symbol(weir_library *library, const char *name, weir_symbol *out,
                                 weir_error *err) WEIR_CHECKED;
/* What was opened: a path, or the name alone when the system found it; borrowed until close. */
const char *weir__library_path(const weir_library *library);
/* Accepts NULL. Its functions are gone afterwards: nothing of the library may be running or live. */
void weir__library_close(weir_library *library);

#endif
