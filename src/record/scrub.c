/* record/scrub: frames read, their payloads copied with other values, frames written; see scrub.h. */
#include "record/scrub.h"

#include <sodium.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "record/batch.h"
#include "record/disguise.h"
#include "record/gather.h"
#include "record/key.h"
#include "record/rewrite.h"
#include "record/tape.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define SCRATCH_SIZE_MAX WEIR_GIB

/* A call whose files are still to come. */
typedef struct open_call {
    struct open_call *next;
    uint32_t number;
    const record_method *method;
    weir_buf request;
} open_call;

typedef struct scrubbing {
    const scrub_options *options;
    scrub_report *report;
    disguise *disguise;
    bool learning;
    weir_arena *arena; /* of one value or row */
    weir_buf text;
    weir_buf payload;
    const record_method **methods; /* of each call */
    size_t method_count;
    size_t method_capacity;
    open_call *calls;
    record_gather files;
    batch_rows_reader *rows;
    batch_rows_writer *copy;
    weir_file *file;
    record_writer *writer;
    record_framer framer;
    char key_path[RECORD_KEY_PATH_SIZE];
    bool key_made;
} scrubbing;

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "scrubbing a recording");
}

/* --- values --- */

/* Replaces the value, whose text is then in the arena; or learns it. */
static bool take_cell(scrubbing *s, weir_cell *cell)
{
    if (s->learning) {
        disguise_learn(s->disguise, cell);
        return true;
    }
    s->text.size = 0;
    if (cell->presence == WEIR_VALUE)
        s->report->values++;
    if (!disguise_cell(s->disguise, cell, &s->text))
        return false;
    if (s->text.size > 0)
        cell->as.bytes.data = weir__arena_copy(s->arena, cell->as.bytes.data, cell->as.bytes.size);
    return s->text.size == 0 || cell->as.bytes.data != NULL;
}

/* A value of the wire as a cell; false: NULL, or a kind that is not known. */
static bool to_cell(const v2_value_type *value, weir_cell *cell)
{
    static const struct {
        uint32_t member;
        weir_type type;
    } texts[] = { { V2_VALUE_TYPE_DECIMAL, WEIR_DECIMAL },
                  { V2_VALUE_TYPE_BINARY, WEIR_BINARY },
                  { V2_VALUE_TYPE_STRING, WEIR_STRING },
                  { V2_VALUE_TYPE_JSON, WEIR_JSON },
                  { V2_VALUE_TYPE_XML, WEIR_XML } };
    static const struct {
        uint32_t member;
        weir_type type;
    } times[] = { { V2_VALUE_TYPE_NAIVE_DATE, WEIR_NAIVE_DATE },
                  { V2_VALUE_TYPE_NAIVE_DATETIME, WEIR_NAIVE_DATETIME },
                  { V2_VALUE_TYPE_UTC_DATETIME, WEIR_UTC_DATETIME },
                  { V2_VALUE_TYPE_NAIVE_TIME, WEIR_NAIVE_TIME } };

    *cell = (weir_cell){ .type = WEIR_LONG };
    switch (value->which_inner) {
    case V2_VALUE_TYPE_SHORT:
        cell->as.integer = value->inner.short_;
        cell->type = cell->as.integer == (int16_t)cell->as.integer ? WEIR_SHORT : WEIR_INT;
        return true;
    case V2_VALUE_TYPE_INT:
        cell->as.integer = value->inner.int_;
        cell->type = WEIR_INT;
        return true;
    case V2_VALUE_TYPE_LONG:
        cell->as.integer = value->inner.long_;
        return true;
    case V2_VALUE_TYPE_FLOAT:
        cell->type = WEIR_FLOAT;
        cell->as.real = (double)value->inner.float_;
        return true;
    case V2_VALUE_TYPE_DOUBLE:
        cell->type = WEIR_DOUBLE;
        cell->as.real = value->inner.double_;
        return true;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].member == value->which_inner) {
            cell->type = texts[i].type;
            cell->as.bytes = value->inner.string; /* all of them are in one place of the union */
            return true;
        }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].member == value->which_inner && value->inner.naive_date != NULL) {
            cell->type = times[i].type;
            cell->as.time = *value->inner.naive_date;
            return true;
        }
    return false;
}

static void from_cell(const weir_cell *cell, v2_value_type *value, weir_time *time)
{
    switch (cell->type) {
    case WEIR_SHORT:
        value->inner.short_ = (int32_t)cell->as.integer;
        break;
    case WEIR_INT:
        value->inner.int_ = (int32_t)cell->as.integer;
        break;
    case WEIR_LONG:
        value->inner.long_ = cell->as.integer;
        break;
    case WEIR_FLOAT:
        value->inner.float_ = (float)cell->as.real;
        break;
    case WEIR_DOUBLE:
        value->inner.double_ = cell->as.real;
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        *time = cell->as.time;
        value->inner.naive_date = time;
        break;
    default:
        value->inner.string = cell->as.bytes;
    }
}

static record_answer take_value(scrubbing *s, weir_bytes bytes, weir_buf *out, weir_error *err)
{
    v2_value_type value = { 0 };
    weir_time time;
    weir_cell cell;
    weir_status status;

    weir__arena_reset(s->arena);
    status = weir__codec_decode(&weir__v2_value_type, bytes, s->arena, &value, err);
    if (status != WEIR_OK)
        return RECORD_FAILED;
    if (to_cell(&value, &cell)) {
        if (!take_cell(s, &cell)) {
            out_of_memory(err);
            return RECORD_FAILED;
        }
        if (s->learning)
            return RECORD_KEEP;
        from_cell(&cell, &value, &time);
    }
    status = weir__codec_encode(&weir__v2_value_type, &value, out, err);
    return status == WEIR_OK ? RECORD_REPLACE : RECORD_FAILED;
}

/* --- messages --- */

typedef enum field_kind {
    FIELD_OTHER,
    FIELD_NAME,
    FIELD_STATE,
    FIELD_WORDS,
    FIELD_TEXT,
    FIELD_VALUE
} field_kind;

static field_kind kind_of(const record_place *place)
{
    const weir_codec_message *m = place->message;
    const char *name = place->field->name;

    if (place->field->message == &weir__v2_value_type)
        return FIELD_VALUE;
    if (place->field->message != NULL)
        return FIELD_OTHER;
    if (strcmp(name, "state_json") == 0)
        return FIELD_STATE;
    if (m == &weir__v2_warning || m == &weir__v2_task || m == &weir__v2_test_response)
        return FIELD_WORDS;
    if (strcmp(name, "default_value") == 0 ||
        (m == &weir__v2_update_column_value_operation && strcmp(name, "value") == 0))
        return FIELD_TEXT;
    if (m == &weir__v2_table || m == &weir__v2_schema || m == &weir__v2_column ||
        strcmp(name, "schema_name") == 0 || strcmp(name, "table_name") == 0 ||
        m == &weir__v2_value_type_entry)
        return FIELD_NAME;
    return FIELD_OTHER;
}

/* A value that stands as text where its type is not: what it looks like counts. */
static bool take_loose_text(scrubbing *s, weir_bytes text, weir_buf *out)
{
    bool number = text.size > 0;

    for (size_t i = 0; i < text.size; i++)
        number = number && memchr("0123456789-.", text.data[i], 12) != NULL;
    return number ? disguise_json(s->disguise, text, out) : disguise_text(s->disguise, text, out);
}

static record_answer take_field(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    scrubbing *s = context;
    weir_bytes text = place->value;
    bool fine = true;

    switch (kind_of(place)) {
    case FIELD_VALUE:
        return take_value(s, text, out, err);
    case FIELD_NAME:
        fine = !s->learning || disguise_learn_name(s->disguise, text);
        break;
    case FIELD_STATE:
        if (s->learning)
            disguise_learn_json(s->disguise, text);
        else if (disguise_json(s->disguise, text, out))
            return RECORD_REPLACE;
        else
            fine = false;
        break;
    case FIELD_WORDS:
        fine = s->learning || disguise_blank(s->disguise, text, out);
        if (fine && !s->learning)
            return RECORD_REPLACE;
        break;
    case FIELD_TEXT:
        if (s->learning)
            disguise_learn_json(s->disguise, text);
        else if (take_loose_text(s, text, out))
            return RECORD_REPLACE;
        else
            fine = false;
        break;
    case FIELD_OTHER:
        break;
    }
    if (fine)
        return RECORD_KEEP;
    out_of_memory(err);
    return RECORD_FAILED;
}

/* Appends the message with other values to the payload. */
static weir_status take_message(scrubbing *s, const weir_codec_message *type, weir_bytes message,
                                weir_error *err)
{
    record_rewriter rewriter = { .ask = take_field, .context = s, .strict = true };

    return record_rewrite(&rewriter, type, message, &s->payload, err);
}

/* --- frames --- */

static weir_status put_frame(scrubbing *s, const record_frame *from, uint8_t type, weir_bytes payload,
                             weir_error *err)
{
    record_frame frame = { .type = type, .call = from->call, .time_us = from->time_us, .payload = payload };

    return s->learning ? WEIR_OK : record_framer_put(&s->framer, &frame, err);
}

static weir_status seal_chunk(void *context, weir_buf *chunk, weir_error *err)
{
    scrubbing *s = context;
    weir_status status = record_writer_chunk(s->writer, weir__buf_bytes(chunk), true, err);

    chunk->size = 0;
    return status;
}

/* --- batch files --- */

static open_call **find_call(scrubbing *s, uint32_t number)
{
    open_call **at = &s->calls;

    while (*at != NULL && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void close_call(open_call **at)
{
    open_call *call = *at;

    *at = call->next;
    weir__buf_clear(&call->request);
    weir__free(call);
}

static bool stays(const char *column)
{
    return weir_name_is_system(column) && strcmp(column, "_fivetran_id") != 0;
}

static weir_status put_bytes(void *context, const void *data, size_t size, weir_error *err)
{
    return weir__buf_put(context, data, size) ? WEIR_OK : out_of_memory(err);
}

/* Rows of the open file; of each what the copy has, in `cells`. */
static weir_status take_rows(scrubbing *s, weir_cell *cells, weir_error *err)
{
    size_t count;
    const size_t *places = batch_rows_reader_places(s->rows, &count);
    weir_status status = WEIR_OK;
    weir_row row;

    for (bool more = true; more && status == WEIR_OK;) {
        status = batch_rows_reader_next(s->rows, &row, err);
        more = status == WEIR_ITEM;
        if (!more)
            continue;
        status = WEIR_OK;
        weir__arena_reset(s->arena);
        for (size_t i = 0; i < count && status == WEIR_OK; i++) {
            cells[i] = row.cells[places[i]];
            if (!stays(cells[i].column) && !take_cell(s, &cells[i]))
                status = out_of_memory(err);
        }
        if (status == WEIR_OK && !s->learning)
            status = batch_rows_writer_row(s->copy, cells, err);
    }
    return status;
}

/* The columns that the copy of the open file has. */
static void pick_columns(const scrubbing *s, const weir_table *table, weir_column *columns, weir_table *out)
{
    const size_t *places = batch_rows_reader_places(s->rows, &out->column_count);

    for (size_t i = 0; i < out->column_count; i++)
        columns[i] = table->columns[places[i]];
    out->name = table->name;
    out->columns = columns;
}

/* Reads the file and writes it again, into `out`. `batch` is of what was recorded, so without encryption. */
static weir_status copy_file(scrubbing *s, const record_batch *batch, const record_batch_entry *entry,
                             weir_bytes data, weir_buf *out, weir_error *err)
{
    record_memory memory = { .bytes = data };
    weir_reader_file in = { .name = "of the recording",
                            .kind = entry->kind,
                            .table = batch->table,
                            .params = &batch->params,
                            .input = record_memory_input(&memory) };
    weir_cell *cells = weir__calloc(batch->table->column_count + 1, sizeof *cells);
    weir_column *columns = weir__calloc(batch->table->column_count + 1, sizeof *columns);
    weir_table table = { 0 };
    batch_rows_file to = { .format = entry->format,
                           .kind = entry->kind,
                           .file = {
                               .table = &table, .params = &batch->params, .output = { put_bytes, out } } };
    weir_status status = cells != NULL && columns != NULL ? WEIR_OK : out_of_memory(err);

    if (status == WEIR_OK)
        status = batch_rows_reader_open(s->rows, entry->format, &in, err);
    if (status == WEIR_OK) {
        pick_columns(s, batch->table, columns, &table);
        status = s->learning ? WEIR_OK : batch_rows_writer_begin(s->copy, &to, err);
    }
    if (status == WEIR_OK)
        status = take_rows(s, cells, err);
    if (status == WEIR_OK && !s->learning)
        status = batch_rows_writer_finish(s->copy, err);
    batch_rows_reader_close(s->rows);
    weir__free(columns);
    weir__free(cells);
    return status;
}

static weir_status put_file(scrubbing *s, const record_frame *frame, const record_gathered *file,
                            weir_bytes data, weir_error *err)
{
    weir_status status = put_frame(s, frame, RECORD_FILE, weir__buf_bytes(&file->name), err);

    for (size_t at = 0; at < data.size && status == WEIR_OK;) {
        size_t part = data.size - at < 512 * WEIR_KIB ? data.size - at : 512 * WEIR_KIB;

        status = put_frame(s, frame, RECORD_DATA, (weir_bytes){ data.data + at, part }, err);
        at += part;
    }
    return status;
}

/* The call's file is complete. */
static weir_status end_file(scrubbing *s, const record_frame *frame, weir_error *err)
{
    open_call *call = *find_call(s, frame->call);
    record_gathered *file = record_gather_take(&s->files, frame->call);
    weir_arena *arena;
    const record_batch_entry *entry = NULL;
    record_batch batch;
    weir_buf out;
    weir_status status;

    if (file == NULL)
        return WEIR_OK;
    weir__buf_init(&out, 2 * WEIR_BATCH_FILE_SIZE_MAX);
    arena = weir__arena_new(64 * WEIR_MIB);
    status = call != NULL && arena != NULL ? WEIR_OK : out_of_memory(err);
    if (status == WEIR_OK)
        status = record_batch_read(call->method, weir__buf_bytes(&call->request), arena, &batch, err);
    if (status == WEIR_OK) {
        batch.params.encryption = WEIR_ENCRYPTION_NONE; /* of what was recorded */
        entry = record_batch_find(&batch, weir__buf_bytes(&file->name));
        if (entry == NULL)
            status = weir__error(err, "the recording is damaged: a file that its request does not name");
    }
    if (status == WEIR_OK)
        status = copy_file(s, &batch, entry, weir__buf_bytes(&file->data), &out, err);
    if (status == WEIR_OK && !s->learning) {
        s->report->files++;
        status = put_file(s, frame, file, weir__buf_bytes(&out), err);
    }
    weir__buf_clear(&out);
    weir__arena_free(arena);
    record_gathered_free(file);
    return status;
}

/* --- calls --- */

static weir_status keep_method(scrubbing *s, const record_method *method, weir_error *err)
{
    if (s->method_count == s->method_capacity) {
        size_t wanted = s->method_capacity ? s->method_capacity * 2 : 64;
        const record_method **grown = weir__realloc_array(s->methods, wanted, sizeof *grown);

        if (grown == NULL)
            return out_of_memory(err);
        s->methods = grown;
        s->method_capacity = wanted;
    }
    s->methods[s->method_count++] = method;
    return WEIR_OK;
}

static weir_status open_files(scrubbing *s, const record_method *method, uint32_t number, weir_bytes request,
                              weir_error *err)
{
    open_call *call = weir__calloc(1, sizeof *call);

    if (call == NULL)
        return out_of_memory(err);
    call->number = number;
    call->method = method;
    weir__buf_init(&call->request, WEIR_MESSAGE_SIZE_MAX);
    call->next = s->calls;
    s->calls = call;
    return weir__buf_put(&call->request, request.data, request.size) ? WEIR_OK : out_of_memory(err);
}

static weir_status take_call(scrubbing *s, const record_frame *frame, weir_error *err)
{
    weir_bytes request = frame->payload;
    weir_bytes path = { 0 };
    const record_method *method;
    weir_status status;

    if (!record_text_read(&request, &path) || frame->call != s->method_count + 1 ||
        frame->call > WEIR_RECORD_CALLS_MAX)
        return weir__error(err, "the recording is damaged: calls are out of order");
    method = record_method_find(path);
    status = keep_method(s, method, err);
    if (status != WEIR_OK || method == NULL) /* what is not known is left out */
        return status;
    if (record_method_has_files(method))
        status = open_files(s, method, frame->call, request, err);
    s->payload.size = 0;
    if (status == WEIR_OK && !weir__buf_put(&s->payload, path.data, path.size + 1))
        status = out_of_memory(err);
    if (status == WEIR_OK)
        status = take_message(s, method->request, request, err);
    return status == WEIR_OK ? put_frame(s, frame, frame->type, weir__buf_bytes(&s->payload), err) : status;
}

/* An end or a log line: what comes before the words is copied. */
static weir_status take_words(scrubbing *s, const record_frame *frame, size_t head, weir_error *err)
{
    weir_bytes payload = frame->payload;

    if (payload.size < head)
        return weir__error(err, "the recording is damaged: a frame is too short");
    s->payload.size = 0;
    if (!weir__buf_put(&s->payload, payload.data, head) ||
        !disguise_blank(s->disguise, (weir_bytes){ payload.data + head, payload.size - head }, &s->payload))
        return out_of_memory(err);
    return put_frame(s, frame, frame->type, weir__buf_bytes(&s->payload), err);
}

static weir_status take_of_call(scrubbing *s, const record_frame *frame, weir_error *err)
{
    const record_method *method = frame->call > 0 && frame->call <= s->method_count
                                      ? s->methods[frame->call - 1]
                                      : NULL;
    weir_status status;

    if (method == NULL)
        return WEIR_OK;
    if (frame->type == RECORD_DATA)
        return record_gather_add(&s->files, frame->call, frame->payload, err);
    status = end_file(s, frame, err);
    if (status != WEIR_OK)
        return status;
    if (frame->type == RECORD_FILE)
        return *find_call(s, frame->call) != NULL
                   ? record_gather_begin(&s->files, frame->call, frame->payload, err)
                   : weir__error(err, "the recording is damaged: a file of no request");
    if (frame->type == RECORD_END) {
        if (*find_call(s, frame->call) != NULL)
            close_call(find_call(s, frame->call));
        return take_words(s, frame, 2, err);
    }
    s->payload.size = 0;
    status = take_message(s, method->reply, frame->payload, err);
    return status == WEIR_OK ? put_frame(s, frame, frame->type, weir__buf_bytes(&s->payload), err) : status;
}

static weir_status take_log(scrubbing *s, const record_frame *frame, weir_error *err)
{
    weir_bytes rest = frame->payload;
    weir_bytes part;

    if (!record_text_read(&rest, &part) || !record_text_read(&rest, &part))
        return weir__error(err, "the recording is damaged: a log line that is none");
    return take_words(s, frame, frame->payload.size - rest.size, err);
}

static weir_status take_frame(scrubbing *s, const record_frame *frame, weir_error *err)
{
    switch (frame->type) {
    case RECORD_INFO:
        return put_frame(s, frame, frame->type, frame->payload, err);
    case RECORD_CALL:
        return take_call(s, frame, err);
    case RECORD_FILE:
    case RECORD_DATA:
    case RECORD_MESSAGE:
    case RECORD_END:
        return take_of_call(s, frame, err);
    case RECORD_LOG:
        return take_log(s, frame, err);
    case RECORD_CLOSE:
        return take_words(s, frame, 2, err);
    default:
        return WEIR_OK; /* who knows what is in it */
    }
}

/* --- passes --- */

static weir_status read_all(scrubbing *s, weir_error *err)
{
    record_tape *tape = NULL;
    record_frame frame;
    weir_status status = record_tape_open(s->options->path, s->options->key, &tape, err);

    s->method_count = 0;
    while (status == WEIR_OK && (status = record_tape_next(tape, &frame, err)) == WEIR_ITEM)
        status = take_frame(s, &frame, err);
    if (status == WEIR_OK)
        s->report->cut = record_tape_cut(tape);
    record_gather_clear(&s->files);
    while (s->calls != NULL)
        close_call(&s->calls);
    record_tape_close(tape);
    return status;
}

static weir_status open_out(scrubbing *s, weir_error *err)
{
    unsigned char key[RECORD_KEY_SIZE];
    weir_status status = record_key_path(s->options->out, s->options->out_key, s->key_path, err);

    if (status == WEIR_OK)
        status = record_key_take(s->key_path, key, &s->key_made, err);
    if (status == WEIR_OK)
        status = weir__file_create(s->options->out, &s->file, err);
    if (status == WEIR_OK)
        status = record_writer_open(weir__file_output(s->file), key, &s->writer, err);
    sodium_memzero(key, sizeof key);
    return status;
}

/* What was made here goes again, so that another try finds nothing in its way. */
static void remove_out(scrubbing *s)
{
    if (s->file != NULL)
        weir__file_drop(s->options->out);
    if (s->key_made)
        weir__file_drop(s->key_path);
}

static weir_status write_all(scrubbing *s, weir_error *err)
{
    weir_status status;

    disguise_settle(s->disguise);
    s->learning = false;
    status = open_out(s, err);
    if (status == WEIR_OK)
        status = read_all(s, err);
    if (status == WEIR_OK)
        status = record_framer_flush(&s->framer, err);
    if (status == WEIR_OK && !s->report->cut)
        status = record_writer_finish(s->writer, err);
    if (status == WEIR_OK)
        status = weir__file_sync(s->file, err);
    if (status != WEIR_OK)
        remove_out(s);
    return status;
}

weir_status record_scrub(const scrub_options *options, scrub_report *report, weir_error *err)
{
    scrubbing s = { .options = options, .report = report, .learning = true };
    unsigned char key[DISGUISE_KEY_SIZE];
    weir_status status = weir__entropy_fill(key, sizeof key, err);

    *report = (scrub_report){ 0 };
    if (status != WEIR_OK)
        return status;
    s.disguise = disguise_new(key);
    sodium_memzero(key, sizeof key);
    s.arena = weir__arena_new(SCRATCH_SIZE_MAX);
    weir__buf_init(&s.text, WEIR_GIB);
    weir__buf_init(&s.payload, 4 * WEIR_RECORD_PAYLOAD_SIZE_MAX);
    record_framer_init(&s.framer, seal_chunk, &s);
    s.rows = batch_rows_reader_new();
    s.copy = batch_rows_writer_new();
    if (s.disguise == NULL || s.arena == NULL || s.rows == NULL || s.copy == NULL)
        status = out_of_memory(err);
    if (status == WEIR_OK)
        status = read_all(&s, err);
    if (status == WEIR_OK)
        status = write_all(&s, err);
    record_framer_clear(&s.framer);
    record_writer_free(s.writer);
    weir__file_close(s.file);
    weir__buf_clear(&s.text);
    weir__buf_clear(&s.payload);
    batch_rows_reader_free(s.rows);
    batch_rows_writer_free(s.copy);
    weir__arena_free(s.arena);
    disguise_free(s.disguise);
    weir__free(s.methods);
    return status;
}
