/*
 * sdk/document: rows as JSON and back (weir/document.h). Texts are put together in one buffer that stays for
 * the whole call and then copied to memory that is reset row by row. Stored texts are walked, not parsed into
 * a tree: a merge copies values as they are.
 */
#include "sdk/document.h"

#include <assert.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/utf8.h"
#include "data/convert.h"
#include "data/decimal.h"
#include "data/json.h"
#include "data/number.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"
#include "sdk/call.h"

struct weir_documents {
    weir_arena *arena; /* of the row in hand */
    weir_buf text;     /* what is being put together */
    weir_map members;  /* of a document that is being merged */
};

void weir__documents_free(weir_documents *documents)
{
    if (documents == NULL)
        return;
    weir__map_clear(&documents->members);
    weir__buf_clear(&documents->text);
    weir__arena_free(documents->arena);
    weir__free(documents);
}

/* Ends the handler on the spot, as weir_alloc does: these functions promise a result. */
static _Noreturn void leave(weir_call *call, const weir_error *err)
{
    weir__call_fail_error(call, err);
    assert(call->guard != NULL); /* a call belongs to the handler it was given to */
    longjmp(*call->guard, 1);
}

static _Noreturn void leave_for_memory(weir_call *call)
{
    weir_error err;

    weir__error_memory(&err, "making a document of a row");
    leave(call, &err);
}

static weir_documents *documents_of(weir_call *call)
{
    weir_documents *documents = call->documents;

    if (documents != NULL)
        return documents;
    documents = weir__calloc(1, sizeof *documents);
    if (documents == NULL)
        leave_for_memory(call);
    weir__buf_init(&documents->text, WEIR_DOCUMENT_SIZE_MAX);
    weir__map_init(&documents->members, 0);
    documents->arena = weir__arena_new(WEIR_DOCUMENT_SIZE_MAX);
    if (documents->arena == NULL) {
        weir__free(documents);
        leave_for_memory(call);
    }
    call->documents = documents;
    return documents;
}

void weir_row_done(weir_call *call)
{
    if (call->documents != NULL)
        weir__arena_reset(call->documents->arena);
}

static void *row_alloc(weir_call *call, size_t count, size_t size)
{
    void *memory = weir__arena_array(documents_of(call)->arena, count > 0 ? count : 1, size);

    if (memory == NULL)
        leave_for_memory(call);
    return memory;
}

/* The buffer, empty. */
static weir_buf *begin_text(weir_call *call)
{
    weir_buf *text = &documents_of(call)->text;

    text->size = 0;
    return text;
}

/* What is in the buffer, terminated, in `arena`. */
static const char *end_text(weir_call *call, weir_arena *arena)
{
    const weir_buf *text = &call->documents->text;
    const char *copy = weir__arena_copy(arena, text->data, text->size);

    if (copy == NULL)
        leave_for_memory(call);
    return copy;
}

static void put(weir_call *call, const char *text)
{
    if (!weir__buf_put_text(&call->documents->text, text))
        leave_for_memory(call);
}

static void put_text(weir_call *call, const char *text)
{
    if (!weir__json_put_text(&call->documents->text, text, strlen(text)))
        leave_for_memory(call);
}

static void put_cell(weir_call *call, const weir_cell *cell)
{
    weir_error err;

    if (weir__json_put_cell(&call->documents->text, cell, &err) != WEIR_OK)
        leave(call, &err);
}

/* --- rows to text --- */

/* Equal values, equal texts (R-DST-07): no zeros at the end of a DECIMAL, one zero. */
static void put_key_cell(weir_call *call, const weir_cell *cell)
{
    weir_cell plain = *cell;
    char text[WEIR_DECIMAL_TEXT_MAX];
    weir_error err;

    if (cell->presence == WEIR_UNMODIFIED) {
        weir__error(&err, "the key column '%s' has no value", cell->column);
        leave(call, &err);
    }
    if (cell->presence == WEIR_VALUE && cell->type == WEIR_DECIMAL) {
        size_t size = weir__decimal_normal(cell->as.bytes.data, cell->as.bytes.size, text);

        if (size > 0)
            plain.as.bytes = (weir_bytes){ text, size };
    }
    if (cell->presence == WEIR_VALUE && weir__type_is_real(cell->type) && cell->as.real == 0)
        plain.as.real = 0; /* not -0 */
    put_cell(call, &plain);
}

const char *weir_row_key(weir_call *call, const weir_table *table, const weir_row *row)
{
    const char *before = "[";

    assert(row->count == table->column_count);
    begin_text(call);
    for (size_t i = 0; i < row->count; i++)
        if (table->columns[i].key && strcmp(table->columns[i].name, "_fivetran_start") != 0) {
            put(call, before);
            put_key_cell(call, &row->cells[i]);
            before = ",";
        }
    put(call, before[0] == '[' ? "[]" : "]");
    return end_text(call, call->documents->arena);
}

const char *weir_row_json(weir_call *call, const weir_row *row)
{
    const char *before = "{";

    begin_text(call);
    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].presence != WEIR_UNMODIFIED) {
            put(call, before);
            put_text(call, row->cells[i].column);
            put(call, ":");
            put_cell(call, &row->cells[i]);
            before = ",";
        }
    put(call, before[0] == '{' ? "{}" : "}");
    return end_text(call, call->documents->arena);
}

/* --- text to rows --- */

/* The object that `json` is; borrowed from it. Leaves the handler when it is none. */
static weir_json_value parse(weir_call *call, const char *json)
{
    weir_json_value object;
    weir_error err;

    if (weir__json_parse(weir__text(json), &object) && object.kind == WEIR_JSON_OBJECT)
        return object;
    weir__error(&err, "a stored row is no JSON object: '%.*s'", (int)weir__utf8_cut(json, strlen(json), 64),
                json);
    leave(call, &err);
}

/* The member called `name`, the last one if there are several; false when there is none. */
static bool find(const weir_json_value *object, const char *name, weir_json_value *out)
{
    weir_json_walk walk = weir__json_walk(object);
    weir_json_value member;
    weir_json_value value;
    bool found = false;

    while (weir__json_next(&walk, &member, &value))
        if (weir__json_is(&member, name)) {
            *out = value;
            found = true;
        }
    return found;
}

/* What a string stands for, or the text of another value: a copy in `arena`, with room to decode base64. */
static weir_bytes text_of(weir_call *call, weir_arena *arena, const weir_json_value *value)
{
    char *text = weir__arena_raw(arena, value->text.size + 4);
    size_t size = value->text.size;

    if (text == NULL)
        leave_for_memory(call);
    if (value->kind == WEIR_JSON_STRING)
        size = weir__json_decode(value, text);
    else
        memcpy(text, value->text.data, size);
    text[size] = '\0';
    return (weir_bytes){ text, size };
}

/* The text becomes the cell's value; a DECIMAL gets plain digits. */
static void take_text(weir_call *call, weir_cell *cell, weir_bytes text)
{
    weir_error err;

    if (cell->type == WEIR_UNSPECIFIED)
        cell->type = WEIR_STRING;
    if (!weir__text_parse(cell, (char *)text.data, text.size)) {
        weir__text_parse_error(cell, text, &err);
        leave(call, &err);
    }
    if (cell->type == WEIR_DECIMAL) {
        char *plain = row_alloc(call, WEIR_DECIMAL_TEXT_MAX, 1);

        cell->as.bytes.size = weir__decimal_plain(text.data, text.size, plain);
        cell->as.bytes.data = plain;
    }
}

/* The column that a member belongs to; `hint` is where it is likely to be. NULL when there is none. */
static const weir_column *find_column(const weir_table *table, const weir_json_value *name, size_t hint)
{
    if (hint < table->column_count && weir__json_is(name, table->columns[hint].name))
        return &table->columns[hint];
    for (size_t i = 0; i < table->column_count; i++)
        if (weir__json_is(name, table->columns[i].name))
            return &table->columns[i];
    return NULL;
}

void weir_row_from_json(weir_call *call, const weir_table *table, const char *json, weir_row *out)
{
    weir_json_value object = parse(call, json);
    weir_json_walk walk = weir__json_walk(&object);
    weir_cell *cells = row_alloc(call, table->column_count, sizeof *cells);
    weir_json_value name;
    weir_json_value value;
    weir_error err;

    for (size_t i = 0; i < table->column_count; i++)
        cells[i] = (weir_cell){ .column = table->columns[i].name,
                                .type = table->columns[i].type,
                                .presence = WEIR_NULL };
    for (size_t i = 0; weir__json_next(&walk, &name, &value); i++) {
        const weir_column *column = find_column(table, &name, i);

        if (column == NULL || value.kind == WEIR_JSON_NULL)
            continue;
        if (value.kind == WEIR_JSON_OBJECT || value.kind == WEIR_JSON_ARRAY) {
            weir__error(&err, "column '%s' of a stored row holds no single value", column->name);
            leave(call, &err);
        }
        take_text(call, &cells[column - table->columns], text_of(call, call->documents->arena, &value));
    }
    *out = (weir_row){ .op = WEIR_REPLACE, .cells = cells, .count = table->column_count };
}

/* --- a row brought to another table --- */

/* The row's cell of that name; `hint` is where it is likely to be. NULL when there is none. */
static const weir_cell *find_cell(const weir_row *row, const char *name, size_t hint)
{
    if (hint < row->count && strcmp(row->cells[hint].column, name) == 0)
        return &row->cells[hint];
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->cells[i].column, name) == 0)
            return &row->cells[i];
    return NULL;
}

/* Bytes that stand in the buffer move to row memory. */
static void keep_bytes(weir_call *call, weir_cell *cell)
{
    if (cell->presence == WEIR_VALUE && weir__type_is_bytes(cell->type)) {
        char *copy = row_alloc(call, cell->as.bytes.size + 1, 1);

        if (cell->as.bytes.size > 0)
            memcpy(copy, cell->as.bytes.data, cell->as.bytes.size);
        cell->as.bytes.data = copy;
    }
}

/* A value of another type: widened where that is defined, else by way of its text. */
static void convert(weir_call *call, weir_cell *cell, weir_type type)
{
    weir_buf *text = begin_text(call);
    weir_error err;
    char *copy;
    size_t size;

    if (weir__convert_allowed(cell->type, type)) {
        if (weir__buf_reserve(text, weir__text_bound(cell) + WEIR_TEXT_FIXED_MAX) == NULL)
            leave_for_memory(call);
        if (weir__convert_cell(cell, type, text, &err) != WEIR_OK)
            leave(call, &err);
        keep_bytes(call, cell);
        return;
    }
    if (weir__text_put(text, cell, &err) != WEIR_OK)
        leave(call, &err);
    size = text->size;
    copy = row_alloc(call, size + 4, 1);
    memcpy(copy, text->data, size);
    cell->type = type;
    take_text(call, cell, (weir_bytes){ copy, size });
}

void weir_row_fit(weir_call *call, const weir_row *row, const weir_table *table, weir_row *out)
{
    weir_cell *cells = row_alloc(call, table->column_count, sizeof *cells);

    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];
        const weir_cell *cell = find_cell(row, column->name, i);

        if (cell != NULL)
            cells[i] = *cell;
        else
            cells[i].presence = WEIR_NULL;
        cells[i].column = column->name;
        if (cells[i].presence == WEIR_VALUE && cells[i].type != column->type &&
            column->type != WEIR_UNSPECIFIED)
            convert(call, &cells[i], column->type);
        cells[i].type = column->type;
    }
    *out = (weir_row){ .op = row->op, .cells = cells, .count = table->column_count };
}

/* --- documents changed --- */

static void put_bytes(weir_call *call, weir_bytes bytes)
{
    if (!weir__buf_put(&call->documents->text, bytes.data, bytes.size))
        leave_for_memory(call);
}

static void put_member(weir_call *call, const weir_json_value *name, const weir_json_value *value)
{
    put(call, call->documents->text.size > 1 ? "," : "");
    put_bytes(call, name->text);
    put(call, ":");
    put_bytes(call, value->text);
}

/* A member of what is put over a document. */
typedef struct change {
    weir_json_value name;
    weir_json_value value;
    bool done; /* in the new document */
} change;

/* The members of `changes` by name, in call->documents->members. */
static void map_changes(weir_call *call, const weir_json_value *changes)
{
    weir_documents *documents = documents_of(call);
    weir_json_walk walk = weir__json_walk(changes);
    weir_json_value name;
    weir_json_value value;

    weir__map_clear(&documents->members);
    while (weir__json_next(&walk, &name, &value)) {
        change *made = row_alloc(call, 1, sizeof *made);

        *made = (change){ .name = name, .value = value };
        if (!weir__map_put(&documents->members, text_of(call, documents->arena, &name), made))
            leave_for_memory(call);
    }
}

const char *weir_json_merge(weir_call *call, const char *old, const char *changes)
{
    weir_json_value over;
    weir_json_value under;
    weir_json_walk walk;
    weir_json_value name;
    weir_json_value value;

    if (old == NULL)
        return changes;
    over = parse(call, changes);
    under = parse(call, old);
    walk = weir__json_walk(&under);
    map_changes(call, &over);
    begin_text(call);
    put(call, "{");
    while (weir__json_next(&walk, &name, &value)) {
        weir_bytes text = text_of(call, call->documents->arena, &name);
        change *made = weir__map_get(&call->documents->members, text);

        if (made == NULL || !made->done)
            put_member(call, &name, made != NULL ? &made->value : &value);
        if (made != NULL)
            made->done = true;
    }
    for (size_t i = 0; i < call->documents->members.count; i++) {
        const change *made = call->documents->members.entries[i].value;

        if (!made->done)
            put_member(call, &made->name, &made->value);
    }
    put(call, "}");
    return end_text(call, call->documents->arena);
}

/* True when the document was synced strictly before the cut-off; a row that was never synced was not. */
static bool is_before(weir_call *call, const weir_truncation *what, const weir_json_value *object)
{
    weir_json_value synced;
    weir_bytes text;
    weir_time time;

    if (!find(object, what->synced_column, &synced) || synced.kind != WEIR_JSON_STRING)
        return false;
    text = text_of(call, documents_of(call)->arena, &synced);
    return weir_time_parse(WEIR_UTC_DATETIME, text.data, text.size, &time) &&
           weir_time_before(time, what->before);
}

const char *weir_json_truncate(weir_call *call, const weir_truncation *what, const char *json)
{
    weir_json_value object = parse(call, json);
    weir_json_value deleted;

    if (!is_before(call, what, &object))
        return json;
    if (what->deleted_column == NULL)
        return NULL;
    if (find(&object, what->deleted_column, &deleted) && deleted.kind == WEIR_JSON_TRUE)
        return json;
    begin_text(call);
    put(call, "{");
    put_text(call, what->deleted_column);
    put(call, ":true}");
    return weir_json_merge(call, json, end_text(call, call->documents->arena));
}

/* --- tables --- */

const char *weir_table_json(weir_call *call, const weir_table *table)
{
    char number[48];

    begin_text(call);
    put(call, "{\"columns\":[");
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        put(call, i > 0 ? ",{\"name\":" : "{\"name\":");
        put_text(call, column->name);
        put(call, ",\"type\":");
        put_text(call, weir_type_name(column->type));
        if (column->key)
            put(call, ",\"key\":true");
        if (column->params.precision > 0) {
            snprintf(number, sizeof number, ",\"precision\":%u,\"scale\":%u",
                     (unsigned)column->params.precision, (unsigned)column->params.scale);
            put(call, number);
        }
        if (column->params.string_byte_length > 0) {
            snprintf(number, sizeof number, ",\"string_byte_length\":%u",
                     (unsigned)column->params.string_byte_length);
            put(call, number);
        }
        put(call, "}");
    }
    put(call, "]}");
    return end_text(call, call->arena);
}

static uint32_t number_of(const weir_json_value *value)
{
    int64_t number;

    return weir__integer_parse(value->text.data, value->text.size, &number) && number > 0 &&
                   number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

static weir_column column_of(weir_call *call, const weir_json_value *object)
{
    weir_json_walk walk = weir__json_walk(object);
    weir_column column = { .name = "" };
    weir_json_value name;
    weir_json_value value;

    while (weir__json_next(&walk, &name, &value)) {
        bool string = value.kind == WEIR_JSON_STRING;

        if (weir__json_is(&name, "name") && string)
            column.name = text_of(call, call->arena, &value).data;
        else if (weir__json_is(&name, "type") && string)
            column.type = weir__type_from_name(text_of(call, call->arena, &value));
        else if (weir__json_is(&name, "key"))
            column.key = value.kind == WEIR_JSON_TRUE;
        else if (weir__json_is(&name, "precision"))
            column.params.precision = number_of(&value);
        else if (weir__json_is(&name, "scale"))
            column.params.scale = number_of(&value);
        else if (weir__json_is(&name, "string_byte_length"))
            column.params.string_byte_length = number_of(&value);
    }
    return column;
}

weir_status weir_table_from_json(weir_call *call, const char *json, weir_table *out)
{
    weir_json_value object = parse(call, json);
    weir_table made = { .schema = out->schema, .name = out->name != NULL ? out->name : "(stored)" };
    weir_json_value list;
    weir_json_value item;
    weir_json_walk walk;
    weir_column *columns;
    weir_error err;

    if (!find(&object, "columns", &list) || list.kind != WEIR_JSON_ARRAY)
        return weir_fail(call, "a stored table has no list of columns");
    for (walk = weir__json_walk(&list); weir__json_next(&walk, NULL, &item);)
        made.column_count++;
    columns = weir_alloc(call, made.column_count * sizeof *columns + 1);
    made.columns = columns;
    walk = weir__json_walk(&list);
    for (size_t i = 0; weir__json_next(&walk, NULL, &item); i++)
        columns[i] = column_of(call, &item);
    if (weir__table_check(&made, &err) != WEIR_OK) {
        weir__error_prefix(&err, "a stored table is none");
        return weir__call_fail_error(call, &err);
    }
    out->columns = columns;
    out->column_count = made.column_count;
    return WEIR_OK;
}
