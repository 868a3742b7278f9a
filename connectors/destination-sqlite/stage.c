/*
 * destination-sqlite/stage: rows of a history batch in a temporary table, which is in memory, filled through
 * one prepared statement. Columns as weir_sql_stage wants them; `seq` is the row id.
 */
#include "cell.h"
#include "dialect.h"

typedef struct stage_state {
    sqlite3_stmt *insert;
    cell_room *rooms;
    uint64_t rows;
} stage_state;

static bool is_staged(const weir_sql_stage *stage, size_t index)
{
    return !stage->keys_only || stage->target->table->columns[index].key;
}

static size_t mask_words(const weir_sql_stage *stage)
{
    return stage->masked ? (stage->target->table->column_count + WEIR_SQL_MASK_BITS - 1) / WEIR_SQL_MASK_BITS
                         : 0;
}

static weir_status make(weir_call *call, weir_sql_stage *stage)
{
    weir_sql_text create = weir_sql_text_new(call), insert = weir_sql_text_new(call);
    size_t count = stage->target->table->column_count;
    stage_state *state = stage->state;
    weir_status status;

    weir_sql_printf(&create, "CREATE TABLE %s (seq INTEGER PRIMARY KEY", stage->relation);
    weir_sql_printf(&insert, "INSERT INTO %s VALUES (NULL", stage->relation);
    for (size_t i = 0; i < count; i++) {
        if (!is_staged(stage, i))
            continue;
        weir_sql_printf(&create, ", c%zu %s", i, stage->target->into[i]->declared);
        weir_sql_put(&insert, ", ?");
    }
    for (size_t word = 0; word < mask_words(stage); word++) {
        weir_sql_printf(&create, ", m%zu INTEGER", word * WEIR_SQL_MASK_BITS);
        weir_sql_put(&insert, ", ?");
    }
    weir_sql_put(&create, stage->mixed ? ", kind INTEGER)" : ")");
    weir_sql_put(&insert, stage->mixed ? ", ?)" : ")");
    status = store_run(call, create.data, stage->target->doing);
    if (status == WEIR_OK)
        status = store_prepare(call, insert.data, stage->target->doing, &state->insert);
    return status;
}

weir_status stage_open(weir_call *call, weir_sql_stage *stage)
{
    stage_state *state = weir_alloc(call, sizeof *state);

    state->rooms = weir_alloc(call, (stage->target->table->column_count + 1) * sizeof *state->rooms);
    stage->state = state;
    stage->relation = weir_printf(call, "temp._weir_stage_%u", stage->number);
    return make(call, stage);
}

/* Bits of the columns from `word` on whose cells are not unmodified. */
static int64_t mask_of(const weir_row *row, size_t word)
{
    int64_t bits = 0;

    for (size_t i = word; i < row->count && i < word + WEIR_SQL_MASK_BITS; i++)
        bits |= (int64_t)(row->cells[i].presence != WEIR_UNMODIFIED) << (i - word);
    return bits;
}

weir_status stage_add(weir_call *call, weir_sql_stage *stage, const weir_row *row)
{
    stage_state *state = stage->state;
    weir_status status;
    int at = 0;

    for (size_t i = 0; i < row->count; i++) {
        const weir_column *column = &stage->target->into[i]->column;
        int code;

        if (!is_staged(stage, i))
            continue;
        code = cell_bind(state->insert, ++at, &row->cells[i], column, &state->rooms[i]);
        if (code != SQLITE_OK)
            return cell_refuse(call, stage->target->doing, column, code);
    }
    for (size_t word = 0; word < mask_words(stage); word++)
        sqlite3_bind_int64(state->insert, ++at, mask_of(row, word * WEIR_SQL_MASK_BITS));
    if (stage->mixed)
        sqlite3_bind_int(state->insert, ++at, (int)row->op);
    status = store_step(call, state->insert, stage->target->doing);
    sqlite3_reset(state->insert);
    state->rows++;
    return status;
}

weir_status stage_close(weir_call *call, weir_sql_stage *stage)
{
    const stage_state *state = stage->state;

    (void)call;
    stage->rows = state->rows;
    return WEIR_OK;
}

/* What does not go here, after a failure, goes with the transaction. */
void stage_drop(weir_call *call, weir_sql_stage *stage)
{
    stage_state *state = stage->state;
    const store *s = weir_session(call);

    if (state == NULL)
        return;
    sqlite3_finalize(state->insert);
    state->insert = NULL;
    sqlite3_exec(s->db, weir_printf(call, "DROP TABLE IF EXISTS %s", stage->relation), NULL, NULL, NULL);
}
