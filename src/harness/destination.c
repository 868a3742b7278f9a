/*
 * harness/destination: the requests of a destination, each applied to the model when it went well.
 *
 * The model says what the tables should be. When the destination does what the model refuses, the test fails,
 * too: a second create that succeeds is as wrong as a row that is lost.
 */
#include "harness/destination_side.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "batch/reader.h"
#include "data/table.h"
#include "sdk/migrate.h"
#include "sdk/tables.h"
#include "sys/file.h"

#define CLOCK_START INT64_C(1767225600) /* 2026-01-01 */
#define SYNCED "_fivetran_synced"
#define DELETED "_fivetran_deleted"

void weir__destination_side_new(weir_harness *h)
{
    weir_destination_side *side = weir__test_memory(weir__calloc(1, sizeof *side));

    side->model = weir__test_memory(weir__model_new());
    side->puts.end = &side->puts.first;
    side->clock = CLOCK_START;
    side->random = 1;
    side->aside = weir__test_memory(weir__arena_new(WEIR_CALL_MEMORY_MAX));
    weir__buf_init(&side->aside_message, WEIR_MESSAGE_SIZE_MAX);
    h->destination = side;
}

void weir__destination_free_rows(weir_put_rows *rows)
{
    while (rows->first != NULL) {
        weir_put_row *row = rows->first;

        rows->first = row->next;
        weir__free(row);
    }
    rows->end = &rows->first;
}

void weir__destination_side_free(weir_harness *h)
{
    weir_destination_side *side = h->destination;

    if (side == NULL)
        return;
    weir__destination_free_rows(&side->puts);
    weir__destination_free_rows(&side->deed.rows);
    weir__model_free(side->model);
    if (side->folder != NULL && weir__folder_remove(side->folder, NULL) != WEIR_OK)
        weir__fail_here("the folder of the batch files cannot be removed");
    weir__free(side->folder);
    weir__arena_free(side->aside);
    weir__buf_clear(&side->aside_message);
    weir__free(side);
    h->destination = NULL;
}

static weir_destination_side *side_of(weir_harness *h, const char *what)
{
    if (h->destination == NULL)
        weir__fail_here("%s is for destinations; this harness has a source", what);
    return h->destination;
}

uint64_t weir__destination_random(weir_destination_side *side, uint64_t limit)
{
    uint64_t z;

    side->random += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    z = side->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return limit > 0 ? z % limit : 0;
}

void weir_harness_set_files(weir_harness *h, const weir_harness_files *files)
{
    weir_destination_side *side = side_of(h, "weir_harness_set_files");

    if (side == NULL)
        return;
    side->files = files != NULL ? *files : (weir_harness_files){ 0 };
    side->random = side->files.seed;
    if (side->folder != NULL && weir__folder_remove(side->folder, NULL) != WEIR_OK)
        weir__fail_here("the folder of the batch files cannot be removed");
    weir__free(side->folder);
    side->folder = NULL;
}

/* --- the model --- */

static size_t count_rows(const weir_put_rows *rows, weir_op op)
{
    size_t count = 0;

    for (const weir_put_row *row = rows->first; row != NULL; row = row->next)
        count += row->op == op;
    return count;
}

static weir_model_rows model_rows(weir_harness *h, const weir_put_rows *rows, weir_op op)
{
    weir_row *out = WEIR_HARNESS_ARRAY(h->arena, count_rows(rows, op), weir_row);
    size_t count = 0;

    for (const weir_put_row *row = rows->first; row != NULL; row = row->next)
        if (row->op == op)
            out[count++] = (weir_row){ op, row->cells, row->count };
    return (weir_model_rows){ out, count };
}

static weir_status apply(weir_harness *h, const weir_deed *deed, weir_error *err)
{
    weir_model *model = h->destination->model;
    weir_model_batch batch = { .table = deed->table };

    if (deed->kind == WEIR_DEED_WRITE || deed->kind == WEIR_DEED_WRITE_HISTORY) {
        batch.earliest = model_rows(h, &deed->rows, WEIR_EARLIEST);
        batch.replace = model_rows(h, &deed->rows, WEIR_REPLACE);
        batch.update = model_rows(h, &deed->rows, WEIR_UPDATE);
        batch.remove = model_rows(h, &deed->rows, WEIR_DELETE);
    }
    switch (deed->kind) {
    case WEIR_DEED_CREATE:
        return weir__model_create(model, deed->table, err);
    case WEIR_DEED_ALTER:
        return weir__model_alter(model, deed->table, deed->drop_columns, err);
    case WEIR_DEED_TRUNCATE:
        return weir__model_truncate(model, &deed->truncation, err);
    case WEIR_DEED_WRITE:
        return deed->rows.first != NULL ? weir__model_write(model, &batch, err) : WEIR_OK;
    case WEIR_DEED_WRITE_HISTORY:
        return deed->rows.first != NULL ? weir__model_write_history(model, &batch, err) : WEIR_OK;
    case WEIR_DEED_MIGRATE:
        return weir__model_migrate(model, &deed->migration, err);
    default:
        return WEIR_OK;
    }
}

/* --- requests --- */

static const char *text_in(weir_harness *h, weir_bytes text)
{
    return weir__test_memory(weir__arena_copy(h->arena, text.data, text.size));
}

/* What the reply of the last request says (R-RPC-07), and what that means for the model. */
weir_status weir__destination_conclude(weir_harness *h, weir_served served)
{
    weir_destination_side *side = h->destination;
    const v2_write_batch_response *reply = &side->reply;
    bool migrate = side->deed.kind == WEIR_DEED_MIGRATE; /* its reply has one member more */
    uint32_t which = reply->which_response;
    weir_error err;

    if (served.status != WEIR_OK)
        return served.status;
    if (migrate && which == V2_MIGRATE_RESPONSE_UNSUPPORTED)
        return weir__harness_end(h, WEIR_UNSUPPORTED, "the destination does not support this migration");
    if (migrate && which > V2_MIGRATE_RESPONSE_UNSUPPORTED)
        which--;
    if (which == V2_WRITE_BATCH_RESPONSE_TASK)
        return weir__harness_end(h, WEIR_TASK, text_in(h, reply->response.task->message));
    if (which == V2_WRITE_BATCH_RESPONSE_WARNING) {
        weir__harness_warn(h, reply->response.warning->message);
        weir__harness_end(h, WEIR_OK, NULL);
    } else if (which != V2_WRITE_BATCH_RESPONSE_SUCCESS || !reply->response.success) {
        return weir__harness_end(h, WEIR_FAILED, "the reply says neither success nor failure (R-RPC-07)");
    }
    if (apply(h, &side->deed, &err) != WEIR_OK)
        weir__fail_here("'%s' went well, but by the rules it cannot: %s", h->last.what, err.text);
    return WEIR_OK;
}

_Static_assert(sizeof(v2_write_batch_response) == sizeof(v2_migrate_response) &&
                   sizeof(v2_write_batch_response) == sizeof(v2_create_table_response),
               "plain replies have one shape");

/* Begins a request: the last one is forgotten. */
weir_destination_side *weir__destination_begin(weir_harness *h, const char *function, const char *what)
{
    weir_destination_side *side = side_of(h, function);

    if (side == NULL || !weir__harness_begin(h, what))
        return NULL;
    weir__destination_free_rows(&side->deed.rows);
    side->deed = (weir_deed){ 0 };
    side->deed.rows.end = &side->deed.rows.first;
    memset(&side->reply, 0, sizeof side->reply);
    return side;
}

static weir_status serve(weir_harness *h, const weir_harness_request *request)
{
    h->destination->last = *request;
    h->destination->last.type = NULL;
    return weir__destination_conclude(h, weir__harness_serve(h, request));
}

const weir_table *weir__destination_copy_table(weir_harness *h, const weir_table *table)
{
    const weir_table *copy = weir__test_memory(weir__table_copy(table, h->arena));
    weir_column *columns = WEIR_HARNESS_ARRAY(h->arena, copy->column_count + 1, weir_column);
    weir_table *out = WEIR_HARNESS_NEW(h->arena, weir_table);

    /* What the model is to have is what the destination is given by the SDK. */
    for (size_t i = 0; i < copy->column_count; i++) {
        columns[i] = copy->columns[i];
        if (columns[i].type == WEIR_DECIMAL)
            columns[i].params = weir__decimal_bounds(columns[i].params);
    }
    *out = *copy;
    out->columns = columns;
    return out;
}

static const v2_table *wire_table(weir_harness *h, const weir_table *table)
{
    v2_table *out = WEIR_HARNESS_NEW(h->arena, v2_table);

    if (!weir__table_to_wire(table, h->arena, out))
        weir__test_no_memory();
    return out;
}

weir_status weir_harness_create(weir_harness *h, const weir_table *table)
{
    weir_destination_side *side = weir__destination_begin(h, "weir_harness_create", "create");
    v2_create_table_request message = { 0 };
    weir_harness_request request = {
        .path = V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH,
        .what = "create",
        .type = &weir__v2_create_table_request,
        .message = &message,
        .reply_type = &weir__v2_create_table_response,
    };

    if (side == NULL)
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    message.schema_name = weir__text(table->schema);
    message.table = wire_table(h, table);
    request.reply = &side->reply;
    side->deed.kind = WEIR_DEED_CREATE;
    side->deed.table = weir__destination_copy_table(h, table);
    return serve(h, &request);
}

weir_status weir_harness_alter(weir_harness *h, const weir_table *table, bool drop_columns)
{
    weir_destination_side *side = weir__destination_begin(h, "weir_harness_alter", "alter");
    v2_alter_table_request message = { 0 };
    weir_harness_request request = {
        .path = V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH,
        .what = "alter",
        .type = &weir__v2_alter_table_request,
        .message = &message,
        .reply_type = &weir__v2_alter_table_response,
    };

    if (side == NULL)
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    message.schema_name = weir__text(table->schema);
    message.table = wire_table(h, table);
    message.drop_columns = drop_columns;
    request.reply = &side->reply;
    side->deed.kind = WEIR_DEED_ALTER;
    side->deed.table = weir__destination_copy_table(h, table);
    side->deed.drop_columns = drop_columns;
    return serve(h, &request);
}

weir_status weir_harness_truncate(weir_harness *h, const weir_truncation *what)
{
    weir_destination_side *side = weir__destination_begin(h, "weir_harness_truncate", "truncate");
    v2_truncate_request message = { 0 };
    weir_harness_request request = {
        .path = V2_DESTINATION_CONNECTOR_TRUNCATE_PATH,
        .what = "truncate",
        .type = &weir__v2_truncate_request,
        .message = &message,
        .reply_type = &weir__v2_truncate_response,
    };
    v2_soft_truncate soft = { weir__text(what->deleted_column) };
    weir_truncation *kept;

    if (side == NULL)
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    message.schema_name = weir__text(what->schema);
    message.table_name = weir__text(what->table);
    message.synced_column = weir__text(what->synced_column);
    message.utc_delete_before = &what->before;
    message.soft = what->deleted_column != NULL ? &soft : NULL;
    request.reply = &side->reply;
    side->deed.kind = WEIR_DEED_TRUNCATE;
    kept = &side->deed.truncation;
    *kept = *what;
    kept->schema = text_in(h, weir__text(what->schema));
    kept->table = text_in(h, weir__text(what->table));
    kept->synced_column = text_in(h, weir__text(what->synced_column));
    if (what->deleted_column != NULL)
        kept->deleted_column = text_in(h, weir__text(what->deleted_column));
    return serve(h, &request);
}

weir_status weir_harness_migrate(weir_harness *h, const weir_migration *what)
{
    weir_destination_side *side = weir__destination_begin(h, "weir_harness_migrate", "migrate");
    weir_migration_message details;
    v2_migrate_request message = { .details = weir__migration_to_wire(what, &details) };
    weir_harness_request request = {
        .path = V2_DESTINATION_CONNECTOR_MIGRATE_PATH,
        .what = "migrate",
        .type = &weir__v2_migrate_request,
        .message = &message,
        .reply_type = &weir__v2_migrate_response,
    };
    weir_error err;

    if (side == NULL)
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    request.reply = &side->reply;
    side->deed.kind = WEIR_DEED_MIGRATE;
    /* A copy that outlives `what`. One that cannot be read is refused by the destination in the same way. */
    if (weir__migration_from_wire(message.details, h->arena, &side->deed.migration, &err) != WEIR_OK)
        side->deed.migration = (weir_migration){ 0 };
    return serve(h, &request);
}

static weir_status describe(weir_harness *h, const char *schema, const char *table, const weir_table **out)
{
    v2_describe_table_request message = { 0 };
    v2_describe_table_response reply = { 0 };
    weir_harness_request request = {
        .path = V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH,
        .what = "describe",
        .type = &weir__v2_describe_table_request,
        .message = &message,
        .reply_type = &weir__v2_describe_table_response,
        .reply = &reply,
    };
    weir_table *found;
    weir_served served;
    weir_error err;

    if (!weir__harness_begin(h, "describe"))
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    message.schema_name = weir__text(schema);
    message.table_name = weir__text(table);
    served = weir__harness_serve(h, &request);
    if (served.status != WEIR_OK)
        return served.status;
    if (reply.which_response == V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND) {
        weir__harness_end(h, WEIR_NOT_FOUND, NULL);
        weir__harness_expected(h);
        return WEIR_NOT_FOUND;
    }
    if (reply.which_response == V2_DESCRIBE_TABLE_RESPONSE_TASK)
        return weir__harness_end(h, WEIR_TASK, text_in(h, reply.response.task->message));
    if (reply.which_response != V2_DESCRIBE_TABLE_RESPONSE_TABLE)
        return weir__harness_end(h, WEIR_FAILED, "the reply has no table and does not say not_found");
    found = WEIR_HARNESS_NEW(h->arena, weir_table);
    if (weir__table_from_wire(message.schema_name, reply.response.table, h->arena, found, &err) != WEIR_OK)
        return weir__harness_end(h, WEIR_FAILED, err.text);
    if (out != NULL)
        *out = found;
    return WEIR_OK;
}

/* Puts the last request away, and gets it back: describing a table does not count as one. */
static void put_aside(weir_harness *h)
{
    weir_destination_side *side = h->destination;
    weir_arena *arena = h->arena;
    weir_buf message = h->message;

    h->arena = side->aside;
    h->message = side->aside_message;
    side->aside = arena;
    side->aside_message = message;
}

weir_status weir_harness_describe(weir_harness *h, const char *schema, const char *table,
                                  const weir_table **out)
{
    weir_status status;

    if (side_of(h, "weir_harness_describe") == NULL)
        return WEIR_FAILED;
    put_aside(h);
    status = describe(h, schema, table, out);
    put_aside(h);
    return status;
}

/* --- rows --- */

static size_t bytes_of(const weir_cell *cell)
{
    bool text = cell->presence == WEIR_VALUE &&
                (cell->type == WEIR_DECIMAL || cell->type == WEIR_BINARY || cell->type == WEIR_XML ||
                 cell->type == WEIR_STRING || cell->type == WEIR_JSON);

    return text ? cell->as.bytes.size : 0;
}

static const weir_cell *cell_for(const char *column, const weir_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(cells[i].column, column) == 0)
            return &cells[i];
    return NULL;
}

/* The cell that goes into a column for which the test gave none. */
static weir_cell fill(const weir_destination_side *side, const weir_column *column, weir_op op)
{
    weir_cell cell = weir__cell(column->name, column->type, WEIR_UNMODIFIED);

    if (op == WEIR_EARLIEST || op == WEIR_DELETE)
        return cell;
    if (strcmp(column->name, SYNCED) == 0)
        return weir_utc_datetime(column->name, (weir_time){ .seconds = side->clock });
    if (strcmp(column->name, DELETED) == 0)
        return weir_boolean(column->name, false);
    if (op == WEIR_REPLACE)
        cell.presence = WEIR_NULL;
    return cell;
}

static void check_names(const weir_table *table, const weir_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (weir__table_find(table, weir__text(cells[i].column)) == SIZE_MAX)
            weir__fail_here("table '%s' has no column '%s'", table->name, cells[i].column);
}

void weir_harness_put(weir_harness *h, const weir_table *table, weir_op op, const weir_cell *cells,
                      size_t count)
{
    weir_destination_side *side = side_of(h, "weir_harness_put");
    size_t size = sizeof(weir_put_row) + table->column_count * sizeof(weir_cell);
    weir_put_row *row;
    char *bytes;

    if (side == NULL)
        return;
    check_names(table, cells, count);
    for (size_t i = 0; i < count; i++)
        size += bytes_of(&cells[i]);
    row = weir__test_memory(
        weir__malloc(size + strlen(table->name) + strlen(table->schema ? table->schema : "") + 2));
    *row = (weir_put_row){ .op = op, .cells = (weir_cell *)(void *)(row + 1), .count = table->column_count };
    bytes = (char *)(row->cells + row->count);
    for (size_t i = 0; i < row->count; i++) {
        const weir_cell *given = cell_for(table->columns[i].name, cells, count);
        weir_cell cell = given != NULL ? *given : fill(side, &table->columns[i], op);
        size_t more = given != NULL ? bytes_of(given) : 0;

        if (more > 0) {
            memcpy(bytes, cell.as.bytes.data, more);
            cell.as.bytes.data = bytes;
            bytes += more;
        }
        if (cell.presence != WEIR_VALUE)
            cell.type = table->columns[i].type;
        cell.column = NULL; /* the table may be gone by the time the row is written */
        row->cells[i] = cell;
    }
    row->table = bytes;
    memcpy(bytes, table->name, strlen(table->name) + 1);
    row->schema = bytes + strlen(table->name) + 1;
    memcpy(bytes + strlen(table->name) + 1, table->schema ? table->schema : "",
           strlen(table->schema ? table->schema : "") + 1);
    *side->puts.end = row;
    side->puts.end = &row->next;
}

/* Moves the rows of one table from what was put to `out`. */
void weir__destination_take_rows(weir_destination_side *side, const weir_table *table, weir_put_rows *out)
{
    weir_put_row **at = &side->puts.first;

    *out = (weir_put_rows){ 0 };
    out->end = &out->first;
    while (*at != NULL) {
        weir_put_row *row = *at;

        if (strcmp(row->table, table->name) != 0 ||
            strcmp(row->schema, table->schema ? table->schema : "") != 0 ||
            row->count != table->column_count) {
            at = &row->next;
            continue;
        }
        *at = row->next;
        row->next = NULL;
        *out->end = row;
        out->end = &row->next;
    }
    side->puts.end = at;
}

static weir_status write_rows(weir_harness *h, const weir_table *table, bool history)
{
    const char *what = history ? "write_history" : "write";
    weir_destination_side *side = weir__destination_begin(
        h, history ? "weir_harness_write_history" : "weir_harness_write", what);
    v2_write_batch_request plain = { 0 };
    v2_write_history_batch_request full = { 0 };
    weir_harness_request request = {
        .path = history ? V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH
                        : V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH,
        .what = what,
        .type = history ? &weir__v2_write_history_batch_request : &weir__v2_write_batch_request,
        .message = history ? (void *)&full : (void *)&plain,
        .reply_type = &weir__v2_write_batch_response,
    };
    weir_written_files files;
    weir_error err;

    if (side == NULL)
        return WEIR_FAILED;
    request.reply = &side->reply;
    side->deed.kind = history ? WEIR_DEED_WRITE_HISTORY : WEIR_DEED_WRITE;
    side->deed.table = weir__destination_copy_table(h, table);
    weir__destination_take_rows(side, table, &side->deed.rows);
    side->clock++;
    if (weir__files_write(h, side->deed.table, &side->deed.rows, &files, &err) != WEIR_OK) {
        weir__fail_here("the batch files cannot be written: %s", err.text);
        return weir__harness_end(h, WEIR_FAILED, err.text);
    }
    if (history) {
        WEIR_HARNESS_CONFIGURE(h, &full);
        weir__files_history(h, side->deed.table, &files, &full);
    } else {
        WEIR_HARNESS_CONFIGURE(h, &plain);
        weir__files_plain(h, side->deed.table, &files, &plain);
    }
    return serve(h, &request);
}

weir_status weir_harness_write(weir_harness *h, const weir_table *table)
{
    return write_rows(h, table, false);
}

weir_status weir_harness_write_history(weir_harness *h, const weir_table *table)
{
    return write_rows(h, table, true);
}

weir_status weir_harness_resend(weir_harness *h)
{
    weir_destination_side *side = side_of(h, "weir_harness_resend");

    if (side == NULL)
        return WEIR_FAILED;
    if (side->last.path == NULL) {
        weir__fail_here("there is no request to be sent again");
        return WEIR_FAILED;
    }
    weir__harness_again(h, side->last.what);
    memset(&side->reply, 0, sizeof side->reply);
    return weir__destination_conclude(h, weir__harness_serve(h, &side->last));
}
