/* engine/plan_edit: wishes, a source's schema taken in (R-ENG-21), comparisons. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/discover.h"
#include "engine/plan_edit.h"

/* What a source has; every object is on. */
#define SOURCE                                                                                           \
    "{\"schemas\": {\"public\": {\"tables\": {"                                                          \
    "\"orders\": {\"columns\": {\"id\": {\"key\": true}, \"email\": {}, \"note\": {}}},"                 \
    "\"log\": {\"columns\": {\"id\": {\"key\": true}, \"line\": {}}}}},"                                 \
    "\"audit\": {\"tables\": {\"trail\": {\"columns\": {\"at\": {}}}, \"other\": {\"columns\": {\"x\": " \
    "{}}}}}}}"

static plan *parse(const char *from)
{
    plan *p = NULL;
    weir_error err;

    if (plan_parse(weir__text(from), "f.json", &p, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return p;
}

/* Every object as "path+" or "path-", "#" behind hashed ones, "!" behind keys, "H" behind history. */
static void expect(const plan *p, const char *wanted)
{
    char found[2048] = "";
    size_t size = 0;

    for (size_t i = 0; i < p->schemas.count; i++) {
        const plan_schema *s = p->schemas.entries[i].value;

        size += (size_t)snprintf(found + size, sizeof found - size, "%s%s ", s->name, s->enabled ? "+" : "-");
        for (size_t j = 0; j < s->tables.count; j++) {
            const plan_table *t = s->tables.entries[j].value;

            size += (size_t)snprintf(found + size, sizeof found - size, "%s%s%s ", t->name,
                                     t->enabled ? "+" : "-", t->mode == PLAN_HISTORY ? "H" : "");
            for (size_t k = 0; k < t->columns.count; k++) {
                const plan_column *c = t->columns.entries[k].value;

                size += (size_t)snprintf(found + size, sizeof found - size, "%s%s%s%s ", c->name,
                                         c->enabled ? "+" : "-", c->hashed ? "#" : "", c->key ? "!" : "");
            }
        }
    }
    assert_string_equal(found, wanted);
}

static void apply(plan *p, const plan *seen, const plan_wish *wish)
{
    weir_error err;

    if (plan_apply(p, seen, wish, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

/* R-ENG-21: what is new, under each policy. Key columns are on whatever it says. */
static void what_is_new_is_listed_as_the_policy_says(void **state)
{
    plan *seen = parse(SOURCE);
    plan *p = parse("{\"schemas\": {\"public\": {\"tables\": {\"orders\": {\"columns\": {\"note\": "
                    "{\"enabled\": false}}}}}}}");

    (void)state;
    assert_int_equal(plan_reload(p, seen, NULL), WEIR_OK);
    expect(p, "public+ orders+ note- id+! email+ log+ id+! line+ audit+ trail+ at+ other+ x+ ");
    plan_free(p);
    p = parse("{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"schemas\": {\"public\": {\"tables\": "
              "{\"orders\": {\"columns\": {}}}}}}");
    assert_int_equal(plan_reload(p, seen, NULL), WEIR_OK);
    expect(p, "public+ orders+ id+! email+ note+ log- audit- ");
    plan_free(p);
    p = parse("{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"public\": {\"tables\": "
              "{\"orders\": {\"columns\": {}}}}}}");
    assert_int_equal(plan_reload(p, seen, NULL), WEIR_OK);
    expect(p, "public+ orders+ id+! email- note- log- audit- ");
    plan_free(p);
    plan_free(seen);
}

static void wishes_are_applied(void **state)
{
    plan *seen = parse(SOURCE);
    plan *p = parse("{}");
    plan_wish wish = { .disable = "audit,public.log",
                       .hash = "public.orders.email",
                       .mode = "public.orders=HISTORY" };

    (void)state;
    apply(p, seen, &wish);
    expect(p, "public+ orders+H id+! email+# note+ log- id+! line+ audit- trail+ at+ other+ x+ ");
    wish = (plan_wish){ .unhash = "public.orders.email",
                        .mode = "public.orders=SOFT_DELETE",
                        .handling = "BLOCK_ALL",
                        .naming = "SOURCE_NAMING" };
    apply(p, NULL, &wish);
    expect(p, "public+ orders+ id+! email+ note+ log- id+! line+ audit- trail+ at+ other+ x+ ");
    assert_int_equal(p->handling, PLAN_BLOCK_ALL);
    assert_int_equal(p->naming, PLAN_SOURCE_NAMING);
    plan_free(p);
    plan_free(seen);
}

/* Out of a source that is blocked altogether. */
static void turning_on_a_part_turns_on_that_part_alone(void **state)
{
    plan *seen = parse(SOURCE);
    plan *p = parse("{\"schema_change_handling\": \"BLOCK_ALL\"}");
    plan_wish wish = { .enable = "public.orders.email" };

    (void)state;
    apply(p, seen, &wish);
    expect(p, "public+ orders+ id+! email+ note- log- audit- ");
    wish = (plan_wish){ .enable = "public.log" };
    apply(p, seen, &wish);
    expect(p, "public+ orders+ id+! email+ note- log+ id+! line+ audit- ");
    wish = (plan_wish){ .enable = "audit" };
    apply(p, seen, &wish);
    expect(p, "public+ orders+ id+! email+ note- log+ id+! line+ audit+ trail+ at+ other+ x+ ");
    plan_free(p);
    plan_free(seen);
}

/* Hashing one column of a table that is off: turned on later, the others are there, too. */
static void a_table_that_is_off_keeps_its_columns(void **state)
{
    plan *seen = parse(SOURCE);
    plan *p = parse("{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"public\": {\"tables\": "
                    "{\"orders\": {\"enabled\": false}}}}}");
    plan_wish wish = { .hash = "public.orders.email" };

    (void)state;
    apply(p, seen, &wish);
    expect(p, "public+ orders- id+! email+# note+ log- audit- ");
    plan_free(p);
    plan_free(seen);
}

static void names_with_dots_stand_in_quotes(void **state)
{
    const char names[] = "{\"tables\": {\"a.b\": {\"columns\": {\"x=1, \\\"y\\\"\": {}}}, \"c d\": {}}}";
    plan *p = parse(names);
    plan *q = parse(names);
    plan_wish wish = { .hash = "\"a.b\".\"x=1, \"\"y\"\"\"", .mode = "\"a.b\"=HISTORY,c d=HISTORY" };
    weir_arena *arena = weir__arena_new(1 << 20);
    plan_differences found;

    (void)state;
    apply(p, NULL, &wish);
    expect(p, "+ a.b+H x=1, \"y\"+# c d+H ");
    assert_int_equal(plan_diff(q, p, arena, &found, NULL), WEIR_OK);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.items[0].path, "\"a.b\"");
    assert_string_equal(found.items[1].path, "\"a.b\".\"x=1, \"\"y\"\"\"");
    assert_string_equal(found.items[2].path, "\"c d\"");
    weir__arena_free(arena);
    plan_free(p);
    plan_free(q);
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        plan_wish wish;
        const char *part;
    } cases[] = {
        { { .disable = "public.orders.id" }, "'public.orders.id': the column is part of the key" },
        { { .mode = "public.orders=LIVE" }, "live mode is not to be had" },
        { { .mode = "public.orders=live" }, "expected SOFT_DELETE or HISTORY, found 'live'" },
        { { .mode = "public.orders" }, "expected SCHEMA.TABLE=HISTORY" },
        { { .mode = "public=HISTORY" }, "a mode is a table's" },
        { { .hash = "public.orders" }, "only columns are hashed" },
        { { .enable = "pubic" }, "--enable 'pubic': the source has no such schema; is it 'public'?" },
        { { .enable = "public.Order" }, "no such table; is it 'orders'?" },
        { { .hash = "public.orders.mail" }, "no such column; is it 'email'?" },
        { { .enable = "public.elephants" }, "the source has no such table" },
        { { .enable = "public.orders.id.more" }, "too many names at 'more'" },
        { { .enable = "public..orders" }, "at '.orders'" },
        { { .enable = "public," }, "expected names" },
        { { .enable = "\"public" }, "at '\"public'" },
        { { .enable = "public=x" }, "at '=x'" },
        { { .enable = "public.log", .disable = "audit,public.log" },
          "--disable 'public.log': --enable says" },
        { { .mode = "public.log=HISTORY,public.log=SOFT_DELETE" }, "--mode says otherwise" },
        { { .handling = "allow_all" }, "--handling needs ALLOW_ALL" },
        { { .naming = "X" }, "--naming needs" },
    };
    plan *seen = parse(SOURCE);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plan *p = parse("{}");
        weir_error err;

        if (plan_apply(p, seen, &cases[i].wish, &err) == WEIR_OK)
            fail_msg("case %zu was accepted", i);
        if (strstr(err.text, cases[i].part) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].part, err.text);
        plan_free(p);
    }
    plan_free(seen);
}

static void without_a_source_only_what_is_listed_is_known(void **state)
{
    plan *p = parse("{\"tables\": {\"orders\": {}}}");
    plan *empty = parse("{}");
    plan *seen = parse(SOURCE);
    plan_wish wish = { .disable = "orders.email" };
    weir_error err;

    (void)state;
    assert_int_equal(plan_apply(p, NULL, &wish, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "lists no such column; --source reads what the source has"));
    assert_int_equal(plan_apply(empty, NULL, &wish, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "lists nothing yet"));
    assert_int_equal(plan_reload(p, seen, &err), WEIR_TASK);
    assert_non_null(strstr(err.text, "lists tables without a schema, and the source has schemas"));
    plan_free(p);
    plan_free(empty);
    plan_free(seen);
}

static void names_that_nothing_lists_are_taken_when_told_so(void **state)
{
    plan *p = parse("{}");
    plan_wish wish = { .unlisted = "tables", .disable = "log,orders.note", .hash = "orders.email" };
    plan_wish other = { .unlisted = "schemas", .disable = "shop.log" };
    plan_wish alone = { .unlisted = "tables", .enable = "t.a" };
    weir_bytes none = { "", 0 };
    weir_error err;

    (void)state;
    assert_int_equal(plan_apply(p, NULL, &wish, &err), WEIR_OK);
    assert_false(plan_wants_table(p, none, weir__text("log")));
    assert_true(plan_wants_table(p, none, weir__text("orders")));
    assert_true(plan_wants_table(p, none, weir__text("customers")));
    assert_false(plan_wants_column(p, none, weir__text("orders"), weir__text("note")));
    assert_true(plan_wants_column(p, none, weir__text("orders"), weir__text("id")));
    assert_true(plan_hashes_column(p, none, weir__text("orders"), weir__text("email")));
    assert_int_equal(plan_apply(p, NULL, &other, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "lists tables without a schema"));
    plan_free(p);
    p = parse("{}");
    assert_int_equal(plan_apply(p, NULL, &other, &err), WEIR_OK);
    assert_false(plan_wants_table(p, weir__text("shop"), weir__text("log")));
    assert_true(plan_wants_table(p, weir__text("shop"), weir__text("orders")));
    other.unlisted = "things";
    assert_int_equal(plan_apply(p, NULL, &other, &err), WEIR_FAILED);
    plan_free(p);
    /* One column alone: where the others, which nobody knows, would come along, it is refused. */
    p = parse("{\"tables\": {\"t\": {\"enabled\": false}}}");
    assert_int_equal(plan_apply(p, NULL, &alone, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "cannot be turned on alone"));
    plan_free(p);
    p = parse("{\"schema_change_handling\": \"BLOCK_ALL\", \"tables\": {\"t\": {\"enabled\": false}}}");
    assert_int_equal(plan_apply(p, NULL, &alone, &err), WEIR_OK);
    assert_true(plan_wants_column(p, none, weir__text("t"), weir__text("a")));
    assert_false(plan_wants_column(p, none, weir__text("t"), weir__text("b")));
    plan_free(p);
}

static void expect_differences(const plan_differences *found, const char *const *wanted, size_t count)
{
    for (size_t i = 0; i < found->count; i++) {
        const plan_difference *one = &found->items[i];
        char text[256];

        snprintf(text, sizeof text, "%s %s %s %s", one->path, one->what, one->before ? one->before : "none",
                 one->after ? one->after : "none");
        assert_string_equal(text, i < count ? wanted[i] : "nothing");
    }
    assert_int_equal(found->count, count);
}

static void differences_are_listed(void **state)
{
    static const char *const two[] = { " schema_change_handling ALLOW_ALL BLOCK_ALL",
                                       " naming none SOURCE_NAMING",
                                       "a mode SOFT_DELETE HISTORY",
                                       "a.x hashed no yes",
                                       "a.y synced on none",
                                       "b parts all none",
                                       "c synced none off" };
    static const char *const source[] = { "public.orders.id synced none on",
                                          "public.orders.id key no yes",
                                          "public.orders.email synced none on",
                                          "public.orders.note synced none on",
                                          "audit synced none off",
                                          "public.gone source there gone" };
    plan *a = parse("{\"tables\": {\"a\": {\"columns\": {\"x\": {}, \"y\": {}}}, \"b\": {}}}");
    plan *b = parse("{\"schema_change_handling\": \"BLOCK_ALL\", \"naming\": \"SOURCE_NAMING\", \"tables\": "
                    "{\"a\": {\"sync_mode\": \"HISTORY\", \"columns\": {\"x\": {\"hashed\": true}}}, \"b\": "
                    "{\"columns\": {}}, \"c\": {\"enabled\": false}}}");
    plan *p = parse("{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"schemas\": {\"public\": {\"tables\": "
                    "{\"orders\": {}, \"gone\": {}, \"log\": {\"enabled\": false}}}}}");
    plan *seen = parse(SOURCE);
    weir_arena *arena = weir__arena_new(1 << 20);
    plan_differences found;

    (void)state;
    assert_int_equal(plan_diff(a, b, arena, &found, NULL), WEIR_OK);
    expect_differences(&found, two, sizeof two / sizeof two[0]);
    assert_int_equal(plan_diff(b, b, arena, &found, NULL), WEIR_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(plan_diff_source(p, seen, arena, &found, NULL), WEIR_OK);
    expect_differences(&found, source, sizeof source / sizeof source[0]);
    weir__arena_free(arena);
    plan_free(a);
    plan_free(b);
    plan_free(p);
    plan_free(seen);
}

/* Keys are told, names of the platform's are left out, a source that tells nothing is refused. */
static void a_source_s_reply_is_read(void **state)
{
    const v2_column columns[] = { { .name = weir__text("id"), .primary_key = true },
                                  { .name = weir__text("_fivetran_x") },
                                  { .name = weir__text("v") } };
    const v2_table tables[] = { { .name = weir__text("t"), .columns = columns, .columns_count = 3 },
                                { .name = weir__text("u") } };
    const v2_schema schemas[] = { { .name = weir__text("s"), .tables = tables, .tables_count = 2 },
                                  { .name = weir__text("empty") } };
    const v2_schema_list with = { .schemas = schemas, .schemas_count = 2 };
    const v2_table_list without = { .tables = tables, .tables_count = 2 };
    v2_schema_response reply = { .which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA };
    plan *p = NULL;
    weir_error err;

    (void)state;
    reply.response.with_schema = &with;
    assert_int_equal(discover_read(&reply, &p, NULL), WEIR_OK);
    expect(p, "s+ t+ id+! v+ u+ empty+ ");
    plan_free(p);
    reply = (v2_schema_response){ .which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA };
    reply.response.without_schema = &without;
    assert_int_equal(discover_read(&reply, &p, NULL), WEIR_OK);
    expect(p, "+ t+ id+! v+ u+ ");
    plan_free(p);
    reply = (v2_schema_response){ .which_response = V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED };
    assert_int_equal(discover_read(&reply, &p, &err), WEIR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "does not tell its schema"));
}

static weir_status scenario(void *context)
{
    const plan_wish *wish = context;
    plan *seen = NULL;
    plan *p = NULL;
    weir_arena *arena = weir__arena_new(1 << 20);
    plan_differences found;
    weir_status status = arena ? plan_parse(weir__text(SOURCE), "f.json", &seen, NULL) : WEIR_FAILED;

    if (status == WEIR_OK)
        status = plan_parse(weir__text("{\"schema_change_handling\": \"BLOCK_ALL\"}"), "f.json", &p, NULL);
    if (status == WEIR_OK)
        status = plan_diff_source(p, seen, arena, &found, NULL);
    if (status == WEIR_OK)
        status = plan_apply(p, seen, wish, NULL);
    if (status == WEIR_OK)
        status = plan_diff(seen, p, arena, &found, NULL);
    plan_free(p);
    plan_free(seen);
    weir__arena_free(arena);
    return status;
}

static void every_failed_allocation_is_told(void **state)
{
    plan_wish wish = { .enable = "public.orders.email",
                       .hash = "audit.trail.at",
                       .mode = "public.log=HISTORY" };

    (void)state;
    WEIR_EVERY_FAILURE(scenario, &wish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_new_is_listed_as_the_policy_says),
        cmocka_unit_test(wishes_are_applied),
        cmocka_unit_test(turning_on_a_part_turns_on_that_part_alone),
        cmocka_unit_test(a_table_that_is_off_keeps_its_columns),
        cmocka_unit_test(names_with_dots_stand_in_quotes),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(without_a_source_only_what_is_listed_is_known),
        cmocka_unit_test(names_that_nothing_lists_are_taken_when_told_so),
        cmocka_unit_test(differences_are_listed),
        cmocka_unit_test(a_source_s_reply_is_read),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
