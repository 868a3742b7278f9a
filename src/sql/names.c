/*
 * sql/names: names that the store would cut or refuse end in 64 bits of a hash, in hex, so that two long
 * names with the same beginning stay apart (R-DST-08).
 */
#include <inttypes.h>
#include <string.h>

#include "sql/sql_internal.h"

#define HASH_SIZE 17 /* "_" and 16 hex digits */

static uint64_t hash(const char *name)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *at = (const unsigned char *)name; *at != 0; at++)
        value = (value ^ *at) * UINT64_C(0x100000001b3);
    return value;
}

/* Lead bytes from 0xF0 on begin characters of four bytes. */
static bool has_large(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at >= 0xF0)
            return true;
    return false;
}

/* The name with "_" for each of them. */
static const char *without_large(weir_call *call, const char *name)
{
    char *out = weir_alloc(call, strlen(name) + 1);
    char *to = out;

    for (const char *at = name; *at != '\0'; at++) {
        bool large = (unsigned char)*at >= 0xF0;

        *to++ = large ? '_' : *at;
        for (int more = 0; large && more < 3 && at[1] != '\0'; more++)
            at++;
    }
    *to = '\0';
    return out;
}

const char *weir_sql_stored_name(weir_call *call, const weir_sql *sql, const char *name, weir_sql_name kind)
{
    bool reserved = sql->reserved != NULL && sql->reserved(name, kind);
    bool large = sql->names_in_bmp && has_large(name);
    const char *kept = large ? without_large(call, name) : name;
    size_t size = strlen(kept);
    const char *mark;

    if (!reserved && !large && (sql->name_size_max == 0 || size <= sql->name_size_max))
        return name;
    /* What is reserved by its beginning, "pg_", gets another beginning. */
    mark = reserved && kind == WEIR_SQL_NAME_SCHEMA ? "_" : "";
    if (sql->name_size_max > 0 && size > sql->name_size_max - HASH_SIZE - strlen(mark))
        size = sql->name_size_max - HASH_SIZE - strlen(mark);
    while (size > 0 && ((unsigned char)kept[size] & 0xC0) == 0x80) /* not inside of a character */
        size--;
    return weir_printf(call, "%s%.*s_%016" PRIx64, mark, (int)size, kept, hash(name));
}

const char *weir_sql_quoted(weir_call *call, const weir_sql *sql, const char *name)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir__sql_put_name(&out, sql, name);
    return out.data;
}

void weir__sql_put_name(weir_sql_text *out, const weir_sql *sql, const char *name)
{
    weir_sql_put_quoted(out, name, sql->quote != '\0' ? sql->quote : '"');
}

const char *weir_sql_path(weir_call *call, const weir_sql *sql, const char *schema, const char *table)
{
    weir_sql_text out;

    schema = schema != NULL ? schema : "";
    if (sql->path != NULL)
        return sql->path(call, schema, table);
    if (schema[0] == '\0' && sql->schema_default != NULL)
        schema = sql->schema_default;
    out = weir_sql_text_new(call);
    if (schema[0] != '\0') {
        weir__sql_put_name(&out, sql, weir_sql_stored_name(call, sql, schema, WEIR_SQL_NAME_SCHEMA));
        weir_sql_put(&out, ".");
    }
    weir__sql_put_name(&out, sql, weir_sql_stored_name(call, sql, table, WEIR_SQL_NAME_TABLE));
    return out.data;
}

/* Names without a meaning of their own: the same for the same table, and far from what people choose. */
const char *weir__sql_leftover(weir_call *call, const char *what, const char *table)
{
    return weir_printf(call, "_weir_%s_%016" PRIx64, what, hash(table));
}

const char *weir__sql_temporary_path(weir_call *call, const weir_sql *sql, const char *name)
{
    const char *quoted = weir_sql_quoted(call, sql, name);

    return sql->temporary_path != NULL ? weir__sql_fill(call, sql->temporary_path, quoted, "") : quoted;
}

/* Formats of the dialect, with "%s" for `first` and then for `second`; nothing else is special in them. */
const char *weir__sql_fill(weir_call *call, const char *format, const char *first, const char *second)
{
    const char *at = strstr(format, "%s");
    const char *next = at != NULL ? strstr(at + 2, "%s") : NULL;

    if (at == NULL)
        return format;
    if (next == NULL)
        return weir_printf(call, "%.*s%s%s", (int)(at - format), format, first, at + 2);
    return weir_printf(call, "%.*s%s%.*s%s%s", (int)(at - format), format, first, (int)(next - at - 2),
                       at + 2, second, next + 2);
}

const char *weir_sql_doing(weir_call *call, const char *what, const char *schema, const char *table)
{
    bool bare = schema == NULL || schema[0] == '\0';

    return weir_printf(call, "%s '%s%s%s'", what, bare ? "" : schema, bare ? "" : ".", table);
}

const char *weir_sql_fine_note(weir_call *call, const char *name)
{
    return weir_printf(call, WEIR_SQL_FINE_NOTE "%s", name);
}
