/*
 * sql/merge: the statements that apply a stage of one kind of rows to the table, set-based (R-DST-05).
 *
 *     replace   INSERT … ON CONFLICT, or what the store has for it; of rows with one key the last
 *     update    UPDATE … FROM; of rows with one key the last value that any of them sets, by column
 *     delete    DELETE … USING
 *
 * Values are carried from row to row without a look at what they are: row numbers within the key, then per
 * column the greatest number up to here whose row sets the column (pN), then nth_value(column, pN). The same
 * words fold updates and give history its as-of values (history.c).
 */
#include <inttypes.h>
#include <string.h>

#include "sql/sql_internal.h"

/* --- fields --- */

static const weir_sql_column *lacking(const weir_sql_target *target, size_t *at)
{
    const weir_sql_table *stored = target->stored;

    for (; *at < stored->count; ++*at) {
        bool asked = false;

        for (size_t i = 0; i < target->table->column_count && !asked; i++)
            asked = target->into[i] == &stored->columns[*at];
        if (!asked)
            return &stored->columns[(*at)++];
    }
    return NULL;
}

static void add_field(weir_sql_merge *m, weir_sql_field *fields, const weir_sql_column *column, size_t index,
                      char part)
{
    const weir_sql_request *r = &m->r;
    bool asked = index != SIZE_MAX;

    fields[m->count] = (weir_sql_field){
        .name = weir_sql_quoted(r->call, r->sql, part == 'n' ? column->fine : column->name),
        .staged = weir_printf(r->call, "%c%zu", asked ? part : 'x', asked ? index : m->count),
        .index = index,
        .foreign = !column->remembered,
        .key = column->column.key,
        .own = column->column.key && strcmp(column->column.name, "_fivetran_start") != 0,
        .carried = !asked || (!column->column.key && m->modified[index] < m->rows),
    };
    m->count++;
}

void weir__sql_merge_fields(weir_sql_merge *m)
{
    const weir_sql_target *target = m->target;
    weir_sql_field *fields = weir_alloc(m->r.call, (target->stored->count * 2 + 1) * sizeof *fields);
    const weir_sql_column *column;
    size_t at = 0;

    m->fields = fields;
    m->count = 0;
    for (size_t i = 0; i < target->table->column_count; i++) {
        add_field(m, fields, target->into[i], i, 'c');
        if (target->into[i]->fine != NULL)
            add_field(m, fields, target->into[i], i, 'n');
    }
    m->asked = m->count;
    while ((column = lacking(target, &at)) != NULL) {
        add_field(m, fields, column, SIZE_MAX, 'c');
        if (column->fine != NULL)
            add_field(m, fields, column, SIZE_MAX, 'n');
    }
}

bool weir__sql_is_key(const weir_sql_field *field)
{
    return field->key;
}

bool weir__sql_is_own(const weir_sql_field *field)
{
    return field->own;
}

static bool has_key(const weir_sql_merge *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->fields[i].key)
            return true;
    return false;
}

/* --- pieces --- */

void weir__sql_script_add(const weir_sql_merge *m, weir_sql_script *script, const char *sql)
{
    const char **items = weir_alloc(m->r.call, (script->count + 1) * sizeof *items);

    if (script->count > 0)
        memcpy(items, script->items, script->count * sizeof *items);
    items[script->count++] = sql;
    script->items = items;
}

void weir__sql_put_modified(weir_sql_text *out, const char *alias, size_t index)
{
    size_t word = index / WEIR_SQL_MASK_BITS * WEIR_SQL_MASK_BITS;

    weir_sql_printf(out, "(%s.m%zu & %" PRIu64 ") <> 0", alias, word, UINT64_C(1) << (index - word));
}

void weir__sql_put_staged(weir_sql_text *out, const weir_sql_merge *m, const char *alias,
                          weir_sql_choice wanted)
{
    const char *glue = "";

    for (size_t i = 0; i < m->count; i++) {
        if (wanted != NULL && !wanted(&m->fields[i]))
            continue;
        weir_sql_printf(out, "%s%s.%s", glue, alias, m->fields[i].staged);
        glue = ", ";
    }
}

void weir__sql_put_match(weir_sql_text *out, const weir_sql_merge *m, weir_sql_choice wanted)
{
    const char *glue = "";

    for (size_t i = 0; i < m->count; i++) {
        if (!wanted(&m->fields[i]))
            continue;
        weir_sql_printf(out, "%st.%s = s.%s", glue, m->fields[i].name, m->fields[i].staged);
        glue = " AND ";
    }
}

const char *weir__sql_update_from(const weir_sql_merge *m, const char *set, const char *source,
                                  const char *where)
{
    const char *path = m->target->stored->path;

    if (m->r.sql->update == WEIR_SQL_UPDATE_JOIN)
        return weir_printf(m->r.call, "UPDATE %s AS t JOIN %s AS s ON %s SET %s", path, source, where, set);
    return weir_printf(m->r.call, "UPDATE %s AS t SET %s FROM %s AS s WHERE %s", path, set, source, where);
}

const char *weir__sql_delete_from(const weir_sql_merge *m, const char *source, const char *where)
{
    const char *path = m->target->stored->path;
    weir_sql_text names = weir_sql_text_new(m->r.call), keys = weir_sql_text_new(m->r.call);

    if (m->r.sql->remove == WEIR_SQL_DELETE_USING)
        return weir_printf(m->r.call, "DELETE FROM %s AS t USING %s AS s WHERE %s", path, source, where);
    if (m->r.sql->remove == WEIR_SQL_DELETE_JOIN)
        return weir_printf(m->r.call, "DELETE t FROM %s AS t JOIN %s AS s ON %s", path, source, where);
    for (size_t i = 0; i < m->count; i++) {
        if (!m->fields[i].key)
            continue;
        weir_sql_printf(&names, "%s%s", names.size > 0 ? ", " : "", m->fields[i].name);
        weir_sql_printf(&keys, "%st.%s", keys.size > 0 ? ", " : "", m->fields[i].name);
    }
    return weir_printf(m->r.call, "DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s AS s JOIN %s AS t ON %s)",
                       path, names.data, keys.data, source, path, where);
}

/* --- insert, or replace what is there --- */

/* INSERT INTO table (…) SELECT … FROM source; columns that the request lacks only where they are carried. */
static const char *insert_sql(const weir_sql_merge *m, const char *source, bool lacking_too)
{
    weir_sql_text names = weir_sql_text_new(m->r.call), values = weir_sql_text_new(m->r.call);
    size_t count = lacking_too ? m->count : m->asked;

    for (size_t i = 0; i < count; i++) {
        weir_sql_printf(&names, "%s%s", i > 0 ? ", " : "", m->fields[i].name);
        weir_sql_printf(&values, "%ss.%s", i > 0 ? ", " : "", m->fields[i].staged);
    }
    return weir_printf(m->r.call, "INSERT INTO %s (%s) SELECT %s FROM %s AS s", m->target->stored->path,
                       names.data, values.data, source);
}

const char *weir_sql_insert(weir_call *call, const weir_sql *sql, const weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    uint64_t *modified = weir_alloc(call, (target->table->column_count + 1) * sizeof *modified);
    weir_sql_merge m = { .r = { call, sql, target->stored->schema, target->doing },
                         .target = target,
                         .stage = stage,
                         .modified = modified };
    const char *insert;

    memset(modified, 0, (target->table->column_count + 1) * sizeof *modified);
    weir__sql_merge_fields(&m);
    insert = insert_sql(&m, stage->relation, false);
    if (weir__sql_watch != NULL)
        weir__sql_watch(insert);
    return insert;
}

/*
 * `"a" = excluded."a", …` for what is no key. A replaced row is a whole row: columns that the request no
 * longer has become NULL (R-BAT-09).
 */
static const char *assignments(const weir_sql_merge *m, const char *before, const char *after,
                               bool lacking_too)
{
    weir_sql_text set = weir_sql_text_new(m->r.call);
    bool staged = strcmp(before, "s.") == 0;

    for (size_t i = 0; i < m->count; i++) {
        const weir_sql_field *field = &m->fields[i];
        const char *glue = set.size > 0 ? ", " : "";

        if (field->key)
            continue;
        if (i < m->asked || lacking_too)
            weir_sql_printf(&set, "%s%s = %s%s%s", glue, field->name, before,
                            staged ? field->staged : field->name, after);
        else if (!field->foreign)
            weir_sql_printf(&set, "%s%s = NULL", glue, field->name);
    }
    return set.data;
}

static const char *merge_sql(const weir_sql_merge *m, const char *source, bool lacking_too)
{
    weir_sql_text sql = weir_sql_text_new(m->r.call);
    const char *set = assignments(m, "s.", "", lacking_too);
    size_t count = lacking_too ? m->count : m->asked;

    weir_sql_printf(&sql, "MERGE INTO %s AS t USING %s AS s ON (", m->target->stored->path, source);
    weir__sql_put_match(&sql, m, weir__sql_is_key);
    weir_sql_put(&sql, ")");
    if (set[0] != '\0')
        weir_sql_printf(&sql, " WHEN MATCHED THEN UPDATE SET %s", set);
    weir_sql_put(&sql, " WHEN NOT MATCHED THEN INSERT (");
    for (size_t i = 0; i < count; i++)
        weir_sql_printf(&sql, "%s%s", i > 0 ? ", " : "", m->fields[i].name);
    for (size_t i = 0; i < count; i++)
        weir_sql_printf(&sql, "%ss.%s", i > 0 ? ", " : ") VALUES (", m->fields[i].staged);
    weir_sql_put(&sql, ")");
    return sql.data;
}

static const char *conflict_sql(const weir_sql_merge *m, const char *source, bool lacking_too)
{
    weir_sql_text keys = weir_sql_text_new(m->r.call);
    const char *set = assignments(m, "excluded.", "", lacking_too);

    for (size_t i = 0; i < m->count; i++)
        if (m->fields[i].key)
            weir_sql_printf(&keys, "%s%s", keys.size > 0 ? ", " : "", m->fields[i].name);
    /* WHERE: without it ON could belong to a join. */
    return weir_printf(m->r.call, "%s WHERE TRUE ON CONFLICT (%s) DO %s%s",
                       insert_sql(m, source, lacking_too), keys.data,
                       set[0] != '\0' ? "UPDATE SET " : "NOTHING", set);
}

void weir__sql_upsert(const weir_sql_merge *m, const char *source, bool lacking_too, weir_sql_script *out)
{
    const char *insert = insert_sql(m, source, lacking_too);
    weir_sql_text match = weir_sql_text_new(m->r.call);
    const char *set;

    /* A table without a key only grows; an empty one has nothing to replace. */
    if (m->stage->empty || !has_key(m)) {
        weir__sql_script_add(m, out, insert);
        return;
    }
    switch (m->r.sql->upsert) {
    case WEIR_SQL_ON_CONFLICT:
        weir__sql_script_add(m, out, conflict_sql(m, source, lacking_too));
        break;
    case WEIR_SQL_ON_DUPLICATE_KEY:
        set = assignments(m, "VALUES(", ")", lacking_too);
        if (set[0] == '\0')
            set = weir_printf(m->r.call, "%s = %s", m->fields[0].name, m->fields[0].name);
        weir__sql_script_add(m, out, weir_printf(m->r.call, "%s ON DUPLICATE KEY UPDATE %s", insert, set));
        break;
    case WEIR_SQL_MERGE:
        weir__sql_script_add(m, out, merge_sql(m, source, lacking_too));
        break;
    case WEIR_SQL_DELETE_INSERT:
        weir__sql_put_match(&match, m, weir__sql_is_key);
        weir__sql_script_add(m, out, weir__sql_delete_from(m, source, match.data));
        weir__sql_script_add(m, out, insert);
        break;
    }
}

/* Of rows with one key the last. */
static const char *last_rows(const weir_sql_merge *m)
{
    weir_sql_text sql = weir_sql_text_new(m->r.call);

    weir_sql_put(&sql, "(SELECT * FROM (SELECT s.*, row_number() OVER (PARTITION BY ");
    weir__sql_put_staged(&sql, m, "s", weir__sql_is_key);
    weir_sql_printf(&sql, " ORDER BY s.seq DESC) AS back FROM %s AS s) AS d WHERE d.back = 1)",
                    m->stage->relation);
    return sql.data;
}

static void merge_replace(const weir_sql_merge *m, weir_sql_script *out)
{
    const char *source = has_key(m) && m->doubled ? last_rows(m) : m->stage->relation;

    weir__sql_upsert(m, source, false, out);
}

/* --- updates --- */

void weir__sql_put_carried(weir_sql_text *out, const weir_sql_merge *m, size_t from, size_t to,
                           const char *rows, const char *also)
{
    weir_sql_text window = weir_sql_text_new(m->r.call);

    weir_sql_put(&window, "(PARTITION BY ");
    weir__sql_put_staged(&window, m, "g", m->group);
    weir_sql_put(&window, " ORDER BY g.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)");
    weir_sql_printf(out, "SELECT %s", also);
    for (size_t i = from; i < to; i++) {
        if (m->fields[i].carried)
            weir_sql_printf(out, ", nth_value(g.%s, CAST(coalesce(g.p%zu, 1) AS INTEGER)) OVER w AS %s",
                            m->fields[i].staged, i, m->fields[i].staged);
        else
            weir_sql_printf(out, ", g.%s", m->fields[i].staged);
    }
    weir_sql_printf(out, " FROM (%s) AS g WINDOW w AS %s", rows, window.data);
}

size_t weir__sql_part_end(const weir_sql_merge *m, size_t from, size_t count)
{
    size_t words = (m->target->table->column_count + WEIR_SQL_MASK_BITS - 1) / WEIR_SQL_MASK_BITS;
    size_t most = m->r.sql->select_columns_max, used = words + 8, to = from;

    for (size_t i = 0; i < m->count; i++)
        used += m->fields[i].key;
    while (to < count && (most == 0 || to == from || used + 2 <= most)) {
        used += m->fields[to].carried ? 2 : 1;
        to++;
    }
    return to;
}

static bool in_part(const weir_sql_merge *m, size_t index, size_t from, size_t to)
{
    return m->fields[index].key || (index >= from && index < to);
}

/* The stage's rows, numbered within their key from both ends: the fields of a part, the key and the masks. */
static void put_numbered(weir_sql_text *out, const weir_sql_merge *m, size_t from, size_t to)
{
    const char *glue = "SELECT ";

    for (size_t i = 0; i < m->asked; i++) {
        if (!in_part(m, i, from, to))
            continue;
        weir_sql_printf(out, "%ss.%s", glue, m->fields[i].staged);
        glue = ", ";
    }
    for (size_t i = 0; i < m->target->table->column_count; i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(out, ", s.m%zu", i);
    weir_sql_put(out, ", row_number() OVER (PARTITION BY ");
    weir__sql_put_staged(out, m, "s", weir__sql_is_key);
    weir_sql_put(out, " ORDER BY s.seq) AS rn, row_number() OVER (PARTITION BY ");
    weir__sql_put_staged(out, m, "s", weir__sql_is_key);
    weir_sql_printf(out, " ORDER BY s.seq DESC) AS back FROM %s AS s", m->stage->relation);
}

/* Of rows with one key, one: per column of a part the last value that is set; pN says whether any is. */
static const char *folded_rows(const weir_sql_merge *m, size_t from, size_t to)
{
    weir_sql_text rows = weir_sql_text_new(m->r.call), also = weir_sql_text_new(m->r.call);
    weir_sql_text out = weir_sql_text_new(m->r.call);

    weir_sql_put(&rows, "SELECT o.*");
    weir_sql_put(&also, "g.back");
    for (size_t i = 0; i < m->asked; i++) {
        if (m->fields[i].key && (i < from || i >= to))
            weir_sql_printf(&also, ", g.%s", m->fields[i].staged);
        if (!m->fields[i].carried || i < from || i >= to)
            continue;
        weir_sql_put(&rows, ", max(CASE WHEN ");
        weir__sql_put_modified(&rows, "o", m->fields[i].index);
        weir_sql_printf(&rows, " THEN o.rn END) OVER w AS p%zu", i);
        weir_sql_printf(&also, ", g.p%zu", i);
    }
    weir_sql_put(&rows, " FROM (");
    put_numbered(&rows, m, from, to);
    weir_sql_put(&rows, ") AS o WINDOW w AS (PARTITION BY ");
    weir__sql_put_staged(&rows, m, "o", weir__sql_is_key);
    weir_sql_put(&rows, " ORDER BY o.rn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)");
    weir_sql_put(&out, "(SELECT * FROM (");
    weir__sql_put_carried(&out, m, from, to, rows.data, also.data);
    weir_sql_put(&out, ") AS f WHERE f.back = 1)");
    return out.data;
}

/* `"a" = …, ` of the columns of a part: those that every row sets are set, others where their bit is. */
static const char *update_set(const weir_sql_merge *m, size_t from, size_t to)
{
    const char *target = m->r.sql->update == WEIR_SQL_UPDATE_JOIN ? "t." : "";
    weir_sql_text set = weir_sql_text_new(m->r.call);

    for (size_t i = from; i < to; i++) {
        const weir_sql_field *field = &m->fields[i];

        if (field->key || m->modified[field->index] == 0)
            continue;
        weir_sql_printf(&set, "%s%s%s = ", set.size > 0 ? ", " : "", target, field->name);
        if (!field->carried) {
            weir_sql_printf(&set, "s.%s", field->staged);
            continue;
        }
        weir_sql_put(&set, "CASE WHEN ");
        if (m->doubled)
            weir_sql_printf(&set, "s.p%zu IS NOT NULL", i);
        else
            weir__sql_put_modified(&set, "s", field->index);
        weir_sql_printf(&set, " THEN s.%s ELSE t.%s END", field->staged, field->name);
    }
    return set.data;
}

/* Folding takes two columns of a SELECT for one, so a wide table may need several statements. */
static void merge_update(const weir_sql_merge *m, weir_sql_script *out)
{
    weir_sql_text match = weir_sql_text_new(m->r.call);

    weir__sql_put_match(&match, m, weir__sql_is_key);
    for (size_t from = 0, to; from < m->asked; from = to) {
        const char *set;

        to = m->doubled ? weir__sql_part_end(m, from, m->asked) : m->asked;
        set = update_set(m, from, to);
        if (set[0] != '\0')
            weir__sql_script_add(
                m, out,
                weir__sql_update_from(m, set, m->doubled ? folded_rows(m, from, to) : m->stage->relation,
                                      match.data));
    }
}

void weir__sql_merge_rows(const weir_sql_merge *m, weir_sql_script *out)
{
    weir_sql_text match = weir_sql_text_new(m->r.call);

    if (m->stage->op == WEIR_REPLACE) {
        merge_replace(m, out);
    } else if (m->stage->op == WEIR_UPDATE) {
        merge_update(m, out);
    } else {
        weir__sql_put_match(&match, m, weir__sql_is_key);
        weir__sql_script_add(m, out, weir__sql_delete_from(m, m->stage->relation, match.data));
    }
}
