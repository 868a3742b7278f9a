/* base/hash: multiply-and-fold over 16-byte steps (the family of wyhash), our own constants and layout. */
#include "base/hash.h"

#include <string.h>

#define P0 UINT64_C(0x9E3779B97F4A7C15)
#define P1 UINT64_C(0xD6E8FEB86659FD93)
#define P2 UINT64_C(0xA0761D6478BD642F)
#define P3 UINT64_C(0xE7037ED1A0B428DB)

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Up to eight bytes, zero-extended. */
static uint64_t load_tail(const unsigned char *at, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, at, size);
    return word;
}

static void absorb(const unsigned char *at, size_t size, uint64_t *a, uint64_t *b)
{
    for (; size > 16; at += 16, size -= 16) {
        uint64_t x = load64(at);
        uint64_t y = load64(at + 8);

        *a = fold(x ^ P0 ^ *a, y ^ P1);
        *b = fold(y ^ P2 ^ *b, x ^ P3);
    }
    if (size > 8) {
        *a = fold(load64(at) ^ P0 ^ *a, load_tail(at + 8, size - 8) ^ P1);
        *b = fold(load_tail(at + 8, size - 8) ^ P2 ^ *b, load64(at) ^ P3);
    } else {
        uint64_t x = load_tail(at, size);

        *a = fold(x ^ P0 ^ *a, P1);
        *b = fold(x ^ P2 ^ *b, P3);
    }
}

weir_hash128 weir__hash128(const void *data, size_t size, uint64_t seed)
{
    uint64_t a = seed ^ P2;
    uint64_t b = fold(seed ^ P3, P0);

    if (size > 0)
        absorb(data, size, &a, &b);
    return (weir_hash128){ fold(a ^ (uint64_t)size, P1 ^ b), fold(b ^ (uint64_t)size, P3 ^ a) };
}

uint64_t weir__hash64(const void *data, size_t size, uint64_t seed)
{
    weir_hash128 wide = weir__hash128(data, size, seed);

    return wide.low ^ wide.high;
}
