/*
 * The store: collections of documents whose fields are texts. This one is made up, over a SQLite file, so
 * that the project works from the first minute: keep the shape, and put calls of your store's client there.
 *
 * A store is a session: one request at a time uses it. Functions that return bool say whether it worked;
 * store_error() says why it did not.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct store store;

/* A field of a document. A document is known by its key fields. */
typedef struct store_field {
    const char *name;
    const char *data; /* borrowed; NULL: no value */
    size_t size;
    bool key;
} store_field;

/* Never NULL but when out of memory; whether it could be opened says store_begin. */
store *store_open(const char *path);
void store_close(store *s); /* accepts NULL */
const char *store_error(const store *s);

/* What is between the two happens whole or not at all. */
bool store_begin(store *s);
bool store_end(store *s, bool commit);

/* A text kept about a collection; NULL when there is none. Borrowed until the next call. */
const char *store_note(store *s, const char *collection);
bool store_set_note(store *s, const char *collection, const char *text);

/* The whole document; one with the same key is replaced. */
bool store_put(store *s, const char *collection, const store_field *fields, size_t count);
/* Sets the fields that are given; does nothing when there is no such document. */
bool store_merge(store *s, const char *collection, const store_field *fields, size_t count);
bool store_delete(store *s, const char *collection, const store_field *fields, size_t count);
/* Deletes documents whose field is less than `text`, or with `mark` sets that field of them to "true". */
bool store_delete_before(store *s, const char *collection, const char *field, const char *text,
                         const char *mark);
bool store_drop_field(store *s, const char *collection, const char *field);
/* From now on these fields are the key; *same is true, and nothing done, when two documents are alike. */
bool store_set_key(store *s, const char *collection, const char *const *names, size_t count, bool *same);

#endif
