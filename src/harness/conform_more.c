/* harness/conform_more: probes of big files, of requests broken off or at the same time, and of alters. */
#include <stdlib.h>

#include "harness/conform_tables.h"

#define MIB ((size_t)1024 * 1024)

/* --- files --- */

void weir__probe_file_sizes(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);
    char text[600];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int64_t id = 0; id < 2000; id++) { /* more than 1 MiB: many blocks of any compressor */
        text[id % 599] = (char)('a' + id % 26);
        weir__probe_put(p, t, id, text);
        if (id == 8 || id == 300)
            weir__probe_write(p, t); /* about 5 KiB, about 180 KiB */
    }
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

void weir__probe_file_cell(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);
    char *text = weir__test_memory(malloc(30 * MIB + 1));

    for (size_t i = 0; i < 30 * MIB; i++)
        text[i] = (char)('a' + i * 7919 % 26);
    text[30 * MIB] = '\0';
    weir__probe_put(p, t, 1, text);
    text[16 * MIB] = '\0';
    weir__probe_put(p, t, 2, text);
    weir__probe_write(p, t);
    weir__probe_compare(p);
    free(text);
}

void weir__probe_file_gzip(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .gzip = true });
    weir__probe_mixed_batch(p);
}

void weir__probe_file_plain(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .plain = true, .uncompressed = true });
    weir__probe_mixed_batch(p);
    weir__probe_files(p, &(weir_harness_files){ .plain = true });
    weir__probe_mixed_batch(p);
}

/* Refused, with the table as it was; the whole file is taken afterwards. */
static void damaged(const weir_probe_run *p, const weir_table *t, const weir_harness_files *files)
{
    static const weir_harness_files whole;

    weir__probe_files(p, files);
    weir__probe_put(p, t, 1, "new");
    weir__probe_put(p, t, 4, "new");
    weir__probe_put_op(p, t, WEIR_DELETE, 2, NULL);
    if ((weir_harness_write)(p->h, t) == WEIR_OK)
        weir__fail_here("%s: a damaged file was taken (%s%zu bytes cut off)", p->rule,
                        files->wrong_key ? "wrong key, " : "", files->cut);
    p->h->last.expected = true;
    weir__probe_compare(p);
    weir__probe_files(p, &whole);
    weir__probe_mixed_batch(p);
}

void weir__probe_file_damaged(const weir_probe_run *p)
{
    const weir_harness_files files[] = {
        { .wrong_key = true },       { .cut = 1 },    { .cut = 16 },
        { .cut = 40, .gzip = true }, { .cut = 1000 }, { .cut = 3, .plain = true },
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const weir_table *t = weir__probe_table(p);

        for (int64_t id = 1; id <= 3; id++)
            weir__probe_put(p, t, id, "old");
        weir__probe_files(p, NULL);
        weir__probe_write(p, t);
        damaged(p, t, &files[i]);
    }
}

/* A column that an alter left out stays in the table, and is in no file any more. */
void weir__probe_file_narrow(const weir_probe_run *p)
{
    static const weir_column narrow[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "number", .type = WEIR_LONG },
        { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
        { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN },
    };
    weir_table t = *weir__probe_table(p);

    for (int64_t id = 1; id <= 4; id++)
        weir__probe_put(p, &t, id, "kept or not");
    weir__probe_write(p, &t);
    t.columns = narrow;
    t.column_count = sizeof narrow / sizeof *narrow;
    (weir_harness_put)(p->h, &t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 1), weir_long("number", 5)));
    (weir_harness_put)(p->h, &t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 9), weir_long("number", 5)));
    (weir_harness_put)(p->h, &t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 2), weir_long("number", 6)));
    (weir_harness_put)(p->h, &t, WEIR_DELETE, WEIR_CELLS(weir_long("id", 3)));
    weir__probe_write(p, &t);
    weir__probe_compare(p);
}

/* --- batches --- */

void weir__probe_batch_broken_off(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    for (int64_t id = 1; id <= 4; id++)
        weir__probe_put(p, t, id, "old");
    weir__probe_write(p, t);
    for (uint64_t row = 1; row <= 4; row++) {
        for (int64_t id = 1; id <= 2; id++)
            weir__probe_put(p, t, id + (int64_t)row, "new");
        weir__probe_put_op(p, t, WEIR_UPDATE, 1, "changed");
        weir__probe_put_op(p, t, WEIR_DELETE, 4, NULL);
        (weir_harness_crash_after_rows)(p->h, row);
        (void)(weir_harness_write)(p->h, t);
        p->h->last.expected = true;
        weir__probe_resend(p);
        weir__probe_compare(p);
    }
}

void weir__probe_batch_parallel(const weir_probe_run *p)
{
    weir_table copies[8];
    char names[8][64];
    const weir_table *tables[8];

    for (size_t i = 0; i < 8; i++) {
        copies[i] = *weir__probe_table(p);
        snprintf(names[i], sizeof names[i], "%s", copies[i].name);
        copies[i].name = names[i];
        tables[i] = &copies[i];
        for (int64_t id = 0; id < 50; id++)
            weir__probe_put(p, tables[i], id, names[i]);
    }
    if (!weir__probe_went_well(p, (weir_harness_write_parallel)(p->h, tables, 8)))
        return;
    for (size_t i = 0; i < 8; i++)
        weir__probe_compare_name(p, names[i]);
}

/* --- schemas --- */

void weir__probe_schema_missing(const weir_probe_run *p)
{
    weir_table table = { .schema = "weir_conformance_2",
                         WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                                      { .name = "text", .type = WEIR_STRING }) };
    const weir_table *t;

    if (p->quirks->no_schemas)
        return;
    t = weir__probe_create(p, &table);
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 1), weir_string("text", "kept")));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void alter(const weir_probe_run *p, const weir_table *t, bool drop)
{
    weir__probe_went_well(p, (weir_harness_alter)(p->h, t, drop));
    weir__probe_compare(p);
}

/* Altered to `columns` and compared, after a few rows. */
static void alter_filled(const weir_probe_run *p, const weir_column *before, const weir_column *after,
                         size_t count, const weir_cell *value)
{
    weir_table table = { .columns = before, .column_count = count };
    weir_table t = *weir__probe_create(p, &table);

    (weir_harness_put)(p->h, &t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 1), *value));
    (weir_harness_put)(p->h, &t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_write(p, &t);
    t.columns = after;
    alter(p, &t, false);
    alter(p, &t, false);
}

void weir__probe_alter_several(const weir_probe_run *p)
{
    static const weir_column wanted[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "number", .type = WEIR_DOUBLE }, /* from LONG */
        { .name = "new", .type = WEIR_STRING },    /* and `text` goes */
        { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
        { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN },
    };
    weir_table t = *weir__probe_table(p);

    weir__probe_put(p, &t, 1, "one");
    weir__probe_put(p, &t, 2, NULL);
    weir__probe_write(p, &t);
    t.columns = wanted;
    alter(p, &t, true);
    (weir_harness_put)(p->h, &t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_string("new", "kept")));
    weir__probe_write(p, &t);
    weir__probe_compare(p);
}

void weir__probe_alter_wider(const weir_probe_run *p)
{
    static const struct {
        weir_type from;
        weir_type to;
    } pairs[] = {
        { WEIR_SHORT, WEIR_INT },   { WEIR_INT, WEIR_LONG },       { WEIR_FLOAT, WEIR_DOUBLE },
        { WEIR_LONG, WEIR_STRING }, { WEIR_BOOLEAN, WEIR_STRING }, { WEIR_NAIVE_DATE, WEIR_STRING }
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        weir_column before[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                 { .name = "v", .type = pairs[i].from } };
        weir_column after[] = { before[0], { .name = "v", .type = pairs[i].to } };
        weir_cell value = pairs[i].from == WEIR_FLOAT     ? weir_float("v", 1.5F)
                          : pairs[i].from == WEIR_BOOLEAN ? weir_boolean("v", true)
                          : pairs[i].from == WEIR_NAIVE_DATE
                              ? weir_naive_date("v", (weir_time){ .seconds = 86400 })
                              : weir__cell_integer("v", pairs[i].from, 12345);

        alter_filled(p, before, after, 2, &value);
    }
}

void weir__probe_alter_scale(const weir_probe_run *p)
{
    static const weir_column before[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } }
    };
    static const weir_column after[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 14, .scale = 6 } }
    };
    const weir_cell value = weir_decimal("v", "12345678.91");

    alter_filled(p, before, after, 2, &value);
}

void weir__probe_decimal_bare(const weir_probe_run *p)
{
    weir_table table = { WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                                      { .name = "v", .type = WEIR_DECIMAL }) };
    const weir_table *t = weir__probe_create(p, &table);

    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 1), weir_decimal("v", "12.5")));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

/* More digits than a DECIMAL has, as callers ask for that add up two types. */
void weir__probe_decimal_beyond(const weir_probe_run *p)
{
    weir_table table = { WEIR_COLUMNS(
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 43, .scale = 15 } }) };
    const weir_table *t = weir__probe_create(p, &table);

    (weir_harness_put)(
        p->h, t, WEIR_REPLACE,
        WEIR_CELLS(weir_long("id", 1), weir_decimal("v", "12345678901234567890123.123456789012345")));
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static weir_table keyed(const weir_probe_run *p)
{
    static const weir_column columns[] = {
        { .name = "a", .type = WEIR_LONG, .key = true },
        { .name = "b", .type = WEIR_LONG },
        { .name = "c", .type = WEIR_STRING },
    };
    weir_table table = { .columns = columns, .column_count = 3 };
    weir_table t = *weir__probe_create(p, &table);

    for (int64_t id = 1; id <= 4; id++)
        (weir_harness_put)(p->h, &t, WEIR_REPLACE,
                           WEIR_CELLS(weir_long("a", id), weir_long("b", id % 2), weir_string("c", "text")));
    weir__probe_write(p, &t);
    return t;
}

void weir__probe_key_changes(const weir_probe_run *p)
{
    static const struct {
        weir_type type;
        bool key[3];
    } steps[] = { { WEIR_LONG, { true, true, false } },    /* one more */
                  { WEIR_LONG, { true, false, false } },   /* one less */
                  { WEIR_STRING, { true, false, false } }, /* another type */
                  { WEIR_STRING, { true, false, true } } };
    weir_column columns[3];
    weir_table t = keyed(p);

    memcpy(columns, t.columns, sizeof columns);
    t.columns = columns;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        columns[0].type = steps[i].type;
        for (int c = 0; c < 3; c++)
            columns[c].key = steps[i].key[c];
        alter(p, &t, false);
    }
}

void weir__probe_key_duplicates(const weir_probe_run *p)
{
    weir_column columns[3];
    weir_table t = keyed(p);

    memcpy(columns, t.columns, sizeof columns);
    columns[0].key = false;
    columns[1].key = true;
    t.columns = columns;
    if ((weir_harness_alter)(p->h, &t, false) != WEIR_TASK)
        weir__fail_here("%s: a key that rows share is a task, but: %s", p->rule, weir_harness_text(p->h));
    p->h->last.expected = true;
    weir__probe_compare(p);
}

/* A table that is not in soft-delete mode. */
void weir__probe_not_soft(const weir_probe_run *p)
{
    weir_table table = { WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                                      { .name = "text", .type = WEIR_STRING },
                                      { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME }) };
    const weir_table *t = weir__probe_create(p, &table);

    for (int64_t id = 1; id <= 3; id++)
        (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", id), weir_string("text", "a")));
    (weir_harness_put)(p->h, t, WEIR_DELETE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}
