/*
 * A source and a destination inside the test, on Unix sockets: the source plays a script, the destination
 * keeps tables in memory and can be told to misbehave. Both speak the real wire through rpc/server, so the
 * engine meets nothing but bytes.
 */
#ifndef WEIR_TESTS_ENGINE_FAKE_H
#define WEIR_TESTS_ENGINE_FAKE_H

#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <wire/v2.h>

#include "base/arena.h"
#include "base/map.h"
#include "batch/name.h"
#include "batch/reader.h"
#include "data/text.h"
#include "duckdb/parquet.h"
#include "rpc/server.h"
#include "sys/file.h"
#include "wire/record.h"

#define FAKE_COLUMNS 24
#define FAKE_ROWS 4096
#define FAKE_TABLES 16

/* --- destination --- */

typedef struct fake_column {
    char name[64];
    weir_type type;
    bool key;
} fake_column;

typedef struct fake_table {
    char schema[64];
    char name[64];
    fake_column columns[FAKE_COLUMNS];
    size_t column_count;
    char *cells[FAKE_ROWS][FAKE_COLUMNS]; /* NULL is NULL */
    size_t row_count;
} fake_table;

typedef enum fake_fault {
    FAKE_SOUND,
    FAKE_FAILS,       /* gRPC INTERNAL */
    FAKE_UNAVAILABLE, /* gRPC UNAVAILABLE */
    FAKE_TASK,
    FAKE_EMPTY,   /* a reply without a member */
    FAKE_FALSE,   /* success = false */
    FAKE_WARNING, /* done, with a warning */
    FAKE_GARBAGE  /* bytes that are no message */
} fake_fault;

typedef struct fake_destination {
    weir_rpc_server *server;
    char where[128];
    pthread_mutex_t lock;
    fake_table tables[FAKE_TABLES];
    size_t table_count;
    fake_fault fault;
    const char *fault_method; /* "WriteBatch" */
    int fault_after;          /* calls of that method that are still sound */
    int fault_times;          /* then so many are not */
    int creates, alters, truncates, writes, describes;
    int files;
    int64_t cutoff_ms;
    char markers[2][64];   /* null strings of the last two requests */
    char calls[64];        /* the last ones that change something: C, A, T or W each */
    bool no_keys;          /* it describes tables without telling their keys */
    bool parquet;          /* it asks for Parquet files, and takes nothing else */
    int64_t synced_min_ms; /* smallest synced time of rows written since the last truncate */
} fake_destination;

static inline char *fake_copy(weir_bytes text)
{
    char *copy = malloc(text.size + 1);

    assert_non_null(copy);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static inline fake_table *fake_find(fake_destination *d, const char *schema, const char *name)
{
    for (size_t i = 0; i < d->table_count; i++)
        if (strcmp(d->tables[i].schema, schema) == 0 && strcmp(d->tables[i].name, name) == 0)
            return &d->tables[i];
    return NULL;
}

static inline size_t fake_column_index(const fake_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/*
 * The cell in `column` of the row whose `key` column has that text; "(none)" without row, "(null)" for NULL.
 * As the next two, for a test: a call that the engine has given up may still be at work.
 */
static inline const char *fake_cell(fake_destination *d, const char *table, const char *key,
                                    const char *column)
{
    const char *found = NULL;
    fake_table *t;
    size_t at;

    pthread_mutex_lock(&d->lock);
    t = fake_find(d, "test", table);
    at = t ? fake_column_index(t, column) : SIZE_MAX;
    for (size_t r = 0; t && found == NULL && r < t->row_count; r++)
        for (size_t c = 0; c < t->column_count && found == NULL; c++)
            if (t->columns[c].key && t->cells[r][c] && strcmp(t->cells[r][c], key) == 0)
                found = at == SIZE_MAX ? "(no column)" : t->cells[r][at] ? t->cells[r][at] : "(null)";
    pthread_mutex_unlock(&d->lock);
    return found != NULL ? found : "(none)";
}

static inline const char *fake_type(fake_destination *d, const char *table, const char *column)
{
    const char *found = "(none)";
    fake_table *t;
    size_t at;

    pthread_mutex_lock(&d->lock);
    t = fake_find(d, "test", table);
    at = t ? fake_column_index(t, column) : SIZE_MAX;
    if (at != SIZE_MAX)
        found = weir_type_name(t->columns[at].type);
    pthread_mutex_unlock(&d->lock);
    return found;
}

static inline size_t fake_rows(fake_destination *d, const char *table)
{
    fake_table *t;
    size_t rows;

    pthread_mutex_lock(&d->lock);
    t = fake_find(d, "test", table);
    rows = t ? t->row_count : 0;
    pthread_mutex_unlock(&d->lock);
    return rows;
}

static inline weir_rpc_code fake_reply(weir_rpc_call *call, const weir_codec_message *type,
                                       const void *message)
{
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, 1 << 20);
    if (weir__codec_encode(type, message, &out, &err) != WEIR_OK ||
        weir__rpc_send(call, weir__buf_bytes(&out), 0, &err) != WEIR_OK)
        code = WEIR_RPC_INTERNAL;
    weir__buf_clear(&out);
    return code;
}

static inline void fake_note(fake_destination *d, char call)
{
    size_t used = strlen(d->calls);

    if (used == sizeof d->calls - 1)
        memmove(d->calls, d->calls + 1, used--);
    d->calls[used] = call;
    d->calls[used + 1] = '\0';
}

/* True when this call of the method is to go wrong. */
static inline bool fake_faulty(fake_destination *d, const char *method)
{
    if (d->fault == FAKE_SOUND || strcmp(d->fault_method, method) != 0 || d->fault_times == 0)
        return false;
    if (d->fault_after > 0) {
        d->fault_after--;
        return false;
    }
    d->fault_times--;
    return true;
}

/* Answers a call that changes something: success, or what the fault says. */
static inline weir_rpc_code fake_answer(fake_destination *d, weir_rpc_call *call, bool faulty)
{
    v2_warning warning = { .message = weir__text("mind the gap") };
    v2_task task = { .message = weir__text("pay the bill") };
    v2_write_batch_response reply = { .which_response = V2_WRITE_BATCH_RESPONSE_SUCCESS,
                                      .response.success = true };
    weir_error err;

    if (faulty) {
        switch (d->fault) {
        case FAKE_FAILS:
            return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "the warehouse is on fire");
        case FAKE_UNAVAILABLE:
            return weir__rpc_fail(call, WEIR_RPC_UNAVAILABLE, "back in a minute");
        case FAKE_TASK:
            reply.which_response = V2_WRITE_BATCH_RESPONSE_TASK;
            reply.response.task = &task;
            break;
        case FAKE_EMPTY:
            reply.which_response = V2_WRITE_BATCH_RESPONSE_RESPONSE_NOT_SET;
            break;
        case FAKE_FALSE:
            reply.response.success = false;
            break;
        case FAKE_WARNING:
            reply.which_response = V2_WRITE_BATCH_RESPONSE_WARNING;
            reply.response.warning = &warning;
            break;
        default:
            return weir__rpc_send(call, weir__text("\x0F\xFF garbage"), 0, &err) == WEIR_OK
                       ? WEIR_RPC_OK
                       : WEIR_RPC_INTERNAL;
        }
    }
    return fake_reply(call, &weir__v2_write_batch_response, &reply);
}

static inline bool fake_request(weir_rpc_call *call, const weir_codec_message *type, weir_arena *arena,
                                void *out)
{
    weir_bytes message;
    weir_error err;

    return weir__rpc_recv(call, &message, &err) == WEIR_ITEM &&
           weir__codec_decode(type, message, arena, out, &err) == WEIR_OK;
}

static inline void fake_text(char *out, size_t size, weir_bytes text)
{
    snprintf(out, size, "%.*s", (int)text.size, text.data);
}

static inline weir_rpc_code fake_capabilities(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    v2_capabilities_response reply = { .batch_file_format = d->parquet };

    return fake_reply(call, &weir__v2_capabilities_response, &reply);
}

static inline weir_rpc_code fake_describe(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_describe_table_request request;
    v2_describe_table_response reply = { .which_response = V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND,
                                         .response.not_found = true };
    v2_column columns[FAKE_COLUMNS] = { 0 };
    v2_table described = { .columns = columns };
    char schema[64];
    char name[64];
    fake_table *t;
    weir_rpc_code code;
    bool faulty;

    assert_true(fake_request(call, &weir__v2_describe_table_request, arena, &request));
    fake_text(schema, sizeof schema, request.schema_name);
    fake_text(name, sizeof name, request.table_name);
    pthread_mutex_lock(&d->lock);
    d->describes++;
    faulty = fake_faulty(d, "DescribeTable");
    t = fake_find(d, schema, name);
    if (t != NULL) {
        described.name = weir__text(t->name);
        described.columns_count = t->column_count;
        for (size_t i = 0; i < t->column_count; i++)
            columns[i] = (v2_column){ .name = weir__text(t->columns[i].name),
                                      .type = (int32_t)t->columns[i].type,
                                      .primary_key = t->columns[i].key && !d->no_keys };
        reply.which_response = V2_DESCRIBE_TABLE_RESPONSE_TABLE;
        reply.response.table = &described;
    }
    code = faulty ? fake_answer(d, call, true) : fake_reply(call, &weir__v2_describe_table_response, &reply);
    pthread_mutex_unlock(&d->lock);
    weir__arena_free(arena);
    return code;
}

/* Takes in the columns of a table; rows get NULL in new ones. */
static inline void fake_shape(fake_table *t, const v2_table *from)
{
    for (size_t i = 0; i < from->columns_count; i++) {
        char name[64];
        size_t at;

        fake_text(name, sizeof name, from->columns[i].name);
        at = fake_column_index(t, name);
        if (at == SIZE_MAX) {
            at = t->column_count++;
            assert_true(t->column_count <= FAKE_COLUMNS);
            memcpy(t->columns[at].name, name, sizeof name);
        }
        t->columns[at].type = (weir_type)from->columns[i].type;
        t->columns[at].key = from->columns[i].primary_key;
    }
}

static inline weir_rpc_code fake_create(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_create_table_request request;
    weir_rpc_code code;
    fake_table *t;

    assert_true(fake_request(call, &weir__v2_create_table_request, arena, &request));
    pthread_mutex_lock(&d->lock);
    d->creates++;
    fake_note(d, 'C');
    if (fake_faulty(d, "CreateTable")) {
        code = fake_answer(d, call, true);
    } else {
        t = &d->tables[d->table_count++];
        memset(t, 0, sizeof *t);
        fake_text(t->schema, sizeof t->schema, request.schema_name);
        fake_text(t->name, sizeof t->name, request.table->name);
        fake_shape(t, request.table);
        code = fake_answer(d, call, false);
    }
    pthread_mutex_unlock(&d->lock);
    weir__arena_free(arena);
    return code;
}

static inline weir_rpc_code fake_alter(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_alter_table_request request;
    char schema[64];
    char name[64];
    weir_rpc_code code;
    fake_table *t;
    bool faulty;

    assert_true(fake_request(call, &weir__v2_alter_table_request, arena, &request));
    fake_text(schema, sizeof schema, request.schema_name);
    fake_text(name, sizeof name, request.table->name);
    pthread_mutex_lock(&d->lock);
    d->alters++;
    fake_note(d, 'A');
    faulty = fake_faulty(d, "AlterTable");
    t = fake_find(d, schema, name);
    for (size_t i = 0; !faulty && t != NULL && i < t->column_count; i++)
        t->columns[i].key = false; /* R-DST-03: also of columns that are left out */
    if (!faulty && t != NULL)
        fake_shape(t, request.table);
    code = fake_answer(d, call, faulty);
    pthread_mutex_unlock(&d->lock);
    weir__arena_free(arena);
    return code;
}

static inline weir_rpc_code fake_truncate(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_truncate_request request;
    char schema[64];
    char name[64];
    fake_table *t;
    weir_rpc_code code;

    assert_true(fake_request(call, &weir__v2_truncate_request, arena, &request));
    fake_text(schema, sizeof schema, request.schema_name);
    fake_text(name, sizeof name, request.table_name);
    pthread_mutex_lock(&d->lock);
    d->truncates++;
    fake_note(d, 'T');
    d->cutoff_ms = request.utc_delete_before->seconds * 1000 + request.utc_delete_before->nanos / 1000000;
    d->synced_min_ms = INT64_MAX;
    t = fake_find(d, schema, name);
    for (size_t r = 0; t != NULL && r < t->row_count; r++) {
        char **synced = &t->cells[r][fake_column_index(t, "_fivetran_synced")];
        char **deleted = &t->cells[r][fake_column_index(t, "_fivetran_deleted")];
        weir_time time;

        assert_true(weir_time_parse(WEIR_UTC_DATETIME, *synced, strlen(*synced), &time));
        if (time.seconds * 1000 + time.nanos / 1000000 < d->cutoff_ms) {
            free(*deleted);
            *deleted = fake_copy(weir__text("true"));
        }
    }
    code = fake_answer(d, call, fake_faulty(d, "Truncate"));
    pthread_mutex_unlock(&d->lock);
    weir__arena_free(arena);
    return code;
}

static inline char *fake_cell_text(const weir_cell *cell)
{
    char *out = malloc(weir__text_bound(cell) + 1);
    size_t size = weir__text_format(cell, out);

    assert_true(size != WEIR_TEXT_NONE);
    out[size] = '\0';
    return out;
}

/* The row with these keys; SIZE_MAX when there is none. */
static inline size_t fake_row(const fake_table *t, char *const *cells)
{
    for (size_t r = 0; r < t->row_count; r++) {
        bool same = true;

        for (size_t c = 0; c < t->column_count && same; c++)
            if (t->columns[c].key)
                same = cells[c] && t->cells[r][c] && strcmp(cells[c], t->cells[r][c]) == 0;
        if (same)
            return r;
    }
    return SIZE_MAX;
}

static inline void fake_apply(fake_destination *d, fake_table *t, const weir_row *row)
{
    char *cells[FAKE_COLUMNS] = { NULL };
    bool unmodified[FAKE_COLUMNS];
    size_t at;

    for (size_t i = 0; i < FAKE_COLUMNS; i++)
        unmodified[i] = row->op == WEIR_UPDATE;
    for (size_t i = 0; i < row->count; i++) {
        size_t c = fake_column_index(t, row->cells[i].column);

        unmodified[c] = row->cells[i].presence == WEIR_UNMODIFIED;
        if (row->cells[i].presence == WEIR_VALUE)
            cells[c] = fake_cell_text(&row->cells[i]);
        if (strcmp(row->cells[i].column, "_fivetran_synced") == 0) {
            int64_t ms = row->cells[i].as.time.seconds * 1000 + row->cells[i].as.time.nanos / 1000000;

            d->synced_min_ms = ms < d->synced_min_ms ? ms : d->synced_min_ms;
        }
    }
    at = fake_row(t, cells);
    if (at == SIZE_MAX && row->op == WEIR_REPLACE) {
        assert_true(t->row_count < FAKE_ROWS);
        at = t->row_count++;
    }
    for (size_t c = 0; c < t->column_count; c++) {
        if (at == SIZE_MAX || unmodified[c]) {
            free(cells[c]);
            continue;
        }
        free(t->cells[at][c]);
        t->cells[at][c] = cells[c];
    }
}

static inline weir_status fake_load(fake_destination *d, fake_table *t, const v2_write_batch_request *request,
                                    weir_batch_kind kind, weir_error *err)
{
    const weir_bytes *paths = kind == WEIR_BATCH_REPLACE ? request->replace_files : request->update_files;
    size_t count = kind == WEIR_BATCH_REPLACE ? request->replace_files_count : request->update_files_count;
    weir_column columns[FAKE_COLUMNS];
    weir_table table = { .name = t->name, .columns = columns, .column_count = t->column_count };
    weir_file_params params = { .compression = (weir_compression)request->file_params->compression,
                                .encryption = (weir_encryption)request->file_params->encryption,
                                .null_string = request->file_params->null_string,
                                .unmodified_string = request->file_params->unmodified_string };
    weir_reader *reader = weir__reader_new();
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < t->column_count; i++)
        columns[i] = (weir_column){ .name = t->columns[i].name,
                                    .type = t->columns[i].type,
                                    .key = t->columns[i].key };
    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        char path[4096];
        weir_reader_file file = { .name = path, .kind = kind, .table = &table, .params = &params };
        parquet_reader *parquet = NULL;
        weir_file *disk;
        weir_row row;

        fake_text(path, sizeof path, paths[i]);
        for (size_t k = 0; k < request->keys_count; k++)
            if (weir__bytes_equal(request->keys[k].key, paths[i]))
                file.key = (const unsigned char *)request->keys[k].value.data;
        status = weir__file_open(path, &disk, err);
        if (status != WEIR_OK)
            break;
        d->files++;
        file.input = weir__file_input(disk);
        status = d->parquet ? parquet_reader_open(&file, NULL, &parquet, err)
                            : weir__reader_open(reader, &file, err);
        while (status == WEIR_OK &&
               (status = d->parquet ? parquet_reader_next(parquet, &row, err)
                                    : weir__reader_next(reader, &row, err)) == WEIR_ITEM) {
            fake_apply(d, t, &row);
            status = WEIR_OK;
        }
        parquet_reader_free(parquet);
        weir__file_close(disk);
    }
    weir__reader_free(reader);
    return status;
}

static inline weir_rpc_code fake_write(weir_rpc_call *call, void *context)
{
    fake_destination *d = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_write_batch_request request;
    char schema[64];
    char name[64];
    fake_table *t;
    weir_error err = { .text = "" };
    weir_rpc_code code;

    assert_true(fake_request(call, &weir__v2_write_batch_request, arena, &request));
    fake_text(schema, sizeof schema, request.schema_name);
    fake_text(name, sizeof name, request.table->name);
    pthread_mutex_lock(&d->lock);
    d->writes++;
    fake_note(d, 'W');
    memcpy(d->markers[1], d->markers[0], sizeof d->markers[0]);
    fake_text(d->markers[0], sizeof d->markers[0], request.file_params->null_string);
    t = fake_find(d, schema, name);
    if (d->fault != FAKE_WARNING && fake_faulty(d, "WriteBatch"))
        code = fake_answer(d, call, true);
    else if (t == NULL)
        code = weir__rpc_fail(call, WEIR_RPC_INTERNAL, "no table '%s'", name);
    else if (fake_load(d, t, &request, WEIR_BATCH_REPLACE, &err) != WEIR_OK ||
             fake_load(d, t, &request, WEIR_BATCH_UPDATE, &err) != WEIR_OK)
        code = weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err.text);
    else
        code = fake_answer(d, call, d->fault == FAKE_WARNING && fake_faulty(d, "WriteBatch"));
    pthread_mutex_unlock(&d->lock);
    weir__arena_free(arena);
    return code;
}

static inline void fake_destination_open(fake_destination *d, const char *folder)
{
    weir_rpc_method methods[] = {
        { V2_DESTINATION_CONNECTOR_CAPABILITIES_PATH, WEIR_RPC_UNARY, fake_capabilities, d },
        { V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH, WEIR_RPC_UNARY, fake_describe, d },
        { V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH, WEIR_RPC_UNARY, fake_create, d },
        { V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, WEIR_RPC_UNARY, fake_alter, d },
        { V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, WEIR_RPC_UNARY, fake_truncate, d },
        { V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, WEIR_RPC_UNARY, fake_write, d },
    };
    static weir_rpc_method kept[6];
    weir_rpc_server_options options = { .methods = kept, .method_count = 6, .port = -1 };
    char path[100];
    weir_error err;

    memcpy(kept, methods, sizeof kept);
    pthread_mutex_init(&d->lock, NULL);
    d->synced_min_ms = INT64_MAX;
    snprintf(path, sizeof path, "%s/d.sock", folder);
    snprintf(d->where, sizeof d->where, "unix:%s", path);
    options.socket_path = path;
    if (weir__rpc_server_open(&options, &d->server, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

/* Somebody drops all tables. */
static inline void fake_drop(fake_destination *d)
{
    for (size_t i = 0; i < d->table_count; i++)
        for (size_t r = 0; r < d->tables[i].row_count; r++)
            for (size_t c = 0; c < FAKE_COLUMNS; c++)
                free(d->tables[i].cells[r][c]);
    d->table_count = 0;
}

static inline void fake_destination_close(fake_destination *d)
{
    weir__rpc_server_close(d->server);
    fake_drop(d);
    pthread_mutex_destroy(&d->lock);
}

/* --- source --- */

typedef struct fake_source fake_source;

struct fake_source {
    weir_rpc_server *server;
    char where[128];
    v2_schema_response schema; /* zeroes: schema_response_not_supported */
    /* Plays one Update: sends with the functions below, and returns how it ends. */
    weir_rpc_code (*play)(fake_source *s, weir_rpc_call *call);
    char state[256];      /* as the engine sent it; "" without */
    char selection[1024]; /* likewise, as fake_selection writes it */
    int updates;
    void *context;
};

static inline bool fake_send(weir_rpc_call *call, weir_bytes message)
{
    weir_error err;

    return weir__rpc_send(call, message, 0, &err) == WEIR_OK;
}

/* One record in a message of its own. */
static inline bool fake_record(weir_rpc_call *call, const char *table, weir_op op, const weir_cell *cells,
                               size_t count)
{
    weir_record_row row = { .table = weir__text(table), .op = op, .cells = cells, .count = count };
    weir_record_writer writer;
    weir_bytes message;
    weir_error err;
    bool sent;

    weir__record_writer_init(&writer, 128 << 20);
    if (weir__record_writer_put(&writer, &row, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(weir__record_writer_take(&writer, &message), WEIR_ITEM);
    sent = fake_send(call, message);
    weir__record_writer_clear(&writer);
    return sent;
}

static inline bool fake_operation(weir_rpc_call *call, const v2_update_response *response)
{
    weir_error err;
    weir_buf out;
    bool sent;

    weir__buf_init(&out, 16 << 20);
    assert_int_equal(weir__codec_encode(&weir__v2_update_response, response, &out, &err), WEIR_OK);
    sent = fake_send(call, weir__buf_bytes(&out));
    weir__buf_clear(&out);
    return sent;
}

static inline bool fake_checkpoint(weir_rpc_call *call, const char *state)
{
    v2_checkpoint checkpoint = { .state_json = weir__text(state) };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };

    return fake_operation(call, &response);
}

static inline weir_rpc_code fake_schema(weir_rpc_call *call, void *context)
{
    fake_source *s = context;
    v2_schema_response reply = s->schema;

    if (reply.which_response == V2_SCHEMA_RESPONSE_RESPONSE_NOT_SET) {
        reply.which_response = V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED;
        reply.response.schema_response_not_supported = true;
    }
    return fake_reply(call, &weir__v2_schema_response, &reply);
}

static inline void fake_say(fake_source *s, const char *mark, bool on, weir_bytes name)
{
    size_t used = strlen(s->selection);

    snprintf(s->selection + used, sizeof s->selection - used, "%s%.*s%s", mark, (int)name.size, name.data,
             on ? "+" : "-");
}

static inline void fake_say_tables(fake_source *s, const v2_table_selection *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fake_say(s, " ", tables[i].included, tables[i].table_name);
        for (size_t k = 0; k < tables[i].columns_count; k++)
            fake_say(s, k ? "," : "(", tables[i].columns[k].value, tables[i].columns[k].key);
        fake_say(s, tables[i].columns_count ? ",*" : "(*", tables[i].include_new_columns, weir__text(")"));
    }
}

/*
 * The selection as text: "schemas*-: public+ orders+(id+,email-,*+)- …" with + for what is on and * for what
 * is new on each level; a table's columns stand in brackets, whose sign is that of new columns.
 */
static inline void fake_selection(fake_source *s, const v2_selection *from)
{
    s->selection[0] = '\0';
    if (from == NULL)
        return;
    if (from->which_selection == V2_SELECTION_WITHOUT_SCHEMA) {
        fake_say(s, "tables", from->selection.without_schema->include_new_tables, weir__text("*"));
        fake_say_tables(s, from->selection.without_schema->tables,
                        from->selection.without_schema->tables_count);
        return;
    }
    fake_say(s, "schemas", from->selection.with_schema->include_new_schemas, weir__text("*"));
    for (size_t i = 0; i < from->selection.with_schema->schemas_count; i++) {
        const v2_schema_selection *schema = &from->selection.with_schema->schemas[i];

        fake_say(s, "; ", schema->included, schema->schema_name);
        fake_say(s, " tables", schema->include_new_tables, weir__text("*"));
        fake_say_tables(s, schema->tables, schema->tables_count);
    }
}

static inline weir_rpc_code fake_update(weir_rpc_call *call, void *context)
{
    fake_source *s = context;
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_update_request request;

    assert_true(fake_request(call, &weir__v2_update_request, arena, &request));
    fake_selection(s, request.selection);
    fake_text(s->state, sizeof s->state, request.has_state_json ? request.state_json : (weir_bytes){ "", 0 });
    s->updates++;
    weir__arena_free(arena);
    return s->play(s, call);
}

static inline void fake_source_open(fake_source *s, const char *folder)
{
    weir_rpc_method methods[] = {
        { V2_SOURCE_CONNECTOR_SCHEMA_PATH, WEIR_RPC_UNARY, fake_schema, s },
        { V2_SOURCE_CONNECTOR_UPDATE_PATH, WEIR_RPC_SERVER_STREAM, fake_update, s },
    };
    static weir_rpc_method kept[2];
    weir_rpc_server_options options = { .methods = kept, .method_count = 2, .port = -1 };
    char path[100];
    weir_error err;

    memcpy(kept, methods, sizeof kept);
    snprintf(path, sizeof path, "%s/s.sock", folder);
    snprintf(s->where, sizeof s->where, "unix:%s", path);
    options.socket_path = path;
    if (weir__rpc_server_open(&options, &s->server, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

static inline void fake_source_close(fake_source *s)
{
    weir__rpc_server_close(s->server);
}

#endif
