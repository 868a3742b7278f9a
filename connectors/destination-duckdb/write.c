/*
 * destination-duckdb/write: applies a batch by sets (R-DST-05).
 *
 * Rows are gathered in a stage, column by column, and merged when it is full or the kind of row changes:
 *
 *     replace   DELETE the keys that are there, INSERT the rows
 *     update    UPDATE the columns that some row modifies, where it does; other keys are ignored
 *     delete    DELETE the keys
 *
 * There are two stages: while a thread merges one, the handler's thread fills the other, so reading the batch
 * and DuckDB's own threads work at the same time. The handler's thread words all SQL beforehand; the other
 * one only runs it.
 *
 * All merges of a request are one transaction, so its rows may come in any number of stages. A stage has one
 * row per key.
 */
#include <pthread.h>

#include "table.h"

#define STAGE_ROWS_MAX ((size_t)2 * 122880) /* two of DuckDB's row groups: one for each of two threads */
#define STAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define NAP_NS 200000 /* between two looks at a statement that other threads work on */
#define REBUILT "_weir_rebuilt"

/* The statements of one merge, which may run on a thread of their own. */
typedef struct merge {
    duckdb_connection db;
    const char *sql[2]; /* the second may be NULL */
    duckdb_result result;
    bool failed; /* `result` has the error */
    bool running;
    pthread_t thread;
} merge;

typedef struct writer {
    weir_call *call;
    const weir_table *table;
    const char *doing; /* for errors */
    const char *path;  /* the table, quoted, in full */
    stored_table stored;
    stage *stage; /* being filled */
    stage *other; /* being merged, or empty */
    merge merge;
    bool *nanos;    /* per column of `table`: the stored table has a companion for it */
    bool untouched; /* this transaction has not changed the table yet */
    bool empty;     /* and the table has no rows */
} writer;

/* Types of a family have cells of one kind; the stage checks that a value fits the stored type. */
static weir_type family(weir_type type)
{
    switch (type) {
    case WEIR_SHORT:
    case WEIR_INT:
        return WEIR_LONG;
    case WEIR_FLOAT:
        return WEIR_DOUBLE;
    case WEIR_UNSPECIFIED:
    case WEIR_JSON:
    case WEIR_XML:
        return WEIR_STRING;
    default:
        return type;
    }
}

/*
 * The request's table against the stored one: what does not match would be lost or stored as something else.
 */
static weir_status check_shape(writer *w)
{
    bool keyed = false;

    for (size_t i = 0; i < w->table->column_count; i++) {
        const weir_column *column = &w->table->columns[i];
        const stored_column *stored = table_stored_column(&w->stored, column->name);

        if (stored == NULL)
            return weir_fail(w->call, "Cannot %s: the stored table has no column '%s'.", w->doing,
                             column->name);
        if (stored->column.key != column->key)
            return weir_fail(w->call, "Cannot %s: column '%s' is%s part of the stored table's key.", w->doing,
                             column->name, stored->column.key ? "" : " not");
        if (strcmp(stored->declared, table_declared(w->call, &stored->column)) != 0 ||
            family(stored->column.type) != family(column->type))
            return weir_fail(w->call, "Cannot %s: column '%s' is stored as %s, not as %s.", w->doing,
                             column->name, stored->declared, weir_type_name(column->type));
        w->nanos[i] = table_companion(&w->stored, column->name) != NULL;
        keyed |= column->key;
    }
    for (size_t i = 0; i < w->stored.count; i++)
        if (w->stored.columns[i].column.key && table_find(w->table, w->stored.columns[i].name) == NULL)
            return weir_fail(w->call, "Cannot %s: the request lacks the key column '%s'.", w->doing,
                             w->stored.columns[i].name);
    if (!keyed)
        return weir_task(w->call, "Cannot %s: it has no key, so its rows cannot be told apart.", w->doing);
    return WEIR_OK;
}

static weir_status prepare(writer *w)
{
    size_t count = w->table->column_count;
    stage_column *columns = weir_alloc(w->call, count * sizeof *columns);
    text path = text_new(w->call);
    bool rows = false;
    weir_status status = table_read(w->call, w->table->schema, w->table->name, &w->stored);

    if (status == WEIR_NOT_FOUND)
        return weir_fail(w->call, "Cannot %s: there is no such table.", w->doing);
    w->nanos = weir_alloc(w->call, count * sizeof *w->nanos);
    if (status == WEIR_OK)
        status = check_shape(w);
    if (status)
        return status;
    store_put_path(w->call, &path, w->table->schema, w->table->name);
    w->path = path.data;
    /* The stored digits of a decimal count, not those that the request names. */
    for (size_t i = 0; i < count; i++)
        columns[i] = table_stage_column(&table_stored_column(&w->stored, w->table->columns[i].name)->column);
    w->stage = stage_new(columns, count);
    w->other = stage_new(columns, count);
    if (w->stage == NULL || w->other == NULL)
        return weir_fail(w->call, "Cannot %s: out of memory", w->doing);
    w->untouched = true;
    status = store_has_row(w->call, weir_printf(w->call, "SELECT 'x' FROM %s LIMIT 1", w->path), w->doing,
                           &rows);
    w->empty = !rows;
    return status;
}

/* --- companions that turn out to be needed --- */

/*
 * DuckDB cannot add a column to a table that the same transaction has added rows to, so then the table is
 * copied. This happens at most once in the life of a column, and seldom: its first fine value must come in a
 * later stage.
 */
static weir_status copy_with_companion(writer *w, const char *base)
{
    weir_table rebuilt = { w->table->schema, REBUILT, NULL, 0 };
    text sql = text_new(w->call), other = text_new(w->call);
    weir_status status;

    store_put_path(w->call, &other, w->table->schema, REBUILT);
    text_printf(&sql, "CREATE TABLE %s AS SELECT * FROM %s LIMIT 0", other.data, w->path);
    status = store_run(w->call, sql.data, w->doing);
    if (status == WEIR_OK)
        status = table_add_companion(w->call, &rebuilt, base, w->doing);
    for (size_t i = 0; status == WEIR_OK && i < w->stored.count; i++) {
        const stored_column *column = &w->stored.columns[i];
        text comment = text_new(w->call);

        if (column->comment == NULL)
            continue;
        text_printf(&comment, "COMMENT ON COLUMN %s.", other.data);
        text_name(&comment, column->name);
        text_put(&comment, " IS ");
        text_value(&comment, column->comment);
        status = store_run(w->call, comment.data, w->doing);
    }
    sql.size = 0;
    text_printf(&sql, "INSERT INTO %s SELECT *, 0 FROM %s; DROP TABLE %s; ALTER TABLE %s RENAME TO ",
                other.data, w->path, w->path, other.data);
    text_name(&sql, w->table->name);
    return status ? status : store_run(w->call, sql.data, w->doing);
}

/* Where the stage has digits past the microsecond, the table gets a place for them. */
static weir_status add_companions(writer *w)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < w->table->column_count; i++) {
        const char *base = w->table->columns[i].name;

        if (w->nanos[i] || !stage_has_nanos(w->stage, i))
            continue;
        status = w->untouched ? table_add_companion(w->call, w->table, base, w->doing)
                              : copy_with_companion(w, base);
        if (status == WEIR_OK)
            status = table_read(w->call, w->table->schema, w->table->name, &w->stored);
        w->nanos[i] = true;
    }
    return status;
}

/* --- merges --- */

/*
 * Calls for every stored column that the stage has: its name, and 'c' or 'n' for the value or its
 * nanoseconds.
 */
static void put_columns(const writer *w, text *sql, const char *prefix, bool of_stage)
{
    for (size_t i = 0; i < w->table->column_count; i++) {
        text_put(sql, i == 0 ? prefix : ", ");
        if (of_stage)
            text_printf(sql, "s.c%zu", i);
        else
            text_name(sql, w->table->columns[i].name);
        if (!w->nanos[i])
            continue;
        text_put(sql, ", ");
        if (of_stage)
            text_printf(sql, "s.n%zu", i);
        else
            text_name(sql, table_companion(&w->stored, w->table->columns[i].name)->name);
    }
}

static void put_match(const writer *w, text *sql)
{
    const char *glue = " WHERE ";

    for (size_t i = 0; i < w->table->column_count; i++) {
        if (!w->table->columns[i].key)
            continue;
        text_printf(sql, "%st.", glue);
        text_name(sql, w->table->columns[i].name);
        text_printf(sql, " = s.c%zu", i);
        glue = " AND ";
        if (!w->nanos[i])
            continue;
        text_put(sql, " AND t.");
        text_name(sql, table_companion(&w->stored, w->table->columns[i].name)->name);
        text_printf(sql, " = s.n%zu", i);
    }
}

static const char *delete_sql(const writer *w)
{
    text sql = text_new(w->call);

    text_printf(&sql, "DELETE FROM %s AS t USING weir_stage(%llu) AS s", w->path,
                (unsigned long long)stage_id(w->stage));
    put_match(w, &sql);
    return sql.data;
}

static const char *insert_sql(const writer *w)
{
    text sql = text_new(w->call);

    text_printf(&sql, "INSERT INTO %s", w->path);
    put_columns(w, &sql, " (", false);
    put_columns(w, &sql, ") SELECT ", true);
    text_printf(&sql, " FROM weir_stage(%llu) AS s", (unsigned long long)stage_id(w->stage));
    return sql.data;
}

/* `SET name = value`, of the rows that modify it. */
static void put_assignment(const writer *w, text *sql, size_t column, char part)
{
    const char *name = w->table->columns[column].name;
    size_t word = column / STAGE_MASK_BITS * STAGE_MASK_BITS;

    if (part == 'n')
        name = table_companion(&w->stored, name)->name;
    text_name(sql, name);
    if (stage_modified(w->stage, column) == stage_rows(w->stage)) {
        text_printf(sql, " = s.%c%zu", part, column);
        return;
    }
    text_printf(sql, " = CASE WHEN s.m%zu & %llu::UBIGINT <> 0 THEN s.%c%zu ELSE t.", word,
                1ULL << (column - word), part, column);
    text_name(sql, name);
    text_put(sql, " END");
}

/* NULL when no column is modified. */
static const char *update_sql(const writer *w)
{
    const char *glue = " SET ";
    text sql = text_new(w->call);

    text_printf(&sql, "UPDATE %s AS t", w->path);
    for (size_t i = 0; i < w->table->column_count; i++) {
        if (w->table->columns[i].key || stage_modified(w->stage, i) == 0)
            continue;
        text_put(&sql, glue);
        put_assignment(w, &sql, i, 'c');
        glue = ", ";
        if (w->nanos[i]) {
            text_put(&sql, glue);
            put_assignment(w, &sql, i, 'n');
        }
    }
    if (glue[0] == ' ')
        return NULL;
    text_printf(&sql, " FROM weir_stage(%llu) AS s", (unsigned long long)stage_id(w->stage));
    put_match(w, &sql);
    return sql.data;
}

/*
 * Like duckdb_query, which spins while DuckDB's own threads have all the work that is left: this thread would
 * take a core from the one that reads the batch, so it sleeps instead. False when the statement failed;
 * `result` then has the error.
 */
static bool run_quietly(duckdb_connection db, const char *sql, duckdb_result *result)
{
    const struct timespec nap = { .tv_nsec = NAP_NS };
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_pending_state state;
    bool done;

    if (duckdb_prepare(db, sql, &statement) != DuckDBSuccess ||
        duckdb_pending_prepared(statement, &pending) != DuckDBSuccess) {
        /* Running it the plain way gives the error as a result. */
        done = duckdb_query(db, sql, result) == DuckDBSuccess;
    } else {
        while (!duckdb_pending_execution_is_finished(state = duckdb_pending_execute_task(pending)))
            if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
                nanosleep(&nap, NULL);
        done = duckdb_execute_pending(pending, result) == DuckDBSuccess;
    }
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return done;
}

static void *run_merge(void *context)
{
    merge *m = context;

    for (size_t i = 0; i < 2 && m->sql[i] && !m->failed; i++) {
        m->failed = !run_quietly(m->db, m->sql[i], &m->result);
        if (!m->failed)
            duckdb_destroy_result(&m->result);
    }
    return NULL;
}

/* Waits for the merge that is under way, if any; one whose caller is gone is interrupted. */
static void join_merge(writer *w)
{
    bool joined = !w->merge.running;

    while (!joined) {
        struct timespec until = store_soon();

        joined = pthread_timedjoin_np(w->merge.thread, NULL, &until) == 0;
        if (!joined && !weir_running(w->call))
            duckdb_interrupt(w->merge.db);
    }
    w->merge.running = false;
}

/* The same, and tells how it went. The other stage is empty afterwards. */
static weir_status end_merge(writer *w)
{
    weir_status status = WEIR_OK;

    join_merge(w);
    if (w->merge.failed) {
        status = store_error(w->call, &w->merge.result, w->doing);
        duckdb_destroy_result(&w->merge.result);
        w->merge.failed = false;
    }
    stage_reset(w->other);
    return status;
}

static void word_merge(writer *w, weir_op op)
{
    store *s = weir_session(w->call);

    w->merge = (merge){ .db = s->db };
    if (op == WEIR_UPDATE) {
        w->merge.sql[0] = update_sql(w);
    } else if (op == WEIR_DELETE) {
        w->merge.sql[0] = delete_sql(w);
    } else {
        w->merge.sql[0] = w->empty ? insert_sql(w) : delete_sql(w);
        w->merge.sql[1] = w->empty ? NULL : insert_sql(w);
    }
}

/* Merges the stage beside further reading, and gives an empty one to fill. */
static weir_status begin_merge(writer *w, weir_op op)
{
    stage *full = w->stage;
    weir_status status = end_merge(w);

    if (status || stage_rows(full) == 0)
        return status;
    status = add_companions(w);
    if (status)
        return status;
    word_merge(w, op);
    w->empty = w->empty && op != WEIR_REPLACE;
    w->untouched = false;
    w->stage = w->other;
    w->other = full;
    /* Without a thread the work is done here and now. */
    w->merge.running = pthread_create(&w->merge.thread, NULL, run_merge, &w->merge) == 0;
    if (w->merge.running)
        return WEIR_OK;
    run_merge(&w->merge);
    return end_merge(w);
}

/* The value itself stays out of the text: it may be private. */
static weir_status refuse(const writer *w, stage_fault fault, size_t column)
{
    const weir_column *at = &w->table->columns[column];

    if (fault == STAGE_NO_KEY)
        return weir_fail(w->call, "Cannot %s: a row has no value in its key column '%s'.", w->doing,
                         at->name);
    if (fault == STAGE_NO_FIT)
        return weir_fail(w->call, "Cannot %s: a value of column '%s' does not fit its type %s.", w->doing,
                         at->name, table_stored_column(&w->stored, at->name)->declared);
    return weir_fail(w->call, "Cannot %s: out of memory", w->doing);
}

static weir_status write_rows(writer *w, weir_batch *in)
{
    weir_op op = WEIR_REPLACE;
    weir_row row;
    weir_status status;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        stage_fault fault;
        size_t column = 0;

        if (row.op != op || stage_rows(w->stage) >= STAGE_ROWS_MAX ||
            stage_bytes(w->stage) >= STAGE_BYTES_MAX) {
            status = begin_merge(w, op);
            if (status)
                return status;
            op = row.op;
        }
        fault = stage_add(w->stage, &row, &column);
        if (fault != STAGE_TAKEN)
            return refuse(w, fault, column);
    }
    if (status == WEIR_OK)
        status = begin_merge(w, op);
    return status ? status : end_merge(w);
}

weir_status table_write(weir_call *call, const weir_table *table, weir_batch *in)
{
    writer w = {
        .call = call,
        .table = table,
        .doing = table_doing(call, "write table", table->schema, table->name),
    };
    weir_status status = store_begin(call, table_doing(call, "", table->schema, table->name));

    if (status)
        return status;
    status = prepare(&w);
    if (status == WEIR_OK) {
        status = write_rows(&w, in);
        join_merge(&w);
        /* Reading failed first: that error counts, whatever the merge met. */
        if (w.merge.failed)
            duckdb_destroy_result(&w.merge.result);
    }
    status = store_end(call, status);
    stage_free(w.stage);
    stage_free(w.other);
    return status;
}
