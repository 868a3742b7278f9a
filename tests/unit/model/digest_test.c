/*
 * model/digest: what was sent and what a store shows have one hash where model/compare says that they are one
 * value, and two where it does not.
 */
#include "support.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/map.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"
#include "model/digest.h"
#include "model/seen.h"

#define RANDOM_VALUES 3000
#define CASES_MAX 64

/* Texts of a type that stores show; those that the type can hold are sent, too, in the engine's form. */
typedef struct texts {
    weir_type type;
    const char *all[CASES_MAX];
} texts;

static const texts tables[] = {
    { WEIR_BOOLEAN, { "true", "t", "1", "YES", "false", "f", "0", "n", "2", "" } },
    { WEIR_SHORT, { "0", "-0", "7", "7.0", "7e0", "-7", "32767", "-32768", "8", "seven" } },
    { WEIR_INT, { "2147483647", "2147483647.00", "-2147483648", "12", "1.2e1", "120" } },
    { WEIR_LONG,
      { "9223372036854775807", "9223372036854775806", "-9223372036854775808", "9007199254740992",
        "9007199254740993", "1e3", "1000" } },
    { WEIR_DECIMAL,
      { "1", "1.0", "1.00", "1e0", "0.1", ".1", "-0.1", "0", "-0.0", "100", "1E2", "1E+2",
        "12345678901234567890123456789012345678", "0.0000000000000000000000000000000000001" } },
    { WEIR_FLOAT,
      { "0", "-0", "-0.0", "0.1", "0.100000001", "1", "1.0", "16777216", "3.4028235E38", "NaN", "nan",
        "Infinity", "-Infinity", "inf", "1e-45", "x" } },
    { WEIR_DOUBLE,
      { "0", "-0", "-0.0", "0.1", "0.10000000000000001", "0.1000000000000001", "1e22", "1E+22", "5e-324",
        "9007199254740992", "9007199254740993", "9.007199254740992E15", "-1.5", "NaN", "Infinity" } },
    { WEIR_NAIVE_DATE,
      { "2007-12-03", "2007-12-03T00:00:00", "2007-12-03 00:00:00.000", "0001-01-01", "9999-12-31",
        "2007-12-03 10:00:00", "2007-12-04" } },
    { WEIR_NAIVE_DATETIME,
      { "2007-12-03T10:15:30", "2007-12-03 10:15:30", "2007-12-03 10:15:30.000000", "2007-12-03 10:15:30.5",
        "2007-12-03 10:15:30.500", "2007-12-03 10:15:30.123456", "2007-12-03 10:15:30.123456789",
        "2007-12-03 10:15:30.1234567", "2007-12-03", "2007-12-03 00:00:00" } },
    { WEIR_UTC_DATETIME,
      { "2007-12-03T10:15:30Z", "2007-12-03 10:15:30+00", "2007-12-03 12:15:30+02:00",
        "2007-12-03 10:15:30.0", "1969-12-31 23:59:59.999Z", "1969-12-31T23:59:59.999000Z",
        "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999999Z" } },
    { WEIR_NAIVE_TIME, { "10:15:30", "10:15", "10:15:30.000", "10:15:30.5", "10:15:30.123456789" } },
    { WEIR_BINARY, { "", "AAEC", "\\x000102", "0x000102", "/w==", "\\xff", "\\xFF", "ÿ", "\\x" } },
    { WEIR_STRING, { "", "a", "A", "a ", " a", "1", "1.0", "NULL", "é", "e\xcc\x81" } },
    { WEIR_XML, { "", "<a/>", "<a></a>", "<a />" } },
    { WEIR_JSON,
      { "{}",
        "{ }",
        "[]",
        "[1,2]",
        "[2,1]",
        "[ 1 , 2 ]",
        "{\"a\":1,\"b\":2}",
        "{\"b\":2, \"a\":1}",
        "{\"a\":2,\"b\":1}",
        "{\"b\":1}",
        "{\"a\":1,\"b\":2,\"c\":\"\\n\"}",
        "{\"c\":\"\\u000a\",\"b\":2,\"a\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1]}",
        "[[1],[2]]",
        "[[1,2]]",
        "[[1,2],[]]",
        "null",
        "true",
        "false",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
        "1",
        "1.5",
        "15e-1",
        "0",
        "9007199254740993",
        "9007199254740992",
        "100000000000000000000",
        "100000000000000000001",
        "[null]",
        "[false]",
        "[[]]",
        "[{}]",
        "[\"\"]",
        "{\"\":null}" } },
};

static const weir_digest fine = { .seed = 41, .time_digits = 9 };

static bool same(weir_hash128 a, weir_hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static weir_bytes copy(weir_arena *arena, const char *text, size_t size)
{
    char *room = weir__arena_raw(arena, size + 1);

    memcpy(room, text, size);
    return (weir_bytes){ room, size };
}

/* The text as the engine sends it; NULL: no value of the type. */
static bool sent_form(weir_arena *arena, const weir_seen_cell *seen, weir_type type, weir_cell *cell,
                      weir_bytes *out)
{
    const weir_column column = { .name = "c", .type = type };
    char plain[WEIR_DECIMAL_TEXT_MAX];
    char *room;
    size_t size;

    if (weir__seen_read(seen, &column, arena, cell) != WEIR_OK)
        return false;
    if (type == WEIR_DECIMAL) { /* in the notation that it came in */
        size = weir__decimal_plain(seen->text.data, seen->text.size, plain);
        *out = copy(arena, plain, size);
        return size > 0;
    }
    room = weir__arena_raw(arena, weir__text_bound(cell) + 1);
    size = weir__text_format(cell, room);
    *out = (weir_bytes){ room, size };
    return size != WEIR_TEXT_NONE;
}

/* One value sent, one shown: the hashes agree as the comparison does. */
static void compare_pair(weir_arena *arena, const weir_digest *how, weir_type type,
                         const weir_seen_cell *from, const weir_seen_cell *shown)
{
    const weir_kept_column kept = { .coarse = true, .time_digits = how->time_digits };
    const weir_column column = { .name = "c", .type = type };
    weir_cell expected;
    weir_cell seen = { 0 };
    weir_hash128 sent_hash;
    weir_hash128 seen_hash;
    weir_bytes text;
    weir_status status;
    bool equal;

    if (!sent_form(arena, from, type, &expected, &text) ||
        weir__digest_sent(how, type, text, &sent_hash) != WEIR_OK)
        return;
    status = weir__digest_seen(how, shown, &column, arena, &seen_hash);
    assert_int_equal(weir__seen_read(shown, &column, arena, &seen), status);
    equal = status == WEIR_OK && weir__seen_equal(&expected, &seen, &kept);
    if (same(sent_hash, seen_hash) != equal)
        fail_msg("%s: '%.*s' sent and '%.*s' shown are%s equal, and their hashes are%s", weir_type_name(type),
                 (int)text.size, text.data, (int)shown->text.size, shown->text.data, equal ? "" : " not",
                 equal ? " not" : "");
    assert_false(same(sent_hash, weir__digest_null(how)));
}

static void compare_all(weir_arena *arena, weir_type type, const weir_seen_cell *cells, size_t count)
{
    for (uint8_t digits = 0; digits <= 9; digits += 3) {
        const weir_digest how = { .seed = 7U + digits, .time_digits = digits };

        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count; j++)
                compare_pair(arena, &how, type, &cells[i], &cells[j]);
    }
}

static void hashes_agree_as_values_do(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 26);

    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        weir_seen_cell cells[CASES_MAX];
        size_t count = 0;

        for (; tables[t].all[count] != NULL; count++)
            cells[count] = (weir_seen_cell){ .text = weir__text(tables[t].all[count]) };
        compare_all(arena, tables[t].type, cells, count);
        weir__arena_reset(arena);
    }
    weir__arena_free(arena);
}

static uint64_t draw(uint64_t *dice)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *dice >> 11 ^ *dice << 31;
}

static weir_cell random_cell(weir_arena *arena, weir_type type, uint64_t *dice)
{
    weir_cell cell = { .column = "c", .type = type };
    uint64_t few = draw(dice) % 8;
    uint64_t bits = draw(dice) >> draw(dice) % 64;
    float single;

    if (type == WEIR_BOOLEAN) {
        cell.as.boolean = few % 2 == 0;
    } else if (weir__type_is_integer(type)) {
        cell.as.integer = type == WEIR_SHORT ? (int16_t)bits
                          : type == WEIR_INT ? (int32_t)bits
                                             : (int64_t)bits;
    } else if (type == WEIR_FLOAT) {
        memcpy(&single, &bits, sizeof single);
        cell.as.real = (double)single;
    } else if (type == WEIR_DOUBLE) {
        memcpy(&cell.as.real, &bits, sizeof bits);
    } else if (weir__type_is_time(type)) {
        bool day = type == WEIR_NAIVE_DATE;

        cell.as.time.seconds = type == WEIR_NAIVE_TIME ? (int64_t)(bits % 86400)
                                                       : (int64_t)(bits % 200000000000) - 60000000000;
        if (day)
            cell.as.time.seconds -= ((cell.as.time.seconds % 86400) + 86400) % 86400;
        else
            cell.as.time.nanos = few < 3   ? 0
                                 : few < 6 ? (int32_t)(few * 1000000)
                                           : (int32_t)(bits % 1000000000);
    } else {
        cell.as.bytes = copy(arena, (const char *)&bits, few);
    }
    return cell;
}

/* As the store shows it: the engine's text, or what another would write of the value. */
static weir_seen_cell shown_form(weir_arena *arena, const weir_cell *cell, uint64_t *dice)
{
    char *room = weir__arena_raw(arena, 64 + weir__text_bound(cell));
    weir_seen_cell seen = { 0 };

    if (weir__type_is_real(cell->type))
        snprintf(room, 64, draw(dice) % 2 ? "%.17g" : "%.20e", cell->as.real);
    else if (cell->type == WEIR_DECIMAL)
        snprintf(room, 64, "%llu.%02llu%s", (unsigned long long)(draw(dice) % 5),
                 (unsigned long long)(draw(dice) % 4 * 10), draw(dice) % 2 ? "00" : "");
    else {
        size_t size = weir__text_format(cell, room);

        seen.kind = cell->type == WEIR_BINARY ? WEIR_SEEN_BASE64 : WEIR_SEEN_TEXT;
        seen.text = (weir_bytes){ room, size };
        return seen;
    }
    seen.text = weir__text(room);
    return seen;
}

static void hashes_of_random_values_agree(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 26);
    uint64_t dice = 1;

    (void)state;
    for (weir_type type = WEIR_BOOLEAN; type <= WEIR_NAIVE_TIME; type++) {
        if (type == WEIR_JSON || type == WEIR_XML)
            continue;
        for (size_t i = 0; i < RANDOM_VALUES; i++) {
            weir_cell values[2] = { random_cell(arena, type, &dice), random_cell(arena, type, &dice) };
            weir_seen_cell seen[3] = { shown_form(arena, &values[0], &dice),
                                       shown_form(arena, &values[0], &dice),
                                       shown_form(arena, &values[1], &dice) };

            if (seen[0].text.size != WEIR_TEXT_NONE && seen[2].text.size != WEIR_TEXT_NONE)
                compare_all(arena, type, seen, 3);
            weir__arena_reset(arena);
        }
    }
    weir__arena_free(arena);
}

static weir_hash128 hash_json(const char *text)
{
    weir_hash128 hash;

    assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text(text), &hash), WEIR_OK);
    return hash;
}

/* A store that keeps JSON parsed writes numbers in its own way, and one member of a name, or both. */
static void what_json_leaves_open_is_left_open(void **state)
{
    weir_hash128 hash;

    (void)state;
    assert_true(same(hash_json("[1.0, 1e2]"), hash_json("[1,100]")));
    assert_false(same(hash_json("1.5"), hash_json("1")));
    assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text("{"), &hash), WEIR_ITEM);
    assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text(""), &hash), WEIR_ITEM);
    assert_int_equal(
        weir__digest_sent(&fine, WEIR_JSON, weir__text("{\"a\":1,\"b\":2,\"\\u0061\":1}"), &hash), WEIR_ITEM);
    assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text("1e400"), &hash), WEIR_ITEM);
}

#define MEMBERS 500

/* MEMBERS members and, unless it is negative, one more with the name of member `again`. */
static const char *large_object(int again)
{
    static char text[MEMBERS * 16];
    size_t size = (size_t)snprintf(text, sizeof text, "{\"m0\":0");

    for (int i = 1; i < MEMBERS; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, ",\"m%d\":%d", i, i);
    if (again >= 0)
        size += (size_t)snprintf(text + size, sizeof text - size, ",\"m%d\":-1", again);
    snprintf(text + size, sizeof text - size, "}");
    return text;
}

static void a_repeated_name_is_found_among_many(void **state)
{
    weir_hash128 hash;

    (void)state;
    assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text(large_object(-1)), &hash), WEIR_OK);
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(weir__digest_sent(&fine, WEIR_JSON, weir__text(large_object(i)), &hash), WEIR_ITEM);
}

static weir_status digest_json(void *context)
{
    static const weir_column column = { .name = "c", .type = WEIR_JSON };
    const char *text = context;
    const weir_seen_cell cell = { .text = weir__text(text) };
    weir_hash128 sent;
    weir_hash128 seen;
    weir_status status = weir__digest_sent(&fine, WEIR_JSON, weir__text(text), &sent);

    if (status == WEIR_OK)
        status = weir__digest_seen(&fine, &cell, &column, NULL, &seen);
    assert_int_not_equal(status, WEIR_ITEM);
    if (status != WEIR_OK)
        return status;
    assert_true(same(sent, seen));
    return WEIR_OK;
}

/* Then JSON is not taken for another value. */
static void memory_runs_out(void **state)
{
    char text[2000] = "\"\\n";

    (void)state;
    WEIR_EVERY_FAILURE(digest_json, (void *)(uintptr_t)large_object(-1));
    memset(text + 3, 'x', sizeof text - 5);
    text[sizeof text - 2] = '"';
    WEIR_EVERY_FAILURE(digest_json, text);
}

static void null_is_no_value(void **state)
{
    const weir_column column = { .name = "c", .type = WEIR_STRING };
    const weir_digest other = { .seed = 42, .time_digits = 9 };
    weir_hash128 seen;
    weir_hash128 sent;

    (void)state;
    assert_int_equal(weir__digest_seen(&fine, &(weir_seen_cell){ .null = true }, &column, NULL, &seen),
                     WEIR_OK);
    assert_true(same(seen, weir__digest_null(&fine)));
    assert_int_equal(weir__digest_sent(&fine, WEIR_STRING, weir__text(""), &sent), WEIR_OK);
    assert_false(same(seen, sent));
    assert_false(same(seen, weir__digest_null(&other)));
}

static void system_columns_are_read(void **state)
{
    const weir_seen_cell yes = { .text = weir__text("1") };
    const weir_seen_cell no = { .text = weir__text("false") };
    const weir_seen_cell time = { .text = weir__text("1970-01-01 00:00:01.5+00") };
    const weir_seen_cell null = { .null = true };
    int64_t ms = 0;

    (void)state;
    assert_true(weir__seen_true(&yes));
    assert_false(weir__seen_true(&no));
    assert_false(weir__seen_true(&null));
    assert_true(weir__seen_ms(&time, &ms));
    assert_int_equal(ms, 1500);
    assert_false(weir__seen_ms(&null, &ms));
    assert_false(weir__seen_ms(&no, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_agree_as_values_do),
        cmocka_unit_test(hashes_of_random_values_agree),
        cmocka_unit_test(what_json_leaves_open_is_left_open),
        cmocka_unit_test(a_repeated_name_is_found_among_many),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(null_is_no_value),
        cmocka_unit_test(system_columns_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
