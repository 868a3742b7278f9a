/* The report of a tester, every allocation failing in turn: one whole object, or none and exit code 3. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "data/json_tree.h"
#include "tester/tester.h"

typedef struct place {
    FILE *out; /* what standard output is while a tester runs */
    int stdout_fd;
    int stderr_fd;
    int nowhere;
} place;

static void direct(int out, int err)
{
    fflush(NULL);
    assert_true(dup2(out, 1) == 1 && dup2(err, 2) == 2);
}

static void check_report(const char *text, size_t size)
{
    const char *const names[] = { "tester",  "profile", "seed",     "seconds", "exit_code",
                                  "verdict", "error",   "warnings", "faults",  "rows" };
    json_t *report = json_loadb(text, size, 0, NULL);

    assert_non_null(report);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(json_object_get(report, names[i]));
    json_decref(report);
}

static weir_status report(void *context)
{
    const tester_options options = { .json = true, .folder = "/", .has_seed = true };
    place *p = context;
    tester *t = tester_new(&options);
    weir_error err = { 0 };
    char text[4096];
    size_t size;
    int code = TESTER_BROKEN;

    rewind(p->out);
    assert_int_equal(ftruncate(fileno(p->out), 0), 0);
    if (t != NULL) {
        direct(fileno(p->out), p->nowhere);
        tester_count(t, "rows.seen", 3);
        tester_list_json(t, "findings", (weir_bytes){ "{\"code\":1}", 10 });
        code = tester_finish(t, WEIR_OK, &err);
        direct(p->stdout_fd, p->stderr_fd);
    }
    tester_free(t);
    weir__alloc_hook(NULL, NULL);
    rewind(p->out);
    size = fread(text, 1, sizeof text, p->out);
    if (code == TESTER_PASS)
        check_report(text, size);
    else
        assert_int_equal(size, 0);
    return code == TESTER_PASS ? WEIR_ITEM : WEIR_FAILED;
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
    WEIR_EVERY_FAILURE(report, &p);
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
