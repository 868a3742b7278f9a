/*
 * destination-postgresql/write: one batch in one transaction.
 *
 * Update and delete rows go through staging (stage.c). Replace rows may take a short cut: COPY straight into
 * the target, which costs half as much and is all that an initial load needs. It works as long as no key is
 * there already, and a batch cannot be read twice, so rows are kept, a segment of bounded size at a time,
 * until the server has taken them:
 *
 *     rows → segment ──┬─ table was empty, or none of a sample of the segment's keys is there
 *                      │     → SAVEPOINT, COPY target ── ok → next segment
 *                      │                              └─ key was there → ROLLBACK TO SAVEPOINT ─┐
 *                      └─ else ─────────────────────────────────────────────────────────────────┤
 *                            COPY staging, as all segments after it; one merge at the end ◀─────┘
 *
 * Rows are sent while the segment is still filling, so that the server works at the same time. A segment that
 * was copied directly had only new keys, and what is staged after it overwrites it: the order of the rows is
 * kept. The transaction makes a request all or nothing, and a re-sent one ends in the same table (R-DST-06).
 */
#include <stdlib.h>

#include "destination.h"

#define SEGMENT_SIZE ((size_t)8 << 20)
#define PROBE_SIZE ((size_t)1 << 20)   /* of a segment: the sample is taken from it */
#define CHUNK_SIZE ((size_t)128 << 10) /* rows are sent in pieces of about this size */
#define SAMPLE_MAX 64
#define ROWS_BETWEEN_LOOKS 4096 /* at weir_running */

enum way {
    WAY_UNDECIDED,
    WAY_DIRECT,
    WAY_STAGE
};

struct writer {
    target to;
    encoder rows;              /* the segment, or what is not sent to staging yet */
    size_t sent;               /* bytes of the segment that went into the target's COPY */
    size_t next;               /* size of `rows` at which something is to be done */
    enum way way;              /* of replace rows */
    bool was_empty;            /* the table, when the request began */
    bool copying;              /* a COPY into the target is open, behind a savepoint */
    bool staging;              /* a COPY into staging is open */
    weir_op op;                /* of the rows that are being gathered */
    int stages;                /* created so far; the last one is open */
    uint64_t row_count;        /* since the last merge */
    uint64_t *modified;        /* per column: update rows that set it */
    size_t sample[SAMPLE_MAX]; /* offsets of rows in the segment, `stride` rows apart */
    size_t sample_count;
    uint64_t stride;
};

static encode_shape shape_of(weir_op op)
{
    return op == WEIR_UPDATE ? ENCODE_ROW_AND_MASK : op == WEIR_DELETE ? ENCODE_KEY : ENCODE_ROW;
}

/* --- the target --- */

/* Maps the request's columns to the stored ones; a missing one is an error that names it (R-BAT-09). */
static weir_status map_columns(struct writer *writer)
{
    target *to = &writer->to;
    const stored_column **stored = weir_alloc(to->call,
                                              to->table->column_count * sizeof(stored_column *) + 1);

    for (size_t i = 0; i < to->table->column_count; i++) {
        const weir_column *column = &to->table->columns[i];

        stored[i] = stored_find(&to->all, name_stored(to->call, column->name, NAME_COLUMN));
        if (stored[i] == NULL)
            return weir_fail(to->call, "write to table '%s': it has no column '%s'", to->table->name,
                             column->name);
        if (stored[i]->oid != type_oid(column))
            writer->way = WAY_STAGE; /* somebody changed the type: the merge casts */
        to->key_count += column->key;
    }
    to->stored = stored;
    return WEIR_OK;
}

static weir_status look_at_table(struct writer *writer)
{
    target *to = &writer->to;
    PGresult *rows = NULL;
    weir_status status = stored_load(to->call, to->table->schema, to->table->name, &to->all);

    if (status == WEIR_NOT_FOUND)
        return weir_fail(to->call, "write to table '%s': there is no such table", to->table->name);
    if (status == WEIR_OK)
        status = map_columns(writer);
    if (status == WEIR_OK)
        status = link_query(to->call, to->link, to->doing,
                            weir_printf(to->call, "SELECT 1 FROM %s LIMIT 1", to->path), &rows);
    if (status != WEIR_OK)
        return status;
    writer->was_empty = PQntuples(rows) == 0;
    PQclear(rows);
    return WEIR_OK;
}

/* --- replace rows, straight into the target --- */

static void sample_row(struct writer *writer)
{
    if (writer->row_count % writer->stride != 0)
        return;
    if (writer->sample_count == SAMPLE_MAX) { /* every second one stays, twice as far apart */
        for (size_t i = 0; i < SAMPLE_MAX / 2; i++)
            writer->sample[i] = writer->sample[2 * i];
        writer->sample_count = SAMPLE_MAX / 2;
        writer->stride *= 2;
        if (writer->row_count % writer->stride != 0)
            return;
    }
    writer->sample[writer->sample_count++] = writer->rows.size;
}

static const char *target_copy_sql(const target *to)
{
    text sql = text_new(to->call);

    text_printf(&sql, "COPY %s (", to->path);
    for (size_t i = 0; i < to->table->column_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        text_name(&sql, to->stored[i]->name);
    }
    text_put(&sql, ") FROM STDIN (FORMAT binary)");
    return sql.data;
}

static weir_status begin_copy(struct writer *writer)
{
    target *to = &writer->to;
    weir_status status = link_run(to->call, to->link, to->doing, "SAVEPOINT weir_direct");

    if (status == WEIR_OK)
        status = copy_begin(to, target_copy_sql(to));
    writer->copying = status == WEIR_OK;
    return status;
}

/* Ends the COPY; when a key was there already, nothing has happened and *violation is true. */
static weir_status end_copy(struct writer *writer, bool *violation)
{
    target *to = &writer->to;
    weir_status status = copy_close(to, violation);

    writer->copying = false;
    if (status != WEIR_OK)
        return status;
    return link_run(to->call, to->link, to->doing,
                    *violation ? "ROLLBACK TO SAVEPOINT weir_direct" : "RELEASE SAVEPOINT weir_direct");
}

/* Settles the way of the segment: the short cut or staging. A table without a key only ever grows. */
static weir_status choose_way(struct writer *writer)
{
    bool exists = false;
    weir_status status = WEIR_OK;

    if (writer->way == WAY_STAGE || writer->copying)
        return WEIR_OK;
    if (!writer->was_empty && writer->to.key_count > 0)
        status = probe_keys(&writer->to, writer->rows.data, writer->sample, writer->sample_count, &exists);
    if (status == WEIR_OK)
        writer->way = exists ? WAY_STAGE : WAY_DIRECT;
    return status;
}

/* Sends what is new in the segment to the target. */
static weir_status send_direct(struct writer *writer)
{
    weir_status status = writer->copying ? WEIR_OK : begin_copy(writer);

    if (status == WEIR_OK)
        status = copy_put(&writer->to, writer->rows.data + writer->sent, writer->rows.size - writer->sent);
    if (status == WEIR_OK)
        writer->sent = writer->rows.size;
    return status;
}

/* An empty segment. A table that was empty needs no sample, so its rows are sent at once. */
static void begin_segment(struct writer *writer)
{
    writer->rows.size = 0;
    writer->sent = 0;
    writer->sample_count = 0;
    writer->next = writer->op != WEIR_REPLACE || writer->way == WAY_STAGE || writer->was_empty ? CHUNK_SIZE
                                                                                               : PROBE_SIZE;
}

/* --- staging --- */

/* Sends what is gathered to the staging table, which is opened when it is not. */
static weir_status send_staged(struct writer *writer)
{
    weir_status status = WEIR_OK;

    if (!writer->staging) {
        status = stage_open(&writer->to, shape_of(writer->op), ++writer->stages);
        writer->staging = status == WEIR_OK;
    }
    if (status == WEIR_OK)
        status = copy_put(&writer->to, writer->rows.data, writer->rows.size);
    if (status == WEIR_OK)
        begin_segment(writer);
    return status;
}

/* Passes the gathered rows on; `last` when no more of their kind follow. */
static weir_status flush(struct writer *writer, bool last)
{
    bool violation = false;
    weir_status status = WEIR_OK;

    if (writer->rows.size == 0)
        return WEIR_OK;
    if (writer->op != WEIR_REPLACE)
        return send_staged(writer);
    status = choose_way(writer);
    if (status == WEIR_OK && writer->way == WAY_DIRECT) {
        status = send_direct(writer);
        writer->next = writer->rows.size + CHUNK_SIZE;
        if (status != WEIR_OK || (!last && writer->rows.size < SEGMENT_SIZE))
            return status;
        status = end_copy(writer, &violation);
        if (status == WEIR_OK && !violation) {
            begin_segment(writer);
            return WEIR_OK;
        }
        writer->way = WAY_STAGE;
    }
    return status == WEIR_OK ? send_staged(writer) : status;
}

/* Ends the rows of one kind: the last of them are passed on and staging is merged. */
static weir_status finish_op(struct writer *writer)
{
    weir_status status = flush(writer, true);

    if (status == WEIR_OK && writer->staging) {
        status = stage_merge(&writer->to, writer->op, writer->stages, writer->modified, writer->row_count);
        writer->staging = false;
    }
    writer->row_count = 0;
    memset(writer->modified, 0, writer->to.table->column_count * sizeof *writer->modified);
    return status;
}

static weir_status add_row(struct writer *writer, const weir_row *row)
{
    weir_status status = WEIR_OK;

    if (row->op != writer->op) {
        status = finish_op(writer);
        writer->op = row->op;
        begin_segment(writer);
    }
    if (status == WEIR_OK && row->op != WEIR_REPLACE && writer->to.key_count == 0)
        return weir_fail(writer->to.call, "write to table '%s': it has no key to update or delete by",
                         writer->to.table->name);
    if (status != WEIR_OK)
        return status;
    if (row->op == WEIR_REPLACE && writer->way != WAY_STAGE && !writer->copying)
        sample_row(writer);
    status = encode_row(&writer->rows, row, shape_of(row->op));
    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; row->op == WEIR_UPDATE && i < row->count; i++)
        writer->modified[i] += row->cells[i].presence != WEIR_UNMODIFIED;
    writer->row_count++;
    return writer->rows.size >= writer->next ? flush(writer, false) : WEIR_OK;
}

static weir_status write_all(struct writer *writer, weir_batch *in)
{
    weir_row row;
    uint64_t rows = 0;
    weir_status status;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        if (++rows % ROWS_BETWEEN_LOOKS == 0 && !weir_running(writer->to.call))
            return WEIR_CANCELLED;
        status = add_row(writer, &row);
        if (status != WEIR_OK)
            return status;
    }
    return status == WEIR_OK ? finish_op(writer) : status;
}

weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    const struct options *options = weir_options(call);
    struct writer writer = { .stride = 1, .op = WEIR_REPLACE };
    weir_status status;

    writer.to = (target){ .call = call,
                          .link = weir_session(call),
                          .table = table,
                          .path = name_path(call, table->schema, table->name),
                          .doing = weir_printf(call, "write to table '%s'", table->name) };
    writer.modified = weir_alloc(call, table->column_count * sizeof *writer.modified + 1);
    status = link_run(call, writer.to.link, writer.to.doing, "BEGIN");
    if (status == WEIR_OK)
        status = look_at_table(&writer);
    writer.rows = (encoder){ .call = call,
                             .table = table,
                             .stored = writer.to.stored,
                             .replace_nul = strcmp(options->nul_characters, "replace") == 0 };
    begin_segment(&writer);
    if (status == WEIR_OK)
        status = write_all(&writer, in);
    if (status == WEIR_OK)
        status = link_run(call, writer.to.link, writer.to.doing, "COMMIT");
    free(writer.rows.data); /* an open transaction ends with the session, which rolls back */
    return status;
}
