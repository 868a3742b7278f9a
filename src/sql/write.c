/*
 * sql/write: rows of a batch into stages, and stages into the table.
 *
 * Plain rows come by kind; each kind is staged and merged by itself, in as many stages as the store's loader
 * wants. Rows of a history batch go into one stage all together (history.c). While rows pass, the layer keeps
 * hashes of their keys: a stage whose keys all differ needs no folding.
 */
#include <string.h>

#include "base/hash.h"
#include "model/value.h"
#include "sql/seen.h"
#include "sql/sql_internal.h"

#define ROWS_BETWEEN_LOOKS 4096 /* at weir_running */

typedef struct writer {
    weir_sql_request r;
    bool history;
    weir_sql_target target;
    weir_sql_table stored;
    const weir_sql_column **into;
    weir_sql_stage stage;
    bool open;  /* the stage is */
    bool empty; /* the table has no rows */
    bool keyed;
    unsigned stages;
    weir_seen seen;
    uint64_t *modified; /* per column: rows of the stage that set it; in history, of the versions */
    uint64_t rows;      /* of the stage; in history, the versions */
    weir_sql_versions has;
} writer;

/* --- the target --- */

/* Types of a family have cells of one kind; the loader sees to it that a value fits the stored type. */
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

/* One of the request's columns against the stored one (R-BAT-09). */
static weir_status check_column(const writer *w, const weir_column *column, const weir_sql_column *stored)
{
    weir_call *call = w->r.call;

    if (stored == NULL)
        return weir_fail(call, "Cannot %s: the stored table has no column '%s'.", w->r.doing, column->name);
    if (family(stored->column.type) != family(column->type))
        return weir_fail(call, "Cannot %s: column '%s' is stored as %s, not as %s.", w->r.doing, column->name,
                         weir_type_name(stored->column.type), weir_type_name(column->type));
    if (stored->column.key != column->key)
        return weir_fail(call, "Cannot %s: column '%s' is%s part of the stored table's key.", w->r.doing,
                         column->name, stored->column.key ? "" : " not");
    return WEIR_OK;
}

static const weir_sql_column *find_stored(const writer *w, const weir_column *column)
{
    const char *name = weir_sql_stored_name(w->r.call, w->r.sql, column->name, WEIR_SQL_NAME_COLUMN);

    for (size_t i = 0; i < w->stored.count; i++)
        if (strcmp(w->stored.columns[i].name, name) == 0)
            return &w->stored.columns[i];
    return NULL;
}

/* Reads the table, and finds the request's columns in it. */
static weir_status map_columns(writer *w)
{
    const weir_table *table = w->target.table;
    weir_status status = weir__sql_read(&w->r, table->name, &w->stored);

    if (status == WEIR_NOT_FOUND)
        return weir_fail(w->r.call, "Cannot %s: there is no such table.", w->r.doing);
    for (size_t i = 0; status == WEIR_OK && i < table->column_count; i++) {
        w->into[i] = find_stored(w, &table->columns[i]);
        status = check_column(w, &table->columns[i], w->into[i]);
        w->keyed = w->keyed || table->columns[i].key;
    }
    for (size_t i = 0; status == WEIR_OK && i < w->stored.count; i++) {
        bool asked = !w->stored.columns[i].column.key;

        for (size_t k = 0; !asked && k < table->column_count; k++)
            asked = w->into[k] == &w->stored.columns[i];
        if (!asked)
            status = weir_fail(w->r.call, "Cannot %s: the request lacks the key column '%s'.", w->r.doing,
                               w->stored.columns[i].column.name);
    }
    return status;
}

static weir_status check_history(const writer *w)
{
    static const char *const names[] = { "_fivetran_start", "_fivetran_end", "_fivetran_active" };

    if (!weir__sql_is_history(&w->stored))
        return weir_fail(
            w->r.call,
            "Cannot %s: it is not in history mode; that takes _fivetran_start in the key, another "
            "key column, _fivetran_end and _fivetran_active.",
            w->r.doing);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (weir_table_column(w->target.table, names[i]) == NULL)
            return weir_fail(w->r.call, "Cannot %s: the request lacks the column '%s'.", w->r.doing,
                             names[i]);
    return WEIR_OK;
}

static weir_status prepare(writer *w)
{
    size_t count = w->target.table->column_count;
    bool found = false;
    weir_status status = weir__sql_settle(&w->r, w->target.table->name);

    w->into = weir_alloc(w->r.call, (count + 1) * sizeof *w->into);
    w->modified = weir_alloc(w->r.call, (count + 1) * sizeof *w->modified);
    w->target.into = w->into;
    w->target.stored = &w->stored;
    if (status == WEIR_OK)
        status = map_columns(w);
    if (status == WEIR_OK && w->history)
        status = check_history(w);
    if (status == WEIR_OK && (w->r.sql->write == NULL || w->history))
        status = weir__sql_any(&w->r, weir_printf(w->r.call, "SELECT 1 FROM %s LIMIT 1", w->stored.path),
                               &found);
    w->empty = !found;
    return status;
}

/* --- rows --- */

static weir_status no_value(weir_call *call, const char *doing, const char *column)
{
    return weir_fail(call, "Cannot %s: a row has no value in its key column '%s'.", doing, column);
}

weir_status weir_sql_check_row(weir_call *call, const weir_sql_target *target, const weir_row *row)
{
    bool keyed = false;

    for (size_t i = 0; i < target->table->column_count; i++) {
        if (!target->table->columns[i].key)
            continue;
        keyed = true;
        if (row->cells[i].presence != WEIR_VALUE)
            return no_value(call, target->doing, target->table->columns[i].name);
    }
    if (!keyed && row->op != WEIR_REPLACE)
        return weir_task(call, "Cannot %s: it has no key, so its rows cannot be told apart.", target->doing);
    return WEIR_OK;
}

/* R-HIS-04: a delete row names no version, so `_fivetran_start` may be missing there. */
static weir_status check_version(const writer *w, const weir_row *row)
{
    const char *time = row->op == WEIR_DELETE ? "_fivetran_end" : "_fivetran_start";

    for (size_t i = 0; i < row->count; i++) {
        const weir_column *column = &w->target.table->columns[i];
        bool needed = strcmp(column->name, time) == 0 ||
                      (column->key && strcmp(column->name, "_fivetran_start") != 0);

        if (needed && row->cells[i].presence != WEIR_VALUE)
            return column->key
                       ? no_value(w->r.call, w->r.doing, column->name)
                       : weir_fail(w->r.call, "Cannot %s: a row has no '%s'.", w->r.doing, column->name);
    }
    return WEIR_OK;
}

static bool is_version(const weir_row *row)
{
    return row->op == WEIR_REPLACE || row->op == WEIR_UPDATE;
}

/* Notes the key of a row, by value as the store keeps it (R-DST-07). */
static void see_key(writer *w, const weir_row *row)
{
    uint64_t hash = 1;

    if (w->stage.straight)
        w->seen.overflow = true; /* should the row be staged yet, its key is unknown */
    if (w->seen.doubled || w->seen.overflow || w->stage.unique || (w->history && !is_version(row)))
        return;
    for (size_t i = 0; i < row->count; i++) {
        weir_cell cell = row->cells[i];
        unsigned fine;

        if (!w->target.table->columns[i].key)
            continue;
        if (weir__sql_has_clock(cell.type) && w->r.sql->fine_type == NULL)
            cell.as.time = weir__sql_cut(w->r.sql, cell.as.time, &fine);
        hash = weir__value_hash(&cell, hash);
    }
    weir__seen_add(&w->seen, w->r.call, hash);
}

static void count_row(writer *w, const weir_row *row)
{
    w->has.earliest += row->op == WEIR_EARLIEST;
    w->has.replace += row->op == WEIR_REPLACE;
    w->has.update += row->op == WEIR_UPDATE;
    w->has.remove += row->op == WEIR_DELETE;
    if (w->history && !is_version(row))
        return;
    w->rows++;
    for (size_t i = 0; row->op != WEIR_DELETE && i < row->count; i++)
        w->modified[i] += row->cells[i].presence != WEIR_UNMODIFIED;
}

/* --- stages --- */

static weir_status open_stage(writer *w, weir_op op)
{
    const weir_sql *sql = w->r.sql;
    bool masked = op == WEIR_UPDATE || w->history;

    w->stage = (weir_sql_stage){
        .target = &w->target,
        .number = ++w->stages,
        .op = op,
        .mixed = w->history,
        .masked = masked,
        .keys_only = op == WEIR_DELETE && !w->history,
        .empty = w->empty,
        .direct = op == WEIR_REPLACE && !w->history,
    };
    w->open = true;
    weir__seen_clear(&w->seen);
    w->rows = 0;
    memset(w->modified, 0, w->target.table->column_count * sizeof *w->modified);
    return sql->stage_open != NULL ? sql->stage_open(w->r.call, &w->stage)
                                   : weir__sql_literals_open(w->r.call, sql, &w->stage);
}

static void drop_stage(writer *w)
{
    if (!w->open)
        return;
    w->open = false;
    if (w->r.sql->stage_open != NULL)
        w->r.sql->stage_drop(w->r.call, &w->stage);
    else
        weir__sql_literals_drop(w->r.call, w->r.sql, &w->stage);
}

/* Whether a key may come twice: by the hashes, or by asking. */
static weir_status look_for_doubles(writer *w, weir_sql_merge *m)
{
    weir_sql_text key = weir_sql_text_new(w->r.call);

    m->doubled = !w->stage.unique && w->seen.doubled;
    if (w->stage.unique || w->seen.doubled || !w->seen.overflow || !w->keyed)
        return WEIR_OK;
    weir__sql_put_staged(&key, m, "s", weir__sql_is_key);
    return weir__sql_any(
        &w->r,
        weir_printf(w->r.call, "SELECT 1 FROM %s AS s%s GROUP BY %s HAVING count(*) > 1 LIMIT 1",
                    w->stage.relation, w->history ? " WHERE s.kind IN (0, 1)" : "", key.data),
        &m->doubled);
}

static weir_status run_script(writer *w, const weir_sql_script *script)
{
    weir_status status = WEIR_OK;

    if (w->r.sql->merge != NULL) {
        for (size_t i = 0; weir__sql_watch != NULL && i < script->count; i++)
            weir__sql_watch(script->items[i]);
        w->open = false;
        return w->r.sql->merge(w->r.call, &w->stage, script->items, script->count);
    }
    for (size_t i = 0; status == WEIR_OK && i < script->count; i++)
        status = weir__sql_run(&w->r, script->items[i]);
    drop_stage(w);
    return status;
}

static weir_status merge_stage(writer *w)
{
    weir_sql_merge m = { .r = w->r,
                         .group = w->history ? weir__sql_is_own : weir__sql_is_key,
                         .target = &w->target,
                         .stage = &w->stage,
                         .modified = w->modified,
                         .rows = w->rows };
    weir_sql_script script = { 0 };
    weir_status status = w->stage.reshaped ? map_columns(w) : WEIR_OK;

    if (status == WEIR_OK) {
        weir__sql_merge_fields(&m);
        status = look_for_doubles(w, &m);
    }
    if (status != WEIR_OK)
        return status;
    if (w->history)
        weir__sql_merge_history(&m, &w->has, &script);
    else
        weir__sql_merge_rows(&m, &script);
    return run_script(w, &script);
}

/* No more rows for this stage: what is in it goes into the table. */
static weir_status finish_stage(writer *w)
{
    const weir_sql *sql = w->r.sql;
    weir_status status;

    if (!w->open)
        return WEIR_OK;
    status = sql->stage_open != NULL ? sql->stage_close(w->r.call, &w->stage)
                                     : weir__sql_literals_close(w->r.call, sql, &w->stage);
    if (status == WEIR_OK && w->stage.rows > 0)
        status = merge_stage(w);
    drop_stage(w);
    w->empty = w->empty && w->stage.op != WEIR_REPLACE;
    return status;
}

static weir_status add_row(writer *w, const weir_row *row)
{
    weir_status status = w->history ? check_version(w, row) : weir_sql_check_row(w->r.call, &w->target, row);

    if (status == WEIR_OK && w->open && (w->stage.full || (!w->history && row->op != w->stage.op)))
        status = finish_stage(w);
    if (status == WEIR_OK && !w->open)
        status = open_stage(w, row->op);
    if (status != WEIR_OK)
        return status;
    see_key(w, row);
    count_row(w, row);
    return w->r.sql->stage_open != NULL ? w->r.sql->stage_add(w->r.call, &w->stage, row)
                                        : weir__sql_literals_add(w->r.call, w->r.sql, &w->stage, row);
}

static weir_status stage_rows(writer *w, weir_batch *in)
{
    uint64_t rows = 0;
    weir_row row;
    weir_status status;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        if (++rows % ROWS_BETWEEN_LOOKS == 0 && !weir_running(w->r.call))
            status = WEIR_CANCELLED;
        else
            status = add_row(w, &row);
        if (status != WEIR_OK)
            break;
    }
    if (status == WEIR_OK)
        status = finish_stage(w);
    drop_stage(w);
    return status;
}

static weir_status write_batch(writer *w, weir_batch *in)
{
    weir_status status = prepare(w);

    if (status != WEIR_OK)
        return status;
    if (w->r.sql->write != NULL && !w->history)
        return w->r.sql->write(w->r.call, &w->target, in);
    return stage_rows(w, in);
}

static weir_status write_any(weir_call *call, const weir_sql *sql, const weir_table *table, weir_batch *in,
                             bool history)
{
    const char *doing = weir_sql_doing(call, "write table", table->schema, table->name);
    writer *w = weir_alloc(call, sizeof *w);
    weir_sql_scope scope = { WEIR_SQL_WRITE, table->schema != NULL ? table->schema : "", table->name, NULL,
                             doing };
    weir_status status;

    w->r = (weir_sql_request){ call, sql, scope.schema, doing };
    w->history = history;
    w->target = (weir_sql_target){ .table = table, .doing = doing };
    status = sql->begin(call, &scope);
    return status == WEIR_OK ? weir__sql_end(call, sql, write_batch(w, in)) : status;
}

weir_status weir_sql_write(weir_call *call, const weir_sql *sql, const weir_table *table, weir_batch *in)
{
    return write_any(call, sql, table, in, false);
}

weir_status weir_sql_write_history(weir_call *call, const weir_sql *sql, const weir_table *table,
                                   weir_batch *in)
{
    return write_any(call, sql, table, in, true);
}
