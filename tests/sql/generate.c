/*
 * tests/sql/generate: a sequence from a seed. The generator plays what it makes on a model of its own, so
 * that most steps make sense: they name tables and columns that are there, and keys that meet.
 */
#include <stdio.h>
#include <string.h>

#include "random.h"

#include "base/limits.h"

#define STEPS_MAX 14
#define TABLES 3
#define MEMORY_MAX (64 * WEIR_MIB)
#define END_SECONDS INT64_C(253402300799) /* 9999-12-31T23:59:59 */

typedef struct maker {
    dice d;
    sequence s;
    weir_model *model;
    const char *schemas[2];
    const char *names[TABLES];
} maker;

/* --- the model --- */

static weir_model_rows rows_of(const step *s, weir_op op, weir_arena *arena)
{
    weir_row *rows = weir__arena_array(arena, s->row_count + 1, sizeof *rows);
    size_t count = 0;

    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].op == op)
            rows[count++] = s->rows[i];
    return (weir_model_rows){ rows, count };
}

weir_status step_apply(weir_model *model, const step *s, weir_arena *arena, weir_error *err)
{
    weir_model_batch batch = { .table = &s->table };

    switch (s->kind) {
    case STEP_CREATE:
        return weir__model_create(model, &s->table, err);
    case STEP_ALTER:
        return weir__model_alter(model, &s->table, s->drop_columns, err);
    case STEP_TRUNCATE:
        return weir__model_truncate(model, &s->truncation, err);
    case STEP_MIGRATE:
        return weir__model_migrate(model, &s->migration, err);
    default:
        batch.earliest = rows_of(s, WEIR_EARLIEST, arena);
        batch.replace = rows_of(s, WEIR_REPLACE, arena);
        batch.update = rows_of(s, WEIR_UPDATE, arena);
        batch.remove = rows_of(s, WEIR_DELETE, arena);
        if (s->row_count == 0)
            return WEIR_OK;
        return s->kind == STEP_WRITE ? weir__model_write(model, &batch, err)
                                     : weir__model_write_history(model, &batch, err);
    }
}

/* --- tables --- */

static const char *const column_names[] = {
    "id",
    "v",
    "a b",
    "select",
    "q\"uote",
    "dot.t",
    "na\xC3\xAFve",
    "%s",
    "_x",
    "a column whose name is longer than what most stores can take, so that it must be cut, number one",
    "a column whose name is longer than what most stores can take, so that it must be cut, number two",
    "Id"
};

static weir_column system_column(const char *name, weir_type type, bool key)
{
    return (weir_column){ .name = name, .type = type, .key = key };
}

static void make_create(maker *m, const char *schema, const char *name, step *out)
{
    dice *d = &m->d;
    weir_column *columns = weir__arena_array(d->arena, 16, sizeof *columns);
    size_t names = sizeof column_names / sizeof *column_names - (d->limits.ignores_case ? 1 : 0);
    size_t count = 0, keys = dice_chance(d, 15) ? 0 : 1 + dice_roll(d, 2),
           wanted = keys + 1 + dice_roll(d, 5);
    unsigned mode = (unsigned)dice_roll(d, 3), first = (unsigned)dice_roll(d, names);

    for (size_t i = 0; i < wanted; i++) {
        weir_column column = { .name = column_names[(first + i) % names], .key = i < keys };

        do
            column.type = (weir_type)(1 + dice_roll(d, WEIR_TYPE_COUNT - 1));
        while (column.key && !value_may_be_key(column.type));
        column.params = value_params(d, column.type);
        columns[count++] = column;
    }
    columns[count++] = system_column("_fivetran_synced", WEIR_UTC_DATETIME, false);
    if (mode == 1)
        columns[count++] = system_column("_fivetran_deleted", WEIR_BOOLEAN, false);
    if (mode == 2 && keys > 0) {
        columns[count++] = system_column("_fivetran_start", WEIR_UTC_DATETIME, true);
        columns[count++] = system_column("_fivetran_end", WEIR_UTC_DATETIME, false);
        columns[count++] = system_column("_fivetran_active", WEIR_BOOLEAN, false);
    }
    out->kind = STEP_CREATE;
    out->table = (weir_table){ schema, name, columns, count };
}

/* --- rows --- */

static weir_cell unmodified(const weir_column *column)
{
    return (weir_cell){ .column = column->name, .type = column->type, .presence = WEIR_UNMODIFIED };
}

static weir_cell null_cell(const weir_column *column)
{
    return (weir_cell){ .column = column->name, .type = column->type, .presence = WEIR_NULL };
}

static bool is_system(const weir_column *column)
{
    return strncmp(column->name, "_fivetran_", 10) == 0;
}

static weir_cell plain_cell(dice *d, const weir_column *column, weir_op op)
{
    bool synced = strcmp(column->name, "_fivetran_synced") == 0 ||
                  strcmp(column->name, "_fivetran_start") == 0;

    if (column->key && !synced)
        return value_at(d, column, (unsigned)dice_roll(d, 3));
    if ((op == WEIR_DELETE || op == WEIR_EARLIEST) && !column->key)
        return unmodified(column);
    if (column->type == WEIR_UTC_DATETIME && (synced || is_system(column)))
        return weir_utc_datetime(column->name, value_start(d, (unsigned)dice_roll(d, 16)));
    if (column->key)
        return value_at(d, column, (unsigned)dice_roll(d, 3));
    if (op == WEIR_UPDATE && dice_chance(d, 50))
        return unmodified(column);
    if (strcmp(column->name, "_fivetran_deleted") == 0 && column->type == WEIR_BOOLEAN)
        return weir_boolean(column->name, dice_chance(d, 30));
    return dice_chance(d, 15) ? null_cell(column) : value_any(d, column);
}

static weir_cell *add_row(maker *m, step *out, weir_op op)
{
    size_t count = out->table.column_count;
    weir_cell *cells = weir__arena_array(m->d.arena, count + 1, sizeof *cells);

    for (size_t i = 0; i < count; i++)
        cells[i] = plain_cell(&m->d, &out->table.columns[i], op);
    out->rows[out->row_count++] = (weir_row){ op, cells, count };
    return cells;
}

/* The request's table: now and then it lacks a column that the stored one has. */
static weir_table request_table(maker *m, const weir_table *stored)
{
    weir_column *columns = weir__arena_array(m->d.arena, stored->column_count + 1, sizeof *columns);
    size_t count = 0;

    for (size_t i = 0; i < stored->column_count; i++) {
        const weir_column *column = &stored->columns[i];

        if (column->key || is_system(column) || !dice_chance(&m->d, 8))
            columns[count++] = *column;
    }
    return (weir_table){ stored->schema, stored->name, columns, count };
}

static bool has_key(const weir_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].key)
            return true;
    return false;
}

static void make_write(maker *m, const weir_table *stored, step *out)
{
    static const weir_op ops[] = { WEIR_REPLACE, WEIR_UPDATE, WEIR_DELETE };
    bool keyed = has_key(stored);

    out->kind = STEP_WRITE;
    out->table = request_table(m, stored);
    out->rows = weir__arena_array(m->d.arena, 32, sizeof *out->rows);
    for (size_t op = 0; op < (keyed ? 3 : 1); op++)
        for (uint64_t i = dice_chance(&m->d, 25) ? 0 : dice_roll(&m->d, op == 0 ? 7 : 4); i > 0; i--)
            add_row(m, out, ops[op]);
}

static size_t index_of(const weir_table *table, const char *name)
{
    size_t i = 0;

    while (i < table->column_count && strcmp(table->columns[i].name, name) != 0)
        i++;
    return i;
}

static void set_time(const step *s, weir_cell *cells, const char *name, weir_time time)
{
    size_t at = index_of(&s->table, name);

    if (at < s->table.column_count && s->table.columns[at].type == WEIR_UTC_DATETIME)
        cells[at] = weir_utc_datetime(s->table.columns[at].name, time);
}

static void set_active(const step *s, weir_cell *cells, bool active)
{
    size_t at = index_of(&s->table, "_fivetran_active");

    if (at < s->table.column_count && s->table.columns[at].type == WEIR_BOOLEAN)
        cells[at] = weir_boolean(s->table.columns[at].name, active);
}

/* The own key of one row in another. */
static void copy_key(const step *s, const weir_cell *from, weir_cell *to)
{
    for (size_t i = 0; i < s->table.column_count; i++)
        if (s->table.columns[i].key)
            to[i] = from[i];
}

static weir_time before(weir_time time)
{
    time.nanos -= 1000000;
    if (time.nanos < 0) {
        time.nanos += 1000000000;
        time.seconds--;
    }
    return time;
}

/* What a platform sends for one key: versions with growing starts, and where the first begins. */
static void make_versions(maker *m, step *out)
{
    const weir_time end = { END_SECONDS, 999000000 };
    unsigned start = (unsigned)dice_roll(&m->d, 8), versions = 1 + (unsigned)dice_roll(&m->d, 3);
    weir_cell *key = add_row(m, out, WEIR_EARLIEST);

    set_time(out, key, "_fivetran_start", value_start(&m->d, start));
    for (unsigned i = 0; i < versions; i++) {
        weir_cell *cells = add_row(m, out, dice_chance(&m->d, 50) ? WEIR_REPLACE : WEIR_UPDATE);
        unsigned next = start + 1 + (unsigned)dice_roll(&m->d, 3);
        bool last = i + 1 == versions;

        copy_key(out, key, cells);
        set_time(out, cells, "_fivetran_start", value_start(&m->d, start));
        set_time(out, cells, "_fivetran_end", last ? end : before(value_start(&m->d, next)));
        set_active(out, cells, last);
        start = next;
    }
}

static void make_history(maker *m, const weir_table *stored, step *out)
{
    static const weir_op ops[] = { WEIR_EARLIEST, WEIR_REPLACE, WEIR_UPDATE, WEIR_DELETE };
    bool wild = dice_chance(&m->d, 25);

    out->kind = STEP_HISTORY;
    out->table = request_table(m, stored);
    out->rows = weir__arena_array(m->d.arena, 64, sizeof *out->rows);
    for (uint64_t i = wild ? 0 : dice_roll(&m->d, 4); i > 0; i--)
        make_versions(m, out);
    for (uint64_t i = wild ? 1 + dice_roll(&m->d, 8) : 0; i > 0; i--) {
        weir_cell *cells = add_row(m, out, ops[dice_roll(&m->d, 4)]);

        set_time(out, cells, "_fivetran_start", value_start(&m->d, (unsigned)dice_roll(&m->d, 12)));
        if (out->rows[out->row_count - 1].op == WEIR_DELETE)
            set_time(out, cells, "_fivetran_end", value_start(&m->d, (unsigned)dice_roll(&m->d, 14)));
        if (out->rows[out->row_count - 1].op == WEIR_UPDATE ||
            out->rows[out->row_count - 1].op == WEIR_REPLACE)
            set_active(out, cells, dice_chance(&m->d, 50));
    }
    for (uint64_t i = dice_roll(&m->d, 3); i > 0; i--) {
        weir_cell *cells = add_row(m, out, WEIR_DELETE);
        size_t at = index_of(&out->table, "_fivetran_start");

        if (at < out->table.column_count && dice_chance(&m->d, 70))
            cells[at] = null_cell(&out->table.columns[at]);
        set_time(out, cells, "_fivetran_end", value_start(&m->d, (unsigned)dice_roll(&m->d, 14)));
    }
}

static void make_truncate(maker *m, const weir_table *stored, step *out)
{
    bool soft = weir_table_column(stored, "_fivetran_deleted") != NULL && dice_chance(&m->d, 60);

    out->kind = STEP_TRUNCATE;
    out->truncation = (weir_truncation){ .schema = stored->schema,
                                         .table = stored->name,
                                         .synced_column = "_fivetran_synced",
                                         .before = value_start(&m->d, (unsigned)dice_roll(&m->d, 18)),
                                         .deleted_column = soft ? "_fivetran_deleted" : NULL };
}

/* --- sequences --- */

/* A table that the model has; NULL: none. */
static const weir_model_table *any_table(maker *m)
{
    size_t count = 0;

    while (weir__model_at(m->model, count) != NULL)
        count++;
    return count > 0 ? weir__model_at(m->model, dice_roll(&m->d, count)) : NULL;
}

static void make_step(maker *m, step *out)
{
    dice *d = &m->d;
    const weir_model_table *table = any_table(m);
    const weir_table *stored = table != NULL ? weir__model_columns(table) : NULL;
    uint64_t roll = dice_roll(d, 100);

    if (table == NULL || roll < 10)
        make_create(m, m->schemas[dice_roll(d, 2)], m->names[dice_roll(d, TABLES)], out);
    else if (roll < 24)
        change_alter(d, stored, out);
    else if (roll < 32)
        make_truncate(m, stored, out);
    else if (roll < 55)
        change_migrate(d, m->model, table, m->names[dice_roll(d, TABLES)], out);
    else if (weir__model_is_history(table) ? roll < 96 : roll > 97)
        make_history(m, stored, out);
    else
        make_write(m, stored, out);
}

/* A copy of what the model owns: it changes under the sequence. */
static const char *keep(maker *m, const char *text)
{
    return text != NULL ? weir__arena_copy(m->d.arena, text, strlen(text)) : NULL;
}

static void keep_table(maker *m, weir_table *table)
{
    weir_column *columns = weir__arena_array(m->d.arena, table->column_count + 1, sizeof *columns);

    for (size_t i = 0; i < table->column_count; i++) {
        columns[i] = table->columns[i];
        columns[i].name = keep(m, columns[i].name);
    }
    *table = (weir_table){ keep(m, table->schema), keep(m, table->name), columns, table->column_count };
}

static void keep_step(maker *m, step *s)
{
    weir_migration *what = &s->migration;

    keep_table(m, &s->table);
    for (size_t i = 0; i < s->row_count; i++)
        for (size_t k = 0; k < s->rows[i].count; k++)
            ((weir_cell *)s->rows[i].cells)[k].column = s->table.columns[k].name;
    s->truncation.schema = keep(m, s->truncation.schema);
    s->truncation.table = keep(m, s->truncation.table);
    if (s->kind != STEP_MIGRATE)
        return;
    what->schema = keep(m, what->schema);
    what->table = keep(m, what->table);
    if (what->kind == WEIR_MIGRATE_COPY_TABLE || what->kind == WEIR_MIGRATE_COPY_COLUMN ||
        what->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY || what->kind == WEIR_MIGRATE_RENAME_TABLE ||
        what->kind == WEIR_MIGRATE_RENAME_COLUMN) {
        what->as.names.from = keep(m, what->as.names.from);
        what->as.names.to = keep(m, what->as.names.to);
        what->as.names.deleted_column = keep(m, what->as.names.deleted_column);
    } else if (what->kind >= WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY) {
        what->as.mode.deleted_column = keep(m, what->as.mode.deleted_column);
    } else if (what->kind != WEIR_MIGRATE_DROP_TABLE) {
        what->as.column.name = keep(m, what->as.column.name);
    }
}

static void make_names(maker *m, unsigned run)
{
    static const char *const names[TABLES] = { "t", "Or\"der s", "%" };

    m->schemas[0] = "weir_random";
    m->schemas[1] = "weir.random 2";
    for (size_t i = 0; i < TABLES; i++)
        m->names[i] = weir__arena_printf(m->d.arena, "%s_%u", names[i], run);
}

sequence sequence_new(uint64_t seed, const limits *what, unsigned run)
{
    maker m = { .d = { .state = seed * 2654435761u + 12345, .limits = *what } };
    weir_arena *scratch = weir__arena_new(MEMORY_MAX);
    size_t count = 3 + dice_roll(&m.d, STEPS_MAX - 2);
    weir_error err;

    m.s.arena = m.d.arena = weir__arena_new(MEMORY_MAX);
    m.s.steps = weir__arena_array(m.d.arena, count, sizeof *m.s.steps);
    m.model = weir__model_new();
    make_names(&m, run);
    while (m.s.count < count) {
        step *s = &m.s.steps[m.s.count++];
        bool creates;

        make_step(&m, s);
        keep_step(&m, s);
        creates = s->kind == STEP_CREATE;
        s->again = !creates && dice_chance(&m.d, 12);
        if (!creates && dice_chance(&m.d, 20))
            s->kill_at = 1 + (unsigned)dice_roll(&m.d, dice_chance(&m.d, 70) ? 4 : 12);
        else if (s->kind == STEP_WRITE && s->row_count > 0 && dice_chance(&m.d, 20))
            s->kill_row = 1 + (unsigned)dice_roll(&m.d, s->row_count);
        weir__arena_reset(scratch);
        (void)!step_apply(m.model, s, scratch, &err);
    }
    weir__model_free(m.model);
    weir__arena_free(scratch);
    return m.s;
}

void sequence_free(sequence *s)
{
    weir__arena_free(s->arena);
}
