/* sdk: log lines and masks (R-RPC-09). jansson says whether a line is JSON. */
#include "support.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "sdk/call.h"
#include "sdk/log.h"
#include "sdk/mask.h"

/* Parses one line; the message must be what `text` is with malformed bytes replaced. */
static void expect_line(weir_bytes text, const char *message, size_t message_size)
{
    char line[WEIR_LOG_LINE_SIZE(4096)];
    size_t size = weir__log_line(WEIR_LOG_WARNING, "sdk_destination", text, line);
    json_t *json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    const json_t *got;

    assert_non_null(json);
    assert_true(size <= WEIR_LOG_LINE_SIZE(text.size));
    assert_int_equal(line[size - 1], '\n');
    assert_null(memchr(line, '\n', size - 1));
    assert_null(memmem(line, size, "\xE2\x80\xA8", 3)); /* what some readers split lines at */
    assert_null(memmem(line, size, "\xE2\x80\xA9", 3));
    assert_null(memmem(line, size, "\xC2\x85", 2));
    assert_int_equal(json_object_size(json), 3);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "WARNING");
    assert_string_equal(json_string_value(json_object_get(json, "message-origin")), "sdk_destination");
    got = json_object_get(json, "message");
    assert_int_equal(json_string_length(got), message_size);
    assert_memory_equal(json_string_value(got), message, message_size);
    json_decref(json);
}

#define EXPECT(text, message) \
    expect_line((weir_bytes){ text, sizeof(text) - 1 }, message, sizeof(message) - 1)

static void any_text_makes_one_line_of_valid_json(void **state)
{
    char all[256];
    char scrubbed[3 * sizeof all];

    (void)state;
    EXPECT("", "");
    EXPECT("plain", "plain");
    EXPECT("\"quoted\" back\\slash", "\"quoted\" back\\slash");
    EXPECT("two\nlines\r\n\ttab", "two\nlines\r\n\ttab");
    EXPECT("nul\0inside \x01\x1F\x7F", "nul\0inside \x01\x1F\x7F");
    EXPECT("\xC2\x85 \xE2\x80\xA8\xE2\x80\xA9 \xE2\x80\xA7 \xC2\x84",
           "\xC2\x85 \xE2\x80\xA8\xE2\x80\xA9 \xE2\x80\xA7 \xC2\x84");
    EXPECT("caf\xC3\xA9 \xF0\x9F\x98\x80", "caf\xC3\xA9 \xF0\x9F\x98\x80");
    EXPECT("bad \xFF\xC0\x80 \xED\xA0\x80 cut \xE2\x82",
           "bad \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD cut "
           "\xEF\xBF\xBD\xEF\xBF\xBD");
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    expect_line((weir_bytes){ all, sizeof all }, scrubbed, weir__utf8_scrub(all, sizeof all, scrubbed));
}

static void expect_masked(const char *text, const char *wanted)
{
    char out[256];
    size_t size = weir__mask_text((weir_bytes){ text, strlen(text) }, false, out, sizeof out);

    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(out, wanted, size);
}

static void secrets_of_every_running_call_are_masked(void **state)
{
    const weir_bytes first[] = { { "hunter2", 7 }, { "hunter22", 8 }, { "", 0 } };
    const weir_bytes second[] = { { "tr0ub", 5 } };
    weir_mask a = { 0 };
    weir_mask b = { 0 };
    weir_mask never = { 0 };
    char out[64];

    (void)state;
    expect_masked("pw=hunter2", "pw=hunter2");
    weir__mask_add(&a, first, 3);
    weir__mask_add(&b, second, 1);
    expect_masked("pw=hunter2", "pw=***");
    expect_masked("hunter22 hunter2hunter2 tr0ub hunter", "*** ****** *** hunter");
    weir__mask_remove(&a);
    expect_masked("hunter2 tr0ub", "hunter2 ***");
    /* A secret cut in two by the end of a text that was cut itself must not show its beginning. */
    assert_int_equal(weir__mask_text((weir_bytes){ "say tr0", 7 }, true, out, sizeof out), 7);
    assert_memory_equal(out, "say ***", 7);
    weir__mask_remove(&b);
    weir__mask_remove(&never);
    expect_masked("hunter2 tr0ub", "hunter2 tr0ub");
}

static void masked_text_is_cut_on_a_character(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(weir__mask_text((weir_bytes){ "abcdef\xC3\xA9z", 9 }, false, out, 7), 6);
    assert_memory_equal(out, "abcdef", 6);
}

typedef struct captured {
    int fds[2];
    char text[1 << 18];
    size_t size;
} captured;

static void *read_all(void *context)
{
    captured *c = context;
    ssize_t got;

    while ((got = read(c->fds[0], c->text + c->size, sizeof c->text - c->size)) > 0)
        c->size += (size_t)got;
    return NULL;
}

static void *log_many(void *context)
{
    (void)context;
    for (int i = 0; i < 50; i++)
        weir_log_info(NULL, "line %d with secret %s and %0500d", i, "s3cr3t", i);
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    const weir_bytes secrets[] = { { "s3cr3t", 6 } };
    captured *c = calloc(1, sizeof *c);
    weir_mask mask = { 0 };
    pthread_t reader;
    pthread_t writers[4];
    size_t lines = 0;
    char huge[WEIR_LOG_TEXT_SIZE_MAX + 100];

    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(pipe(c->fds), 0);
    weir__log_open(c->fds[1], "sdk_connector");
    weir__mask_add(&mask, secrets, 1);
    assert_int_equal(pthread_create(&reader, NULL, read_all, c), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, log_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(writers[i], NULL);
    weir_log_severe(NULL, "%s", huge);
    close(c->fds[1]);
    weir__log_open(1, "sdk_connector");
    pthread_join(reader, NULL);
    close(c->fds[0]);
    weir__mask_remove(&mask);
    for (char *at = c->text, *end; (end = memchr(at, '\n', c->size - (size_t)(at - c->text))) != NULL;
         at = end + 1) {
        json_t *json = json_loadb(at, (size_t)(end - at), 0, NULL);

        assert_non_null(json);
        json_decref(json);
        lines++;
    }
    assert_int_equal(lines, 201);
    c->text[c->size] = '\0';
    assert_null(strstr(c->text, "s3cr3t"));
    assert_non_null(strstr(c->text, "line 49 with secret *** and 0"));
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_makes_one_line_of_valid_json),
        cmocka_unit_test(secrets_of_every_running_call_are_masked),
        cmocka_unit_test(masked_text_is_cut_on_a_character),
        cmocka_unit_test(threads_do_not_mix_their_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
