/*
 * tests/wire: lets a foreign implementation talk to our codecs through a pipe.
 *
 *   request   [command 1][name size 4][name][size 4][bytes]          numbers little-endian
 *   answer    [accepted 1][size 4][bytes]                            the text of the error when not accepted
 *
 * Commands: 'c' decode the message called `name` and encode it again. 'r' read an UpdateResponse with the
 * record reader and describe its records as text lines. 'w' read it so and write its records again with the
 * record writer; the answer is a row of [size 4][UpdateResponse].
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <wire/health.h>
#include <wire/reflection.h>
#include <wire/v2.h>

#include "base/arena.h"
#include "base/map.h"
#include "wire/record.h"

#define REQUEST_SIZE_MAX ((size_t)1 << 26)
#define ROW_CELLS_MAX 4096
#define REQUESTS_PER_READER 300

typedef struct request {
    char command;
    weir_buf name;
    weir_buf bytes;
} request;

static bool read_exactly(void *to, size_t size)
{
    return fread(to, 1, size, stdin) == size;
}

static bool read_run(weir_buf *to)
{
    unsigned char size[4];
    size_t count;
    char *at;

    to->size = 0;
    if (!read_exactly(size, sizeof size))
        return false;
    count = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    at = weir__buf_reserve(to, count + 1);
    if (at == NULL || !read_exactly(at, count))
        return false;
    to->size = count;
    return true;
}

static void put_size(weir_buf *out, size_t at, size_t size)
{
    for (int i = 0; i < 4; i++)
        out->data[at + (size_t)i] = (char)(size >> (8 * i));
}

static const weir_codec_message *find_message(weir_bytes name)
{
    static const struct {
        const weir_codec_message *const *messages;
        const size_t *count;
    } packages[] = {
        { weir__v2_messages, &weir__v2_message_count },
        { weir__health_messages, &weir__health_message_count },
        { weir__reflection_messages, &weir__reflection_message_count },
    };

    for (size_t p = 0; p < sizeof packages / sizeof packages[0]; p++)
        for (size_t i = 0; i < *packages[p].count; i++)
            if (weir__bytes_equal(name, weir__text(packages[p].messages[i]->name)))
                return packages[p].messages[i];
    return NULL;
}

static weir_status recode(const request *req, weir_buf *out, weir_error *err)
{
    const weir_codec_message *type = find_message(weir__buf_bytes(&req->name));
    weir_arena *arena = weir__arena_new(REQUEST_SIZE_MAX);
    void *message = NULL;
    weir_status status = WEIR_FAILED;

    if (type == NULL) {
        status = weir__error(err, "no message of that name");
        goto out;
    }
    message = arena != NULL ? weir__arena_alloc(arena, type->size) : NULL;
    if (message == NULL)
        goto out;
    status = weir__codec_decode(type, weir__buf_bytes(&req->bytes), arena, message, err);
    if (status == WEIR_OK)
        status = weir__codec_encode(type, message, out, err);
out:
    weir__arena_free(arena);
    return status;
}

static bool put_hex(weir_buf *out, weir_bytes bytes)
{
    bool fine = weir__buf_put_text(out, ":");

    for (size_t i = 0; fine && i < bytes.size; i++)
        fine = weir__buf_printf(out, "%02x", (unsigned char)bytes.data[i]);
    return fine;
}

static bool describe_cell(weir_buf *out, const weir_record_cell *cell)
{
    uint64_t bits;
    bool fine = weir__buf_put_text(out, " ") && put_hex(out, cell->name) &&
                weir__buf_printf(out, "=%d", (int)cell->type);

    if (!fine || cell->presence == WEIR_NULL)
        return fine && weir__buf_put_text(out, "null");
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return weir__buf_printf(out, ":%d", cell->as.boolean);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir__buf_printf(out, ":%" PRId64, cell->as.integer);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        memcpy(&bits, &cell->as.real, sizeof bits);
        return weir__buf_printf(out, ":%016" PRIx64, bits);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return weir__buf_printf(out, ":%" PRId64 ".%d", cell->as.time.seconds, (int)cell->as.time.nanos);
    default:
        return put_hex(out, cell->as.bytes);
    }
}

/* schema, table and operation, then the cells: names and bytes as hexadecimal. */
static bool describe(weir_buf *out, const weir_record *record)
{
    bool fine = (record->has_schema ? put_hex(out, record->schema_name) : weir__buf_put_text(out, "-")) &&
                weir__buf_put_text(out, " ") && put_hex(out, record->table_name) &&
                weir__buf_printf(out, " %d", (int)record->op);

    for (size_t i = 0; fine && i < record->count; i++)
        fine = describe_cell(out, &record->cells[i]);
    return fine && weir__buf_put_text(out, "\n");
}

static bool drain(weir_record_writer *writer, bool all, weir_buf *out)
{
    weir_bytes message;

    do {
        size_t at = out->size;

        if (weir__record_writer_take(writer, &message) != WEIR_ITEM)
            return true;
        if (!weir__buf_put(out, "1234", 4) || !weir__buf_put(out, message.data, message.size))
            return false;
        put_size(out, at, message.size);
    } while (all);
    return true;
}

static weir_status write_again(weir_record_writer *writer, const weir_record *record, weir_buf *out,
                               weir_error *err)
{
    static weir_cell cells[ROW_CELLS_MAX];
    weir_record_row row = {
        .table = record->table_name, .op = record->op, .cells = cells, .count = record->count
    };
    weir_status status;

    if (record->count > ROW_CELLS_MAX)
        return weir__error(err, "too many cells for this driver");
    if (record->has_schema)
        row.schema = record->schema_name;
    for (size_t i = 0; i < record->count; i++) {
        const weir_record_cell *from = &record->cells[i];

        cells[i] = (weir_cell){ .column = from->name.data, .type = from->type, .presence = from->presence };
        memcpy(&cells[i].as, &from->as, sizeof cells[i].as);
    }
    status = weir__record_writer_put(writer, &row, err);
    if (status == WEIR_ITEM)
        status = drain(writer, false, out) ? WEIR_OK : weir__error_memory(err, "answering");
    return status;
}

/* The reader lives through many requests, for what it remembers of one message must not change the next. */
static weir_record_reader *shared_reader(bool finish)
{
    static weir_record_reader *reader;
    static int requests;

    if (finish || requests++ % REQUESTS_PER_READER == 0) {
        weir__record_reader_free(reader);
        reader = finish ? NULL : weir__record_reader_new(1);
    }
    return reader;
}

static weir_status read_records(const request *req, weir_buf *out, weir_error *err)
{
    weir_record_reader *reader = shared_reader(false);
    weir_record_writer writer;
    weir_record record;
    weir_status status;

    weir__record_writer_init(&writer, REQUEST_SIZE_MAX);
    status = reader ? weir__record_reader_open(reader, weir__buf_bytes(&req->bytes), err) : WEIR_FAILED;
    while (status == WEIR_ITEM && (status = weir__record_reader_next(reader, &record, err)) == WEIR_ITEM) {
        if (req->command == 'w')
            status = write_again(&writer, &record, out, err) == WEIR_OK ? WEIR_ITEM : WEIR_FAILED;
        else if (!describe(out, &record))
            status = weir__error_memory(err, "answering");
    }
    if (status == WEIR_OK && !drain(&writer, true, out))
        status = weir__error_memory(err, "answering");
    weir__record_writer_clear(&writer);
    return status;
}

static bool answer(const request *req, weir_buf *out)
{
    weir_error err = { .text = "" };
    weir_status status;

    out->size = 0;
    if (!weir__buf_put(out, "?1234", 5))
        return false;
    status = req->command == 'c' ? recode(req, out, &err) : read_records(req, out, &err);
    if (status != WEIR_OK) {
        out->size = 5;
        if (!weir__buf_put_text(out, err.text))
            return false;
    }
    out->data[0] = (char)(status == WEIR_OK);
    put_size(out, 1, out->size - 5);
    return fwrite(out->data, 1, out->size, stdout) == out->size && fflush(stdout) == 0;
}

int main(void)
{
    request req;
    weir_buf out;
    bool fine = true;

    weir__buf_init(&req.name, REQUEST_SIZE_MAX);
    weir__buf_init(&req.bytes, REQUEST_SIZE_MAX);
    weir__buf_init(&out, 4 * REQUEST_SIZE_MAX);
    while (fine && read_exactly(&req.command, 1))
        fine = read_run(&req.name) && read_run(&req.bytes) && answer(&req, &out);
    shared_reader(true);
    weir__buf_clear(&req.name);
    weir__buf_clear(&req.bytes);
    weir__buf_clear(&out);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
