/* `weir sync --json`, every allocation failing in turn: one whole object on standard output, or nothing. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

typedef struct place {
    FILE *out; /* what standard output is while the command runs */
    int stdout_fd;
    int stderr_fd;
    int nowhere;
} place;

static void check_result(const char *text, size_t size)
{
    const char *const names[] = { "status",   "tables",   "rows",     "bytes", "seconds", "commits",
                                  "attempts", "peak_rss", "warnings", "task",  "error" };
    json_t *result = json_loadb(text, size, 0, NULL);

    assert_non_null(result);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(json_object_get(result, names[i]));
    json_decref(result);
}

/* A configuration that is not there is found before anything is started. */
static weir_status run_sync(void *context)
{
    char *arguments[] = { "weir",
                          "sync",
                          "--source",
                          "/none",
                          "--source-config",
                          "/none/s.json",
                          "--destination",
                          "/none",
                          "--destination-config",
                          "/none/d.json",
                          "--schema",
                          "s",
                          "--state",
                          "/none/state",
                          "--json",
                          NULL };
    place *p = context;
    char text[8192];
    size_t size;
    int code;

    fflush(NULL);
    rewind(p->out);
    assert_int_equal(ftruncate(fileno(p->out), 0), 0);
    assert_true(dup2(fileno(p->out), 1) == 1 && dup2(p->nowhere, 2) == 2);
    code = cli_main((int)(sizeof arguments / sizeof arguments[0]) - 1, arguments);
    fflush(NULL);
    assert_true(dup2(p->stdout_fd, 1) == 1 && dup2(p->stderr_fd, 2) == 2);
    weir__alloc_hook(NULL, NULL);
    rewind(p->out);
    size = fread(text, 1, sizeof text, p->out);
    assert_int_not_equal(code, CLI_SUCCESS);
    if (size > 0)
        check_result(text, size);
    return size > 0 ? WEIR_ITEM : WEIR_FAILED;
}

static void test_every_allocation_fails(void **state)
{
    place p = { .out = tmpfile(),
                .stdout_fd = dup(1),
                .stderr_fd = dup(2),
                .nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC) };

    (void)state;
    assert_non_null(p.out);
    json_set_alloc_funcs(weir__malloc, weir__free);
    WEIR_EVERY_FAILURE(run_sync, &p);
    fclose(p.out);
    close(p.stdout_fd);
    close(p.stderr_fd);
    close(p.nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_allocation_fails) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
