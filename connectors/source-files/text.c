/* source-files: what a text may hold to be a name, and how a broken one is shown. */
#include "files.h"

/* Length of the UTF-8 sequence at `p`, at least 1 byte long; 0 when it is none. */
static size_t sequence(const unsigned char *p, size_t left)
{
    size_t size = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : 4;

    if ((p[0] >= 0x80 && p[0] < 0xC2) || p[0] > 0xF4 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F))
        return 0; /* too long a form, a surrogate, or beyond the last code point */
    return size;
}

/* Where the next byte beyond ASCII is from `at` on; `size`: there is none. */
static size_t past_ascii(const unsigned char *p, size_t at, size_t size)
{
    uint64_t word;

    for (; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (at < size && p[at] < 0x80)
        at++;
    return at;
}

bool text_is_utf8(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t step = 1;

    for (size_t at = past_ascii(p, 0, size); at < size && step > 0; at = past_ascii(p, at + step, size))
        step = sequence(p + at, size - at);
    return step > 0;
}

const char *text_shown(weir_call *call, const char *text)
{
    size_t left = strlen(text);
    char *shown = weir_alloc(call, left * 4 + 1);
    char *to = shown;

    while (left > 0) {
        size_t step = sequence((const unsigned char *)text, left);

        if (step == 0) {
            static const char hex[] = "0123456789ABCDEF";
            unsigned char byte = (unsigned char)*text;

            *to++ = '\\';
            *to++ = 'x';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
            step = 1;
        } else {
            memcpy(to, text, step);
            to += step;
        }
        text += step;
        left -= step;
    }
    return shown;
}

const char *text_name_fault(const char *name, size_t size)
{
    if (size == 0)
        return "is empty";
    if (size > NAME_SIZE_MAX)
        return "is longer than 1,024 bytes";
    if (memchr(name, '\0', size) != NULL)
        return "holds a NUL character";
    return text_is_utf8(name, size) ? NULL : "is not UTF-8";
}

bool text_is_utf16(const char *start, size_t size)
{
    return size >= 2 && (memcmp(start, "\xFF\xFE", 2) == 0 || memcmp(start, "\xFE\xFF", 2) == 0);
}
