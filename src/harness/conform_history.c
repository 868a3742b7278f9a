/* harness/conform_history: probes of WriteHistoryBatch (R-HIS). */
#include "base/limits.h"
#include "harness/conform_tables.h"

#define START INT64_C(1700000000) /* seconds; the first version of most keys */

static const weir_time end_of_time = { .seconds = WEIR_TIME_SECONDS_MAX, .nanos = 999000000 };

static weir_time at(int64_t after)
{
    return (weir_time){ .seconds = START + after, .nanos = 0 };
}

static const weir_table *history_table(const weir_probe_run *p)
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

    return weir__probe_create(p, &table);
}

static void put_earliest(const weir_probe_run *p, const weir_table *t, int64_t id, weir_time start)
{
    (weir_harness_put)(p->h, t, WEIR_EARLIEST,
                       WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", start)));
}

/* A version with all values. */
static void put_whole(const weir_probe_run *p, const weir_table *t, int64_t id, weir_time start,
                      const char *text)
{
    (weir_harness_put)(p->h, t, WEIR_REPLACE,
                       WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", start),
                                  weir_utc_datetime("_fivetran_end", end_of_time),
                                  weir_boolean("_fivetran_active", true), weir_string("text", text),
                                  weir_long("number", start.seconds % 1000)));
}

/* A version that changes one of two columns. */
static void put_part(const weir_probe_run *p, const weir_table *t, int64_t id, weir_time start,
                     weir_cell changed)
{
    (weir_harness_put)(p->h, t, WEIR_UPDATE,
                       WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", start),
                                  weir_utc_datetime("_fivetran_end", end_of_time),
                                  weir_boolean("_fivetran_active", true), changed));
}

static void put_close(const weir_probe_run *p, const weir_table *t, int64_t id, weir_time end)
{
    (weir_harness_put)(p->h, t, WEIR_DELETE,
                       WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_end", end)));
}

static void write_and_compare(const weir_probe_run *p, const weir_table *t)
{
    if (weir__probe_went_well(p, (weir_harness_write_history)(p->h, t)))
        weir__probe_compare(p);
}

/* Keys 1 to 3 have one version each, from at(0) on. */
static const weir_table *begun(const weir_probe_run *p)
{
    const weir_table *t = history_table(p);

    for (int64_t id = 1; id <= 3; id++) {
        put_earliest(p, t, id, at(0));
        put_whole(p, t, id, at(0), id == 2 ? NULL : "first");
    }
    write_and_compare(p, t);
    return t;
}

void weir__probe_history_insert(const weir_probe_run *p)
{
    begun(p);
}

void weir__probe_history_update(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_part(p, t, 1, at(10), weir_string("text", "changed"));
    put_earliest(p, t, 2, at(10));
    put_part(p, t, 2, at(10), weir_long("number", 7));
    put_earliest(p, t, 3, at(10));
    put_part(p, t, 3, at(10), weir_null("text"));
    write_and_compare(p, t);
}

/* Both shapes of a delete file (R-HIS-05). */
void weir__probe_history_delete(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_close(p, t, 1, at(20));
    (weir_harness_put)(p->h, t, WEIR_DELETE,
                       WEIR_CELLS(weir_long("id", 2), weir_null("text"), weir_null("number"),
                                  weir_null("_fivetran_start"), weir_utc_datetime("_fivetran_end", at(20)),
                                  weir_null("_fivetran_active")));
    write_and_compare(p, t);
}

void weir__probe_history_end(const weir_probe_run *p)
{
    static const int32_t nanos[] = { 0, 1000000, 999000, 999999999 };
    const weir_table *t = begun(p);

    for (size_t i = 0; i < sizeof nanos / sizeof *nanos; i++) {
        weir_time start = { .seconds = START + 100 + (int64_t)i, .nanos = nanos[i] };

        put_earliest(p, t, 1, start);
        put_whole(p, t, 1, start, "next");
        write_and_compare(p, t);
    }
}

void weir__probe_history_whole_then_part(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_whole(p, t, 1, at(10), "whole");
    put_part(p, t, 1, at(20), weir_long("number", 20));
    put_earliest(p, t, 9, at(10)); /* a key that is new */
    put_whole(p, t, 9, at(10), "new");
    put_part(p, t, 9, at(20), weir_string("text", "newer"));
    write_and_compare(p, t);
}

void weir__probe_history_part_then_whole(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_part(p, t, 1, at(10), weir_long("number", 10));
    put_whole(p, t, 1, at(20), "whole");
    write_and_compare(p, t);
}

void weir__probe_history_chain(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_part(p, t, 1, at(10), weir_string("text", "second"));
    put_part(p, t, 1, at(20), weir_long("number", 20));
    put_part(p, t, 1, at(30), weir_null("text"));
    put_part(p, t, 1, at(40), weir_long("number", 40));
    write_and_compare(p, t);
}

void weir__probe_history_overlaps(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_whole(p, t, 1, at(10), "second");
    put_part(p, t, 1, at(20), weir_string("text", "third"));
    write_and_compare(p, t);
    put_earliest(p, t, 1, at(5)); /* before two that are there */
    put_part(p, t, 1, at(5), weir_string("text", "between"));
    put_earliest(p, t, 2, at(-5)); /* before all */
    put_whole(p, t, 2, at(-5), "earlier");
    write_and_compare(p, t);
}

void weir__probe_history_same_start(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    for (int i = 0; i < 2; i++) {
        put_earliest(p, t, 1, at(10));
        put_whole(p, t, 1, at(10), i == 0 ? "second" : "second, corrected");
        put_earliest(p, t, 2, at(10));
        put_part(p, t, 2, at(10), weir_string("text", i == 0 ? "second" : "second, corrected"));
        write_and_compare(p, t);
    }
}

void weir__probe_history_missing(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 77, at(10));
    put_part(p, t, 77, at(10), weir_string("text", "nobody"));
    write_and_compare(p, t);
}

void weir__probe_history_delete_missing(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_close(p, t, 1, at(10));
    write_and_compare(p, t);
    put_close(p, t, 1, at(20));  /* it ends before */
    put_close(p, t, 2, at(-20)); /* it begins after */
    put_close(p, t, 77, at(20));
    write_and_compare(p, t);
}

void weir__probe_history_files(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .rows_max = 1, .seed = 7 });
    weir__probe_history_update(p);
    weir__probe_history_chain(p);
    weir__probe_files(p, NULL);
}

/* The end of a version that is active is kept to the millisecond, though nothing follows it. */
void weir__probe_history_active_end(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_part(p, t, 1, at(10), weir_long("number", 1));
    write_and_compare(p, t);
    (void)weir__probe_resend(p);
    weir__probe_compare(p);
}

static void resent_after_success(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    put_part(p, t, 1, at(10), weir_string("text", "second"));
    put_part(p, t, 1, at(20), weir_long("number", 20));
    put_earliest(p, t, 2, at(10));
    put_whole(p, t, 2, at(10), "second");
    put_close(p, t, 3, at(20));
    put_earliest(p, t, 4, at(10));
    put_whole(p, t, 4, at(10), "new");
    write_and_compare(p, t);
    (void)weir__probe_resend(p);
    weir__probe_compare(p);
    (void)weir__probe_resend(p);
    weir__probe_compare(p);
}

static void resent_after_crash(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    for (int64_t id = 1; id <= 3; id++) {
        put_earliest(p, t, id, at(10));
        put_part(p, t, id, at(10), weir_string("text", "second"));
    }
    (weir_harness_crash_after_rows)(p->h, 5);
    (void)(weir_harness_write_history)(p->h, t);
    p->h->last.expected = true;
    (void)weir__probe_resend(p);
    weir__probe_compare(p);
}

void weir__probe_history_resent(const weir_probe_run *p)
{
    resent_after_success(p);
    resent_after_crash(p);
}

void weir__probe_history_again(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_close(p, t, 1, at(10));
    put_earliest(p, t, 1, at(20));
    put_whole(p, t, 1, at(20), "again");
    write_and_compare(p, t);
}

void weir__probe_history_whole_update(const weir_probe_run *p)
{
    const weir_table *t = begun(p);

    put_earliest(p, t, 1, at(10));
    (weir_harness_put)(p->h, t, WEIR_UPDATE,
                       WEIR_CELLS(weir_long("id", 1), weir_utc_datetime("_fivetran_start", at(10)),
                                  weir_utc_datetime("_fivetran_end", end_of_time),
                                  weir_boolean("_fivetran_active", true), weir_string("text", "all"),
                                  weir_long("number", 1)));
    write_and_compare(p, t);
}

void weir__probe_history_truncate(const weir_probe_run *p)
{
    const weir_table *t = begun(p);
    weir_truncation what = { .schema = t->schema,
                             .table = t->name,
                             .synced_column = "_fivetran_synced",
                             .before = { .seconds = INT64_C(253402300799) } };

    put_earliest(p, t, 1, at(10));
    put_whole(p, t, 1, at(10), "second");
    write_and_compare(p, t);
    weir__probe_went_well(p, (weir_harness_truncate)(p->h, &what));
    weir__probe_compare(p);
}

void weir__probe_history_keys(const weir_probe_run *p)
{
    static const weir_column columns[] = {
        { .name = "shop", .type = WEIR_STRING, .key = true },
        { .name = "day", .type = WEIR_NAIVE_DATE, .key = true },
        { .name = "sold", .type = WEIR_LONG },
        { .name = "text", .type = WEIR_STRING },
        { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
        { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME },
        { .name = "_fivetran_active", .type = WEIR_BOOLEAN },
        { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
    };
    weir_table table = { .columns = columns, .column_count = sizeof columns / sizeof *columns };
    const weir_table *t = weir__probe_create(p, &table);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            weir_cell shop = weir_string("shop", i / 2 == 0 ? "a" : "A");
            weir_cell day = weir_naive_date("day", (weir_time){ .seconds = INT64_C(86400) * (i % 2) });
            weir_cell start = weir_utc_datetime("_fivetran_start",
                                                (weir_time){ .seconds = START + round, .nanos = 123456789 });

            (weir_harness_put)(p->h, t, WEIR_EARLIEST, WEIR_CELLS(shop, day, start));
            (weir_harness_put)(p->h, t, round == 0 ? WEIR_REPLACE : WEIR_UPDATE,
                               WEIR_CELLS(shop, day, start, weir_utc_datetime("_fivetran_end", end_of_time),
                                          weir_boolean("_fivetran_active", true),
                                          round == 1 ? weir_string("text", "x") : weir_long("sold", round)));
        }
        write_and_compare(p, t);
    }
}
