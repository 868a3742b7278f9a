/*
 * harness/conform_tables: what the probes of a destination are made of, and those about schemas, keys and
 * truncates. A probe's tables are `rule_1`, `rule_2`, …; every step that goes wrong is a failure.
 */
#ifndef WEIR_HARNESS_CONFORM_TABLES_H
#define WEIR_HARNESS_CONFORM_TABLES_H

#include <stdio.h>
#include <string.h>

#include "harness/conform.h"
#include "harness/destination_side.h"

#define WEIR_PROBE_SCHEMA "weir_conformance"

/* Files from now on, until the probe ends. */
void weir__probe_files(const weir_probe_run *p, const weir_harness_files *files);
/*
 * Creates the next table of the rule: id LONG key, text STRING, number LONG, `_fivetran_synced`,
 * `_fivetran_deleted`. Borrowed until the next.
 */
const weir_table *weir__probe_table(const weir_probe_run *p);
/* The same with these columns; `schema` and `name` are filled in where they are NULL. */
const weir_table *weir__probe_create(const weir_probe_run *p, weir_table *table);
/* A whole row; one of another kind, `text` NULL for no cell. */
void weir__probe_put(const weir_probe_run *p, const weir_table *t, int64_t id, const char *text);
void weir__probe_put_op(const weir_probe_run *p, const weir_table *t, weir_op op, int64_t id,
                        const char *text);
void weir__probe_soft_delete(const weir_probe_run *p, const weir_table *t, int64_t id);
/* Requests that are to go well. */
bool weir__probe_write(const weir_probe_run *p, const weir_table *t);
bool weir__probe_resend(const weir_probe_run *p);
bool weir__probe_went_well(const weir_probe_run *p, weir_status status);
/* The rule's last table against the model. */
bool weir__probe_compare(const weir_probe_run *p);
/* Another one of the same schema; one that the model does not have must be missing. */
bool weir__probe_compare_name(const weir_probe_run *p, const char *name);
/* A table with rows of every kind, changed by a batch of every kind, compared. */
void weir__probe_mixed_batch(const weir_probe_run *p);
/* A row for each text (NULL ends the list), compared. */
void weir__probe_texts(const weir_probe_run *p, const char *const *texts);

/* conform_schema.c and conform_truncate.c */
void weir__probe_keys(const weir_probe_run *p);
void weir__probe_truncate_cut(const weir_probe_run *p);
void weir__probe_truncate_near(const weir_probe_run *p);
void weir__probe_truncate_soft(const weir_probe_run *p);
void weir__probe_truncate_column(const weir_probe_run *p);
void weir__probe_truncate_missing(const weir_probe_run *p);
void weir__probe_truncate_early(const weir_probe_run *p);
void weir__probe_truncate_then(const weir_probe_run *p);
void weir__probe_truncate_empty(const weir_probe_run *p);
void weir__probe_describe_missing(const weir_probe_run *p);
void weir__probe_create_twice(const weir_probe_run *p);
void weir__probe_alter_same(const weir_probe_run *p);
void weir__probe_alter_add(const weir_probe_run *p);
void weir__probe_alter_keep(const weir_probe_run *p);
void weir__probe_alter_drop(const weir_probe_run *p);
void weir__probe_types(const weir_probe_run *p);
void weir__probe_names(const weir_probe_run *p);
void weir__probe_keyless(const weir_probe_run *p);

/* conform_values.c and conform_more.c */
void weir__probe_value_integers(const weir_probe_run *p);
void weir__probe_value_decimals(const weir_probe_run *p);
void weir__probe_value_reals(const weir_probe_run *p);
void weir__probe_value_dates(const weir_probe_run *p);
void weir__probe_value_day_times(const weir_probe_run *p);
void weir__probe_value_times(const weir_probe_run *p);
void weir__probe_value_bytes(const weir_probe_run *p);
void weir__probe_value_json(const weir_probe_run *p);
void weir__probe_value_xml(const weir_probe_run *p);
void weir__probe_value_text(const weir_probe_run *p);
void weir__probe_value_length(const weir_probe_run *p);
void weir__probe_file_sizes(const weir_probe_run *p);
void weir__probe_file_cell(const weir_probe_run *p);
void weir__probe_file_gzip(const weir_probe_run *p);
void weir__probe_file_plain(const weir_probe_run *p);
void weir__probe_file_damaged(const weir_probe_run *p);
void weir__probe_file_narrow(const weir_probe_run *p);
void weir__probe_batch_broken_off(const weir_probe_run *p);
void weir__probe_batch_parallel(const weir_probe_run *p);
void weir__probe_schema_missing(const weir_probe_run *p);
void weir__probe_alter_several(const weir_probe_run *p);
void weir__probe_alter_wider(const weir_probe_run *p);
void weir__probe_alter_scale(const weir_probe_run *p);
void weir__probe_decimal_bare(const weir_probe_run *p);
void weir__probe_decimal_beyond(const weir_probe_run *p);
void weir__probe_key_changes(const weir_probe_run *p);
void weir__probe_key_duplicates(const weir_probe_run *p);
void weir__probe_not_soft(const weir_probe_run *p);

/* conform_history.c and conform_migrate.c */
void weir__probe_history_insert(const weir_probe_run *p);
void weir__probe_history_update(const weir_probe_run *p);
void weir__probe_history_delete(const weir_probe_run *p);
void weir__probe_history_end(const weir_probe_run *p);
void weir__probe_history_whole_then_part(const weir_probe_run *p);
void weir__probe_history_part_then_whole(const weir_probe_run *p);
void weir__probe_history_chain(const weir_probe_run *p);
void weir__probe_history_overlaps(const weir_probe_run *p);
void weir__probe_history_same_start(const weir_probe_run *p);
void weir__probe_history_missing(const weir_probe_run *p);
void weir__probe_history_delete_missing(const weir_probe_run *p);
void weir__probe_history_files(const weir_probe_run *p);
void weir__probe_history_active_end(const weir_probe_run *p);
void weir__probe_history_resent(const weir_probe_run *p);
void weir__probe_history_again(const weir_probe_run *p);
void weir__probe_history_whole_update(const weir_probe_run *p);
void weir__probe_history_truncate(const weir_probe_run *p);
void weir__probe_history_keys(const weir_probe_run *p);
void weir__probe_migrate_every(const weir_probe_run *p);
void weir__probe_migrate_default(const weir_probe_run *p);
void weir__probe_migrate_null(const weir_probe_run *p);
void weir__probe_migrate_quotes(const weir_probe_run *p);
void weir__probe_migrate_together(const weir_probe_run *p);
void weir__probe_migrate_time(const weir_probe_run *p);
void weir__probe_migrate_modes(const weir_probe_run *p);
void weir__probe_migrate_retry(const weir_probe_run *p);
void weir__probe_migrate_types(const weir_probe_run *p);

#endif
