/*
 * source-postgresql/array: an array as PostgreSQL writes it ("{1,NULL,\"a b\"}") to JSON as its
 * array_to_json() does, so that a row of the stream and the same row of a snapshot are the same value.
 *
 * Pure; any thread. The text comes from outside: what is no array is refused.
 */
#ifndef SOURCE_POSTGRESQL_ARRAY_H
#define SOURCE_POSTGRESQL_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* How an element looks in JSON. */
typedef enum array_kind {
    ARRAY_NONE,    /* no array */
    ARRAY_TEXT,    /* quoted */
    ARRAY_NUMBER,  /* bare; NaN and infinities quoted */
    ARRAY_BOOLEAN, /* true and false */
    ARRAY_TIME,    /* quoted, ISO 8601: with a T, and a zone of hours and minutes */
    ARRAY_JSON,    /* as it is */
    ARRAY_SERVER   /* only the server knows: composites, domains, types of extensions */
} array_kind;

/* Bytes that array_to_json needs at most for a text of `size` bytes, room to work in included. */
static inline size_t array_room(size_t size)
{
    return 7 * size + 16;
}

/* Writes to `out`, which has array_room(size) bytes. False: malformed, or ARRAY_NONE or ARRAY_SERVER. */
bool array_to_json(const char *data, size_t size, char delimiter, array_kind kind, char *out, size_t *length);

#endif
