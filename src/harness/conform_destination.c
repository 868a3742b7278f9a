/*
 * harness/conform_destination: probes of a destination. Each has tables of its own, in one schema; what it
 * did is compared with the model through describe and, where the test gave a reader, row by row.
 */
#include "harness/conform_tables.h"

/* --- files --- */

static void random_order(const weir_probe_run *p)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        weir__probe_files(p, &(weir_harness_files){ .seed = seed });
        weir__probe_mixed_batch(p);
    }
}

static void null_quoted(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .null_string = "N", .quote_all = true });
    weir__probe_mixed_batch(p);
    weir__probe_files(p, &(weir_harness_files){ .null_string = "N" });
    weir__probe_mixed_batch(p);
}

static void sentinel_lookalikes(const weir_probe_run *p)
{
    static const char *const texts[] = { "null",
                                         "NULL",
                                         "nil",
                                         "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP",
                                         "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3",
                                         "\\N",
                                         NULL };

    weir__probe_texts(p, texts);
}

static void empty_text(const weir_probe_run *p)
{
    static const char *const texts[] = { "", " ", "  ", NULL };

    weir__probe_texts(p, texts);
}

static void line_breaks(const weir_probe_run *p)
{
    static const char *const texts[] = {
        "a\rb", "a\r\nb", "a\nb", "\n", "\v\f", "\xC2\x85 NEL", "\xE2\x80\xA8 U+2028", "trailing\r", NULL
    };

    weir__probe_texts(p, texts);
}

static void backslashes(const weir_probe_run *p)
{
    static const char *const texts[] = { "\\", "\\\"", "\"", "\"\"", "a\\", "a,b", "'", "\\n", NULL };

    weir__probe_texts(p, texts);
}

static void aligned_plaintext(const weir_probe_run *p)
{
    char text[33] = "";

    for (size_t size = 0; size < 32; size += 3) { /* all lengths modulo 16 come up with the header's own */
        const char *const texts[] = { text, NULL };

        memset(text, 'x', size);
        text[size] = '\0';
        weir__probe_texts(p, texts);
    }
}

static void header_only(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_files(p, &(weir_harness_files){ .all_kinds = true });
    weir__probe_put(p, t, 1, "one");
    weir__probe_write(p, t);
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void several_files(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .rows_max = 1 });
    weir__probe_mixed_batch(p);
}

static void no_final_lf(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .no_final_lf = true });
    weir__probe_mixed_batch(p);
}

static void quoted_everything(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .quote_all = true });
    weir__probe_mixed_batch(p);
}

static void odd_paths(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .folder = "a b'c" });
    weir__probe_mixed_batch(p);
}

static void custom_sentinels(const weir_probe_run *p)
{
    weir__probe_files(p,
                      &(weir_harness_files){ .null_string = "\xE2\x88\x85", .unmodified_string = "~same~" });
    weir__probe_mixed_batch(p);
}

static void lacking_columns(const weir_probe_run *p)
{
    weir__probe_files(p, &(weir_harness_files){ .leave_out = true });
    weir__probe_mixed_batch(p);
}

/* --- batches --- */

static void order_of_kinds(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put_op(p, t, WEIR_DELETE, 1, NULL);
    weir__probe_put_op(p, t, WEIR_UPDATE, 2, "updated");
    weir__probe_put_op(p, t, WEIR_REPLACE, 1, "replaced");
    weir__probe_put_op(p, t, WEIR_REPLACE, 2, "replaced");
    weir__probe_put_op(p, t, WEIR_UPDATE, 1, "updated");
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void last_wins(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 1, "first");
    weir__probe_put(p, t, 2, "first");
    weir__probe_put(p, t, 1, "second");
    weir__probe_put(p, t, 1, "third");
    weir__probe_put(p, t, 2, "last");
    weir__probe_put_op(p, t, WEIR_UPDATE, 1, "fourth");
    weir__probe_put_op(p, t, WEIR_UPDATE, 1, "last");
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void missing_keys(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 1, "one");
    weir__probe_write(p, t);
    weir__probe_put_op(p, t, WEIR_UPDATE, 7, "nobody");
    weir__probe_put_op(p, t, WEIR_DELETE, 8, NULL);
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void revived(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 1, "one");
    weir__probe_write(p, t);
    weir__probe_soft_delete(p, t, 1);
    weir__probe_write(p, t);
    weir__probe_compare(p);
    weir__probe_put(p, t, 1, "again");
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void resent(const weir_probe_run *p)
{
    weir__probe_mixed_batch(p);
    weir__probe_resend(p);
    weir__probe_compare(p);
}

static void nothing_modified(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 1, "one");
    weir__probe_write(p, t);
    weir__probe_put_op(p, t, WEIR_UPDATE, 1, NULL);
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void no_files(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static const weir_conform_probe probes[] = {
    { "F1", "columns of a file in any order", random_order },
    { "F2", "the null string quoted and bare", null_quoted },
    { "F3", "data that looks like a null or unmodified string", sentinel_lookalikes },
    { "F4", "empty text is not NULL", empty_text },
    { "F5", "line breaks of every kind in cells", line_breaks },
    { "F6", "backslashes and quotes in cells", backslashes },
    { "F8", "files of every length modulo 16", aligned_plaintext },
    { "F10", "files with a header alone", header_only },
    { "F11", "several files of a kind", several_files },
    { "F16", "no line feed at the end", no_final_lf },
    { "F17", "every cell quoted", quoted_everything },
    { "F19", "null and unmodified strings as the request says", custom_sentinels },
    { "F18", "a space and a quote in the path", odd_paths },
    { "F20", "update files that lack columns", lacking_columns },
    { "B1", "replace, then update, then delete", order_of_kinds },
    { "B2", "of equal keys the last row wins", last_wins },
    { "B3", "updates and deletes of missing rows do nothing", missing_keys },
    { "B4", "a deleted row is revived by an upsert", revived },
    { "B5", "keys of several columns and types, compared by value", weir__probe_keys },
    { "B6", "a request sent again changes nothing", resent },
    { "B9", "an update with nothing modified", nothing_modified },
    { "B10", "a request without files", no_files },
    { "T1", "truncate spares the row at the cut", weir__probe_truncate_cut },
    { "T2", "truncate takes rows 1 ns, 1 us and 1 ms before the cut", weir__probe_truncate_near },
    { "T3", "soft truncate leaves _fivetran_synced", weir__probe_truncate_soft },
    { "T4", "soft truncate with another deleted column", weir__probe_truncate_column },
    { "T5", "truncate of a missing table succeeds", weir__probe_truncate_missing },
    { "T6", "a cut in 1969 and a cut at zero", weir__probe_truncate_early },
    { "T7", "truncate, then rows again", weir__probe_truncate_then },
    { "T8", "truncate of an empty table", weir__probe_truncate_empty },
    { "S1", "describe of a missing table says not_found", weir__probe_describe_missing },
    { "S2", "a second create fails", weir__probe_create_twice },
    { "S5", "alter to the same table, in another order, does nothing", weir__probe_alter_same },
    { "S6", "alter adds a column", weir__probe_alter_add },
    { "S7", "alter keeps a column that is left out", weir__probe_alter_keep },
    { "S8", "alter drops a column when it may", weir__probe_alter_drop },
    { "S17", "every type comes back from describe", weir__probe_types },
    { "S18", "odd names of tables and columns", weir__probe_names },
    { "S19", "a table whose key is _fivetran_id", weir__probe_keyless },
};

bool weir_conform_destination(weir_harness *h, const weir_quirks *quirks)
{
    const weir_quirks *kept;
    bool fine;

    if (h->destination == NULL) {
        weir__fail_here("weir_conform_destination is for destinations; this harness has a source");
        return false;
    }
    kept = h->destination->quirks;
    if (quirks != NULL)
        h->destination->quirks = quirks;
    if (h->destination->reader == NULL)
        printf("    there is no reader: rows are not looked at\n");
    fine = weir__conform_run(h, quirks, probes, sizeof probes / sizeof *probes);
    (weir_harness_set_files)(h, NULL);
    h->destination->quirks = kept;
    return fine;
}
