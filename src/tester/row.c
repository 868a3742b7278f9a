/* tester/row: see row.h. */
#include "tester/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/number.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"

#define OP_TIME "op_time"
#define ROW_ID "_fivetran_id"

struct row_reader {
    const input_text *text;
    const input_rules *rules;
    row_table table;
    weir_map columns;    /* name to index + 1 */
    weir_arena *scratch; /* JSON nodes of one row */
    uint32_t *order;     /* of the row's hash */
    weir_row_hasher *hasher;
    bool *seen; /* per column, in the row being read */
    bool op_time_seen;
    size_t id; /* index of _fivetran_id, SIZE_MAX: none */
    /* of the row being read */
    weir_arena *arena;
    weir_cell *meant;
    weir_cell *sent;
    input_row *out;
    weir_error *err;
};

row_reader *row_reader_new(const input_text *text, const input_rules *rules, const row_table *table)
{
    size_t count = table->table->column_count;
    row_reader *r = weir__calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->text = text;
    r->rules = rules;
    r->table = *table;
    r->id = weir__table_find(table->table, weir__text(ROW_ID));
    weir__map_init(&r->columns, 0);
    r->scratch = weir__arena_new(WEIR_ROW_SIZE_MAX * 4);
    r->order = weir__calloc(count + 1, sizeof *r->order);
    r->seen = weir__calloc(count + 1, sizeof *r->seen);
    r->hasher = weir__row_hasher_new();
    if (r->scratch == NULL || r->order == NULL || r->seen == NULL || r->hasher == NULL)
        goto fail;
    weir__row_order(table->table->columns, count, r->order);
    for (size_t i = 0; i < count; i++)
        if (!weir__map_put(&r->columns, weir__text(table->table->columns[i].name), (void *)(i + 1)))
            goto fail;
    return r;
fail:
    row_reader_free(r);
    return NULL;
}

void row_reader_free(row_reader *r)
{
    if (r == NULL)
        return;
    weir__map_clear(&r->columns);
    weir__arena_free(r->scratch);
    weir__row_hasher_free(r->hasher);
    weir__free(r->order);
    weir__free(r->seen);
    weir__free(r);
}

/* --- numbers as Java writes them --- */

/* The significant digits of a shortest text, and the power of ten of the first: 1.5E3 is "15" and 3. */
static int digits_of(const char *text, size_t size, char digits[24], int *first)
{
    int count = 0;
    int point = -1;
    int exponent = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.') {
            point = count;
        } else if (text[i] == 'E' || text[i] == 'e') {
            int64_t value = 0;

            (void)weir__integer_parse(text + i + 1, size - i - 1, &value);
            exponent = (int)value;
            break;
        } else if (text[i] >= '0' && text[i] <= '9' && count < 23) {
            if (count == 0 && text[i] == '0') { /* zeros in front only move the point */
                exponent -= point >= 0;
                continue;
            }
            digits[count++] = text[i];
        }
    }
    *first = exponent + (point >= 0 ? point : count) - 1;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

void row_java_double(double value, char out[32])
{
    char text[WEIR_REAL_TEXT_MAX];
    char digits[24];
    const char *sign = signbit(value) ? "-" : "";
    size_t size = weir__double_format(fabs(value), text);
    int first;
    int count;

    if (isnan(value) || isinf(value) || value == 0) {
        snprintf(out, 32, "%s%s", isnan(value) ? "" : sign,
                 isnan(value) ? "NaN"
                 : value == 0 ? "0.0"
                              : "Infinity");
        return;
    }
    count = digits_of(text, size, digits, &first);
    if (first >= 7 || first < -3) {
        snprintf(out, 32, "%s%c.%.*sE%d", sign, digits[0], count > 1 ? count - 1 : 1,
                 count > 1 ? digits + 1 : "0", first);
    } else if (first < 0) {
        snprintf(out, 32, "%s0.%.*s%.*s", sign, -first - 1, "000", count, digits);
    } else if (count <= first + 1) {
        snprintf(out, 32, "%s%.*s%.*s.0", sign, count, digits, first + 1 - count, "0000000");
    } else {
        snprintf(out, 32, "%s%.*s.%.*s", sign, first + 1, digits, count - first - 1, digits + first + 1);
    }
}

/* --- one value --- */

static weir_status memory(row_reader *r)
{
    return weir__error_memory(r->err, "reading a row");
}

static weir_status wrong_value(row_reader *r, const input_value *value, const weir_column *column)
{
    int size = value->text.size > 40 ? 40 : (int)value->text.size;
    bool shown = value->kind == INPUT_STRING || value->kind == INPUT_NUMBER;

    return input_error(r->text, value, false, r->err, "expected a value of column '%s', %s; found %s%s%.*s%s",
                       column->name, weir_type_name(column->type), input_kind_name(value->kind),
                       shown ? " '" : "", shown ? size : 0, shown ? value->text.data : "", shown ? "'" : "");
}

/* Text of `size` bytes that becomes a value of the column; in the arena. False: it is none. */
static bool parse(row_reader *r, weir_cell *cell, weir_bytes text, bool *failed)
{
    char *copy = weir__arena_raw(r->arena, text.size + 4);

    *failed = copy == NULL;
    if (copy == NULL)
        return false;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return weir__text_parse(cell, copy, text.size);
}

/* The JSON text of an object or array without the white space between its parts. */
static weir_status compact(row_reader *r, weir_bytes json, weir_bytes *out)
{
    char *copy = weir__arena_raw(r->arena, json.size + 1);
    size_t size = 0;
    bool quoted = false;

    if (copy == NULL)
        return memory(r);
    for (size_t i = 0; i < json.size; i++) {
        char c = json.data[i];

        if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t'))
            continue;
        copy[size++] = c;
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\' && i + 1 < json.size)
            copy[size++] = json.data[++i];
    }
    *out = (weir_bytes){ copy, size };
    return WEIR_OK;
}

static bool is_json(row_reader *r, weir_bytes text)
{
    input_text in = { .name = "", .text = text };
    const input_value *root;
    size_t end;
    size_t at;

    return input_json_parse(&in, 0, r->scratch, &root, &end, NULL) == WEIR_OK &&
           input_json_trailer(&in, end, &at) == WEIR_OK;
}

/* {"base64": "…"}: any bytes at all. */
static weir_status take_base64(row_reader *r, const input_value *value, const weir_column *column,
                               weir_cell *cell)
{
    const input_value *text = input_member(value, "base64");
    bool failed = false;

    if (text == NULL || value->count != 1 || text->kind != INPUT_STRING)
        return input_error(
            r->text, value, false, r->err,
            "expected a BINARY value of column '%s': a string, whose bytes count, or {\"base64\": "
            "\"…\"}",
            column->name);
    if (!parse(r, cell, text->text, &failed))
        return failed ? memory(r) : input_error(r->text, text, false, r->err, "this is not base64");
    return WEIR_OK;
}

/* The text that a value has before it is read as its column's type. WEIR_ITEM: *cell is ready already. */
static weir_status text_of(row_reader *r, const input_value *value, const weir_column *column,
                           weir_cell *cell, weir_bytes *out)
{
    bool text_type = column->type == WEIR_STRING || column->type == WEIR_XML;
    weir_status status = WEIR_OK;

    switch (value->kind) {
    case INPUT_TRUE:
    case INPUT_FALSE:
        *out = weir__text(input_kind_name(value->kind));
        break;
    case INPUT_OBJECT:
        if (column->type == WEIR_BINARY) {
            status = take_base64(r, value, column, cell);
            return status == WEIR_OK ? WEIR_ITEM : status;
        }
        return column->type == WEIR_JSON ? compact(r, value->text, out) : wrong_value(r, value, column);
    case INPUT_ARRAY:
        return column->type == WEIR_JSON ? compact(r, value->text, out) : wrong_value(r, value, column);
    default:
        *out = value->text;
        if (value->kind == INPUT_STRING && column->type == WEIR_JSON && !is_json(r, value->text))
            status = input_complain(r->text, r->rules, value, false, r->err,
                                    "column '%s' is JSON, and this text is none", column->name);
    }
    if (status == WEIR_OK && value->kind != INPUT_STRING && (text_type || column->type == WEIR_BINARY))
        status = input_complain(r->text, r->rules, value, false, r->err,
                                "column '%s' is %s; expected a string", column->name,
                                weir_type_name(column->type));
    if (status == WEIR_OK && column->type == WEIR_BOOLEAN && value->kind == INPUT_NUMBER)
        status = input_complain(r->text, r->rules, value, false, r->err,
                                "column '%s' is BOOLEAN; expected true or false", column->name);
    return status;
}

/* Whether a decimal has a place in its column; bounds that are not told let all pass. */
static bool decimal_fits(const weir_column *column, weir_bytes text)
{
    char plain[WEIR_DECIMAL_TEXT_MAX];
    size_t size = weir__decimal_normal(text.data, text.size, plain);
    uint32_t whole;
    uint32_t fraction;

    if (size == 0 || !weir__decimal_digits(plain, size, &whole, &fraction))
        return false;
    return column->params.precision == 0 ||
           (whole + column->params.scale <= column->params.precision && fraction <= column->params.scale);
}

/* Production: the value itself. */
static weir_status take_exact(row_reader *r, const input_value *value, const weir_column *column,
                              weir_cell *cell)
{
    weir_bytes text = { 0 };
    bool failed = false;
    weir_status status = text_of(r, value, column, cell, &text);

    if (status != WEIR_OK)
        return status == WEIR_ITEM ? WEIR_OK : status;
    if (column->type == WEIR_BINARY) { /* the bytes of the string (R-BAT-08 encodes them on the way) */
        cell->presence = WEIR_VALUE;
        cell->as.bytes.data = weir__arena_copy(r->arena, text.data, text.size);
        cell->as.bytes.size = text.size;
        return cell->as.bytes.data != NULL ? WEIR_OK : memory(r);
    }
    if (!parse(r, cell, text, &failed))
        return failed ? memory(r) : wrong_value(r, value, column);
    if (column->type == WEIR_DECIMAL && !decimal_fits(column, text))
        return input_error(r->text, value, false, r->err, "%.*s has no place in column '%s', DECIMAL(%u,%u)",
                           text.size > 60 ? 60 : (int)text.size, text.data, column->name,
                           column->params.precision, column->params.scale);
    return WEIR_OK;
}

/* The official tester's text of a number with a fraction or an exponent: it has been a double. */
static weir_status through_double(row_reader *r, const weir_column *column, weir_bytes *text)
{
    char out[WEIR_DECIMAL_TEXT_MAX];
    char shortest[WEIR_REAL_TEXT_MAX];
    size_t size;
    double real;

    if (memchr(text->data, '.', text->size) == NULL && memchr(text->data, 'e', text->size) == NULL &&
        memchr(text->data, 'E', text->size) == NULL)
        return WEIR_OK;
    if (!weir__double_parse(text->data, text->size, &real))
        return WEIR_OK;
    row_java_double(real, out);
    size = strlen(out);
    if (column->type == WEIR_DECIMAL) {
        size_t length = weir__double_format(real, shortest);

        size = weir__decimal_plain(shortest, length, out);
    }
    text->data = weir__arena_copy(r->arena, out, size);
    text->size = size;
    return text->data != NULL ? WEIR_OK : memory(r);
}

/* Official: a text is sent as it is; what it means, if anything, goes into *meant. */
static weir_status take_official(row_reader *r, const input_value *value, size_t index)
{
    const weir_column *column = &r->table.table->columns[index];
    weir_cell *meant = &r->meant[index];
    weir_cell *sent = &r->sent[index];
    weir_bytes text = { 0 };
    bool failed = false;
    weir_status status = text_of(r, value, column, meant, &text);

    if (status == WEIR_ITEM) {
        *sent = *meant;
        return WEIR_OK;
    }
    if (status == WEIR_OK && value->kind == INPUT_NUMBER)
        status = through_double(r, column, &text);
    if (status != WEIR_OK)
        return status;
    *sent = weir_string_n(column->name, weir__arena_copy(r->arena, text.data, text.size), text.size);
    if (sent->as.bytes.data == NULL)
        return memory(r);
    if (parse(r, meant, text, &failed) && (column->type != WEIR_DECIMAL || decimal_fits(column, text)))
        return WEIR_OK;
    if (failed)
        return memory(r);
    meant->presence = WEIR_NULL;
    if (!r->table.doubtful[index])
        status = input_complain(
            r->text, r->rules, value, false, r->err,
            "this is no value of column '%s', %s; it is sent as it is, and the column is not "
            "compared",
            column->name, weir_type_name(column->type));
    r->table.doubtful[index] = true;
    return status;
}

/* --- one row --- */

static weir_status take_op_time(row_reader *r, const input_value *value)
{
    if (!r->table.history)
        return WEIR_OK; /* harmless in a table that keeps no history */
    if (value->kind != INPUT_STRING ||
        !weir_time_parse(WEIR_UTC_DATETIME, value->text.data, value->text.size, &r->out->op_time))
        return input_error(r->text, value, false, r->err, "expected a time like \"2024-05-28T20:57:00Z\"");
    r->op_time_seen = true;
    return WEIR_OK;
}

static weir_status take_member(row_reader *r, const input_value *m)
{
    size_t at = (size_t)weir__map_get(&r->columns, m->key);
    const weir_column *column;
    bool op_time = weir__bytes_equal(m->key, weir__text(OP_TIME));
    weir_status status = WEIR_OK;

    if (op_time && (at == 0 || r->table.history))
        status = take_op_time(r, m);
    if (status != WEIR_OK || (at == 0 && op_time))
        return status;
    if (at == 0 || (weir__name_is_system(r->table.table->columns[at - 1].name) && at - 1 != r->id))
        return input_complain(r->text, r->rules, m, true, r->err,
                              at == 0 ? "table '%s' has no such column"
                                      : "the tester fills the system columns of table '%s'",
                              r->table.table->name);
    column = &r->table.table->columns[--at];
    if (r->seen[at]) {
        status = input_complain(r->text, r->rules, m, true, r->err, "this key is there twice");
        if (status != WEIR_OK)
            return status;
    }
    r->seen[at] = true;
    if (m->kind == INPUT_NULL) {
        r->meant[at].presence = WEIR_NULL;
        r->sent[at].presence = WEIR_NULL;
        return column->key ? input_complain(r->text, r->rules, m, false, r->err,
                                            "column '%s' is part of the key and is never null", column->name)
                           : WEIR_OK;
    }
    return r->rules->lenient ? take_official(r, m, at) : take_exact(r, m, column, &r->meant[at]);
}

/* R-ENG-06, for an upsert into a table without a key. */
static weir_status make_id(row_reader *r)
{
    weir_row_cells row = { .cells = r->meant, .order = r->order, .count = r->table.table->column_count };
    char *id = weir__arena_alloc(r->arena, WEIR_ROW_ID_SIZE + 1);
    weir_status status = WEIR_OK;
    weir_cell *cells;

    if (id == NULL)
        return memory(r);
    /* System columns are not hashed, but must not be unmodified. */
    cells = weir__arena_array(r->scratch, row.count, sizeof *cells);
    if (cells == NULL)
        return memory(r);
    memcpy(cells, r->meant, row.count * sizeof *cells);
    for (size_t i = 0; i < row.count; i++)
        if (cells[i].presence == WEIR_UNMODIFIED)
            cells[i].presence = WEIR_NULL;
    row.cells = cells;
    status = weir__row_id(r->hasher, &row, id, r->err);
    if (status != WEIR_OK)
        return status;
    r->meant[r->id] = weir_string_n(ROW_ID, id, WEIR_ROW_ID_SIZE);
    r->sent[r->id] = r->meant[r->id];
    r->seen[r->id] = true;
    return WEIR_OK;
}

/* What every row must have: its key, and op_time in a history table. */
static weir_status check_whole(row_reader *r, const input_value *row, input_op op)
{
    const weir_table *table = r->table.table;
    weir_status status = WEIR_OK;

    if (r->id != SIZE_MAX && !r->seen[r->id] && op == INPUT_UPSERT)
        status = make_id(r);
    for (size_t i = 0; i < table->column_count && status == WEIR_OK; i++) {
        if (!table->columns[i].key || r->seen[i] ||
            (weir__name_is_system(table->columns[i].name) && i != r->id))
            continue;
        status = input_error(r->text, row, false, r->err,
                             "the row has no '%s', which is part of the key of table '%s'",
                             table->columns[i].name, table->name);
    }
    if (status == WEIR_OK && r->table.history && !r->op_time_seen)
        status = input_error(r->text, row, false, r->err,
                             "the row has no 'op_time', which table '%s' needs: it is in history mode",
                             table->name);
    return status;
}

/* Cells of the row before its members are read. */
static bool begin_row(row_reader *r, input_op op)
{
    const weir_table *table = r->table.table;
    size_t size = table->column_count * sizeof *r->meant;

    r->meant = weir__arena_array(r->arena, table->column_count, sizeof *r->meant);
    r->sent = r->rules->lenient ? weir__arena_array(r->arena, table->column_count, sizeof *r->sent)
                                : r->meant;
    if (r->meant == NULL || r->sent == NULL)
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        bool system = weir__name_is_system(table->columns[i].name);
        weir_presence absent = op == INPUT_UPSERT && !system ? WEIR_NULL : WEIR_UNMODIFIED;

        r->meant[i] = (weir_cell){ .column = table->columns[i].name,
                                   .type = table->columns[i].type,
                                   .presence = absent };
        r->seen[i] = false;
    }
    if (r->sent != r->meant)
        memcpy(r->sent, r->meant, size);
    r->op_time_seen = false;
    return true;
}

weir_status row_read(row_reader *r, input_op op, const input_value *raw, weir_arena *arena, input_row *out,
                     weir_error *err)
{
    input_row row = { .op = op, .at = raw };
    const input_value *object = NULL;
    weir_status status;

    weir__arena_reset(r->scratch);
    r->arena = arena;
    r->out = &row;
    r->err = err;
    if (!begin_row(r, op))
        return memory(r);
    status = input_json_row(r->text, raw, r->scratch, &object, err);
    if (status != WEIR_OK)
        return status;
    for (const input_value *m = object->first; m != NULL && status == WEIR_OK; m = m->next)
        status = take_member(r, m);
    if (status == WEIR_OK)
        status = check_whole(r, raw, op);
    if (status != WEIR_OK)
        return status;
    row.meant = r->meant;
    row.sent = r->sent;
    *out = row;
    return WEIR_OK;
}
