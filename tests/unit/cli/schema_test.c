/* `weir schema --json`, every allocation failing in turn: one whole object on standard output, or nothing. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sys/file.h"

#define PLAN                                                                                        \
    "{\"schemas\": {\"public\": {\"tables\": {\"orders\": {\"columns\": {\"id\": {\"key\": true}, " \
    "\"netPrice\": {\"hashed\": true}}}}}}}"

typedef struct place {
    FILE *out; /* what standard output is while the command runs */
    int stdout_fd;
    int stderr_fd;
    int nowhere;
    char folder[64];
    char file[96];
    char **arguments;
    const char *wanted; /* what the command tells */
    bool edits;
} place;

/* Without an allocation that could fail. */
static void write_plan(const place *p)
{
    FILE *file = fopen(p->file, "w");

    assert_non_null(file);
    assert_true(fputs(PLAN, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The file is what it was, or what it was to become. */
static void check_file(const place *p, bool told)
{
    char text[4096] = "";
    FILE *file = fopen(p->file, "r");

    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    if (strcmp(text, PLAN) == 0)
        assert_false(told && p->edits);
    else
        assert_non_null(strstr(text, "HISTORY"));
}

static weir_status run_schema(void *context)
{
    place *p = context;
    char text[8192];
    size_t size;
    int count = 0;
    int code;

    write_plan(p);
    fflush(NULL);
    rewind(p->out);
    assert_int_equal(ftruncate(fileno(p->out), 0), 0);
    assert_true(dup2(fileno(p->out), 1) == 1 && dup2(p->nowhere, 2) == 2);
    while (p->arguments[count] != NULL)
        count++;
    code = cli_main(count, p->arguments);
    fflush(NULL);
    assert_true(dup2(p->stdout_fd, 1) == 1 && dup2(p->stderr_fd, 2) == 2);
    weir__alloc_hook(NULL, NULL);
    rewind(p->out);
    size = fread(text, 1, sizeof text - 1, p->out);
    text[size] = '\0';
    assert_string_equal(text, code == CLI_SUCCESS ? p->wanted : "");
    check_file(p, code == CLI_SUCCESS);
    return code == CLI_SUCCESS ? WEIR_ITEM : WEIR_FAILED;
}

static void setup(place *p)
{
    *p = (place){ .out = tmpfile(),
                  .stdout_fd = dup(1),
                  .stderr_fd = dup(2),
                  .nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC),
                  .folder = "/tmp/weir-test-XXXXXX" };
    assert_non_null(p->out);
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->file, sizeof p->file, "%s/f.json", p->folder);
    json_set_alloc_funcs(weir__malloc, weir__free);
}

static void teardown(place *p)
{
    fclose(p->out);
    close(p->stdout_fd);
    close(p->stderr_fd);
    close(p->nowhere);
    assert_int_equal(weir__folder_remove(p->folder, NULL), WEIR_OK);
}

static void show_tells_all_or_nothing(void **state)
{
    place p;
    char *arguments[] = { "weir", "schema", "show", p.file, "--json", NULL };

    (void)state;
    setup(&p);
    p.arguments = arguments;
    p.wanted =
        "{\"schema_change_handling\":\"ALLOW_ALL\",\"naming\":\"FIVETRAN_NAMING\",\"schemas\":["
        "{\"name\":\"public\",\"enabled\":true,\"synced\":true,\"destination\":\"NAME_public\",\"tables\":["
        "{\"name\":\"orders\",\"enabled\":true,\"synced\":true,\"sync_mode\":\"SOFT_DELETE\",\"destination\":"
        "\"orders\",\"columns\":[{\"name\":\"id\",\"enabled\":true,\"synced\":true,\"hashed\":false,\"key\":"
        "true,"
        "\"destination\":\"id\"},{\"name\":\"netPrice\",\"enabled\":true,\"synced\":true,\"hashed\":true,"
        "\"key\":"
        "false,\"destination\":\"net_price\"}]}]}]}\n";
    WEIR_EVERY_FAILURE(run_schema, &p);
    teardown(&p);
}

static void edit_changes_all_or_nothing(void **state)
{
    place p;
    char *arguments[] = {
        "weir", "schema", "edit", p.file, "--mode", "public.orders=HISTORY", "--json", NULL
    };

    (void)state;
    setup(&p);
    p.arguments = arguments;
    p.wanted = "{\"changes\":[{\"path\":\"public.orders\",\"what\":\"mode\",\"before\":\"SOFT_DELETE\","
               "\"after\":\"HISTORY\"}]}\n";
    p.edits = true;
    WEIR_EVERY_FAILURE(run_schema, &p);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(show_tells_all_or_nothing),
                                        cmocka_unit_test(edit_changes_all_or_nothing) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
