/*
 * duckdb/merge: a stage per merge, a temporary table in memory, filled by an appender and merged by one
 * statement; see merge.h for the contract.
 *
 * The stage has the table's columns as c0, c1, …, the order of the rows as n, and for updates u0, u1, …: the
 * cell says nothing. When a key comes several times the last row counts, and for updates the last row that
 * says something, column by column.
 */
#include "duckdb/merge.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/table.h"
#include "data/type.h"
#include "duckdb/internal.h"
#include "duckdb/stored.h"

#define STAGE_NAME_SIZE 40
#define PART_NAME_SIZE 24

struct duck_merge {
    duck *db;
    weir_arena *arena;
    const weir_table *table; /* in the arena */
    const char **types;      /* as the stored columns have them */
    duck_stored *stored;
    size_t stored_count;
    size_t key_count;
    weir_op op;              /* of the rows in the stage */
    duck_appender *appender; /* NULL while the stage is empty */
    char stage[STAGE_NAME_SIZE];
    weir_cell *cells; /* a row of the stage */
    uint64_t rows;
    size_t bytes; /* of texts in the stage */
    weir_buf sql;
};

static const char *const unkeyed = "table '%s' has no key: rows can be added to it, not changed or deleted";

/* --- making --- */

static weir_status find_types(duck_merge *m, weir_error *err)
{
    for (size_t i = 0; i < m->table->column_count; i++) {
        for (size_t k = 0; k < m->stored_count && m->types[i] == NULL; k++)
            if (strcmp(m->stored[k].name, m->table->columns[i].name) == 0)
                m->types[i] = m->stored[k].type;
        if (m->types[i] == NULL)
            return weir__error(err, "table '%s' has no column '%s'", m->table->name,
                               m->table->columns[i].name);
    }
    return WEIR_OK;
}

static weir_status begin(duck_merge *m, const weir_table *table, weir_error *err)
{
    weir_status status;

    m->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (m->arena == NULL || (m->table = weir__table_copy(table, m->arena)) == NULL)
        return weir__error_memory(err, "merging rows");
    m->types = weir__arena_array(m->arena, table->column_count, sizeof *m->types);
    m->cells = weir__arena_array(m->arena, 2 * table->column_count + 1, sizeof *m->cells);
    if (m->types == NULL || m->cells == NULL)
        return weir__error_memory(err, "merging rows");
    m->key_count = weir__table_key_count(table);
    snprintf(m->stage, sizeof m->stage, "_weir_stage_%llu", (unsigned long long)m->db->merges++);
    status = duck_stored_read(m->db, table->schema, table->name, m->arena, &m->stored, &m->stored_count, err);
    return status ? status : find_types(m, err);
}

weir_status duck_merge_new(duck *db, const weir_table *table, duck_merge **out, weir_error *err)
{
    duck_merge *m = weir__calloc(1, sizeof *m);
    weir_status status;

    if (m == NULL)
        return weir__error_memory(err, "merging rows");
    m->db = db;
    weir__buf_init(&m->sql, DUCK_SQL_SIZE_MAX);
    status = begin(m, table, err);
    if (status) {
        duck_merge_free(m);
        return status;
    }
    *out = m;
    return WEIR_OK;
}

/* The column as a part of the stage: "c3". */
static weir_status stage_columns(duck_merge *m, weir_table *stage, weir_error *err)
{
    size_t count = m->table->column_count;
    bool marks = m->op == WEIR_UPDATE;
    weir_column *columns = weir__calloc(2 * count + 1, sizeof *columns);
    char(*names)[PART_NAME_SIZE] = weir__calloc(2 * count + 1, sizeof *names);
    weir_status status;

    if (columns == NULL || names == NULL) {
        status = weir__error_memory(err, "merging rows");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], PART_NAME_SIZE, "c%zu", i);
        snprintf(names[count + 1 + i], PART_NAME_SIZE, "u%zu", i);
    }
    snprintf(names[count], PART_NAME_SIZE, "n");
    stage->column_count = count + 1 + (marks ? count : 0);
    for (size_t i = 0; i < stage->column_count; i++) {
        columns[i].name = names[i];
        m->cells[i].type = i < count ? WEIR_UNSPECIFIED : i == count ? WEIR_LONG : WEIR_BOOLEAN;
        m->cells[i].presence = WEIR_VALUE;
    }
    stage->columns = columns;
    status = duck_appender_new(m->db, stage, &m->appender, err);
out:
    weir__free(columns);
    weir__free(names);
    return status;
}

static weir_status run_sql(duck_merge *m, bool worded, weir_error *err)
{
    weir_status status = worded && weir__buf_put(&m->sql, "", 1) ? duck_run(m->db, m->sql.data, err)
                                                                 : weir__error_memory(err, "wording SQL");

    m->sql.size = 0;
    return status;
}

static weir_status make_stage(duck_merge *m, weir_error *err)
{
    weir_table stage = { .name = m->stage };
    bool worded = weir__buf_printf(&m->sql, "CREATE OR REPLACE TEMP TABLE %s (", m->stage);
    weir_status status;

    for (size_t i = 0; worded && i < m->table->column_count; i++)
        worded = weir__buf_printf(&m->sql, "c%zu %s, ", i, m->types[i]);
    for (size_t i = 0; worded && m->op == WEIR_UPDATE && i < m->table->column_count; i++)
        worded = weir__buf_printf(&m->sql, "u%zu BOOLEAN, ", i);
    status = run_sql(m, worded && weir__buf_put_text(&m->sql, "n BIGINT)"), err);
    return status ? status : stage_columns(m, &stage, err);
}

static weir_status drop_stage(duck_merge *m, weir_error *err)
{
    duck_appender_free(m->appender);
    m->appender = NULL;
    m->rows = 0;
    m->bytes = 0;
    return run_sql(m, weir__buf_printf(&m->sql, "DROP TABLE IF EXISTS temp.main.%s", m->stage), err);
}

/* --- rows --- */

static weir_status check_row(const duck_merge *m, weir_op op, const weir_cell *cells, size_t count,
                             weir_error *err)
{
    if (count != m->table->column_count)
        return weir__error(err, "merge a row into table '%s': %zu cells for %zu columns", m->table->name,
                           count, m->table->column_count);
    if (op != WEIR_UPSERT && op != WEIR_UPDATE && op != WEIR_DELETE)
        return weir__error(err, "merge a row into table '%s': operation %d is none of a row's",
                           m->table->name, (int)op);
    if (op != WEIR_UPSERT && m->key_count == 0)
        return weir__error(err, unkeyed, m->table->name);
    for (size_t i = 0; i < count; i++)
        if (m->table->columns[i].key && cells[i].presence != WEIR_VALUE)
            return weir__error(err, "merge a row into table '%s': the key column '%s' has no value",
                               m->table->name, m->table->columns[i].name);
    return WEIR_OK;
}

/* The row in the form of the stage. */
static void stage_row(duck_merge *m, const weir_cell *cells)
{
    size_t count = m->table->column_count;

    for (size_t i = 0; i < count; i++) {
        m->cells[i] = cells[i];
        if (m->op == WEIR_UPDATE)
            m->cells[count + 1 + i].as.boolean = cells[i].presence == WEIR_UNMODIFIED;
        if ((m->op == WEIR_UPDATE && cells[i].presence == WEIR_UNMODIFIED) ||
            (m->op == WEIR_DELETE && !m->table->columns[i].key))
            m->cells[i].presence = WEIR_NULL;
        else if (cells[i].presence == WEIR_VALUE && weir__type_is_bytes(cells[i].type))
            m->bytes += cells[i].as.bytes.size;
    }
    m->cells[count].as.integer = (int64_t)m->rows;
}

weir_status duck_merge_row(duck_merge *m, weir_op op, const weir_cell *cells, size_t count, weir_error *err)
{
    weir_status status = check_row(m, op, cells, count, err);

    if (status)
        return status;
    if (m->appender != NULL &&
        (op != m->op || m->rows >= WEIR_DUCKDB_STAGE_ROWS || m->bytes >= WEIR_DUCKDB_STAGE_SIZE))
        status = duck_merge_flush(m, err);
    if (status == WEIR_OK && m->appender == NULL) {
        m->op = op;
        status = make_stage(m, err);
    }
    if (status)
        return status;
    stage_row(m, cells);
    status = duck_appender_row(m->appender, m->cells, count + 1 + (op == WEIR_UPDATE ? count : 0), err);
    if (status)
        return status;
    m->rows++;
    return WEIR_OK;
}

/* --- statements --- */

static bool put_target(duck_merge *m)
{
    return duck_put_path(m->db, &m->sql, m->table->schema, m->table->name);
}

static bool put_keys(duck_merge *m)
{
    const char *glue = "";
    bool worded = true;

    for (size_t i = 0; worded && i < m->table->column_count; i++) {
        if (!m->table->columns[i].key)
            continue;
        worded = weir__buf_printf(&m->sql, "%sc%zu", glue, i);
        glue = ", ";
    }
    return worded;
}

static bool put_match(duck_merge *m)
{
    const char *glue = "";
    bool worded = true;

    for (size_t i = 0; worded && i < m->table->column_count; i++) {
        if (!m->table->columns[i].key)
            continue;
        worded = weir__buf_printf(&m->sql, "%st.", glue) &&
                 duck_put_name(&m->sql, m->table->columns[i].name) &&
                 weir__buf_printf(&m->sql, " = s.c%zu", i);
        glue = " AND ";
    }
    return worded;
}

/* "(a, b) VALUES (s.c0, s.c1)" or, from a plain SELECT, "(a, b) SELECT c0, c1". */
static bool put_insert(duck_merge *m, const char *between, const char *cell, const char *end)
{
    bool worded = true;

    for (size_t i = 0; worded && i < m->table->column_count; i++)
        worded = weir__buf_put_text(&m->sql, i == 0 ? "(" : ", ") &&
                 duck_put_name(&m->sql, m->table->columns[i].name);
    worded = worded && weir__buf_put_text(&m->sql, between);
    for (size_t i = 0; worded && i < m->table->column_count; i++)
        worded = weir__buf_printf(&m->sql, "%s%s%zu", i == 0 ? "" : ", ", cell, i);
    return worded && weir__buf_put_text(&m->sql, end);
}

static size_t find_column(const duck_merge *m, const char *name)
{
    return weir__table_find(m->table, (weir_bytes){ name, strlen(name) });
}

/* Every stored column gets the row's value, or NULL when the row has no such column. */
static bool put_replacement(duck_merge *m)
{
    const char *glue = " UPDATE SET ";
    bool worded = true;

    for (size_t i = 0; worded && i < m->stored_count; i++) {
        size_t at = find_column(m, m->stored[i].name);

        if (at != SIZE_MAX && m->table->columns[at].key)
            continue;
        worded = weir__buf_put_text(&m->sql, glue) && duck_put_name(&m->sql, m->stored[i].name) &&
                 (at == SIZE_MAX ? weir__buf_put_text(&m->sql, " = NULL")
                                 : weir__buf_printf(&m->sql, " = s.c%zu", at));
        glue = ", ";
    }
    return worded && (glue[0] == ',' || weir__buf_put_text(&m->sql, " DO NOTHING"));
}

static bool word_upsert(duck_merge *m)
{
    if (m->key_count == 0)
        return weir__buf_put_text(&m->sql, "INSERT INTO ") && put_target(m) &&
               put_insert(m, ") SELECT ", "c", " FROM ") && weir__buf_put_text(&m->sql, m->stage);
    return weir__buf_put_text(&m->sql, "MERGE INTO ") && put_target(m) &&
           weir__buf_printf(&m->sql, " AS t USING (SELECT * FROM %s QUALIFY row_number() OVER (PARTITION BY ",
                            m->stage) &&
           put_keys(m) && weir__buf_put_text(&m->sql, " ORDER BY n DESC) = 1) AS s ON ") && put_match(m) &&
           weir__buf_put_text(&m->sql, " WHEN MATCHED THEN") && put_replacement(m) &&
           weir__buf_put_text(&m->sql, " WHEN NOT MATCHED THEN INSERT ") &&
           put_insert(m, ") VALUES (", "s.c", ")");
}

static bool word_update(duck_merge *m)
{
    const char *glue = " SET ";
    bool worded = weir__buf_put_text(&m->sql, "UPDATE ") && put_target(m) &&
                  weir__buf_put_text(&m->sql, " AS t");

    for (size_t i = 0; worded && i < m->table->column_count; i++) {
        const char *name = m->table->columns[i].name;

        if (m->table->columns[i].key)
            continue;
        worded = weir__buf_put_text(&m->sql, glue) && duck_put_name(&m->sql, name) &&
                 weir__buf_printf(&m->sql, " = CASE WHEN s.u%zu THEN t.", i) &&
                 duck_put_name(&m->sql, name) && weir__buf_printf(&m->sql, " ELSE s.c%zu END", i);
        glue = ", ";
    }
    worded = worded && weir__buf_put_text(&m->sql, " FROM (SELECT ") && put_keys(m);
    for (size_t i = 0; worded && i < m->table->column_count; i++)
        if (!m->table->columns[i].key)
            worded = weir__buf_printf(&m->sql,
                                      ", arg_max_null(c%zu, n) FILTER (WHERE NOT u%zu) AS c%zu, "
                                      "bool_and(u%zu) AS u%zu",
                                      i, i, i, i, i);
    return worded && weir__buf_printf(&m->sql, " FROM %s GROUP BY ", m->stage) && put_keys(m) &&
           weir__buf_put_text(&m->sql, ") AS s WHERE ") && put_match(m);
}

static bool word_delete(duck_merge *m)
{
    return weir__buf_put_text(&m->sql, "DELETE FROM ") && put_target(m) &&
           weir__buf_printf(&m->sql, " AS t USING %s AS s WHERE ", m->stage) && put_match(m);
}

weir_status duck_merge_flush(duck_merge *m, weir_error *err)
{
    weir_status status;
    bool worded;

    if (m->appender == NULL)
        return WEIR_OK;
    status = duck_appender_flush(m->appender, err);
    if (status)
        return status;
    if (m->op == WEIR_UPDATE && m->key_count == m->table->column_count)
        worded = true; /* keys only: there is nothing to change */
    else
        worded = m->op == WEIR_UPDATE   ? word_update(m)
                 : m->op == WEIR_DELETE ? word_delete(m)
                                        : word_upsert(m);
    if (!worded || m->sql.size > 0)
        status = run_sql(m, worded, err);
    if (status)
        return status;
    return drop_stage(m, err);
}

void duck_merge_free(duck_merge *m)
{
    if (m == NULL)
        return;
    if (m->appender != NULL && drop_stage(m, NULL) != WEIR_OK)
        m->rows = 0; /* in a failed transaction, whose end drops the stage */
    weir__buf_clear(&m->sql);
    weir__arena_free(m->arena);
    weir__free(m);
}
