/* See landing.h. Any failure of the engine's ends the program: here there is no reason for one. */
#include "landing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wire/v2.h>

#include "batch/csv.h"
#include "wire/record.h"

#define ROWS_MAX 64
#define ITEMS_MAX 256
#define CELLS_MAX 8

/* One row of a file. */
typedef struct landing_row {
    int kind; /* weir_batch_kind */
    weir_cell cells[CELLS_MAX];
} landing_row;

/* A request, or a truncate. */
typedef struct landing_item {
    engine_request *request; /* NULL: a truncate */
    int64_t cutoff_ms;
    landing_row rows[ROWS_MAX];
    size_t count;
} landing_item;

struct landing {
    landing_world *world;
    landing_options options;
    catalog *tables;
    synced_clock clock;
    ingest_port port;
    ingest *in;
    fold_window *spare;
    landing_item *items; /* of the open group, in the order of sealing; then those still open */
    size_t sealed;
    size_t count;
    bool busy;
    bool dead;
    int applied;
};

static void must(weir_status status, const weir_error *err)
{
    if (status == WEIR_OK)
        return;
    fprintf(stderr, "proof: %s\n", err->text);
    exit(1);
}

static void *need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "proof: out of memory\n");
        exit(1);
    }
    return memory;
}

/* --- rows out of windows --- */

static weir_cell number_cell(const engine_request *request, const char *text, size_t size)
{
    char copy[64];
    weir_cell cell = { .type = WEIR_LONG, .presence = WEIR_VALUE };

    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    if (strcmp(copy, request->markers.null_string) == 0)
        cell.presence = WEIR_NULL;
    else if (strcmp(copy, request->markers.unmodified_string) == 0)
        cell.presence = WEIR_UNMODIFIED;
    else
        cell.as.integer = strtol(copy, NULL, 10);
    if (cell.presence == WEIR_VALUE && (copy[0] < '0' || copy[0] > '9')) {
        fprintf(stderr, "proof: '%s' is a marker of another request\n", copy);
        exit(1);
    }
    return cell;
}

static weir_cell time_cell(int64_t ms)
{
    return (weir_cell){ .type = WEIR_UTC_DATETIME,
                        .as.time = { .seconds = ms / 1000, .nanos = (int32_t)(ms % 1000) * 1000000 } };
}

static weir_cell flag_cell(int deleted)
{
    weir_cell cell = { .type = WEIR_BOOLEAN, .as.boolean = deleted == FOLD_DELETED };

    cell.presence = deleted == FOLD_UNTOUCHED ? WEIR_UNMODIFIED : WEIR_VALUE;
    return cell;
}

static void take_row(landing_item *item, const fold_row *from)
{
    landing_row *row = &item->rows[item->count++];
    const char *at = from->text;
    size_t left = from->size;
    size_t used = 0;

    if (item->count > ROWS_MAX) {
        fprintf(stderr, "proof: too many rows\n");
        exit(1);
    }
    *row = (landing_row){ .kind = from->kind };
    row->cells[used++] = time_cell(from->synced_ms);
    row->cells[used++] = flag_cell(from->deleted);
    for (uint32_t i = 0; i < from->cells; i++) {
        size_t size = weir__csv_cell_size(at, left);

        row->cells[used++] = number_cell(item->request, at, size);
        at += size + 1;
        left -= size < left ? size + 1 : size;
    }
}

/* The entry of a request among the open ones, or a new one. */
static landing_item *item_of(landing *l, engine_request *request)
{
    landing_item *item;

    for (size_t i = l->sealed; i < l->count; i++)
        if (l->items[i].request == request)
            return &l->items[i];
    if (l->count == ITEMS_MAX) {
        fprintf(stderr, "proof: too many requests\n");
        exit(1);
    }
    item = &l->items[l->count++];
    item->request = request;
    item->count = 0;
    return item;
}

/* --- the destination --- */

static void see_table(landing *l, const weir_table *shape)
{
    weir_error err;

    if (weir__model_find(l->world->model, shape->schema, shape->name) == NULL)
        must(weir__model_create(l->world->model, shape, &err), &err);
    else
        must(weir__model_alter(l->world->model, shape, false, &err), &err);
}

/* The rows of one kind. */
static weir_model_rows pick(const landing_item *item, int kind, weir_row *out)
{
    size_t count = 0;

    for (size_t i = 0; i < item->count; i++)
        if (item->rows[i].kind == kind)
            out[count++] = (weir_row){ .cells = item->rows[i].cells,
                                       .count = item->request->header->column_count };
    return (weir_model_rows){ .rows = out, .count = count };
}

static void write_request(landing *l, const landing_item *item, bool half)
{
    weir_row rows[2][ROWS_MAX];
    weir_model_batch batch = { .table = item->request->header };
    weir_error err;

    batch.replace = pick(item, WEIR_BATCH_REPLACE, rows[0]);
    if (!half)
        batch.update = pick(item, WEIR_BATCH_UPDATE, rows[1]);
    must(weir__model_write(l->world->model, &batch, &err), &err);
}

static void apply_item(landing *l, const landing_item *item)
{
    weir_truncation truncation = {
        .schema = "s", .table = "t", .synced_column = CATALOG_SYNCED, .deleted_column = CATALOG_DELETED
    };
    bool last = l->applied == l->options.applied_max;
    weir_error err;

    if (l->dead || (last && !l->options.half)) {
        l->dead = true;
        return;
    }
    l->dead = last;
    l->applied++;
    if (item->request == NULL) {
        truncation.before = time_cell(item->cutoff_ms).as.time;
        must(weir__model_truncate(l->world->model, &truncation, &err), &err);
        return;
    }
    see_table(l, item->request->shape);
    if (item->count > 0)
        write_request(l, item, last);
}

/* --- ingest's port --- */

static weir_status port_open(void *context, engine_table *table, weir_error *err)
{
    landing *l = context;
    const weir_table *described = weir__model_describe(l->world->model, "s", table->name);

    return engine_table_open(l->tables, table, described, NULL, err);
}

static weir_status port_fresh(void *context, fold_window **out, weir_error *err)
{
    landing *l = context;

    (void)err;
    *out = l->spare;
    l->spare = NULL;
    return WEIR_OK;
}

static void port_unused(void *context, fold_window *window)
{
    fold_window_reset(window);
    ((landing *)context)->spare = window;
}

static weir_status port_window(void *context, fold_window *window, weir_error *err)
{
    landing *l = context;

    (void)err;
    for (size_t p = 0; p < window->part_count; p++) {
        landing_item *item = item_of(l, window->parts[p].request);

        for (uint32_t i = window->parts[p].first; i != FOLD_NONE; i = window->rows[i].next)
            take_row(item, &window->rows[i]);
    }
    port_unused(context, window);
    return WEIR_OK;
}

/* The item goes behind those that have been sealed before. */
static weir_status port_seal(void *context, engine_request *request, weir_error *err)
{
    landing *l = context;
    landing_item *item = item_of(l, request);
    landing_item *to = &l->items[l->sealed++];

    (void)err;
    if (item != to) {
        landing_item other = *to;

        *to = *item;
        *item = other;
    }
    return WEIR_OK;
}

static weir_status port_truncate(void *context, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    landing *l = context;

    (void)table;
    item_of(l, NULL)->cutoff_ms = cutoff_ms;
    return port_seal(context, NULL, err);
}

static void drop_items(landing *l)
{
    for (size_t i = 0; i < l->sealed; i++)
        engine_request_free(l->items[i].request);
    l->sealed = 0;
    l->count = 0;
}

static weir_status port_commit(void *context, const weir_bytes *state, weir_error *err)
{
    landing *l = context;

    (void)err;
    for (size_t i = 0; i < l->sealed; i++)
        apply_item(l, &l->items[i]);
    if (l->count != l->sealed) {
        fprintf(stderr, "proof: a request is open behind a commit\n");
        exit(1);
    }
    drop_items(l);
    if (state != NULL && !l->dead)
        l->world->state = (int)strtol(state->data, NULL, 10);
    return WEIR_OK;
}

static weir_status port_reserve(void *context, int64_t until_ms, weir_error *err)
{
    (void)err;
    ((landing *)context)->world->reserved_ms = until_ms;
    return WEIR_OK;
}

static bool port_idle(void *context)
{
    return !((landing *)context)->busy;
}

static uint64_t port_spooled(void *context)
{
    (void)context;
    return 0;
}

static void port_warn(void *context, weir_bytes text)
{
    (void)context;
    (void)text;
}

static int64_t port_now(void *context)
{
    (void)context;
    return 0;
}

/* It stands still: the synced clock has to go on by itself. */
static int64_t port_wall(void *context)
{
    (void)context;
    return INT64_C(1700000000000);
}

/* --- messages --- */

static weir_bytes messages[5][KEYS_MAX][OPERATIONS_MAX + 1];

static weir_bytes keep(weir_bytes from)
{
    char *copy = need(malloc(from.size + 1));

    memcpy(copy, from.data, from.size);
    return (weir_bytes){ copy, from.size };
}

static weir_cell value_cell(const char *column, int value)
{
    return value == NULL_VALUE ? weir_null(column) : weir_long(column, value);
}

static weir_bytes make_record(const operation *o)
{
    static const weir_op ops[] = { WEIR_UPSERT, WEIR_UPDATE, WEIR_DELETE, WEIR_TRUNCATE };
    weir_record_row row = { .table = weir__text("t"), .op = ops[o->kind] };
    weir_cell out[3] = { weir_long("id", o->key) };
    weir_record_writer writer;
    weir_bytes message = { 0 };
    weir_bytes kept;
    weir_error err;
    int cells[2];

    operation_cells(o, cells);
    row.count = o->kind != OP_TRUNCATE;
    if (cells[0] != UNMODIFIED)
        out[row.count++] = value_cell("a", cells[0]);
    if (cells[1] != UNMODIFIED && (o->kind != OP_UPSERT || cells[1] != NULL_VALUE))
        out[row.count++] = value_cell("b", cells[1]);
    row.cells = out;
    weir__record_writer_init(&writer, 1 << 20);
    must(weir__record_writer_put(&writer, &row, &err), &err);
    if (weir__record_writer_take(&writer, &message) != WEIR_ITEM)
        exit(1);
    kept = keep(message);
    weir__record_writer_clear(&writer);
    return kept;
}

static weir_bytes make_checkpoint(const operation *o)
{
    char text[16];
    v2_checkpoint checkpoint = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };
    weir_bytes kept;
    weir_error err;
    weir_buf out;

    snprintf(text, sizeof text, "%d", o->position + 1);
    checkpoint.state_json = weir__text(text);
    weir__buf_init(&out, 1 << 20);
    must(weir__codec_encode(&weir__v2_update_response, &response, &out, &err), &err);
    kept = keep(weir__buf_bytes(&out));
    weir__buf_clear(&out);
    return kept;
}

static weir_bytes message_of(const operation *o)
{
    weir_bytes *kept = &messages[o->kind][o->key][o->position];

    if (kept->data == NULL)
        *kept = o->kind == OP_CHECKPOINT ? make_checkpoint(o) : make_record(o);
    return *kept;
}

/* --- life --- */

static void declare(landing *l)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "a", .type = WEIR_LONG },
                                           { .name = "b", .type = WEIR_LONG } };
    static const weir_table table = { .name = "t", .columns = columns, .column_count = 3 };
    bool changed;
    weir_error err;
    engine_table *mine = need(catalog_get(l->tables, (weir_bytes){ "", 0 }, weir__text("t"), &err));

    must(engine_table_declare(l->tables, mine, &table, &changed, &err), &err);
}

landing *landing_open(landing_world *world, const landing_options *options)
{
    landing *l = need(calloc(1, sizeof *l));
    ingest_options in = { .clock = &l->clock,
                          .port = &l->port,
                          .fold = { .window_size = 1 << 16,
                                    .row_count_max = options->window_rows,
                                    .key_count_max = options->keys_max },
                          .group_time_ms = 1,
                          .spool_size_max = 1 << 30,
                          .seed = 7 };

    l->world = world;
    l->options = *options;
    l->items = need(malloc(ITEMS_MAX * sizeof *l->items));
    l->port = (ingest_port){ .context = l,
                             .open = port_open,
                             .fresh = port_fresh,
                             .unused = port_unused,
                             .window = port_window,
                             .seal = port_seal,
                             .truncate = port_truncate,
                             .commit = port_commit,
                             .reserve = port_reserve,
                             .idle = port_idle,
                             .spooled = port_spooled,
                             .warn = port_warn,
                             .now_ns = port_now,
                             .wall_ms = port_wall };
    synced_init(&l->clock, world->reserved_ms);
    l->tables = need(catalog_new("s", 7));
    declare(l);
    in.tables = l->tables;
    l->in = need(ingest_new(&in));
    l->spare = need(ingest_window(l->in));
    return l;
}

void landing_close(landing *l)
{
    drop_items(l);
    ingest_free(l->in);
    fold_window_free(l->spare);
    catalog_free(l->tables);
    free(l->items);
    free(l);
}

bool landing_put(landing *l, const operation *o, bool busy)
{
    weir_error err;

    l->busy = busy;
    must(ingest_message(l->in, message_of(o), &err), &err);
    return !l->dead;
}

bool landing_finish(landing *l, bool failed)
{
    weir_error err;

    must(failed ? ingest_fail(l->in, &err) : ingest_finish(l->in, &err), &err);
    return !l->dead;
}

int landing_applied(const landing *l)
{
    return l->applied;
}

void landing_world_open(landing_world *world)
{
    *world = (landing_world){ .model = need(weir__model_new()) };
}

void landing_world_close(landing_world *world)
{
    weir__model_free(world->model);
}
