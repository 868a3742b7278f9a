/*
 * shared-duckdb/load: two stages, one of them being merged. All SQL is worded beforehand; the thread
 * only runs it. A stage that is full holds one of DuckDB's row groups: one thread fills it while another
 * merges the one before, and whole row groups are written once. One of a history holds the whole batch.
 */
#include "load.h"

#include <string.h>

#include "types.h"

#define STAGE_ROWS_MAX ((size_t)122880)
#define STAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* --- stages --- */

weir_status load_open(weir_call *call, weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    duck_link *s = weir_session(call);
    size_t slot = stage->number % 2, count = target->table->column_count;
    weir_status status = WEIR_OK;

    stage->unique = !stage->mixed;
    if (s->merge.running && s->merge.stage == s->stages[slot])
        status = load_wait(call);
    if (status == WEIR_OK)
        status = room_take(call, &s->rooms[slot], &s->rooms[!slot]);
    if (status == WEIR_ITEM) {
        stage_shrink(s->stages[!slot]);
        room_give(&s->rooms[!slot]);
        status = room_take(call, &s->rooms[slot], NULL);
    }
    if (status != WEIR_OK)
        return status;
    if (s->stages[slot] == NULL) {
        stage_column *columns = weir_alloc(call, (count + 1) * sizeof *columns);

        /* The stored digits of a decimal count, not those that the request names. */
        for (size_t i = 0; i < count; i++)
            columns[i] = types_stage(&target->into[i]->column);
        s->stages[slot] = stage_new(columns, count, stage->mixed);
    }
    if (s->stages[slot] == NULL)
        return weir_fail(call, "Cannot %s: out of memory", target->doing);
    stage_reset(s->stages[slot]);
    stage->state = s->stages[slot];
    stage->relation = weir_printf(call, "weir_stage(%llu)", (unsigned long long)stage_id(s->stages[slot]));
    return WEIR_OK;
}

/* The value itself stays out of the text: it may be private. */
weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row)
{
    const weir_sql_target *target = stage->target;
    row_stage *rows = stage->state;
    size_t column = 0;
    stage_fault fault = stage_add(rows, row, &column);

    if (fault == STAGE_NO_FIT)
        return weir_fail(call, "Cannot %s: a value of column '%s' does not fit its type %s.", target->doing,
                         target->table->columns[column].name, target->into[column]->declared);
    if (fault != STAGE_TAKEN)
        return weir_fail(call, "Cannot %s: out of memory", target->doing);
    stage->full = !stage->mixed &&
                  (stage_rows(rows) >= STAGE_ROWS_MAX || stage_bytes(rows) >= STAGE_BYTES_MAX);
    return WEIR_OK;
}

/* --- companions that turn out to be needed --- */

weir_status load_add_companion(weir_call *call, const char *path, const weir_sql_column *column,
                               const char *doing)
{
    weir_sql_text name = weir_sql_text_new(call);

    weir_sql_put_quoted(&name, weir_printf(call, "%s (ns)", column->name), '"');
    return link_run(call,
                    weir_printf(call,
                                "ALTER TABLE %s ADD COLUMN %s SMALLINT DEFAULT 0; "
                                "COMMENT ON COLUMN %s.%s IS %s",
                                path, name.data, path, name.data,
                                weir_sql_value(call, weir_sql_fine_note(call, column->column.name))),
                    doing);
}

static bool is_version(const weir_sql_column *column)
{
    return strcmp(column->column.name, "_fivetran_start") == 0 ||
           strcmp(column->column.name, "_fivetran_end") == 0;
}

/*
 * Rows of a first load replace only rows of the same request. A stage whose keys are none of theirs is merged
 * as one into an empty table: by INSERT alone, as DuckDB writes out new rows while they come only where the
 * transaction has no DELETE among them.
 */
static void note_keys(duck_link *s, weir_sql_stage *stage)
{
    key_range range = stage_keys(stage->state);

    if (stage->number == 1) {
        s->fresh = stage->empty;
        s->written.count = 0;
    }
    if (stage->op != WEIR_REPLACE || stage->mixed || !s->fresh)
        return;
    stage->empty = !keys_touch(&s->written, range);
    keys_add(&s->written, range);
}

/* Where a stage has digits past the microsecond, the table gets a place for them. */
weir_status load_close(weir_call *call, weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    duck_link *s = weir_session(call);
    size_t count = 0;
    const weir_sql_column **missing = weir_alloc(call, (target->table->column_count + 1) * sizeof *missing);
    bool versions = false;
    weir_status status = WEIR_OK;

    stage->rows = stage_rows(stage->state);
    note_keys(s, stage);
    for (size_t i = 0; stage->mixed && i < target->table->column_count; i++)
        versions = versions || (is_version(target->into[i]) && stage_has_nanos(stage->state, i));
    for (size_t i = 0; i < target->table->column_count; i++) {
        const weir_sql_column *column = target->into[i];

        if (column->fine == NULL && (stage_has_nanos(stage->state, i) || (versions && is_version(column))))
            missing[count++] = column;
    }
    if (count == 0 || stage->rows == 0)
        return WEIR_OK;
    stage->reshaped = s->reshaped = true;
    if (s->changed && s->add_late != NULL)
        return s->add_late(call, target->stored, missing, count, target->doing);
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        status = load_add_companion(call, target->stored->path, missing[i], target->doing);
    return status;
}

void load_drop(weir_call *call, weir_sql_stage *stage)
{
    /* Its memory is kept for the next stage, and goes with the request. */
    (void)call;
    (void)stage;
}

/* --- merges --- */

static void *run_merge(void *context)
{
    link_merge *m = context;

    for (size_t i = 0; i < m->count && !m->failed; i++) {
        m->failed = !link_execute(m->db, m->sql[i], &m->result);
        if (!m->failed)
            duckdb_destroy_result(&m->result);
    }
    if (room_rest(m->room)) {
        stage_shrink(m->stage);
        room_give(m->room);
    }
    return NULL;
}

weir_status load_wait(weir_call *call)
{
    duck_link *s = weir_session(call);
    link_merge *m = &s->merge;
    weir_status status;

    while (m->running) {
        struct timespec until = link_soon();

        if (pthread_timedjoin_np(m->thread, NULL, &until) == 0)
            m->running = false;
        else if (!weir_running(call))
            duckdb_interrupt(m->db);
    }
    if (!m->failed)
        return WEIR_OK;
    status = link_error(call, &m->result, m->doing);
    m->failed = false;
    duckdb_destroy_result(&m->result);
    return status;
}

static void free_stage(duck_link *s, size_t slot)
{
    stage_free(s->stages[slot]);
    s->stages[slot] = NULL;
}

weir_status load_settle(weir_call *call)
{
    duck_link *s = weir_session(call);
    weir_status status = load_wait(call);

    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; i < 2; i++)
        free_stage(s, i);
    room_give(&s->rooms[1]);
    return room_take(call, &s->rooms[0], NULL);
}

void load_end(duck_link *s)
{
    while (s->merge.running) {
        struct timespec until = link_soon();

        duckdb_interrupt(s->merge.db);
        s->merge.running = pthread_timedjoin_np(s->merge.thread, NULL, &until) != 0;
    }
    if (s->merge.failed)
        duckdb_destroy_result(&s->merge.result);
    s->merge.failed = s->changed = false;
    duckdb_destroy_result(&s->ran);
    duckdb_destroy_data_chunk(&s->chunk);
    duckdb_destroy_result(&s->queried);
    for (size_t i = 0; i < 2; i++) {
        free_stage(s, i);
        room_give(&s->rooms[i]);
    }
}

weir_status load_merge(weir_call *call, weir_sql_stage *stage, const char *const *sql, size_t count)
{
    duck_link *s = weir_session(call);
    weir_status status = load_wait(call);

    if (status != WEIR_OK)
        return status;
    s->changed = true;
    s->merge = (link_merge){
        .db = s->db,
        .sql = sql,
        .count = count,
        .stage = stage->state,
        .room = &s->rooms[stage->number % 2],
        .doing = stage->target->doing,
    };
    /* Without a thread the work is done here and now. */
    s->merge.running = pthread_create(&s->merge.thread, NULL, run_merge, &s->merge) == 0;
    if (!s->merge.running)
        (void)run_merge(&s->merge);
    return WEIR_OK;
}
