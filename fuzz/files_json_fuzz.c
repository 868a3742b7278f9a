/*
 * fuzz/files_json: the scanner that takes a row of a JSON file apart (connectors/source-files/json_text).
 *
 * Attacked: nothing outside the object is read or written; an object is accepted exactly when jansson accepts
 * it, numbers out of a double's or a long's range aside, and then has as many members as it has.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../connectors/source-files/files.h"

#define DEPTH_SAFE 32 /* both sides take at least this much nesting */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t depth_max(const uint8_t *data, size_t size)
{
    size_t depth = 0;
    size_t deepest = 0;

    for (size_t i = 0; i < size; i++) {
        depth += data[i] == '{' || data[i] == '[';
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

/* Faults that are none to the scanner: ranges of numbers, and bytes behind the object, which are cut off. */
static bool is_tolerated(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_end_of_input_expected;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t error;
    json_t *judge = json_loadb((const char *)data, size, JSON_ALLOW_NUL, &error);
    char *object = malloc(size ? size : 1); /* to the byte, so that the sanitizer sees one too many */
    size_t count = 0;
    json_text text;
    field member;

    assert(object != NULL);
    memcpy(object, data, size);
    /* The caller hands over UTF-8 that begins and ends with its braces (rows_json.c). */
    if (size >= 2 && data[0] == '{' && data[size - 1] == '}' && depth_max(data, size) < DEPTH_SAFE &&
        memchr(data, '\0', size) == NULL && /* jansson swallows a NUL behind a number */
        (judge != NULL || json_error_code(&error) != json_error_invalid_utf8)) {
        json_text_start(&text, object, size);
        while (json_text_member(&text, &member)) {
            if (member.kind != FIELD_NULL && member.text.size > 0)
                assert(member.text.data >= object && member.text.data + member.text.size <= object + size);
            count++;
        }
        if (judge != NULL)
            assert(text.why == NULL && count >= json_object_size(judge));
        else if (!is_tolerated(&error) && text.at + 1 == object + size)
            assert(text.why != NULL);
    }
    free(object);
    json_decref(judge);
    return 0;
}
