/*
 * sql/modes: the shapes of a table on its way between soft delete and history (R-MIG-05), as the guide has
 * them. What the rules leave open: a deleted row without history begins and ends at the beginning of time;
 * only `_fivetran_deleted` goes, a column of another name belongs to the source.
 */
#include <string.h>

#include "base/limits.h"
#include "data/type.h"
#include "sql/sql_internal.h"

/* R-HIS-01: 9999-12-31T23:59:59.999Z. */
static const weir_time end_of_time = { WEIR_TIME_SECONDS_MAX, 999000000 };
static const weir_time begin_of_time = { 0, 0 };

static const char *name_or(const char *name, const char *other)
{
    return name != NULL && name[0] != '\0' ? name : other;
}

/* `"x" = TRUE` for a BOOLEAN column; NULL when no row can be marked. */
static const char *is_true(const weir_sql_request *r, const weir_sql_column *column)
{
    if (column == NULL || column->column.type != WEIR_BOOLEAN)
        return NULL;
    return weir_printf(r->call, "%s = %s", weir__sql_of(r, "t", column->name), weir__sql_bool(r, true));
}

/* CASE WHEN condition THEN one ELSE other END. */
static const char *choose(const weir_sql_request *r, const char *condition, const char *one,
                          const char *other)
{
    if (condition == NULL)
        return other;
    return weir_printf(r->call, "CASE WHEN %s THEN %s ELSE %s END", condition, one, other);
}

static const weir_column utc = { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME };

/* The latest `_fivetran_synced` of the table, and its last digits; the begin of time where there is none. */
static const char *latest_synced(const weir_sql_request *r, const weir_sql_table *stored, const char **fine)
{
    const weir_sql_column *synced = weir_sql_find(stored, "_fivetran_synced");
    const char *begin = weir__sql_time(r, &utc, begin_of_time);
    const char *value;

    *fine = NULL;
    if (synced == NULL || !weir__type_is_time(synced->column.type) || synced->column.type == WEIR_NAIVE_TIME)
        return begin;
    value = weir__sql_of(r, "y", synced->name);
    if (synced->fine != NULL)
        *fine = weir_printf(
            r->call, "coalesce((SELECT %s FROM %s AS y WHERE %s IS NOT NULL ORDER BY %s DESC LIMIT 1), 0)",
            weir__sql_of(r, "y", synced->fine), stored->path, value, weir__sql_instant(r, "y", synced));
    if (strcmp(synced->declared, r->sql->type(r->call, &utc)) != 0) {
        const char *converted = r->sql->convert(r->call, synced, value, &utc);

        value = converted != NULL ? converted : begin;
    }
    return weir_printf(r->call, "coalesce((SELECT max(%s) FROM %s AS y), %s)", value, stored->path, begin);
}

/* The column of that name in the shape, made anew as `column`. */
static weir_sql_part *new_part(weir_sql_shape *shape, weir_column column, const weir_sql_column *old)
{
    weir_sql_part *part;

    weir__sql_part_drop(shape, column.name);
    part = weir__sql_part_add(shape, column);
    /* One that is there already, of the same type, only gets other values. */
    if (old != NULL && old->column.type == column.type)
        part->old = old;
    return part;
}

weir_status weir__sql_to_history(const weir_sql_request *r, const weir_sql_table *stored, const char *deleted,
                                 weir_sql_shape *out)
{
    const char *mark = is_true(r, weir_sql_find(stored, name_or(deleted, "_fivetran_deleted")));
    const char *begin = weir__sql_time(r, &utc, begin_of_time), *fine;
    const char *latest = latest_synced(r, stored, &fine);
    weir_column column = utc;
    weir_sql_part *part;
    bool own = false;

    for (size_t i = 0; i < stored->count; i++)
        own = own || (stored->columns[i].column.key &&
                      strcmp(stored->columns[i].column.name, "_fivetran_start") != 0);
    if (!own)
        return weir_fail(r->call, "Cannot %s: it has no key, so it cannot have a history.", r->doing);
    *out = weir__sql_shape_of(r, stored, 3);
    weir__sql_part_drop(out, "_fivetran_deleted");
    column.key = true;
    part = new_part(out, column, weir_sql_find(stored, "_fivetran_start"));
    part->value = choose(r, mark, begin, latest);
    part->fine_value = fine != NULL ? choose(r, mark, "0", fine) : NULL;
    column = (weir_column){ .name = "_fivetran_end", .type = WEIR_UTC_DATETIME };
    part = new_part(out, column, weir_sql_find(stored, "_fivetran_end"));
    part->value = choose(r, mark, begin, weir__sql_time(r, &utc, end_of_time));
    /* Starts and ends have companions both or not at all. */
    part->fine_value = fine != NULL ? "0" : NULL;
    column = (weir_column){ .name = "_fivetran_active", .type = WEIR_BOOLEAN };
    part = new_part(out, column, weir_sql_find(stored, "_fivetran_active"));
    part->value = choose(r, mark, weir__sql_bool(r, false), weir__sql_bool(r, true));
    return WEIR_OK;
}

/* A row of which no other version starts later. */
static const char *latest_version(const weir_sql_request *r, const weir_sql_table *stored)
{
    const weir_sql_column *start = weir_sql_find(stored, "_fivetran_start");

    return weir_printf(r->call, "NOT EXISTS (SELECT 1 FROM %s AS y WHERE %s%s > %s)", stored->path,
                       weir__sql_same_row(r, stored, "y", "t"), weir__sql_instant(r, "y", start),
                       weir__sql_instant(r, "t", start));
}

weir_status weir__sql_to_soft_delete(const weir_sql_request *r, const weir_sql_table *stored,
                                     const char *deleted, weir_sql_shape *out)
{
    const char *name = name_or(deleted, "_fivetran_deleted");
    const char *active = is_true(r, weir_sql_find(stored, "_fivetran_active"));
    weir_sql_part *part;

    *out = weir__sql_shape_of(r, stored, 2);
    weir__sql_part_drop(out, "_fivetran_start");
    weir__sql_part_drop(out, "_fivetran_end");
    weir__sql_part_drop(out, "_fivetran_active");
    out->filter = latest_version(r, stored);
    part = weir__sql_part_add(out, (weir_column){ .name = "_fivetran_deleted", .type = WEIR_BOOLEAN });
    if (part->column.type == WEIR_BOOLEAN)
        part->value = part->old == NULL
                          ? weir__sql_bool(r, false)
                          : weir_printf(r->call, "coalesce(%s, %s)", weir__sql_of(r, "t", part->old->name),
                                        weir__sql_bool(r, false));
    part = weir__sql_part_add(out, (weir_column){ .name = name, .type = WEIR_BOOLEAN });
    if (part->column.type != WEIR_BOOLEAN || weir__sql_part(out, "_fivetran_deleted")->value == NULL)
        return weir_fail(r->call, "Cannot %s: column '%s' is no BOOLEAN, so it cannot mark deleted rows.",
                         r->doing, part->column.type != WEIR_BOOLEAN ? name : "_fivetran_deleted");
    part->value = choose(r, active, weir__sql_bool(r, false), weir__sql_bool(r, true));
    return WEIR_OK;
}
