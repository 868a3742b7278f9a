/* tester/input_json: a recursive reader, at most DEPTH_MAX deep; see input_json.h. */
#include "tester/input_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"

#define DEPTH_MAX 64
#define PATH_SIZE ((size_t)512)

typedef struct reader {
    const input_text *in;
    weir_arena *arena;
    const char *at;
    const char *end;
    unsigned raw_depth;
    unsigned depth;
    bool dry; /* inside a raw object: check, keep nothing */
    input_value *parent;
    weir_bytes key; /* of the member being read */
    weir_error *err;
} reader;

const char *input_kind_name(input_kind kind)
{
    static const char *const names[] = { "null",     "false",    "true",      "a number",
                                         "a string", "an array", "an object", "an object" };

    return names[kind];
}

/* --- places --- */

static void find_place(const input_text *in, size_t offset, size_t *line, size_t *column)
{
    const char *start = in->text.data;

    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++)
        if (in->text.data[i] == '\n') {
            (*line)++;
            start = in->text.data + i + 1;
        }
    for (const char *c = start; c < in->text.data + offset; c++)
        *column += ((unsigned char)*c & 0xC0) != 0x80;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_plain(weir_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return name.size > 0;
}

static void put_step(char *out, size_t size, const char *format, ...) WEIR_PRINTF(3, 4);

static void put_step(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;

    va_start(args, format);
    if (used < size)
        vsnprintf(out + used, size - used, format, args);
    va_end(args);
    out[weir__utf8_prefix(out, strlen(out))] = '\0';
}

static void put_key(char *out, size_t size, weir_bytes key)
{
    int length = key.size > 80 ? 80 : (int)key.size;

    if (is_plain(key))
        put_step(out, size, "%s%.*s", out[0] ? "." : "", length, key.data);
    else
        put_step(out, size, "[\"%.*s\"]", length, key.data);
}

void input_path(const input_value *value, char *out, size_t size)
{
    if (value->parent == NULL) {
        out[0] = '\0';
        return;
    }
    input_path(value->parent, out, size);
    if (value->parent->kind == INPUT_ARRAY)
        put_step(out, size, "[%u]", value->index);
    else
        put_key(out, size, value->key);
}

static weir_status place_error(const input_text *in, size_t offset, const char *path, weir_error *err,
                               const char *what)
{
    size_t line;
    size_t column;

    find_place(in, offset, &line, &column);
    return weir__error(err, "'%s', line %zu, column %zu%s%s: %s", in->name, line, column,
                       path[0] ? ", at " : "", path, what);
}

weir_status input_error(const input_text *in, const input_value *at, bool at_key, weir_error *err,
                        const char *format, ...)
{
    char path[PATH_SIZE];
    char what[WEIR_ERROR_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    input_path(at, path, sizeof path);
    return place_error(in, at_key ? at->key_offset : at->offset, path, err, what);
}

/* A fault of syntax at `at`; the path is that of the value being read. */
static weir_status syntax(reader *r, const char *at, const char *what)
{
    char path[PATH_SIZE] = "";

    if (r->parent != NULL) {
        input_path(r->parent, path, sizeof path);
        if (r->parent->kind == INPUT_ARRAY)
            put_step(path, sizeof path, "[%zu]", r->parent->count);
        else if (r->key.data != NULL)
            put_key(path, sizeof path, r->key);
    }
    return place_error(r->in, (size_t)(at - r->in->text.data), path, r->err, what);
}

/* --- reading --- */

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool take_hex(const char *at, const char *end, uint32_t *out)
{
    uint32_t value = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;

        if (digit == 16)
            return false;
        value = value * 16 + digit;
    }
    *out = value;
    return true;
}

static char *put_character(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* `\uXXXX`, a pair of them for a character beyond U+FFFF; *at is behind the `u`. NULL: it is none. */
static char *unescape_hex(const char **at, const char *end, char *out)
{
    uint32_t c;
    uint32_t low;

    if (!take_hex(*at, end, &c))
        return NULL;
    *at += 4;
    if (c >= 0xDC00 && c <= 0xDFFF)
        return NULL;
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !take_hex(*at + 2, end, &low) ||
            low < 0xDC00 || low > 0xDFFF)
            return NULL;
        *at += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_character(out, c);
}

/*
 * Undoes the escapes of [at, end) into `out`, which has room for as many bytes. NULL: a bad one, *at is
 * there.
 */
static char *unescape(const char **at, const char *end, char *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";

    while (*at < end) {
        const char *found;

        if (**at != '\\') {
            *out++ = *(*at)++;
            continue;
        }
        if (end - *at < 2)
            return NULL;
        if ((*at)[1] == 'u') {
            const char *behind = *at + 2;

            out = unescape_hex(&behind, end, out);
            if (out == NULL)
                return NULL;
            *at = behind;
            continue;
        }
        found = strchr(names, (*at)[1]);
        if (found == NULL || *found == '\0')
            return NULL;
        *out++ = values[found - names];
        *at += 2;
    }
    return out;
}

/* A string; r->at is at its opening quote. */
static weir_status take_string(reader *r, weir_bytes *out)
{
    const char *start = r->at + 1;
    const char *at = start;
    bool escapes = false;
    char *text;
    char *behind;

    while (at < r->end && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return syntax(r, at, "a control character inside a string; write it as an escape, like \\n");
        escapes = escapes || *at == '\\';
        at += *at == '\\' && at + 1 < r->end ? 2 : 1;
    }
    if (at >= r->end)
        return syntax(r, r->at, "this string does not end");
    r->at = at + 1;
    *out = (weir_bytes){ start, (size_t)(at - start) };
    if (!escapes)
        return WEIR_OK;
    text = weir__arena_raw(r->arena, out->size + 1);
    if (text == NULL)
        return weir__error_memory(r->err, "reading an input file");
    behind = unescape(&start, at, text);
    if (behind == NULL)
        return syntax(r, start, "this escape is none of JSON's, or half of a surrogate pair");
    *out = (weir_bytes){ text, (size_t)(behind - text) };
    return WEIR_OK;
}

static const char *digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static weir_status take_number(reader *r, weir_bytes *out)
{
    const char *start = r->at;
    const char *at = start + (*start == '-');
    const char *whole = at;

    at = digits(at, r->end);
    if (at == whole || (*whole == '0' && at > whole + 1))
        return syntax(r, start, "this is no JSON number");
    if (at < r->end && *at == '.') {
        const char *fraction = ++at;

        at = digits(at, r->end);
        if (at == fraction)
            return syntax(r, start, "digits are missing after the point");
    }
    if (at < r->end && (*at == 'e' || *at == 'E')) {
        const char *exponent;

        at += 1 + (at + 1 < r->end && (at[1] == '+' || at[1] == '-'));
        exponent = at;
        at = digits(at, r->end);
        if (at == exponent)
            return syntax(r, start, "digits are missing in the exponent");
    }
    *out = (weir_bytes){ start, (size_t)(at - start) };
    r->at = at;
    return WEIR_OK;
}

static bool take_word(reader *r, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
        return false;
    r->at += size;
    return r->at == r->end || !is_letter(*r->at);
}

static weir_status take_value(reader *r, input_value *out);

/* A new node at the end of r->parent; while dry always the same scratch one. */
static input_value *add_node(reader *r, input_value *scratch, input_value **last)
{
    input_value *node = r->dry ? scratch : weir__arena_alloc(r->arena, sizeof *node);

    if (node == NULL)
        return NULL;
    *node = (input_value){ .parent = r->parent, .index = (uint32_t)r->parent->count };
    if (r->parent->kind != INPUT_ARRAY)
        node->key = r->key;
    if (!r->dry) {
        if (*last == NULL)
            r->parent->first = node;
        else
            (*last)->next = node;
    }
    *last = node;
    return node;
}

/* `"key" :`, r->key becomes the key. */
static weir_status take_key(reader *r, size_t *offset)
{
    weir_bytes key = { 0 };
    weir_status status;

    r->key = (weir_bytes){ 0 };
    skip_space(r);
    if (r->at == r->end || *r->at != '"')
        return syntax(r, r->at,
                      r->at < r->end && *r->at == '}' ? "a comma before the closing brace"
                                                      : "expected a key in double quotes");
    *offset = (size_t)(r->at - r->in->text.data);
    status = take_string(r, &key);
    if (status != WEIR_OK)
        return status;
    r->key = key;
    skip_space(r);
    if (r->at == r->end || *r->at != ':')
        return syntax(r, r->at, "expected a colon after the key");
    r->at++;
    return WEIR_OK;
}

/*
 * Elements or members up to the closing character; r->at is behind the opening one, r->parent the container.
 */
static weir_status take_members(reader *r, bool object)
{
    char close = object ? '}' : ']';
    input_value scratch;
    input_value *last = NULL;
    weir_status status;

    skip_space(r);
    if (r->at < r->end && *r->at == close) {
        r->at++;
        return WEIR_OK;
    }
    for (;;) {
        size_t key_offset = 0;
        input_value *node;

        if (object && (status = take_key(r, &key_offset)) != WEIR_OK)
            return status;
        node = add_node(r, &scratch, &last);
        if (node == NULL)
            return weir__error_memory(r->err, "reading an input file");
        node->key_offset = key_offset;
        status = take_value(r, node);
        if (status != WEIR_OK)
            return status;
        r->parent->count++;
        skip_space(r);
        if (r->at < r->end && *r->at == close)
            break;
        if (r->at == r->end || *r->at != ',')
            return syntax(r, r->at,
                          object ? "expected a comma or a closing brace"
                                 : "expected a comma or a closing bracket");
        r->at++;
    }
    r->at++;
    return WEIR_OK;
}

/* An array or object; r->at is at its opening character. */
static weir_status take_container(reader *r, bool object, input_value *out)
{
    input_value *outer = r->parent;
    weir_bytes key = r->key;
    bool raw = object && r->raw_depth > 0 && r->depth == r->raw_depth && !r->dry && outer != NULL &&
               outer->kind == INPUT_ARRAY;
    bool dry = r->dry;
    const char *start = r->at;
    weir_status status;

    if (r->depth >= DEPTH_MAX)
        return syntax(r, r->at, "arrays and objects are nested too deep here");
    out->kind = object ? INPUT_OBJECT : INPUT_ARRAY;
    r->at++;
    r->depth++;
    r->parent = out;
    r->key = (weir_bytes){ 0 };
    r->dry = dry || raw;
    status = take_members(r, object);
    r->dry = dry;
    r->depth--;
    if (status != WEIR_OK)
        return status;
    r->parent = outer;
    r->key = key;
    out->text = (weir_bytes){ start, (size_t)(r->at - start) };
    if (raw)
        out->kind = INPUT_RAW;
    return WEIR_OK;
}

static weir_status take_value(reader *r, input_value *out)
{
    skip_space(r);
    if (r->at == r->end)
        return syntax(r, r->at, "the file ends where a value is expected");
    out->offset = (size_t)(r->at - r->in->text.data);
    switch (*r->at) {
    case '{':
        return take_container(r, true, out);
    case '[':
        return take_container(r, false, out);
    case '"':
        out->kind = INPUT_STRING;
        return take_string(r, &out->text);
    case 't':
        out->kind = INPUT_TRUE;
        break;
    case 'f':
        out->kind = INPUT_FALSE;
        break;
    case 'n':
        out->kind = INPUT_NULL;
        break;
    default:
        if (*r->at != '-' && (*r->at < '0' || *r->at > '9'))
            return syntax(r, r->at,
                          "expected a value: an object, array, string, number, true, false or null");
        out->kind = INPUT_NUMBER;
        return take_number(r, &out->text);
    }
    if (!take_word(r, input_kind_name(out->kind)))
        return syntax(r, r->at, "expected true, false or null; text stands in double quotes");
    return WEIR_OK;
}

weir_status input_json_parse(const input_text *in, unsigned raw_depth, weir_arena *arena,
                             const input_value **out, size_t *end, weir_error *err)
{
    reader r = { .in = in, .arena = arena, .raw_depth = raw_depth, .err = err };
    size_t valid = weir__utf8_prefix(in->text.data, in->text.size);
    input_value *root = weir__arena_alloc(arena, sizeof *root);
    weir_status status;

    if (root == NULL)
        return weir__error_memory(err, "reading an input file");
    if (valid < in->text.size)
        return place_error(in, valid, "", err, "this is not UTF-8");
    r.at = in->text.data;
    r.end = in->text.data + in->text.size;
    if (in->text.size >= 3 && memcmp(r.at, "\xEF\xBB\xBF", 3) == 0)
        r.at += 3; /* a byte order mark */
    if (in->text.size == 0)
        return place_error(in, 0, "", err, "the file is empty; expected a JSON object");
    status = take_value(&r, root);
    if (status != WEIR_OK)
        return status;
    *out = root;
    *end = (size_t)(r.at - in->text.data);
    return WEIR_OK;
}

weir_status input_json_row(const input_text *in, const input_value *raw, weir_arena *arena,
                           const input_value **out, weir_error *err)
{
    reader r = { .in = in, .arena = arena, .err = err, .at = raw->text.data };
    input_value *row = weir__arena_alloc(arena, sizeof *row);
    weir_status status;

    if (row == NULL)
        return weir__error_memory(err, "reading a row");
    *row = *raw;
    row->first = NULL;
    row->count = 0;
    r.end = raw->text.data + raw->text.size;
    status = take_container(&r, true, row);
    if (status == WEIR_OK)
        *out = row;
    return status;
}

weir_status input_json_trailer(const input_text *in, size_t end, size_t *at)
{
    const char *data = in->text.data;
    size_t size = in->text.size;

    for (;;) {
        while (end < size && strchr(" \t\r\n", data[end]) != NULL && data[end] != '\0')
            end++;
        if (end == size)
            return WEIR_OK;
        if (data[end] == '#' || (end + 1 < size && data[end] == '/' && data[end + 1] == '/')) {
            const char *line = memchr(data + end, '\n', size - end);

            end = line != NULL ? (size_t)(line - data) : size;
        } else if (end + 1 < size && data[end] == '/' && data[end + 1] == '*') {
            const char *close = memmem(data + end + 2, size - end - 2, "*/", 2);

            end = close != NULL ? (size_t)(close - data) + 2 : size;
        } else {
            *at = end;
            return WEIR_ITEM;
        }
    }
}

const input_value *input_member(const input_value *object, const char *name)
{
    const input_value *found = NULL;

    for (const input_value *m = object->first; m != NULL; m = m->next)
        if (weir__bytes_equal(m->key, weir__text(name)))
            found = m;
    return found;
}
