/* tester/source_names: the known normalisation, without its transliteration. */
#include "tester/source_names.h"

static bool is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(unsigned char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || c >= 0x80;
}

static char lower(unsigned char c)
{
    return (char)(is_upper(c) ? c - 'A' + 'a' : c);
}

/* Whether a new word begins between these two. */
static bool parts(unsigned char before, unsigned char c)
{
    return (is_lower(before) && is_upper(c)) || is_digit(before) != is_digit(c);
}

size_t source_name_normalise(weir_bytes name, bool table, char *out)
{
    unsigned char before = '\0';
    size_t size = 0;
    size_t skipped = 0;

    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];

        if (!is_word(c))
            c = '_';
        /* Bytes of one character beyond ASCII are not parted. */
        if (i > 0 && parts(before, c) && c < 0xC0 && size > 0 && out[size - 1] != '_')
            out[size++] = '_';
        if (c != '_' || size == 0 || out[size - 1] != '_')
            out[size++] = lower(c);
        before = c;
    }
    if (table && size > 1 && out[0] == '_' &&
        (is_lower((unsigned char)out[1]) || (unsigned char)out[1] >= 0x80))
        skipped = 1;
    for (size_t i = skipped; i < size; i++)
        out[i - skipped] = out[i];
    size -= skipped;
    out[size] = '\0';
    return size;
}

size_t source_name_fold(weir_bytes name, char *out)
{
    for (size_t i = 0; i < name.size; i++)
        out[i] = lower((unsigned char)name.data[i]);
    out[name.size] = '\0';
    return name.size;
}
