/*
 * destination-postgresql/names: names that PostgreSQL would cut or refuse.
 *
 * It keeps 63 bytes of a name, has system columns in every table, and reserves schemas that begin with pg_.
 * Such names end in 64 bits of a hash, in hex, so that two long names with the same beginning stay apart
 * (R-DST-08).
 */
#include <inttypes.h>

#include "destination.h"

#define NAME_SIZE_MAX 63 /* NAMEDATALEN - 1 */
#define HASH_SIZE 17     /* "_" and 16 hex digits */

static uint64_t hash(const char *name)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *at = (const unsigned char *)name; *at != 0; at++)
        value = (value ^ *at) * UINT64_C(0x100000001b3);
    return value;
}

static bool is_reserved(const char *name, name_kind kind)
{
    static const char *const system_columns[] = { "tableoid", "cmax", "xmax", "cmin", "xmin", "ctid" };

    if (kind == NAME_SCHEMA)
        return strncmp(name, "pg_", 3) == 0 || strcmp(name, "information_schema") == 0;
    for (size_t i = 0; kind == NAME_COLUMN && i < sizeof system_columns / sizeof *system_columns; i++) {
        if (strcmp(name, system_columns[i]) == 0)
            return true;
    }
    return false;
}

const char *name_stored(weir_call *call, const char *name, name_kind kind)
{
    size_t size = strlen(name);
    bool reserved = is_reserved(name, kind);
    const char *mark = reserved && kind == NAME_SCHEMA ? "_" : "";

    if (size <= NAME_SIZE_MAX && !reserved)
        return name;
    if (size > NAME_SIZE_MAX - HASH_SIZE - strlen(mark))
        size = NAME_SIZE_MAX - HASH_SIZE - strlen(mark);
    while (size > 0 && ((unsigned char)name[size] & 0xC0) == 0x80) /* not inside of a character */
        size--;
    return weir_printf(call, "%s%.*s_%016" PRIx64, mark, (int)size, name, hash(name));
}

const char *name_path(weir_call *call, const char *schema, const char *table)
{
    text path = text_new(call);

    text_path(&path, name_stored(call, schema != NULL && schema[0] != '\0' ? schema : "public", NAME_SCHEMA),
              name_stored(call, table, NAME_TABLE));
    return path.data;
}
