/* engine/config: flat maps of strings, and errors that name file, line and key but never a value. */
#include "support.h"

#include <stdlib.h>

#include "base/map.h"
#include "engine/config.h"

static void settings_are_read_in_order(void **state)
{
    engine_config config;
    weir_error err;

    (void)state;
    assert_int_equal(
        engine_config_parse(weir__text("{\"b\": \"x\\ny\", \"a\": \"\"}"), "f.json", &config, &err), WEIR_OK);
    assert_int_equal(config.count, 2);
    assert_string_equal(config.settings[0].name, "b");
    assert_string_equal(config.settings[0].value, "x\ny");
    assert_string_equal(config.settings[1].value, "");
    engine_config_clear(&config);
    assert_int_equal(engine_config_parse(weir__text("{}"), "f.json", &config, &err), WEIR_OK);
    assert_int_equal(config.count, 0);
    engine_config_clear(&config);
}

static void errors_name_the_place_and_what_was_expected(void **state)
{
    static const struct {
        const char *text;
        const char *part[3];
    } cases[] = {
        { "{\n \"host\": \"h\",\n \"port\": 5432\n}",
          { "'f.json', line 3", "key 'port'", "put the number in quotes" } },
        { "{\"ssl\": true}", { "line 1", "key 'ssl'", "write \"true\"" } },
        { "{\"a\": null}", { "key 'a'", "found null", "leave the key out" } },
        { "{\"a\": {\"b\": \"c\"}}", { "key 'a'", "expected a string", "found an object" } },
        { "{\"a\": [\"b\"]}", { "key 'a'", "expected a string", "found an array" } },
        { "[]", { "'f.json'", "JSON object", "found an array" } },
        { "{\"a\": \"b\"", { "'f.json', line 1", "JSON object of strings", "" } },
        { "{\"a\": \"b\",\n\"a\": \"c\"}", { "line 2", "duplicate", "" } },
        { "", { "'f.json'", "JSON object of strings", "" } },
        { "{\"a\": \"b\"} x", { "'f.json', line 1", "", "" } },
        { "{\"a\": \"\xFF\"}", { "'f.json', line 1", "", "" } },
        { "{\"a\": \"b\\u0000c\"}", { "'f.json'", "", "" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        engine_config config = { 0 };
        weir_error err;

        assert_int_equal(engine_config_parse(weir__text(cases[i].text), "f.json", &config, &err),
                         WEIR_FAILED);
        assert_null(config.settings);
        for (size_t j = 0; j < 3; j++)
            if (strstr(err.text, cases[i].part[j]) == NULL)
                fail_msg("'%s' is not in '%s'", cases[i].part[j], err.text);
    }
}

static void values_never_appear_in_errors(void **state)
{
    static const char *const texts[] = { "{\"password\": \"geheim\" \"x\"}",
                                         "{\"password\": geheim}",
                                         "{\"password\": \"geheim\"",
                                         "{\"password\": \"geheim\nnoch\"}",
                                         "{\"password\": [\"geheim\"]}",
                                         "{\"p\": \"geheim\", \"p\": \"geheim\"}",
                                         "\"geheim\"",
                                         "{\"password\": \"geheim\\q\"}" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        engine_config config;
        weir_error err;

        assert_int_equal(engine_config_parse(weir__text(texts[i]), "f.json", &config, &err), WEIR_FAILED);
        if (strstr(err.text, "geheim") != NULL)
            fail_msg("a value is in '%s'", err.text);
    }
}

static weir_status parse_scenario(void *context)
{
    engine_config config = { 0 };
    weir_status status = engine_config_parse(weir__text(context), "f.json", &config, NULL);

    engine_config_clear(&config);
    return status;
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(parse_scenario, "{\"a\": \"1\", \"b\": \"2\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read_in_order),
        cmocka_unit_test(errors_name_the_place_and_what_was_expected),
        cmocka_unit_test(values_never_appear_in_errors),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
