/* destination-parquet/merge: see merge.h. Statements are worded beforehand and run on the merge's thread. */
#include "merge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"
#include "store.h"
#include "words.h"

#define SMALL_PARTS_MAX 8 /* so many parts below a quarter of the size are one part soon after */

typedef struct script {
    weir_call *call;
    const char **items;
    size_t count;
    size_t room;
} script;

static void put(script *s, const char *sql)
{
    if (s->count == s->room) {
        size_t room = s->room * 2 + 16;
        const char **more = weir_alloc(s->call, room * sizeof *more);

        if (s->count > 0)
            memcpy(more, s->items, s->count * sizeof *more);
        s->items = more;
        s->room = room;
    }
    s->items[s->count++] = sql;
}

/* --- rows out of parts --- */

static bool has_clock(weir_type type)
{
    return type == WEIR_NAIVE_TIME || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME;
}

/* The table has columns of its own where DuckDB numbers files and rows. */
static bool hides_rows(const stored_table *t)
{
    static const char *const names[] = { "file_index", "file_row_number", "rowid" };

    for (size_t i = 0; i < t->column_count; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcasecmp(t->columns[i].column.name, names[k]) == 0)
                return true;
    return false;
}

/* The columns that tell which rows a stage may change: the key, in history that of all versions. */
static bool finds_rows(const weir_sql_stage *stage, size_t index)
{
    const weir_sql_column *column = stage->target->into[index];

    return column->column.key && !(stage->mixed && strcmp(column->column.name, "_fivetran_start") == 0);
}

/* Rows that will not be looked at again, and are told apart by the plain key: they are only noted. */
static bool is_blind(const weir_sql_stage *stage)
{
    if (stage->mixed || stage->op == WEIR_UPDATE)
        return false;
    for (size_t i = 0; i < stage->target->table->column_count; i++)
        if (finds_rows(stage, i) && has_clock(stage->target->into[i]->column.type))
            return false;
    return true;
}

/* " JOIN (the stage's keys) AS s ON t.k = s.c0 …", or "" for a table without a key. */
static const char *join_keys(weir_call *call, const weir_sql_stage *stage)
{
    weir_sql_text names = weir_sql_text_new(call), match = weir_sql_text_new(call);

    for (size_t i = 0; i < stage->target->table->column_count; i++) {
        if (!finds_rows(stage, i))
            continue;
        weir_sql_printf(&names, "%sc%zu", names.size > 0 ? ", " : "", i);
        weir_sql_put(&match, match.size > 0 ? " AND t." : "t.");
        weir_sql_put_quoted(&match, stage->target->into[i]->name, '"');
        weir_sql_printf(&match, " = s.c%zu", i);
    }
    if (names.size == 0)
        return "";
    /* Every key is there once; but keys may differ in the nanoseconds alone, which are not compared here. */
    if (is_blind(stage))
        return weir_printf(call, " JOIN %s AS s ON %s", stage->relation, match.data);
    return weir_printf(call, " JOIN (SELECT DISTINCT %s FROM %s) AS s ON %s", names.data, stage->relation,
                       match.data);
}

/*
 * A table whose own columns have the names by which DuckDB numbers rows: they are all taken, once. Nobody has
 * such tables, but any name must work (R-DST-08).
 */
static void put_pull_all(script *s, stored_table *t)
{
    weir_call *call = s->call;

    for (size_t from = 0, to; from < t->part_count; from = to) {
        weir_sql_text sql = weir_sql_text_new(call);

        to = words_run(t, from);
        weir_sql_printf(&sql, "INSERT INTO %s (%s) ", t->path, words_columns(call, t, ""));
        words_put_select(&sql, call, t, from, to, "", "");
        put(s, sql.data);
    }
    t->part_count = 0;
}

/* Rows of parts [from, to), which have the same columns. */
static void put_pull(script *s, const stored_table *t, const weir_sql_stage *stage, size_t from, size_t to,
                     const char *join)
{
    weir_call *call = s->call;
    const char *where = weir_printf(call,
                                    "%s ANTI JOIN " WORDS_GONE
                                    " AS g ON g.part = t.file_index + %zu AND g.\"row\" = t.file_row_number",
                                    join, from);
    weir_sql_text sql = weir_sql_text_new(call);

    if (is_blind(stage)) {
        weir_sql_printf(&sql, "INSERT INTO " WORDS_GONE " SELECT t.file_index + %zu, t.file_row_number FROM ",
                        from);
        words_put_files(&sql, call, t, from, to);
        weir_sql_printf(&sql, " AS t%s", where);
        put(s, sql.data);
        return;
    }
    weir_sql_put(&sql, "CREATE OR REPLACE TABLE " WORDS_PULLED " AS ");
    words_put_select(
        &sql, call, t, from, to,
        weir_printf(call, "t.file_index + %zu AS _weir_part, t.file_row_number AS _weir_row, ", from), where);
    put(s, sql.data);
    put(s, "INSERT INTO " WORDS_GONE " SELECT _weir_part, _weir_row FROM " WORDS_PULLED);
    put(s, weir_printf(call, "INSERT INTO %s (%s) SELECT %s FROM " WORDS_PULLED, t->path,
                       words_columns(call, t, ""), words_columns(call, t, "")));
    put(s, "DROP TABLE " WORDS_PULLED);
}

/* --- rows into parts --- */

/* A column that stage_close has added. */
static void note_companions(weir_call *call, stored_table *t, const weir_sql_table *stored)
{
    for (size_t i = 0; i < stored->count; i++) {
        const weir_sql_column *column = &stored->columns[i];
        bool known = column->fine == NULL;

        for (size_t k = 0; !known && k < t->column_count; k++)
            known = strcmp(t->columns[k].column.name, column->fine) == 0;
        if (!known)
            table_add_column(
                call, t,
                &(manifest_column){ .column = { .name = column->fine }, .nanos_of = column->column.name });
    }
}

static const char *all_rows(weir_call *call, const stored_table *t)
{
    return weir_printf(call, "SELECT %s FROM %s", words_columns(call, t, ""), t->path);
}

/* What a table in DuckDB may grow to: an eighth of the memory; a quarter for all where there are more. */
static uint64_t bytes_max(weir_call *call)
{
    const options *opt = weir_options(call);
    uint64_t requests = store_requests(weir_session(call));

    return (uint64_t)opt->memory_limit_mb * 1024 * 1024 / 4 / (requests > 2 ? requests : 2);
}

/* A table that has become as large as a part is written and emptied. */
static void put_flush(script *s, stored_table *t)
{
    store *session = weir_session(s->call);
    const options *opt = weir_options(s->call);
    stored_part *p;

    if ((session->held_rows < (uint64_t)opt->part_rows && session->held_bytes < bytes_max(s->call)) ||
        hides_rows(t))
        return;
    p = table_add_part(s->call, t);
    p->taken = session->held_bytes;
    put(s, words_copy(s->call, t, p, all_rows(s->call, t)));
    put(s, words_make(s->call, t));
    session->held_rows = session->held_bytes = 0;
}

/* About so many bytes of a part have keys of the stage: twice of what they would be if keys were spread. */
static uint64_t share_of(const stored_table *t, const stored_part *p, uint64_t rows)
{
    uint64_t all = 0, share;

    for (size_t i = 0; i < t->part_count; i++)
        all += t->parts[i].taken;
    share = all > 0 && p->taken > 0 && p->rows > 0 && p->rows != UINT64_MAX
                ? (uint64_t)(2.0 * (double)rows / (double)p->rows * (double)p->taken * (double)p->taken /
                             (double)all)
                : p->taken;
    return share < p->taken ? share : p->taken;
}

/*
 * Update rows change what is there and add nothing, so parts follow each other: memory has the rows of some
 * of them at a time. Parts that are written meanwhile have been through it.
 */
static void put_updates(script *s, stored_table *t, const weir_sql_stage *stage, const char *join,
                        const char *const *sql, size_t count)
{
    store *session = weir_session(s->call);
    size_t parts = t->part_count;

    for (size_t from = 0, to; from < parts; from = to) {
        size_t most = words_run(t, from) < parts ? words_run(t, from) : parts;
        uint64_t bytes = 0;

        for (to = from; to == from || (to < most && bytes < bytes_max(s->call)); to++)
            bytes += share_of(t, &t->parts[to], stage->rows);
        put_pull(s, t, stage, from, to, join);
        session->held_bytes += bytes;
        for (size_t i = 0; i < count; i++)
            put(s, sql[i]);
        if (to == parts)
            session->held_rows += stage->rows;
        put_flush(s, t);
    }
}

weir_status merge_stage(weir_call *call, weir_sql_stage *stage, const char *const *sql, size_t count)
{
    store *s = weir_session(call);
    stored_table *t = &s->tables[0];
    script words = { .call = call };
    /* No part has one of its keys (load_close). */
    bool new_keys = !stage->mixed && stage->op == WEIR_REPLACE && stage->empty;
    const char *join = new_keys ? "" : join_keys(call, stage);

    note_companions(call, t, stage->target->stored);
    if (join[0] != '\0' && hides_rows(t))
        put_pull_all(&words, t);
    if (!stage->mixed && stage->op == WEIR_UPDATE && t->part_count > 0) {
        put_updates(&words, t, stage, join, sql, count);
        return load_merge(call, stage, words.items, words.count);
    }
    for (size_t from = 0, to; join[0] != '\0' && from < t->part_count; from = to) {
        to = words_run(t, from);
        put_pull(&words, t, stage, from, to, join);
    }
    for (size_t i = 0; i < count; i++)
        put(&words, sql[i]);
    s->held_rows += stage->rows;
    s->held_bytes += stage_bytes(stage->state);
    put_flush(&words, t);
    return load_merge(call, stage, words.items, words.count);
}

/* --- the end --- */

/* Rows and bytes of a part that was written. */
static weir_status measure(weir_call *call, const stored_table *t, stored_part *p)
{
    const store *s = weir_session(call);
    const char *sql = weir_printf(call,
                                  "SELECT CAST(num_rows AS VARCHAR), CAST(file_size_bytes AS VARCHAR) FROM "
                                  "parquet_file_metadata(%s)",
                                  weir_sql_value(call, table_part_path(call, t, p)));
    link_result result;
    weir_status status = link_query(call, sql, s->doing, &result);

    if (status == WEIR_OK && link_next(&result)) {
        p->rows = strtoull(link_text(call, &result, 0), NULL, 10);
        p->size = strtoull(link_text(call, &result, 1), NULL, 10);
    }
    link_finish(&result);
    return status;
}

static weir_status ask_number(weir_call *call, const char *sql, uint64_t *out)
{
    const store *s = weir_session(call);
    link_result result;
    weir_status status = link_query(call, sql, s->doing, &result);
    const char *text = status == WEIR_OK && link_next(&result) ? link_text(call, &result, 0) : NULL;

    *out = text != NULL ? strtoull(text, NULL, 10) : 0;
    link_finish(&result);
    return status;
}

static weir_status write_part(weir_call *call, stored_table *t, const char *select)
{
    const store *s = weir_session(call);
    stored_part *p = table_add_part(call, t);
    weir_status status = weir_running(call) ? WEIR_OK : WEIR_CANCELLED;

    if (status == WEIR_OK)
        status = link_run(call, words_copy(call, t, p, select), s->doing);
    return status == WEIR_OK ? measure(call, t, p) : status;
}

weir_status merge_write_rows(weir_call *call, stored_table *t, const char *select)
{
    const options *opt = weir_options(call);
    uint64_t most = 0;
    weir_status status;

    if (select != NULL || hides_rows(t))
        return write_part(call, t, select != NULL ? select : all_rows(call, t));
    status = ask_number(
        call, weir_printf(call, "SELECT CAST(coalesce(max(rowid) + 1, 0) AS VARCHAR) FROM %s", t->path),
        &most);
    for (uint64_t from = 0; status == WEIR_OK && from < most; from += (uint64_t)opt->part_rows)
        status = write_part(call, t,
                            most <= (uint64_t)opt->part_rows
                                ? all_rows(call, t)
                                : weir_printf(call, "%s WHERE rowid >= %llu AND rowid < %llu",
                                              all_rows(call, t), (unsigned long long)from,
                                              (unsigned long long)from + (unsigned long long)opt->part_rows));
    return status;
}

/* How many rows of each part are gone. */
static weir_status count_gone(weir_call *call, stored_table *t)
{
    const store *s = weir_session(call);
    link_result result;
    weir_status status = link_query(
        call, "SELECT CAST(part AS VARCHAR), CAST(count(*) AS VARCHAR) FROM " WORDS_GONE " GROUP BY part",
        s->doing, &result);

    while (status == WEIR_OK && link_next(&result)) {
        size_t index = strtoull(link_text(call, &result, 0), NULL, 10);

        if (index < t->part_count)
            t->parts[index].gone = strtoull(link_text(call, &result, 1), NULL, 10);
    }
    link_finish(&result);
    return status;
}

/* The part must be written anew: rows are gone, or it lacks a companion. */
static bool is_stale(const stored_table *t, const stored_part *p)
{
    return p->gone > 0 || p->columns < t->column_count;
}

static bool is_small(weir_call *call, const stored_table *t, const stored_part *p)
{
    const options *opt = weir_options(call);

    return !is_stale(t, p) && p->rows < (uint64_t)opt->part_rows / 4;
}

/* Many small parts become one, or every sync of a few rows would add one more for ever. */
static bool joins_small(weir_call *call, const stored_table *t)
{
    size_t small = 0;

    for (size_t i = 0; i < t->part_count; i++)
        small += is_small(call, t, &t->parts[i]);
    return small >= SMALL_PARTS_MAX;
}

/* Writes the parts that must change, and the rows that DuckDB holds, `held` of them, to new parts. */
static weir_status rewrite(weir_call *call, stored_table *t, uint64_t held)
{
    const options *opt = weir_options(call);
    size_t count = t->part_count;
    bool *moves = weir_alloc(call, (count + 1) * sizeof *moves);
    bool small = joins_small(call, t);
    weir_sql_text select = weir_sql_text_new(call);
    uint64_t rows = 0;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count; i++)
        moves[i] = is_stale(t, &t->parts[i]) || (small && is_small(call, t, &t->parts[i]));
    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        uint64_t left = t->parts[i].rows - t->parts[i].gone;

        if (!moves[i] || left == 0)
            continue;
        if (rows > 0 && rows + left > (uint64_t)opt->part_rows) {
            status = write_part(call, t, select.data);
            select = weir_sql_text_new(call);
            rows = 0;
        }
        weir_sql_printf(&select, "%s%s", rows > 0 ? " UNION ALL " : "", words_rows(call, t, i, i + 1, true));
        rows += left;
    }
    if (status == WEIR_OK && rows > 0 && held > 0 && rows + held <= (uint64_t)opt->part_rows) {
        weir_sql_printf(&select, " UNION ALL %s", all_rows(call, t));
        held = 0;
    }
    if (status == WEIR_OK && rows > 0)
        status = write_part(call, t, select.data);
    if (status == WEIR_OK && held > 0)
        status = merge_write_rows(call, t, NULL);
    for (size_t i = 0; i < count; i++)
        t->parts[i].rows = moves[i] ? 0 : t->parts[i].rows;
    return status;
}

weir_status merge_finish(weir_call *call, bool *changed)
{
    store *s = weir_session(call);
    stored_table *t = &s->tables[0];
    uint64_t held = 0;
    weir_status status = load_settle(call);

    if (status == WEIR_OK)
        status = count_gone(call, t);
    for (size_t i = 0; status == WEIR_OK && i < t->part_count; i++)
        if (t->parts[i].rows == UINT64_MAX)
            status = measure(call, t, &t->parts[i]);
    if (status == WEIR_OK)
        status = ask_number(call, weir_printf(call, "SELECT CAST(count(*) AS VARCHAR) FROM %s", t->path),
                            &held);
    *changed = held > 0 || t->part_count < t->stored.part_count;
    for (size_t i = 0; i < t->part_count; i++)
        *changed = *changed || t->parts[i].fresh || is_stale(t, &t->parts[i]);
    *changed = *changed || t->column_count > t->stored.column_count;
    return status == WEIR_OK && *changed ? rewrite(call, t, held) : status;
}
