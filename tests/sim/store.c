/*
 * tests/sim: a destination made with the SDK, whose store is the model (src/model). It outlives the
 * engine's processes. By chance it warns, asks for a person, fails, or applies a part of a request and
 * fails.
 */
#include <stdlib.h>
#include <string.h>

#include <weir/destination.h>

#include "base/alloc.h"
#include "data/text.h"
#include "model/model.h"
#include "rpc/server.h"
#include "sdk/destination.h"
#include "sdk/log.h"
#include "sim.h"

#define TEXT_SIZE 4096

weir_rpc_call *sim_call_begin(weir_bytes request);
weir_bytes sim_call_reply(const weir_rpc_call *call);
void sim_call_end(weir_rpc_call *call);

static weir_model *store;

/* --- the destination --- */

static weir_status outcome(weir_call *call, weir_status status, const weir_error *err)
{
    if (status == WEIR_TASK)
        return weir_task(call, "%s", err->text);
    return status == WEIR_OK || status == WEIR_UNSUPPORTED ? status : weir_fail(call, "%s", err->text);
}

/* What goes wrong before a request is looked at. */
static weir_status trouble(weir_call *call)
{
    sim_dice *dice = sim_fault_dice();

    if (!sim_chance(dice, sim_faults_get()->calls))
        return WEIR_OK;
    switch (sim_below(dice, 3)) {
    case 0:
        return weir_task(call, "by chance");
    case 1:
        return weir_fail(call, "the destination failed by chance");
    default:
        weir_warn(call, "by chance");
        return WEIR_OK;
    }
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const weir_table *found = weir__model_describe(store, schema, table);
    weir_column *columns;

    if (found == NULL)
        return WEIR_NOT_FOUND;
    columns = weir_alloc(call, found->column_count * sizeof *columns);
    for (size_t i = 0; i < found->column_count; i++) {
        columns[i] = found->columns[i];
        columns[i].name = weir_copy(call, columns[i].name, strlen(columns[i].name) + 1);
    }
    out->columns = columns;
    out->column_count = found->column_count;
    return WEIR_OK;
}

static weir_status create(weir_call *call, const weir_table *table)
{
    weir_status status = trouble(call);
    weir_error err;

    return status == WEIR_OK ? outcome(call, weir__model_create(store, table, &err), &err) : status;
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    weir_status status = trouble(call);
    weir_error err;

    (void)changes;
    return status == WEIR_OK ? outcome(call, weir__model_alter(store, table, false, &err), &err) : status;
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    weir_status status = trouble(call);
    weir_error err;

    return status == WEIR_OK ? outcome(call, weir__model_truncate(store, what, &err), &err) : status;
}

/* Rows of one kind, copied: a row is gone with the next one. */
typedef struct rows {
    weir_row *items;
    size_t count;
    size_t capacity;
} rows;

static void add_row(weir_call *call, rows *to, const weir_row *row)
{
    weir_cell *cells = weir_alloc(call, row->count * sizeof *cells);

    memcpy(cells, row->cells, row->count * sizeof *cells);
    for (size_t i = 0; i < row->count; i++)
        if (cells[i].presence == WEIR_VALUE &&
            ((cells[i].type >= WEIR_BINARY && cells[i].type <= WEIR_JSON) || cells[i].type == WEIR_DECIMAL))
            cells[i].as.bytes.data = weir_copy(call, cells[i].as.bytes.data, cells[i].as.bytes.size);
    if (to->count == to->capacity) {
        weir_row *grown = weir_alloc(call, (to->capacity * 2 + 64) * sizeof *grown);

        if (to->count > 0)
            memcpy(grown, to->items, to->count * sizeof *grown);
        to->items = grown;
        to->capacity = to->capacity * 2 + 64;
    }
    to->items[to->count++] = (weir_row){ row->op, cells, row->count };
}

static weir_status write_any(weir_call *call, const weir_table *table, weir_batch *in, bool history)
{
    rows *kinds = weir_alloc(call, 5 * sizeof *kinds);
    weir_model_batch batch = { .table = table };
    sim_dice *dice = sim_fault_dice();
    bool part = sim_chance(dice, sim_faults_get()->calls);
    weir_status status = trouble(call);
    weir_error err;
    weir_row row;

    if (status != WEIR_OK)
        return status;
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM)
        add_row(call, &kinds[row.op], &row);
    if (status != WEIR_OK)
        return status;
    if (part) { /* a store without transactions has come that far */
        kinds[WEIR_REPLACE].count = history ? 0 : sim_below(dice, kinds[WEIR_REPLACE].count + 1);
        kinds[WEIR_UPDATE].count = 0;
        kinds[WEIR_DELETE].count = 0;
    }
    batch.earliest = (weir_model_rows){ kinds[WEIR_EARLIEST].items, kinds[WEIR_EARLIEST].count };
    batch.replace = (weir_model_rows){ kinds[WEIR_REPLACE].items, kinds[WEIR_REPLACE].count };
    batch.update = (weir_model_rows){ kinds[WEIR_UPDATE].items, kinds[WEIR_UPDATE].count };
    batch.remove = (weir_model_rows){ kinds[WEIR_DELETE].items, kinds[WEIR_DELETE].count };
    status = history ? weir__model_write_history(store, &batch, &err)
                     : weir__model_write(store, &batch, &err);
    status = outcome(call, status, &err);
    return status == WEIR_OK && part ? weir_fail(call, "the destination failed half-way") : status;
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    return write_any(call, table, in, false);
}

static weir_status write_history(weir_call *call, const weir_table *table, weir_batch *in)
{
    return write_any(call, table, in, true);
}

static weir_status migrate(weir_call *call, const weir_migration *what)
{
    weir_status status = trouble(call);
    weir_error err;

    return status == WEIR_OK ? outcome(call, weir__model_migrate(store, what, &err), &err) : status;
}

static const weir_destination definition = {
    .name = "model",
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
    .write_history = write_history,
    .migrate = migrate,
};

/* The SDK's log lines are of no interest here. */
void __wrap_weir__log(weir_log_level level, const char *format, ...);

void __wrap_weir__log(weir_log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

void sim_store_reset(void)
{
    weir__model_free(store);
    store = weir__model_new();
    if (store == NULL)
        abort();
}

const weir_model *sim_store_model(void)
{
    return store;
}

unsigned sim_store_serve(const char *method, weir_bytes request, weir_buf *reply, char *text,
                         size_t text_size)
{
    weir_rpc_method methods[WEIR_DESTINATION_METHODS];
    weir_connector connector;
    weir_rpc_code code = WEIR_RPC_UNIMPLEMENTED;
    weir_rpc_call *call = sim_call_begin(request);
    weir_bytes got;

    weir__destination_connector(&definition, &connector);
    weir__destination_methods(&connector, methods);
    for (size_t i = 0; i < WEIR_DESTINATION_METHODS; i++)
        if (strcmp(methods[i].path, method) == 0)
            code = methods[i].handler(call, methods[i].context);
    got = sim_call_reply(call);
    if (code == WEIR_RPC_OK && !weir__buf_put(reply, got.data, got.size))
        abort();
    if (code != WEIR_RPC_OK)
        snprintf(text, text_size, "%.*s", (int)got.size, got.data);
    sim_call_end(call);
    return code;
}

/* --- what is there against what must be --- */

/* "name=value " by value: integers of any width alike. */
static void show_cell(const char *name, const weir_cell *cell, char *out, size_t size)
{
    size_t at = strlen(out);

    if (cell->presence != WEIR_VALUE)
        snprintf(out + at, size - at, "%s=NULL ", name);
    else if (cell->type == WEIR_BOOLEAN)
        snprintf(out + at, size - at, "%s=%s ", name, cell->as.boolean ? "true" : "false");
    else if (cell->type == WEIR_SHORT || cell->type == WEIR_INT || cell->type == WEIR_LONG)
        snprintf(out + at, size - at, "%s=%lld ", name, (long long)cell->as.integer);
    else if (cell->type == WEIR_DOUBLE)
        snprintf(out + at, size - at, "%s=%.17g ", name, cell->as.real);
    else
        snprintf(out + at, size - at, "%s='%.*s' ", name, (int)cell->as.bytes.size, cell->as.bytes.data);
}

static void show_version(unsigned version, char *out, size_t size)
{
    size_t at = strlen(out);

    if (version > 0)
        snprintf(out + at, size - at, "version %u", version);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **show_expected(const sim_expected *table)
{
    char **out = calloc(table->row_count + 1, sizeof *out);

    for (size_t i = 0; i < table->row_count; i++) {
        weir_cell deleted = weir_boolean("deleted", table->rows[i].deleted);

        out[i] = calloc(1, TEXT_SIZE);
        for (size_t j = 0; j < table->column_count; j++)
            show_cell(table->columns[j], &table->rows[i].cells[j], out[i], TEXT_SIZE);
        show_cell(table->history ? "ended" : "deleted", &deleted, out[i], TEXT_SIZE);
        show_version(table->rows[i].version, out[i], TEXT_SIZE);
    }
    qsort(out, table->row_count, sizeof *out, by_text);
    return out;
}

static const weir_cell *find_cell(const weir_table *columns, const weir_row *row, const char *name)
{
    static const weir_cell missing = { .presence = WEIR_NULL };

    for (size_t i = 0; i < columns->column_count; i++)
        if (strcmp(columns->columns[i].name, name) == 0)
            return &row->cells[i];
    return &missing;
}

static bool same_key(const weir_table *columns, const sim_expected *table, const weir_row *a,
                     const weir_row *b)
{
    char texts[2][TEXT_SIZE] = { "", "" };

    for (size_t i = 0; i < table->column_count; i++)
        if (table->keys[i]) {
            show_cell("", find_cell(columns, a, table->columns[i]), texts[0], TEXT_SIZE);
            show_cell("", find_cell(columns, b, table->columns[i]), texts[1], TEXT_SIZE);
        }
    return strcmp(texts[0], texts[1]) == 0;
}

/* The versions of a row's key that begin no later than it does. */
static unsigned version_of(const weir_model_table *stored, const sim_expected *table, size_t index)
{
    const weir_table *columns = weir__model_columns(stored);
    weir_row row = weir__model_row(stored, index);
    weir_time start = find_cell(columns, &row, "_fivetran_start")->as.time;
    unsigned count = 0;

    for (size_t i = 0; i < weir__model_row_count(stored); i++) {
        weir_row other = weir__model_row(stored, i);
        weir_time begins = find_cell(columns, &other, "_fivetran_start")->as.time;

        if (same_key(columns, table, &row, &other) &&
            (begins.seconds < start.seconds ||
             (begins.seconds == start.seconds && begins.nanos <= start.nanos)))
            count++;
    }
    return count;
}

static void show_end(const weir_model_table *stored, const sim_expected *table, size_t index, char *out,
                     size_t size)
{
    const weir_table *columns = weir__model_columns(stored);
    weir_row row = weir__model_row(stored, index);
    weir_cell ended = weir_boolean("ended", !find_cell(columns, &row, "_fivetran_active")->as.boolean);

    if (!table->history) {
        show_cell("deleted", find_cell(columns, &row, "_fivetran_deleted"), out, size);
        return;
    }
    show_cell("ended", &ended, out, size);
    show_version(version_of(stored, table, index), out, size);
}

static char **show_stored(const weir_model_table *stored, const sim_expected *table)
{
    size_t count = weir__model_row_count(stored);
    char **out = calloc(count + 1, sizeof *out);

    for (size_t i = 0; i < count; i++) {
        weir_row row = weir__model_row(stored, i);
        const weir_table *columns = weir__model_columns(stored);

        out[i] = calloc(1, TEXT_SIZE);
        for (size_t j = 0; j < table->column_count; j++)
            show_cell(table->columns[j], find_cell(columns, &row, table->columns[j]), out[i], TEXT_SIZE);
        show_end(stored, table, i, out[i], TEXT_SIZE);
    }
    qsort(out, count, sizeof *out, by_text);
    return out;
}

static void release(char **texts)
{
    for (size_t i = 0; texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

static void compare_table(const sim_expected *table, char *out, size_t size)
{
    char schema[64];
    const weir_model_table *stored;
    char **wanted = show_expected(table);
    char **got;
    size_t at = 0;

    snprintf(schema, sizeof schema, "sim%s%s", table->schema[0] ? "_" : "", table->schema);
    stored = weir__model_find(store, schema, table->name);
    got = stored ? show_stored(stored, table) : calloc(1, sizeof *got);
    while (wanted[at] != NULL && got[at] != NULL && strcmp(wanted[at], got[at]) == 0)
        at++;
    if (wanted[at] != NULL || got[at] != NULL)
        snprintf(out, size, "table %s.%s: %zu rows expected\n  expected  %s\n  stored    %s", schema,
                 table->name, table->row_count, wanted[at] ? wanted[at] : "no more rows",
                 got[at] ? got[at] : "no more rows");
    release(wanted);
    release(got);
}

void sim_store_compare(char *out, size_t size)
{
    sim_expected table;

    out[0] = '\0';
    for (size_t i = 0; sim_script_expect(i, &table) && out[0] == '\0'; i++)
        compare_table(&table, out, size);
}
