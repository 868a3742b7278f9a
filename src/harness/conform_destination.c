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
    { "F7", "files from 5 KiB to more than 1 MiB", weir__probe_file_sizes },
    { "F8", "files of every length modulo 16", aligned_plaintext },
    { "F9", "cells of 16 MiB and 30 MiB", weir__probe_file_cell },
    { "F10", "files with a header alone", header_only },
    { "F11", "several files of a kind", several_files },
    { "F13", "files compressed with gzip", weir__probe_file_gzip },
    { "F14", "files that are not encrypted, compressed or not", weir__probe_file_plain },
    { "F15", "a file that is cut off, or another one's key", weir__probe_file_damaged },
    { "F16", "no line feed at the end", no_final_lf },
    { "F17", "every cell quoted", quoted_everything },
    { "F19", "null and unmodified strings as the request says", custom_sentinels },
    { "F18", "a space and a quote in the path", odd_paths },
    { "F20", "update files that lack columns", lacking_columns },
    { "F21", "files that lack columns of the table", weir__probe_file_narrow },
    { "V1", "integers from end to end", weir__probe_value_integers },
    { "V2", "decimals of 38 digits, with 0 and 37 of them after the point", weir__probe_value_decimals },
    { "V3", "floats and doubles from end to end", weir__probe_value_reals },
    { "V4", "days from the year 1 to 9999", weir__probe_value_dates },
    { "V5", "times of day, with a fraction too", weir__probe_value_day_times },
    { "V6", "times of 0 to 9 digits, before 1970 too", weir__probe_value_times },
    { "V7", "all 256 bytes in BINARY, and left as they are", weir__probe_value_bytes },
    { "V8", "JSON of every kind", weir__probe_value_json },
    { "V9", "XML of several lines", weir__probe_value_xml },
    { "V10", "characters of 4 bytes, and odd ones", weir__probe_value_text },
    { "V11", "strings at their length in bytes", weir__probe_value_length },
    { "B1", "replace, then update, then delete", order_of_kinds },
    { "B2", "of equal keys the last row wins", last_wins },
    { "B3", "updates and deletes of missing rows do nothing", missing_keys },
    { "B4", "a deleted row is revived by an upsert", revived },
    { "B5", "keys of several columns and types, compared by value", weir__probe_keys },
    { "B6", "a request sent again changes nothing", resent },
    { "B7", "a request broken off at every row, then sent again", weir__probe_batch_broken_off },
    { "B8", "eight tables at the same time", weir__probe_batch_parallel },
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
    { "S3", "create makes the schema, too", weir__probe_schema_missing },
    { "S5", "alter to the same table, in another order, does nothing", weir__probe_alter_same },
    { "S6", "alter adds a column", weir__probe_alter_add },
    { "S7", "alter keeps a column that is left out", weir__probe_alter_keep },
    { "S8", "alter drops a column when it may", weir__probe_alter_drop },
    { "S9", "alter drops, adds and changes at once", weir__probe_alter_several },
    { "S10", "alter to a wider type keeps values", weir__probe_alter_wider },
    { "S11", "alter of precision and scale alone", weir__probe_alter_scale },
    { "S12", "DECIMAL(43, 15)", weir__probe_decimal_beyond },
    { "S13", "DECIMAL without params", weir__probe_decimal_bare },
    { "S14", "keys added, taken away, of another type, with rows", weir__probe_key_changes },
    { "S15", "a new key that rows share is a task", weir__probe_key_duplicates },
    { "S17", "every type comes back from describe", weir__probe_types },
    { "S18", "odd names of tables and columns", weir__probe_names },
    { "S19", "a table whose key is _fivetran_id", weir__probe_keyless },
    { "S20", "a table without _fivetran_deleted", weir__probe_not_soft },
    { "H1", "first versions", weir__probe_history_insert, WEIR_PROBE_HISTORY },
    { "H2", "a changed row is a new version", weir__probe_history_update, WEIR_PROBE_HISTORY },
    { "H3", "a delete closes a version, in both shapes of its file", weir__probe_history_delete,
      WEIR_PROBE_HISTORY },
    { "H4", "a version ends 1 ms before the next", weir__probe_history_end, WEIR_PROBE_HISTORY },
    { "H5", "a whole row, then a part of it, in one request", weir__probe_history_whole_then_part,
      WEIR_PROBE_HISTORY },
    { "H6", "a part of a row, then a whole one, in one request", weir__probe_history_part_then_whole,
      WEIR_PROBE_HISTORY },
    { "H7", "parts of a row one after the other", weir__probe_history_chain, WEIR_PROBE_HISTORY },
    { "H8", "an earlier start takes later versions away", weir__probe_history_overlaps, WEIR_PROBE_HISTORY },
    { "H9", "a version with the same start is replaced", weir__probe_history_same_start, WEIR_PROBE_HISTORY },
    { "H10", "a part of a row that is not there is nothing", weir__probe_history_missing,
      WEIR_PROBE_HISTORY },
    { "H11", "deletes of missing and ended rows are nothing", weir__probe_history_delete_missing,
      WEIR_PROBE_HISTORY },
    { "H12", "several files of every kind", weir__probe_history_files, WEIR_PROBE_HISTORY },
    { "H14", "an active version ends at the end of time", weir__probe_history_active_end,
      WEIR_PROBE_HISTORY },
    { "H15", "a request sent again changes nothing, nor after a crash", weir__probe_history_resent,
      WEIR_PROBE_HISTORY },
    { "H16", "deleted and there again in one request", weir__probe_history_again, WEIR_PROBE_HISTORY },
    { "H17", "an update file with all values", weir__probe_history_whole_update, WEIR_PROBE_HISTORY },
    { "H18", "keys of several columns, starts with nanoseconds", weir__probe_history_keys,
      WEIR_PROBE_HISTORY },
    { "T9", "hard truncate of a history table", weir__probe_history_truncate, WEIR_PROBE_HISTORY },
    { "M1", "every migration, with rows and without, sent twice", weir__probe_migrate_every,
      WEIR_PROBE_MIGRATE },
    { "M2", "a default for a column that is there goes into all rows", weir__probe_migrate_default,
      WEIR_PROBE_MIGRATE },
    { "M3", "NULL, null and the empty text as values", weir__probe_migrate_null, WEIR_PROBE_MIGRATE },
    { "M4", "quotes and backslashes in values", weir__probe_migrate_quotes, WEIR_PROBE_MIGRATE },
    { "M5", "changes at one time make one version", weir__probe_migrate_together, WEIR_PROBE_MIGRATE },
    { "M6", "a change at the last start, and one before it", weir__probe_migrate_time, WEIR_PROBE_MIGRATE },
    { "M7", "from soft delete to history and back", weir__probe_migrate_modes, WEIR_PROBE_MIGRATE },
    { "M9", "copies and renames that were done already", weir__probe_migrate_retry, WEIR_PROBE_MIGRATE },
    { "M10", "update_column_value of every type", weir__probe_migrate_types, WEIR_PROBE_MIGRATE },
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
