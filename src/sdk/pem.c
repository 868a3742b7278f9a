/*
 * sdk/pem: a block is "-----BEGIN X-----", words, "-----END X-----". Words up to the last one that is no
 * base64 are headers: "Proc-Type:" and the like with what follows them.
 */
#include "sdk/pem.h"

#include <string.h>

#define LINE_SIZE 64

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

/* The next place of `what` in [at, stop); NULL when there is none. */
static const char *find(const char *at, const char *stop, const char *what)
{
    return memmem(at, (size_t)(stop - at), what, strlen(what));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The word at or after `at`; its size is 0 at the end. */
static weir_bytes next_word(const char *at, const char *stop)
{
    const char *first;

    while (at < stop && is_space(*at))
        at++;
    first = at;
    while (at < stop && !is_space(*at))
        at++;
    return (weir_bytes){ first, (size_t)(at - first) };
}

static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

/* Headers, an empty line after them; *at is set behind them. */
static char *put_headers(char *to, const char **at, const char *stop)
{
    weir_bytes word = next_word(*at, stop);
    bool any = false;

    while (word.size > 0 && word.data[word.size - 1] == ':') {
        weir_bytes value = next_word(word.data + word.size, stop);

        to = put(to, word.data, word.size);
        *to++ = ' ';
        to = put(to, value.data, value.size);
        *to++ = '\n';
        any = true;
        *at = value.data + value.size;
        word = next_word(*at, stop);
    }
    if (any)
        *to++ = '\n';
    return to;
}

static char *put_body(char *to, const char *at, const char *stop)
{
    size_t column = 0;

    for (; at < stop; at++) {
        if (is_space(*at))
            continue;
        *to++ = *at;
        if (++column == LINE_SIZE) {
            *to++ = '\n';
            column = 0;
        }
    }
    if (column > 0)
        *to++ = '\n';
    return to;
}

/* One block from its "-----BEGIN " on; the place behind it, NULL when it has no end. */
static const char *put_block(const char *at, const char *stop, char **to)
{
    const char *label = at + strlen(begin);
    const char *body = find(label, stop, dashes);
    const char *tail;
    size_t size;

    if (body == NULL)
        return NULL;
    size = (size_t)(body - label);
    tail = find(body + strlen(dashes), stop, end);
    if (tail == NULL || (size_t)(stop - tail) < strlen(end) + size + strlen(dashes) ||
        memcmp(tail + strlen(end), label, size) != 0 ||
        memcmp(tail + strlen(end) + size, dashes, strlen(dashes)) != 0)
        return NULL;
    body += strlen(dashes);
    *to = put(*to, at, (size_t)(body - at));
    *(*to)++ = '\n';
    *to = put_headers(*to, &body, tail);
    *to = put_body(*to, body, tail);
    size += strlen(end) + strlen(dashes);
    *to = put(*to, tail, size);
    *(*to)++ = '\n';
    return tail + size;
}

size_t weir__pem_restore(const char *text, size_t size, char *out)
{
    const char *stop = text + size;
    const char *at = size > 0 ? find(text, stop, begin) : NULL;
    char *to = out;

    while (at != NULL) {
        at = put_block(at, stop, &to);
        if (at == NULL)
            return 0; /* half a block is a mistake, whatever stands before it */
        at = find(at, stop, begin);
    }
    return (size_t)(to - out);
}
