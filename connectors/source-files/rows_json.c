/*
 * source-files: rows of a JSON file, one object each.
 *
 * Two forms, told apart by the first character: objects one after another (JSON Lines), or one array of
 * objects. The file is cut into objects by counting braces outside strings, so that one object at a time is
 * in memory; json_text.c reads it. Of members with the same name the last one counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

#define READ_SIZE ((size_t)1 << 18)
#define OBJECT_SIZE_MAX ((size_t)64 << 20)
#define SLOTS ((size_t)1 << 15) /* a power of two, more than twice COLUMNS_MAX */

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
    uint16_t *slots; /* of a hash table of names: index in `fields` plus 1, or 0 */
    uint16_t **used; /* those of the current object */
} json_reading;

static weir_status malformed(json_reading *r, const char *why)
{
    return weir_task(
        r->call, "'%s', object %lld: %s. Each row is one JSON object, on a line of its own or in one array.",
        r->file->path, (long long)r->line + 1, why);
}

/* The slot of the name: the one that holds it, or the free one where it goes. */
static uint16_t *slot_of(json_reading *r, weir_bytes name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    size_t slot;

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619U;
    for (slot = hash & (SLOTS - 1); r->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
        weir_bytes other = r->fields[r->slots[slot] - 1].name;

        if (other.size == name.size && memcmp(other.data, name.data, name.size) == 0)
            break;
    }
    return &r->slots[slot];
}

static weir_status take_members(json_reading *r, size_t *count)
{
    json_text text;
    field member;

    json_text_start(&text, r->object, r->size);
    while (json_text_member(&text, &member)) {
        const char *why = text_name_fault(member.name.data, member.name.size);
        uint16_t *slot;

        if (why != NULL)
            return malformed(r, weir_printf(r->call, "the name of member %zu %s", *count + 1, why));
        slot = slot_of(r, member.name);
        if (*slot == 0 && *count == COLUMNS_MAX)
            return malformed(r, "it has more than 10,000 names");
        if (*slot == 0) {
            r->used[*count] = slot;
            *slot = (uint16_t)++ * count;
        }
        r->fields[*slot - 1] = member;
    }
    return text.why ? malformed(r, text.why) : WEIR_OK;
}

static weir_status send_object(json_reading *r)
{
    size_t count = 0;
    weir_status status;

    if (!text_is_utf8(r->object, r->size))
        return malformed(r, "it is not UTF-8");
    status = take_members(r, &count);
    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; i < count; i++) /* one by one: a row has few names, the hash table many slots */
        *r->used[i] = 0;
    return r->sink->row(r->sink->context,
                        &(row_fields){ .items = r->fields, .count = count, .line = ++r->line });
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
        } else if (r->in_string && !r->escaped && chunk[i] != '"' && chunk[i] != '\\') {
            /* Where nothing of interest comes; a control character is json_text.c's to refuse. */
            i = (size_t)(json_text_plain(chunk + i + 1, chunk + size) - chunk) - 1;
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
    r.fields = calloc(COLUMNS_MAX, sizeof *r.fields);
    r.slots = calloc(SLOTS, sizeof *r.slots);
    r.used = calloc(COLUMNS_MAX, sizeof *r.used);
    if (r.fields == NULL || r.slots == NULL || r.used == NULL)
        status = weir_fail(call, "out of memory reading '%s'", file->path);
    while (status == WEIR_OK && (got = fread(chunk, 1, READ_SIZE, input)) > 0) {
        size_t skip = first && got >= 3 && memcmp(chunk, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

        if (first && text_is_utf16(chunk, got))
            status = weir_task(call, "'%s' looks like UTF-16; save it as UTF-8.", file->path);
        first = false;
        if (status == WEIR_OK)
            status = weir_running(call) ? take_chunk(&r, chunk + skip, got - skip) : WEIR_CANCELLED;
    }
    if (status == WEIR_OK && ferror(input))
        status = weir_fail(call, "cannot read '%s': %s", file->path, strerror(errno));
    if (status == WEIR_OK && (r.depth > 0 || (r.in_array && !r.ended)))
        status = malformed(&r, "the file ends in the middle");
    fclose(input);
    free(r.object);
    free(r.fields);
    free(r.slots);
    free(r.used);
    return status;
}
