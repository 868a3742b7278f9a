/*
 * shared-duckdb/load: two stages, one of them being merged. All SQL is worded beforehand; the thread
 * only runs it. A stage that is full holds one of DuckDB's row groups: one thread fills it while another
 * merges the one before, and whole row groups are written once. One of a history holds the whole batch.
 *
 * Rows that replace others mostly are new ones, and come in the order of their keys: of a first load, of
 * events. When so far those of a stage are such, the table has no keys as high as theirs, and no other stage
 * is being merged, the stage becomes live: an INSERT takes the rows while they come, as long as keys rise.
 *
 *     rows → stage ── rising, past the table's, no merge ── yes → live: INSERT … FROM weir_stage(id)
 *              │                                                    │ a key that does not rise
 *              └─ else: full → merge ◀────── the same stage, plain again, once the INSERT has ended
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "types.h"

#define STAGE_ROWS_MAX STAGE_GROUP_ROWS
#define STAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* --- merges --- */

static void *run_merge(void *context)
{
    link_merge *m = context;

    for (size_t i = 0; i < m->count && !m->failed; i++) {
        m->failed = !link_execute(m->db, m->sql[i], &m->result);
        if (!m->failed)
            duckdb_destroy_result(&m->result);
    }
    if (m->failed) { /* who fills a live stage still does so */
        stage_stop(m->stage);
        room_fail(m->room);
    } else if (room_rest(m->room)) {
        stage_shrink(m->stage);
        room_give(m->room);
    }
    return NULL;
}

/* Joins the last merge, if it is over; else false. How it went is load_wait's to tell. */
static bool end_merge(link_merge *m)
{
    if (m->running && pthread_tryjoin_np(m->thread, NULL) == 0)
        m->running = false;
    return !m->running;
}

static void begin_merge(duck_link *s, weir_sql_stage *stage, const char *const *sql, size_t count)
{
    s->merge = (link_merge){
        .db = s->db,
        .sql = sql,
        .count = count,
        .stage = stage->state,
        .room = &s->rooms[stage->number % 2],
        .doing = stage->target->doing,
    };
}

/* --- which keys the table has --- */

/*
 * Rows of a first load replace only rows of the same request, and so do those whose keys are past all of the
 * table. A stage whose keys are none of theirs is merged as one into an empty table: by INSERT alone, as
 * DuckDB writes out new rows while they come only where the transaction has no DELETE among them.
 */
static void begin_keys(duck_link *s, const weir_sql_stage *stage)
{
    s->known = stage->empty;
    s->asked = stage->empty || s->live_as == NULL;
    s->written.count = 0;
}

static uint64_t place_of_text(const char *text)
{
    return (uint64_t)strtoll(text, NULL, 10) ^ UINT64_C(1) << 63;
}

/* Asks for the lowest and the highest key, of integers, which DuckDB has at hand. */
static weir_status ask_keys(weir_call *call, const weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    duck_link *s = weir_session(call);
    size_t first = stage_first_key(stage->state);
    weir_sql_text sql;
    duckdb_type type;
    const char *low, *high;
    link_result result;
    weir_status status;

    if (s->asked)
        return WEIR_OK;
    s->asked = true;
    type = first != SIZE_MAX ? types_stage(&target->into[first]->column).type : DUCKDB_TYPE_INVALID;
    if (type != DUCKDB_TYPE_SMALLINT && type != DUCKDB_TYPE_INTEGER && type != DUCKDB_TYPE_BIGINT)
        return WEIR_OK;
    sql = weir_sql_text_new(call);
    weir_sql_put(&sql, "SELECT CAST(min(k) AS VARCHAR), CAST(max(k) AS VARCHAR) FROM (SELECT ");
    weir_sql_put_quoted(&sql, target->into[first]->name, '"');
    weir_sql_printf(&sql, " AS k FROM %s)", target->stored->path);
    status = link_query(call, sql.data, target->doing, &result);
    if (status == WEIR_OK && link_next(&result)) {
        low = link_text(call, &result, 0);
        high = link_text(call, &result, 1);
        if (low != NULL && high != NULL)
            keys_add(&s->written, (key_range){ place_of_text(low), place_of_text(high) });
        s->known = true;
    }
    link_finish(&result);
    return status;
}

/* Whether the table has no key as high as the stage's lowest. */
static bool is_past_all(const duck_link *s, const row_stage *rows)
{
    return s->known &&
           (s->written.count == 0 || s->written.items[s->written.count - 1].last < stage_keys(rows).first);
}

/* Whether none of the stage's keys is in the table, which has them from now on. */
static weir_status note_keys(weir_call *call, weir_sql_stage *stage)
{
    duck_link *s = weir_session(call);
    key_range range = stage_keys(stage->state);
    weir_status status = WEIR_OK;

    if (stage->op != WEIR_REPLACE || stage->mixed)
        return WEIR_OK;
    if (stage->rows >= stage_live_after) /* fewer are sooner merged than the table is asked */
        status = ask_keys(call, stage);
    if (status != WEIR_OK || !s->known)
        return status;
    stage->empty = !keys_touch(&s->written, range);
    keys_add(&s->written, range);
    return WEIR_OK;
}

/* --- stages --- */

/* Room for a stage. Where there is none, that of the other stage goes first, if its merge is over. */
static weir_status take_room(weir_call *call, duck_link *s, size_t slot)
{
    weir_status status = room_take(call, &s->rooms[slot], &s->rooms[!slot]);

    if (status != WEIR_ITEM)
        return status;
    status = load_wait(call);
    if (status != WEIR_OK)
        return status;
    stage_shrink(s->stages[!slot]);
    room_give(&s->rooms[!slot]);
    return room_take(call, &s->rooms[slot], NULL);
}

weir_status load_open(weir_call *call, weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    duck_link *s = weir_session(call);
    size_t slot = stage->number % 2, count = target->table->column_count;
    weir_status status = WEIR_OK;

    stage->unique = !stage->mixed;
    if (stage->number == 1)
        begin_keys(s, stage);
    if (s->merge.running && s->merge.stage == s->stages[slot])
        status = load_wait(call);
    if (status == WEIR_OK)
        status = take_room(call, s, slot);
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

/* --- rows --- */

/* Lets DuckDB take the rows of the stage while they come; nothing is different when there are no means. */
static void begin_live(weir_call *call, weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    size_t count = target->table->column_count;
    bool *fine = weir_alloc(call, (count + 1) * sizeof *fine);
    const char **sql = weir_alloc(call, sizeof *sql);
    duck_link *s = weir_session(call);

    for (size_t i = 0; i < count; i++) {
        fine[i] = target->into[i]->fine != NULL;
        if (!fine[i] && stage_has_nanos(stage->state, i))
            return;
    }
    sql[0] = weir_sql_insert(call, s->live_as, stage);
    if (!stage_live(stage->state, fine))
        return;
    begin_merge(s, stage, sql, 1);
    s->merge.running = pthread_create(&s->merge.thread, NULL, run_merge, &s->merge) == 0;
    if (s->merge.running)
        s->changed = s->inserts = true;
    else
        stage_plain(stage->state);
}

static weir_status consider_live(weir_call *call, weir_sql_stage *stage)
{
    duck_link *s = weir_session(call);
    weir_status status;

    if (s->live_as == NULL || !stage->direct || stage->op != WEIR_REPLACE || !stage_may_live(stage->state) ||
        !end_merge(&s->merge))
        return WEIR_OK;
    status = ask_keys(call, stage);
    if (status != WEIR_OK || !is_past_all(s, stage->state))
        return status;
    status = load_wait(call);
    if (status == WEIR_OK)
        begin_live(call, stage);
    return status;
}

/* The rows so far have gone the short way, and are in the table. The stage is plain again, and empty. */
static weir_status end_live(weir_call *call, weir_sql_stage *stage)
{
    duck_link *s = weir_session(call);
    weir_status status = load_wait(call);

    keys_add(&s->written, stage_keys(stage->state));
    if (status != WEIR_OK)
        return status;
    stage_reset(stage->state);
    return take_room(call, s, stage->number % 2);
}

static weir_status wait_for_room(weir_call *call, const weir_sql_stage *stage)
{
    struct timespec until = link_soon();
    stage_fault fault;
    weir_status status;

    while ((fault = stage_wait(stage->state, &until)) == STAGE_FULL) {
        if (!weir_running(call))
            return WEIR_CANCELLED;
        until = link_soon();
    }
    if (fault == STAGE_TAKEN)
        return WEIR_OK;
    status = fault == STAGE_STOPPED ? load_wait(call) : WEIR_OK;
    return status != WEIR_OK ? status : weir_fail(call, "Cannot %s: out of memory", stage->target->doing);
}

/* The value itself stays out of the text: it may be private. */
static weir_status refuse(weir_call *call, const weir_sql_target *target, stage_fault fault, size_t column)
{
    if (fault == STAGE_NO_FIT)
        return weir_fail(call, "Cannot %s: a value of column '%s' does not fit its type %s.", target->doing,
                         target->table->columns[column].name, target->into[column]->declared);
    return weir_fail(call, "Cannot %s: out of memory", target->doing);
}

weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row)
{
    row_stage *rows = stage->state;
    size_t column = 0;
    bool live = stage_is_live(rows);
    weir_status status = live && !stage_has_room(rows) ? wait_for_room(call, stage) : WEIR_OK;
    stage_fault fault;

    if (status != WEIR_OK)
        return status;
    fault = stage_add(rows, row, &column);
    if (fault == STAGE_OUT_OF_ORDER) {
        status = end_live(call, stage);
        if (status != WEIR_OK)
            return status;
        live = false;
        fault = stage_add(rows, row, &column);
    }
    if (fault != STAGE_TAKEN)
        return refuse(call, stage->target, fault, column);
    if (live)
        stage->full = stage_rows(rows) >= STAGE_ROWS_MAX;
    else
        stage->full = !stage->mixed &&
                      (stage_rows(rows) >= STAGE_ROWS_MAX || stage_bytes(rows) >= STAGE_BYTES_MAX);
    return live || stage->full ? WEIR_OK : consider_live(call, stage);
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

/* Where a stage has digits past the microsecond, the table gets a place for them. */
weir_status load_close(weir_call *call, weir_sql_stage *stage)
{
    const weir_sql_target *target = stage->target;
    duck_link *s = weir_session(call);
    size_t count = 0;
    const weir_sql_column **missing = weir_alloc(call, (target->table->column_count + 1) * sizeof *missing);
    bool versions = false;
    weir_status status;

    if (stage_is_live(stage->state)) {
        stage_end(stage->state);
        keys_add(&s->written, stage_keys(stage->state));
        stage->rows = 0;
        return WEIR_OK;
    }
    stage->rows = stage_rows(stage->state);
    status = note_keys(call, stage);
    if (status != WEIR_OK)
        return status;
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

/* --- waiting --- */

static void interrupt(link_merge *m)
{
    duckdb_interrupt(m->db); /* first: that the rows end early is not what is to be told */
    if (stage_is_live(m->stage))
        stage_stop(m->stage);
}

weir_status load_wait(weir_call *call)
{
    duck_link *s = weir_session(call);
    link_merge *m = &s->merge;
    bool interrupted = false;
    weir_status status;

    if (m->running && stage_is_live(m->stage))
        stage_end(m->stage);
    while (m->running) {
        struct timespec until = link_soon();

        if (pthread_timedjoin_np(m->thread, NULL, &until) == 0)
            m->running = false;
        else if ((interrupted = !weir_running(call)))
            interrupt(m);
    }
    if (!m->failed)
        return WEIR_OK;
    status = interrupted ? WEIR_CANCELLED : link_error(call, &m->result, m->doing);
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

        interrupt(&s->merge);
        s->merge.running = pthread_timedjoin_np(s->merge.thread, NULL, &until) != 0;
    }
    if (s->merge.failed)
        duckdb_destroy_result(&s->merge.result);
    s->merge.failed = s->changed = s->inserts = s->overlays = false;
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
    begin_merge(s, stage, sql, count);
    s->changed = true;
    for (size_t i = 0; i < count; i++) {
        bool inserts = strncmp(sql[i], "INSERT", 6) == 0;

        s->rewrites = s->rewrites || !inserts;
        s->overlays = s->overlays || (s->inserts && strncmp(sql[i], "UPDATE", 6) == 0);
        s->inserts = s->inserts || inserts;
    }
    /* Without a thread the work is done here and now. */
    s->merge.running = pthread_create(&s->merge.thread, NULL, run_merge, &s->merge) == 0;
    if (!s->merge.running)
        (void)run_merge(&s->merge);
    return WEIR_OK;
}
