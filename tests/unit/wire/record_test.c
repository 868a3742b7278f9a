/*
 * Unit tests of wire/record. Expected bytes were derived by hand from the encoding and checked with protoc
 * --decode.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"
#include "wire/record.h"

#define SIZE_MAX_HERE ((size_t)1 << 28)
#define BYTES(literal) ((weir_bytes){ literal, sizeof literal - 1 })

typedef struct fixture {
    weir_record_reader *reader;
    weir_record_writer writer;
    weir_buf message; /* what the record below was read from */
    weir_record record;
    weir_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->reader = weir__record_reader_new(7);
    weir__record_writer_init(&f->writer, SIZE_MAX_HERE);
    weir__buf_init(&f->message, SIZE_MAX_HERE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    weir__record_reader_free(f->reader);
    weir__record_writer_clear(&f->writer);
    weir__buf_clear(&f->message);
    free(f);
    assert_int_equal(weir__alloc_live(), 0);
    return 0;
}

static void assert_text(weir_bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    if (bytes.size > 0)
        assert_memory_equal(bytes.data, text, bytes.size);
}

/* Opens `message`, which holds one record, and reads it. */
static weir_status read_one(fixture *f, weir_bytes message)
{
    weir_status status = weir__record_reader_open(f->reader, message, &f->err);

    return status == WEIR_ITEM ? weir__record_reader_next(f->reader, &f->record, &f->err) : status;
}

/* record { schema_name "s" table_name "t" type UPDATE data { "id": long 300, "n": string "x" } } */
#define ONE_RECORD                                                                                          \
    "\x0a\x1d\x0a\x01s\x12\x01t\x18\x01\x22\x09\x0a\x02id\x12\x03\x28\xac\x02\x22\x08\x0a\x01n\x12\x03\x6a" \
    "\x01x"

static void reads_a_lone_record(void **state)
{
    fixture *f = *state;
    char bytes[] = ONE_RECORD;

    assert_int_equal(read_one(f, (weir_bytes){ bytes, sizeof bytes - 1 }), WEIR_ITEM);
    assert_true(f->record.has_schema);
    assert_text(f->record.schema_name, "s");
    assert_text(f->record.table_name, "t");
    assert_int_equal(f->record.op, WEIR_UPDATE);
    assert_int_equal(f->record.size, sizeof bytes - 3);
    assert_int_equal(f->record.count, 2);
    assert_text(f->record.cells[0].name, "id");
    assert_int_equal(f->record.cells[0].type, WEIR_LONG);
    assert_int_equal(f->record.cells[0].presence, WEIR_VALUE);
    assert_int_equal(f->record.cells[0].as.integer, 300);
    assert_int_equal(f->record.cells[1].type, WEIR_STRING);
    assert_text(f->record.cells[1].as.bytes, "x");
    assert_ptr_equal(f->record.cells[1].as.bytes.data,
                     bytes + sizeof bytes - 2); /* borrowed from the message */
    assert_int_equal(weir__record_reader_next(f->reader, &f->record, &f->err), WEIR_OK);
}

/* Unknown fields inside a value, inside its entry (a group) and inside the record. */
static void skips_unknown_fields(void **state)
{
    fixture *f = *state;

    assert_int_equal(read_one(f, BYTES("\x0a\x1d\x12\x01t\x22\x10\x0a\x02id\x12\x06\x28\x05\xa2\x01\x01z\x9b"
                                       "\x06\x9c\x06\x18\x07\xa2\x06\x00"
                                       "\xf8\x06\x01")),
                     WEIR_FAILED); /* type 7 comes late and is unknown */
    assert_non_null(strstr(f->err.text, "type is unknown"));
    assert_int_equal(
        read_one(f, BYTES("\x0a\x1b\x12\x01t\x22\x10\x0a\x02id\x12\x06\x28\x05\xa2\x01\x01z\x9b\x06\x9c\x06"
                          "\xa2\x06\x00\xf8\x06\x01")),
        WEIR_ITEM);
    assert_int_equal(f->record.count, 1);
    assert_int_equal(f->record.cells[0].as.integer, 5);
}

static void puts_value(weir_buf *out, const char *name, weir_bytes value)
{
    weir_buf entry;

    weir__buf_init(&entry, SIZE_MAX_HERE);
    assert_true(weir__buf_printf(&entry, "\x0a%c%s\x12%c", (int)strlen(name), name, (int)value.size));
    assert_true(weir__buf_put(&entry, value.data, value.size));
    assert_true(weir__buf_printf(out, "\x22%c", (int)entry.size));
    assert_true(weir__buf_put(out, entry.data, entry.size));
    weir__buf_clear(&entry);
}

/* Reads a record of table "t" with the one cell "c" whose ValueType has these bytes. */
static weir_status read_value(fixture *f, weir_bytes value)
{
    weir_buf record;

    weir__buf_init(&record, SIZE_MAX_HERE);
    f->message.size = 0;
    assert_true(weir__buf_put(&record, "\x12\x01t", 3));
    puts_value(&record, "c", value);
    assert_true(weir__buf_printf(&f->message, "\x0a%c", (int)record.size));
    assert_true(weir__buf_put(&f->message, record.data, record.size));
    weir__buf_clear(&record);
    return read_one(f, weir__buf_bytes(&f->message));
}

static const weir_record_cell *value_of(fixture *f, weir_bytes value, weir_type type)
{
    assert_int_equal(read_value(f, value), WEIR_ITEM);
    assert_int_equal(f->record.count, 1);
    assert_int_equal(f->record.cells[0].type, type);
    return &f->record.cells[0];
}

static void reads_every_kind_of_value(void **state)
{
    fixture *f = *state;
    const weir_record_cell *cell;

    assert_int_equal(value_of(f, BYTES("\x08\x01"), WEIR_UNSPECIFIED)->presence, WEIR_NULL);
    assert_int_equal(value_of(f, BYTES("\x08\x00"), WEIR_UNSPECIFIED)->presence, WEIR_NULL);
    assert_true(value_of(f, BYTES("\x10\x01"), WEIR_BOOLEAN)->as.boolean);
    assert_false(value_of(f, BYTES("\x10\x00"), WEIR_BOOLEAN)->as.boolean);
    assert_int_equal(
        value_of(f, BYTES("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), WEIR_SHORT)->as.integer, -1);
    assert_int_equal(value_of(f, BYTES("\x18\x80\x80\x02"), WEIR_INT)->as.integer,
                     32768); /* too wide for a SHORT */
    assert_int_equal(value_of(f, BYTES("\x20\x07"), WEIR_INT)->as.integer, 7);
    assert_true(value_of(f, BYTES("\x28\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), WEIR_LONG)->as.integer ==
                INT64_MIN);
    assert_true(value_of(f, BYTES("\x35\x00\x00\xc0\x3f"), WEIR_FLOAT)->as.real == 1.5);
    assert_true(value_of(f, BYTES("\x39\x00\x00\x00\x00\x00\x00\x04\xc0"), WEIR_DOUBLE)->as.real == -2.5);
    cell = value_of(f, BYTES("\x52\x10\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\xff\x93\xeb\x5c"),
                    WEIR_UTC_DATETIME);
    assert_int_equal(cell->as.time.seconds, -1); /* nanos count upwards before 1970 too: R-SRC-07 */
    assert_int_equal(cell->as.time.nanos, 194693631);
    cell = value_of(f, BYTES("\x42\x00"), WEIR_NAIVE_DATE);
    assert_int_equal(cell->as.time.seconds, 0);
    assert_int_equal(value_of(f, BYTES("\x4a\x03\x08\xac\x02"), WEIR_NAIVE_DATETIME)->as.time.seconds, 300);
    assert_text(value_of(f,
                         BYTES("\x5a\x04"
                               "12.5"),
                         WEIR_DECIMAL)
                    ->as.bytes,
                "12.5");
    assert_text(value_of(f, BYTES("\x62\x02\xff\xfe"), WEIR_BINARY)->as.bytes, "\xff\xfe");
    assert_text(value_of(f, BYTES("\x6a\x02\xc3\xa9"), WEIR_STRING)->as.bytes, "\xc3\xa9");
    assert_text(value_of(f, BYTES("\x72\x02{}"), WEIR_JSON)->as.bytes, "{}");
    assert_text(value_of(f, BYTES("\x7a\x00"), WEIR_XML)->as.bytes, "");
    /* of several members the last counts, and parts of a time merge */
    assert_int_equal(value_of(f, BYTES("\x6a\x01x\x20\x07"), WEIR_INT)->as.integer, 7);
    cell = value_of(f, BYTES("\x52\x02\x08\x05\x52\x02\x10\x06"), WEIR_UTC_DATETIME);
    assert_int_equal(cell->as.time.seconds, 5);
    assert_int_equal(cell->as.time.nanos, 6);
    cell = value_of(f, BYTES("\x52\x02\x08\x05\x20\x07\x52\x02\x10\x06"), WEIR_UTC_DATETIME);
    assert_int_equal(cell->as.time.seconds, 0);
}

static void refuses_value(fixture *f, weir_bytes value, const char *reason)
{
    f->record.count = 99;
    assert_int_equal(read_value(f, value), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "table 't', column 'c'"));
    assert_non_null(strstr(f->err.text, reason));
    assert_int_equal(f->record.count, 99);
}

/* R-SRC-07: what a source may not send is refused with the column's name. */
static void refuses_values_that_break_the_rules(void **state)
{
    fixture *f = *state;

    refuses_value(f, BYTES("\x6a\x02\xc3("), "UTF-8");
    refuses_value(f, BYTES("\x72\x01\x80"), "UTF-8");
    refuses_value(f, BYTES("\x5a\x01\x80"), "UTF-8");
    refuses_value(f,
                  BYTES("\x7a\x09"
                        "12345678\xff"),
                  "UTF-8");
    refuses_value(f, BYTES("\x52\x06\x10\x80\x94\xeb\xdc\x03"), "nanoseconds"); /* 1,000,000,000 */
    refuses_value(f, BYTES("\x42\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "nanoseconds");
    refuses_value(f, BYTES("\x82\x01\x00"), "NAIVE_TIME");
    refuses_value(f, BYTES(""), "unset or of an unknown type");
    refuses_value(f, BYTES("\x8a\x01\x00"), "unset or of an unknown type"); /* field 17 */
    refuses_value(f, BYTES("\x6a\x05x"), "longer than the record");
    refuses_value(f, BYTES("\x28\x80"), "number is cut");
    refuses_value(f, BYTES("\x35\x01\x02\x03"), "longer than the record");
    refuses_value(f, BYTES("\x00\x01"), "number 0");
    refuses_value(f, BYTES("\x1c"), "group");
}

static void the_last_of_equal_columns_wins(void **state)
{
    fixture *f = *state;

    /* "a": 1, "b": 2, "a": 3 and "a" again, which was unset at first */
    assert_int_equal(read_one(f, BYTES("\x0a\x1e\x12\x01t\x22\x05\x0a\x01"
                                       "a\x12\x00\x22\x07\x0a\x01"
                                       "b\x12\x02\x20\x02\x22\x07\x0a\x01"
                                       "a\x12\x02\x20\x03\x18\x00")),
                     WEIR_ITEM);
    assert_int_equal(f->record.count, 2);
    assert_text(f->record.cells[0].name, "a");
    assert_int_equal(f->record.cells[0].as.integer, 3);
    assert_int_equal(f->record.cells[1].as.integer, 2);
    assert_true(f->record.cells[0].slot != f->record.cells[1].slot);
}

/* Fields of a record may come in any order, and entries may have any shape that protobuf reads. */
static void takes_unusual_orders(void **state)
{
    fixture *f = *state;

    /* the entry's value before its name, then table and schema after the cells */
    assert_int_equal(read_one(f, BYTES("\x0a\x0f\x22\x07\x12\x02\x20\x05\x0a\x01z\x12\x01t\x0a\x01s")),
                     WEIR_ITEM);
    assert_text(f->record.table_name, "t");
    assert_text(f->record.schema_name, "s");
    assert_text(f->record.cells[0].name, "z");
    assert_int_equal(f->record.cells[0].as.integer, 5);
    /* two table names: the last counts */
    assert_int_equal(read_one(f, BYTES("\x0a\x0f\x12\x01u\x22\x07\x0a\x01z\x12\x02\x20\x05\x12\x01v")),
                     WEIR_ITEM);
    assert_text(f->record.table_name, "v");
    assert_int_equal(f->record.count, 1);
    /* a name of no bytes is a name; a name left out is the same */
    assert_int_equal(read_one(f, BYTES("\x0a\x09\x12\x01t\x22\x04\x12\x02\x20\x05")), WEIR_ITEM);
    assert_text(f->record.cells[0].name, "");
}

/* What one record said about itself must not leak into the next that begins alike. */
static void records_do_not_inherit(void **state)
{
    fixture *f = *state;

    /* { table "t" type DELETE, cell }, the same with a late schema and type, then the first again */
    assert_int_equal(read_one(f, BYTES("\x0a\x0e\x12\x01t\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x05")),
                     WEIR_ITEM);
    assert_int_equal(
        read_one(f, BYTES("\x0a\x13\x12\x01t\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x05\x0a\x01s\x18\x01")),
        WEIR_ITEM);
    assert_text(f->record.schema_name, "s");
    assert_int_equal(f->record.op, WEIR_UPDATE);
    assert_int_equal(read_one(f, BYTES("\x0a\x0e\x12\x01t\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x06")),
                     WEIR_ITEM);
    assert_false(f->record.has_schema);
    assert_text(f->record.schema_name, "");
    assert_int_equal(f->record.op, WEIR_DELETE);
    assert_int_equal(f->record.cells[0].as.integer, 6);
    /* a record with a late table, then one that begins like it and names none */
    assert_int_equal(read_one(f, BYTES("\x0a\x0e\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x05\x12\x01u")),
                     WEIR_ITEM);
    assert_text(f->record.table_name, "u");
    assert_int_equal(read_one(f, BYTES("\x0a\x0b\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x05")), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "names no table"));
    /* and when the one with the late table broke off */
    assert_int_equal(read_one(f, BYTES("\x0a\x0e\x18\x02\x22\x07\x0a\x01z\x12\x02\x35\x05\x12\x01u")),
                     WEIR_FAILED);
    assert_int_equal(read_one(f, BYTES("\x0a\x0b\x18\x02\x22\x07\x0a\x01z\x12\x02\x20\x05")), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "names no table"));
}

static void numbers_tables_and_columns(void **state)
{
    fixture *f = *state;
    uint32_t first;
    uint32_t slots[2];

    assert_int_equal(read_one(f, BYTES("\x0a\x15\x12\x01t\x22\x07\x0a\x01"
                                       "a\x12\x02\x20\x01\x22\x07\x0a\x01"
                                       "b\x12\x02\x20\x02")),
                     WEIR_ITEM);
    first = f->record.table;
    slots[0] = f->record.cells[0].slot;
    slots[1] = f->record.cells[1].slot;
    assert_int_equal(first, 0);
    assert_int_equal(slots[0], 0);
    assert_int_equal(slots[1], 1);
    /* another table: its own number, its own slots */
    assert_int_equal(read_one(f, BYTES("\x0a\x0f\x0a\x01s\x12\x01t\x22\x07\x0a\x01"
                                       "b\x12\x02\x20\x02")),
                     WEIR_ITEM);
    assert_int_equal(f->record.table, 1);
    assert_int_equal(f->record.cells[0].slot, 0);
    /* the first again, columns turned round and a new one */
    assert_int_equal(read_one(f, BYTES("\x0a\x1e\x12\x01t\x22\x07\x0a\x01"
                                       "b\x12\x02\x20\x01\x22\x07\x0a\x01"
                                       "a\x12\x02\x20\x02\x22\x07\x0a\x01"
                                       "c\x12\x02\x20\x02")),
                     WEIR_ITEM);
    assert_int_equal(f->record.table, first);
    assert_int_equal(f->record.cells[0].slot, slots[1]);
    assert_int_equal(f->record.cells[1].slot, slots[0]);
    assert_int_equal(f->record.cells[2].slot, 2);
    assert_int_equal(f->record.slot_count, 3);
    assert_false(f->record.has_schema);
}

static void tells_records_from_the_rest(void **state)
{
    fixture *f = *state;

    assert_int_equal(weir__record_reader_open(f->reader, BYTES(""), &f->err), WEIR_OK);
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x1a\x04\x0a\x02{}"), &f->err), WEIR_OK);
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x3a\x00"), &f->err),
                     WEIR_OK); /* unknown field 7 */
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x32\x00"), &f->err), WEIR_ITEM);
    assert_int_equal(weir__record_reader_next(f->reader, &f->record, &f->err), WEIR_OK);
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x32\x00\x1a\x00"), &f->err), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "more than one operation"));
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x32\x05"), &f->err), WEIR_FAILED);
    assert_int_equal(weir__record_reader_open(f->reader, BYTES("\x32\x02\x0a\x05"), &f->err), WEIR_ITEM);
    assert_int_equal(weir__record_reader_next(f->reader, &f->record, &f->err), WEIR_FAILED);
    assert_int_equal(read_one(f, BYTES("\x0a\x00")), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "names no table"));
}

static void bounds_names(void **state)
{
    fixture *f = *state;
    weir_buf in;

    /* record { table_name of 1,100 bytes } */
    weir__buf_init(&in, SIZE_MAX_HERE);
    assert_true(weir__buf_put(&in, "\x0a\xcf\x08\x12\xcc\x08", 6));
    for (int i = 0; i < 1100; i++)
        assert_true(weir__buf_put(&in, "x", 1));
    assert_int_equal(read_one(f, weir__buf_bytes(&in)), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "too long"));
    weir__buf_clear(&in);
    assert_int_equal(read_one(f, BYTES("\x0a\x04\x12\x02t\x00")), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "NUL"));
    assert_int_equal(read_one(f, BYTES("\x0a\x03\x12\x01\xff")), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "UTF-8"));
}

/* A table of more columns than allowed is refused, and what the reader keeps stays small. */
static void bounds_columns(void **state)
{
    fixture *f = *state;
    weir_buf record;
    weir_buf message;
    weir_status status = WEIR_ITEM;

    weir__buf_init(&record, SIZE_MAX_HERE);
    weir__buf_init(&message, SIZE_MAX_HERE);
    for (int i = 0; status == WEIR_ITEM && i <= 11; i++) {
        record.size = message.size = 0;
        assert_true(weir__buf_put(&record, "\x12\x01t", 3));
        for (int k = 0; k < 1000; k++) {
            char name[16];

            snprintf(name, sizeof name, "c%d", i * 1000 + k);
            puts_value(&record, name, BYTES("\x08\x01"));
        }
        assert_true(
            weir__buf_printf(&message, "\x0a%c%c", (int)(record.size % 128 + 128), (int)(record.size / 128)));
        assert_true(weir__buf_put(&message, record.data, record.size));
        status = read_one(f, weir__buf_bytes(&message));
    }
    assert_int_equal(status, WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "too many columns"));
    assert_int_equal(f->record.slot_count, WEIR_COLUMN_COUNT_MAX);
    weir__buf_clear(&record);
    weir__buf_clear(&message);
}

/* Writes and reads records of ever new tables with `columns` long names each, until the reader refuses. */
static size_t tables_until_refused(fixture *f, size_t columns)
{
    static char names[10][1001];
    weir_cell cells[10];
    char table[16];
    weir_bytes message;

    for (size_t i = 0; i < 10; i++) {
        memset(names[i], 'a' + (int)i, 1000);
        cells[i] = weir_null(names[i]);
    }
    for (size_t i = 0; i < 1000000; i++) {
        weir_record_row row = { .table = { table, (size_t)snprintf(table, sizeof table, "t%zu", i) } };

        row.cells = cells;
        row.count = columns;
        assert_int_equal(weir__record_writer_put(&f->writer, &row, &f->err), WEIR_OK);
        assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
        if (read_one(f, message) != WEIR_ITEM)
            return i;
    }
    fail_msg("the reader never refused");
    return 0;
}

/* However many names a source invents, the reader stays within its memory. */
static void bounds_tables_and_names(void **state)
{
    fixture *f = *state;

    assert_int_equal(tables_until_refused(f, 0), WEIR_TABLE_COUNT_MAX);
    assert_non_null(strstr(f->err.text, "too many tables"));
    weir__record_reader_free(f->reader);
    f->reader = weir__record_reader_new(7);
    assert_in_range(tables_until_refused(f, 10), 1000, WEIR_RECORD_NAMES_SIZE_MAX / 10000);
    assert_non_null(strstr(f->err.text, "too many names"));
}

/* Each prefix is read without looking behind it; only the whole is accepted. */
static void every_prefix_is_handled(void **state)
{
    static const char whole[] = "\x32\x1f" ONE_RECORD;
    fixture *f = *state;

    for (size_t size = 0; size < sizeof whole; size++) {
        char *copy = malloc(size > 0 ? size : 1);

        memcpy(copy, whole, size);
        assert_int_equal(read_one(f, (weir_bytes){ copy, size }), size == 0                 ? WEIR_OK
                                                                  : size < sizeof whole - 1 ? WEIR_FAILED
                                                                                            : WEIR_ITEM);
        free(copy);
    }
}

/* --- the writer --- */

static weir_status put(fixture *f, weir_op op, const weir_cell *cells, size_t count)
{
    const weir_record_row row = { .table = { "t", 1 }, .op = op, .cells = cells, .count = count };

    return weir__record_writer_put(&f->writer, &row, &f->err);
}

static void writes_what_was_derived_by_hand(void **state)
{
    fixture *f = *state;
    const weir_cell cells[] = { weir_long("id", 300), weir_string("n", "x") };
    weir_record_row row = {
        .schema = { "s", 1 }, .table = { "t", 1 }, .op = WEIR_UPDATE, .cells = cells, .count = 2
    };
    weir_bytes message;

    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_OK);
    assert_int_equal(weir__record_writer_put(&f->writer, &row, &f->err), WEIR_OK);
    assert_int_equal(weir__record_writer_count(&f->writer), 1);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_text(message, ONE_RECORD);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_OK);
    /* two records, without schema and of type 0 */
    row = (weir_record_row){ .table = { "t", 1 } };
    assert_int_equal(weir__record_writer_put(&f->writer, &row, &f->err), WEIR_OK);
    assert_int_equal(weir__record_writer_put(&f->writer, &row, &f->err), WEIR_OK);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_text(message, "\x32\x0a\x0a\x03\x12\x01t\x0a\x03\x12\x01t");
    memset((char *)(uintptr_t)message.data - WEIR_RECORD_HEADROOM, 0,
           WEIR_RECORD_HEADROOM); /* promised to be free */
}

/* What the writer sends, the reader gives back, type by type. */
static void every_type_survives_the_way(void **state)
{
    fixture *f = *state;
    const weir_time time = { -1, 999999999 };
    const weir_cell cells[] = {
        weir_null("null"),
        weir_boolean("boolean", true),
        weir_boolean("false", false),
        weir_short("short", -32768),
        weir_int("int", INT32_MIN),
        weir_long("long", INT64_MIN),
        weir_long("zero", 0),
        weir_float("float", 1.5F),
        weir_double("double", -0.0),
        weir_decimal("decimal", "12345678901234567890.5"),
        weir_naive_date("date", (weir_time){ 86400, 0 }),
        weir_naive_datetime("datetime", time),
        weir_utc_datetime("instant", (weir_time){ 0, 0 }),
        weir_binary("binary", "\0\xff", 2),
        weir_string("string", ""),
        weir_string_n("n", "a\0b", 3),
        weir_json("json", "{\"k\": \"a text of more than sixteen bytes\"}"),
        weir_xml("xml", "<a/>"),
    };
    const size_t count = sizeof cells / sizeof cells[0];
    weir_bytes message;

    assert_int_equal(put(f, WEIR_DELETE, cells, count), WEIR_OK);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(read_one(f, message), WEIR_ITEM);
    assert_int_equal(f->record.op, WEIR_DELETE);
    assert_int_equal(f->record.count, count);
    for (size_t i = 0; i < count; i++) {
        const weir_record_cell *got = &f->record.cells[i];

        assert_text(got->name, cells[i].column);
        assert_int_equal(got->type, cells[i].type);
        assert_int_equal(got->presence, cells[i].presence);
        if (got->type >= WEIR_NAIVE_DATE && got->type <= WEIR_UTC_DATETIME) {
            assert_true(got->as.time.seconds == cells[i].as.time.seconds);
            assert_int_equal(got->as.time.nanos, cells[i].as.time.nanos);
        } else if (got->type == WEIR_BOOLEAN) {
            assert_int_equal(got->as.boolean, cells[i].as.boolean);
        } else if (got->type == WEIR_DECIMAL || got->type >= WEIR_BINARY) {
            assert_true(weir__bytes_equal(got->as.bytes, cells[i].as.bytes));
        } else if (got->presence == WEIR_VALUE) {
            assert_memory_equal(&got->as, &cells[i].as, sizeof(int64_t));
        }
    }
}

static void refuses_cell(fixture *f, weir_cell cell, const char *reason)
{
    const weir_cell cells[] = { weir_long("id", 1), cell };

    assert_int_equal(put(f, WEIR_UPSERT, cells, 2), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "table 't', column 'c'"));
    assert_non_null(strstr(f->err.text, reason));
}

/* R-SRC-02, R-SRC-07: a row that may not be sent leaves the writer as it was. */
static void refuses_rows_that_break_the_rules(void **state)
{
    fixture *f = *state;
    const weir_cell good = weir_long("id", 1);
    const weir_cell bad_name = weir_long("\xff", 1);
    const weir_cell bad_both = weir_string("\xff", "\xff");
    weir_cell cell = weir__cell("c", WEIR_UNSPECIFIED, WEIR_UNMODIFIED);
    weir_bytes message;

    assert_int_equal(put(f, WEIR_UPSERT, &good, 1), WEIR_OK);
    refuses_cell(f, cell, "unmodified");
    cell.presence = WEIR_VALUE;
    refuses_cell(f, cell, "no type");
    refuses_cell(f, weir_string("c", "\xff"), "UTF-8");
    refuses_cell(f, weir_utc_datetime("c", (weir_time){ 0, 1000000000 }), "nanoseconds");
    refuses_cell(f, weir_utc_datetime("c", (weir_time){ 0, -1 }), "nanoseconds");
    refuses_cell(f, weir__cell_time("c", WEIR_NAIVE_TIME, (weir_time){ 0, 0 }), "NAIVE_TIME");
    refuses_cell(f, weir__cell_integer("c", WEIR_SHORT, 40000), "16 bits");
    refuses_cell(f, weir__cell_integer("c", WEIR_INT, INT64_C(1) << 40), "32 bits");
    assert_int_equal(put(f, WEIR_UPSERT, &bad_name, 1), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "name is not valid UTF-8"));
    f->writer.scrub = true; /* a name is never repaired, and the text beside it leaves nothing behind */
    assert_int_equal(put(f, WEIR_UPSERT, &bad_both, 1), WEIR_FAILED);
    assert_int_equal(weir__record_writer_count(&f->writer), 1);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_text(message, "\x0a\x0d\x12\x01t\x22\x08\x0a\x02id\x12\x02\x28\x01");
}

/* R-SRC-07: the SDK scrubs text instead of failing. */
static void repairs_text_when_asked(void **state)
{
    fixture *f = *state;
    const weir_cell cells[] = { weir_string("s", "a\xff"
                                                 "b"),
                                weir_binary("b", "\xff", 1) };
    weir_bytes message;

    f->writer.scrub = true;
    assert_int_equal(put(f, WEIR_UPSERT, cells, 2), WEIR_OK);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(read_one(f, message), WEIR_ITEM);
    assert_text(f->record.cells[0].as.bytes, "a\xef\xbf\xbd"
                                             "b");
    assert_text(f->record.cells[1].as.bytes, "\xff");
}

/* Counts the records of a message. */
static size_t records_in(fixture *f, weir_bytes message)
{
    size_t count = 0;
    weir_status status = weir__record_reader_open(f->reader, message, &f->err);

    while (status == WEIR_ITEM &&
           (status = weir__record_reader_next(f->reader, &f->record, &f->err)) == WEIR_ITEM)
        count++;
    assert_int_equal(status, WEIR_OK);
    return count;
}

/* R-SRC-03: batches close at 100 records or 100,000 bytes; a larger record travels alone. */
static void closes_batches(void **state)
{
    fixture *f = *state;
    char *text = memset(malloc(200000), 'x', 200000);
    weir_cell cell = weir_string_n("c", text, 10);
    weir_bytes message;

    for (int i = 1; i <= 100; i++)
        assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), i < 100 ? WEIR_OK : WEIR_ITEM);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(records_in(f, message), 100);
    /* 3 records of 10 bytes, then one of 200,000: the three are ready, then it alone, then the next */
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_OK);
    cell = weir_string_n("c", text, 200000);
    assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_ITEM);
    assert_int_equal(weir__record_writer_count(&f->writer), 4);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(records_in(f, message), 3);
    cell = weir_string_n("c", text, 10);
    assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_ITEM);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(records_in(f, message), 1);
    assert_true(message.size > 200000);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(records_in(f, message), 1);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_OK);
    /* records of 40,000 bytes: the third would pass the limit */
    cell = weir_string_n("c", text, 40000);
    assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_OK);
    assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_OK);
    assert_int_equal(put(f, WEIR_UPSERT, &cell, 1), WEIR_ITEM);
    assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
    assert_int_equal(records_in(f, message), 2);
    assert_true(message.size <= WEIR_RECORDS_SIZE_TARGET);
    free(text);
}

static weir_status read_rows(fixture *f, weir_bytes message)
{
    weir_status status = weir__record_reader_open(f->reader, message, &f->err);

    while (status == WEIR_ITEM)
        status = weir__record_reader_next(f->reader, &f->record, &f->err);
    return status;
}

static weir_status write_and_read(void *context)
{
    fixture f = { .reader = weir__record_reader_new(1) };
    weir_status status = f.reader != NULL ? WEIR_OK : WEIR_FAILED;
    weir_cell cells[40];
    char names[40][16];
    weir_bytes message;

    (void)context;
    weir__record_writer_init(&f.writer, SIZE_MAX_HERE);
    f.writer.scrub = true;
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        cells[i] = weir_string(names[i], i == 7 ? "\xff" : "some text to grow the buffer");
    }
    for (int i = 0; status == WEIR_OK && i < 5; i++)
        status = put(&f, WEIR_UPSERT, cells, 40);
    if (status == WEIR_OK && weir__record_writer_take(&f.writer, &message) == WEIR_ITEM) {
        status = read_rows(&f, message);
        if (status != WEIR_OK)
            assert_int_equal(read_rows(&f, message), WEIR_OK); /* a reader that ran out of memory can go on */
        assert_int_equal(f.record.count, 40);
    }
    weir__record_reader_free(f.reader);
    weir__record_writer_clear(&f.writer);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(write_and_read, NULL);
}

/* Once tables and columns are known, rows cost no allocation. */
static void rows_cost_no_allocation(void **state)
{
    fixture *f = *state;
    const weir_cell cells[] = { weir_long("id", 1), weir_string("name", "x"), weir_null("note") };
    int64_t before = 0;
    weir_bytes message;

    for (int i = 0; i < 2000; i++) {
        weir_status status = put(f, WEIR_UPSERT, cells, 3);

        if (i == 400)
            before = weir__alloc_total();
        if (status == WEIR_ITEM) {
            assert_int_equal(weir__record_writer_take(&f->writer, &message), WEIR_ITEM);
            assert_int_equal(records_in(f, message), 100);
        }
    }
    assert_int_equal(weir__alloc_total(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_lone_record, setup, teardown),
        cmocka_unit_test_setup_teardown(skips_unknown_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_every_kind_of_value, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_values_that_break_the_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_of_equal_columns_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_unusual_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(records_do_not_inherit, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_tables_and_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_records_from_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_names, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_tables_and_names, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_is_handled, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_what_was_derived_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(every_type_survives_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_rows_that_break_the_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(repairs_text_when_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(closes_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_failed_allocations, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_cost_no_allocation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
