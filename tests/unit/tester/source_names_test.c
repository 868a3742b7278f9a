/* Unit tests of tester/source_names: the worked examples of the known normalisation (R-ENG-22). */
#include "support.h"

#include "base/map.h"
#include "tester/source_names.h"

static void assert_form(const char *name, bool table, const char *wanted)
{
    char out[SOURCE_NAME_SIZE(64)];
    size_t size = source_name_normalise(weir__text(name), table, out);

    assert_string_equal(out, wanted);
    assert_int_equal(size, strlen(wanted));
}

static void normalises_as_the_examples_say(void **state)
{
    (void)state;
    assert_form("userData", false, "user_data");
    assert_form("user.data", false, "user_data");
    assert_form("URLPath", false, "urlpath");
    assert_form("Abc123x", false, "abc_123_x");
    assert_form("1abc", false, "1_abc");
    assert_form("customField__c", false, "custom_field_c");
    assert_form("_tmp", false, "_tmp");
    assert_form("$id", false, "_id");
    assert_form("_tmp", true, "tmp");
    assert_form("$id", true, "id");
    assert_form("__", true, "_");
    assert_form("", true, "");
    assert_form("order 1", true, "order_1");
    assert_form("Caf\xC3\xA9", false, "caf\xC3\xA9");
}

static void folds_ascii_case_only(void **state)
{
    char out[SOURCE_NAME_SIZE(16)];

    (void)state;
    assert_int_equal(source_name_fold(weir__text("MiXed_1 \xC3\x89"), out), 10);
    assert_string_equal(out, "mixed_1 \xC3\x89");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises_as_the_examples_say),
        cmocka_unit_test(folds_ascii_case_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
