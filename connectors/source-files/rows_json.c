/*
 * source-files: rows of a JSON file, one object each, through jansson.
 *
 * Two forms, told apart by the first character: objects one after another (JSON Lines), or one array of
 * objects. The file is cut into objects by counting braces outside strings, so that one object at a time is
 * in memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

#define READ_SIZE ((size_t)1 << 18)
#define OBJECT_SIZE_MAX ((size_t)64 << 20)
#define NUMBER_SIZE 32

typedef struct json_reading {
    weir_call *call;
    const file_entry *file;
    const row_sink *sink;
    char *object; /* the bytes of the object that is being gathered */
    size_t size;
    size_t capacity;
    int depth; /* of braces and brackets inside the object */
    bool in_string;
    bool escaped;
    bool in_array; /* the file is one array */
    bool ended;    /* the array was closed */
    bool comma;    /* the array: a comma stands between the last object and what follows */
    int64_t line;
    field *fields;
    size_t field_capacity;
    char (*numbers)[NUMBER_SIZE];
    char **texts; /* nested values, freed after the row */
} json_reading;

static weir_status malformed(json_reading *r, const char *why)
{
    return weir_task(
        r->call, "'%s', object %lld: %s. Each row is one JSON object, on a line of its own or in one array.",
        r->file->path, (long long)r->line + 1, why);
}

static bool room_for_fields(json_reading *r, size_t count)
{
    size_t capacity = count * 2 + 16;

    if (r->fields != NULL && count <= r->field_capacity)
        return true;
    free(r->fields);
    free(r->numbers);
    free(r->texts);
    r->fields = calloc(capacity, sizeof *r->fields);
    r->numbers = calloc(capacity, sizeof *r->numbers);
    r->texts = calloc(capacity, sizeof *r->texts);
    r->field_capacity = r->fields && r->numbers && r->texts ? capacity : 0;
    return r->field_capacity > 0;
}

/* The shortest text that reads back as the same number. */
static size_t number_text(double value, char *out)
{
    int length = 0;

    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(out, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    if (strpbrk(out, ".eE") == NULL)
        length = snprintf(out, NUMBER_SIZE, "%.1f", value); /* 5.0 stays a real number */
    return (size_t)length;
}

static void set_field(json_reading *r, size_t i, json_t *value)
{
    field *f = &r->fields[i];

    r->texts[i] = NULL;
    switch (json_typeof(value)) {
    case JSON_NULL:
        f->kind = FIELD_NULL;
        return;
    case JSON_STRING:
        f->kind = FIELD_STRING;
        f->text = (weir_bytes){ json_string_value(value), json_string_length(value) };
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        f->kind = FIELD_RAW;
        f->text = json_is_true(value) ? (weir_bytes){ "true", 4 } : (weir_bytes){ "false", 5 };
        return;
    case JSON_INTEGER:
        f->kind = FIELD_RAW;
        f->text.size = (size_t)snprintf(r->numbers[i], NUMBER_SIZE, "%" JSON_INTEGER_FORMAT,
                                        json_integer_value(value));
        f->text.data = r->numbers[i];
        return;
    case JSON_REAL:
        f->kind = FIELD_RAW;
        f->text.size = number_text(json_real_value(value), r->numbers[i]);
        f->text.data = r->numbers[i];
        return;
    case JSON_OBJECT:
    case JSON_ARRAY:
        f->kind = FIELD_NESTED;
        r->texts[i] = json_dumps(value, JSON_COMPACT);
        f->text = (weir_bytes){ r->texts[i], r->texts[i] ? strlen(r->texts[i]) : 0 };
        return;
    }
}

static weir_status send_object(json_reading *r)
{
    json_error_t error;
    json_t *object = json_loadb(r->object, r->size, JSON_ALLOW_NUL, &error);
    weir_status status;
    const char *name;
    json_t *value;
    size_t count = 0;

    if (object == NULL)
        return malformed(r, error.text);
    if (!room_for_fields(r, json_object_size(object))) {
        json_decref(object);
        return weir_fail(r->call, "out of memory reading '%s'", r->file->path);
    }
    json_object_foreach(object, name, value)
    {
        r->fields[count].name = (weir_bytes){ name, strlen(name) };
        set_field(r, count++, value);
    }
    status = r->sink->row(r->sink->context, r->fields, count, ++r->line);
    for (size_t i = 0; i < count; i++)
        free(r->texts[i]);
    json_decref(object);
    return status;
}

static bool keep(json_reading *r, const char *bytes, size_t size)
{
    if (r->capacity - r->size < size) {
        size_t capacity = (r->capacity + size) * 2;
        char *grown = realloc(r->object, capacity);

        if (grown == NULL)
            return false;
        r->object = grown;
        r->capacity = capacity;
    }
    memcpy(r->object + r->size, bytes, size);
    r->size += size;
    return true;
}

/* A byte between objects: white space, the array's brackets and commas, or the start of an object. */
static weir_status between(json_reading *r, char byte)
{
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')
        return WEIR_OK;
    if (byte == '[' && r->line == 0 && !r->in_array) {
        r->in_array = true;
        r->comma = true;
        return WEIR_OK;
    }
    if (byte == ',' && r->in_array && !r->comma && !r->ended) {
        r->comma = true;
        return WEIR_OK;
    }
    if (byte == ']' && r->in_array && !r->ended && (!r->comma || r->line == 0)) {
        r->ended = true;
        return WEIR_OK;
    }
    if (byte != '{' || r->ended || (r->in_array && !r->comma))
        return malformed(r, "an object was expected");
    r->depth = 1;
    r->size = 0;
    r->comma = false;
    return WEIR_OK;
}

/* Follows strings and braces; true when the object is complete after this byte. */
static bool inside(json_reading *r, char byte)
{
    if (r->escaped) {
        r->escaped = false;
    } else if (r->in_string) {
        if (byte == '\\')
            r->escaped = true;
        else if (byte == '"')
            r->in_string = false;
    } else if (byte == '"') {
        r->in_string = true;
    } else if (byte == '{' || byte == '[') {
        r->depth++;
    } else if (byte == '}' || byte == ']') {
        return --r->depth == 0;
    }
    return false;
}

static weir_status take_chunk(json_reading *r, const char *chunk, size_t size)
{
    weir_status status;
    size_t start = 0; /* of the part of the current object that lies in this chunk */

    for (size_t i = 0; i < size; i++) {
        if (r->depth == 0) {
            status = between(r, chunk[i]);
            if (status != WEIR_OK)
                return status;
            start = i;
        } else if (inside(r, chunk[i])) {
            if (!keep(r, chunk + start, i + 1 - start))
                return weir_fail(r->call, "out of memory reading '%s'", r->file->path);
            status = send_object(r);
            if (status != WEIR_OK)
                return status;
        }
    }
    if (r->depth > 0 && !keep(r, chunk + start, size - start))
        return weir_fail(r->call, "out of memory reading '%s'", r->file->path);
    if (r->size > OBJECT_SIZE_MAX)
        return malformed(r, "it is longer than 64 MiB");
    return WEIR_OK;
}

weir_status rows_read_json(weir_call *call, const file_entry *file, const row_sink *sink)
{
    json_reading r = { .call = call, .file = file, .sink = sink };
    char *chunk = weir_alloc(call, READ_SIZE);
    FILE *input = fopen(folder_path(call, file->path), "rbe");
    weir_status status = WEIR_OK;
    bool first = true;
    size_t got;

    if (input == NULL)
        return weir_fail(call, "cannot open '%s': %s", file->path, strerror(errno));
    while (status == WEIR_OK && (got = fread(chunk, 1, READ_SIZE, input)) > 0) {
        size_t skip = first && got >= 3 && memcmp(chunk, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

        first = false;
        status = weir_running(call) ? take_chunk(&r, chunk + skip, got - skip) : WEIR_CANCELLED;
    }
    if (status == WEIR_OK && ferror(input))
        status = weir_fail(call, "cannot read '%s': %s", file->path, strerror(errno));
    if (status == WEIR_OK && (r.depth > 0 || (r.in_array && !r.ended)))
        status = malformed(&r, "the file ends in the middle");
    fclose(input);
    free(r.object);
    free(r.fields);
    free(r.numbers);
    free(r.texts);
    return status;
}
