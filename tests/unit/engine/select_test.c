/*
 * What is synced of what a source has, and under which names: selection (R-SRC-05), policies (R-ENG-21),
 * hashing of columns, names and their collisions (R-ENG-22).
 */
#include "world.h"

#include <openssl/hmac.h>

#include "base/alloc.h"
#include "data/base64.h"
#include "engine/state.h"

/* The world goes by this schema configuration, which is a file as well. */
static void configure(world *w, const char *text)
{
    weir_error err;

    snprintf(w->file, sizeof w->file, "%s/schema.json", w->folder);
    plan_free(w->plan);
    w->plan = NULL;
    assert_int_equal(weir__file_replace(w->file, text, strlen(text), &err), WEIR_OK);
    if (plan_load(w->file, &w->plan, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

static void file_says(world *w, const char *wanted)
{
    weir_buf text;

    weir__buf_init(&text, 1 << 20);
    assert_int_equal(weir__file_load(w->file, &text, NULL), WEIR_OK);
    assert_true(weir__buf_put(&text, "", 1));
    if (strstr(text.data, wanted) == NULL)
        fail_msg("'%s' is not in %s", wanted, text.data);
    weir__buf_clear(&text);
}

/* A record of a table in a schema. */
static void upsert(weir_rpc_call *call, const char *schema, const char *table, const weir_cell *cells,
                   size_t count)
{
    weir_record_row row = { .schema = weir__text(schema),
                            .table = weir__text(table),
                            .op = WEIR_UPSERT,
                            .cells = cells,
                            .count = count };
    weir_record_writer writer;
    weir_bytes message;
    weir_error err;

    weir__record_writer_init(&writer, 1 << 20);
    assert_true(weir__record_writer_put(&writer, &row, &err) >= 0);
    assert_int_equal(weir__record_writer_take(&writer, &message), WEIR_ITEM);
    assert_true(fake_send(call, message));
    weir__record_writer_clear(&writer);
}

static bool has_column(world *w, const char *table, const char *column)
{
    return strcmp(fake_type(&w->destination, table, column), "(none)") != 0;
}

#define COLUMN(text, of)                                             \
    {                                                                \
        .name = { text, sizeof text - 1 }, .type = V2_DATA_TYPE_##of \
    }
#define KEY(text, of)                                                                     \
    {                                                                                     \
        .name = { text, sizeof text - 1 }, .type = V2_DATA_TYPE_##of, .primary_key = true \
    }

static v2_column order_columns[] = { KEY("id", INT), COLUMN("email", STRING), COLUMN("price", INT) };
static const v2_table shop_tables[] = {
    { .name = { "orders", 6 }, .columns = order_columns, .columns_count = 3 },
    { .name = { "log", 3 }, .columns = order_columns, .columns_count = 3 },
};
static const v2_schema shop_schemas[] = {
    { .name = { "public", 6 }, .tables = shop_tables, .tables_count = 2 },
    { .name = { "audit", 5 }, .tables = shop_tables, .tables_count = 1 },
};
static const v2_schema_list with_schema = { .schemas = shop_schemas, .schemas_count = 2 };
static const v2_table_list without_schema = { .tables = shop_tables, .tables_count = 2 };

static void tell_with(world *w)
{
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA;
    w->source.schema.response.with_schema = &with_schema;
}

static void tell_without(world *w)
{
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &without_schema;
}

static weir_rpc_code play_nothing(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

/* --- selection --- */

/* R-SRC-05: both forms, what is listed and what is new on each level, for each policy. */
static void the_selection_says_what_is_wanted(void **state)
{
    static const struct {
        bool with;
        const char *plan;
        const char *selection;
    } cases[] = {
        { true, "{}",
          "schemas*+; public+ tables*+ orders+(id+,email+,price+,*)+ log+(id+,email+,price+,*)+"
          "; audit+ tables*+ orders+(id+,email+,price+,*)+" },
        { true,
          "{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"public\": {\"tables\": {\"orders\": "
          "{\"columns\": {\"email\": {}}}}}}}",
          "schemas*-; public+ tables*- orders+(email+,id+,price-,*)- log-(*)-; audit- tables*-" },
        { true,
          "{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"schemas\": {\"public\": {\"tables\": "
          "{\"log\": {\"columns\": {\"email\": {\"enabled\": false}}}}}}}",
          "schemas*-; public+ tables*- log+(email-,id+,price+,*)+ orders-(*)-; audit- tables*-" },
        { true,
          "{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"public\": {\"tables\": {\"orders\": "
          "{\"columns\": {\"id\": {\"enabled\": false}}}}}}}",
          "schemas*-; public+ tables*- orders+(id+,email-,price-,*)- log-(*)-; audit- tables*-" },
        { true, "{\"schema_change_handling\": \"BLOCK_ALL\", \"schemas\": {\"audit\": {}}}",
          "schemas*-; audit+ tables*+ orders+(id+,email+,price+,*)+; public- tables*-" },
        { false, "{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"tables\": {\"orders\": {}}}",
          "tables*- orders+(id+,email+,price+,*)+ log-(*)-" },
        { false, "{\"tables\": {\"log\": {\"enabled\": false}}}",
          "tables*+ log-(*)- orders+(id+,email+,price+,*)+" },
    };
    world *w = *state;

    w->source.play = play_nothing;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].with)
            tell_with(w);
        else
            tell_without(w);
        configure(w, cases[i].plan);
        assert_ok(w);
        assert_string_equal(w->source.selection, cases[i].selection);
    }
}

static weir_rpc_code play_everything(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "orders", weir_int("id", 1), weir_string("email", "a@b"), weir_int("price", 7),
           weir_string("fresh", "x"));
    UPSERT(call, "log", weir_int("id", 1), weir_string("email", "a@b"), weir_int("price", 7));
    UPSERT(call, "unheard", weir_int("id", 1));
    assert_true(fake_record(call, "log", WEIR_TRUNCATE, NULL, 0));
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

/* R-SRC-05: whatever a source sends, what is off does not arrive. */
static void a_source_that_ignores_the_selection_is_filtered(void **state)
{
    world *w = *state;

    tell_without(w);
    w->source.schema.selection_not_supported = true;
    w->source.schema.has_selection_not_supported = true;
    w->source.play = play_everything;
    configure(
        w, "{\"schema_change_handling\": \"BLOCK_ALL\", \"tables\": {\"orders\": {\"columns\": {\"price\": "
           "{}, \"email\": {\"enabled\": false}}}}}");
    assert_ok(w);
    assert_string_equal(w->source.selection, ""); /* it has said that it takes none */
    assert_int_equal(w->destination.table_count, 1);
    assert_int_equal(w->destination.truncates, 0);
    assert_string_equal(fake_cell(&w->destination, "orders", "1", "price"), "7");
    assert_false(has_column(w, "orders", "email") || has_column(w, "orders", "fresh"));
    assert_true(has_column(w, "orders", "id")); /* a key column, though it is on no list */
    file_says(w, "\"fresh\": { \"enabled\": false }");
    file_says(w, "\"id\": { \"enabled\": true, \"key\": true }");
    file_says(w, "\"unheard\": {\n      \"enabled\": false");
}

/* R-SRC-08, R-ENG-21: tables and columns that nobody has declared follow the policy. */
static void undeclared_ones_follow_the_policy(void **state)
{
    static const struct {
        const char *handling;
        bool table, column;
    } cases[] = { { "ALLOW_ALL", true, true },
                  { "ALLOW_COLUMNS", false, true },
                  { "BLOCK_ALL", false, false } };
    world *w = *state;

    tell_without(w);
    w->source.play = play_everything;
    for (size_t i = 0; i < 3; i++) {
        char text[256];

        snprintf(text, sizeof text,
                 "{\"schema_change_handling\": \"%s\", \"tables\": {\"orders\": {\"columns\": {}}}}",
                 cases[2 - i].handling);
        configure(w, text);
        assert_ok(w);
        assert_int_equal(has_column(w, "orders", "fresh"), cases[2 - i].column);
        assert_int_equal(fake_rows(&w->destination, "unheard") == 1, cases[2 - i].table);
        file_says(w, cases[2 - i].column ? "\"fresh\": { \"enabled\": true }"
                                         : "\"fresh\": { \"enabled\": false }");
    }
}

static weir_rpc_code play_change(fake_source *s, weir_rpc_call *call)
{
    static v2_column columns[] = { KEY("id", INT), COLUMN("more", INT) };
    static const v2_table tables[] = {
        { .name = { "orders", 6 }, .columns = columns, .columns_count = 2 },
        { .name = { "newcomer", 8 }, .columns = columns, .columns_count = 2 },
    };
    static const v2_table_list list = { .tables = tables, .tables_count = 2 };
    v2_schema_change change = { .which_change = V2_SCHEMA_CHANGE_WITHOUT_SCHEMA,
                                .change.without_schema = &list };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                    .operation.schema_change = &change };

    (void)s;
    UPSERT(call, "orders", weir_int("id", 1), weir_null("more"));
    assert_true(fake_operation(call, &response));
    UPSERT(call, "orders", weir_int("id", 2), weir_int("more", 5));
    UPDATE(call, "orders", weir_int("id", 2), weir_null("more"));
    UPSERT(call, "newcomer", weir_int("id", 1), weir_int("more", 5));
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

/* R-SRC-10, R-ENG-21: what a SchemaChange brings is as new as what a row brings. */
static void changes_in_the_stream_follow_the_policy(void **state)
{
    world *w = *state;

    tell_without(w);
    w->source.play = play_change;
    configure(w, "{\"schema_change_handling\": \"BLOCK_ALL\", \"tables\": {\"orders\": {\"columns\": {}}}}");
    assert_ok(w);
    assert_false(has_column(w, "orders", "more"));
    assert_int_equal(fake_rows(&w->destination, "newcomer"), 0);
    configure(w,
              "{\"schema_change_handling\": \"ALLOW_COLUMNS\", \"tables\": {\"orders\": {\"columns\": {}}}}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "orders", "2", "more"), "(null)");
    assert_string_equal(fake_type(&w->destination, "orders", "more"), "INT");
    assert_int_equal(fake_rows(&w->destination, "newcomer"), 0);
    configure(w, "{}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "newcomer", "1", "more"), "5");
}

/* R-SRC-05: the key cannot be turned off, and whoever tries is told. */
static void key_columns_stay(void **state)
{
    world *w = *state;

    tell_without(w);
    w->source.play = play_everything;
    configure(w, "{\"tables\": {\"orders\": {\"columns\": {\"id\": {\"enabled\": false}}}}}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "orders", "1", "price"), "7");
    assert_string_equal(w->warning,
                        "column 'id' of table 'orders' is part of the key and is synced, though the schema "
                        "configuration turns it off");
    assert_int_equal(w->warnings, 1);
    file_says(w, "\"id\": { \"enabled\": false, \"key\": true }");
}

static weir_rpc_code play_again(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "orders", weir_int("id", s->updates == 1 ? 1 : 2), weir_string("email", "a@b"));
    UPDATE(call, "orders", weir_int("id", 1), weir_int("price", s->updates), weir_string("email", "new"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/* A column that is turned off after it was synced stays as it is, with NULL in new rows. */
static void a_column_turned_off_later_stays(void **state)
{
    world *w = *state;

    tell_without(w);
    w->source.play = play_again;
    configure(w, "{}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "orders", "1", "email"), "new");
    configure(w, "{\"tables\": {\"orders\": {\"columns\": {\"email\": {\"enabled\": false}}}}}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "orders", "1", "email"), "new");
    assert_string_equal(fake_cell(&w->destination, "orders", "1", "price"), "2");
    assert_string_equal(fake_cell(&w->destination, "orders", "2", "email"), "(null)");
}

/* --- hashing --- */

/* base64 of HMAC-SHA-256, computed by itself, under the salt of the world's state. */
static const char *hash_of(world *w, const char *text)
{
    static char out[64];
    unsigned char salt[STATE_SALT_SIZE];
    unsigned char digest[32];
    state_store *store = NULL;

    assert_int_equal(state_open(w->state, "test", &store, NULL), WEIR_OK);
    assert_int_equal(state_salt(store, NULL, salt, NULL), WEIR_OK);
    state_close(store);
    assert_non_null(
        HMAC(EVP_sha256(), salt, sizeof salt, (const unsigned char *)text, strlen(text), digest, NULL));
    out[weir__base64_encode(digest, sizeof digest, out)] = '\0';
    return out;
}

static weir_rpc_code play_secrets(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_string("secret", "geheim"), weir_int("number", 5),
           weir_decimal("money", "1.50"), weir_null("nothing"));
    UPSERT(call, "t", weir_string("k", "b"), weir_long("number", 5), weir_decimal("money", "1.5"),
           weir_string("nothing", "geheim"));
    UPSERT(call, "t", weir_string("k", "c"), weir_string("number", "5"), weir_double("money", 1.5));
    UPSERT(call, "keyless", weir_string("secret", "geheim"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

static v2_column secret_columns[] = { KEY("k", STRING), COLUMN("secret", STRING), COLUMN("number", INT),
                                      COLUMN("money", DECIMAL), COLUMN("nothing", UNSPECIFIED) };
static const v2_table secret_tables[] = {
    { .name = { "t", 1 }, .columns = secret_columns, .columns_count = 5 },
};
static const v2_table_list secrets = { .tables = secret_tables, .tables_count = 1 };

static void tell_secrets(world *w)
{
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &secrets;
    w->source.play = play_secrets;
}

#define HASHED "{\"enabled\": true, \"hashed\": true}"

static void hashes_are_those_of_the_text(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    tell_secrets(w);
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"secret\": " HASHED ", \"number\": " HASHED
                 ", \"money\": " HASHED ", \"nothing\": " HASHED
                 "}}, \"keyless\": {\"columns\": {\"secret\": " HASHED "}}}}");
    assert_ok(w);
    for (size_t i = 1; i < 5; i++)
        assert_string_equal(fake_type(d, "t", secret_columns[i].name.data), "STRING");
    assert_string_equal(fake_cell(d, "t", "a", "secret"), hash_of(w, "geheim"));
    assert_string_equal(fake_cell(d, "t", "b", "nothing"), hash_of(w, "geheim"));
    assert_string_equal(fake_cell(d, "t", "a", "nothing"), "(null)");
    assert_string_equal(fake_cell(d, "t", "c", "secret"), "(null)");
    /* One value, whatever type it comes in. */
    assert_string_equal(fake_cell(d, "t", "a", "number"), hash_of(w, "5"));
    assert_string_equal(fake_cell(d, "t", "b", "number"), hash_of(w, "5"));
    assert_string_equal(fake_cell(d, "t", "c", "number"), hash_of(w, "5"));
    assert_string_equal(fake_cell(d, "t", "a", "money"), hash_of(w, "1.5"));
    assert_string_equal(fake_cell(d, "t", "b", "money"), hash_of(w, "1.5"));
    assert_string_equal(fake_cell(d, "t", "c", "money"), hash_of(w, "1.5"));
    assert_int_equal(fake_rows(d, "keyless"), 1);
    assert_string_equal(fake_type(d, "keyless", "secret"), "STRING");
    /* Turned off again, the columns are what they have become. */
    configure(w, "{}");
    assert_ok(w);
    assert_string_equal(fake_type(d, "t", "number"), "STRING");
    assert_string_equal(fake_cell(d, "t", "a", "number"), "5");
    assert_string_equal(fake_cell(d, "t", "a", "secret"), "geheim");
}

static weir_rpc_code play_no_values(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_int("k", 1), weir_null("secret"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/* A name that is no column's would leave the one that was meant as it is. */
static void a_hashed_column_that_is_not_there_is_told(void **state)
{
    world *w = *state;

    w->source.play = play_no_values;
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"secret\": " HASHED "}}}}");
    assert_ok(w);
    assert_int_equal(w->warnings, 0); /* it has come, though without a value */
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"secrte\": " HASHED "}}, \"other\": "
                 "{\"columns\": {\"secret\": " HASHED "}}}}");
    assert_ok(w);
    assert_int_equal(w->warnings, 1);
    assert_string_equal(w->warning, "the schema configuration hashes column 'secrte' of table 't', which has "
                                    "no such column; names compare exactly");
}

/* A configuration whose names begin with schemas says nothing of a source that has none, and back. */
static void a_configuration_of_the_other_form_is_for_a_person(void **state)
{
    world *w = *state;

    w->source.play = play_no_values;
    configure(w, "{\"schemas\": {\"shop\": {\"tables\": {\"t\": {\"enabled\": false}}}}}");
    assert_fails(w, WEIR_TASK, "lists schemas, and the source has tables without a schema");
    assert_int_equal(w->destination.table_count, 0);
    tell_with(w);
    w->source.play = play_nothing;
    configure(w, "{\"tables\": {\"t\": {\"enabled\": false}}}");
    assert_fails(w, WEIR_TASK, "lists tables without a schema, and the source has schemas");
    assert_int_equal(w->destination.table_count, 0);
}

/* A column that had other values before becomes a STRING when it is hashed. */
static void hashing_may_begin_later(void **state)
{
    world *w = *state;

    tell_secrets(w);
    configure(w, "{}");
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "money"), "DECIMAL");
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"money\": " HASHED "}}}}");
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "money"), "STRING");
    assert_string_equal(fake_cell(&w->destination, "t", "a", "money"), hash_of(w, "1.5"));
}

static weir_rpc_code play_keys(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_string("secret", "1"));
    UPSERT(call, "t", weir_string("k", "a"), weir_string("secret", "2"));
    UPDATE(call, "t", weir_string("k", "a"), weir_int("number", 9));
    UPSERT(call, "t", weir_string("k", "b"), weir_string("secret", "3"));
    DELETE(call, "t", weir_string("k", "b"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/* Hashed keys fold, update and delete as plain ones; one that begins to be hashed brings rows twice. */
static void keys_may_be_hashed_from_the_first(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    char key[64];

    tell_secrets(w);
    w->source.play = play_keys;
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"k\": " HASHED "}}}}");
    assert_ok(w);
    assert_int_equal(fake_rows(d, "t"), 2);
    memcpy(key, hash_of(w, "a"), sizeof key);
    assert_string_equal(fake_cell(d, "t", key, "secret"), "2");
    assert_string_equal(fake_cell(d, "t", key, "number"), "9");
    assert_string_equal(fake_cell(d, "t", hash_of(w, "b"), "_fivetran_deleted"), "true");
    configure(w, "{}");
    assert_fails(w, WEIR_TASK, "key column 'k' was hashed in earlier syncs");
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"k\": " HASHED "}}}}");
    assert_ok(w);
    assert_int_equal(fake_rows(d, "t"), 2);
}

/* --- names --- */

static weir_rpc_code play_names(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    upsert(call, "Main.Schema", "UserData", WEIR_CELLS(weir_int("userId", 1), weir_string("e-mail", "x")));
    upsert(call, "Main.Schema", "UserData", WEIR_CELLS(weir_int("userId", 1), weir_string("e-mail", "y")));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

static v2_column user_columns[] = { KEY("userId", INT), COLUMN("e-mail", STRING) };
static const v2_table user_tables[] = {
    { .name = { "UserData", 8 }, .columns = user_columns, .columns_count = 2 }
};
static const v2_schema user_schemas[] = {
    { .name = { "Main.Schema", 11 }, .tables = user_tables, .tables_count = 1 }
};
static const v2_schema_list users = { .schemas = user_schemas, .schemas_count = 1 };

static void names_are_made_for_the_destination(void **state)
{
    world *w = *state;
    fake_table *t;

    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA;
    w->source.schema.response.with_schema = &users;
    w->source.play = play_names;
    assert_ok(w);
    t = fake_find(&w->destination, "test_main_schema", "user_data");
    assert_non_null(t);
    assert_int_equal(t->row_count, 1);
    assert_int_equal(fake_column_index(t, "user_id"), 0);
    assert_int_equal(fake_column_index(t, "e_mail"), 1);
    assert_string_equal(t->cells[0][1], "y");
    /* The next sync finds all of it again, by the source's names. */
    configure(w,
              "{\"schemas\": {\"Main.Schema\": {\"tables\": {\"UserData\": {\"columns\": {\"e-mail\": " HASHED
              "}}}}}}");
    assert_ok(w);
    assert_int_equal(w->destination.creates, 1);
    assert_int_equal(w->destination.table_count, 1);
    assert_int_equal(t->row_count, 1);
    assert_string_equal(t->cells[0][1], hash_of(w, "y"));
    /* R-ENG-22: for good. */
    configure(w, "{\"naming\": \"SOURCE_NAMING\"}");
    assert_fails(w, WEIR_TASK, "named by FIVETRAN_NAMING at the first sync");
}

static void source_names_may_stay_as_they_are(void **state)
{
    world *w = *state;

    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA;
    w->source.schema.response.with_schema = &users;
    w->source.play = play_names;
    configure(w, "{\"naming\": \"SOURCE_NAMING\"}");
    assert_ok(w);
    assert_non_null(fake_find(&w->destination, "test_Main.Schema", "UserData"));
    configure(w, "{}"); /* nothing said is no change */
    assert_ok(w);
    assert_int_equal(w->destination.table_count, 1);
    configure(w, "{\"naming\": \"FIVETRAN_NAMING\"}");
    assert_fails(w, WEIR_TASK, "named by SOURCE_NAMING at the first sync");
}

static int clash; /* what play_clash plays */

static weir_rpc_code play_clash(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    switch (clash) {
    case 0:
        UPSERT(call, "t", weir_int("userId", 1), weir_int("user_id", 2));
        break;
    case 1:
        UPSERT(call, "userData", weir_int("id", 1));
        UPSERT(call, "user.data", weir_int("id", 1));
        break;
    default:
        upsert(call, "A.b", "one", WEIR_CELLS(weir_int("id", 1)));
        upsert(call, "a_b", "two", WEIR_CELLS(weir_int("id", 1)));
        break;
    }
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/* R-ENG-22: two names that become one are a Task naming both, on every level. */
static void names_that_collide_are_a_task(void **state)
{
    static const char *const texts[] = {
        "table 't': columns 'userId' and 'user_id' of the source would both be 'user_id' at the destination",
        "tables 'userData' and 'user.data' of the source would both be 'test.user_data' at the destination",
        "schemas 'A.b' and 'a_b' of the source would both be 'test_a_b' at the destination",
    };
    static const char *const cures[] = {
        "{\"tables\": {\"t\": {\"columns\": {\"userId\": {\"enabled\": false}}}}}",
        "{\"tables\": {\"userData\": {\"enabled\": false}}}",
        "{\"schemas\": {\"A.b\": {\"enabled\": false}}}",
    };
    world *w = *state;

    w->source.play = play_clash;
    for (clash = 0; clash < 3; clash++) {
        configure(w, "{}");
        assert_fails(w, WEIR_TASK, texts[clash]);
        assert_non_null(strstr(w->err.text, "Turn one of them off in the schema configuration"));
        configure(w, cures[clash]);
        assert_ok(w);
    }
}

static weir_rpc_code play_renamed(fake_source *s, weir_rpc_call *call)
{
    if (s->updates == 1)
        UPSERT(call, "t", weir_int("id", 1), weir_string("userName", "a"));
    else
        UPSERT(call, "t", weir_int("id", 2), weir_string("user_name", "b"));
    if (s->updates == 3)
        UPSERT(call, "t", weir_int("id", 3), weir_string("userName", "c"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/* A column that the source has renamed goes on under the same name; with the old one it would collide. */
static void a_renamed_column_takes_the_place(void **state)
{
    static v2_column columns[] = { KEY("id", INT) };
    static const v2_table tables[] = { { .name = { "t", 1 }, .columns = columns, .columns_count = 1 } };
    static const v2_table_list list = { .tables = tables, .tables_count = 1 };
    world *w = *state;

    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
    w->source.play = play_renamed;
    assert_ok(w);
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "t", "1", "user_name"), "a");
    assert_string_equal(fake_cell(&w->destination, "t", "2", "user_name"), "b");
    assert_fails(w, WEIR_TASK, "columns 'user_name' and 'userName' of the source would both be 'user_name'");
}

/* A schema configuration that is forgotten would send what was hashed before, and end histories. */
static void the_configuration_is_not_forgotten(void **state)
{
    world *w = *state;

    tell_secrets(w);
    configure(w, "{\"tables\": {\"t\": {\"columns\": {\"secret\": " HASHED "}}}}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "t", "a", "secret"), hash_of(w, "geheim"));
    plan_free(w->plan);
    w->plan = NULL;
    assert_fails(w, WEIR_FAILED, "--schema-config");
    assert_string_equal(fake_cell(&w->destination, "t", "a", "secret"), hash_of(w, "geheim"));
    configure(w, "{}");
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "t", "a", "secret"), "geheim");
}

static weir_rpc_code play_fewer(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "UserData", weir_int("id", 1), weir_int("run", s->updates));
    if (s->updates == 1)
        UPSERT(call, "UserData", weir_int("id", 2), weir_int("run", s->updates));
    assert_true(fake_checkpoint(call, "{\"tables\":{\"UserData\":1,\"other\":2},\"tables_of\":\"weir\"}"));
    return WEIR_RPC_OK;
}

/* The source declares one table of that name. */
static void declare(world *w, const char *name)
{
    static v2_column columns[] = { KEY("id", INT), COLUMN("run", INT) };
    static v2_table tables[] = { { .columns = columns, .columns_count = 2 } };
    static const v2_table_list list = { .tables = tables, .tables_count = 1 };

    tables[0].name = weir__text(name);
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
}

/* R-ENG-12, R-ENG-22: one table is read again under the name that the source's state has for it. */
static void a_renamed_table_is_synced_again(void **state)
{
    world *w = *state;

    declare(w, "UserData");
    w->source.play = play_fewer;
    assert_ok(w);
    w->resync_table = "UserData";
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"tables\":{\"other\":2},\"tables_of\":\"weir\"}");
    assert_int_equal(w->destination.truncates, 1);
    assert_string_equal(fake_cell(&w->destination, "user_data", "1", "_fivetran_deleted"), "false");
    assert_string_equal(fake_cell(&w->destination, "user_data", "2", "_fivetran_deleted"), "true");
    w->resync_table = NULL;
    assert_ok(w);
    assert_int_equal(w->destination.truncates, 1);
}

static weir_rpc_code play_dotted(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "a.b", weir_int("id", 1), weir_int("run", s->updates));
    if (s->updates == 1)
        UPSERT(call, "a.b", weir_int("id", 2), weir_int("run", s->updates));
    assert_true(fake_checkpoint(call, "{\"tables\":{\"a\\\\.b\":1},\"tables_of\":\"weir\"}"));
    return WEIR_RPC_OK;
}

/* A name with a dot, as a person writes it and as the state does. */
static void a_table_with_a_dot_is_synced_again(void **state)
{
    static const char *const spellings[] = { "a.b", "a\\.b" };
    world *w = *state;

    declare(w, "a.b");
    w->source.play = play_dotted;
    for (int i = 0; i < 2; i++) {
        w->source.updates = 0;
        w->resync_table = NULL;
        assert_ok(w);
        assert_string_equal(fake_cell(&w->destination, "a_b", "2", "_fivetran_deleted"), "false");
        w->resync_table = spellings[i];
        assert_ok(w);
        assert_string_equal(fake_cell(&w->destination, "a_b", "1", "_fivetran_deleted"), "false");
        assert_string_equal(fake_cell(&w->destination, "a_b", "2", "_fivetran_deleted"), "true");
    }
    w->resync_table = "a.c";
    assert_fails(w, WEIR_TASK, "knows no such table");
}

static weir_rpc_code play_unmarked(fake_source *s, weir_rpc_call *call)
{
    static const char *const names[] = { "a.b", "a" };

    for (size_t i = 0; i < 2; i++)
        for (int id = 1; id <= (s->updates == 1 ? 2 : 1); id++)
            UPSERT(call, names[i], weir_int("id", id), weir_int("run", s->updates));
    assert_true(fake_checkpoint(call, "{\"tables\":{\"a.b\":1,\"a\":1},\"tables_of\":\"weir\"}"));
    return WEIR_RPC_OK;
}

/* A source without schemas, whose state has the name as it is; only that table is meant. */
static void a_table_whose_dot_is_not_marked_is_synced_again(void **state)
{
    static v2_column columns[] = { KEY("id", INT), COLUMN("run", INT) };
    static v2_table tables[] = { { .columns = columns, .columns_count = 2 },
                                 { .columns = columns, .columns_count = 2 } };
    static const v2_table_list list = { .tables = tables, .tables_count = 2 };
    world *w = *state;

    tables[0].name = weir__text("a.b");
    tables[1].name = weir__text("a");
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
    w->source.play = play_unmarked;
    assert_ok(w);
    w->resync_table = "a.b";
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "a_b", "1", "_fivetran_deleted"), "false");
    assert_string_equal(fake_cell(&w->destination, "a_b", "2", "_fivetran_deleted"), "true");
    assert_string_equal(fake_cell(&w->destination, "a", "2", "_fivetran_deleted"), "false");
}

static weir_rpc_code play_tables_of_another_meaning(fake_source *s, weir_rpc_call *call)
{
    if (s->updates == 1)
        for (int id = 1; id <= 2; id++)
            UPSERT(call, "UserData", weir_int("id", id), weir_int("run", s->updates));
    assert_true(fake_checkpoint(call, "{\"tables\":{\"UserData\":\"of which I have counted 2\"}}"));
    return WEIR_RPC_OK;
}

/* A source that keeps its progress elsewhere would send no row again, and all would be marked deleted. */
static void only_a_marked_state_keeps_tables_apart(void **state)
{
    world *w = *state;

    declare(w, "UserData");
    w->source.play = play_tables_of_another_meaning;
    assert_ok(w);
    w->resync_table = "UserData";
    assert_fails(w, WEIR_TASK, "does not keep tables apart");
    w->resync_table = NULL;
    assert_ok(w);
    assert_int_equal(w->destination.truncates, 0);
    assert_string_equal(fake_cell(&w->destination, "user_data", "2", "_fivetran_deleted"), "false");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_selection_says_what_is_wanted),
        TEST(a_source_that_ignores_the_selection_is_filtered),
        TEST(undeclared_ones_follow_the_policy),
        TEST(changes_in_the_stream_follow_the_policy),
        TEST(key_columns_stay),
        TEST(a_column_turned_off_later_stays),
        TEST(hashes_are_those_of_the_text),
        TEST(hashing_may_begin_later),
        TEST(a_hashed_column_that_is_not_there_is_told),
        TEST(a_configuration_of_the_other_form_is_for_a_person),
        TEST(keys_may_be_hashed_from_the_first),
        TEST(names_are_made_for_the_destination),
        TEST(source_names_may_stay_as_they_are),
        TEST(names_that_collide_are_a_task),
        TEST(a_renamed_column_takes_the_place),
        TEST(the_configuration_is_not_forgotten),
        TEST(a_renamed_table_is_synced_again),
        TEST(a_table_with_a_dot_is_synced_again),
        TEST(a_table_whose_dot_is_not_marked_is_synced_again),
        TEST(only_a_marked_state_keeps_tables_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
