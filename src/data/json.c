/* data/json: runs of plain text are copied, the rest is escaped. */
#include "data/json.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "data/digits.h"
#include "data/text.h"
#include "data/type.h"

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static bool put_escaped(weir_buf *out, char byte)
{
    switch (byte) {
    case '"':
        return weir__buf_put(out, "\\\"", 2);
    case '\\':
        return weir__buf_put(out, "\\\\", 2);
    case '\n':
        return weir__buf_put(out, "\\n", 2);
    default:
        return weir__buf_printf(out, "\\u%04x", (unsigned)(unsigned char)byte);
    }
}

bool weir__json_put_text(weir_buf *out, const char *text, size_t size)
{
    size_t at = 0;

    if (!weir__buf_put(out, "\"", 1))
        return false;
    while (at < size) {
        size_t start = at;

        while (at < size && is_plain(text[at]))
            at++;
        if (at > start && !weir__buf_put(out, text + start, at - start))
            return false;
        if (at < size && !put_escaped(out, text[at++]))
            return false;
    }
    return weir__buf_put(out, "\"", 1);
}

/* A finite real as a number that stays one: -0 would be read as the integer 0. */
static weir_status put_real(weir_buf *out, const weir_cell *cell, weir_error *err)
{
    size_t start = out->size;

    if (weir__text_put(out, cell, err) != WEIR_OK)
        return WEIR_FAILED;
    for (size_t i = start; i < out->size; i++)
        if (out->data[i] == '.' || out->data[i] == 'E')
            return WEIR_OK;
    return weir__buf_put(out, ".0", 2) ? WEIR_OK : weir__error_memory(err, "writing JSON");
}

static weir_status no_memory(weir_error *err)
{
    return weir__error_memory(err, "writing JSON");
}

weir_status weir__json_put_cell(weir_buf *out, const weir_cell *cell, weir_error *err)
{
    if (cell->presence != WEIR_VALUE)
        return weir__buf_put_text(out, "null") ? WEIR_OK : no_memory(err);
    if (cell->type == WEIR_BOOLEAN || weir__type_is_integer(cell->type))
        return weir__text_put(out, cell, err);
    if (weir__type_is_real(cell->type) && isfinite(cell->as.real))
        return put_real(out, cell, err);
    if (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML)
        return weir__json_put_text(out, cell->as.bytes.data, cell->as.bytes.size) ? WEIR_OK : no_memory(err);
    /* The other texts have nothing to escape. */
    if (!weir__buf_put(out, "\"", 1))
        return no_memory(err);
    if (weir__text_put(out, cell, err) != WEIR_OK)
        return WEIR_FAILED;
    return weir__buf_put(out, "\"", 1) ? WEIR_OK : no_memory(err);
}

/* --- reading --- */

#define DEPTH_MAX 64

static void skip_space(weir_json_walk *walk)
{
    while (walk->at < walk->end &&
           (*walk->at == ' ' || *walk->at == '\t' || *walk->at == '\n' || *walk->at == '\r'))
        walk->at++;
}

/* Takes `byte` and the space behind it. */
static bool take(weir_json_walk *walk, char byte)
{
    if (walk->at == walk->end || *walk->at != byte)
        return false;
    walk->at++;
    skip_space(walk);
    return true;
}

static bool take_word(weir_json_walk *walk, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(walk->end - walk->at) < size || memcmp(walk->at, word, size) != 0)
        return false;
    walk->at += size;
    return true;
}

/* The value of a hexadecimal digit; -1 when it is none. */
static int hex(char byte)
{
    if (weir__is_digit(byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static bool take_escape(weir_json_walk *walk)
{
    if (walk->at == walk->end)
        return false;
    if (*walk->at != 'u')
        return *walk->at != '\0' && strchr("\"\\/bfnrt", *walk->at++) != NULL;
    walk->at++;
    for (int i = 0; i < 4; i++, walk->at++)
        if (walk->at == walk->end || hex(*walk->at) < 0)
            return false;
    return true;
}

static bool take_string(weir_json_walk *walk)
{
    for (walk->at++; walk->at < walk->end;) {
        char byte = *walk->at++;

        if (byte == '"')
            return true;
        if ((unsigned char)byte < 0x20 || (byte == '\\' && !take_escape(walk)))
            return false;
    }
    return false;
}

static bool take_digits(weir_json_walk *walk)
{
    const char *start = walk->at;

    while (walk->at < walk->end && weir__is_digit(*walk->at))
        walk->at++;
    return walk->at > start;
}

static bool take_number(weir_json_walk *walk)
{
    walk->at += *walk->at == '-';
    if (walk->at < walk->end && *walk->at == '0')
        walk->at++;
    else if (!take_digits(walk))
        return false;
    if (walk->at < walk->end && *walk->at == '.') {
        walk->at++;
        if (!take_digits(walk))
            return false;
    }
    if (walk->at == walk->end || (*walk->at != 'e' && *walk->at != 'E'))
        return true;
    walk->at++;
    walk->at += walk->at < walk->end && (*walk->at == '+' || *walk->at == '-');
    return take_digits(walk);
}

static bool take_value(weir_json_walk *walk, int depth, weir_json_value *out);

/* The members or items up to the closing bracket; `walk` stands on the opening one. */
static bool take_list(weir_json_walk *walk, bool members, int depth)
{
    char close = members ? '}' : ']';
    weir_json_value ignored;

    if (depth == DEPTH_MAX)
        return false;
    walk->at++;
    skip_space(walk);
    if (walk->at < walk->end && *walk->at == close) {
        walk->at++;
        return true;
    }
    do {
        if (members &&
            (!take_value(walk, DEPTH_MAX, &ignored) || ignored.kind != WEIR_JSON_STRING || !take(walk, ':')))
            return false;
        if (!take_value(walk, depth + 1, &ignored))
            return false;
    } while (take(walk, ','));
    if (walk->at == walk->end || *walk->at != close)
        return false;
    walk->at++;
    return true;
}

/* One value and the space behind it. */
static bool take_value(weir_json_walk *walk, int depth, weir_json_value *out)
{
    const char *start = walk->at;
    bool good;

    if (start == walk->end)
        return false;
    switch (*start) {
    case '"':
        out->kind = WEIR_JSON_STRING;
        good = take_string(walk);
        break;
    case '{':
    case '[':
        out->kind = *start == '{' ? WEIR_JSON_OBJECT : WEIR_JSON_ARRAY;
        good = take_list(walk, *start == '{', depth);
        break;
    case 't':
        out->kind = WEIR_JSON_TRUE;
        good = take_word(walk, "true");
        break;
    case 'f':
        out->kind = WEIR_JSON_FALSE;
        good = take_word(walk, "false");
        break;
    case 'n':
        out->kind = WEIR_JSON_NULL;
        good = take_word(walk, "null");
        break;
    default:
        out->kind = WEIR_JSON_NUMBER;
        good = take_number(walk);
    }
    out->text = (weir_bytes){ start, (size_t)(walk->at - start) };
    skip_space(walk);
    return good;
}

bool weir__json_parse(weir_bytes text, weir_json_value *out)
{
    weir_json_walk walk = { text.data, text.data + text.size };
    weir_json_value found;

    if (text.size == 0 || !weir__utf8_valid(text.data, text.size))
        return false;
    skip_space(&walk);
    if (!take_value(&walk, 0, &found) || walk.at != walk.end)
        return false;
    *out = found;
    return true;
}

weir_json_walk weir__json_walk(const weir_json_value *value)
{
    weir_json_walk walk = { value->text.data, value->text.data };

    if (value->kind == WEIR_JSON_OBJECT || value->kind == WEIR_JSON_ARRAY) {
        walk.at = value->text.data + 1;
        walk.end = value->text.data + value->text.size - 1;
        skip_space(&walk);
    }
    return walk;
}

bool weir__json_next(weir_json_walk *walk, weir_json_value *name, weir_json_value *value)
{
    if (walk->at == walk->end)
        return false;
    /* The text has been checked, and `name` tells members from items. */
    if (name != NULL && (!take_value(walk, 0, name) || !take(walk, ':')))
        return false;
    if (!take_value(walk, 0, value))
        return false;
    take(walk, ',');
    return true;
}

/* Four hexadecimal digits. */
static uint32_t code_at(const char *at)
{
    return (uint32_t)(hex(at[0]) << 12 | hex(at[1]) << 8 | hex(at[2]) << 4 | hex(at[3]));
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

/* What `\u` stands for, surrogate pairs included; *at stands on the first digit and moves behind the last. */
static uint32_t take_code(const char **at, const char *end)
{
    uint32_t code = code_at(*at);
    uint32_t low;

    *at += 4;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0xFFFD;
    low = code_at(*at + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *at += 6;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

size_t weir__json_decode(const weir_json_value *string, char *out)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const char *at = string->text.data + 1;
    const char *end = string->text.data + string->text.size - 1;
    char *start = out;

    while (at < end) {
        const char *known;

        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        if (at[1] == 'u') {
            at += 2;
            out = put_utf8(out, take_code(&at, end));
            continue;
        }
        known = strchr(from, at[1]);
        *out++ = known != NULL ? to[known - from] : at[1];
        at += 2;
    }
    return (size_t)(out - start);
}

bool weir__json_is(const weir_json_value *string, const char *text)
{
    char name[6 * WEIR_NAME_SIZE_MAX + 2]; /* a name, all of it escaped */
    size_t size = strlen(text);

    if (memchr(string->text.data, '\\', string->text.size) == NULL)
        return string->text.size == size + 2 && memcmp(string->text.data + 1, text, size) == 0;
    if (string->text.size > sizeof name) /* too long for a name */
        return false;
    return weir__json_decode(string, name) == size && memcmp(name, text, size) == 0;
}
