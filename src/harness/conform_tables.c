/* harness/conform_tables: the steps. */
#include "harness/conform_tables.h"

static const weir_column columns[] = {
    { .name = "id", .type = WEIR_LONG, .key = true },
    { .name = "text", .type = WEIR_STRING },
    { .name = "number", .type = WEIR_LONG },
    { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
    { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN },
};

/* The table in hand. One thread, one probe at a time. */
static struct {
    weir_table table;
    char name[64];
    char rule[16];
    unsigned number;
} now;

bool weir__probe_went_well(const weir_probe_run *p, weir_status status)
{
    if (status == WEIR_OK)
        return true;
    p->h->last.expected = true;
    weir__fail_here("%s: '%s' does not go well: %s", p->rule, p->h->last.what ? p->h->last.what : "a request",
                    weir_harness_text(p->h));
    return false;
}

void weir__probe_files(const weir_probe_run *p, const weir_harness_files *files)
{
    (weir_harness_set_files)(p->h, files);
}

const weir_table *weir__probe_create(const weir_probe_run *p, weir_table *table)
{
    weir_status status;

    if (strcmp(now.rule, p->rule) != 0) {
        now.number = 0;
        snprintf(now.rule, sizeof now.rule, "%s", p->rule);
    }
    do {
        snprintf(now.name, sizeof now.name, "%s_%u", p->rule, ++now.number);
    } while (weir__model_describe(p->h->destination->model, p->quirks->no_schemas ? "" : WEIR_PROBE_SCHEMA,
                                  now.name) != NULL);
    if (table->schema == NULL)
        table->schema = p->quirks->no_schemas ? "" : WEIR_PROBE_SCHEMA;
    if (table->name == NULL)
        table->name = now.name;
    now.table = *table;
    status = (weir_harness_create)(p->h, &now.table);
    (void)weir__probe_went_well(p, status);
    return &now.table;
}

const weir_table *weir__probe_table(const weir_probe_run *p)
{
    weir_table table = { .columns = columns, .column_count = sizeof columns / sizeof *columns };

    return weir__probe_create(p, &table);
}

void weir__probe_put(const weir_probe_run *p, const weir_table *t, int64_t id, const char *text)
{
    (weir_harness_put)(
        p->h, t, WEIR_REPLACE,
        WEIR_CELLS(weir_long("id", id), weir_string("text", text), weir_long("number", id * 10)));
}

void weir__probe_put_op(const weir_probe_run *p, const weir_table *t, weir_op op, int64_t id,
                        const char *text)
{
    if (text != NULL)
        (weir_harness_put)(p->h, t, op, WEIR_CELLS(weir_long("id", id), weir_string("text", text)));
    else
        (weir_harness_put)(p->h, t, op, WEIR_CELLS(weir_long("id", id)));
}

void weir__probe_soft_delete(const weir_probe_run *p, const weir_table *t, int64_t id)
{
    (weir_harness_put)(p->h, t, WEIR_UPDATE,
                       WEIR_CELLS(weir_long("id", id), weir_boolean("_fivetran_deleted", true)));
}

bool weir__probe_write(const weir_probe_run *p, const weir_table *t)
{
    return weir__probe_went_well(p, (weir_harness_write)(p->h, t));
}

bool weir__probe_resend(const weir_probe_run *p)
{
    return weir__probe_went_well(p, (weir_harness_resend)(p->h));
}

/* A table that the model does not have is not in the store either. */
static bool compare_absent(const weir_probe_run *p, const char *name)
{
    weir_status status = (weir_harness_describe)(p->h, now.table.schema, name, NULL);

    p->h->last.expected = true;
    if (status == WEIR_NOT_FOUND)
        return true;
    weir__fail_here("%s: the table '%s' should not be there", p->rule, name);
    return false;
}

bool weir__probe_compare(const weir_probe_run *p)
{
    return weir__probe_compare_name(p, now.table.name);
}

bool weir__probe_compare_name(const weir_probe_run *p, const char *name)
{
    const weir_model_table *table = weir__model_find(p->h->destination->model, now.table.schema, name);
    weir_buf diff;
    bool same;

    if (table == NULL)
        return compare_absent(p, name);
    weir__buf_init(&diff, WEIR_HARNESS_TEXT_MAX);
    same = weir__destination_compare(p->h, table, &diff);
    if (diff.size > 0)
        weir__fail_here("%s: the store is not as the model says:\n%.*s", p->rule, (int)diff.size, diff.data);
    weir__buf_clear(&diff);
    return same;
}

void weir__probe_mixed_batch(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    for (int64_t id = 1; id <= 6; id++)
        weir__probe_put(p, t, id, id % 2 ? "text, with \"quotes\"" : NULL);
    weir__probe_write(p, t);
    weir__probe_put(p, t, 7, "new");
    weir__probe_put(p, t, 1, NULL);
    weir__probe_put_op(p, t, WEIR_UPDATE, 2, "changed");
    (weir_harness_put)(p->h, t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 3), weir_null("text")));
    (weir_harness_put)(p->h, t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 5), weir_null("number")));
    weir__probe_put_op(p, t, WEIR_DELETE, 4, NULL);
    weir__probe_put_op(p, t, WEIR_DELETE, 99, NULL);
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

void weir__probe_texts(const weir_probe_run *p, const char *const *texts)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 0, NULL);
    for (int64_t id = 1; texts[id - 1] != NULL; id++)
        weir__probe_put(p, t, id, texts[id - 1]);
    weir__probe_write(p, t);
    for (int64_t id = 1; texts[id - 1] != NULL; id++)
        weir__probe_put_op(p, t, WEIR_UPDATE, id, texts[id - 1]);
    weir__probe_write(p, t);
    weir__probe_compare(p);
}
