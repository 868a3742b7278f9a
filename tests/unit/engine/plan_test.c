/* engine/plan: the schema configuration read, asked, listed, written; the policies of R-ENG-21. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/plan.h"
#include "sys/file.h"

static weir_bytes text(const char *from)
{
    return weir__text(from);
}

static plan *parse(const char *from)
{
    plan *p = NULL;
    weir_error err;

    if (plan_parse(text(from), "f.json", &p, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return p;
}

static void expect_text(const plan *p, const char *wanted)
{
    weir_buf out;

    weir__buf_init(&out, 1 << 20);
    assert_int_equal(plan_put(p, &out, NULL), WEIR_OK);
    assert_true(weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, wanted);
    weir__buf_clear(&out);
}

static bool schema(const plan *p, const char *s)
{
    return plan_wants_schema(p, text(s));
}

static bool table(const plan *p, const char *s, const char *t)
{
    return plan_wants_table(p, text(s), text(t));
}

static bool column(const plan *p, const char *s, const char *t, const char *c)
{
    return plan_wants_column(p, text(s), text(t), text(c));
}

static void nothing_said_means_everything(void **state)
{
    plan *p = parse("{}");

    (void)state;
    assert_true(schema(p, "a") && table(p, "a", "b") && column(p, "a", "b", "c"));
    assert_true(schema(NULL, "a") && table(NULL, "", "b") && column(NULL, "a", "b", "c"));
    assert_false(plan_hashes_column(p, text("a"), text("b"), text("c")));
    assert_int_equal(plan_table_mode(p, text("a"), text("b")), PLAN_SOFT_DELETE);
    assert_int_equal(plan_table_mode(NULL, text("a"), text("b")), PLAN_SOFT_DELETE);
    assert_int_equal(p->naming, PLAN_NAMING_UNSAID);
    plan_free(p);
}

static const char shop[] = "{\"schema_change_handling\": \"%s\", \"schemas\": {"
                           "\"public\": {\"enabled\": true, \"tables\": {"
                           "\"orders\": {\"enabled\": true, \"columns\": {\"email\": {\"hashed\": true},"
                           "\"secret\": {\"enabled\": false}}},"
                           "\"log\": {\"enabled\": false}, \"all\": {\"sync_mode\": \"HISTORY\"}}},"
                           "\"audit\": {\"enabled\": false}, \"whole\": {}}}";

/* R-ENG-21: the table of policies, row by row, and what is listed counts whatever the policy. */
static void policies_decide_on_what_is_new(void **state)
{
    static const struct {
        const char *handling;
        bool schema, table, column;
    } cases[] = {
        { "ALLOW_ALL", true, true, true },
        { "ALLOW_COLUMNS", false, false, true },
        { "BLOCK_ALL", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char from[1024];
        plan *p;

        snprintf(from, sizeof from, shop, cases[i].handling);
        p = parse(from);
        assert_int_equal(schema(p, "new"), cases[i].schema);
        assert_int_equal(table(p, "new", "t"), cases[i].schema);
        assert_int_equal(table(p, "public", "new"), cases[i].table);
        assert_int_equal(column(p, "public", "orders", "new"), cases[i].column);
        assert_true(schema(p, "public") && table(p, "public", "orders"));
        assert_true(column(p, "public", "orders", "email"));
        assert_true(plan_hashes_column(p, text("public"), text("orders"), text("email")));
        assert_false(column(p, "public", "orders", "secret"));
        assert_false(table(p, "public", "log"));
        assert_false(schema(p, "audit"));
        assert_false(table(p, "audit", "t"));
        /* What is on and has no list is taken whole. */
        assert_true(column(p, "public", "all", "anything"));
        assert_true(table(p, "whole", "anything") && column(p, "whole", "anything", "c"));
        assert_int_equal(plan_table_mode(p, text("public"), text("all")), PLAN_HISTORY);
        plan_free(p);
    }
}

/* R-ENG-21: new objects are listed, blocked ones as off; nothing is listed below what is off. */
static void new_objects_are_listed_as_the_policy_says(void **state)
{
    plan *p = parse("{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"public\": {\"tables\": "
                    "{\"orders\": {\"columns\": {\"id\": {}}}, \"whole\": {}}}}}");

    (void)state;
    assert_int_equal(plan_note(p, text("public"), text("orders"), text("id"), NULL), WEIR_OK);
    assert_false(p->changed);
    assert_int_equal(plan_note(p, text("public"), text("orders"), text("email"), NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text("public"), text("whole"), text("a"), NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text("public"), text("whole"), text("b"), NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text("public"), text("new"), text("a"), NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text("audit"), text("t"), text("a"), NULL), WEIR_OK);
    assert_true(p->changed);
    expect_text(p, "{\n"
                   "  \"schema_change_handling\": \"BLOCK_ALL\",\n"
                   "  \"schemas\": {\n"
                   "    \"public\": {\n"
                   "      \"enabled\": true,\n"
                   "      \"tables\": {\n"
                   "        \"orders\": {\n"
                   "          \"enabled\": true,\n"
                   "          \"columns\": {\n"
                   "            \"id\": { \"enabled\": true },\n"
                   "            \"email\": { \"enabled\": false }\n"
                   "          }\n"
                   "        },\n"
                   "        \"whole\": {\n"
                   "          \"enabled\": true,\n"
                   "          \"columns\": {\n"
                   "            \"a\": { \"enabled\": true },\n"
                   "            \"b\": { \"enabled\": true }\n"
                   "          }\n"
                   "        },\n"
                   "        \"new\": {\n"
                   "          \"enabled\": false\n"
                   "        }\n"
                   "      }\n"
                   "    },\n"
                   "    \"audit\": {\n"
                   "      \"enabled\": false\n"
                   "    }\n"
                   "  }\n"
                   "}\n");
    plan_free(p);
}

static void a_source_without_schemas_has_tables_at_the_top(void **state)
{
    plan *p = parse("{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"tables\": {\"a\": {}}}");

    (void)state;
    assert_true(schema(p, "") && table(p, "", "a"));
    assert_false(table(p, "", "b"));
    assert_int_equal(plan_note(p, text(""), text("b"), text("c"), NULL), WEIR_OK);
    expect_text(p, "{\n"
                   "  \"schema_change_handling\": \"ALLOW_COLUMNS\",\n"
                   "  \"tables\": {\n"
                   "    \"a\": {\n"
                   "      \"enabled\": true\n"
                   "    },\n"
                   "    \"b\": {\n"
                   "      \"enabled\": false\n"
                   "    }\n"
                   "  }\n"
                   "}\n");
    plan_free(p);
}

static void names_of_all_kinds_survive(void **state)
{
    static const char from[] = "{\n"
                               "  \"schema_change_handling\": \"ALLOW_ALL\",\n"
                               "  \"naming\": \"SOURCE_NAMING\",\n"
                               "  \"schemas\": {\n"
                               "    \"a \\\"b\\\" \\\\ c\": {\n"
                               "      \"enabled\": true,\n"
                               "      \"tables\": {\n"
                               "        \"Größe.x\": {\n"
                               "          \"enabled\": true,\n"
                               "          \"sync_mode\": \"HISTORY\",\n"
                               "          \"columns\": {\n"
                               "            \"\\n\": { \"enabled\": false, \"hashed\": true }\n"
                               "          }\n"
                               "        }\n"
                               "      }\n"
                               "    }\n"
                               "  }\n"
                               "}\n";
    plan *p = parse(from);

    (void)state;
    assert_non_null(plan_find_column(p, text("a \"b\" \\ c"), text("Größe.x"), text("\n")));
    expect_text(p, from);
    plan_free(p);
}

static void errors_name_line_path_and_what_to_do(void **state)
{
    static const struct {
        const char *text;
        const char *part[3];
    } cases[] = {
        { "", { "'f.json', line 1", "no JSON", "" } },
        { "{\"schemas\": {", { "'f.json', line 1", "no JSON", "" } },
        { "[]", { "expected an object, found an array", "", "" } },
        { "{\n\"schema\": {}}",
          { "line 2: unknown member 'schema'", "'schema_change_handling', 'naming', 'schemas' and 'tables'",
            "" } },
        { "{\"schemas\": {\n\"p\": {\"tables\": {\n\"o\": {\"enable\": true}}}}}",
          { "line 3, schemas.p.tables.o: unknown member 'enable'", "'enabled', 'sync_mode' and 'columns'",
            "" } },
        { "{\"schemas\": {\"p\": {\"enabled\": 1}}}",
          { "schemas.p.enabled: expected true or false, found a number", "", "" } },
        { "{\"schemas\": {\"p\": {\"enabled\": \"true\"}}}", { "found a string", "", "" } },
        { "{\"schemas\": {\"p\": null}}", { "schemas.p: expected an object, found null", "", "" } },
        { "{\"schemas\": {\"p\": {\"enabled\": true, \"enabled\": false}}}",
          { "schemas.p.enabled: this member is there twice", "", "" } },
        { "{\"schemas\": {\"p\": {},\n\"p\": {}}}",
          { "line 2, schemas.p: this schema is there twice", "", "" } },
        { "{\"tables\": {\"p\": {}, \"p\": {}}}", { "tables.p: this table is there twice", "", "" } },
        { "{\"tables\": {\"p\": {\"columns\": {\"c\": {}, \"c\": {}}}}}",
          { "columns.c: this column is", "", "" } },
        { "{\"tables\": {\"p\": {\"columns\": {\"c\": false}}}}",
          { "tables.p.columns.c: expected an object, found a boolean", "", "" } },
        { "{\"tables\": {\"p\": {\"sync_mode\": \"LIVE\"}}}",
          { "live mode is not to be had", "Partner SDK", "\"SOFT_DELETE\" or \"HISTORY\"" } },
        { "{\"tables\": {\"p\": {\"sync_mode\": \"history\"}}}", { "found 'history'", "HISTORY", "" } },
        { "{\"schema_change_handling\": \"ALLOW\"}", { "\"ALLOW_ALL\"", "found 'ALLOW'", "" } },
        { "{\"naming\": true}", { "naming: expected \"FIVETRAN_NAMING\" or", "found a boolean", "" } },
        { "{\"schemas\": {\"p\": {}}, \"tables\": {}}", { "keep 'schemas' or 'tables'", "", "" } },
        { "{\"tables\": {}, \"schemas\": {}}", { "keep 'schemas' or 'tables'", "", "" } },
        { "{\"tables\": {\"\": {}}}", { "a table has no name", "", "" } },
        { "{\"tables\": {\"a\\u0000b\": {}}}", { "NUL", "", "" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plan *p = NULL;
        weir_error err;

        if (plan_parse(text(cases[i].text), "f.json", &p, &err) == WEIR_OK)
            fail_msg("accepted: %s", cases[i].text);
        assert_null(p);
        for (size_t j = 0; j < 3; j++)
            if (strstr(err.text, cases[i].part[j]) == NULL)
                fail_msg("'%s' is not in '%s'", cases[i].part[j], err.text);
    }
}

static void write_file(const char *path, const char *what)
{
    assert_int_equal(weir__file_replace(path, what, strlen(what), NULL), WEIR_OK);
}

/* Somebody edits the file while a sync runs: the edit stays, and what is new is added to it. */
static void what_was_edited_meanwhile_stays(void **state)
{
    char folder[] = "/tmp/weir-test-XXXXXX";
    char path[64];
    plan *p = NULL;
    plan *after = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/f.json", folder);
    assert_int_equal(plan_load(path, &p, NULL), WEIR_NOT_FOUND);
    write_file(path, "{\"tables\": {\"a\": {}}}");
    assert_int_equal(plan_load(path, &p, NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text(""), text("b"), text("c"), NULL), WEIR_OK);
    assert_int_equal(plan_note(p, text(""), text("n"), text("c"), NULL), WEIR_OK);
    write_file(path,
               "{\"schema_change_handling\": \"BLOCK_ALL\", \"tables\": {\"b\": {\"enabled\": false}}}");
    assert_int_equal(plan_save_noted(p, path, NULL), WEIR_OK);
    assert_int_equal(plan_load(path, &after, NULL), WEIR_OK);
    assert_int_equal(after->handling, PLAN_BLOCK_ALL);
    assert_false(table(after, "", "b"));
    assert_true(table(after, "", "n") && column(after, "", "n", "c"));
    assert_false(column(after, "", "n", "other"));
    plan_free(after);
    write_file(path, "not JSON");
    assert_int_equal(plan_save_noted(p, path, NULL), WEIR_FAILED);
    assert_int_equal(weir__file_remove(path, NULL), WEIR_OK);
    assert_int_equal(plan_save_noted(p, path, NULL), WEIR_FAILED);
    plan_free(p);
    assert_int_equal(weir__folder_remove(folder, NULL), WEIR_OK);
}

static weir_status parse_scenario(void *context)
{
    plan *p = NULL;
    weir_status status = plan_parse(text(context), "f.json", &p, NULL);

    plan_free(p);
    return status;
}

static weir_status note_scenario(void *context)
{
    plan *p = plan_new();
    weir_buf out;
    weir_status status = p ? plan_note(p, text("s"), text("t"), text(context), NULL) : WEIR_FAILED;

    weir__buf_init(&out, 1 << 16);
    if (status == WEIR_OK)
        status = plan_put(p, &out, NULL);
    weir__buf_clear(&out);
    plan_free(p);
    return status;
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(parse_scenario,
                       "{\"schemas\": {\"a\": {\"tables\": {\"b\": {\"columns\": {\"c\": {}}}}}}}");
    WEIR_EVERY_FAILURE(note_scenario, "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_means_everything),
        cmocka_unit_test(policies_decide_on_what_is_new),
        cmocka_unit_test(new_objects_are_listed_as_the_policy_says),
        cmocka_unit_test(a_source_without_schemas_has_tables_at_the_top),
        cmocka_unit_test(names_of_all_kinds_survive),
        cmocka_unit_test(errors_name_line_path_and_what_to_do),
        cmocka_unit_test(what_was_edited_meanwhile_stays),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
