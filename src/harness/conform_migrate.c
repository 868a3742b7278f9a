/* harness/conform_migrate: probes of Migrate (R-MIG). Every request is sent twice and compared twice. */
#include "harness/conform_tables.h"

#define START INT64_C(1700000000) /* seconds */

static weir_time at(int64_t after)
{
    return (weir_time){ .seconds = START + after, .nanos = 0 };
}

static weir_bytes text_of(const char *text)
{
    return (weir_bytes){ text, text != NULL ? strlen(text) : 0 };
}

/* --- tables --- */

/* Two rows, one of them with NULLs, and a third that is deleted softly; or none. */
static const weir_table *soft(const weir_probe_run *p, bool filled)
{
    const weir_table *t = weir__probe_table(p);

    if (!filled)
        return t;
    weir__probe_put(p, t, 1, "one");
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_put(p, t, 3, "gone");
    weir__probe_write(p, t);
    weir__probe_soft_delete(p, t, 3);
    weir__probe_write(p, t);
    return t;
}

static void put_version(const weir_probe_run *p, const weir_table *t, weir_op op, int64_t id, int64_t after,
                        weir_cell changed)
{
    (weir_harness_put)(p->h, t, WEIR_EARLIEST,
                       WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", at(after))));
    (weir_harness_put)(
        p->h, t, op,
        WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", at(after)),
                   weir_utc_datetime("_fivetran_end", (weir_time){ INT64_C(253402300799), 999000000 }),
                   weir_boolean("_fivetran_active", true), changed));
}

/* Key 1 has two versions, key 2 one with NULLs, key 3 is deleted; or none. */
static const weir_table *history(const weir_probe_run *p, bool filled)
{
    static const weir_column columns[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "text", .type = WEIR_STRING },
        { .name = "number", .type = WEIR_LONG },
        { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
        { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME },
        { .name = "_fivetran_active", .type = WEIR_BOOLEAN },
        { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
    };
    weir_table table = { .columns = columns, .column_count = sizeof columns / sizeof *columns };
    const weir_table *t = weir__probe_create(p, &table);

    if (!filled)
        return t;
    put_version(p, t, WEIR_REPLACE, 1, 0, weir_string("text", "one"));
    put_version(p, t, WEIR_REPLACE, 2, 0, weir_null("text"));
    put_version(p, t, WEIR_REPLACE, 3, 0, weir_string("text", "gone"));
    (void)weir__probe_went_well(p, (weir_harness_write_history)(p->h, t));
    put_version(p, t, WEIR_UPDATE, 1, 10, weir_long("number", 10));
    (weir_harness_put)(p->h, t, WEIR_DELETE,
                       WEIR_CELLS(weir_long("id", 3), weir_utc_datetime("_fivetran_end", at(5))));
    (void)weir__probe_went_well(p, (weir_harness_write_history)(p->h, t));
    return t;
}

/* --- requests --- */

/* Sent twice; after each the table, and `other` unless it is NULL, are as the model says. */
static void migrate(const weir_probe_run *p, weir_migration what, const char *other)
{
    if (!weir__probe_went_well(p, (weir_harness_migrate)(p->h, &what)))
        return;
    for (int i = 0; i < 2; i++) {
        weir__probe_compare_name(p, what.table);
        if (other != NULL)
            weir__probe_compare_name(p, other);
        if (i == 0 && !weir__probe_resend(p))
            return;
    }
}

static weir_migration about(const weir_table *t, weir_migration_kind kind)
{
    return (weir_migration){ .kind = kind, .schema = t->schema, .table = t->name };
}

static void to_names(const weir_probe_run *p, const weir_table *t, weir_migration_kind kind, const char *from,
                     const char *to, const char *other)
{
    weir_migration what = about(t, kind);

    what.as.names = (weir_migration_names){ .from = from, .to = to };
    migrate(p, what, other);
}

static void to_column(const weir_probe_run *p, const weir_table *t, weir_migration_kind kind,
                      const weir_migration_column *column)
{
    weir_migration what = about(t, kind);

    what.as.column = *column;
    migrate(p, what, NULL);
}

static void to_mode(const weir_probe_run *p, const weir_table *t, weir_migration_kind kind,
                    const weir_migration_mode *mode)
{
    weir_migration what = about(t, kind);

    what.as.mode = *mode;
    migrate(p, what, NULL);
}

/* --- probes --- */

static void every_soft(const weir_probe_run *p, bool filled)
{
    char name[80];
    const weir_table *t = soft(p, filled);

    to_column(p, t, WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
              &(weir_migration_column){ .name = "added", .type = WEIR_INT, .value = text_of("5") });
    to_column(p, t, WEIR_MIGRATE_UPDATE_COLUMN,
              &(weir_migration_column){ .name = "number", .value = text_of("-7") });
    to_names(p, t, WEIR_MIGRATE_COPY_COLUMN, "text", "text_copy", NULL);
    to_names(p, t, WEIR_MIGRATE_RENAME_COLUMN, "number", "amount", NULL);
    snprintf(name, sizeof name, "%s_copy", t->name);
    to_names(p, t, WEIR_MIGRATE_COPY_TABLE, t->name, name, name);
    snprintf(name, sizeof name, "%s_history", t->name);
    to_names(p, t, WEIR_MIGRATE_COPY_TABLE_TO_HISTORY, t->name, name, NULL);
    snprintf(name, sizeof name, "%s_renamed", t->name);
    to_names(p, t, WEIR_MIGRATE_RENAME_TABLE, t->name, name, name);
    t = soft(p, filled);
    migrate(p, about(t, WEIR_MIGRATE_DROP_TABLE), NULL);
}

static void every_history(const weir_probe_run *p, bool filled)
{
    const weir_table *t = history(p, filled);

    to_column(p, t, WEIR_MIGRATE_ADD_COLUMN_HISTORY,
              &(weir_migration_column){
                  .name = "added", .type = WEIR_STRING, .value = text_of("new"), .time = at(20) });
    to_column(p, t, WEIR_MIGRATE_DROP_COLUMN_HISTORY,
              &(weir_migration_column){ .name = "number", .time = at(30) });
}

void weir__probe_migrate_every(const weir_probe_run *p)
{
    every_soft(p, true);
    every_soft(p, false);
    every_history(p, true);
    every_history(p, false);
}

void weir__probe_migrate_default(const weir_probe_run *p)
{
    static const char *const values[] = { "first", "second", NULL };
    const weir_table *t = soft(p, true);

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        to_column(
            p, t, WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
            &(weir_migration_column){ .name = "added", .type = WEIR_STRING, .value = text_of(values[i]) });
}

void weir__probe_migrate_null(const weir_probe_run *p)
{
    static const char *const values[] = { "NULL", "null", "" };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        to_column(p, soft(p, true), WEIR_MIGRATE_UPDATE_COLUMN,
                  &(weir_migration_column){ .name = "text", .value = text_of(values[i]) });
}

void weir__probe_migrate_quotes(const weir_probe_run *p)
{
    static const char *const values[] = { "it's", "\\", "\\'", "say \"so\"", "''", "a\nb", "%s", "${x}" };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        to_column(p, soft(p, true), WEIR_MIGRATE_UPDATE_COLUMN,
                  &(weir_migration_column){ .name = "text", .value = text_of(values[i]) });
        to_column(
            p, soft(p, true), WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
            &(weir_migration_column){ .name = "a'd\"d", .type = WEIR_STRING, .value = text_of(values[i]) });
    }
}

/* Several changes at one time make one version (R-MIG-04). */
void weir__probe_migrate_together(const weir_probe_run *p)
{
    const weir_table *t = history(p, true);

    to_column(
        p, t, WEIR_MIGRATE_ADD_COLUMN_HISTORY,
        &(weir_migration_column){ .name = "a", .type = WEIR_LONG, .value = text_of("1"), .time = at(20) });
    to_column(
        p, t, WEIR_MIGRATE_ADD_COLUMN_HISTORY,
        &(weir_migration_column){ .name = "b", .type = WEIR_STRING, .value = text_of("x"), .time = at(20) });
    to_column(p, t, WEIR_MIGRATE_DROP_COLUMN_HISTORY,
              &(weir_migration_column){ .name = "text", .time = at(20) });
}

void weir__probe_migrate_time(const weir_probe_run *p)
{
    const weir_table *t = history(p, true);
    weir_migration early = about(t, WEIR_MIGRATE_ADD_COLUMN_HISTORY);

    early.as.column = (weir_migration_column){
        .name = "early", .type = WEIR_LONG, .value = text_of("1"), .time = at(5)
    };
    if ((weir_harness_migrate)(p->h, &early) == WEIR_OK)
        weir__fail_here("%s: a change before the start of an active version was accepted", p->rule);
    p->h->last.expected = true;
    weir__probe_compare_name(p, t->name);
    to_column(
        p, t, WEIR_MIGRATE_ADD_COLUMN_HISTORY,
        &(weir_migration_column){ .name = "same", .type = WEIR_LONG, .value = text_of("1"), .time = at(10) });
}

void weir__probe_migrate_modes(const weir_probe_run *p)
{
    static const char *const marks[] = { "_fivetran_deleted", NULL };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const weir_migration_mode mode = { .deleted_column = marks[i] };

        to_mode(p, soft(p, true), WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, &mode);
        to_mode(p, soft(p, false), WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, &mode);
        to_mode(p, history(p, true), WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE, &mode);
        to_mode(p, history(p, false), WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE, &mode);
        to_mode(p, history(p, true), WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE,
                &(weir_migration_mode){ .deleted_column = marks[i], .keep_deleted_rows = true });
    }
    to_mode(p, history(p, true), WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE,
            &(weir_migration_mode){ .deleted_column = "is gone", .keep_deleted_rows = true });
}

/* A copy or a rename that was done already, told by its result alone. */
void weir__probe_migrate_retry(const weir_probe_run *p)
{
    char name[80];
    const weir_table *t = soft(p, true);

    snprintf(name, sizeof name, "%s_moved", t->name);
    to_names(p, t, WEIR_MIGRATE_RENAME_TABLE, t->name, name, name);
    t = soft(p, true);
    snprintf(name, sizeof name, "%s_moved", t->name);
    to_names(p, t, WEIR_MIGRATE_COPY_TABLE, t->name, name, name);
    to_names(p, t, WEIR_MIGRATE_RENAME_COLUMN, "text", "words", NULL);
    to_names(p, t, WEIR_MIGRATE_COPY_COLUMN, "words", "more words", NULL);
}

void weir__probe_migrate_types(const weir_probe_run *p)
{
    static const struct {
        weir_type type;
        const char *text;
    } values[] = {
        { WEIR_BOOLEAN, "true" },
        { WEIR_SHORT, "-32768" },
        { WEIR_INT, "2147483647" },
        { WEIR_LONG, "-9223372036854775808" },
        { WEIR_DECIMAL, "-12345.6789" },
        { WEIR_FLOAT, "1.5" },
        { WEIR_DOUBLE, "0.1" },
        { WEIR_NAIVE_DATE, "2007-12-03" },
        { WEIR_NAIVE_DATETIME, "2007-12-03T10:15:30.123" },
        { WEIR_UTC_DATETIME, "2007-12-03T10:15:30.123Z" },
        { WEIR_BINARY, "AAH/" },
        { WEIR_XML, "<a>b</a>" },
        { WEIR_STRING, "text" },
        { WEIR_JSON, "{\"a\":[1]}" },
        { WEIR_NAIVE_TIME, "10:15:30" },
    };
    weir_column columns[sizeof values / sizeof *values + 1] = {
        { .name = "id", .type = WEIR_LONG, .key = true }
    };
    weir_table table = { .columns = columns, .column_count = sizeof values / sizeof *values + 1 };
    const weir_table *t;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        columns[i + 1] = (weir_column){ .name = weir_type_name(values[i].type), .type = values[i].type };
        if (values[i].type == WEIR_DECIMAL)
            columns[i + 1].params = (weir_params){ .precision = 12, .scale = 4 };
    }
    t = weir__probe_create(p, &table);
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 1)));
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_write(p, t);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        to_column(p, t, WEIR_MIGRATE_UPDATE_COLUMN,
                  &(weir_migration_column){ .name = columns[i + 1].name, .value = text_of(values[i].text) });
}
