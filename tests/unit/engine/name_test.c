/*
 * engine/name: the known algorithm (R-ENG-22). The expected names are what the platform's own Python package,
 * with its transliteration, makes of the same; properties hold for any text.
 */
#include "support.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "engine/name.h"

static weir_buf made;

static const char *name_of(const char *source, size_t size, engine_name_kind kind, plan_naming naming)
{
    made.size = 0;
    assert_int_equal(engine_name_put((weir_bytes){ source, size }, kind, naming, &made, NULL), WEIR_OK);
    assert_true(weir__buf_put(&made, "", 1));
    return made.data;
}

static const struct {
    const char *source;
    const char *table;
    const char *column;
} cases[] = {
    { "userData", "user_data", "user_data" },
    { "user.data", "user_data", "user_data" },
    { "user-data", "user_data", "user_data" },
    { "URLPath", "urlpath", "urlpath" },
    { "Abc123x", "abc_123_x", "abc_123_x" },
    { "1abc", "1_abc", "1_abc" },
    { "customField__c", "custom_field_c", "custom_field_c" },
    { "Café", "café", "café" },
    { "Café au lait", "cafe_au_lait", "cafe_au_lait" },
    { "_tmp", "tmp", "_tmp" },
    { "$id", "id", "_id" },
    { "id", "id", "id" },
    { "orderID", "order_id", "order_id" },
    { "HTTPServer2", "httpserver_2", "httpserver_2" },
    { "a1b2", "a_1_b_2", "a_1_b_2" },
    { "__a__b__", "a_b_", "_a_b_" },
    { "_1", "_1", "_1" },
    { "Größe (cm)", "grosse_cm_", "grosse_cm_" },
    { "Straße 1", "strasse_1", "strasse_1" },
    { "Łódź miasto", "lodz_miasto", "lodz_miasto" },
    { "naïve", "naïve", "naïve" },
    { "Имя клиента", "imia_klienta", "imia_klienta" },
    { "имяКлиента", "имя_клиента", "имя_клиента" },
    { "Όνομα πελάτη", "onoma_pelate", "onoma_pelate" },
    { "価格", "価格", "価格" },
    { "price €", "price_eur", "price_eur" },
    { "50%", "50_", "50_" },
    { "½ price", "_1_2_price", "_1_2_price" },
    { "x²", "x_²", "x_²" },
    { "x² y", "x_2_y", "x_2_y" },
    { "№ 5", "no_5", "no_5" },
    { "a\xC2\xAD"
      "b c",
      "ab_c", "ab_c" },
    { "e\xCC\x81te\xCC\x81", "ete", "ete" },
    { "$$$", "_", "_" },
    { "-", "_", "_" },
    { "a..b", "a_b", "a_b" },
    { "A B", "a_b", "a_b" },
    { "AB", "ab", "ab" },
    { "aBC", "a_bc", "a_bc" },
    { "camelCase2Snake", "camel_case_2_snake", "camel_case_2_snake" },
    { "ÀÉÎ", "àéî", "àéî" },
    { "àÉÎ", "à_éî", "à_éî" },
    { "①a", "①_a", "①_a" },
    { "T_1", "t_1", "t_1" },
    { "日本語Table", "日本語table", "日本語table" },
    { "ß", "ß", "ß" },
    { "ẞ X", "ss_x", "ss_x" },
    { "column™", "column_tm_", "column_tm_" },
    { "_FivetranSynced", "fivetran_synced", "_fivetran_synced" },
    { " a ", "a_", "_a_" },
    { "a\tb", "a_b", "a_b" },
    { "_É", "_é", "_é" },
    { "ЖЗ ий", "zh_z_ii", "zh_z_ii" },
};

static void names_are_those_of_the_platform(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *from = cases[i].source;
        size_t size = strlen(from);

        assert_string_equal(name_of(from, size, ENGINE_NAME_TABLE, PLAN_FIVETRAN_NAMING), cases[i].table);
        assert_string_equal(name_of(from, size, ENGINE_NAME_COLUMN, PLAN_NAMING_UNSAID), cases[i].column);
        assert_string_equal(name_of(from, size, ENGINE_NAME_SCHEMA, PLAN_FIVETRAN_NAMING), cases[i].column);
        assert_string_equal(name_of(from, size, ENGINE_NAME_TABLE, PLAN_SOURCE_NAMING), from);
    }
}

/* What the platform writes in ASCII by a far larger table keeps its letters; and no name becomes empty. */
static void letters_of_other_scripts_stay(void **state)
{
    (void)state;
    assert_string_equal(name_of("価格 (円)", strlen("価格 (円)"), ENGINE_NAME_COLUMN, PLAN_FIVETRAN_NAMING),
                        "価格_円_");
    assert_string_equal(name_of("\xCC\x81", 2, ENGINE_NAME_COLUMN, PLAN_FIVETRAN_NAMING), "_");
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A text of letters of many kinds, signs and accents. */
static size_t make_text(uint64_t *seed, char *out)
{
    static const char *const parts[] = { "a", "B", "7",  "_", ".", "-", " ", "$", "é",        "É", "ß", "Ж",
                                         "я", "Ω", "価", "²", "½", "€", "ǅ", "İ", "\xCC\x81", "№", "x", "Y" };
    size_t count = 1 + next(seed) % 12;
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        const char *part = parts[next(seed) % (sizeof parts / sizeof parts[0])];

        memcpy(out + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

/* The name of a name is itself; ASCII in it is a-z, 0-9 and '_', never two '_' in a row. */
static void properties_hold_for_any_text(void **state)
{
    uint64_t seed = 88172645463325252U;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        engine_name_kind kind = (engine_name_kind)(i % 3);
        char from[64];
        char once[512];
        size_t size = make_text(&seed, from);

        name_of(from, size, kind, PLAN_FIVETRAN_NAMING);
        memcpy(once, made.data, made.size);
        assert_true(once[0] != '\0' && weir__utf8_valid(once, strlen(once)));
        assert_null(strstr(once, "__"));
        for (const char *c = once; *c != '\0'; c++)
            assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c < 0);
        assert_string_equal(name_of(once, strlen(once), kind, PLAN_FIVETRAN_NAMING), once);
    }
}

static void long_names_have_room(void **state)
{
    char from[1024];

    (void)state;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = i % 2 ? 'B' : 'a';
    assert_int_equal(strlen(name_of(from, sizeof from, ENGINE_NAME_TABLE, PLAN_FIVETRAN_NAMING)), 1024 + 512);
    for (size_t i = 0; i < sizeof from; i += 2) {
        from[i] = (char)0xCE; /* Greek letters with accents */
        from[i + 1] = (char)0xB0;
    }
    from[1023] = ' ';
    from[1022] = ' ';
    assert_int_equal(strlen(name_of(from, sizeof from, ENGINE_NAME_TABLE, PLAN_FIVETRAN_NAMING)), 512);
}

static weir_status name_scenario(void *context)
{
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, 1 << 16);
    status = engine_name_put(weir__text(context), ENGINE_NAME_COLUMN, PLAN_FIVETRAN_NAMING, &out, NULL);
    weir__buf_clear(&out);
    return status;
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(name_scenario, "Größe (cm)");
}

static int clear(void **state)
{
    (void)state;
    weir__buf_clear(&made);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_platform), cmocka_unit_test(letters_of_other_scripts_stay),
        cmocka_unit_test(properties_hold_for_any_text),    cmocka_unit_test(long_names_have_room),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    weir__buf_init(&made, 1 << 16);
    return cmocka_run_group_tests(tests, NULL, clear);
}
