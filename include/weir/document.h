/*
 * weir/document.h: rows and tables as JSON, for destinations that store documents under keys.
 *
 * A row is one JSON object with a member per column. Nothing is lost on the way there and back: integers are
 * JSON integers, digit by digit, DECIMALs are strings, FLOAT and DOUBLE the shortest number that reads back
 * the same ("NaN", "Infinity" and "-Infinity" as strings), dates and times strings of R-BAT-08 with up to
 * nine fraction digits, BINARY base64, JSON and XML strings; NULL is null; what is unmodified is left out.
 *
 * What these functions give belongs to the call and lives until the next weir_batch_next or weir_row_done.
 * None of them returns NULL unless it says so: when memory runs out, or a stored text is not what was written
 * here, the call fails on its own and the handler is left on the spot, as by weir_alloc. Only in the
 * handler's thread.
 */
#ifndef WEIR_DOCUMENT_H
#define WEIR_DOCUMENT_H

#include <weir/destination.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The table's columns with types, keys and params as JSON; lives as long as the call. */
WEIR_API const char *weir_table_json(weir_call *call, const weir_table *table);
/*
 * The table that weir_table_json wrote, as describe() has to fill it in; lives as long as the call.
 * WEIR_FAILED when `json` is not such a text.
 */
WEIR_API weir_status weir_table_from_json(weir_call *call, const char *json, weir_table *out) WEIR_CHECKED;

/*
 * The values of the key columns (weir_table_keys) as a JSON array: one text for one key, by value, so that
 * 1.0 and 1.00 are the same (R-DST-07). `row` has one cell per column of `table`, in its order.
 */
WEIR_API const char *weir_row_key(weir_call *call, const weir_table *table, const weir_row *row);
/* The row as a document. */
WEIR_API const char *weir_row_json(weir_call *call, const weir_row *row);
/*
 * A document as a row of `table`: one cell per column; NULL where the document has no such member. Members
 * that the table lacks are left out. Values are brought to the columns' types.
 */
WEIR_API void weir_row_from_json(weir_call *call, const weir_table *table, const char *json, weir_row *out);
/*
 * A row brought to another table, as an alter wants it: cells by name, converted to the new types, NULL where
 * the row has none. `out` may be `row`.
 */
WEIR_API void weir_row_fit(weir_call *call, const weir_row *row, const weir_table *table, weir_row *out);

/* `old` with the members of `changes` put over it; `old` may be NULL: then `changes` alone. */
WEIR_API const char *weir_json_merge(weir_call *call, const char *old, const char *changes);
/*
 * What a truncation makes of a document (R-DST-04): NULL: it is to be removed; `json` itself: it stays as it
 * is; another text: the document marked as deleted.
 */
WEIR_API const char *weir_json_truncate(weir_call *call, const weir_truncation *what, const char *json);

/* Releases what was given for the row in hand; weir_batch_next does so itself. For loops without a batch. */
WEIR_API void weir_row_done(weir_call *call);

#ifdef __cplusplus
}
#endif

#endif
