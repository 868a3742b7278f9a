/*
 * source-postgresql/slot: the replication slot, by which the server keeps its log for us. It is made by the
 * first sync, used again by every later one, and never dropped unless it is lost: a person drops it when the
 * connection is no longer used (README.md).
 */
#include "capture.h"

#define TAKEN_WAIT_MS 75000 /* a killed reader's connection is noticed after wal_sender_timeout, 60 s */
#define TAKEN_LOOK_MS 250

weir_status slot_look(weir_call *call, PGconn *link, const struct options *options, slot_facts *out)
{
    text sql = text_new(call);
    PGresult *rows = NULL;
    weir_status status;

    text_put(&sql, "SELECT slot_type = 'logical' AND plugin = 'pgoutput' AND NOT temporary AND"
                   " database = current_database(), wal_status = 'lost', active, confirmed_flush_lsn"
                   " FROM pg_replication_slots WHERE slot_name = ");
    text_value(&sql, options->slot);
    status = link_query(call, link, "look for the replication slot", sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    *out = (slot_facts){ .exists = PQntuples(rows) == 1 };
    if (out->exists) {
        out->fits = PQgetvalue(rows, 0, 0)[0] == 't';
        out->lost = PQgetvalue(rows, 0, 1)[0] == 't';
        out->taken = PQgetvalue(rows, 0, 2)[0] == 't';
        (void)pgoutput_lsn_read(PQgetvalue(rows, 0, 3), &out->confirmed);
    }
    PQclear(rows);
    return WEIR_OK;
}

weir_status slot_unfit(weir_call *call, const struct options *options)
{
    return weir_task(call,
                     "Replication slot '%s' serves something else (another database, plug-in or kind). Enter "
                     "another name under Replication slot.",
                     options->slot);
}

/* Nothing can be read that was committed after the state's position: a person decides, or the form did. */
static weir_status lose(capture *cap, const char *what, const char *remedy)
{
    const struct options *options = cap->run->options;

    if (strcmp(options->lost, LOST_AGAIN) != 0)
        return weir_task(cap->run->call,
                         "Replication slot '%s' %s: the changes since the last sync are lost, and the tables "
                         "must be read again. Set 'When the slot is lost' to 'again', and sync.%s",
                         options->slot, what, remedy);
    weir_warn(cap->run->call, "Replication slot '%s' %s: all tables are read again.%s", options->slot, what,
              remedy);
    cap->anew = true;
    return WEIR_OK;
}

static weir_status run_command(capture *cap, const char *format, const char *doing, PGresult **out)
{
    text name = text_new(cap->run->call);
    text command = text_new(cap->run->call);

    text_name(&name, cap->run->options->slot);
    text_printf(&command, format, name.data);
    return link_query(cap->run->call, cap->replication, doing, command.data, out);
}

/* The server waits here until every transaction that runs now has ended. */
static weir_status make_slot(capture *cap)
{
    PGresult *rows = NULL;
    weir_status status = run_command(cap, "CREATE_REPLICATION_SLOT %s LOGICAL pgoutput NOEXPORT_SNAPSHOT",
                                     "make the replication slot", &rows);

    if (status != WEIR_OK)
        return status;
    if (PQntuples(rows) != 1 || !pgoutput_lsn_read(PQgetvalue(rows, 0, 1), &cap->position))
        status = weir_fail(cap->run->call, "make the replication slot: the server gave no position");
    PQclear(rows);
    weir_log_info(cap->run->call, "Replication slot '%s' was made", cap->run->options->slot);
    return status;
}

static weir_status drop_slot(capture *cap)
{
    PGresult *rows = NULL;
    weir_status status = run_command(cap, "DROP_REPLICATION_SLOT %s", "drop the lost replication slot",
                                     &rows);

    PQclear(rows);
    return status;
}

/* A killed reader's slot is free when the server notices; another connection's never is. */
static weir_status await_slot(capture *cap, slot_facts *facts)
{
    weir_call *call = cap->run->call;

    for (int64_t waited = 0; facts->taken && waited < TAKEN_WAIT_MS; waited += TAKEN_LOOK_MS) {
        weir_status status;

        if (!weir_wait(call, TAKEN_LOOK_MS))
            return WEIR_CANCELLED;
        status = slot_look(call, cap->run->link, cap->run->options, facts);
        if (status != WEIR_OK)
            return status;
    }
    if (facts->taken)
        return weir_fail(
            call,
            "replication slot '%s' is being read by somebody else: every connection needs a slot "
            "of its own",
            cap->run->options->slot);
    return WEIR_OK;
}

/* Checks the server's identifier against the state's; *same is true when there is none in the state. */
static weir_status check_system(capture *cap, bool *same)
{
    sync_run *run = cap->run;
    PGresult *rows = NULL;
    const char *known = weir_state_string(run->out, "/system", "");
    weir_status status = link_query(run->call, cap->replication, "identify the server", "IDENTIFY_SYSTEM",
                                    &rows);

    if (status != WEIR_OK)
        return status;
    *same = known[0] == '\0' || strcmp(known, PQgetvalue(rows, 0, 0)) == 0;
    weir_state_set_string(run->out, "/system", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return WEIR_OK;
}

weir_status slot_prepare(capture *cap)
{
    sync_run *run = cap->run;
    slot_facts facts = { 0 };
    bool same = true;
    bool before = pgoutput_lsn_read(weir_state_string(run->out, "/lsn", ""), &cap->position);
    weir_status status = check_system(cap, &same);

    if (status == WEIR_OK)
        status = slot_look(run->call, run->link, run->options, &facts);
    if (status != WEIR_OK)
        return status;
    if (facts.exists && !facts.fits)
        return slot_unfit(run->call, run->options);
    cap->anew = !before;
    if (before && !same)
        status = lose(cap, "belongs to another server than the one of the last sync", "");
    else if (before && !facts.exists)
        status = lose(cap, "is gone", "");
    else if (facts.exists && facts.lost)
        status = lose(cap, "is invalid because the server removed the log that it needs",
                      " To let the server keep more: ALTER SYSTEM SET max_slot_wal_keep_size = '100GB'; "
                      "SELECT pg_reload_conf();");
    else if (before && facts.confirmed > cap->position)
        status = lose(cap, "has been read further than this connection has", "");
    if (status == WEIR_OK && facts.exists)
        status = await_slot(cap, &facts);
    if (status == WEIR_OK && facts.exists && facts.lost)
        status = drop_slot(cap);
    if (status != WEIR_OK)
        return status;
    if (!facts.exists || facts.lost)
        status = make_slot(cap);
    else if (cap->anew)
        cap->position = facts.confirmed; /* what it still has from before is left out by the snapshots */
    cap->confirmed = cap->position;
    return status;
}
