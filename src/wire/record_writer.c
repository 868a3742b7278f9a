/*
 * wire/record: the writer. Records are written one behind the other, as they stand inside a Records message;
 * the outer header is put before them when the message is taken, right-aligned into the bytes kept free
 * there. A lone record needs none: inside Records and directly inside UpdateResponse its tag is the same.
 *
 *   out:  headroom | 0A size Record | 0A size Record | … | 0A size Record …
 *                  ^taken                            ^ready              ^out.size
 *
 * Sizes inside a record are computed before its bytes are written; only a record's own size is not: its
 * varint gets as many bytes as the last record's had, and the record is moved when that was wrong.
 */
#include "wire/record.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "wire/proto.h"

#define TAG_RECORD 0x0A                               /* UpdateResponse.record and Records.records */
#define TAG_RECORDS WEIR_WIRE_TAG(6, WEIR_WIRE_BYTES) /* UpdateResponse.records */
#define OUTER_SIZE_MAX 6                              /* that tag and a size */
#define FRONT (WEIR_RECORD_HEADROOM + OUTER_SIZE_MAX) /* bytes free before the first record */
#define CELL_ROOM 64                                  /* bytes of an entry besides name and text, at most */
#define NANOS_PER_SECOND 1000000000
#define SHOWN_NAME_MAX 120

void weir__record_writer_init(weir_record_writer *writer, size_t size_max)
{
    *writer = (weir_record_writer){ .taken = FRONT };
    weir__buf_init(&writer->out, size_max < SIZE_MAX - FRONT ? size_max + FRONT : SIZE_MAX);
}

void weir__record_writer_clear(weir_record_writer *writer)
{
    weir__buf_clear(&writer->out);
    writer->taken = FRONT;
    writer->ready = writer->count = writer->pending = 0;
}

size_t weir__record_writer_count(const weir_record_writer *writer)
{
    return writer->count + writer->pending;
}

/* "cannot send a row of table 'orders', column 'id': reason" */
static __attribute__((noinline, cold)) weir_status refuse(const weir_record_row *row, const weir_cell *cell,
                                                          const char *reason, weir_error *err)
{
    char shown[2][3 * SHOWN_NAME_MAX];
    size_t sizes[2] = { 0, 0 };
    weir_bytes names[2] = { row->table, { NULL, 0 } };

    if (cell != NULL)
        names[1] = (weir_bytes){ cell->column, strlen(cell->column) };
    for (int i = 0; i < 2; i++)
        if (names[i].size > 0)
            sizes[i] = weir__utf8_scrub(
                names[i].data, weir__utf8_cut(names[i].data, names[i].size, SHOWN_NAME_MAX), shown[i]);
    if (cell != NULL)
        return weir__error(err, "cannot send a row of table '%.*s', column '%.*s': %s", (int)sizes[0],
                           shown[0], (int)sizes[1], shown[1], reason);
    return weir__error(err, "cannot send a row of table '%.*s': %s", (int)sizes[0], shown[0], reason);
}

/* Field number in ValueType of each type; 0 where there is none. */
static const uint8_t value_numbers[WEIR_TYPE_COUNT] = {
    [WEIR_BOOLEAN] = 2,       [WEIR_SHORT] = 3,    [WEIR_INT] = 4,        [WEIR_LONG] = 5,
    [WEIR_FLOAT] = 6,         [WEIR_DOUBLE] = 7,   [WEIR_NAIVE_DATE] = 8, [WEIR_NAIVE_DATETIME] = 9,
    [WEIR_UTC_DATETIME] = 10, [WEIR_DECIMAL] = 11, [WEIR_BINARY] = 12,    [WEIR_STRING] = 13,
    [WEIR_JSON] = 14,         [WEIR_XML] = 15,
};

/* Why the cell cannot be sent; NULL when it can. Its text is checked elsewhere. */
static inline const char *check_cell(const weir_cell *cell)
{
    int64_t integer = cell->as.integer;

    if (cell->presence == WEIR_NULL)
        return NULL;
    if (cell->presence != WEIR_VALUE)
        return "'unmodified' has no place in a row from a source";
    switch (cell->type) {
    case WEIR_SHORT:
        return integer == (int16_t)integer ? NULL : "the value does not fit into 16 bits";
    case WEIR_INT:
        return integer == (int32_t)integer ? NULL : "the value does not fit into 32 bits";
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return cell->as.time.nanos >= 0 && cell->as.time.nanos < NANOS_PER_SECOND
                   ? NULL
                   : "the nanoseconds of a time are not between 0 and 999,999,999";
    case WEIR_NAIVE_TIME:
        return "NAIVE_TIME is only for destinations";
    case WEIR_BOOLEAN:
    case WEIR_LONG:
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
    case WEIR_DECIMAL:
    case WEIR_BINARY:
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        return NULL;
    case WEIR_UNSPECIFIED:
        break;
    }
    return "the cell has no type";
}

/* Copies bytes, short ones without a call; returns the place behind them. */
static inline uint8_t *put_bytes(uint8_t *at, const char *data, size_t size)
{
    uint64_t words[2];
    uint32_t halves[2];

    if (size > 16) {
        memcpy(at, data, size);
    } else if (size >= 8) {
        memcpy(&words[0], data, 8);
        memcpy(&words[1], data + size - 8, 8);
        memcpy(at, &words[0], 8);
        memcpy(at + size - 8, &words[1], 8);
    } else if (size >= 4) {
        memcpy(&halves[0], data, 4);
        memcpy(&halves[1], data + size - 4, 4);
        memcpy(at, &halves[0], 4);
        memcpy(at + size - 4, &halves[1], 4);
    } else {
        for (size_t i = 0; i < size; i++)
            at[i] = (uint8_t)data[i];
    }
    return at + size;
}

static inline uint8_t *put_text(uint8_t *at, uint8_t tag, weir_bytes text)
{
    *at++ = tag;
    at = weir__wire_put_varint(at, text.size);
    return put_bytes(at, text.data, text.size);
}

static inline bool has_text(const weir_cell *cell)
{
    switch (cell->type) {
    case WEIR_DECIMAL:
    case WEIR_BINARY:
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        return cell->presence == WEIR_VALUE;
    default:
        return false;
    }
}

static inline size_t time_size(weir_time time)
{
    return (time.seconds != 0 ? 1 + weir__wire_varint_size((uint64_t)time.seconds) : 0) +
           (time.nanos != 0 ? 1 + weir__wire_varint_size((uint64_t)time.nanos) : 0);
}

/* Bytes of the cell as a ValueType. */
static inline size_t value_size(const weir_cell *cell, weir_bytes text)
{
    if (cell->presence == WEIR_NULL)
        return 2;
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return 2;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return 1 + weir__wire_varint_size((uint64_t)cell->as.integer);
    case WEIR_FLOAT:
        return 5;
    case WEIR_DOUBLE:
        return 9;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return 2 + time_size(cell->as.time);
    default:
        return 1 + weir__wire_varint_size(text.size) + text.size;
    }
}

static inline uint8_t *put_time(uint8_t *at, weir_time time)
{
    *at++ = (uint8_t)time_size(time);
    if (time.seconds != 0) {
        *at++ = WEIR_WIRE_TAG(1, WEIR_WIRE_VARINT);
        at = weir__wire_put_varint(at, (uint64_t)time.seconds);
    }
    if (time.nanos != 0) {
        *at++ = WEIR_WIRE_TAG(2, WEIR_WIRE_VARINT);
        at = weir__wire_put_varint(at, (uint64_t)time.nanos);
    }
    return at;
}

static inline uint8_t *put_real(uint8_t *at, const weir_cell *cell)
{
    float narrow = (float)cell->as.real;
    uint32_t narrow_bits;
    uint64_t bits;

    if (cell->type == WEIR_FLOAT) {
        memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
        weir__wire_store32(at, narrow_bits);
        return at + sizeof narrow_bits;
    }
    memcpy(&bits, &cell->as.real, sizeof bits);
    weir__wire_store64(at, bits);
    return at + sizeof bits;
}

/* Writes the cell as a ValueType, value_size() bytes. */
static inline uint8_t *put_value(uint8_t *at, const weir_cell *cell, weir_bytes text)
{
    uint32_t number = value_numbers[cell->type];

    if (cell->presence == WEIR_NULL) {
        at[0] = WEIR_WIRE_TAG(1, WEIR_WIRE_VARINT);
        at[1] = 1;
        return at + 2;
    }
    switch (cell->type) {
    case WEIR_BOOLEAN:
        at[0] = (uint8_t)WEIR_WIRE_TAG(number, WEIR_WIRE_VARINT);
        at[1] = cell->as.boolean;
        return at + 2;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        *at++ = (uint8_t)WEIR_WIRE_TAG(number, WEIR_WIRE_VARINT);
        return weir__wire_put_varint(at, (uint64_t)cell->as.integer);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        *at++ = (uint8_t)WEIR_WIRE_TAG(number,
                                       cell->type == WEIR_FLOAT ? WEIR_WIRE_FIXED32 : WEIR_WIRE_FIXED64);
        return put_real(at, cell);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        *at++ = (uint8_t)WEIR_WIRE_TAG(number, WEIR_WIRE_BYTES);
        return put_time(at, cell->as.time);
    default:
        return put_text(at, (uint8_t)WEIR_WIRE_TAG(number, WEIR_WIRE_BYTES), text);
    }
}

/* The text of a cell, repaired into `repaired` (owned by the caller) when it has to be and may be. */
static inline const char *text_of(const weir_record_writer *writer, const weir_cell *cell, weir_bytes *text,
                                  char **repaired)
{
    *text = (weir_bytes){ NULL, 0 };
    if (!has_text(cell))
        return NULL;
    *text = cell->as.bytes;
    if (cell->type == WEIR_BINARY || weir__wire_text_valid((const uint8_t *)text->data, text->size))
        return text->size <= WEIR_CELL_SIZE_MAX ? NULL : "the value is too large";
    if (!writer->scrub)
        return "the text is not valid UTF-8";
    if (text->size > WEIR_CELL_SIZE_MAX)
        return "the value is too large";
    *repaired = weir__malloc(3 * text->size);
    if (*repaired == NULL)
        return "out of memory";
    text->size = weir__utf8_scrub(text->data, text->size, *repaired);
    text->data = *repaired;
    return NULL;
}

/* Appends one entry of the record's map. Returns why not, or NULL. */
static inline const char *put_cell(weir_record_writer *writer, const weir_cell *cell)
{
    weir_bytes name = { cell->column, strlen(cell->column) };
    char *repaired = NULL;
    const char *reason = check_cell(cell);
    weir_bytes text;
    uint8_t *at;
    uint8_t *start;
    size_t inner;

    if (reason == NULL && !weir__wire_text_valid((const uint8_t *)name.data, name.size))
        reason = "the column's name is not valid UTF-8";
    if (reason == NULL)
        reason = text_of(writer, cell, &text, &repaired);
    if (reason != NULL)
        return reason;
    start = (uint8_t *)weir__buf_reserve(&writer->out, name.size + text.size + CELL_ROOM);
    if (start == NULL) {
        weir__free(repaired);
        return "out of memory, or the row is too large";
    }
    inner = value_size(cell, text);
    *start = WEIR_WIRE_TAG(4, WEIR_WIRE_BYTES);
    at = weir__wire_put_varint(start + 1, 2 + weir__wire_varint_size(name.size) + name.size +
                                              weir__wire_varint_size(inner) + inner);
    at = put_text(at, WEIR_WIRE_TAG(1, WEIR_WIRE_BYTES), name);
    *at++ = WEIR_WIRE_TAG(2, WEIR_WIRE_BYTES);
    at = weir__wire_put_varint(at, inner);
    at = put_value(at, cell, text);
    writer->out.size += (size_t)(at - start);
    if (repaired != NULL) {
        writer->repaired = true;
        weir__free(repaired);
    }
    return NULL;
}

/* Appends schema, table and type. Returns why not, or NULL. */
static inline const char *put_head(weir_record_writer *writer, const weir_record_row *row)
{
    uint8_t *start;
    uint8_t *at;

    if (!weir__wire_text_valid((const uint8_t *)row->schema.data, row->schema.size) ||
        !weir__wire_text_valid((const uint8_t *)row->table.data, row->table.size))
        return "a schema or table name is not valid UTF-8";
    start = (uint8_t *)weir__buf_reserve(&writer->out, row->schema.size + row->table.size + CELL_ROOM);
    if (start == NULL)
        return "out of memory, or the row is too large";
    at = start;
    if (row->schema.data != NULL)
        at = put_text(at, WEIR_WIRE_TAG(1, WEIR_WIRE_BYTES), row->schema);
    if (row->table.size > 0)
        at = put_text(at, WEIR_WIRE_TAG(2, WEIR_WIRE_BYTES), row->table);
    if (row->op != WEIR_UPSERT) {
        *at++ = WEIR_WIRE_TAG(3, WEIR_WIRE_VARINT);
        *at++ = (uint8_t)row->op;
    }
    writer->out.size += (size_t)(at - start);
    return NULL;
}

/* Writes the size of the record at `start` into the `kept` bytes before it; moves it if they do not fit. */
static bool put_record_size(weir_record_writer *writer, size_t start, size_t kept)
{
    size_t size = writer->out.size - start;
    size_t needed = weir__wire_varint_size(size);
    char *data;

    if (needed > kept && weir__buf_reserve(&writer->out, needed - kept) == NULL)
        return false;
    data = writer->out.data;
    if (needed != kept) {
        memmove(data + start - kept + needed, data + start, size);
        writer->out.size = writer->out.size - kept + needed;
        writer->size_bytes = needed;
    }
    weir__wire_put_varint((uint8_t *)data + start - kept, size);
    return true;
}

/* Appends the record after out.size. Returns why not, or NULL; *culprit is the cell to blame, if one is. */
static const char *put_record(weir_record_writer *writer, const weir_record_row *row,
                              const weir_cell **culprit)
{
    size_t kept = writer->size_bytes;
    const char *reason;
    size_t start;

    if (weir__buf_reserve(&writer->out, 1 + kept) == NULL)
        return "out of memory, or the row is too large";
    writer->out.data[writer->out.size] = TAG_RECORD;
    writer->out.size += 1 + kept;
    start = writer->out.size;
    reason = put_head(writer, row);
    for (size_t i = 0; reason == NULL && i < row->count; i++) {
        reason = put_cell(writer, &row->cells[i]);
        if (reason != NULL)
            *culprit = &row->cells[i];
    }
    if (reason == NULL && writer->out.size - start > WEIR_ROW_SIZE_MAX)
        reason = "the row is too large";
    if (reason == NULL && !put_record_size(writer, start, kept))
        reason = "out of memory, or the row is too large";
    return reason;
}

/* Moves what has not been taken to the front. */
static bool make_room(weir_record_writer *writer)
{
    if (writer->out.size == 0) { /* the first time, or after all has been taken */
        if (weir__buf_reserve(&writer->out, FRONT) == NULL)
            return false;
        writer->out.size = FRONT;
    } else if (writer->taken > FRONT) {
        memmove(writer->out.data + FRONT, writer->out.data + writer->taken, writer->out.size - writer->taken);
        writer->out.size -= writer->taken - FRONT;
    }
    writer->taken = FRONT;
    return true;
}

weir_status weir__record_writer_put(weir_record_writer *writer, const weir_record_row *row, weir_error *err)
{
    const weir_cell *culprit = NULL;
    const char *reason;
    size_t before;

    assert(writer->ready == 0 && row->table.size > 0 && row->op <= WEIR_TRUNCATE);
    if (!make_room(writer))
        return weir__error_memory(err, "sending a row");
    before = writer->out.size;
    writer->repaired = false;
    if (writer->size_bytes == 0)
        writer->size_bytes = 2;
    reason = put_record(writer, row, &culprit);
    if (reason != NULL) {
        writer->out.size = before;
        return refuse(row, culprit, reason, err);
    }
    if (writer->count > 0 && writer->out.size - FRONT > WEIR_RECORDS_SIZE_TARGET) {
        writer->ready = before; /* R-SRC-03: a larger record travels alone */
        writer->pending = 1;
        return WEIR_ITEM;
    }
    writer->count++;
    if (writer->count < WEIR_RECORDS_COUNT_MAX && writer->out.size - FRONT < WEIR_RECORDS_SIZE_TARGET)
        return WEIR_OK;
    writer->ready = writer->out.size;
    return WEIR_ITEM;
}

weir_status weir__record_writer_take(weir_record_writer *writer, weir_bytes *message)
{
    size_t end = writer->ready != 0 ? writer->ready : writer->out.size;
    size_t size = end - writer->taken;
    uint8_t *start;

    if (writer->count == 0)
        return WEIR_OK;
    start = (uint8_t *)writer->out.data + writer->taken;
    if (writer->count > 1) {
        size_t outer = 1 + weir__wire_varint_size(size);

        start -= outer;
        start[0] = TAG_RECORDS;
        weir__wire_put_varint(start + 1, size);
        size += outer;
    }
    *message = (weir_bytes){ (const char *)start, size };
    writer->taken = end;
    writer->ready = 0;
    writer->count = writer->pending;
    writer->pending = 0;
    return WEIR_ITEM;
}
