/*
 * Arbitrary Update messages through the source tester's linter and its look at what cannot be read.
 *
 * Input: messages, each behind its size (2 bytes, little-endian). Attacked is that whatever a source sends,
 * the linter ends with a status; that a message which it refuses has left an error among the findings; and
 * that findings are valid UTF-8 and can be shown.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tester/source_lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static int64_t now(void *context)
{
    (void)context;
    return 0;
}

static void check_findings(const findings *found)
{
    weir_buf text;
    json_t *list = findings_json(found, false);

    weir__buf_init(&text, (size_t)1 << 24);
    require(list != NULL && json_array_size(list) == findings_count(found) && findings_complete(found));
    for (size_t i = 0; i < findings_count(found); i++) {
        text.size = 0;
        require(finding_print(findings_get(found, i), &text));
        require(weir__utf8_valid(text.data, text.size));
    }
    json_decref(list);
    weir__buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    findings *found = findings_new(1);
    lint_options options = { .found = found, .seed = 1, .now_ns = now };
    lint *l = lint_new(&options);
    lint_message_view view;
    weir_error err;
    weir_status status = WEIR_OK;

    require(found != NULL && l != NULL);
    for (size_t at = 0; at + 2 <= size && status == WEIR_OK;) {
        size_t length = (size_t)(data[at] | data[at + 1] << 8);
        weir_bytes message = { (const char *)data + at + 2, 0 };

        at += 2;
        message.size = length < size - at ? length : size - at;
        status = lint_message(l, message, &view, &err);
        require(status == WEIR_OK || findings_of(found, FINDING_ERROR) > 0);
        (void)lint_diagnose(found, message);
        at += message.size;
    }
    lint_end(l, status == WEIR_OK);
    check_findings(found);
    lint_free(l);
    findings_free(found);
    return 0;
}
