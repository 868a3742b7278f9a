/*
 * record/disguise: what is promised of a replacement, checked on whole sets of values: different values stay
 * different, order, length and kind are kept where that is said, nothing leaves its type.
 */
#include "support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "record/disguise.h"

static const unsigned char key[DISGUISE_KEY_SIZE] = "0123456789abcde";

static weir_cell whole(weir_type type, int64_t value)
{
    return weir__cell_integer("c", type, value);
}

static void learn(disguise *d, weir_type type, int64_t value)
{
    weir_cell cell = whole(type, value);

    disguise_learn(d, &cell);
}

/* As if all numbers up to `largest` had been seen: the first and last of each length in bits count. */
static void learn_up_to(disguise *d, weir_type type, int64_t largest)
{
    uint64_t most = largest < 0 ? (uint64_t)0 - (uint64_t)largest : (uint64_t)largest;

    for (uint64_t first = 1; first <= most && first > 0; first *= 2) {
        learn(d, type, (int64_t)first);
        learn(d, type, most < 2 * first ? (int64_t)most : (int64_t)(2 * first - 1));
    }
}

static disguise *settled(int64_t largest_short, int64_t largest_int, int64_t largest_long)
{
    disguise *d = disguise_new(key);

    assert_non_null(d);
    learn_up_to(d, WEIR_SHORT, largest_short);
    learn_up_to(d, WEIR_INT, largest_int);
    learn_up_to(d, WEIR_LONG, largest_long);
    disguise_settle(d);
    return d;
}

/* --- numbers --- */

/* Integers up to what each type has shown keep their order and their type, and none stays as it was. */
static void integers_grow(void **state)
{
    static const int64_t sets[][3] = { { 100, 0, 0 },
                                       { 0, 5000, 0 },
                                       { 0, 0, 1000000 },
                                       { 300, 1000000, INT64_C(1) << 50 },
                                       { 16000, 700000000, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        const int64_t *most = sets[i];
        disguise *d = settled(most[0], -most[1], most[2]);
        int64_t last = 0;

        assert_int_equal(disguise_integer(d, 0), 0);
        for (int64_t value = 1; value <= 3000000; value += value < 40000 ? 1 : 997) {
            int64_t got = disguise_integer(d, value);

            if (value > most[0] && value > most[1] && value > most[2])
                break;
            assert_true(got > last);
            assert_true(got != value);
            assert_int_equal(disguise_integer(d, -value), -got);
            assert_true(value > most[0] || got <= INT16_MAX);
            assert_true(value > most[1] || got <= INT32_MAX);
            last = got;
        }
        disguise_free(d);
    }
}

/* A type that is full of values has no room for order: its numbers are permuted, within the type. */
static void a_full_type_is_permuted(void **state)
{
    static bool seen[INT16_MAX + 1];
    disguise *d = settled(INT16_MAX, 0, 0);
    size_t kept = 0;

    (void)state;
    memset(seen, 0, sizeof seen);
    for (int64_t value = 1; value <= INT16_MAX; value++) {
        int64_t got = disguise_integer(d, value);

        assert_true(got >= 1 && got <= INT16_MAX);
        assert_false(seen[got]);
        seen[got] = true;
        kept += got == value;
    }
    assert_true(kept < 50);
    disguise_free(d);
}

/* Few numbers that are near each other, in a type that others fill: as quick, and different as ever. */
static void near_numbers_in_a_full_type(void **state)
{
    const int64_t first = INT64_C(1700000000000000);
    disguise *d = disguise_new(key);
    int64_t got[11];

    (void)state;
    assert_non_null(d);
    learn(d, WEIR_LONG, first);
    learn(d, WEIR_LONG, first + 10);
    learn(d, WEIR_LONG, INT64_C(1) << 40); /* alone */
    learn(d, WEIR_LONG, INT64_C(1) << 62);
    learn(d, WEIR_LONG, INT64_MAX);
    disguise_settle(d);
    for (int64_t i = 0; i < 11; i++) {
        got[i] = disguise_integer(d, first + i);
        for (int64_t k = 0; k < i; k++)
            assert_true(got[k] != got[i] && got[k] - got[i] < 11 && got[i] - got[k] < 11);
        assert_true(got[i] != first + i);
    }
    assert_true(disguise_integer(d, INT64_C(1) << 40) < got[0]);
    disguise_free(d);
}

static void the_ends_of_types_stay_in_them(void **state)
{
    disguise *d = settled(INT16_MAX, INT32_MAX, INT64_MAX);
    static const struct {
        weir_type type;
        int64_t least;
        int64_t most;
    } all[] = { { WEIR_SHORT, INT16_MIN, INT16_MAX },
                { WEIR_INT, INT32_MIN, INT32_MAX },
                { WEIR_LONG, INT64_MIN, INT64_MAX } };
    weir_buf texts;

    (void)state;
    weir__buf_init(&texts, WEIR_MIB);
    for (size_t i = 0; i < 3; i++)
        for (int64_t at = 0; at < 2000; at++) {
            weir_cell low = whole(all[i].type, all[i].least + at);
            weir_cell high = whole(all[i].type, all[i].most - at);

            assert_true(disguise_cell(d, &low, &texts) && disguise_cell(d, &high, &texts));
            assert_true(low.as.integer >= all[i].least && low.as.integer <= all[i].most);
            assert_true(high.as.integer >= all[i].least && high.as.integer <= all[i].most);
        }
    weir__buf_clear(&texts);
    disguise_free(d);
}

static void reals_keep_their_order(void **state)
{
    static const double values[] = { -INFINITY, -1e308, -3.5, -1e-300, 0,   1e-300, 0.1,
                                     0.25,      1,      1.5,  2,       1e9, 1e300,  INFINITY };
    disguise *d = settled(0, 0, 0);
    double last = -INFINITY;
    weir_buf texts;

    (void)state;
    weir__buf_init(&texts, WEIR_MIB);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        weir_cell cell = weir__cell_real("c", WEIR_DOUBLE, values[i]);

        assert_true(disguise_cell(d, &cell, &texts));
        assert_true(i == 0 || cell.as.real > last);
        assert_true((values[i] == 0) == (cell.as.real == 0));
        last = cell.as.real;
        cell = weir__cell_real("c", WEIR_FLOAT, (double)(float)values[i]);
        assert_true(disguise_cell(d, &cell, &texts));
        assert_true((double)(float)cell.as.real == cell.as.real);
    }
    disguise_free(d);
    weir__buf_clear(&texts);
}

static size_t disguised(disguise *d, weir_type type, const char *text, char *out)
{
    weir_cell cell = weir__cell_bytes("c", type, text, strlen(text));
    weir_buf texts;

    weir__buf_init(&texts, WEIR_MIB);
    assert_true(disguise_cell(d, &cell, &texts));
    assert_true(cell.as.bytes.size < 1000);
    if (cell.as.bytes.size > 0)
        memcpy(out, cell.as.bytes.data, cell.as.bytes.size);
    out[cell.as.bytes.size] = '\0';
    weir__buf_clear(&texts);
    return strlen(out);
}

/* All decimals from 0.00 to 99.99: as long as they were, all different, equal however zeros end them. */
static void decimals_keep_their_digits(void **state)
{
    static bool seen[10000];
    disguise *d = settled(0, 0, 0);
    char text[32];
    char got[1000];
    char again[1000];

    (void)state;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 10000; i++) {
        int value;

        snprintf(text, sizeof text, "%d.%02d", i / 100, i % 100);
        assert_int_equal(disguised(d, WEIR_DECIMAL, text, got), strlen(text));
        value = (int)lround(strtod(got, NULL) * 100);
        assert_false(seen[value]);
        seen[value] = true;
        assert_int_equal(value / 1000 > 0, i / 1000 > 0);
        snprintf(text, sizeof text, "%d.%02d00", i / 100, i % 100);
        disguised(d, WEIR_DECIMAL, text, again);
        assert_memory_equal(again, got, strlen(got));
        assert_string_equal(again + strlen(got), "00");
    }
    disguised(d, WEIR_DECIMAL, "-12345678901234567890123456789012345678", got);
    assert_int_equal(strlen(got), 39);
    assert_true(got[0] == '-' && got[1] != '0' &&
                strcmp(got, "-12345678901234567890123456789012345678") != 0);
    disguised(d, WEIR_DECIMAL, "0.00", got);
    assert_string_equal(got, "0.00");
    disguised(d, WEIR_DECIMAL, "7e5", got);
    assert_string_equal(got + 1, "e5");
    disguise_free(d);
}

static void times_are_shifted(void **state)
{
    disguise *d = settled(0, 0, 0);
    weir_time last = { 0 };
    weir_buf texts;

    (void)state;
    weir__buf_init(&texts, WEIR_MIB);
    for (int i = 0; i < 1000; i++) {
        weir_time time = { .seconds = INT64_C(1500000000) + i * 77777, .nanos = i };
        weir_time day = { .seconds = time.seconds / 86400 * 86400 };
        weir_cell cell = weir__cell_time("c", WEIR_UTC_DATETIME, time);
        weir_cell date = weir__cell_time("c", WEIR_NAIVE_DATE, day);
        weir_cell clock = weir__cell_time("c", WEIR_NAIVE_TIME, (weir_time){ .seconds = i * 86 });

        assert_true(disguise_cell(d, &cell, &texts) && disguise_cell(d, &date, &texts) &&
                    disguise_cell(d, &clock, &texts));
        assert_true(i == 0 || cell.as.time.seconds == last.seconds + 77777);
        assert_true(llabs(cell.as.time.seconds - time.seconds) > 100 * 86400);
        assert_int_equal(date.as.time.seconds % 86400, 0);
        assert_true(date.as.time.seconds != day.seconds);
        assert_in_range(clock.as.time.seconds, 0, 86399);
        last = cell.as.time;
    }
    {
        weir_cell end = weir__cell_time("c", WEIR_NAIVE_DATE,
                                        (weir_time){ WEIR_TIME_SECONDS_MAX - 86399, 0 });
        weir_cell begin = weir__cell_time("c", WEIR_NAIVE_DATE, (weir_time){ WEIR_TIME_SECONDS_MIN, 0 });

        assert_true(disguise_cell(d, &end, &texts) && disguise_cell(d, &begin, &texts));
        assert_in_range(end.as.time.seconds, 0, WEIR_TIME_SECONDS_MAX);
        assert_true(begin.as.time.seconds >= WEIR_TIME_SECONDS_MIN);
    }
    disguise_free(d);
    weir__buf_clear(&texts);
}

/* --- texts --- */

static char kind(unsigned char c)
{
    return c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : c >= '0' && c <= '9' ? '0' : (char)c;
}

/* Every text of two characters out of 36 becomes another one, each of its own kinds. */
static void texts_stay_different(void **state)
{
    static const char from[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static bool seen[256][256];
    disguise *d = settled(0, 0, 0);
    char got[1000];

    (void)state;
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < 36; i++)
        for (size_t j = 0; j < 36; j++) {
            const char text[] = { from[i], from[j], '\0' };

            assert_int_equal(disguised(d, WEIR_STRING, text, got), 2);
            assert_true(kind((unsigned char)got[0]) == kind((unsigned char)text[0]));
            assert_true(kind((unsigned char)got[1]) == kind((unsigned char)text[1]));
            assert_false(seen[(unsigned char)got[0]][(unsigned char)got[1]]);
            seen[(unsigned char)got[0]][(unsigned char)got[1]] = true;
        }
    disguise_free(d);
}

static void texts_keep_length_and_look(void **state)
{
    static const char *const texts[] = {
        "Ann.Canary-7@example.org", "",          " ", "Zo\xc3\xab M\xc3\xbcller", "\xe6\x9d\xb1\xe4\xba\xac",
        "\xf0\x9f\x98\x80 smile",   "a\nb\tc\"d"
    };
    disguise *d = settled(0, 0, 0);
    disguise *other = disguise_new((const unsigned char *)"another key 1234");
    char got[1000];
    char again[1000];

    (void)state;
    disguise_settle(other);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t size = strlen(texts[i]);

        assert_int_equal(disguised(d, WEIR_STRING, texts[i], got), size);
        assert_true(weir__utf8_valid(got, size));
        for (size_t j = 0; j < size; j++)
            assert_true((unsigned char)texts[i][j] >= 0x80 ||
                        kind((unsigned char)got[j]) == kind((unsigned char)texts[i][j]));
        assert_true(size < 2 || strcmp(got, texts[i]) != 0);
        disguised(d, WEIR_STRING, texts[i], again);
        assert_string_equal(got, again);
        disguised(other, WEIR_STRING, texts[i], again);
        assert_true(size < 5 || strcmp(got, again) != 0);
    }
    disguised(d, WEIR_STRING, "550e8400-e29b-41d4-a716-446655440000", got);
    assert_int_equal(strspn(got, "0123456789abcdef-"), 36);
    assert_true(got[8] == '-' && strncmp(got, "550e8400", 8) != 0);
    disguise_free(d);
    disguise_free(other);
}

static void binary_is_permuted(void **state)
{
    static bool seen[65536];
    disguise *d = settled(0, 0, 0);
    weir_buf texts;

    (void)state;
    memset(seen, 0, sizeof seen);
    weir__buf_init(&texts, WEIR_MIB);
    for (unsigned i = 0; i < 65536; i++) {
        unsigned char bytes[2] = { (unsigned char)(i >> 8), (unsigned char)i };
        weir_cell cell = weir__cell_bytes("c", WEIR_BINARY, bytes, 2);
        const unsigned char *got;
        unsigned value;

        texts.size = 0;
        assert_true(disguise_cell(d, &cell, &texts));
        assert_int_equal(cell.as.bytes.size, 2);
        got = (const unsigned char *)cell.as.bytes.data;
        value = (unsigned)got[0] << 8 | got[1];
        assert_false(seen[value]);
        seen[value] = true;
    }
    weir__buf_clear(&texts);
    disguise_free(d);
}

/* --- JSON and XML --- */

static void json_keeps_its_structure(void **state)
{
    static const char text[] =
        "{\"people\": [ {\"canary\": \"K\\u00f6ln \\\"x\\\" \\ud83d\\ude00\\n\", \"n\": "
        "-12, \"f\": 1.50, \"e\": 1.25e-3, \"t\": true, \"z\": null, \"o\": 0, \"l\": false}, [], "
        "\"Ann\" ] }";
    disguise *d = disguise_new(key);
    char got[1000];
    char ann[1000];
    json_t *root;
    json_t *list;
    json_t *first;

    (void)state;
    assert_true(disguise_learn_name(d, weir__text("people")));
    disguise_learn_json(d, weir__text(text));
    disguise_settle(d);
    disguised(d, WEIR_JSON, text, got);
    disguised(d, WEIR_STRING, "Ann", ann);
    root = json_loads(got, 0, NULL);
    assert_non_null(root);
    list = json_object_get(root, "people");
    assert_int_equal(json_array_size(list), 3);
    first = json_array_get(list, 0);
    assert_int_equal(json_object_size(first), 8);
    assert_null(json_object_get(first, "canary"));
    assert_null(strstr(got, "\xc3\xb6ln"));
    assert_non_null(strstr(got, "true"));
    assert_string_equal(json_string_value(json_array_get(list, 2)), ann);
    json_decref(root);
    disguised(d, WEIR_JSON, "not {json canary", got);
    assert_null(strstr(got, "canary"));
    disguised(d, WEIR_JSON, "\"open canary", got);
    assert_null(strstr(got, "canary"));
    disguise_free(d);
}

static void xml_keeps_its_tags(void **state)
{
    disguise *d = settled(0, 0, 0);
    char got[1000];

    (void)state;
    disguised(d, WEIR_XML, "<a b=\"canary>\" c='canary'>canary &amp; <!--canary--><d/>canary</a>", got);
    assert_null(strstr(got, "canary"));
    assert_memory_equal(got, "<a b=\"", 6);
    assert_non_null(strstr(got, " &amp; <!--"));
    assert_non_null(strstr(got, "--><d/>"));
    assert_memory_equal(got + strlen(got) - 4, "</a>", 4);
    disguised(d, WEIR_XML, "canary < canary", got);
    assert_null(strstr(got, "canary"));
    disguise_free(d);
}

static void words_are_blanked_but_names(void **state)
{
    disguise *d = disguise_new(key);
    weir_buf out;

    (void)state;
    weir__buf_init(&out, WEIR_MIB);
    assert_true(disguise_learn_name(d, weir__text("orders")));
    assert_true(disguise_blank(d, weir__text("table 'orders': row 17 of Ann\xc3\xab"), &out));
    assert_true(weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, "xxxxx 'orders': xxx 00 xx xxxxx");
    weir__buf_clear(&out);
    disguise_free(d);
}

static weir_status use_all(void *context)
{
    static const weir_type types[] = { WEIR_STRING, WEIR_DECIMAL, WEIR_BINARY, WEIR_JSON, WEIR_XML };
    disguise *d = disguise_new(key);
    weir_buf texts;
    bool fine = d != NULL;

    (void)context;
    weir__buf_init(&texts, WEIR_MIB);
    fine = fine && disguise_learn_name(d, weir__text("people"));
    if (fine)
        disguise_settle(d);
    for (size_t i = 0; i < sizeof types / sizeof types[0] && fine; i++) {
        weir_cell cell = weir__cell_bytes("c", types[i], "[\"a b\", \"people\", 12.5]", 22);

        fine = disguise_cell(d, &cell, &texts);
    }
    weir__buf_clear(&texts);
    disguise_free(d);
    return fine ? WEIR_OK : WEIR_FAILED;
}

static void no_memory_is_a_failure(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(use_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_grow),
        cmocka_unit_test(a_full_type_is_permuted),
        cmocka_unit_test(near_numbers_in_a_full_type),
        cmocka_unit_test(the_ends_of_types_stay_in_them),
        cmocka_unit_test(reals_keep_their_order),
        cmocka_unit_test(decimals_keep_their_digits),
        cmocka_unit_test(times_are_shifted),
        cmocka_unit_test(texts_stay_different),
        cmocka_unit_test(texts_keep_length_and_look),
        cmocka_unit_test(binary_is_permuted),
        cmocka_unit_test(json_keeps_its_structure),
        cmocka_unit_test(xml_keeps_its_tags),
        cmocka_unit_test(words_are_blanked_but_names),
        cmocka_unit_test(no_memory_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
