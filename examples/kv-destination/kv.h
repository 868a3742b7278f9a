/*
 * kv: a small store of texts under keys, in spaces; stands for the client library of a partner's own product.
 *
 * Writes belong to a transaction that begins with the first of them and ends with kv_commit; closing forgets
 * it. An error sticks: after it nothing is written, and kv_commit says so. Texts that are given out are
 * borrowed until the next call of the same function.
 */
#ifndef KV_H
#define KV_H

#include <stdbool.h>

typedef struct kv kv;

kv *kv_open(const char *path); /* NULL when the file cannot be opened */
void kv_close(void *db);
/* The value; NULL when there is none. */
const char *kv_get(kv *db, const char *space, const char *key);
/* Sets the value; NULL removes it. */
void kv_put(kv *db, const char *space, const char *key, const char *value);
/* The same for a key that is new; false when it is there already. */
bool kv_add(kv *db, const char *space, const char *key, const char *value);
/* The value after *key, in order of keys, and its key; *key NULL: the first. NULL at the end. */
const char *kv_next(kv *db, const char *space, const char **key);
/* All of `from` becomes `to`, in place of what was there. */
void kv_move(kv *db, const char *from, const char *to);
bool kv_commit(kv *db);
const char *kv_error(const kv *db);

#endif
