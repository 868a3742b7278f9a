/*
 * destination-mariadb/retry: the handlers of the SQL layer, begun anew when the server went away in the
 * middle.
 *
 * What a request has not committed is undone with its connection, and what it has (tables) is found and ended
 * by the same request, so one that was cut off is done again from its first row over a new connection: after
 * a restart of the server, a broken network, a deadlock with other programs. Where the commit itself was cut
 * off, nobody knows whether it was done; then only what may be done twice is done again.
 */
#include "destination.h"

#define ATTEMPTS_MAX 8 /* 6 s on average, 13 s at most */

/* One request: a handler of the layer's with what it is about. */
typedef struct request {
    weir_status (*run)(weir_call *call, const struct request *request);
    const char *schema;
    const char *name;
    const weir_table *table;
    const weir_changes *changes;
    const void *what;
    weir_table *out;
    weir_batch *in; /* NULL: there are no rows */
} request;

/* A connection that knows nothing of the attempt before, and the batch at its start. */
static weir_status begin_anew(weir_call *call, my_session *session, weir_batch *in)
{
    weir_status status = session_connect(call, session);

    return status == WEIR_OK && in != NULL ? weir_batch_rewind(in) : status;
}

static weir_status run_create(weir_call *call, const request *what)
{
    return weir_sql_create(call, &mariadb, what->table);
}

/* To be done twice is the same as once: rows with keys, and all over tables that is not a new one. */
static bool is_repeatable(const request *what)
{
    bool keyed = what->in == NULL;

    for (size_t i = 0; what->table != NULL && i < what->table->column_count; i++)
        keyed = keyed || what->table->columns[i].key;
    return keyed && what->run != run_create;
}

static bool may_pass(const my_session *session, const request *what)
{
    return session->passing && (!session->committing || is_repeatable(what));
}

static weir_status serve(weir_call *call, const request *what)
{
    weir_retry again = { .call = call, .attempts_max = ATTEMPTS_MAX, .wait_first_ms = RETRY_FIRST_MS };
    my_session *session = weir_session(call);
    weir_status status = WEIR_CANCELLED;
    bool connected = true;

    session->path = NULL;
    while (weir_retry_next(&again)) {
        if (again.attempts > 1) {
            status = begin_anew(call, session, what->in);
            connected = status == WEIR_OK;
        }
        session->passing = session->committing = false;
        if (connected)
            status = what->run(call, what);
        if (status != WEIR_FAILED || (connected ? !may_pass(session, what) : session->silent))
            return status;
        weir_log_warning(call, "Attempt %d failed for want of the server.", again.attempts);
    }
    return weir_running(call) ? status : WEIR_CANCELLED;
}

static weir_status run_describe(weir_call *call, const request *what)
{
    return weir_sql_describe(call, &mariadb, what->schema, what->name, what->out);
}

weir_status handle_describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    return serve(call, &(request){ .run = run_describe, .schema = schema, .name = table, .out = out });
}

weir_status handle_create(weir_call *call, const weir_table *table)
{
    return serve(call, &(request){ .run = run_create, .table = table });
}

static weir_status run_alter(weir_call *call, const request *what)
{
    return weir_sql_alter(call, &mariadb, what->table, what->changes);
}

weir_status handle_alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    return serve(call, &(request){ .run = run_alter, .table = table, .changes = changes });
}

static weir_status run_truncate(weir_call *call, const request *what)
{
    return weir_sql_truncate(call, &mariadb, what->what);
}

weir_status handle_truncate(weir_call *call, const weir_truncation *what)
{
    return serve(call, &(request){ .run = run_truncate, .what = what });
}

static weir_status run_write(weir_call *call, const request *what)
{
    return weir_sql_write(call, &mariadb, what->table, what->in);
}

weir_status handle_write(weir_call *call, const weir_table *table, weir_batch *in)
{
    return serve(call, &(request){ .run = run_write, .table = table, .in = in });
}

static weir_status run_write_history(weir_call *call, const request *what)
{
    return weir_sql_write_history(call, &mariadb, what->table, what->in);
}

weir_status handle_write_history(weir_call *call, const weir_table *table, weir_batch *in)
{
    return serve(call, &(request){ .run = run_write_history, .table = table, .in = in });
}

static weir_status run_migrate(weir_call *call, const request *what)
{
    return weir_sql_migrate(call, &mariadb, what->what);
}

weir_status handle_migrate(weir_call *call, const weir_migration *what)
{
    return serve(call, &(request){ .run = run_migrate, .what = what });
}
