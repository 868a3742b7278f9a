/*
 * sql/literals: the loader of stores that have none of their own: a temporary table, filled by INSERTs of
 * constants, many rows at a time. Values are read in the stored type, and refused where they do not fit.
 */
#include <inttypes.h>

#include "sql/sql_internal.h"

#define STATEMENT_SIZE_DEFAULT ((size_t)1 << 20)

typedef struct loader {
    weir_sql_text sql; /* an INSERT under way; empty between two */
    const char *path;
    uint64_t rows;
} loader;

static weir_sql_request request_of(weir_call *call, const weir_sql *sql, const weir_sql_stage *stage)
{
    return (weir_sql_request){ call, sql, stage->target->stored->schema, stage->target->doing };
}

static bool is_staged(const weir_sql_stage *stage, size_t index)
{
    return !stage->keys_only || stage->target->table->columns[index].key;
}

weir_status weir__sql_literals_open(weir_call *call, const weir_sql *sql, weir_sql_stage *stage)
{
    weir_sql_request r = request_of(call, sql, stage);
    size_t count = stage->target->table->column_count;
    const char *name = weir_printf(call, "_weir_stage_%u", stage->number);
    loader *l = weir_alloc(call, sizeof *l);
    weir_sql_text create = weir_sql_text_new(call);
    weir_status status;

    l->sql = weir_sql_text_new(call);
    l->path = weir__sql_temporary_path(call, sql, name);
    stage->state = l;
    stage->relation = l->path;
    weir_sql_put(&create,
                 weir__sql_fill(call, sql->temporary != NULL ? sql->temporary : "CREATE TEMP TABLE %s",
                                weir_sql_quoted(call, sql, name), ""));
    weir_sql_put(&create, " (seq BIGINT");
    for (size_t i = 0; i < count; i++)
        if (is_staged(stage, i))
            weir_sql_printf(&create, ", c%zu %s", i, sql->type(call, &stage->target->into[i]->column));
    for (size_t i = 0; stage->masked && i < count; i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(&create, ", m%zu BIGINT", i);
    weir_sql_put(&create, stage->mixed ? ", kind INTEGER)" : ")");
    status = weir__sql_run(
        &r,
        weir__sql_fill(call, sql->temporary_drop != NULL ? sql->temporary_drop : "DROP TABLE IF EXISTS %s",
                       l->path, ""));
    return status == WEIR_OK ? weir__sql_run(&r, create.data) : status;
}

static weir_status flush(weir_call *call, const weir_sql *sql, weir_sql_stage *stage)
{
    weir_sql_request r = request_of(call, sql, stage);
    loader *l = stage->state;
    weir_status status = l->sql.size > 0 ? weir__sql_run(&r, l->sql.data) : WEIR_OK;

    l->sql.size = 0;
    return status;
}

/* A cell as a constant of the stored column; NULL, worded, when the value does not fit. */
static weir_status put_cell(weir_call *call, const weir_sql *sql, weir_sql_stage *stage, size_t index,
                            const weir_cell *cell)
{
    weir_sql_request r = request_of(call, sql, stage);
    const weir_sql_column *into = stage->target->into[index];
    loader *l = stage->state;
    weir_cell value = *cell;
    char room[256];
    unsigned fine;

    if (cell->presence != WEIR_VALUE) {
        weir_sql_put(&l->sql, ", NULL");
        return WEIR_OK;
    }
    if (!weir_sql_convert(
            cell, &into->column,
            weir_sql_convert_size(cell) <= sizeof room ? room : weir_alloc(call, weir_sql_convert_size(cell)),
            &value))
        return weir_fail(call, "Cannot %s: a value of column '%s' does not fit its type %s.", r.doing,
                         into->column.name, into->declared);
    if (weir__sql_has_clock(value.type))
        value.as.time = weir__sql_cut(sql, value.as.time, &fine);
    weir_sql_printf(&l->sql, ", %s", weir__sql_constant(&r, &into->column, &value));
    return WEIR_OK;
}

static void put_words(weir_sql_text *out, const weir_row *row)
{
    for (size_t word = 0; word < row->count; word += WEIR_SQL_MASK_BITS) {
        uint64_t bits = 0;

        for (size_t i = word; i < row->count && i < word + WEIR_SQL_MASK_BITS; i++)
            bits |= (uint64_t)(row->cells[i].presence != WEIR_UNMODIFIED) << (i - word);
        weir_sql_printf(out, ", %" PRIu64, bits);
    }
}

weir_status weir__sql_literals_add(weir_call *call, const weir_sql *sql, weir_sql_stage *stage,
                                   const weir_row *row)
{
    loader *l = stage->state;
    weir_status status = WEIR_OK;

    if (l->sql.size == 0)
        weir_sql_printf(&l->sql, "INSERT INTO %s VALUES ", l->path);
    else
        weir_sql_put(&l->sql, ", ");
    weir_sql_printf(&l->sql, "(%" PRIu64, ++l->rows);
    for (size_t i = 0; status == WEIR_OK && i < row->count; i++)
        if (is_staged(stage, i))
            status = put_cell(call, sql, stage, i, &row->cells[i]);
    if (stage->masked)
        put_words(&l->sql, row);
    if (stage->mixed)
        weir_sql_printf(&l->sql, ", %d", (int)row->op);
    weir_sql_put(&l->sql, ")");
    if (status == WEIR_OK &&
        l->sql.size >= (sql->statement_size_max > 0 ? sql->statement_size_max : STATEMENT_SIZE_DEFAULT) / 2)
        status = flush(call, sql, stage);
    return status;
}

weir_status weir__sql_literals_close(weir_call *call, const weir_sql *sql, weir_sql_stage *stage)
{
    const loader *l = stage->state;

    stage->rows = l->rows;
    return flush(call, sql, stage);
}

void weir__sql_literals_drop(weir_call *call, const weir_sql *sql, weir_sql_stage *stage)
{
    weir_sql_request r = request_of(call, sql, stage);
    const loader *l = stage->state;

    /* A transaction that has failed takes no statements; its end takes the table away. */
    (void)weir__sql_run(
        &r,
        weir__sql_fill(call, sql->temporary_drop != NULL ? sql->temporary_drop : "DROP TABLE IF EXISTS %s",
                       l->path, ""));
}
