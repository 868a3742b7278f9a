/* record/summary: one pass over the frames; see summary.h. */
#include "record/summary.h"

#include <stdio.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "record/request.h"
#include "record/tape.h"
#include "sys/entropy.h"
#include "wire/record.h"

#define ARENA_SIZE_MAX (512 * WEIR_MIB)
#define NAME_WIDTH 40
#define LINES_MAX 60

typedef struct reading {
    record_summary *summary;
    record_tape *tape;
    weir_record_reader *records;
    size_t *table_of; /* of the record reader's table numbers: index + 1; in the arena */
    size_t table_of_count;
} reading;

static const char *keep(record_summary *s, weir_bytes text)
{
    return weir__arena_copy(s->arena, text.data ? text.data : "", text.size);
}

/* Room for one more element of an array of `size` bytes each in the arena. */
static bool grow(record_summary *s, void **array, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 32;
    void *grown;

    if (count < *capacity)
        return true;
    grown = weir__arena_array(s->arena, wanted, size);
    if (grown == NULL)
        return false;
    if (count > 0)
        memcpy(grown, *array, count * size);
    *array = grown;
    *capacity = wanted;
    return true;
}

/* --- calls --- */

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "reading a recording");
}

static weir_status take_call(reading *r, const record_frame *frame, weir_error *err)
{
    record_summary *s = r->summary;
    weir_bytes request = frame->payload;
    weir_bytes path = { 0 };
    record_subject found = { 0 };
    record_call call = { .begun_us = frame->time_us };
    weir_status status = WEIR_OK;

    if (!record_text_read(&request, &path) || frame->call != s->call_count + 1 ||
        frame->call > WEIR_RECORD_CALLS_MAX)
        return weir__error(err, "the recording is damaged: calls are out of order");
    call.path = keep(s, path);
    call.method = record_method_find(path);
    call.request_size = request.size;
    if (call.method != NULL)
        status = record_subject_find(call.method, request, &found, err);
    if (status != WEIR_OK)
        return status;
    call.schema = keep(s, found.schema);
    call.table = keep(s, found.table);
    if (call.path == NULL || call.schema == NULL || call.table == NULL ||
        !grow(s, (void **)&s->calls, s->call_count, &s->call_capacity, sizeof call))
        return out_of_memory(err);
    s->calls[s->call_count++] = call;
    return WEIR_OK;
}

/* --- records --- */

static record_table *table_of(reading *r, const weir_record *record)
{
    record_summary *s = r->summary;
    record_table *table;

    if (record->table >= r->table_of_count) {
        size_t wanted = ((size_t)record->table + 1) * 2;
        size_t *grown = weir__arena_array(s->arena, wanted, sizeof *grown);

        if (grown == NULL)
            return NULL;
        if (r->table_of_count > 0)
            memcpy(grown, r->table_of, r->table_of_count * sizeof *grown);
        r->table_of = grown;
        r->table_of_count = wanted;
    }
    if (r->table_of[record->table] > 0)
        return &s->tables[r->table_of[record->table] - 1];
    if (!grow(s, (void **)&s->tables, s->table_count, &s->table_capacity, sizeof *table))
        return NULL;
    table = &s->tables[s->table_count];
    *table = (record_table){ .schema = keep(s, record->schema_name), .name = keep(s, record->table_name) };
    if (table->schema == NULL || table->name == NULL)
        return NULL;
    r->table_of[record->table] = ++s->table_count;
    return table;
}

static weir_status take_records(reading *r, record_call *call, weir_bytes message, weir_error *err)
{
    weir_record record;
    weir_status status = weir__record_reader_open(r->records, message, err);

    if (status == WEIR_OK)
        call->checkpoints += message.size > 0 &&
                             (uint8_t)message.data[0] >> 3 == V2_UPDATE_RESPONSE_CHECKPOINT;
    while (status == WEIR_ITEM &&
           (status = weir__record_reader_next(r->records, &record, err)) == WEIR_ITEM) {
        record_table *table = table_of(r, &record);

        if (table == NULL)
            return out_of_memory(err);
        table->upserts += record.op == WEIR_UPSERT;
        table->updates += record.op == WEIR_UPDATE;
        table->deletes += record.op == WEIR_DELETE;
        table->truncates += record.op == WEIR_TRUNCATE;
    }
    return status;
}

/* --- frames --- */

static weir_status take_end(record_summary *s, weir_bytes payload, weir_status *status, const char **text,
                            weir_error *err)
{
    record_end end;

    if (record_end_read(payload, &end, err) != WEIR_OK)
        return WEIR_FAILED;
    *status = end.status;
    *text = keep(s, end.text);
    return *text ? WEIR_OK : out_of_memory(err);
}

static weir_status take_of_call(reading *r, const record_frame *frame, weir_error *err)
{
    record_summary *s = r->summary;
    record_call *call;

    if (frame->call == 0 || frame->call > s->call_count)
        return weir__error(err, "the recording is damaged: a call has not begun");
    call = &s->calls[frame->call - 1];
    switch (frame->type) {
    case RECORD_FILE:
        call->files++;
        return WEIR_OK;
    case RECORD_DATA:
        call->file_size += frame->payload.size;
        return WEIR_OK;
    case RECORD_MESSAGE:
        call->messages++;
        call->message_size += frame->payload.size;
        return call->method != NULL && call->method->stream ? take_records(r, call, frame->payload, err)
                                                            : WEIR_OK;
    default:
        call->ended = true;
        call->ended_us = frame->time_us;
        return take_end(s, frame->payload, &call->status, &call->error, err);
    }
}

static weir_status take_frame(reading *r, const record_frame *frame, weir_error *err)
{
    record_summary *s = r->summary;

    if (frame->time_us > s->duration_us)
        s->duration_us = frame->time_us;
    switch (frame->type) {
    case RECORD_INFO:
        s->info = keep(s, frame->payload);
        return s->info ? WEIR_OK : out_of_memory(err);
    case RECORD_CALL:
        return take_call(r, frame, err);
    case RECORD_FILE:
    case RECORD_DATA:
    case RECORD_MESSAGE:
    case RECORD_END:
        return take_of_call(r, frame, err);
    case RECORD_LOG:
        s->logs++;
        return WEIR_OK;
    case RECORD_CLOSE:
        s->closed = true;
        return take_end(s, frame->payload, &s->status, &s->error, err);
    default:
        return WEIR_OK;
    }
}

weir_status record_summary_read(const char *path, const char *key, record_summary *out, weir_error *err)
{
    reading r = { .summary = out };
    record_frame frame;
    weir_status status;

    *out = (record_summary){ .arena = weir__arena_new(ARENA_SIZE_MAX), .info = "", .error = "" };
    r.records = weir__record_reader_new(weir__entropy_seed());
    status = out->arena != NULL && r.records != NULL ? WEIR_OK : out_of_memory(err);
    if (status == WEIR_OK)
        status = record_tape_open(path, key, &r.tape, err);
    while (status == WEIR_OK && (status = record_tape_next(r.tape, &frame, err)) == WEIR_ITEM)
        status = take_frame(&r, &frame, err);
    if (status == WEIR_OK)
        out->cut = record_tape_cut(r.tape);
    for (size_t i = 0; i < out->call_count; i++)
        if (!out->calls[i].ended)
            out->calls[i].ended_us = out->duration_us;
    record_tape_close(r.tape);
    weir__record_reader_free(r.records);
    return status;
}

void record_summary_clear(record_summary *summary)
{
    weir__arena_free(summary->arena);
    *summary = (record_summary){ 0 };
}

/* --- picture --- */

static bool same_line(const record_call *a, const record_call *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->schema, b->schema) == 0 &&
           strcmp(a->table, b->table) == 0;
}

static size_t column_of(const record_summary *s, uint64_t time_us, size_t width)
{
    uint64_t at = s->duration_us > 0 ? time_us * width / s->duration_us : 0;

    return at < width ? (size_t)at : width - 1;
}

static bool draw_line(const record_summary *s, size_t first, size_t width, weir_buf *out)
{
    const record_call *head = &s->calls[first];
    char name[NAME_WIDTH + 1];
    size_t calls = 0;
    char *line;

    snprintf(name, sizeof name, "%s %s%s%s%s%s", head->method && head->method->source ? "source" : "dest.",
             head->method ? head->method->name : head->path, head->table[0] ? " " : "", head->schema,
             head->schema[0] && head->table[0] ? "." : "", head->table);
    name[weir__utf8_prefix(name, strlen(name))] = '\0';
    if (!weir__buf_printf(out, "%-*s |", NAME_WIDTH, name))
        return false;
    line = weir__buf_reserve(out, width);
    if (line == NULL)
        return false;
    memset(line, ' ', width);
    for (size_t i = first; i < s->call_count; i++) {
        const record_call *call = &s->calls[i];
        size_t from = column_of(s, call->begun_us, width);
        size_t to = column_of(s, call->ended_us, width);

        if (!same_line(head, call))
            continue;
        calls++;
        memset(line + from, call->method && call->method->stream ? '=' : '#', to - from + 1);
        if (!call->ended || call->status != WEIR_OK)
            line[to] = '!';
    }
    out->size += width;
    return weir__buf_printf(out, "| %zu\n", calls);
}

bool record_summary_draw(const record_summary *summary, size_t width, weir_buf *out)
{
    size_t lines = 0;

    if (!weir__buf_printf(out, "%-*s |0%*.1f s|\n", NAME_WIDTH, "", (int)width - 3,
                          (double)summary->duration_us / 1e6))
        return false;
    for (size_t i = 0; i < summary->call_count && lines < LINES_MAX; i++) {
        bool seen = false;

        for (size_t j = 0; j < i && !seen; j++)
            seen = same_line(&summary->calls[i], &summary->calls[j]);
        if (seen)
            continue;
        if (!draw_line(summary, i, width, out))
            return false;
        lines++;
    }
    return lines < LINES_MAX || weir__buf_put_text(out, "…\n");
}
