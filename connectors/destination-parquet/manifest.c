/*
 * destination-parquet/manifest: written member by member; read by a small parser that takes texts apart in
 * place. What is read is checked as any foreign text: depth, names of files, numbers.
 */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/sql.h>

#define FORMAT "weir-parquet-1"
#define DEPTH_MAX 32

/* --- writing --- */

static void put_text(weir_sql_text *out, const char *text)
{
    weir_sql_put(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            weir_sql_printf(out, "\\%c", *at);
        else if ((unsigned char)*at < 0x20)
            weir_sql_printf(out, "\\u%04x", (unsigned)*at);
        else
            weir_sql_printf(out, "%c", *at);
    }
    weir_sql_put(out, "\"");
}

static void put_column(weir_sql_text *out, const manifest_column *c)
{
    weir_params params = c->column.params;

    weir_sql_put(out, "{\"name\": ");
    put_text(out, c->column.name);
    if (c->nanos_of != NULL) {
        weir_sql_put(out, ", \"nanoseconds_of\": ");
        put_text(out, c->nanos_of);
    } else {
        weir_sql_printf(out, ", \"type\": \"%s\"%s", weir_type_name(c->column.type),
                        c->column.key ? ", \"key\": true" : "");
        if (params.precision > 0)
            weir_sql_printf(out, ", \"precision\": %u, \"scale\": %u", params.precision, params.scale);
        if (params.string_byte_length > 0)
            weir_sql_printf(out, ", \"string_byte_length\": %u", params.string_byte_length);
    }
    weir_sql_put(out, "}");
}

const char *manifest_text(weir_call *call, const manifest *m)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_printf(&out, "{\n  \"format\": \"" FORMAT "\",\n  \"version\": %llu,\n  \"columns\": [",
                    (unsigned long long)m->version);
    for (size_t i = 0; i < m->column_count; i++) {
        weir_sql_put(&out, i > 0 ? ",\n    " : "\n    ");
        put_column(&out, &m->columns[i]);
    }
    weir_sql_put(&out, "\n  ],\n  \"parts\": [");
    for (size_t i = 0; i < m->part_count; i++)
        weir_sql_printf(&out, "%s\n    {\"file\": \"%s\", \"rows\": %llu, \"bytes\": %llu}", i > 0 ? "," : "",
                        m->parts[i].file, (unsigned long long)m->parts[i].rows,
                        (unsigned long long)m->parts[i].size);
    weir_sql_put(&out, "\n  ],\n  \"previous\": [");
    for (size_t i = 0; i < m->previous_count; i++)
        weir_sql_printf(&out, "%s\n    \"%s\"", i > 0 ? "," : "", m->previous[i]);
    weir_sql_put(&out, "\n  ]\n}\n");
    return out.data;
}

/* --- reading --- */

typedef struct parser {
    weir_call *call;
    char *at;
    const char *error; /* the first */
} parser;

static bool wrong(parser *p, const char *error)
{
    if (p->error == NULL)
        p->error = error;
    return false;
}

static void skip_space(parser *p)
{
    p->at += strspn(p->at, " \t\r\n");
}

static bool take(parser *p, char c)
{
    skip_space(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* Four hexadecimal digits, as UTF-8 at *to. Pairs of surrogates are never written here, nor read. */
static bool take_escape(parser *p, char **to)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *found = p->at[i] != '\0' ? strchr(digits, p->at[i]) : NULL;

        if (found == NULL)
            return false;
        code = code * 16 + (unsigned)(found - digits) % 16;
    }
    p->at += 4;
    if (code == 0 || (code >= 0xD800 && code < 0xE000))
        return false;
    if (code < 0x80) {
        *(*to)++ = (char)code;
    } else if (code < 0x800) {
        *(*to)++ = (char)(0xC0 | code >> 6);
        *(*to)++ = (char)(0x80 | (code & 0x3F));
    } else {
        *(*to)++ = (char)(0xE0 | code >> 12);
        *(*to)++ = (char)(0x80 | (code >> 6 & 0x3F));
        *(*to)++ = (char)(0x80 | (code & 0x3F));
    }
    return true;
}

/* A text, in its place without escapes. NULL: there is none. */
static const char *take_text(parser *p)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *start, *to;

    if (!take(p, '"')) {
        wrong(p, "a text is missing");
        return NULL;
    }
    start = to = p->at;
    while (*p->at != '"') {
        const char *escape;

        if ((unsigned char)*p->at < 0x20) {
            wrong(p, "a text does not end");
            return NULL;
        }
        if (*p->at != '\\') {
            *to++ = *p->at++;
            continue;
        }
        p->at++;
        escape = *p->at != '\0' ? strchr(plain, *p->at) : NULL;
        if (escape != NULL) {
            *to++ = meant[escape - plain];
            p->at++;
        } else if (*p->at++ != 'u' || !take_escape(p, &to)) {
            wrong(p, "a text has an escape that is none");
            return NULL;
        }
    }
    p->at++;
    *to = '\0';
    return start;
}

static bool take_number(parser *p, uint64_t most, uint64_t *out)
{
    char *end = NULL;
    unsigned long long value;

    skip_space(p);
    if (*p->at < '0' || *p->at > '9')
        return wrong(p, "a number is missing");
    value = strtoull(p->at, &end, 10);
    if (end - p->at > 19 || value > most)
        return wrong(p, "a number is too large");
    p->at = end;
    *out = value;
    return true;
}

static bool take_word(parser *p, const char *word)
{
    size_t size = strlen(word);

    skip_space(p);
    if (strncmp(p->at, word, size) != 0)
        return false;
    p->at += size;
    return true;
}

typedef bool (*take_item)(parser *p, void *out);

/* [item, …] */
static bool take_list(parser *p, take_item item, void *out)
{
    if (!take(p, '['))
        return wrong(p, "a list is missing");
    if (take(p, ']'))
        return true;
    do
        if (!item(p, out))
            return false;
    while (take(p, ','));
    return take(p, ']') || wrong(p, "a list does not end");
}

typedef bool (*take_member)(parser *p, const char *name, void *out);

/* {"name": value, …} */
static bool take_members(parser *p, take_member member, void *out)
{
    if (!take(p, '{'))
        return wrong(p, "an object is missing");
    if (take(p, '}'))
        return true;
    do {
        const char *name = take_text(p);

        if (name == NULL || !take(p, ':'))
            return wrong(p, "a member has no value");
        if (!member(p, name, out))
            return false;
    } while (take(p, ','));
    return take(p, '}') || wrong(p, "an object does not end");
}

static bool skip_item(parser *p, void *depth);

static bool skip_member(parser *p, const char *name, void *depth)
{
    (void)name;
    return skip_item(p, depth);
}

/* Any value at all. */
static bool skip_item(parser *p, void *depth)
{
    int deeper = *(const int *)depth + 1;

    if (deeper > DEPTH_MAX)
        return wrong(p, "it is nested too deeply");
    skip_space(p);
    if (*p->at == '{')
        return take_members(p, skip_member, &deeper);
    if (*p->at == '[')
        return take_list(p, skip_item, &deeper);
    if (*p->at == '"')
        return take_text(p) != NULL;
    if (take_word(p, "true") || take_word(p, "false") || take_word(p, "null"))
        return true;
    if (strspn(p->at, "+-.0123456789eE") == 0)
        return wrong(p, "a value is missing");
    p->at += strspn(p->at, "+-.0123456789eE");
    return true;
}

static bool skip(parser *p)
{
    int depth = 0;

    return skip_item(p, &depth);
}

/* --- its parts --- */

typedef struct list {
    void *items;
    size_t count;
    size_t room;
} list;

/* The place of one more item. */
static void *add(weir_call *call, list *l, size_t size)
{
    if (l->count == l->room) {
        void *more = weir_alloc(call, (l->room * 2 + 16) * size);

        if (l->count > 0)
            memcpy(more, l->items, l->count * size);
        l->items = more;
        l->room = l->room * 2 + 16;
    }
    return (char *)l->items + l->count++ * size;
}

typedef struct reading {
    manifest *out;
    const char *format;
    list columns;
    list parts;
    list previous;
} reading;

static bool column_member(parser *p, const char *name, void *out)
{
    manifest_column *c = out;
    uint64_t number = 0;
    const char *type;

    if (strcmp(name, "name") == 0)
        return (c->column.name = take_text(p)) != NULL;
    if (strcmp(name, "nanoseconds_of") == 0)
        return (c->nanos_of = take_text(p)) != NULL;
    if (strcmp(name, "key") == 0)
        return (c->column.key = take_word(p, "true")) || skip(p);
    if (strcmp(name, "type") == 0) {
        type = take_text(p);
        for (int i = 1; type != NULL && i < WEIR_TYPE_COUNT; i++)
            if (strcmp(weir_type_name((weir_type)i), type) == 0)
                c->column.type = (weir_type)i;
        return c->column.type != WEIR_UNSPECIFIED || wrong(p, "a column has a type that is none");
    }
    if (strcmp(name, "precision") != 0 && strcmp(name, "scale") != 0 &&
        strcmp(name, "string_byte_length") != 0)
        return skip(p);
    if (!take_number(p, UINT32_MAX, &number))
        return false;
    if (name[0] == 'p')
        c->column.params.precision = (uint32_t)number;
    else if (strcmp(name, "scale") == 0)
        c->column.params.scale = (uint32_t)number;
    else
        c->column.params.string_byte_length = (uint32_t)number;
    return true;
}

static bool take_column(parser *p, void *out)
{
    reading *r = out;
    manifest_column column = { 0 };

    if (!take_members(p, column_member, &column))
        return false;
    if (column.column.name == NULL || (column.nanos_of == NULL) == (column.column.type == WEIR_UNSPECIFIED))
        return wrong(p, "a column has no name or no type");
    *(manifest_column *)add(p->call, &r->columns, sizeof column) = column;
    return true;
}

/* A file's name leads nowhere else, and has nothing that SQL or a pattern of names would see. */
static bool take_file(parser *p, const char **out)
{
    const char *name = take_text(p);

    if (name == NULL)
        return false;
    if (strncmp(name, "part-", 5) != 0 ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] != '\0' ||
        strlen(name) > 255)
        return wrong(p, "a part has a name that none can have");
    *out = name;
    return true;
}

static bool part_member(parser *p, const char *name, void *out)
{
    manifest_part *part = out;

    if (strcmp(name, "file") == 0)
        return take_file(p, &part->file);
    if (strcmp(name, "rows") == 0)
        return take_number(p, INT64_MAX, &part->rows);
    if (strcmp(name, "bytes") == 0)
        return take_number(p, INT64_MAX, &part->size);
    return skip(p);
}

static bool take_part(parser *p, void *out)
{
    reading *r = out;
    manifest_part part = { 0 };

    if (!take_members(p, part_member, &part))
        return false;
    if (part.file == NULL)
        return wrong(p, "a part has no file");
    *(manifest_part *)add(p->call, &r->parts, sizeof part) = part;
    return true;
}

static bool take_previous(parser *p, void *out)
{
    reading *r = out;
    const char *file;

    if (!take_file(p, &file))
        return false;
    *(const char **)add(p->call, &r->previous, sizeof file) = file;
    return true;
}

static bool top_member(parser *p, const char *name, void *out)
{
    reading *r = out;

    if (strcmp(name, "format") == 0)
        return (r->format = take_text(p)) != NULL;
    if (strcmp(name, "version") == 0)
        return take_number(p, INT64_MAX, &r->out->version);
    if (strcmp(name, "columns") == 0)
        return take_list(p, take_column, r);
    if (strcmp(name, "parts") == 0)
        return take_list(p, take_part, r);
    if (strcmp(name, "previous") == 0)
        return take_list(p, take_previous, r);
    return skip(p);
}

const char *manifest_parse(weir_call *call, char *text, size_t size, manifest *out)
{
    manifest m = { 0 };
    reading r = { .out = &m };
    parser p = { .call = call, .at = text };

    if (strlen(text) != size)
        return "it has a byte that no text has";
    if (!take_members(&p, top_member, &r))
        return p.error;
    skip_space(&p);
    if (*p.at != '\0')
        return "something stands behind it";
    if (r.format == NULL || strcmp(r.format, FORMAT) != 0)
        return "its format is not " FORMAT;
    if (r.columns.count == 0)
        return "it has no columns";
    m.columns = r.columns.items;
    m.column_count = r.columns.count;
    m.parts = r.parts.items;
    m.part_count = r.parts.count;
    m.previous = r.previous.items;
    m.previous_count = r.previous.count;
    *out = m;
    return NULL;
}
