/* tester/plan: see plan.h. */
#include "tester/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"

#define END_OF_TIME ((weir_time){ .seconds = WEIR_TIME_SECONDS_MAX, .nanos = 999000000 }) /* R-HIS-01 */

/* One row that waits; in a history table one version of its key. */
typedef struct entry {
    plan_kind kind;
    plan_row row;
    weir_time time;     /* op_time */
    size_t number;      /* order of arrival */
    struct entry *next; /* of all, or of the key's versions in a history table */
} entry;

/* What waits of one key. */
typedef struct chain {
    entry *first;
    entry *last;
    bool has_row;
    bool has_delete;
    struct chain *next;
} chain;

struct write_plan {
    plan_options options;
    weir_arena *arena;
    weir_map keys; /* to chain; official plain tables do without */
    weir_buf key;
    chain *chains; /* in order of arrival */
    chain *chains_last;
    size_t chain_count;
    size_t count;
    size_t synced; /* column numbers; SIZE_MAX: none */
    size_t deleted;
    size_t start;
    size_t end;
    size_t active;
};

static size_t find(const weir_table *table, const char *name)
{
    return weir__table_find(table, weir__text(name));
}

write_plan *write_plan_new(const plan_options *options)
{
    write_plan *p = weir__calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->options = *options;
    p->synced = find(options->table, "_fivetran_synced");
    p->deleted = find(options->table, "_fivetran_deleted");
    p->start = options->history ? find(options->table, "_fivetran_start") : SIZE_MAX;
    p->end = options->history ? find(options->table, "_fivetran_end") : SIZE_MAX;
    p->active = options->history ? find(options->table, "_fivetran_active") : SIZE_MAX;
    weir__map_init(&p->keys, 0);
    weir__buf_init(&p->key, WEIR_ROW_SIZE_MAX);
    p->arena = weir__arena_new(WEIR_TESTER_ROWS_SIZE_MAX);
    if (p->arena == NULL) {
        write_plan_free(p);
        return NULL;
    }
    return p;
}

void write_plan_free(write_plan *p)
{
    if (p == NULL)
        return;
    weir__map_clear(&p->keys);
    weir__buf_clear(&p->key);
    weir__arena_free(p->arena);
    weir__free(p);
}

weir_arena *write_plan_arena(write_plan *p)
{
    return p->arena;
}

size_t write_plan_size(const write_plan *p)
{
    return weir__arena_used(p->arena);
}

bool write_plan_is_empty(const write_plan *p)
{
    return p->count == 0;
}

void write_plan_reset(write_plan *p)
{
    weir__map_clear(&p->keys);
    weir__map_init(&p->keys, 0);
    weir__arena_reset(p->arena);
    p->chains = NULL;
    p->chains_last = NULL;
    p->chain_count = 0;
    p->count = 0;
}

static weir_status memory(weir_error *err)
{
    return weir__error_memory(err, "gathering rows");
}

static bool before(weir_time a, weir_time b)
{
    return a.seconds < b.seconds || (a.seconds == b.seconds && a.nanos < b.nanos);
}

static bool same(weir_time a, weir_time b)
{
    return a.seconds == b.seconds && a.nanos == b.nanos;
}

static weir_time millisecond_before(weir_time t)
{
    t.nanos -= 1000000;
    if (t.nanos < 0) {
        t.nanos += 1000000000;
        t.seconds--;
    }
    return t;
}

/* --- system cells --- */

static void set_cell(const write_plan *p, const plan_row *row, size_t column, weir_cell cell)
{
    if (column == SIZE_MAX)
        return;
    cell.column = p->options.table->columns[column].name;
    row->meant[column] = cell;
    row->sent[column] = cell;
}

static void set_time(const write_plan *p, const plan_row *row, size_t column, weir_time time)
{
    set_cell(p, row, column, weir_utc_datetime("", time));
}

/* Whether column `at` is part of the table's own key: `_fivetran_start` is not (R-HIS-02). */
static bool own_key(const write_plan *p, size_t at)
{
    return p->options.table->columns[at].key && at != p->start;
}

/* A delete row: keys alone count; the official writer makes everything else NULL. */
static void fill_delete(const write_plan *p, const plan_row *row)
{
    for (size_t i = 0; i < p->options.table->column_count; i++) {
        if (own_key(p, i))
            continue;
        if (p->options.history && !p->options.official) { /* the file has keys and the end alone (R-HIS-05) */
            row->sent[i].presence = WEIR_UNMODIFIED;
            continue;
        }
        row->sent[i].presence = row->sent[i].presence == WEIR_UNMODIFIED || p->options.official
                                    ? WEIR_NULL
                                    : row->sent[i].presence;
        if (row->meant != row->sent)
            row->meant[i].presence = WEIR_UNMODIFIED;
    }
}

static plan_kind kind_of(const write_plan *p, input_op op)
{
    switch (op) {
    case INPUT_UPSERT:
        return PLAN_REPLACE;
    case INPUT_UPDATE:
        return PLAN_UPDATE;
    case INPUT_SOFT_DELETE: /* in a history table it ends the row, as a delete does */
        return p->options.history ? PLAN_DELETE : PLAN_UPDATE;
    default:
        return PLAN_DELETE;
    }
}

static void fill(const write_plan *p, const input_row *from, const plan_row *row, weir_time synced)
{
    plan_kind kind = kind_of(p, from->op);

    if (kind == PLAN_DELETE)
        fill_delete(p, row);
    if (kind != PLAN_DELETE || !p->options.history || p->options.official)
        set_time(p, row, p->synced, synced);
    if (p->options.history) {
        if (kind == PLAN_DELETE) {
            set_time(p, row, p->end, from->op_time);
            if (p->options.official) /* the model does not read it, nor should a destination */
                row->sent[p->active] = weir_boolean("_fivetran_active", false);
        }
        return;
    }
    if (kind == PLAN_REPLACE)
        set_cell(p, row, p->deleted, weir_boolean("", false));
    else if (from->op == INPUT_SOFT_DELETE || (kind == PLAN_DELETE && !p->options.official))
        set_cell(p, row, p->deleted, weir_boolean("", true));
}

/* --- adding --- */

static weir_status find_chain(write_plan *p, const weir_cell *cells, chain **out, weir_error *err)
{
    char *copy;
    chain *c;

    p->key.size = 0;
    for (size_t i = 0; i < p->options.table->column_count; i++) {
        weir_status status = own_key(p, i) ? weir__key_put(&p->key, &cells[i], err) : WEIR_OK;

        if (status != WEIR_OK)
            return status;
    }
    *out = weir__map_get(&p->keys, weir__buf_bytes(&p->key));
    if (*out != NULL)
        return WEIR_OK;
    c = weir__arena_alloc(p->arena, sizeof *c);
    copy = weir__arena_raw(p->arena, p->key.size + 1);
    if (c == NULL || copy == NULL)
        return memory(err);
    if (p->key.size > 0)
        memcpy(copy, p->key.data, p->key.size);
    if (!weir__map_put(&p->keys, (weir_bytes){ copy, p->key.size }, c))
        return memory(err);
    *out = c;
    return WEIR_OK;
}

static void link_chain(write_plan *p, chain *c)
{
    if (p->chains_last == NULL)
        p->chains = c;
    else
        p->chains_last->next = c;
    p->chains_last = c;
    p->chain_count++;
}

static weir_status add_entry(write_plan *p, chain *c, const input_row *from, const plan_row *row,
                             weir_error *err)
{
    entry *e = weir__arena_alloc(p->arena, sizeof *e);

    if (e == NULL)
        return memory(err);
    *e = (entry){ .kind = kind_of(p, from->op), .row = *row, .time = from->op_time, .number = p->count++ };
    if (c->first == NULL)
        link_chain(p, c);
    if (c->first == NULL)
        c->first = e;
    else
        c->last->next = e;
    c->last = e;
    c->has_delete = c->has_delete || e->kind == PLAN_DELETE;
    c->has_row = c->has_row || e->kind != PLAN_DELETE;
    return WEIR_OK;
}

/* What the row says goes over what waits. */
static void merge(const write_plan *p, entry *e, const plan_row *row)
{
    for (size_t i = 0; i < p->options.table->column_count; i++)
        if (row->meant[i].presence != WEIR_UNMODIFIED)
            e->row.meant[i] = row->meant[i];
}

/* Production, a table without history: one row per key (R-ENG-04). */
static weir_status fold(write_plan *p, chain *c, const input_row *from, const plan_row *row, weir_error *err)
{
    entry *e = c->first;
    plan_kind kind = kind_of(p, from->op);

    if (e == NULL)
        return add_entry(p, c, from, row, err);
    if (kind == PLAN_UPDATE) {
        merge(p, e, row);
        return WEIR_OK;
    }
    e->kind = kind;
    e->row = *row;
    c->has_delete = kind == PLAN_DELETE;
    return WEIR_OK;
}

/* Whether the row can follow what waits of its key in one request. */
static bool must_flush(const write_plan *p, const chain *c, const input_row *from)
{
    plan_kind kind = kind_of(p, from->op);

    if (p->options.official || c->first == NULL)
        return false;
    if (!p->options.history)
        return c->has_delete;
    if (c->has_delete || before(from->op_time, c->last->time))
        return true;
    return kind == PLAN_UPDATE && c->has_row && !same(from->op_time, c->last->time);
}

/* Production: two operations at one time are one version. */
static weir_status add_version(write_plan *p, chain *c, const input_row *from, const plan_row *row,
                               weir_error *err)
{
    plan_kind kind = kind_of(p, from->op);

    if (p->options.official || c->last == NULL || kind == PLAN_DELETE || !same(from->op_time, c->last->time))
        return add_entry(p, c, from, row, err);
    if (kind == PLAN_UPDATE) {
        merge(p, c->last, row);
    } else {
        c->last->kind = kind;
        c->last->row = *row;
    }
    return WEIR_OK;
}

weir_status write_plan_add(write_plan *p, const input_row *from, weir_time synced, weir_error *err)
{
    plan_row row = { .meant = from->meant, .sent = from->sent };
    chain *c = NULL;
    weir_status status = WEIR_OK;

    if (p->options.official && !p->options.history) { /* every row for itself */
        c = weir__arena_alloc(p->arena, sizeof *c);
        if (c == NULL)
            return memory(err);
    } else {
        status = find_chain(p, from->meant, &c, err);
    }
    if (status != WEIR_OK)
        return status;
    if (must_flush(p, c, from))
        return WEIR_ITEM;
    fill(p, from, &row, synced);
    return p->options.history ? add_version(p, c, from, &row, err) : fold(p, c, from, &row, err);
}

/* --- taking --- */

typedef struct taking {
    write_plan *p;
    plan_row *rows[PLAN_KIND_COUNT];
    size_t counts[PLAN_KIND_COUNT];
} taking;

static int compare_versions(const void *a, const void *b)
{
    const entry *x = *(entry *const *)a;
    const entry *y = *(entry *const *)b;

    if (!same(x->time, y->time))
        return before(x->time, y->time) ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Starts, ends and the active mark of a key's versions, and its earliest row. */
static weir_status chain_versions(taking *t, const chain *c, weir_error *err)
{
    write_plan *p = t->p;
    size_t count = 0;
    entry **versions;
    plan_row earliest;
    size_t columns = p->options.table->column_count;

    for (const entry *e = c->first; e != NULL; e = e->next)
        count += e->kind != PLAN_DELETE;
    if (count == 0)
        return WEIR_OK;
    versions = weir__arena_array(p->arena, count, sizeof *versions);
    earliest.meant = weir__arena_array(p->arena, columns, sizeof *earliest.meant);
    earliest.sent = earliest.meant;
    if (versions == NULL || earliest.meant == NULL)
        return memory(err);
    count = 0;
    for (entry *e = c->first; e != NULL; e = e->next)
        if (e->kind != PLAN_DELETE)
            versions[count++] = e;
    qsort(versions, count, sizeof(entry *), compare_versions);
    for (size_t i = 0; i < count; i++) {
        size_t next = i + 1;

        while (next < count && same(versions[next]->time, versions[i]->time))
            next++;
        set_time(p, &versions[i]->row, p->start, versions[i]->time);
        set_time(p, &versions[i]->row, p->end,
                 next < count ? millisecond_before(versions[next]->time) : END_OF_TIME);
        set_cell(p, &versions[i]->row, p->active, weir_boolean("", next == count));
    }
    for (size_t i = 0; i < columns; i++) {
        earliest.meant[i] = c->first->row.meant[i];
        if (!own_key(p, i))
            earliest.meant[i].presence = WEIR_UNMODIFIED;
        else
            earliest.sent[i] = p->options.official ? c->first->row.sent[i] : earliest.meant[i];
    }
    set_time(p, &earliest, p->start, versions[0]->time);
    t->rows[PLAN_EARLIEST][t->counts[PLAN_EARLIEST]++] = earliest;
    return WEIR_OK;
}

/* Which columns a kind of file has. */
static bool has_column(const write_plan *p, plan_kind kind, size_t column)
{
    if (kind == PLAN_EARLIEST)
        return own_key(p, column) || column == p->start;
    if (kind == PLAN_DELETE && p->options.history && !p->options.official)
        return own_key(p, column) || column == p->end; /* R-HIS-05 */
    return true;
}

weir_status write_plan_take(write_plan *p, plan_request *out, weir_error *err)
{
    size_t columns = p->options.table->column_count;
    taking t = { .p = p };
    plan_request request = { .rows = p->count };

    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        bool *has = weir__arena_array(p->arena, columns, sizeof *has);

        t.rows[kind] = weir__arena_array(p->arena, p->count + 1, sizeof(plan_row));
        if (has == NULL || t.rows[kind] == NULL)
            return memory(err);
        for (size_t i = 0; i < columns; i++)
            has[i] = has_column(p, (plan_kind)kind, i);
        request.kinds[kind].columns = has;
    }
    for (const chain *c = p->chains; c != NULL; c = c->next) {
        weir_status status = p->options.history ? chain_versions(&t, c, err) : WEIR_OK;

        if (status != WEIR_OK)
            return status;
        for (const entry *e = c->first; e != NULL; e = e->next)
            t.rows[e->kind][t.counts[e->kind]++] = e->row;
    }
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        request.kinds[kind].rows = t.rows[kind];
        request.kinds[kind].count = t.counts[kind];
    }
    *out = request;
    return WEIR_OK;
}

weir_table *write_plan_full_table(const char *schema, const input_table *from, weir_arena *arena)
{
    const weir_table *table = &from->table;
    weir_column *columns = weir__arena_array(arena, table->column_count + 5, sizeof *columns);
    weir_table *out = weir__arena_alloc(arena, sizeof *out);
    size_t count = table->column_count;

    if (columns == NULL || out == NULL)
        return NULL;
    if (count > 0)
        memcpy(columns, table->columns, count * sizeof *columns);
    columns[count++] = (weir_column){ .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME };
    if (weir__table_key_count(table) == 0)
        columns[count++] = (weir_column){ .name = "_fivetran_id", .type = WEIR_STRING, .key = true };
    if (from->history) {
        columns[count++] = (weir_column){ .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true };
        columns[count++] = (weir_column){ .name = "_fivetran_end", .type = WEIR_UTC_DATETIME };
        columns[count++] = (weir_column){ .name = "_fivetran_active", .type = WEIR_BOOLEAN };
    } else {
        columns[count++] = (weir_column){ .name = "_fivetran_deleted", .type = WEIR_BOOLEAN };
    }
    *out = (weir_table){ .schema = schema, .name = table->name, .columns = columns, .column_count = count };
    return out;
}
