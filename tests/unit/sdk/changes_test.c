/* sdk: what alter() has to do (R-DST-03), and tables on their way from and to the wire. */
#include "support.h"

#include <stdio.h>

#include "sdk/changes.h"
#include "sdk/tables.h"

static weir_table table(const weir_column *columns, size_t count)
{
    return (weir_table){ .name = "t", .columns = columns, .column_count = count };
}

/* The changes as text: "+name" added, "~name" type, "-name" dropped, "=name" kept, "key". */
static const char *changes(const weir_table *stored, const weir_table *wanted, bool drop)
{
    static char text[512];
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_changes found;
    size_t at = 0;

    assert_true(weir__changes_find(stored, wanted, drop, arena, &found));
    assert_ptr_equal(found.stored, stored);
    text[0] = '\0';
    for (size_t i = 0; i < found.count; i++) {
        const weir_change *change = &found.items[i];
        const weir_column *column = change->column ? change->column : change->old;

        assert_true((change->column == NULL) == (change->kind >= WEIR_DROP_COLUMN));
        assert_true((change->old == NULL) ==
                    (change->kind == WEIR_ADD_COLUMN || change->kind == WEIR_CHANGE_KEY));
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%c%s", i > 0 ? " " : "",
                               ".+~-=k"[change->kind], column ? column->name : "ey");
    }
    weir__arena_free(arena);
    return text;
}

static void changes_are_what_differs(void **state)
{
    const weir_column stored[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "a", .type = WEIR_INT },
        { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } },
        { .name = "s", .type = WEIR_STRING, .params = { .string_byte_length = 16 } }
    };
    const weir_column reordered[] = { stored[3], stored[2], stored[1], stored[0] };
    const weir_column unsaid[] = {
        stored[0], stored[1], { .name = "d", .type = WEIR_DECIMAL }, { .name = "s", .type = WEIR_STRING }
    };
    const weir_column changed[] = {
        stored[0],
        { .name = "a", .type = WEIR_LONG },
        { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 3 } },
        { .name = "s", .type = WEIR_STRING, .params = { .string_byte_length = 32 } },
        { .name = "new", .type = WEIR_JSON }
    };
    const weir_column rekeyed[] = { { .name = "id", .type = WEIR_LONG },
                                    { .name = "k", .type = WEIR_INT, .key = true } };
    const weir_table before = table(stored, 4);
    const weir_table same = table(reordered, 4);
    const weir_table quiet = table(unsaid, 4);
    const weir_table after = table(changed, 5);
    const weir_table other = table(rekeyed, 2);
    const weir_table fewer = table(stored + 1, 3);

    (void)state;
    assert_string_equal(changes(&before, &before, false), "");
    assert_string_equal(changes(&before, &same, true), "");
    assert_string_equal(changes(&before, &quiet, true), "");
    assert_string_equal(changes(&before, &after, true), "~a ~d ~s +new");
    assert_string_equal(changes(&after, &before, true), "~a ~d ~s -new");
    assert_string_equal(changes(&after, &before, false), "~a ~d ~s =new");
    assert_string_equal(changes(&before, &other, false), "+k =a =d =s key");
    assert_string_equal(changes(&before, &fewer, false), "=id key");
}

static weir_status compare(void *context)
{
    const weir_column columns[] = { { .name = "a", .type = WEIR_INT }, { .name = "b", .type = WEIR_INT } };
    const weir_table one = table(columns, 1);
    const weir_table two = table(columns, 2);
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_changes found;
    bool done = arena != NULL && weir__changes_find(&one, &two, false, arena, &found);

    (void)context;
    weir__arena_free(arena);
    return done ? WEIR_OK : WEIR_FAILED;
}

#define TEXT(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

static void tables_survive_the_wire_and_back(void **state)
{
    const weir_column columns[] = {
        { .name = "id", .type = WEIR_LONG, .key = true },
        { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 37 } },
        { .name = "s", .type = WEIR_STRING, .params = { .string_byte_length = 64 } },
        { .name = "w", .type = WEIR_STRING, .params = { .precision = 3 } }
    };
    const weir_table sent = table(columns, 4);
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_table got;
    v2_table wire;
    weir_error err;

    (void)state;
    assert_true(weir__table_to_wire(&sent, arena, &wire));
    assert_null(wire.columns[0].params);
    assert_null(wire.columns[3].params);
    assert_int_equal(weir__table_from_wire((weir_bytes)TEXT("sch"), &wire, arena, &got, &err), WEIR_OK);
    assert_string_equal(got.schema, "sch");
    assert_string_equal(got.name, "t");
    assert_int_equal(got.column_count, 4);
    assert_true(got.columns[0].key && got.columns[0].type == WEIR_LONG);
    assert_int_equal(got.columns[1].params.precision, 38);
    assert_int_equal(got.columns[1].params.scale, 37);
    assert_int_equal(got.columns[2].params.string_byte_length, 64);
    weir__arena_free(arena);
}

static void a_table_of_a_request_is_checked(void **state)
{
    const v2_column fine = { .name = TEXT("a"), .type = V2_DATA_TYPE_INT };
    const v2_column unknown = { .name = TEXT("a"), .type = 99 };
    const v2_column nul = { .name = TEXT("a\0b"), .type = V2_DATA_TYPE_INT };
    const v2_column nameless = { .type = V2_DATA_TYPE_INT };
    const v2_column twice[] = { fine, fine };
    const struct {
        v2_table table;
        const char *text;
    } cases[] = {
        { { .name = TEXT("t"), .columns = &unknown, .columns_count = 1 }, "'a' has the unknown type 99" },
        { { .name = TEXT("t"), .columns = &nul, .columns_count = 1 }, "NUL" },
        { { .name = TEXT("t"), .columns = &nameless, .columns_count = 1 }, "names no column" },
        { { .name = TEXT("t"), .columns = twice, .columns_count = 2 }, "'a'" },
        { { .name = TEXT(""), .columns = &fine, .columns_count = 1 }, "names no table" },
        { { .name = TEXT("t"), .columns = &fine, .columns_count = 1000000000 }, "1000000000 columns" },
    };
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_table got = { .name = "untouched" };
    weir_error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(weir__table_from_wire((weir_bytes){ 0 }, &cases[i].table, arena, &got, &err),
                         WEIR_FAILED);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_string_equal(got.name, "untouched");
    }
    assert_int_equal(weir__table_from_wire((weir_bytes){ 0 }, NULL, arena, &got, &err), WEIR_FAILED);
    weir__arena_free(arena);
}

/* Callers that add up the digits of DECIMAL(38, 10) and (38, 15) ask for (43, 15). */
static void a_decimal_has_38_digits_at_most(void **state)
{
    static const struct {
        uint32_t precision, scale, precision_kept, scale_kept;
    } cases[] = { { 38, 37, 38, 37 }, { 43, 15, 38, 15 }, { 60, 50, 38, 38 }, { 39, 0, 38, 0 } };
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const v2_decimal_params digits = { .precision = cases[i].precision, .scale = cases[i].scale };
        const v2_data_type_params params = { .which_params = V2_DATA_TYPE_PARAMS_DECIMAL,
                                             .params.decimal = &digits };
        const v2_column column = { .name = TEXT("a"), .type = V2_DATA_TYPE_DECIMAL, .params = &params };
        const v2_table wire = { .name = TEXT("t"), .columns = &column, .columns_count = 1 };
        weir_table got;

        assert_int_equal(weir__table_from_wire((weir_bytes){ 0 }, &wire, arena, &got, &err), WEIR_OK);
        assert_int_equal(got.columns[0].params.precision, cases[i].precision_kept);
        assert_int_equal(got.columns[0].params.scale, cases[i].scale_kept);
    }
    weir__arena_free(arena);
}

static void schemas_are_grouped_in_order_of_appearance(void **state)
{
    const weir_column column = { .name = "a", .type = WEIR_INT };
    const weir_table tables[] = { { "s1", "x", &column, 1 },
                                  { "s2", "x", &column, 1 },
                                  { "s1", "y", &column, 1 } };
    const weir_table *list[] = { &tables[0], &tables[1], &tables[2], &tables[0] };
    const weir_table plain = { NULL, "x", &column, 1 };
    const weir_table *mixed[] = { &tables[0], &plain };
    weir_arena *arena = weir__arena_new(1 << 16);
    v2_schema_response reply = { 0 };
    weir_error err;

    (void)state;
    assert_int_equal(weir__schema_to_wire(list, 3, arena, &reply, &err), WEIR_OK);
    assert_int_equal(reply.which_response, V2_SCHEMA_RESPONSE_WITH_SCHEMA);
    assert_int_equal(reply.response.with_schema->schemas_count, 2);
    assert_int_equal(reply.response.with_schema->schemas[0].tables_count, 2);
    assert_memory_equal(reply.response.with_schema->schemas[0].tables[1].name.data, "y", 1);
    assert_int_equal(weir__schema_to_wire(list, 4, arena, &reply, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'s1.x' is listed twice"));
    assert_int_equal(weir__schema_to_wire(mixed, 2, arena, &reply, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "all tables have one, or none has"));
    reply = (v2_schema_response){ 0 };
    assert_int_equal(weir__schema_to_wire(list, 0, arena, &reply, &err), WEIR_OK);
    assert_int_equal(reply.which_response, V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA);
    weir__arena_free(arena);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(compare, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_what_differs),
        cmocka_unit_test(tables_survive_the_wire_and_back),
        cmocka_unit_test(a_table_of_a_request_is_checked),
        cmocka_unit_test(a_decimal_has_38_digits_at_most),
        cmocka_unit_test(schemas_are_grouped_in_order_of_appearance),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
