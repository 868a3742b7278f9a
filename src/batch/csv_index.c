/*
 * batch/csv: reading. Where cells end is found 64 bytes at a step, by sets of bits, one bit a byte:
 *
 *   text      a , " b , c " , " d " " e " LF
 *   quotes    . . 1 . . . 1 . 1 . 1 1 . 1 .
 *   inside    . . 1 1 1 1 . . 1 1 . 1 1 . .     parity of quotes: an opening quote is inside
 *   ends      . 1 . . . . . 1 . . . . . . 1     commas and LFs that are not inside
 *
 * An opening quote must follow an end, or a closing quote (then the two are a doubled quote); anything else
 * is broken. Text behind a closing quote is noticed when the cell is unquoted.
 */
#include <string.h>

#include "batch/csv.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BLOCK 64

/* What a block of 64 bytes holds. */
typedef struct block {
    uint64_t quotes;
    uint64_t separators;
    uint64_t wide;
} block;

#if defined(__SSE2__)
static block look_at(const char *text)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i comma = _mm_set1_epi8(',');
    const __m128i feed = _mm_set1_epi8('\n');
    block found = { 0, 0, 0 };

    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, feed));

        found.quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote)) << 16 * i;
        found.separators |= (uint64_t)(uint32_t)_mm_movemask_epi8(ends) << 16 * i;
        found.wide |= (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << 16 * i;
    }
    return found;
}
#else
static block look_at(const char *text)
{
    block found = { 0, 0, 0 };

    for (int i = 0; i < BLOCK; i++) {
        found.quotes |= (uint64_t)(text[i] == '"') << i;
        found.separators |= (uint64_t)(text[i] == ',' || text[i] == '\n') << i;
        found.wide |= (uint64_t)((unsigned char)text[i] >> 7) << i;
    }
    return found;
}
#endif

/* Bit i of the result is the parity of bits 0 to i. */
static uint64_t running_parity(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

void weir__csv_index_init(weir_csv_index *index)
{
    index->first = 0;
    index->count = 0;
    index->scanned = 0;
    index->in_quotes = 0;
    index->before = 1;
    index->quote_last = 0;
    index->escape_end = 0;
    index->wide_end = 0;
    index->broken = false;
    index->finished = false;
}

/* Adds the ends of one block that begins at `scanned`; `size` of its bytes are text. */
static void scan_block(weir_csv_index *index, const block *found, size_t size)
{
    uint64_t inside;
    uint64_t ends = found->separators;
    uint64_t top = size - 1; /* the bit of the last byte */

    if (found->quotes | index->in_quotes) {
        uint64_t quotes = found->quotes;
        uint64_t after_quote = quotes << 1 | index->quote_last;
        uint64_t opening;

        inside = running_parity(quotes) ^ index->in_quotes;
        opening = quotes & inside;
        ends &= ~inside;
        index->broken |= (opening & ~(ends << 1 | after_quote | index->before)) != 0;
        if (opening & after_quote)
            index->escape_end = index->scanned + size;
        index->in_quotes = 0 - (inside >> top & 1);
        index->quote_last = quotes >> top & 1;
        index->before = (ends | quotes) >> top & 1;
    } else {
        index->quote_last = 0;
        index->before = ends >> top & 1;
    }
    if (found->wide)
        index->wide_end = index->scanned + size;
    for (; ends != 0; ends &= ends - 1)
        index->ends[index->count++] = (uint32_t)(index->scanned + (size_t)__builtin_ctzll(ends));
    index->scanned += size;
}

/* The last bytes of the text, fewer than a block, and the LF that may be missing. */
static void scan_tail(weir_csv_index *index, char *data, size_t size)
{
    size_t rest = size - index->scanned;
    char padded[BLOCK] = { 0 };
    block found;

    index->finished = true;
    if (rest > 0) {
        memcpy(padded, data + index->scanned, rest);
        found = look_at(padded);
        scan_block(index, &found, rest);
    }
    index->broken |= index->in_quotes != 0;
    if (size > 0 &&
        (index->count == 0 || index->ends[index->count - 1] != size - 1 || data[size - 1] != '\n')) {
        data[size] = '\n';
        index->ends[index->count++] = (uint32_t)size;
    }
}

void weir__csv_index_scan(weir_csv_index *index, char *data, size_t size, bool last)
{
    block found;

    if (index->first == index->count) {
        index->first = 0;
        index->count = 0;
    } else if (index->first > 0 && index->count >= WEIR_CSV_ENDS_MAX / 2) {
        memmove(index->ends, index->ends + index->first,
                (index->count - index->first) * sizeof index->ends[0]);
        index->count -= index->first;
        index->first = 0;
    }
    while (size - index->scanned >= BLOCK && index->count <= WEIR_CSV_ENDS_MAX - BLOCK && !index->broken) {
        found = look_at(data + index->scanned);
        scan_block(index, &found, BLOCK);
    }
    if (last && !index->finished && size - index->scanned < BLOCK &&
        index->count <= WEIR_CSV_ENDS_MAX - BLOCK)
        scan_tail(index, data, size);
}

void weir__csv_index_drop(weir_csv_index *index, size_t count)
{
    for (size_t i = index->first; i < index->count; i++)
        index->ends[i] -= (uint32_t)count;
    index->scanned -= count;
    index->escape_end -= index->escape_end < count ? index->escape_end : count;
    index->wide_end -= index->wide_end < count ? index->wide_end : count;
}

bool weir__csv_unquote(char **data, size_t *size, bool escapes)
{
    char *text = *data;
    size_t count = *size;
    char *quote;

    if (count == 0 || text[0] != '"')
        return true;
    if (count < 2 || text[count - 1] != '"')
        return false;
    text++;
    count -= 2;
    quote = escapes ? memchr(text, '"', count) : NULL;
    if (quote != NULL) {
        char *out = quote;
        char *in = quote;
        char *end = text + count;

        while (in < end) { /* `in` stands on a quote, the first of two */
            size_t run;

            if (end - in < 2 || in[1] != '"')
                return false;
            *out++ = '"';
            in += 2;
            quote = in < end ? memchr(in, '"', (size_t)(end - in)) : NULL;
            run = (size_t)((quote ? quote : end) - in);
            memmove(out, in, run);
            out += run;
            in += run;
        }
        count = (size_t)(out - text);
    }
    *data = text;
    *size = count;
    return true;
}
