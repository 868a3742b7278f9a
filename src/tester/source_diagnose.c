/*
 * tester/source_diagnose: all that is wrong with a message that cannot be read.
 *
 * The record reader stops at the first fault. Here the message is walked once more, byte by byte and
 * forgiving, so that every column with malformed text or an impossible time is named:
 *
 *   UpdateResponse { 1 Record | 6 Records { 1 Record } }
 *   Record { 1 schema, 2 table, 3 type, 4 data { 1 column, 2 ValueType } }
 *   ValueType { 1 null … 8, 9, 10, 16 Timestamp { 1 seconds, 2 nanos } … 11, 13, 14, 15 text }
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tester/source_lint.h"
#include "wire/proto.h"

#define NANOS_MAX 999999999
#define SHOWN 160

/* A run of bytes being read. */
typedef struct scope {
    const uint8_t *at;
    const uint8_t *end;
} scope;

typedef struct field {
    uint32_t number;
    uint32_t type;
    uint64_t value; /* of a varint */
    scope body;     /* of bytes */
} field;

typedef struct diagnosis {
    findings *found;
    size_t count;
    char table[SHOWN];
} diagnosis;

static scope scope_of(const char *data, size_t size)
{
    const uint8_t *at = (const uint8_t *)data;

    return (scope){ at, at + size };
}

/* The next field; false at the end or where the bytes make no sense any more. */
static bool next_field(scope *in, field *out)
{
    weir_wire_fault fault;
    uint32_t tag;
    size_t size;

    if (in->at == NULL || in->at >= in->end)
        return false;
    in->at = weir__wire_tag(in->at, in->end, &tag);
    if (in->at == NULL)
        return false;
    *out = (field){ .number = tag >> 3, .type = tag & 7 };
    if (out->type == WEIR_WIRE_VARINT) {
        in->at = weir__wire_varint(in->at, in->end, &out->value);
    } else if (out->type == WEIR_WIRE_BYTES) {
        in->at = weir__wire_size(in->at, in->end, &size);
        if (in->at != NULL) {
            out->body = (scope){ in->at, in->at + size };
            in->at += size;
        }
    } else {
        in->at = weir__wire_skip(in->at, in->end, tag, 0, &fault);
    }
    return in->at != NULL;
}

/* Repairs and cuts a name for showing. */
static void show(scope name, char out[SHOWN])
{
    char repaired[3 * SHOWN];
    size_t size = (size_t)(name.end - name.at);
    size_t cut = weir__utf8_cut((const char *)name.at, size, SHOWN / 4);

    cut = cut > 0 ? weir__utf8_scrub((const char *)name.at, cut, repaired) : 0;
    memcpy(out, repaired, cut);
    out[cut] = '\0';
}

static bool is_text(scope text)
{
    return text.at == text.end || weir__utf8_valid((const char *)text.at, (size_t)(text.end - text.at));
}

static void look_at_time(diagnosis *d, const char *column, scope time)
{
    field f;

    while (next_field(&time, &f))
        if (f.number == 2 && f.type == WEIR_WIRE_VARINT && ((int64_t)f.value < 0 || f.value > NANOS_MAX)) {
            findings_add(d->found, FINDING_NANOS, d->table, column,
                         "a time has %lld nanoseconds; 0 to 999,999,999 are possible", (long long)f.value);
            d->count++;
        }
}

static bool is_text_kind(uint32_t number)
{
    return number == 11 || number == 13 || number == 14 || number == 15;
}

static void look_at_value(diagnosis *d, const char *column, scope value)
{
    bool set = false;
    field f;

    while (next_field(&value, &f)) {
        set = set || (f.number >= 1 && f.number <= 16);
        if (f.type != WEIR_WIRE_BYTES)
            continue;
        if (is_text_kind(f.number) && !is_text(f.body)) {
            findings_add(d->found, FINDING_UTF8, d->table, column,
                         "a text of %zu bytes is not valid UTF-8: byte %zu is the first that is wrong",
                         (size_t)(f.body.end - f.body.at),
                         weir__utf8_prefix((const char *)f.body.at, (size_t)(f.body.end - f.body.at)));
            d->count++;
        }
        if (f.number == 16) {
            findings_add(d->found, FINDING_NAIVE_TIME, d->table, column, "a value is a NAIVE_TIME");
            d->count++;
        }
        if ((f.number >= 8 && f.number <= 10) || f.number == 16)
            look_at_time(d, column, f.body);
    }
    if (set)
        return;
    findings_add(d->found, FINDING_VALUE_UNSET, d->table, column,
                 "a value is unset, or of a type that the protocol does not have");
    d->count++;
}

static void look_at_entry(diagnosis *d, scope entry)
{
    scope name = { NULL, NULL };
    scope value = { NULL, NULL };
    char column[SHOWN] = "";
    field f;

    while (next_field(&entry, &f)) {
        if (f.type == WEIR_WIRE_BYTES && f.number == 1)
            name = f.body;
        if (f.type == WEIR_WIRE_BYTES && f.number == 2)
            value = f.body;
    }
    if (name.at != NULL)
        show(name, column);
    if (name.at != NULL && !is_text(name)) {
        findings_add(d->found, FINDING_UTF8, d->table, column, "a column's name is not valid UTF-8");
        d->count++;
    }
    look_at_value(d, column, value);
}

static void look_at_record(diagnosis *d, scope record)
{
    scope again = record;
    field f;

    d->table[0] = '\0';
    while (next_field(&again, &f))
        if (f.number == 2 && f.type == WEIR_WIRE_BYTES) {
            show(f.body, d->table);
            if (is_text(f.body))
                continue;
            findings_add(d->found, FINDING_UTF8, d->table, NULL, "a table's name is not valid UTF-8");
            d->count++;
        }
    while (next_field(&record, &f))
        if (f.number == 4 && f.type == WEIR_WIRE_BYTES)
            look_at_entry(d, f.body);
}

size_t lint_diagnose(findings *found, weir_bytes message)
{
    diagnosis d = { .found = found };
    scope outer = scope_of(message.data, message.size);
    field f;

    while (message.size > 0 && next_field(&outer, &f)) {
        if (f.type != WEIR_WIRE_BYTES)
            continue;
        if (f.number == 1)
            look_at_record(&d, f.body);
        if (f.number == 6) {
            scope records = f.body;
            field r;

            while (next_field(&records, &r))
                if (r.number == 1 && r.type == WEIR_WIRE_BYTES)
                    look_at_record(&d, r.body);
        }
    }
    return d.count;
}
