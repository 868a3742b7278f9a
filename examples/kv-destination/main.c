/* A whole destination for a store of documents under keys; kv.h is that store's own client. */
#include <weir/weir.h>

#include "kv.h"

struct options {
    const char *path;
};

static weir_status open_store(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    *session = kv_open(opt->path);
    return *session ? WEIR_OK : weir_task(call, "Cannot open '%s'. Check that its folder exists.", opt->path);
}

static weir_status commit(weir_call *call)
{
    return kv_commit(weir_session(call)) ? WEIR_OK : weir_fail(call, "%s", kv_error(weir_session(call)));
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const char *json = kv_get(weir_session(call), "tables", weir_table_path(call, schema, table));

    return json ? weir_table_from_json(call, json, out) : commit(call) ? WEIR_FAILED : WEIR_NOT_FOUND;
}

static weir_status create(weir_call *call, const weir_table *t)
{
    if (!kv_add(weir_session(call), "tables", weir_table_path(call, t->schema, t->name),
                weir_table_json(call, t)))
        return weir_fail(call, "table %s exists already", t->name);
    return commit(call);
}

static weir_status alter(weir_call *call, const weir_table *wanted, const weir_changes *changes)
{
    const weir_table *t = weir_changes_table(call, wanted, changes);
    const char *path = weir_table_path(call, t->schema, t->name);
    kv *db = weir_session(call);
    weir_row row;

    for (const char *key = NULL, *json; (json = kv_next(db, path, &key)); weir_row_done(call)) {
        weir_row_from_json(call, changes->stored, json, &row);
        weir_row_fit(call, &row, t, &row);
        if (!kv_add(db, "new", weir_row_key(call, t, &row), weir_row_json(call, &row)))
            return weir_task(call, "Rows of table %s are no longer unique by its new key.", path);
    }
    kv_move(db, "new", path);
    kv_put(db, "tables", path, weir_table_json(call, t));
    return commit(call);
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *path = weir_table_path(call, what->schema, what->table);

    for (const char *key = NULL, *json; (json = kv_next(weir_session(call), path, &key)); weir_row_done(call))
        kv_put(weir_session(call), path, key, weir_json_truncate(call, what, json)); /* NULL removes */
    return commit(call);
}

static weir_status write_rows(weir_call *call, const weir_table *t, weir_batch *in)
{
    const char *path = weir_table_path(call, t->schema, t->name);
    weir_status status;
    weir_row row;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        const char *key = weir_row_key(call, t, &row);
        const char *old = row.op == WEIR_UPDATE ? kv_get(weir_session(call), path, key) : NULL;

        if (row.op != WEIR_UPDATE || old) /* an update of a missing row is ignored */
            kv_put(weir_session(call), path, key,
                   row.op == WEIR_DELETE ? NULL : weir_json_merge(call, old, weir_row_json(call, &row)));
    }
    return status == WEIR_OK ? commit(call) : status;
}

static const weir_destination destination = {
    .name = "kv",
    .form = WEIR_FORM(struct options, WEIR_TEXT(struct options, path, .label = "File", .required = true)),
    .open = open_store,
    .close = kv_close,
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows
};

int main(int argc, char **argv)
{
    return weir_destination_main(argc, argv, &destination);
}
