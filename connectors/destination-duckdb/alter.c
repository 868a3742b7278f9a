/*
 * destination-duckdb/alter: brings a stored table to the wanted shape in one transaction (R-DST-03).
 *
 * DuckDB adds, drops and converts columns in place, and its transactions include the schema: a kill at any
 * statement leaves the old table. Keys are only a mark in a comment; a new key is checked against the rows
 * first.
 */
#include "table.h"

#include <strings.h>

/* A change of shape under way. */
typedef struct change {
    weir_call *call;
    const weir_table *wanted;
    const weir_changes *changes;
    const char *doing;
    stored_table stored;
} change;

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML;
}

static bool has_clock(weir_type type)
{
    return type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME || type == WEIR_NAIVE_TIME;
}

static void put_alter(const change *c, text *sql, const char *what, const char *column)
{
    text_put(sql, "ALTER TABLE ");
    store_put_path(c->call, sql, c->wanted->schema, c->wanted->name);
    text_printf(sql, " %s ", what);
    text_name(sql, column);
}

static weir_status drop_column(const change *c, const char *name)
{
    text sql = text_new(c->call);

    put_alter(c, &sql, "DROP COLUMN", name);
    return store_run(c->call, sql.data, c->doing);
}

static weir_status add_column(const change *c, const weir_column *column)
{
    text sql = text_new(c->call);

    put_alter(c, &sql, "ADD COLUMN", column->name);
    text_printf(&sql, " %s", table_declared(c->call, column));
    return store_run(c->call, sql.data, c->doing);
}

/* The text of a stored value as batch files would have it (R-BAT-08). */
static void put_text_of(text *sql, const stored_column *old, const char *name, const char *nanos)
{
    switch (old->column.type) {
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        text_printf(sql,
                    "CASE WHEN isnan(%s) THEN 'NaN' WHEN isinf(%s) THEN if(%s > 0, 'Infinity', '-Infinity') "
                    "ELSE CAST(%s AS VARCHAR) END",
                    name, name, name, name);
        return;
    case WEIR_BINARY:
        text_printf(sql, "to_base64(%s)", name);
        return;
    case WEIR_NAIVE_TIME:
        if (nanos)
            text_printf(sql,
                        "strftime(TIMESTAMP '1970-01-01' + to_microseconds(epoch_us(%s)), '%%H:%%M:%%S.%%f')",
                        name);
        else
            text_printf(sql, "CAST(%s AS VARCHAR)", name);
        break;
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        /* By way of the plain number: no session's time zone has a say. */
        if (nanos)
            text_printf(sql, "strftime(make_timestamp(epoch_us(%s)), '%%Y-%%m-%%dT%%H:%%M:%%S.%%f')", name);
        else
            text_printf(sql, "replace(CAST(make_timestamp(epoch_us(%s)) AS VARCHAR), ' ', 'T')", name);
        break;
    default:
        text_printf(sql, "CAST(%s AS VARCHAR)", name);
        return;
    }
    if (nanos)
        text_printf(sql, " || lpad(CAST(%s AS VARCHAR), 3, '0')", nanos);
    if (old->column.type == WEIR_UTC_DATETIME)
        text_put(sql, " || 'Z'");
}

/* The value in the new type; NULL where it has no place there, which check_values has made sure of. */
static void put_conversion(const change *c, text *sql, const stored_column *old, const weir_column *now)
{
    const stored_column *companion = table_companion(&c->stored, old->name);
    text name = text_new(c->call), nanos = text_new(c->call);

    text_name(&name, old->name);
    if (companion)
        text_name(&nanos, companion->name);
    if (is_text(now->type) && !is_text(old->column.type))
        put_text_of(sql, old, name.data, companion ? nanos.data : NULL);
    else if (now->type == WEIR_BINARY && is_text(old->column.type))
        text_printf(sql, "TRY(from_base64(%s))", name.data);
    else
        text_printf(sql, "TRY_CAST(%s AS %s)", name.data, table_declared(c->call, now));
}

/*
 * Looks for a value that has no exact place in the new type: DuckDB's casts check ranges but round digits
 * away. A check of its own, for the conversion in place also meets rows that are deleted already, and an
 * error there would end the transaction.
 */
static weir_status check_values(const change *c, const stored_column *old, const weir_column *now)
{
    text sql = text_new(c->call), name = text_new(c->call);
    bool clocks = has_clock(old->column.type) &&
                  (now->type == WEIR_NAIVE_DATETIME || now->type == WEIR_UTC_DATETIME);
    bool found = false;
    weir_status status;

    if (is_text(now->type))
        return WEIR_OK;
    text_name(&name, old->name);
    text_put(&sql, "SELECT 'x' FROM ");
    store_put_path(c->call, &sql, c->wanted->schema, c->wanted->name);
    text_printf(&sql, " WHERE %s IS NOT NULL AND ", name.data);
    if (is_text(old->column.type) || clocks) {
        put_conversion(c, &sql, old, now);
        text_put(&sql, " IS NULL");
    } else {
        text_put(&sql, "TRY_CAST(");
        put_conversion(c, &sql, old, now);
        text_printf(&sql, " AS %s) IS DISTINCT FROM %s", old->declared, name.data);
    }
    text_put(&sql, " LIMIT 1");
    status = store_has_row(c->call, sql.data, c->doing, &found);
    if (status == WEIR_OK && found)
        status = weir_task(
            c->call,
            "Cannot %s: a stored value of column '%s' has no exact place in the type %s. Drop or correct "
            "such values, or re-sync the table.",
            c->doing, now->name, table_declared(c->call, now));
    return status;
}

/* True when DuckDB keeps both the same way and nothing needs to be converted. */
static bool same_store(weir_call *call, const stored_column *old, const weir_column *now)
{
    return strcmp(old->declared, table_declared(call, now)) == 0;
}

static weir_status change_type(const change *c, const weir_column *now)
{
    const stored_column *old = table_stored_column(&c->stored, now->name);
    const stored_column *companion = table_companion(&c->stored, now->name);
    text sql = text_new(c->call);
    weir_status status;

    if (old == NULL || same_store(c->call, old, now))
        return WEIR_OK;
    status = check_values(c, old, now);
    if (status)
        return status;
    put_alter(c, &sql, "ALTER COLUMN", now->name);
    text_printf(&sql, " TYPE %s USING ", table_declared(c->call, now));
    put_conversion(c, &sql, old, now);
    status = store_run(c->call, sql.data, c->doing);
    if (status)
        return status;
    if (companion && !has_clock(now->type))
        return drop_column(c, companion->name);
    return WEIR_OK;
}

/* Rows that the new key cannot tell apart are for a person to sort out. */
static weir_status check_new_key(const change *c)
{
    text sql = text_new(c->call), keys = text_new(c->call);
    size_t count = 0;
    bool doubled = false;
    weir_status status;

    for (size_t i = 0; i < c->wanted->column_count; i++) {
        const weir_column *column = &c->wanted->columns[i];
        const stored_column *companion = table_companion(&c->stored, column->name);

        if (!column->key)
            continue;
        text_put(&keys, count++ ? ", " : "");
        text_name(&keys, column->name);
        if (companion && has_clock(column->type)) {
            text_put(&keys, ", ");
            text_name(&keys, companion->name);
        }
    }
    if (count == 0)
        return WEIR_OK;
    text_printf(&sql, "SELECT 'x' FROM (SELECT count(*) AS rows FROM ");
    store_put_path(c->call, &sql, c->wanted->schema, c->wanted->name);
    text_printf(&sql, " GROUP BY %s) WHERE rows > 1 LIMIT 1", keys.data);
    status = store_has_row(c->call, sql.data, c->doing, &doubled);
    if (status == WEIR_OK && doubled)
        status = weir_task(
            c->call,
            "Cannot %s: rows of the table have the same values in the columns of the new key. Choose a "
            "key that tells all rows apart, or re-sync the table.",
            c->doing);
    return status;
}

/* DuckDB compares names without regard to case (R-DST-08: then a clear error). */
static weir_status check_case(const change *c, const weir_column *added)
{
    for (size_t i = 0; i < c->stored.count; i++)
        if (strcasecmp(c->stored.columns[i].name, added->name) == 0)
            return weir_task(
                c->call,
                "Cannot %s: DuckDB cannot tell the columns '%s' and '%s' apart; their names differ in case "
                "only. Deselect one of them.",
                c->doing, c->stored.columns[i].name, added->name);
    return WEIR_OK;
}

static weir_status apply_one(const change *c, const weir_change *at)
{
    const stored_column *companion;
    weir_status status;

    switch (at->kind) {
    case WEIR_ADD_COLUMN:
        status = check_case(c, at->column);
        return status ? status : add_column(c, at->column);
    case WEIR_CHANGE_TYPE:
        return change_type(c, at->column);
    case WEIR_DROP_COLUMN:
        companion = table_companion(&c->stored, at->old->name);
        status = companion ? drop_column(c, companion->name) : WEIR_OK;
        return status ? status : drop_column(c, at->old->name);
    case WEIR_KEEP_COLUMN:
    case WEIR_CHANGE_KEY:
        break;
    }
    return WEIR_OK;
}

static bool has_change(const change *c, weir_change_kind kind)
{
    for (size_t i = 0; i < c->changes->count; i++)
        if (c->changes->items[i].kind == kind)
            return true;
    return false;
}

/*
 * Comments say what every column means now; columns that the request leaves out lose their part in the key.
 */
static weir_status write_comments(const change *c)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < c->wanted->column_count; i++) {
        const weir_column *now = &c->wanted->columns[i];
        const stored_column *old = table_stored_column(&c->stored, now->name);

        if (old == NULL || old->column.type != now->type || old->column.key != now->key ||
            memcmp(&old->column.params, &now->params, sizeof now->params) != 0)
            status = table_comment(c->call, c->wanted, now, c->doing);
    }
    for (size_t i = 0; status == WEIR_OK && i < c->changes->count; i++) {
        const weir_change *at = &c->changes->items[i];
        weir_column kept;

        if (at->kind != WEIR_KEEP_COLUMN || !at->old->key)
            continue;
        kept = *at->old;
        kept.key = false;
        status = table_comment(c->call, c->wanted, &kept, c->doing);
    }
    return status;
}

static weir_status apply(change *c)
{
    /* Columns that make room go first: one may come back under another type. */
    static const weir_change_kind order[] = { WEIR_DROP_COLUMN, WEIR_CHANGE_TYPE, WEIR_ADD_COLUMN };
    weir_status status = table_read(c->call, c->wanted->schema, c->wanted->name, &c->stored);

    if (status == WEIR_NOT_FOUND)
        return weir_fail(c->call, "Cannot %s: there is no such table.", c->doing);
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; status == WEIR_OK && i < c->changes->count; i++)
            if (c->changes->items[i].kind == order[k])
                status = apply_one(c, &c->changes->items[i]);
    if (status == WEIR_OK && has_change(c, WEIR_CHANGE_KEY))
        status = check_new_key(c);
    return status ? status : write_comments(c);
}

weir_status table_alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    change c = {
        .call = call,
        .wanted = table,
        .changes = changes,
        .doing = table_doing(call, "alter table", table->schema, table->name),
    };
    weir_status status = store_begin(call, table_doing(call, "", table->schema, table->name));

    return status ? status : store_end(call, apply(&c));
}
