/*
 * source-mariadb/read: a whole table, and what changed since.
 *
 * A sync reads all tables in one snapshot (START TRANSACTION WITH CONSISTENT SNAPSHOT), so that they agree
 * with each other and an end is in sight (R-SRC-11); tables of engines without transactions are read as they
 * are. After each chunk the transaction goes back to its savepoint, which gives up the lock that keeps ALTER
 * TABLE waiting. When the connection is lost, a new snapshot goes on behind the last checkpoint.
 *
 * A table is read in the order of its key, in chunks with a checkpoint after each; without a key, or with one
 * that cannot be compared exactly, in one go.
 *
 * With a cursor, the next reading of changes begins with the greatest value at the start of the copy or of
 * the last reading, itself included, less an overlap for transactions that commit late. An interrupted
 * reading of changes goes on behind its last row; the next whole one begins where the first interruption was.
 */
#include <mysqld_error.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "source.h"

#define ATTEMPTS_MAX 6

struct reading {
    sync_run *run;
    source_table *table;
    progress at;
    const char *doing;
    weir_cell *cells;
    bool truncated; /* in this sync */
    bool refused;   /* a row was not taken: no use trying again */
    bool over;      /* the table is gone, or another one */
};

static weir_status save(struct reading *r)
{
    progress_save(r->run, r->table, &r->at);
    return weir_checkpoint(r->run->out);
}

/* The table was altered or dropped between two statements: it starts over with the next sync. */
static bool is_changed(MYSQL *link)
{
    unsigned number = mysql_errno(link);

    return number == ER_TABLE_DEF_CHANGED || number == ER_BAD_FIELD_ERROR || number == ER_NO_SUCH_TABLE ||
           number == ER_KEY_DOES_NOT_EXISTS;
}

static weir_status failed(struct reading *r)
{
    sync_run *run = r->run;
    MYSQL *link = run->session->link;

    if (!is_changed(link))
        return link_failed(run->call, link, r->doing);
    weir_warn(run->call, "Table '%s.%s' was changed while it was read; the next sync starts it over.",
              r->table->schema, r->table->name);
    weir_table_state_clear(run->out, &r->table->shape);
    r->over = true;
    return weir_checkpoint(run->out);
}

/* --- rows --- */

/* The key, and the cursor, of a row as positions. */
static const char *row_position(struct reading *r, MYSQL_ROW row, const unsigned long *sizes)
{
    text out = text_new(r->run->call);

    for (size_t place = 1; place <= r->table->key_count; place++) {
        for (size_t i = 0; i < r->table->column_count; i++) {
            const source_column *column = &r->table->columns[i];

            if (column->key_place == place)
                position_put(&out, column, row[column->field], sizes[column->field]);
        }
    }
    return out.data;
}

static const char *cursor_position(struct reading *r, MYSQL_ROW row, const unsigned long *sizes)
{
    const source_column *cursor = r->table->cursor;
    text out = text_new(r->run->call);

    if (row[cursor->field] == NULL)
        return NULL;
    position_put(&out, cursor, row[cursor->field], sizes[cursor->field]);
    return out.data;
}

static weir_status send_row(struct reading *r, MYSQL_ROW row, const unsigned long *sizes)
{
    size_t count = 0;

    for (size_t i = 0; i < r->table->column_count; i++) {
        source_column *column = &r->table->columns[i];

        if (!column->selected)
            continue;
        if (!column_cell(column, row[count], sizes[count], &r->cells[count]))
            return weir_fail(r->run->call, "%s: column '%s' has a value that is no %s: '%.64s'", r->doing,
                             column->name, column->declared, row[count]);
        count++;
    }
    return weir_upsert(r->run->out, &r->table->shape, r->cells, count);
}

/* Reads and sends the rows of one statement; *end is set behind the last one, and *count to their number. */
static weir_status read_rows(struct reading *r, const query_range *range, int64_t *count, query_range *end)
{
    MYSQL *link = r->run->session->link;
    const char *sql = query_rows(r->run, r->table, range);
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row;
    weir_status status;

    *count = 0;
    if (sql == NULL)
        return weir_fail(r->run->call, "%s: the state holds a position that is none", r->doing);
    status = link_stream(r->run->call, link, r->doing, sql, &rows);
    if (status != WEIR_OK)
        return status == WEIR_CANCELLED ? status : failed(r);
    while (status == WEIR_OK && (row = mysql_fetch_row(rows)) != NULL) {
        const unsigned long *sizes = mysql_fetch_lengths(rows);

        status = send_row(r, row, sizes);
        r->refused = status != WEIR_OK;
        if (++*count == range->limit && status == WEIR_OK) {
            end->row = row_position(r, row, sizes);
            end->at = range->cursor ? cursor_position(r, row, sizes) : NULL;
        }
    }
    if (status == WEIR_OK && mysql_errno(link) != 0)
        status = failed(r);
    if (status == WEIR_OK || link_is_passing(link)) {
        mysql_free_result(rows); /* reads to the end */
    } else {                     /* the rest is not wanted: nobody reads it */
        shutdown(mysql_get_socket(link), 2);
        mysql_free_result(rows);
    }
    return status;
}

/* Gives up the lock on the table's definition; the snapshot stays. */
static weir_status release(struct reading *r)
{
    return link_run(r->run->call, r->run->session->link, r->doing, "ROLLBACK TO SAVEPOINT weir");
}

/* Reads the range, chunk by chunk where the table has an order; `passed` is told after each. */
static weir_status read_range(struct reading *r, query_range range,
                              void (*passed)(struct reading *, const query_range *))
{
    int64_t count = 0;
    weir_status status;

    range.limit = r->table->ordered && passed != NULL ? r->run->options->rows_per_chunk : 0;
    do {
        query_range end = range;

        status = weir_running(r->run->call) ? read_rows(r, &range, &count, &end) : WEIR_CANCELLED;
        range = end;
        if (status != WEIR_OK || r->over)
            return status;
        status = release(r);
        if (status == WEIR_OK && passed != NULL && range.limit > 0 && count == range.limit) {
            passed(r, &range);
            status = save(r);
        }
    } while (status == WEIR_OK && range.limit > 0 && count == range.limit);
    return status;
}

static void row_passed(struct reading *r, const query_range *range)
{
    r->at.row = range->row;
}

static void cursor_passed(struct reading *r, const query_range *range)
{
    r->at.row = range->row;
    r->at.at = range->at;
}

/* The greatest cursor value in the snapshot that counts as passed; NULL in an empty table. */
static weir_status read_greatest(struct reading *r, const char **out)
{
    MYSQL *link = r->run->session->link;
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row;
    weir_status status;

    *out = NULL;
    status = link_query(r->run->call, link, r->doing, query_greatest(r->run, r->table), &rows);
    if (status != WEIR_OK)
        return status == WEIR_CANCELLED ? status : failed(r);
    row = mysql_fetch_row(rows);
    if (row != NULL && row[0] != NULL) {
        text value = text_new(r->run->call);

        position_put(&value, r->table->cursor, row[0], mysql_fetch_lengths(rows)[0]);
        *out = value.data;
    }
    mysql_free_result(rows);
    return release(r);
}

/* --- a table --- */

static weir_status begin_copy(struct reading *r)
{
    weir_status status = WEIR_OK;

    r->at = (progress){ .phase = PHASE_ROWS };
    if (r->table->cursor != NULL)
        status = read_greatest(r, &r->at.cursor);
    if (status != WEIR_OK || r->over || r->truncated)
        return status;
    weir_table_state_clear(r->run->out, &r->table->shape);
    r->truncated = true;
    return weir_truncate(r->run->out, &r->table->shape); /* R-SRC-09 */
}

static weir_status copy(struct reading *r)
{
    query_range range = { 0 };
    weir_status status = WEIR_OK;

    if (r->at.phase != PHASE_ROWS)
        status = begin_copy(r);
    range.row = r->at.row;
    if (status == WEIR_OK && !r->over)
        status = read_range(r, range, row_passed);
    if (status != WEIR_OK || r->over)
        return status;
    r->at.phase = r->table->cursor ? PHASE_FOLLOW : PHASE_DONE;
    r->at.row = NULL;
    return save(r);
}

static weir_status follow(struct reading *r)
{
    query_range range = {
        .cursor = r->table->cursor, .from = r->at.cursor, .at = r->at.at, .row = r->at.row
    };
    query_range rest = { .cursor = r->table->cursor, .nulls = true };
    const char *greatest;
    weir_status status = read_greatest(r, &greatest);

    if (r->at.row != NULL && r->at.floor == NULL)
        r->at.floor = r->at.at;
    if (status == WEIR_OK && !r->over)
        status = read_range(r, range, cursor_passed);
    if (status == WEIR_OK && !r->over && !r->table->cursor->not_null)
        status = read_range(r, rest, NULL);
    if (status != WEIR_OK || r->over)
        return status;
    r->at.cursor = r->at.floor ? r->at.floor : greatest ? greatest : r->at.cursor;
    r->at.row = r->at.at = r->at.floor = NULL;
    return save(r);
}

static weir_status read_once(struct reading *r)
{
    bool resumed;
    weir_status status;

    r->at = progress_load(r->run, r->table);
    if (r->at.phase == PHASE_DONE && !r->run->options->read_again)
        return WEIR_OK;
    if (r->at.phase == PHASE_FOLLOW)
        return follow(r);
    resumed = r->at.phase == PHASE_ROWS;
    status = copy(r);
    /* A copy out of two snapshots is of no moment: what changed between them follows at once. */
    if (status == WEIR_OK && resumed && !r->over && r->at.phase == PHASE_FOLLOW)
        status = follow(r);
    return status;
}

/* A connection inside its snapshot. */
static weir_status begin(sync_run *run)
{
    weir_status status = WEIR_OK;

    if (run->session->link == NULL)
        status = session_open(run->call, &run->session->link);
    if (status != WEIR_OK || run->snapshot)
        return status;
    status = link_run(run->call, run->session->link, "begin to read",
                      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    if (status == WEIR_OK)
        status = link_run(run->call, run->session->link, "begin to read",
                          "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    if (status == WEIR_OK)
        status = link_run(run->call, run->session->link, "begin to read", "SAVEPOINT weir");
    run->snapshot = status == WEIR_OK;
    return status;
}

/* Closes a connection that is lost, for the next attempt. */
static void drop(sync_run *run)
{
    if (run->session->link != NULL)
        mysql_close(run->session->link);
    run->session->link = NULL;
    run->snapshot = false;
}

static void tell(const struct reading *r)
{
    for (size_t i = 0; i < r->table->column_count; i++) {
        const source_column *column = &r->table->columns[i];

        if (column->zero_dates > 0)
            weir_warn(
                r->run->call,
                "%lld values of column '%s' of table '%s.%s' are zero dates, such as 0000-00-00, which exist "
                "nowhere else; they are sent as %s.",
                (long long)column->zero_dates, column->name, r->table->schema, r->table->name,
                column->key ? "0001-01-01, for a key may not be NULL" : "NULL");
    }
}

weir_status read_table(sync_run *run, source_table *table)
{
    struct reading r = { .run = run, .table = table };
    weir_retry again = { .call = run->call, .attempts_max = ATTEMPTS_MAX };
    weir_status status = WEIR_FAILED;
    const char *reason = "";

    r.doing = weir_printf(run->call, "read table '%s.%s'", table->schema, table->name);
    r.cells = weir_alloc(run->call, table->column_count * sizeof *r.cells + 1);
    while (weir_retry_next(&again)) {
        status = begin(run);
        if (status == WEIR_OK)
            status = read_once(&r);
        if (status == WEIR_OK) {
            tell(&r);
            return WEIR_OK;
        }
        if (status != WEIR_FAILED || r.refused ||
            (run->session->link != NULL && !link_is_passing(run->session->link)))
            return status;
        reason = run->session->link
                     ? link_words(run->call, mysql_errno(run->session->link), mysql_error(run->session->link))
                     : "no connection";
        weir_log_info(run->call, "%s: %s; trying again", r.doing, reason);
        drop(run);
    }
    return weir_retry_fail(&again, "%s: the connection to the server was lost: %s", r.doing, reason);
}
