/*
 * sql/history: the statements that apply a history batch, set-based (R-HIS-02 to R-HIS-04).
 *
 * All rows of the request are staged together, told apart by `kind`.
 *
 *     earliest   DELETE versions that start at or after a given start; UPDATE what is active: it ends 1 ms
 *                before the first given start of its key
 *     versions   replace and update rows, by start; where one leaves something out it takes the value as of
 *                its start. Stored versions that may be needed for that come first:
 *
 *                    stored bases   tier -1 ┐
 *                    replace rows   tier  0 ├→ rn by (start, tier, seq) within the own key → values carried
 *                    update rows    tier  1 ┘                                                  → upsert
 *
 *                A row before the first whole row of its key is an operation on a row that never was; of rows
 *                with one start the last counts.
 *     delete     UPDATE the version with the greatest start up to the row's `_fivetran_end`; of several ends
 *                for one version the first counts
 */
#include <inttypes.h>
#include <string.h>

#include "sql/sql_internal.h"

/* The columns of R-HIS-01: stored, and in the stage. */
typedef struct history {
    const weir_sql_merge *m;
    const weir_sql_column *start;
    const weir_sql_column *end;
    const weir_sql_column *active;
    const char *staged_start; /* "c4" */
    const char *staged_end;
    const char *fine_start; /* "n4"; NULL without */
    const char *fine_end;
    bool lacking; /* update rows leave columns out that the request lacks */
} history;

bool weir__sql_is_history(const weir_sql_table *table)
{
    const weir_sql_column *start = weir_sql_find(table, "_fivetran_start");
    bool own = false;

    for (size_t i = 0; i < table->count; i++)
        own = own || (table->columns[i].column.key && &table->columns[i] != start);
    return own && start != NULL && start->column.key && weir_sql_find(table, "_fivetran_end") != NULL &&
           weir_sql_find(table, "_fivetran_active") != NULL;
}

static size_t request_index(const weir_sql_merge *m, const weir_sql_column *column)
{
    size_t i = 0;

    while (m->target->into[i] != column)
        i++;
    return i;
}

static void staged_names(const weir_sql_merge *m, const weir_sql_column *column, const char **value,
                         const char **fine)
{
    size_t index = request_index(m, column);

    *value = weir_printf(m->r.call, "c%zu", index);
    *fine = column->fine != NULL ? weir_printf(m->r.call, "n%zu", index) : NULL;
}

/* One value that compares: starts and ends are compared with each other, so all are made alike. */
static const char *instant(const history *h, const char *value, const char *fine)
{
    if (h->start->fine == NULL && h->end->fine == NULL)
        return value;
    return weir__sql_fill(h->m->r.call, h->m->r.sql->instant_format, value, fine != NULL ? fine : "0");
}

static const char *stored_instant(const history *h, const char *alias, const weir_sql_column *column)
{
    const weir_sql_request *r = &h->m->r;

    return instant(h, weir__sql_of(r, alias, column->name),
                   column->fine != NULL ? weir__sql_of(r, alias, column->fine) : NULL);
}

static const char *staged_instant(const history *h, const char *alias, bool end)
{
    weir_call *call = h->m->r.call;
    const char *fine = end ? h->fine_end : h->fine_start;

    return instant(h, weir_printf(call, "%s.%s", alias, end ? h->staged_end : h->staged_start),
                   fine != NULL ? weir_printf(call, "%s.%s", alias, fine) : NULL);
}

/* "s.c4, s.n4" */
static void put_time(weir_sql_text *out, const char *alias, const char *value, const char *fine,
                     const char *direction)
{
    weir_sql_printf(out, "%s.%s%s", alias, value, direction);
    if (fine != NULL)
        weir_sql_printf(out, ", %s.%s%s", alias, fine, direction);
}

/* y."k" = s.c0 AND …: the own key. */
static void put_own_match(weir_sql_text *out, const weir_sql_merge *m, const char *stored, const char *staged)
{
    const char *glue = "";

    for (size_t i = 0; i < m->count; i++) {
        if (!m->fields[i].own)
            continue;
        weir_sql_printf(out, "%s%s.%s = %s.%s", glue, stored, m->fields[i].name, staged, m->fields[i].staged);
        glue = " AND ";
    }
}

/* The greatest start of the row's own key that is not after its start, or its end: (SELECT max(…) …). */
static void put_base(weir_sql_text *out, const history *h, bool end)
{
    weir_sql_printf(out, "(SELECT max(%s) FROM %s AS y WHERE ", stored_instant(h, "y", h->start),
                    h->m->target->stored->path);
    put_own_match(out, h->m, "y", "s");
    weir_sql_printf(out, " AND %s <= %s)", stored_instant(h, "y", h->start), staged_instant(h, "s", end));
}

/* --- R-HIS-02 --- */

static void delete_overlaps(const history *h, weir_sql_script *out)
{
    const weir_sql_merge *m = h->m;
    weir_sql_text match = weir_sql_text_new(m->r.call);

    weir_sql_printf(&match, "s.kind = %d AND ", WEIR_EARLIEST);
    put_own_match(&match, m, "t", "s");
    weir_sql_printf(&match, " AND %s >= %s", stored_instant(h, "t", h->start), staged_instant(h, "s", false));
    weir__sql_script_add(m, out, weir__sql_delete_from(m, m->stage->relation, match.data));
}

/* The row of one kind with the first time of its group: (SELECT * FROM (…) WHERE back = 1). */
static const char *first_of(const history *h, const char *columns, const char *group, const char *order,
                            const char *from)
{
    return weir_printf(h->m->r.call,
                       "(SELECT * FROM (SELECT %s, row_number() OVER (PARTITION BY %s ORDER BY %s) AS back "
                       "FROM %s) AS d WHERE d.back = 1)",
                       columns, group, order, from);
}

static void put_closed(weir_sql_text *set, const history *h, const char *end, const char *fine)
{
    const weir_sql_request *r = &h->m->r;
    const char *target = r->sql->update == WEIR_SQL_UPDATE_JOIN ? "t." : "";

    weir_sql_printf(set, "%s%s = %s, %s%s = %s", target, weir_sql_quoted(r->call, r->sql, h->active->name),
                    weir__sql_bool(r, false), target, weir_sql_quoted(r->call, r->sql, h->end->name), end);
    if (h->end->fine != NULL)
        weir_sql_printf(set, ", %s%s = %s", target, weir_sql_quoted(r->call, r->sql, h->end->fine),
                        fine != NULL ? fine : "0");
}

static void close_active(const history *h, weir_sql_script *out)
{
    const weir_sql_merge *m = h->m;
    weir_call *call = m->r.call;
    weir_sql_text columns = weir_sql_text_new(call), group = weir_sql_text_new(call);
    weir_sql_text order = weir_sql_text_new(call), match = weir_sql_text_new(call);
    weir_sql_text set = weir_sql_text_new(call);
    const char *source;

    weir__sql_put_staged(&group, m, "s", weir__sql_is_own);
    put_time(&order, "s", h->staged_start, h->fine_start, "");
    weir_sql_printf(&columns, "%s, %s", group.data, order.data);
    source = first_of(h, columns.data, group.data, order.data,
                      weir_printf(call, "%s AS s WHERE s.kind = %d", m->stage->relation, WEIR_EARLIEST));
    put_closed(&set, h,
               weir__sql_fill(call, m->r.sql->before_format, weir_printf(call, "s.%s", h->staged_start), ""),
               h->fine_start != NULL ? weir_printf(call, "s.%s", h->fine_start) : NULL);
    put_own_match(&match, m, "t", "s");
    weir_sql_printf(&match, " AND %s = %s", weir__sql_of(&m->r, "t", h->active->name),
                    weir__sql_bool(&m->r, true));
    weir__sql_script_add(m, out, weir__sql_update_from(m, set.data, source, match.data));
}

/* --- R-HIS-03 --- */

static bool any_carried(const history *h)
{
    for (size_t i = 0; i < h->m->asked; i++)
        if (h->m->fields[i].carried)
            return true;
    return h->lacking;
}

/* Versions that all are whole: of those with one start the last, an update over a replace row. */
static const char *whole_versions(const history *h)
{
    const weir_sql_merge *m = h->m;
    weir_sql_text key = weir_sql_text_new(m->r.call);

    if (!m->doubled)
        return weir_printf(m->r.call, "(SELECT s.* FROM %s AS s WHERE s.kind IN (%d, %d))",
                           m->stage->relation, WEIR_REPLACE, WEIR_UPDATE);
    weir__sql_put_staged(&key, m, "s", weir__sql_is_key);
    return first_of(h, "s.*", key.data, "s.kind DESC, s.seq DESC",
                    weir_printf(m->r.call, "%s AS s WHERE s.kind IN (%d, %d)", m->stage->relation,
                                WEIR_REPLACE, WEIR_UPDATE));
}

static size_t word_count(const weir_sql_merge *m)
{
    return (m->target->table->column_count + WEIR_SQL_MASK_BITS - 1) / WEIR_SQL_MASK_BITS;
}

/* The row of `alias` leaves nothing out; `kind` is the column that tells replace rows from update rows. */
static void put_whole(weir_sql_text *out, const history *h, const char *alias, const char *kind)
{
    size_t columns = h->m->target->table->column_count;
    const char *glue = "";

    if (h->lacking) {
        weir_sql_printf(out, "%s.%s = %d", alias, kind, WEIR_REPLACE);
        glue = " AND ";
    }
    for (size_t word = 0; word < columns; word += WEIR_SQL_MASK_BITS) {
        size_t bits = columns - word < WEIR_SQL_MASK_BITS ? columns - word : WEIR_SQL_MASK_BITS;

        weir_sql_printf(out, "%s%s.m%zu = %" PRIu64, glue, alias, word, (UINT64_C(1) << bits) - 1);
        glue = " AND ";
    }
}

static bool in_chunk(const weir_sql_merge *m, size_t index, size_t from, size_t to)
{
    return m->fields[index].key || (index >= from && index < to);
}

/* Stored versions that a row of the request may take values from. */
static void put_bases(weir_sql_text *out, const history *h, size_t from, size_t to)
{
    const weir_sql_merge *m = h->m;
    const char *glue = "SELECT ";

    for (size_t i = 0; i < m->count; i++) {
        if (!in_chunk(m, i, from, to))
            continue;
        weir_sql_printf(out, "%sb.%s AS %s", glue, m->fields[i].name, m->fields[i].staged);
        glue = ", ";
    }
    for (size_t word = 0; word < word_count(m); word++)
        weir_sql_printf(out, ", -1 AS m%zu", word * WEIR_SQL_MASK_BITS);
    weir_sql_printf(out, ", -1 AS tier, 0 AS seq FROM %s AS b JOIN (SELECT DISTINCT ",
                    m->target->stored->path);
    weir__sql_put_staged(out, m, "s", weir__sql_is_own);
    weir_sql_put(out, ", ");
    put_base(out, h, false);
    weir_sql_printf(out, " AS base FROM %s AS s WHERE s.kind IN (%d, %d) AND NOT (", m->stage->relation,
                    WEIR_REPLACE, WEIR_UPDATE);
    put_whole(out, h, "s", "kind");
    weir_sql_put(out, ")) AS q ON ");
    put_own_match(out, m, "b", "q");
    weir_sql_printf(out, " AND %s = q.base UNION ALL ", stored_instant(h, "b", h->start));
}

static void put_arrivals(weir_sql_text *out, const history *h, size_t from, size_t to)
{
    const weir_sql_merge *m = h->m;
    const char *glue = "SELECT ";

    for (size_t i = 0; i < m->count; i++) {
        if (!in_chunk(m, i, from, to))
            continue;
        if (i < m->asked)
            weir_sql_printf(out, "%ss.%s", glue, m->fields[i].staged);
        else
            weir_sql_printf(out, "%sNULL AS %s", glue, m->fields[i].staged);
        glue = ", ";
    }
    for (size_t word = 0; word < word_count(m); word++)
        weir_sql_printf(out, ", s.m%zu", word * WEIR_SQL_MASK_BITS);
    weir_sql_printf(out, ", s.kind AS tier, s.seq FROM %s AS s WHERE s.kind IN (%d, %d)", m->stage->relation,
                    WEIR_REPLACE, WEIR_UPDATE);
}

/* Bases and arrivals by start within their own key, and the rows that carried values come from. */
static const char *numbered(const history *h, size_t from, size_t to)
{
    const weir_sql_merge *m = h->m;
    weir_sql_text out = weir_sql_text_new(m->r.call);

    weir_sql_put(&out, "SELECT o.*, max(CASE WHEN o.tier < 0 OR (");
    put_whole(&out, h, "o", "tier");
    weir_sql_put(&out, ") THEN 1 ELSE 0 END) OVER w AS ground");
    for (size_t i = from; i < to; i++) {
        if (!m->fields[i].carried)
            continue;
        weir_sql_put(&out, ", max(CASE WHEN ");
        if (i < m->asked)
            weir__sql_put_modified(&out, "o", m->fields[i].index);
        else
            weir_sql_printf(&out, "o.tier <= %d", WEIR_REPLACE);
        weir_sql_printf(&out, " THEN o.rn END) OVER w AS p%zu", i);
    }
    weir_sql_put(&out, " FROM (SELECT a.*, row_number() OVER (PARTITION BY ");
    weir__sql_put_staged(&out, m, "a", weir__sql_is_own);
    weir_sql_put(&out, " ORDER BY ");
    put_time(&out, "a", h->staged_start, h->fine_start, "");
    weir_sql_put(&out, ", a.tier, a.seq) AS rn, row_number() OVER (PARTITION BY ");
    weir__sql_put_staged(&out, m, "a", weir__sql_is_key);
    weir_sql_put(&out, " ORDER BY a.tier DESC, a.seq DESC) AS back FROM (");
    if (!m->stage->empty)
        put_bases(&out, h, from, to);
    put_arrivals(&out, h, from, to);
    weir_sql_put(&out, ") AS a) AS o WINDOW w AS (PARTITION BY ");
    weir__sql_put_staged(&out, m, "o", weir__sql_is_own);
    weir_sql_put(&out, " ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)");
    return out.data;
}

/* The versions as they will be, of the columns of a chunk and the key. */
static const char *carried_versions(const history *h, size_t from, size_t to)
{
    const weir_sql_merge *m = h->m;
    weir_sql_text out = weir_sql_text_new(m->r.call), also = weir_sql_text_new(m->r.call);

    weir_sql_put(&also, "g.tier, g.back, g.ground");
    for (size_t i = 0; i < m->count; i++)
        if (m->fields[i].key && (i < from || i >= to))
            weir_sql_printf(&also, ", g.%s", m->fields[i].staged);
    weir_sql_put(&out, "SELECT * FROM (");
    weir__sql_put_carried(&out, m, from, to, numbered(h, from, to), also.data);
    weir_sql_put(&out, ") AS f WHERE f.tier >= 0 AND f.back = 1 AND f.ground = 1");
    return out.data;
}

/* Fields that versions are made of: in a table without rows, columns that the request lacks have none. */
static size_t field_count(const weir_sql_merge *m)
{
    return m->stage->empty ? m->asked : m->count;
}

static const char *chunk_path(const history *h, size_t chunk)
{
    const weir_sql_merge *m = h->m;

    return weir__sql_temporary_path(m->r.call, m->r.sql,
                                    weir_printf(m->r.call, "_weir_versions_%u_%zu", m->stage->number, chunk));
}

static void drop_chunk(const history *h, size_t chunk, weir_sql_script *out)
{
    const weir_sql *sql = h->m->r.sql;

    weir__sql_script_add(
        h->m, out,
        weir__sql_fill(h->m->r.call,
                       sql->temporary_drop != NULL ? sql->temporary_drop : "DROP TABLE IF EXISTS %s",
                       chunk_path(h, chunk), ""));
}

/* CREATE TEMP TABLE … AS, of every chunk; the number of chunks in *count. */
static const char *keep_chunks(const history *h, weir_sql_script *out, size_t *count)
{
    const weir_sql_merge *m = h->m;
    weir_sql_text columns = weir_sql_text_new(m->r.call), joins = weir_sql_text_new(m->r.call);
    const char *create = m->r.sql->temporary != NULL ? m->r.sql->temporary : "CREATE TEMP TABLE %s";

    *count = 0;
    for (size_t from = 0, to; from < field_count(m); from = to, ++*count) {
        const char *name = weir_printf(m->r.call, "_weir_versions_%u_%zu", m->stage->number, *count);

        to = weir__sql_part_end(m, from, field_count(m));
        drop_chunk(h, *count, out);
        weir__sql_script_add(
            m, out,
            weir_printf(m->r.call, "%s AS %s",
                        weir__sql_fill(m->r.call, create, weir_sql_quoted(m->r.call, m->r.sql, name), ""),
                        carried_versions(h, from, to)));
        for (size_t i = from; i < to; i++)
            weir_sql_printf(&columns, "%sv%zu.%s", columns.size > 0 ? ", " : "", *count, m->fields[i].staged);
        weir_sql_printf(&joins, "%s%s AS v%zu", *count > 0 ? " JOIN " : "", chunk_path(h, *count), *count);
        for (size_t i = 0, keys = 0; *count > 0 && i < m->count; i++)
            if (m->fields[i].key)
                weir_sql_printf(&joins, "%sv0.%s = v%zu.%s", keys++ > 0 ? " AND " : " ON ",
                                m->fields[i].staged, *count, m->fields[i].staged);
    }
    return weir_printf(m->r.call, "(SELECT %s FROM %s)", columns.data, joins.data);
}

static void put_versions(const history *h, weir_sql_script *out)
{
    const weir_sql_merge *m = h->m;
    size_t chunks = 0;
    const char *source;

    if (!any_carried(h)) {
        weir__sql_upsert(m, whole_versions(h), false, out);
        return;
    }
    /* What two statements read must not change in between. */
    if (weir__sql_part_end(m, 0, field_count(m)) == field_count(m) &&
        (m->stage->empty || m->r.sql->upsert != WEIR_SQL_DELETE_INSERT))
        source = weir_printf(m->r.call, "(%s)", carried_versions(h, 0, field_count(m)));
    else
        source = keep_chunks(h, out, &chunks);
    weir__sql_upsert(m, source, !m->stage->empty, out);
    for (size_t i = 0; i < chunks; i++)
        drop_chunk(h, i, out);
}

/* --- R-HIS-04 --- */

static void close_deleted(const history *h, weir_sql_script *out)
{
    const weir_sql_merge *m = h->m;
    weir_call *call = m->r.call;
    weir_sql_text rows = weir_sql_text_new(call), columns = weir_sql_text_new(call);
    weir_sql_text group = weir_sql_text_new(call), order = weir_sql_text_new(call);
    weir_sql_text match = weir_sql_text_new(call), set = weir_sql_text_new(call);
    const char *source;

    weir__sql_put_staged(&rows, m, "s", weir__sql_is_own);
    weir_sql_put(&rows, ", ");
    put_time(&rows, "s", h->staged_end, h->fine_end, "");
    weir_sql_put(&rows, ", ");
    put_base(&rows, h, true);
    weir__sql_put_staged(&group, m, "q", weir__sql_is_own);
    put_time(&order, "q", h->staged_end, h->fine_end, "");
    weir_sql_printf(&columns, "%s, %s, q.base", group.data, order.data);
    source = first_of(h, columns.data, weir_printf(call, "%s, q.base", group.data), order.data,
                      weir_printf(call, "(SELECT %s AS base FROM %s AS s WHERE s.kind = %d) AS q", rows.data,
                                  m->stage->relation, WEIR_DELETE));
    put_closed(&set, h, weir_printf(call, "s.%s", h->staged_end),
               h->fine_end != NULL ? weir_printf(call, "s.%s", h->fine_end) : NULL);
    put_own_match(&match, m, "t", "s");
    weir_sql_printf(&match, " AND %s = s.base AND (%s = %s OR %s > %s)", stored_instant(h, "t", h->start),
                    weir__sql_of(&m->r, "t", h->active->name), weir__sql_bool(&m->r, true),
                    stored_instant(h, "t", h->end), staged_instant(h, "s", true));
    weir__sql_script_add(m, out, weir__sql_update_from(m, set.data, source, match.data));
}

void weir__sql_merge_history(const weir_sql_merge *m, const weir_sql_versions *has, weir_sql_script *out)
{
    const weir_sql_table *stored = m->target->stored;
    history h = { .m = m,
                  .start = weir_sql_find(stored, "_fivetran_start"),
                  .end = weir_sql_find(stored, "_fivetran_end"),
                  .active = weir_sql_find(stored, "_fivetran_active"),
                  .lacking = m->count > m->asked && has->update > 0 };

    staged_names(m, h.start, &h.staged_start, &h.fine_start);
    staged_names(m, h.end, &h.staged_end, &h.fine_end);
    if (has->earliest > 0 && !m->stage->empty) {
        delete_overlaps(&h, out);
        close_active(&h, out);
    }
    if (has->replace + has->update > 0)
        put_versions(&h, out);
    if (has->remove > 0)
        close_deleted(&h, out);
}
