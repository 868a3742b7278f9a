/* record/disguise_text: texts, JSON and XML; see disguise.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "record/disguise_internal.h"

/* Ranges of characters; one becomes another of its range. All of a range take as many bytes. */
static const struct {
    uint32_t first;
    uint32_t last;
} ranges[] = {
    { 'a', 'z' },       { 'A', 'Z' },       { '0', '9' },          { 0xC0, 0x24F },
    { 0x370, 0x7FF },   { 0x800, 0x1FFF },  { 0x3040, 0x30FF },    { 0x3400, 0x9FFF },
    { 0xA000, 0xD7FF }, { 0xE000, 0xFFFD }, { 0x10000, 0x10FFFF },
};

#define RANGE_COUNT (sizeof ranges / sizeof ranges[0])

static size_t range_of(uint32_t c)
{
    size_t at = 0;

    while (at < RANGE_COUNT && (c < ranges[at].first || c > ranges[at].last))
        at++;
    return at;
}

/* The character at the front of well-formed text, and its bytes. */
static uint32_t decode(const char *text, size_t *size)
{
    const unsigned char *at = (const unsigned char *)text;

    if (at[0] < 0x80) {
        *size = 1;
        return at[0];
    }
    if (at[0] < 0xE0) {
        *size = 2;
        return (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
    }
    if (at[0] < 0xF0) {
        *size = 3;
        return (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    }
    *size = 4;
    return (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
}

static size_t encode(uint32_t c, char *out)
{
    unsigned char *at = (unsigned char *)out;

    if (c < 0x80) {
        at[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        at[0] = (unsigned char)(0xC0 | c >> 6);
        at[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        at[0] = (unsigned char)(0xE0 | c >> 12);
        at[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        at[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    at[0] = (unsigned char)(0xF0 | c >> 18);
    at[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    at[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    at[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

/* UUIDs and digests stay such: hex digits in small letters, with dashes, long, digits and letters both. */
static bool is_hex(const char *text, size_t size)
{
    size_t letters = 0;
    size_t digits = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] >= 'a' && text[i] <= 'f')
            letters++;
        else if (text[i] >= '0' && text[i] <= '9')
            digits++;
        else if (text[i] != '-')
            return false;
    }
    return letters > 0 && digits > 0 && letters + digits >= 8;
}

static size_t to_symbols(const char *text, size_t size, bool hex, disguise_symbol *symbols)
{
    size_t count = 0;
    size_t part;

    for (size_t i = 0; i < size; i += part) {
        uint32_t c = decode(text + i, &part);
        size_t at = range_of(c);

        if (at == RANGE_COUNT)
            continue;
        if (hex)
            symbols[count++] = (disguise_symbol){ c <= '9' ? c - '0' : c - 'a' + 10, 16 };
        else
            symbols[count++] = (disguise_symbol){ c - ranges[at].first,
                                                  ranges[at].last - ranges[at].first + 1 };
    }
    return count;
}

/* Puts the symbols back, in place: each takes as many bytes as what it replaces. */
static void from_symbols(char *text, size_t size, bool hex, const disguise_symbol *symbols)
{
    size_t count = 0;
    size_t part;

    for (size_t i = 0; i < size; i += part) {
        uint32_t c = decode(text + i, &part);
        size_t at = range_of(c);

        if (at == RANGE_COUNT)
            continue;
        c = symbols[count].value;
        count++;
        encode(hex ? (c < 10 ? '0' + c : 'a' + c - 10) : ranges[at].first + c, text + i);
    }
}

bool disguise_text(disguise *d, weir_bytes text, weir_buf *out)
{
    bool hex = is_hex(text.data, text.size);
    size_t start = out->size;
    disguise_symbol *symbols;
    size_t count;

    if (text.size == 0)
        return true;
    if (!weir__utf8_valid(text.data, text.size))
        return disguise_blank(d, text, out);
    symbols = weir__calloc(text.size, sizeof *symbols);
    if (symbols == NULL || !weir__buf_put(out, text.data, text.size)) {
        weir__free(symbols);
        return false;
    }
    do { /* a hex text becomes one, any other none: so two never become one */
        count = to_symbols(out->data + start, text.size, hex, symbols);
        if (count == 0)
            break;
        disguise_permute(d, symbols, count);
        from_symbols(out->data + start, text.size, hex, symbols);
    } while (is_hex(out->data + start, text.size) != hex);
    weir__free(symbols);
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool disguise_blank(disguise *d, weir_bytes text, weir_buf *out)
{
    for (size_t i = 0; i < text.size;) {
        size_t size = 0;
        size_t start = out->size;

        while (i + size < text.size && is_word(text.data[i + size]))
            size++;
        if (size == 0) {
            char c = (unsigned char)text.data[i] < 0x80 ? text.data[i] : 'x';

            if (!weir__buf_put(out, &c, 1))
                return false;
            i++;
            continue;
        }
        if (!weir__buf_put(out, text.data + i, size))
            return false;
        for (size_t j = start; j < out->size && !disguise_is_name(d, (weir_bytes){ text.data + i, size });
             j++)
            out->data[j] = out->data[j] >= '0' && out->data[j] <= '9' ? '0' : 'x';
        i += size;
    }
    return true;
}

/* --- JSON --- */

/* The end of the string whose opening quote is at `at`: behind its closing quote; 0: there is none. */
static size_t string_end(weir_bytes text, size_t at)
{
    for (size_t i = at + 1; i < text.size; i++) {
        if (text.data[i] == '"')
            return i + 1;
        if (text.data[i] == '\\')
            i++;
    }
    return 0;
}

static size_t number_end(weir_bytes text, size_t at)
{
    while (at < text.size && memchr("0123456789+-.eE", text.data[at], 15) != NULL)
        at++;
    return at;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The code unit behind "\u"; -1 when it is none. */
static int32_t code_unit(weir_bytes text, size_t at)
{
    int32_t value = 0;

    if (at + 6 > text.size || text.data[at] != '\\' || text.data[at + 1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(text.data[at + i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* An escape at `at`, appended as the character that it stands for; returns its length, 0: no memory. */
static size_t unescape(weir_bytes text, size_t at, weir_buf *out)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    int32_t unit = code_unit(text, at);
    uint32_t c = unit >= 0 ? (uint32_t)unit : 0xFFFD;
    size_t used = unit >= 0 ? 6 : 2;
    char bytes[4];
    const char *known;

    if (unit < 0 && at + 1 < text.size && text.data[at + 1] != 'u') {
        known = text.data[at + 1] ? strchr(from, text.data[at + 1]) : NULL;
        return weir__buf_put(out, known ? &to[known - from] : &text.data[at + 1], 1) ? 2 : 0;
    }
    if (c >= 0xD800 && c < 0xDC00) {
        int32_t low = code_unit(text, at + 6);

        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
            used = 12;
        }
    }
    if (c >= 0xD800 && c < 0xE000)
        c = 0xFFFD;
    return weir__buf_put(out, bytes, encode(c, bytes)) ? used : 0;
}

static bool put_escaped(weir_bytes text, weir_buf *out)
{
    bool fine = weir__buf_put_text(out, "\"");

    for (size_t i = 0; i < text.size && fine; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"' || c == '\\')
            fine = weir__buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            fine = weir__buf_printf(out, "\\u%04x", c);
        else
            fine = weir__buf_put(out, &text.data[i], 1);
    }
    return fine && weir__buf_put_text(out, "\"");
}

/* The string between `from` and `to`, quotes included. */
static bool disguise_json_string(disguise *d, weir_bytes text, size_t from, size_t to, weir_buf *out)
{
    weir_bytes inside = { text.data, to - 1 };
    weir_buf plain;
    weir_buf other;
    bool fine = true;

    weir__buf_init(&plain, text.size * 4 + 16);
    weir__buf_init(&other, text.size * 4 + 16);
    for (size_t i = from + 1; i < to - 1 && fine;) {
        size_t used = 1;

        if (text.data[i] == '\\')
            used = unescape(inside, i, &plain);
        else
            fine = weir__buf_put(&plain, &text.data[i], 1);
        fine = fine && used > 0;
        i += used;
    }
    if (fine && disguise_is_name(d, weir__buf_bytes(&plain)))
        fine = weir__buf_put(out, text.data + from, to - from);
    else if (fine)
        fine = disguise_text(d, weir__buf_bytes(&plain), &other) && put_escaped(weir__buf_bytes(&other), out);
    weir__buf_clear(&plain);
    weir__buf_clear(&other);
    return fine;
}

/* A whole number that fits into 64 bits, written the one way there is. */
static bool is_integer(weir_bytes number, int64_t *out)
{
    bool negative = number.size > 0 && number.data[0] == '-';
    size_t at = negative;
    uint64_t value = 0;

    if (number.size - at == 0 || number.size - at > 19 || (number.data[at] == '0' && number.size > 1))
        return false;
    for (; at < number.size; at++) {
        if (number.data[at] < '0' || number.data[at] > '9')
            return false;
        value = value * 10 + (uint64_t)(number.data[at] - '0');
    }
    if (value > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool disguise_json_number(disguise *d, weir_bytes number, weir_buf *out)
{
    int64_t value;

    if (is_integer(number, &value))
        return weir__buf_printf(out, "%lld", (long long)disguise_integer(d, value));
    return disguise_digits(d, number, out);
}

/* Whether every quote closes: what is not is taken as a text. */
static bool looks_like_json(weir_bytes text)
{
    size_t at = 0;

    while (at < text.size && memchr(" \t\r\n", text.data[at], 4) != NULL)
        at++;
    if (at == text.size || memchr("{[\"-0123456789tfn", text.data[at], 17) == NULL)
        return false;
    while (at < text.size) {
        if (text.data[at] == '"') {
            at = string_end(text, at);
            if (at == 0)
                return false;
        } else if (memchr(" \t\r\n{}[],:+-.0123456789eEtrufalsn", text.data[at], 33) == NULL) {
            return false;
        } else {
            at++;
        }
    }
    return true;
}

typedef enum json_kind {
    JSON_STRUCTURE, /* one byte */
    JSON_STRING,
    JSON_NUMBER
} json_kind;

/* What begins at `at`; *end is behind it. */
static json_kind json_piece(weir_bytes text, size_t at, size_t *end)
{
    char c = text.data[at];

    if (c == '"') {
        *end = string_end(text, at);
        return JSON_STRING;
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        *end = number_end(text, at);
        return JSON_NUMBER;
    }
    *end = at + 1;
    return JSON_STRUCTURE;
}

bool disguise_json(disguise *d, weir_bytes text, weir_buf *out)
{
    size_t end;
    bool fine = true;

    if (!looks_like_json(text))
        return disguise_text(d, text, out);
    for (size_t at = 0; at < text.size && fine; at = end) {
        json_kind kind = json_piece(text, at, &end);

        if (kind == JSON_STRING)
            fine = disguise_json_string(d, text, at, end, out);
        else if (kind == JSON_NUMBER)
            fine = disguise_json_number(d, (weir_bytes){ text.data + at, end - at }, out);
        else
            fine = weir__buf_put(out, text.data + at, end - at);
    }
    return fine;
}

void disguise_learn_json(disguise *d, weir_bytes text)
{
    size_t end;
    int64_t value;

    if (!looks_like_json(text))
        return;
    for (size_t at = 0; at < text.size; at = end) {
        weir_cell cell = { .type = WEIR_LONG };

        if (json_piece(text, at, &end) != JSON_NUMBER ||
            !is_integer((weir_bytes){ text.data + at, end - at }, &value))
            continue;
        cell.as.integer = value;
        disguise_learn(d, &cell);
    }
}

/* --- XML --- */

/* A piece of text without markup: entities stay, what is between them is replaced. */
static bool disguise_xml_text(disguise *d, weir_bytes text, weir_buf *out)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.size; i++) {
        const char *end;

        if (i < text.size && text.data[i] != '&')
            continue;
        if (i > from && !disguise_text(d, (weir_bytes){ text.data + from, i - from }, out))
            return false;
        if (i == text.size)
            return true;
        end = memchr(text.data + i, ';', text.size - i);
        from = end != NULL && end - (text.data + i) < 12 ? (size_t)(end - text.data) + 1 : i + 1;
        if (!weir__buf_put(out, text.data + i, from - i))
            return false;
        i = from - 1;
    }
    return true;
}

/* A tag, its angle brackets included: names stay, values of attributes are replaced. */
static bool disguise_tag(disguise *d, weir_bytes tag, weir_buf *out)
{
    size_t at = 0;

    while (at < tag.size) {
        char quote = tag.data[at];
        const char *end = NULL;

        if (!weir__buf_put(out, &tag.data[at++], 1))
            return false;
        if ((quote == '"' || quote == '\'') && at < tag.size)
            end = memchr(tag.data + at, quote, tag.size - at);
        if (end == NULL)
            continue;
        if (!disguise_xml_text(d, (weir_bytes){ tag.data + at, (size_t)(end - tag.data) - at }, out))
            return false;
        at = (size_t)(end - tag.data);
        if (!weir__buf_put(out, &tag.data[at++], 1))
            return false;
    }
    return true;
}

/* Where the tag that begins the text ends; quotes may hold '>'. */
static size_t tag_size(weir_bytes text)
{
    char quote = 0;

    for (size_t i = 1; i < text.size; i++) {
        char c = text.data[i];

        if (quote == 0 && c == '>')
            return i + 1;
        if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
    }
    return 0;
}

static bool starts(weir_bytes text, const char *with)
{
    return text.size >= strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

bool disguise_xml(disguise *d, weir_bytes text, weir_buf *out)
{
    while (text.size > 0) {
        /* in comments and CDATA sections all is text; the three bytes that end them stay by themselves */
        bool tag = text.data[0] == '<' && !starts(text, "<!--") && !starts(text, "<![CDATA[");
        size_t size = tag ? tag_size(text) : starts(text, "<!--") ? 4 : starts(text, "<![CDATA[") ? 9 : 0;
        const char *next;

        if (tag && size > 0) {
            if (!disguise_tag(d, (weir_bytes){ text.data, size }, out))
                return false;
        } else if (size > 0) {
            if (!weir__buf_put(out, text.data, size))
                return false;
        } else {
            next = memchr(text.data + 1, '<', text.size - 1);
            size = next != NULL ? (size_t)(next - text.data) : text.size;
            if (!disguise_xml_text(d, (weir_bytes){ text.data, size }, out))
                return false;
        }
        text.data += size;
        text.size -= size;
    }
    return true;
}
