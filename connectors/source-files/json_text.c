/*
 * source-files: the members of one JSON object, with every number as it was written.
 *
 * A JSON library hands out numbers as doubles and 64-bit integers, which loses digits before anybody can look
 * at them. So the object is read here, strictly by RFC 8259: a number, a boolean and a nested value is the
 * run of its own bytes; a string is decoded in place, because no escape is shorter than what it stands for.
 */
#include "files.h"

#define DEPTH_MAX 64

#define EACH UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* Whether one of the eight bytes is that one, or below that one (of at most 0x80). */
static inline uint64_t has_byte(uint64_t eight, unsigned char byte)
{
    uint64_t odd = eight ^ EACH * byte;

    return (odd - EACH) & ~odd & TOPS;
}

static inline uint64_t has_below(uint64_t eight, unsigned char byte)
{
    return (eight - EACH * byte) & ~eight & TOPS;
}

const char *json_text_plain(const char *at, const char *end)
{
    uint64_t eight;

    for (; end - at >= (ptrdiff_t)sizeof eight; at += sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        if (has_byte(eight, '"') | has_byte(eight, '\\') | has_below(eight, 0x20))
            break;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

static bool fail(json_text *t, const char *why)
{
    if (t->why == NULL)
        t->why = why;
    return false;
}

/* Skips white space; the byte that follows, or NUL at the end. */
static char next(json_text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r'))
        t->at++;
    return t->at < t->end ? *t->at : '\0';
}

static bool take(json_text *t, char byte)
{
    if (t->at == t->end || *t->at != byte)
        return false;
    t->at++;
    return true;
}

static bool hex4(json_text *t, uint32_t *out)
{
    uint32_t value = 0;

    if (t->end - t->at < 4)
        return fail(t, "a \\u escape is cut off");
    for (int i = 0; i < 4; i++) {
        char byte = *t->at++;
        uint32_t digit = byte >= '0' && byte <= '9'   ? (uint32_t)(byte - '0')
                         : byte >= 'a' && byte <= 'f' ? (uint32_t)(byte - 'a' + 10)
                         : byte >= 'A' && byte <= 'F' ? (uint32_t)(byte - 'A' + 10)
                                                      : 16;

        if (digit == 16)
            return fail(t, "a \\u escape needs four hexadecimal digits");
        value = value * 16 + digit;
    }
    *out = value;
    return true;
}

/* The code point after `\u`, of one escape or of a pair of surrogates; its UTF-8 goes to `to`. */
static bool unicode_escape(json_text *t, char **to)
{
    char *p = *to;
    uint32_t code = 0;
    uint32_t low = 0;

    if (!hex4(t, &code))
        return false;
    if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || !take(t, '\\') || !take(t, 'u') || !hex4(t, &low) || low < 0xDC00 ||
            low > 0xDFFF)
            return fail(t, "a \\u escape is half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code < 0x80) {
        *p++ = (char)code;
    } else if (code < 0x800) {
        *p++ = (char)(0xC0 | code >> 6);
        *p++ = (char)(0x80 | (code & 0x3F));
    } else {
        if (code < 0x10000) {
            *p++ = (char)(0xE0 | code >> 12);
        } else {
            *p++ = (char)(0xF0 | code >> 18);
            *p++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *p++ = (char)(0x80 | (code >> 6 & 0x3F));
        *p++ = (char)(0x80 | (code & 0x3F));
    }
    *to = p;
    return true;
}

/* A string; decoded into its own place when `out` is given, else only checked. */
static bool string(json_text *t, weir_bytes *out)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char *start = t->at + 1;
    char *to = start;
    char utf8[4];

    if (!take(t, '"'))
        return fail(t, "a name in quotes was expected");
    for (;;) {
        size_t plain = (size_t)(json_text_plain(t->at, t->end) - t->at);
        const char *escape;
        char byte;

        if (out != NULL && to != t->at)
            memmove(to, t->at, plain);
        to += out != NULL ? plain : 0;
        t->at += plain;
        if (t->at == t->end || *t->at == '"')
            break;
        byte = *t->at++;
        if ((unsigned char)byte < 0x20)
            return fail(t, "a string holds a control character that is not escaped");
        if (byte == '\\' && take(t, 'u')) {
            char *scratch = utf8;

            if (!unicode_escape(t, out ? &to : &scratch))
                return false;
            continue;
        }
        if (byte == '\\') {
            escape = t->at < t->end && *t->at != '\0' ? strchr(escapes, *t->at) : NULL;
            if (escape == NULL)
                return fail(t, "a string holds an unknown escape");
            t->at++;
            byte = meanings[escape - escapes];
        }
        if (out != NULL)
            *to++ = byte;
    }
    if (!take(t, '"'))
        return fail(t, "a string is not closed");
    if (out != NULL)
        *out = (weir_bytes){ start, (size_t)(to - start) };
    return true;
}

static bool digits(json_text *t)
{
    const char *start = t->at;

    while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
        t->at++;
    return t->at > start;
}

static bool number(json_text *t)
{
    take(t, '-');
    if (!take(t, '0') && !digits(t))
        return fail(t, "a value was expected");
    if (take(t, '.') && !digits(t))
        return fail(t, "a number has no digits after its point");
    if (take(t, 'e') || take(t, 'E')) {
        if (!take(t, '+'))
            take(t, '-');
        if (!digits(t))
            return fail(t, "a number has no digits in its exponent");
    }
    return true;
}

static bool word(json_text *t, const char *text)
{
    size_t size = strlen(text);

    if ((size_t)(t->end - t->at) < size || memcmp(t->at, text, size) != 0)
        return fail(t, "a value was expected");
    t->at += size;
    return true;
}

/* Checks one value and stands behind it. */
static bool value(json_text *t, int depth)
{
    char open = next(t);
    char close = open == '{' ? '}' : ']';

    switch (open) {
    case '"':
        return string(t, NULL);
    case 't':
        return word(t, "true");
    case 'f':
        return word(t, "false");
    case 'n':
        return word(t, "null");
    case '{':
    case '[':
        break;
    default:
        return number(t);
    }
    if (depth == DEPTH_MAX)
        return fail(t, "it is nested more than 64 levels deep");
    t->at++;
    if (next(t) == close)
        return take(t, close);
    do {
        next(t);
        if (open == '{' && (!string(t, NULL) || (next(t), !take(t, ':'))))
            return fail(t, "a colon was expected after a name");
        if (!value(t, depth + 1))
            return false;
        next(t);
    } while (take(t, ','));
    return take(t, close) || fail(t, "a comma or a closing bracket was expected");
}

void json_text_start(json_text *t, char *object, size_t size)
{
    *t = (json_text){ .at = object, .end = object + size };
}

/* The value of a member, behind its colon. */
static bool member_value(json_text *t, field *out)
{
    char first = next(t);
    char *start = t->at;

    if (first == '"') {
        out->kind = FIELD_STRING;
        return string(t, &out->text);
    }
    if (!value(t, 1))
        return false;
    out->kind = first == 'n' ? FIELD_NULL : first == '{' || first == '[' ? FIELD_NESTED : FIELD_RAW;
    out->text = (weir_bytes){ start, (size_t)(t->at - start) };
    return true;
}

bool json_text_member(json_text *t, field *out)
{
    if (!t->open) {
        next(t);
        if (!take(t, '{'))
            return fail(t, "an object was expected");
        t->open = true;
        if (next(t) == '}')
            return false;
    } else {
        if (next(t) == '}')
            return false;
        if (!take(t, ','))
            return fail(t, "a comma or a closing brace was expected");
        next(t);
    }
    *out = (field){ 0 };
    if (!string(t, &out->name))
        return false;
    next(t);
    if (!take(t, ':'))
        return fail(t, "a colon was expected after a name");
    return member_value(t, out);
}
