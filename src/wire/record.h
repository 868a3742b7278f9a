/*
 * wire/record: rows on the wire, without an allocation per row.
 *
 * The reader takes UpdateResponse messages one after the other and hands out their records with all cells in
 * an array. It remembers every table and column it has met and gives each a small number, so that its caller
 * finds "my column" with one array index instead of a name comparison:
 *
 *   record.table                number of (schema, table): 0, 1, 2, … in order of first sight
 *   record.cells[i].slot        number of the column within that table, likewise; below record.slot_count
 *
 * Keep, per table number, an array from slot to your own column, extended when record.slot_count has grown.
 *
 * The writer is the other side: rows in, UpdateResponse messages out, closed at the limits of R-SRC-03.
 * Pure. A reader or writer belongs to one thread at a time.
 */
#ifndef WEIR_WIRE_RECORD_H
#define WEIR_WIRE_RECORD_H

#include <weir/base.h>
#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"

/* --- reading --- */

/*
 * One cell. `type` is that of the value on the wire, WEIR_UNSPECIFIED for NULL; which member of `as` counts
 * follows from it as in weir_cell. A `short` outside 16 bits is reported as WEIR_INT, so that the value is
 * kept. `presence` is WEIR_VALUE or WEIR_NULL. Texts are valid UTF-8, nanos are in range (R-SRC-07); digits
 * of a DECIMAL, dates and the syntax of JSON and XML are not checked here.
 */
typedef struct weir_record_cell {
    weir_bytes name; /* borrowed until the reader is freed; terminated */
    uint32_t slot;
    weir_type type;
    weir_presence presence;
    union {
        bool boolean;
        int64_t integer;
        double real;
        weir_time time;
        weir_bytes bytes; /* borrowed from the message; not terminated */
    } as;
} weir_record_cell;

typedef struct weir_record {
    uint32_t table;
    weir_op op;
    bool has_schema;        /* the record names a schema, be it "" */
    weir_bytes schema_name; /* borrowed until the reader is freed, as is table_name; terminated */
    weir_bytes table_name;
    const weir_record_cell *cells; /* in order of appearance, no slot twice; borrowed until the next call */
    size_t count;
    size_t slot_count; /* columns of this table met so far */
    size_t size;       /* bytes on the wire */
} weir_record;

typedef struct weir_record_reader weir_record_reader;

/*
 * A reader for one stream; owned by the caller. `seed` keeps a hostile source from choosing colliding names:
 * draw it at random. NULL when out of memory.
 */
weir_record_reader *weir__record_reader_new(uint64_t seed);
void weir__record_reader_free(weir_record_reader *reader); /* accepts NULL */

/*
 * Starts on one serialized UpdateResponse, borrowed until the next open or free. WEIR_ITEM: it holds records,
 * go on with next. WEIR_OK: it holds something else, or nothing; decode it with weir__codec_decode. Fails
 * when the message is malformed at its outer level or sets more than one operation (protobuf would let the
 * last one win; no encoder writes that, and dropping rows silently is no option).
 */
weir_status weir__record_reader_open(weir_record_reader *reader, weir_bytes message,
                                     weir_error *err) WEIR_CHECKED;

/*
 * The next record of the open message. WEIR_ITEM: `out` is filled. WEIR_OK: no more. Of equal columns the
 * last counts, of a repeated field the last; unknown fields are skipped. Fails, naming the table and where
 * there is one the column, on malformed bytes, text that is no UTF-8, nanos out of range, NAIVE_TIME
 * (R-SRC-07), a value that is unset or of a kind that is not known, an unknown record type, a missing table
 * name, a NUL in a name, and past the limits on names, columns, tables and row size. After a failure only
 * open and free may follow.
 */
weir_status weir__record_reader_next(weir_record_reader *reader, weir_record *out,
                                     weir_error *err) WEIR_CHECKED;

/* --- writing --- */

/* A row to write. Everything is borrowed until put returns. */
typedef struct weir_record_row {
    weir_bytes schema; /* left out when `data` is NULL */
    weir_bytes table;
    weir_op op;
    const weir_cell *cells; /* `count` cells, no column twice; `column` is terminated UTF-8 */
    size_t count;
} weir_record_row;

/* Bytes before a taken message that its receiver may overwrite: room for a frame's header. */
#define WEIR_RECORD_HEADROOM ((size_t)8)

/* Private but for `scrub`; initialise with weir__record_writer_init. */
typedef struct weir_record_writer {
    bool scrub;        /* text that is no UTF-8 is repaired with U+FFFD (R-SRC-07); otherwise it is refused */
    bool repaired;     /* it was, in the last record that was put; may be read */
    weir_buf out;      /* free bytes, then records one behind the other */
    size_t taken;      /* where the first record that has not been taken begins */
    size_t ready;      /* where the message that is ready ends; 0 when none is */
    size_t count;      /* records up to `ready`, or to the end when no message is ready */
    size_t pending;    /* records after `ready` */
    size_t size_bytes; /* bytes that the last record's size took */
} weir_record_writer;

/* Allocates nothing. One record may take up to `size_max` bytes together with those waiting before it. */
void weir__record_writer_init(weir_record_writer *writer, size_t size_max);
void weir__record_writer_clear(weir_record_writer *writer);

/*
 * Appends a record. WEIR_OK: done. WEIR_ITEM: done, and a message has reached WEIR_RECORDS_COUNT_MAX records
 * or WEIR_RECORDS_SIZE_TARGET bytes (R-SRC-03): take it before the next put. Fails, naming table and column,
 * with the writer as before: text that is no UTF-8 (unless `scrub`), a number or nanos out of range,
 * NAIVE_TIME, a cell that is WEIR_UNMODIFIED or has no type, a row over WEIR_ROW_SIZE_MAX, out of memory.
 */
weir_status weir__record_writer_put(weir_record_writer *writer, const weir_record_row *row,
                                    weir_error *err) WEIR_CHECKED;

/*
 * WEIR_ITEM: *message is a whole serialized UpdateResponse, borrowed until the writer's next call: the one
 * that is ready, or else all that waits. A lone record goes as `record`, more as `records`. WEIR_OK: nothing
 * waits. To flush, call it until it says WEIR_OK.
 */
weir_status weir__record_writer_take(weir_record_writer *writer, weir_bytes *message) WEIR_CHECKED;

/* Records that wait, ready ones included. */
size_t weir__record_writer_count(const weir_record_writer *writer);

#endif
