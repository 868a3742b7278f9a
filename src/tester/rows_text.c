/* tester/rows_text: two small readers of flat rows; numbers keep their digits. See rows_text.h. */
#include "tester/rows_text.h"

#include <string.h>

#include "base/utf8.h"

/* --- CSV --- */

bool rows_csv_end(rows_csv_scan *scan, const char *data, size_t size)
{
    for (; scan->at < size; scan->at++) {
        if (data[scan->at] == '"')
            scan->in_quotes = !scan->in_quotes;
        else if (data[scan->at] == '\n' && !scan->in_quotes)
            return true;
    }
    return false;
}

/* One cell of a record, unquoted in place. */
typedef struct csv_cell {
    char *data;
    size_t size;
    bool quoted;
} csv_cell;

/* Takes the cell at *at and moves it behind the comma; *last when there is none. */
static weir_status take_csv(char *record, size_t size, size_t *at, csv_cell *out, bool *last, weir_error *err)
{
    size_t from = *at;
    size_t to = from;

    *out = (csv_cell){ record + from, 0, from < size && record[from] == '"' };
    if (out->quoted) {
        for (from++;; from++) {
            if (from >= size)
                return weir__error(err, "a quote that never closes");
            if (record[from] == '"' && (from + 1 >= size || record[from + 1] != '"'))
                break;
            from += record[from] == '"';
            record[to++] = record[from];
        }
        from++;
        if (from < size && record[from] != ',')
            return weir__error(err, "text behind a closing quote");
    } else {
        while (from < size && record[from] != ',')
            from++;
        to = from;
    }
    out->size = to - *at;
    *last = from >= size;
    *at = from + 1;
    return WEIR_OK;
}

static size_t without_cr(const char *record, size_t size)
{
    return size > 0 && record[size - 1] == '\r' ? size - 1 : size;
}

weir_status rows_csv_header(char *record, size_t size, rows_row *row, weir_error *err)
{
    weir_status status = WEIR_OK;
    bool last = false;
    size_t at = 0;
    size_t found;
    csv_cell cell;

    size = without_cr(record, size);
    if (!weir__utf8_valid(record, size))
        return weir__error(err, "a header that is not UTF-8");
    while (status == WEIR_OK && !last) {
        status = take_csv(record, size, &at, &cell, &last, err);
        found = status == WEIR_OK ? rows_row_find(row, cell.data, cell.size) : SIZE_MAX;
        if (found != SIZE_MAX)
            status = weir__error(err, "a header whose columns %zu and %zu have one name", found + 1,
                                 row->count + 1);
        if (status == WEIR_OK)
            status = rows_row_column(row, cell.data, cell.size, err);
    }
    return status;
}

weir_status rows_csv_row(char *record, size_t size, rows_row *row, weir_error *err)
{
    bool last = false;
    size_t at = 0;

    size = without_cr(record, size);
    if (!weir__utf8_valid(record, size))
        return weir__error(err, "text that is not UTF-8");
    for (size_t i = 0; i < row->count; i++) {
        weir_status status;
        csv_cell cell;

        if (last)
            return weir__error(err, "%zu cells for %zu columns", i, row->count);
        status = take_csv(record, size, &at, &cell, &last, err);
        if (status == WEIR_OK && (cell.quoted || cell.size > 0))
            status = rows_row_put(row, i, WEIR_SEEN_TEXT, cell.data, cell.size, err);
        if (status)
            return status;
    }
    return last ? WEIR_OK : weir__error(err, "more than %zu cells", row->count);
}

/* --- JSON --- */

typedef struct json {
    const char *record;
    const char *at;
    const char *end;
    weir_error *err;
} json;

/* Where, and not what stands there: the error is kept, and values are not. */
static weir_status json_error(const json *in, const char *expected)
{
    if (in->at == in->end)
        return weir__error(in->err, "the line ends where %s was expected", expected);
    return weir__error(in->err, "byte %zu: expected %s", (size_t)(in->at - in->record) + 1, expected);
}

static void skip_space(json *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\r' || *in->at == '\n'))
        in->at++;
}

static bool take_char(json *in, char wanted)
{
    skip_space(in);
    if (in->at == in->end || *in->at != wanted)
        return false;
    in->at++;
    return true;
}

/* Four hexadecimal digits; UINT32_MAX for others. */
static uint32_t take_hex(json *in)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++, in->at++) {
        char c = in->at < in->end ? *in->at : 'x';

        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return value;
}

static bool put_code(weir_buf *out, uint32_t code)
{
    char text[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };

    for (size_t i = size; i-- > 1; code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3F));
    text[0] = (char)(lead[size] | code);
    return weir__buf_put(out, text, size);
}

/* Behind `\u`. A pair of surrogates is one character; a single one is none. */
static weir_status take_unicode(json *in, weir_buf *out)
{
    uint32_t code = take_hex(in);
    uint32_t low;

    if (code >= 0xD800 && code <= 0xDBFF && in->end - in->at > 2 && in->at[0] == '\\' && in->at[1] == 'u') {
        in->at += 2;
        low = take_hex(in);
        if (low < 0xDC00 || low > 0xDFFF)
            return weir__error(in->err, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code == UINT32_MAX)
        return weir__error(in->err, "expected four hexadecimal digits after \\u");
    if (code >= 0xD800 && code <= 0xDFFF)
        return weir__error(in->err, "half of a surrogate pair");
    return put_code(out, code) ? WEIR_OK : weir__error_memory(in->err, "reading a row");
}

static weir_status take_escape(json *in, weir_buf *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found = in->at < in->end && *in->at != '\0' ? strchr(from, *in->at) : NULL;

    if (in->at < in->end && *in->at == 'u') {
        in->at++;
        return take_unicode(in, out);
    }
    if (found == NULL)
        return json_error(in, "an escape");
    in->at++;
    return weir__buf_put(out, &to[found - from], 1) ? WEIR_OK : weir__error_memory(in->err, "reading a row");
}

/* A text, decoded into `out`; the opening quote is taken. */
static weir_status take_text(json *in, weir_buf *out)
{
    out->size = 0;
    for (;;) {
        const char *from = in->at;
        weir_status status;

        while (in->at < in->end && *in->at != '"' && *in->at != '\\' && (unsigned char)*in->at >= 0x20)
            in->at++;
        if (!weir__buf_put(out, from, (size_t)(in->at - from)))
            return weir__error_memory(in->err, "reading a row");
        if (in->at == in->end || (unsigned char)*in->at < 0x20)
            return json_error(in, "the end of a text");
        if (*in->at++ == '"')
            return WEIR_OK;
        status = take_escape(in, out);
        if (status)
            return status;
    }
}

/* Passes an object or an array by its brackets; what is inside is compared as JSON later. */
static weir_status pass_nested(json *in)
{
    size_t depth = 0;
    bool quoted = false;

    do {
        if (in->at == in->end)
            return json_error(in, "a closing bracket");
        if (quoted && *in->at == '\\' && in->at + 1 < in->end)
            in->at++;
        else if (*in->at == '"')
            quoted = !quoted;
        else if (!quoted && (*in->at == '{' || *in->at == '['))
            depth++;
        else if (!quoted && (*in->at == '}' || *in->at == ']'))
            depth--;
        in->at++;
    } while (depth > 0);
    return WEIR_OK;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
}

/* true, false, null, or a number; NaN and Infinity are taken, too, for many programs write them. */
static weir_status take_word(json *in, size_t column, rows_row *row)
{
    const char *from = in->at;
    weir_seen_kind kind = WEIR_SEEN_TEXT;
    size_t size;

    while (in->at < in->end && is_word(*in->at))
        in->at++;
    size = (size_t)(in->at - from);
    if (size == 0)
        return json_error(in, "a value");
    if (size == 4 && memcmp(from, "null", 4) == 0)
        return WEIR_OK;
    if ((size == 4 && memcmp(from, "true", 4) == 0) || (size == 5 && memcmp(from, "false", 5) == 0))
        kind = WEIR_SEEN_BOOLEAN;
    else if (strchr("0123456789-", from[0]) == NULL && from[0] != 'N' && from[0] != 'I') {
        in->at = from;
        return json_error(in, "a value");
    }
    return column == SIZE_MAX ? WEIR_OK : rows_row_put(row, column, kind, from, size, in->err);
}

static weir_status take_value(json *in, size_t column, rows_row *row, weir_buf *scratch)
{
    const char *from;
    weir_status status;

    if (take_char(in, '"')) {
        status = take_text(in, scratch);
        if (status || column == SIZE_MAX)
            return status;
        return rows_row_put(row, column, WEIR_SEEN_TEXT, scratch->data, scratch->size, in->err);
    }
    if (in->at == in->end || (*in->at != '{' && *in->at != '['))
        return take_word(in, column, row);
    from = in->at;
    status = pass_nested(in);
    if (status || column == SIZE_MAX)
        return status;
    return rows_row_put(row, column, WEIR_SEEN_JSON, from, (size_t)(in->at - from), in->err);
}

weir_status rows_json_row(const char *record, size_t size, rows_row *row, weir_buf *scratch, weir_error *err)
{
    json in = { record, record, record + size, err };
    weir_status status = WEIR_OK;
    bool more;

    if (!weir__utf8_valid(record, size))
        return weir__error(err, "text that is not UTF-8");
    if (!take_char(&in, '{'))
        return json_error(&in, "an object");
    more = !take_char(&in, '}');
    while (status == WEIR_OK && more) {
        size_t column;

        if (!take_char(&in, '"'))
            return json_error(&in, "a name in quotes");
        status = take_text(&in, scratch);
        if (status)
            return status;
        column = rows_row_find(row, scratch->data, scratch->size);
        if (!take_char(&in, ':'))
            return json_error(&in, "a colon");
        status = take_value(&in, column, row, scratch);
        if (status == WEIR_OK && !take_char(&in, ',')) {
            more = false;
            if (!take_char(&in, '}'))
                return json_error(&in, "a comma or a closing bracket");
        }
    }
    skip_space(&in);
    if (status == WEIR_OK && in.at != in.end)
        return json_error(&in, "the end of the line");
    return status;
}
