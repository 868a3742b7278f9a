/* destination-parquet/request: begin, statements, end; see request.h. */
#include "request.h"

#include <string.h>

#include "load.h"
#include "merge.h"
#include "store.h"
#include "types.h"
#include "words.h"

/* JSON is text here: DuckDB would look at it whenever it reads a part, and refuse what is none. */
const char *request_type(weir_call *call, const weir_column *column)
{
    return column->type == WEIR_JSON ? "VARCHAR" : types_declared(call, column);
}

const char *request_path(weir_call *call, const char *schema, const char *table_name)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_put_quoted(&out, table_key(call, schema != NULL ? schema : "", table_name), '"');
    return out.data;
}

/* --- begin --- */

static weir_status open_table(weir_call *call, store *s, const char *schema, const char *name)
{
    stored_table *t = &s->tables[s->table_count];
    weir_status status = table_open(call, schema, name, t);

    if (status != WEIR_OK)
        return status;
    s->table_count++;
    if (!t->exists)
        return WEIR_OK;
    table_clean(call, t, &t->stored);
    return link_run(call, words_make(call, t), s->doing);
}

weir_status request_begin(weir_call *call, const weir_sql_scope *scope)
{
    store *s = weir_session(call);
    weir_status status = store_enter(call, scope);

    if (status != WEIR_OK)
        return status;
    s->doing = scope->doing;
    s->work = scope->work;
    s->tables = weir_alloc(call, TABLES_MAX * sizeof *s->tables);
    status = open_table(call, s, scope->schema, scope->table);
    if (status == WEIR_OK && scope->other != NULL && strcmp(scope->other, scope->table) != 0)
        status = open_table(call, s, scope->schema, scope->other);
    if (status == WEIR_OK && scope->work == WEIR_SQL_WRITE)
        status = link_run(call, "CREATE TABLE " WORDS_GONE " (part INTEGER, \"row\" BIGINT)", scope->doing);
    if (status != WEIR_OK)
        store_leave(s);
    return status;
}

/* --- the catalogue --- */

static void add_found(weir_call *call, const stored_table *t, weir_sql_columns *out)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const manifest_column *c = &t->columns[i];
        const weir_sql_found found = { .name = c->column.name,
                                       .declared = c->nanos_of != NULL ? "SMALLINT"
                                                                       : request_type(call, &c->column),
                                       .comment = words_note(call, c) };

        weir_sql_columns_add(out, &found);
    }
}

/* Outside of a request there is the manifest. */
static weir_status stored_columns(weir_call *call, const char *schema, const char *name,
                                  weir_sql_columns *out)
{
    stored_table t;
    weir_status status = table_open(call, schema, name, &t);

    if (status == WEIR_OK && t.exists)
        add_found(call, &t, out);
    return status == WEIR_OK && !t.exists ? WEIR_NOT_FOUND : status;
}

/* The request's table of that name, while no statement has changed what columns it has; else NULL. */
static const stored_table *untouched(const store *s, const char *key)
{
    if (s->statement_count > 0 || s->link.reshaped)
        return NULL;
    for (size_t i = 0; i < s->table_count; i++)
        if (strcmp(s->tables[i].key, key) == 0)
            return &s->tables[i];
    return NULL;
}

/*
 * What is noted of a column: DuckDB has only what this request has noted, for it takes long over many
 * comments. All else is as stored, also when the table was made anew meanwhile: notes that changed are there.
 */
static const char *note_of(weir_call *call, const char *key, const char *name, const char *comment)
{
    const store *s = weir_session(call);

    for (size_t i = 0; comment == NULL && i < s->table_count; i++) {
        const stored_table *t = &s->tables[i];

        for (size_t k = 0; strcmp(t->key, key) == 0 && k < t->column_count; k++)
            if (strcmp(t->columns[k].column.name, name) == 0)
                return words_note(call, &t->columns[k]);
    }
    return comment;
}

static void note_seen(weir_call *call, store *s, const char *name)
{
    if (s->seen_count == s->seen_room) {
        size_t room = s->seen_room * 2 + 16;
        const char **more = weir_alloc(call, room * sizeof *more);

        if (s->seen_count > 0)
            memcpy(more, s->seen, s->seen_count * sizeof *more);
        s->seen = more;
        s->seen_room = room;
    }
    s->seen[s->seen_count++] = name;
}

weir_status request_columns(weir_call *call, const char *schema, const char *table_name, const char *doing,
                            weir_sql_columns *out)
{
    store *s = weir_session(call);
    const char *key = table_key(call, schema, table_name);
    const stored_table *t = untouched(s, key);
    link_result result;
    weir_status status;

    if (s->database == 0)
        return stored_columns(call, schema, table_name, out);
    if (t != NULL) { /* looking into DuckDB's catalogue takes longer than most statements */
        add_found(call, t, out);
        return t->exists ? WEIR_OK : WEIR_NOT_FOUND;
    }
    status = link_query(call,
                        weir_printf(call,
                                    "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE "
                                    "database_name = 'r%u' AND table_name = %s",
                                    s->database, weir_sql_value(call, key)),
                        doing, &result);
    s->seen_count = 0;
    while (status == WEIR_OK && link_next(&result)) {
        const char *name = link_text(call, &result, 0);
        const weir_sql_found found = { .name = name,
                                       .declared = link_text(call, &result, 1),
                                       .comment = note_of(call, key, name, link_text(call, &result, 2)) };

        note_seen(call, s, name);
        weir_sql_columns_add(out, &found);
    }
    link_finish(&result);
    if (status != WEIR_OK)
        return status;
    return s->seen_count > 0 ? WEIR_OK : WEIR_NOT_FOUND;
}

/* --- statements --- */

static bool begins(const char *sql, const char *words)
{
    return strncmp(sql, words, strlen(words)) == 0;
}

/* The statement looks at nothing but the row that it changes. */
static bool is_local(const char *sql)
{
    return strstr(sql, "(SELECT") == NULL;
}

static bool has_rows(const store *s)
{
    return s->table_count > 0 && s->tables[0].part_count > 0;
}

/* Takes the rows of parts [from, to) into a new database, and runs on them what was noted. */
static weir_status replay(weir_call *call, size_t from, size_t to, uint64_t *changed)
{
    store *s = weir_session(call);
    const stored_table *t = &s->tables[0];
    weir_status status = store_renew(call);

    *changed = 0;
    for (size_t i = 0; status == WEIR_OK && i < s->table_count; i++)
        if (s->tables[i].exists)
            status = link_run(call, words_make(call, &s->tables[i]), s->doing);
    if (status == WEIR_OK)
        status = link_run(call,
                          weir_printf(call, "INSERT INTO %s (%s) %s", t->path, words_columns(call, t, ""),
                                      words_rows(call, t, from, to, false)),
                          s->doing);
    for (size_t i = 0; status == WEIR_OK && i < s->statement_count; i++) {
        duckdb_result *ran = &s->link.ran;

        if (duckdb_query(s->link.db, s->statements[i].sql, ran) == DuckDBSuccess)
            *changed += duckdb_rows_changed(ran);
        else
            status = link_error(call, ran, s->statements[i].doing);
        duckdb_destroy_result(ran);
    }
    return status;
}

static weir_status take_all(weir_call *call)
{
    store *s = weir_session(call);
    uint64_t changed;
    weir_status status = WEIR_OK;

    if (!s->whole && has_rows(s))
        status = replay(call, 0, s->tables[0].part_count, &changed);
    s->whole = true;
    return status;
}

static void note_statement(weir_call *call, store *s, const char *sql, const char *doing)
{
    if (s->statement_count == s->statement_room) {
        size_t room = s->statement_room * 2 + 16;
        store_statement *more = weir_alloc(call, room * sizeof *more);

        if (s->statement_count > 0)
            memcpy(more, s->statements, s->statement_count * sizeof *more);
        s->statements = more;
        s->statement_room = room;
    }
    s->statements[s->statement_count++] = (store_statement){ sql, doing };
}

weir_status request_run(weir_call *call, const char *sql, const char *doing)
{
    store *s = weir_session(call);
    weir_status status = WEIR_OK;

    if (s->work != WEIR_SQL_WRITE && !is_local(sql))
        status = take_all(call);
    if (status == WEIR_OK)
        status = link_run(call, sql, doing);
    if (status == WEIR_OK && s->work != WEIR_SQL_WRITE)
        note_statement(call, s, weir_copy(call, sql, strlen(sql)), doing);
    return status;
}

/* A view of all parts hides the empty table of the same name. */
weir_status request_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    store *s = weir_session(call);
    const stored_table *t = s->tables;
    weir_status status = WEIR_OK;

    if (s->work != WEIR_SQL_WRITE && s->statement_count > 0)
        status = take_all(call);
    if (status != WEIR_OK || s->whole || !has_rows(s) || strstr(sql, t->path) == NULL)
        return status == WEIR_OK ? link_texts(call, sql, doing, out) : status;
    status = link_run(
        call,
        weir_printf(call, "CREATE TEMP VIEW %s AS %s", t->path, words_rows(call, t, 0, t->part_count, false)),
        doing);
    if (status == WEIR_OK)
        status = link_texts(call, sql, doing, out);
    if (status == WEIR_OK)
        status = link_run(call, weir_printf(call, "DROP VIEW %s", t->path), doing);
    return status;
}

/* --- end --- */

/* True when the statement is about the table itself, not only about its rows. */
static bool reshapes(const char *sql, const char *path)
{
    static const char *const verbs[] = { "CREATE TABLE ", "DROP TABLE ", "ALTER TABLE ", "INSERT INTO " };
    const char *renamed = begins(sql, "ALTER TABLE ") ? strstr(sql, " RENAME TO ") : NULL;

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (begins(sql, verbs[i]) && begins(sql + strlen(verbs[i]), path))
            return true;
    return renamed != NULL && begins(renamed + 11, path);
}

static bool changes_rows(const char *sql, const char *path)
{
    return (begins(sql, "UPDATE ") && begins(sql + 7, path)) ||
           (begins(sql, "DELETE FROM ") && begins(sql + 12, path));
}

typedef struct touched {
    bool shape;
    bool rows;
    bool notes;
} touched;

static touched look(const store *s, const stored_table *t)
{
    touched out = { 0 };

    for (size_t i = 0; i < s->statement_count; i++) {
        const char *sql = s->statements[i].sql;

        out.shape = out.shape || reshapes(sql, t->path);
        out.rows = out.rows || changes_rows(sql, t->path);
        out.notes = out.notes || (begins(sql, "COMMENT ON COLUMN ") && begins(sql + 18, t->path));
    }
    return out;
}

/* The columns that the table has now in DuckDB. WEIR_NOT_FOUND: it is gone. */
static weir_status read_shape(weir_call *call, stored_table *t)
{
    weir_sql_table now = { 0 };
    const store *s = weir_session(call);
    weir_status status = weir_sql_read_table(call, &request_dialect, t->schema, t->name, &now);

    if (status != WEIR_OK)
        return status;
    t->columns = NULL;
    t->column_count = t->column_room = 0;
    for (size_t k = 0; k < s->seen_count; k++) {
        manifest_column column = { .column = { .name = s->seen[k] } };

        for (size_t i = 0; i < now.count; i++) {
            if (strcmp(now.columns[i].name, s->seen[k]) == 0)
                column.column = now.columns[i].column;
            if (now.columns[i].fine != NULL && strcmp(now.columns[i].fine, s->seen[k]) == 0)
                column.nanos_of = now.columns[i].column.name;
        }
        table_add_column(call, t, &column);
    }
    return WEIR_OK;
}

/* What becomes of a table. */
typedef struct outcome {
    stored_table *t;
    stored_table after; /* its new columns and parts */
    touched what;
    bool there; /* afterwards */
} outcome;

static weir_status find_outcome(weir_call *call, stored_table *t, outcome *out)
{
    const store *s = weir_session(call);
    weir_status status;

    *out = (outcome){ .t = t, .after = *t, .what = look(s, t), .there = t->exists };
    out->after.parts = NULL;
    out->after.part_count = out->after.part_room = 0;
    if (!out->what.shape && !out->what.notes)
        return WEIR_OK;
    status = read_shape(call, &out->after);
    out->there = status == WEIR_OK;
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

static bool is_touched(const outcome *o)
{
    return o->there && (o->what.shape || o->what.rows || o->what.notes);
}

static weir_status make_folders(weir_call *call, outcome *all, size_t count)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (is_touched(&all[i]) && !all[i].t->exists)
            status = table_make_folder(call, all[i].t);
    return status;
}

static void keep_part(weir_call *call, stored_table *t, const stored_part *kept)
{
    stored_part *p = table_add_part(call, t);

    *p = *kept;
    p->columns = t->column_count;
}

/* What DuckDB holds of each touched table becomes parts. */
static weir_status write_held(weir_call *call, outcome *all, size_t count)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (is_touched(&all[i]))
            status = merge_write_rows(call, &all[i].after, NULL);
    return status;
}

/* The end of parts from `from` on that are taken together. */
static size_t together(weir_call *call, const stored_table *t, size_t from)
{
    const options *opt = weir_options(call);
    uint64_t rows = t->parts[from].rows;
    size_t to = from + 1;

    while (to < t->part_count && rows + t->parts[to].rows <= (uint64_t)opt->part_rows)
        rows += t->parts[to++].rows;
    return to;
}

/* Runs what was noted over the rows, a few parts at a time; parts in which nothing changes stay. */
static weir_status write_by_parts(weir_call *call, outcome *all, size_t count)
{
    store *s = weir_session(call);
    stored_table *t = &s->tables[0];
    bool reshaped = false, rows = false;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count; i++) {
        reshaped = reshaped || (is_touched(&all[i]) && all[i].what.shape);
        rows = rows || (is_touched(&all[i]) && all[i].what.rows);
    }
    for (size_t from = 0, to; status == WEIR_OK && from < t->part_count; from = to) {
        uint64_t changed = 0;

        to = reshaped ? together(call, t, from) : from + 1;
        if (reshaped || rows)
            status = replay(call, from, to, &changed);
        if (status == WEIR_OK && (reshaped || changed > 0))
            status = write_held(call, all, count);
        else
            keep_part(call, &all[0].after, &t->parts[from]);
    }
    return status;
}

static weir_status commit_all(weir_call *call, outcome *all, size_t count)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (is_touched(&all[i]))
            status = table_commit(call, &all[i].after);
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (!all[i].there && all[i].t->exists)
            status = table_drop(call, all[i].t);
    return status;
}

/* A table that has another name now, and nothing else. */
static bool is_rename(const store *s, const outcome *all)
{
    return s->table_count == 2 && s->statement_count == 1 && !all[0].there && all[1].there &&
           begins(s->statements[0].sql, "ALTER TABLE ");
}

static weir_status finish(weir_call *call)
{
    store *s = weir_session(call);
    outcome all[TABLES_MAX];
    weir_status status = WEIR_OK;

    if (s->statement_count == 0)
        return WEIR_OK;
    for (size_t i = 0; status == WEIR_OK && i < s->table_count; i++)
        status = find_outcome(call, &s->tables[i], &all[i]);
    if (status == WEIR_OK && is_rename(s, all))
        return table_rename(call, &s->tables[0], &s->tables[1]);
    if (status == WEIR_OK)
        status = make_folders(call, all, s->table_count);
    if (status == WEIR_OK && (s->whole || !has_rows(s)))
        status = write_held(call, all, s->table_count);
    else if (status == WEIR_OK && (is_touched(&all[0]) || s->table_count > 1))
        status = write_by_parts(call, all, s->table_count);
    return status == WEIR_OK ? commit_all(call, all, s->table_count) : status;
}

/* What a request that failed has written goes at once: the disk may be full. */
static void remove_drafts(weir_call *call, store *s)
{
    stored_table now;

    load_end(&s->link);
    for (size_t i = 0; i < s->table_count; i++)
        if (table_open(call, s->tables[i].schema, s->tables[i].name, &now) == WEIR_OK)
            table_clean(call, &now, now.exists ? &now.stored : NULL);
}

weir_status request_end(weir_call *call, weir_status status)
{
    store *s = weir_session(call);
    bool changed = false;

    if (status == WEIR_OK && !weir_running(call))
        status = WEIR_CANCELLED;
    if (status == WEIR_OK && s->work == WEIR_SQL_WRITE) {
        status = merge_finish(call, &changed);
        if (status == WEIR_OK && changed)
            status = table_commit(call, &s->tables[0]);
    } else if (status == WEIR_OK) {
        status = finish(call);
    }
    if (status != WEIR_OK)
        remove_drafts(call, s);
    store_leave(s);
    return status;
}
