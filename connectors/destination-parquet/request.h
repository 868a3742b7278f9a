/*
 * destination-parquet/request: callbacks of weir/sql.h around a request.
 *
 * A request finds its tables in DuckDB, with their columns and without a row, and its statements run there.
 *
 * write      A stage takes the rows that have its keys out of the parts (merge.h), so DuckDB has the rows
 *            that may change, and no others. In the end those are written as new parts, and the parts that
 *            rows were taken from are written anew without them; all others stay.
 * the rest   Statements run on the empty tables, which checks them and gives the new shape, and are noted. In
 *            the end they are run again over the rows, a few parts at a time. Questions see a view of all
 *            parts. A statement that looks at other rows than the one it changes puts an end to this: then
 *            all rows are taken into DuckDB.
 */
#ifndef PARQUET_REQUEST_H
#define PARQUET_REQUEST_H

#include <weir/sql.h>

extern const weir_sql request_dialect; /* main.c */

weir_status request_begin(weir_call *call, const weir_sql_scope *scope);
weir_status request_end(weir_call *call, weir_status status);
weir_status request_run(weir_call *call, const char *sql, const char *doing);
weir_status request_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out);
weir_status request_columns(weir_call *call, const char *schema, const char *table_name, const char *doing,
                            weir_sql_columns *out);
const char *request_type(weir_call *call, const weir_column *column);
const char *request_path(weir_call *call, const char *schema, const char *table_name);

#endif
