/* See landing.h. Any failure of the engine's ends the program: here there is no reason for one. */
#include "landing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wire/v2.h>

#include "batch/csv.h"
#include "data/text.h"
#include "engine/lines.h"
#include "wire/record.h"

#define ROWS_MAX 192
#define ITEMS_MAX 256
#define CELLS_MAX 10

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
    line_maker maker;
    engine_history *stored; /* as it was when this began */
    int64_t last_ms;
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

static weir_cell read_cell(const engine_request *request, weir_type type, const char *text, size_t size)
{
    weir_cell cell = { .type = type };
    char copy[64];

    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    if (strcmp(copy, request->markers.null_string) == 0)
        cell.presence = WEIR_NULL;
    else if (strcmp(copy, request->markers.unmodified_string) == 0)
        cell.presence = WEIR_UNMODIFIED;
    else if (type == WEIR_BOOLEAN && (strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0))
        cell.as.boolean = copy[0] == 't';
    else if (type == WEIR_LONG && copy[0] >= '0' && copy[0] <= '9')
        cell.as.integer = strtol(copy, NULL, 10);
    else if (type != WEIR_UTC_DATETIME || !weir_time_parse(type, copy, strlen(copy), &cell.as.time)) {
        fprintf(stderr, "proof: '%s' is no %s, or a marker of another request\n", copy, weir_type_name(type));
        exit(1);
    }
    return cell;
}

static const weir_table *header_of(const engine_request *request, int kind)
{
    return kind == WEIR_BATCH_EARLIEST_START ? request->earliest
           : kind == WEIR_BATCH_DELETE       ? request->removed
                                             : request->header;
}

/* Reads a line of a file back, into the order of request->header, which goes with all rows. */
static void take_line(landing_item *item, int kind, const char *at, size_t left)
{
    const weir_table *from = header_of(item->request, kind);
    const weir_table *to = item->request->header;
    landing_row *row = &item->rows[item->count++];

    if (item->count > ROWS_MAX || at[left - 1] != '\n') {
        fprintf(stderr, "proof: too many rows, or a line without an end\n");
        exit(1);
    }
    left--;
    row->kind = kind;
    for (size_t i = 0; i < to->column_count; i++)
        row->cells[i] = (weir_cell){ .type = to->columns[i].type, .presence = WEIR_UNMODIFIED };
    for (size_t i = 0; i < from->column_count; i++) {
        size_t size = weir__csv_cell_size(at, left);
        size_t place = 0;

        while (strcmp(to->columns[place].name, from->columns[i].name) != 0)
            place++;
        row->cells[place] = read_cell(item->request, from->columns[i].type, at, size);
        at += size + 1;
        left -= size < left ? size + 1 : size;
    }
}

static void take_row(landing_item *item, line_maker *maker, const fold_row *from)
{
    char line[1024];
    char *at;

    if (!line_is_written(from))
        return;
    if (from->earliest) {
        at = line_key(maker, item->request, from, WEIR_BATCH_EARLIEST_START, line);
        take_line(item, WEIR_BATCH_EARLIEST_START, line, (size_t)(at - line));
    }
    if (from->history && from->kind == WEIR_BATCH_DELETE) {
        at = line_key(maker, item->request, from, WEIR_BATCH_DELETE, line);
    } else {
        at = line_front(maker, item->request, from, line);
        memcpy(at, from->text, from->size);
        at = line_back(item->request, from, at + from->size);
    }
    take_line(item, from->kind, line, (size_t)(at - line));
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

static weir_time time_of(int64_t ms)
{
    return (weir_time){ .seconds = ms / 1000, .nanos = (int32_t)(ms % 1000) * 1000000 };
}

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

/* The first `pieces` kinds of files only, in the order of R-DST-05 or R-HIS-02. */
static void write_request(landing *l, const landing_item *item, int pieces)
{
    static weir_row rows[4][ROWS_MAX];
    weir_model_batch batch = { .table = item->request->header };
    weir_error err;

    if (!item->request->history) {
        batch.replace = pick(item, WEIR_BATCH_REPLACE, rows[0]);
        if (pieces > 1)
            batch.update = pick(item, WEIR_BATCH_UPDATE, rows[1]);
        must(weir__model_write(l->world->model, &batch, &err), &err);
        return;
    }
    batch.earliest = pick(item, WEIR_BATCH_EARLIEST_START, rows[0]);
    if (pieces > 1)
        batch.replace = pick(item, WEIR_BATCH_REPLACE, rows[1]);
    if (pieces > 2)
        batch.update = pick(item, WEIR_BATCH_UPDATE, rows[2]);
    if (pieces > 3)
        batch.remove = pick(item, WEIR_BATCH_DELETE, rows[3]);
    must(weir__model_write_history(l->world->model, &batch, &err), &err);
}

/* R-HIS-02, R-ENG-04: what a request may hold of one key, so that the order of its files does not matter. */
static void check_request(const landing_item *item)
{
    unsigned kinds[KEYS_MAX] = { 0 };
    int earliest[KEYS_MAX] = { 0 };
    size_t id = 0;

    while (strcmp(item->request->header->columns[id].name, "id") != 0)
        id++;
    for (size_t i = 0; i < item->count; i++) {
        const landing_row *row = &item->rows[i];
        int key = (int)row->cells[id].as.integer;

        if (!item->request->history && kinds[key] != 0) {
            fprintf(stderr, "proof: key %d is twice in a request\n", key);
            exit(1);
        }
        if (row->kind == WEIR_BATCH_EARLIEST_START)
            earliest[key]++;
        else
            kinds[key] |= 1U << row->kind;
    }
    for (int key = 0; key < KEYS_MAX; key++) {
        bool versions = (kinds[key] & (1U << WEIR_BATCH_REPLACE | 1U << WEIR_BATCH_UPDATE)) != 0;

        if (item->request->history &&
            ((kinds[key] & (kinds[key] - 1)) != 0 || earliest[key] > 1 || (versions && earliest[key] == 0))) {
            fprintf(stderr,
                    "proof: key %d is in several kinds of files of a request, or lacks an earliest row\n",
                    key);
            exit(1);
        }
    }
}

static void apply_item(landing *l, const landing_item *item)
{
    weir_truncation truncation = {
        .schema = "s", .table = "t", .synced_column = CATALOG_SYNCED, .deleted_column = CATALOG_DELETED
    };
    bool last = l->applied == l->options.applied_max;
    weir_error err;

    if (l->dead || (last && l->options.pieces == 0)) {
        l->dead = true;
        return;
    }
    l->dead = last;
    l->applied++;
    if (item->request == NULL) {
        truncation.before = time_of(item->cutoff_ms);
        must(weir__model_truncate(l->world->model, &truncation, &err), &err);
        return;
    }
    see_table(l, item->request->shape);
    if (item->count == 0)
        return;
    check_request(item);
    write_request(l, item, last ? l->options.pieces : 4);
}

/* --- ingest's port --- */

static weir_status port_open(void *context, engine_table *table, weir_error *err)
{
    landing *l = context;
    const weir_table *described = weir__model_describe(l->world->model, "s", table->name);

    table->history = l->options.history;
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
            take_row(item, &l->maker, &window->rows[i]);
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

/* As the loader does: before anything is written. */
static void begin_history(landing *l)
{
    engine_history *h = &l->world->history;

    for (size_t i = 0; i < l->sealed; i++) {
        const engine_request *request = l->items[i].request;

        if (request == NULL || !request->history || !request->written)
            continue;
        while (h->part_count <= request->part)
            h->bases_ms[h->part_count++] = request->start_ms;
        h->bases_ms[request->part] = request->start_ms;
        if (request->records > h->records)
            h->records = request->records;
        if (request->last_ms > l->last_ms)
            l->last_ms = request->last_ms;
    }
}

static void end_history(landing *l)
{
    engine_history *h = &l->world->history;

    h->part_count = 0;
    h->records = 0;
    free(l->world->interval);
    l->world->interval = NULL;
    l->world->interval_size = 0;
    if (l->last_ms > h->last_ms)
        h->last_ms = l->last_ms;
}

static void keep_interval(landing_world *world, weir_bytes interval)
{
    free(world->interval);
    world->interval = need(malloc(interval.size));
    world->interval_size = interval.size;
    memcpy(world->interval, interval.data, interval.size);
}

static weir_status port_commit(void *context, const weir_bytes *state, weir_bytes interval, weir_error *err)
{
    landing *l = context;

    (void)err;
    if (!l->dead)
        begin_history(l);
    for (size_t i = 0; i < l->sealed; i++)
        apply_item(l, &l->items[i]);
    if (l->count != l->sealed) {
        fprintf(stderr, "proof: a request is open behind a commit\n");
        exit(1);
    }
    drop_items(l);
    if (state != NULL && !l->dead) {
        char text[16];

        snprintf(text, sizeof text, "%.*s", (int)state->size, state->data);
        l->world->state = (int)strtol(text, NULL, 10);
        if (interval.size > 0)
            keep_interval(l->world, interval);
        else
            end_history(l);
    }
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

static bool port_behind(void *context)
{
    const landing *l = context;

    return l->busy && l->options.behind;
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
                          .group_long_ms = 1000,
                          .group_size_long = 1 << 20,
                          .spool_size_max = 1 << 30,
                          .history_part_records = options->part_records,
                          .seed = 7 };

    l->world = world;
    l->options = *options;
    l->stored = need(malloc(sizeof *l->stored));
    l->stored->last_ms = world->history.last_ms;
    l->stored->part_count = world->history.part_count;
    l->stored->records = world->history.records;
    memcpy(l->stored->bases_ms, world->history.bases_ms,
           world->history.part_count * sizeof *l->stored->bases_ms);
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
                             .behind = port_behind,
                             .spooled = port_spooled,
                             .warn = port_warn,
                             .now_ns = port_now,
                             .wall_ms = port_wall };
    synced_init(&l->clock, world->reserved_ms);
    l->tables = need(catalog_new("s", 7));
    declare(l);
    in.tables = l->tables;
    in.history = l->stored;
    in.interval = (weir_bytes){ world->interval, world->interval_size };
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
    free(l->stored);
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
    if (!failed && !l->dead)
        end_history(l);
    return !l->dead;
}

int landing_applied(const landing *l)
{
    return l->applied;
}

void landing_world_open(landing_world *world)
{
    world->model = need(weir__model_new());
    world->reserved_ms = 0;
    world->history.last_ms = 0;
    world->history.part_count = 0;
    world->history.records = 0;
    world->interval = NULL;
    world->interval_size = 0;
    world->state = 0;
}

void landing_world_close(landing_world *world)
{
    free(world->interval);
    weir__model_free(world->model);
}
