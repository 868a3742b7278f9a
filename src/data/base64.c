/* data/base64: three bytes to four characters and back, by tables. */
#include "data/base64.h"

#include <string.h>

#define BAD 0x80 /* set in the table for characters outside the alphabet */

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of each character; 255 outside the standard alphabet. */
static const uint8_t values[256] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 62,  255, 255, 255, 63,  //
    52,  53,  54,  55,  56,  57,  58,  59,  60,  61,  255, 255, 255, 255, 255, 255, //
    255, 0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  //
    15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  255, 255, 255, 255, 255, //
    255, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,  //
    41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, //
};

static size_t encode(const uint8_t *in, size_t size, const char *alphabet, char *out)
{
    char *start = out;
    uint32_t word;

    for (; size >= 3; in += 3, size -= 3, out += 4) {
        word = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = alphabet[word >> 18];
        out[1] = alphabet[word >> 12 & 63];
        out[2] = alphabet[word >> 6 & 63];
        out[3] = alphabet[word & 63];
    }
    if (size > 0) {
        word = (uint32_t)in[0] << 16 | (size == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = alphabet[word >> 18];
        *out++ = alphabet[word >> 12 & 63];
        if (size == 2)
            *out++ = alphabet[word >> 6 & 63];
    }
    return (size_t)(out - start);
}

size_t weir__base64_encode(const void *data, size_t size, char *out)
{
    size_t length = encode(data, size, standard, out);

    while (length % 4 != 0)
        out[length++] = '=';
    return length;
}

size_t weir__base64url_encode(const void *data, size_t size, char *out)
{
    return encode(data, size, url_safe, out);
}

bool weir__base64_decode(const char *text, size_t size, void *out, size_t *out_size)
{
    const uint8_t *in = (const uint8_t *)text;
    uint8_t *to = out;
    uint32_t word;

    if (size > 0 && size % 4 == 0 && text[size - 1] == '=')
        size -= text[size - 2] == '=' ? 2 : 1;
    for (; size >= 4; in += 4, size -= 4, to += 3) {
        uint8_t a = values[in[0]];
        uint8_t b = values[in[1]];
        uint8_t c = values[in[2]];
        uint8_t d = values[in[3]];

        if ((a | b | c | d) & BAD)
            return false;
        word = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
        to[0] = (uint8_t)(word >> 16);
        to[1] = (uint8_t)(word >> 8);
        to[2] = (uint8_t)word;
    }
    if (size == 1)
        return false;
    if (size > 0) {
        uint8_t last = size == 3 ? values[in[2]] : 0;

        if ((values[in[0]] | values[in[1]] | last) & BAD)
            return false;
        word = (uint32_t)values[in[0]] << 18 | (uint32_t)values[in[1]] << 12 | (uint32_t)last << 6;
        if (word & (size == 3 ? 0xFF : 0xFFFF))
            return false; /* bits that belong to no byte: the text was cut or altered */
        *to++ = (uint8_t)(word >> 16);
        if (size == 3)
            *to++ = (uint8_t)(word >> 8);
    }
    *out_size = (size_t)(to - (uint8_t *)out);
    return true;
}
