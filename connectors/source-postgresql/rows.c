/*
 * source-postgresql/rows: COPY's binary stream to rows.
 *
 * The bytes are taken from libpq with PQgetlineAsync, which copies into our buffer instead of allocating each
 * row as PQgetCopyData would; rows are decoded where they lie. Values that need another form (decimals,
 * uuids) are written into a scratch buffer that is reused by every row. See shared-postgresql/wire.h for the
 * shape of the bytes.
 */
#include <stdlib.h>

#include "numeric.h"
#include "source.h"
#include "values.h"
#include "wire.h"

#define BUFFER_SIZE ((size_t)1 << 20)
#define SCRATCH_SIZE ((size_t)64 << 10)
#define ROW_SIZE_MAX ((size_t)64 << 20) /* what a record may hold */
#define ROWS_BETWEEN_LOOKS 4096         /* at weir_running */
#define UUID_TEXT_SIZE 36

/* One COPY in progress. */
struct stream {
    sync_run *run;
    source_table *table;
    source_column **columns; /* those that are read, in the order of the query */
    weir_cell *cells;
    size_t count;
    char *buffer;
    size_t first, end, capacity; /* what is not decoded yet lies in [first, end) */
    char *scratch;
    size_t scratch_size, scratch_capacity;
    bool begun; /* the header is behind us */
    bool ended; /* the end mark has been seen */
};

/* What a decoding step says. */
enum step {
    STEP_ROW,
    STEP_MORE,
    STEP_END,
    STEP_MALFORMED,
    STEP_MEMORY
};

void rows_select_list(text *sql, const source_table *table)
{
    const char *mark = "";

    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];
        const char *rest = column->cast ? strstr(column->cast, "%s") : NULL;

        if (!column->selected)
            continue;
        text_put(sql, mark);
        if (rest != NULL)
            text_printf(sql, "%.*s", (int)(rest - column->cast), column->cast);
        text_name(sql, column->name);
        if (rest != NULL)
            text_put(sql, rest + 2);
        mark = ", ";
    }
}

/*
 * Room for `size` bytes; cells that point into the scratch buffer follow it when it moves. NULL: out of
 * memory.
 */
static char *scratch_reserve(struct stream *in, size_t size, size_t cells_done)
{
    size_t capacity = in->scratch_capacity;
    char *moved;

    if (in->scratch_size + size <= capacity)
        return in->scratch + in->scratch_size;
    while (capacity < in->scratch_size + size)
        capacity *= 2;
    moved = malloc(capacity);
    if (moved == NULL)
        return NULL;
    memcpy(moved, in->scratch, in->scratch_size);
    for (size_t i = 0; i < cells_done; i++) {
        const char *data = in->cells[i].as.bytes.data;
        column_form form = in->columns[i]->form;

        if ((form == FORM_DECIMAL || form == FORM_NUMERIC || form == FORM_UUID) && data != NULL &&
            in->cells[i].presence == WEIR_VALUE)
            in->cells[i].as.bytes.data = moved + (data - in->scratch);
    }
    free(in->scratch);
    in->scratch = moved;
    in->scratch_capacity = capacity;
    return moved + in->scratch_size;
}

static void set_timestamp(struct stream *in, size_t index, const char *at)
{
    int64_t micros = (int64_t)wire_get64(at);
    int64_t seconds = micros / WIRE_MICROS;
    int64_t rest = micros % WIRE_MICROS;

    if (rest < 0) { /* nanos count forward also before 1970 (R-SRC-07) */
        rest += WIRE_MICROS;
        seconds--;
    }
    value_set_time(in->run->call, in->table, in->columns[index],
                   (weir_time){ seconds + WIRE_EPOCH_SECONDS, (int32_t)(rest * 1000) }, &in->cells[index]);
}

static bool set_numeric(struct stream *in, size_t index, const char *at, size_t size)
{
    weir_cell *cell = &in->cells[index];
    source_column *column = in->columns[index];
    size_t size_max = numeric_text_size_max(at, size);
    size_t length;
    char *out = scratch_reserve(in, size_max, index);
    const char *special = NULL;

    if (out == NULL || size_max == 0)
        return false;
    switch (numeric_to_text(at, size, out, &length)) {
    case NUMERIC_FINITE:
        in->scratch_size += length;
        cell->as.bytes = (weir_bytes){ out, length };
        return true;
    case NUMERIC_NAN:
        special = "NaN";
        break;
    case NUMERIC_INFINITY:
        special = "Infinity";
        break;
    case NUMERIC_MINUS_INFINITY:
        special = "-Infinity";
        break;
    case NUMERIC_MALFORMED:
        return false;
    }
    if (column->form == FORM_NUMERIC) {
        length = strlen(special);
        memcpy(out, special, length);
        in->scratch_size += length;
        cell->as.bytes = (weir_bytes){ out, length };
        return true;
    }
    value_set_nan(in->run->call, in->table, column, cell);
    return true;
}

static bool set_uuid(struct stream *in, size_t index, const char *at)
{
    static const char hex[] = "0123456789abcdef";
    char *out = scratch_reserve(in, UUID_TEXT_SIZE, index);
    char *to = out;

    if (out == NULL)
        return false;
    for (int i = 0; i < 16; i++) {
        unsigned char byte = (unsigned char)at[i];

        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
    in->scratch_size += UUID_TEXT_SIZE;
    in->cells[index].as.bytes = (weir_bytes){ out, UUID_TEXT_SIZE };
    return true;
}

/* Bytes that a value of the form has; 0 where they vary. */
static size_t form_size(column_form form)
{
    switch (form) {
    case FORM_BOOLEAN:
        return 1;
    case FORM_INT2:
        return 2;
    case FORM_INT4:
    case FORM_FLOAT4:
    case FORM_DATE:
        return 4;
    case FORM_INT8:
    case FORM_FLOAT8:
    case FORM_TIMESTAMP:
        return 8;
    case FORM_UUID:
        return 16;
    default:
        return 0;
    }
}

/* One field that is not NULL. False: malformed, or out of memory. */
static bool set_field(struct stream *in, size_t index, const char *at, size_t size)
{
    weir_cell *cell = &in->cells[index];
    column_form form = in->columns[index]->form;
    union {
        uint32_t bits32;
        uint64_t bits64;
        float real32;
        double real64;
    } number;

    if (form_size(form) != 0 && form_size(form) != size)
        return false;
    cell->presence = WEIR_VALUE;
    switch (form) {
    case FORM_BOOLEAN:
        cell->as.boolean = *at != 0;
        return true;
    case FORM_INT2:
        cell->as.integer = (int16_t)wire_get16(at);
        return true;
    case FORM_INT4:
        cell->as.integer = (int32_t)wire_get32(at);
        return true;
    case FORM_INT8:
        cell->as.integer = (int64_t)wire_get64(at);
        return true;
    case FORM_FLOAT4:
        number.bits32 = wire_get32(at);
        cell->as.real = (double)number.real32;
        return true;
    case FORM_FLOAT8:
        number.bits64 = wire_get64(at);
        cell->as.real = number.real64;
        return true;
    case FORM_DATE:
        value_set_time(in->run->call, in->table, in->columns[index],
                       (weir_time){ ((int32_t)wire_get32(at) + WIRE_EPOCH_DAYS) * 86400, 0 }, cell);
        return true;
    case FORM_TIMESTAMP:
        set_timestamp(in, index, at);
        return true;
    case FORM_DECIMAL:
    case FORM_NUMERIC:
        return set_numeric(in, index, at, size);
    case FORM_UUID:
        return set_uuid(in, index, at);
    case FORM_JSONB:
        if (size == 0)
            return false;
        cell->as.bytes = (weir_bytes){ at + 1, size - 1 };
        return true;
    case FORM_BYTES:
    case FORM_CAST:
        cell->as.bytes = (weir_bytes){ at, size };
        return true;
    }
    return false;
}

/*
 * The first row of the buffer into the cells. STEP_MORE: it is not there as a whole; the cells are then
 * meaningless.
 */
static enum step decode_row(struct stream *in)
{
    const char *at = in->buffer + in->first;
    const char *end = in->buffer + in->end;

    if (!in->begun) {
        if ((size_t)(end - at) < WIRE_SIGNATURE_SIZE)
            return STEP_MORE;
        if (memcmp(at, WIRE_SIGNATURE, WIRE_SIGNATURE_SIZE) != 0)
            return STEP_MALFORMED;
        at += WIRE_SIGNATURE_SIZE;
        in->first += WIRE_SIGNATURE_SIZE;
        in->begun = true;
    }
    if (end - at < 2)
        return STEP_MORE;
    if (wire_get16(at) == UINT16_MAX)
        return STEP_END;
    if (wire_get16(at) != in->count)
        return STEP_MALFORMED;
    at += 2;
    in->scratch_size = 0;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t size;

        if (end - at < 4)
            return STEP_MORE;
        size = wire_get32(at);
        at += 4;
        if (size == UINT32_MAX) {
            in->cells[i].presence = WEIR_NULL;
            continue;
        }
        if ((size_t)(end - at) < size)
            return STEP_MORE;
        if (!set_field(in, i, at, size))
            return STEP_MALFORMED;
        at += size;
    }
    in->first = (size_t)(at - in->buffer);
    return STEP_ROW;
}

/* Room for more bytes behind those that are not decoded. False: the row is too large, or out of memory. */
static bool make_room(struct stream *in)
{
    size_t kept = in->end - in->first;
    char *moved;

    if (in->first > 0) {
        memmove(in->buffer, in->buffer + in->first, kept);
        in->first = 0;
        in->end = kept;
    }
    if (kept < in->capacity)
        return true;
    if (in->capacity >= 2 * ROW_SIZE_MAX)
        return false;
    moved = realloc(in->buffer, in->capacity * 2);
    if (moved == NULL)
        return false;
    in->buffer = moved;
    in->capacity *= 2;
    return true;
}

/*
 * Takes what libpq has, waiting for at least something. WEIR_ITEM, WEIR_OK at the end of the COPY, or a
 * failure.
 */
static weir_status take_bytes(struct stream *in, const char *doing)
{
    sync_run *run = in->run;

    if (!make_room(in))
        return weir_task(
            run->call,
            "A row of table '%s.%s' is larger than %zu MB, which no record can hold. Leave its large column "
            "out of the sync.",
            in->table->schema, in->table->name, ROW_SIZE_MAX >> 20);
    for (;;) {
        size_t before = in->end;
        int got = 0;

        while (in->end < in->capacity) {
            got = PQgetlineAsync(run->link, in->buffer + in->end, (int)(in->capacity - in->end));
            if (got <= 0)
                break;
            in->end += (size_t)got;
        }
        if (in->end > before)
            return WEIR_ITEM;
        if (got < 0)
            return WEIR_OK;
        if (!weir_running(run->call)) {
            link_cancel(run->link);
            return WEIR_CANCELLED;
        }
        if (!link_read(run->link))
            return link_failed(run->call, run->link, NULL, doing);
    }
}

/* Every row of the COPY that has begun; its result is left to read. */
static weir_status read_rows(struct stream *in, const rows_reader *reader, int64_t *rows)
{
    sync_run *run = in->run;
    int64_t since = 0;
    weir_status status = WEIR_ITEM;

    while ((status = take_bytes(in, reader->doing)) == WEIR_ITEM) {
        enum step step = STEP_END;

        while (!in->ended && (step = decode_row(in)) == STEP_ROW) {
            status = weir_upsert(run->out, &in->table->table, in->cells, in->count);
            if (status != WEIR_OK)
                return status;
            ++*rows;
            if (*rows % ROWS_BETWEEN_LOOKS == 0 && !weir_running(run->call))
                return WEIR_CANCELLED;
            if (++since == reader->checkpoint_rows) {
                since = 0;
                status = reader->passed(reader->argument, in->cells, in->count);
                if (status != WEIR_OK)
                    return status;
            }
        }
        if (step == STEP_MALFORMED)
            return weir_fail(run->call, "%s: the server sent a row that its columns do not explain",
                             reader->doing);
        if (step == STEP_END) { /* nothing but the end of the COPY follows */
            in->ended = true;
            in->first = in->end;
        }
    }
    if (status == WEIR_OK && since > 0 && reader->passed != NULL && in->begun)
        status = reader->passed(reader->argument, in->cells, in->count);
    return status;
}

static bool stream_init(struct stream *in, sync_run *run, source_table *table)
{
    *in = (struct stream){
        .run = run, .table = table, .capacity = BUFFER_SIZE, .scratch_capacity = SCRATCH_SIZE
    };
    in->columns = calloc(table->column_count + 1, sizeof *in->columns);
    in->cells = calloc(table->column_count + 1, sizeof *in->cells);
    in->buffer = malloc(in->capacity);
    in->scratch = malloc(in->scratch_capacity);
    if (in->columns == NULL || in->cells == NULL || in->buffer == NULL || in->scratch == NULL)
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].selected)
            continue;
        in->columns[in->count] = &table->columns[i];
        in->cells[in->count].column = table->columns[i].name;
        in->cells[in->count].type = table->columns[i].weir;
        in->count++;
    }
    return true;
}

static void stream_clear(struct stream *in)
{
    free(in->scratch);
    free(in->buffer);
    free(in->cells);
    free(in->columns);
}

weir_status rows_copy(sync_run *run, source_table *table, const rows_reader *reader, int64_t *rows)
{
    struct stream in;
    PGresult *result;
    weir_status status;

    if (!stream_init(&in, run, table)) {
        status = weir_fail(run->call, "%s: out of memory", reader->doing);
        goto out;
    }
    status = link_copy(run->call, run->link, reader->doing, reader->query, PGRES_COPY_OUT);
    if (status == WEIR_OK)
        status = read_rows(&in, reader, rows);
    if (status != WEIR_OK)
        goto out; /* the connection is closed with the session; what it still sends is of no use */
    result = link_finish(run->call, run->link);
    if (result == NULL)
        status = WEIR_CANCELLED;
    else if (PQresultStatus(result) != PGRES_COMMAND_OK)
        status = link_failed(run->call, run->link, result, reader->doing);
    PQclear(result);
out:
    stream_clear(&in);
    return status;
}
