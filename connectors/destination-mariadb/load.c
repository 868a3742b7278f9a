/*
 * destination-mariadb/load: rows go by LOAD DATA LOCAL into a temporary table, where the layer finds them; no
 * file is ever read, the client library asks for the rows' text (link.h).
 *
 * Replace rows for an empty table take a short cut straight into it, which is all that a first load needs:
 *
 *     rows → segment ──┬─ table was empty → SAVEPOINT, LOAD DATA ── ok → next segment
 *                      │                                         └─ key was there → ROLLBACK TO ─┐
 *                      └─ else ──────────────────────────────────────────────────────────────────┤
 *                              LOAD DATA into staging, as all segments after it ◀────────────────┘
 *
 * A segment is loaded by a thread of its own while the next one is written, so that the server and we work at
 * once. Until it is joined the connection is the thread's, and nobody else's.
 *
 * LOAD DATA LOCAL never fails for a value, it warns: any warning but one of a key that is there is a failure.
 */
#include <errmsg.h>
#include <inttypes.h>
#include <math.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "destination.h"

#define SEGMENT_SIZE ((size_t)4 << 20) /* there are two */
#define FIXED_SIZE_MAX 96              /* a number or a time as text, with what is around it */
#define TIME_SIZE_MAX 26               /* of the text of a date and time with six digits of a second */
#define CLOCK_SIZE_MAX 15

typedef struct loader {
    weir_call *call;
    my_session *session;
    weir_sql_stage *stage;
    bool direct; /* rows go into the target */
    bool copied; /* rows have gone into the target */
    bool made;   /* the temporary table is there */
    const char *name;
    uint64_t rows;   /* seen */
    uint64_t staged; /* gone into the temporary table */
    uint64_t held;   /* of the segment that is written */
    uint64_t sent;   /* of the segment that is loaded */
    uint64_t loaded; /* seen up to its end */
} loader;

static bool is_staged(const weir_sql_stage *stage, size_t index)
{
    return !stage->keys_only || stage->target->table->columns[index].key;
}

/* --- the text of rows --- */

/* Room for `count` more bytes, the first of them in *at. */
static weir_status reserve(const loader *l, size_t count, char **at)
{
    my_segment *out = &l->session->written;
    size_t capacity = out->capacity > 0 ? out->capacity : 4096;
    char *data;

    while (capacity < out->size + count)
        capacity *= 2;
    if (capacity > out->capacity) {
        data = realloc(out->text, capacity);
        if (data == NULL)
            return weir_fail(l->call, "Cannot %s: out of memory", l->stage->target->doing);
        out->text = data;
        out->capacity = capacity;
    }
    *at = out->text + out->size;
    return WEIR_OK;
}

static weir_status put_bytes(const loader *l, weir_bytes value)
{
    char *start, *at;
    weir_status status = reserve(l, 2 * value.size + 1, &start);

    if (status != WEIR_OK)
        return status;
    at = start;
    *at++ = '\t';
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.data[i];

        if (byte == '\0' || byte == '\t' || byte == '\n' || byte == '\\')
            *at++ = '\\';
        *at++ = (char)(byte == '\0' ? '0' : byte == '\t' ? 't' : byte == '\n' ? 'n' : byte);
    }
    l->session->written.size += (size_t)(at - start);
    return WEIR_OK;
}

static weir_status put_text(const loader *l, const char *text, size_t size)
{
    char *at;
    weir_status status = reserve(l, size + 1, &at);

    if (status != WEIR_OK)
        return status;
    *at = '\t';
    memcpy(at + 1, text, size);
    l->session->written.size += size + 1;
    return WEIR_OK;
}

static weir_status refuse(const loader *l, const weir_sql_column *into)
{
    return weir_fail(l->call, "Cannot %s: a value of column '%s' does not fit its type %s.",
                     l->stage->target->doing, into->column.name, into->declared);
}

static weir_status put_time(const loader *l, const weir_sql_column *into, const weir_cell *cell)
{
    char text[36];
    size_t size = weir_time_format(cell->type, cell->as.time, text);
    size_t most = cell->type == WEIR_NAIVE_TIME ? CLOCK_SIZE_MAX : TIME_SIZE_MAX;

    if (size == 0)
        return refuse(l, into);
    if (text[size - 1] == 'Z')
        size--;
    if (size > 10 && cell->type != WEIR_NAIVE_TIME)
        text[10] = ' ';
    return put_text(l, text, size < most ? size : most);
}

static weir_status put_integer(const loader *l, int64_t value)
{
    char text[FIXED_SIZE_MAX];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--at = '-';
    return put_text(l, at, (size_t)(text + sizeof text - at));
}

static weir_status put_value(const loader *l, const weir_sql_column *into, const weir_cell *cell)
{
    char text[FIXED_SIZE_MAX];

    switch (cell->type) {
    case WEIR_BOOLEAN:
        return put_text(l, cell->as.boolean ? "1" : "0", 1);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return put_integer(l, cell->as.integer);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        if (!isfinite(cell->as.real))
            return refuse(l, into);
        return put_text(l, text, weir_double_format(cell->as.real, text));
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return put_time(l, into, cell);
    default:
        return put_bytes(l, cell->as.bytes);
    }
}

static weir_status put_cell(const loader *l, size_t index, const weir_cell *cell)
{
    const weir_sql_column *into = l->stage->target->into[index];
    weir_cell value = *cell;
    char room[512];

    if (cell->presence != WEIR_VALUE)
        return put_text(l, "\\N", 2);
    if (cell->type != into->column.type || cell->type == WEIR_DECIMAL) {
        size_t size = weir_sql_convert_size(cell);

        if (!weir_sql_convert(cell, &into->column, size <= sizeof room ? room : weir_alloc(l->call, size),
                              &value))
            return refuse(l, into);
    }
    return put_value(l, into, &value);
}

static weir_status put_row(const loader *l, const weir_row *row)
{
    char text[FIXED_SIZE_MAX];
    weir_status status;
    char *at;

    status = reserve(l, FIXED_SIZE_MAX, &at);
    if (status != WEIR_OK)
        return status;
    l->session->written.size += (size_t)snprintf(at, FIXED_SIZE_MAX, "%" PRIu64, l->rows);
    for (size_t i = 0; status == WEIR_OK && i < row->count; i++)
        if (is_staged(l->stage, i))
            status = put_cell(l, i, &row->cells[i]);
    for (size_t first = 0; l->stage->masked && status == WEIR_OK && first < row->count;
         first += WEIR_SQL_MASK_BITS) {
        uint64_t mask = 0;

        for (size_t i = first; i < row->count && i < first + WEIR_SQL_MASK_BITS; i++)
            mask |= (uint64_t)(row->cells[i].presence != WEIR_UNMODIFIED) << (i - first);
        status = put_text(l, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, mask));
    }
    if (l->stage->mixed && status == WEIR_OK)
        status = put_text(l, text, (size_t)snprintf(text, sizeof text, "%d", (int)row->op));
    if (status == WEIR_OK)
        status = reserve(l, 1, &at);
    if (status == WEIR_OK)
        l->session->written.text[l->session->written.size++] = '\n';
    return status;
}

/* --- LOAD DATA --- */

/* A warning that is not of a key that is there already is a failure; *doubled: there is one of those. */
static weir_status check_warnings(const loader *l, bool *doubled)
{
    const char *doing = l->stage->target->doing;
    weir_status status;
    MYSQL_ROW row;

    if (mysql_warning_count(l->session->link) == 0)
        return WEIR_OK;
    status = store_query(l->call, "SHOW WARNINGS", doing);
    if (status != WEIR_OK)
        return status;
    while ((row = mysql_fetch_row(l->session->rows)) != NULL) {
        unsigned long number = strtoul(row[1], NULL, 10);

        if (number != ER_DUP_ENTRY && number != ER_DUP_ENTRY_WITH_KEY_NAME)
            return weir_task(l->call, "Cannot %s: %s (of the rows up to %" PRIu64 ").", doing,
                             link_words(l->call, (unsigned)number, row[2]), l->loaded);
        *doubled = true;
    }
    return WEIR_OK;
}

static void *run_load(void *context)
{
    my_session *session = context;

    session->answer = mysql_real_query(session->link, session->sql, (unsigned long)strlen(session->sql));
    mysql_thread_end();
    return NULL;
}

void load_join(my_session *session)
{
    if (session->loading)
        (void)pthread_join(session->thread, NULL);
    session->loading = session->serves = false;
}

/* Has the sent segment loaded; `columns` is what stands between parentheses. */
static weir_status start(const loader *l, const char *path, const char *columns)
{
    my_session *session = l->session;

    session->sql = weir_printf(l->call,
                               "LOAD DATA LOCAL INFILE 'weir' INTO TABLE %s CHARACTER SET binary FIELDS "
                               "TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (%s)",
                               path, columns);
    session->passed = 0;
    session->serves = true;
    session->loading = pthread_create(&session->thread, NULL, run_load, session) == 0;
    return session->loading
               ? WEIR_OK
               : weir_fail(l->call, "Cannot %s: no thread to load with", l->stage->target->doing);
}

static weir_status finish(const loader *l, bool *doubled)
{
    load_join(l->session);
    if (l->session->answer != 0)
        return store_failed(l->call, l->stage->target->doing);
    return check_warnings(l, doubled);
}

static weir_status start_direct(const loader *l)
{
    const weir_sql_target *target = l->stage->target;
    weir_sql_text columns = weir_sql_text_new(l->call);
    weir_status status = store_run(l->call, "SAVEPOINT weir_direct", target->doing);

    weir_sql_put(&columns, "@seq");
    for (size_t i = 0; i < target->table->column_count; i++)
        weir_sql_printf(&columns, ", %s", weir_sql_quoted(l->call, &mariadb, target->into[i]->name));
    return status == WEIR_OK ? start(l, target->stored->path, columns.data) : status;
}

/* The temporary table's columns, with types (a table to be made) or without. */
static const char *columns_of(const loader *l, bool types)
{
    const weir_sql_stage *stage = l->stage;
    weir_sql_text out = weir_sql_text_new(l->call);
    size_t count = stage->target->table->column_count;

    weir_sql_put(&out, types ? "seq BIGINT" : "seq");
    for (size_t i = 0; i < count; i++)
        if (is_staged(stage, i))
            weir_sql_printf(&out, ", c%zu %s", i,
                            types ? type_sql(l->call, &stage->target->into[i]->column) : "");
    for (size_t i = 0; stage->masked && i < count; i += WEIR_SQL_MASK_BITS)
        weir_sql_printf(&out, ", m%zu%s", i, types ? " BIGINT" : "");
    if (stage->mixed)
        weir_sql_put(&out, types ? ", kind INTEGER" : ", kind");
    return out.data;
}

static weir_status make_stage(loader *l)
{
    const char *doing = l->stage->target->doing;
    weir_status status;

    status = store_run(l->call, weir_printf(l->call, "DROP TEMPORARY TABLE IF EXISTS %s", l->name), doing);
    if (status == WEIR_OK)
        status = store_run(
            l->call, weir_printf(l->call, "CREATE TEMPORARY TABLE %s (%s)", l->name, columns_of(l, true)),
            doing);
    l->made = status == WEIR_OK;
    return status;
}

static weir_status start_staged(loader *l)
{
    weir_status status = l->made ? WEIR_OK : make_stage(l);

    return status == WEIR_OK ? start(l, l->name, columns_of(l, false)) : status;
}

/* What was sent is loaded: into the target, or into the temporary table if a key was there already. */
static weir_status settle(loader *l)
{
    const char *doing = l->stage->target->doing;
    bool doubled = false;
    weir_status status;

    if (!l->session->loading)
        return WEIR_OK;
    status = finish(l, &doubled);
    if (status == WEIR_OK && l->direct && !doubled) {
        l->copied = true;
        return store_run(l->call, "RELEASE SAVEPOINT weir_direct", doing);
    }
    if (status == WEIR_OK && l->direct) {
        l->direct = l->stage->straight = false;
        status = store_run(l->call, "ROLLBACK TO SAVEPOINT weir_direct", doing);
        if (status == WEIR_OK)
            status = start_staged(l);
        if (status == WEIR_OK)
            status = finish(l, &doubled);
    }
    l->staged += l->sent;
    return status;
}

/* Sends what is held once the segment before it is loaded; its room is the next one's. */
static weir_status flush(loader *l)
{
    my_session *session = l->session;
    my_segment written = session->written;
    weir_status status = settle(l);

    if (status != WEIR_OK || l->held == 0)
        return status;
    session->written = session->sending;
    session->written.size = 0;
    session->sending = written;
    l->sent = l->held;
    l->held = 0;
    l->loaded = l->rows;
    return l->direct ? start_direct(l) : start_staged(l);
}

/* --- the stage --- */

weir_status load_open(weir_call *call, weir_sql_stage *stage)
{
    loader *l = weir_alloc(call, sizeof *l);

    *l = (loader){ .call = call, .session = weir_session(call), .stage = stage };
    l->direct = stage->direct && stage->empty && !stage->masked && !stage->mixed && !stage->keys_only;
    stage->straight = l->direct;
    l->name = weir_printf(call, "\"_weir_stage_%u\"", stage->number);
    l->session->written.size = 0;
    stage->state = l;
    stage->relation = l->name;
    return l->direct ? WEIR_OK : make_stage(l);
}

weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row)
{
    loader *l = stage->state;
    weir_status status;

    (void)call;
    l->rows++;
    l->held++;
    status = put_row(l, row);
    return status == WEIR_OK && l->session->written.size >= SEGMENT_SIZE ? flush(l) : status;
}

weir_status load_close(weir_call *call, weir_sql_stage *stage)
{
    loader *l = stage->state;
    weir_status status = flush(l);

    (void)call;
    if (status == WEIR_OK)
        status = settle(l);
    stage->rows = l->staged;
    stage->empty = stage->empty && !l->copied;
    return status;
}

void load_drop(weir_call *call, weir_sql_stage *stage)
{
    my_session *session = weir_session(call);
    const loader *l = stage->state;

    load_join(session);
    free(session->written.text);
    free(session->sending.text);
    session->written = session->sending = (my_segment){ 0 };
    /* A session that is broken takes it along. */
    if (l != NULL && l->made && !session->broken)
        session->broken = mysql_query(session->link,
                                      weir_printf(call, "DROP TEMPORARY TABLE IF EXISTS %s", l->name)) != 0;
}

/* --- what the client library asks for --- */

static int infile_init(void **state, const char *name, void *context)
{
    my_session *session = context;

    (void)name;
    *state = session;
    return session->serves ? 0 : 1;
}

static int infile_read(void *state, char *out, unsigned size)
{
    my_session *session = state;
    size_t left = session->sending.size - session->passed;
    size_t part = left < size ? left : size;

    if (part > 0)
        memcpy(out, session->sending.text + session->passed, part);
    session->passed += part;
    return (int)part;
}

static void infile_end(void *state)
{
    (void)state;
}

static int infile_error(void *state, char *out, unsigned size)
{
    (void)state;
    (void)snprintf(out, size, "The server asked for a file.");
    return CR_UNKNOWN_ERROR;
}

void load_prepare(my_session *session)
{
    mysql_set_local_infile_handler(session->link, infile_init, infile_read, infile_end, infile_error,
                                   session);
}
