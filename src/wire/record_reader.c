/*
 * wire/record: the reader. One pass over the bytes, nothing copied but names met for the first time.
 *
 *   UpdateResponse   32 size Records   or   0A size Record
 *   Records          0A size Record  0A size Record …
 *   Record           0A size schema  12 size table  18 type  22 size entry  22 size entry …
 *   entry            0A size name  12 size ValueType
 *
 * Rows of one table mostly have the same columns in the same order. Each column remembers which one followed
 * it last time, so a cell's column is found by one comparison of its name with that guess; a hash map answers
 * when the guess is wrong. The comparison also spares the check of the name's UTF-8, for names are checked
 * when they are first met. Each column remembers the row it was last seen in, which finds equal keys without
 * searching.
 *
 * The usual shape of an entry (name, then value, nothing else) is read straight; read_entry takes every other
 * shape.
 */
#include "wire/record.h"

#include "base/alloc.h"
#include "wire/proto.h"
#include "wire/record_names.h"

#define TAG_SCHEMA WEIR_WIRE_TAG(1, WEIR_WIRE_BYTES)
#define TAG_TABLE WEIR_WIRE_TAG(2, WEIR_WIRE_BYTES)
#define TAG_OP WEIR_WIRE_TAG(3, WEIR_WIRE_VARINT)
#define TAG_DATA WEIR_WIRE_TAG(4, WEIR_WIRE_BYTES)
#define TAG_KEY WEIR_WIRE_TAG(1, WEIR_WIRE_BYTES)
#define TAG_VALUE WEIR_WIRE_TAG(2, WEIR_WIRE_BYTES)
#define TAG_SINGLE WEIR_WIRE_TAG(1, WEIR_WIRE_BYTES)  /* UpdateResponse.record, and Records.records */
#define TAG_SEVERAL WEIR_WIRE_TAG(6, WEIR_WIRE_BYTES) /* UpdateResponse.records */
#define OPERATION_LAST 6                              /* highest number of UpdateResponse's oneof */
#define NANOS_PER_SECOND 1000000000
#define HEAD_KEPT_MAX 96   /* bytes of a record's head that are compared with the next record's */
#define SHOWN_NAME_MAX 120 /* bytes of a name in an error text */

static const char reason_cut[] = "a field is longer than the record that holds it";
static const char reason_number[] = "a number is cut or longer than ten bytes";
static const char reason_text[] = "the text is not valid UTF-8";
static const char reason_time[] = "the source sent a NAIVE_TIME, which only destinations may use";
static const char reason_nanos[] = "the nanoseconds of a time are not between 0 and 999,999,999";
static const char reason_kind[] = "the value is unset or of an unknown type";

/* What a record says about itself besides its cells. */
typedef struct head {
    const uint8_t *end; /* of the record */
    weir_bytes schema;
    weir_bytes table;
    uint64_t op;
    bool has_schema;
} head;

struct weir_record_reader {
    weir_record_names names;
    weir_record_table *table; /* of the last record, the guess for the next */
    weir_record_cell *cells;
    size_t capacity;          /* of cells: at least the columns of any table met */
    uint64_t row;             /* rows begun so far */
    char head[HEAD_KEPT_MAX]; /* the bytes of the last record before its first cell … */
    size_t head_size;         /* … 0 when they are not kept */
    uint64_t head_op;         /* … and what they say, besides the table */
    bool head_has_schema;
    const uint8_t *at;
    const uint8_t *end;
    int level;   /* nesting of the records in the open message */
    bool single; /* `at` is a Record, not a Records */
};

weir_record_reader *weir__record_reader_new(uint64_t seed)
{
    weir_record_reader *reader = weir__calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    if (!weir__record_names_init(&reader->names, seed)) {
        weir__record_reader_free(reader);
        return NULL;
    }
    return reader;
}

void weir__record_reader_free(weir_record_reader *reader)
{
    if (reader == NULL)
        return;
    weir__record_names_clear(&reader->names);
    weir__free(reader->cells);
    weir__free(reader);
}

weir_status weir__record_reader_open(weir_record_reader *reader, weir_bytes message, weir_error *err)
{
    static const uint8_t nothing[1];
    const uint8_t *at = message.size > 0 ? (const uint8_t *)message.data : nothing;
    const uint8_t *end = at + message.size;
    weir_bytes found = { NULL, 0 };
    uint32_t operation = 0;
    weir_wire_fault fault = WEIR_WIRE_NUMBER;

    while (at < end) {
        uint32_t tag;

        at = weir__wire_tag(at, end, &tag);
        if (at != NULL && (tag & 7) == WEIR_WIRE_BYTES && tag >> 3 >= 1 && tag >> 3 <= OPERATION_LAST) {
            if (operation != 0)
                return weir__error(err,
                                   "malformed UpdateResponse of %zu bytes: it has more than one operation",
                                   message.size);
            operation = tag;
            at = weir__wire_size(at, end, &found.size);
            fault = WEIR_WIRE_CUT;
            found.data = (const char *)at;
            if (at != NULL)
                at += found.size;
        } else if (at != NULL) {
            at = weir__wire_skip(at, end, tag, 0, &fault);
        }
        if (at == NULL)
            return weir__error(err, "malformed UpdateResponse of %zu bytes: %s", message.size,
                               weir__wire_fault_text(fault));
    }
    if (operation != TAG_SINGLE && operation != TAG_SEVERAL)
        return WEIR_OK;
    reader->single = operation == TAG_SINGLE;
    reader->level = reader->single ? 1 : 2;
    reader->at = (const uint8_t *)found.data;
    reader->end = reader->at + found.size;
    return WEIR_ITEM;
}

/* "malformed record of table 'orders', column 'id': reason"; names are repaired and cut. */
static __attribute__((noinline, cold)) weir_status refuse(weir_bytes table, const weir_bytes *column,
                                                          const char *reason, weir_error *err)
{
    char shown[2][3 * SHOWN_NAME_MAX];
    size_t sizes[2] = { 0, 0 };
    weir_bytes names[2] = { table, column != NULL ? *column : (weir_bytes){ NULL, 0 } };

    for (int i = 0; i < 2; i++)
        if (names[i].size > 0)
            sizes[i] = weir__utf8_scrub(
                names[i].data, weir__utf8_cut(names[i].data, names[i].size, SHOWN_NAME_MAX), shown[i]);
    if (sizes[1] > 0)
        return weir__error(err, "malformed record of table '%.*s', column '%.*s': %s", (int)sizes[0],
                           shown[0], (int)sizes[1], shown[1], reason);
    return weir__error(err, "malformed record of table '%.*s': %s", (int)sizes[0], shown[0], reason);
}

/* Equal bytes, short ones without a call. */
static inline bool equal(const uint8_t *a, const char *b, size_t size)
{
    uint64_t words[4];
    uint32_t halves[4];

    if (size > 16)
        return memcmp(a, b, size) == 0;
    if (size >= 8) {
        memcpy(&words[0], a, 8);
        memcpy(&words[1], b, 8);
        memcpy(&words[2], a + size - 8, 8);
        memcpy(&words[3], b + size - 8, 8);
        return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
    }
    if (size >= 4) {
        memcpy(&halves[0], a, 4);
        memcpy(&halves[1], b, 4);
        memcpy(&halves[2], a + size - 4, 4);
        memcpy(&halves[3], b + size - 4, 4);
        return ((halves[0] ^ halves[1]) | (halves[2] ^ halves[3])) == 0;
    }
    for (size_t i = 0; i < size; i++)
        if (a[i] != (uint8_t)b[i])
            return false;
    return true;
}

/* Where a nested message ends, how far its input may be loaded at once, and how deep it is. */
typedef struct scope {
    const uint8_t *end;
    const uint8_t *limit; /* not before `end`; bytes between them are there but mean nothing */
    int level;
} scope;

/* Reads a Timestamp into `time`, which may hold parts of it already. */
WEIR_INLINE const char *read_time(const uint8_t *at, scope in, weir_time *time)
{
    while (at < in.end) {
        uint32_t tag;
        uint64_t number;
        weir_wire_fault fault;

        at = weir__wire_tag(at, in.end, &tag);
        if (at == NULL)
            return reason_number;
        if (tag == WEIR_WIRE_TAG(1, WEIR_WIRE_VARINT) || tag == WEIR_WIRE_TAG(2, WEIR_WIRE_VARINT)) {
            at = weir__wire_wide_varint(at, in.end, in.limit, &number);
            if (at == NULL)
                return reason_number;
            if (tag >> 3 == 1)
                time->seconds = (int64_t)number;
            else
                time->nanos = (int32_t)(uint32_t)number;
        } else {
            at = weir__wire_skip(at, in.end, tag, in.level, &fault);
            if (at == NULL)
                return weir__wire_fault_text(fault);
        }
    }
    return NULL;
}

/* Type of the value with a given field number, in order of the numbers. */
static const weir_type value_types[] = {
    WEIR_UNSPECIFIED,  WEIR_UNSPECIFIED, WEIR_BOOLEAN, WEIR_SHORT,      WEIR_INT,
    WEIR_LONG,         WEIR_FLOAT,       WEIR_DOUBLE,  WEIR_NAIVE_DATE, WEIR_NAIVE_DATETIME,
    WEIR_UTC_DATETIME, WEIR_DECIMAL,     WEIR_BINARY,  WEIR_STRING,     WEIR_JSON,
    WEIR_XML,          WEIR_NAIVE_TIME,
};

#define PRESENCE_UNSET ((weir_presence)3) /* no member of ValueType has been seen */

/* A member of ValueType that has a length: text, bytes or time. `at` is behind the length. */
WEIR_INLINE const char *read_sized(const uint8_t *at, size_t size, scope in, weir_type type,
                                   weir_record_cell *cell)
{
    bool again = cell->presence == WEIR_VALUE && cell->type == type;

    cell->presence = WEIR_VALUE;
    cell->type = type;
    switch (type) {
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        if (!again)
            cell->as.time = (weir_time){ 0, 0 };
        return read_time(at, (scope){ at + size, in.limit, in.level + 1 }, &cell->as.time);
    case WEIR_BINARY:
        break;
    default:
        if (!weir__wire_text_valid(at, size))
            return reason_text;
        break;
    }
    cell->as.bytes = (weir_bytes){ (const char *)at, size };
    return NULL;
}

/* A member of ValueType that is a varint: NULL, BOOLEAN, SHORT, INT or LONG. */
WEIR_INLINE const uint8_t *read_integer(const uint8_t *at, scope in, weir_type type, weir_record_cell *cell)
{
    uint64_t number;

    at = weir__wire_wide_varint(at, in.end, in.limit, &number);
    if (at == NULL)
        return NULL;
    cell->type = type;
    cell->presence = type == WEIR_UNSPECIFIED ? WEIR_NULL : WEIR_VALUE;
    if (type == WEIR_BOOLEAN)
        cell->as.boolean = number != 0;
    else
        cell->as.integer = type == WEIR_LONG ? (int64_t)number : (int64_t)(int32_t)(uint32_t)number;
    return at;
}

/* A member of ValueType that is a FLOAT or DOUBLE. */
WEIR_INLINE const uint8_t *read_real(const uint8_t *at, const uint8_t *end, weir_type type,
                                     weir_record_cell *cell)
{
    uint64_t bits;
    uint32_t narrow_bits;
    float narrow;
    ptrdiff_t size = type == WEIR_FLOAT ? 4 : 8;

    if (end - at < size)
        return NULL;
    cell->presence = WEIR_VALUE;
    cell->type = type;
    if (type == WEIR_FLOAT) {
        narrow_bits = weir__wire_load32(at);
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        cell->as.real = (double)narrow;
    } else {
        bits = weir__wire_load64(at);
        memcpy(&cell->as.real, &bits, sizeof bits);
    }
    return at + size;
}

/* A field that is no member of ValueType, or a member with another wire type. */
static __attribute__((noinline, cold)) const uint8_t *skip(const uint8_t *at, const uint8_t *end,
                                                           uint32_t tag, int level, const char **reason)
{
    weir_wire_fault fault = WEIR_WIRE_SOUND;

    at = weir__wire_skip(at, end, tag, level, &fault);
    if (at == NULL)
        *reason = weir__wire_fault_text(fault);
    return at;
}

/*
 * Reads the bytes of a ValueType into `cell`, whose presence is PRESENCE_UNSET before its first part. Returns
 * NULL, or what is wrong.
 */
WEIR_INLINE const char *read_value(const uint8_t *at, scope in, weir_record_cell *cell)
{
    while (at < in.end) {
        const char *reason = NULL;
        uint32_t tag;
        size_t size;

        at = weir__wire_tag(at, in.end, &tag);
        if (at == NULL)
            return reason_number;
        switch (tag) {
        case WEIR_WIRE_TAG(1, WEIR_WIRE_VARINT):
        case WEIR_WIRE_TAG(2, WEIR_WIRE_VARINT):
        case WEIR_WIRE_TAG(3, WEIR_WIRE_VARINT):
        case WEIR_WIRE_TAG(4, WEIR_WIRE_VARINT):
        case WEIR_WIRE_TAG(5, WEIR_WIRE_VARINT):
            at = read_integer(at, in, value_types[tag >> 3], cell);
            reason = at == NULL ? reason_number : NULL;
            break;
        case WEIR_WIRE_TAG(6, WEIR_WIRE_FIXED32):
        case WEIR_WIRE_TAG(7, WEIR_WIRE_FIXED64):
            at = read_real(at, in.end, value_types[tag >> 3], cell);
            reason = at == NULL ? reason_cut : NULL;
            break;
        case WEIR_WIRE_TAG(8, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(9, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(10, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(11, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(12, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(13, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(14, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(15, WEIR_WIRE_BYTES):
        case WEIR_WIRE_TAG(16, WEIR_WIRE_BYTES):
            at = weir__wire_size(at, in.end, &size);
            if (at == NULL)
                return reason_cut;
            reason = read_sized(at, size, in, value_types[tag >> 3], cell);
            at += size;
            break;
        default:
            at = skip(at, in.end, tag, in.level, &reason);
            break;
        }
        if (reason != NULL)
            return reason;
    }
    return NULL;
}

/* What holds for a whole value, once all its parts are read. */
WEIR_INLINE const char *check_value(weir_record_cell *cell)
{
    if (cell->presence == PRESENCE_UNSET)
        return reason_kind;
    if (cell->presence == WEIR_NULL)
        return NULL;
    switch (cell->type) {
    case WEIR_SHORT:
        if (cell->as.integer != (int16_t)cell->as.integer)
            cell->type = WEIR_INT;
        return NULL;
    case WEIR_NAIVE_TIME:
        return reason_time;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return cell->as.time.nanos < 0 || cell->as.time.nanos >= NANOS_PER_SECOND ? reason_nanos : NULL;
    default:
        return NULL;
    }
}

/* An entry of any shape: fields in any order, repeated, or unknown. Its name goes to *name. */
static __attribute__((noinline)) const char *read_entry(const uint8_t *at, const uint8_t *end, int level,
                                                        weir_bytes *name, weir_record_cell *cell)
{
    const char *reason = NULL;

    *name = (weir_bytes){ "", 0 };
    cell->presence = PRESENCE_UNSET;
    while (at < end) {
        uint32_t tag;
        size_t size;

        at = weir__wire_tag(at, end, &tag);
        if (at == NULL)
            return reason_number;
        if (tag != TAG_KEY && tag != TAG_VALUE) {
            at = skip(at, end, tag, level, &reason);
            if (at == NULL)
                return reason;
            continue;
        }
        at = weir__wire_size(at, end, &size);
        if (at == NULL)
            return reason_cut;
        if (tag == TAG_KEY) {
            if (!weir__wire_text_valid(at, size))
                return "a column name is not valid UTF-8";
            *name = (weir_bytes){ (const char *)at, size };
        } else {
            reason = read_value(at, (scope){ at + size, end, level + 1 }, cell);
            if (reason != NULL)
                return reason;
        }
        at += size;
    }
    return NULL;
}

/* Splits an entry of the usual shape (short name, value, nothing else) into its two parts. */
WEIR_INLINE bool split_entry(const uint8_t *at, const uint8_t *end, weir_bytes *name, const uint8_t **value)
{
    size_t size = (size_t)(end - at);
    size_t name_size;
    size_t value_size;
    const uint8_t *inner;

    if (size < 4 || at[0] != TAG_KEY || at[1] >= 0x80)
        return false;
    name_size = at[1];
    if (name_size + 4 > size || at[2 + name_size] != TAG_VALUE)
        return false;
    inner = weir__wire_size(at + 3 + name_size, end, &value_size);
    if (inner == NULL || inner + value_size != end)
        return false;
    *name = (weir_bytes){ (const char *)at + 2, name_size };
    *value = inner;
    return true;
}

/* Room for as many cells as the table has columns. */
static bool grow_cells(weir_record_reader *reader, const weir_record_table *table)
{
    size_t capacity = table->capacity;
    weir_record_cell *cells;

    if (reader->capacity >= capacity)
        return true;
    cells = weir__realloc_array(reader->cells, capacity, sizeof *cells);
    if (cells == NULL)
        return false;
    reader->cells = cells;
    reader->capacity = capacity;
    return true;
}

static inline bool is_slot(const weir_record_slot *slot, weir_bytes name)
{
    return slot->size == name.size && equal((const uint8_t *)name.data, slot->name, name.size);
}

/* The column that neither guess nor hint found; its index, or 0 with *reason. */
static __attribute__((noinline)) uint32_t look_up(weir_record_reader *reader, weir_bytes name,
                                                  const char **reason)
{
    uint32_t index = weir__record_names_slot(&reader->names, reader->table, name);

    *reason = index == 0 ? reader->names.reason : NULL;
    if (index == 0)
        return 0;
    if (!grow_cells(reader, reader->table)) {
        *reason = "out of memory";
        return 0;
    }
    reader->table->recent[weir__record_hint(reader->table, name.data, name.size)] = index;
    return index;
}

/* One pass over a record's bytes. */
typedef struct pass {
    weir_record_reader *reader;
    uint32_t last;      /* index of the slot of the previous cell */
    size_t count;       /* cells so far */
    weir_bytes name;    /* of the cell at hand */
    const char *reason; /* what is wrong; NULL while nothing is */
    bool doubtful;      /* a value broke a rule; a later one of the same column may have replaced it */
} pass;

/* The row's cell for column pass->name: a new one, or the first when the column comes again. */
WEIR_INLINE weir_record_cell *claim_cell(pass *p)
{
    weir_record_reader *reader = p->reader;
    weir_record_slot *slots = reader->table->slots;
    weir_record_slot *slot;
    uint32_t index = slots[p->last].next;

    if (index == 0 || !is_slot(&slots[index], p->name)) {
        index = reader->table->recent[weir__record_hint(reader->table, p->name.data, p->name.size)];
        if (index == 0 || !is_slot(&slots[index], p->name))
            index = look_up(reader, p->name, &p->reason);
        if (index == 0)
            return NULL;
        slots = reader->table->slots;
        slots[p->last].next = index;
    }
    slot = &slots[index];
    p->last = index;
    if (slot->row != reader->row) {
        slot->row = reader->row;
        slot->position = (uint32_t)p->count++;
        reader->cells[slot->position].slot = index - 1;
        reader->cells[slot->position].name = (weir_bytes){ slot->name, slot->size };
    }
    return &reader->cells[slot->position];
}

/* Reads the entry at [at, end) into the row. False, with the reason, when it is malformed. */
WEIR_INLINE bool read_cell(pass *p, const uint8_t *at, const uint8_t *end)
{
    int level = p->reader->level + 1;
    weir_record_cell read;
    weir_record_cell *cell;
    const uint8_t *value;

    if (split_entry(at, end, &p->name, &value)) {
        cell = claim_cell(p);
        if (cell == NULL)
            return false;
        cell->presence = PRESENCE_UNSET;
        p->reason = read_value(value, (scope){ end, p->reader->end, level + 1 }, cell);
    } else {
        p->reason = read_entry(at, end, level, &p->name, &read);
        cell = p->reason == NULL ? claim_cell(p) : NULL;
        if (cell == NULL)
            return false;
        read.slot = cell->slot;
        read.name = cell->name;
        *cell = read;
    }
    if (p->reason == NULL && check_value(cell) != NULL)
        p->doubtful = true;
    return p->reason == NULL;
}

/* A name of a record's head. What equals the name of the table before is known to be UTF-8. */
static inline bool known_text(weir_bytes text, weir_bytes before)
{
    return (text.size == before.size && equal((const uint8_t *)text.data, before.data, text.size)) ||
           weir__wire_text_valid((const uint8_t *)text.data, text.size);
}

/* A field of a record that is no cell. Returns the place behind it, or NULL with *reason. */
static inline const uint8_t *read_head_field(const weir_record_reader *reader, const uint8_t *at,
                                             uint32_t tag, head *h, const char **reason)
{
    static const weir_record_table none = { .number = 0 };
    const weir_record_table *before = reader->table != NULL ? reader->table : &none;
    weir_bytes text;

    if (tag == TAG_OP) {
        at = weir__wire_varint(at, h->end, &h->op);
        *reason = reason_number;
        return at;
    }
    if (tag != TAG_SCHEMA && tag != TAG_TABLE)
        return skip(at, h->end, tag, reader->level, reason);
    at = weir__wire_size(at, h->end, &text.size);
    *reason = reason_cut;
    if (at == NULL)
        return NULL;
    text.data = (const char *)at;
    *reason = "a schema or table name is not valid UTF-8";
    if (!known_text(text, tag == TAG_TABLE ? before->name : before->schema))
        return NULL;
    if (tag == TAG_TABLE) {
        h->table = text;
    } else {
        h->schema = text;
        h->has_schema = true;
    }
    return at + text.size;
}

/*
 * Reads all fields of a record but its cells, up to the first cell or, with `whole`, to the end. Returns the
 * place where it stopped, NULL with *reason when it is malformed.
 */
static const uint8_t *read_head(const weir_record_reader *reader, const uint8_t *at, bool whole, head *h,
                                const char **reason)
{
    while (at < h->end) {
        const uint8_t *field = at;
        uint32_t tag;
        size_t size;

        at = weir__wire_tag(at, h->end, &tag);
        *reason = reason_number;
        if (at == NULL)
            return NULL;
        if (tag != TAG_DATA) {
            at = read_head_field(reader, at, tag, h, reason);
        } else if (!whole) {
            return field;
        } else {
            at = weir__wire_size(at, h->end, &size);
            *reason = reason_cut;
            at = at != NULL ? at + size : NULL;
        }
        if (at == NULL)
            return NULL;
    }
    return at;
}

/* Points reader->table at the table that the record names. */
static bool find_table(weir_record_reader *reader, const head *h, const char **reason)
{
    weir_record_table *table = reader->table;

    if (table != NULL && table->name.size == h->table.size && table->schema.size == h->schema.size &&
        equal((const uint8_t *)table->name.data, h->table.data, h->table.size) &&
        equal((const uint8_t *)table->schema.data, h->schema.data, h->schema.size))
        return true;
    if (h->table.size == 0) {
        *reason = "the record names no table";
        return false;
    }
    table = weir__record_names_table(&reader->names, h->schema, h->table);
    *reason = reader->names.reason;
    if (table == NULL)
        return false;
    *reason = "out of memory";
    if (!grow_cells(reader, table))
        return false;
    reader->table = table;
    reader->head_size = 0;
    return true;
}

/* Looks for a value that breaks a rule, now that each column's last one is known. False: there is one. */
static __attribute__((noinline, cold)) bool check_row(pass *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->reason = check_value(&p->reader->cells[i]);
        p->name = p->reader->cells[i].name;
        if (p->reason != NULL)
            return false;
    }
    return true;
}

/*
 * Reads the cells from `at` on. *late is set when a field of the head comes after a cell: then the table may
 * be another one, and the record has to be read again.
 */
static bool read_cells(pass *p, const uint8_t *at, const uint8_t *end, bool *late)
{
    p->reader->row++;
    while (at < end) {
        uint32_t tag;
        size_t size;

        at = weir__wire_tag(at, end, &tag);
        if (tag == TAG_DATA && at != NULL) {
            at = weir__wire_size(at, end, &size);
            p->reason = reason_cut;
            if (at == NULL || !read_cell(p, at, at + size))
                return false;
            at += size;
        } else if (at != NULL) {
            *late = *late || tag == TAG_SCHEMA || tag == TAG_TABLE || tag == TAG_OP;
            p->name.size = 0;
            at = skip(at, end, tag, p->reader->level, &p->reason);
            if (at == NULL)
                return false;
        } else {
            p->reason = reason_number;
            return false;
        }
    }
    return !p->doubtful || check_row(p);
}

/*
 * Reads the head of the record at [start, h->end), fills *h and points reader->table at its table. Records of
 * one table mostly begin with the same bytes: then what they say is known. Returns the place of the first
 * cell, or NULL with *reason.
 */
static inline const uint8_t *begin_record(weir_record_reader *reader, const uint8_t *start, head *h,
                                          const char **reason)
{
    size_t size = reader->head_size;
    const char *late_reason = NULL;
    const uint8_t *cells;
    head before;

    if ((size_t)(h->end - start) > WEIR_ROW_SIZE_MAX) {
        *reason = "the row is too large";
        return NULL;
    }
    if (size > 0 && (size_t)(h->end - start) > size && start[size] == TAG_DATA &&
        memcmp(start, reader->head, size) == 0) {
        h->table = reader->table->name;
        h->has_schema = reader->head_has_schema;
        h->op = reader->head_op;
        return start + size;
    }
    cells = read_head(reader, start, false, h, reason);
    if (cells == NULL)
        return NULL;
    size = cells - start <= HEAD_KEPT_MAX ? (size_t)(cells - start) : 0;
    if (!find_table(reader, h, reason)) {
        /* The table's name may follow the cells; then this head says nothing about the next record. */
        before = *h;
        size = 0;
        if (read_head(reader, cells, true, h, &late_reason) == NULL) {
            *reason = late_reason;
            return NULL;
        }
        if ((h->table.data == before.table.data && h->schema.data == before.schema.data) ||
            !find_table(reader, h, reason))
            return NULL;
    }
    reader->head_size = size;
    memcpy(reader->head, start, reader->head_size);
    reader->head_has_schema = h->has_schema;
    reader->head_op = h->op;
    return cells;
}

static weir_status read_record(weir_record_reader *reader, const uint8_t *start, const uint8_t *end,
                               weir_record *out, weir_error *err)
{
    head h = { .end = end };
    pass p = { .reader = reader };
    const char *reason = NULL;
    bool late = false;
    const uint8_t *cells = begin_record(reader, start, &h, &reason);

    if (cells == NULL)
        return refuse(h.table, NULL, reason, err);
    if (!read_cells(&p, cells, end, &late))
        return refuse(h.table, &p.name, p.reason, err);
    if (late) {
        reader->head_size = 0;
        p = (pass){ .reader = reader };
        if (read_head(reader, start, true, &h, &reason) == NULL || !find_table(reader, &h, &reason))
            return refuse(h.table, NULL, reason, err);
        if (!read_cells(&p, cells, end, &late))
            return refuse(h.table, &p.name, p.reason, err);
    }
    if ((uint32_t)h.op > WEIR_TRUNCATE)
        return refuse(h.table, NULL, "the record's type is unknown", err);
    *out = (weir_record){ .table = reader->table->number,
                          .op = (weir_op)(uint32_t)h.op,
                          .has_schema = h.has_schema,
                          .schema_name = reader->table->schema,
                          .table_name = reader->table->name,
                          .cells = reader->cells,
                          .count = p.count,
                          .slot_count = reader->table->slot_count,
                          .size = (size_t)(end - start) };
    return WEIR_ITEM;
}

weir_status weir__record_reader_next(weir_record_reader *reader, weir_record *out, weir_error *err)
{
    const uint8_t *at = reader->at;

    if (reader->single && at != NULL) {
        reader->at = NULL;
        return read_record(reader, at, reader->end, out, err);
    }
    while (!reader->single && at < reader->end) {
        weir_wire_fault fault = WEIR_WIRE_NUMBER;
        uint32_t tag;
        size_t size;

        at = weir__wire_tag(at, reader->end, &tag);
        if (at != NULL && tag == TAG_SINGLE) {
            at = weir__wire_size(at, reader->end, &size);
            fault = WEIR_WIRE_CUT;
            if (at != NULL) {
                reader->at = at + size;
                return read_record(reader, at, at + size, out, err);
            }
        } else if (at != NULL) {
            at = weir__wire_skip(at, reader->end, tag, 1, &fault);
        }
        if (at == NULL)
            return weir__error(err, "malformed Records in UpdateResponse: %s", weir__wire_fault_text(fault));
    }
    return WEIR_OK;
}
