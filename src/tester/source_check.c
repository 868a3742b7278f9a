/*
 * tester/source_check: further syncs of a source, each into a warehouse in memory, compared with one another.
 *
 * The first is undisturbed; the others are stopped after a checkpoint and resumed, begin with another form
 * of the fresh state, or with a selection. They presume that the source gives the same rows every time: where
 * rows differ, another undisturbed sync finds out whether it does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/table.h"
#include "data/text.h"
#include "sys/clock.h"
#include "tester/source.h"

#define STOPS_FIRST 3  /* the first checkpoints are all tried */
#define STOPS_SPREAD 5 /* and so many more, evenly spread */
#define CANCEL_MS 3000 /* a source answers again within */
#define CANCEL_WAIT_MS 30000
#define TARGET "default_schema"

/* One warehouse in memory, and the state that came with it. */
typedef struct side {
    source_store *store;
    catalog *tables;
    weir_buf state;
    findings *found; /* of its own: the first sync has told the rest */
    source_run_result result;
} side;

/* How a sync is begun. */
typedef struct begin_options {
    bool has_state;
    weir_bytes state;
    source_selection *selection; /* NULL: none is sent */
    uint64_t stop_after;
} begin_options;

static const struct {
    const char *name;
    unsigned bit;
} check_names[] = { { "resume", SOURCE_CHECK_RESUME },
                    { "selection", SOURCE_CHECK_SELECTION },
                    { "restart", SOURCE_CHECK_RESTART },
                    { "all", SOURCE_CHECK_RESUME | SOURCE_CHECK_SELECTION | SOURCE_CHECK_RESTART } };

bool source_checks_parse(const char *text, unsigned *out)
{
    *out = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        unsigned bit = 0;

        for (size_t i = 0; i < sizeof check_names / sizeof check_names[0]; i++)
            if (strlen(check_names[i].name) == size && memcmp(check_names[i].name, text, size) == 0)
                bit = check_names[i].bit;
        if (bit == 0)
            return false;
        *out |= bit;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

/* --- syncs --- */

static void side_clear(side *s)
{
    source_store_close(s->store);
    catalog_free(s->tables);
    findings_free(s->found);
    weir__buf_clear(&s->state);
    *s = (side){ 0 };
}

static weir_status side_init(side *s, const source_subject *subject, weir_error *err)
{
    source_store_options options = { .path = NULL };

    weir__buf_init(&s->state, WEIR_STATE_SIZE_MAX);
    s->found = findings_new(subject->seed);
    if (s->found == NULL)
        return weir__error_memory(err, "starting another sync");
    return source_store_open(&options, &s->store, err);
}

static weir_status keep_state(void *context, weir_bytes state, weir_error *err)
{
    side *s = context;

    s->state.size = 0;
    if (state.size > 0 && !weir__buf_put(&s->state, state.data, state.size))
        return weir__error_memory(err, "keeping a state");
    return WEIR_OK;
}

/* One sync into the side's warehouse; may be called again to go on. */
static weir_status side_sync(side *s, const source_subject *subject, const begin_options *begin,
                             weir_error *err)
{
    source_selection *selection = begin->selection;
    source_run_options run = { .t = subject->t,
                               .quiet = true,
                               .client = tester_setup_client(subject->setup),
                               .name = tester_setup_name(subject->setup),
                               .config = tester_setup_config(subject->setup),
                               .schema = subject->schema,
                               .target = TARGET,
                               .store = s->store,
                               .found = s->found,
                               .has_state = begin->has_state,
                               .state = begin->state,
                               .idle_ms = subject->idle_ms,
                               .stop_after = begin->stop_after,
                               .seed = subject->seed,
                               .save = keep_state,
                               .context = s };

    if (selection != NULL && selection->has_wire)
        run.selection = &selection->wire;
    if (selection != NULL && (selection->leaves_out || selection->nothing_new)) {
        run.choice = source_selection_choice;
        run.choice_context = selection;
    }
    catalog_free(s->tables);
    s->tables = catalog_new(TARGET, subject->seed);
    if (s->tables == NULL)
        return weir__error_memory(err, "starting another sync");
    catalog_follow(s->tables, NULL, PLAN_SOURCE_NAMING);
    run.tables = s->tables;
    tester_count(subject->t, "checks.syncs", 1);
    return source_run(&run, &s->result, err);
}

/* --- comparing --- */

/* Two tables being read side by side, and where the first difference is told. */
typedef struct pair {
    const source_subject *subject;
    finding_code code;
    const char *what; /* "resumed after checkpoint 3" */
    const char *path; /* of the table */
    duck_rows *rows[2];
} pair;

static weir_status select_sorted(const side *s, const weir_table *table, duck_rows **out, weir_error *err)
{
    duck *db = source_store_duck(s->store);
    const char *comma = "";
    weir_buf sql;
    bool worded;
    weir_status status;

    weir__buf_init(&sql, 16 * WEIR_MIB);
    worded = weir__buf_put_text(&sql, "SELECT ");
    for (size_t i = 0; i < table->column_count && worded; i++)
        if (strcmp(table->columns[i].name, CATALOG_SYNCED) != 0) {
            worded = weir__buf_put_text(&sql, comma) && duck_put_name(&sql, table->columns[i].name);
            comma = ", ";
        }
    worded = worded && weir__buf_put_text(&sql, " FROM ") &&
             duck_put_path(db, &sql, table->schema, table->name) &&
             weir__buf_put_text(&sql, " ORDER BY ALL") && weir__buf_put(&sql, "", 1);
    status = worded ? duck_query(db, sql.data, NULL, 0, out, err) : weir__error_memory(err, "comparing rows");
    weir__buf_clear(&sql);
    return status;
}

static bool same_cell(const weir_cell *a, const weir_cell *b)
{
    char text[2][WEIR_TEXT_FIXED_MAX];
    size_t size[2];

    if (a->presence != WEIR_VALUE || b->presence != WEIR_VALUE)
        return a->presence == b->presence;
    if (a->type != b->type)
        return false;
    if (a->type == WEIR_STRING || a->type == WEIR_JSON || a->type == WEIR_XML || a->type == WEIR_BINARY)
        return weir__bytes_equal(a->as.bytes, b->as.bytes);
    size[0] = weir__text_format(a, text[0]);
    size[1] = weir__text_format(b, text[1]);
    return size[0] == size[1] && (size[0] == WEIR_TEXT_NONE || memcmp(text[0], text[1], size[0]) == 0);
}

static weir_status compare_rows(pair *p, weir_error *err)
{
    uint64_t number = 0;
    const weir_cell *cells[2] = { NULL, NULL };
    size_t count;
    const weir_column *columns = duck_rows_columns(p->rows[0], &count);

    for (;;) {
        weir_status a = duck_rows_next(p->rows[0], &cells[0], err);
        weir_status b = a < 0 ? a : duck_rows_next(p->rows[1], &cells[1], err);

        if (a < 0 || b < 0)
            return WEIR_FAILED;
        if (a == WEIR_OK && b == WEIR_OK)
            return WEIR_OK;
        number++;
        if (a != b) {
            findings_add(p->subject->found, p->code, p->path, NULL,
                         "%s, the table has %s than %" PRIu64 " rows, which an undisturbed sync gave",
                         p->what, a == WEIR_OK ? "more" : "fewer", number - 1 + (a == WEIR_ITEM));
            return WEIR_OK;
        }
        for (size_t i = 0; i < count; i++)
            if (!same_cell(&cells[0][i], &cells[1][i])) {
                findings_add(p->subject->found, p->code, p->path, columns[i].name,
                             "%s, row %" PRIu64 " of the sorted table is another than in an undisturbed sync",
                             p->what, number);
                return WEIR_OK;
            }
    }
}

/* Names and types of the columns; a difference is told. */
static bool same_shape(const pair *p, const weir_table *a, const weir_table *b)
{
    for (size_t i = 0; i < a->column_count || i < b->column_count; i++) {
        const weir_column *column = i < a->column_count ? &a->columns[i] : &b->columns[i];
        size_t other = weir__table_find(i < a->column_count ? b : a, weir__text(column->name));

        if (other == SIZE_MAX || (i < a->column_count && b->columns[other].type != column->type)) {
            findings_add(p->subject->found, p->code, p->path, column->name,
                         "%s, the column is another than in an undisturbed sync", p->what);
            return false;
        }
    }
    return true;
}

/* The other side's columns in the first side's order. */
static weir_table as_ordered(const weir_table *like, const weir_table *other)
{
    weir_table out = *like;

    out.schema = other->schema;
    out.name = other->name;
    return out;
}

static weir_status compare_table(const side *a, const side *b, const engine_table *table, pair *p,
                                 weir_error *err)
{
    const weir_table *left = source_store_table(a->store, table);
    const weir_table *right = NULL;
    weir_table ordered;
    weir_status status;

    for (size_t i = 0; i < catalog_count(b->tables); i++) {
        const engine_table *other = catalog_table(b->tables, i);

        if (strcmp(other->schema, table->schema) == 0 && strcmp(other->name, table->name) == 0)
            right = source_store_table(b->store, other);
    }
    if (left == NULL)
        return WEIR_OK;
    if (right == NULL) {
        findings_add(p->subject->found, p->code, p->path, NULL, "%s, the table is not there", p->what);
        return WEIR_OK;
    }
    if (!same_shape(p, left, right))
        return WEIR_OK;
    ordered = as_ordered(left, right);
    status = select_sorted(a, left, &p->rows[0], err);
    if (status == WEIR_OK)
        status = select_sorted(b, &ordered, &p->rows[1], err);
    if (status == WEIR_OK)
        status = compare_rows(p, err);
    duck_rows_free(p->rows[0]);
    duck_rows_free(p->rows[1]);
    p->rows[0] = p->rows[1] = NULL;
    return status;
}

/* Every table of the undisturbed sync must be the same in the other warehouse. */
static weir_status compare_sides(const source_subject *subject, const side *calm, const side *other,
                                 finding_code code, const char *what, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < catalog_count(calm->tables) && status == WEIR_OK; i++) {
        const engine_table *table = catalog_table(calm->tables, i);
        char path[ENGINE_PATH_SIZE];
        pair p = { .subject = subject, .code = code, .what = what, .path = engine_table_path(table, path) };

        status = compare_table(calm, other, table, &p, err);
    }
    return status;
}

/* Whether another undisturbed sync gives other rows than the first has given. */
static weir_status find_out_moving(const source_subject *subject, const side *calm, bool *out,
                                   weir_error *err)
{
    source_subject apart = *subject;
    source_selection all;
    begin_options begin = { .has_state = true, .state = { "{}", 2 }, .selection = &all };
    side again = { 0 };
    weir_status status = source_selection_init(&all, subject->schema, SOURCE_SELECT_ALL, subject->arena, err);

    if (status != WEIR_OK)
        return status;
    status = side_init(&again, subject, err);
    apart.found = again.found;
    if (status == WEIR_OK && side_sync(&again, subject, &begin, err) == WEIR_OK) {
        size_t before = findings_count(again.found);

        status = compare_sides(&apart, calm, &again, FINDING_ORIGIN_MOVES, "undisturbed", err);
        *out = findings_count(again.found) > before;
    }
    side_clear(&again);
    source_selection_clear(&all);
    return status;
}

/* As compare_sides, but what differs is held against the source only when its origin stands still. */
static weir_status judge(const source_subject *subject, const side *calm, const side *other,
                         finding_code code, const char *what, weir_error *err)
{
    source_subject apart = *subject;
    bool moves = false;
    weir_status status;

    apart.found = findings_new(subject->seed);
    if (apart.found == NULL)
        return weir__error_memory(err, "comparing rows");
    status = compare_sides(&apart, calm, other, code, what, err);
    if (status == WEIR_OK && findings_count(apart.found) > 0)
        status = find_out_moving(subject, calm, &moves, err);
    for (size_t i = 0; status == WEIR_OK && i < findings_count(apart.found); i++) {
        const finding *item = findings_get(apart.found, i);

        findings_add(subject->found, moves ? FINDING_ORIGIN_MOVES : code, item->table, item->column, "%s%s",
                     item->text, moves ? "; but another undisturbed sync gave other rows, too" : "");
    }
    findings_free(apart.found);
    return status;
}

/* --- resume --- */

/* R-RPC-05: after a cancelled stream the source must have time for another call soon. */
static void time_cancel(const source_subject *subject)
{
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH,
                                      .kind = WEIR_RPC_UNARY,
                                      .timeout_ms = CANCEL_WAIT_MS };
    int64_t begun_ns = weir__clock_ns();
    weir_rpc_message *reply = NULL;
    weir_error err;
    weir_status status = weir__rpc_unary(tester_setup_client(subject->setup), &options, (weir_bytes){ "", 0 },
                                         &reply, &err);
    int64_t took_ms = (weir__clock_ns() - begun_ns) / 1000000;

    weir__rpc_message_free(reply);
    if (took_ms > CANCEL_MS || status != WEIR_OK)
        findings_add(subject->found, FINDING_CANCEL_SLOW, NULL, NULL,
                     "after a cancelled Update the next call %s after %" PRId64 " ms",
                     status == WEIR_OK ? "was answered" : "failed", took_ms);
}

static weir_status told(const source_subject *subject, finding_code code, const char *what,
                        const weir_error *err)
{
    findings_add(subject->found, code, NULL, NULL, "%s, the sync failed: %s", what, err->text);
    return WEIR_OK;
}

static weir_status resume_once(const source_subject *subject, const side *calm, uint64_t checkpoint,
                               source_selection *all, weir_error *err)
{
    begin_options begin = {
        .has_state = true, .state = { "{}", 2 }, .selection = all, .stop_after = checkpoint
    };
    weir_buf state;
    char what[64];
    side s = { 0 };
    weir_status status = side_init(&s, subject, err);

    snprintf(what, sizeof what, "stopped after checkpoint %" PRIu64 " and resumed", checkpoint);
    weir__buf_init(&state, WEIR_STATE_SIZE_MAX);
    if (status != WEIR_OK)
        goto out;
    status = side_sync(&s, subject, &begin, err);
    if (status != WEIR_OK) {
        status = told(subject, FINDING_RESUME_DIFFERS, what, err);
        goto out;
    }
    time_cancel(subject);
    if (!weir__buf_put(&state, s.state.data ? s.state.data : "{}", s.state.data ? s.state.size : 2)) {
        status = weir__error_memory(err, "resuming a sync");
        goto out;
    }
    begin.state = weir__buf_bytes(&state);
    begin.stop_after = 0;
    status = source_store_rewind(s.store, err);
    if (status != WEIR_OK)
        goto out;
    status = side_sync(&s, subject, &begin, err);
    status = status != WEIR_OK ? told(subject, FINDING_RESUME_DIFFERS, what, err)
                               : judge(subject, calm, &s, FINDING_RESUME_DIFFERS, what, err);
out:
    weir__buf_clear(&state);
    side_clear(&s);
    return status;
}

static weir_status check_resume(const source_subject *subject, const side *calm, source_selection *all,
                                weir_error *err)
{
    uint64_t count = calm->result.totals.checkpoints;
    uint64_t last = 0;
    weir_status status = WEIR_OK;

    if (count == 0)
        tester_say(subject->t, "check resume: the source sends no checkpoints");
    for (uint64_t i = 1; i <= count && i <= STOPS_FIRST && status == WEIR_OK; i++)
        status = resume_once(subject, calm, last = i, all, err);
    for (uint64_t i = 1; i <= STOPS_SPREAD && status == WEIR_OK; i++) {
        uint64_t stop = STOPS_FIRST + (count - STOPS_FIRST) * i / STOPS_SPREAD;

        if (count > STOPS_FIRST && stop > last)
            status = resume_once(subject, calm, last = stop, all, err);
    }
    return status;
}

/* --- restart and selection --- */

static weir_status check_restart(const source_subject *subject, const side *calm, source_selection *all,
                                 weir_error *err)
{
    const struct {
        const char *what;
        begin_options begin;
    } forms[] = { { "without a state", { .has_state = false, .selection = all } },
                  { "with an empty state", { .has_state = true, .selection = all } } };
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && status == WEIR_OK; i++) {
        side s = { 0 };

        status = side_init(&s, subject, err);
        if (status == WEIR_OK && side_sync(&s, subject, &forms[i].begin, err) != WEIR_OK)
            status = told(subject, FINDING_RESTART_DIFFERS, forms[i].what, err);
        else if (status == WEIR_OK)
            status = judge(subject, calm, &s, FINDING_RESTART_DIFFERS, forms[i].what, err);
        side_clear(&s);
    }
    return status;
}

/* What a sync with a selection has found wrong about it becomes part of the run's findings. */
static void take_over(const source_subject *subject, const side *s, const char *what)
{
    for (size_t i = 0; i < findings_count(s->found); i++) {
        const finding *item = findings_get(s->found, i);

        if (item->code == FINDING_SELECTION_TABLE || item->code == FINDING_SELECTION_COLUMN ||
            item->code == FINDING_SELECTION_KEY)
            findings_add(subject->found, item->code, item->table, item->column, "selection %s: %s", what,
                         item->text);
    }
}

static weir_status select_once(const source_subject *subject, source_selection_kind kind, weir_error *err)
{
    source_selection selection;
    begin_options begin = { .has_state = true, .state = { "{}", 2 }, .selection = &selection };
    char what[80];
    side s = { 0 };
    weir_status status = source_selection_init(&selection, subject->schema, kind, subject->arena, err);

    if (status != WEIR_OK)
        return status;
    snprintf(what, sizeof what, "with the selection '%s'", source_selection_name(kind));
    if (selection.has_wire && (selection.leaves_out || selection.nothing_new)) {
        status = side_init(&s, subject, err);
        if (status == WEIR_OK && side_sync(&s, subject, &begin, err) != WEIR_OK)
            status = told(subject, FINDING_SELECTION_KEY, what, err);
        if (s.found != NULL)
            take_over(subject, &s, source_selection_name(kind));
        side_clear(&s);
    }
    source_selection_clear(&selection);
    return status;
}

static weir_status check_selection(const source_subject *subject, const side *calm, weir_error *err)
{
    const begin_options none = { .has_state = true, .state = { "{}", 2 } };
    side s = { 0 };
    weir_status status;

    if (subject->schema != NULL && subject->schema->has_selection_not_supported &&
        subject->schema->selection_not_supported) {
        tester_say(subject->t, "check selection: the source does not support selection");
        return WEIR_OK;
    }
    status = side_init(&s, subject, err);
    if (status == WEIR_OK && side_sync(&s, subject, &none, err) != WEIR_OK)
        status = told(subject, FINDING_SELECTION_KEY, "without a selection", err);
    else if (status == WEIR_OK)
        status = judge(subject, calm, &s, FINDING_SELECTION_KEY, "without a selection", err);
    side_clear(&s);
    for (int kind = SOURCE_SELECT_WITHOUT_TABLE; kind < SOURCE_SELECTION_COUNT && status == WEIR_OK; kind++)
        status = select_once(subject, (source_selection_kind)kind, err);
    return status;
}

/* R-RPC-03 */
static void check_gzip(const source_subject *subject)
{
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH,
                                      .kind = WEIR_RPC_UNARY,
                                      .timeout_ms = CANCEL_WAIT_MS };
    weir_rpc_call *call = NULL;
    weir_bytes reply;
    weir_error err;
    weir_status status = weir__rpc_call_open(tester_setup_client(subject->setup), &options, &call, &err);

    if (status == WEIR_OK)
        status = weir__rpc_send(call, (weir_bytes){ "", 0 }, WEIR_RPC_COMPRESS, &err);
    if (status == WEIR_OK) {
        weir__rpc_half_close(call);
        status = weir__rpc_recv(call, &reply, &err);
    }
    if (status < 0)
        findings_add(subject->found, FINDING_GZIP, NULL, NULL, "a compressed request failed: %s", err.text);
    weir__rpc_call_close(call);
}

weir_status source_checks_run(const source_subject *subject, unsigned checks, weir_error *err)
{
    source_selection all;
    begin_options begin = { .has_state = true, .state = { "{}", 2 }, .selection = &all };
    side calm = { 0 };
    weir_status status = source_selection_init(&all, subject->schema, SOURCE_SELECT_ALL, subject->arena, err);

    if (status != WEIR_OK)
        return status;
    check_gzip(subject);
    status = side_init(&calm, subject, err);
    if (status == WEIR_OK)
        status = side_sync(&calm, subject, &begin, err);
    if (status == WEIR_OK && (checks & SOURCE_CHECK_RESTART) != 0)
        status = check_restart(subject, &calm, &all, err);
    if (status == WEIR_OK && (checks & SOURCE_CHECK_RESUME) != 0)
        status = check_resume(subject, &calm, &all, err);
    if (status == WEIR_OK && (checks & SOURCE_CHECK_SELECTION) != 0)
        status = check_selection(subject, &calm, err);
    side_clear(&calm);
    source_selection_clear(&all);
    return status == WEIR_OK ? status : weir__error_prefix(err, "--check");
}
