/* sys/library: where libraries are looked for, and what is said when they are not there or broken. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/library.h"

static char root[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/weir-library-test-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/libweir-broken.so", root);
    unlink(path);
    return rmdir(root);
}

static void opens_what_the_system_finds(void **state)
{
    weir_library *library = NULL;
    weir_symbol symbol = NULL;
    double (*root_of)(double) = NULL;
    weir_error err;

    (void)state;
    assert_int_equal(weir__library_open("libm.so.6", NULL, &library, &err), WEIR_OK);
    assert_string_equal(weir__library_path(library), "libm.so.6");
    assert_int_equal(weir__library_symbol(library, "sqrt", &symbol, &err), WEIR_OK);
    root_of = (double (*)(double))symbol;
    assert_true(root_of(9.0) == 3.0);
    assert_int_equal(weir__library_symbol(library, "no_such_function", &symbol, &err), WEIR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no_such_function"));
    weir__library_close(library);
}

static void says_where_it_has_looked(void **state)
{
    weir_library *library = NULL;
    weir_error err;

    (void)state;
    assert_int_equal(weir__library_open("libweir-nowhere.so", NULL, &library, &err), WEIR_NOT_FOUND);
    assert_null(library);
    assert_non_null(strstr(err.text, "libweir-nowhere.so"));
    assert_non_null(strstr(err.text, "beside the program"));
    assert_int_equal(weir__library_open("libm.so.6", "/nowhere/at/all.so", &library, &err), WEIR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all.so"));
    /* A folder that a person has named is the only place. */
    assert_int_equal(weir__library_open("libm.so.6", root, &library, &err), WEIR_NOT_FOUND);
    assert_non_null(strstr(err.text, root));
}

static void tells_a_broken_one_from_none(void **state)
{
    weir_library *library = NULL;
    char path[128];
    weir_error err;
    FILE *file;

    (void)state;
    snprintf(path, sizeof path, "%s/libweir-broken.so", root);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is no library", file);
    fclose(file);
    assert_int_equal(weir__library_open("libweir-broken.so", root, &library, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(weir__library_open("libweir-broken.so", path, &library, &err), WEIR_FAILED);
}

static weir_status open_and_close(void *context)
{
    weir_library *library = NULL;
    weir_status status = weir__library_open("libm.so.6", NULL, &library, NULL);

    (void)context;
    weir__library_close(library);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(open_and_close, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_the_system_finds),
        cmocka_unit_test(says_where_it_has_looked),
        cmocka_unit_test(tells_a_broken_one_from_none),
        cmocka_unit_test(survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
