/*
 * @NAME@: a destination over a store of documents under keys; kv.h is that store's own client.
 *
 * A table is a space, a row a JSON document; what a table looks like is a document, too, in the space
 * "tables". Every request may come twice, and requests for different tables run at the same time, each with a
 * session of its own, so each is one transaction that gives the same table when it is done again.
 */
#include "destination.h"

#include "kv.h"

struct options {
    const char *path;
};

static weir_status open_store(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    *session = kv_open(opt->path);
    if (*session == NULL)
        return weir_task(call, "Cannot open '%s'. Check that its folder exists and may be written to.",
                         opt->path);
    return WEIR_OK;
}

/* All of a request's writes, or none: an error before sticks until here. */
static weir_status commit(weir_call *call, const char *doing)
{
    kv *db = weir_session(call);

    return kv_commit(db) ? WEIR_OK : weir_fail(call, "%s: %s", doing, kv_error(db));
}

/* The setup test: what a person can get wrong fails here, and not in the first sync. */
static weir_status test_write(weir_call *call)
{
    kv_put(weir_session(call), "setup", "written", "{}");
    return commit(call, "Write to the store");
}

/* --- tables --- */

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const char *path = weir_table_path(call, schema, table);
    const char *json = kv_get(weir_session(call), "tables", path);
    weir_status status;

    if (json != NULL)
        return weir_table_from_json(call, json, out);
    status = commit(call, weir_printf(call, "Describe table %s", path));
    return status ? status : WEIR_NOT_FOUND;
}

static weir_status create(weir_call *call, const weir_table *table)
{
    const char *path = weir_table_path(call, table->schema, table->name);

    if (!kv_add(weir_session(call), "tables", path, weir_table_json(call, table)))
        return weir_fail(call, "Create table %s: it exists already.", path);
    return commit(call, weir_printf(call, "Create table %s", path));
}

/* Every row is brought to the new shape under its new key, in another space that then takes the place. */
static weir_status alter(weir_call *call, const weir_table *wanted, const weir_changes *changes)
{
    const weir_table *table = weir_changes_table(call, wanted, changes);
    const char *path = weir_table_path(call, table->schema, table->name);
    kv *db = weir_session(call);
    const char *key = NULL;
    const char *json;
    weir_row row;

    while ((json = kv_next(db, path, &key)) != NULL) {
        weir_row_from_json(call, changes->stored, json, &row);
        weir_row_fit(call, &row, table, &row);
        if (!kv_add(db, "new", weir_row_key(call, table, &row), weir_row_json(call, &row)))
            return weir_task(
                call,
                "Cannot alter table %s: rows have the same values in the columns of its new key. "
                "Choose a key that tells all rows apart, or re-sync the table.",
                path);
        weir_row_done(call);
    }
    kv_move(db, "new", path);
    kv_put(db, "tables", path, weir_table_json(call, table));
    return commit(call, weir_printf(call, "Alter table %s", path));
}

/* --- rows --- */

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *path = weir_table_path(call, what->schema, what->table);
    const char *key = NULL;
    const char *json;

    while ((json = kv_next(weir_session(call), path, &key)) != NULL) {
        kv_put(weir_session(call), path, key, weir_json_truncate(call, what, json)); /* NULL removes it */
        weir_row_done(call);
    }
    return commit(call, weir_printf(call, "Truncate table %s", path));
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    const char *path = weir_table_path(call, table->schema, table->name);
    kv *db = weir_session(call);
    weir_row row;
    weir_status status;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        const char *key = weir_row_key(call, table, &row);
        const char *old = row.op == WEIR_UPDATE ? kv_get(db, path, key) : NULL;

        if (row.op == WEIR_DELETE)
            kv_put(db, path, key, NULL);
        else if (row.op == WEIR_REPLACE || old != NULL) /* an update of a row that is not there is left out */
            kv_put(db, path, key, weir_json_merge(call, old, weir_row_json(call, &row)));
    }
    return status == WEIR_OK ? commit(call, weir_printf(call, "Write to table %s", path)) : status;
}

const weir_destination destination = {
    .name = "@NAME@",
    .form = WEIR_FORM(struct options, WEIR_TEXT(struct options, path, .label = "Store file", .required = true,
                                                .description = "It is made when it is not there.")),
    .tests = WEIR_TESTS({ "write", "Writing to the store", test_write }),
    .open = open_store,
    .close = kv_close,
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
};
