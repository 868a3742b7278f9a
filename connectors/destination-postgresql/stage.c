/*
 * destination-postgresql/stage: rows go by COPY into a temporary table, and from there into the target in one
 * statement.
 *
 *   weir_stage_N   c0, c1, …   the table's columns by number, in our own types
 *                  mask        updates only: a bit per column that is to be written
 *                  seq         the order of the rows
 *
 * Later rows of a file win (R-DST-05). The engine folds its rows, so a key seldom comes twice; each merge
 * first assumes that it does not, and takes the slower way when it does. Keys are compared by the server, in
 * the stored type, so by value (R-DST-07).
 */
#include <stdlib.h>

#include "destination.h"
#include "wire.h"

static bool is_staged(const target *to, size_t index, encode_shape shape)
{
    return shape != ENCODE_KEY || to->table->columns[index].key;
}

/* "c0, c1, …, mask" */
static void put_staged(text *sql, const target *to, encode_shape shape)
{
    const char *mark = "";

    for (size_t i = 0; i < to->table->column_count; i++) {
        if (!is_staged(to, i, shape))
            continue;
        text_printf(sql, "%sc%zu", mark, i);
        mark = ", ";
    }
    text_put(sql, shape == ENCODE_ROW_AND_MASK ? ", mask" : "");
}

/* The staged column `index` of the row `alias` in the type that is stored. */
static void put_value(text *sql, const target *to, const char *alias, size_t index)
{
    text_printf(sql, "%sc%zu", alias, index);
    if (to->stored[index]->oid != type_oid(&to->table->columns[index]))
        text_printf(sql, "::%s", to->stored[index]->type);
}

/* t."k1" = s.c0 AND … */
static void put_join(text *sql, const target *to)
{
    const char *mark = "";

    for (size_t i = 0; i < to->table->column_count; i++) {
        if (!to->table->columns[i].key)
            continue;
        text_printf(sql, "%st.", mark);
        text_name(sql, to->stored[i]->name);
        text_put(sql, " = ");
        put_value(sql, to, "s.", i);
        mark = " AND ";
    }
}

/* The staged key columns in their stored types, for grouping by value. */
static void put_key(text *sql, const target *to)
{
    const char *mark = "";

    for (size_t i = 0; i < to->table->column_count; i++) {
        if (!to->table->columns[i].key)
            continue;
        text_put(sql, mark);
        put_value(sql, to, "", i);
        mark = ", ";
    }
}

weir_status copy_begin(target *to, const char *sql)
{
    weir_status status = link_copy(to->call, to->link, to->doing, sql, PGRES_COPY_IN);

    return status == WEIR_OK ? copy_put(to, WIRE_SIGNATURE, WIRE_SIGNATURE_SIZE) : status;
}

weir_status copy_put(target *to, const char *data, size_t size)
{
    const size_t chunk = (size_t)1 << 20;

    while (size > 0) {
        size_t part = size < chunk ? size : chunk;

        if (!weir_running(to->call))
            return WEIR_CANCELLED;
        if (PQputCopyData(to->link, data, (int)part) != 1)
            return link_failed(to->call, to->link, NULL, to->doing);
        data += part;
        size -= part;
    }
    return WEIR_OK;
}

weir_status copy_close(target *to, bool *violation)
{
    weir_status status = WEIR_OK;
    PGresult *result;

    *violation = false;
    if (PQputCopyData(to->link, "\xFF\xFF", 2) != 1 || PQputCopyEnd(to->link, NULL) != 1)
        return link_failed(to->call, to->link, NULL, to->doing);
    result = link_finish(to->call, to->link);
    if (result == NULL)
        return WEIR_CANCELLED;
    if (strcmp(link_sqlstate(to->link, result), "23505") == 0)
        *violation = true;
    else if (PQresultStatus(result) != PGRES_COMMAND_OK)
        status = link_failed(to->call, to->link, result, to->doing);
    PQclear(result);
    return status;
}

weir_status stage_open(target *to, encode_shape shape, int number)
{
    text sql = text_new(to->call);
    weir_status status;

    text_printf(&sql, "CREATE TEMP TABLE weir_stage_%d (", number);
    for (size_t i = 0; i < to->table->column_count; i++) {
        weir_column column = to->table->columns[i];

        column.params = (weir_params){ 0 }; /* a numeric without bounds rounds nothing */
        if (is_staged(to, i, shape))
            text_printf(&sql, "c%zu %s, ", i, type_sql(to->call, &column));
    }
    text_put(&sql, shape == ENCODE_ROW_AND_MASK ? "mask bytea, " : "");
    text_put(&sql, "seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 10000)) ON COMMIT DROP");
    status = link_run(to->call, to->link, to->doing, sql.data);
    if (status != WEIR_OK)
        return status;
    sql = text_new(to->call);
    text_printf(&sql, "COPY pg_temp.weir_stage_%d (", number);
    put_staged(&sql, to, shape);
    text_put(&sql, ") FROM STDIN (FORMAT binary)");
    return copy_begin(to, sql.data);
}

/* --- merges --- */

/*
 * ` ON CONFLICT (key) DO UPDATE SET …`: the whole row; columns of ours that the request does not know become
 * NULL.
 */
static void put_conflict(text *sql, const target *to)
{
    const char *mark = "";
    text set = text_new(to->call);

    text_put(sql, " ON CONFLICT (");
    for (size_t i = 0; i < to->table->column_count; i++) {
        const char *name = to->stored[i]->name;

        if (to->table->columns[i].key) {
            text_put(sql, mark);
            text_name(sql, name);
            mark = ", ";
            continue;
        }
        text_put(&set, set.size > 0 ? ", " : "");
        text_name(&set, name);
        text_put(&set, " = excluded.");
        text_name(&set, name);
    }
    for (size_t i = 0; i < to->all.count; i++) {
        const stored_column *left = &to->all.columns[i];
        bool known = !left->ours || left->column.key;

        for (size_t j = 0; j < to->table->column_count && !known; j++)
            known = to->stored[j] == left;
        if (known)
            continue;
        text_put(&set, set.size > 0 ? ", " : "");
        text_name(&set, left->name);
        text_put(&set, " = NULL");
    }
    if (set.size > 0)
        text_printf(sql, ") DO UPDATE SET %s", set.data);
    else
        text_put(sql, ") DO NOTHING");
}

static const char *replace_sql(const target *to, int number, bool last_only)
{
    text sql = text_new(to->call);

    text_printf(&sql, "INSERT INTO %s (", to->path);
    for (size_t i = 0; i < to->table->column_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        text_name(&sql, to->stored[i]->name);
    }
    text_put(&sql, ") SELECT ");
    if (last_only) {
        text_put(&sql, "DISTINCT ON (");
        put_key(&sql, to);
        text_put(&sql, ") ");
    }
    for (size_t i = 0; i < to->table->column_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        put_value(&sql, to, "", i);
    }
    text_printf(&sql, " FROM pg_temp.weir_stage_%d", number);
    if (last_only) {
        text_put(&sql, " ORDER BY ");
        put_key(&sql, to);
        text_put(&sql, ", seq DESC");
    }
    if (to->key_count > 0)
        put_conflict(&sql, to);
    return sql.data;
}

static weir_status merge_replace(target *to, int number)
{
    PGresult *result;
    weir_status status = link_run(to->call, to->link, to->doing, "SAVEPOINT weir_merge");
    bool twice;

    if (status != WEIR_OK)
        return status;
    if (PQsendQuery(to->link, replace_sql(to, number, false)) != 1)
        return link_failed(to->call, to->link, NULL, to->doing);
    result = link_finish(to->call, to->link);
    if (result == NULL)
        return WEIR_CANCELLED;
    twice = strcmp(link_sqlstate(to->link, result), "21000") == 0; /* ON CONFLICT cannot affect a row twice */
    if (!twice && PQresultStatus(result) == PGRES_FATAL_ERROR)
        status = link_failed(to->call, to->link, result, to->doing);
    PQclear(result);
    if (status != WEIR_OK || !twice)
        return status;
    status = link_run(to->call, to->link, to->doing, "ROLLBACK TO SAVEPOINT weir_merge");
    if (status != WEIR_OK)
        return status;
    return link_run(to->call, to->link, to->doing, replace_sql(to, number, true));
}

static weir_status merge_delete(target *to, int number)
{
    text sql = text_new(to->call);

    text_printf(&sql, "DELETE FROM %s t USING pg_temp.weir_stage_%d s WHERE ", to->path, number);
    put_join(&sql, to);
    return link_run(to->call, to->link, to->doing, sql.data);
}

/* True when a key is staged more than once. */
static weir_status has_duplicates(target *to, int number, bool *out)
{
    text sql = text_new(to->call);
    PGresult *rows = NULL;
    weir_status status;

    text_printf(&sql, "SELECT 1 FROM pg_temp.weir_stage_%d GROUP BY ", number);
    put_key(&sql, to);
    text_put(&sql, " HAVING count(*) > 1 LIMIT 1");
    status = link_query(to->call, to->link, to->doing, sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    *out = PQntuples(rows) > 0;
    PQclear(rows);
    return WEIR_OK;
}

/*
 * The staged updates with one row per key: per column the last value that was set, and a mask that says
 * whether any was.
 */
static const char *folded_updates(const target *to, int number)
{
    text sql = text_new(to->call);

    text_put(&sql, "(SELECT ");
    for (size_t i = 0; i < to->table->column_count; i++) {
        if (to->table->columns[i].key) {
            text_printf(&sql, "(array_agg(c%zu))[1] AS c%zu, ", i, i);
            continue;
        }
        text_printf(&sql,
                    "(array_agg(c%zu ORDER BY seq DESC) FILTER (WHERE get_bit(mask, %zu) = 1))[1] AS c%zu, ",
                    i, i, i);
        text_printf(&sql, "coalesce(bool_or(get_bit(mask, %zu) = 1), false) AS m%zu, ", i, i);
    }
    text_printf(&sql, "1 FROM pg_temp.weir_stage_%d GROUP BY ", number);
    put_key(&sql, to);
    text_put(&sql, ")");
    return sql.data;
}

/* `"x" = s.c1`, or only where its bit is set; columns that no row sets are left out. */
static void put_assignments(text *sql, const target *to, const uint64_t *modified, uint64_t rows, bool folded)
{
    const char *mark = "";

    for (size_t i = 0; i < to->table->column_count; i++) {
        if (to->table->columns[i].key || modified[i] == 0)
            continue;
        text_put(sql, mark);
        text_name(sql, to->stored[i]->name);
        text_put(sql, " = ");
        mark = ", ";
        if (modified[i] == rows) {
            put_value(sql, to, "s.", i);
            continue;
        }
        if (folded)
            text_printf(sql, "CASE WHEN s.m%zu THEN ", i);
        else
            text_printf(sql, "CASE WHEN get_bit(s.mask, %zu) = 1 THEN ", i);
        put_value(sql, to, "s.", i);
        text_put(sql, " ELSE t.");
        text_name(sql, to->stored[i]->name);
        text_put(sql, " END");
    }
}

static weir_status merge_update(target *to, int number, const uint64_t *modified, uint64_t rows)
{
    text sql = text_new(to->call);
    bool folded = false;
    weir_status status = has_duplicates(to, number, &folded);

    if (status != WEIR_OK)
        return status;
    text_printf(&sql, "UPDATE %s t SET ", to->path);
    put_assignments(&sql, to, modified, rows, folded);
    if (sql.size == strlen("UPDATE  t SET ") + strlen(to->path))
        return WEIR_OK; /* no row sets anything */
    if (folded)
        text_printf(&sql, " FROM %s s", folded_updates(to, number));
    else
        text_printf(&sql, " FROM pg_temp.weir_stage_%d s", number);
    text_put(&sql, " WHERE ");
    put_join(&sql, to);
    return link_run(to->call, to->link, to->doing, sql.data);
}

weir_status stage_merge(target *to, weir_op op, int number, const uint64_t *modified, uint64_t rows)
{
    bool violation;
    weir_status status = copy_close(to, &violation);

    if (status != WEIR_OK)
        return status;
    if (op == WEIR_REPLACE)
        return merge_replace(to, number);
    return op == WEIR_UPDATE ? merge_update(to, number, modified, rows) : merge_delete(to, number);
}

/* --- probing --- */

#define PARAMETERS_MAX 1024

/* The key fields of the rows become parameters in binary, as they lie in the encoded rows. */
struct probe {
    Oid types[PARAMETERS_MAX];
    const char *values[PARAMETERS_MAX];
    int sizes[PARAMETERS_MAX];
    int formats[PARAMETERS_MAX];
    int count;
};

/* `("k1" = $1 AND "k2" = $2)` for the row at `row`. */
static void put_probe(text *sql, const target *to, const char *row, struct probe *probe)
{
    const char *at = row + 2;
    const char *mark = "(";

    for (size_t i = 0; i < to->table->column_count; i++) {
        uint32_t size = wire_get32(at);

        at += 4;
        if (to->table->columns[i].key) {
            probe->types[probe->count] = type_oid(&to->table->columns[i]);
            probe->values[probe->count] = size == UINT32_MAX ? NULL : at;
            probe->sizes[probe->count] = size == UINT32_MAX ? 0 : (int)size;
            probe->formats[probe->count++] = 1;
            text_put(sql, mark);
            text_name(sql, to->stored[i]->name);
            text_printf(sql, " = $%d", probe->count);
            mark = " AND ";
        }
        at += size == UINT32_MAX ? 0 : size;
    }
    text_put(sql, ")");
}

weir_status probe_keys(target *to, const char *rows, const size_t *offsets, size_t count, bool *exists)
{
    struct probe *probe = weir_alloc(to->call, sizeof *probe);
    text sql = text_new(to->call);
    weir_status status = WEIR_OK;
    PGresult *result;

    text_printf(&sql, "SELECT 1 FROM %s WHERE ", to->path);
    for (size_t i = 0; i < count && (size_t)probe->count + to->key_count <= PARAMETERS_MAX; i++) {
        text_put(&sql, i > 0 ? " OR " : "");
        put_probe(&sql, to, rows + offsets[i], probe);
    }
    text_put(&sql, " LIMIT 1");
    if (PQsendQueryParams(to->link, sql.data, probe->count, probe->types, probe->values, probe->sizes,
                          probe->formats, 0) != 1)
        return link_failed(to->call, to->link, NULL, to->doing);
    result = link_finish(to->call, to->link);
    if (result == NULL)
        return WEIR_CANCELLED;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = link_failed(to->call, to->link, result, to->doing);
    else
        *exists = PQntuples(result) > 0;
    PQclear(result);
    return status;
}
