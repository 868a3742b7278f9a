/*
 * tester/destination_calls: the calls of the destination service, with everything checked that a reply can do
 * wrong (R-ENG-15). Private to the destination tester.
 *
 * A task fails with WEIR_TASK and its text; a warning is told as "Partner Sdk Warning. Message: …" and counts
 * as success, but not as an answer to DescribeTable. Failures blame the connector.
 */
#ifndef WEIR_TESTER_DESTINATION_CALLS_H
#define WEIR_TESTER_DESTINATION_CALLS_H

#include "model/model.h"
#include "tester/call.h"
#include "tester/emit.h"

typedef struct destination_calls destination_calls;

destination_calls *destination_calls_new(tester *t, const tester_setup *setup); /* NULL when out of memory */
void destination_calls_free(destination_calls *calls);                          /* accepts NULL */

/* *parquet: what kind of file the destination wants; one that knows no Capabilities reads CSV. */
weir_status destination_capabilities(destination_calls *calls, bool *parquet, weir_error *err) WEIR_CHECKED;
/* *out is in `arena`; NULL when there is no such table (R-DST-01). */
weir_status destination_describe(destination_calls *calls, const char *schema, const char *table,
                                 weir_arena *arena, weir_table **out, weir_error *err) WEIR_CHECKED;
/*
 * destination_alter and destination_truncate, under the official profile only: WEIR_ITEM, with a text and
 * without blame, when the answer was success = false.
 */
weir_status destination_create(destination_calls *calls, const weir_table *table,
                               weir_error *err) WEIR_CHECKED;
weir_status destination_alter(destination_calls *calls, const weir_table *table, bool drop_columns,
                              weir_error *err) WEIR_CHECKED;
weir_status destination_truncate(destination_calls *calls, const weir_truncation *what,
                                 weir_error *err) WEIR_CHECKED;
/* WriteBatch, or WriteHistoryBatch with `history`. WEIR_UNSUPPORTED: the call is not implemented. */
weir_status destination_write(destination_calls *calls, const weir_table *table, bool history,
                              const emit_files *files, weir_error *err) WEIR_CHECKED;
/* WEIR_UNSUPPORTED: the answer was unsupported or UNIMPLEMENTED, without blame (R-MIG-06). */
weir_status destination_migrate(destination_calls *calls, const weir_migration *what,
                                weir_error *err) WEIR_CHECKED;

#endif
