/* tester/input: the grammar of input files, and errors that name file, line, column and key. */
#include "support.h"

#include <stdio.h>

#include "base/map.h"
#include "tester/input.h"

typedef struct told {
    char text[4096];
    int count;
} told;

static void tell(void *context, const char *text)
{
    told *t = context;
    size_t used = strlen(t->text);

    snprintf(t->text + used, sizeof t->text - used, "%s\n", text);
    t->count++;
}

static weir_status parse(const char *text, bool lenient, told *t, weir_arena *arena, input_file *out,
                         weir_error *err)
{
    input_text in = { .name = "in.json", .text = weir__text(text) };
    input_rules rules = { .lenient = lenient, .tell = tell, .context = t };

    return input_parse(&in, &rules, arena, out, err);
}

static void expect_parts(const char *text, const char *const parts[3])
{
    for (size_t i = 0; i < 3; i++)
        if (parts[i] != NULL && strstr(text, parts[i]) == NULL)
            fail_msg("'%s' is not in '%s'", parts[i], text);
}

/* What every profile refuses. */
static const struct {
    const char *text;
    const char *part[3];
} faults[] = {
    { "", { "'in.json', line 1, column 1", "empty", NULL } },
    { "[]", { "line 1, column 1", "expected an object", "found an array" } },
    { "{\"ops\": [}", { "line 1, column 10, at ops[0]", "expected a value", NULL } },
    { "{\n  \"ops\": [\n    {\"upsert\": {\"t\": [{\"id\": tru}]}}\n  ]\n}",
      { "line 3, column 30, at ops[0].upsert.t[0].id", "true, false or null", NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"id\": 01}]}}]}",
      { "at ops[0].upsert.t[0].id", "no JSON number", NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"id\": 1.}]}}]}",
      { "digits are missing after the point", NULL, NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"a\": \"x\\q\"}]}}]}", { "escape", "t[0].a", NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"a\": \"\\ud800\"}]}}]}", { "surrogate", "t[0].a", NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"a\": \"x\ny\"}]}}]}", { "control character", NULL, NULL } },
    { "{\"ops\": [{\"upsert\": {\"t\": [{\"a\": \"x}]}}]}", { "does not end", NULL, NULL } },
    { "{\"ops\": [],}", { "line 1, column 12", "a comma before the closing brace", NULL } },
    { "{\"ops\": [] \"x\": 1}", { "expected a comma or a closing brace", NULL, NULL } },
    { "{'ops': []}", { "expected a key in double quotes", NULL, NULL } },
    { "{\"ops\" []}", { "expected a colon", NULL, NULL } },
    { "{\"\xFF\": 1}", { "line 1, column 3", "not UTF-8", NULL } },
    { "{\"create_table\": {\"t\": {}}}", { "at create_table.t", "\"columns\" is missing", NULL } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"INTEGER\"}}}}",
      { "at create_table.t.columns.a", "'INTEGER' is no type", "UTC_DATETIME" } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": 4}}}}",
      { "columns.a", "expected a type", "a number" } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": {\"type\": \"DECIMAL\", \"precision\": 39}}}}}",
      { "columns.a.precision", "from 1 to 38", NULL } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": {\"type\": \"DECIMAL\", \"precision\": 3, "
      "\"scale\": 4}}}}}",
      { "columns.a", "(3,4)", NULL } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": {\"precision\": 3}}}}}",
      { "\"type\" is missing", NULL, NULL } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"INT\"}, \"primary_key\": \"a\"}}}",
      { "t.primary_key", "an array of column names", "a string" } },
    { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"INT\"}, \"history_mode\": 1}}}",
      { "t.history_mode", "true or false", NULL } },
    { "{\"create_table\": {\"\": {\"columns\": {}}}}", { "a name has 1 to 1024 bytes", NULL, NULL } },
    { "{\"ops\": [{\"upsert\": [1]}]}", { "at ops[0].upsert", "found an array", NULL } },
    { "{\"ops\": [{\"delete\": {\"t\": {\"id\": 1}}}]}", { "ops[0].delete.t", "an array of rows", NULL } },
    { "{\"ops\": [{\"delete\": {\"t\": [1]}}]}", { "ops[0].delete.t[0]", "a row", "a number" } },
    { "{\"ops\": [{\"truncate_before\": \"t\"}]}", { "ops[0].truncate_before", "table names", NULL } },
    { "{\"ops\": [{\"truncate_before\": [7]}]}", { "ops[0].truncate_before[0]", "expected a name", NULL } },
    { "{\"schema_migration\": [{\"copy_column\": [{\"table\": \"t\", \"from_column\": \"a\"}]}]}",
      { "at schema_migration[0].copy_column[0]", "missing here: to_column", NULL } },
    { "{\"schema_migration\": [{\"drop_column_in_history_mode\": [{\"table\": \"t\", \"column\": \"a\", "
      "\"operation_timestamp\": \"yesterday\"}]}]}",
      { "operation_timestamp", "expected a time like", NULL } },
    { "{\"schema_migration\": [{\"update_column_value\": [{\"table\": \"t\", \"column\": \"a\", "
      "\"value\": []}]}]}",
      { "value", "found an array", NULL } },
    { "{\"describe_table\": {}}", { "at describe_table", "an array of table names", NULL } },
    { "{\"create_table\": {\"a.b\": 1}}", { "at create_table[\"a.b\"]", NULL, NULL } },
};

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (int lenient = 0; lenient < 2; lenient++) {
            weir_arena *arena = weir__arena_new(1 << 20);
            told t = { .text = "" };
            input_file file;
            weir_error err = { .text = "" };

            assert_int_equal(parse(faults[i].text, lenient, &t, arena, &file, &err), WEIR_FAILED);
            expect_parts(err.text, faults[i].part);
            weir__arena_free(arena);
        }
}

/* What production refuses and official tells. */
static void official_tells_what_production_refuses(void **state)
{
    static const struct {
        const char *text;
        const char *part[3];
    } cases[] = {
        { "{\"opps\": []}", { "line 1, column 2, at opps", "not known", "describe_table" } },
        { "{\"ops\": [{\"insert\": {}}]}", { "ops[0].insert", "not known", "soft_delete" } },
        { "{\"ops\": [], \"ops\": []}", { "line 1, column 13", "twice", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {}, \"key\": []}}}",
          { "t.key", "not known", "primary_key" } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"_fivetran_id\": \"STRING\"}}}}",
          { "_fivetran_id", "system columns", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"UNSPECIFIED\"}}}}",
          { "UNSPECIFIED", "STRING", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"INT\"}, \"primary_key\": [\"b\"]}}}",
          { "t.primary_key[0]", "no column 'b'", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"a\": \"INT\"}, \"primary_key\": [\"a\", \"a\"]}}}",
          { "t.primary_key[1]", "twice", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"a\": {\"type\": \"INT\", \"scale\": 2}}}}}",
          { "a.scale", "no bounds", NULL } },
        { "{\"schema_migration\": [{\"drop_table\": [{\"table\": \"t\", \"column\": \"a\"}]}]}",
          { "drop_table[0].column", "expected table", NULL } },
        { "{} x", { "line 1, column 4", "text after the closing brace", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_arena *arena = weir__arena_new(1 << 20);
        told t = { .text = "" };
        input_file file;
        weir_error err = { .text = "" };

        assert_int_equal(parse(cases[i].text, false, &t, arena, &file, &err), WEIR_FAILED);
        expect_parts(err.text, cases[i].part);
        assert_int_equal(t.count, 0);
        assert_int_equal(parse(cases[i].text, true, &t, arena, &file, &err), WEIR_OK);
        expect_parts(t.text, cases[i].part);
        assert_int_equal(t.count, 1);
        weir__arena_free(arena);
    }
}

static const char whole[] =
    "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\", \"d\": {\"type\": \"DECIMAL\", "
    "\"precision\": 6, "
    "\"scale\": 3}, \"s\": {\"type\": \"STRING\", \"string_byte_length\": 64}}, \"primary_key\": [\"id\"], "
    "\"history_mode\": true}},\n"
    " \"alter_table\": {\"u\": {\"columns\": {\"x\": \"DECIMAL\"}, \"primary_key\": []}},\n"
    " \"ops\": [{\"upsert\": {\"t\": [{\"id\": 1}, {\"id\": 2}], \"u\": []}}, {\"truncate_before\": [\"t\", "
    "\"u\"]}, "
    "{\"soft_truncate_before\": [\"u\"], \"soft_delete\": {\"t\": [{\"id\": 1}]}}, {\"truncate\": "
    "[\"u\"]}],\n"
    " \"schema_migration\": [{\"add_column\": [{\"table\": \"t\", \"column\": \"c\", \"data_type\": "
    "{\"type\": \"DECIMAL\", \"precision\": 9}}],\n"
    "   \"set_column_to_null\": [{\"table\": \"t\", \"column\": \"s\"}],\n"
    "   \"update_column_value\": [{\"table\": \"t\", \"column\": \"d\", \"value\": 1.50}],\n"
    "   \"copy_table\": [{\"from_table\": \"t\", \"to_table\": \"v\"}],\n"
    "   \"migrate_history_to_live\": [{\"table\": \"t\", \"keep_inactive_rows\": true}]}],\n"
    " \"describe_table\": [\"t\", \"u\"]}\n"
    "// FAIL: a comment\n/* and\nanother */ # and one more";

static void a_whole_file_is_read(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    told t = { .text = "" };
    input_file file;
    weir_error err = { .text = "" };

    (void)state;
    assert_int_equal(parse(whole, false, &t, arena, &file, &err), WEIR_OK);
    assert_int_equal(file.created_count, 1);
    assert_true(file.created[0].history);
    assert_string_equal(file.created[0].table.name, "t");
    assert_true(file.created[0].table.columns[0].key);
    assert_int_equal(file.created[0].table.columns[1].params.precision, 6);
    assert_int_equal(file.created[0].table.columns[1].params.scale, 3);
    assert_int_equal(file.created[0].table.columns[2].params.string_byte_length, 64);
    assert_int_equal(file.altered_count, 1);
    assert_int_equal(file.altered[0].table.columns[0].params.precision, 0);
    assert_int_equal(file.step_count, 7);
    assert_int_equal(file.steps[0].operation, file.steps[1].operation); /* one upsert, two tables */
    assert_int_equal(file.steps[0].rows->count, 2);
    assert_int_equal(file.steps[2].op, INPUT_TRUNCATE);
    assert_int_equal(file.steps[2].operation, file.steps[3].operation);
    assert_int_equal(file.steps[4].op, INPUT_SOFT_TRUNCATE);
    assert_int_equal(file.steps[5].op, INPUT_SOFT_DELETE);
    assert_int_not_equal(file.steps[4].operation, file.steps[5].operation);
    assert_int_equal(file.steps[6].op, INPUT_TRUNCATE); /* the older name */
    assert_int_equal(file.migration_count, 5);
    assert_int_equal(file.migrations[0].kind, INPUT_ADD_COLUMN);
    assert_int_equal(file.migrations[0].what.as.column.type, WEIR_DECIMAL);
    assert_int_equal(file.migrations[0].params.precision, 9);
    assert_null(file.migrations[1].what.as.column.value.data);                 /* R-MIG-03 */
    assert_string_equal(file.migrations[2].what.as.column.value.data, "1.50"); /* as it is written */
    assert_int_equal(file.migrations[3].what.kind, WEIR_MIGRATE_COPY_TABLE);
    assert_int_equal(file.migrations[4].kind, INPUT_LIVE);
    assert_int_equal(file.described_count, 2);
    weir__arena_free(arena);
}

static void rows_are_read_when_needed(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF{\"ops\": [{\"upsert\": {\"t\": [{\"a\\u00e9\": \"\\ud83d\\ude00\\n\", "
        "\"n\": -1.50e+3, \"o\": {\"x\": [1]}}]}}]}";
    input_text in = { .name = "in.json", .text = weir__text(text) };
    weir_arena *arena = weir__arena_new(1 << 20);
    const input_value *row;
    const input_value *member;
    char path[128];
    told t = { .text = "" };
    input_file file;
    weir_error err = { .text = "" };

    (void)state;
    assert_int_equal(parse(text, false, &t, arena, &file, &err), WEIR_OK);
    assert_int_equal(file.steps[0].rows->first->kind, INPUT_RAW);
    assert_int_equal(input_json_row(&in, file.steps[0].rows->first, arena, &row, &err), WEIR_OK);
    assert_int_equal(row->count, 3);
    member = row->first;
    assert_true(weir__bytes_equal(member->key, weir__text("a\xC3\xA9")));
    assert_true(weir__bytes_equal(member->text, weir__text("\xF0\x9F\x98\x80\n")));
    member = member->next;
    assert_true(weir__bytes_equal(member->text, weir__text("-1.50e+3")));
    input_path(member, path, sizeof path);
    assert_string_equal(path, "ops[0].upsert.t[0].n");
    assert_true(weir__bytes_equal(member->next->text, weir__text("{\"x\": [1]}")));
    weir__arena_free(arena);
}

static void nesting_has_an_end(void **state)
{
    char text[400] = "{\"ops\": ";
    weir_arena *arena = weir__arena_new(1 << 20);
    told t = { .text = "" };
    input_file file;
    weir_error err = { .text = "" };

    (void)state;
    memset(text + strlen(text), '[', 200);
    assert_int_equal(parse(text, false, &t, arena, &file, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "nested too deep"));
    weir__arena_free(arena);
}

static weir_status parse_whole(void *context)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    told t = { .text = "" };
    input_file file = { .created_count = 77 };
    weir_status status = arena == NULL ? WEIR_FAILED : parse(whole, false, &t, arena, &file, NULL);

    (void)context;
    if (status != WEIR_OK)
        assert_int_equal(file.created_count, 77); /* untouched on failure */
    weir__arena_free(arena);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(parse_whole, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(official_tells_what_production_refuses),
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(rows_are_read_when_needed),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
