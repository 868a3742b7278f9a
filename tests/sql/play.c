/*
 * tests/sql/play: each step on a destination, then tables, as the store has them and as describe tells them,
 * against the harness's model.
 *
 * A step that is killed runs in a child process first, which dies before a statement of its own choice; what
 * it has left behind is there when the step is sent again (R-DST-06, R-DST-03).
 */
#include "play.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"
#include "harness/destination_side.h"
#include "sql/sql_internal.h"
#include "tester/rows.h"

enum {
    REFUSED = 1,
    ACCEPTED,
    SCHEMA,
    ROWS,
    BROKEN,
    LEFT
};

typedef struct player {
    const subject *stage;
    weir_harness *h;
    weir_arena *arena;
    outcome *out;
} player;

static void fail(player *p, unsigned kind, const char *format, ...)
{
    char text[4000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!p->out->failed)
        p->out->kind = kind;
    p->out->failed = true;
    (void)!weir__buf_put_text(&p->out->text, text);
    (void)!weir__buf_put_text(&p->out->text, "\n");
}

/* --- requests --- */

weir_status step_send(weir_harness *h, const step *s)
{
    for (size_t i = 0; i < s->row_count; i++)
        weir_harness_put(h, &s->table, s->rows[i].op, s->rows[i].cells, s->rows[i].count);
    switch (s->kind) {
    case STEP_CREATE:
        weir_harness_create(h, &s->table);
        break;
    case STEP_ALTER:
        weir_harness_alter(h, &s->table, s->drop_columns);
        break;
    case STEP_TRUNCATE:
        weir_harness_truncate(h, &s->truncation);
        break;
    case STEP_WRITE:
        weir_harness_write(h, &s->table);
        break;
    case STEP_HISTORY:
        weir_harness_write_history(h, &s->table);
        break;
    case STEP_MIGRATE:
        weir_harness_migrate(h, &s->migration);
        break;
    }
    return weir_harness_status(h);
}

/* A row has no value in a column of its key: what a store does then is its own. */
static bool has_null_key(const weir_model_table *table)
{
    const weir_table *columns = weir__model_columns(table);

    for (size_t i = 0; i < columns->column_count; i++)
        for (size_t row = 0; columns->columns[i].key && row < weir__model_row_count(table); row++)
            if (weir__model_row(table, row).cells[i].presence != WEIR_VALUE)
                return true;
    return false;
}

/* A migration that puts NULL into a column of the key, or finds one there. */
static bool is_null_for_key(player *p, const weir_migration *m)
{
    const char *name = m->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY ? m->as.names.from : m->table;
    const weir_model_table *table = weir__model_find(p->h->destination->model, m->schema, name);
    const weir_column *column;

    if (table != NULL && has_null_key(table))
        return true;
    if ((m->kind != WEIR_MIGRATE_UPDATE_COLUMN && m->kind != WEIR_MIGRATE_ADD_COLUMN_DEFAULT) ||
        table == NULL)
        return false;
    column = weir_table_column(weir__model_columns(table), m->as.column.name);
    return column != NULL && column->key &&
           (m->as.column.value.data == NULL || m->as.column.value.size == 0 ||
            strcmp(m->as.column.value.data, "NULL") == 0);
}

/* Rows would have no value in a column of the wanted key: a store may refuse that, the model does not. */
static bool null_in_new_key(player *p, const step *s)
{
    const weir_model_table *table = s->kind == STEP_ALTER ? weir__model_find(p->h->destination->model,
                                                                             s->table.schema, s->table.name)
                                                          : NULL;
    const weir_table *stored;

    if (table == NULL || weir__model_row_count(table) == 0)
        return false;
    stored = weir__model_columns(table);
    for (size_t i = 0; i < s->table.column_count; i++) {
        size_t at = weir__table_find(stored, weir__text(s->table.columns[i].name));

        if (!s->table.columns[i].key)
            continue;
        if (at == SIZE_MAX)
            return true;
        for (size_t row = 0; row < weir__model_row_count(table); row++)
            if (weir__model_row(table, row).cells[at].presence != WEIR_VALUE)
                return true;
    }
    return false;
}

/* Values of another type would become JSON, and may be none; where that was refused they stay as they are. */
static bool needs_json(player *p, const step *s)
{
    const weir_model_table *table = weir__model_find(p->h->destination->model, s->table.schema,
                                                     s->table.name);
    const weir_table *stored = table != NULL ? weir__model_columns(table) : NULL;

    for (size_t i = 0; p->stage->limits.checks_json && stored != NULL && i < stored->column_count; i++) {
        const weir_column *column = weir_table_column(&s->table, stored->columns[i].name);

        if (column != NULL && column->type == WEIR_JSON && stored->columns[i].type != WEIR_JSON)
            return true;
    }
    return false;
}

/* A table may have kept its key, for a store may refuse rows without values in a new one; then so it is. */
static bool has_other_key(player *p, const step *s)
{
    const weir_model_table *table = weir__model_find(p->h->destination->model, s->table.schema,
                                                     s->table.name);
    const weir_table *stored = table != NULL ? weir__model_columns(table) : NULL;

    for (size_t i = 0; stored != NULL && i < stored->column_count; i++) {
        const weir_column *column = weir_table_column(&s->table, stored->columns[i].name);

        if ((column != NULL && column->key) != stored->columns[i].key)
            return true;
    }
    return false;
}

/* A store may have no room for it in an index: many texts, or one that was none or not of the key before. */
static bool has_long_key(player *p, const weir_table *table)
{
    const weir_model_table *model = weir__model_find(p->h->destination->model, table->schema, table->name);
    unsigned texts = 0;

    for (size_t i = 0; model != NULL && i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];
        const weir_column *stored = weir_table_column(weir__model_columns(model), column->name);
        bool text = column->type == WEIR_STRING || column->type == WEIR_JSON || column->type == WEIR_XML ||
                    column->type == WEIR_BINARY;

        if (!column->key || !text)
            continue;
        if (stored == NULL || !stored->key || stored->type != column->type)
            return p->stage->limits.small_keys;
        texts++;
    }
    return p->stage->limits.small_keys && texts > 2;
}

static bool may_refuse(player *p, const step *s)
{
    switch (s->kind) {
    case STEP_WRITE:
    case STEP_HISTORY:
        return s->row_count == 0 || has_other_key(p, s) || needs_json(p, s);
    case STEP_ALTER:
        return null_in_new_key(p, s) || needs_json(p, s) || has_long_key(p, &s->table);
    case STEP_MIGRATE:
        return is_null_for_key(p, &s->migration);
    default:
        return false;
    }
}

static void judge(player *p, const step *s, weir_status status, unsigned failures)
{
    bool may = may_refuse(p, s);
    const char *text = weir_harness_text(p->h);
    weir_error err;

    if (status == WEIR_OK) {
        if (weir_test_failures() != failures)
            fail(p, ACCEPTED, "the destination did what the model refuses");
        return;
    }
    if (status == WEIR_UNSUPPORTED)
        fail(p, REFUSED, "the destination does not support it");
    else if (status == WEIR_CANCELLED)
        fail(p, BROKEN, "the destination died");
    else if (!may && step_apply(p->h->destination->model, s, p->arena, &err) == WEIR_OK)
        fail(p, REFUSED, "the destination refused what the model does: %s", text);
    else if (strstr(text, "syntax error") != NULL || strstr(text, "no such column") != NULL ||
             strstr(text, "leftover") != NULL)
        fail(p, BROKEN, "refused for a wrong reason: %s", text);
}

/* For all sequences, where they are kept; none while a child is made, for the pool has a thread. */
static weir_pool *sessions;

static void keep_sessions(player *p)
{
    const weir_destination *destination = p->stage->destination;
    const weir_pool_options options = { .form = &destination->form,
                                        .close = destination->close,
                                        .idle_max = destination->sessions_idle_max,
                                        .idle_ms = WEIR_SESSION_IDLE_MS };

    if (p->stage->keeps_sessions && sessions == NULL)
        sessions = weir__pool_new(&options);
    p->h->connector.pool = sessions;
}

static void end_sessions(player *p)
{
    weir__pool_free(sessions);
    sessions = NULL;
    p->h->connector.pool = NULL;
}

/* --- kills --- */

static unsigned countdown;

static void die_there(const char *sql)
{
    (void)sql;
    if (--countdown == 0)
        raise(SIGKILL);
}

static bool is_keyless_write(const step *s)
{
    if (s->kind != STEP_WRITE)
        return false;
    for (size_t i = 0; i < s->table.column_count; i++)
        if (s->table.columns[i].key)
            return false;
    return true;
}

/* True when the child died before the step was done. */
static bool kill_at(player *p, const step *s, unsigned point)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    end_sessions(p);
    if (p->stage->before_kill != NULL)
        p->stage->before_kill(NULL);
    child = fork();
    if (child == 0) {
        countdown = point;
        weir__sql_watch = die_there;
        (void)!step_send(p->h, s);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fail(p, BROKEN, "fork failed");
        return false;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        p->out->points++;
        return true;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail(p, BROKEN, "the destination died by itself: status %d", status);
    return false;
}

static void kill_before(player *p, const step *s)
{
    if (s->kind == STEP_CREATE || is_keyless_write(s))
        return; /* what is there afterwards may be all of it, and cannot be told (R-ENG-11) */
    if (p->stage->kill_everywhere)
        for (unsigned point = 1; point < 200 && kill_at(p, s, point); point++)
            continue;
    else if (s->kill_at > 0)
        (void)kill_at(p, s, s->kill_at);
}

/* --- comparing --- */

/* The name under which the store must have a column: cut, with 64 bits of FNV-1a (R-DST-08). */
static const char *stored_name(player *p, const char *name)
{
    size_t most = p->stage->limits.name_size_max, size = strlen(name);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (most == 0 || size <= most)
        return name;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    for (size = most - 17; ((unsigned char)name[size] & 0xC0) == 0x80; size--)
        continue;
    return weir__arena_printf(p->arena, "%.*s_%016llx", (int)size, name, (unsigned long long)hash);
}

/* The store's columns by their full names. */
static const char *const *full_names(player *p, const weir_table *table, const char *const *columns,
                                     size_t count)
{
    const char **out = weir__arena_array(p->arena, count + 1, sizeof *out);

    for (size_t i = 0; i < count; i++) {
        out[i] = columns[i];
        for (size_t k = 0; k < table->column_count; k++)
            if (strcmp(stored_name(p, table->columns[k].name), columns[i]) == 0)
                out[i] = table->columns[k].name;
    }
    return out;
}

/* For all sequences: some stores take long to open. */
static rows_reader *reader;

static weir_status compare_rows(player *p, const weir_model_table *table, weir_compare **compare,
                                const weir_row_diff **diff, weir_error *err)
{
    const weir_compare_options options = { .others = {
                                               .coarse = p->stage->limits.time_digits > 0,
                                               .time_digits = (uint8_t)p->stage->limits.time_digits } };
    const char *const *columns;
    const weir_seen_cell *cells;
    size_t count;
    weir_status status = rows_reader_begin(reader, weir__model_columns(table), &columns, &count, err);

    if (status == WEIR_NOT_FOUND)
        return weir__error(err, "the store has no such table");
    if (status == WEIR_OK)
        status = weir__compare_new(table, full_names(p, weir__model_columns(table), columns, count), count,
                                   &options, compare, err);
    while (status == WEIR_OK && (status = rows_reader_next(reader, &cells, err)) == WEIR_ITEM)
        status = weir__compare_row(*compare, cells, err);
    return status == WEIR_OK ? weir__compare_end(*compare, diff, err) : status;
}

static void check_rows(player *p, const weir_model_table *table)
{
    const weir_table *columns = weir__model_columns(table);
    const weir_row_diff *diff = NULL;
    weir_compare *compare = NULL;
    weir_error err = { 0 };
    weir_status status = reader == NULL ? rows_reader_open(p->stage->read, &reader, &err) : WEIR_OK;

    if (status == WEIR_OK)
        status = compare_rows(p, table, &compare, &diff, &err);
    if (status == WEIR_OK && !weir__row_diff_equal(diff)) {
        fail(p, ROWS, "rows of '%s' differ from the model's:", columns->name);
        (void)!weir__row_diff_print(diff, &p->out->text, &err);
    } else if (status != WEIR_OK) {
        fail(p, ROWS, "rows of '%s' cannot be read: %s", columns->name, err.text);
    }
    weir__compare_free(compare);
}

/* Bounds that one side does not tell are no difference: an alter that only adds them is none. */
static bool differs(const weir_column *a, const weir_column *b)
{
    if (a->type != b->type || a->key != b->key)
        return true;
    if (a->params.precision > 0 && b->params.precision > 0)
        return a->params.precision != b->params.precision || a->params.scale != b->params.scale;
    return a->params.string_byte_length > 0 && b->params.string_byte_length > 0 &&
           a->params.string_byte_length != b->params.string_byte_length;
}

static void check_schema(player *p, const weir_table *wanted)
{
    const weir_table *got = NULL;

    if (weir_harness_describe(p->h, wanted->schema ? wanted->schema : "", wanted->name, &got) != WEIR_OK) {
        fail(p, SCHEMA, "describe of '%s': %s", wanted->name, weir_harness_text(p->h));
        (void)!weir_harness_status(p->h);
        return;
    }
    for (size_t i = 0; i < wanted->column_count; i++) {
        const weir_column *a = &wanted->columns[i];
        const weir_column *b = weir_table_column(got, a->name);

        if (b == NULL)
            fail(p, SCHEMA, "'%s' has no column '%s'", wanted->name, a->name);
        else if (differs(a, b))
            fail(p, SCHEMA, "'%s': column '%s' is %s(%u,%u,%u)%s, not %s(%u,%u,%u)%s", wanted->name, a->name,
                 weir_type_name(b->type), b->params.precision, b->params.scale, b->params.string_byte_length,
                 b->key ? " key" : "", weir_type_name(a->type), a->params.precision, a->params.scale,
                 a->params.string_byte_length, a->key ? " key" : "");
    }
    if (got->column_count != wanted->column_count)
        fail(p, SCHEMA, "'%s' has %zu columns, not %zu", wanted->name, got->column_count,
             wanted->column_count);
}

static void check(player *p)
{
    const weir_model_table *table;

    for (size_t i = 0; (table = weir__model_at(p->h->destination->model, i)) != NULL; i++) {
        check_schema(p, weir__model_columns(table));
        check_rows(p, table);
    }
    if (reader != NULL)
        rows_reader_end(reader);
}

/* --- all of it --- */

static void play_step(player *p, const step *s)
{
    unsigned failures;
    weir_status status;

    kill_before(p, s);
    failures = weir_test_failures();
    if (s->kill_row > 0 && !p->stage->kill_everywhere && !is_keyless_write(s)) {
        end_sessions(p);
        weir_harness_crash_after_rows(p->h, s->kill_row);
    } else {
        keep_sessions(p);
    }
    status = step_send(p->h, s);
    if (status == WEIR_CANCELLED && s->kill_row > 0) {
        failures = weir_test_failures();
        weir_harness_resend(p->h);
        status = weir_harness_status(p->h);
    }
    judge(p, s, status, failures);
    if (!s->again || p->out->failed || status != WEIR_OK)
        return;
    failures = weir_test_failures();
    weir_harness_resend(p->h);
    judge(p, s, weir_harness_status(p->h), failures);
}

static void drop_all(player *p)
{
    const weir_model_table *table;

    while (!p->out->failed && (table = weir__model_at(p->h->destination->model, 0)) != NULL) {
        const weir_table *columns = weir__model_columns(table);
        step s = { .kind = STEP_MIGRATE };

        s.migration = (weir_migration){
            .kind = WEIR_MIGRATE_DROP_TABLE,
            .schema = weir__arena_copy(p->arena, columns->schema ? columns->schema : "",
                                       strlen(columns->schema ? columns->schema : "")),
            .table = weir__arena_copy(p->arena, columns->name, strlen(columns->name))
        };
        judge(p, &s, step_send(p->h, &s), weir_test_failures());
    }
}

weir_harness *play_start(const subject *stage, weir_arena *arena)
{
    weir_harness *h = weir__harness_destination(stage->destination, sizeof *stage->destination, __FILE__,
                                                __LINE__);

    for (size_t i = 0; i < stage->option_count; i++) {
        const char *text = stage->options[i];
        const char *equals = strchr(text, '=');

        weir_harness_option(h, weir__arena_copy(arena, text, (size_t)(equals - text)), equals + 1);
    }
    if (stage->before_kill != NULL)
        weir_harness_before_crash(h, stage->before_kill, NULL);
    return h;
}

/* What was left at the end of the sequence before; NULL: it failed, or there was none. */
static char *left_before;

static void check_leftovers(player *p)
{
    const char *left = p->stage->leftovers(p->stage, p->arena);

    if (strcmp(left, left_before) != 0)
        fail(p, LEFT, "left over: %s", left);
}

void play(const subject *stage, const sequence *s, outcome *out)
{
    player p = { .stage = stage, .arena = weir__arena_new(WEIR_GIB), .out = out };

    *out = (outcome){ 0 };
    weir__buf_init(&out->text, WEIR_MIB);
    if (stage->leftovers != NULL && left_before == NULL)
        left_before = strdup(stage->leftovers(stage, p.arena));
    p.h = play_start(stage, p.arena);
    weir_harness_set_files(p.h, &(weir_harness_files){ .seed = s->count + 7 });
    for (size_t i = 0; i < s->count && !out->failed; i++) {
        out->step = i;
        play_step(&p, &s->steps[i]);
        if (!out->failed && ((i + 1) % stage->compare_every == 0 || i + 1 == s->count))
            check(&p);
    }
    keep_sessions(&p);
    drop_all(&p);
    if (!out->failed && stage->leftovers != NULL)
        check_leftovers(&p);
    if (out->failed) {
        free(left_before);
        left_before = NULL;
    }
    weir_harness_free(p.h);
    weir__arena_free(p.arena);
}

void play_end(void)
{
    rows_reader_close(reader);
    reader = NULL;
    weir__pool_free(sessions);
    sessions = NULL;
    free(left_before);
    left_before = NULL;
}
