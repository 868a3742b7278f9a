/*
 * Attacks the text forms of data/: byte 0 is the type, the rest a text. Invariants: what parses can be
 * formatted, within its bound; formatting and parsing again gives the same text; a number's canonical key
 * stays the same; conversions between types either fail or give a text of the new type.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/convert.h"
#include "data/decimal.h"
#include "data/key.h"
#include "data/text.h"
#include "data/type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

/* The formatted text of a cell, in memory of exactly its bound; owned by the caller. */
static char *format(const weir_cell *cell, size_t *size)
{
    size_t bound = weir__text_bound(cell);
    char *text = weir__malloc(bound);

    CHECK(text != NULL);
    *size = weir__text_format(cell, text);
    CHECK(*size != WEIR_TEXT_NONE && *size <= bound);
    return text;
}

static void check_key(const weir_cell *a, const weir_cell *b)
{
    weir_buf left;
    weir_buf right;

    weir__buf_init(&left, SIZE_MAX / 2);
    weir__buf_init(&right, SIZE_MAX / 2);
    CHECK(weir__key_put(&left, a, NULL) == WEIR_OK && weir__key_put(&right, b, NULL) == WEIR_OK);
    CHECK(left.size == right.size && memcmp(left.data, right.data, left.size) == 0);
    weir__buf_clear(&left);
    weir__buf_clear(&right);
}

static void check_conversions(weir_type type, const char *text, size_t size)
{
    for (int to = 1; to < WEIR_TYPE_COUNT; to++) {
        weir_cell cell = { .column = "c", .type = (weir_type)to };
        weir_buf out;

        weir__buf_init(&out, SIZE_MAX / 2);
        if (weir__convert_text(type, (weir_type)to, (weir_bytes){ text, size }, &out, NULL) == WEIR_OK)
            CHECK(weir__text_parse(&cell, out.data, out.size));
        weir__buf_clear(&out);
    }
}

static void check_decimal(const char *text, size_t size)
{
    char plain[WEIR_DECIMAL_TEXT_MAX];
    char normal[WEIR_DECIMAL_TEXT_MAX];
    char again[WEIR_DECIMAL_TEXT_MAX];
    size_t plain_size = weir__decimal_plain(text, size, plain);
    size_t normal_size = weir__decimal_normal(text, size, normal);
    uint32_t whole;
    uint32_t fraction;

    CHECK((plain_size == 0) == (normal_size == 0));
    if (plain_size == 0)
        return;
    CHECK(weir__decimal_digits(plain, plain_size, &whole, &fraction) && whole + fraction <= 38);
    CHECK(weir__decimal_is_plain(normal, normal_size) || normal_size > 38);
    CHECK(weir__decimal_normal(plain, plain_size, again) == normal_size &&
          memcmp(again, normal, normal_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_cell first = { .column = "c" };
    weir_cell second;
    char *copy;
    char *text;
    char *again;
    size_t text_size;
    size_t again_size;

    if (size < 1)
        return 0;
    first.type = (weir_type)(data[0] % WEIR_TYPE_COUNT);
    second = first;
    copy = weir__malloc(size - 1);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    check_decimal(copy, size - 1);
    if (weir__text_parse(&first, copy, size - 1)) {
        weir_shape shape = { 0 };

        text = format(&first, &text_size);
        weir__shape_observe(&shape, &first, (weir_bytes){ text, text_size });
        CHECK(weir__shape_type(&shape) == first.type);
        check_conversions(first.type, text, text_size);
        CHECK(weir__text_parse(&second, text, text_size)); /* BINARY is decoded in place: `text` is spent */
        again = format(&second, &again_size);
        if (first.type != WEIR_BINARY)
            CHECK(again_size == text_size && memcmp(again, text, text_size) == 0);
        check_key(&first, &second);
        weir__free(again);
        weir__free(text);
    }
    weir__free(copy);
    return 0;
}
