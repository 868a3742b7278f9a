/*
 * source-postgresql/array: one pass. Every byte of the input becomes at most six of the output (a control
 * character as \u0001), and an element is freed of its backslashes at the far end of the output first.
 */
#include "array.h"

#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 6 /* PostgreSQL's MAXDIM */

struct writer {
    char *at;
    array_kind kind;
};

static void put(struct writer *out, const char *data, size_t size)
{
    memcpy(out->at, data, size);
    out->at += size;
}

static void put_escaped(struct writer *out, const char *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\b\f\n\r\t\"\\";
    static const char mark[] = "bfnrt\"\\";

    *out->at++ = '"';
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)data[i];
        const char *special = byte != 0 ? strchr(plain, byte) : NULL;

        if (special != NULL) {
            *out->at++ = '\\';
            *out->at++ = mark[special - plain];
        } else if (byte < ' ') {
            put(out, "\\u00", 4);
            *out->at++ = hex[byte >> 4];
            *out->at++ = hex[byte & 15];
        } else {
            *out->at++ = (char)byte;
        }
    }
    *out->at++ = '"';
}

/* "2024-02-29 12:34:56+00 BC" as "2024-02-29T12:34:56+00:00 BC"; "infinity" as it is. */
static void put_time(struct writer *out, const char *data, size_t size)
{
    bool clock = false;

    *out->at++ = '"';
    for (size_t i = 0; i < size; i++) {
        char byte = data[i];

        if (byte == ' ' && !clock && i + 1 < size && data[i + 1] >= '0' && data[i + 1] <= '9') {
            byte = 'T';
            clock = true;
        }
        *out->at++ = byte;
        if (clock && i >= 2 && (data[i - 2] == '+' || data[i - 2] == '-') &&
            (i + 1 == size || data[i + 1] != ':'))
            put(out, ":00", 3);
    }
    *out->at++ = '"';
}

static bool is_number(const char *data, size_t size)
{
    size_t at = size > 0 && data[0] == '-' ? 1 : 0;

    return at < size && data[at] >= '0' && data[at] <= '9';
}

static bool put_element(struct writer *out, const char *data, size_t size)
{
    switch (out->kind) {
    case ARRAY_NUMBER:
        if (is_number(data, size))
            put(out, data, size);
        else
            put_escaped(out, data, size);
        return true;
    case ARRAY_BOOLEAN:
        if (size != 1 || (data[0] != 't' && data[0] != 'f'))
            return false;
        put(out, data[0] == 't' ? "true" : "false", data[0] == 't' ? 4 : 5);
        return true;
    case ARRAY_TIME:
        put_time(out, data, size);
        return true;
    case ARRAY_JSON:
        put(out, data, size);
        return true;
    case ARRAY_TEXT:
        put_escaped(out, data, size);
        return true;
    default:
        return false;
    }
}

/* A quoted element from behind its quote; *at moves behind the closing one. */
static bool put_quoted(struct writer *out, const char **at, const char *end, char *work)
{
    char *to = work;

    for (const char *in = *at; in < end; in++) {
        if (*in == '"') {
            *at = in + 1;
            return put_element(out, work, (size_t)(to - work));
        }
        if (*in == '\\' && ++in == end)
            return false;
        *to++ = *in;
    }
    return false;
}

static bool put_bare(struct writer *out, const char **at, const char *end, char delimiter)
{
    const char *first = *at;
    const char *in = first;

    while (in < end && *in != delimiter && *in != '}' && *in != '{' && *in != '"')
        in++;
    if (in == first)
        return false;
    *at = in;
    if (in - first == 4 && memcmp(first, "NULL", 4) == 0) {
        put(out, "null", 4);
        return true;
    }
    return put_element(out, first, (size_t)(in - first));
}

/* Bounds that do not begin at 1 stand before the array: "[2:3]={a,b}". JSON has no place for them. */
static const char *skip_bounds(const char *data, const char *end)
{
    const char *at = data;

    if (data == end || *data != '[')
        return data;
    while (at < end && *at != '=')
        at++;
    return at < end ? at + 1 : end;
}

bool array_to_json(const char *data, size_t size, char delimiter, array_kind kind, char *out, size_t *length)
{
    struct writer to = { out, kind };
    const char *end = data + size;
    const char *at = skip_bounds(data, end);
    char *work = out + (array_room(size) - size);
    int depth = 0;
    bool expects = true; /* an element or a nested array may come */

    while (at < end && (depth > 0 || to.at == out)) {
        if (*at == '{' && expects && depth < DEPTH_MAX) {
            *to.at++ = '[';
            depth++;
            at++;
        } else if (*at == '}' && depth > 0 && (!expects || to.at[-1] == '[')) {
            *to.at++ = ']';
            depth--;
            expects = false;
            at++;
        } else if (*at == delimiter && depth > 0 && !expects) {
            *to.at++ = ',';
            expects = true;
            at++;
        } else if (depth > 0 && expects) {
            bool quoted = *at == '"';

            at += quoted ? 1 : 0;
            if (!(quoted ? put_quoted(&to, &at, end, work) : put_bare(&to, &at, end, delimiter)))
                return false;
            expects = false;
        } else {
            return false;
        }
    }
    *length = (size_t)(to.at - out);
    return depth == 0 && at == end && to.at > out;
}
