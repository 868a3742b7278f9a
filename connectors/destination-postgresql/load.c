/*
 * destination-postgresql/load: rows go by COPY into a temporary table, where the layer finds them.
 *
 * Replace rows may take a short cut: COPY straight into the target, which costs half as much and is all that
 * an initial load needs. It works as long as no key is there already, and a batch cannot be read twice, so
 * rows are kept, a segment of bounded size at a time, until the server has taken them:
 *
 *     rows → segment ──┬─ table was empty, or none of a sample of the segment's keys is there
 *                      │     → SAVEPOINT, COPY target ── ok → next segment
 *                      │                              └─ key was there → ROLLBACK TO SAVEPOINT ─┐
 *                      └─ else ─────────────────────────────────────────────────────────────────┤
 *                                  COPY staging, as all segments after it ◀─────────────────────┘
 *
 * Rows are sent while the segment is still filling, so that the server works at the same time. A segment that
 * was copied directly had only new keys, and what is staged after it overwrites it: the order of the rows is
 * kept.
 */
#include <stdio.h>
#include <stdlib.h>

#include "destination.h"
#include "wire.h"

#define SEGMENT_SIZE ((size_t)8 << 20)
#define PROBE_SIZE ((size_t)1 << 20)   /* of a segment: the sample is taken from it */
#define CHUNK_SIZE ((size_t)128 << 10) /* rows are sent in pieces of about this size */
#define SEND_SIZE ((size_t)1 << 20)    /* bytes between looks at weir_running */
#define SAMPLE_MAX 64
#define PARAMETERS_MAX 1024 /* of the statement that probes */

enum way {
    WAY_UNDECIDED,
    WAY_DIRECT,
    WAY_STAGE
};

typedef struct loader {
    weir_call *call;
    pg_session *session;
    weir_sql_stage *stage;
    encoder encoder;
    enum way way;
    bool copying; /* a COPY into the target is open, behind a savepoint */
    bool copied;  /* rows went into the target */
    bool staging; /* a COPY into staging is open */
    bool foreign; /* a column is staged in a type that is not the stored one */
    size_t key_count;
    size_t sent;               /* bytes of the segment that went into the target's COPY */
    size_t next;               /* size of the segment at which something is to be done */
    uint64_t row_count;        /* of the segment */
    size_t sample[SAMPLE_MAX]; /* offsets of rows in the segment, `stride` rows apart */
    size_t sample_count;
    uint64_t stride;
} loader;

static const weir_column *column_at(const loader *at, size_t index)
{
    return &at->stage->target->table->columns[index];
}

/* --- COPY --- */

static weir_status send_bytes(loader *at, const char *data, size_t size)
{
    while (size > 0) {
        size_t part = size < SEND_SIZE ? size : SEND_SIZE;

        if (!weir_running(at->call))
            return WEIR_CANCELLED;
        if (PQputCopyData(at->session->link, data, (int)part) != 1)
            return link_failed(at->call, at->session->link, NULL, at->stage->target->doing);
        data += part;
        size -= part;
    }
    return WEIR_OK;
}

static weir_status begin_copy(loader *at, const char *sql)
{
    const char *doing = at->stage->target->doing;
    PGconn *link = at->session->link;
    PGresult *begun;
    weir_status status = WEIR_OK;

    if (PQsendQuery(link, sql) != 1)
        return link_failed(at->call, link, NULL, doing);
    begun = link_finish(at->call, link);
    if (begun == NULL || PQresultStatus(begun) != PGRES_COPY_IN)
        status = store_failed(at->call, begun, doing);
    PQclear(begun);
    return status == WEIR_OK ? send_bytes(at, WIRE_SIGNATURE, WIRE_SIGNATURE_SIZE) : status;
}

/* Ends a COPY. With `violation` a key that was there already is no failure, but said there. */
static weir_status end_copy(loader *at, bool *violation)
{
    pg_session *session = at->session;

    at->copying = at->staging = false;
    if (PQputCopyData(session->link, "\xFF\xFF", 2) != 1 || PQputCopyEnd(session->link, NULL) != 1)
        return link_failed(at->call, session->link, NULL, at->stage->target->doing);
    PQclear(session->result);
    session->result = link_finish(at->call, session->link);
    if (session->result != NULL && PQresultStatus(session->result) == PGRES_COMMAND_OK)
        return WEIR_OK;
    if (session->result == NULL || violation == NULL ||
        strcmp(link_sqlstate(session->link, session->result), "23505") != 0)
        return store_failed(at->call, session->result, at->stage->target->doing);
    *violation = true;
    return WEIR_OK;
}

/* --- staging --- */

static void put_names(weir_sql_text *sql, const loader *at)
{
    const char *glue = "";

    for (size_t i = 0; i < at->stage->target->table->column_count; i++) {
        if (!at->encoder.fields[i].sent)
            continue;
        weir_sql_printf(sql, "%sc%zu", glue, i);
        glue = ", ";
    }
    for (size_t i = 0; at->stage->masked && i < at->stage->target->table->column_count;
         i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(sql, ", m%zu", i);
    weir_sql_put(sql, at->stage->mixed ? ", kind" : "");
}

/* A view that shows the staged values in their stored types, for the layer to read in place of the table. */
static const char *view_sql(const loader *at)
{
    weir_sql_text sql = weir_sql_text_new(at->call);

    weir_sql_printf(&sql, "; CREATE TEMP VIEW weir_stage_%u AS SELECT ", at->stage->number);
    for (size_t i = 0; i < at->stage->target->table->column_count; i++) {
        const pg_field *field = &at->encoder.fields[i];

        if (field->sent && field->cast != NULL)
            weir_sql_printf(&sql, "c%zu::%s AS c%zu, ", i, field->cast, i);
        else if (field->sent)
            weir_sql_printf(&sql, "c%zu, ", i);
    }
    for (size_t i = 0; at->stage->masked && i < at->stage->target->table->column_count;
         i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(&sql, "m%zu, ", i);
    weir_sql_printf(&sql, "%sseq FROM pg_temp.weir_rows_%u", at->stage->mixed ? "kind, " : "",
                    at->stage->number);
    return sql.data;
}

/* Creates the staging table and begins the COPY into it. */
static weir_status begin_staging(loader *at)
{
    const char *name = weir_printf(at->call, "weir_%s_%u", at->foreign ? "rows" : "stage", at->stage->number);
    weir_sql_text sql = weir_sql_text_new(at->call);
    weir_status status;

    weir_sql_printf(&sql, "CREATE TEMP TABLE %s (", name);
    for (size_t i = 0; i < at->stage->target->table->column_count; i++)
        if (at->encoder.fields[i].sent)
            weir_sql_printf(&sql, "c%zu %s, ", i, at->encoder.fields[i].type);
    for (size_t i = 0; at->stage->masked && i < at->stage->target->table->column_count;
         i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(&sql, "m%zu bigint, ", i);
    weir_sql_printf(&sql, "%sseq bigint GENERATED ALWAYS AS IDENTITY (CACHE 10000)) ON COMMIT DROP%s",
                    at->stage->mixed ? "kind integer, " : "", at->foreign ? view_sql(at) : "");
    status = store_run(at->call, sql.data, at->stage->target->doing);
    if (status != WEIR_OK)
        return status;
    sql = weir_sql_text_new(at->call);
    weir_sql_printf(&sql, "COPY pg_temp.%s (", name);
    put_names(&sql, at);
    weir_sql_put(&sql, ") FROM STDIN (FORMAT binary)");
    status = begin_copy(at, sql.data);
    at->staging = status == WEIR_OK;
    return status;
}

/* --- segments --- */

/* A table that was empty needs no sample, so its rows are sent at once. */
static void begin_segment(loader *at)
{
    at->session->size = 0;
    at->sent = 0;
    at->sample_count = 0;
    at->row_count = 0;
    at->next = at->way == WAY_STAGE || at->stage->empty ? CHUNK_SIZE : PROBE_SIZE;
}

static void sample_row(loader *at)
{
    if (at->row_count % at->stride != 0)
        return;
    if (at->sample_count == SAMPLE_MAX) { /* every second one stays, twice as far apart */
        for (size_t i = 0; i < SAMPLE_MAX / 2; i++)
            at->sample[i] = at->sample[2 * i];
        at->sample_count = SAMPLE_MAX / 2;
        at->stride *= 2;
        if (at->row_count % at->stride != 0)
            return;
    }
    at->sample[at->sample_count++] = at->session->size;
}

static weir_status send_staged(loader *at)
{
    weir_status status = at->staging ? WEIR_OK : begin_staging(at);

    if (status == WEIR_OK)
        status = send_bytes(at, at->session->rows, at->session->size);
    if (status == WEIR_OK) {
        at->stage->rows += at->row_count;
        begin_segment(at);
    }
    return status;
}

/* --- straight into the target --- */

/* The key fields of the sampled rows become parameters in binary, as they lie in the encoded rows. */
struct probe {
    const char *values[PARAMETERS_MAX];
    int sizes[PARAMETERS_MAX];
    int formats[PARAMETERS_MAX];
    int count;
};

/* `("k1" = $1 AND "k2" = $2)` for the row at `row`. */
static void put_probe(weir_sql_text *sql, const loader *at, const char *row, struct probe *probe)
{
    const char *cell = row + 2;
    const char *glue = "(";

    for (size_t i = 0; i < at->stage->target->table->column_count; i++) {
        uint32_t size = wire_get32(cell);

        cell += 4;
        if (at->stage->target->into[i]->column.key) {
            probe->values[probe->count] = size == UINT32_MAX ? NULL : cell;
            probe->sizes[probe->count] = size == UINT32_MAX ? 0 : (int)size;
            probe->formats[probe->count++] = 1;
            weir_sql_printf(sql, "%s%s = $%d", glue,
                            weir_sql_quoted(at->call, &postgresql, at->stage->target->into[i]->name),
                            probe->count);
            glue = " AND ";
        }
        cell += size == UINT32_MAX ? 0 : size;
    }
    weir_sql_put(sql, ")");
}

/* True in *exists when one of the sampled rows has its key in the table already. */
static weir_status probe_keys(loader *at, bool *exists)
{
    struct probe *probe = weir_alloc(at->call, sizeof *probe);
    weir_sql_text sql = weir_sql_text_new(at->call);
    pg_session *session = at->session;

    weir_sql_printf(&sql, "SELECT 1 FROM %s WHERE ", at->stage->target->stored->path);
    for (size_t i = 0; i < at->sample_count && (size_t)probe->count + at->key_count <= PARAMETERS_MAX; i++) {
        weir_sql_put(&sql, i > 0 ? " OR " : "");
        put_probe(&sql, at, session->rows + at->sample[i], probe);
    }
    weir_sql_put(&sql, " LIMIT 1");
    if (PQsendQueryParams(session->link, sql.data, probe->count, NULL, probe->values, probe->sizes,
                          probe->formats, 0) != 1)
        return link_failed(at->call, session->link, NULL, at->stage->target->doing);
    PQclear(session->result);
    session->result = link_finish(at->call, session->link);
    if (session->result == NULL || PQresultStatus(session->result) != PGRES_TUPLES_OK)
        return store_failed(at->call, session->result, at->stage->target->doing);
    *exists = PQntuples(session->result) > 0;
    return WEIR_OK;
}

/* Settles the way of the segment: the short cut or staging. A table without a key only ever grows. */
static weir_status choose_way(loader *at)
{
    bool exists = false;
    weir_status status = WEIR_OK;

    if (at->way == WAY_STAGE || at->copying)
        return WEIR_OK;
    if (!at->stage->empty && at->key_count > 0 && at->key_count <= PARAMETERS_MAX)
        status = probe_keys(at, &exists);
    if (status == WEIR_OK)
        at->way = exists ? WAY_STAGE : WAY_DIRECT;
    at->stage->straight = at->way == WAY_DIRECT;
    return status;
}

static weir_status begin_direct(loader *at)
{
    const weir_sql_target *target = at->stage->target;
    weir_sql_text sql = weir_sql_text_new(at->call);
    weir_status status = store_run(at->call, "SAVEPOINT weir_direct", target->doing);

    if (status != WEIR_OK)
        return status;
    weir_sql_printf(&sql, "COPY %s (", target->stored->path);
    for (size_t i = 0; i < target->table->column_count; i++)
        weir_sql_printf(&sql, "%s%s", i > 0 ? ", " : "",
                        weir_sql_quoted(at->call, &postgresql, target->into[i]->name));
    weir_sql_put(&sql, ") FROM STDIN (FORMAT binary)");
    status = begin_copy(at, sql.data);
    at->copying = status == WEIR_OK;
    return status;
}

/* Sends what is new in the segment to the target, and ends the segment when it is full or the last. */
static weir_status send_direct(loader *at, bool last)
{
    const char *doing = at->stage->target->doing;
    bool violation = false;
    weir_status status = at->copying ? WEIR_OK : begin_direct(at);

    if (status == WEIR_OK)
        status = send_bytes(at, at->session->rows + at->sent, at->session->size - at->sent);
    at->sent = at->session->size;
    at->next = at->session->size + CHUNK_SIZE;
    if (status != WEIR_OK || (!last && at->session->size < SEGMENT_SIZE))
        return status;
    status = end_copy(at, &violation);
    if (status == WEIR_OK)
        status = store_run(at->call,
                           violation ? "ROLLBACK TO SAVEPOINT weir_direct" : "RELEASE SAVEPOINT weir_direct",
                           doing);
    if (status != WEIR_OK)
        return status;
    if (violation) {
        at->way = WAY_STAGE;
        at->stage->straight = false;
        return send_staged(at);
    }
    at->copied = true;
    begin_segment(at);
    return WEIR_OK;
}

/* Passes the gathered rows on. */
static weir_status flush(loader *at, bool last)
{
    weir_status status = choose_way(at);

    if (status != WEIR_OK)
        return status;
    return at->way == WAY_DIRECT ? send_direct(at, last) : send_staged(at);
}

/* --- the stage --- */

static void read_bounds(const char *declared, pg_field *out)
{
    if (sscanf(declared, "numeric(%9d,%9d)", &out->precision, &out->scale) != 2)
        out->precision = 0;
}

static const pg_field *make_fields(loader *at)
{
    const weir_sql_target *target = at->stage->target;
    pg_field *fields = weir_alloc(at->call, (target->table->column_count + 1) * sizeof *fields);

    for (size_t i = 0; i < target->table->column_count; i++) {
        const weir_sql_column *into = target->into[i];
        weir_column column = *column_at(at, i);
        const char *stored = type_unbounded(at->call, into->declared);

        column.key = into->column.key;
        column.params = (weir_params){ 0 }; /* a numeric without bounds rounds nothing */
        at->key_count += column.key;
        fields[i] = (pg_field){ .sent = column.key || !at->stage->keys_only,
                                .type = type_sql(at->call, &column),
                                .shown = into->declared };
        read_bounds(into->declared, &fields[i]);
        if (strcmp(stored, fields[i].type) != 0)
            fields[i].cast = stored;
        at->foreign = at->foreign || (fields[i].sent && fields[i].cast != NULL);
    }
    return fields;
}

weir_status load_open(weir_call *call, weir_sql_stage *stage)
{
    const struct options *options = weir_options(call);
    loader *at = weir_alloc(call, sizeof *at);
    bool direct;

    *at = (loader){ .call = call, .session = weir_session(call), .stage = stage, .stride = 1 };
    at->encoder = (encoder){ .call = call,
                             .out = at->session,
                             .stage = stage,
                             .fields = make_fields(at),
                             .replace_nul = strcmp(options->nul_characters, "replace") == 0 };
    direct = stage->direct && !stage->masked && !stage->mixed && !stage->keys_only && !at->foreign;
    at->way = direct ? WAY_UNDECIDED : WAY_STAGE;
    stage->straight = direct && stage->empty;
    stage->state = at;
    stage->relation = weir_printf(call, "pg_temp.weir_stage_%u", stage->number);
    stage->rows = 0;
    begin_segment(at);
    return WEIR_OK;
}

weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row)
{
    loader *at = stage->state;
    weir_status status;

    (void)call;
    if (at->way != WAY_STAGE)
        sample_row(at);
    status = encode_row(&at->encoder, row);
    at->row_count++;
    return status == WEIR_OK && at->session->size >= at->next ? flush(at, false) : status;
}

weir_status load_close(weir_call *call, weir_sql_stage *stage)
{
    loader *at = stage->state;
    weir_status status = WEIR_OK;

    (void)call;
    if (at->session->size > 0)
        status = flush(at, true);
    if (status == WEIR_OK && at->staging)
        status = end_copy(at, NULL);
    stage->empty = stage->empty && !at->copied;
    return status;
}

void load_drop(weir_call *call, weir_sql_stage *stage)
{
    pg_session *session = weir_session(call);

    (void)stage;
    free(session->rows);
    session->rows = NULL;
    session->size = session->capacity = 0;
}
