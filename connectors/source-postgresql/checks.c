/*
 * source-postgresql/checks: the setup tests of change data capture. Each failure says what to run, or which
 * setting of a managed service stands for it. Without capture there is nothing to check.
 */
#include "capture.h"

#include <stdlib.h>

/* One row of texts; the caller clears it. */
static weir_status ask(weir_call *call, const char *doing, const char *sql, PGresult **out)
{
    return link_query(call, weir_session(call), doing, sql, out);
}

static bool yes(const PGresult *rows, int field)
{
    return PQgetvalue(rows, 0, field)[0] == 't';
}

weir_status check_log(weir_call *call)
{
    const struct options *options = weir_options(call);
    PGresult *rows = NULL;
    text user = text_new(call);
    PGconn *replication = NULL;
    weir_status status;

    if (!options_capture(options))
        return WEIR_OK;
    status = ask(
        call, "look at the server's settings",
        "SELECT pg_is_in_recovery(), current_setting('wal_level'), current_setting('max_wal_senders'),"
        " EXISTS (SELECT FROM pg_roles r WHERE rolname = current_user AND (rolsuper OR rolreplication"
        " OR EXISTS (SELECT FROM pg_roles m WHERE m.rolname = 'rds_replication' AND"
        " pg_has_role(r.oid, m.oid, 'MEMBER'))))",
        &rows);
    if (status != WEIR_OK)
        return status;
    text_name(&user, options->user);
    if (yes(rows, 0))
        status = weir_task(call, "The server is a standby. Enter the host of the primary server.");
    else if (strcmp(PQgetvalue(rows, 0, 1), "logical") != 0)
        status = weir_task(
            call,
            "wal_level is '%s'. Run as a superuser: ALTER SYSTEM SET wal_level = 'logical'; and "
            "restart the server (Amazon RDS: parameter rds.logical_replication = 1; Cloud SQL: "
            "flag cloudsql.logical_decoding = on; Azure: parameter wal_level).",
            PQgetvalue(rows, 0, 1));
    else if (strcmp(PQgetvalue(rows, 0, 2), "0") == 0)
        status = weir_task(call,
                           "max_wal_senders is 0. Run as a superuser: ALTER SYSTEM SET max_wal_senders = 10; "
                           "and restart the server.");
    else if (!yes(rows, 3))
        status = weir_task(call,
                           "The user may not read the log. Run as a superuser: ALTER ROLE %s REPLICATION; "
                           "(Amazon RDS: GRANT rds_replication TO %s;)",
                           user.data, user.data);
    PQclear(rows);
    if (status == WEIR_OK)
        status = session_link(call, true, &replication);
    PQfinish(replication);
    return status;
}

weir_status check_publication(weir_call *call)
{
    const struct options *options = weir_options(call);
    PGresult *rows = NULL;
    text sql = text_new(call), name = text_new(call);
    weir_status status;

    if (!options_capture(options))
        return WEIR_OK;
    text_put(&sql, "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication"
                   " WHERE pubname = ");
    text_value(&sql, options->publication);
    status = ask(call, "look for the publication", sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    text_name(&name, options->publication);
    if (PQntuples(rows) == 0)
        status = weir_task(
            call,
            "There is no publication %s in database '%s'. Run as the tables' owner, with the "
            "tables to sync: CREATE PUBLICATION %s FOR TABLE schema.table1, schema.table2 WITH "
            "(publish_via_partition_root = true);",
            name.data, options->database, name.data);
    else if (!yes(rows, 0))
        status = weir_task(
            call,
            "Publication %s leaves out some kinds of changes. Run as its owner: ALTER PUBLICATION "
            "%s SET (publish = 'insert, update, delete, truncate');",
            name.data, name.data);
    PQclear(rows);
    return status;
}

weir_status check_slot(weir_call *call)
{
    const struct options *options = weir_options(call);
    PGresult *rows = NULL;
    slot_facts facts;
    weir_status status;

    if (!options_capture(options))
        return WEIR_OK;
    if (options->slot[0] == '\0' || strlen(options->slot) > 63 ||
        options->slot[strspn(options->slot, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
        return weir_task(call,
                         "'%s' is no name for a replication slot: small letters, digits and '_', at most 63.",
                         options->slot);
    status = slot_look(call, weir_session(call), options, &facts);
    if (status != WEIR_OK)
        return status;
    if (facts.exists && !facts.fits)
        return slot_unfit(call, options);
    if (facts.exists && facts.lost && strcmp(options->lost, LOST_AGAIN) != 0)
        return weir_task(
            call,
            "Replication slot '%s' is invalid because the server removed the log that it needs. Set "
            "'When the slot is lost' to 'again' to read all tables again, and let the server keep "
            "more: ALTER SYSTEM SET max_slot_wal_keep_size = '100GB'; SELECT pg_reload_conf();",
            options->slot);
    if (facts.exists)
        return WEIR_OK;
    status = ask(call, "count the replication slots",
                 "SELECT count(*) < current_setting('max_replication_slots')::int,"
                 " current_setting('max_replication_slots'), count(*) + 5 FROM pg_replication_slots",
                 &rows);
    if (status != WEIR_OK)
        return status;
    if (!yes(rows, 0))
        status = weir_task(
            call,
            "All %s replication slots are in use. Drop one that nobody reads (SELECT slot_name, "
            "active FROM pg_replication_slots; SELECT pg_drop_replication_slot('…');), or run as "
            "a superuser: ALTER SYSTEM SET max_replication_slots = %s; and restart the server.",
            PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 2));
    PQclear(rows);
    return status;
}
