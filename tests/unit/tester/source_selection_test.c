/* Unit tests of tester/source_selection: what the wire says and what the linter is told agree (R-SRC-05). */
#include "support.h"

#include "base/limits.h"
#include "tester/source_selection.h"

#define BYTES(literal)              \
    {                               \
        literal, sizeof literal - 1 \
    }

static const v2_column columns[] = { { .name = BYTES("id"), .primary_key = true },
                                     { .name = BYTES("a") },
                                     { .name = BYTES("b") } };
static const v2_table tables[] = { { .name = BYTES("t"), .columns = columns, .columns_count = 3 },
                                   { .name = BYTES("u"), .columns = columns, .columns_count = 1 } };
static const v2_schema schemas[] = { { .name = BYTES("empty") },
                                     { .name = BYTES("s"), .tables = tables, .tables_count = 2 } };
static const v2_schema_list list = { .schemas = schemas, .schemas_count = 2 };
static const v2_table_list plain = { .tables = tables, .tables_count = 2 };
static const v2_schema_response with_schema = { .which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA,
                                                .response.with_schema = &list };
static const v2_schema_response without_schema = { .which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA,
                                                   .response.without_schema = &plain };

static source_selection make(const v2_schema_response *schema, source_selection_kind kind, weir_arena *arena)
{
    source_selection s;
    weir_error err;

    assert_int_equal(source_selection_init(&s, schema, kind, arena, &err), WEIR_OK);
    return s;
}

static void selects_everything(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s = make(&with_schema, SOURCE_SELECT_ALL, arena);
    const v2_tables_with_schema *wire = s.wire.selection.with_schema;

    (void)state;
    assert_true(s.has_wire && !s.leaves_out && !s.nothing_new);
    assert_int_equal(s.wire.which_selection, V2_SELECTION_WITH_SCHEMA);
    assert_true(wire->include_new_schemas && wire->schemas[1].include_new_tables);
    assert_int_equal(wire->schemas[1].tables_count, 2);
    assert_int_equal(wire->schemas[1].tables[0].columns_count, 3);
    assert_true(wire->schemas[1].tables[0].columns[2].value);
    assert_int_equal(source_selection_choice(&s, "s", "t", "b"), LINT_CHOSEN);
    assert_int_equal(source_selection_choice(&s, "s", "new", NULL), LINT_CHOSEN);
    source_selection_clear(&s);
    weir__arena_free(arena);
}

static void leaves_out_the_first_table(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s = make(&with_schema, SOURCE_SELECT_WITHOUT_TABLE, arena);

    (void)state;
    assert_true(s.leaves_out);
    assert_false(s.wire.selection.with_schema->schemas[1].tables[0].included);
    assert_true(s.wire.selection.with_schema->schemas[1].tables[1].included);
    assert_int_equal(source_selection_choice(&s, "s", "t", NULL), LINT_LEFT_OUT);
    assert_int_equal(source_selection_choice(&s, "s", "u", NULL), LINT_CHOSEN);
    source_selection_clear(&s);
    weir__arena_free(arena);
}

static void leaves_out_columns_but_no_key(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s = make(&without_schema, SOURCE_SELECT_WITHOUT_COLUMN, arena);
    const v2_tables_with_no_schema *wire = s.wire.selection.without_schema;

    (void)state;
    assert_int_equal(s.wire.which_selection, V2_SELECTION_WITHOUT_SCHEMA);
    assert_true(wire->tables[0].columns[0].value && wire->tables[0].columns[1].value);
    assert_false(wire->tables[0].columns[2].value);
    assert_true(wire->tables[1].columns[0].value);
    assert_int_equal(source_selection_choice(&s, "", "t", "b"), LINT_LEFT_OUT);
    assert_int_equal(source_selection_choice(&s, "", "t", "id"), LINT_CHOSEN);
    source_selection_clear(&s);
    weir__arena_free(arena);
}

static void leaves_out_what_is_new(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s = make(&without_schema, SOURCE_SELECT_NOTHING_NEW, arena);

    (void)state;
    assert_false(s.wire.selection.without_schema->include_new_tables);
    assert_false(s.wire.selection.without_schema->tables[0].include_new_columns);
    assert_int_equal(source_selection_choice(&s, "", "t", "b"), LINT_CHOSEN);
    assert_int_equal(source_selection_choice(&s, "", "t", "c"), LINT_LEFT_OUT);
    assert_int_equal(source_selection_choice(&s, "", "new", NULL), LINT_LEFT_OUT);
    source_selection_clear(&s);
    weir__arena_free(arena);
}

static void selects_nothing_where_nothing_is_declared(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s = make(NULL, SOURCE_SELECT_ALL, arena);

    (void)state;
    assert_false(s.has_wire);
    source_selection_clear(&s);
    weir__arena_free(arena);
}

static weir_status whole_selection(void *context)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    source_selection s;
    weir_error err;
    weir_status status = WEIR_FAILED;

    (void)context;
    if (arena != NULL)
        status = source_selection_init(&s, &with_schema, SOURCE_SELECT_ALL, arena, &err);
    if (status == WEIR_OK)
        source_selection_clear(&s);
    weir__arena_free(arena);
    return status;
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(whole_selection, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selects_everything),
        cmocka_unit_test(leaves_out_the_first_table),
        cmocka_unit_test(leaves_out_columns_but_no_key),
        cmocka_unit_test(leaves_out_what_is_new),
        cmocka_unit_test(selects_nothing_where_nothing_is_declared),
        cmocka_unit_test(survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
