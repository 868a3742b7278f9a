/*
 * data: the type join (R-ENG-20, R-ENG-23), conversion into wider types, tables compared and joined, keys by
 * value.
 */
#include "support.h"

#include <math.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/convert.h"
#include "data/key.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"

/* R-ENG-20, every pair, written out by hand: rows and columns in the order of the enum, from BOOLEAN on. */
static const char joins[15][16] = {
    /*
     * B: BOOLEAN, S I L: SHORT INT LONG, D: DECIMAL, F U: FLOAT DOUBLE, d t: NAIVE_DATE NAIVE_DATETIME,
     * z: UTC_DATETIME, y: BINARY, x: XML, s: STRING, j: JSON, n: NAIVE_TIME
     */
    /* BOOLEAN        */ "Bssssssssssssss",
    /* SHORT          */ "sSILDUUssssssss",
    /* INT            */ "sIILDUUssssssss",
    /* LONG           */ "sLLLDUUssssssss",
    /* DECIMAL        */ "sDDDDDDssssssss",
    /* FLOAT          */ "sUUUDFUssssssss",
    /* DOUBLE         */ "sUUUDUUssssssss",
    /* NAIVE_DATE     */ "sssssssdtssssss",
    /* NAIVE_DATETIME */ "sssssssttssssss",
    /* UTC_DATETIME   */ "ssssssssszsssss",
    /* BINARY         */ "ssssssssssyssss",
    /* XML            */ "sssssssssssxsss",
    /* STRING         */ "sssssssssssssss",
    /* JSON           */ "sssssssssssssjs",
    /* NAIVE_TIME     */ "ssssssssssssssn",
};
static const char letters[] = "?BSILDFUdtzyxsjn";

static void every_pair_of_types_joins_as_the_rule_says(void **state)
{
    (void)state;
    for (int a = 1; a < WEIR_TYPE_COUNT; a++) {
        for (int b = 1; b < WEIR_TYPE_COUNT; b++)
            assert_int_equal(letters[weir__type_join((weir_type)a, (weir_type)b)], joins[a - 1][b - 1]);
        assert_int_equal(weir__type_join((weir_type)a, WEIR_UNSPECIFIED), a);
        assert_int_equal(weir__type_join(WEIR_UNSPECIFIED, (weir_type)a), a);
    }
    assert_int_equal(weir__type_join(WEIR_UNSPECIFIED, WEIR_UNSPECIFIED), WEIR_UNSPECIFIED);
}

/* R-ENG-20: commutative, associative, idempotent on types. */
static void join_is_a_semilattice(void **state)
{
    (void)state;
    for (int a = 0; a < WEIR_TYPE_COUNT; a++) {
        assert_int_equal(weir__type_join((weir_type)a, (weir_type)a), a);
        for (int b = 0; b < WEIR_TYPE_COUNT; b++) {
            weir_type ab = weir__type_join((weir_type)a, (weir_type)b);

            assert_int_equal(weir__type_join((weir_type)b, (weir_type)a), ab);
            for (int c = 0; c < WEIR_TYPE_COUNT; c++)
                assert_int_equal(weir__type_join(ab, (weir_type)c),
                                 weir__type_join((weir_type)a, weir__type_join((weir_type)b, (weir_type)c)));
        }
    }
}

static void observe(weir_shape *shape, weir_cell cell)
{
    char text[128];
    size_t size = cell.presence == WEIR_VALUE ? weir__text_format(&cell, text) : 0;

    assert_true(size <= sizeof text);
    weir__shape_observe(shape, &cell, (weir_bytes){ text, size });
}

/* Shapes of all kinds of columns, with values that decide: magnitudes around 2^53, digits around 38. */
static size_t many_shapes(weir_shape out[40])
{
    size_t count = 0;
    const weir_cell values[] = {
        weir_long("c", INT64_C(1) << 53),
        weir_long("c", (INT64_C(1) << 53) + 1),
        weir_long("c", INT64_MIN),
        weir_double("c", 0.5),
        weir_double("c", 1e30),
        weir_double("c", NAN),
        weir_float("c", 1.5f),
        weir_decimal("c", "1234567890.0123456789"),
        weir_decimal("c", "0.0000000000000000000000000000000001"),
        weir_decimal("c", "99999999999999999999999999999999999999"),
        weir_string("c", "text"),
        weir_short("c", 1),
        weir_int("c", 1),
        weir_boolean("c", true),
        weir_naive_date("c", (weir_time){ 0, 0 }),
    };

    for (int type = 0; type < WEIR_TYPE_COUNT; type++)
        out[count++] = weir__shape_of((weir_type)type, (weir_params){ 0 });
    out[count++] = weir__shape_of(WEIR_DECIMAL, (weir_params){ .precision = 38, .scale = 10 });
    out[count++] = weir__shape_of(WEIR_DECIMAL, (weir_params){ .precision = 20, .scale = 20 });
    out[count++] = weir__shape_stored(WEIR_LONG, (weir_params){ 0 });
    out[count++] = weir__shape_stored(WEIR_DECIMAL, (weir_params){ 0 });
    out[count++] = weir__shape_stored(WEIR_DOUBLE, (weir_params){ 0 });
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        out[count] = (weir_shape){ 0 };
        observe(&out[count++], values[i]);
    }
    return count;
}

static void check_same(const weir_shape *a, const weir_shape *b)
{
    weir_params left = weir__shape_params(a);
    weir_params right = weir__shape_params(b);

    assert_int_equal(weir__shape_type(a), weir__shape_type(b));
    assert_memory_equal(&left, &right, sizeof left);
}

/* The same laws with values, where LONG with DOUBLE and everything with DECIMAL depends on what was met. */
static void shapes_join_in_any_order(void **state)
{
    weir_shape shapes[40];
    size_t count = many_shapes(shapes);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            weir_shape ij = weir__shape_join(&shapes[i], &shapes[j]);
            weir_shape ji = weir__shape_join(&shapes[j], &shapes[i]);
            weir_shape again = weir__shape_join(&ij, &shapes[i]);

            check_same(&ij, &ji);
            check_same(&ij, &again);
            for (size_t k = 0; k < count; k++) {
                weir_shape jk = weir__shape_join(&shapes[j], &shapes[k]);
                weir_shape left = weir__shape_join(&ij, &shapes[k]);
                weir_shape right = weir__shape_join(&shapes[i], &jk);

                check_same(&left, &right);
            }
        }
    }
}

static weir_shape met(const weir_cell *cells, size_t count)
{
    weir_shape shape = { 0 };

    for (size_t i = 0; i < count; i++)
        observe(&shape, cells[i]);
    return shape;
}

#define MET(...) \
    met((const weir_cell[]){ __VA_ARGS__ }, sizeof((const weir_cell[]){ __VA_ARGS__ }) / sizeof(weir_cell))

static void check_shape(weir_shape shape, weir_type type, uint32_t precision, uint32_t scale)
{
    weir_params params = weir__shape_params(&shape);

    assert_int_equal(weir__shape_type(&shape), type);
    assert_int_equal(params.precision, precision);
    assert_int_equal(params.scale, scale);
}

/*
 * R-ENG-20: LONG with DOUBLE while magnitudes stay within 2^53; DECIMAL as wide as needed, STRING beyond 38
 * digits.
 */
static void values_decide_the_type(void **state)
{
    const int64_t exact = INT64_C(1) << 53;
    weir_shape wide = weir__shape_of(WEIR_DECIMAL, (weir_params){ .precision = 38, .scale = 30 });
    weir_shape number = weir__shape_of(WEIR_LONG, (weir_params){ 0 });

    (void)state;
    check_shape(MET(weir_long("c", -exact), weir_double("c", 0.5)), WEIR_DOUBLE, 0, 0);
    check_shape(MET(weir_long("c", exact + 1), weir_double("c", 0.5)), WEIR_STRING, 0, 0);
    check_shape(MET(weir_float("c", 1), weir_long("c", INT64_MIN)), WEIR_STRING, 0, 0);
    check_shape(MET(weir_long("c", INT64_MIN)), WEIR_LONG, 0, 0);
    check_shape(MET(weir_int("c", 7), weir_decimal("c", "1.25")), WEIR_DECIMAL, 12, 2);
    check_shape(MET(weir_double("c", 1234.5), weir_decimal("c", "0.125")), WEIR_DECIMAL, 7, 3);
    check_shape(MET(weir_double("c", 1e30), weir_decimal("c", "0.125")), WEIR_DECIMAL, 34, 3);
    check_shape(MET(weir_double("c", 1e300), weir_decimal("c", "0.125")), WEIR_STRING, 0, 0);
    check_shape(MET(weir_double("c", NAN), weir_decimal("c", "0.125")), WEIR_STRING, 0, 0);
    check_shape(MET(weir_long("c", exact + 1), weir_decimal("c", "1.5"), weir_double("c", 1)), WEIR_STRING, 0,
                0);
    check_shape(MET(weir_decimal("c", "0.00")), WEIR_DECIMAL, 2, 2);
    check_shape(MET(weir_null("c")), WEIR_UNSPECIFIED, 0, 0);
    check_shape(weir__shape_join(&wide, &number), WEIR_STRING, 0, 0);
}

/* R-ENG-23: the largest byte length seen, rounded up to a power of two. */
static void string_length_is_a_power_of_two(void **state)
{
    static const uint32_t lengths[][2] = { { 1, 1 },   { 2, 2 },   { 3, 4 },
                                           { 16, 16 }, { 17, 32 }, { 1000, 1024 } };
    char text[1000];
    weir_shape shape = weir__shape_stored(WEIR_STRING, (weir_params){ 0 });

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(weir__shape_params(&shape).string_byte_length, 0);
    shape = weir__shape_of(WEIR_STRING, (weir_params){ 0 });
    assert_int_equal(weir__shape_params(&shape).string_byte_length, 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        weir_cell cell = weir_string_n("c", text, lengths[i][0]);

        weir__shape_observe(&shape, &cell, cell.as.bytes);
        assert_int_equal(weir__shape_params(&shape).string_byte_length, lengths[i][1]);
    }
    shape = weir__shape_stored(WEIR_LONG, (weir_params){ 0 }); /* a number's text may be 20 bytes */
    observe(&shape, weir_string("c", "x"));
    assert_int_equal(weir__shape_params(&shape).string_byte_length, 32);
}

static void check_convert(weir_type from, weir_type to, const char *text, const char *want)
{
    weir_bytes given = { text, strlen(text) };
    weir_buf out;
    weir_error err;
    weir_status status;

    weir__buf_init(&out, 1000);
    status = weir__convert_text(from, to, given, &out, &err);
    assert_int_equal(status, want ? WEIR_OK : WEIR_FAILED);
    if (want != NULL) {
        assert_int_equal(out.size, strlen(want));
        assert_memory_equal(out.data, want, out.size);
    }
    weir__buf_clear(&out);
}

static void conversion_keeps_the_meaning(void **state)
{
    (void)state;
    check_convert(WEIR_SHORT, WEIR_LONG, "-5", "-5");
    check_convert(WEIR_SHORT, WEIR_STRING, "-5", "-5");
    check_convert(WEIR_LONG, WEIR_DECIMAL, "9223372036854775807", "9223372036854775807");
    check_convert(WEIR_LONG, WEIR_DOUBLE, "9007199254740992", "9007199254740992");
    check_convert(WEIR_LONG, WEIR_DOUBLE, "9007199254740993", NULL);
    check_convert(WEIR_FLOAT, WEIR_DOUBLE, "0.1", "0.10000000149011612");
    check_convert(WEIR_DOUBLE, WEIR_DECIMAL, "1.5E10", "15000000000");
    check_convert(WEIR_DOUBLE, WEIR_DECIMAL, "1E-7", "0.0000001");
    check_convert(WEIR_DOUBLE, WEIR_DECIMAL, "NaN", NULL);
    check_convert(WEIR_DOUBLE, WEIR_DECIMAL, "1E300", NULL);
    check_convert(WEIR_NAIVE_DATE, WEIR_NAIVE_DATETIME, "2007-12-03", "2007-12-03T00:00:00");
    check_convert(WEIR_UTC_DATETIME, WEIR_STRING, "2007-12-03T00:00:00Z", "2007-12-03T00:00:00Z");
    check_convert(WEIR_BINARY, WEIR_STRING, "AAA=", "AAA=");
    check_convert(WEIR_JSON, WEIR_JSON, "{}", "{}");
    check_convert(WEIR_LONG, WEIR_INT, "1", NULL);
    check_convert(WEIR_STRING, WEIR_JSON, "{}", NULL);
    check_convert(WEIR_DOUBLE, WEIR_FLOAT, "1", NULL);
}

/* Cells and texts convert alike, for every pair that is allowed. */
static void cells_convert_as_their_texts_do(void **state)
{
    const weir_cell values[] = {
        weir_boolean("c", true),
        weir_short("c", -300),
        weir_int("c", 70000),
        weir_long("c", 5000000000),
        weir_decimal("c", "12.50"),
        weir_float("c", 0.1f),
        weir_double("c", 1e20),
        weir_naive_date("c", (weir_time){ 86400, 0 }),
        weir_naive_datetime("c", (weir_time){ 86401, 5 }),
        weir_utc_datetime("c", (weir_time){ -1, 500000000 }),
        weir_binary("c", "\xFF\0", 2),
        weir_xml("c", "<a/>"),
        weir_string("c", "text"),
        weir_json("c", "[]"),
        weir__cell_time("c", WEIR_NAIVE_TIME, (weir_time){ 1, 0 }),
    };
    weir_buf room;
    weir_buf text;
    weir_error err;

    (void)state;
    weir__buf_init(&room, 4096);
    weir__buf_init(&text, 4096);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (int to = 1; to < WEIR_TYPE_COUNT; to++) {
            weir_cell cell = values[i];
            char given[128];
            size_t size = weir__text_format(&cell, given);
            bool allowed = weir__type_join(cell.type, (weir_type)to) == (weir_type)to;

            room.size = 0;
            text.size = 0;
            assert_int_equal(weir__convert_cell(&cell, (weir_type)to, &room, &err),
                             allowed ? WEIR_OK : WEIR_FAILED);
            assert_int_equal(
                weir__convert_text(values[i].type, (weir_type)to, (weir_bytes){ given, size }, &text, &err),
                allowed ? WEIR_OK : WEIR_FAILED);
            if (!allowed)
                continue;
            assert_int_equal(cell.type, to);
            assert_int_equal(weir__text_format(&cell, given), text.size);
            assert_memory_equal(given, text.data, text.size);
        }
    }
    weir__buf_clear(&room);
    weir__buf_clear(&text);
}

static const weir_table before = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true },
                 { .name = "price", .type = WEIR_DECIMAL, .params = { .precision = 5, .scale = 2 } },
                 { .name = "gone", .type = WEIR_DOUBLE },
                 { .name = "code", .type = WEIR_STRING, .key = true }),
};
static const weir_table after = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ .name = "code", .type = WEIR_STRING },
                 { .name = "price", .type = WEIR_DECIMAL, .params = { .precision = 7, .scale = 1 } },
                 { .name = "id", .type = WEIR_LONG, .key = true }, { .name = "new", .type = WEIR_JSON }),
};

static void tables_are_compared(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_difference *found;
    size_t count;

    (void)state;
    assert_int_equal(weir__table_compare(&before, &after, arena, &found, &count), WEIR_OK);
    assert_int_equal(count, 5);
    assert_int_equal(found[0].kind, WEIR_DIFFERENCE_KEY);
    assert_string_equal(found[0].after->name, "code");
    assert_int_equal(found[1].kind, WEIR_DIFFERENCE_PARAMS);
    assert_int_equal(found[1].before->params.precision, 5);
    assert_int_equal(found[2].kind, WEIR_DIFFERENCE_TYPE);
    assert_string_equal(found[2].after->name, "id");
    assert_int_equal(found[3].kind, WEIR_DIFFERENCE_ADD);
    assert_null(found[3].before);
    assert_int_equal(found[4].kind, WEIR_DIFFERENCE_DROP);
    assert_string_equal(found[4].before->name, "gone");
    assert_int_equal(weir__table_compare(&before, &before, arena, &found, &count), WEIR_OK);
    assert_int_equal(count, 0);
    weir__arena_free(arena);
}

/* R-DST-03: another order alone is no difference; a type or bounds that nobody told are none either. */
static void order_and_what_is_untold_make_no_difference(void **state)
{
    const weir_table other = {
        .name = "t",
        WEIR_COLUMNS(
            { .name = "code", .type = WEIR_STRING, .key = true, .params = { .string_byte_length = 16 } },
            { .name = "gone" }, { .name = "price", .type = WEIR_DECIMAL },
            { .name = "id", .type = WEIR_INT, .key = true }),
    };
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_difference *found;
    size_t count;

    (void)state;
    assert_int_equal(weir__table_compare(&before, &other, arena, &found, &count), WEIR_OK);
    assert_int_equal(count, 0);
    weir__arena_free(arena);
}

static void columns_are_found_by_their_whole_name(void **state)
{
    (void)state;
    assert_int_equal(weir__table_find(&after, weir__text("new")), 3);
    assert_int_equal(weir__table_find(&after, weir__text("ne")), SIZE_MAX);
    assert_int_equal(weir__table_find(&after, weir__text("newer")), SIZE_MAX);
    assert_int_equal(weir__table_key_count(&before), 2);
}

static void impossible_tables_are_refused(void **state)
{
    const weir_table tables[] = {
        { .name = "", WEIR_COLUMNS({ .name = "a", .type = WEIR_INT }) },
        { .name = "t" },
        { .name = "t", WEIR_COLUMNS({ .name = "a", .type = WEIR_INT }, { .name = "a", .type = WEIR_INT }) },
        { .name = "t", WEIR_COLUMNS({ .name = "", .type = WEIR_INT }) },
        { .name = "t", WEIR_COLUMNS({ .name = "\xFF", .type = WEIR_INT }) },
        { .name = "t", WEIR_COLUMNS({ .name = "a", .type = (weir_type)16 }) },
        { .name = "t", WEIR_COLUMNS({ .name = "a", .type = WEIR_DECIMAL, .params = { .precision = 39 } }) },
        { .name = "t",
          WEIR_COLUMNS({ .name = "a", .type = WEIR_DECIMAL, .params = { .precision = 3, .scale = 4 } }) },
    };
    weir_error err;

    (void)state;
    assert_int_equal(weir__table_check(&before, &err), WEIR_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        assert_int_equal(weir__table_check(&tables[i], &err), WEIR_FAILED);
}

static bool same_key(weir_cell a, weir_cell b)
{
    weir_buf left;
    weir_buf right;
    bool same;

    weir__buf_init(&left, 1000);
    weir__buf_init(&right, 1000);
    assert_int_equal(weir__key_put(&left, &a, NULL), WEIR_OK);
    assert_int_equal(weir__key_put(&right, &b, NULL), WEIR_OK);
    same = left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
    weir__buf_clear(&left);
    weir__buf_clear(&right);
    return same;
}

/* R-DST-07: keys are compared by value, not by text. */
static void keys_are_equal_by_value(void **state)
{
    (void)state;
    assert_true(same_key(weir_decimal("c", "1.0"), weir_decimal("c", "1.00")));
    assert_true(same_key(weir_decimal("c", "1E2"), weir_decimal("c", "100")));
    assert_true(same_key(weir_decimal("c", "-0.0"), weir_decimal("c", "0")));
    assert_false(same_key(weir_decimal("c", "1.0"), weir_decimal("c", "10")));
    assert_true(same_key(weir_short("c", 5), weir_long("c", 5)));
    assert_true(same_key(weir_double("c", -0.0), weir_double("c", 0.0)));
    assert_true(same_key(weir_double("c", NAN), weir_double("c", -NAN)));
    assert_true(same_key(weir_null("c"), weir__cell("c", WEIR_STRING, WEIR_NULL)));
    assert_false(same_key(weir_string("c", ""), weir_null("c")));
    assert_false(same_key(weir_string("c", "1"), weir_long("c", 1)));
    assert_false(same_key(weir_string("c", "{}"), weir_json("c", "{}")));
    assert_false(
        same_key(weir_naive_datetime("c", (weir_time){ 1, 0 }), weir_utc_datetime("c", (weir_time){ 1, 0 })));
}

static weir_status id_scenario(void *context)
{
    static const uint32_t order[] = { 5, 7, 1, 0, 3, 2, 4, 6 };
    const weir_cell cells[] = {
        weir_string("b", "x,\xC3\xA9"),
        weir_int("a", -5),
        weir_decimal("d", "1.50"),
        weir_utc_datetime("c", (weir_time){ -1, 5 }),
        weir_double("f", -0.0),
        weir_boolean("B", true),
        weir_null("g"),
        weir_string("_fivetran_synced", "never hashed"),
    };
    weir_row_cells row = { cells, order, sizeof cells / sizeof cells[0] };
    weir_row_hasher *hasher = weir__row_hasher_new();
    weir_status status = hasher ? weir__row_id(hasher, &row, context, NULL) : WEIR_FAILED;

    weir__row_hasher_free(hasher);
    return status;
}

/* R-ENG-06: the value was computed with Python's hashlib and struct from the layout in data/key.h. */
static void row_id_is_the_documented_hash(void **state)
{
    char id[WEIR_ROW_ID_SIZE];

    (void)state;
    assert_int_equal(id_scenario(id), WEIR_OK);
    assert_memory_equal(id, "IBOkxunZRJI-zbhKM60LaTKJoJo", WEIR_ROW_ID_SIZE);
    WEIR_EVERY_FAILURE(id_scenario, id);
}

static void row_order_is_by_name(void **state)
{
    uint32_t order[4];

    (void)state;
    weir__row_order(before.columns, 4, order); /* id, price, gone, code */
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 0);
    assert_int_equal(order[3], 1);
    assert_true(weir__name_is_system("_fivetran_id")); /* R-DST-09 */
    assert_false(weir__name_is_system("fivetran_id"));
    assert_int_equal(weir__type_from_name(weir__text("UTC_DATETIME")), WEIR_UTC_DATETIME);
    assert_int_equal(weir__type_from_name(weir__text("UTC")), WEIR_UNSPECIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_types_joins_as_the_rule_says),
        cmocka_unit_test(join_is_a_semilattice),
        cmocka_unit_test(shapes_join_in_any_order),
        cmocka_unit_test(values_decide_the_type),
        cmocka_unit_test(string_length_is_a_power_of_two),
        cmocka_unit_test(conversion_keeps_the_meaning),
        cmocka_unit_test(cells_convert_as_their_texts_do),
        cmocka_unit_test(tables_are_compared),
        cmocka_unit_test(order_and_what_is_untold_make_no_difference),
        cmocka_unit_test(columns_are_found_by_their_whole_name),
        cmocka_unit_test(impossible_tables_are_refused),
        cmocka_unit_test(keys_are_equal_by_value),
        cmocka_unit_test(row_id_is_the_documented_hash),
        cmocka_unit_test(row_order_is_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
