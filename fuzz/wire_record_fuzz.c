/*
 * fuzz/wire_record: an UpdateResponse from a source, read twice by one reader and written again.
 *
 * Invariants: values lie inside the input, names are terminated and the same in both readings; no column
 * comes twice in a row; the codec accepts whatever the reader accepts; what the reader accepts the writer can
 * send, and what it sends reads as the same rows.
 */
#include <stdlib.h>

#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "wire/record.h"

#define ARENA_SIZE ((size_t)1 << 24)
#define CELLS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool has_bytes(weir_type type)
{
    return type == WEIR_DECIMAL || (type >= WEIR_BINARY && type <= WEIR_JSON);
}

static void check_cell(const weir_record *record, size_t i, weir_bytes in)
{
    const weir_record_cell *cell = &record->cells[i];

    require(cell->slot < record->slot_count && cell->name.data[cell->name.size] == '\0');
    require(cell->presence == WEIR_VALUE ? cell->type > WEIR_UNSPECIFIED && cell->type < WEIR_NAIVE_TIME
                                         : cell->presence == WEIR_NULL);
    for (size_t k = 0; k < i; k++)
        require(record->cells[k].slot != cell->slot);
    if (cell->presence != WEIR_VALUE)
        return;
    if (has_bytes(cell->type))
        require(cell->as.bytes.data >= in.data && cell->as.bytes.data <= in.data + in.size &&
                cell->as.bytes.size <= (size_t)(in.data + in.size - cell->as.bytes.data));
    if (cell->type >= WEIR_NAIVE_DATE && cell->type <= WEIR_UTC_DATETIME)
        require(cell->as.time.nanos >= 0 && cell->as.time.nanos <= 999999999);
}

/* The same value; slots may differ between readers. */
static bool same_cell(const weir_record_cell *a, const weir_record_cell *b)
{
    if (!weir__bytes_equal(a->name, b->name) || a->type != b->type || a->presence != b->presence)
        return false;
    if (a->presence != WEIR_VALUE)
        return true;
    if (has_bytes(a->type))
        return weir__bytes_equal(a->as.bytes, b->as.bytes);
    if (a->type >= WEIR_NAIVE_DATE && a->type <= WEIR_UTC_DATETIME)
        return a->as.time.seconds == b->as.time.seconds && a->as.time.nanos == b->as.time.nanos;
    if (a->type == WEIR_BOOLEAN)
        return a->as.boolean == b->as.boolean;
    return memcmp(&a->as, &b->as, sizeof(int64_t)) == 0;
}

/* Writes the record alone and reads it back with another reader. */
static void check_writer(const weir_record *record)
{
    static weir_cell cells[CELLS_MAX];
    weir_record_row row = {
        .table = record->table_name, .op = record->op, .cells = cells, .count = record->count
    };
    weir_record_reader *reader = weir__record_reader_new(2);
    weir_record_writer writer;
    weir_record again;
    weir_bytes message;

    require(reader != NULL);
    weir__record_writer_init(&writer, ARENA_SIZE);
    if (record->has_schema)
        row.schema = record->schema_name;
    for (size_t i = 0; i < record->count; i++) {
        const weir_record_cell *from = &record->cells[i];

        cells[i] = (weir_cell){ .column = from->name.data, .type = from->type, .presence = from->presence };
        memcpy(&cells[i].as, &from->as, sizeof cells[i].as);
    }
    require(weir__record_writer_put(&writer, &row, NULL) >= 0);
    require(weir__record_writer_take(&writer, &message) == WEIR_ITEM);
    require(weir__record_reader_open(reader, message, NULL) == WEIR_ITEM);
    require(weir__record_reader_next(reader, &again, NULL) == WEIR_ITEM);
    require(again.count == record->count && again.op == record->op && again.has_schema == record->has_schema);
    require(weir__bytes_equal(again.table_name, record->table_name));
    require(weir__bytes_equal(again.schema_name, record->schema_name));
    for (size_t i = 0; i < again.count; i++)
        require(same_cell(&again.cells[i], &record->cells[i]) ||
                (again.cells[i].type == WEIR_FLOAT && again.cells[i].as.real != again.cells[i].as.real));
    weir__record_writer_clear(&writer);
    weir__record_reader_free(reader);
}

/* Reads the whole message; the number of records, or -1 when it was refused. */
static int read_all(weir_record_reader *reader, weir_bytes in, bool write)
{
    weir_record record;
    weir_error err;
    int count = 0;
    weir_status status = weir__record_reader_open(reader, in, &err);

    while (status == WEIR_ITEM && (status = weir__record_reader_next(reader, &record, &err)) == WEIR_ITEM) {
        count++;
        for (size_t i = 0; i < record.count; i++)
            check_cell(&record, i, in);
        if (write && record.count <= CELLS_MAX)
            check_writer(&record);
    }
    return status == WEIR_OK ? count : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_record_reader *reader = weir__record_reader_new(1);
    weir_arena *arena = weir__arena_new(ARENA_SIZE);
    weir_bytes in = { (const char *)data, size };
    v2_update_response response;
    int count;

    require(reader != NULL && arena != NULL);
    count = read_all(reader, in, true);
    require(read_all(reader, in, false) == count); /* with all names known: the fast way */
    if (count >= 0)
        require(weir__codec_decode(&weir__v2_update_response, in, arena, &response, NULL) == WEIR_OK ||
                weir__record_reader_open(reader, in, NULL) == WEIR_OK);
    if (count > 0)
        require(response.which_operation == V2_UPDATE_RESPONSE_RECORD ||
                response.operation.records->records_count == (size_t)count);
    weir__arena_free(arena);
    weir__record_reader_free(reader);
    return 0;
}
