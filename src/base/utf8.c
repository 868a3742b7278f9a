/* base/utf8: the byte sequences of the Unicode standard, table 3-7, with an eight-byte step over ASCII. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the well-formed character at `s` (of `left` bytes), 0 when there is none. */
static size_t character(const unsigned char *s, size_t left)
{
    unsigned char lead = s[0];
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length;

    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

size_t weir__utf8_prefix(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;

    while (at < size) {
        uint64_t word;
        size_t length;

        if (size - at >= sizeof word) {
            memcpy(&word, s + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                continue;
            }
        }
        length = character(s + at, size - at);
        if (length == 0)
            return at;
        at += length;
    }
    return at;
}

bool weir__utf8_valid(const char *text, size_t size)
{
    return weir__utf8_prefix(text, size) == size;
}

size_t weir__utf8_cut(const char *text, size_t size, size_t size_max)
{
    size_t cut = size < size_max ? size : size_max;
    size_t start = cut;

    if (cut == 0)
        return 0;
    while (start > 0 && cut - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xC0)
        return cut;
    start--;
    return character((const unsigned char *)text + start, cut - start) ? cut : start;
}

size_t weir__utf8_scrub(const char *text, size_t size, char *out)
{
    size_t at = 0;
    size_t written = 0;

    while (at < size) {
        size_t good = weir__utf8_prefix(text + at, size - at);

        memcpy(out + written, text + at, good);
        at += good;
        written += good;
        if (at < size) {
            memcpy(out + written, "\xEF\xBF\xBD", 3);
            written += 3;
            at++;
        }
    }
    return written;
}
