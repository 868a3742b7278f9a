/*
 * fuzz/postgresql_numeric: PostgreSQL's numbers, binary to text and back.
 *
 * Attacked: no byte is written beyond the announced size; text that is read gives bytes that are written as
 * text of the same value, and reading that text gives the same bytes again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../connectors/shared-postgresql/numeric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_binary(const char *data, size_t size)
{
    size_t size_max = numeric_text_size_max(data, size);
    char *text = malloc(size_max + 1); /* to the byte, so that the sanitizer sees one too many */
    size_t length = 0;

    assert(text != NULL);
    if (size_max > 0 && numeric_to_text(data, size, text, &length) == NUMERIC_FINITE)
        assert(length > 0 && length <= size_max);
    free(text);
}

static void read_text(const char *text, size_t size)
{
    char first[NUMERIC_BINARY_SIZE_MAX], second[NUMERIC_BINARY_SIZE_MAX];
    numeric_shape shape, again;
    size_t first_size = numeric_from_text(text, size, first, &shape);
    size_t length;
    char *shown;

    if (first_size == 0)
        return;
    assert(first_size <= sizeof first);
    shown = malloc(numeric_text_size_max(first, first_size) + 1);
    assert(shown != NULL);
    assert(numeric_to_text(first, first_size, shown, &length) == NUMERIC_FINITE);
    if (length <= NUMERIC_DIGITS_MAX) {
        size_t second_size = numeric_from_text(shown, length, second, &again);

        assert(second_size == first_size && memcmp(first, second, first_size) == 0);
        assert(again.integer_digits == shape.integer_digits &&
               again.fraction_digits == shape.fraction_digits);
    }
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        read_binary((const char *)data + 1, size - 1);
    else
        read_text((const char *)data + 1, size - 1);
    return 0;
}
