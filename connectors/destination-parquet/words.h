/* destination-parquet/words: the SQL between parts and DuckDB's tables. Texts live as long as the call. */
#ifndef PARQUET_WORDS_H
#define PARQUET_WORDS_H

#include <weir/sql.h>

#include "table.h"

/* Names of tables of our own in a request's database. */
#define WORDS_GONE "\"_weir_gone\""     /* rows of parts that are not the table's any more: part, row */
#define WORDS_PULLED "\"_weir_pulled\"" /* rows on their way out of parts */

/* What weir/sql.h would note of the column. */
const char *words_note(weir_call *call, const manifest_column *column);
/* The statement that makes the table, empty. Its columns have no comments: see request_columns. */
const char *words_make(weir_call *call, const stored_table *t);
/* `"id", "name"`, each with `before` ("t.") */
const char *words_columns(weir_call *call, const stored_table *t, const char *before);
/*
 * SELECT of all columns out of parts [from, to), which have the same columns, as `t`; what `more` says comes
 * first ("t.file_index AS n, "), and what `rest` says last (" WHERE …").
 */
void words_put_select(weir_sql_text *out, weir_call *call, const stored_table *t, size_t from, size_t to,
                      const char *more, const char *rest);
/* The end of the run of parts with the same columns that begins at `from`. */
size_t words_run(const stored_table *t, size_t from);
/* read_parquet([…], …) of parts [from, to) */
void words_put_files(weir_sql_text *out, weir_call *call, const stored_table *t, size_t from, size_t to);
/* All columns and rows of parts [from, to), without those that are gone when `filtered`. */
const char *words_rows(weir_call *call, const stored_table *t, size_t from, size_t to, bool filtered);
/* COPY (`select`) TO the part. */
const char *words_copy(weir_call *call, const stored_table *t, const stored_part *p, const char *select);

#endif
