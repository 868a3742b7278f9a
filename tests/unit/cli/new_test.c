/* `weir new` with every allocation failing in turn: a whole project, or none and nothing beside it. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "sys/file.h"

typedef struct place {
    char folder[64];
    int out; /* where the test's own output goes */
    int err;
} place;

static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

static void silence(place *p, bool silent)
{
    int nowhere = silent ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

    fflush(NULL);
    assert_true(dup2(silent ? nowhere : p->out, 1) == 1 && dup2(silent ? nowhere : p->err, 2) == 2);
    if (nowhere >= 0)
        close(nowhere);
}

static weir_status make_project(void *context)
{
    place *p = context;
    char *arguments[] = { "weir", "new", "sql-destination", "acme", "--dir", p->folder, "--json", NULL };
    char made[80];
    weir_error err;
    int code;

    silence(p, true);
    code = cli_main(7, arguments);
    silence(p, false);
    snprintf(made, sizeof made, "%s/acme", p->folder);
    if (code == CLI_SUCCESS || access(made, F_OK) == 0) { /* it may be made, and the result not printed */
        assert_true(count_entries(made) > 5);
        weir__alloc_hook(NULL, NULL);
        assert_int_equal(weir__folder_remove(made, &err), WEIR_OK);
    }
    return code == CLI_SUCCESS ? WEIR_ITEM : WEIR_FAILED;
}

static void test_every_allocation_fails(void **state)
{
    place p = { .folder = "/tmp/weir-new-XXXXXX", .out = dup(1), .err = dup(2) };

    (void)state;
    assert_non_null(mkdtemp(p.folder));
    WEIR_EVERY_FAILURE(make_project, &p);
    assert_int_equal(count_entries(p.folder), 0);
    rmdir(p.folder);
    close(p.out);
    close(p.err);
}

static void test_arguments_by_place(void **state)
{
    static const char *const colours[] = { "red", "green", NULL };
    static const cli_argument arguments[] = { { "COLOUR", "", colours }, { "NAME", "", NULL } };
    static const cli_option options[] = { { "--size", "small|large", "", false },
                                          { "--wet", NULL, "", false } };
    static const cli_command command = {
        .name = "paint", .options = options, .option_count = 2, .arguments = arguments, .argument_count = 2
    };
    char *good[] = { "red", "--size", "large", "wall" };
    char *values[4] = { NULL };
    const char *at = options[0].value;
    const char *word;

    (void)state;
    assert_int_equal(cli_parse(&command, 4, good, values), -1);
    assert_string_equal(values[0], "large");
    assert_null(values[1]);
    assert_string_equal(values[2], "red");
    assert_string_equal(values[3], "wall");
    assert_true(cli_option_has_words(&options[0]));
    assert_false(cli_option_has_words(&options[1]));
    assert_int_equal(cli_word_next(&at, &word), 5);
    assert_memory_equal(word, "small", 5);
    assert_int_equal(cli_word_next(&at, &word), 5);
    assert_memory_equal(word, "large", 5);
    assert_int_equal(cli_word_next(&at, &word), 0);
}

static void test_wrong_arguments(void **state)
{
    static const char *const colours[] = { "red", "green", NULL };
    static const cli_argument arguments[] = { { "COLOUR", "", colours } };
    static const cli_command command = { .name = "paint", .arguments = arguments, .argument_count = 1 };
    char *cases[][3] = { { "blue" }, { "red", "green" }, { "--wet" } };
    char *values[1] = { NULL };

    (void)state;
    assert_int_equal(cli_parse(&command, 0, NULL, values), CLI_USAGE);
    for (size_t i = 0; i < 3; i++) {
        values[0] = NULL;
        assert_int_equal(cli_parse(&command, cases[i][1] ? 2 : 1, cases[i], values), CLI_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_arguments_by_place),
        cmocka_unit_test(test_wrong_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
