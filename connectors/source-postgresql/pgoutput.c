/* source-postgresql/pgoutput: one cursor over the bytes; every step says whether there was enough. */
#include "pgoutput.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire.h"

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *in, size_t size, const char **out)
{
    if ((size_t)(in->end - in->at) < size)
        return false;
    *out = in->at;
    in->at += size;
    return true;
}

static bool take8(struct cursor *in, char *out)
{
    const char *at;

    if (!take(in, 1, &at))
        return false;
    *out = *at;
    return true;
}

static bool take16(struct cursor *in, uint16_t *out)
{
    const char *at;

    if (!take(in, 2, &at))
        return false;
    *out = wire_get16(at);
    return true;
}

static bool take32(struct cursor *in, uint32_t *out)
{
    const char *at;

    if (!take(in, 4, &at))
        return false;
    *out = wire_get32(at);
    return true;
}

static bool take64(struct cursor *in, uint64_t *out)
{
    const char *at;

    if (!take(in, 8, &at))
        return false;
    *out = wire_get64(at);
    return true;
}

static bool take_text(struct cursor *in, const char **out)
{
    const char *nul = memchr(in->at, '\0', (size_t)(in->end - in->at));

    if (nul == NULL)
        return false;
    *out = in->at;
    in->at = nul + 1;
    return true;
}

static bool take_field(struct cursor *in, pgoutput_field *out)
{
    uint32_t size = 0;

    out->data = NULL;
    out->size = 0;
    if (!take8(in, &out->kind))
        return false;
    if (out->kind == 'n' || out->kind == 'u')
        return true;
    if (out->kind != 't' || !take32(in, &size) || !take(in, size, &out->data))
        return false;
    out->size = size;
    return true;
}

static bool take_tuple(struct cursor *in, pgoutput_tuple *out)
{
    uint16_t count;

    if (!take16(in, &count) || count > PGOUTPUT_COLUMNS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_field(in, &out->fields[i]))
            return false;
    }
    out->count = count;
    return true;
}

static bool read_relation(struct cursor *in, pgoutput_message *out)
{
    uint16_t count;

    if (!take32(in, &out->relation) || !take_text(in, &out->schema) || !take_text(in, &out->name) ||
        !take8(in, &out->identity) || !take16(in, &count) || count > PGOUTPUT_COLUMNS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        pgoutput_column *column = &out->columns[i];
        char flags;
        uint32_t modifier;

        if (!take8(in, &flags) || !take_text(in, &column->name) || !take32(in, &column->type) ||
            !take32(in, &modifier))
            return false;
        column->key = (flags & 1) != 0;
        column->modifier = (int32_t)modifier;
    }
    out->column_count = count;
    return true;
}

/* The tuples of an INSERT, UPDATE or DELETE. */
static bool read_rows(struct cursor *in, pgoutput_message *out)
{
    char mark;

    out->old_kind = 0;
    out->old_row.count = 0;
    out->new_row.count = 0;
    if (!take32(in, &out->relation) || !take8(in, &mark))
        return false;
    if (out->kind != PGOUTPUT_INSERT && (mark == 'K' || mark == 'O')) {
        out->old_kind = mark;
        if (!take_tuple(in, &out->old_row))
            return false;
        if (out->kind == PGOUTPUT_DELETE)
            return true;
        if (!take8(in, &mark))
            return false;
    }
    return out->kind != PGOUTPUT_DELETE && mark == 'N' && take_tuple(in, &out->new_row);
}

static bool read_truncate(struct cursor *in, pgoutput_message *out)
{
    uint32_t count;
    char flags;

    if (!take32(in, &count) || !take8(in, &flags) || count > (size_t)(in->end - in->at) / 4)
        return false;
    out->relation_count = count;
    return take(in, (size_t)count * 4, &out->relations);
}

static bool read_body(struct cursor *in, char kind, pgoutput_message *out)
{
    const char *skipped;
    uint64_t number;
    uint32_t small;
    char flags;

    switch (kind) {
    case 'B':
        out->kind = PGOUTPUT_BEGIN;
        return take64(in, &out->commit) && take64(in, &number) && take32(in, &out->transaction);
    case 'C':
        out->kind = PGOUTPUT_COMMIT;
        return take8(in, &flags) && take64(in, &out->commit) && take64(in, &out->end) && take64(in, &number);
    case 'R':
        out->kind = PGOUTPUT_RELATION;
        return read_relation(in, out);
    case 'I':
        out->kind = PGOUTPUT_INSERT;
        return read_rows(in, out);
    case 'U':
        out->kind = PGOUTPUT_UPDATE;
        return read_rows(in, out);
    case 'D':
        out->kind = PGOUTPUT_DELETE;
        return read_rows(in, out);
    case 'T':
        out->kind = PGOUTPUT_TRUNCATE;
        return read_truncate(in, out);
    case 'O':
        out->kind = PGOUTPUT_OTHER;
        return take64(in, &number) && take_text(in, &skipped);
    case 'Y':
        out->kind = PGOUTPUT_OTHER;
        return take32(in, &small) && take_text(in, &skipped) && take_text(in, &skipped);
    default:
        return false;
    }
}

bool pgoutput_read(const char *data, size_t size, pgoutput_message *out)
{
    struct cursor in = { data, data + size };
    char kind;

    return take8(&in, &kind) && read_body(&in, kind, out) && in.at == in.end;
}

uint32_t pgoutput_truncated(const pgoutput_message *message, size_t index)
{
    return wire_get32(message->relations + index * 4);
}

bool pgoutput_frame_read(const char *data, size_t size, pgoutput_frame *out)
{
    struct cursor in = { data, data + size };
    char kind, reply;
    uint64_t time;

    *out = (pgoutput_frame){ 0 };
    if (!take8(&in, &kind))
        return false;
    if (kind == 'w') {
        if (!take64(&in, &out->position) || !take64(&in, &out->end) || !take64(&in, &time))
            return false;
        out->data = in.at;
        out->size = (size_t)(in.end - in.at);
        return true;
    }
    if (kind != 'k' || !take64(&in, &out->end) || !take64(&in, &time) || !take8(&in, &reply))
        return false;
    out->keepalive = true;
    out->reply = reply != 0;
    return in.at == in.end;
}

void pgoutput_status_write(char out[PGOUTPUT_STATUS_SIZE], uint64_t received, uint64_t safe, int64_t now,
                           bool reply)
{
    char *at = out;

    *at++ = 'r';
    at = wire_put64(at, received);
    at = wire_put64(at, safe); /* flushed: the server forgets what came before it */
    at = wire_put64(at, safe);
    at = wire_put64(at, (uint64_t)now);
    *at = reply ? 1 : 0;
}

bool pgoutput_lsn_read(const char *text, uint64_t *out)
{
    uint32_t high, low;
    int end = 0;
    size_t digits = strspn(text, "0123456789ABCDEFabcdef");

    if (digits < 1 || digits > 8 || text[digits] != '/' ||
        strspn(text + digits + 1, "0123456789ABCDEFabcdef") > 8 ||
        sscanf(text, "%" SCNx32 "/%" SCNx32 "%n", &high, &low, &end) != 2 || end == 0 || text[end] != '\0')
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

void pgoutput_lsn_write(uint64_t lsn, char out[PGOUTPUT_LSN_SIZE])
{
    (void)snprintf(out, PGOUTPUT_LSN_SIZE, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32), (uint32_t)lsn);
}
