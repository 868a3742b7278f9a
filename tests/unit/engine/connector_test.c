/* engine/connector: addresses and programs told apart, lines of every kind, and last words (R-RPC-09). */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "engine/connector.h"
#include "sys/file.h"

static void addresses_are_no_programs(void **state)
{
    (void)state;
    assert_true(connector_is_address("localhost:50051"));
    assert_true(connector_is_address("[::1]:50051"));
    assert_true(connector_is_address("unix:/run/a.sock"));
    assert_false(connector_is_address("./source"));
    assert_false(connector_is_address("source"));
    assert_false(connector_is_address("/opt/a:1/source"));
    assert_false(connector_is_address("source:"));
    assert_false(connector_is_address("source:one"));
}

typedef struct heard {
    char folder[64];
    char program[96];
    char text[200000];
    size_t size;
} heard;

static void hear(void *context, const char *role, const char *level, weir_bytes text)
{
    heard *h = context;
    size_t shown = text.size > 60 ? 60 : text.size;

    h->size += (size_t)snprintf(h->text + h->size, sizeof h->text - h->size, "%s|%s|%.*s|%zu\n", role, level,
                                (int)shown, text.data, text.size);
}

/* Runs a script as a connector that never listens; `err` says how it ended. */
static void run_script(heard *h, const char *script, weir_error *err)
{
    connector_options options = { .role = "source",
                                  .where = h->program,
                                  .folder = h->folder,
                                  .connect_timeout_ms = 10000,
                                  .lock = -1,
                                  .log = hear,
                                  .context = h };
    connector *c = NULL;
    FILE *file;

    snprintf(h->folder, sizeof h->folder, "/tmp/weir-connector-XXXXXX");
    assert_non_null(mkdtemp(h->folder));
    snprintf(h->program, sizeof h->program, "%s/program", h->folder);
    file = fopen(h->program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s", script);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(h->program, 0700), 0);
    assert_int_equal(connector_open(&options, &c, err), WEIR_FAILED);
    assert_null(c);
    assert_int_equal(weir__folder_remove(h->folder, NULL), WEIR_OK);
}

static void lines_of_every_kind_are_handed_on(void **state)
{
    heard *h = calloc(1, sizeof *h);
    weir_error err;

    (void)state;
    run_script(
        h,
        "printf '%s\\n' "
        "'{\"level\":\"WARNING\",\"message\":\"two\\nlines\",\"message-origin\":\"sdk_connector\"}'\n"
        "echo '{\"level\":\"SEVERE\",\"message\":\"s\",\"message_origin\":\"sdk_connector\"}'\n"
        "echo '{\"level\":\"INFO\",\"message\":\"listening\"}'\n"
        "echo plain; printf 'windows\\r\\n'; echo '{\"no\": \"message\"}'; echo '{not json'; echo; echo >&2 "
        "err\n"
        "head -c 100000 /dev/zero | tr '\\0' x; echo\n"
        "printf 'no end'; exit 7\n",
        &err);
    assert_string_equal(h->text,
                        "source|WARNING|two\nlines|9\nsource|SEVERE|s|1\nsource||plain|5\nsource||windows|7\n"
                        "source||{\"no\": \"message\"}|17\nsource||{not json|9\nsource||err|3\n"
                        "source||xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|65536\n"
                        "source||xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|34464\n"
                        "source||no end|6\n");
    assert_non_null(strstr(err.text, "exited with code 7"));
    assert_non_null(strstr(err.text, "no end"));
    assert_false(err.transient);
    free(h);
}

static void a_program_that_was_killed_may_be_tried_again(void **state)
{
    heard *h = calloc(1, sizeof *h);
    weir_error err;

    (void)state;
    run_script(h, "echo '{\"level\":\"INFO\",\"message\":\"going down\"}'; kill -9 $$\n", &err);
    assert_non_null(strstr(err.text, "was killed by signal 9"));
    assert_non_null(strstr(err.text, "going down"));
    assert_true(err.transient);
    free(h);
}

/* R-RPC-08 */
static void a_program_is_told_for_whom_it_runs(void **state)
{
    heard *h = calloc(1, sizeof *h);
    weir_error err;

    (void)state;
    run_script(h, "echo \"$FIVETRAN_ACCOUNT_NAME, $FIVETRAN_GROUP_NAME\"; exit 7\n", &err);
    assert_string_equal(h->text, "source||weir, weir|10\n");
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_no_programs),
        cmocka_unit_test(lines_of_every_kind_are_handed_on),
        cmocka_unit_test(a_program_that_was_killed_may_be_tried_again),
        cmocka_unit_test(a_program_is_told_for_whom_it_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
