/* harness/conform_truncate: probes of Truncate (R-DST-04). */
#include "harness/conform_tables.h"

/* A row that was synced at this moment. */
static void put_at(const weir_probe_run *p, const weir_table *t, int64_t id, weir_time synced)
{
    (weir_harness_put)(p->h, t, WEIR_REPLACE,
                       WEIR_CELLS(weir_long("id", id), weir_string("text", "row"),
                                  weir_utc_datetime("_fivetran_synced", synced)));
}

static void truncate(const weir_probe_run *p, const weir_table *t, weir_time before, const char *soft)
{
    weir_truncation what = { .schema = t->schema,
                             .table = t->name,
                             .synced_column = "_fivetran_synced",
                             .before = before,
                             .deleted_column = soft };

    weir__probe_went_well(p, (weir_harness_truncate)(p->h, &what));
}

static const weir_time cut = { .seconds = INT64_C(1700000000), .nanos = 500000000 };

static weir_time earlier(weir_time time, int32_t nanos)
{
    time.nanos -= nanos;
    if (time.nanos < 0) {
        time.nanos += 1000000000;
        time.seconds--;
    }
    return time;
}

void weir__probe_truncate_cut(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    put_at(p, t, 1, cut);
    put_at(p, t, 2, (weir_time){ .seconds = cut.seconds - 10 });
    put_at(p, t, 3, (weir_time){ .seconds = cut.seconds + 10 });
    weir__probe_write(p, t);
    truncate(p, t, cut, NULL);
    weir__probe_compare(p);
}

/* A store that keeps fewer digits cannot tell such times apart: those are left out. */
static bool can_tell(const weir_probe_run *p, int32_t nanos)
{
    unsigned digits = p->quirks->coarse_times ? p->quirks->time_digits : 9;

    return digits >= 9 || (digits >= 6 && nanos >= 1000) || (digits >= 3 && nanos >= 1000000);
}

void weir__probe_truncate_near(const weir_probe_run *p)
{
    static const int32_t steps[] = { 1, 1000, 1000000 };
    const weir_table *t = weir__probe_table(p);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (can_tell(p, steps[i]))
            put_at(p, t, (int64_t)i, earlier(cut, steps[i]));
    put_at(p, t, 9, cut);
    weir__probe_write(p, t);
    truncate(p, t, cut, NULL);
    weir__probe_compare(p);
}

void weir__probe_truncate_soft(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    put_at(p, t, 1, cut);
    put_at(p, t, 2, (weir_time){ .seconds = cut.seconds - 10 });
    weir__probe_write(p, t);
    truncate(p, t, cut, "_fivetran_deleted");
    weir__probe_compare(p);
}

void weir__probe_truncate_column(const weir_probe_run *p)
{
    weir_table table = { WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                                      { .name = "text", .type = WEIR_STRING },
                                      { .name = "gone", .type = WEIR_BOOLEAN },
                                      { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME }) };
    const weir_table *t = weir__probe_create(p, &table);

    put_at(p, t, 1, (weir_time){ .seconds = cut.seconds - 10 });
    put_at(p, t, 2, cut);
    weir__probe_write(p, t);
    truncate(p, t, cut, "gone");
    weir__probe_compare(p);
}

void weir__probe_truncate_missing(const weir_probe_run *p)
{
    weir_table t = { .schema = p->quirks->no_schemas ? "" : WEIR_PROBE_SCHEMA, .name = "was_never_there" };

    truncate(p, &t, cut, NULL);
    truncate(p, &t, cut, "_fivetran_deleted");
}

void weir__probe_truncate_early(const weir_probe_run *p)
{
    const weir_time times[] = { { .seconds = -1000 }, { .seconds = 0 }, { .seconds = 1000 } };
    const weir_table *t = weir__probe_table(p);

    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        put_at(p, t, (int64_t)i, times[i]);
    weir__probe_write(p, t);
    truncate(p, t, (weir_time){ .seconds = -500 }, NULL);
    weir__probe_compare(p);
    truncate(p, t, (weir_time){ .seconds = 0 }, NULL);
    weir__probe_compare(p);
}

void weir__probe_truncate_then(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    put_at(p, t, 1, (weir_time){ .seconds = cut.seconds - 10 });
    weir__probe_write(p, t);
    truncate(p, t, cut, NULL);
    put_at(p, t, 1, (weir_time){ .seconds = cut.seconds + 1 });
    put_at(p, t, 2, (weir_time){ .seconds = cut.seconds + 1 });
    weir__probe_write(p, t);
    weir__probe_put_op(p, t, WEIR_UPDATE, 2, "changed");
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

void weir__probe_truncate_empty(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    truncate(p, t, cut, NULL);
    truncate(p, t, cut, "_fivetran_deleted");
    weir__probe_compare(p);
}
