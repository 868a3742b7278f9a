/*
 * source-files: a row of CSV cut into cells, where it lies.
 *
 *   buffer:  rows cut already | row being cut ..... | what else was read | zeros
 *                             ^start                                     ^size
 *
 * LF, CR and CRLF end a row; lines without a cell are none. A row that the buffer does not hold whole is cut
 * again when there is more of it, so nothing is changed in it before it is whole.
 */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "files.h"

#if defined(__SSE2__)
/* The place of the next quote, delimiter or line end from `at` on; the end of the text when there is none. */
static inline size_t next_mark(const csv_text *t, size_t at)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i delimiter = _mm_set1_epi8(t->delimiter);
    const __m128i feed = _mm_set1_epi8('\n');
    const __m128i carriage = _mm_set1_epi8('\r');

    for (; at < t->size; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(t->buffer + at));
        __m128i a = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, delimiter));
        __m128i b = _mm_or_si128(_mm_cmpeq_epi8(bytes, feed), _mm_cmpeq_epi8(bytes, carriage));
        int found = _mm_movemask_epi8(_mm_or_si128(a, b));

        if (found != 0) {
            at += (size_t)__builtin_ctz((unsigned)found);
            break;
        }
    }
    return at < t->size ? at : t->size;
}
#else
static inline size_t next_mark(const csv_text *t, size_t at)
{
    for (; at < t->size; at++) {
        char byte = t->buffer[at];

        if (byte == '"' || byte == t->delimiter || byte == '\n' || byte == '\r')
            break;
    }
    return at;
}
#endif

/* The closing quote of the cell whose text begins at `at`; the end of the text when there is none. */
static size_t closing_quote(const csv_text *t, size_t at, bool *escapes)
{
    for (;;) {
        const char *quote = memchr(t->buffer + at, '"', t->size - at);

        if (quote == NULL)
            return t->size;
        at = (size_t)(quote - t->buffer);
        if (at + 1 >= t->size || quote[1] != '"')
            return at;
        *escapes = true;
        at += 2;
    }
}

/* Cuts one cell at *at, and moves *at behind the delimiter or to the line end. */
static csv_cut cut_cell(csv_text *t, size_t *at, field *out)
{
    size_t from = *at;
    size_t end;
    bool quoted = from < t->size && t->buffer[from] == '"';
    bool escapes = false;

    if (quoted) {
        end = closing_quote(t, ++from, &escapes);
        if (end == t->size || (end + 1 == t->size && !t->ended))
            return t->ended ? CSV_OPEN : CSV_MORE;
        *at = end + 1;
        if (*at < t->size && t->buffer[*at] != t->delimiter && t->buffer[*at] != '\n' &&
            t->buffer[*at] != '\r')
            return CSV_QUOTE;
    } else {
        end = next_mark(t, from);
        if (end == t->size && !t->ended)
            return CSV_MORE;
        if (end < t->size && t->buffer[end] == '"')
            return CSV_QUOTE;
        *at = end;
    }
    out->kind = quoted || end > from ? FIELD_RAW : FIELD_NULL;
    out->text = (weir_bytes){ t->buffer + from, end - from };
    if (escapes)
        t->escaped[t->escaped_count++] = (uint16_t)t->count;
    return CSV_ROW;
}

/* Doubled quotes become one, in place; only once the row is whole, for it might be cut again. */
static void unescape(csv_text *t)
{
    for (size_t i = 0; i < t->escaped_count; i++) {
        weir_bytes *text = &t->fields[t->escaped[i]].text;
        char *from = t->buffer + (text->data - t->buffer);
        char *to = from;
        const char *end = from + text->size;

        while (from < end) {
            from += *from == '"'; /* the first of two */
            *to++ = *from++;
        }
        text->size = (size_t)(to - text->data);
    }
}

csv_cut csv_text_row(csv_text *t)
{
    size_t at = t->start;
    csv_cut found;

    while (at < t->size && (t->buffer[at] == '\n' || t->buffer[at] == '\r'))
        at++;
    t->start = at;
    if (at == t->size)
        return t->ended ? CSV_END : CSV_MORE;
    t->count = 0;
    t->escaped_count = 0;
    for (;;) {
        found = cut_cell(t, &at, &t->fields[t->count]);
        if (found != CSV_ROW)
            return found;
        t->count++;
        /* One more than there may be is enough to tell. */
        if (at == t->size || t->buffer[at] != t->delimiter || t->count > COLUMNS_MAX)
            break;
        at++;
    }
    t->start = at;
    unescape(t);
    return CSV_ROW;
}
